"""What a screen on one's own computer has that a served one has not: its keys, its files, its tour."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from twin.tui.actions import ACTIONS, Action
from twin.tui.theme import Graphs


@dataclass(frozen=True)
class Local:
    """How one person wants the screen, and what it may do on this computer. Servers give none.

    Attributes:
        registry: the actions with this person's keys.
        fps: looks at the factory a second.
        colour_map: colour map of the floor, empty for each metric's own.
        folder: where pictures, tables and recordings are written; None writes nothing.
        cast: record the screen into this file from the start.
        tour: begin with the tour; seen: file that remembers that it was seen.
        graphs: characters that histories are drawn with; ground: paint the theme's background.
        alone: the process is there for this one screen, so what stands after its start may be kept for good.
    """

    registry: tuple[Action, ...] = ACTIONS
    fps: float = 10.0
    colour_map: str = ""
    folder: Path | None = None
    cast: Path | None = None
    tour: bool = False
    seen: Path | None = None
    graphs: Graphs = "braille"
    ground: bool = True
    alone: bool = False
