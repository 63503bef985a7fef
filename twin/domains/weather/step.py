"""Outdoor air of the tick: hourly values interpolated at its middle."""

from __future__ import annotations

import datetime

from twin._kernels.weather import WeatherKernel
from twin.units import NS_PER_S
from twin.wiring import Bind


class WeatherStepper:
    """Writes the weather block; holds nothing but the kernel and the start of the year."""

    def __init__(self, bind: Bind) -> None:
        climate, own = bind.site.climate, bind.own
        self._own = own
        self._start_ns = year_ns(bind.site.start_unix_ns, climate.utc_offset_s)
        self._kernel = WeatherKernel(
            hourly_temp_c=climate.outdoor_temp_c, hourly_humidity_ratio=climate.humidity_ratio_kg_kg,
            hourly_pressure_pa=climate.pressure_pa, offset_temp_k=own.offset_temp_k, temp_c=own.outdoor_temp_c,
            wet_bulb_c=own.wet_bulb_temp_c, dew_point_c=own.dew_point_temp_c, rel_humidity=own.rel_humidity_frac,
            humidity_ratio=own.humidity_ratio_kg_kg, pressure_pa=own.pressure_pa,
        )

    def step(self, now_ns: int, dt_ns: int) -> None:
        """Write the outdoor air of the tick's middle."""
        self._kernel.run(self._start_ns + now_ns + dt_ns // 2)

    def refresh(self) -> None:
        """Give a fresh state the air of the first instant; there is no cache to rebuild."""
        if self._own.pressure_pa[0] <= 0.0:
            self._kernel.run(self._start_ns)


def year_ns(start_unix_ns: int, utc_offset_s: int) -> int:
    """Return the time since the year began in local standard time.

    A leap year's last day takes the hours of 1 January, since the weather year has 8,760 hours.

    >>> year_ns(3_600_000_000_000, 3600)
    7200000000000
    """
    local_s, rest = divmod(start_unix_ns + utc_offset_s * NS_PER_S, NS_PER_S)
    epoch = datetime.datetime(1970, 1, 1)
    year = (epoch + datetime.timedelta(seconds=local_s)).year
    began_s = (datetime.datetime(year, 1, 1) - epoch) // datetime.timedelta(seconds=1)
    return (local_s - began_s) * NS_PER_S + rest


def bind(given: Bind) -> WeatherStepper:
    """Bind the domain to its buffers."""
    return WeatherStepper(given)
