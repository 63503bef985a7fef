"""What can go wrong in the row loops, what can be set, and what raises an alarm."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twin.domains.liquid.tank_faults import TANK_ALARMS, TANK_FAULTS, TANK_SETTINGS
from twin.state.blocks import LiquidState
from twin.wiring import AlarmKind, FaultKind, Setting

#: flow resistance of a partly mated coupling, and of a stuck valve, over nominal (engineering estimates)
COUPLING_FACTOR, VALVE_FACTOR = 5.0, 1000.0
MM = 1e-3


def _writer(column: str, scale: float = 1.0) -> Callable[[LiquidState, int, float], None]:
    """Return what writes a fault's value, in the column's unit."""
    def start(own: LiquidState, element: int, value: float) -> None:
        getattr(own, column)[element] = scale * value
    return start


def _flag(column: str) -> Callable[[LiquidState, int, float], None]:
    """Return what sets a flag, whatever the fault's value."""
    def start(own: LiquidState, element: int, value: float) -> None:
        getattr(own, column)[element] = 1
    return start


def _rest(column: str, value: float = 0.0) -> Callable[[LiquidState, int], None]:
    """Return what brings a column back to its value without a fault."""
    def clear(own: LiquidState, element: int) -> None:
        getattr(own, column)[element] = value
    return clear


def _is_set(column: str) -> Callable[[LiquidState, int], bool]:
    """Return what tells whether a flag is up."""
    def held(own: LiquidState, element: int) -> bool:
        return bool(getattr(own, column)[element])
    return held


def _air_in(own: LiquidState, rack: int, value: float) -> None:
    own.rack_air_frac[rack] = value
    own.rack_plate_r_factor[rack] = 1.0 + value


def _air_out(own: LiquidState, rack: int) -> None:
    own.rack_air_frac[rack] = 0.0
    own.rack_plate_r_factor[rack] = 1.0


def _new_filter(own: LiquidState, rack: int) -> None:
    own.rack_filter_rate_ratio[rack] = 0.0
    own.rack_filter_factor[rack] = 1.0


def _reset_rack(own: LiquidState, rack: int) -> None:
    own.rack_protected[rack] = 0
    own.rack_low_flow_s[rack] = 0.0


def _rack_without_coolant(site: Any, rack: int) -> str:
    return "" if site.hydronics.rack_tcs[rack] >= 0 else "has no coolant from a row loop"


def _tray_without_coolant(site: Any, node: int) -> str:
    return _rack_without_coolant(site, int(site.topology.node_rack[node]))


FAULTS = (
    FaultKind("cdu_pump_trip", "pump", "A CDU pump trips and coasts down; the row's other pumps speed up and a spare "
              "starts, if there is one.", _flag("pump_fault"), _rest("pump_fault")),
    FaultKind("cdu_off", "cdu", "A CDU goes out of service: its pumps stop and its valve stays; a spare takes over, "
              "if there is one.", _flag("cdu_fault"), _rest("cdu_fault")),
    FaultKind("cdu_valve_stuck", "cdu", "A CDU's primary valve sticks, so its supply temperature drifts with load and "
              "facility water.", _writer("cdu_valve_stuck_frac"), _rest("cdu_valve_stuck_frac", -1.0),
              value_doc="position at which it sticks, 0 shut, 1 open", value_default=0.2),
    FaultKind("cdu_leak", "cdu", "A hose at a CDU's secondary outlet leaks: the row loses coolant, then pressure, and "
              "at the pressure trip its pumps.", _writer("cdu_leak_m", MM), _rest("cdu_leak_m"),
              "diameter of the hole, mm", 5.0, (0.1, 50.0)),
    FaultKind("tcs_pressure_trip", "tcs", "A row's pumps stop on low pressure. Clearing it resets the trip, also one "
              "that came by itself.", _flag("tcs_tripped"), _rest("tcs_tripped"), held=_is_set("tcs_tripped")),
    FaultKind("rack_branch_blocked", "rack", "A rack's branch is throttled or shut; its coolant returns hotter and its "
              "chips warm up.", _writer("rack_valve_frac"), _rest("rack_valve_frac", 1.0),
              value_doc="flow conductance that is left, 0 for none", value_default=0.3, moot=_rack_without_coolant),
    FaultKind("rack_valve_stuck", "rack", "A rack's flow valve sticks nearly shut: a little coolant still passes, too "
              "little for its chips.", _writer("rack_valve_k_factor"), _rest("rack_valve_k_factor", 1.0),
              "flow resistance over nominal", VALVE_FACTOR, (1.0, 1e6), moot=_rack_without_coolant),
    FaultKind("rack_coupling_half_mated", "rack", "A rack's quick disconnects are not fully seated: they resist the "
              "flow, and the rack gets less than its neighbours.", _writer("rack_coupling_factor"),
              _rest("rack_coupling_factor", 1.0), "resistance of the couplings over nominal", COUPLING_FACTOR,
              (1.0, 1000.0), moot=_rack_without_coolant),
    FaultKind("tray_branch_blocked", "node", "A liquid-cooled tray's couplings are half mated or its cold plates "
              "clogged: its chips warm up, the rack's other trays get a little more.", _writer("node_valve_frac"),
              _rest("node_valve_frac", 1.0), "flow conductance that is left, 0 for none", 0.7,
              moot=_tray_without_coolant),
    FaultKind("rack_filter_clog", "rack", "A rack's filter clogs with time; its flow falls slowly until the filter is "
              "renewed.", _writer("rack_filter_rate_ratio"), _new_filter,
              "growth per hour, in resistances of the clean filter", 50.0, (0.0, 10_000.0),
              moot=_rack_without_coolant),
    FaultKind("rack_air_ingestion", "rack", "Air gets into a rack's coolant: less flow, and cold plates that conduct "
              "half as well.", _air_in, _air_out, "1 for 30 % less flow and twice the plates' resistance", 1.0,
              moot=_rack_without_coolant),
    FaultKind("rack_leak", "rack", "A rack's supply leaks: coolant is lost before the cold plates, and the row's "
              "pressure falls.", _writer("rack_leak_m", MM), _rest("rack_leak_m"), "diameter of the hole, mm", 3.0,
              (0.1, 50.0), moot=_rack_without_coolant),
    FaultKind("rack_protection", "rack", "A rack switches itself off; the jobs on it are interrupted. Clearing it "
              "resets the rack, also one that lost its cooling and switched itself off.", _flag("rack_protected"),
              _reset_rack, held=_is_set("rack_protected")),
    *TANK_FAULTS,
)

