"""The frame that every view shares: title, tabs, time line, the line that explains, the keys that work now."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

from textual import events
from textual.message import Message

from twin.tui import format as fmt
from twin.tui.widgets.canvas import Canvas, Row, Span, crop, spread, width_of

if TYPE_CHECKING:
    from twin.tui.ui import Ui


class TitleBar(Canvas):
    """Where and when we are, and how fast really."""

    def paint(self, ui: Ui, width: int, height: int) -> Sequence[Row]:
        """Return the line."""
        return [title_row(ui, width)]


def title_row(ui: Ui, width: int) -> Row:
    """Return name and title at the left, state, simulated time and speed at the right."""
    frame, glyph = ui.frame, ui.palette.glyph
    name, _, story = ui.session.title.partition(" · ")
    left: list[Span] = [(" twin", "bold accent"), ("  ", ""), (fmt.clean(name), "bold bright")]
    if frame.branch != "main" or ui.family is not None:
        left += [("  " + glyph("fork"), "dim"), (" " + fmt.clean(frame.branch), "bold accent")]
    if ui.to_all:
        left += [(" commands to all", "warn")]
    if story:
        left += [(" · " + fmt.clean(story), "dim")]
    when = fmt.clock(ui.site.start_unix_ns, frame.now_ns, ui.site.utc_offset_s)
    day = fmt.date(ui.site.start_unix_ns, frame.now_ns, ui.site.utc_offset_s)
    if frame.paused:
        ended = frame.now_ns >= frame.end_ns > 0 and not ui.session.endless
        state: list[Span] = [(f"{glyph('end') if ended else glyph('pause')} {'ended' if ended else 'paused'} ",
                              "bold warn")]
    else:
        state = [(glyph("play") + " ", "accent")]
    right: list[Span] = [*state, (f"{day} ", "dim"), (f"{when}", "bold bright"), ("  ", ""), *_speed(ui), (" ", "")]
    return spread(tuple(left), tuple(right), width)


def _speed(ui: Ui) -> list[Span]:
    asked, reached, sign = ui.frame.speed_asked, ui.frame.speed_achieved, ui.palette.glyph("times")
    if ui.frame.paused:
        return [(f"asked {fmt.speed(asked, sign)}", "dim")]
    if math.isinf(asked):
        return [(f"{fmt.speed(_calm(reached), sign)}", "fg"), (" (max)", "dim")]
    if reached <= 0 or abs(reached - asked) <= 0.1 * asked:
        return [(fmt.speed(asked, sign), "fg")]
    return [(fmt.speed(_calm(reached), sign), "warn"), (f" (asked {fmt.speed(asked, sign)})", "dim")]


def _calm(value: float) -> float:
    """Round to two significant digits so that the number does not flicker."""
    if value <= 0 or not math.isfinite(value):
        return value
    unit = 10.0 ** (math.floor(math.log10(value)) - 1)
    return round(value / unit) * unit


class TabBar(Canvas):
    """The views with their keys, and the count of what is wrong."""

    class Chosen(Message):
        """A tab was clicked."""

        def __init__(self, view: str) -> None:
            super().__init__()
            self.view = view

    ends: Sequence[int] = ()

    def basis(self, ui: Ui) -> Hashable:
        """Return what the line depends on."""
        return ui.view, alarm_counts(ui), ui.tabs()

    def paint(self, ui: Ui, width: int, height: int) -> Sequence[Row]:
        """Return the line."""
        counts = (*alarm_counts(ui), (" ", ""))
        self.ends, left = tab_row(ui, width - width_of(counts) - 1)
        return [spread(left, counts, width)]

    def on_click(self, event: events.Click) -> None:
        """Go to the view whose tab was hit."""
        for (_, name, _), end in zip(self.ui.tabs() if self.ui is not None else (), self.ends, strict=False):
            if event.x < end:
                self.post_message(self.Chosen(name))
                return


def tab_row(ui: Ui, room: int) -> tuple[list[int], Row]:
    """Return where each tab ends, and the tabs: with room around them, without, or with short names."""
    active = "floor" if ui.view == "rack" else ui.view
    for pad, gap, short in ((" ", " ", 99), ("", " ", 99), ("", "", 99), ("", "", 4), ("", "", 2)):
        row: list[Span] = []
        ends: list[int] = []
        for key, name, title in ui.tabs():
            here = name == active
            words = f"{gap or ' '}{title}" if here else gap + title[:short]
            row += [(pad, ""), (key, "accent" if not here else "bold accent on sel"),
                    (words, "dim" if not here else "bold bright on sel"), (" ", "")]
            ends.append(width_of(tuple(row)))
        if ends[-1] <= room:
            break
    return ends, tuple(span for span in row if span[0])


def alarm_counts(ui: Ui) -> Row:
    """Return how many critical alarms, warnings and faults stand."""
    alarms = [a for a in ui.frame.alarms if a.severity != "info"]
    critical = sum(a.severity == "critical" for a in alarms)
    out: list[Span] = []
    if ui.read_only:
        out += [("read only  ", "bold warn")]
    if ui.recording:
        out += [("recording  ", "bold accent")]
    if critical:
        out += [(f"{ui.palette.glyph('fault')} {critical}", "bold crit"), (" ", "")]
    if len(alarms) - critical:
        out += [(f"{ui.palette.glyph('alarm')} {len(alarms) - critical}", "bold warn"), (" ", "")]
    if not alarms and ui.frame.faults:  # a fault that nothing has felt yet is still not "all well"
        count = len(ui.frame.faults)
        out += [(f"{count} fault" + ("s" if count > 1 else ""), "bold warn")]
    elif not alarms:
        out += [("all well", "ok")]
    return tuple(out)


class Rule(Canvas):
    """A thin line across."""

    DEFAULT_CSS = "Rule { height: 1; }"

    def basis(self, ui: Ui) -> Hashable:
        """Nothing changes a line."""
        return "rule"

    def paint(self, ui: Ui, width: int, height: int) -> Sequence[Row]:
        """Return the line."""
        return [((ui.palette.glyph("rule") * width, "rule"),)]


class ExplainLine(Canvas):
    """One line that says what is selected; the screen fills it from the view."""

    every = 5
    text: Row = ()

    def paint(self, ui: Ui, width: int, height: int) -> Sequence[Row]:
        """Return the line, or the answer to the last key."""
        row: Row = ((" " + ui.message, "accent"),) if ui.message else ((" ", ""), *(ui.hover or self.text))
        if ui.typing or ui.filter_text:
            row = (*filter_row(ui), *row) if not ui.typing else filter_row(ui)
        return [crop(row if ui.typing else whole_parts(row, width - 1), width - 1)]


def whole_parts(row: Row, width: int) -> Row:
    """Leave out explanations (dim) at the end that would be cut, as long as something is left."""
    while len(row) > 2 and width_of(row) > width and row[-1][1] == "dim":
        row = row[:-1]
    return row


def filter_row(ui: Ui) -> Row:
    """Return the filter of the view; while it is typed, with what can be typed."""
    found = ui.filter
    row: Row = ((" /", "accent"), (ui.filter_text, "bold bright"))
    if found is not None and found.error:
        return (*row, ("▌" if ui.typing else "", "accent"), (f"  {found.error}", "warn"))
    if not ui.typing:
        return (*row, ("  esc clears ", "dim"))
    return (*row, ("▌", "accent"), ("  ~ regular expression, ! the others; ", "dim"), ("enter", "accent"),
            (" keeps, ", "dim"), ("esc", "accent"), (" clears", "dim"))


class KeyBar(Canvas):
    """The keys that work now, the most useful first, as many as fit."""

    every = 5

    def basis(self, ui: Ui) -> Hashable:
        """Return what the line depends on."""
        return tuple(ui.available()), ui.frame.paused

    def paint(self, ui: Ui, width: int, height: int) -> Sequence[Row]:
        """Return the line."""
        return [key_row(ui, width)]


def key_row(ui: Ui, width: int) -> Row:
    """Return keys with their labels in the registry's order, those of the lowest rank left out when it is narrow."""
    wanted = [a for a in ui.available() if a.bar]
    items: dict[str, Row] = {}
    for action in wanted:
        label = "go on" if action.name == "toggle_pause" and ui.frame.paused else action.label
        shown, name = action.shown, action.name
        if name == "slower":
            continue
        if name == "faster":
            shown, label = "+/-", "speed"
        items[name] = ((f" {shown}", "accent"), (f" {label} ", "dim"))
    chosen: set[str] = set()
    room = width - 1
    for action in sorted(wanted, key=lambda a: a.bar):
        if action.name in items and width_of(items[action.name]) <= room:
            room -= width_of(items[action.name])
            chosen.add(action.name)
    return tuple(span for name, row in items.items() if name in chosen for span in row)
