"""Every fault of the page, pressed: in a live run on local processes, and in the sandbox.

Both go through the one table of ``web_faults.py``: live with the mouse, in the
sandbox with the keyboard alone.
"""

import re
from collections.abc import Iterator, Sequence

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.web_faults import FAULTS, Fault, Step, missing, press
from tests.web_page import settled, visiting
from tests.web_sandbox import (
    answer,
    done,
    link_of,
    open_recipe,
    played,
    recipe,
    refused,
    sandbox_page,
    select,
    unpacked,
)
from tests.web_server import Listener, lab_web
from tests.web_server import Page as Site

pytestmark = [pytest.mark.timeout(600)]

NAMES = [fault.name for fault in FAULTS]


def node(page: Page, name: str, state: str) -> None:
    """The ring shows a node as up, down or paused."""
    classes = page.locator(f'.ring .node[aria-label^="{name},"]')
    if state == "up":
        expect(classes).not_to_have_class(re.compile(r"\b(down|paused)\b"))
    else:
        expect(classes).to_have_class(re.compile(rf"\b{state}\b"))


# --- live -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A live run of three local processes."""
    home = tmp_path_factory.mktemp("home")
    with lab_web(home, "--world", "local", "--nodes", "3") as (found, _):
        assert found.post("live/begin", {})[0] == 200
        yield found


@pytest.fixture(scope="module")
def watched(browser: Browser, site: Site) -> Iterator[Page]:
    """One page that watches and commands it."""
    with visiting(browser, site.url) as visit:
        page = visit(f"#live&token={site.token}")
        expect(page.locator(".run-bar .now")).to_be_visible()
        yield page


@pytest.fixture
def tab(watched: Page, site: Site) -> Iterator[Page]:
    """The page with n2 selected; nothing stays hurt."""
    select(watched, "n2")
    yield watched
    mend(site)
    # A form that is open would be closed by the next test's first button.
    watched.keyboard.press("Escape")
    watched.locator("h1").click()
    for name in ("n1", "n2", "n3"):
        node(watched, name, "up")


def mend(site: Site) -> None:
    """Heal, resume and start whatever needs it."""
    if site.live()["faults"]:
        site.command(heal="all")
    if paused := site.live()["paused"]:
        site.command(resume=paused)
    if down := site.live()["down"]:
        site.command(start=down)


def lines_of(site: Site, after: int, wanted: Sequence[Step]) -> None:
    """Read the live run's lines behind a cursor until each of these has come."""
    left = list(wanted)
    with Listener(site, after) as listener:
        for told in listener:
            if told.event == "lines":
                left = missing(left, told.lines)
            if not left:
                return
    raise AssertionError(f"the stream ended without {left}")


@pytest.mark.browser
@pytest.mark.parametrize("fault", FAULTS, ids=NAMES)
def test_live_each_button_posts_its_step_and_the_run_obeys(
    tab: Page, site: Site, fault: Fault
) -> None:
    """What is posted is the step, the server does it, and the log says so."""
    for step in fault.before:
        site.command(**step)
    lines_of(site, 0, fault.ready)
    if fault.before:
        # The panel offers what fits to the node and to the faults in force.
        first = str(fault.press[0])
        expect(tab.locator(".commands").get_by_role("button", name=first)).to_be_enabled()
    after = site.live()["line_count"]
    # Until it is answered it is not done, and the answer in sight is the last one's.
    with tab.expect_response("**/live/commands") as answered:
        press(tab, fault.press)
    assert answered.value.status == 200
    posted = answered.value.request.post_data_json
    if fault.name == "heal one":
        # Live every cut has a name of its own.
        assert posted == {"heal": ["cut n1-n3"]}
    else:
        assert posted == fault.step
    done(tab)
    lines_of(site, after, fault.tells)
    if {"failpoint", "disk_fault"} & fault.step.keys():
        # What is armed goes with the process.
        site.command(kill="n2")


