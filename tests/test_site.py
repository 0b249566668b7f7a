"""``paxos-lab site``: a folder that any web server can publish; and what goes into it."""

import functools
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

import pytest
from click.testing import CliRunner
from playwright.sync_api import Browser, Page, expect

from orchestrator import pyodide, site
from orchestrator.cluster import LabError
from orchestrator.core_archive import core_zip, scenario_data
from paxos.sandbox import run
from tests.sandbox_recipes import MANY, need_pyodide
from tests.web_page import hear
from tests.web_server import recorded, write_run

TOUR: Final = "Six steps over one run"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with one recorded run, in a folder below a folder."""
    need_pyodide()
    logs = tmp_path_factory.mktemp("logs")
    write_run(
        logs, "20260101-a-run", recorded("local-crash-after-promise"), title="A node is killed"
    )
    write_run(logs, "20260102-another", recorded("local-crash-after-promise"))
    out = tmp_path_factory.mktemp("published") / "some" / "where"
    site.make_site(out, logs, ["20260101-a-run"])
    return out


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """``python -m http.server`` over a folder; its address."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    handler = functools.partial(Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        thread.join(timeout=20)


class TestFolder:
    def test_it_holds_what_the_page_asks_for(self, made: Path) -> None:
        """Each address of the page's own server that answers GET, as a file."""
        for name in (
            "index.html",
            "main.js",
            "catalogue.json",
            "runs.json",
            "stories.json",
            "variants.json",
            "scenarios.json",
            "live.json",
            "sandbox.json",
            "core.zip",
            "pyodide/pyodide.asm.wasm",
            "runs/20260101-a-run/events.jsonl",
            "runs/20260101-a-run/columns.bin",
            "runs/20260101-a-run/why.json",
        ):
            assert (made / name).is_file(), name

    def test_only_chosen_runs_go_along(self, made: Path) -> None:
        """A run may hold what is not meant for others."""
        runs = json.loads((made / "runs.json").read_bytes())["runs"]
        assert [entry["run"] for entry in runs] == ["20260101-a-run"]
        assert not (made / "runs" / "20260102-another").exists()
        assert runs[0]["files"]

    def test_every_story_is_there(self, made: Path) -> None:
        """With each file that its entry names."""
        stories = json.loads((made / "stories.json").read_bytes())["stories"]
        assert len(stories) > 40
        for story in stories:
            for name in story["files"]:
                assert (made / "stories" / story["name"] / name).is_file(), (story["name"], name)

    def test_it_says_that_it_is_not_live(self, made: Path) -> None:
        """In a sentence that says where a live one is to be had."""
        live = json.loads((made / "live.json").read_bytes())
        assert live["available"] is False
        assert "make web" in live["why"]

    def test_it_says_how_to_publish_it(self, made: Path) -> None:
        """A lecturer finds it in the folder itself."""
        text = (made / "README.md").read_text("utf-8")
        assert "python3 -m http.server" in text
        assert "1 recorded run," in text
        assert "Mozilla Public" in text

    def test_no_file_tells_where_it_was_made(self, made: Path) -> None:
        """It is published: no path of this machine is in it."""
        home = str(pyodide.FOLDER.parent.parent).encode()
        for path in made.rglob("*"):
            if path.is_file() and path.parent.name != "pyodide":
                assert home not in path.read_bytes(), path

    def test_every_address_in_it_is_relative(self, made: Path) -> None:
        """So it works in any folder of any site."""
        html = (made / "index.html").read_text("utf-8")
        assert not re.findall(r'(?:href|src)="(?:/|https?:)', html)

    def test_its_policy_allows_its_own_files_only(self, made: Path) -> None:
        """In the page, for no server sends it as a header."""
        html = (made / "index.html").read_text("utf-8")
        policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', html)
        assert policy is not None
        assert html.index("http-equiv") < html.index("<link")
        parts = dict(part.strip().split(" ", 1) for part in policy.group(1).split(";"))
        assert parts["default-src"] == "'none'"
        assert parts["script-src"] == "'self'"
        assert "frame-ancestors" not in parts


