"""Every fault of the page: which controls are pressed for it, and the step that comes of them.

One table for both worlds that take commands: a live run and the sandbox have
the same panel and read the same steps.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from playwright.sync_api import Page, expect

from paxos.events import Line

Step = dict[str, Any]
Press = str | tuple[str, str]
"""A button by its name; or a field by its label, with what is filled in, or a node with ``mark``."""
MARK: Final = "mark"


@dataclass(frozen=True, slots=True)
class Fault:
    """One way through the panel, in a cluster of three nodes with n2 selected.

    Attributes:
        name: for the test's own name.
        press: controls, in order.
        step: the command that they make.
        tells: fields of lines that the run must write because of it, in any order.
        before: what has been commanded already.
        ready: fields of lines that must have come of that, in a world that goes on by itself.
        then: what is commanded afterwards, to see what it does.
        shows: fields of lines that come of that.
    """

    name: str
    press: tuple[Press, ...]
    step: Step
    tells: tuple[Step, ...]
    before: tuple[Step, ...] = ()
    ready: tuple[Step, ...] = ()
    then: tuple[Step, ...] = ()
    shows: tuple[Step, ...] = ()


def applied(fault: str, /, *targets: str, **detail: Any) -> Step:
    """The line that tells of a fault."""
    found: Step = {"event": "fault_applied", "fault": fault}
    if targets:
        found["targets"] = list(targets)
    return {**found, "detail": detail} if detail else found


def undone(fault: str) -> Step:
    """The line that tells of a fault's end."""
    return {"event": "fault_undone", "fault": fault}


def message(
    verb: str, kind: str = "", way: tuple[str, str] = ("", ""), **more: str
) -> tuple[Press, ...]:
    """The way through the form for messages; what is filled in stays for the next one."""
    fields = (("Kind", kind), ("From", way[0]), ("To", way[1]), *more.items())
    return ("Messages…", ("What", verb), *fields, "Do it")


APPLE: Final = {"propose": {"at": "n1", "value": "apple", "background": True}}
HOLD: Final = {"hold": {"name": "hold-1", "kinds": ["learn"]}}
CUT: Final = {"cut": ["n1", "n3"]}

