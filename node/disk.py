"""The one thread that touches the disk while the node serves."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from paxos.protocol import Record
from paxos.storage import Storage


class Disk:
    """Writes and syncs on a thread of its own, so that the loop goes on meanwhile.

    Only the driver calls it, one call at a time.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="disk")

    async def append(self, records: Sequence[Record]) -> list[int]:
        """Write records without a sync; return their numbers.

        Raises:
            StorageFailed: final, never tried again. The process must end.
        """
        return await self._run(records, sync=False)

    async def append_durably(self, records: Sequence[Record]) -> list[int]:
        """Write records and return their numbers once all that was ever written is durable.

        Raises:
            StorageFailed: final, never tried again. The process must end.
        """
        return await self._run(records, sync=True)

    async def _run(self, records: Sequence[Record], *, sync: bool) -> list[int]:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._writer, partial(self._write, records, sync=sync))

    def _write(self, records: Sequence[Record], *, sync: bool) -> list[int]:
        numbers = self._storage.append(records)
        if sync:
            self._storage.sync()
        return numbers

    def close(self) -> None:
        """End the thread; what it does now is finished first."""
        self._writer.shutdown()
