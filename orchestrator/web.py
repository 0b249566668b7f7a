"""Serve the replay page and the runs that it shows, to this machine only.

Read-only: nothing here writes, and nothing but GET is answered. A page on
another site can neither read this one (no cross-origin headers) nor reach it
under a name of its own (the allow-list of hosts); and the policy below lets
the page load nothing but its own files, and turn no text into markup.
"""

import json
import re
import socket
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from paxos.events.lines import CATALOGUE

_ROOT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = _ROOT / "web"

_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".jsonl": "application/x-ndjson; charset=utf-8",
}
_RUN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,127}")
_FILE: Final = re.compile(r"[a-z0-9_-]{1,64}\.jsonl?")
_SUMMARY_LIMIT_BYTES: Final = 10_000_000
_RUN_LIMIT_COUNT: Final = 500
"""How many runs are offered; the newest."""

_POLICY: Final = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
    "require-trusted-types-for": "'script'",
    "trusted-types": "lit-html",
}
_HEADERS: Final = {
    "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in _POLICY.items()),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    # A run may grow, and the page may be edited, between two visits.
    "Cache-Control": "no-cache",
}


class PageError(Exception):
    """The page cannot be served; the text says why and what to do."""


def serve(logs: Path, port: int) -> None:
    """Serve the page on 127.0.0.1 until Ctrl-C, and print its address first.

    Args:
        logs: the folder with the folders of the runs. It need not exist yet.
        port: where to listen; 0 lets the system choose.

    Raises:
        PageError: the port cannot be had, or the page's files are missing.
    """
    app = create_app(logs)
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    with listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
            # From here on a visitor waits for an answer, so the address can be told.
            listener.listen()
        except (OSError, OverflowError) as error:
            raise PageError(
                f"port {port} of 127.0.0.1 cannot be had ({error}): choose another with --port, "
                f"or --port 0 to let the system choose"
            ) from error
        host, bound = listener.getsockname()
        print(f"The page is at http://{host}:{bound}/ (Ctrl-C ends it).", flush=True)
        print(f"It shows the runs in {logs}.", flush=True)
        # Ctrl-C is the way to end it, so it is no error.
        with suppress(KeyboardInterrupt):
            uvicorn.Server(configuration(app)).run(sockets=[listener])


def configuration(app: Starlette) -> uvicorn.Config:
    """How uvicorn runs the application: quietly, and without what is not used."""
    return uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        ws="none",
        lifespan="off",
        timeout_graceful_shutdown=1,
    )


def create_app(logs: Path) -> Starlette:
    """The application: the page, the catalogue of sentences, the runs.

    Raises:
        PageError: the page's files are missing.
    """
    files = _page_files()
    catalogue = json.dumps(CATALOGUE, ensure_ascii=False).encode()

    def page_file(request: Request) -> Response:
        # Only what was listed at the start is served, so no path can lead elsewhere.
        path = files.get(request.path_params["path"] or "index.html")
        return _missing() if path is None else _file(path)

    def catalogue_json(_request: Request) -> Response:
        return Response(catalogue, media_type="application/json")

    def runs(_request: Request) -> Response:
        return JSONResponse({"runs": list_runs(logs)})

    def run_file(request: Request) -> Response:
        path = find_file(logs, request.path_params["run"], request.path_params["file"])
        return _missing() if path is None else _file(path)

    return Starlette(
        routes=[
            Route("/runs", runs, methods=["GET"]),
            Route("/runs/{run}/{file}", run_file, methods=["GET"]),
            Route("/catalogue.json", catalogue_json, methods=["GET"]),
            Route("/{path:path}", page_file, methods=["GET"]),
        ],
        middleware=[
            Middleware(_SafeHeaders),
            Middleware(
                TrustedHostMiddleware,
                allowed_hosts=["127.0.0.1", "localhost"],
                www_redirect=False,
            ),
            Middleware(GZipMiddleware, minimum_size=1000, compresslevel=5),
        ],
    )


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


def _contents(folder: Path) -> tuple[int, list[str]]:
    """When a folder's files changed last, in nanoseconds, and those that may be served."""
    paths = [
        path
        for path in folder.iterdir()
        if _FILE.fullmatch(path.name) and path.is_file() and not path.is_symlink()
    ]
    changed = max((path.stat().st_mtime_ns for path in paths), default=0)
    return changed, sorted(path.name for path in paths)


def find_file(logs: Path, run: str, file: str) -> Path | None:
    """The path of a run's file, or ``None`` unless it is a plain file of a plain folder in ``logs``.

    Names are matched against what names of runs and logs look like (no
    separator, no leading dot), and links are not followed, so that no request
    leads out of the folder.
    """
    if not _RUN.fullmatch(run) or not _FILE.fullmatch(file):
        return None
    folder = logs / run
    path = folder / file
    if folder.is_symlink() or path.is_symlink() or not path.is_file():
        return None
    return path


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
    }


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


def _page_files() -> dict[str, Path]:
    """What of ``web/`` is the page: its address within the site, and its path."""
    files = {
        path.relative_to(PAGE).as_posix(): path
        for path in PAGE.rglob("*")
        if path.suffix in {".html", ".js", ".css", ".svg"}
        and path.is_file()
        and "node_modules" not in path.parts
    }
    if "index.html" not in files:
        raise PageError(
            f"{PAGE} holds no index.html: the page is served from a clone of the project"
        )
    return files


def _file(path: Path) -> Response:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        return _missing()
    return FileResponse(path, media_type=_TYPES[path.suffix], stat_result=status)


def _missing() -> Response:
    return PlainTextResponse("There is no such file here.\n", status_code=404)


class _SafeHeaders:
    """Adds the headers that every answer carries, errors included."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)
