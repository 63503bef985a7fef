"""Weighted max-min sharing of link capacity by water-filling, exact.

All flows rise together, each at ``weight`` times a common level, until a link is full or a flow has its
demand; what is full stays, the rest rises on (progressive filling). A flow may load a link with a
coefficient: a job whose flows run in step is one flow that loads each link with the number of its
flows there. Identical paths are one class in the same way: weight and demand are multiplied.

    level of a link  s_l = rem_l / sum(weight_f * coef_fl over flows not yet fixed)

A heap holds (level, index); levels only rise, so a key that is out of date is put back with its new
value when it is popped. Ties are broken by index: first links, then demands. Cost: sum of path
lengths + links * log(links) + stale pops.

Source: Bertsekas and Gallager, Data Networks, 2nd ed., section 6.5.2 (max-min flow control).
"""

import numpy as np

from libc.math cimport INFINITY


cdef inline bint _before(double key_a, int id_a, double key_b, int id_b) noexcept nogil:
    return key_a < key_b or (key_a == key_b and id_a < id_b)


cdef inline void _sift_down(double* key, int* ident, int size, int at) noexcept nogil:
    cdef double k = key[at]
    cdef int i = ident[at]
    cdef int child
    while True:
        child = 2 * at + 1
        if child >= size:
            break
        if child + 1 < size and _before(key[child + 1], ident[child + 1], key[child], ident[child]):
            child += 1
        if not _before(key[child], ident[child], k, i):
            break
        key[at] = key[child]
        ident[at] = ident[child]
        at = child
    key[at] = k
    ident[at] = i


cdef inline void _fix(Fill* p, int f, double level, int bottleneck) noexcept nogil:
    """Give flow ``f`` its final rate and take it from the links of its path."""
    cdef double w = 1.0 if p.weight == NULL else p.weight[f]
    cdef double rate = level * w
    cdef double c
    cdef int k, link
    if rate > p.demand[f]:
        rate = p.demand[f]
    p.rate[f] = rate
    p.fixed[f] = 1
    p.bottleneck[f] = bottleneck
    for k in range(p.flow_ptr[f], p.flow_ptr[f + 1]):
        link = p.flow_link[k]
        c = 1.0 if p.flow_coef == NULL else p.flow_coef[k]
        p.rem[link] -= rate * c
        p.sum_w[link] -= w * c
        p.left[link] -= 1


cdef inline int _push(Fill* p, int size, double key, int ident) noexcept nogil:
    """Append a key to the heap, which is put in order afterwards."""
    p.heap_key[size] = key
    p.heap_id[size] = ident
    return size + 1


