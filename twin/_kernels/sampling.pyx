"""Sampling: alarms, ring-buffer histories and expectations, once a tick over borrowed columns.

Each row borrows one column of type float64, int32 or int64; ``Source`` hides which. Rows are called from the
engine with the length of the tick; what they remember lies in arrays that they are given (alarms, watches)
or own (histories, which are not part of the state's digest).
"""

from libc.math cimport isnan

import numpy as np


cdef class Source:
    """One borrowed column, read as float64 whatever its type.

    Args:
        array: one-dimensional float64, int32 or int64 array.
    """

    cdef const double[::1] f
    cdef const int[::1] i
    cdef const long long[::1] q
    cdef int kind
    cdef readonly Py_ssize_t size

    def __init__(self, array):
        if array.dtype == np.float64:
            self.kind, self.f = 0, array
        elif array.dtype == np.int32:
            self.kind, self.i = 1, array
        elif array.dtype == np.int64:
            self.kind, self.q = 2, array
        else:
            raise ValueError(f"cannot sample a column of type {array.dtype}")
        self.size = array.shape[0]

    cdef inline double at(self, Py_ssize_t k) noexcept nogil:
        if self.kind == 0:
            return self.f[k]
        if self.kind == 1:
            return <double>self.i[k]
        return <double>self.q[k]


cdef class Alarm:
    """One alarm kind over its axis: condition with delay and hysteresis.

    Args:
        source: column that is watched.
        threshold: column of thresholds on the same axis, or None.
        constant: threshold when there is no column.
        above: raise when the value is above (True) or below (False) the threshold.
        hysteresis: how far the value must come back before the alarm clears.
        delay_s: how long the condition must hold.
        active, pending_s, since_ns, acknowledged, count: state of the points, length of the axis.
    """

    cdef Source source
    cdef Source threshold
    cdef double constant, hysteresis, delay_s, sign
    cdef int[::1] active
    cdef int[::1] acknowledged
    cdef double[::1] pending_s
    cdef long long[::1] since_ns
    cdef long long[::1] count

    def __init__(self, source, threshold, double constant, bint above, double hysteresis, double delay_s,
                 active, pending_s, since_ns, acknowledged, count):
        self.source = Source(source)
        self.threshold = None if threshold is None else Source(threshold)
        self.constant, self.hysteresis, self.delay_s = constant, hysteresis, delay_s
        self.sign = 1.0 if above else -1.0
        self.active, self.pending_s, self.since_ns = active, pending_s, since_ns
        self.acknowledged, self.count = acknowledged, count
        if self.source.size != self.active.shape[0]:
            raise ValueError("an alarm has one point per element of its column")

    def run(self, long long end_ns, double dt_s):
        """Look at the column at the end of a tick; return how many points were raised or cleared."""
        cdef Py_ssize_t k
        cdef double excess, limit
        cdef int changed = 0
        for k in range(self.source.size):
            limit = self.constant if self.threshold is None else self.threshold.at(k)
            excess = self.sign * (self.source.at(k) - limit)
            if self.active[k]:
                if excess <= -self.hysteresis:
                    self.active[k] = 0
                    self.acknowledged[k] = 0
                    self.pending_s[k] = 0
                    changed += 1
            elif excess > 0:
                self.pending_s[k] += dt_s
                if self.pending_s[k] > self.delay_s:
                    self.active[k] = 1
                    self.since_ns[k] = end_ns
                    self.count[k] += 1
                    changed += 1
            else:
                self.pending_s[k] = 0
        return changed


#: bucket width in s and number of buckets kept of each level of a history
LEVELS = ((1.0, 900), (10.0, 720), (60.0, 1440), (900.0, 2880))
cdef enum:
    N_LEVELS = 4


