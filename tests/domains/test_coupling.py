"""The domains together, both ways: heat slows chips, slow chips slow jobs, slow jobs draw less and cool down.

Run on the built-in factories with the generator of random jobs taken away. Times of the flow stop: a GB200 at 1200 W
and 40 degC supply passes 88 degC 2 to 8 s after its flow stops at once, 8 to 13 s when pumps coast down (Alkharabsheh
et al., and a resistance-capacitance model of the same plate).
"""

import numpy as np
import pytest

from twin.scenario.open import open_run
from twin.wiring import Command

S = 10**9
MIN = 60 * S
SW_THERMAL, SHUT = 0x20, 0x200
FULL = ("job.pretrain.kind=batch", "job.pretrain.model=", "job.pretrain.plan.tp=1", "job.pretrain.plan.pp=1",
        "job.pretrain.plan.dp=1", "job.pretrain.checkpoint=0s", "job.pretrain.utilisation=1.0")


def demo(minutes: int, *sets: str):
    """A warm factory at a moment when no job writes a checkpoint and nothing has failed yet."""
    sim = open_run("demo", sets=["workload.generator=none", "event=[]", *sets], history=False).sim
    sim.run_until(minutes * MIN)
    return sim


def fault(sim, name, place, value=None, duration=None):
    sim.submit(Command("fault", sim.now_ns, name, place, value, duration))


def gpus_of(sim, racks):
    return np.isin(sim.site.topology.gpu_rack, racks)


def seconds_to(sim, gpus, temp_c, most):
    start = sim.now_ns
    while sim.state.chip.gpu_temp_c[gpus].max() < temp_c and sim.now_ns < start + most * S:
        sim.advance()
    return (sim.now_ns - start) / S


def test_a_stopped_rack_throttles_in_seconds_and_shuts_down_for_good():
    sim = demo(9)
    state, rack = sim.state, np.array([0])
    gpus, healthy_w = gpus_of(sim, rack), float(sim.state.power.rack_input_w[1])
    fault(sim, "rack_branch_blocked", "A1.01", 0.0, 3 * MIN)
    assert 2.0 <= seconds_to(sim, gpus, 88.0, 60) <= 8.0
    sim.run_until(sim.now_ns + 5 * S)
    assert 0.3 < state.workload.job_speed_frac[0] < 0.8  # the slowest chips pace all 4,096
    waiting = gpus_of(sim, np.array([1]))  # and racks that are not hot wait for them
    assert state.compute.gpu_util_frac[waiting].max() < 0.9 * state.compute.gpu_util_frac[gpus].max()
    assert state.power.rack_input_w[1] < 0.88 * healthy_w
    sim.run_until(sim.now_ns + 60 * S)
    shut = (state.chip.gpu_throttle[gpus] & SHUT) != 0
    assert shut.sum() > 50  # most chips protect themselves, then the rack switches off
    assert state.liquid.rack_protected[0] == 1
    assert state.workload.job_failures[0] == 1
    assert state.power.rack_input_w[0] == 0.0
    sim.run_until(sim.now_ns + 5 * MIN)  # flow is back, the chips are cold
    assert state.chip.gpu_temp_c[gpus].max() < 60.0
    assert ((state.chip.gpu_throttle[gpus] & SHUT) != 0).tolist() == shut.tolist()  # but a shutdown latches
    assert state.liquid.rack_protected[0] == 1
    assert (state.workload.gpu_job[gpus] < 0).all()
    assert sim.check() == []


def test_a_row_without_pumps_throttles_while_they_coast_down():
    # full activity: the published times are those of 1,200 W
    sim = demo(9, *FULL)
    racks = np.flatnonzero(sim.site.topology.rack_row == 0)
    for name in sim.site.names["pump"]:
        if name.startswith("A1."):
            fault(sim, "cdu_pump_trip", name, duration=30 * S)
    assert 8.0 <= seconds_to(sim, gpus_of(sim, racks), 88.0, 60) <= 13.0
    sim.run_until(sim.now_ns + 20 * S)
    assert not (sim.state.chip.gpu_throttle & SHUT).any()
    assert 0.3 < sim.state.workload.job_speed_frac[0] < 0.9
    assert sim.state.power.rack_input_w[racks].mean() < 100e3
    sim.run_until(sim.now_ns + 4 * MIN)  # the pumps came back after 30 s
    assert sim.state.chip.throttled_count[0] == 0
    assert sim.state.workload.job_speed_frac[0] > 0.97
    assert sim.state.ledger.residual_rel_max_ratio[0] < 1e-9


