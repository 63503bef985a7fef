"""A hall with its air domain alone: heats and loop temperatures are set by hand. For tests and benchmarks."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np

from twin.catalog.loader import load_catalog
from twin.domains.air import DOMAIN
from twin.site.climate import build_climate
from twin.site.floorplan import build_floor
from twin.site.hydronics import build_hydronics
from twin.site.spec import Spec
from twin.site.topology import build_topology
from twin.state.blocks import AirState, ChipState, LiquidState, PlantState, PowerState, WeatherState
from twin.units import NS_PER_S
from twin.wiring import Bind

LOOPS = [
    {"name": "warm", "supply_c": 32.0, "heat_reject": [{"type": "dry-cooler-2900kw", "count": 4}]},
    {"name": "chilled", "supply_c": 18.0, "chillers": {"type": "carnot-1500kw", "count": 3}},
]
LIQUID = {"racks": 16, "rack": "gb200-nvl72", "cdu": {"type": "cdu-1350kw", "count": 3, "spare": 1}, "repeat": 4}
AIR = {"racks": 16, "rack": "hgx-h100-x4", "repeat": 2}
DEMO = {"name": "A", "aisle": "cold-contained", "crah": {"type": "crah-350kw", "count": 9, "spare": 1},
        "row": [LIQUID, AIR]}


def spec_of(*halls: dict[str, Any], preset: str = "texas", catalog: dict[str, Any] | None = None,
            altitude_m: float | None = None) -> Spec:
    return msgspec.convert({"scenario": {"title": "t"}, "site": {"preset": preset, "altitude_m": altitude_m},
                            "plant": {"loop": LOOPS}, "hall": list(halls), "catalog": catalog or {}}, Spec)


def site_of(*halls: dict[str, Any], preset: str = "texas", own: dict[str, Any] | None = None,
            altitude_m: float | None = None) -> Any:
    """Build the parts that the air needs."""
    spec = spec_of(*halls, preset=preset, catalog=own, altitude_m=altitude_m)
    catalog = load_catalog(spec.catalog)
    topology = build_topology(spec, catalog)
    hydronics = build_hydronics(spec, catalog, topology)
    floor = build_floor(spec, catalog, topology, hydronics)
    climate = build_climate(spec, catalog)
    axes = {"one": 1, "job": 1, "elec": 1, "ups": 1, "generator": 1, "link": 1, "switch": 1}
    for part in (topology, hydronics, floor):
        axes.update(part.axes)
    return SimpleNamespace(spec=spec, topology=topology, hydronics=hydronics, floor=floor, climate=climate, axes=axes,
                           once=lambda _, make: make())


class Hall:
    """The air domain of a site, with its inputs at hand.

    Args:
        halls: hall tables of a specification.
        load: heat of every rack over its design heat.
        altitude_m: height of the site, the preset's when left out.
    """

    def __init__(self, *halls: dict[str, Any], load: float = 1.0, preset: str = "texas",
                 catalog: dict[str, Any] | None = None, altitude_m: float | None = None) -> None:
        self.site = site_of(*(halls or (DEMO,)), preset=preset, own=catalog, altitude_m=altitude_m)
        axes = self.site.axes
        self.chip, self.power, self.plant = ChipState(axes), PowerState(axes), PlantState(axes)
        self.air = AirState(axes)
        self.weather = WeatherState(axes)
        self.weather.humidity_ratio_kg_kg[:], self.weather.pressure_pa[:] = 0.008, 101325.0
        self.plant.loop_supply_temp_c[:] = self.site.hydronics.loop["supply_c"]
        views = SimpleNamespace(chip=self.chip.readonly(), power=self.power.readonly(), plant=self.plant.readonly(),
                                weather=self.weather.readonly(), liquid=LiquidState(axes).readonly())
        self.stepper = DOMAIN.bind(Bind(site=self.site, own=self.air, views=views, seed=1))
        self.load(load)
        self.stepper.refresh()
        self.now_ns = 0

    def load(self, share: float) -> None:
        """Give every rack a share of its design heat; air-cooled streams carry 70 % of theirs."""
        top, design = self.site.topology, np.array(self.site.floor.rack_air_design_w) * share
        self.chip.stream_heat_w[:] = 0.0
        streams = np.bincount(top.stream_rack[top.stream_is_air == 1], minlength=len(design))
        part = np.where(streams > 0, 0.7, 0.0)
        air = top.stream_is_air == 1
        self.chip.stream_heat_w[air] = (design * part / np.maximum(streams, 1))[top.stream_rack[air]]
        self.chip.stream_heat_w[~air] = 1e5  # the coolant's heat is not the air's
        self.power.rack_air_heat_w[:] = design * (1.0 - part)

    def step(self, dt_s: float = 1.0, count: int = 1) -> None:
        for _ in range(count):
            dt_ns = round(dt_s * NS_PER_S)
            self.stepper.step(self.now_ns, dt_ns)
            self.now_ns += dt_ns

    def residual(self) -> float:
        """Return what the last tick's energy misses, over what went in."""
        a = self.air
        return float(abs(a.tick_in_j[0] - a.tick_out_j[0] - a.tick_stored_j[0]) / max(a.tick_in_j[0], 1.0))
