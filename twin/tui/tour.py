"""The tour of a newcomer: three steps above the time line, while everything goes on; every key works meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from textual import events

from twin.tui.base import ScreenApp
from twin.tui.widgets.canvas import Canvas, Row

if TYPE_CHECKING:
    from twin.tui.ui import Ui

#: (view, title, two lines) of each step
STEPS: tuple[tuple[str, str, str, str], ...] = (
    ("overview", "What you see",
     "Five figures: power, hottest chip, work, network, cost. Below them the floor:",
     "every cell is a rack, bright is hot. The line at the bottom explains it."),
    ("floor", "Going around",
     "1 to 8 change the view, arrows select, enter goes in, esc comes back.",
     "/ filters what you see, : finds any rack, job or alarm by its name."),
    ("events", "Doing something",
     "space pauses, + and - change the pace, f makes something fail (try crah_fan_trip),",
     "s changes a set-point. What follows is listed here. ? shows every key."),
)


class TourPanel(Canvas):
    """The step that is shown."""

    def paint(self, ui: Ui, width: int, height: int) -> Sequence[Row]:
        """Return rule, title with the keys, and two lines."""
        if not ui.tour:
            return []
        _, title, first, second = STEPS[ui.tour - 1]
        last = ui.tour == len(STEPS)
        keys: Row = (("   enter", "accent"), (" ends the tour" if last else " next", "dim"),
                     *(() if last else (("   esc", "accent"), (" skips the tour", "dim"))))
        return [((ui.palette.glyph("rule") * width, "rule"),),
                ((f" {ui.tour}/{len(STEPS)} {title}", "bold accent"), *keys),
                ((" " + first, "fg"),), ((" " + second, "fg"),)]


class Touring(ScreenApp):
    """Leads through the steps and remembers that they were seen."""

    seen: Path | None = None

    async def start_tour(self) -> None:
        """Show the first step."""
        await self._step(1)

    async def on_event(self, event: events.Event) -> None:
        """Enter goes on, Esc skips; every other key does what it always does."""
        if isinstance(event, events.Key) and self.ui.tour and not self.ui.typing and self.screen is self.main \
                and event.key in ("enter", "escape"):
            await self._step(0 if event.key == "escape" else (self.ui.tour + 1) % (len(STEPS) + 1))
            return
        await super().on_event(event)

    async def _step(self, number: int) -> None:
        ui = self.ui
        ui.tour = number
        self.main.set_class(bool(number), "-tour")
        if number:
            await self.main.show(STEPS[number - 1][0])
        else:
            self.remember()
            await self.main.show("overview")

    def remember(self) -> None:
        """Remember that the tour was seen; where that cannot be written it comes again."""
        if self.seen is not None:
            with suppress(OSError):
                self.seen.parent.mkdir(parents=True, exist_ok=True)
                self.seen.touch()
