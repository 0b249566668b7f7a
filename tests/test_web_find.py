"""The search by message shape: its language, what it finds, and the panel.

What a query finds is compared with a plain search in Python over the log's own
lines, which shares no code with the page.
"""

import itertools
import json
import operator
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import Page, expect

from paxos.events import Line, line_id
from tests.web_page import in_both_themes
from tests.web_rooms import (
    BROKEN,
    CRASH,
    LATE,
    ask,
    judged,
    served,
    simulated,
    words,
    write_runs,
)
from tests.web_server import recorded, scripted

KINDS = ["prepare", "promise", "accept", "accepted", "nack", "learn", "learned", "status"]


def sends(lines: list[Line], *kinds: str) -> list[Line]:
    """The lines that send messages of these kinds."""
    return [line for line in lines if line["event"].removesuffix("_sent") in kinds]


def names(lines: list[Line]) -> list[str]:
    """The names of lines."""
    return [line_id(line) for line in lines]


def found(lines: list[Line], query: str, **about: Any) -> list[list[str]]:
    """What a query finds: of each match the lines that sent its messages."""
    (answer,) = ask("find", lines=lines, texts=[query], **about)
    assert answer["error"] is None, answer["error"]
    hits: list[list[str]] = answer["hits"]
    return hits


def singles(lines: list[Line], query: str, **about: Any) -> list[str]:
    """What a query of one message finds."""
    return [name for (name,) in found(lines, query, **about)]


def number(ballot: str) -> tuple[int, int]:
    """A ballot as the core orders them."""
    round_, node = ballot.split(".")
    return int(round_), int(node[1:]) + (100 if node[0] == "g" else 0)


values = st.sampled_from(["any", "none", "apple", '"any"', "pear,apple", '"a b"', '"q\\"uote"'])
ballots = st.sampled_from(["1.n1", "2.n3", "10.n5", "3.g1"])
nodes = st.sampled_from(["n1", "n2", "n5,n4", "g1"])
terms = st.one_of(
    st.tuples(st.sampled_from(["from", "to", "with"]), st.sampled_from([":", "!="]), nodes),
    st.tuples(
        st.sampled_from(["ballot", "promised"]),
        st.sampled_from([":", "!=", "<", "<=", ">", ">="]),
        ballots,
    ),
    st.tuples(st.sampled_from(["value", "reports"]), st.sampled_from([":", "!="]), values),
    st.tuples(st.just("fate"), st.sampled_from([":", "!="]), st.sampled_from(["lost", "wall"])),
    st.tuples(st.just("answer"), st.just(":"), st.sampled_from(["none", "nack", "any"])),
).map("".join)
shapes = st.tuples(
    st.one_of(st.just([]), st.lists(st.sampled_from([*KINDS, "request"]), max_size=1)),
    st.lists(terms, min_size=1, max_size=3),
).map(lambda parts: " ".join([*parts[0], *parts[1]]))
queries = st.lists(shapes, min_size=1, max_size=3).flatmap(
    lambda parts: st.lists(
        st.sampled_from(["then", "answered-by", "leads-to"]),
        min_size=len(parts) - 1,
        max_size=len(parts) - 1,
    ).map(
        lambda links: " ".join(
            part for pair in zip(parts, [*links, ""], strict=True) for part in pair
        ).strip()
    )
)


