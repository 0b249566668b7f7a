"""The engine with numpy: a level of the search is gather, add, sort, compare.

A state is one 64-bit word: the numbers of the nodes' parts side by side, then
what was used up. It is exact, for nothing is hashed, and it sorts. A row of
the tables is a number to be added to the word. So a level costs a few passes
over arrays, however many states it has, and the core is not called at all
once the tables are full.

Each level is kept as it was found, sorted, 8 bytes a state: the way back needs
no pointers (:mod:`paxos.explorer.search` walks it). To tell what is new, all
that was seen is kept once more, in a few sorted runs that are merged as they
grow.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from paxos.explorer.model import ModelError
from paxos.explorer.result import Move, Search, Trace
from paxos.explorer.rules import judge
from paxos.explorer.tables import ALL, RULES, Cost, Row, Tables, rules_of

_U64: Final = np.uint64
_ONE: Final = _U64(1)
# The first bits of what is available stand for what can be paid: bit c for cost c.
_RESERVED: Final = 8
_CHUNK: Final = 1 << 16
_EVERY_BIT: Final = _U64(0xFFFF_FFFF_FFFF_FFFF)
Words = np.ndarray[Any, np.dtype[np.uint64]]
Numbers = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class Layout:
    """How a state is laid out in a word, from the high bits down.

    Attributes:
        widths: bits for each node's part.
        counters: bits for ballots, crashes, faults of a disk.
    """

    widths: tuple[int, ...]
    counters: tuple[int, int, int]

    @property
    def shifts(self) -> tuple[int, ...]:
        """The place of each node's lowest bit."""
        low = sum(self.counters)
        found = []
        for width in reversed(self.widths):
            found.append(low)
            low += width
        return tuple(reversed(found))

    @property
    def counter_shifts(self) -> tuple[int, int, int]:
        """The place of each counter's lowest bit."""
        _, crashes, faults = self.counters
        return crashes + faults, faults, 0

    def pack(self, parts: Sequence[int], used: Sequence[int]) -> int:
        """A state as a word."""
        word = 0
        for part, shift in zip(parts, self.shifts, strict=True):
            word |= part << shift
        for count, shift in zip(used, self.counter_shifts, strict=True):
            word |= count << shift
        return word

    def unpack(self, word: int) -> tuple[tuple[int, ...], tuple[int, int, int]]:
        """The parts of a word, and what was used up."""
        parts = tuple(
            word >> shift & (1 << width) - 1
            for shift, width in zip(self.shifts, self.widths, strict=True)
        )
        ballots, crashes, faults = (
            word >> shift & (1 << width) - 1
            for shift, width in zip(self.counter_shifts, self.counters, strict=True)
        )
        return parts, (ballots, crashes, faults)


class _NodeArrays:
    """The rows of one node's parts, as arrays with room to grow."""

    def __init__(self, node_count: int) -> None:
        self.part_count = 0
        self.width = 1
        self.words = [1] * node_count
        self.count = np.zeros(64, np.int64)
        self.fresh = np.ones(64, np.bool_)
        self.facts = np.zeros(64, np.int64)
        self.known = np.zeros((64, 1), _U64)
        self.outgoing = [np.zeros((64, 1), _U64) for _ in range(node_count)]
        self.need = np.zeros((64, 4), np.int16)
        self.delta = np.zeros((64, 4), _U64)
        self.broken = np.zeros((64, 4), np.uint8)
        self.target = np.zeros((64, 4), np.int64)
        self.cost = np.zeros((64, 4), np.uint8)

    def reserve(self, parts: int, rows: int) -> None:
        """Make room for so many parts, and so many rows of each."""
        have, columns = self.need.shape
        parts_cap = have
        while parts_cap < parts:
            parts_cap *= 2
        columns_cap = columns
        while columns_cap < rows:
            columns_cap += 4
        if (parts_cap, columns_cap) == (have, columns):
            return
        grow = ((0, parts_cap - have), (0, columns_cap - columns))
        for name in ("need", "delta", "broken", "target", "cost"):
            setattr(self, name, np.pad(getattr(self, name), grow))
        if parts_cap > have:
            self.count = np.pad(self.count, (0, parts_cap - have))
            self.facts = np.pad(self.facts, (0, parts_cap - have))
            self.fresh = np.pad(self.fresh, (0, parts_cap - have), constant_values=True)
            self.known = np.pad(self.known, ((0, parts_cap - have), (0, 0)))
            self.outgoing = [np.pad(o, ((0, parts_cap - have), (0, 0))) for o in self.outgoing]


