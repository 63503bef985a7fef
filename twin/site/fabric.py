"""The scale-out fabric: leaves, spines and cores, and how GPUs hang on them.

A *scale-up domain* (an NVL72 rack, an HGX node) is one non-blocking island; only traffic between domains uses the
fabric. The NICs of a domain are dealt to *rails*: in a rail-optimised fabric rail r of every domain goes to leaves of
rail r and every rail is a plane of its own; in a plain leaf-spine fabric there is one rail and leaves fill up in order.

Sizing, per rail: a leaf with P ports and oversubscription o gives P*o/(1+o) ports to hosts and the rest to spines.
Up to P leaves are joined by one layer of spines, each reaching every leaf. More leaves are cut into *pods* of P/2
leaves, whose spines give half their ports to cores that join the pods, non-blocking (a folded Clos of three tiers).

What is a link: a *bundle* of parallel cables, one direction. So that the axis stays at about LINKS_MAX, spines of a pod
are put into ``planes`` of equal size and a leaf has one bundle per plane; in small fabrics a plane is one spine. The
cables from a leaf to its hosts are one bundle. Losing one spine of a plane costs the plane's bundles that share.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.arrays import F64, I32, frozen_f64, frozen_i32
from twin.errors import InternalError, SpecError
from twin.site.site import Topology
from twin.site.spec import FabricSpec, Spec

#: links are bundled until there are about this many.
LINKS_MAX = 10_000
#: share of a bundle that adaptive routing fills (published range 0.95 to 0.98).
SPRAY_FRAC = 0.97
ROUTINGS = ("adaptive", "ecmp", "static")


@dataclass(frozen=True)
class Tiers:
    """Number of rails; then sizes of one rail, of one pod (spines, planes), of one plane (cores)."""

    rails: int
    hosts_per_leaf: int
    uplinks: int
    leaves: int
    leaves_per_pod: int
    pods: int
    spines: int
    planes: int
    spine_uplinks: int
    cores: int


@dataclass(frozen=True)
class Fabric:
    """The fabric, immutable.

    Link order: towards the core first (leaf to plane, pod's plane to core, hosts to leaf), then the same bundles in
    the other direction, so that the other direction of link i of n is (i + n/2) mod n. Switch order: leaves, spines
    pod by pod, cores. Leaves run rail by rail.

    Attributes:
        tiers: sizes; ``spec``: the fabric's specification; ``routing``: 0 adaptive, 1 ecmp, 2 static.
        gpu_domain, gpu_rail, gpu_leaf, gpu_port (int32[gpu]): scale-up domain, rail, leaf (-1 without fabric) and
            the number of the host port on that leaf.
        gpu_rate_bytes_s (float64[gpu]): what a collective gets out of the GPU's share of its NIC, one direction.
        domain_gpu_ptr (int32[domain+1]): GPUs of a scale-up domain.
        leaf_rail, leaf_pod (int32[leaf]); pods run rail by rail too.
        leaf_spine_link (int32[leaf, plane]): index of the bundle from leaf to plane, for matrix screens.
        node_rail_leaf (int32[node, rail]): leaf of a node on a rail, -1 for none.
        link_capacity_bytes_s (float64[link]): what collectives can get through the healthy bundle.
        link_cables (int32[link]), link_tier (int32[link]: 0 leaf-spine, 1 spine-core, 2 hosts).
        lane_capacity_bytes_s: the same for one cable between leaf and spine.
        switch_tier (int32[switch]: 0 leaf, 1 spine, 2 core), switch_hall (int32[switch]).
        switch_w (float64[switch]): electrical power with transceivers.
        latency_s: port to port, of one switch.
    """

    spec: FabricSpec
    routing: int
    tiers: Tiers
    gpu_domain: I32
    gpu_rail: I32
    gpu_leaf: I32
    gpu_port: I32
    gpu_rate_bytes_s: F64
    domain_gpu_ptr: I32
    leaf_rail: I32
    leaf_pod: I32
    leaf_spine_link: I32
    node_rail_leaf: I32
    link_capacity_bytes_s: F64
    link_cables: I32
    link_tier: I32
    lane_capacity_bytes_s: float
    switch_tier: I32
    switch_hall: I32
    switch_w: F64
    latency_s: float
    names: dict[str, Sequence[str]]

    @property
    def axes(self) -> dict[str, int]:
        """Sizes of the axes that the fabric defines."""
        return {"link": len(self.link_cables), "switch": len(self.switch_tier)}

    def other_way(self, link: int) -> int:
        """Return the link that is the other direction of the same cables."""
        n = len(self.link_cables)
        return (link + n // 2) % n


def build_fabric(spec: Spec, catalog: Any, topology: Topology) -> Fabric:
    """Size and wire the fabric of a specification; type ``none`` gives empty axes and GPUs without a leaf.

    Raises:
        SpecError: the switch has too few ports for the speed, or three tiers cannot join that many GPUs.
        CatalogError: the switch is not in the catalogue.
    """
    f = spec.fabric
    gpu = _gpu_nics(f, topology)
    if f.type == "none":
        return _no_fabric(f, topology, gpu)
    entry = catalog.get("switches", f.switch)
    ports = int(entry["ports"] * entry["port_speed_bytes_s"] / f.speed * (1 + 1e-12))
    tiers = size_tiers(f, ports, int(np.bincount(gpu.nic_rail).max()), gpu.rails)
    pod_leaves = np.minimum(tiers.leaves - np.arange(tiers.pods) * tiers.leaves_per_pod, tiers.leaves_per_pod)
    nic_leaf = gpu.nic_rail * tiers.leaves + gpu.nic_ordinal // tiers.hosts_per_leaf
    gpu_leaf = nic_leaf[gpu.gpu_nic]
    leaf_in_rail = np.tile(np.arange(tiers.leaves), gpu.rails)
    leaf_rail = np.repeat(np.arange(gpu.rails), tiers.leaves)
    leaf_pod = leaf_rail * tiers.pods + leaf_in_rail // tiers.leaves_per_pod
    n_leaf = len(leaf_rail)
    capacity, cables, tier = _bundles(f, tiers, nic_leaf, gpu.nic_speed)
    watts, switch_tier = _switch_power(entry, f, tiers, cables, np.tile(pod_leaves, gpu.rails))
    node_rail_leaf = np.full((len(topology.node_rack), gpu.rails), -1)
    node_rail_leaf[topology.gpu_node[::-1], gpu.nic_rail[gpu.gpu_nic][::-1]] = gpu_leaf[::-1]
    fabric = Fabric(
        spec=f, routing=ROUTINGS.index(f.routing), tiers=tiers,
        gpu_domain=frozen_i32(gpu.gpu_domain), gpu_rail=frozen_i32(gpu.nic_rail[gpu.gpu_nic]),
        gpu_leaf=frozen_i32(gpu_leaf), gpu_port=frozen_i32((gpu.nic_ordinal % tiers.hosts_per_leaf)[gpu.gpu_nic]),
        gpu_rate_bytes_s=frozen_f64(gpu.gpu_rate * f.collective_efficiency),
        domain_gpu_ptr=frozen_i32(gpu.domain_ptr), leaf_rail=frozen_i32(leaf_rail), leaf_pod=frozen_i32(leaf_pod),
        leaf_spine_link=frozen_i32(np.arange(n_leaf * tiers.planes).reshape(n_leaf, tiers.planes)),
        node_rail_leaf=frozen_i32(node_rail_leaf), link_capacity_bytes_s=frozen_f64(np.tile(capacity, 2)),
        link_cables=frozen_i32(np.tile(cables, 2)), link_tier=frozen_i32(np.tile(tier, 2)),
        lane_capacity_bytes_s=f.speed * min(1.0, f.collective_efficiency / SPRAY_FRAC),
        switch_tier=frozen_i32(switch_tier), switch_hall=frozen_i32(_switch_halls(tiers, topology, gpu_leaf)),
        switch_w=frozen_f64(watts), latency_s=float(entry["latency_s"]), names=_names(tiers, n_leaf),
    )
    if len(fabric.names["link"]) != len(fabric.link_cables):
        raise InternalError("the fabric has names for another number of links")
    return fabric


def size_tiers(f: FabricSpec, ports: int, nics: int, rails: int) -> Tiers:
    """Return the sizes of a rail that joins ``nics`` NICs by switches of ``ports`` ports.

    >>> size_tiers(FabricSpec(), 64, 512, 8).spines
    8

    Raises:
        SpecError: too few ports, or too many NICs for three tiers.
    """
    if ports < 4:
        raise SpecError(f"'{f.switch}' has {ports} ports at this speed", where="fabric.speed", expected="at least 4")
    hosts = min(int(ports * f.oversubscription / (1.0 + f.oversubscription) + 1e-9), ports - 1)
    leaves = -(-nics // hosts)
    uplinks = max(1, min(ports - hosts, int(hosts / f.oversubscription + 1e-9)))
    if leaves == 1:
        return Tiers(rails, hosts, 0, 1, 1, 1, 0, 0, 0, 0)
    three = leaves > ports
    down_ports = ports // 2 if three else ports
    per_pod = down_ports if three else leaves
    pods = -(-leaves // per_pod)
    if pods > ports:
        raise SpecError(f"{nics * rails} NICs are too many for three tiers of '{f.switch}'", where="fabric.switch",
                        expected=f"at most {ports * per_pod * hosts} per rail, or a switch with more ports")
    # At least two where the up-links allow it, so that one may fail.
    spines = next(s for s in range(min(2, uplinks), uplinks + 1)
                  if uplinks % s == 0 and s * down_ports >= per_pod * uplinks)
    core_links = 1 if three else 0
    budget = LINKS_MAX // 2 // rails
    fits = [g for g in range(1, spines + 1)
            if spines % g == 0 and leaves * (g + 1) + core_links * pods * g <= budget]
    planes = max(fits, default=1)
    spine_uplinks = (ports - down_ports) if three else 0
    cores = -(-pods * (spines // planes) * spine_uplinks // ports)
    return Tiers(rails, hosts, uplinks, leaves, per_pod, pods, spines, planes, spine_uplinks, cores)


@dataclass(frozen=True)
class _Nics:
    rails: int
    gpu_domain: NDArray[Any]
    domain_ptr: NDArray[Any]
    gpu_nic: NDArray[Any]
    gpu_rate: NDArray[Any]
    nic_rail: NDArray[Any]
    nic_ordinal: NDArray[Any]
    nic_speed: NDArray[Any]


def _gpu_nics(f: FabricSpec, topology: Topology) -> _Nics:
    """Deal GPUs to scale-up domains and NICs, and NICs to rails."""
    def per_class(key: str, default: str) -> NDArray[Any]:
        return np.array([int(e.get(key, e[default])) for e in topology.rack_entries])

    rack_class, gpu_rack, gpu_node = topology.rack_class, topology.gpu_rack, topology.gpu_node
    gpu_class = rack_class[gpu_rack]
    gpn = per_class("gpus_per_node", "gpus_per_node")
    nics = np.minimum(per_class("nics_per_node", "gpus_per_node"), gpn)
    all_nics = per_class("nics_per_node", "gpus_per_node")
    speed = np.minimum(f.speed, [float(e.get("nic_speed_bytes_s", f.speed)) for e in topology.rack_entries])
    scale_up = np.maximum(per_class("scale_up_gpus", "gpus_per_node"), gpn)

    in_rack = np.arange(len(gpu_rack)) - topology.rack_gpu_ptr[:-1][gpu_rack]
    starts = np.flatnonzero(in_rack % scale_up[gpu_class] == 0)
    gpu_domain = np.zeros(len(gpu_rack), np.int64)
    gpu_domain[starts[1:]] = 1
    gpu_domain = np.cumsum(gpu_domain)
    domain_ptr = np.append(starts, len(gpu_rack))

    node_class = rack_class[topology.node_rack]
    nic_ptr = np.concatenate([[0], np.cumsum(nics[node_class])])
    in_node = np.arange(len(gpu_node)) - topology.node_gpu_ptr[:-1][gpu_node]
    gpu_nic = nic_ptr[gpu_node] + in_node * nics[gpu_class] // gpn[gpu_class]
    first_nic = nic_ptr[gpu_node[starts]]  # of each domain
    rails = int(nics.max()) if f.type == "rail-optimised" else 1
    nic_node = np.repeat(np.arange(len(node_class)), nics[node_class])
    nic_domain = gpu_domain[topology.node_gpu_ptr[:-1][nic_node]]
    nic_rail = (np.arange(len(nic_node)) - first_nic[nic_domain]) % rails
    nic_ordinal = np.zeros(len(nic_node), np.int64)
    for rail in range(rails):
        mine = nic_rail == rail
        nic_ordinal[mine] = np.arange(np.count_nonzero(mine))
    return _Nics(rails, gpu_domain, domain_ptr, gpu_nic, (speed * all_nics / gpn)[gpu_class], nic_rail, nic_ordinal,
                 (speed * all_nics / nics)[node_class][nic_node])


def _bundles(f: FabricSpec, t: Tiers, nic_leaf: NDArray[Any], nic_speed: NDArray[Any]) -> tuple[Any, Any, Any]:
    """Return capacity, cables and tier of the links of one direction.

    A collective's efficiency is measured through a healthy, sprayed fabric, so it holds the loss of spraying
    already: a sprayed bundle passes ``efficiency`` of its line rate, a single cable ``efficiency / SPRAY_FRAC``.
    """
    n_leaf, n_core = t.rails * t.leaves, (t.rails * t.pods * t.planes if t.cores else 0)
    per_plane = t.uplinks // t.planes if t.planes else 0
    core_cables = t.spines // t.planes * t.spine_uplinks if t.planes else 0
    hosts = np.bincount(nic_leaf, minlength=n_leaf)
    cables = np.concatenate([np.full(n_leaf * t.planes, per_plane), np.full(n_core, core_cables), hosts])
    share = f.collective_efficiency if f.routing == "adaptive" else min(1.0, f.collective_efficiency / SPRAY_FRAC)
    up = cables[:n_leaf * t.planes + n_core] * (f.speed * share)
    down = np.bincount(nic_leaf, weights=nic_speed, minlength=n_leaf) * f.collective_efficiency
    tier = np.repeat([0, 1, 2], [n_leaf * t.planes, n_core, n_leaf])
    return np.concatenate([up, down]), cables, tier


def _switch_power(entry: Any, f: FabricSpec, t: Tiers, cables: NDArray[Any],
                  pod_leaves: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return power with the transceivers of the ports in use, and tier, of every switch."""
    end_w = float(entry["optic_w"]) * f.speed / float(entry["port_speed_bytes_s"])
    n_leaf = t.rails * t.leaves
    leaf_ends = cables[len(cables) - n_leaf:] + t.uplinks
    spine_ends = np.repeat(pod_leaves * (t.uplinks // t.spines if t.spines else 0) + t.spine_uplinks, t.spines)
    n_core = t.rails * t.planes * t.cores
    core_ends = np.full(n_core, t.pods * (t.spines // t.planes) * t.spine_uplinks / t.cores if t.cores else 0.0)
    ends = np.concatenate([leaf_ends, spine_ends, core_ends])
    return float(entry["typical_w"]) + ends * end_w, np.repeat([0, 1, 2], [n_leaf, len(spine_ends), n_core])


def _switch_halls(t: Tiers, topology: Topology, gpu_leaf: NDArray[Any]) -> NDArray[Any]:
    """Put leaves where their first host is, spines evenly among their pod's leaves, cores evenly among the pods."""
    n_leaf = t.rails * t.leaves
    leaf_hall = np.zeros(n_leaf, np.int64)
    leaf_hall[gpu_leaf[::-1]] = topology.rack_hall[topology.gpu_rack][::-1]
    halls = [leaf_hall]
    for rail in range(t.rails):
        for pod in range(t.pods):
            first = pod * t.leaves_per_pod
            size = min(t.leaves_per_pod, t.leaves - first)
            at = first + np.arange(t.spines) * size // max(t.spines, 1)
            halls.append(leaf_hall[rail * t.leaves + at])
    n_core = t.planes * t.cores
    at = np.arange(n_core) * t.pods // max(n_core, 1) * t.leaves_per_pod
    halls.extend(leaf_hall[rail * t.leaves + at] for rail in range(t.rails))
    return np.concatenate(halls)


def _names(t: Tiers, n_leaf: int) -> dict[str, Sequence[str]]:
    """Name links by their two ends, in the direction of travel, and switches by tier."""
    single = t.spines == t.planes
    pods_all = t.rails * t.pods
    ends = []
    for leaf in range(n_leaf):
        pod = leaf // t.leaves * t.pods + leaf % t.leaves // t.leaves_per_pod
        ends += [(f"leaf{leaf + 1}", f"spine{pod * t.spines + g + 1}" if single else f"plane{pod * t.planes + g + 1}")
                 for g in range(t.planes)]
    if t.cores:
        ends += [(f"pod{pod + 1}.{g + 1}", f"core{pod // t.pods * t.planes + g + 1}")
                 for pod in range(pods_all) for g in range(t.planes)]
    ends += [(f"hosts{leaf + 1}", f"leaf{leaf + 1}") for leaf in range(n_leaf)]
    links = tuple(f"{a}-{b}" for a, b in ends) + tuple(f"{b}-{a}" for a, b in ends)
    switches = [f"leaf{i + 1}" for i in range(n_leaf)] + [f"spine{i + 1}" for i in range(pods_all * t.spines)]
    switches += [f"core{i // t.cores + 1}.{i % t.cores + 1}" for i in range(t.rails * t.planes * t.cores)]
    return {"link": links, "switch": tuple(switches)}


def _no_fabric(f: FabricSpec, topology: Topology, gpu: _Nics) -> Fabric:
    nothing, no_w = frozen_i32([]), frozen_f64([])
    lost = frozen_i32(np.full(len(topology.gpu_rack), -1))
    return Fabric(
        spec=f, routing=0, tiers=Tiers(0, 0, 0, 0, 0, 0, 0, 0, 0, 0), gpu_domain=frozen_i32(gpu.gpu_domain),
        gpu_rail=frozen_i32(np.zeros(len(lost))), gpu_leaf=lost, gpu_port=lost,
        gpu_rate_bytes_s=frozen_f64(gpu.gpu_rate * f.collective_efficiency), domain_gpu_ptr=frozen_i32(gpu.domain_ptr),
        leaf_rail=nothing, leaf_pod=nothing, leaf_spine_link=frozen_i32(np.zeros((0, 0))),
        node_rail_leaf=frozen_i32(np.zeros((len(topology.node_rack), 0))), link_capacity_bytes_s=no_w,
        link_cables=nothing, link_tier=nothing, lane_capacity_bytes_s=f.speed, switch_tier=nothing,
        switch_hall=nothing, switch_w=no_w, latency_s=0.0, names={"link": (), "switch": ()},
    )
