"""Stories: the scenarios in virtual time, ready to be watched, each always the same bytes.

A story is a run whose world needs nothing but this process: every scenario,
every recorded counterexample, and some scenarios with one broken variant in
them. The page's server makes them on demand and a site holds them as files;
all of them together take a few seconds, and what was made once is kept.
"""

import ast
import inspect
import json
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

from orchestrator.collect import collect
from orchestrator.places import PROJECT, Places
from orchestrator.sim import play_sim
from orchestrator.variants_told import Change, Handler, changes, diff, smallest
from orchestrator.yaml_file import BROKEN, FOLDER, broken_names, read_scenario, scenario_names
from paxos.protocol import Roles
from paxos.scenario import Scenario
from paxos.storage import KEEPING
from paxos.variants import GROUPS, LIVENESS, Variant

SEED: Final = 7
"""Of every story; that each shows what it is to show with it is tested."""

FILES: Final = ("events.jsonl", "run.json", "verdict.json", "why.json", "scenario.json")
"""What a story consists of."""

# A size that a scenario allows, where it allows several.
_NODES: Final = 5

_VARIED: Final = (
    ("tour", "ignore-accepted"),
    ("basic", "strict-accept"),
    ("bridge", "accepts-once"),
    ("crash-majority", "never-retries"),
    ("disk-faults", "promises-copied"),
)
"""Scenarios of the correct protocol that are told with a broken one, too."""

_SHOWN_BY_SETTINGS: Final = {"no-backoff": ("duel",), "ranges-starve": ("ranges",)}
"""Scenarios that set themselves what these variants are made of."""


class UnknownStory(KeyError):
    """There is no story of this name; the text is a sentence."""

    def __str__(self) -> str:
        return str(self.args[0])


@dataclass(frozen=True, slots=True)
class _Told:
    """Where a story comes from.

    Attributes:
        name: as in an address: ``broken--number-reused-shortest``.
        kind: ``scenario``, ``counterexample`` or ``exhibit``.
        path: of the scenario's file.
        variant: what runs instead, where the file itself names none.
    """

    name: str
    kind: str
    path: Path
    variant: Variant | None = None

    @property
    def scenario(self) -> str:
        """The scenario's name, as the list of scenarios has it."""
        return _key(self.path)


_PLAYING: Final = threading.Lock()


def stories_json() -> dict[str, Any]:
    """The content of ``stories.json``; plays none of them, for a visitor waits for it."""
    return {"v": 1, "stories": list_stories()}


def list_stories() -> list[dict[str, Any]]:
    """All stories, in the order in which they teach; see ``docs/scenarios.md``."""
    return [_entry(told) for told in _names().values()]


def story_files(name: str) -> dict[str, bytes]:
    """The files of one story.

    Raises:
        UnknownStory: there is none of this name.
    """
    if name not in _names():
        raise UnknownStory(f"there is no story {name!r}")
    # One plays, whoever asks meanwhile waits: to play the same twice helps nobody.
    with _PLAYING:
        return dict(_played(name))


@cache
def _names() -> dict[str, _Told]:
    found = [_Told(name, "scenario", FOLDER / f"{name}.yaml") for name in scenario_names()]
    found += [
        _Told(f"broken--{name}", "counterexample", BROKEN / f"{name}.yaml")
        for name in broken_names()
    ]
    known = {variant.name: variant for group in GROUPS.values() for variant in group}
    found += [
        _Told(f"{name}--{variant}", "exhibit", FOLDER / f"{name}.yaml", known[variant])
        for name, variant in _VARIED
    ]
    return {told.name: told for told in found}


@cache
def _played(name: str) -> dict[str, bytes]:
    told = _names()[name]
    scenario = _scenario(told)
    data = _plain_data(told.path)
    if told.variant is not None:
        data |= {
            "title": scenario.title,
            "variant": scenario.variant,
            "breaks": scenario.breaks,
            "notice": scenario.notice,
        }
    place, played = play_sim(scenario, _count(scenario), SEED, name)
    with tempfile.TemporaryDirectory() as folder:
        result = collect(Places(Path(folder)), place, played)
        files = {
            file: (result.folder / file).read_bytes() for file in FILES if file != "scenario.json"
        }
    files["scenario.json"] = _bytes(data)
    return files


