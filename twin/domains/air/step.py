"""Hall air of a tick: fans and valves, flow when they moved, heat through racks, cells and CRAHs."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from twin._kernels import laws
from twin._kernels.air import AirKernel
from twin._kernels.airflow import AirFlow
from twin.arrays import F64, total
from twin.catalog.entry import Entry
from twin.domains.air.openings import Openings
from twin.errors import CatalogError
from twin.units import KELVIN_OFFSET, NS_PER_S
from twin.wiring import Bind

#: specific heat of air, J/kgK, and gas constant of dry air, J/kgK.
AIR_CP_J_KGK, AIR_R_J_KGK = 1006.0, 287.042
#: temperature at which the constant density of the halls' air is taken.
AIR_TEMP_C = 27.0
#: air supplied beyond what the racks draw (engineering estimates).
SURPLUS_FRAC = {"open": 0.2, "cold-contained": 0.05, "hot-contained": 0.05}
#: the film of the air in a coil conducts with the mass flow to this power (Modelica Buildings, HADryCoil).
COIL_AIR_EXPONENT = 0.8
#: a rack's metal follows its air with this time constant, s: 65 kJ/K at 500 W/K (engineering estimate).
METAL_TAU_S = 130.0
#: server fans: slowest and fastest speed over the design speed when the rack's entry does not say (estimates).
FAN_MIN_FRAC, FAN_MAX_FRAC = 0.35, 1.25
SAMPLE_S = 10.0
#: make-up air that keeps a hall's pressure, air changes per hour (engineering estimate).
MAKEUP_PER_H = 0.25
#: a fresh state is settled at this share of the racks' design heat, by so many steps of 30 s.
START_SHARE, START_STEPS = 0.5, 80


class AirStepper:
    """The air domain, bound: a kernel and the openings between its cells."""

    def __init__(self, bind: Bind) -> None:
        site, self._own = bind.site, bind.own
        floor = site.floor
        self._floor = floor
        density = laws.standard_pressure_pa(site.climate.altitude_m) / (AIR_R_J_KGK * (AIR_TEMP_C + KELVIN_OFFSET))
        rho_cp = density * AIR_CP_J_KGK
        self._openings = Openings(floor)
        flow = AirFlow(
            cell_ptr=floor.hall_cell_ptr, nx=floor.hall_nx, ny=floor.hall_ny, gx=floor.cell_gx, gy=floor.cell_gy,
            gz=floor.cell_gz, volume_m3=floor.cell_volume_m3, rho_cp_j_m3k=rho_cp, factor=self._openings.factor,
            factor_at=self._openings.factor_at, potential=bind.own.cell_potential,
        )
        surplus = np.array([SURPLUS_FRAC[kind] for kind in floor.hall_aisle])
        views = bind.views
        self._kernel = AirKernel(
            flow=flow, rho_cp_j_m3k=rho_cp, surplus_frac=surplus, sample_s=SAMPLE_S,
            params=site.once("air", lambda: {**_rack_params(site, rho_cp), **_crah_params(site, density),
                                             **_places(site), **_moisture(site, density)}),
            state=bind.own.arrays(),
            inputs={
                "stream_heat_w": views.chip.stream_heat_w, "rack_air_heat_w": views.power.rack_air_heat_w,
                "rack_reject_heat_w": views.liquid.rack_reject_heat_w,
                "rack_reject_flow_m3_s": views.liquid.rack_reject_flow_m3_s,
                "rack_gpu_temp_c_max": views.chip.rack_gpu_temp_c_max,
                "rack_temp_limit_c": views.chip.rack_temp_limit_c,
                "rack_energised": views.power.rack_energised, "crah_energised": views.power.crah_energised,
                "service_power_w": views.power.hall_service_w,
                "loop_supply_temp_c": views.plant.loop_supply_temp_c, "loop_flow_frac": views.plant.loop_flow_frac,
                "outdoor_humidity_kg_kg": views.weather.humidity_ratio_kg_kg,
                "outdoor_pressure_pa": views.weather.pressure_pa,
            },
        )
        self._loop_start_c = np.array([loop.supply_c for loop in site.spec.plant.loop], dtype=np.float64)

    def step(self, now_ns: int, dt_ns: int) -> None:
        """Advance the halls' air by ``dt_ns``."""
        self._kernel.run(dt_ns / NS_PER_S)

    def refresh(self) -> None:
        """Rebuild the flow's caches from the state; bring a fresh state to its operating point first."""
        own = self._own
        self._openings.apply(self._kernel.flow, own.rack_gap_frac, own.aisle_door_frac)
        if own.flow_solved_version[0] < 0:
            own.crah_supply_setpoint_c[:] = self._floor.crah_supply_c
            own.crah_fan_integral[:] = own.crah_fan_frac
            own.crah_valve_integral[:] = own.crah_valve_frac
            self._kernel.settle(self._loop_start_c, START_SHARE, START_STEPS)
        self._kernel.resolve()


def bind(given: Bind) -> AirStepper:
    """Bind the domain to its buffers."""
    return AirStepper(given)


