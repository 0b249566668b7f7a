"""The page's modules, run in Node by the scripts ``tests/web_*.mjs``."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final, NoReturn

import pytest

HERE: Final = Path(__file__).parent
# A limit, not a wait: the longest of these fold thousands of lines.
_TIMEOUT_S: Final = 120


def without(reason: str) -> NoReturn:
    """Skip for want of something, and fail under CI=true, where it has to be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI=true, and {reason}", pytrace=False)
    pytest.skip(reason)


def node_path() -> str:
    """The path of Node; where it is missing the test skips, or fails under CI=true."""
    found = shutil.which("node")
    return found if found is not None else without("node is not installed")


def ask_node(script: str, request: Any) -> Any:
    """Hand a request to a script of this folder as JSON; its answer is JSON, too.

    Args:
        script: the name of its file, as ``web_fold.mjs``.
        request: what JSON can hold.
    """
    done = subprocess.run(
        [node_path(), str(HERE / script)],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
