"""A group of commands that imports each one only when it is used."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click


class LazyGroup(click.Group):
    """A group whose commands live in modules of their own, each as ``command``.

    Args:
        verbs: name -> (module, one line of help), in the order in which a newcomer needs them.
    """

    def __init__(self, *args: Any, verbs: Mapping[str, tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._verbs = verbs

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names."""
        return list(self._verbs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command."""
        if cmd_name not in self._verbs:
            return None
        command: click.Command = import_module(self._verbs[cmd_name][0]).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in self._verbs.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Name the nearest command when an unknown one is given."""
        from twin.errors import nearest

        if args and args[0] not in self._verbs and not args[0].startswith("-"):
            near = nearest(args[0], self._verbs)
            hint = f"; did you mean '{near}'?" if near else ""
            raise click.UsageError(f"no command is called '{args[0]}'{hint}", ctx)
        return super().resolve_command(ctx, args)
