"""What all tests share: where they are, and what they need of the machine."""

import functools
import os
import shutil
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from playwright.sync_api import Browser, Page, expect

from tests.web_page import LIMIT_MS, Visit, visiting
from tests.web_rooms import write_three_runs
from tests.web_sandbox import engine_started, need_engine
from tests.web_server import serving

ROOT = Path(__file__).resolve().parents[1]

BROWSER_LIMIT_S = 600
BROWSER_NAMES = ("chromium", "chromium-browser", "google-chrome")

# A deadline in wall time would make a law depend on what else the machine does.
settings.register_profile("local", deadline=None)
# CI must say the same twice about one commit; new examples are found locally.
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "local")


@functools.cache
def no_docker_reason() -> str | None:
    """Why tests on containers cannot run here; ``None`` where they can."""
    if shutil.which("docker") is None:
        return "the docker command is not installed"
    try:
        done = subprocess.run(
            ["docker", "info", "--format", "{{.ServerVersion}}"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "the Docker engine did not answer within 20 s"
    if done.returncode != 0:
        # Older clients print the refusal and then their own usage.
        lines = (done.stderr or done.stdout).strip().splitlines()
        return f"no Docker engine answers: {lines[0] if lines else 'no reason given'}"
    return None


@functools.cache
def browser_path() -> str | None:
    """The path of the Chromium on this machine, if there is one."""
    found = (shutil.which(name) for name in BROWSER_NAMES)
    return next((path for path in found if path), None)


def no_browser_reason() -> str | None:
    """Why tests in a browser cannot run here; ``None`` where they can."""
    if browser_path() is None:
        return f"none of {', '.join(BROWSER_NAMES)} is installed"
    return None


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test that this machine cannot run, and fail it under CI=true.

    A check that silently did not run is the most expensive kind, so CI never
    skips for want of an engine or a browser.
    """
    for marker, no_reason in (("docker", no_docker_reason), ("browser", no_browser_reason)):
        if item.get_closest_marker(marker) is None:
            continue
        reason = no_reason()
        if reason is None:
            continue
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI=true, and {reason}", pytrace=False)
        pytest.skip(reason)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Give every test in a browser the same generous limits, whatever module was imported last."""
    expect.set_options(timeout=LIMIT_MS)
    for item in session.items:
        if item.get_closest_marker("browser") and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(BROWSER_LIMIT_S))


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's folder."""
    return ROOT


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Start the machine's own Chromium, with nothing that asks the network.

    The flags keep it from look-ups of its own at every start; without a
    sandbox it also runs as root, where it only ever sees this project's page.
    """
    flags = [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ]
    return {
        **browser_type_launch_args,
        "executable_path": browser_path(),
        "args": [*browser_type_launch_args.get("args", []), *flags],
    }


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page, with no runs but the stories that it always has, unless a module has one of its own."""
    with serving(tmp_path_factory.mktemp("logs")) as url:
        yield url


@pytest.fixture(scope="session")
def three_runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page with three recorded runs, made once: an ``address`` for each module that shows them."""
    logs = tmp_path_factory.mktemp("logs")
    write_three_runs(logs)
    with serving(logs) as url:
        yield url


@pytest.fixture(scope="session")
def sandbox_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page with the sandbox's engine beside it, for whoever opens a tab of their own."""
    need_engine()
    with serving(tmp_path_factory.mktemp("logs")) as url:
        yield url


@pytest.fixture(scope="session")
def sandbox(browser: Browser, sandbox_address: str) -> Iterator[Page]:
    """One page whose engine has started, which takes seconds: each test opens a recipe in it.

    Whoever changes its size, its theme or its motion changes them back.
    """
    with engine_started(browser, sandbox_address) as page:
        yield page


@pytest.fixture
def visit(request: pytest.FixtureRequest, browser: Browser, address: str) -> Iterator[Visit]:
    """Open the page of a module's ``address`` at a hash; its console must stay empty.

    A module's ``VISIT``, if it has one, holds what its pages are opened with.
    """
    with visiting(browser, address) as open_page:
        yield partial(open_page, **getattr(request.module, "VISIT", {}))
