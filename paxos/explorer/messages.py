"""The message-set model: the core's handlers under the semantics of ``Paxos.tla``.

A state is the set of all messages ever sent; none is ever removed, so loss,
delay, duplication and re-ordering need no actions. What an acceptor remembers
follows from what it has sent, and a proposer has no memory at all: its ballot
may ask for acceptance as soon as the messages of a quorum allow it. The
counts are those that others published for the same semantics:

    acceptors, values, ballots    distinct    generated    depth
    1, 1, (0, 1)                        25           82        9
    3, 2, (0, 1)                     3,921       23,563       17
    3, 2, (0, 1, 2)                185,369    1,361,380       25

"Generated" counts the initial state and every way to a successor, repeated
messages included; Phase2a counts once for each quorum (a minimal majority)
and each promise in it that may dictate the value. Depth counts from 1.

The actions are the core's handlers under the guards of the specification:

Phase1a   a proposer begins (:meth:`Proposer.on_propose`);
Phase1b   ``Acceptor.on_prepare``, when it promises a ballot that is not the one
          promised already: the core answers that again, the specification not;
Phase2a   ``Proposer.on_promise``, over any promises in any order, when that
          makes it ask for acceptance, once per ballot;
Phase2b   ``Acceptor.on_accept``, when it accepts, again included.

Roles of a broken variant take the place of the correct ones. Then an acceptor
may also start again, where :attr:`Roles.recover` changes what it remembers;
and where that forgets the round, its proposer uses a number twice. Neither
adds a state to the correct protocol. There is no disk in this model, so R6
does not live here, and no timer. The rules are judged by messages alone.

States are integers: each acceptor's memory as the number of its interned
state, then a bit for each message.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import combinations, product
from typing import Final

from paxos.protocol import (
    ROLES,
    Accept,
    Accepted,
    Acceptor,
    Ballot,
    Effect,
    Learner,
    Message,
    NodeId,
    Prepare,
    Promise,
    Proposal,
    Proposer,
    ProposeRequested,
    Report,
    Roles,
    Send,
    Settings,
    Stored,
    majority,
)

CHOSEN: Final = "a value can be chosen"
AGREEMENT: Final = "agreement"
RULES: Final = ("R1", "R2", "R3", "R4", "R5", AGREEMENT)
"""What always holds, if the protocol is correct."""

MOST_ACCEPTORS: Final = 5
_INSTANCE: Final = 1
_PROPOSER: Final = 1
_MEMORY_BITS: Final = 12
_MESSAGE_SHIFT: Final = MOST_ACCEPTORS * _MEMORY_BITS
_TELL_EVERY: Final = 50_000


@dataclass(frozen=True, slots=True)
class Trace:
    """A shortest way to something.

    Attributes:
        what: a rule, or :data:`CHOSEN`.
        steps: sentences; their number is the length.
    """

    what: str
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the search is: levels count from 1."""

    distinct: int
    generated: int
    depth: int
    frontier: int


@dataclass(frozen=True, slots=True)
class Explored:
    """What the search found.

    Attributes:
        acceptors, values, ballots: the bounds.
        distinct, generated, depth: the counts, as above.
        complete: whether every state was visited; else it was stopped.
        traces: by rule, the shortest way to its first breach; and the one to
            :data:`CHOSEN`.
    """

    acceptors: int
    values: int
    ballots: int
    distinct: int
    generated: int
    depth: int
    complete: bool
    traces: dict[str, Trace]

    @property
    def verdicts(self) -> dict[str, str]:
        """By rule ``holds``, ``violated``, or ``not found`` when it was stopped before.

        :data:`CHOSEN` is the *sometimes*: ``reached`` or ``never``.
        """
        unseen = "holds" if self.complete else "not found"
        found = {rule: "violated" if rule in self.traces else unseen for rule in RULES}
        never = "never" if self.complete else "not found"
        return found | {CHOSEN: "reached" if CHOSEN in self.traces else never}

    @property
    def first_broken(self) -> Trace | None:
        """The trace to the rule that breaks first."""
        broken = [self.traces[rule] for rule in RULES if rule in self.traces]
        return min(broken, key=lambda trace: len(trace.steps), default=None)


