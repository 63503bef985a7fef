"""The air domain: the demo hall and a campus of ten halls with 140 racks each; flow solve and temperature sweep."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from benchmarks.timing import line, median_s


def bound(scenario: str) -> tuple[Any, Any, Any]:
    """Return (stepper, block, floor) of a built-in scenario's halls at their design heat."""
    from twin.catalog.loader import load_catalog
    from twin.domains.air import DOMAIN
    from twin.scenario.load import load_spec
    from twin.site.climate import build_climate
    from twin.site.floorplan import build_floor
    from twin.site.hydronics import build_hydronics
    from twin.site.topology import build_topology
    from twin.state.blocks import AirState
    from twin.wiring import Bind

    spec, _ = load_spec(scenario)
    catalog = load_catalog(spec.catalog)
    topology = build_topology(spec, catalog)
    hydronics = build_hydronics(spec, catalog, topology)
    floor = build_floor(spec, catalog, topology, hydronics)
    site: Any = SimpleNamespace(spec=spec, topology=topology, hydronics=hydronics, floor=floor,
                                climate=build_climate(spec, catalog), once=lambda _, make: make())
    axes = {"one": 1, **topology.axes, **hydronics.axes, **floor.axes}
    views = SimpleNamespace(
        liquid=SimpleNamespace(rack_reject_heat_w=np.zeros(axes["rack"]), rack_reject_flow_m3_s=np.zeros(axes["rack"])),
        weather=SimpleNamespace(humidity_ratio_kg_kg=np.array([0.008]), pressure_pa=np.array([101325.0])),
        chip=SimpleNamespace(stream_heat_w=np.zeros(axes["stream"]), rack_gpu_temp_c_max=np.full(axes["rack"], 60.0),
                             rack_temp_limit_c=np.full(axes["rack"], 85.0)),
        power=SimpleNamespace(rack_air_heat_w=np.array(floor.rack_air_design_w),
                              rack_energised=np.ones(axes["rack"], dtype=np.int32),
                              crah_energised=np.ones(axes["crah"], dtype=np.int32),
                              hall_service_w=np.full(axes["hall"], 1e5)),
        plant=SimpleNamespace(loop_supply_temp_c=np.array(hydronics.loop["supply_c"]),
                              loop_flow_frac=np.ones(axes["loop"])))
    own = AirState(axes)
    stepper = DOMAIN.bind(Bind(site=site, own=own, views=views, seed=1))
    stepper.refresh()
    for k in range(180):
        stepper.step(k * 10**9, 10**9)
    return stepper, own, floor


def main() -> None:
    """Print the table."""
    for name in ("demo", "campus"):
        stepper, own, floor = bound(name)
        kernel, halls, cells = stepper._kernel, len(floor.hall_nx), int(floor.axes["cell"])
        temp, gain = own.cell_temp_c.copy(), np.zeros(cells)

        def sweep(flow: Any = kernel.flow, halls: int = halls, temp: Any = temp, gain: Any = gain) -> None:
            for h in range(halls):
                flow.step_temperature(h, 1.0, temp, gain)

        line(f"air {name}: sweep per cell ({cells} cells)", median_s(sweep, 51) / cells * 1e9, "ns", "<= 12")
        line(f"air {name}: flow solve per hall", median_s(kernel.resolve) / halls * 1e3, "ms", "<= 5")
        line(f"air {name}: whole step",
             median_s(lambda s=stepper: [s.step(0, 10**9) for _ in range(50)]) / 50 * 1e6, "us")  # type: ignore[misc]


if __name__ == "__main__":
    main()
