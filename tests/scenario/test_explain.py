"""A difference is told of the right part of the site, in the right words, with the right cause or none."""

from typing import Any

import numpy as np
import pytest

from twin.scenario.branching import columns_of
from twin.scenario.explain import Act, Difference, at_place, explain, parts_of
from twin.scenario.open import open_run
from twin.site.site import Site

S = 10**9
Columns = dict[str, Any]


@pytest.fixture(scope="module")
def site() -> Site:
    return open_run("demo", history=False).sim.site


@pytest.fixture
def moments(site: Site) -> tuple[Columns, Columns]:
    from twin.engine.simulation import Simulation

    columns = columns_of(Simulation(site, history=False))
    return columns, {path: array.copy() for path, array in columns.items()}


def _only(site: Site, moments: tuple[Columns, Columns], acts: tuple[Act, ...] = ()) -> Difference:
    found = explain(site, *moments, 250 * S, acts)
    assert len(found) == 1
    return found[0]


def test_equal_moments_and_small_differences_say_nothing(site: Site, moments: tuple[Columns, Columns]) -> None:
    assert explain(site, *moments, 0) == []
    moments[1]["air.rack_inlet_temp_c"] += 0.9
    moments[1]["chip.gpu_clock_frac"] -= 0.05
    assert explain(site, *moments, 0) == []


def test_a_whole_hall_speaks_with_its_mean_and_its_cause(site: Site, moments: tuple[Columns, Columns]) -> None:
    moments[1]["air.rack_inlet_temp_c"] += 3.1
    one = _only(site, moments, (Act(0, "CRAH fan trip at A.crah7", "air", "A.crah7", True),))
    assert one.text == "hall A inlet air +3.1 K after 4m10s: CRAH fan trip at A.crah7"
    assert (one.level, one.place) == ("hall", "hall A")
    assert one.delta == pytest.approx(3.1)


def test_one_row_and_one_element_are_named(site: Site, moments: tuple[Columns, Columns]) -> None:
    row = site.names["row"].index("A2")
    moments[1]["air.rack_inlet_temp_c"][site.topology.rack_row == row] += 2.0
    assert _only(site, moments).text == "row A2 inlet air +2.0 K"
    moments[1]["air.rack_inlet_temp_c"][:] = moments[0]["air.rack_inlet_temp_c"]
    moments[1]["air.rack_inlet_temp_c"][5] -= 4.0
    assert _only(site, moments).text == f"{site.names['rack'][5]} inlet air -4.0 K"


def test_powers_are_summed_and_codes_are_words(site: Site, moments: tuple[Columns, Columns]) -> None:
    for columns, power in zip(moments, (100e3, 50e3), strict=True):
        columns["power.rack_input_w"][:] = power
    one = _only(site, moments)
    racks = site.axes["rack"]
    assert one.first == pytest.approx(racks * 100e3)
    assert one.text == f"hall A rack power {-racks * 0.05:+.3g} MW ({racks * 0.1:.4g} -> {racks * 0.05:.4g})"
    moments[1]["power.rack_input_w"][:] = 100e3
    moments[0]["workload.job_state"][0], moments[1]["workload.job_state"][0] = 2, 5
    assert _only(site, moments).text.endswith("running -> restarting")


def test_of_several_acts_only_one_that_fits_is_named(site: Site, moments: tuple[Columns, Columns]) -> None:
    acts = (Act(0, "warm.supply_c = 24 degC", "plant", "", True),
            Act(100 * S, "CDU off at A2.cdu1", "liquid", "A2.cdu1", False))
    row = site.names["row"].index("A2")
    moments[1]["chip.rack_gpu_temp_c_max"][site.topology.rack_row == row] += 5.0
    assert _only(site, moments, acts).text == "row A2 hottest GPU +5.0 K after 2m30s: no CDU off at A2.cdu1"
    moments[1]["chip.rack_gpu_temp_c_max"][:] = moments[0]["chip.rack_gpu_temp_c_max"]
    moments[1]["chip.gpu_temp_max_c"] += 5.0
    assert _only(site, moments, acts).text == "hottest GPU +5.0 K after 4m10s"


