"""One tick of the halls' air: racks, server fans, CRAHs and the air between them.

Every loop is lagged through a mass. A rack and a CRAH work in a tick with the inlet temperature at its beginning;
what the inlet changed meanwhile is put into (or taken from) their metal, so that energy closes exactly and no step
length is too long. Machines' speeds change at samples (10 s), so the flow is solved only when they did.
"""

from libc.math cimport fabs

from twin._kernels.airflow cimport AirFlow
from twin._kernels.laws cimport law_coil_w_k, law_equal_percentage, law_exp, law_fan_power_w, law_pow

import numpy as np

cdef double STILL = 0.03          # air through a rack whose fans stand, over its design flow (draught)
cdef double STOPPED = 0.02        # a fan slower than this stands
cdef double RACK_DEADBAND = 0.01  # changes of server fan speed smaller than this are not made
cdef double CRAH_DEADBAND = 0.004
cdef double CRAH_APART = 0.05      # a CRAH this far from the others is brought back to them
cdef double FLOW_DEADBAND = 0.01  # error of the air supplied, over the CRAHs' design flow, that is left alone
cdef double CRAH_STEP = 0.25      # largest change of a CRAH's fan speed at a sample
cdef double FAN_KP = 0.3
cdef double FAN_KI = 0.5          # per sample
cdef double WARM_C = 27.0         # inlets above the recommended range ask for more air ...
cdef double WARM_GAIN = 0.02      # ... by this share of the CRAHs' flow per kelvin
cdef double VALVE_KP = 0.01       # per kelvin
cdef double VALVE_KI = 0.01       # per kelvin and sample
cdef double INLET_GAIN = 0.03     # server fans: faster by this share per kelvin above ...
cdef double INLET_WARM_C = 25.0   # ... this inlet temperature
cdef double CHIP_GAIN = 0.04      # server fans: faster by this share of full speed per kelvin that the hottest GPU ...
cdef double CHIP_NEAR_K = 6.0     # ... of an air-cooled rack comes nearer to its warning than this


def _take(buffers, names, Py_ssize_t length):
    out = []
    for name in names:
        array = buffers[name]
        if len(array) != length:
            raise ValueError(f"{name}: {len(array)} values instead of {length}")
        out.append(array)
    return out


