"""A scenario: one story that any world can play.

What a step commands, what it waits for, what must have happened and what is
expected. Everything is frozen and checked once, when it is read
(:mod:`paxos.scenario.parse`); who plays it only carries it out. Nodes are
named as in the log (``n1``), instances by the scenario's own words.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from paxos.scenario.pattern import Sight

VERSION = 1
"""The version of the file format that is read here."""

MESSAGE_KINDS = (
    "prepare",
    "promise",
    "accept",
    "accepted",
    "nack",
    "learn",
    "learned",
    "status",
    "probe",
)
CARRIED = {
    "prepare": ("ballot",),
    "promise": ("ballot", "accepted"),
    "accept": ("ballot", "value"),
    "accepted": ("ballot", "value"),
    "nack": ("ballot", "promised"),
    "learn": ("ballot", "value"),
    "learned": (),
    "status": (),
}
"""What tells the messages of a kind apart, by kind: what :class:`Deliver` may ask for."""
NO_PAIR = "none"
"""What :class:`Deliver` calls the report of an acceptor that has accepted nothing."""
TIMERS = ("patience", "retry", "give_up", "resend", "ask", "own_ballot")
FAILPOINTS = ("before_write", "before_sync", "after_sync", "between_sends", "after_reply")
DISK_FAULTS = ("fail_sync", "corrupt", "lose", "tear")
OUTCOMES = ("ok", "failed", "unknown")
FIGURES = (
    "ok",
    "failed",
    "unknown",
    "success_percent",
    "p50_ms",
    "windows_percent",
    "messages_per_decision",
    "syncs_per_decision",
)


@dataclass(frozen=True, slots=True)
class Propose:
    """A client asks a node to have a value chosen.

    Attributes:
        name: names the client's operation for later steps and expectations.
        at: the node that is asked.
        value: what the client wants.
        instance: in which instance.
        background: the next step begins at once; :class:`Await` waits for the answer.
        timeout_ms: how long the client waits for its answer.
    """

    name: str
    at: str
    value: str
    instance: str
    background: bool = False
    timeout_ms: int = 30_000


@dataclass(frozen=True, slots=True)
class Await:
    """Wait until these client operations have ended."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait until the run's lines show a sight.

    Attributes:
        sight: what is to be seen.
        new: among the lines since the last command only: what it brought about.
    """

    sight: Sight
    new: bool = False


@dataclass(frozen=True, slots=True)
class Learned:
    """Wait until these nodes know a chosen value.

    Attributes:
        by: which nodes; empty: every node.
        instance: in which instance.
        value: which value; ``None``: any.
        row: instead of the instance: in every instance of a measured row.
    """

    by: tuple[str, ...]
    instance: str
    value: str | None = None
    row: str | None = None


@dataclass(frozen=True, slots=True)
class GateRule:
    """A rule for the gates, in force until it is released or healed.

    Attributes:
        action: ``hold``, ``drop``, ``delay``, ``duplicate``, ``reorder`` or
            ``cut`` (one way).
        name: names the rule.
        sources: from these nodes; empty: from any.
        to: to these nodes; empty: to any.
        kinds: these kinds of messages; empty: every kind.
        instance: of this instance only; ``None``: of every one.
        percent: the share that ``drop`` loses, ``duplicate`` repeats, or
            ``reorder`` lets others overtake.
        delay_ms: the least that ``delay`` delays.
        delay_most_ms: the most; for ``reorder`` how long a message waits at
            most for the one that is to overtake it.
        copies: how many times more ``duplicate`` lets a message pass.
    """

    action: str
    name: str
    sources: tuple[str, ...] = ()
    to: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    instance: str | None = None
    percent: int = 0
    delay_ms: int = 0
    delay_most_ms: int = 0
    copies: int = 0


@dataclass(frozen=True, slots=True)
class Deliver:
    """By hand: give a message that waits to its addressee. Ends when all its effects are done.

    Of the messages that fit, the oldest that was not delivered before. What
    is ``None`` is not asked for.

    Attributes:
        kind: one of :data:`CARRIED`.
        source: who sent it, maybe the addressee itself.
        to: whom it is for.
        ballot: of the message; ``None`` where the kind has none.
        value: of an ``accept``, ``accepted`` or ``learn``.
        promised: what a ``nack`` says how high to go.
        accepted: the ballot of the pair that a ``promise`` reports, or
            :data:`NO_PAIR`.
        again: the oldest that fits and *was* delivered before: a second time.
        instance: in which instance.
    """

    kind: str
    source: str
    to: str
    ballot: str | None
    value: str | None = None
    promised: str | None = None
    accepted: str | None = None
    again: bool = False
    instance: str = ""


@dataclass(frozen=True, slots=True)
class Fire:
    """By hand: let a timer run out, the newest of its kind that is set.

    Attributes:
        node: whose.
        timer: one of :data:`TIMERS`.
        instance: in which instance.
    """

    node: str
    timer: str
    instance: str = ""


@dataclass(frozen=True, slots=True)
class Release:
    """Let held messages go on.

    With ``first`` the rule stays and only the oldest ``first`` of those that
    fit go; without it the rule ends and all that it holds goes.
    """

    name: str
    first: int | None = None
    kinds: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cut:
    """No message passes between nodes that share no group; a node may stand in several.

    Attributes:
        fault: what it is called: ``partition``, ``isolate`` or ``cut``.
        name: names it for :class:`Heal`.
        groups: who can still talk to whom.
    """

    fault: str
    name: str
    groups: tuple[tuple[str, ...], ...]

    def pairs(self, members: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        """The pairs of nodes that can no longer talk; a node in no group can with nobody."""
        return tuple(
            (low, high)
            for position, low in enumerate(members)
            for high in members[position + 1 :]
            if not any(low in group and high in group for group in self.groups)
        )

    @classmethod
    def link(cls, name: str, low: str, high: str, members: tuple[str, ...]) -> "Cut":
        """Cut the link between two nodes and no other."""
        others = [node for node in members if node not in (low, high)]
        return cls("cut", name, ((low, *others), (high, *others)))

    @classmethod
    def isolation(cls, name: str, node: str, members: tuple[str, ...]) -> "Cut":
        """Cut every link of one node."""
        return cls("isolate", name, ((node,), tuple(n for n in members if n != node)))


@dataclass(frozen=True, slots=True)
class Heal:
    """End faults of the network by name; ``names`` empty: all of them."""

    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Command:
    """Do something to the processes of some nodes.

    Attributes:
        verb: ``kill``, ``power_loss``, ``stop``, ``start``, ``pause`` or ``resume``.
        nodes: which; empty: all.
    """

    verb: str
    nodes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Failpoint:
    """Arm a failpoint: the node kills itself when it gets there, once.

    Attributes:
        node: which node.
        point: one of :data:`FAILPOINTS`.
        kind: the input whose record is meant, or for ``between_sends`` the
            kind of message that is being sent; empty: any.
        instance: in which instance.
        power: it is a power loss that strikes, not a kill.
    """

    node: str
    point: str
    kind: str
    instance: str
    power: bool = False


@dataclass(frozen=True, slots=True)
class DiskFault:
    """Something that a disk may do to a node.

    Attributes:
        node: whose disk.
        fault: ``fail_sync`` (the next sync of the node, which runs, fails),
            ``corrupt`` (one byte of the last record of its state is another) or
            ``lose`` (its state directory is empty), for which the node is down;
            or ``tear``: of what its next power loss takes some first part
            stays, by chance where the disk is simulated, else the first byte.
    """

    node: str
    fault: str


@dataclass(frozen=True, slots=True)
class Exits:
    """Wait until a node's process has ended without a command, and see how.

    Attributes:
        node: which node.
        code: its exit code: 137 for a failpoint, 4 for a sync that failed.
    """

    node: str
    code: int = 137


@dataclass(frozen=True, slots=True)
class Refuses:
    """Start a node that must refuse what its disk holds, and see that it does: exit code 3."""

    node: str


@dataclass(frozen=True, slots=True)
class Configure:
    """Change settings of the run's instances at every node that runs."""

    settings: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Measure:
    """Propose many values, each in an instance of its own, and measure.

    Attributes:
        row: names the row of the table of figures.
        at: the node that is asked.
        proposals: how many values.
        every_ms: the pace at which clients come; 0: each after the one before it.
        timeout_ms: how long each client waits.
    """

    row: str
    at: str
    proposals: int
    every_ms: int
    timeout_ms: int


