"""What a catalogue key is measured in: read from its suffix, as everywhere in the project."""

from __future__ import annotations

from twin.units import SUFFIX_OF_UNIT

#: suffix -> unit, longest suffix first, so that ``_m3_s`` is not read as ``_s``.
_UNITS = sorted(((suffix, unit) for unit, suffix in SUFFIX_OF_UNIT.items()), key=lambda pair: -len(pair[0]))
_QUALIFIERS = ("max", "min", "mean", "total", "design")


def unit_of(key: str) -> str:
    """Return the unit that a key's name states, or an empty string for a bare number or a text.

    >>> unit_of("air_flow_design_m3_s"), unit_of("tdp_w"), unit_of("gpus_per_node"), unit_of("supply_c_max")
    ('m3/s', 'W', '', 'degC')
    """
    words = key.split("_")
    while len(words) > 1 and words[-1] in _QUALIFIERS:
        words.pop()
    for suffix, unit in _UNITS:
        parts = suffix.split("_")
        if len(words) > len(parts) and words[-len(parts):] == parts:
            return unit
    return ""
