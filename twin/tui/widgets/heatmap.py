"""Heat map in half blocks: two pixels in a cell, 32 levels, and only what changed is sent.

The content is a :class:`Grid` of small integers. One key per cell (levels, glyph, ink) is compared with the key that
was drawn; a row with a difference gets one dirty region from its first to its last changed cell. Segments are made
once per key and kept.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from twin.arrays import U8
from twin.tui.theme import LEVELS, NONE
from twin.tui.widgets.canvas import to_ascii

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from twin.tui.theme import Palette
    from twin.tui.ui import Ui

#: inks for glyphs; "contrast" is black or white, whichever can be read on the cell's colour
INKS: tuple[str, ...] = ("fg", "dim", "faint", "accent", "warn", "crit", "ok", "bright", "contrast", "bold crit",
                         "bold accent", "bold bright", "bold warn", "rule")
_INK = {name: i for i, name in enumerate(INKS)}


def quantise(values: NDArray[np.float64], lo: float, hi: float) -> U8:
    """Turn values into levels 0..31 between two limits; what is not a number becomes NONE.

    >>> quantise(np.array([20.0, 60.0, 100.0, np.nan]), 20.0, 100.0).tolist()
    [0, 16, 31, 255]
    """
    with np.errstate(invalid="ignore"):
        scaled = np.clip((values - lo) * (LEVELS / (hi - lo)), 0, LEVELS - 1)
    bad = ~np.isfinite(scaled)
    out: U8 = np.where(bad, 0, scaled).astype(np.uint8)
    out[bad] = NONE
    return out


class Grid:
    """Cells of a heat map: two levels (upper and lower pixel), or a glyph on the lower level's colour."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.pixels: U8 = np.full((2 * height, width), NONE, dtype=np.uint8)
        self.glyph = np.zeros((height, width), dtype=np.int64)
        self.ink = np.zeros((height, width), dtype=np.int64)

    def text(self, x: int, y: int, text: str, ink: str = "fg") -> None:
        """Write glyphs from cell (x, y) on; what falls outside is cut."""
        if not 0 <= y < self.height:
            return
        for i, char in enumerate(text):
            if 0 <= x + i < self.width:
                self.glyph[y, x + i] = ord(char)
                self.ink[y, x + i] = _INK[ink]

    def window(self, first: int, height: int) -> Grid:
        """Return ``height`` lines of the grid from line ``first`` on."""
        if first == 0 and height == self.height:
            return self
        part = Grid(self.width, height)
        part.pixels = self.pixels[2 * first:2 * (first + height)]
        part.glyph, part.ink = self.glyph[first:first + height], self.ink[first:first + height]
        return part

    def keys(self) -> NDArray[np.int64]:
        """Return one comparable number for each cell."""
        top = self.pixels[0::2].astype(np.int64)
        return top | (self.pixels[1::2].astype(np.int64) << 8) | (self.ink << 16) | (self.glyph << 24)


def changed_spans(old: NDArray[np.int64], new: NDArray[np.int64]) -> list[tuple[int, int, int]]:
    """Return (row, first, last + 1) for each row that differs."""
    differs = old != new
    out = []
    for y in np.flatnonzero(differs.any(axis=1)):
        columns = np.flatnonzero(differs[y])
        out.append((int(y), int(columns[0]), int(columns[-1]) + 1))
    return out


