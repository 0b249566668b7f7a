"""The lab's own lines: steps, commands, faults and what clients were told."""

import threading
import time
from typing import Any, Final

from orchestrator.cluster import Sink
from paxos.events import SCHEMA_VERSION, Line, logged_value

NODE: Final = "orchestrator"
INCARNATION: Final = 1


class Journal:
    """Numbers the lab's lines and hands each to those who watch. Safe to use from any thread."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._lock = threading.Lock()
        self._seq = 0

    def write(self, event: str, **fields: Any) -> Line:
        """Write one line; fields that are values of clients are written as the log has them."""
        with self._lock:
            self._seq += 1
            line: Line = {
                "v": SCHEMA_VERSION,
                "node": NODE,
                "incarnation": INCARNATION,
                "seq": self._seq,
                "at_ns": time.time_ns(),
                "event": event,
                **fields,
            }
            if isinstance(line.get("value"), str):
                line["value"] = logged_value(line["value"])
            # Handed on under the lock, so that lines arrive in their order.
            self._sink([line])
        return line
