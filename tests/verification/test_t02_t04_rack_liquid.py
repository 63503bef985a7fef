"""T2 and T4: flow and rise of liquid-cooled racks against a published table and heat balances."""

from __future__ import annotations

import pytest
from published import Validate
from rig import Rig

from twin._kernels import laws

#: Lenovo LP2357, table 27 (GB300 NVL72, water): supply degC, flow L/min.
LENOVO = [(25.0, 59.0), (30.0, 71.0), (35.0, 89.0), (40.0, 119.0), (45.0, 177.0)]
L_MIN = 1.0 / 60_000.0


@pytest.mark.parametrize(("supply_c", "flow_l_min"), LENOVO)
def test_t2_flow_that_returns_at_55_degc(supply_c: float, flow_l_min: float) -> None:
    """121.5 kW to the liquid, return held at 55 degC; tolerance 3 %."""
    density, _, _ = laws.water_properties(supply_c)
    _, cp, _ = laws.water_properties(0.5 * (supply_c + 55.0))
    flow = laws.flow_for_return(121_500.0, 55.0, supply_c, density, cp)
    assert flow / L_MIN == pytest.approx(flow_l_min, rel=0.03)


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
