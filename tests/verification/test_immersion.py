"""Immersion against independent references: CoolProp (fluid), ht (boiling, exchangers), closed forms.

Handbook cases: a bath of 1,000 L (1.8 MJ/K) warms by 3.3 K/min under 100 kW without cooling; a two-phase bath boils at
T_sat(p), and what the condenser does not take raises its pressure and vents it.
"""

import CoolProp.CoolProp as coolprop
import ht
import numpy as np
import pytest
from scipy.optimize import brentq

from tests.tanks_rig import BOILING, SINGLE, Tanks
from twin._kernels import laws
from twin.catalog.loader import load_catalog

FLUID = "Novec649"
FK = load_catalog().get("dielectrics", "fk-5-1-12")


def at_boiling(what: str, vapour: bool) -> float:
    return float(coolprop.PropsSI(what, "P", 101325.0, "Q", float(vapour), FLUID))


@pytest.mark.parametrize("key,value,rel", [
    ("boil_temp_c", lambda: at_boiling("T", False) - 273.15, 1e-3),
    ("latent_heat_j_kg", lambda: at_boiling("H", True) - at_boiling("H", False), 1e-3),
    ("cp_j_kgk", lambda: at_boiling("C", False), 1e-3), ("rho_kg_m3", lambda: at_boiling("D", False), 1e-3),
    ("vapour_rho_kg_m3", lambda: at_boiling("D", True), 1e-3),
])
def test_the_catalogue_restates_the_equation_of_state(key, value, rel):
    assert FK[key] == pytest.approx(value(), rel=rel)


@pytest.mark.parametrize("low,high,pressure_rel,density_rel", [(45, 60, 3e-3, 0.02), (25, 80, 0.021, 0.07)])
def test_vapour_pressure_and_density(low, high, pressure_rel, density_rel):
    """CoolProp, equation of state of McLinden et al. (2015)."""
    for temp in range(low, high + 1, 5):
        p = laws.boiling_pressure_pa(temp, FK["boil_temp_c"], FK["vapour_slope_k"])
        assert p == pytest.approx(coolprop.PropsSI("P", "T", temp + 273.15, "Q", 0, FLUID), rel=pressure_rel)
        rho = laws.vapour_density_kg_m3(p, temp, FK["boil_temp_c"], FK["vapour_rho_kg_m3"])
        assert rho == pytest.approx(coolprop.PropsSI("D", "T", temp + 273.15, "Q", 1, FLUID), rel=density_rel)


@pytest.mark.parametrize("k", [0.131, 0.149])
def test_critical_heat_flux(k):
    """ht.boiling_nucleic.Zuber; 1e-12. About 14 to 16 W/cm2, as measured for such fluids on plain plates."""
    fluid = FK["latent_heat_j_kg"], FK["vapour_rho_kg_m3"], FK["rho_kg_m3"], FK["tension_n_m"]
    ours = laws.zuber_w_m2(k, *fluid)
    theirs = ht.boiling_nucleic.Zuber(sigma=fluid[3], Hvap=fluid[0], rhol=fluid[2], rhog=fluid[1], K=k)
    assert ours == pytest.approx(theirs, rel=1e-12)
    assert 13e4 < ours < 17e4
    # the minimum of film boiling over the peak: (0.09 / K) sqrt(rho_v / (rho_l + rho_v)), the same length scale in both
    low = laws.zuber_minimum_w_m2(*fluid)
    assert low / ours == pytest.approx(0.09 / k * np.sqrt(fluid[1] / (fluid[1] + fluid[2])), rel=1e-12)


@pytest.mark.parametrize("watts", [150.0, 300.0, 500.0, 650.0])
def test_boards_boil_as_rohsenow_says(watts):
    """Plate resistance over that at 700 W against ht.boiling_nucleic.Rohsenow at the same fluxes; 1e-3."""
    gpu = load_catalog().get("accelerators", "h100-sxm-2p")
    rig = Tanks()
    rig.heat(32 * watts, watts)
    rig.run(30.0)
    per_gpu = rig.of("rack_flow_kg_s", BOILING) / 32.0
    ours = laws.plate_resistance_k_w(gpu["r_plate_coolant_k_w"], per_gpu / gpu["plate_flow_design_kg_s"],
                                     gpu["r_plate_exponent"], gpu["r_plate_floor_ratio"])

    def h(flux):
        return ht.boiling_nucleic.Rohsenow(rhol=1527.0, rhog=12.78, mul=4e-4, kl=0.056, Cpl=1122.0, Hvap=87948.0,
                                           sigma=8.6e-3, q=flux, Csf=0.005, n=1.7)

    assert ours / gpu["r_plate_coolant_k_w"] == pytest.approx(h(700.0 / 0.0064) / h(watts / 0.0064), rel=1e-3)


def test_a_single_phase_bath_warms_as_its_mass_says():
    """Handbook: 1,000 L warm by 3.3 K/min under 100 kW. (m cp + metal) dT/dt = Q with pumps on and water off; 1 %."""
    rig = Tanks()
    rig.steady(37e3, hours=3.0)
    rig.liquid.tank_water_frac[:] = 0.0
    rig.run(1500.0)  # until the layers of the bath rise together
    before, power = rig.of("rack_supply_temp_c", SINGLE), rig.of("cdu_power_w", SINGLE)
    rig.run(300.0)
    v = rig.values
    mass_j_k = v["fluid_full_kg"][0] * v["cp_j_kgk"][0] + v["bath_metal_j_k"][0]
    unit = rig.hydronics.cdu["secondary_capacity_j_k"][rig.cdu(SINGLE)]
    expected = 300.0 * (37e3 + power) / (mass_j_k + unit)
    assert rig.of("rack_supply_temp_c", SINGLE) - before == pytest.approx(expected, rel=0.01)
    assert v["fluid_full_kg"][0] / 0.75 * v["cp_j_kgk"][0] == pytest.approx(1.8e6, rel=0.05)  # of 1,000 L


