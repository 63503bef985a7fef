"""``supply-reset``: let a loop's supply follow the weather, so that fans and chillers work no more than needed.

The set-point is the outdoor wet bulb plus an approach, between a floor and a ceiling, moved at most once a
sample and by no more than a step, as building-management systems do to keep loops from hunting.
"""

from __future__ import annotations

from twin.control.registry import ControllerBind, take_options
from twin.errors import SpecError
from twin.units import NS_PER_S

DEFAULTS = {"approach_k": 8.0, "low_c": 20.0, "high_c": 35.0, "step_k": 0.5, "sample_s": 300.0}


class SupplyReset:
    """Outdoor reset of a supply temperature.

    Options: ``approach_k`` above the wet bulb (K), ``low_c`` and ``high_c`` limits (degC), ``step_k`` largest
    move per sample (K), ``sample_s`` time between moves (s). Memory: [0] the set-point, [1] s since the last
    move, [2] 1 once begun.
    """

    def __init__(self, bind: ControllerBind) -> None:
        options = take_options("supply-reset", bind.options, DEFAULTS)
        self._approach_k, self._low_c, self._high_c = options["approach_k"], options["low_c"], options["high_c"]
        self._step_k, self._sample_s = options["step_k"], options["sample_s"]
        if not self._low_c < self._high_c:
            raise SpecError("low_c must lie below high_c", where="control supply-reset")
        self._wet_bulb = bind.views.weather.wet_bulb_temp_c
        self._write, self._memory = bind.write, bind.memory

    def step(self, now_ns: int, dt_ns: int) -> None:
        """Move the set-point when a sample is due."""
        memory = self._memory
        memory[1] += dt_ns / NS_PER_S
        if memory[2] and memory[1] < self._sample_s:
            return
        wanted = min(max(self._wet_bulb[0] + self._approach_k, self._low_c), self._high_c)
        if memory[2]:
            wanted = min(max(wanted, memory[0] - self._step_k), memory[0] + self._step_k)
        elif now_ns == 0:  # no weather has been computed before the first tick
            return
        memory[0], memory[1], memory[2] = wanted, 0.0, 1.0
        self._write(wanted)
