"""The workload and storage domains alone: their blocks, and neighbours that a test sets by hand."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from twin.catalog.loader import load_catalog
from twin.domains.storage import DOMAIN as STORAGE
from twin.domains.workload import DOMAIN as WORKLOAD
from twin.site.jobs import build_jobs
from twin.site.spec import (
    FabricSpec,
    GeneratorSpec,
    HallSpec,
    JobSpec,
    LoadSpec,
    PlanSpec,
    RowSpec,
    ScenarioSpec,
    Spec,
    StorageSpec,
    WorkloadSpec,
)
from twin.site.topology import build_topology
from twin.state.blocks import ChipState, ComputeState, NetworkState, StorageState, WorkloadState
from twin.wiring import Bind

S = 1_000_000_000

__all__ = ["FabricSpec", "GeneratorSpec", "JobSpec", "LoadSpec", "PlanSpec", "Rig", "S", "StorageSpec",
           "WorkloadSpec", "cluster"]


def cluster(nodes: int, gpus_per_node: int, racks: int = 1, rows: int = 1) -> dict[str, Any]:
    """Return a catalogue table and halls for ``rows`` rows of ``racks`` racks of like nodes."""
    extra = {"racks": {"test-rack": {"like": "hgx-h100-x4", "nodes": nodes, "gpus_per_node": gpus_per_node}}}
    return {"catalog": extra, "hall": [HallSpec(name="A", row=[RowSpec(racks=racks, rack="test-rack", repeat=rows)])]}


class Rig:
    """Workload and storage bound to a site of ``cluster(...)``; neighbours say that all is well."""

    def __init__(self, site: dict[str, Any], *, jobs: list[JobSpec] | None = None,
                 workload: WorkloadSpec | None = None, base: Path | str = ".", seed: int = 1, **sections: Any) -> None:
        self.spec = Spec(scenario=ScenarioSpec(title="test", seed=seed), job=jobs or [],
                         workload=workload or WorkloadSpec(), **site, **sections)
        catalog = load_catalog(self.spec.catalog)
        self.topology = build_topology(self.spec, catalog)
        self.jobs = build_jobs(self.spec, catalog, self.topology, base)
        axes = {"one": 1, "link": 0, "switch": 0, **self.topology.axes, **self.jobs.axes}
        self.site = SimpleNamespace(spec=self.spec, topology=self.topology, jobs=self.jobs, catalog=catalog,
                                    start_unix_ns=0, utc_offset_s=0)
        self.work, self.storage = WorkloadState(axes), StorageState(axes)
        self.network, self.compute, self.chip = NetworkState(axes), ComputeState(axes), ChipState(axes)
        views = SimpleNamespace(**{name: getattr(self, name).readonly() for name in
                                   ("storage", "network", "compute", "chip")}, workload=self.work.readonly())
        self.stepper = WORKLOAD.bind(Bind(self.site, self.work, views, seed))
        self.disk = STORAGE.bind(Bind(self.site, self.storage, views, seed))
        self.now = 0

    def step(self, dt_ns: int) -> None:
        """Run one tick."""
        self.stepper.step(self.now, dt_ns)
        self.disk.step(self.now, dt_ns)
        self.now += dt_ns

    def run(self, seconds: float, tick_s: float = 1.0) -> None:
        """Run ticks of one length until ``seconds`` more have passed."""
        end, tick = self.now + round(seconds * S), round(tick_s * S)
        while self.now < end:
            self.step(min(tick, end - self.now))

    def run_events(self, end_s: float, longest_s: float = 1e6) -> None:
        """Run to ``end_s``, each tick reaching to the next event."""
        end = round(end_s * S)
        while self.now < end:
            event = self.stepper.next_event_ns(self.now)
            until = min(end, self.now + round(longest_s * S))
            self.step((min(event, until) if event > self.now else until) - self.now)