def crah_ua_w_k(entry: Entry) -> float:
    """Return the UA of a CRAH's coil, W/K, that gives its rated gross capacity at its rated air and water.

    Raises:
        CatalogError: the rating cannot be reached by a cross-flow coil.
    """
    air = entry["air_flow_design_m3_s"] * entry["air_density_design_kg_m3"] * AIR_CP_J_KGK
    water = entry["capacity_gross_w"] / (entry["water_out_design_c"] - entry["water_in_design_c"])
    per_k = entry["capacity_gross_w"] / (entry["return_design_c"] - entry["water_in_design_c"])
    low, high = 1.0, 1e8
    if laws.coil_w_k(air, water, high) <= per_k:
        raise CatalogError(f"the rating of '{entry.name}' is out of reach of a coil",
                           where=f"catalog.crahs.{entry.name}", expected="more air, more water or warmer return air")
    for _ in range(100):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if laws.coil_w_k(air, water, middle) < per_k else (low, middle)
    return 0.5 * (low + high)


def _rack_params(site: Any, rho_cp: float) -> dict[str, F64]:
    top, floor = site.topology, site.floor
    entries = [top.rack_entries[c] for c in top.rack_class]
    flow = np.array([e["air_flow_design_m3_s"] for e in entries], dtype=np.float64)
    mass = np.array([e["metal_capacity_j_k"] for e in entries], dtype=np.float64)
    design = np.array(floor.rack_air_design_w)
    return {
        "rack_flow_design": flow, "rack_rise_k": np.maximum(design / (rho_cp * flow), 5.0),
        "rack_fan_w": site.climate.air_density_frac * np.array([float(e["fan_design_w"]) for e in entries]),
        "rack_fan_max": np.array([float(e.get("fan_speed_max_ratio", FAN_MAX_FRAC)) for e in entries]),
        "rack_fan_min": np.array([float(e.get("fan_speed_min_frac", FAN_MIN_FRAC)) for e in entries]),
        "rack_mass_j_k": mass, "rack_metal_w_k": mass / METAL_TAU_S, "rack_design_w": design,
    }


def _crah_params(site: Any, density: float) -> dict[str, F64]:
    floor = site.floor
    entries = floor.crah_entries

    def column(key: str) -> F64:
        return np.array([float(e[key]) for e in entries])

    resistance = np.array([1.0 / crah_ua_w_k(e) for e in entries])
    # the air's film follows the mass flow, the kernel the speed of the fans: thin air conducts less
    thin = np.array([laws.pow(density / e["air_density_design_kg_m3"], -COIL_AIR_EXPONENT) for e in entries])
    share = column("air_film_share_frac")
    return {
        "crah_flow_design": column("air_flow_design_m3_s"),
        "crah_fan_w": site.climate.air_density_frac * column("fan_design_w"),
        "crah_fan_min": column("fan_speed_min_frac"), "crah_tau_s": column("fan_coast_tau_s"),
        "crah_water_design": column("water_flow_design_kg_s"),
        "crah_guard_k": np.array([float(e.get("dew_point_margin_k", -1.0)) for e in entries]),
        "crah_flow_loss": np.array([float(e.get("flow_loss_frac", 0.0)) for e in entries]),
        "crah_kind": floor.crah_kind,
        "crah_water_cp": np.array([site.hydronics.loop["cp_j_kgk"][k] for k in floor.crah_loop], dtype=np.float64),
        "crah_valve_range": column("valve_range_ratio"), "crah_r_air": resistance * share * thin,
        "crah_r_water": resistance * (1.0 - share), "crah_coil_j_k": column("coil_capacity_j_k"),
    }


def _places(site: Any) -> dict[str, np.ndarray]:
    """Bounds and cell indices of what stands on the grid."""
    top, floor = site.topology, site.floor
    halls, racks = len(floor.hall_nx), len(top.rack_row)
    bounds = np.arange(halls + 1)
    return {
        "hall_rack_ptr": np.searchsorted(top.rack_hall, bounds).astype(np.int32),
        "hall_crah_ptr": np.searchsorted(floor.crah_hall, bounds).astype(np.int32),
        "rack_stream_ptr": np.searchsorted(top.stream_rack, np.arange(racks + 1)).astype(np.int32),
        "rack_front": floor.rack_front_cell, "rack_rear": floor.rack_rear_cell, "rack_wide": floor.rack_w,
        "rack_door": floor.rack_door, "crah_loop": floor.crah_loop, "crah_out_ptr": floor.crah_out_ptr,
        "crah_out": floor.crah_out_cell, "crah_in_ptr": floor.crah_in_ptr, "crah_in": floor.crah_in_cell,
        "service_ptr": floor.service_cell_ptr,
        "service_cell": floor.service_cell, "stream_is_air": top.stream_is_air,
    }


def _moisture(site: Any, density: float) -> dict[str, F64]:
    """Dry air in each hall, kg, and make-up air, kg/s."""
    floor = site.floor
    air = np.array([density * total(floor.cell_volume_m3[a:b]) for a, b in itertools.pairwise(floor.hall_cell_ptr)])
    return {"hall_air_kg": air, "hall_makeup_air_kg_s": air * (MAKEUP_PER_H / 3600.0)}
