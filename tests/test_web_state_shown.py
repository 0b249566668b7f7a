"""What the page tells of the cluster is what Python's own fold says of that moment."""

from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from playwright.sync_api import Page, expect

from paxos.events import Line, line_id, narrate
from paxos.events.fold import empty, fold
from tests.web_drawing import SCRIPT
from tests.web_node import ask_node
from tests.web_page import settled
from tests.web_rooms import judged
from tests.web_server import recorded, scripted, serving, write_run

pytestmark = pytest.mark.browser

CRASH: Final = "20260101-crash"
PARTITION: Final = "20260102-partition"
LATE: Final = "20260103-late"
BROKEN: Final = "20260104-broken"
LOGS: Final = {
    CRASH: "local-crash-after-promise",
    PARTITION: "local-partition",
    LATE: "local-late-proposer",
}

_METERS: Final = """() => [...document.querySelectorAll(".meters li")].map(item => [
    item.querySelector(".ballot-name").firstChild.parentElement.textContent.trim().split(/\\s+/)[0],
    ...[...item.querySelectorAll(".dots")].map(one => [
        one.querySelector("[role=img]").textContent,
        ...[...one.querySelectorAll(".count")].map(count => [Number(count.textContent), count.classList.contains("full")]),
    ]),
])"""
"""Of each ballot: its name; then for promises and for accepts the dots, and both counts with whether they are a quorum."""
_RING: Final = """() => Object.fromEntries([...document.querySelectorAll(".ring .node")].map(node => {
    const body = node.querySelector(".body");
    const badge = node.querySelector(".badge");
    const fill = (one) => getComputedStyle(one).fill;
    return [node.querySelector(".name").textContent.replace(/[^n\\d]/g, ""), {
        down: node.classList.contains("down"),
        paused: node.classList.contains("paused"),
        ballot: node.querySelector(".ballot").textContent,
        learned: /\\bv\\d/.test(body.getAttribute("class")) ? fill(body) : null,
        accepted: badge === null ? null : [fill(badge), node.querySelector(".letter").textContent],
    }];
}))"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page, with three good runs and a violated one."""
    logs = tmp_path_factory.mktemp("logs")
    for run, name in LOGS.items():
        write_run(logs, run, recorded(name), title=run)
    write_run(logs, BROKEN, scripted("R4-ignores-reported-values"), title=BROKEN)
    with serving(logs) as url:
        yield url


def moments(lines: list[Line]) -> list[tuple[int, Any]]:
    """Each turning point's place, with the state there as Python folds it."""
    states = [empty()]
    for line in lines:
        states.append(fold(states[-1], line))
    names = {one["line"] for one in states[-1]["turning_points"]}
    return [(at, states[at + 1]) for at, line in enumerate(lines) if line_id(line) in names]


def shown_instance(lines: list[Line], at: int) -> str:
    """The instance that the cursor's line, or the last one before it, is about."""
    about = [line["instance"] for line in lines if line.get("instance")]
    before = [line["instance"] for line in lines[: at + 1] if line.get("instance")]
    return str(before[-1] if before else about[0])


def dots(state: Any, done: list[str], heard: list[str], refused: list[str]) -> list[Any]:
    """A meter: a sign for each acceptor, and two counts."""
    members = state["members"]
    need = len(members) // 2 + 1

    def sign(node: str) -> str:
        if node in heard:
            return "●"
        if node in done:
            return "◐"
        return "✕" if node in refused else "○"

    counts = [len(set(done) | set(heard)), len(heard)]
    return ["".join(map(sign, members)), *([count, count >= need] for count in counts)]


def meters(state: Any, instance: str) -> list[Any]:
    """The meters of the last three ballots, the latest first."""
    ballots = state["instances"].get(instance, {"ballots": {}})["ballots"]

    def number(ballot: str) -> tuple[int, int]:
        rank, node = ballot.split(".n")
        return int(rank), int(node)

    found = []
    for ballot in sorted(ballots, key=number, reverse=True)[:3]:
        view = ballots[ballot]
        most: list[str] = max((one["acceptors"] for one in view["accepted"]), key=len, default=[])
        found.append(
            [
                ballot,
                dots(state, view["promised"], view["promises_heard"], view["refused_by"]),
                dots(state, most, view["accepts_heard"], []),
            ]
        )
    return found


