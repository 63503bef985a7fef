"""Row coolant loops: pumps, racks in parallel, CDU exchangers, valve control. One ``run`` per tick.

A tick is cut into equal sub-steps of at most ``STEP_MAX_S``. In each, per row loop:

1. duty: the first healthy pumps run, as many as the row needs; spares take over from those that fail;
2. speeds: sampled command from the pressure set-point, drive ramp, coast-down of what is not powered;
3. flow: the pressure at which pumps (with check valves) and racks agree, by a bracketed Newton iteration;
4. valves: sampled PI on the secondary supply, stroke limit, anti-windup, dew-point guard;
5. temperatures: racks, headers and both sides of every exchanger advance together by one implicit Euler step.
   The loop is a ring; it is cut at the return header, carried round as a straight line a x + b, and closed.

Every matrix entry of step 5 has the sign that makes each new temperature a mean of old ones and sources, so
nothing overshoots at any step length. Energy is the sum of the very fluxes that were applied.
"""

import numpy as np

from twin._kernels.binding import need, within

from libc.math cimport ceil, fabs

from twin._kernels.laws cimport (
    law_branch_viscosity_ratio,
    law_coast_down,
    law_eps_ntu_counterflow,
    law_ha_ratio,
    law_pg25_mu_pa_s,
    law_pg25_rho_kg_m3,
    law_pow,
    law_pump_flow_m3_s,
    law_pump_head_pa,
    law_pump_power_w,
    law_pump_speed,
    law_series_ua_w_k,
    law_valve_share,
)

#: longest sub-step, s
STEP_MAX_S = 5.0
cdef double _STEP_MAX = STEP_MAX_S
cdef double _STOPPED = 0.005       # below this speed a pump stands still
cdef double _DEW_POINT_MAX = 15.0  # halls are dried to this dew point (ASHRAE TC 9.9, recommended envelope), degC
cdef int _SOLVE_MAX = 40


