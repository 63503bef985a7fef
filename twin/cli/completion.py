"""``twin completion``: the shell completion script."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> int:
    """Print the completion script of SHELL; add `eval "$(twin completion bash)"` to its start-up file."""
    from twin.cli.commands import cli

    found = get_completion_class(shell)
    assert found is not None  # click knows the three shells of the choice above
    print(found(cli, {}, "twin", "_TWIN_COMPLETE").source())
    return 0
