"""``paxos-lab site``: the page as one folder that any plain web server can serve.

Everything that the page's own server makes on demand is made once and written
out: stories, variants, the core's archive, Pyodide, the chosen runs. What
needs a server of its own, the live cluster, is not there, and ``live.json``
says so.
"""

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from orchestrator.cluster import LabError
from orchestrator.columns import ColumnsError, write_columns
from orchestrator.core_archive import core_zip
from orchestrator.places import Places
from orchestrator.pyodide import pyodide_files, sandbox_json
from orchestrator.stories import (
    list_stories,
    scenarios_json,
    stories_json,
    story_files,
    variants_json,
)
from orchestrator.web.derived import CannotMake, Derived
from orchestrator.web.files import PageError, find_run, list_runs, page_files
from orchestrator.web.safety import policy_of
from paxos.events import CATALOGUE

MARK: Final = ".paxos-lab-site"
"""Lies in every folder that was made here: only such a one is emptied."""

_NOT_LIVE: Final[Mapping[str, Any]] = {
    "v": 1,
    "available": False,
    "why": "This is a published copy of the page, and no cluster is behind it: "
    "in a clone of the project, `make up` and `make web` show a live one.",
    "world": None,
    "members": [],
    "run": None,
    "state": "none",
    "line_count": 0,
    "epoch": None,
    "instances": {},
    "instance": None,
    "down": [],
    "paused": [],
    "faults": [],
    "commands": [],
}
_HEADER_ONLY: Final = frozenset({"frame-ancestors"})
"""What a browser heeds in a header only, and complains about elsewhere."""

_README: Final = """\
# Paxos Lab, to be published

This folder is a whole web site. It needs no program behind it:

    python3 -m http.server --directory {name} 8000

and then <http://127.0.0.1:8000/>. To publish it, copy the folder to any static
web server, into any folder of a site: every address in it is relative. The
server should send `.wasm` as `application/wasm` and `.mjs` as `text/javascript`
(most do). Opened as a file, without a server, the page cannot load its parts.

It holds {stories} stories in virtual time, {runs}, and {sandbox}
A live cluster is not part of it.{licence}

Made by `paxos-lab site`; making it again replaces it.
"""


_LICENCE: Final = """

`pyodide/` holds Pyodide as its makers published it, under the Mozilla Public
License 2.0, with Python's standard library under the PSF License."""


@dataclass(frozen=True, slots=True)
class Made:
    """What was made.

    Attributes:
        folder: where.
        byte_count: how large it is in all.
        file_count: how many files it has.
        core_byte_count: how large the core's archive is.
        sandbox: what ``sandbox.json`` says.
    """

    folder: Path
    byte_count: int
    file_count: int
    core_byte_count: int
    sandbox: Mapping[str, Any]


def make_site(out: Path, logs: Path, runs: Sequence[str] = ()) -> Made:
    """Make the folder; one that was made before is replaced.

    Args:
        out: where.
        logs: the folder with the folders of the runs.
        runs: the names of those that go along.

    Raises:
        LabError: the folder holds something else, or there is no such run.
    """
    chosen = [_chosen(logs, run) for run in runs]
    _empty(out)
    writer = _Writer(out)
    _write_page(writer)
    writer.json("catalogue.json", CATALOGUE)
    writer.json("live.json", _NOT_LIVE)
    _write_runs(writer, logs, chosen)
    stories = _write_stories(writer)
    sandbox = _write_sandbox(writer)
    _write_readme(writer, stories, len(chosen), sandbox)
    core = 0
    if sandbox["available"]:
        core = (out / "core.zip").stat().st_size
    return Made(out, writer.byte_count, writer.file_count, core, sandbox)


def _chosen(logs: Path, run: str) -> Path:
    folder = find_run(logs, run)
    if folder is None and run == "latest":
        linked = (logs / run).resolve()
        folder = find_run(logs, linked.name)
    if folder is None:
        raise LabError(f"there is no run {run!r} in {logs}; `paxos-lab web` lists those there are")
    return folder


def _empty(out: Path) -> None:
    """Make a folder of our own empty, or a new one."""
    if out.is_dir() and any(out.iterdir()):
        if not (out / MARK).is_file():
            raise LabError(f"{out} is not empty, and was not made by this command: choose another")
        shutil.rmtree(out)
    elif out.exists() and not out.is_dir():
        raise LabError(f"{out} is no folder: choose another with --out")
    out.mkdir(parents=True, exist_ok=True)
    (out / MARK).write_text("Made by paxos-lab site, which may empty this folder.\n", "utf-8")


