"""T12: effectiveness-NTU of heat exchangers against closed forms and the `ht` library."""

import math

import ht
import pytest
from published import Validate

from twin._kernels.laws import eps_ntu_counterflow, eps_ntu_crossflow_unmixed


@pytest.mark.parametrize(("ntu", "cr", "expected"), [
    (1.0, 1.0, 0.5), (2.0, 0.5, 0.77460), (3.0, 0.75, 0.81712), (0.5, 0.0, 0.39347),
])
def test_counterflow_closed_form(validate: Validate, ntu: float, cr: float, expected: float) -> None:
    """Source: Incropera table 11.3; tolerance 1e-5."""
    validate.near("T12", f"counterflow, NTU {ntu:g}, Cr {cr:g}", eps_ntu_counterflow(ntu, cr), expected,
                  within=1e-5, unit="", source="Incropera table 11.3")


@pytest.mark.parametrize(("ntu", "cr", "expected"), [(1.0, 1.0, 0.46854), (2.0, 0.5, 0.73876)])
def test_crossflow_unmixed_approximation(validate: Validate, ntu: float, cr: float, expected: float) -> None:
    """Source: Incropera eq. 11.32; tolerance 1e-5. The exact series (0.47622, 0.73241) is 0.008 away."""
    validate.near("T12", f"cross-flow unmixed, NTU {ntu:g}, Cr {cr:g}", eps_ntu_crossflow_unmixed(ntu, cr), expected,
                  within=1e-5, unit="", source="Incropera eq. 11.32")


@pytest.mark.parametrize("ntu", [0.01, 0.3, 1.0, 2.5, 6.0, 20.0])
@pytest.mark.parametrize("cr", [0.01, 0.25, 0.7, 0.99, 1.0])
def test_agrees_with_ht(ntu: float, cr: float) -> None:
    """Source: ht.effectiveness_from_NTU (Bell, MIT); tolerance 1e-10."""
    assert eps_ntu_counterflow(ntu, cr) == pytest.approx(
        ht.effectiveness_from_NTU(ntu, cr, subtype="counterflow"), abs=1e-10)
    assert eps_ntu_crossflow_unmixed(ntu, cr) == pytest.approx(
        ht.effectiveness_from_NTU(ntu, cr, subtype="crossflow approximate"), abs=1e-10)


@pytest.mark.parametrize("gap", [1e-3, 1e-5, 1e-7, 1e-9, 1e-11, 1e-13, 0.0])
def test_balanced_counterflow_is_approached_smoothly(gap: float) -> None:
    """eps(cr -> 1) = ntu/(1+ntu); the slope in cr is ntu^2/(2 (1+ntu)^2) there, so the gap bounds the distance."""
    assert abs(eps_ntu_counterflow(4.0, 1.0 - gap) - 0.8) <= 0.33 * gap + 1e-15


def test_ends() -> None:
    assert eps_ntu_counterflow(0.0, 0.5) == eps_ntu_crossflow_unmixed(0.0, 0.5) == 0.0
    assert eps_ntu_counterflow(1e6, 0.5) == 1.0
    assert eps_ntu_crossflow_unmixed(0.7, 0.0) == pytest.approx(1 - math.exp(-0.7), abs=1e-9)
