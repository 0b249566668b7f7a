"""How a node learns what it missed: it asks a peer for everything, page by page.

It asks when a link comes up, after a start too, for only then a peer may know
what this node never heard of. What it asks about single instances is the
core's own affair (its learner's timers).
"""

import asyncio
import contextlib
from typing import Final

from node.codec import SKIP_LIMIT_COUNT
from node.driver import Driver
from node.ending import Tasks
from node.log import Log
from node.peers import Carrier
from paxos.protocol import NodeId, node_name

PAUSE_MOST_MS: Final = 60_000
"""Where the doubling of the pauses between unanswered questions ends."""


class Catchup:
    """Asks each peer when its link comes up, until it has answered or the link is down again.

    Args:
        driver: knows what was learned already.
        carrier: carries the questions.
        log: takes ``status_sent``.
        tasks: runs the questions.
        pause_ms: the first pause after a question without an answer; doubles.
    """

    def __init__(
        self, driver: Driver, carrier: Carrier, log: Log, tasks: Tasks, pause_ms: int
    ) -> None:
        self._driver = driver
        self._carrier = carrier
        self._log = log
        self._tasks = tasks
        self._pause_ms = pause_ms
        self._asking: dict[NodeId, asyncio.Event] = {}

    def on_link_up(self, peer: NodeId) -> None:
        """Begin to ask a peer, or wake the one that pauses between two questions."""
        if peer in self._asking:
            self._asking[peer].set()
        else:
            self._asking[peer] = asyncio.Event()
            self._tasks.spawn(self._ask(peer))

    async def _ask(self, peer: NodeId) -> None:
        after, pause_ms = 0, self._pause_ms
        up_again = self._asking[peer]
        while peer in self._carrier.reachable():
            if up_again.is_set():
                up_again.clear()
                after, pause_ms = 0, self._pause_ms
            skip = ranges([number for number in self._driver.learned() if number > after])
            line = self._log.write({"event": "status_sent", "to": node_name(peer)})
            reply = await self._carrier.ask_all(
                peer, line, after=after, skip=skip[:SKIP_LIMIT_COUNT]
            )
            if reply is None:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(up_again.wait(), pause_ms / 1000)
                pause_ms = min(2 * pause_ms, PAUSE_MOST_MS)
            elif reply.more and reply.instances:
                after = reply.instances[-1].instance
            else:
                break
        del self._asking[peer]


def ranges(numbers: list[int]) -> list[tuple[int, int]]:
    """Sorted numbers as inclusive ranges: 1, 2, 3, 7 is 1 to 3 and 7 to 7."""
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and found[-1][1] == number - 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found
