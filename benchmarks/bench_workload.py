"""Jobs: a quiet tick with ten and with thousands of jobs in the table, and events."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.timing import line, median_s
from tests.workload_rig import JobSpec, LoadSpec, PlanSpec, Rig, S, WorkloadSpec, cluster

TICKS = 2000


def quiet(rig: Rig, label: str, target: str) -> None:
    """Time ticks of workload and storage in which nothing happens."""

    def many() -> None:
        for _ in range(TICKS):
            rig.step(S)

    line(label, median_s(many, repeats=5) / TICKS * 1e6, "us", target)


def demo_like() -> Rig:
    """Ten endless jobs on 5,632 GPUs."""
    jobs = [JobSpec(name="train", model="llama3-405b", gpus=2048, plan=PlanSpec(tp=8, pp=16, dp=16))]
    jobs += [JobSpec(name=f"chat{i}", kind="inference", model="llama3-70b", gpus=128,
                     load=LoadSpec(requests_per_s=20, shape="diurnal")) for i in range(4)]
    jobs += [JobSpec(name=f"batch{i}", kind="batch", gpus=64) for i in range(5)]
    return Rig(cluster(4, 8, racks=16, rows=11), jobs=jobs)


def trace_like(folder: Path) -> Rig:
    """A trace of 3,145 jobs, one a second: the first hundred run for months and hold all GPUs."""
    rows = (f"{i + 1} {i} 0 {10_000_000 if i < 100 else 60} 2 1 -1 2 9 -1 1 1 1 -1 -1 1 -1 -1" for i in range(3145))
    (folder / "t.swf").write_text("\n".join(rows) + "\n")
    rig = Rig(cluster(25, 8), workload=WorkloadSpec(trace="t.swf"), base=folder)
    rig.run_events(100.0)
    return rig


def events(folder: Path) -> None:
    """Time the whole trace from event to event."""
    rows = (f"{i + 1} {i * 60} 0 {600 + i % 7 * 100} 2 1 -1 {1 + i % 16} 9 -1 1 1 1 -1 -1 1 -1 -1" for i in range(3000))
    (folder / "e.swf").write_text("\n".join(rows) + "\n")

    def whole() -> None:
        Rig(cluster(25, 8), workload=WorkloadSpec(trace="e.swf"), base=folder).run_events(1e6)

    line("3,000 jobs from event to event", median_s(whole, repeats=3, warm=1) * 1e3, "ms", "")


def main() -> None:
    """Print the table."""
    quiet(demo_like(), "tick of ten jobs (5,632 GPUs)", "<= 5 us")
    with tempfile.TemporaryDirectory() as folder:
        rig = trace_like(Path(folder))
        quiet(rig, "tick of a 3,145-job trace, 100 running", "<= 20 us")
        events(Path(folder))


if __name__ == "__main__":
    main()
