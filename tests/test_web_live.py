"""A live run on local processes, as the page drives it: real gRPC, real signals, real disks."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import pytest
from ruamel.yaml import YAML

from orchestrator.cluster import LabError
from orchestrator.judging import judge_path
from orchestrator.ledger import Ledger
from orchestrator.network import Network
from orchestrator.places import HOME_VARIABLE, Places
from orchestrator.web.command import run_web
from orchestrator.web.desk import AtWork, Desk, Live
from orchestrator.web.feed import Bells, Feed
from orchestrator.web.world import LabWorld
from orchestrator.yaml_file import read_scenario
from paxos.checker import OK
from paxos.events import Line
from tests.web_server import Listener, Page, lab_web, live_run

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where state and logs of these tests are."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def site(home: Path) -> Iterator[Page]:
    """The page's server, with five local processes to be live on."""
    with lab_web(home, "--world", "local") as (found, _):
        yield found


@pytest.fixture
def run(site: Page) -> Iterator[str]:
    """A live run, which is ended after the test unless the test did."""
    with live_run(site) as name:
        yield name


def ended(site: Page, home: Path) -> tuple[dict[str, Any], Path]:
    """End the run; what was said, and its folder."""
    status, told = site.post("live/end", {})
    assert status == 200, told
    return told, home / "logs" / told["run"]


def refused(site: Page, **step: Any) -> str:
    """The sentence with which a step is refused."""
    status, told = site.post("live/commands", step)
    assert status in {400, 409}, (status, told)
    assert told["ok"] is False
    return str(told["sentence"])


