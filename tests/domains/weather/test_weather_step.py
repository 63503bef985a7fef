"""The weather domain: interpolation, wrap, heat wave."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from twin.catalog.loader import load_catalog
from twin.domains.weather import DOMAIN
from twin.site.build import parse_start
from twin.site.climate import build_climate
from twin.site.spec import ScenarioSpec, SiteSpec, Spec
from twin.state.blocks import WeatherState
from twin.units import NS_PER_S
from twin.wiring import Bind

HOUR = 3600 * NS_PER_S


def bound(start="2026-01-01T00:00:00-06:00", preset="texas"):
    spec = Spec(scenario=ScenarioSpec(title="test", start=start), site=SiteSpec(preset=preset))
    climate = build_climate(spec, load_catalog())
    start_ns, offset = parse_start(start)
    site = SimpleNamespace(climate=climate, start_unix_ns=start_ns, utc_offset_s=offset)
    own = WeatherState({"one": 1})
    stepper = DOMAIN.bind(Bind(site=site, own=own, views=SimpleNamespace(), seed=1))
    stepper.refresh()
    return stepper, own, climate


def test_hour_ending_stamps_are_met_and_interpolated_between():
    stepper, own, climate = bound()
    for k in (0, 5, 8758):
        stepper.step((k + 1) * HOUR, 0)
        assert own.outdoor_temp_c[0] == pytest.approx(climate.outdoor_temp_c[k], abs=1e-12)
        assert own.wet_bulb_temp_c[0] == pytest.approx(climate.wet_bulb_temp_c[k], abs=1e-5)
        assert own.dew_point_temp_c[0] == pytest.approx(climate.dew_point_temp_c[k], abs=1e-6)
        stepper.step((k + 1) * HOUR, HOUR)
        mean = 0.5 * (climate.outdoor_temp_c[k] + climate.outdoor_temp_c[k + 1])
        assert own.outdoor_temp_c[0] == pytest.approx(mean, abs=1e-12)


def test_the_year_wraps():
    stepper, own, climate = bound()
    stepper.step(8760 * HOUR + HOUR // 2, 0)
    assert own.outdoor_temp_c[0] == pytest.approx(
        0.5 * (climate.outdoor_temp_c[-1] + climate.outdoor_temp_c[0]), abs=1e-9)


def test_local_standard_time_decides_the_hour():
    # 18:00 UTC is 12:00 in Texas; the first hour's stamp is 01:00 local
    stepper, own, climate = bound(start="2026-03-01T18:00:00+00:00")
    stepper.step(0, 0)
    assert own.outdoor_temp_c[0] == pytest.approx(climate.outdoor_temp_c[59 * 24 + 11], abs=1e-12)


def test_a_heat_wave_adds_heat_and_no_water():
    stepper, own, _ = bound(start="2026-07-15T13:00:00-05:00")
    stepper.step(0, NS_PER_S)
    before = (own.outdoor_temp_c[0], own.humidity_ratio_kg_kg[0], own.wet_bulb_temp_c[0], own.rel_humidity_frac[0])
    kind = DOMAIN.faults[0]
    kind.start(own, 0, 8.0)
    stepper.step(0, NS_PER_S)
    assert own.outdoor_temp_c[0] == pytest.approx(before[0] + 8.0)
    assert own.humidity_ratio_kg_kg[0] == before[1]
    assert before[2] < own.wet_bulb_temp_c[0] < before[2] + 4.0
    assert own.rel_humidity_frac[0] < before[3]
    kind.clear(own, 0)
    stepper.step(0, NS_PER_S)
    assert own.outdoor_temp_c[0] == before[0]


def test_a_cold_wave_cannot_hold_more_than_saturation():
    stepper, own, _ = bound(preset="singapore", start="2026-07-15T13:00:00+08:00")
    DOMAIN.faults[0].start(own, 0, -20.0)
    stepper.step(0, NS_PER_S)
    assert own.rel_humidity_frac[0] == pytest.approx(1.0, abs=1e-9)
    assert own.dew_point_temp_c[0] == pytest.approx(own.outdoor_temp_c[0], abs=1e-6)


def test_a_fresh_state_has_weather_before_the_first_tick():
    _, own, _ = bound()
    assert own.pressure_pa[0] > 9e4
