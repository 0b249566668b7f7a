"""Which values can still be chosen from a state on: a small search for the correct protocol.

A search over whole nodes (``tables``) grows with everything that a node can do,
and five nodes with two ballots are out of its reach. What is chosen depends on
less, so this search keeps less. It calls the real acceptors and proposers, and
leaves out what no choice of the *correct* protocol depends on:

1. *Nobody learns.* Learning sets a proposer at rest and changes no acceptor: it
   ends behaviour and adds none.
2. *Nobody is refused.* A refusal only tells how high to go; here a ballot may
   begin above any that somebody may have promised, whether its proposer knows
   or not.
3. *A promise is heard at once.* A promise that is heard later could as well have
   been given later; one that is never heard only binds its acceptor, which takes
   possible choices away and adds none.
4. *Acceptors have no names.* A quorum is a number of acceptors, so states that
   differ in who is who are one: a state holds its acceptors sorted.
5. *What is over is forgotten*: requests that would be refused, promises of a
   ballot that is past phase 1, and who accepted what can no longer be chosen.

Each of these allows as much as real nodes can do, or more, so a value that
cannot be chosen here cannot be chosen. None of them holds for every broken
protocol, so those are searched as whole nodes. A test compares both searches.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple, TypeVar

from paxos.explorer.node import Pair
from paxos.explorer.tables import Interned, bits_of
from paxos.protocol import (
    Accept,
    Acceptor,
    Ballot,
    NodeId,
    Phase,
    Prepare,
    Promise,
    Proposal,
    Proposer,
    Report,
    Send,
    Wish,
    majority,
)

T = TypeVar("T")

_REQUEST: Final = 1
"""The number of the one client's wish that a begun ballot has here."""


@dataclass(frozen=True, slots=True)
class AcceptorStart:
    """An acceptor as the search finds it.

    Attributes:
        node: whose it is; only what was heard before the search depends on that.
        acceptor: its state; that of its disk, if it is down.
        accepted: all that it ever accepted, what it has overwritten since included.
        requests: Prepares and Accepts to it that may still arrive.
        promises: Promises of it that may still arrive, with their addressees.
        gone: whether it will never answer again, for its disk is lost.
    """

    node: NodeId
    acceptor: Acceptor
    accepted: frozenset[Pair] = frozenset()
    requests: tuple[Prepare | Accept, ...] = ()
    promises: tuple[tuple[NodeId, Promise], ...] = ()
    gone: bool = False


@dataclass(frozen=True, slots=True)
class ChoiceBounds:
    """How often what may happen, from the state on.

    Attributes:
        beginners: the nodes that may begin ballots.
        values: what new clients may wish for.
        ballots: how many ballots may be begun in all.
        crashes: how many proposers may lose their memory in all.
        limit: how many states are visited at most.
    """

    beginners: tuple[NodeId, ...]
    values: tuple[str, ...]
    ballots: int
    crashes: int = 0
    limit: int = 100_000


@dataclass(frozen=True, slots=True)
class Choices:
    """What was found.

    Attributes:
        values: those that some state has chosen, in the order in which they were found.
        two: whether some state has chosen two.
        states: how many were visited.
        depth: how many levels.
        complete: whether these are all that there are.
    """

    values: tuple[str, ...]
    two: bool
    states: int
    depth: int
    complete: bool


class _Column(NamedTuple):
    """An acceptor in a state, in small numbers.

    Attributes:
        kept: the number of its :class:`Acceptor`; -1 - that number if it is gone.
        history: the pairs that it has accepted and that may still count, as bits.
        accepts: the pairs that it alone is asked to accept, from before, as bits.
        prepares: the proposers whose old Prepare may still arrive, as bits.
        late: by proposer, the reports of old Promises that may still arrive.
        heard: by proposer, the report that it counts in its present ballot; -1 for none.
    """

    kept: int
    history: int
    accepts: int
    prepares: int
    late: tuple[tuple[int, ...], ...]
    heard: tuple[int, ...]


class _State(NamedTuple):
    """The columns are sorted, so that who is who makes no difference.

    Attributes:
        columns: one for each acceptor.
        proposers: their numbers.
        pushed: the pairs that every acceptor is asked to accept, as bits.
        chosen: the values that are chosen, as bits.
        ballots: how many were begun.
        crashes: how many there were.
    """

    columns: tuple[_Column, ...]
    proposers: tuple[int, ...]
    pushed: int
    chosen: int
    ballots: int
    crashes: int


