"""The floor: heat map of a hall, its head with the colour scale, hot spots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.tui import format as fmt
from twin.tui.metrics import METRICS, Metric, map_of, metric_of, rack_limit_c, rack_values
from twin.tui.plan import Gather, Layout, gather, layout
from twin.tui.theme import LEVELS, NONE
from twin.tui.widgets.canvas import Canvas, Row, Span, crop, spread
from twin.tui.widgets.heatmap import Grid, HeatMap, quantise

if TYPE_CHECKING:
    from twin.tui.ui import Ui


class FloorMap(HeatMap):
    """Racks, aisles, CRAHs and CDUs of the selected hall."""

    def __init__(self, *, lines_max: int = 4, id: str | None = None) -> None:
        super().__init__(id=id)
        self.lines_max = lines_max

    def layout_now(self, ui: Ui) -> Layout:
        """Return where everything is drawn at the present size."""
        key = ("layout", ui.hall, self.content_size, self.lines_max)
        found: Layout | None = ui.cache.get(key)
        if found is None:
            width, height = self.content_size
            found = ui.cache[key] = layout(ui.halls[ui.hall], width, height, self.lines_max)
        return found

    def draw(self, ui: Ui, width: int, height: int) -> tuple[Grid, str] | None:
        """Return the hall in the colours of the metric."""
        lay = self.layout_now(ui)
        grid = Grid(width, max(height, lay.total))
        levels = rack_pixels(ui, lay)
        if levels is not None:
            y, x = _targets(ui, lay)
            grid.pixels[y, x] = levels
        _draw_aisles(grid, lay, ui)
        _draw_rows(grid, lay, ui)
        _draw_crahs(grid, lay, ui)
        _draw_marks(grid, lay, ui)
        return grid.window(lay.scroll_for(ui.rack), height), map_of(ui)

    def rack_at(self, ui: Ui, x: int, y: int) -> int | None:
        """Return the rack drawn at a cell."""
        lay = self.layout_now(ui)
        return lay.rack_at(x, y, lay.scroll_for(ui.rack))


def rack_pixels(ui: Ui, lay: Layout) -> Any:
    """Return levels, racks x pixel rows x pixel columns, of the metric; None when the frame does not hold it."""
    metric, racks = metric_of(ui), np.array(lay.plan.racks)
    shape = (len(racks), 2 * lay.cell_h, lay.cell_w)
    column = ui.column(metric.column)
    if column is None or not len(racks):
        return None
    if metric.axis == "rack":
        values = np.asarray(rack_values(ui, metric))[racks]
        levels = np.broadcast_to(quantise(values, metric.lo(ui.site), metric.hi(ui.site))[:, None, None], shape).copy()
    else:
        values = _gather(ui, lay).reduce(column, metric.how).reshape(shape)
        if metric.name == "job":
            levels = np.where(values < 0, 0, 1 + values % (LEVELS - 1)).astype(np.uint8)
        else:
            levels = quantise(values * metric.scale, metric.lo(ui.site), metric.hi(ui.site))
    energised = ui.column("power.rack_energised")
    if energised is not None:
        levels[np.asarray(energised)[racks] == 0] = NONE
    return levels


def _gather(ui: Ui, lay: Layout) -> Gather:
    key = ("gather", lay.plan.hall, lay.cell_w, lay.cell_h)
    found: Gather | None = ui.cache.get(key)
    if found is None:
        found = ui.cache[key] = gather(ui.site.topology, lay.plan.racks, lay.cell_w, 2 * lay.cell_h)
    return found


def _targets(ui: Ui, lay: Layout) -> tuple[Any, Any]:
    """Return pixel row and column of every pixel of every rack."""
    key = ("targets", lay.plan.hall, lay.width, lay.height, lay.cell_w, lay.cell_h)
    found: tuple[Any, Any] | None = ui.cache.get(key)
    if found is None:
        at = np.array([lay.places[rack] for rack in lay.plan.racks]).reshape(-1, 2)
        y = 2 * at[:, 1, None, None] + np.arange(2 * lay.cell_h)[None, :, None] + np.zeros((1, 1, lay.cell_w), int)
        x = at[:, 0, None, None] + np.arange(lay.cell_w)[None, None, :] + np.zeros((1, 2 * lay.cell_h, 1), int)
        found = ui.cache[key] = (y, np.minimum(x, lay.width - 1))
    return found


def _draw_aisles(grid: Grid, lay: Layout, ui: Ui) -> None:
    span = lay.per_line * lay.pitch - (1 if lay.pitch > lay.cell_w else 0)
    for y, cold in lay.aisle_y:
        sign = ui.palette.glyph("cold" if cold else "hot")
        grid.text(lay.left, y, sign * span, "faint")
        label = " cold aisle " if cold else " hot aisle "
        if span > 3 * len(label):
            grid.text(lay.left + (span - len(label)) // 2, y, label, "dim")


def _draw_rows(grid: Grid, lay: Layout, ui: Ui) -> None:
    right = lay.left + lay.per_line * lay.pitch + (0 if lay.pitch > lay.cell_w else 1)
    for row, y in zip(lay.plan.rows, lay.row_y, strict=True):
        middle = y + (lay.cell_h - 1) // 2
        here = bool(row.racks) and row.racks[0] <= ui.rack <= row.racks[-1]
        grid.text(1, middle, row.name, "bold accent" if here else "dim")
        for k, cdu in enumerate(row.cdus):
            sign, ink = cdu_sign(ui, cdu)
            grid.text(right + k, middle, ui.palette.glyph(sign), ink)
    if lay.crah_y >= 0 and any(row.cdus for row in lay.plan.rows):
        grid.text(right, lay.crah_y, "CDU", "dim")


def cdu_sign(ui: Ui, cdu: int) -> tuple[str, str]:
    """Return glyph and ink of a CDU: fault, standing by, or at work."""
    fault = ui.column("liquid.pump_fault")
    if fault is not None and any(fault[pump] for pump in pumps_of(ui, cdu) if pump < len(fault)):
        return "off", "bold crit"
    flow = ui.value("liquid.cdu_flow_kg_s", cdu)
    return ("standby", "dim") if flow is not None and flow < 1e-3 else ("unit", "ok")


def pumps_of(ui: Ui, cdu: int) -> tuple[int, ...]:
    """Return the pumps of a CDU, by their names."""
    table = ui.cache.get("pumps")
    if table is None:
        table = ui.cache["pumps"] = {}
        for i, name in enumerate(ui.names("pump")):
            table.setdefault(name.rpartition(".")[0], []).append(i)
    return tuple(table.get(ui.element_name("cdu", cdu), ()))


def _draw_crahs(grid: Grid, lay: Layout, ui: Ui) -> None:
    crahs = lay.plan.crahs
    if lay.crah_y < 0 or not crahs:
        return
    grid.text(1, lay.crah_y, "CRAH" if lay.left >= 6 else "", "dim")
    span = lay.per_line * lay.pitch
    fault = ui.column("air.crah_fault")
    supply = ui.column("air.crah_supply_temp_c")
    gap = max(2, span // len(crahs))
    for k, crah in enumerate(crahs):
        x = lay.left + k * gap
        bad = fault is not None and bool(fault[crah])
        name = ui.element_name("crah", crah).rpartition(".")[2].removeprefix("crah")
        grid.text(x, lay.crah_y, ui.palette.glyph("off" if bad else "unit"), "bold crit" if bad else "ok")
        if gap >= 4:
            grid.text(x + 1, lay.crah_y, name, "bold crit" if bad else "dim")
        if gap >= 9 and supply is not None:
            grid.text(x + 2 + len(name), lay.crah_y, f"{supply[crah]:.1f}", "bold crit" if bad else "dim")


def _draw_marks(grid: Grid, lay: Layout, ui: Ui) -> None:
    """Mark racks that are throttled, dead or have nothing to show, and the selected one."""
    throttled, energised = ui.column("chip.rack_throttled"), ui.column("power.rack_energised")
    metric = metric_of(ui)
    values = rack_values(ui, metric) if metric.liquid_only else None
    glyph = ui.palette.glyph
    for rack in lay.plan.racks:
        x, y = lay.places[rack]
        cx, cy = x + (lay.cell_w - 1) // 2, y + (lay.cell_h - 1) // 2
        if energised is not None and not energised[rack]:
            grid.text(cx, cy, glyph("off"), "bold crit")
        elif throttled is not None and throttled[rack]:
            grid.text(cx, cy, glyph("alarm"), "contrast")
        elif values is not None and not np.isfinite(values[rack]):
            grid.text(cx, cy, glyph("dot"), "faint")
    if ui.rack in lay.places:
        x, y = lay.places[ui.rack]
        for line in range(lay.cell_h):
            if lay.pitch > lay.cell_w:
                grid.text(x - 1, y + line, glyph("left"), "bold bright")
                grid.text(x + lay.cell_w, y + line, glyph("right"), "bold bright")
            else:
                grid.text(x, y + line, glyph("cursor") * lay.cell_w, "contrast")


class FloorHead(Canvas):
    """Hall, metric and colour scale with its unit and limit."""

    def paint(self, ui: Ui, width: int, height: int) -> Sequence[Row]:
        """Return the line."""
        return [head_row(ui, width)]


def head_row(ui: Ui, width: int) -> Row:
    """Return hall and metric at the left and the colour scale at the right."""
    metric, glyph = metric_of(ui), ui.palette.glyph
    hall = ui.halls[ui.hall]
    left: list[Span] = [(f" Hall {hall.name}", "bold bright")]
    if len(ui.halls) > 1:
        left += [(f" {ui.hall + 1}/{len(ui.halls)}", "dim")]
    left += [("  ", ""), (glyph("lt"), "dim"), (metric.title, "accent"), (glyph("gt"), "dim")]
    return spread(tuple(left), scale_row(ui, metric, max(8, min(32, width - 46))), width)


def scale_row(ui: Ui, metric: Metric, cells: int) -> Row:
    """Return the colour scale: lower limit, ramp, upper limit with unit."""
    if metric.name == "job":
        return (("grey is free ", "dim"),)
    lo, hi, name = metric.lo(ui.site), metric.hi(ui.site), map_of(ui)
    ramp: list[Span] = []
    for i in range(cells):
        level = i * LEVELS // cells
        char = ui.palette.ramp_glyph(level) if ui.palette.depth == "mono" or ui.palette.ascii else "█"
        ramp.append((char, f"{name}:{level}"))
    return ((f"{lo:.0f} ", "dim"), *ramp, (f" {hi:.0f} {metric.unit} ", "dim"))


class HotSpots(Canvas):
    """The racks with the highest values of the metric, in every hall."""

    def paint(self, ui: Ui, width: int, height: int) -> Sequence[Row]:
        """Return the list."""
        metric = metric_of(ui)
        if metric.name == "job":
            return job_legend(ui, width, height)
        rows: list[Row] = [((f"highest {metric.title}", "dim"),)]
        for rack, value, name in hot_spots(ui, metric, height - 1):
            limit = metric.limit(ui.site) if metric.name != "temp" else rack_limit_c(ui.site, rack)
            over = limit is not None and value >= limit
            near = limit is not None and not over and value >= limit - 3
            ink = "bold crit" if over else "warn" if near else "fg"
            mark = ui.palette.glyph("alarm") if over or near else " "
            chosen = "bold bright" if rack == ui.rack else "fg"
            rows.append(spread(((f"{name}", chosen),), ((f"{metric.text(value)} ", ink), (mark, ink)), width))
        return rows


def hot_spots(ui: Ui, metric: Metric, count: int) -> list[tuple[int, float, str]]:
    """Return (rack, value, name of rack or hottest GPU) of the highest values, highest first."""
    values = rack_values(ui, metric)
    if values is None or count <= 0:
        return []
    filled = np.where(np.isfinite(values), values, -np.inf)
    best = np.argsort(-filled, kind="stable")[:count]
    out = []
    for rack in best:
        if not np.isfinite(filled[rack]):
            continue
        name = ui.element_name("rack", int(rack))
        if metric.axis == "gpu" and metric.how == "max":
            column = ui.column(metric.column)
            ptr = ui.site.topology.rack_gpu_ptr
            assert column is not None
            gpu = int(ptr[rack]) + int(np.argmax(column[ptr[rack]:ptr[rack + 1]]))
            name = ui.element_name("gpu", gpu)
        out.append((int(rack), float(filled[rack]), name))
    return out


def job_legend(ui: Ui, width: int, height: int) -> list[Row]:
    """Return the running jobs with their colour on the floor, largest first."""
    gpu_job = ui.column("workload.gpu_job")
    if gpu_job is None:
        return []
    held = np.asarray(gpu_job)[np.asarray(gpu_job) >= 0]
    jobs, counts = np.unique(held, return_counts=True)
    rows: list[Row] = [(("jobs on the floor", "dim"),)]
    for k in np.argsort(-counts, kind="stable")[:max(0, height - 2)]:
        job = int(jobs[k])
        name = fmt.fit(ui.element_name("job", job), width - 14)
        swatch: Span = (ui.palette.glyph("swatch") + " ", f"job:{1 + job % (LEVELS - 1)}")
        rows.append(spread((swatch, (name, "fg")), ((f"{counts[k]} GPUs", "dim"),), width))
    free = len(gpu_job) - len(held)
    grey: Span = (ui.palette.glyph("swatch") + " ", "job:0")
    rows.append(spread((grey, ("free", "dim")), ((f"{free} GPUs", "dim"),), width))
    return rows


def explain_floor(ui: Ui) -> Row:
    """Say what the metric is, its limit, and where it is highest."""
    metric = metric_of(ui)
    spans: list[Span] = [(f"{metric.title}: ", "fg"), (metric.doc, "dim")]
    limit = metric.limit(ui.site)
    top = hot_spots(ui, metric, 1) if metric.name != "job" else []
    if top:
        rack, value, name = top[0]
        limit = rack_limit_c(ui.site, rack) if metric.name == "temp" else limit
        spans = [(f"{metric.title}: ", "fg")]
        if limit is not None:
            spans += [(f"limit {limit:.0f} {metric.unit}, ", "dim")]
        spans += [(f"highest {name} {metric.text(value)}", "fg"), (f"; {metric.doc}", "dim")]
    return crop(tuple(spans), 400)


def next_metric(ui: Ui, step: int) -> None:
    """Go to the next metric that the frame holds."""
    for _ in METRICS:
        ui.metric = (ui.metric + step) % len(METRICS)
        if ui.column(metric_of(ui).column) is not None:
            return
