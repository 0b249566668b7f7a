"""Why, on a terminal: the checker's answers for one line of a log, or for all."""

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from orchestrator.cluster import LabError
from paxos.checker import LogFormatError, explain_path

ALL: Final = "all"
_WIDTH: Final = 80
_INDENT: Final = " " * 13


def why_text(paths: Sequence[str | Path], wanted: str) -> str:
    """The answers of a run's folder or log files, for a terminal of 80 columns.

    Args:
        paths: as for ``check``.
        wanted: the name of a line, ``n1/2/41``; or ``all``.

    Raises:
        LabError: it is no log, or nothing can be said of that line.
    """
    try:
        found = explain_path(*paths)
    except LogFormatError as error:
        raise LabError(str(error)) from error
    whys = [why for why in found["whys"] if wanted in {ALL, why["line"], *why["also"]}]
    rows = [_row(why) for why in whys]
    if not whys and wanted != ALL:
        cited = [why for why in found["whys"] if wanted in why["events"]]
        if not cited:
            raise LabError(f"there is nothing to be said of a line {wanted!r} (or `all`)")
        rows = [f"{wanted} is evidence of this:", *(_row(why) for why in cited)]
    left_out = sum(found["left_out"].values())
    if wanted == ALL and left_out:
        rows.append(f"and {left_out:,} more")
    return "\n".join(rows)


def _row(why: dict[str, Any]) -> str:
    sign = " " if why["ok"] else "!"
    rule = f" ({why['rule']})" if why["rule"] else ""
    text = f"{why['line']:<10} {sign} {why['sentence']}{rule}"
    return "\n".join(textwrap.wrap(text, _WIDTH, subsequent_indent=_INDENT, break_on_hyphens=False))
