"""T5 to T7: pump curve and exchanger of CDUs against their ratings."""

from __future__ import annotations

import pytest
from published import Validate
from rig import Rig

from twin._kernels import laws
from twin.catalog.loader import load_catalog

L_MIN = 1.0 / 60_000.0


@pytest.mark.parametrize(("flow_l_min", "speed", "head_kpa"), [
    (0.0, 1.0, 476.5), (600.0, 1.0, 447.5), (1200.0, 1.0, 250.0), (960.0, 0.8, 160.0),
])
def test_t5_pump_curve_of_the_xdu1350(validate: Validate, flow_l_min: float, speed: float, head_kpa: float) -> None:
    """Vertiv SL-71309; the last by affinity; tolerance 0.1 %."""
    cdu = load_catalog().get("cdus", "cdu-1350kw")
    head = laws.pump_head(flow_l_min * L_MIN, speed, cdu["pump_h0_pa"], cdu["pump_b_pa_s_m3"], cdu["pump_a_pa_s2_m6"])
    validate.near("T5", f"XDU1350 pumps at {speed:.0%} speed and {flow_l_min:g} L/min", head / 1e3, head_kpa,
                  share=1e-3, unit="kPa", source="Vertiv SL-71309, affinity laws")


def test_pump_flow_and_speed_invert_the_curve() -> None:
    """Flow from pressure and speed from flow lead back to the head; tolerance 1e-10."""
    cdu = load_catalog().get("cdus", "cdu-1350kw")
    curve = (cdu["pump_h0_pa"], cdu["pump_b_pa_s_m3"], cdu["pump_a_pa_s2_m6"])
    for speed in (0.4, 0.75, 1.0):
        for flow in (0.012 * speed, 0.02 * speed):
            head = laws.pump_head(flow, speed, *curve)
            assert laws.pump_flow(head, speed, *curve) == pytest.approx(flow, rel=1e-10)
            assert laws.pump_speed(flow, head, *curve) == pytest.approx(speed, rel=1e-10)


@pytest.mark.parametrize(("unit", "racks", "heat_w", "flow_l_min", "expected"), [
    ("cdu-1350kw", 10, 1368e3, 1200.0, (40.0, 57.1, 52.5)),
    ("cdu-121kw", 1, 121e3, 120.0, (40.0, 55.1, 47.7)),
])
def test_t6_t7_exchanger_at_its_rating(validate: Validate, unit: str, racks: int, heat_w: float, flow_l_min: float,
                                       expected: tuple[float, float, float]) -> None:
    """Secondary supply and return and primary return of the running model at 36 degC primary, valve open.

    Sources: Vertiv SL-80005 (XDU1350, 1,200/1,200 L/min) and the CoolChip CDU 121 rating (120/150 L/min);
    tolerance 0.3 K.
    """
    rig = Rig([{"racks": racks, "rack": "gb200-nvl72", "cdu": {"type": unit, "count": 1}}], domains=("liquid",))
    rig.plant.loop_supply_temp_c[:] = 36.0
    rig.liquid.cdu_valve_stuck_frac[0] = 1.0
    rig.load((heat_w - rig.liquid.cdu_power_w[0]) / racks)
    rig.hold_flow(flow_l_min * L_MIN)
    rig.load((heat_w - rig.liquid.cdu_power_w[0]) / racks)
    rig.run(1200.0, 5.0)
    liquid = rig.liquid
    assert liquid.cdu_heat_w[0] == pytest.approx(heat_w, rel=1e-4)
    got = (liquid.cdu_supply_temp_c[0], liquid.cdu_return_temp_c[0], liquid.cdu_primary_return_temp_c[0])
    case, source = ("T6", "Vertiv SL-80005") if unit == "cdu-1350kw" else ("T7", "Vertiv CoolChip CDU 121 rating")
    places = ("secondary supply", "secondary return", "primary return")
    for what, ours, published in zip(places, got, expected, strict=True):
        validate.near(case, f"{unit} at its rating: {what}", float(ours), published, within=0.3, unit="degC",
                      source=source)
