"""A played recipe as a scenario, in plain data: what ``paxos-lab scenario`` plays.

Each command waits for the very line behind which it was given, so that the
scenario, played in virtual time with the recipe's seed, gives the same bytes.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from paxos.sandbox.play import Play
from paxos.sandbox.recipe import Stories
from paxos.scenario import VERSION
from paxos.scenario import model as do
from paxos.scenario.parse import NODE_COUNTS
from paxos.variants import load

_LINES_ONLY: Final = (do.Wait, do.Await, do.Learned, do.Exits)
"""Steps that do nothing but wait: where one is cut, a wait for a line takes its place."""


def as_scenario(play: Play, stories: Stories) -> tuple[dict[str, Any] | None, str]:
    """The recipe of a run as a scenario.

    Args:
        play: the run, done.
        stories: the scenarios that the recipe may have begun with.

    Returns:
        The scenario's plain data, or ``None`` where none can do this; and a
        sentence that says why there is none, or why it is not exact.
    """
    recipe, told = play.recipe, play.told
    if recipe.node_count not in NODE_COUNTS:
        sizes = ", ".join(map(str, NODE_COUNTS))
        return None, f"A scenario has {sizes} nodes, not {recipe.node_count}."
    if told.link_only:
        return None, told.link_only
    begun: Mapping[str, Any] = {}
    steps: list[Mapping[str, Any]] = []
    why = told.inexact
    if recipe.story is not None:
        begun = stories[recipe.story]
        if not recipe.commands:
            return dict(begun), ""
        steps = list(_flat(begun["steps"]))[: told.step_count]
        cut = _cut_step(play, begun)
        if cut is None:
            return None, "A scenario cannot measure a part of a row, where this recipe begins."
        steps += cut
        if told.is_closed:
            why = why or (
                "It is not exact: the recipe goes on where its scenario had put everything right, "
                "and a scenario does that at its end."
            )
    done = list(told.done)
    if told.said and done:
        # It was said, and then the step did not begin any more.
        done[0] = {"say": told.said, **done[0]}
    return _written(play, begun, [*steps, *done], why), why


def _written(
    play: Play, begun: Mapping[str, Any], steps: list[Mapping[str, Any]], why: str
) -> dict[str, Any]:
    recipe = play.recipe
    data: dict[str, Any] = {
        "version": VERSION,
        "title": f"{play.title}, played on in the sandbox" if begun else play.title,
        # A question is of a run that somebody thought about: of any other nothing is asked.
        **({"predict": begun["predict"]} if "predict" in begun else {}),
        "nodes": recipe.node_count,
        "instances": list(recipe.instances),
    }
    if recipe.manual:
        data["manual"] = True
    if recipe.parts.name is not None:
        data["variant"] = recipe.parts.name
        data["breaks"] = load(recipe.parts.name).breaks
    settings = begun.get("settings") or dict(recipe.settings)
    if settings:
        data["settings"] = dict(settings)
    data["steps"] = [dict(step) for step in steps]
    data["expectations"] = []
    data["must_happen"] = [{"fact": "the nodes serve", "lines": {"event": "gate_changed"}}]
    exact = why or "each command waits for one line."
    data["notice"] = f"Play it with --world sim --seed {recipe.seed}: {exact}"
    return data


def _flat(steps: list[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """The steps of a file with what is repeated written out, as they are played."""
    for step in steps:
        if "repeat" not in step:
            yield step
            continue
        say = {"say": step["say"]} if "say" in step else {}
        for _ in range(step["repeat"]["times"]):
            for one in _flat(step["repeat"]["steps"]):
                yield one if "say" in one else {**say, **one}
                say = {}


def _cut_step(play: Play, begun: Mapping[str, Any]) -> list[Mapping[str, Any]] | None:
    """What is left of the step that was cut; ``None`` where that cannot be said."""
    number = play.told.cut_step
    if number is None:
        return []
    scenario = play.recipe.scenario
    assert scenario is not None, "only a scenario's step is cut"
    action = scenario.steps[number].action
    data = list(_flat(begun["steps"]))[number]
    wait = play.told.cut_wait
    say = {"say": data["say"]} if "say" in data else {}
    if isinstance(action, do.Command):
        return [{**say, action.verb: list(play.told.cut_nodes)}]
    if isinstance(action, do.Propose):
        asked = {**data, "propose": {**data["propose"], "background": True}}
        return [asked] if wait is None else [asked, wait]
    if isinstance(action, _LINES_ONLY):
        # It came only as far as the line at which it was cut.
        return [{**say, **(wait or play.told.done[0])}]
    return None
