"""What is written to the terminal: the cells that differ from what it already shows, and nothing else.

Textual sends every dirty span whole. :class:`CellDiff` keeps the cells that the terminal shows, compares them with
what the compositor composed, and writes the difference with few cursor moves and few changes of colour.
:class:`DiffedApp` puts it between compositor and driver. The place where it hooks in is private to Textual; it is
checked before use, and whenever it is not there, or something goes wrong, Textual's own way is taken.
"""

from __future__ import annotations

import inspect
import os
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray
from rich.color import Color, ColorSystem
from rich.style import Style
from textual._ansi_sequences import SYNC_END, SYNC_START
from textual._compositor import ChopsUpdate, Compositor, CompositorUpdate, LayoutUpdate
from textual.app import App
from textual.geometry import Region, Size
from textual.strip import Strip

from twin.tui.cells import CHAR_BITS, CHAR_MASK, STYLES, Codes, segments_of, strip_codes

if TYPE_CHECKING:
    from rich.console import Console
    from textual.screen import Screen

#: environment variable that chooses how the screen is written: ``cells`` or ``plain``
RENDERER_VARIABLE = "TWIN_RENDERER"
#: a code that no cell has: the terminal may show anything there
UNKNOWN = -1
_SPACE = 32
_ATTRIBUTES = (("bold", "1"), ("dim", "2"), ("italic", "3"), ("underline", "4"), ("blink", "5"), ("reverse", "7"),
               ("conceal", "8"), ("strike", "9"), ("underline2", "21"), ("overline", "53"))
Pen = tuple[str, str, str]
#: first row, first column, codes (rows by columns)
Part = tuple[int, int, Codes]


class CellsUpdate(CompositorUpdate):
    """A partial update as blocks of cells.

    Args:
        parts: first row, first column and codes (rows by columns) of each.
    """

    def __init__(self, parts: list[Part]) -> None:
        self.parts = parts

    def render_segments(self, console: Console) -> str:
        """Return the update as Textual would write it."""
        return "".join(f"\x1b[{y + 1};{x + 1}H{Strip(segments_of(row), len(row)).render(console)}"
                       for first, x, codes in self.parts for y, row in enumerate(codes, first))


Update = CellsUpdate | LayoutUpdate | ChopsUpdate


def pen_of(style: Style, system: ColorSystem | None) -> Pen:
    """Return a style as parameters of SGR: attributes, foreground, background."""
    marks = ";".join(code for name, code in _ATTRIBUTES if getattr(style, name))

    def colour(value: Color | None, foreground: bool) -> str:
        if value is None or system is None:
            return "39" if foreground else "49"
        return ";".join(value.downgrade(system).get_ansi_codes(foreground))

    return marks, colour(style.color, True), colour(style.bgcolor, False)


def turn(old: Pen | None, new: Pen) -> str:
    """Return the shortest SGR sequence from one pen to another; None is a pen that nobody knows."""
    if old == new:
        return ""
    if old is None or (old[0] and old[0] != new[0]):
        parts = ["0", new[0], new[1] if new[1] != "39" else "", new[2] if new[2] != "49" else ""]
    else:
        parts = ["" if old[i] == new[i] else new[i] for i in range(3)]
    return f"\x1b[{';'.join(part for part in parts if part)}m"


