"""One tick of the halls' air: racks, server fans, CRAHs and the air between them.

Every loop is lagged through a mass. A rack and a CRAH work in a tick with the inlet temperature at its beginning;
what the inlet changed meanwhile is put into (or taken from) their metal, so that energy closes exactly and no step
length is too long. Machines' speeds change at samples (10 s), so the flow is solved only when they did.
"""

from libc.math cimport fabs

from twin._kernels.airflow cimport AirFlow
from twin._kernels.airmachines cimport DOOR, AirMachines, coast
from twin._kernels.laws cimport law_exp, law_fan_power_w

from twin._kernels.airmachines import take

import numpy as np

cdef double STILL = 0.03          # air through a rack whose fans stand, over its design flow (draught)
cdef double RACK_DEADBAND = 0.01  # changes of server fan speed smaller than this are not made
cdef double REJECT_DEADBAND = 0.01  # nor are such changes of the air through liquid-to-air units followed
cdef double INLET_GAIN = 0.03     # server fans: faster by this share per kelvin above ...
cdef double INLET_WARM_C = 25.0   # ... this inlet temperature
cdef double CHIP_GAIN = 0.04      # server fans: faster by this share of full speed per kelvin that the hottest GPU ...
cdef double CHIP_NEAR_K = 6.0     # ... of an air-cooled rack comes nearer to its warning than this
cdef double WARM_C = 27.0, HOT_C = 32.0    # ASHRAE class A1: recommended and allowable, from above ...
cdef double COOL_C = 18.0, COLD_C = 15.0   # ... and from below


