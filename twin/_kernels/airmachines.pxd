from twin._kernels.airflow cimport AirFlow

cdef enum Kind:
    ROOM = 0
    WALL = 1
    IN_ROW = 2
    DOOR = 3

cdef class AirMachines:
    cdef readonly AirFlow flow
    cdef readonly Py_ssize_t halls, crahs
    cdef double rho_cp, sample_s
    # parameters
    cdef const double[::1] surplus, hall_air_kg, hall_makeup_air
    cdef const double[::1] crah_flow_design, crah_fan_w, crah_fan_min, crah_tau, crah_water_design, crah_water_cp
    cdef const double[::1] crah_valve_range, crah_r_air, crah_r_water, crah_coil, crah_guard, crah_flow_loss
    cdef const int[::1] hall_crah_ptr, crah_loop, crah_kind, crah_out_ptr, crah_out, crah_in_ptr, crah_in
    # state
    cdef double[::1] cell_temp, crah_supply, crah_return, crah_flow, crah_fan, crah_valve, crah_valve_i, crah_fan_i
    cdef double[::1] crah_setpoint, crah_coil_temp, crah_water, crah_water_return, crah_heat, crah_power, crah_stuck
    cdef double[::1] crah_condensate, humidity, dew_point, makeup, makeup_dew_point, condensate, trim
    cdef int[::1] crah_fault, crah_stopped
    # inputs
    cdef const double[::1] loop_supply, loop_frac, outdoor_humidity, outdoor_pressure
    cdef const int[::1] crah_energised
    # scratch
    cdef double[::1] gain, start_supply
    cdef bint settling
    cdef double e_in, e_out, e_stored, wet_surface
    cdef object bind_machines(self, p, state, inputs)
    cdef bint runs(self, Py_ssize_t j) noexcept nogil
    cdef bint speeds(self, Py_ssize_t h, double dt, bint sample) noexcept nogil
    cdef void fans(self, Py_ssize_t h, double drawn, double hottest) noexcept nogil
    cdef void _valve(self, Py_ssize_t j) noexcept nogil
    cdef double door_share(self, Py_ssize_t j, double dt, double server_fan) noexcept nogil
    cdef double door_left(self, Py_ssize_t j, double server_fan) noexcept nogil
    cdef double door(self, Py_ssize_t j, Py_ssize_t h, double dt, double flow, double temp_in) noexcept nogil
    cdef void machine(self, Py_ssize_t j, Py_ssize_t h, double dt) noexcept nogil
    cdef void inlet_of(self, Py_ssize_t j, double dt) noexcept nogil
    cdef double _coil(self, Py_ssize_t j, Py_ssize_t h, double dt, double air, double share,
                      double temp_in) noexcept nogil
    cdef double _condense(self, Py_ssize_t j, Py_ssize_t h, double dt, double contact, double beyond, double temp_in,
                          double entering, double surface) noexcept nogil
    cdef double makeup_humidity(self, Py_ssize_t h) noexcept nogil
    cdef void moisture(self, Py_ssize_t h, double dt, bint sample) noexcept nogil

cdef double coast(double speed, double dt, double tau) noexcept nogil
