"""Rear doors, in-row coolers and fan walls: heat, fans, dew-point guard, faults, energy."""

from __future__ import annotations

import numpy as np
import pytest
from air_hall import AIR, Hall
from ht import effectiveness_from_NTU

from twin.catalog.loader import load_catalog
from twin.domains.air import DOMAIN
from twin.domains.air.step import crah_ua_w_k
from twin.errors import SpecError

FAULT = {kind.name: kind for kind in DOMAIN.faults}
ROW = {**AIR, "racks": 6, "repeat": 2}
ACTIVE = {"name": "A", "aisle": "open", "row": [{**ROW, "door": {"type": "rear-door-50kw"}}]}
PASSIVE = {"name": "A", "aisle": "open", "row": [{**ROW, "door": {"type": "rear-door-25kw"}}]}
IN_ROW = {"name": "A", "aisle": "hot-contained",
          "row": [{**ROW, "cooler": {"type": "in-row-60kw", "count": 6, "spare": 1}}]}
WALL = {"name": "A", "aisle": "hot-contained", "crah": {"type": "fan-wall-400kw", "count": 3, "spare": 1}, "row": [ROW]}


def settled(hall, count=400):
    hall.step(10.0, count)
    return hall.air


def test_active_doors_hold_a_hall_without_any_other_machine():
    hall = Hall(ACTIVE, altitude_m=0.0)
    air = settled(hall)
    heat = hall.site.floor.rack_air_design_w.sum()
    assert hall.site.axes["crah"] == 12
    assert air.crah_supply_temp_c == pytest.approx(24.0, abs=0.3)
    assert air.crah_heat_w.sum() - air.crah_power_w.sum() == pytest.approx(heat, rel=1e-3)
    # the door's air is its rack's
    np.testing.assert_array_equal(air.crah_air_flow_m3_s, air.rack_air_flow_m3_s)
    np.testing.assert_array_equal(air.crah_return_temp_c, air.rack_outlet_temp_c)
    assert air.rack_inlet_temp_c.max() < 25.0
    assert air.crah_power_w == pytest.approx(600.0 * air.rack_fan_frac**3)


def test_a_passive_door_costs_the_servers_flow_and_fan_power():
    plain = Hall({**PASSIVE, "row": [ROW], "crah": {"type": "crah-350kw", "count": 2}}, load=0.45)
    doors = Hall(PASSIVE, load=0.45)
    for hall in (plain, doors):
        settled(hall)
    design = load_catalog().get("racks", "hgx-h100-x4")["air_flow_design_m3_s"]
    # doors of 25 kW on racks of 41 kW leave heat to the room: the hall gets a CRAH and a spare for it
    door = doors.site.floor.crah_kind == 3
    assert door.tolist() == [False] * 2 + [True] * 12
    assert doors.air.crah_fan_frac[door].max() == doors.air.crah_power_w[door].max() == 0.0
    assert doors.air.rack_air_flow_m3_s == pytest.approx(0.93 * design * doors.air.rack_fan_frac)
    # the same flow asks for 1/0.93 of the speed
    assert doors.air.rack_fan_frac.mean() / plain.air.rack_fan_frac.mean() == pytest.approx(1.0 / 0.93, abs=0.04)


@pytest.mark.parametrize("name", ["rear-door-50kw", "rear-door-25kw", "in-row-60kw", "fan-wall-400kw"])
def test_coils_reach_their_rating(name):
    """At the rated air and water the coil carries the rated heat (ht's cross-flow effectiveness, 0.5 %)."""
    e = load_catalog().get("crahs", name)
    air, water = e["air_flow_design_m3_s"] * 1.2 * 1006.0, e["capacity_gross_w"] / (
        e["water_out_design_c"] - e["water_in_design_c"])
    low, high = min(air, water), max(air, water)
    eps = effectiveness_from_NTU(crah_ua_w_k(e) / low, Cr=low / high, subtype="crossflow approximate")
    assert eps * low * (e["return_design_c"] - e["water_in_design_c"]) == pytest.approx(e["capacity_gross_w"], rel=5e-3)


def test_a_tripped_door_fan_warms_the_exhaust_and_the_servers_work_harder():
    hall = Hall(ACTIVE)
    air = settled(hall)
    flow, speed = float(air.rack_air_flow_m3_s[4]), float(air.rack_fan_frac[4])
    FAULT["crah_fan_trip"].start(air, 4, 1.0)
    hall.step(1.0, 9)
    assert air.rack_air_flow_m3_s[4] < 0.92 * flow
    settled(hall)
    assert air.crah_fan_frac[4] == 0.0
    assert air.crah_stopped.tolist() == [int(k == 4) for k in range(12)]
    assert air.rack_fan_frac[4] > 1.1 * speed
    assert air.crah_heat_w[4] > 3e4  # the servers still push their air through it
    FAULT["crah_fan_trip"].clear(air, 4)
    settled(hall)
    assert air.rack_air_flow_m3_s[4] == pytest.approx(flow, rel=0.02)


