"""The Compare view: two branches side by side. It works only while it is looked at."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Container, Horizontal, Vertical

from twin.errors import TwinError
from twin.tui.metrics import metric_of
from twin.tui.panels.compare import Alone, Deltas, DifferenceTable, Pair, SideHead, SideMap, notable
from twin.tui.screens.views import View, go_to, move_rack
from twin.tui.ui import Ui
from twin.tui.widgets.canvas import Row

if TYPE_CHECKING:
    from twin.runtime.session import Session

#: how often the view looks whether there is something to compare again, s
LOOK_S = 0.5


class Compare(View):
    """The same floor twice, key figures, and a table of what differs most."""

    def compose(self) -> ComposeResult:
        """Lay out both sides, the figures and the table."""
        self.pair = Pair()
        self.sources: Ui | None = None
        self._compared: tuple[object, ...] = ()
        self._partner = ""
        self._busy = False
        yield Alone(id="compare-alone")
        with Container(id="compare-body"):
            with Horizontal(id="compare-maps"):
                for side in (0, 1):
                    with Vertical(id=f"compare-{side}"):
                        yield SideHead(self.pair, side)
                        yield SideMap(self.pair, side, id=f"compare-map-{side}")
            with Container(id="compare-foot"):
                yield Deltas(self.pair, id="compare-figures")
                yield DifferenceTable(self.pair, id="compare-table", classes="focusable")

    def on_mount(self) -> None:
        """Look for changes of either side from now on."""
        super().on_mount()
        self.set_interval(LOOK_S, self._look)

    def feed(self, ui: Ui, count: int = -1) -> None:
        """Draw both sides; each map gets its own frame."""
        self.sources = ui
        self._sync(ui)
        self.set_class(self.pair.sides is None, "-alone")
        for i, panel in enumerate(self.panels):
            if count < 0 or panel.every == 1 or (count + i) % panel.every == 0:
                own = self.pair.sides[panel.side] if isinstance(panel, SideMap) and self.pair.sides else ui
                panel.feed(own)
        self._explain()

    def partners(self, ui: Ui) -> list[Session]:
        """Return the other branches."""
        return [] if ui.family is None else [s for s in ui.family if s is not ui.session]

    def _sync(self, ui: Ui) -> None:
        """Take both sides' newest frames: the partner first, the shown branch second."""
        others = self.partners(ui)
        if not others:
            self.pair.sides = self.pair.found = None
            self._compared = ()
            return
        parent = ui.session.origin.parent if ui.session.origin is not None else others[-1].name
        names = [s.name for s in others]
        wanted = self._partner if self._partner in names else parent if parent in names else names[0]
        sessions = (others[names.index(wanted)], ui.session)
        if self.pair.names != (wanted, ui.session.name):
            self.pair.names, self.pair.found, self._compared = (wanted, ui.session.name), None, ()
            self.pair.sides = None
        if self.pair.sides is None:
            self.pair.sides = (Ui(sessions[0], ui.palette, sessions[0].frame()),
                               Ui(sessions[1], ui.palette, sessions[1].frame()))
        for side, session in zip(self.pair.sides, sessions, strict=True):
            side.session, side.palette, side.view = session, ui.palette, ui.view
            side.frame = ui.frame if session is ui.session else session.frame()
            side.metric, side.colour_map, side.layer = ui.metric, ui.colour_map, ui.layer
            side.hall, side.rack, side.filters = ui.hall, ui.rack, ui.filters

    def _look(self) -> None:
        """Draw again when the other side has moved; the shown one is drawn with every frame."""
        ui = self.sources
        if ui is None or ui.view != "compare" or self.app.screen is not self.screen:
            return
        sides = self.pair.sides
        if sides is not None and sides[0].session.frame().version != sides[0].frame.version:
            self.feed(ui)
        self._explain()

    def _explain(self) -> None:
        """Work out the differences in words in a thread of its own, one at a time, when a side has changed."""
        ui, sides = self.sources, self.pair.sides
        if ui is None or sides is None or ui.family is None or self._busy:
            return
        key = (*self.pair.names, *(side.frame.version for side in sides))
        if key != self._compared:
            self._busy = True
            self.run_worker(self._compare(ui, key), exit_on_error=True)

    async def _compare(self, ui: Ui, key: tuple[object, ...]) -> None:
        names = self.pair.names
        try:
            if ui.family is not None:
                found = await asyncio.to_thread(ui.family.compare, *names)
                if names == self.pair.names:
                    self.pair.found = sorted(found, key=lambda one: -one.score)
                    self._compared = key
                    self.query_one(DifferenceTable).feed(ui)
        except TwinError:  # a branch was closed meanwhile
            self._compared = ()
        finally:
            await asyncio.sleep(LOOK_S / 2)  # a run at full speed is not slowed by comparing without a pause
            self._busy = False

    # ---- what keys do ----------------------------------------------------------------------------------

    def next_partner(self, ui: Ui) -> str:
        """Compare with the next branch; return what to say."""
        names = [s.name for s in self.partners(ui)]
        if len(names) < 2:
            return f"there is no other branch to compare with; {ui.key('fork')} forks one"
        now = names.index(self.pair.names[0]) if self.pair.names[0] in names else -1
        self._partner = names[(now + 1) % len(names)]
        return f"compared with '{self._partner}'"

    def toggle_difference(self, ui: Ui) -> str:
        """Colour the second floor by values or by differences; return what to say."""
        self.pair.as_difference = not self.pair.as_difference
        return "the second floor shows its difference to the first" if self.pair.as_difference else \
            "both floors show their own values"

    def move(self, ui: Ui, dx: int, dy: int) -> None:
        """Move the cursor of the table up and down, the selected rack left and right."""
        if dx:
            move_rack(ui, dx, 0)
        super().move(ui, 0, dy)

    def enter(self, ui: Ui) -> str:
        """Go to the place of the selected difference."""
        item = self.tables[0].selected(ui)
        place = item.place.split(" ")[-1] if item is not None else ""
        if place and go_to(ui, place):
            return "floor"
        ui.message = "this difference is of the whole site" if item is not None else "nothing is selected"
        return ""

    def explain(self, ui: Ui) -> Row:
        """Write the selected difference in full, or what the marks mean."""
        item = self.tables[0].selected(ui)
        if item is not None and self.tables[0].cursor:
            return ((item.text, "fg"),)
        metric, glyph = metric_of(ui), ui.palette.glyph
        if self.pair.sides is None or metric.axis == "cell":
            return ((f"{ui.key('fork')} forks a branch to compare with", "dim"),) if self.pair.sides is None else ()
        least = notable(metric, ui)
        unit = "K" if metric.unit == "°C" else metric.unit
        if metric.name == "job":
            return ((f"{glyph('swatch')} marks racks that hold another job", "fg"),)
        return ((f"{metric.title}: {glyph('higher')} {glyph('lower')} ", "fg"),
                (f"mark racks {least:g} {unit} or more above or below the other branch", "dim"),
                ("; d shows the difference", "dim"))
