"""Immersion tanks: baths in which whole servers stand, single-phase and two-phase. One ``run`` per tick.

A tank holds one rack's servers in a dielectric fluid and has an exchanger of its own to a plant loop. What the chips
see goes through the columns that every liquid-cooled rack has: ``rack_supply_temp_c`` and ``rack_flow_kg_s``.

**Single-phase.** A cold node below the boards and a hot one above them; pumps carry the fluid m through the exchanger,
and through the boards flows the larger of that and what buoyancy drives; what does not pass the exchanger falls back
beside the boards (r = boards - m):

    C_b dTb/dt = m cp (Ts - Tb) + r cp (Ta - Tb) + pump power
    C_a dTa/dt = (m + r) cp (Tb - Ta) + heat
    C_s dTs/dt = m cp (Ta - Ts) - eps Cmin (Ta - Tw),    C_p dTp/dt = eps Cmin (Ta - Tw) - mw cw (Tp - Tw)

One implicit Euler step; every row of the matrix is a mean of old values and sources.

**Two-phase.** The fluid boils at the pressure of the vapour over it, T = T_sat(p); liquid and vapour share the sealed
volume V, so the total mass M and T say everything: M_v = (V - M/rho_l) / (1/rho_v - 1/rho_l). Energy and mass:

    U(T, M) = (M cp + metal) T + M_v u_fg(T),    u_fg = h_fg - p/rho_v
    dU = heat - condenser - vent (cp T + h_fg) - leak cp T,    dM = -vent - leak

solved for the T at the end of the step in a shrinking bracket: heat that the condenser does not take raises bath and
pressure until the relief valve opens and the fluid goes. Boards boil with a resistance that falls with their flux,
R = R0 (q/q0)^(-2/3) (Rohsenow: q ~ dT^3), which reaches the chips as the flow q A / h_fg: the fluid that becomes
vapour at them. Past the critical flux (Zuber), or above the liquid, a board's heat finds vapour instead.
"""

import numpy as np

from twin._kernels.binding import need, within

from libc.math cimport ceil, fabs

from twin._kernels.laws cimport (
    law_boiling_pressure_pa,
    law_buoyant_flow_kg_s,
    law_coast_down,
    law_eps_ntu_counterflow,
    law_ha_ratio,
    law_orifice_kg_s,
    law_pow,
    law_series_ua_w_k,
    law_valve_share,
    law_vapour_density_kg_m3,
    law_zuber_minimum_w_m2,
    law_zuber_w_m2,
)

#: longest sub-step, s
STEP_MAX_S = 5.0
cdef double _STEP_MAX = STEP_MAX_S
cdef double _STOPPED = 0.005      # below this speed a pump stands still
cdef double _BOIL_MIN = 0.03      # share of the design flux below which liquid convects as if that much boiled
cdef double _KEPT = 0.01          # share of its fluid that a tank cannot lose: it wets walls and boards
cdef int _SOLVE_MAX = 80


def _take(buffers, size, names):
    """Take buffers of one size by their names, in that order."""
    return [need(buffers, name, size) for name in names.split()]