def test_a_half_blocked_rack_settles_at_its_limit_and_slows_the_job():
    sim = demo(9)
    before = sim.state.workload.job_tokens_s[0]
    fault(sim, "rack_branch_blocked", "A1.01", 0.15)
    sim.run_until(sim.now_ns + 8 * MIN)
    temp, gpus = sim.state.chip.gpu_temp_c, gpus_of(sim, [0])
    assert temp[gpus].max() == pytest.approx(88.0, abs=1.5)
    assert (sim.state.chip.gpu_throttle[gpus] & SW_THERMAL).any()
    assert not (sim.state.chip.gpu_throttle & SHUT).any()
    assert sim.state.workload.job_tokens_s[0] < 0.8 * before
    steady = sim.state.workload.job_speed_frac[0]
    sim.run_until(sim.now_ns + MIN)
    assert sim.state.workload.job_speed_frac[0] == pytest.approx(steady, rel=0.02)  # no hunting


def test_warm_coolant_costs_speed():
    sim = demo(9)
    for name in sim.site.names["cdu"]:
        if name.startswith("A1."):
            sim.submit(Command("set", sim.now_ns, "", f"{name}.supply_c", 52.0))
    cool = sim.state.workload.job_speed_frac[0]
    sim.run_until(sim.now_ns + 10 * MIN)
    gpus = gpus_of(sim, np.flatnonzero(sim.site.topology.rack_row == 0))
    assert sim.state.liquid.tcs_supply_temp_c[0] == pytest.approx(52.0, abs=0.5)
    assert 83.0 < sim.state.chip.gpu_temp_c[gpus].max() < 90.0
    assert sim.state.workload.job_speed_frac[0] <= cool


def test_an_air_hall_without_cooling_switches_itself_off_before_it_burns():
    """Every CRAH trips: racks pass their limit within minutes, fall silent, and the air stays near that limit."""
    sim = open_run("crah-failure", sets=["event=[]"], history=False).sim
    sim.run_until(5 * MIN)
    for name in sim.site.names["crah"]:
        fault(sim, "crah_fan_trip", name)
    sim.run_until(sim.now_ns + 10 * MIN)
    state = sim.state
    assert state.liquid.rack_protected.all()
    assert state.power.rack_input_w.max() == 0.0
    assert state.workload.job_failures[0] >= 1
    sim.run_until(sim.now_ns + 30 * MIN)
    assert 40.0 < state.air.inlet_temp_max_c[0] < 65.0
    assert state.ledger.residual_rel_max_ratio[0] <= 1e-9
    # the air comes back; the racks wait to be reset
    for name in sim.site.names["crah"]:
        sim.submit(Command("clear", sim.now_ns, "crah_fan_trip", name))
    sim.run_until(sim.now_ns + 5 * MIN)
    assert state.air.inlet_temp_max_c[0] < 30.0
    assert state.liquid.rack_protected.all()
    for name in sim.site.names["rack"]:
        sim.submit(Command("clear", sim.now_ns, "rack_protection", name))
    sim.run_until(sim.now_ns + 5 * MIN)
    assert state.power.rack_energised.all()


def test_a_congested_fabric_slows_jobs_and_saves_power():
    """The same job on a fabric with a 64th of the up-links: it waits for its gradients and draws less."""
    seen = {}
    for ratio in (1, 64):
        sim = open_run("campus", sets=[f"fabric.oversubscription={ratio}", "workload.generator=none", "event=[]"],
                       history=False).sim
        sim.run_until(2 * MIN)
        work = sim.state.workload
        seen[ratio] = (sim.state.network.job_slowdown[0], work.job_speed_frac[0], sim.state.power.it_w[0])
    assert seen[1][0] < 1.05
    assert seen[64][0] > 5.0
    assert seen[64][1] < 0.9 * seen[1][1]
    assert seen[64][2] < 0.95 * seen[1][2]


