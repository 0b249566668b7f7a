"""The broken variants and their repair, in a real browser."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from orchestrator.stories import variants_json
from tests.web_learn import VISIT, at_event, stage, with_engine
from tests.web_page import awaited

browsed = pytest.mark.browser
__all__ = ["VISIT"]


@browsed
def test_the_list_of_variants_is_filtered(visit: Callable[..., Page]) -> None:
    """By rule, by what is taken away, by any word."""
    page = visit("#variants")
    entries = stage(page).locator(".variant-list li")
    expect(entries).to_have_count(len(variants_json()["variants"]))
    page.get_by_label("Breaks").select_option("R3")
    wanted = [one["name"] for one in variants_json()["variants"] if one["breaks"] == "R3"]
    expect(entries.locator("strong")).to_have_text(wanted)
    page.get_by_label("Breaks").select_option("")
    page.locator("#variant-text").fill("scylladb")
    expect(entries.locator("strong")).to_have_text(["promise-not-raised", "accepted-forgotten"])
    page.locator("#variant-text").fill("no such word")
    expect(stage(page)).to_contain_text("No variant fits this filter.")
    page.locator("#variant-text").fill("")
    page.get_by_label("Takes away").select_option("How numbers are made decides liveness")
    expect(entries).to_have_count(1)


@browsed
def test_a_variant_shows_its_change_at_the_violation(visit: Callable[..., Page]) -> None:
    """With plus and minus, in words for a screen reader, beside the events that prove it."""
    name = "promise-omits-accepted"
    page = visit(f"#variant={name}")
    (variant,) = [one for one in variants_json()["variants"] if one["name"] == name]
    for kind, mark, word in (("add", "+", "added"), ("del", "\N{MINUS SIGN}", "removed")):
        rows = stage(page).locator(f".diff-row.{kind}")
        texts = [text for one, text in variant["diff"] if one == kind]
        expect(rows.locator("code")).to_have_text(texts)
        expect(rows.locator(".diff-mark").first).to_have_text(mark)
        expect(rows.locator(".visually-hidden").first).to_have_text(f"{word}:")
    expect(stage(page)).to_contain_text("breaks R2 first")
    expect(stage(page)).to_contain_text(f"{variant['steps']} steps · 3 nodes, 1 ballot")
    expect(page.locator("#now-title")).to_contain_text("Violation")
    proof = stage(page).locator(".violations").locator(".link")
    expect(proof.first).to_contain_text("n2 has written to disk")
    proof.first.click()
    expect(page.locator(".sentence")).to_contain_text("n2 has written to disk")
    stage(page).get_by_role("button", name="From the start").click()
    at_event(page, 0)
    stage(page).get_by_role("button", name="To the violation").click()
    expect(page.locator("#now-title")).to_contain_text("Violation")
    stage(page).get_by_role("button", name="as a story").click()
    expect(page.locator("#now-title")).to_contain_text("of 185")


@browsed
def test_every_variant_can_be_opened(visit: Callable[..., Page]) -> None:
    """Also those whose change is a setting, and that no story shows."""
    page = visit("#variants")
    for variant in variants_json()["variants"]:
        page.evaluate(f"location.hash = '#variant={variant['name']}'")
        expect(stage(page).locator(".guide-name")).to_have_text(variant["name"])
        expect(stage(page).locator(".diff-row")).to_have_count(len(variant["diff"]))
        expect(stage(page).get_by_role("button", name="Repair it")).to_be_visible()
        if variant["stories"]:
            expect(stage(page).get_by_role("button", name="From the start")).to_be_visible()


@browsed
def test_the_editor_takes_tab_and_lets_the_keyboard_go(visit: Callable[..., Page]) -> None:
    """Tab indents, Shift+Tab takes it back, Escape and Tab leave; no key of the page works in it."""
    page = visit("#variant=promise-omits-accepted")
    stage(page).get_by_role("button", name="Repair it").click()
    editor = page.get_by_label("The handler's source")
    editor.focus()
    editor.evaluate("editor => editor.setSelectionRange(0, 0)")
    page.keyboard.press("Tab")
    expect(editor).to_have_value(re.compile("^    def on_prepare"))
    page.keyboard.press("Shift+Tab")
    expect(editor).to_have_value(re.compile("^def on_prepare"))
    page.keyboard.type("nb1")
    expect(editor).to_have_value(re.compile("^nb1def"))
    page.keyboard.press("Escape")
    expect(editor).to_be_focused()
    page.keyboard.press("Tab")
    expect(editor).not_to_be_focused()
    stage(page).get_by_role("button", name="Reset to the broken one").click()
    expect(editor).to_have_value(re.compile("^def on_prepare"))


@browsed
def test_without_a_sandbox_all_but_repair_and_running_works(visit: Callable[..., Page]) -> None:
    """And the page says what is missing."""
    missing_engine = {"available": False, "why": "Pyodide is not here.", "pyodide": None}

    def prepare(page: Page) -> None:
        page.route("**/sandbox.json", lambda route: route.fulfill(json=missing_engine))

    page = visit("#variant=promise-omits-accepted", prepare=prepare)
    stage(page).get_by_role("button", name="Repair it").click()
    stage(page).get_by_role("button", name="Run", exact=True).click()
    expect(stage(page).locator(".repair .bad")).to_contain_text("Pyodide is not here.")
    page.evaluate("location.hash = '#exhibit=binding.4'")
    stage(page).locator("[data-learn=sandbox]").click()
    expect(page.get_by_text("Pyodide is not here.").first).to_be_visible()


@browsed
def test_a_run_is_forked_once_it_is_known_what_it_is(visit: Callable[..., Page]) -> None:
    """Its seed and its nodes stand in the list of stories: before that has come another run would."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page = visit("#variant=small-quorum", prepare=lambda page: page.route("**/stories.json", hold))
    fork = stage(page).get_by_role("button", name="Fork it into the sandbox")
    expect(fork).to_be_disabled()
    for route in held:
        route.continue_()
    expect(fork).to_be_enabled()


