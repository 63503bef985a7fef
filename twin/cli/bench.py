"""``twin bench``: how fast the engine runs here, domain by domain."""

from __future__ import annotations

import resource
import statistics
import sys
import time
from typing import TYPE_CHECKING, Any

import click

from twin.cli.common import json_option, print_json

if TYPE_CHECKING:
    from twin.engine.simulation import Simulation

GPUS_PER_RACK = 72
RACKS_PER_ROW, ROWS_PER_HALL, CAMPUS_RACKS = 14, 10, 1400


@click.command("bench")
@click.option("--gpus", type=click.IntRange(1, 2_000_000), default=100_800, show_default=True,
              help="How many GPUs, in NVL72 racks (rounded up to whole rows).")
@click.option("--ticks", type=click.IntRange(10, 100_000), default=300, show_default=True, help="Ticks to measure.")
@json_option
def command(gpus: int, ticks: int, as_json: bool) -> int:
    """Measure ticks per second and what each domain costs (medians), one core, histories on."""
    result = measure(gpus, ticks)
    if as_json:
        print_json(result)
        return 0
    print(f"{result['gpus']:,} GPUs: {result['ticks_per_s']:,.0f} ticks/s, "
          f"{result['ns_per_gpu_tick']:.1f} ns per GPU and tick, {result['rss_mb']:.0f} MB")
    for name, row in result["domains"].items():
        print(f"  {name:<10} {row['us_per_tick']:10.1f} us")
    return 0


def campus_of(gpus: int) -> Simulation:
    """Return the campus, or its like with about ``gpus`` GPUs in halls of at most 140 racks and one job on all."""
    import msgspec

    from twin.scenario.load import load_spec
    from twin.scenario.run import build_run
    from twin.site.spec import JobSpec

    spec, base_dir = load_spec("campus")
    racks = max(1, -(-gpus // GPUS_PER_RACK))
    if racks != CAMPUS_RACKS:
        halls = -(-racks // (RACKS_PER_ROW * ROWS_PER_HALL))
        rows = -(-racks // (RACKS_PER_ROW * halls))
        per_row = -(-racks // (rows * halls))
        hall = spec.hall[0]
        row = msgspec.structs.replace(hall.row[0], racks=per_row, repeat=rows)
        job = JobSpec(name="load", kind="batch", gpus=per_row * rows * halls * GPUS_PER_RACK, utilisation=0.9)
        spec = msgspec.structs.replace(
            spec, hall=[msgspec.structs.replace(hall, row=[row], repeat=halls)], job=[job], event=[], variant=[],
            expect={}, workload=msgspec.structs.replace(spec.workload, generator=None))
    return build_run(spec, base_dir, source="campus").sim


def measure(gpus: int, ticks: int) -> dict[str, Any]:
    """Run a campus of about ``gpus`` GPUs and return medians; see the command."""
    sim = campus_of(gpus)
    sim.advance(30)
    whole = []
    for _ in range(ticks):
        begun = time.perf_counter_ns()
        sim.advance()
        whole.append(time.perf_counter_ns() - begun)
    per: dict[str, list[int]] = {d.name: [] for d in sim.domains}
    steps = list(zip((d.name for d in sim.domains), sim._steps, strict=True))

    def timed(name: str, step: Any) -> Any:
        def run_step(now: int, dt: int) -> None:
            begun = time.perf_counter_ns()
            step(now, dt)
            per[name].append(time.perf_counter_ns() - begun)
        return run_step

    sim._steps = tuple(timed(name, step) for name, step in steps)
    sim.advance(ticks)
    sim._steps = tuple(step for _, step in steps)
    tick_ns = statistics.median(whole)
    count = sim.axes["gpu"]
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1024 * 1024)
    return {"gpus": count, "ticks_per_s": 1e9 / tick_ns, "ns_per_gpu_tick": tick_ns / count, "rss_mb": rss,
            "domains": {name: {"us_per_tick": statistics.median(times) / 1e3} for name, times in per.items()}}
