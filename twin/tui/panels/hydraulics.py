"""Row loops with what they hold and lose, and immersion tanks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.tui import format as fmt
from twin.tui.panels.hall import hurt_racks
from twin.tui.panels.rack import blocked_trays
from twin.tui.widgets.canvas import Span
from twin.tui.widgets.table import Col, Table

if TYPE_CHECKING:
    from twin.tui.ui import Ui

#: flow below which an operator should look at a row, over its design flow
SHORT_FLOW = 0.3


def racks_of(ui: Ui, tcs: int) -> range:
    """Return the racks of a row loop."""
    ptr = getattr(ui.site.hydronics, "tcs_rack_ptr", None)
    return range(0) if ptr is None else range(int(ptr[tcs][0]), int(ptr[tcs][1]))


def _in_row(ui: Ui, column: str, racks: range) -> Any:
    values = ui.column(column)
    return np.zeros(0) if values is None or not len(racks) else np.asarray(values)[racks.start:racks.stop]


def row_state(ui: Ui, tcs: int) -> Span:
    """Return what is wrong with a row loop, worst first."""
    racks = racks_of(ui, tcs)
    off = int((_in_row(ui, "liquid.rack_protected", racks) != 0).sum())
    if ui.value("liquid.tcs_tripped", tcs):
        return "low pressure, tripped", "bold crit"
    if off:
        return f"{off} racks off", "bold crit"
    leak = ui.value("liquid.tcs_leak_kg_s", tcs) or 0.0
    if leak > 0:
        return f"leaks {60 * leak:.1f} kg/min", "bold crit"
    for column, least, word in (("rack_air_frac", 0.01, "air in"), ("rack_valve_frac", None, "shut"),
                                ("rack_coupling_factor", 1.5, "loose coupling"),
                                ("rack_filter_factor", 2.0, "clogged"), ("rack_valve_k_factor", 1.5, "stuck valve")):
        part = _in_row(ui, f"liquid.{column}", racks)
        bad = part < 0.99 if least is None else part > least
        if bad.any():
            where = ui.element_name("rack", racks.start + int(np.flatnonzero(bad)[0]))
            return f"{word} {where}", "bold warn"
    trays = blocked_trays(ui, racks)
    if trays:
        return f"shut {ui.element_name('node', trays[0])}", "bold warn"
    share = ui.value("liquid.tcs_flow_frac", tcs)
    return (f"flow {fmt.percent(share)}", "bold warn") if share is not None and share < SHORT_FLOW else ("well", "ok")


def hurt_rows(ui: Ui) -> Any:
    """Return a flag for each row loop: something is wrong with it or with one of its racks."""
    flags = np.zeros(len(ui.names("tcs")), dtype=bool)
    for name, wrong in (("tripped", lambda v: v != 0), ("leak_kg_s", lambda v: v > 0),
                        ("flow_frac", lambda v: v < SHORT_FLOW)):
        column = ui.column(f"liquid.tcs_{name}")
        if column is not None:
            flags |= wrong(np.asarray(column))
    racks = hurt_racks(ui)
    if racks is not None:
        for i in range(len(flags)):
            here = racks_of(ui, i)
            flags[i] |= bool(racks[here.start:here.stop].any())
    return flags


class RowTable(Table):
    """Row loops: flow, pressure, coolant held and lost, racks that switched themselves off."""

    heading = "row loops"
    nothing = "no row loop"

    def cols(self, ui: Ui) -> Sequence[Col]:
        """Return the columns."""
        longest = max((len(name.removesuffix(".tcs")) for name in ui.names("tcs")), default=5)
        return (Col("row", max(7, longest + 2)), Col("flow", 11, True), Col("design", 7, True, 64),
                Col("Δp", 7, True, 50), Col("pressure", 9, True, 72), Col("holds", 8, True), Col("lost", 8, True, 58),
                Col("spare", 8, True, 80), Col("state", 0))

    def items(self, ui: Ui) -> Sequence[Any]:
        """Return the row loops, those with something wrong first."""
        hurt = hurt_rows(ui)
        return np.argsort(~hurt, kind="stable").tolist()

    def cells(self, ui: Ui, item: Any) -> Sequence[Span]:
        """Return one row loop."""
        i = int(item)
        rho = getattr(ui.site.hydronics, "tcs", {}).get("rho_rating_kg_m3")
        density = float(rho[i]) if rho is not None else 1000.0
        dp, pressure = ui.value("liquid.tcs_dp_pa", i), ui.value("liquid.tcs_pressure_pa", i)
        lost = ui.value("liquid.tcs_leaked_kg", i)
        return ((ui.element_name("tcs", i).removesuffix(".tcs"), "fg"),
                (fmt.flow(ui.value("liquid.tcs_flow_kg_s", i), density), "fg"),
                (fmt.percent(ui.value("liquid.tcs_flow_frac", i)), "dim"),
                (fmt.NONE if dp is None else f"{dp / 1e3:.0f} kPa", "fg"),
                (fmt.NONE if pressure is None else f"{pressure / 1e5:.2f} bar", "fg"),
                (kilograms(ui.value("liquid.tcs_inventory_kg", i)), "fg"),
                (kilograms(lost) if lost else "", "bold warn"), (kilograms(ui.value("liquid.tcs_tank_kg", i)), "dim"),
                row_state(ui, i))


def kilograms(value: float | None) -> str:
    """Write a mass of coolant."""
    return fmt.NONE if value is None else f"{value:.0f} kg"


def tank_state(ui: Ui, tank: int) -> Span:
    """Return what is wrong with a tank, worst first."""
    rack = int(ui.site.hydronics.tanks.rack[tank])
    if ui.value("liquid.rack_protected", rack):
        return "rack off", "bold crit"
    dry = ui.value("liquid.tank_dry_frac", tank) or 0.0
    if dry > 0:
        return f"dried out {fmt.percent(dry)}", "bold crit"
    for column, word in (("tank_vent_kg_s", "vents"), ("tank_leak_kg_s", "leaks")):
        rate = ui.value(f"liquid.{column}", tank) or 0.0
        if rate > 0:
            return f"{word} {60 * rate:.1f} kg/min", "bold crit"
    water = ui.value("liquid.tank_water_frac", tank)
    if water is not None and water < 0.99:
        return f"water {fmt.percent(water)}", "bold warn"
    level = ui.value("liquid.tank_level_frac", tank)
    return ("low", "bold warn") if level is not None and level < 0.93 else ("well", "ok")


class TankTable(Table):
    """Immersion tanks: bath, level, pressure over a boiling one, how near its boards are to drying out."""

    heading = "immersion tanks"
    nothing = "no tank"

    def cols(self, ui: Ui) -> Sequence[Col]:
        """Return the columns."""
        return (Col("rack", 8), Col("bath", 14, True), Col("level", 7, True), Col("fluid", 9, True, 64),
                Col("pressure", 10, True, 54), Col("boiling", 8, True, 74), Col("lost", 8, True, 84), Col("state", 0))

    def items(self, ui: Ui) -> Sequence[Any]:
        """Return the tanks."""
        return range(len(ui.names("tank")))

    def cells(self, ui: Ui, item: Any) -> Sequence[Span]:
        """Return one tank."""
        i = int(item)
        tanks = ui.site.hydronics.tanks
        rack, boils = int(tanks.rack[i]), bool(tanks.two_phase[i])
        low, high = ui.value("liquid.rack_supply_temp_c", rack), ui.value("liquid.rack_return_temp_c", rack)
        bath = fmt.temp(high, "°") if boils else f"{fmt.temp(low, '')}..{fmt.temp(high, '°')}"
        gauge, lost = ui.value("liquid.tank_gauge_pa", i), ui.value("liquid.tank_lost_kg", i)
        return ((ui.element_name("rack", rack), "fg"), (bath, "fg"),
                (fmt.percent(ui.value("liquid.tank_level_frac", i)), "fg"),
                (kilograms(ui.value("liquid.tank_fluid_kg", i)), "fg"),
                (f"{gauge / 1e3:+.1f} kPa" if boils and gauge is not None else "open", "fg" if boils else "dim"),
                (fmt.percent(ui.value("liquid.tank_flux_ratio", i)) if boils else "", "fg"),
                (kilograms(lost) if lost else "", "bold warn"), tank_state(ui, i))
