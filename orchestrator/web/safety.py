"""Who may ask the page's server, and the headers of every answer.

The page can kill containers, so a page of another site, open in the same
browser, must be able to do nothing here. What stands in its way, each by
itself enough for most attacks:

- the server listens on loopback, and answers to loopback's names only: a
  stranger's name that leads here is refused (``Host``);
- nothing but POST touches a cluster (a GET at most keeps what it had made of a
  run's log beside it), and a POST must come from this very page:
  ``Origin`` is there and is the address that was asked, ``Sec-Fetch-Site``
  where a browser sends it says the same;
- it carries the token of this start, which only who was given the address has,
  in a header that no form and no plain link can send;
- its body is JSON, small, and says so;
- no answer carries a header that would let another origin read it, and what
  another site asks for is refused where the browser says that it is another;
- the policy of the page lets it load its own files alone, and turns no text
  into markup.
"""

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOSTS: Final = ("127.0.0.1", "localhost")
TOKEN_HEADER: Final = "X-Paxos-Lab-Token"  # noqa: S105 - the name of a header
BODY_LIMIT_BYTES: Final = 65_536
WORKER: Final = "sandbox/worker.js"
"""The one script of the page that runs in a worker, and may compile WebAssembly."""

_POLICY: Final = {
    "default-src": "'none'",
    "script-src": "'self'",
    "worker-src": "'self'",
    "style-src": "'self'",
    # Pictures that the page makes of itself, to be saved.
    "img-src": "'self' blob: data:",
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
    "require-trusted-types-for": "'script'",
    "trusted-types": "lit-html paxos-lab-worker",
}
# A worker obeys the policy of its own script's answer, not the page's. It has
# no document; it fetches and compiles what is served here.
_WORKER_POLICY: Final = {
    "default-src": "'none'",
    "script-src": "'self' 'wasm-unsafe-eval'",
    "connect-src": "'self'",
}
_HEADERS: Final = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    # A run may grow, and the page may be edited, between two visits.
    "Cache-Control": "no-cache",
}


def policy_of(path: str) -> str:
    """The content security policy of what is answered at a path."""
    policy = _WORKER_POLICY if path == f"/{WORKER}" else _POLICY
    return "; ".join(f"{name} {value}" for name, value in policy.items())


def safe_headers(path: str) -> dict[str, str]:
    """The headers that every answer carries, errors included."""
    return {**_HEADERS, "Content-Security-Policy": policy_of(path)}


async def broken_down(request: Request, _error: Exception) -> Response:
    """The answer where the application fails; the server's own terminal says how.

    It is given outside of every other layer, so it brings its headers itself.
    """
    return PlainTextResponse(
        "The server failed at this, which is a bug of the lab: its terminal says where.\n",
        status_code=500,
        headers=safe_headers(request.url.path),
    )


class SafeHeaders:
    """Adds the headers that every answer carries; a failure's answer brings its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the application does, and safely."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(safe_headers(scope["path"]))
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)


class OwnSiteOnly:
    """Refuses what a page of another site asks for, where the browser says that it is one.

    A link from elsewhere to the page is followed: only its address bar moves.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the application does, or refuse."""
        if scope["type"] == "http" and _is_foreign(Headers(scope=scope), scope["method"]):
            refused = PlainTextResponse("This is for the page itself.\n", status_code=403)
            await refused(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _is_foreign(headers: Headers, method: str) -> bool:
    site = headers.get("sec-fetch-site", "none")
    followed = (
        method == "GET"
        and headers.get("sec-fetch-mode") == "navigate"
        and headers.get("sec-fetch-dest") == "document"
    )
    return site not in {"same-origin", "none"} and not followed


@dataclass(frozen=True, slots=True)
class Refusal(Exception):
    """A POST that is not carried out: the status, and a sentence for the person."""

    status: int
    sentence: str


def sentence(text: str) -> str:
    """A text with one full stop behind it, whoever wrote it."""
    return f"{text.rstrip('. ')}."


def said(status: int, *, sentence: str, **more: Any) -> Response:
    """The answer to a POST: whether it was done, a sentence, and what else there is to say."""
    return JSONResponse({"ok": status < 400, "sentence": sentence, **more}, status_code=status)


async def read_command(request: Request, token: str) -> Mapping[str, Any]:
    """The JSON object that a POST of this very page brings.

    Raises:
        Refusal: it is not this page's, lacks the token, or brings no such object.
    """
    _check_origin(request.headers)
    _check_token(request.headers, token)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refusal(415, "A command is JSON: the Content-Type must be application/json.")
    try:
        found = json.loads(await _body(request))
    except (ValueError, RecursionError) as error:
        raise Refusal(400, "The body is no JSON.") from error
    if not isinstance(found, dict):
        raise Refusal(400, "The body must be a JSON object.")
    return found


def _check_origin(headers: Headers) -> None:
    origin = headers.get("origin")
    # The address that was asked: Host has passed the allow-list, whatever its port.
    if origin is None or origin != f"http://{headers.get('host', '')}":
        raise Refusal(403, "Only this very page may command: the Origin is missing or another.")
    if headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise Refusal(403, "Only this very page may command, and another one asked.")


def _check_token(headers: Headers, token: str) -> None:
    given = headers.get(TOKEN_HEADER, "")
    if not token or not hmac.compare_digest(given.encode(), token.encode()):
        raise Refusal(
            403, "The token is missing or old: open the address that `make web` has printed."
        )


async def _body(request: Request) -> bytes:
    body = b""
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > BODY_LIMIT_BYTES:
                raise Refusal(413, f"A command has at most {BODY_LIMIT_BYTES} bytes.")
    except ClientDisconnect as gone:
        raise Refusal(400, "The body ended early.") from gone
    return body
