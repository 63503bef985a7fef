"""The views: which panels stand where, how they move, and the line that explains what is selected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Container, Horizontal, Vertical

from twin.tui.metrics import METRICS, metric_of
from twin.tui.panels import history
from twin.tui.panels.airside import CrahTable, HallAirTable
from twin.tui.panels.bars import Rule
from twin.tui.panels.cooling import CduTable, LoopTable, SkyTable
from twin.tui.panels.events import AlarmPage, AlarmTable, EventBrief, EventTable, FaultTable, explain_alarm
from twin.tui.panels.floor import FloorHead, HotSpots, explain_floor
from twin.tui.panels.hall import FloorMap
from twin.tui.panels.history import Figures, Plots
from twin.tui.panels.hydraulics import RowTable, TankTable
from twin.tui.panels.jobpage import JobPage
from twin.tui.panels.jobs import JobBrief, JobTable, explain_job
from twin.tui.panels.loops import HeatPath, lines_of
from twin.tui.panels.machines import estimates, explain_machine
from twin.tui.panels.network import LinkTable, NetworkHead, NetworkMatrix, RailTable, SlowdownTable, explain_network
from twin.tui.panels.power import Backup, OneLine, Waterfall, explain_power
from twin.tui.panels.rack import GpuPanel, RackMap, RackPanel
from twin.tui.widgets.canvas import Canvas, Row
from twin.tui.widgets.heatmap import HeatMap
from twin.tui.widgets.table import Table

if TYPE_CHECKING:
    from twin.tui.ui import Ui


class View(Container):
    """A view of the factory between the frame's top and bottom.

    Attributes:
        panels, tables: what it shows; the tables are those that the cursor goes through.
        grown: the panel that has all of the view now, None when each has its place.
        turns: the panels that have it one after the other.
    """

    def on_mount(self) -> None:
        """Find the panels once; the view is fed by the screen."""
        self.panels: list[Canvas | HeatMap] = [*self.query(Canvas), *self.query(HeatMap)]
        self.tables: list[Table] = [t for t in self.query(Table) if t.has_class("focusable")]
        self.grown: Canvas | HeatMap | None = None
        self.turns: list[Canvas | HeatMap] = []
        if self.tables:
            self.tables[0].active = True

    def feed(self, ui: Ui, count: int = -1) -> None:
        """Give the newest frame to the panels: to all of them, or to those whose turn it is in frame ``count``."""
        for i, panel in enumerate(self.panels):
            if count < 0 or panel.every == 1 or (count + i) % panel.every == 0:
                panel.feed(ui)

    def table(self) -> Table | None:
        """Return the table that has the cursor."""
        return next((t for t in self.tables if t.active), None)

    def activate(self, table: Table) -> None:
        """Give the cursor to a table."""
        for other in self.tables:
            other.active = other is table
            other.repaint()

    def next_pane(self) -> None:
        """Give the cursor to the next table."""
        now = self.table()
        if now is not None:
            self.activate(self.tables[(self.tables.index(now) + 1) % len(self.tables)])
            if self.grown is not None:
                self.grow(self.table())

    def expand_next(self) -> bool:
        """Give the view to one panel: the table with the cursor, or each in turn where there is none, then to all.

        Returns:
            whether one panel has it now.
        """
        table = self.table()
        if table is not None:
            self.grow(table if self.grown is None else None)
            return self.grown is not None
        if self.grown is None:
            shown = [panel for panel in self.panels if panel.region.height > 1]
            self.turns = sorted(shown, key=lambda panel: -panel.region.area)  # what the view is about comes first
        at = -1 if self.grown is None else self.turns.index(self.grown)
        self.grow(self.turns[at + 1] if at + 1 < len(self.turns) else None)
        return self.grown is not None

    def grow(self, panel: Canvas | HeatMap | None) -> None:
        """Let one panel have all of the view; None gives every panel its place again."""
        self.grown = panel
        way = [] if panel is None else [node for node in panel.ancestors_with_self if self in node.ancestors]
        for node in self.query("*"):
            on_way = node in way
            node.set_class(on_way, "grown")
            node.set_class(node is panel and not isinstance(node, Table), "leaf")
            node.set_class(panel is not None and not on_way and (node.parent is self or node.parent in way), "away")

    def move(self, ui: Ui, dx: int, dy: int) -> None:
        """Move what is selected."""
        table = self.table()
        if table is not None and dy:
            table.move(dy)

    def enter(self, ui: Ui) -> str:
        """Act on Enter; return the name of a view to go to, or nothing."""
        return ""

    def explain(self, ui: Ui) -> Row:
        """Return the line that explains what is selected."""
        return ()


def move_rack(ui: Ui, dx: int, dy: int) -> None:
    """Move the selected rack along its row or to the next row of its hall."""
    hall = ui.halls[ui.hall]
    rows = [row for row in hall.rows if row.racks]
    if not rows:
        return
    at = next(((r, row.racks.index(ui.rack)) for r, row in enumerate(rows) if ui.rack in row.racks), (0, 0))
    if abs(dy) >= 1_000_000:
        ui.select_rack(rows[0].racks[0] if dy < 0 else rows[-1].racks[-1])
        return
    r = min(max(at[0] + dy, 0), len(rows) - 1)
    place = at[1]
    if r != at[0]:
        place = round(place * (len(rows[r].racks) - 1) / max(1, len(rows[at[0]].racks) - 1))
    place = min(max(place + dx, 0), len(rows[r].racks) - 1)
    ui.select_rack(rows[r].racks[place])


class FloorLike(View):
    """A view with the floor in it: the arrows move the selected rack."""

    def move(self, ui: Ui, dx: int, dy: int) -> None:
        """Move the selected rack."""
        move_rack(ui, dx, dy)
        self.feed(ui)

    def enter(self, ui: Ui) -> str:
        """Open the selected rack."""
        return "rack"

    def explain(self, ui: Ui) -> Row:
        """Say what the metric is, its limit and where it is highest."""
        return explain_floor(ui)


class Overview(FloorLike):
    """Five numbers, the floor small, jobs, what happened."""

    def compose(self) -> ComposeResult:
        """Lay out the panels."""
        yield Figures(id="figures")
        yield Rule()
        with Horizontal(id="overview-body"):
            with Vertical(id="overview-floor"):
                yield FloorHead(classes="line")
                yield FloorMap(id="overview-map")
            with Vertical(id="overview-side"):
                yield RackPanel(id="overview-rack")
                yield JobBrief(id="overview-jobs")
                yield Plots(history.IT, history.PUE, id="overview-plots")
                yield EventBrief(id="overview-events")


class Floor(FloorLike):
    """The hall as it stands, hot spots and the selected rack."""

    def compose(self) -> ComposeResult:
        """Lay out the panels."""
        with Horizontal():
            with Vertical(id="floor-main"):
                yield FloorHead(classes="line")
                yield FloorMap(id="floor-map")
            with Vertical(id="floor-side"):
                yield HotSpots(id="hot-spots")
                yield RackPanel(id="floor-rack")


class Rack(View):
    """One rack opened: trays down, GPUs across."""

    def compose(self) -> ComposeResult:
        """Lay out the panels."""
        self.map = RackMap(id="rack-map")
        with Horizontal():
            with Vertical(id="rack-main"):
                yield FloorHead(classes="line")
                yield self.map
            with Vertical(id="rack-side"):
                yield RackPanel(id="rack-panel")
                yield GpuPanel(self.map, id="gpu-panel")

    def move(self, ui: Ui, dx: int, dy: int) -> None:
        """Move the selected GPU."""
        self.map.move(ui, dx, dy)
        self.feed(ui)

    def explain(self, ui: Ui) -> Row:
        """Say what is drawn."""
        metric = metric_of(ui)
        title = metric.title if metric.axis == "gpu" else "GPU temperature"
        return ((f"{ui.element_name('rack', ui.rack)}: {title} of every GPU, a tray a line", "fg"),
                (estimates(ui.site.topology.rack_entries[int(ui.site.topology.rack_class[ui.rack])]), "dim"),
                (f"; {ui.palette.glyph('alarm')} slowed by heat, cap: by its power cap", "dim"))


class Power(View):
    """The chain as a one-line diagram, where each watt goes, and histories."""

    def compose(self) -> ComposeResult:
        """Lay out the panels."""
        self.diagram = OneLine(id="one-line")
        with Container(id="power-body"):
            yield self.diagram
            with Container(id="power-side"):
                with Vertical(id="power-bars"):
                    yield Waterfall(id="waterfall")
                    yield Backup(id="backup")
                yield Plots(history.SOURCE, history.PUE, history.IT, history.COOLING, history.LOSS, id="power-plots")

    def move(self, ui: Ui, dx: int, dy: int) -> None:
        """Scroll the diagram."""
        self.diagram.move(dy)

    def explain(self, ui: Ui) -> Row:
        """Say how the energy use stands."""
        return explain_power(ui)


class Cooling(View):
    """The way of the heat, loops with what they hold, tanks, air machines, the air of the halls, heat rejection."""

    def compose(self) -> ComposeResult:
        """Lay out the panels."""
        self.path = HeatPath(id="heat-path")
        yield self.path
        yield Rule()
        with Container(id="cooling-body"):
            with Vertical(id="cooling-left"):
                yield CduTable(id="cdus", classes="focusable")
                yield RowTable(id="row-loops", classes="focusable")
                yield TankTable(id="tanks", classes="focusable")
                yield CrahTable(id="crahs", classes="focusable")
            with Vertical(id="cooling-right"):
                yield LoopTable(id="loops", classes="focusable")
                yield SkyTable(id="sky", classes="focusable")
                yield HallAirTable(id="hall-air", classes="focusable")
                yield Plots(history.COOLANT, history.INLET, history.OUTDOOR, history.WET_BULB, id="cooling-plots")

    def on_mount(self) -> None:
        """Leave out tables of what the site does not have; the lists of machines share the space they have."""
        super().on_mount()
        self.sized = False

    def feed(self, ui: Ui, count: int = -1) -> None:
        """Give the newest frame to the panels; with the first one, see what the site has."""
        if not self.sized:
            self.sized = True
            self.path.styles.height = lines_of(ui)
            for table in self.tables:
                table.set_class(not table.items(ui), "absent")
            self.tables = [table for table in self.tables if not table.has_class("absent")]
            if self.tables:
                self.activate(self.tables[0])
        super().feed(ui, count)

    def on_resize(self) -> None:
        """See again which tables are hidden."""
        self._name_hidden()

    def _name_hidden(self) -> None:
        """Where only one table of a side is seen, its heading names those that ``tab`` brings to the front."""
        low = self.app.size.height < LOW
        for table in self.tables:
            others = [t.heading for t in self.tables if t.parent is table.parent and t is not table]
            table.beside = "tab: " + ", ".join(others) if low and others else ""

    def activate(self, table: Table) -> None:
        """Give the cursor to a table; where they share one place it is the one in front."""
        super().activate(table)
        self._name_hidden()
        for other in self.tables:
            if other.parent is table.parent:
                other.set_class(other is table, "front")
        for side in self.query("#cooling-left, #cooling-right"):
            mine = [t for t in self.tables if t.parent is side]
            if mine and not any(t.has_class("front") for t in mine):
                mine[0].add_class("front")

    def enter(self, ui: Ui) -> str:
        """Go to the rack, row or hall of what is selected."""
        table = self.table()
        item = table.selected(ui) if table is not None else None
        if not isinstance(item, int):
            return ""
        axis = next((axis for kind, axis in MACHINES if isinstance(table, kind)), "")
        name = ui.element_name(axis, item)
        return "floor" if axis and go_to(ui, name if axis == "hall" else name.rpartition(".")[0]) else ""

    def explain(self, ui: Ui) -> Row:
        """Say what the selected machine does."""
        table = self.table()
        item = table.selected(ui) if table is not None else None
        if table is None or item is None:
            return ()
        return explain_machine(ui, table, item)


#: lines below which the tables of a side share one place (``-low`` in the style sheet)
LOW = 34
#: tables of machines that stand in the halls, with their axis
MACHINES: tuple[tuple[type[Table], str], ...] = (
    (CduTable, "cdu"), (CrahTable, "crah"), (RowTable, "tcs"), (TankTable, "tank"), (HallAirTable, "hall"))


class Network(View):
    """Leaves by spines, busiest links, slowdown of the jobs."""

    def compose(self) -> ComposeResult:
        """Lay out the panels."""
        with Container(id="network-body"):
            with Vertical(id="network-main"):
                yield NetworkHead(classes="line")
                yield NetworkMatrix(id="matrix")
            with Vertical(id="network-side"):
                self.rails = RailTable(id="rails")
                yield self.rails
                yield LinkTable(id="links", classes="focusable")
                yield SlowdownTable(id="slowdown", classes="focusable")
                yield Plots(history.TRAFFIC, history.CONGESTION, id="network-plots")

    def feed(self, ui: Ui, count: int = -1) -> None:
        """Give the newest frame to the panels; the table of the rails is as tall as it needs."""
        lines = min(11, 2 + max(1, len(self.rails.items(ui)))) if count < 0 else None
        if lines is not None and self.rails.styles.height != lines:
            self.rails.styles.max_height = lines
        super().feed(ui, count)

    def explain(self, ui: Ui) -> Row:
        """Say how busy the network is."""
        return explain_network(ui)


class Jobs(View):
    """The job table, the page of the selected job, histories."""

    def compose(self) -> ComposeResult:
        """Lay out the panels."""
        table = JobTable(id="jobs", classes="focusable")
        self.page = JobPage(table, id="job-page")
        yield table
        with Horizontal(id="job-lower"):
            yield self.page
            yield Plots(history.TOKENS, history.RUNNING, id="job-plots")

    def move(self, ui: Ui, dx: int, dy: int) -> None:
        """Select another job and show its page."""
        super().move(ui, dx, dy)
        self.page.feed(ui)

    def enter(self, ui: Ui) -> str:
        """Go to the floor, coloured by job, at the first rack of the selected job."""
        item = self.tables[0].selected(ui)
        gpu_job = ui.column("workload.gpu_job")
        if item is None or gpu_job is None or not (gpu_job == item).any():
            ui.message = "this job holds no GPU now"
            return ""
        ui.metric = next(i for i, m in enumerate(METRICS) if m.name == "job")
        ui.select_rack(int(ui.site.topology.gpu_rack[int((gpu_job == item).argmax())]))
        return "floor"

    def explain(self, ui: Ui) -> Row:
        """Say how the selected job stands."""
        item = self.tables[0].selected(ui)
        return () if item is None else explain_job(ui, int(item))


class Events(View):
    """Alarms, faults and the log."""

    def compose(self) -> ComposeResult:
        """Lay out the panels."""
        with Container(id="events-body"):
            table = AlarmTable(id="alarms", classes="focusable")
            self.page = AlarmPage(table, id="alarm-page")
            yield table
            yield self.page
            yield FaultTable(id="faults", classes="focusable")
            yield EventTable(id="log", classes="focusable")

    def move(self, ui: Ui, dx: int, dy: int) -> None:
        """Move the cursor and show the selected alarm."""
        super().move(ui, dx, dy)
        self.page.feed(ui)

    def enter(self, ui: Ui) -> str:
        """Go to the place of the selected row."""
        table = self.table()
        item = table.selected(ui) if table is not None else None
        place = getattr(item, "place", "")
        if place and go_to(ui, place):
            return "floor"
        ui.message = f"{place or 'this'} is not a place on the floor"
        return ""

    def explain(self, ui: Ui) -> Row:
        """Say what the selected alarm means and what one can do."""
        table = self.table()
        item = table.selected(ui) if table is not None else None
        if isinstance(table, AlarmTable) and item is not None:
            return explain_alarm(item)
        if isinstance(table, FaultTable) and item is not None:
            kinds = ui.session.fault_kinds()
            found = next((k for k in kinds if k.name == item.name), None)
            return ((getattr(item, "name", ""), "bold fg"), ("  " + (found.doc if found else ""), "dim"))
        text = getattr(item, "text", "")
        return ((text, "fg"),) if text else ()


def go_to(ui: Ui, place: str) -> bool:
    """Select the rack that a place names, or the first one of its row or hall."""
    head = place
    while head:
        for axis in ("rack", "row", "hall"):
            names = ui.names(axis)
            if head in names:
                index = list(names).index(head)
                topology = ui.site.topology
                of = {"rack": None, "row": topology.rack_row, "hall": topology.rack_hall}[axis]
                ui.select_rack(index if of is None else int((of == index).argmax()))
                return True
        head = head.rpartition(".")[0]
    return False


#: view name -> widget; "rack" is opened from the floor and has no tab
VIEWS: dict[str, type[View]] = {"overview": Overview, "floor": Floor, "power": Power, "cooling": Cooling,
                                "network": Network, "jobs": Jobs, "events": Events, "rack": Rack}
