"""Fold the log, line by line, to a state of the whole cluster.

:func:`fold` is pure. A state is plain JSON, is never changed once it exists,
and shares with its predecessor what a line did not touch. ``web/log/reducer.js``
is its twin: tests hold both to the same states, line by line, so change them
together.

The state is omniscient: it tells what is so in the cluster as far as the
lines say, not what any one node knows. What is *chosen* follows
``docs/log-format.md``'s words: a majority on disk at one ballot, or the reply
where one runs ahead of the disk. ``web/log/types.d.ts`` names every field.

It judges nothing: that is the checker's part, which shares no code with this.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

from paxos.events.lines import Line, line_id, node_key

State = dict[str, Any]

NO_BALLOT: Final = "0.n0"
_BLANK: Final = {"promised": NO_BALLOT, "accepted": None}
_UNSEEN: Final = {"status": "unseen", "incarnation": 1, "ended_by": None, "gate": []}
_REPLIES: Final = frozenset({"promise", "accepted", "nack", "learned"})
"""Kinds of message that answer another one."""
_CRASHES: Final = frozenset({"kill", "stop", "power_loss"})
_WALLS: Final = frozenset({"isolate", "partition", "cut", "cut one way"})


def empty(members: Iterable[str] = ()) -> State:
    """The state before the first line.

    Args:
        members: the acceptors, where something else than the log has named them.
    """
    state: State = {
        "line_count": 0,
        "last": None,
        "run": None,
        "members": [],
        "nodes": {},
        "instances": {},
        "messages": [],
        "failed_calls": [],
        "lost_count": 0,
        "faults": [],
        "cuts": [],
        "turning_points": [],
    }
    return _with_members(state, list(members))


def everybody_up(members: Iterable[str]) -> State:
    """The same where every member is known to run: for a fold of the lines about nodes alone."""
    state = empty(members)
    nodes = {name: {**view, "status": "up"} for name, view in state["nodes"].items()}
    return {**state, "nodes": nodes}


def quorum(state: State) -> int:
    """How many acceptors make a quorum."""
    return len(state["members"]) // 2 + 1


def fold(state: State, line: Line) -> State:
    """Fold one line, which must be one of this format, and return the next state."""
    name = line_id(line)
    state = _heard({**state, "line_count": state["line_count"] + 1, "last": name}, line)
    event = line["event"]
    if handler := _HANDLERS.get(event):
        return handler(state, line, name)
    if event.endswith("_sent"):
        return _on_sent(state, line, name)
    if event.endswith("_received"):
        return _on_received(state, line, name)
    return _remembered(state, line)


def _on_run_started(state: State, line: Line, _name: str) -> State:
    run = {field: line[field] for field in ("run", "scenario", "title", "world")}
    return {**_with_members(state, line["members"]), "run": run}


def _on_node_started(state: State, line: Line, name: str) -> State:
    node, incarnation = line["node"], line["incarnation"]
    state = _lost_with_process(_with_members(state, line["members"]), node)
    state = _with_node(state, node, status="up", incarnation=incarnation, ended_by=None, gate=[])

    def old(message: State) -> bool:
        sent_by: int = int(message["line"].split("/")[1])
        return bool(message["source"] == node) and sent_by < incarnation

    # What an earlier incarnation sent and nobody has received died with its connections.
    state = _lost(_with_cuts(state), old)
    return _turned(state, name, "restart", None) if incarnation > 1 else state


def _on_state_recovered(state: State, line: Line, name: str) -> State:
    node, instance = line["node"], line["instance"]
    disk = {"promised": line["promised"], "accepted": line["accepted"]}
    state = _with_acceptor(state, instance, node, {"memory": disk, "disk": disk})
    state = _accepted(state, instance, node, line["accepted"], name)
    if line["learned"] is None:
        return state
    # It knew this before, so this is no moment of learning.
    known = {**_instance_of(state, instance)["learned"], node: line["learned"]}
    return _with_instance(state, instance, learned=known)


def _on_node_ready(state: State, line: Line, _name: str) -> State:
    # What was not recovered was not on disk.
    for instance, view in state["instances"].items():
        acceptor = view["acceptors"].get(line["node"])
        if acceptor is not None and acceptor["memory"] is None:
            blank = {"memory": _BLANK, "disk": _BLANK}
            state = _with_acceptor(state, instance, line["node"], blank)
    return state


def _on_disk_read(state: State, line: Line, name: str) -> State:
    of = line["of"]
    for item in line["instances"]:
        instance, pair = item["instance"], item["accepted"]
        known = _instance_of(state, instance)["acceptors"].get(of)
        memory = None if known is None else known["memory"]
        disk = {"promised": item["promised"], "accepted": pair}
        state = _with_acceptor(state, instance, of, {"memory": memory, "disk": disk})
        state = _accepted(state, instance, of, pair, name)
    return state


def _on_propose_received(state: State, line: Line, name: str) -> State:
    return _turned(_remembered(state, line), name, "propose", line["instance"])


def _on_state_persisted(state: State, line: Line, name: str) -> State:
    if line["record"] != "acceptor":
        return state
    node, instance = line["node"], line["instance"]
    # A log of another program may leave out that nothing was promised.
    disk = {"promised": line.get("promised", NO_BALLOT), "accepted": line.get("accepted")}
    memory = _acceptor_of(state, instance, node)["memory"]
    state = _with_acceptor(state, instance, node, {"memory": memory, "disk": disk})
    return _accepted(state, instance, node, disk["accepted"], name)


def _on_value_learned(state: State, line: Line, name: str) -> State:
    known = {field: line[field] for field in ("ballot", "value", "acceptors")}
    return _learned(state, line["instance"], line["node"], known, name)


def _on_call_failed(state: State, line: Line, _name: str) -> State:
    message = line["message"]
    state = {**state, "failed_calls": [*state["failed_calls"], message]}
    return _lost(state, lambda flight: message in {flight["line"], flight["in_reply_to"]})


def _on_message_dropped(state: State, line: Line, _name: str) -> State:
    return _lost(state, lambda flight: flight["line"] == line.get("message"))


def _on_message_held(state: State, line: Line, _name: str) -> State:
    return _with_held(state, line.get("message"), line["node"])


def _on_message_released(state: State, line: Line, _name: str) -> State:
    return _with_held(state, line.get("message"), None)


def _on_gate_changed(state: State, line: Line, _name: str) -> State:
    return _with_cuts(_with_node(state, line["node"], gate=line["rules"]))


def _on_fault_applied(state: State, line: Line, name: str) -> State:
    fault, targets = line["fault"], line["targets"]
    entry = {field: line[field] for field in ("fault", "targets", "mechanism", "detail")}
    state = {**state, "faults": [*state["faults"], {**entry, "line": name}]}
    if fault in _CRASHES:
        for node in targets:
            state = _ended(state, node, fault, name)
        return state
    if fault == "pause":
        return _turned(_with_status(state, targets, "up", "paused"), name, "pause", None)
    if fault in _WALLS:
        return _turned(_lost_at_walls(_with_cuts(state)), name, "wall", None)
    return state


def _on_fault_undone(state: State, line: Line, name: str) -> State:
    index = _last_fault(state["faults"], line)
    faults = [fault for position, fault in enumerate(state["faults"]) if position != index]
    state = {**state, "faults": faults}
    if line["fault"] == "pause":
        resumed = _with_status(state, line["targets"], "paused", "up")
        return _turned(resumed, name, "resume", None)
    if line["fault"] in _WALLS:
        return _turned(_with_cuts(state), name, "heal", None)
    return state


_HANDLERS: Final[dict[str, Callable[[State, Line, str], State]]] = {
    "run_started": _on_run_started,
    "node_started": _on_node_started,
    "state_recovered": _on_state_recovered,
    "node_ready": _on_node_ready,
    "node_stopped": lambda state, line, name: _ended(state, line["node"], "stop", name),
    "failpoint_hit": lambda state, line, name: _ended(
        state, line["node"], "power_loss" if line.get("power") else "failpoint", name
    ),
    "power_lost": lambda state, line, name: _ended(state, line["node"], "power_loss", name),
    "node_exited": lambda state, line, name: _ended(state, line["of"], "exit", name),
    "disk_read": _on_disk_read,
    "propose_received": _on_propose_received,
    "state_persisted": _on_state_persisted,
    "value_learned": _on_value_learned,
    "call_failed": _on_call_failed,
    "message_dropped": _on_message_dropped,
    "message_held": _on_message_held,
    "message_released": _on_message_released,
    "gate_changed": _on_gate_changed,
    "fault_applied": _on_fault_applied,
    "fault_undone": _on_fault_undone,
}


# --- messages ---------------------------------------------------------------


def _on_sent(state: State, line: Line, name: str) -> State:
    kind = line["event"].removesuffix("_sent")
    instance = line.get("instance")
    answers = None
    if instance is not None:
        answers = _instance_of(state, instance)["answering"].get(line["node"])
    message = {
        "line": name,
        "kind": kind,
        "source": line["node"],
        "to": line["to"],
        "instance": instance,
        "ballot": line.get("ballot"),
        "value": line.get("value"),
        "accepted": line.get("accepted"),
        "promised": line.get("promised"),
        "in_reply_to": answers if kind in _REPLIES else None,
        "held_at": None,
    }
    state = {**state, "messages": [*state["messages"], message]}
    if instance is not None:
        state = _marks(state, kind, line, name)
    # A guest keeps no log: nothing will ever tell that it received this. Whoever
    # waited for this reply may have given up before it was sent. And nothing
    # gets through a wall.
    if (
        line["to"].startswith("g")
        or message["in_reply_to"] in state["failed_calls"]
        or f"{line['node']}>{line['to']}" in state["cuts"]
    ):
        return _lost(state, lambda flight: flight["line"] == name)
    return state


def _marks(state: State, kind: str, line: Line, name: str) -> State:
    """What a message that was sent says about its ballot."""
    instance, node, ballot = line["instance"], line["node"], line.get("ballot", NO_BALLOT)
    view = _ballot_of(state, instance, ballot)
    match kind:
        case "prepare":
            return _with_ballot(state, instance, ballot)
        case "promise":
            promised = _added(view["promised"], node)
            return _with_ballot(state, instance, ballot, promised=promised)
        case "nack":
            refused_by = _added(view["refused_by"], node)
            return _with_ballot(state, instance, ballot, refused_by=refused_by)
        case "accept":
            return _pushes(state, line, name)
        case "accepted":
            pair = {"ballot": ballot, "value": line["value"]}
            return _accepted(state, instance, node, pair, name)
        case _:
            return state


def _pushes(state: State, line: Line, name: str) -> State:
    instance, ballot = line["instance"], line["ballot"]
    first = _ballot_of(state, instance, ballot)["value"] is None
    state = _with_ballot(
        state,
        instance,
        ballot,
        value=line["value"],
        reported_by=line.get("reported_by"),
        wanted=line.get("wanted"),
    )
    yields = first and "wanted" in line
    return _turned(state, name, "yield", instance) if yields else state


def _on_received(state: State, line: Line, name: str) -> State:
    cause, instance = line.get("cause"), line.get("instance")
    if cause is not None:
        messages = [message for message in state["messages"] if message["line"] != cause]
        state = {**state, "messages": messages}
    state = _remembered(state, line)
    if instance is None:
        return state
    if cause is not None:
        answering = {**_instance_of(state, instance)["answering"], line["node"]: cause}
        state = _with_instance(state, instance, answering=answering)
    return state if "ignored" in line else _heard_reply(state, line, name)


def _heard_reply(state: State, line: Line, name: str) -> State:
    """How far a proposer's quorum has come with a reply.

    The line tells; a log made by others may not.
    """
    instance = line["instance"]
    if line["event"] == "promise_received":
        before = _ballot_of(state, instance, line["ballot"])["promises_heard"]
        have = line.get("have", _added(before, line["source"]))
        state = _with_ballot(state, instance, line["ballot"], promises_heard=have)
        complete = len(before) < line.get("quorum", quorum(state)) <= len(have)
        return _turned(state, name, "quorum", instance) if complete else state
    if line["event"] == "accepted_received":
        before = _ballot_of(state, instance, line["ballot"])["accepts_heard"]
        have = line.get("have", _added(before, line["source"]))
        return _with_ballot(state, instance, line["ballot"], accepts_heard=have)
    return state


def _lost(state: State, fits: Callable[[State], bool]) -> State:
    """Take messages out of flight that will never arrive."""
    messages = [message for message in state["messages"] if not fits(message)]
    count = len(state["messages"]) - len(messages)
    if count == 0:
        return state
    return {**state, "messages": messages, "lost_count": state["lost_count"] + count}


def _lost_at_walls(state: State) -> State:
    def crosses(message: State) -> bool:
        return (
            message["held_at"] is None and f"{message['source']}>{message['to']}" in state["cuts"]
        )

    return _lost(state, crosses)


def _with_held(state: State, name: str | None, node: str | None) -> State:
    messages = [
        {**message, "held_at": node} if message["line"] == name else message
        for message in state["messages"]
    ]
    return {**state, "messages": messages}


# --- what acceptors, proposers and learners remember ---------------------------


def _remembered(state: State, line: Line) -> State:
    """Adopt the state that a step left in memory."""
    instance, node, after = line.get("instance"), line["node"], line.get("after")
    if after is None or instance is None:
        return state
    if (acceptor := after.get("acceptor")) is not None:
        disk = _acceptor_of(state, instance, node)["disk"]
        state = _with_acceptor(state, instance, node, {"memory": acceptor, "disk": disk})
    if (proposer := after.get("proposer")) is not None:
        wishes = proposer.get("wishes") or []
        view = {
            "phase": proposer["phase"],
            "ballot": proposer["ballot"],
            "attempt": proposer["attempt"],
            "wanted": wishes[0]["value"] if wishes else None,
        }
        proposers = {**_instance_of(state, instance)["proposers"], node: view}
        state = _with_instance(state, instance, proposers=proposers)
    return state


def _accepted(state: State, instance: int, node: str, pair: State | None, name: str) -> State:
    """An acceptor has accepted a pair: it is durable, or the reply was sent.

    The quorum's last one makes the value chosen.
    """
    if pair is None:
        return state
    ballot, value = pair["ballot"], pair["value"]
    tallies = _ballot_of(state, instance, ballot)["accepted"]
    have = next((tally["acceptors"] for tally in tallies if tally["value"] == value), None)
    if have is not None and node in have:
        return state
    tally = {"value": value, "acceptors": _added(have or [], node)}
    others = [tally if one["value"] == value else one for one in tallies]
    tallies = [*tallies, tally] if have is None else others
    state = _with_ballot(state, instance, ballot, accepted=tallies)
    chosen = _instance_of(state, instance)["chosen"]
    if len(tally["acceptors"]) < quorum(state) or any(one["value"] == value for one in chosen):
        return state
    choice = {"ballot": ballot, "value": value, "acceptors": tally["acceptors"], "line": name}
    state = _with_instance(state, instance, chosen=[*chosen, choice])
    return _turned(state, name, "violation" if chosen else "chosen", instance)


def _learned(state: State, instance: int, node: str, known: State, name: str) -> State:
    view = _instance_of(state, instance)
    state = _with_instance(state, instance, learned={**view["learned"], node: known})
    if any(one["node"] == node for one in view["learned_at"]):
        return state
    entry = {"node": node, "value": known["value"], "line": name}
    learned_at = [*view["learned_at"], entry]
    state = _with_instance(state, instance, learned_at=learned_at)
    values = [one["value"] for one in view["learned_at"]]
    choices = [one["value"] for one in view["chosen"]]
    agreed = all(value == known["value"] for value in values)
    if not agreed or (choices and known["value"] not in choices):
        return _turned(state, name, "violation", instance)
    if len(learned_at) == 1:
        return _turned(state, name, "learned", instance)
    everyone = len(learned_at) == len(state["members"])
    return _turned(state, name, "all_learned", instance) if everyone else state


# --- nodes, crashes, walls -----------------------------------------------------


def _heard(state: State, line: Line) -> State:
    """Any line tells that its node lives, and names a node."""
    node = line["node"]
    if node == "orchestrator":
        return state
    known = state["nodes"].get(node)
    if known is not None and known["status"] != "unseen":
        return state
    if not state["members"] and node.startswith("n"):
        state = _with_members(state, [node])
    return _with_node(state, node, status="up", incarnation=line["incarnation"])


def _ended(state: State, node: str, how: str, name: str) -> State:
    view = state["nodes"].get(node)
    if view is not None and view["status"] == "down":
        # The first word is the vaguest where only the exit was seen from outside.
        return _with_node(state, node, ended_by=how) if view["ended_by"] == "exit" else state
    state = _with_node(state, node, status="down", ended_by=how, gate=[])
    return _turned(_with_cuts(_lost_with_process(state, node)), name, "kill", None)


def _lost_with_process(state: State, node: str) -> State:
    """Memory goes with its process, and so does what is on its way to it or waits at its gate."""
    for instance, view in state["instances"].items():
        change: State = {
            role: {name: held for name, held in view[role].items() if name != node}
            for role in ("proposers", "learned", "answering")
            if node in view[role]
        }
        acceptor = view["acceptors"].get(node)
        if acceptor is not None and acceptor["memory"] is not None:
            change["acceptors"] = {**view["acceptors"], node: {**acceptor, "memory": None}}
        if change:
            state = _with_instance(state, instance, **change)

    def gone(message: State) -> bool:
        unheld = message["held_at"] is None
        return bool(message["held_at"] == node or (message["to"] == node and unheld))

    return _lost(state, gone)


def _with_status(state: State, targets: list[str], old: str, new: str) -> State:
    for node in targets:
        if node in state["nodes"] and state["nodes"][node]["status"] == old:
            state = _with_node(state, node, status=new)
    return state


def _last_fault(faults: list[State], line: Line) -> int | None:
    """The fault that a ``fault_undone`` ends: the last one that fits it best."""
    for fields in (("fault", "targets", "detail"), ("fault", "targets")):
        for index in reversed(range(len(faults))):
            if all(faults[index][field] == line[field] for field in fields):
                return index
    return None


def _with_cuts(state: State) -> State:
    """Work out anew between which nodes nothing gets through."""
    cuts: set[tuple[str, str]] = set()
    members = state["members"]
    for fault in state["faults"]:
        if fault["fault"] == "cut one way":
            cuts.update(_one_way(fault, members))
        elif fault["fault"] in _WALLS:
            pairs = _both_ways(fault, members)
            cuts.update((one, other) for one, other in pairs)
            cuts.update((other, one) for one, other in pairs)
    for node, view in state["nodes"].items():
        for rule in view["gate"]:
            cuts.update(_cut_by_rule(members, node, rule))
    ordered = sorted(cuts, key=lambda pair: (node_key(pair[0]), node_key(pair[1])))
    return {**state, "cuts": [f"{source}>{to}" for source, to in ordered]}


def _both_ways(fault: State, members: list[str]) -> list[tuple[str, str]]:
    """The pairs between which nothing passes in either direction."""
    targets, detail = fault["targets"], fault["detail"]
    if "pairs" in detail:
        return [(one, other) for one, other in detail["pairs"]]
    rest = [node for node in members if node not in targets]
    match fault["fault"]:
        case "isolate":
            return _across([*([node] for node in targets), rest])
        case "partition":
            return _across(detail.get("sides", [targets, rest]))
        case _:
            return []


def _one_way(fault: State, members: list[str]) -> list[tuple[str, str]]:
    """The pairs (source, addressee) of which the first cannot be heard by the second."""
    detail = fault["detail"]
    # A rule about some kinds of message only is no wall.
    if "kinds" in detail:
        return []
    if "ways" in detail:
        return [(source, to) for source, to in detail["ways"]]
    sources, targets = detail.get("from", members), detail.get("to", members)
    return [(source, to) for source in sources for to in targets if source != to]


def _across(sides: list[list[str]]) -> list[tuple[str, str]]:
    return [
        (one, other)
        for index, side in enumerate(sides)
        for another in sides[index + 1 :]
        for one in side
        for other in another
    ]


def _cut_by_rule(members: list[str], node: str, rule: State) -> list[tuple[str, str]]:
    """A rule of a node's gate that loses every message of every kind is a cut, too."""
    if rule.get("action") != "cut" or rule.get("kinds") or rule.get("first_instance"):
        return []

    def fits(wanted: object, name: str) -> bool:
        return wanted in (None, 0, name) or str(wanted) == name[1:]

    pairs = []
    for other in members:
        for source, to in ((node, other), (other, node)):
            if node != other and fits(rule.get("source"), source) and fits(rule.get("to"), to):
                pairs.append((source, to))
    return pairs


