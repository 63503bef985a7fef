"""Machines that cool the air of halls: CRAHs, fan walls, in-row coolers and rear doors; their moisture.

All are a water coil with a valve, mostly with fans. CRAHs, fan walls and in-row coolers draw air from cells of the hall
and blow it into others; a rear door stands in the exhaust of its rack and adds its resistance to the server fans'.
A coil that is colder than the hall's dew point dries the air; the water that it takes out and its latent heat are
booked. The hall's humidity is one number, with make-up air that is dried or moistened to the recommended envelope.
"""

from libc.math cimport fabs

from twin._kernels.laws cimport (
    law_coil_w_k, law_dew_point_c, law_equal_percentage, law_exp, law_fan_power_w, law_pow,
    law_saturation_humidity_ratio, law_vapour_pressure_pa)

import numpy as np

cdef double STOPPED = 0.02        # a fan slower than this stands
cdef double CRAH_DEADBAND = 0.004
cdef double CRAH_APART = 0.05      # a CRAH this far from the others is brought back to them
cdef double FLOW_DEADBAND = 0.01  # error of the air supplied, over the CRAHs' design flow, that is left alone
cdef double CRAH_STEP = 0.25      # largest change of a CRAH's fan speed at a sample
cdef double FAN_KP = 0.3
cdef double FAN_KI = 0.5          # per sample
cdef double WARM_C = 27.0         # while the warmest inlet is above the recommended range, the hall's air grows ...
cdef double WARM_GAIN = 0.002     # ... by this share of the CRAHs' flow per kelvin and sample, and back again below it ...
cdef double WARM_MOST_K = 5.0      # ... at these distances at most
cdef double WARM_LEAST_K = -2.0
cdef double TRIM_MOST = 0.5
cdef double VALVE_KP = 0.01       # per kelvin
cdef double VALVE_KI = 0.01       # per kelvin and sample
cdef double LATENT_J_KG = 2.454e6  # of water at 20 degC; the condensate's own heat is left out
cdef double AIR_CP = 1006.0
cdef double MAKEUP_DEW_POINT_MIN_C = -9.0  # make-up air is moistened to this (ASHRAE TC 9.9, recommended envelope)
cdef double WET_SLOPE = 17.27 * 237.3      # d ln(saturation pressure)/dT = this/(T + 237.3)^2 (Magnus), for Newton


def take(buffers, names, Py_ssize_t length):
    """Return buffers by name, each checked to have ``length`` elements.

    Raises:
        ValueError: one is of another length.
        KeyError: one is missing.
    """
    out = []
    for name in names:
        array = buffers[name]
        if len(array) != length:
            raise ValueError(f"{name}: {len(array)} values instead of {length}")
        out.append(array)
    return out


