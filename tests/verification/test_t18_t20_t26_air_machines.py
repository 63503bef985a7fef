"""T18, T20, T26: the air side of servers, CRAHs and fans."""

from __future__ import annotations

import pytest
from air_hall import Hall

from twin._kernels import laws
from twin.catalog.loader import load_catalog

CFM_M3_S = 0.00047194745


@pytest.mark.parametrize("kw, rise_k", [(10.2, 16.4), (11.30, 18.2)])
def test_t18_dgx_h100_air_rise(validate, kw, rise_k):
    """DGX H100 user guide: 1,105 CFM at 80 % fan duty, 38,557 BTU/h (11.30 kW); 10.2 kW rated. Within 1 K."""
    hall = Hall({"name": "A", "crah": {"type": "crah-250kw"}, "row": [{"racks": 1, "rack": "hgx-h100-x4"}]},
                load=kw / 10.2, preset="singapore")
    # hold the fans at the stated flow although the heat would ask for more
    hall.air.rack_fan_limit_frac[:] = 10.2 / kw
    hall.step(10.0, 200)
    hall.air.rack_fan_limit_frac[:] = 1.0 / (hall.air.rack_fan_frac / hall.air.rack_fan_limit_frac)
    hall.step(10.0, 300)
    assert hall.air.rack_air_flow_m3_s[0] == pytest.approx(4 * 1105 * CFM_M3_S, rel=0.015)
    rise = hall.air.rack_outlet_temp_c[0] - hall.air.rack_inlet_temp_c[0]
    validate.near("T18", f"DGX H100, 1,105 CFM, {kw:g} kW: rise of the air", float(rise), rise_k, within=1.0, unit="K",
                  source="DGX H100 user guide")


@pytest.mark.parametrize("name, net_kw, water_kw, fan_kw, racks", [
    ("crah-250kw", 252.4, 265.5, 15.0, 18), ("crah-350kw", 351.7, 368.6, 19.5, 25)])
def test_t20_crah_capacity(validate, name, net_kw, water_kw, fan_kw, racks):
    """Vertiv FA069HC and FA096HC: net 252.4/351.7 kW, water side 265.5/368.6 kW, fan 15/19.5 kW; within 3 %."""
    hall = Hall({"name": "A", "aisle": "open", "crah": {"type": name, "supply_c": 12.0},
                 "row": [{"racks": racks, "rack": "dgx1-v100-x4"}]},
                load=net_kw / (14.0 * racks), altitude_m=0.0)
    hall.step(10.0, 400)
    air = hall.air
    assert air.crah_fan_frac[0] == 1.0
    assert air.crah_valve_frac[0] == 1.0
    assert air.crah_power_w[0] / 1e3 == pytest.approx(fan_kw, rel=1e-9)
    validate.near("T20", f"{name} water side", air.crah_heat_w[0] / 1e3, water_kw, share=0.03, unit="kW",
                  source="Vertiv FA069HC, FA096HC")
    validate.near("T20", f"{name} net", (air.crah_heat_w[0] - air.crah_power_w[0]) / 1e3, net_kw, share=0.01, unit="kW",
                  source="Vertiv FA069HC, FA096HC")
    assert air.crah_water_return_temp_c[0] == pytest.approx(25.0, abs=0.3)
    # the whole rating: it carries this heat from 36 degC return air with 18 degC water
    assert air.crah_return_temp_c[0] == pytest.approx(36.0, abs=1.0)


def test_t26_fan_affinity(validate):
    """80 % speed takes 51.2 % of the power, 50 % takes 12.5 %; exact."""
    for speed, power in ((0.8, 0.512), (0.5, 0.125)):
        validate.near("T26", f"fan power at {speed:.0%} speed", laws.fan_power_w(speed, 1.0), power, within=1e-12,
                      unit="", source="affinity law")
    hall = Hall({"name": "A", "crah": {"type": "crah-250kw"}, "row": [{"racks": 4, "rack": "hgx-h100-x4"}]},
                altitude_m=0.0)
    hall.step(1.0, 30)
    air = hall.air
    full = load_catalog().get("racks", "hgx-h100-x4")["fan_design_w"]
    flow = load_catalog().get("racks", "hgx-h100-x4")["air_flow_design_m3_s"]
    for r in range(4):
        assert air.rack_fan_power_w[r] / full == pytest.approx((air.rack_air_flow_m3_s[r] / flow) ** 3, rel=1e-12)
    assert air.crah_power_w[0] / 15000.0 == pytest.approx((air.crah_air_flow_m3_s[0] / 17.4) ** 3, rel=1e-12)
