"""What can go wrong in an immersion tank, what can be set, and what raises an alarm."""

from __future__ import annotations

from twin.state.blocks import LiquidState
from twin.wiring import AlarmKind, FaultKind, Setting


def _leak(own: LiquidState, tank: int, value: float) -> None:
    own.tank_leak_kg_s[tank] = value


def _leak_stop(own: LiquidState, tank: int) -> None:
    own.tank_leak_kg_s[tank] = 0.0


def _water_lost(own: LiquidState, tank: int, value: float) -> None:
    own.tank_water_frac[tank] = value


def _water_back(own: LiquidState, tank: int) -> None:
    own.tank_water_frac[tank] = 1.0


TANK_FAULTS = (
    FaultKind("tank_leak", "tank", "A tank loses fluid: its level falls until pumps draw air and boards stand bare.",
              _leak, _leak_stop, value_doc="kg/s that leak away", value_default=0.5, value_range=(0.0, 20.0)),
    FaultKind("tank_water_loss", "tank", "The facility water of a tank's exchanger or condenser is lost: a "
              "single-phase bath warms up slowly, a boiling one raises its pressure until it vents its fluid.",
              _water_lost, _water_back, value_doc="share of the water that is left", value_default=0.0),
)

TANK_SETTINGS = (
    Setting("flow_frac", "tank", "tank_flow_setpoint_frac", "frac", 0.2, 1.0, "Speed that a tank's pumps hold."),
)

TANK_ALARMS = (
    AlarmKind("tank_level", "tank", "tank_level_frac", "<", 0.93, 0.02, 5.0, "warning",
              "{name} holds {value:.0%} of its fluid",
              "Look for a leak or a venting tank; refill before boards stand bare."),
    AlarmKind("tank_vents", "tank", "tank_vent_kg_s", ">", 1e-6, 0.0, 1.0, "critical",
              "{name} vents {value:.2g} kg/s of fluid",
              "Bring its condenser's water back or take the load off its rack."),
    AlarmKind("tank_dry_out", "tank", "tank_dry_frac", ">", 0.0, 0.0, 1.0, "critical",
              "{name}: a film of vapour covers boards with {value:.0%} of its heat",
              "Take the load off: they are wetted again far below the critical flux only."),
)
