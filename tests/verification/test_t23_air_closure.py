"""T23, air and whole: the sweep is the dense implicit step (1e-10); energy closes (1e-9); first order in time."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from air_hall import AIR, Hall
from hypothesis import given, settings
from hypothesis import strategies as st
from psychrolib import SI, GetHumRatioFromTDewPoint, GetTDewPointFromHumRatio, SetUnitSystem
from scipy import sparse
from scipy.sparse.linalg import spsolve

from twin.domains.air import DOMAIN
from twin.domains.air.step import AIR_TEMP_C
from twin.scenario.open import open_run

SMALL = {"name": "A", "crah": {"type": "crah-250kw", "count": 2, "spare": 1},
         "row": [{**AIR, "racks": 4, "repeat": 2}]}


FAULT = {kind.name: kind for kind in DOMAIN.faults}


@pytest.mark.parametrize("dt_s, gap", [(0.01, 0.0), (1.0, 0.0), (60.0, 0.0), (3600.0, 0.0), (1.0, 0.3)])
def test_sweep_is_the_dense_implicit_step(validate, dt_s, gap):
    hall = Hall(SMALL)
    if gap:
        FAULT["blanking_panel_missing"].start(hall.air, 3, gap)
        FAULT["aisle_door_open"].start(hall.air, 0, 1.0)
        hall.stepper.refresh()
    flow = hall.stepper._kernel.flow
    source, target, q = flow.face_flows(0)
    n, rho_cp = flow.cells, 1180.0
    volume = np.array(hall.site.floor.cell_volume_m3)
    # what leaves a cell for a machine is what flowed in and did not flow on
    draw = np.zeros(n)
    np.add.at(draw, target, q)
    np.add.at(draw, source, -q)
    inject, draw = np.maximum(-draw, 0.0), np.maximum(draw, 0.0)
    rho_cp = _rho_cp(hall)
    rng = np.random.default_rng(5)
    old = rng.uniform(18.0, 45.0, n)
    gain = rho_cp * inject * rng.uniform(15.0, 50.0, n) + rng.uniform(0.0, 500.0, n)
    out = draw.copy()
    np.add.at(out, source, q)
    system = (sparse.diags(rho_cp * volume / dt_s + rho_cp * out)
              - sparse.coo_matrix((rho_cp * q, (target, source)), shape=(n, n))).tocsc()
    want = spsolve(system, rho_cp * volume / dt_s * old + gain)
    got = old.copy()
    stored = flow.step_temperature(0, dt_s, got, gain.copy())
    what = f"air sweep against a dense implicit solve, {dt_s:g} s{', gaps' if gap else ''}: largest relative difference"
    validate.below("T23", what, float((np.abs(got - want) / np.abs(want)).max()), 1e-10, unit="", source="scipy")
    assert stored == pytest.approx(rho_cp * np.dot(volume, got - old), rel=1e-9)


def _rho_cp(hall):
    # ideal gas at the site's pressure, 27 degC; 1006 J/kgK
    pressure = 101325.0 * (1.0 - 2.25577e-5 * hall.site.climate.altitude_m) ** 5.2559
    return 1006.0 * pressure / (287.042 * 300.15)


@pytest.mark.parametrize("dt_s", [0.01, 1.0, 10.0, 60.0])
@pytest.mark.parametrize("aisle", ["open", "cold-contained", "hot-contained"])
def test_energy_closes_through_faults_and_steps(validate, dt_s, aisle):
    hall = Hall({**SMALL, "aisle": aisle}, load=0.3)
    hall.power.hall_service_w[:] = 3e4
    worst = 0.0
    for k in range(60):
        if k == 10:
            hall.load(1.0)
        if k == 20:
            hall.air.crah_fault[0] = 1
        if k == 30:
            hall.power.rack_energised[:3] = 0
            hall.plant.loop_flow_frac[:] = 0.0
        if k == 40:
            hall.air.crah_fault[0] = 0
            hall.power.crah_energised[:] = 0
        if k == 50:
            hall.power.crah_energised[:] = 1
            hall.plant.loop_flow_frac[:] = 1.0
        hall.step(dt_s)
        worst = max(worst, hall.residual())
    validate.below("T23", f"hall air, {aisle}, ticks of {dt_s:g} s: largest energy residual", worst, 1e-9, unit="",
                   source="conservation")


def test_capture_index_is_that_of_a_tracer_from_each_rack():
    """A tracer let out behind one rack, solved densely: what the CRAHs draw of it is the capture index (1e-9)."""
    hall = Hall({**SMALL, "aisle": "open"})
    hall.step(10.0, 60)
    flow, floor = hall.stepper._kernel.flow, hall.site.floor
    source, target, q = flow.face_flows(0)
    n = flow.cells
    given_in, caught = np.zeros(n), np.zeros(n)
    for j, air in enumerate(hall.air.crah_air_flow_m3_s):
        blown = floor.crah_out_cell[floor.crah_out_ptr[j]:floor.crah_out_ptr[j + 1]]
        drawn = floor.crah_in_cell[floor.crah_in_ptr[j]:floor.crah_in_ptr[j + 1]]
        given_in[blown] += air / len(blown)
        caught[drawn] += air / len(drawn)
    out = caught.copy()
    for r, air in enumerate(hall.air.rack_air_flow_m3_s):
        out[floor.rack_front_cell[r]] += air
    np.add.at(out, source, q)
    system = (sparse.diags(out) - sparse.coo_matrix((q, (target, source)), shape=(n, n))).tocsc()
    supplied = spsolve(system, given_in)
    for r, air in enumerate(hall.air.rack_air_flow_m3_s):
        tracer = np.zeros(n)
        tracer[floor.rack_rear_cell[r]] = air
        share = np.dot(caught, spsolve(system, tracer)) / air
        assert hall.air.rack_capture_frac[r] == pytest.approx(share, abs=1e-9)
        assert hall.air.rack_supplied_frac[r] == pytest.approx(supplied[floor.rack_front_cell[r]], abs=1e-9)
    assert 0.05 < hall.air.rack_capture_frac.min() < hall.air.rack_capture_frac.max() < 1.0


HALLS = [
    {"name": "A", "crah": {"type": "crah-250kw", "count": 2}, "row": [{**AIR, "racks": 4, "repeat": 2}]},
    {"name": "A", "row": [{**AIR, "racks": 3, "door": {"type": "rear-door-50kw"}}, {**AIR, "racks": 3, "repeat": 1}]},
    {"name": "A", "row": [{**AIR, "racks": 4, "repeat": 2, "cooler": {"type": "in-row-60kw", "count": 3}}]},
    {"name": "A", "crah": {"type": "fan-wall-400kw", "count": 2}, "row": [{**AIR, "racks": 3, "repeat": 3}]},
]


@given(st.data())
@settings(max_examples=25, deadline=None)
def test_any_hall_and_any_faults_close(data):
    """Energy and moisture to 1e-9 a tick, every cell within its sources, no coil outlet beyond the other's inlet."""
    table = data.draw(st.sampled_from(HALLS))
    aisle = data.draw(st.sampled_from(["open", "hot-contained"] + (["cold-contained"] if table is HALLS[0] else [])))
    leakage = data.draw(st.floats(0.001, 0.1))
    hall = Hall({**table, "aisle": aisle, "leakage": leakage}, load=data.draw(st.floats(0.1, 1.1)),
                altitude_m=data.draw(st.floats(-400.0, 4000.0)))
    hall.plant.loop_supply_temp_c[:] = data.draw(st.floats(7.0, 22.0))
    hall.weather.humidity_ratio_kg_kg[:] = data.draw(st.floats(0.002, 0.022))
    hall.air.hall_makeup_dew_point_c[:] = 24.0
    air, counts = hall.air, {"rack": 6, "crah": hall.site.axes["crah"], "aisle": hall.site.axes["aisle"]}
    for _ in range(data.draw(st.integers(2, 5))):
        kind = data.draw(st.sampled_from([k for k in DOMAIN.faults if counts[k.axis]]))
        kind.start(air, data.draw(st.integers(0, counts[kind.axis] - 1)), data.draw(st.floats(*kind.value_range)))
        hall.stepper.refresh()
        dt_s = data.draw(st.floats(0.2, 30.0))
        for _ in range(8):
            _step_and_check(hall, dt_s)


