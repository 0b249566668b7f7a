"""Scenario files: YAML in, a checked scenario out, errors with file and line."""

from pathlib import Path
from typing import Any, Final

from orchestrator.cluster import LabError
from orchestrator.places import PROJECT
from paxos.scenario import Path as DataPath
from paxos.scenario import Scenario, ScenarioError, dotted, parse

FOLDER: Final = PROJECT / "scenarios"
BROKEN: Final = FOLDER / "broken"


def read_scenario(path: Path) -> Scenario:
    """Read a scenario file.

    Raises:
        LabError: it cannot be read or is wrong; the text begins with
            ``file:line:`` and says why.
    """
    # Not at the top: the command line answers faster without a YAML reader.
    from ruamel.yaml import YAML  # noqa: PLC0415
    from ruamel.yaml.error import MarkedYAMLError, YAMLError  # noqa: PLC0415

    try:
        data = YAML(typ="rt").load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise LabError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise LabError(f"{path}:1: this is no UTF-8 text: {error.reason}") from error
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = 1 if mark is None else mark.line + 1
        reason = " ".join(str(error.problem or error.context or "no YAML").split())
        raise LabError(f"{path}:{line}: this is no YAML: {reason}") from error
    except YAMLError as error:
        raise LabError(f"{path}:1: this is no YAML: {' '.join(str(error).split())}") from error
    except RecursionError as error:
        raise _endless(path) from error
    try:
        return parse(path.stem, _plain(data))
    except RecursionError as error:
        raise _endless(path) from error
    except ScenarioError as error:
        line = _line_of(data, error.path)
        raise LabError(f"{path}:{line}: {dotted(error.path)}: {error.reason}") from error


def _endless(path: Path) -> LabError:
    return LabError(f"{path}:1: this is nested too deeply, or holds itself by an alias")


def find_scenario(name: str) -> Path:
    """The file of a scenario, by its name or by its path.

    Raises:
        LabError: there is none; the text lists those that there are.
    """
    if name.endswith((".yaml", ".yml")):
        return Path(name)
    for folder in (FOLDER, BROKEN):
        path = folder / f"{name}.yaml"
        if path.is_file():
            return path
    raise LabError(
        f"there is no scenario {name!r}; there are: {', '.join(scenario_names())} "
        "(or give the path of a .yaml file)"
    )


def scenario_names() -> list[str]:
    """The names of the scenarios of the correct protocol, in their order."""
    found = [path.stem for path in FOLDER.glob("*.yaml")]
    order = {name: position for position, name in enumerate(_ORDER)}
    return sorted(found, key=lambda name: (order.get(name, len(order)), name))


def broken_names() -> list[str]:
    """The names of the scenarios that break the protocol on purpose."""
    return sorted(path.stem for path in BROKEN.glob("*.yaml"))


_ORDER: Final = (
    "basic",
    "competing",
    "late-proposer",
    "convergence",
    "crash-proposer",
    "crash-minority",
    "crash-majority",
    "crash-after-promise",
    "crash-after-accept",
    "restart-all",
    "power-loss",
    "disk-faults",
    "partition",
    "bridge",
    "isolate-proposer",
    "pause",
    "lossy",
    "duplicate",
    "reorder",
    "duel",
    "ranges",
    "degrade",
    "sizes",
    "tour",
)
"""From the easiest insight to the hardest; a new file comes last until it has a place."""


def _plain(data: Any) -> Any:
    """The data without what the reader keeps beside it (lines, comments, quotes)."""
    if isinstance(data, dict):
        return {str(key): _plain(entry) for key, entry in data.items()}
    if isinstance(data, list):
        return [_plain(entry) for entry in data]
    if isinstance(data, bool):
        return bool(data)
    if isinstance(data, int):
        return int(data)
    if isinstance(data, float):
        return float(data)
    return str(data) if isinstance(data, str) else data


def _line_of(data: Any, path: DataPath) -> int:
    """The line, from 1, of the last place on a path that is there."""
    line = 0
    for part in path:
        marks = getattr(data, "lc", None)
        if marks is None:
            break
        try:
            line = marks.item(part)[0] if isinstance(part, int) else marks.key(part)[0]
            data = data[part]
        except (KeyError, IndexError, TypeError):
            break
    return int(line) + 1
