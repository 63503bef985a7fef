"""W23: the first 3,145 valid jobs of the HPC2N log on 240 processors under FCFS wait 5,601.4 s in the mean
(AccaSim 1.1.3, first in first out: 5,601.35 s). Tolerance 0.01 %. Jobs take the processors that they requested;
those without a run time are left out, as there. Philly-derived traces run through whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from workload_rig import Rig, S, WorkloadSpec, cluster


def hpc2n(shared_data: Path) -> Rig:
    return Rig(cluster(120, 2), base=shared_data / "traces",
               workload=WorkloadSpec(trace="hpc2n_first3k.swf", coupled=False))


def test_mean_wait(shared_data: Path) -> None:
    rig = hpc2n(shared_data)
    report = rig.jobs.reports[0]
    assert (report.jobs, [(s.reason, s.count) for s in report.skipped]) == (3145, [("no run time", 25)])
    rig.run_events(6e6)
    work = rig.work
    assert work.jobs_completed[0] == work.wait_count[0] == 3145
    assert work.wait_sum_s[0] / 3145 == pytest.approx(5601.35, rel=1e-4)
    assert np.all(work.node_free == 2)
    assert work.allocated_gpu_s[0] == pytest.approx(float((rig.jobs.gpus * rig.jobs.work_s).sum()), rel=1e-12)


def test_mean_wait_on_a_larger_cluster(shared_data: Path) -> None:
    """The header of the log says MaxProcs 240, which limits what jobs may hold on 512 GPUs."""
    rig = Rig(cluster(4, 8, racks=16), base=shared_data / "traces",
              workload=WorkloadSpec(trace="hpc2n_first3k.swf", coupled=False))
    assert rig.jobs.gpus_max == 240
    rig.run_events(6e6)
    assert rig.work.jobs_completed[0] == 3145
    assert rig.work.wait_sum_s[0] / 3145 == pytest.approx(5601.35, rel=1e-4)


def test_instants_do_not_depend_on_the_tick(shared_data: Path) -> None:
    starts, ends = [], []
    for tick_s in (1.0, 7.3, 60.0):
        rig = hpc2n(shared_data)
        rig.run_events(800_000)
        rig.run(100_000, tick_s=tick_s)
        rig.run_events(1_000_000)
        starts.append(rig.work.job_start_ns.copy())
        ends.append(rig.work.job_end_ns.copy())
    assert (starts[0] > 800_000 * S).sum() > 20
    for k in (1, 2):
        np.testing.assert_array_equal(starts[k], starts[0])
        np.testing.assert_array_equal(ends[k], ends[0])


@pytest.mark.parametrize(("name", "nodes", "jobs"), [
    ("ee9e8c", 40, 2000), ("0e4a51", 12, 1181), ("11cb48", 16, 2000)])
def test_philly_traces_run_through(shared_data: Path, name: str, nodes: int, jobs: int) -> None:
    rig = Rig(cluster(nodes, 8), base=shared_data / "traces",
              workload=WorkloadSpec(trace=f"philly_gavel_vc_{name}.trace"))
    rig.run_events(4e7)
    work = rig.work
    assert work.jobs_completed[0] == jobs
    assert np.all(work.job_start_ns >= work.job_submit_ns)
    np.testing.assert_allclose((work.job_end_ns - work.job_start_ns) / S, rig.jobs.work_s, rtol=0, atol=2e-9)
    # No more GPUs are ever held than there are: sweep over the starts and ends.
    instants = np.concatenate([work.job_end_ns, work.job_start_ns])
    change = np.concatenate([-work.job_gpus, work.job_gpus])
    held = np.cumsum(change[np.lexsort((change, instants))])
    assert held.max() <= nodes * 8
