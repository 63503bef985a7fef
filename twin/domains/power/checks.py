"""What must hold for the electrical chain after every tick."""

from __future__ import annotations

from typing import Any

#: what rounding explains, relative to the tick's throughput
CLOSURE_MAX = 1e-9


def check(own: Any) -> list[str]:
    """Return what does not hold, in words: energy closes, losses and charges are in range."""
    wrong = []
    moved = max(float(own.tick_in_j[0]), float(own.tick_out_j[0]), 1.0)
    missing = float(own.tick_in_j[0] - own.tick_out_j[0] - own.tick_stored_j[0])
    if abs(missing) > CLOSURE_MAX * moved:
        wrong.append(f"power: {missing:g} J of {moved:g} J are missing")
    if own.elec_loss_w.size and float(own.elec_loss_w.min()) < -CLOSURE_MAX * max(float(own.source_w[0]), 1e6):
        wrong.append("power: a loss is negative")
    if own.battery_frac.size and not (own.battery_frac.min() >= 0.0 and own.battery_frac.max() <= 1.0):
        wrong.append("power: a battery's charge is out of range")
    return wrong
