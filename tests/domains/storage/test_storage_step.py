"""The file system shares its bandwidth, books what was written, and draws power by its load."""

from __future__ import annotations

import numpy as np
import pytest
from workload_rig import JobSpec, Rig, S, StorageSpec, cluster

from twin.domains.storage import DOMAIN

SIZE = 14 * 8.030e9


def writers(*gpus: int, count: int = 1, every_s: float = 10.0) -> Rig:
    jobs = [JobSpec(name=f"j{i}", model="llama3-8b", gpus=n, run=1000 * S, checkpoint=round(every_s * S))
            for i, n in enumerate(gpus)]
    return Rig(cluster(16, 8), jobs=jobs, storage=StorageSpec(type="storage-200gbs", count=count))


def test_bandwidth_is_shared_evenly_below_the_links() -> None:
    rig = writers(32, 32, 64)  # ports of 200, 200 and 400 GB/s
    rig.run(10.1, tick_s=0.1)
    np.testing.assert_allclose(rig.storage.job_write_bytes_s, [200e9 / 3] * 3, rtol=1e-12)


def test_what_a_narrow_link_leaves_goes_to_the_others() -> None:
    rig = writers(8, 64, 56)  # ports of 50, 400 and 350 GB/s
    rig.run(10.1, tick_s=0.1)
    np.testing.assert_allclose(rig.storage.job_write_bytes_s, [50e9, 75e9, 75e9], rtol=1e-12)


def test_every_byte_is_booked_once() -> None:
    rig = writers(8, 64, 56)
    rig.run(60, tick_s=0.25)
    done = rig.work.job_failures.sum() + rig.storage.written_bytes[0] / SIZE
    begun = (rig.work.job_checkpoint_left_bytes > 0).sum()
    whole = rig.storage.written_bytes[0] + rig.work.job_checkpoint_left_bytes.sum()
    assert whole / SIZE == pytest.approx(round(whole / SIZE), abs=1e-9)
    assert done > 10
    assert begun <= 3


def test_power_follows_the_load_and_is_split_over_halls() -> None:
    rig = writers(64)
    rig.run(5)
    assert rig.storage.hall_power_w.tolist() == [9000.0]
    rig.run(5.0)
    rig.run(0.25, tick_s=0.25)  # the whole tick writes at full rate
    assert rig.storage.write_bytes_s[0] == pytest.approx(200e9)
    assert rig.storage.hall_power_w[0] == pytest.approx(15000.0)


def test_degraded_file_system_makes_the_job_wait_and_a_dead_one_stops_it() -> None:
    fault = DOMAIN.faults[0]
    rig = writers(64)
    fault.start(rig.storage, 0, 0.1)
    rig.run(20)
    assert rig.work.job_done_s[0] == pytest.approx(20 - SIZE / 20e9, abs=1e-6)
    fault.start(rig.storage, 0, 0.0)
    rig.run(100)
    assert rig.work.job_phase[0] == 2
    assert rig.work.job_done_s[0] == pytest.approx(20.0, abs=1e-6)
    fault.clear(rig.storage, 0)
    rig.run(3)
    assert rig.work.job_phase[0] == 1


def test_no_file_system_draws_nothing() -> None:
    rig = Rig(cluster(2, 8), storage=StorageSpec(count=0))
    rig.run(2)
    assert rig.storage.hall_power_w.tolist() == [0.0]
