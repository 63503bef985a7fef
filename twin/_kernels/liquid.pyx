"""Row coolant loops: pumps, racks in parallel, CDU exchangers, controls, what leaks. One ``run`` per tick.

A tick is cut into equal sub-steps of at most ``STEP_MAX_S``. In each, per row loop:

1. duty: the first healthy pumps from the lead on run, as many as the row needs; spares take over from those that fail;
2. speeds: command from the pressure set-point, or from the pressure that holds the return temperature; drive ramp,
   coast-down of what is not powered;
3. flow: the pressure at which pumps (with check valves) and racks agree, by a bracketed Newton iteration; what leaks;
4. valves (or the fans of liquid-to-air units): sampled PI on the secondary supply, stroke limit, anti-windup,
   dew-point guard;
5. temperatures: racks, headers and both sides of every exchanger advance together by one implicit Euler step.
   The loop is a ring; it is cut at the return header, carried round as a straight line a x + b, and closed;
6. inventory: expansion vessel, make-up, pressure trip.

Every matrix entry of step 5 has the sign that makes each new temperature a mean of old ones and sources, so
nothing overshoots at any step length. Energy is the sum of the very fluxes that were applied.
"""

import numpy as np

from twin._kernels.binding import need, within

from libc.math cimport ceil, fabs

from twin._kernels.laws cimport (
    law_branch_viscosity_ratio,
    law_coast_down,
    law_coolant_mu_pa_s,
    law_coolant_rho_kg_m3,
    law_eps_ntu_counterflow,
    law_eps_ntu_crossflow_unmixed,
    law_fan_power_w,
    law_ha_ratio,
    law_leak_kg_s,
    law_pow,
    law_pump_flow_m3_s,
    law_pump_head_pa,
    law_pump_power_w,
    law_pump_speed,
    law_series_ua_w_k,
    law_valve_share,
    law_vessel_pressure_pa,
)

#: longest sub-step, s
STEP_MAX_S = 5.0
cdef double _STEP_MAX = STEP_MAX_S
cdef double _STOPPED = 0.005       # below this speed a pump stands still
cdef double _AIR_FLOW_LOSS = 0.3   # share of a branch's flow that air in it takes away
cdef double _AIR_CP_J_KGK = 1006.0
cdef double _GRAVITY = 9.80665
cdef double _COASTING_PA = 1000.0  # pumps that raise less are looked at together with the racks' own buoyancy
cdef int _SOLVE_MAX = 40

include "liquid_buffers.pxi"
include "liquid_inventory.pxi"
include "liquid_heat.pxi"


