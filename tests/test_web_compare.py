"""Two runs side by side: which lines match, where they first differ, what came of it."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import Page, expect

from orchestrator.stories import story_files
from paxos.events import Line, encode, narrate
from paxos.simulator import World
from tests.web_page import drop, in_both_themes
from tests.web_rooms import BROKEN, LATE, PARTITION, ask, served, simulated, write_runs
from tests.web_server import recorded, write_run

ONE = "20260105-one"
OTHER = "20260106-other"
LATER = "20260107-later"


def forked(kill: int) -> list[Line]:
    """A run that is the same as its siblings until a node is killed in it."""
    world = World(7)
    world.propose(1, 1, "apple")
    world.kill(5, kill)
    world.propose(60, 5, "pear")
    world.run(400)
    return world.lines


def story(name: str) -> list[Line]:
    """The log of a story."""
    text = story_files(name)["events.jsonl"].decode("utf-8")
    return [json.loads(row) for row in text.splitlines()]


def later(lines: list[Line]) -> list[Line]:
    """The same run on another day."""
    return [{**line, "at_ns": line["at_ns"] + 86_400_000_000_000} for line in lines]


def first_apart(one: list[Line], other: list[Line]) -> int:
    """The first place at which two logs are not the same bytes."""
    pairs = zip(map(encode, one), map(encode, other), strict=False)
    return next(at for at, (left, right) in enumerate(pairs) if left != right)


def is_alignment(a: list[str], b: list[str], rows: list[list[int]]) -> bool:
    """Whether every entry of both stands in one row, in order."""
    left = [one for one, _ in rows if one >= 0]
    right = [other for _, other in rows if other >= 0]
    return left == list(range(len(a))) and right == list(range(len(b)))


def longest_common(a: list[str], b: list[str]) -> int:
    """The length of the longest common sequence."""
    best = [0] * (len(b) + 1)
    for one in a:
        before = 0
        for place, other in enumerate(b, 1):
            here = best[place]
            best[place] = before + 1 if one == other else max(best[place], best[place - 1])
            before = here
    return best[-1]


class TestMatching:
    @settings(max_examples=25)
    @given(
        a=st.lists(st.sampled_from("abcdefgh"), max_size=30),
        b=st.lists(st.sampled_from("abcdefgh"), max_size=30),
    )
    def test_every_line_has_its_row_in_order(self, a: list[str], b: list[str]) -> None:
        """Whatever the two logs are like, no line is lost and none is told twice."""
        rows = ask("matched", a=a, b=b)
        assert is_alignment(a, b, rows)
        same = sum(one >= 0 and other >= 0 and a[one] == b[other] for one, other in rows)
        assert same <= longest_common(a, b)
        assert same > 0 or longest_common(a, b) == 0

    def test_the_check_of_rows_notices_a_lost_line(self) -> None:
        """And two that changed places."""
        assert is_alignment(["a", "b"], ["a"], [[0, 0], [1, -1]])
        assert not is_alignment(["a", "b"], ["a"], [[0, 0]])
        assert not is_alignment(["a", "b"], ["a"], [[1, 0], [0, -1]])

    def test_a_line_that_is_gone_is_one_difference(self) -> None:
        """By matching lines; by order everything behind it differs, too."""
        lines = simulated(3)
        gone = next(at for at, line in enumerate(lines) if line["event"] == "promise_sent")
        short = lines[:gone] + lines[gone + 1 :]
        told = ask("compare", a=lines, b=short)
        assert [(hunk["from"], hunk["to"]) for hunk in told["hunks"]] == [(gone, gone)]
        assert told["pairs"][gone] == [gone, -1, False]
        by_order = ask("compare", a=lines, b=short, by="order")
        assert by_order["hunks"][0]["from"] == gone
        assert by_order["hunks"][-1]["to"] == len(lines) - 1
        assert sum(not same for *_, same in by_order["pairs"]) > len(lines) - gone - 10

    def test_what_matches_stands_at_one_place_in_both_views(self) -> None:
        """And places never go back."""
        told = ask("compare", a=forked(3), b=forked(4))
        assert told["apart"] == 0
        assert told["back"] is False

    def test_times_are_aside_unless_bytes_are_asked_for(self) -> None:
        """The same run on another day is the same run."""
        lines = simulated(4)
        assert ask("compare", a=lines, b=later(lines))["hunks"] == []
        assert ask("compare", a=lines, b=later(lines), by="order")["hunks"] == []
        exact = ask("compare", a=lines, b=later(lines), by="order", exact=True)
        assert [(hunk["from"], hunk["to"]) for hunk in exact["hunks"]] == [(0, len(lines) - 1)]

    def test_a_value_is_never_aside(self) -> None:
        """One other value is a difference in every notion."""
        lines = simulated(4)
        at = next(at for at, line in enumerate(lines) if line["event"] == "accept_sent")
        other = [
            {**line, "value": "plum"} if place == at else line for place, line in enumerate(lines)
        ]
        for by in ("lines", "order"):
            assert ask("compare", a=lines, b=other, by=by)["hunks"][0]["from"] == at

    def test_counts_are_aside_where_lines_are_matched(self) -> None:
        """Another number of the first line, another start, another instance: the same story."""
        lines = recorded("local-partition")
        moved = [
            {
                **line,
                "seq": line["seq"] + 100,
                **({"instance": line["instance"] + 5} if "instance" in line else {}),
                **({"cause": f"{line['cause']}00"} if "cause" in line else {}),
                **({"instances": {"fruit": 16}} if line["event"] == "run_started" else {}),
            }
            for line in lines
        ]
        told = ask("compare", a=lines, b=moved)
        kinds = {lines[one]["event"] for one, _, same in told["pairs"] if not same}
        assert kinds <= {"settings_changed", "run_started", "node_started", "gate_changed"}

    def test_two_forks_differ_first_at_the_fault(self) -> None:
        """By either way of putting lines beside each other: the first byte that differs."""
        one, other = forked(3), forked(4)
        first = first_apart(one, other)
        assert one[first]["event"] == "fault_applied"
        for by in ("lines", "order"):
            assert ask("compare", a=one, b=other, by=by)["hunks"][0]["from"] == first

    def test_lines_that_only_stand_elsewhere_are_told_apart(self) -> None:
        """A line that another run has, too, at another place, is a matter of order."""
        lines = simulated(5)
        at = next(
            at
            for at in range(60, len(lines) - 1)
            if lines[at]["node"] != lines[at + 1]["node"]
            and lines[at + 1].get("cause") != f"{lines[at]['node']}/1/{lines[at]['seq']}"
        )
        swapped = [*lines[:at], lines[at + 1], lines[at], *lines[at + 2 :]]
        hunks = ask("compare", a=lines, b=swapped)["hunks"]
        assert hunks
        assert all(hunk["moved"] for hunk in hunks)
        assert not any(
            hunk["moved"] for hunk in ask("compare", a=forked(3), b=forked(4))["hunks"][:1]
        )

    def test_lines_that_say_the_same_are_told_apart_by_what_they_keep(self) -> None:
        """The sentence of a promise that came in does not say what its proposer will push."""
        (a, b) = (story(name) for name in ("tour", "tour--ignore-accepted"))
        first = ask("compare", a=a, b=b)["hunks"][0]["from"]
        assert narrate(a[first]) == narrate(b[first])
        found = {"a": "apple at 3.n5", "b": "pear at 3.n5"}
        name = "what the proposer pushes then"
        assert ask("differing", a=a[first], b=b[first]) == [{"name": name, **found}]
        moved = {**a[first], "seq": 1_000, "at_ns": 1, "ballot": "4.n5"}
        wanted = [{"name": "ballot", "a": "3.n5", "b": "4.n5"}]
        assert ask("differing", a=a[first], b=moved) == wanted
        exact = ask("differing", a=a[first], b=moved, exact=True)
        assert [one["name"] for one in exact] == ["seq", "at_ns", "ballot"]

    def test_what_is_shown_of_the_sandbox_goes_by_its_branch(self) -> None:
        """All branches have one title: two of them side by side would be called the same."""
        branches = [{"id": 4, "name": "as it ran"}, {"id": 6, "name": "branch 1"}]
        about = {"lines": forked(3), "branches": branches, "current": 6}
        source = {"kind": "sandbox", "name": "branch 1"}
        wanted = {"kind": "branch", "name": "6", "title": "branch 1"}
        assert ask("shown_side", source=source, **about) == wanted
        run = ask("shown_side", source={"kind": "run", "name": "one"}, **about)
        assert (run["kind"], run["name"]) == ("run", "one")

    def test_next_leads_from_each_difference_to_the_one_behind_it(self) -> None:
        """And from the last to none."""
        told = ask("compare", a=forked(3), b=forked(4))
        begins = [hunk["from"] for hunk in told["hunks"]]
        assert told["next"] == [*begins[1:], None]

    def test_figures_count_what_the_log_holds(self) -> None:
        """Messages by kind, what was lost, what was chosen, and how long that took."""
        lines = recorded("local-partition")
        figures = dict(ask("figures", lines=lines))
        assert figures["Events"] == str(len(lines))
        for kind in ("prepare", "promise", "accept", "accepted"):
            sent = sum(line["event"] == f"{kind}_sent" for line in lines)
            assert figures[f"\N{EN DASH} {kind.capitalize()}"] == str(sent)
        assert figures["Chosen"] == "apple at 1.n1"
        assert figures["Lost messages"] == "12"
        wish = next(line for line in lines if line["event"] == "propose_received")
        assert float(figures["From the first wish to the choice"].split()[0]) > 0
        assert wish["at_ns"] > lines[0]["at_ns"]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page, with two forks of one run and the first of them on another day."""
    logs = tmp_path_factory.mktemp("logs")
    write_runs(logs)
    write_run(logs, ONE, forked(3), title="n3 killed")
    write_run(logs, OTHER, forked(4), title="n4 is killed")
    write_run(logs, LATER, later(forked(3)), title="n3 is killed, later")
    with served(logs) as url:
        yield url


