"""Units: the suffix that every name carries, and the conversions at the edge.

Inside the model everything is s, W, J, degC (K for differences), Pa, kg/s, m3/s, m, Hz, V, A, bytes,
bytes/s, USD, kg and fractions 0..1. This file holds the only 3600 and the only 273.15 of the project.
"""

from __future__ import annotations

import re

from twin.errors import InputError

NS_PER_S = 1_000_000_000
#: a Julian year
NS_PER_YEAR = 31_557_600 * NS_PER_S
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
#: a hundred years, which with a run's own time fits an integer of 64 bits
_DURATION_MAX_NS = 36525 * 86400 * NS_PER_S
#: characters of a duration; Python refuses to convert numbers of some thousand digits
_DURATION_TEXT_MAX = 200
_DURATION = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*(ns|us|ms|s|min|m|h|d)\s*")


def parse_duration_ns(text: str, *, where: str = "") -> int:
    """Read a duration such as ``200ms 90s 5m 5min 6h 2d`` or ``1h30m`` into integer nanoseconds.

    Raises:
        InputError: the text is not a duration.

    >>> parse_duration_ns("1h30m"), parse_duration_ns("200ms")
    (5400000000000, 200000000)
    """
    position, total = 0, 0
    while position < len(text) <= _DURATION_TEXT_MAX:
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
    if total > _DURATION_MAX_NS:
        raise InputError(f"'{text}' is too long", where=where, expected="at most a hundred years")
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


#: canonical unit -> how a person may write it -> (factor, offset): canonical = number * factor + offset.
WRITTEN_UNITS: dict[str, dict[str, tuple[float, float]]] = {
    "degC": {"degC": (1, 0), "C": (1, 0), "°C": (1, 0), "degF": (5 / 9, -160 / 9), "F": (5 / 9, -160 / 9)},
    "K": {"K": (1, 0)},
    "W": {"W": (1, 0), "kW": (1e3, 0), "MW": (1e6, 0), "GW": (1e9, 0)},
    "J": {"J": (1, 0), "kJ": (1e3, 0), "MJ": (1e6, 0), "Wh": (3600, 0), "kWh": (J_PER_KWH, 0),
          "MWh": (1e3 * J_PER_KWH, 0)},
    "s": {"ms": (1e-3, 0), "s": (1, 0), "min": (60, 0), "m": (60, 0), "h": (S_PER_HOUR, 0), "d": (24 * S_PER_HOUR, 0)},
    "m": {"mm": (1e-3, 0), "m": (1, 0), "km": (1e3, 0), "ft": (0.3048, 0)},
    "m3": {"L": (1e-3, 0), "l": (1e-3, 0), "m3": (1, 0)},
    "Pa": {"Pa": (1, 0), "kPa": (1e3, 0), "bar": (1e5, 0), "psi": (6894.757293168, 0)},
    "kg/s": {"kg/s": (1, 0)},
    "m3/s": {"m3/s": (1, 0), "m3/h": (1 / 3600, 0), "L/s": (1e-3, 0), "L/min": (1 / 60e3, 0)},
    "bytes": {"B": (1, 0), "bytes": (1, 0), "kB": (1e3, 0), "MB": (1e6, 0), "GB": (1e9, 0), "TB": (1e12, 0)},
    "bytes/s": {"B/s": (1, 0), "bytes/s": (1, 0), "kB/s": (1e3, 0), "MB/s": (1e6, 0), "GB/s": (1e9, 0),
                "TB/s": (1e12, 0),
                "b/s": (0.125, 0), "kb/s": (125, 0), "Mb/s": (125e3, 0), "Gb/s": (125e6, 0), "Tb/s": (125e9, 0)},
    "kg/kWh": {"kg/kWh": (1, 0), "g/kWh": (1e-3, 0)},
    "USD/kWh": {"USD/kWh": (1, 0), "USD/MWh": (1e-3, 0), "ct/kWh": (1e-2, 0)},
    "1/s": {"1/s": (1, 0), "/s": (1, 0), "/min": (1 / 60, 0), "/h": (1 / 3600, 0)},
    "tokens": {"tokens": (1, 0)},
    "frac": {"%": (1e-2, 0)},
}
_QUANTITY = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?)\s*(\S*)\s*")


def parse_quantity(text: str, unit: str, *, where: str = "") -> float:
    """Read a number written with its unit, such as ``400Gb/s``, ``32degC`` or ``70%``, in the canonical unit.

    A number without a unit is taken in the canonical one.

    Raises:
        InputError: not a number, or the unit is of another quantity.

    >>> parse_quantity("400Gb/s", "bytes/s"), parse_quantity("95 degF", "degC"), parse_quantity("1.5 MW", "W")
    (50000000000.0, 35.0, 1500000.0)
    """
    match = _QUANTITY.fullmatch(text)
    ways = WRITTEN_UNITS.get(unit, {})
    some = ", ".join(ways) or unit or "no unit"
    if match is None:
        raise InputError(f"'{text}' is not a number with a unit", where=where, expected=f"a number in {some}")
    if not match[2]:
        return float(match[1])
    if match[2] not in ways:
        raise InputError(f"'{match[2]}' in '{text}' is not a unit that fits here", where=where,
                         expected=f"a number in {some}")
    factor, offset = ways[match[2]]
    number, whole = float(match[1]), round(1 / factor)
    # 50 % is 0.5 exactly when divided by 100, not when multiplied by 0.01.
    scaled = number / whole if factor == 1 / max(whole, 1) else number * factor
    return scaled + offset
