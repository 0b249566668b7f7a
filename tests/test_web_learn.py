"""The learning room: tour, exhibits and broken variants, in a real browser and without one."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from orchestrator.core_archive import scenario_data
from orchestrator.pyodide import sandbox_json
from orchestrator.stories import story_files, variants_json
from paxos.sandbox import run
from tests.conftest import no_browser_reason
from tests.web_page import visiting
from tests.web_server import serving

RUNNER = Path(__file__).with_name("web_learn.mjs")
FILES = ("events.jsonl", "run.json", "verdict.json")
# A limit, not a wait: a busy machine may take long to open a browser's page.
expect.set_options(timeout=30_000)

EXHIBITS = (
    "two-phases",
    "one-value",
    "binding",
    "majorities",
    "minority",
    "persistence",
    "numbers",
    "schemes",
    "retries",
    "degradation",
)
"""One for each insight, in the order of docs/scenarios.md."""


def without(reason: str) -> NoReturn:
    """Skip for want of something, and fail under CI=true, where it has to be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI=true, and {reason}", pytrace=False)
    pytest.skip(reason)


# --- what the room holds, without a browser --------------------------------------------


def told(folder: Path) -> dict[str, Any]:
    """What the room says, and where its moments are in the stories of a folder."""
    node = shutil.which("node")
    if node is None:
        without("node is not installed")
    done = subprocess.run(
        [node, str(RUNNER)],
        input=json.dumps({"folder": str(folder)}),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def write_story(folder: Path, name: str) -> None:
    """Put a story's files into a folder."""
    files = story_files(name)
    (folder / name).mkdir(parents=True)
    for file in FILES:
        (folder / name / file).write_bytes(files[file])


STORIES = (
    "basic",
    "bridge",
    "competing",
    "convergence",
    "crash-after-promise",
    "crash-majority",
    "crash-majority--never-retries",
    "crash-minority",
    "crash-proposer",
    "duel",
    "late-proposer",
    "partition",
    "ranges",
    "restart-all",
    "tour",
    "tour--ignore-accepted",
    "broken--accept-below-promise",
    "broken--half-quorum-shortest",
    "broken--number-reused-by-hand",
    "broken--promise-omits-accepted",
    "broken--reply-before-write-by-hand",
    "broken--skips-phase-1-shortest",
    "broken--small-quorum",
)


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stories that the room opens."""
    folder = tmp_path_factory.mktemp("stories")
    for name in STORIES:
        write_story(folder, name)
    return folder


@pytest.fixture(scope="module")
def room(stories: Path) -> dict[str, Any]:
    """All that it says, with the places of its moments."""
    return told(stories)


def missing(room: dict[str, Any]) -> list[str]:
    """The places one of whose moments is not in its story."""
    return [
        place["key"]
        for place in room["places"]
        for scene in (place["scene"], place["then"])
        if scene is not None and min(scene["at"], *scene["window"], 0) < 0
    ]


def test_every_moment_of_tour_and_exhibits_is_found(room: dict[str, Any]) -> None:
    """By what happens at it: so a story may be recorded anew."""
    assert missing(room) == []
    assert all(place["scene"]["lane"] for place in room["places"])


def test_a_moment_that_is_gone_is_noticed(stories: Path, tmp_path: Path) -> None:
    """The test above can fail: the promise that makes n5's quorum comes from another node."""
    shutil.copytree(stories, tmp_path / "stories")
    log = tmp_path / "stories" / "tour" / "events.jsonl"
    lines = [json.loads(row) for row in log.read_text("utf-8").splitlines()]
    for line in lines:
        if line["event"] == "promise_received" and line["ballot"] == "3.n5":
            line["source"] = "n2"
    log.write_text("".join(f"{json.dumps(line)}\n" for line in lines), "utf-8")
    assert missing(told(tmp_path / "stories")) == ["tour/must-push/0"]


def test_the_tour_has_six_steps_and_asks_at_the_third_and_the_fifth(room: dict[str, Any]) -> None:
    """Predict, then reveal."""
    assert len(room["tour"]) == 6
    assert [step["questions"] for step in room["tour"]] == [0, 0, 1, 0, 1, 0]


def test_there_is_an_exhibit_for_each_insight(room: dict[str, Any]) -> None:
    """Each asks first, says why and where it is written, and sends one to the sandbox."""
    assert tuple(one["id"] for one in room["exhibits"]) == EXHIBITS
    for one in room["exhibits"]:
        assert one["questions"] == 1, one["id"]
        assert one["insight"], one["id"]
        assert one["section"].startswith("§"), one["id"]
        assert one["challenge"], one["id"]
    ends = [place for place in room["places"] if place["open"] is not None]
    assert len(ends) == len(EXHIBITS) + 1


def test_every_step_has_its_words(room: dict[str, Any]) -> None:
    """A caption for each beat, an answer to each answer."""
    for step in room["tour"] + room["exhibits"]:
        assert step["title"], step["id"]
        assert step["captions"] == step["beats"], step["id"]
    asked = {step["id"]: step.get("asked") for step in room["tour"] + room["exhibits"]}
    for place in room["places"]:
        if place["question"] is not None:
            words = asked[place["key"].split("/")[1]]
            count = place["question"]["answers"]
            assert len(words["answers"]) == len(words["why"]) == count, place["key"]
            assert 0 <= place["question"]["right"] < count, place["key"]
            # What is to be predicted lies ahead.
            assert place["then"]["at"] > place["scene"]["at"], place["key"]


def test_every_recipe_is_carried_out_as_it_stands(room: dict[str, Any]) -> None:
    """No sandbox that is opened from here begins with a refusal."""
    for place in room["places"]:
        if place["open"] is not None:
            result = run(place["open"]["recipe"], scenario_data())
            assert result["refused"] == [], place["key"]
            assert result["line_count"] > 5, place["key"]


def test_the_tours_run_breaks_when_one_line_is_changed(room: dict[str, Any]) -> None:
    """The sandbox shows what the last step shows: R4 broken, and agreement."""
    (recipe,) = [
        place["open"]["recipe"]
        for place in room["places"]
        if place["open"] and place["key"].startswith("tour/")
    ]
    broken = {one["rule"] for one in run(recipe, scenario_data())["verdict"]["violations"]}
    assert broken == {"R4", "agreement"}
    whole = run({**recipe, "variant": None}, scenario_data())["verdict"]
    assert whole["verdict"] == "ok"


# --- in the browser ----------------------------------------------------------------------

browsed = pytest.mark.browser


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page, with no runs but the stories that it always has."""
    with serving(tmp_path_factory.mktemp("logs")) as url:
        yield url


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Callable[..., Page]]:
    """Open the page (in a context of its own) at a hash; its console must stay empty."""
    with visiting(browser, address) as open_page:
        yield partial(open_page, viewport={"width": 1360, "height": 900}, reduced_motion="reduce")


def stage(page: Page) -> Any:
    """The caption, the list or the variant that is open."""
    return page.locator(".stage")


def at_event(page: Page, place: int) -> None:
    """Wait until the page stands at a line of its story."""
    expect(page.locator("#now-title")).to_contain_text(f"event {place + 1:,} of ")


def places_of(room: dict[str, Any], guide: str) -> list[dict[str, Any]]:
    """The places of the tour or of one exhibit."""
    return [place for place in room["places"] if place["key"].startswith(f"{guide}/")]


def walk(page: Page, places: list[dict[str, Any]]) -> None:
    """Go through a guide by keyboard, predicting right; each scene must come."""
    for number, place in enumerate(places):
        if number:
            page.keyboard.press("n")
        at_event(page, place["scene"]["at"])
        if place["question"] is not None:
            page.keyboard.press("n")  # not before one has predicted
            page.keyboard.press("ABCD"[place["question"]["right"]])
            expect(stage(page).locator(".reveal").first).to_contain_text("Right.")
            at_event(page, place["then"]["at"])


@browsed
def test_the_tour_goes_from_moment_to_moment_by_keyboard(
    visit: Callable[..., Page], room: dict[str, Any]
) -> None:
    """Six steps, each with its moment on the screen; Back leads back, Escape leaves."""
    page = visit("#tour=1")
    walk(page, places_of(room, "tour"))
    assert page.url.endswith("#tour=6.2")
    expect(stage(page)).to_contain_text("Step 6 of 6")
    expect(stage(page).locator(".broken")).to_contain_text("R4")
    expect(stage(page).locator(".broken")).to_contain_text("agreement")
    page.keyboard.press("b")
    expect(page).to_have_url(page.url.split("#")[0] + "#tour=6")
    page.keyboard.press("Escape")
    expect(stage(page)).to_have_count(0)


@browsed
@pytest.mark.parametrize("exhibit", EXHIBITS)
def test_an_exhibit_goes_from_question_to_challenge(
    visit: Callable[..., Page], room: dict[str, Any], exhibit: str
) -> None:
    """Predict, run, see, change."""
    page = visit(f"#exhibit={exhibit}")
    walk(page, places_of(room, f"exhibit/{exhibit}"))
    (words,) = [one for one in room["exhibits"] if one["id"] == exhibit]
    expect(stage(page)).to_contain_text(words["section"])
    expect(stage(page).locator(".challenge")).to_contain_text(words["challenge"])
    expect(stage(page).locator("[data-learn=sandbox]")).to_be_visible()


@browsed
def test_a_prediction_is_judged_once_and_then_explained(
    visit: Callable[..., Page], room: dict[str, Any]
) -> None:
    """A wrong answer gets its own reason, the right one is marked, a second try is ignored."""
    page = visit("#tour=3")
    (place,) = places_of(room, "tour/must-push")
    at_event(page, place["scene"]["at"])
    expect(stage(page).locator(".next")).to_have_count(0)
    expect(stage(page).locator(".reveal")).to_have_count(0)
    stage(page).locator(".guess").nth(0).click()
    expect(stage(page).locator(".reveal").first).to_contain_text("Not so.")
    expect(stage(page).locator(".guess.right")).to_contain_text("apple")
    expect(stage(page).locator(".guess.wrong")).to_contain_text("you said")
    at_event(page, place["then"]["at"])
    expect(page.locator(".sentence")).to_contain_text("must push 'apple'")
    stage(page).locator(".guess.right").click(force=True)
    expect(stage(page).locator(".reveal").first).to_contain_text("Not so.")
    expect(stage(page).locator(".next")).to_contain_text("A wall, a crash, and a disk")
    # What was predicted is kept when one comes back to it.
    page.keyboard.press("n")
    page.keyboard.press("b")
    expect(stage(page).locator(".guess.wrong")).to_be_visible()


@browsed
def test_whoever_will_not_guess_is_shown_the_answer_and_not_judged(
    visit: Callable[..., Page],
) -> None:
    """The way on is never barred."""
    page = visit("#tour=5")
    stage(page).get_by_role("button", name="Show me the answer").click()
    expect(stage(page).locator(".guess.right")).to_be_visible()
    expect(stage(page).locator(".reveal")).not_to_contain_text(["Right."])
    expect(stage(page).locator(".next")).to_be_visible()


@browsed
def test_what_is_to_come_stays_hidden_in_the_tour(visit: Callable[..., Page]) -> None:
    """No arrow is drawn right of the cursor; out of the tour there are some."""
    ink = """() => {
        const canvas = document.getElementById("spacetime");
        const { width, height } = canvas;
        const copy = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
        copy.drawImage(canvas, 0, 0);
        const { data } = copy.getImageData(width * 0.6, height * 0.2, width * 0.38, height * 0.6);
        const seen = new Set();
        for (let at = 0; at < data.length; at += 4) seen.add(data.slice(at, at + 3).join());
        return seen.size;
    }"""
    page = visit("#tour=1")
    at_event(page, 13)
    hidden = page.evaluate(ink)
    # Nor do words tell it: neither the list nor "leads to".
    for told in (".events li.future", ".reasons", ".so"):
        expect(page.locator(told).filter(visible=True)).to_have_count(0)
    page.keyboard.press("Escape")
    expect(stage(page)).to_have_count(0)
    page.wait_for_function(f"({ink})() > {hidden + 20}")
    expect(page.locator(".events li.future").first).to_be_visible()
    assert hidden < 5, "more than lanes and background"


@browsed
def test_a_link_leads_back_into_tour_exhibit_and_variant(
    visit: Callable[..., Page], room: dict[str, Any]
) -> None:
    """The address follows, and is followed; nonsense leads to the beginning."""
    page = visit("#tour=4.2")
    at_event(page, places_of(room, "tour/wall")[1]["scene"]["at"])
    page.keyboard.press("n")
    expect(page).to_have_url(page.url.split("#")[0] + "#tour=4.3")
    page.reload()
    expect(stage(page)).to_contain_text("3 of 5")
    at_event(page, places_of(room, "tour/wall")[2]["scene"]["at"])
    page.evaluate("location.hash = '#exhibit=numbers'")
    expect(stage(page)).to_contain_text("Numbers are used once")
    at_event(page, places_of(room, "exhibit/numbers")[0]["scene"]["at"])
    page.evaluate("location.hash = '#variants'")
    expect(stage(page)).to_contain_text("32 variants")
    page.evaluate("location.hash = '#tour=99'")
    expect(stage(page)).to_contain_text("Step 1 of 6")
    page.evaluate("location.hash = '#variant=no-such'")
    expect(stage(page)).to_contain_text("There is no variant named “no-such”")


RECORD = """() => {
    window.places = [];
    const look = () => {
        const now = document.querySelector(".scrubber").value;
        if (window.places.at(-1) !== now) window.places.push(now);
        requestAnimationFrame(look);
    };
    look();
}"""


@browsed
@pytest.mark.parametrize(("motion", "jumps"), [("reduce", True), ("no-preference", False)])
def test_the_cursor_jumps_where_motion_is_unwelcome(
    visit: Callable[..., Page], room: dict[str, Any], motion: str, jumps: bool
) -> None:
    """And else goes line by line, so that one sees what led there."""
    first, second = places_of(room, "tour/alone")[:2]
    page = visit("#tour=1", reduced_motion=motion)
    at_event(page, first["scene"]["at"])
    page.evaluate(RECORD)
    page.keyboard.press("n")
    at_event(page, second["scene"]["at"])
    seen = page.evaluate("window.places.length")
    assert (seen <= 3) == jumps, seen


@browsed
def test_each_caption_is_announced(visit: Callable[..., Page]) -> None:
    """In a live region that stays where it is, so that a screen reader reads each new one."""
    page = visit("#tour=1")
    caption = stage(page).locator(".caption[aria-live=polite]")
    expect(caption).to_contain_text("A client asks n2")
    page.evaluate("window.kept = document.querySelector('.caption')")
    page.keyboard.press("n")
    expect(caption).to_contain_text("Phase 1.")
    assert page.evaluate("window.kept === document.querySelector('.caption')")


@browsed
def test_a_story_that_is_not_there_gets_a_sentence(visit: Callable[..., Page]) -> None:
    """The caption stays, and nothing is asked for again and again."""
    page = visit("#tour=1")
    at_event(page, 13)
    asked: list[str] = []

    def refuse(route: Any) -> None:
        asked.append(route.request.url)
        route.fulfill(status=200, body="{}")

    page.route("**/stories/bridge/**", refuse)
    page.evaluate("location.hash = '#exhibit=majorities'")
    expect(page.get_by_role("alert").or_(stage(page).locator(".warn")).first).to_be_visible()
    count = len(asked)
    page.keyboard.press("Escape")
    expect(stage(page)).to_have_count(0)
    assert len(asked) == count


# --- variants -----------------------------------------------------------------------------


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
    expect(page.locator("#now-title")).to_contain_text("of 184")


@browsed
def test_every_variant_can_be_opened(visit: Callable[..., Page]) -> None:
    """Also those whose change is a setting, and that no story shows."""
    page = visit("#variants")
    for variant in variants_json()["variants"]:
        page.evaluate(f"location.hash = '#variant={variant['name']}'")
        expect(stage(page).locator(".guide-name")).to_have_text(variant["name"])
        expect(stage(page).locator(".diff-row")).to_have_count(len(variant["diff"]))
        shown = "Repair it" if variant["handlers"] else "cannot be edited here"
        expect(stage(page)).to_contain_text(shown)
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
def test_without_a_sandbox_all_but_repair_and_running_works(browser: Browser, address: str) -> None:
    """And the page says what is missing."""
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    missing_engine = {"available": False, "why": "Pyodide is not here.", "pyodide": None}
    page.route("**/sandbox.json", lambda route: route.fulfill(json=missing_engine))
    page.goto(address + "#variant=promise-omits-accepted")
    stage(page).get_by_role("button", name="Repair it").click()
    stage(page).get_by_role("button", name="Run", exact=True).click()
    expect(stage(page).locator(".repair .bad")).to_contain_text("Pyodide is not here.")
    page.evaluate("location.hash = '#exhibit=binding.4'")
    stage(page).locator("[data-learn=sandbox]").click()
    expect(page.get_by_text("Pyodide is not here.").first).to_be_visible()
    context.close()


# --- with the engine ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sandbox(browser: Browser, address: str) -> Iterator[Page]:
    """One page for all that needs the engine, which takes some seconds to start."""
    if (reason := no_browser_reason()) is not None:
        pytest.skip(reason)
    if not sandbox_json()["available"]:
        without(sandbox_json()["why"])
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(address + "#variant=promise-omits-accepted")
    stage(page).get_by_role("button", name="Repair it").click()
    yield page
    context.close()


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
    assert "message.ballot, self.accepted)" in editor.input_value()
    stage(sandbox).get_by_role("button", name="Run", exact=True).click()
    answer = stage(sandbox).locator(".repair [role=status]")
    expect(answer.locator("h4")).to_contain_text("✓ Repaired", timeout=120_000)


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
def test_the_sandbox_opens_with_the_recipe_of_the_exhibit(
    sandbox: Page, room: dict[str, Any]
) -> None:
    """What is handed over is what stands in the exhibit, and its run is shown."""
    (recipe,) = [
        place["open"]["recipe"]
        for place in places_of(room, "exhibit/one-value")
        if place["open"] is not None
    ]
    sandbox.evaluate("location.hash = '#exhibit=one-value.4'")
    stage(sandbox).locator("[data-learn=sandbox]").click()
    expect(stage(sandbox)).to_have_count(0)
    expect(sandbox.locator("main")).to_have_class("mode-sandbox", timeout=120_000)
    count = run(recipe, scenario_data())["line_count"]
    expect(sandbox.locator("#now-title")).to_contain_text(f"of {count:,}", timeout=120_000)


# --- for everybody ---------------------------------------------------------------------------


STICKS_OUT = """stage => {
    const { right } = stage.getBoundingClientRect();
    if (stage.scrollWidth <= stage.clientWidth) return [];
    const wide = [...stage.querySelectorAll("*")].filter((one) => one.getBoundingClientRect().right > right);
    return [`${stage.scrollWidth} > ${stage.clientWidth}`, ...wide.map((one) => one.outerHTML.slice(0, 120))];
}"""


@browsed
@pytest.mark.parametrize("look", ["light", "dark", "phone"])
@pytest.mark.parametrize(
    "hash_", ["#tour=3", "#tour=6.2", "#exhibit=persistence", "#variants", "#variant=number-reused"]
)
def test_axe_finds_nothing(visit: Callable[..., Page], hash_: str, look: str) -> None:
    """Labels, contrast, roles and order; nothing sticks out on a phone."""
    settings: dict[str, Any] = {"color_scheme": "dark" if look == "dark" else "light"}
    if look == "phone":
        settings["viewport"] = {"width": 390, "height": 844}
    page = visit(hash_, **settings)
    expect(page.locator("#now-title, .variant-list").first).to_be_visible()
    if hash_ == "#tour=3":
        stage(page).locator(".guess").first.click()
        expect(stage(page).locator(".reveal").first).to_be_visible()
    if hash_ == "#variant=number-reused":
        stage(page).get_by_role("button", name="Repair it").click()
        stage(page).get_by_role("button", name="Show the correct one").click()
    found = Axe().run(page).response["violations"]
    assert found == [], json.dumps(found, indent=1)[:4000]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert stage(page).evaluate(STICKS_OUT) == []


@browsed
def test_the_tour_is_taken_with_the_keyboard_alone(visit: Callable[..., Page]) -> None:
    """From the button Tour to the first prediction, with Tab and Enter."""
    page = visit("")
    page.get_by_role("button", name="Tour", exact=True).focus()
    page.keyboard.press("Enter")
    expect(stage(page)).to_contain_text("Step 1 of 6")
    button = stage(page).get_by_role("button", name="Next")
    for _ in range(40):
        if button.evaluate("button => button === document.activeElement"):
            break
        page.keyboard.press("Tab")
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    expect(stage(page)).to_contain_text("Phase 1.")
    # The focus stays where it is: Enter goes on.
    expect(stage(page).get_by_role("button", name="Next")).to_be_focused()
    page.keyboard.press("Enter")
    expect(stage(page)).to_contain_text("Phase 2.")


@browsed
def test_the_side_tab_lists_tour_exhibits_and_variants(visit: Callable[..., Page]) -> None:
    """A table of contents, which opens each."""
    page = visit("#story=basic")
    page.get_by_role("tab", name="Learn").click()
    contents = page.locator(".contents")
    expect(contents.get_by_role("list").nth(0).get_by_role("listitem")).to_have_count(6)
    expect(contents.get_by_role("list").nth(1).get_by_role("listitem")).to_have_count(10)
    contents.get_by_role("button", name="How numbers are made").click()
    expect(stage(page)).to_contain_text("Each proposer owns a thousand numbers")
    page.keyboard.press("Escape")
    contents.get_by_role("button", name="See the broken variants").click()
    expect(stage(page)).to_contain_text("32 variants")
