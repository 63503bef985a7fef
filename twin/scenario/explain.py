"""How two moments of the same site differ, block by block, largest first, in words.

Works on what a frame publishes (or on the columns of a state): two mappings ``block.column`` -> array, the site for the
places, and the acts (commands and faults) that only one of the two had. Nothing is known here of runs or of files.

Every column that both sides have takes part, so a new column is explained without a line of code here. A column is
told once: of a whole hall, row or rack when most of it went the same way, of everything when all of it did, and of
its most different element otherwise. How large a difference is, is measured in what a person would just notice: a
degree, a tenth of a share, of a power or a flow. Below that it is not told.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.site.site import Site
from twin.state.column import Column
from twin.state.state import ALL_BLOCKS
from twin.units import format_duration

#: what a person would just notice, in the canonical unit
NOTABLE = {"degC": 1.0, "K": 1.0, "frac": 0.1, "ratio": 0.05, "bool": 1.0, "enum": 1.0}
#: share of the column's largest value that would just be noticed, for every other unit
NOTABLE_SHARE = 0.1
#: a part of the site speaks for its elements when this share of them differs notably in the same direction
MOST = 0.6
#: share of a difference from which an act counts as a part of its cause
PART = 0.25
#: size of a change of a code or a flag, which has none of its own, in noticeable steps
CODE_STEPS = 8.0
#: not told: instants, indices, the air's cells (the racks' inlets tell of them), and what rounding leaves
_SKIPPED_UNITS, _SKIPPED_AXES, _SKIPPED_WORD = frozenset({"ns", "index"}), frozenset({"cell"}), "residual"
#: summed over a part of the site; everything else is averaged
_EXTENSIVE = frozenset({"W", "J", "kg/s", "m3/s", "bytes/s", "tokens/s", "tokens", "kg", "USD", "count", "bytes"})
#: shorter words than the column's own documentation
WORDS = {
    "air.rack_inlet_temp_c": "inlet air", "air.rack_outlet_temp_c": "outlet air", "air.crah_fan_frac": "fan speed",
    "air.crah_supply_temp_c": "supply air", "air.crah_heat_w": "heat removed",
    "air.inlet_temp_max_c": "warmest inlet air", "air.crah_return_temp_c": "return air",
    "chip.gpu_temp_c": "junction temperature", "chip.rack_gpu_temp_c_max": "hottest GPU",
    "chip.gpu_clock_frac": "clock", "chip.gpu_power_w": "GPU power", "chip.rack_gpu_power_w": "GPU power",
    "chip.gpu_temp_max_c": "hottest GPU", "chip.throttled_count": "throttled GPUs",
    "compute.gpu_util_frac": "activity asked of GPUs", "liquid.rack_supply_temp_c": "coolant into racks",
    "liquid.rack_return_temp_c": "coolant out of racks", "liquid.rack_flow_kg_s": "coolant flow",
    "liquid.tcs_supply_temp_c": "coolant supply", "liquid.cdu_heat_w": "heat to the plant",
    "liquid.pump_speed_frac": "pump speed", "plant.loop_supply_temp_c": "supply water",
    "plant.loop_return_temp_c": "return water", "plant.power_w": "power of the plant",
    "plant.rejected_heat_w": "heat to the outdoor air", "power.it_w": "IT power", "power.source_w": "facility power",
    "power.utility_w": "power from the utility", "power.cooling_w": "cooling power",
    "power.loss_w": "electrical losses", "power.rack_input_w": "rack power", "power.battery_frac": "battery charge",
    "network.traffic_bytes_s": "traffic", "network.link_load_bytes_s": "traffic",
    "liquid.cdu_primary_flow_kg_s": "facility water flow", "liquid.cdu_flow_kg_s": "coolant flow",
    "liquid.cdu_primary_return_temp_c": "facility water back to the plant", "power.elec_load_w": "load",
    "power.elec_load_frac": "load of its rating", "network.link_demand_ratio": "demand over capacity",
    "network.job_slowdown": "slowdown by the network", "workload.job_util_frac": "activity of its GPUs",
    "workload.job_speed_frac": "progress", "workload.job_tokens_s": "tokens per second",
    "workload.job_tokens": "tokens", "air.crah_valve_frac": "water valve", "air.crah_power_w": "fan power",
    "air.rack_fan_frac": "server fan speed", "air.rack_fan_power_w": "server fan power",
    "workload.tokens_s": "tokens per second", "workload.jobs_running": "jobs running",
    "workload.gpus_allocated": "GPUs held by jobs", "ledger.pue_ratio": "PUE",
}


@dataclass(frozen=True)
class Act:
    """Something that only one of two runs had: a command, a fault.

    Attributes:
        at_ns: when it took effect.
        words: ``CRAH fan trip at B.crah7``, ``warm.supply_c = 30 degC``.
        domain: whose row it is.
        place: element that it names, empty for none.
        second: the second run had it (and not the first).
    """

    at_ns: int
    words: str
    domain: str
    place: str
    second: bool


@dataclass(frozen=True)
class Difference:
    """One column that differs notably.

    Attributes:
        block, column, unit: which, in its canonical unit.
        place: part of the site or element that it is told of, empty for the whole site.
        level: ``all``, ``hall``, ``row``, ``rack`` or ``element``.
        index: index of that part, -1 for all.
        first, second: value on either side there: mean over the part, or sum for powers, flows and counts.
        score: size in just noticeable steps.
        at_ns: moment that is compared.
        what: the quantity in words.
        cause: the act that it most likely comes from, in words; empty when none is known.
        text: the whole sentence.
    """

    block: str
    column: str
    unit: str
    place: str
    level: str
    index: int
    first: float
    second: float
    score: float
    at_ns: int
    what: str
    cause: str
    text: str

    @property
    def delta(self) -> float:
        """Second minus first."""
        return self.second - self.first


@dataclass(frozen=True)
class _Part:
    level: str
    index: int
    place: str
    chosen: Any


Columns = Mapping[str, NDArray[Any]]


def explain(site: Site, first: Columns, second: Columns, at_ns: int, acts: Sequence[Act] = (),
            alone: Sequence[tuple[Act, Columns]] = ()) -> list[Difference]:
    """Return the notable differences of two moments: the block with the largest first, and so within each.

    Args:
        site: of both.
        first, second: ``block.column`` -> array; columns that only one side has are left out.
        at_ns: the moment, simulated.
        acts: what only one of the two had.
        alone: for every act, the columns of a third future that had it alone; a cause is then shown, not guessed.
    """
    found: list[Difference] = []
    for block in ALL_BLOCKS:
        for col in block.columns:
            path = f"{block.block_name}.{col.name}"
            a, b = first.get(path), second.get(path)
            if a is None or b is None or _skipped(col):
                continue
            if a.shape == b.shape and not np.array_equal(a, b):
                told = _column(site, block.block_name, col, a, b, at_ns, acts, alone)
                if told is not None:
                    found.append(told)
    largest: dict[str, float] = {}
    for one in found:
        largest[one.block] = max(largest.get(one.block, 0.0), one.score)
    order = {block.block_name: i for i, block in enumerate(ALL_BLOCKS)}
    return sorted(found, key=lambda d: (-largest[d.block], order[d.block], -d.score))


def at_place(site: Site, one: Difference, first: Columns, second: Columns) -> tuple[float, float]:
    """Return both sides' values, at another moment, of the same column and part of the site."""
    path = f"{one.block}.{one.column}"
    a, b = first[path], second[path]
    axis = next(c.axis for block in ALL_BLOCKS if block.block_name == one.block for c in block.columns
                if c.name == one.column)
    if one.level == "all":
        chosen: Any = slice(None)
    elif one.level == "element":
        chosen = slice(one.index, one.index + 1)
    else:
        chosen = parts_of(site, axis)[one.level] == one.index
    return _value(a[chosen], one.unit), _value(b[chosen], one.unit)


