"""T2 to T4, T8: flow, pressure drop and split of liquid-cooled racks against published tables and heat balances."""

from __future__ import annotations

import pytest
from published import Validate
from rig import Rig

from twin._kernels import laws
from twin.catalog.loader import load_catalog

#: Lenovo LP2357, table 27 (GB300 NVL72, water): supply degC, flow L/min, pressure drop kPa.
LENOVO = [(25.0, 59.0, 15.9), (30.0, 71.0, 22.1), (35.0, 89.0, 33.8), (40.0, 119.0, 58.6), (45.0, 177.0, 126.9)]
L_MIN = 1.0 / 60_000.0


@pytest.mark.parametrize(("supply_c", "flow_l_min", "dp_kpa"), LENOVO)
def test_t2_flow_that_returns_at_55_degc(supply_c: float, flow_l_min: float, dp_kpa: float) -> None:
    """121.5 kW to the liquid, return held at 55 degC; tolerance 3 %."""
    density, _, _ = laws.water_properties(supply_c)
    _, cp, _ = laws.water_properties(0.5 * (supply_c + 55.0))
    flow = laws.flow_for_return(121_500.0, 55.0, supply_c, density, cp)
    assert flow / L_MIN == pytest.approx(flow_l_min, rel=0.03)


@pytest.mark.parametrize(("supply_c", "flow_l_min", "dp_kpa"), LENOVO)
def test_t3_pressure_drop_of_the_rack(validate: Validate, supply_c: float, flow_l_min: float, dp_kpa: float) -> None:
    """The catalogue's branch law of the GB300 rack at the flows of the table; tolerance 5 %."""
    rack = load_catalog().get("racks", "gb300-nvl72")
    n, design = rack["branch_n"], rack["liquid_dp_design_pa"]
    conductance = 119.0 * L_MIN / laws.pow(design, 1.0 / n)
    ours = laws.pow(flow_l_min * L_MIN / conductance, n) / 1e3
    validate.near("T3", f"GB300 rack, pressure drop at {flow_l_min:g} L/min", ours, dp_kpa, share=0.05, unit="kPa",
                  source="Lenovo LP2357, table 27")


@pytest.mark.parametrize(("flow_l_min", "rise_k"), [(115.0, 15.0), (120.0, 14.4), (130.0, 13.3)])
def test_t4_temperature_rise_of_a_gb200_rack(validate: Validate, flow_l_min: float, rise_k: float) -> None:
    """The row-loop model in its steady state, 115 kW of PG25; heat balance, tolerance 2 %."""
    rig = Rig([{"racks": 1, "rack": "gb200-nvl72", "cdu": {"type": "cdu-1350kw", "count": 1, "supply_c": 40.0}}],
              domains=("liquid",))
    rig.load(115e3)
    rig.hold_flow(flow_l_min * L_MIN)
    rise = rig.liquid.rack_return_temp_c[0] - rig.liquid.rack_supply_temp_c[0]
    validate.near("T4", f"GB200, 115 kW of PG25 at {flow_l_min:g} L/min: rise", float(rise), rise_k, share=0.02,
                  unit="K", source="heat balance; MGX cap 130 L/min")


def test_t8_split_between_compute_and_switch_trays() -> None:
    """18 compute trays of 5.8 kW and 9 switch trays of 1.24 kW share 120 L/min of water at 40 degC.

    Branches calibrated on 5.2 and 2.9 L/min at one pressure; source: open NVL72 manifold model; tolerance 3 %.
    """
    n, dp = 1.897, 60.0
    compute, switch = (v / laws.pow(dp, 1.0 / n) for v in (5.2, 2.9))
    total = 18.0 * compute + 9.0 * switch
    at = laws.pow(120.0 / total, n)
    v_compute, v_switch = laws.branch_flow(at, compute, n), laws.branch_flow(at, switch, n)
    assert 18.0 * v_compute + 9.0 * v_switch == pytest.approx(120.0, rel=1e-9)
    density, cp, _ = laws.water_properties(45.0)
    rise_compute, rise_switch = (q / (density * cp * v * L_MIN) for q, v in ((5800.0, v_compute), (1240.0, v_switch)))
    assert 15.6 <= rise_compute <= 16.2 * 1.03
    assert rise_switch == pytest.approx(6.1, rel=0.03)
    mixed = (18.0 * 5800.0 + 9.0 * 1240.0) / (density * cp * 120.0 * L_MIN)
    assert 13.7 * 0.97 <= mixed <= 13.9 * 1.03
