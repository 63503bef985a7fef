"""Beside the floor: its head with the colour scale, hot spots, the jobs' colours, what the metric says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.tui import format as fmt
from twin.tui.filtering import rack_mask
from twin.tui.metrics import METRICS, Metric, map_of, metric_of, rack_limit_c, rack_limit_mark, rack_values
from twin.tui.panels.air import LAYERS
from twin.tui.theme import LEVELS
from twin.tui.widgets.canvas import Canvas, Row, Span, crop, spread, width_of

if TYPE_CHECKING:
    from twin.tui.ui import Ui


class FloorHead(Canvas):
    """Hall, metric and colour scale with its unit and limit."""

    every = 5

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
    if metric.axis == "cell":
        left += [("  ", ""), (LAYERS[ui.layer], "fg")]
    mask = rack_mask(ui)
    if mask is not None:
        count = int(mask.sum())
        left += [(f" {count}/{len(mask)}" if width < 64 else f"  {count} racks match", "accent")]
    room = width - width_of(tuple(left)) - 13  # numbers and unit beside the scale
    room = room - 6 if room >= 18 else min(room, 11)  # the word limit, which a short scale goes without
    return spread(tuple(left), scale_row(ui, metric, max(6, min(32, room))), width)


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
    limit = metric.limit(ui.site)
    if limit is not None and lo < limit < hi:
        ramp[min(cells - 1, int((limit - lo) / (hi - lo) * cells))] = (ui.palette.glyph("limit"), "bold crit")
    at_end = " limit" if limit is not None and limit >= hi and cells >= 12 else ""
    return ((f"{lo:.0f} ", "dim"), *ramp, (f" {hi:.0f} {metric.unit}", "dim"), (f"{at_end} ", "crit"))


class HotSpots(Canvas):
    """The racks with the highest values of the metric, in every hall."""

    every = 5

    def paint(self, ui: Ui, width: int, height: int) -> Sequence[Row]:
        """Return the list."""
        metric = metric_of(ui)
        if metric.name == "job":
            return job_legend(ui, width, height)
        what = "outlet air" if metric.axis == "cell" else metric.title
        rows: list[Row] = [((f"highest {what}", "dim"),)]
        for rack, value, name in hot_spots(ui, metric, height - 1):
            limit = metric.limit(ui.site) if metric.name != "temp" else rack_limit_c(ui.site, rack)
            over = limit is not None and value >= limit
            near = limit is not None and not over and value >= limit - 3
            ink = "bold crit" if over else "warn" if near else "fg"
            mark = ui.palette.glyph("alarm") if over or near else " "
            chosen = "bold bright" if rack == ui.rack else "fg"
            rows.append(spread(((f"{name}", chosen),), ((f"{metric.text(value)} ", ink), (mark, ink)), width))
        if len(rows) == 1:
            rows.append((("no rack matches the filter" if ui.filter else "no rack has a value", "dim"),))
        return rows


def hot_spots(ui: Ui, metric: Metric, count: int) -> list[tuple[int, float, str]]:
    """Return (rack, value, name of rack or hottest GPU) of the highest values, highest first."""
    mask = rack_mask(ui)
    key = (ui.frame.version, ui.frame.branch, metric.name, ui.filter)
    kept = ui.cache.get("hot spots")
    if kept is None or kept[0] != key or kept[1] < count:  # the list and the line at the bottom ask with each frame
        kept = ui.cache["hot spots"] = (key, count, _ranked(ui, metric, count, mask))
    found: list[tuple[int, float, str]] = kept[2]
    return found[:count]


def _ranked(ui: Ui, metric: Metric, count: int, mask: Any) -> list[tuple[int, float, str]]:
    """Work out ``hot_spots``."""
    values = rack_values(ui, metric)
    if values is None or count <= 0:
        return []
    shown = np.isfinite(values) if mask is None else np.isfinite(values) & mask
    filled = np.where(shown, values, -np.inf)
    best = np.argsort(-np.round(filled, 1), kind="stable")[:count]  # as written, so that the list does not jitter
    column = ui.column(metric.column) if metric.axis == "gpu" and metric.how == "max" else None
    names, ptr = ui.names("rack" if column is None else "gpu"), ui.site.topology.rack_gpu_ptr
    out = []
    for rack in best[np.isfinite(filled[best])].tolist():
        at = rack
        if column is not None:
            at = int(ptr[rack]) + int(column[ptr[rack]:ptr[rack + 1]].round(1).argmax())
        out.append((rack, float(filled[rack]), names[at]))
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
    if metric.axis == "cell":
        return tuple(spans)
    limit = metric.limit(ui.site)
    top = hot_spots(ui, metric, 1) if metric.name != "job" else []
    if top:
        rack, value, name = top[0]
        limit = rack_limit_c(ui.site, rack) if metric.name == "temp" else limit
        mark = rack_limit_mark(ui.site, rack) if metric.name == "temp" else ""
        spans = [(f"{metric.title}: ", "fg")]
        if limit is not None:
            spans += [(f"limit {limit:.0f} {metric.unit}{mark}, ", "dim")]
        spans += [(f"highest {name} {metric.text(value)}", "fg"), (f"; {metric.doc}", "dim")]
    elif ui.filter:
        spans[1:1] = [("no rack matches the filter; ", "warn")]
    return crop(tuple(spans), 400)


def next_metric(ui: Ui, step: int) -> None:
    """Go to the next metric that the frame holds."""
    for _ in METRICS:
        ui.metric = (ui.metric + step) % len(METRICS)
        if ui.column(metric_of(ui).column) is not None:
            return
