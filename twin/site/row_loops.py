"""Row coolant loops, their CDUs and pumps, built from a specification; see ``hydronics.py`` for the whole."""

from __future__ import annotations

from typing import Any

from twin._kernels import laws
from twin.catalog.entry import Entry
from twin.errors import CatalogError, SpecError, nearest
from twin.site.site import Topology
from twin.site.spec import CduGroupSpec, RowSpec, Spec
from twin.site.tanks import TankRows, is_tank
from twin.site.topology import hall_list, row_list

#: Row headers are sized for this velocity and run along the racks and to the CDUs (engineering estimates).
HEADER_VELOCITY_M_S, RACK_WIDTH_M, CDU_RUN_M = 2.0, 0.6, 5.0
#: Share of a rack's coolant and wetted metal that lies before the cold plates (engineering estimate).
SUPPLY_SHARE = 0.25
#: Share of the heat capacity of racks and exchangers that is coolant (engineering estimate).
LIQUID_SHARE = 0.6
#: What a rack's entry may leave out (engineering estimates): shares of its pressure drop in couplings and filter, and
#: the flow, over design, and the time without it at which it switches itself off; so it does in air above INLET_TRIP_C.
RACK_DEFAULTS = {"coupling_dp_frac": 0.21, "filter_dp_frac": 0.05, "liquid_trip_flow_frac": 0.1,
                 "liquid_trip_delay_s": 30.0}
INLET_TRIP_C = 55.0
#: What a CDU's entry may leave out (engineering estimates): expansion vessel, make-up, return control, buoyancy.
CDU_DEFAULTS = {
    "vessel_m3": 0.05, "precharge_pa": 100e3, "fill_pressure_pa": 150e3, "trip_pressure_pa": 105e3,
    "makeup_pressure_pa": 130e3, "makeup_flow_kg_s": 0.1, "makeup_tank_kg": 60.0, "makeup_c": 25.0,
    "natural_head_m": 0.3, "return_reset_s": 60.0, "fan_design_w": 0.0}


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
#: Curves of a coolant whose entry brings none (files written before coolants had any): those of PG25, Melinder (2010).
_CURVES = {"viscosity_ratio": 1.0, "mu_ln_0": 1.7535, "mu_ln_1": -0.048128, "mu_ln_2": 3.6635e-4, "mu_ln_3": -1.3608e-6,
           "mu_ln_4": 0.0, "rho_0": 1027.697, "rho_1": -0.328846, "rho_2": -0.00252639, "temp_min_c": 5.0,
           "temp_max_c": 80.0}
_VESSEL_KEYS = ("vessel_m3", "makeup_flow_kg_s", "makeup_tank_kg")
_ROW_CDU_KEYS = ("precharge_pa", "fill_pressure_pa", "trip_pressure_pa", "makeup_pressure_pa", "makeup_c",
                 "natural_head_m", "return_reset_s")
_RACK_KEYS = ("conductance", "supply_capacity_j_k", "compute_capacity_j_k", "switch_capacity_j_k",
              "switch_flow_frac", "switch_heat_w", "coupling_dp_frac", "filter_dp_frac", "trip_flow_kg_s",
              "trip_delay_s", "inlet_trip_c")
#: pumps of one CDU: they are called by letters
PUMPS_MAX = 26
CDU_KINDS = ("in-row", "in-rack", "liquid-to-air")


def coolant_at(entry: Entry, temp_c: float) -> tuple[float, float]:
    """Return (viscosity Pa s, density kg/m3) of a coolant of the catalogue, its viscosity multiplier included."""
    curve = {key: float(entry.get(key, value)) for key, value in _CURVES.items()}
    mu = laws.coolant_mu(temp_c, *(curve[f"mu_ln_{k}"] for k in range(5)))
    return mu * curve["viscosity_ratio"], laws.coolant_rho(temp_c, *(curve[f"rho_{k}"] for k in range(3)))


