"""Pyodide, the Python that runs the sandbox in a browser tab: pinned, fetched, checked.

``web/pyodide/package-lock.json`` pins it, ``make pyodide`` fetches it with
npm, and ``web/pyodide/SHA256SUMS`` says what each file must be. A file that
is another one is never served.
"""

import hashlib
import json
import shutil
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from orchestrator.places import PROJECT

FOLDER: Final = PROJECT / "web" / "pyodide"
_PLACE: Final = Path("node_modules") / "pyodide"
_SUMS: Final = "SHA256SUMS"
_TO_DO: Final = "`make pyodide` fetches it (it needs npm)"


def version(folder: Path = FOLDER) -> str:
    """The version that is pinned."""
    pinned = json.loads((folder / "package.json").read_text(encoding="utf-8"))
    found: str = pinned["dependencies"]["pyodide"]
    return found


def sums(folder: Path = FOLDER) -> dict[str, str]:
    """What the SHA-256 of each file must be, by the file's name."""
    lines = (folder / _SUMS).read_text(encoding="utf-8").splitlines()
    return {name: digest for digest, name in (line.split() for line in lines)}


def pyodide_files(folder: Path = FOLDER) -> dict[str, Path] | str:
    """The files that the worker loads, by name.

    Returns:
        Their paths; or, where they are not there or not the right ones, a
        sentence that says so and what to do.
    """
    found: dict[str, Path] = {}
    for name, digest in sums(folder).items():
        path = folder / _PLACE / name
        try:
            status = path.stat()
        except OSError:
            return f"Pyodide is not here, so the page has no sandbox: {_TO_DO}."
        if _digest(path, status.st_size, status.st_mtime_ns) != digest:
            return (
                f"{path.relative_to(folder.parent.parent)} is not the file that was pinned "
                f"(its SHA-256 is another), so the page has no sandbox: {_TO_DO} anew."
            )
        found[name] = path
    return found


def sandbox_json(folder: Path = FOLDER) -> dict[str, Any]:
    """The content of ``sandbox.json``: whether the page has a sandbox, and why not."""
    found = pyodide_files(folder)
    if isinstance(found, str):
        return {"available": False, "why": found, "pyodide": version(folder)}
    size = sum(path.stat().st_size for path in found.values())
    why = f"Pyodide {version(folder)}, {size / 1e6:.1f} MB, runs the core in this tab."
    return {"available": True, "why": why, "pyodide": version(folder)}


def fetch(folder: Path = FOLDER) -> str | None:
    """Fetch the pinned files with npm, unless they are there; what went wrong, if anything did."""
    found = pyodide_files(folder)
    if not isinstance(found, str):
        return None
    npm = shutil.which("npm")
    if npm is None:
        return "npm is not installed, so Pyodide cannot be fetched; all but the sandbox works"
    # A file that is another one is not repaired by npm, which believes its own notes.
    shutil.rmtree(folder / "node_modules", ignore_errors=True)
    options = ("--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")
    done = subprocess.run([npm, "ci", *options], cwd=folder, check=False)
    if done.returncode != 0:
        return f"npm could not fetch Pyodide {version(folder)}; all but the sandbox works"
    found = pyodide_files(folder)
    return found if isinstance(found, str) else None


@lru_cache(maxsize=32)
def _digest(path: Path, _size: int, _mtime_ns: int) -> str:
    """The SHA-256 of a file; read again only when size or time have changed."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def main() -> None:
    """Fetch and check, and say what is there: ``make pyodide``."""
    trouble = fetch()
    if trouble is not None:
        print(f"error: {trouble}", file=sys.stderr)
        sys.exit(2)
    print(sandbox_json()["why"])


if __name__ == "__main__":
    main()