def compared(visit: Callable[..., Page], a: str = ONE, b: str = OTHER, **how: Any) -> Page:
    """The page with two runs side by side, as a link opens it."""
    page = visit(f"#compare=run:{a},run:{b}", **how)
    expect(page.locator(".compare-told")).to_be_visible()
    return page


def row(page: Page) -> int:
    """Where the cursor stands."""
    return int(page.get_by_role("slider", name="Line", exact=True).input_value())


@pytest.mark.browser
class TestPage:
    def test_a_link_opens_both_at_their_first_difference(self, visit: Callable[..., Page]) -> None:
        """It is told in a sentence, and marked by the cursor in both."""
        page = compared(visit)
        first = first_apart(forked(3), forked(4))
        expect(page.locator(".compare-told")).to_contain_text(
            f"The first {first} lines are the same."
        )
        expect(page.locator(".compare-told")).to_contain_text("n3 killed")
        expect(page.locator(".compare-told")).to_contain_text("n4 killed")
        assert row(page) == first
        expect(page.locator(".compare-here.differs")).to_have_count(2)
        assert page.evaluate("location.hash") == f"#compare=run:{ONE},run:{OTHER}"
        # Behind the sheet stands the first of the two.
        page.get_by_role("button", name="Close").click()
        expect(page).to_have_url(re.compile(f"#run={ONE}"))
        expect(page.locator(".sentence")).to_be_visible()

    def test_a_sentence_that_both_say_is_said_once_with_what_differs(
        self, visit: Callable[..., Page]
    ) -> None:
        """The pair of the tour's end: the same promises, and another value that is pushed."""
        page = visit("#compare=story:tour,story:tour--ignore-accepted")
        told = page.locator(".compare-told")
        expect(told).to_contain_text("Both runs then say: “n5 has promises of 3.n5")
        pushes = "what the proposer pushes then"
        pair = f"{pushes}: “apple at 3.n5” in the first, “pear at 3.n5” in the second."
        expect(told).to_contain_text(f"but they differ: {pair}")
        here = page.locator(".compare-here.differs .kept")
        expect(here).to_have_text([f"({pushes}: apple at 3.n5)", f"({pushes}: pear at 3.n5)"])
        expect(told).not_to_contain_text("The first run then says")

    def test_next_and_previous_go_from_difference_to_difference(
        self, visit: Callable[..., Page]
    ) -> None:
        """By buttons, which the keyboard reaches."""
        page = compared(visit)
        begins = [hunk["from"] for hunk in ask("compare", a=forked(3), b=forked(4))["hunks"]]
        assert len(begins) > 2
        for begin in begins[1:3]:
            page.get_by_role("button", name="Next difference").press("Enter")
            expect(page.get_by_role("slider", name="Line", exact=True)).to_have_value(str(begin))
        page.get_by_role("button", name="Previous difference").press("Enter")
        expect(page.get_by_role("slider", name="Line", exact=True)).to_have_value(str(begins[1]))
        page.get_by_role("button", name="First difference").press("Enter")
        expect(page.get_by_role("slider", name="Line", exact=True)).to_have_value(str(begins[0]))

    def test_one_cursor_moves_in_both(self, visit: Callable[..., Page]) -> None:
        """By the slider's keys, by its buttons, and by a click on either view."""
        page = compared(visit)
        begin = row(page)
        slider = page.get_by_role("slider", name="Line", exact=True)
        slider.press("ArrowLeft")
        expect(slider).to_have_value(str(begin - 1))
        expect(page.locator(".compare-here.differs")).to_have_count(0)
        texts = page.locator(".compare-here").all_inner_texts()
        assert texts[0] == texts[1]
        page.get_by_role("button", name="Step on").click()
        expect(slider).to_have_value(str(begin))
        canvas = page.locator("#compare-b")
        canvas.click(position={"x": 200, "y": 100})
        expect(slider).not_to_have_value(str(begin))

    def test_both_views_are_drawn_and_the_wheel_and_a_drag_move_both(
        self, visit: Callable[..., Page]
    ) -> None:
        """What is drawn changes in both together."""
        page = compared(visit)

        def pictures() -> list[str]:
            page.evaluate(
                "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
            )
            # Both of one moment: something may be drawn between two looks.
            found: list[str] = page.evaluate(
                "['a', 'b'].map(one => document.getElementById(`compare-${one}`).toDataURL())"
            )
            return found

        before = pictures()
        assert before[0] != before[1]
        assert all(len(picture) > 5_000 for picture in before)
        for _ in range(4):
            page.locator(".compare").get_by_role("button", name="Zoom in").click()
        zoomed = pictures()
        assert all(one != other for one, other in zip(before, zoomed, strict=True))
        box = page.locator("#compare-a").bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + 500, box["y"] + 100)
        page.mouse.down()
        page.mouse.move(box["x"] + 300, box["y"] + 100, steps=4)
        page.mouse.up()
        dragged = pictures()
        assert all(one != other for one, other in zip(zoomed, dragged, strict=True))
        page.mouse.wheel(0, -300)
        # The wheel is told to the page at some frame, not at once.
        turned = next((now for now in (pictures() for _ in range(60)) if now != dragged), dragged)
        assert all(one != other for one, other in zip(dragged, turned, strict=True))

    def test_the_notion_of_a_difference_is_said_and_can_be_changed(
        self, visit: Callable[..., Page]
    ) -> None:
        """The same run on another day: nothing, until times count."""
        page = compared(visit, ONE, LATER)
        expect(page.locator(".compare-told")).to_contain_text("No difference")
        expect(page.locator(".compare-notions")).to_contain_text("differ only in times")
        page.get_by_label("Count differences of time, too").check()
        expect(page.locator(".compare-told")).to_contain_text("differ from the first line on")
        expect(page.locator(".compare-notions")).to_contain_text("when their bytes are")
        assert page.evaluate("location.hash").endswith("&exact=1")

    def test_figures_and_verdicts_stand_side_by_side(self, visit: Callable[..., Page]) -> None:
        """What differs is marked with a sign, not with weight alone."""
        page = compared(visit, BROKEN, LATE)
        table = page.locator(".compare-figures")
        verdict = table.get_by_role("row", name="Verdict")
        expect(verdict).to_contain_text("violated")
        expect(verdict).to_contain_text("unknown")
        expect(verdict.get_by_role("img", name="differs")).to_be_visible()
        expect(table.get_by_role("row", name="Broken")).to_contain_text("R4")

    def test_two_runs_are_chosen_from_the_lists(self, visit: Callable[..., Page]) -> None:
        """What is shown, a run, a story; then swapped."""
        page = visit(f"#run={ONE}")
        page.get_by_role("button", name="Compare").first.click()
        page.get_by_label("First run", exact=True).select_option("shown:")
        expect(page.get_by_label("First run", exact=True)).to_have_value(f"run:{ONE}")
        page.get_by_label("Second run", exact=True).select_option(f"run:{OTHER}")
        expect(page.locator(".compare-told")).to_contain_text("n4 killed")
        page.get_by_role("button", name="Swap").click()
        expect(page.get_by_label("First run", exact=True)).to_have_value(f"run:{OTHER}")
        page.get_by_label("Second run", exact=True).select_option("story:basic")
        expect(page.locator("#compare-title-b")).to_contain_text("Second run")
        expect(page.get_by_label("Second run", exact=True)).to_have_value("story:basic")

    def test_a_file_is_put_beside_a_run(self, visit: Callable[..., Page], tmp_path: Path) -> None:
        """Picked or dropped; a foreign one gets a sentence and changes nothing."""
        path = tmp_path / "fork.jsonl"
        path.write_bytes(b"".join(map(encode, forked(4))))
        page = visit(f"#run={ONE}")
        page.get_by_role("button", name="Compare").first.click()
        page.get_by_label("First run", exact=True).select_option("shown:")
        page.get_by_label("Second run: pick a log (.jsonl)").set_input_files(path)
        expect(page.locator(".compare-told")).to_contain_text("n4 killed")
        drop(page, {"foreign.jsonl": "no log\n"}, on=".compare")
        expect(page.locator(".compare .bad")).to_contain_text("foreign.jsonl is no log")
        expect(page.locator(".compare-told")).to_contain_text("n4 killed")

    def test_a_link_to_nothing_says_so(self, visit: Callable[..., Page]) -> None:
        """A sentence, not a blank sheet."""
        page = visit("#compare=run:nothing")
        expect(page.locator(".compare .bad")).to_contain_text("names no two runs")
        page = visit(f"#compare=run:{ONE},run:gone")
        expect(page.locator(".compare .bad")).to_contain_text("gone")

    @pytest.mark.parametrize("width", [1360, 390])
    def test_axe_finds_nothing_and_nothing_sticks_out(
        self, visit: Callable[..., Page], width: int
    ) -> None:
        """In light and dark, at the width of a phone, too."""
        page = compared(
            visit,
            PARTITION,
            LATE,
            reduced_motion="reduce",
            viewport={"width": width, "height": 844},
        )
        for _ in in_both_themes(page):
            findings = Axe().run(page)
            assert findings.violations_count == 0, findings.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_helper_makes_runs_that_agree_at_first() -> None:
    """The forks that these tests compare differ neither at once nor never."""
    one, other = forked(3), forked(4)
    assert 20 < first_apart(one, other) < min(len(one), len(other)) - 20
    assert json.dumps(one[0]) == json.dumps(other[0])
