"""The story on the terminal: its order, its width, its colours, and what it leaves out."""

import io
import time
from typing import Any, Final

import pytest
from rich.console import Console

from orchestrator.collect import Result
from orchestrator.interrupts import interruptible, interruptible_once, undisturbed
from orchestrator.journal import Journal
from orchestrator.measure import figures
from orchestrator.narrate import WIDTH, Narrator, make_console
from orchestrator.watch import Start, Watch
from paxos.events import Line

ESCAPE: Final = "\x1b"


def line(node: str, seq: int, event: str, after_ms: int = 0, **fields: Any) -> Line:
    """A line of the first incarnation, so many ms after a moment of the past."""
    at_ns = 1_000_000_000 + after_ms * 1_000_000
    header = {"v": 1, "node": node, "incarnation": 1, "seq": seq, "at_ns": at_ns, "event": event}
    return {**header, **fields}


def prepare(seq: int, to: str, after_ms: int = 0) -> Line:
    """n1's Prepare to one node."""
    return line("n1", seq, "prepare_sent", after_ms, instance=7, to=to, ballot="1.n1")


def promise(node: str, seq: int, after_ms: int = 0) -> Line:
    """A node's promise to n1."""
    fields = {"instance": 7, "to": "n1", "ballot": "1.n1", "accepted": None}
    return line(node, seq, "promise_sent", after_ms, **fields)


def story(*lines: Line, detail: int = 0, console: Console | None = None) -> str:
    """What is printed when these lines arrive in this order."""
    out = io.StringIO()
    narrator = Narrator(console or Console(file=out, width=WIDTH, highlight=False), detail)
    narrator.begin([7])
    narrator.put(list(lines))
    narrator.flush()
    return out.getvalue()


def test_a_cause_is_told_before_its_effect_whichever_came_first() -> None:
    """n2's line was read before n1's; both carry the time at which they were written."""
    told = story(promise("n2", 1, after_ms=5), prepare(1, "n2", after_ms=1))
    assert told.index("asks n2 to promise") < told.index("n2 promises n1")


def test_a_fan_out_is_one_sentence_though_others_wrote_meanwhile() -> None:
    """Three Prepares and an answer between them: the node's own order is kept."""
    told = story(prepare(1, "n1", 1), prepare(2, "n2", 3), promise("n4", 1, 2), prepare(3, "n3", 4))
    assert told.count("asks") == 1
    assert "n1 asks n1, n2 and n3 to promise 1.n1." in told


def test_a_fan_out_that_its_own_node_broke_off_stays_in_two_sentences() -> None:
    """What a node did in between is told in between."""
    told = story(
        prepare(1, "n2", 1), line("n1", 2, "node_stopped", 2, reason="x"), prepare(3, "n3", 3)
    )
    assert [word in told for word in ("promise 1.n1", "n1 stops")] == [True, True]
    assert told.count("asks") == 2


def test_lines_of_another_instance_and_details_are_not_told() -> None:
    """A measured proposal, what is ignored, and the lab's probes belong to the details."""
    other = {**promise("n2", 1), "instance": 8}
    ignored = line(
        "n1",
        2,
        "nack_received",
        instance=7,
        source="n2",
        ballot="1.n1",
        promised="2.n2",
        ignored="this ballot is over",
    )
    probe = line(
        "n1", 3, "message_dropped", message=None, source="n1", to="n2", kind="probe", rule="cut"
    )
    assert not story(other, ignored, probe)
    assert "this ballot is over" in story(other, ignored, probe, detail=1)


def test_no_row_is_wider_than_80_columns() -> None:
    """Long sentences are broken, and indented under their beginning."""
    told = story(
        line("orchestrator", 1, "step_started", step=1, say="word " * 60), promise("n2", 1)
    )
    rows = told.splitlines()
    assert max(len(row) for row in rows) <= 80
    assert rows[2].startswith("  word")