class TestLanguage:
    @settings(max_examples=15)
    @given(texts=st.lists(queries, min_size=10, max_size=20))
    def test_a_query_written_down_is_read_as_the_same(self, texts: list[str]) -> None:
        """So the form and the text are one thing."""
        first = ask("queries", texts=texts)
        assert [one["error"] for one in first] == [None] * len(texts)
        again = ask("queries", texts=[one["text"] for one in first])
        assert [one["query"] for one in again] == [one["query"] for one in first]
        assert [one["text"] for one in again] == [one["text"] for one in first]

    @settings(max_examples=10)
    @given(texts=st.lists(st.text(max_size=40), min_size=30))
    def test_no_text_breaks_the_reader(self, texts: list[str]) -> None:
        """It is a query, nothing, or an error that lies within the text."""
        for text, one in zip(texts, ask("queries", texts=texts), strict=True):
            if one["error"] is not None:
                assert one["query"] is None
                assert 0 <= one["error"]["at"] <= len(text.encode("utf-16-le")) // 2
                assert one["error"]["text"]

    @pytest.mark.parametrize(
        ("text", "at", "says"),
        [
            ("promis from:n1", 0, "“promise”"),
            ("__PROTO__", 0, "__PROTO__"),
            ("accept constructor:x", 7, "constructor"),
            ("accept constructor", 7, "constructor"),
            ("accept form:n1", 7, "“from”"),
            ("from:x1", 5, "a node, such as n3"),
            ("ballot>2", 7, "round and node"),
            ("value>apple", 0, "no order"),
            ('value:"apple', 6, "does not end"),
            ("accept value:", 13, "lacks"),
            ("then accept", 0, "none before it"),
            ("accept then", 7, "none follows it"),
            ("accept value!=$v", 14, "stands for nothing yet"),
            ("from:$a then ballot:$a", 20, "a node already"),
            ("fate:lots", 5, "received, lost, wall"),
            ("nack then nack then nack then nack", 25, "at most 3"),
            ("accept , nack", 7, "has no place here"),
            ("ballot<1.n1,2.n2", 7, "one ballot"),
            ("fate:$f", 5, "nodes, ballots and values"),
        ],
    )
    def test_an_error_says_what_and_where(self, text: str, at: int, says: str) -> None:
        """The place is that of the part that is wrong."""
        (one,) = ask("queries", texts=[text])
        assert one["error"]["at"] == at
        assert says in one["error"]["text"]

    def test_the_patterns_that_are_offered_can_be_read(self) -> None:
        """Each with a name, and a word on what it teaches."""
        patterns = ask("patterns")
        assert len(patterns) >= 10
        told = ask("queries", texts=[pattern["query"] for pattern in patterns])
        assert [one["error"] for one in told] == [None] * len(patterns)
        assert all(pattern["teaches"] for pattern in patterns)