def _step_and_check(hall, dt_s):
    air = hall.air
    humidity, condensed = float(air.hall_humidity_kg_kg[0]), float(air.condensate_kg[0])
    returned = air.crah_return_temp_c.copy()
    low, high = air.cell_temp_c.min(), air.cell_temp_c.max()
    hall.step(dt_s)
    assert hall.residual() < 1e-9
    held = _rho_cp(hall) / 1006.0 * hall.site.floor.cell_volume_m3.sum()
    water = float(air.hall_makeup_kg_s[0] * dt_s - (air.condensate_kg[0] - condensed))
    assert held * (float(air.hall_humidity_kg_kg[0]) - humidity) == pytest.approx(water, abs=1e-9 * held * humidity)
    doors = hall.site.floor.crah_kind == 3
    blown = np.concatenate([air.crah_supply_temp_c, air.rack_outlet_temp_c])
    assert air.cell_temp_c.min() > min(low, blown.min()) - 1e-8
    assert air.cell_temp_c.max() < max(high, blown.max()) + 1e-8
    entering = np.where(doors, air.crah_return_temp_c, returned)
    water_in = hall.plant.loop_supply_temp_c[hall.site.floor.crah_loop]
    warmed = np.maximum(entering, water_in) + 1e-9
    assert (air.crah_water_return_temp_c <= warmed).all()


