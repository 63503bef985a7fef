"""Two rows of immersion tanks, single-phase and two-phase, driven without the other domains."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.rig import WARM, Rig

ONE = {"racks": 2, "rack": "hgx-h100-x4-1p", "cdu": {"type": "tank-exchanger-60kw"}}
TWO = {"racks": 2, "rack": "hgx-h100-x4-2p", "cdu": {"type": "tank-condenser-60kw"}}
#: index of the first tank of each kind
SINGLE, BOILING = 0, 2


class Tanks(Rig):
    """The liquid domain alone over a loop whose supply the test holds."""

    def __init__(self, water_c: float = 32.0) -> None:
        super().__init__([ONE, TWO], [WARM], domains=("liquid",))
        self.tanks = self.hydronics.tanks
        self.values = self.tanks.values
        self.plant.loop_supply_temp_c[:] = water_c
        self.energy = np.zeros(3)

    def heat(self, rack_w: float, gpu_w: float | None = None) -> None:
        """Give every tank a heat through its chips; ``gpu_w`` is what a GPU draws, 60 % of its share when left out."""
        self.chip.stream_heat_w[:] = rack_w
        self.chip.gpu_power_w[:] = 0.6 * rack_w / 32.0 if gpu_w is None else gpu_w

    def steady(self, rack_w: float, hours: float = 6.0) -> None:
        """Run to rest under a constant heat."""
        self.heat(rack_w)
        self.run(hours * 3600.0, 10.0)

    def run(self, seconds: float, dt_s: float = 1.0) -> None:
        """Advance; every tick's energy must close."""
        dt_ns = round(dt_s * 1e9)
        for _ in range(round(seconds / dt_s)):
            self.steppers[0].step(self.now_ns, dt_ns)
            self.now_ns += dt_ns
            tick = np.array([self.liquid.tick_in_j[0], self.liquid.tick_out_j[0], self.liquid.tick_stored_j[0]])
            self.energy += np.abs(tick)
            assert abs(tick[0] - tick[1] - tick[2]) <= 1e-9 * max(abs(tick[0]), 40e3 * dt_s), tick

    def cdu(self, tank: int) -> int:
        """Return the exchanger of a tank."""
        return int(self.tanks.cdu[tank])

    def rack(self, tank: int) -> int:
        """Return the rack of a tank."""
        return int(self.tanks.rack[tank])

    def of(self, column: str, tank: int) -> Any:
        """Return a column of the liquid block at a tank, its rack or its exchanger, by the column's name."""
        at = {"tank": tank, "rack": self.rack(tank), "cdu_": self.cdu(tank)}[column[:4]]
        return float(getattr(self.liquid, column)[at])
