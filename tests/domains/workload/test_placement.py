"""Placement fills nodes, stays within the smallest unit that fits, and never gives a GPU twice."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from twin.domains.workload.placement import Layout, place

# Two halls of two rows of two racks of four nodes.
LAYOUT = Layout(np.repeat(np.arange(8), 4).astype(np.int32), np.repeat(np.arange(4), 2).astype(np.int32),
                np.repeat(np.arange(2), 4).astype(np.int32))


def test_small_gang_takes_the_fullest_node_that_fits() -> None:
    free = np.full(32, 8)
    free[[5, 9]] = 3, 2
    nodes, counts = place(free, 3, LAYOUT)
    assert nodes.tolist() == [5]
    assert counts.tolist() == [3]


def test_gang_stays_in_one_rack_then_row_then_hall() -> None:
    free = np.full(32, 8)
    assert place(free, 32, LAYOUT)[0].tolist() == [0, 1, 2, 3]
    free[1] = 0
    assert place(free, 32, LAYOUT)[0].tolist() == [4, 5, 6, 7]
    assert place(free, 60, LAYOUT)[0].tolist() == list(range(8, 16))  # a whole row rather than a broken one
    assert set(place(free, 124, LAYOUT)[0].tolist()) == set(range(16, 32))


def test_preferred_nodes_come_first() -> None:
    free, preferred = np.full(32, 8), np.zeros(32, dtype=bool)
    preferred[28:] = True
    assert set(place(free, 32, LAYOUT, preferred=preferred)[0].tolist()) == {28, 29, 30, 31}
    nodes, counts = place(free, 40, LAYOUT, preferred=preferred)
    assert {28, 29, 30, 31} < set(nodes.tolist())
    assert counts.tolist() == [8] * 5


def test_spread_takes_one_node_of_each_rack() -> None:
    nodes, _ = place(np.full(32, 8), 64, LAYOUT, spread=True)
    assert sorted(LAYOUT.node_rack[nodes].tolist()) == list(range(8))


@given(st.lists(st.integers(0, 8), min_size=32, max_size=32), st.integers(1, 260), st.booleans())
def test_takes_exactly_the_gang_from_free_gpus(free: list[int], gpus: int, spread: bool) -> None:
    have = np.array(free)
    found = place(have, gpus, LAYOUT, spread=spread)
    if sum(free) < gpus:
        assert found is None
        return
    assert found is not None
    nodes, counts = found
    assert len(set(nodes.tolist())) == len(nodes)
    assert int(counts.sum()) == gpus
    assert np.all(counts <= have[nodes])
    assert np.all(counts > 0)
