"""What the row loops do when something changes: pumps, spares, valves, blocked branches, set-points."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from rig import ROW, Rig

from twin._kernels import laws
from twin.domains.liquid import DOMAIN

PG25_RHO = (1027.697, -0.328846, -0.00252639)
FAULT = {kind.name: kind for kind in DOMAIN.faults}


def settled(row: dict[str, object] | None = None, load: float = 115e3) -> Rig:
    rig = Rig([row or ROW], domains=("liquid",))
    rig.load(load)
    rig.run(1200.0, 2.0)
    return rig


def test_supply_is_held_within_one_kelvin() -> None:
    """Vertiv states +-1 K; here at steady load, then through a step to half of it."""
    rig = settled()
    assert rig.liquid.cdu_supply_temp_c[:2] == pytest.approx([40.0, 40.0], abs=0.1)
    opening = rig.liquid.cdu_valve_frac[0]
    rig.load(57e3)
    rig.run(1200.0)
    assert rig.liquid.cdu_supply_temp_c[:2] == pytest.approx([40.0, 40.0], abs=0.2)
    assert rig.liquid.cdu_valve_frac[0] < opening - 0.05


def test_spare_stands_by_and_takes_over_when_a_pump_trips() -> None:
    rig = settled()
    liquid = rig.liquid
    assert liquid.cdu_flow_kg_s[2] == 0.0
    before = liquid.tcs_flow_kg_s[0]
    FAULT["cdu_pump_trip"].start(liquid, 0, 1.0)
    rig.run(30.0)
    assert liquid.pump_running.tolist() == [0, 1, 1, 1, 1, 0]
    assert liquid.cdu_flow_kg_s[2] > 0.0
    assert liquid.tcs_flow_kg_s[0] == pytest.approx(before, rel=0.03)
    rig.run(600.0)
    assert liquid.tcs_supply_temp_c[0] == pytest.approx(40.0, abs=0.5)
    FAULT["cdu_pump_trip"].clear(liquid, 0)
    rig.run(600.0)
    assert liquid.pump_running.tolist() == [1, 1, 1, 1, 0, 0]
    assert liquid.cdu_flow_kg_s[2] == 0.0
    assert liquid.cdu_valve_frac[2] == 0.0


def test_a_whole_cdu_out_brings_the_spare_in() -> None:
    rig = settled()
    FAULT["cdu_off"].start(rig.liquid, 1, 1.0)
    rig.run(900.0)
    assert rig.liquid.pump_running.tolist() == [1, 1, 0, 0, 1, 1]
    assert rig.liquid.cdu_flow_kg_s[1] == 0.0
    assert rig.liquid.cdu_power_w[1] == 0.0
    assert rig.liquid.tcs_supply_temp_c[0] == pytest.approx(40.0, abs=0.5)


def test_without_power_the_flow_coasts_down_to_what_buoyancy_moves() -> None:
    """n(t) = n0 / (1 + n0 t/tau), tau 2 s; then natural circulation, which ends with the heat; no reverse flow."""
    rig = settled()
    liquid = rig.liquid
    speed, flow = liquid.pump_speed_frac[0], liquid.tcs_flow_kg_s[0]
    rig.power.cdu_energised[:] = 0
    rig.run(2.0, 0.1)
    assert liquid.pump_speed_frac[0] == pytest.approx(speed / (1.0 + speed), rel=1e-9)
    assert 0.3 * flow < liquid.tcs_flow_kg_s[0] < 0.75 * flow
    rig.load(5e3)
    rig.run(600.0)
    assert 0.001 * flow < liquid.tcs_flow_kg_s[0] < 0.1 * flow
    lift = 9.80665 * 0.3 * (laws.coolant_rho(liquid.tcs_supply_temp_c[0], *PG25_RHO)
                            - laws.coolant_rho(liquid.rack_return_temp_c[:16].mean(), *PG25_RHO))
    assert liquid.tcs_dp_pa[0] == pytest.approx(lift, rel=0.02)
    rig.load(0.0)
    liquid.rack_return_temp_c[:] = liquid.rack_compute_temp_c[:] = liquid.rack_switch_temp_c[:] = 35.0
    liquid.rack_supply_temp_c[:] = liquid.tcs_supply_temp_c[:] = 40.0
    rig.run(5.0)
    assert liquid.tcs_flow_kg_s[0] == 0.0
    assert (liquid.rack_flow_kg_s == 0.0).all()
    assert (liquid.cdu_power_w == 0.0).all()
    rig.load(115e3)
    rig.power.cdu_energised[:] = 1
    rig.run(60.0)
    assert liquid.tcs_flow_kg_s[0] == pytest.approx(flow, rel=0.05)


def test_a_pump_behind_a_shut_check_valve_passes_nothing() -> None:
    rig = settled()
    liquid = rig.liquid
    FAULT["cdu_pump_trip"].start(liquid, 0, 1.0)
    rig.run(8.0, 0.5)
    assert 0.0 < liquid.pump_speed_frac[0] < 0.25
    # its CDU now carries what its other pump alone delivers: as the spare with one pump does
    rig.run(10.0, 0.5)
    assert liquid.cdu_flow_kg_s[0] == pytest.approx(liquid.cdu_flow_kg_s[2], rel=1e-6)


def test_facility_loss_warms_the_row_slowly_enough_for_the_chips() -> None:
    """Secondary pumps on, primary gone: the rate is heat over the loop's mass; nothing near a throttle within 15 s."""
    rig = settled()
    liquid = rig.liquid
    rig.plant.loop_flow_frac[:] = 0.0
    rig.run(15.0, 0.5)
    assert 1.0 < liquid.rack_supply_temp_c[:16].max() - 40.0 < 15.0
    rig.run(60.0, 0.5)
    start = liquid.tcs_supply_temp_c[0]
    rig.run(60.0, 0.5)
    site = rig.hydronics
    content = (site.rack["supply_capacity_j_k"].sum() + site.rack["compute_capacity_j_k"].sum()
               + site.rack["switch_capacity_j_k"].sum()
               + 2.0 * site.tcs["header_j_k"][0] + 2.0 * site.cdu["secondary_capacity_j_k"][0])
    rate = (16 * 115e3 + liquid.cdu_power_w.sum()) / content
    assert (liquid.tcs_supply_temp_c[0] - start) / 60.0 == pytest.approx(rate, rel=0.03)


