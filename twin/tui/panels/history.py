"""Histories in braille, one or several side by side, and the five numbers of the overview."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twin.tui import format as fmt
from twin.tui.metrics import gpu_limit_c
from twin.tui.widgets.braille import Binned, bin_series, limits, plot_rows
from twin.tui.widgets.canvas import Canvas, Row, Span, crop, spread

if TYPE_CHECKING:
    from twin.tui.ui import Ui


@dataclass(frozen=True)
class Trace:
    """A history that can be plotted.

    Attributes:
        column: column declared ``history``; index: its element.
        title: what stands above the plot.
        scale: factor from the column's unit to the one that is written.
        text: writes a value (scaled).
        floor, ceiling: the value axis holds at least these.
        needs: axis without which it means nothing.
    """

    column: str
    title: str
    text: Callable[[float | None], str]
    scale: float = 1.0
    index: int = 0
    floor: float | None = None
    ceiling: float | None = None
    needs: str = ""


IT = Trace("power.it_w", "IT power", fmt.power)
SOURCE = Trace("power.source_w", "facility power", fmt.power)
COOLING = Trace("power.cooling_w", "cooling power", fmt.power, floor=0.0)
LOSS = Trace("power.loss_w", "electrical losses", fmt.power, floor=0.0)
PUE = Trace("ledger.pue_ratio", "PUE", lambda v: fmt.ratio(v, 3), floor=1.0, ceiling=1.1)
HOTTEST = Trace("chip.gpu_temp_max_c", "hottest GPU", fmt.temp)
INLET = Trace("air.inlet_temp_max_c", "warmest rack inlet", fmt.temp)
COOLANT = Trace("liquid.supply_temp_max_c", "warmest coolant supply", fmt.temp, needs="cdu")
OUTDOOR = Trace("weather.outdoor_temp_c", "outdoor air", fmt.temp)
WET_BULB = Trace("weather.wet_bulb_temp_c", "wet bulb", fmt.temp)
TOKENS = Trace("workload.tokens_s", "tokens", lambda v: fmt.si(v, "tok/s"), floor=0.0)
TRAFFIC = Trace("network.traffic_bytes_s", "traffic", fmt.rate, floor=0.0)
CONGESTION = Trace("network.congestion_max_ratio", "largest demand over capacity", fmt.ratio, floor=0.0, ceiling=1.0)
RUNNING = Trace("workload.gpus_allocated", "GPUs held by jobs", lambda v: fmt.NONE if v is None else f"{v:.0f}",
                floor=0.0)
PRICE = Trace("grid.price_usd_kwh", "energy price", lambda v: fmt.ratio(v, 3) + " USD/kWh")
CARBON = Trace("grid.carbon_kg_kwh", "carbon intensity", lambda v: fmt.ratio(v, 3) + " kg/kWh")


def binned(ui: Ui, trace: Trace, width: int) -> Binned | None:
    """Return a history cut into the dots of ``width`` cells, None when there is none yet."""
    series = ui.series(trace.column, trace.index)
    if series is None or not len(series[0]):
        return None
    t, lo, mean, hi = series
    now = ui.value(trace.column, trace.index)
    if now is not None and len(t) and t[-1] * 1e9 > ui.frame.now_ns:
        t = t.copy()
        t[-1] = ui.frame.now_ns / 1e9
    return bin_series((t, lo * trace.scale, mean * trace.scale, hi * trace.scale), ui.frame.now_ns, ui.window_ns,
                      2 * width)


def plot(ui: Ui, trace: Trace, width: int, height: int, *, ink: str = "accent", axis: bool = True) -> list[Row]:
    """Return a title line with the present value, then the plot with its limits at the right."""
    now = ui.value(trace.column, trace.index)
    rows: list[Row] = [spread(((trace.title, "fg"), (f"  {window_label(ui)}" if width >= 40 else "", "dim")),
                              ((trace.text(None if now is None else now * trace.scale), "bold bright"),), width)]
    if height < 2:
        return rows
    data = binned(ui, trace, width)
    if data is None:
        return [*rows, (("no history yet", "dim"),)]
    lo, hi = limits(data, trace.floor, trace.ceiling)
    low, high = round_text(trace.text(lo)), round_text(trace.text(hi))
    labels = 1 + max(len(low), len(high)) if axis and width >= 30 and height >= 3 else 0
    data = binned(ui, trace, width - labels) if labels else data
    if data is None:
        return rows
    body = plot_rows(data, width - labels, height - 1, lo, hi, ink=ink, graphs=ui.palette.graphs)
    for y, spans in enumerate(body):
        label = high if y == 0 else low if y == len(body) - 1 else ""
        rows.append((*spans, (" " + label, "dim")) if labels and label else spans)
    return rows


def round_text(text: str) -> str:
    """Drop the zeros behind the point of a round limit.

    >>> round_text("8.000 MW"), round_text("0.90"), round_text("40.0 TB/s")
    ('8 MW', '0.9', '40 TB/s')
    """
    number, _, unit = text.partition(" ")
    if "." in number:
        number = number.rstrip("0").rstrip(".")
    return f"{number} {unit}".strip()


def window_label(ui: Ui) -> str:
    """Return what the time axis shows."""
    return "since the start" if not ui.window_ns else f"last {fmt.span(ui.window_ns)}"


class Plots(Canvas):
    """Several histories, stacked or in columns, as many as fit."""

    every = 10

    def __init__(self, *traces: Trace, least: int = 5, id: str | None = None) -> None:
        super().__init__(id=id)
        self.traces, self.least = traces, least

    def paint(self, ui: Ui, width: int, height: int) -> Sequence[Row]:
        """Return the plots."""
        shown = [t for t in self.traces if ui.column(t.column) is not None and (not t.needs or ui.names(t.needs))]
        if not shown:
            return []
        columns = max(1, min(len(shown), width // 46)) if height < len(shown) * self.least else 1
        rows_of = -(-len(shown) // columns)
        while rows_of > 1 and height // rows_of < self.least:
            rows_of -= 1
        shown = shown[: rows_of * columns]
        each, cell = height // rows_of, (width + 2) // columns
        out: list[Row] = []
        for r in range(rows_of):
            line: list[Row] = []
            for c, trace in enumerate(shown[r * columns:(r + 1) * columns]):
                block = plot(ui, trace, cell - 2, max(2, each - 1))
                block += [()] * (each - len(block))
                line = block if c == 0 else [_join(a, b, c * cell) for a, b in zip(line, block, strict=True)]
            out += line
        return out


def _join(left: Row, right: Row, at: int) -> Row:
    room = at - sum(len(text) for text, _ in left)
    return (*left, (" " * max(0, room), ""), *right)


@dataclass(frozen=True)
class Figure:
    """One of the five numbers: title, value, a verdict with its ink, and its history."""

    title: str
    value: str
    verdict: str
    ink: str
    trace: Trace


def figures(ui: Ui) -> list[Figure]:
    """Return the five numbers that a manager asks for, of those that the frame holds."""
    out = []
    for make in (_figure_power, _figure_heat, _figure_work, _figure_network, _figure_money):
        figure = make(ui)
        if figure is not None:
            out.append(figure)
    return out


def _figure_power(ui: Ui) -> Figure | None:
    watts, pue = ui.value("power.source_w"), ui.value("ledger.pue_ratio")
    if watts is None:
        return None
    if ui.value("power.utility_up") == 0:
        return Figure("power", fmt.power(watts), "utility is out", "crit", SOURCE)
    return Figure("power", fmt.power(watts), f"PUE {fmt.ratio(pue, 3)}", "dim", SOURCE)


def _figure_heat(ui: Ui) -> Figure | None:
    hottest, throttled = ui.value("chip.gpu_temp_max_c"), ui.value("chip.throttled_count")
    if hottest is None:
        return None
    limit = gpu_limit_c(ui.site)
    if throttled:
        verdict, ink = f"{throttled:.0f} GPUs throttled", "crit"
    elif limit is not None and hottest > limit - 5:
        verdict, ink = f"near limit {limit:.0f}", "warn"
    else:
        verdict, ink = (f"limit {limit:.0f} °C" if limit is not None else "no throttling"), "dim"
    return Figure("hottest GPU", fmt.temp(hottest), verdict, ink, HOTTEST)


def _figure_work(ui: Ui) -> Figure | None:
    tokens = ui.value("workload.tokens_s")
    if tokens is None:
        return None
    running, queued = ui.value("workload.jobs_running") or 0, ui.value("workload.jobs_queued") or 0
    goodput = ui.kpi("goodput_frac")
    verdict = f"goodput {fmt.percent(goodput)}" if goodput is not None else f"{running:.0f} jobs, {queued:.0f} wait"
    if not tokens and running:
        held = ui.value("workload.gpus_allocated")
        return Figure("GPUs at work", fmt.NONE if held is None else f"{held:.0f}", verdict, "dim", RUNNING)
    return Figure("work", fmt.si(tokens, "tok/s"), verdict, "dim", TOKENS)


def _figure_network(ui: Ui) -> Figure | None:
    ratio = ui.value("network.congestion_max_ratio")
    if ratio is None:
        return None
    verdict, ink = ("congested", "warn") if ratio > 1.0 else ("no congestion", "dim")
    return Figure("busiest link", fmt.percent(ratio), verdict, ink, CONGESTION)


def _figure_money(ui: Ui) -> Figure | None:
    watts, price, carbon = ui.value("power.source_w"), ui.value("grid.price_usd_kwh"), ui.value("grid.carbon_kg_kwh")
    if watts is None or price is None:
        return None
    kw = watts / 1000.0
    value = f"{fmt.digits(kw * price)} USD/h" if kw * price < 99_500 else f"{kw * price / 1000:.0f} kUSD/h"
    verdict = "" if carbon is None else f"{fmt.si(kw * carbon * 1000, 'g')} CO2/h" if kw * carbon < 1000 else \
        f"{kw * carbon / 1000:.2f} t CO2/h"
    return Figure("energy bill", value, verdict, "dim", PRICE)


class Figures(Canvas):
    """The five numbers side by side, each with its verdict and its history."""

    every = 5

    def paint(self, ui: Ui, width: int, height: int) -> Sequence[Row]:
        """Return them."""
        found = figures(ui)
        if not found:
            return []
        cell = width // len(found)
        blocks = [figure_rows(ui, figure, cell - 2, height) for figure in found]
        out: list[Row] = []
        for y in range(height):
            row: list[Span] = []
            for k, block in enumerate(blocks):
                part = crop(block[y], cell - 2) if y < len(block) else ()
                row += [(" ", ""), *part]
                used = sum(len(text) for text, _ in part) + 1
                row.append((" " * (cell - used), ""))
                del k, used
            out.append(tuple(row))
        return out


def figure_rows(ui: Ui, figure: Figure, width: int, height: int) -> list[Row]:
    """Return title, value and verdict above a sparkline as tall as there is room."""
    rows: list[Row] = [((figure.title, "dim"),), ((figure.value, "bold bright"),)]
    if height >= 4:
        rows.append(((figure.verdict, figure.ink),))
    elif height == 3 or height == 2:
        gap = width - len(figure.title) - len(figure.verdict)
        if gap >= 1 and height == 2:
            rows[0] = ((figure.title, "dim"), (" " * gap, ""), (figure.verdict, figure.ink))
    room = height - len(rows) - (1 if height >= 8 else 0)
    if room > 0:
        rows += _sparkline(ui, figure.trace, width, room)
    return rows


def _sparkline(ui: Ui, trace: Trace, width: int, height: int) -> list[Row]:
    """Return a history without its axis; while time runs it is drawn anew once in ``Plots.every`` frames."""
    frame = ui.frame
    key = (trace.column, width, height, ui.window, ui.palette.graphs, frame.branch)
    kept: dict[str, tuple[Any, int, list[Row]]] = ui.cache.setdefault("sparklines", {})
    found = kept.get(trace.title)
    if found is not None and found[0] == key and not frame.paused and 0 <= frame.version - found[1] < Plots.every:
        return found[2]
    data = binned(ui, trace, width)
    if data is None:
        return []
    rows = plot_rows(data, width, height, *limits(data, trace.floor, trace.ceiling), graphs=ui.palette.graphs)
    kept[trace.title] = (key, frame.version, rows)
    return rows
