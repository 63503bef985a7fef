"""The file system shares its bandwidth among the jobs that write checkpoints, and draws power by its load."""

from libc.math cimport fmin


cdef class Storage:
    """Checkpoint writes over borrowed buffers.

    Bandwidth is shared max-min: every writer gets the same rate, except that none gets more than the storage
    ports of its nodes carry; what those leave is shared by the others.

    Args:
        left_bytes[job], wrote_bytes[job]: checkpoint bytes still to write, and written in this tick.
        link_bytes_s[job]: storage ports of the job's nodes together.
        capacity_frac: share of the nominal bandwidth that is left, one value.
        rate_bytes_s[job]: rate of each writer from now on (written).
        write_bytes_s, written_bytes: rate of the last tick and sum, one value each (written).
        hall_power_w[hall]: the servers' power, shared evenly by the halls (written).
        total_bytes_s: nominal write bandwidth of all units.
        idle_w, max_w: power of all units, idle and at full rate.
    """

    cdef const double[::1] left, wrote, link, capacity
    cdef double[::1] rate, write_rate, written, hall_power
    cdef double total, idle_w, max_w

    def __init__(self, *, left_bytes, wrote_bytes, link_bytes_s, capacity_frac, rate_bytes_s, write_bytes_s,
                 written_bytes, hall_power_w, double total_bytes_s, double idle_w, double max_w):
        n = left_bytes.shape[0]
        for name, array in (("wrote_bytes", wrote_bytes), ("link_bytes_s", link_bytes_s),
                            ("rate_bytes_s", rate_bytes_s)):
            if array.shape[0] != n:
                raise ValueError(f"{name} must have {n} elements")
        for name, array in (("capacity_frac", capacity_frac), ("write_bytes_s", write_bytes_s),
                            ("written_bytes", written_bytes)):
            if array.shape[0] != 1:
                raise ValueError(f"{name} must have 1 element")
        self.left, self.wrote, self.link, self.capacity = left_bytes, wrote_bytes, link_bytes_s, capacity_frac
        self.rate, self.write_rate, self.written = rate_bytes_s, write_bytes_s, written_bytes
        self.hall_power = hall_power_w
        self.total, self.idle_w, self.max_w = total_bytes_s, idle_w, max_w

    def run(self, double dt_s):
        """Book the tick's writes and share the bandwidth among those who go on writing."""
        cdef Py_ssize_t j
        cdef int writers = 0
        cdef double done = 0.0, load, power
        with nogil:
            for j in range(self.left.shape[0]):
                done += self.wrote[j]
                self.rate[j] = 0.0
                if self.left[j] > 0.0:
                    writers += 1
            self.written[0] += done
            self.write_rate[0] = done / dt_s
            if writers > 0:
                self._share(writers)
            load = fmin(1.0, done / dt_s / self.total) if self.total > 0.0 else 0.0
            power = self.idle_w + load * (self.max_w - self.idle_w)
            for j in range(self.hall_power.shape[0]):
                self.hall_power[j] = power / self.hall_power.shape[0]

    cdef void _share(self, int writers) noexcept nogil:
        cdef double rest = self.total * self.capacity[0], level = 0.0
        cdef bint found = True
        cdef Py_ssize_t j
        while found and writers > 0:
            found = False
            level = rest / writers
            for j in range(self.left.shape[0]):
                # A rate above zero marks a writer that its own links limit.
                if self.left[j] > 0.0 and self.rate[j] == 0.0 and self.link[j] <= level:
                    self.rate[j] = self.link[j]
                    rest -= self.link[j]
                    writers -= 1
                    found = True
        for j in range(self.left.shape[0]):
            if self.left[j] > 0.0 and self.rate[j] == 0.0:
                self.rate[j] = level
