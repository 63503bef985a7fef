"""``trim-respond``: let a set-point drift towards economy until somebody asks for more, then step back.

Each sample the set-point is trimmed a little (a supply temperature upwards, a pressure downwards); when what is
measured passes its limit (the widest valve is nearly open) it is moved back by a larger step. This is the reset by
demand that ASHRAE Guideline 36 calls trim and respond, with a single request.
"""

from __future__ import annotations

from twin.control.registry import ControllerBind, need_measure, sample_due, take_options
from twin.errors import SpecError

DEFAULTS = {"limit": 0.9, "trim": float("nan"), "respond": float("nan"), "low": float("nan"), "high": float("nan"),
            "sample_s": 120.0}


class TrimRespond:
    """Set-point reset by demand.

    Options: ``limit`` of the measured quantity above which there is a request (0.9 of a valve); ``trim`` move of the
    set-point per sample without a request; ``respond`` move with one, of the other sign; ``low`` and ``high`` limits of
    the set-point; ``sample_s`` time between moves (s). Memory: [0] the set-point, [1] s since the last move,
    [2] 1 once begun.
    """

    def __init__(self, bind: ControllerBind) -> None:
        options = take_options("trim-respond", bind.options, DEFAULTS)
        self._limit, self._trim, self._respond = options["limit"], options["trim"], options["respond"]
        self._sample_s = options["sample_s"]
        self._low, self._high = max(options["low"], bind.low), min(options["high"], bind.high)
        if not self._trim * self._respond < 0.0:
            raise SpecError("'trim-respond' needs 'trim' and 'respond' of different signs", where="control",
                            expected="options = { trim = 0.1, respond = -0.5, low = 25, high = 36 }")
        if not options["low"] < options["high"] or not self._low < self._high:
            raise SpecError("'trim-respond' needs 'low' below 'high', within the range of the set-point",
                            where="control", expected=f"{bind.low:g} to {bind.high:g}")
        self._measure = need_measure("trim-respond", bind)
        self._read, self._write, self._memory = bind.read, bind.write, bind.memory

    def step(self, now_ns: int, dt_ns: int) -> None:
        """Move the set-point when a sample is due."""
        memory = self._memory
        if sample_due(memory, now_ns, dt_ns, self._sample_s) < 0.0:
            return
        if not memory[2]:
            memory[0], memory[2] = self._read(), 1.0
        memory[0] += self._respond if self._measure() > self._limit else self._trim
        memory[0] = min(max(memory[0], self._low), self._high)
        self._write(float(memory[0]))
