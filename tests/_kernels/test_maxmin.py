"""Max-min sharing against two independent oracles: progressive filling in fractions, and a chain of linear programs."""

from __future__ import annotations

import doctest
from fractions import Fraction

import numpy as np
import pytest
from scipy.optimize import linprog

from twin._kernels import maxmin
from twin._kernels.maxmin import MaxMin, solve_maxmin


def random_problem(rng, flows=12, links=7):
    paths = [sorted(rng.choice(links, size=rng.integers(1, 4), replace=False).tolist()) for _ in range(flows)]
    return {
        "paths": paths, "capacity": rng.integers(1, 40, links).astype(float),
        "demand": np.where(rng.random(flows) < 0.4, rng.integers(1, 9, flows), np.inf).astype(float),
        "weight": rng.integers(1, 5, flows).astype(float),
        "coefficient": [rng.integers(1, 4, len(p)).astype(float) for p in paths],
    }


def csr(paths):
    return np.cumsum([0, *map(len, paths)]), [link for path in paths for link in path]


def solve(problem):
    ptr, links = csr(problem["paths"])
    return solve_maxmin(ptr, links, problem["capacity"], problem["demand"], problem["weight"],
                        np.concatenate(problem["coefficient"]))


def progressive_filling(problem):
    """Raise all levels together in exact arithmetic; stop flows at full links and at their demands."""
    paths, n = problem["paths"], len(problem["paths"])
    load = [dict(zip(paths[f], map(Fraction, problem["coefficient"][f]), strict=True)) for f in range(n)]
    weight = [Fraction(w) for w in problem["weight"]]
    rate, active = [Fraction(0)] * n, set(range(n))
    while active:
        steps = [(Fraction(problem["demand"][f]) - rate[f]) / weight[f] for f in active
                 if problem["demand"][f] < np.inf]
        room = {}
        for link, capacity in enumerate(problem["capacity"]):
            slope = sum(weight[f] * load[f].get(link, 0) for f in active)
            if slope:
                room[link] = (Fraction(capacity) - sum(rate[f] * load[f].get(link, 0) for f in range(n))) / slope
        step = min([*steps, *room.values()])
        for f in active:
            rate[f] += step * weight[f]
        full = {link for link, r in room.items() if r == step}
        active = {f for f in active if not full & set(paths[f]) and rate[f] < problem["demand"][f]}
    return [float(r) for r in rate]


def lexicographic_lp(problem):
    """Maximise the smallest level, then the next, fixing what cannot rise: the definition of max-min fairness."""
    n, links = len(problem["paths"]), len(problem["capacity"])
    use = np.zeros((links, n))
    for f, path in enumerate(problem["paths"]):
        use[path, f] = problem["coefficient"][f]
    fixed: dict[int, float] = {}
    while len(fixed) < n:
        free = [f for f in range(n) if f not in fixed]

        def level(floor_for, best=None, free=free):
            cost = np.zeros(n + 1)
            cost[-1 if best is None else floor_for] = -1
            rows = np.zeros((len(free), n + 1))
            for i, f in enumerate(free):
                rows[i, f], rows[i, n] = -1.0, problem["weight"][f]
            bounds = [(fixed[f], fixed[f]) if f in fixed else (0, problem["demand"][f]) for f in range(n)]
            bounds.append((0, None) if best is None else (best, best))
            found = linprog(cost, np.vstack([np.hstack([use, np.zeros((links, 1))]), rows]),
                            np.concatenate([problem["capacity"] + 1e-9, np.zeros(len(free))]), bounds=bounds,
                            method="highs")
            return -found.fun

        # A flow that reached its demand is held at it and does not hold the level of the others down.
        met = [f for f in free if problem["demand"][f] < np.inf
               and problem["demand"][f] / problem["weight"][f] <= level(None) + 1e-7]
        if met:
            least = min(met, key=lambda f: problem["demand"][f] / problem["weight"][f])
            fixed[least] = problem["demand"][least]
            continue
        best = level(None)
        for f in free:
            if level(f, best) <= best * problem["weight"][f] + 1e-6:
                fixed[f] = best * problem["weight"][f]
    return [fixed[f] for f in range(n)]


