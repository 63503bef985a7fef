"""The whole tick, replay speed, memory, cold start."""

from __future__ import annotations

import subprocess
import sys
import time

from benchmarks.timing import line, median_s


def ticks() -> None:
    """Whole ticks with histories on."""
    from twin.scenario.open import open_run

    for name, target in (("demo", "<= 0.4 ms"), ("campus", "<= 4 ms"), ("frontier", "")):
        sim = open_run(name).sim
        sim.advance(60)
        count = 200 if name != "campus" else 40
        line(f"tick {name}", median_s(lambda s=sim, n=count: s.advance(n)) / count * 1e3, "ms", target)  # type: ignore[misc]


def replays() -> None:
    """Simulated seconds per wall second, start-up not counted."""
    from twin.scenario.open import open_run

    for name, target in (("demo", ">= 2,500"), ("frontier", ">= 1,500")):
        speeds = []
        for _ in range(3):
            sim = open_run(name).sim
            begun = time.perf_counter()
            sim.run_until(3600 * 10**9)
            speeds.append(3600 / (time.perf_counter() - begun))
        line(f"replay {name} 1h", sorted(speeds)[1], "sim s/s", target)


def start_up() -> None:
    """Cold starts in fresh processes."""
    line("twin --version", median_s(lambda: _process("-m", "twin", "--version"), 7) * 1e3, "ms", "< 150 ms")
    line("import twin", median_s(lambda: _process("-c", "import twin"), 7) * 1e3, "ms")


def memory() -> None:
    """Resident size after one and after 24 simulated hours of the demo, and of the campus."""
    code = ("from twin.scenario.open import open_run; s = open_run({name!r}).sim; s.run_until({at}); "
            "print(int(next(x for x in open('/proc/self/status') if x.startswith('VmRSS')).split()[1]) / 1024)")
    for name, hours, target in (("demo", 1, ""), ("demo", 24, "within 10 % of 1 h"), ("campus", 0.05, "< 500 MB")):
        out = _process("-c", code.format(name=name, at=int(hours * 3600e9)))
        line(f"resident size {name} after {hours:g} h", float(out), "MB", target)


def _process(*args: str) -> str:
    return subprocess.run([sys.executable, *args], check=True, capture_output=True, text=True).stdout


def main() -> None:
    """Run all of them."""
    ticks()
    replays()
    start_up()
    memory()


if __name__ == "__main__":
    main()
