"""Leaks, inventory, pressure trip, couplings, filters, air, protection: what they do, and that nothing gets lost."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rig import ROW, Rig

from twin.domains.liquid import DOMAIN

FAULT = {kind.name: kind for kind in DOMAIN.faults if kind.axis != "tank"}
SMALL = {**ROW, "racks": 4}


def holding(limit: float) -> dict[str, object]:
    """Return a row of sixteen racks whose pumps hold a return temperature."""
    return with_cdu(ROW, hold="return", return_c=limit)


def with_cdu(row: dict[str, object], **keys: object) -> dict[str, object]:
    """Return the row with other keys of its CDUs."""
    return {**row, "cdu": {**dict(row["cdu"]), **keys}}  # type: ignore[call-overload]


def settled(row: dict[str, object] | None = None, load: float = 115e3, seconds: float = 900.0) -> Rig:
    rig = Rig([row or SMALL], domains=("liquid",))
    rig.load(load)
    rig.run(seconds, 2.0)
    return rig


def content(rig: Rig, full: float) -> float:
    """What the row holds and has lost, less what it was given, over what it began with."""
    liquid = rig.liquid
    return float((liquid.tcs_inventory_kg + liquid.tcs_leaked_kg - liquid.tcs_makeup_kg).sum() / full)


@given(steps=st.lists(st.tuples(st.sampled_from([0.05, 0.3, 1.0, 7.0, 30.0]), st.floats(0.0, 180e3),
                                st.sampled_from(sorted(FAULT)), st.booleans()), min_size=4, max_size=14),
       coolant=st.sampled_from(["pg25", "water", "eg25"]), hold=st.sampled_from(["pressure", "return"]))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_energy_and_coolant_are_conserved_with_every_fault(
    steps: list[tuple[float, float, str, bool]], coolant: str, hold: str,
) -> None:
    rig = Rig([with_cdu({**SMALL, "repeat": 2}, coolant=coolant, hold=hold)], domains=("liquid",))
    liquid = rig.liquid
    full, tank = float(liquid.tcs_inventory_kg.sum()), float(liquid.tcs_tank_kg.sum())
    for dt, load, name, on in steps:
        rig.load(load)
        kind = FAULT[name]
        if on:
            kind.start(liquid, 1, kind.value_default)
        else:
            kind.clear(liquid, 1)
        for _ in range(4):
            rig.run(dt, dt)
            moved = abs(liquid.tick_in_j[0]) + abs(liquid.tick_out_j[0]) + abs(liquid.tick_stored_j[0])
            left = abs(liquid.tick_in_j[0] - liquid.tick_out_j[0] - liquid.tick_stored_j[0])
            # the rows hold some 1e9 J over 0 degC, whose rounding cannot be accounted for
            assert left <= 1e-9 * moved + 1e-13 * 1.6e9
            assert content(rig, full) == pytest.approx(1.0, abs=1e-12)
            assert liquid.tcs_tank_kg.sum() + liquid.tcs_makeup_kg.sum() == pytest.approx(tank, rel=1e-12)
    for column, array in liquid.arrays().items():
        assert np.isfinite(array).all(), column


def test_a_leak_flows_as_through_an_orifice() -> None:
    """5 mm, 0.61 A sqrt(2 rho dp) with the pressure at the CDU's outlet: suction plus what the pumps add; 1 %."""
    rig = settled()
    liquid = rig.liquid
    pressure = 150e3 + liquid.tcs_dp_pa[0]
    FAULT["cdu_leak"].start(liquid, 0, 5.0)
    rig.run(1.0)
    want = 0.61 * math.pi / 4.0 * 0.005**2 * math.sqrt(2.0 * 1010.5 * pressure)
    assert liquid.tcs_leak_kg_s[0] == pytest.approx(want, rel=0.01)


def test_the_vessel_keeps_boyles_law() -> None:
    rig = settled()
    liquid = rig.liquid
    vessel, rho = 3 * 0.05, 1010.5
    gas_full = vessel * (100e3 + 101325.0) / (150e3 + 101325.0)
    FAULT["rack_leak"].start(liquid, 1, 4.0)
    for pump in range(3):
        liquid.cdu_fault[pump] = 1  # no make-up, and nothing but the vessel drives the leak
    rig.run(30.0)
    gas = gas_full + liquid.tcs_leaked_kg[0] / rho
    assert liquid.tcs_leaked_kg[0] > 1.0
    assert liquid.tcs_makeup_kg[0] == 0.0
    assert liquid.tcs_pressure_pa[0] == pytest.approx((150e3 + 101325.0) * gas_full / gas - 101325.0, rel=1e-9)


