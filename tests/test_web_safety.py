"""A page of another site can do nothing to a live cluster, and learn nothing of it."""

import contextlib
import http.client
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser
from starlette.datastructures import Headers

from orchestrator.web.desk import Desk
from orchestrator.web.safety import BODY_LIMIT_BYTES, _is_foreign, policy_of
from tests.feed_load import Simulated, serving_feed
from tests.web_server import Listener, Page

KILL = {"kill": "n1"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Page, Simulated]]:
    """A page whose live run notes what it is commanded."""
    with serving_feed(tmp_path_factory.mktemp("feed"), 0, 100) as (site, run):
        yield site, run


@pytest.fixture
def site(served: tuple[Page, Simulated]) -> Iterator[Page]:
    """The page's server; a test ends with nothing commanded unless it says so."""
    found, run = served
    run.commands.clear()
    yield found
    run.commands.clear()


@pytest.fixture
def commands(served: tuple[Page, Simulated]) -> list[Any]:
    """What was carried out."""
    return served[1].commands


def test_the_page_itself_may_command(site: Page, commands: list[Any]) -> None:
    """So that the refusals below refuse something."""
    status, told = site.post("live/commands", KILL)
    assert (status, told["ok"]) == (200, True)
    assert commands == [KILL]


@pytest.mark.parametrize("verb", ["begin", "commands", "end"])
@pytest.mark.parametrize(
    ("status", "headers"),
    [
        pytest.param(403, {"Origin": None}, id="no origin"),
        pytest.param(403, {"Origin": "null"}, id="an opaque origin"),
        pytest.param(403, {"Origin": "https://evil.example"}, id="a stranger's origin"),
        pytest.param(403, {"Origin": "http://127.0.0.1:1"}, id="another port of this machine"),
        pytest.param(403, {"Origin": "http://127.0.0.1"}, id="no port"),
        pytest.param(403, {"Sec_Fetch_Site": "cross-site"}, id="the browser says another site"),
        pytest.param(403, {"Sec_Fetch_Site": "same-site"}, id="the browser says another port"),
        pytest.param(403, {"Sec_Fetch_Site": "none"}, id="the browser says no page"),
        pytest.param(403, {"X_Paxos_Lab_Token": None}, id="no token"),
        pytest.param(403, {"X_Paxos_Lab_Token": "another"}, id="another token"),
        pytest.param(403, {"X_Paxos_Lab_Token": ""}, id="an empty token"),
        pytest.param(415, {"Content_Type": "text/plain"}, id="what a form can send"),
        pytest.param(
            415, {"Content_Type": "application/x-www-form-urlencoded"}, id="what a form does send"
        ),
        pytest.param(415, {"Content_Type": None}, id="no type"),
        pytest.param(400, {"Host": "evil.example"}, id="a stranger's name that leads here"),
    ],
)
def test_a_command_that_is_not_the_pages_has_no_effect(
    site: Page,
    commands: list[Any],
    verb: str,
    status: int,
    headers: dict[str, str | None],
) -> None:
    """Refused with a sentence, and the live run goes on untouched."""
    before = site.live()
    found, told = site.post(f"live/{verb}", KILL, **headers)
    assert found == status
    assert told
    assert commands == []
    assert site.live()["epoch"] == before["epoch"]
    assert site.live()["state"] == "running"


def test_a_name_and_an_origin_that_agree_on_a_stranger_are_refused(
    site: Page, commands: list[Any]
) -> None:
    """A name of the stranger's that leads to this machine: all that the browser says is his."""
    status, _ = site.post("live/commands", KILL, Host="evil.example", Origin="http://evil.example")
    assert (status, commands) == (400, [])


def test_localhost_is_the_page_too(site: Page, commands: list[Any]) -> None:
    """Under whatever port a tunnel gives it."""
    name = "localhost:9999"
    status, _ = site.post("live/commands", KILL, Host=name, Origin=f"http://{name}")
    assert (status, commands) == (200, [KILL])


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, b""),
        (400, b"{"),
        (400, b"[]"),
        (400, b'"kill"'),
        (400, b"\xff"),
        (400, b"[" * 60_000),
        (413, b" " * (BODY_LIMIT_BYTES + 1)),
    ],
)
def test_a_body_that_is_no_small_object(
    site: Page, commands: list[Any], status: int, body: bytes
) -> None:
    """Refused before anything is done."""
    found, told = site.post("live/commands", body)
    assert (found, told["ok"], commands) == (status, False, [])


