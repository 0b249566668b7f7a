"""What was commanded in a live run, as a scenario file that does it again.

A scenario waits for events, a person just looks. What a person had seen before
a command was given is known (:mod:`orchestrator.web.seen`): so the file waits
for the same before the same command, and at its end for what the run came to.
"""

import io
from collections.abc import Iterable, Mapping
from typing import Any, Final

from orchestrator.web.commands import BESIDE
from orchestrator.web.seen import Seen, Waits
from paxos.scenario import Scenario, Step
from paxos.scenario import model as do

_TOLD_COUNT: Final = 3
"""How many commands a title names."""


class Notes:
    """Takes down commands in their order.

    Args:
        members: the nodes.
    """

    def __init__(self, members: tuple[str, ...]) -> None:
        self.steps: list[dict[str, Any]] = []
        self._members = members
        self._commands: list[str] = []
        self._waits = Waits(members)

    def add(self, steps: Iterable[Mapping[str, Any]], seen: Seen) -> None:
        """Note a command that was carried out.

        Args:
            steps: as they stand in a file.
            seen: what had been seen before it was given.
        """
        own = [dict(step) for step in steps]
        self.steps.extend(self._waits.before(own, seen))
        self.steps.extend(own)
        self._waits.commanded(own, seen)

    def name(self, command: Mapping[str, Any]) -> None:
        """Remember a command as it was given, which may be several steps, for the title."""
        self._commands.append(_told(command))

    def end(self, seen: Seen) -> None:
        """Note what had been seen when the run was ended."""
        if self.steps:
            self.steps.extend(self._waits.before((), seen))

    @property
    def command_count(self) -> int:
        """How many commands were given."""
        return len(self._commands)

    @property
    def title(self) -> str:
        """What was commanded, in a line; the file's title goes on from it."""
        named = self._commands[:_TOLD_COUNT]
        more = len(self._commands) - len(named)
        if more == 1:
            named, more = self._commands, 0
        told = "; ".join(named) + (f"; and {more} more commands" if more else "")
        return f"Live: {told}" if told else "A live run"

    def data(self, run: str, instances: Iterable[str]) -> dict[str, Any]:
        """The whole scenario, as plain data."""
        wished = any("propose" in step for step in self.steps)
        fact, event = (
            ("a client asked", "propose_invoked") if wished else ("the run began", "run_started")
        )
        return {
            "version": do.VERSION,
            "title": f"The live run {run} again",
            "predict": (
                "The commands of a live run are given again, each as soon as what had been seen "
                "before it is seen again. Which value is chosen, and who learns it?"
            ),
            "nodes": len(self._members),
            "instances": list(instances),
            "steps": self.steps,
            "expectations": [],
            "must_happen": [{"fact": fact, "lines": {"event": event}}],
            "notice": (
                "The commands and their order are those of the live run, the time between them is "
                "not. Where two values raced, the other one may win."
            ),
        }

    def played(self, instances: Iterable[str]) -> Scenario:
        """The live run itself, as a scenario that was played: with the disks that it hurt."""
        hurt = (step["disk_fault"] for step in self.steps if "disk_fault" in step)
        return Scenario(
            name="live",
            title=self.title,
            predict="A person commands it: what will each command bring about?",
            node_counts=(len(self._members),),
            instances=tuple(instances),
            settings=(),
            steps=tuple(Step(do.DiskFault(one["node"], one["fault"])) for one in hurt),
            expectations=(),
            must_happen=(),
            notice="What was commanded is in scenario.yaml, and can be played again.",
        )


def _told(step: Mapping[str, Any]) -> str:
    """A command in a few words."""
    verb, content = next((verb, step[verb]) for verb in step if verb not in BESIDE)
    what = verb.replace("_", " ")
    match verb, content:
        case "propose", {"value": value, "at": at}:
            shown = value if len(value) <= 20 else f"{value[:19]}…"
            return f"propose {shown} at {at}"
        case "partition", _:
            return f"partition {' | '.join(' '.join(group) for group in content)}"
        case (("failpoint" | "disk_fault"), {"node": node}):
            return f"{what} at {node}"
        case _, {"name": name}:
            return f"{what} {name}"
        case _, list():
            return f"{what} {' '.join(content)}"
        case _, str():
            return f"{what} {content}"
        case _:
            return what


def as_yaml(data: Mapping[str, Any]) -> str:
    """Plain data as the text of a file; a reader of YAML finds every text in it unchanged."""
    # Slow to load, and seldom needed.
    from ruamel.yaml import YAML  # noqa: PLC0415
    from ruamel.yaml.emitter import Emitter  # noqa: PLC0415
    from ruamel.yaml.nodes import ScalarNode  # noqa: PLC0415
    from ruamel.yaml.representer import SafeRepresenter  # noqa: PLC0415

    class Representer(SafeRepresenter):
        """Has what no eye can see written as escapes."""

        def represent_str(self, data: str) -> ScalarNode:
            # Bare, some of them count as ends of lines, and come back as blanks.
            style = None if data.isprintable() else '"'
            return self.represent_scalar("tag:yaml.org,2002:str", data, style=style)

    class OneRow(Emitter):
        """Leaves a text with escapes in one row: folded behind one, it comes back with a blank."""

        def write_double_quoted(self, text: str, split: bool = True) -> None:  # noqa: ARG002
            super().write_double_quoted(text, split=False)

    Representer.add_representer(str, Representer.represent_str)
    writer = YAML(typ="safe", pure=True)
    writer.Representer = Representer
    writer.Emitter = OneRow
    writer.default_flow_style = False
    writer.allow_unicode = True
    writer.width = 100
    # In the order in which a reader wants it, not the alphabet's.
    writer.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    text = io.StringIO()
    writer.dump(dict(data), text)
    return text.getvalue()