def parts_of(site: Site, axis: str) -> dict[str, NDArray[Any]]:
    """Return, for an axis, which hall, row and rack each element lies in (-1 for none); coarse first."""
    t = site.topology
    racks: Mapping[str, Any] = {"gpu": t.gpu_rack, "node": t.node_rack, "stream": t.stream_rack}
    if axis == "rack":
        return {"hall": t.rack_hall, "row": t.rack_row}
    if axis in racks:
        rack = racks[axis]
        return {"hall": t.rack_hall[rack], "row": t.rack_row[rack], "rack": rack}
    if axis == "row":
        return {"hall": t.row_hall}
    if axis in ("one", "hall", "link", "switch", "job", "cell") or axis not in site.names:
        return {}
    rows = {name: i for i, name in enumerate(site.names["row"])}
    halls = {name: i for i, name in enumerate(site.names["hall"])}
    heads = [name.partition(".")[0] for name in site.names[axis]]
    row = np.array([rows.get(head, -1) for head in heads], dtype=np.int64)
    hall = np.array([halls.get(head, -1) for head in heads], dtype=np.int64)
    hall = np.where(row >= 0, t.row_hall[row], hall)
    return {"hall": hall, "row": row}


def _skipped(col: Column) -> bool:
    # What faults and commands write is the act itself, not what comes of it.
    return (col.unit in _SKIPPED_UNITS or col.axis in _SKIPPED_AXES or col.role in ("fault", "setpoint")
            or _SKIPPED_WORD in col.name)