def test_a_door_valve_stuck_shut_gives_the_heat_to_the_room_and_the_others_take_it():
    hall = Hall(ACTIVE, load=0.8)
    air = settled(hall)
    heat = 0.8 * hall.site.floor.rack_air_design_w.sum()
    FAULT["coil_valve_stuck"].start(air, 2, 0.0)
    hall.step(10.0, 30)
    assert air.crah_heat_w[2] == 0.0
    assert air.crah_supply_temp_c[2] > 38.0
    settled(hall, 1500)
    assert air.crah_heat_w.sum() - air.crah_power_w.sum() == pytest.approx(heat, rel=2e-3)
    FAULT["coil_valve_stuck"].clear(air, 2)
    settled(hall)
    assert air.crah_supply_temp_c[2] == pytest.approx(24.0, abs=0.5)


def test_the_guard_keeps_door_water_above_the_dew_point():
    """Water of 12 degC, dew point 17 degC: the coil gets 19 degC by mixing, nothing condenses, energy closes."""
    hall = Hall(ACTIVE, load=0.8)
    air = hall.air
    hall.plant.loop_supply_temp_c[:] = 12.0
    hall.weather.humidity_ratio_kg_kg[:] = 0.0215
    air.hall_makeup_dew_point_c[:] = 17.0
    air.hall_humidity_kg_kg[:] = 0.01217  # dew point 17 degC (psychrolib)
    worst = 0.0
    for _ in range(300):
        hall.step(10.0)
        worst = max(worst, hall.residual())
    assert worst < 1e-9
    assert air.hall_dew_point_temp_c[0] == pytest.approx(17.0, abs=0.05)
    assert air.condensate_kg[0] == 0.0
    assert (air.crah_water_return_temp_c > 19.0).all()
    # what leaves with the drawn water is what the coil took
    drawn = air.crah_water_flow_kg_s * hall.site.hydronics.loop["cp_j_kgk"][1] * (air.crah_water_return_temp_c - 12.0)
    assert drawn == pytest.approx(air.crah_heat_w, rel=1e-9)


@pytest.mark.parametrize("table", [IN_ROW, WALL], ids=["in-row", "fan wall"])
def test_in_row_coolers_and_fan_walls_carry_their_hall(table):
    hall = Hall(table)
    air = settled(hall)
    heat = hall.site.floor.rack_air_design_w.sum()
    assert air.crah_heat_w.sum() - air.crah_power_w.sum() == pytest.approx(heat, rel=2e-3)
    assert air.rack_inlet_temp_c.max() < 27.5
    assert air.flow_residual[0] < 1e-9
    FAULT["crah_fan_trip"].start(air, 1, 1.0)
    settled(hall)
    assert air.crah_air_flow_m3_s[1] == air.crah_heat_w[1] == 0.0
    assert air.crah_heat_w.sum() - air.crah_power_w.sum() == pytest.approx(heat, rel=4e-3)


def test_in_row_coolers_stand_among_the_racks_without_touching_them():
    floor = Hall(IN_ROW).site.floor
    taken = set()
    for x, y, w, d in [*zip(floor.rack_x, floor.rack_y, floor.rack_w, floor.rack_d, strict=True),
                       *zip(floor.crah_x, floor.crah_y, floor.crah_w, floor.crah_d, strict=True)]:
        cells = {(int(x + i), int(y + j)) for i in range(w) for j in range(d)}
        assert not cells & taken
        taken |= cells
    assert floor.names["crah"][:6] == [f"A1.cooler{k}" for k in range(1, 7)]


@pytest.mark.parametrize("change, where", [
    ({"row": [{**ROW, "door": {"type": "crah-350kw"}}]}, "A1.door.type"),
    ({"row": [{**ROW, "cooler": {"type": "rear-door-50kw"}}]}, "A1.cooler.type"),
    ({"crah": {"type": "in-row-60kw"}, "row": [ROW]}, "hall.A.crah.type"),
    ({"aisle": "cold-contained", "crah": {"type": "fan-wall-400kw"}, "row": [ROW]}, "hall.A.aisle"),
    ({"row": [{**ROW, "door": {"type": "rear-door-50kw", "loop": "cold"}}]}, "A1.door.loop"),
])
def test_machines_where_they_cannot_stand_are_refused(change, where):
    with pytest.raises(SpecError) as error:
        Hall({"name": "A", "aisle": "open", **change})
    assert error.value.where == where
