"""Jobs start, progress, save, fail and end at the right instants, however time is cut into ticks."""

from __future__ import annotations

import numpy as np
import pytest
from workload_rig import FabricSpec, JobSpec, LoadSpec, PlanSpec, Rig, S, WorkloadSpec, cluster

QUEUED, RUNNING, COMPLETED, FAILED, RESTARTING = 1, 2, 3, 4, 5


def batch(name: str, gpus: int, run_s: float, at_s: float = 0.0, **more: object) -> JobSpec:
    return JobSpec(name=name, kind="batch", gpus=gpus, run=round(run_s * S), at=round(at_s * S), utilisation=0.8,
                   **more)


def two_nodes(*jobs: JobSpec, **more: object) -> Rig:
    return Rig(cluster(2, 8), jobs=list(jobs), **more)


def test_fcfs_is_strict_and_reuses_gpus_at_the_exact_instant() -> None:
    rig = two_nodes(batch("a", 12, 10.25), batch("b", 8, 5, at_s=1), batch("c", 4, 1, at_s=2))
    rig.run(30, tick_s=7)
    work = rig.work
    # c would fit beside a, but b came first.
    np.testing.assert_array_equal(work.job_start_ns, [0, 10_250_000_000, 10_250_000_000])
    np.testing.assert_array_equal(work.job_end_ns, [10_250_000_000, 15_250_000_000, 11_250_000_000])
    assert work.wait_sum_s[0] == pytest.approx(9.25 + 8.25, abs=1e-12)
    assert work.jobs_completed[0] == 3
    assert np.all(work.node_free == 8)


def test_priority_goes_first() -> None:
    rig = two_nodes(batch("a", 16, 10), batch("b", 16, 1, at_s=1), batch("c", 16, 1, at_s=2, priority=5))
    rig.run(30)
    assert rig.work.job_start_ns.tolist() == [0, 11 * S, 10 * S]


@pytest.mark.parametrize("tick_s", [0.01, 0.3, 1.0, 60.0])
def test_activity_adds_up_whatever_the_tick(tick_s: float) -> None:
    rig = two_nodes(batch("a", 16, 10.5), batch("b", 16, 3.2, at_s=1))
    busy = held = 0.0
    while rig.now < 20 * S:
        rig.step(round(tick_s * S))
        gpu_util = np.where(rig.work.gpu_job >= 0, rig.work.job_util_frac[rig.work.gpu_job], 0.0)
        busy += float(gpu_util.sum()) * tick_s
        held += float((rig.work.job_active_frac * rig.work.job_gpus).sum()) * tick_s
    assert busy == pytest.approx(0.8 * 16 * 13.7, rel=1e-12)
    assert held == pytest.approx(16 * 13.7, rel=1e-12)
    assert rig.work.allocated_gpu_s[0] == pytest.approx(16 * 13.7, rel=1e-12)
    assert rig.work.useful_gpu_s[0] == pytest.approx(16 * 13.7, rel=1e-12)


def test_throttling_slows_a_coupled_job() -> None:
    rig = two_nodes(batch("a", 8, 100))
    rig.run(10)
    rig.chip.job_perf_frac[0] = 0.5
    rig.run(10)
    assert rig.work.job_done_s[0] == pytest.approx(15.0, rel=1e-12)
    assert rig.work.job_speed_frac[0] == pytest.approx(0.5)
    rig.chip.job_perf_frac[0] = 1.0
    rig.run(200)
    assert rig.work.job_end_ns[0] == 105 * S


def test_network_slowdown_follows_the_share_of_communication() -> None:
    job = JobSpec(name="a", model="llama3-8b", gpus=16, run=100 * S, plan=PlanSpec(pp=16))
    rig = Rig(cluster(16, 1), jobs=[job], fabric=FabricSpec(speed=1e9))
    share, hidden = float(rig.jobs.comm_frac[0]), float(rig.jobs.hidden_frac[0])
    assert share > 0.0
    assert hidden == 0.0
    rig.run(1)
    calm = float(rig.work.job_util_frac[0])
    rig.network.job_slowdown[0] = 3.0
    rig.run(1)
    assert rig.work.job_speed_frac[0] == pytest.approx(1.0 / (1.0 - share + 3.0 * share), rel=1e-12)
    assert rig.work.job_util_frac[0] < calm


