"""``paxos-lab explore`` as a user and as a script meet it."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from orchestrator.__main__ import main
from orchestrator.explore import _Progress
from orchestrator.narrate import WIDTH
from paxos.explorer import Progress

QUICK = ["--nodes", "2", "--proposing", "1", "--values", "1", "--ballots", "1", "--crashes", "0"]
KEYS = {
    "model",
    "nodes",
    "proposing",
    "values",
    "ballots",
    "crashes",
    "disk_faults",
    "whole_steps",
    "variant",
    "ended",
    "met_bounds",
    "distinct",
    "generated",
    "depth",
    "seconds",
    "core_calls",
    "peak_mib",
    "verdicts",
    "steps",
}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lab of its own: what is played is kept there."""
    monkeypatch.setenv("PAXOS_LAB_HOME", str(tmp_path))
    return tmp_path


@dataclass(frozen=True)
class Result:
    """How a command ended, and what it printed."""

    exit_code: int
    output: str
    errors: str


Call = Callable[..., Result]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """The whole command line, in this process."""

    def run(*words: str) -> Result:
        with pytest.raises(SystemExit) as ended:
            main(words)
        printed = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return Result(ended.value.code, printed.out, printed.err)

    return run


def told(result: Result) -> dict[str, Any]:
    """The one JSON object at the end of the output."""
    found: dict[str, Any] = json.loads(result.output.splitlines()[-1])
    return found


class TestEnds:
    def test_0_when_all_holds(self, call: Call) -> None:
        """And what must happen sometimes does."""
        result = call("explore", *QUICK)
        assert result.exit_code == 0, result.output
        assert "138 distinct states, 252 generated, depth 31" in result.output
        assert "every state within the bounds" in result.output
        assert "beyond it" in result.output, "a bound that was met is said"

    def test_1_when_something_is_broken(self, call: Call) -> None:
        """With the story of the shortest way there, and where it is kept."""
        result = call("explore", "--variant", "small-quorum")
        assert result.exit_code == 1, result.output
        assert re.search(r"R5 .*broken +after 7 steps", result.output)
        assert "Caught: R5 was broken first" in result.output
        assert "disagree" not in result.output

    def test_1_when_what_must_happen_never_does(self, call: Call) -> None:
        """A protocol that chooses nothing is no good, though it breaks no rule."""
        result = call("explore", "--variant", "strict-accept")
        assert result.exit_code == 1
        assert re.search(r"chosen .*never", result.output)
        assert not re.search(r"R\d .*broken", result.output)

    def test_3_when_it_was_cut_short(self, call: Call) -> None:
        """Nothing is broken so far, and that is all that is known."""
        result = call("explore", "tiny", "--limit", "100")
        assert result.exit_code == 3
        assert "unknown. A higher --limit goes on." in " ".join(result.output.split())

    @pytest.mark.parametrize(
        ("words", "text"),
        [
            (["--nodes", "20"], "nodes is 20, and may be 1 to 9"),
            (["--nodes", "2", "--proposing", "3"], "proposing is 3, and may be 1 to 2"),
            (["tiny", "--ballots", "9"], "ballots is 9, and may be 1 to 7"),
            (["nosuch"], "no model 'nosuch'; there are: tiny, .*messages"),
            (["tiny", "--acceptors", "3"], "--acceptors is for the model `messages`"),
            (["messages", "--nodes", "3"], "has --acceptors, --values and --ballots, not --nodes"),
            (["messages", "--acceptors", "9"], "acceptors is 9, and may be 1 to 5"),
            (["messages", "--acceptors", "0"], "acceptors is 0, and may be 1 to 5"),
            (["messages", "--values", "0"], "values is 0, and may be 1 to"),
            (["messages", "--ballots", "0"], "ballots is 0, and may be 1 to"),
            (["messages", "--limit", "5"], "not --limit"),
            (["messages", "--until", "nothing"], "not --until"),
            (["messages", "--variant", "small-quorum"], "not --variant"),
            (["messages", "--engine", "plain"], "not --engine"),
            (["--variant", "nosuch"], "no variant is called 'nosuch'; the nearest are .*lists all"),
            (["tiny", "--reduce", "--engine", "arrays"], "by the plain engine only"),
        ],
    )
    def test_2_and_a_sentence_when_it_cannot_be(
        self, call: Call, words: list[str], text: str
    ) -> None:
        """What is wrong, and what is possible; no traceback."""
        result = call("explore", *words)
        assert result.exit_code == 2
        assert result.errors.startswith("error: ")
        assert re.search(text, result.errors)
        assert "Traceback" not in result.errors

    @pytest.mark.parametrize("words", [["--engine", "fast"], ["--nodes", "three"], ["tiny", "x"]])
    def test_2_when_it_is_no_call(self, call: Call, words: list[str]) -> None:
        """The words of the command line itself."""
        assert call("explore", *words).exit_code == 2

    def test_a_model_that_does_not_fit_a_word_ends_with_what_is_known(self, call: Call) -> None:
        """In the midst of the search, with the way out; nine nodes that may do everything."""
        bounds = "--nodes 9 --proposing 9 --values 4 --ballots 7 --crashes 7 --disk-faults 3"
        result = call("explore", *bounds.split(), "--limit", "2000000")
        assert result.exit_code == 3
        told = " ".join(result.output.split())
        assert "too large" in told
        assert "lower a bound" in told
        assert "What is not broken so far is unknown." in told


