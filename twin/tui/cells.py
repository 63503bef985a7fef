"""Rows of cells as numbers: one integer for what a cell shows, so that screens are compared without building text.

A code is the character in the lower 21 bits and the number of its style above them. Styles are numbered once for the
process; what looks the same on a blank gets the same number, so that blanks compare by their background alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.cells import cell_len, get_character_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

Codes = NDArray[np.int64]

#: bits of the character within a code
CHAR_BITS = 21
CHAR_MASK = (1 << CHAR_BITS) - 1
#: stands in the second cell of a wide character
FILLER = 0
#: stands for a wide or combining character from outside in rows that count one cell for a character
STRANGER = "\N{REPLACEMENT CHARACTER}"
_SPACE = 32


_NULL = Style()


class StyleTable:
    """Numbers styles in the order in which they are first seen."""

    def __init__(self) -> None:
        self._number: dict[Style, int] = {}
        self.styles: list[Style] = []
        self.blank: list[int] = []
        self.number(Style())  # 0: a code that is only a character has no style

    def number(self, style: Style | None) -> int:
        """Return the number of a style; no style is the terminal's default."""
        key = style if style is not None else _NULL
        if key._meta is not None or key._link:  # what a click does is not seen
            key = key.clear_meta_and_links()
        found = self._number.get(key)
        if found is None:
            found = self._number[key] = len(self.styles)
            self.styles.append(key)
            bare = _on_blank(key)
            self.blank.append(found)
            self.blank[found] = found if bare == key else self.number(bare)
        return found

    def code(self, char: str, style: Style | None) -> int:
        """Return the code of one narrow character."""
        number = self.number(style)
        return ord(char) | (self.blank[number] if char == " " else number) << CHAR_BITS


def _on_blank(style: Style) -> Style:
    """Return what is left of a style where nothing is written."""
    if style.underline or style.underline2 or style.strike or style.reverse or style.overline:
        return style.without_color + Style(color=style.color, bgcolor=style.bgcolor)
    return Style(bgcolor=style.bgcolor)


#: the numbers of this process; every screen shares them
STYLES = StyleTable()


def text_codes(parts: Sequence[tuple[str, Style | None]]) -> Codes:
    """Return the codes of runs of text, one cell for each character.

    A character that is not one cell wide is shown as U+FFFD, so that columns stay where they are; one that is not
    printable, and so could steer the terminal, as a space.
    """
    text = "".join(part for part, _ in parts)
    if not text.isprintable():
        text = "".join(c if c.isprintable() else " " for c in text)
    if not text.isascii() and cell_len(text) != len(text):
        text = "".join(c if get_character_cell_size(c) == 1 else STRANGER for c in text)
    number, blank = STYLES.number, STYLES.blank
    ids = [number(style) for _, style in parts]
    lengths = [len(part) for part, _ in parts]
    chars = np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32).astype(np.int64)
    inked = np.repeat(np.array(ids, dtype=np.int64), lengths)
    bare = np.repeat(np.array([blank[i] for i in ids], dtype=np.int64), lengths)
    return chars | np.where(chars == _SPACE, bare, inked) << CHAR_BITS


def strip_codes(strip: Strip) -> Codes:
    """Return the codes of any strip; the second cell of a wide character holds FILLER."""
    if isinstance(strip, CellStrip):
        return strip.codes
    parts = [(segment.text, segment.style) for segment in strip if not segment.control and segment.text]
    text = "".join(part for part, _ in parts)
    if text.isascii() or cell_len(text) == len(text):
        return text_codes(parts)
    out: list[int] = []
    for part, style in parts:
        for char in part:
            width = get_character_cell_size(char)
            if width and char.isprintable():
                out.append(STYLES.code(char, style))
                out += [FILLER | STYLES.number(style) << CHAR_BITS] * (width - 1)
    return np.array(out, dtype=np.int64)


def segments_of(codes: Codes) -> list[Segment]:
    """Return codes as segments, one for each run of a style."""
    if not len(codes):
        return []
    ids = codes >> CHAR_BITS
    bounds = [0, *(np.flatnonzero(np.diff(ids)) + 1).tolist(), len(codes)]
    text = (codes & CHAR_MASK).astype("<u4").tobytes().decode("utf-32-le")
    return [Segment(text[a:b], STYLES.styles[int(ids[a])]) for a, b in pairwise(bounds)]


class CellStrip(Strip):
    """A strip that is its codes; the segments are made when something asks for them.

    Args:
        codes: one code for each cell, all of them narrow; not changed afterwards.
    """

    __slots__ = ("codes",)

    def __init__(self, codes: Codes) -> None:
        self.codes = codes
        self._cell_length = len(codes)

    def __getattr__(self, name: str) -> Any:
        # A slot of the base class that was never filled: fill them all.
        if name not in Strip.__slots__:
            raise AttributeError(name)
        super().__init__(segments_of(self.codes), len(self.codes))
        return getattr(self, name)

    def divide(self, cuts: Iterable[int]) -> Sequence[Strip]:
        """Cut into pieces that end at the given cells."""
        ends = [cut for cut in cuts if cut <= len(self.codes)]
        if ends == [len(self.codes)]:
            return [self]
        return [CellStrip(self.codes[a:b]) for a, b in pairwise([0, *ends])]

    def crop(self, start: int, end: int | None = None) -> Strip:
        """Return the cells from ``start`` to before ``end``."""
        start, end = max(0, start), len(self.codes) if end is None else min(end, len(self.codes))
        return self if (start, end) == (0, len(self.codes)) else CellStrip(self.codes[start:max(start, end)])


def _cell_strips_work() -> bool:
    """Tell whether a CellStrip behaves like the strip it stands for in this version of Textual."""
    style = Style(color="red", bold=True)
    plain = Strip([Segment("ab", style), Segment("cd", _NULL)], 4)
    try:
        own = CellStrip(text_codes([("ab", style), ("cd", _NULL)]))
        pieces = [(p.text, p.cell_length) for p in own.divide([1, 3, 4])]
        same = pieces == [(p.text, p.cell_length) for p in plain.divide([1, 3, 4])]
        fresh = CellStrip(own.codes)
        return (same and fresh == plain and fresh.crop(1, 3).text == "bc"
                and Strip.join([CellStrip(own.codes), plain]).cell_length == 8)
    except Exception:  # any change of the private parts ends here
        return False


#: whether rows are handed to Textual as codes; otherwise as ordinary strips
CELL_STRIPS = _cell_strips_work()


def strip_of(codes: Codes) -> Strip:
    """Return a strip of codes, of the fast kind where Textual takes it."""
    return CellStrip(codes) if CELL_STRIPS else Strip(segments_of(codes), len(codes))
