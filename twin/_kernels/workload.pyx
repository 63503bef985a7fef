"""Jobs between events: who progresses how fast, and when the next thing happens.

The domain (``twin/domains/workload``) handles events in Python; here is what runs every tick, over the jobs
that hold accelerators only. ``begin`` opens a tick and ``advance`` moves all running jobs with constant speed
up to the next event or the tick's end, whichever comes first, and says which it was.

A job's work done is ``anchor_done + rate (t - anchor)`` as long as its speed stays: it is evaluated, not summed,
so the instant of its end does not depend on how the time was cut into ticks.
"""

from libc.math cimport ceil, fmin, fmax
from libc.stdint cimport int64_t

from twin._kernels.laws cimport law_sin

import numpy as np

cdef int64_t NEVER = 0x7fffffffffffffff
cdef double TWO_PI = 6.283185307179586
cdef int64_t DAY_NS = 86400000000000

_STATE = ("job_state", "job_phase", "job_gpus", "job_anchor_ns", "job_finish_ns", "job_next_checkpoint_ns",
          "job_restart_until_ns", "job_work_s", "job_done_s", "job_anchor_done_s", "job_rate_frac",
          "job_checkpoint_left_bytes", "job_wrote_bytes", "job_active_frac", "job_util_frac", "job_mem_frac",
          "job_comm_frac", "job_comm_bytes_s", "job_tokens", "job_tokens_s", "job_backlog_tokens", "job_gpu_s",
          "job_useful_gpu_s", "job_speed_frac")
_ONE = ("trained_tokens", "served_tokens", "tokens_s", "allocated_gpu_s", "useful_gpu_s", "service_wait_s_max")
_TABLE = ("coupled", "service", "comm_frac", "hidden_frac", "memory_bound_frac", "util_busy", "util_comm",
          "util_stall", "util_idle", "mem_busy", "mem_comm", "mem_stall", "comm_bytes_s", "tokens_s",
          "link_bytes_s")
_SERVICE = ("service_capacity_tokens_s", "service_demand_tokens_s", "service_diurnal", "service_util",
            "service_mem")


