cdef class AirFlow:
    cdef readonly Py_ssize_t halls, cells
    cdef const int[::1] cell_ptr, nx, ny
    cdef const double[::1] gx, gy, gz, volume
    cdef double[::1] potential
    cdef double[::1] inject, draw
    cdef double rho_cp
    cdef const double[::1] factor
    cdef const long long[::1] factor_at
    cdef const int[::1] half_width
    cdef const int[::1] place
    cdef int[::1] order, in_ptr, in_cell, waiting
    cdef double[::1] in_w, out_w, inverse, solution, qx, qy, qz
    cdef double[::1] hall_dt
    cdef readonly object residual
    cdef double[::1] residual_v
    cdef double solve(self, Py_ssize_t h) noexcept nogil
    cdef void flows(self, Py_ssize_t h) noexcept nogil
    cdef void sort(self, Py_ssize_t h) noexcept nogil
    cdef double sweep(self, Py_ssize_t h, double dt_s, double[::1] temp, double[::1] gain) noexcept nogil
    cdef void trace(self, Py_ssize_t h, double[::1] given, double[::1] caught) noexcept nogil
