# Heat of the row loops: exchangers, headers and racks of a row advance together by one implicit step.
# Part of liquid.pyx.

cdef class LiquidHeat(LiquidInventory):
    """Temperatures of every row loop, and what it takes in, stores and gives off."""

    cdef void _exchangers(self, Py_ssize_t t) noexcept nogil:
        """Primary stream and eps Cmin (``exchange``, W/K) of every CDU of the row at its present flows."""
        cdef Py_ssize_t j, loop
        cdef double ms, mp, share, ua, c_s, c_p, c_min, c_max
        cdef bint to_air
        for j in range(self.tcs_cdu_ptr[t], self.tcs_cdu_ptr[t + 1]):
            to_air = self.cdu_air_rack[j] >= 0
            loop = self.cdu_loop[j]
            ms = self.cdu_flow_kg_s[j]
            if to_air:
                share = self.cdu_valve_frac[j] if self.cdu_energised[j] != 0 and self.cdu_fault[j] == 0 else 0.0
                self.primary_in_c[j] = self.rack_inlet_temp_c[self.cdu_air_rack[j]]
            else:
                share = law_valve_share(self.cdu_valve_frac[j]) * self.loop_flow_frac[loop]
                self.primary_in_c[j] = self.loop_supply_temp_c[loop]
            mp = self.primary_flow_design[j] * share
            c_p = mp * (_AIR_CP_J_KGK if to_air else self.loop_cp[loop])
            self.primary_w_k[j] = c_p
            self.cdu_primary_flow_kg_s[j] = 0.0 if to_air else mp
            if ms <= 0.0 or mp <= 0.0:
                self.exchange[j] = 0.0
                continue
            ua = law_series_ua_w_k(
                self.ha_secondary[j] * law_ha_ratio(
                    ms / (self.rho[t] * self.secondary_flow_design[j]), self.hx_exponent[j],
                    0.5 * (self.cdu_supply_temp_c[j] + self.tcs_return_temp_c[t]), self.hx_secondary_temp_c[j]),
                self.ha_primary[j] * law_ha_ratio(
                    mp / self.primary_flow_design[j], self.hx_exponent[j],
                    0.5 * (self.cdu_primary_return_temp_c[j] + self.primary_in_c[j]), self.hx_primary_temp_c[j]))
            c_s = ms * self.cp[t]
            c_min = c_s if c_s < c_p else c_p
            c_max = c_p if c_s < c_p else c_s
            if to_air:
                self.exchange[j] = law_eps_ntu_crossflow_unmixed(ua / c_min, c_min / c_max) * c_min
            else:
                self.exchange[j] = law_eps_ntu_counterflow(ua / c_min, c_min / c_max) * c_min

    cdef void _temperatures(self, Py_ssize_t t, double h, double share) noexcept nogil:
        """One implicit step of the whole ring: return header x -> CDUs -> supply header a x + b -> racks -> x."""
        cdef double c_h = self.header_j_k[t], a = 0.0, b = 0.0, u = 0.0, w = 0.0, x, supply
        cdef double out = h * self.cp[t] * self.tcs_flow_kg_s[t], lost = 0.0, back
        cdef Py_ssize_t i, j
        # what leaks from racks leaves by the supply header; the vessel gives all that leaks to the return header
        for i in range(self.rack_first[t], self.rack_end[t]):
            lost += self.rack_lost[i]
        out += h * self.cp[t] * lost
        back = out
        for j in range(self.tcs_cdu_ptr[t], self.tcs_cdu_ptr[t + 1]):
            lost += self.cdu_lost[j]
            back += h * self.cp[t] * self.cdu_lost[j]
        self._exchangers(t)
        self._cdu_lines(t, h, share, &a, &b)
        a = a / (c_h + out)
        b = (b + c_h * self.tcs_supply_temp_c[t]) / (c_h + out)
        self._rack_lines(t, h, &u, &w)
        w += h * self.cp[t] * lost * self.tcs_vessel_temp_c[t]
        x = (c_h * self.tcs_return_temp_c[t] + u * b + w) / (c_h + back - u * a)
        supply = a * x + b
        self._settle_racks(t, h, supply)
        self._settle_cdus(t, h, share, x)
        self.e_stored += c_h * (x - self.tcs_return_temp_c[t]) + c_h * (supply - self.tcs_supply_temp_c[t])
        self.tcs_return_temp_c[t] = x
        self.tcs_supply_temp_c[t] = supply
        self._vessel(t, h, lost, share)

    cdef void _cdu_lines(self, Py_ssize_t t, double h, double share, double *a, double *b) noexcept nogil:
        """Each CDU's new outlet as slope x + offset; their sum into the supply header, with the CDUs' metered power.

        The power of a liquid-to-air unit's fans goes to the air, all other power to the coolant.
        """
        cdef Py_ssize_t j
        cdef double k, e, on, power = 0.0
        for j in range(self.tcs_cdu_ptr[t], self.tcs_cdu_ptr[t + 1]):
            k = h * self.cp[t] * self.cdu_flow_kg_s[j]
            e = h * self.exchange[j]
            self.slope[j] = (k - e) / (self.secondary_j_k[j] + k)
            self.offset[j] = (self.secondary_j_k[j] * self.cdu_supply_temp_c[j] + e * self.primary_in_c[j]) / (
                self.secondary_j_k[j] + k)
            on = k - h * self.cp[t] * self.cdu_lost[j]
            a[0] += on * self.slope[j]
            b[0] += on * self.offset[j]
            power += self.cdu_power_w[j] - self.cdu_fan_power_w[j]
            self.e_in += h * self.cdu_fan_power_w[j]
            if self.cdu_fan_power_w[j] > 0.0:
                self._to_air(j, self.cdu_fan_power_w[j], share, h)
        b[0] += h * power
        self.e_in += h * power

    cdef inline void _to_air(self, Py_ssize_t j, double heat_w, double share, double h) noexcept nogil:
        """Hand heat of a liquid-to-air unit to the air behind the rack that it stands at."""
        self.rack_reject_heat_w[self.cdu_air_rack[j]] += share * heat_w
        self.cdu_air_heat_w[j] += share * heat_w
        self.e_out += h * heat_w

    cdef void _rack_lines(self, Py_ssize_t t, double h, double *u, double *w) noexcept nogil:
        """Each rack's new return as slope supply + offset; their sum into the return header.

        Compute and switch trays hang in parallel behind the rack's supply; the return is their mixture.
        """
        cdef Py_ssize_t i
        cdef double k, kc, ks, near, heat, switches, lead, fixed, part, cs
        for i in range(self.rack_first[t], self.rack_end[t]):
            k = h * self.cp[t] * self.rack_flow_kg_s[i]
            heat = self.rack_liquid_heat_w[i]
            switches = self.rack_switch_heat_w[i] if self.rack_switch_heat_w[i] < heat else heat
            if self.rack_stream[i] >= 0:
                heat = heat + self.stream_heat_w[self.rack_stream[i]]
            near = self.rack_supply_j_k[i]
            part = k + h * self.cp[t] * self.rack_lost[i]
            lead = part / (near + part)
            fixed = near * self.rack_supply_temp_c[i] / (near + part)
            ks = k * self.rack_switch_share[i]
            kc = k - ks
            part = kc / (self.rack_compute_j_k[i] + kc)
            self.rack_slope[i] = kc * part
            self.rack_offset[i] = kc * (self.rack_compute_j_k[i] * self.rack_compute_temp_c[i]
                                        + h * (heat - switches)) / (self.rack_compute_j_k[i] + kc)
            cs = self.rack_switch_j_k[i]
            if cs > 0.0:
                part = ks / (cs + ks)
                self.rack_slope[i] += ks * part
                self.rack_offset[i] += ks * (cs * self.rack_switch_temp_c[i] + h * switches) / (cs + ks)
            u[0] += self.rack_slope[i] * lead
            w[0] += self.rack_offset[i] + self.rack_slope[i] * fixed
            self.e_in += h * heat

    cdef void _settle_racks(self, Py_ssize_t t, double h, double supply) noexcept nogil:
        """New temperatures of the racks, now that the supply header's is known."""
        cdef Py_ssize_t i
        cdef double k, kc, ks, cc, cs, near, new, fresh, heat, switches, lost, trays
        for i in range(self.rack_first[t], self.rack_end[t]):
            lost = h * self.cp[t] * self.rack_lost[i]
            k = h * self.cp[t] * self.rack_flow_kg_s[i]
            heat = self.rack_liquid_heat_w[i]
            switches = self.rack_switch_heat_w[i] if self.rack_switch_heat_w[i] < heat else heat
            if self.rack_stream[i] >= 0:
                heat = heat + self.stream_heat_w[self.rack_stream[i]]
            near = self.rack_supply_j_k[i]
            fresh = (near * self.rack_supply_temp_c[i] + (k + lost) * supply) / (near + (k + lost))
            self.e_stored += near * (fresh - self.rack_supply_temp_c[i])
            self.e_out += lost * fresh
            self.rack_supply_temp_c[i] = fresh
            ks = k * self.rack_switch_share[i]
            kc = k - ks
            cc = self.rack_compute_j_k[i]
            trays = (cc * self.rack_compute_temp_c[i] + kc * fresh + h * (heat - switches)) / (cc + kc)
            self.e_stored += cc * (trays - self.rack_compute_temp_c[i])
            self.rack_compute_temp_c[i] = trays
            cs = self.rack_switch_j_k[i]
            new = trays
            if cs > 0.0:
                new = (cs * self.rack_switch_temp_c[i] + ks * fresh + h * switches) / (cs + ks)
                self.e_stored += cs * (new - self.rack_switch_temp_c[i])
            self.rack_switch_temp_c[i] = new
            self.rack_return_temp_c[i] = trays + self.rack_switch_share[i] * (new - trays)

    cdef void _settle_cdus(self, Py_ssize_t t, double h, double share, double x) noexcept nogil:
        """New temperatures of both sides of the CDUs, and the heat that they give to the plant or to the air."""
        cdef Py_ssize_t j
        cdef double k, old, new, tp_in
        for j in range(self.tcs_cdu_ptr[t], self.tcs_cdu_ptr[t + 1]):
            tp_in = self.primary_in_c[j]
            new = self.slope[j] * x + self.offset[j]
            self.e_stored += self.secondary_j_k[j] * (new - self.cdu_supply_temp_c[j])
            self.e_out += h * self.cp[t] * self.cdu_lost[j] * new
            self.cdu_supply_temp_c[j] = new
            self.cdu_return_temp_c[j] = x
            k = h * self.primary_w_k[j]
            old = self.cdu_primary_return_temp_c[j]
            new = (self.primary_j_k[j] * old + h * self.exchange[j] * (x - tp_in) + k * tp_in) / (
                self.primary_j_k[j] + k)
            self.e_stored += self.primary_j_k[j] * (new - old)
            self.cdu_primary_return_temp_c[j] = new
            if self.cdu_air_rack[j] < 0:
                self.e_out += k * (new - tp_in)
                self.cdu_heat_w[j] += share * (k * (new - tp_in) / h)
            else:
                self._to_air(j, self.primary_w_k[j] * (new - tp_in), share, h)
                self.rack_reject_flow_m3_s[self.cdu_air_rack[j]] += share * (
                    self.primary_w_k[j] / (_AIR_CP_J_KGK * self.air_kg_m3))
