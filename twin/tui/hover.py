"""What each panel is, whether it is good or bad, what one can do: for the mouse that rests on it, and for the help."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual import events
from textual.widget import Widget

from twin.tui import format as fmt
from twin.tui.base import ScreenApp
from twin.tui.metrics import metric_of, rack_values
from twin.tui.panels.bars import KeyBar, TabBar, key_row
from twin.tui.panels.hall import FloorMap
from twin.tui.panels.rack import RackMap
from twin.tui.widgets.canvas import Canvas, Row
from twin.tui.widgets.heatmap import HeatMap

if TYPE_CHECKING:
    from twin.tui.actions import Action
    from twin.tui.ui import Ui

#: panel -> what it is; what is good or bad; what one can do
ABOUT: dict[str, str] = {
    "TitleBar": "Run, date and pace. Asked and reached pace differ when the machine is too slow; + and - change it.",
    "TabBar": "The views, and what is wrong at the right; 7 lists it.",
    "TimeLine": "The run from start to end; triangles are alarms, discs faults, rings what is planned.",
    "Figures": "The five figures that matter, each with its verdict and its course; z changes the time span.",
    "FloorHead": "What the floor shows and its scale; m shows another metric, c another colour map.",
    "HotSpots": "The racks with the highest values, a triangle near or above the limit; x selects the first.",
    "RackPanel": "The selected rack: power against rating, hottest GPU against its limit; enter opens it.",
    "GpuPanel": "The selected GPU: temperature, power, clock and why it is slow; arrows select another.",
    "JobBrief": "Jobs, running first; a speed below 90 % is marked; 6 lists all of them.",
    "EventBrief": "Alarms that stand, worst first, then what happened last; 7 shows all of it.",
    "OneLine": "From the utility to the racks: load against rating; red is above it or without power; arrows scroll.",
    "Waterfall": "Where each watt goes, loss by loss: the shorter the losses, the better the PUE.",
    "Backup": "UPS, batteries and generators: minutes count when the utility is gone; f takes it away.",
    "Plots": "Courses over time, lowest to highest within each column; z changes the time span.",
    "HeatPath": "The way of the heat from chip to sky, supply and return at each station; small steps are good.",
    "CduTable": "Coolant to the rows: a supply above its set-point is too warm; s changes it, enter shows the row.",
    "CrahTable": "Coolers of the hall's air: a cross is a stopped fan; enter shows the hall.",
    "LoopTable": "Water between halls and sky: a supply above its set-point means that heat rejection is short.",
    "SkyTable": "Dry coolers, towers and chillers: near 100 % nothing is left for a hotter day.",
    "NetworkHead": "What the matrix shows, and the scale of the load.",
    "NetworkMatrix": "Load of every link, leaves by spines: a full one slows every job that crosses it.",
    "LinkTable": "The busiest links: a demand above 100 % does not fit; a broken link is marked.",
    "SlowdownTable": "What the network costs each job: 1.00 is nothing, 1.30 is 30 % longer communication.",
    "JobTable": "Every job: speed against nominal, tokens, wait, failures; enter shows where it runs.",
    "AlarmTable": "Alarms that stand, worst first; a acknowledges, enter goes there.",
    "FaultTable": "Faults that are active and when they end; f ends one or injects another.",
    "EventTable": "Everything that happened, newest at the bottom; / filters it, enter goes there.",
}


def about(panel: Any) -> str:
    """Return what a panel is, from the table or from the first line of its class."""
    for kind in type(panel).__mro__:
        if kind in (Canvas, HeatMap):
            break
        if kind.__name__ in ABOUT:
            return ABOUT[kind.__name__]
    return (type(panel).__doc__ or "").strip().splitlines()[0] if isinstance(panel, Canvas | HeatMap) else ""


def hint(ui: Ui, widget: Widget | None, x: int, y: int) -> Row:
    """Return what is said about the cell under the mouse."""
    if isinstance(widget, FloorMap):
        return _rack_hint(ui, widget.rack_at(ui, x, y))
    if isinstance(widget, RackMap):
        gpu = widget.gpu_at(ui, x, y)
        if gpu is not None:
            index = int(ui.site.topology.rack_gpu_ptr[ui.rack]) + gpu
            return ((ui.element_name("gpu", index), "bold fg"),
                    (f"  {fmt.temp(ui.value('chip.gpu_temp_c', index))}; click selects it", "dim"))
    if isinstance(widget, TabBar):
        view, at = "", 0
        for key, name, title in ui.tabs():
            at += len(key) + len(title) + 3
            if x < at:
                view = name
                break
        found = next((a for a in ui.registry if a.name == f"view_{view}"), None)
        if found is not None:
            return ((found.label, "bold fg"), (f"  {found.doc}", "dim"))
    if isinstance(widget, KeyBar):
        action = action_at(ui, widget, x)
        return () if action is None else ((action.shown, "bold fg"), (f"  {action.doc}", "dim"))
    text = about(widget)
    return ((text, "dim"),) if text else ()


def _rack_hint(ui: Ui, rack: int | None) -> Row:
    if rack is None:
        return (("a rack of the hall is a cell; enter or a double click opens it", "dim"),)
    metric = metric_of(ui)
    values = rack_values(ui, metric)
    value = None if values is None else float(values[rack])
    said = f"  {metric.title} {metric.text(value)}" if metric.name != "job" else ""
    kind = ui.site.topology.rack_entries[int(ui.site.topology.rack_class[rack])].name
    return ((ui.element_name("rack", rack), "bold fg"), (f"  {kind}", "dim"), (said, "fg"),
            ("; click selects, double click opens", "dim"))


def action_at(ui: Ui, bar: KeyBar, x: int) -> Action | None:
    """Return the action whose key stands at a column of the key bar."""
    row, at = key_row(ui, bar.size.width), 0
    for key, label in zip(row[0::2], row[1::2], strict=False):
        at += len(key[0]) + len(label[0])
        if x < at:
            shown = key[0].strip()
            shown = "+" if shown == "+/-" else shown
            return next((a for a in ui.available() if a.shown == shown), None)
    return None


class Hovering(ScreenApp):
    """Explains what the mouse rests on; clicks on the key bar and the wheel over the floor."""

    _over: Widget | None = None

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Explain the cell under the mouse."""
        if self.screen is self.main:
            self._over = event.widget
            self._hover(hint(self.ui, event.widget, event.x, event.y))

    def on_leave(self, event: events.Leave) -> None:
        """Explain what is selected again; it may come after the first move over the next panel."""
        if event.node is self._over:
            self._hover(())

    def _hover(self, row: Row) -> None:
        if row != self.ui.hover:
            self.ui.hover = row
            if self.main.is_mounted:
                self.main.explain_line.feed(self.ui)

    async def on_click(self, event: events.Click) -> None:
        """Run the action whose key was clicked."""
        if isinstance(event.widget, KeyBar) and self.screen is self.main:
            action = action_at(self.ui, event.widget, event.x)
            if action is not None:
                await self.run_action(action.action)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Go to the next row of racks."""
        self._wheel(event.widget, 1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Go to the row of racks before."""
        self._wheel(event.widget, -1)

    def _wheel(self, widget: Widget | None, step: int) -> None:
        if isinstance(widget, FloorMap | RackMap) and self.screen is self.main:
            self.main.view.move(self.ui, 0, step)
            self.feed()
