"""Devices follow their jobs; what has no power is off."""

from typing import Any

import numpy as np
import pytest

from twin._kernels.compute import Spread


def devices(**changes: Any) -> dict[str, Any]:
    """Two racks of two nodes with two GPUs; job 0 on the first rack, job 1 on one GPU of the second."""
    i32, f64 = np.int32, np.float64
    base: dict[str, Any] = {
        "gpu_job": np.array([0, 0, 0, 0, 1, -1, -1, -1], i32),
        "job_util_frac": np.array([0.9, 0.4]), "job_mem_frac": np.array([0.5, 0.2]),
        "job_waits": np.ones(2, i32), "job_wait_util_frac": np.array([0.3, 0.3]),
        "job_wait_mem_frac": np.array([0.1, 0.1]), "job_phase": np.ones(2, i32), "job_perf_frac": np.ones(2),
        "gpu_clock_frac": np.full(8, 1.05), "rack_energised": np.ones(2, i32), "node_down": np.zeros(4, i32),
        "rack_node_ptr": np.array([0, 2, 4], i32), "node_gpu_ptr": np.array([0, 2, 4, 6, 8], i32),
        "node_idle_w": np.full(4, 100.0), "node_span_w": np.full(4, 200.0),
        "gpu_util_frac": np.full(8, np.nan), "gpu_mem_frac": np.full(8, np.nan), "gpu_on": np.full(8, -1, i32),
        "node_aux_w": np.full(4, np.nan, f64),
    }
    base.update(changes)
    Spread(**base).run()
    return base


def test_gpus_follow_their_job_and_hosts_their_gpus() -> None:
    d = devices()
    assert d["gpu_util_frac"].tolist() == [0.9, 0.9, 0.9, 0.9, 0.4, 0, 0, 0]
    assert d["gpu_mem_frac"].tolist() == [0.5, 0.5, 0.5, 0.5, 0.2, 0, 0, 0]
    assert d["node_aux_w"].tolist() == pytest.approx([280, 280, 140, 100])
    assert d["gpu_on"].tolist() == [1] * 8


def test_fast_gpus_wait_for_the_slowest_of_their_job() -> None:
    """One GPU at half clock: the others compute half of the time and wait in the collective for the rest."""
    clock = np.array([0.5, 1.05, 0.8, 1.0, 0.5, 1.0, 1.0, 1.0])
    d = devices(gpu_clock_frac=clock, job_perf_frac=np.array([0.5, 0.5]), job_waits=np.array([1, 0], np.int32))
    assert d["gpu_util_frac"].tolist() == pytest.approx([0.9, 0.6, 0.675, 0.6, 0.4, 0, 0, 0])
    assert d["gpu_mem_frac"][:2].tolist() == pytest.approx([0.5, 0.3])
    stalled = devices(gpu_clock_frac=clock, job_perf_frac=np.array([0.5, 0.5]), job_phase=np.array([2, 1], np.int32))
    assert stalled["gpu_util_frac"][:4].tolist() == [0.9] * 4  # nobody waits while a checkpoint is written


def test_a_node_that_is_down_is_off_but_its_host_still_draws_idle_power() -> None:
    d = devices(node_down=np.array([1, 0, 0, 0], np.int32))
    assert d["gpu_on"].tolist() == [0, 0, 1, 1, 1, 1, 1, 1]
    assert d["gpu_util_frac"][:2].tolist() == [0, 0]
    assert d["node_aux_w"][0] == 100


def test_a_rack_without_power_draws_nothing() -> None:
    d = devices(rack_energised=np.array([0, 1], np.int32))
    assert d["node_aux_w"].tolist()[:2] == [0, 0]
    assert d["gpu_on"].tolist()[:4] == [0, 0, 0, 0]


def test_arrays_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        devices(node_down=np.zeros(3, np.int32))
    with pytest.raises(ValueError, match="do not fit"):
        devices(gpu_on=np.zeros(7, np.int32))
