"""One node's lines against the core."""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from paxos.conformance.inputs import (
    EFFECTS,
    INPUTS,
    body_of,
    comparable,
    input_of,
    restored,
    settings_of,
    stored_of,
)
from paxos.events import HEADER, Line, line_id, narrate, node_key, show
from paxos.protocol import (
    ROLES,
    Effect,
    Instance,
    NodeId,
    Persist,
    Roles,
    SetTimer,
    Settings,
    Stored,
)
from paxos.recorder import record, recovered_line

Place = tuple[int, int]
"""Where a line stands in its node's log: incarnation and seq."""

_DRIVERS: Final = ("number", "after_ms")
_BETWEEN_SENDS: Final = "between two sends"
_ABSENT: Final = "absent"


class OutOfOrder(Exception):
    """A node's lines were given in another order than they were written; the text names one."""


@dataclass(frozen=True, slots=True)
class Departure:
    """A line that is not the core's.

    Attributes:
        instance: of which instance.
        line: the line, or the one that came where another should have stood.
        expected: the line that the core would have written, without its
            header and what only a driver knows; ``None`` for none.
        sentence: what differs.
    """

    instance: int
    line: Line
    expected: Line | None
    sentence: str

    @property
    def place(self) -> tuple[int, Place]:
        """By which departures are ordered."""
        return node_key(self.line["node"]), _place(self.line)


@dataclass(frozen=True, slots=True)
class Present:
    """Where a node is in one instance, as far as its lines were taken.

    Attributes:
        instance: its memory.
        awaited: the effects of its last step that are still to be carried out.
        departure: why this is not to be relied on, if its lines are not the core's.
    """

    instance: Instance
    awaited: tuple[Effect, ...] = ()
    departure: Departure | None = None


@dataclass(frozen=True, slots=True)
class _Awaited:
    """An effect of the step in hand, with its line."""

    effect: Effect
    line: Line


@dataclass(slots=True)
class _Incarnation:
    """What the replay knows of one start of a node.

    Attributes:
        settings: those of instances that have none of their own.
        own_settings: (first, last, changes) in the order in which they came.
        awaited: the effects of each instance's last step that are still to come.
        cut: for an instance that goes on though effects are missing, the
            departure that this is unless a failpoint explains it.
        disk: what the log says to be written, an unsynced ``value_learned`` included.
        recovered: the instances that were found on the disk.
        is_ready: whether it has told of all that was on its disk.
        is_armed: whether a failpoint may have cut a step short.
        departed: instances that are not followed any more, with why.
    """

    settings: Settings
    node_id: NodeId
    members: tuple[NodeId, ...]
    is_ready: bool
    roles: Roles = ROLES
    is_armed: bool = False
    instances: dict[int, Instance] = field(default_factory=dict)
    own_settings: list[tuple[int, int, dict[str, Any]]] = field(default_factory=list)
    awaited: dict[int, deque[_Awaited]] = field(default_factory=dict)
    cut: dict[int, Departure] = field(default_factory=dict)
    disk: dict[int, Stored] = field(default_factory=dict)
    recovered: set[int] = field(default_factory=set)
    departed: dict[int, Departure] = field(default_factory=dict)

    def settings_of(self, number: int) -> Settings:
        settings = self.settings
        for first, last, changes in self.own_settings:
            if first <= number <= last:
                settings = replace(settings, **changes)
        return settings

    def configure(self, first: int, last: int, changes: dict[str, Any]) -> None:
        self.own_settings.append((first, last, changes))
        for number, instance in self.instances.items():
            if first <= number <= last:
                self.instances[number] = instance.with_settings(self.settings_of(number))

    def left(self) -> dict[int, list[Stored]]:
        """What the end of the incarnation may have left on the disk, by instance.

        A record that was on its way may be there or not. Of an instance that
        departed nobody can tell: its list is empty.
        """
        found = {number: [stored] for number, stored in self.disk.items()}
        for number, awaited in self.awaited.items():
            states = found.setdefault(number, [Stored()])
            for one in awaited:
                if isinstance(one.effect, Persist):
                    states.append(states[-1].with_record(one.effect.record))
        return found | {number: [] for number in self.departed}

    def instance(self, number: int) -> Instance:
        return self.instances.get(number) or Instance.new(
            number, self.node_id, self.members, self.settings_of(number), self.roles
        )


