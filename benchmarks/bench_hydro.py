"""Row loops and plant of 1,400 liquid-cooled racks in ten halls, one tick of 1 s."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.timing import line, median_s

RACKS, ROW = 1400, 14


def main() -> None:
    """Time the two kernels through their steppers."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from rig import Rig

    row = {"racks": ROW, "rack": "gb200-nvl72", "cdu": {"type": "cdu-1350kw", "count": 3, "spare": 1},
           "repeat": RACKS // ROW}
    loops = [{"name": "warm", "supply_c": 32.0, "heat_reject": [{"type": "dry-cooler-2900kw", "count": 60},
                                                                {"type": "tower-5mw", "count": 20}]},
             {"name": "chilled", "supply_c": 18.0, "chillers": {"type": "carnot-1500kw", "count": 10, "spare": 1}}]
    rig = Rig([row], loops)
    rig.load(100e3)
    rig.run(600.0)
    liquid, plant = rig.steppers
    count = 200
    rows = (("row loops of 1,400 racks", liquid, "<= 300 us"), ("plant, two loops", plant, "< 20 us"))
    for name, stepper, target in rows:
        def ticks(step: object = stepper.step) -> None:
            for _ in range(count):
                step(0, 1_000_000_000)  # type: ignore[operator]

        line(name, median_s(ticks) / count * 1e6, "us/tick", target)


if __name__ == "__main__":
    main()
