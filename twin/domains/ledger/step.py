"""The ledger, last of the tick: one kernel call over what the others booked."""

from __future__ import annotations

from twin._kernels.ledger import STORES, Ledger
from twin.units import J_PER_KWH, NS_PER_S
from twin.wiring import Bind


class LedgerStepper:
    """Holds the kernel; everything that lasts is in the block."""

    def __init__(self, kernel: Ledger) -> None:
        self._kernel = kernel

    def step(self, now_ns: int, dt_ns: int) -> None:
        """Book the tick."""
        self._kernel.run(dt_ns / NS_PER_S)

    def refresh(self) -> None:
        """There is nothing to rebuild."""


def bind(to: Bind) -> LedgerStepper:
    """Bind the kernel; heat is handed on to a plant only where the site has water loops outside the halls."""
    v, electrical = to.views, to.site.electrical
    loops = slice(None) if to.site.axes["loop"] else slice(0, 0)
    return LedgerStepper(Ledger(
        flows={"source_w": v.power.source_w, "it_w": v.power.it_w, "cooling_w": v.power.cooling_w,
               "loss_w": v.power.loss_w, "utility_w": v.power.utility_w, "fuel_kg_s": v.power.fuel_kg_s,
               "makeup_kg_s": v.plant.makeup_kg_s, "rejected_heat_w": v.plant.rejected_heat_w,
               "gpu_temp_max_c": v.chip.gpu_temp_max_c, "carbon_kg_kwh": v.grid.carbon_kg_kwh,
               "price_usd_kwh": v.grid.price_usd_kwh},
        throttled=v.chip.throttled_count,
        stores={name: [getattr(getattr(v, name), f"tick_{part}_j") for part in ("in", "out", "stored")]
                for name in STORES},
        cdu_heat_w=v.liquid.cdu_heat_w[loops], cdu_air_heat_w=v.liquid.cdu_air_heat_w,
        crah_heat_w=v.air.crah_heat_w[loops], job_submit_ns=v.workload.job_submit_ns,
        job_gpu_power_w=v.chip.job_gpu_power_w, own=to.own.arrays(),
        fuel_carbon_kg_kg=electrical.fuel_carbon_kg_kg, fuel_usd_kg=electrical.fuel_usd_kg,
        joules_per_kwh=J_PER_KWH))
