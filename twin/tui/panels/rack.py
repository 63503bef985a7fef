"""One rack: a summary for the side of the floor, and opened up, trays down and GPUs across."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from twin.tui import format as fmt
from twin.tui.metrics import METRICS, liquid_racks, map_of, metric_of, rack_limit_c, rack_limit_mark
from twin.tui.panels.airside import crah_state
from twin.tui.theme import LEVELS
from twin.tui.widgets.canvas import Canvas, Row, Span, width_of
from twin.tui.widgets.heatmap import Grid, HeatMap, quantise

if TYPE_CHECKING:
    from twin.tui.ui import Ui

#: throttle bits of ``chip.gpu_throttle`` in words
THROTTLE = ((0x4, "power cap"), (0x20, "too hot (software)"), (0x40, "too hot (hardware)"),
            (0x8, "hardware slowdown"), (0x100, "memory too hot"), (0x200, "shut down"))


def throttle_words(bits: int) -> str:
    """Return the throttle reasons in words, empty when there is none.

    >>> throttle_words(0x24)
    'power cap, too hot (software)'
    """
    return ", ".join(word for bit, word in THROTTLE if bits & bit)


def line(label: str, value: str, note: str = "", ink: str = "fg", width: int = 10) -> Row:
    """Return a row of label, value and a dim note."""
    return ((label.ljust(width), "dim"), (value, ink), (f"  {note}" if note else "", "dim"))


class RackPanel(Canvas):
    """What the selected rack does: power, heat, coolant, air, jobs."""

    every = 5

    def paint(self, ui: Ui, width: int, height: int) -> Sequence[Row]:
        """Return the summary."""
        return [row if width_of(row) <= width else row[:-1] for row in rack_rows(ui, ui.rack)]


def rack_rows(ui: Ui, rack: int) -> list[Row]:
    """Return the summary of a rack, only what the frame holds."""
    topology = ui.site.topology
    entry = topology.rack_entries[int(topology.rack_class[rack])]
    rows: list[Row] = [((ui.element_name("rack", rack), "bold bright"), (f"  {entry.name}", "dim"))]
    watts = ui.value("power.rack_input_w", rack)
    if watts is not None:
        rating = float(entry.get("tdp_w", 0.0))
        note = f"{100 * watts / rating:.0f} % of {fmt.power(rating, 3)}" if rating else ""
        dead = ui.value("power.rack_energised", rack) == 0
        rows.append(line("power", "no feed is live" if dead else fmt.power(watts), "" if dead else note,
                         "bold crit" if dead else "fg"))
    rows += _feed_rows(ui, rack) + _trouble_rows(ui, rack) + _heat_rows(ui, rack)
    if liquid_racks(ui)[rack]:
        rows += _coolant_rows(ui, rack) + _tank_rows(ui, rack)
    inlet, outlet = ui.value("air.rack_inlet_temp_c", rack), ui.value("air.rack_outlet_temp_c", rack)
    if inlet is not None:
        air = ui.value("air.rack_air_flow_m3_s", rack)
        rows.append(line("air", f"{fmt.temp(inlet, '')} {ui.palette.glyph('arrow')} {fmt.temp(outlet)}",
                         f"{air:.2f} m³/s" if air is not None else "", "warn" if inlet > 32 else "fg"))
        captured, supplied = ui.value("air.rack_capture_frac", rack), ui.value("air.rack_supplied_frac", rack)
        if captured is not None and supplied is not None and captured + supplied > 0:
            rows.append(line("", f"{fmt.percent(supplied)} fresh", f"{fmt.percent(captured)} of exhaust captured",
                             "warn" if supplied < 0.7 else "fg"))
    return rows + _job_rows(ui, rack)


def _feed_rows(ui: Ui, rack: int) -> list[Row]:
    """Return the feeds of a rack: how loaded those that are live are."""
    feeds = getattr(ui.site.electrical, "rack_feed", None)
    if feeds is None:
        return []
    spans: list[Span] = [("feeds".ljust(10), "dim")]
    for k, node in enumerate(np.asarray(feeds)[rack].tolist()):
        if node < 0:
            continue
        live = ui.value("power.elec_energised", node) != 0
        share = ui.value("power.elec_load_frac", node)
        spans.append((f"{'AB'[k] if k < 2 else k + 1} " + (fmt.percent(share) if live else "dead") + "  ",
                      "bold crit" if not live else "bold warn" if share is not None and share > 0.9 else "fg"))
    return [(*spans, ("of rating", "dim"))] if len(spans) > 1 else []


#: what can be wrong with a rack's liquid: column, bound, whether above it is wrong, words
_TROUBLE = (("rack_leak_m", 0.0, True, "leaks"), ("rack_air_frac", 0.01, True, "air in the coolant"),
            ("rack_valve_frac", 0.99, False, "branch shut"), ("rack_valve_k_factor", 1.5, True, "valve stuck"),
            ("rack_coupling_factor", 1.5, True, "coupling half mated"),
            ("rack_filter_factor", 2.0, True, "filter clogged"))


def blocked_trays(ui: Ui, racks: range) -> list[int]:
    """Return the nodes of racks whose branch is partly or wholly shut."""
    valve, ptr = ui.column("liquid.node_valve_frac"), ui.site.topology.rack_node_ptr
    if valve is None:
        return []
    first, last = int(ptr[racks.start]), int(ptr[racks.stop])
    return [first + int(k) for k in np.flatnonzero(np.asarray(valve[first:last]) < 0.99)]


def troubles(ui: Ui, rack: int) -> list[str]:
    """Return what is wrong with a rack's coolant and its face, in words."""
    words = ["switched itself off"] if ui.value("liquid.rack_protected", rack) else []
    short = ui.value("liquid.rack_low_flow_s", rack) or 0.0
    if short > 0 and not words:
        words.append(f"short of cooling for {short:.0f} s")
    for column, bound, above, text in _TROUBLE:
        value = ui.value(f"liquid.{column}", rack)
        if value is not None and (value > bound if above else value < bound):
            words.append(text)
    trays = [ui.element_name("node", node).rpartition(".")[2] for node in blocked_trays(ui, range(rack, rack + 1))]
    words += [f"{', '.join(trays[:3])} short of coolant" + (" and more" if len(trays) > 3 else "")] if trays else []
    doors = getattr(ui.site.floor, "rack_door", None)
    if doors is not None and int(doors[rack]) >= 0:
        state = crah_state(ui, int(doors[rack]))
        words += [f"rear door: {state[0]}"] if state[1] == "bold crit" else []
    gap = ui.value("air.rack_gap_frac", rack) or 0.0
    if gap > 0:
        words.append(f"{fmt.percent(gap)} without blanking panels")
    return words


