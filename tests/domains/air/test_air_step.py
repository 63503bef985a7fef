"""The air domain: operating point, faults, controls, snapshots."""

from __future__ import annotations

import numpy as np
import pytest
from air_hall import AIR, DEMO, Hall

from twin.domains.air import DOMAIN
from twin.state.blocks import AirState

SMALL = {"name": "A", "crah": {"type": "crah-350kw", "count": 3, "spare": 1}, "row": [{**AIR, "racks": 8, "repeat": 2}]}
FAULT = {kind.name: kind for kind in DOMAIN.faults}


def test_a_fresh_state_is_an_operating_point():
    hall = Hall(DEMO, load=0.5)
    before = hall.air.cell_temp_c.copy()
    assert hall.air.inlet_temp_max_c[0] < 27.0
    assert hall.air.crah_supply_temp_c == pytest.approx(22.0, abs=0.5)
    hall.step(1.0, 60)
    assert np.abs(hall.air.cell_temp_c - before).max() < 1.0


def test_the_demo_hall_carries_its_load():
    hall = Hall(DEMO)
    hall.step(1.0, 1800)
    air = hall.air
    assert air.inlet_temp_max_c[0] < 27.0
    removed = air.crah_heat_w.sum() - air.crah_power_w.sum()
    assert removed == pytest.approx(2.3936e6, rel=2e-3)
    assert air.crah_air_flow_m3_s.sum() == pytest.approx(1.05 * air.rack_air_flow_m3_s.sum(), rel=0.02)
    assert air.flow_residual[0] < 1e-9
    # nothing hunts: the flow is not solved again
    version = int(air.flow_version[0])
    hall.step(1.0, 300)
    assert air.flow_version[0] == version


def test_no_cell_leaves_the_range_of_its_sources():
    hall = Hall(SMALL, load=1.0)
    air = hall.air
    rng = np.random.default_rng(2)
    air.cell_temp_c[:] = rng.uniform(10.0, 60.0, len(air.cell_temp_c))
    hall.load(0.0)
    hall.power.hall_service_w[:] = 0.0
    for _ in range(200):
        low, high = air.cell_temp_c.min(), air.cell_temp_c.max()
        hall.step(1.0)
        low = min(low, air.rack_outlet_temp_c.min(), air.crah_supply_temp_c.min())
        high = max(high, air.rack_outlet_temp_c.max(), air.crah_supply_temp_c.max())
        assert air.cell_temp_c.min() >= low - 1e-8
        assert air.cell_temp_c.max() <= high + 1e-8


def test_a_crah_trip_is_felt_and_made_up_for():
    hall = Hall(DEMO)
    hall.step(1.0, 900)
    air = hall.air
    quiet, speed = float(air.inlet_temp_max_c[0]), float(air.crah_fan_frac[0])
    FAULT["crah_fan_trip"].start(air, 3, 1.0)
    hall.stepper.refresh()
    worst = quiet
    for _ in range(40):
        hall.step(1.0)
        worst = max(worst, float(air.inlet_temp_max_c[0]))
    assert worst > quiet + 0.5
    assert air.crah_fan_frac[3] == 0.0
    assert air.crah_air_flow_m3_s[3] == 0.0
    assert air.crah_heat_w[3] == 0.0
    assert air.crah_power_w[3] == 0.0
    hall.step(1.0, 300)
    assert air.crah_fan_frac[0] > speed * 1.05
    assert air.inlet_temp_max_c[0] < worst
    FAULT["crah_fan_trip"].clear(air, 3)
    hall.stepper.refresh()
    hall.step(1.0, 600)
    assert air.crah_fan_frac[3] == pytest.approx(air.crah_fan_frac[0], abs=0.02)
    assert air.crah_supply_temp_c[3] == pytest.approx(air.crah_supply_temp_c[0], abs=0.6)


def test_without_power_everything_stands():
    hall = Hall(SMALL)
    hall.step(1.0, 60)
    hall.power.crah_energised[:] = 0
    hall.power.rack_energised[:] = 0
    hall.load(0.0)
    hall.step(1.0, 300)
    air = hall.air
    assert air.crah_power_w.sum() == 0.0
    assert air.rack_fan_power_w.sum() == 0.0
    assert np.isfinite(air.cell_temp_c).all()
    assert air.rack_air_flow_m3_s.sum() < 0.04 * 16 * 2.086


