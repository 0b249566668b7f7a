"""The share sheet: pictures and a report of a run, and in a browser all that it hands over.

What is made for other programs has its own tests, in tests/test_web_exports.py.
"""

import base64
import hashlib
import json
import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from orchestrator.yaml_file import FOLDER, read_scenario
from paxos.events import Line, encode, line_id, narrate
from paxos.sandbox import run as run_in_python
from tests.big_log import log_lines
from tests.export_rules import clocks_tell, shiviz_events, trace_faults
from tests.feed_load import serving_feed
from tests.web_page import drop, in_both_themes, visiting
from tests.web_rooms import (
    BROKEN,
    CRASH,
    LATE,
    PARTITION,
    ask,
    judged,
    on_a_real_day,
    served,
    words,
    write_runs,
)
from tests.web_server import recorded, scripted, text_of

SVG = "{http://www.w3.org/2000/svg}"
MARKUP = "</title></style></text></svg></script><img src=x onerror=alert(1)> & 'so' \"on\""

# How each kind is drawn: colour of the palette, width, dash. As STROKES in web/view/arrows.js.
STROKES = {
    "prepare": ("prepare", "1.5", None),
    "promise": ("prepare", "1.5", "6 4"),
    "accept": ("accept", "3", None),
    "accepted": ("accepted", "3", "7 4"),
    "nack": ("nack", "1.8", "1.5 3.5"),
    "learn": ("learn", "1.8", None),
}


def arrows(picture: str) -> Counter[str]:
    """How many arrows of each kind a picture has, told by their strokes."""
    palette = ask("palette")
    kinds = {(palette[name], width, dash): kind for kind, (name, width, dash) in STROKES.items()}
    counts: Counter[str] = Counter()
    for path in ET.fromstring(picture).iter(f"{SVG}path"):  # noqa: S314 - it is ours
        stroke = (path.get("stroke"), path.get("stroke-width"), path.get("stroke-dasharray"))
        # A hollow head is stroked, too, and closed.
        if stroke in kinds and not path.get("d", "").endswith("Z"):
            counts[kinds[stroke]] += 1
    return counts


class TestPicture:
    @pytest.mark.parametrize("name", ["local-partition", "local-late-proposer"])
    def test_it_has_an_arrow_for_each_message(self, name: str) -> None:
        """Told by colour, weight and dash of their strokes."""
        lines = recorded(name)
        sent = Counter(line["event"][:-5] for line in lines if line["event"].endswith("_sent"))
        wanted = {kind: sent[kind] for kind in STROKES if sent[kind]}
        picture = ask("picture", lines=lines)
        assert arrows(picture) == wanted
        # The count notices an arrow that is missing.
        assert (
            arrows(re.sub(r"<path[^>]*stroke-dasharray=\"6 4\"[^>]*/>", "", picture, count=1))
            != wanted
        )

    def test_text_stays_text_and_a_halo_is_no_second_one(self) -> None:
        """Whoever searches the picture finds a word once."""
        root = ET.fromstring(ask("picture", lines=recorded("local-partition")))  # noqa: S314
        texts = [element.text for element in root.iter(f"{SVG}text")]
        assert texts.count("wants pear") == 1
        assert {"n1", "n2", "n3", "n4", "n5"} <= set(texts)
        (label,) = [one for one in root.iter(f"{SVG}text") if one.text == "wants pear"]
        assert label.get("paint-order") == "stroke"
        assert label.get("stroke") is not None

    def test_each_message_says_what_it_is(self) -> None:
        """Its shapes are a group with its line's name, and its sentence as title."""
        lines = recorded("local-late-proposer")
        root = ET.fromstring(ask("picture", lines=lines))  # noqa: S314
        titles = {
            group.get("data-line"): group.findtext(f"{SVG}title")
            for group in root.iter(f"{SVG}g")
            if group.get("data-line")
        }
        sent = [line for line in lines if line["event"].endswith("_sent")]
        assert titles == {line_id(line): narrate(line) for line in sent}

    def test_what_is_to_come_is_faint_as_on_the_screen(self) -> None:
        """And is left out where the screen leaves it out."""
        lines = recorded("local-partition")
        now = arrows(ask("picture", lines=lines, change={"cursor": 120, "future": False}))
        faint = ask("picture", lines=lines, change={"cursor": 120, "future": True})
        assert sum(now.values()) < sum(arrows(faint).values())
        assert 'stroke-opacity="' in faint

    def test_in_sight_is_as_wide_as_the_screen_and_the_whole_has_a_limit(self) -> None:
        """A run of thousands of lines is drawn closer together."""
        lines = recorded("local-partition")
        seen = ET.fromstring(ask("picture", lines=lines, whole=False))  # noqa: S314
        assert seen.get("width") == "1000"
        whole = ET.fromstring(ask("picture", lines=lines, change={"scale": 60}))  # noqa: S314
        assert float(whole.get("width", "0")) <= 6000

    def test_clips_are_known_and_names_are_safe(self) -> None:
        """Every clip that is used is defined; what strangers wrote is text."""
        lines = recorded("local-partition")
        evil = [
            {**line, "value": MARKUP} if line.get("value") == "pear" else line for line in lines
        ]
        picture = ask("picture", lines=evil)
        used = set(re.findall(r"clip-path=\"url\(#([^)]+)\)\"", picture))
        assert used
        assert used <= set(re.findall(r"<clipPath id=\"([^\"]+)\"", picture))
        assert "<img" not in picture
        ET.fromstring(picture)  # noqa: S314

    def test_a_control_character_of_a_stranger_does_not_break_the_file(self) -> None:
        """XML has no way to write them, so a sign stands in their place."""
        lines = [
            {**line, "value": "a\x00b\ud800"} if line.get("value") == "pear" else line
            for line in recorded("local-partition")
        ]
        ET.fromstring(ask("picture", lines=lines))  # noqa: S314