Watch = Callable[[int], bool]
"""Called now and then with the count of states; the search stops when it returns false."""


def find_choices(
    acceptors: Sequence[AcceptorStart],
    proposers: Sequence[Proposer],
    bounds: ChoiceBounds,
    watch: Watch | None = None,
) -> Choices:
    """Visit all that can happen, nearest first.

    Args:
        acceptors: all of them.
        proposers: those that may act: the beginners, and whoever has a ballot
            under way. One that has learned is to be left out.
        bounds: how far to go.
        watch: to stop it.
    """
    return _Search(acceptors, proposers, bounds).run(watch)


class _Search:
    def __init__(
        self,
        acceptors: Sequence[AcceptorStart],
        proposers: Sequence[Proposer],
        bounds: ChoiceBounds,
    ) -> None:
        self._bounds = bounds
        self._quorum = majority(len(acceptors))
        self._acceptors: Interned[Acceptor] = Interned()
        self._reports: Interned[Proposal | None] = Interned()
        self._proposers: Interned[Proposer] = Interned()
        self._pairs: Interned[Proposal] = Interned()
        self._values: Interned[str] = Interned()
        self._ids = tuple(proposer.config.node_id for proposer in proposers)
        # What was begun before the search went to whom it went; later ballots go to all.
        self._old = tuple(proposer.ballot for proposer in proposers)
        self._old_rounds = {0, *(ballot.round for ballot in self._old)} | {
            request.ballot.round for start in acceptors for request in start.requests
        }
        self._accepting: dict[tuple[int, int], int] = {}
        self._living: dict[tuple[int, int], int] = {}
        self._promising: dict[tuple[int, Ballot], tuple[int, int] | None] = {}
        columns = [self._column(start, proposers) for start in acceptors]
        numbers = tuple(self._proposers.number(_at_start(proposer)) for proposer in proposers)
        self._first = self._normal(_State(tuple(columns), numbers, 0, 0, 0, 0))

    def run(self, watch: Watch | None) -> Choices:
        seen = {self._first}
        level, depth, chosen, two = [self._first], 0, self._first.chosen, False
        complete = True
        while level and complete:
            depth += 1
            following = []
            for count, state in enumerate(level):
                two = two or state.chosen.bit_count() > 1
                for after in self._after(state):
                    if after not in seen:
                        seen.add(after)
                        following.append(after)
                        chosen |= after.chosen
                stopped = count % 500 == 0 and watch is not None and not watch(len(seen))
                if stopped or len(seen) > self._bounds.limit:
                    complete = False
                    break
            level = following
        values = tuple(self._values.items[bit] for bit in bits_of(chosen))
        return Choices(values, two, len(seen), depth, complete)

    def _column(self, start: AcceptorStart, proposers: Sequence[Proposer]) -> _Column:
        kept = self._acceptors.number(start.acceptor)
        heard, late, prepares = [], [], 0
        for position, proposer in enumerate(proposers):
            is_preparing = proposer.phase is Phase.PREPARING
            reports = {report.node: report.accepted for report in proposer.promises}
            known = is_preparing and start.node in reports
            heard.append(self._reports.number(reports[start.node]) if known else -1)
            old = {
                self._reports.number(promise.accepted)
                for to, promise in start.promises
                if to == self._ids[position] and promise.ballot == proposer.ballot
            }
            late.append(tuple(sorted(old)) if is_preparing and not known else ())
            asked = any(
                isinstance(request, Prepare) and request.ballot == proposer.ballot
                for request in start.requests
            )
            prepares |= (is_preparing and not known and asked) << position
        history = accepts = 0
        for ballot, value in sorted(start.accepted):
            history |= 1 << self._pair(Proposal(ballot, value))
        for request in start.requests:
            if isinstance(request, Accept):
                accepts |= 1 << self._pair(Proposal(request.ballot, request.value))
        return _Column(
            -1 - kept if start.gone else kept,
            history,
            accepts,
            prepares,
            tuple(late),
            tuple(heard),
        )

    def _pair(self, pair: Proposal) -> int:
        self._values.number(pair.value)
        return self._pairs.number(pair)

    def _normal(self, state: _State) -> _State:
        """The state that stands for this one: without what can make no difference any more.

        A pair that nobody can newly accept has been chosen by now, or never
        will be; either way who accepted it does not matter.
        """
        pushed, living, met = state.pushed, 0, 0
        for column in state.columns:
            living |= self._live(column.kept, column.accepts | pushed)
            met |= column.history
        chosen, counts = state.chosen, met & living
        for bit in bits_of(met):
            if sum(column.history >> bit & 1 for column in state.columns) >= self._quorum:
                chosen |= 1 << self._values.number(self._pairs.items[bit].value)
                counts &= ~(1 << bit)
        columns = sorted(
            _Column(
                column.kept,
                column.history & counts,
                self._live(column.kept, column.accepts),
                column.prepares,
                column.late,
                column.heard,
            )
            for column in state.columns
        )
        return _State(
            tuple(columns),
            self._still_acting(state),
            pushed & living,
            chosen,
            state.ballots,
            state.crashes,
        )

    def _still_acting(self, state: _State) -> tuple[int, ...]:
        """The proposers, but -1 for one that will do nothing any more."""
        bounds = self._bounds
        if state.crashes < bounds.crashes:
            return state.proposers
        may_begin = state.ballots < bounds.ballots
        return tuple(
            number
            if number >= 0
            and (
                (may_begin and node in bounds.beginners)
                or self._proposers.items[number].phase is Phase.PREPARING
            )
            else -1
            for node, number in zip(self._ids, state.proposers, strict=True)
        )

    def _live(self, kept: int, pairs: int) -> int:
        """Those of these pairs that an acceptor would newly accept."""
        if kept < 0 or not pairs:
            return 0
        key = kept, pairs
        found = self._living.get(key)
        if found is None:
            found = 0
            for bit in bits_of(pairs):
                found |= (self._accepted(kept, bit) != kept) << bit
            self._living[key] = found
        return found

    # What can happen.

    def _after(self, state: _State) -> Iterator[_State]:
        before = None
        for place, column in enumerate(state.columns):
            # Sorted: what an equal acceptor does was tried already.
            if column != before and column.kept >= 0:
                for bit in bits_of(self._live(column.kept, column.accepts | state.pushed)):
                    after = column._replace(
                        kept=self._accepted(column.kept, bit), history=column.history | 1 << bit
                    )
                    yield self._normal(_with(state, place, after))
                yield from self._promises(state, place, column)
            before = column
        for position in range(len(self._ids)):
            yield from self._begins(state, position)

    def _accepted(self, number: int, bit: int) -> int:
        key = number, bit
        found = self._accepting.get(key)
        if found is None:
            acceptor, pair = self._acceptors.items[number], self._pairs.items[bit]
            request = Accept(acceptor.instance, pair.ballot, pair.value)
            after, _ = acceptor.on_accept(pair.ballot.node_id, request)
            found = self._acceptors.number(after) if after.accepted == pair else number
            self._accepting[key] = found
        return found

    def _promises(self, state: _State, place: int, column: _Column) -> Iterator[_State]:
        for position, number in enumerate(state.proposers):
            if number < 0:
                continue
            proposer = self._proposers.items[number]
            if proposer.phase is not Phase.PREPARING or column.heard[position] >= 0:
                continue
            ballot = proposer.ballot
            found = [(column.kept, report) for report in column.late[position]]
            if ballot != self._old[position] or column.prepares >> position & 1:
                promised = self._promised(column.kept, ballot)
                if promised is not None:
                    found.append(promised)
            for kept, report in found:
                after = column._replace(
                    kept=kept,
                    prepares=column.prepares & ~(1 << position),
                    late=_changed(column.late, position, ()),
                    heard=_changed(column.heard, position, report),
                )
                yield self._normal(self._settled(_with(state, place, after), position))

    def _promised(self, number: int, ballot: Ballot) -> tuple[int, int] | None:
        """What an acceptor is after it has promised, and what it reports."""
        key = number, ballot
        if key not in self._promising:
            acceptor = self._acceptors.items[number]
            after, effects = acceptor.on_prepare(ballot.node_id, Prepare(acceptor.instance, ballot))
            found = None
            for effect in effects:
                if isinstance(effect, Send) and isinstance(effect.message, Promise):
                    report = self._reports.number(effect.message.accepted)
                    found = self._acceptors.number(after), report
            self._promising[key] = found
        return self._promising[key]

    def _settled(self, state: _State, position: int) -> _State:
        """The state behind phase 2's beginning, if a quorum has just promised."""
        heard = [column.heard[position] for column in state.columns]
        reports = [number for number in heard if number >= 0]
        if len(reports) < self._quorum:
            return state
        proposer = self._proposers.items[state.proposers[position]]
        *first, last = [
            Report(node, self._reports.items[number]) for node, number in enumerate(reports, 1)
        ]
        waiting = replace(proposer, promises=tuple(first))
        promise = Promise(proposer.config.instance, proposer.ballot, last.accepted)
        pushing, _ = waiting.on_promise(last.node, promise)
        if pushing.pushing is None:
            return state
        bit = self._pair(pushing.pushing)
        bare = self._proposers.number(replace(pushing, promises=(), reported=None))
        return self._reset(state, position, bare)._replace(pushed=state.pushed | 1 << bit)

    def _begins(self, state: _State, position: int) -> Iterator[_State]:
        bounds = self._bounds
        number = state.proposers[position]
        if number < 0:
            return
        proposer = self._proposers.items[number]
        if self._ids[position] in bounds.beginners and state.ballots < bounds.ballots:
            met = set()
            for floor in self._floors(state):
                raised = replace(proposer, highest=max(proposer.highest, floor))
                for begun in _begun(raised, bounds.values):
                    after = self._proposers.number(begun)
                    if after not in met:
                        met.add(after)
                        again = self._reset(state, position, after)
                        yield self._normal(again._replace(ballots=state.ballots + 1))
        if state.crashes < bounds.crashes:
            config, last_round = proposer.config, proposer.last_round
            after = self._proposers.number(Proposer(config, last_round=last_round))
            if after != number:
                again = self._reset(state, position, after)
                yield self._normal(again._replace(crashes=state.crashes + 1))

    def _floors(self, state: _State) -> list[Ballot]:
        """What a refusal could tell a new ballot to go above: whatever anybody has promised.

        A ballot that was promised and then outdone may still be told of, so all
        that were begun or asked for count.
        """
        rounds = {
            self._acceptors.items[column.kept].promised.round
            for column in state.columns
            if column.kept >= 0
        }
        rounds |= {
            self._proposers.items[number].ballot.round for number in state.proposers if number >= 0
        }
        return [Ballot(round_, 0) for round_ in sorted(rounds | self._old_rounds)]

    def _reset(self, state: _State, position: int, number: int) -> _State:
        """A proposer is another one, has heard nothing, and waits for nothing old."""
        columns = tuple(
            _Column(
                column.kept,
                column.history,
                column.accepts,
                column.prepares & ~(1 << position),
                _changed(column.late, position, ()),
                _changed(column.heard, position, -1),
            )
            for column in state.columns
        )
        proposers = _changed(state.proposers, position, number)
        return state._replace(columns=columns, proposers=proposers)


