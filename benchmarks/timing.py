"""How everything here is timed: warmed up, repeated, median."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable


def median_s(run: Callable[[], object], repeats: int = 15, warm: int = 2) -> float:
    """Return the median wall time of ``run()`` in seconds."""
    for _ in range(warm):
        run()
    times = []
    for _ in range(repeats):
        begun = time.perf_counter()
        run()
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


def line(name: str, value: float, unit: str, target: str = "") -> None:
    """Print one row of the table."""
    print(f"{name:<52} {value:12,.3f} {unit:<10} {target}")
