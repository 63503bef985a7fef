"""Jobs drawn without end: sizes, run times and gaps are pure functions of the seed and the job's number."""

from __future__ import annotations

from typing import Any

import numpy as np

from twin._kernels.draws import exponential, stream_id, uniform
from twin.units import NS_PER_S, S_PER_HOUR

_GAP, _SIZE, _RUN = range(3)
_COMPLETED, _FAILED, _EMPTY = 3, 4, 6
_NEVER = np.int64(2**62)
#: Columns of a job that begin anew when its slot is taken again.
_ZEROED = ("job_done_s", "job_saved_s", "job_phase", "job_checkpoint_left_bytes", "job_anchor_ns", "job_anchor_done_s",
           "job_rate_frac", "job_crash", "job_active_frac", "job_util_frac", "job_mem_frac", "job_speed_frac",
           "job_comm_frac", "job_comm_bytes_s", "job_wrote_bytes", "job_tokens", "job_tokens_s",
           "job_backlog_tokens", "job_gpu_s", "job_useful_gpu_s", "job_failures")
_UNSET = ("job_start_ns", "job_end_ns", "job_next_checkpoint_ns", "job_restart_until_ns", "job_finish_ns")


class Generator:
    """Fills recycled slots of the job table: memory stays flat however long it runs.

    Gaps and run times are exponential with the given means, sizes are equally likely. When every slot is
    taken the next submission waits for one to become empty.
    """

    def __init__(self, jobs: Any, seed: int) -> None:
        spec = jobs.generator
        self._first, self._count = jobs.declared + jobs.traced, jobs.slots
        self._seed, self._stream = seed, stream_id("workload.generator")
        self._sizes = tuple(spec.gpus)
        self._gap_s = S_PER_HOUR / spec.jobs_per_hour
        self._run_s = spec.run_mean / NS_PER_S

    def gap_ns(self, index: int) -> int:
        """Return the time from the submission of job ``index - 1`` to that of job ``index``."""
        return max(1, int(self._gap_s * exponential(self._seed, self._stream, index, _GAP) * NS_PER_S))

    def slot(self, own: Any) -> int:
        """Return the slot that has been empty for longest, -1 when all are taken."""
        span = slice(self._first, self._first + self._count)
        state, end = own.job_state[span], own.job_end_ns[span]
        empty = (state == _COMPLETED) | (state == _FAILED) | (state == _EMPTY)
        best = int(np.argmin(np.where(empty, end, _NEVER)))
        return self._first + best if empty[best] else -1

    def fill(self, own: Any, job: int, at: int) -> None:
        """Write the next job into a slot, as new, submitted at this instant."""
        index = int(own.arrival_index[0])
        pick = int(uniform(self._seed, self._stream, index, _SIZE) * len(self._sizes))
        run_s = self._run_s * exponential(self._seed, self._stream, index, _RUN)
        for column in _ZEROED:
            getattr(own, column)[job] = 0
        for column in _UNSET:
            getattr(own, column)[job] = -1
        own.job_gpus[job] = self._sizes[pick]
        own.job_work_s[job] = max(run_s, 1e-9)
        own.job_submit_ns[job] = at
        own.arrival_index[0] = index + 1
