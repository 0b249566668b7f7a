"""The rules by which other programs take an export apart, as these programs apply them.

ShiViz and Perfetto cannot be asked themselves. What is checked here is what
their own readers insist on, and what they would silently show wrongly.
"""

import json
from collections import Counter, defaultdict
from typing import Any

from paxos.events import Line, line_id
from tests.web_rooms import ask

Event = tuple[str, dict[str, int], str]
"""Host, clock and text of what ShiViz shows as one event."""

SUFFIXES = {"proposer": 1, "acceptor": 2, "learner": 3}


def shiviz_events(text: str) -> list[Event]:
    """The events as ShiViz takes them from a file.

    The first line is the expression that it matches against everything behind
    the second one, which would part executions. It is matched by the same
    engine as there, in which a dot takes no line separator of Unicode.
    """
    (taken,) = ask("taken", texts=[text])
    return _events(taken)


def _events(taken: dict[str, Any]) -> list[Event]:
    assert taken["delimiter"] == "", "one execution: no delimiter"
    assert taken["left"] == "", "no line is left over"
    return [(host, json.loads(clock), event) for host, clock, event in taken["events"]]


def shiviz_faults(events: list[Event]) -> list[str]:
    """What ShiViz would refuse, or draw wrongly; nothing if a log is right."""
    wrong = []
    own: dict[str, list[dict[str, int]]] = defaultdict(list)
    for host, clock, _ in events:
        before = own[host][-1] if own[host] else {}
        if clock.get(host) != len(own[host]) + 1:
            wrong.append(f"{host} counts {clock.get(host)} after {len(own[host])}")
        if any(clock.get(other, 0) < count for other, count in before.items()):
            wrong.append(f"{host} forgets what it knew: {clock}")
        own[host].append(clock)
    for host, clocks in own.items():
        for before, clock in zip([{}, *clocks], clocks, strict=False):
            wrong += _strange(host, before, clock, own)
    return wrong


def _strange(
    host: str, before: dict[str, int], clock: dict[str, int], own: dict[str, list[dict[str, int]]]
) -> list[str]:
    """What is wrong with one clock, given the one before at its host and all others."""
    wrong = []
    expected = {**before, host: before.get(host, 0) + 1}
    for other, count in clock.items():
        if not 1 <= count <= len(own.get(other, [])):
            wrong.append(f"{host} heard of event {count} of {other}, which is none")
        elif other != host and count > before.get(other, 0):
            # An arrow is drawn from there: all that was known there is known here.
            for third, known in own[other][count - 1].items():
                expected[third] = max(expected.get(third, 0), known)
    if not wrong and expected != clock:
        wrong.append(f"{host} has {clock}, which should be {expected}")
    return wrong


def happened_before(lines: list[Line]) -> list[int]:
    """Per line, the lines before it, as bits: its node's earlier ones, and its cause's."""
    place: dict[str, int] = {}
    last: dict[str, int] = {}
    before: list[int] = []
    for at, line in enumerate(lines):
        past = 0
        for other in (last.get(line["node"]), place.get(line.get("cause", ""))):
            if other is not None:
                past |= before[other] | 1 << other
        before.append(past)
        last[line["node"]] = place[line_id(line)] = at
    return before


def below(one: dict[str, int], other: dict[str, int]) -> bool:
    """Whether what has the one clock happened before what has the other."""
    return one != other and all(other.get(host, 0) >= count for host, count in one.items())


def clocks_tell(lines: list[Line], clocks: list[dict[str, int]]) -> bool:
    """Whether one clock is below another exactly where the one happened before the other."""
    before = happened_before(lines)
    return all(
        below(clocks[one], clocks[other]) == bool(before[other] >> one & 1)
        for other in range(len(lines))
        for one in range(other)
    )


def causes_are_below(lines: list[Line], clocks: list[dict[str, int]]) -> bool:
    """Whether each receipt knows all that its message's sender knew."""
    sent = {line_id(line): clock for line, clock in zip(lines, clocks, strict=True)}
    return all(
        below(sent[line["cause"]], clock)
        for line, clock in zip(lines, clocks, strict=True)
        if line.get("cause") in sent
    )


def trace_faults(trace: dict[str, Any]) -> list[str]:
    """What is wrong with a trace by its format, or would be shown wrongly; nothing if it is right."""
    events = trace["traceEvents"]
    return [
        *_shape_faults(events),
        *_name_faults(events),
        *_slice_faults(events),
        *_pair_faults(events),
    ]