cdef class AirKernel:
    """The air of all halls, bound once to parameters, state and inputs.

    Args:
        flow: the flow and temperature solver of the same halls.
        rho_cp_j_m3k: density times specific heat of the air.
        surplus_frac: share by which the CRAHs supply more than the racks draw, by hall.
        sample_s: time between actions of the controllers.
        params: by rack ``rack_flow_design rack_rise_k rack_fan_w rack_fan_max rack_fan_min rack_mass_j_k
            rack_metal_w_k rack_design_w``; by crah ``crah_flow_design crah_fan_w crah_fan_min crah_tau_s
            crah_water_design crah_water_cp crah_valve_range crah_r_air crah_r_water crah_coil_j_k``; bounds and
            indices ``hall_rack_ptr hall_crah_ptr rack_stream_ptr rack_front rack_rear rack_wide crah_loop
            crah_under_ptr crah_under crah_inside service_ptr service_cell stream_is_air``.
        state: the air block's columns by name.
        inputs: read-only columns ``stream_heat_w rack_air_heat_w rack_gpu_temp_c_max rack_temp_limit_c
            rack_energised crah_energised service_power_w loop_supply_temp_c loop_flow_frac``.

    Raises:
        ValueError: lengths do not fit.
        KeyError: a buffer is missing.
    """

    cdef readonly AirFlow flow
    cdef readonly Py_ssize_t halls, racks, crahs
    cdef double rho_cp, sample_s
    cdef const double[::1] surplus
    cdef const double[::1] rack_flow_design, rack_rise, rack_fan_w, rack_fan_max, rack_fan_min, rack_mass, rack_metal
    cdef const double[::1] rack_design
    cdef const double[::1] crah_flow_design, crah_fan_w, crah_fan_min, crah_tau, crah_water_design, crah_water_cp
    cdef const double[::1] crah_valve_range, crah_r_air, crah_r_water, crah_coil
    cdef const int[::1] hall_rack_ptr, hall_crah_ptr, rack_stream_ptr, rack_front, rack_rear, rack_wide, crah_loop
    cdef const int[::1] crah_under_ptr, crah_under, crah_inside, service_ptr, service_cell, stream_is_air
    cdef double[::1] cell_temp, rack_inlet, rack_outlet, rack_mass_temp, rack_flow, rack_fan_power, rack_fan
    cdef double[::1] rack_fan_limit, crah_supply, crah_return, crah_flow, crah_fan, crah_valve, crah_valve_i
    cdef double[::1] crah_fan_i, crah_setpoint, crah_coil_temp, crah_water, crah_water_return, crah_heat, crah_power
    cdef double[::1] crah_sample, fan_sample, hall_shi, flow_residual, inlet_max, tick_in, tick_out, tick_stored
    cdef int[::1] crah_fault
    cdef long long[::1] flow_version, flow_solved
    cdef const double[::1] stream_heat, rack_air_heat, rack_hottest, rack_limit, service_w, loop_supply, loop_frac
    cdef const int[::1] rack_energised, crah_energised
    cdef double[::1] rack_heat, gain, start_supply
    cdef bint settling
    cdef double settling_share
    cdef double e_in, e_out, e_stored

    def __init__(self, *, AirFlow flow, double rho_cp_j_m3k, const double[::1] surplus_frac, double sample_s, params,
                 state, inputs):
        p = params
        self.flow, self.rho_cp, self.surplus, self.sample_s = flow, rho_cp_j_m3k, surplus_frac, sample_s
        self.halls = flow.halls
        self.racks, self.crahs = len(state["rack_inlet_temp_c"]), len(state["crah_supply_temp_c"])
        if len(surplus_frac) != self.halls or len(p["hall_rack_ptr"]) != self.halls + 1 \
                or len(p["hall_crah_ptr"]) != self.halls + 1 or len(p["service_ptr"]) != self.halls + 1:
            raise ValueError("halls: lengths do not fit")
        (self.rack_flow_design, self.rack_rise, self.rack_fan_w, self.rack_fan_max, self.rack_fan_min, self.rack_mass,
         self.rack_metal, self.rack_design, self.rack_front, self.rack_rear, self.rack_wide) = _take(p, (
             "rack_flow_design", "rack_rise_k", "rack_fan_w", "rack_fan_max", "rack_fan_min", "rack_mass_j_k",
             "rack_metal_w_k", "rack_design_w", "rack_front", "rack_rear", "rack_wide"), self.racks)
        (self.crah_flow_design, self.crah_fan_w, self.crah_fan_min, self.crah_tau, self.crah_water_design,
         self.crah_water_cp, self.crah_valve_range, self.crah_r_air, self.crah_r_water, self.crah_coil,
         self.crah_loop) = _take(p, (
             "crah_flow_design", "crah_fan_w", "crah_fan_min", "crah_tau_s", "crah_water_design", "crah_water_cp",
             "crah_valve_range", "crah_r_air", "crah_r_water", "crah_coil_j_k", "crah_loop"), self.crahs)
        self.hall_rack_ptr, self.hall_crah_ptr = p["hall_rack_ptr"], p["hall_crah_ptr"]
        (self.rack_stream_ptr,) = _take(p, ("rack_stream_ptr",), self.racks + 1)
        (self.crah_under_ptr,) = _take(p, ("crah_under_ptr",), self.crahs + 1)
        self.crah_under, self.crah_inside = p["crah_under"], p["crah_inside"]
        self.service_ptr, self.service_cell = p["service_ptr"], p["service_cell"]
        self._bind_state(state)
        self._bind_inputs(inputs, p)
        self.rack_heat, self.gain = np.zeros(self.racks), np.zeros(flow.cells)
        self.start_supply = np.zeros(len(inputs["loop_supply_temp_c"]))
        self.settling, self.settling_share = False, 0.0

    def _bind_state(self, state):
        (self.cell_temp,) = _take(state, ("cell_temp_c",), self.flow.cells)
        (self.rack_inlet, self.rack_outlet, self.rack_mass_temp, self.rack_flow, self.rack_fan_power, self.rack_fan,
         self.rack_fan_limit) = _take(state, (
             "rack_inlet_temp_c", "rack_outlet_temp_c", "rack_mass_temp_c", "rack_air_flow_m3_s", "rack_fan_power_w",
             "rack_fan_frac", "rack_fan_limit_frac"), self.racks)
        (self.crah_supply, self.crah_return, self.crah_flow, self.crah_fan, self.crah_valve, self.crah_valve_i,
         self.crah_fan_i, self.crah_setpoint, self.crah_coil_temp, self.crah_water, self.crah_water_return,
         self.crah_heat, self.crah_power, self.crah_fault, self.crah_sample) = _take(state, (
             "crah_supply_temp_c", "crah_return_temp_c", "crah_air_flow_m3_s", "crah_fan_frac", "crah_valve_frac",
             "crah_valve_integral", "crah_fan_integral", "crah_supply_setpoint_c", "crah_coil_temp_c",
             "crah_water_flow_kg_s", "crah_water_return_temp_c", "crah_heat_w", "crah_power_w", "crah_fault",
             "crah_sample_s"), self.crahs)
        (self.fan_sample, self.flow_residual, self.inlet_max, self.tick_in, self.tick_out, self.tick_stored,
         self.flow_version, self.flow_solved) = _take(state, (
             "fan_sample_s", "flow_residual", "inlet_temp_max_c", "tick_in_j", "tick_out_j", "tick_stored_j",
             "flow_version", "flow_solved_version"), 1)
        (self.hall_shi,) = _take(state, ("hall_supply_heat_frac",), self.halls)

    def _bind_inputs(self, inputs, p):
        streams = len(inputs["stream_heat_w"])
        (self.stream_heat,) = _take(inputs, ("stream_heat_w",), streams)
        (self.stream_is_air,) = _take(p, ("stream_is_air",), streams)
        self.rack_air_heat, self.rack_hottest, self.rack_limit, self.rack_energised = _take(
            inputs, ("rack_air_heat_w", "rack_gpu_temp_c_max", "rack_temp_limit_c", "rack_energised"), self.racks)
        (self.crah_energised,) = _take(inputs, ("crah_energised",), self.crahs)
        (self.service_w,) = _take(inputs, ("service_power_w",), self.halls)
        loops = len(inputs["loop_supply_temp_c"])
        self.loop_supply, self.loop_frac = _take(inputs, ("loop_supply_temp_c", "loop_flow_frac"), loops)
        if self.crahs and max(np.asarray(p["crah_loop"])) >= loops:
            raise ValueError("crah_loop: beyond the loops")

    def run(self, double dt_s):
        """Advance all halls by ``dt_s`` seconds."""
        if not dt_s > 0.0:
            raise ValueError("the step must be above 0")
        with nogil:
            self._tick(dt_s)

    def resolve(self):
        """Rebuild what follows from the flows in the state: potentials, face flows, the order of the sweep."""
        cdef Py_ssize_t h
        with nogil:
            for h in range(self.halls):
                self._solve(h)
            self._residual()

    def settle(self, const double[::1] loop_supply_temp_c, double share, int steps):
        """Bring a fresh state near the operating point at a share of the racks' design heat.

        Args:
            loop_supply_temp_c: water supplied by each loop meanwhile.
            share: heat of every rack over its design heat.
            steps: number of steps of 30 s.
        """
        cdef int k
        self.start_supply[:] = loop_supply_temp_c
        self.settling, self.settling_share = True, share
        with nogil:
            for k in range(steps):
                self._tick(30.0)
        self.settling = False
        self.tick_in[0] = self.tick_out[0] = self.tick_stored[0] = 0.0
        self.flow_version[0] = self.flow_solved[0] = 0

    cdef void _tick(self, double dt) noexcept nogil:
        cdef Py_ssize_t h, r, s, j
        cdef bint sample
        cdef double heat, hottest = -300.0
        self.e_in = self.e_out = self.e_stored = 0.0
        self.fan_sample[0] += dt
        sample = self.fan_sample[0] >= self.sample_s - 1e-9
        if sample:
            self.fan_sample[0] = 0.0
        for j in range(self.crahs):
            self.crah_sample[j] = self.fan_sample[0]
        for r in range(self.racks):
            heat = self.rack_air_heat[r]
            for s in range(self.rack_stream_ptr[r], self.rack_stream_ptr[r + 1]):
                heat += self.stream_heat[s] if self.stream_is_air[s] else 0.0
            self.rack_heat[r] = self.settling_share * self.rack_design[r] if self.settling else heat
        for h in range(self.halls):
            if self._speeds(h, dt, sample):
                self._solve(h)
                self.flow_version[0] += 1
                self._residual()
            self._hall(h, dt)
        self.flow_solved[0] = self.flow_version[0]
        for r in range(self.racks):
            hottest = self.rack_inlet[r] if self.rack_inlet[r] > hottest else hottest
        self.inlet_max[0] = hottest
        self.tick_in[0], self.tick_out[0], self.tick_stored[0] = self.e_in, self.e_out, self.e_stored

    cdef void _residual(self) noexcept nogil:
        cdef Py_ssize_t h
        cdef double worst = 0.0
        for h in range(self.halls):
            worst = self.flow.residual_v[h] if self.flow.residual_v[h] > worst else worst
        self.flow_residual[0] = worst

    # ---- fans and valves ----------------------------------------------------------------------------------

    cdef bint _runs(self, Py_ssize_t j) noexcept nogil:
        """Whether a CRAH's fan has power and is not tripped."""
        return self.crah_fault[j] == 0 and (self.settling or self.crah_energised[j] != 0)

    cdef bint _speeds(self, Py_ssize_t h, double dt, bint sample) noexcept nogil:
        """Move fans and valves of a hall; return whether a flow changed."""
        cdef Py_ssize_t r, j
        cdef bint changed = False
        cdef double flow
        for r in range(self.hall_rack_ptr[h], self.hall_rack_ptr[h + 1]):
            if sample:
                self._server_fan(r)
            if self.rack_fan_w[r] > 0.0 and not self.settling and self.rack_energised[r] == 0:
                self.rack_fan[r] = _coast(self.rack_fan[r], dt, 3.0)
            flow = self.rack_flow_design[r] * (self.rack_fan[r] if self.rack_fan[r] > STILL else STILL)
            if flow != self.rack_flow[r]:
                self.rack_flow[r] = flow
                changed = True
        if sample:
            self._crah_fans(h)
        for j in range(self.hall_crah_ptr[h], self.hall_crah_ptr[h + 1]):
            if not self._runs(j):
                self.crah_fan[j] = _coast(self.crah_fan[j], dt, self.crah_tau[j])
                self.crah_valve[j] = 0.0
            elif sample:
                self._valve(j)
            flow = self.crah_flow_design[j] * self.crah_fan[j]
            if flow != self.crah_flow[j]:
                self.crah_flow[j] = flow
                changed = True
        return changed

    cdef void _server_fan(self, Py_ssize_t r) noexcept nogil:
        """Server fans hold the design rise of the air, faster when the inlet is warm or an air-cooled GPU is hot (one
        busy node among idle ones); fanless racks have a draught."""
        cdef double want, warm, near
        if self.rack_fan_w[r] <= 0.0:
            self.rack_fan[r] = 1.0
            return
        if not self.settling and self.rack_energised[r] == 0:
            return
        warm = self.rack_inlet[r] - INLET_WARM_C
        want = self.rack_heat[r] / (self.rho_cp * self.rack_flow_design[r] * self.rack_rise[r])
        want = want * (1.0 + (INLET_GAIN * warm if warm > 0.0 else 0.0))
        if self.rack_stream_ptr[r] < self.rack_stream_ptr[r + 1] and self.stream_is_air[self.rack_stream_ptr[r]] != 0:
            near = self.rack_hottest[r] - self.rack_limit[r] + CHIP_NEAR_K
            want = want + (CHIP_GAIN * near if near > 0.0 else 0.0)
        want = self.rack_fan_min[r] if want < self.rack_fan_min[r] else want
        want = self.rack_fan_max[r] if want > self.rack_fan_max[r] else want
        want = want * self.rack_fan_limit[r]
        if fabs(want - self.rack_fan[r]) > RACK_DEADBAND:
            self.rack_fan[r] = want

    cdef void _crah_fans(self, Py_ssize_t h) noexcept nogil:
        """The hall's CRAHs hold a surplus of air over what the racks draw; the integral is the hall's own."""
        cdef Py_ssize_t r, j, j0 = self.hall_crah_ptr[h], j1 = self.hall_crah_ptr[h + 1]
        cdef double drawn = 0.0, supplied = 0.0, able = 0.0, hottest = -300.0, error, level, want, step
        for r in range(self.hall_rack_ptr[h], self.hall_rack_ptr[h + 1]):
            drawn += self.rack_flow[r]
            hottest = self.rack_inlet[r] if self.rack_inlet[r] > hottest else hottest
        for j in range(j0, j1):
            supplied += self.crah_flow[j]
            able += self.crah_flow_design[j] if self._runs(j) else 0.0
        if able <= 0.0:
            return
        error = (drawn * (1.0 + self.surplus[h]) - supplied) / able
        if hottest > WARM_C:
            error += WARM_GAIN * (hottest - WARM_C)
        if fabs(error) < FLOW_DEADBAND:
            error = 0.0
        level = self.crah_fan_i[j0] + FAN_KI * error
        level = 1.0 if level > 1.0 else (self.crah_fan_min[j0] if level < self.crah_fan_min[j0] else level)
        for j in range(j0, j1):
            self.crah_fan_i[j] = level
            if not self._runs(j):
                continue
            want = level + FAN_KP * error
            want = 1.0 if want > 1.0 else (self.crah_fan_min[j] if want < self.crah_fan_min[j] else want)
            step = want - self.crah_fan[j]
            # without an error only a unit that is out of step, such as one that comes back, is moved
            if fabs(step) > (CRAH_DEADBAND if error != 0.0 else CRAH_APART):
                self.crah_fan[j] += CRAH_STEP if step > CRAH_STEP else (-CRAH_STEP if step < -CRAH_STEP else step)

    cdef void _valve(self, Py_ssize_t j) noexcept nogil:
        """The water valve holds the supply air; no integration beyond its ends."""
        cdef double error = self.crah_supply[j] - self.crah_setpoint[j]
        cdef double level = self.crah_valve_i[j] + VALVE_KI * error
        cdef double want
        if self.crah_fan[j] < STOPPED:
            return
        level = 1.0 if level > 1.0 else (0.0 if level < 0.0 else level)
        self.crah_valve_i[j] = level
        want = level + VALVE_KP * error
        self.crah_valve[j] = 1.0 if want > 1.0 else (0.0 if want < 0.0 else want)

    # ---- flow ---------------------------------------------------------------------------------------------

    cdef void _solve(self, Py_ssize_t h) noexcept nogil:
        cdef Py_ssize_t c, r, j, k
        cdef double q
        for c in range(self.flow.cell_ptr[h], self.flow.cell_ptr[h + 1]):
            self.flow.inject[c] = 0.0
            self.flow.draw[c] = 0.0
        for r in range(self.hall_rack_ptr[h], self.hall_rack_ptr[h + 1]):
            q = self.rack_flow[r] / self.rack_wide[r]
            for k in range(self.rack_wide[r]):
                self.flow.draw[self.rack_front[r] + k] += q
                self.flow.inject[self.rack_rear[r] + k] += q
        for j in range(self.hall_crah_ptr[h], self.hall_crah_ptr[h + 1]):
            q = self.crah_flow[j] / (self.crah_under_ptr[j + 1] - self.crah_under_ptr[j])
            for k in range(self.crah_under_ptr[j], self.crah_under_ptr[j + 1]):
                self.flow.inject[self.crah_under[k]] += q
                self.flow.draw[self.crah_inside[k]] += q
        self.flow.solve(h)

    # ---- heat ---------------------------------------------------------------------------------------------

    cdef void _hall(self, Py_ssize_t h, double dt) noexcept nogil:
        """Exhausts and supplies into the air, one sweep, then what the inlets changed into the metal."""
        cdef Py_ssize_t r, j, k, s0 = self.service_ptr[h], s1 = self.service_ptr[h + 1]
        cdef double service = 0.0 if self.settling else self.service_w[h]
        cdef double rise = 0.0, moved = 0.0, level = 0.0, flow = 0.0
        for r in range(self.hall_rack_ptr[h], self.hall_rack_ptr[h + 1]):
            self._exhaust(r, dt)
        for j in range(self.hall_crah_ptr[h], self.hall_crah_ptr[h + 1]):
            self._coil(j, dt)
            level += self.crah_flow[j] * self.crah_supply[j]
            flow += self.crah_flow[j]
        for k in range(s0, s1):
            self.gain[self.service_cell[k]] += service / (s1 - s0)
        self.e_in += service * dt
        self.e_stored += self.flow.sweep(h, dt, self.cell_temp, self.gain)
        for r in range(self.hall_rack_ptr[h], self.hall_rack_ptr[h + 1]):
            self._inlet(r, dt)
            if flow > 0.0:
                rise += self.rack_flow[r] * (self.rack_inlet[r] - level / flow)
                moved += self.rack_flow[r] * (self.rack_outlet[r] - level / flow)
        for j in range(self.hall_crah_ptr[h], self.hall_crah_ptr[h + 1]):
            self._return(j, dt)
        self.hall_shi[h] = rise / moved if moved > 1e-6 and rise > 0.0 else 0.0

    cdef void _exhaust(self, Py_ssize_t r, double dt) noexcept nogil:
        """Air takes up the rack's heat, passes its metal and leaves at the rear; metal by backward Euler."""
        cdef double air = self.rho_cp * self.rack_flow[r]
        cdef double contact = air * (1.0 - law_exp(-self.rack_metal[r] / air))
        cdef double warm = self.rack_inlet[r] + self.rack_heat[r] / air
        cdef double metal = ((self.rack_mass[r] * self.rack_mass_temp[r] + dt * contact * warm)
                             / (self.rack_mass[r] + dt * contact))
        cdef Py_ssize_t k
        self.e_stored += self.rack_mass[r] * (metal - self.rack_mass_temp[r])
        self.rack_mass_temp[r] = metal
        self.rack_outlet[r] = warm - contact / air * (warm - metal)
        for k in range(self.rack_wide[r]):
            self.gain[self.rack_rear[r] + k] += air * self.rack_outlet[r] / self.rack_wide[r]
        self.e_in += self.rack_heat[r] * dt
        self.rack_fan_power[r] = law_fan_power_w(self.rack_fan[r], self.rack_fan_w[r])

    cdef void _inlet(self, Py_ssize_t r, double dt) noexcept nogil:
        """Read the new inlet; the enthalpy it brought beyond the old one's goes into the metal."""
        cdef double temp = 0.0, shift
        cdef Py_ssize_t k
        for k in range(self.rack_wide[r]):
            temp += self.cell_temp[self.rack_front[r] + k]
        temp = temp / self.rack_wide[r]
        shift = self.rho_cp * self.rack_flow[r] * dt * (temp - self.rack_inlet[r]) / self.rack_mass[r]
        self.rack_mass_temp[r] += shift
        self.e_stored += self.rack_mass[r] * shift
        self.rack_inlet[r] = temp

    cdef void _coil(self, Py_ssize_t j, double dt) noexcept nogil:
        """Return air meets the coil (steady), then the coil's mass (backward Euler), then the fan's heat."""
        cdef Py_ssize_t loop = self.crah_loop[j], k
        cdef double frac = 1.0 if self.settling else self.loop_frac[loop]
        cdef double water_in = self.start_supply[loop] if self.settling else self.loop_supply[loop]
        cdef double kg = self.crah_water_design[j] * frac * law_equal_percentage(
            self.crah_valve[j], self.crah_valve_range[j])
        cdef double air = self.rho_cp * self.crah_flow[j], water = kg * self.crah_water_cp[j]
        cdef double fan = self.crah_power[j], heat = 0.0, contact, leaving, metal, hold = self.crah_coil[j]
        cdef double x, y, per_air
        metal = self.crah_coil_temp[j]
        if air > 0.0:
            # film resistances by mass flow; a stream at a thousandth of its design hardly counts any more
            x = self.crah_fan[j]
            y = kg / self.crah_water_design[j]
            per_air = self.crah_r_air[j] * law_pow(x, -0.8)
            if y > 1e-3:
                heat = law_coil_w_k(air, water, 1.0 / (per_air + self.crah_r_water[j] * law_pow(y, -0.85)))
                heat = heat * (self.crah_return[j] - water_in)
            leaving = self.crah_return[j] - heat / air
            contact = air * (1.0 - law_exp(-1.0 / (per_air * air)))
            metal = (hold * metal + dt * contact * leaving) / (hold + dt * contact)
            self.crah_supply[j] = leaving - contact / air * (leaving - metal)
            if self.crah_fan[j] >= 0.1 * self.crah_fan_min[j]:
                self.crah_supply[j] += fan / air
            else:
                metal += fan * dt / hold
            for k in range(self.crah_under_ptr[j], self.crah_under_ptr[j + 1]):
                self.gain[self.crah_under[k]] += (air * self.crah_supply[j]
                                                  / (self.crah_under_ptr[j + 1] - self.crah_under_ptr[j]))
        else:
            metal += fan * dt / hold
        self.e_stored += hold * (metal - self.crah_coil_temp[j])
        self.e_in += fan * dt
        self.e_out += heat * dt
        self.crah_coil_temp[j] = metal
        self.crah_water[j] = kg
        self.crah_heat[j] = heat
        self.crah_water_return[j] = water_in + heat / water if y_flows(kg, self.crah_water_design[j]) else water_in
        self.crah_power[j] = law_fan_power_w(self.crah_fan[j], self.crah_fan_w[j])

    cdef void _return(self, Py_ssize_t j, double dt) noexcept nogil:
        """Read the new return air; the enthalpy it brought beyond the old one's goes into the coil's mass."""
        cdef double temp = 0.0, shift
        cdef Py_ssize_t k, n = self.crah_under_ptr[j + 1] - self.crah_under_ptr[j]
        for k in range(self.crah_under_ptr[j], self.crah_under_ptr[j + 1]):
            temp += self.cell_temp[self.crah_inside[k]]
        temp = temp / n
        shift = self.rho_cp * self.crah_flow[j] * dt * (temp - self.crah_return[j]) / self.crah_coil[j]
        self.crah_coil_temp[j] += shift
        self.e_stored += self.crah_coil[j] * shift
        self.crah_return[j] = temp


cdef inline bint y_flows(double kg, double design) noexcept nogil:
    """Whether the water through a coil is more than a thousandth of its design."""
    return kg > 1e-3 * design


cdef inline double _coast(double speed, double dt, double tau) noexcept nogil:
    """Speed of a fan without drive: 1/(1 + t/tau), by one implicit step; stands below 2 %."""
    speed = speed / (1.0 + dt / tau)
    return speed if speed > STOPPED else 0.0