def explore_messages(
    acceptors: int,
    values: int,
    ballots: int,
    roles: Roles = ROLES,
    *,
    until: frozenset[str] | None = None,
    watch: Callable[[Progress], bool] = lambda _progress: True,
) -> Explored:
    """Visit every state, breadth-first.

    Args:
        acceptors: how many, 1 to 5.
        values: how many different values proposers may wish for.
        ballots: how many ballots there are: 0 to ``ballots - 1``.
        roles: the correct ones, or a broken variant's.
        until: stop when a way to each of these (rules, :data:`CHOSEN`) is known.
        watch: told of the progress now and then; false stops the search.
    """
    assert 1 <= acceptors <= MOST_ACCEPTORS, f"1 to {MOST_ACCEPTORS} acceptors, not {acceptors}"
    assert values >= 1, f"at least one value, not {values}"
    assert ballots >= 1, f"at least one ballot, not {ballots}"
    return _Search(_Model(acceptors, values, ballots, roles), until, watch).run()


# --- the model ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Step:
    """A transition of one acceptor or ballot, for every state with the same key.

    Attributes:
        change: the bits of the state to be turned over in the acceptors' memories.
        sent: the bit of the message that is sent, in place; 0 for none.
        ways: how often the specification counts it.
        broken: the rules that it breaks.
        sentence: what happens.
    """

    change: int
    sent: int
    ways: int
    broken: tuple[str, ...]
    sentence: str


@dataclass(slots=True)
class _Attempt:
    """All that a proposer can do at one ballot, whatever promises it gets in whatever order.

    Attributes:
        nodes: its states, each with the values that it has asked to accept.
        starts: the states right after it began, one for each value.
        prepare: the bit of its Prepare; 0 for none.
        ways: from (state, message) to the next state; only where something changes.
        heeded: the messages that change anything, as bits.
    """

    nodes: list[tuple[Proposer, frozenset[str]]] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    prepare: int = 0
    ways: dict[tuple[int, int], int] = field(default_factory=dict)
    heeded: int = 0
    numbers: dict[tuple[Proposer, frozenset[str]], int] = field(default_factory=dict)
    steps: dict[int, tuple[_Step, ...]] = field(default_factory=dict)

    def number(self, node: tuple[Proposer, frozenset[str]]) -> int:
        if node not in self.numbers:
            self.numbers[node] = len(self.nodes)
            self.nodes.append(node)
        return self.numbers[node]


