"""Immersion tanks: conservation with every fault, what fails and how fast, what is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rig import WARM, Rig
from tests.tanks_rig import BOILING, ONE, SINGLE, TWO, Tanks
from twin.catalog.loader import load_catalog
from twin.domains.liquid.faults import FAULTS
from twin.errors import CatalogError, SpecError

KINDS = {kind.name: kind for kind in FAULTS}
HARM = [("tank_leak", "tank", 1.5), ("tank_water_loss", "tank", 0.0), ("cdu_off", "cdu", 1.0),
        ("cdu_valve_stuck", "cdu", 0.0), ("cdu_pump_trip", "pump", 1.0)]


def harm(rig, name, axis, value, which):
    size = {"tank": 4, "cdu": 4, "pump": len(rig.liquid.pump_fault)}[axis]
    KINDS[name].start(rig.liquid, which % size, value)


@settings(max_examples=25, deadline=None)
@given(dts=st.lists(st.floats(0.2, 30.0), min_size=3, max_size=12),
       loads=st.lists(st.floats(0.0, 60e3), min_size=3, max_size=12),
       faults=st.lists(st.tuples(st.integers(0, len(HARM) - 1), st.integers(0, 8)), max_size=4),
       water=st.floats(10.0, 45.0), gpu=st.floats(0.0, 1500.0))
def test_energy_and_fluid_are_conserved_with_every_fault(dts, loads, faults, water, gpu):
    rig = Tanks(water)
    full = rig.liquid.tank_fluid_kg.copy()
    coldest, hottest = [min(water, 32.0)] * 4, [max(water, 49.0)] * 4
    for k, dt in enumerate(dts):
        rig.heat(loads[k % len(loads)], gpu)
        if k == 1:
            for fault, which in faults:
                harm(rig, *HARM[fault], which)
        rig.run(dt, dt)  # every tick's balance is asserted there
        assert np.allclose(rig.liquid.tank_fluid_kg + rig.liquid.tank_lost_kg, full, rtol=1e-12)
        assert (rig.liquid.tank_fluid_kg > 0).all()
        assert (rig.liquid.tank_vapour_kg <= rig.liquid.tank_fluid_kg).all()
        for tank in range(4):  # no outlet ever leaves the range of what has been hot or cold before it
            hottest[tank] = max(hottest[tank], rig.of("rack_return_temp_c", tank))
            coldest[tank] = min(coldest[tank], rig.of("rack_supply_temp_c", tank))
            for column in ("cdu_primary_return_temp_c", "cdu_supply_temp_c"):
                assert coldest[tank] - 1e-9 <= rig.of(column, tank) <= hottest[tank] + 1e-9


def test_outlets_lie_between_the_inlets_at_rest():
    rig = Tanks()
    rig.steady(30e3)
    for tank in range(4):
        assert 32.0 < rig.of("cdu_primary_return_temp_c", tank) < rig.of("rack_return_temp_c", tank)
        assert 32.0 < rig.of("cdu_supply_temp_c", tank) <= rig.of("rack_return_temp_c", tank)


def test_a_spare_pump_takes_over_and_without_one_the_bath_circulates_by_itself():
    rig = Tanks()
    rig.steady(37e3, hours=3.0)
    first = int(rig.hydronics.cdu_pump_ptr[rig.cdu(SINGLE)])
    KINDS["cdu_pump_trip"].start(rig.liquid, first, 1.0)
    rig.run(60.0)
    assert rig.of("cdu_flow_kg_s", SINGLE) == pytest.approx(1.9, rel=0.02)
    KINDS["cdu_pump_trip"].start(rig.liquid, first + 1, 1.0)
    before = rig.of("rack_return_temp_c", SINGLE)
    rig.run(1200.0)
    assert rig.of("cdu_flow_kg_s", SINGLE) < 0.02
    assert 0.3 < rig.of("rack_flow_kg_s", SINGLE) < 1.9  # buoyancy keeps the boards washed
    assert rig.of("cdu_heat_w", SINGLE) < 1000.0
    assert 5.0 < rig.of("rack_return_temp_c", SINGLE) - before < 40.0
    assert rig.of("cdu_flow_kg_s", 1) == pytest.approx(1.9, rel=0.02)  # the neighbour feels nothing


def test_a_leak_lays_boards_bare():
    rig = Tanks()
    rig.steady(37e3, hours=3.0)
    for tank in (SINGLE, BOILING):
        KINDS["tank_leak"].start(rig.liquid, tank, 2.0)
    flow = {tank: rig.of("rack_flow_kg_s", tank) for tank in (SINGLE, BOILING)}
    rig.run(400.0)
    for tank in (SINGLE, BOILING):
        assert rig.of("rack_flow_kg_s", tank) < 0.2 * flow[tank]
        KINDS["tank_leak"].clear(rig.liquid, tank)
    fluid = rig.of("tank_fluid_kg", SINGLE)
    rig.run(10.0)
    assert rig.of("tank_fluid_kg", SINGLE) == fluid


def test_past_the_critical_flux_boards_dry_out_and_stay_so_until_far_below():
    rig = Tanks()
    rig.heat(37e3, 700.0)
    rig.run(60.0)
    assert 0.6 < rig.of("tank_flux_ratio", BOILING) < 0.8
    assert rig.of("tank_dry_frac", BOILING) == 0.0
    wet = rig.of("rack_flow_kg_s", BOILING)
    rig.heat(45e3, 1100.0)
    rig.run(5.0)
    assert rig.of("tank_flux_ratio", BOILING) > 1.0
    assert rig.of("tank_dry_frac", BOILING) == 1.0
    rig.heat(37e3, 700.0)
    rig.run(60.0)
    assert rig.of("rack_flow_kg_s", BOILING) < 0.05 * wet  # the film stays: hysteresis of boiling
    rig.heat(1e3, 30.0)
    rig.run(5.0)
    assert rig.of("tank_dry_frac", BOILING) == 0.0


def test_halving_the_tick_converges_at_first_order():
    ends = []
    for dt in (4.0, 2.0, 1.0):
        rig = Tanks()
        rig.heat(45e3)
        rig.liquid.cdu_valve_stuck_frac[:] = 0.6
        rig.run(400.0, dt)
        ends.append([rig.of("rack_return_temp_c", SINGLE), rig.of("rack_supply_temp_c", BOILING)])
    coarse, fine = np.abs(np.subtract(ends[0], ends[1])), np.abs(np.subtract(ends[1], ends[2]))
    assert (fine < 0.6 * coarse).all()


def test_a_dead_exchanger_stops_pumps_and_control():
    rig = Tanks()
    rig.steady(20e3, hours=1.0)
    rig.power.cdu_energised[:] = 0
    valve = rig.liquid.cdu_valve_frac.copy()
    rig.run(60.0)
    assert (rig.liquid.cdu_power_w == 0.0).all()
    assert (rig.liquid.cdu_valve_frac == valve).all()
    assert rig.of("cdu_flow_kg_s", SINGLE) < 0.1


@pytest.mark.parametrize("row,word", [
    ({**ONE, "cdu": {"type": "tank-condenser-60kw"}}, "not made for the tanks"),
    ({**TWO, "cdu": {"type": "cdu-1350kw"}}, "not made for the tanks"),
    ({**ONE, "cdu": {"type": "tank-exchanger-60kw", "count": 2}}, "one exchanger of its own"),
    ({k: v for k, v in ONE.items() if k != "cdu"}, "one exchanger of its own"),
    ({**ONE, "cdu": {"type": "tank-exchanger-60kw", "loop": "cold"}}, "no plant loop"),
])
def test_what_does_not_fit_is_refused(row, word):
    with pytest.raises((SpecError, CatalogError), match=word):
        Rig([row], [WARM])


def test_the_names_of_tanks():
    site = Tanks().hydronics
    assert list(site.names["tank"]) == ["A1.01.tank", "A1.02.tank", "A2.01.tank", "A2.02.tank"]
    assert list(site.names["cdu"]) == ["A1.01.cdu", "A1.02.cdu", "A2.01.cdu", "A2.02.cdu"]
    assert list(site.names["pump"])[:2] == ["A1.01.cdu.pumpA", "A1.01.cdu.pumpB"]
    assert site.cdu_pump_ptr[-1] == 4


def test_a_rack_switches_itself_off_over_a_hot_or_a_low_bath_and_stays_off_until_reset():
    rig = Tanks()
    rig.steady(37e3, hours=1.0)
    limit = load_catalog().get("racks", "hgx-h100-x4-1p")["bath_trip_c"]
    KINDS["tank_water_loss"].start(rig.liquid, SINGLE, 0.0)
    while rig.of("rack_return_temp_c", SINGLE) <= limit:
        rig.run(10.0)
        assert rig.liquid.rack_protected[rig.rack(SINGLE)] == 0
    rig.run(20.0)
    assert rig.liquid.rack_protected[rig.rack(SINGLE)] == 0
    rig.run(15.0)
    assert rig.liquid.rack_protected.tolist() == [1, 0, 0, 0]
    KINDS["tank_leak"].start(rig.liquid, BOILING, 5.0)
    rig.run(90.0)
    assert rig.liquid.rack_protected.tolist() == [1, 0, 1, 0]
    KINDS["rack_protection"].clear(rig.liquid, rig.rack(SINGLE))
    rig.run(5.0)
    assert rig.liquid.rack_protected[rig.rack(SINGLE)] == 0  # it may start; the delay begins anew


def test_a_bath_that_boiled_dry_still_closes_its_balance():
    rig = Tanks()
    KINDS["tank_leak"].start(rig.liquid, BOILING, 20.0)
    KINDS["tank_water_loss"].start(rig.liquid, BOILING, 0.0)
    rig.heat(40e3)
    rig.run(24 * 3600.0, 30.0)  # a day: far beyond what a live rack would bear
    assert rig.of("tank_fluid_kg", BOILING) == pytest.approx(0.01 * rig.values["fluid_full_kg"][BOILING], rel=1e-6)
