"""The time line: the course of the run with what happened on it, and where on it one stands.

The moment that is shown is bright, what was lived before it is drawn heavy in the accent, what was lived after it heavy
and dim, what is still to come thin. A click or a drag goes there.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import events
from textual.message import Message

from twin.tui import format as fmt
from twin.tui.panels.bars import Rule
from twin.tui.widgets.canvas import Canvas, Row, Span, crop, joined, width_of

if TYPE_CHECKING:
    from twin.tui.ui import Ui

#: the time line is scrubbed in this many steps
STEPS = 60


def end_of(ui: Ui) -> int:
    """Return the instant at the right end: the scenario's end, or the furthest moment lived when that is later."""
    return max(ui.frame.end_ns, head_of(ui), 1)


def head_of(ui: Ui) -> int:
    """Return the furthest moment lived."""
    return max(ui.frame.head_ns, ui.frame.now_ns)


def scrub(ui: Ui, from_ns: int, step: int) -> int:
    """Return the moment one step of the time line before or after another, on the grid of the steps.

    The grid has ``STEPS`` steps, and none is shorter than a tick.
    """
    pitch = max(end_of(ui) // STEPS, ui.frame.dt_ns, 1)
    to = (from_ns // pitch + 1) * pitch if step > 0 else (from_ns - 1) // pitch * pitch
    return min(max(to, 0), head_of(ui))


@dataclass(frozen=True)
class Scale:
    """Where the line lies in its row: its first cell, its cells, and the instant at its right end."""

    left: int
    room: int
    end_ns: int

    def cell(self, at_ns: int) -> int:
        """Return the cell of an instant, counted from the line's first."""
        return min(self.room - 1, max(0, at_ns * (self.room - 1) // self.end_ns))

    def instant(self, x: int) -> int:
        """Return the instant at a column of the row; the ends of the line beyond them."""
        cell = min(max(x - self.left, 0), self.room - 1)
        return -(-cell * self.end_ns // max(1, self.room - 1))


def labels(ui: Ui, width: int) -> tuple[str, str, Scale | None]:
    """Return what stands at both ends and the line between; no line where there is no room."""
    end = end_of(ui)
    left, right = f" {fmt.elapsed(ui.frame.now_ns)} ", f" {fmt.elapsed(end)} "
    left = left.rjust(len(right))
    room = width - len(left) - len(right)
    return left, right, None if room < 8 else Scale(len(left), room, end)


def time_line(ui: Ui, width: int) -> Row:
    """Draw the course of the run; the last marks win their cell: plans, then forks, alarms, faults, the present."""
    frame = ui.frame
    left, right, scale = labels(ui, width)
    if scale is None:
        return ((left, "bright"),)
    now, head = scale.cell(frame.now_ns), scale.cell(head_of(ui))
    key = (scale, now, head, ui.marked, ui.forks, frame.in_past, ui.palette)
    kept = ui.cache.get("time line")
    if kept is None or kept[0] != key:
        kept = ui.cache["time line"] = (key, joined(_cells(ui, scale, now, head)))
    return ((left, "bold warn" if frame.in_past else "bold bright"), *kept[1], (right, "dim"))


def _cells(ui: Ui, scale: Scale, now: int, head: int) -> Row:
    """Return one span for each cell of the line."""
    frame, glyph = ui.frame, ui.palette.glyph
    cells: list[Span] = [(glyph("heavy"), "accent") if x <= now else (glyph("heavy"), "dim") if x <= head else
                         (glyph("rule"), "faint") for x in range(scale.room)]
    for event in ui.site.spec.event:
        if event.at > head_of(ui):
            cells[scale.cell(event.at)] = (glyph("planned"), "dim")
    for at_ns in ui.forks:
        cells[scale.cell(at_ns)] = (glyph("fork"), "bold accent")
    for kind, sign, ink in (("alarm", "alarm", "warn"), ("fault", "fault", "crit")):
        for mark in ui.marks.values():
            if mark.kind == kind and mark.severity != "info":
                hot = "crit" if mark.severity == "critical" else ink
                cells[scale.cell(mark.at_ns)] = (glyph(sign), hot)
    if frame.in_past:
        cells[head] = (glyph("head"), "bright")
    cells[now] = (glyph("now"), "bold bright")
    return tuple(cells)


class TimeLine(Canvas):
    """From the start of the scenario to its end, with alarms, faults, forks and planned events marked."""

    every = 2

    class Sought(Message):
        """A moment was pointed at.

        Attributes:
            at_ns: the instant, simulated ns.
        """

        def __init__(self, at_ns: int) -> None:
            super().__init__()
            self.at_ns = at_ns

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._held = False

    def paint(self, ui: Ui, width: int, height: int) -> Sequence[Row]:
        """Return the line."""
        return [time_line(ui, width)]

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Go to the moment under the mouse, and follow it until the button is let go."""
        if event.button == 1:
            self._held = True
            self.capture_mouse()
            self._point(event.x)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Follow the mouse."""
        if self._held:
            self._point(event.x)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """Let go."""
        if self._held:
            self._held = False
            self.release_mouse()

    def _point(self, x: int) -> None:
        if self.ui is not None:
            scale = labels(self.ui, self.content_size.width)[2]
            if scale is not None:
                self.post_message(self.Sought(scale.instant(x)))


class PastRule(Rule):
    """The thin line under the tabs; while one looks back, it says so and what one may do."""

    DEFAULT_CSS = "PastRule { height: 1; }"

    def basis(self, ui: Ui) -> Hashable:
        """Return what the line depends on; None where it is the banner."""
        return None if ui.seeking or ui.frame.in_past else super().basis(ui)

    def paint(self, ui: Ui, width: int, height: int) -> Sequence[Row]:
        """Return the line, or the banner of the past."""
        return [past_row(ui, width)] if ui.seeking or ui.frame.in_past else super().paint(ui, width, height)


def past_row(ui: Ui, width: int) -> Row:
    """Return the banner: where one looks, where the present is, and the keys that help, as many as fit."""
    frame = ui.frame
    if ui.seeking:
        where = "" if ui.seek_ns < 0 else f" {fmt.elapsed(ui.seek_ns)}"
        row: list[Span] = [(f" seeking{where} {ui.palette.glyph('more')} ", "bold warn on sel")]
    else:
        row = [(f" looking back at {fmt.elapsed(frame.now_ns)}", "bold warn on sel"),
               (f" {ui.palette.glyph('dot')} live at {fmt.elapsed(frame.head_ns)}  ", "fg on sel")]
    for key, text in _ways(ui):
        if width_of(tuple(row)) + len(key) + len(text) + 4 <= width:
            row += [(f" {key}", "accent on sel"), (f" {text} ", "dim on sel")]
    return (*crop(tuple(row), width), (" " * max(0, width - width_of(tuple(row))), "on sel"))


def _ways(ui: Ui) -> list[tuple[str, str]]:
    """Return what one may do in the past: key and words, the most useful first."""
    keys = {action.name: action.shown for action in ui.available()}
    known = (("live", "back to now"), ("fork", "fork here"), ("go_on_here", "go on from here"),
             ("alarm_back", "last alarm"), ("scrub_back", "back"), ("scrub_on", "on"),
             ("toggle_pause", "play it again"))
    return [(keys[name], text) for name, text in known if name in keys]
