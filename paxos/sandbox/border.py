"""JSON in, JSON and bytes out: what the worker calls, and nothing else.

A request is an object with ``do`` and the arguments by name. An answer is
``{"ok": true, "result": ...}`` or ``{"ok": false, "error": sentence}``. The
lines of a run, which may be many, go beside it as bytes, once and uncopied.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from paxos.sandbox.judging import judge
from paxos.sandbox.recipe import SandboxError, Stories, quoted
from paxos.sandbox.repair import repair, variants
from paxos.sandbox.running import run
from paxos.sandbox.stories import bundled_stories
from paxos.sandbox.whatif import whatif

Answered = tuple[dict[str, Any], bytes]


def answer(request: str, stories: Stories | None = None) -> tuple[str, bytes]:
    """Answer one request.

    Args:
        request: JSON.
        stories: the scenarios; those of the archive where none are given.

    Returns:
        The answer in JSON, and the lines of the run, if it is one.
    """
    known = bundled_stories() if stories is None else stories
    lines = b""
    try:
        asked = json.loads(request)
        result, lines = _verb(asked)(asked, known)
        told: dict[str, Any] = {"ok": True, "result": result}
    except SandboxError as error:
        told = {"ok": False, "error": _sentence(str(error))}
    except RecursionError:
        told = {"ok": False, "error": "The request is nested too deeply."}
    except Exception as error:
        # The root of a request: the tab goes on, and says what it can.
        told = {"ok": False, "error": f"The sandbox failed: {type(error).__name__}: {error}"}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")), lines


def _verb(asked: object) -> Callable[[Mapping[str, Any], Stories], Answered]:
    verb = asked.get("do") if isinstance(asked, dict) else None
    if not isinstance(verb, str) or verb not in _VERBS:
        raise SandboxError(f"the sandbox does {', '.join(_VERBS)}, not {quoted(verb)}")
    return _VERBS[verb]


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:] if text[:1].islower() and " " in text[:40] else text
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _run(asked: Mapping[str, Any], stories: Stories) -> Answered:
    return run(asked.get("recipe"), stories)


def _judge(asked: Mapping[str, Any], _stories: Stories) -> Answered:
    return judge(_text(asked, "jsonl"), asked.get("run")), b""


def _repair(asked: Mapping[str, Any], stories: Stories) -> Answered:
    return repair(_text(asked, "variant"), _text(asked, "source"), stories), b""


def _whatif(asked: Mapping[str, Any], stories: Stories) -> Answered:
    return whatif(asked, stories), b""


def _variants(_asked: Mapping[str, Any], _stories: Stories) -> Answered:
    return variants(), b""


def _text(asked: Mapping[str, Any], name: str) -> str:
    text = asked.get(name)
    if not isinstance(text, str):
        raise SandboxError(f"{name} must be a text")
    return text


_VERBS: Final[dict[str, Callable[[Mapping[str, Any], Stories], Answered]]] = {
    "run": _run,
    "judge": _judge,
    "whatif": _whatif,
    "variants": _variants,
    "repair": _repair,
}
