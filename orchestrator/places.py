"""Where the lab keeps what runs leave behind."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PROJECT: Final = Path(__file__).resolve().parents[1]
"""The project's folder: scenarios, the compose file and the page are in it."""

HOME_VARIABLE: Final = "PAXOS_LAB_HOME"


@dataclass(frozen=True, slots=True)
class Places:
    """The folders ``state/`` and ``logs/``.

    Attributes:
        home: the folder that holds both: the project's, unless the
            environment says otherwise.
    """

    home: Path

    @classmethod
    def from_environment(cls) -> "Places":
        """The places that ``PAXOS_LAB_HOME`` gives, or those in the project."""
        given = os.environ.get(HOME_VARIABLE)
        return cls(Path(given).resolve() if given else PROJECT)

    @property
    def state(self) -> Path:
        """Where disks are."""
        return self.home / "state"

    @property
    def logs(self) -> Path:
        """Where runs are, a folder each."""
        return self.home / "logs"

    @staticmethod
    def shown(path: Path) -> str:
        """A path as a person would type it here: relative where that is shorter."""
        relative = os.path.relpath(path)
        return relative if len(relative) < len(str(path)) else str(path)
