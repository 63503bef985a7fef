"""Altitude: thin air carries less heat per volume, everywhere that air carries it.

References: the standard atmosphere and dry air of psychrolib; effectiveness by ht; the factors of Carrier's Engineering
Guide for Altitude Effects for air-cooled condensers, as excerpted in handbooks of load calculation; fans at constant
speed move the same volume, their power goes with the density (affinity laws).
"""

from __future__ import annotations

import fluids
import psychrolib
import pytest
from air_hall import Hall
from ht import effectiveness_from_NTU

from benchmarks.chip_rig import ChipRig
from tests.rig import CRAHS, Rig
from twin._kernels import laws
from twin.catalog.loader import load_catalog
from twin.domains.air.step import crah_ua_w_k
from twin.scenario.open import open_run

S = 10**9
CP = 1006.0
CARRIER = "Carrier, Engineering Guide for Altitude Effects"
#: altitude, m: capacity of air-cooled condensers over that at sea level
FACTORS = {762.0: 0.95, 1525.0: 0.90, 2285.0: 0.85, 3050.0: 0.80}
ONE = {"name": "A", "crah": {"type": "crah-250kw"}, "row": [{"racks": 2, "rack": "hgx-h100-x4"}]}
DRY = {"name": "warm", "supply_c": 20.0, "heat_reject": [{"type": "dry-cooler-2900kw", "count": 1}]}
SIDECAR = {"racks": 1, "rack": "hgx-h100-x4-dlc", "cdu": {"type": "sidecar-70kw"}}


def density(temp_c: float, altitude_m: float) -> float:
    """Dry air of the standard atmosphere's pressure, kg/m3."""
    psychrolib.SetUnitSystem(psychrolib.SI)
    return psychrolib.GetDryAirDensity(temp_c, psychrolib.GetStandardAtmPressure(altitude_m))


def thin(altitude_m: float) -> float:
    return density(27.0, altitude_m) / density(27.0, 0.0)


def crossflow(ua: float, one: float, other: float) -> float:
    """Heat per kelvin between the entering streams, W/K."""
    low, high = min(one, other), max(one, other)
    return low * effectiveness_from_NTU(ua / low, Cr=low / high, subtype="crossflow approximate")


def hall_at(altitude_m: float) -> Hall:
    """Two racks at design heat, at rest."""
    hall = Hall(ONE, altitude_m=altitude_m)
    hall.step(10.0, 300)
    return hall


@pytest.mark.parametrize("altitude_m", [-400.0, 1000.0, 2000.0, 4000.0])
def test_the_atmosphere_is_the_standard_one(validate, altitude_m):
    """U.S. Standard Atmosphere 1976 as in fluids, which begins from its own equations; 0.1 %."""
    validate.near("ALT", f"pressure at {altitude_m:g} m", laws.standard_pressure_pa(altitude_m) / 1e3,
                  fluids.ATMOSPHERE_1976(altitude_m).P / 1e3, share=1e-3, unit="kPa", source="fluids, ATMOSPHERE_1976")


@pytest.mark.parametrize("altitude_m", [0.0, 2000.0, 4000.0])
def test_a_racks_rise_follows_from_the_density_of_the_air(validate, altitude_m):
    """P = rho cp V dT, with psychrolib's density."""
    hall = hall_at(altitude_m)
    flow, heat = float(hall.air.rack_air_flow_m3_s[0]), float(hall.site.floor.rack_air_design_w[0])
    rise = float(hall.air.rack_outlet_temp_c[0] - hall.air.rack_inlet_temp_c[0])
    validate.near("ALT", f"{heat / 1e3:.1f} kW in {flow:.3f} m3/s at {altitude_m:g} m: rise of the air", rise,
                  heat / (density(27.0, altitude_m) * CP * flow), share=1e-3, unit="K",
                  source="heat balance, psychrolib's density at 27 degC")


