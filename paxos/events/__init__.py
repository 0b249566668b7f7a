"""The log: one format, one encoding, one catalogue of sentences.

A line is a flat JSON object. Its header says who wrote it and where in the
writer's own order it stands; the rest are the fields that ``catalogue.json``
lists for its event. Nodes, the simulator and the orchestrator write lines,
the checker and the page read them, and nobody needs a second channel:
commands and faults are lines too. ``docs/log-format.md`` is the reference.

This package imports nothing of the project, so that a checker built on it
shares no code with the roles that it judges.
"""

from paxos.events.closing import closing_fields, ends_together
from paxos.events.lines import (
    CATALOGUE,
    HEADER,
    LONG_VALUE_BYTES,
    SCHEMA_VERSION,
    Line,
    LogFormatError,
    ballot_key,
    decode,
    encode,
    has_half_character,
    line_id,
    logged_value,
    node_key,
    problems,
)
from paxos.events.narration import Bundle, bundled, level_of, narrate, show

__all__ = [
    "CATALOGUE",
    "HEADER",
    "LONG_VALUE_BYTES",
    "SCHEMA_VERSION",
    "Bundle",
    "Line",
    "LogFormatError",
    "ballot_key",
    "bundled",
    "closing_fields",
    "decode",
    "encode",
    "ends_together",
    "has_half_character",
    "level_of",
    "line_id",
    "logged_value",
    "narrate",
    "node_key",
    "problems",
    "show",
]
