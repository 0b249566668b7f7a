"""The page's server in this process, and runs for it to serve."""

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import uvicorn

from orchestrator.web import configuration, create_app
from paxos.checker import check_lines
from paxos.events import Line, encode
from tests.logbuilder import build

HERE = Path(__file__).parent


@contextlib.contextmanager
def serving(logs: Path) -> Iterator[str]:
    """Serve the runs in a folder on a port of the system's choice; the page's address."""
    server = uvicorn.Server(configuration(create_app(logs)))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        try:
            # The socket listens already: a request waits until the server takes it.
            yield f"http://127.0.0.1:{port}/"
        finally:
            server.should_exit = True
            thread.join(timeout=20)
    assert not thread.is_alive(), "the server did not end within 20 s"


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


def recorded(name: str) -> list[Line]:
    """The lines of a recorded run in ``fixtures/fold``."""
    path = HERE / "fixtures" / "fold" / f"{name}.jsonl"
    return [json.loads(row) for row in path.read_text("utf-8").splitlines()]


def scripted(name: str) -> list[Line]:
    """The lines of a hand-made log in ``logs``."""
    return build((HERE / "logs" / f"{name}.txt").read_text("utf-8"))
