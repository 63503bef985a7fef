"""A widget of styled rows that repaints only the rows that changed."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

import numpy as np
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from twin.tui.cells import Codes, strip_of, text_codes

if TYPE_CHECKING:
    from twin.tui.ui import Ui

#: text and style key; a row is a tuple of them, so that rows compare by value
Span = tuple[str, str]
Row = tuple[Span, ...]


def width_of(row: Row) -> int:
    """Return the cells that a row takes; every glyph in use is one cell wide."""
    cells = 0
    for text, _ in row:  # a loop, not a sum over a generator: it is the most called function of the screen
        cells += len(text)
    return cells


def joined(row: Row) -> Row:
    """Join neighbours of one style.

    >>> joined((("a", "dim"), ("b", "dim"), ("c", "")))
    (('ab', 'dim'), ('c', ''))
    """
    return tuple(("".join(text for text, _ in run), style) for style, run in groupby(row, key=itemgetter(1)))


def spread(left: Row, right: Row, width: int, fill: str = " ") -> Row:
    """Put one row at the left and one at the right end; the left one is cut when both do not fit."""
    room = width - width_of(right)
    left = crop(left, max(0, room - 1))
    return (*left, (fill * max(0, room - width_of(left)), ""), *right)


def crop(row: Row, width: int) -> Row:
    """Cut a row to a width."""
    out: list[Span] = []
    for text, style in row:
        if width <= 0:
            break
        out.append((text if len(text) <= width else text[: width - 1] + "…" if width > 1 else "…", style))
        width -= len(text)
    return tuple(out)


def beside(left: Sequence[Row], right: Sequence[Row], at: int) -> list[Row]:
    """Put two blocks of rows side by side, the second one starting in column ``at``."""
    out = []
    for i in range(max(len(left), len(right))):
        a = crop(left[i], at - 1) if i < len(left) else ()
        b = right[i] if i < len(right) else ()
        out.append((*a, (" " * (at - width_of(a)), ""), *b) if b else a)
    return out


def dirty_regions(changed: Sequence[int], width: int) -> list[Region]:
    """Return one region for each run of changed rows, never more than one on a row.

    >>> dirty_regions([0, 1, 4], 80)
    [Region(x=0, y=0, width=80, height=2), Region(x=0, y=4, width=80, height=1)]
    """
    out = []
    for _, run in groupby(enumerate(changed), key=lambda pair: pair[1] - pair[0]):
        rows = [y for _, y in run]
        out.append(Region(0, rows[0], width, len(rows)))
    return out


def refresh_parts(widget: Widget, parts: Sequence[Region]) -> None:
    """Ask for a widget's dirty parts to be painted.

    Where only cells that differ are written, one region around all of them costs least: a copy of cells is cheap, a
    region is not. Textual's own way sends what it is given, so it is given no more than what changed.
    """
    if getattr(widget.app, "cells", None) is not None:
        parts = [Region.from_union(parts)]
    widget.refresh(*parts)


def lines_in(widget: Widget, crop: Region) -> list[Strip]:
    """Return the rows of a widget that fall into a region; rows have the depth of colour that they need already."""
    x1, x2 = crop.column_span
    lines = [widget.render_line(y) for y in crop.line_range]
    return lines if (x1, x2) == (0, widget.size.width) else [line.crop(x1, x2) for line in lines]


class Canvas(Widget):
    """Draws ``paint(width, height)``; compares with what stands on the screen and repaints the difference.

    Give it margins, never padding or a border: rows of the widget are rows of the content.
    """

    DEFAULT_CSS = "Canvas { width: 1fr; height: 1fr; }"
    ALLOW_SELECT = False
    #: painted with every so many frames; numbers that nobody reads ten times a second take more
    every = 1

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.ui: Ui | None = None
        self._rows: list[Row] = []
        self._strips: list[Strip] = []
        self._codes: Codes = np.zeros((0, 0), dtype=np.int64)
        self._drawn_size = (0, 0)
        self._basis: Hashable = None

    def basis(self, ui: Ui) -> Hashable:
        """Return all that the rows depend on beside the size: equal means that nothing is painted; None paints."""
        return None

    def paint(self, ui: Ui, width: int, height: int) -> Sequence[Row]:
        """Return the rows to show; fewer than ``height`` leave the rest empty."""
        raise NotImplementedError

    def feed(self, ui: Ui) -> None:
        """Take the newest frame and repaint what changed."""
        self.ui = ui
        basis = self.basis(ui)
        if basis is None or basis != self._basis:
            self.repaint()
            self._basis = basis

    def repaint(self, everything: bool = False) -> None:
        """Paint again; refresh all of it or only the rows that differ from the ones drawn."""
        width, height = self.content_size
        self._basis = None
        if self.ui is None or width <= 0 or height <= 0:
            return
        rows = [*self.paint(self.ui, width, height)][:height]
        rows += [()] * (height - len(rows))
        if everything or self._drawn_size != (width, height):
            changed = list(range(height))
            self._codes = np.zeros((height, width), dtype=np.int64)
        else:
            changed = [y for y in range(height) if rows[y] != self._rows[y]]
            if changed:
                self._codes = self._codes.copy()  # rows that were handed out stay as they are
        for y in changed:
            self._codes[y] = self._row_codes(rows[y], width)
        self._rows, self._drawn_size = rows, (width, height)
        if changed:
            refresh_parts(self, dirty_regions(changed, width))

    def _row_codes(self, row: Row, width: int) -> Codes:
        assert self.ui is not None
        style = self.ui.palette.style
        used = width_of(row)
        if used > width:
            row, used = crop(row, width), width
        if self.ui.palette.ascii:
            row = tuple((text if text.isascii() else to_ascii(text), key) for text, key in row)
        if self.ui.palette.depth == "mono":
            row = tuple(part for span in row for part in marked_words(span))
        parts = [(text, style(key)) for text, key in row]
        return text_codes([*parts, (" " * (width - used), self.ui.palette.base)])

    def on_resize(self) -> None:
        """Paint for the new size."""
        self.repaint()

    def render_line(self, y: int) -> Strip:
        """Return a row that was painted before."""
        if y < len(self._codes):
            return strip_of(self._codes[y])
        return Strip.blank(self.size.width, self.visual_style.rich_style)

    def block(self, part: Region) -> Codes | None:
        """Return the codes of a part, rows by columns; None between a change of size and the next painting."""
        if part.right > self._drawn_size[0] or part.bottom > self._drawn_size[1]:
            return None
        return self._codes[part.y:part.bottom, part.x:part.right]

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return rows that were painted before; they are what the screen gets, nothing is laid around them."""
        return lines_in(self, crop)


