"""Alarms that stand, faults that are active, and the log of everything that happened."""

from __future__ import annotations

import textwrap
from collections.abc import Hashable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from twin.tui import format as fmt
from twin.tui.widgets.canvas import Canvas, Row, Span
from twin.tui.widgets.table import Col, Table

if TYPE_CHECKING:
    from twin.runtime.frame import ActiveAlarm, ActiveFault
    from twin.tui.ui import Ui
    from twin.wiring import Event

_RANK = {"critical": 0, "warning": 1, "info": 2}


def severity(ui: Ui, level: str, kind: str = "alarm") -> Span:
    """Return glyph and ink of a severity; never by colour alone."""
    if level == "critical":
        return ui.palette.glyph("fault"), "bold crit"
    if level == "warning":
        return ui.palette.glyph("alarm" if kind == "alarm" else "fault"), "bold warn"
    return ui.palette.glyph("info"), "dim"


def clock(ui: Ui, at_ns: int) -> str:
    """Return an instant as simulated local time."""
    return fmt.clock(ui.site.start_unix_ns, at_ns, ui.site.utc_offset_s)


def _place_width(places: Iterable[str]) -> int:
    """Return the width of a column of places: as wide as the longest, within reason."""
    return min(24, max(14, 2 + max((len(place) for place in places), default=0)))


def sorted_alarms(ui: Ui) -> list[ActiveAlarm]:
    """Return the alarms that stand, worst first, then newest first, acknowledged ones behind."""
    return sorted(ui.frame.alarms, key=lambda a: (a.acknowledged, _RANK.get(a.severity, 3), -a.since_ns))


class AlarmTable(Table):
    """Alarms that stand now."""

    heading = "alarms that stand"
    nothing = "none: all is well"

    def cols(self, ui: Ui) -> Sequence[Col]:
        """Return the columns."""
        return (Col("", 3), Col("level", 9, least=110), Col("since", 9), Col("for", 9, True, 60),
                Col("place", _place_width(item.place for item in ui.frame.alarms)), Col("what", 0),
                Col("seen", 6, least=70))

    def items(self, ui: Ui) -> Sequence[Any]:
        """Return the alarms."""
        return sorted_alarms(ui)

    def cells(self, ui: Ui, item: Any) -> Sequence[Span]:
        """Return one alarm."""
        sign, ink = severity(ui, item.severity)
        calm = "dim" if item.acknowledged else "fg"
        return ((sign, "dim" if item.acknowledged else ink), (item.severity, "dim"), (clock(ui, item.since_ns), calm),
                (fmt.span(ui.frame.now_ns - item.since_ns), calm), (item.place, calm), (fmt.clean(item.text), calm),
                ("yes" if item.acknowledged else "", "dim"))


class AlarmPage(Canvas):
    """The selected alarm in full: what it is, how bad, what one can do."""

    every = 5

    def __init__(self, table: AlarmTable, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.table = table

    def paint(self, ui: Ui, width: int, height: int) -> Sequence[Row]:
        """Return the page."""
        item = self.table.selected(ui)
        return () if item is None else alarm_page(ui, item, width)[:height]


def alarm_page(ui: Ui, alarm: ActiveAlarm, width: int) -> list[Row]:
    """Return an alarm with its advice, wrapped."""
    sign, ink = severity(ui, alarm.severity)
    seen = ", acknowledged" if alarm.acknowledged else ""
    head: Row = ((f"{sign} {alarm.severity}", ink), (f" {alarm.place}", "bold fg"), (f" {alarm.name}{seen}", "dim"))
    return [head, *[((text, "fg"),) for text in textwrap.wrap(fmt.clean(alarm.advice), max(20, width - 1))]]


class FaultTable(Table):
    """Faults that are active now."""

    heading = "active faults"
    nothing = "none"

    def cols(self, ui: Ui) -> Sequence[Col]:
        """Return the columns."""
        return (Col("", 3), Col("since", 9), Col("ends", 9),
                Col("place", _place_width(item.place for item in ui.frame.faults)), Col("fault", 0))

    def items(self, ui: Ui) -> Sequence[Any]:
        """Return the faults."""
        return list(ui.frame.faults)

    def cells(self, ui: Ui, item: ActiveFault) -> Sequence[Span]:
        """Return one fault."""
        until = clock(ui, item.until_ns) if item.until_ns >= 0 else "open"
        return ((ui.palette.glyph("fault"), "bold crit"), (clock(ui, item.since_ns), "fg"), (until, "fg"),
                (item.place, "fg"), (item.name, "fg"))


class EventTable(Table):
    """The log, newest at the bottom; it follows until the cursor is moved into it."""

    heading = "event log"
    nothing = "nothing happened yet"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.following = True

    def cols(self, ui: Ui) -> Sequence[Col]:
        """Return the columns."""
        return (Col("", 3), Col("time", 9), Col("kind", 9, least=56), Col("place", 16), Col("what", 0))

    def items(self, ui: Ui) -> Sequence[Any]:
        """Return the events, oldest first."""
        return ui.frame.events

    def cells(self, ui: Ui, item: Event) -> Sequence[Span]:
        """Return one event."""
        sign, ink = severity(ui, item.severity, item.kind)
        return ((sign, ink), (clock(ui, item.at_ns), "dim"), (item.kind, "dim"), (item.place, "fg"),
                (fmt.clean(item.text), "fg" if item.severity != "info" else "dim"))


class EventBrief(Canvas):
    """Standing alarms and the last events, for the overview."""

    def basis(self, ui: Ui) -> Hashable:
        """Return what the rows depend on."""
        frame = ui.frame
        return frame.branch, frame.event_count, frame.events[-1:], tuple(frame.alarms)

    def paint(self, ui: Ui, width: int, height: int) -> Sequence[Row]:
        """Return alarms first, then the newest events, newest first."""
        return event_rows(ui, height)


def event_rows(ui: Ui, height: int) -> list[Row]:
    """Return alarms, worst first, then the log backwards, in ``height`` rows."""
    alarms = [a for a in sorted_alarms(ui) if a.severity != "info"][: max(1, height // 2)]
    rows: list[Row] = []
    for alarm in alarms:
        rows.append((severity(ui, alarm.severity), (f" {clock(ui, alarm.since_ns)[:5]} ", "dim"),
                     *_said(alarm.place, alarm.text, "bold fg", "fg")))
    standing = {(a.since_ns, a.place) for a in alarms}
    log = [e for e in reversed(ui.frame.events) if e.kind != "alarm" or (e.at_ns, e.place) not in standing]
    log = log[:max(0, height - len(rows))]
    for event in log:
        sign, ink = severity(ui, event.severity, event.kind)
        rows.append(((sign, ink if event.kind != "alarm" else "dim"), (f" {clock(ui, event.at_ns)[:5]} ", "dim"),
                     *_said(event.place, event.text, "dim", "dim")))
    return rows or [(("nothing happened yet", "dim"),)]


def _said(place: str, text: str, place_ink: str, ink: str) -> Row:
    """Return place and text; the place once, when the text names it."""
    text = fmt.clean(text)
    if place in text:
        before, _, after = text.partition(place) if place else ("", "", text)
        return ((before, ink), (place, place_ink), (after, ink))
    return ((f"{place} ", place_ink), (text, ink))


def explain_alarm(alarm: ActiveAlarm) -> Row:
    """Say what the selected alarm is and what one can do."""
    return ((alarm.name, "bold fg"), (f" {alarm.place}", "fg"), (f"  {fmt.clean(alarm.advice)}", "dim"))
