"""EPW weather files (EnergyPlus): eight header lines, then one line of 35 fields per hour.

Dry bulb, dew point, relative humidity and pressure are read (fields 7 to 10, counted from 1); stamps mark the end
of the hour in local standard time. Source: EnergyPlus Auxiliary Programs, "EPW data dictionary".
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from twin._kernels.laws import standard_pressure_pa
from twin._kernels.weather import moist_hours
from twin.arrays import F64, frozen_f64
from twin.errors import ReaderError

HOURS = 8760
_HEADER_LINES = 8
_FIELDS_MIN = 10
_BYTES_MAX = 32_000_000
#: the longest lines known, comments of the header, have some hundred characters
_LINE_MAX = 8192
#: field -> (position, value that means "missing" or larger, lowest and highest value of the dictionary)
_FIELDS = {
    "dry bulb": (6, 99.9, -70.0, 70.0),
    "dew point": (7, 99.9, -70.0, 70.0),
    "relative humidity": (8, 999.0, 0.0, 110.0),
    "pressure": (9, 999999.0, 31000.0, 120000.0),
}
#: a file with more missing values than this share is refused.
_MISSING_MAX = 0.2
#: dew points from the humidity and as stated may differ by this much, K (RH is printed in whole percent).
_PAIR_MAX_K = 2.0
_PAIR_DRY_K = 6.0
#: an excursion of the dew point: at most so many hours, its peak and every hour at least so far above both ends.
_EXCURSION_HOURS, _EXCURSION_PEAK_K, _EXCURSION_FOOT_K = 8, 5.0, 1.5


@dataclass(frozen=True)
class Epw:
    """One year of hourly weather.

    Attributes:
        path, location: the file and the place it names.
        latitude_deg, longitude_deg, altitude_m, utc_offset_h: from the LOCATION line.
        temp_c, rel_humidity_frac, pressure_pa, dew_point_c: 8,760 values each, at the end of each hour; missing
            ones are interpolated.
        suspect: hour is flagged by a quality check (humidity and dew point disagree, or an isolated excursion).
        report: what the checks found, one sentence each, lines named.
    """

    path: str
    location: str
    latitude_deg: float
    longitude_deg: float
    altitude_m: float
    utc_offset_h: float
    temp_c: F64
    rel_humidity_frac: F64
    pressure_pa: F64
    dew_point_c: F64
    suspect: np.ndarray
    report: tuple[str, ...]

    def repaired(self) -> Epw:
        """Return the year with the humidity of suspect hours interpolated between good ones (dew point wise)."""
        if not self.suspect.any():
            return self
        _, dew, _ = moist_hours(self.temp_c, self.rel_humidity_frac, self.pressure_pa)
        dew = np.minimum(_filled(dew, self.suspect), self.temp_c)
        at_dew, _, _ = moist_hours(dew, np.ones(HOURS), self.pressure_pa)
        at_dry, _, _ = moist_hours(self.temp_c, np.ones(HOURS), self.pressure_pa)
        # RH is a ratio of vapour pressures: pw = p W / (0.621945 + W)
        share = at_dew / (0.621945 + at_dew) / (at_dry / (0.621945 + at_dry))
        humidity = np.where(self.suspect, np.minimum(share, 1.0), self.rel_humidity_frac)
        note = f"{int(self.suspect.sum())} suspect hours repaired by interpolating the dew point"
        return replace(self, rel_humidity_frac=frozen_f64(humidity), suspect=np.zeros(HOURS, dtype=bool),
                       report=(*self.report, note))


def read_epw(path: Path | str) -> Epw:
    """Read an EPW file.

    Raises:
        ReaderError: there is no such file, it is not an EPW file, it is truncated, a field is not a number or out
            of the dictionary's range, or too much is missing. One sentence with file, line and what was expected.
    """
    path = Path(path)
    lines = _lines(path)
    header = [line for _, line in itertools.islice(lines, _HEADER_LINES)]
    if not header or not header[0].upper().startswith("LOCATION,"):
        raise ReaderError("this is not an EPW file", where=f"{path}:1", expected="a first line 'LOCATION,...'")
    latitude, longitude, offset, altitude, location = _location(path, header[0])
    table = np.empty((HOURS, len(_FIELDS)))
    numbers: list[int] = []
    leap = hours = 0
    for number, line in lines:
        if not line.strip():
            continue
        fields = line.split(",", _FIELDS_MIN)
        if len(fields) < _FIELDS_MIN:
            raise ReaderError(f"the line has {len(fields)} fields", where=f"{path}:{number}",
                              expected="35 fields separated by commas")
        if fields[1].strip() == "2" and fields[2].strip() == "29":
            leap += 1
            continue
        if hours < HOURS:
            table[hours] = _numbers(path, number, fields)
            numbers.append(number)
        hours += 1
    if not hours and not leap:
        raise ReaderError("the file ends in its header", where=f"{path}:{len(header)}",
                          expected=f"{_HEADER_LINES} header lines and {HOURS} hours")
    if hours != HOURS:
        raise ReaderError(f"the file holds {hours} hours", where=str(path),
                          expected=f"{HOURS} hours after {_HEADER_LINES} header lines; it may be truncated")
    report: list[str] = []
    if leap:
        report.append(f"29 February left out ({leap} hours)")
    temp, dew, humidity, pressure = _complete(path, table, numbers, altitude, report)
    suspect = _suspect(temp, dew, humidity, pressure, numbers, report)
    return Epw(str(path), location, latitude, longitude, altitude, offset, frozen_f64(temp), frozen_f64(humidity),
               frozen_f64(pressure), frozen_f64(dew), suspect, tuple(report))


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (line number, line), one at a time: the file may be larger than a year needs."""
    try:
        if path.exists() and not path.is_file():
            raise ReaderError("the file cannot be read (not a regular file)", where=str(path),
                              expected="an EPW weather file")
        if path.stat().st_size > _BYTES_MAX:
            raise ReaderError("the file is too large for an EPW file", where=str(path),
                              expected=f"at most {_BYTES_MAX // 1_000_000} MB")
        with path.open(encoding="latin-1") as file:
            for number in itertools.count(1):
                line = file.readline(_LINE_MAX + 1)
                if not line:
                    return
                if len(line) > _LINE_MAX:
                    raise ReaderError("the line is too long", where=f"{path}:{number}",
                                      expected=f"at most {_LINE_MAX} characters")
                yield number, line
    except OSError as error:
        raise ReaderError(f"the file cannot be read ({error.strerror})", where=str(path),
                          expected="an EPW weather file") from None


