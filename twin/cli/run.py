"""``twin run``: a scenario on the live screen."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from twin.cli.common import Speed, seed_option, set_option
from twin.cli.outputs import Outputs, record_option
from twin.errors import InputError

#: exit code of a process that was asked to end, as shells count it
TERMINATED = 128 + signal.SIGTERM


@click.command("run")
@click.argument("scenario", default="demo")
@click.option("--speed", type=Speed(), default=1.0, metavar="X|max", help="Simulated seconds per second, or max.")
@click.option("--read-only", is_flag=True, help="Look, but send no commands.")
@click.option("--theme", type=click.Choice(["dark", "light"]), default="dark", help="Colours to begin with.")
@click.option("--colours", "colours", type=click.Choice(["auto", "truecolor", "256", "16", "none"]), default="auto",
              help="Depth of colour; auto asks the environment (COLORTERM, TERM, NO_COLOR).")
@click.option("--ascii", "ascii_only", is_flag=True, help="Draw with ASCII characters only.")
@click.option("--renderer", type=click.Choice(["cells", "plain"]), default=None,
              help="Send only the cells that changed, or what Textual sends; TWIN_RENDERER says the same.")
@record_option
@seed_option
@set_option
def command(scenario: str, speed: float, read_only: bool, theme: str, colours: str, ascii_only: bool,
            renderer: str | None, record: Path | None, seed: int | None, sets: tuple[str, ...]) -> int:
    """Open SCENARIO (a name, a .toml or a .twin; demo when left out) on the live screen."""
    depth = {"auto": None, "none": "mono"}.get(colours, colours)
    return open_screen(scenario, sets, seed, speed, read_only, record, dark=theme == "dark", depth=depth,
                       ascii_only=ascii_only, renderer=renderer)


def open_screen(scenario: str, sets: Sequence[str], seed: int | None, speed: float, read_only: bool,
                record: Path | None = None, **look: Any) -> int:
    """Open the live screen and stay until it is left; return the exit code.

    Args:
        look: how it is drawn, as :class:`twin.tui.app.TwinApp` takes it.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise InputError("the live screen needs a terminal", expected="an interactive terminal, or `twin replay`")
    for name in ("COLUMNS", "LINES"):  # where a shell exports them they would pin the size and hide a resize
        os.environ.pop(name, None)
    from twin.runtime.session import Session
    from twin.scenario.open import open_run

    run = open_run(scenario, sets=sets, seed=seed)
    from twin.tui.app import TwinApp

    session = Session(run, speed=speed, read_only=read_only)
    outputs = Outputs(run, record=record)
    session.start()
    try:
        app = TwinApp(session, read_only=read_only, **look)
        signal.signal(signal.SIGTERM, lambda *_: app.exit(return_code=TERMINATED))
        app.run()
    finally:
        session.close()
        broken = outputs.close()
    if broken is not None:
        raise broken
    if session.error is not None:
        raise session.error
    return app.return_code or 0
