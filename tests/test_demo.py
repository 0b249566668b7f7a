"""The command line as a user meets it: the demo, its story, and every way to end."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from orchestrator.__main__ import DEMO, app

ROOT: Final = Path(__file__).parents[1]
LIMIT_S: Final = 500
NOBODY: Final = 65534
ESCAPE: Final = "\x1b"

# A whole demo takes its time on a busy machine.
pytestmark = pytest.mark.timeout(600)


def lab(
    *words: str, home: Path, cwd: Path = ROOT, user: int | None = None, **variables: str
) -> "subprocess.CompletedProcess[str]":
    """Run the command line, and wait for its end."""
    kept = {name: text for name, text in os.environ.items() if name not in {"NO_COLOR", "WORLD"}}
    return subprocess.run(
        [sys.executable, "-m", "orchestrator", *words],
        cwd=cwd,
        user=user,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env={**kept, "PAXOS_LAB_HOME": str(home), **variables},
        timeout=LIMIT_S,
        check=False,
    )


@pytest.fixture(scope="module")
def copy() -> Iterator[Path]:
    """The project in a path with blanks, readable by everybody."""
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder)
        top.chmod(0o755)
        project = top / "a path with blanks"
        project.mkdir()
        for name in ("orchestrator", "node", "paxos", "scenarios"):
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, project / name, ignore=ignored)
        yield project


@pytest.fixture(scope="module")
def first(copy: Path) -> "subprocess.CompletedProcess[str]":
    """The first demo of a fresh copy."""
    return lab("demo", home=copy, cwd=copy)


def instances_of(home: Path) -> list[int]:
    """The instances of every run."""
    tables = [json.loads(path.read_text()) for path in home.glob("logs/2*/run.json")]
    return [number for table in tables for number in table["instances"].values()]


def test_the_demo_shows_every_headline_scenario_and_ends_with_the_verdict(
    first: "subprocess.CompletedProcess[str]", copy: Path
) -> None:
    """In a path with blanks: exit code 0, one table, and where the logs and disks are."""
    assert first.returncode == 0, first.stdout + first.stderr
    table = first.stdout.split("as expected", 1)[1]
    for name in DEMO:
        assert name in table
        assert f"{name}, 5 nodes, local" in first.stdout
    assert "Safety held: 8 rules over" in table
    assert "Logs:" in table
    assert "state/local/5" in table
    assert not first.stderr
    assert (copy / "logs" / "latest" / "verdict.json").is_file()


def test_the_demo_tells_who_lost_who_refused_and_what_is_lacking(
    first: "subprocess.CompletedProcess[str]",
) -> None:
    """The sentences that the lesson is made of, in plain words."""
    told = " ".join(first.stdout.split())
    for sentence in (
        "n5 wanted 'pear' but must push 'apple'",
        "n5 tells its client: 'apple' is chosen; your value 'pear' is not.",
        "refuses n1's accept 1.n1: it has promised 1.n5.",
        "and needs 3; no promise came from n3, n4 and n5.",
        "n3 is killed after the sync, before any reply.",
        "n3 killed: exit code 137 (SIGKILL).",
        "The network is partitioned: n1, n2, n3 | n4, n5; all 12 probes over it failed.",
    ):
        assert sentence in told, sentence
    # In which round depends on how fast the disks were.
    assert re.search(r"n1 has written to disk: promised (\d+\.n1), accepted 'apple' at \1\.", told)


def test_what_is_told_fits_80_columns_and_a_pipe_gets_no_escape(
    first: "subprocess.CompletedProcess[str]",
) -> None:
    """A pipe is no terminal."""
    assert ESCAPE not in first.stdout
    assert max(len(row) for row in first.stdout.splitlines()) <= 80


def test_the_demo_runs_again_on_the_same_disks(
    first: "subprocess.CompletedProcess[str]", copy: Path
) -> None:
    """Fresh instances above all that any node has heard of; nothing is wiped."""
    assert first.returncode == 0
    again = lab("demo", home=copy, cwd=copy)
    assert again.returncode == 0, again.stdout + again.stderr
    numbers = instances_of(copy)
    assert sorted(numbers) == list(range(1, len(numbers) + 1))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_the_demo_needs_no_root(copy: Path) -> None:
    """Nobody can run it, with state and logs in a folder of their own."""
    try:
        subprocess.run([sys.executable, "-c", ""], user=NOBODY, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this Python lies where only root can read it")
    with tempfile.TemporaryDirectory() as home:
        os.chown(home, NOBODY, NOBODY)
        run = lab("demo", home=Path(home), cwd=copy, user=NOBODY, HOME=home)
        assert run.returncode == 0, run.stdout + run.stderr


def test_json_is_for_programs(tmp_path: Path) -> None:
    """One object a run, with the verdict's keys, and nothing else on standard output."""
    run = lab("scenario", "basic", "--world", "local", "--json", home=tmp_path)
    assert run.returncode == 0, run.stderr
    (entry,) = json.loads(run.stdout)
    keys = {
        "verdict",
        "scenario",
        "world",
        "rules",
        "chosen",
        "violations",
        "unknown",
        "expectations",
    }
    assert entry.keys() >= keys
    assert entry["exit_code"] == 0
    assert all(one["met"] for one in entry["expectations"])
    folder = Path(entry["folder"])

    # The same folder, judged again; then without a node's log; then no log at all.
    assert lab("check", str(folder), home=tmp_path).returncode == 0
    assert lab("check", home=tmp_path).returncode == 0
    (folder / "n2.jsonl").unlink()
    unknown = lab("check", str(folder), "--json", home=tmp_path)
    assert unknown.returncode == 3
    assert json.loads(unknown.stdout)["verdict"] == "unknown"
    nothing = lab("check", str(tmp_path / "none"), home=tmp_path)
    assert nothing.returncode == 2
    assert nothing.stderr.startswith("error: ")


