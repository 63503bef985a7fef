"""The plant's stepper: binds the kernel to the state; nothing else is kept."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from twin._kernels import laws
from twin._kernels.plant import PlantKernel
from twin.arrays import F64
from twin.site.site import Site
from twin.wiring import Bind

#: A fresh loop returns this much warmer than it supplies, K; fans and chillers start at this share of their range.
RETURN_RISE_K, CONTROL_START, LOAD_START = 6.0, 0.5, 0.5


class PlantStepper:
    """Loops, distribution pumps, coolers, towers, chillers."""

    def __init__(self, bind: Bind) -> None:
        self._bind = bind
        self.kernel = _kernel(bind)
        self._start()

    def step(self, now_ns: int, dt_ns: int) -> None:
        """Advance the plant by one tick."""
        self.kernel.run(dt_ns * 1e-9)

    def refresh(self) -> None:
        """Nothing is cached beside the state."""

    def _start(self) -> None:
        """Set-points of the specification, loops at supply temperature, machines at half their range."""
        own, site = self._bind.own, self._bind.site.hydronics
        supply = site.loop["supply_c"]
        own.loop_setpoint_c[:] = own.loop_supply_temp_c[:] = own.loop_leaving_temp_c[:] = supply
        own.loop_return_temp_c[:] = supply + RETURN_RISE_K
        own.rejector_integral[:] = CONTROL_START
        own.rejector_outlet_temp_c[:] = supply[site.rejector_loop]
        own.chiller_load_frac[:] = LOAD_START


def coolers_here(site: Site) -> Mapping[str, F64]:
    """Return the parameters of the groups of coolers at the site's altitude; their ratings hold at sea level.

    Fans move the same volume anywhere, so mass flow and power go with the density of the air. In a dry cooler the air's
    film conducts with the mass flow to the power 0.8 (``law_dry_cooler_ua_ratio``), its share of the resistance grows.
    A tower's UA goes with the air's volume, as in EnergyPlus, and stays.
    """
    rated, thin = site.hydronics.rejector, site.climate.air_density_frac
    dry = site.hydronics.rejector_is_tower == 0
    film = np.where(dry, rated["air_film_share_frac"] * laws.pow(thin, -0.8), rated["air_film_share_frac"])
    grown = 1.0 - rated["air_film_share_frac"] + film
    return {**rated, "air_flow_design_kg_s": thin * rated["air_flow_design_kg_s"],
            "fan_design_w": thin * rated["fan_design_w"], "ua_design_w_k": rated["ua_design_w_k"] / grown,
            "air_film_share_frac": film / grown}


def _kernel(bind: Bind) -> PlantKernel:
    own, views, site, floor = bind.own, bind.views, bind.site.hydronics, bind.site.floor
    loop, rejector, chiller = site.loop, coolers_here(bind.site), site.chiller
    return PlantKernel(
        loops=len(site.loops), rejectors=len(site.rejector_loop), chillers=len(site.chiller_loop),
        cdus=len(site.cdu_loop), crahs=len(floor.crah_loop),
        loop_order=site.loop_order, loop_rejector_ptr=site.loop_rejector_ptr, is_tower=site.rejector_is_tower,
        chiller_loop=site.chiller_loop, condenser_loop=site.chiller_condenser_loop, cdu_loop=site.cdu_loop,
        crah_loop=floor.crah_loop, plant_energised=views.power.plant_energised,
        cdu_heat_w=views.liquid.cdu_heat_w, cdu_primary_flow_kg_s=views.liquid.cdu_primary_flow_kg_s,
        crah_heat_w=views.air.crah_heat_w, crah_water_flow_kg_s=views.air.crah_water_flow_kg_s,
        outdoor_temp_c=views.weather.outdoor_temp_c, wet_bulb_temp_c=views.weather.wet_bulb_temp_c,
        humidity_ratio_kg_kg=views.weather.humidity_ratio_kg_kg, pressure_pa=views.weather.pressure_pa,
        half_capacity_j_k=loop["half_capacity_j_k"], design_flow=loop["design_flow_kg_s"], pumps=loop["pumps"],
        pump_spares=loop["pump_spares"], cp=loop["cp_j_kgk"], rho=loop["rho_kg_m3"],
        head_design_pa=loop["head_design_pa"], shutoff_ratio=loop["shutoff_ratio"],
        control_head_frac=loop["control_head_frac"], pump_efficiency=loop["efficiency_frac"],
        pump_speed_min=loop["speed_min_frac"], pump_ramp=loop["ramp_per_s"], pump_coast_tau=loop["coast_tau_s"],
        minimum_flow_frac=loop["minimum_flow_frac"], units=rejector["units"], spares=rejector["spares"],
        ua_design=rejector["ua_design_w_k"], air_flow_design=rejector["air_flow_design_kg_s"],
        water_flow_design=rejector["water_flow_design_kg_s"], air_film_share=rejector["air_film_share_frac"],
        wet_bulb_design_c=rejector["wet_bulb_design_c"], free_convection=rejector["free_convection_frac"],
        fan_design_w=rejector["fan_design_w"], fan_ramp=rejector["fan_ramp_per_s"], gain=rejector["gain_per_k"],
        reset_s=rejector["reset_s"], rejector_sample_s=rejector["sample_s"], drift_frac=rejector["drift_frac"],
        cycles_ratio=rejector["cycles_ratio"], chiller_units=chiller["units"], chiller_spares=chiller["spares"],
        chiller_capacity_w=chiller["capacity_w"], carnot_efficiency=chiller["carnot_efficiency_frac"],
        part_load_0=chiller["part_load_0"], part_load_1=chiller["part_load_1"], part_load_2=chiller["part_load_2"],
        evaporator_approach_k=chiller["evaporator_approach_k"], condenser_approach_k=chiller["condenser_approach_k"],
        air_condenser_approach_k=chiller["air_condenser_approach_k"], condenser_range_k=chiller["condenser_range_k"],
        lift_min_k=chiller["lift_min_k"], cop_max=chiller["cop_max"], restart_s=chiller["restart_s"],
        load_ramp=chiller["load_ramp_per_s"], **{col.name: getattr(own, col.name) for col in own.columns},
    )
