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


FAULTS = (
    FaultKind(
        name="crah_fan_trip", axis="crah",
        doc="The CRAH's fans trip and run down within seconds; its water valve closes, the others speed up.",
        start=_trip, clear=_untrip,
    ),
    FaultKind(
        name="rack_fan_degraded", axis="rack",
        doc="Server fans of the rack reach only a share of the speed asked for, as after fan failures.",
        start=_degrade, clear=_restore, value_doc="share of the speed that is left", value_default=0.6,
        value_range=(0.0, 1.0),
    ),
)

SETTINGS = (
    Setting(name="supply_air_c", axis="crah", column="crah_supply_setpoint_c", unit="degC", lo=12.0, hi=35.0,
            doc="Set-point of the CRAH's supply air."),
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
        name="crah_off", axis="crah", column="crah_fan_frac", op="<", threshold=0.05, hysteresis=0.05, delay_s=5.0,
        severity="warning", message="{name} moves no air",
        advice="see whether its fan is tripped or its power is gone; the other CRAHs run faster meanwhile",
    ),
)
