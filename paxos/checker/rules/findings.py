"""What a rule finds, and what the rules share: the steps they go through, and their words."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, Protocol

from paxos.checker.facts import Fact, Found, Tell
from paxos.checker.history import BallotKey, Doubt, Durable, History, InstanceHistory, quoted
from paxos.events import Line, line_id

NO_BALLOT: Final[BallotKey] = (0, 0)
"""Below every ballot: none yet."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule was broken.

    Attributes:
        rule: its short name; ``part`` is ``a`` or ``b`` for R6, else empty.
        instance: where.
        sentence: what is wrong, with the names of the lines that show it.
        lines: the lines that prove it, in merged order.
        at: the line with which the rule was broken, one of ``lines``.
        place: where that line stands in the merged sequence.
    """

    rule: str
    part: str
    instance: int
    sentence: str
    lines: tuple[Line, ...]
    at: Line
    place: int


@dataclass(slots=True)
class Findings:
    """What one rule found: ``judged`` counts what it looked at, ``tell`` is who asks why."""

    rule: str
    history: History
    tell: Tell | None = None
    judged: int = 0
    violations: list[Violation] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)

    def broken(
        self,
        instance: InstanceHistory,
        at: Line,
        sentence: str,
        evidence: Iterable[Line] = (),
        part: str = "",
    ) -> None:
        """Report a breach at a line, with the lines that prove it beside that one."""
        place = self.history.order.place
        lines = {id(line): line for line in (*evidence, at)}
        ordered = tuple(sorted(lines.values(), key=place))
        self.violations.append(
            Violation(self.rule, part, instance.number, sentence, ordered, at, place(at))
        )

    def told(self, instance: InstanceHistory, line: Line, found: Found) -> None:
        """Tell whoever asks why; for callers that have seen that somebody does."""
        assert self.tell is not None, "somebody asks"
        self.tell(Fact(self.rule, instance.number, line, found))

    def lacks_what_led_to(
        self, instance: InstanceHistory, line: Line, unseen_from: Iterable[str] = ()
    ) -> bool:
        """Whether lines are gone that may have led to a line; then no absence breaks a rule at it.

        That is a doubt where the runner saw the line, and hearsay where it did not.

        Args:
            instance: where.
            line: what would break the rule.
            unseen_from: nodes from which messages without a cause may have led to it.
        """
        history = self.history
        node = history.lost_before(line)
        reason = f"{line_id(line)} follows from lines of {node} that its log no longer holds"
        if node is None:
            hiding = (known for known in unseen_from if history.may_hide_before(known, line))
            node = next(hiding, None)
            reason = (
                f"{line_id(line)} may follow from lines of {node} behind the end that is named: "
                "a message without a cause shows no way"
            )
        if node is not None and history.was_seen_by_runner(line):
            self.doubtful(instance, reason, node)
        return node is not None

    def doubtful(self, instance: InstanceHistory, reason: str, node: str | None = None) -> None:
        """Report that a case cannot be decided."""
        self.doubts.append(Doubt((self.rule,), reason, node, instance.number))


class Rule(Protocol):
    """A rule as a function; with ``tell`` it tells why as it goes."""

    def __call__(self, history: History, tell: Tell | None = None) -> Findings:
        """Apply the rule."""


def acceptors_of(
    history: History,
) -> Iterator[tuple[InstanceHistory, str, list[Line | Durable]]]:
    """Each acceptor of each instance, with its steps: its replies and what its disk held, in order."""
    for instance in history.instances.values():
        for node, steps in instance.acceptors.items():
            yield instance, node, steps


def lines_of(steps: Iterable[Line | Durable], *events: str) -> Iterator[Line]:
    """The lines of these events among an acceptor's or a learner's steps."""
    for step in steps:
        if not isinstance(step, Durable) and step["event"] in events:
            yield step


def reply_name(line: Line) -> str:
    """What a reply is called in a sentence."""
    return "a Promise" if line["event"] == "promise_sent" else "an Accepted"


def proposal_text(proposal: Line) -> str:
    """A value and its ballot, as a sentence names them."""
    return f"{quoted(proposal['value'])} at {proposal['ballot']}"
