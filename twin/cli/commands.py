"""The verbs of the command line, each in its own file and imported only when it is asked for."""

from __future__ import annotations

import click

from twin import __version__
from twin.cli.lazy import LazyGroup

#: verb -> (module, one line of help)
VERBS = {
    "run": ("twin.cli.run", "Open a scenario on the live screen."),
    "replay": ("twin.cli.replay", "Run a scenario without a screen and print what came out."),
    "serve": ("twin.cli.serve", "Serve a scenario to others: SSH, web, metrics."),
    "branch": ("twin.cli.branch", "Run two futures of one moment and say how they differ."),
    "scenarios": ("twin.cli.scenarios", "List the built-in scenarios."),
    "screenshot": ("twin.cli.screenshot", "Draw a view of a scenario as SVG or text, without a terminal."),
    "config": ("twin.cli.config", "Show the configuration of the live screen and where each value comes from."),
    "check": ("twin.cli.check", "Check scenario files without running them."),
    "inspect": ("twin.cli.inspect", "Show what a snapshot, a recording or a scenario holds."),
    "diff": ("twin.cli.diff", "Show what differs between two scenarios, snapshots or recordings."),
    "catalog": ("twin.cli.catalog", "Show the equipment catalogue: every number with unit, source and grade."),
    "schema": ("twin.cli.schema", "Print the JSON Schema of the scenario file."),
    "bench": ("twin.cli.bench", "Measure how fast the engine runs here."),
    "completion": ("twin.cli.completion", "Print the shell completion script."),
}


@click.group(cls=LazyGroup, verbs=VERBS, invoke_without_command=True,
             context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", message="twin %(version)s")
@click.pass_context
def cli(ctx: click.Context) -> int:
    """A digital twin of an AI factory that lives in the terminal.

    Without a command it opens the built-in demo on the live screen.
    """
    if ctx.invoked_subcommand is None:
        from twin.cli.look import settled
        from twin.cli.run import open_screen

        return open_screen("demo", (), None, 1.0, settled({}))
    return 0
