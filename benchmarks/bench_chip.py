"""Chips: nanoseconds per GPU and tick of each kernel variant, campus and demo.

Run with ``python -m benchmarks.bench_chip``.
"""

from __future__ import annotations

from benchmarks.chip_rig import ChipRig
from benchmarks.timing import line, median_s
from twin._kernels import variants

TARGET_NS = {"v4": 6.0, "v3": 9.0, "base": 18.0}
SITES = {
    "campus, 1,400 NVL72": (("gb200-nvl72", 1400),),
    "demo, 64 NVL72 and 32 racks of H100": (("gb200-nvl72", 64), ("hgx-h100-x4", 32)),
}


def main() -> None:
    """Print the table."""
    for title, rows in SITES.items():
        for variant in reversed(variants.supported()):
            rig = ChipRig(rows, variant=variant)
            rig.supply(35.0)
            rig.work(0.6)
            rig.run(60)
            gpus = len(rig.chip.gpu_temp_c)
            took = median_s(lambda rig=rig: rig.kernel.run(1.0), 41)  # type: ignore[misc]
            line(f"chip {variant}: {title}", took / gpus * 1e9, "ns/GPU", f"at most {TARGET_NS[variant]:g}")


if __name__ == "__main__":
    main()
