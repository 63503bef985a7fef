"""Chips of a few racks, driven without the other domains: activity and coolant are set by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from twin._kernels.laws import standard_pressure_pa
from twin.catalog.loader import load_catalog
from twin.domains.chip.step import build_kernel
from twin.site.spec import HallSpec, RowSpec, ScenarioSpec, Spec
from twin.site.topology import build_topology
from twin.state.blocks import AirState, ChipState, ComputeState, LiquidState, WeatherState, WorkloadState

#: specific heat of the rack coolant: PG25 at 40 degC, J/kgK.
CP_PG25 = 3959.0


class ChipRig:
    """State and kernel of the chips of ``rows`` (rack entry, how many racks).

    Args:
        rows: (rack entry, racks) pairs.
        jobs: size of the job axis; every GPU belongs to job 0.
        seed: seed of the manufacturing spread.
        catalog: own catalogue entries, as in a scenario.
        variant: kernel variant.
        altitude_m: height of the site, for the density of its air.
        switch_flow_frac: share of every rack's coolant that passes its switch trays.
    """

    def __init__(self, rows: Sequence[tuple[str, int]] = (("gb200-nvl72", 1),), *, jobs: int = 2, seed: int = 1,
                 catalog: Mapping[str, Any] | None = None, variant: str = "", altitude_m: float = 0.0,
                 switch_flow_frac: float = 0.0) -> None:
        spec = Spec(scenario=ScenarioSpec(title="chips"),
                    hall=[HallSpec(name="A", row=[RowSpec(racks=n, rack=rack) for rack, n in rows])])
        self.topology = build_topology(spec, load_catalog(catalog))
        axes = {**self.topology.axes, "job": jobs, "one": 1, "tank": 0, "aisle": 0,
                **dict.fromkeys(("tcs", "cdu", "pump", "cell", "crah"), 1)}
        self.chip, self.compute, self.workload = ChipState(axes), ComputeState(axes), WorkloadState(axes)
        self.liquid, self.air, self.weather = LiquidState(axes), AirState(axes), WeatherState(axes)
        self.weather.pressure_pa[:] = standard_pressure_pa(altitude_m)
        self.workload.gpu_job[:] = 0
        for rack, entry in enumerate(self.entries):
            self.liquid.rack_flow_kg_s[rack] = entry.get("liquid_flow_design_kg_s", 0.0)
            self.air.rack_air_flow_m3_s[rack] = entry["air_flow_design_m3_s"]
        thin = standard_pressure_pa(altitude_m) / standard_pressure_pa(0.0)
        self.site = SimpleNamespace(
            spec=spec, topology=self.topology, climate=SimpleNamespace(air_density_frac=thin),
            hydronics=SimpleNamespace(
                rack_cp_j_kgk=np.full(axes["rack"], CP_PG25), rack_tcs=np.array([
                    0 if entry["cooling"] == "liquid" else -1 for entry in self.entries], dtype=np.int32),
                rack={"switch_flow_frac": np.full(axes["rack"], switch_flow_frac)}),
            once=lambda _, make: make())
        self.views = SimpleNamespace(compute=self.compute, workload=self.workload, liquid=self.liquid, air=self.air,
                                     weather=self.weather)
        self.seed = seed
        self.kernel = build_kernel(self.site, seed, self.chip, self.views, variant)  # type: ignore[arg-type]

    @property
    def entries(self) -> list[Any]:
        """The catalogue entry of each rack."""
        return [self.topology.rack_entries[c] for c in self.topology.rack_class]

    def work(self, util: float, mem: float | None = None) -> None:
        """Set the activity of every GPU."""
        self.compute.gpu_util_frac[:] = util
        self.compute.gpu_mem_frac[:] = util if mem is None else mem

    def supply(self, temp_c: float) -> None:
        """Set the temperature of every coolant, liquid and air."""
        self.liquid.rack_supply_temp_c[:] = temp_c
        self.air.rack_inlet_temp_c[:] = temp_c

    def all_at(self, temp_c: float) -> None:
        """Set every temperature of every chip."""
        for name in ("gpu_temp_c", "gpu_hbm_temp_c", "gpu_lid_temp_c", "gpu_plate_temp_c", "gpu_coolant_temp_c"):
            getattr(self.chip, name)[:] = temp_c
        self.kernel.refresh()

    def run(self, seconds: float, dt_s: float = 1.0) -> None:
        """Advance by whole ticks."""
        for _ in range(round(seconds / dt_s)):
            self.kernel.run(dt_s)

    def residual(self) -> float:
        """Return the energy that the last tick cannot account for, over what went through it (at least 1 J a GPU)."""
        c = self.chip
        missing = c.tick_in_j[0] - c.tick_out_j[0] - c.tick_stored_j[0]
        return float(abs(missing) / max(c.tick_in_j[0], abs(c.tick_out_j[0]), len(c.gpu_temp_c)))
