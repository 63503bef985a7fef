"""T15: coolant properties against CoolProp (Melinder's PG25, IAPWS water)."""

from __future__ import annotations

import pytest
from CoolProp.CoolProp import PropsSI
from published import Validate

from twin._kernels import laws
from twin.catalog.loader import load_catalog
from twin.site.row_loops import coolant_at

PG25 = "INCOMP::MPG[0.2585]"


@pytest.mark.parametrize("temp_c", [20.0, 25.0, 30.0, 35.0, 40.0, 45.0, 50.0, 55.0, 60.0, 65.0])
def test_pg25(temp_c: float) -> None:
    """Density, specific heat and conductivity within 0.1 %, viscosity within 0.5 %."""
    got = laws.pg25_properties(temp_c)
    for value, key, rel in zip(got, "DCVL", (1e-3, 1e-3, 5e-3, 1e-3), strict=True):
        assert value == pytest.approx(PropsSI(key, "T", temp_c + 273.15, "P", 3e5, PG25), rel=rel)


@pytest.mark.parametrize(("temp_c", "rho", "cp", "mu", "k"), [
    (20, 1020.0, 3910, 2.53e-3, 0.4638), (30, 1015.6, 3935, 1.83e-3, 0.4727), (40, 1010.5, 3959, 1.39e-3, 0.4815),
    (50, 1004.9, 3983, 1.10e-3, 0.4901), (60, 998.9, 4007, 0.897e-3, 0.4986),
])
def test_pg25_table(validate: Validate, temp_c: float, rho: float, cp: float, mu: float, k: float) -> None:
    """Melinder (2010) as printed; 0.1 %, viscosity 0.5 %."""
    rows = zip(("density", "specific heat", "viscosity", "conductivity"), laws.pg25_properties(temp_c),
               (rho, cp, mu, k), (1e-3, 1e-3, 5e-3, 1e-3), ("kg/m3", "J/kgK", "Pa s", "W/mK"), strict=True)
    for what, ours, published, share, unit in rows:
        validate.near("T15", f"PG25 at {temp_c:g} degC: {what}", ours, published, share=share, unit=unit,
                      source="Melinder (2010)")


@pytest.mark.parametrize("temp_c", [2.0, 7.0, 12.0, 18.0, 25.0, 32.0, 40.0, 50.0, 60.0, 69.0])
def test_water(validate: Validate, temp_c: float) -> None:
    """IAPWS-95 at 3 bar; 0.1 %, viscosity 0.5 %."""
    rows = zip(("density", "specific heat", "viscosity"), laws.water_properties(temp_c), "DCV", (1e-3, 1e-3, 5e-3),
               ("kg/m3", "J/kgK", "Pa s"), strict=True)
    for what, ours, key, share, unit in rows:
        validate.near("T15", f"water at {temp_c:g} degC: {what}", ours,
                      PropsSI(key, "T", temp_c + 273.15, "P", 3e5, "Water"), share=share, unit=unit,
                      source="CoolProp, IAPWS-95")


@pytest.mark.parametrize(("name", "fluid", "low", "high"), [
    ("water", "Water", 2, 70), ("pg25", PG25, 20, 65), ("pg40", "INCOMP::MPG[0.41]", 15, 70),
    ("eg25", "INCOMP::MEG[0.271]", 15, 70)])
def test_curves_of_the_catalogue(name: str, fluid: str, low: int, high: int) -> None:
    """Viscosity within 0.5 %, density within 0.1 % over the range of each fit."""
    entry = load_catalog().get("coolants", name)
    for temp_c in range(low, high + 1, 3):
        mu, rho = coolant_at(entry, float(temp_c))
        assert mu == pytest.approx(PropsSI("V", "T", temp_c + 273.15, "P", 3e5, fluid), rel=5e-3)
        assert rho == pytest.approx(PropsSI("D", "T", temp_c + 273.15, "P", 3e5, fluid), rel=1e-3)


@pytest.mark.parametrize(("temp_c", "mu"), [(25.0, 2.39e-3), (40.0, 1.58e-3)])
def test_the_inhibited_fluid_of_a_supplier(temp_c: float, mu: float) -> None:
    """Dowfrost LC 25 data sheet; 3 % (its revisions differ by 14 %)."""
    assert coolant_at(load_catalog().get("coolants", "pg25-inhibited"), temp_c)[0] == pytest.approx(mu, rel=0.03)


@pytest.mark.parametrize(("name", "fluid"), [
    ("water", "Water"), ("pg25", PG25), ("pg40", "INCOMP::MPG[0.41]"), ("eg25", "INCOMP::MEG[0.271]")])
def test_constants_of_the_catalogue(name: str, fluid: str) -> None:
    """The constants that loops are balanced with are those at the stated temperature; 0.1 %."""
    entry = load_catalog().get("coolants", name)
    for key, prop in (("rho_kg_m3", "D"), ("cp_j_kgk", "C"), ("mu_pa_s", "V")):
        want = PropsSI(prop, "T", entry["reference_c"] + 273.15, "P", 3e5, fluid)
        assert entry[key] == pytest.approx(want, rel=1e-3)