def test_loss_of_chilled_water_warms_slower_than_loss_of_air():
    """The coil's mass holds the supply for a while; without fans the aisle is lost within seconds."""
    water, fans = Hall(SMALL), Hall(SMALL)
    for hall in (water, fans):
        hall.step(1.0, 600)
    start = float(water.air.inlet_temp_max_c[0])
    water.plant.loop_flow_frac[:] = 0.0
    fans.air.crah_fault[:] = 1
    for hall in (water, fans):
        hall.step(1.0, 20)
    assert start < water.air.inlet_temp_max_c[0] < fans.air.inlet_temp_max_c[0]


def test_weak_server_fans_mean_hotter_exhaust():
    hall = Hall(SMALL)
    hall.step(1.0, 600)
    air = hall.air
    before = air.rack_outlet_temp_c.copy()
    FAULT["rack_fan_degraded"].start(air, 5, 0.6)
    hall.step(1.0, 1200)
    assert air.rack_outlet_temp_c[5] > before[5] + 8.0
    assert air.rack_outlet_temp_c[0] == pytest.approx(before[0], abs=1.0)
    FAULT["rack_fan_degraded"].clear(air, 5)
    hall.step(1.0, 1200)
    assert air.rack_outlet_temp_c[5] == pytest.approx(before[5], abs=1.0)


def test_the_supply_set_point_is_held():
    hall = Hall(SMALL, load=0.7)
    hall.air.crah_supply_setpoint_c[:] = 24.0
    hall.step(1.0, 2400)
    assert hall.air.crah_supply_temp_c == pytest.approx(24.0, abs=0.1)
    column = {c.name for c in AirState.columns if c.role == "setpoint"}
    assert {s.column for s in DOMAIN.settings} <= column


@pytest.mark.parametrize("dt_s", [0.1, 1.0, 10.0, 60.0])
def test_the_operating_point_does_not_depend_on_the_step(dt_s):
    hall = Hall(SMALL)
    hall.step(10.0, 200)
    hall.step(dt_s, 200)
    assert hall.air.crah_supply_temp_c == pytest.approx(22.0, abs=0.6)
    assert hall.air.crah_heat_w.sum() - hall.air.crah_power_w.sum() == pytest.approx(
        hall.site.floor.rack_air_design_w.sum(), rel=5e-3)


@pytest.mark.parametrize("broken", [False, True], ids=["sound", "with gaps"])
def test_refresh_and_a_loaded_state_change_no_bit(broken):
    one, two = Hall(SMALL, load=0.9), Hall(SMALL, load=0.9)
    for hall in (one, two):
        hall.step(1.0, 12)
        if broken:
            FAULT["blanking_panel_missing"].start(hall.air, 3, 0.3)
            FAULT["aisle_door_open"].start(hall.air, 0, 0.5)
            hall.stepper.refresh()
    one.step(1.0, 35)
    two.step(1.0, 11)
    saved = {name: array.copy() for name, array in two.air.arrays().items()}
    three = Hall(SMALL, load=0.2)
    three.step(1.0, 31)
    three.load(0.9)
    for name, array in three.air.arrays().items():
        array[:] = saved[name]
    three.stepper.refresh()
    three.step(1.0, 24)
    for name, array in one.air.arrays().items():
        assert array.tobytes() == three.air.arrays()[name].tobytes(), name


def test_halls_are_independent():
    both = Hall({**SMALL, "repeat": 2})
    alone = Hall(SMALL)
    both.air.crah_fault[3:] = 1
    both.step(1.0, 50)
    alone.step(1.0, 50)
    cells = len(alone.air.cell_temp_c)
    assert both.air.cell_temp_c[:cells].tobytes() == alone.air.cell_temp_c.tobytes()
    assert both.air.cell_temp_c[cells:].max() > alone.air.cell_temp_c.max() + 3.0


def test_rows_watch_columns_that_exist():
    columns = {c.name: c for c in AirState.columns}
    for alarm in DOMAIN.alarms:
        assert columns[alarm.column].axis == alarm.axis
    assert len({a.name for a in DOMAIN.alarms}) == len(DOMAIN.alarms)


def test_one_hot_gpu_among_idle_ones_gets_air():
    """A rack whose mean load is low has one busy node: its fans follow the hottest GPU, the others' do not."""
    hall = Hall(SMALL, load=0.3)
    hall.step(1.0, 60)
    before = hall.air.rack_fan_frac.copy()
    hall.chip.rack_temp_limit_c[:] = 84.0
    hall.chip.rack_gpu_temp_c_max[:] = 60.0
    hall.chip.rack_gpu_temp_c_max[3] = 85.0
    hall.step(1.0, 30)
    more = hall.air.rack_fan_frac - before
    assert more[3] > 0.2
    assert np.abs(np.delete(more, 3)).max() < 0.02