class CellDiff:
    """Turns updates of the compositor into the text that brings a terminal from what it shows to what it should.

    Independent of any app or driver: whoever owns a terminal at the other end of a connection keeps one of these.

    Args:
        system: colours of the terminal; None writes no colour at all.
    """

    def __init__(self, system: ColorSystem | None = ColorSystem.TRUECOLOR) -> None:
        self._system = system
        self._pens: list[Pen] = []
        self._order = np.zeros(0, dtype=np.int64)
        self._cursor: tuple[int, int] | None = None
        self.front: Codes = np.full((0, 0), UNKNOWN, dtype=np.int64)

    def reset(self) -> None:
        """Forget what the terminal shows: after a resize, after a write that was lost, after another program."""
        self.front = np.full((0, 0), UNKNOWN, dtype=np.int64)
        self._cursor = None

    def frame(self, update: Update, size: Size, cursor: tuple[int, int] = (0, 0)) -> str:
        """Return what must be written so that the terminal shows an update; empty when it already does.

        Args:
            update: what the compositor gave.
            size: columns and rows of the terminal.
            cursor: column and row where the cursor is left.
        """
        shape = (size.height, size.width)
        if self.front.shape != shape:
            self.front, self._cursor = np.full(shape, UNKNOWN, dtype=np.int64), None
        back = self.front.copy()
        if isinstance(update, CellsUpdate):
            _compose_cells(back, update)
        elif isinstance(update, LayoutUpdate):
            _compose_layout(back, update)
        else:
            _compose_chops(back, update)
        text = self._write(back)
        if text or cursor != self._cursor:
            text += f"\x1b[{cursor[1] + 1};{cursor[0] + 1}H"
        self.front, self._cursor = back, cursor
        return text

    def _write(self, back: Codes) -> str:
        """Return the difference between two screens."""
        places = np.flatnonzero(back.ravel() != self.front.ravel())
        if not len(places):
            return ""
        codes = back.ravel()[places]
        if len(places) > 1:
            order = self._in_order(places, codes, back.shape[1])
            if order is not None:
                places, codes = places[order], codes[order]
        pens = self._known_pens()
        ys, xs = np.divmod(places, back.shape[1])
        out: list[str] = []
        add = out.append
        row, column, number, now = -1, -1, -1, ("", "", "")
        for y, x, code in zip(ys.tolist(), xs.tolist(), codes.tolist(), strict=True):
            char = code & CHAR_MASK
            if not char:
                column += (y, x) == (row, column)  # the wide character before it covers this cell
                continue
            if y != row or x < column:
                add(f"\x1b[{y + 1};{x + 1}H")
            elif x != column:
                add("\x1b[C" if x == column + 1 else f"\x1b[{x - column}C")
            pen = code >> CHAR_BITS
            if pen != number:
                want = pens[pen]
                if number < 0 or now[0] != want[0]:
                    add(turn(now if number >= 0 else None, want))
                elif now[1] == want[1]:
                    add(f"\x1b[{want[2]}m")
                elif now[2] == want[2]:
                    add(f"\x1b[{want[1]}m")
                else:
                    add(f"\x1b[{want[1]};{want[2]}m")
                number, now = pen, want
            add(chr(char))
            row, column = y, x + 1
        add("\x1b[0m")
        return "".join(out)

    def _in_order(self, places: Codes, codes: Codes, width: int) -> NDArray[np.intp] | None:
        """Return the order to write in: runs of one pen sorted by pen to send fewer colours, the rest in place.

        A change of two colours costs up to 36 bytes, a move of the cursor nine at most.
        """
        pens = codes >> CHAR_BITS
        starts = np.flatnonzero(np.concatenate(([True], np.diff(places) != 1)))  # of runs of neighbours
        if len(starts) < 8:
            return None
        inside = np.concatenate(([False], pens[1:] != pens[:-1]))
        inside[starts] = False
        mixed = np.repeat(np.logical_or.reduceat(inside, starts), np.diff(np.append(starts, len(places))))
        self._known_pens()
        return np.lexsort((places, np.where(mixed, -1, self._order[pens])))

    def _known_pens(self) -> list[Pen]:
        """Return the pens of all styles so far."""
        pens, styles = self._pens, STYLES.styles
        if len(pens) < len(styles):
            fresh = styles[len(pens):]
            pens += [pen_of(style, self._system) for style in fresh]
            self._order = np.concatenate([self._order, np.array([_pen_rank(style) for style in fresh])])
        return pens


