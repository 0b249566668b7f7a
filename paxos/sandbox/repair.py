"""Try to repair a broken variant: the edited handler before three judges.

The variant's recorded counterexample is played again; the small model in which
the variant is caught is explored; and the seeds that catch it are run. A
handler that merely refuses everything breaks no rule, so each judge is also
asked whether a value can still be chosen.
"""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, Final

from paxos.checker import merge
from paxos.checker.why import explain
from paxos.events import encode
from paxos.explorer import Explored, Model, explore
from paxos.judging import judge_lines
from paxos.parts import accused_of
from paxos.sandbox.handler import repaired_parts, told
from paxos.sandbox.judging import table_of
from paxos.sandbox.play import Play
from paxos.sandbox.recipe import SandboxError, Stories, read_recipe
from paxos.sandbox.stories import bundled_stories
from paxos.simulator.fuzz import Tally, find
from paxos.simulator.parts import Parts
from paxos.storage import KEEPING
from paxos.variants import VARIANTS, UnknownVariant, Variant, load

STATES: Final = 100_000
"""The search ends with the level in which it has passed so many states of the model."""
SEED: Final = 7
"""The seed of the recorded counterexamples, as of every story."""
_SUFFIXES: Final = ("-shortest", "-by-hand", "")
_CHOSEN: Final = "a value was chosen"


def variants() -> dict[str, Any]:
    """The broken variants, in the order in which they are told."""
    return {
        "variants": [
            {
                "name": variant.name,
                "change": variant.change,
                "breaks": variant.breaks,
                "insight": str(variant.insight),
            }
            for variant in VARIANTS.values()
        ]
    }


def repair(name: str, source: str, stories: Stories | None = None) -> dict[str, Any]:
    """Put an edited handler in the place of a variant's broken one, and judge it.

    Args:
        name: the variant's.
        source: functions, or a whole class, as they stand in the variant's file.
        stories: the recorded counterexamples; those of the archive where none are given.

    Returns:
        What ``docs/sandbox.md`` lists.

    Raises:
        SandboxError: there is no such variant, or the source cannot be used;
            the sentence names its line.
    """
    try:
        variant = load(name)
    except UnknownVariant as unknown:
        raise SandboxError(str(unknown)) from unknown
    parts = repaired_parts(variant, source)
    try:
        counterexample = _replayed(
            variant, parts, bundled_stories() if stories is None else stories
        )
        # Each judge is asked only when the one before it has found nothing.
        model = seeds = None
        if counterexample is None or counterexample["violation"] is None:
            model = _explored(variant, parts)
            if model is None or not model["broken"]:
                seeds = _sown(variant, parts)
    except BaseException as error:
        # Whatever the person's handler raises comes through the core, and it is no fault of
        # ours. What ends a program elsewhere, such as SystemExit, must not end the tab's Python.
        raise SandboxError(told(error)) from error
    return _judged(name, counterexample, model, seeds)


def _replayed(variant: Variant, parts: Parts, stories: Stories) -> dict[str, Any] | None:
    names = (f"broken/{variant.name}{suffix}" for suffix in _SUFFIXES)
    story = next((name for name in names if name in stories), None)
    if story is None:
        return None
    nodes = stories[story]["nodes"]
    node_count = nodes[0] if isinstance(nodes, list) else nodes
    recipe = read_recipe({"v": 1, "seed": SEED, "nodes": node_count, "scenario": story}, stories)
    play = Play(replace(recipe, parts=parts))
    play.perform()
    merged = merge(play.lines)
    table = table_of(play)
    verdict = judge_lines(merged, table, trusted=True).as_json()
    first = next(iter(verdict["violations"]), None)
    return {
        "story": story,
        "violation": None if first is None else {"rule": first["rule"], "text": first["sentence"]},
        "stopped": play.failure,
        "lines": b"".join(map(encode, merged)).decode("utf-8"),
        "run": table,
        "verdict": verdict,
        "why": explain(merged, table, trusted=True),
    }


def _explored(variant: Variant, parts: Parts) -> dict[str, Any] | None:
    size = variant.exposed_by
    if size is None or variant.keeping is not KEEPING:
        # The explorer's disk is a model of its own, in which no edit of real storage shows.
        return None
    bounds = {field.name: getattr(size, field.name) for field in fields(size)}
    model = Model(**bounds, whole_steps=True)
    found = explore(model, accused_of(parts), engine="plain", limit=STATES)
    return {
        "bounds": found.model.bounds,
        "distinct": found.distinct,
        "complete": found.complete,
        "broken": [name for name, verdict in found.verdicts.items() if verdict == "broken"],
        "chosen": _chosen(found),
    }


def _chosen(found: Explored) -> str:
    return found.verdicts.get("chosen", "unknown")


def _sown(variant: Variant, parts: Parts) -> dict[str, Any]:
    count = variant.seeds
    tally = Tally()
    outcome = find(range(1, count + 1), parts, tally=tally)
    return {
        "count": count,
        "found": None if outcome is None else outcome.rule,
        "seed": None if outcome is None else outcome.plan.seed,
        "chosen": tally.seen[_CHOSEN],
    }


def _judged(
    name: str,
    counterexample: Mapping[str, Any] | None,
    model: Mapping[str, Any] | None,
    seeds: Mapping[str, Any] | None,
) -> dict[str, Any]:
    violation = None if counterexample is None else counterexample["violation"]
    never = model is not None and model["chosen"] == "never"
    can_choose = None if seeds is None else bool(seeds["chosen"]) and not never
    repaired = False
    if violation is not None:
        sentence = f"The counterexample still breaks {violation['rule']}: {violation['text']}"
    elif model is not None and model["broken"]:
        broken = " and ".join(model["broken"])
        gone = _gone(counterexample)
        sentence = f"{gone}, but with {model['bounds']} some schedule breaks {broken}"
    elif not can_choose:
        sentence = "No rule is broken, for no value can be chosen any more: that is no repair"
    elif seeds is not None and seeds["found"] is not None:
        sentence = f"{_gone(counterexample)}, but seed {seeds['seed']} breaks {seeds['found']}"
    else:
        repaired = True
        sentence = _success(counterexample, model, seeds)
    return {
        "variant": name,
        "repaired": repaired,
        "sentence": sentence if sentence.endswith(".") else f"{sentence}.",
        "violation": violation,
        "explored": None
        if model is None
        else {
            "states": model["distinct"],
            "bounds": model["bounds"],
            "complete": model["complete"],
        },
        "can_choose": can_choose,
        "counterexample": counterexample,
        "model": model,
        "seeds": seeds,
    }


def _gone(counterexample: Mapping[str, Any] | None) -> str:
    if counterexample is None:
        return "There is no recorded counterexample"
    return "The recorded counterexample breaks no rule any more"


def _success(
    counterexample: Mapping[str, Any] | None,
    model: Mapping[str, Any] | None,
    seeds: Mapping[str, Any] | None,
) -> str:
    parts = [_gone(counterexample)]
    if model is not None:
        states = f"{model['distinct']:,} states"
        parts.append(
            f"no schedule with {model['bounds']} ({states}) breaks one"
            if model["complete"]
            else f"none of the first {states} with {model['bounds']} breaks one"
        )
    if seeds is not None:
        parts.append(f"none of {seeds['count']} seeds breaks a rule, and values are still chosen")
    return ", ".join(parts)
