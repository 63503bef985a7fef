"""What can go wrong in the plant, what can be set, and what raises an alarm."""

from __future__ import annotations

from twin.state.blocks import PlantState
from twin.wiring import AlarmKind, FaultKind, Setting


def _pump_trip(own: PlantState, loop: int, value: float) -> None:
    own.loop_pump_fault[loop] = round(value)


def _pump_clear(own: PlantState, loop: int) -> None:
    own.loop_pump_fault[loop] = 0


def _rejector_out(own: PlantState, rejector: int, value: float) -> None:
    own.rejector_fault[rejector] = round(value)


def _rejector_back(own: PlantState, rejector: int) -> None:
    own.rejector_fault[rejector] = 0


def _chiller_trip(own: PlantState, chiller: int, value: float) -> None:
    own.chiller_fault[chiller] = round(value)


def _chiller_clear(own: PlantState, chiller: int) -> None:
    # what comes back has to be loaded again; a group that was wholly off restarts
    own.chiller_fault[chiller] = 0
    if own.chiller_load_frac[chiller] == 0.0:
        own.chiller_timer_s[chiller] = 0.0


FAULTS = (
    FaultKind("loop_pump_trip", "loop", "Distribution pumps of a loop trip; the rest speed up, a spare starts; with "
              "none left the flow coasts down and the halls lose their water.", _pump_trip, _pump_clear,
              value_doc="pumps that trip", value_default=1.0, value_range=(1.0, 100.0)),
    FaultKind("rejector_out", "rejector", "Dry coolers or tower cells go out of service; the loop's supply warms when "
              "the rest cannot carry the load.", _rejector_out, _rejector_back,
              value_doc="units out of service", value_default=1.0, value_range=(1.0, 1000.0)),
    FaultKind("chiller_trip", "chiller", "Chillers trip; the rest take the load as far as they can, the loop warms by "
              "what is missing.", _chiller_trip, _chiller_clear,
              value_doc="chillers that trip", value_default=1.0, value_range=(1.0, 1000.0)),
)

SETTINGS = (
    Setting("supply_c", "loop", "loop_setpoint_c", "degC", 5.0, 60.0,
            "Supply temperature that the loop's coolers and chillers hold."),
)

ALARMS = (
    AlarmKind("loop_supply_warm", "loop", "loop_supply_error_k", ">", 3.0, 1.0, 120.0, "warning",
              "loop {name} supplies {value:.1f} K above its set-point: its coolers do not carry the load",
              "Look for units out of service and for the outdoor temperature; raise the set-point or lower the load."),
    AlarmKind("loop_low_flow", "loop", "loop_flow_frac", "<", 0.8, 0.1, 5.0, "critical",
              "loop {name} delivers {value:.0%} of the flow that the halls ask for",
              "Check the distribution pumps and their power; CDUs and CRAHs lose their cold side."),
)
