"""One tick of the file system: what was written, who writes on at which rate, what it draws."""

from __future__ import annotations

from twin._kernels.storage import Storage
from twin.wiring import Bind


class StorageStepper:
    """The file system bound to its block; the rates it publishes hold for the next tick."""

    def __init__(self, bind: Bind) -> None:
        spec, jobs, own, work = bind.site.spec.storage, bind.site.jobs, bind.own, bind.views.workload
        unit = bind.site.catalog.get("storage", spec.type) if spec.count else None
        self._kernel = Storage(
            left_bytes=work.job_checkpoint_left_bytes, wrote_bytes=work.job_wrote_bytes,
            link_bytes_s=jobs.link_bytes_s, capacity_frac=own.capacity_frac, rate_bytes_s=own.job_write_bytes_s,
            write_bytes_s=own.write_bytes_s, written_bytes=own.written_bytes, hall_power_w=own.hall_power_w,
            total_bytes_s=spec.count * float(unit["write_bytes_s"]) if unit else 0.0,
            idle_w=spec.count * float(unit["idle_w"]) if unit else 0.0,
            max_w=spec.count * float(unit["max_w"]) if unit else 0.0)

    def step(self, now_ns: int, dt_ns: int) -> None:
        """Advance the file system by one tick."""
        self._kernel.run(dt_ns * 1e-9)

    def refresh(self) -> None:
        """Nothing is cached."""