def _begun(proposer: Proposer, values: Sequence[str]) -> Iterator[Proposer]:
    """A proposer after it has begun a ballot: for those who wait, or for a new client."""
    if proposer.wishes and proposer.phase is not Phase.IDLE:
        wishes = [proposer.wishes]
    else:
        wishes = [(Wish(_REQUEST, value),) for value in values]
    for wished in wishes:
        begun, _ = replace(proposer, wishes=wished, attempt=0).begin()
        if begun.phase is Phase.PREPARING and begun.ballot != proposer.ballot:
            # How high to go is told anew with each ballot.
            yield _at_start(begun)


def _at_start(proposer: Proposer) -> Proposer:
    """A proposer without what no choice depends on; what it has heard stands in the columns."""
    wishes = tuple(Wish(_REQUEST, wish.value) for wish in proposer.wishes[:1])
    return replace(
        proposer,
        promises=(),
        refused_by=(),
        reported=None,
        highest=Ballot.ZERO,
        attempt=0,
        wishes=wishes,
    )


def _with(state: _State, place: int, column: _Column) -> _State:
    columns = (*state.columns[:place], column, *state.columns[place + 1 :])
    return state._replace(columns=columns)


def _changed(items: tuple[T, ...], position: int, item: T) -> tuple[T, ...]:
    return (*items[:position], item, *items[position + 1 :])