def test_a_body_of_the_largest_size_is_read(site: Page, commands: list[Any]) -> None:
    """The limit refuses nothing below it."""
    body = json.dumps(KILL).encode().ljust(BODY_LIMIT_BYTES)
    assert site.post("live/commands", body)[0] == 200
    assert commands == [KILL]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_no_method_but_post_has_an_effect(site: Page, commands: list[Any], method: str) -> None:
    """No link and no picture commands anything, nor does a preflight allow it."""
    for verb in ("begin", "commands", "end"):
        connection = http.client.HTTPConnection(site.host, timeout=20)
        with contextlib.closing(connection):
            headers = {"Origin": site.url.rstrip("/"), "X-Paxos-Lab-Token": site.token}
            connection.request(method, f"/live/{verb}", json.dumps(KILL), headers)
            response = connection.getresponse()
            assert response.status in {404, 405}
            assert not [
                name for name, _ in response.getheaders() if "access-control" in name.lower()
            ]
    assert commands == []
    assert site.live()["state"] == "running"


@pytest.mark.parametrize("path", ["live.json", "live/events", "runs.json", "sandbox.json", ""])
@pytest.mark.parametrize("asked_by", ["cross-site", "same-site"])
def test_another_site_is_told_nothing(site: Page, path: str, asked_by: str) -> None:
    """No picture, script or stream of this server on a stranger's page: it would hold places."""
    status, _, body = site.get(path, **{"Sec-Fetch-Site": asked_by, "Sec-Fetch-Mode": "no-cors"})
    assert status == 403
    assert b"live-1" not in body


@pytest.mark.parametrize(("dest", "expected"), [("document", 200), ("iframe", 403), ("embed", 403)])
def test_a_link_from_elsewhere_is_followed_and_a_frame_is_not(
    site: Page, dest: str, expected: int
) -> None:
    """A lecturer's notes may link to the page; no page may hold it in a frame."""
    headers = {
        "Sec-Fetch-Site": "cross-site",
        "Sec-Fetch-Mode": "navigate",
        "Sec-Fetch-Dest": dest,
    }
    assert site.get("", **headers)[0] == expected


def test_no_answer_lets_another_origin_read_it(site: Page) -> None:
    """Not even when it asks politely."""
    for path in ("", "live.json", "runs.json", "no-such-file"):
        _, headers, _ = site.get(path, Origin="https://evil.example")
        assert not [name for name in headers if name.lower().startswith("access-control")]
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_the_token_is_on_no_page_and_in_no_answer(site: Page) -> None:
    """It is in the address that was printed, and nowhere that can be fetched."""
    for path in ("", "main.js", "live.json", "runs.json", "sandbox.json"):
        _, headers, body = site.get(path)
        assert site.token.encode() not in body
        assert site.token not in str(headers)


def test_the_page_runs_its_own_scripts_and_makes_no_markup_of_text() -> None:
    """Only the worker, which has no document, may compile WebAssembly."""
    policy = policy_of("/")
    assert "script-src 'self';" in policy
    assert "worker-src 'self'" in policy
    assert "require-trusted-types-for 'script'" in policy
    assert "unsafe" not in policy
    worker = policy_of("/sandbox/worker.js")
    assert "script-src 'self' 'wasm-unsafe-eval'" in worker
    assert "default-src 'none'" in worker
    assert "unsafe-inline" not in worker


def test_streams_are_bounded(site: Page) -> None:
    """The thirteenth listener is refused, and has a place as soon as another has gone."""
    with contextlib.ExitStack() as open_ones:
        listeners = [open_ones.enter_context(Listener(site)) for _ in range(12)]
        for listener in listeners:
            assert listener.message("live").content["state"] == "running"
        assert site.get("live/events")[0] == 503
        listeners[0].cut()
        # The server finds out by itself that one has gone: nothing is written meanwhile.
        assert any(_has_place(site) for _ in range(2_000)), "its place is never given away"


