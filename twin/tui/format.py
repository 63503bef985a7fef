"""Numbers as an operator reads them: the right digits, the right unit, always the same width for the same thing."""

from __future__ import annotations

import math
from datetime import date as date_of
from datetime import timedelta
from functools import lru_cache

from twin.units import J_PER_KWH, NS_PER_S, format_duration

#: what stands for a number that does not exist
NONE = "–"
_PREFIX = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def _bad(value: float | None) -> bool:
    return value is None or not math.isfinite(value)


def digits(value: float, significant: int = 3) -> str:
    """Write a number with so many significant digits, never in scientific notation, never below the unit.

    >>> digits(1.2345), digits(12.345), digits(123.45), digits(1234.5)
    ('1.23', '12.3', '123', '1234')
    """
    size = abs(value)
    whole = 1 if size < 9.995 else 2 if size < 99.95 else 3
    return f"{value:.{max(0, significant - whole)}f}"


def si(value: float | None, unit: str, significant: int = 3) -> str:
    """Write a quantity with a decimal prefix.

    >>> si(118_240, "W"), si(12_345_678, "W", 4), si(820, "W"), si(None, "W")
    ('118 kW', '12.35 MW', '820 W', '–')
    """
    if value is None or _bad(value):
        return NONE
    for factor, prefix in _PREFIX:
        if abs(value) >= factor * 0.9995:
            return f"{digits(value / factor, significant)} {prefix}{unit}"
    return f"{digits(value, significant) if value else '0'} {unit}"


def power(watts: float | None, significant: int = 4) -> str:
    """Write a power: ``118.2 kW``, ``12.35 MW``."""
    if watts is None or _bad(watts):
        return NONE
    return f"{watts:.0f} W" if abs(watts) < 999.5 else si(watts, "W", significant)


def energy(joules: float | None, significant: int = 3) -> str:
    """Write an energy in watt hours.

    >>> energy(3.6e6), energy(1.26e10), energy(0.0), energy(None)
    ('1.00 kWh', '3.50 MWh', '0 Wh', '–')
    """
    return NONE if joules is None or _bad(joules) else si(joules / J_PER_KWH * 1e3, "Wh", significant)


def temp(celsius: float | None, unit: str = " °C") -> str:
    """Write a temperature to a tenth of a degree.

    >>> temp(71.44), temp(None)
    ('71.4 °C', '–')
    """
    return NONE if celsius is None or _bad(celsius) else f"{celsius:.1f}{unit}"


def percent(fraction: float | None) -> str:
    """Write a fraction as a percentage without jitter: ``7 %``, ``93 %``, ``100 %``."""
    return NONE if fraction is None or _bad(fraction) else f"{100 * fraction:.0f} %"


def ratio(value: float | None, places: int = 2) -> str:
    """Write a bare ratio such as PUE."""
    return NONE if value is None or _bad(value) else f"{value:.{places}f}"


def flow(kg_s: float | None, density_kg_m3: float = 1000.0) -> str:
    """Write a mass flow of coolant as litres per minute at a density.

    >>> flow(1.87)
    '112 L/min'
    """
    return NONE if kg_s is None or _bad(kg_s) else f"{kg_s * 60_000.0 / density_kg_m3:.0f} L/min"


def rate(bytes_s: float | None) -> str:
    """Write a data rate: ``381 GB/s``."""
    return si(bytes_s, "B/s")


def speed(times: float | None, sign: str = "×") -> str:
    """Write a simulation speed: ``×0.5``, ``×10``, ``×1.2k``, ``max``.

    >>> speed(10), speed(1234), speed(math.inf), speed(0.5)
    ('×10', '×1234', 'max', '×0.5')
    """
    if times is None or math.isnan(times):
        return NONE
    if math.isinf(times):
        return "max"
    if times < 9.95:
        return f"{sign}{times:.2g}"
    return f"{sign}{times:.0f}" if times < 99_500 else f"{sign}{times / 1000:.0f}k"


def clock(start_unix_ns: int, now_ns: int, offset_s: int, *, seconds: bool = True) -> str:
    """Write the simulated local time of day."""
    minutes, left = divmod(((start_unix_ns + now_ns) // NS_PER_S + offset_s) % 86_400, 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}" + (f":{left:02d}" if seconds else "")


def date(start_unix_ns: int, now_ns: int, offset_s: int) -> str:
    """Write the simulated local date."""
    return _day(((start_unix_ns + now_ns) // NS_PER_S + offset_s) // 86_400)


@lru_cache(16)
def _day(number: int) -> str:
    """Return a day counted from 1970-01-01."""
    return (date_of(1970, 1, 1) + timedelta(days=number)).isoformat()


def elapsed(ns: int) -> str:
    """Write time since the start as ``24:07`` or ``3:24:07`` or ``2d 03:24``.

    >>> elapsed(1_447_000_000_000), elapsed(0)
    ('24:07', '0:00')
    """
    seconds = max(0, ns) // NS_PER_S
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, left = divmod(rest, 60)
    if days:
        return f"{days}d {hours:02d}:{minutes:02d}"
    return f"{hours}:{minutes:02d}:{left:02d}" if hours else f"{minutes}:{left:02d}"


def span(ns: int) -> str:
    """Write a duration the short way, whole seconds: ``45s``, ``5m``, ``1h30m``."""
    seconds = max(0, ns) // NS_PER_S
    return format_duration(seconds * NS_PER_S) if seconds else "0s"


def unit(name: str) -> str:
    """Write a unit of the model for people.

    >>> unit("degC"), unit("frac"), unit("Pa")
    ('°C', '(a fraction)', 'Pa')
    """
    return {"degC": "°C", "frac": "(a fraction)"}.get(name, name)


def clean(text: str) -> str:
    """Drop control characters from text that came from a file or a user before it reaches the terminal."""
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)


def fit(text: str, width: int) -> str:
    """Cut text to a width, with an ellipsis when something is lost.

    >>> fit("pretraining", 7), fit("abc", 7)
    ('pretra…', 'abc')
    """
    if len(text) <= width:
        return text
    return text[: max(0, width - 1)] + "…" if width > 0 else ""
