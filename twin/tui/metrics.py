"""What the floor can show: each metric with its column, unit, scale, limit and what it means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.tui import format as fmt

if TYPE_CHECKING:
    from twin.site.site import Site
    from twin.tui.ui import Ui

#: key of an accelerator's entry: junction temperature at which it slows down
_LIMIT = "temp_slowdown_c"


@dataclass(frozen=True)
class Metric:
    """One quantity that the floor can show.

    Attributes:
        name, title: short name and what stands on the screen.
        column: column of the frame; axis ``gpu``, ``rack`` or ``cell``.
        how: how GPUs are reduced to a pixel or a rack: max, mean or first.
        unit: unit after conversion; scale: factor from the column's unit.
        colour_map: the map it is drawn in unless another one is chosen.
        lo, hi: limits of the colour scale; functions of the site.
        limit: value that should not be passed, None without.
        liquid_only: means something only in racks with coolant.
        doc: what it is and what is good, for the line at the bottom.
    """

    name: str
    title: str
    column: str
    axis: str
    how: str
    unit: str
    scale: float
    colour_map: str
    lo: Callable[[Site], float]
    hi: Callable[[Site], float]
    limit: Callable[[Site], float | None]
    doc: str
    liquid_only: bool = False

    def text(self, value: float | None) -> str:
        """Write a value (already scaled) with its unit."""
        if value is None or not np.isfinite(value):
            return fmt.NONE
        if self.unit == "%":
            return f"{value:.0f} %"
        return f"{value:.1f} {self.unit}"


def gpu_limit_c(site: Site) -> float | None:
    """Return the highest junction temperature at which an accelerator of the site slows down, None when unknown."""
    return max((float(entry[_LIMIT]) for entry in site.topology.gpu_entries if _LIMIT in entry), default=None)


def rack_limit_c(site: Site, rack: int) -> float | None:
    """Return the temperature at which the GPUs of one rack slow down, None when the catalogue does not say."""
    topology = site.topology
    entry = topology.gpu_entries[int(topology.gpu_class[int(topology.rack_gpu_ptr[rack])])]
    return float(entry[_LIMIT]) if _LIMIT in entry else None


def rack_limit_mark(site: Site, rack: int) -> str:
    """Return `` est.`` when the limit of a rack is an engineering estimate."""
    topology = site.topology
    entry = topology.gpu_entries[int(topology.gpu_class[int(topology.rack_gpu_ptr[rack])])]
    return " est." if _LIMIT in entry and entry.values[_LIMIT].grade == "estimate" else ""


def rack_rating_kw(site: Site) -> float:
    """Return the largest rated power of a rack of the site, kW."""
    return max((float(entry.get("tdp_w", 0.0)) for entry in site.topology.rack_entries), default=0.0) / 1000 or 100.0


def is_liquid(site: Site) -> Any:
    """Return a flag for each rack: it has coolant."""
    topology = site.topology
    liquid = np.zeros(len(topology.rack_row), dtype=bool)
    liquid[np.asarray(topology.stream_rack)[np.asarray(topology.stream_is_air) == 0]] = True
    return liquid


METRICS: tuple[Metric, ...] = (
    Metric("temp", "GPU temperature", "chip.gpu_temp_c", "gpu", "max", "°C", 1.0, "inferno",
           lambda s: 25.0, lambda s: gpu_limit_c(s) or 90.0, gpu_limit_c,
           "hottest junction in the pixel; above the limit GPUs slow down"),
    Metric("memory", "memory temperature", "chip.gpu_hbm_temp_c", "gpu", "max", "°C", 1.0, "inferno",
           lambda s: 25.0, lambda s: 110.0, lambda s: None, "hottest memory stack in the pixel"),
    Metric("coolant", "coolant return", "liquid.rack_return_temp_c", "rack", "max", "°C", 1.0, "viridis",
           lambda s: 20.0, lambda s: 60.0, lambda s: None,
           "coolant leaving the rack; racks without coolant stay dark", liquid_only=True),
    Metric("inlet", "inlet air", "air.rack_inlet_temp_c", "rack", "max", "°C", 1.0, "viridis",
           lambda s: 16.0, lambda s: 36.0, lambda s: 32.0,
           "air into the rack; ASHRAE recommends up to 27 °C, class A1 allows 32 °C"),
    Metric("capture", "capture index", "air.rack_capture_frac", "rack", "max", "%", 100.0, "cividis",
           lambda s: 0.0, lambda s: 100.0, lambda s: None,
           "share of a rack's exhaust that air machines draw; the rest warms other inlets"),
    Metric("air", "hall air", "air.cell_temp_c", "cell", "max", "°C", 1.0, "viridis",
           lambda s: 16.0, lambda s: 46.0, lambda s: None,
           "air of the hall in one of three layers; v goes to the next layer"),
    Metric("power", "rack power", "power.rack_input_w", "rack", "max", "kW", 1e-3, "inferno",
           lambda s: 0.0, rack_rating_kw, lambda s: None,
           "electrical power into the rack; the scale ends at the largest rating"),
    Metric("gpupower", "GPU power", "chip.gpu_power_w", "gpu", "mean", "W", 1.0, "inferno",
           lambda s: 0.0,
           lambda s: max((float(e.get("tdp_w", 0.0)) for e in s.topology.gpu_entries), default=0.0) or 1000.0,
           lambda s: None, "electrical power of the packages in the pixel, mean; the scale ends at the largest TDP"),
    Metric("util", "utilisation", "compute.gpu_util_frac", "gpu", "mean", "%", 100.0, "viridis",
           lambda s: 0.0, lambda s: 100.0, lambda s: None, "compute activity that the jobs ask of the GPUs"),
    Metric("clock", "clock", "chip.gpu_clock_frac", "gpu", "mean", "%", 100.0, "viridis",
           lambda s: 0.0, lambda s: 110.0, lambda s: None,
           "clock over the clock at which full activity draws the rated power"),
    Metric("job", "job", "workload.gpu_job", "gpu", "first", "", 1.0, "job",
           lambda s: 0.0, lambda s: 1.0, lambda s: None, "who holds the GPUs; grey is free"),
)


def metric_of(ui: Ui) -> Metric:
    """Return the metric that is shown."""
    return METRICS[ui.metric % len(METRICS)]


def map_of(ui: Ui) -> str:
    """Return the colour map in use."""
    metric = metric_of(ui)
    return metric.colour_map if metric.name == "job" or not ui.colour_map else ui.colour_map


def rack_values(ui: Ui, metric: Metric) -> Any:
    """Return the metric of every rack of the site, scaled; None when the frame does not hold it.

    Racks for which it means nothing are NaN; for the hall's air it is the air behind the racks.
    """
    column = ui.column("air.rack_outlet_temp_c" if metric.axis == "cell" else metric.column)
    if column is None:
        return None
    topology = ui.site.topology
    if metric.axis in ("rack", "cell"):
        values = column * metric.scale
        if metric.liquid_only:
            values = np.where(liquid_racks(ui), values, np.nan)
        return values
    starts = np.asarray(topology.rack_gpu_ptr)[:-1]
    if metric.how == "first":
        return column[starts].astype(float)
    if metric.how == "max":
        return np.maximum.reduceat(column, starts) * metric.scale
    return np.add.reduceat(column, starts) / np.diff(topology.rack_gpu_ptr) * metric.scale


def liquid_racks(ui: Ui) -> Any:
    """Return the flag of :func:`is_liquid`, computed once."""
    found = ui.cache.get("liquid")
    if found is None:
        found = ui.cache["liquid"] = is_liquid(ui.site)
    return found