def _location(path: Path, line: str) -> tuple[float, float, float, float, str]:
    fields = [field.strip() for field in line.split(",")]
    try:
        latitude, longitude, offset, altitude = (float(x) for x in fields[6:10])
    except ValueError:
        raise ReaderError("the LOCATION line is not complete", where=f"{path}:1",
                          expected="latitude, longitude, time zone and elevation as fields 7 to 10") from None
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180 and -12 <= offset <= 14 and -1000 <= altitude < 9000):
        raise ReaderError("the LOCATION line is out of range", where=f"{path}:1",
                          expected="latitude, longitude, time zone and elevation as fields 7 to 10")
    return latitude, longitude, offset, altitude, ", ".join(x for x in fields[1:4] if x not in ("", "-"))


def _numbers(path: Path, number: int, fields: list[str]) -> list[float]:
    out = []
    for name, (column, missing, low, high) in _FIELDS.items():
        try:
            value = float(fields[column])
        except ValueError:
            value = float("nan")
        if value != value:
            raise ReaderError(f"the {name} '{fields[column].strip()[:20]}' is not a number",
                              where=f"{path}:{number}", expected=f"{low:g} .. {high:g}, or {missing:g} when missing")
        if value >= missing:
            value = float("nan")
        elif not low <= value <= high:
            raise ReaderError(f"the {name} {value:g} is out of range", where=f"{path}:{number}",
                              expected=f"{low:g} .. {high:g}, or {missing:g} when missing")
        out.append(value)
    return out


