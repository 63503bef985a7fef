"""Heat map in half blocks: two pixels in a cell, 32 levels, and only what changed is sent.

The content is a :class:`Grid` of small integers. One key per cell (levels, glyph, ink) is compared with the key that
was drawn; each run of rows with differences becomes one dirty region. What a key looks like is
worked out once and kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from rich.color import Color
from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from twin.arrays import U8
from twin.tui.cells import STYLES, strip_of
from twin.tui.theme import LEVELS, NONE
from twin.tui.widgets.canvas import lines_in, refresh_parts, to_ascii

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
        if x < 0:
            text, x = text[-x:], 0
        text = text[:max(0, self.width - x)]
        if not text or not 0 <= y < self.height:
            return
        if len(text) == 1:
            self.glyph[y, x], self.ink[y, x] = ord(text), _INK[ink]
        else:
            self.glyph[y, x:x + len(text)] = np.frombuffer(text.encode("utf-32-le"), dtype="<u4")
            self.ink[y, x:x + len(text)] = _INK[ink]

    def copy(self) -> Grid:
        """Return a grid with the same cells."""
        other = Grid.__new__(Grid)
        other.width, other.height, other.pixels = self.width, self.height, self.pixels.copy()
        other.glyph, other.ink = self.glyph.copy(), self.ink.copy()
        return other

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
    return spans_of(old != new)


def spans_of(changed: NDArray[np.bool_]) -> list[tuple[int, int, int]]:
    """Return (row, first, last + 1) for each row in which a flag is set."""
    rows = np.flatnonzero(changed.any(axis=1))
    flags = changed[rows]
    first = flags.argmax(axis=1)
    last = changed.shape[1] - flags[:, ::-1].argmax(axis=1) if len(rows) else first
    return list(zip(rows.tolist(), first.tolist(), last.tolist(), strict=True))


def blocks_of(spans: Sequence[tuple[int, int, int]]) -> list[Region]:
    """Return one region for each run of changed rows, as wide as the widest change in it.

    >>> blocks_of([(0, 4, 6), (1, 2, 5), (3, 7, 8)])
    [Region(x=2, y=0, width=4, height=2), Region(x=7, y=3, width=1, height=1)]
    """
    out: list[Region] = []
    x1 = x2 = top = bottom = -1
    for y, first, last in spans:
        if y == bottom:
            x1, x2, bottom = min(x1, first), max(x2, last), y + 1
            continue
        if bottom >= 0:
            out.append(Region(x1, top, x2 - x1, bottom - top))
        x1, x2, top, bottom = first, last, y, y + 1
    if bottom >= 0:
        out.append(Region(x1, top, x2 - x1, bottom - top))
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
        self._looks: dict[int, int] = {}
        self._codes: NDArray[np.int64] = np.zeros((0, 0), dtype=np.int64)

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
        """Compare a grid with what is drawn and refresh a block for each run of changed rows; returns the blocks.

        No row is in two of them: Textual sends a row again for each of its dirty regions.
        """
        keys = grid.keys()
        if (colour_map, palette) != (self._map, self._palette):
            self._map, self._palette, everything = colour_map, palette, True
            self._looks.clear()
        if everything or self.drawn is None or self.drawn.shape != keys.shape:
            codes = self._look(keys.ravel()).reshape(keys.shape)
            self.dirty = [Region(0, 0, grid.width, grid.height)]
        else:
            changed = keys != self.drawn
            self.dirty = blocks_of(spans_of(changed))
            codes = self._codes
            if self.dirty:
                codes = codes.copy()  # rows that were handed out stay as they are
                codes[changed] = self._look(keys[changed])
        self.drawn, self._codes = keys, codes
        if self.dirty:
            refresh_parts(self, self.dirty)
        return self.dirty

    def _look(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return what cells with these keys look like, as codes."""
        kinds, which = np.unique(keys, return_inverse=True)
        looks = self._looks
        for key in kinds.tolist():
            if key not in looks:
                assert self._palette is not None
                looks[key] = STYLES.code(*cell_look(key, self._map, self._palette))
        return np.array([looks[key] for key in kinds.tolist()], dtype=np.int64)[which]

    def on_resize(self) -> None:
        """Draw for the new size."""
        self.repaint()

    def render_line(self, y: int) -> Strip:
        """Return a row that was drawn before."""
        if y < len(self._codes):
            return strip_of(self._codes[y])
        return Strip.blank(self.size.width, self.visual_style.rich_style)

    def block(self, part: Region) -> NDArray[np.int64] | None:
        """Return the codes of a part, rows by columns; None between a change of size and the next drawing."""
        height, width = self._codes.shape
        if part.right > width or part.bottom > height:  # between a change of size and the next drawing
            return None
        return self._codes[part.y:part.bottom, part.x:part.right]

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return rows that were drawn before; they are what the screen gets, nothing is laid around them."""
        return lines_in(self, crop)

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
    if top > bottom:  # the same two levels always give the same pen, so that fewer colours are sent
        return "▀", Style(color=heat[top], bgcolor=heat[bottom])
    return "▄", Style(color=heat[bottom], bgcolor=heat[top])


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
