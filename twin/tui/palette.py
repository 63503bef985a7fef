"""The palette: every action, view, rack, job, alarm, fault and set-point by its name.

What is listed is made once, when it opens; each key looks once through at most ``ENTRIES_MAX`` lines for the words
that were typed, so that no query takes longer than another.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from textual.app import ComposeResult

from twin.tui import format as fmt
from twin.tui.screens.menu import SHOWN_MAX, Choice, FaultMenu, Menu, MenuFoot, SettingMenu, Step
from twin.tui.widgets.table import Table

if TYPE_CHECKING:
    from twin.tui.finding import Finding
    from twin.tui.ui import Ui

#: at most so many lines are looked through, so many of one kind
ENTRIES_MAX, KIND_MAX = 20_000, 8_000
#: at most so much of what was typed is looked for
QUERY_MAX, WORDS_MAX = 80, 8


@dataclass(frozen=True)
class Entry:
    """Something that can be found.

    Attributes:
        kind: action, rack, job, alarm, fault or setting.
        value: the action, the index, the alarm, the fault kind or the set-point.
        text: what is written and looked through; doc: what happens.
    """

    kind: str
    value: Any
    text: str
    doc: str
    ink: str = "fg"


def entries(ui: Ui) -> Iterator[Entry]:
    """Yield everything that can be found now, what works first, then alarms, places and jobs."""
    for action in ui.available():
        if action.name != "palette":
            yield Entry("action", action, f"{action.label}  {action.shown}", action.doc)
    for alarm in ui.frame.alarms:
        ink = "crit" if alarm.severity == "critical" else "warn"
        yield Entry("alarm", alarm, f"alarm {alarm.name} {alarm.place}".rstrip(), fmt.clean(alarm.text), ink)
    if not ui.read_only:
        for kind in ui.session.fault_kinds():
            yield Entry("fault", kind, f"fault {kind.name}", f"{kind.doc} Enter asks where.")
        for setting in ui.session.settings():
            yield Entry("setting", setting, f"set-point {setting.axis} {setting.name}",
                        f"{setting.doc} Enter asks where.")
    topology = ui.site.topology
    kinds = [entry.name for entry in topology.rack_entries]
    for i, name in islice(enumerate(ui.names("rack")), KIND_MAX):
        yield Entry("rack", i, f"rack {name}", f"{kinds[int(topology.rack_class[i])]}: open it.")
    for i, name in islice(enumerate(ui.names("job")), KIND_MAX):
        yield Entry("job", i, f"job {fmt.clean(name)}", "Go to it in the list of jobs.")


class FindStep(Step):
    """The list of the palette: every word that was typed must be in the line, those with it in front come first."""

    _found: tuple[str, list[Choice]] | None = None
    _lines: list[str] | None = None

    def found(self) -> list[Choice]:
        """Return the lines that hold every word."""
        query = self.typed.lower()[:QUERY_MAX]
        if self._found is None or self._found[0] != query or self._lines is None:
            self._found = (query, self._search(query.split()[:WORDS_MAX]))
        return self._found[1]

    def _search(self, words: list[str]) -> list[Choice]:
        if self._lines is None:
            self._lines = [f"{choice.text} {choice.doc}".lower() for choice in self.choices]
        ranked: list[list[Choice]] = [[], [], []]
        for choice, line in zip(self.choices, self._lines, strict=True):
            if all(word in line for word in words):
                name = line[:len(choice.text)]
                rank = 0 if words and words[0] in name.split() else 1 if all(word in name for word in words) else 2
                if len(ranked[rank]) < SHOWN_MAX:
                    ranked[rank].append(choice)
        return [*ranked[0], *ranked[1], *ranked[2]][:SHOWN_MAX]


class FindMenu(Menu):
    """Type, choose, go there."""

    def compose(self) -> ComposeResult:
        """Lay out the list and the keys."""
        yield FindStep(id="step")
        yield MenuFoot(classes="line")

    def question(self) -> None:
        """Ask what to find, then leave with it."""
        if self.answers:
            self.dismiss(self.answers[0].value)
            return
        found: Sequence[Choice] = [Choice(e.text, e.doc, e, e.ink) for e in islice(entries(self.ui), ENTRIES_MAX)]
        self.step.ask("find", found, ("action, rack, job, alarm, fault, set-point",))


async def go(app: Finding, entry: Entry) -> None:
    """Do what an entry stands for."""
    ui = app.ui
    if entry.kind == "action":
        await app.run_named(entry.value)
    elif entry.kind == "rack":
        ui.select_rack(entry.value)
        await app.go_in("rack")
    elif entry.kind == "job":
        await app.go_in("jobs")
        _point_at(app, entry.value)
    elif entry.kind == "alarm":
        await app.go_in("events")
        _point_at(app, next((a for a in ui.frame.alarms if (a.name, a.place) == (entry.value.name, entry.value.place)),
                            None))
    elif not ui.read_only:
        start = Choice(entry.value.name, entry.value.doc, entry.value)
        menu = (FaultMenu if entry.kind == "fault" else SettingMenu)(ui)
        menu.answers.append(start)
        app.open_menu(menu)


def _point_at(app: Finding, item: Any) -> None:
    """Put the cursor of the view's first table on a row."""
    app.ui.filters.pop(app.ui.view, None)
    table: Table | None = next(iter(app.main.view.tables), None)
    if table is not None:
        rows = list(table.rows(app.ui))
        if item in rows:
            app.main.view.activate(table)
            table.cursor = rows.index(item)
    app.feed()