def _pen_rank(style: Style) -> int:
    """Return a number by which pens are sorted so that neighbours share their background, then their foreground."""
    def number(colour: Color | None) -> int:
        if colour is None:
            return 0
        return 1 + (int.from_bytes(bytes(colour.triplet)) if colour.triplet else colour.number or 0)

    return number(style.bgcolor) << 26 | number(style.color)


def _compose_cells(back: Codes, update: CellsUpdate) -> None:
    """Write the parts of a partial update into a screen of codes."""
    for y, x, codes in update.parts:
        place = back[y:y + codes.shape[0], x:x + codes.shape[1]]
        place[:] = codes[:place.shape[0], :place.shape[1]]


def _compose_layout(back: Codes, update: LayoutUpdate) -> None:
    """Write all rows of a full update into a screen of codes."""
    height, width = back.shape
    for y, strips in enumerate(update.strips, update.region.y):
        if y >= height:
            return
        x = update.region.x
        for strip in strips:
            codes = strip_codes(strip)[:max(0, width - x)]
            back[y, x:x + len(codes)] = codes
            x += strip.cell_length


def _compose_chops(back: Codes, update: ChopsUpdate) -> None:
    """Write the spans of a partial update into a screen of codes; what lies beside a span was not composed."""
    height, width = back.shape
    for y, x1, x2 in update.spans:
        if y >= height:
            continue
        x2 = min(x2, width)
        for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if strip is None or x >= x2 or end <= x1:
                continue
            first = max(x, x1)
            codes = strip_codes(strip)[first - x:min(end, x2) - x]
            back[y, first:first + len(codes)] = codes


class CellCompositor(Compositor):
    """Composes a partial update from the codes of the widgets that are seen there, and only where something is dirty.

    The base class renders every widget that the union of all dirty regions touches and cuts every row at every edge
    of a widget; most of that is not looked at afterwards. Here a map says which widget is on top in each cell.
    """

    plain = False
    error: Exception | None = None
    _map_of: Any = None

    def render_partial_update(self) -> Any:
        """Return the dirty parts as they are seen, None when nothing is dirty."""
        if self.plain:
            return super().render_partial_update()
        try:
            screen = self.size.region
            parts: list[Part] = []
            for region in self._dirty_regions:
                visible = region.intersection(screen)
                if visible:
                    self._compose(visible, parts)
        except Exception as error:  # a private part changed its meaning: compose as the base class does from now on
            self.plain, self.error = True, error
            return super().render_partial_update()
        self._dirty_regions.clear()
        return CellsUpdate(parts) if parts else None

    def _compose(self, dirty: Region, parts: list[Part]) -> None:
        """Add what is seen of a region."""
        tops, shown = self._tops(), self._shown
        x, y, width, height = dirty
        on_top = tops[y:y + height, x:x + width]
        first = int(on_top[0, 0])
        if first >= 0 and bool((on_top == first).all()):
            widget, region = shown[first]
            parts.append((y, x, codes_in(widget, dirty.translate((-region.x, -region.y)), region.width)))
            return
        codes = np.full(on_top.shape, _SPACE, dtype=np.int64)
        for i in np.unique(on_top[on_top >= 0]).tolist():
            widget, region = shown[i]
            mine = on_top == i
            rows, columns = np.flatnonzero(mine.any(axis=1)), np.flatnonzero(mine.any(axis=0))
            top, left = int(rows[0]), int(columns[0])
            box = Region(x + left, y + top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top)
            found = codes_in(widget, box.translate((-region.x, -region.y)), region.width)
            place = np.s_[top:top + box.height, left:left + box.width]
            np.copyto(codes[place], found, where=mine[place])
        parts.append((y, x, codes))

    def _tops(self) -> NDArray[np.int32]:
        """Return which of the shown widgets is on top in each cell, -1 for none."""
        visible = self.visible_widgets
        if self._map_of is not visible:
            tops = np.full((self.size.height, self.size.width), -1, dtype=np.int32)
            self._shown = [(widget, region) for widget, (region, _) in visible.items()]
            for i, (region, clip) in reversed([*enumerate(visible.values())]):
                seen = region.intersection(clip)
                tops[max(0, seen.y):max(0, seen.bottom), max(0, seen.x):max(0, seen.right)] = i
            self._tops_now, self._map_of = tops, visible
        return self._tops_now


