"""T14: moist air against the printed table (psychrolib 2.5.0) and against psychrolib over a wide range.

Tolerances: humidity ratio 1e-6, enthalpy 0.005 kJ/kg, temperatures 0.005 K.
"""

from __future__ import annotations

import random

import pytest

from twin._kernels import laws

psychrolib = pytest.importorskip("psychrolib")

TABLE = [
    # degC, RH, W, h kJ/kg, wet bulb, dew point
    (25.0, 0.5, 0.009881, 50.32, 17.889, 13.864),
    (35.0, 0.4, 0.014132, 71.47, 23.934, 19.385),
    (20.0, 0.8, 0.011701, 49.82, 17.679, 16.447),
    (-5.0, 0.7, 0.001731, -0.717, -6.335, -9.108),
]


@pytest.mark.parametrize("temp, humidity, ratio, enthalpy, wet_bulb, dew_point", TABLE)
def test_printed_table(validate, temp, humidity, ratio, enthalpy, wet_bulb, dew_point):
    w = laws.humidity_ratio(temp, humidity)
    at, source = f"at {temp:g} degC and {humidity:.0%}", "psychrolib 2.5.0, ASHRAE Fundamentals"
    validate.near("T14", f"humidity ratio {at}", w, ratio, within=1e-6, unit="kg/kg", source=source)
    validate.near("T14", f"enthalpy {at}", laws.moist_enthalpy_j_kg(temp, w) / 1000, enthalpy, within=0.005,
                  unit="kJ/kg", source=source)
    validate.near("T14", f"wet bulb {at}", laws.wet_bulb_c(temp, w), wet_bulb, within=0.005, unit="degC", source=source)
    validate.near("T14", f"dew point {at}", laws.dew_point_c(w), dew_point, within=0.005, unit="degC", source=source)


def test_wet_bulb_at_30_degc_and_half_saturation():
    assert laws.wet_bulb_c(30.0, laws.humidity_ratio(30.0, 0.5)) == pytest.approx(22.005, abs=0.005)


def test_against_psychrolib_over_the_range_of_weather():
    psychrolib.SetUnitSystem(psychrolib.SI)
    draw = random.Random(7)
    for _ in range(600):
        temp, humidity, pressure = draw.uniform(-35, 50), draw.uniform(0.03, 1.0), draw.uniform(65e3, 106e3)
        w = laws.humidity_ratio(temp, humidity, pressure)
        assert laws.saturation_pressure_pa(temp) == pytest.approx(psychrolib.GetSatVapPres(temp), rel=1e-9)
        assert w == pytest.approx(psychrolib.GetHumRatioFromRelHum(temp, humidity, pressure), rel=1e-9, abs=1e-9)
        assert laws.moist_enthalpy_j_kg(temp, w) == pytest.approx(psychrolib.GetMoistAirEnthalpy(temp, w), abs=1e-6)
        assert laws.moist_density_kg_m3(temp, w, pressure) == pytest.approx(
            psychrolib.GetMoistAirDensity(temp, w, pressure), rel=1e-6)
        assert laws.dew_point_c(w, pressure) == pytest.approx(
            psychrolib.GetTDewPointFromRelHum(temp, humidity), abs=0.005)
        wet = psychrolib.GetTWetBulbFromHumRatio(temp, w, pressure)
        # the ice and the liquid branch overlap around the freezing point: both are wet bulbs there
        assert laws.wet_bulb_c(temp, w, pressure) == pytest.approx(wet, abs=0.7 if abs(wet) < 0.7 else 0.005)


def test_standard_atmosphere():
    for altitude in (-400.0, 0.0, 500.0, 2240.0, 5000.0):
        assert laws.standard_pressure_pa(altitude) == pytest.approx(
            psychrolib.GetStandardAtmPressure(altitude), rel=1e-9)
