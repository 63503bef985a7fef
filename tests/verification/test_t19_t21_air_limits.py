"""T19 and T21: how much heat air takes from a rack, and how long a hall lasts when its cooling stops."""

from __future__ import annotations

import numpy as np
import pytest
from air_hall import Hall

CFM_M3_S = 0.00047194745
RACK = {"name": "A", "crah": {"type": "crah-250kw"}, "row": [{"racks": 1, "rack": "hgx-h100-x4"}]}


def rise_at(kw):
    """Return the rise of the air through four DGX H100 that get 4,420 CFM, at a load."""
    hall = Hall(RACK, load=kw / 40.8, preset="singapore")
    for _ in range(3):
        hall.step(10.0, 150)
        speed = hall.air.rack_fan_frac / hall.air.rack_fan_limit_frac
        hall.air.rack_fan_limit_frac[:] = 4 * 1105 * CFM_M3_S / 2.086 / speed
    hall.step(10.0, 150)
    assert hall.air.rack_air_flow_m3_s[0] == pytest.approx(4 * 1105 * CFM_M3_S, rel=0.015)
    return float(hall.air.rack_outlet_temp_c[0] - hall.air.rack_inlet_temp_c[0])


def test_t19_air_ceiling(validate):
    """4 x 1,105 CFM and 20 K carry 48 to 50 kW; 40.8 kW (four DGX H100) needs about 16 K; within 5 %."""
    loads = np.array([30.0, 40.8, 48.0, 50.0, 56.0])
    rises = np.array([rise_at(kw) for kw in loads])
    validate.near("T19", "40.8 kW in 4,420 CFM: rise of the air", rises[1], 16.4, share=0.05, unit="K",
                  source="DGX H100 user guide, heat balance")
    validate.band("T19", "heat that 4,420 CFM carry at 20 K, 48 to 50 kW within 5 %",
                  float(np.interp(20.0, rises, loads)), 45.6, 52.5, unit="kW", source="heat balance")
    assert (np.diff(rises) > 0.0).all()


def test_t21_ride_through_without_cooling(validate):
    """Total loss of cooling at 5 kW a cabinet: inlets from 22 to 40 degC, where servers begin to protect
    themselves, in 1.5 to 5 min; 0.4 to 0.8 K/s of local air at first.

    Opengate: about 3 min. Cabinets here hold two nodes of 65 kJ/K and 500 W/K each (130 kJ/K in all); CRAH fans
    trip, server fans run on.
    """
    hall = Hall({"name": "A", "aisle": "open", "crah": {"type": "crah-250kw", "count": 2, "spare": 1, "supply_c": 22.0},
                 "row": [{"racks": 16, "rack": "cabinet", "repeat": 2}]},
                catalog={"racks": {"cabinet": {"like": "dgx1-v100-x4", "metal_capacity_j_k": 130e3, "tdp_w": 5000.0,
                                               "air_flow_design_m3_s": 0.42, "fan_design_w": 200.0}}})
    hall.step(5.0, 400)
    air = hall.air
    start = air.rack_inlet_temp_c.mean()
    assert start == pytest.approx(22.0, abs=0.5)
    air.crah_fault[:] = 1
    hall.step(1.0, 10)
    first = (air.rack_inlet_temp_c.mean() - start) / 10.0
    validate.band("T21", "cooling lost at 5 kW a cabinet: inlets at first", first, 0.4, 0.8, unit="K/s",
                  source="Opengate")
    seconds = 10
    while air.rack_inlet_temp_c.mean() < 40.0 and seconds < 600:
        hall.step(1.0)
        seconds += 1
    validate.band("T21", "cooling lost at 5 kW a cabinet: inlets from 22 to 40 degC", seconds, 90, 300, unit="s",
                  source="Opengate, about 3 min")
