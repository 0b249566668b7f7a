"""A recorded run on the page, for tests of whatever it shows: links to it, and what is said and drawn."""

from playwright.sync_api import Page

from paxos.events import Line, bundled, line_id
from paxos.events.fold import empty, fold
from tests.web_page import settled


def run(name: str, **moment: str | int) -> str:
    """The hash that leads to a run."""
    return "#" + "&".join(f"{key}={value}" for key, value in {"run": name, **moment}.items())


def sentence(page: Page) -> str:
    """What the page says is happening."""
    settled(page)
    return page.locator(".sentence").inner_text()


def said(lines: list[Line], at: int) -> str:
    """What Python says at that line; of a fan-out, of all of it that has happened."""
    first = at
    while first and len(list(bundled(lines[first - 1 : at + 1]))) == 1:
        first -= 1
    (bundle,) = bundled(lines[first : at + 1])
    return bundle.text


def place(lines: list[Line], event: str, count: int = 1) -> int:
    """The place of the count-th line of an event."""
    return [index for index, line in enumerate(lines) if line["event"] == event][count - 1]


def points(lines: list[Line]) -> list[int]:
    """The places of the turning points, each once."""
    state = empty()
    for line in lines:
        state = fold(state, line)
    index = {line_id(line): at for at, line in enumerate(lines)}
    return sorted({index[point["line"]] for point in state["turning_points"]})


def moment(page: Page) -> tuple[str, ...]:
    """All that the page says of a moment."""
    parts = [".sentence", ".acceptors tbody", ".meters", ".choice", ".ring p >> nth=0"]
    settled(page)
    return tuple(page.locator(part).inner_text() for part in parts)


def picture(page: Page) -> str:
    """The pixels of the space-time view."""
    data: str = page.evaluate("document.getElementById('spacetime').toDataURL()")
    return data


def ink(page: Page) -> int:
    """How much of the space-time view is drawn on, in summed opacity."""
    settled(page)
    amount: int = page.evaluate(
        """async () => {
            const canvas = document.getElementById("spacetime");
            const copy = new OffscreenCanvas(canvas.width, canvas.height);
            const context = copy.getContext("2d", { willReadFrequently: true });
            context.drawImage(canvas, 0, 0);
            const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
            let sum = 0;
            for (let at = 3; at < data.length; at += 4) sum += data[at];
            return sum;
        }"""
    )
    return amount
