"""Menus: inject a fault or change a set-point. Each step says what it will do; the result is one Command."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from textual import events
from textual.app import ComposeResult
from textual.screen import ModalScreen

from twin.tui import format as fmt
from twin.tui.widgets.canvas import Canvas, Row, Span, crop, width_of
from twin.units import parse_duration_ns
from twin.wiring import Command

if TYPE_CHECKING:
    from twin.tui.ui import Ui

#: lengths of a fault that are offered; any other can be typed
DURATIONS = ("1m", "5m", "10m", "30m", "1h", "until cleared")
#: at most so many targets are listed; typing narrows them down
SHOWN_MAX = 200
#: longest text that can be typed into a menu
TYPED_MAX = 120


@dataclass(frozen=True)
class Choice:
    """One line of a menu: what is written, what it does, and what it stands for."""

    text: str
    doc: str
    value: Any
    ink: str = "fg"


class Step(Canvas):
    """A list of choices that typing narrows down; free text where there is no list.

    Attributes:
        title: what is asked.
        free: accept what is typed even when it is not in the list.
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.title, self.typed, self.cursor, self.first, self.free = "", "", 0, 0, False
        self.choices: Sequence[Choice] = ()
        self.crumbs: tuple[str, ...] = ()
        self.error = ""

    def ask(self, title: str, choices: Sequence[Choice], crumbs: tuple[str, ...], *, free: bool = False,
            start: int = 0) -> None:
        """Show a new question."""
        self.title, self.choices, self.crumbs, self.free = title, choices, crumbs, free
        self.typed, self.cursor, self.first, self.error = "", start, 0, ""
        self.repaint()

    def found(self) -> list[Choice]:
        """Return the choices that hold what was typed."""
        text = self.typed.lower()
        hits = [c for c in self.choices if text in c.text.lower()]
        if text:  # "cdu_pump_trip" is that fault, not the end of one that is active
            hits.sort(key=lambda c: not c.text.lower().startswith(text))
        return hits[:SHOWN_MAX]

    def chosen(self) -> Choice | None:
        """Return the choice under the cursor."""
        found = self.found()
        return found[min(self.cursor, len(found) - 1)] if found else None

    def paint(self, ui: Ui, width: int, height: int) -> Sequence[Row]:
        """Return the way so far, the question, the list, and what the chosen line does."""
        found = self.found()
        self.cursor = min(max(self.cursor, 0), max(0, len(found) - 1))
        crumbs: list[Span] = [(" ", "")]
        for crumb in self.crumbs:
            crumbs += [(crumb, "bold bright"), (f" {ui.palette.glyph('gt')} ", "dim")]
        typed: Row = ((f" {self.title}: ", "accent"), (self.typed, "bold bright"), ("▌", "accent"),
                      ("" if self.typed or self.free else "  type to narrow down", "dim"))
        rows: list[Row] = [tuple(crumbs), typed, ()]
        room, differ = max(1, height - len(rows) - 4), len({choice.doc for choice in found}) > 1
        self.first = min(max(self.first, self.cursor - room + 1), self.cursor)
        for k, choice in enumerate(found[self.first:self.first + room], self.first):
            here = k == self.cursor
            mark = ui.palette.glyph("select") if here else " "
            body = f" {mark} {choice.text}"
            note = choice.doc if differ and width > 100 else ""
            text = body.ljust(min(44, width // 2)) if note else body.ljust(width)
            row = crop(((text, f"bold {choice.ink} on sel" if here else choice.ink),
                        (note, "dim on sel" if here else "dim")), width)
            rows.append((*row, (" " * (width - width_of(row)), "on sel")) if here else row)
        if not found:
            free = self.free and self.typed
            rows.append((("   " + ("enter takes what you typed" if free else "" if self.free else
                                  "nothing by that name"), "dim"),))
        rows += [()] * (height - 3 - len(rows))
        pick = self.chosen()
        doc = self.error or (pick.doc if pick else "")
        for part in wrap(doc, width - 4)[:2]:
            rows.append((("  " + part, "warn" if self.error else "fg"),))
        return rows


def wrap(text: str, width: int) -> list[str]:
    """Break a text between words into lines of a width."""
    lines, now = [], ""
    for word in text.split():
        if now and len(now) + 1 + len(word) > width:
            lines.append(now)
            now = word
        else:
            now = f"{now} {word}".strip()
    return [*lines, now] if now else lines


class MenuFoot(Canvas):
    """The keys of a menu."""

    def paint(self, ui: Ui, width: int, height: int) -> Sequence[Row]:
        """Return the line."""
        return [((" ↑ ↓", "accent"), (" choose  ", "dim"), ("enter", "accent"), (" take  ", "dim"),
                 ("type", "accent"), (" narrow down  ", "dim"), ("esc", "accent"), (" back", "dim"))]


class Menu(ModalScreen[Any]):
    """Base of the menus: asks one question after the other. Opaque, so nothing moves behind it."""

    def __init__(self, ui: Ui) -> None:
        super().__init__()
        self.ui = ui
        self.answers: list[Choice] = []

    def compose(self) -> ComposeResult:
        """Lay out the question and the keys."""
        yield Step(id="step")
        yield MenuFoot(classes="line")

    def on_mount(self) -> None:
        """Ask the first question."""
        self.step = self.query_one(Step)
        self.query_one(MenuFoot).feed(self.ui)
        self.step.ui = self.ui
        self.question()

    def question(self) -> None:
        """Ask what follows from the answers so far, or finish."""
        raise NotImplementedError

    def on_key(self, event: events.Key) -> None:
        """Move, type, take, go back."""
        step = self.step
        event.stop()
        event.prevent_default()
        moves = {"up": -1, "down": 1, "pageup": -10, "pagedown": 10, "home": -10_000, "end": 10_000}
        if event.key in moves:
            step.cursor += moves[event.key]
        elif event.key == "enter":
            self.take()
            return
        elif event.key == "escape":
            self.back()
            return
        elif event.key == "backspace":
            step.typed = step.typed[:-1]
        elif event.key == "ctrl+c":
            self.dismiss(None)
            return
        elif event.character and event.character.isprintable() and len(step.typed) < TYPED_MAX:
            step.typed += event.character
            step.cursor, step.error = 0, ""
        step.repaint()

    def take(self) -> None:
        """Take the choice under the cursor, or what was typed."""
        choice = self.step.chosen()
        if choice is None and self.step.free and self.step.typed:
            choice = Choice(self.step.typed, "", self.step.typed)
        if choice is not None:
            self.answers.append(choice)
            self.question()

    def back(self) -> None:
        """Take back the last answer, or leave."""
        if self.answers:
            self.answers.pop()
            self.question()
        else:
            self.dismiss(None)

    def refuse(self, error: str) -> None:
        """Take back the last answer and say why."""
        self.answers.pop()
        self.question()
        self.step.error = error
        self.step.repaint()

    def on_click(self, event: events.Click) -> None:
        """Take the line that was hit."""
        if event.widget is self.step:
            line = event.y - 3 + self.step.first
            if event.y >= 3 and 0 <= line < len(self.step.found()):
                self.step.cursor = line
                self.take()


class FaultMenu(Menu):
    """Fault, place, value where it has one, how long."""

    def question(self) -> None:
        """Ask the next question."""
        ui, answers = self.ui, self.answers
        crumbs = ("fault", *(a.text for a in answers))
        if not answers:
            ends = [Choice(f"end {f.name} {f.place}".strip(), "End this fault now.", f, "warn")
                    for f in ui.frame.faults]
            kinds = [Choice(k.name, k.doc, k) for k in ui.session.fault_kinds()]
            self.step.ask("which fault", [*ends, *kinds], crumbs)
            return
        kind = answers[0].value
        if hasattr(kind, "since_ns"):
            self.dismiss(Command("clear", ui.frame.now_ns, kind.name, kind.place))
            return
        rest = ["place", *(["value"] if kind.value_doc else []), "time"]
        if len(answers) <= len(rest):
            getattr(self, f"_ask_{rest[len(answers) - 1]}")(kind, crumbs)
            return
        self._finish(kind, dict(zip(rest, answers[1:], strict=True)))

    def _ask_place(self, kind: Any, crumbs: tuple[str, ...]) -> None:
        axis = kind.axis
        names = self.ui.names(axis)
        doc = kind.doc
        if not names:
            self.answers.append(Choice("the factory", doc, ""))
            self.question()
            return
        if kind.moot is not None:
            site = self.ui.site
            names = [name for i, name in enumerate(names) if not kind.moot(site, i)]
        near = self.ui.element_name("rack", self.ui.rack)
        start = next((i for i in range(min(len(names), 5000)) if _near(names[i], near)), 0)
        window = range(len(names)) if len(names) <= 5000 else range(start, min(len(names), start + 5000))
        choices = [Choice(names[i], doc, names[i]) for i in window]
        self.step.ask(f"which {axis}", choices, crumbs, free=len(names) > 5000,
                      start=min(start, SHOWN_MAX - 1) if len(names) <= 5000 else 0)

    def _ask_value(self, kind: Any, crumbs: tuple[str, ...]) -> None:
        lo, hi = kind.value_range
        default = kind.value_default
        doc = f"{kind.value_doc} ({lo:g} to {hi:g})"
        steps = sorted({default, *(lo + (hi - lo) * f for f in (0.0, 0.25, 0.5, 0.75, 1.0))})
        order = [default, *(s for s in steps if s != default)]
        self.step.ask("how bad", [Choice(f"{v:g}", doc, v) for v in order], crumbs, free=True)

    def _ask_time(self, kind: Any, crumbs: tuple[str, ...]) -> None:
        doc = kind.doc
        self.step.ask("how long", [Choice(d, f"{doc} Enter injects it now.", d) for d in DURATIONS], crumbs, free=True,
                      start=1)

    def _finish(self, kind: Any, got: dict[str, Choice]) -> None:
        value, length = None, 0
        try:
            if "value" in got:
                value = float(got["value"].value)
            if got["time"].value != DURATIONS[-1]:
                length = parse_duration_ns(str(got["time"].value))
        except ValueError:
            self.refuse(f"'{got['value'].value}' is not a number")
            return
        except Exception as error:
            self.refuse(str(error))
            return
        name = kind.name
        self.dismiss(Command("fault", self.ui.frame.now_ns, name, str(got["place"].value), value, length))


def _near(name: str, rack: str) -> bool:
    return name.startswith((rack, rack.partition(".")[0]))


class SettingMenu(Menu):
    """Set-point, place, new value."""

    def question(self) -> None:
        """Ask the next question."""
        ui, answers = self.ui, self.answers
        crumbs = ("set-point", *(a.text for a in answers))
        if not answers:
            docs = {s: f"{s.doc} {s.lo:g} to {s.hi:g} {fmt.unit(s.unit)}" for s in ui.session.settings()}
            self.step.ask("which set-point", [Choice(f"{s.axis} {s.name}", doc, s) for s, doc in docs.items()], crumbs)
            return
        setting = answers[0].value
        unit = fmt.unit(setting.unit)
        if len(answers) == 1:
            names = ui.names(setting.axis)
            now = [self._now(setting, i) for i in range(min(len(names), 5000))]
            self.step.ask("where", [Choice(names[i], f"now {text} {unit}" if text else "", names[i])
                                    for i, text in enumerate(now)], crumbs)
        elif len(answers) == 2:
            lo, hi = setting.lo, setting.hi
            where = answers[1]
            self.step.ask(f"new value, {lo:g} to {hi:g} {unit}", [], (*crumbs, where.doc), free=True)
        else:
            self._finish(setting)

    def _now(self, setting: Any, i: int) -> str:
        for name in self.ui.frame.columns:
            if name.rpartition(".")[2] == setting.column:
                value = self.ui.value(name, i)
                return "" if value is None else fmt.ratio(value, 2 if setting.unit == "frac" else 1)
        return ""

    def _finish(self, setting: Any) -> None:
        text = str(self.answers[2].value)
        try:
            value = float(text)
        except ValueError:
            self.refuse(f"'{text}' is not a number")
            return
        lo, hi = setting.lo, setting.hi
        if not lo <= value <= hi:
            self.refuse(f"{value:g} is outside {lo:g} to {hi:g}")
            return
        path = f"{self.answers[1].value}.{setting.name}"
        self.dismiss(Command("set", self.ui.frame.now_ns, "", path, value))