def test_a_blocked_branch_heats_its_rack_only() -> None:
    rig = settled()
    liquid = rig.liquid
    before = liquid.rack_flow_kg_s.copy()
    FAULT["rack_branch_blocked"].start(liquid, 3, 0.3)
    rig.run(600.0)
    assert liquid.rack_flow_kg_s[3] == pytest.approx(0.3 * before[3], rel=0.02)
    others = np.delete(np.arange(16), 3)
    assert liquid.rack_flow_kg_s[others] == pytest.approx(before[others], rel=0.02)
    assert liquid.rack_return_temp_c[3] > liquid.rack_return_temp_c[2] + 25.0
    assert liquid.tcs_dp_pa[0] == pytest.approx(liquid.tcs_dp_setpoint_pa[0], rel=1e-3)


def test_a_stuck_valve_lets_the_supply_drift() -> None:
    rig = settled()
    FAULT["cdu_valve_stuck"].start(rig.liquid, 0, 0.3)
    rig.run(600.0)
    assert rig.liquid.cdu_valve_frac[0] == 0.3
    assert rig.liquid.cdu_supply_error_k[0] > 3.0
    FAULT["cdu_valve_stuck"].clear(rig.liquid, 0)
    rig.run(900.0)
    assert rig.liquid.cdu_supply_temp_c[0] == pytest.approx(40.0, abs=0.3)


def test_supply_stays_above_the_dew_point() -> None:
    """The supply keeps 2 K above the dew point of the hall, however cold a supply is asked for."""
    rig = Rig([{**ROW, "cdu": {**ROW["cdu"], "supply_c": 10.0}}], domains=("liquid",))  # type: ignore[dict-item]
    rig.plant.loop_supply_temp_c[:] = 8.0
    rig.load(60e3)
    for dew_point_c in (15.0, 11.0, 18.0):
        rig.air.hall_dew_point_temp_c[0] = dew_point_c
        rig.run(1800.0, 2.0)
        assert rig.liquid.cdu_supply_temp_c[0] == pytest.approx(dew_point_c + 2.0, abs=0.2)


def test_frontier_cdu_draws_its_constant_power() -> None:
    row = {"racks": 3, "rack": "frontier-cabinet", "cdu": {"type": "cdu-frontier", "count": 1}}
    for load in (50e3, 380e3):
        rig = Rig([row], domains=("liquid",))
        rig.plant.loop_supply_temp_c[:] = 25.0
        rig.load(load)
        rig.run(1200.0, 2.0)
        assert rig.liquid.cdu_power_w[0] == 8473.0
        assert rig.liquid.cdu_supply_temp_c[0] == pytest.approx(32.0, abs=0.5)


@pytest.mark.parametrize("dt", [0.01, 1.0, 60.0])
def test_every_tick_length_holds_the_supply(dt: float) -> None:
    rig = settled()
    rig.run(1200.0 if dt > 0.1 else 20.0, dt)
    assert rig.liquid.tcs_supply_temp_c[0] == pytest.approx(40.0, abs=0.2)


def test_buffers_of_a_wrong_length_are_refused() -> None:
    from twin._kernels.liquid import LiquidKernel

    with pytest.raises(ValueError, match="rack_conductance has shape"):
        LiquidKernel(racks=1, streams=1, tcs=1, cdus=1, pumps=1, loops=1, halls=1, nodes=1, air_kg_m3=1.15,
                     rack_conductance=np.zeros(2))


def test_an_index_beyond_the_loops_is_refused() -> None:
    rig = Rig([ROW], domains=())
    rig.site.hydronics = dataclasses.replace(rig.hydronics, cdu_loop=np.full(3, 9, dtype=np.int32))
    with pytest.raises(ValueError, match="cdu_loop points beyond"):
        rig._bind("liquid")
