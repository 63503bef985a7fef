"""Units: the suffix that every name carries, and the conversions at the edge.

Inside the model everything is s, W, J, degC (K for differences), Pa, kg/s, m3/s, m, Hz, V, A, bytes,
bytes/s, USD, kg and fractions 0..1. This file holds the only 3600 and the only 273.15 of the project.
"""

from __future__ import annotations

import re

from twin.errors import InputError

NS_PER_S = 1_000_000_000
S_PER_HOUR = 3600.0
J_PER_KWH = 3.6e6
KELVIN_OFFSET = 273.15

#: unit of a quantity -> the suffix its name must carry (a qualifier may follow: ``temp_c_max``).
SUFFIX_OF_UNIT: dict[str, str] = {
    "degC": "c", "K": "k", "W": "w", "J": "j", "s": "s", "ns": "ns", "kg": "kg", "kg/s": "kg_s",
    "m3/s": "m3_s", "m3": "m3", "m": "m", "Pa": "pa", "Hz": "hz", "V": "v", "A": "a", "bytes": "bytes",
    "bytes/s": "bytes_s", "USD": "usd", "USD/s": "usd_s", "USD/kWh": "usd_kwh", "kg/kWh": "kg_kwh",
    "W/K": "w_k", "K/W": "k_w", "J/K": "j_k", "kg/kg": "kg_kg", "1/s": "per_s", "tokens": "tokens",
    "tokens/s": "tokens_s", "W/m2": "w_m2", "L/kWh": "l_kwh", "m/s": "m_s", "J/kg": "j_kg",
    "J/kgK": "j_kgk", "kg/m3": "kg_m3", "W/s": "w_s", "frac": "frac",
}
#: units that carry no suffix: counts, codes, flags, indices and ratios with a name of their own.
BARE_UNITS = frozenset({"count", "enum", "bool", "index", "ratio"})


def suffix_fits(name: str, unit: str) -> bool:
    """Tell whether a column name ends in its unit's suffix, a qualifier allowed behind it.

    >>> suffix_fits("coolant_supply_temp_c_max", "degC"), suffix_fits("gpu_power", "W")
    (True, False)
    """
    if unit in BARE_UNITS:
        return True
    suffix = SUFFIX_OF_UNIT.get(unit)
    return suffix is not None and re.search(rf"(^|_){suffix}(_(max|min|mean|total|design|\d+))*$", name) is not None


_DURATION_NS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": NS_PER_S, "m": 60 * NS_PER_S,
                "min": 60 * NS_PER_S, "h": 3600 * NS_PER_S, "d": 86400 * NS_PER_S}
_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ns|us|ms|s|min|m|h|d)\s*")


def parse_duration_ns(text: str, *, where: str = "") -> int:
    """Read a duration such as ``200ms 90s 5m 5min 6h 2d`` or ``1h30m`` into integer nanoseconds.

    Raises:
        InputError: the text is not a duration.

    >>> parse_duration_ns("1h30m"), parse_duration_ns("200ms")
    (5400000000000, 200000000)
    """
    position, total = 0, 0
    while position < len(text):
        match = _DURATION.match(text, position)
        if match is None:
            break
        whole, _, fraction = match[1].partition(".")
        unit = _DURATION_NS[match[2]]
        total += int(whole) * unit + (int(fraction) * unit // 10 ** len(fraction) if fraction else 0)
        position = match.end()
    if not text.strip() or position != len(text):
        raise InputError(f"'{text}' is not a duration", where=where,
                         expected="a number and ms, s, m, h or d, as in 90s or 1h30m")
    return total


def format_duration(ns: int) -> str:
    """Write nanoseconds the way a person says them.

    >>> format_duration(5_400_000_000_000), format_duration(200_000_000)
    ('1h30m', '200ms')
    """
    if ns < 0:
        return "-" + format_duration(-ns)
    if ns < NS_PER_S:
        return f"{ns / 1e6:g}ms"
    parts, rest = [], ns
    for unit in ("d", "h", "m"):
        count, rest = divmod(rest, _DURATION_NS[unit])
        if count:
            parts.append(f"{count}{unit}")
    if rest or not parts:
        parts.append(f"{rest / NS_PER_S:g}s")
    return "".join(parts)
