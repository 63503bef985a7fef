"""What the buffers of the electrical tree must satisfy before the kernel may walk it unchecked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def check_tree(params: Mapping[str, Any], loads: Mapping[str, Any], state: Mapping[str, Any], n: int, u: int) -> None:
    """Raise ValueError unless the buffers fit each other and the tree is one."""
    racks, halls = len(loads["rack_w"]), len(loads["network_w"])
    sizes = [(key, len(params[key]), n) for key in ("units", "rating_w", "c0_w", "c1", "c2_per_w")]
    sizes += [(key, len(params[key]), u) for key in ("battery_capacity_j", "charge_w")]
    sizes += [(key, len(state[key]), n) for key in state if key.startswith("elec_")]
    sizes += [(key, len(state[key]), u) for key in state if key.startswith(("ups_", "battery_"))]
    sizes += [(key, len(state[key]), len(state["generator_state"])) for key in
              ("generator_timer_s", "generator_power_w", "generator_fuel_kg", "generator_fault")]
    for axis, count in (("rack", racks), ("hall", halls), ("cdu", len(loads["cdu_w"])), ("crah", len(loads["crah_w"]))):
        sizes += [(f"{axis}_feed", len(params[f"{axis}_feed"]), count),
                  (f"{axis}_energised", len(state[f"{axis}_energised"]), count)]
    sizes += [("storage_w", len(loads["storage_w"]), halls), ("hall_service_w", len(state["hall_service_w"]), halls),
              ("plant_feed", len(params["plant_feed"]), 1)]
    for key, size, wanted in sizes:
        if size != wanted:
            raise ValueError(f"{key}: {size} elements where {wanted} are expected")
    parent, units, ups = (np.asarray(params[key]) for key in ("parent", "units", "ups_elec"))
    if n == 0 or parent[0] != -1 or (parent[1:] < 0).any() or (parent >= np.arange(n)).any() or (units < 1).any():
        raise ValueError("the first node is the only root, a parent comes before its children, units are at least 1")
    if u and ((np.diff(ups) != 1).any() or ups[0] < 1 or (parent[ups[u - 1] + 1:] < ups[0]).any()
              or (parent[ups] >= ups[0]).any()):
        raise ValueError("the nodes of the UPS must be consecutive, and all nodes behind them fed by one")
    for axis in ("rack", "cdu", "crah", "hall", "plant"):
        feeds = np.asarray(params[f"{axis}_feed"])
        if feeds.size and (feeds.shape[1] != 2 or feeds.max() >= n or feeds.min() < -1):
            raise ValueError(f"{axis}_feed names a node that does not exist")
