"""Fuzzing: the correct protocol survives it, broken ones don't, and what is found is kept."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from orchestrator.__main__ import app
from orchestrator.fuzzing import Found, Wish, fuzz
from orchestrator.parts import parts_of
from orchestrator.places import HOME_VARIABLE
from paxos.checker import VIOLATED
from paxos.conformance import conform
from paxos.events import Line, problems
from paxos.scenario import model as do
from paxos.scenario import parse
from paxos.simulator.fuzz import (
    LIVENESS,
    LIVENESS_S,
    SOMETIMES,
    Tally,
    find,
    run_plan,
    run_seed,
)
from paxos.simulator.parts import CORRECT
from paxos.simulator.plan import Command, make_plan
from paxos.simulator.player import play
from paxos.simulator.saved import as_scenario
from paxos.simulator.shrink import replayed, reproduces, shrink

SEEDS = range(1, 301)

ONCE_WRONG = (32, 77, 106, 130, 156, 177, 292, 297, 589, 20000120, 20000984, 3465581310)
"""Seeds that found something wrong with the simulator or the fuzz while they were made."""


def without_times(lines: Sequence[Line]) -> list[Line]:
    """The lines of nodes, without what the runner's own lines and the clock decide."""
    return [
        {name: value for name, value in line.items() if name not in {"at_ns", "cause"}}
        for line in lines
        if line["node"] != "orchestrator"
    ]


# --- always, sometimes, and in time -------------------------------------------------------


def test_the_correct_protocol_survives_whatever_happens() -> None:
    """*Always*: safe, and decided in time. *Sometimes*: everything that the fuzz is for."""
    tally = Tally()
    found = find(SEEDS, tally=tally)
    assert found is None, f"seed {found.plan.seed}: {found.rule}, {found.verdict.as_text()}"
    assert tally.seed_count == len(SEEDS)
    assert tally.unseen == ()
    assert tally.unknown_count == 0
    assert tally.slowest_s < LIVENESS_S
    # More than a trace of each: a fuzz that hardly ever does something is none.
    assert all(tally.seen[fact] >= len(SEEDS) // 30 for fact in SOMETIMES), tally.seen


@pytest.mark.parametrize("seed", ONCE_WRONG)
def test_seeds_that_were_once_wrong_are_right(seed: int) -> None:
    """A fixed bug leaves a seed."""
    outcome = run_seed(seed)
    assert outcome.rule is None, (outcome.rule, outcome.verdict.as_text())


def test_every_line_is_of_the_schema_and_every_step_the_cores() -> None:
    """What the checker is spared to look at, and what conformance replays."""
    for seed in range(1, 61):
        lines = run_seed(seed).lines
        for line in lines:
            assert problems(line) == [], (seed, line)
        assert not conform(lines).departures, seed


def test_a_seed_is_a_run() -> None:
    """The same plan, the same lines; another seed, others."""
    assert make_plan(5) == make_plan(5)
    assert run_seed(5).lines == run_seed(5).lines
    assert make_plan(5) != make_plan(6)


def test_given_settings_are_left_alone() -> None:
    """A variant that is made of a setting must not lose it to a plan."""
    assert "number_scheme" in dict(make_plan(1).settings)
    assert "number_scheme" not in dict(make_plan(1, settings={"scheme": "ranges"}).settings)


# --- what is broken -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variant", "rule"),
    [
        ("accept-below-promise", "R1"),
        ("promise-omits-accepted", "R2"),
        ("number-reused", "R3"),
        ("ignore-accepted", "R4"),
        ("small-quorum", "R5"),
        ("reply-before-write", "R6"),
        ("sync-lies", "R6"),
        ("strict-accept", LIVENESS),
        ("no-backoff", LIVENESS),
    ],
)
def test_a_planted_bug_is_found(variant: str, rule: str) -> None:
    """One of each rule, of storage and of liveness; the gallery's test has all of them."""
    found = find(SEEDS, parts_of(variant))
    assert found is not None
    assert found.rule == rule