def test_a_live_run_from_its_beginning_to_its_folder(site: Page, home: Path, run: str) -> None:
    """Begin, propose, kill, cut the connection and resume, end: an ordinary run, judged ok."""
    rows: list[str] = []

    def read(listener: Listener, event: str, **fields: Any) -> Line:
        """Read on to a line, and keep every line on the way."""
        for message in listener:
            if message.event != "lines":
                continue
            rows.extend(message.data.split("\n"))
            for line in message.lines:
                if line["event"] == event and fields.items() <= line.items():
                    return line
        raise AssertionError(f"no {event}")

    with Listener(site) as first, Listener(site) as other:
        told = site.command(propose={"at": "n2", "value": "pear"})
        assert told["sentence"] == "A client asked n2 for 'pear' in live-1."
        answer = read(first, "propose_completed")
        assert (answer["outcome"], answer["value"]) == ("ok", "pear")
        assert site.command(kill="n1")["sentence"] == "n1 killed: exit code 137 (SIGKILL)."
        assert read(first, "node_exited", of="n1")["exit_code"] == 137
        first.cut()
        site.command(start="n1")
        with Listener(site, first.cursor, resumed=True) as again:
            read(again, "node_started", node="n1", incarnation=2)
            told, folder = ended(site, home)
            for message in again:
                if message.event == "lines":
                    rows.extend(message.data.split("\n"))
        theirs = [m.data.split("\n") for m in other if m.event == "lines"]
    # Over the cut no line is missing and none came twice; both clients had the same.
    assert rows == [row for batch in theirs for row in batch]
    assert (told["run"], told["verdict"]) == (run, "ok")
    merged = (folder / "events.jsonl").read_text("utf-8").splitlines()
    assert sorted(merged) == sorted(rows)
    table = json.loads((folder / "run.json").read_bytes())
    assert (table["world"], table["instances"]) == ("local", {"live-1": 1})
    assert json.loads((folder / "why.json").read_bytes())["whys"]
    (expected,) = json.loads((folder / "verdict.json").read_bytes())["expectations"][:1]
    assert expected["expectation"] == "every fault was undone in the end"
    assert (expected["met"], expected["evidence"]) == (True, "3 commands")
    assert not [path for path in (home / "logs").iterdir() if path.name.startswith(".")]
    verdict = judge_path(folder)
    assert (verdict.verdict, verdict.departed) == (OK, False), verdict.as_text()
    done = subprocess.run(
        [sys.executable, "-m", "orchestrator", "check", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert run in json.loads(site.get("runs.json")[2])["runs"][0]["run"]


def test_what_was_commanded_is_a_scenario_that_can_be_played(
    site: Page, home: Path, run: str
) -> None:
    """The page's buttons wrote it: steps, and the answers that had come before each."""
    with Listener(site) as listener:
        site.command(propose={"at": "n1", "value": "apple"})
        listener.until("propose_completed")
        site.command(partition=[["n1", "n2"], ["n3", "n4", "n5"]])
        site.command(isolate="n3")
        site.command(isolate="n4")
        site.command(heal="all")
        site.command(kill=["n4", "n5"])
        site.command(start="all")
        site.command(hold={"name": "slow", "kinds": ["accept"]})
        site.command(propose={"at": "n2", "value": "pear", "instance": "new"})
        listener.until("message_held", kind="accept")
        site.command(release={"name": "slow"})
        listener.until("propose_completed", value="pear")
    _, folder = ended(site, home)
    scenario = read_scenario(folder / "scenario.yaml")
    assert scenario.instances == ("live-1", "live-2")
    assert {"events.jsonl", "scenario.yaml"} <= set(
        json.loads(site.get("runs.json")[2])["runs"][0]["files"]
    )
    assert run in scenario.title
    assert played_again(folder, home, "sim", "--seed", "7") == {"live-1": "apple", "live-2": "pear"}
    title = json.loads((folder / "run.json").read_bytes())["title"]
    assert title == (
        "Live: propose apple at n1; partition n1 n2 | n3 n4 n5; isolate n3; and 7 more commands"
    )


ANSWERED: Final = {"event": "propose_completed"}


def learned(*nodes: str) -> list[dict[str, Any]]:
    """The lines with which these nodes learn a value."""
    return [{"event": "value_learned", "node": node} for node in nodes]


def played_again(folder: Path, home: Path, world: str, *words: str) -> dict[str, str]:
    """Play what a live run left, which must end well; which value each instance chose."""
    file = folder / "scenario.yaml"
    done = subprocess.run(
        [sys.executable, "-m", "orchestrator", "scenario", str(file), "--world", world, *words],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, HOME_VARIABLE: str(home / "again")},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    again = home / "again" / "logs" / "latest"
    instances = json.loads((again / "run.json").read_bytes())["instances"]
    chosen = json.loads((again / "verdict.json").read_bytes())["chosen"]
    return {name: chosen[str(number)]["value"] for name, number in instances.items()}


@pytest.mark.parametrize("world", ["sim", "local"])
def test_a_run_that_ends_with_a_wish_comes_to_its_decision_again(
    site: Page, home: Path, run: str, world: str
) -> None:
    """Nothing was commanded behind it: the end of the run is what the file waits for."""
    assert run
    with Listener(site) as listener:
        site.command(propose={"at": "n1", "value": "apple"})
        listener.until_all(ANSWERED, *learned(*site.live()["members"]))
    _, folder = ended(site, home)
    steps = YAML(typ="safe").load(folder / "scenario.yaml")["steps"]
    assert steps[1:] == [{"await": "apple"}, {"learned": {"by": "all", "instance": "live-1"}}]
    assert played_again(folder, home, world) == {"live-1": "apple"}
    lines = (home / "again" / "logs" / "latest" / "events.jsonl").read_text("utf-8")
    assert lines.count('"event":"value_learned"') == 5


def test_what_was_seen_between_two_commands_is_waited_for(site: Page, home: Path, run: str) -> None:
    """A minority's tries in vain, a wish that arrived, and the answer that the heal brought."""
    assert run
    with Listener(site) as listener:
        site.command(partition=[["n1", "n2"], ["n3", "n4", "n5"]])
        site.command(propose={"at": "n1", "value": "pear"})
        listener.until("timeout_fired", node="n1", timer="patience")
        site.command(propose={"at": "n4", "value": "kiwi"})
        listener.until_all(ANSWERED, *learned("n3", "n4", "n5"))
        site.command(heal="all")
        listener.until_all(ANSWERED, *learned("n1", "n2"))
    _, folder = ended(site, home)
    steps = YAML(typ="safe").load(folder / "scenario.yaml")["steps"]
    assert [next(iter(step)) for step in steps] == [
        *("partition", "propose", "wait", "wait", "propose"),
        *("await", "learned", "heal", "await", "learned"),
    ], steps
    assert steps[2]["wait"] == {"event": "propose_received", "node": "n1", "instance": "live-1"}
    assert (steps[3]["wait"]["timer"], steps[3]["new"]) == ("patience", True)
    assert (steps[5]["await"], steps[8]["await"]) == ("kiwi", "pear")
    assert played_again(folder, home, "sim", "--seed", "7") == {"live-1": "kiwi"}


def test_instances_are_made_as_wishes_name_them(site: Page, run: str) -> None:
    """The first is there, ``new`` begins another, and a wish that names none goes to the last."""
    assert run
    assert site.live()["instances"] == {"live-1": 1}
    with Listener(site) as listener:
        for wish, number in (
            ({}, 1),
            ({"instance": "new"}, 2),
            ({}, 2),
            ({"instance": "live-1"}, 1),
            ({"instance": "fruit"}, 3),
            ({"instance": "new"}, 4),
        ):
            site.command(propose={"at": "n1", "value": "fig", **wish})
            assert listener.until("propose_invoked")["instance"] == number
    live = site.live()
    assert live["instances"] == {"live-1": 1, "live-2": 2, "fruit": 3, "live-4": 4}
    assert live["instance"] == "live-4"
    assert "small letters" in refused(site, propose={"at": "n1", "value": "x", "instance": "A B"})


def test_a_value_is_chosen_in_an_instance_that_began_later(
    site: Page, home: Path, run: str
) -> None:
    """And the checker judges it as one of the run's own."""
    assert run
    with Listener(site) as listener:
        site.command(propose={"at": "n3", "value": "kiwi", "instance": "new"})
        assert listener.until("propose_completed")["value"] == "kiwi"
    _, folder = ended(site, home)
    verdict = json.loads((folder / "verdict.json").read_bytes())
    assert verdict["chosen"]["2"]["value"] == "kiwi"
    assert verdict["verdict"] == "ok"
    # Its merged log says so alone: the line that closes it names what the first could not.
    alone = home / "alone.jsonl"
    alone.write_bytes((folder / "events.jsonl").read_bytes())
    told = judge_path(alone)
    assert (told.verdict, told.departed) == (OK, False), told.as_text()
    assert told.as_json()["chosen"].keys() == {"1", "2"}


IMPOSSIBLE: Final[list[tuple[dict[str, Any], str]]] = [
    ({"kill": "n9"}, "'n9' is none of n1, n2, n3, n4, n5"),
    ({"kill": "postgres"}, "'postgres' is none of"),
    ({"dance": "n1"}, "There is no verb 'dance'"),
    ({}, "one verb"),
    ({"kill": "n1", "stop": "n2"}, "one verb"),
    ({"kill": []}, "this list is empty"),
    ({"kill": {"node": "n1"}}, "this must be a text"),
    ({"start": "n1"}, "Cannot start n1: it runs."),
    ({"resume": "n1"}, "Cannot resume n1: it runs."),
    ({"resume": "all"}, "No node is paused."),
    ({"propose": {"at": "n1"}}, "'value' is missing"),
    ({"propose": {"at": "n1", "value": 7}}, "this must be a text"),
    ({"heal": "all"}, "No fault of the network is in force."),
    ({"heal": "wall"}, "No fault named 'wall' is in force."),
    ({"release": {"name": "wall"}}, "No rule named 'wall' is in force."),
    ({"partition": [["n1"]]}, "at least two groups"),
    ({"configure": {}}, "at least one"),
    ({"propose": {"at": "n1", "value": "x", "name": {"a": 1}}}, "this must be a text"),
    ({"propose": {"at": "n1", "value": "\ud800"}}, "half of a character"),
    ({"hold": {"name": "\ud800"}}, "half of a character"),
    ({"wait": {"event": "nack_sent"}}, "waits for nothing"),
    ({"fire": {}}, "until a node's patience runs out"),
    ({"deliver": {}}, "hold messages, and release the first"),
]


def test_what_is_not_possible_is_refused_in_a_sentence(site: Page, run: str) -> None:
    """The reader's own, or what is so now; nothing is done."""
    assert run
    before = site.live()
    for step, why in IMPOSSIBLE:
        assert why in refused(site, **step), step
    # Lines from the beginning may still be on their way.
    assert {**site.live(), "line_count": before["line_count"]} == before


def test_a_node_that_is_down_or_paused(site: Page, run: str) -> None:
    """A pause is no crash: what stands still is not killed by mistake."""
    assert run
    site.command(pause="n2")
    assert refused(site, kill="n2") == "Cannot kill n2: it is paused: resume it first."
    assert site.live()["paused"] == ["n2"]
    site.command(resume="all")
    site.command(stop=["n2", "n3"])
    assert refused(site, pause="n3") == "Cannot pause n3: it is down: start it first."
    assert site.live()["down"] == ["n2", "n3"]
    told = site.command(start="all")["sentence"]
    assert "n2 started again" in told
    assert "n3 started again" in told
    assert "incarnation 2" in site.command(restart="n1")["sentence"]
    assert site.live()["down"] == []


def test_several_cuts_stand_at_once_and_a_new_wall_takes_the_place_of_the_old(
    site: Page, run: str
) -> None:
    """Each under a name of its own, by which it is healed."""
    assert run
    site.command(cut=["n1", "n2"])
    site.command(cut=["n3", "n4"])
    site.command(isolate="n5")
    assert "cut already" in refused(site, cut=["n4", "n3"])
    assert "is isolated already" in refused(site, isolate="n5")
    names = [fault["name"] for fault in site.live()["faults"]]
    assert names == ["cut n1-n2", "cut n3-n4", "isolate n5"]
    told = site.command(heal=["cut n1-n2", "isolate n5"])
    assert [fault["name"] for fault in told["live"]["faults"]] == ["cut n3-n4"]
    site.command(partition=[["n1"], ["n2", "n3", "n4", "n5"]])
    told = site.command(partition=[["n1", "n2"], ["n3", "n4", "n5"]])
    assert "healed" in told["sentence"]
    assert [fault["text"] for fault in told["live"]["faults"]] == ["n3-n4", "n1, n2 | n3, n4, n5"]
    site.command(drop={"name": "loss", "percent": 50})
    assert "named 'loss' is in force" in refused(site, drop={"name": "loss", "percent": 9})
    assert site.command(heal="all")["live"]["faults"] == []


def test_a_node_that_ends_by_itself_is_noticed(site: Page, home: Path, run: str) -> None:
    """By a failpoint: the log says how it ended, and what its disk then held."""
    assert run
    with Listener(site) as listener:
        site.command(failpoint={"node": "n4", "point": "after_sync"})
        site.command(propose={"at": "n1", "value": "fig"})
        assert listener.until("node_exited")["of"] == "n4"
        assert listener.until("disk_read")["of"] == "n4"
    # A listener is told first what is so: whether that was before or is to come.
    with Listener(site) as listener:
        state = next(m for m in listener if m.event == "live" and m.content["down"])
        assert state.content["down"] == ["n4"]
        assert refused(site, kill="n4").startswith("Cannot kill n4: it is down")
    _, folder = ended(site, home)
    assert judge_path(folder).verdict == OK


def test_a_disk_of_a_live_run_may_be_hurt_and_the_next_run_has_another(
    site: Page, home: Path, run: str
) -> None:
    """The disks are made for the run; a node whose disk changed refuses to come back."""
    assert run
    with Listener(site) as listener:
        site.command(propose={"at": "n3", "value": "fig"})
        listener.until("propose_completed")
    site.command(power_loss="n3")
    assert (
        "The disk of n3 fails"
        in site.command(disk_fault={"node": "n3", "fault": "corrupt"})["sentence"]
    )
    status, told = site.post("live/commands", {"start": "n3"})
    assert (status, told["ok"]) == (500, False)
    assert "its checksum is" in told["sentence"]
    ended(site, home)
    assert site.post("live/begin", {})[0] == 200
    assert site.live()["down"] == []


def test_the_verdict_is_told_while_the_run_goes_on(site: Page, run: str) -> None:
    """Of lines that fit together: no late line makes a breach."""
    assert run
    with Listener(site) as listener:
        site.command(propose={"at": "n1", "value": "fig"})
        verdicts = []
        for message in listener:
            if message.event == "verdict":
                verdicts.append(message.content)
                if message.content["chosen"].get("1"):
                    break
        whys = listener.message("why").content
        assert verdicts[-1]["chosen"]["1"]["value"] == "fig"
        assert {verdict["verdict"] for verdict in verdicts} <= {"ok", "unknown"}
        assert any(why["kind"] == "accept" for why in whys["whys"])


def test_one_run_at_a_time_and_every_tab_sees_it(site: Page, run: str) -> None:
    """The second to begin is told which one to attach to."""
    status, told = site.post("live/begin", {})
    assert (status, told["run"]) == (409, run)
    assert site.live()["run"] == run


def test_commands_are_carried_out_one_after_another(site: Page, run: str) -> None:
    """Two tabs at once: each is answered, and neither finds the other half-way."""
    assert run

    def toggle(node: str) -> list[int]:
        steps = [{"kill": node}, {"start": node}, {"pause": node}, {"resume": node}]
        return [site.post("live/commands", step)[0] for step in steps]

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(toggle, ["n1", "n2", "n3"])) == [[200] * 4] * 3


class TestOwnFaults:
    """What nobody foresaw costs no more than it must."""

    @pytest.fixture
    def at_work(self, tmp_path: Path) -> AtWork:
        """A live run of three nodes in this process; each test ends it."""
        return LabWorld(Places(tmp_path), "local", 3).begin(Bells())

    def test_a_fault_that_may_be_in_force_in_part_is_taken_back(
        self, at_work: AtWork, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """After any exception; and a run whose faults can't be undone is a run all the same."""

        def broken(*_: object, **__: object) -> str:
            raise RuntimeError("unforeseen")

        real = Network._probe_until

        def broken_once(*_: object, **__: object) -> str:
            monkeypatch.setattr(Network, "_probe_until", real)
            return broken()

        monkeypatch.setattr(Network, "_probe_until", broken_once)
        with pytest.raises(RuntimeError, match="unforeseen"):
            at_work.command({"isolate": "n2"})
        rows = at_work.live.feed.read(0)[0].splitlines()
        assert [row for row in rows if b'"fault_undone"' in row]
        monkeypatch.setattr(Ledger, "undo_all", broken)
        told = at_work.end()
        assert told["run"] == at_work.live.run
        assert "unforeseen" in told["sentence"]

    @pytest.mark.parametrize(
        ("broken", "is_collected"),
        [("collect.judge_and_explain", False), ("web.live_run.as_yaml", True)],
    )
    def test_a_folder_is_a_whole_run_or_what_had_come(
        self,
        at_work: AtWork,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        broken: str,
        *,
        is_collected: bool,
    ) -> None:
        """A full disk, say: no half-made run, and nothing hidden beside it."""

        def full(*_: object, **__: object) -> str:
            raise OSError(28, "No space left on device")

        at_work.command({"pause": "n1"})
        monkeypatch.setattr(f"orchestrator.{broken}", full)
        with pytest.raises(OSError, match="No space left"):
            at_work.end()
        logs = tmp_path / "logs"
        assert [path.name for path in logs.iterdir() if path.name.startswith(".")] == []
        files = {path.name for path in (logs / at_work.live.run).iterdir()}
        assert "events.jsonl" in files
        assert ("verdict.json" in files) is ("n1.jsonl" in files) is is_collected

    def test_a_run_that_broke_off_is_no_success_of_the_command(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whoever ended it: the exit code must say so."""

        def broke_off(_logs: Path, _port: int, desk: Desk, _tell: object) -> None:
            desk.live = Live("run", Feed(tmp_path / "feed.jsonl", Bells()))
            desk.live.ended = {"run": "run", "sentence": "The run broke off."}
            desk.live.feed.close()

        monkeypatch.setattr("orchestrator.web.command.serve", broke_off)
        with pytest.raises(LabError, match="The run broke off"):
            run_web(Places(tmp_path), 0, "local", 3)

    def test_a_fault_that_stays_in_force_is_no_success_of_the_command(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The run was collected, and something is still broken: that takes a person."""

        def served(_logs: Path, _port: int, desk: Desk, _tell: object) -> None:
            desk._begin()
            desk._command({"pause": "n1"})
            monkeypatch.setattr(Ledger, "undo_all", not_undone)
            desk.close()

        def not_undone(_ledger: Ledger) -> None:
            raise LabError("n1 is still paused")

        monkeypatch.setattr("orchestrator.web.command.serve", served)
        with pytest.raises(LabError, match="not all could be undone: n1 is still paused"):
            run_web(Places(tmp_path), 0, "local", 3)
        (run,) = (path for path in (tmp_path / "logs").glob("*-live"))
        assert json.loads((run / "verdict.json").read_bytes())["verdict"] == "unknown"

    def test_what_a_killed_lab_left_is_cleared_at_the_next_start(self, home: Path) -> None:
        """Killed in the middle of collecting: the run has its lines again, and nothing is hidden."""
        place = home / "killed"
        with lab_web(place, "--world", "local", "--nodes", "3") as (site, process):
            run = site.post("live/begin", {})[1]["run"]
            with Listener(site) as listener:
                site.command(propose={"at": "n2", "value": "pear"})
                listener.until("propose_completed")
            process.kill()
            process.wait()
            # As it stands while its folder is written.
            logs = place / "logs"
            (logs / run).rename(logs / f".{run}.lab-feed.{process.pid}")
            (logs / f".{run}.lab-part.{process.pid}").mkdir()
        with lab_web(place, "--world", "local", "--nodes", "3"):
            assert [path.name for path in logs.iterdir()] == [run]
            assert b"pear" in (logs / run / "events.jsonl").read_bytes()


def until(last: str, rows: Iterable[str]) -> Iterator[str]:
    """Rows as they come, up to the one with this text."""
    for row in rows:
        yield row.rstrip("\n")
        if last in row:
            return


class TestCommand:
    def test_it_tells_in_a_few_rows_what_there_is(self, home: Path) -> None:
        """The address first, then runs, live and sandbox, at 80 columns and without colour."""
        with lab_web(home / "rows", "--world", "local", "--nodes", "7") as (site, process):
            assert site.live()["members"] == [f"n{number}" for number in range(1, 8)]
            assert process.stdout is not None
            # All is told before it is ended: an interrupt may come at any time.
            rows = list(until("Ctrl-C ends it", process.stdout))
            process.send_signal(signal.SIGINT)
            _, complaint = process.communicate(timeout=240)
        printed = "\n".join(rows)
        assert (process.returncode, complaint) == (0, "")
        assert max(map(len, rows)) <= 80
        assert len(f"The page is at http://127.0.0.1:65535/#token={site.token}") <= 80
        heads = [row.split()[0] for row in rows if not row.startswith(" ")]
        assert heads == ["Runs", "Live", "Sandbox"]
        assert "starts 7 local processes" in printed
        assert "\x1b" not in printed

    def test_without_an_engine_it_says_what_to_do(
        self, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """All but the live mode works."""
        monkeypatch.setenv("DOCKER_HOST", f"unix://{home}/no-engine.sock")
        with lab_web(home / "engine") as (site, _):
            live = site.live()
            assert live["available"] is False
            assert live["why"].startswith("No Docker engine answers")
            assert "WORLD=local" in live["why"]
            status, told = site.post("live/begin", {})
            assert (status, told["ok"]) == (503, False)


class TestEnd:
    def test_an_interrupt_ends_the_run_as_it_should(self, home: Path) -> None:
        """Ctrl-C of the server: faults undone, run collected, its listeners told."""
        with lab_web(home / "other", "--world", "local", "--nodes", "3") as (site, process):
            run = site.post("live/begin", {})[1]["run"]
            site.command(isolate="n1")
            site.command(propose={"at": "n2", "value": "pear"})
            with Listener(site) as listener:
                listener.until("propose_completed")
                process.send_signal(signal.SIGINT)
                last = list(listener)[-1]
            assert (last.event, last.content["run"]) == ("ended", run)
            printed, complaint = process.communicate(timeout=240)
        assert (process.returncode, complaint) == (0, "")
        assert f"logs/{run}" in printed
        folder = home / "other" / "logs" / run
        assert judge_path(folder).verdict == OK
        events = [json.loads(row) for row in (folder / "events.jsonl").read_text().splitlines()]
        undone = [line for line in events if line["event"] == "fault_undone"]
        assert [line["fault"] for line in undone] == ["isolate"]

    def test_further_interrupts_do_not_drop_the_run(self, home: Path) -> None:
        """Ctrl-C, and SIGTERM and Ctrl-C while it ends: faults undone, run collected."""
        with lab_web(home / "twice", "--world", "local", "--nodes", "3") as (site, process):
            run = site.post("live/begin", {})[1]["run"]
            site.command(isolate="n1")
            site.command(propose={"at": "n2", "value": "pear"})
            with Listener(site) as listener:
                listener.until("propose_completed")
                process.send_signal(signal.SIGINT)
                # What is done is told as it goes on.
                goes_on = "A live run goes on, on 3 local processes."
                assert any(
                    found.event == "live"
                    and found.content["state"] == "ending"
                    and found.content["why"] != goes_on
                    for found in listener
                )
                process.send_signal(signal.SIGTERM)
                process.send_signal(signal.SIGINT)
                assert list(listener)[-1].event == "ended"
            printed, complaint = process.communicate(timeout=240)
        assert (process.returncode, complaint) == (0, "")
        assert "safety is ok" in " ".join(printed.split())
        assert judge_path(home / "twice" / "logs" / run).verdict == OK

    def test_an_interrupt_in_the_middle_of_a_command(self, home: Path) -> None:
        """The command is not waited for: faults are undone, and the run is collected."""
        with (
            ThreadPoolExecutor(1) as pool,
            lab_web(home / "third", "--world", "local", "--nodes", "3") as (site, process),
        ):
            run = site.post("live/begin", {})[1]["run"]
            with Listener(site) as listener:
                site.command(kill=["n1", "n2"])
                # It ends when all links are ready, which takes longer than to hear of this.
                command = pool.submit(site.post, "live/commands", {"start": "all"})
                listener.until("node_started", incarnation=2)
                process.send_signal(signal.SIGTERM)
                assert list(listener)[-1].event == "ended"
            status, _ = command.result()
            _, complaint = process.communicate(timeout=240)
        assert status in {200, 503}
        assert (process.returncode, complaint) == (0, "")
        assert json.loads((home / "third" / "logs" / run / "verdict.json").read_bytes())["lines"]

    def test_the_disks_of_a_run_are_kept_from_other_runs(self, home: Path) -> None:
        """A second server's run is refused with a sentence while the first one's goes on."""
        place = home / "fourth"
        with (
            lab_web(place, "--world", "local", "--nodes", "3") as (one, _),
            lab_web(place, "--world", "local", "--nodes", "3") as (two, _),
        ):
            assert one.post("live/begin", {})[0] == 200
            status, told = two.post("live/begin", {})
            assert status == 503
            assert "another run uses" in told["sentence"]
            assert one.post("live/end", {})[0] == 200
            assert two.post("live/begin", {})[0] == 200