def test_a_leak_ends_in_the_pressure_trip_which_stays_until_reset() -> None:
    rig = settled()
    liquid = rig.liquid
    FAULT["cdu_leak"].start(liquid, 0, 10.0)
    rig.run(30.0)
    assert liquid.tcs_makeup_kg[0] > 0.5  # the tanks help, and do not suffice
    rig.run(600.0)
    assert liquid.tcs_tripped[0] == 1
    assert liquid.pump_running.sum() == 0
    assert liquid.tcs_flow_frac[0] < 0.1
    lost = liquid.tcs_leaked_kg[0]
    FAULT["cdu_leak"].clear(liquid, 0)
    rig.run(3600.0, 10.0)
    assert liquid.tcs_leaked_kg[0] == lost
    assert liquid.tcs_tripped[0] == 1
    liquid.tcs_tank_kg[0] = 500.0
    rig.run(3600.0, 10.0)
    assert liquid.tcs_pressure_pa[0] == pytest.approx(150e3, abs=4e3)
    FAULT["tcs_pressure_trip"].clear(liquid, 0)
    rig.run(60.0)
    assert liquid.tcs_flow_frac[0] > 0.9


def test_a_small_leak_is_made_up() -> None:
    rig = settled()
    liquid = rig.liquid
    FAULT["rack_leak"].start(liquid, 2, 1.0)
    rig.run(1200.0, 2.0)
    assert liquid.tcs_tripped[0] == 0
    assert liquid.tcs_makeup_kg[0] == pytest.approx(liquid.tcs_leaked_kg[0], abs=8.0)
    assert 130e3 < liquid.tcs_pressure_pa[0] < 150e3


def test_partly_mated_couplings_take_flow_from_their_rack_alone() -> None:
    """K grows by the couplings' share: V = V0 (1 + 0.21 (5 - 1))^(-1/1.897) at the pressure that the row holds."""
    rig = settled()
    liquid = rig.liquid
    before = liquid.rack_flow_kg_s.copy()
    FAULT["rack_coupling_half_mated"].start(liquid, 1, 5.0)
    rig.run(300.0)
    ratio = liquid.rack_flow_kg_s[:4] / before[:4]
    assert ratio[1] / ratio[0] == pytest.approx(1.84 ** (-1.0 / 1.897), rel=1e-9)
    assert ratio[[0, 2, 3]] == pytest.approx([1.0] * 3, rel=0.01)


def test_a_stuck_valve_leaves_a_trickle() -> None:
    """K x 1000 leaves 1000^(-1/1.897) = 2.6 % of the flow."""
    rig = settled()
    liquid = rig.liquid
    FAULT["rack_valve_stuck"].start(liquid, 0, 1000.0)
    rig.run(20.0)
    assert liquid.rack_flow_kg_s[0] / liquid.rack_flow_kg_s[1] == pytest.approx(1000.0 ** (-1.0 / 1.897), rel=1e-9)


@pytest.mark.parametrize("dt", [1.0, 30.0])
def test_a_filter_clogs_with_time_until_it_is_renewed(dt: float) -> None:
    rig = settled()
    liquid = rig.liquid
    FAULT["rack_filter_clog"].start(liquid, 3, 60.0)
    rig.run(3600.0, dt)
    assert liquid.rack_filter_factor[3] == pytest.approx(61.0, rel=1e-9)
    ratio = liquid.rack_flow_kg_s[3] / liquid.rack_flow_kg_s[0]
    assert ratio == pytest.approx(4.0 ** (-1.0 / 1.897), rel=1e-3)
    FAULT["rack_filter_clog"].clear(liquid, 3)
    rig.run(5.0)
    assert liquid.rack_flow_kg_s[3] == pytest.approx(liquid.rack_flow_kg_s[0], rel=1e-12)


def test_air_takes_thirty_per_cent_of_the_flow() -> None:
    rig = settled()
    liquid = rig.liquid
    FAULT["rack_air_ingestion"].start(liquid, 2, 1.0)
    rig.run(60.0)
    assert liquid.rack_flow_kg_s[2] / liquid.rack_flow_kg_s[0] == pytest.approx(0.7, rel=1e-12)
    assert liquid.rack_plate_r_factor[2] == 2.0


def test_a_rack_without_flow_switches_itself_off_and_stays_off() -> None:
    rig = settled()
    liquid = rig.liquid
    FAULT["rack_branch_blocked"].start(liquid, 2, 0.0)
    rig.run(29.0)
    assert liquid.rack_protected[:4].tolist() == [0, 0, 0, 0]
    rig.run(2.0)
    assert liquid.rack_protected[:4].tolist() == [0, 0, 1, 0]
    FAULT["rack_branch_blocked"].clear(liquid, 2)
    rig.run(60.0)
    assert liquid.rack_protected[2] == 1
    FAULT["rack_protection"].clear(liquid, 2)
    rig.run(60.0)
    assert liquid.rack_protected[2] == 0


