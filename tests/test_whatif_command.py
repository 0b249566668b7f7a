"""``paxos-lab whatif`` and ``check --why``: what is told, and how they end."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from orchestrator.__main__ import app
from orchestrator.cluster import LabError
from orchestrator.places import HOME_VARIABLE
from orchestrator.stories import story_files
from orchestrator.why_told import why_text
from paxos.checker import explain_path
from paxos.scenario import parse


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with two runs: one of the correct protocol, one of a broken one."""
    for name in ("late-proposer", "broken--ignore-accepted"):
        folder = tmp_path / "logs" / name
        folder.mkdir(parents=True)
        files = story_files(name)
        for file in ("events.jsonl", "run.json"):
            (folder / file).write_bytes(files[file])
    return tmp_path


def call(home: Path, *words: str) -> Result:
    """Call the command line."""
    return CliRunner(env={HOME_VARIABLE: str(home)}).invoke(app, list(words))


def before_the_breach() -> str:
    """The number of a line shortly before n5 pushes pear."""
    raw = story_files("broken--ignore-accepted")["events.jsonl"].splitlines()
    lines = [json.loads(line) for line in raw]
    return str(
        next(
            place
            for place, line in enumerate(lines)
            if line["event"] == "accept_sent" and line["node"] == "n5"
        )
        - 6
    )


def test_a_chosen_value_is_safe(home: Path) -> None:
    """Exit code 0; rows of 80 columns, without colour where nobody sees it."""
    result = call(home, "whatif", "late-proposer", "--at", "chosen")
    assert result.exit_code == 0, result.output
    told = " ".join(result.output.split())
    assert "'apple' is chosen, and nothing else can be chosen any more." in told
    assert "which are all." in told
    assert "\x1b" not in result.output
    assert max(map(len, result.output.splitlines())) <= 80


def test_what_can_go_wrong_is_told_step_by_step(home: Path, tmp_path: Path) -> None:
    """Exit code 1, with the way, and what the checker says when it is played."""
    way = tmp_path / "way.yaml"
    result = call(
        home, "whatif", "broken--ignore-accepted", "--at", before_the_breach(), "--save", str(way)
    )
    assert result.exit_code == 1, result.output
    told = " ".join(result.output.split())
    assert "can go wrong: R4 (justified accept) " in told
    assert "The shortest way there:" in told
    assert "Played on the simulator, message by message, the log's checker says R4: n5" in told
    # A path is not broken.
    rows = [row for row in result.output.splitlines() if not row.startswith("The way is in")]
    assert max(map(len, rows)) <= 80
    # What is saved is a scenario like any other, and caught.
    again = call(home, "scenario", str(way), "--world", "sim", "--seed", "3")
    assert again.exit_code == 1
    assert "Caught: R4 was broken first" in again.output


def cut_within_a_line(home: Path, name: str = "events.jsonl") -> Path:
    """A log without a table that ends in half a line, which no other line quotes."""
    lines = story_files("late-proposer")["events.jsonl"].splitlines(keepends=True)
    path = home / name
    path.write_bytes(b"".join(lines[:40]) + lines[40][:25])
    return path


def test_a_torn_end_is_told_as_what_was_assumed(home: Path) -> None:
    """Nodes write ahead, so what was lost with it was still to come at this moment."""
    path = cut_within_a_line(home)
    result = call(home, "whatif", str(path), "--at", "end", "--ballots", "0")
    assert result.exit_code == 0, result.output
    told = " ".join(result.output.split())
    assert (
        "It is assumed that: events.jsonl ends in half a line: what followed had not happened yet."
    ) in told


def test_a_torn_end_does_not_concern_an_earlier_moment(home: Path) -> None:
    """What followed then is in the log."""
    result = call(home, "whatif", str(cut_within_a_line(home)), "--at", "30", "--ballots", "0")
    assert "half a line" not in result.output


def test_the_torn_end_of_one_node_concerns_it_until_its_last_line(home: Path) -> None:
    """Its own file may end long before the others."""
    files = story_files("late-proposer")["events.jsonl"].splitlines(keepends=True)[:60]
    own: dict[str, list[bytes]] = {}
    for raw in files:
        own.setdefault(json.loads(raw)["node"], []).append(raw)
    folder = home / "own"
    folder.mkdir()
    for node, lines in own.items():
        (folder / f"{node}.jsonl").write_bytes(
            b"".join(lines) + (b'{"v":1' if node == "n3" else b"")
        )
    last, before = (json.loads(raw)["seq"] for raw in (own["n3"][-1], own["n3"][-2]))
    for seq, concerns in ((last, True), (before, False)):
        asked = ("whatif", str(folder), "--at", f"n3/1/{seq}", "--ballots", "0")
        assert ("n3.jsonl ends in half a line" in call(home, *asked).output) is concerns