def test_a_value_cannot_pass_for_a_sentence_of_the_lab() -> None:
    """Strangers choose values: no escape of theirs reaches the terminal."""
    evil = "x\x1b[2J\n     1 ms n1 learns"
    told = story(line("n1", 1, "propose_received", instance=7, request=1, value=evil, timeout_ms=1))
    assert ESCAPE not in told
    assert len(told.strip().splitlines()) <= 2
    assert "'" in told


@pytest.mark.parametrize("variable", ["NO_COLOR", None])
def test_colour_is_for_terminals_that_want_it(
    monkeypatch: pytest.MonkeyPatch, variable: str | None
) -> None:
    """With NO_COLOR no colour on a terminal; without, a refusal is red."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    if variable is not None:
        monkeypatch.setenv(variable, "1")
    out = io.StringIO()
    terminal = Console(file=out, force_terminal=True, width=WIDTH, highlight=False)
    refused: dict[str, Any] = {
        "instance": 7,
        "to": "n1",
        "ballot": "1.n1",
        "promised": "1.n5",
        "request": "accept",
    }
    story(line("n3", 1, "nack_sent", **refused), console=terminal)
    assert ("\x1b[31m" in out.getvalue()) == (variable is None)


def test_a_pipe_gets_80_columns_and_no_escape(capsys: pytest.CaptureFixture[str]) -> None:
    """Standard output that is no terminal is read by a program or a pager."""
    console = make_console()
    assert not console.is_terminal
    assert console.width == 80
    console.print("[bold]not markup?[/bold]", markup=False, style="red")
    assert ESCAPE not in capsys.readouterr().out


def test_the_watch_leaves_out_what_came_before_the_run_and_what_comes_twice() -> None:
    """A log stream may begin early and repeat itself; the run's piece begins where it was named."""
    watch = Watch({"fruit": 7})
    watch.put([promise("n1", 3), promise("n1", 4)])
    watch.begin({"n1": Start(1, 4)})
    watch.put([promise("n1", 4), promise("n1", 5), promise("n9", 1)])
    assert [found["seq"] for found in watch.of_node("n1")] == [4, 5]
    assert watch.nodes() == ["n1"]


def test_waiting_ends_with_the_line_and_not_with_the_limit() -> None:
    """A limit is a limit; and when it is reached nothing was found."""
    watch = Watch({"fruit": 7})
    watch.begin({"n1": Start(1, 1)})
    watch.put([promise("n1", 1)])
    began = time.monotonic()
    assert watch.wait_for(lambda lines: lines.of("promise_sent") or None, 60)
    assert time.monotonic() - began < 30
    assert watch.wait_for(lambda lines: lines.of("nack_sent") or None, 0.01) is None
    assert watch.wait_until_at("n1", 1, 1, 0.01)
    assert not watch.wait_until_at("n1", 2, 1, 0.01)


def test_the_journal_numbers_without_a_gap_and_shortens_long_values() -> None:
    """A value of more than 256 bytes stands as its length and digest, as in a node's log."""
    lines: list[Line] = []
    journal = Journal(lines.extend)
    journal.write("propose_invoked", instance=7, operation=1, to="n1", value="x" * 300)
    journal.write("run_finished", completed=True, reason="")
    assert [one["seq"] for one in lines] == [1, 2]
    assert lines[0]["value"]["bytes"] == 300


