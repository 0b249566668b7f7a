"""What was commanded in a live run, as a scenario file that does it again.

A scenario waits for events, a person just looks. What a person had seen before
a command was given is known: which clients had been answered, and how many
messages were held when some of them were let go. So the file waits for these,
and for nothing else; what else happened in between is left to the run.
"""

import io
from collections.abc import Iterable, Mapping
from typing import Any

from paxos.scenario.model import VERSION


class Notes:
    """Takes down commands in their order."""

    def __init__(self) -> None:
        self.steps: list[dict[str, Any]] = []
        self._awaited: set[str] = set()

    def add(
        self, steps: Iterable[Mapping[str, Any]], answered: Iterable[str], held_count: int = 0
    ) -> None:
        """Note a command that was carried out.

        Args:
            steps: as they stand in a file.
            answered: the wishes, by name, whose clients had their answer before it.
            held_count: how many messages had been held before it, all in all.
        """
        fresh = [name for name in answered if name not in self._awaited]
        if fresh:
            self._awaited.update(fresh)
            self.steps.append({"await": fresh if len(fresh) > 1 else fresh[0]})
        for step in steps:
            if held_count and "first" in step.get("release", {}):
                self.steps.append({"wait": {"event": "message_held", "count": held_count}})
            self.steps.append(dict(step))

    def data(self, run: str, node_count: int, instances: Iterable[str]) -> dict[str, Any]:
        """The whole scenario, as plain data."""
        wished = any("propose" in step for step in self.steps)
        fact, event = (
            ("a client asked", "propose_invoked") if wished else ("the run began", "run_started")
        )
        return {
            "version": VERSION,
            "title": f"What was commanded in {run}",
            "predict": "does it end as it did?",
            "nodes": node_count,
            "instances": list(instances),
            "steps": self.steps,
            "expectations": [],
            "must_happen": [{"fact": fact, "lines": {"event": event}}],
            "notice": "the commands are those of the live run; their moments are not.",
        }


def as_yaml(data: Mapping[str, Any]) -> str:
    """Plain data as the text of a file."""
    from ruamel.yaml import YAML  # noqa: PLC0415 - slow to load, and seldom needed

    writer = YAML(typ="safe", pure=True)
    writer.default_flow_style = False
    writer.allow_unicode = True
    writer.width = 100
    # In the order in which a reader wants it, not the alphabet's.
    writer.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    text = io.StringIO()
    writer.dump(dict(data), text)
    return text.getvalue()
