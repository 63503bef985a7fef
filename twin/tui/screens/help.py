"""Help: every key and what it does, made from the registry of actions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual import events
from textual.app import ComposeResult
from textual.screen import ModalScreen

from twin.tui import actions
from twin.tui.metrics import METRICS
from twin.tui.panels.rack import THROTTLE
from twin.tui.screens.menu import wrap
from twin.tui.widgets.canvas import Canvas, Row, Span

if TYPE_CHECKING:
    from twin.tui.ui import Ui


def lines(head: Span, text: str, width: int, note: str = "") -> list[Row]:
    """Return a text behind its head, on as many rows as it needs."""
    parts = wrap(text, max(20, width - len(head[0]) - len(note) - 1)) or [""]
    first: Row = (head, (parts[0], "fg"), (note, "warn")) if note else (head, (parts[0], "fg"))
    return [first, *(((" " * len(head[0]), ""), (part, "fg")) for part in parts[1:])]


def help_rows(ui: Ui, width: int) -> list[Row]:
    """Return the help as rows: actions by group, then how to read the floor."""
    glyph = ui.palette.glyph
    rows: list[Row] = []
    for group, members in actions.groups(ui.extra, ui.registry).items():
        rows.append(((f" {group}", "bold accent"),))
        for action in members:
            why = "read only" if action.writes else "the screen is served" if action.files else "another person acts"
            note = f" (not here: {why})" if ui.refuses(action) else ""
            rows += lines((f"   {action.shown:>6}  ", "bold bright"), action.doc, width, note)
        rows.append(())
    rows.append(((" Reading the floor", "bold accent"),))
    signs: list[tuple[str, str, str]] = [
        (glyph("unit"), "ok", "CRAH or CDU at work"), (glyph("standby"), "dim", "CDU that stands by"),
        (glyph("off"), "bold crit", "fault: a fan or pump is tripped, a rack has no power"),
        (glyph("alarm"), "bold warn", "on a rack: GPUs slowed by heat; elsewhere: an alarm, warning"),
        (glyph("fault"), "bold crit", "an alarm, critical; on the time line a fault"),
        (glyph("planned"), "dim", "on the time line: what the scenario plans"),
    ]
    for sign, ink, text in signs:
        rows.append(((f"   {'':>5}", ""), (sign, ink), ("  " + text, "fg")))
    rows.append((("           a rack shows its trays from the top down, its GPUs from left to right", "dim"),))
    rows.append(())
    rows.append(((" Metrics", "bold accent"),))
    for metric in METRICS:
        rows += lines((f"   {metric.title:<16}", "bold bright"), metric.doc, width)
    rows.append(())
    rows.append(((" Why a GPU is slow: ", "bold accent"), (", ".join(word for _, word in THROTTLE), "fg")))
    return rows


class HelpText(Canvas):
    """The scrolling text of the help: what is in this view, then every key."""

    first = 0
    about: Sequence[str] = ()

    def paint(self, ui: Ui, width: int, height: int) -> Sequence[Row]:
        """Return the rows in sight."""
        rows: list[Row] = [((" In this view", "bold accent"),)] if self.about else []
        rows += [row for text in self.about for row in lines(("   ", ""), text, width)]
        rows += [*([()] if self.about else []), *help_rows(ui, width)]
        self.first = min(max(self.first, 0), max(0, len(rows) - height))
        return rows[self.first:self.first + height]


class HelpFoot(Canvas):
    """How to leave."""

    def paint(self, ui: Ui, width: int, height: int) -> Sequence[Row]:
        """Return the line."""
        return [((" ↑ ↓ pgup pgdn", "accent"), (" scroll  ", "dim"), ("esc", "accent"), (" back", "dim"))]


class HelpScreen(ModalScreen[None]):
    """Every key, opaque, scrolled by the arrows."""

    BINDINGS = [("escape,q,ctrl+c,question_mark,f1", "dismiss", "Back"), ("up,k", "scroll_by(-1)", "Up"),
                ("down,j", "scroll_by(1)", "Down"), ("pageup,ctrl+u", "scroll_by(-15)", "Page up"),
                ("pagedown,ctrl+d,space", "scroll_by(15)", "Page down"), ("home,g", "scroll_by(-1000)", "First"),
                ("end,G", "scroll_by(1000)", "Last")]

    def __init__(self, ui: Ui, about: Sequence[str] = ()) -> None:
        super().__init__()
        self.ui, self.about = ui, about

    def compose(self) -> ComposeResult:
        """Lay out text and foot."""
        yield HelpText(id="help-text")
        yield HelpFoot(classes="line")

    def on_mount(self) -> None:
        """Fill it."""
        self.query_one(HelpText).about = self.about
        for canvas in self.query(Canvas):
            canvas.feed(self.ui)

    def action_scroll_by(self, rows: int) -> None:
        """Scroll."""
        text = self.query_one(HelpText)
        text.first += rows
        text.repaint()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll on."""
        self.action_scroll_by(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll back."""
        self.action_scroll_by(-3)
