"""Energy of jobs in whole runs: what their GPUs drew, tick by tick, for jobs that come, go, fail and share slots."""

import numpy as np
import pytest

from twin.scenario.open import open_run
from twin.wiring import Command


@pytest.mark.parametrize(("name", "ticks"), [("small", 400), ("demo", 120)])
def test_a_jobs_energy_is_what_its_gpus_drew(name: str, ticks: int) -> None:
    sim = open_run(name, history=False).sim
    work, chip = sim.state.workload, sim.state.chip
    jobs = len(work.job_submit_ns)
    drawn, seen = np.zeros(jobs), work.job_submit_ns.copy()
    sim.submit(Command("fault", 100 * 10**9, "gpu_shutdown", sim.site.names["gpu"][0]))
    before = sim.now_ns
    for _ in range(ticks):
        sim.advance()
        held = work.gpu_job >= 0
        drawn[work.job_submit_ns != seen] = 0.0
        seen = work.job_submit_ns.copy()
        drawn += np.bincount(work.gpu_job[held], weights=chip.gpu_power_w[held], minlength=jobs) * (
            sim.now_ns - before) / 1e9
        before = sim.now_ns
    np.testing.assert_allclose(sim.state.ledger.job_gpu_energy_j, drawn, rtol=1e-12)
    assert 0.0 < drawn.sum() < sim.state.ledger.it_energy_j[0]
