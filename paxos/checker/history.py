"""What happened in each instance, derived from the lines: the rules' only input.

*Chosen* is computed here, from what acceptors did (their replies and their
disks), never from what a learner says. And here it is decided how whole each
node's log is: a rule may take the absence of a line for a fact only where
lines cannot be missing.
"""

from bisect import bisect_left
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Final

from paxos.checker.order import (
    START,
    Key,
    Order,
    incarnation_of,
    key_at,
    key_of,
    name_at,
    named,
)
from paxos.checker.reader import ORCHESTRATOR, Log, Span
from paxos.checker.table import Piece, Told
from paxos.events import Line, ballot_key, line_id, logged_value, show

BallotKey = tuple[int, int]
ValueKey = str | tuple[int, str]
Pair = tuple[BallotKey, ValueKey]
"""A ballot and a value, in a form that can be compared."""

ALL_RULES: Final = ("R1", "R2", "R3", "R4", "R5", "R6", "agreement", "validity")
# Every node plays every role, so a line that is missing may matter to any rule.
# A batch whose end is not known only hides what went to disk unsaid.
_OPEN_END_RULES: Final = ("R6", "agreement", "validity")

_ACCEPTOR: Final = frozenset(
    {"prepare_received", "accept_received", "promise_sent", "accepted_sent", "nack_sent"}
)
_PROPOSER: Final = frozenset({"prepare_sent", "promise_received", "accept_sent", "nack_received"})
_LEARNT: Final = frozenset({"value_learned", "propose_answered", "propose_completed"})
_WISHES: Final = frozenset({"propose_received", "propose_invoked"})
_ENDS: Final = frozenset({"kill", "power_loss", "stop"})
_OWN_ENDS: Final = frozenset({"failpoint_hit", "power_lost"})
_FIRST_GUEST: Final = 101
_HEARSAY: Final = frozenset({"accepted_received", "learn_received"})


def _is_end_of(line: Line, node: str) -> bool:
    """Whether the runner says that a node's process is gone."""
    if line["event"] == "fault_applied":
        return line["fault"] in _ENDS and node in line["targets"]
    return line["event"] == "node_exited" and bool(line["of"] == node)


@lru_cache(maxsize=1 << 16)
def order_of(ballot: str) -> BallotKey:
    """A ballot in the form by which ballots are ordered."""
    return ballot_key(ballot)


def is_guest(ballot: BallotKey) -> bool:
    """Whether a ballot is a guest's."""
    return ballot[1] >= _FIRST_GUEST


def value_key(value: str | Line) -> ValueKey:
    """A value in the form by which values are compared: long ones by their digest."""
    if isinstance(value, str):
        logged = logged_value(value)
        if isinstance(logged, str):
            return logged
        value = logged
    return value["bytes"], value["sha256"]


def pair_of(proposal: Line) -> Pair:
    """The pair that a line, or a field of one, with ``ballot`` and ``value`` is about."""
    return order_of(proposal["ballot"]), value_key(proposal["value"])


def ballot_name(ballot: BallotKey) -> str:
    """A ballot as lines spell it."""
    round_, node = ballot
    return f"{round_}.g{node - 100}" if node > 100 else f"{round_}.n{node}"


def shown_value(value: ValueKey) -> str | Line:
    """A value as lines spell it."""
    return value if isinstance(value, str) else {"bytes": value[0], "sha256": value[1]}


def quoted(value: str | Line) -> str:
    """A value as it stands in a sentence."""
    return show("value", value)


