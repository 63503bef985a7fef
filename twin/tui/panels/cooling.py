"""Cooling: the way of the heat from chip to sky, and tables of loops, CDUs, CRAHs and heat rejection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.tui import format as fmt
from twin.tui.metrics import liquid_racks
from twin.tui.panels.signs import cdu_sign, crah_sign, pumps_of
from twin.tui.widgets.canvas import Canvas, Row, Span, crop
from twin.tui.widgets.table import Col, Table

if TYPE_CHECKING:
    from twin.tui.ui import Ui


class HeatPath(Canvas):
    """The way of the heat in two lines: temperatures on the stations, heat between them."""

    def paint(self, ui: Ui, width: int, height: int) -> Sequence[Row]:
        """Return the two ways: by coolant and by air."""
        return [crop(row, width) for row in (*heat_paths(ui), weather_row(ui))]


def _t(value: float | None) -> str:
    return fmt.temp(value, "°")


def heat_paths(ui: Ui) -> list[Row]:
    """Return one row for the coolant's way and one for the air's."""
    arrow = f" {ui.palette.glyph('flow')} "
    rows: list[Row] = []
    supply, back = ui.column("liquid.rack_supply_temp_c"), ui.column("liquid.rack_return_temp_c")
    heat = ui.column("liquid.cdu_heat_w")
    liquid = liquid_racks(ui)
    if supply is not None and back is not None and heat is not None and liquid.any():
        rows.append((
            (" liquid  ", "accent"), ("chip ", "dim"), (_t(ui.value("chip.gpu_temp_max_c")), "bright"), (arrow, "dim"),
            ("racks ", "dim"), (f"{_t(float(supply[liquid].max()))}/{_t(float(back[liquid].max()))}", "bright"),
            (arrow, "dim"), ("CDUs ", "dim"), (fmt.power(float(heat.sum())), "bright"),
            *_loop_part(ui, arrow, "cdu")))
    inlet, outlet = ui.column("air.rack_inlet_temp_c"), ui.column("air.rack_outlet_temp_c")
    heat = ui.column("air.crah_heat_w")
    if inlet is not None and outlet is not None and heat is not None:
        rows.append((
            (" air     ", "accent"), ("racks ", "dim"),
            (f"{_t(float(inlet.max()))}/{_t(float(outlet.max()))}", "bright"), (arrow, "dim"), ("CRAHs ", "dim"),
            (fmt.power(float(heat.sum())), "bright"), *_loop_part(ui, arrow, "crah")))
    return rows


def _loop_part(ui: Ui, arrow: str, axis: str) -> tuple[Span, ...]:
    """Return the plant loops that the CDUs or CRAHs give their heat to."""
    loops = getattr(ui.site.hydronics if axis == "cdu" else ui.site.floor, f"{axis}_loop", None)
    if loops is None:
        return ()
    out: list[Span] = []
    for loop in sorted({int(i) for i in np.asarray(loops) if int(i) >= 0}):
        out += [(arrow, "dim"), (f"{fmt.clean(ui.element_name('loop', loop))} ", "dim"),
                (f"{_t(ui.value('plant.loop_return_temp_c', loop))}/{_t(ui.value('plant.loop_supply_temp_c', loop))}",
                 "bright")]
    return (*out, (arrow, "dim"), ("sky", "dim")) if out else ()


def weather_row(ui: Ui) -> Row:
    """Return the weather in one row."""
    outdoor, wet = ui.value("weather.outdoor_temp_c"), ui.value("weather.wet_bulb_temp_c")
    if outdoor is None:
        return ()
    humidity, rejected = ui.value("weather.rel_humidity_frac"), ui.value("plant.rejected_heat_w")
    makeup = ui.value("plant.makeup_kg_s")
    row: list[Span] = [(" outdoor ", "accent"), (fmt.temp(outdoor), "bright"), ("  wet bulb ", "dim"),
                       (fmt.temp(wet), "bright"), ("  humidity ", "dim"), (fmt.percent(humidity), "bright")]
    if rejected is not None:
        row += [("  heat to the sky ", "dim"), (fmt.power(rejected), "bright")]
    if makeup is not None:
        row += [("  water ", "dim"), (f"{makeup * 3.6:.1f} t/h", "bright")]
    return tuple(row)


class LoopTable(Table):
    """Plant loops: temperatures against the set-point, flow, pumps."""

    heading = "plant loops"
    nothing = "no plant loop"

    def cols(self, ui: Ui) -> Sequence[Col]:
        """Return the columns."""
        return (Col("loop", 0), Col("supply", 8, True), Col("set", 7, True, 40), Col("return", 8, True),
                Col("flow", 12, True, 52), Col("pumps", 10, True, 66), Col("state", 12))

    def items(self, ui: Ui) -> Sequence[Any]:
        """Return the loops."""
        return range(len(ui.names("loop")))

    def cells(self, ui: Ui, item: Any) -> Sequence[Span]:
        """Return one loop."""
        i = int(item)
        supply, wanted = ui.value("plant.loop_supply_temp_c", i), ui.value("plant.loop_setpoint_c", i)
        short = ui.value("plant.loop_flow_frac", i)
        broken = int(ui.value("plant.loop_pump_fault", i) or 0)
        warm = supply is not None and wanted is not None and supply > wanted + 2
        flow = ui.value("plant.loop_flow_kg_s", i)
        state: Span = (f"{broken} pumps off", "bold crit") if broken else \
            (f"flow {fmt.percent(short)}", "bold warn") if short is not None and short < 0.99 else ("well", "ok")
        return ((fmt.clean(ui.element_name("loop", i)), "fg"), (_t(supply), "bold warn" if warm else "fg"),
                (_t(wanted), "dim"), (_t(ui.value("plant.loop_return_temp_c", i)), "fg"),
                (fmt.NONE if flow is None else f"{flow:.1f} kg/s", "fg"),
                (fmt.power(ui.value("plant.loop_pump_power_w", i), 3), "fg"), state)


class SkyTable(Table):
    """Dry coolers, towers and chillers."""

    heading = "heat rejection and chillers"
    nothing = "none"

    def cols(self, ui: Ui) -> Sequence[Col]:
        """Return the columns."""
        return (Col("group", 0), Col("at work", 9, True, 40), Col("heat", 10, True), Col("power", 10, True, 50),
                Col("COP", 6, True, 56), Col("state", 8))

    def items(self, ui: Ui) -> Sequence[Any]:
        """Return rejectors, then chillers."""
        return [("rejector", i) for i in range(len(ui.names("rejector")))] + \
               [("chiller", i) for i in range(len(ui.names("chiller")))]

    def cells(self, ui: Ui, item: Any) -> Sequence[Span]:
        """Return one group."""
        axis, i = item
        work = ui.value("plant.rejector_speed_frac" if axis == "rejector" else "plant.chiller_load_frac", i)
        broken = int(ui.value(f"plant.{axis}_fault", i) or 0)
        watts = ui.value(f"plant.{axis}_power_w", i)
        cop = fmt.ratio(ui.value("plant.chiller_cop", i), 1) if axis == "chiller" and watts else ""
        return ((fmt.clean(ui.element_name(axis, i)), "fg"), (fmt.percent(work), "fg"),
                (fmt.power(ui.value(f"plant.{axis}_heat_w", i), 3), "fg"), (fmt.power(watts, 3), "fg"), (cop, "fg"),
                (f"{broken} off", "bold crit") if broken else ("well", "ok"))


class CduTable(Table):
    """CDUs: supply against set-point, flows, valve, pumps, heat."""

    heading = "CDUs"
    nothing = "no CDU"

    def cols(self, ui: Ui) -> Sequence[Col]:
        """Return the columns."""
        return (Col("CDU", 11), Col("supply", 8, True), Col("set", 7, True, 56), Col("return", 8, True, 56),
                Col("flow", 11, True), Col("heat", 10, True, 66), Col("valve", 7, True, 76), Col("pumps", 0))

    def items(self, ui: Ui) -> Sequence[Any]:
        """Return the CDUs."""
        return range(len(ui.names("cdu")))

    def cells(self, ui: Ui, item: Any) -> Sequence[Span]:
        """Return one CDU."""
        i = int(item)
        sign, ink = cdu_sign(ui, i)
        supply, wanted = ui.value("liquid.cdu_supply_temp_c", i), ui.value("liquid.cdu_supply_setpoint_c", i)
        flow = ui.value("liquid.cdu_flow_kg_s", i)
        at_work = flow is not None and flow > 1e-3
        warm = at_work and supply is not None and wanted is not None and supply > wanted + 2
        return ((f"{ui.palette.glyph(sign)} {ui.element_name('cdu', i)}", ink if sign == "off" else "fg"),
                (_t(supply), "bold warn" if warm else "fg" if at_work else "dim"), (_t(wanted), "dim"),
                (_t(ui.value("liquid.cdu_return_temp_c", i)), "fg" if at_work else "dim"),
                (f"{flow:.1f} kg/s" if at_work and flow is not None else "stands by", "fg" if at_work else "dim"),
                (fmt.power(ui.value("liquid.cdu_heat_w", i), 3), "fg" if at_work else "dim"),
                (fmt.percent(ui.value("liquid.cdu_valve_frac", i)), "fg"), _pumps(ui, i))


def _pumps(ui: Ui, cdu: int) -> Span:
    """Return the speeds of a CDU's pumps, in words when one is tripped."""
    parts, bad = [], False
    for pump in pumps_of(ui, cdu):
        fault = bool(ui.value("liquid.pump_fault", pump))
        speed = ui.value("liquid.pump_speed_frac", pump)
        name = ui.element_name("pump", pump).rpartition(".")[2].removeprefix("pump")
        bad |= fault
        parts.append(f"{name} off" if fault else f"{name} {0 if speed is None else 100 * speed:.0f}%")
    return " ".join(parts), "bold crit" if bad else "fg"


