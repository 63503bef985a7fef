"""The site's year of weather."""

from __future__ import annotations

import numpy as np
import pytest

from twin.catalog.loader import load_catalog
from twin.errors import CatalogError, ReaderError, SpecError
from twin.site.climate import build_climate
from twin.site.spec import ScenarioSpec, SiteSpec, Spec


def climate(**site):
    spec = Spec(scenario=ScenarioSpec(title="test"), site=SiteSpec(**site))
    return build_climate(spec, load_catalog())


PRESETS = [entry.name for entry in load_catalog().entries("sites")]


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_is_physically_consistent(preset):
    got = climate(preset=preset)
    for values in (got.outdoor_temp_c, got.dew_point_temp_c, got.wet_bulb_temp_c, got.rel_humidity_frac):
        assert values.shape == (8760,)
        assert np.isfinite(values).all()
        assert not values.flags.writeable
    assert (got.dew_point_temp_c <= got.outdoor_temp_c + 1e-6).all()
    assert (got.wet_bulb_temp_c <= got.outdoor_temp_c + 1e-6).all()
    assert (got.dew_point_temp_c <= got.wet_bulb_temp_c + 0.1).all()
    assert got.rel_humidity_frac.min() > 0.02
    assert got.rel_humidity_frac.max() <= 1.0
    # the year closes: its first hour follows its last as any hour follows another
    steps = np.abs(np.diff(got.outdoor_temp_c))
    assert abs(got.outdoor_temp_c[0] - got.outdoor_temp_c[-1]) <= steps.max()


def test_monthly_means_are_those_of_the_climate():
    got, entry = climate(preset="texas"), load_catalog().get("climates", "texas")
    days = np.cumsum([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    for month in range(12):
        hours = slice(days[month] * 24, days[month + 1] * 24)
        assert got.outdoor_temp_c[hours].mean() == pytest.approx(entry["mean_temp_c"][month], abs=2.5)
    assert got.outdoor_temp_c.mean() == pytest.approx(np.mean(entry["mean_temp_c"]), abs=0.3)


def test_overrides_and_pressure_of_the_altitude():
    got = climate(preset="texas", weather="singapore", altitude_m=2240.0, carbon_kg_kwh=0.1, price_usd_kwh=0.2)
    assert got.title.startswith("Equatorial")
    assert got.pressure_pa[0] == pytest.approx(77100, rel=0.01)  # Mexico City, standard atmosphere
    assert (got.carbon_kg_kwh, got.price_usd_kwh, got.utc_offset_s) == (0.1, 0.2, -21600)


def test_clear_errors():
    with pytest.raises(CatalogError, match="texas"):
        climate(preset="texsa")
    with pytest.raises(SpecError, match="singapore"):
        climate(weather="singapor")
    with pytest.raises(ReaderError, match="cannot be read"):
        climate(weather="epw:nowhere.epw")
    with pytest.raises(SpecError, match="no file is named"):
        climate(weather="epw:")
    with pytest.raises(SpecError, match="altitude"):
        climate(altitude_m=20000.0)


def test_an_epw_file(shared_data):
    path = shared_data / "weather" / "USA_TX_Dallas-FtWorth_TMYx.epw"
    if not path.is_file():
        pytest.skip("no Dallas file")
    got = climate(weather=f"epw:{path}")
    assert got.altitude_m == pytest.approx(170.7)
    assert got.outdoor_temp_c.mean() == pytest.approx(19.81, abs=0.01)
    assert got.report
