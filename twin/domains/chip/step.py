"""One tick of the chips, and what their kernel is built from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from twin._kernels.chip import CLASS_COLUMNS, ChipKernel
from twin._kernels.draws import normal_array, stream_id
from twin._kernels.laws import leakage_w, voltage_frac
from twin.arrays import F64, aligned_full, frozen_f64, frozen_i32
from twin.catalog.entry import Entry
from twin.errors import CatalogError, SpecError
from twin.site.hydronics import Hydronics
from twin.site.site import Site, Topology
from twin.site.topology import row_list
from twin.units import NS_PER_S, NS_PER_YEAR
from twin.wiring import Bind

#: junction temperature at which a catalogue's idle power is understood to hold.
IDLE_TEMP_C = 35.0
#: how far below the limit a hot GPU is worth a warning.
WARN_K = 3.0


def runaway_ratio(entry: Entry) -> float:
    """Return the gain of the loop heat -> temperature -> leakage -> heat at the hottest allowed junction.

    beta times the leakage at the operating limit and highest voltage times the resistance from die to coolant at the
    design flow. At 1 and above the temperature has no steady value: the chip runs away. Ordinary chips lie below 0.3.
    """
    leak = (entry["tdp_w"] - entry["hbm_power_w"]) * entry["leak_frac"]
    hot = leakage_w(leak, entry["leak_beta_per_k"], entry["temp_max_operating_c"] - entry["leak_ref_temp_c"])
    resistance = entry["r_die_lid_k_w"] + entry["r_lid_plate_k_w"] + entry["r_plate_coolant_k_w"]
    return float(entry["leak_beta_per_k"] * hot * voltage_frac(entry["clock_max_frac"]) * resistance)


def runaway_notes(topology: Topology) -> list[str]:
    """Return a warning for each accelerator of a site whose leakage is more than half way to running away."""
    gains = [(entry.name, runaway_ratio(entry)) for entry in topology.gpu_entries]
    return [f"{name}: leakage is {gain:.0%} of the way to running away at the hottest allowed junction"
            for name, gain in gains if gain > 0.5]


def class_row(entry: Entry, air_density_frac: float = 1.0) -> dict[str, float]:
    """Return the kernel's constants of one accelerator type, by the names of ``CLASS_COLUMNS``.

    A heat sink conducts by the mass of air that passes, but the flow is a volume: in thin air (``air_density_frac`` of
    sea level's density) it takes more of it to reach the design's film.

    The catalogue's idle power is the whole package, cold; taken from it here are idle memory and the leakage at
    35 degC and lowest voltage, so that what remains is idle power proper.

    Raises:
        CatalogError: the entry lacks a thermal key, or leaks so much that its temperature would run away.
    """
    gain = runaway_ratio(entry)
    if gain >= 1.0:
        raise CatalogError(f"leakage and resistance run away: their loop gain is {gain:.2f}",
                           where=f"accelerators.{entry.name}", expected="less than 1")
    tdp, hbm, hbm_idle = entry["tdp_w"], entry["hbm_power_w"], entry["hbm_power_w"] * entry["hbm_idle_frac"]
    chip, beta, ref = tdp - hbm, entry["leak_beta_per_k"], entry["leak_ref_temp_c"]
    leak = chip * entry["leak_frac"]
    idle_leak = leakage_w(leak, beta, IDLE_TEMP_C - ref) * voltage_frac(0.0)
    idle = max(0.0, entry["idle_w"] - hbm_idle - idle_leak)
    air = entry["cooling"] == "air"
    return {
        "dyn_w": chip - leak - idle, "idle_w": idle, "leak_w": leak, "leak_beta_per_k": beta, "leak_ref_c": ref,
        "hbm_idle_w": hbm_idle, "hbm_active_w": hbm - hbm_idle, "tdp_w": tdp, "clock_max_frac": entry["clock_max_frac"],
        "clock_min_frac": entry["clock_min_frac"], "g_die_w_k": 1 / entry["r_die_lid_k_w"],
        "g_hbm_w_k": 1 / entry["r_hbm_lid_k_w"], "g_lid_w_k": 1 / entry["r_lid_plate_k_w"],
        "r_plate_k_w": entry["r_plate_coolant_k_w"],
        "flow_design": (entry["plate_flow_design_m3_s"] / air_density_frac if air
                        else entry["plate_flow_design_kg_s"]),
        "r_exponent": entry["r_plate_exponent"], "r_floor_ratio": entry["r_plate_floor_ratio"],
        "c_die_j_k": entry["c_die_j_k"], "c_hbm_j_k": entry["c_hbm_j_k"], "c_lid_j_k": entry["c_lid_j_k"],
        "c_plate_j_k": entry["c_plate_j_k"], "c_coolant_j_k": entry["c_coolant_j_k"],
        "temp_op_c": entry["temp_max_operating_c"], "temp_slow_c": entry["temp_slowdown_c"],
        "temp_shut_c": entry["temp_shutdown_c"], "temp_hbm_c": entry["temp_hbm_max_c"],
    }


def class_table(entries: Iterable[Entry], air_density_frac: float = 1.0) -> F64:
    """Return the class table of the kernel, one row per accelerator type."""
    rows = [class_row(entry, air_density_frac) for entry in entries]
    return frozen_f64(np.array([[float(row[name]) for name in CLASS_COLUMNS] for row in rows]))


def spread(seed: int, purpose: str, sigma: F64) -> F64:
    """Return factors of mean 1 and the given standard deviations, cut at three of them: chips differ.

    A pure function of the seed, the purpose and the chip's index.
    """
    draws = normal_array(seed, stream_id(purpose), 0, len(sigma))
    factors = aligned_full(len(sigma), 1.0, np.float64)
    factors += sigma * np.minimum(3.0, np.maximum(-3.0, draws))
    factors.flags.writeable = False
    return factors


def gpu_flow_frac(entry: Entry, gpu_tdp_w: float) -> float:
    """Return the share of a liquid-cooled rack's flow that passes its GPUs.

    The entry's own ``gpu_flow_frac``; without it, flow is taken to follow heat: the GPUs' share of what goes to the
    coolant at full load.
    """
    own = entry.get("gpu_flow_frac")
    if own is not None:
        return float(own)
    gpus = entry["nodes"] * entry["gpus_per_node"] * gpu_tdp_w
    return float(gpus / (gpus + entry.get("liquid_aux_frac", 0.0) * max(0.0, entry["tdp_w"] - gpus)))


def stream_shares(topology: Topology) -> F64:
    """Return, per stream, the share of the rack's coolant or air flow that one of its GPUs gets.

    Liquid passes the GPUs in parallel. Air passes the GPUs of one depth in parallel and then those behind them, so
    each depth gets all of it.

    Raises:
        SpecError: a rack without flow per GPU, or a stream in a medium for which its accelerator has no data.
    """
    t = topology
    sizes = np.diff(t.stream_gpu_ptr)
    shares = np.zeros(len(sizes))
    for s in range(len(sizes)):
        rack = t.stream_rack[s]
        entry, gpu = t.rack_entries[t.rack_class[rack]], t.gpu_entries[t.gpu_class[t.stream_gpu_ptr[s]]]
        if entry["cooling"] != gpu["cooling"]:
            raise SpecError(f"rack '{entry.name}' cools by {entry['cooling']}, "
                            f"but '{gpu.name}' is made for {gpu['cooling']}", where="hall.row.rack")
        shares[s] = 1.0 if t.stream_is_air[s] else gpu_flow_frac(entry, gpu["tdp_w"])
    in_parallel: dict[tuple[int, int], int] = {}
    for s, size in enumerate(sizes):
        place = (int(t.stream_rack[s]), int(t.stream_depth[s]))
        in_parallel[place] = in_parallel.get(place, 0) + int(size)
    for s in range(len(sizes)):
        shares[s] /= in_parallel[(int(t.stream_rack[s]), int(t.stream_depth[s]))]
    return frozen_f64(shares)


def tray_flow_frac(hydronics: Hydronics) -> F64:
    """Return, per rack, the share of its coolant that passes its compute trays; 0 where no row loop feeds it."""
    return frozen_f64(np.where(hydronics.rack_tcs >= 0, 1.0 - hydronics.rack["switch_flow_frac"], 0.0))


def interface_factors(site: Site, seed: int) -> F64:
    """Return, per GPU, the resistance from lid to plate over that of a new one: thermal interfaces dry out.

    The row's ``interface_age`` times the accelerator's ``r_lid_plate_growth_per_year``, which differs from chip to
    chip by half of itself (one sigma, never below nothing). Ones where every row is new.
    """
    t = site.topology
    ages = np.array([row.interface_age / NS_PER_YEAR for _, _, row in row_list(site.spec)], dtype=np.float64)
    growth = np.array([e.get("r_lid_plate_growth_per_year", 0.0) for e in t.gpu_entries], dtype=np.float64)
    draws = normal_array(seed, stream_id("chip.interface"), 0, len(t.gpu_class))
    own = np.minimum(2.5, np.maximum(0.0, 1.0 + 0.5 * draws))
    factors = aligned_full(len(t.gpu_class), 1.0, np.float64)
    factors += ages[t.rack_row[t.gpu_rack]] * growth[t.gpu_class] * own
    factors.flags.writeable = False
    return factors


def warn_temperatures(topology: Topology) -> F64:
    """Return, per rack, the junction temperature at which a hot GPU is worth a warning, degC."""
    limits = [entry["temp_max_operating_c"] - WARN_K for entry in topology.gpu_entries]
    return np.array([limits[topology.gpu_class[g]] for g in topology.rack_gpu_ptr[:-1]], dtype=np.float64)


def _params(site: Site, seed: int) -> dict[str, F64]:
    """Return what chips and streams are: the class table, the draws of the chips, the streams' shares."""
    t = site.topology
    sigma_power = np.array([e["spread_power_frac"] for e in t.gpu_entries], dtype=np.float64)[t.gpu_class]
    sigma_leak = np.array([e["spread_leak_frac"] for e in t.gpu_entries], dtype=np.float64)[t.gpu_class]
    return {
        "classes": class_table(t.gpu_entries, site.climate.air_density_frac),
        "power_factor": spread(seed, "chip.efficiency", sigma_power),
        "leak_factor": spread(seed, "chip.leakage", sigma_leak), "interface_factor": interface_factors(site, seed),
        "stream_share": stream_shares(t), "rack_tray_frac": tray_flow_frac(site.hydronics),
    }


def build_kernel(site: Site, seed: int, own: Any, views: Any, variant: str = "") -> ChipKernel:
    """Return the chip kernel of a site, bound to the buffers of its state."""
    t = site.topology
    state = {name: getattr(own, name) for name in (
        "gpu_temp_c", "gpu_hbm_temp_c", "gpu_lid_temp_c", "gpu_plate_temp_c", "gpu_coolant_temp_c", "gpu_clock_frac",
        "gpu_power_w", "gpu_limit_frac", "gpu_throttle", "stream_heat_w", "stream_return_temp_c", "rack_gpu_power_w",
        "rack_gpu_temp_c_max", "rack_throttled", "job_perf_frac", "job_gpu_power_w", "gpu_temp_max_c",
        "throttled_count", "tick_in_j", "tick_out_j", "tick_stored_j", "gpu_r_factor")}
    return ChipKernel(
        **state, gpu_util_frac=views.compute.gpu_util_frac, gpu_mem_frac=views.compute.gpu_mem_frac,
        gpu_on=views.compute.gpu_on, rack_cap_frac=views.compute.rack_cap_frac, gpu_job=views.workload.gpu_job,
        placement_version=views.workload.placement_version, rack_supply_temp_c=views.liquid.rack_supply_temp_c,
        rack_flow_kg_s=views.liquid.rack_flow_kg_s, rack_plate_r_factor=views.liquid.rack_plate_r_factor,
        rack_inlet_temp_c=views.air.rack_inlet_temp_c,
        rack_air_flow_m3_s=views.air.rack_air_flow_m3_s, pressure_pa=views.weather.pressure_pa,
        **site.once(("chip", seed), lambda: _params(site, seed)), stream_ptr=t.stream_gpu_ptr,
        stream_class=frozen_i32(t.gpu_class[t.stream_gpu_ptr[:-1]]), stream_is_air=t.stream_is_air,
        stream_depth=t.stream_depth, rack_stream_ptr=t.rack_stream_ptr, rack_node_ptr=t.rack_node_ptr,
        node_gpu_ptr=t.node_gpu_ptr, node_valve_frac=views.liquid.node_valve_frac,
        rack_cp_j_kgk=site.hydronics.rack_cp_j_kgk, variant=variant,
    )


class ChipStep:
    """The chips bound to their buffers."""

    def __init__(self, bind: Bind) -> None:
        self._own = bind.own
        self._kernel = build_kernel(bind.site, bind.seed, bind.own, bind.views)
        self._warn_c = warn_temperatures(bind.site.topology)
        self.refresh()

    def step(self, now_ns: int, dt_ns: int) -> None:
        """Advance power and temperature of all chips."""
        self._kernel.run(dt_ns / NS_PER_S)

    def refresh(self) -> None:
        """Rebuild what the kernel keeps beside the state."""
        self._own.rack_temp_limit_c[:] = self._warn_c
        self._kernel.refresh()