@pytest.mark.parametrize("seed", range(60))
def test_equals_progressive_filling_in_exact_arithmetic(seed):
    problem = random_problem(np.random.default_rng(seed))
    assert solve(problem) == pytest.approx(progressive_filling(problem), rel=1e-12)


@pytest.mark.parametrize("seed", range(6))
def test_equals_a_chain_of_linear_programs(seed):
    problem = random_problem(np.random.default_rng(1000 + seed), flows=7, links=4)
    assert solve(problem) == pytest.approx(lexicographic_lp(problem), rel=1e-5)


def test_identical_paths_are_one_class_with_multiplied_weight_and_demand():
    rng = np.random.default_rng(7)
    problem = random_problem(rng, flows=20, links=9)
    times = rng.integers(1, 6, 20)
    each = [f for f in range(20) for _ in range(times[f])]
    single = solve({key: value if key == "capacity" else [value[f] for f in each] if key in ("paths", "coefficient")
                    else value[each] for key, value in problem.items()})
    together = solve({**problem, "weight": problem["weight"] * times, "demand": problem["demand"] * times})
    starts = np.cumsum([0, *times[:-1]])
    assert single[starts] * times == pytest.approx(together, rel=1e-12)


@pytest.mark.parametrize("seed", range(30))
def test_removing_flows_one_by_one_equals_solving_again(seed):
    rng = np.random.default_rng(seed)
    problem = random_problem(rng, flows=60, links=20)
    ptr, links = csr(problem["paths"])
    coefficient = np.concatenate(problem["coefficient"])
    demand = problem["demand"].copy()
    running = MaxMin(ptr.astype(np.int32), np.array(links, np.int32), problem["capacity"], problem["demand"],
                     problem["weight"], coefficient)
    running.solve()
    for flow in rng.permutation(60)[:45]:
        running.remove(int(flow))
        demand[flow] = 0.0
        anew = solve_maxmin(ptr, links, problem["capacity"], demand, problem["weight"], coefficient)
        assert running.rate == pytest.approx(anew, rel=1e-10, abs=1e-12)


def test_a_dead_link_stops_its_flows_and_no_others():
    assert solve_maxmin([0, 1, 2], [0, 1], [0.0, 3.0]).tolist() == [0.0, 3.0]


def test_no_flows_and_no_links():
    assert solve_maxmin([0], [], []).size == 0
    assert solve_maxmin([0, 0], [], [], demand=[2.0]).tolist() == [2.0]


@pytest.mark.parametrize(("kwargs", "message"), [
    ({"flow_ptr": [0, 2]}, "flow_ptr"), ({"flow_link": [1]}, "does not exist"), ({"capacity": [-1.0]}, "capacities"),
    ({"capacity": [np.nan]}, "capacities"), ({"demand": [1.0, 2.0]}, "demand"), ({"weight": [0.0]}, "weight"),
    ({"coefficient": [-1.0]}, "coefficient"), ({"flow_ptr": [0, 1, 1]}, "finite demand"),
])
def test_wrong_problems_are_refused(kwargs, message):
    with pytest.raises(ValueError, match=message):
        solve_maxmin(**{"flow_ptr": [0, 1], "flow_link": [0], "capacity": [1.0], **kwargs})


def test_removing_twice_or_before_solving_is_refused():
    problem = MaxMin(np.array([0, 1], np.int32), np.array([0], np.int32), np.array([1.0]))
    with pytest.raises(ValueError, match="remove"):
        problem.remove(0)
    problem.solve()
    problem.remove(0)
    with pytest.raises(ValueError, match="remove"):
        problem.remove(0)


def test_examples():
    assert doctest.testmod(maxmin).failed == 0
