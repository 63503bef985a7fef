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
from twin.errors import CatalogError, SpecError, nearest
from twin.site.site import Topology
from twin.site.spec import CoolingUnitsSpec, LoopSpec, RowSpec, Spec
from twin.site.tanks import TankRows, Tanks, is_tank
from twin.site.topology import row_list

#: Row headers are sized for this velocity and run along the racks and to the CDUs (engineering estimates).
HEADER_VELOCITY_M_S, RACK_WIDTH_M, CDU_RUN_M = 2.0, 0.6, 5.0
#: Share of a rack's coolant and wetted metal that lies before the cold plates (engineering estimate).
SUPPLY_SHARE = 0.25
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
        rack: parameter name -> array by rack (conductance, capacities); see ``_rack_arrays``.
        tcs_rack_ptr: first rack of a row loop and one past its last, shape (tcs, 2): racks of a row are contiguous.
        tcs_cdu_ptr: bounds of a row loop's CDUs, shape (tcs + 1).
        tcs: parameter name -> array by row loop.
        cdu_tcs, cdu_loop, cdu_hall: where a CDU belongs; cdu_pump_ptr: bounds of its pumps, shape (cdu + 1).
        cdu: parameter name -> array by CDU; cdu_entries: catalogue entry of each CDU.
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
    tcs_rack_ptr: I32
    tcs_cdu_ptr: I32
    tcs: Mapping[str, F64]
    cdu_tcs: I32
    cdu_loop: I32
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
    rows = _Rows(spec, catalog, topology)
    plant = _Plant(spec, catalog, rows)
    return Hydronics(
        rack_tcs=frozen_i32(rows.rack_tcs), rack_cp_j_kgk=frozen_f64(rows.rack_cp), rack=_frozen(rows.rack),
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


def find_loop(spec: Spec, name: str, where: str) -> int:
    """Return the index of a plant loop.

    Raises:
        SpecError: there is none of that name.
    """
    names = [loop.name for loop in spec.plant.loop]
    if name in names:
        return names.index(name)
    raise SpecError(f"there is no plant loop '{name}'", where=where, nearest=nearest(name, names),
                    expected="a [[plant.loop]] of that name" if not names else "one of " + ", ".join(names))


_CDU_KEYS = (
    "primary_flow_design_kg_s", "ua_design_w_k", "hx_exponent", "hx_secondary_share_frac", "hx_secondary_temp_c",
    "hx_primary_temp_c", "secondary_capacity_j_k", "primary_capacity_j_k", "controls_w", "valve_stroke_s",
    "valve_gain_per_k", "valve_reset_s", "sample_s", "dew_point_margin_k", "flow_design_m3_s", "supply_c_min",
    "supply_c_max",
)
_PUMP_KEYS = ("pump_h0_pa", "pump_speed_min_frac", "pump_ramp_per_s", "pump_coast_tau_s", "pump_efficiency_frac")


class _Rows:
    """Row loops, CDUs and pumps, gathered row by row."""

    def __init__(self, spec: Spec, catalog: Any, topology: Topology) -> None:
        racks = len(topology.rack_row)
        self.coolant = catalog.get("coolants", "pg25")
        self.rack_tcs, self.rack_cp = [-1] * racks, [0.0] * racks
        self.rack = {key: [0.0] * racks for key in ("conductance", "supply_capacity_j_k", "return_capacity_j_k")}
        self.rack_bounds: list[tuple[int, int]] = []
        self.cdu_bounds, self.pump_bounds = [0], [0]
        self.tcs: dict[str, list[float]] = {key: [] for key in (
            "branch_n", "cp_j_kgk", "rho_kg_m3", "reference_c", "design_flow_m3_s", "design_dp_pa", "header_j_k",
            "pumps_on_duty", "pump_b", "pump_a", "pump_best_flow_m3_s", *_PUMP_KEYS)}
        self.cdu: dict[str, list[float]] = {key: [] for key in (*_CDU_KEYS, "supply_c", "power_fixed_w", "duty")}
        self.cdu_tcs: list[int] = []
        self.cdu_loop: list[int] = []
        self.cdu_hall: list[int] = []
        self.pump_cdu: list[int] = []
        self.cdu_entries: list[Entry] = []
        self.tcs_names: list[str] = []
        self.cdu_names: list[str] = []
        self.pump_names: list[str] = []
        self.tanks = TankRows(catalog, topology)
        immersed: list[tuple[int, str, int, RowSpec, Entry]] = []
        first = 0
        for hall, name, row in row_list(spec):
            entry = topology.rack_entries[int(topology.rack_class[first])]
            where = f"hall row {name}"
            if is_tank(entry):
                immersed.append((hall, name, first, row, entry))
            elif entry["cooling"] == "liquid":
                if row.cdu is None:
                    raise SpecError(f"racks '{row.rack}' are liquid-cooled, but row {name} has no CDU", where=where,
                                    expected='cdu = { type = "cdu-1350kw", count = 2, spare = 1 }')
                self._row(spec, catalog, hall, name, first, row.racks, entry, row.cdu)
            elif row.cdu is not None:
                raise SpecError(f"racks '{row.rack}' are air-cooled, so row {name} has no use for a CDU", where=where)
            first += row.racks
        # the exchangers of tanks come behind all CDUs of row loops, so that those of a row stay together
        for hall, name, first, row, entry in immersed:
            self._tanks(spec, catalog, hall, name, first, row, entry)

    def _tanks(self, spec: Spec, catalog: Any, hall: int, name: str, first: int, row: RowSpec, rack: Entry) -> None:
        group, where = row.cdu, f"hall row {name}.cdu"
        if group is None or group.count != 1 or group.spare:
            raise SpecError(f"every tank of '{rack.name}' has one exchanger of its own", where=where,
                            expected='cdu = { type = "tank-exchanger-60kw" }, without count and spare')
        entry = catalog.get("cdus", group.type)
        loop = self._loop(spec, group, where)
        for r in range(first, first + row.racks):
            place = f"{name}.{r - first + 1:02d}"
            self.rack_cp[r] = self.tanks.add(place, r, len(self.cdu_tcs), rack, entry)
            self._cdu(entry, f"{place}.cdu", -1, loop, hall, group, True)

    def _loop(self, spec: Spec, group: CoolingUnitsSpec, where: str) -> int:
        only = len(spec.plant.loop) == 1 and not group.loop
        return 0 if only else find_loop(spec, group.loop or "warm", f"{where}.loop")

    def _row(self, spec: Spec, catalog: Any, hall: int, name: str, first: int, racks: int, rack: Entry,
             group: CoolingUnitsSpec) -> None:
        tcs = len(self.rack_bounds)
        entry = catalog.get("cdus", group.type)
        if group.spare >= group.count:
            raise SpecError(f"all {group.count} CDUs are spares", where=f"hall row {name}.cdu",
                            expected="a count that includes at least one CDU on duty")
        cp, rho = self.coolant["cp_j_kgk"], self.coolant["rho_kg_m3"]
        n, dp = rack["branch_n"], rack["liquid_dp_design_pa"]
        flow = rack["liquid_flow_design_kg_s"] / rho
        for r in range(first, first + racks):
            self.rack_tcs[r], self.rack_cp[r] = tcs, cp
            self.rack["conductance"][r] = flow / laws.pow(dp, 1.0 / n)
            self.rack["supply_capacity_j_k"][r] = SUPPLY_SHARE * rack["liquid_capacity_j_k"]
            self.rack["return_capacity_j_k"][r] = (1.0 - SUPPLY_SHARE) * rack["liquid_capacity_j_k"]
        self.rack_bounds.append((first, first + racks))
        self.tcs_names.append(f"{name}.tcs")
        header_m3 = racks * flow / HEADER_VELOCITY_M_S * (RACK_WIDTH_M * racks + CDU_RUN_M)
        pumps = int(entry["pumps"])
        values = {
            "branch_n": n, "cp_j_kgk": cp, "rho_kg_m3": rho, "reference_c": self.coolant["reference_c"],
            "design_flow_m3_s": racks * flow, "design_dp_pa": dp, "header_j_k": header_m3 * rho * cp,
            "pumps_on_duty": (group.count - group.spare) * pumps,
            # the unit's curve is that of all its pumps: one of them carries 1/pumps of the flow at the same head
            "pump_b": entry["pump_b_pa_s_m3"] * pumps, "pump_a": entry["pump_a_pa_s2_m6"] * pumps * pumps,
            "pump_best_flow_m3_s": entry["pump_best_flow_m3_s"] / pumps,
            **{key: entry[key] for key in _PUMP_KEYS},
        }
        for key, value in values.items():
            self.tcs[key].append(float(value))
        loop = self._loop(spec, group, f"hall row {name}.cdu")
        for k in range(group.count):
            self._cdu(entry, f"{name}.cdu{k + 1}", tcs, loop, hall, group, k < group.count - group.spare)
        self.cdu_bounds.append(len(self.cdu_tcs))

    def _cdu(self, entry: Entry, name: str, tcs: int, loop: int, hall: int, group: CoolingUnitsSpec,
             duty: bool) -> None:
        cdu, supply = len(self.cdu_tcs), group.supply_c if group.supply_c is not None else entry["supply_c"]
        if not entry["supply_c_min"] <= supply <= entry["supply_c_max"]:
            raise SpecError(f"{supply:g} degC is out of the range of '{entry.name}'", where=f"{name}.supply_c",
                            expected=f"{entry['supply_c_min']:g} to {entry['supply_c_max']:g} degC")
        self.cdu_tcs.append(tcs)
        self.cdu_loop.append(loop)
        self.cdu_hall.append(hall)
        self.cdu_entries.append(entry)
        self.cdu_names.append(name)
        for key in _CDU_KEYS:
            self.cdu[key].append(float(entry[key]))
        self.cdu["supply_c"].append(float(supply))
        self.cdu["power_fixed_w"].append(float(entry.get("power_fixed_w", -1.0)))
        self.cdu["duty"].append(float(duty))
        for k in range(int(entry["pumps"])):
            self.pump_cdu.append(cdu)
            self.pump_names.append(f"{name}.pump{chr(65 + k)}")
        self.pump_bounds.append(len(self.pump_cdu))


_PUMP_GROUP = ("head_design_pa", "shutoff_ratio", "control_head_frac", "efficiency_frac", "speed_min_frac",
               "ramp_per_s", "coast_tau_s", "minimum_flow_frac")
_COOLER_KEYS = ("air_flow_design_kg_s", "fan_design_w", "free_convection_frac", "fan_ramp_per_s", "gain_per_k",
                "reset_s", "sample_s")
_CHILLER_KEYS = ("capacity_w", "carnot_efficiency_frac", "part_load_0", "part_load_1", "part_load_2",
                 "evaporator_approach_k", "condenser_approach_k", "air_condenser_approach_k", "condenser_range_k",
                 "lift_min_k", "cop_max", "restart_s", "load_ramp_per_s")


class _Plant:
    """Plant loops, groups of coolers and chillers."""

    def __init__(self, spec: Spec, catalog: Any, rows: _Rows) -> None:
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

    def _add(self, spec: Spec, catalog: Any, index: int, loop: LoopSpec, rows: _Rows) -> None:
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
                        if at == index and rows.cdu["duty"][c])
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
