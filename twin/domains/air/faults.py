"""What can happen to the halls' air, what can be set, and what deserves an alarm."""

from __future__ import annotations

from typing import Any

from twin.wiring import AlarmKind, FaultKind, Setting


def _trip(own: Any, index: int, value: float) -> None:
    own.crah_fault[index] = 1


def _untrip(own: Any, index: int) -> None:
    own.crah_fault[index] = 0


def _degrade(own: Any, index: int, value: float) -> None:
    own.rack_fan_limit_frac[index] = value


def _restore(own: Any, index: int) -> None:
    own.rack_fan_limit_frac[index] = 1.0


def _stick(own: Any, index: int, value: float) -> None:
    own.crah_valve_stuck_frac[index] = value


def _unstick(own: Any, index: int) -> None:
    own.crah_valve_stuck_frac[index] = -1.0


def _flow_changes(own: Any) -> None:
    own.flow_version[0] += 1
    own.hall_trace_due[:] = 1


def _remove_panels(own: Any, index: int, value: float) -> None:
    own.rack_gap_frac[index] = value
    _flow_changes(own)


def _put_panels(own: Any, index: int) -> None:
    _remove_panels(own, index, 0.0)


def _open_door(own: Any, index: int, value: float) -> None:
    own.aisle_door_frac[index] = value
    _flow_changes(own)


def _shut_door(own: Any, index: int) -> None:
    _open_door(own, index, 0.0)


FAULTS = (
    FaultKind(
        name="crah_fan_trip", axis="crah",
        doc="Fans of an air machine trip and run down within seconds. A CRAH, fan wall or in-row cooler closes its "
            "water valve and the others speed up; a rear door with fans becomes a resistance to the servers' fans.",
        start=_trip, clear=_untrip,
    ),
    FaultKind(
        name="coil_valve_stuck", axis="crah",
        doc="The water valve of an air machine (CRAH, in-row cooler, rear door) sticks, so its supply air drifts with "
            "load and water; stuck shut, its heat goes to the room.",
        start=_stick, clear=_unstick, value_doc="position at which it sticks, 0 shut, 1 open", value_default=0.0,
        value_range=(0.0, 1.0),
    ),
    FaultKind(
        name="rack_fan_degraded", axis="rack",
        doc="Server fans of the rack reach only a share of the speed asked for, as after fan failures.",
        start=_degrade, clear=_restore, value_doc="share of the speed that is left", value_default=0.6,
        value_range=(0.0, 1.0),
    ),
    FaultKind(
        name="blanking_panel_missing", axis="rack",
        doc="Blanking panels of a rack are missing: its own exhaust comes back through the gap and warms its inlet, "
            "and that of no other rack.",
        start=_remove_panels, clear=_put_panels, value_doc="share of the rack's face that is open", value_default=0.2,
        value_range=(0.0, 1.0),
    ),
    FaultKind(
        name="aisle_door_open", axis="aisle",
        doc="The door at the end of a contained aisle stands open: supply air escapes or warm air comes in, most at "
            "that end of the aisle.",
        start=_open_door, clear=_shut_door, value_doc="share of the aisle's end that is open", value_default=1.0,
        value_range=(0.0, 1.0),
    ),
)

SETTINGS = (
    Setting(name="supply_air_c", axis="crah", column="crah_supply_setpoint_c", unit="degC", lo=12.0, hi=35.0,
            doc="Set-point of the air that a CRAH, fan wall, in-row cooler or rear door supplies."),
    Setting(name="makeup_dew_point_c", axis="hall", column="hall_makeup_dew_point_c", unit="degC", lo=-9.0, hi=35.0,
            doc="Dew point that the hall's make-up air is dried to; higher lets the weather's moisture in."),
)

ALARMS = (
    AlarmKind(
        name="rack_inlet_hot", axis="rack", column="rack_inlet_temp_c", op=">", threshold=32.0, hysteresis=1.0,
        delay_s=10.0, severity="critical",
        message="air into {name} is at {value:.1f} °C, above the allowable {threshold:.0f} °C of ASHRAE class A1",
        advice="look for a stopped CRAH, warm supply air or exhaust that comes back over the racks",
    ),
    AlarmKind(
        name="rack_inlet_warm", axis="rack", column="rack_inlet_temp_c", op=">", threshold=27.0, hysteresis=0.5,
        delay_s=60.0, severity="info",
        message="air into {name} is at {value:.1f} °C, above the recommended {threshold:.0f} °C",
        advice="more air or colder supply air; compare with the rack's neighbours",
    ),
    AlarmKind(
        name="crah_off", axis="crah", column="crah_stopped", op=">", threshold=0.5, hysteresis=0.0, delay_s=5.0,
        severity="warning", message="{name} moves no air",
        advice="see whether its fan is tripped or its power is gone; the other CRAHs run faster meanwhile",
    ),
    AlarmKind(
        name="coil_wet", axis="crah", column="crah_condensate_kg_s", op=">", threshold=1e-5, hysteresis=0.0,
        delay_s=60.0, severity="info",
        message="water condenses on {name}: its coil is below the dew point of the hall",
        advice="warmer water saves the latent heat; see whether the make-up air is dry enough",
    ),
)