cdef class AirMachines:
    """The air machines of all halls; ``AirKernel`` builds on it and binds it.

    ``bind_machines`` takes by machine ``crah_flow_design crah_fan_w crah_fan_min crah_tau_s crah_water_design
    crah_water_cp crah_valve_range crah_r_air crah_r_water crah_coil_j_k crah_guard_k crah_flow_loss crah_loop crah_kind``,
    bounds ``crah_out_ptr crah_in_ptr hall_crah_ptr`` with cells ``crah_out`` (blown into) and ``crah_in`` (drawn from),
    and by hall ``hall_air_kg hall_makeup_air_kg_s``. ``crah_guard_k`` is the distance of the coil's water from the
    hall's dew point, below 0 for a coil that may condense.
    """

    cdef object bind_machines(self, p, state, inputs):
        cdef Py_ssize_t loops = len(inputs["loop_supply_temp_c"])
        self.crahs = len(state["crah_supply_temp_c"])
        (self.crah_flow_design, self.crah_fan_w, self.crah_fan_min, self.crah_tau, self.crah_water_design,
         self.crah_water_cp, self.crah_valve_range, self.crah_r_air, self.crah_r_water, self.crah_coil,
         self.crah_guard, self.crah_flow_loss, self.crah_loop, self.crah_kind) = take(p, (
             "crah_flow_design", "crah_fan_w", "crah_fan_min", "crah_tau_s", "crah_water_design", "crah_water_cp",
             "crah_valve_range", "crah_r_air", "crah_r_water", "crah_coil_j_k", "crah_guard_k", "crah_flow_loss",
             "crah_loop", "crah_kind"), self.crahs)
        self.crah_out_ptr, self.crah_in_ptr = take(p, ("crah_out_ptr", "crah_in_ptr"), self.crahs + 1)
        self.crah_out, self.crah_in = p["crah_out"], p["crah_in"]
        (self.hall_crah_ptr,) = take(p, ("hall_crah_ptr",), self.halls + 1)
        self.hall_air_kg, self.hall_makeup_air = take(p, ("hall_air_kg", "hall_makeup_air_kg_s"), self.halls)
        (self.crah_supply, self.crah_return, self.crah_flow, self.crah_fan, self.crah_valve, self.crah_valve_i,
         self.crah_fan_i, self.crah_setpoint, self.crah_coil_temp, self.crah_water, self.crah_water_return,
         self.crah_heat, self.crah_power, self.crah_fault, self.crah_stuck, self.crah_stopped,
         self.crah_condensate) = take(state, (
             "crah_supply_temp_c", "crah_return_temp_c", "crah_air_flow_m3_s", "crah_fan_frac", "crah_valve_frac",
             "crah_valve_integral", "crah_fan_integral", "crah_supply_setpoint_c", "crah_coil_temp_c",
             "crah_water_flow_kg_s", "crah_water_return_temp_c", "crah_heat_w", "crah_power_w", "crah_fault",
             "crah_valve_stuck_frac", "crah_stopped", "crah_condensate_kg_s"), self.crahs)
        self.humidity, self.dew_point, self.makeup, self.makeup_dew_point, self.trim = take(state, (
            "hall_humidity_kg_kg", "hall_dew_point_temp_c", "hall_makeup_kg_s", "hall_makeup_dew_point_c",
            "hall_air_trim_frac"), self.halls)
        (self.condensate,) = take(state, ("condensate_kg",), 1)
        (self.crah_energised,) = take(inputs, ("crah_energised",), self.crahs)
        self.loop_supply, self.loop_frac = take(inputs, ("loop_supply_temp_c", "loop_flow_frac"), loops)
        self.outdoor_humidity, self.outdoor_pressure = take(inputs, (
            "outdoor_humidity_kg_kg", "outdoor_pressure_pa"), 1)
        if self.crahs and max(np.asarray(p["crah_loop"])) >= loops:
            raise ValueError("crah_loop: beyond the loops")
        self.start_supply = np.zeros(loops)
        self.settling = False

    # ---- fans and valves ----------------------------------------------------------------------------------

    cdef bint runs(self, Py_ssize_t j) noexcept nogil:
        """Whether a machine's fans have power and are not tripped."""
        return self.crah_fault[j] == 0 and (self.settling or self.crah_energised[j] != 0)

    cdef bint speeds(self, Py_ssize_t h, double dt, bint sample) noexcept nogil:
        """Move fans and valves of a hall's machines; return whether one of their flows changed."""
        cdef Py_ssize_t j
        cdef bint changed = False
        cdef double flow
        for j in range(self.hall_crah_ptr[h], self.hall_crah_ptr[h + 1]):
            if self.crah_kind[j] == DOOR:
                if self.crah_stuck[j] >= 0.0 or (sample and (self.settling or self.crah_energised[j] != 0)):
                    self._valve(j)
            else:
                if not self.runs(j):
                    self.crah_fan[j] = coast(self.crah_fan[j], dt, self.crah_tau[j])
                    self.crah_valve[j] = 0.0 if self.crah_stuck[j] < 0.0 else self.crah_stuck[j]
                elif sample or self.crah_stuck[j] >= 0.0:
                    self._valve(j)
                flow = self.crah_flow_design[j] * self.crah_fan[j]
                if flow != self.crah_flow[j]:
                    self.crah_flow[j] = flow
                    changed = True
            self.crah_stopped[j] = self.crah_fan_w[j] > 0.0 and self.crah_fan[j] < 0.05 and not self.runs(j)
        return changed

    cdef void fans(self, Py_ssize_t h, double drawn, double hottest) noexcept nogil:
        """The hall's machines hold a surplus of air over what the racks draw, more while inlets are warm; the integrals are
        the hall's own."""
        cdef Py_ssize_t j, j0 = self.hall_crah_ptr[h], j1 = self.hall_crah_ptr[h + 1]
        cdef double supplied = 0.0, able = 0.0, error, level, want, step, warm
        for j in range(j0, j1):
            if self.crah_kind[j] == DOOR:
                continue
            supplied += self.crah_flow[j]
            able += self.crah_flow_design[j] if self.runs(j) else 0.0
        if able <= 0.0:
            return
        warm = hottest - WARM_C
        warm = WARM_MOST_K if warm > WARM_MOST_K else (WARM_LEAST_K if warm < WARM_LEAST_K else warm)
        warm = self.trim[h] + WARM_GAIN * warm
        self.trim[h] = TRIM_MOST if warm > TRIM_MOST else (0.0 if warm < 0.0 else warm)
        error = (drawn * (1.0 + self.surplus[h]) - supplied) / able + self.trim[h]
        if fabs(error) < FLOW_DEADBAND:
            error = 0.0
        level = self.crah_fan_i[j0] + FAN_KI * error
        level = 1.0 if level > 1.0 else (self.crah_fan_min[j0] if level < self.crah_fan_min[j0] else level)
        for j in range(j0, j1):
            if self.crah_kind[j] == DOOR:
                continue
            self.crah_fan_i[j] = level
            if not self.runs(j):
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
        if self.crah_stuck[j] >= 0.0:
            self.crah_valve[j] = self.crah_stuck[j]
            return
        if self.crah_fan[j] < STOPPED and self.crah_kind[j] != DOOR:
            return
        level = 1.0 if level > 1.0 else (0.0 if level < 0.0 else level)
        self.crah_valve_i[j] = level
        want = level + VALVE_KP * error
        self.crah_valve[j] = 1.0 if want > 1.0 else (0.0 if want < 0.0 else want)

    cdef double door_share(self, Py_ssize_t j, double dt, double server_fan) noexcept nogil:
        """Move a door's fans, which follow the server fans; return the share of the rack's flow that is left."""
        if self.crah_fan_w[j] > 0.0:
            if self.runs(j):
                self.crah_fan[j] = server_fan
            else:
                self.crah_fan[j] = coast(self.crah_fan[j], dt, self.crah_tau[j])
        else:
            self.crah_fan[j] = 0.0
        return self.door_left(j, server_fan)

    cdef double door_left(self, Py_ssize_t j, double server_fan) noexcept nogil:
        """Share of the rack's air flow that passes the door: fans that turn as fast as the servers' take up its
        pressure drop, without them the whole loss stands."""
        cdef double help = self.crah_fan[j] / server_fan if server_fan > self.crah_fan[j] else 1.0
        return 1.0 - self.crah_flow_loss[j] * (1.0 - help)

    # ---- coils --------------------------------------------------------------------------------------------

    cdef double door(self, Py_ssize_t j, Py_ssize_t h, double dt, double flow, double temp_in) noexcept nogil:
        """A rear door takes the exhaust of its rack; return the air behind it."""
        cdef double air = self.rho_cp * flow, fan = self.crah_power[j]
        cdef double leaving = self._coil(j, h, dt, air, flow / self.crah_flow_design[j], temp_in) + fan / air
        self.e_in += fan * dt
        self.crah_flow[j] = flow
        self.crah_return[j] = temp_in
        self.crah_supply[j] = leaving
        self.crah_power[j] = law_fan_power_w(self.crah_fan[j], self.crah_fan_w[j])
        return leaving

    cdef void machine(self, Py_ssize_t j, Py_ssize_t h, double dt) noexcept nogil:
        """Return air meets the coil, then the fan's heat, and is blown into the hall; fan heat stays if it stands."""
        cdef double air = self.rho_cp * self.crah_flow[j], fan = self.crah_power[j]
        cdef Py_ssize_t k, n = self.crah_out_ptr[j + 1] - self.crah_out_ptr[j]
        cdef double metal = 0.0
        if air > 0.0:
            self.crah_supply[j] = self._coil(j, h, dt, air, self.crah_fan[j], self.crah_return[j])
            if self.crah_fan[j] >= 0.1 * self.crah_fan_min[j]:
                self.crah_supply[j] += fan / air
            else:
                metal = fan * dt / self.crah_coil[j]
            for k in range(self.crah_out_ptr[j], self.crah_out_ptr[j + 1]):
                self.gain[self.crah_out[k]] += air * self.crah_supply[j] / n
        else:
            self._coil(j, h, dt, 0.0, 0.0, self.crah_return[j])
            metal = fan * dt / self.crah_coil[j]
        self.crah_coil_temp[j] += metal
        self.e_stored += self.crah_coil[j] * metal
        self.e_in += fan * dt
        self.crah_power[j] = law_fan_power_w(self.crah_fan[j], self.crah_fan_w[j])

    cdef double _coil(self, Py_ssize_t j, Py_ssize_t h, double dt, double air, double share,
                      double temp_in) noexcept nogil:
        """Air (W/K; ``share`` of its design flow) meets the coil (steady), then its mass (backward Euler); return the air behind.

        A guarded coil mixes its own return into the water, so that it stays above the dew point.
        """
        cdef Py_ssize_t loop = self.crah_loop[j]
        cdef double frac = 1.0 if self.settling else self.loop_frac[loop]
        cdef double water_in = self.start_supply[loop] if self.settling else self.loop_supply[loop]
        cdef double kg = self.crah_water_design[j] * frac * law_equal_percentage(
            self.crah_valve[j], self.crah_valve_range[j])
        cdef double water = kg * self.crah_water_cp[j], y = kg / self.crah_water_design[j], drawn = kg
        cdef double entering = water_in, heat = 0.0, latent = 0.0, hold = self.crah_coil[j], leaving = temp_in
        cdef double metal = self.crah_coil_temp[j], per_air, contact, per_k
        if self.crah_guard[j] >= 0.0 and self.dew_point[h] + self.crah_guard[j] > water_in:
            entering = self.dew_point[h] + self.crah_guard[j]
        self.crah_condensate[j] = 0.0
        if air > 0.0:
            # film resistances by mass flow; a stream at a thousandth of its design hardly counts any more
            per_air = self.crah_r_air[j] * law_pow(share, -0.8)
            contact = air * (1.0 - law_exp(-1.0 / (per_air * air)))
            if y > 1e-3:
                per_k = law_coil_w_k(air, water, 1.0 / (per_air + self.crah_r_water[j] * law_pow(y, -0.85)))
                heat = per_k * (temp_in - entering)
                if entering > water_in and heat < 0.0:
                    heat = 0.0
                if entering < self.dew_point[h] and temp_in - heat / contact < self.dew_point[h] and not self.settling:
                    latent = self._condense(j, h, dt, contact, 1.0 / per_k - 1.0 / contact, temp_in, entering,
                                            temp_in - heat / contact)
                    heat = latent + (temp_in - self.wet_surface) * contact
            leaving = temp_in - (heat - latent) / air
            metal = (hold * metal + dt * contact * leaving) / (hold + dt * contact)
            leaving = leaving - contact / air * (leaving - metal)
            self.e_stored += hold * (metal - self.crah_coil_temp[j])
            self.crah_coil_temp[j] = metal
        self.e_out += heat * dt
        self.crah_heat[j] = heat
        self.crah_water_return[j] = water_in
        if y > 1e-3:
            self.crah_water_return[j] = entering + heat / water
            if entering > water_in:
                drawn = heat / (self.crah_water_cp[j] * (self.crah_water_return[j] - water_in))
        self.crah_water[j] = drawn
        return leaving

    cdef double _condense(self, Py_ssize_t j, Py_ssize_t h, double dt, double contact, double beyond, double temp_in,
                          double entering, double surface) noexcept nogil:
        """A coil below the dew point: find its surface temperature, take water from the hall's air; return latent heat, W.

        Heat and moisture reach the surface through the same film (Lewis number 1); behind it lies the resistance
        ``beyond`` (K/W) to the entering water. Newton from the dry surface; the root lies below the dew point.
        """
        cdef double film = contact / AIR_CP, w = self.humidity[h], p = self.outdoor_pressure[0]
        cdef double held = self.hall_air_kg[h], saturated, slope, gap, left, behind
        cdef int i
        behind = 1.0 / (beyond if beyond > 1e-9 else 1e-9)
        for i in range(8):
            saturated = law_saturation_humidity_ratio(surface, p)
            slope = saturated * WET_SLOPE / ((surface + 237.3) * (surface + 237.3))
            gap = contact * (temp_in - surface) + film * LATENT_J_KG * (w - saturated) - behind * (surface - entering)
            gap = gap / (contact + film * LATENT_J_KG * slope + behind)
            surface = surface + gap
            surface = self.dew_point[h] if surface > self.dew_point[h] else surface
            if fabs(gap) < 1e-7:
                break
        self.wet_surface = surface
        saturated = law_saturation_humidity_ratio(surface, p)
        if saturated >= w:
            return 0.0
        left = (held * w + dt * film * saturated) / (held + dt * film)
        self.humidity[h] = left
        self.crah_condensate[j] = held * (w - left) / dt
        self.condensate[0] += held * (w - left)
        self.e_stored -= LATENT_J_KG * held * (w - left)
        return LATENT_J_KG * held * (w - left) / dt

    cdef void inlet_of(self, Py_ssize_t j, double dt) noexcept nogil:
        """Read the new return air; the enthalpy it brought beyond the old one's goes into the coil's mass."""
        cdef double temp = 0.0, shift
        cdef Py_ssize_t k, n = self.crah_in_ptr[j + 1] - self.crah_in_ptr[j]
        for k in range(self.crah_in_ptr[j], self.crah_in_ptr[j + 1]):
            temp += self.cell_temp[self.crah_in[k]]
        temp = temp / n
        shift = self.rho_cp * self.crah_flow[j] * dt * (temp - self.crah_return[j]) / self.crah_coil[j]
        self.crah_coil_temp[j] += shift
        self.e_stored += self.crah_coil[j] * shift
        self.crah_return[j] = temp

    # ---- moisture -----------------------------------------------------------------------------------------

    cdef double makeup_humidity(self, Py_ssize_t h) noexcept nogil:
        """Humidity ratio of make-up air: outdoor air, dried or moistened."""
        cdef double w = self.outdoor_humidity[0]
        cdef double low = law_saturation_humidity_ratio(MAKEUP_DEW_POINT_MIN_C, self.outdoor_pressure[0])
        cdef double high = law_saturation_humidity_ratio(self.makeup_dew_point[h], self.outdoor_pressure[0])
        w = high if w > high else w
        return low if w < low else w

    cdef void moisture(self, Py_ssize_t h, double dt, bint sample) noexcept nogil:
        """Make-up air changes the hall's humidity (backward Euler); its latent heat leaves or enters with it."""
        cdef double held = self.hall_air_kg[h], air = self.hall_makeup_air[h] * dt, left
        if not self.settling:
            left = (held * self.humidity[h] + air * self.makeup_humidity(h)) / (held + air)
            self.makeup[h] = held * (left - self.humidity[h]) / dt
            self.e_stored += LATENT_J_KG * held * (left - self.humidity[h])
            self.e_out -= LATENT_J_KG * held * (left - self.humidity[h])
            self.humidity[h] = left
        if sample:
            self.dew_point[h] = law_dew_point_c(law_vapour_pressure_pa(self.humidity[h], self.outdoor_pressure[0]))


cdef double coast(double speed, double dt, double tau) noexcept nogil:
    """Speed of a fan without drive: 1/(1 + t/tau), by one implicit step; stands below 2 %."""
    speed = speed / (1.0 + dt / tau)
    return speed if speed > STOPPED else 0.0
