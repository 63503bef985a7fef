"""The Prometheus text exposition of a run (format 0.0.4), made from its newest frame.

``twin_*`` families and the process's own go through prometheus-client. GPU families are written here: that library
would rename the counters of the DCGM exporter (``..._total``), and there are thousands of their lines.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from twin import __version__
from twin.errors import printable
from twin.export.families import EXTRA, FAMILIES, GPU_FIELDS, Family, GpuNow
from twin.export.labels import JOB_LABELS, LabelSet, chosen_gpus, gpu_labels, label_sets
from twin.export.meter import EnergyMeter
from twin.site.site import Site

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
#: columns that frames leave out unless they are asked for
EXTRA_COLUMNS = ("compute.gpu_mem_frac",)
#: jobs that have families of their own: queued, running, restarting
_JOB_STATES = (1, 2, 5)
_JOB_KINDS = ("training", "inference", "batch")
JOBS_MAX = 500
ALARMS_MAX = 500


class FrameLike(Protocol):
    """What is read of a frame."""

    @property
    def columns(self) -> Mapping[str, NDArray[Any]]: ...
    @property
    def tick(self) -> int: ...
    @property
    def now_ns(self) -> int: ...
    @property
    def dt_ns(self) -> int: ...
    @property
    def paused(self) -> bool: ...
    @property
    def speed_asked(self) -> float: ...
    @property
    def speed_achieved(self) -> float: ...
    @property
    def event_count(self) -> int: ...
    @property
    def alarms(self) -> Sequence[Any]: ...
    @property
    def faults(self) -> Sequence[Any]: ...


class Exposition:
    """Turns frames of one site into metrics.

    Args:
        site: the plant; gives the labels.
        scenario: what was opened.
        meter: the GPUs' energy.
        max_gpus: how many GPUs get families of their own.
    """

    def __init__(self, site: Site, scenario: str, meter: EnergyMeter, *, max_gpus: int = 2000) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        self._twin = _TwinCollector(site, scenario, exported=0)
        self._gpus = _GpuText(site, meter, max_gpus)
        self._twin.exported = self._gpus.count
        self._registry.register(self._twin)
        ProcessCollector(registry=self._registry)

    def render(self, frame: FrameLike) -> bytes:
        """Return the text of one scrape."""
        self._twin.frame = frame
        return generate_latest(self._registry) + self._gpus.render(frame.columns)


class _TwinCollector(Collector):
    """The ``twin_*`` families."""

    def __init__(self, site: Site, scenario: str, exported: int) -> None:
        self._site, self._scenario, self.exported = site, scenario, exported
        self._sets = label_sets(site)
        self._job_names = site.jobs.names_list
        self.frame: FrameLike | None = None

    def collect(self) -> Iterator[Metric]:
        """Yield every family of the newest frame."""
        frame = self.frame
        if frame is None:
            return
        yield from self._extra(frame)
        sets = self._sets | {"job": self._jobs(frame.columns)}
        for family in FAMILIES:
            chosen = sets[family.labels]
            if chosen.labels:
                yield _family(family, chosen, frame.columns[family.column])

    def _jobs(self, columns: Mapping[str, NDArray[Any]]) -> LabelSet:
        live = np.flatnonzero(np.isin(columns["workload.job_state"], _JOB_STATES))[:JOBS_MAX].astype(np.int32)
        kinds = self._site.jobs.kind
        return LabelSet(JOB_LABELS, live, [
            {"job_name": self._job_names[i], "kind": _JOB_KINDS[kinds[i]]} for i in live.tolist()])

    def _extra(self, frame: FrameLike) -> Iterator[Metric]:
        site = self._site
        info = {"scenario": printable(self._scenario), "title": printable(site.spec.scenario.title),
                "version": __version__}
        yield _extra("twin_info", [(info, 1.0)])
        single = {
            "twin_simulated_seconds": frame.now_ns * 1e-9,
            "twin_simulated_unixtime_seconds": (site.start_unix_ns + frame.now_ns) * 1e-9,
            "twin_ticks_total": frame.tick, "twin_tick_seconds": frame.dt_ns * 1e-9,
            "twin_speed_ratio": frame.speed_achieved, "twin_speed_asked_ratio": frame.speed_asked,
            "twin_paused": frame.paused, "twin_gpus": site.axes["gpu"], "twin_gpus_exported": self.exported,
            "twin_events_total": frame.event_count,
        }
        for name, value in single.items():
            yield _extra(name, [({}, float(value))])
        severities = Counter(alarm.severity for alarm in frame.alarms)
        yield _extra("twin_alarms", [({"severity": s}, float(severities[s])) for s in ("info", "warning", "critical")])
        alarms = {(a.name, a.place, a.severity): 1.0 for a in frame.alarms[:ALARMS_MAX]}
        yield _extra("twin_alarm", [({"alarm": n, "place": p, "severity": s}, v) for (n, p, s), v in alarms.items()])
        faults = {(f.name, f.place): 1.0 for f in frame.faults}
        yield _extra("twin_fault", [({"fault": n, "place": p}, v) for (n, p), v in faults.items()])


def _metric(name: str, kind: str, doc: str) -> Metric:
    return CounterMetricFamily(name, doc) if kind == "counter" else GaugeMetricFamily(name, doc)


def _extra(name: str, rows: Iterable[tuple[dict[str, str], float]]) -> Metric:
    kind, _, doc = EXTRA[name]
    metric = _metric(name, kind, doc)
    metric.samples = [Sample(name, labels, value) for labels, value in rows]
    return metric


def _family(family: Family, chosen: LabelSet, column: NDArray[Any]) -> Metric:
    metric = _metric(family.name, family.kind, family.doc)
    values = (column if chosen.index is None else column[chosen.index]).astype(np.float64) * family.scale
    metric.samples = [Sample(family.name, labels, value)
                      for labels, value in zip(chosen.labels, values.tolist(), strict=True)]
    return metric


class _GpuText:
    """The GPU families, written by hand: their label text never changes."""

    def __init__(self, site: Site, meter: EnergyMeter, max_gpus: int) -> None:
        topo = site.topology
        self._gpus = chosen_gpus(site, max_gpus)
        self._meter = meter
        self._labels = gpu_labels(site, self._gpus)
        self._rack = topo.gpu_rack[self._gpus]
        kinds = topo.gpu_class[self._gpus]

        def of_entry(key: str) -> NDArray[Any]:
            return np.array([float(e.get(key, np.nan)) for e in topo.gpu_entries])[kinds]

        self._tdp_w = of_entry("tdp_w")
        self._fixed = (of_entry("clock_tdp_hz"), of_entry("temp_slowdown_c"), of_entry("temp_shutdown_c"))

    @property
    def count(self) -> int:
        """How many GPUs are exported."""
        return len(self._labels)

    def _now(self, columns: Mapping[str, NDArray[Any]]) -> GpuNow:
        at = self._gpus
        clock_hz, slowdown_c, shutdown_c = self._fixed
        return GpuNow(
            temp_c=columns["chip.gpu_temp_c"][at], hbm_temp_c=columns["chip.gpu_hbm_temp_c"][at],
            power_w=columns["chip.gpu_power_w"][at], clock_frac=columns["chip.gpu_clock_frac"][at],
            clock_tdp_hz=clock_hz, util_frac=columns["compute.gpu_util_frac"][at],
            mem_frac=columns["compute.gpu_mem_frac"][at], throttle=columns["chip.gpu_throttle"][at],
            limit_w=columns["compute.rack_cap_frac"][self._rack] * self._tdp_w, slowdown_c=slowdown_c,
            shutdown_c=shutdown_c, energy_j=self._meter.energy_j()[at])

    def render(self, columns: Mapping[str, NDArray[Any]]) -> bytes:
        """Return the text of all GPU families."""
        if not self._labels:
            return b""
        now = self._now(columns)
        parts = []
        for field in GPU_FIELDS:
            name = field.name
            parts.append(f"# HELP {name} {field.doc}\n# TYPE {name} {field.kind}\n")
            exact = field.values(now)
            known = np.isfinite(exact)
            values = np.round(exact, field.digits)
            numbers = values.tolist() if field.digits else np.where(known, values, 0.0).astype(np.int64).tolist()
            if known.all():
                parts += [f"{name}{labels} {value}\n" for labels, value in zip(self._labels, numbers, strict=True)]
            else:
                parts += [f"{name}{labels} {value}\n"
                          for labels, value, ok in zip(self._labels, numbers, known.tolist(), strict=True) if ok]
        return "".join(parts).encode()
