"""The question from a moment of a run on, and its answer as JSON."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from paxos.conformance import restored
from paxos.events import Line
from paxos.explorer import ALWAYS, Accused
from paxos.protocol import ROLES, Proposal
from paxos.storage import DiskFaults
from paxos.whatif.bounds import ALREADY, UNKNOWN, WRONG, Bounds, Watch, beginners, fresh_values
from paxos.whatif.by_hand import NotByHand, scenario_of
from paxos.whatif.correct import search_choices
from paxos.whatif.moment import Moment, WhatIfError, find_moment
from paxos.whatif.present import NodeNow, Now, reconstruct
from paxos.whatif.whole import search_nodes

SCHEMA_VERSION: Final = 1
LIMIT_OF_CHOICES: Final = 40_000
LIMIT_OF_NODES: Final = 300_000

MOST: Final = {"ballots": 4, "crashes": 3, "disk_faults": 2}
"""The most that a question may allow of each."""


def whatif(
    lines: Iterable[Line],
    at: str | int,
    *,
    run: Mapping[str, Any] | None = None,
    instance: int | str | None = None,
    accused: Accused | None = None,
    ballots: int = 2,
    crashes: int | None = None,
    disk_faults: int | None = None,
    limit: int | None = None,
    watch: Watch | None = None,
    torn: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Say what can still happen from a moment of a run on.

    Args:
        lines: of all nodes and the runner, in any order.
        at: a line's name, how many lines have happened, ``chosen`` or ``end``.
        run: the content of ``run.json``, if there is one.
        instance: its number or name; needed only where it is not plain.
        accused: the protocol that ran and goes on; the correct one by default.
        ballots: how many further ballots may be begun, in all.
        crashes: how many kills and power losses there may be, in all; by default
            none, and one for a broken protocol that shows at a crash only.
        disk_faults: how many faults of a disk; by default none, and one where
            what is broken is how a disk is kept.
        limit: how many states are visited at most; by default what takes some
            seconds: :data:`LIMIT_OF_CHOICES` for the correct protocol, where each
            state stands for many, else :data:`LIMIT_OF_NODES`.
        watch: to stop the search.
        torn: the names of files that end in half a line, which is not among the
            lines: by the node whose own file it is, else by ``""``.

    Returns:
        JSON: ``v``, ``at``, ``instance``, ``variant``; ``verdict`` (``safe within
        bounds``, ``can go wrong``, ``already wrong``, ``unknown``) with a
        ``sentence``; ``chosen``: the value that is chosen already, or null;
        ``can_choose``: the values that can still be chosen, as far as the search
        came, and ``any_other``: whether a new client's could (then all that clients have
        wished for are among ``can_choose``, for they may ask again); ``states``,
        ``depth``; ``complete``: whether all was searched within the ``bounds``,
        and ``ballots_searched``: with how many further ballots it was (for the
        correct protocol; ``safe within bounds`` means so many), or null: not even with none;
        ``properties``: by name ``holds``, ``broken``, ``seen``, ``never`` or
        ``unknown``; ``way``: the shortest way
        to what goes wrong, in sentences; ``steps``: the same as steps of a
        scenario played by hand, and ``not_playable``: why there are none, or
        null; ``scenario``: the run up to there and the way on, as one scenario for
        new nodes played by hand, and ``no_scenario``: why there is none, or null;
        ``nodes``: each with what it is taken to be; ``abstracts``: what
        the search leaves out; ``assumed``: what the log does not tell.

    Raises:
        WhatIfError: the question cannot be asked.
    """
    protocol = accused or Accused()
    crashes = _crashes(protocol) if crashes is None else crashes
    disk_faults = _disk_faults(protocol) if disk_faults is None else disk_faults
    for name, number in (("ballots", ballots), ("crashes", crashes), ("disk_faults", disk_faults)):
        if not 0 <= number <= MOST[name]:
            raise WhatIfError(f"{name} is {number}, and may be 0 to {MOST[name]}")
    if limit is not None and limit < 1:
        raise WhatIfError(f"the limit is {limit}, and must be at least 1")
    moment = find_moment(lines, at, run, instance)
    now = reconstruct(moment, protocol)
    for_choices = _is_correct(protocol) and not disk_faults
    most = limit or (LIMIT_OF_CHOICES if for_choices else LIMIT_OF_NODES)
    bounds = Bounds(ballots, crashes, disk_faults, most, beginners(now), fresh_values(now.values))
    answer = _frame(moment, now, bounds)
    answer["assumed"] += _assumed_of(torn or {}, moment)
    wrong = next(
        (one for one in moment.verdict.violations if one.instance == moment.instance), None
    )
    if wrong is not None:
        known = {one.rule for one in moment.verdict.violations if one.instance == moment.instance}
        return answer | {
            "verdict": ALREADY,
            "sentence": f"{wrong.rule} is broken: {wrong.sentence}",
            "properties": {name: "broken" for name in ALWAYS if name in known},
        }
    if now.doubts:
        return answer | {"sentence": f"what is so at {moment.name} is not known: {now.doubts[0]}"}
    if for_choices:
        return answer | search_choices(moment, now, bounds, watch)
    answer |= search_nodes(now, bounds, watch)
    if answer["verdict"] == WRONG and answer["not_playable"] is None:
        broken = next(name for name in ALWAYS if answer["properties"][name] == "broken")
        try:
            answer["scenario"] = scenario_of(moment, now, answer["steps"], broken)
        except NotByHand as error:
            answer["no_scenario"] = str(error)
    return answer


