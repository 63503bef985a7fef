"""From the utility to the sky with everything in between but the chips, whose heat is given: no joule goes missing."""

from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest

from twin.catalog.loader import load_catalog
from twin.site.build import merge_parts
from twin.site.climate import build_climate
from twin.site.electrical import build_electrical
from twin.site.floorplan import build_floor
from twin.site.hydronics import build_hydronics
from twin.site.spec import Spec
from twin.site.topology import build_topology
from twin.state.blocks import BLOCKS
from twin.wiring import Bind

ORDER = ("weather", "power", "liquid", "air", "plant", "grid", "ledger")
LOOPS = [{"name": "warm", "supply_c": 30.0, "heat_reject": [{"type": "dry-cooler-2900kw", "count": 1}]},
         {"name": "chilled", "supply_c": 18.0, "chillers": {"type": "carnot-1500kw", "count": 1}}]
HALL = {"name": "A", "crah": {"type": "crah-350kw", "count": 2},
        "row": [{"racks": 4, "rack": "gb200-nvl72", "cdu": {"type": "cdu-1350kw", "count": 2}},
                {"racks": 3, "rack": "hgx-h100-x4"}]}
S = 10**9


class Path:
    """Seven domains of a small site; chips give off at once what they draw."""

    def __init__(self, power: dict[str, Any]) -> None:
        spec = msgspec.convert({"scenario": {"title": "t", "start": "2026-07-15T13:00:00-05:00"}, "power": power,
                                "plant": {"loop": LOOPS}, "hall": [HALL]}, Spec)
        catalog = load_catalog()
        topology = build_topology(spec, catalog)
        climate, hydronics = build_climate(spec, catalog), build_hydronics(spec, catalog, topology)
        floor = build_floor(spec, catalog, topology, hydronics)
        electrical = build_electrical(spec, catalog, topology, hydronics, floor)
        axes, names = merge_parts((topology, climate, hydronics, floor, electrical))
        axes |= {"job": 1, "link": 1, "switch": 1}
        self.topology, self.names = topology, names
        site: Any = SimpleNamespace(spec=spec, catalog=catalog, topology=topology, climate=climate, axes=axes,
                                    names=names, hydronics=hydronics, floor=floor, electrical=electrical,
                                    start_unix_ns=0, utc_offset_s=-18000, once=lambda _, make: make())
        self.block: dict[str, Any] = {cls.block_name: cls(axes) for cls in BLOCKS}
        views = SimpleNamespace(**{name: block.readonly() for name, block in self.block.items()})
        self.domains = {name: import_module(f"twin.domains.{name}").DOMAIN for name in ORDER}
        self.steppers = [self.domains[name].bind(Bind(site=site, own=self.block[name], views=views, seed=1))
                         for name in ORDER]
        self.block["network"].hall_power_w[:] = 40e3
        self.refresh()
        self.now = 0

    def __getattr__(self, name: str) -> Any:
        return self.block[name]

    def refresh(self) -> None:
        for stepper in self.steppers:
            stepper.refresh()

    def fault(self, name: str, element: int, clear: bool = False) -> None:
        for domain in self.domains.values():
            for kind in domain.faults:
                if kind.name == name:
                    own = self.block[domain.name]
                    kind.clear(own, element) if clear else kind.start(own, element, kind.value_default)
        self.refresh()

    def run(self, ticks: int, dt_s: float, load: float = 0.9) -> None:
        chip, top = self.block["chip"], self.topology
        live = self.power.rack_energised
        for _ in range(ticks):
            dt = round(dt_s * S)
            chip.gpu_power_w[:] = np.where(live[top.gpu_rack] != 0, 1000.0 * load, 0.0)
            self.compute.node_aux_w[:] = np.where(live[top.node_rack] != 0, 800.0, 0.0)
            chip.stream_heat_w[:] = np.add.reduceat(chip.gpu_power_w, top.stream_gpu_ptr[:-1])
            chip.tick_in_j[0] = chip.tick_out_j[0] = chip.gpu_power_w.sum() * dt / S
            for stepper in self.steppers:
                stepper.step(self.now, dt)
            self.now += dt


@pytest.mark.parametrize("power", [
    {"topology": "2n", "battery": 30 * S, "generators": {"type": "genset-3mw", "count": 1}},
    {"topology": "n", "battery": 0}, {"topology": "direct"}])
@pytest.mark.parametrize("dt_s", [0.1, 1.0, 30.0])
def test_no_joule_is_missing(power: dict[str, Any], dt_s: float) -> None:
    """Blackouts, dead feeds and dead UPS included, the relative residual of every tick stays under 1e-9."""
    path = Path(power)
    path.run(40, dt_s)
    ledger = path.ledger
    assert ledger.facility_energy_j[0] > ledger.it_energy_j[0] > 0.0
    path.fault("utility_loss", 0)
    path.run(60, dt_s)
    path.fault("utility_loss", 0, clear=True)
    path.run(40, dt_s, load=0.3)
    if power["topology"] == "2n":
        path.fault("ups_fail", 0)
        path.run(10, dt_s)
        path.fault("feed_loss", path.names["elec"].index("A.coolB"))
        path.run(20, dt_s)
        assert not path.power.cdu_energised.any()
        path.fault("feed_loss", path.names["elec"].index("A1.feedB"))
        path.run(20, dt_s)
        # minutes without cooling (ticks of 30 s) make racks switch themselves off; the others keep their feed
        fed = [0] * 4 + [1] * 3
        off = path.liquid.rack_protected.tolist()
        assert path.power.rack_energised.tolist() == [f and not p for f, p in zip(fed, off, strict=True)]
        assert any(off[4:]) == (dt_s > 1.0)
    assert ledger.residual_rel_max_ratio[0] < 1e-9
    assert ledger.residual_abs_j[0] < 1e-9 * ledger.facility_energy_j[0]
    for name in ("power", "liquid", "air", "plant"):
        assert abs(getattr(ledger, f"{name}_residual_j")[0]) < 1e-8 * ledger.facility_energy_j[0]


def test_settled_books() -> None:
    """The second day at one load: what the plant rejects and the chain loses is what the utility gives."""
    path = Path({"topology": "2n"})
    path.run(1440, 60.0)
    power, ledger = path.power, path.ledger
    before = {name: getattr(ledger, name)[0] for name in ("facility_energy_j", "rejected_energy_j", "loss_energy_j")}
    path.run(1440, 60.0)
    day = {name: getattr(ledger, name)[0] - value for name, value in before.items()}
    assert day["rejected_energy_j"] + day["loss_energy_j"] == pytest.approx(day["facility_energy_j"], rel=2e-3)
    assert path.ledger.pue_ratio[0] == pytest.approx(
        (power.it_w[0] + power.cooling_w[0] + power.loss_w[0]) / power.it_w[0], rel=1e-9)
    assert 1.03 < path.ledger.pue_ratio[0] < 1.6
