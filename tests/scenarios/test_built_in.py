"""The built-in scenarios as stories: what happens in them does happen, and what they expect holds."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from twin.cli.commands import cli
from twin.domains import load_domains
from twin.scenario.load import load_spec, scenario_names
from twin.scenario.open import open_run

S = 10**9
MIN = 60 * S


def replay(*args):
    result = CliRunner().invoke(cli, ["replay", *args, "--json"], standalone_mode=False, catch_exceptions=False)
    return json.loads(result.stdout), result.return_value


def test_demo_meets_its_expectations():
    out, code = replay("demo")
    assert [e for e in out["expect"] if not e["ok"]] == []
    assert len(out["expect"]) >= 9
    assert code == 0
    assert out["kpi"]["energy_residual_rel"] <= 1e-9
    assert out["kpi"]["throttled_gpu_s"] == 0


def test_demo_pump_fails_and_the_others_take_over():
    sim = open_run("demo", history=False).sim
    a2 = np.flatnonzero(sim.site.topology.rack_row == 1)
    sim.run_until(10 * MIN)
    before = sim.state.liquid.rack_supply_temp_c[a2].max()
    pump = sim.site.find("A2.cdu1.pumpA")[1]
    assert sim.state.liquid.pump_speed_frac[pump] > 0.3
    warmest = before
    for second in range(0, 300, 5):
        sim.run_until(10 * MIN + second * S)
        warmest = max(warmest, sim.state.liquid.rack_supply_temp_c[a2].max())
    assert sim.state.liquid.pump_speed_frac[pump] < 0.05
    assert sim.state.liquid.rack_flow_kg_s[a2].min() > 1.8  # the racks keep their flow
    assert 0.2 < warmest - before < 3.0
    assert [alarm.name for alarm in sim.active_alarms()] == ["cdu_pump_off"]
    sim.run_until(20 * MIN)
    assert sim.state.liquid.pump_speed_frac[pump] > 0.3
    assert sim.active_alarms() == []


def test_demo_crah_fails_and_the_air_cooled_rows_feel_it():
    sim = open_run("demo", history=False).sim
    air_cooled = np.flatnonzero(sim.site.topology.rack_row >= 4)
    inlet = sim.state.air.rack_inlet_temp_c
    sim.run_until(30 * MIN)
    before = inlet[air_cooled].mean()
    sim.run_until(39 * MIN)
    during = inlet[air_cooled].mean()
    assert sim.state.air.crah_air_flow_m3_s[sim.site.find("A.crah4")[1]] < 0.5
    assert 0.3 < during - before < 4.0
    sim.run_until(50 * MIN)
    assert inlet[air_cooled].mean() < during - 0.2


def test_demo_queue_is_alive():
    sim = open_run("demo", history=False).sim
    sim.run_until(sim.end_ns)
    work = sim.state.workload
    assert work.jobs_completed[0] > 5
    assert work.trained_tokens[0] > 1e9
    assert work.served_tokens[0] > 1e9


@pytest.mark.parametrize("jobs,megawatts", [
    ("job=[]", 7.307),
    ('job=[{name="all", kind="batch", gpus=37888, utilisation=1.0}]', 28.228),
])
def test_frontier_power_idle_and_at_peak(jobs, megawatts):
    """Sums of the published configuration: 9,472 nodes, converters, rectifiers, switches, and 25 CDUs."""
    sim = open_run("frontier", sets=["workload.generator=none", jobs], history=False).sim
    sim.run_until(5 * MIN)
    power = sim.state.power.it_w[0] + sim.state.liquid.cdu_power_w.sum()
    assert power == pytest.approx(megawatts * 1e6, rel=1e-3)


@pytest.mark.parametrize("name,duration", [
    ("frontier", "40m"), ("campus", "6m"), ("trace", "3d"), ("pump-trip", "14m"), ("cdu-leak", "24m"),
    ("hot-gpu", "30m"), ("cdu-service", "45m")])
def test_the_others_meet_what_they_reach(name, duration):
    out, code = replay(name, "--for", duration)
    assert [e for e in out["expect"] if not e["ok"]] == []
    assert out["expect"]
    assert code == 0
    assert out["kpi"]["energy_residual_rel"] <= 1e-9


@pytest.mark.parametrize("domain", ["chip", "liquid", "air"])
def test_every_fault_of_the_cooling_is_shown_in_a_story(domain):
    shown = {event.fault for name in scenario_names() for event in load_spec(name)[0].event}
    faults = next(d for d in load_domains() if d.name == domain).faults
    assert {fault.name for fault in faults} - shown == set()


def test_campus_fabric_does_not_hold_its_jobs_back():
    sim = open_run("campus", history=False).sim
    sim.run_until(2 * MIN)
    running = sim.state.workload.job_state == 2
    assert running.sum() >= 5
    assert sim.state.network.job_slowdown[running].max() < 1.25


def test_trace_crosses_quiet_stretches_in_long_ticks():
    sim = open_run("trace", history=False).sim
    sim.run_until(86400 * S)
    assert sim.tick < 86400 / 2
    assert sim.state.workload.jobs_completed[0] > 50


@pytest.mark.slow
@pytest.mark.parametrize("file,jobs,wait_s", [
    ("hpc2n_first3k.swf", 3145, 5601.4), ("philly_gavel_vc_0e4a51.trace", 1181, None)])
def test_whole_traces_through_the_whole_factory(shared_data, file, jobs, wait_s):
    out, _ = replay("trace", "--set", f"workload.trace={shared_data / 'traces' / file}")
    kpi = out["kpi"]
    assert (kpi["jobs_completed"], kpi["jobs_failed"]) == (jobs, 0)
    assert wait_s is None or kpi["wait_mean_s"] == pytest.approx(wait_s, rel=1e-4)
    assert kpi["it_energy_kwh"] > 1e5