class CrahTable(Table):
    """CRAHs: supply and return air, flow, fan, valve, heat."""

    heading = "CRAHs"
    nothing = "no CRAH"

    def cols(self, ui: Ui) -> Sequence[Col]:
        """Return the columns."""
        return (Col("CRAH", 13), Col("supply", 8, True), Col("set", 7, True, 56), Col("return", 8, True, 56),
                Col("air", 11, True), Col("heat", 10, True, 66), Col("valve", 7, True, 76), Col("fan", 7, True))

    def items(self, ui: Ui) -> Sequence[Any]:
        """Return the CRAHs."""
        return range(len(ui.names("crah")))

    def cells(self, ui: Ui, item: Any) -> Sequence[Span]:
        """Return one CRAH."""
        i = int(item)
        sign, _ = crah_sign(ui, i)
        bad, calm = sign == "off", "dim" if sign == "standby" else "fg"
        supply, wanted = ui.value("air.crah_supply_temp_c", i), ui.value("air.crah_supply_setpoint_c", i)
        flow = ui.value("air.crah_air_flow_m3_s", i)
        warm = supply is not None and wanted is not None and supply > wanted + 2 and sign == "unit"
        fan: Span = ("off", "bold crit") if bad else (fmt.percent(ui.value("air.crah_fan_frac", i)), calm)
        name = f"{ui.palette.glyph(sign)} {ui.element_name('crah', i)}"
        return ((name, "bold crit" if bad else calm),
                (_t(supply), "bold warn" if warm else calm), (_t(wanted), "dim"),
                (_t(ui.value("air.crah_return_temp_c", i)), calm),
                ("stands by" if sign == "standby" else fmt.NONE if flow is None else f"{flow:.1f} m³/s", calm),
                (fmt.power(ui.value("air.crah_heat_w", i), 3), calm),
                (fmt.percent(ui.value("air.crah_valve_frac", i)), calm), fan)
