"""Tables of plant loops, heat rejection and CDUs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from twin.tui import format as fmt
from twin.tui.panels.signs import cdu_sign, pumps_of
from twin.tui.widgets.canvas import Span
from twin.tui.widgets.table import Col, Table

if TYPE_CHECKING:
    from twin.tui.ui import Ui


def _t(value: float | None) -> str:
    return fmt.temp(value, "°")


class LoopTable(Table):
    """Plant loops: temperatures against the set-point, flow, pumps."""

    heading = "plant loops"
    nothing = "no plant loop"

    def cols(self, ui: Ui) -> Sequence[Col]:
        """Return the columns."""
        return (Col("loop", 0), Col("supply", 7, True), Col("set", 7, True, 40), Col("return", 7, True),
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
        longest = max((len(name) for name in ui.names("cdu")), default=8)
        return (Col("CDU", longest + 4), Col("supply", 7, True), Col("set", 7, True, 84), Col("return", 7, True, 56),
                Col("flow", 11, True), Col("approach", 9, True, 66), Col("heat", 9, True, 74),
                Col("valve", 6, True, 90), Col("pumps", 0))

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
        approach = approach_k(ui, i)
        return ((f"{ui.palette.glyph(sign)} {ui.element_name('cdu', i)}", ink if sign == "off" else "fg"),
                (_t(supply), "bold warn" if warm else "fg" if at_work else "dim"), (_t(wanted), "dim"),
                (_t(ui.value("liquid.cdu_return_temp_c", i)), "fg" if at_work else "dim"),
                (cdu_flow(ui, i) if at_work else "off" if sign == "off" else "stands by", "fg" if at_work else "dim"),
                (fmt.NONE if approach is None or not at_work else f"{approach:.1f} K", "fg" if at_work else "dim"),
                (fmt.power(ui.value("liquid.cdu_heat_w", i), 3), "fg" if at_work else "dim"),
                (fmt.percent(ui.value("liquid.cdu_valve_frac", i)), "fg"), _pumps(ui, i))


def _pumps(ui: Ui, cdu: int) -> Span:
    """Return the speeds of a CDU's pumps, in words when one is tripped; a leak before them."""
    parts, bad = [], False
    if ui.value("liquid.cdu_leak_m", cdu):
        parts, bad = ["leaks"], True
    for pump in pumps_of(ui, cdu):
        fault = bool(ui.value("liquid.pump_fault", pump))
        speed = ui.value("liquid.pump_speed_frac", pump)
        name = ui.element_name("pump", pump).rpartition(".")[2].removeprefix("pump")
        bad |= fault
        parts.append(f"{name} off" if fault else f"{name} {0 if speed is None else 100 * speed:.0f}%")
    return " ".join(parts), "bold crit" if bad else "fg"


def cdu_flow(ui: Ui, cdu: int) -> str:
    """Write the secondary flow of a CDU: litres a minute where its coolant's density is known."""
    flow, of = ui.value("liquid.cdu_flow_kg_s", cdu), getattr(ui.site.hydronics, "cdu_tcs", None)
    rho = getattr(ui.site.hydronics, "tcs", {}).get("rho_rating_kg_m3")
    if flow is None or of is None or rho is None or int(of[cdu]) < 0:
        return fmt.NONE if flow is None else f"{flow:.1f} kg/s"
    return fmt.flow(flow, float(rho[int(of[cdu])]))


def approach_k(ui: Ui, cdu: int) -> float | None:
    """Return how far a CDU's supply is above what cools it: its facility water, or the air of a liquid-to-air unit."""
    supply, air = ui.value("liquid.cdu_supply_temp_c", cdu), getattr(ui.site.hydronics, "cdu_air_rack", None)
    if air is not None and int(air[cdu]) >= 0:
        cold = ui.value("air.rack_inlet_temp_c", int(air[cdu]))
    else:
        loop = int(ui.site.hydronics.cdu_loop[cdu])
        cold = ui.value("plant.loop_supply_temp_c", loop) if loop >= 0 else None
    return None if supply is None or cold is None else supply - cold
