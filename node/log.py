"""The node's log: one line of JSON per write to standard output, numbered without a gap.

structlog carries the lines; the last processor is the schema's own encoder,
so a node's bytes are those of every other world (docs/log-format.md). Lines
are written ahead of what they announce, one unbuffered write each: a SIGKILL
loses none that another node could know of.
"""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import structlog

from paxos.events import SCHEMA_VERSION, Line, encode
from paxos.protocol.ballot import NodeId, node_name

STANDARD_OUTPUT: Final = 1


class LogBroken(Exception):
    """A line could not be written: nothing may happen any more, for it would go untold."""


@dataclass(frozen=True, slots=True)
class LineName:
    """How a line is quoted as a cause: ``n1/2/417``."""

    node: str
    incarnation: int
    seq: int

    def __str__(self) -> str:
        return f"{self.node}/{self.incarnation}/{self.seq}"


class Output:
    """Where the encoded lines go: a file descriptor, with nothing held back in memory."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def write(self, data: bytes) -> None:
        """Write one line.

        Raises:
            LogBroken: the reader of the log is gone, or its disk is full.
        """
        rest = memoryview(data)
        try:
            # One write takes a whole line unless a pipe is nearly full.
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError as error:
            raise LogBroken(f"cannot write the log: {error.strerror}") from error


class _Lines(structlog.BoundLoggerBase):
    def line(self, fields: Mapping[str, Any]) -> None:
        rest = dict(fields)
        self._proxy_to_logger("write", rest.pop("event"), **rest)


class Log:
    """The lines of one incarnation.

    Args:
        node_id: who writes.
        incarnation: which start of it this is.
        output: takes the bytes of each line.
        now_ns: wall time; for people, no rule uses it.
    """

    def __init__(
        self,
        node_id: NodeId,
        incarnation: int,
        output: Output,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self.node = node_name(node_id)
        self.incarnation = incarnation
        self.seq = 0
        self._now_ns = now_ns
        self._ended = False
        self._lines = _Lines(output, [self._head, _encoded], {})

    def write(self, line: Line) -> LineName:
        """Write a line that lacks its header; return its name.

        Raises:
            LogBroken: it could not be written. The process must end.
        """
        # Whatever happens behind node_stopped or failpoint_hit does not happen.
        assert not self._ended, f"a line behind the last one: {line}"
        self._lines.line(line)
        return LineName(self.node, self.incarnation, self.seq)

    def write_last(self, line: Line) -> None:
        """Write the line that ends the incarnation; a second one is dropped."""
        if not self._ended:
            self.write(line)
            self._ended = True

    def _head(self, _logger: Any, _method: str, fields: Any) -> Any:
        self.seq += 1
        fields["v"] = SCHEMA_VERSION
        fields["node"] = self.node
        fields["incarnation"] = self.incarnation
        fields["seq"] = self.seq
        fields["at_ns"] = self._now_ns()
        return fields


def _encoded(_logger: Any, _method: str, fields: Any) -> bytes:
    return encode(dict(fields))
