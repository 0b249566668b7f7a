"""The documents say what is so."""

from pathlib import Path

from paxos.events.__main__ import reference

ROOT = Path(__file__).parent.parent


def test_the_log_format_document_lists_every_event_as_the_catalogue_has_it() -> None:
    """``docs/log-format.md`` ends with the catalogue's reference (``python -m paxos.events``)."""
    document = (ROOT / "docs" / "log-format.md").read_text(encoding="utf-8")
    assert document.split("## Events\n\n", 1)[1] == reference()