def _column(site: Site, block: str, col: Column, a: NDArray[Any], b: NDArray[Any], at_ns: int,
            acts: Sequence[Act], alone: Sequence[tuple[Act, Columns]]) -> Difference | None:
    x, y = a.astype(np.float64), b.astype(np.float64)
    step = y - x
    step[~np.isfinite(step)] = 0.0
    notable = NOTABLE.get(col.unit, 0.0) or NOTABLE_SHARE * float(max(np.abs(x[np.isfinite(x)]).max(initial=0),
                                                                      np.abs(y[np.isfinite(y)]).max(initial=0)))
    if col.unit == "count":
        notable = max(notable, 1.0)
    size = np.abs(step) / notable if notable > 0 else np.zeros(step.size)
    if not size.size or size.max() < 1.0:
        return None
    part = _speaker(site, col, step, size)
    first, second = _value(x[part.chosen], col.unit), _value(y[part.chosen], col.unit)
    score = float(size[part.chosen].mean())
    if col.unit in ("bool", "enum") and part.level == "element":
        score = CODE_STEPS
    what = WORDS.get(f"{block}.{col.name}") or _plain(col.doc)
    told = Difference(block, col.name, col.unit, part.place, part.level, part.index, first, second, score, at_ns, what,
                      "", "")
    if alone:
        values = [(act, _value(columns[f"{block}.{col.name}"][part.chosen].astype(np.float64), col.unit))
                  for act, columns in alone if act.at_ns < at_ns]
        causes = _shown(told, values)
    else:
        guess = _cause(site, acts, block, part, at_ns)
        causes = [guess] if guess is not None else []
    words = " and ".join(act.words for act in causes)
    since = min((act.at_ns for act in causes or acts), default=-1)
    text = f"{part.place} {what} {change(told, col.doc)}".strip()
    if 0 <= since < at_ns:
        text += f" after {format_duration((at_ns - since) // 10**9 * 10**9)}"
    if causes:
        text += f": {words}" if causes[0].second else f": no {words}"
    return Difference(**{**vars(told), "cause": words, "text": text})


def _shown(told: Difference, values: Sequence[tuple[Act, float]]) -> list[Act]:
    """Return the acts that a difference comes from, by what each makes alone: one that makes most of it, or several.

    When none makes much alone it takes them together (both feeds of a rack, a pump and its spare): then both are named
    where there are two, and nothing is where there are more.
    """
    if told.delta == 0.0:
        return []
    shares = sorted(((value - told.first) / told.delta, i) for i, (_, value) in enumerate(values))[::-1]
    if shares and shares[0][0] >= MOST:
        return [values[shares[0][1]][0]]
    parts = [values[i][0] for share, i in shares if share >= PART]
    return parts or ([act for act, _ in values] if len(values) <= 2 else [])


