"""A meter of electrical energy per GPU: what a real board counts since its driver was loaded."""

from __future__ import annotations

import numpy as np

from twin.arrays import F64


class EnergyMeter:
    """Integrates a column of power, tick by tick; put it among a simulation's ``watches``.

    The power of a tick is its mean, so the sum is exact. The meter starts at zero and is no part of the state: a
    simulation with a meter gives the same bits as one without.

    Args:
        power_w: the column, float64[n]; read only.
    """

    def __init__(self, power_w: F64) -> None:
        self._power_w = power_w
        self._energy_j = np.zeros(power_w.size)
        self._tick_j = np.zeros(power_w.size)

    def run(self, end_ns: int, dt_s: float) -> None:
        """Add the tick that just ended."""
        np.multiply(self._power_w, dt_s, out=self._tick_j)
        np.add(self._energy_j, self._tick_j, out=self._energy_j)

    def energy_j(self) -> F64:
        """Return what was counted so far, a copy; may be called from another thread."""
        return self._energy_j.copy()