class TestJson:
    def test_it_ends_with_one_object(self, call: Call) -> None:
        """Nothing else is printed, so that a script can read all of it."""
        result = call("explore", *QUICK, "--json")
        (line,) = result.output.splitlines()
        found = json.loads(line)
        assert found.keys() >= KEYS
        assert (found["distinct"], found["generated"], found["depth"]) == (138, 252, 31)
        assert (found["ended"], found["met_bounds"]) == ("complete", ["ballots"])
        assert found["verdicts"]["agreement"] == "holds"
        assert found["steps"] == {"chosen": 18, "learned": 25}
        assert found["seconds"] >= 0

    @pytest.mark.parametrize("engine", ["plain", "arrays"])
    def test_both_engines_tell_the_same(self, call: Call, engine: str) -> None:
        """But for what they took."""
        found = told(call("explore", *QUICK, "--json", "--engine", engine))
        assert (found["distinct"], found["generated"], found["depth"]) == (138, 252, 31)

    def test_bounds_change_a_named_model(self, call: Call) -> None:
        """Then it is that model no more, and the object says which bounds were in force."""
        assert told(call("explore", "tiny", "--json"))["model"] == "tiny"
        found = told(call("explore", "crash", "--nodes", "2", "--whole-steps", "--json"))
        assert found["model"] == ""
        assert (found["nodes"], found["crashes"], found["whole_steps"]) == (2, 1, True)

    def test_a_counterexample_is_named(self, call: Call) -> None:
        """The rule, the steps, the files, and what the log's checker said."""
        result = call("explore", "--variant", "number-reused", "--json")
        assert result.exit_code == 1
        found = told(result)
        assert found["variant"] == "number-reused"
        assert found["first_broken"] == found["first_broken_in_log"] == "R3"
        assert found["verdict"] == "violated"
        assert found["steps"]["R3"] == 3
        assert Path(found["scenario"]).is_file()
        assert (Path(found["folder"]) / "run.json").is_file()

    def test_the_messages_alone_have_an_object_of_their_own(self, call: Call) -> None:
        """With the counts that others published."""
        found = told(call("explore", "messages", "--json"))
        assert (found["acceptors"], found["values"], found["ballots"]) == (3, 2, 2)
        assert (found["distinct"], found["generated"], found["depth"]) == (3_921, 23_563, 17)
        assert found["complete"] is True


class TestPlayedAgain:
    def test_a_saved_schedule_is_caught_again(self, call: Call) -> None:
        """The file is a scenario like any other: played anew, it ends in the same violation."""
        found = told(call("explore", "--variant", "promise-omits-accepted", "--json"))
        words = ["scenario", found["scenario"], "--world", "sim", "--seed", "1"]
        result = call(*words)
        assert result.exit_code == 1, result.output
        assert "Caught: R2 was broken first" in result.output


class TestTerminal:
    @pytest.mark.parametrize("variant", [None, "half-quorum"])
    def test_a_pipe_gets_plain_lines(self, variant: str | None) -> None:
        """No escape codes, no progress, and 80 columns, however wide the terminal says it is."""
        words = QUICK if variant is None else ["--variant", variant]
        done = subprocess.run(
            [sys.executable, "-m", "orchestrator", "explore", *words],
            env=os.environ | {"NO_COLOR": "1", "COLUMNS": "200"},
            capture_output=True,
            check=False,
            text=True,
            timeout=160,
        )
        assert "\x1b" not in done.stdout
        assert not done.stderr
        assert len(done.stdout.splitlines()) > 12
        # Paths are in lines of their own, whole, so that they can be copied.
        lines = [line for line in done.stdout.splitlines() if not line.startswith("The ")]
        assert max(len(line) for line in lines) <= WIDTH

    def test_an_interrupt_gives_what_is_known(
        self, call: Call, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Ctrl-C ends the search, not the command: counts and verdicts so far, and code 3."""
        looked = _Progress.__call__

        def interrupted(self: _Progress, counts: Progress) -> bool:
            if counts.depth == 9:
                signal.raise_signal(signal.SIGINT)
            return looked(self, counts)

        monkeypatch.setattr(_Progress, "__call__", interrupted)
        result = call("explore", "pair")
        assert result.exit_code == 3
        assert "It was stopped" in result.output
        assert re.search(r"agreement .*unknown", result.output)
        assert "depth 9" in result.output
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
