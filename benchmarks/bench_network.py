"""Network: one max-min solve, the SimGrid-sized completion run, and the domain's step on a campus."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from benchmarks.timing import line, median_s
from twin._kernels.maxmin import MaxMin
from twin.catalog.loader import load_catalog
from twin.domains.network import DOMAIN
from twin.site.fabric import build_fabric
from twin.site.spec import FabricSpec, HallSpec, RowSpec, ScenarioSpec, Spec
from twin.site.topology import build_topology
from twin.state.blocks import NetworkState, WorkloadState
from twin.wiring import Bind


def random_flows(flows: int = 10_000, hosts: int = 1024, leaves: int = 32, spines: int = 16) -> MaxMin:
    """Return uniform random flows on a two-level fat tree of 50 GB/s links."""
    rng = np.random.default_rng(1)
    src, dst = rng.integers(hosts, size=flows), rng.integers(hosts, size=flows)
    spine, per = rng.integers(spines, size=flows), hosts // leaves
    links = np.stack([src, 2 * hosts + src // per * spines + spine,
                      2 * hosts + leaves * spines + dst // per * spines + spine, hosts + dst], axis=1)
    return MaxMin(np.arange(0, 4 * flows + 1, 4, dtype=np.int32), links.ravel().astype(np.int32),
                  np.full(2 * hosts + 2 * leaves * spines, 50e9))


def campus(routing: str) -> tuple[WorkloadState, object]:
    """Return workload and bound stepper of 1,400 NVL72 racks: one job of 455 racks, 19 of 48."""
    catalog = load_catalog()
    spec = Spec(scenario=ScenarioSpec(title="bench"), fabric=FabricSpec(switch="q3400", routing=routing),  # type: ignore[arg-type]
                hall=[HallSpec(name="A", repeat=10, row=[RowSpec(racks=14, rack="gb200-nvl72", repeat=10)])])
    topology = build_topology(spec, catalog)
    fabric = build_fabric(spec, catalog, topology)
    axes = {"one": 1, "job": 20, **topology.axes, **fabric.axes}
    own, work = NetworkState(axes), WorkloadState(axes)
    rack = topology.gpu_rack
    work.gpu_job[:] = np.where(rack < 455, 0, np.minimum(1 + (rack - 455) // 48, 19))
    work.job_comm_bytes_s[:] = 10e9
    jobs = SimpleNamespace(group_gpus=np.full(20, 8, np.int32))
    stepper = DOMAIN.bind(Bind(site=SimpleNamespace(fabric=fabric, jobs=jobs), own=own, seed=1,  # type: ignore[arg-type]
                               views=SimpleNamespace(workload=work.readonly())))
    stepper.refresh()
    stepper.step(0, 10**9)
    return work, stepper


def main() -> None:
    """Print one line per measurement."""
    problem = random_flows()
    line("max-min 10,000 flows, 3,072 links", median_s(problem.solve) * 1e3, "ms")
    order = iter(np.random.default_rng(2).permutation(10_000))

    def hundred() -> None:
        for _ in range(100):
            problem.remove(int(next(order)))

    line("remove one flow and share anew", median_s(hundred, 9) * 1e4, "us")
    for routing in ("adaptive", "ecmp"):
        work, stepper = campus(routing)

        def step(stepper=stepper) -> None:  # type: ignore[no-untyped-def]
            stepper.step(0, 10**9)

        def placed(work=work, step=step) -> None:  # type: ignore[no-untyped-def]
            work.placement_version[0] += 1
            step()

        def offered(work=work, step=step) -> None:  # type: ignore[no-untyped-def]
            work.job_comm_bytes_s[3] += 1e3
            step()

        line(f"campus {routing}: nothing changed", median_s(lambda s=step: [s() for _ in range(100)]) * 1e4, "us")
        line(f"campus {routing}: other demand", median_s(offered) * 1e6, "us")
        line(f"campus {routing}: other placement", median_s(placed) * 1e3, "ms")


if __name__ == "__main__":
    main()
