"""The plant: water loops, distribution pumps, dry coolers, towers, chillers. One ``run`` per tick.

A loop is a return node and a supply node, each with half of its water. The return water passes the groups of
coolers one after the other, then the chillers, and enters the supply node:

    C dTr/dt = m cp (Ts - Tr) + heat of the halls and of other loops' chillers
    C dTs/dt = m cp (Tout - Ts) + pump power
    Tout     = Tr after each group's T -> T - g (T - T_air), less the chillers' heat / (m cp)

with g the share of the possible heat that a group takes (its effectiveness on the loop's flow): fixed within a
sub-step, so the two nodes advance by one implicit step, solved by hand. Chillers hold the leaving temperature
between nothing and what they can; the three cases are tried in turn, so no step length makes them hunt. Sub-steps
are at most ``STEP_MAX_S`` long. Loops whose chillers reject into another loop come before that loop.
"""

import numpy as np

from twin._kernels.binding import need, within

from libc.math cimport ceil, sqrt

from twin._kernels.laws cimport (
    law_carnot_cop,
    law_coast_down,
    law_dry_cooler_ua_ratio,
    law_eps_ntu_crossflow_unmixed,
    law_part_load_ratio,
    law_pump_power_w,
    law_saturation_humidity_ratio,
    law_tower_heat_w,
    law_tower_ua_ratio,
    law_valve_share,
)

#: longest sub-step, s
STEP_MAX_S = 5.0
cdef double _STEP_MAX = STEP_MAX_S
cdef double _STOPPED = 0.005    # below this speed pumps and fans stand still
cdef double _USEFUL_K = 1.0     # a group is by-passed unless the water is this much warmer than its air
cdef double _TRIM_K = 0.5       # each further group holds a set-point this much higher, so it comes in after
cdef double _FANLESS = 0.3      # share of a group's control range that moves its by-pass with the fans off
cdef double _GAIN_REF_K = 15.0  # controllers act less the colder the air: full gain up to this difference
cdef double _AIR_CP = 1006.0    # dry air, J/kgK