class _Model:
    """The transitions of a state, each worked out by the core once."""

    def __init__(self, acceptors: int, values: int, ballots: int, roles: Roles) -> None:
        self.bounds: Final = (acceptors, values, ballots)
        self.roles: Final = roles
        self.members: Final = tuple(range(1, acceptors + 1))
        self.ballots: Final = tuple(Ballot(number + 1, _PROPOSER) for number in range(ballots))
        self.values: Final = tuple(f"v{number + 1}" for number in range(values))
        self.quorum: Final = majority(acceptors)
        self._config = roles.config(_INSTANCE, _PROPOSER, self.members, Settings())
        # A number is reused when the round does not come back from the disk.
        self._reuses = roles.recover(Stored(round=1)).round != 1
        self._memories: list[Acceptor] = []
        self._memory_numbers: dict[Acceptor, int] = {}
        self._messages: list[tuple[NodeId, Message]] = []
        self._bits: dict[tuple[NodeId, Message], int] = {}
        self._attempts: dict[Ballot, _Attempt] = {}
        # Bits of messages, in place: requests, replies by acceptor, acceptances.
        self._requests = 0
        self._replies = dict.fromkeys(self.members, 0)
        self._acceptances = 0
        self._acceptor_steps: dict[NodeId, dict[int, tuple[_Step, ...]]] = {
            member: {} for member in self.members
        }
        self._known: dict[int, tuple[frozenset[str], frozenset[str]]] = {0: (frozenset(),) * 2}
        first = self._memory(roles.acceptor(_INSTANCE))
        self.initial = sum(first << self._shift(member) for member in self.members)
        self._prepares = tuple(step for ballot in self.ballots for step in self._begin(ballot))

    # --- what is asked --------------------------------------------------------

    def steps(self, state: int) -> Iterator[_Step]:
        """Every transition of a state, in a fixed order."""
        yield from self._prepares
        for ballot in self.ballots:
            attempt = self._attempts[ballot]
            key = state & (attempt.heeded | self._requests)
            steps = attempt.steps.get(key)
            if steps is None:
                # What is heeded may have grown, with what was known of it.
                steps = self._attempt_steps(ballot, attempt, state)
                attempt.steps[state & (attempt.heeded | self._requests)] = steps
            yield from steps
        for member in self.members:
            known = self._acceptor_steps[member]
            own = ((1 << _MEMORY_BITS) - 1) << self._shift(member)
            key = state & (own | self._requests | self._replies[member])
            steps = known.get(key)
            if steps is None:
                steps = known[key] = tuple(self._steps_of(member, state))
            yield from steps

    def chosen_and_learned(self, state: int) -> tuple[frozenset[str], frozenset[str]]:
        """The values that a quorum has accepted at one ballot, and those that a learner may learn."""
        key = state & self._acceptances
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = (self._chosen(key), self._learned(key))
        return known

    def messages(self, bits: int) -> Iterator[tuple[NodeId, Message]]:
        """The messages of a set, with their senders (0: a proposer)."""
        rest = bits >> _MESSAGE_SHIFT
        while rest:
            low = rest & -rest
            yield self._messages[low.bit_length() - 1]
            rest ^= low

    # --- acceptors ------------------------------------------------------------

    def _steps_of(self, member: NodeId, state: int) -> Iterator[_Step]:
        shift = self._shift(member)
        number = state >> shift & ((1 << _MEMORY_BITS) - 1)
        memory = self._memories[number]
        replies = [message for _, message in self.messages(state & self._replies[member])]
        for _, request in self.messages(state & self._requests):
            assert isinstance(request, Prepare | Accept), "acceptors are asked these two"
            if isinstance(request, Prepare):
                if request.ballot == memory.promised:
                    continue
                after, effects = memory.on_prepare(_PROPOSER, request)
            else:
                after, effects = memory.on_accept(_PROPOSER, request)
            for reply in _sent(effects):
                if isinstance(reply, Promise | Accepted):
                    yield _Step(
                        (number ^ self._memory(after)) << shift,
                        self._bit(member, reply),
                        1,
                        _broken_by_reply(reply, replies),
                        _reply_sentence(member, reply),
                    )
        back = self.roles.recover(Stored(memory.promised, memory.accepted, round=1))
        restarted = self._memory(self.roles.acceptor(_INSTANCE, back.promised, back.accepted))
        if restarted != number:
            yield _Step((number ^ restarted) << shift, 0, 1, (), f"n{member} restarts")

    def _memory(self, acceptor: Acceptor) -> int:
        number = self._memory_numbers.get(acceptor)
        if number is None:
            number = self._memory_numbers[acceptor] = len(self._memories)
            assert number < 1 << _MEMORY_BITS, "an acceptor has more states than there is room for"
            self._memories.append(acceptor)
        return number

    def _shift(self, member: NodeId) -> int:
        return (member - 1) * _MEMORY_BITS

    # --- messages -------------------------------------------------------------

    def _bit(self, sender: NodeId, message: Message) -> int:
        bit = self._bits.get((sender, message))
        if bit is None:
            bit = self._bits[sender, message] = 1 << (_MESSAGE_SHIFT + len(self._messages))
            self._messages.append((sender, message))
            if sender:
                self._replies[sender] |= bit
            else:
                self._requests |= bit
            if isinstance(message, Accepted):
                self._acceptances |= bit
            if isinstance(message, Promise):
                for attempt in self._attempts.values():
                    self._extend(attempt, range(len(attempt.nodes)), [(bit, sender, message)])
        return bit

    # --- proposers ------------------------------------------------------------

    def _begin(self, ballot: Ballot) -> Iterator[_Step]:
        """Phase1a; the same for every value, of which a Prepare says nothing."""
        attempt = self._attempts[ballot] = _Attempt()
        idle = self.roles.proposer(self._config, last_round=ballot.round - 1)
        for value in self.values:
            begun, effects = idle.on_propose(ProposeRequested(_INSTANCE, 1, value, 1))
            assert begun.ballot == ballot, f"it began {begun.ballot}, not {ballot}"
            attempt.starts.append(attempt.number((begun, _asked(effects))))
            if Prepare(_INSTANCE, ballot) in _sent(effects):
                attempt.prepare = self._bit(0, Prepare(_INSTANCE, ballot))
        # Who skips phase 1 sends none.
        if attempt.prepare:
            yield _Step(
                0, attempt.prepare, 1, (), f"ballot {_shown(ballot)} begins: Prepare to all"
            )

    def _extend(
        self, attempt: _Attempt, nodes: range, promises: list[tuple[int, NodeId, Promise]]
    ) -> None:
        """Give promises to states of a proposer, and all promises to states that come of it."""
        todo = [(node, promise) for node in nodes for promise in promises]
        heeded = attempt.heeded
        while todo:
            node, (bit, source, promise) = todo.pop()
            proposer, asked = attempt.nodes[node]
            after, effects = proposer.on_promise(source, promise)
            asking = asked | _asked(effects)
            if (after, asking) == (proposer, asked):
                continue
            known = len(attempt.nodes)
            attempt.ways[node, bit] = number = attempt.number((after, asking))
            attempt.heeded |= bit
            if number == known:
                todo += [(number, one) for one in self._promises()]
        if attempt.heeded != heeded:
            # Keys of old were made without the bits that count from now on.
            attempt.steps.clear()

    def _promises(self) -> Iterator[tuple[int, NodeId, Promise]]:
        for (sender, message), bit in self._bits.items():
            if isinstance(message, Promise):
                yield bit, sender, message

    def _attempt_steps(self, ballot: Ballot, attempt: _Attempt, state: int) -> tuple[_Step, ...]:
        """Phase2a at a ballot: which values its proposer may ask to accept now."""
        if attempt.prepare & ~state:
            return ()
        asked = frozenset(
            request.value
            for _, request in self.messages(state & self._requests)
            if isinstance(request, Accept) and request.ballot == ballot
        )
        # The specification's ways to a value: a quorum and a witness in it.
        ways: dict[str, dict[tuple[Report, ...], int]] = {}
        for node in self._reach(attempt, state):
            proposer, sent = attempt.nodes[node]
            fresh = sent if self._reuses else sent - asked if sent >= asked else frozenset()
            for value in fresh if len(fresh) == 1 else ():
                ways.setdefault(value, {})[proposer.promises] = _witness_count(proposer, value)
        return tuple(
            _Step(
                0,
                self._bit(0, Accept(_INSTANCE, ballot, value)),
                sum(found.values()),
                self._broken_by_accept(ballot, value, asked, state),
                f"ballot {_shown(ballot)} asks to accept {value}",
            )
            for value, found in sorted(ways.items())
        )

    def _reach(self, attempt: _Attempt, state: int) -> list[int]:
        """The states of a proposer that the promises sent so far can bring about, in order."""
        bits = [bit for bit, _, _ in self._promises() if bit & state & attempt.heeded]
        reached = set(attempt.starts)
        todo = list(attempt.starts)
        while todo:
            node = todo.pop()
            for bit in bits:
                after = attempt.ways.get((node, bit))
                if after is not None and after not in reached:
                    reached.add(after)
                    todo.append(after)
        return sorted(reached)

    def _broken_by_accept(
        self, ballot: Ballot, value: str, asked: frozenset[str], state: int
    ) -> tuple[str, ...]:
        broken = ["R3"] if asked - {value} else []
        reports: dict[NodeId, list[Proposal | None]] = {}
        for sender, message in self.messages(state):
            if isinstance(message, Promise) and message.ballot == ballot:
                reports.setdefault(sender, []).append(message.accepted)
        if not self._is_justified(value, reports):
            broken.append("R4")
        return tuple(broken)

    def _is_justified(self, value: str, reports: dict[NodeId, list[Proposal | None]]) -> bool:
        """R4: some quorum reports nothing, or its highest report dictates the value."""
        for members in combinations(sorted(reports), self.quorum):
            for answers in product(*(reports[member] for member in members)):
                pairs = [answer for answer in answers if answer is not None]
                highest = max((pair.ballot for pair in pairs), default=None)
                if highest is None or any(
                    pair.ballot == highest and pair.value == value for pair in pairs
                ):
                    return True
        return False

    # --- learners -------------------------------------------------------------

    def _chosen(self, bits: int) -> frozenset[str]:
        by_pair: dict[tuple[Ballot, str], set[NodeId]] = {}
        for sender, message in self.messages(bits):
            assert isinstance(message, Accepted), "only acceptances are counted"
            by_pair.setdefault((message.ballot, message.value), set()).add(sender)
        return frozenset(
            value for (_, value), senders in by_pair.items() if len(senders) >= self.quorum
        )

    def _learned(self, bits: int) -> frozenset[str]:
        """What a learner learns that heard of these acceptances, or of some, each once or twice.

        Each set is given in one order: a learner counts and keeps no order.
        """
        learner: Learner = self.roles.learner(self._config)
        learned: frozenset[str] = frozenset()
        for sender, message in self.messages(bits):
            assert isinstance(message, Accepted), "only acceptances are counted"
            for _ in range(2):
                learner, _ = learner.on_accepted(sender, message)
            learned |= self.chosen_and_learned(bits ^ self._bits[sender, message])[1]
        if learner.learned is not None:
            learned |= {learner.learned.value}
        return learned


