"""Server-sent events: what is new on the desk, from a cursor on.

One batch of lines every 16 ms at most, so that a page draws a frame's worth at
a time. The connection itself is the back-pressure: while a client doesn't
read, its cursor stands still and nothing is kept for it.
"""

import asyncio
import contextlib
import json
from collections.abc import Mapping
from typing import Any, Final

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from orchestrator.web.desk import Desk, Live
from orchestrator.web.feed import Bell

BATCH_S: Final = 0.016
HEARTBEAT_S: Final = 10.0
_LAST_WORDS_S: Final = 0.5


class EventStream(Response):
    """The answer to ``live/events``; it ends with its client, the run or the server.

    Args:
        desk: where the run is.
        live: the run as it was when the client came; another one is not told of.
        after: how many lines the client has had.
    """

    def __init__(self, desk: Desk, live: Live, after: int) -> None:
        super().__init__()
        self._desk = desk
        self._live = live
        self._after = after
        self._told: dict[str, bytes] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send what comes until the run has ended, the client has gone, or the server stops."""
        del scope
        bell = Bell()
        self._desk.bells.add(bell)
        # The writer may wait for a client that reads nothing, so it cannot be
        # the one who finds out that there is nobody left to write for.
        writer = asyncio.create_task(self._write(send, bell))
        gone = asyncio.create_task(_gone(receive))
        others = [gone, asyncio.create_task(self._desk.stopping())]
        try:
            await asyncio.wait({writer, *others}, return_when=asyncio.FIRST_COMPLETED)
            if self._live.ended is not None:
                # The server stops, and ended the run first: its last words may be on their way.
                await asyncio.wait(
                    {writer, gone}, timeout=_LAST_WORDS_S, return_when=asyncio.FIRST_COMPLETED
                )
        finally:
            self._desk.bells.remove(bell)
            for task in (writer, *others):
                task.cancel()
            ended = await asyncio.gather(writer, *others, return_exceptions=True)
        if isinstance(ended[0], Exception):
            raise ended[0]
        with contextlib.suppress(TimeoutError):
            last = {"type": "http.response.body", "body": b"", "more_body": False}
            await asyncio.wait_for(send(last), _LAST_WORDS_S)

    async def _write(self, send: Send, bell: Bell) -> None:
        headers = [
            (b"content-type", b"text/event-stream; charset=utf-8"),
            (b"x-accel-buffering", b"no"),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        clock = asyncio.get_running_loop().time
        while True:
            began = clock()
            # Asked for before the rest is sent: all that came before the end is sent, too.
            ended = self._live.ended
            data = self._news()
            while data:
                await send({"type": "http.response.body", "body": data, "more_body": True})
                await asyncio.sleep(max(0.0, began + BATCH_S - clock()))
                began = clock()
                data = self._news()
            if ended is not None:
                last = message("ended", json.dumps(ended, ensure_ascii=False).encode())
                await send({"type": "http.response.body", "body": last, "more_body": True})
                return
            if not await bell.wait(HEARTBEAT_S):
                # Also how a connection that is dead is found out.
                beat = b": heartbeat\n\n"
                await send({"type": "http.response.body", "body": beat, "more_body": True})

    def _news(self) -> bytes:
        """What this client has not had yet, as far as one batch goes."""
        parts: list[bytes] = []
        state = self._desk.state_of(self._live)
        # Counts change with every line: they are no news by themselves.
        self._tell(parts, "live", state, {**state, "line_count": 0})
        lines, self._after = self._live.feed.read(self._after)
        if lines:
            parts.append(message("lines", lines.removesuffix(b"\n"), self._after))
        for name, content in self._live.judged.items():
            self._tell(parts, name, content, content)
        return b"".join(parts)

    def _tell(
        self, parts: list[bytes], name: str, content: Mapping[str, Any] | bytes, key: Any
    ) -> None:
        told = key if isinstance(key, bytes) else _json(key)
        if self._told.get(name) != told:
            self._told[name] = told
            parts.append(message(name, content if isinstance(content, bytes) else _json(content)))


def message(event: str, data: bytes, cursor: int | None = None) -> bytes:
    """One message as it goes over the wire.

    Args:
        event: its name.
        data: rows of text that hold no carriage return, without the last newline.
        cursor: where a client goes on that was cut off behind this message.
    """
    numbered = b"" if cursor is None else b"id: %d\n" % cursor
    rows = data.replace(b"\n", b"\ndata: ")
    return b"event: %s\n%sdata: %s\n\n" % (event.encode(), numbered, rows)


def _json(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


async def _gone(receive: Receive) -> None:
    """Wait until the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