cdef class LiquidKernel:
    """All row loops of a site, bound to their buffers.

    Args:
        racks, streams, tcs, cdus, pumps, loops: sizes of the axes.
        **buffers: one array per attribute below, by its name; those marked ``const`` are only read.

    Raises:
        ValueError: a buffer is missing, unknown, or of another length.
    """

    # structure
    cdef const int[::1] rack_first, rack_end, tcs_cdu_ptr, cdu_loop, cdu_pump_ptr, rack_stream
    # racks
    cdef const double[::1] rack_conductance, rack_supply_j_k, rack_return_j_k
    cdef const double[::1] stream_heat_w, rack_liquid_heat_w, rack_valve_frac
    cdef double[::1] rack_supply_temp_c, rack_return_temp_c, rack_flow_kg_s
    # row loops
    cdef const double[::1] branch_n, cp, rho, mu_reference, rho_reference, design_flow, header_j_k, pumps_on_duty
    cdef const double[::1] pump_h0, pump_b, pump_a, pump_best_flow, pump_efficiency, speed_min, pump_ramp, coast_tau
    cdef const double[::1] tcs_dp_setpoint_pa
    cdef double[::1] tcs_supply_temp_c, tcs_return_temp_c, tcs_flow_kg_s, tcs_dp_pa, tcs_flow_frac
    # CDUs and pumps
    cdef const double[::1] primary_flow_design, ha_secondary, ha_primary, hx_exponent, hx_secondary_temp_c
    cdef const double[::1] hx_primary_temp_c, secondary_j_k, primary_j_k, secondary_flow_design, controls_w
    cdef const double[::1] power_fixed_w, valve_stroke_s, valve_gain, valve_reset_s, sample_s, dew_point_margin_k
    cdef const double[::1] cdu_supply_setpoint_c, cdu_valve_stuck_frac
    cdef const int[::1] cdu_fault, cdu_energised, pump_fault
    cdef double[::1] cdu_supply_temp_c, cdu_return_temp_c, cdu_flow_kg_s, cdu_primary_flow_kg_s
    cdef double[::1] cdu_primary_return_temp_c, cdu_heat_w, cdu_valve_frac, cdu_valve_integral, cdu_power_w
    cdef double[::1] cdu_sample_s, cdu_supply_error_k, pump_speed_frac, pump_command_frac
    cdef int[::1] pump_running
    # the plant, as of the last tick
    cdef const double[::1] loop_supply_temp_c, loop_flow_frac, loop_cp, dew_point_temp_c
    # totals
    cdef double[::1] supply_temp_max_c, tick_in_j, tick_out_j, tick_stored_j
    # scratch, rewritten in every sub-step
    cdef double[::1] exchange, slope, offset, rack_slope, rack_offset, pump_flow
    cdef Py_ssize_t rows
    cdef double e_in, e_out, e_stored

    def __init__(self, *, Py_ssize_t racks, Py_ssize_t streams, Py_ssize_t tcs, Py_ssize_t cdus, Py_ssize_t pumps,
                 Py_ssize_t loops, **buffers):
        self.rows = tcs
        self._bind_racks(buffers, racks, streams)
        self._bind_rows(buffers, tcs)
        self._bind_cdus(buffers, cdus, pumps)
        self.tcs_cdu_ptr = need(buffers, "tcs_cdu_ptr", tcs + 1)
        self.loop_supply_temp_c = need(buffers, "loop_supply_temp_c", loops)
        self.loop_flow_frac = need(buffers, "loop_flow_frac", loops)
        self.loop_cp = need(buffers, "loop_cp", loops)
        self.dew_point_temp_c = need(buffers, "dew_point_temp_c", 1)
        self.supply_temp_max_c = need(buffers, "supply_temp_max_c", 1)
        self.tick_in_j = need(buffers, "tick_in_j", 1)
        self.tick_out_j = need(buffers, "tick_out_j", 1)
        self.tick_stored_j = need(buffers, "tick_stored_j", 1)
        within("cdu_loop", self.cdu_loop, 0, loops)
        within("rack_stream", self.rack_stream, -1, streams)
        if buffers:
            raise ValueError(f"unknown buffers: {', '.join(sorted(buffers))}")
        self.exchange, self.slope, self.offset = np.zeros(cdus), np.zeros(cdus), np.zeros(cdus)
        self.rack_slope, self.rack_offset, self.pump_flow = np.zeros(racks), np.zeros(racks), np.zeros(pumps)

    cdef _bind_racks(self, buffers, Py_ssize_t racks, Py_ssize_t streams):
        self.rack_stream = need(buffers, "rack_stream", racks)
        self.rack_conductance = need(buffers, "rack_conductance", racks)
        self.rack_supply_j_k = need(buffers, "rack_supply_j_k", racks)
        self.rack_return_j_k = need(buffers, "rack_return_j_k", racks)
        self.stream_heat_w = need(buffers, "stream_heat_w", streams)
        self.rack_liquid_heat_w = need(buffers, "rack_liquid_heat_w", racks)
        self.rack_valve_frac = need(buffers, "rack_valve_frac", racks)
        self.rack_supply_temp_c = need(buffers, "rack_supply_temp_c", racks)
        self.rack_return_temp_c = need(buffers, "rack_return_temp_c", racks)
        self.rack_flow_kg_s = need(buffers, "rack_flow_kg_s", racks)

    cdef _bind_rows(self, buffers, Py_ssize_t tcs):
        self.rack_first = need(buffers, "rack_first", tcs)
        self.rack_end = need(buffers, "rack_end", tcs)
        self.branch_n = need(buffers, "branch_n", tcs)
        self.cp = need(buffers, "cp", tcs)
        self.rho = need(buffers, "rho", tcs)
        self.mu_reference = need(buffers, "mu_reference", tcs)
        self.rho_reference = need(buffers, "rho_reference", tcs)
        self.design_flow = need(buffers, "design_flow", tcs)
        self.header_j_k = need(buffers, "header_j_k", tcs)
        self.pumps_on_duty = need(buffers, "pumps_on_duty", tcs)
        self.pump_h0 = need(buffers, "pump_h0", tcs)
        self.pump_b = need(buffers, "pump_b", tcs)
        self.pump_a = need(buffers, "pump_a", tcs)
        self.pump_best_flow = need(buffers, "pump_best_flow", tcs)
        self.pump_efficiency = need(buffers, "pump_efficiency", tcs)
        self.speed_min = need(buffers, "speed_min", tcs)
        self.pump_ramp = need(buffers, "pump_ramp", tcs)
        self.coast_tau = need(buffers, "coast_tau", tcs)
        self.tcs_dp_setpoint_pa = need(buffers, "tcs_dp_setpoint_pa", tcs)
        self.tcs_supply_temp_c = need(buffers, "tcs_supply_temp_c", tcs)
        self.tcs_return_temp_c = need(buffers, "tcs_return_temp_c", tcs)
        self.tcs_flow_kg_s = need(buffers, "tcs_flow_kg_s", tcs)
        self.tcs_dp_pa = need(buffers, "tcs_dp_pa", tcs)
        self.tcs_flow_frac = need(buffers, "tcs_flow_frac", tcs)

    cdef _bind_cdus(self, buffers, Py_ssize_t cdus, Py_ssize_t pumps):
        self.cdu_loop = need(buffers, "cdu_loop", cdus)
        self.cdu_pump_ptr = need(buffers, "cdu_pump_ptr", cdus + 1)
        self.primary_flow_design = need(buffers, "primary_flow_design", cdus)
        self.ha_secondary = need(buffers, "ha_secondary", cdus)
        self.ha_primary = need(buffers, "ha_primary", cdus)
        self.hx_exponent = need(buffers, "hx_exponent", cdus)
        self.hx_secondary_temp_c = need(buffers, "hx_secondary_temp_c", cdus)
        self.hx_primary_temp_c = need(buffers, "hx_primary_temp_c", cdus)
        self.secondary_j_k = need(buffers, "secondary_j_k", cdus)
        self.primary_j_k = need(buffers, "primary_j_k", cdus)
        self.secondary_flow_design = need(buffers, "secondary_flow_design", cdus)
        self.controls_w = need(buffers, "controls_w", cdus)
        self.power_fixed_w = need(buffers, "power_fixed_w", cdus)
        self.valve_stroke_s = need(buffers, "valve_stroke_s", cdus)
        self.valve_gain = need(buffers, "valve_gain", cdus)
        self.valve_reset_s = need(buffers, "valve_reset_s", cdus)
        self.sample_s = need(buffers, "sample_s", cdus)
        self.dew_point_margin_k = need(buffers, "dew_point_margin_k", cdus)
        self.cdu_supply_setpoint_c = need(buffers, "cdu_supply_setpoint_c", cdus)
        self.cdu_valve_stuck_frac = need(buffers, "cdu_valve_stuck_frac", cdus)
        self.cdu_fault = need(buffers, "cdu_fault", cdus)
        self.cdu_energised = need(buffers, "cdu_energised", cdus)
        self.pump_fault = need(buffers, "pump_fault", pumps)
        self.cdu_supply_temp_c = need(buffers, "cdu_supply_temp_c", cdus)
        self.cdu_return_temp_c = need(buffers, "cdu_return_temp_c", cdus)
        self.cdu_flow_kg_s = need(buffers, "cdu_flow_kg_s", cdus)
        self.cdu_primary_flow_kg_s = need(buffers, "cdu_primary_flow_kg_s", cdus)
        self.cdu_primary_return_temp_c = need(buffers, "cdu_primary_return_temp_c", cdus)
        self.cdu_heat_w = need(buffers, "cdu_heat_w", cdus)
        self.cdu_valve_frac = need(buffers, "cdu_valve_frac", cdus)
        self.cdu_valve_integral = need(buffers, "cdu_valve_integral", cdus)
        self.cdu_power_w = need(buffers, "cdu_power_w", cdus)
        self.cdu_sample_s = need(buffers, "cdu_sample_s", cdus)
        self.cdu_supply_error_k = need(buffers, "cdu_supply_error_k", cdus)
        self.pump_speed_frac = need(buffers, "pump_speed_frac", pumps)
        self.pump_command_frac = need(buffers, "pump_command_frac", pumps)
        self.pump_running = need(buffers, "pump_running", pumps)

    def run(self, double dt_s):
        """Advance by ``dt_s`` seconds (10 ms to 60 s): temperatures, flows, controls; writes the energy of the tick."""
        cdef int steps = <int>ceil(dt_s / _STEP_MAX - 1e-9)
        cdef int k
        cdef Py_ssize_t t
        cdef double h
        steps = 1 if steps < 1 else steps
        h = dt_s / steps
        with nogil:
            self.e_in = self.e_out = self.e_stored = 0.0
            for t in range(self.cdu_heat_w.shape[0]):
                self.cdu_heat_w[t] = 0.0
            for k in range(steps):
                for t in range(self.rows):
                    self._duty(t)
                    self._speeds(t, h)
                    self._flows(t)
                    self._valves(t, h)
                    self._temperatures(t, h, 1.0 / steps)
            self._publish(dt_s)

    def prime(self):
        """Bring pumps to the speed that their set-point asks for and set the flows; for a fresh state."""
        cdef Py_ssize_t t
        for t in range(self.rows):
            self._duty(t)
            self._speeds(t, 1e6)
            self._flows(t)
            self._power(t)

    cdef void _duty(self, Py_ssize_t t) noexcept nogil:
        """Let the first healthy pumps run, as many as the row needs."""
        cdef Py_ssize_t j, p
        cdef double wanted = self.pumps_on_duty[t]
        for j in range(self.tcs_cdu_ptr[t], self.tcs_cdu_ptr[t + 1]):
            for p in range(self.cdu_pump_ptr[j], self.cdu_pump_ptr[j + 1]):
                if wanted > 0.5 and self.cdu_energised[j] != 0 and self.cdu_fault[j] == 0 and self.pump_fault[p] == 0:
                    self.pump_running[p] = 1
                    wanted -= 1.0
                else:
                    self.pump_running[p] = 0

    cdef double _row_conductance(self, Py_ssize_t t) noexcept nogil:
        """Conductance of the row's racks in parallel at the coolant's present viscosity; V = G dp^(1/n)."""
        cdef Py_ssize_t i
        cdef double temp = 0.5 * (self.tcs_supply_temp_c[t] + self.tcs_return_temp_c[t])
        cdef double total = 0.0
        temp = 5.0 if temp < 5.0 else (80.0 if temp > 80.0 else temp)
        for i in range(self.rack_first[t], self.rack_end[t]):
            total += self.rack_conductance[i] * self.rack_valve_frac[i]
        return total * law_pow(law_branch_viscosity_ratio(
            law_pg25_mu_pa_s(temp) / self.mu_reference[t], law_pg25_rho_kg_m3(temp) / self.rho_reference[t],
            self.branch_n[t]), -1.0 / self.branch_n[t])

    cdef void _speeds(self, Py_ssize_t t, double h) noexcept nogil:
        """Command the speed that holds the pressure set-point; drives ramp, unpowered pumps coast down."""
        cdef Py_ssize_t j, p
        cdef double running = 0.0, command = 0.0, n, step = self.pump_ramp[t] * h
        for p in range(self.cdu_pump_ptr[self.tcs_cdu_ptr[t]], self.cdu_pump_ptr[self.tcs_cdu_ptr[t + 1]]):
            running += self.pump_running[p]
        if running > 0.0:
            command = law_pump_speed(
                self._row_conductance(t) * law_pow(self.tcs_dp_setpoint_pa[t], 1.0 / self.branch_n[t]) / running,
                self.tcs_dp_setpoint_pa[t], self.pump_h0[t], self.pump_b[t], self.pump_a[t])
            command = self.speed_min[t] if command < self.speed_min[t] else (1.0 if command > 1.0 else command)
        for j in range(self.tcs_cdu_ptr[t], self.tcs_cdu_ptr[t + 1]):
            for p in range(self.cdu_pump_ptr[j], self.cdu_pump_ptr[j + 1]):
                n = self.pump_speed_frac[p]
                self.pump_command_frac[p] = command if self.pump_running[p] != 0 else 0.0
                if self.cdu_energised[j] == 0 or self.cdu_fault[j] != 0 or self.pump_fault[p] != 0:
                    n = law_coast_down(n, h, self.coast_tau[t])
                elif self.pump_command_frac[p] > n:
                    n = n + step if n + step < self.pump_command_frac[p] else self.pump_command_frac[p]
                else:
                    n = n - step if n - step > self.pump_command_frac[p] else self.pump_command_frac[p]
                self.pump_speed_frac[p] = n if n > _STOPPED or self.pump_running[p] != 0 else 0.0

    cdef double _pumped(self, Py_ssize_t t, double dp, double *slope) noexcept nogil:
        """Flow of all pumps of the row against a pressure, m3/s, and its derivative; fills ``pump_flow``."""
        cdef Py_ssize_t p
        cdef double total = 0.0, v, n
        slope[0] = 0.0
        for p in range(self.cdu_pump_ptr[self.tcs_cdu_ptr[t]], self.cdu_pump_ptr[self.tcs_cdu_ptr[t + 1]]):
            n = self.pump_speed_frac[p]
            v = law_pump_flow_m3_s(dp, n, self.pump_h0[t], self.pump_b[t], self.pump_a[t]) if n > 0.0 else 0.0
            self.pump_flow[p] = v
            total += v
            if v > 0.0 and n * self.pump_b[t] + 2.0 * self.pump_a[t] * v < 0.0:
                slope[0] += 1.0 / (n * self.pump_b[t] + 2.0 * self.pump_a[t] * v)
        return total

    cdef double _pressure(self, Py_ssize_t t, double conductance) noexcept nogil:
        """Pressure at which the row's pumps and racks agree, Pa: Newton within a shrinking bracket."""
        cdef Py_ssize_t p
        cdef double low = 0.0, high = 0.0, peak, dp, f, slope, through, inverse = 1.0 / self.branch_n[t]
        cdef int k
        peak = self.pump_h0[t] - self.pump_b[t] * self.pump_b[t] / (4.0 * self.pump_a[t])
        for p in range(self.cdu_pump_ptr[self.tcs_cdu_ptr[t]], self.cdu_pump_ptr[self.tcs_cdu_ptr[t + 1]]):
            f = self.pump_speed_frac[p] * self.pump_speed_frac[p] * peak
            high = f if f > high else high
        if high <= 0.0 or conductance <= 0.0:
            return 0.0
        dp = self.tcs_dp_pa[t]
        dp = dp if 0.0 < dp < high else 0.5 * high
        for k in range(_SOLVE_MAX):
            through = conductance * law_pow(dp, inverse)
            f = self._pumped(t, dp, &slope) - through
            if fabs(f) <= 1e-12 * through:
                break
            if f > 0.0:
                low = dp
            else:
                high = dp
            slope -= inverse * through / dp
            dp = dp - f / slope
            if not low < dp < high:
                dp = 0.5 * (low + high)
            if high - low <= 1e-12 * high:
                break
        return dp

    cdef void _flows(self, Py_ssize_t t) noexcept nogil:
        """Flow of every rack and CDU of the row; at the jump of a check valve the racks' side decides."""
        cdef Py_ssize_t i, j, p
        cdef double conductance = self._row_conductance(t), open_total = 0.0
        cdef double dp = self._pressure(t, conductance)
        cdef double slope, pumped, flow, per_open, mass, total = 0.0
        pumped = self._pumped(t, dp, &slope) if dp > 0.0 else 0.0
        flow = conductance * law_pow(dp, 1.0 / self.branch_n[t]) if pumped > 0.0 else 0.0
        for i in range(self.rack_first[t], self.rack_end[t]):
            open_total += self.rack_conductance[i] * self.rack_valve_frac[i]
        per_open = self.rho[t] * flow / open_total if open_total > 0.0 else 0.0
        for i in range(self.rack_first[t], self.rack_end[t]):
            self.rack_flow_kg_s[i] = per_open * self.rack_conductance[i] * self.rack_valve_frac[i]
            total += self.rack_flow_kg_s[i]
        for j in range(self.tcs_cdu_ptr[t], self.tcs_cdu_ptr[t + 1]):
            mass = 0.0
            for p in range(self.cdu_pump_ptr[j], self.cdu_pump_ptr[j + 1]):
                self.pump_flow[p] = self.pump_flow[p] * flow / pumped if pumped > 0.0 else 0.0
                mass += self.pump_flow[p]
            self.cdu_flow_kg_s[j] = total * (mass / flow) if flow > 0.0 else 0.0
        self.tcs_flow_kg_s[t] = total
        self.tcs_dp_pa[t] = dp if flow > 0.0 else 0.0
        self.tcs_flow_frac[t] = flow / self.design_flow[t]

    cdef void _valves(self, Py_ssize_t t, double h) noexcept nogil:
        """Sampled PI of every primary valve on its secondary supply; a spare's waits shut, ready for the row's mean."""
        cdef Py_ssize_t j
        cdef double mean = 0.0, active = 0.0, dew, target, error, out, gain, elapsed, reach, valve
        for j in range(self.tcs_cdu_ptr[t], self.tcs_cdu_ptr[t + 1]):
            if self.cdu_flow_kg_s[j] > 0.0:
                mean += self.cdu_valve_frac[j]
                active += 1.0
        dew = self.dew_point_temp_c[0] if self.dew_point_temp_c[0] < _DEW_POINT_MAX else _DEW_POINT_MAX
        for j in range(self.tcs_cdu_ptr[t], self.tcs_cdu_ptr[t + 1]):
            target = dew + self.dew_point_margin_k[j]
            target = self.cdu_supply_setpoint_c[j] if self.cdu_supply_setpoint_c[j] > target else target
            error = self.cdu_supply_temp_c[j] - target
            self.cdu_supply_error_k[j] = error if self.cdu_flow_kg_s[j] > 0.0 else 0.0
            self.cdu_sample_s[j] += h
            if self.cdu_valve_stuck_frac[j] >= 0.0:
                self.cdu_valve_frac[j] = self.cdu_valve_stuck_frac[j]
                continue
            if self.cdu_energised[j] == 0 or self.cdu_sample_s[j] < self.sample_s[j] - 1e-9:
                continue
            elapsed = self.cdu_sample_s[j]
            self.cdu_sample_s[j] = 0.0
            valve = self.cdu_valve_frac[j]
            gain = self.valve_gain[j]
            if self.cdu_flow_kg_s[j] > 0.0:
                self.cdu_valve_integral[j] += gain / self.valve_reset_s[j] * elapsed * error
                out = gain * error + self.cdu_valve_integral[j]
                if out > 1.0:
                    self.cdu_valve_integral[j] -= out - 1.0
                    out = 1.0
                elif out < 0.0:
                    self.cdu_valve_integral[j] -= out
                    out = 0.0
            else:
                out = 0.0
                self.cdu_valve_integral[j] = mean / active if active > 0.0 else self.cdu_valve_integral[j]
            reach = elapsed / self.valve_stroke_s[j]
            valve = valve + reach if out > valve + reach else (valve - reach if out < valve - reach else out)
            self.cdu_valve_frac[j] = valve

    cdef void _exchangers(self, Py_ssize_t t) noexcept nogil:
        """Primary flow and eps Cmin (``exchange``, W/K) of every CDU of the row at its present flows."""
        cdef Py_ssize_t j, loop
        cdef double ms, mp, ua, c_s, c_p, c_min, c_max
        for j in range(self.tcs_cdu_ptr[t], self.tcs_cdu_ptr[t + 1]):
            loop = self.cdu_loop[j]
            ms = self.cdu_flow_kg_s[j]
            mp = self.primary_flow_design[j] * law_valve_share(self.cdu_valve_frac[j]) * self.loop_flow_frac[loop]
            self.cdu_primary_flow_kg_s[j] = mp
            if ms <= 0.0 or mp <= 0.0:
                self.exchange[j] = 0.0
                continue
            ua = law_series_ua_w_k(
                self.ha_secondary[j] * law_ha_ratio(
                    ms / (self.rho[t] * self.secondary_flow_design[j]), self.hx_exponent[j],
                    0.5 * (self.cdu_supply_temp_c[j] + self.tcs_return_temp_c[t]), self.hx_secondary_temp_c[j]),
                self.ha_primary[j] * law_ha_ratio(
                    mp / self.primary_flow_design[j], self.hx_exponent[j],
                    0.5 * (self.cdu_primary_return_temp_c[j] + self.loop_supply_temp_c[loop]),
                    self.hx_primary_temp_c[j]))
            c_s = ms * self.cp[t]
            c_p = mp * self.loop_cp[loop]
            c_min = c_s if c_s < c_p else c_p
            c_max = c_p if c_s < c_p else c_s
            self.exchange[j] = law_eps_ntu_counterflow(ua / c_min, c_min / c_max) * c_min

    cdef void _temperatures(self, Py_ssize_t t, double h, double share) noexcept nogil:
        """One implicit step of the whole ring: return header x -> CDUs -> supply header a x + b -> racks -> x."""
        cdef double c_h = self.header_j_k[t], flow = h * self.cp[t] * self.tcs_flow_kg_s[t]
        cdef double a = 0.0, b = 0.0, u = 0.0, w = 0.0, x, supply
        self._exchangers(t)
        self._cdu_lines(t, h, &a, &b)
        a = a / (c_h + flow)
        b = (b + c_h * self.tcs_supply_temp_c[t]) / (c_h + flow)
        self._rack_lines(t, h, &u, &w)
        x = (c_h * self.tcs_return_temp_c[t] + u * b + w) / (c_h + flow - u * a)
        supply = a * x + b
        self._settle_racks(t, h, supply)
        self._settle_cdus(t, h, share, x)
        self.e_stored += c_h * (x - self.tcs_return_temp_c[t]) + c_h * (supply - self.tcs_supply_temp_c[t])
        self.tcs_return_temp_c[t] = x
        self.tcs_supply_temp_c[t] = supply

    cdef void _cdu_lines(self, Py_ssize_t t, double h, double *a, double *b) noexcept nogil:
        """Each CDU's new outlet as slope x + offset; their sum into the supply header, with the CDUs' metered power."""
        cdef Py_ssize_t j
        cdef double k, e, power = 0.0
        for j in range(self.tcs_cdu_ptr[t], self.tcs_cdu_ptr[t + 1]):
            k = h * self.cp[t] * self.cdu_flow_kg_s[j]
            e = h * self.exchange[j]
            self.slope[j] = (k - e) / (self.secondary_j_k[j] + k)
            self.offset[j] = (self.secondary_j_k[j] * self.cdu_supply_temp_c[j]
                              + e * self.loop_supply_temp_c[self.cdu_loop[j]]) / (self.secondary_j_k[j] + k)
            a[0] += k * self.slope[j]
            b[0] += k * self.offset[j]
            power += self.cdu_power_w[j]
        b[0] += h * power
        self.e_in += h * power

    cdef void _rack_lines(self, Py_ssize_t t, double h, double *u, double *w) noexcept nogil:
        """Each rack's new return as slope supply + offset; their sum into the return header."""
        cdef Py_ssize_t i
        cdef double k, heat, ratio, far
        for i in range(self.rack_first[t], self.rack_end[t]):
            k = h * self.cp[t] * self.rack_flow_kg_s[i]
            heat = self.rack_liquid_heat_w[i]
            if self.rack_stream[i] >= 0:
                heat = heat + self.stream_heat_w[self.rack_stream[i]]
            far = self.rack_return_j_k[i]
            ratio = k / ((far + k) * (self.rack_supply_j_k[i] + k))
            self.rack_slope[i] = ratio * k
            self.rack_offset[i] = ratio * self.rack_supply_j_k[i] * self.rack_supply_temp_c[i] + (
                far * self.rack_return_temp_c[i] + h * heat) / (far + k)
            u[0] += k * self.rack_slope[i]
            w[0] += k * self.rack_offset[i]
            self.e_in += h * heat

    cdef void _settle_racks(self, Py_ssize_t t, double h, double supply) noexcept nogil:
        """New temperatures of the racks, now that the supply header's is known."""
        cdef Py_ssize_t i
        cdef double k, near, new
        for i in range(self.rack_first[t], self.rack_end[t]):
            k = h * self.cp[t] * self.rack_flow_kg_s[i]
            near = self.rack_supply_j_k[i]
            new = (near * self.rack_supply_temp_c[i] + k * supply) / (near + k)
            self.e_stored += near * (new - self.rack_supply_temp_c[i])
            self.rack_supply_temp_c[i] = new
            new = self.rack_slope[i] * supply + self.rack_offset[i]
            self.e_stored += self.rack_return_j_k[i] * (new - self.rack_return_temp_c[i])
            self.rack_return_temp_c[i] = new

    cdef void _settle_cdus(self, Py_ssize_t t, double h, double share, double x) noexcept nogil:
        """New temperatures of both sides of the CDUs, and the heat that they give to the plant."""
        cdef Py_ssize_t j, loop
        cdef double k, old, new, tp_in
        for j in range(self.tcs_cdu_ptr[t], self.tcs_cdu_ptr[t + 1]):
            loop = self.cdu_loop[j]
            tp_in = self.loop_supply_temp_c[loop]
            new = self.slope[j] * x + self.offset[j]
            self.e_stored += self.secondary_j_k[j] * (new - self.cdu_supply_temp_c[j])
            self.cdu_supply_temp_c[j] = new
            self.cdu_return_temp_c[j] = x
            k = h * self.cdu_primary_flow_kg_s[j] * self.loop_cp[loop]
            old = self.cdu_primary_return_temp_c[j]
            new = (self.primary_j_k[j] * old + h * self.exchange[j] * (x - tp_in) + k * tp_in) / (
                self.primary_j_k[j] + k)
            self.e_stored += self.primary_j_k[j] * (new - old)
            self.cdu_primary_return_temp_c[j] = new
            self.e_out += k * (new - tp_in)
            self.cdu_heat_w[j] += share * (k * (new - tp_in) / h)

    cdef void _power(self, Py_ssize_t t) noexcept nogil:
        """Electrical power of the row's CDUs at their present speeds; metered in the next tick."""
        cdef Py_ssize_t j, p
        cdef double total, n, v, head
        for j in range(self.tcs_cdu_ptr[t], self.tcs_cdu_ptr[t + 1]):
            total = 0.0
            if self.cdu_energised[j] != 0 and self.cdu_fault[j] == 0:
                total = self.controls_w[j]
                for p in range(self.cdu_pump_ptr[j], self.cdu_pump_ptr[j + 1]):
                    n = self.pump_speed_frac[p]
                    v = self.pump_flow[p]
                    if self.pump_fault[p] == 0 and n > 0.0:
                        head = law_pump_head_pa(v, n, self.pump_h0[t], self.pump_b[t], self.pump_a[t])
                        total += law_pump_power_w(head, n, v, self.pump_best_flow[t], self.pump_efficiency[t])
                if self.power_fixed_w[j] >= 0.0:
                    total = self.power_fixed_w[j]
            self.cdu_power_w[j] = total

    cdef void _publish(self, double dt_s) noexcept nogil:
        cdef Py_ssize_t t, i
        cdef double warmest = -273.15
        for t in range(self.rows):
            self._power(t)
            for i in range(self.rack_first[t], self.rack_end[t]):
                warmest = self.rack_supply_temp_c[i] if self.rack_supply_temp_c[i] > warmest else warmest
        self.supply_temp_max_c[0] = warmest if self.rows > 0 else 0.0
        self.tick_in_j[0] = self.e_in
        self.tick_out_j[0] = self.e_out
        self.tick_stored_j[0] = self.e_stored
