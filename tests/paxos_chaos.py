"""A cluster in the hands of an adversary, and a judge that knows the protocol's rules only.

:class:`Chaos` runs whole nodes against a network that delivers in any order,
duplicates and loses, and against crashes that cut a list of effects anywhere.
:class:`Judge` sees what goes out and what reaches a disk, and shares no code
with the roles: it is small enough to be believed.
"""

from collections import Counter
from dataclasses import dataclass, field

from paxos.chance import Chance
from paxos.protocol import (
    ROLES,
    Accept,
    Accepted,
    AcceptorRecord,
    Answer,
    Ballot,
    Effect,
    Ignore,
    Input,
    Instance,
    LearnedRecord,
    LinkUp,
    Nack,
    NodeId,
    Outcome,
    Persist,
    Prepare,
    Promise,
    Proposal,
    ProposeRequested,
    Received,
    Roles,
    Send,
    Settings,
    Started,
    Status,
    Stored,
    TimeoutFired,
    Timer,
)
from tests.paxos_cases import INSTANCE, Timers, check_step, written


class Broken(Exception):
    """A rule of ``docs/log-format.md``'s world is broken; ``rule`` is its short name."""

    def __init__(self, rule: str, text: str) -> None:
        super().__init__(f"{rule}: {text}")
        self.rule = rule


@dataclass(slots=True)
class Judge:
    """R1 to R6, agreement and validity, from messages and disks alone.

    Attributes:
        count: N; all of 1..N are acceptors.
        rules: whether R1 to R6 are judged, or only agreement and validity.
    """

    count: int
    rules: bool = True
    asked: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)
    promised: dict[NodeId, Ballot] = field(default_factory=dict)
    accepted: dict[NodeId, Proposal] = field(default_factory=dict)
    acceptances: dict[Proposal, set[NodeId]] = field(default_factory=dict)
    begun: set[Ballot] = field(default_factory=set)
    pushed: dict[Ballot, str] = field(default_factory=dict)
    heard: dict[Ballot, dict[NodeId, Proposal | None]] = field(default_factory=dict)
    disks: dict[NodeId, Stored] = field(default_factory=dict)
    chosen: set[str] = field(default_factory=set)
    learned: set[str] = field(default_factory=set)

    def breaks(self, rule: str, text: str) -> None:
        """Report a broken rule, if rules are judged."""
        if self.rules or rule in {"Agreement", "Validity"}:
            raise Broken(rule, text)

    def quorum(self, nodes: set[NodeId]) -> bool:
        """Whether these are a majority."""
        return 2 * len(nodes) > self.count

    def on_recovered(self, node: NodeId, stored: Stored) -> None:
        """R6 (b): it comes back with what it had made durable."""
        disk = self.disks.get(node, Stored())
        if (stored.promised, stored.accepted) != (disk.promised, disk.accepted):
            self.breaks("R6", f"n{node} recovers {stored} from {disk}")

    def on_received(self, node: NodeId, given: Input) -> None:
        """Promises that reach their proposer may justify its first Accept."""
        match given:
            case Received(source, Promise(_, at, pair), _) if at.node_id == node:
                if source <= self.count and at not in self.pushed:
                    self.heard.setdefault(at, {})[source] = pair

    def on_persisted(self, node: NodeId, effect: Persist) -> None:
        """A record is on the disk."""
        match effect.record:
            case AcceptorRecord(_, _, pair):
                before = self.disks.get(node, Stored())
                self.disks[node] = written(before, effect.record)
                if pair is not None and pair != before.accepted:
                    self._has_accepted(node, pair)
            case LearnedRecord(_, at, value, _):
                if not self.quorum(self.acceptances.get(Proposal(at, value), set())):
                    self.breaks("R5", f"n{node} learns {value}, which is not chosen at {at}")
                self.learned.add(value)
                self._agreement()
            case record:
                self.disks[node] = written(self.disks.get(node, Stored()), record)

    def on_sent(self, node: NodeId, effect: Send) -> None:
        """A message leaves."""
        disk = self.disks.get(node, Stored())
        match effect.message:
            case Prepare(_, at):
                self.begun.add(at)
            case Promise(_, at, pair):
                self._keeps_promise(node, at)
                if pair != self.accepted.get(node):
                    self.breaks("R2", f"n{node} reports {pair}, not {self.accepted.get(node)}")
                if disk.promised < at:
                    self.breaks("R6", f"n{node} promises {at} before it is durable")
            case Accepted(_, at, value):
                self._keeps_promise(node, at)
                if disk.promised < at or disk.accepted != Proposal(at, value):
                    self.breaks("R6", f"n{node} says accepted {at} before it is durable")
                self._has_accepted(node, Proposal(at, value))
            case Accept(_, at, value):
                self._pushes(node, at, value)
            case _:
                pass

    def on_begun(self, node: NodeId, effects: tuple[Effect, ...]) -> None:
        """R3: a ballot is begun once, over all starts of its proposer."""
        for effect in effects:
            match effect:
                case Send(_, Prepare(_, at)) if at in self.begun:
                    self.breaks("R3", f"n{node} begins {at} again")
                case _:
                    pass

    def _keeps_promise(self, node: NodeId, at: Ballot) -> None:
        if at < self.promised.get(node, Ballot.ZERO):
            self.breaks("R1", f"n{node} promised {self.promised[node]} and says yes to {at}")
        self.promised[node] = max(at, self.promised.get(node, Ballot.ZERO))

    def _has_accepted(self, node: NodeId, pair: Proposal) -> None:
        highest = self.accepted.get(node)
        if highest is None or pair.ballot >= highest.ballot:
            self.accepted[node] = pair
        acceptors = self.acceptances.setdefault(pair, set())
        acceptors.add(node)
        if self.quorum(acceptors):
            self.chosen.add(pair.value)
            self._agreement()

    def _pushes(self, node: NodeId, at: Ballot, value: str) -> None:
        if value not in self.asked:
            self.breaks("Validity", f"nobody asked for {value}")
        if value in self.failed:
            self.breaks("Failed", f"a client was told that {value} failed")
        if at not in self.pushed:
            heard = self.heard.get(at, {})
            if not self.quorum(set(heard)):
                self.breaks("R4", f"n{node} pushes at {at} with promises of {sorted(heard)}")
            pairs = [pair for pair in heard.values() if pair is not None]
            top = max((pair.ballot for pair in pairs), default=None)
            if pairs and value not in {pair.value for pair in pairs if pair.ballot == top}:
                self.breaks("R4", f"n{node} pushes {value} at {at}, and heard {pairs}")
            self.pushed[at] = value
        elif self.pushed[at] != value:
            self.breaks("R3", f"n{node} pushes {self.pushed[at]} and {value} at {at}")

    def _agreement(self) -> None:
        if len(self.chosen | self.learned) > 1:
            self.breaks(
                "Agreement", f"chosen {sorted(self.chosen)}, learned {sorted(self.learned)}"
            )


