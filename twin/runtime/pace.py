"""The pace of a session: which simulated instant is due by the wall clock, and what was reached."""

from __future__ import annotations

import math

#: longest stretch of wall time between two looks at the inbox, s
SLICE_S = 0.010
#: pacing quantum when there is nothing to do, s
QUANTUM_S = 0.020
#: debt beyond which the pace is given up, s of wall time
DEBT_S = 0.25


class Pace:
    """Turns wall time into simulated time that is due, and measures what was reached."""

    def __init__(self) -> None:
        self.stop()

    def stop(self) -> None:
        self._anchor: tuple[float, int, float] | None = None
        self._window: list[tuple[float, int]] = []

    def target(self, now_ns: int, speed: float, wall: float) -> float:
        """Return the simulated instant that should be reached by now."""
        if math.isinf(speed):
            self._anchor = None
            return math.inf
        if self._anchor is None or self._anchor[2] != speed:
            self._anchor = (wall, now_ns, speed)
        begun, from_ns, _ = self._anchor
        due = from_ns + (wall - begun) * speed * 1e9
        if due - now_ns > max(DEBT_S * speed * 1e9, 2e9):  # too far behind: drop the debt, the screen shows it
            self._anchor = (wall, now_ns, speed)
            due = now_ns + SLICE_S * speed * 1e9
        return due

    def idle(self, next_ns: int, speed: float, wall: float) -> float:
        """Return how long to rest before looking again, s: until the next tick is due, at most a quantum."""
        if math.isinf(speed):
            return 0.0
        if self._anchor is None:
            return QUANTUM_S
        begun, from_ns, _ = self._anchor
        return min(QUANTUM_S, max(0.0005, begun + (next_ns - from_ns) * 1e-9 / speed - wall))

    def achieved(self, now_ns: int, wall: float) -> float:
        """Return simulated seconds per second over about the last second."""
        self._window.append((wall, now_ns))
        while len(self._window) > 2 and wall - self._window[1][0] > 1.5:
            self._window.pop(0)
        begun, from_ns = self._window[0]
        return (now_ns - from_ns) * 1e-9 / (wall - begun) if wall - begun > 0.05 else 0.0
