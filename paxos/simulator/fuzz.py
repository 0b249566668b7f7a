"""Seeds in bulk: each is a plan of clients and faults, run, put right, and judged.

After the commands of a plan everything that is wrong is put right, and two
more clients ask in each instance. Then every node that runs must have learned
a value in every instance within :data:`LIVENESS_S` of virtual time: a run that
is safe and never decides is a finding, too.

Every *always* has its *sometimes*: :class:`Tally` counts in how many seeds
anything happened, for a protocol that does nothing breaks no rule.
"""

import gc
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from paxos.chance import Chance
from paxos.checker import VIOLATED, Verdict, check_lines
from paxos.events import Line
from paxos.protocol import NumberScheme
from paxos.scenario import Step
from paxos.scenario import model as do
from paxos.scenario.pattern import Is, Pattern
from paxos.simulator.node import EXIT_STATE_REFUSED, Node
from paxos.simulator.parts import CORRECT, Parts
from paxos.simulator.plan import NODE_COUNTS, WEATHER, Plan, make_plan
from paxos.simulator.stage import Stage, StepFailed
from paxos.simulator.world import World

LIVENESS_S: Final = 120
"""How long it may take, once nothing is wrong any more, until every node has learned.

A node that neither accepted nor was told asks its peers at intervals that
double up to a minute; the rest is for the last clients.
"""

LIVENESS_LINES: Final = 8_000
"""How many lines that may take: a duel without an end has no time to wait for."""

LIVENESS: Final = "liveness"
"""The name of the finding that a run is safe and does not decide."""

_WAIT_LIMIT_S: Final = 600
"""How long a saved command waits for its line: virtual time costs nothing."""
_LAST_TIMEOUT_MS: Final = 60_000
_RUNS_A_COLLECTION: Final = 50
_S: Final = 1_000_000_000

SOMETIMES: Final = (
    "a value was chosen",
    "an acceptor refused",
    "two ballots met",
    "a proposer gave way to a reported value",
    "a node started again",
    "a message was lost at a gate",
    "a message passed more than once",
    "a power loss took bytes",
    "a disk was hurt",
    "a start was refused",
)
"""What must happen in some seeds, or the fuzz has shown nothing."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one plan.

    Attributes:
        plan: what was to be done.
        rule: the rule that was broken first, :data:`LIVENESS`, or ``None``.
        verdict: what the rules say.
        seen: which of :data:`SOMETIMES` the run shows.
        lines: the log.
        steps: what was done, with the lines that each command waited for.
        settled_s: how long it took to decide, once nothing was wrong; ``None``
            if it never did, or too few nodes were left to decide.
    """

    plan: Plan
    rule: str | None
    verdict: Verdict
    seen: frozenset[str]
    lines: list[Line]
    steps: tuple[Step, ...]
    settled_s: float | None


@dataclass(slots=True)
class Tally:
    """What many seeds have shown.

    Attributes:
        seed_count: how many were run.
        line_count: how many lines they have logged.
        unknown_count: in how many some rule could not be judged to the end.
        seen: in how many each of :data:`SOMETIMES` was seen.
        slowest_s: the longest that one of them took to decide.
    """

    seed_count: int = 0
    line_count: int = 0
    unknown_count: int = 0
    seen: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0.0

    def add(self, outcome: Outcome) -> None:
        """Count one seed."""
        self.seed_count += 1
        self.line_count += len(outcome.lines)
        self.unknown_count += outcome.verdict.verdict not in {"ok", VIOLATED}
        self.seen.update(outcome.seen)
        self.slowest_s = max(self.slowest_s, outcome.settled_s or 0.0)

    def merge(self, other: "Tally") -> None:
        """Count the seeds of another."""
        self.seed_count += other.seed_count
        self.line_count += other.line_count
        self.unknown_count += other.unknown_count
        self.seen.update(other.seen)
        self.slowest_s = max(self.slowest_s, other.slowest_s)

    @property
    def unseen(self) -> tuple[str, ...]:
        """What no seed has shown."""
        return tuple(fact for fact in SOMETIMES if not self.seen[fact])


def run_seed(
    seed: int, parts: Parts = CORRECT, node_counts: Sequence[int] = NODE_COUNTS
) -> Outcome:
    """Run and judge the plan of one seed."""
    return run_plan(make_plan(seed, node_counts, parts.settings), parts)