def test_a_protocol_that_does_nothing_is_not_live() -> None:
    """Safety alone is easy: a node that never answers breaks no rule."""
    found = find(range(1, 4), parts_of("strict-accept"))
    assert found is not None
    assert found.rule == LIVENESS
    assert found.settled_s is None
    assert found.verdict.verdict != VIOLATED


# --- reduced and saved ----------------------------------------------------------------------


def test_the_least_of_a_finding_breaks_the_same_rule() -> None:
    """Nothing more can be left out, one command at a time."""
    parts = parts_of("number-reused")
    found = find(SEEDS, parts)
    assert found is not None
    shrunk = shrink(found, parts)
    assert shrunk.complete
    plan = shrunk.outcome.plan
    assert len(plan.commands) < len(found.plan.commands)
    assert shrunk.outcome.rule == found.rule
    for place in range(len(plan.commands)):
        less = replace(plan, commands=plan.commands[:place] + plan.commands[place + 1 :])
        outcome = run_plan(less, parts)
        assert outcome.rule != found.rule or not reproduces(outcome, parts)


def test_a_reduction_ends_at_its_limit() -> None:
    """It says so, and gives what it has."""
    parts = parts_of("number-reused")
    found = find(SEEDS, parts)
    assert found is not None
    shrunk = shrink(found, parts, run_limit=3)
    assert (shrunk.complete, shrunk.run_count) == (False, 3)


def test_a_saved_run_goes_line_by_line_as_the_run_went() -> None:
    """Each command waits for the very line behind which it came."""
    same = 0
    for seed in range(1, 41):
        outcome = run_seed(seed)
        saved = without_times(replayed(outcome, CORRECT).world.lines)
        told = without_times(outcome.lines)
        # A player looks until its last step has seen its lines, a fuzz until all have learned.
        shorter = min(len(saved), len(told))
        same += saved[:shorter] == told[:shorter] and abs(len(saved) - len(told)) < 40
    # A command that came when nothing happened any more may come sooner: see `reproduces`.
    assert same >= 38


def test_every_action_of_a_plan_can_be_saved() -> None:
    """And is read back as what it was."""
    kinds = set()
    for seed in range(1, 61):
        outcome = run_seed(seed)
        scenario = parse("saved", as_scenario(outcome, CORRECT))
        assert [step.action for step in scenario.steps] == [step.action for step in outcome.steps]
        kinds |= {type(step.action) for step in scenario.steps}
    assert kinds >= {
        do.Propose,
        do.Wait,
        do.Learned,
        do.GateRule,
        do.Release,
        do.Cut,
        do.Heal,
        do.Command,
        do.Failpoint,
        do.DiskFault,
        do.Refuses,
    }


def test_a_liveness_finding_fails_when_it_is_played() -> None:
    """Its last step waits for what does not come."""
    parts = parts_of("strict-accept")
    found = find(range(1, 10), parts)
    assert found is not None
    scenario = parse("saved", as_scenario(found, parts))
    played = play(scenario, found.plan.node_count, found.plan.seed, parts)
    assert played.failure is not None
    assert "had learned" in played.failure


def test_a_command_that_is_not_possible_is_left_out() -> None:
    """A start of a node that runs, a release of what nobody holds: no step, no line."""
    plan = replace(
        make_plan(1, (3,)),
        commands=(
            Command(0, do.Command("start", ("n1",))),
            Command(0, do.Release("nobody", first=1)),
            Command(0, do.Command("resume", ("n2",))),
            Command(0, do.DiskFault("n3", "lose")),
        ),
    )
    outcome = run_plan(plan)
    assert {type(step.action) for step in outcome.steps} == {do.Wait, do.Propose, do.Learned}


# --- over processes, and from the command line --------------------------------------------


def wish(**changes: object) -> Wish:
    """A small fuzz."""
    return replace(Wish(1, 40, (), None, None, 1), **changes)  # type: ignore[arg-type]


def ignore(_: Found) -> None:
    """Nobody looks."""


