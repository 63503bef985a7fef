"""``twin screenshot``: a picture of a view without a terminal."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import cast

import click

from twin.cli.common import Duration, seed_option, set_option
from twin.errors import InputError


@click.command("screenshot")
@click.argument("scenario", default="demo")
@click.option("--at", "at_ns", type=Duration(), default="0s", show_default=True, metavar="DURATION",
              help="Simulated time of the picture.")
@click.option("--view", default="overview", show_default=True, help="View, or rack.")
@click.option("--size", default="120x40", show_default=True, metavar="COLUMNSxROWS", help="Size of the terminal.")
@click.option("--theme", type=click.Choice(["dark", "light"]), default="dark", show_default=True, help="Colours.")
@click.option("--keys", default="", metavar="NAMES", help="Keys to press before, separated by spaces.")
@click.option("--format", "as_format", type=click.Choice(["svg", "text", "ansi"]), default=None,
              help="What to write; text for a file that ends in .txt, otherwise SVG. ansi is text with colours.")
@click.option("--ascii", "ascii_only", is_flag=True, help="Draw with ASCII characters only.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default=None, metavar="FILE",
              help="File to write; stdout when left out, or for -.")
@seed_option
@set_option
def command(scenario: str, at_ns: int, view: str, size: str, theme: str, keys: str, as_format: str | None,
            ascii_only: bool, out: Path | None, seed: int | None, sets: tuple[str, ...]) -> int:
    """Run SCENARIO to a moment without a screen and draw a view of it as SVG or text."""
    from twin.errors import nearest
    from twin.runtime.session import Session
    from twin.scenario.files import write_atomic
    from twin.scenario.open import open_run
    from twin.tui.screens.main import LEAST
    from twin.tui.screens.views import VIEWS
    from twin.tui.screenshot import Format, screenshot

    if view not in VIEWS:
        raise InputError(f"no view is called '{view}'", where="--view", expected="one of " + ", ".join(VIEWS),
                         nearest=nearest(view, VIEWS))
    width, _, height = size.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal() and LEAST[0] <= int(width) <= 500
            and LEAST[1] <= int(height) <= 200):
        raise InputError(f"'{size}' is not a size", where="--size", expected="80x24 to 500x200")
    run = open_run(scenario, sets=sets, seed=seed)
    run.sim.run_until(at_ns)
    session = Session(run, paused=True)
    try:
        chosen = as_format or ("text" if out is not None and out.suffix == ".txt" else "svg")
        picture = screenshot(session, (int(width), int(height)), view, keys=tuple(keys.split()), dark=theme == "dark",
                             as_format=cast(Format, chosen), ascii_only=ascii_only)
    finally:
        session.close()
    if out is None or str(out) == "-":
        sys.stdout.write(picture)
    else:
        write_atomic(out, [picture.encode()])
    return 0