cdef class PlantKernel:
    """All loops of the plant, bound to their buffers.

    Args:
        loops, rejectors, chillers, cdus, crahs: sizes of the axes.
        **buffers: one array per attribute below, by its name; those marked ``const`` are only read.

    Raises:
        ValueError: a buffer is missing, unknown, or of another length.
    """

    # structure and faults
    cdef const int[::1] loop_rejector_ptr, loop_order, loop_pump_fault, is_tower, rejector_fault, chiller_loop
    cdef const int[::1] condenser_loop, chiller_fault, cdu_loop, crah_loop, plant_energised
    # loops
    cdef const double[::1] half_capacity_j_k, design_flow, pumps, pump_spares, cp, rho, head_design_pa
    cdef const double[::1] shutoff_ratio, control_head_frac, pump_efficiency, pump_speed_min, pump_ramp
    cdef const double[::1] pump_coast_tau, minimum_flow_frac, loop_setpoint_c
    cdef double[::1] loop_supply_temp_c, loop_return_temp_c, loop_flow_kg_s, loop_flow_frac, loop_pump_power_w
    cdef double[::1] loop_pump_speed_frac, loop_demand_kg_s, loop_leaving_temp_c, loop_supply_error_k, loop_sample_s
    # groups of coolers
    cdef const double[::1] units, spares, ua_design, air_flow_design, water_flow_design, air_film_share
    cdef const double[::1] wet_bulb_design_c, free_convection, fan_design_w, fan_ramp, gain, reset_s
    cdef const double[::1] rejector_sample_s, drift_frac, cycles_ratio
    cdef double[::1] rejector_speed_frac, rejector_share_frac, rejector_outlet_temp_c, rejector_heat_w
    cdef double[::1] rejector_power_w, rejector_integral
    # groups of chillers
    cdef const double[::1] chiller_units, chiller_spares, chiller_capacity_w, carnot_efficiency, part_load_0
    cdef const double[::1] part_load_1, part_load_2, evaporator_approach_k, condenser_approach_k
    cdef const double[::1] air_condenser_approach_k, condenser_range_k, lift_min_k, cop_max, restart_s, load_ramp
    cdef double[::1] chiller_load_frac, chiller_heat_w, chiller_power_w, chiller_cop, chiller_timer_s
    # what the halls give, the weather, totals
    cdef const double[::1] cdu_heat_w, cdu_primary_flow_kg_s, crah_heat_w, crah_water_flow_kg_s, outdoor_temp_c
    cdef const double[::1] wet_bulb_temp_c, humidity_ratio_kg_kg, pressure_pa
    cdef double[::1] evaporation_kg_s, makeup_kg_s, power_w, rejected_heat_w, tick_in_j, tick_out_j, tick_stored_j
    # scratch, rewritten every tick
    cdef double[::1] heat_in, extra_heat, extra_flow, grasp, air_c, rejected, wet_out_c
    cdef double e_in, e_out, e_stored, evaporated, drawn

    def __init__(self, *, Py_ssize_t loops, Py_ssize_t rejectors, Py_ssize_t chillers, Py_ssize_t cdus,
                 Py_ssize_t crahs, **buffers):
        self._bind_loops(buffers, loops)
        self._bind_rejectors(buffers, rejectors)
        self._bind_chillers(buffers, chillers)
        self._bind_rest(buffers, cdus, crahs)
        within("cdu_loop", self.cdu_loop, 0, loops)
        within("crah_loop", self.crah_loop, 0, loops)
        within("chiller_loop", self.chiller_loop, 0, loops)
        within("condenser_loop", self.condenser_loop, -1, loops)
        within("loop_order", self.loop_order, 0, loops)
        if buffers:
            raise ValueError(f"unknown buffers: {', '.join(sorted(buffers))}")
        self.heat_in, self.extra_heat, self.extra_flow = np.zeros(loops), np.zeros(loops), np.zeros(loops)
        self.grasp, self.air_c = np.zeros(rejectors), np.zeros(rejectors)
        self.rejected, self.wet_out_c = np.zeros(rejectors), np.zeros(rejectors)

    cdef _bind_loops(self, buffers, Py_ssize_t loops):
        self.loop_rejector_ptr = need(buffers, "loop_rejector_ptr", loops + 1)
        self.loop_order = need(buffers, "loop_order", loops)
        self.loop_pump_fault = need(buffers, "loop_pump_fault", loops)
        self.half_capacity_j_k = need(buffers, "half_capacity_j_k", loops)
        self.design_flow = need(buffers, "design_flow", loops)
        self.pumps = need(buffers, "pumps", loops)
        self.pump_spares = need(buffers, "pump_spares", loops)
        self.cp = need(buffers, "cp", loops)
        self.rho = need(buffers, "rho", loops)
        self.head_design_pa = need(buffers, "head_design_pa", loops)
        self.shutoff_ratio = need(buffers, "shutoff_ratio", loops)
        self.control_head_frac = need(buffers, "control_head_frac", loops)
        self.pump_efficiency = need(buffers, "pump_efficiency", loops)
        self.pump_speed_min = need(buffers, "pump_speed_min", loops)
        self.pump_ramp = need(buffers, "pump_ramp", loops)
        self.pump_coast_tau = need(buffers, "pump_coast_tau", loops)
        self.minimum_flow_frac = need(buffers, "minimum_flow_frac", loops)
        self.loop_setpoint_c = need(buffers, "loop_setpoint_c", loops)
        self.loop_supply_temp_c = need(buffers, "loop_supply_temp_c", loops)
        self.loop_return_temp_c = need(buffers, "loop_return_temp_c", loops)
        self.loop_flow_kg_s = need(buffers, "loop_flow_kg_s", loops)
        self.loop_flow_frac = need(buffers, "loop_flow_frac", loops)
        self.loop_pump_power_w = need(buffers, "loop_pump_power_w", loops)
        self.loop_pump_speed_frac = need(buffers, "loop_pump_speed_frac", loops)
        self.loop_demand_kg_s = need(buffers, "loop_demand_kg_s", loops)
        self.loop_leaving_temp_c = need(buffers, "loop_leaving_temp_c", loops)
        self.loop_supply_error_k = need(buffers, "loop_supply_error_k", loops)
        self.loop_sample_s = need(buffers, "loop_sample_s", loops)

    cdef _bind_rejectors(self, buffers, Py_ssize_t rejectors):
        self.is_tower = need(buffers, "is_tower", rejectors)
        self.rejector_fault = need(buffers, "rejector_fault", rejectors)
        self.units = need(buffers, "units", rejectors)
        self.spares = need(buffers, "spares", rejectors)
        self.ua_design = need(buffers, "ua_design", rejectors)
        self.air_flow_design = need(buffers, "air_flow_design", rejectors)
        self.water_flow_design = need(buffers, "water_flow_design", rejectors)
        self.air_film_share = need(buffers, "air_film_share", rejectors)
        self.wet_bulb_design_c = need(buffers, "wet_bulb_design_c", rejectors)
        self.free_convection = need(buffers, "free_convection", rejectors)
        self.fan_design_w = need(buffers, "fan_design_w", rejectors)
        self.fan_ramp = need(buffers, "fan_ramp", rejectors)
        self.gain = need(buffers, "gain", rejectors)
        self.reset_s = need(buffers, "reset_s", rejectors)
        self.rejector_sample_s = need(buffers, "rejector_sample_s", rejectors)
        self.drift_frac = need(buffers, "drift_frac", rejectors)
        self.cycles_ratio = need(buffers, "cycles_ratio", rejectors)
        self.rejector_speed_frac = need(buffers, "rejector_speed_frac", rejectors)
        self.rejector_share_frac = need(buffers, "rejector_share_frac", rejectors)
        self.rejector_outlet_temp_c = need(buffers, "rejector_outlet_temp_c", rejectors)
        self.rejector_heat_w = need(buffers, "rejector_heat_w", rejectors)
        self.rejector_power_w = need(buffers, "rejector_power_w", rejectors)
        self.rejector_integral = need(buffers, "rejector_integral", rejectors)

    cdef _bind_chillers(self, buffers, Py_ssize_t chillers):
        self.chiller_loop = need(buffers, "chiller_loop", chillers)
        self.condenser_loop = need(buffers, "condenser_loop", chillers)
        self.chiller_fault = need(buffers, "chiller_fault", chillers)
        self.chiller_units = need(buffers, "chiller_units", chillers)
        self.chiller_spares = need(buffers, "chiller_spares", chillers)
        self.chiller_capacity_w = need(buffers, "chiller_capacity_w", chillers)
        self.carnot_efficiency = need(buffers, "carnot_efficiency", chillers)
        self.part_load_0 = need(buffers, "part_load_0", chillers)
        self.part_load_1 = need(buffers, "part_load_1", chillers)
        self.part_load_2 = need(buffers, "part_load_2", chillers)
        self.evaporator_approach_k = need(buffers, "evaporator_approach_k", chillers)
        self.condenser_approach_k = need(buffers, "condenser_approach_k", chillers)
        self.air_condenser_approach_k = need(buffers, "air_condenser_approach_k", chillers)
        self.condenser_range_k = need(buffers, "condenser_range_k", chillers)
        self.lift_min_k = need(buffers, "lift_min_k", chillers)
        self.cop_max = need(buffers, "cop_max", chillers)
        self.restart_s = need(buffers, "restart_s", chillers)
        self.load_ramp = need(buffers, "load_ramp", chillers)
        self.chiller_load_frac = need(buffers, "chiller_load_frac", chillers)
        self.chiller_heat_w = need(buffers, "chiller_heat_w", chillers)
        self.chiller_power_w = need(buffers, "chiller_power_w", chillers)
        self.chiller_cop = need(buffers, "chiller_cop", chillers)
        self.chiller_timer_s = need(buffers, "chiller_timer_s", chillers)

    cdef _bind_rest(self, buffers, Py_ssize_t cdus, Py_ssize_t crahs):
        self.cdu_loop = need(buffers, "cdu_loop", cdus)
        self.cdu_heat_w = need(buffers, "cdu_heat_w", cdus)
        self.cdu_primary_flow_kg_s = need(buffers, "cdu_primary_flow_kg_s", cdus)
        self.crah_loop = need(buffers, "crah_loop", crahs)
        self.crah_heat_w = need(buffers, "crah_heat_w", crahs)
        self.crah_water_flow_kg_s = need(buffers, "crah_water_flow_kg_s", crahs)
        self.plant_energised = need(buffers, "plant_energised", 1)
        self.outdoor_temp_c = need(buffers, "outdoor_temp_c", 1)
        self.wet_bulb_temp_c = need(buffers, "wet_bulb_temp_c", 1)
        self.humidity_ratio_kg_kg = need(buffers, "humidity_ratio_kg_kg", 1)
        self.pressure_pa = need(buffers, "pressure_pa", 1)
        self.evaporation_kg_s = need(buffers, "evaporation_kg_s", 1)
        self.makeup_kg_s = need(buffers, "makeup_kg_s", 1)
        self.power_w = need(buffers, "power_w", 1)
        self.rejected_heat_w = need(buffers, "rejected_heat_w", 1)
        self.tick_in_j = need(buffers, "tick_in_j", 1)
        self.tick_out_j = need(buffers, "tick_out_j", 1)
        self.tick_stored_j = need(buffers, "tick_stored_j", 1)

    def run(self, double dt_s):
        """Advance by ``dt_s`` seconds (10 ms to 60 s): temperatures, controls; writes the energy of the tick."""
        cdef int steps = <int>ceil(dt_s / _STEP_MAX - 1e-9)
        cdef int s
        cdef Py_ssize_t k, i
        cdef double h
        steps = 1 if steps < 1 else steps
        h = dt_s / steps
        with nogil:
            self._begin()
            for s in range(steps):
                for k in range(self.loop_order.shape[0]):
                    self.extra_heat[k] = 0.0
                    self.extra_flow[k] = 0.0
                for k in range(self.loop_order.shape[0]):
                    i = self.loop_order[k]
                    self._pumps(i, h)
                    self._coolers(i, h)
                    self._loop(i, h, dt_s)
            self._finish(dt_s)

    cdef void _begin(self) noexcept nogil:
        """Sum what the halls give to each loop and ask of it; clear the tick's sums."""
        cdef Py_ssize_t i, k
        self.e_in = self.e_out = self.e_stored = self.evaporated = self.drawn = 0.0
        for i in range(self.loop_order.shape[0]):
            self.heat_in[i] = 0.0
            self.loop_flow_kg_s[i] = 0.0
        for k in range(self.cdu_loop.shape[0]):
            self.heat_in[self.cdu_loop[k]] += self.cdu_heat_w[k]
            self.loop_flow_kg_s[self.cdu_loop[k]] += self.cdu_primary_flow_kg_s[k]
        for k in range(self.crah_loop.shape[0]):
            self.heat_in[self.crah_loop[k]] += self.crah_heat_w[k]
            self.loop_flow_kg_s[self.crah_loop[k]] += self.crah_water_flow_kg_s[k]
        for i in range(self.loop_order.shape[0]):
            # consumers took their demand times the share that they read; without flow the last demand stands
            if self.loop_flow_frac[i] > 1e-3:
                self.loop_demand_kg_s[i] = self.loop_flow_kg_s[i] / self.loop_flow_frac[i]
        for k in range(self.rejected.shape[0]):
            self.rejected[k] = 0.0
        for k in range(self.chiller_heat_w.shape[0]):
            self.chiller_heat_w[k] = 0.0

    cdef void _pumps(self, Py_ssize_t i, double h) noexcept nogil:
        """Speed of the loop's pumps, the share of the demand that they deliver, their power."""
        cdef double live = self.pumps[i] - self.loop_pump_fault[i]
        cdef double duty = self.pumps[i] - self.pump_spares[i]
        cdef double design = self.design_flow[i], demand = self.loop_demand_kg_s[i] + self.extra_flow[i]
        cdef double each, head, h0, a, wanted, n = self.loop_pump_speed_frac[i], x
        live = duty if live > duty else live
        demand = demand if demand > self.minimum_flow_frac[i] * design else self.minimum_flow_frac[i] * design
        x = demand / design
        # system: a head held across the consumers plus friction; pump: H0 (1 - ...) parabola through its design point
        head = self.head_design_pa[i] * (self.control_head_frac[i] + (1.0 - self.control_head_frac[i]) * x * x)
        h0 = self.shutoff_ratio[i] * self.head_design_pa[i]
        if live < 0.5 or self.plant_energised[0] == 0:
            n = law_coast_down(n, h, self.pump_coast_tau[i])
            live = duty
            each = demand / duty
            a = (self.head_design_pa[i] - h0) / ((design / duty) * (design / duty))
            wanted = sqrt((head - a * each * each) / h0)
            self.loop_flow_frac[i] = n / wanted if n < wanted else 1.0
            self.loop_pump_speed_frac[i] = n if n > _STOPPED else 0.0
            self.loop_flow_frac[i] = self.loop_flow_frac[i] if n > _STOPPED else 0.0
            return
        each = demand / live
        a = (self.head_design_pa[i] - h0) / ((design / duty) * (design / duty))
        wanted = sqrt((head - a * each * each) / h0)
        x = self.pump_speed_min[i] if wanted < self.pump_speed_min[i] else (1.0 if wanted > 1.0 else wanted)
        n = (n + self.pump_ramp[i] * h if n + self.pump_ramp[i] * h < x else x) if x > n else (
            n - self.pump_ramp[i] * h if n - self.pump_ramp[i] * h > x else x)
        self.loop_pump_speed_frac[i] = n
        # with the consumers' valves where they are, flow goes with speed (affinity)
        self.loop_flow_frac[i] = n / wanted if n < wanted else 1.0

    cdef void _pump_power(self, Py_ssize_t i) noexcept nogil:
        """Power of the loop's pumps at their present speed and flow; metered in the next tick."""
        cdef double live = self.pumps[i] - self.loop_pump_fault[i]
        cdef double duty = self.pumps[i] - self.pump_spares[i]
        cdef double design = self.design_flow[i], n = self.loop_pump_speed_frac[i], each, h0, a, head
        live = duty if live > duty else live
        if live < 0.5 or self.plant_energised[0] == 0:
            self.loop_pump_power_w[i] = 0.0
            return
        h0 = self.shutoff_ratio[i] * self.head_design_pa[i]
        a = (self.head_design_pa[i] - h0) / ((design / duty) * (design / duty))
        each = self.loop_flow_kg_s[i] / live
        head = n * n * h0 + a * each * each
        head = head if head > 0.0 else 0.0
        self.loop_pump_power_w[i] = live * law_pump_power_w(
            head, n, each / self.rho[i], design / duty / self.rho[i], self.pump_efficiency[i])

    cdef void _coolers(self, Py_ssize_t i, double h) noexcept nogil:
        """Sampled control of the loop's groups, then each group's grasp g at the present flow and air."""
        cdef Py_ssize_t r, first = self.loop_rejector_ptr[i], end = self.loop_rejector_ptr[i + 1]
        cdef double flow = self._through(i), temp = self.loop_return_temp_c[i], elapsed = 0.0, heat
        self.loop_sample_s[i] += h
        if first < end and self.loop_sample_s[i] >= self.rejector_sample_s[first] - 1e-9:
            elapsed = self.loop_sample_s[i]
            self.loop_sample_s[i] = 0.0
        for r in range(first, end):
            self.air_c[r] = self.wet_bulb_temp_c[0] if self.is_tower[r] != 0 else self.outdoor_temp_c[0]
            self._fan(i, r, r - first, temp, elapsed, h)
            self.grasp[r] = self._grasp(i, r, flow, temp)
            temp = temp - self.grasp[r] * (temp - self.air_c[r])

    cdef double _through(self, Py_ssize_t i) noexcept nogil:
        """Water through the loop's machines, kg/s: what the halls take, at least the by-pass flow."""
        cdef double low = self.minimum_flow_frac[i] * self.design_flow[i] * self.loop_pump_speed_frac[i]
        cdef double flow = self.loop_flow_kg_s[i] + self.extra_flow[i] * self.loop_flow_frac[i]
        return flow if flow > low else low

    cdef void _fan(self, Py_ssize_t i, Py_ssize_t r, Py_ssize_t rank, double water_c, double elapsed,
                   double h) noexcept nogil:
        """PI on the water behind the coolers: first the by-pass closes, then the fans speed up."""
        cdef double error, out, speed = self.rejector_speed_frac[r], target, step = self.fan_ramp[r] * h
        cdef Py_ssize_t last = self.loop_rejector_ptr[i + 1] - 1
        cdef bint useful = water_c > self.air_c[r] + _USEFUL_K
        cdef double gain = self.gain[r]
        if water_c - self.air_c[r] > _GAIN_REF_K:
            gain = gain * _GAIN_REF_K / (water_c - self.air_c[r])
        if elapsed > 0.0:
            error = self.rejector_outlet_temp_c[last] - self.loop_setpoint_c[i] - _TRIM_K * rank
            self.rejector_integral[r] += gain / self.reset_s[r] * elapsed * error
            out = gain * error + self.rejector_integral[r]
            if out > 1.0:
                self.rejector_integral[r] -= out - 1.0
                out = 1.0
            elif out < 0.0:
                self.rejector_integral[r] -= out
                out = 0.0
            if not useful:
                out = 0.0
            self.rejector_share_frac[r] = law_valve_share(out / _FANLESS) if out < _FANLESS else 1.0
        # the fans follow the control output beyond the by-pass range
        error = self.rejector_outlet_temp_c[last] - self.loop_setpoint_c[i] - _TRIM_K * rank
        out = gain * error + self.rejector_integral[r]
        target = (out - _FANLESS) / (1.0 - _FANLESS)
        target = 0.0 if target < 0.0 or not useful or self.plant_energised[0] == 0 else (1.0 if target > 1.0 else target)
        speed = (speed + step if speed + step < target else target) if target > speed else (
            speed - step if speed - step > target else target)
        self.rejector_speed_frac[r] = speed

    cdef double _grasp(self, Py_ssize_t i, Py_ssize_t r, double flow, double water_c) noexcept nogil:
        """Heat that the group takes per heat that it could take if all water left at air temperature, 0..1."""
        cdef double live = self.units[r] - self.rejector_fault[r]
        cdef double duty = self.units[r] - self.spares[r]
        cdef double y = self.rejector_speed_frac[r], water, water_w_k, air_w_k, c_min, c_max, ua, heat, each
        live = duty if live > duty else live
        water = flow * self.rejector_share_frac[r]
        if live < 0.5 or water <= 0.0 or water_c <= self.air_c[r] + 1e-3:
            return 0.0
        each = water / live
        y = y if y > self.free_convection[r] else self.free_convection[r]
        water_w_k = each * self.cp[i]
        if self.is_tower[r] != 0:
            ua = self.ua_design[r] * law_tower_ua_ratio(
                y, each / self.water_flow_design[r], self.wet_bulb_design_c[r] - self.air_c[r])
            heat = law_tower_heat_w(
                ua, y * self.air_flow_design[r], water_w_k, _AIR_CP + 1860.0 * self.humidity_ratio_kg_kg[0], water_c,
                self.air_c[r], self.pressure_pa[0], &self.wet_out_c[r])
        else:
            ua = self.ua_design[r] * law_dry_cooler_ua_ratio(each / self.water_flow_design[r], y, self.air_film_share[r])
            air_w_k = y * self.air_flow_design[r] * _AIR_CP
            c_min = air_w_k if air_w_k < water_w_k else water_w_k
            c_max = water_w_k if air_w_k < water_w_k else air_w_k
            heat = law_eps_ntu_crossflow_unmixed(ua / c_min, c_min / c_max) * c_min * (water_c - self.air_c[r])
        return live * heat / (flow * self.cp[i] * (water_c - self.air_c[r]))

    cdef void _loop(self, Py_ssize_t i, double h, double dt_s) noexcept nogil:
        """One implicit step of the loop's two nodes; books every flux that was applied."""
        cdef Py_ssize_t r, c = -1, k, first = self.loop_rejector_ptr[i], end = self.loop_rejector_ptr[i + 1]
        cdef double cap = self.half_capacity_j_k[i], mc = self._through(i) * self.cp[i]
        cdef double source = h * (self.heat_in[i] + self.extra_heat[i]), pump = h * self.loop_pump_power_w[i]
        cdef double a = 1.0, b = 0.0, f = h * mc, supply, back, cold = 0.0, most = 0.0, temp, heat
        for k in range(self.chiller_loop.shape[0]):
            if self.chiller_loop[k] == i:
                c = k
        for r in range(first, end):
            a = a * (1.0 - self.grasp[r])
            b = b * (1.0 - self.grasp[r]) + self.grasp[r] * self.air_c[r]
        # without the chillers: (cap + f) Ts = cap Ts + pump + f (a Tr + b); (cap + f) Tr = cap Tr + source + f Ts
        supply = self._supply(i, cap, f, a, b, source, pump, 0.0)
        back = (cap * self.loop_return_temp_c[i] + source + f * supply) / (cap + f)
        if c >= 0:
            most = h * self._chiller_most(c, h)
            if f > 0.0 and most > 0.0 and a * back + b > self.loop_setpoint_c[i]:
                # they hold the leaving temperature: Ts follows from the set-point alone
                supply = (cap * self.loop_supply_temp_c[i] + pump + f * self.loop_setpoint_c[i]) / (cap + f)
                back = (cap * self.loop_return_temp_c[i] + source + f * supply) / (cap + f)
                cold = f * (a * back + b - self.loop_setpoint_c[i])
                if cold > most:
                    cold = most
                    supply = self._supply(i, cap, f, a, b, source, pump, cold)
                    back = (cap * self.loop_return_temp_c[i] + source + f * supply) / (cap + f)
            self._chiller(c, cold, h, dt_s)
        temp = back
        for r in range(first, end):
            heat = f * self.grasp[r] * (temp - self.air_c[r])
            temp = temp - self.grasp[r] * (temp - self.air_c[r])
            self.rejector_outlet_temp_c[r] = temp
            self.rejected[r] += heat
            self.e_out += heat
            if self.is_tower[r] != 0:
                self._water(i, r, heat / h, h)
        self.loop_leaving_temp_c[i] = temp - cold / f if f > 0.0 else temp
        # the chillers of this loop gave `cold` away in _chiller; what came from other loops' chillers was booked there
        self.e_in += h * self.heat_in[i] + pump
        self.e_stored += cap * (supply - self.loop_supply_temp_c[i]) + cap * (back - self.loop_return_temp_c[i])
        self.loop_supply_temp_c[i] = supply
        self.loop_return_temp_c[i] = back

    cdef double _supply(self, Py_ssize_t i, double cap, double f, double a, double b, double source, double pump,
                        double cold) noexcept nogil:
        """New supply temperature when the chillers take ``cold`` joules: the return node is eliminated."""
        cdef double fixed = (cap * self.loop_return_temp_c[i] + source) / (cap + f)
        return (cap * self.loop_supply_temp_c[i] + pump + f * (a * fixed + b) - cold) / (cap + f - f * a * f / (cap + f))

    cdef double _chiller_most(self, Py_ssize_t c, double h) noexcept nogil:
        """Heat that the group can take now, W: live units, none while they restart, load ramp."""
        cdef double live = self.chiller_units[c] - self.chiller_fault[c]
        cdef double duty = self.chiller_units[c] - self.chiller_spares[c], load
        live = duty if live > duty else live
        if self.plant_energised[0] == 0:
            self.chiller_timer_s[c] = 0.0
            return 0.0
        self.chiller_timer_s[c] += h
        if live < 0.5 or self.chiller_timer_s[c] < self.restart_s[c]:
            return 0.0
        load = self.chiller_load_frac[c] + self.load_ramp[c] * h
        return live * self.chiller_capacity_w[c] * (load if load < 1.0 else 1.0)

    cdef void _chiller(self, Py_ssize_t c, double cold, double h, double dt_s) noexcept nogil:
        """Book the chillers' heat and metered power at the condenser; set load and efficiency."""
        cdef Py_ssize_t into = self.condenser_loop[c]
        cdef double live = self.chiller_units[c] - self.chiller_fault[c]
        cdef double duty = self.chiller_units[c] - self.chiller_spares[c]
        cdef double work = h * self.chiller_power_w[c], hot, full, cop
        live = duty if live > duty else live
        full = live * self.chiller_capacity_w[c]
        self.chiller_load_frac[c] = cold / h / full if full > 0.0 else 0.0
        self.chiller_heat_w[c] += cold / dt_s
        self.e_in += work
        if into < 0:
            self.e_out += cold + work
            hot = self.outdoor_temp_c[0] + self.air_condenser_approach_k[c]
        else:
            self.extra_heat[into] += (cold + work) / h
            self.extra_flow[into] += (cold + work) / h / (self.cp[into] * self.condenser_range_k[c])
            hot = self.loop_supply_temp_c[into] + self.condenser_range_k[c] + self.condenser_approach_k[c]
        cop = law_carnot_cop(
            self.loop_setpoint_c[self.chiller_loop[c]] - self.evaporator_approach_k[c], hot, self.carnot_efficiency[c],
            self.lift_min_k[c], self.cop_max[c]) * law_part_load_ratio(
                self.chiller_load_frac[c], self.part_load_0[c], self.part_load_1[c], self.part_load_2[c])
        self.chiller_cop[c] = cop if cop < self.cop_max[c] else self.cop_max[c]

    cdef void _water(self, Py_ssize_t i, Py_ssize_t r, double heat_w, double h) noexcept nogil:
        """Water that the towers evaporate (air balance), lose as drift and blow down, kg."""
        cdef double live = self.units[r] - self.rejector_fault[r]
        cdef double duty = self.units[r] - self.spares[r]
        cdef double y = self.rejector_speed_frac[r], ev, drift, bleed, w_out
        cdef double flow = self._through(i) * self.rejector_share_frac[r]
        live = duty if live > duty else live
        if live < 0.5 or heat_w <= 0.0:
            return
        y = y if y > self.free_convection[r] else self.free_convection[r]
        w_out = law_saturation_humidity_ratio(self.wet_out_c[r], self.pressure_pa[0])
        ev = live * y * self.air_flow_design[r] * (w_out - self.humidity_ratio_kg_kg[0])
        ev = ev if ev > 0.0 else 0.0
        drift = self.drift_frac[r] * flow
        bleed = ev / (self.cycles_ratio[r] - 1.0) - drift
        bleed = bleed if bleed > 0.0 else 0.0
        self.evaporated += h * ev
        self.drawn += h * (ev + drift + bleed)

    cdef void _finish(self, double dt_s) noexcept nogil:
        """Heat and water of the tick; power of fans, compressors and pumps for the next one."""
        cdef Py_ssize_t i, r, c
        cdef double live, duty, fans = 0.0, total = 0.0, y
        cdef bint on = self.plant_energised[0] != 0
        for r in range(self.rejected.shape[0]):
            fans += self.rejector_power_w[r]
            self.rejector_heat_w[r] = self.rejected[r] / dt_s
            live = self.units[r] - self.rejector_fault[r]
            duty = self.units[r] - self.spares[r]
            live = duty if live > duty else live
            y = self.rejector_speed_frac[r]
            self.rejector_power_w[r] = live * self.fan_design_w[r] * y * y * y if on and live > 0.0 else 0.0
            total += self.rejector_power_w[r]
        for c in range(self.chiller_loop.shape[0]):
            live = self.chiller_units[c] - self.chiller_fault[c]
            duty = self.chiller_units[c] - self.chiller_spares[c]
            live = duty if live > duty else live
            self.chiller_power_w[c] = (
                live * self.chiller_capacity_w[c] * self.chiller_load_frac[c] / self.chiller_cop[c] if live > 0.0 else 0.0)
            total += self.chiller_power_w[c]
        for i in range(self.loop_order.shape[0]):
            self.loop_flow_kg_s[i] = self._through(i)
            self.loop_supply_error_k[i] = self.loop_supply_temp_c[i] - self.loop_setpoint_c[i]
            self._pump_power(i)
            total += self.loop_pump_power_w[i]
        self.power_w[0] = total
        # fans warm the outdoor air and nothing else
        self.e_in += dt_s * fans
        self.e_out += dt_s * fans
        self.rejected_heat_w[0] = self.e_out / dt_s
        self.evaporation_kg_s[0] = self.evaporated / dt_s
        self.makeup_kg_s[0] = self.drawn / dt_s
        self.tick_in_j[0] = self.e_in
        self.tick_out_j[0] = self.e_out
        self.tick_stored_j[0] = self.e_stored
