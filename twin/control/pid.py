"""``pi``: a sampled proportional-integral loop from a measured quantity to a set-point.

    u = gain e + I,    I grows by gain e sample / reset,    e = setpoint - measured

It begins without a bump (I is chosen so that the first output is the set-point as found), and does not wind up: what
the limits cut off an output is taken back from I (back-calculation), as is what the rate limit holds back.
"""

from __future__ import annotations

from twin.control.registry import ControllerBind, need_measure, sample_due, take_options
from twin.errors import SpecError

DEFAULTS = {"setpoint": float("nan"), "gain": float("nan"), "reset_s": 60.0, "sample_s": 5.0, "low": -1e300,
            "high": 1e300, "rate_per_s": 0.0}


class PiLoop:
    """A sampled PI loop with limits, rate limit, anti-windup and a start without a bump.

    Options: ``setpoint`` wanted value of what is measured; ``gain`` output per unit of error, negative when more output
    lowers the measured value; ``reset_s`` integral time (s), 0 for a proportional loop; ``sample_s`` time between
    actions (s); ``low`` and ``high`` limits of the output; ``rate_per_s`` fastest move of the output, 0 for any.
    Memory: [0] the output, [1] s since it last acted, [2] 1 once begun, [3] the integral term.
    """

    def __init__(self, bind: ControllerBind) -> None:
        options = take_options("pi", bind.options, DEFAULTS)
        for key in ("setpoint", "gain"):
            if options[key] != options[key]:
                raise SpecError(f"'pi' needs the option '{key}'", where="control", expected="setpoint and gain")
        self._setpoint, self._gain, self._reset_s = options["setpoint"], options["gain"], options["reset_s"]
        self._sample_s, self._rate_per_s = options["sample_s"], options["rate_per_s"]
        self._low, self._high = max(options["low"], bind.low), min(options["high"], bind.high)
        if not self._low < self._high:
            raise SpecError("low must lie below high, within the range of the set-point", where="control pi",
                            expected=f"{bind.low:g} to {bind.high:g}")
        self._measure = need_measure("pi", bind)
        self._read, self._write, self._memory = bind.read, bind.write, bind.memory

    def step(self, now_ns: int, dt_ns: int) -> None:
        """Act when a sample is due."""
        memory = self._memory
        elapsed_s = sample_due(memory, now_ns, dt_ns, self._sample_s)
        if elapsed_s < 0.0:
            return
        error = self._setpoint - self._measure()
        if not memory[2]:
            memory[0] = min(max(self._read(), self._low), self._high)
            memory[3] = memory[0] - self._gain * error
            memory[2] = 1.0
        elif self._reset_s > 0.0:
            memory[3] += self._gain * error * elapsed_s / self._reset_s
        wanted = self._gain * error + memory[3]
        low, high = self._low, self._high
        if self._rate_per_s > 0.0:
            reach = self._rate_per_s * elapsed_s
            low, high = max(low, memory[0] - reach), min(high, memory[0] + reach)
        out = min(max(wanted, low), high)
        if self._reset_s > 0.0:
            memory[3] += out - wanted
        memory[0] = out
        self._write(float(out))
