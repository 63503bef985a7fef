"""What the plant does in winter, summer, desert, and when machines fail."""

from __future__ import annotations

import pytest
from rig import CHILLED, ROW, WARM, Rig

from twin.domains.plant import DOMAIN

FAULT = {kind.name: kind for kind in DOMAIN.faults}
ROWS = [{**ROW, "repeat": 4}, {"racks": 16, "rack": "hgx-h100-x4"}]
LOOPS = [{**WARM, "volume_m3": 20.0}, {**CHILLED, "volume_m3": 10.0}]


def settled(dry: float, wet: float, loops: list[dict[str, object]] | None = None, hours: float = 3.0) -> Rig:
    rig = Rig(ROWS, loops or LOOPS)
    rig.load(115e3)
    rig.air.crah_heat_w[:] = 600e3
    rig.air.crah_water_flow_kg_s[:] = 20.0
    rig.outdoor(dry, wet)
    rig.run(hours * 3600.0, 5.0)
    return rig


@pytest.mark.parametrize(("dry", "wet"), [(-15.0, -16.0), (5.0, 3.0), (20.0, 15.0), (35.0, 24.0), (43.0, 22.0)])
def test_loops_hold_their_set_points(dry: float, wet: float) -> None:
    """Each group after the first holds 0.5 K more, so the warm loop may sit that much above."""
    rig = settled(dry, wet)
    assert rig.plant.loop_supply_temp_c[0] == pytest.approx(32.3, abs=0.45)
    assert rig.plant.loop_supply_temp_c[1] == pytest.approx(18.0, abs=0.2)
    assert rig.plant.rejected_heat_w[0] == pytest.approx(
        64 * 115e3 + 2.4e6 + rig.liquid.cdu_power_w.sum() + rig.plant.power_w[0], rel=2e-3)


def test_the_tower_rests_while_the_dry_coolers_suffice() -> None:
    cool, hot = settled(15.0, 10.0), settled(38.0, 24.0)
    assert cool.plant.makeup_kg_s[0] == 0.0
    assert cool.plant.rejector_heat_w[1] == 0.0
    assert hot.plant.rejector_heat_w[1] > 1e6
    assert hot.plant.makeup_kg_s[0] > hot.plant.evaporation_kg_s[0] > 0.0
    assert hot.plant.rejector_power_w.sum() > cool.plant.rejector_power_w.sum()


def test_water_of_a_tower_is_near_the_latent_heat() -> None:
    """Tower alone at 35/25.6 degC: evaporation near heat / 2.43 MJ/kg, less what warms the air; 5 cycles."""
    loops = [{"name": "warm", "supply_c": 32.0, "volume_m3": 20.0, "heat_reject": [{"type": "tower-5mw", "count": 2}]},
             LOOPS[1]]
    rig = settled(35.0, 25.6, loops)
    latent = rig.plant.rejector_heat_w[0] / 2.43e6
    assert 0.8 * latent < rig.plant.evaporation_kg_s[0] < 1.05 * latent
    assert rig.plant.makeup_kg_s[0] == pytest.approx(1.25 * rig.plant.evaporation_kg_s[0], rel=1e-6)


def test_dry_coolers_are_by_passed_when_the_air_is_warmer() -> None:
    rig = settled(55.0, 24.0)
    assert rig.plant.rejector_heat_w[0] == pytest.approx(0.0, abs=1e4)
    assert rig.plant.rejector_heat_w[1] > 5e6


def test_chiller_load_and_efficiency_follow_the_outdoor_air() -> None:
    mild, hot = settled(20.0, 15.0, hours=1.0), settled(40.0, 24.0, hours=1.0)
    assert hot.plant.chiller_cop[0] < 0.7 * mild.plant.chiller_cop[0]
    drawn = hot.plant.chiller_heat_w[0] / hot.plant.chiller_cop[0]
    assert hot.plant.chiller_power_w[0] == pytest.approx(drawn, rel=1e-3)
    assert hot.plant.chiller_load_frac[0] == pytest.approx(2.4 / 3.0, rel=0.05)


