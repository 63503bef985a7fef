"""The weather of a year and what the site's preset says: 8,760 hours from an EPW file or from a climate."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from twin._kernels.laws import standard_pressure_pa
from twin._kernels.weather import moist_hours, synthetic_year
from twin.arrays import F64, frozen_f64
from twin.errors import CatalogError, SpecError
from twin.readers.epw import Epw, read_epw
from twin.site.spec import Spec
from twin.units import S_PER_HOUR

HOURS = 8760


@dataclass(frozen=True)
class Climate:
    """Hourly weather, read-only, and the site's own figures.

    Attributes:
        outdoor_temp_c, dew_point_temp_c, rel_humidity_frac, pressure_pa, wet_bulb_temp_c, humidity_ratio_kg_kg:
            8,760 values; element k holds at the end of hour k + 1 of the year, local standard time. Between
            stamps values are interpolated linearly, and the year wraps round.
        title: what a person calls the weather.
        region: grid region.
        altitude_m: height above sea level.
        utc_offset_s: local standard time less UTC; the hours of the year follow it.
        carbon_kg_kwh, price_usd_kwh: annual mean carbon intensity and energy price.
        report: what the quality checks of a weather file found, and what was done about it.
    """

    outdoor_temp_c: F64
    dew_point_temp_c: F64
    rel_humidity_frac: F64
    pressure_pa: F64
    wet_bulb_temp_c: F64
    humidity_ratio_kg_kg: F64
    title: str
    region: str
    altitude_m: float
    utc_offset_s: int
    carbon_kg_kwh: float
    price_usd_kwh: float
    report: tuple[str, ...] = ()
    axes: dict[str, int] = field(default_factory=dict)
    names: dict[str, list[str]] = field(default_factory=dict)

    @property
    def air_density_frac(self) -> float:
        """Density of air over that at sea level and the same temperature: the standard atmosphere at this altitude.

        Ratings of fans, coils and heat sinks are understood to hold at sea level. A fan moves the same volume anywhere,
        so its mass flow and its power go with this share, and films follow the mass flow.
        """
        return standard_pressure_pa(self.altitude_m) / standard_pressure_pa(0.0)


def build_climate(spec: Spec, catalog: Any, base_dir: Path | str = ".") -> Climate:
    """Build the year of weather that ``[site]`` asks for.

    Args:
        spec: the specification as resolved.
        catalog: holds the kinds ``sites`` and ``climates``.
        base_dir: folder that ``weather = "epw:FILE"`` is relative to.

    Raises:
        CatalogError: no such preset or climate.
        ReaderError: the EPW file is missing, truncated or not one.
        SpecError: a value is out of range.
    """
    site = spec.site
    preset = catalog.get("sites", site.preset)
    weather = site.weather or str(preset["climate"])
    altitude = float(preset["altitude_m"]) if site.altitude_m is None else site.altitude_m
    if not -430.0 <= altitude <= 6000.0:
        raise SpecError(f"an altitude of {altitude:g} m is out of range", where="site.altitude_m",
                        expected="-430 .. 6000")
    offset = int(preset["utc_offset_s"])
    report: tuple[str, ...] = ()
    if weather.startswith("epw:"):
        epw = _epw(weather, Path(base_dir), site.weather_repair)
        temp, humidity, pressure = epw.temp_c, np.minimum(epw.rel_humidity_frac, 1.0), epw.pressure_pa
        title, report = epw.location, epw.report
        offset = round(epw.utc_offset_h * S_PER_HOUR)
        altitude = epw.altitude_m if site.altitude_m is None else altitude
    else:
        entry = _climate(catalog, weather)
        title = entry.title
        level = standard_pressure_pa(altitude)
        months = {key: frozen_f64(_twelve(entry, key))
                  for key in ("mean_temp_c", "daily_range_k", "dew_temp_c", "anomaly_k")}
        temp, humidity = synthetic_year(**months, pressure_pa=level)
        pressure = np.full(HOURS, level)
    ratio, dew, wet = moist_hours(temp, humidity, pressure)
    return Climate(
        outdoor_temp_c=frozen_f64(temp), dew_point_temp_c=frozen_f64(dew), rel_humidity_frac=frozen_f64(humidity),
        pressure_pa=frozen_f64(pressure), wet_bulb_temp_c=frozen_f64(wet), humidity_ratio_kg_kg=frozen_f64(ratio),
        title=title, region=str(preset["region"]), altitude_m=altitude, utc_offset_s=offset,
        carbon_kg_kwh=_choose(site.carbon_kg_kwh, preset["carbon_kg_kwh"], "carbon_kg_kwh"),
        price_usd_kwh=_choose(site.price_usd_kwh, preset["price_usd_kwh"], "price_usd_kwh"), report=report,
    )


def _choose(stated: float | None, preset: float, key: str) -> float:
    if stated is None:
        return float(preset)
    if not 0.0 <= stated <= 100.0:
        raise SpecError(f"{stated:g} is out of range", where=f"site.{key}", expected="0 .. 100")
    return stated


def _epw(weather: str, base: Path, repair: bool) -> Epw:
    name = weather.removeprefix("epw:").strip()
    if not name:
        raise SpecError("no file is named", where="site.weather", expected="epw:FILE, as in epw:weather/dallas.epw")
    epw = read_epw(base / name)
    return epw.repaired() if repair else epw


def _climate(catalog: Any, name: str) -> Any:
    try:
        return catalog.get("climates", name)
    except CatalogError as error:
        raise SpecError(f"there is no climate '{name}'", where="site.weather", expected="a climate class or epw:FILE",
                        nearest=error.nearest) from None


def _twelve(entry: Any, key: str) -> list[float]:
    values = entry[key]
    if not isinstance(values, list) or len(values) != 12:
        raise CatalogError(f"'{entry.name}' needs twelve values of '{key}'", where="catalog.climates",
                           expected="one per month, January first")
    return [float(v) for v in values]
