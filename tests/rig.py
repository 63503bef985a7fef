"""A small site with row loops and plant, driven without the other domains: loads and weather are set by hand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np

from twin.catalog.loader import load_catalog
from twin.site.climate import build_climate
from twin.site.hydronics import build_hydronics
from twin.site.spec import Spec
from twin.site.topology import build_topology
from twin.state import blocks
from twin.state.blocks import BLOCKS
from twin.wiring import Bind

WARM = {"name": "warm", "supply_c": 32.0, "heat_reject": [{"type": "dry-cooler-2900kw", "count": 4},
                                                          {"type": "tower-5mw", "count": 1}]}
CHILLED = {"name": "chilled", "supply_c": 18.0, "chillers": {"type": "carnot-1500kw", "count": 3, "spare": 1}}
ROW = {"racks": 16, "rack": "gb200-nvl72", "cdu": {"type": "cdu-1350kw", "count": 3, "spare": 1, "supply_c": 40.0}}
AIR_ROW = {"racks": 16, "rack": "hgx-h100-x4"}
CRAHS = 4


class Rig:
    """Blocks and steppers of `liquid` and `plant`; everything they read is written by the test."""

    def __init__(self, rows: list[Any] | None = None, loops: list[Any] | None = None,
                 domains: tuple[str, ...] = ("liquid", "plant"), altitude_m: float = 0.0,
                 crah: dict[str, Any] | None = None) -> None:
        loops = [WARM, CHILLED] if loops is None else loops
        spec = msgspec.convert({"scenario": {"title": "t"}, "plant": {"loop": loops},
                                "site": {"altitude_m": altitude_m},
                                "hall": [{"name": "A", "crah": crah, "row": rows or [ROW, AIR_ROW]}]}, Spec)
        catalog = load_catalog()
        topology = build_topology(spec, catalog)
        self.hydronics = build_hydronics(spec, catalog, topology)
        names = list(self.hydronics.names["loop"])
        crah_loop = np.full(CRAHS, names.index("chilled") if "chilled" in names else 0, dtype=np.int32)
        self.site = SimpleNamespace(spec=spec, topology=topology, hydronics=self.hydronics,
                                    climate=build_climate(spec, catalog), floor=SimpleNamespace(crah_loop=crah_loop))
        others = ("job", "cell", "aisle", "elec", "ups", "generator", "link", "switch")
        axes = {"one": 1, "crah": CRAHS, **topology.axes, **self.hydronics.axes, **dict.fromkeys(others, 1)}
        self.block: dict[str, Any] = {cls.block_name: cls(axes) for cls in BLOCKS}
        self.weather: blocks.WeatherState = self.block["weather"]
        self.chip: blocks.ChipState = self.block["chip"]
        self.power: blocks.PowerState = self.block["power"]
        self.liquid: blocks.LiquidState = self.block["liquid"]
        self.air: blocks.AirState = self.block["air"]
        self.plant: blocks.PlantState = self.block["plant"]
        self.outdoor(20.0, 15.0)
        self.air.crah_water_flow_kg_s[:] = 10.0
        self.air.crah_heat_w[:] = 300e3
        self.plant.loop_supply_temp_c[:] = [loop["supply_c"] for loop in loops]
        self.steppers = [self._bind(name) for name in domains]
        self.now_ns = 0

    def _bind(self, name: str) -> Any:
        from importlib import import_module

        domain = import_module(f"twin.domains.{name}").DOMAIN
        views = SimpleNamespace(**{other: self.block[other].readonly() for other in domain.reads + domain.reads_late})
        stepper = domain.bind(Bind(self.site, self.block[name], views, 1))  # type: ignore[arg-type]
        stepper.refresh()
        return stepper

    def outdoor(self, dry_c: float, wet_c: float, pressure_pa: float = 101325.0) -> None:
        """Set the outdoor air by dry and wet bulb."""
        import psychrolib

        psychrolib.SetUnitSystem(psychrolib.SI)
        ratio = psychrolib.GetHumRatioFromTWetBulb(dry_c, wet_c, pressure_pa)
        w = self.weather
        w.outdoor_temp_c[0], w.wet_bulb_temp_c[0], w.pressure_pa[0] = dry_c, wet_c, pressure_pa
        w.humidity_ratio_kg_kg[0] = ratio
        w.dew_point_temp_c[0] = psychrolib.GetTDewPointFromHumRatio(dry_c, ratio, pressure_pa)

    def load(self, rack_w: float, share_gpu: float = 0.75) -> None:
        """Give every liquid-cooled rack a heat, partly from its chips."""
        for rack, tcs in enumerate(self.hydronics.rack_tcs):
            heat = rack_w if tcs >= 0 else 0.0
            self.power.rack_liquid_heat_w[rack] = (1.0 - share_gpu) * heat
        for stream, is_air in enumerate(self.site.topology.stream_is_air):
            if not is_air:
                self.chip.stream_heat_w[stream] = share_gpu * rack_w

    def run(self, seconds: float, dt_s: float = 1.0) -> None:
        """Advance both domains."""
        dt_ns = round(dt_s * 1e9)
        for _ in range(round(seconds / dt_s)):
            for stepper in self.steppers:
                stepper.step(self.now_ns, dt_ns)
            self.now_ns += dt_ns

    def hold_flow(self, flow_m3_s: float) -> None:
        """Run to the steady state with the pressure set-point that gives the first row a flow."""
        target = flow_m3_s * self.hydronics.tcs["rho_kg_m3"][0]
        for _ in range(6):
            self.run(1200.0, 5.0)
            ratio = target / self.liquid.tcs_flow_kg_s[0]
            self.liquid.tcs_dp_setpoint_pa[0] *= ratio ** self.hydronics.tcs["branch_n"][0]
        self.run(1200.0, 5.0)
        assert abs(self.liquid.tcs_flow_kg_s[0] / target - 1.0) < 1e-3