class TestCanvas:
    """The object that writes down what is drawn on it."""

    def drawn(self, *calls: list[Any]) -> ET.Element:
        """The picture of these calls and settings."""
        root: ET.Element = ET.fromstring(ask("drawn", calls=calls))  # noqa: S314
        return root

    def test_what_was_saved_comes_back(self) -> None:
        """Colours, dashes and clips are put back by restore."""
        root = self.drawn(
            ["strokeStyle", "#111111"],
            ["save"],
            ["strokeStyle", "#222222"],
            ["setLineDash", [1, 2]],
            ["beginPath"],
            ["rect", 1, 2, 30, 40],
            ["clip"],
            ["strokeRect", 0, 0, 5, 5],
            ["restore"],
            ["strokeRect", 0, 0, 5, 5],
        )
        first, second = root.iter(f"{SVG}path"), None
        paths = list(first)
        second = paths[-1]
        assert (paths[-2].get("stroke"), paths[-2].get("stroke-dasharray")) == ("#222222", "1 2")
        assert (second.get("stroke"), second.get("stroke-dasharray")) == ("#111111", None)
        (group,) = root.findall(f"{SVG}g")
        assert group.get("clip-path") == "url(#clip1)"
        assert second not in list(group)

    def test_a_clip_in_a_clip_is_what_both_show(self) -> None:
        """Rectangles meet in one rectangle."""
        root = self.drawn(
            ["beginPath"], ["rect", 0, 0, 50, 50], ["clip"],
            ["beginPath"], ["rect", 30, 10, 50, 20], ["clip"],
            ["fillRect", 0, 0, 99, 99],
        )  # fmt: skip
        last = root.findall(f".//{SVG}clipPath/{SVG}rect")[-1]
        box = [last.get(name) for name in ("x", "y", "width", "height")]
        assert box == ["30", "10", "20", "20"]

    def test_fill_and_stroke_of_one_path_are_one_shape(self) -> None:
        """And a stroke before its fill stays below it."""
        root = self.drawn(["beginPath"], ["rect", 0, 0, 5, 5], ["fill"], ["stroke"])
        (path,) = root.iter(f"{SVG}path")
        assert path.get("fill") == path.get("stroke") == "#000"
        root = self.drawn(["beginPath"], ["rect", 0, 0, 5, 5], ["stroke"], ["fill"])
        assert len(list(root.iter(f"{SVG}path"))) == 2

    def test_alpha_belongs_to_what_is_drawn_with_it(self) -> None:
        """What is drawn with none at all is not drawn."""
        root = self.drawn(
            ["globalAlpha", 0.25], ["fillRect", 0, 0, 1, 1],
            ["globalAlpha", 0], ["fillRect", 0, 0, 1, 1],
        )  # fmt: skip
        (path,) = root.iter(f"{SVG}path")
        assert path.get("fill-opacity") == "0.25"

    def test_a_whole_circle_is_drawn_in_two_halves(self) -> None:
        """One arc that ends where it begins would be nothing."""
        root = self.drawn(["beginPath"], ["arc", 10, 10, 5, 0, 6.283185307179586], ["fill"])
        (path,) = root.iter(f"{SVG}path")
        assert re.findall(r"A5 5 0 0 1 (\S+) (\S+?)(?=A|$)", path.get("d", "")) == [
            ("5", "10"),
            ("15", "10"),
        ]

    def test_moved_and_scaled_is_where_it_is_seen(self) -> None:
        """Transforms go into the numbers; so does the width of a line."""
        root = self.drawn(["translate", 10, 20], ["scale", 2, 2], ["strokeRect", 1, 1, 3, 3])
        (path,) = root.iter(f"{SVG}path")
        assert path.get("d") == "M12 22L18 22L18 28L12 28Z"
        assert path.get("stroke-width") == "2"

    def test_fonts_are_taken_apart(self) -> None:
        """Style, weight, size and family."""
        root = self.drawn(
            ["font", "italic 600 12.5px system-ui, sans-serif"],
            ["textAlign", "center"],
            ["fillText", "a < b", 3, 4],
        )
        (text,) = root.iter(f"{SVG}text")
        names = ("font-style", "font-weight", "font-size", "font-family", "text-anchor")
        assert [text.get(name) for name in names] == [
            "italic", "600", "12.5", "system-ui, sans-serif", "middle",
        ]  # fmt: skip
        assert text.text == "a < b"

    def test_a_message_says_what_it_is(self) -> None:
        """What is drawn about one stands in a group with its sentence as title."""
        root = self.drawn(
            ["about", "n1/1/2"], ["fillRect", 0, 0, 1, 1], ["about", None], ["fillRect", 1, 1, 1, 1]
        )
        (group,) = root.findall(f"{SVG}g")
        assert group.get("data-line") == "n1/1/2"
        assert group.findtext(f"{SVG}title") == "tells <n1/1/2>"
        assert len(list(group.iter(f"{SVG}path"))) == 1


