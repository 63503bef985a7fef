"""``twin config``: what holds on the live screen, and where each of it comes from."""

from __future__ import annotations

from typing import Any

import click

from twin.cli.look import look_options, settled


@click.command("config")
@click.option("--print", "what", flag_value="print", default=True,
              help="Print what holds, each line with where it comes from.")
@click.option("--default", "what", flag_value="default", help="Print a file with every option and key at its default.")
@click.option("--path", "what", flag_value="path", help="Print where the file is looked for.")
@look_options
def command(what: str, **flags: Any) -> int:
    """Show the configuration of the live screen: flags over environment (TWIN_*) over file.

    `twin config --default > ~/.config/twin/config.toml` begins a file.
    """
    import os

    from twin.tui.config import config_path

    if what == "path":
        print(config_path(os.environ))
        return 0
    print(default_text() if what == "default" else effective_text(settled(flags)), end="")
    return 0


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, tuple | list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def default_text() -> str:
    """Return a configuration file with every default, explained."""
    from twin.tui.actions import ACTIONS
    from twin.tui.config import OPTIONS

    lines = ["# The live screen of twin. A flag goes before the environment (TWIN_THEME, ...), that before this file.",
             ""]
    for option in OPTIONS:
        lines += [f"# {option.doc} {option.expected[0].upper()}{option.expected[1:]}.",
                  f"{option.name} = {_toml(option.default)}"]
    lines += ["", "# The keys of each action; one that is left out keeps its own.", "[keys]"]
    for action in ACTIONS:
        lines.append(f"{action.name} = {_toml(action.keys)}  # {action.doc}")
    return "\n".join(lines) + "\n"


def effective_text(config: Any) -> str:
    """Return what holds, as TOML with the origin of each value."""
    from twin.tui.keymap import rebound

    lines = [f"# {config.path}{'' if config.read else ' (does not exist)'}"]
    lines += [f"{name} = {_toml(value)}".ljust(32) + f"# {config.origins[name]}"
              for name, value in config.values.items()]
    lines += ["", "[keys]"]
    for action in rebound(config.keys):
        lines.append(f"{action.name} = {_toml(action.keys)}".ljust(48) +
                     f"# {'file' if action.name in config.keys else 'default'}")
    return "\n".join(lines) + "\n"