cdef int _rise(Fill* p, int size) noexcept nogil:
    """Let every flow that is not fixed rise until a link or its own demand stops it; return full links."""
    cdef int f, k, ident, saturated = 0
    cdef double level, now
    for k in range(size // 2 - 1, -1, -1):
        _sift_down(p.heap_key, p.heap_id, size, k)
    while size > 0:
        level = p.heap_key[0]
        ident = p.heap_id[0]
        if ident < p.n_link:
            if p.left[ident] > 0:
                now = p.rem[ident] / p.sum_w[ident]
                if now > level:  # stale: others were fixed below this link's level since the key was made
                    p.heap_key[0] = now
                    _sift_down(p.heap_key, p.heap_id, size, 0)
                    continue
                if level < 0.0:
                    level = 0.0
                saturated += 1
                p.level[ident] = level
                for k in range(p.link_ptr[ident], p.link_ptr[ident + 1]):
                    f = p.link_flow[k]
                    if p.fixed[f] == 0:
                        _fix(p, f, level, ident)
        elif p.fixed[ident - p.n_link] == 0:
            _fix(p, ident - p.n_link, INFINITY, -1)
        size -= 1
        if size > 0:
            p.heap_key[0] = p.heap_key[size]
            p.heap_id[0] = p.heap_id[size]
            _sift_down(p.heap_key, p.heap_id, size, 0)
    return saturated


cdef int fill(Fill* p) noexcept nogil:
    """Solve the problem; return the number of links that are full."""
    cdef int size = 0, f, k, link
    cdef double w, total
    for link in range(p.n_link):
        p.rem[link] = p.capacity[link]
        p.level[link] = INFINITY
        total = 0.0
        for k in range(p.link_ptr[link], p.link_ptr[link + 1]):
            w = 1.0 if p.weight == NULL else p.weight[p.link_flow[k]]
            total += w if p.link_coef == NULL else w * p.link_coef[k]
        p.sum_w[link] = total
        p.left[link] = p.link_ptr[link + 1] - p.link_ptr[link]
        if p.left[link] > 0:
            size = _push(p, size, p.capacity[link] / total, link)
    for f in range(p.n_flow):
        p.fixed[f] = 0
        p.rate[f] = p.demand[f]
        if p.demand[f] < INFINITY:
            size = _push(p, size, p.demand[f] if p.weight == NULL else p.demand[f] / p.weight[f], p.n_link + f)
    return _rise(p, size)


cdef void reverse_incidence(int n_flow, int n_link, const int* flow_ptr, const int* flow_link,
                            const double* flow_coef, int* link_ptr, int* link_flow, double* link_coef) noexcept nogil:
    """Write the flows of every link, in flow order, from the links of every flow."""
    cdef int f, k, link, at
    for link in range(n_link + 1):
        link_ptr[link] = 0
    for k in range(flow_ptr[n_flow]):
        link_ptr[flow_link[k] + 1] += 1
    for link in range(n_link):
        link_ptr[link + 1] += link_ptr[link]
    for f in range(n_flow):
        for k in range(flow_ptr[f], flow_ptr[f + 1]):
            link = flow_link[k]
            at = link_ptr[link]
            link_flow[at] = f
            if flow_coef != NULL:
                link_coef[at] = flow_coef[k]
            link_ptr[link] = at + 1
    for link in range(n_link, 0, -1):
        link_ptr[link] = link_ptr[link - 1]
    link_ptr[0] = 0


cdef class MaxMin:
    """A sharing problem with its work space: build once, solve as often as demands or capacities change.

    Args:
        flow_ptr, flow_link: links of every flow, CSR (int32[flow+1], int32[incidence]).
        capacity: capacity of every link, any rate unit, finite and >= 0 (float64[link], borrowed).
        demand: most that a flow takes, may be infinite (float64[flow], borrowed); unlimited when left out.
        weight: share of a flow relative to the others, > 0 (float64[flow], borrowed); 1 when left out.
        coefficient: load on a link per unit of rate, > 0 (float64[incidence], borrowed); 1 when left out.

    Raises:
        ValueError: lengths that do not fit, a link out of range, an unlimited flow without links.
    """

    cdef readonly object rate
    cdef Fill p
    cdef bint _solved
    cdef int _n_gone
    cdef int[::1] _link_ptr, _link_flow, _left, _fixed, _heap_id, _bottleneck, _gone, _set, _touched, _seen
    cdef double[::1] _rem, _sum_w, _heap_key, _rate, _level, _level_before
    cdef const int[::1] _flow_ptr, _flow_link
    cdef const double[::1] _capacity, _demand, _weight, _coef
    cdef double[::1] _link_coef

    def __init__(self, const int[::1] flow_ptr, const int[::1] flow_link, const double[::1] capacity,
                 demand=None, weight=None, coefficient=None):
        cdef int n_flow = flow_ptr.shape[0] - 1, n_link = capacity.shape[0], n_inc = flow_link.shape[0], f
        if n_flow < 0 or flow_ptr[0] != 0 or flow_ptr[n_flow] != n_inc or np.any(np.diff(flow_ptr) < 0):
            raise ValueError("flow_ptr must rise from 0 to the number of incidences")
        if n_inc and (np.min(flow_link) < 0 or np.max(flow_link) >= n_link):
            raise ValueError("flow_link names a link that does not exist")
        for f in range(n_link):
            if not 0.0 <= capacity[f] < INFINITY:
                raise ValueError("capacities must be finite and at least 0")
        self._flow_ptr, self._flow_link, self._capacity = flow_ptr, flow_link, capacity
        self._demand = np.full(n_flow, np.inf) if demand is None else demand
        if self._demand.shape[0] != n_flow:
            raise ValueError("demand must have one value per flow")
        for f in range(n_flow):
            if self._demand[f] == INFINITY and flow_ptr[f] == flow_ptr[f + 1]:
                raise ValueError("a flow without links needs a finite demand")
        self.rate = np.zeros(n_flow)
        self._rate = self.rate
        self._link_ptr, self._link_flow = np.zeros(n_link + 1, np.int32), np.zeros(max(n_inc, 1), np.int32)
        self._left, self._fixed = np.zeros(max(n_link, 1), np.int32), np.zeros(max(n_flow, 1), np.int32)
        self._rem, self._sum_w = np.zeros(max(n_link, 1)), np.zeros(max(n_link, 1))
        self._heap_id = np.zeros(n_link + n_flow + 1, np.int32)
        self._heap_key = np.zeros(n_link + n_flow + 1)
        self._link_coef = np.zeros(max(n_inc, 1))
        self._bottleneck, self._gone = np.zeros(max(n_flow, 1), np.int32), np.zeros(max(n_flow, 1), np.int32)
        self._set, self._touched = np.zeros(max(n_flow, 1), np.int32), np.zeros(max(n_link, 1), np.int32)
        self._seen = np.zeros(max(n_link, 1), np.int32)
        self._level, self._level_before = np.zeros(max(n_link, 1)), np.zeros(max(n_link, 1))
        self.p.n_flow, self.p.n_link = n_flow, n_link
        self.p.flow_coef = self.p.link_coef = self.p.weight = NULL
        if coefficient is not None:
            self._coef = coefficient
            if self._coef.shape[0] != n_inc or (n_inc and not np.min(coefficient) > 0.0):
                raise ValueError("coefficient must have one positive value per incidence")
            if n_inc:
                self.p.flow_coef, self.p.link_coef = &self._coef[0], &self._link_coef[0]
        if weight is not None:
            self._weight = weight
            if self._weight.shape[0] != n_flow or (n_flow and not np.min(weight) > 0.0):
                raise ValueError("weight must have one positive value per flow")
            if n_flow:
                self.p.weight = &self._weight[0]
        self._borrow()

    cdef void _borrow(self) noexcept:
        """Point the problem at the buffers and build the links' side of the incidence."""
        self.p.flow_ptr = &self._flow_ptr[0]
        self.p.flow_link = &self._flow_link[0] if self._flow_link.shape[0] else NULL
        self.p.link_ptr, self.p.link_flow = &self._link_ptr[0], &self._link_flow[0]
        self.p.capacity = &self._capacity[0] if self.p.n_link else NULL
        self.p.demand = &self._demand[0] if self.p.n_flow else NULL
        self.p.rate = &self._rate[0] if self.p.n_flow else NULL
        self.p.rem, self.p.sum_w = &self._rem[0], &self._sum_w[0]
        self.p.left, self.p.fixed = &self._left[0], &self._fixed[0]
        self.p.level, self.p.bottleneck = &self._level[0], &self._bottleneck[0]
        self.p.heap_key, self.p.heap_id = &self._heap_key[0], &self._heap_id[0]
        reverse_incidence(self.p.n_flow, self.p.n_link, self.p.flow_ptr, self.p.flow_link, self.p.flow_coef,
                          &self._link_ptr[0], &self._link_flow[0], &self._link_coef[0])

    def solve(self):
        """Write ``rate`` (float64[flow]) and return the number of links that are full; removed flows come back."""
        cdef int saturated
        with nogil:
            saturated = fill(&self.p)
        self._gone[:] = 0
        self._n_gone = 0
        self._solved = True
        return saturated

    def remove(self, int flow):
        """End one flow: its rate becomes 0 and only the rates that this changes are solved again; return how many.

        Exact: an allocation is max-min fair if and only if every flow has its demand or a full link on
        which nobody has more per weight. The flows held back by the links of the removed one are solved
        again on what the others leave; flows whose full link changed its level, or that now have more
        than those solved, join them, until none is left that must.

        Raises:
            ValueError: not solved yet, no such flow, or it was removed before.
        """
        if not self._solved or not 0 <= flow < self.p.n_flow or self._gone[flow]:
            raise ValueError("no such flow to remove from a solved problem")
        cdef int changed
        with nogil:
            changed = self._remove(flow)
        return changed

    cdef int _touch(self, int flow, int touched) noexcept nogil:
        """Add the links of a flow to the touched ones, keeping the level that each had before."""
        cdef int k, link
        for k in range(self.p.flow_ptr[flow], self.p.flow_ptr[flow + 1]):
            link = self.p.flow_link[k]
            if self._seen[link] == 0:
                self._seen[link] = 1
                self._level_before[link] = self.p.level[link]
                self._touched[touched] = link
                touched += 1
        return touched

    cdef int _remove(self, int flow) noexcept nogil:
        cdef Fill* p = &self.p
        cdef int k, i, link, f, touched, n_set = 0, n_old
        p.rate[flow] = 0.0
        self._gone[flow] = 1
        self._n_gone += 1
        touched = self._touch(flow, 0)
        for i in range(touched):
            p.level[self._touched[i]] = INFINITY
        # p.fixed: 1 keeps its rate, 2 is in the set that is solved again
        while True:
            n_old = n_set
            for i in range(touched):
                link = self._touched[i]
                if not self._level_changed(link):
                    continue
                for k in range(p.link_ptr[link], p.link_ptr[link + 1]):
                    f = p.link_flow[k]
                    if p.fixed[f] == 1 and not self._gone[f] and (p.bottleneck[f] == link or self._above(f, link)):
                        p.fixed[f] = 2
                        self._set[n_set] = f
                        n_set += 1
            if n_set == n_old:
                break
            if n_set * 16 > p.n_flow - self._n_gone:  # it spreads: one solve of everything is cheaper
                for f in range(p.n_flow):
                    if p.fixed[f] == 1 and not self._gone[f]:
                        self._set[n_set] = f
                        n_set += 1
                for i in range(n_old, n_set):
                    touched = self._touch(self._set[i], touched)
                self._solve_set(n_set, touched)
                break
            for i in range(n_old, n_set):
                touched = self._touch(self._set[i], touched)
            self._solve_set(n_set, touched)
        for i in range(touched):
            self._seen[self._touched[i]] = 0
        for i in range(n_set):
            p.fixed[self._set[i]] = 1
        return n_set

    cdef inline bint _level_changed(self, int link) noexcept nogil:
        cdef double before = self._level_before[link], now = self.p.level[link]
        if before == INFINITY or now == INFINITY:
            return before != now
        return now - before > 1e-13 * before or before - now > 1e-13 * before

    cdef inline bint _above(self, int flow, int link) noexcept nogil:
        cdef double w = 1.0 if self.p.weight == NULL else self.p.weight[flow]
        return self.p.rate[flow] > self.p.level[link] * w * (1.0 + 1e-13)

    cdef void _solve_set(self, int n_set, int touched) noexcept nogil:
        """Water-fill the flows of the set on what the others leave of the touched links."""
        cdef Fill* p = &self.p
        cdef int i, k, f, link, size = 0
        cdef double w, c, rem, total
        for i in range(n_set):
            p.fixed[self._set[i]] = 0
        for i in range(touched):
            link = self._touched[i]
            p.level[link] = INFINITY
            rem = p.capacity[link]
            total = 0.0
            p.left[link] = 0
            for k in range(p.link_ptr[link], p.link_ptr[link + 1]):
                f = p.link_flow[k]
                c = 1.0 if p.link_coef == NULL else p.link_coef[k]
                if p.fixed[f]:
                    rem -= p.rate[f] * c
                else:
                    total += c if p.weight == NULL else c * p.weight[f]
                    p.left[link] += 1
            p.rem[link] = rem if rem > 0.0 else 0.0
            p.sum_w[link] = total
            if p.left[link] > 0:
                size = _push(p, size, p.rem[link] / total, link)
            elif self._level_before[link] < INFINITY:
                # Nobody on it is solved again: full as before unless room was left behind.
                p.level[link] = self._level_before[link] if rem <= 1e-13 * p.capacity[link] else INFINITY
        for i in range(n_set):
            f = self._set[i]
            if p.demand[f] < INFINITY:
                size = _push(p, size, p.demand[f] if p.weight == NULL else p.demand[f] / p.weight[f], p.n_link + f)
        _rise(p, size)
        for i in range(n_set):
            p.fixed[self._set[i]] = 2


def solve_maxmin(flow_ptr, flow_link, capacity, demand=None, weight=None, coefficient=None):
    """Return the max-min fair rate of every flow; arguments as for ``MaxMin``, any sequences of numbers.

    >>> solve_maxmin([0, 2, 3, 4], [0, 1, 0, 1], [1.0, 2.0]).tolist()
    [0.5, 0.5, 1.5]
    """
    def f64(values):
        return None if values is None else np.ascontiguousarray(values, np.float64)

    problem = MaxMin(np.ascontiguousarray(flow_ptr, np.int32), np.ascontiguousarray(flow_link, np.int32),
                     f64(capacity), f64(demand), f64(weight), f64(coefficient))
    problem.solve()
    return problem.rate
