"""One tick of the jobs: a kernel call while nothing happens, Python at the instants where something does.

Events have exact instants (ns): submission, start, completion, beginning and end of a checkpoint, end of a
restart. A tick covers everything after its beginning up to and including its end, so that how time is cut
into ticks does not change when a job starts or ends. At one instant the order is: interruptions, completions
and checkpoints (by job index), submissions, then the queue.

A GPU freed during a tick and not taken again keeps its ``gpu_job`` until the next tick begins, and a job that
takes GPUs over inherits their activity of this tick: ``job_util_frac[gpu_job]`` is then the mean activity of the
GPUs over the whole tick, whoever held them.
"""

from __future__ import annotations

from bisect import insort
from typing import Any

import numpy as np

from twin._kernels.workload import Workload
from twin.arrays import I32
from twin.domains.workload.generator import Generator
from twin.domains.workload.placement import Layout, place
from twin.site.serving import POINTS
from twin.units import NS_PER_S
from twin.wiring import Bind

NOT_SUBMITTED, QUEUED, RUNNING, COMPLETED, FAILED, RESTARTING, EMPTY = range(7)
IDLE, COMPUTE, CHECKPOINT, RESTART = range(4)
_DAY_S = 86400
_SHUT_DOWN = 0x200


class WorkloadStepper:
    """The workload bound to its block; see the module's text."""

    def __init__(self, bind: Bind) -> None:
        site, self.own, self.jobs = bind.site, bind.own, bind.site.jobs
        self.topology, self.views = site.topology, bind.views
        t = self.topology
        self._layout = Layout(t.node_rack, t.rack_row, t.rack_hall)
        self._node_class = t.gpu_class[t.node_gpu_ptr[:-1]]
        given_out = t.gpu_class[:self.jobs.gpus_max]
        self._class_total = [int(n) for n in np.bincount(given_out, minlength=len(t.gpu_entries))]
        self._generator = Generator(self.jobs, bind.seed) if self.jobs.generator is not None else None
        local_s = (site.start_unix_ns // NS_PER_S + site.utc_offset_s) % _DAY_S
        views = bind.views
        self.kernel = Workload(
            state=self.own, table=self.jobs, perf=views.chip.job_perf_frac, slowdown=views.network.job_slowdown,
            connected=views.network.job_connected, write_bytes_s=views.storage.job_write_bytes_s,
            capacity_frac=views.storage.capacity_frac, day_start_s=float(local_s), points=POINTS)
        self._first_state()
        self.refresh()

    def _first_state(self) -> None:
        """Fill the block for a fresh start; a snapshot overwrites it."""
        own, jobs = self.own, self.jobs
        own.job_submit_ns[:] = jobs.submit_ns
        own.job_gpus[:] = jobs.gpus
        own.job_work_s[:] = jobs.work_s
        own.job_state[jobs.declared + jobs.traced:] = EMPTY
        own.node_free[:] = np.diff(np.minimum(self.topology.node_gpu_ptr, jobs.gpus_max))
        if self._generator is not None:
            own.arrival_next_ns[0] = self._generator.gap_ns(0)

    # ---- caches ----------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Rebuild the queue, the list of submissions and the running list from the block."""
        own = self.own
        state = own.job_state
        self._queue = sorted(self._rank(int(j)) for j in np.flatnonzero(state == QUEUED))
        waiting = np.flatnonzero(state == NOT_SUBMITTED)
        order = np.lexsort((waiting, own.job_submit_ns[waiting]))[::-1]
        #: jobs to come, the next one last
        self._coming = [int(j) for j in waiting[order]]
        holders = np.zeros(len(state) + 1, dtype=bool)
        holders[own.gpu_job] = True  # -1 lands on the spare last element
        holders[-1] = False
        holders[:-1] &= (state != RUNNING) & (state != RESTARTING)
        #: jobs that ended in the last tick, whose GPUs still name them
        self._ended = [int(j) for j in np.flatnonzero(holders)]
        written = (own.job_active_frac > 0) | (own.job_util_frac > 0) | (own.job_mem_frac > 0)
        self.kernel.load(self._running(), np.flatnonzero(written).astype(np.int32))
        free = np.bincount(self._node_class, weights=own.node_free, minlength=len(self._class_total))
        #: GPUs that no job holds, by class; in service or not
        self._free = [int(n) for n in free]
        self._next = self._next_submission()
        # A fault or a repair may have changed what is in service.
        self._check = True

    def _running(self) -> I32:
        state = self.own.job_state
        return np.flatnonzero((state == RUNNING) | (state == RESTARTING)).astype(np.int32)

    def _rank(self, job: int) -> tuple[int, int, int]:
        return -int(self.jobs.priority[job]), int(self.own.job_submit_ns[job]), job

    def _next_submission(self) -> int:
        """Return the instant of the next submission, -1 for none."""
        best = int(self.own.job_submit_ns[self._coming[-1]]) if self._coming else -1
        if self._generator is not None and self._generator.slot(self.own) >= 0:
            drawn = int(self.own.arrival_next_ns[0])
            best = drawn if best < 0 else min(best, drawn)
        return best

    def next_event_ns(self, now_ns: int) -> int:
        """Return the instant of the next event after ``now_ns`` if nothing else changes, -1 for none."""
        own = self.kernel.next_event_ns(now_ns)
        if self._next <= now_ns:
            return own
        return self._next if own < 0 else min(own, self._next)

    # ---- the tick --------------------------------------------------------------------------------------------

    def step(self, now_ns: int, dt_ns: int) -> None:
        """Advance all jobs by one tick."""
        if self._ended:
            self._let_go()
        kernel, end = self.kernel, now_ns + dt_ns
        at = kernel.begin(now_ns, end, now_ns if self._check else self._next)
        if at < 0 or self._check:
            # Someone lost a GPU, or something came into or went out of service: look at the tick's beginning.
            self._check = False
            self._interrupt_lost(now_ns)
            self._happen(now_ns)
            at = kernel.advance(now_ns, self._next)
        while kernel.event:
            self._happen(at)
            at = kernel.advance(at, self._next)

    def _happen(self, at: int) -> None:
        """Handle everything that is due at this instant."""
        own, started = self.own, []
        for job in self.kernel.running_jobs.tolist():
            if own.job_state[job] == RESTARTING:
                if own.job_restart_until_ns[job] <= at:
                    self._resume(job, at)
            elif own.job_state[job] == RUNNING:
                if own.job_phase[job] == CHECKPOINT:
                    if own.job_checkpoint_left_bytes[job] <= 0:
                        self._end_checkpoint(job, at)
                elif 0 <= own.job_finish_ns[job] <= at:
                    self._complete(job, at)
                elif 0 <= own.job_next_checkpoint_ns[job] <= at:
                    self._begin_checkpoint(job)
        while self._coming and own.job_submit_ns[self._coming[-1]] <= at:
            self._submit(self._coming.pop(), at)
        if self._generator is not None:
            self._draw(at)
        if self._queue:
            started = self._serve_queue(at)
        self._next = self._next_submission()
        self._count()
        self.kernel.relist(self._running(), started)

    def _count(self) -> None:
        own = self.own
        own.jobs_running[0] = np.count_nonzero(own.job_state == RUNNING)
        own.jobs_restarting[0] = np.count_nonzero(own.job_state == RESTARTING)
        own.jobs_queued[0] = len(self._queue)

    # ---- submissions -----------------------------------------------------------------------------------------

    def _submit(self, job: int, at: int) -> None:
        own, needed = self.own, int(self.jobs.gpu_class[job])
        most = sum(self._class_total) if needed < 0 else self._class_total[needed]
        if own.job_gpus[job] > most:
            # A trace may hold jobs for a larger machine: they fail when they come.
            own.job_state[job], own.job_end_ns[job] = FAILED, at
            own.jobs_failed[0] += 1
            return
        own.job_state[job] = QUEUED
        insort(self._queue, self._rank(job))

    def _draw(self, at: int) -> None:
        """Submit what the generator has due, as long as it has an empty slot."""
        own, generator = self.own, self._generator
        assert generator is not None
        while own.arrival_next_ns[0] <= at:
            job = generator.slot(own)
            if job < 0:
                return
            if job in self._ended:
                self._let_go(job)
            generator.fill(own, job, at)
            own.arrival_next_ns[0] = at + generator.gap_ns(int(own.arrival_index[0]))
            self._submit(job, at)

    # ---- queue and placement ---------------------------------------------------------------------------------

    def _serve_queue(self, at: int) -> list[int]:
        """Start jobs in strict order until the first that does not fit; return those started."""
        own, started = self.own, []
        usable = None
        while self._queue:
            job = self._queue[0][2]
            gpus, needed = int(own.job_gpus[job]), int(self.jobs.gpu_class[job])
            if gpus > (sum(self._free) if needed < 0 else self._free[needed]):
                break
            if usable is None:
                usable = self._usable_nodes()
            free = np.where(usable, own.node_free, 0).astype(np.int64)
            if needed >= 0:
                free[self._node_class != needed] = 0
            spot = place(free, gpus, self._layout, preferred=self._preferred(job),
                         spread=self.jobs.packing == "spread")
            if spot is None:
                # It would fit if every free node were in service: look again next tick.
                self._check = True
                break
            self._queue.pop(0)
            self._start(job, at, *spot)
            started.append(job)
        return started

    def _usable_nodes(self) -> Any:
        """Return which nodes may be given out: in service, powered, no GPU shut down by heat."""
        views = self.views
        good = (views.compute.gpu_on != 0) & ((views.chip.gpu_throttle & _SHUT_DOWN) == 0)
        ptr = self.topology.node_gpu_ptr
        return np.logical_and.reduceat(good, ptr[:-1]) & (self.own.node_down == 0)

    def _preferred(self, job: int) -> Any:
        jobs = self.jobs
        racks = jobs.pref_rack[jobs.pref_ptr[job]:jobs.pref_ptr[job + 1]]
        if not len(racks):
            return None
        chosen = np.zeros(len(self._layout.rack_row), dtype=bool)
        chosen[racks] = True
        return chosen[self._layout.node_rack]

    def _start(self, job: int, at: int, nodes: Any, counts: Any) -> None:
        own = self.own
        gpus = self._pick(nodes, counts)
        self._inherit(job, gpus)
        own.gpu_job[gpus] = job
        own.node_free[nodes] -= counts.astype(np.int32)
        self._shift_free(nodes, -counts)
        own.gpus_allocated[0] += len(gpus)
        own.placement_version[0] += 1
        if own.job_start_ns[job] < 0:
            own.job_start_ns[job] = at
            own.wait_sum_s[0] += (at - int(own.job_submit_ns[job])) / NS_PER_S
            own.wait_count[0] += 1
        if own.job_failures[job] > 0:
            self._restart(job, at)
        else:
            own.job_state[job] = RUNNING
            self._go(job, at)

    def _pick(self, nodes: Any, counts: Any) -> Any:
        """Return the first ``counts`` free GPUs of each node, in index order."""
        own, ptr = self.own, self.topology.node_gpu_ptr
        holder = own.gpu_job
        state = own.job_state
        out = []
        for node, count in zip(nodes.tolist(), counts.tolist(), strict=True):
            span = np.arange(ptr[node], ptr[node + 1])
            held = holder[span]
            # A GPU that names an ended job is free; index -1 reads some state, which the first test overrules.
            taken = (held >= 0) & ((state[held] == RUNNING) | (state[held] == RESTARTING))
            out.append(span[~taken][:count])
        return np.sort(np.concatenate(out))

    def _inherit(self, job: int, gpus: Any) -> None:
        """Give the job the activity that earlier holders of its GPUs had in this tick, mean over its GPUs."""
        own = self.own
        before = own.gpu_job[gpus]
        holders, counts = np.unique(before[before >= 0], return_counts=True)
        for holder, count in zip(holders.tolist(), counts.tolist(), strict=True):
            share = count / len(gpus)
            own.job_util_frac[job] += share * own.job_util_frac[holder]
            own.job_mem_frac[job] += share * own.job_mem_frac[holder]

    def _release(self, job: int) -> None:
        own = self.own
        gpus = np.flatnonzero(own.gpu_job == job)
        nodes, counts = np.unique(self.topology.gpu_node[gpus], return_counts=True)
        own.node_free[nodes] += counts.astype(np.int32)
        self._shift_free(nodes, counts)
        own.gpus_allocated[0] -= len(gpus)
        own.placement_version[0] += 1
        if own.job_active_frac[job] > 0 or own.job_util_frac[job] > 0:
            self._ended.append(job)
        else:
            own.gpu_job[gpus] = -1

    def _let_go(self, job: int = -1) -> None:
        """Take ended jobs off the GPUs that nobody took over: all of them, or one."""
        own = self.own
        # Of a job whose GPUs were all taken over, the state knows no more: it must not count as a change.
        for ended in (self._ended if job < 0 else [job]):
            named = own.gpu_job == ended
            if named.any():
                own.gpu_job[named] = -1
                own.placement_version[0] += 1
        self._ended = [] if job < 0 else [j for j in self._ended if j != job]

    def _shift_free(self, nodes: Any, counts: Any) -> None:
        for cls, count in zip(self._node_class[nodes].tolist(), counts.tolist(), strict=True):
            self._free[cls] += count

    # ---- a job's life ----------------------------------------------------------------------------------------

    def _go(self, job: int, at: int) -> None:
        """Let the job make progress from this instant on; the kernel finds its speed."""
        own, every = self.own, int(self.jobs.checkpoint_ns[job])
        own.job_phase[job] = COMPUTE
        own.job_rate_frac[job], own.job_finish_ns[job] = 0.0, -1
        own.job_restart_until_ns[job] = -1
        own.job_next_checkpoint_ns[job] = at + every if every > 0 else -1

    def _halt(self, job: int, phase: int) -> None:
        own = self.own
        own.job_phase[job] = phase
        own.job_rate_frac[job], own.job_finish_ns[job] = 0.0, -1
        own.job_next_checkpoint_ns[job] = own.job_restart_until_ns[job] = -1

    def _begin_checkpoint(self, job: int) -> None:
        self._halt(job, CHECKPOINT)
        self.own.job_checkpoint_left_bytes[job] = self.jobs.checkpoint_bytes[job]

    def _end_checkpoint(self, job: int, at: int) -> None:
        self.own.job_saved_s[job] = self.own.job_done_s[job]
        self._go(job, at)

    def _restart(self, job: int, at: int) -> None:
        own = self.own
        self._halt(job, RESTART)
        own.job_state[job] = RESTARTING
        own.job_restart_until_ns[job] = at + int(self.jobs.restart_ns[job])

    def _resume(self, job: int, at: int) -> None:
        own = self.own
        if not self.views.network.job_connected[job]:
            # Its GPUs cannot reach each other: try again later.
            own.job_restart_until_ns[job] = at + NS_PER_S
            return
        own.job_state[job] = RUNNING
        self._go(job, at)

    def _complete(self, job: int, at: int) -> None:
        own = self.own
        own.job_done_s[job] = own.job_work_s[job]
        self._halt(job, IDLE)
        own.job_state[job], own.job_end_ns[job] = COMPLETED, at
        own.jobs_completed[0] += 1
        self._release(job)

    # ---- interruptions ---------------------------------------------------------------------------------------

    def _interrupt_lost(self, at: int) -> None:
        """Interrupt jobs that lost a GPU, their fabric, or crashed."""
        own, views = self.own, self.views
        down = np.flatnonzero(own.node_down != 0)
        on_down = set(own.gpu_job[np.isin(self.topology.gpu_node, down)].tolist()) if len(down) else set()
        for job in self.kernel.running_jobs.tolist():
            crashed = own.job_crash[job] != 0
            running = own.job_state[job] == RUNNING
            dead = job in on_down or (running and not views.chip.job_perf_frac[job] > 0)
            cut = running and not views.network.job_connected[job]
            if dead or cut or crashed:
                self._interrupt(job, at, keep=not dead)
        own.job_crash[:] = 0

    def _interrupt(self, job: int, at: int, *, keep: bool) -> None:
        """Throw the job back to its last checkpoint; ``keep``: it keeps its GPUs and restarts on them."""
        own, jobs = self.own, self.jobs
        own.job_failures[job] += 1
        if jobs.service[job] < 0:
            lost = float(own.job_done_s[job] - own.job_saved_s[job])
            own.job_done_s[job] = own.job_saved_s[job]
            own.job_useful_gpu_s[job] -= lost * int(own.job_gpus[job])
            own.useful_gpu_s[0] -= lost * int(own.job_gpus[job])
            own.job_tokens[job] -= lost * float(jobs.tokens_s[job])
            own.trained_tokens[0] -= lost * float(jobs.tokens_s[job])
        own.job_checkpoint_left_bytes[job] = own.job_backlog_tokens[job] = 0.0
        if not jobs.restartable[job]:
            self._halt(job, IDLE)
            own.job_state[job], own.job_end_ns[job] = FAILED, at
            own.jobs_failed[0] += 1
            self._release(job)
        elif keep:
            self._restart(job, at)
        else:
            self._halt(job, IDLE)
            own.job_state[job] = QUEUED
            insort(self._queue, self._rank(job))
            self._release(job)
