"""T13, T16, T17, T22, T23: chips against closed forms, published limits and measured points."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest

from benchmarks.chip_rig import ChipRig
from twin._kernels import laws
from twin.catalog.loader import load_catalog
from twin.scenario.open import open_run

S = 10**9

#: one lumped capacity behind one resistance: everything else is a thousand times faster or stiffer.
LUMP = {
    "accelerators": {"lump": {
        "like": "gb200", "tdp_w": 700.0, "idle_w": 0.0, "hbm_power_w": 0.0, "leak_frac": 0.0, "spread_power_frac": 0.0,
        "clock_max_frac": 1.0, "r_die_lid_k_w": 1e-6, "r_lid_plate_k_w": 1e-6, "r_plate_coolant_k_w": 0.05,
        "r_plate_exponent": 0.0, "c_die_j_k": 1e-3, "c_lid_j_k": 1e-3, "c_hbm_j_k": 1e-3, "c_plate_j_k": 500.0,
        "c_coolant_j_k": 1e-3}},
    "racks": {"lump-rack": {"like": "gb200-nvl72", "accelerator": "lump", "liquid_flow_design_kg_s": 5e3}},
}


#: share of an NVL72's flow that passes its GPUs: as their heat, 86.4 of 86.4 + 0.649 (132 - 86.4) kW.
GPU_FLOW = 86.4 / (86.4 + 0.649 * 45.6)


def lump(dt_s: float) -> float:
    rig = ChipRig((("lump-rack", 1),), catalog=LUMP)
    rig.supply(40.0)
    rig.all_at(40.0)
    rig.work(1.0)
    rig.run(25.0, dt_s)
    return float(rig.chip.gpu_temp_c[0])


def test_t13_one_time_constant(validate):
    """R 0.05 K/W, C 500 J/K, 700 W from 40 degC: 62.124 degC after 25 s (closed form). 0.05 K at 0.1 s."""
    exact = 40.0 + 35.0 * (1.0 - math.exp(-1.0))
    assert exact == pytest.approx(62.124, abs=5e-4)
    validate.near("T13", "one time constant: R 0.05 K/W, C 500 J/K, 700 W, 25 s at 0.1 s", lump(0.1), 62.124,
                  within=0.05, unit="degC", source="closed form")
    errors = [abs(lump(dt) - exact) for dt in (1.0, 0.5, 0.25, 0.125)]
    for order in np.log2(np.array(errors[:-1]) / errors[1:]):
        validate.near("T13", "order of convergence when the tick is halved", float(order), 1.0, within=0.05, unit="",
                      source="backward Euler")


@pytest.mark.parametrize(("name", "current_c", "margins", "limits"), [
    ("h100-sxm", 30.0, (57.0, 2.0, 8.0), (87.0, 89.0, 95.0)), ("b200-hgx", 31.0, (57.0, 3.0, 5.0), (88.0, 91.0, 93.0)),
])
def test_t16_limits_are_absolute(validate, name, current_c, margins, limits):
    """nvidia-smi prints margins: limit = current + T.Limit; slowdown and shutdown lie above it. Exact."""
    entry = load_catalog().get("accelerators", name)
    absolute = (current_c + margins[0], current_c + margins[0] + margins[1], current_c + margins[0] + margins[2])
    assert absolute == limits
    for key, limit in zip(("temp_max_operating_c", "temp_slowdown_c", "temp_shutdown_c"), limits, strict=True):
        validate.near("T16", f"{name} {key}", entry[key], limit, within=1e-9, unit="degC", source="nvidia-smi margins")


@pytest.mark.parametrize(("power_w", "measured_c"), [(988.0, 54.0), (628.0, 43.0), (190.0, 31.0)])
def test_t17_b200_in_air(validate, power_w, measured_c):
    """Measured DGX B200 points, 20 degC room air and 4 K of preheat: within 4 K."""
    rig = ChipRig((("hgx-b200-x4", 1),))
    rig.supply(24.0)
    front = slice(0, 4)
    low, high = 0.0, 1.0
    for _ in range(20):
        rig.work((low + high) / 2, (low + high) / 2)
        rig.run(600, 60.0)
        middle = (low + high) / 2
        low, high = (middle, high) if rig.chip.gpu_power_w[front].mean() < power_w else (low, middle)
    assert rig.chip.gpu_power_w[front].mean() == pytest.approx(power_w, rel=0.01)
    validate.near("T17", f"B200 in air at {power_w:.0f} W, 20 degC room", float(rig.chip.gpu_temp_c[front].mean()),
                  measured_c, within=4.0, unit="degC", source="DGX B200, measured")


#: GB200 as in the published calculation: 1.9 L/min of PG25 per chip, steady 1200 W, never throttled.
FREE = {
    "accelerators": {"free": {
        "like": "gb200", "spread_power_frac": 0.0, "spread_leak_frac": 0.0, "clock_max_frac": 1.0,
        "temp_max_operating_c": 300.0, "temp_slowdown_c": 301.0, "temp_shutdown_c": 302.0, "temp_hbm_max_c": 300.0}},
    "racks": {"free-rack": {"like": "gb200-nvl72", "accelerator": "free"}},
}


@pytest.mark.parametrize(("supply_c", "start_c", "times"), [
    (40.0, 71.8, {87: 5.0, 89: 5.6, 91: 6.3, 93: 6.9, 95: 7.5}), (25.0, 56.1, {87: 10.4, 89: 11.1, 95: 13.2}),
])
def test_t22_flow_stops_at_once(validate, supply_c, start_c, times):
    """Loss of secondary flow at 1200 W and 1.9 L/min; independent calculation with the same network: 0.7 K, 0.7 s.

    That calculation lets the power rise with leakage; the cap holds it here, which is worth up to half a second.
    """
    rig = ChipRig((("free-rack", 1),), catalog=FREE)
    rig.supply(supply_c)
    rig.work(1.0)
    share = rig.liquid.rack_flow_kg_s[0] / 2.1
    # 1.9 L/min of PG25 (1.0105 kg/L) through each of 72 chips, which get their share of the rack's flow
    rig.liquid.rack_flow_kg_s[:] = 1.9 / 60.0 * 1.0105 * 72 / GPU_FLOW * share
    rig.run(300)
    assert rig.chip.gpu_temp_c.mean() == pytest.approx(start_c, abs=0.7)
    rig.liquid.rack_flow_kg_s[:] = 0.0
    reached: dict[int, float] = {}
    for step in range(1, 400):
        rig.kernel.run(0.05)
        for limit in times:
            if rig.chip.gpu_temp_c.mean() >= limit:
                reached.setdefault(limit, step * 0.05)
    for limit, seconds in times.items():
        validate.near("T22", f"flow stops at once, supply {supply_c:g} degC: {limit} degC after", reached[limit],
                      seconds, within=0.7, unit="s", source="independent calculation of the same network")


def test_t22_flow_fades_as_the_pumps_coast_down(validate):
    """The same with a flow of 1/(1 + t/2 s) and, as there, no power cap that holds the leakage: 0.2 s."""
    rig = ChipRig((("free-rack", 1),), catalog=FREE)
    rig.compute.rack_cap_frac[:] = 2.0
    rig.supply(40.0)
    rig.work(1.0)
    full = 1.9 / 60.0 * 1.0105 * 72 / GPU_FLOW
    rig.liquid.rack_flow_kg_s[:] = full
    rig.run(300)
    reached: dict[int, float] = {}
    for step in range(1, 400):
        rig.liquid.rack_flow_kg_s[:] = full / (1.0 + step * 0.05 / 2.0)
        rig.kernel.run(0.05)
        for limit in (87, 89, 95):
            if rig.chip.gpu_temp_c.mean() >= limit:
                reached.setdefault(limit, step * 0.05)
    for limit, seconds in ((87, 11.2), (89, 12.3), (95, 15.8)):
        validate.near("T22", f"flow fades with a time constant of 2 s: {limit} degC after", reached[limit], seconds,
                      within=0.2, unit="s", source="independent calculation of the same network")


def test_t22_facility_lost_with_the_pumps_running(validate):
    """About 0.5 K/s: 0.54 K/s for 1.3 MW into 600 L; nothing throttles within 15 s. The story `pump-trip` at 12 min."""
    sim = open_run("pump-trip", history=False).sim
    sim.run_until(719 * S)
    liquid, chip = sim.state.liquid, sim.state.chip
    racks = np.flatnonzero(sim.site.topology.rack_row == 1)[1:]
    supply = [float(liquid.tcs_supply_temp_c[1])]
    while sim.now_ns < 735 * S:
        sim.run_until(sim.now_ns + S)
        supply.append(float(liquid.tcs_supply_temp_c[1]))
        assert chip.rack_throttled[racks].sum() == 0
    validate.band("T22", "facility lost, pumps on, 667 L and 1.15 MW: fastest rise of the supply over 5 s",
                  (np.array(supply)[5:] - np.array(supply)[:-5]).max() / 5.0, 0.4, 0.6, unit="K/s",
                  source="0.54 K/s at 600 L and 1.3 MW, heat balance")
    validate.below("T22", "facility lost, pumps on: GPUs of the row throttled within 15 s",
                   float(chip.rack_throttled[racks].sum()), 0.0, unit="", source="heat balance")


def test_t22_published_bands_with_throttling(validate):
    """88 degC 2 to 8 s after the flow stops (1.25 to 1.9 L/min before), all shut down within a minute."""
    rig = ChipRig()
    rig.supply(40.0)
    rig.work(1.0)
    rig.run(300)
    rig.liquid.rack_flow_kg_s[:] = 0.0
    first = 0.0
    while rig.chip.gpu_temp_max_c[0] < 88.0:
        rig.kernel.run(0.1)
        first += 0.1
    validate.band("T22", "GB200 at 40 degC, flow stops at once: 88 degC after", first, 2.0, 8.0, unit="s",
                  source="Alkharabsheh et al.")
    while rig.chip.rack_gpu_power_w[0] > 0.0 and first < 120.0:
        rig.kernel.run(0.1)
        first += 0.1
    validate.below("T22", "GB200 at 40 degC, flow stops at once: all shut down after", first, 60.0, unit="s",
                   source="Alkharabsheh et al.: less than a minute")


def test_t23_step_equals_a_dense_implicit_solve(validate):
    """One step against a dense 5x5 backward-Euler solve in extended precision: 1e-6 K (the film is inferred)."""
    rig = ChipRig(catalog=FREE, rows=(("free-rack", 1),))
    rig.supply(33.0)
    rig.work(0.3)
    rig.run(3)
    c, h = rig.chip, 0.7
    old = [float(getattr(c, n)[0]) for n in ("gpu_temp_c", "gpu_hbm_temp_c", "gpu_lid_temp_c", "gpu_plate_temp_c",
                                             "gpu_coolant_temp_c")]
    e = rig.topology.gpu_entries[0]
    flow = rig.liquid.rack_flow_kg_s[0] * GPU_FLOW / 72
    rig.kernel.run(h)
    hbm = e["hbm_power_w"] * (0.3 + 0.7 * 0.3)
    leak_ref = (e["tdp_w"] - e["hbm_power_w"]) * e["leak_frac"]
    leak = leak_ref * math.exp(e["leak_beta_per_k"] * (old[0] - e["leak_ref_temp_c"]))
    slope = e["leak_beta_per_k"] * leak
    new = [float(getattr(c, n)[0]) for n in ("gpu_temp_c", "gpu_hbm_temp_c", "gpu_lid_temp_c", "gpu_plate_temp_c",
                                             "gpu_coolant_temp_c")]
    dynamic = float(c.gpu_power_w[0]) - hbm - leak - slope * (new[0] - old[0])
    gj, gh, gl = 1 / e["r_die_lid_k_w"], 1 / e["r_hbm_lid_k_w"], 1 / e["r_lid_plate_k_w"]
    # coolant side from the step itself: what the stream took gives 2 m cp, the plate's balance the film
    two_mcp = float(c.stream_heat_w[0]) / float((c.gpu_coolant_temp_c - 33.0).sum())
    assert two_mcp == pytest.approx(2 * flow * 3959.0, rel=1e-3)
    film = (e["c_coolant_j_k"] * (new[4] - old[4]) / h + two_mcp * (new[4] - 33.0)) / (new[3] - new[4])
    assert film == pytest.approx(1 / laws.plate_resistance_k_w(
        e["r_plate_coolant_k_w"], flow / e["plate_flow_design_kg_s"], e["r_plate_exponent"], 12.0), rel=1e-3)
    caps = [e[k] / h for k in ("c_die_j_k", "c_hbm_j_k", "c_lid_j_k", "c_plate_j_k", "c_coolant_j_k")]
    with mpmath.workprec(120):
        a = mpmath.diag(caps)
        for i, j, g in ((0, 2, gj), (1, 2, gh), (2, 3, gl), (3, 4, film)):
            a[i, i] += g
            a[j, j] += g
            a[i, j] -= g
            a[j, i] -= g
        a[0, 0] -= slope
        a[4, 4] += two_mcp
        b = mpmath.matrix([caps[i] * old[i] for i in range(5)])
        b[0] += dynamic + leak - slope * old[0]
        b[1] += hbm
        b[4] += two_mcp * 33.0
        exact = [float(x) for x in mpmath.lu_solve(a, b)]
    validate.below("T23", "chip step against a dense implicit solve, largest difference",
                   max(abs(a - b) for a, b in zip(new, exact, strict=True)), 1e-6, unit="K", source="mpmath, 120 bits")