cdef class AirKernel(AirMachines):
    """The air of all halls, bound once to parameters, state and inputs.

    Args:
        flow: the flow and temperature solver of the same halls.
        rho_cp_j_m3k: density times specific heat of the air.
        surplus_frac: share by which the CRAHs supply more than the racks draw, by hall.
        sample_s: time between actions of the controllers.
        params: by rack ``rack_flow_design rack_rise_k rack_fan_w rack_fan_max rack_fan_min rack_mass_j_k
            rack_metal_w_k rack_design_w``, bounds and indices ``hall_rack_ptr rack_stream_ptr rack_front rack_rear
            rack_wide rack_door service_ptr service_cell stream_is_air``, and those of ``AirMachines``.
        state: the air block's columns by name.
        inputs: read-only columns ``stream_heat_w rack_air_heat_w rack_reject_heat_w
            rack_reject_flow_m3_s rack_gpu_temp_c_max rack_temp_limit_c
            rack_energised crah_energised service_power_w loop_supply_temp_c loop_flow_frac outdoor_humidity_kg_kg
            outdoor_pressure_pa``.

    Raises:
        ValueError: lengths do not fit.
        KeyError: a buffer is missing.
    """

    cdef readonly Py_ssize_t racks
    cdef const double[::1] rack_flow_design, rack_rise, rack_fan_w, rack_fan_max, rack_fan_min, rack_mass, rack_metal
    cdef const double[::1] rack_design
    cdef const int[::1] hall_rack_ptr, rack_stream_ptr, rack_front, rack_rear, rack_wide, rack_door
    cdef const int[::1] service_ptr, service_cell, stream_is_air
    cdef double[::1] rack_inlet, rack_outlet, rack_mass_temp, rack_flow, rack_fan_power, rack_fan, rack_fan_limit
    cdef double[::1] rack_capture, rack_supplied, hall_rhi, hall_rti, hall_rci_hi, hall_rci_lo, given, caught
    cdef int[::1] trace_due
    cdef double[::1] crah_sample, fan_sample, hall_shi, flow_residual, inlet_max, tick_in, tick_out, tick_stored
    cdef long long[::1] flow_version, flow_solved
    cdef const double[::1] stream_heat, rack_air_heat, rack_hottest, rack_limit, service_w, reject_heat, reject_flow
    cdef const int[::1] rack_energised
    cdef double[::1] rack_heat
    cdef double settling_share

    def __init__(self, *, AirFlow flow, double rho_cp_j_m3k, const double[::1] surplus_frac, double sample_s, params,
                 state, inputs):
        p = params
        self.flow, self.rho_cp, self.surplus, self.sample_s = flow, rho_cp_j_m3k, surplus_frac, sample_s
        self.halls = flow.halls
        self.racks = len(state["rack_inlet_temp_c"])
        if len(surplus_frac) != self.halls or len(p["hall_rack_ptr"]) != self.halls + 1 \
                or len(p["service_ptr"]) != self.halls + 1:
            raise ValueError("halls: lengths do not fit")
        (self.rack_flow_design, self.rack_rise, self.rack_fan_w, self.rack_fan_max, self.rack_fan_min, self.rack_mass,
         self.rack_metal, self.rack_design, self.rack_front, self.rack_rear, self.rack_wide, self.rack_door) = take(p, (
             "rack_flow_design", "rack_rise_k", "rack_fan_w", "rack_fan_max", "rack_fan_min", "rack_mass_j_k",
             "rack_metal_w_k", "rack_design_w", "rack_front", "rack_rear", "rack_wide", "rack_door"), self.racks)
        self.hall_rack_ptr = p["hall_rack_ptr"]
        (self.rack_stream_ptr,) = take(p, ("rack_stream_ptr",), self.racks + 1)
        self.service_ptr, self.service_cell = p["service_ptr"], p["service_cell"]
        self.bind_machines(p, state, inputs)
        self._bind_state(state)
        self._bind_inputs(inputs, p)
        self.rack_heat, self.gain, self.settling_share = np.zeros(self.racks), np.zeros(flow.cells), 0.0
        self.given, self.caught = np.zeros(flow.cells), np.zeros(flow.cells)

    def _bind_state(self, state):
        (self.cell_temp,) = take(state, ("cell_temp_c",), self.flow.cells)
        (self.rack_inlet, self.rack_outlet, self.rack_mass_temp, self.rack_flow, self.rack_fan_power, self.rack_fan,
         self.rack_fan_limit) = take(state, (
             "rack_inlet_temp_c", "rack_outlet_temp_c", "rack_mass_temp_c", "rack_air_flow_m3_s", "rack_fan_power_w",
             "rack_fan_frac", "rack_fan_limit_frac"), self.racks)
        (self.crah_sample,) = take(state, ("crah_sample_s",), self.crahs)
        (self.flow_residual, self.inlet_max, self.tick_in, self.tick_out, self.tick_stored,
         self.flow_version, self.flow_solved) = take(state, (
             "flow_residual", "inlet_temp_max_c", "tick_in_j", "tick_out_j", "tick_stored_j",
             "flow_version", "flow_solved_version"), 1)
        (self.fan_sample,) = take(state, ("fan_sample_s",), self.halls)
        (self.hall_shi, self.hall_rhi, self.hall_rti, self.hall_rci_hi, self.hall_rci_lo, self.trace_due) = take(state, (
            "hall_supply_heat_frac", "hall_return_heat_frac", "hall_return_temp_ratio", "hall_cooling_hi_frac",
            "hall_cooling_lo_frac", "hall_trace_due"), self.halls)
        self.rack_capture, self.rack_supplied = take(state, ("rack_capture_frac", "rack_supplied_frac"), self.racks)

    def _bind_inputs(self, inputs, p):
        streams = len(inputs["stream_heat_w"])
        (self.stream_heat,) = take(inputs, ("stream_heat_w",), streams)
        (self.stream_is_air,) = take(p, ("stream_is_air",), streams)
        # liquid-to-air units beside a rack: their air passes as the rack's does, their heat comes on top of the rack's
        self.reject_heat, self.reject_flow = take(inputs, ("rack_reject_heat_w", "rack_reject_flow_m3_s"), self.racks)
        self.rack_air_heat, self.rack_hottest, self.rack_limit, self.rack_energised = take(
            inputs, ("rack_air_heat_w", "rack_gpu_temp_c_max", "rack_temp_limit_c", "rack_energised"), self.racks)
        (self.service_w,) = take(inputs, ("service_power_w",), self.halls)

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
        cdef Py_ssize_t h
        self.start_supply[:] = loop_supply_temp_c
        for h in range(self.halls):
            self.humidity[h] = self.makeup_humidity(h)
        self.settling, self.settling_share = True, share
        with nogil:
            for k in range(steps):
                self._tick(30.0)
        self.settling = False
        for h in range(self.halls):
            # the halls' controllers act in turn, so that no tick solves the air of all of them
            self.fan_sample[h] = self.sample_s * h / self.halls
        self.tick_in[0] = self.tick_out[0] = self.tick_stored[0] = 0.0
        self.flow_version[0] = self.flow_solved[0] = 0

    cdef void _tick(self, double dt) noexcept nogil:
        cdef Py_ssize_t h, r, s, j
        cdef bint sample
        cdef double heat, hottest = -300.0
        self.e_in = self.e_out = self.e_stored = 0.0
        for r in range(self.racks):
            heat = self.rack_air_heat[r]
            for s in range(self.rack_stream_ptr[r], self.rack_stream_ptr[r + 1]):
                heat += self.stream_heat[s] if self.stream_is_air[s] else 0.0
            self.rack_heat[r] = self.settling_share * self.rack_design[r] if self.settling else heat
        for h in range(self.halls):
            self.fan_sample[h] += dt
            sample = self.fan_sample[h] >= self.sample_s - 1e-9
            if sample:
                self.fan_sample[h] = 0.0
            for j in range(self.hall_crah_ptr[h], self.hall_crah_ptr[h + 1]):
                self.crah_sample[j] = self.fan_sample[h]
            if self._speeds(h, dt, sample):
                self._solve(h)
                self.flow_version[0] += 1
                self._residual()
                self.trace_due[h] = 1
            if sample and self.trace_due[h]:
                self._trace(h)
                self.trace_due[h] = 0
            self._hall(h, dt, sample)
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

    cdef bint _speeds(self, Py_ssize_t h, double dt, bint sample) noexcept nogil:
        """Move fans and valves of a hall; return whether a flow changed."""
        cdef Py_ssize_t r
        cdef bint changed = False
        cdef double flow, drawn = 0.0, hottest = -300.0
        for r in range(self.hall_rack_ptr[h], self.hall_rack_ptr[h + 1]):
            if sample:
                self._server_fan(r)
            if self.rack_fan_w[r] > 0.0 and not self.settling and self.rack_energised[r] == 0:
                self.rack_fan[r] = coast(self.rack_fan[r], dt, 3.0)
            flow = self.rack_flow_design[r] * (self.rack_fan[r] if self.rack_fan[r] > STILL else STILL)
            if self.rack_door[r] >= 0:
                flow = flow * self.door_share(self.rack_door[r], dt, self.rack_fan[r])
            else:
                drawn += flow
            if self.reject_flow[r] > 0.0:
                drawn += self.reject_flow[r]
                flow += self.reject_flow[r]
                if fabs(flow - self.rack_flow[r]) <= REJECT_DEADBAND * flow:
                    flow = self.rack_flow[r]
            if flow != self.rack_flow[r]:
                self.rack_flow[r] = flow
                changed = True
            hottest = self.rack_inlet[r] if self.rack_inlet[r] > hottest else hottest
        if sample:
            self.fans(h, drawn, hottest)
        return self.speeds(h, dt, sample) or changed

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
        if self.rack_door[r] >= 0:
            want = want / self.door_left(self.rack_door[r], self.rack_fan[r])
        want = want * (1.0 + (INLET_GAIN * warm if warm > 0.0 else 0.0))
        if self.rack_stream_ptr[r] < self.rack_stream_ptr[r + 1] and self.stream_is_air[self.rack_stream_ptr[r]] != 0:
            near = self.rack_hottest[r] - self.rack_limit[r] + CHIP_NEAR_K
            want = want + (CHIP_GAIN * near if near > 0.0 else 0.0)
        want = self.rack_fan_min[r] if want < self.rack_fan_min[r] else want
        want = self.rack_fan_max[r] if want > self.rack_fan_max[r] else want
        want = want * self.rack_fan_limit[r]
        if fabs(want - self.rack_fan[r]) > RACK_DEADBAND:
            self.rack_fan[r] = want

    # ---- flow ---------------------------------------------------------------------------------------------

    cdef void _solve(self, Py_ssize_t h) noexcept nogil:
        cdef Py_ssize_t c, r, k
        cdef double q
        for c in range(self.flow.cell_ptr[h], self.flow.cell_ptr[h + 1]):
            self.flow.inject[c] = 0.0
            self.flow.draw[c] = 0.0
        for r in range(self.hall_rack_ptr[h], self.hall_rack_ptr[h + 1]):
            q = self.rack_flow[r] / self.rack_wide[r]
            for k in range(self.rack_wide[r]):
                self.flow.draw[self.rack_front[r] + k] += q
                self.flow.inject[self.rack_rear[r] + k] += q
        self._machines_air(h, self.flow.inject, self.flow.draw)
        self.flow.solve(h)

    cdef void _machines_air(self, Py_ssize_t h, double[::1] inject, double[::1] draw) noexcept nogil:
        """Add what a hall's machines blow in and draw out, m3/s by cell."""
        cdef Py_ssize_t j, k
        cdef double q
        for j in range(self.hall_crah_ptr[h], self.hall_crah_ptr[h + 1]):
            if self.crah_kind[j] == DOOR:
                continue
            q = self.crah_flow[j] / (self.crah_out_ptr[j + 1] - self.crah_out_ptr[j])
            for k in range(self.crah_out_ptr[j], self.crah_out_ptr[j + 1]):
                inject[self.crah_out[k]] += q
            q = self.crah_flow[j] / (self.crah_in_ptr[j + 1] - self.crah_in_ptr[j])
            for k in range(self.crah_in_ptr[j], self.crah_in_ptr[j + 1]):
                draw[self.crah_in[k]] += q

    # ---- heat ---------------------------------------------------------------------------------------------

    cdef void _hall(self, Py_ssize_t h, double dt, bint sample) noexcept nogil:
        """Exhausts and supplies into the air, one sweep, then what the inlets changed into the metal."""
        cdef Py_ssize_t r, j, k, s0 = self.service_ptr[h], s1 = self.service_ptr[h + 1]
        cdef double service = 0.0 if self.settling else self.service_w[h]
        self.moisture(h, dt, sample)
        for r in range(self.hall_rack_ptr[h], self.hall_rack_ptr[h + 1]):
            self._exhaust(r, h, dt)
        for j in range(self.hall_crah_ptr[h], self.hall_crah_ptr[h + 1]):
            if self.crah_kind[j] == DOOR:
                continue
            self.machine(j, h, dt)
        for k in range(s0, s1):
            self.gain[self.service_cell[k]] += service / (s1 - s0)
        self.e_in += service * dt
        self.e_stored += self.flow.sweep(h, dt, self.cell_temp, self.gain)
        for r in range(self.hall_rack_ptr[h], self.hall_rack_ptr[h + 1]):
            self._inlet(r, dt)
        for j in range(self.hall_crah_ptr[h], self.hall_crah_ptr[h + 1]):
            if self.crah_kind[j] != DOOR:
                self.inlet_of(j, dt)
        self._indices(h)

    cdef void _indices(self, Py_ssize_t h) noexcept nogil:
        """Heat, temperature and cooling indices of a hall.

        Sources: supply and return heat index, R. K. Sharma et al., AIAA 2002-3091; return temperature index and rack
        cooling index, M. K. Herrlin (ASHRAE Transactions 111, 2005, and 114, 2008).
        """
        cdef Py_ssize_t r, j, racks = self.hall_rack_ptr[h + 1] - self.hall_rack_ptr[h]
        cdef double supply = 0.0, back = 0.0, flow = 0.0, early = 0.0, all_of_it = 0.0, rise = 0.0, drawn = 0.0
        cdef double over = 0.0, under = 0.0, t
        for j in range(self.hall_crah_ptr[h], self.hall_crah_ptr[h + 1]):
            if self.crah_kind[j] != DOOR:
                supply += self.crah_flow[j] * self.crah_supply[j]
                back += self.crah_flow[j] * self.crah_return[j]
                flow += self.crah_flow[j]
        if flow > 0.0:
            supply = supply / flow
            back = back / flow
        for r in range(self.hall_rack_ptr[h], self.hall_rack_ptr[h + 1]):
            t = self.rack_inlet[r]
            over += t - WARM_C if t > WARM_C else 0.0
            under += COOL_C - t if t < COOL_C else 0.0
            early += self.rack_flow[r] * (t - supply)
            all_of_it += self.rack_flow[r] * (self.rack_outlet[r] - supply)
            rise += self.rack_flow[r] * (self.rack_outlet[r] - t)
            drawn += self.rack_flow[r]
        self.hall_rci_hi[h] = 1.0 - over / ((HOT_C - WARM_C) * racks) if racks else 1.0
        self.hall_rci_lo[h] = 1.0 - under / ((COOL_C - COLD_C) * racks) if racks else 1.0
        self.hall_shi[h] = early / all_of_it if flow > 0.0 and all_of_it > 1e-6 and early > 0.0 else 0.0
        self.hall_rhi[h] = 1.0 - self.hall_shi[h] if flow > 0.0 and all_of_it > 1e-6 else 0.0
        self.hall_rti[h] = (back - supply) * drawn / rise if flow > 0.0 and rise > 1e-6 else 0.0

    cdef void _trace(self, Py_ssize_t h) noexcept nogil:
        """Where each rack's exhaust goes and where its inlet air comes from: two sweeps with a tracer."""
        cdef Py_ssize_t r, k
        for k in range(self.flow.cell_ptr[h], self.flow.cell_ptr[h + 1]):
            self.given[k] = 0.0
            self.caught[k] = 0.0
        self._machines_air(h, self.given, self.caught)
        self.flow.trace(h, self.given, self.caught)
        for r in range(self.hall_rack_ptr[h], self.hall_rack_ptr[h + 1]):
            self.rack_capture[r] = 0.0
            self.rack_supplied[r] = 0.0
            for k in range(self.rack_wide[r]):
                self.rack_capture[r] += self.caught[self.rack_rear[r] + k] / self.rack_wide[r]
                self.rack_supplied[r] += self.given[self.rack_front[r] + k] / self.rack_wide[r]

    cdef void _exhaust(self, Py_ssize_t r, Py_ssize_t h, double dt) noexcept nogil:
        """Air takes up the rack's heat, passes its metal (backward Euler), the rear door if there is one, and leaves."""
        cdef double air = self.rho_cp * self.rack_flow[r]
        cdef double contact = air * (1.0 - law_exp(-self.rack_metal[r] / air))
        cdef double heat = self.rack_heat[r] + (0.0 if self.settling else self.reject_heat[r])
        cdef double warm = self.rack_inlet[r] + heat / air
        cdef double metal = ((self.rack_mass[r] * self.rack_mass_temp[r] + dt * contact * warm)
                             / (self.rack_mass[r] + dt * contact))
        cdef double leaving
        cdef Py_ssize_t k
        self.e_stored += self.rack_mass[r] * (metal - self.rack_mass_temp[r])
        self.rack_mass_temp[r] = metal
        self.rack_outlet[r] = warm - contact / air * (warm - metal)
        leaving = self.rack_outlet[r]
        if self.rack_door[r] >= 0:
            leaving = self.door(self.rack_door[r], h, dt, self.rack_flow[r], leaving)
        for k in range(self.rack_wide[r]):
            self.gain[self.rack_rear[r] + k] += air * leaving / self.rack_wide[r]
        self.e_in += heat * dt
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