class NodeReplay:
    """Takes the lines of one node, in their order, and finds where it departs from the core.

    Of each instance the first departure in an incarnation counts: from there
    on the node is in a state that the core is not in.

    Args:
        node: whose lines they are.
        members: the acceptors of the cluster; empty when only ``node_started``
            can tell.
        judged: the instances that are followed; ``None`` for all.
        begin: the first line, where a run begins in the middle of an
            incarnation. Of the instances that are followed none was met before.
        settings: those with which the node ran then; ``None`` if nobody knows.
        roles: what plays the roles; a broken variant's, where its own log is
            followed.
        any_disk: whether a start may find anything on its disk, because what
            kept it is broken; then that is not compared.

    Attributes:
        step_count, effect_count: what was compared.
        doubts: what could not be followed, and why, in sentences.
        variants: the broken variants that the node said it ran.
        shows_states: whether any line says what became of a state.
    """

    def __init__(
        self,
        node: str,
        members: tuple[NodeId, ...] = (),
        judged: frozenset[int] | None = None,
        begin: Place | None = None,
        settings: Mapping[str, Any] | None = None,
        roles: Roles = ROLES,
        *,
        any_disk: bool = False,
    ) -> None:
        self.node: Final = node
        self._roles = roles
        self._any_disk = any_disk
        self.step_count = 0
        self.effect_count = 0
        self.doubts: list[str] = []
        self.variants: set[str] = set()
        self.shows_states = False
        self._members = members
        self._judged = judged
        self._begin = begin
        self._begin_settings = settings
        self._last: Place = (0, 0)
        self._now: _Incarnation | None = None
        # What the disk may hold at a start; None when nobody knows.
        self._left: dict[int, list[Stored]] | None = {} if begin is not None else None
        self._departures: list[Departure] = []

    def take(self, line: Line) -> None:
        """The next line. Those before the run's beginning are passed over.

        Raises:
            OutOfOrder: it was written before one that was taken already.
        """
        place = _place(line)
        if place == self._last or (self._begin is not None and place < self._begin):
            return
        if place < self._last:
            raise OutOfOrder(f"{line_id(line)} comes behind {self._name(self._last)}")
        if place[0] != self._last[0]:
            self._begin_incarnation(line)
        elif place[1] != self._last[1] + 1 and self._now is not None:
            self._lose(f"lines are missing between {self._name(self._last)} and {line_id(line)}")
        self._last = place
        if self._now is not None:
            self._follow(self._now, line)

    def present(self, number: int) -> Present | None:
        """Where the node is in an instance; ``None`` where that cannot be known.

        Whether its process still runs, only others can tell.
        """
        now = self._now
        if now is None:
            return None
        return Present(
            now.instance(number),
            tuple(one.effect for one in now.awaited.get(number, ())),
            now.departed.get(number) or now.cut.get(number),
        )

    def finish(self) -> list[Departure]:
        """The departures, in order; nothing more is taken."""
        self._end_incarnation()
        return self._departures

    # --- incarnations ---------------------------------------------------------

    def _begin_incarnation(self, line: Line) -> None:
        self._end_incarnation()
        place = _place(line)
        if place == (1, 1):
            self._left = {}
        elif place[0] > self._last[0] + 1 and self._last != (0, 0):
            self._left = None
        if line["event"] == "node_started" and place[1] == 1:
            if line["variant"] is not None:
                self.variants.add(line["variant"])
            members = tuple(node_key(member) for member in line["members"])
            self._start(members, line["settings"], line_id(line), is_ready=False)
        elif place == self._begin:
            if self._begin_settings is None:
                self._lose(f"nothing says with which settings {self.node} ran at {line_id(line)}")
            else:
                self._start(self._members, self._begin_settings, "run.json", is_ready=True)
        else:
            first = self._begin if self._begin and self._begin[0] == place[0] else (place[0], 1)
            self._lose(f"the log of {self.node} lacks {self._name(first)}")

    def _start(
        self, members: tuple[NodeId, ...], settings: Any, where: str, *, is_ready: bool
    ) -> None:
        node_id = node_key(self.node)
        if node_id not in members or members != tuple(sorted(set(members))):
            self._lose(f"{where} does not name {self.node} as a member")
            return
        try:
            known = replace(Settings(), **settings_of(settings))
        except (AttributeError, ValueError) as error:
            self._lose(f"{where} holds settings that the core does not have: {error}")
            return
        self._now = _Incarnation(known, node_id, members, is_ready, self._roles)

    def _end_incarnation(self) -> None:
        if self._now is None:
            return
        # What is awaited still was cut off by the end, whatever that was.
        for number, departure in self._now.cut.items():
            known = self._now.departed.get(number)
            if known is None or departure.place < known.place:
                self._now.departed[number] = departure
        self._departures += sorted(self._now.departed.values(), key=lambda found: found.place)
        left = self._now.left()
        if self._now.is_ready:
            self._left = left
        elif self._left is not None:
            # Of what it had not told yet, the disk holds what it held before.
            self._left |= left
        self._now = None

    def _lose(self, why: str) -> None:
        """Follow the incarnation no further."""
        self._end_incarnation()
        self._left = None
        self.doubts.append(why)

    # --- lines ----------------------------------------------------------------

    def _follow(self, now: _Incarnation, line: Line) -> None:
        event, number = line["event"], line.get("instance")
        if event == "settings_changed":
            try:
                changes = settings_of(line["settings"])
            except (AttributeError, ValueError) as error:
                self._lose(f"{line_id(line)} changes what the core does not have: {error}")
                return
            now.configure(line["first_instance"], line["last_instance"], changes)
        elif event == "node_ready":
            self._look_for_lost(now, line)
        elif event == "node_stopped":
            self._look_for_undone(now, line)
        elif event == "failpoint_armed":
            now.is_armed = True
        elif number is None or (self._judged is not None and number not in self._judged):
            return
        elif event == "failpoint_hit":
            if line["failpoint"] == _BETWEEN_SENDS:
                now.cut.pop(number, None)
        elif number in now.departed:
            return
        elif event == "state_recovered":
            self._recover(now, number, line)
        elif event in INPUTS:
            self._step(now, number, line)
        elif event in EFFECTS:
            self._compare_effect(now, number, line)

    def _recover(self, now: _Incarnation, number: int, line: Line) -> None:
        """Compare what came back from the disk with what the log says was put there."""
        found = stored_of(body_of(line))
        now.recovered.add(number)
        now.disk[number] = found
        now.instances[number] = Instance.recovered(
            number, now.node_id, now.members, now.settings_of(number), found, self._roles
        )
        states = None
        if self._left is not None and not self._any_disk:
            # The log shows what the roles begin with.
            states = [self._roles.recover(one) for one in self._left.get(number, [Stored()])]
        if states and not any(_may_be(found, state) for state in states):
            expected = comparable(recovered_line(number, states[0]))
            now.departed[number] = _differently(number, line, body_of(line), expected)

    def _look_for_lost(self, now: _Incarnation, line: Line) -> None:
        """Of what was durable, nothing may be missing when the node is ready."""
        now.is_ready = True
        left = {} if self._any_disk else self._left or {}
        for number, states in sorted(left.items()):
            if number in now.recovered or not states or _may_be(Stored(), states[0]):
                continue
            expected = recovered_line(number, states[0])
            now.departed[number] = _instead(number, line, expected, "before this the node")

    def _look_for_undone(self, now: _Incarnation, line: Line) -> None:
        """A node that stops of its own accord has finished its batch before.

        Unless its disk failed: then some record is awaited, and all that the
        batch holds back until the sync.
        """
        awaited = {number: steps[0].line for number, steps in now.awaited.items() if steps}
        failed = any(first["event"] == "state_persisted" for first in awaited.values())
        if now.is_armed or failed:
            return
        for number, first in sorted(awaited.items()):
            if number not in now.departed:
                now.departed[number] = _instead(number, line, first, "before it stopped the core")

    def _step(self, now: _Incarnation, number: int, line: Line) -> None:
        """Give an input to the core, and compare what it says of it."""
        self.step_count += 1
        self.shows_states = self.shows_states or "after" in line
        missing = now.awaited.pop(number, None)
        if missing:
            departure = _instead(number, line, missing[0].line, "before this input the core")
            # A process that ends between two sends goes on until the first has
            # been answered, and the rest of that step is never carried out.
            if number in now.cut or not missing[0].line["event"].endswith("_sent"):
                now.departed[number] = now.cut.pop(number, departure)
                return
            now.cut[number] = departure
        body = body_of(line)
        before = now.instance(number)
        try:
            given = input_of(body)
        except ValueError as error:
            now.departed[number] = Departure(
                number, line, None, f"the core knows no such input: {error}"
            )
            return
        after, effects = before.step(given)
        recorded = record(given, before, effects, after, body.get("cause"))
        expected = comparable(recorded.given)
        if body != expected:
            now.departed[number] = _differently(number, line, body, expected)
            return
        now.instances[number] = after
        now.awaited[number] = deque(
            _Awaited(effect, comparable(shown))
            for effect, shown in zip(effects, recorded.effects, strict=True)
            if shown is not None
        )

    def _compare_effect(self, now: _Incarnation, number: int, line: Line) -> None:
        self.effect_count += 1
        body = body_of(line)
        driven: Line = {name: body.pop(name) for name in _DRIVERS if name in body}
        awaited = now.awaited.get(number)
        if not awaited:
            now.departed[number] = Departure(number, line, None, "the core does nothing here")
            return
        first = awaited.popleft()
        if body == first.line:
            if isinstance(first.effect, Persist):
                now.disk[number] = now.disk.get(number, Stored()).with_record(first.effect.record)
            late = _timer_departure(number, line, first, driven)
            if late is not None:
                now.departed[number] = late
        elif body["event"] == first.line["event"] and body not in [one.line for one in awaited]:
            now.departed[number] = _differently(number, line, body, first.line)
        else:
            now.departed[number] = _instead(number, line, first.line, "here the core")

    def _name(self, place: Place) -> str:
        return f"{self.node}/{place[0]}/{place[1]}"