def _has_place(site: Page) -> bool:
    try:
        with Listener(site):
            return True
    except AssertionError:
        return False


def test_without_a_world_nothing_can_be_begun(tmp_path: Path) -> None:
    """The page says why, and everything else works."""
    from orchestrator.web.desk import NoWorld  # noqa: PLC0415
    from tests.feed_load import serving_desk  # noqa: PLC0415

    with serving_desk(tmp_path, Desk(NoWorld("No cluster is up"))) as site:
        live = site.live()
        assert (live["available"], live["why"], live["run"]) == (False, "No cluster is up", None)
        status, told = site.post("live/begin", {})
        assert (status, told["ok"]) == (503, False)
        assert "No cluster is up." in told["sentence"]
        assert site.post("live/commands", KILL)[0] == 409
        assert site.post("live/end", {})[0] == 409
        assert site.get("live/events")[0] == 409
        assert site.get("runs.json")[0] == 200


STRANGER = """<!doctype html><meta charset="utf-8"><title>a stranger's page</title>
<form id="form" method="post" enctype="text/plain" action="{url}live/commands" target="frame">
  <input name='{{"kill":"n1","x":"' value='"}}' /></form>
<iframe name="frame"></iframe><img src="{url}live.json" /><iframe src="{url}"></iframe>"""

POSTS = 5
"""What of the following comes as a POST: two plain fetches, two beacons and the form."""
ATTACK = """async (url) => {
  const body = JSON.stringify({kill: "n1"});
  const tried = [];
  const attempt = async (name, options) => {
    try {
      const answer = await fetch(url + "live/commands", {method: "POST", body, ...options});
      tried.push(name + " " + answer.type + " " + answer.status);
    } catch (error) { tried.push(name + " refused"); }
  };
  await attempt("plain", {mode: "no-cors"});
  await attempt("form-like", {mode: "no-cors", headers: {"Content-Type": "text/plain"}});
  await attempt("json", {headers: {"Content-Type": "application/json"}});
  await attempt("token", {headers: {"Content-Type": "application/json",
                                    "X-Paxos-Lab-Token": "guessed"}});
  await attempt("read", {method: "GET", body: undefined});
  navigator.sendBeacon(url + "live/end", body);
  navigator.sendBeacon(url + "live/commands", body);
  document.getElementById("form").submit();
  tried.push(await new Promise((resolve) => {
    const source = new EventSource(url + "live/events");
    source.onopen = () => resolve("stream opened");
    source.onerror = () => { source.close(); resolve("stream refused"); };
  }));
  return tried;
}"""


class _Strange(http.server.BaseHTTPRequestHandler):
    """Another site on this machine."""

    body = b""

    def do_GET(self) -> None:
        """The one page of it."""
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.mark.browser
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_strangers_page_in_the_same_browser_can_do_nothing(
    site: Page, commands: list[Any], browser: Browser, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fetch, form, beacon, stream, picture and frame, from another port and another name."""
    came: list[str] = []
    more = threading.Condition()

    def is_foreign(headers: Headers, method: str) -> bool:
        found = _is_foreign(headers, method)
        if found:
            with more:
                came.append(method)
                more.notify_all()
        return found

    monkeypatch.setattr("orchestrator.web.safety._is_foreign", is_foreign)

    class Handler(_Strange):
        body = STRANGER.format(url=site.url).encode()

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            opened = browser.new_page()
            opened.goto(f"http://{host}:{server.server_port}/")
            tried = opened.evaluate(ATTACK, site.url)
            opened.wait_for_load_state("networkidle")
            with more:
                # Nobody tells when a beacon, or the form of a frame, has arrived.
                assert more.wait_for(lambda: came.count("POST") >= POSTS, timeout=60), came
            opened.close()
        finally:
            server.shutdown()
            thread.join()
    assert tried == [
        "plain refused",
        "form-like refused",
        "json refused",
        "token refused",
        "read refused",
        "stream refused",
    ]
    # They did come; those with a header asked first.
    assert "OPTIONS" in came
    assert commands == []
    assert site.live()["state"] == "running"
