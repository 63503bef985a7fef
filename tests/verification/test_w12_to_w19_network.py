"""W12 to W17 and W19: collectives, max-min sharing, flow completions of SimGrid, statistics of hashing."""

from __future__ import annotations

import csv
import gzip

import numpy as np
import pytest

from twin._kernels.laws import bus_factor
from twin._kernels.maxmin import MaxMin, solve_maxmin
from twin._kernels.network import ecmp_lane


def test_w12_bus_bandwidth_of_an_all_reduce():
    """Source: nccl-tests, PERFORMANCE.md: 1 GiB over 8 ranks in 5.594 ms; tolerance: the printed digits."""
    algorithm = 2**30 / 5.594e-3
    assert algorithm / 1e9 == pytest.approx(191.9, abs=0.05)
    assert algorithm * bus_factor(8) / 1e9 == pytest.approx(335.9, abs=0.06)


@pytest.mark.parametrize(("case", "expected"), [
    # W13: capacities 1 and 2, one flow over both links and one on each.
    (([0, 2, 3, 4], [0, 1, 0, 1], [1.0, 2.0]), [0.5, 0.5, 1.5]),
    # W14: one link of 10, finite demands.
    (([0, 1, 2, 3, 4], [0] * 4, [10.0], [2, 2.6, 4, 5]), [2, 2.6, 2.7, 2.7]),
    # W15: one link of 16, demands and weights.
    (([0, 1, 2, 3, 4], [0] * 4, [16.0], [4, 2, 10, 4], [2.5, 4, 0.5, 1]), [4, 2, 6, 4]),
    # W16: a, b, c on link 0; b, d on link 1; c, e on link 2.
    (([0, 1, 3, 5, 6, 7], [0, 0, 1, 0, 2, 1, 2], [10.0, 6, 12]), [3.5, 3, 3.5, 3, 8.5]),
])
def test_w13_to_w16_textbook_cases(case, expected):
    """Source: Bertsekas and Gallager, Data Networks; Keshav's weighted example; tolerance 1e-9."""
    assert solve_maxmin(*case) == pytest.approx(expected, rel=1e-9)


def read_simgrid(path):
    text = (gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()).decode()
    index, ptr, links, capacity, size, reference = {}, [0], [], [], [], []
    for _, n_bytes, finish, *hops in csv.reader(text.splitlines()):
        size.append(float(n_bytes))
        reference.append(float(finish))
        for hop in hops:
            name, _, speed = hop.rpartition(":")
            if name not in index:
                index[name] = len(index)
                capacity.append(float(speed))
            links.append(index[name])
        ptr.append(len(links))
    return (np.array(ptr, np.int32), np.array(links, np.int32), np.array(capacity)), np.array(size), np.array(reference)


def completion_times(problem, size):
    """Run all flows from instant 0; each completion ends its flow and the rest share anew."""
    sharing = MaxMin(*problem)
    sharing.solve()
    left, done, now, running = size.copy(), np.zeros(len(size)), 0.0, len(size)
    while running:
        with np.errstate(divide="ignore", invalid="ignore"):
            wait = np.where(done > 0, np.inf, left / sharing.rate)
        step = wait.min()
        left -= sharing.rate * step
        now += step
        for flow in np.flatnonzero(wait <= step * (1 + 1e-12)):
            done[flow] = now
            sharing.remove(int(flow))
            running -= 1
    return done


@pytest.mark.parametrize(("file", "makespan", "mean"), [
    ("simgrid_ft1024_1000flows.csv", 0.882800, 0.262293), ("simgrid_ft1024_10000flows.csv.gz", 3.323000, 1.413138),
])
def test_w17_every_completion_of_simgrid(shared_data, file, makespan, mean):
    """Source: SimGrid 3.32, 1,024 hosts in a two-level fat tree; tolerance 1e-9 for every flow."""
    path = shared_data / "traces" / file
    if not path.is_file():
        pytest.skip(f"no {file}")
    problem, size, reference = read_simgrid(path)
    done = completion_times(problem, size)
    assert np.max(np.abs(done - reference) / reference) < 1e-9
    assert done.max() == pytest.approx(makespan, abs=5e-7)
    assert done.mean() == pytest.approx(mean, abs=5e-7)


def test_w19_hash_collisions():
    """Source: balls in bins, 32 in 32: used 1-(1-1/32)^32 = 0.638, E[max] = 3.53; tolerance 2 %."""
    live = np.ones(32)
    trials = np.array([[ecmp_lane(trial * 32 + flow, 7, live) for flow in range(32)] for trial in range(3000)])
    counts = np.array([np.bincount(row, minlength=32) for row in trials])
    assert (counts > 0).mean() == pytest.approx(1 - (1 - 1 / 32) ** 32, rel=0.02)
    assert counts.max(axis=1).mean() == pytest.approx(3.53, rel=0.02)


def test_w19_losing_one_cable_moves_only_its_flows():
    """Resilient hashing: 1/k of the flows move, evenly to the others, and come back; modulo would move (k-1)/k."""
    live, flows = np.ones(16), range(20_000)
    before = np.array([ecmp_lane(f, 3, live) for f in flows])
    live[5] = 0.0
    after = np.array([ecmp_lane(f, 3, live) for f in flows])
    moved = before != after
    assert np.array_equal(moved, before == 5)
    assert moved.mean() == pytest.approx(1 / 16, rel=0.1)
    share = np.bincount(after[moved], minlength=16)
    assert share[5] == 0
    assert np.delete(share, 5) == pytest.approx(moved.sum() / 15, rel=0.4)
    live[5] = 1.0
    assert np.array_equal(before, [ecmp_lane(f, 3, live) for f in flows])
