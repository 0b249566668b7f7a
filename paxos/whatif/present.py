"""Every node as it is at a moment of a log: memory, disk, and what it has sent.

Memory is what the core makes of the inputs that the log holds, so it is known
as far as the log is the core's (:mod:`paxos.conformance` says where it is not).
The disk is what lines say to be written and synced. Who is up is what the
runner's lines say, and those of nodes that ended.
"""

from dataclasses import dataclass, field, replace
from typing import Final

from paxos.conformance import (
    NodeReplay,
    Present,
    body_of,
    message_of,
    replay_of,
    stored_of,
)
from paxos.events import Line, line_id, node_key
from paxos.events.fold import NO_BALLOT, State, everybody_up, fold
from paxos.explorer import Accused, Envelope
from paxos.explorer import node as nodes
from paxos.explorer.node import Disk, Ghost, Pair
from paxos.explorer.tables import Start
from paxos.judging import replay_table
from paxos.protocol import (
    ROLES,
    Accepted,
    Ballot,
    Effect,
    Instance,
    Persist,
    Phase,
    Promise,
    Report,
    Send,
    Settings,
    Stored,
)
from paxos.storage import CorruptRecord, DiskFaults, Synced
from paxos.whatif.moment import Moment, WhatIfError

_WORLD: Final = frozenset(
    {
        "node_started",
        "node_stopped",
        "failpoint_hit",
        "power_lost",
        "node_exited",
        "fault_applied",
        "fault_undone",
    }
)
_MEMBERS: Final = frozenset({"node_started", "run_started"})
_SENT: Final = frozenset(
    {"prepare_sent", "promise_sent", "accept_sent", "accepted_sent", "nack_sent", "learn_sent"}
)


@dataclass(frozen=True, slots=True)
class NodeNow:
    """One node at the moment.

    Attributes:
        name: ``n1``.
        status: ``up``, ``paused`` or ``down``.
        start: the node as the explorer takes it.
        memory: its whole memory as the core has it; ``None`` while it is down.
        awaited: the effects of its step under way that are still to come.
        received: the messages that it has received already.
    """

    name: str
    status: str
    start: Start
    memory: Instance | None
    awaited: tuple[Effect, ...]
    received: frozenset[Envelope]

    @property
    def about_to_send(self) -> tuple[Envelope, ...]:
        """The messages of the step under way, as they will be sent."""
        source = node_key(self.name)
        return tuple(
            Envelope(source, effect.to, effect.message)
            for effect in self.start.local.pending
            if isinstance(effect, Send)
        )


@dataclass(frozen=True, slots=True)
class Now:
    """All nodes at the moment, in order.

    Attributes:
        nodes: one for each member.
        accused: the protocol, with the settings that the instance has in this run.
        values: what clients have wished for, in the order in which they did.
        assumed: sentences: what the log does not tell and was taken for granted.
        doubts: sentences: why the state cannot be relied on; empty if it can.
    """

    nodes: tuple[NodeNow, ...]
    accused: Accused
    values: tuple[str, ...]
    assumed: tuple[str, ...]
    doubts: tuple[str, ...]


@dataclass(slots=True)
class _Trace:
    """What one node's lines say of it, beside what a replay knows."""

    replay: NodeReplay
    disk: Disk = field(default_factory=Disk)
    # Another instance's sync takes this one's learned value along.
    told: list[Envelope] = field(default_factory=list)
    received: set[Envelope] = field(default_factory=set)
    ever_durable: set[Pair] = field(default_factory=set)
    # Promises that arrived in the present life, by ballot.
    heard: dict[Ballot, set[Report]] = field(default_factory=dict)
    # Whether it has told of its disk in this life, and whether it serves.
    recovered: bool = True
    serves: bool = True
    hurt: str = ""
    has_lines: bool = False


def reconstruct(moment: Moment, accused: Accused) -> Now:
    """The state of every node.

    Args:
        moment: when.
        accused: what ran: the correct protocol, or the run's variant.

    Raises:
        WhatIfError: the members are no nodes n1 to nN, as every model has them.
    """
    if moment.members != tuple(f"n{number}" for number in range(1, len(moment.members) + 1)):
        raise WhatIfError(f"the explorer knows clusters of n1 to nN, not {moment.members}")
    return _Reconstruction(moment, accused).run()


