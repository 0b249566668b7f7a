"""What the page draws of a log: its modules draw in Node, on a canvas that only writes down.

Colours are names there (``tests/web_drawing.mjs``), so that a test reads which
one was taken.
"""

from dataclasses import dataclass
from functools import reduce
from typing import Any, Final

from paxos.events import Line, line_id
from paxos.events.fold import empty, fold
from paxos.simulator import World
from tests.web_node import ask_node

Item = dict[str, Any]
SCRIPT: Final = "web_drawing.mjs"


@dataclass(frozen=True)
class Drawing:
    """What was drawn of a log, and where its lines, lanes and messages are, in pixels."""

    lines: list[Line]
    items: list[Item]
    lanes: dict[str, float]
    top: float
    gap: float
    gutter: float
    x: list[float]
    slots: list[float]
    shown: list[int]
    flights: list[Any]
    colours: dict[str, str]

    def of(self, how: str, colour: str, **more: Any) -> list[Item]:
        """The fills, strokes, boxes, frames or texts of a colour."""
        wanted = {"how": how, "colour": colour, **more}
        return [one for one in self.items if wanted.items() <= one.items()]

    def texts(self) -> list[str]:
        """All that is written."""
        return [one["text"] for one in self.items if one["how"] == "text"]

    def about(self, flight: Any) -> list[Item]:
        """What was drawn of one message."""
        return [one for one in self.items if one["about"] == flight["id"]]

    def flight(self, kind: str, to: str, fate: str) -> Any:
        """The first message of a kind with this fate."""
        return next(
            one for one in self.flights if (one["kind"], one["to"], one["fate"]) == (kind, to, fate)
        )

    def at(self, event: str, node: str, count: int = 1) -> int:
        """The place of a node's count-th line of an event."""
        return [
            at
            for at, line in enumerate(self.lines)
            if (line["event"], line["node"]) == (event, node)
        ][count - 1]

    def on_lane(self, at: int, *, near: float = 12) -> list[Item]:
        """What stands on the lane of a line, at its place."""
        x, y = self.x[at], self.lanes[self.lines[at]["node"]]
        return [
            one
            for one in self.items
            if one["how"] in {"fill", "stroke"}
            and one["about"] is None
            and one["path"]
            and all(
                abs(px - x) <= near and abs(py - y) <= near
                for _, px, py, *_ in (part for part in one["path"] if len(part) > 2)
            )
        ]


def drawn(
    lines: list[Line], *, verdict: Any = None, flights: bool = True, **change: Any
) -> Drawing:
    """What the page draws of a log; everything is over, unless a cursor says otherwise."""
    about = {"ask": "view", "lines": lines, "verdict": verdict, "flights": flights}
    found = ask_node(SCRIPT, {**about, "change": change})
    return Drawing(lines=lines, **found)


def folded(lines: list[Line]) -> Any:
    """The state after all lines, as Python folds it."""
    return reduce(fold, lines, empty())


def place_of(lines: list[Line], name: str) -> int:
    """Where the line of a name stands."""
    return next(at for at, line in enumerate(lines) if line_id(line) == name)


def is_cross(item: Item) -> bool:
    """Whether a stroke is a cross."""
    return item["how"] == "stroke" and [part[0] for part in item["path"]] == ["M", "L", "M", "L"]


def is_head(item: Item) -> bool:
    """Whether something is the head of an arrow: a closed triangle."""
    return [part[0] for part in item["path"]] == ["M", "L", "L", "Z"]


def middle(item: Item) -> tuple[float, float]:
    """The middle of a sign."""
    points = [part for part in item["path"] if part[0] in "ML"]
    return (
        sum(part[1] for part in points) / len(points),
        sum(part[2] for part in points) / len(points),
    )


def long_run(count: int) -> list[Line]:
    """At least so many lines of a simulated run, two rivals in each instance."""
    world = World(1)
    instance = 0
    while len(world.lines) < count:
        instance += 1
        now_ms = world.now_ns // 1_000_000
        world.propose(now_ms + 1, instance % 5 + 1, f"value {instance}", instance=instance)
        world.propose(now_ms + 2, (instance + 1) % 5 + 1, f"other {instance}", instance=instance)
        world.run(now_ms + 60)
    return world.lines