STAND_IN_ENGINE = """
export class Engine {
  static async start() { return new Engine(); }
  async repair() {
    const model = { bounds: "3 nodes", distinct: 182564, complete: false, broken: [] };
    return { repaired: true, sentence: "None of the first states breaks a rule.", model };
  }
}
"""


@browsed
def test_a_search_that_was_cut_short_claims_no_more_than_it_saw(
    visit: Callable[..., Page],
) -> None:
    """Neither the headline nor the row speaks of every schedule."""
    offer = {"available": True, "why": "", "pyodide": ""}
    script = "text/javascript"

    def prepare(page: Page) -> None:
        page.route("**/sandbox.json", lambda route: route.fulfill(json=offer))
        page.route(
            "**/sandbox/engine.js",
            lambda route: route.fulfill(body=STAND_IN_ENGINE, content_type=script),
        )

    page = visit("#variant=promise-omits-accepted", prepare=prepare)
    stage(page).get_by_role("button", name="Repair it").click()
    stage(page).get_by_role("button", name="Run", exact=True).click()
    answer = stage(page).locator(".repair [role=status]")
    expect(answer.locator("h4")).to_contain_text("Repaired, as far as was searched")
    expect(answer).to_contain_text("182,564 states")
    expect(answer).not_to_contain_text("Every schedule")


SLOW_ENGINE = """
export class Engine {
  static async start() { return new Engine(); }
  async repair() {
    await new Promise((done) => { window.answerNow = done; });
    return { repaired: true, sentence: "This was found.", model: { bounds: "3 nodes", distinct: 1, complete: true, broken: [] } };
  }
}
"""