def test_a_rack_in_hot_air_switches_itself_off_liquid_cooled_or_not() -> None:
    """55 degC at the inlet for half a minute; a rack of the row and one without any coolant."""
    rig = Rig([ROW, {"racks": 2, "rack": "hgx-h100-x4"}], domains=("liquid",))
    rig.load(100e3)
    rig.run(60.0)
    rig.air.rack_inlet_temp_c[:] = 54.9
    rig.run(60.0)
    assert rig.liquid.rack_protected.sum() == 0
    for rack in (3, 17):
        rig.air.rack_inlet_temp_c[rack] = 55.1
    rig.run(29.0)
    assert rig.liquid.rack_protected.sum() == 0
    rig.run(2.0)
    assert np.flatnonzero(rig.liquid.rack_protected).tolist() == [3, 17]


def test_a_short_interruption_does_not_switch_racks_off() -> None:
    rig = settled()
    rig.liquid.rack_valve_frac[:] = 0.0
    rig.run(20.0)
    rig.liquid.rack_valve_frac[:] = 1.0
    rig.run(5.0)
    rig.liquid.rack_valve_frac[:] = 0.0
    rig.run(20.0)
    assert rig.liquid.rack_protected.sum() == 0


def test_the_lead_pump_goes_round() -> None:
    rig = settled()
    liquid = rig.liquid
    assert liquid.pump_running.tolist() == [1, 1, 1, 1, 0, 0]
    liquid.tcs_lead_pump[0] = 3
    rig.run(60.0)
    assert liquid.pump_running.tolist() == [1, 0, 0, 1, 1, 1]
    FAULT["cdu_pump_trip"].start(liquid, 4, 1.0)
    rig.run(60.0)
    assert liquid.pump_running.tolist() == [1, 1, 0, 1, 0, 1]


@pytest.mark.parametrize(("load", "limit"), [(115e3, 55.0), (60e3, 55.0), (115e3, 60.0)])
@pytest.mark.parametrize("dt", [1.0, 5.0])
def test_the_pumps_hold_the_return_temperature(load: float, limit: float, dt: float) -> None:
    """Flow = heat / (cp (limit - supply)) in the steady state, as long as the pumps may turn that slowly."""
    rig = Rig([holding(limit)], domains=("liquid",))
    rig.load(load)
    rig.run(3000.0, dt)
    liquid = rig.liquid
    if liquid.pump_speed_frac[0] > 0.301:
        assert liquid.tcs_return_temp_c[0] == pytest.approx(limit, abs=0.1)
        want = 16.0 * load / (3958.5 * (limit - liquid.tcs_supply_temp_c[0]))
        assert liquid.tcs_flow_kg_s[0] == pytest.approx(want, rel=0.01)
    else:
        assert liquid.tcs_return_temp_c[0] < limit
    swing = []
    for _ in range(300):
        rig.run(5.0, dt)
        swing.append(liquid.tcs_return_temp_c[0])
    assert max(swing) - min(swing) < 0.1  # no hunting


def test_the_return_limit_wins_back_flow_when_the_load_rises() -> None:
    rig = Rig([holding(56.0)], domains=("liquid",))
    rig.load(70e3)
    rig.run(2400.0, 2.0)
    low = rig.liquid.tcs_flow_kg_s[0]
    rig.load(120e3)
    rig.run(2400.0, 2.0)
    assert rig.liquid.tcs_return_temp_c[0] == pytest.approx(56.0, abs=0.1)
    assert rig.liquid.tcs_flow_kg_s[0] > 1.3 * low


def test_the_return_command_does_not_wind_up() -> None:
    """With the limit out of reach the command rests at what the pumps can do, and comes back within minutes."""
    rig = Rig([holding(42.0)], domains=("liquid",))
    rig.load(120e3)
    rig.run(3600.0, 5.0)
    assert rig.liquid.tcs_dp_command_pa[0] <= rig.hydronics.tcs["pump_h0_pa"][0]
    rig.liquid.tcs_return_limit_c[0] = 56.0
    rig.run(600.0)
    assert rig.liquid.tcs_return_temp_c[0] == pytest.approx(56.0, abs=1.0)


@pytest.mark.parametrize(("coolant", "factor"), [("pg25", 1.0), ("pg25-inhibited", 1.13), ("water", 0.6527 / 1.3883)])
def test_a_thinner_coolant_flows_better(coolant: str, factor: float) -> None:
    """At a held pressure V goes with (mu^(2-n) rho^(n-1))^(-1/n); viscosities of Melinder and IAPWS at 40 degC."""
    flows = []
    for fluid in ("pg25", coolant):
        rig = Rig([with_cdu(ROW, coolant=fluid)], domains=("liquid",))
        rig.liquid.tcs_supply_temp_c[:] = rig.liquid.tcs_return_temp_c[:] = 40.0
        rig.run(0.05, 0.05)
        flows.append(rig.liquid.tcs_flow_frac[0])
        assert rig.liquid.tcs_dp_pa[0] == pytest.approx(rig.liquid.tcs_dp_setpoint_pa[0], rel=0.02)
    rho = 992.3 / 1010.5 if coolant == "water" else 1.0
    want = (factor**0.103 * rho**0.897) ** (-1.0 / 1.897)
    assert flows[1] / flows[0] == pytest.approx(want, rel=2e-3)
