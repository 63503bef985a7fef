"""One tick of compute."""

from __future__ import annotations

import numpy as np

from twin._kernels.compute import Spread
from twin.arrays import F64, frozen_f64, frozen_i32
from twin.site.site import Site
from twin.wiring import Bind


def host_power_w(site: Site) -> tuple[F64, F64]:
    """Return (idle power, power that full activity adds) of every node's host, W.

    The host is what a node holds beside its GPUs: CPUs between idle and full; memory, NICs and drives constant.
    """
    t = site.topology
    idle = np.zeros(len(t.node_rack))
    span = np.zeros(len(t.node_rack))
    for index, entry in enumerate(t.rack_entries):
        cpus = float(entry.get("cpus_per_node", 0))
        constant = (float(entry.get("node_mem_w", 0.0)) + float(entry.get("nvme_w", 0.0))
                    + float(entry.get("nics_per_node", 0)) * float(entry.get("nic_w", 0.0)))
        low, high = float(entry.get("cpu_idle_w", 0.0)), float(entry.get("cpu_max_w", 0.0))
        mine = t.rack_class[t.node_rack] == index
        idle[mine], span[mine] = constant + cpus * low, cpus * (high - low)
    return frozen_f64(idle), frozen_f64(span)


class ComputeStep:
    """Compute bound to its buffers."""

    def __init__(self, bind: Bind) -> None:
        own, views, t = bind.own, bind.views, bind.site.topology
        jobs, idle, span = bind.site.jobs, *host_power_w(bind.site)
        # A service's replicas do not wait for each other.
        waits = (np.asarray(jobs.coupled) != 0) & (np.asarray(jobs.service) < 0)
        self._kernel = Spread(
            gpu_job=views.workload.gpu_job, job_util_frac=views.workload.job_util_frac,
            job_mem_frac=views.workload.job_mem_frac, job_waits=frozen_i32(waits), job_wait_util_frac=jobs.util_comm,
            job_wait_mem_frac=jobs.mem_comm, job_phase=views.workload.job_phase,
            job_perf_frac=views.chip.job_perf_frac, gpu_clock_frac=views.chip.gpu_clock_frac,
            rack_energised=views.power.rack_energised,
            node_down=views.workload.node_down, rack_node_ptr=t.rack_node_ptr, node_gpu_ptr=t.node_gpu_ptr,
            node_idle_w=idle, node_span_w=span, gpu_util_frac=own.gpu_util_frac, gpu_mem_frac=own.gpu_mem_frac,
            gpu_on=own.gpu_on, node_aux_w=own.node_aux_w)

    def step(self, now_ns: int, dt_ns: int) -> None:
        """Spread the activity of jobs to devices."""
        self._kernel.run()

    def refresh(self) -> None:
        """Nothing is cached."""