def _place(line: Line) -> Place:
    return line["incarnation"], line["seq"]


def _may_be(found: Stored, state: Stored) -> bool:
    """Whether a state may come back as this one: what was learned is not synced."""
    return found == state or found == replace(state, learned=None)


def _instead(number: int, line: Line, expected: Line, where: str) -> Departure:
    """Another line stands where one of the core's should."""
    shown = restored(expected)
    told = narrate({**{name: line[name] for name in HEADER}, **shown})
    return Departure(number, line, shown, f"{where} has: {told}")


def _differently(number: int, line: Line, found: Line, expected: Line) -> Departure:
    """The line is the right one, and some field of it is not the core's."""
    path, here, there = next(_differing(restored(found), restored(expected), ""))
    sentence = f"{path} is {_shown(path, here)}; the core's is {_shown(path, there)}"
    return Departure(number, line, restored(expected), sentence)


def _timer_departure(number: int, line: Line, awaited: _Awaited, driven: Line) -> Departure | None:
    """Whether chance went beyond the range that the core gave it."""
    effect = awaited.effect
    if not isinstance(effect, SetTimer) or (
        effect.least_ms <= driven["after_ms"] <= effect.most_ms
    ):
        return None
    sentence = (
        f"after_ms is {driven['after_ms']}; the core gave {effect.least_ms} to {effect.most_ms}"
    )
    return Departure(number, line, restored(awaited.line), sentence)


def _differing(found: Any, expected: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(found, dict) and isinstance(expected, dict):
        for name in dict.fromkeys([*expected, *found]):
            inner = f"{path}.{name}" if path else str(name)
            yield from _differing(found.get(name, _ABSENT), expected.get(name, _ABSENT), inner)
    elif found != expected:
        yield path, found, expected


def _shown(path: str, part: Any) -> str:
    text = part if part is _ABSENT else show(path, part)
    return text if len(text) <= 60 else f"{text[:57]}..."
