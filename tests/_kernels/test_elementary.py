"""The elementary functions against mpmath (200 bits), in units in the last place, over their whole range."""

import math
from collections.abc import Callable

import mpmath
import numpy as np
import pytest

from twin._kernels import laws

RNG = np.random.default_rng(20260715)
TINY = 2.2250738585072014e-308


def worst_ulp(got: np.ndarray, exact: list[mpmath.mpf]) -> float:
    worst = 0.0
    for g, e in zip(got, exact, strict=True):
        ulp = float(np.spacing(abs(float(e)))) if float(e) else 5e-324
        worst = max(worst, float(abs(mpmath.mpf(float(g)) - e) / mpmath.mpf(ulp)))
    return worst


def signed_logspace(low: float, high: float, n: int) -> np.ndarray:
    return 10 ** RNG.uniform(low, high, n) * RNG.choice([-1.0, 1.0], n)


CASES: list[tuple[str, Callable, Callable, np.ndarray, float]] = [
    ("exp", laws.exp_array, mpmath.exp, RNG.uniform(-708, 709.7, 3000), 1.2),
    ("exp near 0", laws.exp_array, mpmath.exp, signed_logspace(-20, 0.5, 2000), 1.2),
    ("exp subnormal", laws.exp_array, mpmath.exp, RNG.uniform(-745, -708, 1000), 1.2),
    ("expm1", laws.expm1_array, mpmath.expm1, RNG.uniform(-50, 709, 3000), 2.5),
    ("expm1 near 0", laws.expm1_array, mpmath.expm1, signed_logspace(-300, 0.3, 3000), 2.5),
    ("log", laws.log_array, mpmath.log, 10 ** RNG.uniform(-307, 308, 3000), 1.0),
    ("log near 1", laws.log_array, mpmath.log, 1 + signed_logspace(-15, -0.3, 2000), 1.0),
    ("log subnormal", laws.log_array, mpmath.log, 10 ** RNG.uniform(-323, -308, 1000), 1.0),
    ("sin", laws.sin_array, mpmath.sin, RNG.uniform(-1e6, 1e6, 3000), 2.5),
    ("cos", laws.cos_array, mpmath.cos, RNG.uniform(-1e6, 1e6, 3000), 2.5),
    ("sin near its zeros", laws.sin_array, mpmath.sin, np.arange(1, 4000) * math.pi, 2.5),
    ("cos near its zeros", laws.cos_array, mpmath.cos, (np.arange(4000) + 0.5) * math.pi, 2.5),
]


@pytest.mark.parametrize(("name", "ours", "reference", "points", "limit"), CASES, ids=[c[0] for c in CASES])
def test_within_ulps_of_mpmath(name: str, ours: Callable, reference: Callable, points: np.ndarray,
                               limit: float) -> None:
    with mpmath.workprec(200):
        exact = [reference(mpmath.mpf(float(x))) for x in points]
        assert worst_ulp(ours(points), exact) <= limit


@pytest.mark.parametrize("span", [(0.0, 1.0), (1.0, 100.0), (100.0, 708.0)])
def test_pow_within_ulps_of_mpmath(span: tuple[float, float]) -> None:
    x = np.concatenate([10 ** RNG.uniform(-300, 300, 1500), RNG.uniform(0.3, 3, 1500)])
    y = RNG.uniform(*span, 3000) * RNG.choice([-1.0, 1.0], 3000) / np.log(x)
    with mpmath.workprec(200):
        exact = [mpmath.mpf(float(a)) ** mpmath.mpf(float(b)) for a, b in zip(x, y, strict=True)]
        assert worst_ulp(laws.pow_array(x, y), exact) <= 1.5


def test_fast_exp_keeps_its_promise() -> None:
    x = RNG.uniform(-700, 700, 5000)
    with mpmath.workprec(120):
        worst = max(abs(float(mpmath.mpf(float(g)) / mpmath.exp(mpmath.mpf(float(v))) - 1))
                    for g, v in zip(laws.exp_fast_array(x), x, strict=True))
    assert 1e-10 < worst <= 1.1e-8


def test_ends_of_the_ranges() -> None:
    inf, nan = math.inf, math.nan
    assert (laws.exp(inf), laws.exp(-inf), laws.exp(710.0), laws.exp(-746.0)) == (inf, 0.0, inf, 0.0)
    assert (laws.expm1(inf), laws.expm1(-inf)) == (inf, -1.0)
    assert (laws.log(0.0), laws.log(inf)) == (-inf, inf)
    assert (laws.pow(0.0, 2.0), laws.pow(0.0, -2.0), laws.pow(inf, 0.5), laws.pow(inf, -0.5)) == (0, inf, inf, 0)
    assert (laws.pow(-2.0, 0.0), laws.pow(nan, 0.0), laws.pow(1.0, inf)) == (1.0, 1.0, 1.0)
    assert (laws.pow(2.0, 1e308), laws.pow(2.0, -1e308), laws.pow(5e-324, 1.0)) == (inf, 0.0, 5e-324)
    for value in (laws.exp(nan), laws.exp_fast(nan), laws.expm1(nan), laws.log(nan), laws.log(-1.0), laws.sin(nan),
                  laws.cos(inf), laws.sin(2e6), laws.pow(-2.0, 2.0), laws.pow(nan, 1.0), laws.pow(2.0, nan)):
        assert math.isnan(value)


def test_exact_where_it_should_be() -> None:
    assert laws.exp(0.0) == laws.exp_fast(0.0) == laws.cos(0.0) == 1.0
    assert laws.log(1.0) == laws.sin(0.0) == laws.expm1(0.0) == 0.0
    assert [laws.pow(2.0, n) for n in (-3.0, 1.0, 10.0)] == [0.125, 2.0, 1024.0]
    assert laws.exp(-745.0) == 5e-324
    assert laws.log(TINY) == pytest.approx(-708.3964185322641, abs=1.2e-13)


def test_array_forms_keep_the_shape() -> None:
    assert laws.exp_array(np.zeros((2, 3))).shape == (2, 3)
    with pytest.raises(ValueError, match="shapes differ"):
        laws.pow_array([1.0], [1.0, 2.0])