def marked_words(span: Span) -> Row:
    """Part a warning from the blanks around it: without colours it is underlined or reversed, blanks should not be.

    >>> marked_words(("  7 K ", "warn"))
    (('  ', ''), ('7 K', 'warn'), (' ', ''))
    """
    text, key = span
    if ("warn" not in key and "crit" not in key) or key.endswith(" on sel"):
        return (span,)
    bare = text.strip()
    if not bare:
        return ((text, ""),)
    at = text.index(bare)
    return tuple(part for part in ((text[:at], ""), (bare, key), (text[at + len(bare):], "")) if part[0])


_TO_ASCII = str.maketrans({
    "°": " ", "·": ".", "–": "-", "…": "~", "×": "x", "→": ">", "▶": ">", "─": "-", "━": "=", "│": "|", "├": "|",
    "└": "`", "▲": "!", "●": "*", "○": "o", "▣": "O", "▢": "o", "✕": "X", "┿": "+", "┄": ".", "═": "=", "▐": "[",
    "▌": "]", "█": "#", "■": "#", "▸": ">", "▴": "^", "▾": "v", "┊": ":", "‹": "<", "›": ">", "❚": "|", "┬": "+",
    "┴": "+", "┤": "|", "┐": "+", "┌": "+", "┘": "+", "┼": "+", "╌": "-", "≤": "<", "≥": ">", "Δ": "d", "▮": "#",
    "◀": "<", "▯": ".", "µ": "u", "²": "2", "³": "3", "←": "<", "↑": "^", "↓": "v", "╱": "/",
})


def to_ascii(text: str) -> str:
    """Replace drawing characters by ASCII of the same width; what has no stand-in becomes ``?``."""
    return text.translate(_TO_ASCII).encode("ascii", "replace").decode()
