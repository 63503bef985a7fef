"""The EPW reader: what it accepts, what it refuses and how it says so."""

from __future__ import annotations

import pytest

from twin.errors import ReaderError
from twin.readers.epw import read_epw

HEADER = ["LOCATION,Testville,XX,TST,made,000000,50.0,8.0,1.0,100.0"] + ["DESIGN CONDITIONS,0"] * 7


def line(hour: int, temp="20.0", dew="9.3", humidity="50", pressure="100000") -> str:
    day = hour // 24
    month = min(day // 31, 11) + 1
    head = ["2021", str(month), str(day % 28 + 1), str(hour % 24 + 1), "0", "?9"]
    return ",".join([*head, temp, dew, humidity, pressure] + ["0"] * 25)


def year(tmp_path, changes=None, header=HEADER, hours=8760):
    lines = list(header) + [line(h) for h in range(hours)]
    for hour, values in (changes or {}).items():
        lines[len(header) + hour] = line(hour, **values)
    path = tmp_path / "test.epw"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_clean_file(tmp_path):
    got = read_epw(year(tmp_path))
    assert (got.location, got.altitude_m, got.utc_offset_h) == ("Testville, XX, TST", 100.0, 1.0)
    assert got.temp_c.shape == (8760,)
    assert got.rel_humidity_frac[0] == 0.5
    assert got.report == ()
    assert not got.temp_c.flags.writeable


def test_missing_values_are_interpolated_and_reported_by_line(tmp_path):
    got = read_epw(year(tmp_path, {10: {"temp": "99.9"}, 11: {"temp": "99.9"}, 12: {"temp": "26.0", "dew": "14.8"}}))
    assert got.temp_c[10:13] == pytest.approx([22.0, 24.0, 26.0])
    assert any("2 missing values of dry bulb" in text and "line 19, 20" in text for text in got.report)


def test_pressure_of_the_elevation_when_the_file_has_none(tmp_path):
    lines = [*HEADER, *(line(h, pressure="999999") for h in range(8760))]
    path = tmp_path / "p.epw"
    path.write_text("\n".join(lines))
    got = read_epw(path)
    assert got.pressure_pa[0] == pytest.approx(100129, abs=5)
    assert any("standard atmosphere" in text for text in got.report)


def test_a_pair_that_disagrees_is_flagged_and_can_be_repaired(tmp_path):
    got = read_epw(year(tmp_path, {500: {"humidity": "100"}}))
    assert got.suspect[500]
    assert got.suspect.sum() == 1
    assert any("disagree" in text and "line 509" in text for text in got.report)
    fixed = got.repaired()
    assert fixed.rel_humidity_frac[500] == pytest.approx(0.5, abs=1e-6)
    assert not fixed.suspect.any()


@pytest.mark.parametrize("make, words", [
    (lambda p: p / "none.epw", "cannot be read"),
    (lambda p: _write(p, "hello\nworld\n"), "not an EPW file"),
    (lambda p: _write(p, ""), "not an EPW file"),
    (lambda p: _write(p, "\n".join(HEADER[:5])), "ends in its header"),
    (lambda p: year(p, hours=8000), "8000 hours"),
    (lambda p: year(p, {7: {"temp": "warm"}}), ":16: the dry bulb 'warm' is not a number"),
    (lambda p: year(p, {7: {"temp": "nan"}}), ":16: the dry bulb 'nan' is not a number"),
    (lambda p: year(p, {7: {"pressure": "12"}}), ":16: the pressure 12 is out of range"),
    (lambda p: year(p, {h: {"dew": "99.9"} for h in range(4000)}), "4000 of 8760 values of dew point"),
    (lambda p: year(p, header=["LOCATION,a,b,c", *HEADER[1:]]), "LOCATION line is not complete"),
])
def test_one_clear_error(tmp_path, make, words):
    with pytest.raises(ReaderError) as caught:
        read_epw(make(tmp_path))
    assert words in str(caught.value)
    assert "expected" in str(caught.value)
    assert caught.value.exit_code == 2


def _write(folder, text):
    path = folder / "bad.epw"
    path.write_text(text)
    return path


def test_a_folder_and_a_cut_line(tmp_path):
    with pytest.raises(ReaderError, match="cannot be read"):
        read_epw(tmp_path)
    path = year(tmp_path)
    text = path.read_text()
    path.write_text(text[: len(text) - 2 * len(line(0)) + 60])
    with pytest.raises(ReaderError, match=r"fields|hours"):
        read_epw(path)