@dataclass(frozen=True, slots=True)
class Durable:
    """What a line proves to be on an acceptor's disk.

    Attributes:
        line: a ``state_persisted`` or ``state_recovered``; a ``node_ready``
            that closes the list of what was recovered; the runner's
            ``disk_read``.
        promised, accepted: the acceptor's state; the pair is ``None`` for none.
    """

    line: Line
    promised: str
    accepted: Line | None

    @property
    def is_recovery(self) -> bool:
        """Whether this is what came back, and not what was put there."""
        return bool(self.line["event"] != "state_persisted")


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why some rules cannot be judged to the end."""

    rules: tuple[str, ...]
    reason: str
    node: str | None = None
    instance: int | None = None


@dataclass(frozen=True, slots=True)
class Chosen:
    """A quorum of distinct acceptors has accepted one pair.

    Attributes:
        ballot, value: the pair, as in the log.
        acceptances: the first line by which each acceptor of the quorum had
            accepted it, in merged order; the last is the moment of choice.
    """

    ballot: str
    value: str | Line
    acceptances: dict[str, Line]

    @property
    def moment(self) -> Line:
        """The line with which the quorum was complete."""
        return list(self.acceptances.values())[-1]


@dataclass(slots=True)
class NodeLog:
    """One node's lines, and what may be missing.

    Attributes:
        lines: its used lines, in order.
        gaps: (where, why) for each place at which lines are missing, in order.
        open_end: why it is not known how its last incarnation's last batch ended.
        ends_at: its last line.
        last_named: the last line that the runner saw; later ones are hearsay
            that other logs need not match.
    """

    lines: list[Line] = field(default_factory=list)
    gaps: list[tuple[Key, str]] = field(default_factory=list)
    open_end: str | None = None
    ends_at: Key = START
    last_named: Key | None = None

    @property
    def is_whole(self) -> bool:
        """Whether no line is missing anywhere."""
        return not self.gaps

    def is_whole_until(self, key: Key) -> bool:
        """Whether no line is missing before this one."""
        return not self.gaps or key < self.gaps[0][0]


@dataclass
class InstanceHistory:
    """One instance: what each role of each node did, in its order.

    Attributes:
        acceptors: requests received, replies sent, and what was on disk.
        proposers: requests sent, promises and refusals received.
        learned: lines that state a value as learned, or tell it to a client.
        wishes: clients' values.
        accept_requests: every ``accept_received``, with the acceptor that received it.
        hearsay_without_cause: whether some learner heard from a stranger.
    """

    number: int
    acceptors: dict[str, list[Line | Durable]] = field(default_factory=dict)
    proposers: dict[str, list[Line]] = field(default_factory=dict)
    learned: list[Line] = field(default_factory=list)
    wishes: list[Line] = field(default_factory=list)
    accept_requests: list[tuple[str, Line]] = field(default_factory=list)
    hearsay_without_cause: bool = False
    line_count: int = 0
    acceptances: dict[Pair, dict[str, Line]] = field(default_factory=dict)
    chosen: list[Chosen] = field(default_factory=list)

    @cached_property
    def client_values(self) -> set[ValueKey]:
        """What clients wished for; a guest is its own client. Asked once all is filled."""
        values = {value_key(line["value"]) for line in self.wishes}
        for _, line in self.accept_requests:
            if is_guest(order_of(line["ballot"])):
                values.add(value_key(line["value"]))
        return values

    @cached_property
    def asked_to_accept(self) -> set[str]:
        """The acceptors that received a request to accept."""
        return {node for node, _ in self.accept_requests}


class History:
    """A run as the rules see it.

    Attributes:
        log: the lines that it is made of.
        members: the acceptors; empty when no line and no table names them.
        quorum: how many of them it takes, or 0 when they are not known.
        nodes: every writer but the runner; a member without lines is there too.
        instances: those that are judged, by number.
        doubts: what is missing.
    """

    def __init__(self, log: Log) -> None:
        self.log: Final = log
        self.run: Final = log.run
        self.order: Final = Order(log.lines)
        self.doubts: list[Doubt] = []
        self.members: Final = self._find_members()
        self.quorum: Final = len(self.members) // 2 + 1 if self.members else 0
        self.nodes: dict[str, NodeLog] = self._node_logs()
        self._look_for_gaps()
        self.instances: dict[int, InstanceHistory] = {}
        self._fill()
        for instance in self.instances.values():
            self._find_acceptances(instance)
            self._find_chosen(instance)

    @cached_property
    def all_whole(self) -> bool:
        """Whether no member's log lacks a line: only then does absence prove anything."""
        return bool(self.members) and all(self.nodes[node].is_whole for node in self.members)

    def is_whole_until(self, line: Line) -> bool:
        """Whether nothing of its writer's log is missing before a line."""
        return self.nodes[line["node"]].is_whole_until(key_of(line))

    def was_seen_by_runner(self, line: Line) -> bool:
        """Whether a line stands within the end of its node's log that the runner named, if any."""
        own = self.nodes.get(line["node"])
        return own is None or own.last_named is None or key_of(line) <= own.last_named

    def lost_before(self, line: Line) -> str | None:
        """A node of whose lines this one follows from some that its log no longer holds.

        Where a run goes on while its ends are named, one node is seen for longer than
        another. What it then has heard of, and by which way, cannot be seen.
        """
        for node, own in self.nodes.items():
            if self.order.reach(line, node) > own.ends_at > START:
                return node
        return None

    def may_hide_before(self, node: str, line: Line) -> bool:
        """Whether a node may have done something before a line, behind the end that was named.

        Not if it had heard of that line by then: for messages without causes, as guests' are.
        """
        own = self.nodes[node]
        known = self.order.reach_from(node, own.ends_at, line["node"])
        return own.last_named is not None and known < key_of(line)

    def find(self, name: str) -> Line | None:
        """A used line by its name."""
        node, key = named(name)
        lines = self.log.lines.get(node, [])
        at = bisect_left(lines, key, key=key_of)
        return lines[at] if at < len(lines) and key_of(lines[at]) == key else None

    # --- who takes part, and whose log is how whole -------------------------------------

    def _find_members(self) -> tuple[str, ...]:
        said: dict[tuple[str, ...], str] = {}
        clusters: dict[str, str] = {}
        if self.run is not None and not self.run.is_told:
            said[self.run.members] = "run.json"
        for line in self.order.lines:
            if line["event"] == "node_started":
                said.setdefault(tuple(line["members"]), line_id(line))
                clusters.setdefault(line["cluster"], line_id(line))
            elif line["event"] == "run_started":
                said.setdefault(tuple(line["members"]), line_id(line))
        if not said:
            self._doubt(("R4", "R5", "agreement", "validity"), "no line says who the members are")
            return ()
        for what, places in (("members", said), ("clusters", clusters)):
            if len(places) > 1:
                first, second, *_ = places.values()
                self._doubt(ALL_RULES, f"{first} and {second} are of different {what}")
        return next(iter(said))

    def _node_logs(self) -> dict[str, NodeLog]:
        names = dict.fromkeys([*self.members, *self.log.spans])
        return {
            node: NodeLog(lines=self.log.lines.get(node, []))
            for node in names
            if node != ORCHESTRATOR
        }

    def _doubt(self, rules: tuple[str, ...], reason: str, node: str | None = None) -> None:
        self.doubts.append(Doubt(rules, reason, node))

    def _look_for_gaps(self) -> None:
        for node, own in self.nodes.items():
            self._measure(node, own)
        self._find_lines_only_quoted()
        if self.told is not None:
            self._compare_with_told(self.told)
        for node, key, reason in self.log.clashes:
            if node in self.nodes:
                self.nodes[node].gaps.append((key, reason))
        for node, reason in self.log.strays.items():
            if node in self.nodes:
                self.nodes[node].gaps.append((START, reason))
        for node, own in self.nodes.items():
            own.gaps.sort()
            for _, reason in own.gaps[:3]:
                self._doubt(ALL_RULES, reason, node)
            if own.open_end and not own.gaps:
                self._doubt(_OPEN_END_RULES, own.open_end, node)

    def _measure(self, node: str, own: NodeLog) -> None:
        """Compare the lines that are there with those that must be."""
        spans = self.log.spans.get(node, {})
        if spans:
            own.ends_at = key_at(max(spans), spans[max(spans)].last)
        pieces = {number: Piece(number, 1, None) for number in sorted(spans)}
        if self.run is None or self.run.is_told:
            begin = next(iter(self._begins(node)), Piece(1, 1, None))
            if begin.incarnation in spans:
                pieces[begin.incarnation] = begin
            self._measure_without_table(node, own, sorted(spans), begin.incarnation)
            if self.told is not None:
                # Where these begin the table says too; what begins with it is compared below.
                pieces |= {piece.incarnation: piece for piece in self.told.pieces.get(node, ())}
        elif node not in self.run.pieces:
            own.gaps.append((START, f"the run's table names no piece of {node}'s log"))
        else:
            # Incarnations that the runner never met are in the file only.
            pieces |= {piece.incarnation: piece for piece in self.run.pieces[node]}
        for incarnation, piece in pieces.items():
            self._measure_piece(node, own, piece, spans.get(incarnation))
        if not spans or max(pieces) not in spans:
            return
        final = pieces[max(pieces)]
        told = () if self.run is None or self.run.is_told else self.run.pieces.get(node, ())
        if told and final.incarnation > told[-1].incarnation:
            # A start behind the run's end shows how the last incarnation ended.
            own.last_named = key_at(told[-1].incarnation + 1, 0)
        elif final.last is not None and self.told is None:
            own.last_named = key_at(final.incarnation, final.last)
        else:
            if final.last is not None:
                own.last_named = key_at(final.incarnation, final.last)
            self._look_at_end(node, own, final.incarnation)

    @property
    def told(self) -> Told | None:
        """What the log says of itself, where no file says it."""
        return None if self.run is None else self.run.told

    def _compare_with_told(self, told: Told) -> None:
        """A log that says itself how whole it is must not look whole for having been cut.

        Its lines may have been changed or cut by whoever handed it on. So what they
        say must agree, and no line may point at something that they deny.
        """
        for complaint in told.complaints:
            self._doubt(ALL_RULES, complaint)
        if told.closed is None and not told.complaints:
            self._doubt(
                ALL_RULES,
                "no line closes this log, so its end may be missing: what it shows is so far in order",
            )
        if self.log.unnamed is not None:
            name = line_id(self.log.unnamed)
            self._doubt(ALL_RULES, f"{name} is of an instance that {told.closed} does not name")
        for node, name in self.log.early.items():
            if node in self.nodes:
                reason = f"{name} is of this run, but {told.started} says that it began later"
                self.nodes[node].gaps.append((START, reason))
        begins = {node: piece.begin for node, (piece, *_) in self._all_begins().items()}
        quoted: set[str] = set()
        for line in self.order.lines:
            if "cause" not in line:
                continue
            node, key = named(line["cause"])
            if node in self.nodes and node not in quoted and key < begins.get(node, START):
                quoted.add(node)
                reason = (
                    f"{line_id(line)} quotes {line['cause']}, but {told.started} says that "
                    f"the log of {node} begins with {name_at(node, begins[node])}"
                )
                self.nodes[node].gaps.append((START, reason))
        self._measure_runner(told)

    def _measure_runner(self, told: Told) -> None:
        """The runner's lines between the two by which a log says how whole it is."""
        _, key = named(told.started)
        incarnation = incarnation_of(key)
        span = self.log.spans.get(ORCHESTRATOR, {}).get(incarnation)
        first = key - key_at(incarnation, 0)
        for begin, end in span.holes(first) if span is not None else ():
            which = f"lines {begin} to {end} of the runner are"
            if begin == end:
                which = f"line {name_at(ORCHESTRATOR, key_at(incarnation, begin))} is"
            self._doubt(ALL_RULES, f"{which} missing")

    def _all_begins(self) -> dict[str, tuple[Piece, ...]]:
        own = {} if self.run is None else self.run.pieces
        return {node: pieces for node, pieces in own.items() if pieces}

    def _begins(self, node: str) -> tuple[Piece, ...]:
        return () if self.run is None else self.run.pieces.get(node, ())

    def _measure_without_table(
        self, node: str, own: NodeLog, found: list[int], expected: int
    ) -> None:
        """A log that no table describes begins where it says, or with the first line ever.

        From there on each incarnation follows the one before it.
        """
        if not found:
            own.gaps.append((START, f"the log of {node} is missing"))
        for incarnation in found:
            if incarnation > expected:
                lost = f"its incarnation {expected}"
                if incarnation - 1 > expected:
                    lost = f"its incarnations {expected} to {incarnation - 1}"
                own.gaps.append((key_at(expected, 0), f"the log of {node} holds no line of {lost}"))
            expected = incarnation + 1

    def _measure_piece(self, node: str, own: NodeLog, piece: Piece, span: Span | None) -> None:
        incarnation = piece.incarnation
        if span is None:
            own.gaps.append(
                (
                    key_at(incarnation, 0),
                    f"the log of {node} holds no line of its incarnation {incarnation}",
                )
            )
            return
        for first, last in span.holes(piece.first):
            own.gaps.append(
                (
                    key_at(incarnation, first),
                    f"lines {first} to {last} of {node}'s incarnation {incarnation} are missing"
                    if first < last
                    else f"line {node}/{incarnation}/{first} is missing",
                )
            )
        if piece.last is not None and span.last < piece.last:
            torn = self._torn(node)
            own.gaps.append(
                (
                    key_at(incarnation, span.last + 1),
                    f"the log of {node} ends at {node}/{incarnation}/{span.last}, "
                    f"and the run saw it until {node}/{incarnation}/{piece.last}"
                    + (f" ({torn})" if torn else ""),
                )
            )

    def _look_at_end(self, node: str, own: NodeLog, incarnation: int) -> None:
        """Whether it is known how a last incarnation, which nobody named an end of, ended."""
        last = own.lines[-1] if own.lines else None
        runner = self.log.lines.get(ORCHESTRATOR, [])
        if (last is not None and last["event"] == "node_stopped") or any(
            line["event"] == "disk_read"
            and line["of"] == node
            and line["incarnation_read"] >= incarnation
            for line in runner
        ):
            return
        end = name_at(node, own.ends_at)
        torn = self._torn(node)
        if torn is not None:
            own.gaps.append((own.ends_at + 1, f"{torn}, so nobody knows what followed {end}"))
            return
        # Without a table it may run on: then what it has logged is all there is.
        if (
            (self.run is not None and not self.run.is_told)
            or (last is not None and last["event"] in _OWN_ENDS)
            or any(
                _is_end_of(line, node)
                and (last is None or self.order.place(line) > self.order.place(last))
                for line in runner
            )
        ):
            own.open_end = (
                f"{node} ended at {end} and did not come back; without a disk_read line "
                "nobody knows what its last batch left on disk"
            )

    def _torn(self, node: str) -> str | None:
        # A file of several nodes may lack lines of each.
        return self.log.torn.get(node) or self.log.torn.get("")

    def _find_lines_only_quoted(self) -> None:
        """Lines that others quote, and that this log would hold if it went on.

        The ends that a log names itself go together: no line within them quotes one
        behind them. What stands behind them is hearsay, and may.
        """
        seen: dict[str, dict[int, Line]] = {}
        for line in self.order.lines:
            if "cause" not in line:
                continue
            if self.told is not None and not self.was_seen_by_runner(line):
                continue
            node, key = named(line["cause"])
            incarnation = incarnation_of(key)
            span = self.log.spans.get(node, {}).get(incarnation)
            if node in self.nodes and span is not None and key > key_at(incarnation, span.last):
                seen.setdefault(node, {}).setdefault(incarnation, line)
        for node, quotes in seen.items():
            own = self.nodes[node]
            for incarnation, line in quotes.items():
                # Beyond the end that the runner named lies what the run did not see.
                # Ends that run.json names need not go together: older runs' do not.
                if (
                    self.told is None
                    and own.last_named is not None
                    and incarnation >= incarnation_of(own.last_named)
                ):
                    continue
                last = key_at(incarnation, self.log.spans[node][incarnation].last)
                reason = (
                    f"{line_id(line)} quotes {line['cause']}, but the log of {node} "
                    f"holds nothing behind {name_at(node, last)}"
                )
                own.gaps.append((last + 1, reason))

    # --- what happened in each instance -------------------------------------------------

    def _instance(self, number: int) -> InstanceHistory:
        found = self.instances.get(number)
        if found is None:
            found = self.instances[number] = InstanceHistory(number)
        return found

    def _fill(self) -> None:
        # The reader leaves out the lines of instances that are not to be judged.
        for number in self.run.instances.values() if self.run is not None else ():
            self._instance(number)
        for node, own in self.nodes.items():
            self._fill_from(node, own)
        for line in self.log.lines.get(ORCHESTRATOR, []):
            if line["event"] == "disk_read":
                self._take_disk_read(line)
            elif "instance" in line:
                self._take(line)
        for instance in self.instances.values():
            # Merged order: what a sentence calls the first is the first.
            instance.learned.sort(key=self.order.place)
            instance.wishes.sort(key=self.order.place)
        self.instances = dict(sorted(self.instances.items()))

    def _fill_from(self, node: str, own: NodeLog) -> None:
        met: set[int] = set()
        recovered: set[int] = set()
        for line in own.lines:
            event = line["event"]
            if event == "node_started":
                recovered.clear()
            elif event == "node_ready":
                # Only a list without a missing line says what is not in it.
                absent = met - recovered if own.is_whole_until(key_of(line)) else set()
                for number in sorted(absent):
                    self._take_durable(node, number, Durable(line, "0.n0", None))
            elif event == "state_recovered":
                recovered.add(line["instance"])
                met.add(line["instance"])
                self._take_durable(
                    node, line["instance"], Durable(line, line["promised"], line["accepted"])
                )
                if line["learned"] is not None:
                    self._instance(line["instance"]).learned.append(line)
            elif event == "state_persisted":
                met.add(line["instance"])
                self._take_durable(
                    node,
                    line["instance"],
                    Durable(line, line.get("promised", "0.n0"), line.get("accepted")),
                )
            elif "instance" in line:
                met.add(line["instance"])
                self._take(line)

    def _take(self, line: Line) -> None:
        instance = self._instance(line["instance"])
        node, event = line["node"], line["event"]
        instance.line_count += 1
        if event in _ACCEPTOR:
            instance.acceptors.setdefault(node, []).append(line)
            if event == "accept_received":
                instance.accept_requests.append((node, line))
        elif event in _PROPOSER:
            instance.proposers.setdefault(node, []).append(line)
        elif event in _LEARNT:
            instance.learned.append(line)
        elif event in _WISHES:
            instance.wishes.append(line)
        elif event in _HEARSAY and "cause" not in line:
            instance.hearsay_without_cause = True

    def _take_durable(self, node: str, number: int, durable: Durable) -> None:
        instance = self._instance(number)
        # A line that says it only by its silence is of no instance.
        instance.line_count += "instance" in durable.line
        instance.acceptors.setdefault(node, []).append(durable)

    def _take_disk_read(self, line: Line) -> None:
        """What was found on the disk of a node that is down, put where it belongs.

        A node that came back has told the same itself; reading is not syncing,
        so what was only seen in between binds nobody.
        """
        node = line["of"]
        if node not in self.nodes:
            return
        until = key_at(line["incarnation_read"] + 1, 0)
        if self.nodes[node].ends_at >= until:
            return
        listed = {item["instance"]: item for item in line["instances"]}
        for number in list(self.instances):
            item = listed.get(number)
            steps = self.instances[number].acceptors.get(node)
            if item is None and not steps:
                continue
            promised, accepted = (
                ("0.n0", None) if item is None else (item["promised"], item["accepted"])
            )
            self._take_durable(node, number, Durable(line, promised, accepted))

    def _find_acceptances(self, instance: InstanceHistory) -> None:
        for node, steps in instance.acceptors.items():
            for step in steps:
                if isinstance(step, Durable):
                    if step.accepted is None:
                        continue
                    pair, line = pair_of(step.accepted), step.line
                elif step["event"] == "accepted_sent":
                    pair, line = pair_of(step), step
                else:
                    continue
                instance.acceptances.setdefault(pair, {}).setdefault(node, line)

    def _find_chosen(self, instance: InstanceHistory) -> None:
        if not self.quorum:
            return
        for (ballot, value), by_node in instance.acceptances.items():
            lines = [(node, line) for node, line in by_node.items() if node in self.members]
            if len(lines) < self.quorum:
                continue
            lines.sort(key=lambda item: self.order.place(item[1]))
            instance.chosen.append(
                Chosen(ballot_name(ballot), shown_value(value), dict(lines[: self.quorum]))
            )
        instance.chosen.sort(key=lambda chosen: self.order.place(chosen.moment))
