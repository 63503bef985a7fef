"""What can happen to the weather."""

from __future__ import annotations

from typing import Any

from twin.wiring import FaultKind


def _start(own: Any, index: int, value: float) -> None:
    own.offset_temp_k[index] = value


def _clear(own: Any, index: int) -> None:
    own.offset_temp_k[index] = 0.0


FAULTS = (
    FaultKind(
        name="heat_wave", axis="one",
        doc="The outdoor air is warmer than the weather year says, with the same moisture.",
        start=_start, clear=_clear, value_doc="K above the weather year", value_default=8.0,
        value_range=(-30.0, 30.0),
    ),
)