def _speaker(site: Site, col: Column, step: NDArray[Any], size: NDArray[Any]) -> _Part:
    """Return the part of the site that a column's difference is best told of."""
    if col.axis == "one":
        return _Part("all", -1, "", slice(None))
    top = int(size.argmax())
    names = site.names.get(col.axis)
    element = _Part("element", top, names[top] if names is not None else f"{col.axis} {top + 1}",
                    slice(top, top + 1))
    if col.unit in ("bool", "enum") and col.axis != "gpu":
        return element
    same = (size >= 1.0) & (np.sign(step) == np.sign(step[top]))
    for level, of in parts_of(site, col.axis).items():
        home = int(of[top])
        if home < 0:
            continue
        mine = of == home
        if mine.sum() > 1 and same[mine].mean() >= MOST and size[mine].mean() * 4 >= size[top]:
            name = site.names[level][home]
            return _Part(level, home, f"hall {name}" if level == "hall" else f"row {name}" if level == "row" else name,
                         mine)
    return element


def _value(values: NDArray[Any], unit: str) -> float:
    if not values.size:
        return 0.0
    return float(values.sum()) if unit in _EXTENSIVE else float(values.astype(np.float64).mean())


def _plain(doc: str) -> str:
    """Turn a column's documentation into words for the middle of a sentence."""
    words = re.split(r"[.;:,(]|, mean", doc)[0].strip()
    if words.startswith(("0 ", "The ", "Share of ")):
        words = words.removeprefix("The ")
    return words[:1].lower() + words[1:] if words[1:2].islower() else words


_SCALED = {"W": (("MW", 1e6), ("kW", 1e3)), "J": (("MWh", 3.6e9), ("kWh", 3.6e6)),
           "bytes/s": (("GB/s", 1e9), ("MB/s", 1e6)), "bytes": (("TB", 1e12), ("GB", 1e9)), "Pa": (("kPa", 1e3),),
           "kg": (("t", 1e3),), "tokens": (("G tokens", 1e9), ("M tokens", 1e6)),
           "tokens/s": (("M tokens/s", 1e6), ("k tokens/s", 1e3))}


def change(one: Difference, doc: str = "") -> str:
    """Write how a value changed: ``+3.1 K``, ``0.8 -> 0 kW``, ``running -> restarting``."""
    if one.unit == "enum" and one.level == "element":
        codes = dict(re.findall(r"\b(\d+) ([a-z][a-z -]*)", doc))
        first, second = (codes.get(str(int(v)), f"{v:g}").strip() for v in (one.first, one.second))
        return f"{first} -> {second}"
    if one.unit == "bool" and one.level == "element":
        return f"{'yes' if one.first else 'no'} -> {'yes' if one.second else 'no'}"
    if one.unit in ("degC", "K"):
        return f"{one.delta:+.1f} K"
    if one.unit == "frac":
        return f"{100 * one.first:.0f} % -> {100 * one.second:.0f} %"
    unit, factor = one.unit, 1.0
    largest = max(abs(one.first), abs(one.second))
    for name, scale in _SCALED.get(one.unit, ()):
        if largest >= scale:
            unit, factor = name, scale
            break
    shown = "" if unit in ("count", "ratio", "enum", "bool") else f" {unit}"
    return f"{one.delta / factor:+.3g}{shown} ({one.first / factor:.4g} -> {one.second / factor:.4g})"


def _cause(site: Site, acts: Sequence[Act], block: str, part: _Part, at_ns: int) -> Act | None:
    """Return the act that a difference most likely comes from: in the same place, row or hall, or of the same block.

    The latest of several that are as close; none when nothing but the hall speaks for more than one, or nothing at all.
    """
    earlier = [act for act in acts if act.at_ns < at_ns]
    if not earlier:
        return None
    rows, halls = list(site.names["row"]), list(site.names["hall"])

    def hall_of(head: str) -> int:
        return int(site.topology.row_hall[rows.index(head)]) if head in rows else \
            halls.index(head) if head in halls else -1

    def closeness(act: Act) -> tuple[int, int]:
        here, there = part.place.split(" ")[-1], act.place
        head, other = here.partition(".")[0], there.partition(".")[0]
        near = 0
        if here and here == there:
            near = 3
        elif head and head == other and head in rows:
            near = 2
        elif hall_of(head) >= 0 and hall_of(head) == hall_of(other):
            near = 1
        return near, int(act.domain == block)

    best = max(earlier, key=lambda act: (closeness(act), act.at_ns))
    if len(earlier) == 1:
        return best
    alike = sum(closeness(act) == closeness(best) for act in earlier)
    near, same_block = closeness(best)
    return best if near > 1 or same_block or (near == 1 and alike == 1) else None  # a guess is not told
