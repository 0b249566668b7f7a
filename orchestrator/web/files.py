"""The page's files, the list of runs, and the files of one run.

Read-only. Names are matched against what such names look like, links are not
followed, and of the page only what was listed at the start is served: no
request leads anywhere else on this machine.
"""

import json
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from starlette.responses import FileResponse, PlainTextResponse, Response

from orchestrator.places import PROJECT

PAGE: Final = PROJECT / "web"

TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".jsonl": "application/x-ndjson; charset=utf-8",
    ".yaml": "application/yaml; charset=utf-8",
    ".bin": "application/octet-stream",
    ".zip": "application/zip",
    ".wasm": "application/wasm",
}
PACKED: Final = ("application/octet-stream", "application/wasm")
"""Types that are sent as they are: on one machine it takes longer to pack them than to send them."""

_PAGE_TYPES: Final = {".html", ".js", ".css", ".svg"}
_RUN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,127}")
_FILE: Final = re.compile(r"[a-z0-9_-]{1,64}\.jsonl?|scenario\.yaml")
_SUMMARY_LIMIT_BYTES: Final = 10_000_000
_RUN_LIMIT_COUNT: Final = 500
"""How many runs are offered; the newest."""


class PageError(Exception):
    """The page cannot be served; the text says why and what to do."""


def list_runs(logs: Path) -> list[dict[str, Any]]:
    """The runs in a folder, the newest first, with what the page shows of each.

    A run is a folder with at least one log in it. Links such as ``latest``
    name a run that is listed under its own name already. What a run says of
    itself is shown as far as it can be read.
    """
    if not logs.is_dir():
        return []
    found = []
    for folder in logs.iterdir():
        if folder.is_symlink() or not _RUN.fullmatch(folder.name):
            continue
        try:
            changed, files = _contents(folder)
        except OSError:
            # Not a folder, or cleaned away while we looked.
            continue
        if any(name.endswith(".jsonl") and name != "history.jsonl" for name in files):
            found.append((changed, folder, files))
    found.sort(key=lambda item: (item[0], item[1].name), reverse=True)
    return [_entry(folder, files) for _, folder, files in found[:_RUN_LIMIT_COUNT]]


def find_run(logs: Path, run: str) -> Path | None:
    """The folder of a run, or ``None`` unless it is a plain folder in ``logs``."""
    folder = logs / run
    if not _RUN.fullmatch(run) or folder.is_symlink() or not folder.is_dir():
        return None
    return folder


def find_file(logs: Path, run: str, file: str) -> Path | None:
    """The path of a run's file, or ``None`` unless it is a plain file of a plain folder in ``logs``.

    Names are matched against what names of runs and logs look like (no
    separator, no leading dot), and links are not followed, so that no request
    leads out of the folder.
    """
    folder = find_run(logs, run)
    if folder is None or not _FILE.fullmatch(file):
        return None
    path = folder / file
    return None if path.is_symlink() or not path.is_file() else path


def page_files() -> dict[str, Path]:
    """What of ``web/`` is the page: its address within the site, and its path.

    Raises:
        PageError: there is no page.
    """
    files = {
        path.relative_to(PAGE).as_posix(): path
        for path in PAGE.rglob("*")
        if path.suffix in _PAGE_TYPES and path.is_file() and "node_modules" not in path.parts
    }
    if "index.html" not in files:
        raise PageError(
            f"{PAGE} holds no index.html: the page is served from a clone of the project"
        )
    return files


def file_response(path: Path) -> Response:
    """A file as it is; parts of it where a range is asked for."""
    try:
        status = path.stat()
    except OSError:
        # Gone since it was found.
        return missing()
    if not stat.S_ISREG(status.st_mode):
        return missing()
    return FileResponse(path, media_type=TYPES[path.suffix], stat_result=status)


def missing(sentence: str = "There is no such file here.") -> Response:
    """The answer to what is not there."""
    return PlainTextResponse(f"{sentence}\n", status_code=404)


def _contents(folder: Path) -> tuple[int, list[str]]:
    """When a folder's files changed last, in nanoseconds, and those that may be served."""
    paths = [
        path
        for path in folder.iterdir()
        if _FILE.fullmatch(path.name) and path.is_file() and not path.is_symlink()
    ]
    # What the page makes of a run for itself does not make the run newer.
    changed = max((p.stat().st_mtime_ns for p in paths if p.name != "why.json"), default=0)
    return changed, sorted(path.name for path in paths)


def _entry(folder: Path, files: list[str]) -> dict[str, Any]:
    run = _summary(folder / "run.json") if "run.json" in files else {}
    verdict = _summary(folder / "verdict.json") if "verdict.json" in files else {}
    said = _text(verdict, "verdict")
    return {
        "run": folder.name,
        "title": _text(run, "title"),
        "scenario": _text(run, "scenario") or _text(verdict, "scenario"),
        "world": _text(run, "world") or _text(verdict, "world"),
        "verdict": said if said in {"ok", "violated", "unknown"} else None,
        "files": files,
        "bytes": _size(folder / "events.jsonl") if "events.jsonl" in files else 0,
    }


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _summary(path: Path) -> Mapping[str, Any]:
    """A small JSON object, or an empty one where there is none that can be read."""
    try:
        if path.stat().st_size > _SUMMARY_LIMIT_BYTES:
            return {}
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        # A run that is being written, or damaged: the list shows its name, and
        # opening it says what is wrong.
        return {}
    return content if isinstance(content, dict) else {}


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    # JSON may hold half of a surrogate pair, which is no text that can be sent.
    return value.encode(errors="replace").decode() if isinstance(value, str) else ""