def _split(bits: int, words: int) -> list[int]:
    return [bits >> 64 * word & 0xFFFF_FFFF_FFFF_FFFF for word in range(words)]


class ArrayTables:
    """The tables as arrays, and one step of the search over them."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        model = tables.model
        self.model = model
        self.members = model.members
        counters = tuple(
            bound.bit_length() for bound in (model.ballots, model.crashes, model.disk_faults)
        )
        self.counters = (counters[0], counters[1], counters[2])
        self.bounds = (model.ballots, model.crashes, model.disk_faults)
        self.nodes = [_NodeArrays(model.nodes) for _ in self.members]
        self.words = [1] * model.nodes
        self.any_broken = False
        self.any_priced = False
        width = (64 - sum(counters)) // model.nodes
        self.layout = Layout(tuple(width for _ in self.members), self.counters)
        self._take_over()

    # From the tables.

    def _take_over(self) -> None:
        """Bring in the parts that are new."""
        for position, table in enumerate(self.tables.nodes):
            words = (len(table.arriving) + _RESERVED + 63) // 64
            if words > self.words[position]:
                more = words - self.words[position]
                self.words[position] = words
                mine = self.nodes[position]
                mine.known = np.pad(mine.known, ((0, 0), (0, more)))
                closed = [part for part, known in enumerate(table.known) if known == ALL]
                mine.known[closed] = _EVERY_BIT
                for other in self.nodes:
                    other.outgoing[position] = np.pad(other.outgoing[position], ((0, 0), (0, more)))
        for table, arrays in zip(self.tables.nodes, self.nodes, strict=True):
            first, last = arrays.part_count, len(table.parts)
            if first == last:
                continue
            arrays.reserve(last, 1)
            arrays.facts[first:last] = table.facts[first:last]
            for position, member in enumerate(self.members):
                words = self.words[position]
                arrays.outgoing[position][first:last] = np.array(
                    [
                        _split(table.outgoing(part).get(member, 0) << _RESERVED, words)
                        for part in range(first, last)
                    ],
                    dtype=_U64,
                )
            arrays.part_count = last

    def _fill(self, position: int, part: int, available: int) -> None:
        table, arrays = self.tables.nodes[position], self.nodes[position]
        first = len(table.rows[part])
        self.tables.fill(position, part, available)
        rows = table.rows[part]
        arrays.reserve(len(table.parts), len(rows))
        for column in range(first, len(rows)):
            self._set_row(position, part, column, rows[column])
        arrays.count[part] = len(rows)
        arrays.fresh[part] = False

    def _set_row(self, position: int, part: int, column: int, row: Row) -> None:
        arrays = self.nodes[position]
        arrays.need[part, column] = row.need + _RESERVED if row.need >= 0 else int(row.cost)
        arrays.cost[part, column] = row.cost
        arrays.target[part, column] = row.target
        arrays.broken[part, column] = row.broken
        if row.broken:
            self.any_broken = True
        if row.need >= 0 and row.cost:
            self.any_priced = True

    def _finish(self, position: int, parts: Sequence[int]) -> None:
        """After parts were filled: bring in what is new, widen what is too narrow, add up."""
        self._take_over()
        table, arrays = self.tables.nodes[position], self.nodes[position]
        words = self.words[position]
        for part in parts:
            if table.known[part] == ALL:
                arrays.known[part] = _EVERY_BIT
            else:
                known = table.known[part] << _RESERVED | (1 << _RESERVED) - 1
                arrays.known[part] = _split(known, words)
        self._set_deltas(position, np.array(parts, dtype=np.int64))

    @property
    def is_too_narrow(self) -> bool:
        """Whether some part's number no longer fits its place in the word."""
        return any(
            arrays.part_count > 1 << width
            for arrays, width in zip(self.nodes, self.layout.widths, strict=True)
        )

    def widen(self, arrays_of_words: list[Words]) -> list[Words]:
        """Lay states out anew, with room for more parts; their order stays the same."""
        old = self.layout
        needed = [(arrays.part_count - 1).bit_length() for arrays in self.nodes]
        spare = 64 - sum(self.counters) - sum(needed)
        if spare < 0:
            raise ModelError(
                f"this model is too large: its nodes' parts need {' + '.join(map(str, needed))} "
                f"bits, and {64 - sum(self.counters)} are there; lower a bound"
            )
        share, more = divmod(spare, len(needed))
        widths = tuple(bits + share + (position < more) for position, bits in enumerate(needed))
        self.layout = Layout(widths, self.counters)
        for position in range(len(self.nodes)):
            self._set_deltas(position, np.arange(self.nodes[position].part_count))
        return [self._moved(words, old) for words in arrays_of_words]

    def _moved(self, words: Words, old: Layout) -> Words:
        new = self.layout
        counters = sum(self.counters)
        moved = words & _U64((1 << counters) - 1)
        for width, shift, to in zip(old.widths, old.shifts, new.shifts, strict=True):
            moved |= (words >> _U64(shift) & _U64((1 << width) - 1)) << _U64(to)
        return moved

    def _set_deltas(self, position: int, parts: Numbers) -> None:
        arrays, layout = self.nodes[position], self.layout
        shift = _U64(layout.shifts[position])
        ballot, crash, fault = layout.counter_shifts
        price = np.array(
            [
                ballots << ballot | crashes << crash | faults << fault
                for ballots, crashes, faults in (Cost(cost).price for cost in range(_RESERVED))
            ],
            _U64,
        )
        step = (arrays.target[parts] - parts[:, None]).astype(_U64) << shift
        arrays.delta[parts] = step + price[arrays.cost[parts]]

    # One step of the search.

    def parts_of(self, words: Words) -> list[Numbers]:
        """The nodes' parts in each of these states."""
        return [
            (words >> _U64(shift) & _U64((1 << width) - 1)).astype(np.int64)
            for shift, width in zip(self.layout.shifts, self.layout.widths, strict=True)
        ]

    def most_used(self, words: Words) -> list[int]:
        """The most ballots, crashes and faults of a disk that one of these states has."""
        return [
            int((words >> _U64(shift) & _U64((1 << width) - 1)).max())
            for shift, width in zip(self.layout.counter_shifts, self.counters, strict=True)
        ]

    def budget(self, words: Words) -> Words:
        """The reserved bits of what is available: a bit for each cost that can be paid."""
        payable = np.full(len(words), (1 << _RESERVED) - 1, _U64)
        for place, (bound, width, shift) in enumerate(
            zip(self.bounds, self.counters, self.layout.counter_shifts, strict=True)
        ):
            # The costs without this one.
            without = sum(1 << cost for cost in range(_RESERVED) if not cost >> place & 1)
            if bound == 0:
                payable &= _U64(without)
                continue
            used = words >> _U64(shift) & _U64((1 << width) - 1)
            payable[used >= _U64(bound)] &= _U64(without)
        return payable

    def available(self, parts: Sequence[Numbers], position: int, budget: Words) -> Words:
        """What each state offers to a node: its messages, and what can be paid for."""
        found = self.nodes[0].outgoing[position][parts[0]]
        for node in range(1, len(parts)):
            found |= self.nodes[node].outgoing[position][parts[node]]
        found[:, 0] |= budget
        return found

    def complete(self, parts: Sequence[Numbers], position: int, available: Words) -> None:
        """Fill what the tables lack for these states."""
        arrays = self.nodes[position]
        mine = parts[position]
        lacking = (available & ~arrays.known[mine]).any(axis=1) | arrays.fresh[mine]
        if not lacking.any():
            return
        where = np.flatnonzero(lacking)
        where = where[np.argsort(mine[where], kind="stable")]
        owners = mine[where]
        firsts = np.flatnonzero(np.diff(owners, prepend=-1))
        offered = np.bitwise_or.reduceat(available[where], firsts, axis=0)
        wanted = {
            part: sum(word << 64 * place for place, word in enumerate(words)) >> _RESERVED
            for part, words in zip(owners[firsts].tolist(), offered.tolist(), strict=True)
        }
        for part, bits in wanted.items():
            self._fill(position, part, bits)
        self._finish(position, list(wanted))

    def successors(self, words: Words) -> Iterator[tuple[int, Words, Numbers, Numbers]]:
        """What can follow these states, node by node.

        Yields:
            The node's position, the next states, and for each of them the
            place among ``words`` of the state before it and the place of the
            row among the node's.
        """
        parts = self.parts_of(words)
        budget = self.budget(words)
        for position, arrays in enumerate(self.nodes):
            available = self.available(parts, position, budget)
            self.complete(parts, position, available)
            mine = parts[position]
            counts = arrays.count[mine]
            total = int(counts.sum())
            if not total:
                continue
            origin = np.repeat(np.arange(len(words)), counts)
            ends = np.cumsum(counts)
            columns = arrays.need.shape[1]
            base = mine * columns - (ends - counts)
            flat = np.repeat(base, counts)
            flat += np.arange(total)
            need = arrays.need.ravel().take(flat)
            width = available.shape[1]
            offered = (
                available.ravel().take(origin * width + (need >> 6))
                if width > 1
                else (available.ravel().take(origin))
            )
            possible = (offered >> (need & 63).astype(_U64)) & _ONE
            chosen = np.flatnonzero(possible)
            origin, flat = origin.take(chosen), flat.take(chosen)
            if self.any_priced:
                paid = budget.take(origin) >> arrays.cost.ravel().take(flat).astype(_U64) & _ONE
                keep = np.flatnonzero(paid)
                origin, flat = origin.take(keep), flat.take(keep)
            yield position, words.take(origin) + arrays.delta.ravel().take(flat), origin, flat