# --- small copies --------------------------------------------------------------


def _with_members(state: State, members: list[str]) -> State:
    missing = [node for node in members if node not in state["members"]]
    if not missing:
        return state
    everyone = sorted({*state["members"], *missing}, key=node_key)
    nodes = {**state["nodes"]}
    for node in everyone:
        nodes.setdefault(node, _UNSEEN)
    return {**state, "members": everyone, "nodes": nodes}


def _with_node(state: State, node: str, **change: Any) -> State:
    view = {**state["nodes"].get(node, _UNSEEN), **change}
    return {**state, "nodes": {**state["nodes"], node: view}}


def _instance_of(state: State, instance: int | str) -> State:
    # Keys are texts, as in JSON.
    view: State | None = state["instances"].get(str(instance))
    return view or {
        "acceptors": {},
        "proposers": {},
        "ballots": {},
        "learned": {},
        "learned_at": [],
        "chosen": [],
        "answering": {},
    }


def _with_instance(state: State, instance: int | str, **change: Any) -> State:
    view = {**_instance_of(state, instance), **change}
    return {**state, "instances": {**state["instances"], str(instance): view}}


def _acceptor_of(state: State, instance: int | str, node: str) -> State:
    blank = {"memory": _BLANK, "disk": _BLANK}
    view: State = _instance_of(state, instance)["acceptors"].get(node, blank)
    return view


def _with_acceptor(state: State, instance: int | str, node: str, view: State) -> State:
    acceptors = {**_instance_of(state, instance)["acceptors"], node: view}
    return _with_instance(state, instance, acceptors=acceptors)


def _ballot_of(state: State, instance: int | str, ballot: str) -> State:
    view: State | None = _instance_of(state, instance)["ballots"].get(ballot)
    return view or {
        "proposer": ballot.partition(".")[2],
        "value": None,
        "reported_by": None,
        "wanted": None,
        "promised": [],
        "promises_heard": [],
        "accepted": [],
        "accepts_heard": [],
        "refused_by": [],
    }


def _with_ballot(state: State, instance: int | str, ballot: str, **change: Any) -> State:
    view = {**_ballot_of(state, instance, ballot), **change}
    ballots = {**_instance_of(state, instance)["ballots"], ballot: view}
    return _with_instance(state, instance, ballots=ballots)


def _turned(state: State, name: str, kind: str, instance: int | None) -> State:
    point = {"line": name, "kind": kind, "instance": instance}
    return {**state, "turning_points": [*state["turning_points"], point]}


def _added(nodes: list[str], node: str) -> list[str]:
    return nodes if node in nodes else sorted([*nodes, node], key=node_key)
