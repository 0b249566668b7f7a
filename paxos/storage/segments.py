"""One segment: its name, its layout, how it is made and how it is read.

A segment has its full length from the start: records, then padding, then one
newline. So a record that is written later changes no length, and a file that
was cut short is known by its end. Padding is tabs: blanks to JSON, a terminal
shows nothing of them, and no record has one, for JSON escapes it in a text.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from paxos.storage.errors import STAY_DOWN, Damaged, Unsupported
from paxos.storage.files import Files
from paxos.storage.records import (
    BadRecord,
    Entry,
    SealedRecord,
    UnknownRecord,
    decode_line,
    may_be_torn,
)

SEGMENT_BYTES: Final = 16 * 1024
"""The length of a segment; that of one with a larger batch in it is a multiple."""
RESERVE_BYTES: Final = 128
"""What stays free in a segment in use, so that there is always room to seal it."""
TEMPORARY: Final = "segment.new"
"""What a segment is called while it is made. Left behind by a crash it means nothing."""

_PADDING: Final = b"\t"
_END: Final = b"\t\n"
_NAME: Final = re.compile(r"segment-(?!0+\.)([0-9]{6}|[1-9][0-9]{6,})\.jsonl")


def segment_name(index: int) -> str:
    """What a segment is called, counted from 1."""
    return f"segment-{index:06}.jsonl"


def list_segments(names: Iterable[str]) -> list[str]:
    """The segments among the names of a directory, in order.

    Raises:
        Damaged: one is missing between others, or a name is nearly a segment's.
    """
    numbers = []
    for name in sorted(names):
        match = _NAME.fullmatch(name)
        if match:
            numbers.append(int(match[1]))
        elif name.startswith("segment") and name != TEMPORARY:
            raise Damaged(
                f"{name} is not the name of a segment, and might be the newest one renamed. "
                f"If somebody put it there, move it away. Else: {STAY_DOWN}."
            )
    segments = [segment_name(index) for index in range(1, len(numbers) + 1)]
    for index, name in enumerate(segments, 1):
        if index not in numbers:
            newest = segment_name(max(numbers))
            raise Damaged(f"{name} is missing, and {newest} is there. {STAY_DOWN}.")
    return segments


def is_blank(data: bytes) -> bool:
    """Whether a segment's bytes are padding alone."""
    return data.endswith(_END) and not data[:-1].strip(_PADDING)


@dataclass(frozen=True, slots=True)
class Segment:
    """What one segment holds.

    Attributes:
        name: its file.
        byte_count: its full length.
        content: the lines of its whole records.
        entries: those records.
        sealed: whether the last of them is the seal.
        torn: what there is of a record that is not whole.
    """

    name: str
    byte_count: int
    content: bytes
    entries: tuple[Entry, ...]
    sealed: bool
    torn: bytes


def read_segment(name: str, data: bytes, first_number: int) -> Segment:
    """Read and verify a segment whose first record has the given number.

    Raises:
        Damaged: there is anything but whole records, at most one beginning
            of a record, and padding.
        Unsupported: a sound record of a kind or version unknown here.
    """
    if not data.endswith(_END):
        raise Damaged(
            f"{name} is too short or was changed: its {len(data)} bytes do not end in a tab and "
            f"a newline. No crash shortens a segment. {STAY_DOWN}."
        )
    entries: list[Entry] = []
    end, last = 0, len(data) - 1
    while (stop := data.find(b"\n", end, last)) >= 0:
        entries.append(_read_record(name, data[end:stop], end, first_number + len(entries)))
        end = stop + 1
        if isinstance(entries[-1], SealedRecord):
            break
    content, torn = data[:end], data[end:last].rstrip(_PADDING)
    sealed = bool(entries) and isinstance(entries[-1], SealedRecord)
    if torn and sealed:
        raise Damaged(
            f"{name}, offset {end}: something stands behind the seal, which is the last record of "
            f"a segment. {STAY_DOWN}."
        )
    if torn and not may_be_torn(torn, number := first_number + len(entries)):
        # Whole but for its newline, or nothing that a crash leaves. The former
        # is kept: its checksum says that it is all there, and this way a
        # newline that is lost later cannot take a promise with it.
        entries.append(_read_record(name, torn, end, number))
        sealed = isinstance(entries[-1], SealedRecord)
        content, torn = content + torn + b"\n", b""
    return Segment(name, len(data), content, tuple(entries), sealed, torn)


def make_segment(files: Files, name: str, content: bytes, size: int = 0) -> int:
    """Make a segment beside its place, and put it there when it is durable.

    The place holds what it held before, or the whole of the new, at every
    moment; and the new when this returns, whatever crash comes.

    Args:
        files: the directory.
        name: the segment's name. One that has it is replaced.
        content: the lines that it begins with.
        size: how many bytes of further lines there shall be room for.

    Returns:
        Its length.

    Raises:
        OSError: as :class:`Files`.
    """
    needed = len(content) + size + RESERVE_BYTES
    byte_count = -(-needed // SEGMENT_BYTES) * SEGMENT_BYTES
    # A crash may have left a temporary file that is longer. Written over to
    # its end it is as good as new.
    if TEMPORARY in files.names():
        byte_count = max(byte_count, len(files.read(TEMPORARY)))
    padding = _PADDING * (byte_count - len(content) - len(_END))
    files.write(TEMPORARY, 0, content + padding + _END)
    files.sync(TEMPORARY)
    files.rename(TEMPORARY, name)
    files.sync_directory()
    return byte_count


def _read_record(name: str, line: bytes, offset: int, number: int) -> Entry:
    where = f"{name}, record {number} at offset {offset}"
    try:
        return decode_line(line, number)
    except UnknownRecord as error:
        raise Unsupported(
            f"{where}: {error}. Start the version that wrote it; the directory is unchanged."
        ) from error
    except BadRecord as error:
        what = "something stands behind the padding" if line[:1] == _PADDING else str(error)
        raise Damaged(f"{where}: {what}. No crash does this. {STAY_DOWN}.") from error
