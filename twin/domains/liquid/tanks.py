"""Binding of the immersion tanks' kernel; a site without tanks has none."""

from __future__ import annotations

from twin._kernels.tank import TankKernel
from twin.arrays import I32, frozen_i32
from twin.site.site import Topology
from twin.wiring import Bind

#: a fresh single-phase bath is this much warmer above the boards than below, K
START_RISE_K = 6.0
#: columns that the kernel of the tanks shares with that of the row loops, each writing its own racks and CDUs
_SHARED = ("rack_supply_temp_c", "rack_return_temp_c", "rack_flow_kg_s", "cdu_supply_temp_c", "cdu_return_temp_c",
           "cdu_flow_kg_s", "cdu_primary_flow_kg_s", "cdu_primary_return_temp_c", "cdu_heat_w", "cdu_valve_frac",
           "cdu_valve_integral", "cdu_power_w", "cdu_sample_s", "cdu_supply_error_k", "cdu_supply_setpoint_c",
           "cdu_valve_stuck_frac", "cdu_fault", "pump_speed_frac", "pump_command_frac", "pump_fault", "pump_running",
           "rack_low_flow_s", "rack_protected", "supply_temp_max_c", "tick_in_j", "tick_out_j", "tick_stored_j")


def tank_kernel(bind: Bind) -> TankKernel | None:
    """Return the kernel of the site's tanks bound to the state, None when there are none."""
    own, views, site = bind.own, bind.views, bind.site.hydronics
    tanks, cdu, v = site.tanks, site.cdu, site.tanks.values
    if not len(tanks.rack):
        return None
    share = cdu["hx_secondary_share_frac"]
    columns = {col.name: getattr(own, col.name) for col in own.columns if col.axis == "tank" or col.name in _SHARED}
    return TankKernel(
        tanks=len(tanks.rack), racks=len(site.rack_tcs), streams=len(bind.site.topology.stream_rack),
        gpus=len(bind.site.topology.gpu_rack), cdus=len(site.cdu_tcs), pumps=len(site.pump_cdu),
        loops=len(site.loops), tank_rack=tanks.rack, tank_cdu=tanks.cdu, two_phase=tanks.two_phase,
        tank_stream=_streams(bind.site.topology, tanks.rack), gpu_first=tanks.gpu_first, gpu_end=tanks.gpu_end,
        cdu_loop=site.cdu_loop, cdu_pump_ptr=site.cdu_pump_ptr,
        cp=v["cp_j_kgk"], rho=v["rho_kg_m3"], expansion=v["expansion_per_k"], latent=v["latent_heat_j_kg"],
        vapour_rho=v["vapour_rho_kg_m3"], boil_c=v["boil_temp_c"], slope_k=v["vapour_slope_k"],
        tension=v["tension_n_m"], full_kg=v["fluid_full_kg"], volume_m3=v["tank_volume_m3"],
        metal_j_k=v["bath_metal_j_k"], low_frac=v["bath_low_frac"], bare_frac=v["bath_bare_frac"],
        height_m=v["bath_height_m"], flow_design=v["liquid_flow_design_kg_s"], dp_design=v["liquid_dp_design_pa"],
        exponent=v["branch_n"], boiling_area_m2=v["boiling_area_m2"], chf_k=v["chf_factor_ratio"],
        film_ratio=v["film_ratio"], plate_flow=v["plate_flow_design_kg_s"], vent_set_pa=v["vent_set_pa"],
        vent_area_m2=v["vent_area_m2"], trip_c=v["bath_trip_c"], trip_frac=v["bath_trip_frac"],
        trip_delay_s=v["liquid_trip_delay_s"], rack_energised=views.power.rack_energised,
        primary_flow_design=cdu["primary_flow_design_kg_s"],
        ha_secondary=cdu["ua_design_w_k"] / share, ha_primary=cdu["ua_design_w_k"] / (1.0 - share),
        hx_exponent=cdu["hx_exponent"], hx_secondary_temp_c=cdu["hx_secondary_temp_c"],
        hx_primary_temp_c=cdu["hx_primary_temp_c"], secondary_j_k=cdu["secondary_capacity_j_k"],
        primary_j_k=cdu["primary_capacity_j_k"], controls_w=cdu["controls_w"], valve_stroke_s=cdu["valve_stroke_s"],
        valve_gain=cdu["valve_gain_per_k"], valve_reset_s=cdu["valve_reset_s"], sample_s=cdu["sample_s"],
        pump_flow_design=v["flow_design_m3_s"] * v["rho_kg_m3"], pump_design_w=v["pump_design_w"],
        speed_min=v["pump_speed_min_frac"], pump_ramp=v["pump_ramp_per_s"], coast_tau=v["pump_coast_tau_s"],
        pumps_on_duty=v["pumps_on_duty"], cdu_energised=views.power.cdu_energised,
        stream_heat_w=views.chip.stream_heat_w, rack_liquid_heat_w=views.power.rack_liquid_heat_w,
        gpu_power_w=views.chip.gpu_power_w, loop_supply_temp_c=views.plant.loop_supply_temp_c,
        loop_flow_frac=views.plant.loop_flow_frac, loop_cp=site.loop["cp_j_kgk"],
        pressure_pa=views.weather.pressure_pa, **columns,
    )


def fill_tanks(bind: Bind) -> None:
    """Fill the tanks of a fresh state with fluid at their set-point."""
    own, tanks = bind.own, bind.site.hydronics.tanks
    own.tank_fluid_kg[:] = tanks.values["fluid_full_kg"]
    for rack, cdu, boils in zip(tanks.rack, tanks.cdu, tanks.two_phase, strict=True):
        rise = 0.0 if boils else START_RISE_K
        own.rack_supply_temp_c[rack] = own.cdu_supply_setpoint_c[cdu]
        own.rack_return_temp_c[rack] = own.cdu_return_temp_c[cdu] = own.cdu_supply_setpoint_c[cdu] + rise


def _streams(topology: Topology, racks: I32) -> I32:
    """Return the coolant stream of each tank's rack."""
    stream_of = {int(rack): stream for stream, rack in enumerate(topology.stream_rack)}
    return frozen_i32([stream_of[int(rack)] for rack in racks])