class TestShapes:
    @pytest.mark.parametrize("kind", KINDS)
    def test_a_kind_finds_all_of_its_messages(self, kind: str) -> None:
        """As many as the log has lines that send one."""
        lines = simulated(11)
        assert singles(lines, kind) == names(sends(lines, kind))

    def test_groups_and_flags_are_short_for_terms(self) -> None:
        """Requests and replies; lost is fate:lost."""
        lines = simulated(11)
        assert singles(lines, "request") == names(
            sends(lines, "prepare", "accept", "learn", "status")
        )
        assert singles(lines, "accept lost") == singles(lines, "accept fate:lost")
        assert singles(lines, "message") == names(
            [one for one in lines if one["event"].endswith("_sent")]
        )

    def test_ends_ballots_and_values_are_compared(self) -> None:
        """Each against a plain search over the lines."""
        lines = simulated(12)
        accepts = sends(lines, "accept")
        assert singles(lines, "accept from:n1 to:n3,n4") == names(
            [one for one in accepts if one["node"] == "n1" and one["to"] in {"n3", "n4"}]
        )
        assert singles(lines, "accept with:n5") == names(
            [one for one in accepts if "n5" in {one["node"], one["to"]}]
        )
        assert singles(lines, "accept from!=n1") == names(
            [one for one in accepts if one["node"] != "n1"]
        )
        middle = sorted({one["ballot"] for one in sends(lines, "prepare")}, key=number)[1]
        for sign, fits in {
            "<": operator.lt,
            "<=": operator.le,
            ">": operator.gt,
            ">=": operator.ge,
            ":": operator.eq,
            "!=": operator.ne,
        }.items():
            limit = number(middle)
            wanted = [one for one in sends(lines, "prepare") if fits(number(one["ballot"]), limit)]
            assert singles(lines, f"prepare ballot{sign}{middle}") == names(wanted)
        assert singles(lines, "accept value:pear") == names(
            [one for one in accepts if one["value"] == "pear"]
        )
        assert singles(lines, 'accept value:"pear"') == singles(lines, "accept value=pear")
        assert singles(lines, "accept value!=pear") == names(
            [one for one in accepts if one["value"] != "pear"]
        )

    def test_ballots_are_ordered_by_round_first(self) -> None:
        """Round 10 is above round 9, whatever the letters say."""
        assert number("10.n1") > number("9.n5")
        lines = [
            {**line, "ballot": "10.n1" if line["ballot"] == "1.n1" else line["ballot"]}
            if "ballot" in line
            else line
            for line in scripted("legal-resent-prepare")
        ]
        assert singles(lines, "prepare ballot>9.n5") == names(
            [one for one in sends(lines, "prepare") if one["ballot"] == "10.n1"]
        )

    def test_reports_tells_promises_with_a_value_from_those_without(self) -> None:
        """Of promises only."""
        lines = recorded("local-late-proposer")
        promises = sends(lines, "promise")
        with_value = [one for one in promises if one["accepted"] is not None]
        assert singles(lines, "promise reports:any") == names(with_value)
        assert singles(lines, "promise reports:none") == names(
            [one for one in promises if one not in with_value]
        )
        assert singles(lines, "promise reports:apple") == names(with_value)
        assert singles(lines, "promise reports!=apple") == []
        assert len(with_value) > 0

    def test_fates_are_told_apart(self) -> None:
        """Every message has one; what is lost is neither received nor open."""
        lines = simulated(13)
        everything = singles(lines, "message")
        fates = ["received", "wall", "dropped", "failed", "died", "open"]
        told = [singles(lines, f"fate:{fate}") for fate in fates]
        assert sorted(itertools.chain(*told)) == sorted(everything)
        lost = singles(lines, "lost")
        assert sorted(lost) == sorted(itertools.chain(*told[1:5]))
        received = {line["cause"] for line in lines if "cause" in line}
        assert set(told[0]) <= received
        assert lost

    def test_answers_follow_the_log(self) -> None:
        """Refused: its Nack came back. Unanswered: nothing did."""
        lines = recorded("local-crash-after-promise")
        refused = found(lines, "accept answered-by nack")
        index = {line_id(line): line for line in lines}
        for accept, nack in refused:
            assert index[accept]["event"] == "accept_sent"
            assert index[nack]["event"] == "nack_sent"
            assert index[nack]["request"] == "accept"
            assert (index[accept]["to"], index[accept]["node"]) == (
                index[nack]["node"],
                index[nack]["to"],
            )
            assert index[accept]["ballot"] == index[nack]["ballot"]
        nacks = [one for one in sends(lines, "nack") if one["request"] == "accept"]
        assert len({nack for _, nack in refused}) == len(refused) == len(nacks)
        received = {line["cause"] for line in lines if "cause" in line}
        heard = {accept for accept, nack in refused if nack in received}
        assert set(singles(lines, "accept refused")) == heard
        assert set(singles(lines, "accept unanswered")).isdisjoint(
            singles(lines, "accept answered")
        )

    def test_what_broke_a_rule_is_found_by_the_rule(self) -> None:
        """The messages that the verdict quotes."""
        lines = scripted("R4-ignores-reported-values")
        verdict = judged(lines)
        quoted = {line_id(event) for one in verdict["violations"] for event in one["events"]}
        hits = set(singles(lines, "rule:R4", verdict=verdict))
        assert hits
        assert hits <= set(singles(lines, "rule:any", verdict=verdict))
        sent = {line_id(line): line.get("cause", line_id(line)) for line in lines}
        assert hits <= {sent[name] for name in quoted}
        assert singles(lines, "rule:R1", verdict=verdict) == []

    def test_what_is_explained_is_found_by_why(self) -> None:
        """By the kind of the answer, by a word of it, and where it says wrong."""
        lines = scripted("R4-ignores-reported-values")
        accept = next(one for one in sends(lines, "accept") if one["value"] == "pear")
        why = {"line": line_id(accept), "kind": "accept", "rule": "R4", "instance": 1, "events": []}
        whys = {"v": 1, "whys": [{**why, "sentence": "it had to push apple", "ok": False}]}
        for query in ("why:accept", "why:wrong", 'why:"had to push"'):
            assert singles(lines, query, why=whys) == [line_id(accept)]
        assert singles(lines, "why:refusal", why=whys) == []