def test_the_same_volume_takes_less_heat_and_less_power(validate):
    low, high = hall_at(0.0).air, hall_at(2000.0).air
    assert high.rack_air_flow_m3_s[0] == pytest.approx(low.rack_air_flow_m3_s[0], rel=0.02)
    rises = [(a.rack_outlet_temp_c[0] - a.rack_inlet_temp_c[0]) * a.rack_air_flow_m3_s[0] for a in (high, low)]
    validate.near("ALT", "rise of the air at 2,000 m over that at sea level, equal volume flow",
                  float(rises[0] / rises[1]), 1.0 / thin(2000.0), share=1e-3, unit="", source="psychrolib")
    server = [a.rack_fan_power_w[0] / a.rack_fan_frac[0] ** 3 for a in (high, low)]
    crah = [a.crah_power_w[0] / a.crah_fan_frac[0] ** 3 for a in (high, low)]
    for name, power in (("server", server), ("CRAH", crah)):
        validate.near("ALT", f"power of {name} fans at 2,000 m over that at sea level, equal speed",
                      float(power[0] / power[1]), thin(2000.0), share=1e-3, unit="",
                      source="affinity laws: power goes with density")


def coil(altitude_m: float) -> tuple[float, Hall]:
    """Heat per kelvin between return air and entering water of a CRAH with full fans and an open valve, W/K."""
    hall = Hall(ONE, altitude_m=altitude_m)
    hall.air.fan_sample_s[:] = -1e9  # the controllers rest
    hall.air.crah_fan_frac[:], hall.air.crah_valve_frac[:] = 1.0, 1.0
    hall.step(10.0, 300)
    assert hall.air.condensate_kg[0] == 0.0
    return float(hall.air.crah_heat_w[0] / (hall.air.crah_return_temp_c[0] - 18.0)), hall


@pytest.mark.parametrize("altitude_m", list(FACTORS))
def test_coils_in_thin_air(validate, altitude_m):
    """Less air, and a film that conducts less; by less than the air's share, since the water's side stays."""
    here, hall = coil(altitude_m)
    e = load_catalog().get("crahs", "crah-250kw")
    # film of the air by its mass flow over that of the rating, which is of standard air
    mass = density(27.0, altitude_m) / 1.2
    share, rated = e["air_film_share_frac"], crah_ua_w_k(e)
    water = float(hall.air.crah_water_flow_kg_s[0] * hall.site.hydronics.loop["cp_j_kgk"][1])
    cooler_water = hall.air.crah_water_flow_kg_s[0] / e["water_flow_design_kg_s"]
    ua = rated / (share * mass**-0.8 + (1.0 - share) * cooler_water**-0.85)
    want = crossflow(ua, mass * 1.2 * CP * e["air_flow_design_m3_s"], water)
    validate.near("ALT", f"room unit's coil at {altitude_m:g} m, full fans: heat per kelvin of air over water",
                  here / 1e3, want / 1e3, share=1e-3, unit="kW/K", source="ht cross-flow, film by mass flow")
    assert thin(altitude_m) < here / coil(0.0)[0] < 1.0


def dry_cooler(altitude_m: float) -> float:
    """Heat per kelvin between entering water and outdoor air of a dry cooler at full fans, W/K."""
    rig = Rig([{"racks": 1, "rack": "hgx-h100-x4"}], [DRY], domains=("plant",), altitude_m=altitude_m)
    rig.outdoor(25.0, 15.0, psychrolib.GetStandardAtmPressure(altitude_m))
    rig.air.crah_water_flow_kg_s[:], rig.air.crah_heat_w[:] = 86.0 / CRAHS, 2.0e6 / CRAHS
    rig.run(4 * 3600.0, 10.0)
    assert rig.plant.rejector_speed_frac[0] == rig.plant.rejector_share_frac[0] == 1.0
    assert rig.plant.rejector_power_w[0] == pytest.approx(60e3 * thin(altitude_m), rel=1e-6)
    return float(rig.plant.rejector_heat_w[0] / (rig.plant.loop_return_temp_c[0] - 25.0))


@pytest.mark.parametrize("altitude_m", list(FACTORS))
def test_dry_coolers_in_thin_air(validate, altitude_m):
    validate.near("ALT", f"capacity of a dry cooler at {altitude_m:g} m over that at sea level",
                  dry_cooler(altitude_m) / dry_cooler(0.0), FACTORS[altitude_m], within=0.03, unit="",
                  source=f"{CARRIER}, air-cooled condensers")