class _Reconstruction:
    def __init__(self, moment: Moment, accused: Accused) -> None:
        self._moment = moment
        self._number = moment.instance
        self._accused = accused
        table = replay_table(moment.run)
        if table is not None:
            table = replace(table, instances=frozenset({moment.instance}))
        any_disk = accused.faults != DiskFaults()
        self._traces = {
            name: _Trace(replay_of(name, table, accused.roles, any_disk=any_disk))
            for name in moment.members
        }
        self._world: State = everybody_up(moment.members)
        self._values: dict[str, None] = {}
        self._assumed: list[str] = []
        # Of a node that is down as well: what it sent, and what is on its disk, is from its lines.
        self._doubts = list(moment.missing)

    def run(self) -> Now:
        for line in self._moment.before:
            if line["event"] in _MEMBERS:
                self._take_members(line)
            if line["event"] in _WORLD:
                self._world = fold(self._world, line)
                self._take_fault(line)
            trace = self._traces.get(line["node"])
            if trace is not None:
                self._take(trace, line)
            elif line["event"] == "disk_read" and line["of"] in self._traces:
                self._take_disk_read(self._traces[line["of"]], line)
            if line["event"] in {"propose_received", "propose_invoked"}:
                self._take_wish(line)
        found = tuple(self._now(name, trace) for name, trace in self._traces.items())
        memories = [node.memory for node in found if node.memory is not None]
        settings = memories[0].config.settings if memories else self._accused.settings
        accused = replace(self._accused, settings=_bare(settings))
        return Now(found, accused, tuple(self._values), tuple(self._assumed), tuple(self._doubts))

    # --- lines ------------------------------------------------------------------------

    def _take(self, trace: _Trace, line: Line) -> None:
        event = line["event"]
        trace.has_lines = True
        trace.replay.take(line)
        if event == "node_started":
            trace.heard.clear()
            trace.recovered = trace.serves = False
            trace.hurt = ""
        elif event == "node_ready":
            trace.serves = True
            if not trace.recovered:
                self._recovered(trace, Stored())
        elif event == "power_lost" or (event == "failpoint_hit" and line.get("power")):
            trace.disk = replace(trace.disk, cached=trace.disk.durable)
        elif event == "state_persisted":
            self._persisted(trace, line)
        elif line.get("instance") == self._number:
            self._take_own(trace, line, event)

    def _take_own(self, trace: _Trace, line: Line, event: str) -> None:
        if event == "state_recovered":
            self._recovered(trace, stored_of(body_of(line)))
        elif event == "value_learned":
            body = body_of(line)
            learned = stored_of(
                {"instance": self._number, "promised": NO_BALLOT, "accepted": None, "round": -1,
                 "learned": body}
            ).learned  # fmt: skip
            trace.disk = replace(trace.disk, cached=replace(trace.disk.cached, learned=learned))
        elif event in _SENT:
            envelope = self._envelope(line, line["node"], line["to"])
            if envelope is not None:
                trace.told.append(envelope)
        elif event.endswith("_received") and "source" in line:
            envelope = self._envelope(line, line["source"], line["node"])
            if envelope is not None:
                trace.received.add(envelope)
                message = envelope.message
                if isinstance(message, Promise):
                    report = Report(envelope.source, message.accepted)
                    trace.heard.setdefault(message.ballot, set()).add(report)
            elif line["source"] not in self._traces:
                self._assume("messages of guests are left out")

    def _envelope(self, line: Line, source: str, to: str) -> Envelope | None:
        if source not in self._traces or to not in self._traces:
            return None
        if line["event"].rpartition("_")[0] in {"learned", "status"}:
            return None
        return Envelope(node_key(source), node_key(to), message_of(body_of(line)))

    def _take_members(self, line: Line) -> None:
        """A table that somebody else wrote may name others; then nobody knows what a quorum is."""
        named = tuple(line["members"])
        if named != self._moment.members:
            self._doubts.append(
                f"{line_id(line)} names the members {', '.join(named)}, "
                f"and the run is one of {', '.join(self._moment.members)}"
            )

    def _take_wish(self, line: Line) -> None:
        if line["instance"] == self._number:
            value = body_of(line)["value"]
            self._values.setdefault(value)

    def _take_fault(self, line: Line) -> None:
        if line["event"] != "fault_applied":
            return
        for name in line["targets"]:
            trace = self._traces.get(name)
            if trace is None:
                continue
            if line["fault"] == "power_loss":
                trace.disk = replace(trace.disk, cached=trace.disk.durable)
            elif line["fault"] == "disk_fault":
                fault = line["detail"].get("fault", "")
                trace.hurt = fault if fault in {"corrupt", "lose"} else trace.hurt

    # --- the disk ---------------------------------------------------------------------

    def _persisted(self, trace: _Trace, line: Line) -> None:
        disk = trace.disk
        is_durable = self._accused.faults.synced is not Synced.CACHED
        cached = disk.cached
        if line["instance"] == self._number:
            body = body_of(line)
            if body["record"] == "round":
                # One without its round says nothing; the replay finds that it is not the core's.
                cached = replace(cached, round=body.get("round", cached.round))
            elif body["record"] == "acceptor":
                # A log of another program may leave out that nothing was promised.
                found = stored_of({"instance": self._number, "round": -1, "learned": None,
                                   "promised": body.get("promised", NO_BALLOT),
                                   "accepted": body.get("accepted")})  # fmt: skip
                cached = replace(cached, promised=found.promised, accepted=found.accepted)
        # A sync takes along whatever was written before it.
        durable = cached if is_durable else disk.durable
        older = disk.older
        if older is not None and durable != disk.durable:
            older = disk.durable
        trace.disk = Disk(durable, cached, older)
        self._remember(trace)

    def _recovered(self, trace: _Trace, found: Stored) -> None:
        trace.recovered = True
        roles = self._accused.roles
        if roles.recover is not ROLES.recover and roles.recover(trace.disk.cached) == found:
            # What it hides is there all the same.
            found = trace.disk.cached
        trace.disk = replace(trace.disk, durable=found, cached=found)
        self._remember(trace)

    def _take_disk_read(self, trace: _Trace, line: Line) -> None:
        listed = {item["instance"]: item for item in line["instances"]}
        item = listed.get(self._number)
        found = Stored() if item is None else stored_of(body_of({**item, "event": "disk_read"}))
        trace.disk = replace(trace.disk, cached=found)

    @staticmethod
    def _remember(trace: _Trace) -> None:
        accepted = trace.disk.durable.accepted
        if accepted is not None:
            trace.ever_durable.add((accepted.ballot, accepted.value))

    # --- the node ---------------------------------------------------------------------

    def _now(self, name: str, trace: _Trace) -> NodeNow:
        view = self._world["nodes"].get(name, {})
        status = "up" if view.get("status") in {"unseen", None} else view["status"]
        if not trace.serves:
            # It reads its disk: as good as down, and about to be up.
            status = "down"
        if not trace.has_lines:
            self._assume(f"{name} is taken for new, for the log holds no line of it")
        present = trace.replay.present(self._number)
        memory, awaited = self._memory(name, trace, present, status)
        if status == "down":
            self._settle_disk(name, trace, present)
        if self._accused.faults.corrupt is CorruptRecord.OLDER and trace.disk.older is None:
            trace.disk = replace(trace.disk, older=trace.disk.durable)
        local = nodes.as_found(memory, awaited, trace.disk, self._ghost(trace, memory))
        if trace.hurt and status == "down":
            hurt = nodes.corrupt if trace.hurt == "corrupt" else nodes.lose_disk
            local = hurt(local, self._accused)
        told = tuple(trace.told)
        start = Start(local, tuple(dict.fromkeys(told)), told)
        return NodeNow(name, status, start, memory, awaited, frozenset(trace.received))

    def _memory(
        self, name: str, trace: _Trace, present: Present | None, status: str
    ) -> tuple[Instance | None, tuple[Effect, ...]]:
        if status == "down":
            return None, ()
        if present is None:
            if trace.has_lines:
                self._doubts.append(f"lines of {name} are missing, so its memory is not known")
            settings = replace(Settings(), own_ballots=False)
            members = tuple(node_key(member) for member in self._moment.members)
            roles = self._accused.roles
            return Instance.new(self._number, node_key(name), members, settings, roles), ()
        if present.departure is not None:
            where = line_id(present.departure.line)
            self._doubts.append(
                f"{name} departs from the core at {where} ({present.departure.sentence})"
            )
        return present.instance, present.awaited

    def _settle_disk(self, name: str, trace: _Trace, present: Present | None) -> None:
        """What a process that ended in the midst of a step has left on the disk."""
        written = trace.disk.cached
        for effect in present.awaited if present is not None else ():
            if isinstance(effect, Persist):
                written = written.with_record(effect.record)
        if written == trace.disk.cached:
            return
        ending = self._world["nodes"].get(name, {}).get("ended_by")
        if ending == "power_loss":
            return
        later = self._read_later(name)
        if later is None:
            self._assume(
                f"{name} ended within a step: what it was writing is taken to be on its disk"
            )
        trace.disk = replace(trace.disk, cached=written if later is None else later)

    def _read_later(self, name: str) -> Stored | None:
        """What was found on a disk behind the moment: the past, told later."""
        if self._accused.roles.recover is not ROLES.recover:
            return None
        for line in self._moment.after:
            if line["event"] == "disk_read" and line["of"] == name:
                for item in line["instances"]:
                    if item["instance"] == self._number:
                        return stored_of(body_of({**item, "event": "disk_read"}))
                return Stored()
            if line["node"] == name and line["event"] == "node_ready":
                return Stored()
            if (
                line["node"] == name
                and line["event"] == "state_recovered"
                and line["instance"] == self._number
            ):
                return stored_of(body_of(line))
        return None

    def _ghost(self, trace: _Trace, memory: Instance | None) -> Ghost:
        told = {
            (envelope.message.ballot, envelope.message.value)
            for envelope in trace.told
            if isinstance(envelope.message, Accepted)
        }
        durable = trace.disk.durable.accepted
        now = set() if durable is None else {(durable.ballot, durable.value)}
        accepted = frozenset(trace.ever_durable - told - now)
        if memory is None or memory.proposer.phase is not Phase.PREPARING:
            return Ghost(accepted)
        counted = frozenset(memory.proposer.promises)
        heard = frozenset(trace.heard.get(memory.proposer.ballot, ()))
        return Ghost(accepted, unheeded=heard - counted, unheard=counted - heard)

    def _assume(self, sentence: str) -> None:
        if sentence not in self._assumed:
            self._assumed.append(sentence)


def _bare(settings: Settings) -> Settings:
    """Settings of the model, in which no node begins a ballot without a client."""
    return replace(settings, own_ballots=False)