def test_links_that_degrade_slow_the_jobs_behind_them_and_come_back():
    sim = open_run("campus", sets=["workload.generator=none", "event=[]"], history=False).sim
    sim.run_until(MIN)
    work, net = sim.state.workload, sim.state.network
    fast = work.job_speed_frac[0]
    leaf = sim.site.fabric.gpu_leaf[np.flatnonzero(work.gpu_job == 0)[0]]
    ends = (f"leaf{leaf + 1}-", f"hosts{leaf + 1}-")
    links = [name for name in sim.site.names["link"] if name.startswith(ends)]
    for name in links:
        fault(sim, "link_degraded", name, 0.01)
    sim.run_until(sim.now_ns + 10 * S)
    assert net.job_slowdown[0] > 5.0
    assert work.job_speed_frac[0] < 0.9 * fast
    for name in links:
        sim.submit(Command("clear", sim.now_ns, "link_degraded", name))
    sim.run_until(sim.now_ns + 10 * S)
    assert work.job_speed_frac[0] == pytest.approx(fast, rel=0.01)


def test_the_factory_rides_through_a_loss_of_the_utility():
    sim = demo(9)
    fault(sim, "utility_loss", "")
    dipped = 1.0
    while sim.now_ns < 12 * MIN:
        sim.run_until(sim.now_ns + 5 * S)
        dipped = min(dipped, float(sim.state.power.battery_frac.min()))
        assert sim.state.power.rack_energised.all()
    assert 0.7 < dipped < 0.97
    assert sim.state.power.generator_power_w.sum() == pytest.approx(sim.state.power.source_w[0], rel=0.01)
    assert not (sim.state.chip.gpu_throttle & SHUT).any()
    assert sim.state.ledger.residual_rel_max_ratio[0] < 1e-9


def test_without_generators_the_racks_throttle_then_go_dark():
    """The plant has no battery: chips throttle on warm coolant, then racks switch themselves off in hot air, before the
    five-minute batteries are empty; what feeds network and storage lasts until they are."""
    sim = demo(9)
    for name in sim.site.names["generator"]:
        fault(sim, "generator_fail_start", name)
    fault(sim, "utility_loss", "")
    sim.run_until(sim.now_ns + 90 * S)
    assert sim.state.power.rack_energised.all()
    assert sim.state.chip.throttled_count[0] > 1000
    sim.run_until(sim.now_ns + 10 * MIN)
    assert not sim.state.power.rack_energised.any()
    assert sim.state.liquid.rack_protected.all()
    rest = sim.state.network.hall_power_w.sum() + sim.state.storage.hall_power_w.sum()
    assert sim.state.power.it_w[0] == pytest.approx(rest, rel=1e-12)
    left = sim.state.power.battery_frac.min()
    assert left > 0.1
    sim.run_until(sim.now_ns + 60 * MIN)
    assert sim.state.power.it_w[0] == 0.0
    assert sim.state.power.battery_frac.max() < 0.01
    assert sim.state.ledger.residual_rel_max_ratio[0] < 1e-9


def test_how_time_is_cut_does_not_matter_much():
    """Half a second, one and five: the same temperatures and energies to first order in the tick."""
    seen = {}
    for tick in ("500ms", "1s", "5s"):
        sim = open_run("demo", sets=[f'scenario.tick="{tick}"', "workload.generator=none"], history=False).sim
        sim.run_until(20 * MIN)
        seen[tick] = (sim.state.ledger.facility_energy_j[0], sim.state.chip.gpu_temp_c.mean(),
                      sim.state.chip.rack_gpu_temp_c_max.max(), sim.state.plant.loop_return_temp_c[0],
                      sim.state.air.inlet_temp_max_c[0])
    for tick in ("500ms", "5s"):
        assert seen[tick][0] == pytest.approx(seen["1s"][0], rel=2e-3)
        assert seen[tick][1:] == pytest.approx(seen["1s"][1:], abs=0.3)
