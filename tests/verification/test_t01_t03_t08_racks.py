"""T1 to T3 and T8 in the running model: where a rack's heat goes, the flow that it needs, how its trays share it."""

from __future__ import annotations

import pytest
from published import Validate
from rig import Rig

from twin.scenario.open import open_run

L_MIN = 1.0 / 60_000.0
#: Lenovo LP2357, table 27 (GB300 NVL72, water): supply degC, flow L/min, pressure drop kPa.
LENOVO = [(25.0, 59.0, 15.9), (30.0, 71.0, 22.1), (35.0, 89.0, 33.8), (40.0, 119.0, 58.6), (45.0, 177.0, 126.9)]


def one_rack(rack: str, **cdu: object) -> Rig:
    """Return a row of one rack on a CDU of its own."""
    return Rig([{"racks": 1, "rack": rack, "cdu": {"type": "cdu-1350kw", "count": 1, "coolant": "water", **cdu}}],
               domains=("liquid",))


def test_t1_a_gb200_rack_gives_115_kw_to_the_liquid_and_17_to_the_air(validate: Validate) -> None:
    """HPE QuickSpecs a50009224: 132 kW at the rack's input; tolerance 1 kW per part, at full activity of all chips."""
    job = 'job=[{name="all", kind="batch", gpus=144, utilisation=1.0}]'
    sim = open_run("small", sets=["workload.generator=none", job, "event=[]", "expect={}"], history=False).sim
    sim.run_until(300 * 10**9)
    power, chip = sim.state.power, sim.state.chip
    stream = list(sim.site.topology.stream_rack).index(0)
    liquid = chip.stream_heat_w[stream] + power.rack_liquid_heat_w[0]
    assert power.rack_input_w[0] == pytest.approx(132e3, abs=2e3)
    source = "HPE QuickSpecs a50009224"
    validate.near("T1", "GB200 NVL72, heat to the liquid", liquid / 1e3, 115.0, within=1.0, unit="kW", source=source)
    validate.near("T1", "GB200 NVL72, heat to the air", float(power.rack_air_heat_w[0]) / 1e3, 17.0, within=1.0,
                  unit="kW", source=source)


@pytest.mark.parametrize(("supply_c", "flow_l_min", "dp_kpa"), LENOVO)
def test_t2_t3_pumps_that_hold_55_degc_find_the_published_flow_and_pressure(
    validate: Validate, supply_c: float, flow_l_min: float, dp_kpa: float,
) -> None:
    """121.5 kW of water-cooled GB300, return held at 55 degC; flow within 3 %, pressure drop within 5 %.

    One constant density and cp per loop and the viscosity's course with temperature are within that.
    """
    rig = one_rack("gb300-nvl72", supply_c=supply_c, hold="return", return_c=55.0)
    rig.plant.loop_supply_temp_c[:] = supply_c - 8.0
    rig.hydronics.tcs["pump_speed_min_frac"].flags.writeable = True
    rig.hydronics.tcs["pump_speed_min_frac"][:] = 0.02  # one rack is little for these pumps
    rig.load(121.5e3)
    rig.run(4000.0, 2.0)
    liquid = rig.liquid
    liquid_heat = liquid.tcs_flow_kg_s[0] * 4180.5 * (liquid.tcs_return_temp_c[0] - liquid.tcs_supply_temp_c[0])
    assert liquid_heat == pytest.approx(121.5e3, rel=0.005)
    assert liquid.tcs_return_temp_c[0] == pytest.approx(55.0, abs=0.1)
    assert liquid.tcs_supply_temp_c[0] == pytest.approx(supply_c, abs=0.3)
    at, source = f"GB300 rack, 121.5 kW, return 55 degC, supply {supply_c:g} degC", "Lenovo LP2357, table 27"
    validate.near("T2", f"{at}: flow", float(liquid.tcs_flow_kg_s[0]) / 997.15 / L_MIN, flow_l_min, share=0.03,
                  unit="L/min", source=source)
    validate.near("T3", f"{at}: pressure drop at the flow found", float(liquid.tcs_dp_pa[0]) / 1e3, dp_kpa, share=0.05,
                  unit="kPa", source=source)


@pytest.mark.parametrize(("supply_c", "flow_l_min", "dp_kpa"), LENOVO)
def test_t3_pressure_drop_of_the_running_rack(
    validate: Validate, supply_c: float, flow_l_min: float, dp_kpa: float,
) -> None:
    """The pressure that the row's pumps have to hold for the flows of the table; tolerance 5 %."""
    rig = one_rack("gb300-nvl72", supply_c=supply_c)
    rig.hydronics.tcs["pump_speed_min_frac"].flags.writeable = True
    rig.hydronics.tcs["pump_speed_min_frac"][:] = 0.02
    rig.plant.loop_supply_temp_c[:] = supply_c - 8.0
    rig.load(121.5e3)
    rig.hold_flow(flow_l_min * L_MIN)
    validate.near("T3", f"GB300 rack, pressure drop at {flow_l_min:g} L/min", float(rig.liquid.tcs_dp_pa[0]) / 1e3,
                  dp_kpa, share=0.05, unit="kPa", source="Lenovo LP2357, table 27")


def test_t8_trays_of_a_gb200_rack_on_120_l_min_of_water(validate: Validate) -> None:
    """18 x 5.8 kW and 9 x 1.24 kW at 40 degC: compute rise 15.6 to 16.2 K, switch 6.1 K, return 53.7 to 53.9 degC; 3 %.

    Source: open NVL72 manifold model (a model, not a measurement). Its rack pressure drop, 80 kPa, is not gated.
    """
    rig = one_rack("gb200-nvl72", supply_c=40.0)
    rig.power.rack_liquid_heat_w[0] = 115_560.0 - 86_400.0
    rig.chip.stream_heat_w[:] = 86_400.0
    rig.hold_flow(120.0 * L_MIN)
    liquid = rig.liquid
    supply = liquid.rack_supply_temp_c[0]
    assert supply == pytest.approx(40.0, abs=0.1)
    source = "open NVL72 manifold model; 3 % on its figures"
    validate.band("T8", "GB200 rack on 120 L/min of water: rise over the compute trays",
                  float(liquid.rack_compute_temp_c[0] - supply), 15.6 * 0.97, 16.2 * 1.03, unit="K", source=source)
    validate.near("T8", "rise over the switch trays", float(liquid.rack_switch_temp_c[0] - supply), 6.1, share=0.03,
                  unit="K", source=source)
    validate.near("T8", "rise of the rack", float(liquid.rack_return_temp_c[0] - supply), 13.8, share=0.03, unit="K",
                  source=source)
