"""Where a gang goes: which nodes, how many GPUs of each. Pure functions over free counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.arrays import I32, I64

_BIG = np.int64(2**62)


@dataclass(frozen=True)
class Layout:
    """What placement knows of the site: the rack of each node, the row and hall of each rack."""

    node_rack: I32
    rack_row: I32
    rack_hall: I32


def place(free: I64, gpus: int, layout: Layout, *, preferred: NDArray[np.bool_] | None = None,
          spread: bool = False) -> tuple[I64, I64] | None:
    """Choose nodes for a gang.

    Contiguous: the fullest single node that still fits the gang, otherwise the rack, row or hall (in this
    order) with the fewest free GPUs that fit it, its emptiest nodes first, in index order. Spread: one node of
    each rack in turn. Preferred nodes are used before others.

    Args:
        free[node]: GPUs that can be given out.
        gpus: size of the gang.
        layout: where the nodes stand.
        preferred[node]: nodes that the job prefers, or None.
        spread: spread the gang over racks.

    Returns:
        Nodes and the GPUs taken of each, or None when the gang does not fit. Every node but the last is
        taken whole, as far as it is free.
    """
    if int(np.add.reduce(free)) < gpus:
        return None
    if preferred is not None:
        inside = np.where(preferred, free, 0)
        held = int(np.add.reduce(inside))
        if held >= gpus:
            free = inside
        elif held > 0:
            first = place(inside, held, layout, spread=spread)
            rest = place(free - inside, gpus - held, layout, spread=spread)
            assert first is not None
            assert rest is not None
            return np.concatenate([first[0], rest[0]]), np.concatenate([first[1], rest[1]])
    if spread:
        return _take(free, gpus, _spread_order(free, layout))
    fits = free >= gpus
    if fits.any():
        return np.array([np.argmin(np.where(fits, free, _BIG))]), np.array([gpus])
    free = _smallest_unit(free, gpus, layout)
    return _take(free, gpus, np.argsort(-free, kind="stable"))


def _smallest_unit(free: I64, gpus: int, layout: Layout) -> I64:
    """Return ``free`` with everything outside the chosen rack, row or hall set to zero."""
    per_rack = _count(free, layout.node_rack)
    for unit_of_rack in (np.arange(len(per_rack)), layout.rack_row, layout.rack_hall):
        units = _count(per_rack[:len(unit_of_rack)], unit_of_rack)
        fits = units >= gpus
        if fits.any():
            unit = int(np.argmin(np.where(fits, units, _BIG)))
            return np.where(np.asarray(unit_of_rack)[layout.node_rack] == unit, free, 0)
    return free


def _count(values: I64, group: NDArray[np.integer]) -> I64:
    out = np.zeros(int(group.max()) + 1 if len(group) else 0, dtype=np.int64)
    np.add.at(out, group, values)
    return out


def _spread_order(free: I64, layout: Layout) -> I64:
    """Return nodes ordered so that neighbours in the order stand in different racks."""
    rank = np.zeros(len(free), dtype=np.int64)
    seen: dict[int, int] = {}
    for node in np.flatnonzero(free > 0):
        rack = int(layout.node_rack[node])
        rank[node] = seen.get(rack, 0)
        seen[rack] = int(rank[node]) + 1
    return np.lexsort((layout.node_rack, rank))


def _take(free: I64, gpus: int, order: NDArray[np.integer]) -> tuple[I64, I64]:
    """Take whole nodes in the given order until the gang is complete."""
    ordered = free[order]
    reached = np.cumsum(ordered)
    last = int(np.searchsorted(reached, gpus))
    counts = ordered[:last + 1].copy()
    counts[last] -= int(reached[last]) - gpus
    used = counts > 0
    return order[:last + 1][used].astype(np.int64), counts[used]
