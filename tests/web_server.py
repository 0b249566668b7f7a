"""The page's server in this process, and runs for it to serve."""

import contextlib
import http.client
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import urllib.parse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from orchestrator.places import HOME_VARIABLE
from orchestrator.web import configuration, create_app
from orchestrator.web.desk import Desk
from orchestrator.web.serve import Server
from paxos.checker import check_lines
from paxos.events import Line, encode
from tests.logbuilder import build

HERE = Path(__file__).parent
TOKEN: Final = "a-token-of-the-tests"
_START_LIMIT_S: Final = 120.0


@contextlib.contextmanager
def serving(logs: Path, desk: Desk | None = None) -> Iterator[str]:
    """Serve the runs in a folder on a port of the system's choice; the page's address.

    Commands need :data:`TOKEN`. Whoever gives a desk works it.
    """
    server = Server(configuration(create_app(logs, desk, TOKEN)))
    # As orchestrator/web/serve.py makes it, so that small answers are not held back.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        try:
            # The socket listens already: a request waits until the server takes it.
            yield f"http://127.0.0.1:{port}/"
        finally:
            server.should_exit = True
            thread.join(timeout=60)
    assert not thread.is_alive(), "the server did not end within 60 s"


@dataclass(frozen=True, slots=True)
class Page:
    """A page's server, and how a client of the tests speaks to it.

    Attributes:
        url: its address, without the token.
        token: what a command must bring.
    """

    url: str
    token: str = TOKEN

    @property
    def opened(self) -> str:
        """The address that a person opens."""
        return f"{self.url}#token={self.token}"

    @property
    def host(self) -> str:
        """Host and port."""
        return urllib.parse.urlsplit(self.url).netloc

    def post(self, path: str, data: Any, **headers: str | None) -> tuple[int, dict[str, Any]]:
        """Send a command as the page would; a header given as ``None`` is left out."""
        given: dict[str, str | None] = {
            "Content-Type": "application/json",
            "Origin": self.url.rstrip("/"),
            "X-Paxos-Lab-Token": self.token,
            **{name.replace("_", "-"): text for name, text in headers.items()},
        }
        body = data if isinstance(data, bytes) else json.dumps(data).encode()
        connection = http.client.HTTPConnection(self.host, timeout=120)
        with contextlib.closing(connection):
            kept = {name: text for name, text in given.items() if text is not None}
            connection.request("POST", f"/{path}", body, kept)
            response = connection.getresponse()
            content = response.read()
            try:
                return response.status, json.loads(content)
            except ValueError:
                return response.status, {"text": content.decode()}

    def command(self, **step: Any) -> dict[str, Any]:
        """Carry out a step that must succeed."""
        status, told = self.post("live/commands", step)
        assert status == 200, told
        return told

    def get(self, path: str, **headers: str) -> tuple[int, http.client.HTTPMessage, bytes]:
        """What an address answers."""
        connection = http.client.HTTPConnection(self.host, timeout=120)
        with contextlib.closing(connection):
            connection.request("GET", f"/{path}", headers=headers)
            response = connection.getresponse()
            return response.status, response.headers, response.read()

    def live(self) -> dict[str, Any]:
        """The content of ``live.json``."""
        found: dict[str, Any] = json.loads(self.get("live.json")[2])
        return found


@dataclass(frozen=True, slots=True)
class Message:
    """One server-sent event."""

    event: str
    cursor: int | None
    data: str

    @property
    def lines(self) -> list[Line]:
        """The lines of a batch."""
        return [json.loads(row) for row in self.data.split("\n")]

    @property
    def content(self) -> Any:
        """The JSON of any other event."""
        return json.loads(self.data)


