"""How fast the page is: opening, panning and zooming, live feeds, memory; in Chromium.

Run by hand: ``python -m tests.page_bench`` prints the tables of
``docs/performance.md``. ``--live SECONDS`` measures live feeds so long each (0:
not at all), ``--sizes`` other sizes of runs, ``--rounds`` how often; a figure is
the median of the rounds. Simulated logs are kept in the temporary directory for
the next time.

How far frames lie apart depends on what else the machine does; how long the
page's main thread computes for one frame depends on it less.
"""

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

from orchestrator.columns import is_current, write_columns
from tests.big_log import write_log
from tests.conftest import browser_path
from tests.web_server import serving

FLAGS: Final = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SIZES: Final = (100, 10_000, 100_000, 1_000_000)
RATES: Final = (5_000, 20_000)
_FRAMES: Final = 120
_LIMIT_MS: Final = 60_000
_MB: Final = 1_000_000

# Frames while something is done in each of them: how far apart they are, and
# how long the page's own work takes.
_WATCH: Final = """
  async ([count, deltaX, deltaY]) => {
    const canvas = document.getElementById("spacetime");
    const box = canvas.getBoundingClientRect();
    const frames = [];
    let last = await new Promise(requestAnimationFrame);
    for (let at = 0; at < count; at += 1) {
      if (deltaX || deltaY) {
        const turn = deltaY === 0 ? 1 : at < count / 2 ? 1 : -1;
        canvas.dispatchEvent(new WheelEvent("wheel", {
          deltaX, deltaY: deltaY * turn, clientX: box.left + box.width / 2, clientY: box.top + 90,
          bubbles: true, cancelable: true,
        }));
      }
      const now = await new Promise(requestAnimationFrame);
      frames.push(now - last);
      last = now;
    }
    return frames;
  }
"""


@dataclass(frozen=True, slots=True)
class Moves:
    """Frames while something was done in each of them.

    Attributes:
        apart_ms: how far apart they were.
        busy_ms: how long the page's main thread computed, for all of them.
    """

    apart_ms: list[float]
    busy_ms: float

    def at(self, percent: int) -> float:
        """The distance in ms that so many of a hundred frames do not exceed."""
        return percentile(self.apart_ms, percent)

    @property
    def busy_each_ms(self) -> float:
        """How long the main thread computed for a frame."""
        return self.busy_ms / len(self.apart_ms)

    def __str__(self) -> str:
        """Median and 95th of a hundred, and the computing."""
        return f"{self.at(50):.1f} / {self.at(95):.1f} ms, {self.busy_each_ms:.1f}"


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--sizes", type=int, nargs="*", default=list(SIZES))
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument("--live", type=float, default=30.0, metavar="SECONDS")
    asked.add_argument("--rates", type=int, nargs="*", default=list(RATES))
    options = asked.parse_args()
    home = Path(tempfile.gettempdir()) / "paxos-page-bench"
    for size in options.sizes:
        folder = home / str(size)
        write_log(folder / "events.jsonl", size)
        if not is_current(folder):
            began = time.process_time()
            write_columns(folder)
            say(f"index of {size:,} lines: {time.process_time() - began:.1f} s")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path(), args=FLAGS)
        if options.sizes:
            with serving(home) as url:
                # Stories are played at the first wish: they are not what is measured.
                first = browser.new_page()
                first.request.get(f"{url}stories.json", timeout=_LIMIT_MS)
                first.close()
                say("\n| Run | First drawn | Dropped, in | Pan | Pan, far out | Zoom | Memory |")
                say("|---|---|---|---|---|---|---|")
                for size in options.sizes:
                    say(recorded(browser, url, home, size, options.rounds))
        if options.live and options.rates:
            say(
                "\n| Feed | Seconds | Events | Frame p50/p95/p99 | Computing | Memory, begin and end |"
            )
            say("|---|---|---|---|---|---|")
            for rate in options.rates:
                say(live(browser, rate, options.live))
        browser.close()


def recorded(browser: Browser, url: str, home: Path, size: int, rounds: int) -> str:
    """Open, pan and zoom a run of so many events, and drop it; a row of the table."""
    served_ms: list[float] = []
    dropped_ms: list[float] = []
    moves: list[tuple[Moves, Moves, Moves]] = []
    memory: list[float] = []
    for _ in range(rounds):
        page = opened(browser)
        page.goto(f"{url}#run={size}")
        served_ms.append(drawn(page, size))
        moves.append((pans(page), far_pans(page), frames(page, 0, -60)))
        memory.append(memory_of(browser, page))
        page.context.close()
        dropped_ms.append(dropped(browser, url, home, size))
    near, far, zooms = (middle([one[place] for one in moves]) for place in range(3))
    return (
        f"| {size:,} events | {median(served_ms) / 1000:.2f} s | {median(dropped_ms) / 1000:.2f} s "
        f"| {near} | {far} | {zooms} | {median(memory):.0f} MB |"
    )


def dropped(browser: Browser, url: str, home: Path, size: int) -> float:
    """How long a file of so many lines takes from its choice to its drawing, in ms."""
    page = opened(browser)
    page.goto(url)
    # The first story closes what was opened before it came.
    page.locator(".happening h2").wait_for()
    page.get_by_role("button", name="Open a run").click()
    page.locator("input[type=file]").first.wait_for(state="attached", timeout=_LIMIT_MS)
    began: float = page.evaluate("performance.now()")
    page.locator("input[type=file]").first.set_input_files(home / str(size) / "events.jsonl")
    until = drawn(page, size)
    page.context.close()
    return until - began