def rgb(colour: str) -> str:
    """A colour as a browser tells it."""
    return f"rgb({', '.join(str(int(colour[at : at + 2], 16)) for at in (1, 3, 5))})"


def ring(state: Any, instance: str, styles: dict[str, Any]) -> dict[str, Any]:
    """What the ring says of each node: status, promise, the value it knows, the value on its disk."""
    view = state["instances"].get(instance, {"acceptors": {}, "learned": {}})
    found = {}
    for node in state["members"]:
        acceptor = view["acceptors"].get(node)
        memory = (acceptor["memory"] or acceptor["disk"]) if acceptor else {"promised": "0.n0"}
        pair = acceptor["disk"]["accepted"] if acceptor else None
        known = view["learned"].get(node)
        found[node] = {
            "down": state["nodes"][node]["status"] == "down",
            "paused": state["nodes"][node]["status"] == "paused",
            "ballot": "" if memory["promised"] == "0.n0" else f"≥ {memory['promised']}",
            "learned": None if known is None else rgb(styles[known["value"]]["colour"]),
            "accepted": None
            if pair is None
            else [rgb(styles[pair["value"]]["colour"]), styles[pair["value"]]["letter"]],
        }
    return found


def values(lines: list[Line]) -> list[str]:
    """The values of a log, in the order in which they appear."""
    found: list[str] = []
    for line in lines:
        for place in (line, line.get("accepted") or {}):
            if isinstance(place.get("value"), str) and place["value"] not in found:
                found.append(place["value"])
    return found


@pytest.mark.parametrize("run", LOGS)
def test_meters_and_ring_say_what_is_so_at_every_turning_point(
    visit: Callable[..., Page], run: str
) -> None:
    """Dots, counts and quorums; promises, what a node knows, what its disk holds, who is down."""
    lines = recorded(LOGS[run])
    (told,) = ask_node(SCRIPT, {"ask": "values", "runs": [values(lines)]})["runs"]
    styles = {one["text"]: one for one in told}
    page = visit(f"#run={run}")
    page.keyboard.press("Home")
    seen: list[Any] = []
    for at, state in moments(lines):
        instance = shown_instance(lines, at)
        if at > 0:
            page.keyboard.press("Shift+ArrowRight")
        expect(page.locator("#now-title")).to_contain_text(f"event {at + 1} of")
        settled(page)
        assert page.evaluate(_METERS) == meters(state, instance), at
        assert page.evaluate(_RING) == ring(state, instance, styles), at
        seen.append((meters(state, instance), ring(state, instance, styles)))
    # Not only empty ones: a quorum was heard of, and somebody learned.
    assert any(meter[1][2][1] and meter[2][2][1] for shown, _ in seen for meter in shown)
    assert any(node["learned"] for _, shown in seen for node in shown.values())
    assert not all(node["learned"] for _, shown in seen for node in shown.values())


def test_a_violation_quotes_the_first_and_the_last_of_its_evidence(
    visit: Callable[..., Page],
) -> None:
    """Two events, in the terminal's words, whatever lies between them; each leads to its moment."""
    lines = scripted("R4-ignores-reported-values")
    (violation, *_) = [one for one in judged(lines)["violations"] if len(set(one["lines"])) > 3]
    places = {line_id(line): at for at, line in enumerate(lines)}
    proof = sorted(places[name] for name in violation["lines"])
    page = visit(f"#run={BROKEN}")
    item = page.locator(".violations > li", has_text=violation["rule"]).first
    quotes = item.locator("button")
    expect(quotes).to_have_text([narrate(lines[proof[0]]), narrate(lines[proof[-1]])])
    for quote, at in ((1, proof[-1]), (0, proof[0])):
        page.get_by_role("tab", name="Verdict").click()
        page.keyboard.press("End")
        quotes.nth(quote).click()
        expect(page.locator("#now-title")).to_contain_text(f"event {at + 1} of")
