# Part of network.pyx: buffers, what is live, and which job loads which link with how many flows.

cdef class Wiring:
    """The kernel's buffers, what of the fabric is live, and which job loads which link; see ``NetworkKernel``."""

    cdef const int[::1] gpu_job, switch_up, gpu_domain, gpu_rail, gpu_leaf, gpu_port, domain_gpu_ptr, leaf_pod
    cdef const int[::1] switch_hall, group
    cdef const double[::1] comm, cap_frac, gpu_rate, capacity, switch_w
    cdef const long long[::1] placement_version, fault_version
    cdef double[::1] load, load_frac, ratio, slowdown, hall_w, congestion, slowdown_max, traffic
    cdef int[::1] connected
    cdef long long[::1] solved
    cdef int rails, leaves, pods, spines, planes, uplinks, cores, per_spine_plane, routing
    cdef int n_gpu, n_job, n_link, n_lane_links, half, core0, host0, solver_half, span
    cdef double lane_capacity
    cdef bint dirty
    cdef long long built_placement, built_fault
    # caches rebuilt from the state
    cdef int[::1] job_ptr, job_gpus, inc_ptr, inc_link, link_ptr, link_flow, touched, stamp, left, fixed, heap_id
    cdef int[::1] bottleneck, domain_rail_gpu, bucket, bucket_n, pend_a, pend_b, flow_dst
    cdef int[::1] flow_src, rail_seen, held
    cdef double[::1] live, cap, acc, inc_coef, link_coef, demand, demand_seen, rate, level, rem, sum_w, heap_key
    cdef double[::1] pend_w, peak, nic_ratio, sum_coef, sum_load, sum_demand
    cdef int[::1] uses, axis_of, used, slot
    cdef double[::1] live_cap, bundle_cap
    cdef int n_touched
    cdef Fill p

    def __init__(self, *, gpu_job, job_comm_bytes_s, placement_version, link_capacity_frac, switch_up, fault_version,
                 link_load_bytes_s, link_load_frac, link_demand_ratio, job_slowdown, job_connected, solved_version,
                 hall_power_w, congestion_max_ratio, slowdown_max_ratio, traffic_bytes_s, gpu_domain, gpu_rail,
                 gpu_leaf, gpu_port, gpu_rate_bytes_s, domain_gpu_ptr, leaf_pod, link_capacity_bytes_s, switch_hall,
                 switch_w, job_group_gpus, sizes, int routing, double lane_capacity_bytes_s):
        self.gpu_job, self.comm, self.placement_version = gpu_job, job_comm_bytes_s, placement_version
        self.cap_frac, self.switch_up, self.fault_version = link_capacity_frac, switch_up, fault_version
        self.load, self.load_frac, self.ratio = link_load_bytes_s, link_load_frac, link_demand_ratio
        self.slowdown, self.connected, self.solved = job_slowdown, job_connected, solved_version
        self.hall_w, self.congestion, self.slowdown_max = hall_power_w, congestion_max_ratio, slowdown_max_ratio
        self.traffic = traffic_bytes_s
        self.gpu_domain, self.gpu_rail, self.gpu_leaf, self.gpu_port = gpu_domain, gpu_rail, gpu_leaf, gpu_port
        self.gpu_rate, self.domain_gpu_ptr, self.leaf_pod = gpu_rate_bytes_s, domain_gpu_ptr, leaf_pod
        self.capacity, self.switch_hall, self.switch_w = link_capacity_bytes_s, switch_hall, switch_w
        self.rails, self.leaves, self.pods, self.spines, self.planes, self.uplinks, self.cores = sizes
        self.routing, self.lane_capacity = routing, lane_capacity_bytes_s
        self.group = job_group_gpus
        self.n_gpu, self.n_job, self.n_link = gpu_job.shape[0], job_slowdown.shape[0], link_load_bytes_s.shape[0]
        self.half = self.n_link // 2
        self.per_spine_plane = self.spines // self.planes if self.planes else 1
        self._check()
        self._allocate()
        self.dirty = True

    def _check(self):
        cdef int n_core = self.pods * self.planes if self.cores else 0
        pairs = ((self.gpu_domain.shape[0], self.n_gpu), (self.gpu_rail.shape[0], self.n_gpu),
                 (self.gpu_leaf.shape[0], self.n_gpu), (self.gpu_port.shape[0], self.n_gpu),
                 (self.gpu_rate.shape[0], self.n_gpu), (self.comm.shape[0], self.n_job),
                 (self.group.shape[0], self.n_job),
                 (self.connected.shape[0], self.n_job), (self.cap_frac.shape[0], self.n_link),
                 (self.load_frac.shape[0], self.n_link), (self.ratio.shape[0], self.n_link),
                 (self.capacity.shape[0], self.n_link), (self.leaf_pod.shape[0], self.leaves),
                 (self.switch_hall.shape[0], self.switch_up.shape[0]),
                 (self.switch_w.shape[0], self.switch_up.shape[0]), (self.placement_version.shape[0], 1),
                 (self.fault_version.shape[0], 1), (self.solved.shape[0], 1), (self.congestion.shape[0], 1),
                 (self.slowdown_max.shape[0], 1), (self.traffic.shape[0], 1))
        if any(found != size for found, size in pairs):
            raise ValueError("a buffer's length does not fit its axis")
        if self.half != self.leaves * (self.planes + 1) + n_core or self.n_link % 2:
            raise ValueError("the number of links does not fit the sizes of the fabric")
        if self.switch_up.shape[0] != self.leaves + self.pods * self.spines + self.rails * self.planes * self.cores:
            raise ValueError("the number of switches does not fit the sizes of the fabric")
        if self.n_gpu and (np.max(self.gpu_leaf) >= self.leaves or np.max(self.gpu_rail) >= max(self.rails, 1)
                           or np.min(self.gpu_domain) < 0
                           or np.max(self.gpu_domain) != self.domain_gpu_ptr.shape[0] - 2):
            raise ValueError("a GPU's leaf, rail or domain does not exist")
        if self.switch_hall.shape[0] and np.max(self.switch_hall) >= self.hall_w.shape[0]:
            raise ValueError("a switch stands in a hall that does not exist")

    def _allocate(self):
        cdef int n, fan, g, rails = max(self.rails, 1)
        cdef Fill* p = &self.p
        self.core0 = self.leaves * self.planes
        self.host0 = self.half - self.leaves
        self.n_lane_links = self.leaves * (self.planes if self.routing == ADAPTIVE else self.uplinks)
        self.solver_half = self.n_lane_links + (self.half - self.core0)
        n = 2 * self.solver_half
        fan = 2 * self.planes * (2 if self.cores else 1) + 2 if self.routing == ADAPTIVE else 6
        widest = int(np.max(np.diff(self.domain_gpu_ptr))) if self.n_gpu else 1
        self.span = widest

        def ints(size):
            return np.zeros(max(int(size), 1), np.int32)

        def doubles(size):
            return np.zeros(max(int(size), 1), np.float64)

        self.job_ptr, self.job_gpus = ints(self.n_job + 1), ints(self.n_gpu)
        self.inc_ptr, self.link_ptr = ints(self.n_job + 1), ints(n + 1)
        self.inc_link, self.link_flow = ints(self.n_gpu * fan), ints(self.n_gpu * fan)
        self.inc_coef, self.link_coef = doubles(self.n_gpu * fan), doubles(self.n_gpu * fan)
        self.touched, self.stamp, self.left, self.acc = ints(n), ints(n), ints(n), doubles(n)
        self.cap, self.live, self.live_cap, self.bundle_cap = doubles(n), doubles(n), doubles(n), doubles(self.n_link)
        self.used, self.slot = ints(n), ints(n)
        self.level, self.rem, self.sum_w, self.sum_coef = doubles(n), doubles(n), doubles(n), doubles(n)
        self.sum_load, self.sum_demand = doubles(n), doubles(n)
        self.fixed, self.bottleneck, self.uses = ints(self.n_job), ints(self.n_job), ints(self.n_job)
        self.demand, self.demand_seen, self.rate = doubles(self.n_job), doubles(self.n_job), doubles(self.n_job)
        self.peak, self.nic_ratio = doubles(self.n_job), doubles(self.n_job)
        self.heap_id, self.heap_key = ints(n + self.n_job + 1), doubles(n + self.n_job + 1)
        self.bucket, self.bucket_n, self.rail_seen = ints(rails * widest), ints(rails), ints(rails)
        self.pend_a, self.pend_b, self.pend_w = ints(rails), ints(rails), doubles(rails)
        self.flow_src, self.flow_dst = ints(widest), ints(widest)
        self.held = ints(self.domain_gpu_ptr.shape[0])
        self._map_axis()
        table = np.full(max((self.domain_gpu_ptr.shape[0] - 1) * rails, 1), -1, np.int32)
        self.domain_rail_gpu = table
        for g in range(self.n_gpu - 1, -1, -1):
            self.domain_rail_gpu[self.gpu_domain[g] * rails + self.gpu_rail[g]] = g
        p.n_flow, p.n_link = self.n_job, 0
        p.flow_ptr, p.flow_link, p.flow_coef = &self.inc_ptr[0], &self.inc_link[0], &self.inc_coef[0]
        p.link_ptr, p.link_flow, p.link_coef = &self.link_ptr[0], &self.link_flow[0], &self.link_coef[0]
        p.capacity, p.weight, p.demand, p.rate = &self.cap[0], NULL, &self.demand[0], &self.rate[0]
        p.level, p.bottleneck, p.rem, p.sum_w = &self.level[0], &self.bottleneck[0], &self.rem[0], &self.sum_w[0]
        p.left, p.fixed, p.heap_key, p.heap_id = &self.left[0], &self.fixed[0], &self.heap_key[0], &self.heap_id[0]

    def _map_axis(self):
        """Note the bundle of every link of the solver: itself, or that of a cable."""
        cdef int n_core_host = self.half - self.core0
        if self.routing == ADAPTIVE:
            lanes = np.arange(self.core0)
        else:
            cable = np.arange(self.uplinks) % max(self.spines, 1) // self.per_spine_plane
            lanes = (np.arange(self.leaves)[:, None] * self.planes + cable).ravel()
        one_way = np.concatenate([lanes, self.core0 + np.arange(n_core_host)])
        self.axis_of = np.concatenate([one_way, one_way + self.half, [0]]).astype(np.int32)

    cdef void _liveness(self) noexcept nogil:
        """Write live share and live capacity of every link of the solver, and the halls' power."""
        cdef int a, b, k, g, link, way, spine, pod, lanes = self.uplinks
        cdef int base, n_up
        cdef double frac, up_frac
        cdef int first_core = self.leaves + self.pods * self.spines
        for link in range(self.n_link):
            self.bundle_cap[link] = 0.0
        for way in range(2):
            base = way * self.solver_half
            link = way * self.half
            for a in range(self.leaves):
                frac = 1.0 if self.switch_up[a] else 0.0
                if self.routing == ADAPTIVE:
                    for g in range(self.planes):
                        up_frac = frac * self._plane_frac(self.leaf_pod[a], g)
                        self._set_live(base + a * self.planes + g, self.cap_frac[link + a * self.planes + g] * up_frac,
                                       self.capacity[link + a * self.planes + g])
                else:
                    for k in range(lanes):
                        spine = k % self.spines
                        up_frac = frac if self.switch_up[self.leaves + self.leaf_pod[a] * self.spines + spine] else 0.0
                        g = spine // self.per_spine_plane
                        self._set_live(base + a * lanes + k, self.cap_frac[link + a * self.planes + g] * up_frac,
                                       self.lane_capacity)
            if self.cores:
                for pod in range(self.pods):
                    for g in range(self.planes):
                        n_up = 0
                        spine = first_core + (pod // (self.pods // self.rails) * self.planes + g) * self.cores
                        for k in range(self.cores):
                            n_up += 1 if self.switch_up[spine + k] else 0
                        b = pod * self.planes + g
                        self._set_live(base + self.n_lane_links + b, self.cap_frac[link + self.core0 + b]
                                       * self._plane_frac(pod, g) * n_up / self.cores,
                                       self.capacity[link + self.core0 + b])
            for a in range(self.leaves):
                frac = 1.0 if self.switch_up[a] else 0.0
                self._set_live(base + self.solver_half - self.leaves + a,
                               self.cap_frac[link + self.host0 + a] * frac, self.capacity[link + self.host0 + a])
        for a in range(self.hall_w.shape[0]):
            self.hall_w[a] = 0.0
        for a in range(self.switch_up.shape[0]):
            if self.switch_up[a]:
                self.hall_w[self.switch_hall[a]] += self.switch_w[a]

    cdef inline void _set_live(self, int link, double frac, double nominal) noexcept nogil:
        self.live[link] = frac
        self.live_cap[link] = frac * nominal
        self.bundle_cap[self.axis_of[link]] += frac * nominal

    cdef inline double _plane_frac(self, int pod, int plane) noexcept nogil:
        """Share of a plane's spines that forward."""
        cdef int k, n_up = 0
        cdef int first = self.leaves + pod * self.spines + plane * self.per_spine_plane
        for k in range(self.per_spine_plane):
            n_up += 1 if self.switch_up[first + k] else 0
        return n_up / <double>self.per_spine_plane

    cdef void _build(self) noexcept nogil:
        """Sort GPUs by job, then write every job's links and flow counts."""
        cdef int g, j, k, link, at = 0
        for j in range(self.n_job + 1):
            self.job_ptr[j] = 0
        for g in range(self.n_gpu):
            if 0 <= self.gpu_job[g] < self.n_job:
                self.job_ptr[self.gpu_job[g] + 1] += 1
        for j in range(self.n_job):
            self.job_ptr[j + 1] += self.job_ptr[j]
        for g in range(self.n_gpu):
            j = self.gpu_job[g]
            if 0 <= j < self.n_job:
                self.job_gpus[self.job_ptr[j]] = g
                self.job_ptr[j] += 1
        for j in range(self.n_job, 0, -1):
            self.job_ptr[j] = self.job_ptr[j - 1]
        self.job_ptr[0] = 0
        for j in range(self.n_job):
            self.n_touched = 0
            self._ring(j)
            self.inc_ptr[j] = at
            for k in range(self.n_touched):
                link = self.touched[k]
                self.inc_link[at] = link
                self.inc_coef[at] = self.acc[link]
                self.acc[link] = 0.0
                self.stamp[link] = 0
                at += 1
        self.inc_ptr[self.n_job] = at
        self._number_used(at)
        reverse_incidence(self.n_job, self.p.n_link, self.p.flow_ptr, self.p.flow_link, self.p.flow_coef,
                          &self.link_ptr[0], &self.link_flow[0], &self.link_coef[0])

    cdef void _number_used(self, int incidences) noexcept nogil:
        """Number the links that carry flows, in index order, so that a solve touches no others."""
        cdef int k, link, n = 0
        for k in range(incidences):
            self.slot[self.inc_link[k]] = 1
        for link in range(2 * self.solver_half):
            if self.slot[link]:
                self.used[n] = link
                self.cap[n] = self.live_cap[link]
                self.slot[link] = n
                n += 1
        for k in range(incidences):
            self.inc_link[k] = self.slot[self.inc_link[k]]
        for k in range(n):
            self.slot[self.used[k]] = 0
        self.p.n_link = n

    cdef void _ring(self, int j) noexcept nogil:
        """Walk the domains of a job and let each send to the next, the last to the first.

        A job without model parallelism has one ring, whose every hop carries the whole of its data. With model
        parallelism each GPU has a ring of its own, with those that hold the same shard of the model.
        """
        cdef int lo = self.job_ptr[j], hi = self.job_ptr[j + 1], start, end, stop, r, widest = 0
        self.uses[j] = 0
        self.connected[j] = 1
        self.nic_ratio[j] = 1.0
        self.peak[j] = INFINITY
        for r in range(lo, hi):
            if self.gpu_rate[self.job_gpus[r]] < self.peak[j]:
                self.peak[j] = self.gpu_rate[self.job_gpus[r]]
        if lo == hi or self.leaves == 0 or self._segment_end(lo, hi) == hi:
            return
        self.uses[j] = 1
        for r in range(self.rails):
            self.pend_w[r] = 0.0
        start = lo
        while start < hi:
            end = self._segment_end(start, hi)
            widest = max(widest, end - start)
            self.held[self.gpu_domain[self.job_gpus[start]]] = end - start
            start = end
        start = lo
        while start < hi and self.group[j] > 1:
            end = self._segment_end(start, hi)
            self._shards(j, lo, hi, start, end, widest)
            start = end
        while start < hi:
            end = self._segment_end(start, hi)
            if end < hi:
                stop = self._segment_end(end, hi)
                self._pair(j, start, end, end, stop, widest)
            else:
                self._pair(j, start, end, lo, self._segment_end(lo, hi), widest)
            start = end
        for r in range(self.rails):
            if self.pend_w[r] > 0.0:
                self._spray(j, self.pend_a[r], self.pend_b[r], self.pend_w[r])

    cdef inline int _segment_end(self, int start, int hi) noexcept nogil:
        cdef int k = start, domain = self.gpu_domain[self.job_gpus[start]]
        while k < hi and self.gpu_domain[self.job_gpus[k]] == domain:
            k += 1
        return k

    cdef void _pair(self, int j, int s0, int s1, int d0, int d1, int widest) noexcept nogil:
        """Flows of one domain to the next: the k-th GPU of a rail to the k-th of that rail over there.

        Every hop of a ring carries the same volume, that of the job's widest domain: fewer GPUs send more each.
        Where the rail of a GPU has no GPU of the job on the other side, its traffic first goes over the scale-up
        network to a rail that has one. NICs whose leaf is down hand their traffic to the live ones alike.
        """
        cdef int k, g, r, n, src, dst, alive = 0, total = s1 - s0, rails = self.rails
        cdef int here = self.gpu_domain[self.job_gpus[s0]]
        cdef double weight, crowd = 1.0
        for r in range(rails):
            self.bucket_n[r] = 0
            self.rail_seen[r] = 0
        for k in range(d0, d1):
            g = self.job_gpus[k]
            r = self.gpu_rail[g]
            self.bucket[r * self.span + self.bucket_n[r]] = g
            self.bucket_n[r] += 1
        for k in range(s0, s1):
            src = self.job_gpus[k]
            r = self.gpu_rail[src]
            n = self.rail_seen[r]
            self.rail_seen[r] = n + 1
            if self.bucket_n[r] > 0:
                dst = self.bucket[r * self.span + n % self.bucket_n[r]]
                if n + 1 > crowd * self.bucket_n[r]:
                    crowd = (n + 1) / <double>self.bucket_n[r]
            else:  # over the scale-up network to a rail that the other side has
                dst = self.job_gpus[d0 + (k - s0) % (d1 - d0)]
                src = self.domain_rail_gpu[here * rails + self.gpu_rail[dst]]
                if total > crowd * (d1 - d0):
                    crowd = total / <double>(d1 - d0)
            if src >= 0 and self._leaf_live(self.gpu_leaf[src]) and self._leaf_live(self.gpu_leaf[dst]):
                self.flow_src[alive] = src
                self.flow_dst[alive] = dst
                alive += 1
        if alive == 0:
            self.connected[j] = 0
            return
        weight = widest / <double>alive
        if weight * crowd > self.nic_ratio[j]:
            self.nic_ratio[j] = weight * crowd
        for k in range(alive):
            self._flow(j, self.flow_src[k], self.flow_dst[k], weight)

    cdef inline int _copies(self, int j, int gpus) noexcept nogil:
        """Copies of a shard that so many GPUs of one domain hold; they reduce among themselves first."""
        return gpus // self.group[j] if gpus > self.group[j] else 1

    cdef void _shards(self, int j, int lo, int hi, int s0, int s1, int widest) noexcept nogil:
        """Flows out of one domain of a model-parallel job: each GPU to the one that stands ``widest`` places on.

        So each GPU sends one flow and receives one, whatever the domains' sizes. A domain that holds fewer copies of
        its shards than the widest reduces less inside, and its GPUs send and receive so much more. Where source and
        target are on different rails, the traffic first goes over the scale-up network to the target's rail.
        """
        cdef int k, src, dst, alive = 0, total = 0
        cdef int here = self.gpu_domain[self.job_gpus[s0]], size = hi - lo
        cdef double own = self._copies(j, widest) / <double>self._copies(j, s1 - s0), weight, lost
        for k in range(s0, s1):
            dst = self.job_gpus[lo + (k - lo + widest) % size]
            if self.gpu_domain[dst] == here:
                continue
            src = self.job_gpus[k]
            if self.gpu_rail[src] != self.gpu_rail[dst]:
                src = self.domain_rail_gpu[here * self.rails + self.gpu_rail[dst]]
            total += 1
            if src >= 0 and self._leaf_live(self.gpu_leaf[src]) and self._leaf_live(self.gpu_leaf[dst]):
                self.flow_src[alive] = src
                self.flow_dst[alive] = dst
                alive += 1
        if alive == 0:
            if total > 0:
                self.connected[j] = 0
            return
        lost = total / <double>alive
        for k in range(alive):
            dst = self.flow_dst[k]
            weight = lost * max(own, self._copies(j, widest) / <double>self._copies(j, self.held[self.gpu_domain[dst]]))
            if weight > self.nic_ratio[j]:
                self.nic_ratio[j] = weight
            self._flow(j, self.flow_src[k], dst, weight)

    cdef inline bint _leaf_live(self, int leaf) noexcept nogil:
        cdef int host = self.solver_half - self.leaves + leaf
        return self.live[host] > 0.0 and self.live[self.solver_half + host] > 0.0

    cdef inline void _add(self, int link, double weight) noexcept nogil:
        if self.stamp[link] == 0:
            self.stamp[link] = 1
            self.touched[self.n_touched] = link
            self.n_touched += 1
        self.acc[link] += weight

    cdef void _flow(self, int j, int src, int dst, double weight) noexcept nogil:
        """Put one flow on its links; sprayed flows of the same two leaves are gathered first."""
        cdef int a = self.gpu_leaf[src], b = self.gpu_leaf[dst], r = self.gpu_rail[src]
        cdef int k, n, pod_a, pod_b, plane, host = self.solver_half - self.leaves
        if self.routing == ADAPTIVE or a == b:
            if self.pend_w[r] > 0.0 and (self.pend_a[r] != a or self.pend_b[r] != b):
                self._spray(j, self.pend_a[r], self.pend_b[r], self.pend_w[r])
                self.pend_w[r] = 0.0
            self.pend_a[r] = a
            self.pend_b[r] = b
            self.pend_w[r] += weight
            return
        if self.routing == ECMP:
            k = _ecmp_lane(src, dst, &self.live[a * self.uplinks],
                           &self.live[self.solver_half + b * self.uplinks], self.uplinks)
        else:
            k = -1
            for n in range(self.uplinks):
                k = (self.gpu_port[src] + n) % self.uplinks
                if (self.live[a * self.uplinks + k] > 0.0
                        and self.live[self.solver_half + b * self.uplinks + k] > 0.0):
                    break
                k = -1
        if k < 0:
            self.connected[j] = 0
            return
        self._add(a * self.uplinks + k, weight)
        pod_a, pod_b = self.leaf_pod[a], self.leaf_pod[b]
        if pod_a != pod_b:
            plane = k % self.spines // self.per_spine_plane
            n = self.n_lane_links + pod_a * self.planes + plane
            pod_b = self.solver_half + self.n_lane_links + pod_b * self.planes + plane
            if self.live[n] <= 0.0 or self.live[pod_b] <= 0.0:
                self.connected[j] = 0
            self._add(n, weight)
            self._add(pod_b, weight)
        self._add(self.solver_half + b * self.uplinks + k, weight)
        self._add(host + a, weight)
        self._add(self.solver_half + host + b, weight)

    cdef void _spray(self, int j, int a, int b, double weight) noexcept nogil:
        """Spread flows from leaf a to leaf b over the planes by live share of the worst hop."""
        cdef int g, pod_a = self.leaf_pod[a], pod_b = self.leaf_pod[b], host = self.solver_half - self.leaves
        cdef double total = 0.0, part
        self._add(host + a, weight)
        self._add(self.solver_half + host + b, weight)
        if a == b:
            return
        for g in range(self.planes):
            total += self._path_live(a, b, pod_a, pod_b, g)
        if total <= 0.0:
            self.connected[j] = 0
            return
        for g in range(self.planes):
            part = weight * (self._path_live(a, b, pod_a, pod_b, g) / total)
            if part > 0.0:
                self._add(a * self.planes + g, part)
                if pod_a != pod_b:
                    self._add(self.n_lane_links + pod_a * self.planes + g, part)
                    self._add(self.solver_half + self.n_lane_links + pod_b * self.planes + g, part)
                self._add(self.solver_half + b * self.planes + g, part)

    cdef inline double _path_live(self, int a, int b, int pod_a, int pod_b, int g) noexcept nogil:
        cdef double worst = min(self.live[a * self.planes + g], self.live[self.solver_half + b * self.planes + g])
        if pod_a != pod_b:
            worst = min(worst, self.live[self.n_lane_links + pod_a * self.planes + g])
            worst = min(worst, self.live[self.solver_half + self.n_lane_links + pod_b * self.planes + g])
        return worst