def _complete(path: Path, table: np.ndarray, numbers: list[int], altitude_m: float,
              report: list[str]) -> tuple[F64, F64, F64, F64]:
    """Fill missing values, by interpolation or from what else the hour says."""
    temp, dew, humidity, pressure = (table[:, k].copy() for k in range(4))
    humidity /= 100.0
    for name, column in (("dry bulb", temp), ("dew point", dew), ("relative humidity", humidity),
                         ("pressure", pressure)):
        bad = np.isnan(column)
        count = int(bad.sum())
        if not count:
            continue
        if name == "pressure" and count == HOURS:
            column[:] = standard_pressure_pa(altitude_m)
            report.append("no pressure in the file: that of the standard atmosphere at its elevation is used")
            continue
        if count > _MISSING_MAX * HOURS:
            raise ReaderError(f"{count} of {HOURS} values of {name} are missing", where=str(path),
                              expected=f"at most {_MISSING_MAX:.0%}")
        column[:] = _filled(column, bad)
        report.append(f"{count} missing values of {name} interpolated ({_where(bad, numbers)})")
    return temp, dew, humidity, pressure


def _suspect(temp: F64, dew: F64, humidity: F64, pressure: F64, numbers: list[int], report: list[str]) -> np.ndarray:
    _, from_humidity, _ = moist_hours(temp, humidity, pressure)
    # one percent of RH is a wide step of the dew point in dry air
    allowed = np.where(humidity < 0.15, _PAIR_DRY_K, _PAIR_MAX_K)
    pair = np.abs(from_humidity - dew) > allowed
    if pair.any():
        report.append(f"{int(pair.sum())} hours whose humidity and dew point disagree ({_where(pair, numbers)})")
    spike = np.zeros(HOURS, dtype=bool)
    # below freezing the dew point swings widely with hardly any water
    humid = np.maximum(from_humidity, 0.0)
    for sign in (1.0, -1.0):
        spike |= _excursions(sign * humid)
    if spike.any():
        report.append(f"{int(spike.sum())} hours in isolated excursions of the dew point ({_where(spike, numbers)})")
    wet = humidity > 1.0
    if wet.any():
        report.append(f"{int(wet.sum())} hours above saturation ({_where(wet, numbers)})")
    return pair | spike


def _excursions(dew: F64) -> np.ndarray:
    """Flag short runs that stand out above the hours on both sides, which themselves agree."""
    flagged = np.zeros(HOURS, dtype=bool)
    around = np.concatenate([dew[-1:], dew, dew[:_EXCURSION_HOURS]])
    for k in np.flatnonzero(np.diff(around[:HOURS + 1]) > _EXCURSION_FOOT_K):
        peak = around[k]
        for length in range(1, _EXCURSION_HOURS + 1):
            inside = around[k + 1:k + 1 + length]
            if k + 1 + length >= len(around):
                break
            foot = max(around[k], around[k + 1 + length])
            peak = max(peak, inside[-1])
            if inside[-1] < around[k] + _EXCURSION_FOOT_K:
                break
            if inside.min() > foot + _EXCURSION_FOOT_K and peak > foot + _EXCURSION_PEAK_K:
                flagged[[(int(k) + i) % HOURS for i in range(length)]] = True
                break
    return flagged


def _filled(values: F64, bad: np.ndarray) -> F64:
    """Interpolate over the bad hours between good ones, round the year's end."""
    good = np.flatnonzero(~bad)
    if len(good) == 0:
        return values
    around = np.concatenate([[good[-1] - HOURS], good, [good[0] + HOURS]])
    held = values[around % HOURS]
    hours = np.arange(HOURS)
    after = np.searchsorted(around, hours)
    before = np.where(around[after] == hours, after, after - 1)
    span = np.maximum(around[after] - around[before], 1)
    return held[before] + (held[after] - held[before]) * ((hours - around[before]) / span)


def _where(flags: np.ndarray, numbers: list[int]) -> str:
    found = [numbers[k] for k in np.flatnonzero(flags)[:5]]
    more = int(flags.sum()) - len(found)
    return "line " + ", ".join(map(str, found)) + (f" and {more} more" if more > 0 else "")