def find(
    seeds: Iterable[int],
    parts: Parts = CORRECT,
    node_counts: Sequence[int] = NODE_COUNTS,
    tally: Tally | None = None,
) -> Outcome | None:
    """The first seed that shows something wrong; ``None`` if none does.

    Args:
        seeds: which to run, in this order.
        parts: what runs.
        node_counts: how many nodes there may be.
        tally: counts what they have shown.
    """
    with rare_collections() as run_done:
        for seed in seeds:
            outcome = run_seed(seed, parts, node_counts)
            if tally is not None:
                tally.add(outcome)
            if outcome.rule is not None:
                return outcome
            run_done()
    return None


@contextmanager
def rare_collections() -> Iterator[Callable[[], None]]:
    """Collect the garbage of many runs at once: a world dies whole, and looking costs half the time.

    Yields:
        To be called after each run.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    count = 0

    def run_done() -> None:
        nonlocal count
        count += 1
        if count % _RUNS_A_COLLECTION == 0:
            gc.collect()

    try:
        yield run_done
    finally:
        if was_enabled:
            gc.enable()


def run_plan(plan: Plan, parts: Parts = CORRECT) -> Outcome:
    """Run a plan, put everything right, and judge what happened."""
    run = _Run(plan, parts)
    try:
        settled_s = run.perform()
    except AssertionError as error:
        error.add_note(f"seed {plan.seed}, {plan.node_count} nodes, variant {parts.name}")
        raise
    world = run.world
    world.read_disks()
    verdict = check_lines(world.lines, trusted=True)
    rule: str | None = None
    if verdict.violations:
        rule = verdict.violations[0].rule
    elif settled_s is None and run.must_decide:
        rule = LIVENESS
    return Outcome(
        plan, rule, verdict, _seen(world, verdict), world.lines, tuple(run.steps), settled_s
    )


class _Run:
    """One plan in its world."""

    def __init__(self, plan: Plan, parts: Parts) -> None:
        self.plan = plan
        self.world = World(
            plan.seed,
            plan.node_count,
            parts.core_settings(),
            roles=parts.roles,
            keeping=parts.keeping,
            variant=parts.name,
        )
        self.world.run()
        self.steps: list[Step] = []
        self.must_decide = False
        instances = {name: number for number, name in enumerate(plan.instances, start=1)}
        self._base = self.world.line_count
        self._stage = Stage(self.world, instances, {})
        self._instances = instances
        for node in self.world.running():
            node.write({"event": "gate_changed", "rules": []})
        if plan.settings:
            self._stage.configure(dict(plan.settings))

    def perform(self) -> float | None:
        """Do all of it; how long it took to decide in the end, in seconds."""
        for command in self.plan.commands:
            self._do(command.action, command.after)
        self._put_right()
        return self._settle()

    # --- one command at a time --------------------------------------------------------

    def _do(self, action: do.Action, after: int = 0) -> None:
        """Carry out a command so many lines after the one before it, if it is possible then."""
        if after:
            self._let_pass(after)
        self.world.tick()
        if not self._stage.faults.allows(action):
            # The tick, too, must be told, so that a player's clock goes the same.
            self._note_wait()
            return
        step = Step(action)
        try:
            self._stage.carry_out(0, step)
        except StepFailed as failed:
            if not (isinstance(action, do.Command) and action.verb == "start"):
                raise AssertionError(f"it was possible, and failed: {failed}") from failed
            # Only a start may be refused.
            step = Step(do.Refuses(action.nodes[0]))
        self.steps.append(step)
        self._base = self.world.line_count

    def _let_pass(self, count: int) -> None:
        """Let time pass until so many lines are there, and note the last as a wait."""
        world = self.world
        world.tick()
        until_ns = world.now_ns + (_WAIT_LIMIT_S - 1) * _S
        while world.line_count < self._base + count:
            next_ns = world.next_ns()
            if next_ns is None or next_ns > until_ns:
                # Nothing happens any more, and a saved command waits for the last line.
                break
            world.advance(next_ns)
        self._note_wait()

    def _note_wait(self) -> None:
        """Note a wait for the last line of a node."""
        lines = reversed(self.world.lines)
        line = next(line for line in lines if line["node"] != "orchestrator")
        place = tuple((name, Is((line[name],))) for name in ("node", "incarnation", "seq"))
        wait = do.Wait((Pattern(line["event"], place),))
        self.steps.append(Step(wait, limit_s=_WAIT_LIMIT_S))

    # --- the end ----------------------------------------------------------------------

    def _put_right(self) -> None:
        """End every fault; nodes with one that is still to come are started anew."""
        for name in self._stage.faults.in_force:
            if name != WEATHER:
                self._do(do.Heal((name,)))
        for node in self.world.nodes.values():
            if node.paused:
                self._do(do.Command("resume", (node.name,)))
        for node in self.world.nodes.values():
            if node.dying:
                # What it waits for arrives now, or is lost.
                self._do(do.Exits(node.name))
            if node.up and (node.armed or node.disk.sync_fails):
                self._do(do.Command("kill", (node.name,)))
            if not node.up:
                self._do(do.Command("start", (node.name,)))

    def _settle(self) -> float | None:
        """Let the last clients ask, and see how long it takes until every node has learned."""
        world = self.world
        up = [node for node in world.nodes.values() if node.up]
        if len(up) <= self.plan.node_count // 2:
            return None
        names = self._to_be_decided(up)
        if not names:
            return 0.0
        self.must_decide = True
        asked = self._last_asked(up)
        for name in names if self.plan.fresh else ():
            for number, node in enumerate(asked, start=1):
                word = f"last-{name}-{number}"
                self._do(do.Propose(word, node.name, word, name, True, _LAST_TIMEOUT_MS))
        began_ns, numbers = world.now_ns, tuple(self._instances[name] for name in names)
        most_lines = world.line_count + LIVENESS_LINES
        settled_s: float | None = None
        while world.advance(began_ns + LIVENESS_S * _S) and world.line_count < most_lines:
            if all(_knows(node, numbers) for node in up):
                settled_s = (world.now_ns - began_ns) / _S
                break
        # A duel is not played again for longer than it was looked at.
        limit_s = LIVENESS_S if settled_s is not None else (world.now_ns - began_ns) // _S + 1
        members = tuple(node.name for node in up)
        self.steps += [Step(do.Learned(members, name), limit_s=limit_s) for name in names]
        return settled_s

    def _to_be_decided(self, up: Sequence[Node]) -> tuple[str, ...]:
        """The instances in which a value must be learned now."""
        ranges = dict(self.plan.settings).get("number_scheme") == str(NumberScheme.RANGES)
        if ranges and not (self.plan.fresh and self.world.nodes[self.plan.node_count].up):
            # Safe and not live: only the node with the highest numbers can always go on.
            return ()
        if self.plan.fresh:
            return self.plan.instances
        return tuple(
            name
            for name, number in self._instances.items()
            if any(_pursues(node, number) for node in up)
        )

    def _last_asked(self, up: Sequence[Node]) -> list[Node]:
        """Whom the last clients ask: two nodes, or the one that can always go on."""
        if dict(self.plan.settings).get("number_scheme") == str(NumberScheme.RANGES):
            return [self.world.nodes[self.plan.node_count]]
        chance = Chance(~self.plan.seed)
        first = chance.among(up)
        return [first, chance.among([node for node in up if node is not first])]


def _pursues(node: Node, instance: int) -> bool:
    """Whether a node pursues a client's value that it must not drop: one that it has sent."""
    state = node.states.get(instance)
    return state is not None and any(wish.sent for wish in state.instance.proposer.wishes)


def _knows(node: Node, instances: Iterable[int]) -> bool:
    states = node.states
    return all(number in states and states[number].learned for number in instances)


def _seen(world: World, verdict: Verdict) -> frozenset[str]:
    """Which of :data:`SOMETIMES` a run shows."""
    events = {line["event"] for line in world.lines}
    exits = {line["exit_code"] for line in world.lines if line["event"] == "node_exited"}
    facts = {
        "a message was lost at a gate": "message_dropped" in events,
        "a message passed more than once": "message_duplicated" in events,
        "a power loss took bytes": any(n.disk.lost_byte_count for n in world.nodes.values()),
        "a disk was hurt": any(
            line["event"] == "fault_applied" and line["fault"] == "disk_fault"
            for line in world.lines
        ),
        "a start was refused": EXIT_STATE_REFUSED in exits,
    }
    return frozenset(fact for fact in SOMETIMES if facts.get(fact) or verdict.coverage.get(fact))
