"""A run may go on while its ends are named, and one node be seen for longer than another."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from orchestrator.core_archive import scenario_data
from orchestrator.played import Played
from orchestrator.runner import Runner
from orchestrator.watch import Start, Watch
from paxos.chance import Chance
from paxos.checker import Verdict, check_lines, merge
from paxos.events import Line, closing_fields
from paxos.sandbox import run
from tests.logbuilder import build
from tests.sandbox_recipes import MANY
from tests.test_told_log import lines_of

HEARD = {"prepare_received", "promise_received", "accept_received", "accepted_received"}
LEGAL = sorted((Path(__file__).parent / "logs").glob("legal-*.txt"))


def table_of(lines: list[Line], instances: Mapping[str, int], count: int) -> dict[str, Any]:
    """A table that names the end of every node's log, as those lines have it."""
    pieces: dict[str, list[dict[str, Any]]] = {f"n{number}": [] for number in range(1, count + 1)}
    for line in lines:
        own = pieces.get(line["node"])
        if own is None:
            continue
        if not own or own[-1]["incarnation"] != line["incarnation"]:
            if own:
                own[-1]["last"] = None
            own.append({"incarnation": line["incarnation"], "first": line["seq"], "last": 0})
        own[-1]["last"] = line["seq"]
    for node in down(lines):
        pieces[node][-1]["last"] = None
    return {"members": list(pieces), "instances": dict(instances), "pieces": pieces}


def down(lines: list[Line]) -> set[str]:
    """The nodes whose disks were read: of those that are down in the end all lines are there."""
    return {line["of"] for line in lines if line["event"] == "disk_read"}


def cuts(lines: list[Line], rng: Chance, count: int) -> Iterator[list[Line]]:
    """A log, the lines of each node that is up cut at a place of their own in its last start."""
    ordered = merge(lines)
    nodes = sorted({line["node"] for line in ordered} - {"orchestrator"})
    for _ in range(count):
        kept = [line for line in ordered if line["node"] == "orchestrator"]
        for node in nodes:
            own = [line for line in ordered if line["node"] == node]
            ends = [
                n for n, line in enumerate(own, 1) if line["incarnation"] == own[-1]["incarnation"]
            ]
            kept += own if node in down(ordered) else own[: rng.between(ends[0], len(own))]
        yield merge(kept)


def judged(lines: list[Line], instances: Mapping[str, int], count: int) -> Verdict:
    """The verdict on lines of which a table names each end."""
    return check_lines(lines, table_of(lines, instances, count))


@pytest.mark.parametrize("path", LEGAL, ids=lambda path: path.stem)
def test_no_ends_that_are_named_make_a_legal_log_broken(path: Path) -> None:
    """What a node did behind its end is not known; so it is no breach that it is not there."""
    lines = build(path.read_text("utf-8"))
    count = next(len(line["members"]) for line in lines if "members" in line)
    instances = {f"i{number}": number for line in lines if (number := line.get("instance"))}
    for cut in cuts(lines, Chance(11), 150):
        verdict = judged(cut, instances, count)
        assert verdict.verdict in {"ok", "unknown"}, verdict.as_text()


@pytest.mark.parametrize("name", ["duel", "wall", "gates", "crash", "fork of a scenario"])
def test_no_ends_that_are_named_make_a_safe_run_broken(name: str) -> None:
    """Requests, news and wishes come by way of nodes whose lines end before."""
    result = run(MANY[name], scenario_data())
    table = result["run"]
    lines = [
        line for line in lines_of(result) if line["event"] not in {"run_started", "log_closed"}
    ]
    found = set()
    for cut in cuts(lines, Chance(5), 60):
        verdict = judged(cut, table["instances"], len(table["members"]))
        assert verdict.verdict in {"ok", "unknown"}, verdict.as_text()
        found |= {rule for one in verdict.unknown for rule in one.rules}
    assert "R5" in found or "R4" in found


def named_one_by_one(lines: list[Line], rng: Chance) -> dict[str, int]:
    """The last line of each node, as if it had been asked while the run went on."""
    nodes = sorted({line["node"] for line in lines} - {"orchestrator"})
    moments = sorted(rng.between(len(lines) // 2, len(lines)) for _ in nodes)
    return {
        node: max(line["seq"] for line in lines[:moment] if line["node"] == node)
        for node, moment in zip(nodes, moments, strict=True)
    }


def closed_by_runner(lines: list[Line], last: Mapping[str, int]) -> dict[str, int]:
    """The ends that the runner names when all lines have come, and nodes named these."""
    begins = {node: int(name.rpartition("/")[2]) for node, name in lines[0]["begins"].items()}
    watch = Watch({})
    watch.begin({node: Start(1, first) for node, first in begins.items()})
    watch.put(lines)
    pieces = {
        node: [{"incarnation": 1, "first": first, "last": last[node]}]
        for node, first in begins.items()
    }
    cluster = cast("Any", SimpleNamespace(members=tuple(begins)))
    played = cast("Played", SimpleNamespace(watch=watch, pieces=pieces))
    Runner(cluster, cast("Any", None))._let_ends_meet(played)
    return {node: own[0]["last"] or 0 for node, own in pieces.items()}


@pytest.mark.parametrize("seed", range(12))
def test_a_run_that_goes_on_closes_its_log_in_order(seed: int) -> None:
    """The ends are moved to where no line within them quotes one behind; what follows is hearsay.

    By the ends as they were named some of these logs would be in doubt.
    """
    rng = Chance(seed)
    lines = lines_of(run(MANY["duel"], scenario_data()))
    *lines, closing = lines
    ends = closed_by_runner(lines, named_one_by_one(lines, rng))
    # A follower that is slow brings some of what stands behind the ends, and not the rest.
    came = {node: last + rng.between(0, 8) for node, last in ends.items()}
    kept = [line for line in lines if line["seq"] <= came.get(line["node"], line["seq"])]
    starts = {node: (1, int(name.rpartition("/")[2])) for node, name in lines[0]["begins"].items()}
    within = [{"node": node, "incarnation": 1, "seq": last} for node, last in ends.items()]
    fields = closing_fields(within, starts, lines[0]["instances"])
    told = check_lines([*kept, {**closing, **fields}])
    assert told.verdict == "ok", told.as_text()
    # Whoever names an earlier end, and cuts what others within theirs quote, is found out.
    quoted = [
        line["cause"].split("/")
        for line in kept
        if line["event"] in HEARD and line["seq"] <= ends[line["node"]]
    ]
    node, most = next(
        (node, max(int(seq) for writer, _, seq in quoted if writer == node))
        for node in ends
        if any(writer == node for writer, _, _ in quoted)
    )
    fields["pieces"][node][0]["last"] = most - 1
    cut = [line for line in kept if line["node"] != node or line["seq"] < most]
    assert check_lines([*cut, {**closing, **fields}]).verdict == "unknown"


def test_the_ends_of_a_run_that_goes_on_are_moved() -> None:
    """Else the test above would say nothing."""
    *lines, _ = lines_of(run(MANY["duel"], scenario_data()))
    moved = 0
    for seed in range(12):
        named = named_one_by_one(lines, Chance(seed))
        ends = closed_by_runner(lines, named)
        assert all(ends[node] >= last for node, last in named.items())
        moved += ends != named
    assert moved > 3
