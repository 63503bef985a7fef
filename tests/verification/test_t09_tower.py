"""T9: the Merkel tower against a day of EnergyPlus (CoolingTower:VariableSpeed:Merkel)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import psychrolib
import pytest
from published import Validate

from twin._kernels import laws

#: Rated point of the reference tower: water m3/s, air m3/s, UA W/K, wet bulb degC.
WATER_M3_S, AIR_M3_S, UA_W_K, WET_BULB_C = 1.09317e-3, 0.56124, 1955.0, 25.6


def test_t9_leaving_temperature_and_heat(shared_data: Path, validate: Validate) -> None:
    """Every minute with the fan on: leaving water within 0.05 K (mean 0.02), heat p95 within 1.5 %."""
    psychrolib.SetUnitSystem(psychrolib.SI)
    errors, heat_errors = [], []
    for line in (shared_data / "plant" / "merkel_tower_trace.csv").read_text().splitlines():
        if not line[:1].isdigit():
            continue
        _, dry, wet, water_in, water_out, flow, heat, _, _, fan = map(float, line.split(","))
        if flow <= 0.0 or fan <= 0.0:
            continue
        ratio = psychrolib.GetHumRatioFromTWetBulb(dry, min(wet, dry), 101325.0)
        air = AIR_M3_S * fan * psychrolib.GetMoistAirDensity(dry, ratio, 101325.0)
        density, cp, _ = laws.water_properties(water_in)
        ua = UA_W_K * laws.tower_ua_ratio(fan, flow / (WATER_M3_S * density), WET_BULB_C - wet)
        got, _ = laws.tower_heat(ua, air, flow * cp, 1006.0 + 1860.0 * ratio, water_in, wet)
        errors.append(abs(water_in - got / (flow * cp) - water_out))
        heat_errors.append(abs(got / heat - 1.0))
    assert len(errors) > 500
    source = "EnergyPlus CoolingTower:VariableSpeed:Merkel, one day"
    validate.below("T9", "leaving water, largest error of a day", max(errors), 0.05, unit="K", source=source)
    validate.below("T9", "leaving water, mean error of a day", float(np.mean(errors)), 0.02, unit="K", source=source)
    validate.below("T9", "heat, 95th percentile of the relative error", float(np.percentile(heat_errors, 95)), 0.015,
                   unit="", source=source)


@pytest.mark.parametrize(("dry", "wet", "low", "high"), [(35.0, 25.6, 0.9, 1.1), (43.0, 21.0, 1.15, 1.45),
                                                          (10.0, 7.0, 0.6, 0.8), (-5.0, -6.0, 0.35, 0.55)])
def test_evaporation_over_latent_share(dry: float, wet: float, low: float, high: float) -> None:
    """Evaporated water times 2.43 MJ/kg over the heat: about 1.0 at 35/25.6, 1.3 at 43/21, 0.7 at 10/7, 0.45 in frost.

    Air balance with saturated exit, at a tower's usual air flow; source: psychrometry (psychrolib).
    """
    psychrolib.SetUnitSystem(psychrolib.SI)
    heat, wet_out = laws.tower_heat(366e3, 129.0, 217.5 * 4180.0, 1025.0, wet + 12.0, wet)
    ratio_in = psychrolib.GetHumRatioFromTWetBulb(dry, wet, 101325.0)
    ratio_out = psychrolib.GetSatHumRatio(wet_out, 101325.0)
    assert low < 129.0 * (ratio_out - ratio_in) * 2.43e6 / heat < high


def test_air_takes_what_the_water_gives() -> None:
    """Enthalpy of the saturated exit less that of the entry (psychrolib) times the air flow is the heat; 0.2 %."""
    psychrolib.SetUnitSystem(psychrolib.SI)
    heat, wet_out = laws.tower_heat(366e3, 129.0, 217.5 * 4180.0, 1025.0, 35.0, 25.6)
    rise = psychrolib.GetSatAirEnthalpy(wet_out, 101325.0) - psychrolib.GetSatAirEnthalpy(25.6, 101325.0)
    assert 129.0 * rise == pytest.approx(heat, rel=2e-3)
