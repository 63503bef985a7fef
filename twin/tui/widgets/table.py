"""A table that formats only the rows in sight, with a cursor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from textual import events
from textual.message import Message

from twin.tui.widgets.canvas import Canvas, Row, Span

if TYPE_CHECKING:
    from twin.tui.ui import Ui


@dataclass(frozen=True)
class Col:
    """A column: its title, its width (0 takes what is left), and whether numbers stand at the right."""

    title: str
    width: int
    right: bool = False
    least: int = 0


class Table(Canvas):
    """Rows of cells under a heading. Subclasses give ``cols``, ``items`` and ``cells``.

    Attributes:
        heading: what the table is.
        nothing: what is written when there is no row.
        cursor: selected row; shown when ``active``.
    """

    heading = ""
    nothing = "none"
    beside = ""
    every = 5

    class Activated(Message):
        """A row was chosen by a double click."""

        def __init__(self, table: Table) -> None:
            super().__init__()
            self.table = table

    class Picked(Message):
        """A row was clicked."""

        def __init__(self, table: Table) -> None:
            super().__init__()
            self.table = table

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.cursor, self.scroll, self.active = 0, 0, False
        self.following = False
        self._count = 0
        self._kept: tuple[Any, ...] = ()

    def cols(self, ui: Ui) -> Sequence[Col]:
        """Return the columns; those whose ``least`` is larger than the width are left out."""
        raise NotImplementedError

    def items(self, ui: Ui) -> Sequence[Any]:
        """Return what the rows stand for, cheaply."""
        raise NotImplementedError

    def cells(self, ui: Ui, item: Any) -> Sequence[Span]:
        """Return one text and style for each column."""
        raise NotImplementedError

    def words(self, ui: Ui, item: Any) -> str:
        """Return the text of a row that a filter looks through: what its cells say."""
        return " ".join(text for text, _ in self.cells(ui, item) if text)

    def rows(self, ui: Ui) -> Sequence[Any]:
        """Return the items that the filter of the view keeps."""
        items, found = self.items(ui), ui.filter
        if not found:
            return items
        key = (found, ui.frame.version)
        if self._kept[:2] != key:
            self._kept = (*key, [item for item in items if found.keeps(self.words(ui, item))])
        kept: Sequence[Any] = self._kept[2]
        return kept

    def head(self, ui: Ui, items: Sequence[Any]) -> Row:
        """Return the heading; nothing when the table has none."""
        if not self.heading:
            return ()
        name = (" " + self.heading, "bold accent" if self.active else "bold fg")
        return (name, (f"  {self.beside}", "dim")) if self.beside else (name,)

    def paint(self, ui: Ui, width: int, height: int) -> Sequence[Row]:
        """Return heading, column titles and the rows in sight."""
        items = self.rows(ui)
        self._count = len(items)
        head = self.head(ui, items)
        if ui.filter:
            head = (*head, (f"  {len(items)} of {len(self.items(ui))} match", "accent"))
        rows: list[Row] = [head] if head else []
        if not items:
            return [*rows, ((" nothing matches" if ui.filter else " " + self.nothing, "dim"),)]
        columns = [(i, col) for i, col in enumerate(self.cols(ui)) if col.least <= width]
        widths = _widths([col for _, col in columns], width)
        rows.append(tuple((_cell(col.title, w, col.right), "dim") for (_, col), w in zip(columns, widths, strict=True)))
        room = max(1, height - len(rows))
        self.cursor = min(max(self.cursor, 0), len(items) - 1)
        if self.following and not self.active:
            self.cursor = len(items) - 1
        self.scroll = min(max(self.scroll, self.cursor - room + 1), self.cursor, max(0, len(items) - room))
        for k in range(self.scroll, min(len(items), self.scroll + room)):
            here = self.active and k == self.cursor
            cells = self.cells(ui, items[k])
            rows.append(tuple((_cell(cells[i][0], w, col.right), f"{cells[i][1]} on sel" if here else cells[i][1])
                              for (i, col), w in zip(columns, widths, strict=True)))
        return rows

    def selected(self, ui: Ui) -> Any:
        """Return what the cursor stands on, None in an empty table."""
        items = self.rows(ui)
        return items[min(self.cursor, len(items) - 1)] if items else None

    def move(self, dy: int) -> None:
        """Move the cursor."""
        self.cursor = min(max(self.cursor + dy, 0), max(0, self._count - 1))
        self.repaint()

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where the mouse is."""
        y = event.y - (2 if self.heading else 1) + self.scroll
        if event.y >= (2 if self.heading else 1) and y < self._count:
            self.cursor = y
            self.post_message(self.Picked(self))
            if event.chain > 1:
                self.post_message(self.Activated(self))

    def on_mouse_scroll_down(self) -> None:
        """Go on by three rows."""
        self.move(3)

    def on_mouse_scroll_up(self) -> None:
        """Go back by three rows."""
        self.move(-3)


def _widths(columns: Sequence[Col], width: int) -> list[int]:
    fixed = sum(col.width for col in columns)
    flexible = sum(1 for col in columns if col.width == 0)
    share = max(4, (width - fixed) // flexible) if flexible else 0
    return [col.width or share for col in columns]


def _cell(text: str, width: int, right: bool) -> str:
    """Fit text into a column, one space kept at its left."""
    room = width - 1
    if len(text) > room:
        text = text[: max(0, room - 1)] + "…"
    return " " + (text.rjust(room) if right else text.ljust(room))
