"""The pace that was reached, by a clock of the test's own."""

import pytest

from twin.runtime.pace import QUANTUM_S, Pace

S = 10**9


def reached(speed: float, tick_s: float, *, cost_s: float = 0.0, wall_s: float = 20.0) -> list[float]:
    """Return what is shown at every look of a session whose ticks take ``cost_s`` of wall time each."""
    pace, wall, now_ns, shown = Pace(), 100.0, 0, []
    while wall < 100.0 + wall_s:
        target = pace.target(now_ns, speed, wall, int(tick_s * S))
        if now_ns + tick_s * S <= target:
            wall += cost_s
            now_ns += int(tick_s * S)
        shown.append((wall, pace.achieved(now_ns, wall)))
        wall += max(1e-4, min(QUANTUM_S, pace.idle(now_ns + int(tick_s * S), speed, wall)))
    return [value for at, value in shown if at > 100.0 + 3 * max(1.0, tick_s / speed)]


@pytest.mark.parametrize(("speed", "tick_s"), [
    (1.0, 1.0), (0.25, 1.0), (5.0, 1.0), (60.0, 1.0), (2.0, 0.1), (10.0, 60.0), (1.0, 5.0)])
def test_a_pace_that_is_kept_is_shown_as_kept(speed: float, tick_s: float) -> None:
    shown = reached(speed, tick_s, wall_s=max(20.0, 8 * tick_s / speed))
    assert min(shown) > 0.97 * speed
    assert max(shown) < 1.03 * speed


def test_a_pace_that_is_not_kept_is_shown_as_it_is() -> None:
    shown = reached(10.0, 1.0, cost_s=0.4)
    assert max(shown) == pytest.approx(2.5, rel=0.05)
    assert min(shown) > 2.2


def test_a_stop_is_seen_before_the_next_tick_ends() -> None:
    pace = Pace()
    for k in range(10):
        pace.achieved(k * S, 100.0 + k)
    assert pace.achieved(9 * S, 109.9) == pytest.approx(1.0, rel=0.05)
    assert pace.achieved(9 * S, 113.0) < 0.6


def test_nothing_is_shown_before_anything_was_reached() -> None:
    pace = Pace()
    assert pace.achieved(0, 100.0) == pace.achieved(0, 100.9) == 0.0