def switch_flow_frac(rack: Entry) -> float:
    """Return the share of a rack's flow that passes its switch trays, 0 when its entry names none.

    Trays hang in parallel: at one pressure drop, the flows of the entry's trays tell the conductances.
    """
    switches = float(rack.get("switch_trays", 0)) * float(rack.get("switch_tray_flow_m3_s", 0.0))
    compute = float(rack["nodes"]) * float(rack.get("compute_tray_flow_m3_s", 0.0))
    return switches / (switches + compute) if switches > 0.0 else 0.0


class Rows:
    """Row loops, CDUs and pumps, gathered row by row."""

    def __init__(self, spec: Spec, catalog: Any, topology: Topology) -> None:
        racks = len(topology.rack_row)
        self.catalog = catalog
        self.rack_tcs, self.rack_cp = [-1] * racks, [0.0] * racks
        self.rack = {key: [0.0] * racks for key in _RACK_KEYS}
        self.rack_bounds: list[tuple[int, int]] = []
        self.cdu_bounds, self.pump_bounds = [0], [0]
        self.tcs: dict[str, list[float]] = {key: [] for key in (
            "branch_n", "mu_rating_pa_s", "rho_rating_kg_m3", "design_flow_m3_s", "design_dp_pa",
            "header_j_k", "pipes_kg", "pumps_on_duty", "pump_b", "pump_a", "pump_best_flow_m3_s", "hold_return",
            "return_c", "sample_s", "cp_j_kgk", "rho_kg_m3", *_CURVES, *_PUMP_KEYS, *_VESSEL_KEYS, *_ROW_CDU_KEYS)}
        self.cdu: dict[str, list[float]] = {key: [] for key in (
            *_CDU_KEYS, "supply_c", "power_fixed_w", "duty", "fan_design_w")}
        self.cdu_tcs: list[int] = []
        self.cdu_loop: list[int] = []
        self.cdu_air_rack: list[int] = []
        self.cdu_hall: list[int] = []
        self.pump_cdu: list[int] = []
        self.cdu_entries: list[Entry] = []
        self.coolants: list[str] = []
        self.tcs_names: list[str] = []
        self.cdu_names: list[str] = []
        self.pump_names: list[str] = []
        self.tanks = TankRows(catalog, topology)
        immersed: list[tuple[int, str, int, RowSpec, Entry]] = []
        first = 0
        for hall, name, row in row_list(spec):
            entry = topology.rack_entries[int(topology.rack_class[first])]
            where = f"hall row {name}"
            if entry["fan_design_w"] > 0.0:
                for r in range(first, first + row.racks):
                    self.rack["trip_delay_s"][r] = RACK_DEFAULTS["liquid_trip_delay_s"]
                    self.rack["inlet_trip_c"][r] = float(entry.get("inlet_trip_c", INLET_TRIP_C))
            if is_tank(entry):
                immersed.append((hall, name, first, row, entry))
            elif entry["cooling"] == "liquid":
                if row.cdu is None:
                    raise SpecError(f"racks '{row.rack}' are liquid-cooled, but row {name} has no CDU", where=where,
                                    expected='cdu = { type = "cdu-1350kw", count = 2, spare = 1 }')
                self._add(spec, hall, name, first, row.racks, entry, row.cdu)
            elif row.cdu is not None:
                raise SpecError(f"racks '{row.rack}' are air-cooled, so row {name} has no use for a CDU", where=where)
            first += row.racks
        # the exchangers of tanks come behind all CDUs of row loops, so that those of a row stay together
        for hall, name, first, row, entry in immersed:
            self._tanks(spec, hall, name, first, row, entry)

    def _tanks(self, spec: Spec, hall: int, name: str, first: int, row: RowSpec, rack: Entry) -> None:
        group, where = row.cdu, f"hall row {name}.cdu"
        if group is None or group.count != 1 or group.spare:
            raise SpecError(f"every tank of '{rack.name}' has one exchanger of its own", where=where,
                            expected='cdu = { type = "tank-exchanger-60kw" }, without count and spare')
        entry = self.catalog.get("cdus", group.type)
        loop = self._loop(spec, name, hall, group, "in-rack")
        for r in range(first, first + row.racks):
            place = f"{name}.{r - first + 1:02d}"
            self.rack_cp[r] = self.tanks.add(place, r, len(self.cdu_tcs), rack, entry)
            self.cdu_air_rack.append(-1)
            self._cdu(entry, f"{place}.cdu", -1, loop, hall, group, True)

    def _add(self, spec: Spec, hall: int, name: str, first: int, racks: int, rack: Entry, group: CduGroupSpec) -> None:
        """Add a row: one loop for its racks, or one for every rack when the CDUs are in the racks."""
        entry = self.catalog.get("cdus", group.type)
        kind = entry.get("kind", "in-row")
        if kind not in CDU_KINDS:
            raise CatalogError(f"'{kind}' is not a kind of CDU", where=f"catalog.cdus.{entry.name}.kind",
                               expected=", ".join(CDU_KINDS))
        if group.spare >= group.count:
            raise SpecError(f"all {group.count} CDUs are spares", where=f"hall row {name}.cdu",
                            expected="a count that includes at least one CDU on duty")
        loop = self._loop(spec, name, hall, group, kind)
        if kind == "in-rack":
            for k in range(racks):
                self._row(f"{name}.tcs{k + 1}", first + k, 1, rack, entry, group)
                self._cdus(entry, name, k * group.count, loop, hall, group, kind)
        else:
            self._row(f"{name}.tcs", first, racks, rack, entry, group)
            self._cdus(entry, name, 0, loop, hall, group, kind)

    def _loop(self, spec: Spec, name: str, hall: int, group: CduGroupSpec, kind: str) -> int:
        """Return the plant loop of a row's CDUs; those that reject into the air need none, but CRAHs in the hall."""
        if kind == "liquid-to-air":
            if hall_list(spec)[hall][1].crah is None:
                raise SpecError(f"the CDUs of row {name} reject into the hall's air, but the hall has no CRAHs",
                                where=f"hall row {name}.cdu", expected='crah = { type = "crah-350kw", count = 4 }')
            return 0
        only = len(spec.plant.loop) == 1 and not group.loop
        return 0 if only else find_loop(spec, group.loop or "warm", f"hall row {name}.cdu.loop")

    def _racks(self, tcs: int, first: int, racks: int, rack: Entry, coolant: Entry, flow: float) -> None:
        n, dp, share = rack["branch_n"], rack["liquid_dp_design_pa"], switch_flow_frac(rack)
        behind = (1.0 - SUPPLY_SHARE) * rack["liquid_capacity_j_k"]
        own = {key: rack.get(key, value) for key, value in RACK_DEFAULTS.items()}
        values = {
            "conductance": flow / laws.pow(dp, 1.0 / n),
            "supply_capacity_j_k": SUPPLY_SHARE * rack["liquid_capacity_j_k"],
            "compute_capacity_j_k": (1.0 - share) * behind, "switch_capacity_j_k": share * behind,
            "switch_flow_frac": share, "switch_heat_w": float(rack.get("rack_switch_w", 0.0)) if share > 0.0 else 0.0,
            "coupling_dp_frac": own["coupling_dp_frac"], "filter_dp_frac": own["filter_dp_frac"],
            "trip_flow_kg_s": own["liquid_trip_flow_frac"] * flow * coolant["rho_kg_m3"],
            "trip_delay_s": own["liquid_trip_delay_s"],
        }
        for r in range(first, first + racks):
            self.rack_tcs[r], self.rack_cp[r] = tcs, coolant["cp_j_kgk"]
            for key, value in values.items():
                self.rack[key][r] = float(value)

    def _row(self, name: str, first: int, racks: int, rack: Entry, entry: Entry, group: CduGroupSpec) -> None:
        coolant = self.catalog.get("coolants", group.coolant)
        rated = self.catalog.get("coolants", rack.get("liquid_rating_coolant", "pg25"))
        mu, rho = coolant_at(rated, rack.get("liquid_rating_c", 40.0))
        flow = rack["liquid_flow_design_kg_s"] / rated["rho_kg_m3"]
        self._racks(len(self.rack_bounds), first, racks, rack, coolant, flow)
        self.rack_bounds.append((first, first + racks))
        self.tcs_names.append(name)
        self.coolants.append(group.coolant)
        header_m3 = racks * flow / HEADER_VELOCITY_M_S * (RACK_WIDTH_M * racks + CDU_RUN_M)
        pumps, units = int(entry["pumps"]), group.count
        heat_capacity = coolant["rho_kg_m3"] * coolant["cp_j_kgk"]
        contents = 2.0 * header_m3 + (racks * rack["liquid_capacity_j_k"]
                                      + units * entry["secondary_capacity_j_k"]) * LIQUID_SHARE / heat_capacity
        own = {key: float(entry.get(key, value)) for key, value in CDU_DEFAULTS.items()}
        curve = {key: float(coolant.get(key, value)) for key, value in _CURVES.items()}
        values = {
            "branch_n": rack["branch_n"], "mu_rating_pa_s": mu, "rho_rating_kg_m3": rho,
            "design_flow_m3_s": racks * flow, "design_dp_pa": rack["liquid_dp_design_pa"],
            "header_j_k": header_m3 * heat_capacity, "pipes_kg": contents * coolant["rho_kg_m3"],
            "pumps_on_duty": (units - group.spare) * pumps,
            # the unit's curve is that of all its pumps: one of them carries 1/pumps of the flow at the same head
            "pump_b": entry["pump_b_pa_s_m3"] * pumps, "pump_a": entry["pump_a_pa_s2_m6"] * pumps * pumps,
            "pump_best_flow_m3_s": entry["pump_best_flow_m3_s"] / pumps,
            "hold_return": float(group.hold == "return"), "return_c": group.return_c, "sample_s": entry["sample_s"],
            **{key: entry[key] for key in _PUMP_KEYS}, **curve, "cp_j_kgk": coolant["cp_j_kgk"],
            "rho_kg_m3": coolant["rho_kg_m3"],
            **{key: own[key] for key in _ROW_CDU_KEYS},
            "vessel_m3": units * own["vessel_m3"], "makeup_flow_kg_s": own["makeup_flow_kg_s"],
            "makeup_tank_kg": units * own["makeup_tank_kg"],
            "mu_ln_0": curve["mu_ln_0"] + laws.log(curve["viscosity_ratio"]),
        }
        for key, value in values.items():
            self.tcs[key].append(float(value))

    def _cdus(self, entry: Entry, row: str, before: int, loop: int, hall: int, group: CduGroupSpec, kind: str) -> None:
        """Add the CDUs of the newest loop; ``before`` of the row's have been added already."""
        first, end = self.rack_bounds[-1]
        for k in range(group.count):
            # liquid-to-air units stand spread along the row
            rack = first + (2 * k + 1) * (end - first) // (2 * group.count)
            self.cdu_air_rack.append(rack if kind == "liquid-to-air" else -1)
            self._cdu(entry, f"{row}.cdu{before + k + 1}", len(self.rack_bounds) - 1, loop, hall, group,
                      k < group.count - group.spare)
        self.cdu_bounds.append(len(self.cdu_tcs))

    def _cdu(self, entry: Entry, name: str, tcs: int, loop: int, hall: int, group: CduGroupSpec, duty: bool) -> None:
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
        self.cdu["fan_design_w"].append(float(entry.get("fan_design_w", CDU_DEFAULTS["fan_design_w"])))
        self.cdu["duty"].append(float(duty))
        if not 0 <= entry["pumps"] <= PUMPS_MAX:
            raise SpecError(f"'{entry.name}' has {entry['pumps']:g} pumps", where=f"{name}.type",
                            expected=f"at most {PUMPS_MAX}")
        for k in range(int(entry["pumps"])):
            self.pump_cdu.append(cdu)
            self.pump_names.append(f"{name}.pump{chr(65 + k)}")
        self.pump_bounds.append(len(self.pump_cdu))
