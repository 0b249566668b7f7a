"""What is made and not recorded: stories in virtual time, the variants, what the sandbox loads.

All of it is made when it is first asked for, on a thread of the server's, and
kept. What cannot be had (Pyodide was not fetched) is answered with a sentence,
and the rest of the page works without.
"""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from orchestrator.cluster import LabError
from orchestrator.web.files import TYPES, file_response, missing

# Loaded when they are first asked for: the page's address is told sooner.
# ruff: noqa: PLC0415


class Kept:
    """Something that takes seconds to make: made once, on a thread that nobody waits for.

    Args:
        make: makes it; tried again when it failed.
    """

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._made: Future[Any] | None = None

    def begin(self) -> "Future[Any]":
        """Have it made, unless it is; becomes what was made."""
        with self._lock:
            if self._made is None or (self._made.done() and self._made.exception() is not None):
                self._made = Future()
                # A server that is ended does not wait for it.
                thread = threading.Thread(target=self._run, args=(self._made,), daemon=True)
                thread.start()
            return self._made

    async def get(self) -> Any:
        """Wait for it; whoever goes away meanwhile spoils it for nobody."""
        return await asyncio.shield(asyncio.wrap_future(self.begin()))

    def _run(self, made: "Future[Any]") -> None:
        try:
            made.set_result(self._make())
        except BaseException as error:  # The root of a thread: who waits is told.
            made.set_exception(error)


def _stories() -> bytes:
    from orchestrator.stories import stories_json

    return _json(stories_json())


def _variants() -> bytes:
    from orchestrator.stories import variants_json

    return _json(variants_json())


def _scenarios() -> bytes:
    from orchestrator.stories import scenarios_json

    return _json(scenarios_json())


def _core() -> bytes:
    from orchestrator.core_archive import core_zip

    return core_zip()


def _json(content: Any) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def _story_file(request: Request) -> Response:
    from orchestrator.stories import UnknownStory, story_files

    name = request.path_params["file"]
    try:
        content = story_files(request.path_params["story"]).get(name)
    except UnknownStory as error:
        return missing(str(error))
    if content is None:
        return missing()
    return Response(content, media_type=TYPES[Path(name).suffix])


def _sandbox(_request: Request) -> Response:
    return JSONResponse(sandbox_state())


def _pyodide(request: Request) -> Response:
    from orchestrator.pyodide import pyodide_files

    files = pyodide_files()
    if isinstance(files, str):
        return missing(files)
    # Only what is listed there is served, so no path can lead elsewhere.
    path = files.get(request.path_params["file"])
    return missing() if path is None or path.suffix not in TYPES else file_response(path)


def sandbox_state() -> dict[str, Any]:
    """The content of ``sandbox.json``."""
    from orchestrator.pyodide import sandbox_json

    try:
        found: dict[str, Any] = sandbox_json()
    except LabError as error:
        return {"available": False, "why": str(error), "pyodide": None}
    return found


class Made:
    """The addresses of all that."""

    def __init__(self) -> None:
        self._kept = {
            "/stories.json": Kept(_stories),
            "/variants.json": Kept(_variants),
            "/scenarios.json": Kept(_scenarios),
            "/core.zip": Kept(_core),
        }

    def warm(self) -> None:
        """Begin to make what every visitor asks for, so that the first one need not wait."""
        self._kept["/stories.json"].begin()
        self._kept["/variants.json"].begin()

    def routes(self) -> list[Route]:
        """What the application answers."""
        return [
            *(
                Route(path, self._answer(path, kept), methods=["GET"])
                for path, kept in self._kept.items()
            ),
            Route("/stories/{story}/{file}", _story_file, methods=["GET"]),
            Route("/sandbox.json", _sandbox, methods=["GET"]),
            Route("/pyodide/{file}", _pyodide, methods=["GET"]),
        ]

    @staticmethod
    def _answer(path: str, kept: Kept) -> Callable[[Request], Awaitable[Response]]:
        async def answer(_request: Request) -> Response:
            return Response(await kept.get(), media_type=TYPES[Path(path).suffix])

        return answer