@browsed
@pytest.mark.parametrize("meanwhile", ["nothing", "types on", "a link", "the list"])
def test_what_was_found_is_said_of_nothing_else(visit: Callable[..., Page], meanwhile: str) -> None:
    """The engine takes seconds; whoever goes on meanwhile has another source before them."""
    offer = {"available": True, "why": "", "pyodide": ""}

    def prepare(page: Page) -> None:
        page.route("**/sandbox.json", lambda route: route.fulfill(json=offer))
        page.route(
            "**/sandbox/engine.js",
            lambda route: route.fulfill(body=SLOW_ENGINE, content_type="text/javascript"),
        )

    page = visit("#variant=promise-omits-accepted", prepare=prepare)
    stage(page).get_by_role("button", name="Repair it").click()
    stage(page).get_by_role("button", name="Run", exact=True).click()
    awaited(page, "window.answerNow !== undefined")
    if meanwhile == "types on":
        page.get_by_label("The handler's source").press("Space")
    elif meanwhile == "a link":
        page.evaluate("location.hash = '#variant=number-reused'")
        expect(stage(page).locator(".guide-name")).to_have_text("number-reused")
    elif meanwhile == "the list":
        page.evaluate("location.hash = '#variants'")
        stage(page).locator(".variant-list button").filter(has_text="number-shared").click()
        expect(stage(page).locator(".guide-name")).to_have_text("number-shared")
    page.evaluate("window.answerNow()")
    answer = stage(page).locator(".repair [role=status]")
    expect(stage(page).get_by_role("button", name="Run", exact=True)).to_be_visible()
    if meanwhile == "nothing":
        expect(answer).to_contain_text("This was found.")
        page.evaluate("location.hash = '#variant=number-reused'")
        expect(stage(page).locator(".guide-name")).to_have_text("number-reused")
    expect(answer).to_be_empty()


# --- with the engine ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sandbox(browser: Browser, address: str) -> Iterator[Page]:
    """A page with the editor open, so low that its answer has no room on the screen."""
    size = {"width": 1360, "height": 700}
    with with_engine(browser, f"{address}#variant=promise-omits-accepted", viewport=size) as page:
        stage(page).get_by_role("button", name="Repair it").click()
        yield page


BROKEN_LINE = "Promise(self.instance, message.ballot, None)"


def repaired(page: Page, change: Callable[[str], str]) -> Any:
    """Run an edited handler; the answer's part of the page."""
    editor = page.get_by_label("The handler's source")
    broken = next(
        one["handler"]
        for one in variants_json()["variants"]
        if one["name"] == "promise-omits-accepted"
    )
    stage(page).get_by_role("button", name="Reset to the broken one").click()
    expect(editor).to_have_value(broken)
    assert change(broken) != broken
    editor.fill(change(broken))
    answer = stage(page).locator(".repair [role=status]")
    expect(answer).to_be_empty()
    stage(page).get_by_role("button", name="Run", exact=True).click()
    expect(answer.locator("h4, .bad").first).to_be_visible(timeout=180_000)
    # It has come into sight by itself, and the button kept the focus for the next try.
    expect(answer.locator("h4, .bad").first).to_be_in_viewport(ratio=1)
    expect(stage(page).get_by_role("button", name="Run", exact=True)).to_be_focused()
    return answer


@browsed
def test_a_correct_repair_is_accepted(sandbox: Page) -> None:
    """The counterexample breaks nothing, every schedule is searched, a value is chosen."""
    answer = repaired(
        sandbox,
        lambda text: text.replace(
            BROKEN_LINE, "Promise(self.instance, message.ballot, self.accepted)"
        ),
    )
    expect(answer.locator("h4")).to_contain_text("✓ Repaired")
    expect(answer).to_contain_text("plays again without a violation")
    expect(answer).to_contain_text("no rule broken")


@browsed
def test_the_correct_handler_is_accepted_too(sandbox: Page) -> None:
    """As it stands in the core."""
    stage(sandbox).get_by_role("button", name="Show the correct one").click()
    editor = sandbox.get_by_label("The handler's source")
    expect(editor).to_have_value(re.compile(re.escape("message.ballot, self.accepted)")))
    answer = stage(sandbox).locator(".repair [role=status]")
    # What was found before was about another source.
    expect(answer).to_be_empty()
    stage(sandbox).get_by_role("button", name="Run", exact=True).click()
    expect(answer.locator("h4")).to_contain_text("✓ Repaired", timeout=120_000)


