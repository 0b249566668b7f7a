"""The page's server shows runs to this machine, and nothing else to anybody."""

import gzip
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.parse
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from orchestrator.web import PAGE, PageError, find_file, list_runs, serve
from orchestrator.web.files import page_files
from orchestrator.web.made import Kept
from paxos.events import CATALOGUE
from tests.web_node import node_path
from tests.web_server import HERE, recorded, scripted, serving, write_run


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of runs, with what must not be served beside and among them."""
    base = tmp_path_factory.mktemp("lab")
    (base / "secret.json").write_text('{"secret": true}', encoding="utf-8")
    folder = base / "logs"
    run = write_run(folder, "20260101-partition", recorded("local-partition"), title="Split")
    (run / ".hidden.json").write_text("{}", encoding="utf-8")
    (run / "notes.txt").write_text("no log", encoding="utf-8")
    (run / "leak.json").symlink_to(base / "secret.json")
    (run / "folder.json").mkdir()
    (folder / "latest").symlink_to("20260101-partition")
    (folder / "README.md").write_text("no run", encoding="utf-8")
    (folder / "no-logs").mkdir()
    return folder


@pytest.fixture(scope="module")
def address(logs: Path) -> Iterator[str]:
    """Where the server listens: host and port."""
    with serving(logs) as url:
        yield urllib.parse.urlsplit(url).netloc


def ask(
    address: str, path: str, method: str = "GET", **headers: str
) -> tuple[int, http.client.HTTPMessage, bytes]:
    """Send one request as it is, without any client tidying its path."""
    connection = http.client.HTTPConnection(address, timeout=120)
    try:
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


class TestWhatIsServed:
    @pytest.mark.parametrize(
        ("path", "kind"),
        [
            ("/", "text/html"),
            ("/main.js", "text/javascript"),
            ("/style.css", "text/css"),
            ("/icon.svg", "image/svg+xml"),
            ("/vendor/lit-html/lit-html.js", "text/javascript"),
        ],
    )
    def test_the_page_and_its_parts(self, address: str, path: str, kind: str) -> None:
        """Each with the type that a browser insists on."""
        status, headers, body = ask(address, path)
        assert (status, headers.get_content_type()) == (200, kind)
        assert body

    def test_the_catalogue_that_python_reads(self, address: str) -> None:
        """The page's sentences are the terminal's."""
        _, _, body = ask(address, "/catalogue.json")
        assert json.loads(body) == CATALOGUE

    def test_the_list_of_runs(self, address: str) -> None:
        """A run is listed once, with what it says of itself and its files."""
        _, _, body = ask(address, "/runs.json")
        (entry,) = json.loads(body)["runs"]
        assert entry["run"] == "20260101-partition"
        assert (entry["title"], entry["world"], entry["verdict"]) == ("Split", "local", "unknown")
        nodes = [f"n{number}.jsonl" for number in range(1, 6)]
        logs = ["events.jsonl", "history.jsonl", *nodes, "orchestrator.jsonl"]
        assert entry["files"] == [*logs, "run.json", "verdict.json"]
        assert entry["bytes"] > 10_000

    def test_a_log_byte_for_byte_and_compressed_where_that_is_understood(
        self, address: str, logs: Path
    ) -> None:
        """Logs are long, and repeat themselves."""
        original = (logs / "20260101-partition" / "events.jsonl").read_bytes()
        _, _, plain = ask(address, "/runs/20260101-partition/events.jsonl")
        assert plain == original
        _, headers, packed = ask(
            address, "/runs/20260101-partition/events.jsonl", **{"Accept-Encoding": "gzip"}
        )
        assert headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(packed) == original
        assert len(packed) * 5 < len(plain)

    def test_a_part_of_a_log_is_never_compressed(self, address: str, logs: Path) -> None:
        """Bytes 100 to 299 of the file, and not of what a packer makes of it."""
        original = (logs / "20260101-partition" / "events.jsonl").read_bytes()
        status, headers, body = ask(
            address,
            "/runs/20260101-partition/events.jsonl",
            **{"Range": "bytes=100-8000", "Accept-Encoding": "gzip"},
        )
        assert status == 206
        assert headers["Content-Range"] == f"bytes 100-8000/{len(original)}"
        assert "Content-Encoding" not in headers
        assert body == original[100:8001]

    @pytest.mark.parametrize(
        ("given", "first", "last"), [("bytes=-50", -50, None), ("bytes=200-", 200, None)]
    )
    def test_a_range_may_be_open(
        self, address: str, logs: Path, given: str, first: int, last: int | None
    ) -> None:
        """The last fifty bytes; all from the two-hundredth on."""
        original = (logs / "20260101-partition" / "events.jsonl").read_bytes()
        path = "/runs/20260101-partition/events.jsonl"
        status, _, body = ask(address, path, Range=given)
        assert (status, body) == (206, original[first:last])

    def test_a_range_beyond_the_end_is_refused(self, address: str) -> None:
        """With the length, so that the page knows better."""
        path = "/runs/20260101-partition/events.jsonl"
        status, headers, _ = ask(address, path, Range="bytes=99999999-")
        assert status == 416
        assert headers["Content-Range"].startswith("bytes */")

    def test_the_newest_run_comes_first(self, tmp_path: Path) -> None:
        """And a run whose table is damaged is listed by its name."""
        for number, run in enumerate(("b", "c", "a")):
            folder = write_run(tmp_path, run, scripted("legal-resent-accept"), title=run)
            for path in folder.iterdir():
                os.utime(path, (number, number))
        (tmp_path / "a" / "run.json").unlink()
        (tmp_path / "b" / "run.json").write_text("{", encoding="utf-8")
        os.utime(tmp_path / "b" / "run.json", (0, 0))
        entries = list_runs(tmp_path)
        assert [entry["run"] for entry in entries] == ["a", "c", "b"]
        assert [entry["title"] for entry in entries] == ["", "c", ""]

    def test_a_run_that_says_nonsense_of_itself_hides_no_other(self, tmp_path: Path) -> None:
        """A verdict that is a list, and half of a surrogate pair, which no answer can carry."""
        for run in ("a", "b"):
            write_run(tmp_path, run, scripted("legal-resent-accept"), title=run)
        (tmp_path / "a" / "verdict.json").write_text('{"verdict": []}', encoding="utf-8")
        (tmp_path / "a" / "run.json").write_text('{"title": "\\ud800"}', encoding="utf-8")
        entries = {entry["run"]: entry for entry in list_runs(tmp_path)}
        assert entries["a"]["verdict"] is None
        assert entries["a"]["title"] == "?"
        assert entries["b"]["title"] == "b"

    def test_a_folder_that_does_not_exist_yet_holds_no_runs(self, tmp_path: Path) -> None:
        """The page can be opened before the first run."""
        assert list_runs(tmp_path / "logs") == []


class TestWhatIsMadeOnDemand:
    @pytest.fixture
    def made(self, tmp_path: Path) -> Iterator[tuple[str, Path]]:
        """A server of one run, and the run's folder."""
        folder = write_run(tmp_path / "logs", "one", recorded("local-partition"))
        # Its table names no instance as its own.
        (folder / "run.json").unlink()
        with serving(tmp_path / "logs") as url:
            yield urllib.parse.urlsplit(url).netloc, folder

    def test_the_whys_of_a_run_that_has_none_are_made_and_kept(
        self, made: tuple[str, Path]
    ) -> None:
        """A recorded run of an older lab; written beside and renamed, so nothing else is left."""
        address, folder = made
        before = {path.name for path in folder.iterdir()}
        status, _, body = ask(address, "/runs/one/why.json")
        assert status == 200
        assert any(why["kind"] == "accept" for why in json.loads(body)["whys"])
        assert (folder / "why.json").read_bytes() == body
        assert {path.name for path in folder.iterdir()} == before | {"why.json"}

    def test_they_are_made_once_and_again_when_the_log_is_newer(
        self, made: tuple[str, Path]
    ) -> None:
        """What is there and newer than the log is believed; what is older is not."""
        address, folder = made
        (folder / "why.json").write_text('{"v": 1, "whys": []}', encoding="utf-8")
        assert ask(address, "/runs/one/why.json")[2] == b'{"v": 1, "whys": []}'
        os.utime(folder / "why.json", (1, 1))
        assert json.loads(ask(address, "/runs/one/why.json")[2])["whys"]

    def test_a_log_that_is_none_is_answered_with_a_sentence(self, made: tuple[str, Path]) -> None:
        """And nothing is kept of it."""
        address, folder = made
        (folder / "events.jsonl").write_text("no log\n", encoding="utf-8")
        status, headers, body = ask(address, "/runs/one/why.json")
        assert (status, headers.get_content_type()) == (422, "text/plain")
        assert b"events.jsonl" in body
        assert not (folder / "why.json").exists()

    def test_the_columns_of_a_log_are_made_and_sent_as_they_are(
        self, made: tuple[str, Path]
    ) -> None:
        """Whole or in part, and never packed: there may be 60 MB of them."""
        address, folder = made
        gzip_too = {"Accept-Encoding": "gzip"}
        status, headers, body = ask(address, "/runs/one/columns.bin", **gzip_too)
        assert (status, headers.get_content_type()) == (200, "application/octet-stream")
        assert "Content-Encoding" not in headers
        assert (folder / "columns.bin").read_bytes() == body
        status, _, part = ask(address, "/runs/one/columns.bin", Range="bytes=8-15", **gzip_too)
        assert (status, part) == (206, body[8:16])
        (folder / "columns.bin").unlink()
        (folder / "events.jsonl").write_text("no log\n", encoding="utf-8")
        status, _, sentence = ask(address, "/runs/one/columns.bin")
        assert (status, sentence[-2:]) == (422, b".\n")

    def test_a_link_in_its_place_is_not_followed(
        self, made: tuple[str, Path], tmp_path: Path
    ) -> None:
        """Nor written through."""
        address, folder = made
        secret = tmp_path / "secret.json"
        secret.write_text('{"secret": 1}', encoding="utf-8")
        (folder / "why.json").symlink_to(secret)
        status, _, body = ask(address, "/runs/one/why.json")
        assert status == 422
        assert b"secret" not in body
        assert secret.read_text("utf-8") == '{"secret": 1}'

    @pytest.mark.parametrize("name", ["why.json", "columns.bin"])
    @pytest.mark.parametrize("log", ["events.jsonl", "n1.jsonl", "run.json"])
    def test_nothing_is_made_of_a_link_or_a_pipe(
        self, made: tuple[str, Path], tmp_path: Path, log: str, name: str
    ) -> None:
        """A link leads out of the folder, and whoever opens a pipe waits for ever."""
        address, folder = made
        secret = tmp_path / "secret.jsonl"
        secret.write_text('{"secret": 1}\n', encoding="utf-8")
        (folder / log).unlink(missing_ok=True)
        (folder / log).symlink_to(secret)
        status, _, body = ask(address, f"/runs/one/{name}")
        assert (status, b"a link" in body) == (422, True)
        (folder / log).unlink()
        os.mkfifo(folder / log)
        status, _, body = ask(address, f"/runs/one/{name}")
        assert (status, b"no plain file" in body) == (422, True)

    def test_no_index_is_made_of_a_log_that_is_too_long(
        self, made: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is made in memory; one that is there is sent."""
        address, folder = made
        monkeypatch.setattr("orchestrator.web.derived._COLUMNS_LIMIT_BYTES", 1_000)
        status, _, body = ask(address, "/runs/one/columns.bin")
        assert (status, b"up to 0 MB" in body) == (422, True)
        assert not (folder / "columns.bin").exists()

    @pytest.mark.parametrize("run", ["latest", "..", "no-such-run"])
    def test_nothing_is_made_outside_of_the_runs(self, address: str, run: str) -> None:
        """A folder that is no plain one of ``logs`` is none."""
        assert ask(address, f"/runs/{run}/why.json")[0] == 404

    def test_a_story_in_virtual_time(self, address: str) -> None:
        """The list, and each file of one; the same bytes whenever it is asked for."""
        stories = json.loads(ask(address, "/stories.json")[2])["stories"]
        entry = next(story for story in stories if story["name"] == "late-proposer")
        assert {"events.jsonl", "why.json", "run.json"} <= set(entry["files"])
        for file in entry["files"]:
            status, _, body = ask(address, f"/stories/late-proposer/{file}")
            assert (status, body) == (200, ask(address, f"/stories/late-proposer/{file}")[2])
        log = ask(address, "/stories/late-proposer/events.jsonl")[2].splitlines()
        assert json.loads(log[0])["event"] == "run_started"

    def test_who_waits_when_the_server_ends_is_told_so(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Stories take seconds: that is no error, and holds nobody up."""
        asked, never = threading.Event(), threading.Event()

        def endless() -> None:
            asked.set()
            never.wait()

        monkeypatch.setattr("orchestrator.stories.stories_json", endless)
        with ThreadPoolExecutor(1) as pool:
            with serving(tmp_path) as url:
                answer = pool.submit(ask, urllib.parse.urlsplit(url).netloc, "/stories.json")
                assert asked.wait(60)
            status, _, body = answer.result()
        never.set()
        assert (status, body) == (503, b"The server is ending.\n")
        assert not [record for record in caplog.records if record.exc_info]

    def test_what_could_not_be_made_is_tried_again(self) -> None:
        """And what was made is kept."""
        tries: list[int] = []

        def make() -> int:
            tries.append(1)
            if len(tries) == 1:
                raise OSError
            return 7

        kept = Kept(make)
        with pytest.raises(OSError):
            kept.begin().result(60)
        assert [kept.begin().result(60) for _ in range(3)] == [7, 7, 7]
        assert len(tries) == 2

    @pytest.mark.parametrize(
        "path",
        [
            "/stories/no-such-story/run.json",
            "/stories/..%2f..%2fsecret/run.json",
            "/stories/late-proposer/secret.json",
            "/pyodide/package.json",
            "/pyodide/..%2fpackage.json",
        ],
    )
    def test_what_is_no_story_and_no_part_of_the_sandbox(self, address: str, path: str) -> None:
        """Nothing else of this machine."""
        assert ask(address, path)[0] == 404

    def test_the_variants_with_their_handlers(self, address: str) -> None:
        """As plain data."""
        variants = json.loads(ask(address, "/variants.json")[2])["variants"]
        assert {"ignore-accepted", "small-quorum"} <= {variant["name"] for variant in variants}

    def test_the_sandbox_says_whether_it_can_be_had(self, address: str) -> None:
        """And what it loads is the core's archive."""
        state = json.loads(ask(address, "/sandbox.json")[2])
        assert isinstance(state["available"], bool)
        assert state["why"].endswith(".")
        _, headers, body = ask(address, "/core.zip", **{"Accept-Encoding": "gzip"})
        assert (headers.get_content_type(), body[:2]) == ("application/zip", b"PK")
        assert "Content-Encoding" not in headers


class TestWhatIsNot:
    @pytest.mark.parametrize(
        "path",
        [
            "/runs/20260101-partition/../../secret.json",
            "/runs/20260101-partition/..%2f..%2fsecret.json",
            "/runs/20260101-partition/%2e%2e%2f%2e%2e%2fsecret.json",
            "/runs/../secret.json",
            "/runs/%2e%2e/secret.json",
            "/runs/..%2f/secret.json",
            "/runs//secret.json",
            "/runs/20260101-partition/leak.json",
            "/runs/20260101-partition/folder.json",
            "/runs/20260101-partition/.hidden.json",
            "/runs/20260101-partition/notes.txt",
            "/runs/20260101-partition/events.jsonl%00.json",
            "/runs/latest/events.jsonl",
            "/runs/no-such-run/events.jsonl",
            "/package.json",
            "/jsconfig.json",
            "/types.d.ts",
            "/vendor/lit-html/LICENSE",
            "/node_modules/lit-html/lit-html.js",
            "/../orchestrator/places.py",
            "/..%2forchestrator/places.py",
            "//etc/passwd",
        ],
    )
    def test_nothing_else_of_this_machine(self, address: str, path: str) -> None:
        """No path leads out of the runs and the page."""
        status, _, body = ask(address, path)
        assert status == 404
        assert b"secret" not in body

    def test_no_name_of_a_file_leads_elsewhere(self, logs: Path) -> None:
        """The check itself, below any router's tidying."""
        assert find_file(logs, "20260101-partition", "events.jsonl") is not None
        for run, file in (
            ("..", "secret.json"),
            (".", "README.md"),
            ("20260101-partition", "../../secret.json"),
            ("20260101-partition/..", "secret.json"),
            ("20260101-partition", "leak.json"),
            ("20260101-partition", "events.jsonl\n"),
            ("latest", "events.jsonl"),
        ):
            assert find_file(logs, run, file) is None, (run, file)

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
    @pytest.mark.parametrize(
        "path",
        ["/", "/runs.json", "/runs/20260101-partition/events.jsonl", "/live.json", "/live/events"],
    )
    def test_no_method_but_get(self, address: str, path: str, method: str) -> None:
        """What is read is read-only."""
        status, _, _ = ask(address, path, method)
        assert status == 405

    @pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "10.0.0.1", ""])
    def test_nobody_under_another_name(self, address: str, host: str) -> None:
        """A foreign site whose name leads here is refused, runs and all."""
        status, _, body = ask(address, "/runs.json", Host=host)
        assert status == 400
        assert b"partition" not in body

    def test_localhost_is_this_machine(self, address: str) -> None:
        """With any port, for a tunnel may change it."""
        status, _, _ = ask(address, "/runs.json", Host="localhost:9999")
        assert status == 200

    @pytest.mark.parametrize(
        ("path", "host", "expected"),
        [("/", "localhost", 200), ("/nothing", "localhost", 404), ("/", "evil.example", 400)],
    )
    def test_every_answer_carries_the_policy(
        self, address: str, path: str, host: str, expected: int
    ) -> None:
        """Nothing but the page's own files runs in it, and no text becomes markup."""
        status, headers, _ = ask(address, path, Host=host)
        assert status == expected
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "require-trusted-types-for 'script'" in policy
        assert "unsafe" not in policy
        assert "worker-src 'self'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "Access-Control-Allow-Origin" not in headers