def chunks(words: Words) -> Iterator[Words]:
    """Pieces of an array that fit a processor's cache."""
    for first in range(0, len(words), _CHUNK):
        yield words[first : first + _CHUNK]


def unique(words: Words) -> Words:
    """The same words, sorted, each once. ``numpy.unique`` is many times slower."""
    words.sort()
    if len(words) < 2:
        return words
    keep = np.empty(len(words), np.bool_)
    keep[0] = True
    np.not_equal(words[1:], words[:-1], out=keep[1:])
    return words[keep]


class Seen:
    """All states seen so far, in a few sorted runs."""

    def __init__(self) -> None:
        self.runs: list[Words] = []

    def without(self, words: Words) -> Words:
        """Those of these sorted states that were not seen."""
        for run in self.runs:
            if not len(words):
                break
            places = np.searchsorted(run, words)
            places[places == len(run)] = 0
            words = words[run.take(places) != words]
        return words

    def add(self, words: Words) -> None:
        """Add sorted states that were not seen before."""
        self.runs.append(words)
        # Each run is much smaller than the one before it, so there are few.
        while len(self.runs) > 1 and 3 * len(self.runs[-1]) > len(self.runs[-2]):
            last = self.runs.pop()
            merged = np.concatenate([self.runs.pop(), last])
            merged.sort(kind="stable")
            self.runs.append(merged)


