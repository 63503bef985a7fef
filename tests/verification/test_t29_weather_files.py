"""T29: computed wet bulb of four weather files against reference statistics (0.05 K)."""

from __future__ import annotations

import json

import numpy as np
import pytest

from twin._kernels.weather import moist_hours
from twin.readers.epw import read_epw

FILES = ["FIN_Helsinki.029740_IWEC.epw", "SGP_Singapore.486980_IWEC.epw", "USA_AZ_Phoenix-Sky.Harbor_TMYx.epw",
         "USA_TX_Dallas-FtWorth_TMYx.epw"]


@pytest.mark.parametrize("name", FILES)
def test_statistics_of_a_weather_file(shared_data, name):
    folder = shared_data / "weather"
    if not (folder / name).is_file():
        pytest.skip(f"no {name}")
    want = json.loads((folder / "epw_stats.json").read_text())[name]
    year = read_epw(folder / name)
    _, _, wet = moist_hours(year.temp_c, year.rel_humidity_frac, year.pressure_pa)
    got = {
        "DBmean": np.mean(year.temp_c), "DBmax": np.max(year.temp_c), "DBmin": np.min(year.temp_c),
        "DB99_6": np.percentile(year.temp_c, 99.6), "DPmean": np.mean(year.dew_point_c),
        "WBmean": np.mean(wet), "WB99_6": np.percentile(wet, 99.6), "WBmax": np.max(wet),
    }
    for key, value in got.items():
        assert value == pytest.approx(want[key], abs=0.05), key
    assert np.mean(year.pressure_pa) == pytest.approx(want["pmean"], rel=1e-6)


def test_isolated_bad_humidity_is_flagged_and_repaired(shared_data):
    path = shared_data / "weather" / "USA_AZ_Phoenix-Sky.Harbor_TMYx.epw"
    if not path.is_file():
        pytest.skip("no Phoenix file")
    year = read_epw(path)
    _, _, wet = moist_hours(year.temp_c, year.rel_humidity_frac, year.pressure_pa)
    assert year.suspect[int(np.argmax(wet))], "the 33 degC wet bulb of the desert is a bad pair"
    fixed = year.repaired()
    _, _, after = moist_hours(fixed.temp_c, fixed.rel_humidity_frac, fixed.pressure_pa)
    assert after.max() < wet.max() - 2.0
    good = ~year.suspect
    assert np.array_equal(after[good], wet[good])