class TestMotifs:
    def test_another_value_than_was_reported_is_found_where_the_rule_is_broken(self) -> None:
        """And not where a proposer does as it should."""
        query = "promise reports:$v ballot:$b then accept ballot:$b value!=$v"
        broken = scripted("R4-ignores-reported-values")
        ((promise, accept),) = found(broken, query)
        index = {line_id(line): line for line in broken}
        assert index[promise]["accepted"]["value"] == "apple"
        assert index[accept]["value"] == "pear"
        assert found(recorded("local-late-proposer"), query) == []

    def test_a_variable_is_the_same_in_all_its_places(self) -> None:
        """A ballot, a node and a value that the first message fixes."""
        lines = simulated(14)
        index = {line_id(line): line for line in lines}
        hits = found(lines, "prepare from:$p ballot:$b then accept from:$p ballot:$b")
        assert hits
        for prepare, accept in hits:
            assert index[prepare]["node"] == index[accept]["node"]
            assert index[prepare]["ballot"] == index[accept]["ballot"]

    def test_leads_to_is_sent_by_whom_it_reached_after_it_got_there(self) -> None:
        """Then is only later."""
        lines = simulated(15)
        index = {line_id(line): line for line in lines}
        place = {line_id(line): at for at, line in enumerate(lines)}
        arrived = {line["cause"]: at for at, line in enumerate(lines) if "cause" in line}
        hits = found(lines, "promise leads-to accept")
        assert hits
        for promise, accept in hits:
            assert index[accept]["node"] == index[promise]["to"]
            assert place[accept] > arrived[promise]
        for promise, accept in found(lines, "promise then accept"):
            assert place[accept] > place[promise]

    def test_three_messages_are_one_match(self) -> None:
        """A rival's Prepare between a Prepare and its Accept."""
        lines = recorded("local-crash-after-promise")
        index = {line_id(line): line for line in lines}
        for one, two, three in found(
            lines, "prepare ballot:$b then prepare ballot>$b then accept ballot:$b"
        ):
            assert index[one]["ballot"] == index[three]["ballot"]
            assert number(index[two]["ballot"]) > number(index[one]["ballot"])

    def test_the_mask_marks_both_ends(self) -> None:
        """Of what was found, and of nothing else."""
        lines = recorded("local-late-proposer")
        (answer,) = ask("find", lines=lines, texts=["promise reports:any"])
        promised = {name for (name,) in answer["hits"]}
        wanted = [
            at
            for at, line in enumerate(lines)
            if line_id(line) in promised or line.get("cause") in promised
        ]
        assert answer["mask"] == wanted


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page with runs."""
    logs = tmp_path_factory.mktemp("logs")
    write_runs(logs)
    with served(logs) as url:
        yield url


def searching(visit: Callable[..., Page], run: str = LATE, text: str = "", **how: Any) -> Page:
    """The page with its search open."""
    page = visit(f"#run={run}", **how)
    page.get_by_role("tab", name="Find").click()
    expect(page.locator("#find-text")).to_be_visible()
    if text:
        page.locator("#find-text").fill(text)
    return page


@pytest.mark.browser
class TestPanel:
    def test_matches_are_counted_listed_and_lead_to_their_moments(
        self, visit: Callable[..., Page]
    ) -> None:
        """As many as the log has; a click goes there."""
        page = searching(visit, text="promise reports:any")
        lines = recorded("local-late-proposer")
        hits = singles(lines, "promise reports:any")
        expect(page.locator(".find-count")).to_have_text(f"{len(hits)} matches.")
        expect(page.locator(".find-hits li")).to_have_count(len(hits))
        page.locator(".find-hit").nth(1).click()
        expect(page.locator(".find-hit").nth(1)).to_have_attribute("aria-current", "true")
        expect(page).to_have_url(re.compile(f"at={hits[1]}$"))

    def test_enter_goes_from_match_to_match(self, visit: Callable[..., Page]) -> None:
        """With Shift back; buttons do the same."""
        page = searching(visit, text="promise reports:any")
        hits = singles(recorded("local-late-proposer"), "promise reports:any")
        page.locator("#find-text").press("Enter")
        expect(page.locator(".find-hit").first).to_have_attribute("aria-current", "true")
        page.locator("#find-text").press("Enter")
        expect(page.locator(".find-hit").nth(1)).to_have_attribute("aria-current", "true")
        page.locator("#find-text").press("Shift+Enter")
        expect(page.locator(".find-hit").first).to_have_attribute("aria-current", "true")
        page.get_by_role("button", name="Next match").click()
        expect(page).to_have_url(re.compile(f"at={hits[1]}$"))

    def test_an_error_is_shown_where_it_is(self, visit: Callable[..., Page]) -> None:
        """In words, and marked in the text."""
        page = searching(visit, text="accept form:n1")
        expect(page.locator("#find-error")).to_contain_text("At character 8")
        expect(page.locator(".find-where mark")).to_have_text("form")
        expect(page.locator("#find-text")).to_have_attribute("aria-invalid", "true")
        expect(page.locator(".find-hits")).to_have_count(0)
        page.locator("#find-text").fill("accept from:n1")
        expect(page.locator("#find-text")).to_have_attribute("aria-invalid", "false")
        expect(page.locator(".find-count")).to_be_visible()

    def test_a_pattern_teaches_what_to_look_at(self, visit: Callable[..., Page]) -> None:
        """Chosen from a list, it becomes the query."""
        page = searching(visit, BROKEN)
        page.get_by_label("Try one").select_option(
            label="A Promise reports a value, an Accept pushes another"
        )
        expect(page.locator("#find-text")).to_have_value(
            "promise reports:$v ballot:$b then accept ballot:$b value!=$v"
        )
        expect(page.locator(".find-teaches")).to_contain_text("R4 is broken")
        expect(page.locator(".find-count")).to_have_text("1 match.")
        expect(page.locator(".find-hits li").first.locator(".find-hit")).to_have_count(2)

    def test_the_form_and_the_text_are_one_query(self, visit: Callable[..., Page]) -> None:
        """What is chosen in the form stands in the text, and the other way round."""
        page = searching(visit, CRASH)
        page.get_by_text("How to ask, and a form").click()
        page.get_by_label("Kind").select_option("accept")
        page.get_by_label("From", exact=True).select_option("n1")
        page.get_by_label("Value", exact=True).fill("green apple")
        page.get_by_label("Value", exact=True).press("Tab")
        expect(page.locator("#find-text")).to_have_value('accept from:n1 value:"green apple"')
        page.get_by_role("button", name="Add a message").click()
        expect(page.get_by_text("Second message")).to_be_visible()
        page.locator("#find-text").fill("accept answered-by nack promised>2.n1")
        expect(page.get_by_label("Joined by")).to_have_value("answered-by")
        expect(page.get_by_label("Kind").nth(1)).to_have_value("nack")
        page.get_by_role("button", name="Remove this message").click()
        expect(page.locator("#find-text")).to_have_value("accept")

    def test_what_is_found_is_lit_in_the_drawing(self, visit: Callable[..., Page]) -> None:
        """The drawing changes with the query, and comes back without it."""
        page = searching(visit)
        # Its first line asks for a guess, and what is to come is hidden there.
        page.locator("h1").click()
        page.keyboard.press("End")
        drawn = "document.getElementById('spacetime').toDataURL()"
        settle = (
            "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done())))"
        )
        page.evaluate(settle)
        before = page.evaluate(drawn)
        page.locator("#find-text").fill("promise reports:any")
        expect(page.locator(".find-count")).to_be_visible()
        page.wait_for_function(f"before => {drawn} !== before", arg=before)
        page.locator("#find-text").fill("")
        expect(page.locator(".find-count")).to_have_count(0)
        page.wait_for_function(f"before => {drawn} === before", arg=before)

    def test_the_list_of_events_can_be_narrowed_to_what_was_found(
        self, visit: Callable[..., Page]
    ) -> None:
        """Both ends of each message, and nothing else."""
        page = searching(visit, text="accept from:n5")
        everything = words(page.locator("#events-title").inner_text())
        page.get_by_label("Only these in the list of events").check()
        expect(page.locator("#events-title")).not_to_have_text(everything)
        texts = page.locator("#event-rows .what").all_text_contents()
        assert texts
        assert [text for text in texts if "accept" not in text.lower()] == []

    def test_values_of_strangers_are_text(self, visit: Callable[..., Page]) -> None:
        """In results and in errors."""
        page = searching(visit, text="<img/src=x>")
        expect(page.locator("#find-error")).to_contain_text("<")
        assert page.locator("img").count() == 0

    @pytest.mark.parametrize("width", [1360, 390])
    def test_axe_finds_nothing_and_nothing_sticks_out(
        self, visit: Callable[..., Page], width: int
    ) -> None:
        """With results, with the form open, and with an error."""
        page = searching(
            visit,
            BROKEN,
            "request",
            reduced_motion="reduce",
            viewport={"width": width, "height": 844},
        )
        page.get_by_text("How to ask, and a form").click()
        expect(page.get_by_label("Kind")).to_be_visible()
        for text in ("request", "accept form:n1"):
            page.locator("#find-text").fill(text)
            expect(page.locator("#find-text")).to_have_attribute(
                "aria-invalid", json.dumps(text != "request")
            )
            for _ in in_both_themes(page):
                findings = Axe().run(page)
                assert findings.violations_count == 0, findings.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