cdef class History:
    """Ring-buffer histories of many series with decimation: minimum, time-weighted mean and maximum.

    Every series has four levels, from one-second buckets over a quarter of an hour to quarter-hour buckets
    over thirty days; memory is fixed when the series are declared.

    Args:
        arrays: (column, element) pairs, one per series.
    """

    cdef list sources
    cdef int[::1] element
    cdef Py_ssize_t n
    cdef public object lo, hi, total, weight, bucket
    cdef double[::1] lo_v, hi_v, total_v, weight_v
    cdef long long[::1] bucket_v
    cdef Py_ssize_t offset[N_LEVELS]
    cdef Py_ssize_t length[N_LEVELS]
    cdef long long width_ns[N_LEVELS]
    cdef Py_ssize_t stride

    def __init__(self, arrays):
        cdef Py_ssize_t k, total = 0
        self.sources = [Source(a) for a, _ in arrays]
        self.element = np.array([e for _, e in arrays] or [0], dtype=np.int32)
        self.n = len(self.sources)
        for k in range(N_LEVELS):
            self.offset[k] = total
            self.length[k] = LEVELS[k][1]
            self.width_ns[k] = <long long>(LEVELS[k][0] * 1e9)
            total += self.length[k]
        self.stride = total
        size = max(1, self.n * total)
        self.lo, self.hi = np.full(size, np.inf), np.full(size, -np.inf)
        self.total = np.zeros(size)
        self.bucket = np.full(total, -1, dtype=np.int64)
        self.weight = np.zeros(total)
        self.lo_v, self.hi_v, self.total_v = self.lo, self.hi, self.total
        self.weight_v, self.bucket_v = self.weight, self.bucket

    def run(self, long long now_ns, double dt_s):
        """Add the values at the end of the tick that began at ``now_ns``."""
        cdef Py_ssize_t level, s, slot, k
        cdef long long number
        cdef double value
        cdef Source source
        for level in range(N_LEVELS):
            number = now_ns // self.width_ns[level]
            slot = self.offset[level] + <Py_ssize_t>(number % self.length[level])
            if self.bucket_v[slot] != number:
                self.bucket_v[slot] = number
                self.weight_v[slot] = 0
                for s in range(self.n):
                    k = s * self.stride + slot
                    self.lo_v[k], self.hi_v[k], self.total_v[k] = float("inf"), float("-inf"), 0
            self.weight_v[slot] += dt_s
        for s in range(self.n):
            source = <Source>self.sources[s]
            value = source.at(self.element[s])
            for level in range(N_LEVELS):
                number = now_ns // self.width_ns[level]
                k = s * self.stride + self.offset[level] + <Py_ssize_t>(number % self.length[level])
                if value < self.lo_v[k]:
                    self.lo_v[k] = value
                if value > self.hi_v[k]:
                    self.hi_v[k] = value
                self.total_v[k] += value * dt_s

    def read(self, Py_ssize_t series, int level):
        """Return (bucket start ns, min, mean, max) of one series and level, oldest first."""
        if not 0 <= series < self.n or not 0 <= level < N_LEVELS:
            raise IndexError((series, level))
        cdef Py_ssize_t begin = self.offset[level], count = self.length[level]
        numbers = self.bucket[begin:begin + count].copy()
        order = np.argsort(numbers, kind="stable")
        order = order[numbers[order] >= 0]
        at = series * self.stride + begin
        weight = self.weight[begin:begin + count][order]
        mean = self.total[at:at + count][order] / np.where(weight > 0, weight, 1)
        return (numbers[order] * self.width_ns[level], self.lo[at:at + count][order], mean,
                self.hi[at:at + count][order])


cdef class Watch:
    """One expectation's running reduction over elements and time.

    Args:
        source: column that is watched.
        elements: int32 indices on its axis.
        reducer: 0 max, 1 min, 2 mean (over time and elements), 3 last (largest element), 4 sum over
            elements of the time integral, 5 count of seconds in which any element is non-zero.
        after_ns, before_ns: window; a tick counts when it ends inside it.
        value, weight_s: state, length-one views.
    """

    cdef Source source
    cdef int[::1] elements
    cdef int reducer
    cdef long long after_ns, before_ns
    cdef double[::1] value
    cdef double[::1] weight_s

    def __init__(self, source, elements, int reducer, long long after_ns, long long before_ns, value, weight_s):
        self.source = Source(source)
        self.elements = np.ascontiguousarray(elements, dtype=np.int32)
        self.reducer, self.after_ns, self.before_ns = reducer, after_ns, before_ns
        self.value, self.weight_s = value, weight_s

    def run(self, long long end_ns, double dt_s):
        """Look at the column at the end of a tick."""
        cdef Py_ssize_t k, n = self.elements.shape[0]
        cdef double x, best, total = 0
        if end_ns <= self.after_ns or (self.before_ns >= 0 and end_ns > self.before_ns) or n == 0:
            return
        best = self.source.at(self.elements[0])
        for k in range(n):
            x = self.source.at(self.elements[k])
            if isnan(x):
                continue
            total += x
            if (x < best) if self.reducer == 1 else (x > best):
                best = x
        if self.reducer == 0:
            if self.weight_s[0] == 0 or best > self.value[0]:
                self.value[0] = best
        elif self.reducer == 1:
            if self.weight_s[0] == 0 or best < self.value[0]:
                self.value[0] = best
        elif self.reducer == 2:
            self.value[0] += total / n * dt_s
        elif self.reducer == 3:
            self.value[0] = best
        elif self.reducer == 4:
            self.value[0] += total * dt_s
        elif best != 0:
            self.value[0] += dt_s
        self.weight_s[0] += dt_s


cdef class Sampler:
    """Chosen elements of columns, reduced over the ticks of an interval: what exports write.

    Args:
        series: (column, element, reducer) triples; reducers: 0 mean over time, 1 min, 2 max, 3 last.
    """

    cdef list sources
    cdef int[::1] element
    cdef int[::1] reducer
    cdef double[::1] value
    cdef public object values
    cdef readonly double weight_s

    def __init__(self, series):
        shared = {id(array): Source(array) for array, _, _ in series}
        self.sources = [shared[id(array)] for array, _, _ in series]
        self.element = np.array([e for _, e, _ in series], dtype=np.int32)
        self.reducer = np.array([r for _, _, r in series], dtype=np.int32)
        self.values = np.zeros(len(series))
        self.value = self.values
        self.weight_s = 0

    def run(self, double dt_s):
        """Add the values at the end of a tick."""
        cdef Py_ssize_t s
        cdef double x
        cdef bint first = self.weight_s == 0
        cdef Source source
        for s in range(self.element.shape[0]):
            source = <Source>self.sources[s]
            x = source.at(self.element[s])
            if self.reducer[s] == 0:
                self.value[s] = x * dt_s if first else self.value[s] + x * dt_s
            elif first or self.reducer[s] == 3:
                self.value[s] = x
            elif (x < self.value[s]) if self.reducer[s] == 1 else (x > self.value[s]):
                self.value[s] = x
        self.weight_s += dt_s

    def take(self):
        """Return the reduced values of the interval as a new array and begin the next one."""
        out = np.where(np.asarray(self.reducer) == 0, self.values / (self.weight_s or 1.0), self.values)
        self.weight_s = 0
        return out