SETTINGS = (
    Setting("supply_c", "cdu", "cdu_supply_setpoint_c", "degC", 10.0, 52.0,
            "Secondary supply temperature that the CDU's primary valve holds."),
    Setting("dp_pa", "tcs", "tcs_dp_setpoint_pa", "Pa", 5_000.0, 300_000.0,
            "Differential pressure that the row's pumps hold across the racks."),
    Setting("hold_return", "tcs", "tcs_hold_return", "ratio", 0.0, 1.0,
            "1 lets the row's pumps hold the return temperature, 0 the pressure."),
    Setting("return_c", "tcs", "tcs_return_limit_c", "degC", 20.0, 70.0,
            "Return temperature that the row's pumps hold, when they do."),
    Setting("lead", "tcs", "tcs_lead_pump", "index", 0.0, 1000.0,
            "Pump that leads, counted from 0 along the row: duty begins with it, spares are those at the end."),
    *TANK_SETTINGS,
)

ALARMS = (
    AlarmKind("cdu_pump_off", "pump", "pump_fault", ">", 0.5, 0.0, 2.0, "warning", "{name} is tripped",
              "See whether the row keeps its flow and supply temperature; the next failure may find no spare."),
    AlarmKind("cdu_supply_warm", "cdu", "cdu_supply_error_k", ">", 3.0, 1.0, 60.0, "warning",
              "{name} supplies {value:.1f} K above its set-point",
              "See whether its primary valve is open, the plant loop cold and its flow there; lower the load."),
    AlarmKind("tcs_low_flow", "tcs", "tcs_flow_frac", "<", 0.5, 0.1, 2.0, "critical",
              "{name} flows at {value:.0%} of design: its racks lose their coolant",
              "Check the row's pumps and their power; stop the jobs on its racks before the chips shut down."),
    AlarmKind("tcs_leak", "tcs", "tcs_leak_kg_s", ">", 0.0, 0.0, 5.0, "warning", "{name} leaks {value:.2f} kg/s",
              "Find the hole and isolate it; the make-up tank does not last, and at the pressure trip the pumps stop."),
    AlarmKind("tcs_pressure_low", "tcs", "tcs_tripped", ">", 0.5, 0.0, 0.0, "critical",
              "{name} has lost its pressure: its pumps are stopped",
              "Close the leak, fill the loop, then reset the trip (clear tcs_pressure_trip)."),
    AlarmKind("rack_off", "rack", "rack_protected", ">", 0.5, 0.0, 0.0, "critical",
              "{name} has switched itself off for want of cooling",
              "Bring its coolant or cold air back, then reset the rack (clear rack_protection)."),
    *TANK_ALARMS,
)