cdef class Workload:
    """Running jobs over borrowed buffers.

    Args:
        state: the workload block (columns named in the state dictionary).
        table: the site's job table.
        perf, slowdown, connected, write_bytes_s: last tick's speed of the slowest GPU, communication slowdown,
            whether all GPUs reach each other, and write rate of each job.
        capacity_frac: what is left of the file system's bandwidth, one value.
        day_start_s: local time of day at the scenario's start, s.
        points: points of a service's activity table.
    """

    cdef int[::1] state, phase, gpus
    cdef int64_t[::1] anchor_ns, finish_ns, next_checkpoint_ns, restart_until_ns
    cdef double[::1] work, done, anchor_done, rate, left, wrote, active, util, mem, comm_frac, comm_bytes, tokens
    cdef double[::1] tokens_s, backlog, gpu_s, useful, speed
    cdef double[::1] trained_total, served_total, tokens_s_total, allocated_total, useful_total, wait_max
    cdef const int[::1] p_coupled, p_service, p_diurnal
    cdef const double[::1] p_comm, p_hidden, p_bound, p_util_busy, p_util_comm, p_util_stall, p_util_idle
    cdef const double[::1] p_mem_busy, p_mem_comm, p_mem_stall, p_bytes, p_tokens_s, p_link
    cdef const double[::1] p_capacity, p_demand, p_util_load, p_mem_load
    cdef const double[::1] perf, slowdown, write_rate, capacity_frac
    cdef const int[::1] connected
    cdef int[::1] running, touched, fresh
    cdef Py_ssize_t n_running, n_touched
    cdef int points
    cdef double write_total
    cdef int64_t day_start_ns, tick_ns, end_ns
    cdef readonly bint event
    cdef object _running, _touched, _fresh

    def __init__(self, *, state, table, perf, slowdown, connected, write_bytes_s, capacity_frac, double day_start_s,
                 int points):
        cdef Py_ssize_t n = state.job_state.shape[0]
        for name in _STATE:
            if getattr(state, name).shape[0] != n:
                raise ValueError(f"{name} must have {n} elements")
        for name in _TABLE:
            if getattr(table, name).shape[0] != n:
                raise ValueError(f"{name} must have {n} elements")
        for name, array in (("perf", perf), ("slowdown", slowdown), ("connected", connected),
                            ("write_bytes_s", write_bytes_s)):
            if array.shape[0] != n:
                raise ValueError(f"{name} must have {n} elements")
        for name in _ONE:
            if getattr(state, name).shape[0] != 1:
                raise ValueError(f"{name} must have 1 element")
        rows = table.service_capacity_tokens_s.shape[0]
        if (table.service_util.shape[0] != rows * points or table.service_mem.shape[0] != rows * points
                or table.service_demand_tokens_s.shape[0] != rows or table.service_diurnal.shape[0] != rows):
            raise ValueError("the service tables differ in length")
        if points < 2 or capacity_frac.shape[0] != 1:
            raise ValueError("points must be at least 2, capacity_frac one value")
        if n and table.service.max(initial=-1) >= rows:
            raise ValueError("a job names a service row that does not exist")
        self.state, self.phase, self.gpus = state.job_state, state.job_phase, state.job_gpus
        self.anchor_ns, self.finish_ns = state.job_anchor_ns, state.job_finish_ns
        self.next_checkpoint_ns, self.restart_until_ns = state.job_next_checkpoint_ns, state.job_restart_until_ns
        self.work, self.done, self.anchor_done = state.job_work_s, state.job_done_s, state.job_anchor_done_s
        self.rate, self.left, self.wrote = state.job_rate_frac, state.job_checkpoint_left_bytes, state.job_wrote_bytes
        self.active, self.util, self.mem = state.job_active_frac, state.job_util_frac, state.job_mem_frac
        self.comm_frac, self.comm_bytes = state.job_comm_frac, state.job_comm_bytes_s
        self.tokens, self.tokens_s, self.backlog = state.job_tokens, state.job_tokens_s, state.job_backlog_tokens
        self.gpu_s, self.useful, self.speed = state.job_gpu_s, state.job_useful_gpu_s, state.job_speed_frac
        self.trained_total, self.served_total = state.trained_tokens, state.served_tokens
        self.tokens_s_total, self.allocated_total = state.tokens_s, state.allocated_gpu_s
        self.useful_total, self.wait_max = state.useful_gpu_s, state.service_wait_s_max
        self.p_coupled, self.p_service, self.p_diurnal = table.coupled, table.service, table.service_diurnal
        self.p_comm, self.p_hidden, self.p_bound = table.comm_frac, table.hidden_frac, table.memory_bound_frac
        self.p_util_busy, self.p_util_comm = table.util_busy, table.util_comm
        self.p_util_stall, self.p_util_idle = table.util_stall, table.util_idle
        self.p_mem_busy, self.p_mem_comm, self.p_mem_stall = table.mem_busy, table.mem_comm, table.mem_stall
        self.p_bytes, self.p_tokens_s, self.p_link = table.comm_bytes_s, table.tokens_s, table.link_bytes_s
        self.p_capacity, self.p_demand = table.service_capacity_tokens_s, table.service_demand_tokens_s
        self.p_util_load, self.p_mem_load = table.service_util, table.service_mem
        self.perf, self.slowdown, self.write_rate, self.capacity_frac = perf, slowdown, write_bytes_s, capacity_frac
        self.connected = connected
        self._running = np.zeros(max(n, 1), np.int32)
        self._touched = np.zeros(2 * max(n, 1), np.int32)
        self._fresh = np.zeros(max(n, 1), np.int32)
        self.running, self.touched, self.fresh = self._running, self._touched, self._fresh
        self.points = points
        self.write_total = table.write_total_bytes_s
        self.day_start_ns = <int64_t>(day_start_s * 1e9) % DAY_NS
        self.n_running = self.n_touched = 0
        self.event = False

    # ---- lists -------------------------------------------------------------------------------------------

    def load(self, running, touched):
        """Take over the jobs that hold accelerators, in index order, and those with outputs of the last tick."""
        self.n_running, self.n_touched = len(running), len(touched)
        self._running[:self.n_running] = running
        self._touched[:self.n_touched] = touched
        self._fresh[:] = 0

    def relist(self, running, started):
        """Change the running jobs within a tick: the new list in index order, and which of them began just now."""
        cdef Py_ssize_t k
        self.n_running = len(running)
        self._running[:self.n_running] = running
        for j in started:
            if not self._fresh[j]:
                self._fresh[j] = 1
                self._touched[self.n_touched] = j
                self.n_touched += 1

    @property
    def running_jobs(self):
        """Indices of the jobs that hold accelerators, in index order (a copy)."""
        return self._running[:self.n_running].copy()

    # ---- one tick ----------------------------------------------------------------------------------------

    def begin(self, int64_t now_ns, int64_t end_ns, int64_t next_ns):
        """Open a tick and move to its first event or its end; return the instant reached.

        Returns -1 without having moved when a running job's slowest GPU stands still or its fabric is cut;
        ``advance`` goes on after the domain has dealt with it. ``event`` says whether something happens at
        the instant reached. ``next_ns`` is the next submission, -1 for none.
        """
        cdef Py_ssize_t i
        cdef int j
        cdef bint lost = False
        cdef int64_t reached = -1
        with nogil:
            self.tick_ns, self.end_ns = end_ns - now_ns, end_ns
            for i in range(self.n_touched):
                j = self.touched[i]
                self.fresh[j] = 0
                self.active[j] = self.util[j] = self.mem[j] = self.speed[j] = 0.0
                self.comm_frac[j] = self.comm_bytes[j] = self.tokens_s[j] = self.wrote[j] = 0.0
            self.tokens_s_total[0] = 0.0
            self.wait_max[0] = 0.0
            self.n_touched = self.n_running
            for i in range(self.n_running):
                j = self.running[i]
                self.touched[i] = j
                if self.state[j] == 2 and (not self.perf[j] > 0.0 or not self.connected[j]):
                    lost = True
            if not lost:
                reached = self._advance(now_ns, next_ns)
        return reached

    def advance(self, int64_t now_ns, int64_t next_ns):
        """Go on within the tick that ``begin`` opened; return the instant reached."""
        cdef int64_t reached
        with nogil:
            reached = self._advance(now_ns, next_ns)
        return reached

    cdef int64_t _advance(self, int64_t t0, int64_t next_ns) noexcept nogil:
        cdef int64_t t1 = NEVER, at
        cdef Py_ssize_t i
        if next_ns >= 0:
            t1 = next_ns if next_ns > t0 else t0
        for i in range(self.n_running):
            at = self._next(self.running[i], t0)
            if at < t1:
                t1 = at
        self.event = t1 <= self.end_ns
        if t1 > self.end_ns:
            t1 = self.end_ns
        if t1 > t0:
            for i in range(self.n_running):
                self._move(self.running[i], t0, t1)
        return t1

    cdef inline double _parts(self, int j, double* exposed) noexcept nogil:
        """Return the length of the busy part of a second of work; ``exposed``: that of its communication."""
        cdef double perf = 1.0, slow = 1.0, c = self.p_comm[j], b = self.p_bound[j]
        if self.p_coupled[j] and not self.fresh[j]:
            perf = self.perf[j] if self.perf[j] > 0.0 else 1.0
            slow = fmax(self.slowdown[j], 1.0)
        # Hidden communication surfaces when it becomes longer than the computation that hides it.
        exposed[0] = fmax(c * slow, (c + self.p_hidden[j]) * slow - self.p_hidden[j])
        # Memory-bound time does not follow the clock until it falls below half.
        return (1.0 - c - b) / perf + b / fmin(1.0, 2.0 * perf)

    cdef inline double _write_rate(self, int j) noexcept nogil:
        # A checkpoint that began in this tick has no share yet: it takes what it would get alone.
        cdef double rate = self.write_rate[j]
        return rate if rate > 0.0 else fmin(self.p_link[j], self.write_total * self.capacity_frac[0])

    cdef int64_t _next(self, int j, int64_t t0) noexcept nogil:
        """Set the job's speed and return the instant of its next event if all stays as it is."""
        cdef double exposed, r, span
        cdef int64_t at = NEVER
        if self.state[j] == 5:
            return self.restart_until_ns[j] if self.restart_until_ns[j] > t0 else t0
        if self.phase[j] == 2:
            r = self._write_rate(j)
            if self.left[j] <= 0.0:
                return t0
            if r > 0.0:
                span = ceil(self.left[j] / r * 1e9)
                if span < 9e18 - t0:
                    at = t0 + <int64_t>span
            return at
        r = self._parts(j, &exposed)
        r = 1.0 / (r + exposed)
        if r != self.rate[j]:
            self.anchor_done[j] = self.done[j]
            self.anchor_ns[j] = t0
            self.rate[j] = r
            self.finish_ns[j] = -1
            span = ceil((self.work[j] - self.anchor_done[j]) / r * 1e9)
            if span < 9e18 - t0:
                self.finish_ns[j] = t0 + <int64_t>span
        if self.finish_ns[j] >= 0:
            at = self.finish_ns[j]
        if 0 <= self.next_checkpoint_ns[j] < at:
            at = self.next_checkpoint_ns[j]
        return at if at > t0 else t0

    cdef void _move(self, int j, int64_t t0, int64_t t1) noexcept nogil:
        cdef double dt = (t1 - t0) * 1e-9, share = <double>(t1 - t0) / <double>self.tick_ns
        cdef double held = dt * self.gpus[j], busy, exposed, bytes_
        self.active[j] += share
        self.gpu_s[j] += held
        self.allocated_total[0] += held
        if self.state[j] == 5:
            self.util[j] += share * self.p_util_idle[j]
        elif self.phase[j] == 2:
            bytes_ = fmin(self.left[j], self._write_rate(j) * dt)
            # The instant of the end is a whole nanosecond: what is left then is rounding.
            self.left[j] = 0.0 if self._next(j, t0) <= t1 else self.left[j] - bytes_
            self.wrote[j] += bytes_
            self.util[j] += share * self.p_util_stall[j]
            self.mem[j] += share * self.p_mem_stall[j]
        else:
            busy = self._parts(j, &exposed)
            self._work(j, t1, dt, share, busy, exposed)

    cdef void _work(self, int j, int64_t t1, double dt, double share, double busy, double exposed) noexcept nogil:
        cdef double r = self.rate[j], made
        cdef double done = fmin(self.anchor_done[j] + r * ((t1 - self.anchor_ns[j]) * 1e-9), self.work[j])
        cdef double step = done - self.done[j]
        self.done[j] = done
        self.speed[j] += share * r
        self.comm_frac[j] += share * self.p_comm[j]
        self.comm_bytes[j] += share * self.p_bytes[j]
        self.useful[j] += step * self.gpus[j]
        self.useful_total[0] += step * self.gpus[j]
        if self.p_service[j] >= 0:
            made = self._serve(j, t1, dt, share, r)
            self.served_total[0] += made
        else:
            made = step * self.p_tokens_s[j]
            self.trained_total[0] += made
            self.util[j] += share * r * (busy * self.p_util_busy[j] + exposed * self.p_util_comm[j])
            self.mem[j] += share * r * (busy * self.p_mem_busy[j] + exposed * self.p_mem_comm[j])
        self.tokens[j] += made
        made = made / (self.tick_ns * 1e-9)
        self.tokens_s[j] += made
        self.tokens_s_total[0] += made

    cdef double _serve(self, int j, int64_t t1, double dt, double share, double r) noexcept nogil:
        """Serve what has come and what waits, as far as the capacity goes; return the tokens served."""
        cdef int row = self.p_service[j], k
        cdef double capacity = self.p_capacity[row] * r * dt
        cdef double asked = self.p_demand[row] * dt * (self._daytime(t1, dt) if self.p_diurnal[row] else 1.0)
        cdef double waiting = self.backlog[j] + asked
        cdef double served = fmin(waiting, capacity)
        cdef double x = (served / capacity if capacity > 0.0 else 0.0) * (self.points - 1), f
        self.backlog[j] = waiting - served
        k = <int>x if 0.0 < x < self.points - 1 else 0 if not x > 0.0 else self.points - 2
        f = x - k
        k += row * self.points
        self.util[j] += share * (self.p_util_load[k] + f * (self.p_util_load[k + 1] - self.p_util_load[k]))
        self.mem[j] += share * (self.p_mem_load[k] + f * (self.p_mem_load[k + 1] - self.p_mem_load[k]))
        self.wait_max[0] = fmax(self.wait_max[0], self.backlog[j] / (self.p_capacity[row] * r))
        return served

    cdef double _daytime(self, int64_t t1, double dt) noexcept nogil:
        """Return the mean over the last ``dt`` of a day's demand: 1 + sin / 2, least at 4 h, most at 16 h."""
        cdef double x1 = TWO_PI * (<double>((self.day_start_ns + t1) % DAY_NS) / <double>DAY_NS - 10.0 / 24.0)
        cdef double half = 0.5 * TWO_PI * dt * 1e9 / <double>DAY_NS
        # Mean of sin over [x1 - 2 half, x1] = sin(x1 - half) sin(half) / half.
        return 1.0 + 0.5 * law_sin(x1 - half) * (law_sin(half) / half if half > 0.0 else 1.0)

    def next_event_ns(self, int64_t now_ns):
        """Return the instant of the next event of a running job after ``now_ns``, -1 for none."""
        cdef int64_t best = NEVER, at
        cdef Py_ssize_t i
        cdef int j
        for i in range(self.n_running):
            j = self.running[i]
            at = NEVER
            if self.state[j] == 5:
                at = self.restart_until_ns[j]
            elif self.phase[j] != 2:
                if self.finish_ns[j] >= 0:
                    at = self.finish_ns[j]
                if 0 <= self.next_checkpoint_ns[j] < at:
                    at = self.next_checkpoint_ns[j]
            else:
                at = now_ns + 1
            if now_ns < at < best:
                best = at
        return -1 if best == NEVER else best
