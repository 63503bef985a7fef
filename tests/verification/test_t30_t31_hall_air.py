"""T30 and T31: supply heat index by its definition, and signs that every hall must show."""

from __future__ import annotations

import numpy as np
import pytest
from air_hall import AIR, Hall

from twin.domains.air import DOMAIN
from twin.site import grid

FAULT = {kind.name: kind for kind in DOMAIN.faults}

ONE = {"name": "A", "aisle": "cold-contained", "crah": {"type": "crah-350kw"},
       "row": [{"racks": 1, "rack": "hgx-h100-x4"}]}
TWO_ROWS = {"name": "A", "aisle": "cold-contained", "crah": {"type": "crah-350kw", "count": 4, "spare": 1},
            "row": [{**AIR, "racks": 12, "repeat": 2}]}


@pytest.mark.parametrize("recirculated", [0.0, 0.1, 0.3])
def test_t30_supply_heat_index(validate, monkeypatch, recirculated):
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
    for name, ours, want in (("SHI", hall.air.hall_supply_heat_frac, recirculated),
                             ("RHI", hall.air.hall_return_heat_frac, 1.0 - recirculated)):
        validate.near("T30", f"{name} at {recirculated:.0%} recirculation", float(ours[0]), want, within=1e-3, unit="",
                      source="definition (Sharma 2002)")
    # equal heat in less air: supply to return rises by 1/(1 - r) of the racks' rise
    assert hall.air.hall_return_temp_ratio[0] == pytest.approx(1.0 / (1.0 - recirculated), rel=2e-3)
    # the inlet breathes r of exhaust; that share of the exhaust is not captured
    given, caught = hall_machines(hall)
    hall.stepper._kernel.flow.trace_shares(0, given, caught)
    assert given[hall.site.floor.rack_front_cell[0]] == pytest.approx(1.0 - recirculated, abs=1e-3)
    assert caught[hall.site.floor.rack_rear_cell[0]] == pytest.approx(1.0 - recirculated, abs=1e-3)


def hall_machines(hall):
    """Return what the machines blow in and draw out, by cell."""
    floor = hall.site.floor
    sides = np.zeros((2, hall.site.axes["cell"]))
    for j, air in enumerate(hall.air.crah_air_flow_m3_s):
        for side, ptr, cell in ((0, floor.crah_out_ptr, floor.crah_out_cell),
                                (1, floor.crah_in_ptr, floor.crah_in_cell)):
            cells = cell[ptr[j]:ptr[j + 1]]
            sides[side, cells] += air / len(cells)
    return sides[0].copy(), sides[1].copy()


@pytest.mark.parametrize("supply_c", [14.0, 22.0, 29.0])
def test_rack_cooling_indices_by_their_definition(supply_c):
    """RCI (Herrlin 2005), class A1: 1 less the mean excess over 27 degC by 5 K, and below 18 degC by 3 K."""
    hall = Hall({**TWO_ROWS, "aisle": "open", "crah": {"type": "crah-350kw", "count": 4, "supply_c": supply_c}})
    hall.plant.loop_supply_temp_c[:] = supply_c - 6.0
    inlet = settled(hall)
    hi = 1.0 - sum(max(t - 27.0, 0.0) for t in inlet) / (5.0 * 24)
    lo = 1.0 - sum(max(18.0 - t, 0.0) for t in inlet) / (3.0 * 24)
    assert hall.air.hall_cooling_hi_frac[0] == pytest.approx(hi, abs=1e-9)
    assert hall.air.hall_cooling_lo_frac[0] == pytest.approx(lo, abs=1e-9)
    assert {14.0: lo < 1.0, 22.0: True, 29.0: hi < 1.0}[supply_c]


def settled(hall):
    hall.step(10.0, 400)
    return hall.air.rack_inlet_temp_c.copy()


def test_t31_a_missing_blanking_panel_warms_that_rack_only(validate):
    hall = Hall({**TWO_ROWS, "aisle": "open"})
    before, supplied = settled(hall), hall.air.rack_supplied_frac.copy()
    FAULT["blanking_panel_missing"].start(hall.air, 5, 0.2)
    hall.stepper.refresh()
    rise = settled(hall) - before
    assert rise[5] > 0.5
    validate.below("T31", "missing blanking panel: largest rise of another inlet over that rack's",
                   float(np.abs(np.delete(rise, 5)).max() / rise[5]), 0.2, unit="", source="sign of the effect")
    assert hall.air.rack_supplied_frac[5] < supplied[5] - 0.02
    heat = hall.site.floor.rack_air_design_w.sum()
    removed = (hall.air.crah_heat_w - hall.air.crah_power_w).sum()
    validate.near("T31", "missing blanking panel: heat removed", removed / 1e3, heat / 1e3,
                  share=2e-3, unit="kW", source="heat balance")
    FAULT["blanking_panel_missing"].clear(hall.air, 5)
    hall.stepper.refresh()
    assert settled(hall) == pytest.approx(before, abs=0.1)


def test_t31_an_open_containment_door_warms_its_end_of_the_aisle_most():
    hall = Hall({**TWO_ROWS, "aisle": "hot-contained"})
    before = settled(hall)
    assert hall.site.floor.names["aisle"] == ["A.hot1"]
    FAULT["aisle_door_open"].start(hall.air, 0, 1.0)
    hall.stepper.refresh()
    hall.air.fan_sample_s[0] = -1e9  # fans as they are
    rise = settled(hall) - before
    # the door stands at the end of the first racks of both rows
    assert rise[[0, 12]].min() > 0.3
    assert rise[[0, 12]].min() > 3.0 * np.abs(rise[[11, 23]]).max()


def test_t31_a_failed_crah_warms_its_neighbourhood_and_all_heat_is_still_removed(validate):
    hall = Hall({**TWO_ROWS, "aisle": "open", "crah": {"type": "crah-250kw", "count": 6}})
    before = settled(hall)
    floor = hall.site.floor
    hall.air.crah_fault[0] = 1
    hall.step(1.0, 8)
    rise = hall.air.rack_inlet_temp_c - before
    # the first CRAH stands at the top wall, left: racks of the first row, left end, feel it most
    distance = np.hypot(floor.rack_x - floor.crah_x[0], floor.rack_y - floor.crah_y[0])
    near, far = np.argsort(distance)[:6], np.argsort(distance)[-6:]
    validate.below("T31", "failed CRAH: rise of the farthest six inlets over that of the nearest",
                   float(rise[far].mean() / rise[near].mean()), 1.0, unit="", source="sign of the effect")
    settled(hall)
    heat = hall.site.floor.rack_air_design_w.sum()
    removed = hall.air.crah_heat_w.sum() - hall.air.crah_power_w.sum()
    validate.near("T31", "failed CRAH: heat that the others remove", removed / 1e3, heat / 1e3, share=1e-3, unit="kW",
                  source="heat balance")
    assert hall.air.crah_heat_w[0] == 0.0
