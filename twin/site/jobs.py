"""The job table: declared jobs first, then the jobs of a trace, then the slots of a generator.

Everything about a job that does not change is worked out here: when it comes, what it needs, what a second
at nominal speed does, what it asks of its accelerators in each phase. ``domains/workload`` moves it through
time.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from twin.arrays import F64, I32, I64, frozen_f64, frozen_i32
from twin.errors import SpecError, nearest
from twin.readers.gavel import THROUGHPUTS, read_gavel
from twin.readers.swf import read_swf
from twin.readers.trace import JobTrace, TraceReport
from twin.site.machine import build_machine, idle_share
from twin.site.serving import POINTS, Service, build_service
from twin.site.site import Topology
from twin.site.spec import GeneratorSpec, JobSpec, LoadSpec, PlanSpec, Spec
from twin.site.training import (
    Activity,
    Plan,
    Step,
    batch_activity,
    power_activity,
    training_activity,
    training_step,
)
from twin.units import NS_PER_S

TRAINING, INFERENCE, BATCH = 0, 1, 2
_KINDS = {"training": TRAINING, "inference": INFERENCE, "batch": BATCH}


@dataclass(frozen=True)
class Jobs:
    """The job table, read-only. ``[job]`` marks one value per job.

    Attributes:
        names: names of the jobs.
        declared, traced, slots: how many of each, in this order.
        submit_ns[job]: submission, ns since the start; -1 for a slot.
        gpus[job]: accelerators; 0 for a slot (drawn on arrival).
        work_s[job]: work at nominal speed, s; infinite for a service or a job without end.
        priority[job]: larger goes first.
        kind[job]: 0 training, 1 inference, 2 batch.
        coupled[job]: throttling and congestion slow it.
        restartable[job]: an interrupted job starts again.
        gpu_class[job]: class of accelerators that it needs, -1 for any.
        pref_ptr[job+1], pref_rack: racks that it prefers (CSR).
        comm_frac[job]: share of the step in exposed scale-out communication.
        hidden_frac[job]: scale-out communication that computation hides, over the step.
        memory_bound_frac[job]: share of the step limited by memory, not by clock.
        util_*[job], mem_*[job]: compute and memory activity while busy, communicating, stalled.
        util_idle[job]: compute activity while it restarts.
        comm_bytes_s[job]: scale-out traffic per accelerator at nominal speed.
        group_gpus[job]: accelerators that share one layer of the model (tensor times context width), 1 without.
        tokens_s[job]: tokens per second of work (training).
        checkpoint_ns[job]: interval, 0 for none; checkpoint_bytes[job]: size.
        link_bytes_s[job]: storage ports of the nodes that it fills, together.
        write_total_bytes_s: nominal write bandwidth of the file system.
        restart_ns[job]: from an interruption's end of waiting to progress, ns.
        service[job]: row of the service tables, -1 for none.
        service_capacity_tokens_s[row], service_demand_tokens_s[row]: output tokens per second.
        service_diurnal[row]: demand follows the day.
        service_util[row*17], service_mem[row*17]: activity at load 0, 1/16 ... 1.
        generator: its specification, or None.
        packing: ``contiguous`` or ``spread``.
        gpus_max: GPUs that jobs may hold at once: the first ones in index order.
        steps: job index -> Step, for training jobs; services: job index -> Service.
        reports: what the trace readers left out.
        inputs: the files that were read: the trace, then its table of throughputs if it has one.
    """

    names_list: Sequence[str]
    declared: int
    traced: int
    slots: int
    submit_ns: I64
    gpus: I32
    work_s: F64
    priority: I32
    kind: I32
    coupled: I32
    restartable: I32
    gpu_class: I32
    pref_ptr: I32
    pref_rack: I32
    comm_frac: F64
    hidden_frac: F64
    memory_bound_frac: F64
    util_busy: F64
    util_comm: F64
    util_stall: F64
    util_idle: F64
    mem_busy: F64
    mem_comm: F64
    mem_stall: F64
    comm_bytes_s: F64
    group_gpus: I32
    tokens_s: F64
    checkpoint_ns: I64
    checkpoint_bytes: F64
    link_bytes_s: F64
    restart_ns: I64
    service: I32
    service_capacity_tokens_s: F64
    service_demand_tokens_s: F64
    service_diurnal: I32
    service_util: F64
    service_mem: F64
    generator: GeneratorSpec | None
    packing: str
    gpus_max: int
    write_total_bytes_s: float = 0.0
    steps: dict[int, Step] = field(default_factory=dict)
    services: dict[int, Service] = field(default_factory=dict)
    reports: tuple[TraceReport, ...] = ()
    inputs: tuple[Path, ...] = ()

    @property
    def names(self) -> dict[str, Sequence[str]]:
        """Names by axis."""
        return {"job": self.names_list}

    @property
    def axes(self) -> dict[str, int]:
        """Sizes of the axes that the table defines."""
        return {"job": len(self.names_list)}


def build_jobs(spec: Spec, catalog: Any, topology: Topology, base_dir: Path | str = ".") -> Jobs:
    """Build the job table of a specification.

    Args:
        spec: the specification as resolved.
        catalog: kinds models, performance, phases and storage are looked up.
        topology: where the jobs will run.
        base_dir: folder that the trace is relative to.

    Raises:
        SpecError: a declared job cannot exist on this site.
        ReaderError: the trace cannot be used.
        CatalogError: a model or an accelerator's performance is not in the catalogue.
    """
    builder = _Builder(spec, catalog, topology)
    for job in spec.job:
        builder.add_declared(job)
    reports: tuple[TraceReport, ...] = ()
    inputs: tuple[Path, ...] = ()
    traced = 0
    if spec.workload.trace:
        trace, inputs = read_trace(spec, Path(base_dir))
        builder.add_trace(trace)
        if spec.workload.gpus_max is None and trace.size:
            builder.gpus_max = min(builder.gpus_max, trace.size)
        traced, reports = len(trace.numbers), (trace.report,)
    slots = spec.workload.generator.slots if spec.workload.generator is not None else 0
    builder.add_slots(slots)
    return dataclasses.replace(builder.finish(len(spec.job), traced, slots), reports=reports, inputs=inputs)


def read_trace(spec: Spec, base_dir: Path) -> tuple[JobTrace, tuple[Path, ...]]:
    """Return the trace that the specification names, and the files read; its ending says which format it is."""
    path = base_dir / spec.workload.trace
    if path.suffix == ".swf":
        return read_swf(path), (path,)
    if path.suffix == ".trace":
        named = spec.workload.throughputs
        table = base_dir / named if named else path.parent / THROUGHPUTS
        return read_gavel(path, table), (path, table)
    raise SpecError(f"'{spec.workload.trace}' is of an unknown format", where="workload.trace",
                    expected="a file that ends in .trace or .swf")


class _Builder:
    """Collects one row per job."""

    def __init__(self, spec: Spec, catalog: Any, topology: Topology) -> None:
        self.spec, self.catalog, self.topology = spec, catalog, topology
        self.phases = catalog.get("phases", "training")
        self.rows: list[dict[str, Any]] = []
        self.names: list[str] = []
        self.taken: set[str] = set()
        self.prefs: list[I32] = []
        self.steps: dict[int, Step] = {}
        self.services: dict[int, Service] = {}
        self.service_rows: list[tuple[float, float, int, Service]] = []
        self.class_gpus = np.bincount(topology.gpu_class, minlength=len(topology.gpu_entries))
        self.gpus_max = min(len(topology.gpu_class), spec.workload.gpus_max or len(topology.gpu_class))
        count = spec.storage.count
        self.storage = catalog.get("storage", spec.storage.type) if count else None
        self.write_total = count * self.storage["write_bytes_s"] if self.storage else 0.0
        self.read_total = count * self.storage["read_bytes_s"] if self.storage else 0.0

    # ---- rows ----------------------------------------------------------------------------------------------

    def _row(self, name: str, where: str, **values: Any) -> int:
        if name in self.taken:
            raise SpecError(f"two jobs are called '{name}'", where=where, expected="a name of its own")
        self.taken.add(name)
        self.names.append(name)
        self.rows.append(values)
        return len(self.rows) - 1

    def add_declared(self, job: JobSpec) -> None:
        where = f"job.{job.name}"
        racks = self._racks(job, where)
        gpu_class = self._class(job, racks, where)
        accelerator = self.topology.gpu_entries[gpu_class]
        idle = idle_share(accelerator)
        first = int(np.flatnonzero(self.topology.gpu_class == gpu_class)[0])
        rack = self.topology.rack_entries[self.topology.rack_class[self.topology.gpu_rack[first]]]
        per_node = int(rack["gpus_per_node"])
        work = job.run / NS_PER_S if job.run else np.inf
        values: dict[str, Any] = {
            "submit_ns": job.at, "gpus": job.gpus, "work_s": work, "priority": job.priority,
            "kind": _KINDS[job.kind], "gpu_class": gpu_class, "coupled": 1, "restartable": 1,
            "restart_ns": self.spec.workload.restart, **self._activity(self._batch(job.utilisation, idle)),
        }
        self._forbid(job, where)
        index = len(self.rows)
        if job.kind == "training":
            values |= self._training(job, index, accelerator, rack, idle, where)
        elif job.kind == "inference":
            values |= self._inference(job, index, accelerator, idle, where)
        if job.checkpoint:
            values |= self._checkpoint(job, per_node, where)
        self._row(job.name, where, **values)
        self.prefs.append(racks)

    def add_trace(self, trace: JobTrace) -> None:
        work = self.spec.workload
        shared = {"kind": BATCH, "gpu_class": -1, "priority": 0, "coupled": int(work.coupled),
                  "restartable": int(work.on_failure == "restart"), "restart_ns": work.restart,
                  **self._activity(self._batch(None, self._site_idle()))}
        for i, name in enumerate(trace.names):
            self._row(name, "workload.trace", submit_ns=int(trace.submit_ns[i]), gpus=int(trace.gpus[i]),
                      work_s=float(trace.run_s[i]), **shared)
            self.prefs.append(_NO_RACKS)

    def add_slots(self, slots: int) -> None:
        if not slots:
            return
        work, generator = self.spec.workload, self.spec.workload.generator
        assert generator is not None
        most = int(self.class_gpus.sum())
        for size in generator.gpus:
            if not 1 <= size <= most:
                raise SpecError(f"size {size} does not fit the site", where="workload.generator.gpus",
                                expected=f"1 to {most}")
        if not generator.gpus:
            raise SpecError("there are no sizes to draw from", where="workload.generator.gpus",
                            expected="at least one")
        shared = {"kind": BATCH, "gpu_class": -1, "priority": 0, "coupled": 1, "submit_ns": -1, "gpus": 0,
                  "work_s": 0.0, "restartable": int(work.on_failure == "restart"), "restart_ns": work.restart,
                  **self._activity(self._batch(None, self._site_idle()))}
        for i in range(slots):
            self._row(f"slot{i + 1}", "workload.generator", **shared)
            self.prefs.append(_NO_RACKS)

    # ---- parts of a declared job ---------------------------------------------------------------------------

    def _racks(self, job: JobSpec, where: str) -> I32:
        """Return the racks that the job prefers: names of racks, rows or halls, separated by commas."""
        if not job.racks:
            return _NO_RACKS
        t = self.topology
        found: list[Any] = []
        for name in (part.strip() for part in job.racks.split(",")):
            if name in t.names["rack"]:
                found.append([list(t.names["rack"]).index(name)])
            elif name in t.names["row"]:
                found.append(np.flatnonzero(t.rack_row == list(t.names["row"]).index(name)))
            elif name in t.names["hall"]:
                found.append(np.flatnonzero(t.rack_hall == list(t.names["hall"]).index(name)))
            else:
                known = [*t.names["hall"], *t.names["row"], *t.names["rack"]]
                raise SpecError(f"no rack, row or hall is called '{name}'", where=f"{where}.racks",
                                nearest=nearest(name, known))
        return frozen_i32(np.unique(np.concatenate(found)))

    def _class(self, job: JobSpec, racks: I32, where: str) -> int:
        """Return the class of accelerators: that of the preferred racks, or the most numerous one."""
        t = self.topology
        chosen = int(np.argmax(self.class_gpus))
        if len(racks):
            first = int(t.rack_gpu_ptr[racks[0]])
            chosen = int(t.gpu_class[first])
        most = int(self.class_gpus[chosen])
        if job.gpus > most:
            raise SpecError(f"{job.gpus} GPUs, but the site has {most} of '{t.gpu_entries[chosen].name}'",
                            where=f"{where}.gpus", expected=f"at most {most}")
        return chosen

    def _forbid(self, job: JobSpec, where: str) -> None:
        if job.kind != "batch" and not job.model:
            raise SpecError(f"a {job.kind} job needs a model", where=f"{where}.model",
                            expected="a name of the catalogue's models")
        if job.kind != "batch" and job.utilisation is not None:
            raise SpecError("only a batch job states its utilisation", where=f"{where}.utilisation",
                            expected="kind = 'batch', or no utilisation")
        if job.kind != "inference" and job.load is not None:
            raise SpecError("only an inference job answers requests", where=f"{where}.load",
                            expected="kind = 'inference', or no load")
        if job.utilisation is not None and not 0 <= job.utilisation <= 1:
            raise SpecError(f"{job.utilisation} is out of range", where=f"{where}.utilisation", expected="0 .. 1")
        if job.checkpoint and job.kind != "training":
            raise SpecError("only a training job writes checkpoints", where=f"{where}.checkpoint",
                            expected="kind = 'training', or no checkpoint")

    def _training(self, job: JobSpec, index: int, accelerator: Any, rack: Any, idle: float,
                  where: str) -> dict[str, Any]:
        model = self.catalog.get("models", job.model)
        machine = build_machine(accelerator, self.catalog)
        plan = resolve_plan(job.plan, job.gpus, model, machine.mem_bytes, int(rack["gpus_per_node"]), where=where)
        fabric = self.spec.fabric
        nic = min(rack["nic_speed_bytes_s"] * rack["nics_per_node"] / rack["gpus_per_node"], fabric.speed)
        step = training_step(model, machine, self.phases, plan, job.precision,
                             scale_up_gpus=int(rack.get("scale_up_gpus", rack["gpus_per_node"])),
                             nic_bytes_s=0.0 if fabric.type == "none" else nic * fabric.collective_efficiency)
        self.steps[index] = step
        total = step.total_s
        return {
            "comm_frac": step.scale_out_s / total,
            "hidden_frac": (step.scale_out_total_s - step.scale_out_s) / total,
            "comm_bytes_s": step.scale_out_bytes / total, "group_gpus": plan.tp * plan.cp, "tokens_s": step.tokens_s,
            **self._activity(training_activity(step, self.phases, idle)),
        }

    def _inference(self, job: JobSpec, index: int, accelerator: Any, idle: float, where: str) -> dict[str, Any]:
        model = self.catalog.get("models", job.model)
        machine = build_machine(accelerator, self.catalog)
        load = job.load if job.load is not None else LoadSpec()
        service = build_service(model, machine, self.phases["idle_power_frac"], job.precision, job.gpus,
                                load.input_tokens, load.output_tokens, where=where)
        self.services[index] = service
        self.service_rows.append((service.capacity_tokens_s, load.requests_per_s * load.output_tokens,
                                  int(load.shape == "diurnal"), service))
        return {"service": len(self.service_rows) - 1, "memory_bound_frac": service.memory_bound_frac,
                "util_idle": power_activity(self.phases["idle_power_frac"], idle)}

    def _checkpoint(self, job: JobSpec, per_node: int, where: str) -> dict[str, Any]:
        if self.storage is None:
            raise SpecError("checkpoints need a file system", where=f"{where}.checkpoint",
                            expected="storage.count of at least 1, or no checkpoint")
        model = self.catalog.get("models", job.model)
        size = model["params"] * self.phases["checkpoint_bytes_per_param"]
        links = -(-job.gpus // per_node) * self.storage["node_link_bytes_s"]
        load_s = size / min(self.read_total, links)
        return {"checkpoint_ns": job.checkpoint, "checkpoint_bytes": size, "link_bytes_s": links,
                "restart_ns": self.spec.workload.restart + round(load_s * NS_PER_S)}

    def _batch(self, utilisation: float | None, idle: float) -> Activity:
        return batch_activity(self.spec.workload.utilisation if utilisation is None else utilisation,
                              self.phases, idle)

    def _site_idle(self) -> float:
        return idle_share(self.topology.gpu_entries[int(np.argmax(self.class_gpus))])

    @staticmethod
    def _activity(a: Activity) -> dict[str, float]:
        return {"util_busy": a.busy_util, "mem_busy": a.busy_mem, "util_comm": a.comm_util, "mem_comm": a.comm_mem,
                "util_stall": a.stall_util, "mem_stall": a.stall_mem, "util_idle": a.idle_util}

    # ---- the table -----------------------------------------------------------------------------------------

    def _f64(self, key: str) -> F64:
        return frozen_f64([row.get(key, 0.0) for row in self.rows])

    def _i32(self, key: str, default: int = 0) -> I32:
        return frozen_i32([row.get(key, default) for row in self.rows])

    def _i64(self, key: str) -> I64:
        array = np.array([row.get(key, 0) for row in self.rows], dtype=np.int64)
        array.flags.writeable = False
        return array

    def finish(self, declared: int, traced: int, slots: int) -> Jobs:
        capacity = [row[0] for row in self.service_rows]
        demand = [row[1] for row in self.service_rows]
        diurnal = [row[2] for row in self.service_rows]
        tables = [row[3] for row in self.service_rows]
        assert all(len(s.util) == POINTS for s in tables)
        return Jobs(
            names_list=tuple(self.names), declared=declared, traced=traced, slots=slots,
            submit_ns=self._i64("submit_ns"), gpus=self._i32("gpus"), work_s=self._f64("work_s"),
            priority=self._i32("priority"), kind=self._i32("kind"), coupled=self._i32("coupled"),
            restartable=self._i32("restartable"), gpu_class=self._i32("gpu_class", -1),
            pref_ptr=frozen_i32(np.concatenate([[0], np.cumsum([len(p) for p in self.prefs])])),
            pref_rack=frozen_i32(np.concatenate([_NO_RACKS, *self.prefs])),
            comm_frac=self._f64("comm_frac"), hidden_frac=self._f64("hidden_frac"),
            memory_bound_frac=self._f64("memory_bound_frac"),
            util_busy=self._f64("util_busy"), util_comm=self._f64("util_comm"), util_stall=self._f64("util_stall"),
            util_idle=self._f64("util_idle"), mem_busy=self._f64("mem_busy"), mem_comm=self._f64("mem_comm"),
            mem_stall=self._f64("mem_stall"), comm_bytes_s=self._f64("comm_bytes_s"),
            group_gpus=self._i32("group_gpus", 1),
            tokens_s=self._f64("tokens_s"), checkpoint_ns=self._i64("checkpoint_ns"),
            checkpoint_bytes=self._f64("checkpoint_bytes"), link_bytes_s=self._f64("link_bytes_s"),
            restart_ns=self._i64("restart_ns"),
            service=self._i32("service", -1), service_capacity_tokens_s=frozen_f64(capacity),
            service_demand_tokens_s=frozen_f64(demand), service_diurnal=frozen_i32(diurnal),
            service_util=frozen_f64([u for s in tables for u in s.util]),
            service_mem=frozen_f64([u for s in tables for u in s.mem]),
            generator=self.spec.workload.generator, packing=self.spec.workload.packing,
            gpus_max=self.gpus_max,
            write_total_bytes_s=float(self.write_total),
            steps=self.steps, services=self.services,
        )


_NO_RACKS = frozen_i32([])


def resolve_plan(given: PlanSpec, gpus: int, model: Any, mem_bytes: float, per_node: int, *, where: str) -> Plan:
    """Return the plan of a training job; fills what was left out.

    Without any width given, tensor parallelism fills a node and the pipeline is made just long enough that
    weights, gradients and optimizer state (18 B per parameter) take at most 70 % of memory. A data-parallel
    width left at 1 becomes what the GPUs give.

    Raises:
        SpecError: the widths do not multiply to the job's GPUs.
    """
    tp, pp, dp, cp = given.tp, given.pp, given.dp, given.cp
    if tp == pp == dp == cp == 1 and gpus > 1:
        while tp * 2 <= min(per_node, 8) and gpus % (tp * 2) == 0:
            tp *= 2
        while (18.0 * model["params"] / (tp * pp) > 0.7 * mem_bytes and pp * 2 <= model["layers"]
               and gpus % (tp * pp * 2) == 0):
            pp *= 2
    if dp == 1 and gpus % (tp * pp * cp) == 0:
        dp = gpus // (tp * pp * cp)
    if tp * pp * dp * cp != gpus:
        raise SpecError(f"tp {tp} x pp {pp} x dp {dp} x cp {cp} = {tp * pp * dp * cp}, but the job has {gpus} GPUs",
                        where=f"{where}.plan", expected=f"widths whose product is {gpus}")
    batch = given.batch or round(model["batch_tokens"] / model["seq_len"])
    per_step = dp * given.micro_batch
    batch = max(1, batch // per_step) * per_step
    return Plan(tp, pp, dp, cp, given.vp, given.micro_batch, batch, given.recompute)
