"""The application: its addresses, and what stands before each of them."""

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from orchestrator.web.derived import NAMES, CannotMake, Derived
from orchestrator.web.desk import STREAM_LIMIT_COUNT, Desk, NoWorld
from orchestrator.web.files import (
    PACKED,
    file_response,
    find_file,
    find_run,
    list_runs,
    missing,
    page_files,
)
from orchestrator.web.made import Made
from orchestrator.web.safety import (
    HOSTS,
    OwnSiteOnly,
    Refusal,
    SafeHeaders,
    broken_down,
    read_command,
    said,
    sentence,
)
from orchestrator.web.stream import EventStream
from paxos.events.lines import CATALOGUE

_CURSOR_DIGITS: Final = 15

_Answer = Callable[[Request], Response | Awaitable[Response]]


def create_app(logs: Path, desk: Desk | None = None, token: str = "") -> Starlette:
    """The application: the page, the runs, stories, the sandbox's files, the live run.

    Args:
        logs: the folder with the folders of the runs. It need not exist yet.
        desk: where the live run is; without one nothing can be live.
        token: what a command must bring; made up when it is empty.

    Raises:
        PageError: the page's files are missing.
    """
    desk = desk or Desk(NoWorld("This server has no cluster to show."))
    token = token or secrets.token_urlsafe()
    made = Made()
    app = Starlette(
        routes=[
            *_live_routes(desk, token),
            *_run_routes(logs),
            *made.routes(),
            *_page_routes(),
        ],
        middleware=[
            Middleware(SafeHeaders),
            Middleware(_LastWords, desk=desk),
            Middleware(TrustedHostMiddleware, allowed_hosts=list(HOSTS), www_redirect=False),
            Middleware(OwnSiteOnly),
            # Of a range it leaves the bytes as they are.
            Middleware(
                GZipMiddleware,
                minimum_size=1000,
                compresslevel=5,
                exclude_content_types=(*DEFAULT_EXCLUDED_CONTENT_TYPES, *PACKED),
            ),
        ],
        exception_handlers={Exception: broken_down},
    )
    app.state.desk = desk
    app.state.made = made
    return app


class _LastWords:
    """Answers who still waits when the server ends, where the server would call it an error."""

    def __init__(self, app: ASGIApp, desk: Desk) -> None:
        self._app = app
        self._desk = desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = False

        async def send_noting(message: Message) -> None:
            nonlocal began
            began = True
            await send(message)

        try:
            await self._app(scope, receive, send_noting)
        except asyncio.CancelledError:
            if began or not self._desk.is_stopping:
                raise
            last = PlainTextResponse("The server is ending.\n", status_code=503)
            await last(scope, receive, send)


def _page_routes() -> list[Route]:
    files = page_files()
    catalogue = json.dumps(CATALOGUE, ensure_ascii=False).encode()

    def page_file(request: Request) -> Response:
        # Only what was listed at the start is served, so no path can lead elsewhere.
        path = files.get(request.path_params["path"] or "index.html")
        return missing() if path is None else file_response(path)

    def catalogue_json(_request: Request) -> Response:
        return Response(catalogue, media_type="application/json")

    return [
        Route("/catalogue.json", catalogue_json, methods=["GET"]),
        Route("/{path:path}", page_file, methods=["GET"]),
    ]


def _run_routes(logs: Path) -> list[Route]:
    derived = Derived()

    def runs(_request: Request) -> Response:
        return JSONResponse({"runs": list_runs(logs)})

    def run_file(request: Request) -> Response:
        run, file = request.path_params["run"], request.path_params["file"]
        if file in NAMES:
            return _derived_file(derived, find_run(logs, run), file)
        path = find_file(logs, run, file)
        return missing() if path is None else file_response(path)

    return [
        Route("/runs.json", runs, methods=["GET"]),
        Route("/runs/{run}/{file}", run_file, methods=["GET"]),
    ]


def _derived_file(derived: Derived, folder: Path | None, file: str) -> Response:
    if folder is None:
        return missing()
    try:
        found = derived.find(folder, file)
    except CannotMake as error:
        return PlainTextResponse(f"{sentence(str(error))}\n", status_code=422)
    if isinstance(found, bytes):
        return Response(found, media_type="application/json")
    return file_response(found)


def _live_routes(desk: Desk, token: str) -> list[Route]:
    def live(_request: Request) -> Response:
        return JSONResponse(desk.state())

    async def events(request: Request) -> Response:
        try:
            return _stream(desk, request)
        except Refusal as refused:
            return PlainTextResponse(f"{refused.sentence}\n", status_code=refused.status)

    def command(verb: str) -> _Answer:
        async def answer(request: Request) -> Response:
            try:
                data = await read_command(request, token)
                told = await asyncio.wrap_future(desk.ask(verb, data))
            except Refusal as refused:
                return said(refused.status, sentence=refused.sentence, **_run_now(desk))
            return said(200, **told)

        return answer

    return [
        Route("/live.json", live, methods=["GET"]),
        Route("/live/events", events, methods=["GET"]),
        *(
            Route(f"/live/{verb}", command(verb), methods=["POST"])
            for verb in ("begin", "commands", "end")
        ),
    ]


def _run_now(desk: Desk) -> dict[str, str]:
    live = desk.live
    return {} if live is None or live.ended is not None else {"run": live.run}


def _stream(desk: Desk, request: Request) -> EventStream:
    """The stream from a client's cursor on.

    Raises:
        Refusal: there is no run, or its cursor is none of this run's.
    """
    live = desk.live
    if live is None:
        raise Refusal(409, "No live run goes on.")
    if request.query_params.get("epoch", live.feed.epoch) != live.feed.epoch:
        raise Refusal(409, "Another live run has begun meanwhile: open it from its start.")
    # The browser's own word for where it was cut off wins over the address.
    given = request.headers.get("last-event-id") or request.query_params.get("after", "0")
    known = given.isascii() and given.isdigit() and len(given) <= _CURSOR_DIGITS
    if not known or int(given) > live.feed.count:
        raise Refusal(409, f"The cursor must be a number of lines up to {live.feed.count}.")
    if len(desk.bells) >= STREAM_LIMIT_COUNT:
        raise Refusal(503, f"{STREAM_LIMIT_COUNT} pages listen already: close one of them.")
    return EventStream(desk, live, int(given))
