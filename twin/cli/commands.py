"""The verbs of the command line, each in its own file and imported only when it is asked for."""

from __future__ import annotations

from importlib import import_module

import click

from twin import __version__

#: verb -> (module, one line of help)
VERBS = {
    "run": ("twin.cli.run", "Open a scenario on the live screen."),
    "replay": ("twin.cli.replay", "Run a scenario without a screen and print what came out."),
    "scenarios": ("twin.cli.scenarios", "List the built-in scenarios."),
    "check": ("twin.cli.check", "Check scenario files without running them."),
    "inspect": ("twin.cli.inspect", "Show what a snapshot or a scenario holds."),
    "catalog": ("twin.cli.catalog", "Show the equipment catalogue: every number with unit, source and grade."),
    "schema": ("twin.cli.schema", "Print the JSON Schema of the scenario file."),
    "bench": ("twin.cli.bench", "Measure how fast the engine runs here."),
    "completion": ("twin.cli.completion", "Print the shell completion script."),
}


class Verbs(click.Group):
    """A group that imports a verb when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs in the order in which a newcomer needs them."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a verb."""
        if cmd_name not in VERBS:
            return None
        command: click.Command = import_module(VERBS[cmd_name][0]).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in VERBS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Name the nearest verb when an unknown one is given."""
        from twin.errors import nearest

        if args and args[0] not in VERBS and not args[0].startswith("-"):
            near = nearest(args[0], VERBS)
            hint = f"; did you mean '{near}'?" if near else ""
            raise click.UsageError(f"no command is called '{args[0]}'{hint}", ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=Verbs, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", message="twin %(version)s")
@click.pass_context
def cli(ctx: click.Context) -> int:
    """A digital twin of an AI factory that lives in the terminal.

    Without a command it opens the built-in demo on the live screen.
    """
    if ctx.invoked_subcommand is None:
        from twin.cli.run import open_screen

        return open_screen("demo", (), None, 1.0, False)
    return 0
