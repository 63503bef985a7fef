# What a row loop holds: leaks, expansion vessel, make-up, pressure trip; and the racks' protection.
# Part of liquid.pyx.

cdef double _ATMOSPHERE_PA = 101325.0
cdef double _LEAK_CD = 0.61           # sharp-edged orifice
cdef double _FULL_BAND_PA = 2000.0    # make-up rests this close below the fill pressure


cdef class LiquidInventory(LiquidBuffers):
    """Mass of every row loop. What is in pipes, racks and exchangers stays there (they remain full); what leaks out is
    replaced from the expansion vessel, whose gas cushion sets the pressure, and the vessel from the make-up tank.
    An empty vessel has no pressure left, so the leak ends; by then the pressure trip has stopped the pumps.
    """

    cdef double _gauge(self, Py_ssize_t t) noexcept nogil:
        """Pressure at the pumps' suction over the atmosphere, Pa: gas of the vessel at constant temperature."""
        cdef double water = (self.tcs_inventory_kg[t] - self.pipes_kg[t]) / self.rho[t]
        if water <= 0.0:
            return 0.0
        return law_vessel_pressure_pa(water, self.vessel_m3[t], self.precharge_pa[t] + _ATMOSPHERE_PA) - _ATMOSPHERE_PA

    cdef double _leaks(self, Py_ssize_t t, double h) noexcept nogil:
        """Flow out of every hole of the row (``rack_lost``, ``cdu_lost``), kg/s, at most what the vessel replaces."""
        cdef Py_ssize_t i, j
        cdef double total = 0.0, pressure, held, limit
        cdef bint any_hole = False
        for i in range(self.rack_first[t], self.rack_end[t]):
            self.rack_lost[i] = 0.0
            any_hole = any_hole or self.rack_leak_m[i] > 0.0
        for j in range(self.tcs_cdu_ptr[t], self.tcs_cdu_ptr[t + 1]):
            self.cdu_lost[j] = 0.0
            any_hole = any_hole or self.cdu_leak_m[j] > 0.0
        if not any_hole:
            return 0.0
        pressure = self._gauge(t) + self.tcs_dp_pa[t]
        for i in range(self.rack_first[t], self.rack_end[t]):
            self.rack_lost[i] = law_leak_kg_s(self.rack_leak_m[i], _LEAK_CD, pressure, self.rho[t])
            total += self.rack_lost[i]
        for j in range(self.tcs_cdu_ptr[t], self.tcs_cdu_ptr[t + 1]):
            self.cdu_lost[j] = law_leak_kg_s(self.cdu_leak_m[j], _LEAK_CD, pressure, self.rho[t])
            total += self.cdu_lost[j]
        held = self.tcs_inventory_kg[t] - self.pipes_kg[t]
        held = held if held > 0.0 else 0.0
        if total * h <= held:
            return total
        limit = held / (total * h)
        for i in range(self.rack_first[t], self.rack_end[t]):
            self.rack_lost[i] *= limit
        for j in range(self.tcs_cdu_ptr[t], self.tcs_cdu_ptr[t + 1]):
            self.cdu_lost[j] *= limit
        return held / h

    cdef void _vessel(self, Py_ssize_t t, double h, double lost, double share) noexcept nogil:
        """Take what leaked from the vessel, give it what the make-up pumps deliver; mixed, so one temperature."""
        cdef Py_ssize_t j
        cdef double pressure, open_frac, made = 0.0, room, heat, before, after, pumps = 0.0
        cdef double warm = self.tcs_vessel_temp_c[t]
        before = self.tcs_inventory_kg[t] - self.pipes_kg[t]
        for j in range(self.tcs_cdu_ptr[t], self.tcs_cdu_ptr[t + 1]):
            if self.cdu_energised[j] != 0 and self.cdu_fault[j] == 0:
                pumps += 1.0
        pressure = self._gauge(t)
        open_frac = (self.fill_pressure_pa[t] - _FULL_BAND_PA - pressure) / (
            self.fill_pressure_pa[t] - self.makeup_pressure_pa[t])
        if open_frac > 0.0 and self.tcs_tank_kg[t] > 0.0:
            made = self.makeup_kg_s[t] * pumps * (open_frac if open_frac < 1.0 else 1.0) * h
            room = self._full_kg(t) - before + lost * h
            made = made if made < room else (room if room > 0.0 else 0.0)
            made = made if made < self.tcs_tank_kg[t] else self.tcs_tank_kg[t]
        if made > 0.0 or lost > 0.0:
            after = before - lost * h + made
            after = after if after > 0.0 else 0.0
            heat = (before - lost * h) * warm + made * self.makeup_temp_c[t]
            if after > 0.0:
                self.tcs_vessel_temp_c[t] = heat / after
            self.e_stored += self.cp[t] * (after * self.tcs_vessel_temp_c[t] - before * warm)
            self.e_out -= self.cp[t] * made * self.makeup_temp_c[t]
            self.tcs_inventory_kg[t] = self.pipes_kg[t] + after
            self.tcs_tank_kg[t] -= made
            self.tcs_makeup_kg[t] += made
            self.tcs_leaked_kg[t] += lost * h
            pressure = self._gauge(t)
        self.tcs_leak_kg_s[t] += share * lost
        self.tcs_pressure_pa[t] = pressure
        if pressure < self.trip_pressure_pa[t]:
            self.tcs_tripped[t] = 1

    cdef double _full_kg(self, Py_ssize_t t) noexcept nogil:
        """Coolant in the vessel at fill pressure, kg."""
        return self.rho[t] * self.vessel_m3[t] * (
            1.0 - (self.precharge_pa[t] + _ATMOSPHERE_PA) / (self.fill_pressure_pa[t] + _ATMOSPHERE_PA))

    cdef void _protect(self, Py_ssize_t i, double dt) noexcept nogil:
        """A live rack whose flow stays under its limit, or whose air stays over its own, for the delay switches itself
        off, until it is reset."""
        cdef bint hot = self.rack_inlet_trip_c[i] > 0.0 and self.rack_inlet_temp_c[i] > self.rack_inlet_trip_c[i]
        if self.rack_energised[i] != 0 and (hot or self.rack_flow_kg_s[i] < self.rack_trip_kg_s[i]):
            self.rack_low_flow_s[i] += dt
            if self.rack_low_flow_s[i] >= self.rack_trip_delay_s[i] - 1e-9:
                self.rack_protected[i] = 1
        else:
            self.rack_low_flow_s[i] = 0.0