def test_hidden_communication_surfaces_when_it_gets_long() -> None:
    job = JobSpec(name="a", model="llama3-405b", gpus=256, run=100 * S, plan=PlanSpec(tp=8, pp=8, dp=4))
    rig = Rig(cluster(32, 8), jobs=[job])
    share, hidden = float(rig.jobs.comm_frac[0]), float(rig.jobs.hidden_frac[0])
    assert hidden > 0.0
    rig.network.job_slowdown[0] = 50.0
    rig.run(2)
    exposed = max(50 * share, 50 * (share + hidden) - hidden)
    assert rig.work.job_speed_frac[0] == pytest.approx(1.0 / (1.0 - share + exposed), rel=1e-12)


def test_uncoupled_trace_ignores_throttling(tmp_path: object) -> None:
    path = tmp_path / "a.swf"  # type: ignore[operator]
    path.write_text("1 0 0 100 4 100 -1 4 100 -1 1 1 1 -1 -1 1 -1 -1\n")
    rig = Rig(cluster(2, 8), workload=WorkloadSpec(trace="a.swf", coupled=False), base=tmp_path)
    rig.chip.job_perf_frac[:] = 0.25
    rig.run(200)
    assert rig.work.job_end_ns[0] == 100 * S


def test_too_large_trace_job_fails_when_it_comes(tmp_path: object) -> None:
    path = tmp_path / "a.swf"  # type: ignore[operator]
    path.write_text("1 5 0 100 4 100 -1 99 100 -1 1 1 1 -1 -1 1 -1 -1\n")
    rig = Rig(cluster(2, 8), workload=WorkloadSpec(trace="a.swf"), base=tmp_path)
    rig.run(10)
    assert rig.work.job_state.tolist() == [FAILED]
    assert rig.work.job_end_ns[0] == 5 * S
    assert rig.work.jobs_failed[0] == 1


def training(checkpoint_s: float = 0.0, name: str = "a") -> JobSpec:
    return JobSpec(name=name, model="llama3-8b", gpus=8, run=1000 * S, checkpoint=round(checkpoint_s * S))


def test_checkpoint_stalls_until_the_file_system_has_it() -> None:
    rig = two_nodes(training(100.0))
    size = 14 * 8.030e9
    stall = size / 50e9  # one node's storage port
    rig.run(100.5, tick_s=0.5)
    assert rig.work.job_phase[0] == 2
    assert rig.work.job_saved_s[0] == 0.0
    rig.run(10, tick_s=0.5)
    assert rig.work.job_saved_s[0] == pytest.approx(100.0, rel=1e-12)
    assert rig.storage.written_bytes[0] == pytest.approx(size, rel=1e-12)
    assert rig.work.job_done_s[0] == pytest.approx(110.5 - stall, abs=1e-6)
    assert rig.work.job_next_checkpoint_ns[0] == pytest.approx((200.0 + stall) * S, abs=10)


@pytest.mark.parametrize("tick_s", [1.0, 60.0])
def test_lost_node_throws_the_job_back_to_its_checkpoint(tick_s: float) -> None:
    rig = two_nodes(training(100.0), workload=WorkloadSpec(restart=30 * S))
    rig.run(180, tick_s=60)
    tokens = float(rig.work.trained_tokens[0])
    done = float(rig.work.job_done_s[0])
    held = int(rig.topology.gpu_node[np.flatnonzero(rig.work.gpu_job == 0)[0]])
    rig.work.node_down[held] = 1
    rig.stepper.refresh()
    rig.run(1, tick_s=1)
    work = rig.work
    assert work.job_failures[0] == 1
    assert work.job_saved_s[0] == pytest.approx(100.0)
    assert np.all(rig.topology.gpu_node[work.gpu_job == 0] == 1 - held)
    load_s = 14 * 8.030e9 / 50e9
    rig.run(180 + 30 + load_s + 10 - rig.now / S, tick_s=tick_s)
    assert work.job_state[0] == RUNNING
    assert work.job_done_s[0] == pytest.approx(110.0, abs=1e-6)
    assert work.trained_tokens[0] == pytest.approx(tokens * 110.0 / done, rel=1e-9)
    assert work.useful_gpu_s[0] == pytest.approx(8 * 110.0, rel=1e-6)