class HeatMap(Widget):
    """Shows a Grid in the colours of a map. Feed it with ``show``; a click posts :class:`HeatMap.Clicked`."""

    DEFAULT_CSS = "HeatMap { width: 1fr; height: 1fr; }"
    ALLOW_SELECT = False
    #: painted with every so many frames
    every = 1

    class Clicked(Message):
        """A cell was clicked.

        Attributes:
            x, y: cell within the heat map.
            count: 1 for a click, 2 for a double click.
        """

        def __init__(self, heatmap: HeatMap, x: int, y: int, count: int) -> None:
            super().__init__()
            self.heatmap, self.x, self.y, self.count = heatmap, x, y, count

        @property
        def control(self) -> HeatMap:
            """The heat map."""
            return self.heatmap

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.ui: Ui | None = None
        self.drawn: NDArray[np.int64] | None = None
        self.dirty: list[Region] = []
        self._palette: Palette | None = None
        self._map = ""
        self._segments: dict[int, tuple[str, Style]] = {}
        self._strips: list[Strip] = []

    def draw(self, ui: Ui, width: int, height: int) -> tuple[Grid, str] | None:
        """Return the grid to show and its colour map; None leaves the screen as it is."""
        raise NotImplementedError

    def feed(self, ui: Ui) -> None:
        """Take the newest frame and repaint the cells that changed."""
        self.ui = ui
        self.repaint()

    def repaint(self, everything: bool = False) -> None:
        """Draw again and refresh the difference."""
        width, height = self.content_size
        if self.ui is None or width <= 0 or height <= 0:
            return
        drawing = self.draw(self.ui, width, height)
        if drawing is not None:
            self.show(*drawing, self.ui.palette, everything=everything)

    def show(self, grid: Grid, colour_map: str, palette: Palette, *, everything: bool = False) -> list[Region]:
        """Compare a grid with what is drawn and refresh one region per changed row; returns the regions."""
        keys = grid.keys()
        if (colour_map, palette) != (self._map, self._palette):
            self._map, self._palette, everything = colour_map, palette, True
            self._segments.clear()
        if everything or self.drawn is None or self.drawn.shape != keys.shape:
            spans = [(y, 0, grid.width) for y in range(grid.height)]
            self._strips = [Strip.blank(grid.width, palette.base)] * grid.height
        else:
            spans = changed_spans(self.drawn, keys)
        for y, _, _ in spans:
            self._strips[y] = self._strip(keys[y])
        self.drawn = keys
        self.dirty = [Region(first, y, last - first, 1) for y, first, last in spans]
        if self.dirty:
            self.refresh(*self.dirty)
        return self.dirty

    def _strip(self, keys: NDArray[np.int64]) -> Strip:
        bounds = [0, *(np.flatnonzero(np.diff(keys)) + 1).tolist(), len(keys)]
        segments = []
        for start, stop in pairwise(bounds):
            key = int(keys[start])
            found = self._segments.get(key)
            if found is None:
                assert self._palette is not None
                found = self._segments[key] = cell_look(key, self._map, self._palette)
            segments.append(Segment(found[0] * (stop - start), found[1]))
        return Strip(segments, len(keys))

    def on_resize(self) -> None:
        """Draw for the new size."""
        self.repaint()

    def render_line(self, y: int) -> Strip:
        """Return a row that was drawn before."""
        return self._strips[y] if y < len(self._strips) else Strip.blank(self.content_size.width)

    def on_click(self, event: events.Click) -> None:
        """Tell who is interested which cell was hit."""
        self.post_message(self.Clicked(self, event.x, event.y, event.chain))


def cell_look(key: int, colour_map: str, palette: Palette) -> tuple[str, Style]:
    """Return the character and style of a cell key."""
    char, style = _cell_look(key, colour_map, palette)
    return char, palette.base + style


def _cell_look(key: int, colour_map: str, palette: Palette) -> tuple[str, Style]:
    top, bottom, ink, glyph = key & 0xFF, (key >> 8) & 0xFF, (key >> 16) & 0xFF, key >> 24
    if palette.depth == "mono" or palette.ascii:
        return _colourless(top, bottom, ink, glyph, colour_map, palette)
    heat = palette.heat(colour_map)
    if glyph:
        back: Color | None = heat[bottom] if bottom != NONE else None
        if INKS[ink] == "contrast":
            colour = palette.contrast(colour_map, bottom) if bottom != NONE else None
            return chr(glyph), Style(color=colour, bgcolor=back, bold=True)
        return chr(glyph), palette.style(INKS[ink]) + Style(bgcolor=back)
    if top == NONE and bottom == NONE:
        return " ", Style()
    if top == NONE:
        return "▄", Style(color=heat[bottom])
    if bottom == NONE:
        return "▀", Style(color=heat[top])
    if top == bottom:
        return " ", Style(bgcolor=heat[top])
    return "▀", Style(color=heat[top], bgcolor=heat[bottom])


def _colourless(top: int, bottom: int, ink: int, glyph: int, colour_map: str, palette: Palette) -> tuple[str, Style]:
    """Return a glyph for the warmer of the two pixels; colour, where there is some, only repeats it."""
    if glyph:
        char = to_ascii(chr(glyph)) if palette.ascii else chr(glyph)
        return char, palette.style("bold fg" if INKS[ink] == "contrast" else INKS[ink])
    present = [level for level in (top, bottom) if level != NONE]
    if not present:
        return " ", Style()
    level = max(present)
    if colour_map == "job":
        char = "." if level == 0 else chr(ord("a") + (level - 1) % 26)
    else:
        char = palette.ramp_glyph(level)
    return char, Style() if palette.depth == "mono" else Style(color=palette.heat(colour_map)[level])


#: draws a grid for a size; what a view gives a heat map that is not a class of its own
Drawer = Callable[["Ui", int, int], "tuple[Grid, str] | None"]
