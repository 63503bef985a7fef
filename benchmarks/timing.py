"""How everything here is timed: warmed up, repeated, median.

``BENCH_CPU=1`` counts processor time of the process in place of wall time, where other work shares the machine.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable

clock = time.process_time if os.environ.get("BENCH_CPU") else time.perf_counter


def median_s(run: Callable[[], object], repeats: int = 15, warm: int = 2) -> float:
    """Return the median time of ``run()`` in seconds."""
    for _ in range(warm):
        run()
    times = []
    for _ in range(repeats):
        begun = clock()
        run()
        times.append(clock() - begun)
    return statistics.median(times)


def line(name: str, value: float, unit: str, target: str = "") -> None:
    """Print one row of the table."""
    print(f"{name:<52} {value:12,.3f} {unit:<10} {target}")