def pans(page: Page) -> Moves:
    """Pan there and back in the middle of the run, as it opens."""
    strip = page.locator("#overview").bounding_box()
    assert strip is not None, "a run that is shown has its strip"
    page.mouse.click(strip["x"] + strip["width"] / 2, strip["y"] + strip["height"] / 2)
    return both(frames(page, 25, 0), frames(page, -25, 0))


def far_pans(page: Page) -> Moves:
    """The same where half of the run is in sight."""
    page.keyboard.press("f")
    page.keyboard.press("+")
    page.keyboard.press("+")
    return both(frames(page, 5, 0), frames(page, -5, 0))


def live(browser: Browser, rate: int, seconds: float) -> str:
    """Watch a live feed of so many events a second; a row of the table."""
    with feed(rate, seconds + 20) as address:
        page = opened(browser)
        page.goto(address)
        page.get_by_role("button", name="Live", exact=True).click()
        page.wait_for_function(
            "() => Number(/of ([\\d,]+)/.exec(document.querySelector('.happening h2')?.textContent)?.[1]"
            ".replaceAll(',', '')) > 2000"
        )
        before = memory_of(browser, page)
        began = time.monotonic()
        found: list[Moves] = []
        while time.monotonic() - began < seconds:
            found.append(frames(page, 0, 0))
        after = memory_of(browser, page)
        count = page.locator(".happening h2").inner_text()
        page.context.close()
    events = count.split(" of ")[-1].split()[0]
    seen = both(*found)
    return (
        f"| {rate:,} events/s | {seconds:.0f} | {events} "
        f"| {seen.at(50):.1f} / {seen.at(95):.1f} / {seen.at(99):.1f} ms | {seen.busy_each_ms:.1f} ms "
        f"| {before:.0f} MB, {after:.0f} MB |"
    )


@contextlib.contextmanager
def feed(rate: int, seconds: float) -> Iterator[str]:
    """The address of a page that grows so fast, served by a process of its own."""
    command = [sys.executable, "-m", "tests.feed_load", "--rate", str(rate)]
    command += ["--seconds", str(int(seconds))]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        for line in process.stdout:
            words = line.split()
            found = [word for word in words if word.startswith("http://")]
            if found:
                break
        else:
            raise SystemExit("the feed did not begin")
        yield found[0].rstrip(".,")
    finally:
        process.terminate()
        process.wait(timeout=30)


def opened(browser: Browser) -> Page:
    """A page that tells of errors."""
    page = browser.new_context(viewport={"width": 1360, "height": 900}).new_page()
    page.set_default_timeout(_LIMIT_MS)
    page.on("pageerror", lambda error: say(f"error in the page: {error}"))
    return page


def drawn(page: Page, size: int) -> float:
    """When a run of so many events was drawn first, ring and space-time view, on the page's clock in ms."""
    page.wait_for_function(
        "count => document.querySelector('.happening h2')?.textContent.includes(count)"
        " && performance.getEntriesByName('run drawn').length > 0",
        arg=f"of {size:,}",
        polling=10,
    )
    moment: float = page.evaluate("performance.getEntriesByName('run drawn').at(-1).startTime")
    return moment


def frames(page: Page, delta_x: int, delta_y: int) -> Moves:
    """Frames while the wheel turns in each of them."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    before = busy_ms(session)
    found: list[float] = page.evaluate(_WATCH, [_FRAMES, delta_x, delta_y])
    spent = busy_ms(session) - before
    session.detach()
    return Moves(found, spent)


def busy_ms(session: CDPSession) -> float:
    """How long the main thread of a page has computed so far."""
    metrics: dict[str, Any] = session.send("Performance.getMetrics")
    seconds = next(one["value"] for one in metrics["metrics"] if one["name"] == "TaskDuration")
    return float(seconds) * 1000


def both(*moves: Moves) -> Moves:
    """Several as one."""
    return Moves(
        [one for part in moves for one in part.apart_ms], sum(part.busy_ms for part in moves)
    )


def middle(moves: list[Moves]) -> Moves:
    """The round whose 95th of a hundred is the median."""
    return sorted(moves, key=lambda one: one.at(95))[len(moves) // 2]


def memory_of(browser: Browser, page: Page) -> float:
    """What the page's process takes, in megabytes, its columns included."""
    page.evaluate("() => window.gc?.()")
    session = browser.new_browser_cdp_session()
    found: Any = session.send("SystemInfo.getProcessInfo")
    session.detach()
    sizes = [
        resident(process["id"]) for process in found["processInfo"] if process["type"] == "renderer"
    ]
    return max(sizes, default=0) / _MB


def resident(process: int) -> int:
    """The resident memory of a process, in bytes; 0 where it has ended."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        pages = int(Path(f"/proc/{process}/statm").read_text("ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    return 0


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def percentile(values: list[float], part: int) -> float:
    """The value below which so many of a hundred are."""
    ordered = sorted(values)
    return ordered[min(len(ordered) * part // 100, len(ordered) - 1)] if ordered else 0.0


if __name__ == "__main__":
    if shutil.which("chromium") is None and browser_path() is None:
        raise SystemExit("no Chromium is installed")
    main()
