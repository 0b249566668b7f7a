"""Reading plain data (of YAML or JSON) with errors that know their place."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

Path = tuple[str | int, ...]

_MISSING: Final = object()


class ScenarioError(ValueError):
    """A scenario that cannot be read.

    Attributes:
        path: the keys and positions that lead to the fault.
        reason: what is wrong there, and what would be right.
    """

    def __init__(self, path: Path, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{dotted(path)}: {reason}")


def dotted(path: Path) -> str:
    """A path as it is written: ``steps[2].propose.at``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text or "the file"


@dataclass(frozen=True, slots=True)
class Node:
    """One place in the data, and how it was reached."""

    data: Any
    path: Path = ()

    def error(self, reason: str) -> ScenarioError:
        """The fault that is here."""
        return ScenarioError(self.path, reason)

    def fields(self, *known: str) -> "Fields":
        """The data as a mapping with no other keys than these.

        Raises:
            ScenarioError: it is no mapping, or has another key.
        """
        if not isinstance(self.data, Mapping):
            raise self.error(f"this must be a mapping of {', '.join(known)}")
        for key in self.data:
            if key not in known:
                raise ScenarioError(
                    (*self.path, str(key)),
                    f"there is no field {key!r} here; there are {', '.join(known)}",
                )
        return Fields(self.data, self.path)

    def items(self) -> Iterator["Node"]:
        """The entries of a list.

        Raises:
            ScenarioError: it is no list.
        """
        if not isinstance(self.data, list):
            raise self.error("this must be a list")
        for position, entry in enumerate(self.data):
            yield Node(entry, (*self.path, position))

    def text(self, *, among: tuple[str, ...] = ()) -> str:
        """The data as a text that is not empty; one of ``among`` when that is given."""
        if not isinstance(self.data, str) or not self.data.strip():
            raise self.error(f"this must be a text, not {self.data!r}")
        if among and self.data not in among:
            raise self.error(f"{self.data!r} is none of {', '.join(among)}")
        try:
            self.data.encode()
        except UnicodeEncodeError as error:
            raise self.error(
                f"{self.data!r} holds half of a character (a surrogate), which no log can hold"
            ) from error
        return self.data.strip()

    def whole(self, least: int, most: int) -> int:
        """The data as an integer within bounds."""
        if not isinstance(self.data, int) or isinstance(self.data, bool):
            raise self.error(f"this must be a whole number, not {self.data!r}")
        if not least <= self.data <= most:
            raise self.error(f"{self.data} is not from {least} to {most}")
        return self.data

    def truth(self) -> bool:
        """The data as true or false."""
        if not isinstance(self.data, bool):
            raise self.error(f"this must be true or false, not {self.data!r}")
        return self.data

    def texts(self, *, among: tuple[str, ...] = ()) -> tuple[str, ...]:
        """The data as one text or a list of several."""
        if isinstance(self.data, list):
            found = tuple(entry.text(among=among) for entry in self.items())
            if not found:
                raise self.error("this list is empty")
            return found
        return (self.text(among=among),)


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of a mapping whose keys are known."""

    data: Mapping[Any, Any]
    path: Path

    def __contains__(self, name: str) -> bool:
        return name in self.data

    def __getitem__(self, name: str) -> Node:
        """A field that must be there.

        Raises:
            ScenarioError: it is missing.
        """
        found = self.data.get(name, _MISSING)
        if found is _MISSING:
            raise ScenarioError(self.path, f"{name!r} is missing")
        return Node(found, (*self.path, name))

    def error(self, reason: str) -> ScenarioError:
        """The fault that is in the mapping as a whole."""
        return ScenarioError(self.path, reason)

    def text(self, name: str, default: str = "") -> str:
        """A text, or the default when the field is missing."""
        return self[name].text() if name in self else default

    def whole(self, name: str, default: int, least: int, most: int) -> int:
        """An integer, or the default when the field is missing."""
        return self[name].whole(least, most) if name in self else default

    def truth(self, name: str, *, default: bool) -> bool:
        """True or false, or the default when the field is missing."""
        return self[name].truth() if name in self else default

    def texts(self, name: str, *, among: tuple[str, ...] = ()) -> tuple[str, ...]:
        """One text or several; none when the field is missing."""
        return self[name].texts(among=among) if name in self else ()
