"""``feed-forward``: a set-point that follows a measured cause by a power law, before its effect is felt.

    set-point = base (measured / at) ^ exponent,  between low and high

From rack power to the pressure across a row's racks: the coolant's rise stays constant when flow follows power, and
pressure goes with the flow to the racks' exponent (1.9), so ``exponent = 1.9`` with ``base`` the design pressure at
the design power ``at``.
"""

from __future__ import annotations

from twin._kernels.laws import pow as power_law
from twin.control.registry import ControllerBind, need_measure, sample_due, take_options
from twin.errors import SpecError

DEFAULTS = {"at": float("nan"), "base": float("nan"), "exponent": 1.0, "low": -1e300, "high": 1e300, "sample_s": 1.0,
            "fall_s": 0.0}


class FeedForward:
    """A set-point that follows a measured cause.

    Options: ``at`` value of the measured quantity at which the set-point is ``base``; ``exponent`` of the law; ``low``
    and ``high`` limits of the set-point; ``sample_s`` time between actions (s); ``fall_s`` time constant (s) with which
    it falls, while it rises at once: heat in the metal leaves later than the power, 0 for none.
    Memory: [0] the set-point, [1] s since it last acted, [2] 1 once begun.
    """

    def __init__(self, bind: ControllerBind) -> None:
        options = take_options("feed-forward", bind.options, DEFAULTS)
        self._at, self._base, self._exponent = options["at"], options["base"], options["exponent"]
        if not (self._at > 0.0 and self._base > 0.0):
            raise SpecError("'feed-forward' needs the options 'at' and 'base', both more than 0", where="control",
                            expected="options = { at = 2e6, base = 65e3, exponent = 1.9 }")
        self._sample_s, self._fall_s = options["sample_s"], options["fall_s"]
        self._low, self._high = max(options["low"], bind.low), min(options["high"], bind.high)
        if not self._low < self._high:
            raise SpecError("low must lie below high, within the range of the set-point", where="control feed-forward",
                            expected=f"{bind.low:g} to {bind.high:g}")
        self._measure = need_measure("feed-forward", bind)
        self._write, self._memory = bind.write, bind.memory

    def step(self, now_ns: int, dt_ns: int) -> None:
        """Move the set-point when a sample is due."""
        memory = self._memory
        elapsed_s = sample_due(memory, now_ns, dt_ns, self._sample_s)
        if elapsed_s < 0.0:
            return
        cause = max(self._measure(), 0.0) / self._at
        wanted = self._base * power_law(cause, self._exponent) if cause > 0.0 else 0.0
        wanted = min(max(wanted, self._low), self._high)
        if memory[2] and wanted < memory[0] and self._fall_s > 0.0:
            wanted = memory[0] + (wanted - memory[0]) * elapsed_s / (elapsed_s + self._fall_s)
        memory[0], memory[2] = wanted, 1.0
        self._write(float(wanted))
