"""Which elements of an axis lie at a place: ``A2`` holds its racks, GPUs, CDUs and pumps."""

from __future__ import annotations

import numpy as np

from twin.arrays import I32
from twin.errors import SpecError
from twin.site.naming import find
from twin.site.site import Site


def elements_of(site: Site, place: str, axis: str, *, where: str = "expect") -> I32:
    """Return the indices on ``axis`` of the elements at or inside a place, in index order.

    Raises:
        CommandError: there is no such place.
        SpecError: nothing of that axis is there.
    """
    at_axis, index = find(site.names, place)
    t = site.topology
    size = site.axes[axis]
    if at_axis == axis:
        return np.array([index], dtype=np.int32)
    racks = _racks_in(site, at_axis, index)
    chosen: np.ndarray
    if racks is not None and axis in ("rack", "node", "gpu", "stream"):
        owners: dict[str, np.ndarray] = {"rack": np.arange(size), "node": t.node_rack, "gpu": t.gpu_rack,
                                         "stream": t.stream_rack}
        chosen = np.flatnonzero(racks[owners[axis]])
    elif at_axis == "node" and axis == "gpu":
        chosen = np.flatnonzero(t.gpu_node == index)
    else:
        rows = {site.names["row"][int(r)] for r in np.flatnonzero(t.row_hall == index)} if at_axis == "hall" else set()
        names = site.names.get(axis, ())
        chosen = np.array([i for i in range(len(names))
                           if names[i].startswith(place + ".") or names[i].partition(".")[0] in rows], dtype=np.int32)
    if chosen.size == 0:
        raise SpecError(f"no {axis} lies in '{place}'", where=where)
    return chosen.astype(np.int32)


def _racks_in(site: Site, axis: str, index: int) -> np.ndarray | None:
    t = site.topology
    if axis == "hall":
        return t.rack_hall == index
    if axis == "row":
        return t.rack_row == index
    if axis == "rack":
        return np.arange(t.rack_row.size) == index
    return None