@pytest.mark.parametrize("dew_point_c", [13.0, 18.0])
def test_a_coil_below_the_dew_point_dries_the_hall(dew_point_c):
    """Water of 7 degC: beside the racks' heat the coils take 2,454 kJ per kg that condenses (2 %); the hall dries
    towards the coils but not below their water; its dew point is psychrolib's (0.1 K)."""
    SetUnitSystem(SI)
    hall = Hall({**SMALL, "aisle": "open"})
    hall.step(10.0, 60)
    air = hall.air
    hall.plant.loop_supply_temp_c[:] = 7.0
    hall.weather.humidity_ratio_kg_kg[:] = 0.018
    air.hall_makeup_dew_point_c[:] = 24.0
    air.hall_humidity_kg_kg[:] = GetHumRatioFromTDewPoint(dew_point_c, 101325.0)
    air.crah_supply_setpoint_c[:] = 14.0
    dry = float(air.hall_humidity_kg_kg[0])
    for _ in range(240):
        hall.step(5.0)
        assert hall.residual() < 1e-9
    assert air.condensate_kg[0] > 0.0
    assert air.hall_dew_point_temp_c[0] == pytest.approx(
        GetTDewPointFromHumRatio(AIR_TEMP_C, float(air.hall_humidity_kg_kg[0]), 101325.0), abs=0.1)
    latent = 2.454e6 * air.crah_condensate_kg_s
    sensible = air.crah_heat_w - latent
    heat = hall.site.floor.rack_air_design_w.sum() + air.crah_power_w.sum()
    assert sensible.sum() == pytest.approx(heat, rel=0.02)
    if dew_point_c == 18.0:
        assert air.hall_humidity_kg_kg[0] < dry
    # nothing dries below saturation at the water's temperature
    assert air.hall_dew_point_temp_c[0] > 7.0


def test_ledger_of_a_tick_counts_what_was_metered():
    hall = Hall(SMALL)
    hall.power.hall_service_w[:] = 2e4
    metered = float(hall.air.crah_power_w.sum())
    hall.step(2.0)
    heat = float(hall.chip.stream_heat_w[hall.site.topology.stream_is_air == 1].sum()
                 + hall.power.rack_air_heat_w.sum()) + 2e4
    assert hall.air.tick_in_j[0] == pytest.approx(2.0 * (heat + metered), rel=1e-12)
    assert hall.air.tick_out_j[0] == pytest.approx(2.0 * hall.air.crah_heat_w.sum(), rel=1e-12)


@pytest.mark.parametrize("name", ["small", "in-rack", "immersion", "rear-doors"])
def test_t23_a_whole_factory_closes(validate, name):
    """The ledger's largest relative residual of a tick, ten minutes with every kind of cooling."""
    sim = open_run(name, history=False).sim
    sim.run_until(600 * 10**9)
    validate.below("T23", f"whole factory, {name}, ten minutes: largest energy residual of a tick",
                   float(sim.state.ledger.residual_rel_max_ratio[0]), 1e-9, unit="", source="conservation")


def test_error_halves_with_the_step(validate):
    finals = {}
    for dt_s in (2.0, 1.0, 0.5, 0.03125):
        hall = Hall(SMALL, load=0.5)
        # a step of heat, short of the first sample of the controllers
        hall.load(1.0)
        hall.air.fan_sample_s[0] = -100.0
        hall.step(dt_s, round(8.0 / dt_s))
        finals[dt_s] = hall.air.cell_temp_c.copy()
    errors = [np.abs(finals[dt] - finals[0.03125]).mean() for dt in (2.0, 1.0, 0.5)]
    assert errors[0] > 1e-3
    for dt_s, (coarse, fine) in zip((2, 1), itertools.pairwise(errors), strict=True):
        validate.band("T23", f"hall air: error at ticks of {dt_s} s over that at half of them", coarse / fine, 1.6, 2.6,
                      unit="", source="backward Euler, first order")
