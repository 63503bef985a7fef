"""What a catalogue key is measured in, read from its suffix, and what the entries of a kind must say."""

from __future__ import annotations

from twin.units import SUFFIX_OF_UNIT

_QUALIFIERS = ("max", "min", "mean", "total", "design")

#: units that only the catalogue uses
_OWN_UNITS = {"n_m": "N/m", "m2": "m2", "per_k": "1/K", "flops": "FLOP/s", "ops": "op/s", "pa_s_m3": "Pa s/m3",
              "pa_s2_m6": "Pa s2/m6"}
#: (suffix, unit), longest suffix first, so that ``_m3_s`` is not read as ``_s``
_UNITS = sorted([*((suffix, unit) for unit, suffix in SUFFIX_OF_UNIT.items()), *_OWN_UNITS.items()],
                key=lambda pair: -len(pair[0]))
#: numbers without a unit: the last word of their key says what they count or that they are a ratio.
BARE_WORDS = frozenset({
    "ratio", "exponent", "n", "cop", "0", "1", "2", "3", "4", "year", "count", "node", "nodes", "gpus", "depth",
    "rectifiers", "pumps", "trays", "chips", "ports", "layers", "heads", "params", "param", "experts", "hidden",
    "len", "vocab", "embedding", "saturates",
})

#: kind -> what a domain needs from each of its entries; more is welcome.
REQUIRED: dict[str, frozenset[str]] = {
    "racks": frozenset({
        "accelerator", "cooling", "nodes", "gpus_per_node", "scale_up_gpus", "tdp_w", "cpus_per_node", "cpu_idle_w",
        "cpu_max_w", "node_mem_w", "nics_per_node", "nic_w", "nic_speed_bytes_s", "nvme_w", "node_fixed_w",
        "node_efficiency_frac", "rack_switch_w", "liquid_aux_frac", "fan_design_w", "air_flow_design_m3_s",
        "metal_capacity_j_k"}),
}
#: what a liquid-cooled rack must say too
REQUIRED_LIQUID = frozenset({"liquid_flow_design_kg_s", "liquid_dp_design_pa", "branch_n", "liquid_capacity_j_k"})


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


def is_bare(key: str) -> bool:
    """Tell whether a key without a unit names a count or a ratio.

    >>> is_bare("gpus_per_node"), is_bare("cop_max"), is_bare("power")
    (True, True, False)
    """
    words = key.split("_")
    while len(words) > 1 and words[-1] in _QUALIFIERS:
        words.pop()
    return words[-1] in BARE_WORDS
