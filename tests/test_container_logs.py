"""Lines of containers come each once and in their order, whatever their streams leave out."""

import contextlib
import threading
from collections.abc import Iterator
from typing import Any, cast

import docker
import pytest
from docker.errors import APIError

from orchestrator.container_logs import ContainerFollower
from paxos.events import Line, encode

LIMIT_S = 60.0


def line(incarnation: int, seq: int) -> Line:
    """Some line of n1."""
    return {
        "v": 1,
        "node": "n1",
        "incarnation": incarnation,
        "seq": seq,
        "at_ns": seq,
        "event": "node_stopped",
        "reason": "received SIGTERM",
    }


ALL = [line(1, seq) for seq in range(1, 1200)] + [line(2, seq) for seq in range(1, 4)]


class Stream:
    """A stream that gives what it is told to, then waits until it is closed or ended."""

    def __init__(self, pieces: list[bytes], ended: threading.Event) -> None:
        self.given = threading.Event()
        self._pieces = pieces
        self._ended = ended

    def __iter__(self) -> Iterator[bytes]:
        yield from self._pieces
        self.given.set()
        self._ended.wait(LIMIT_S)

    def close(self) -> None:
        """Nobody reads any more."""
        self._ended.set()


class Engine:
    """An engine with the lines of ``ALL``, whose stream gives only some of them.

    Attributes:
        stream: its one stream.
        gone: whether it answers no more.
        kept: what it has not thrown away.
    """

    def __init__(self, streamed: list[bytes]) -> None:
        self.gone = False
        self.kept = ALL
        self.ended = threading.Event()
        self.stream = Stream(streamed, self.ended)

    def logs(
        self, _container: str, *, tail: int | str, stream: bool = False, **_others: bool
    ) -> bytes | Stream:
        """The last lines, or a stream."""
        if self.gone:
            raise APIError("the engine is gone")
        if stream:
            return self.stream
        count = len(self.kept) if tail == "all" else int(tail)
        return b"".join(map(encode, self.kept[-count:]))

    def inspect_container(self, _container: str) -> dict[str, Any]:
        """It has ended."""
        return {"State": {"Running": False}}


@contextlib.contextmanager
def following(
    engine: Engine, last_count: int = 100
) -> Iterator[tuple[ContainerFollower, list[Line]]]:
    """A follower, and what it brings."""
    lines: list[Line] = []
    api = cast("docker.APIClient", engine)
    follower = ContainerFollower(api, {"n1": "c"}, lines.extend, last_count)
    with contextlib.closing(follower):
        yield follower, lines


def received(engine: Engine) -> list[Line]:
    """All that came by the time the container has ended and was drained."""
    with following(engine) as (follower, lines):
        assert engine.stream.given.wait(LIMIT_S)
        engine.ended.set()
        assert follower.drain("n1", LIMIT_S)
        return list(lines)


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([encode(ALL[0]), encode(ALL[-1])], id="all but the ends"),
        pytest.param([encode(ALL[0])], id="the end"),
        pytest.param([encode(ALL[0]), encode(ALL[2]), encode(ALL[1])], id="one in between"),
        pytest.param([encode(ALL[0]) * 2, encode(ALL[0])], id="nothing, but twice"),
        pytest.param([encode(ALL[0])[:20], encode(ALL[0])[20:]], id="nothing, but in pieces"),
    ],
)
def test_what_a_stream_leaves_out_is_fetched(pieces: list[bytes]) -> None:
    """The numbers tell what is missing, and the engine still has it."""
    assert received(Engine(pieces)) == ALL


@pytest.mark.parametrize("wanted", [700, 5_000])
def test_a_drain_brings_all_that_was_asked_for_before_the_stream_begins(wanted: int) -> None:
    """Streams of several nodes begin one after the other; what is there already is whole."""
    engine = Engine([])
    with following(engine, wanted) as (follower, lines):
        assert follower.drain("n1", LIMIT_S)
        assert lines == ALL[-wanted:]


def test_a_drain_says_so_when_the_engine_is_gone() -> None:
    """Then the log must not count as whole."""
    engine = Engine([encode(ALL[0])])
    with following(engine) as (follower, _):
        assert engine.stream.given.wait(LIMIT_S)
        engine.gone = True
        assert not follower.drain("n1", LIMIT_S)


def test_a_drain_says_so_when_the_lines_before_are_thrown_away() -> None:
    """The engine keeps so many bytes; what it has left begins after the last line that is known."""
    engine = Engine([encode(ALL[0])])
    engine.kept = ALL[600:]
    with following(engine) as (follower, lines):
        assert engine.stream.given.wait(LIMIT_S)
        assert not follower.drain("n1", LIMIT_S)
    assert lines[-1] == ALL[-1]