@pytest.mark.browser
def test_live_what_is_done_to_the_disk_of_a_dead_node(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A byte of n2's is changed, n3's is lost; neither serves again, and the page says why."""
    home = tmp_path_factory.mktemp("home")
    with (
        lab_web(home, "--world", "local", "--nodes", "3") as (site, _),
        # A start that fails is an error of the server's, which a browser reports.
        visiting(browser, site.url) as visit,
    ):
        assert site.post("live/begin", {})[0] == 200
        # A disk that holds nothing has nothing to be hurt.
        site.command(propose={"at": "n1", "value": "apple"})
        learned = ({"event": "value_learned", "node": name} for name in ("n1", "n2", "n3"))
        lines_of(site, 0, list(learned))
        page = visit(f"#live&token={site.token}")
        for name, button, fault in (
            ("n2", "Corrupt a byte", "corrupt"),
            ("n3", "Lose its disk", "lose"),
        ):
            select(page, name)
            press(page, ("Kill",))
            done(page, f"kill {name}")
            node(page, name, "down")
            with page.expect_request("**/live/commands") as asked:
                press(page, ("Disk…", button))
            assert asked.value.post_data_json == {"disk_fault": {"node": name, "fault": fault}}
            done(page, f"{button.lower()} at {name}")
            press(page, ("Start",))
            refused(page, "exit code 3")
            node(page, name, "down")


def test_a_way_that_is_cut_once_keeps_nobody_from_coming_back(site: Site) -> None:
    """Its link is ready at neither end, which nobody who starts, resumes or heals may wait for."""
    cut = {"name": "one-way", "from": ["n1"], "to": ["n3"]}
    site.command(cut_one_way=cut)
    site.command(isolate="n3")
    site.command(restart="n2")
    site.command(pause="n3")
    site.command(resume="n3")
    site.command(heal=["isolate n3"])
    assert [fault["name"] for fault in site.live()["faults"]] == ["one-way"]
    assert site.command(heal="all")["sentence"].startswith("cut one way of n1 is over")


# --- sandbox --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shared(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """One page whose engine has started; nothing plays by itself."""
    logs = tmp_path_factory.mktemp("logs")
    with sandbox_page(browser, logs, reduced_motion="reduce") as page:
        yield page


@pytest.mark.browser
@pytest.mark.parametrize("fault", FAULTS, ids=NAMES)
def test_in_the_sandbox_each_button_is_the_last_command_of_the_link(
    shared: Page, fault: Fault
) -> None:
    """The run that the link tells of has the fault's lines, and what comes of it."""
    made = recipe(*fault.before, seed=100 + NAMES.index(fault.name))
    open_recipe(shared, made)
    select(shared, "n2")
    press(shared, fault.press, by_keys=True)
    done(shared)
    linked = unpacked(link_of(shared))
    assert [command["do"] for command in linked["commands"]] == [*fault.before, fault.step]
    result, lines = played(linked)
    expect(shared.locator(".run-bar")).to_contain_text(f"{result['line_count']:,} events")
    given = result["given"][-1]
    assert missing(fault.tells, lines[:given]) == list(fault.tells)
    assert missing(fault.tells, lines[given:]) == []
    assert missing(fault.shows, lines) == list(fault.shows)
    further = [{"after": 9_999, "do": step} for step in fault.then]
    _, later = played({**linked, "commands": [*linked["commands"], *further]})
    assert missing(fault.shows, later) == []


@pytest.mark.browser
def test_in_the_sandbox_the_disk_of_a_dead_node_is_hurt(shared: Page) -> None:
    """By the keyboard: a byte of n2's is changed, and n3's is lost."""
    apple = {"propose": {"at": "n1", "value": "apple"}}
    open_recipe(shared, recipe(apple, {"kill": ["n2", "n3"]}, seed=150))
    for name, button, fault in (
        ("n2", "Corrupt a byte", "corrupt"),
        ("n3", "Lose its disk", "lose"),
    ):
        select(shared, name)
        press(shared, ("Disk…", button), by_keys=True)
        done(shared, f"{button.lower()} at {name}")
        linked = unpacked(link_of(shared))
        step = {"disk_fault": {"node": name, "fault": fault}}
        assert linked["commands"][-1]["do"] == step
        result, lines = played(linked)
        told = {"fault": "disk_fault", "targets": [name], "detail": {"fault": fault}}
        assert missing([told], lines[result["given"][-1] :]) == []
        press(shared, ("Start",), by_keys=True)
        expect(answer(shared)).to_contain_text(f"start {name}")
        expect(answer(shared)).not_to_have_class("pending")
        node(shared, name, "down")


@pytest.mark.browser
def test_in_the_sandbox_a_proposal_and_a_step_by_hand(shared: Page) -> None:
    """The two that no live fault is: what is proposed is learned; from then on nothing moves."""
    open_recipe(shared, recipe(seed=151))
    select(shared, "n2")
    settled(shared)
    # A cluster that rests has the form for it open.
    opening = () if shared.locator(".form").count() else ("Propose…",)
    press(shared, (*opening, ("Value", "fig"), "Do it"), by_keys=True)
    done(shared, "ask n2 to have 'fig' chosen")
    press(shared, ("By hand",), by_keys=True)
    done(shared, "wait for a hand")
    linked = unpacked(link_of(shared))
    wish = {"propose": {"at": "n2", "value": "fig", "background": True}}
    assert [command["do"] for command in linked["commands"]] == [wish, {"by_hand": True}]
    _, lines = played(linked)
    learned = [line["node"] for line in lines if line["event"] == "value_learned"]
    assert sorted(learned) == ["n1", "n2", "n3"]


@pytest.mark.browser
def test_disks_that_lie_and_a_power_loss_end_in_a_violation(shared: Page) -> None:
    """Each node said that it had synced; without their power a majority has forgotten apple."""
    apple = {"propose": {"at": "n1", "value": "apple"}}
    open_recipe(shared, recipe(apple, seed=152, variant="sync-lies"))
    expect(shared.locator("#tab-verdict")).not_to_contain_text("✗")
    for name in ("n1", "n2", "n3"):
        select(shared, name)
        press(shared, ("Power loss",), by_keys=True)
        done(shared, f"cut the power of {name}")
        press(shared, ("Start",), by_keys=True)
        done(shared, f"start {name}")
    press(shared, ("Propose…", ("Value", "pear"), "Do it"), by_keys=True)
    done(shared, "'pear'")
    expect(shared.locator("#tab-verdict")).to_contain_text("✗")
    result, _ = played(unpacked(link_of(shared)))
    assert result["verdict"]["verdict"] == "violated"
    # The very same with disks that keep what they say they keep.
    honest, _ = played({**unpacked(link_of(shared)), "variant": None})
    assert honest["verdict"]["verdict"] == "ok"
