"""W20: checkpoint intervals of Young (1974) and Daly (2006) for C = 60 s, M = 11,124 s: 1,155 and 1,116 s, 0.5 %;
and Young's interval against the minimum of the expected loss C / tau + tau / (2 M), found by scipy."""

from __future__ import annotations

import pytest
from scipy.optimize import minimize_scalar

from twin._kernels.laws import daly_interval, young_interval


def test_published_values() -> None:
    assert young_interval(60.0, 11124.0) == pytest.approx(1155.0, rel=0.005)
    assert daly_interval(60.0, 11124.0) == pytest.approx(1116.0, rel=0.005)


def test_young_minimises_the_expected_loss() -> None:
    found = minimize_scalar(lambda tau: 60.0 / tau + tau / (2.0 * 11124.0), bounds=(10.0, 20000.0), method="bounded",
                            options={"xatol": 1e-8})
    assert young_interval(60.0, 11124.0) == pytest.approx(found.x, rel=1e-6)


def test_daly_is_the_mean_time_when_writing_takes_longer() -> None:
    assert daly_interval(300.0, 100.0) == 100.0
