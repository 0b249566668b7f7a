"""A command whose module is loaded when it is called, so that ``--help`` answers at once."""

from importlib import import_module
from typing import Any, cast

import click


class LazyCommand(click.Command):
    """Stands for a command of another module.

    Args:
        name: as it is typed.
        place: module and attribute, as ``orchestrator.site:site_command``.
        told: the first sentence of its help, for the list of commands.
    """

    def __init__(self, name: str, place: str, told: str) -> None:
        super().__init__(name, help=told)
        self._place = place

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """Load the command and let it read its arguments; it is the context's from then on."""
        module, _, attribute = self._place.partition(":")
        command = cast("click.Command", getattr(import_module(module), attribute))
        return command.make_context(info_name, args, parent, **extra)