def test_without_a_future_of_its_own_the_hall_speaks_for_an_act_that_is_alone_there(
        site: Site, moments: tuple[Columns, Columns]) -> None:
    crah = Act(0, "CRAH fan trip at A.crah7", "air", "A.crah7", True)
    point = Act(1, "warm.supply_c = 24 degC", "plant", "", True)
    cdu = Act(2, "CDU off at A1.cdu1", "liquid", "A1.cdu1", True)
    row = site.names["row"].index("A2")
    moments[1]["chip.rack_gpu_temp_c_max"][site.topology.rack_row == row] += 5.0
    assert _only(site, moments, (crah, point)).cause == crah.words
    assert _only(site, moments, (crah, cdu)).cause == ""


def test_a_cause_is_shown_by_what_each_act_makes_alone(site: Site, moments: tuple[Columns, Columns]) -> None:
    first, second = moments
    acts = tuple(Act(i * S, f"act {i}", "plant", "", True) for i in range(3))
    second["air.rack_inlet_temp_c"] += 4.0

    def told(*shares: float) -> str:
        alone = [(act, first | {"air.rack_inlet_temp_c": first["air.rack_inlet_temp_c"] + 4.0 * share})
                 for act, share in zip(acts, shares, strict=False)]
        found = explain(site, first, second, 250 * S, acts[:len(shares)], alone)
        assert len(found) == 1
        return found[0].text.partition("hall A inlet air +4.0 K ")[2]

    assert told(0.0, 1.0, 0.1) == "after 4m9s: act 1"
    assert told(0.5, 0.1, 0.4) == "after 4m10s: act 0 and act 2"
    assert told(0.0, 0.0) == "after 4m10s: act 0 and act 1"  # only together
    assert told(0.1, 0.0, 0.0) == "after 4m10s"              # together, but which of them nobody knows
    assert told(-1.0, 2.0) == "after 4m9s: act 1"            # one against the other


def test_what_faults_write_and_rounding_is_not_told(site: Site, moments: tuple[Columns, Columns]) -> None:
    moments[1]["air.crah_fault"][:] = 1
    moments[1]["ledger.residual_j"][:] = 1e-3
    assert explain(site, *moments, 0) == []


def test_the_largest_difference_comes_first_and_brings_its_block(site: Site, moments: tuple[Columns, Columns]) -> None:
    moments[1]["air.rack_inlet_temp_c"] += 2.0
    moments[1]["chip.rack_gpu_temp_c_max"] += 9.0
    moments[1]["chip.gpu_temp_max_c"] += 1.5
    assert [one.column for one in explain(site, *moments, 0)] == ["rack_gpu_temp_c_max", "gpu_temp_max_c",
                                                                  "rack_inlet_temp_c"]


def test_a_place_is_found_again_at_another_moment(site: Site, moments: tuple[Columns, Columns]) -> None:
    moments[1]["air.rack_inlet_temp_c"] += 3.0
    one = _only(site, moments)
    moments[1]["air.rack_inlet_temp_c"] -= 2.0
    first, second = at_place(site, one, *moments)
    assert second - first == pytest.approx(1.0)


def test_every_part_lies_where_its_name_says(site: Site) -> None:
    for axis in ("rack", "cdu", "pump", "crah", "gpu", "node"):
        parts = parts_of(site, axis)
        for i in np.linspace(0, site.axes[axis] - 1, 12).astype(int):
            head = site.names[axis][int(i)].partition(".")[0]
            if head in site.names["row"]:
                assert site.names["row"][int(parts["row"][i])] == head
            assert site.names["hall"][int(parts["hall"][i])] == "A"