def test_what_has_gone_wrong_is_told_so(home: Path) -> None:
    """Exit code 1."""
    result = call(home, "whatif", "broken--ignore-accepted", "--at", "end")
    assert result.exit_code == 1
    assert "already wrong: R4 is broken: n5 asks to accept 'pear'" in result.output


def test_too_few_states_make_it_unknown(home: Path) -> None:
    """Exit code 3."""
    result = call(home, "whatif", "late-proposer", "--at", "20", "--limit", "1")
    assert result.exit_code == 3
    assert "not all" in " ".join(result.output.split())


def test_a_program_gets_json(home: Path) -> None:
    """One object, the played way in it."""
    at = before_the_breach()
    result = call(home, "whatif", "broken--ignore-accepted", "--at", at, "--json")
    assert result.exit_code == 1
    found = json.loads(result.output)
    assert found["verdict"] == "can go wrong"
    assert found["played"]["first_broken"] == "R4"
    assert parse("way", found["scenario"]).variant == "ignore-accepted"


def test_a_file_of_lines_will_do(home: Path) -> None:
    """A log says where it begins; one that does not must begin with the first line ever."""
    folder = home / "logs" / "late-proposer"
    path = folder / "events.jsonl"
    result = call(home, "whatif", str(path), "--at", "chosen")
    assert result.exit_code == 0
    (folder / "run.json").unlink()
    alone = call(home, "whatif", str(path), "--at", "chosen")
    assert (alone.exit_code, alone.output) == (0, result.output)
    first, *others = path.read_text("utf-8").splitlines(keepends=True)
    silent = {name: said for name, said in json.loads(first).items() if name != "begins"}
    path.write_text("".join([json.dumps(silent) + "\n", *others]), "utf-8")
    older = call(home, "whatif", str(path), "--at", "n5/1/20")
    assert older.exit_code == 3
    assert "is not known" in older.output


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nowhere", "--at", "end"], "there is no run 'nowhere'"),
        (["late-proposer", "--at", "n9/9/9"], "there is no line 'n9/9/9' in the log"),
        (["late-proposer", "--at", "end", "--ballots", "9"], "ballots is 9"),
        (["late-proposer", "--at", "end", "--instance", "melon"], "there is no instance melon"),
        (["late-proposer", "--at", "end", "--variant", "nonsense"], "no variant is called"),
        (["late-proposer", "--at", "end", "--save", "x.yaml"], "there is no way to be saved"),
        (["late-proposer"], "Missing option '--at'"),
    ],
)
def test_a_wrong_call_gets_a_sentence(home: Path, words: list[str], sentence: str) -> None:
    """Exit code 2, and no traceback."""
    result = call(home, "whatif", *words)
    shown = result.output if result.exit_code == 2 else str(result.exception)
    assert sentence in shown
    assert result.exit_code in {1, 2}
    assert result.exception is None or type(result.exception).__name__ in {"LabError", "SystemExit"}


def test_a_broken_table_gets_a_sentence(home: Path) -> None:
    """It is not taken for none."""
    (home / "logs" / "late-proposer" / "run.json").write_text("[1", encoding="utf-8")
    result = call(home, "whatif", "late-proposer", "--at", "end")
    assert "is no runner's table" in (str(result.exception) + result.output)


def test_check_says_why(home: Path) -> None:
    """Of one line, or of all; what is broken is marked."""
    folder = home / "logs" / "broken--ignore-accepted"
    raw = (folder / "events.jsonl").read_bytes().splitlines()
    accept = next(
        line
        for line in map(json.loads, raw)
        if line["event"] == "accept_sent" and line["node"] == "n5"
    )
    name = f"n5/1/{accept['seq']}"
    result = call(home, "check", str(folder), "--why", name)
    assert result.exit_code == 1
    assert f"{name}    ! n5 asks to accept 'pear' at 1.n5" in result.output
    everything = why_text([folder], "all").splitlines()
    assert len(everything) > 40
    assert max(map(len, everything)) <= 80
    # A line that is only quoted says what it shows.
    why = next(one for one in explain_path(folder)["whys"] if one["line"] == name)
    told_of = {one["line"] for one in explain_path(folder)["whys"]}
    quoted = next(line for line in why["events"] if line not in told_of)
    cited = why_text([folder], quoted).splitlines()
    assert cited[0] == f"{quoted} is evidence of this:"
    assert any(row.startswith(f"{name}    ! n5 asks to accept 'pear'") for row in cited)
    with pytest.raises(LabError, match="nothing to be said of a line 'n1/9/9'"):
        why_text([folder], "n1/9/9")
    # The rest of the broadcast has the same answer.
    assert why_text([folder], f"n5/1/{accept['seq'] + 1}") == why_text([folder], name)
