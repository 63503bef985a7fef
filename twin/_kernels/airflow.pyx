"""Air flow and air temperature of halls on three-layer grids.

Flow is potential flow: sum_j g_ij (phi_i - phi_j) = s_i with conductances g and sources s (m3/s). The matrix
changes only with an opening in a wall, so it is factorised once (banded Cholesky, cells numbered along the shorter side of the hall) and a
change of fans costs two triangular solves; the flow then balances in every cell to rounding.

Temperature is backward Euler with upwind advection. Potential flow runs from high to low potential and so has no
closed path: taken in the order of the flow the implicit system is triangular, and one sweep solves it exactly, at
any step length. Source of the ordering: A. B. Kahn, "Topological
sorting of large networks", CACM 5 (1962).
"""

from libc.math cimport fabs, sqrt

import numpy as np


def band_order(int nx, int ny):
    """Return (place of each cell in the band, half width): cells are numbered along the shorter side.

    A cell's index is (layer * ny + y) * nx + x.
    """
    place = np.empty(3 * nx * ny, dtype=np.int32)
    short = min(nx, ny)
    z, y, x = np.meshgrid(np.arange(3), np.arange(ny), np.arange(nx), indexing="ij")
    along, across = (y, x) if nx <= ny else (x, y)
    place[:] = ((along * short + across) * 3 + z).ravel()
    return place, 3 * short


