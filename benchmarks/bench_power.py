"""The electrical domain and the ledger: campus of 1,400 NVL72 racks, 100,800 GPUs, ten halls."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from benchmarks.timing import line, median_s


def campus(topology: str = "2n") -> tuple[Any, Any]:
    """Return (stepper, block) of a campus with constant loads."""
    from twin.catalog.loader import load_catalog
    from twin.domains.power import DOMAIN
    from twin.site.electrical import build_electrical
    from twin.site.spec import HallSpec, PowerSpec, RowSpec, ScenarioSpec, Spec, UnitGroupSpec
    from twin.site.topology import build_topology
    from twin.state.blocks import PowerState
    from twin.wiring import Bind

    spec = Spec(scenario=ScenarioSpec(title="campus"),
                power=PowerSpec(topology=topology, generators=UnitGroupSpec(type="genset-3mw", count=90)),
                hall=[HallSpec(name="A", repeat=10, row=[RowSpec(racks=14, rack="gb200-nvl72", repeat=10)])])
    catalog = load_catalog()
    topo = build_topology(spec, catalog)
    hydronics = SimpleNamespace(names={"cdu": [f"{row}.cdu{k}" for row in topo.names["row"] for k in (1, 2)]})
    floor = SimpleNamespace(names={"crah": [f"{hall}.crah{k}" for hall in topo.names["hall"] for k in range(1, 10)]})
    electrical = build_electrical(spec, catalog, topo, hydronics, floor)
    axes = {"one": 1, "cdu": len(hydronics.names["cdu"]), "crah": len(floor.names["crah"]), **topo.axes,
            **electrical.axes}
    rng = np.random.default_rng(1)
    views = SimpleNamespace(
        chip=SimpleNamespace(gpu_power_w=rng.uniform(200.0, 1200.0, axes["gpu"])),
        compute=SimpleNamespace(node_aux_w=rng.uniform(300.0, 1000.0, axes["node"])),
        air=SimpleNamespace(rack_fan_power_w=np.full(axes["rack"], 900.0), crah_power_w=np.full(axes["crah"], 5e3)),
        liquid=SimpleNamespace(cdu_power_w=np.full(axes["cdu"], 8e3),
                               rack_protected=np.zeros(axes["rack"], dtype=np.int32)),
        network=SimpleNamespace(hall_power_w=np.full(10, 4e5)), storage=SimpleNamespace(hall_power_w=np.full(10, 1e5)),
        plant=SimpleNamespace(power_w=np.full(1, 1.5e7)))
    own = PowerState(axes)
    site: Any = SimpleNamespace(topology=topo, electrical=electrical)
    stepper = DOMAIN.bind(Bind(site=site, own=own, views=views, seed=1))
    stepper.refresh()
    return stepper, own


def main() -> None:
    """Print the table."""
    stepper, own = campus()
    line("power campus: racks' roll-up", median_s(lambda: [stepper.racks.run() for _ in range(50)]) / 50 * 1e6, "us",
         "<= 150 with the tree")
    line(f"power campus: tree of {own.elec_up.size} nodes",
         median_s(lambda: [stepper.tree.run(1.0) for _ in range(200)]) / 200 * 1e6, "us")
    line("power campus: whole step", median_s(lambda: [stepper.step(0, 10**9) for _ in range(50)]) / 50 * 1e6, "us")


if __name__ == "__main__":
    main()
