"""Immersion tanks: 100 single-phase and 100 two-phase, one tick of 1 s."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.timing import line, median_s

TANKS = 100


def main() -> None:
    """Time the kernel of the tanks, 32 GPUs in each."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from rig import WARM, Rig

    count = 200
    for rack, unit in (("hgx-h100-x4-1p", "tank-exchanger-60kw"), ("hgx-h100-x4-2p", "tank-condenser-60kw")):
        rig = Rig([{"racks": TANKS, "rack": rack, "cdu": {"type": unit}}], [WARM], domains=("liquid",))
        rig.chip.stream_heat_w[:] = 35e3
        rig.chip.gpu_power_w[:] = 650.0
        rig.run(600.0)
        kernel = rig.steppers[0].tanks

        def ticks(run: object = kernel.run) -> None:
            for _ in range(count):
                run(1.0)  # type: ignore[operator]

        line(f"{TANKS} tanks of {rack}", median_s(ticks) / count * 1e6, "us/tick", "< 400 us")


if __name__ == "__main__":
    main()
