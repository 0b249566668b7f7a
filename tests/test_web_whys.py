"""*Why?* on the page is what the checker says of the same log, word for word."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from orchestrator.stories import story_files
from paxos.checker.why import explain_path
from paxos.events import Line, encode, line_id, narrate
from tests.web_page import Visit
from tests.web_server import scripted, serving, write_run

pytestmark = pytest.mark.browser

VISIT = {"reduced_motion": "reduce"}
BROKEN = "20260101-ignores-reports"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page, with one run in which a report was ignored."""
    logs = tmp_path_factory.mktemp("logs")
    folder = write_run(logs, BROKEN, scripted("R4-ignores-reported-values"))
    # The table names no instance as this run's own, so of none anything would be said.
    (folder / "run.json").unlink()
    with serving(logs) as url:
        yield url


def explained(folder: Path, lines: list[Line]) -> list[dict[str, Any]]:
    """All that the checker has to say of a log."""
    path = folder / "events.jsonl"
    path.write_bytes(b"".join(map(encode, lines)))
    whys: list[dict[str, Any]] = explain_path(path)["whys"]
    return whys


def shown(page: Page, hash_: str, why: dict[str, Any], lines: list[Line]) -> None:
    """Go to the line that an answer is about: it stands there, and its proof is a click away."""
    page.evaluate("hash => { location.hash = hash; }", f"{hash_}&at={why['line']}")
    by_name = {line_id(line): line for line in lines}
    place = lines.index(by_name[why["line"]])
    expect(page.locator("#now-title")).to_contain_text(f"event {place + 1:,} of {len(lines):,}")
    answer = page.locator(".whys > li").filter(has_text=why["sentence"])
    expect(answer).to_have_count(1)
    expect(answer.locator(".why-mark")).to_have_text("Why?" if why["ok"] else "Not justified:")
    assert ("unjustified" in (answer.get_attribute("class") or "")) == (not why["ok"])
    proofs = [name for name in why["events"] if name != why["line"]]
    assert proofs
    expect(answer.locator(".evidence-link")).to_have_text(proofs)
    answer.locator(".evidence-link").first.click()
    expect(page.locator("#now-title")).to_contain_text(
        f"event {lines.index(by_name[proofs[0]]) + 1:,} of"
    )


@pytest.mark.parametrize(
    ("story", "kind", "event", "part"),
    [
        ("competing", "refusal", "nack_sent", "refuses to accept at"),
        ("competing", "nack", "nack_received", "which n5 began"),
        ("competing", "accept", "accept_sent", "may push any client's value"),
        ("crash-majority", "stuck", "timeout_fired", "2 of the 3 promises"),
        ("late-proposer", "accept", "accept_sent", "may push only"),
    ],
)
def test_a_story_says_why(
    visit: Visit, tmp_path: Path, story: str, kind: str, event: str, part: str
) -> None:
    """Why a node refused, what a refusal tells, why a value was pushed, which quorum is missing."""
    lines = [json.loads(row) for row in story_files(story)["events.jsonl"].splitlines()]
    by_name = {line_id(line): line for line in lines}
    why = next(
        one for one in explained(tmp_path, lines) if one["kind"] == kind and part in one["sentence"]
    )
    assert by_name[why["line"]]["event"] == event
    page = visit(f"#story={story}")
    shown(page, f"#story={story}", why, lines)
    for name in why["also"][:1]:
        # The rest of a broadcast has the same answer.
        shown(page, f"#story={story}", {**why, "line": name}, lines)


def test_an_accept_that_no_rule_justifies_is_said_to_be_none(visit: Visit, tmp_path: Path) -> None:
    """Exactly where a rule is broken; whatever is in order there is told as a reason."""
    lines = scripted("R4-ignores-reported-values")
    whys = explained(tmp_path, lines)
    (broken,) = [why for why in whys if not why["ok"] and why["rule"] == "R4"]
    page = visit(f"#run={BROKEN}")
    shown(page, f"#run={BROKEN}", broken, lines)
    sound = next(why for why in whys if why["kind"] == "accept" and why["ok"])
    shown(page, f"#run={BROKEN}", sound, lines)
    silent = next(line for line in lines if line["event"] == "propose_invoked")
    assert line_id(silent) not in {name for why in whys for name in (why["line"], *why["also"])}
    page.evaluate("hash => { location.hash = hash; }", f"#run={BROKEN}&at={line_id(silent)}")
    expect(page.locator(".sentence")).to_have_text(narrate(silent))
    expect(page.locator(".whys")).to_have_count(0)


def test_what_the_page_reads_is_what_the_checker_says(
    browser: Browser, address: str, tmp_path: Path
) -> None:
    """Of a story, which brings its answers, and of a run, whose answers the server makes."""
    context = browser.new_context()
    for path, lines in (
        (f"runs/{BROKEN}", scripted("R4-ignores-reported-values")),
        (
            "stories/competing",
            [json.loads(row) for row in story_files("competing")["events.jsonl"].splitlines()],
        ),
    ):
        told = context.request.get(f"{address}{path}/why.json").json()
        assert told["whys"] == explained(tmp_path, lines)
    context.close()


def test_one_step_is_not_justified_and_explained_at_once(visit: Visit, tmp_path: Path) -> None:
    """What else there is to say of a step that breaks a rule is no answer to "why?"."""
    story = "broken--skips-phase-1-shortest"
    lines = [json.loads(row) for row in story_files(story)["events.jsonl"].splitlines()]
    whys = explained(tmp_path, lines)
    wrong = next(one for one in whys if not one["ok"])
    right = next(one for one in whys if one["ok"] and one["line"] == wrong["line"])
    page = visit(f"#story={story}&at={wrong['line']}")
    answers = page.locator(".whys > li")
    expect(answers).to_contain_text([wrong["sentence"], right["sentence"]])
    expect(answers.locator(".why-mark")).to_have_text(["Not justified:", "Also here:"])


def test_two_values_are_told_as_what_they_are(visit: Visit, tmp_path: Path) -> None:
    """The write that completes a second quorum is no step that lacks a justification."""
    story = "broken--skips-phase-1-by-hand"
    lines = [json.loads(row) for row in story_files(story)["events.jsonl"].splitlines()]
    why = next(
        one for one in explained(tmp_path, lines) if one["rule"] == "agreement" and not one["ok"]
    )
    page = visit(f"#story={story}&at={why['line']}")
    answer = page.locator(".whys > .unjustified")
    expect(answer).to_contain_text(why["sentence"])
    expect(answer.locator(".why-mark")).to_have_text("Agreement is broken:")
