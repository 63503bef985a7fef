"""Signs of machines: at work, standing by, or hurt; a glyph as well as a colour."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twin.tui.ui import Ui


#: a flow below this stands still, kg/s or m3/s
STILL = 1e-3


def cdu_sign(ui: Ui, cdu: int) -> tuple[str, str]:
    """Return glyph and ink of a CDU: fault, standing by, or at work."""
    fault = ui.column("liquid.pump_fault")
    if ui.value("liquid.cdu_fault", cdu):
        return "off", "bold crit"
    if fault is not None and any(fault[pump] for pump in pumps_of(ui, cdu) if pump < len(fault)):
        return "off", "bold crit"
    flow = ui.value("liquid.cdu_flow_kg_s", cdu)
    return ("standby", "dim") if flow is not None and flow < STILL else ("unit", "ok")


def pumps_of(ui: Ui, cdu: int) -> tuple[int, ...]:
    """Return the pumps of a CDU, by their names."""
    table = ui.cache.get("pumps")
    if table is None:
        table = ui.cache["pumps"] = {}
        for i, name in enumerate(ui.names("pump")):
            table.setdefault(name.rpartition(".")[0], []).append(i)
    return tuple(table.get(ui.element_name("cdu", cdu), ()))


def crah_sign(ui: Ui, crah: int) -> tuple[str, str]:
    """Return glyph and ink of a CRAH: fault, standing by, or at work."""
    if ui.value("air.crah_fault", crah):
        return "off", "bold crit"
    flow = ui.value("air.crah_air_flow_m3_s", crah)
    return ("standby", "dim") if flow is not None and flow < STILL else ("unit", "ok")
