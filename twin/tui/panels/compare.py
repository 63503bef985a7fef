"""Two branches side by side: the same floor twice with the differences marked, key figures, differences in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.tui import format as fmt
from twin.tui.metrics import Metric, metric_of, rack_values
from twin.tui.panels.floor import scale_row
from twin.tui.panels.hall import FloorMap
from twin.tui.theme import LEVELS
from twin.tui.widgets.canvas import Canvas, Row, Span, spread, width_of
from twin.tui.widgets.heatmap import Grid, quantise
from twin.tui.widgets.table import Col, Table

if TYPE_CHECKING:
    from twin.scenario.explain import Difference
    from twin.tui.ui import Ui

#: a rack is marked when it differs by this many degrees, or by this share of the metric's scale
NOTABLE_K, NOTABLE_SHARE = 1.0, 0.05
#: half-widths of the scale of differences, times a power of ten
_ROUND = (1.0, 2.0, 5.0, 10.0)


@dataclass
class Pair:
    """The two branches that are compared.

    Attributes:
        sides: what is drawn of the first and of the second; None while there is only one branch.
        found: differences in words, largest first; None until they were worked out.
        as_difference: the second floor shows the difference to the first.
    """

    sides: tuple[Ui, Ui] | None = None
    found: list[Difference] | None = None
    as_difference: bool = False
    names: tuple[str, str] = field(default=("", ""))


def notable(metric: Metric, ui: Ui) -> float:
    """Return the difference of a metric that is worth a mark."""
    if metric.unit == "°C":
        return NOTABLE_K
    return 0.5 if metric.name == "job" else NOTABLE_SHARE * (metric.hi(ui.site) - metric.lo(ui.site))


def rack_deltas(pair: Pair) -> Any:
    """Return second minus first of the metric for every rack, NaN where it means nothing; None without values."""
    if pair.sides is None:
        return None
    first, second = (rack_values(ui, metric_of(ui)) for ui in pair.sides)
    return None if first is None or second is None else np.asarray(second) - np.asarray(first)


def reach(deltas: Any, least: float) -> float:
    """Return the half-width of the scale of differences: round, and never so narrow that noise is coloured.

    >>> reach(np.array([0.2, -3.1]), 1.0), reach(np.array([0.0]), 1.0)
    (5.0, 2.0)
    """
    largest = float(np.nanmax(np.abs(deltas), initial=0.0))
    power = 10.0 ** np.floor(np.log10(max(largest, least)))
    return max(2 * least, float(next(f * power for f in _ROUND if f * power >= largest * (1 - 1e-9))))


class SideMap(FloorMap):
    """The floor of one side; racks that differ carry a mark.

    Args:
        pair: both sides.
        side: 0 for the first, 1 for the second.
    """

    every = 2

    def __init__(self, pair: Pair, side: int, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.pair, self.side = pair, side

    def draw(self, ui: Ui, width: int, height: int) -> tuple[Grid, str] | None:
        """Return the floor with its marks."""
        drawing = super().draw(ui, width, height)
        metric, deltas = metric_of(ui), rack_deltas(self.pair)
        if drawing is None or deltas is None or metric.axis == "cell":
            return drawing
        grid, colours = drawing
        lay = self.layout_now(ui)
        first, least = lay.scroll_for(ui.rack), notable(metric, ui)
        coloured = self.pair.as_difference and self.side == 1 and metric.name != "job"
        span = reach(deltas[list(lay.plan.racks)], least) if coloured else 1.0
        levels = quantise(deltas, -span, span) if coloured else None
        for rack, (x, y) in lay.places.items():
            y -= first
            if not 0 <= y < grid.height:
                continue
            if levels is not None:
                grid.pixels[2 * y:2 * (y + lay.cell_h), x:x + lay.cell_w] = levels[rack]
            delta = deltas[rack] if self.side else -deltas[rack]
            at = min(y + (lay.cell_h - 1) // 2, grid.height - 1), min(x + (lay.cell_w - 1) // 2, grid.width - 1)
            if abs(delta) >= least and not grid.glyph[at]:
                sign = "swatch" if metric.name == "job" else "higher" if delta > 0 else "lower"
                grid.text(at[1], at[0], ui.palette.glyph(sign), "contrast")
        return grid, "diverging" if coloured else colours


class SideHead(Canvas):
    """Name and moment of one side; beside the first the colour scale, beside the second what the marks count."""

    def __init__(self, pair: Pair, side: int) -> None:
        super().__init__(classes="line")
        self.pair, self.side = pair, side

    def paint(self, ui: Ui, width: int, height: int) -> Sequence[Row]:
        """Return the line."""
        sides = self.pair.sides
        if sides is None:
            return []
        mine, other = sides[self.side], sides[1 - self.side]
        here = mine.session is ui.session
        left: list[Span] = [(f" {mine.session.name}", "bold accent" if here else "bold bright"),
                            (f"  {fmt.elapsed(mine.frame.now_ns)}", "fg")]
        if mine.frame.in_past:
            left += [(" past", "warn")]
        apart = abs(mine.frame.now_ns - other.frame.now_ns)
        if self.side and mine.frame.paused and other.frame.paused and apart > 2 * mine.frame.dt_ns:
            return [spread(tuple(left), ((f"{fmt.span(apart)} apart: ", "warn"), ("A", "accent"),
                                         (" same moment ", "dim")), width)]
        metric = metric_of(mine)
        right = self._marks(mine, metric) if self.side else scale_row(mine, metric, max(6, min(24, width - 40)))
        return [spread(tuple(left), right, width)]

    def _marks(self, ui: Ui, metric: Metric) -> Row:
        deltas = rack_deltas(self.pair)
        if deltas is None or metric.axis == "cell":
            return ()
        least, glyph = notable(metric, ui), ui.palette.glyph
        if metric.name == "job":
            return ((f"{glyph('swatch')} {int((np.abs(deltas) >= least).sum())} racks differ ", "fg"),)
        up, down = int((deltas >= least).sum()), int((deltas <= -least).sum())
        counts: Row = ((f"{glyph('higher')} {up} ", "warn" if up else "dim"),
                       (f"{glyph('lower')} {down} racks ", "accent" if down else "dim"))
        if not self.pair.as_difference:
            return counts
        span = reach(deltas, least)
        cells = tuple((ui.palette.ramp_glyph(level) if ui.palette.depth == "mono" or ui.palette.ascii else "█",
                       f"diverging:{level}") for level in range(2, LEVELS, 5))
        unit = "K" if metric.unit == "°C" else metric.unit
        return (*counts, (f"-{span:g} ", "dim"), *cells, (f" +{span:g} {unit} ", "dim"))


@dataclass(frozen=True)
class Figure:
    """A key figure: title, column, how it is written, and how its change is written."""

    title: str
    column: str
    text: Callable[[float | None], str]
    delta: Callable[[float], str]


def _kelvin(delta: float) -> str:
    return f"{delta:+.1f} K"


def _signed(text: Callable[[float | None], str]) -> Callable[[float], str]:
    return lambda delta: ("+" if delta > 0 else "-") + text(abs(delta))


def _whole(value: float | None) -> str:
    return fmt.NONE if value is None else f"{value:.0f}"


def _tokens(value: float | None) -> str:
    return fmt.si(value, "tok/s")


FIGURES: tuple[Figure, ...] = (
    Figure("hottest GPU", "chip.gpu_temp_max_c", fmt.temp, _kelvin),
    Figure("GPUs throttled", "chip.throttled_count", _whole, lambda d: f"{d:+.0f}"),
    Figure("IT power", "power.it_w", fmt.power, _signed(fmt.power)),
    Figure("PUE", "ledger.pue_ratio", lambda v: fmt.ratio(v, 3), lambda d: f"{d:+.3f}"),
    Figure("tokens", "workload.tokens_s", _tokens, _signed(_tokens)),
    Figure("warmest coolant", "liquid.supply_temp_max_c", fmt.temp, _kelvin),
    Figure("warmest inlet", "air.inlet_temp_max_c", fmt.temp, _kelvin),
    Figure("facility power", "power.source_w", fmt.power, _signed(fmt.power)),
    Figure("cooling power", "power.cooling_w", fmt.power, _signed(fmt.power)),
    Figure("busiest link", "network.congestion_max_ratio", fmt.percent, lambda d: f"{100 * d:+.0f} %"),
    Figure("jobs running", "workload.jobs_running", _whole, lambda d: f"{d:+.0f}"),
)


class Deltas(Canvas):
    """Key figures of both sides and how the second differs, as many as fit, in as many columns as are needed."""

    every = 5

    def __init__(self, pair: Pair, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.pair = pair

    def paint(self, ui: Ui, width: int, height: int) -> Sequence[Row]:
        """Return the figures."""
        sides = self.pair.sides
        if sides is None:
            return []
        known = [figure for figure in FIGURES if all(side.value(figure.column) is not None for side in sides)]
        titled = height > len(known)
        columns = 1 if titled else max(1, min(width // 38, -(-len(known) // height)))
        cell = width // columns
        rows: list[Row] = []
        if titled:
            one, two = (fmt.fit(side.session.name, 12) for side in sides)
            rows.append(_columns(cell, "", one, two, "change", ("dim", "dim", "dim", "dim")))
        deep = height - len(rows)
        for y in range(min(deep, len(known))):
            line: Row = ()
            for k in range(columns):
                i = k * deep + y
                if i < len(known):
                    line = (*line, (" " * max(0, k * cell - width_of(line)), ""), *self._one(known[i], sides, cell))
            rows.append(line)
        return rows

    def _one(self, figure: Figure, sides: tuple[Ui, Ui], width: int) -> Row:
        a, b = (float(side.value(figure.column) or 0.0) for side in sides)
        first, second = figure.text(a), figure.text(b)
        same = first == second
        change = "same" if same else figure.delta(b - a)
        if not same and not any(digit in change for digit in "123456789"):  # they differ as written, so by a last digit
            change = figure.delta(float(second.split()[0]) - float(first.split()[0]))
        return _columns(width, figure.title, first, second, change,
                        ("dim", "fg", "fg" if same else "bold bright", "dim" if same else "accent"))


def _columns(width: int, title: str, first: str, second: str, change: str, inks: tuple[str, str, str, str]) -> Row:
    """Return title, both values and the change in columns that do not move."""
    number = 11 if width < 56 else 13
    if width < 48:  # the first value is left out: the change tells it
        room = width - 2 * number - 1
        return ((" " + fmt.fit(title, room - 1).ljust(room - 1), inks[0]), (second.rjust(number), inks[2]),
                (change.rjust(number), inks[3]), (" ", ""))
    room = max(8, width - 3 * number - 1)
    return ((" " + fmt.fit(title, room - 1).ljust(room - 1), inks[0]), (first.rjust(number), inks[1]),
            (second.rjust(number), inks[2]), (change.rjust(number), inks[3]))


#: width from which the place of a difference has a column
PLACE_FROM = 100


class DifferenceTable(Table):
    """What differs most, in words, largest first."""

    def __init__(self, pair: Pair, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.pair = pair

    @property
    def nothing(self) -> str:  # type: ignore[override]
        """What is written when there is no row."""
        return "comparing" if self.pair.found is None else "nothing that one would notice differs"

    def head(self, ui: Ui, items: Sequence[Any]) -> Row:
        """Say what is compared."""
        first, second = self.pair.names
        return ((" what differs most", "bold accent"), (f"  {second} against {first}, largest first", "dim"))

    def cols(self, ui: Ui) -> Sequence[Col]:
        """Return the columns."""
        return (Col("", 4, True), Col("where", 16, least=PLACE_FROM), Col("what", 0))

    def items(self, ui: Ui) -> Sequence[Any]:
        """Return the differences."""
        return self.pair.found or ()

    def cells(self, ui: Ui, item: Difference) -> Sequence[Span]:
        """Return one difference."""
        rank = next(i for i, one in enumerate(self.pair.found or (), 1) if one is item)
        text = fmt.clean(item.text)
        if self.content_size.width >= PLACE_FROM:  # it stands in a column of its own
            text = text.removeprefix(item.place).strip() or text
        return ((str(rank), "dim"), (item.place or "the whole site", "fg"), (text, "fg"))


class Alone(Canvas):
    """What is shown while there is only one branch: how to make another."""

    def paint(self, ui: Ui, width: int, height: int) -> Sequence[Row]:
        """Return what a comparison is and the keys that lead to one."""
        if not ui.forkable:
            return [(), (("  Branches need a factory of your own; this one is shared.", "fg"),)]
        if ui.read_only:
            return [(), (("  There is one branch, and a screen that only reads makes no others.", "fg"),)]
        steps = (("F", "fork: a branch begins at the moment that is shown, this one keeps its own future"),
                 ("f  s", "break something in the branch, or change a set-point; let it run with space"),
                 ("8", "come back here: both floors, the key figures, and what differs most, in words"))
        rows: list[Row] = [(), (("  Two futures of one moment, side by side", "bold bright"),), ()]
        rows += [((f"  {key:>5}  ", "accent"), (text, "fg")) for key, text in steps]
        return [*rows, (), (("  Go back in time first (< or a click on the time line) to fork from the past.", "dim"),)]
