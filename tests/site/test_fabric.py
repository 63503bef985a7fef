"""Fabric: sizes, wiring, names, power."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from twin.catalog.loader import load_catalog
from twin.errors import CatalogError, SpecError
from twin.site.fabric import LINKS_MAX, build_fabric, size_tiers
from twin.site.naming import find
from twin.site.spec import FabricSpec, HallSpec, RowSpec, ScenarioSpec, Spec
from twin.site.topology import build_topology

NVL, HGX = "gb200-nvl72", "hgx-h100-x4"


def built(*rows, halls=1, **fabric):
    catalog = load_catalog()
    spec = Spec(scenario=ScenarioSpec(title="t"), fabric=FabricSpec(**fabric), hall=[
        HallSpec(name="A", repeat=halls, row=[RowSpec(racks=racks, rack=rack) for rack, racks in rows])])
    topology = build_topology(spec, catalog)
    return SimpleNamespace(fabric=build_fabric(spec, catalog, topology), topology=topology)


def test_rails_keep_to_their_leaves():
    site = built((HGX, 32))
    f, nodes = site.fabric, 128
    assert f.tiers.rails == 8
    assert f.node_rail_leaf.shape == (nodes, 8)
    assert np.array_equal(f.leaf_rail[f.node_rail_leaf], np.tile(np.arange(8), (nodes, 1)))
    # 64 ports, non-blocking: 32 nodes share the leaves of a scalable unit.
    assert np.array_equal(f.node_rail_leaf[:, 3] - f.node_rail_leaf[0, 3], np.arange(nodes) // 32)
    assert np.array_equal(f.leaf_rail[f.gpu_leaf], f.gpu_rail)


def test_an_nvl72_rack_is_one_domain_and_an_hgx_node_is_one():
    site = built((NVL, 4), (HGX, 4))
    sizes = np.diff(site.fabric.domain_gpu_ptr)
    assert sizes.tolist() == [72] * 4 + [8] * 16
    assert np.array_equal(np.repeat(np.arange(20), sizes), site.fabric.gpu_domain)
    # 8 rails: a rack has nine NICs on each.
    assert np.bincount(site.fabric.gpu_rail[:72]).tolist() == [9] * 8


def test_no_port_is_used_twice_and_no_leaf_has_more_hosts_than_ports():
    f = built((NVL, 8), (HGX, 8)).fabric
    assert len(set(zip(f.gpu_leaf.tolist(), f.gpu_port.tolist(), strict=True))) == len(f.gpu_leaf)
    assert f.gpu_port.max() < f.tiers.hosts_per_leaf


@pytest.mark.parametrize(("oversubscription", "hosts", "uplinks"), [(1.0, 32, 32), (2.0, 42, 21), (3.0, 48, 16)])
def test_oversubscription_is_host_over_uplink_capacity(oversubscription, hosts, uplinks):
    tiers = size_tiers(FabricSpec(oversubscription=oversubscription), 64, 1000, 1)
    assert (tiers.hosts_per_leaf, tiers.uplinks) == (hosts, uplinks)


@pytest.mark.parametrize("nics", [20, 33, 500, 1024, 2048])
@pytest.mark.parametrize("oversubscription", [1.0, 2.0])
def test_two_tiers_respect_the_ports_of_a_spine(nics, oversubscription):
    t = size_tiers(FabricSpec(oversubscription=oversubscription), 64, nics, 1)
    assert t.leaves * t.hosts_per_leaf >= nics
    assert t.cores == 0
    if t.spines:
        assert t.uplinks % t.spines == 0
        assert t.leaves * (t.uplinks // t.spines) <= 64


@pytest.mark.parametrize("nics", [3000, 25_200, 60_000])
def test_three_tiers_are_non_blocking_above_the_leaf(nics):
    t = size_tiers(FabricSpec(), 64, nics, 1)
    assert t.cores > 0
    assert t.leaves_per_pod * (t.uplinks // t.spines) + t.spine_uplinks <= 64
    assert t.spines * t.spine_uplinks >= t.leaves_per_pod * t.uplinks
    per_plane = t.pods * (t.spines // t.planes) * t.spine_uplinks
    assert (t.cores - 1) * 64 < per_plane <= t.cores * 64


def test_too_many_or_too_few_ports_are_refused():
    with pytest.raises(SpecError, match="three tiers"):
        size_tiers(FabricSpec(), 64, 70_000, 1)
    with pytest.raises(SpecError, match="ports at this speed"):
        built((HGX, 1), speed=1e12)
    with pytest.raises(CatalogError, match="qm9700"):
        built((HGX, 1), switch="qm970")


def test_a_campus_has_about_ten_thousand_links():
    site = built((NVL, 140), halls=10, switch="q3400")
    f = site.fabric
    assert f.axes["link"] <= LINKS_MAX
    # 144 ports of 800 Gb/s carry 288 links of 400 Gb/s: two tiers reach 25,200 NICs on each of four rails.
    assert (f.tiers.rails, f.tiers.leaves, f.tiers.spines, f.tiers.cores) == (4, 175, 144, 0)
    up = f.link_capacity_bytes_s[f.leaf_spine_link].sum(axis=1)
    assert up == pytest.approx(np.full(700, 144 * 50e9 * 0.9))
    assert set(f.switch_hall.tolist()) == set(range(10))


def test_names_find_links_and_switches_and_their_other_way():
    site = built((HGX, 32))
    f = site.fabric
    axis, link = find(f.names, "leaf12-spine5")
    assert axis == "link"
    assert f.names["link"][f.other_way(link)] == "spine5-leaf12"
    assert f.other_way(f.other_way(link)) == link
    assert find(f.names, "leaf12") == ("switch", 11)
    assert len(set(f.names["link"])) == f.axes["link"]
    assert len(set(f.names["switch"])) == f.axes["switch"]
    for leaf, plane in ((0, 0), (11, 1), (31, 1)):
        assert f.names["link"][f.leaf_spine_link[leaf, plane]].startswith(f"leaf{leaf + 1}-spine")


def test_power_counts_switches_and_one_transceiver_per_end():
    f = built((HGX, 32)).fabric
    leaves, spines = (f.switch_tier == 0).sum(), (f.switch_tier == 1).sum()
    ends = 1024 + 2 * leaves * 32  # hosts at the leaf, both ends of every uplink
    assert f.switch_w.sum() == pytest.approx((leaves + spines) * 720 + ends * 8.5)
    assert built(("frontier-cabinet", 2), switch="slingshot-in-chassis", speed=25e9).fabric.switch_w.sum() == 0.0


def test_none_has_empty_axes_and_gpus_without_a_leaf():
    f = built((HGX, 1), type="none").fabric
    assert f.axes == {"link": 0, "switch": 0}
    assert set(f.gpu_leaf.tolist()) == {-1}


def test_gpus_that_share_a_nic_share_its_rate_and_port():
    f = built(("dgx1-v100-x4", 1), speed=12.5e9).fabric
    assert f.gpu_leaf[0] == f.gpu_leaf[1]
    assert f.gpu_port[0] == f.gpu_port[1]
    assert f.gpu_rate_bytes_s[0] == pytest.approx(12.5e9 / 2 * 0.9)