def _shape_faults(events: list[dict[str, Any]]) -> list[str]:
    """Each event has what its phase needs, and its time before any text of a stranger."""
    needs = {
        "M": {"name", "args"},
        "X": {"ts", "dur", "name", "cat", "args"},
        "i": {"ts", "s", "name", "cat"},
        "b": {"ts", "cat", "id", "name"},
        "e": {"ts", "cat", "id", "name"},
        "s": {"ts", "cat", "id", "name"},
        "f": {"ts", "cat", "id", "name", "bp"},
    }
    wrong = []
    for event in events:
        if not needs.get(event["ph"], {"a phase that is known"}) | {"pid", "tid"} <= set(event):
            wrong.append(f"incomplete: {event}")
            continue
        # Whole microseconds, and a length that is none below zero.
        if any(
            type(event.get(name, 0)) is not int or event.get(name, 0) < 0 for name in ("ts", "dur")
        ):
            wrong.append(f"no time: {event}")
        if event["ph"] != "M" and list(event)[:2] != ["ph", "ts"]:
            wrong.append(f"its time stands behind {list(event)}")
        if event["ph"] == "i" and event["s"] not in {"g", "p", "t"}:
            wrong.append(f"no such scope: {event}")
    times = [event.get("ts", -1) for event in events]
    return wrong if times == sorted(times) else [*wrong, "events are not in order of time"]


def _name_faults(events: list[dict[str, Any]]) -> list[str]:
    """Each process and thread has one name and one rank, and no two threads one number."""
    told: dict[str, dict[Any, Any]] = defaultdict(dict)
    wrong = []
    for event in events:
        if event["ph"] != "M":
            continue
        key = (event["pid"], event["tid"]) if event["name"].startswith("thread") else event["pid"]
        if key in told[event["name"]]:
            wrong.append(f"{event['name']} is told twice: {event}")
        told[event["name"]][key] = event["args"].get("name", event["args"].get("sort_index"))
    threads = told["thread_name"]
    wrong += [
        f"thread {event['pid']}/{event['tid']} has no name"
        for event in events
        if (event["pid"], event["tid"]) not in threads
    ]
    wrong += [f"process {pid} has no name" for pid, _ in threads if pid not in told["process_name"]]
    # Perfetto names a thread by its number alone, and takes the one that has its process's for the first.
    if len({tid for _, tid in threads}) < len(threads):
        wrong.append("two threads have one number")
    wrong += [
        f"thread {pid}/{tid} is the first of its process"
        for (pid, tid), name in threads.items()
        if name in SUFFIXES and pid == tid
    ]
    ranks = [*told["process_sort_index"].values(), *told["thread_sort_index"].values()]
    return wrong if all(type(rank) is int for rank in ranks) else [*wrong, "a rank is no number"]


def _slice_faults(events: list[dict[str, Any]]) -> list[str]:
    """Slices of a thread do not overlap; an arrow goes from the line that sends to the one that receives.

    Perfetto binds the end of an arrow to the slice that came last on its
    thread, so the order of events of one instant counts.
    """
    wrong = []
    last: dict[tuple[int, int], dict[str, Any]] = {}
    starts: dict[Any, str] = {}
    for event in events:
        track = (event["pid"], event["tid"])
        open_slice = last.get(track)
        if event["ph"] == "X":
            if open_slice is not None and event["ts"] < open_slice["ts"] + open_slice["dur"]:
                wrong.append(f"{event['name']} begins within the slice before it")
            last[track] = event
        elif event["ph"] in {"s", "f"}:
            if open_slice is None or not 0 <= event["ts"] - open_slice["ts"] < open_slice["dur"]:
                wrong.append(f"an arrow of {event['name']} is bound to no slice")
            elif event["ph"] == "s":
                starts[event["id"]] = open_slice["args"]["line"]
                if not open_slice["cat"].endswith("_sent"):
                    wrong.append(f"an arrow begins at {open_slice['cat']}")
            elif open_slice["args"].get("cause") != starts.get(event["id"]):
                wrong.append(f"{event['name']} ends where it did not arrive: {open_slice['args']}")
    return wrong


def _pair_faults(events: list[dict[str, Any]]) -> list[str]:
    """Arrows and spans begin once and end once, later, under one name."""
    wrong = []
    for phases in (["s", "f"], ["b", "e"]):
        pairs: dict[Any, list[dict[str, Any]]] = defaultdict(list)
        for event in events:
            if event["ph"] in phases:
                pairs[event["cat"], event["id"], event["name"]].append(event)
        for name, ends in pairs.items():
            if [end["ph"] for end in ends] != phases:
                wrong.append(f"{name} does not begin and end once")
            elif ends[0]["ts"] >= ends[1]["ts"]:
                wrong.append(f"{name} ends before it begins")
            elif phases == ["b", "e"] and ends[0]["pid"] != ends[1]["pid"]:
                wrong.append(f"{name} ends elsewhere")
        ids = Counter((cat, number) for cat, number, _ in pairs)
        wrong += [f"{one} is two things" for one, count in ids.items() if count > 1]
    return wrong