class Listener:
    """Listens to ``live/events`` over one connection, from a cursor on.

    Raises:
        AssertionError: it was refused.
    """

    def __init__(self, page: Page, after: int = 0, *, resumed: bool = False) -> None:
        self.cursor = after
        self._lines: list[Line] = []
        self._connection = http.client.HTTPConnection(page.host, timeout=60)
        headers = {"Last-Event-ID": str(after)} if resumed else {}
        self._connection.request(
            "GET", "/live/events" if resumed else f"/live/events?after={after}", headers=headers
        )
        self._response = self._connection.getresponse()
        assert self._response.status == 200, self._response.read()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()

    def __iter__(self) -> Iterator[Message]:
        """Every message until the stream ends."""
        while (found := self.next()) is not None:
            yield found

    def next(self) -> Message | None:
        """The next message; ``None`` when the stream has ended."""
        event, cursor, rows = "", None, []
        while True:
            raw = self._response.readline()
            row = raw.decode("utf-8").rstrip("\n")
            if not raw:
                return None
            name, _, text = row.partition(": ")
            if name == "event":
                event = text
            elif name == "id":
                cursor = self.cursor = int(text)
            elif name == "data":
                rows.append(text)
            elif not row and event:
                return Message(event, cursor, "\n".join(rows))

    def until(self, event: str, **fields: Any) -> Line:
        """Read on until a line of the log has this event and these fields; none is passed over."""
        while True:
            while self._lines:
                line = self._lines.pop(0)
                if line["event"] == event and fields.items() <= line.items():
                    return line
            found = self.next()
            assert found is not None, f"the stream ended without {event} {fields}"
            if found.event == "lines":
                self._lines = found.lines

    def until_all(self, *wanted: dict[str, Any]) -> None:
        """Read on until each of these has been met by a line, in any order.

        Lines of several nodes come each by its own way: which is first is nobody's choice.
        """
        left = list(wanted)
        while left:
            while self._lines and left:
                line = self._lines.pop(0)
                left = [fields for fields in left if not fields.items() <= line.items()]
            if left:
                found = self.next()
                assert found is not None, f"the stream ended without {left}"
                if found.event == "lines":
                    self._lines = found.lines

    def message(self, event: str) -> Message:
        """Read on until a message of this event."""
        return next(message for message in self if message.event == event)

    def cut(self) -> None:
        """Break the connection off, as a network does."""
        sock = self._connection.sock
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        self._response.close()
        self._connection.close()


@contextlib.contextmanager
def lab_web(
    home: Path, *words: str, port: int = 0
) -> Iterator[tuple[Page, "subprocess.Popen[str]"]]:
    """``paxos-lab web`` as a process of its own, which Ctrl-C ends when the context is left."""
    process = subprocess.Popen(
        [sys.executable, "-m", "orchestrator", "web", "--port", str(port), *words],
        cwd=HERE.parent,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, HOME_VARIABLE: str(home), "PYTHONUNBUFFERED": "1"},
    )
    with process:
        try:
            assert process.stdout is not None, "its output is piped"
            ready, _, _ = select.select([process.stdout], [], [], _START_LIMIT_S)
            first = process.stdout.readline() if ready else ""
            found = re.search(r"(http://\S+/)#token=(\S+)", first)
            if found is None:
                process.kill()
                raise AssertionError(f"{first}{process.communicate()[1]}")
            yield Page(found[1], found[2]), process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            try:
                process.communicate(timeout=240)
            except subprocess.TimeoutExpired:
                process.kill()


@contextlib.contextmanager
def live_run(site: Page) -> Iterator[str]:
    """Begin a live run; it is ended in the end, unless somebody has."""
    status, told = site.post("live/begin", {})
    assert status == 200, told
    yield told["run"]
    if site.live()["run"] is not None:
        assert site.post("live/end", {})[0] == 200


def write_run(logs: Path, run: str, lines: list[Line], *, title: str = "") -> Path:
    """Make a run's folder: each node's log, the merged one, the table and the verdict."""
    folder = logs / run
    folder.mkdir(parents=True)
    for node in sorted({line["node"] for line in lines}):
        own = [line for line in lines if line["node"] == node]
        (folder / f"{node}.jsonl").write_bytes(b"".join(map(encode, own)))
    (folder / "events.jsonl").write_bytes(b"".join(map(encode, lines)))
    (folder / "history.jsonl").write_text("", encoding="utf-8")
    members = sorted({line["node"] for line in lines if line["node"] != "orchestrator"})
    table = {"v": 1, "run": run, "scenario": "test", "title": title, "world": "local"}
    table |= {"members": members, "guests": [], "instances": {}, "pieces": {}}
    (folder / "run.json").write_text(json.dumps(table), encoding="utf-8")
    check_lines(lines).write(folder / "verdict.json")
    return folder


def text_of(lines: Iterable[Line]) -> str:
    """A log as its file has it."""
    return b"".join(map(encode, lines)).decode()


def recorded(name: str) -> list[Line]:
    """The lines of a recorded run in ``fixtures/fold``."""
    path = HERE / "fixtures" / "fold" / f"{name}.jsonl"
    return [json.loads(row) for row in path.read_text("utf-8").splitlines()]


def scripted(name: str) -> list[Line]:
    """The lines of a hand-made log in ``logs``."""
    return build((HERE / "logs" / f"{name}.txt").read_text("utf-8"))