FAULTS: Final = (
    Fault(
        "kill",
        ("Kill",),
        {"kill": "n2"},
        (applied("kill", "n2"), {"event": "node_exited", "of": "n2", "exit_code": 137}),
    ),
    Fault(
        "stop",
        ("Stop",),
        {"stop": "n2"},
        ({"event": "node_stopped", "node": "n2"}, {"event": "node_exited", "exit_code": 0}),
    ),
    Fault(
        "restart",
        ("Restart",),
        {"restart": "n2"},
        ({"event": "node_stopped", "node": "n2"}, {"event": "node_started", "node": "n2"}),
    ),
    Fault(
        "start",
        ("Start",),
        {"start": "n2"},
        ({"event": "node_started", "node": "n2"},),
        before=({"kill": "n2"},),
    ),
    Fault("pause", ("Pause",), {"pause": "n2"}, (applied("pause", "n2"),)),
    Fault("resume", ("Resume",), {"resume": "n2"}, (undone("pause"),), before=({"pause": "n2"},)),
    Fault(
        "power loss",
        ("Power loss",),
        {"power_loss": "n2"},
        (applied("power_loss", "n2"), {"event": "power_lost", "node": "n2"}),
    ),
    Fault("isolate", ("Isolate",), {"isolate": "n2"}, (applied("isolate", "n2"),)),
    Fault(
        "partition",
        ("Partition…", (MARK, "n3"), "Part them"),
        {"partition": [["n3"], ["n1", "n2"]]},
        (applied("partition", pairs=[["n1", "n3"], ["n2", "n3"]]),),
    ),
    Fault(
        "cut a cable",
        ("Cut a cable…", (MARK, "n1"), (MARK, "n3"), "Cut it"),
        CUT,
        (
            applied("cut", "n1", "n3", pairs=[["n1", "n3"]]),
            {"event": "link_down", "node": "n1", "peer": "n3"},
            {"event": "link_down", "node": "n3", "peer": "n1"},
        ),
    ),
    Fault(
        "heal one",
        ("Release…", "Heal cut"),
        {"heal": ["cut"]},
        (undone("cut"),),
        before=(CUT,),
    ),
    Fault("heal all", ("Heal all",), {"heal": "all"}, (undone("cut"),), before=(CUT,)),
    Fault(
        "drop",
        message("drop", "accept", ("n1", "n2"), Percent="100"),
        {
            "drop": {
                "name": "drop-1",
                "kinds": ["accept"],
                "from": ["n1"],
                "to": ["n2"],
                "percent": 100,
            }
        },
        (applied("drop", rule="drop-1", percent=100),),
        then=(APPLE,),
        shows=({"event": "message_dropped", "rule": "drop-1"},),
    ),
    Fault(
        "delay",
        message("delay", "promise", Milliseconds="70"),
        {"delay": {"name": "delay-1", "kinds": ["promise"], "delay_ms": 70}},
        (applied("delay", rule="delay-1", delay_ms=70),),
        then=(APPLE,),
        shows=({"event": "message_delayed", "rule": "delay-1"},),
    ),
    Fault(
        "duplicate",
        message("duplicate", "", ("n1", ""), Percent="90"),
        {"duplicate": {"name": "duplicate-1", "from": ["n1"], "percent": 90}},
        (applied("duplicate", rule="duplicate-1", percent=90),),
        then=(APPLE,),
        shows=({"event": "message_duplicated", "rule": "duplicate-1"},),
    ),
    Fault(
        "reorder",
        message("reorder", Percent="80", Milliseconds="40"),
        {"reorder": {"name": "reorder-1", "percent": 80, "delay_most_ms": 40}},
        (applied("reorder", rule="reorder-1", percent=80, delay_most_ms=40),),
        then=(APPLE,),
        shows=({"event": "message_reordered", "rule": "reorder-1"},),
    ),
    Fault(
        "hold",
        message("hold", "learn", ("", "n3")),
        {"hold": {"name": "hold-1", "kinds": ["learn"], "to": ["n3"]}},
        (applied("hold", rule="hold-1"),),
        then=(APPLE,),
        shows=({"event": "message_held", "rule": "hold-1"},),
    ),
    Fault(
        "release",
        ("Release…", "Release hold-1"),
        {"release": {"name": "hold-1"}},
        (undone("hold"),),
        before=(HOLD,),
    ),
    Fault(
        "let one go",
        ("Release…", "Let the first of hold-1 go"),
        {"release": {"name": "hold-1", "first": 1}},
        ({"event": "message_released", "kind": "learn"},),
        before=(HOLD, APPLE),
        ready=({"event": "message_held", "rule": "hold-1"},),
    ),
    Fault(
        "cut one way",
        message("cut_one_way", "", ("n2", "n1")),
        {"cut_one_way": {"name": "cut_one_way-1", "from": ["n2"], "to": ["n1"]}},
        (applied("cut one way", rule="cut_one_way-1"),),
    ),
    Fault(
        "crash at a point",
        ("Crash at…", ("When", "after_sync"), ("Kind", "accept"), ("How", "power"), "Do it"),
        {"failpoint": {"node": "n2", "point": "after_sync", "kind": "accept", "power": True}},
        ({"event": "failpoint_armed", "node": "n2"},),
        then=(APPLE,),
        shows=({"event": "failpoint_hit", "node": "n2"}, applied("power_loss", "n2")),
    ),
    Fault(
        "fail its sync",
        ("Disk…", "Fail its next sync"),
        {"disk_fault": {"node": "n2", "fault": "fail_sync"}},
        (applied("disk_fault", "n2", fault="fail_sync"),),
        then=(APPLE,),
        shows=({"event": "node_exited", "of": "n2"},),
    ),
    Fault(
        "tear its write",
        ("Disk…", "Tear its last write"),
        {"disk_fault": {"node": "n2", "fault": "tear"}},
        (applied("disk_fault", "n2", fault="tear"),),
    ),
    Fault(
        "configure",
        ("Settings…", ("Patience (ms)", "900"), "Do it"),
        {"configure": {"patience_ms": 900}},
        tuple({"event": "settings_changed", "node": node} for node in ("n1", "n2", "n3")),
    ),
)
"""All but proposing, and what is done to the disk of a node that is down."""


def press(page: Page, controls: Iterable[Press], *, by_keys: bool = False) -> None:
    """Go through controls of the panel, with the mouse or with the keyboard alone."""
    panel = page.locator(".commands")
    for control in controls:
        if isinstance(control, tuple) and control[0] != MARK:
            label, value = control
            field = panel.locator(".form").get_by_label(label, exact=True)
            if field.evaluate("field => field.tagName") == "SELECT":
                field.select_option(value)
            else:
                field.fill(value)
            continue
        place = panel.locator(".form") if isinstance(control, tuple) else panel
        name = control[1] if isinstance(control, tuple) else control
        button = place.get_by_role("button", name=name, exact=not name.startswith("Heal cut"))
        # One that is drawn as disabled yet takes no key.
        expect(button).to_be_enabled()
        if by_keys:
            button.press("Enter")
        else:
            button.click()


def holds(wanted: Any, found: Any) -> bool:
    """Whether a line has these fields; of fields in fields as well."""
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and all(
            name in found and holds(value, found[name]) for name, value in wanted.items()
        )
    return bool(wanted == found)


def missing(wanted: Iterable[Step], lines: Iterable[Line]) -> list[Step]:
    """The descriptions that no line fits."""
    lines = list(lines)
    return [one for one in wanted if not any(holds(one, line) for line in lines)]
