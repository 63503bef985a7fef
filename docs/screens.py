"""Make the pictures of the live screen that the documentation shows: ``python -m docs.screens``.

The demo is run without a pace to the moment at which a pump has just failed, and the program itself draws.
"""

from __future__ import annotations

import re
from pathlib import Path

from twin.runtime.session import Session
from twin.scenario.open import open_run
from twin.tui.screenshot import screenshot

FOLDER = Path(__file__).parent / "screens"
SIZE = (120, 40)
MOMENT_NS = 12 * 60 * 10**9
VIEWS = ("overview", "floor", "power", "cooling", "network", "jobs")
#: the drawing library would have a reader's browser fetch a font; the reader's own will do
FETCHED_FONT = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


def main() -> None:
    """Write one SVG per view."""
    run = open_run("demo")
    run.sim.run_until(MOMENT_NS)
    session = Session(run, paused=True)
    FOLDER.mkdir(exist_ok=True)
    for view in VIEWS:
        svg = FETCHED_FONT.sub("", screenshot(session, SIZE, view))
        (FOLDER / f"{view}.svg").write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