class ArraySearch(Search):
    """A breadth-first search, a level at a time."""

    def __init__(self, tables: Tables) -> None:
        super().__init__(tables)
        self._arrays = ArrayTables(tables)
        self._judged = Judged(tables, self._arrays)
        first = np.array([self._arrays.layout.pack([0] * self.model.nodes, (0, 0, 0))], _U64)
        self._levels = [first]
        self._seen = Seen()
        self._seen.add(first)
        self._distinct = 1
        self._judge(first)

    @property
    def distinct(self) -> int:
        """How many states were seen."""
        return self._distinct

    @property
    def frontier(self) -> int:
        """How many states the last level has."""
        return len(self._levels[-1])

    def expand(self) -> Iterator[None]:
        """Go on by one level; yields after each piece of it."""
        pieces: list[Words] = []
        level, done = self._levels[-1], 0
        while done < len(level):
            piece = level[done : done + _CHUNK]
            following = list(self._arrays.successors(piece))
            if self._arrays.is_too_narrow:
                # The tables have grown, and know this piece now: lay all out
                # anew, and take it again.
                everything = [*self._levels, *self._seen.runs, *pieces]
                moved = self._arrays.widen(everything)
                levels, runs = len(self._levels), len(self._seen.runs)
                self._levels, self._seen.runs = moved[:levels], moved[levels : levels + runs]
                level, pieces = self._levels[-1], moved[levels + runs :]
                continue
            done += len(piece)
            self.generated += sum(len(after) for _, after, _, _ in following)
            if self._arrays.any_broken:
                self._find_broken(piece, following)
            if following:
                pieces.append(unique(np.concatenate([after for _, after, _, _ in following])))
            yield
        new = unique(np.concatenate(pieces)) if pieces else np.zeros(0, _U64)
        new = self._seen.without(new)
        self._levels.append(new)
        self._distinct += len(new)
        if len(new):
            self._seen.add(new)
            self.use(self._arrays.most_used(new))
            for piece in chunks(new):
                self._judge(piece)
                yield

    # What was found.

    def _judge(self, words: Words) -> None:
        for name, word in self._judged.first_of_each(words):
            if name not in self.traces:
                self.traces[name] = self.trace(word, len(self._levels) - 1)

    def _find_broken(
        self, piece: Words, following: list[tuple[int, Words, Numbers, Numbers]]
    ) -> None:
        for position, _, origin, flat in following:
            broken = self._arrays.nodes[position].broken.ravel().take(flat)
            for rule in rules_of(int(np.bitwise_or.reduce(broken, initial=0))):
                if rule in self.traces:
                    continue
                first = int(np.flatnonzero(broken & 1 << RULES.index(rule))[0])
                before = self.trace(int(piece[origin[first]]), len(self._levels) - 1)
                move = self._move(position, int(flat[first]))
                self.traces[rule] = (*before, move)

    def _move(self, position: int, flat: int) -> Move:
        part, column = divmod(flat, self._arrays.nodes[position].need.shape[1])
        row = self.tables.nodes[position].rows[part][column]
        return Move(position + 1, self.tables.actions.items[row.action])

    def trace(self, word: int, depth: int) -> Trace:
        """A shortest way to a state, found level by level from behind.

        Args:
            word: a state of the level.
            depth: the level's place, from 0.
        """
        moves: list[Move] = []
        for level in reversed(self._levels[:depth]):
            move, word = self._way_to(word, level)
            moves.append(move)
        return tuple(reversed(moves))

    def _way_to(self, word: int, level: Words) -> tuple[Move, int]:
        for piece in chunks(level):
            for position, after, origin, flat in self._arrays.successors(piece):
                hits = np.flatnonzero(after == _U64(word))
                if len(hits):
                    first = hits[0]
                    return self._move(position, int(flat[first])), int(piece[origin[first]])
        raise AssertionError("a state of a level follows from the level before")


