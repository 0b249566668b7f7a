"""The process: the server on a thread of its own, the lab on the main one."""

import contextlib
import secrets
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import uvicorn
from starlette.applications import Starlette

from orchestrator.interrupts import interruptible_once, undisturbed
from orchestrator.web.app import create_app
from orchestrator.web.desk import Desk
from orchestrator.web.files import PageError

_END_LIMIT_S: Final = 10.0
_TOKEN_BYTES: Final = 24
"""Enough, and the address still fits a row of a terminal."""


def serve(
    logs: Path,
    port: int,
    desk: Desk | None = None,
    tell: Callable[[str, Desk], None] | None = None,
) -> None:
    """Serve the page on 127.0.0.1 until Ctrl-C, and print its address first.

    A live run that goes on is ended then: its faults are undone, and its
    folder is written.

    Args:
        logs: the folder with the folders of the runs. It need not exist yet.
        port: where to listen; 0 lets the system choose.
        desk: where the live run is, if there can be one.
        tell: prints the address, which holds the token of this start.

    Raises:
        PageError: the port cannot be had, or the page's files are missing.
        LabError: a live run could not be ended as it should.
    """
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    app = create_app(logs, desk, token)
    desk = app.state.desk
    # Ctrl-C is the way to end it, so it is no error.
    ctrl_c = contextlib.suppress(KeyboardInterrupt)
    with listening(port) as (listener, address), ctrl_c, undisturbed():
        server = Server(configuration(app))
        # A daemon, and its workers with it: a long answer does not keep the process.
        thread = threading.Thread(target=server.run, args=([listener],), name="server", daemon=True)
        thread.start()
        try:
            with contextlib.suppress(KeyboardInterrupt), interruptible_once():
                # The socket listens already, so the address can be told.
                (tell or _tell)(f"{address}#token={token}", desk)
                app.state.made.warm()
                desk.work()
        finally:
            try:
                desk.close()
            finally:
                server.should_exit = True
                thread.join(_END_LIMIT_S)


def _tell(address: str, _desk: Desk) -> None:
    print(f"The page is at {address} (Ctrl-C ends it).", flush=True)


@contextlib.contextmanager
def listening(port: int) -> Iterator[tuple[socket.socket, str]]:
    """A socket that listens on 127.0.0.1, and its address.

    Raises:
        PageError: the port cannot be had.
    """
    # Only where the protocol is named does asyncio send small answers at once;
    # else each waits 40 ms for the one before it to be acknowledged.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    with listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
            listener.listen()
        except (OSError, OverflowError) as error:
            raise PageError(
                f"port {port} of 127.0.0.1 cannot be had ({error}): choose another with --port, "
                f"or --port 0 to let the system choose"
            ) from error
        host, bound = listener.getsockname()
        yield listener, f"http://{host}:{bound}/"


class Server(uvicorn.Server):
    """Sends its listeners away before it waits for its connections to end."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End every stream, then the server."""
        app = self.config.app
        assert isinstance(app, Starlette), "the configuration holds the application itself"
        app.state.desk.send_away()
        await super().shutdown(sockets)


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