def _trouble_rows(ui: Ui, rack: int) -> list[Row]:
    words = troubles(ui, rack)
    return [line("trouble", ", ".join(words), ink="bold crit")] if words else []


def _heat_rows(ui: Ui, rack: int) -> list[Row]:
    ptr = ui.site.topology.rack_gpu_ptr
    first, last = int(ptr[rack]), int(ptr[rack + 1])
    rows: list[Row] = []
    temps = ui.column("chip.gpu_temp_c")
    if temps is not None:
        part = temps[first:last]
        limit = rack_limit_c(ui.site, rack)
        hottest = float(part.max())
        ink = "bold crit" if limit is not None and hottest >= limit else "fg"
        bound = f", limit {limit:.0f}{rack_limit_mark(ui.site, rack)}" if limit is not None else ""
        note = f"mean {part.mean():.1f}{bound}"
        rows.append(line("hottest", fmt.temp(hottest), note, ink))
    util, clock = ui.column("compute.gpu_util_frac"), ui.column("chip.gpu_clock_frac")
    if util is not None:
        note = f"clock {fmt.percent(float(clock[first:last].mean()))}" if clock is not None else ""
        rows.append(line("activity", fmt.percent(float(util[first:last].mean())), note))
    bits = ui.column("chip.gpu_throttle")
    if bits is not None:
        slowed = int((bits[first:last] != 0).sum())
        words = throttle_words(int(np.bitwise_or.reduce(bits[first:last]))) if slowed else ""
        hot = ui.value("chip.rack_throttled", rack)
        rows.append(line("slowed", f"{slowed} of {last - first} GPUs" if slowed else "none", words,
                         "bold crit" if hot else "fg"))
    return rows