def _sent(effects: list[Effect]) -> list[Message]:
    return [effect.message for effect in effects if isinstance(effect, Send)]


def _asked(effects: list[Effect]) -> frozenset[str]:
    """The values that a proposer asks to accept."""
    return frozenset(message.value for message in _sent(effects) if isinstance(message, Accept))


def _witness_count(proposer: Proposer, value: str) -> int:
    """How many promises may have dictated the value; 1 when it was free."""
    pairs = [report.accepted for report in proposer.promises if report.accepted is not None]
    highest = max((pair.ballot for pair in pairs), default=None)
    return max(1, sum(pair.ballot == highest and pair.value == value for pair in pairs))


def _broken_by_reply(reply: Promise | Accepted, replies: list[Message]) -> tuple[str, ...]:
    """R1 and R2, by what an acceptor has sent before."""
    earlier = [sent for sent in replies if isinstance(sent, Promise | Accepted)]
    broken = ["R1"] if any(sent.ballot > reply.ballot for sent in earlier) else []
    if isinstance(reply, Promise):
        pairs = [Proposal(s.ballot, s.value) for s in earlier if isinstance(s, Accepted)]
        highest = max((pair.ballot for pair in pairs), default=None)
        if not any(pair == reply.accepted for pair in pairs if pair.ballot == highest) and (
            pairs or reply.accepted is not None
        ):
            broken.append("R2")
    return tuple(broken)


