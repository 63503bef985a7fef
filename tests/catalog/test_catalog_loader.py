"""The catalogue: every value graded and sourced; a scenario's own entries; nearest names."""

import pytest

from twin.catalog.entry import GRADES
from twin.catalog.loader import Catalog, load_catalog
from twin.catalog.schema import REQUIRED, REQUIRED_LIQUID, is_bare, unit_of
from twin.errors import CatalogError


def every_entry():
    catalog = load_catalog()
    return [pytest.param(catalog, e, id=f"{e.kind}.{e.name}") for k in catalog.kinds() for e in catalog.entries(k)]


@pytest.mark.parametrize("catalog,entry", every_entry())
def test_values_have_source_and_grade(catalog, entry):
    for key, value in entry.values.items():
        assert value.source in catalog.sources, f"{key}: source"
        assert value.grade in GRADES, f"{key}: grade"


@pytest.mark.parametrize("catalog,entry", every_entry())
def test_numbers_state_their_unit_or_count_something(catalog, entry):
    for key, value in entry.values.items():
        if not isinstance(value.value, str):
            assert unit_of(key) or is_bare(key), key
        if key.endswith("_frac") and not key.startswith("clock_") and not isinstance(value.value, list):
            assert 0 <= value.value <= 1, key


def test_racks_are_complete():
    for rack in load_catalog().entries("racks"):
        needed = REQUIRED["racks"] | (REQUIRED_LIQUID if rack["cooling"] == "liquid" else set())
        assert needed <= set(rack), rack.name
        assert load_catalog().get("accelerators", rack["accelerator"])


def test_dense_fp4_is_of_one_device():
    peaks = [entry["fp4_flops"] for entry in load_catalog().entries("accelerators") if "fp4_flops" in entry]
    assert peaks
    assert max(peaks) <= 60e15  # 1.4e18 is a rack with sparsity, 72 devices


def test_estimates_name_no_publication():
    for kind in load_catalog().kinds():
        for entry in load_catalog().entries(kind):
            for key, value in entry.values.items():
                assert value.source != "estimate" or value.grade in ("estimate", "standard"), f"{entry.name}.{key}"


def test_nearest_name_is_offered():
    with pytest.raises(CatalogError, match="did you mean 'gb200-nvl72'"):
        load_catalog().get("racks", "gb200-nvl27")
    with pytest.raises(CatalogError, match="did you mean 'racks'"):
        load_catalog().get("rack", "x")


def test_own_entry_starts_from_ours():
    catalog = Catalog({"racks": {"mine": {"like": "gb200-nvl72", "tdp_w": 140e3}}})
    mine = catalog.get("racks", "mine")
    assert mine["tdp_w"] == 140e3
    assert mine.values["tdp_w"].grade == "estimate"
    assert mine["nodes"] == 18


@pytest.mark.parametrize("table", [
    {"like": "gb200-nvl27"}, {"like": "gb200-nvl72", "tdp_ww": 1.0}, {"like": "gb200-nvl72", "tdp_w": {"v": 1, "x": 2}},
    {"like": "gb200-nvl72", "tdp_w": {"v": 1, "g": "guess"}}, {"like": "gb200-nvl72", "tdp_w": {"s": "calc"}},
])
def test_malformed_own_entry_is_refused(table):
    with pytest.raises(CatalogError):
        Catalog({"racks": {"mine": table}})


def test_embedded_entries_come_back_the_same():
    catalog = load_catalog()
    entry = catalog.get("racks", "gb200-nvl72")
    assert Catalog(catalog.used()).get("racks", "gb200-nvl72") == entry
