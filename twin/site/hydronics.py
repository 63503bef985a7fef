"""Row coolant loops, CDUs and the plant's water loops, built from a specification.

A *tcs* (technology cooling system) is the coolant loop of one row: its racks hang in parallel between two
headers, which the row's CDUs feed in parallel. A CDU hands the heat to a plant loop. A plant loop sends its
water through its groups of dry coolers and towers, one group after the other in the order given, then through
its chillers, and back to the halls.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from twin._kernels import laws
from twin.arrays import F64, I32, frozen_f64, frozen_i32, total
from twin.catalog.entry import Entry
from twin.errors import CatalogError, SpecError
from twin.site.row_loops import Rows, find_loop
from twin.site.site import Topology
from twin.site.spec import LoopSpec, Spec
from twin.site.tanks import Tanks

#: Water of a loop when the specification is silent, m3 per W of design load (20 L/kW).
LOOP_VOLUME_M3_W = 2e-5
#: Temperature rise that sizes the flow of a loop whose consumers do not say, K.
LOOP_DESIGN_RISE_K = 7.0
#: Distribution pumps when the specification is silent: three, one of them spare.
LOOP_PUMPS, LOOP_PUMP_SPARES = 3, 1


@dataclass(frozen=True)
class Hydronics:
    """Coolant loops, CDUs, pumps, plant loops and what rejects heat. Arrays are read-only.

    Attributes:
        rack_tcs: row loop of a rack, -1 when it is air-cooled.
        rack_cp_j_kgk: specific heat of the rack's coolant, the one constant of its loop; 0 for air racks.
        rack: parameter name -> array by rack (conductance, capacities); see ``Rows``.
        coolants: catalogue name of each row loop's coolant.
        tcs_rack_ptr: first rack of a row loop and one past its last, shape (tcs, 2): racks of a row are contiguous.
        tcs_cdu_ptr: bounds of a row loop's CDUs, shape (tcs + 1).
        tcs: parameter name -> array by row loop.
        cdu_tcs, cdu_loop, cdu_hall: where a CDU belongs; cdu_pump_ptr: bounds of its pumps, shape (cdu + 1).
        cdu: parameter name -> array by CDU; cdu_entries: catalogue entry of each CDU.
        cdu_air_rack: rack whose air a liquid-to-air CDU takes and warms, -1 for those on a plant loop.
        pump_cdu: CDU of a pump.
        tanks: immersion tanks; their exchangers are the last CDUs, with no row loop (``cdu_tcs`` is -1).
        loops: specification of each plant loop; loop: parameter name -> array by loop.
        loop_order: loops in the order of calculation (chillers before the loop that takes their heat).
        loop_rejector_ptr: bounds of a loop's groups of coolers, shape (loop + 1).
        rejector_loop, rejector_is_tower, rejector: groups of coolers; rejector_entries.
        chiller_loop, chiller_condenser_loop (-1 for the air), chiller: groups of chillers; chiller_entries.
    """

    rack_tcs: I32
    rack_cp_j_kgk: F64
    rack: Mapping[str, F64]
    coolants: tuple[str, ...]
    tcs_rack_ptr: I32
    tcs_cdu_ptr: I32
    tcs: Mapping[str, F64]
    cdu_tcs: I32
    cdu_loop: I32
    cdu_air_rack: I32
    cdu_hall: I32
    cdu_pump_ptr: I32
    cdu: Mapping[str, F64]
    cdu_entries: tuple[Entry, ...]
    pump_cdu: I32
    loops: tuple[LoopSpec, ...]
    loop: Mapping[str, F64]
    loop_order: I32
    loop_rejector_ptr: I32
    rejector_loop: I32
    rejector_is_tower: I32
    rejector: Mapping[str, F64]
    rejector_entries: tuple[Entry, ...]
    chiller_loop: I32
    chiller_condenser_loop: I32
    chiller: Mapping[str, F64]
    chiller_entries: tuple[Entry, ...]
    tanks: Tanks
    axes: Mapping[str, int]
    names: Mapping[str, Sequence[str]]


def build_hydronics(spec: Spec, catalog: Any, topology: Topology) -> Hydronics:
    """Build the coolant loops of a specification.

    Raises:
        SpecError: a liquid-cooled row has no CDU, a spare too many, or a loop is not there or not cooled.
        CatalogError: an entry is not in the catalogue or lacks a key.
    """
    rows = Rows(spec, catalog, topology)
    plant = _Plant(spec, catalog, rows)
    return Hydronics(
        rack_tcs=frozen_i32(rows.rack_tcs), rack_cp_j_kgk=frozen_f64(rows.rack_cp), rack=_frozen(rows.rack),
        coolants=tuple(rows.coolants), cdu_air_rack=frozen_i32(rows.cdu_air_rack),
        tcs_rack_ptr=frozen_i32(np.array(rows.rack_bounds, dtype=np.int32).reshape(-1, 2)),
        tcs_cdu_ptr=frozen_i32(rows.cdu_bounds), tcs=_frozen(rows.tcs), cdu_tcs=frozen_i32(rows.cdu_tcs),
        cdu_loop=frozen_i32(rows.cdu_loop), cdu_hall=frozen_i32(rows.cdu_hall),
        cdu_pump_ptr=frozen_i32(rows.pump_bounds), cdu=_frozen(rows.cdu), cdu_entries=tuple(rows.cdu_entries),
        pump_cdu=frozen_i32(rows.pump_cdu), loops=tuple(spec.plant.loop), loop=_frozen(plant.loop),
        loop_order=frozen_i32(plant.order), loop_rejector_ptr=frozen_i32(plant.rejector_bounds),
        rejector_loop=frozen_i32(plant.rejector_loop), rejector_is_tower=frozen_i32(plant.is_tower),
        rejector=_frozen(plant.rejector), rejector_entries=tuple(plant.rejector_entries),
        chiller_loop=frozen_i32(plant.chiller_loop), chiller_condenser_loop=frozen_i32(plant.condenser_loop),
        chiller=_frozen(plant.chiller), chiller_entries=tuple(plant.chiller_entries),
        tanks=rows.tanks.tanks(),
        axes={"tank": len(rows.tanks.racks), "tcs": len(rows.rack_bounds), "cdu": len(rows.cdu_tcs),
              "pump": len(rows.pump_cdu), "loop": len(spec.plant.loop), "rejector": len(plant.rejector_loop),
              "chiller": len(plant.chiller_loop)},
        names={"tank": rows.tanks.names, "tcs": rows.tcs_names, "cdu": rows.cdu_names, "pump": rows.pump_names,
               "loop": [loop.name for loop in spec.plant.loop], "rejector": plant.rejector_names,
               "chiller": plant.chiller_names},
    )


def _frozen(columns: Mapping[str, Sequence[float]]) -> dict[str, F64]:
    return {key: frozen_f64(values) for key, values in columns.items()}


_PUMP_GROUP = ("head_design_pa", "shutoff_ratio", "control_head_frac", "efficiency_frac", "speed_min_frac",
               "ramp_per_s", "coast_tau_s", "minimum_flow_frac")
_COOLER_KEYS = ("air_flow_design_kg_s", "fan_design_w", "free_convection_frac", "fan_ramp_per_s", "gain_per_k",
                "reset_s", "sample_s")
_CHILLER_KEYS = ("capacity_w", "carnot_efficiency_frac", "part_load_0", "part_load_1", "part_load_2",
                 "evaporator_approach_k", "condenser_approach_k", "air_condenser_approach_k", "condenser_range_k",
                 "lift_min_k", "cop_max", "restart_s", "load_ramp_per_s")


class _Plant:
    """Plant loops, groups of coolers and chillers."""

    def __init__(self, spec: Spec, catalog: Any, rows: Rows) -> None:
        self.loop: dict[str, list[float]] = {key: [] for key in (
            "cp_j_kgk", "rho_kg_m3", "half_capacity_j_k", "design_flow_kg_s", "design_load_w", "pumps", "pump_spares",
            "supply_c", *_PUMP_GROUP)}
        self.rejector: dict[str, list[float]] = {key: [] for key in (
            *_COOLER_KEYS, "units", "spares", "ua_design_w_k", "water_flow_design_kg_s", "air_film_share_frac",
            "wet_bulb_design_c", "drift_frac", "cycles_ratio")}
        self.chiller: dict[str, list[float]] = {key: [] for key in (*_CHILLER_KEYS, "units", "spares")}
        self.rejector_bounds = [0]
        self.rejector_loop: list[int] = []
        self.is_tower: list[int] = []
        self.rejector_names: list[str] = []
        self.rejector_entries: list[Entry] = []
        self.chiller_loop: list[int] = []
        self.condenser_loop: list[int] = []
        self.chiller_names: list[str] = []
        self.chiller_entries: list[Entry] = []
        names = [loop.name for loop in spec.plant.loop]
        if len(set(names)) != len(names):
            raise SpecError("two plant loops have the same name", where="plant.loop")
        for index, loop in enumerate(spec.plant.loop):
            self._add(spec, catalog, index, loop, rows)
        self.order = self._order(spec)

    def _add(self, spec: Spec, catalog: Any, index: int, loop: LoopSpec, rows: Rows) -> None:
        where = f"plant.loop.{loop.name}"
        if not loop.heat_reject and loop.chillers is None:
            raise SpecError(f"nothing cools the loop '{loop.name}'", where=where,
                            expected="heat_reject, chillers or both")
        coolant = catalog.get("coolants", loop.coolant)
        cp, rho = coolant["cp_j_kgk"], coolant["rho_kg_m3"]
        load = self._coolers(catalog, index, loop, cp)
        if loop.chillers is not None:
            load = self._chillers(spec, catalog, index, loop)
        consumers = total(rows.cdu["primary_flow_design_kg_s"][c] for c, at in enumerate(rows.cdu_loop)
                        if at == index and rows.cdu["duty"][c] and rows.cdu_air_rack[c] < 0)
        flow = consumers if consumers > 0.0 and loop.chillers is None else max(
            consumers, load / (cp * LOOP_DESIGN_RISE_K))
        volume = loop.volume_m3 if loop.volume_m3 is not None else LOOP_VOLUME_M3_W * load
        if volume <= 0.0:
            raise SpecError("a loop needs some water", where=f"{where}.volume_m3", expected="more than 0")
        entry = catalog.get("pumps", loop.pumps.type if loop.pumps else "sized")
        count = loop.pumps.count if loop.pumps else LOOP_PUMPS
        spares = loop.pumps.spare if loop.pumps else LOOP_PUMP_SPARES
        if spares >= count:
            raise SpecError(f"all {count} pumps are spares", where=f"{where}.pumps")
        if "flow_design_kg_s" in entry:
            flow = (count - spares) * float(entry["flow_design_kg_s"])
        values = {"cp_j_kgk": cp, "rho_kg_m3": rho, "half_capacity_j_k": 0.5 * volume * rho * cp,
                  "design_flow_kg_s": flow, "design_load_w": load, "pumps": count, "pump_spares": spares,
                  "supply_c": loop.supply_c, **{key: entry[key] for key in _PUMP_GROUP}}
        for key, value in values.items():
            self.loop[key].append(float(value))

    def _coolers(self, catalog: Any, index: int, loop: LoopSpec, cp: float) -> float:
        load, numbers = 0.0, {"dry": 0, "tower": 0}
        for group in loop.heat_reject:
            entry = catalog.get("coolers", group.type)
            kind = entry["kind"]
            if kind not in numbers:
                raise CatalogError(f"'{kind}' is not a kind of cooler", where=f"catalog.coolers.{entry.name}.kind",
                                   expected="dry or tower")
            if group.spare >= group.count:
                raise SpecError(f"all {group.count} units are spares", where=f"plant.loop.{loop.name}.heat_reject")
            numbers[kind] += 1
            water = entry["capacity_w"] / (cp * (entry["water_in_design_c"] - entry["water_out_design_c"]))
            ua = _dry_ua(entry, water * cp) if kind == "dry" else _tower_ua(entry, water * cp)
            values = {"units": group.count, "spares": group.spare, "ua_design_w_k": ua,
                      "water_flow_design_kg_s": water, "air_film_share_frac": entry.get("air_film_share_frac", 0.0),
                      "wet_bulb_design_c": entry.get("wet_bulb_design_c", 0.0),
                      "drift_frac": entry.get("drift_frac", 0.0), "cycles_ratio": entry.get("cycles_ratio", 2.0),
                      **{key: entry[key] for key in _COOLER_KEYS}}
            for key, value in values.items():
                self.rejector[key].append(float(value))
            self.rejector_loop.append(index)
            self.is_tower.append(int(kind == "tower"))
            self.rejector_entries.append(entry)
            self.rejector_names.append(f"{loop.name}.{kind}{numbers[kind]}")
            load += (group.count - group.spare) * float(entry["capacity_w"])
        self.rejector_bounds.append(len(self.rejector_loop))
        return load

    def _chillers(self, spec: Spec, catalog: Any, index: int, loop: LoopSpec) -> float:
        group = loop.chillers
        assert group is not None
        entry = catalog.get("chillers", group.type)
        where = f"plant.loop.{loop.name}"
        if group.spare >= group.count:
            raise SpecError(f"all {group.count} chillers are spares", where=f"{where}.chillers")
        condenser = -1 if loop.condenser == "air" else find_loop(spec, loop.condenser, f"{where}.condenser")
        if condenser == index:
            raise SpecError("a loop's chillers cannot reject into that loop", where=f"{where}.condenser")
        for key in _CHILLER_KEYS:
            self.chiller[key].append(float(entry[key]))
        self.chiller["units"].append(float(group.count))
        self.chiller["spares"].append(float(group.spare))
        self.chiller_loop.append(index)
        self.condenser_loop.append(condenser)
        self.chiller_entries.append(entry)
        self.chiller_names.append(f"{loop.name}.chillers")
        return (group.count - group.spare) * float(entry["capacity_w"])

    def _order(self, spec: Spec) -> list[int]:
        into = dict(zip(self.chiller_loop, self.condenser_loop, strict=True))
        order: list[int] = []
        waiting = list(range(len(spec.plant.loop)))
        while waiting:
            free = [k for k in waiting if not any(into.get(other, -1) == k for other in waiting)]
            if not free:
                raise SpecError("plant loops reject into each other in a circle", where="plant.loop.condenser")
            order += free
            waiting = [k for k in waiting if k not in free]
        return order


def _solve_ua(heat_at: Any, heat: float, entry: Entry) -> float:
    low, high = 1.0, 1e10
    if heat_at(high) <= heat:
        raise CatalogError(f"the rating of '{entry.name}' is out of reach", where=f"catalog.coolers.{entry.name}",
                           expected="more air flow, or water that leaves warmer")
    for _ in range(200):
        middle = math.sqrt(low * high) if high > 2.0 * low else 0.5 * (low + high)
        low, high = (middle, high) if heat_at(middle) < heat else (low, middle)
        if high - low <= 1e-12 * high:
            break
    return 0.5 * (low + high)


def _dry_ua(entry: Entry, water_w_k: float) -> float:
    """Return the rated UA of a dry cooler, W/K, from its rated heat."""
    air_w_k = entry["air_flow_design_kg_s"] * 1006.0
    c_min, c_max = min(air_w_k, water_w_k), max(air_w_k, water_w_k)
    lift = entry["water_in_design_c"] - entry["air_design_c"]
    return _solve_ua(lambda ua: laws.eps_ntu_crossflow_unmixed(ua / c_min, c_min / c_max) * c_min * lift,
                     entry["capacity_w"], entry)


def _tower_ua(entry: Entry, water_w_k: float) -> float:
    """Return the rated UA of a cooling tower, W/K, from its rated heat; full flows, sea level."""
    full = laws.tower_ua_ratio(1.0, 1.0, 0.0)

    def heat_at(ua: float) -> float:
        return laws.tower_heat(ua * full, entry["air_flow_design_kg_s"], water_w_k, 1025.0,
                               entry["water_in_design_c"], entry["wet_bulb_design_c"])[0]

    return _solve_ua(heat_at, entry["capacity_w"], entry)
