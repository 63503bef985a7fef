"""What can go wrong in the row loops, what can be set, and what raises an alarm."""

from __future__ import annotations

from twin.domains.liquid.tank_faults import TANK_ALARMS, TANK_FAULTS, TANK_SETTINGS
from twin.state.blocks import LiquidState
from twin.wiring import AlarmKind, FaultKind, Setting


def _pump_trip(own: LiquidState, pump: int, value: float) -> None:
    own.pump_fault[pump] = 1


def _pump_clear(own: LiquidState, pump: int) -> None:
    own.pump_fault[pump] = 0


def _cdu_off(own: LiquidState, cdu: int, value: float) -> None:
    own.cdu_fault[cdu] = 1


def _cdu_on(own: LiquidState, cdu: int) -> None:
    own.cdu_fault[cdu] = 0


def _valve_stick(own: LiquidState, cdu: int, value: float) -> None:
    own.cdu_valve_stuck_frac[cdu] = value


def _valve_free(own: LiquidState, cdu: int) -> None:
    own.cdu_valve_stuck_frac[cdu] = -1.0


def _branch_block(own: LiquidState, rack: int, value: float) -> None:
    own.rack_valve_frac[rack] = value


def _branch_open(own: LiquidState, rack: int) -> None:
    own.rack_valve_frac[rack] = 1.0


FAULTS = (
    FaultKind("cdu_pump_trip", "pump", "A CDU pump trips and coasts down; the row's other pumps speed up and a spare "
              "starts, if there is one.", _pump_trip, _pump_clear),
    FaultKind("cdu_off", "cdu", "A CDU goes out of service: its pumps stop and its valve stays; a spare takes over, "
              "if there is one.", _cdu_off, _cdu_on),
    FaultKind("cdu_valve_stuck", "cdu", "A CDU's primary valve sticks, so its supply temperature drifts with load and "
              "facility water.", _valve_stick, _valve_free, value_doc="position at which it sticks, 0 shut, 1 open",
              value_default=0.2),
    FaultKind("rack_branch_blocked", "rack", "A rack's branch is throttled (valve, clogged filter, half-mated "
              "coupling); its coolant returns hotter and its chips warm up.", _branch_block, _branch_open,
              value_doc="flow conductance that is left, 0 for none", value_default=0.3),
    *TANK_FAULTS,
)

SETTINGS = (
    Setting("supply_c", "cdu", "cdu_supply_setpoint_c", "degC", 10.0, 52.0,
            "Secondary supply temperature that the CDU's primary valve holds."),
    Setting("dp_pa", "tcs", "tcs_dp_setpoint_pa", "Pa", 5_000.0, 300_000.0,
            "Differential pressure that the row's pumps hold across the racks."),
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
    *TANK_ALARMS,
)
