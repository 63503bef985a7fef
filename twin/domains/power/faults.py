"""What can happen to the electrical chain, and what it warns of."""

from __future__ import annotations

from typing import Any

from twin.wiring import AlarmKind, FaultKind

#: stands for every module of a UPS
ALL_MODULES = 1_000_000


def _utility_lost(own: Any, element: int, value: float) -> None:
    own.utility_up[0] = 0


def _utility_back(own: Any, element: int) -> None:
    own.utility_up[0] = 1


def _modules_failed(own: Any, element: int, value: float) -> None:
    own.ups_failed[element] = ALL_MODULES if value <= 0.0 else int(value)


def _modules_back(own: Any, element: int) -> None:
    own.ups_failed[element] = 0


def _feed_lost(own: Any, element: int, value: float) -> None:
    own.elec_up[element] = 0


def _feed_back(own: Any, element: int) -> None:
    own.elec_up[element] = 1


def _start_blocked(own: Any, element: int, value: float) -> None:
    own.generator_fault[element] = 1


def _start_freed(own: Any, element: int) -> None:
    own.generator_fault[element] = 0
    if own.generator_state[element] == 4:
        own.generator_state[element] = 0
        own.generator_timer_s[element] = 0.0


FAULTS = (
    FaultKind("utility_loss", "one", "The utility fails: UPS carry their load from batteries, generators start, "
              "what is not on a UPS stops until they take over.", _utility_lost, _utility_back),
    FaultKind("ups_fail", "ups", "Modules of a UPS fail; with too few left it goes to bypass, with none it is dead and "
              "the other path carries the racks.", _modules_failed, _modules_back,
              value_doc="modules that fail, 0 for all of them", value_default=0.0, value_range=(0.0, 10_000.0)),
    FaultKind("feed_loss", "elec", "A transformer, busway or feed opens; what hangs on it alone stops, what has "
              "a second feed moves there.", _feed_lost, _feed_back),
    FaultKind("generator_fail_start", "generator", "The generator does not start when it is called; the others carry "
              "what they can, the plant is shed first.", _start_blocked, _start_freed),
)

ALARMS = (
    AlarmKind("utility_lost", "one", "utility_up", "<", 0.5, 0.0, 0.0, "critical", "The utility is lost.",
              "Batteries and generators carry the site; shed load if a generator does not start."),
    AlarmKind("ups_on_battery", "ups", "battery_power_w", ">", 1.0, 0.0, 0.0, "warning",
              "{name} is on battery, {value:.0f} W.", "Check the path above the UPS; the battery lasts minutes."),
    AlarmKind("battery_low", "ups", "battery_frac", "<", 0.3, 0.1, 0.0, "critical",
              "The battery of {name} is down to {value:.0%}.", "Shed load, or bring a source back."),
    AlarmKind("generator_running", "generator", "generator_power_w", ">", 1.0, 0.0, 0.0, "info",
              "{name} carries {value:.0f} W.", "Watch the fuel; the site returns some minutes after the utility does."),
    AlarmKind("generator_failed", "generator", "generator_state", ">", 3.5, 0.0, 0.0, "critical",
              "{name} failed to start.", "Shed load until the running generators can carry it."),
    AlarmKind("plant_shed", "one", "plant_shed", ">", 0.5, 0.0, 0.0, "critical",
              "The cooling plant is shed: the generators cannot carry it.", "Cap the racks before they overheat."),
    AlarmKind("rack_dark", "rack", "rack_energised", "<", 0.5, 0.0, 0.0, "critical", "{name} is without power.",
              "Both of its feeds are dead; look up the tree for the common cause."),
    AlarmKind("feed_overload", "elec", "elec_load_frac", ">", 1.0, 0.02, 5.0, "critical",
              "{name} carries {value:.0%} of its rating.",
              "Cap or move load; a feed must carry its partner's share too."),
)