def test_any_number_of_processes_finds_the_same() -> None:
    """Blocks come back in order: the lowest seed is told, whoever ran it."""
    alone = fuzz(wish(variant="ignore-accepted"), ignore)
    together = fuzz(wish(variant="ignore-accepted", jobs=2), ignore)
    assert alone.seed is not None
    assert together.seed == alone.seed
    assert together.tally.seed_count == alone.tally.seed_count
    assert together.tally.seen == alone.tally.seen


def test_ctrl_c_gives_what_is_known_so_far() -> None:
    """Blocks that came back are counted."""

    def interrupt(found: Found) -> None:
        if found.tally.seed_count >= 20:
            raise KeyboardInterrupt

    found = fuzz(wish(), interrupt)
    assert found.interrupted
    assert found.tally.seed_count == 20
    assert found.tally.seen[SOMETIMES[0]] > 0


def test_a_fuzz_ends_when_its_time_is_up() -> None:
    """No block is begun after it."""
    found = fuzz(wish(count=1_000_000, seconds=0.0), ignore)
    assert found.tally.seed_count <= 10


@pytest.fixture
def runner(tmp_path: Path) -> CliRunner:
    """A command line with a home of its own."""
    return CliRunner(env={HOME_VARIABLE: str(tmp_path)})


def test_a_quiet_fuzz_says_what_it_has_shown(runner: CliRunner) -> None:
    """Exit 0; the seeds first, the command that does it again last; 80 columns."""
    result = runner.invoke(app, ["fuzz", "--seeds", "1..20", "--jobs", "1"])
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert lines[0] == "Seeds 1 to 20."
    assert lines[-1] == "Again: paxos-lab fuzz --seeds 1..20"
    assert any(line.startswith("Nothing found in 20 seeds: safety held") for line in lines)
    assert all(len(line) <= 80 for line in lines)


def test_a_finding_is_told_kept_and_can_be_played_again(runner: CliRunner) -> None:
    """Exit 1; the scenario that is named last breaks the same rule, by the same command."""
    arguments = ["fuzz", "--seeds", "1..60", "--variant", "ignore-accepted", "--jobs", "1"]
    result = runner.invoke(app, arguments)
    assert result.exit_code == 1, result.output
    assert "breaks R4" in result.output
    command = result.output.splitlines()[-1]
    assert command.startswith("Again: paxos-lab scenario ")
    again = runner.invoke(app, command.split()[2:])
    assert again.exit_code == 1, again.output
    assert "Caught: R4 was broken first" in again.output


def test_a_program_gets_one_object(runner: CliRunner) -> None:
    """With what was found, where it is, and what was seen."""
    arguments = ["fuzz", "--seeds", "1..60", "--variant", "sync-lies", "--jobs", "1", "--json"]
    result = runner.invoke(app, arguments)
    told = json.loads(result.stdout)
    assert result.exit_code == 1
    assert told["found"]["rule"] == "R6"
    assert told["found"]["reproduces"] is True
    assert Path(told["found"]["scenario"]).is_file()
    assert (Path(told["found"]["folder"]) / "verdict.json").is_file()
    assert set(told["seen"]) == set(SOMETIMES)


def test_a_fuzz_in_which_nothing_was_shown_says_so(runner: CliRunner) -> None:
    """Exit 3: no value was chosen in any seed, so nothing is known of safety."""
    result = runner.invoke(app, ["fuzz", "--seeds", "1..1", "--time", "0", "--jobs", "1"])
    assert result.exit_code == 3, result.output
    assert "nothing is shown by that" in result.output


@pytest.mark.parametrize("seeds", ["5..1", "apple", "1..", "0", "-3..4"])
def test_a_range_that_is_none_is_refused(runner: CliRunner, seeds: str) -> None:
    """With a sentence that says what it should be."""
    result = runner.invoke(app, ["fuzz", f"--seeds={seeds}"])
    assert result.exit_code != 0
    assert "--seeds" in str(result.exception)
