"""T30 and T31: supply heat index by its definition, and signs that every hall must show."""

from __future__ import annotations

from dataclasses import replace

import air_hall
import numpy as np
import pytest
from air_hall import AIR, Hall

from twin.arrays import frozen_f64
from twin.site import grid

ONE = {"name": "A", "aisle": "cold-contained", "crah": {"type": "crah-350kw"},
       "row": [{"racks": 1, "rack": "hgx-h100-x4"}]}
TWO_ROWS = {"name": "A", "aisle": "cold-contained", "crah": {"type": "crah-350kw", "count": 4, "spare": 1},
            "row": [{**AIR, "racks": 12, "repeat": 2}]}


@pytest.mark.parametrize("recirculated", [0.0, 0.1, 0.3])
def test_t30_supply_heat_index(monkeypatch, recirculated):
    """SHI is 0 in a tight aisle; where the CRAHs supply 10 or 30 % too little, exhaust makes it 0.10 or 0.30 (1e-3)."""
    monkeypatch.setattr(grid, "FLOOR_LEAK", 0.0)
    if not recirculated:
        for leak in ("CONTAINMENT_LEAK", "CABINET_LEAK", "BLANKING_LEAK"):
            monkeypatch.setattr(grid, leak, 1e-9)
    hall = Hall(ONE)
    hall.step(1.0, 60)
    hall.air.fan_sample_s[0] = -1e9  # the controllers leave the flows alone from here
    hall.air.crah_fan_frac[:] = (1.0 - recirculated) * hall.air.rack_air_flow_m3_s.sum() / 24.3
    hall.step(60.0, 600)
    assert hall.air.crah_air_flow_m3_s[0] == pytest.approx((1.0 - recirculated) * hall.air.rack_air_flow_m3_s[0])
    assert hall.air.hall_supply_heat_frac[0] == pytest.approx(recirculated, abs=1e-3)


def settled(hall):
    hall.step(10.0, 400)
    return hall.air.rack_inlet_temp_c.copy()


def test_t31_a_missing_blanking_panel_warms_that_rack_only(monkeypatch):
    rows = {**TWO_ROWS, "aisle": "open"}
    before = settled(Hall(rows))
    build = air_hall.build_floor

    def gap(*args):
        floor = build(*args)
        gy = np.array(floor.cell_gy)
        low = min(floor.rack_front_cell[5], floor.rack_rear_cell[5])
        gy[low] *= 40.0
        return replace(floor, cell_gy=frozen_f64(gy))

    monkeypatch.setattr(air_hall, "build_floor", gap)
    rise = settled(Hall(rows)) - before
    assert rise[5] > 0.5
    assert np.abs(np.delete(rise, 5)).max() < 0.2 * rise[5]


def test_t31_a_failed_crah_warms_its_neighbourhood_and_all_heat_is_still_removed():
    hall = Hall({**TWO_ROWS, "aisle": "open", "crah": {"type": "crah-250kw", "count": 6}})
    before = settled(hall)
    floor = hall.site.floor
    hall.air.crah_fault[0] = 1
    hall.step(1.0, 8)
    rise = hall.air.rack_inlet_temp_c - before
    # the first CRAH stands at the top wall, left: racks of the first row, left end, feel it most
    distance = np.hypot(floor.rack_x - floor.crah_x[0], floor.rack_y - floor.crah_y[0])
    near, far = np.argsort(distance)[:6], np.argsort(distance)[-6:]
    assert rise[near].mean() > rise[far].mean()
    settled(hall)
    heat = hall.site.floor.rack_air_design_w.sum()
    removed = hall.air.crah_heat_w.sum() - hall.air.crah_power_w.sum()
    assert removed == pytest.approx(heat, rel=1e-3)
    assert hall.air.crah_heat_w[0] == 0.0
