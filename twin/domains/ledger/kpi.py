"""Key figures of a run, from the state alone. ISO/IEC 30134: PUE (-2), CUE (-8), WUE (-9)."""

from __future__ import annotations

from typing import Any

import numpy as np

from twin.units import J_PER_KWH, NS_PER_S

#: one litre of water weighs one kilogram, near enough for a water bill
KG_PER_L = 1.0
_ABSOLUTE_ZERO_C = -273.0


def kpi(site: Any, state: Any) -> dict[str, float | None]:
    """Return every key figure by name; None where it is undefined (no IT energy, no job started ...).

    ``it_energy_kwh`` is taken at the rack inputs, network and storage included. ``goodput_frac`` is useful over held
    GPU seconds. Waits are those of jobs that have started. ``energy_residual_rel`` is the sum of the magnitudes of
    all ticks' residuals over the facility's energy.
    """
    ledger, work = state.ledger, state.workload
    it_j, facility_j = _of(ledger.it_energy_j), _of(ledger.facility_energy_j)
    it_kwh = it_j / J_PER_KWH
    trained, served = _of(work.trained_tokens), _of(work.served_tokens)
    hottest = _of(ledger.gpu_temp_c_max)
    return {
        "it_energy_kwh": it_kwh,
        "facility_energy_kwh": facility_j / J_PER_KWH,
        "pue": _ratio(facility_j, it_j),
        "wue_l_per_kwh": _ratio(_of(ledger.water_kg) / KG_PER_L, it_kwh),
        "cue_kg_per_kwh": _ratio(_of(ledger.carbon_kg), it_kwh),
        "cost_usd": _of(ledger.cost_usd),
        "peak_facility_w": _of(ledger.peak_facility_w),
        "gpu_temp_c_max": hottest if hottest > _ABSOLUTE_ZERO_C else None,
        "throttled_gpu_s": _of(ledger.throttled_gpu_s),
        "tokens": trained + served,
        "tokens_trained": trained,
        "tokens_served": served,
        "goodput_frac": _ratio(_of(work.useful_gpu_s), _of(work.allocated_gpu_s)),
        "jobs_completed": int(work.jobs_completed[0]),
        "jobs_failed": int(work.jobs_failed[0]),
        "wait_mean_s": _ratio(_of(work.wait_sum_s), _of(work.wait_count)),
        "wait_p95_s": _wait_p95_s(work),
        "energy_residual_rel": _ratio(_of(ledger.residual_abs_j), facility_j),
    }


def _of(column: Any) -> float:
    return float(column[0])


def _ratio(a: float, b: float) -> float | None:
    return a / b if b > 0.0 else None


def _wait_p95_s(work: Any) -> float | None:
    """95th percentile of the waits of started jobs, interpolated between order statistics."""
    started = work.job_start_ns >= 0
    waits = np.sort((work.job_start_ns - work.job_submit_ns)[started])
    if not waits.size:
        return None
    at = 0.95 * (waits.size - 1)
    low = int(at)
    high = min(low + 1, waits.size - 1)
    return (float(waits[low]) + (at - low) * float(waits[high] - waits[low])) / NS_PER_S