class Judged:
    """The properties of whole states, judged once for each combination of facts.

    A property that was told once is not looked for again, so it is enough to
    know which combinations were met.
    """

    def __init__(self, tables: Tables, arrays: ArrayTables) -> None:
        self._tables = tables
        self._arrays = arrays
        # Facts are numbered below this; a combination is a number to this base.
        self._base = 4
        self._met = np.zeros(0, np.int64)
        self._told: set[str] = set()

    def first_of_each(self, words: Words) -> Iterator[tuple[str, int]]:
        """For each property that these states break or show for the first time: one of them."""
        self._grow()
        codes = np.zeros(len(words), np.int64)
        for arrays, parts in zip(self._arrays.nodes, self._arrays.parts_of(words), strict=True):
            codes *= self._base
            codes += arrays.facts.take(parts)
        new = np.flatnonzero(~self._is_met(codes))
        if not len(new):
            return
        fresh, firsts = np.unique(codes.take(new), return_index=True)
        self._met = np.sort(np.concatenate([self._met, fresh]))
        for code, first in zip(fresh.tolist(), firsts.tolist(), strict=True):
            for name in self._judge(code):
                if name not in self._told:
                    self._told.add(name)
                    yield name, int(words[new[first]])

    def _is_met(self, codes: Numbers) -> np.ndarray[Any, np.dtype[np.bool_]]:
        if not len(self._met):
            return np.zeros(len(codes), np.bool_)
        places = np.searchsorted(self._met, codes)
        places[places == len(self._met)] = 0
        return np.equal(self._met.take(places), codes)

    def _grow(self) -> None:
        if len(self._tables.facts) <= self._base:
            return
        old, nodes = self._base, len(self._arrays.nodes)
        while len(self._tables.facts) > self._base:
            self._base *= 2
        assert self._base**nodes < 1 << 63, "combinations of facts fit a word, as states do"
        met = np.zeros(len(self._met), np.int64)
        for place in range(nodes):
            met += self._met // old**place % old * self._base**place
        # A larger base keeps the order.
        self._met = met

    def _judge(self, code: int) -> tuple[str, ...]:
        facts = []
        for _ in self._arrays.nodes:
            code, number = divmod(code, self._base)
            facts.append(self._tables.facts.items[number])
        broken, shown = judge(facts, self._tables.model.wishes)
        return broken + shown