Action = (
    Propose
    | Await
    | Wait
    | Learned
    | GateRule
    | Release
    | Deliver
    | Fire
    | Cut
    | Heal
    | Command
    | Failpoint
    | DiskFault
    | Exits
    | Refuses
    | Configure
    | Measure
)


@dataclass(frozen=True, slots=True)
class Step:
    """One command or one wait.

    Attributes:
        action: what to do.
        say: a heading for those who watch; empty when the step goes on with
            what the heading before it announced.
        limit_s: how long it may take; to run into the limit is a failed step.
    """

    action: Action
    say: str = ""
    limit_s: float = 15.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a client is told: the outcome, and perhaps the value and a part of the reason."""

    of: str
    outcomes: tuple[str, ...]
    value: str | None = None
    yours: bool | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Knows:
    """In the end these nodes know that the value is chosen; ``by`` empty: every node."""

    by: tuple[str, ...]
    instance: str
    value: str


@dataclass(frozen=True, slots=True)
class Measured:
    """A figure of a row lies within bounds; ``None`` bounds nothing."""

    row: str
    figure: str
    least: float | None = None
    most: float | None = None


@dataclass(frozen=True, slots=True)
class Expectation:
    """Something that holds in the end, with a sentence that says it."""

    what: Answer | Knows | Measured
    fact: str


@dataclass(frozen=True, slots=True)
class MustHappen:
    """Something without which the run has shown nothing."""

    sight: Sight
    fact: str


@dataclass(frozen=True, slots=True)
class Scenario:
    """A whole scenario.

    Attributes:
        name: that of the file.
        title: one line.
        predict: what to ask oneself before it runs; empty where nothing is asked.
        node_counts: the sizes of cluster that it is for; with several it runs on each.
        instances: names of the instances that it uses; each run takes fresh ones.
        settings: of its instances, at every node, by name.
        steps: in order.
        expectations: judged at the end.
        must_happen: judged at the end.
        notice: what to look at afterwards.
        broken_by: names of variants that break what this shows.
        variant: the broken variant that it runs with; ``None`` for the correct protocol.
        breaks: the rule that the variant breaks first.
        manual: every message, also a node's to itself, and every timer waits
            until a step hands it over. Only nodes that are marked unsafe do so.
    """

    name: str
    title: str
    predict: str
    node_counts: tuple[int, ...]
    instances: tuple[str, ...]
    settings: tuple[tuple[str, Any], ...]
    steps: tuple[Step, ...]
    expectations: tuple[Expectation, ...]
    must_happen: tuple[MustHappen, ...]
    notice: str
    broken_by: tuple[str, ...] = ()
    variant: str | None = None
    breaks: str | None = None
    manual: bool = False
    measures: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        proposals = sum(m.proposals for m in self.measurements())
        object.__setattr__(self, "measures", proposals)

    def measurements(self) -> Iterator[Measure]:
        """Its steps that measure; each of their proposals takes an instance of its own."""
        for step in self.steps:
            if isinstance(step.action, Measure):
                yield step.action
