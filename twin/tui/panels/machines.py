"""One line about the selected machine: what it does, how it stands, what one can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twin.tui import format as fmt
from twin.tui.panels.airside import DEW_MARGIN_K, CrahTable, HallAirTable, air_verdict, crah_state, kind_word
from twin.tui.panels.cooling import CduTable, LoopTable, approach_k
from twin.tui.panels.hydraulics import RowTable, TankTable, racks_of, row_state, tank_state
from twin.tui.panels.loops import mode_of
from twin.tui.panels.signs import cdu_sign
from twin.tui.widgets.canvas import Row, Span
from twin.tui.widgets.table import Table

if TYPE_CHECKING:
    from twin.catalog.entry import Entry
    from twin.tui.ui import Ui


def estimates(entry: Entry | None) -> str:
    """Return how much of a catalogue entry is an engineering estimate, as it is marked on the screen."""
    if entry is None:
        return ""
    guessed = sum(value.grade == "estimate" for value in entry.values.values())
    return f"  {entry.name}: {guessed}/{len(entry.values)} estimates" if guessed else f"  {entry.name}"


def entry_of(part: Any, name: str, index: int) -> Entry | None:
    """Return the catalogue entry of an element of a part of the site, None when the part does not keep it."""
    entries = getattr(part, name, ())
    found: Entry | None = entries[index] if 0 <= index < len(entries) else None
    return found


def explain_machine(ui: Ui, table: Table, item: Any) -> Row:
    """Say in one line what the selected row of a cooling table is, how it stands, and what one can do."""
    if isinstance(table, CduTable):
        return explain_cdu(ui, int(item))
    if isinstance(table, CrahTable):
        return explain_crah(ui, int(item))
    if isinstance(table, RowTable):
        i = int(item)
        racks = racks_of(ui, i)
        return (*_said(ui.element_name("tcs", i), row_state(ui, i)),
                (f"; holds the coolant of {len(racks)} racks; pressure falls when it leaks, s sets Δp", "dim"))
    if isinstance(table, TankTable):
        i = int(item)
        return (*_said(ui.element_name("tank", i), tank_state(ui, i)), (estimates(_tank_entry(ui, i)), "dim"),
                ("; above 100 % boiling the boards dry out; a low bath switches its rack off", "dim"))
    if isinstance(table, HallAirTable):
        i = int(item)
        return (*_said(f"hall {ui.element_name('hall', i)}", air_verdict(ui, i)),
                (f"; coolant {DEW_MARGIN_K:.0f} K over dew point; SHI: exhaust in inlets; RTI<1: bypass", "dim"))
    if isinstance(table, LoopTable):
        return explain_loop(ui, int(item))
    axis, i = item
    part = ui.site.hydronics
    entry = entry_of(part, f"{axis}_entries", i)
    words = "gives the heat to the outdoor air" if axis == "rejector" else "lifts heat above outdoor temperature"
    return ((ui.element_name(axis, i), "bold fg"), (f" {words}", "fg"), (estimates(entry), "dim"))


def _said(name: str, state: Span) -> Row:
    return ((name, "bold fg"), (" ", ""), state)


def _tank_entry(ui: Ui, tank: int) -> Entry | None:
    """Return the catalogue entry of the rack in a tank: it holds the vessel's figures too."""
    tanks, topology = getattr(ui.site.hydronics, "tanks", None), ui.site.topology
    if tanks is None or tank >= len(tanks.rack):
        return None
    entry: Entry = topology.rack_entries[int(topology.rack_class[int(tanks.rack[tank])])]
    return entry


def explain_cdu(ui: Ui, cdu: int) -> Row:
    """Say how a CDU stands."""
    supply, wanted = ui.value("liquid.cdu_supply_temp_c", cdu), ui.value("liquid.cdu_supply_setpoint_c", cdu)
    approach, valve = approach_k(ui, cdu), ui.value("liquid.cdu_valve_frac", cdu)
    warm = supply is not None and wanted is not None and supply > wanted + 2
    spans: list[Span] = [(ui.element_name("cdu", cdu), "bold fg")]
    entry: Span = (estimates(entry_of(ui.site.hydronics, "cdu_entries", cdu)), "dim")
    flow, sign = ui.value("liquid.cdu_flow_kg_s", cdu), cdu_sign(ui, cdu)[0]
    if ui.value("liquid.cdu_fault", cdu):
        return (*spans, (" is out of service: its pumps stand", "bold crit"), entry)
    if flow is not None and flow < 1e-3:
        still: Span = (" stands by, ready to take over", "dim") if sign == "standby" else \
            (" moves no coolant: pumps off; the rows' heat stays in the racks", "bold crit")
        return (*spans, still, entry)
    if sign == "off":
        spans.append((" runs on the pumps it has left,", "bold warn"))
    if warm and supply is not None and wanted is not None:
        open_wide = valve is not None and valve > 0.97
        spans.append((f" {supply - wanted:.1f} K over its set-point"
                      + (", valve wide open: the water is too warm or short" if open_wide else ""), "bold warn"))
    else:
        spans.append((f" holds {fmt.temp(wanted)}", "fg"))
    if approach is not None:
        spans.append((f"; approach {approach:.1f} K", "fg"))
    return (*spans, entry)


def explain_crah(ui: Ui, crah: int) -> Row:
    """Say how an air machine stands."""
    entry = entry_of(ui.site.floor, "crah_entries", crah)
    return (*_said(ui.element_name("crah", crah), crah_state(ui, crah)), (f"; {kind_word(ui, crah)}", "fg"),
            (estimates(entry), "dim"), ("; a failure shows first in the inlets near it", "dim"))


def explain_loop(ui: Ui, loop: int) -> Row:
    """Say how a plant loop stands."""
    supply, wanted = ui.value("plant.loop_supply_temp_c", loop), ui.value("plant.loop_setpoint_c", loop)
    warm = supply is not None and wanted is not None and supply > wanted + 2
    state: Span = ("too warm: heat rejection is short" if warm else mode_of(ui, loop), "bold warn" if warm else "fg")
    return (*_said(fmt.clean(ui.element_name("loop", loop)), state),
            ("; water between halls and sky, s changes its set-point", "dim"))