def test_no_spare_node_means_waiting_for_the_repair() -> None:
    rig = two_nodes(batch("a", 16, 100), workload=WorkloadSpec(restart=0))
    rig.run(10)
    rig.work.node_down[1] = 1
    rig.stepper.refresh()
    rig.run(20)
    assert rig.work.job_state[0] == QUEUED
    assert rig.work.gpus_allocated[0] == 0
    rig.work.node_down[1] = 0
    rig.stepper.refresh()
    rig.run(10)
    assert rig.work.job_state[0] == RUNNING
    assert rig.work.job_done_s[0] == pytest.approx(10.0)  # from zero: it had no checkpoint
    assert rig.work.wait_count[0] == 1


def test_gpu_without_power_is_not_given_out_again_until_it_is_back() -> None:
    rig = two_nodes(batch("a", 8, 100), workload=WorkloadSpec(restart=0))
    rig.run(5)
    first = np.flatnonzero(rig.work.gpu_job == 0)
    rig.compute.gpu_on[:] = 0
    rig.chip.job_perf_frac[0] = 0.0
    rig.run(5)
    assert rig.work.job_state[0] == QUEUED
    rig.compute.gpu_on[first] = 1
    rig.chip.job_perf_frac[0] = 1.0
    rig.run(2)
    np.testing.assert_array_equal(np.flatnonzero(rig.work.gpu_job == 0), first)


def test_cut_fabric_keeps_the_gpus_and_restarts_when_it_is_back() -> None:
    rig = two_nodes(batch("a", 16, 100), workload=WorkloadSpec(restart=20 * S))
    rig.run(5)
    rig.network.job_connected[0] = 0
    rig.run(40)
    assert rig.work.job_state[0] == RESTARTING
    assert rig.work.gpus_allocated[0] == 16
    rig.network.job_connected[0] = 1
    rig.run(3)
    assert rig.work.job_state[0] == RUNNING
    assert rig.work.job_failures[0] == 1


def test_service_serves_its_load_and_queues_what_is_too_much() -> None:
    load = LoadSpec(requests_per_s=2.0, input_tokens=1000, output_tokens=200)
    rig = two_nodes(JobSpec(name="chat", kind="inference", model="llama3-8b", gpus=8, load=load))
    capacity = float(rig.jobs.service_capacity_tokens_s[0])
    assert capacity > 400.0
    rig.run(100)
    assert rig.work.served_tokens[0] == pytest.approx(400.0 * 100, rel=1e-9)
    assert rig.work.job_backlog_tokens[0] == 0.0
    calm = float(rig.work.job_util_frac[0])
    heavy = LoadSpec(requests_per_s=2 * capacity / 200, input_tokens=1000, output_tokens=200)
    rig = two_nodes(JobSpec(name="chat", kind="inference", model="llama3-8b", gpus=8, load=heavy))
    rig.run(100)
    assert rig.work.served_tokens[0] == pytest.approx(capacity * 100, rel=1e-9)
    assert rig.work.job_backlog_tokens[0] == pytest.approx(capacity * 100, rel=1e-9)
    assert rig.work.service_wait_s_max[0] == pytest.approx(100.0, rel=1e-9)
    assert rig.work.job_util_frac[0] > calm


def test_diurnal_demand_has_the_mean_that_is_asked() -> None:
    load = LoadSpec(requests_per_s=1.0, shape="diurnal", output_tokens=100)
    rates = []
    rig = two_nodes(JobSpec(name="chat", kind="inference", model="llama3-8b", gpus=16, load=load))
    for _ in range(24 * 60):
        rig.step(60 * S)
        rates.append(float(rig.work.job_tokens_s[0]))
    assert np.mean(rates) == pytest.approx(100.0, rel=1e-9)
    assert np.argmax(rates) // 60 in (15, 16)
    assert min(rates) == pytest.approx(50.0, rel=1e-3)


def test_refresh_changes_nothing() -> None:
    def run(refresh: bool) -> dict[str, np.ndarray]:
        rig = two_nodes(batch("a", 16, 9.5), batch("b", 8, 7.3, at_s=1), training(4.0, "c"))
        for k in range(60):
            if refresh and k % 3 == 0:
                rig.stepper.refresh()
            rig.step(700_000_000)
        return rig.work.arrays()

    plain, refreshed = run(False), run(True)
    for name, array in plain.items():
        np.testing.assert_array_equal(array, refreshed[name], err_msg=name)
