"""The network domain: what a spine costs, faults and their end, routing, conservation, nothing done when idle."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from twin._kernels.network import DISCONNECTED_SLOWDOWN
from twin.catalog.loader import load_catalog
from twin.domains.network import DOMAIN
from twin.site.fabric import build_fabric
from twin.site.spec import FabricSpec, HallSpec, RowSpec, ScenarioSpec, Spec
from twin.site.topology import build_topology
from twin.state.blocks import NetworkState, WorkloadState
from twin.wiring import Bind

LINE = 50e9 * 0.9
SWITCHES = {f"p{ports}": {"title": "test", "ports": ports, "port_speed_bytes_s": 50e9, "typical_w": 500.0,
                          "optic_w": 10.0, "latency_s": 1e-7} for ports in (16, 32, 48)}


class Rig:
    """A bound network domain with a workload that the test writes."""

    def __init__(self, racks, jobs, rack="hgx-h100-x4", group=1, **fabric):
        catalog = load_catalog({"switches": SWITCHES})
        spec = Spec(scenario=ScenarioSpec(title="t"), fabric=FabricSpec(**fabric),
                    hall=[HallSpec(name="A", row=[RowSpec(racks=racks, rack=rack)])])
        topology = build_topology(spec, catalog)
        self.fabric = build_fabric(spec, catalog, topology)
        axes = {"one": 1, "job": jobs, **topology.axes, **self.fabric.axes}
        self.own, self.work = NetworkState(axes), WorkloadState(axes)
        self.node = topology.gpu_node
        self.jobs = SimpleNamespace(group_gpus=np.full(jobs, group, np.int32))
        self.stepper = DOMAIN.bind(Bind(site=SimpleNamespace(fabric=self.fabric, jobs=self.jobs), own=self.own, seed=1,
                                        views=SimpleNamespace(workload=self.work.readonly())))
        self.stepper.refresh()

    def place(self, gpu_job, comm_bytes_s):
        self.work.gpu_job[:] = gpu_job
        self.work.job_comm_bytes_s[:] = comm_bytes_s
        self.work.placement_version[0] += 1
        self.step()

    def step(self):
        self.stepper.step(0, 1_000_000_000)

    def fault(self, name, place, value=1.0):
        axis = next(k.axis for k in DOMAIN.faults if k.name == name)
        next(k for k in DOMAIN.faults if k.name == name).start(self.own, self.fabric.names[axis].index(place), value)
        self.stepper.refresh()
        self.step()

    def clear(self, name, place):
        kind = next(k for k in DOMAIN.faults if k.name == name)
        kind.clear(self.own, self.fabric.names[kind.axis].index(place))
        self.stepper.refresh()
        self.step()

    def columns(self):
        return {name: array.copy() for name, array in self.own.arrays().items()}


def one_node_per_leaf(racks, hosts, comm, **fabric):
    """Jobs whose every hop crosses a spine: job j has the j-th node of each leaf."""
    rig = Rig(racks, hosts, **fabric)
    assert rig.fabric.tiers.spines == rig.fabric.tiers.planes == 16
    assert rig.fabric.tiers.hosts_per_leaf == hosts
    rig.place(rig.node % hosts, comm)
    return rig


def test_losing_one_of_16_spines_costs_a_sixteenth_of_the_bandwidth():
    """What-if: a non-blocking fabric loses 1/16 of its bandwidth, an all-reduce takes 16/15 as long (about 6 %)."""
    rig = one_node_per_leaf(128, 16, LINE, switch="p32")
    assert rig.own.job_slowdown == pytest.approx(np.ones(16), abs=1e-12)
    whole = rig.columns()
    rig.fault("switch_down", "spine1")
    assert rig.own.job_slowdown == pytest.approx(np.full(16, 16 / 15), rel=1e-12)
    assert rig.own.hall_power_w[0] == pytest.approx(whole["hall_power_w"][0] - rig.fabric.switch_w[-1])
    rig.clear("switch_down", "spine1")
    after = rig.columns()
    assert all(np.array_equal(after[name], whole[name]) for name in whole if "version" not in name)


def test_an_oversubscribed_fabric_is_hurt_more():
    """What-if: at 2:1 the same loss adds twice as much time, as long as everybody communicates."""
    rig = one_node_per_leaf(200, 32, LINE, switch="p48", oversubscription=2.0)
    assert rig.own.job_slowdown == pytest.approx(np.full(32, 2.0), rel=1e-12)
    rig.fault("switch_down", "spine1")
    assert rig.own.job_slowdown == pytest.approx(np.full(32, 2.0 * 16 / 15), rel=1e-12)


@pytest.mark.parametrize(("mean", "slowdown", "demand_ratio"), [(0.25, 1.0, 0.5), (0.49, 1.0 / 0.81, 0.98),
                                                                (0.6, 2.0, 1.2)])
def test_a_job_meets_the_mean_load_of_the_others(mean, slowdown, demand_ratio):
    """32 jobs on 16 uplinks: what 31 others leave of 16, or an equal share if that is more."""
    rig = one_node_per_leaf(200, 32, mean * LINE, switch="p48", oversubscription=2.0)
    assert rig.own.job_slowdown == pytest.approx(np.full(32, slowdown), rel=1e-9)
    assert rig.own.congestion_max_ratio[0] == pytest.approx(demand_ratio, rel=1e-9)
    assert rig.own.link_load_frac.max() == pytest.approx(min(demand_ratio, 1.0), rel=1e-9)


def test_a_job_inside_one_domain_uses_no_link():
    rig = Rig(2, 2, rack="gb200-nvl72")
    rig.place([0] * 72 + [1] * 36 + [-1] * 36, LINE)
    assert rig.own.link_load_bytes_s.max() == 0.0
    assert rig.own.traffic_bytes_s[0] == 0.0
    assert rig.own.job_slowdown.tolist() == [1.0, 1.0]


def test_a_lost_leaf_of_a_rail_moves_its_traffic_to_the_other_rails():
    rig = Rig(16, 1)
    rig.place([0] * 512, LINE)
    assert rig.own.job_slowdown[0] == 1.0
    rig.fault("switch_down", "leaf3")
    assert rig.own.job_slowdown[0] == pytest.approx(8 / 7)
    assert rig.own.job_connected[0] == 1


def test_a_lost_leaf_disconnects_nodes_that_have_no_other():
    rig = Rig(16, 2, type="leaf-spine")
    rig.place([0] * 256 + [1] * 256, LINE)
    rig.fault("switch_down", "leaf3")
    assert rig.own.job_connected.tolist() == [0, 1]
    assert rig.own.job_slowdown[0] == DISCONNECTED_SLOWDOWN
    assert rig.own.slowdown_max_ratio[0] == rig.own.job_slowdown[1]
    rig.clear("switch_down", "leaf3")
    assert rig.own.job_connected.tolist() == [1, 1]


@pytest.mark.parametrize("name", ["link_degraded", "optics_degraded"])
def test_a_degraded_bundle_is_so_both_ways(name):
    rig = one_node_per_leaf(128, 16, LINE, switch="p32")
    rig.fault(name, "leaf1-spine2", 0.5)
    names = rig.fabric.names["link"]
    assert [names[i] for i in np.flatnonzero(rig.own.link_capacity_frac < 1.0)] == ["leaf1-spine2", "spine2-leaf1"]
    # 15.5 of 16 cables are left at leaf 1, and every ring passes it.
    assert rig.own.job_slowdown == pytest.approx(np.full(16, 16 / 15.5))


def test_a_link_that_is_down_carries_nothing():
    rig = one_node_per_leaf(128, 16, LINE, switch="p32")
    rig.fault("link_down", "spine2-leaf1")
    down = np.flatnonzero(rig.own.link_capacity_frac == 0.0)
    assert len(down) == 2
    assert rig.own.link_load_bytes_s[down].max() == 0.0
    assert rig.own.job_slowdown == pytest.approx(np.full(16, 16 / 15))


def test_uneven_domains_wait_for_the_fewest_nics():
    rig = Rig(4, 1)
    gpu_job = np.full(128, -1)
    gpu_job[:8] = gpu_job[8:16] = gpu_job[16:20] = 0  # two whole nodes and half of a third
    rig.place(gpu_job, LINE)
    assert rig.own.job_slowdown[0] == pytest.approx(2.0)


def test_rings_of_shards_do_not_wait_for_a_small_domain():
    """Each GPU of a model-parallel job has its own ring: one flow out, one in, wherever its domain ends."""
    for held in (4, 8):
        rig = Rig(4, 1, group=8)
        gpu_job = np.full(128, -1)
        gpu_job[:16 + held] = 0
        rig.place(gpu_job, LINE)
        assert rig.own.job_slowdown[0] == pytest.approx(1.0)
        hosts = np.array([name.startswith("hosts") for name in rig.fabric.names["link"]])
        assert rig.own.link_load_bytes_s[hosts].sum() == pytest.approx((16 + held) * LINE)


def test_fewer_copies_of_a_shard_in_a_domain_send_more():
    """A rack with one copy of its shards does not reduce them inside; one with two halves what it sends."""
    rig = Rig(2, 1, rack="gb200-nvl72", group=32)
    gpu_job = np.full(144, -1)
    gpu_job[:64] = gpu_job[72:72 + 32] = 0
    rig.place(gpu_job, LINE)
    assert rig.own.job_slowdown[0] == pytest.approx(2.0)


def test_static_routing_is_free_of_collisions_and_hashing_is_not():
    slow = {}
    for routing in ("adaptive", "ecmp", "static"):
        rig = one_node_per_leaf(128, 16, LINE, switch="p32", routing=routing)
        slow[routing] = rig.own.job_slowdown
    assert slow["static"] == pytest.approx(np.ones(16), abs=1e-9)
    # 16 flows hashed onto 16 cables of each leaf: somewhere at least three share one.
    assert slow["ecmp"].min() > 2.0
    assert slow["adaptive"].max() == 1.0


@pytest.mark.parametrize("routing", ["adaptive", "ecmp", "static"])
@pytest.mark.parametrize("kind", ["rail-optimised", "leaf-spine"])
@pytest.mark.parametrize("seed", range(4))
def test_what_goes_in_comes_out_and_fits(routing, kind, seed):
    """Random placements and faults: traffic is conserved at leaves, planes and cores, and within live capacity."""
    rng = np.random.default_rng(seed)
    rig = Rig(24, 5, type=kind, routing=routing, switch="p16", oversubscription=2.0)
    f, own, t = rig.fabric, rig.own, rig.fabric.tiers
    assert t.cores > 0 if kind == "leaf-spine" else t.cores == 0
    for _ in range(3):
        link, spine = rng.integers(len(f.link_cables)), rng.choice(np.flatnonzero(f.switch_tier == 1))
        rig.fault("link_degraded", f.names["link"][link], rng.uniform(0.2, 1.0))
        rig.fault("switch_down", f.names["switch"][spine])
    rig.place(rng.integers(-1, 5, 96)[rig.node], rng.uniform(0.05, 1.0, 5) * LINE)
    load, half, n_leaf = own.link_load_bytes_s, len(f.link_cables) // 2, t.rails * t.leaves
    spine_up, spine_down = load[:n_leaf * t.planes], load[half:half + n_leaf * t.planes]
    host_in, host_out = load[half - n_leaf:half], load[-n_leaf:]
    total = own.traffic_bytes_s[0]
    assert total > 0
    assert host_in.sum() == pytest.approx(total, rel=1e-9)
    assert host_out.sum() == pytest.approx(total, rel=1e-9)
    per_leaf_up, per_leaf_down = (x.reshape(n_leaf, t.planes).sum(axis=1) for x in (spine_up, spine_down))
    # what a leaf gets from its hosts goes up or straight down again
    assert host_in - per_leaf_up == pytest.approx(host_out - per_leaf_down, abs=1e-9 * total)
    pod_up, pod_down = (np.array([x.reshape(n_leaf, t.planes)[f.leaf_pod == p].sum(axis=0)
                                  for p in range(t.rails * t.pods)]) for x in (spine_up, spine_down))
    if t.cores:
        core = load[n_leaf * t.planes:half - n_leaf].reshape(-1, t.planes)
        back = load[half + n_leaf * t.planes:-n_leaf].reshape(-1, t.planes)
        assert pod_up - core == pytest.approx(pod_down - back, abs=1e-9 * total)
        assert core.sum(axis=0) == pytest.approx(back.sum(axis=0), abs=1e-9 * total)
    else:
        assert pod_up == pytest.approx(pod_down, abs=1e-9 * total)
    assert own.link_load_frac.max() <= 1 + 1e-9
    assert np.all(own.job_slowdown >= 1.0)


def test_nothing_is_solved_while_nothing_changes_and_refresh_gives_the_same_bits():
    rig = one_node_per_leaf(200, 32, np.linspace(0.1, 1.0, 32) * LINE, switch="p48", oversubscription=2.0)
    before = rig.columns()
    assert rig.stepper.run() is False
    rig.stepper.refresh()
    assert rig.stepper.run() is True
    assert all(np.array_equal(array, before[name]) for name, array in rig.columns().items())
    rig.work.job_comm_bytes_s[4] *= 0.5
    assert rig.stepper.run() is True
    assert rig.stepper.run() is False


def test_without_a_fabric_no_job_waits():
    rig = Rig(2, 1, type="none")
    rig.place([0] * 64, LINE)
    assert rig.own.job_slowdown[0] == 1.0
    assert rig.own.job_connected[0] == 1
    assert rig.own.hall_power_w[0] == 0.0


def test_buffers_that_do_not_fit_are_refused():
    rig = Rig(2, 1)
    other = Rig(4, 1)
    with pytest.raises(ValueError, match="length"):
        DOMAIN.bind(Bind(site=SimpleNamespace(fabric=rig.fabric, jobs=rig.jobs), own=rig.own, seed=1,
                         views=SimpleNamespace(workload=other.work.readonly())))
    with pytest.raises(ValueError, match="links"):
        DOMAIN.bind(Bind(site=SimpleNamespace(fabric=dataclasses.replace(
            rig.fabric, tiers=dataclasses.replace(rig.fabric.tiers, planes=3)), jobs=rig.jobs), own=rig.own, seed=1,
            views=SimpleNamespace(workload=rig.work.readonly())))


def test_faults_and_alarms_name_what_exists():
    columns = {column.name: column for column in NetworkState.columns}
    for fault in DOMAIN.faults:
        assert fault.axis in ("link", "switch")
    for alarm in DOMAIN.alarms:
        assert columns[alarm.column].axis == alarm.axis
        assert alarm.message.format(name="x", value=1.0, threshold=1.0)