def _coolant_rows(ui: Ui, rack: int) -> list[Row]:
    supply, back = ui.value("liquid.rack_supply_temp_c", rack), ui.value("liquid.rack_return_temp_c", rack)
    flow = ui.value("liquid.rack_flow_kg_s", rack)
    if supply is None:
        return []
    kind, note = coolant_of(ui, rack)
    text = "" if flow is None else f"{flow:.2f} kg/s" if note is None else fmt.flow(flow, note)
    return [line("coolant", f"{fmt.temp(supply, '')} {ui.palette.glyph('arrow')} {fmt.temp(back)}",
                 f"{text} {kind}".strip(), "warn" if flow is not None and flow < 1e-3 else "fg")]


def coolant_of(ui: Ui, rack: int) -> tuple[str, float | None]:
    """Return name and rated density, kg/m3, of a rack's coolant; nothing for a bath."""
    plumbing = ui.site.hydronics
    of, names = getattr(plumbing, "rack_tcs", None), getattr(plumbing, "coolants", ())
    tcs = -1 if of is None else int(of[rack])
    rho = getattr(plumbing, "tcs", {}).get("rho_rating_kg_m3")
    if tcs < 0 or tcs >= len(names):
        return "", None
    return str(names[tcs]).upper() if len(str(names[tcs])) <= 5 else str(names[tcs]), \
        None if rho is None else float(rho[tcs])


def _tank_rows(ui: Ui, rack: int) -> list[Row]:
    """Return the state of the bath that the rack stands in; nothing for a rack in air."""
    tanks = getattr(ui.site.hydronics, "tanks", None)
    if tanks is None or rack not in tanks.rack:
        return []
    tank = int(np.flatnonzero(np.asarray(tanks.rack) == rack)[0])
    level, vent = ui.value("liquid.tank_level_frac", tank), ui.value("liquid.tank_vent_kg_s", tank) or 0.0
    if level is None:
        return []
    fluid = ui.value("liquid.tank_fluid_kg", tank)
    rows = [line("bath", f"{fmt.percent(level)} full", "" if fluid is None else f"{fluid:.0f} kg",
                 "bold warn" if level < 0.93 else "fg")]
    gauge = ui.value("liquid.tank_gauge_pa", tank)
    if tanks.two_phase[tank] and gauge is not None:
        flux, dry = ui.value("liquid.tank_flux_ratio", tank) or 0.0, ui.value("liquid.tank_dry_frac", tank) or 0.0
        rows.append(line("vapour", f"{gauge / 1e3:+.1f} kPa", f"vents {vent:.2f} kg/s" if vent > 0.0 else "sealed",
                         "bold crit" if vent > 0.0 else "fg"))
        rows.append(line("boiling", f"{fmt.percent(flux)} of the limit",
                         f"dried out {fmt.percent(dry)}" if dry > 0.0 else "", "bold crit" if dry > 0.0 else "fg"))
    return rows


def _job_rows(ui: Ui, rack: int) -> list[Row]:
    gpu_job = ui.column("workload.gpu_job")
    if gpu_job is None:
        return []
    ptr = ui.site.topology.rack_gpu_ptr
    part = np.asarray(gpu_job[int(ptr[rack]):int(ptr[rack + 1])])
    jobs, counts = np.unique(part[part >= 0], return_counts=True)
    rows: list[Row] = []
    for job, count in list(zip(jobs, counts, strict=True))[:4]:
        swatch: Span = (ui.palette.glyph("swatch") + " ", f"job:{1 + int(job) % (LEVELS - 1)}")
        label = "job" if not rows else ""
        rows.append(((label.ljust(10), "dim"), swatch, (fmt.clean(ui.element_name("job", int(job))), "fg"),
                     (f"  {count} GPUs", "dim")))
    return rows or [line("job", "free", ink="dim")]


