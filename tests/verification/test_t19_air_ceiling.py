"""T19: how far room air reaches. Four DGX H100 (40.8 kW) need about 16 K; the stated airflow and 20 K give 48 to 50 kW.

Airflow 4 x 1,105 CFM (DGX H100 user guide); rise from the heat balance P = rho cp V dT with psychrolib's density of the
air at the rack's inlet; tolerance 5 %.
"""

import psychrolib
import pytest

from twin.scenario.open import open_run

CFM_M3_S = 0.3048**3 / 60.0
STATED_M3_S = 4 * 1105 * CFM_M3_S
S = 10**9


@pytest.fixture(scope="module")
def hall():
    sets = ["job.train.utilisation=1.0"]
    sim = open_run("air-to-liquid", sets=sets, variant="air-40", history=False).sim
    sim.run_until(900 * S)
    return sim


def heat_per_kelvin(sim, flow_m3_s):
    psychrolib.SetUnitSystem(psychrolib.SI)
    air = sim.state.air
    pressure = float(sim.state.weather.pressure_pa[0])
    return flow_m3_s * psychrolib.GetMoistAirDensity(float(air.rack_inlet_temp_c.mean()), 0.008, pressure) * 1006.0


def test_forty_kilowatts_by_air_take_about_sixteen_kelvin(hall):
    air, power = hall.state.air, hall.state.power
    watts, flow = float(power.rack_input_w.mean()), float(air.rack_air_flow_m3_s.mean())
    assert watts == pytest.approx(40.8e3, rel=0.05)
    assert flow == pytest.approx(STATED_M3_S, rel=0.08)
    rise = float((air.rack_outlet_temp_c - air.rack_inlet_temp_c).mean())
    assert rise == pytest.approx(watts / heat_per_kelvin(hall, flow), rel=0.05)
    assert 15.0 < rise * flow / STATED_M3_S * (40.8e3 / watts) < 18.0


def test_the_stated_airflow_and_twenty_kelvin_carry_fifty_kilowatts():
    """At sea level, as the handbook's figure: 48 to 50 kW."""
    psychrolib.SetUnitSystem(psychrolib.SI)
    rho = psychrolib.GetMoistAirDensity(24.0, 0.008, 101325.0)
    assert 47.5e3 < STATED_M3_S * rho * 1006.0 * 20.0 < 50.5e3


def test_beyond_it_chips_slow_down_unless_something_else_cools_them(hall):
    """The limit is soft: hotter room air throttles chips; nothing in the model forbids the rack."""
    warm = open_run("air-to-liquid", sets=["job.train.utilisation=1.0", "hall.A.crah.supply_c=35"], variant="air-40",
                    history=False).sim
    warm.run_until(900 * S)
    assert warm.state.air.rack_inlet_temp_c.mean() > hall.state.air.rack_inlet_temp_c.mean() + 8.0
    assert warm.state.chip.gpu_temp_max_c[0] > hall.state.chip.gpu_temp_max_c[0] + 4.0
    assert warm.state.air.rack_fan_power_w.mean() > 1.2 * hall.state.air.rack_fan_power_w.mean()
