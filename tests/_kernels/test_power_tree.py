"""The tree kernel on hand-made and random trees."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin._kernels.power import PowerTree
from twin.state.blocks import PowerState

UPS = (0.96, 0.95, 15.0, 1.12, 1.25, 1.5, 1.1)
GENERATOR = (3e6, 2.0, 10.0, 10.0, 300.0, 300.0, 6e-8, 0.1)


def tree(parent: list[int], *, c0: Any = 0.0, c1: Any = 0.0, c2: Any = 0.0, ups: tuple[int, ...] = (),
         leaves: list[tuple[int, int]], load_w: Any, mains: int = 0,
         battery_j: float = 0.0) -> tuple[PowerTree, PowerState]:
    """Return a tree whose racks hang on ``leaves``."""
    n = len(parent)
    axes = {"one": 1, "elec": n, "ups": len(ups), "generator": 0, "rack": len(leaves), "node": 0, "cdu": 0, "crah": 0,
            "hall": 0}
    own = PowerState(axes)
    own.battery_j[:] = battery_j
    none = np.zeros((0, 2), dtype=np.int32)

    def full(value: Any, size: int) -> np.ndarray:
        return np.ascontiguousarray(np.broadcast_to(np.asarray(value, dtype=np.float64), size))

    params = {
        "parent": np.array(parent, dtype=np.int32), "units": np.ones(n, dtype=np.int32), "rating_w": full(1e9, n),
        "c0_w": full(c0, n), "c1": full(c1, n), "c2_per_w": full(c2, n), "mains": (mains,),
        "ups_elec": np.array(ups, dtype=np.int32), "battery_capacity_j": full(battery_j, len(ups)),
        "charge_w": full(1e5, len(ups)), "ups_params": UPS, "generator_params": GENERATOR, "plant_design_w": (0.0,),
        "rack_feed": np.array(leaves, dtype=np.int32), "cdu_feed": none, "crah_feed": none, "hall_feed": none,
        "plant_feed": np.array([[0, -1]], dtype=np.int32)}
    empty = np.zeros(0)
    loads = {"rack_w": full(load_w, len(leaves)), "cdu_w": empty, "crah_w": empty, "network_w": empty,
             "storage_w": empty, "plant_w": np.zeros(1), "rack_protected": np.zeros(len(leaves), dtype=np.int32)}
    kernel = PowerTree(params=params, loads=loads, state=own.arrays())
    kernel.energise()
    return kernel, own


def test_chain_of_efficiencies() -> None:
    """415 VAC, 54 V: .996 x .995 x .973 x .995 x .970 x .990 = 92.1 %; 800 VDC: .996 x .980 x .998 x .975 = 95 %."""
    got = []
    for stages in ((0.996, 0.995, 0.973, 0.995, 0.970, 0.990), (0.996, 0.980, 0.998, 0.975)):
        n = len(stages)
        kernel, own = tree(list(range(-1, n - 1)), c1=[1.0 / e - 1.0 for e in stages], leaves=[(n - 1, -1)], load_w=1e6)
        kernel.run(1.0)
        got.append(1e6 / own.source_w[0])
    assert got[0] == pytest.approx(0.921, abs=5e-4)
    assert got[1] == pytest.approx(0.950, abs=5e-4)
    assert 0.025 <= got[1] - got[0] <= 0.035


@settings(max_examples=60, deadline=None)
@given(data=st.data(), above=st.integers(1, 4), ups=st.integers(0, 3), below=st.integers(1, 12), dt_s=st.sampled_from(
    [0.01, 1.0, 60.0]))
def test_random_trees_close(data: st.DataObject, above: int, ups: int, below: int, dt_s: float) -> None:
    """Any tree, any losses, any dead nodes: source = load + losses + charging to rounding, and no loss is negative."""
    parent = [-1] + [data.draw(st.integers(0, i - 1)) for i in range(1, above)]
    parent += [data.draw(st.integers(0, above - 1)) for _ in range(ups)]
    first = above if ups else 0
    parent += [data.draw(st.integers(first, i - 1)) for i in range(len(parent), len(parent) + below)]
    n = len(parent)
    leaves = [(data.draw(st.integers(0, n - 1)), data.draw(st.integers(-1, n - 1))) for _ in range(6)]
    kernel, own = tree(
        parent, c0=data.draw(st.floats(0.0, 1e4)), c1=data.draw(st.floats(0.0, 0.1)),
        c2=data.draw(st.floats(0.0, 1e-8)),
        ups=tuple(range(above, above + ups)), leaves=leaves, load_w=data.draw(st.floats(0.0, 1e6)),
        battery_j=data.draw(st.sampled_from([0.0, 1e6, 1e9])))
    for _ in range(4):
        hit = data.draw(st.integers(0, n - 1))
        before = own.rack_energised.copy()
        own.elec_up[hit] = 0
        kernel.energise()
        assert (own.rack_energised <= before).all()
        kernel.run(dt_s)
        moved = own.tick_in_j[0] + own.tick_out_j[0] + 1.0
        assert abs(own.tick_in_j[0] - own.tick_out_j[0] - own.tick_stored_j[0]) <= 1e-12 * moved
        assert own.elec_loss_w.min() >= -1e-3      # rounding of a battery of 1e9 J within 10 ms
        assert own.source_w[0] * dt_s >= own.it_w[0] * dt_s + min(own.tick_stored_j[0], 0.0) - 1e-9 * moved
        own.elec_up[hit] = data.draw(st.integers(0, 1))
        kernel.energise()


def test_charging_ends_at_a_full_battery() -> None:
    kernel, own = tree([-1, 0, 1], ups=(1,), leaves=[(2, -1)], load_w=1e5, battery_j=1e7)
    own.battery_j[0] = 5e6
    for _ in range(53):
        kernel.run(1.0)
        assert own.battery_power_w[0] == pytest.approx(-0.95e5) or own.battery_j[0] == 1e7
    assert own.battery_j[0] == 1e7                  # 5e6 J at 0.95 x 1e5 W take 52.6 s
    kernel.run(1.0)
    assert own.source_w[0] == 1e5


@pytest.mark.parametrize("change,words", [
    ({"parent": [-1, 2, 0]}, "before its children"),
    ({"parent": [-1, -1, 0]}, "only root"),
    ({"leaves": [(7, -1)]}, "does not exist"),
    ({"ups": (1, 2), "parent": [-1, 0, 1]}, "consecutive"),
])
def test_what_is_no_tree_is_refused(change: dict[str, Any], words: str) -> None:
    wanted: dict[str, Any] = {"parent": [-1, 0, 0], "leaves": [(2, -1)], "load_w": 1.0, **change}
    with pytest.raises(ValueError, match=words):
        tree(**wanted)