def test_an_interrupt_waits_until_what_must_not_be_broken_off_is_done() -> None:
    """Ctrl-C twice must not leave half of the faults behind."""
    import os  # noqa: PLC0415 - only here
    import signal  # noqa: PLC0415

    done = []

    def finish() -> None:
        with undisturbed():
            os.kill(os.getpid(), signal.SIGINT)
            done.append("undone")

    with pytest.raises(KeyboardInterrupt):
        finish()
    assert done == ["undone"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_block_within_another_leaves_an_interrupt_to_the_outer_one() -> None:
    """The rest of the outer one must be finished, too."""
    import os  # noqa: PLC0415 - only here
    import signal  # noqa: PLC0415

    done = []

    def finish() -> None:
        with undisturbed():
            with undisturbed():
                os.kill(os.getpid(), signal.SIGTERM)
                done.append("inner")
            os.kill(os.getpid(), signal.SIGINT)
            done.append("outer")

    with pytest.raises(KeyboardInterrupt):
        finish()
    assert done == ["inner", "outer"]


def test_within_what_may_be_interrupted_a_block_raises_at_its_own_end() -> None:
    """Whatever is around: work that may be broken off is."""
    import os  # noqa: PLC0415 - only here
    import signal  # noqa: PLC0415

    done = []

    def work() -> None:
        with interruptible():
            with undisturbed():
                os.kill(os.getpid(), signal.SIGINT)
                done.append("block")
            done.append("never")

    with undisturbed(), pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["block"]


def test_after_the_first_interrupt_none_breaks_off_the_way_to_the_end() -> None:
    """The second one comes where the first one is on its way out."""
    import os  # noqa: PLC0415 - only here
    import signal  # noqa: PLC0415

    done = []

    def work() -> None:
        with interruptible_once():
            try:
                os.kill(os.getpid(), signal.SIGINT)
            finally:
                os.kill(os.getpid(), signal.SIGTERM)
                os.kill(os.getpid(), signal.SIGINT)
                done.append("end")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["end"]


class FakeOperation:
    """A client operation that has ended."""

    def __init__(self, instance: int, begun_ms: int, ended_ms: int, outcome: str) -> None:
        self.instance = instance
        self.invoked_ns = begun_ms * 1_000_000
        self.ended_ns = ended_ms * 1_000_000
        self.latency_ms = float(ended_ms - begun_ms)
        self.told = type("Told", (), {"outcome": outcome})()


def test_figures_count_successes_windows_messages_and_syncs() -> None:
    """Two of three decided, in two of five windows of 100 ms."""
    operations: Any = [
        FakeOperation(1, 0, 10, "ok"),
        FakeOperation(2, 100, 420, "failed"),
        FakeOperation(3, 200, 230, "ok"),
    ]
    lines = [
        {**promise("n1", 1), "instance": 1},
        {**promise("n1", 2), "instance": 3},
        {**promise("n1", 3), "instance": 9},
        line("n1", 4, "state_persisted", instance=3, record="round", number=1, round=1),
    ]
    found = figures(operations, lines)
    assert (found["ok"], found["failed"], found["unknown"]) == (2, 1, 0)
    assert found["success_percent"] == 66.7
    assert found["p50_ms"] == 20.0
    assert found["windows_percent"] == 40.0
    assert found["messages_per_decision"] == 1.0
    assert found["syncs_per_decision"] == 0.5


@pytest.mark.parametrize(
    ("verdict", "met", "departed", "code"),
    [
        ("ok", True, False, 0),
        ("ok", False, False, 1),
        ("ok", True, True, 1),
        ("violated", True, False, 1),
        ("unknown", True, False, 3),
        ("unknown", False, False, 1),
    ],
)
def test_exit_codes_say_what_became_of_a_run(
    verdict: str, met: bool, departed: bool, code: int
) -> None:
    """0 ok; 1 violated, not as expected or not the core; 3 unknown, every expectation met."""
    finding = type("Finding", (), {"met": met})()
    made: Any = type("Verdict", (), {"verdict": verdict, "violations": (), "departed": departed})()
    result = Result("x", 5, None, made, (finding,), {}, None, None, 0.0)  # type: ignore[arg-type]
    assert result.exit_code == code


@pytest.mark.parametrize(("breaks", "code"), [("R3", 1), ("liveness", 0), ("a rule", 0), (None, 0)])
def test_a_broken_variant_that_breaks_nothing_is_not_as_expected(
    breaks: str | None, code: int
) -> None:
    """Its scenario says which rule it breaks: "NOT caught" must not end as a success."""
    made: Any = type("Verdict", (), {"verdict": "ok", "violations": (), "departed": False})()
    result = Result("x", 5, None, made, (), {}, breaks, None, 0.0)  # type: ignore[arg-type]
    assert not result.caught
    assert result.exit_code == code
