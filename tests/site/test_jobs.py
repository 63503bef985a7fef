"""The job table says what a job needs, and refuses what cannot exist on the site."""

from __future__ import annotations

import numpy as np
import pytest
from workload_rig import GeneratorSpec, JobSpec, LoadSpec, PlanSpec, Rig, S, StorageSpec, WorkloadSpec, cluster

from twin.errors import CatalogError, SpecError


def build(*jobs: JobSpec, **more: object) -> Rig:
    return Rig(cluster(4, 8, racks=2), jobs=list(jobs), **more)


def test_order_is_declared_trace_slots(tmp_path: object) -> None:
    (tmp_path / "x.swf").write_text("17 3 0 100 4 100 -1 4 100 -1 1 1 1 -1 -1 1 -1 -1\n")  # type: ignore[operator]
    rig = build(JobSpec(name="a", model="llama3-8b", gpus=8), base=tmp_path,
                workload=WorkloadSpec(trace="x.swf", generator=GeneratorSpec(slots=2)))
    jobs = rig.jobs
    assert jobs.names["job"] == ("a", "t17", "slot1", "slot2")
    assert (jobs.declared, jobs.traced, jobs.slots) == (1, 1, 2)
    assert jobs.axes == {"job": 4}
    assert jobs.submit_ns.tolist() == [0, 3 * S, -1, -1]
    assert jobs.work_s[0] == np.inf
    assert jobs.inputs == (tmp_path / "x.swf",)  # type: ignore[operator]
    assert not jobs.util_busy.flags.writeable


@pytest.mark.parametrize(("job", "message"), [
    (JobSpec(name="a", model="llama3-8b", gpus=65), r"job\.a\.gpus.*at most 64"),
    (JobSpec(name="a", gpus=8), "needs a model"),
    (JobSpec(name="a", model="llama3-8b", gpus=8, plan=PlanSpec(tp=3)), r"job\.a\.plan.*product is 8"),
    (JobSpec(name="a", model="llama3-8b", gpus=8, racks="A3"), r"did you mean 'A"),
    (JobSpec(name="a", model="llama3-8b", gpus=8, load=LoadSpec()), "only an inference job"),
    (JobSpec(name="a", kind="inference", model="llama3-405b", gpus=8), "does not fit 8"),
    (JobSpec(name="a", kind="batch", gpus=8, utilisation=1.5), r"expected 0 \.\. 1"),
    (JobSpec(name="a", kind="batch", gpus=8, checkpoint=S), "only a training job writes"),
])
def test_impossible_jobs_are_refused(job: JobSpec, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        build(job)


def test_unknown_model_names_the_nearest() -> None:
    with pytest.raises(CatalogError, match="llama3-70b"):
        build(JobSpec(name="a", model="llama3-71b", gpus=8))


def test_checkpoint_needs_a_file_system_and_names_are_unique() -> None:
    with pytest.raises(SpecError, match="file system"):
        build(JobSpec(name="a", model="llama3-8b", gpus=8, checkpoint=S), storage=StorageSpec(count=0))
    with pytest.raises(SpecError, match="two jobs are called 'a'"):
        build(JobSpec(name="a", kind="batch", gpus=8), JobSpec(name="a", kind="batch", gpus=8))
    with pytest.raises(SpecError, match=r"\.trace or \.swf"):
        build(workload=WorkloadSpec(trace="x.csv"))


def test_left_out_plan_fits_the_memory() -> None:
    rig = build(JobSpec(name="a", model="llama3-70b", gpus=64))
    step = rig.jobs.steps[0]
    # 18 B per parameter do not fit one node of eight: the pipeline must be longer than one stage.
    assert step.bubble_s > 0.0
    assert step.tokens_s > 0.0


def test_preferred_racks_are_racks_rows_or_halls() -> None:
    rig = build(JobSpec(name="a", kind="batch", gpus=8, racks="A1.02"), JobSpec(name="b", kind="batch", gpus=8,
                                                                              racks="A"))
    jobs = rig.jobs
    assert jobs.pref_rack[jobs.pref_ptr[0]:jobs.pref_ptr[1]].tolist() == [1]
    assert jobs.pref_rack[jobs.pref_ptr[1]:jobs.pref_ptr[2]].tolist() == [0, 1]
    rig.run(1)
    assert set(rig.topology.gpu_rack[rig.work.gpu_job == 0].tolist()) == {1}


def test_activity_lies_between_idle_and_full() -> None:
    jobs = build(JobSpec(name="a", model="llama3-70b", gpus=64, plan=PlanSpec(tp=8, pp=4, dp=2)),
                 JobSpec(name="b", kind="inference", model="llama3-70b", gpus=8)).jobs
    assert 0.4 < jobs.util_busy[0] < 1.0
    assert jobs.util_comm[0] < jobs.util_busy[0]
    assert np.all(np.diff(jobs.service_util) > 0)  # busier with every step of load
    assert jobs.service_util[-1] <= 1.0


@pytest.mark.parametrize("asked,said,usable", [(None, 0, 32), (20, 0, 20), (None, 24, 24), (20, 24, 20), (99, 0, 32)])
def test_gpus_that_jobs_may_hold(tmp_path, asked, said, usable):
    header = f"; MaxProcs: {said}\n" if said else ""
    line = "{0} {1} -1 100 {2} -1 -1 {2} 100 -1 1 1 1 -1 -1 1 -1 -1\n"
    (tmp_path / "x.swf").write_text(header + line.format(1, 0, usable) + line.format(2, 10, 1) + line.format(3, 20, 33))
    rig = Rig(cluster(4, 8), base=tmp_path, workload=WorkloadSpec(trace="x.swf", gpus_max=asked, coupled=False))
    assert rig.jobs.gpus_max == usable
    rig.run_events(1000)
    assert list(rig.work.job_state) == [3, 3, 4]  # the first fills it, the second waits, the third never fits
    assert list(rig.work.job_start_ns[:2]) == [0, 100 * S]
    assert int(rig.work.node_free.sum()) == usable