class TestServe:
    def test_it_prints_its_address_answers_there_and_ends_with_ctrl_c(self, logs: Path) -> None:
        """What ``make web`` runs, as a process."""
        command = (
            "import sys; from pathlib import Path; from orchestrator.web import serve;"
            " serve(Path(sys.argv[1]), 0)"
        )
        with subprocess.Popen(
            [sys.executable, "-c", command, str(logs)],
            cwd=HERE.parent,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                assert process.stdout is not None
                first = process.stdout.readline()
                url = first.split()[4]
                assert url.startswith("http://127.0.0.1:"), first
                status, _, _ = ask(urllib.parse.urlsplit(url).netloc, "/runs.json")
                assert status == 200
                process.send_signal(signal.SIGINT)
                _, errors = process.communicate(timeout=120)
            finally:
                process.kill()
        assert (process.returncode, errors) == (0, "")

    def test_an_answer_that_takes_long_does_not_keep_the_process(self, logs: Path) -> None:
        """Ctrl-C ends it though a thread is still making the whys."""
        command = (
            "import sys, threading; from pathlib import Path;"
            " from orchestrator.web import serve; import orchestrator.web.serve as module;"
            " import orchestrator.web.derived as derived;"
            " module._END_LIMIT_S = 0.2;"
            " derived._why = lambda _: (print('begun', flush=True), threading.Event().wait());"
            " serve(Path(sys.argv[1]), 0)"
        )
        with (
            ThreadPoolExecutor(1) as pool,
            subprocess.Popen(
                [sys.executable, "-c", command, str(logs)],
                cwd=HERE.parent,
                stdout=subprocess.PIPE,
                text=True,
            ) as process,
        ):
            try:
                assert process.stdout is not None
                netloc = urllib.parse.urlsplit(process.stdout.readline().split()[4]).netloc
                # Whether it is still answered is a matter of luck.
                pool.submit(ask, netloc, "/runs/20260101-partition/why.json")
                assert process.stdout.readline() == "begun\n"
                process.send_signal(signal.SIGINT)
                assert process.wait(timeout=120) == 0
            finally:
                process.kill()

    def test_a_port_in_use_is_named(self, logs: Path) -> None:
        """With what to do about it."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            with pytest.raises(PageError, match=rf"port {port} .*--port"):
                serve(logs, port)


class TestFiles:
    def test_a_recipe_in_a_link_is_nested_a_few_deep_or_refused(self) -> None:
        """What is deeper would break whoever walks it; a command's fields are not deep."""
        script = (
            "import { packRecipe, unpackRecipe } from './sandbox/recipe.js';"
            "const nested = (n) => (n ? [nested(n - 1)] : []);"
            "for (const depth of [3, 18, 19, 90]) {"
            " const commands = nested(depth);"
            " const link = await packRecipe({ v: 1, seed: 1, nodes: 3, commands });"
            " console.log(await unpackRecipe(link).then(() => 'ok', (error) => error.message));"
            "}"
        )
        done = subprocess.run(
            [node_path(), "--input-type=module", "-e", script],
            cwd=PAGE,
            capture_output=True,
            text=True,
            check=True,
        )
        fine, last, deep, deeper = done.stdout.splitlines()
        assert (fine, last) == ("ok", "ok")
        assert "is no recipe of a run" in deep
        assert deeper == deep

    def test_the_vendored_library_is_the_one_that_the_lock_names(self) -> None:
        """Unchanged, with its licence, and of the version that types are checked with."""
        lock = json.loads((PAGE / "package-lock.json").read_text("utf-8"))
        package = json.loads((PAGE / "package.json").read_text("utf-8"))
        version = package["devDependencies"]["lit-html"]
        assert lock["packages"]["node_modules/lit-html"]["version"] == version
        vendored = PAGE / "vendor" / "lit-html"
        assert "BSD 3-Clause" in (vendored / "LICENSE").read_text("utf-8")
        installed = PAGE / "node_modules" / "lit-html"
        if installed.is_dir():
            for name in ("lit-html.js", "LICENSE"):
                assert (vendored / name).read_bytes() == (installed / name).read_bytes()

    def test_the_lock_names_no_registry(self) -> None:
        """It is installed from wherever the machine's npm is set up to look."""
        assert '"resolved"' not in (PAGE / "package-lock.json").read_text("utf-8")

    def test_the_page_loads_nothing_from_elsewhere(self) -> None:
        """Every import and every link of each of its files is relative: it works offline."""
        own = [path for path in page_files().values() if "vendor" not in path.parts]
        assert len(own) > 100
        for path in own:
            text = path.read_text("utf-8")
            addresses = set(re.findall(r"\bhttps?:[^\s\"'`)<]*", text))
            # The name of a vocabulary is no address that anything asks.
            assert addresses <= {"http://www.w3.org/2000/svg"}, path
            sources = re.findall(r"""(?:\bfrom |\bimport[ (]|new URL\()"([^"]+)\"""", text)
            assert not [source for source in sources if source.startswith("/")], path
            assert not re.search(r"""url\(["']?/|(?:src|href)="/""", text), path
            for markup in (
                "unsafeHTML",
                "unsafeSVG",
                "innerHTML",
                "outerHTML",
                "insertAdjacentHTML",
            ):
                assert markup not in text, (path, markup)
            assert "document.write" not in text, path