def band_factor(int nx, int ny, const double[::1] gx, const double[::1] gy, const double[::1] gz):
    """Return the banded Cholesky factor of a hall's flow matrix, shape (cells * (half width + 1)).

    Column j holds 1/L[j,j] and then L[j+1,j] ... L[j+half width,j]. The last cell is grounded, which fixes the
    level of the potential without moving any air, since all sources together are zero.

    Args:
        nx, ny: cells along x and y; three layers.
        gx, gy, gz: conductance from a cell to its neighbour at x + 1, y + 1, layer + 1, by cell.

    Raises:
        ValueError: lengths do not fit, or a cell is cut off from all others.
    """
    cdef Py_ssize_t n = 3 * nx * ny
    if gx.shape[0] != n or gy.shape[0] != n or gz.shape[0] != n:
        raise ValueError("conductances need one value per cell")
    order, width = band_order(nx, ny)
    cdef const int[::1] place = order
    cdef Py_ssize_t w = width
    out = np.zeros(n * (w + 1))
    cdef double[::1] a = out
    cdef Py_ssize_t i, j, k, m, last
    cdef double f, pivot
    cdef bint cut = False
    with nogil:
        for i in range(n):
            if i % nx < nx - 1:
                _couple(a, w, place[i], place[i + 1], gx[i])
            if (i // nx) % ny < ny - 1:
                _couple(a, w, place[i], place[i + nx], gy[i])
            if i < 2 * nx * ny:
                _couple(a, w, place[i], place[i + nx * ny], gz[i])
        a[(n - 1) * (w + 1)] *= 2.0
        for j in range(n):
            pivot = a[j * (w + 1)]
            if not pivot > 0.0:
                cut = True
                break
            f = 1.0 / sqrt(pivot)
            a[j * (w + 1)] = f
            last = w if n - 1 - j > w else n - 1 - j
            for k in range(1, last + 1):
                a[j * (w + 1) + k] *= f
            for k in range(1, last + 1):
                f = a[j * (w + 1) + k]
                if f == 0.0:
                    continue
                for m in range(k, last + 1):
                    a[(j + k) * (w + 1) + m - k] -= f * a[j * (w + 1) + m]
    if cut:
        raise ValueError("a cell has no opening to any other")
    return out


cdef inline void _couple(double[::1] a, Py_ssize_t w, Py_ssize_t p, Py_ssize_t q, double g) noexcept nogil:
    """Enter one conductance between two places of the band."""
    a[p * (w + 1)] += g
    a[q * (w + 1)] += g
    if p < q:
        a[p * (w + 1) + q - p] -= g
    else:
        a[q * (w + 1) + p - q] -= g


cdef inline void _band_solve(const double* a, double* x, Py_ssize_t n, Py_ssize_t w) noexcept nogil:
    """Solve L L' x = b in place. Sums in a fixed order: four partial sums, then together."""
    cdef Py_ssize_t j, k, last
    cdef const double* column
    cdef double f, s0, s1, s2, s3
    for j in range(n):
        column = a + j * (w + 1)
        f = x[j] * column[0]
        x[j] = f
        last = w if n - 1 - j > w else n - 1 - j
        for k in range(1, last + 1):
            x[j + k] -= column[k] * f
    for j in range(n - 1, -1, -1):
        column = a + j * (w + 1)
        last = w if n - 1 - j > w else n - 1 - j
        s0 = s1 = s2 = s3 = 0.0
        k = 1
        while k + 3 <= last:
            s0 += column[k] * x[j + k]
            s1 += column[k + 1] * x[j + k + 1]
            s2 += column[k + 2] * x[j + k + 2]
            s3 += column[k + 3] * x[j + k + 3]
            k += 4
        while k <= last:
            s0 += column[k] * x[j + k]
            k += 1
        x[j] = (x[j] - ((s0 + s1) + (s2 + s3))) * column[0]


cdef class AirFlow:
    """The air of all halls: flow from sources, temperature from flow. Caches only; all truth is in the arguments.

    Args:
        cell_ptr: bounds of each hall's cells, shape (halls + 1); a cell's index within its hall is
            (layer * ny + y) * nx + x with layers plenum, rack height, over the racks.
        nx, ny: cells along x and y of each hall.
        gx, gy, gz: conductance to the neighbour at x + 1, y + 1, layer + 1, by cell.
        volume_m3: air volume of each cell.
        rho_cp_j_m3k: density times specific heat of the air, J/m3K, constant.
        factor: the halls' band factors one after the other; halls alike may share one.
        factor_at: where a hall's factor begins.
        potential: written, by cell.

    Raises:
        ValueError: lengths do not fit.
    """

    def __init__(self, *, const int[::1] cell_ptr, const int[::1] nx, const int[::1] ny, const double[::1] gx,
                 const double[::1] gy, const double[::1] gz, const double[::1] volume_m3, double rho_cp_j_m3k,
                 const double[::1] factor, const long long[::1] factor_at, double[::1] potential):
        self.halls, self.cells = nx.shape[0], volume_m3.shape[0]
        if cell_ptr.shape[0] != self.halls + 1 or ny.shape[0] != self.halls or factor_at.shape[0] != self.halls:
            raise ValueError("halls: lengths do not fit")
        if not (gx.shape[0] == gy.shape[0] == gz.shape[0] == potential.shape[0] == self.cells):
            raise ValueError("cells: lengths do not fit")
        n, h = self.cells, self.halls
        places, widths = np.empty(n, dtype=np.int32), np.empty(h, dtype=np.int32)
        for k in range(h):
            if 3 * nx[k] * ny[k] != cell_ptr[k + 1] - cell_ptr[k]:
                raise ValueError("cells: a hall's cells are not three layers of nx by ny")
            places[cell_ptr[k]:cell_ptr[k + 1]], widths[k] = band_order(nx[k], ny[k])
            if factor_at[k] + (cell_ptr[k + 1] - cell_ptr[k]) * (widths[k] + 1) > factor.shape[0]:
                raise ValueError("factor: too short")
        self.cell_ptr, self.nx, self.ny, self.gx, self.gy, self.gz = cell_ptr, nx, ny, gx, gy, gz
        self.volume, self.rho_cp, self.factor, self.factor_at = volume_m3, rho_cp_j_m3k, factor, factor_at
        self.potential, self.place, self.half_width = potential, places, widths
        self.inject, self.draw = np.zeros(n), np.zeros(n)
        self.qx, self.qy, self.qz, self.solution = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n)
        self.order, self.waiting = np.zeros(n, dtype=np.int32), np.zeros(n, dtype=np.int32)
        self.in_ptr, self.in_cell = np.zeros(n + h, dtype=np.int32), np.zeros(3 * n, dtype=np.int32)
        self.in_w, self.out_w, self.inverse = np.zeros(3 * n), np.zeros(n), np.zeros(n)
        self.hall_dt = np.full(h, -1.0)
        self.residual = np.zeros(h)
        self.residual_v = self.residual

    cdef double solve(self, Py_ssize_t h) noexcept nogil:
        """Solve the flow of a hall from ``inject`` and ``draw``; return the residual over the largest source."""
        cdef Py_ssize_t c0 = self.cell_ptr[h], n = self.cell_ptr[h + 1] - c0, i
        for i in range(n):
            self.solution[c0 + self.place[c0 + i]] = self.inject[c0 + i] - self.draw[c0 + i]
        _band_solve(&self.factor[self.factor_at[h]], &self.solution[c0], n, self.half_width[h])
        for i in range(n):
            self.potential[c0 + i] = self.solution[c0 + self.place[c0 + i]]
        self.flows(h)
        self.sort(h)
        self.hall_dt[h] = -1.0
        return self.residual_v[h]

    cdef void flows(self, Py_ssize_t h) noexcept nogil:
        """Flow through every face, and how well it balances in every cell."""
        cdef Py_ssize_t c0 = self.cell_ptr[h], n = self.cell_ptr[h + 1] - c0, i, c
        cdef Py_ssize_t nx = self.nx[h], ny = self.ny[h], layer = nx * ny
        cdef double net, worst = 0.0, largest = 0.0
        for i in range(n):
            c = c0 + i
            self.qx[c] = self.gx[c] * (self.potential[c] - self.potential[c + 1]) if i % nx < nx - 1 else 0.0
            self.qy[c] = self.gy[c] * (self.potential[c] - self.potential[c + nx]) if (i // nx) % ny < ny - 1 else 0.0
            self.qz[c] = self.gz[c] * (self.potential[c] - self.potential[c + layer]) if i < 2 * layer else 0.0
        for i in range(n):
            c = c0 + i
            net = self.inject[c] - self.draw[c] - self.qx[c] - self.qy[c] - self.qz[c]
            if i % nx > 0:
                net += self.qx[c - 1]
            if (i // nx) % ny > 0:
                net += self.qy[c - nx]
            if i >= layer:
                net += self.qz[c - layer]
            worst = fabs(net) if fabs(net) > worst else worst
            net = fabs(self.inject[c] - self.draw[c])
            largest = net if net > largest else largest
        self.residual_v[h] = worst / largest if largest > 0.0 else 0.0

    cdef void sort(self, Py_ssize_t h) noexcept nogil:
        """Bring the cells into the order of the flow and list what flows into each, in that order."""
        cdef Py_ssize_t c0 = self.cell_ptr[h], n = self.cell_ptr[h + 1] - c0, i, c, k, head = 0, tail = 0
        cdef Py_ssize_t nx = self.nx[h], ny = self.ny[h], layer = nx * ny, at = 3 * c0, p0 = c0 + h, side, other
        cdef double q, out
        cdef int count
        for i in range(n):
            c = c0 + i
            count = 0
            if i % nx > 0 and self.qx[c - 1] > 0.0:
                count += 1
            if i % nx < nx - 1 and self.qx[c] < 0.0:
                count += 1
            if (i // nx) % ny > 0 and self.qy[c - nx] > 0.0:
                count += 1
            if (i // nx) % ny < ny - 1 and self.qy[c] < 0.0:
                count += 1
            if i >= layer and self.qz[c - layer] > 0.0:
                count += 1
            if i < 2 * layer and self.qz[c] < 0.0:
                count += 1
            self.waiting[c] = count
            if count == 0:
                self.order[c0 + tail] = c
                tail += 1
        while head < tail:
            c = self.order[c0 + head]
            i = c - c0
            self.in_ptr[p0 + head] = at
            out = self.draw[c]
            for side in range(6):
                q = 0.0
                other = c
                # q is the flow out of c through this side
                if side == 0 and i % nx > 0:
                    other, q = c - 1, -self.qx[c - 1]
                elif side == 1 and i % nx < nx - 1:
                    other, q = c + 1, self.qx[c]
                elif side == 2 and (i // nx) % ny > 0:
                    other, q = c - nx, -self.qy[c - nx]
                elif side == 3 and (i // nx) % ny < ny - 1:
                    other, q = c + nx, self.qy[c]
                elif side == 4 and i >= layer:
                    other, q = c - layer, -self.qz[c - layer]
                elif side == 5 and i < 2 * layer:
                    other, q = c + layer, self.qz[c]
                if q > 0.0:
                    out += q
                    self.waiting[other] -= 1
                    if self.waiting[other] == 0:
                        self.order[c0 + tail] = other
                        tail += 1
                elif q < 0.0:
                    self.in_cell[at] = other
                    self.in_w[at] = -q * self.rho_cp
                    at += 1
            self.out_w[c0 + head] = out * self.rho_cp
            head += 1
        self.in_ptr[p0 + n] = at

    cdef double sweep(self, Py_ssize_t h, double dt_s, double[::1] temp, double[::1] gain) noexcept nogil:
        """Advance the air of a hall; return the change of its stored energy, J.

        ``gain`` is the heat brought in besides the flow between cells, W by cell; it is cleared.
        """
        cdef Py_ssize_t c0 = self.cell_ptr[h], n = self.cell_ptr[h + 1] - c0, p0 = c0 + h, k, c, e
        cdef double hold = self.rho_cp / dt_s, new, acc, stored = 0.0
        if self.hall_dt[h] != dt_s:
            for k in range(n):
                self.inverse[c0 + k] = 1.0 / (hold * self.volume[self.order[c0 + k]] + self.out_w[c0 + k])
            self.hall_dt[h] = dt_s
        for k in range(n):
            c = self.order[c0 + k]
            acc = hold * self.volume[c] * temp[c] + gain[c]
            gain[c] = 0.0
            for e in range(self.in_ptr[p0 + k], self.in_ptr[p0 + k + 1]):
                acc += self.in_w[e] * temp[self.in_cell[e]]
            new = acc * self.inverse[c0 + k]
            stored += self.volume[c] * (new - temp[c])
            temp[c] = new
        return stored * self.rho_cp

    cdef void trace(self, Py_ssize_t h, double[::1] given, double[::1] caught) noexcept nogil:
        """Follow a steady tracer forward and backward through the flow of a hall, one sweep each.

        Args:
            given: by cell, on entry air that carries the tracer and is brought in, m3/s; then its share of the cell's air.
            caught: by cell, on entry air drawn out by those that count, m3/s; then the share of the cell's air that ends
                there before anything else draws it.
        """
        cdef Py_ssize_t c0 = self.cell_ptr[h], n = self.cell_ptr[h + 1] - c0, p0 = c0 + h, k, c, e
        cdef double acc
        for k in range(n):
            c = self.order[c0 + k]
            acc = self.rho_cp * given[c]
            for e in range(self.in_ptr[p0 + k], self.in_ptr[p0 + k + 1]):
                acc += self.in_w[e] * given[self.in_cell[e]]
            given[c] = acc / self.out_w[c0 + k] if self.out_w[c0 + k] > 1e-9 else 0.0
            caught[c] = self.rho_cp * caught[c]
        for k in range(n - 1, -1, -1):
            c = self.order[c0 + k]
            caught[c] = caught[c] / self.out_w[c0 + k] if self.out_w[c0 + k] > 1e-9 else 0.0
            for e in range(self.in_ptr[p0 + k], self.in_ptr[p0 + k + 1]):
                caught[self.in_cell[e]] += self.in_w[e] * caught[c]

    def reopen(self, const double[::1] gx, const double[::1] gy, const double[::1] factor,
               const long long[::1] factor_at):
        """Take other openings between the cells of a layer, with the factors of the halls; solve again afterwards.

        Raises:
            ValueError: lengths do not fit.
        """
        if gx.shape[0] != self.cells or gy.shape[0] != self.cells or factor_at.shape[0] != self.halls:
            raise ValueError("openings need one value per cell, factors one place per hall")
        self.gx, self.gy, self.factor, self.factor_at = gx, gy, factor, factor_at

    def trace_shares(self, Py_ssize_t hall, double[::1] given, double[::1] caught):
        """Follow a tracer from air ``given`` and back from air ``caught`` (m3/s by cell); both become shares, 0..1."""
        if given.shape[0] != self.cells or caught.shape[0] != self.cells:
            raise ValueError("one value per cell")
        self.trace(hall, given, caught)

    def solve_sources(self, Py_ssize_t hall, const double[::1] inject_m3_s, const double[::1] draw_m3_s):
        """Solve the flow of a hall from air brought in and drawn out by cell; return the relative residual."""
        cdef Py_ssize_t c0 = self.cell_ptr[hall], n = self.cell_ptr[hall + 1] - c0, i
        if inject_m3_s.shape[0] != n or draw_m3_s.shape[0] != n:
            raise ValueError("sources need one value per cell of the hall")
        for i in range(n):
            self.inject[c0 + i], self.draw[c0 + i] = inject_m3_s[i], draw_m3_s[i]
        return self.solve(hall)

    def step_temperature(self, Py_ssize_t hall, double dt_s, double[::1] temp_c, double[::1] gain_w):
        """Advance the air of a hall by one sweep; return the change of its stored energy, J. Clears the gains."""
        if temp_c.shape[0] != self.cells or gain_w.shape[0] != self.cells or not dt_s > 0.0:
            raise ValueError("one temperature and one gain per cell, and a step above 0")
        return self.sweep(hall, dt_s, temp_c, gain_w)

    def face_flows(self, Py_ssize_t hall):
        """Return (from cell, to cell, m3/s) of every face of a hall, flows above 0, as three arrays."""
        cdef Py_ssize_t c0 = self.cell_ptr[hall], end = self.cell_ptr[hall + 1], nx = self.nx[hall]
        cdef Py_ssize_t layer = nx * self.ny[hall]
        cells = np.arange(c0, end)
        faces = [(np.asarray(self.qx)[c0:end], 1), (np.asarray(self.qy)[c0:end], nx), (np.asarray(self.qz)[c0:end], layer)]
        flow = np.concatenate([q for q, _ in faces])
        first = np.concatenate([cells] * 3)
        second = np.concatenate([cells + step for _, step in faces])
        moving = flow != 0.0
        source, target = np.where(flow > 0.0, first, second), np.where(flow > 0.0, second, first)
        return source[moving], target[moving], np.abs(flow[moving])

    def sweep_order(self, Py_ssize_t hall):
        """Return the cells of a hall in the order of the last sweep."""
        return np.array(self.order[self.cell_ptr[hall]:self.cell_ptr[hall + 1]])