def test_a_tripped_chiller_is_replaced_by_the_spare_and_two_are_not() -> None:
    rig = settled(25.0, 18.0, hours=1.0)
    FAULT["chiller_trip"].start(rig.plant, 0, 1.0)
    rig.run(1800.0)
    assert rig.plant.loop_supply_temp_c[1] == pytest.approx(18.0, abs=0.2)
    FAULT["chiller_trip"].start(rig.plant, 0, 2.0)
    rig.run(600.0)
    assert rig.plant.chiller_heat_w[0] == pytest.approx(1.5e6, rel=1e-6)
    assert rig.plant.loop_supply_error_k[1] > 2.0
    FAULT["chiller_trip"].clear(rig.plant, 0)
    rig.run(3600.0)
    assert rig.plant.loop_supply_temp_c[1] == pytest.approx(18.0, abs=0.2)


def test_chillers_restart_after_a_loss_of_power() -> None:
    rig = settled(25.0, 18.0, hours=1.0)
    rig.power.plant_energised[0] = 0
    rig.run(10.0)
    assert rig.plant.chiller_heat_w[0] == 0.0
    assert rig.plant.power_w[0] == 0.0
    assert rig.plant.loop_flow_frac[0] < 0.4
    rig.power.plant_energised[0] = 1
    rig.run(170.0)
    assert rig.plant.chiller_heat_w[0] == 0.0
    rig.run(20.0)
    assert rig.plant.chiller_heat_w[0] > 0.0


def test_loop_pumps_coast_down_without_spares_and_recover() -> None:
    rig = settled(20.0, 15.0, hours=1.0)
    FAULT["loop_pump_trip"].start(rig.plant, 0, 1.0)
    rig.run(60.0)
    assert rig.plant.loop_flow_frac[0] == 1.0
    FAULT["loop_pump_trip"].start(rig.plant, 0, 3.0)
    rig.run(30.0)
    assert rig.plant.loop_flow_frac[0] < 0.15
    rig.run(300.0)
    assert rig.plant.loop_flow_frac[0] < 0.03
    FAULT["loop_pump_trip"].clear(rig.plant, 0)
    rig.run(120.0)
    assert rig.plant.loop_flow_frac[0] == pytest.approx(1.0, abs=1e-6)
    assert rig.plant.loop_flow_kg_s[0] > 50.0


def test_rejectors_out_of_service_warm_the_loop() -> None:
    rig = settled(35.0, 24.0, hours=2.0)
    FAULT["rejector_out"].start(rig.plant, 1, 1.0)
    rig.run(1800.0)
    assert rig.plant.rejector_heat_w[1] == 0.0
    assert rig.plant.loop_supply_error_k[0] > 2.0


def test_free_cooling_comes_before_the_chillers() -> None:
    loops = [LOOPS[0], {**LOOPS[1], "heat_reject": [{"type": "dry-cooler-2900kw", "count": 2}]}]
    winter, summer = settled(-5.0, -6.0, loops, 1.0), settled(30.0, 20.0, loops, 1.0)
    assert winter.plant.chiller_heat_w[0] == pytest.approx(0.0, abs=5e4)
    assert winter.plant.loop_supply_temp_c[1] == pytest.approx(18.0, abs=0.3)
    assert summer.plant.chiller_heat_w[0] == pytest.approx(2.4e6, rel=0.05)


def test_chillers_may_reject_into_another_loop() -> None:
    loops = [LOOPS[0], {**LOOPS[1], "condenser": "warm"}]
    rig = settled(20.0, 15.0, loops)
    warm = rig.plant.rejector_heat_w.sum()
    assert warm == pytest.approx(64 * 115e3 + 2.4e6 + rig.plant.chiller_power_w[0] + rig.liquid.cdu_power_w.sum()
                                 + rig.plant.loop_pump_power_w.sum(), rel=3e-3)
    assert rig.plant.chiller_cop[0] == pytest.approx(
        0.55 * 289.15 / (rig.plant.loop_supply_temp_c[0] + 7.0 - 16.0) * (0.85 + 0.9 * 0.8 - 0.75 * 0.64), rel=0.03)


@pytest.mark.parametrize("dt", [0.01, 30.0, 60.0])
def test_every_tick_length_holds_the_set_points(dt: float) -> None:
    rig = settled(30.0, 20.0, hours=1.5)
    rig.run(1800.0 if dt > 0.1 else 20.0, dt)
    assert rig.plant.loop_supply_temp_c[0] == pytest.approx(32.3, abs=0.5)
    assert rig.plant.loop_supply_temp_c[1] == pytest.approx(18.0, abs=0.2)
