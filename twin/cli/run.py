"""``twin run``: a scenario on the live screen."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from twin.cli.common import Speed, seed_option, set_option
from twin.cli.look import look_options, settled
from twin.cli.outputs import FILE, Outputs, record_option
from twin.errors import InputError

if TYPE_CHECKING:
    from twin.tui.config import Config
    from twin.tui.local import Local

#: exit code of a process that was asked to end, as shells count it
TERMINATED = 128 + signal.SIGTERM


@click.command("run")
@click.argument("scenario", default="demo")
@click.option("--speed", type=Speed(), default=1.0, metavar="X|max", help="Simulated seconds per second, or max.")
@look_options
@click.option("--cast", type=FILE, metavar="FILE", default=None, help="Record the screen to a new asciicast file.")
@record_option
@seed_option
@set_option
def command(scenario: str, speed: float, cast: Path | None, record: Path | None, seed: int | None,
            sets: tuple[str, ...], **flags: Any) -> int:
    """Open SCENARIO (a name, a .toml or a .twin; demo when left out) on the live screen."""
    return open_screen(scenario, sets, seed, speed, settled(flags), record, cast)


def open_screen(scenario: str, sets: Sequence[str], seed: int | None, speed: float, config: Config,
                record: Path | None = None, cast: Path | None = None) -> int:
    """Open the live screen and stay until it is left; return the exit code.

    Args:
        config: how it looks and what it may do.
        record: new recording of the run, if any; cast: new recording of the screen, if any.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise InputError("the live screen needs a terminal", expected="an interactive terminal, or `twin replay`")
    for name in ("COLUMNS", "LINES"):  # where a shell exports them they would pin the size and hide a resize
        os.environ.pop(name, None)
    from twin.runtime.session import Session
    from twin.scenario.open import open_run

    run = open_run(scenario, sets=sets, seed=seed)
    from twin.tui.app import TwinApp

    if cast is not None and cast.exists():
        raise InputError("the file exists", where=str(cast), expected="a new file for --cast")
    session = Session(run, speed=speed, read_only=config["read_only"])
    outputs = Outputs(run, record=record)
    session.start()
    try:
        depth = {"auto": None, "none": "mono"}.get(config["colours"], config["colours"])
        app = TwinApp(session, read_only=config["read_only"], dark=config["theme"] == "dark", view=config["view"],
                      depth=depth, ascii_only=config["ascii"], renderer=config["renderer"],
                      local=local_of(config, cast))
        signal.signal(signal.SIGTERM, lambda *_: app.exit(return_code=TERMINATED))
        app.run(mouse=config["mouse"])
    finally:
        session.close()
        broken = outputs.close()
    if app.crashed is not None:
        raise app.crashed
    if broken is not None:
        raise broken
    if session.error is not None:
        raise session.error
    return app.return_code or 0


def local_of(config: Config, cast: Path | None) -> Local:
    """Return what a configuration means for a screen on this computer; the tour is shown until it was seen."""
    from twin.tui.config import home
    from twin.tui.keymap import rebound
    from twin.tui.local import Local

    seen = home(os.environ, "XDG_STATE_HOME", ".local/state") / "twin" / "tour-seen"
    asked = config.origins["tour"] in ("flag", "environment")
    tour = config["tour"] and not config["read_only"] and (asked or not seen.exists())
    colour_map = "" if config["colour_map"] == "auto" else config["colour_map"]
    registry = {"registry": rebound(config.keys)} if config.keys else {}
    return Local(fps=config["fps"], colour_map=colour_map, folder=Path(config["folder"]), cast=cast, tour=tour,
                 seen=seen, graphs=config["graphs"], ground=config["background"], alone=True, **registry)