def _reply_sentence(member: NodeId, reply: Promise | Accepted) -> str:
    if isinstance(reply, Accepted):
        return f"n{member} accepts {reply.value} at {_shown(reply.ballot)}"
    if reply.accepted is None:
        return f"n{member} promises {_shown(reply.ballot)} and reports nothing"
    pair = reply.accepted
    return (
        f"n{member} promises {_shown(reply.ballot)} and reports "
        f"{pair.value}, accepted at {_shown(pair.ballot)}"
    )


def _shown(ballot: Ballot) -> int:
    """A ballot as the specification counts it, from 0."""
    return ballot.round - 1


# --- the search --------------------------------------------------------------


class _Search:
    """Breadth-first, with the way back to the initial state."""

    def __init__(
        self, model: _Model, until: frozenset[str] | None, watch: Callable[[Progress], bool]
    ) -> None:
        self._model = model
        self._until = until
        self._watch = watch
        self._parents: dict[int, int] = {model.initial: -1}
        self._traces: dict[str, Trace] = {}
        self._generated = 1
        self._depth = 1

    def run(self) -> Explored:
        level = [self._model.initial]
        complete = True
        while level and complete:
            following: list[int] = []
            complete = self._expand(level, following)
            level = following
            self._depth += bool(level)
        acceptors, values, ballots = self._model.bounds
        return Explored(
            acceptors,
            values,
            ballots,
            len(self._parents),
            self._generated,
            self._depth,
            complete,
            self._traces,
        )

    def _expand(self, level: list[int], following: list[int]) -> bool:
        """Visit the successors of a level; whether to go on."""
        parents, model = self._parents, self._model
        for count, state in enumerate(level):
            if count % _TELL_EVERY == 0 and not self._goes_on(len(level) - count):
                return False
            for step in model.steps(state):
                self._generated += step.ways
                if step.broken:
                    for rule in step.broken:
                        self._note(rule, state, step)
                after = (state ^ step.change) | step.sent
                if after not in parents:
                    parents[after] = state
                    following.append(after)
                    self._judge(state, after, step)
        return self._until is None or not self._until <= self._traces.keys()

    def _goes_on(self, frontier: int) -> bool:
        return self._watch(Progress(len(self._parents), self._generated, self._depth, frontier))

    def _judge(self, state: int, after: int, step: _Step) -> None:
        chosen, learned = self._model.chosen_and_learned(after)
        if not chosen and not learned:
            return
        if chosen:
            self._note(CHOSEN, state, step)
        if not learned <= chosen:
            self._note("R5", state, step)
        if len(chosen | learned) > 1:
            self._note(AGREEMENT, state, step)

    def _note(self, what: str, state: int, last: _Step) -> None:
        """Keep the first way to something: the search is breadth-first, so none is shorter."""
        if what in self._traces:
            return
        way = [last.sentence]
        while self._parents[state] >= 0:
            before = self._parents[state]
            way.append(self._sentence(before, state))
            state = before
        self._traces[what] = Trace(what, tuple(reversed(way)))

    def _sentence(self, state: int, after: int) -> str:
        return next(
            step.sentence
            for step in self._model.steps(state)
            if (state ^ step.change) | step.sent == after
        )
