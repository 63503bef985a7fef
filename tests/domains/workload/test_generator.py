"""Drawn jobs: the same for the same seed, whatever the tick; slots are recycled, so memory stays flat."""

from __future__ import annotations

import numpy as np
import pytest
from workload_rig import GeneratorSpec, Rig, S, WorkloadSpec, cluster


def drawn(seed: int = 1, slots: int = 8, per_hour: float = 120.0) -> Rig:
    generator = GeneratorSpec(jobs_per_hour=per_hour, gpus=[1, 2, 8], run_mean=120 * S, slots=slots)
    return Rig(cluster(4, 8), workload=WorkloadSpec(generator=generator), seed=seed)


def test_slots_are_recycled_and_everything_that_came_is_accounted_for() -> None:
    rig = drawn()
    rig.run_events(100 * 3600)
    work = rig.work
    came = int(work.arrival_index[0])
    assert came > 8 * 100
    assert len(work.job_state) == 8
    waiting = int((np.isin(work.job_state, (1, 2))).sum())
    assert work.jobs_completed[0] + waiting == came
    assert work.gpus_allocated[0] == work.job_gpus[work.job_state == 2].sum()


def test_rates_and_run_times_have_the_means_that_are_asked() -> None:
    rig = drawn(slots=64)
    rig.run_events(200 * 3600)
    came = int(rig.work.arrival_index[0])
    assert came == pytest.approx(120 * 200, rel=0.02)  # 3 sigma of a Poisson count
    assert rig.work.useful_gpu_s[0] == pytest.approx(came * 120 * 11 / 3, rel=0.05)


def test_draws_depend_on_the_seed_and_not_on_the_tick() -> None:
    def submissions(seed: int, tick_s: float) -> list[int]:
        rig = drawn(seed)
        rig.run(3600, tick_s=tick_s)
        return [*rig.work.job_submit_ns.tolist(), int(rig.work.wait_sum_s[0] * 1e6), int(rig.work.jobs_completed[0])]

    assert submissions(1, 1.0) == submissions(1, 47.0)
    assert submissions(1, 1.0) != submissions(2, 1.0)


def test_full_slots_hold_submissions_back() -> None:
    rig = drawn(slots=2, per_hour=3600.0)
    rig.run_events(3600)
    assert np.all(np.isin(rig.work.job_state, (1, 2)))
    assert rig.work.jobs_completed[0] + 2 == rig.work.arrival_index[0]
