"""Energy of row loops and plant closes at every tick, whatever the load, weather, faults and tick length."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from rig import AIR_ROW, CHILLED, ROW, WARM, Rig

SMALL = [{**ROW, "racks": 3, "repeat": 2}, {**AIR_ROW, "racks": 1}]
FREE = {"name": "chilled", "supply_c": 18.0, "condenser": "warm",
        "heat_reject": [{"type": "dry-cooler-2900kw", "count": 2, "spare": 1}],
        "chillers": {"type": "carnot-1500kw", "count": 3, "spare": 1}}


def closes(rig: Rig) -> None:
    # a temperature is rounded to 2^-53 of itself: what that is in the water of the loops cannot be accounted for
    rounding = 4e-16 * float(2.0 * (rig.hydronics.loop["half_capacity_j_k"] * 60.0).sum())
    for block in (rig.liquid, rig.plant):
        moved = abs(block.tick_in_j[0]) + abs(block.tick_out_j[0]) + abs(block.tick_stored_j[0])
        left = abs(block.tick_in_j[0] - block.tick_out_j[0] - block.tick_stored_j[0])
        assert left <= 1e-9 * moved + rounding


@given(
    steps=st.lists(st.tuples(st.sampled_from([0.01, 0.2, 1.0, 3.7, 10.0, 30.0, 60.0]),
                             st.floats(0.0, 200e3), st.floats(-20.0, 45.0), st.floats(0.0, 12.0),
                             st.integers(0, 7)), min_size=3, max_size=12),
    free=st.booleans(),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_energy_closes_and_states_stay_finite(
    steps: list[tuple[float, float, float, float, int]], free: bool,
) -> None:
    rig = Rig(SMALL, [WARM, FREE if free else CHILLED])
    for dt, load, dry, depression, trouble in steps:
        rig.load(load)
        rig.outdoor(dry, dry - depression * max(0.0, (dry + 20.0) / 65.0) * 0.9)
        rig.air.crah_heat_w[:] = 3.0 * load
        rig.liquid.pump_fault[:] = trouble == 1
        rig.liquid.cdu_fault[0] = trouble == 2
        rig.liquid.rack_valve_frac[0] = 0.0 if trouble == 3 else 1.0
        rig.power.cdu_energised[:] = trouble != 4
        rig.power.plant_energised[0] = trouble != 5
        rig.plant.loop_pump_fault[:] = 3 if trouble == 6 else 0
        rig.plant.rejector_fault[:] = 1 if trouble == 7 else 0
        for _ in range(4):
            rig.run(dt, dt)
            closes(rig)
    for block in (rig.liquid, rig.plant):
        for name, array in block.arrays().items():
            assert np.isfinite(array).all(), name


@given(dt=st.sampled_from([0.2, 1.0, 5.0, 30.0, 60.0]), start=st.floats(20.0, 60.0), load=st.floats(0.0, 150e3),
       valve=st.floats(0.0, 1.0))
@example(dt=60.0, start=60.0, load=0.0, valve=0.005)
@example(dt=60.0, start=60.0, load=0.0, valve=0.02)
@settings(max_examples=40, deadline=None)
def test_no_exchanger_outlet_crosses_the_other_inlet(dt: float, start: float, load: float, valve: float) -> None:
    """Once the metal has settled, secondary supply stays above primary inlet, primary return below secondary return."""
    rig = Rig(SMALL, [WARM], domains=("liquid",))
    rig.load(load)
    liquid = rig.liquid
    for name in ("rack_supply_temp_c", "rack_return_temp_c", "tcs_supply_temp_c", "tcs_return_temp_c",
                 "cdu_supply_temp_c"):
        getattr(liquid, name)[:] = max(start, 32.0)
    liquid.cdu_primary_return_temp_c[:] = 32.0
    liquid.cdu_valve_stuck_frac[:] = valve
    rig.plant.loop_supply_temp_c[:] = 32.0
    for _ in range(30):
        rig.run(dt, dt)
        assert (liquid.cdu_supply_temp_c >= 32.0 - 1e-9).all()
        assert (liquid.cdu_primary_return_temp_c >= 32.0 - 1e-9).all()
    rig.run(6 * 3600.0, 60.0)
    before = liquid.cdu_primary_return_temp_c.copy()
    rig.run(5.0, 5.0)
    # behind a nearly shut valve the row still cools after hours, and the primary side's mass lags behind it: by exactly
    # the heat that this mass gives off, over the flow that carries it away
    carried = 5.0 * liquid.cdu_primary_flow_kg_s * rig.hydronics.loop["cp_j_kgk"][0]
    lag = np.zeros(len(before))
    moving = carried > 0.0
    given_off = (rig.hydronics.cdu["primary_capacity_j_k"] * (before - liquid.cdu_primary_return_temp_c))[moving]
    lag[moving] = np.maximum(given_off / carried[moving], 0.0)
    flowing = liquid.cdu_flow_kg_s > 0.0
    assert (liquid.cdu_primary_return_temp_c <= liquid.cdu_return_temp_c + lag + 1e-6)[flowing & moving].all()
    assert (liquid.cdu_supply_temp_c[flowing] <= liquid.cdu_return_temp_c[flowing] + 1e-3).all()


def test_what_the_row_takes_in_arrives_at_the_sky() -> None:
    """In the steady state the plant rejects rack heat, CDU, CRAH, pump, compressor and fan power."""
    rig = Rig([{**ROW, "repeat": 2}, AIR_ROW], [{**WARM, "volume_m3": 5.0}, {**CHILLED, "volume_m3": 5.0}])
    rig.load(100e3)
    rig.run(4 * 3600.0, 10.0)
    total = 32 * 100e3 + rig.liquid.cdu_power_w.sum() + rig.air.crah_heat_w.sum() + rig.plant.power_w[0]
    assert rig.plant.rejected_heat_w[0] == pytest.approx(total, rel=1e-4)


def test_runs_of_one_second_and_of_thirty_agree() -> None:
    """The same hour at 1 s and 30 s ends within 0.1 K (implicit Euler is first order, controls are sampled)."""
    rigs = [Rig(SMALL, [WARM, CHILLED]) for _ in range(2)]
    for rig, dt in zip(rigs, (1.0, 30.0), strict=True):
        rig.load(110e3)
        rig.run(3600.0, dt)
    for name in ("tcs_supply_temp_c", "tcs_return_temp_c", "cdu_primary_return_temp_c"):
        a, b = (getattr(rig.liquid, name) for rig in rigs)
        assert a == pytest.approx(b, abs=0.1), name
    assert rigs[0].plant.loop_return_temp_c == pytest.approx(rigs[1].plant.loop_return_temp_c, abs=0.2)


def test_nothing_is_remembered_outside_the_state() -> None:
    """A fresh rig whose arrays are overwritten with another's runs on with the same bits."""
    first = Rig(SMALL, [WARM, FREE])
    first.load(90e3)
    first.outdoor(24.0, 19.0)
    first.run(300.0)
    first.liquid.pump_fault[0] = 1
    first.run(17.0)
    second = Rig(SMALL, [WARM, FREE])
    for name, block in first.block.items():
        for column, array in block.arrays().items():
            getattr(second.block[name], column)[...] = array
    for stepper in second.steppers:
        stepper.refresh()
    for rig in (first, second):
        rig.run(200.0)
    for name in ("liquid", "plant"):
        for column, array in first.block[name].arrays().items():
            assert array.tobytes() == getattr(second.block[name], column).tobytes(), column


def test_a_site_without_loops_runs() -> None:
    rig = Rig([AIR_ROW], [], domains=("liquid",))
    rig.run(5.0)
    assert rig.liquid.tick_in_j[0] == 0.0
