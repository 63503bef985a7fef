"""Activity of jobs, spread to the devices that run them."""


cdef class Spread:
    """Expand what jobs do to GPUs and nodes, once a tick.

    A GPU follows the job that holds it at the end of the tick; without one, without power or in a node that is
    out of service it idles or is off. A GPU that is faster than the slowest of its synchronous job waits for it in
    a collective: the busy part of its step is shorter, by the ratio of the two. The host of a node (CPUs, memory, NICs, drives) draws between idle and
    full with the mean activity of the node's GPUs, and nothing when the node has no power.

    Args:
        gpu_job: job of each GPU, -1 for none.
        job_util_frac, job_mem_frac: compute and memory activity of each job, 0..1.
        job_waits, job_wait_util_frac, job_wait_mem_frac: whether the job's GPUs wait for its slowest, and their
            activity while they do.
        job_phase: 1 while the job computes; job_perf_frac, gpu_clock_frac: speed of its slowest GPU, clock of each
            GPU, as of the last tick.
        rack_energised, node_down: flags of racks and nodes.
        rack_node_ptr, node_gpu_ptr: CSR bounds, racks to nodes to GPUs.
        node_idle_w, node_span_w: host power without activity, and what full activity adds.
        gpu_util_frac, gpu_mem_frac, gpu_on, node_aux_w: written.
    """

    cdef const int[::1] gpu_job, rack_energised, node_down, rack_node_ptr, node_gpu_ptr
    cdef const int[::1] job_waits, job_phase
    cdef const double[::1] job_util, job_mem, node_idle, node_span, wait_util, wait_mem, job_perf, gpu_clock
    cdef double[::1] gpu_util, gpu_mem, node_aux
    cdef int[::1] gpu_on

    def __init__(self, *, gpu_job, job_util_frac, job_mem_frac, job_waits, job_wait_util_frac, job_wait_mem_frac,
                 job_phase, job_perf_frac, gpu_clock_frac, rack_energised, node_down, rack_node_ptr,
                 node_gpu_ptr, node_idle_w, node_span_w, gpu_util_frac, gpu_mem_frac, gpu_on, node_aux_w):
        nodes, gpus = len(node_aux_w), len(gpu_job)
        if len(node_gpu_ptr) != nodes + 1 or len(node_down) != nodes or len(node_idle_w) != nodes \
                or len(node_span_w) != nodes or len(rack_node_ptr) != len(rack_energised) + 1:
            raise ValueError("rack and node arrays do not fit each other")
        if not gpus == len(gpu_util_frac) == len(gpu_mem_frac) == len(gpu_on) == node_gpu_ptr[nodes]:
            raise ValueError("GPU arrays do not fit each other")
        if rack_node_ptr[len(rack_energised)] != nodes or len(job_util_frac) != len(job_mem_frac):
            raise ValueError("bounds or job arrays do not fit each other")
        jobs = len(job_util_frac)
        if not jobs == len(job_waits) == len(job_wait_util_frac) == len(job_wait_mem_frac) == len(job_phase) \
                == len(job_perf_frac) or len(gpu_clock_frac) != gpus:
            raise ValueError("arrays of waiting do not fit the jobs or the GPUs")
        self.job_waits, self.job_phase, self.job_perf, self.gpu_clock = job_waits, job_phase, job_perf_frac, gpu_clock_frac
        self.wait_util, self.wait_mem = job_wait_util_frac, job_wait_mem_frac
        self.gpu_job, self.rack_energised, self.node_down = gpu_job, rack_energised, node_down
        self.rack_node_ptr, self.node_gpu_ptr = rack_node_ptr, node_gpu_ptr
        self.job_util, self.job_mem = job_util_frac, job_mem_frac
        self.node_idle, self.node_span = node_idle_w, node_span_w
        self.gpu_util, self.gpu_mem, self.gpu_on, self.node_aux = gpu_util_frac, gpu_mem_frac, gpu_on, node_aux_w

    def run(self):
        """Write the targets of every device."""
        cdef Py_ssize_t rack
        with nogil:
            for rack in range(self.rack_energised.shape[0]):
                if self.uniform(rack):
                    self.fill(rack)
                else:
                    self.spread(rack)

    cdef int uniform(self, Py_ssize_t rack) noexcept nogil:
        """Tell whether one job (or none) holds all GPUs of a rack and all its nodes are in service."""
        cdef Py_ssize_t k, first = self.node_gpu_ptr[self.rack_node_ptr[rack]]
        cdef Py_ssize_t last = self.node_gpu_ptr[self.rack_node_ptr[rack + 1]]
        cdef int differs = 0, job
        if last <= first:
            return 0
        job = self.gpu_job[first]
        for k in range(first, last):
            differs |= self.gpu_job[k] ^ job
        for k in range(self.rack_node_ptr[rack], self.rack_node_ptr[rack + 1]):
            differs |= self.node_down[k]
        return differs == 0 and not (job >= 0 and self.held_up(job))

    cdef inline bint held_up(self, int job) noexcept nogil:
        """Tell whether GPUs of the job may have to wait for its slowest."""
        return self.job_waits[job] != 0 and self.job_phase[job] == 1 and 0.0 < self.job_perf[job] < 1.0

    cdef inline double busy_share(self, Py_ssize_t gpu, int job) noexcept nogil:
        """Return how much of the job's busy time this GPU is busy."""
        cdef double own = self.gpu_clock[gpu] if self.gpu_clock[gpu] < 1.0 else 1.0
        return self.job_perf[job] / own if own > self.job_perf[job] else 1.0

    cdef void fill(self, Py_ssize_t rack) noexcept nogil:
        """Write a whole rack at once: plain loops over contiguous GPUs, which the compiler vectorises."""
        cdef Py_ssize_t k, node, begin = self.rack_node_ptr[rack], end = self.rack_node_ptr[rack + 1]
        cdef Py_ssize_t first = self.node_gpu_ptr[begin], last = self.node_gpu_ptr[end]
        cdef int on = 1 if self.rack_energised[rack] else 0
        cdef int job = self.gpu_job[first]
        cdef double util = self.job_util[job] if job >= 0 and on else 0.0
        cdef double mem = self.job_mem[job] if job >= 0 and on else 0.0
        for k in range(first, last):
            self.gpu_util[k] = util
        for k in range(first, last):
            self.gpu_mem[k] = mem
        for k in range(first, last):
            self.gpu_on[k] = on
        for node in range(begin, end):
            self.node_aux[node] = self.node_idle[node] + self.node_span[node] * util if on else 0.0

    cdef void spread(self, Py_ssize_t rack) noexcept nogil:
        """Write a rack node by node, GPU by GPU."""
        cdef Py_ssize_t node, gpu, first, last
        cdef int job, on, powered = self.rack_energised[rack]
        cdef double total, util, mem, busy
        for node in range(self.rack_node_ptr[rack], self.rack_node_ptr[rack + 1]):
            on = 1 if powered and not self.node_down[node] else 0
            first, last = self.node_gpu_ptr[node], self.node_gpu_ptr[node + 1]
            total = 0.0
            for gpu in range(first, last):
                job = self.gpu_job[gpu]
                util = self.job_util[job] if job >= 0 and on else 0.0
                mem = self.job_mem[job] if job >= 0 and on else 0.0
                if job >= 0 and on and self.held_up(job):
                    busy = self.busy_share(gpu, job)
                    if util > self.wait_util[job]:
                        util = self.wait_util[job] + busy * (util - self.wait_util[job])
                    if mem > self.wait_mem[job]:
                        mem = self.wait_mem[job] + busy * (mem - self.wait_mem[job])
                self.gpu_util[gpu] = util
                self.gpu_mem[gpu] = mem
                self.gpu_on[gpu] = on
                total += util
            if last > first:
                total /= last - first
            self.node_aux[node] = self.node_idle[node] + self.node_span[node] * total if powered else 0.0