@browsed
@pytest.mark.parametrize(
    ("name", "label", "source"),
    [
        ("number-reused", "The handler's source", "def forget_round(stored: Stored) -> Stored:"),
        ("no-backoff", "The setting", "backoff = True"),
    ],
)
def test_so_is_one_of_another_name_and_a_setting(
    sandbox: Page, name: str, label: str, source: str
) -> None:
    """What is correct stands in the editor under the name of what is broken."""
    sandbox.evaluate(f"location.hash = '#variant={name}'")
    expect(stage(sandbox).locator(".guide-name")).to_have_text(name)
    if not sandbox.get_by_label(label).is_visible():
        stage(sandbox).get_by_role("button", name="Repair it").click()
    editor = sandbox.get_by_label(label)
    expect(editor).not_to_have_value(re.compile("return stored$|True"))
    stage(sandbox).get_by_role("button", name="Show the correct one").click()
    expect(editor).to_have_value(re.compile("^" + re.escape(source)))
    answer = stage(sandbox).locator(".repair [role=status]")
    expect(answer).to_be_empty()
    stage(sandbox).get_by_role("button", name="Run", exact=True).click()
    expect(answer.locator("h4")).to_contain_text("✓ Repaired", timeout=180_000)
    # Back to what the other tests repair.
    sandbox.evaluate("location.hash = '#variant=promise-omits-accepted'")
    expect(stage(sandbox).locator(".guide-name")).to_have_text("promise-omits-accepted")


@browsed
def test_a_wrong_repair_is_convicted(sandbox: Page) -> None:
    """It still omits what was accepted."""
    answer = repaired(sandbox, lambda text: text.replace("None)", "None and self.accepted)"))
    expect(answer.locator("h4")).to_contain_text("✗ Not repaired")
    expect(answer).to_contain_text("still breaks R2")


@browsed
def test_refusing_everything_is_no_repair(sandbox: Page) -> None:
    """It breaks no rule, and no value can be chosen."""
    answer = repaired(
        sandbox,
        lambda text: text.replace("if message.ballot < self.promised:", "if True:"),
    )
    expect(answer.locator("h4")).to_contain_text("✗ Not repaired")
    expect(answer).to_contain_text("what refuses everything is safe, and useless")


@browsed
def test_a_slip_of_the_pen_is_told_with_its_line(sandbox: Page) -> None:
    """A sentence, not a traceback."""
    answer = repaired(sandbox, lambda text: text.replace("if message", "if if message", 1))
    expect(answer).to_contain_text("Line 3")
    expect(answer.locator("h4")).to_have_count(0)


@browsed
@pytest.mark.parametrize(
    ("room", "said"),
    [("variants", "variants"), ("variant=no-such", "There is no variant named “no-such”.")],
)
def test_a_link_to_the_variants_has_a_run_behind_it(
    visit: Callable[..., Page], room: str, said: str
) -> None:
    """Nothing goes on loading; there is a list to choose from; whoever closes it finds a run."""
    page = visit(f"#{room}")
    expect(stage(page)).to_contain_text(said)
    entries = stage(page).locator(".variant-list li")
    expect(entries).to_have_count(len(variants_json()["variants"]))
    expect(page.locator("#now-title")).to_be_attached()
    expect(page.get_by_text("Loading")).to_have_count(0)
    assert page.evaluate("location.hash") == f"#{room}"
    stage(page).get_by_role("button", name="Close").click()
    expect(stage(page)).to_have_count(0)
    expect(page.locator(".sentence")).to_be_visible()
    expect(page.locator(".run-title")).to_contain_text("Six steps")


@browsed
def test_a_variant_is_chosen_where_an_unknown_one_was_asked_for(visit: Callable[..., Page]) -> None:
    """What stood behind the list gives way to the run of the one that was chosen."""
    page = visit("#variant=no-such")
    stage(page).locator(".variant-list button").filter(has_text="number-shared").click()
    expect(stage(page).locator(".guide-name")).to_have_text("number-shared")
    expect(page.locator("#now-title")).to_contain_text("Violation")
    assert page.evaluate("location.hash") == "#variant=number-shared"