def _scenario(told: _Told) -> Scenario:
    scenario = _read(told.path)
    return scenario if told.variant is None else _varied(scenario, told.variant)


@cache
def _read(path: Path) -> Scenario:
    return read_scenario(path)


def _count(scenario: Scenario) -> int:
    return _NODES if _NODES in scenario.node_counts else scenario.node_counts[0]


def _varied(scenario: Scenario, variant: Variant) -> Scenario:
    return replace(
        scenario,
        title=f"{scenario.title}, with {variant.name}",
        notice=f"{variant.change} {variant.story}",
        variant=variant.name,
        breaks=variant.breaks,
    )


def _entry(told: _Told) -> dict[str, Any]:
    scenario = _scenario(told)
    safe = scenario.breaks in {None, LIVENESS}
    return {
        "name": told.name,
        "title": scenario.title,
        "kind": told.kind,
        "variant": scenario.variant,
        "breaks": scenario.breaks,
        "scenario": told.scenario,
        "seed": SEED,
        "nodes": _count(scenario),
        "manual": scenario.manual,
        "predict": scenario.predict,
        "notice": scenario.notice,
        # What the scenario says to expect; a test holds it equal to what is played.
        "verdict": "ok" if safe else "violated",
        "files": list(FILES),
    }


def _bytes(data: Any) -> bytes:
    return json.dumps(data, ensure_ascii=False, indent=1).encode() + b"\n"


# --- scenarios -----------------------------------------------------------------------------


def scenarios_json() -> dict[str, Any]:
    """Every scenario as plain data: what ``paxos.scenario.parse`` takes.

    Those that break the protocol on purpose are named ``broken/…``.
    """
    paths = [FOLDER / f"{name}.yaml" for name in scenario_names()]
    paths += [BROKEN / f"{name}.yaml" for name in broken_names()]
    return {"v": 1, "scenarios": {_key(path): _plain_data(path) for path in paths}}


def _key(path: Path) -> str:
    return path.relative_to(FOLDER).with_suffix("").as_posix()


def _plain_data(path: Path) -> dict[str, Any]:
    # Not at the top: the command line answers faster without a YAML reader.
    from ruamel.yaml import YAML  # noqa: PLC0415

    data: dict[str, Any] = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    return data


# --- variants ------------------------------------------------------------------------------


def variants_json() -> dict[str, Any]:
    """The content of ``variants.json``: the gallery with its changes as source."""
    return {
        "v": 1,
        "variants": [
            _variant(variant, part) for part, group in GROUPS.items() for variant in group
        ],
    }


def _variant(variant: Variant, part: str) -> dict[str, Any]:
    found = list(changes(variant))
    handlers = [_handler(change) for change in found if change.broken is not None]
    edited = [*found, *_beside(variant, found)]
    return {
        "name": variant.name,
        "change": variant.change,
        "breaks": variant.breaks,
        "insight": str(variant.insight),
        "seen_in": variant.seen_in,
        "story": variant.story,
        "diff": [_row(row) for row in diff(variant)],
        "smallest": smallest(variant),
        "part": part,
        "where": handlers[0]["where"] if handlers else None,
        "class": handlers[0]["class"] if handlers else None,
        "handler": "\n\n".join(_source(one.broken) for one in edited if one.broken is not None)
        or "\n".join(row for change in found for row in change.rows[1]),
        "handlers": handlers,
        "repair": "\n\n".join(_repairing(variant, change) for change in edited),
        "settings": dict(variant.settings),
        "steps": variant.steps,
        "bounds": None if variant.exposed_by is None else asdict(variant.exposed_by),
        "safe_ballots": None if variant.in_messages is None else variant.in_messages.safe_ballots,
        "stories": [*_stories_of(variant)],
    }


