"""What can happen to chips, and what is worth an alarm."""

from __future__ import annotations

from typing import Any

from twin._kernels.chip import OPEN_LIMIT
from twin.wiring import AlarmKind, FaultKind

#: bit of ``gpu_throttle``: shut down, by its own protection or by a fault.
SHUT_DOWN = 0x200


def shut_down(own: Any, gpu: int, value: float) -> None:
    """The GPU falls off the bus: no power, no work."""
    own.gpu_throttle[gpu] = SHUT_DOWN
    own.gpu_clock_frac[gpu] = 0.0


def bring_back(own: Any, gpu: int) -> None:
    """The GPU is reset: every throttle is forgotten."""
    own.gpu_throttle[gpu] = 0
    own.gpu_limit_frac[gpu] = OPEN_LIMIT


def is_off(own: Any, gpu: int) -> bool:
    """Tell whether the GPU shut itself down; it stays so until an operator resets it."""
    return bool(own.gpu_throttle[gpu] & SHUT_DOWN)


def wear_interface(own: Any, gpu: int, value: float) -> None:
    """The thermal interface between lid and plate conducts less."""
    own.gpu_r_factor[gpu] = value


def renew_interface(own: Any, gpu: int) -> None:
    """The interface is as new."""
    own.gpu_r_factor[gpu] = 1.0


FAULTS = (
    FaultKind("gpu_shutdown", "gpu", "A GPU falls off the bus: it draws nothing, its job is interrupted and its node "
              "gets no other. Clearing it resets the chip, also one that shut itself down.",
              shut_down, bring_back, held=is_off),
    FaultKind("gpu_thermal_interface", "gpu", "A GPU's thermal interface dries out, so the chip runs hotter.",
              wear_interface, renew_interface, "resistance from lid to plate over nominal", 3.0, (1.0, 20.0)),
)

ALARMS = (
    AlarmKind("chip_throttle", "rack", "rack_throttled", ">", 0.0, 0.0, 2.0, "warning",
              "{value:.0f} GPUs of {name} are throttled by temperature or shut down",
              "Look at the coolant's flow and supply temperature, or lower the rack's power cap."),
    AlarmKind("gpu_hot", "rack", "rack_gpu_temp_c_max", ">", "rack_temp_limit_c", 2.0, 5.0, "warning",
              "the hottest GPU of {name} is at {value:.1f} °C, near its limit (warned at {threshold:.0f} °C)",
              "Look at the coolant's flow and supply temperature before the clock goes down."),
)
