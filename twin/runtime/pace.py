"""The pace of a session: which simulated instant is due by the wall clock, and what was reached."""

from __future__ import annotations

import math

#: longest stretch of wall time between two looks at the inbox, s
SLICE_S = 0.010
#: pacing quantum when there is nothing to do, s
QUANTUM_S = 0.020
#: debt beyond which the pace is given up, s of wall time
DEBT_S = 0.25
#: stretch of wall time over which the pace that was reached is measured, s; longer where two ticks take longer
WINDOW_S = 1.5


class Pace:
    """Turns wall time into simulated time that is due, and measures what was reached."""

    def __init__(self) -> None:
        self.stop()

    def stop(self) -> None:
        self._anchor: tuple[float, int, float] | None = None
        self._window: list[tuple[float, int]] = []

    def target(self, now_ns: int, speed: float, wall: float, tick_ns: int) -> float:
        """Return the simulated instant that should be reached by now; a tick of ``tick_ns`` is made once it is due."""
        if math.isinf(speed):
            self._anchor = None
            return math.inf
        if self._anchor is None or self._anchor[2] != speed:
            self._anchor = (wall, now_ns, speed)
        begun, from_ns, _ = self._anchor
        due = from_ns + (wall - begun) * speed * 1e9
        # A tick that is due at its end alone is no debt. Too far behind: drop the debt, the screen shows it; the next
        # tick is due at once, since who is late does not rest.
        if due - now_ns > max(DEBT_S * speed * 1e9, 2e9) + tick_ns:
            self._anchor = (wall, now_ns + tick_ns, speed)
            due = now_ns + tick_ns
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
        """Return simulated seconds per second over about the last second; 0 until two ticks have ended.

        It is taken from the end of a tick to the end of a tick: at any other instant up to a whole tick would be
        missing or too much, a third of what is shown at one tick a second. While a tick is late, what could have come
        at most counts.
        """
        seen = self._window
        if not seen or seen[-1][1] != now_ns:
            seen.append((wall, now_ns))
        while len(seen) > 2 and wall - seen[1][0] > WINDOW_S:
            seen.pop(0)
        (begun, from_ns), (last, to_ns) = seen[0], seen[-1]
        if last - begun < 0.05:
            return 0.0
        step_ns = to_ns - seen[-2][1]
        return min((to_ns - from_ns) / (last - begun), (to_ns + step_ns - from_ns) / (wall - begun)) * 1e-9
