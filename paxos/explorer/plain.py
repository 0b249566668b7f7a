"""The plain engine: one state after the other, with the standard library only.

It is the reference for the engine with numpy, and the one that runs in a
browser tab. A state is a tuple: the nodes' parts, then what was used up.
"""

from collections.abc import Collection, Iterator, Sequence

from paxos.explorer.result import Move, Search, Trace
from paxos.explorer.rules import Facts, judge
from paxos.explorer.tables import Row, Tables, rules_of

State = tuple[int, ...]


class PlainSearch(Search):
    """A breadth-first search over the tables.

    Attributes:
        reached: for each state that was seen, how it was reached first.
    """

    def __init__(self, tables: Tables) -> None:
        super().__init__(tables)
        self._bounds = (self.model.ballots, self.model.crashes, self.model.disk_faults)
        self._judged: dict[tuple[int, ...], tuple[str, ...]] = {}
        first = (0,) * self.model.nodes + (0, 0, 0)
        self.reached: dict[State, tuple[State, int, Row] | None] = {first: None}
        self._level = [first]
        self._judge(first)
        self._note(rules_of(tables.broken_at_start), first)

    @property
    def distinct(self) -> int:
        """How many states were seen."""
        return len(self.reached)

    @property
    def frontier(self) -> int:
        """How many states the last level has."""
        return len(self._level)

    def rows(self, state: State) -> Iterator[tuple[int, Row, State]]:
        """What can happen in a state: the node's position, the row, and the next state."""
        count = self.model.nodes
        parts, used = state[:count], state[count:]
        for position, part in enumerate(parts):
            available = self.tables.available(position, parts)
            self.tables.fill(position, part, available)
            for row in self.tables.nodes[position].rows[part]:
                if row.need >= 0 and not available >> row.need & 1:
                    continue
                spent = used
                if row.cost:
                    spent = tuple(map(sum, zip(used, row.cost.price, strict=True)))
                    if any(have > bound for have, bound in zip(spent, self._bounds, strict=True)):
                        continue
                    self.use(spent)
                target = (*parts[:position], row.target, *parts[position + 1 :])
                yield position, row, target + spent

    def expand(self) -> Iterator[None]:
        """Go on by one level; yields now and then."""
        following: list[State] = []
        for number, state in enumerate(self._level):
            for position, row, after in self.rows(state):
                self.generated += 1
                if row.broken:
                    self._note(rules_of(row.broken), state, self._move(position, row))
                if after not in self.reached:
                    self.reached[after] = state, position, row
                    following.append(after)
                    self._judge(after)
            if number % 1000 == 0:
                yield
        self._level = following

    def trace(self, state: State) -> Trace:
        """The way by which a state was reached first."""
        moves: list[Move] = []
        step = self.reached[state]
        while step is not None:
            state, position, row = step
            moves.append(self._move(position, row))
            step = self.reached[state]
        return tuple(reversed(moves))

    def _move(self, position: int, row: Row) -> Move:
        return Move(position + 1, self.tables.actions.items[row.action])

    def _judge(self, state: State) -> None:
        facts = tuple(
            table.facts[part]
            for table, part in zip(self.tables.nodes, state[: self.model.nodes], strict=True)
        )
        found = self._judged.get(facts)
        if found is None:
            known = [self.tables.facts.items[number] for number in facts]
            found = self._judged[facts] = self.names_of(known)
        if found:
            self._note(found, state)

    def names_of(self, facts: Sequence[Facts]) -> tuple[str, ...]:
        """The properties that a state breaks or shows, from what its nodes amount to."""
        broken, shown = judge(facts, self.model.wished)
        return broken + shown

    def _note(self, names: Collection[str], state: State, *moves: Move) -> None:
        for name in names:
            if name not in self.traces:
                self.traces[name] = (*self.trace(state), *moves)
