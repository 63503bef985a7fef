"""What must always hold: energy is conserved, jobs are neither lost nor doubled, numbers are finite."""

from __future__ import annotations

import numpy as np

from twin.site.site import Site
from twin.state.state import State

#: largest relative energy residual of a tick that rounding can explain
ENERGY_RESIDUAL_MAX = 1e-9


def check(site: Site, state: State) -> list[str]:
    """Return every invariant that does not hold, in words; an empty list when all is well."""
    wrong = []
    residual = float(state.ledger.residual_rel_max_ratio[0])
    if not residual <= ENERGY_RESIDUAL_MAX:
        wrong.append(f"energy: relative residual {residual:.3g} exceeds {ENERGY_RESIDUAL_MAX:g}")
    for block, col, array in state.columns():
        if array.dtype == np.float64 and col.name not in _MAY_BE_INFINITE and not np.isfinite(array).all():
            first = int(np.flatnonzero(~np.isfinite(array))[0])
            wrong.append(f"{block}.{col.name}[{first}] is {array[first]}")
    wrong += jobs_wrong(site, state)
    return wrong


#: services never complete: their work is infinite
_MAY_BE_INFINITE = frozenset({"job_work_s"})


def jobs_wrong(site: Site, state: State) -> list[str]:
    """Return what does not hold between jobs, the accelerators that they hold, and the free ones."""
    wrong = []
    work = state.workload
    holding = np.isin(work.job_state, (2, 5))
    # A job that ended during the tick stays on GPUs that nobody took over until the next tick begins.
    leaving = ~holding & ((work.job_active_frac > 0) | (work.job_util_frac > 0))
    held = np.zeros(work.job_state.size, dtype=np.int64)
    np.add.at(held, work.gpu_job[work.gpu_job >= 0], 1)
    for job in np.flatnonzero(holding):
        if held[job] != work.job_gpus[job]:
            wrong.append(f"job {site.names['job'][int(job)]} holds {held[job]} of {work.job_gpus[job]} GPUs")
    if work.job_state.size and np.any(held[~holding & ~leaving] > 0):
        wrong.append("a job that does not run holds GPUs")
    node_gpus = np.diff(site.topology.node_gpu_ptr)
    taken = np.zeros(node_gpus.size, dtype=np.int64)
    busy = np.flatnonzero(work.gpu_job >= 0)
    np.add.at(taken, site.topology.gpu_node[busy[holding[work.gpu_job[busy]]]], 1)
    if np.any((work.node_free < 0) | (work.node_free + taken > node_gpus)):
        wrong.append("a node has more free accelerators than nobody holds")
    if int(work.gpus_allocated[0]) != int(held[holding].sum()):
        wrong.append("workload.gpus_allocated is not the number of held GPUs")
    return wrong