def test_single_phase_at_rest():
    """Rise over the boards Q/(m cp); exchanger against ht.effectiveness_NTU_method at the same flows; 0.1 %."""
    rig = Tanks()
    rig.steady(37e3, hours=12.0)
    j, v = rig.cdu(SINGLE), rig.values
    heat = 37e3 + rig.of("cdu_power_w", SINGLE)
    assert rig.of("rack_supply_temp_c", SINGLE) == pytest.approx(
        40.0 + rig.of("cdu_power_w", SINGLE) / (1.9 * 2150.0), abs=0.05)
    flow, water = rig.of("cdu_flow_kg_s", SINGLE), rig.of("cdu_primary_flow_kg_s", SINGLE)
    rise = rig.of("rack_return_temp_c", SINGLE) - rig.of("rack_supply_temp_c", SINGLE)
    assert rise == pytest.approx(37e3 / (flow * v["cp_j_kgk"][0]), rel=1e-3)
    assert rig.of("cdu_heat_w", SINGLE) == pytest.approx(heat, rel=1e-3)
    cp_w = rig.hydronics.loop["cp_j_kgk"][0]
    c_s, c_w = flow * v["cp_j_kgk"][0], water * cp_w
    eps = heat / (min(c_s, c_w) * (rig.of("rack_return_temp_c", SINGLE) - 32.0))
    ua = ht.NTU_from_effectiveness(eps, min(c_s, c_w) / max(c_s, c_w), subtype="counterflow") * min(c_s, c_w)
    solved = ht.effectiveness_NTU_method(mh=flow, mc=water, Cph=v["cp_j_kgk"][0], Cpc=cp_w, subtype="counterflow",
                                         Thi=rig.of("rack_return_temp_c", SINGLE), Tci=32.0, UA=ua)
    assert solved["Tho"] == pytest.approx(rig.of("cdu_supply_temp_c", SINGLE), abs=0.02)
    assert solved["Tco"] == pytest.approx(rig.of("cdu_primary_return_temp_c", SINGLE), abs=0.02)
    assert 0.5 < ua / rig.hydronics.cdu["ua_design_w_k"][j] < 1.5


def test_condenser_at_rest():
    """Heat = eps C_w (T_sat - T_w), eps = 1 - exp(-NTU): ht.effectiveness_from_NTU with Cr = 0; 0.1 %."""
    rig = Tanks()
    rig.steady(37e3)
    assert rig.of("rack_supply_temp_c", BOILING) == pytest.approx(49.0, abs=0.02)
    water_w_k = rig.of("cdu_primary_flow_kg_s", BOILING) * rig.hydronics.loop["cp_j_kgk"][0]
    eps = (rig.of("cdu_primary_return_temp_c", BOILING) - 32.0) / (49.0 - 32.0)
    ntu = ht.NTU_from_effectiveness(eps, 0.0, subtype="counterflow")
    assert eps * water_w_k * 17.0 == pytest.approx(37e3 + rig.of("cdu_power_w", BOILING), rel=2e-3)
    assert 0.4 < ntu * water_w_k / rig.hydronics.cdu["ua_design_w_k"][rig.cdu(BOILING)] < 1.2


def test_a_sealed_boiling_bath_without_water_warms_as_the_equation_of_state_says():
    """Energy of liquid and vapour in the closed volume from CoolProp's u(T, rho); temperature rise of a minute, 3 %."""
    rig = Tanks()
    rig.steady(37e3)
    rig.liquid.tank_water_frac[:] = 0.0
    v, t = rig.values, BOILING
    start = rig.of("rack_supply_temp_c", t)
    fluid, volume, metal = rig.of("tank_fluid_kg", t), v["tank_volume_m3"][t], v["bath_metal_j_k"][t]
    rig.run(15.0)
    assert rig.of("tank_vent_kg_s", t) == 0.0
    heat = 15.0 * (37e3 + rig.of("cdu_power_w", t))

    def energy(temp_c):
        return fluid * coolprop.PropsSI("U", "T", temp_c + 273.15, "D", fluid / volume, FLUID) + metal * temp_c

    end = brentq(lambda temp: energy(temp) - energy(start) - heat, start, start + 10.0)
    assert rig.of("rack_supply_temp_c", t) - start == pytest.approx(end - start, rel=0.03)


def test_a_venting_bath_loses_what_it_boils():
    """At rest on its relief valve a bath loses Q / h_fg less what the falling mass gives up in heat; 3 %."""
    rig = Tanks()
    rig.steady(37e3)
    rig.liquid.tank_water_frac[:] = 0.0
    rig.run(120.0)
    lost, temp = rig.of("tank_lost_kg", BOILING), rig.of("rack_supply_temp_c", BOILING)
    rig.run(60.0)
    assert abs(rig.of("rack_supply_temp_c", BOILING) - temp) < 0.3
    rate = (rig.of("tank_lost_kg", BOILING) - lost) / 60.0
    assert rate == pytest.approx((37e3 + 60.0) / FK["latent_heat_j_kg"], rel=0.03)
    assert rig.of("tank_gauge_pa", BOILING) > 10e3
