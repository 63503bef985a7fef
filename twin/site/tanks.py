"""Immersion tanks of a specification: one bath per rack, each with an exchanger of its own to a plant loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from twin.arrays import F64, I32, frozen_f64, frozen_i32
from twin.catalog.entry import Entry
from twin.errors import SpecError
from twin.site.site import Topology

#: what a rack's ``cooling`` may say, and what exchanger such a tank has
TANK_UNITS = {"immersion-1p": "exchanger", "immersion-2p": "condenser"}
#: servers' mean depth under the surface of a boiling bath, m (engineering estimate): they boil at the pressure there
BOILING_DEPTH_M = 0.25
GRAVITY_M_S2 = 9.80665
BOILING_PRESSURE_PA = 101325.0
KELVIN = 273.15

_VESSEL_KEYS = ("tank_volume_m3", "bath_volume_m3", "bath_metal_j_k", "bath_low_frac", "bath_bare_frac", "bath_trip_c",
                "bath_trip_frac", "liquid_trip_delay_s",
                "bath_height_m", "liquid_flow_design_kg_s", "liquid_dp_design_pa", "branch_n", "boiling_area_m2",
                "chf_factor_ratio", "vent_set_pa", "vent_area_m2")
_FLUID_KEYS = ("cp_j_kgk", "rho_kg_m3", "expansion_per_k", "latent_heat_j_kg", "vapour_rho_kg_m3", "boil_temp_c",
               "vapour_slope_k", "tension_n_m")
_PUMP_KEYS = ("flow_design_m3_s", "pump_design_w", "pump_speed_min_frac", "pump_ramp_per_s", "pump_coast_tau_s")
#: what only one of the two kinds of bath has; the other's kernel does not read it
_ONLY = {
    "immersion-1p": ("expansion_per_k", "bath_height_m", "liquid_flow_design_kg_s", "liquid_dp_design_pa", "branch_n",
                     *_PUMP_KEYS[1:]),
    "immersion-2p": ("latent_heat_j_kg", "vapour_rho_kg_m3", "boil_temp_c", "vapour_slope_k", "tension_n_m",
                     "tank_volume_m3", "boiling_area_m2", "chf_factor_ratio", "vent_set_pa", "vent_area_m2"),
}


@dataclass(frozen=True)
class Tanks:
    """Immersion tanks; arrays are read-only, one element per tank.

    Attributes:
        rack, cdu: rack that stands in the tank; its exchanger on the axis of the CDUs.
        two_phase: 1 when the bath boils.
        gpu_first, gpu_end: bounds of the rack's GPUs.
        values: parameter name -> array: vessel, fluid, pumps, ``fluid_full_kg``, ``pumps_on_duty``, and of the
            accelerators ``film_ratio`` and ``plate_flow_design_kg_s``.
        names: names of the tanks.
    """

    rack: I32
    cdu: I32
    two_phase: I32
    gpu_first: I32
    gpu_end: I32
    values: Mapping[str, F64]
    names: Sequence[str] = field(default_factory=list)


def is_tank(rack: Entry) -> bool:
    """Tell whether a rack is immersed."""
    return rack["cooling"] in TANK_UNITS


class TankRows:
    """Gathers the tanks of a specification row by row."""

    def __init__(self, catalog: Any, topology: Topology) -> None:
        self.catalog, self.topology = catalog, topology
        self.columns: dict[str, list[float]] = {key: [] for key in (
            *_VESSEL_KEYS, *_FLUID_KEYS, *_PUMP_KEYS, "fluid_full_kg", "pumps_on_duty", "film_ratio",
            "plate_flow_design_kg_s")}
        self.racks: list[int] = []
        self.cdus: list[int] = []
        self.two_phase: list[int] = []
        self.names: list[str] = []

    def add(self, name: str, rack: int, cdu: int, entry: Entry, unit: Entry) -> float:
        """Add the tank of a rack; return the specific heat with which its chips' kernel sees the fluid, J/kgK.

        Raises:
            SpecError: the exchanger is not made for such a tank.
            CatalogError: an entry lacks a key.
        """
        cooling = entry["cooling"]
        if unit.get("kind") != TANK_UNITS[cooling]:
            raise SpecError(f"'{unit.name}' is not made for the tanks of '{entry.name}'", where=f"{name}.cdu",
                            expected=f"an entry of the cdus whose kind is {TANK_UNITS[cooling]}")
        fluid = self.catalog.get("dielectrics", entry["coolant"])
        other = next(_ONLY[kind] for kind in _ONLY if kind != cooling)
        for keys, of in ((_VESSEL_KEYS, entry), (_FLUID_KEYS, fluid), (_PUMP_KEYS, unit)):
            for key in keys:
                # of the other kind's keys the neutral 1: its equations are not evaluated
                self.columns[key].append(1.0 if key in other and key not in of else float(of[key]))
        gpu = self.topology.gpu_entries[self.topology.gpu_class[self.topology.rack_gpu_ptr[rack]]]
        self.columns["fluid_full_kg"].append(entry["bath_volume_m3"] * fluid["rho_kg_m3"])
        self.columns["pumps_on_duty"].append(float(unit["pumps"] - unit.get("spare_pumps", 0)))
        self.columns["film_ratio"].append(float(gpu["r_plate_floor_ratio"]))
        self.columns["plate_flow_design_kg_s"].append(float(gpu.get("plate_flow_design_kg_s", 1.0)))
        self.racks.append(rack)
        self.cdus.append(cdu)
        self.two_phase.append(int(cooling == "immersion-2p"))
        self.names.append(f"{name}.tank")
        return float(fluid["cp_j_kgk"]) if cooling == "immersion-1p" else _boiling_cp(fluid)

    def tanks(self) -> Tanks:
        """Put the tanks together."""
        bounds = self.topology.rack_gpu_ptr
        return Tanks(rack=frozen_i32(self.racks), cdu=frozen_i32(self.cdus), two_phase=frozen_i32(self.two_phase),
                     gpu_first=frozen_i32([int(bounds[r]) for r in self.racks]),
                     gpu_end=frozen_i32([int(bounds[r + 1]) for r in self.racks]),
                     values={key: frozen_f64(values) for key, values in self.columns.items()}, names=self.names)


def _boiling_cp(fluid: Entry) -> float:
    """Return latent heat over the rise of the boiling point at the boards' depth, J/kgK, doubled.

    The chips' kernel takes the mean coolant at half the rise of its flow; with the flow that boils (heat over latent
    heat) that is the saturation temperature at the boards' depth.
    """
    kelvin = fluid["boil_temp_c"] + KELVIN
    per_pa = kelvin * kelvin / (fluid["vapour_slope_k"] * BOILING_PRESSURE_PA)
    rise = fluid["rho_kg_m3"] * GRAVITY_M_S2 * BOILING_DEPTH_M * per_pa
    return float(fluid["latent_heat_j_kg"] / (2.0 * rise))
