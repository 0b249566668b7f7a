"""A sandbox run judged: its table, the verdict, and why things were as they were."""

from collections.abc import Mapping
from typing import Any

from paxos.checker import merge
from paxos.checker.why import explain
from paxos.events import Line, LogFormatError, decode, encode
from paxos.judging import judge_lines
from paxos.sandbox.play import Play
from paxos.sandbox.recipe import SandboxError
from paxos.simulator.player import WORLD

_ORCHESTRATOR = "orchestrator"
_SCHEMA_VERSION = 1


def table_of(play: Play) -> dict[str, Any]:
    """The content of ``run.json``."""
    pieces: dict[str, list[dict[str, int | None]]] = {}
    for name, (incarnation, number) in play.starts.items():
        pieces[name] = [{"incarnation": incarnation, "first": number, "last": None}]
    for line in play.lines:
        if line["node"] == _ORCHESTRATOR:
            continue
        own = pieces[line["node"]]
        if line["incarnation"] != own[-1]["incarnation"]:
            own.append({"incarnation": line["incarnation"], "first": 1, "last": None})
    for node in play.world.nodes.values():
        if node.up:
            pieces[node.name][-1]["last"] = node.seq
    return {
        "v": _SCHEMA_VERSION,
        "run": play.run_name,
        "scenario": play.name,
        "title": play.title,
        "world": WORLD,
        "members": list(play.recipe.members),
        "guests": [],
        "instances": play.instances,
        "pieces": pieces,
        "settings": play.settings,
        "variant": play.recipe.parts.name,
    }


def judge(jsonl: str, table: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Judge a log that somebody brought.

    Args:
        jsonl: its lines, of all nodes, in any order.
        table: the content of its ``run.json``, if it came with one.

    Returns:
        ``verdict`` and ``why`` as their files hold them, and ``line_count``.

    Raises:
        SandboxError: it is no log; the sentence says which line, and why.
    """
    lines = read_lines(jsonl)
    merged = merge(lines)
    try:
        verdict = judge_lines(merged, table).as_json()
        why = explain(merged, table)
    except LogFormatError as error:
        raise SandboxError(str(error)) from error
    return {"verdict": verdict, "why": why, "line_count": len(lines)}


def read_lines(jsonl: str) -> list[Line]:
    """The lines of a log, in the order in which they stand.

    Raises:
        SandboxError: one is no line of this format; the sentence says which.
    """
    lines: list[Line] = []
    rows = jsonl.split("\n")
    if not rows[-1]:
        rows.pop()
    for number, raw in enumerate(rows, 1):
        try:
            line = decode(raw.encode("utf-8", errors="surrogatepass"))
            if "\\u" in raw or not raw.isascii():
                # Half of a character, which no log can hold.
                encode(line)
            lines.append(line)
        except (LogFormatError, UnicodeEncodeError) as error:
            raise SandboxError(f"line {number} is no line of a log: {error}") from error
    return lines