cdef class TankKernel:
    """All immersion tanks of a site, bound to their buffers.

    Args:
        tanks, racks, streams, gpus, cdus, pumps, loops: sizes of the axes.
        **buffers: one array per attribute below, by its name; those marked ``const`` are only read.

    Raises:
        ValueError: a buffer is missing, unknown, or of another length.
    """

    # structure
    cdef const int[::1] tank_rack, tank_cdu, tank_stream, two_phase, gpu_first, gpu_end, cdu_loop, cdu_pump_ptr
    # fluid and vessel
    cdef const double[::1] cp, rho, expansion, latent, vapour_rho, boil_c, slope_k, tension, full_kg, volume_m3
    cdef const double[::1] metal_j_k, low_frac, bare_frac, height_m, flow_design, dp_design, exponent, boiling_area_m2, chf_k
    cdef const double[::1] film_ratio, plate_flow, vent_set_pa, vent_area_m2, trip_c, trip_frac, trip_delay_s
    # exchanger, its control, pumps
    cdef const double[::1] primary_flow_design, ha_secondary, ha_primary, hx_exponent, hx_secondary_temp_c
    cdef const double[::1] hx_primary_temp_c, secondary_j_k, primary_j_k, controls_w, valve_stroke_s, valve_gain
    cdef const double[::1] valve_reset_s, sample_s, cdu_supply_setpoint_c, cdu_valve_stuck_frac
    cdef const double[::1] pump_flow_design, pump_design_w, speed_min, pump_ramp, coast_tau, pumps_on_duty
    cdef const double[::1] tank_flow_setpoint_frac, tank_leak_kg_s, tank_water_frac
    cdef const int[::1] cdu_fault, cdu_energised, pump_fault, rack_energised
    # loads and surroundings
    cdef const double[::1] stream_heat_w, rack_liquid_heat_w, gpu_power_w, loop_supply_temp_c, loop_flow_frac, loop_cp
    cdef const double[::1] pressure_pa
    # written
    cdef double[::1] rack_supply_temp_c, rack_return_temp_c, rack_flow_kg_s, cdu_supply_temp_c, cdu_return_temp_c
    cdef double[::1] cdu_flow_kg_s, cdu_primary_flow_kg_s, cdu_primary_return_temp_c, cdu_heat_w, cdu_valve_frac
    cdef double[::1] cdu_valve_integral, cdu_power_w, cdu_sample_s, cdu_supply_error_k, pump_speed_frac
    cdef double[::1] pump_command_frac, tank_fluid_kg, tank_level_frac, tank_vapour_kg, tank_gauge_pa, tank_vent_kg_s
    cdef double[::1] tank_lost_kg, tank_flux_ratio, tank_dry_frac, supply_temp_max_c, tick_in_j, tick_out_j
    cdef double[::1] tick_stored_j
    cdef double[::1] rack_low_flow_s
    cdef int[::1] pump_running, rack_protected
    cdef double e_in, e_out, e_stored, exchange, water_w_k, pumped

    def __init__(self, *, Py_ssize_t tanks, Py_ssize_t racks, Py_ssize_t streams, Py_ssize_t gpus, Py_ssize_t cdus,
                 Py_ssize_t pumps, Py_ssize_t loops, **buffers):
        self._bind_structure(buffers, tanks, cdus)
        self._bind_vessel(buffers, tanks)
        self._bind_exchanger(buffers, tanks, cdus, pumps)
        self._bind_loads(buffers, racks, streams, gpus, loops)
        self._bind_written(buffers, tanks, racks, cdus, pumps)
        within("tank_rack", self.tank_rack, 0, racks)
        within("tank_cdu", self.tank_cdu, 0, cdus)
        within("tank_stream", self.tank_stream, 0, streams)
        within("gpu_first", self.gpu_first, 0, gpus)
        within("gpu_end", self.gpu_end, 1, gpus + 1)
        within("cdu_loop", self.cdu_loop, 0, loops)
        within("cdu_pump_ptr", self.cdu_pump_ptr, 0, pumps + 1)
        if buffers:
            raise ValueError(f"unknown buffers: {', '.join(sorted(buffers))}")

    cdef _bind_structure(self, buffers, Py_ssize_t tanks, Py_ssize_t cdus):
        (self.tank_rack, self.tank_cdu, self.tank_stream, self.two_phase, self.gpu_first, self.gpu_end) = _take(
            buffers, tanks,
            "tank_rack tank_cdu tank_stream two_phase gpu_first gpu_end")
        self.cdu_loop = need(buffers, "cdu_loop", cdus)
        self.cdu_pump_ptr = need(buffers, "cdu_pump_ptr", cdus + 1)

    cdef _bind_vessel(self, buffers, Py_ssize_t tanks):
        (self.cp, self.rho, self.expansion, self.latent, self.vapour_rho, self.boil_c, self.slope_k,
         self.tension, self.full_kg, self.volume_m3, self.metal_j_k, self.low_frac, self.bare_frac,
         self.height_m, self.flow_design, self.dp_design, self.exponent, self.boiling_area_m2, self.chf_k,
         self.film_ratio, self.plate_flow, self.vent_set_pa, self.vent_area_m2, self.trip_c, self.trip_frac,
         self.trip_delay_s) = _take(buffers, tanks,
            "cp rho expansion latent vapour_rho boil_c slope_k tension full_kg volume_m3 metal_j_k low_frac "
            "bare_frac height_m flow_design dp_design exponent boiling_area_m2 chf_k film_ratio plate_flow "
            "vent_set_pa vent_area_m2 trip_c trip_frac trip_delay_s")

    cdef _bind_exchanger(self, buffers, Py_ssize_t tanks, Py_ssize_t cdus, Py_ssize_t pumps):
        (self.primary_flow_design, self.ha_secondary, self.ha_primary, self.hx_exponent,
         self.hx_secondary_temp_c, self.hx_primary_temp_c, self.secondary_j_k, self.primary_j_k,
         self.controls_w, self.valve_stroke_s, self.valve_gain, self.valve_reset_s, self.sample_s,
         self.cdu_supply_setpoint_c, self.cdu_valve_stuck_frac, self.cdu_fault, self.cdu_energised) = _take(
            buffers, cdus,
            "primary_flow_design ha_secondary ha_primary hx_exponent hx_secondary_temp_c hx_primary_temp_c "
            "secondary_j_k primary_j_k controls_w valve_stroke_s valve_gain valve_reset_s sample_s "
            "cdu_supply_setpoint_c cdu_valve_stuck_frac cdu_fault cdu_energised")
        self.pump_fault = need(buffers, "pump_fault", pumps)
        (self.pump_flow_design, self.pump_design_w, self.speed_min, self.pump_ramp, self.coast_tau,
         self.pumps_on_duty, self.tank_flow_setpoint_frac, self.tank_leak_kg_s, self.tank_water_frac) = _take(
            buffers, tanks,
            "pump_flow_design pump_design_w speed_min pump_ramp coast_tau pumps_on_duty "
            "tank_flow_setpoint_frac tank_leak_kg_s tank_water_frac")

    cdef _bind_loads(self, buffers, Py_ssize_t racks, Py_ssize_t streams, Py_ssize_t gpus, Py_ssize_t loops):
        self.stream_heat_w = need(buffers, "stream_heat_w", streams)
        self.rack_liquid_heat_w = need(buffers, "rack_liquid_heat_w", racks)
        self.gpu_power_w = need(buffers, "gpu_power_w", gpus)
        self.rack_energised = need(buffers, "rack_energised", racks)
        (self.loop_supply_temp_c, self.loop_flow_frac, self.loop_cp) = _take(buffers, loops,
            "loop_supply_temp_c loop_flow_frac loop_cp")
        self.pressure_pa = need(buffers, "pressure_pa", 1)

    cdef _bind_written(self, buffers, Py_ssize_t tanks, Py_ssize_t racks, Py_ssize_t cdus, Py_ssize_t pumps):
        (self.rack_supply_temp_c, self.rack_return_temp_c, self.rack_flow_kg_s, self.rack_low_flow_s,
         self.rack_protected) = _take(buffers, racks,
            "rack_supply_temp_c rack_return_temp_c rack_flow_kg_s rack_low_flow_s rack_protected")
        (self.cdu_supply_temp_c, self.cdu_return_temp_c, self.cdu_flow_kg_s, self.cdu_primary_flow_kg_s,
         self.cdu_primary_return_temp_c, self.cdu_heat_w, self.cdu_valve_frac, self.cdu_valve_integral,
         self.cdu_power_w, self.cdu_sample_s, self.cdu_supply_error_k) = _take(buffers, cdus,
            "cdu_supply_temp_c cdu_return_temp_c cdu_flow_kg_s cdu_primary_flow_kg_s "
            "cdu_primary_return_temp_c cdu_heat_w cdu_valve_frac cdu_valve_integral cdu_power_w cdu_sample_s "
            "cdu_supply_error_k")
        (self.pump_speed_frac, self.pump_command_frac, self.pump_running) = _take(buffers, pumps,
            "pump_speed_frac pump_command_frac pump_running")
        (self.tank_fluid_kg, self.tank_level_frac, self.tank_vapour_kg, self.tank_gauge_pa,
         self.tank_vent_kg_s, self.tank_lost_kg, self.tank_flux_ratio, self.tank_dry_frac) = _take(buffers, tanks,
            "tank_fluid_kg tank_level_frac tank_vapour_kg tank_gauge_pa tank_vent_kg_s tank_lost_kg "
            "tank_flux_ratio tank_dry_frac")
        (self.supply_temp_max_c, self.tick_in_j, self.tick_out_j, self.tick_stored_j) = _take(buffers, 1,
            "supply_temp_max_c tick_in_j tick_out_j tick_stored_j")

    def run(self, double dt_s):
        """Advance by ``dt_s`` seconds (10 ms to 60 s); adds to the energy of the tick that the row loops booked."""
        cdef int steps = <int>ceil(dt_s / _STEP_MAX - 1e-9)
        cdef int k
        cdef Py_ssize_t t
        cdef double h
        steps = 1 if steps < 1 else steps
        h = dt_s / steps
        with nogil:
            self.e_in = self.e_out = self.e_stored = 0.0
            for t in range(self.tank_rack.shape[0]):
                self.cdu_heat_w[self.tank_cdu[t]] = 0.0
                self.tank_vent_kg_s[t] = 0.0
                for k in range(steps):
                    self._pumps(t, h)
                    self._valve(t, h)
                    self._exchanger(t)
                    if self.two_phase[t]:
                        self._boil(t, h, 1.0 / steps)
                    else:
                        self._bathe(t, h, 1.0 / steps)
                self._boards(t)
                self._protect(t, dt_s)
                self._power(t)
            self._publish()

    def prime(self):
        """Bring pumps to their speed and set flows, level and pressure; for a fresh state."""
        cdef Py_ssize_t t
        for t in range(self.tank_rack.shape[0]):
            self._pumps(t, 1e6)
            if self.two_phase[t]:
                self._vapour(t)
            self._boards(t)
            self._power(t)

    # ---- pumps, valve, exchanger ---------------------------------------------------------------------------

    cdef void _pumps(self, Py_ssize_t t, double h) noexcept nogil:
        """Let the first healthy pumps run at the set-point; drives ramp, pumps without power coast down."""
        cdef Py_ssize_t j = self.tank_cdu[t], p
        cdef double wanted = self.pumps_on_duty[t], command = self.tank_flow_setpoint_frac[t], step, n
        cdef bint live = self.cdu_energised[j] != 0 and self.cdu_fault[j] == 0
        command = self.speed_min[t] if command < self.speed_min[t] else command
        step = self.pump_ramp[t] * h
        self.pumped = 0.0
        for p in range(self.cdu_pump_ptr[j], self.cdu_pump_ptr[j + 1]):
            self.pump_running[p] = 1 if wanted > 0.5 and live and self.pump_fault[p] == 0 else 0
            wanted -= self.pump_running[p]
            self.pump_command_frac[p] = command if self.pump_running[p] else 0.0
            n = self.pump_speed_frac[p]
            if not live or self.pump_fault[p] != 0:
                n = law_coast_down(n, h, self.coast_tau[t])
            elif self.pump_command_frac[p] > n:
                n = n + step if n + step < self.pump_command_frac[p] else self.pump_command_frac[p]
            else:
                n = n - step if n - step > self.pump_command_frac[p] else self.pump_command_frac[p]
            self.pump_speed_frac[p] = n if n > _STOPPED or self.pump_running[p] else 0.0
            self.pumped += self.pump_speed_frac[p] * self.pump_flow_design[t]
        # a pump that draws from an empty weir moves vapour or air
        self.pumped = self.pumped * (1.0 - self._bare(t))
        if not self.two_phase[t]:
            self.cdu_flow_kg_s[j] = self.pumped

    cdef double _bare(self, Py_ssize_t t) noexcept nogil:
        """Share of the boards that stands above the liquid, 0 .. 1."""
        cdef double x = (self.low_frac[t] - self.tank_level_frac[t]) / (self.low_frac[t] - self.bare_frac[t])
        return 0.0 if x < 0.0 else (1.0 if x > 1.0 else x)

    cdef void _valve(self, Py_ssize_t t, double h) noexcept nogil:
        """Sampled PI of the water valve on the fluid that leaves the exchanger, or on the boiling bath."""
        cdef Py_ssize_t j = self.tank_cdu[t]
        cdef double error = self.cdu_supply_temp_c[j] - self.cdu_supply_setpoint_c[j], out, elapsed, reach, valve
        self.cdu_supply_error_k[j] = error
        self.cdu_sample_s[j] += h
        if self.cdu_valve_stuck_frac[j] >= 0.0:
            self.cdu_valve_frac[j] = self.cdu_valve_stuck_frac[j]
            return
        if self.cdu_energised[j] == 0 or self.cdu_fault[j] != 0 or self.cdu_sample_s[j] < self.sample_s[j] - 1e-9:
            return
        elapsed = self.cdu_sample_s[j]
        self.cdu_sample_s[j] = 0.0
        self.cdu_valve_integral[j] += self.valve_gain[j] / self.valve_reset_s[j] * elapsed * error
        out = self.valve_gain[j] * error + self.cdu_valve_integral[j]
        if out > 1.0:
            self.cdu_valve_integral[j] -= out - 1.0
            out = 1.0
        elif out < 0.0:
            self.cdu_valve_integral[j] -= out
            out = 0.0
        reach = elapsed / self.valve_stroke_s[j]
        valve = self.cdu_valve_frac[j]
        self.cdu_valve_frac[j] = valve + reach if out > valve + reach else (
            valve - reach if out < valve - reach else out)

    cdef void _exchanger(self, Py_ssize_t t) noexcept nogil:
        """Facility water of the tank and eps Cmin (``exchange``, W/K) at the present flows."""
        cdef Py_ssize_t j = self.tank_cdu[t]
        cdef int loop = self.cdu_loop[j]
        cdef double mp = (self.primary_flow_design[j] * law_valve_share(self.cdu_valve_frac[j])
                          * self.loop_flow_frac[loop] * self.tank_water_frac[t])
        cdef double film, water, ua, c_s, c_min, c_max
        self.cdu_primary_flow_kg_s[j] = mp
        self.water_w_k = mp * self.loop_cp[loop]
        self.exchange = 0.0
        if mp <= 0.0:
            return
        water = self.ha_primary[j] * law_ha_ratio(
            mp / self.primary_flow_design[j], self.hx_exponent[j],
            0.5 * (self.cdu_primary_return_temp_c[j] + self.loop_supply_temp_c[loop]), self.hx_primary_temp_c[j])
        if self.two_phase[t]:
            # condensing film on the coil; vapour only condenses on what is colder than the bath
            if self.rack_supply_temp_c[self.tank_rack[t]] > self.loop_supply_temp_c[loop]:
                ua = law_series_ua_w_k(self.ha_secondary[j], water)
                self.exchange = law_eps_ntu_counterflow(ua / self.water_w_k, 0.0) * self.water_w_k
            return
        if self.pumped <= 0.0:
            return
        c_s = self.pumped * self.cp[t]
        film = self.ha_secondary[j] * law_ha_ratio(
            self.pumped / (self.pump_flow_design[t] * self.pumps_on_duty[t]), self.hx_exponent[j],
            0.5 * (self.cdu_supply_temp_c[j] + self.cdu_return_temp_c[j]), self.hx_secondary_temp_c[j])
        ua = law_series_ua_w_k(film, water)
        c_min = c_s if c_s < self.water_w_k else self.water_w_k
        c_max = self.water_w_k if c_s < self.water_w_k else c_s
        self.exchange = law_eps_ntu_counterflow(ua / c_min, c_min / c_max) * c_min

    cdef double _heat(self, Py_ssize_t t) noexcept nogil:
        """Heat that the servers give to the bath, W."""
        return self.stream_heat_w[self.tank_stream[t]] + self.rack_liquid_heat_w[self.tank_rack[t]]

    cdef void _water(self, Py_ssize_t t, double h, double share, double given) noexcept nogil:
        """Advance the exchanger's water side by the heat ``given`` to it in J; book what leaves to the plant."""
        cdef Py_ssize_t j = self.tank_cdu[t]
        cdef double k = h * self.water_w_k, cold = self.loop_supply_temp_c[self.cdu_loop[j]]
        cdef double old = self.cdu_primary_return_temp_c[j]
        cdef double new = (self.primary_j_k[j] * old + given + k * cold) / (self.primary_j_k[j] + k)
        self.cdu_primary_return_temp_c[j] = new
        self.e_stored += self.primary_j_k[j] * (new - old)
        self.e_out += k * (new - cold)
        self.cdu_heat_w[j] += share * (k * (new - cold) / h)

    cdef double _leak(self, Py_ssize_t t, double h) noexcept nogil:
        """Liquid that leaks away within the step, kg."""
        cdef double most = self.tank_fluid_kg[t] - _KEPT * self.full_kg[t]
        cdef double lost = h * self.tank_leak_kg_s[t]
        return lost if lost < most else (most if most > 0.0 else 0.0)

    # ---- single-phase --------------------------------------------------------------------------------------

    cdef void _bathe(self, Py_ssize_t t, double h, double share) noexcept nogil:
        """One implicit step of cold node, hot node and both sides of the exchanger."""
        cdef Py_ssize_t i = self.tank_rack[t], j = self.tank_cdu[t]
        cdef double mass = self.tank_fluid_kg[t], lost = self._leak(t, h), cold, hot, given, top, bottom, leaving
        cdef double half = 0.5 * (mass * self.cp[t] + self.metal_j_k[t]), less = 0.5 * lost * self.cp[t]
        cdef double k = h * self.pumped * self.cp[t], r, e = h * self.exchange, cs = self.secondary_j_k[j]
        cdef double a, b, x, y, power = h * self.cdu_power_w[j], heat = h * self._heat(t)
        cold = self.loop_supply_temp_c[self.cdu_loop[j]]
        bottom = self.rack_supply_temp_c[i]
        top = self.rack_return_temp_c[i]
        r = law_buoyant_flow_kg_s(top - bottom, self.rho[t], self.expansion[t], self.height_m[t], self.flow_design[t],
                                  self.dp_design[t], self.exponent[t]) * (1.0 - self._bare(t))
        r = h * (r - self.pumped) * self.cp[t] if r > self.pumped else 0.0
        # exchanger outlet = a x + b, cold node = (...) x + y, with x the hot node at the end of the step
        a = (k - e) / (cs + k)
        b = (cs * self.cdu_supply_temp_c[j] + e * cold) / (cs + k)
        y = (half * bottom + k * b + power) / (half + k + r)
        a = (k * a + r) / (half + k + r)
        x = (half * top + heat + (k + r) * y) / (half + (k + r) * (1.0 - a))
        leaving = (k - e) / (cs + k) * x + b
        hot = x
        y = a * x + y
        given = e * (x - cold)
        # what leaks takes its heat along; the nodes' capacities shrink by it
        self.e_in += heat + power
        self.e_out += less * (y + hot)
        self.e_stored += half * (y - bottom) + half * (hot - top) - less * (y + hot)
        self.e_stored += cs * (leaving - self.cdu_supply_temp_c[j])
        self.rack_supply_temp_c[i] = y
        self.rack_return_temp_c[i] = hot
        self.cdu_supply_temp_c[j] = leaving
        self.cdu_return_temp_c[j] = hot
        self._water(t, h, share, given)
        self._lose(t, lost)
        self.tank_level_frac[t] = self.tank_fluid_kg[t] / self.full_kg[t]

    cdef void _lose(self, Py_ssize_t t, double lost) noexcept nogil:
        self.tank_fluid_kg[t] -= lost
        self.tank_lost_kg[t] += lost

    # ---- two-phase -----------------------------------------------------------------------------------------

    cdef double _vapour_kg(self, Py_ssize_t t, double temp, double mass, double *pressure) noexcept nogil:
        """Vapour over the liquid when a mass of fluid at saturation fills the vessel, kg; and its pressure."""
        cdef double rho_v, vapour
        pressure[0] = law_boiling_pressure_pa(temp, self.boil_c[t], self.slope_k[t])
        rho_v = law_vapour_density_kg_m3(pressure[0], temp, self.boil_c[t], self.vapour_rho[t])
        vapour = (self.volume_m3[t] - mass / self.rho[t]) / (1.0 / rho_v - 1.0 / self.rho[t])
        return vapour if vapour < mass else mass

    cdef double _energy(self, Py_ssize_t t, double temp, double mass, double vapour) noexcept nogil:
        """Internal energy of fluid and metal over liquid at 0 degC, J."""
        cdef double expansion_work = 101325.0 / self.vapour_rho[t] * (temp + 273.15) / (self.boil_c[t] + 273.15)
        return (mass * self.cp[t] + self.metal_j_k[t]) * temp + vapour * (self.latent[t] - expansion_work)

    cdef double _vent(self, Py_ssize_t t, double h, double temp, double pressure, double left) noexcept nogil:
        """Vapour through the relief valve within the step, kg, of at most what is left."""
        cdef double rho_v = law_vapour_density_kg_m3(pressure, temp, self.boil_c[t], self.vapour_rho[t])
        cdef double out = h * law_orifice_kg_s(self.vent_area_m2[t], rho_v,
                                               pressure - self.pressure_pa[0] - self.vent_set_pa[t])
        return out if out < left else left

    cdef double _gap(self, Py_ssize_t t, double h, double temp, double given, double lost, double *vent) noexcept nogil:
        """Energy if the step ends at ``temp``, less what the balance allows, J; rises with temp.

        ``given``: energy at the start and heat of the step, J; ``lost``: leak, kg.
        """
        cdef double pressure, vapour, mass = self.tank_fluid_kg[t] - lost, cold, left
        left = mass - _KEPT * self.full_kg[t]
        cold = self.loop_supply_temp_c[self.cdu_loop[self.tank_cdu[t]]]
        pressure = law_boiling_pressure_pa(temp, self.boil_c[t], self.slope_k[t])
        vent[0] = self._vent(t, h, temp, pressure, left if left > 0.0 else 0.0)
        vapour = self._vapour_kg(t, temp, mass - vent[0], &pressure)
        return (self._energy(t, temp, mass - vent[0], vapour) + h * self.exchange * (temp - cold)
                + vent[0] * (self.cp[t] * temp + self.latent[t]) + lost * self.cp[t] * temp - given)

    cdef void _boil(self, Py_ssize_t t, double h, double share) noexcept nogil:
        """Find the bath's temperature at the end of the step; book heat, vapour and what is lost."""
        cdef Py_ssize_t i = self.tank_rack[t], j = self.tank_cdu[t]
        cdef double old = self.rack_supply_temp_c[i], lost = self._leak(t, h), power = h * self.cdu_power_w[j]
        cdef double heat = h * self._heat(t), cold = self.loop_supply_temp_c[self.cdu_loop[j]]
        cdef double low, high, f_low, f_high, f, new, vent = 0.0, before, pressure, reach = 0.5
        cdef int k, side = 0
        before = self._energy(t, old, self.tank_fluid_kg[t], self.tank_vapour_kg[t])
        f = self._gap(t, h, old, before + heat + power, lost, &vent)
        low = high = new = old
        f_low = f_high = f
        while f_low > 0.0 and low > -270.0:
            high = low
            f_high = f_low
            low -= reach
            reach *= 2.0
            f_low = self._gap(t, h, low, before + heat + power, lost, &vent)
        while f_high < 0.0 and high < 1e6:
            low = high
            f_low = f_high
            high += reach
            reach *= 2.0
            f_high = self._gap(t, h, high, before + heat + power, lost, &vent)
        for k in range(_SOLVE_MAX):
            # Illinois: regula falsi that halves the value of an end that stays
            new = (low * f_high - high * f_low) / (f_high - f_low) if f_high > f_low else low
            new = new if low <= new <= high else 0.5 * (low + high)
            f = self._gap(t, h, new, before + heat + power, lost, &vent)
            if fabs(f) <= 4e-16 * fabs(before) or high - low <= 1e-14 * fabs(high):
                break
            if f > 0.0:
                high = new
                f_high = f
                f_low = 0.5 * f_low if side == 1 else f_low
                side = 1
            else:
                low = new
                f_low = f
                f_high = 0.5 * f_high if side == -1 else f_high
                side = -1
        self._lose(t, lost + vent)
        self.rack_supply_temp_c[i] = self.rack_return_temp_c[i] = new
        self.cdu_supply_temp_c[j] = self.cdu_return_temp_c[j] = new
        self._vapour(t)
        self.tank_vent_kg_s[t] += share * (vent / h)
        self.cdu_flow_kg_s[j] = self.exchange * (new - cold) / self.latent[t]
        self.e_in += heat + power
        self.e_out += vent * (self.cp[t] * new + self.latent[t]) + lost * self.cp[t] * new
        self.e_stored += self._energy(t, new, self.tank_fluid_kg[t], self.tank_vapour_kg[t]) - before
        self._water(t, h, share, h * self.exchange * (new - cold))

    cdef void _vapour(self, Py_ssize_t t) noexcept nogil:
        """Split the fluid into liquid and vapour at the bath's temperature: level, inventory, pressure."""
        cdef double pressure = 0.0, temp = self.rack_supply_temp_c[self.tank_rack[t]]
        self.tank_vapour_kg[t] = self._vapour_kg(t, temp, self.tank_fluid_kg[t], &pressure)
        self.tank_level_frac[t] = (self.tank_fluid_kg[t] - self.tank_vapour_kg[t]) / self.full_kg[t]
        self.tank_gauge_pa[t] = pressure - self.pressure_pa[0]

    # ---- what the boards see -------------------------------------------------------------------------------

    cdef void _boards(self, Py_ssize_t t) noexcept nogil:
        """Flow that the chips' resistance is taken from: through the boards, or boiling at them."""
        cdef Py_ssize_t i = self.tank_rack[t]
        cdef double bare = self._bare(t), buoyant, dry, boiling, film, gpus
        if not self.two_phase[t]:
            buoyant = law_buoyant_flow_kg_s(
                self.rack_return_temp_c[i] - self.rack_supply_temp_c[i], self.rho[t], self.expansion[t],
                self.height_m[t], self.flow_design[t], self.dp_design[t], self.exponent[t]) * (1.0 - bare)
            self.rack_flow_kg_s[i] = self.pumped if self.pumped > buoyant else buoyant
            return
        gpus = self.gpu_end[t] - self.gpu_first[t]
        boiling = self._flux(t)
        dry = self.tank_dry_frac[t] if self.tank_dry_frac[t] > bare else bare
        if dry > 0.0:
            # boards under vapour have the film's resistance: the mean of the tank's boards, as a flow again
            boiling = law_pow(boiling, -2.0 / 3.0)
            film = self.film_ratio[t]
            boiling = law_pow(boiling + dry * (film - boiling), -1.5) if film > boiling else law_pow(boiling, -1.5)
        self.rack_flow_kg_s[i] = gpus * self.plate_flow[t] * boiling

    cdef void _protect(self, Py_ssize_t t, double dt) noexcept nogil:
        """A live rack whose bath stays too hot or too low for the delay switches itself off, until it is reset."""
        cdef Py_ssize_t i = self.tank_rack[t]
        if self.rack_energised[i] != 0 and (self.rack_return_temp_c[i] > self.trip_c[t]
                                            or self.tank_level_frac[t] < self.trip_frac[t]):
            self.rack_low_flow_s[i] += dt
            if self.rack_low_flow_s[i] >= self.trip_delay_s[t] - 1e-9:
                self.rack_protected[i] = 1
        else:
            self.rack_low_flow_s[i] = 0.0

    cdef double _flux(self, Py_ssize_t t) noexcept nogil:
        """Heat flux of the working boards over the design flux; keeps the share that has dried out."""
        cdef Py_ssize_t g
        cdef double p, total = 0.0, squares = 0.0, most = 0.0, over = 0.0, limit, rewet, rho_v, pressure
        cdef double temp = self.rack_supply_temp_c[self.tank_rack[t]], area = self.boiling_area_m2[t], x
        pressure = law_boiling_pressure_pa(temp, self.boil_c[t], self.slope_k[t])
        rho_v = law_vapour_density_kg_m3(pressure, temp, self.boil_c[t], self.vapour_rho[t])
        limit = area * law_zuber_w_m2(self.chf_k[t], self.latent[t], rho_v, self.rho[t], self.tension[t])
        rewet = area * law_zuber_minimum_w_m2(self.latent[t], rho_v, self.rho[t], self.tension[t])
        for g in range(self.gpu_first[t], self.gpu_end[t]):
            p = self.gpu_power_w[g]
            total += p
            squares += p * p
            most = p if p > most else most
            over += p if p > limit else 0.0
        self.tank_flux_ratio[t] = most / limit
        over = over / total if total > 0.0 else 0.0
        if over > self.tank_dry_frac[t] or most < rewet:
            self.tank_dry_frac[t] = over
        x = squares / (total * self.latent[t] * self.plate_flow[t]) if total > 0.0 else 0.0
        return x if x > _BOIL_MIN else _BOIL_MIN

    cdef void _power(self, Py_ssize_t t) noexcept nogil:
        """Electrical power of pumps and controls at their present speeds; metered in the next tick."""
        cdef Py_ssize_t j = self.tank_cdu[t], p
        cdef double total = 0.0, n
        if self.cdu_energised[j] != 0 and self.cdu_fault[j] == 0:
            total = self.controls_w[j]
            for p in range(self.cdu_pump_ptr[j], self.cdu_pump_ptr[j + 1]):
                if self.pump_fault[p] == 0:
                    n = self.pump_speed_frac[p]
                    total += self.pump_design_w[t] * n * n * n
        self.cdu_power_w[j] = total

    cdef void _publish(self) noexcept nogil:
        cdef Py_ssize_t t
        cdef double temp
        for t in range(self.tank_rack.shape[0]):
            temp = self.rack_supply_temp_c[self.tank_rack[t]]
            self.supply_temp_max_c[0] = temp if temp > self.supply_temp_max_c[0] else self.supply_temp_max_c[0]
        self.tick_in_j[0] += self.e_in
        self.tick_out_j[0] += self.e_out
        self.tick_stored_j[0] += self.e_stored
