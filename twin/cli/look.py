"""How the screen looks, for every verb that opens one: flags over environment over file."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

import click

#: options of the configuration that are flags, with their short help
_CHOICES = (("theme", ("dark", "light"), "Colours to begin with."),
            ("colours", ("auto", "truecolor", "256", "16", "none"),
             "Depth of colour; auto asks the environment (COLORTERM, TERM, NO_COLOR)."),
            ("colour_map", ("auto", "inferno", "viridis", "cividis", "diverging"), "Colour map of the floor."),
            ("graphs", ("braille", "block", "ascii"), "What histories are drawn with."),
            ("view", ("overview", "floor", "power", "cooling", "network", "jobs", "events", "compare"),
             "View to begin with."),
            ("renderer", ("cells", "plain"), "Send only the cells that changed, or what Textual sends."))
_SWITCHES = (("background", "Paint the theme's background, or leave the terminal's own."),
             ("ascii", "Draw with ASCII characters only."), ("mouse", "Listen to the mouse."),
             ("tour", "Three steps for a newcomer; shown once by itself."))
NAMES = (*(name for name, _, _ in _CHOICES), *(name for name, _ in _SWITCHES), "read_only", "fps", "folder")


def look_options(f: Callable[..., Any]) -> Callable[..., Any]:
    """Add the flags; each is None when it is not given."""
    options = [click.option("--read-only/--no-read-only", "read_only", default=None,
                            help="Look, but send no commands.")]
    for name, words, text in _CHOICES:
        flag = f"--{name.replace('_', '-')}"
        options.append(click.option(flag, name, type=click.Choice(words), default=None, help=text))
    for name, text in _SWITCHES:
        options.append(click.option(f"--{name}/--no-{name}", name, default=None, help=text))
    options.append(click.option("--fps", type=click.IntRange(1, 30), default=None,
                                help="Looks at the factory a second."))
    options.append(click.option("--folder", type=click.Path(file_okay=False), default=None, metavar="FOLDER",
                                help="Where pictures, tables and recordings of the screen go."))
    for option in reversed(options):
        f = option(f)
    return f


def settled(flags: Mapping[str, Any]) -> Any:
    """Return the configuration that holds with these flags.

    Raises:
        InputError: a value in the environment or in the file is wrong.
    """
    from twin.tui.config import settle

    return settle({name: flags.get(name) for name in NAMES}, os.environ)
