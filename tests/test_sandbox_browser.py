"""The sandbox in Chromium: the very core, in a worker of the page, says the same as CPython."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route

from orchestrator.core_archive import scenario_data
from paxos.sandbox import run, whatif
from tests.sandbox_recipes import MANY, PEAR, need_pyodide, recipe
from tests.test_sandbox_repair import ACCEPT
from tests.web_page import hear
from tests.web_server import serving

pytestmark = pytest.mark.browser

START = """
async () => {
  const { Engine } = await import("/sandbox/engine.js");
  const seen = [];
  globalThis.engine = await Engine.start((one) => seen.push(one));
  return seen;
}
"""
ASK = """
async ([verb, args]) => {
  try {
    const { bytes, ...result } = await globalThis.engine[verb](...args);
    return { result };
  } catch (error) {
    return { error: error.message, cancelled: error.cancelled };
  }
}
"""


class Tab:
    """The page's engine, as the tests ask it.

    Attributes:
        page: the page.
        progress: what it told while it started.
        asked: the address of every request that the page and its worker made.
    """

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.asked: list[str] = []
        page.context.on("request", lambda request: self.asked.append(request.url))
        # Any answer of the server carries the page's policy; this one starts nothing else.
        page.goto(f"{url}sandbox.json")
        self.progress: list[dict[str, Any]] = page.evaluate(START)

    def ask(self, verb: str, *args: object) -> dict[str, Any]:
        """Ask the engine: ``{"result": ...}`` or ``{"error": sentence}``."""
        told: dict[str, Any] = self.page.evaluate(ASK, [verb, list(args)])
        return told


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page's server."""
    need_pyodide()
    with serving(tmp_path_factory.mktemp("logs")) as url:
        yield url


@pytest.fixture(scope="session")
def tab(browser: Browser, address: str) -> Iterator[Tab]:
    """One page for all of these tests: Python is started once. Its console must stay empty."""
    context = browser.new_context()
    complaints: list[str] = []
    hear(context, complaints)
    # Of what is no page, a browser asks for an icon by a name of its own.
    context.route("**/favicon.ico", lambda route: route.fulfill(status=204))
    yield Tab(context.new_page(), address)
    context.close()
    assert complaints == []


class TestSameBytes:
    @pytest.mark.parametrize("name", MANY)
    def test_a_log_has_the_hash_that_cpython_gives(self, tab: Tab, name: str) -> None:
        """The protocol, chance, storage and encoding are the same on every Python."""
        here = run(MANY[name], scenario_data())
        told = tab.ask("run", MANY[name])
        assert told["result"]["sha256"] == here["sha256"]
        assert told["result"] == here

    @pytest.mark.parametrize("seed", [1, 2, 3, 2**53 - 1])
    def test_for_several_seeds(self, tab: Tab, seed: int) -> None:
        """The largest seed that a link may hold among them."""
        made = recipe((6, PEAR), (30, {"kill": "n4"}), seed=seed)
        there, here = tab.ask("run", made)["result"], run(made, scenario_data())
        assert there["sha256"] == here["sha256"]


