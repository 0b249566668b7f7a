"""How fast the sandbox is in Chromium, beside CPython: ``python -m tests.sandbox_bench``."""

# ruff: noqa: T201 - what it measures is printed.

import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from orchestrator.core_archive import core_zip, scenario_data
from orchestrator.pyodide import sandbox_json
from paxos.sandbox import run_to_bytes
from tests.conftest import browser_path
from tests.web_server import serving

_FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking")
_START = """
async () => {
  const began = performance.now();
  const { Engine } = await import("/sandbox/engine.js");
  globalThis.engine = await Engine.start();
  return Math.round(performance.now() - began);
}
"""
_RUN = """
async (recipe) => {
  const began = performance.now();
  const { sha256, line_count } = await globalThis.engine.run(recipe);
  return { sha256, line_count, ms: Math.round(performance.now() - began) };
}
"""


def duel(lines: int) -> dict[str, Any]:
    """A duel without an end in nine instances, stopped at so many lines."""
    names = [f"instance {number}" for number in range(1, 10)]
    loss = {"drop": {"name": "loss", "kinds": ["accept", "accepted"], "percent": 100}}
    asked = [
        {"at": f"n{1 + (i + j) % 5}", "value": f"v{i}{j}", "instance": name, "timeout_ms": 600_000}
        for i, name in enumerate(names)
        for j in range(5)
    ]
    commands = [{"after": 6, "do": loss}]
    commands += [{"after": 6, "do": {"propose": one}} for one in asked]
    return {
        "v": 1,
        "seed": 7,
        "nodes": 5,
        "instances": names,
        "settings": {"backoff": False},
        "limits": {"lines": lines, "ms": 3_600_000},
        "commands": commands,
    }


def measure(browser: Browser, url: str) -> None:
    """Print a line for each figure."""
    page = browser.new_context().new_page()
    page.goto(f"{url}sandbox.json")
    print(f"start, nothing cached: {page.evaluate(_START):,} ms")
    page.reload()
    print(f"start, page loaded anew: {page.evaluate(_START):,} ms")
    for lines in (1_000, 10_000, 100_000):
        recipe = duel(lines)
        there = page.evaluate(_RUN, recipe)
        began = time.perf_counter()
        here, _ = run_to_bytes(recipe, scenario_data())
        here_ms = round((time.perf_counter() - began) * 1_000)
        same = "same bytes" if here["sha256"] == there["sha256"] else "OTHER BYTES"
        count = there["line_count"]
        print(f"{count:,} lines: {there['ms']:,} ms in the tab, {here_ms:,} ms here, {same}")


def main() -> None:
    """Measure once; what else the machine does counts, too."""
    print(f"{sandbox_json()['why']} The core's archive: {len(core_zip()) / 1e3:.0f} kB.")
    folder = Path(tempfile.mkdtemp(prefix="sandbox-bench-"))
    with serving(folder) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path(), args=list(_FLAGS))
        measure(browser, url)
        browser.close()
    folder.rmdir()


if __name__ == "__main__":
    main()