@dataclass(frozen=True)
class RackFit:
    """How the GPUs of a rack are drawn: trays, GPUs of a tray, trays of a column, cells and lines of a GPU."""

    trays: int
    per: int
    down: int
    columns: int
    cell: int
    tall: int

    @property
    def pitch(self) -> int:
        """Cells from one column of trays to the next."""
        return self.per * self.cell + 6

    def place(self, gpu: int) -> tuple[int, int]:
        """Return the first cell of a GPU."""
        tray, k = divmod(gpu, self.per)
        column, row = divmod(tray, self.down)
        return 5 + column * self.pitch + k * self.cell, 1 + row * self.tall


def fit_rack(trays: int, per: int, width: int, height: int) -> RackFit:
    """Fit trays into cells, folded into columns when they are many, as large as there is room."""
    lines = max(1, height - 1)
    columns = -(-trays // lines)
    down = -(-trays // columns)
    room = max(6, width // columns - 6)
    return RackFit(trays, per, down, columns, min(24, max(4, room // per)), min(3, max(1, lines // down)))


class RackMap(HeatMap):
    """The GPUs of the selected rack: one row a tray, one cell group a GPU, coloured by the metric."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.gpu = 0

    def fit(self, ui: Ui) -> RackFit:
        """Return how the selected rack is drawn at the present size."""
        topology = ui.site.topology
        first, last = int(topology.rack_node_ptr[ui.rack]), int(topology.rack_node_ptr[ui.rack + 1])
        per = int(topology.node_gpu_ptr[first + 1] - topology.node_gpu_ptr[first])
        return fit_rack(last - first, per, self.content_size.width, self.content_size.height)

    def draw(self, ui: Ui, width: int, height: int) -> tuple[Grid, str] | None:
        """Return the trays with the value of the metric in every GPU's cell."""
        metric = metric_of(ui) if metric_of(ui).axis == "gpu" else METRICS[0]
        column = ui.column(metric.column)
        if column is None:
            return None
        topology, grid, fit = ui.site.topology, Grid(width, height), self.fit(ui)
        first = int(topology.rack_gpu_ptr[ui.rack])
        values = np.asarray(column[first:first + fit.trays * fit.per]) * metric.scale
        self.gpu = min(self.gpu, len(values) - 1)
        if metric.name == "job":
            levels = np.where(values < 0, 0, 1 + values % (LEVELS - 1)).astype(np.uint8)
        else:
            levels = quantise(values, metric.lo(ui.site), metric.hi(ui.site))
        self._labels(ui, grid, fit)
        bits = ui.column("chip.gpu_throttle")
        for i in range(len(values)):
            x, y = fit.place(i)
            grid.pixels[2 * y:2 * (y + fit.tall), x:x + fit.cell - 1] = levels[i]
            hot = bits is not None and int(bits[first + i]) & ~0x4
            sign = ui.palette.glyph("alarm") if hot else " "
            for k, text in enumerate(gpu_lines(ui, metric.name, float(values[i]), first + i, fit)):
                grid.text(x, y + k, sign + text if k == 0 else " " + text, "contrast")
        x, y = fit.place(self.gpu)
        for line_y in range(y, y + fit.tall):
            grid.text(x - 1, line_y, ui.palette.glyph("left"), "bold bright")
            grid.text(x + fit.cell - 1, line_y, ui.palette.glyph("right"), "bold bright")
        return grid, map_of(ui) if metric_of(ui) is metric else metric.colour_map

    def _labels(self, ui: Ui, grid: Grid, fit: RackFit) -> None:
        letter = ui.element_name("node", int(ui.site.topology.rack_node_ptr[ui.rack])).rpartition(".")[2][:1]
        for c in range(fit.columns):
            for k in range(fit.per):
                grid.text(5 + c * fit.pitch + k * fit.cell, 0, f" gpu{k + 1}" if fit.cell > 5 else f" g{k + 1}", "dim")
        for tray in range(fit.trays):
            x, y = fit.place(tray * fit.per)
            grid.text(x - 4, y, f"{letter}{tray + 1:02d}", "dim")

    def move(self, ui: Ui, dx: int, dy: int) -> None:
        """Move to another GPU; beyond the edge of a column of trays into the next one."""
        fit = self.fit(ui)
        tray, k = divmod(self.gpu, fit.per)
        k += dx
        if k < 0 or k >= fit.per:
            tray, k = tray + (fit.down if k >= fit.per else -fit.down), k % fit.per
        if 0 <= tray < fit.trays:
            self.gpu = min(max(tray + dy, 0), fit.trays - 1) * fit.per + k
            self.repaint()

    def gpu_at(self, ui: Ui, x: int, y: int) -> int | None:
        """Return the GPU (within the rack) drawn at a cell."""
        fit = self.fit(ui)
        for gpu in range(fit.trays * fit.per):
            gx, gy = fit.place(gpu)
            if gx <= x < gx + fit.cell and gy <= y < gy + fit.tall:
                return gpu
        return None


#: throttle bits in a word that fits a cell
_SHORT = ((0x200, "OFF"), (0x100, "mem"), (0x68, "hot"), (0x4, "cap"))


def gpu_lines(ui: Ui, name: str, value: float, gpu: int, fit: RackFit) -> list[str]:
    """Return what a GPU's cell says: the metric, then power, clock and throttle reason as far as there is room."""
    if name == "job":
        return [f"{value:3.0f}" if value >= 0 else "  -"]
    room, unit = fit.cell - 2, "°" if name == "temp" else ""
    first = f"{value:2.0f}" if room < 4 else f"{value:3.0f}{unit}"
    watts, clock = ui.value("chip.gpu_power_w", gpu), ui.value("chip.gpu_clock_frac", gpu)
    bits = int(ui.value("chip.gpu_throttle", gpu) or 0)
    why = next((word for mask, word in _SHORT if bits & mask), "")
    more = [f"{watts:5.0f} W"] if watts is not None and name == "temp" else []
    more += [f"{100 * clock:4.0f} %"] if clock is not None and name == "temp" else []
    more += [f" {why:3}"]
    lines = [first]
    for part in more:
        if len(lines[-1]) + len(part) <= room:
            lines[-1] += part
        elif len(lines) < fit.tall and len(part.strip()) <= room:
            lines.append(part.strip() if len(part.strip()) > 3 else part[-room:])
    return lines


def gpu_rows(ui: Ui, gpu: int) -> list[Row]:
    """Return everything that the frame holds about one GPU (index within the site)."""
    rows: list[Row] = [((ui.element_name("gpu", gpu), "bold bright"),)]
    items = (("junction", "chip.gpu_temp_c", fmt.temp), ("memory", "chip.gpu_hbm_temp_c", fmt.temp),
             ("power", "chip.gpu_power_w", fmt.power), ("clock", "chip.gpu_clock_frac", fmt.percent),
             ("activity", "compute.gpu_util_frac", fmt.percent))
    for label, column, write in items:
        value = ui.value(column, gpu)
        if value is not None:
            rows.append(line(label, write(value)))
    bits = ui.value("chip.gpu_throttle", gpu)
    if bits is not None:
        words = throttle_words(int(bits))
        ink = "bold crit" if int(bits) & ~0x4 else "fg"
        rows.append(line("throttle", words or "none", ink=ink))
    job = ui.value("workload.gpu_job", gpu)
    if job is not None:
        rows.append(line("job", fmt.clean(ui.element_name("job", int(job))) if job >= 0 else "free"))
    return rows + _cooler_rows(ui, gpu)


def _cooler_rows(ui: Ui, gpu: int) -> list[Row]:
    """Return the resistance of a GPU's cold plate or heat sink at its design flow, and where it is an estimate."""
    entry = ui.site.topology.gpu_entries[int(ui.site.topology.gpu_class[gpu])]
    value = entry.values.get("r_plate_coolant_k_w")
    if value is None:
        return []
    what = {"air": "heat sink", "liquid": "plate"}.get(str(entry.get("cooling", "")), "boards")
    return [line(what, f"{1e3 * float(value.value):.1f} K/kW", "estimate" if value.grade == "estimate" else "")]


class GpuPanel(Canvas):
    """The selected GPU of the opened rack."""

    def __init__(self, rack_map: RackMap, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.rack_map = rack_map

    def paint(self, ui: Ui, width: int, height: int) -> Sequence[Row]:
        """Return its values."""
        return gpu_rows(ui, int(ui.site.topology.rack_gpu_ptr[ui.rack]) + self.rack_map.gpu)