def _assumed_of(torn: Mapping[str, str], moment: Moment) -> list[str]:
    """What a torn end leaves open. A node writes ahead, so whatever is lost was still to come."""
    goes_on = {line["node"] for line in moment.after}
    return [
        f"{file} ends in half a line: what followed had not happened yet"
        for node, file in torn.items()
        if node not in goes_on and (node or not goes_on)
    ]


def _crashes(accused: Accused) -> int:
    """How many crashes it takes to see what is broken."""
    return int(accused.roles.recover is not ROLES.recover or accused.faults != DiskFaults())


def _disk_faults(accused: Accused) -> int:
    """How many faults of a disk it takes to see what is broken."""
    return int(replace(accused.faults, synced=DiskFaults().synced) != DiskFaults())


def _is_correct(accused: Accused) -> bool:
    return accused.roles == ROLES and accused.faults == DiskFaults()


def _frame(moment: Moment, now: Now, bounds: Bounds) -> dict[str, Any]:
    """All that an answer holds, before anything is known."""
    chosen = moment.verdict.chosen.get(moment.instance)
    return {
        "v": SCHEMA_VERSION,
        "at": moment.name,
        "instance": moment.instance,
        "variant": now.accused.name or None,
        "verdict": UNKNOWN,
        "sentence": "",
        "chosen": None if chosen is None else chosen.value,
        "can_choose": [],
        "any_other": False,
        "states": 0,
        "depth": 0,
        "complete": False,
        "ballots_searched": None,
        "bounds": {
            "ballots": bounds.ballots,
            "crashes": bounds.crashes,
            "disk_faults": bounds.disk_faults,
            "limit": bounds.limit,
            "may_begin": [f"n{number}" for number in bounds.beginners],
        },
        "properties": {},
        "way": [],
        "steps": [],
        "not_playable": None,
        "scenario": None,
        "no_scenario": None,
        "nodes": [_node(node) for node in now.nodes],
        "abstracts": [],
        "assumed": list(now.assumed),
    }


def _node(node: NodeNow) -> dict[str, Any]:
    durable = node.start.local.disk.durable
    memory = node.memory
    return {
        "node": node.name,
        "status": "refused" if node.start.local.refused else node.status,
        "memory": None
        if memory is None
        else {
            "promised": str(memory.acceptor.promised),
            "accepted": _pair(memory.acceptor.accepted),
            "phase": str(memory.proposer.phase),
            "ballot": str(memory.proposer.ballot),
            "learned": None
            if memory.learner.learned is None
            else restored(memory.learner.learned.value),
        },
        "disk": {"promised": str(durable.promised), "accepted": _pair(durable.accepted)},
    }


def _pair(proposal: Proposal | None) -> dict[str, Any] | None:
    if proposal is None:
        return None
    return {"ballot": str(proposal.ballot), "value": restored(proposal.value)}
