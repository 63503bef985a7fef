# Buffers of the row loops: what ``LiquidKernel`` reads and writes, bound once. ``const`` is only read.
# Part of liquid.pyx.

cdef class LiquidBuffers:
    """Columns and parameters of all row loops of a site; one array per attribute, by its name."""

    # structure
    cdef const int[::1] tcs_hall, rack_first, rack_end, rack_node_ptr, tcs_cdu_ptr, cdu_loop, cdu_air_rack, cdu_pump_ptr, rack_stream
    cdef const double[::1] stream_heat_w
    # racks: parameters and faults, then what is written
    cdef const double[::1] rack_conductance, rack_supply_j_k, rack_compute_j_k, rack_switch_j_k
    cdef const double[::1] rack_switch_flow_frac, rack_switch_heat_w, rack_coupling_dp_frac, rack_filter_dp_frac
    cdef const double[::1] rack_trip_kg_s, rack_trip_delay_s, rack_liquid_heat_w, rack_inlet_temp_c, rack_valve_frac
    cdef const double[::1] rack_valve_k_factor, rack_coupling_factor, rack_filter_rate_ratio, rack_air_frac
    cdef const double[::1] rack_leak_m, node_valve_frac, rack_inlet_trip_c
    cdef const int[::1] rack_energised
    cdef double[::1] rack_supply_temp_c, rack_return_temp_c, rack_compute_temp_c, rack_switch_temp_c, rack_flow_kg_s
    cdef double[::1] rack_filter_factor, rack_low_flow_s, rack_reject_heat_w, rack_reject_flow_m3_s
    cdef int[::1] rack_protected
    # row loops
    cdef const double[::1] branch_n, cp, rho, mu_ln_0, mu_ln_1, mu_ln_2, mu_ln_3, mu_ln_4, rho_0, rho_1, rho_2
    cdef const double[::1] coolant_c_min, coolant_c_max, mu_rating, rho_rating, design_flow, header_j_k
    cdef const double[::1] pumps_on_duty, pump_h0, pump_b, pump_a, pump_best_flow, pump_efficiency, speed_min
    cdef const double[::1] pump_ramp, coast_tau, natural_head_m, pipes_kg, vessel_m3, precharge_pa, fill_pressure_pa
    cdef const double[::1] trip_pressure_pa, makeup_kg_s, makeup_temp_c, makeup_pressure_pa, return_tau_s
    cdef const double[::1] control_sample_s, dp_floor_pa, tcs_dp_setpoint_pa, tcs_return_limit_c, tcs_hold_return
    cdef const double[::1] tcs_lead_pump
    cdef double[::1] tcs_supply_temp_c, tcs_return_temp_c, tcs_flow_kg_s, tcs_dp_pa, tcs_flow_frac, tcs_dp_command_pa
    cdef double[::1] tcs_sample_s, tcs_inventory_kg, tcs_vessel_temp_c, tcs_pressure_pa, tcs_leak_kg_s, tcs_leaked_kg
    cdef double[::1] tcs_makeup_kg, tcs_tank_kg
    cdef int[::1] tcs_tripped
    # CDUs and pumps
    cdef const double[::1] primary_flow_design, ha_secondary, ha_primary, hx_exponent, hx_secondary_temp_c
    cdef const double[::1] hx_primary_temp_c, secondary_j_k, primary_j_k, secondary_flow_design, controls_w
    cdef const double[::1] power_fixed_w, valve_stroke_s, valve_gain, valve_reset_s, sample_s, dew_point_margin_k
    cdef const double[::1] fan_design_w, cdu_supply_setpoint_c, cdu_valve_stuck_frac, cdu_leak_m
    cdef const int[::1] cdu_fault, cdu_energised, pump_fault
    cdef double[::1] cdu_supply_temp_c, cdu_return_temp_c, cdu_flow_kg_s, cdu_primary_flow_kg_s
    cdef double[::1] cdu_primary_return_temp_c, cdu_heat_w, cdu_valve_frac, cdu_valve_integral, cdu_power_w
    cdef double[::1] cdu_sample_s, cdu_supply_error_k, cdu_air_heat_w, cdu_fan_power_w, pump_speed_frac
    cdef double[::1] pump_command_frac
    cdef int[::1] pump_running
    # the plant, as of the last tick
    cdef const double[::1] loop_supply_temp_c, loop_flow_frac, loop_cp, dew_point_temp_c
    # totals
    cdef double[::1] supply_temp_max_c, tick_in_j, tick_out_j, tick_stored_j
    # what blocked trays leave of a rack's conductance, and the switch trays' share of its flow with them (refresh)
    cdef double[::1] rack_trays, rack_switch_share
    # scratch, rewritten in every sub-step
    cdef double[::1] exchange, slope, offset, rack_slope, rack_offset, rack_open, rack_lost, cdu_lost, pump_flow
    cdef double[::1] row_conductance, primary_in_c, primary_w_k
    cdef Py_ssize_t rows
    cdef double e_in, e_out, e_stored, air_kg_m3

    cdef _bind_racks(self, buffers, Py_ssize_t racks, Py_ssize_t streams):
        self.rack_conductance = need(buffers, "rack_conductance", racks)
        self.rack_supply_j_k = need(buffers, "rack_supply_j_k", racks)
        self.rack_compute_j_k = need(buffers, "rack_compute_j_k", racks)
        self.rack_switch_j_k = need(buffers, "rack_switch_j_k", racks)
        self.rack_switch_flow_frac = need(buffers, "rack_switch_flow_frac", racks)
        self.rack_switch_heat_w = need(buffers, "rack_switch_heat_w", racks)
        self.rack_coupling_dp_frac = need(buffers, "rack_coupling_dp_frac", racks)
        self.rack_filter_dp_frac = need(buffers, "rack_filter_dp_frac", racks)
        self.rack_trip_kg_s = need(buffers, "rack_trip_kg_s", racks)
        self.rack_trip_delay_s = need(buffers, "rack_trip_delay_s", racks)
        self.rack_liquid_heat_w = need(buffers, "rack_liquid_heat_w", racks)
        self.rack_inlet_temp_c = need(buffers, "rack_inlet_temp_c", racks)
        self.rack_inlet_trip_c = need(buffers, "rack_inlet_trip_c", racks)
        self.rack_valve_frac = need(buffers, "rack_valve_frac", racks)
        self.rack_valve_k_factor = need(buffers, "rack_valve_k_factor", racks)
        self.rack_coupling_factor = need(buffers, "rack_coupling_factor", racks)
        self.rack_filter_rate_ratio = need(buffers, "rack_filter_rate_ratio", racks)
        self.rack_air_frac = need(buffers, "rack_air_frac", racks)
        self.rack_leak_m = need(buffers, "rack_leak_m", racks)
        self.rack_supply_temp_c = need(buffers, "rack_supply_temp_c", racks)
        self.rack_return_temp_c = need(buffers, "rack_return_temp_c", racks)
        self.rack_compute_temp_c = need(buffers, "rack_compute_temp_c", racks)
        self.rack_switch_temp_c = need(buffers, "rack_switch_temp_c", racks)
        self.rack_flow_kg_s = need(buffers, "rack_flow_kg_s", racks)
        self.rack_filter_factor = need(buffers, "rack_filter_factor", racks)
        self.rack_low_flow_s = need(buffers, "rack_low_flow_s", racks)
        self.rack_reject_heat_w = need(buffers, "rack_reject_heat_w", racks)
        self.rack_reject_flow_m3_s = need(buffers, "rack_reject_flow_m3_s", racks)
        self.rack_stream = need(buffers, "rack_stream", racks)
        self.rack_energised = need(buffers, "rack_energised", racks)
        self.rack_protected = need(buffers, "rack_protected", racks)
        self.stream_heat_w = need(buffers, "stream_heat_w", streams)

    cdef _bind_loops(self, buffers, Py_ssize_t tcs):
        self.branch_n = need(buffers, "branch_n", tcs)
        self.cp = need(buffers, "cp", tcs)
        self.rho = need(buffers, "rho", tcs)
        self.mu_ln_0 = need(buffers, "mu_ln_0", tcs)
        self.mu_ln_1 = need(buffers, "mu_ln_1", tcs)
        self.mu_ln_2 = need(buffers, "mu_ln_2", tcs)
        self.mu_ln_3 = need(buffers, "mu_ln_3", tcs)
        self.mu_ln_4 = need(buffers, "mu_ln_4", tcs)
        self.rho_0 = need(buffers, "rho_0", tcs)
        self.rho_1 = need(buffers, "rho_1", tcs)
        self.rho_2 = need(buffers, "rho_2", tcs)
        self.coolant_c_min = need(buffers, "coolant_c_min", tcs)
        self.coolant_c_max = need(buffers, "coolant_c_max", tcs)
        self.mu_rating = need(buffers, "mu_rating", tcs)
        self.rho_rating = need(buffers, "rho_rating", tcs)
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
        self.natural_head_m = need(buffers, "natural_head_m", tcs)
        self.pipes_kg = need(buffers, "pipes_kg", tcs)
        self.vessel_m3 = need(buffers, "vessel_m3", tcs)
        self.precharge_pa = need(buffers, "precharge_pa", tcs)
        self.fill_pressure_pa = need(buffers, "fill_pressure_pa", tcs)
        self.trip_pressure_pa = need(buffers, "trip_pressure_pa", tcs)
        self.makeup_kg_s = need(buffers, "makeup_kg_s", tcs)
        self.makeup_temp_c = need(buffers, "makeup_temp_c", tcs)
        self.makeup_pressure_pa = need(buffers, "makeup_pressure_pa", tcs)
        self.return_tau_s = need(buffers, "return_tau_s", tcs)
        self.control_sample_s = need(buffers, "control_sample_s", tcs)
        self.dp_floor_pa = need(buffers, "dp_floor_pa", tcs)
        self.rack_first = need(buffers, "rack_first", tcs)
        self.rack_end = need(buffers, "rack_end", tcs)

    cdef _bind_loop_state(self, buffers, Py_ssize_t tcs):
        self.tcs_dp_setpoint_pa = need(buffers, "tcs_dp_setpoint_pa", tcs)
        self.tcs_return_limit_c = need(buffers, "tcs_return_limit_c", tcs)
        self.tcs_hold_return = need(buffers, "tcs_hold_return", tcs)
        self.tcs_lead_pump = need(buffers, "tcs_lead_pump", tcs)
        self.tcs_supply_temp_c = need(buffers, "tcs_supply_temp_c", tcs)
        self.tcs_return_temp_c = need(buffers, "tcs_return_temp_c", tcs)
        self.tcs_flow_kg_s = need(buffers, "tcs_flow_kg_s", tcs)
        self.tcs_dp_pa = need(buffers, "tcs_dp_pa", tcs)
        self.tcs_flow_frac = need(buffers, "tcs_flow_frac", tcs)
        self.tcs_dp_command_pa = need(buffers, "tcs_dp_command_pa", tcs)
        self.tcs_sample_s = need(buffers, "tcs_sample_s", tcs)
        self.tcs_inventory_kg = need(buffers, "tcs_inventory_kg", tcs)
        self.tcs_vessel_temp_c = need(buffers, "tcs_vessel_temp_c", tcs)
        self.tcs_pressure_pa = need(buffers, "tcs_pressure_pa", tcs)
        self.tcs_leak_kg_s = need(buffers, "tcs_leak_kg_s", tcs)
        self.tcs_leaked_kg = need(buffers, "tcs_leaked_kg", tcs)
        self.tcs_makeup_kg = need(buffers, "tcs_makeup_kg", tcs)
        self.tcs_tank_kg = need(buffers, "tcs_tank_kg", tcs)
        self.tcs_tripped = need(buffers, "tcs_tripped", tcs)

    cdef _bind_cdus(self, buffers, Py_ssize_t cdus, Py_ssize_t pumps):
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
        self.fan_design_w = need(buffers, "fan_design_w", cdus)
        self.cdu_supply_setpoint_c = need(buffers, "cdu_supply_setpoint_c", cdus)
        self.cdu_valve_stuck_frac = need(buffers, "cdu_valve_stuck_frac", cdus)
        self.cdu_leak_m = need(buffers, "cdu_leak_m", cdus)
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
        self.cdu_air_heat_w = need(buffers, "cdu_air_heat_w", cdus)
        self.cdu_fan_power_w = need(buffers, "cdu_fan_power_w", cdus)
        self.cdu_loop = need(buffers, "cdu_loop", cdus)
        self.cdu_air_rack = need(buffers, "cdu_air_rack", cdus)
        self.cdu_fault = need(buffers, "cdu_fault", cdus)
        self.cdu_energised = need(buffers, "cdu_energised", cdus)
        self.cdu_pump_ptr = need(buffers, "cdu_pump_ptr", cdus + 1)
        self.pump_fault = need(buffers, "pump_fault", pumps)
        self.pump_speed_frac = need(buffers, "pump_speed_frac", pumps)
        self.pump_command_frac = need(buffers, "pump_command_frac", pumps)
        self.pump_running = need(buffers, "pump_running", pumps)
