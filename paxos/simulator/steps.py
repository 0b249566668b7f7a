"""Steps of the core, each computed once: a handler is a function of (state, input).

A world meets the same few states again and again, and so do the worlds of
many seeds. So every state that was met keeps, for each input that it was
given, the state that followed and the effects with their lines, ready to be
carried out. Nothing is guessed: an input that a state was never given goes to
the core and to the recorder.

States and inputs that are equal are one object here, so that a step is found
by identity, without hashing a state again.
"""

from dataclasses import dataclass
from typing import Final

from paxos.events import Line
from paxos.protocol import (
    Answer,
    CancelTimer,
    Effect,
    Input,
    Instance,
    Learn,
    LinkUp,
    NodeId,
    Persist,
    ProposeRequested,
    Received,
    Record,
    Send,
    SetTimer,
    Started,
    Status,
    TimeoutFired,
    Timer,
)
from paxos.recorder import message_kind, record

STATE_LIMIT: Final = 5_000
"""How many states are kept; with one more all are forgotten, and met anew."""

_REPLIES: Final = frozenset({"promise", "accepted", "nack", "learned"})


class Given:
    """An input. Equal ones are one object.

    Attributes:
        input: the core's input.
        instance: which instance it is for.
        kind: its name as failpoints know it; of a message, the message's.
        source: who sent the message; 0 for what is no message.
        is_reply: whether it answers a request, so that its addressee's gate is
            the one that judges it.
        timer: the timer that ran out, if it is one.
    """

    __slots__ = ("input", "instance", "is_reply", "kind", "source", "timer")

    def __init__(self, given: Input) -> None:
        self.input = given
        self.source: NodeId = 0
        self.is_reply = False
        self.timer: tuple[int, Timer, int] | None = None
        match given:
            case Received(source, message, answer):
                self.instance = message.instance
                self.kind = message_kind(message)
                self.source = source
                self.is_reply = self.kind in _REPLIES or (isinstance(message, Learn) and answer)
            case ProposeRequested(instance):
                self.instance, self.kind = instance, "propose"
            case TimeoutFired(instance, timer, token):
                self.instance, self.kind = instance, "timeout"
                self.timer = instance, timer, token
            case LinkUp(instance):
                self.instance, self.kind = instance, "link_up"
            case Started(instance):
                self.instance, self.kind = instance, "started"


@dataclass(slots=True, eq=False)
class SendAct:
    """Send a message: its line, and the input that it is at its addressee."""

    line: Line
    to: NodeId
    given: Given
    is_last: bool


@dataclass(slots=True, eq=False)
class PersistAct:
    """Write a record; with ``sync`` its line follows the sync, else it precedes the write."""

    line: Line
    records: tuple[Record]
    sync: bool


@dataclass(slots=True, eq=False)
class SetTimerAct:
    """Set a timer."""

    line: Line
    key: tuple[int, Timer, int]
    least_ms: int
    most_ms: int


@dataclass(slots=True, eq=False)
class CancelTimerAct:
    """Cancel a timer."""

    line: Line
    key: tuple[int, Timer, int]


@dataclass(slots=True, eq=False)
class AnswerAct:
    """Answer a client."""

    line: Line
    answer: Answer


Act = SendAct | PersistAct | SetTimerAct | CancelTimerAct | AnswerAct
"""An effect with its line, ready to be carried out."""


@dataclass(slots=True, eq=False)
class Step:
    """What the core made of one input.

    Attributes:
        line: the input's, without header and cause.
        after: the state that followed.
        acts: the effects, in order.
        given: the input.
    """

    line: Line
    after: "State"
    acts: tuple[Act, ...]
    given: Given


class State:
    """A state of one instance, and what became of each input that it was given."""

    __slots__ = ("instance", "learned", "settled", "steps")

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.steps: dict[Given, Step] = {}
        self.settled = instance.settled
        self.learned = instance.learner.learned is not None


class Table:
    """Every state and input that was met."""

    def __init__(self) -> None:
        self._states: dict[Instance, State] = {}
        self._givens: dict[Input, Given] = {}

    def state(self, instance: Instance) -> State:
        """The one object that stands for this state."""
        found = self._states.get(instance)
        if found is None:
            if len(self._states) >= STATE_LIMIT:
                # Whoever still holds one keeps its steps: they stay right.
                self._states.clear()
                self._givens.clear()
            found = self._states[instance] = State(instance)
        return found

    def given(self, given: Input) -> Given:
        """The one object that stands for this input."""
        found = self._givens.get(given)
        if found is None:
            found = self._givens[given] = Given(given)
        return found

    def step(self, before: State, given: Given) -> Step:
        """What the core makes of an input."""
        step = before.steps.get(given)
        if step is None:
            step = before.steps[given] = self._compute(before, given)
        return step

    def _compute(self, before: State, given: Given) -> Step:
        after, effects = before.instance.step(given.input)
        recorded = record(given.input, before.instance, effects, after)
        sends = [place for place, effect in enumerate(effects) if isinstance(effect, Send)]
        answers = isinstance(given.input, Received) and isinstance(given.input.message, Status)
        node = before.instance.config.node_id
        acts = [
            self._act(effect, line, node, answers=answers, is_last=sends[-1:] == [place])
            for place, (effect, line) in enumerate(zip(effects, recorded.effects, strict=True))
            # An Ignore has no line and asks for nothing.
            if line is not None
        ]
        return Step(recorded.given, self.state(after), tuple(acts), given)

    def _act(
        self, effect: Effect, line: Line, node: NodeId, *, answers: bool, is_last: bool
    ) -> Act:
        match effect:
            case Send(to, message):
                received = self.given(Received(node, message, answers))
                return SendAct(line, to, received, is_last)
            case Persist(written, sync):
                return PersistAct(line, (written,), sync)
            case SetTimer(instance, timer, token, least_ms, most_ms):
                return SetTimerAct(line, (instance, timer, token), least_ms, most_ms)
            case CancelTimer(instance, timer, token):
                return CancelTimerAct(line, (instance, timer, token))
            case Answer():
                return AnswerAct(line, effect)
            case _:
                raise AssertionError(f"an effect with a line and nothing to do: {effect}")


TABLE: Final = Table()
"""That of this process: what one world has met is ready for the next."""
