"""Chips: energy, cap, throttles, shutdown, spread, coolant paths, sub-steps, determinism."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from benchmarks.chip_rig import ChipRig
from twin.domains.chip import DOMAIN
from twin.domains.chip.faults import ALARMS, FAULTS
from twin.domains.chip.step import build_kernel, stream_shares
from twin.errors import CatalogError, SpecError

FAULT = {fault.name: fault for fault in FAULTS}
CAP, HW, SW, HW_THERMAL, HBM, SHUT = 0x4, 0x8, 0x20, 0x40, 0x100, 0x200


def loaded(util: float = 1.0, supply_c: float = 40.0, **kwargs) -> ChipRig:
    rig = ChipRig(**kwargs)
    rig.supply(supply_c)
    rig.work(util)
    rig.run(120)
    return rig


@pytest.mark.parametrize("dt_s", [0.01, 0.1, 1.0, 3.7, 60.0])
def test_energy_closes_every_tick(dt_s):
    rig = ChipRig((("gb200-nvl72", 1), ("hgx-h100-x4", 1), ("hgx-b200-x4", 1)))
    rig.supply(35.0)
    for util in (0.0, 1.0, 0.2):
        rig.work(util)
        for _ in range(5):
            rig.kernel.run(dt_s)
            assert rig.residual() <= 1e-9
        assert abs(rig.chip.tick_in_j[0] - rig.chip.gpu_power_w.sum() * dt_s) <= 1e-9 * rig.chip.tick_in_j[0]
        assert rig.chip.tick_out_j[0] == pytest.approx(rig.chip.stream_heat_w.sum() * dt_s, rel=1e-12)


def test_energy_closes_through_loss_of_flow_and_shutdown():
    rig = loaded()
    rig.liquid.rack_flow_kg_s[:] = 0.0
    for _ in range(60):
        rig.kernel.run(1.0)
        assert rig.residual() <= 1e-9
    assert np.all(rig.chip.gpu_throttle & SHUT)


def test_steady_state_carries_all_heat_off():
    rig = loaded()
    rig.run(600)
    c = rig.chip
    assert c.stream_heat_w[0] == pytest.approx(c.rack_gpu_power_w[0], rel=1e-6)
    flow = rig.liquid.rack_flow_kg_s[0] * 72 * stream_shares(rig.topology)[0]
    assert c.stream_return_temp_c[0] - 40.0 == pytest.approx(c.stream_heat_w[0] / (flow * 3959.0), rel=1e-9)


def test_power_cap_acts_before_the_thermal_throttle():
    rig = loaded()
    c = rig.chip
    assert np.any(c.gpu_throttle & CAP)
    assert not np.any(c.gpu_throttle & (SW | HW | SHUT))
    assert c.gpu_power_w.max() <= 1200.0 * 1.005
    rig.compute.rack_cap_frac[:] = 0.6
    rig.run(5)
    assert c.gpu_power_w.max() <= 720.0 * 1.005
    assert c.gpu_power_w.min() >= 720.0 * 0.99
    assert np.all(c.gpu_throttle & CAP)
    assert 0.5 < c.job_perf_frac[0] < 0.8
    assert c.rack_throttled[0] == 0, "a power cap is no thermal throttle"


def test_a_cap_below_what_the_lowest_clock_needs_holds_the_lowest_clock():
    rig = loaded()
    rig.compute.rack_cap_frac[:] = 0.05
    rig.run(5)
    assert np.all(rig.chip.gpu_clock_frac == rig.topology.gpu_entries[0]["clock_min_frac"])


def test_loss_of_flow_throttles_halves_once_and_shuts_down():
    rig = loaded()
    rig.liquid.rack_flow_kg_s[:] = 0.0
    seen, slowed = set(), []
    for _ in range(40):
        before = rig.chip.gpu_limit_frac[0]
        rig.kernel.run(0.25)
        bits = int(rig.chip.gpu_throttle[0])
        seen |= {bit for bit in (SW, HW, HW_THERMAL, SHUT) if bits & bit}
        if bits & HW and rig.chip.gpu_limit_frac[0] != before:
            slowed.append(float(rig.chip.gpu_limit_frac[0] / rig.chip.gpu_clock_frac[0]))
    assert {SW, HW, HW_THERMAL} <= seen
    assert slowed == pytest.approx(np.full(len(slowed), 0.5))
    assert 1 <= len(slowed) <= 3
    assert rig.chip.gpu_limit_frac[0] > 0.44, "halved from what it was, not again at every step"
    rig.run(120)
    assert int(rig.chip.gpu_throttle[0]) == SHUT
    assert rig.chip.gpu_power_w[0] == rig.chip.gpu_clock_frac[0] == rig.chip.job_perf_frac[0] == 0.0
    rig.liquid.rack_flow_kg_s[:] = 2.1
    rig.run(120)
    assert rig.chip.gpu_temp_c[0] < 45.0
    assert int(rig.chip.gpu_throttle[0]) == SHUT, "a shutdown latches"


def test_throttled_chips_recover_when_the_coolant_comes_back():
    rig = loaded()
    rig.liquid.rack_flow_kg_s[:] = 0.0
    rig.run(8, 0.5)
    assert rig.chip.rack_throttled[0] == 72
    assert rig.chip.gpu_clock_frac.max() < 0.9
    rig.liquid.rack_flow_kg_s[:] = 2.1
    rig.run(240)
    assert rig.chip.rack_throttled[0] == rig.chip.throttled_count[0] == 0
    assert rig.chip.job_perf_frac[0] > 0.95
    assert np.all(rig.chip.gpu_limit_frac == 10.0)


def test_warm_coolant_settles_between_the_limits_under_software_throttle():
    rig = loaded(supply_c=60.0)
    rig.run(300)
    c = rig.chip
    assert np.all(c.gpu_throttle & SW)
    assert np.all(c.gpu_temp_c < 91.0)
    assert np.all(c.gpu_temp_c > 82.0)
    assert 0.1 < c.job_perf_frac[0] < 1.0


def test_hot_memory_throttles_its_bandwidth_only():
    own = {"accelerators": {"hot-memory": {"like": "gb200", "temp_hbm_max_c": 74.0}},
           "racks": {"hot-rack": {"like": "gb200-nvl72", "accelerator": "hot-memory"}}}
    rig = loaded(rows=(("hot-rack", 1),), catalog=own)
    assert np.all(rig.chip.gpu_throttle & HBM)
    assert not np.any(rig.chip.gpu_throttle & (SW | HW | SHUT))
    assert rig.chip.job_perf_frac[0] == pytest.approx(0.75, abs=0.03)
    rig.work(0.1, 0.0)
    rig.run(60)
    assert not np.any(rig.chip.gpu_throttle & HBM)


def test_faults_hurt_and_heal():
    rig = loaded()
    hot_before = rig.chip.gpu_temp_c[3]
    FAULT["gpu_shutdown"].start(rig.chip, 7, 1.0)
    FAULT["gpu_thermal_interface"].start(rig.chip, 3, 2.0)
    rig.kernel.refresh()
    rig.run(120)
    assert rig.chip.gpu_power_w[7] == rig.chip.job_perf_frac[0] == 0.0
    assert rig.chip.rack_throttled[0] >= 1
    # another 10 mK/W under about 1.2 kW
    assert 5.0 < rig.chip.gpu_temp_c[3] - hot_before < 13.0
    FAULT["gpu_shutdown"].clear(rig.chip, 7)
    FAULT["gpu_thermal_interface"].clear(rig.chip, 3)
    rig.kernel.refresh()
    rig.run(240)
    assert rig.chip.gpu_power_w[7] > 1100.0
    assert rig.chip.gpu_temp_c[3] == pytest.approx(hot_before, abs=0.1)


def test_a_gpu_without_power_draws_nothing_and_comes_back():
    rig = loaded()
    rig.compute.gpu_on[4:8] = 0
    rig.run(60)
    assert np.all(rig.chip.gpu_power_w[4:8] == 0.0)
    assert rig.chip.job_perf_frac[0] == 0.0
    assert rig.chip.gpu_temp_c[5] < rig.chip.gpu_temp_c[12] - 20
    rig.compute.gpu_on[4:8] = 1
    rig.run(60)
    assert rig.chip.gpu_power_w[5] > 1100.0


def test_chips_differ_but_only_by_the_seed():
    one, same, other = loaded(0.2), loaded(0.2), loaded(0.2, seed=2)
    assert one.chip.gpu_power_w.tobytes() == same.chip.gpu_power_w.tobytes()
    assert one.chip.gpu_power_w.tobytes() != other.chip.gpu_power_w.tobytes()
    share = one.chip.gpu_power_w.std() / one.chip.gpu_power_w.mean()
    assert 0.008 < share < 0.025


def test_rear_gpus_breathe_the_front_ones_exhaust():
    rig = ChipRig((("hgx-h100-x4", 1),))
    rig.supply(25.0)
    rig.work(1.0)
    rig.run(600)
    streams = rig.topology.stream_gpu_ptr
    front, rear = (rig.chip.gpu_temp_c[streams[s]:streams[s + 1]].mean() for s in (0, 1))
    assert rig.chip.stream_return_temp_c[1] > rig.chip.stream_return_temp_c[0] > 25.0
    assert rear - front == pytest.approx(rig.chip.stream_return_temp_c[0] - 25.0, abs=1.0)


def test_more_flow_cools_better():
    slow, fast = ChipRig(), ChipRig()
    for rig, flow in ((slow, 1.5), (fast, 3.0)):
        rig.supply(40.0)
        rig.liquid.rack_flow_kg_s[:] = flow
        rig.work(0.3)
        rig.run(200)
    assert slow.chip.gpu_temp_c.mean() > fast.chip.gpu_temp_c.mean() + 3


def test_long_ticks_agree_with_short_ones():
    short, long = ChipRig(), ChipRig()
    for rig in (short, long):
        rig.supply(40.0)
        rig.work(0.8)
    energy_j = 0.0
    for _ in range(60):
        short.run(1, 1.0)
        energy_j += short.chip.tick_in_j[0]
    long.run(60, 60.0)
    assert long.chip.gpu_temp_c == pytest.approx(short.chip.gpu_temp_c, abs=0.5)
    # the mean power of the long tick is the mean over the short ones
    assert long.chip.tick_in_j[0] == pytest.approx(energy_j, rel=0.01)


def test_power_follows_mean_activity_under_the_cap():
    """Half the time busy is about half the dynamic power: a GPU that waits does not stay at its cap."""
    watts = []
    for activity in (0.25, 0.5, 1.0):
        rig = ChipRig()
        rig.supply(40.0)
        rig.work(activity)
        rig.run(120, 1.0)
        watts.append(float(rig.chip.gpu_power_w.mean()))
    assert watts[2] == pytest.approx(1200.0, rel=0.01)
    assert watts[1] - watts[0] == pytest.approx((watts[2] - watts[1]) / 2, rel=0.1)
    assert watts[0] < 0.5 * watts[2]


def test_a_lost_flow_within_a_long_tick_is_not_missed():
    rig = loaded()
    rig.liquid.rack_flow_kg_s[:] = 0.0
    rig.kernel.run(30.0)
    assert np.all(rig.chip.gpu_throttle & (SHUT | HW))
    assert np.all(rig.chip.gpu_temp_c < 110.0)


def test_halving_the_step_converges_with_first_order():
    """T23 for chips: the error against a fine step halves with the step, within a quarter."""
    def temperature(dt_s: float) -> float:
        rig = ChipRig()
        rig.supply(40.0)
        rig.all_at(40.0)
        rig.work(0.5)
        rig.run(4, dt_s)
        return float(rig.chip.gpu_plate_temp_c[0])

    fine = temperature(1 / 512)
    errors = [abs(temperature(dt) - fine) for dt in (0.5, 0.25, 0.125, 0.0625)]
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert np.all((orders > 0.75) & (orders < 1.25))


def test_idle_power_is_the_catalogues_at_its_temperature():
    rig = ChipRig()
    rig.all_at(35.0)
    rig.supply(35.0)
    rig.run(0.01, 0.01)
    assert rig.chip.gpu_power_w.mean() == pytest.approx(200.0, rel=0.01)


def test_frontier_powers_are_exact():
    rig = loaded(0.0, rows=(("frontier-cabinet", 1),))
    assert rig.chip.gpu_power_w == pytest.approx(np.full(512, 88.0), rel=1e-12)
    rig.work(1.0)
    rig.run(60)
    assert rig.chip.gpu_power_w == pytest.approx(np.full(512, 560.0), rel=1e-12)
    assert rig.chip.gpu_clock_frac == pytest.approx(np.ones(512), rel=1e-12)
    assert not np.any(rig.chip.gpu_throttle)


def test_jobs_follow_their_own_slowest_gpu():
    rig = ChipRig((("gb200-nvl72", 2),), jobs=3)
    rig.supply(40.0)
    rig.work(1.0)
    rig.workload.gpu_job[:] = -1
    rig.workload.gpu_job[10:90] = 1
    rig.workload.gpu_job[100:102] = 2
    rig.workload.placement_version[0] += 1
    rig.compute.gpu_on[50] = 0
    rig.run(30)
    assert rig.chip.job_perf_frac[0] == 1.0, "a job without GPUs is not slowed"
    assert rig.chip.job_perf_frac[1] == 0.0
    assert rig.chip.job_perf_frac[2] == min(1.0, rig.chip.gpu_clock_frac[100:102].min())
    power = rig.chip.gpu_power_w
    np.testing.assert_allclose(rig.chip.job_gpu_power_w, [0.0, power[10:90].sum(), power[100:102].sum()], rtol=1e-13)


def test_power_of_jobs_that_hold_every_gpu_is_the_power_of_all():
    """Whole streams, parts of them, liquid and air, and a tick of several steps."""
    rig = ChipRig((("gb200-nvl72", 1), ("hgx-h100-x4", 1)), jobs=2)
    rig.supply(35.0)
    rig.work(0.9)
    rig.workload.gpu_job[80:] = 1
    rig.workload.placement_version[0] += 1
    rig.run(120, 30.0)
    assert rig.chip.job_gpu_power_w.sum() == pytest.approx(rig.chip.gpu_power_w.sum(), rel=1e-13)
    assert rig.chip.job_gpu_power_w[1] == pytest.approx(rig.chip.gpu_power_w[80:].sum(), rel=1e-13)


def test_a_state_carried_over_goes_on_with_the_same_bits():
    one = ChipRig((("gb200-nvl72", 1), ("hgx-h100-x4", 1)))
    one.supply(62.0)
    one.work(1.0)
    one.run(100)
    two = ChipRig((("gb200-nvl72", 1), ("hgx-h100-x4", 1)))
    two.supply(62.0)
    two.work(1.0)
    for name, array in one.chip.arrays().items():
        getattr(two.chip, name)[:] = array
    two.kernel.refresh()
    one.run(100)
    two.run(100)
    for name, array in one.chip.arrays().items():
        assert array.tobytes() == getattr(two.chip, name).tobytes(), name


def test_wrong_lengths_and_media_are_refused():
    rig = ChipRig()
    rig.views.compute.gpu_on = rig.compute.gpu_on[:-1]
    with pytest.raises(ValueError, match="elements belong"):
        build_kernel(rig.site, 1, rig.chip, rig.views)
    own = {"racks": {"wrong": {"like": "gb200-nvl72", "accelerator": "h100-sxm"}}}
    with pytest.raises(SpecError, match="made for air"):
        ChipRig((("wrong", 1),), catalog=own)
    own = {"racks": {"thin": {"like": "gb200-nvl72", "accelerator": "trainium2"}}}
    with pytest.raises(CatalogError, match="has no"):
        ChipRig((("thin", 1),), catalog=own)


def test_rows_fit_the_block():
    axes = {column.name: column.axis for column in DOMAIN.block.columns}
    for alarm in ALARMS:
        assert axes[alarm.column] == alarm.axis == "rack"
        assert not isinstance(alarm.threshold, str) or axes[alarm.threshold] == "rack"


def test_a_gpu_that_shut_itself_down_stays_so_until_an_operator_resets_it():
    from twin.scenario.open import open_run
    from twin.wiring import Command

    sim = open_run("small", history=False).sim
    sim.run_until(30 * 10**9)
    gpu = sim.site.find("A1.01.g07")[1]
    job = int(sim.state.workload.gpu_job[gpu])
    for name in ("gpu_temp_c", "gpu_lid_temp_c", "gpu_plate_temp_c"):
        getattr(sim.state.chip, name)[gpu] = 140.0
    sim.refresh()
    sim.advance(5)
    assert sim.state.chip.gpu_throttle[gpu] == 0x200
    assert sim.state.workload.job_failures[job] == 1
    sim.run_until(120 * 10**9)
    assert sim.state.chip.gpu_temp_c[gpu] < 60
    assert sim.state.chip.gpu_power_w[gpu] == 0
    node = sim.site.topology.gpu_node[gpu]
    tray = np.flatnonzero(sim.site.topology.gpu_node == node)
    holders = sim.state.workload.gpu_job[tray]
    assert not np.isin(holders, np.flatnonzero(sim.state.workload.job_state == 2)).any()  # nothing is placed there
    sim.submit(Command("clear", sim.now_ns, "gpu_shutdown", "A1.01.g07"))
    sim.advance(5)
    assert sim.state.chip.gpu_throttle[gpu] == 0
    assert sim.state.chip.gpu_power_w[gpu] > 50
    assert any("gpu_shutdown is reset" in e.text for e in sim.events)


def test_clearing_where_nothing_is_held_is_refused():
    from twin.errors import CommandError
    from twin.scenario.open import open_run
    from twin.wiring import Command

    sim = open_run("small", history=False).sim
    sim.advance(3)
    with pytest.raises(CommandError, match="not active"):
        sim.faults.clear(Command("clear", 0, "gpu_shutdown", "A1.01.g07"), sim.now_ns)


def test_aged_interfaces_differ_from_chip_to_chip_and_have_the_stated_mean():
    from benchmarks.chip_rig import ChipRig
    from twin.domains.chip.step import interface_factors
    from twin.units import NS_PER_YEAR

    rig = ChipRig((("gb200-nvl72", 40),))
    assert (interface_factors(rig.site, 1) == 1.0).all()
    row = rig.site.spec.hall[0].row[0]
    aged = msgspec.structs.replace(row, interface_age=4 * NS_PER_YEAR)
    hall = msgspec.structs.replace(rig.site.spec.hall[0], row=[aged])
    rig.site.spec = msgspec.structs.replace(rig.site.spec, hall=[hall])
    factors = interface_factors(rig.site, 1)
    growth = rig.topology.gpu_entries[0]["r_lid_plate_growth_per_year"]
    assert factors.mean() == pytest.approx(1 + 4 * growth, rel=0.02)
    assert factors.min() >= 1.0
    assert factors.std() == pytest.approx(0.5 * 4 * growth, rel=0.1)


def test_a_chip_that_would_run_away_is_refused():
    from twin.catalog.loader import load_catalog
    from twin.domains.chip.step import class_row, runaway_ratio
    from twin.errors import CatalogError

    leaky = {"accelerators": {"leaky": {"like": "gb200", "leak_frac": 0.6, "leak_beta_per_k": 0.05}}}
    entry = load_catalog(leaky).get("accelerators", "leaky")
    # beta P R by hand: 0.05 x 0.6 (1200 - hbm) e^(0.05 (88 - 65)) x voltage x 0.0249 K/W
    assert runaway_ratio(entry) > 1
    with pytest.raises(CatalogError, match="run away"):
        class_row(entry)
    assert runaway_ratio(load_catalog(None).get("accelerators", "gb200")) < 0.2
