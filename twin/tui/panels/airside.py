"""Air machines of all kinds, and how well the air of each hall goes where it should."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.tui import format as fmt
from twin.tui.panels.signs import crah_sign
from twin.tui.widgets.canvas import Span
from twin.tui.widgets.table import Col, Table

if TYPE_CHECKING:
    from twin.tui.ui import Ui

#: kinds of air machines in the order of ``Floor.crah_kind``
KINDS = ("room unit", "fan wall", "in-row", "rear door")
#: coolant should stay this far above the dew point, K (ASHRAE liquid cooling guidelines ask for 2 K)
DEW_MARGIN_K = 2.0


def kind_word(ui: Ui, crah: int) -> str:
    """Return what an air machine is."""
    kinds = getattr(ui.site.floor, "crah_kind", None)
    return KINDS[int(kinds[crah])] if kinds is not None else KINDS[0]


def crah_state(ui: Ui, crah: int) -> Span:
    """Return what is wrong with an air machine, worst first."""
    sign, _ = crah_sign(ui, crah)
    if ui.value("air.crah_fault", crah):
        return "fans tripped", "bold crit"
    if ui.value("air.crah_stopped", crah) and sign != "standby":
        return "fans stand", "bold crit"
    stuck = ui.value("air.crah_valve_stuck_frac", crah)
    if stuck is not None and stuck >= 0:
        return f"valve stuck {fmt.percent(stuck)}", "bold crit"
    wet = ui.value("air.crah_condensate_kg_s", crah) or 0.0
    if wet * 3600 >= 0.05:
        return f"drips {wet * 3600:.1f} kg/h", "bold warn"
    return ("stands by", "dim") if sign == "standby" else ("well", "ok")


class CrahTable(Table):
    """Room units, fan walls, in-row coolers and rear doors: supply and return air, flow, fan, valve, heat."""

    heading = "air machines"
    nothing = "no air machine"

    def cols(self, ui: Ui) -> Sequence[Col]:
        """Return the columns."""
        return (Col("machine", 14), Col("kind", 10, least=76), Col("supply", 7, True), Col("set", 7, True, 84),
                Col("return", 7, True, 50), Col("air", 10, True, 58), Col("heat", 9, True, 92),
                Col("valve", 6, True, 66), Col("fan", 6, True), Col("state", 0))

    def items(self, ui: Ui) -> Sequence[Any]:
        """Return the machines."""
        return range(len(ui.names("crah")))

    def cells(self, ui: Ui, item: Any) -> Sequence[Span]:
        """Return one machine."""
        i = int(item)
        sign, _ = crah_sign(ui, i)
        calm = "dim" if sign == "standby" else "fg"
        supply, wanted = ui.value("air.crah_supply_temp_c", i), ui.value("air.crah_supply_setpoint_c", i)
        flow, kind = ui.value("air.crah_air_flow_m3_s", i), kind_word(ui, i)
        warm = supply is not None and wanted is not None and supply > wanted + 2 and sign == "unit"
        fan = ui.value("air.crah_fan_frac", i)
        state = crah_state(ui, i)
        blown = "none" if kind == "rear door" and not fan and state[1] == "ok" else fmt.percent(fan)
        return ((f"{ui.palette.glyph(sign)} {ui.element_name('crah', i)}", "bold crit" if sign == "off" else calm),
                (kind, "dim"), (fmt.temp(supply, "°"), "bold warn" if warm else calm), (fmt.temp(wanted, "°"), "dim"),
                (fmt.temp(ui.value("air.crah_return_temp_c", i), "°"), calm),
                (fmt.NONE if flow is None else f"{flow:.1f} m³/s", calm),
                (fmt.power(ui.value("air.crah_heat_w", i), 3), calm),
                (fmt.percent(ui.value("air.crah_valve_frac", i)), calm), (blown, calm), state)


def dew_margin_k(ui: Ui, hall: int) -> float | None:
    """Return how far the coldest coolant of a hall stays above its dew point, K; None without coolant."""
    of, supply = getattr(ui.site.hydronics, "cdu_hall", None), ui.column("liquid.cdu_supply_temp_c")
    dew, flow = ui.value("air.hall_dew_point_temp_c", hall), ui.column("liquid.cdu_flow_kg_s")
    if of is None or supply is None or dew is None or flow is None:
        return None
    here = (np.asarray(of) == hall) & (np.asarray(flow) > 1e-3)
    return float(np.asarray(supply)[here].min()) - dew if here.any() else None


def air_verdict(ui: Ui, hall: int) -> Span:
    """Return what the indices of a hall say, worst first (bounds of RCI after Herrlin, 2005)."""
    high, low = ui.value("air.hall_cooling_hi_frac", hall), ui.value("air.hall_cooling_lo_frac", hall)
    back, mixed = ui.value("air.hall_return_temp_ratio", hall), ui.value("air.hall_supply_heat_frac", hall)
    margin = dew_margin_k(ui, hall)
    if margin is not None and margin < DEW_MARGIN_K:
        return "near dew point", "bold crit"
    if high is not None and high < 0.91:
        return "inlets too warm", "bold crit"
    if high is not None and high < 0.96:
        return "warm inlets", "bold warn"
    if mixed is not None and mixed > 0.3:
        return "exhaust comes back", "warn"
    if back is not None and 0 < back < 0.7:
        return "supply air bypasses", "dim"
    return ("cold inlets", "dim") if low is not None and low < 0.91 else ("well", "ok")


class HallAirTable(Table):
    """Humidity and the indices of the air, hall by hall."""

    heading = "air of the halls"
    nothing = "no hall"

    def head(self, ui: Ui, items: Sequence[Any]) -> tuple[Span, ...]:
        """Return the heading and what good values are."""
        return (*super().head(ui, items), ("  good: SHI low, RTI 1, RCI 96 % or more", "dim"))

    def cols(self, ui: Ui) -> Sequence[Col]:
        """Return the columns."""
        return (Col("hall", 6), Col("dew", 7, True), Col("over", 7, True, 44), Col("SHI", 6, True),
                Col("RHI", 6, True, 62), Col("RTI", 6, True),
                Col("RCI hi", 8, True), Col("RCI lo", 8, True, 68), Col("capture", 9, True, 76),
                Col("state", 0, least=52))

    def items(self, ui: Ui) -> Sequence[Any]:
        """Return the halls."""
        return range(len(ui.names("hall")))

    def cells(self, ui: Ui, item: Any) -> Sequence[Span]:
        """Return one hall."""
        i = int(item)
        capture = ui.column("air.rack_capture_frac")
        of = np.asarray(ui.site.topology.rack_hall)
        mean = float(np.asarray(capture)[of == i].mean()) if capture is not None and (of == i).any() else None
        margin = dew_margin_k(ui, i)
        near = margin is not None and margin < DEW_MARGIN_K
        high = ui.value("air.hall_cooling_hi_frac", i)
        return ((ui.element_name("hall", i), "fg"), (fmt.temp(ui.value("air.hall_dew_point_temp_c", i), "°"), "fg"),
                (fmt.NONE if margin is None else f"{margin:+.1f}K", "bold crit" if near else "fg"),
                (_index(ui, "supply_heat_frac", i), "fg"), (_index(ui, "return_heat_frac", i), "dim"),
                (_index(ui, "return_temp_ratio", i), "fg"),
                (fmt.percent(high), "bold warn" if high is not None and high < 0.96 else "fg"),
                (fmt.percent(ui.value("air.hall_cooling_lo_frac", i)), "fg"), (fmt.percent(mean), "fg"),
                air_verdict(ui, i))


def _index(ui: Ui, name: str, hall: int) -> str:
    """Write an index of a hall's air; there is none in a hall that no machine supplies."""
    supplied = ui.value("air.hall_return_temp_ratio", hall)
    return fmt.ratio(ui.value(f"air.hall_{name}", hall)) if supplied else fmt.NONE
