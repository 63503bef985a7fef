"""What can happen to the price of electricity."""

from __future__ import annotations

from typing import Any

from twin.wiring import AlarmKind, FaultKind


def _spike(own: Any, element: int, value: float) -> None:
    own.price_factor[0] = value


def _calm(own: Any, element: int) -> None:
    own.price_factor[0] = 1.0


FAULTS = (
    FaultKind("price_spike", "one", "Scarcity on the market: every kilowatt-hour costs a multiple of its price.",
              _spike, _calm, value_doc="factor on the price", value_default=10.0, value_range=(0.0, 1000.0)),
)

ALARMS = (
    AlarmKind("price_high", "one", "price_factor", ">", 3.0, 0.5, 0.0, "warning",
              "Electricity costs {value:.1f} times its usual price.", "Cap or pause what can wait."),
)
