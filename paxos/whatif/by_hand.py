"""A run up to a moment, and the way on from there, as one scenario played by hand.

Whatever world a run was of, its nodes took inputs: wishes, messages, timers,
starts and ends. Handed over in the same order to new nodes, they lead to the
same states; then the way goes on. Where something cannot be handed over like
that (a guest's message, a long value), there is no scenario, with a reason.
"""

from collections.abc import Iterator
from typing import Any, Final

from paxos.conformance import body_of, message_of
from paxos.events import Line, line_id, node_key
from paxos.explorer import Envelope
from paxos.explorer.schedule import described
from paxos.protocol import NumberScheme
from paxos.whatif.moment import Moment
from paxos.whatif.present import Now

Step = dict[str, Any]

_WISH: Final = "wish-"
_ENDS: Final = frozenset({"kill", "power_loss", "stop"})
_POINTS: Final = {
    "before the write": "before_write",
    "between the write and its sync": "before_sync",
    "after the sync, before any reply": "after_sync",
    "between two sends": "between_sends",
    "after the reply": "after_reply",
    "after the last message of a step": "after_reply",
}
"""The points at which a process may end, by their words in a log."""
_TIMERS: Final = frozenset({"patience", "retry", "give_up", "own_ballot"})
"""Timers that a step of an acceptor or proposer may depend on."""
_LEFT_OUT: Final = frozenset({"learned_received", "status_received"})
"""Messages that only bring on that something is told again."""


class NotByHand(Exception):
    """The run cannot be handed over step by step; the text says why."""


def scenario_of(moment: Moment, now: Now, way: list[Step], breaks: str) -> dict[str, Any]:
    """A scenario that plays the run up to a moment and then goes on.

    Args:
        moment: up to when.
        now: the nodes there.
        way: the further steps.
        breaks: what is broken at the end of the way.

    Raises:
        NotByHand: it cannot be played by hand.
    """
    name = "fruit"
    for known, number in (moment.run.instances if moment.run is not None else {}).items():
        if number == moment.instance:
            name = known
    settings: Step = {"own_ballots": False}
    if now.accused.settings.scheme is not NumberScheme.ROUNDS:
        settings["number_scheme"] = str(now.accused.settings.scheme)
    data: Step = {"version": 1, "title": f"What can still go wrong at {moment.name}"}
    if now.accused.name:
        data |= {"variant": now.accused.name, "breaks": breaks}
    return data | {
        "manual": True,
        "predict": f"Up to {moment.name} it is the run. Where does it go wrong from there?",
        "nodes": len(moment.members),
        "instances": [name],
        "settings": settings,
        "steps": [*_handed_over(moment), *way],
        "expectations": [],
        "must_happen": [{"fact": "the way was gone to its end", "lines": {"event": "run_started"}}],
        "notice": f"{breaks} is broken with the last step.",
    }


def _handed_over(moment: Moment) -> Iterator[Step]:
    delivered: set[Envelope] = set()
    started: set[str] = set()
    ready = [line["node"] for line in moment.before if line["event"] == "node_ready"]
    struck = [line["node"] for line in moment.before if line["event"] == "failpoint_hit"]
    wishes = 0
    for line in moment.before:
        event = line["event"]
        if event == "fault_applied":
            yield from _fault(line)
        elif event == "node_started" and line["node"] in ready:
            # One that reads its disk still is as good as down.
            ready.remove(line["node"])
            if line["node"] in started or line["incarnation"] > 1:
                yield {"start": line["node"]}
            started.add(line["node"])
        elif event == "failpoint_armed":
            # One that has not struck yet is forgotten: from here on others decide.
            if line["node"] in struck:
                yield from _failpoint(line, moment.instance)
        elif event == "failpoint_hit":
            struck.remove(line["node"])
            yield {"exits": line["node"]}
        elif line.get("instance") != moment.instance or "ignored" in line:
            continue
        elif event == "propose_received":
            wishes += 1
            value = _text(line["value"], line)
            yield {"propose": {"name": f"{_WISH}{wishes}", "at": line["node"], "value": value}}
        elif event == "timeout_fired" and line["timer"] in _TIMERS:
            yield {"fire": {"node": line["node"], "timer": line["timer"]}}
        elif event.endswith("_received") and event not in _LEFT_OUT:
            envelope = _envelope(line)
            yield {"deliver": described(envelope, again=envelope in delivered)}
            delivered.add(envelope)


def _failpoint(line: Line, instance: int) -> Iterator[Step]:
    point = _POINTS.get(line["failpoint"])
    if point is None or line.get("instance", instance) != instance:
        raise NotByHand(f"{line['node']} was to end at a point of another instance")
    step: Step = {"node": line["node"], "point": point}
    if "message_kind" in line:
        step["kind"] = line["message_kind"]
    if line.get("power"):
        step["power"] = True
    yield {"failpoint": step}


def _fault(line: Line) -> Iterator[Step]:
    if line["mechanism"] == "failpoint":
        # It struck where it was armed.
        return
    for node in line["targets"]:
        if line["fault"] in _ENDS:
            yield {line["fault"]: node}
        elif line["fault"] == "disk_fault":
            if "fault" not in line["detail"]:
                raise NotByHand(f"{line_id(line)} does not say what the disk did")
            yield {"disk_fault": {"node": node, "fault": line["detail"]["fault"]}}


def _envelope(line: Line) -> Envelope:
    if line["source"].startswith("g"):
        raise NotByHand(f"a guest, {line['source']}, took part ({line_id(line)})")
    _text(line.get("value", ""), line)
    return Envelope(node_key(line["source"]), node_key(line["node"]), message_of(body_of(line)))


def _text(value: object, line: Line) -> str:
    if not isinstance(value, str):
        raise NotByHand(f"a long value is known by its digest alone ({line_id(line)})")
    return value
