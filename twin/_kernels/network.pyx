"""Network: from who runs where to the load of every bundle and the slowdown of every job.

One collective flow group (coflow) per job. Its GPUs, in placement order, form one ring over the scale-up domains
that the job touches: each GPU sends to its counterpart on the same rail in the next domain. With model parallelism
each GPU is in a ring of its own, with the GPUs that hold the same shard. The group runs in step:
one rate per GPU for all its flows, so it is one variable that loads link l with ``a[j,l]`` flows.

    mean rates      x[j] <= m[j] (offered mean per GPU), sum_j a[j,l] x[j] <= C[l], max-min fair       (maxmin.pyx)
    slowdown[j]   = max over l of  p[j] a[j,l] / max(C[l] - sum_{k != j} a[k,l] x[k],  C[l] a[j,l] / sum_k a[k,l])

with p[j] the rate at which the job's NICs send when nothing is in the way: while a job communicates it meets the mean
load of the others, and at worst an equal share per flow. For one job alone this is its exact slowdown; for jobs that
always communicate it is the max-min result.

Routing: 0 adaptive spreads a flow over the planes in proportion to live capacity, 1 ecmp hashes it onto one cable
(a cable that is down moves only its own flows, by rendezvous hashing), 2 static pins it to cable (port mod cables).
The result is a pure function of placement, faults and demands, so nothing but these needs to be in a snapshot.
"""

import numpy as np

from libc.math cimport INFINITY
from libc.stdint cimport uint64_t

from twin._kernels.maxmin cimport Fill, fill, reverse_incidence

#: slowdown of a job whose GPUs do not reach each other.
DISCONNECTED_SLOWDOWN = 1e9
cdef double _DISCONNECTED = DISCONNECTED_SLOWDOWN
cdef enum:
    ADAPTIVE = 0
    ECMP = 1
    STATIC = 2


cdef inline uint64_t _mix(uint64_t x) noexcept nogil:
    """Return a well mixed 64-bit value (the finaliser of SplitMix64, Steele et al., OOPSLA 2014)."""
    x = (x ^ (x >> 30)) * <uint64_t>0xBF58476D1CE4E5B9
    x = (x ^ (x >> 27)) * <uint64_t>0x94D049BB133111EB
    return x ^ (x >> 31)


cdef inline uint64_t _flow_hash(uint64_t src, uint64_t dst, uint64_t salt) noexcept nogil:
    return _mix(_mix(_mix(src + <uint64_t>0x9E3779B97F4A7C15) + dst) + salt)


cdef int _ecmp_lane(uint64_t src, uint64_t dst, const double* lane_live, const double* other_live,
                    int lanes) noexcept nogil:
    """Return the cable that a flow takes among those live at both ends, -1 for none; see ``ecmp_lane``."""
    cdef int k = <int>(_flow_hash(src, dst, 0) % <uint64_t>lanes), best = -1
    cdef uint64_t score, top = 0
    if lane_live[k] > 0.0 and other_live[k] > 0.0:
        return k
    for k in range(lanes):
        if lane_live[k] > 0.0 and other_live[k] > 0.0:
            score = _flow_hash(src, dst, <uint64_t>(k + 1))
            if best < 0 or score > top:
                best, top = k, score
    return best


def ecmp_lane(unsigned long long src, unsigned long long dst, const double[::1] lane_live):
    """Return the cable that the flow from ``src`` to ``dst`` is hashed to, -1 when none is live.

    Resilient hashing: the first choice is among all cables; only a flow whose first choice is down is hashed
    again, by highest random weight (Thaler and Ravishankar, 1998) among the live ones. So losing one of k
    cables moves 1/k of the flows and its return moves the same flows back.

    >>> ecmp_lane(1, 2, np.array([0.0, 1.0])), ecmp_lane(1, 2, np.zeros(2))
    (1, -1)
    """
    if lane_live.shape[0] == 0:
        return -1
    return _ecmp_lane(src, dst, &lane_live[0], &lane_live[0], <int>lane_live.shape[0])


include "network_wiring.pxi"