def _is_send_of(effect: Effect, kind: type) -> bool:
    return isinstance(effect, Send) and isinstance(effect.message, kind)


@dataclass(slots=True)
class Process:
    """A running node: what a crash takes."""

    state: Instance
    timers: Timers
    answered: Counter[int] = field(default_factory=Counter)
    requests: int = 0


class Chaos:
    """Nodes 1..``count``, an adversary that ``seed`` decides, and a judge.

    Attributes:
        judge: what has happened, by the rules.
        seen: how often things happened that must happen sometimes.
    """

    def __init__(
        self,
        seed: int,
        count: int = 3,
        roles: Roles = ROLES,
        settings: Settings | None = None,
        *,
        rules: bool = True,
        checked: bool = False,
    ) -> None:
        """``checked`` asserts the laws of every step, too; it costs time."""
        self.chance = Chance(seed)
        self.members = tuple(range(1, count + 1))
        self.roles = roles
        self.settings = settings or Settings()
        self.judge = Judge(count, rules)
        self.checked = checked
        self.seen: Counter[str] = Counter()
        self.flight: list[tuple[NodeId, Received]] = []
        self.disks = dict.fromkeys(self.members, Stored())
        self.running: dict[NodeId, Process] = {}
        self.values = 0
        self.kills = 8
        for member in self.members:
            self._start(member)

    # The adversary.

    def run(self, steps: int = 120) -> None:
        """Let the adversary make this many moves."""
        for _ in range(steps):
            self._move()

    def _move(self) -> None:
        die = self.chance.between(1, 100)
        if die <= 76 and self.flight:
            self._deliver(self.chance.between(0, len(self.flight) - 1))
        elif die <= 79 and self.flight:
            self.flight.pop(self.chance.between(0, len(self.flight) - 1))
        elif die <= 87 and self.running:
            self._fire_any()
        elif die <= 93 and self.running and self.values < 4:
            self.propose(self._any(sorted(self.running)))
        elif die <= 95 and self.running and self.kills:
            self.kill(self._any(sorted(self.running)))
        elif down := [member for member in self.members if member not in self.running]:
            self._start(self._any(down))

    def _any(self, nodes: list[NodeId]) -> NodeId:
        return nodes[self.chance.between(0, len(nodes) - 1)]

    def _deliver(self, position: int) -> None:
        # One in eight is delivered and stays in flight: the network duplicates.
        to, given = self.flight[position]
        if self.chance.between(1, 8) > 1:
            self.flight[position] = self.flight[-1]
            self.flight.pop()
        if to in self.running:
            # One in forty kills its receiver somewhere in its effects.
            deadly = self.kills > 0 and self.chance.between(1, 40) == 1
            self.feed(to, given, self.chance.between(0, 6) if deadly else None)

    def _fire_any(self) -> None:
        node = self._any(sorted(self.running))
        timers = sorted(self.running[node].timers.running)
        # Clients are patient here: else too little would ever be chosen.
        if self.chance.between(1, 8) > 1:
            timers = [key for key in timers if key[0] is not Timer.GIVE_UP]
        if timers:
            self.fire(node, *timers[self.chance.between(0, len(timers) - 1)])

    # Moves, which a directed schedule may make, too.

    def propose(self, node: NodeId) -> str:
        """A client of this node wishes for a value that nobody else wishes for."""
        self.values += 1
        value = f"v{self.values}"
        self.judge.asked.add(value)
        process = self.running[node]
        process.requests += 1
        self.feed(node, ProposeRequested(INSTANCE, process.requests, value, 1_000))
        return value

    def fire(self, node: NodeId, timer: Timer, token: int = 0) -> None:
        """A timer of this node runs out."""
        reachable = tuple(peer for peer in sorted(self.running) if peer != node)
        self.feed(node, TimeoutFired(INSTANCE, timer, token, reachable))

    def kill(self, node: NodeId) -> None:
        """Memory is lost, the disk is kept."""
        self.kills -= 1
        self.seen["a kill"] += 1
        del self.running[node]

    def _start(self, node: NodeId) -> None:
        stored = self.roles.recover(self.disks[node])
        self.judge.on_recovered(node, stored)
        state = Instance.recovered(INSTANCE, node, self.members, self.settings, stored, self.roles)
        self.running[node] = Process(state, Timers())
        self.feed(node, Started(INSTANCE))
        for peer in self.members:
            if peer != node:
                self.flight.append((peer, Received(node, Status(INSTANCE))))

    def restart(self, node: NodeId) -> None:
        """A kill and a start."""
        self.kill(node)
        self._start(node)

    def deliver(self, kind: type, *to: NodeId, cut: int | None = None) -> None:
        """Deliver to each of these nodes the oldest message of a kind that is in flight to it.

        Where there is none, nothing happens: the correct protocol need not send it.
        """
        for node in to:
            for position, (target, given) in enumerate(self.flight):
                if target == node and isinstance(given.message, kind):
                    del self.flight[position]
                    self.feed(node, given, cut)
                    break

    # The driver.

    def feed(self, node: NodeId, given: Input, cut: int | None = None) -> None:
        """One step of a node; with ``cut``, a kill after that many of its effects."""
        process = self.running[node]
        before = process.state
        self.judge.on_received(node, given)
        process.state, effects = before.step(given)
        self._watch(node, given, effects, process.state)
        self.judge.on_begun(node, effects)
        if self.checked:
            check_step(before, given, effects, process.state)
        answers = isinstance(given, Received) and isinstance(given.message, Status)
        for effect in effects[:cut]:
            self._carry_out(node, process, effect, answers=answers)
        if cut is not None:
            self.seen["a kill within a step"] += 1
            self.kill(node)
            return
        process.timers.take(given, effects)
        if self.checked:
            process.timers.check(process.state)

    def _carry_out(self, node: NodeId, process: Process, effect: Effect, *, answers: bool) -> None:
        match effect:
            case Persist(record, _):
                self.disks[node] = written(self.disks[node], record)
                self.judge.on_persisted(node, effect)
            case Send(to, message):
                self.judge.on_sent(node, effect)
                self.flight.append((to, Received(node, message, answers)))
            case Answer(_, request, outcome, wanted, learned, _):
                process.answered[request] += 1
                assert process.answered[request] == 1, f"{effect} is a second answer"
                self.seen[f"a client was told {outcome}"] += 1
                if learned is not None and learned.value != wanted:
                    self.seen["a client was told that another value is chosen"] += 1
                if outcome is Outcome.FAILED:
                    assert wanted not in self.judge.pushed.values(), "it was not certain"
                    self.judge.failed.add(wanted)
            case _:
                pass

    def _watch(
        self, node: NodeId, given: Input, effects: tuple[Effect, ...], after: Instance
    ) -> None:
        """Count what must happen sometimes: a node that does nothing must not pass."""
        for effect in effects:
            if _is_send_of(effect, Nack):
                self.seen["a nack"] += 1
            if isinstance(effect, Ignore):
                self.seen["an input was ignored"] += 1
        if any(_is_send_of(effect, Accept) for effect in effects):
            wishes, pushing = after.proposer.wishes, after.proposer.pushing
            assert pushing is not None, "an Accept pushes something"
            if after.proposer.reported is not None:
                self.seen["a reported value was pushed"] += 1
                if wishes and wishes[0].value != pushing.value:
                    self.seen["a proposer had to push another's value"] += 1
        rivals = {at.node_id for at in self.judge.begun}
        if any(_is_send_of(effect, Prepare) for effect in effects):
            if rivals - {node} and not self.judge.chosen:
                self.seen["two proposers duelled"] += 1
            if isinstance(given, TimeoutFired) and given.timer is Timer.OWN_BALLOT:
                self.seen["a node began a ballot of its own"] += 1
        if self.judge.chosen:
            self.seen["a value was chosen"] += 1

    # The end: everything heals, and time passes.

    def heal(self, *up: NodeId) -> None:
        """Only ``up`` (or all) run; every message arrives, timers fire in order, for a minute."""
        up = up or self.members
        for node in self.members:
            if node in self.running and node not in up:
                del self.running[node]
            if node not in self.running and node in up:
                self._start(node)
        # When the adversary leaves, timers begin anew, each within its range.
        due = {
            (node, *key): self.chance.between(timer.least_ms, timer.most_ms)
            for node in up
            for key, timer in self.running[node].timers.running.items()
        }
        for node in up:
            for peer in up:
                if peer != node:
                    self._feed_fairly(0, due, node, LinkUp(INSTANCE, peer))
                    self.flight.append((peer, Received(node, Status(INSTANCE))))
        now = 0
        while now < 60_000:
            if self.flight:
                to, given = self.flight.pop(0)
                if to in up:
                    self._feed_fairly(now, due, to, given)
                continue
            if not due:
                return
            now, (node, timer, token) = min((at, key) for key, at in due.items())
            del due[node, timer, token]
            reachable = tuple(peer for peer in up if peer != node)
            self._feed_fairly(now, due, node, TimeoutFired(INSTANCE, timer, token, reachable))

    def _feed_fairly(
        self,
        now: int,
        due: dict[tuple[NodeId, Timer, int], int],
        node: NodeId,
        given: Input,
    ) -> None:
        process = self.running[node]
        before = dict(process.timers.running)
        self.feed(node, given)
        for key, timer in process.timers.running.items():
            if before.get(key) is not timer:
                due[node, *key] = now + self.chance.between(timer.least_ms, timer.most_ms)
        for key in before:
            if key not in process.timers.running:
                due.pop((node, *key), None)

    def known(self, *nodes: NodeId) -> set[str | None]:
        """What these nodes have learned; ``None`` for one that has not."""
        states = [self.running[node].state.learner.learned for node in nodes or self.members]
        return {None if known is None else known.value for known in states}