cdef class LiquidKernel(LiquidHeat):
    """All row loops of a site, bound to their buffers.

    Args:
        racks, streams, tcs, cdus, pumps, loops, nodes: sizes of the axes.
        air_kg_m3: density of the air through liquid-to-air units, constant.
        **buffers: one array per attribute of ``LiquidBuffers``, by its name; those marked ``const`` are only read.

    Raises:
        ValueError: a buffer is missing, unknown, or of another length.
    """

    def __init__(self, *, Py_ssize_t racks, Py_ssize_t streams, Py_ssize_t tcs, Py_ssize_t cdus, Py_ssize_t pumps,
                 Py_ssize_t loops, Py_ssize_t halls, Py_ssize_t nodes, double air_kg_m3, **buffers):
        self.rows, self.air_kg_m3 = tcs, air_kg_m3
        self._bind_racks(buffers, racks, streams)
        self._bind_loops(buffers, tcs)
        self._bind_loop_state(buffers, tcs)
        self._bind_cdus(buffers, cdus, pumps)
        self.node_valve_frac = need(buffers, "node_valve_frac", nodes)
        self.rack_node_ptr = need(buffers, "rack_node_ptr", racks + 1)
        self.tcs_cdu_ptr = need(buffers, "tcs_cdu_ptr", tcs + 1)
        self.loop_supply_temp_c = need(buffers, "loop_supply_temp_c", loops)
        self.loop_flow_frac = need(buffers, "loop_flow_frac", loops)
        self.loop_cp = need(buffers, "loop_cp", loops)
        self.dew_point_temp_c = need(buffers, "dew_point_temp_c", halls)
        self.tcs_hall = need(buffers, "tcs_hall", tcs)
        self.supply_temp_max_c = need(buffers, "supply_temp_max_c", 1)
        self.tick_in_j = need(buffers, "tick_in_j", 1)
        self.tick_out_j = need(buffers, "tick_out_j", 1)
        self.tick_stored_j = need(buffers, "tick_stored_j", 1)
        within("rack_node_ptr", self.rack_node_ptr, 0, nodes + 1)
        within("tcs_hall", self.tcs_hall, 0, max(halls, 1))
        within("cdu_loop", self.cdu_loop, 0, max(loops, 1))
        within("cdu_air_rack", self.cdu_air_rack, -1, racks)
        within("rack_stream", self.rack_stream, -1, streams)
        if buffers:
            raise ValueError(f"unknown buffers: {', '.join(sorted(buffers))}")
        if loops == 0 and any(k < 0 for k in self.cdu_air_rack):
            raise ValueError("a CDU without a plant loop")
        self.exchange, self.slope, self.offset, self.primary_in_c, self.primary_w_k = (np.zeros(cdus) for _ in range(5))
        self.rack_slope, self.rack_offset, self.rack_open, self.rack_lost = (np.zeros(racks) for _ in range(4))
        self.rack_trays, self.rack_switch_share = np.ones(racks), np.array(self.rack_switch_flow_frac, dtype=np.float64)
        self.cdu_lost, self.pump_flow, self.row_conductance = np.zeros(cdus), np.zeros(pumps), np.zeros(tcs)

    def run(self, double dt_s):
        """Advance by ``dt_s`` seconds (10 ms to 60 s): temperatures, flows, controls; writes the energy of the tick."""
        cdef int steps = <int>ceil(dt_s / _STEP_MAX - 1e-9)
        cdef int k
        cdef Py_ssize_t t
        cdef double h
        steps = 1 if steps < 1 else steps
        h = dt_s / steps
        with nogil:
            self._clear()
            for t in range(self.rows):
                for k in range(steps):
                    self._open(t, h)
                    self._duty(t)
                    self._speeds(t, h)
                    self._flows(t, h)
                    self._valves(t, h)
                    self._temperatures(t, h, 1.0 / steps)
            self._publish(dt_s)

    def refresh(self):
        """Find what blocked trays leave of each rack's conductance; after loading a state, or a fault.

        Trays are parallel branches of one exponent, so their conductances add.
        """
        cdef Py_ssize_t i, k, first, end
        cdef double left, share
        for i in range(self.rack_trays.shape[0]):
            first, end, left = self.rack_node_ptr[i], self.rack_node_ptr[i + 1], 0.0
            for k in range(first, end):
                left += self.node_valve_frac[k]
            share = self.rack_switch_flow_frac[i]
            self.rack_trays[i] = 1.0 - (1.0 - share) * (1.0 - left / (end - first)) if end > first else 1.0
            self.rack_switch_share[i] = share / self.rack_trays[i] if self.rack_trays[i] > 0.0 else share

    def prime(self):
        """Bring pumps to the speed that their set-point asks for and set the flows; for a fresh state."""
        cdef Py_ssize_t t
        for t in range(self.rows):
            self.tcs_inventory_kg[t] = self.pipes_kg[t] + self._full_kg(t)
            self.tcs_pressure_pa[t] = self._gauge(t)
            self.tcs_dp_command_pa[t] = self.tcs_dp_setpoint_pa[t]
            self._open(t, 0.0)
            self._duty(t)
            self._speeds(t, 1e6)
            self._flows(t, 1.0)
            self._power(t)

    cdef void _clear(self) noexcept nogil:
        """Start the sums and means of a tick at zero."""
        cdef Py_ssize_t k
        self.e_in = self.e_out = self.e_stored = 0.0
        for k in range(self.cdu_heat_w.shape[0]):
            self.cdu_heat_w[k] = self.cdu_air_heat_w[k] = 0.0
        for k in range(self.rack_reject_heat_w.shape[0]):
            self.rack_reject_heat_w[k] = self.rack_reject_flow_m3_s[k] = 0.0
        for k in range(self.rows):
            self.tcs_leak_kg_s[k] = 0.0

    # ---- hydraulics ---------------------------------------------------------------------------------------

    cdef void _open(self, Py_ssize_t t, double h) noexcept nogil:
        """Conductance of every branch as faults and filters leave it, and of the row at its present viscosity.

        A branch is dp = K V^n with K the sum of its parts: couplings, filter, and the rest (manifold and cold plates).
        """
        cdef Py_ssize_t i
        cdef double k, total = 0.0, temp = 0.5 * (self.tcs_supply_temp_c[t] + self.tcs_return_temp_c[t])
        for i in range(self.rack_first[t], self.rack_end[t]):
            self.rack_open[i] = self.rack_conductance[i] * self.rack_valve_frac[i]
            if self.rack_filter_rate_ratio[i] > 0.0:
                self.rack_filter_factor[i] += self.rack_filter_rate_ratio[i] * h / 3600.0
            k = self.rack_valve_k_factor[i] * (
                1.0 + self.rack_coupling_dp_frac[i] * (self.rack_coupling_factor[i] - 1.0)
                + self.rack_filter_dp_frac[i] * (self.rack_filter_factor[i] - 1.0))
            if k != 1.0:
                self.rack_open[i] *= law_pow(k, -1.0 / self.branch_n[t])
            self.rack_open[i] *= self.rack_trays[i]
            if self.rack_air_frac[i] > 0.0:
                self.rack_open[i] *= 1.0 - _AIR_FLOW_LOSS * self.rack_air_frac[i]
            total += self.rack_open[i]
        temp = self.coolant_c_min[t] if temp < self.coolant_c_min[t] else temp
        temp = self.coolant_c_max[t] if temp > self.coolant_c_max[t] else temp
        self.row_conductance[t] = total * law_pow(law_branch_viscosity_ratio(
            law_coolant_mu_pa_s(temp, self.mu_ln_0[t], self.mu_ln_1[t], self.mu_ln_2[t], self.mu_ln_3[t],
                                self.mu_ln_4[t]) / self.mu_rating[t],
            law_coolant_rho_kg_m3(temp, self.rho_0[t], self.rho_1[t], self.rho_2[t]) / self.rho_rating[t],
            self.branch_n[t]), -1.0 / self.branch_n[t])

    cdef inline bint _able(self, Py_ssize_t t, Py_ssize_t j, Py_ssize_t p) noexcept nogil:
        """Whether a pump could run: it, its CDU and the row are well and have power."""
        return (self.cdu_energised[j] != 0 and self.cdu_fault[j] == 0 and self.pump_fault[p] == 0
                and self.tcs_tripped[t] == 0)

    cdef void _duty(self, Py_ssize_t t) noexcept nogil:
        """Let healthy pumps run, as many as the row needs, from the lead pump on and round again."""
        cdef Py_ssize_t j, p, k, first = self.cdu_pump_ptr[self.tcs_cdu_ptr[t]]
        cdef Py_ssize_t count = self.cdu_pump_ptr[self.tcs_cdu_ptr[t + 1]] - first
        cdef double wanted = self.pumps_on_duty[t]
        for k in range(count):
            p = first + (<Py_ssize_t>self.tcs_lead_pump[t] + k) % count
            j = self.tcs_cdu_ptr[t]
            while self.cdu_pump_ptr[j + 1] <= p:
                j += 1
            if wanted > 0.5 and self._able(t, j, p):
                self.pump_running[p] = 1
                wanted -= 1.0
            else:
                self.pump_running[p] = 0

    cdef double _wanted_dp(self, Py_ssize_t t, double h) noexcept nogil:
        """Pressure across the racks that the row asks for, Pa: its set-point, or what holds the return temperature.

        Flow goes with dp^(1/n) and the rise with 1/flow, so the pressure that would bring the return to its limit is
        dp ((return - supply)/(limit - supply))^n; the command follows it with a time constant, sampled.
        """
        cdef double room, ratio, elapsed, command = self.tcs_dp_command_pa[t]
        cdef double top = self.pump_h0[t]
        self.tcs_sample_s[t] += h
        if self.tcs_hold_return[t] < 0.5:
            command = self.tcs_dp_setpoint_pa[t]
        elif self.tcs_sample_s[t] >= self.control_sample_s[t] - 1e-9:
            elapsed = self.tcs_sample_s[t]
            self.tcs_sample_s[t] = 0.0
            room = self.tcs_return_limit_c[t] - self.tcs_supply_temp_c[t]
            ratio = (self.tcs_return_temp_c[t] - self.tcs_supply_temp_c[t]) / room if room > 0.5 else 2.0
            ratio = 0.5 if ratio < 0.5 else (2.0 if ratio > 2.0 else ratio)
            command += command * (law_pow(ratio, self.branch_n[t]) - 1.0) * elapsed / (self.return_tau_s[t] + elapsed)
            # held within what the pumps can do: no winding up behind their limits
            command = self.dp_floor_pa[t] if command < self.dp_floor_pa[t] else (top if command > top else command)
        self.tcs_dp_command_pa[t] = command
        return command

    cdef void _speeds(self, Py_ssize_t t, double h) noexcept nogil:
        """Command the speed that holds the pressure asked for; drives ramp, unpowered pumps coast down."""
        cdef Py_ssize_t j, p
        cdef double running = 0.0, command = 0.0, n, step = self.pump_ramp[t] * h, dp = self._wanted_dp(t, h)
        for p in range(self.cdu_pump_ptr[self.tcs_cdu_ptr[t]], self.cdu_pump_ptr[self.tcs_cdu_ptr[t + 1]]):
            running += self.pump_running[p]
        if running > 0.0:
            command = law_pump_speed(self.row_conductance[t] * law_pow(dp, 1.0 / self.branch_n[t]) / running, dp,
                                     self.pump_h0[t], self.pump_b[t], self.pump_a[t])
            command = self.speed_min[t] if command < self.speed_min[t] else (1.0 if command > 1.0 else command)
        for j in range(self.tcs_cdu_ptr[t], self.tcs_cdu_ptr[t + 1]):
            for p in range(self.cdu_pump_ptr[j], self.cdu_pump_ptr[j + 1]):
                n = self.pump_speed_frac[p]
                self.pump_command_frac[p] = command if self.pump_running[p] != 0 else 0.0
                if not self._able(t, j, p):
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

    cdef double _pressure(self, Py_ssize_t t) noexcept nogil:
        """Pressure at which the row's pumps and racks agree, Pa: Newton within a shrinking bracket."""
        cdef Py_ssize_t p
        cdef double low = 0.0, high = 0.0, peak, dp, f, slope, through, inverse = 1.0 / self.branch_n[t]
        cdef double conductance = self.row_conductance[t]
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

    cdef double _buoyancy(self, Py_ssize_t t) noexcept nogil:
        """Pressure that warm racks raise by themselves when the pumps stand, Pa: g H (rho cold - rho warm)."""
        cdef Py_ssize_t i
        cdef double warm = 0.0, count = self.rack_end[t] - self.rack_first[t], lift
        for i in range(self.rack_first[t], self.rack_end[t]):
            warm += self.rack_return_temp_c[i]
        lift = law_coolant_rho_kg_m3(self.tcs_supply_temp_c[t], self.rho_0[t], self.rho_1[t], self.rho_2[t])
        lift -= law_coolant_rho_kg_m3(warm / count, self.rho_0[t], self.rho_1[t], self.rho_2[t])
        return _GRAVITY * self.natural_head_m[t] * lift if lift > 0.0 else 0.0

    cdef void _flows(self, Py_ssize_t t, double h) noexcept nogil:
        """Flow of every rack and CDU of the row; at the jump of a check valve the racks' side decides.

        With the pumps at rest the racks' own buoyancy moves what it can. Leaks come on top of a CDU's flow.
        """
        cdef Py_ssize_t i, j, p, units = self.tcs_cdu_ptr[t + 1] - self.tcs_cdu_ptr[t]
        cdef double dp = self._pressure(t)
        cdef double slope, pumped, lift, flow, per_open, mass, open_total = 0.0, total = 0.0
        pumped = self._pumped(t, dp, &slope) if dp > 0.0 else 0.0
        if pumped <= 0.0 or dp < _COASTING_PA:
            lift = self._buoyancy(t)
            if pumped <= 0.0 or lift > dp:
                dp, pumped = lift, 0.0
        flow = self.row_conductance[t] * law_pow(dp, 1.0 / self.branch_n[t]) if dp > 0.0 else 0.0
        for i in range(self.rack_first[t], self.rack_end[t]):
            open_total += self.rack_open[i]
        per_open = self.rho[t] * flow / open_total if open_total > 0.0 else 0.0
        for i in range(self.rack_first[t], self.rack_end[t]):
            self.rack_flow_kg_s[i] = per_open * self.rack_open[i]
            total += self.rack_flow_kg_s[i]
        self.tcs_flow_kg_s[t] = total
        self.tcs_dp_pa[t] = dp if flow > 0.0 else 0.0
        self.tcs_flow_frac[t] = flow / self.design_flow[t]
        self._leaks(t, h)
        for i in range(self.rack_first[t], self.rack_end[t]):
            total += self.rack_lost[i]
        for j in range(self.tcs_cdu_ptr[t], self.tcs_cdu_ptr[t + 1]):
            mass = 0.0
            for p in range(self.cdu_pump_ptr[j], self.cdu_pump_ptr[j + 1]):
                self.pump_flow[p] = self.pump_flow[p] * flow / pumped if pumped > 0.0 else 0.0
                mass += self.pump_flow[p]
            mass = mass / flow if pumped > 0.0 else 1.0 / units
            self.cdu_flow_kg_s[j] = total * mass + self.cdu_lost[j]

    cdef void _valves(self, Py_ssize_t t, double h) noexcept nogil:
        """Sampled PI of every primary valve on its secondary supply; a spare's waits shut, ready for the row's mean."""
        cdef Py_ssize_t j
        cdef double mean = 0.0, active = 0.0, dew, target, error, out, gain, elapsed, reach, valve
        for j in range(self.tcs_cdu_ptr[t], self.tcs_cdu_ptr[t + 1]):
            if self.cdu_flow_kg_s[j] > 0.0:
                mean += self.cdu_valve_frac[j]
                active += 1.0
        dew = self.dew_point_temp_c[self.tcs_hall[t]]
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

    cdef void _power(self, Py_ssize_t t) noexcept nogil:
        """Electrical power of the row's CDUs at their present speeds; metered in the next tick."""
        cdef Py_ssize_t j, p
        cdef double total, fans, n, v, head
        for j in range(self.tcs_cdu_ptr[t], self.tcs_cdu_ptr[t + 1]):
            total = fans = 0.0
            if self.cdu_energised[j] != 0 and self.cdu_fault[j] == 0:
                total = self.controls_w[j]
                for p in range(self.cdu_pump_ptr[j], self.cdu_pump_ptr[j + 1]):
                    n = self.pump_speed_frac[p]
                    v = self.pump_flow[p]
                    if self._able(t, j, p) and n > 0.0:
                        head = law_pump_head_pa(v, n, self.pump_h0[t], self.pump_b[t], self.pump_a[t])
                        total += law_pump_power_w(head, n, v, self.pump_best_flow[t], self.pump_efficiency[t])
                if self.power_fixed_w[j] >= 0.0:
                    total = self.power_fixed_w[j]
                if self.cdu_air_rack[j] >= 0:
                    fans = law_fan_power_w(self.cdu_valve_frac[j], self.fan_design_w[j])
            self.cdu_power_w[j] = total + fans
            self.cdu_fan_power_w[j] = fans

    cdef void _publish(self, double dt_s) noexcept nogil:
        """Powers for the next tick, protection of the racks, totals."""
        cdef Py_ssize_t t, i
        cdef double warmest = -273.15
        for t in range(self.rows):
            self._power(t)
            for i in range(self.rack_first[t], self.rack_end[t]):
                warmest = self.rack_supply_temp_c[i] if self.rack_supply_temp_c[i] > warmest else warmest
        for i in range(self.rack_protected.shape[0]):
            if self.rack_trip_delay_s[i] > 0.0:  # not those in tanks, which have a protection of their own
                self._protect(i, dt_s)
        self.supply_temp_max_c[0] = warmest if self.rows > 0 else 0.0
        self.tick_in_j[0] = self.e_in
        self.tick_out_j[0] = self.e_out
        self.tick_stored_j[0] = self.e_stored
