"""A handler that would never end, would end the worker, or would change the rules: the sandbox goes on."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from orchestrator.core_archive import scenario_data
from paxos.sandbox import SandboxError, repair, run
from tests.web_learn import stage
from tests.web_sandbox import engine_started, propose, recipe

RECIPE = recipe(seed=181, nodes=3, commands=[propose("apple")])
REFUSES = "def on_accept(self, source, message):\n    return self, []\n"
HOSTILE = {
    "closes its worker": f"import js\nx = js.close()\n{REFUSES}",
    "changes the rules": (
        "import paxos.sandbox.running as there\n"
        "fail = lambda *_, **__: (one for one in ()).throw(ValueError('patched'))\n"
        f"x = setattr(there, 'judge_lines', fail)\n{REFUSES}"
    ),
    "ends the program": "def on_accept(self, source, message):\n    raise SystemExit(3)\n",
}


@pytest.mark.parametrize(
    "ends", ["SystemExit(3)", "KeyboardInterrupt", "type('E', (BaseException,), {})"]
)
@pytest.mark.parametrize("is_called", [True, False])
def test_what_ends_a_program_is_told_with_its_line(ends: str, *, is_called: bool) -> None:
    """In a tab it would end Python itself."""
    source = (
        f"def on_accept(self, source, message):\n    raise {ends}\n"
        if is_called
        else f"import sys\nx = (one for one in ()).throw({ends})\n{REFUSES}"
    )
    with pytest.raises(SandboxError, match="line 2 of your handler fails"):
        repair("accept-below-promise", source, scenario_data())


@pytest.fixture(scope="module")
def page(browser: Browser, sandbox_address: str) -> Iterator[Page]:
    """A page whose engine has started."""
    with engine_started(
        browser, f"{sandbox_address}", viewport={"width": 1360, "height": 900}
    ) as opened:
        yield opened


def asked(page: Page, source: str) -> dict[str, Any]:
    """What an engine says of a handler, and what it makes of a run that is asked for at once."""
    told: dict[str, Any] = page.evaluate(
        """async ([source, recipe]) => {
          const { Engine } = await import("/sandbox/engine.js");
          globalThis.apart ??= await Engine.start();
          const said = globalThis.apart.repair("accept-below-promise", source).then((found) => found.sentence, (error) => error.message);
          const after = globalThis.apart.run(recipe).then((found) => found.sha256 + found.verdict.verdict, (error) => error.message);
          return { said: await said, after: await after };
        }""",
        [source, RECIPE],
    )
    return told


@pytest.mark.browser
@pytest.mark.parametrize("what", HOSTILE)
def test_whatever_a_handler_does_the_next_run_is_as_ever(page: Page, what: str) -> None:
    """It is answered, in a sentence; and it leaves nothing behind in the rules."""
    page.set_default_timeout(180_000)
    told = asked(page, HOSTILE[what])
    if what != "changes the rules":
        assert "of your handler fails" in told["said"]
    expected = run(RECIPE, scenario_data())
    assert told["after"] == f"{expected['sha256']}ok"


@pytest.mark.browser
def test_a_handler_that_never_ends_is_stopped(page: Page) -> None:
    """*Stop* ends it, says so, and the editor can be used again."""
    page.evaluate("location.hash = '#variant=ignore-accepted'")
    expect(stage(page).locator(".guide-name")).to_have_text("ignore-accepted")
    stage(page).get_by_role("button", name="Repair it").click()
    editor = page.get_by_label("The handler's source")
    head = editor.input_value().split("\n")[0]
    editor.fill(f"{head}\n    while True:\n        pass\n")
    ways = stage(page).locator(".repair .guide-ways")
    stop = ways.get_by_role("button", name="Stop", exact=True)
    expect(stop).to_have_count(0)
    ways.get_by_role("button", name="Run", exact=True).click()
    expect(stage(page).locator(".repair [role=status]")).to_contain_text("is played again")
    stop.click()
    told = stage(page).locator(".repair [role=status]")
    expect(told).to_contain_text("Stopped: your handler had not come to an end")
    expect(stop).to_have_count(0)
    editor.fill("def")
    ways.get_by_role("button", name="Run", exact=True).click()
    expect(told).to_contain_text("this is no Python", timeout=180_000)