class TestEngine:
    def test_it_tells_how_far_its_start_is(self, tab: Tab) -> None:
        """Every stage, in order, and bytes that grow."""
        stages = list(dict.fromkeys(one["stage"] for one in tab.progress))
        assert stages == ["pyodide", "core", "python", "ready"]
        loaded = [one["loaded"] for one in tab.progress if one["stage"] == "pyodide"]
        assert loaded == sorted(loaded)
        assert loaded[-1] > 10_000_000

    def test_nothing_is_asked_of_another_origin(self, tab: Tab, address: str) -> None:
        """It works without a network."""
        assert any(url.endswith("/core.zip") for url in tab.asked)
        assert [url for url in tab.asked if not url.startswith(address)] == []

    def test_a_bad_recipe_gets_a_sentence(self, tab: Tab) -> None:
        """And the engine goes on."""
        told = tab.ask("run", recipe() | {"v": 2})
        assert told["error"] == "V: this page reads recipes of version 1, not 2."
        assert tab.ask("run", recipe())["result"]["stopped"] == "rest"

    def test_a_dropped_log_is_judged(self, tab: Tab) -> None:
        """The same verdict as that of the run; and a sentence for what is no log."""
        here = run(MANY["counterexample"], scenario_data())
        told = tab.ask("judge", here["lines"], here["run"])
        assert told["result"]["verdict"] == here["verdict"]
        assert "line 1 is no line of a log" in tab.ask("judge", "hello").get("error", "").lower()

    def test_a_repair_is_judged(self, tab: Tab) -> None:
        """With the source of the classes read out of the archive."""
        assert tab.ask("repair", "accept-below-promise", ACCEPT)["result"]["repaired"]
        told = tab.ask(
            "repair", "accept-below-promise", ACCEPT.replace("self.promised", "self.prmised")
        )
        assert "of your handler fails: AttributeError" in told["error"]

    def test_what_can_still_happen_is_explored(self, tab: Tab) -> None:
        """By the engine that needs no numpy, with the same answer as here."""
        made = recipe((6, PEAR), variant="accept-below-promise", nodes=3)
        request = {"recipe": made, "at": 30}
        told = tab.ask("whatif", request)["result"]
        assert told["verdict"] == "can go wrong"
        assert told == whatif(request, scenario_data())

    def test_the_variants_are_listed(self, tab: Tab) -> None:
        """All of them."""
        assert len(tab.ask("variants")["result"]["variants"]) > 20

    def test_requests_are_answered_in_their_order(self, tab: Tab) -> None:
        """One at a time, however many are given at once."""
        order = tab.page.evaluate(
            """async (recipes) => {
              const order = [];
              const runs = recipes.map((one, at) => globalThis.engine.run(one).then(() => order.push(at)));
              await Promise.all(runs);
              return order;
            }""",
            [MANY["gates"], MANY["rest"], MANY["duel"]],
        )
        assert order == [0, 1, 2]

    def test_a_request_that_takes_too_long_is_cancelled(self, tab: Tab) -> None:
        """The worker is ended and another started; what waited behind it is answered."""
        told = tab.page.evaluate(
            """async ([endless, short]) => {
              const first = globalThis.engine.repair("accept-below-promise", endless);
              const second = globalThis.engine.run(short);
              globalThis.engine.cancel();
              const error = await first.catch((error) => error);
              return { cancelled: error.cancelled, sha256: (await second).sha256 };
            }""",
            [ENDLESS, MANY["duel"]],
        )
        assert told["cancelled"] is True
        assert told["sha256"] == run(MANY["duel"], scenario_data())["sha256"]


ENDLESS = "def on_accept(self, source, message):\n    while True:\n        pass\n"


class TestTrouble:
    def start(
        self,
        browser: Browser,
        address: str,
        lost: str,
        instead: Callable[[Route], None] = lambda route: route.fulfill(status=404, body="no"),
    ) -> str:
        """The sentence of an engine that gets a file otherwise than it is."""
        context = browser.new_context()
        page = context.new_page()
        context.route(lost, instead)
        page.goto(f"{address}sandbox.json")
        told: str = page.evaluate(
            """async () => {
              const { Engine } = await import("/sandbox/engine.js");
              return Engine.start().then(() => "it started", (error) => error.message);
            }"""
        )
        context.close()
        return told

    @pytest.mark.parametrize(
        ("lost", "named"),
        [
            ("**/pyodide.mjs", "pyodide/pyodide.mjs"),
            ("**/core.zip", "core.zip"),
            ("**/pyodide.asm.wasm", "pyodide/pyodide.asm.wasm"),
            ("**/worker.js", "sandbox/worker.js"),
        ],
    )
    def test_a_missing_file_is_named(
        self, browser: Browser, address: str, lost: str, named: str
    ) -> None:
        """The page says what is missing, and does not wait for ever."""
        assert named in self.start(browser, address, lost)

    def test_a_policy_that_forbids_webassembly_is_named(
        self, browser: Browser, address: str
    ) -> None:
        """Python would wait for ever without a word."""

        def forbid(route: Route) -> None:
            answer = route.fetch()
            policy = "script-src 'self'; connect-src 'self'"
            headers = {**answer.headers, "content-security-policy": policy}
            route.fulfill(response=answer, headers=headers)

        told = self.start(browser, address, "**/worker.js", forbid)
        assert "compiles no WebAssembly" in told


def test_the_planted_difference_is_seen(tab: Tab) -> None:
    """Were the two logs compared by nothing, this would pass as well."""
    other = run(recipe((6, PEAR), seed=8), scenario_data())
    assert tab.ask("run", recipe((6, PEAR), seed=9))["result"]["sha256"] != other["sha256"]