def test_heat_sinks_in_thin_air_conduct_by_mass_flow():
    """At equal volume the film's resistance grows by density^-n (n of the catalogue), the air's rise by 1/density."""
    n = load_catalog().get("accelerators", "h100-sxm")["r_plate_exponent"]
    seen = []
    for altitude_m in (0.0, 2000.0):
        rig = ChipRig([("hgx-h100-x4", 1)], altitude_m=altitude_m)
        rig.work(0.6)
        rig.supply(22.0)
        rig.run(3600.0, 5.0)
        chip = rig.chip
        film = (chip.gpu_plate_temp_c[0] - chip.gpu_coolant_temp_c[0]) / chip.gpu_power_w[0]
        seen.append((film, (chip.gpu_coolant_temp_c[0] - 22.0) / chip.gpu_power_w[0]))
    assert seen[1][0] / seen[0][0] == pytest.approx(thin(2000.0) ** -n, rel=2e-3)
    assert seen[1][1] / seen[0][1] == pytest.approx(1.0 / thin(2000.0), rel=2e-3)


def test_liquid_to_air_units_in_thin_air_move_the_same_volume():
    """Full fans: the volume of the rating, less mass; heat by ht's cross-flow with the air's film at that mass."""
    e = load_catalog().get("cdus", "sidecar-70kw")
    for altitude_m in (0.0, 2000.0):
        rig = Rig([SIDECAR], domains=("liquid",), altitude_m=altitude_m, crah={"type": "crah-350kw"})
        rig.load(68e3)
        rig.air.rack_inlet_temp_c[:] = 35.0
        rig.liquid.cdu_supply_setpoint_c[:] = 30.0  # out of reach: the fans run full
        rig.run(2 * 3600.0, 5.0)
        liquid = rig.liquid
        assert liquid.cdu_valve_frac[0] == 1.0
        assert liquid.rack_reject_flow_m3_s[0] == pytest.approx(e["primary_flow_design_kg_s"] / 1.15, rel=1e-9)
        assert liquid.cdu_fan_power_w[0] == pytest.approx(2900.0 * thin(altitude_m), rel=1e-6)
        air = e["primary_flow_design_kg_s"] * CP * thin(altitude_m)
        coolant = float(liquid.cdu_flow_kg_s[0] * rig.hydronics.tcs["cp_j_kgk"][0])
        # films at the flows and mean temperatures of the moment, 0.6 % per kelvin (handbook, 1c)
        share, n = e["hx_secondary_share_frac"], e["hx_exponent"]
        mean_s = 0.5 * (liquid.cdu_supply_temp_c[0] + liquid.tcs_return_temp_c[0])
        mean_p = 0.5 * (liquid.cdu_primary_return_temp_c[0] + 35.0)
        flow = liquid.cdu_flow_kg_s[0] / rig.hydronics.tcs["rho_kg_m3"][0] / e["flow_design_m3_s"]
        inside = e["ua_design_w_k"] / share * flow**n * (1.0 + 0.006 * (mean_s - e["hx_secondary_temp_c"]))
        outside = (e["ua_design_w_k"] / (1.0 - share) * thin(altitude_m)**n
                   * (1.0 + 0.006 * (mean_p - e["hx_primary_temp_c"])))
        want = crossflow(1.0 / (1.0 / inside + 1.0 / outside), air, coolant) * (liquid.tcs_return_temp_c[0] - 35.0)
        assert liquid.cdu_air_heat_w[0] - liquid.cdu_fan_power_w[0] == pytest.approx(want, rel=2e-3)


def test_a_whole_hall_at_two_thousand_metres():
    """The same story: equal heat, volume and energy closure, the rise by 1/density, hotter chips."""
    seen = {}
    for altitude_m in (0, 2000):
        sim = open_run("crah-failure", sets=[f"site.altitude_m={altitude_m}", "event=[]"], history=False).sim
        sim.run_until(540 * S)
        air, power = sim.state.air, sim.state.power
        per_w = (air.rack_outlet_temp_c - air.rack_inlet_temp_c) * air.rack_air_flow_m3_s / power.rack_input_w
        seen[altitude_m] = float(per_w.mean()), float(sim.state.chip.gpu_temp_c.mean())
        assert sim.state.ledger.residual_rel_max_ratio[0] <= 1e-9
    assert seen[2000][0] / seen[0][0] == pytest.approx(1.0 / thin(2000.0), rel=0.01)
    assert seen[2000][1] > seen[0][1] + 3.0
