"""How fast the page is: opening, panning and zooming, live feeds, memory; in Chromium.

Run by hand: ``python -m tests.page_bench`` prints the tables of
``docs/performance.md``. ``--live SECONDS`` measures live feeds so long each (0:
not at all), ``--sizes`` other sizes of runs. Simulated logs are kept in the
temporary directory for the next time.
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
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, Page, sync_playwright

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
SIZES: Final = (10_000, 100_000, 1_000_000)
RATES: Final = (5_000, 20_000)
_FRAMES: Final = 120
_LIMIT_MS: Final = 60_000
_MB: Final = 1_000_000

# When the run can first be seen: its sentence stands and its canvas is drawn.
_SHOWN: Final = """
  const look = () => {
    const canvas = document.getElementById("spacetime");
    const counted = document.querySelector(".happening h2");
    if (canvas && canvas.height > 10 && counted) window.__shown ??= performance.now();
    else window.__shown = undefined;
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
"""

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


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--sizes", type=int, nargs="*", default=list(SIZES))
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
        say("| Run | Opens in | Dropped, in | Pan p50/p95 | Zoom p50/p95 | Whole p95 | Memory |")
        say("|---|---|---|---|---|---|---|")
        with serving(home) as url:
            # Stories are played at the first wish: they are not what is measured.
            first = browser.new_page()
            first.request.get(f"{url}stories.json", timeout=_LIMIT_MS)
            first.close()
            for size in options.sizes:
                say(recorded(browser, url, home, size))
        if options.live:
            say("\n| Feed | Seconds | Events | Frame p50/p95/p99 | Memory, begin and end |")
            say("|---|---|---|---|---|")
            for rate in options.rates:
                say(live(browser, rate, options.live))
        browser.close()


def recorded(browser: Browser, url: str, home: Path, size: int) -> str:
    """Open, pan and zoom a run of so many events; a row of the table."""
    page = opened(browser)
    page.goto(f"{url}#run={size}")
    served_ms = shown(page, size)
    page.keyboard.press("End")
    pans = frames(page, 25, 0)
    page.keyboard.press("f")
    whole = frames(page, 0, 0)
    zooms = frames(page, 0, -60)
    pans += frames(page, -25, 0)
    memory = memory_of(browser, page)
    page.close()
    page = opened(browser)
    page.goto(url)
    # The first story closes what was opened before it came.
    page.locator(".happening h2").wait_for()
    page.get_by_role("button", name="Open a run").click()
    page.locator("input[type=file]").first.wait_for(state="attached", timeout=_LIMIT_MS)
    began = page.evaluate("performance.now()")
    page.locator("input[type=file]").first.set_input_files(home / str(size) / "events.jsonl")
    dropped_ms = shown(page, size) - began
    page.close()
    return (
        f"| {size:,} events | {served_ms / 1000:.2f} s | {dropped_ms / 1000:.2f} s "
        f"| {spread(pans)} | {spread(zooms)} | {percentile(whole, 95):.1f} ms | {memory:.0f} MB |"
    )


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
        found: list[float] = []
        while time.monotonic() - began < seconds:
            found += frames(page, 0, 0)
        after = memory_of(browser, page)
        count = page.locator(".happening h2").inner_text()
        page.close()
    events = count.split(" of ")[-1].split()[0]
    p50, p95, p99 = (percentile(found, part) for part in (50, 95, 99))
    return (
        f"| {rate:,} events/s | {seconds:.0f} | {events} | {p50:.1f} / {p95:.1f} / {p99:.1f} ms "
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
    """A page that notes when a run is first seen, and tells of errors."""
    page = browser.new_context(viewport={"width": 1360, "height": 900}).new_page()
    page.set_default_timeout(_LIMIT_MS)
    page.add_init_script(_SHOWN)
    page.on("pageerror", lambda error: say(f"error in the page: {error}"))
    return page


def shown(page: Page, size: int) -> float:
    """Wait until a run of so many events is seen; when that was, on the page's clock."""
    page.wait_for_function(
        "count => document.querySelector('.happening h2')?.textContent.includes(count)"
        " && window.__shown !== undefined && performance.now()",
        arg=f"of {size:,}",
        polling=10,
    )
    moment: float = page.evaluate("performance.now()")
    return moment


def frames(page: Page, delta_x: int, delta_y: int) -> list[float]:
    """How far apart frames are while the wheel turns in each of them, in milliseconds."""
    found: list[float] = page.evaluate(_WATCH, [_FRAMES, delta_x, delta_y])
    return found


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


def spread(values: list[float]) -> str:
    """The median and the 95th of a hundred."""
    return f"{percentile(values, 50):.1f} / {percentile(values, 95):.1f} ms"


if __name__ == "__main__":
    if shutil.which("chromium") is None and browser_path() is None:
        raise SystemExit("no Chromium is installed")
    main()