class TestReport:
    def test_it_has_no_script_and_asks_for_nothing(self) -> None:
        """Its own policy would refuse both, and allows the very style that is in it."""
        lines = scripted("R4-ignores-reported-values")
        report = ask("report", lines=lines, verdict=judged(lines))
        assert "<script" not in report
        assert not re.search(r"(?:src|href)=|@import|url\((?!#)", report)
        (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]+)"', report)
        assert "default-src &#39;none&#39;" in policy
        (style,) = re.findall(r"<style>(.*?)</style>", report, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        assert f"sha256-{digest}" in policy

    def test_its_pictures_wear_the_colours_of_the_page(self) -> None:
        """By name, so that they change with the theme; the names say what they say on the page."""
        report = ask("report", lines=recorded("local-partition"))
        sheet = (FOLDER.parent / "web" / "style.css").read_text("utf-8")

        def colours(text: str, theme: str) -> dict[str, str]:
            block = text[text.index(theme) :].split("}", 1)[0]
            return dict(re.findall(r"--([a-z]+): (#[0-9a-f]+);", block))

        drawn = set(re.findall(r'"var\(--([a-z]+)\)"', report))
        assert {"card", "prepare", "accept", "accepted", "wall"} <= drawn
        for theme in (":root {", ':root[data-theme="dark"] {'):
            of_page, of_report = colours(sheet, theme), colours(report, theme)
            shown = drawn - {"good", "page"}
            assert {n: of_report.get(n) for n in shown} == {n: of_page[n] for n in shown}
        paper = colours(report[report.index("@media print") :], ':root[data-theme="dark"] {')
        assert paper == colours(report, ":root {")

    def test_its_picture_goes_on_from_row_to_row(self) -> None:
        """Each message is in it, each row as wide as the text; a longer run has more of them, to a limit."""
        lines = recorded("local-partition")
        report = ask("report", lines=lines)
        rows = [ET.fromstring(row) for row in re.findall(r"<svg .*?</svg>", report, re.DOTALL)]  # noqa: S314
        assert 2 <= len(rows) <= 8
        assert {row.get("width") for row in rows} == {"960"}
        titles = [row.findtext(f"{SVG}title", "") for row in rows]
        assert [title.split(", ")[-1] for title in titles] == [
            f"row {number} of {len(rows)}" for number in range(1, len(rows) + 1)
        ]
        named = {group.get("data-line") for row in rows for group in row.iter(f"{SVG}g")} - {None}
        whole = ET.fromstring(ask("picture", lines=lines))  # noqa: S314
        assert named == {group.get("data-line") for group in whole.iter(f"{SVG}g")} - {None}
        clips = [clip.get("id") for row in rows for clip in row.iter(f"{SVG}clipPath")]
        assert len(clips) == len(set(clips))
        short = ask("report", lines=lines[:12])
        assert short.count("<svg ") == 1
        long = ask("report", lines=list(log_lines(20_000)))
        assert 2 <= long.count("<svg ") <= 9

    def test_it_quotes_what_broke_a_rule_and_tells_the_story(self) -> None:
        """With the sentences that every reader of the log uses."""
        lines = scripted("R4-ignores-reported-values")
        verdict = judged(lines)
        report = ask("report", lines=lines, verdict=verdict)
        assert "✗ violated" in report
        for violation in verdict["violations"]:
            assert escape(violation["sentence"]) in report
        accept = next(
            line for line in lines if line["event"] == "accept_sent" and line["value"] == "pear"
        )
        assert escape(narrate(accept)) in report
        assert report.count("<svg ") == 1

    def test_it_holds_the_whys_of_what_it_quotes(self) -> None:
        """As why.json tells them."""
        lines = scripted("R4-ignores-reported-values")
        verdict = judged(lines)
        named = line_id(verdict["violations"][0]["events"][-1])
        why = {
            "line": named,
            "kind": "accept",
            "rule": "R4",
            "instance": 1,
            "events": [],
            "ok": False,
        }
        whys = {"v": 1, "whys": [{**why, "sentence": "n3 had to push apple & said pear"}]}
        report = ask("report", lines=lines, verdict=verdict, why=whys)
        assert "n3 had to push apple &amp; said pear" in report
        assert "n3 had to push" not in ask("report", lines=lines, verdict=verdict)

    def test_what_strangers_wrote_is_text(self) -> None:
        """In the title, in values, in the run's name: the file has the elements that it always has."""
        lines = recorded("local-partition")
        evil = [
            {**line, "value": MARKUP} if line.get("value") == "pear" else line for line in lines
        ]
        evil = [
            {**line, "title": MARKUP} if line["event"] == "run_started" else line for line in evil
        ]
        report = ask("report", lines=evil, name=MARKUP)
        assert "&lt;img" in report
        elements = Elements.of(report)
        assert not {"img", "script"} & set(elements)
        assert elements == Elements.of(ask("report", lines=lines))

    def test_the_acceptors_stand_there_as_they_were_and_as_they_ended(self) -> None:
        """Of the moment that is shown, and of the end where that is another one."""
        lines = recorded("local-partition")
        early = ask("report", lines=lines, cursor=6)
        assert f"Acceptors at event 7 of {len(lines)}" in early
        assert f"Acceptors at event {len(lines)} of {len(lines)}" in early
        last = early[early.index(f"Acceptors at event {len(lines)}") :]
        # Three accepted it, in memory and on disk, and all five know it.
        assert last[: last.index("</table>")].count("apple") == 11
        assert ask("report", lines=lines).count("Acceptors at event") == 1
        # A run with two decisions ends with both.
        two = recorded("local-crash-after-promise")
        assert ask("report", lines=two, cursor=6).count(f"Acceptors at event {len(two)}") == 2

    def test_memory_stands_beside_disk(self) -> None:
        """Of a node that is down the memory is lost, and the disk stays."""
        lines = recorded("local-crash-after-promise")
        at = next(i for i, line in enumerate(lines) if line["event"] == "failpoint_hit")
        report = ask("report", lines=lines, cursor=at)
        row, *_at_the_end = re.findall(r'<tr><th scope="row">n3.*?</tr>', report, re.DOTALL)
        assert row.count('class="lost"') >= 2
        assert "killed at a failpoint" in row


class TestClosingLines:
    """Disks that are read half a minute after all else say nothing of how long a run took."""

    @pytest.fixture
    def lines(self) -> list[Line]:
        """A run of some milliseconds; at last the disk of the node that is down is read."""
        propose = {"propose": {"at": "n1", "value": "apple", "background": True}}
        commands = [{"after": 0, "do": propose}, {"after": 9_999, "do": {"kill": "n2"}}]
        made = run_in_python({"v": 1, "seed": 72, "nodes": 3, "commands": commands})
        lines: list[Line] = [json.loads(line) for line in made["lines"].splitlines()]
        assert [line["event"] for line in lines[-3:]] == [
            "fault_applied",
            "disk_read",
            "log_closed",
        ]
        assert lines[-2]["at_ns"] > 100 * lines[-3]["at_ns"]
        return lines

    def test_they_do_not_count_as_time(self, lines: list[Line]) -> None:
        """Neither in a report nor beside another run."""
        lasted = re.search(r"<dt>Lasted</dt><dd>(.*?)</dd>", ask("report", lines=lines))
        assert lasted is not None
        assert lasted[1] == dict(ask("figures", lines=lines))["Lasted"]
        assert lasted[1] == f"{(lines[-3]['at_ns'] - lines[0]['at_ns']) / 1e6:.1f} ms"

    def test_by_time_they_leave_the_room_to_the_run(self, lines: list[Line]) -> None:
        """They stand behind its last line, and all others by their times."""
        places = ask("axis", lines=lines)
        assert places == sorted(places)
        assert places[-3] < places[-2] <= places[-1] < 1.1 * places[-3]
        half = next(at for at, line in enumerate(lines) if 2 * line["at_ns"] > lines[-3]["at_ns"])
        passed = (lines[half]["at_ns"] - lines[0]["at_ns"]) / (
            lines[-3]["at_ns"] - lines[0]["at_ns"]
        )
        assert places[half] / places[-3] == pytest.approx(passed)


class Elements(HTMLParser):
    """Counts the elements of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()

    @classmethod
    def of(cls, page: str) -> Counter[str]:
        """How many of each kind there are."""
        parser = cls()
        parser.feed(page)
        return parser.counts

    def handle_starttag(self, tag: str, _attributes: list[tuple[str, str | None]]) -> None:
        """One more."""
        self.counts[tag] += 1


def escape(text: str) -> str:
    """As the report writes it."""
    for sign, entity in (
        ("&", "&amp;"),
        ("<", "&lt;"),
        (">", "&gt;"),
        ('"', "&quot;"),
        ("'", "&#39;"),
    ):
        text = text.replace(sign, entity)
    return text


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of runs."""
    folder = tmp_path_factory.mktemp("logs")
    write_runs(folder)
    return folder


@pytest.fixture(scope="module")
def address(logs: Path) -> Iterator[str]:
    """The page with those runs."""
    with served(logs) as url:
        yield url


def shared(visit: Callable[..., Page], run: str = LATE, at: str = "", **how: Any) -> Page:
    """The page with its share sheet open."""
    page = visit(f"#run={run}" + (f"&at={at}" if at else ""), **how)
    page.get_by_role("button", name="Share").first.click()
    expect(page.locator(".share")).to_be_visible()
    return page


def made(page: Page, button: str) -> tuple[str, bytes]:
    """Press a button, and take what the page hands over: its name and its content."""
    with page.expect_download() as download:
        page.get_by_role("button", name=button, exact=True).click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


@pytest.mark.browser
class TestSheet:
    def test_a_picture_is_what_is_seen(self, visit: Callable[..., Page]) -> None:
        """Its name says run and moment; the whole run is wider."""
        page = shared(visit, at="n1/4/225")
        name, picture = made(page, "SVG picture")
        assert name == f"{LATE}-at-n1-4-225.svg"
        seen = ET.fromstring(picture)  # noqa: S314
        canvas = page.locator("#spacetime").bounding_box()
        assert canvas is not None
        assert float(seen.get("width", "0")) == pytest.approx(canvas["width"], abs=1)
        page.get_by_label("the whole run").check()
        whole = ET.fromstring(made(page, "SVG picture")[1])  # noqa: S314
        assert float(whole.get("width", "0")) > float(seen.get("width", "0"))
        assert "chosen: apple at 1.n1" in [text.text for text in whole.iter(f"{SVG}text")]

    def test_a_report_shows_the_whole_run_wherever_the_page_stands(
        self, visit: Callable[..., Page]
    ) -> None:
        """Nothing in its picture is pale because it is still to come."""
        page = shared(visit, at="n1/4/225")
        pictures = []
        for key in ("Home", "End"):
            page.keyboard.press(key)
            report = made(page, "HTML report")[1].decode()
            pictures.append(report[report.index("<svg ") : report.index("</svg>")])
        assert pictures[0] == pictures[1]

    def test_no_label_is_cut_at_the_end_of_a_whole_run(self, visit: Callable[..., Page]) -> None:
        """Measured with the letters of the screen, on a run that ends with a wish being pushed."""
        page = visit("#story=broken--stale-promises-shortest")
        page.get_by_role("button", name="Share").first.click()
        page.get_by_label("the whole run").check()
        picture = made(page, "SVG picture")[1].decode()
        root = ET.fromstring(picture)  # noqa: S314
        assert root.findtext(f"{SVG}title", "").startswith("Space-time view of The shortest way")
        assert "Each node is a lane" in root.findtext(f"{SVG}desc", "")
        drawn = page.context.new_page()
        drawn.set_content(picture)
        cut = drawn.evaluate(
            """() => {
                const width = document.querySelector("svg").width.baseVal.value;
                return [...document.querySelectorAll("svg text")].filter((text) => {
                    const box = text.getBBox();
                    return box.x < 0 || box.x + box.width > width;
                }).map((text) => text.textContent);
            }"""
        )
        assert cut == []
        assert drawn.locator("svg text", has_text="pushes apple").count() == 1

    def test_a_picture_wears_the_theme(self, visit: Callable[..., Page]) -> None:
        """Light or dark as shown."""
        light = made(shared(visit, color_scheme="light"), "SVG picture")[1].decode()
        dark = made(shared(visit, color_scheme="dark"), "SVG picture")[1].decode()
        assert '<rect width="' in light
        assert 'fill="#ffffff"' in light
        assert 'fill="#171d25"' in dark
        assert 'fill="#ffffff"' not in dark

    def test_a_png_is_twice_as_fine(self, visit: Callable[..., Page]) -> None:
        """Twice the pixels of the screen each way, and not empty."""
        page = shared(visit)
        canvas = page.locator("#spacetime").bounding_box()
        assert canvas is not None
        name, png = made(page, "PNG picture")
        assert name.endswith(".png")
        assert png[:8] == b"\x89PNG\r\n\x1a\n"
        size = [int.from_bytes(png[at : at + 4]) for at in (16, 20)]
        assert size[0] == pytest.approx(canvas["width"] * 2, abs=2)
        assert size[1] == pytest.approx(canvas["height"] * 2, abs=2)
        assert len(png) > 10_000

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_the_report_opens_without_a_network(
        self, visit: Callable[..., Page], browser: Browser, tmp_path: Path, scheme: str
    ) -> None:
        """From a file, in a browser without scripts, with nothing refused and nothing asked for."""
        page = shared(visit, BROKEN, color_scheme=scheme)
        name, report = made(page, "HTML report")
        path = tmp_path / name
        path.write_bytes(report)
        context = browser.new_context(offline=True)
        try:
            opened = context.new_page()
            complaints: list[str] = []
            asked: list[str] = []
            opened.on("console", lambda message: complaints.append(message.text))
            opened.on("request", lambda request: asked.append(request.url))
            opened.goto(path.as_uri())
            expect(opened.get_by_role("heading", name="Verdict")).to_be_visible()
            expect(opened.locator(".violation").first).to_contain_text("R4")
            expect(opened.locator(".wide svg").first).to_be_visible()
            assert opened.evaluate("document.documentElement.scrollWidth <= innerWidth")
            assert opened.locator("html").get_attribute("data-theme") == scheme
            findings = Axe().run(opened)
            assert findings.violations_count == 0, findings.generate_report()
            opened.emulate_media(media="print")
            # Paper is white, whatever the page wears.
            ink = opened.evaluate("getComputedStyle(document.body).color")
            assert ink == "rgb(24, 32, 48)"
            # Between the margins of a sheet of A4 every row is there to its right edge.
            opened.set_viewport_size({"width": 700, "height": 1000})
            rows = opened.locator(".wide svg")
            for row in rows.all():
                box = row.bounding_box()
                assert box is not None
                assert box["x"] + box["width"] <= 700
                assert box["height"] > 150
            assert complaints == []
            assert asked == [path.as_uri()]
        finally:
            context.close()

    def test_the_log_is_the_log_byte_for_byte(self, visit: Callable[..., Page], logs: Path) -> None:
        """Though its times are numbers that a browser cannot hold exactly."""
        name, log = made(shared(visit, PARTITION), "Log")
        assert name == f"{PARTITION}.jsonl"
        assert log == (logs / PARTITION / "events.jsonl").read_bytes()

    def test_single_nodes_logs_are_merged_and_every_row_is_as_it_was(
        self, visit: Callable[..., Page]
    ) -> None:
        """Dropped as files of nodes; times in nanoseconds survive."""
        lines = recorded("local-partition")
        page = visit()
        nodes = {line["node"] for line in lines}
        drop(
            page,
            {
                f"{node}.jsonl": text_of(line for line in lines if line["node"] == node)
                for node in nodes
            },
        )
        expect(page.locator("#now-title")).to_contain_text(f"of {len(lines)}")
        page.get_by_role("button", name="Share").first.click()
        expect(page.locator(".share")).to_contain_text(f"of {len(lines)}")
        log = made(page, "Log")[1]
        assert sorted(log.splitlines(keepends=True)) == sorted(map(encode, lines))

    def test_of_a_long_run_the_bytes_come_from_where_they_lie(
        self, visit: Callable[..., Page], tmp_path: Path
    ) -> None:
        """Its index alone is in memory; lines are read again for what is made of them."""
        path = tmp_path / "long.jsonl"
        path.write_bytes(b"".join(map(encode, log_lines(26_000))))
        assert path.stat().st_size > 5_000_000
        page = visit(f"#run={PARTITION}")
        page.get_by_role("button", name="Open a run").click()
        page.locator("input[type=file]").first.set_input_files(path)
        expect(page.locator(".happening")).to_contain_text("of 26,000")
        page.get_by_role("button", name="Share").first.click()
        assert made(page, "Log")[1] == path.read_bytes()
        events = shiviz_events(made(page, "ShiViz log")[1].decode())
        assert [event for _, _, event in events] == [
            f"{narrate(line)} [{line_id(line)}]" for line in log_lines(26_000)
        ]

    def test_the_log_of_a_live_run_is_what_has_come(self, browser: Browser, tmp_path: Path) -> None:
        """Byte for byte, while it goes on; and its other forms are made of the same lines."""
        lines = on_a_real_day(log_lines(1_500))
        path = tmp_path / "simulated-1500.jsonl"
        path.write_text(text_of(lines), "utf-8")
        with (
            serving_feed(tmp_path, 0, 1_500) as (site, feed),
            visiting(browser, site.url) as open_page,
        ):
            feed.bring(1_000)
            page = open_page("#live")
            expect(page.locator(".run-bar")).to_contain_text("1,000 events")
            page.get_by_role("button", name="Share").first.click()
            assert made(page, "Log")[1].decode() == text_of(lines[:1_000])
            feed.bring(500)
            expect(page.locator(".share")).to_contain_text("of 1,500")
            assert made(page, "Log")[1].decode() == text_of(lines)
            events = shiviz_events(made(page, "ShiViz log")[1].decode())
            assert clocks_tell(lines[:400], [clock for _, clock, _ in events[:400]])
            assert trace_faults(json.loads(made(page, "Chrome trace")[1])) == []

    def test_other_programs_get_their_forms(self, visit: Callable[..., Page]) -> None:
        """ShiViz and Perfetto, named after the run."""
        page = shared(visit, CRASH)
        name, text = made(page, "ShiViz log")
        assert name == f"{CRASH}.shiviz.log"
        assert len(shiviz_events(text.decode())) == len(recorded("local-crash-after-promise"))
        name, trace = made(page, "Chrome trace")
        assert name == f"{CRASH}.trace.json"
        assert trace_faults(json.loads(trace)) == []

    def test_a_story_has_a_scenario_and_a_bare_log_says_that_it_has_none(
        self, visit: Callable[..., Page], tmp_path: Path
    ) -> None:
        """The file is read by the lab's own reader."""
        page = visit("#story=basic")
        expect(page.locator(".run-title")).to_be_visible()
        page.get_by_role("button", name="Share").first.click()
        name, text = made(page, "Scenario")
        assert name.endswith(".yaml")
        path = tmp_path / "basic.yaml"
        path.write_bytes(text)
        assert read_scenario(path).title == read_scenario(FOLDER / "basic.yaml").title
        page = shared(visit, BROKEN)
        page.get_by_role("button", name="Scenario", exact=True).click()
        expect(page.locator(".share-said")).to_contain_text("a log alone")

    def test_the_link_leads_to_the_moment(self, visit: Callable[..., Page]) -> None:
        """In a field that can be copied from; the page that it opens shows the same."""
        page = shared(visit, at="n1/4/225")
        page.get_by_role("button", name="Make the link").click()
        link = page.get_by_role("textbox", name="Link")
        expect(link).to_have_value(re.compile(f"#run={LATE}&at=n1/4/225$"))
        said = words(page.locator(".sentence").inner_text())
        other = visit(link.input_value()[link.input_value().index("#") :])
        expect(other.locator(".sentence")).to_have_text(said)

    def test_where_copying_is_refused_the_field_is_selected(
        self, visit: Callable[..., Page]
    ) -> None:
        """And the page says what to do."""
        page = shared(visit)
        page.evaluate(
            "() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')); }"
        )
        page.get_by_role("button", name="Make the link").click()
        page.get_by_role("button", name="Copy", exact=True).click()
        expect(page.locator(".share-said")).to_contain_text("it is selected")
        selected = """() => {
            const { value, selectionStart, selectionEnd } = document.activeElement;
            return value.slice(selectionStart, selectionEnd);
        }"""
        assert page.evaluate(selected) == page.get_by_label("Link", exact=True).input_value()

    def test_the_keyboard_is_enough(self, visit: Callable[..., Page]) -> None:
        """Tab to a button, Enter, and the file is there."""
        page = shared(visit)
        page.get_by_role("button", name="HTML report").focus()
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Log"
        with page.expect_download() as download:
            page.keyboard.press("Enter")
        assert download.value.suggested_filename == f"{LATE}.jsonl"
        expect(page.locator(".share-said")).to_contain_text("is made")

    @pytest.mark.parametrize("width", [1360, 390])
    def test_axe_finds_nothing_and_nothing_sticks_out(
        self, visit: Callable[..., Page], width: int
    ) -> None:
        """In light and dark, at the width of a phone, too."""
        page = shared(
            visit,
            BROKEN,
            reduced_motion="reduce",
            viewport={"width": width, "height": 844},
        )
        page.get_by_role("button", name="Make the link").click()
        expect(page.get_by_role("textbox", name="Link")).to_be_visible()
        for _ in in_both_themes(page):
            findings = Axe().run(page)
            assert findings.violations_count == 0, findings.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