class TestMaking:
    @pytest.fixture
    def bare(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
        """Where a site is made with no stories, for they take seconds."""
        monkeypatch.setattr(site, "_write_stories", lambda _writer: 0)
        return tmp_path / "site"

    def test_without_pyodide_it_has_no_sandbox_and_says_so(
        self, bare: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Everything else is there."""
        why = "Pyodide is not here."
        monkeypatch.setattr(site, "pyodide_files", lambda: why)
        state = {"available": False, "why": why, "pyodide": "1"}
        monkeypatch.setattr(site, "sandbox_json", lambda: state)
        made = site.make_site(bare, bare.parent / "logs")
        assert json.loads((bare / "sandbox.json").read_bytes()) == state
        assert not (bare / "core.zip").exists()
        assert not (bare / "pyodide" / "pyodide.mjs").exists()
        text = (bare / "README.md").read_text("utf-8")
        assert f"no sandbox. {why}" in text
        assert "Mozilla" not in text
        assert made.core_byte_count == 0

    def test_making_it_again_replaces_it(self, bare: Path) -> None:
        """What was left of the one before is gone."""
        site.make_site(bare, bare.parent / "logs")
        (bare / "old.js").write_text("old", "utf-8")
        site.make_site(bare, bare.parent / "logs")
        assert not (bare / "old.js").exists()
        assert (bare / "index.html").exists()

    def test_another_folder_is_never_emptied(self, bare: Path) -> None:
        """Only one that was made here; the command ends with a sentence."""
        bare.mkdir()
        (bare / "thesis.tex").write_text("years", "utf-8")
        with pytest.raises(LabError, match="was not made by this command"):
            site.make_site(bare, bare.parent / "logs")
        assert (bare / "thesis.tex").exists()

    @pytest.mark.parametrize("name", ["nonsense", "../logs", "/etc", ""])
    def test_a_run_that_is_not_there_is_refused(self, bare: Path, name: str) -> None:
        """Before anything is written."""
        with pytest.raises(LabError, match="there is no run"):
            site.make_site(bare, bare.parent / "logs", [name])
        assert not bare.exists()

    def test_the_command_says_what_it_made(
        self, bare: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """How large it is, whether it has a sandbox, how to try it."""
        monkeypatch.setenv("PAXOS_LAB_LOGS", str(bare.parent / "logs"))
        done = CliRunner().invoke(site.site_command, ["--out", str(bare)])
        assert done.exit_code == 0, done.output
        assert re.search(r"\d+ files, [\d.]+ MB", done.output)
        assert "Sandbox: " in done.output
        assert "python3 -m http.server" in done.output


class TestCore:
    def test_equal_sources_give_equal_bytes(self) -> None:
        """Made in another process, with another hash of texts, at another time."""
        code = "import sys; from orchestrator.core_archive import core_zip; sys.stdout.buffer.write(core_zip())"
        env = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"}
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, env=env, check=True
        )
        here = core_zip.__wrapped__()
        assert hashlib.sha256(done.stdout).digest() == hashlib.sha256(here).digest()

    def test_it_holds_the_core_and_no_more(self) -> None:
        """Nothing of node, orchestrator or numpy; nothing that was compiled."""
        with zipfile.ZipFile(io.BytesIO(core_zip())) as archive:
            names = archive.namelist()
            assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
            assert json.loads(archive.read("paxos/sandbox/scenarios.json")) == scenario_data()
        assert names == sorted(names)
        assert all(name.startswith("paxos/") and name.endswith((".py", ".json")) for name in names)
        assert "paxos/events/catalogue.json" in names
        assert "paxos/variants/gallery.py" in names
        assert "paxos/explorer/arrays.py" not in names

    def test_it_runs_from_the_archive_alone(self, tmp_path: Path) -> None:
        """Without a single package beside the standard library."""
        with zipfile.ZipFile(io.BytesIO(core_zip())) as archive:
            archive.extractall(tmp_path)
        request = json.dumps({"do": "run", "recipe": MANY["fork of a scenario"]})
        code = (
            "import sys, json; from paxos.sandbox.border import answer;"
            "text, lines = answer(sys.argv[1]); print(json.loads(text)['result']['sha256'])"
        )
        command = [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, '.'); {code}"]
        done = subprocess.run(
            [*command, request], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.stderr == ""
        here = run(MANY["fork of a scenario"], scenario_data())
        assert done.stdout.strip() == here["sha256"]


class TestPin:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        """A folder like ``web/pyodide``, with small files in it."""
        folder = tmp_path / "web" / "pyodide"
        place = folder / "node_modules" / "pyodide"
        place.mkdir(parents=True)
        sums = []
        for name in ("pyodide.mjs", "pyodide.asm.wasm"):
            content = f"this is {name}".encode()
            (place / name).write_bytes(content)
            sums.append(f"{hashlib.sha256(content).hexdigest()}  {name}\n")
        (folder / "SHA256SUMS").write_text("".join(sums), "utf-8")
        (folder / "package.json").write_text('{"dependencies":{"pyodide":"1.2.3"}}', "utf-8")
        return folder

    def test_the_right_files_are_found(self, folder: Path) -> None:
        """By name, as the worker asks for them."""
        found = pyodide.pyodide_files(folder)
        assert isinstance(found, dict)
        assert sorted(found) == ["pyodide.asm.wasm", "pyodide.mjs"]
        assert pyodide.sandbox_json(folder)["available"] is True

    def test_a_file_with_one_other_byte_is_refused(self, folder: Path) -> None:
        """It is named, and never served."""
        path = folder / "node_modules" / "pyodide" / "pyodide.asm.wasm"
        content = bytearray(path.read_bytes())
        content[3] ^= 1
        path.write_bytes(content)
        found = pyodide.pyodide_files(folder)
        assert isinstance(found, str)
        assert "pyodide.asm.wasm is not the file that was pinned" in found
        assert pyodide.sandbox_json(folder) == {
            "available": False,
            "why": found,
            "pyodide": "1.2.3",
        }

    def test_a_missing_file_is_told_with_what_to_do(self, folder: Path) -> None:
        """``make pyodide`` fetches it."""
        (folder / "node_modules" / "pyodide" / "pyodide.mjs").unlink()
        assert "make pyodide" in str(pyodide.pyodide_files(folder))

    def test_without_npm_it_is_a_sentence(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """And all but the sandbox works."""
        (folder / "node_modules" / "pyodide" / "pyodide.mjs").unlink()
        monkeypatch.setenv("PATH", "")
        assert "npm is not installed" in str(pyodide.fetch(folder))

    def test_a_wrong_file_is_fetched_anew(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """Npm believes its own notes: what is there goes first."""
        path = folder / "node_modules" / "pyodide" / "pyodide.mjs"
        right = path.read_bytes()
        path.write_bytes(b"wrong")
        tool = tmp_path / "npm"
        wasm = path.with_name("pyodide.asm.wasm").read_bytes()
        tool.write_text(
            "#!/bin/sh\n[ -e node_modules ] && exit 1\n/bin/mkdir -p node_modules/pyodide\n"
            f"printf %s '{right.decode()}' > node_modules/pyodide/pyodide.mjs\n"
            f"printf %s '{wasm.decode()}' > node_modules/pyodide/pyodide.asm.wasm\n",
            "utf-8",
        )
        tool.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))
        assert pyodide.fetch(folder) is None

    def test_the_pin_is_exact_and_names_no_registry(self) -> None:
        """Where packages come from is the user's npm's affair."""
        pinned = json.loads((pyodide.FOLDER / "package.json").read_text("utf-8"))
        lock = (pyodide.FOLDER / "package-lock.json").read_text("utf-8")
        version = pinned["dependencies"]["pyodide"]
        assert re.fullmatch(r"\d+\.\d+\.\d+", version)
        assert json.loads(lock)["packages"]["node_modules/pyodide"]["version"] == version
        assert '"resolved"' not in lock
        assert "://" not in lock
        assert len(pyodide.sums()) == 5


@dataclass(frozen=True, slots=True)
class Published:
    """The page from a plain web server, below a folder.

    Attributes:
        page: how a reader opens it, with nothing but its address.
        url: where.
        complaints: what it has written to its console as errors and warnings.
        asked: each address that it asked for, and the answer's status.
    """

    page: Page
    url: str
    complaints: list[str]
    asked: list[tuple[str, int]]

    def open(self, hash_: str) -> None:
        """Go there as a link does that is opened in a new tab."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.url}{hash_}")


@pytest.fixture(scope="module")
def opened(made: Path, browser: Browser) -> Iterator[Published]:
    """The page, opened once for all that follows."""
    with served(made.parent.parent) as url:
        context = browser.new_context(
            viewport={"width": 1360, "height": 1000}, reduced_motion="reduce"
        )
        found = Published(context.new_page(), f"{url}some/where/", [], [])
        hear(context, found.complaints)
        context.on("response", lambda answer: found.asked.append((answer.url, answer.status)))
        found.page.set_default_timeout(60_000)
        found.open("")
        yield found
        context.close()


@pytest.mark.browser
@pytest.mark.timeout(600)
class TestInTheBrowser:
    def test_it_opens_with_a_story(self, opened: Published) -> None:
        """No link is needed to see something, and what it is."""
        page = opened.page
        expect(page.locator(".run-title")).to_have_text(TOUR)
        expect(page.locator(".sentence")).not_to_be_empty()
        expect(page.get_by_role("button", name="Take the tour")).to_be_visible()
        assert any("/stories/tour/" in url for url, _ in opened.asked)

    def test_an_exhibit_is_played(self, opened: Published) -> None:
        """Its caption, and the story that it is about."""
        opened.open("#exhibit=binding")
        page = opened.page
        expect(page.locator(".stage")).to_contain_text("A chosen value binds")
        # It asks first: an answer, then on.
        page.keyboard.press("A")
        page.keyboard.press("n")
        expect(page).to_have_url(re.compile(r"#exhibit=binding\.2$"))
        expect(page.locator(".sentence")).not_to_be_empty()

    def test_it_says_where_a_live_run_is_to_be_had(self, opened: Published) -> None:
        """There is none here: the sentence is that of ``live.json``, and nothing can be begun."""
        opened.open("")
        page = opened.page
        page.locator(".modes").get_by_role("button", name="Live").click()
        expect(page.locator(".start")).to_contain_text("This is a published copy of the page")
        expect(page.locator(".start")).to_contain_text("make web")
        expect(page.get_by_role("button", name="Begin a live run")).to_have_count(0)

    def test_its_sandbox_is_broken_by_oneself(self, opened: Published) -> None:
        """From the first card on: Python starts, a value is proposed by a button, and is chosen."""
        opened.open("")
        page = opened.page
        page.get_by_role("button", name="Break it yourself").click()
        # Python starts in a tab of a busy machine.
        # A cluster that rests has the form for a proposal open.
        expect(page.locator(".commands .form")).to_be_visible(timeout=180_000)
        page.get_by_label("Value").fill("published")
        page.locator(".form").get_by_role("button", name="Do it").click()
        expect(page.locator(".commands > .sent li")).to_contain_text("published")
        page.locator("h1").click()
        page.keyboard.press("End")
        expect(page.locator(".choice .value").first).to_have_attribute("title", "published")
        expect(page.locator(".run-bar .verdict-ok")).to_be_visible()

    def test_its_engine_gives_the_bytes_of_cpython(self, opened: Published) -> None:
        """Of a fork of a scenario."""
        told = opened.page.evaluate(
            """async (recipe) => {
              const { Engine } = await import(new URL("sandbox/engine.js", document.baseURI));
              const engine = await Engine.start();
              const { sha256 } = await engine.run(recipe);
              engine.close();
              return sha256;
            }""",
            MANY["fork of a scenario"],
        )
        assert told == run(MANY["fork of a scenario"], scenario_data())["sha256"]

    def test_a_recorded_run_opens(self, opened: Published) -> None:
        """Though this server answers no part of a file."""
        opened.open("#run=20260101-a-run")
        expect(opened.page.locator(".run-title")).to_contain_text(
            "An acceptor is killed after it wrote its promise"
        )
        expect(opened.page.locator("#now-title")).to_contain_text("of 468")
        assert any("/runs/20260101-a-run/" in url for url, _ in opened.asked)

    def test_nothing_is_missing_and_nothing_complains(self, opened: Published) -> None:
        """The last of these tests: over all that was done above."""
        assert opened.complaints == []
        assert [entry for entry in opened.asked if entry[1] >= 400] == []
        assert len(opened.asked) > 100
        root = opened.url.removesuffix("some/where/")
        assert [url for url, _ in opened.asked if not url.startswith(root)] == []