cdef class NetworkKernel(Wiring):
    """Bound to its buffers once; ``run`` does nothing when placement, faults and demands are as before.

    Keyword args, read (R) or written (W); sizes as in ``twin/site/fabric.py``:
        gpu_job, job_comm_bytes_s, placement_version (R): the workload's columns.
        link_capacity_frac, switch_up, fault_version (R): faults.
        link_load_bytes_s, link_load_frac, link_demand_ratio, job_slowdown, job_connected, solved_version,
        hall_power_w, congestion_max_ratio, slowdown_max_ratio, traffic_bytes_s (W).
        gpu_domain, gpu_rail, gpu_leaf, gpu_port, gpu_rate_bytes_s, domain_gpu_ptr, leaf_pod,
        link_capacity_bytes_s, switch_hall, switch_w (R): the fabric.
        sizes: (rails, leaves, pods, spines of a pod, planes of a pod, uplinks of a leaf, cores of a plane), the
            first three over all rails.
        routing: 0 adaptive, 1 ecmp, 2 static; lane_capacity_bytes_s: of one cable.

    Raises:
        ValueError: lengths that do not fit.
    """

    def refresh(self):
        """Forget what is cached; the next ``run`` builds everything from the state."""
        self.dirty = True

    def run(self):
        """Bring rates and loads up to date; return True when they were solved again."""
        cdef bint solved = False
        with nogil:
            if (self.dirty or self.built_placement != self.placement_version[0]
                    or self.built_fault != self.fault_version[0]):
                self._liveness()
                self._build()
                self.built_placement, self.built_fault = self.placement_version[0], self.fault_version[0]
                self.dirty = False
                solved = True
            elif self._demands_differ():
                solved = True
            if solved:
                self._solve()
                self._report()
        return solved

    cdef bint _demands_differ(self) noexcept nogil:
        cdef int j
        for j in range(self.n_job):
            if self.comm[j] != self.demand_seen[j]:
                return True
        return False

    cdef void _solve(self) noexcept nogil:
        """Share capacity among the jobs' mean demands, then find each job's slowdown."""
        cdef int j, k, link
        cdef double need, others, share, worst
        for j in range(self.n_job):
            self.demand_seen[j] = self.comm[j]
            self.demand[j] = 0.0
            if self.uses[j] and self.connected[j]:
                self.demand[j] = max(0.0, min(self.comm[j], self.peak[j] / self.nic_ratio[j]))
            self.rate[j] = self.demand[j]
        if not self._fits():
            fill(&self.p)
        for link in range(self.p.n_link):
            self.sum_coef[link] = 0.0
            self.sum_load[link] = 0.0
            for k in range(self.link_ptr[link], self.link_ptr[link + 1]):
                j = self.link_flow[k]
                self.sum_load[link] += self.rate[j] * self.link_coef[k]
                if self.demand[j] > 0.0:
                    self.sum_coef[link] += self.link_coef[k]
        self.slowdown_max[0] = 1.0
        for j in range(self.n_job):
            worst = 1.0
            if self.demand[j] > 0.0:
                worst = self.nic_ratio[j]
                for k in range(self.inc_ptr[j], self.inc_ptr[j + 1]):
                    link = self.inc_link[k]
                    need = self.inc_coef[k]
                    others = max(self.sum_load[link] - self.rate[j] * need, 0.0)
                    share = max(self.cap[link] - others, self.cap[link] * need / self.sum_coef[link])
                    if self.peak[j] * need > worst * share:
                        worst = self.peak[j] * need / share if share > 0.0 else _DISCONNECTED
                if worst < 1.0 + 1e-12:  # rounding of sums, not congestion
                    worst = 1.0
                if worst > self.slowdown_max[0]:
                    self.slowdown_max[0] = worst
            elif not self.connected[j]:
                worst = _DISCONNECTED
            self.slowdown[j] = worst

    cdef bint _fits(self) noexcept nogil:
        """Sum the demands of every link; tell whether no link is asked for more than it has."""
        cdef int k, link
        cdef bint fits = True
        for link in range(self.p.n_link):
            self.sum_demand[link] = 0.0
            for k in range(self.link_ptr[link], self.link_ptr[link + 1]):
                self.sum_demand[link] += self.demand[self.link_flow[k]] * self.link_coef[k]
            if self.sum_demand[link] > self.cap[link]:
                fits = False
        return fits

    cdef void _report(self) noexcept nogil:
        """Write the columns of the link axis and the totals.

        Where flows keep to a cable, a bundle's load is that of its cables, its demand ratio that of the busiest one.
        """
        cdef int k, link, j
        cdef double ratio, total = 0.0
        for link in range(self.n_link):
            self.load[link] = 0.0
            self.ratio[link] = 0.0
        self.congestion[0] = 0.0
        for k in range(self.p.n_link):
            link = self.axis_of[self.used[k]]
            self.load[link] += self.sum_load[k]
            ratio = self.sum_demand[k] / self.cap[k] if self.cap[k] > 0.0 else 0.0
            if ratio > self.ratio[link]:
                self.ratio[link] = ratio
            if ratio > self.congestion[0]:
                self.congestion[0] = ratio
        for link in range(self.n_link):
            self.load_frac[link] = self.load[link] / self.bundle_cap[link] if self.bundle_cap[link] > 0.0 else 0.0
        for j in range(self.n_job):
            total += self.rate[j] * (self.job_ptr[j + 1] - self.job_ptr[j])
        self.traffic[0] = total
        self.solved[0] = self.placement_version[0] + self.fault_version[0]
