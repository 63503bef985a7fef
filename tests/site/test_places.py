"""What lies at a place."""

import pytest

from twin.errors import SpecError
from twin.scenario.open import open_run
from twin.site.places import elements_of


@pytest.fixture(scope="module")
def site():
    return open_run("in-rack", history=False).sim.site


@pytest.mark.parametrize(("place", "axis", "names"), [
    ("A1.03.t05", "gpu", ["A1.03.g17", "A1.03.g18", "A1.03.g19", "A1.03.g20"]),
    ("A1.cdu2", "pump", ["A1.cdu2.pumpA", "A1.cdu2.pumpB"]), ("A2", "rack", ["A2.01", "A2.02", "A2.03", "A2.04"]),
    ("A1.03.t05", "node", ["A1.03.t05"]), ("A", "crah", ["A.crah1", "A.crah2"]),
    ("A2", "cdu", ["A2.cdu1", "A2.cdu2", "A2.cdu3"])])
def test_everything_inside_a_place_counts(site, place, axis, names):
    assert [site.names[axis][i] for i in elements_of(site, place, axis)] == names


def test_a_place_without_such_an_element_is_refused(site):
    with pytest.raises(SpecError, match="no crah lies in"):
        elements_of(site, "A1.03.t05", "crah")
