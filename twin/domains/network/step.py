"""The network's tick: nothing while placement, faults and demands stay as they are; else one exact solve."""

from __future__ import annotations

from twin._kernels.network import NetworkKernel
from twin.wiring import Bind


class NetworkStepper:
    """Binds the kernel to the state; all caches live in the kernel and are rebuilt by ``refresh``."""

    def __init__(self, bind: Bind) -> None:
        own, work, fabric = bind.own, bind.views.workload, bind.site.fabric
        t = fabric.tiers
        self.kernel = NetworkKernel(
            gpu_job=work.gpu_job, job_comm_bytes_s=work.job_comm_bytes_s, placement_version=work.placement_version,
            link_capacity_frac=own.link_capacity_frac, switch_up=own.switch_up, fault_version=own.fault_version,
            link_load_bytes_s=own.link_load_bytes_s, link_load_frac=own.link_load_frac,
            link_demand_ratio=own.link_demand_ratio, job_slowdown=own.job_slowdown, job_connected=own.job_connected,
            solved_version=own.solved_version, hall_power_w=own.hall_power_w,
            congestion_max_ratio=own.congestion_max_ratio, slowdown_max_ratio=own.slowdown_max_ratio,
            traffic_bytes_s=own.traffic_bytes_s, gpu_domain=fabric.gpu_domain, gpu_rail=fabric.gpu_rail,
            gpu_leaf=fabric.gpu_leaf, gpu_port=fabric.gpu_port, gpu_rate_bytes_s=fabric.gpu_rate_bytes_s,
            domain_gpu_ptr=fabric.domain_gpu_ptr, leaf_pod=fabric.leaf_pod,
            link_capacity_bytes_s=fabric.link_capacity_bytes_s, switch_hall=fabric.switch_hall,
            switch_w=fabric.switch_w, job_group_gpus=bind.site.jobs.group_gpus,
            sizes=(t.rails, t.rails * t.leaves, t.rails * t.pods, t.spines, t.planes, t.uplinks, t.cores),
            routing=fabric.routing, lane_capacity_bytes_s=fabric.lane_capacity_bytes_s)
        self.run = self.kernel.run

    def step(self, now_ns: int, dt_ns: int) -> None:
        """Bring link loads and job slowdowns up to date with placement, faults and demands of this tick."""
        self.run()

    def refresh(self) -> None:
        """Rebuild everything from the state at the next step."""
        self.kernel.refresh()


def bind_network(bind: Bind) -> NetworkStepper:
    """Return the domain's stepper."""
    return NetworkStepper(bind)