_ROWS: Final = {"+": "add", "-": "del", " ": "same"}


def _row(row: str) -> list[str]:
    return [_ROWS[row[0]], row[1:]]


def _handler(change: Change) -> dict[str, Any]:
    assert change.broken is not None, "a setting has no handler"
    owner = change.owner
    return {
        "name": _function(change.broken).__name__,
        "class": None if owner is None else owner.__name__,
        "where": _where(change.broken),
        "source": _source(change.broken),
        "correct": _correct(change),
    }


def _correct(change: Change) -> dict[str, Any] | None:
    """What stands in the correct protocol, where something does."""
    if change.correct is None:
        if change.name not in Roles.__dataclass_fields__:
            return None
        # A field of the roles that by default does nothing.
        where, owner, source = _where(Roles), Roles, "\n".join(change.rows[0]) + "\n"
        return {"name": change.name, "class": owner.__name__, "where": where, "source": source}
    owners = change.owner.__mro__[1:] if change.owner is not None else ()
    first = next((base for base in owners if change.name in vars(base)), None)
    return {
        "name": _function(change.correct).__name__,
        "class": None if first is None else first.__name__,
        "where": _where(change.correct),
        "source": _source(change.correct),
    }


def _beside(variant: Variant, shown: list[Change]) -> Iterator[Change]:
    """What a variant of storage has from another one besides what is shown of it.

    To repair what is shown alone would leave the other variant.
    """
    functions = {name: getattr(variant.keeping, name) for name in ("format", "open", "copy")}
    broken = [change.broken for change in shown]
    if any(function in broken for function in functions.values()):
        for name, function in functions.items():
            if function is not getattr(KEEPING, name) and function not in broken:
                yield Change(name, None, function, None, ([], []))


def _repairing(variant: Variant, change: Change) -> str:
    """What repairs a change if it takes the place of what is broken, under the same name."""
    if change.broken is None:
        return "\n".join(change.rows[0]) + "\n"
    if change.correct is not None:
        return _source(change.correct)
    # A function where the correct protocol has one of another name, or does nothing.
    rows = _source(change.broken).splitlines()
    definition = ast.parse("\n".join(rows)).body[0]
    assert isinstance(definition, ast.FunctionDef), "a handler is a function"
    result = _correct_result(variant, change, [argument.arg for argument in definition.args.args])
    signature = rows[: definition.body[0].lineno - 1]
    return "\n".join([*signature, f"    return {result}"]) + "\n"


def _correct_result(variant: Variant, change: Change, arguments: list[str]) -> str:
    """What such a function returns in the correct protocol, in its own arguments."""
    if change.name in Roles.__dataclass_fields__:
        default = ast.parse(change.rows[0][0]).body[0]
        assert isinstance(default, ast.AnnAssign), "a field of the roles has a default"
        assert isinstance(default.value, ast.Lambda), "which is a function"
        names = [argument.arg for argument in default.value.args.args]
        assert names == arguments, f"{change.name} is spoken of as it is in the roles"
        return ast.unparse(default.value.body)
    if variant.keeping.copy is change.broken:
        # Nothing is taken from peers: a start goes on with what was recovered.
        return "recovered"
    assert variant.keeping.open is change.broken, f"{variant.name} changes how a disk is opened"
    return f"{KEEPING.open.__name__}({', '.join(arguments)})"


def _function(handler: Handler) -> Any:
    return handler.fget if isinstance(handler, property) else handler


def _where(handler: Handler | type) -> str:
    return Path(inspect.getfile(_function(handler))).relative_to(PROJECT).as_posix()


def _source(handler: Handler) -> str:
    """A function as it stands in its file, but for the indentation that all of it has."""
    return inspect.cleandoc("\n" + inspect.getsource(_function(handler))) + "\n"


def _stories_of(variant: Variant) -> Iterator[str]:
    for told in _names().values():
        names = {_read(told.path).variant, None if told.variant is None else told.variant.name}
        if variant.name in names:
            yield told.name
    yield from _SHOWN_BY_SETTINGS.get(variant.name, ())