def test_a_violation_ends_with_1_and_quotes_its_evidence(tmp_path: Path) -> None:
    """A broken variant is loud about being unsafe, and caught."""
    run = lab("scenario", "reply-before-write", home=tmp_path)
    assert run.returncode == 1
    assert "UNSAFE" in run.stdout
    assert "R6 (a) durable before reply" in run.stdout
    assert "Caught: R6 was broken first" in run.stdout


def test_a_variant_does_not_touch_the_disks_of_correct_nodes(tmp_path: Path) -> None:
    """What a broken node wrote must never become the past of a correct one."""
    run = lab("scenario", "basic", "--variant", "reply-before-write", home=tmp_path)
    assert run.returncode == 1
    assert [path.name for path in (tmp_path / "state" / "local").iterdir()] == [
        "5-reply-before-write"
    ]


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("scenario", "partitoin"), "there is no scenario 'partitoin'"),
        (("scenario", "none.yaml"), "none.yaml cannot be read"),
        (("scenario", "basic", "--world", "local", "--nodes", "3"), "written for 5 nodes"),
        (("scenario", "basic", "--world", "moon"), "'moon' is not one of"),
        (("scenario",), "Missing argument 'NAME'"),
        (("demo", "--nodes", "4"), "'4' is not one of"),
        (("nonsense",), "No such command 'nonsense'"),
    ],
)
def test_a_wrong_call_ends_with_2_and_a_sentence(
    tmp_path: Path, words: tuple[str, ...], part: str
) -> None:
    """No traceback, and what to type instead."""
    run = lab(*words, home=tmp_path)
    assert run.returncode == 2
    assert part in run.stderr
    assert "Traceback" not in run.stderr


def test_help_says_what_every_command_does() -> None:
    """Each has a sentence, and the exit codes are explained."""
    context: Any = app.make_context("paxos-lab", [], resilient_parsing=True)
    for name in app.list_commands(context):
        command = app.get_command(context, name)
        assert command is not None
        assert command.help, f"{name} has no help"
    text = context.get_help()
    assert "Exit codes: 0 safety held" in text
    assert max(len(row) for row in text.splitlines()) <= 80


def test_the_list_shows_scenarios_and_what_breaks_them(tmp_path: Path) -> None:
    """In words, and as JSON."""
    assert "late-proposer" in lab("list", home=tmp_path).stdout
    entries = json.loads(lab("list", "--json", home=tmp_path).stdout)
    assert {entry["breaks"] for entry in entries} == {None, "R1", "R2", "R3", "R4", "R5", "R6"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete_the_names_of_scenarios(tmp_path: Path, shell: str) -> None:
    """`paxos-lab completion SHELL` prints what the shell needs; names come from the folder."""
    script = lab("completion", shell, home=tmp_path)
    assert script.returncode == 0
    assert "_PAXOS_LAB_COMPLETE" in script.stdout
    asked = lab(
        home=tmp_path,
        _PAXOS_LAB_COMPLETE="bash_complete",
        COMP_WORDS="paxos-lab scenario crash-m",
        COMP_CWORD="2",
    )
    assert asked.stdout.split() == ["plain,crash-minority", "plain,crash-majority"]