def codes_in(widget: Any, part: Region, width: int) -> Codes:
    """Return the codes of a part of a widget that is ``width`` cells wide, rows by columns."""
    block = getattr(widget, "block", None)
    codes = block(part) if block is not None else None
    if codes is not None:
        return cast(Codes, codes)
    out = np.full((part.height, part.width), _SPACE, dtype=np.int64)
    for row, strip in zip(out, widget.render_lines(Region(0, part.y, width, part.height)), strict=False):
        codes = strip_codes(strip)
        if 0 < len(codes) < part.right:  # the widget grew and has not been painted since: its ground goes on
            row[:] = STYLES.code(" ", STYLES.styles[int(codes[-1]) >> CHAR_BITS])
        codes = codes[part.x:part.right]
        row[:len(codes)] = codes
    return out


def seam_is_there() -> bool:
    """Tell whether this version of Textual has the private parts that the renderer hooks into."""
    try:
        shapes: list[tuple[Any, list[str]]] = [
            (App._display, ["self", "screen", "renderable"]),
            (LayoutUpdate.__init__, ["self", "strips", "region"]),
            (ChopsUpdate.__init__, ["self", "chops", "spans", "chop_ends"]),
            (Compositor.render_partial_update, ["self"])]
        return all(list(inspect.signature(function).parameters) == names for function, names in shapes)
    except (AttributeError, TypeError, ValueError):
        return False


class DiffedApp(App[None]):
    """An app whose screen is written by a CellDiff.

    Attributes:
        cells: the renderer, None when Textual's own way is taken.
        renderer_error: what made it fall back, None when nothing did.
    """

    cells: CellDiff | None = None
    renderer_error: Exception | None = None

    def use_renderer(self, name: str | None, system: ColorSystem | None) -> None:
        """Choose how the screen is written.

        Args:
            name: ``cells``, ``plain``, or None for what the environment says (``cells`` when it says nothing).
            system: colours of the terminal.
        """
        chosen = name or os.environ.get(RENDERER_VARIABLE) or "cells"
        self.cells = CellDiff(system) if chosen == "cells" and seam_is_there() else None
        self.console._color_system = system or ColorSystem.TRUECOLOR  # what the plain way writes; filters do the rest

    def set_colours(self, system: ColorSystem | None) -> None:
        """Write in another depth of colour from now on, and all of it again."""
        if self.cells is not None:
            self.cells = CellDiff(system)
        self.redraw()

    def on_resize(self) -> None:
        """A terminal that changes its size moves what it shows: forget it."""
        if self.cells is not None:
            self.cells.reset()

    def redraw(self) -> None:
        """Write the whole screen again: when what the terminal shows is not known any more."""
        if self.cells is not None:
            self.cells.reset()
        if self._running and self.screen_stack:
            self.screen.refresh()

    def _display(self, screen: Screen[Any], renderable: Any) -> None:
        """Write an update of the compositor to the driver."""
        driver, cells = self._driver, self.cells
        if cells is None or driver is None or driver.is_headless or driver.is_inline or not self._running \
                or self._closed or self._batch_count or not isinstance(renderable, Update):
            super()._display(screen, renderable)
            return
        try:
            cursor = screen.outer_size.clamp_offset(self.cursor_position)
            text = cells.frame(renderable, screen.outer_size, (cursor.x, cursor.y))
        except Exception as error:  # a private part that changed its meaning: take the plain way from now on
            self.renderer_error, self.cells = error, None
            super()._display(screen, cast(Any, renderable))
            self.call_later(self.screen.refresh)
            return
        if text:
            synchronised = getattr(self, "_sync_available", False)
            driver.write(f"{SYNC_START}{text}{SYNC_END}" if synchronised else text)
            driver.flush()
        self.post_display_hook()
