"""The Python core as one archive, for the page's sandbox: the same files, the same bytes."""

import json
import zipfile
from functools import cache
from io import BytesIO
from typing import Any, Final

from orchestrator.places import PROJECT
from orchestrator.stories import scenarios_json

_CORE: Final = PROJECT / "paxos"
_SCENARIOS: Final = "paxos/sandbox/scenarios.json"
_SUFFIXES: Final = frozenset({".py", ".json"})
_LEFT_OUT: Final = frozenset({"paxos/explorer/arrays.py"})
"""What no tab can run: it needs numpy."""
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""The time of every entry, the earliest that the format knows: no clock is in the bytes."""


@cache
def scenario_data() -> dict[str, Any]:
    """Every scenario as plain data, by name: ``partition``, ``broken/number-reused-shortest``.

    Raises:
        LabError: a file of ours is no YAML.
    """
    found: dict[str, Any] = scenarios_json()["scenarios"]
    return found


@cache
def core_zip() -> bytes:
    """The archive that the worker unpacks: ``paxos/`` and the scenarios as JSON.

    Times, order and modes are fixed, so equal sources give equal bytes.
    """
    scenarios = json.dumps(scenario_data(), ensure_ascii=False, separators=(",", ":"))
    entries = {_SCENARIOS: scenarios.encode("utf-8")}
    for path in _CORE.rglob("*"):
        name = path.relative_to(PROJECT).as_posix()
        if path.suffix in _SUFFIXES and name not in _LEFT_OUT:
            entries[name] = path.read_bytes()
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(entries):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            # The same on every system, whatever it calls itself.
            info.create_system = 3
            archive.writestr(info, entries[name])
    return buffer.getvalue()
