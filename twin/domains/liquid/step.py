"""The row loops' stepper: binds the kernel to the state; nothing else is kept."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from twin._kernels import laws
from twin._kernels.liquid import LiquidKernel
from twin.arrays import F64, I32, frozen_i32
from twin.domains.liquid.tanks import fill_tanks, tank_kernel
from twin.site.hydronics import Hydronics
from twin.site.site import Topology
from twin.wiring import Bind

#: opening of the primary valves of CDUs on duty in a fresh state
VALVE_START = 0.75
#: least pressure that the return controller asks for, over the design pressure: about 30 % of the flow
DP_FLOOR_FRAC = 0.1
#: density of the air through liquid-to-air units at sea level, kg/m3: at some 30 degC
AIR_KG_M3 = 1.15
#: columns that only other domains read
FOR_OTHERS = ("rack_plate_r_factor",)


def rack_streams(topology: Topology) -> I32:
    """Return the coolant stream of each liquid-cooled rack, -1 for the others."""
    out = np.full(len(topology.rack_row), -1, dtype=np.int32)
    for stream, rack in enumerate(topology.stream_rack):
        if not topology.stream_is_air[stream]:
            out[rack] = stream
    return out


class LiquidStepper:
    """Racks, headers, CDUs and their pumps and valves."""

    def __init__(self, bind: Bind) -> None:
        self._bind = bind
        self.kernel = _kernel(bind)
        self.tanks = tank_kernel(bind)
        self._start()

    def step(self, now_ns: int, dt_ns: int) -> None:
        """Advance the row loops by one tick, then the tanks."""
        self.kernel.run(dt_ns * 1e-9)
        if self.tanks is not None:
            self.tanks.run(dt_ns * 1e-9)

    def refresh(self) -> None:
        """Look at the trays again: a blocked one leaves its rack less conductance."""
        self.kernel.refresh()

    def _start(self) -> None:
        """Set-points of the specification, loops at supply temperature, pumps and valves as under load."""
        own, site = self._bind.own, self._bind.site.hydronics
        setpoint = site.cdu["supply_c"]
        own.cdu_supply_setpoint_c[:] = setpoint
        own.cdu_supply_temp_c[:] = setpoint
        own.cdu_valve_frac[:] = own.cdu_valve_integral[:] = VALVE_START * site.cdu["duty"]
        own.tcs_dp_setpoint_pa[:] = site.tcs["design_dp_pa"]
        own.tcs_hold_return[:] = site.tcs["hold_return"]
        own.tcs_return_limit_c[:] = site.tcs["return_c"]
        own.tcs_vessel_temp_c[:] = site.tcs["makeup_c"]
        own.tcs_tank_kg[:] = site.tcs["makeup_tank_kg"]
        for t in range(len(own.tcs_supply_temp_c)):
            cdu = int(site.tcs_cdu_ptr[t])
            first, end = site.tcs_rack_ptr[t]
            own.tcs_supply_temp_c[t] = own.tcs_return_temp_c[t] = setpoint[cdu]
            for column in (own.rack_supply_temp_c, own.rack_return_temp_c, own.rack_compute_temp_c,
                           own.rack_switch_temp_c):
                column[first:end] = setpoint[cdu]
        own.cdu_return_temp_c[:] = setpoint
        for j, loop in enumerate(site.cdu_loop):
            to_air = site.cdu_air_rack[j] >= 0
            own.cdu_primary_return_temp_c[j] = setpoint[j] if to_air else site.loop["supply_c"][loop]
        self.kernel.prime()
        if self.tanks is not None:
            fill_tanks(self._bind)
            self.tanks.prime()


def tcs_halls(site: Hydronics) -> I32:
    """Return the hall of each row loop: that of its first CDU."""
    return frozen_i32(site.cdu_hall[site.tcs_cdu_ptr[:-1]])


def _kernel(bind: Bind) -> LiquidKernel:
    own, views, site = bind.own, bind.views, bind.site.hydronics
    thin = bind.site.climate.air_density_frac
    return LiquidKernel(
        racks=len(site.rack_tcs), streams=len(bind.site.topology.stream_rack), tcs=len(site.tcs["cp_j_kgk"]),
        cdus=len(site.cdu_tcs), pumps=len(site.pump_cdu), loops=len(site.loops),
        rack_first=np.ascontiguousarray(site.tcs_rack_ptr[:, 0]),
        rack_end=np.ascontiguousarray(site.tcs_rack_ptr[:, 1]),
        tcs_cdu_ptr=site.tcs_cdu_ptr, cdu_loop=site.cdu_loop, cdu_air_rack=site.cdu_air_rack,
        cdu_pump_ptr=site.cdu_pump_ptr, rack_stream=rack_streams(bind.site.topology),
        stream_heat_w=views.chip.stream_heat_w, rack_liquid_heat_w=views.power.rack_liquid_heat_w,
        rack_energised=views.power.rack_energised, cdu_energised=views.power.cdu_energised,
        rack_inlet_temp_c=views.air.rack_inlet_temp_c, loop_supply_temp_c=views.plant.loop_supply_temp_c,
        loop_flow_frac=views.plant.loop_flow_frac, dew_point_temp_c=views.air.hall_dew_point_temp_c,
        halls=len(views.air.hall_dew_point_temp_c), tcs_hall=tcs_halls(site),
        nodes=len(own.node_valve_frac), rack_node_ptr=bind.site.topology.rack_node_ptr,
        loop_cp=site.loop["cp_j_kgk"], air_kg_m3=AIR_KG_M3 * thin, **_rack_params(site.rack), **_row_params(site.tcs),
        **_cdu_params(site.cdu, np.where(site.cdu_air_rack >= 0, thin, 1.0)),
        **{col.name: getattr(own, col.name) for col in own.columns
           if col.axis != "tank" and col.name not in FOR_OTHERS},
    )


def _rack_params(rack: Mapping[str, F64]) -> dict[str, F64]:
    names = {"conductance": "conductance", "supply_j_k": "supply_capacity_j_k", "compute_j_k": "compute_capacity_j_k",
             "switch_j_k": "switch_capacity_j_k", "switch_flow_frac": "switch_flow_frac",
             "switch_heat_w": "switch_heat_w", "coupling_dp_frac": "coupling_dp_frac",
             "filter_dp_frac": "filter_dp_frac", "trip_kg_s": "trip_flow_kg_s", "trip_delay_s": "trip_delay_s",
             "inlet_trip_c": "inlet_trip_c"}
    return {f"rack_{ours}": rack[theirs] for ours, theirs in names.items()}


def _row_params(tcs: Mapping[str, F64]) -> dict[str, F64]:
    names = {
        "branch_n": "branch_n", "cp": "cp_j_kgk", "rho": "rho_kg_m3", "mu_rating": "mu_rating_pa_s",
        "rho_rating": "rho_rating_kg_m3", "coolant_c_min": "temp_min_c", "coolant_c_max": "temp_max_c",
        "design_flow": "design_flow_m3_s", "header_j_k": "header_j_k", "pumps_on_duty": "pumps_on_duty",
        "pump_h0": "pump_h0_pa", "pump_b": "pump_b", "pump_a": "pump_a", "pump_best_flow": "pump_best_flow_m3_s",
        "pump_efficiency": "pump_efficiency_frac", "speed_min": "pump_speed_min_frac", "pump_ramp": "pump_ramp_per_s",
        "coast_tau": "pump_coast_tau_s", "natural_head_m": "natural_head_m", "pipes_kg": "pipes_kg",
        "vessel_m3": "vessel_m3", "precharge_pa": "precharge_pa", "fill_pressure_pa": "fill_pressure_pa",
        "trip_pressure_pa": "trip_pressure_pa", "makeup_kg_s": "makeup_flow_kg_s", "makeup_temp_c": "makeup_c",
        "makeup_pressure_pa": "makeup_pressure_pa", "return_tau_s": "return_reset_s", "control_sample_s": "sample_s"}
    fits = {key: tcs[key] for key in (*(f"mu_ln_{k}" for k in range(5)), "rho_0", "rho_1", "rho_2")}
    return {**{ours: tcs[theirs] for ours, theirs in names.items()}, **fits,
            "dp_floor_pa": DP_FLOOR_FRAC * tcs["design_dp_pa"]}


def _cdu_params(cdu: Mapping[str, F64], thin: F64) -> dict[str, F64]:
    """Return the kernel's parameters; ``thin`` is the density of the air over the rating's, 1 for CDUs on water.

    Thin air leaves a liquid-to-air unit less mass flow, a film that conducts with it to ``hx_exponent``, and less for
    its fans to do.
    """
    share = cdu["hx_secondary_share_frac"]
    film = laws.pow_array(thin, cdu["hx_exponent"])
    names = {
        "primary_flow_design": "primary_flow_design_kg_s", "hx_exponent": "hx_exponent",
        "hx_secondary_temp_c": "hx_secondary_temp_c", "hx_primary_temp_c": "hx_primary_temp_c",
        "secondary_j_k": "secondary_capacity_j_k", "primary_j_k": "primary_capacity_j_k",
        "secondary_flow_design": "flow_design_m3_s", "controls_w": "controls_w", "power_fixed_w": "power_fixed_w",
        "valve_stroke_s": "valve_stroke_s", "valve_gain": "valve_gain_per_k", "valve_reset_s": "valve_reset_s",
        "sample_s": "sample_s", "dew_point_margin_k": "dew_point_margin_k", "fan_design_w": "fan_design_w"}
    params = {ours: cdu[theirs] for ours, theirs in names.items()}
    return {**params, "ha_secondary": cdu["ua_design_w_k"] / share,
            "ha_primary": film * cdu["ua_design_w_k"] / (1.0 - share),
            "primary_flow_design": thin * params["primary_flow_design"], "fan_design_w": thin * params["fan_design_w"]}