class _Writer:
    """Writes files into the folder, and counts them."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.byte_count = 0
        self.file_count = 0

    def bytes(self, name: str, content: bytes) -> None:
        """Write one file."""
        path = self.out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        self.byte_count += len(content)
        self.file_count += 1

    def json(self, name: str, content: Any) -> None:
        """Write one file of JSON."""
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        self.bytes(name, text.encode("utf-8"))

    def copy(self, name: str, path: Path) -> None:
        """Copy one file, however large it is."""
        target = self.out / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        self.byte_count += target.stat().st_size
        self.file_count += 1


def policy() -> str:
    """The page's policy as it may stand in the page itself.

    A worker is bound by the headers of its own script alone, and here are
    none: it compiles WebAssembly, and the page does not.
    """
    parts = [part.strip() for part in policy_of("/").split(";")]
    return "; ".join(part for part in parts if part.split(" ", 1)[0] not in _HEADER_ONLY)


def _write_page(writer: _Writer) -> None:
    try:
        files = page_files()
    except PageError as error:
        raise LabError(str(error)) from error
    for name, path in sorted(files.items()):
        if name == "index.html":
            writer.bytes(name, with_policy(path.read_text(encoding="utf-8")).encode("utf-8"))
        else:
            writer.copy(name, path)


def with_policy(html: str) -> str:
    """The page with its policy in it, before anything that it governs."""
    meta = f'<meta http-equiv="Content-Security-Policy" content="{policy()}" />'
    written, count = re.subn(r"(<meta charset=[^>]*>)", rf"\1\n    {meta}", html, count=1)
    assert count == 1, "index.html begins with its character set"
    return written


def _write_runs(writer: _Writer, logs: Path, chosen: Sequence[Path]) -> None:
    names = {folder.name for folder in chosen}
    derived = Derived()
    for folder in chosen:
        try:
            write_columns(folder)
            derived.find(folder, "why.json")
        except (CannotMake, ColumnsError) as error:
            click.echo(f"{folder.name}: {error}", err=True)
        for path in sorted(folder.iterdir()):
            if path.is_file() and not path.is_symlink() and not path.name.startswith("."):
                writer.copy(f"runs/{folder.name}/{path.name}", path)
    entries = [entry for entry in list_runs(logs) if entry["run"] in names]
    writer.json("runs.json", {"runs": entries})


def _write_stories(writer: _Writer) -> int:
    writer.json("stories.json", stories_json())
    writer.json("variants.json", variants_json())
    writer.json("scenarios.json", scenarios_json())
    entries = list_stories()
    for entry in entries:
        for name, content in story_files(entry["name"]).items():
            writer.bytes(f"stories/{entry['name']}/{name}", content)
    return len(entries)


def _write_sandbox(writer: _Writer) -> Mapping[str, Any]:
    state = sandbox_json()
    files = pyodide_files()
    writer.json("sandbox.json", state)
    if not isinstance(files, str):
        writer.bytes("core.zip", core_zip())
        for name, path in files.items():
            writer.copy(f"pyodide/{name}", path)
    return state


def _write_readme(writer: _Writer, stories: int, runs: int, sandbox: Mapping[str, Any]) -> None:
    recorded = f"{runs or 'no'} recorded {'run' if runs == 1 else 'runs'}"
    held = (
        f"a sandbox (Pyodide {sandbox['pyodide']})."
        if sandbox["available"]
        else f"no sandbox. {sandbox['why']}"
    )
    text = _README.format(
        name=writer.out.name,
        stories=stories,
        runs=recorded,
        sandbox=held,
        licence=_LICENCE if sandbox["available"] else "",
    )
    writer.bytes("README.md", text.encode("utf-8"))


@click.command("site")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("site"),
    show_default=True,
    help="The folder to be made.",
)
@click.option("--run", "runs", multiple=True, help="A run of logs/ that goes along; may repeat.")
def site_command(out: Path, runs: tuple[str, ...]) -> None:
    """Make the page a folder that any web server can publish."""
    made = make_site(out, Places.from_environment().logs, runs)
    click.echo(f"{made.folder}: {made.file_count} files, {made.byte_count / 1e6:.1f} MB.")
    click.echo(f"Sandbox: {made.sandbox['why']}")
    if made.core_byte_count:
        click.echo(f"The core's archive has {made.core_byte_count / 1e3:.0f} kB.")
    click.echo(f"Try it: python3 -m http.server --directory {made.folder} 8000")
