"""The power tree of a site: from the utility to the rack feeds, as flat arrays with parents before children.

    utility ── mains ─┬─ tx-A ── ups-A.bus ─┬─ A.busA ─┬─ A1.feedA ── half of every rack of row A1
      (generators) ───┤                     │          └─ A2.feedA ...
                      │                     ├─ A.coolA   CDUs and CRAHs of hall A
                      │                     └─ A.netA    network and storage of hall A
                      ├─ tx-B ── ups-B.bus ── ...        the same again (2n only)
                      └─ tx-plantA, tx-plantB            pumps, fans and chillers outside the halls

A node is a group of like units in parallel. Carrying the power P out of it, with p = P / units, it loses
``units (c0 + c1 p + c2 p^2)``. Nodes are numbered level by level, so all UPS stand together and whatever they feed
comes behind them. With several halls, each hall has its own transformers and UPS: ``B.tx-A``, ``B.ups-A.bus``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Any, Protocol

import numpy as np

from twin.arrays import F64, I32, frozen_f64, frozen_i32
from twin.catalog.entry import Entry
from twin.errors import InternalError, SpecError
from twin.site.site import Topology
from twin.site.spec import PowerSpec, Spec
from twin.units import J_PER_KWH, NS_PER_S

L_PER_M3 = 1000.0
#: catalogue entries of what the specification does not name
BUSWAY, GENSET, SIZING = "busway-4000a", "genset-3mw", "sizing"
#: parameters of the UPS in ``Electrical.ups_params``, in this order
UPS_PARAMS = ("discharge_efficiency_frac", "charge_efficiency_frac", "walk_in_s", "overload_continuous_ratio",
              "overload_10min_ratio", "overload_1min_ratio", "overload_battery_ratio")
#: parameters of the generators in ``Electrical.generator_params``, in this order
GENERATOR_PARAMS = ("rating_w", "start_delay_s", "start_s", "sync_s", "retransfer_s", "cooldown_s",
                    "fuel_full_kg_j", "fuel_no_load_frac")


class _Named(Protocol):
    @property
    def names(self) -> Mapping[str, Sequence[str]]: ...


@dataclass(frozen=True)
class Electrical:
    """The power tree and what hangs on it; all arrays read-only.

    Attributes:
        elec_parent[elec]: parent node, -1 for the root; always smaller than the node itself.
        elec_units[elec]: like units in parallel; elec_rating_w[elec]: rating of one.
        elec_c0_w, elec_c1, elec_c2_per_w[elec]: loss polynomial of one unit in the power through it.
        mains: node that the generators feed.
        ups_elec[ups]: node of each UPS, consecutive; ups_battery_j: capacity; ups_charge_w: recharge power.
        ups_params: values of UPS_PARAMS; generator_params: values of GENERATOR_PARAMS.
        rack_feed, cdu_feed, crah_feed, hall_feed (n, 2), plant_feed (1, 2): nodes that feed it, A then B; -1 for none.
        plant_design_w: plant power that the generators must have to spare before a shed plant is connected again.
        fuel_carbon_kg_kg, fuel_usd_kg: what a kilogram of fuel emits and costs.
        generators: number of generators.
    """

    elec_parent: I32
    elec_units: I32
    elec_rating_w: F64
    elec_c0_w: F64
    elec_c1: F64
    elec_c2_per_w: F64
    mains: int
    ups_elec: I32
    ups_battery_j: F64
    ups_charge_w: F64
    ups_params: F64
    generators: int
    generator_params: F64
    rack_feed: I32
    cdu_feed: I32
    crah_feed: I32
    hall_feed: I32
    plant_feed: I32
    plant_design_w: float
    fuel_carbon_kg_kg: float
    fuel_usd_kg: float
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def axes(self) -> dict[str, int]:
        """Sizes of the axes that the tree defines."""
        return {"elec": len(self.elec_parent), "ups": len(self.ups_elec), "generator": self.generators}


@dataclass
class _Tree:
    """A tree under construction: one list per column of ``Electrical``."""

    names: list[str] = field(default_factory=list)
    parent: list[int] = field(default_factory=list)
    units: list[int] = field(default_factory=list)
    rating: list[float] = field(default_factory=list)
    loss: list[tuple[float, float, float]] = field(default_factory=list)

    def add(self, name: str, parent: int, rating_w: float, units: int = 1,
            loss: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> int:
        self.names.append(name)
        self.parent.append(parent)
        self.units.append(units)
        self.rating.append(rating_w)
        self.loss.append(loss)
        return len(self.names) - 1


@dataclass(frozen=True)
class _Parts:
    """Catalogue entries and shares that size the chain."""

    ups: Entry
    transformer: Entry
    busway: Entry
    service: float
    cooling: float
    plant: float
    margin: float

    def transformer_group(self, design_w: float) -> dict[str, Any]:
        rating = self.transformer["rating_w"]
        loss = (self.transformer["no_load_loss_w"], 0.0, self.transformer["load_loss_w"] / (rating * rating))
        return {"rating_w": rating, "units": _units(design_w * (1.0 + self.margin), rating), "loss": loss}

    def ups_group(self, design_w: float, extra: int) -> dict[str, Any]:
        rating = self.ups["rating_w"]
        loss = (self.ups["loss_a0_frac"] * rating, self.ups["loss_a1_frac"], self.ups["loss_a2_frac"] / rating)
        return {"rating_w": rating, "units": _units(design_w, rating) + extra, "loss": loss}

    def busway_group(self, design_w: float) -> dict[str, Any]:
        rating = self.busway["rating_w"]
        units = _units(design_w, rating * self.busway["continuous_frac"])
        return {"rating_w": rating, "units": units, "loss": (0.0, 0.0, self.busway["loss_frac"] / rating)}


def build_electrical(spec: Spec, catalog: Any, topology: Topology, hydronics: _Named, floor: _Named) -> Electrical:
    """Size and connect the electrical chain of a site.

    UPS and transformers are sized so that one path carries the design power of its hall (the racks' TDP and the shares
    of the catalogue's ``sizing`` entry); with ``n+1`` the UPS has one module more. A battery lasts
    ``spec.power.battery`` at the design power that its path normally carries: with ``2n`` half of the hall's, so that
    the survivor of a lost path holds half as long. CDUs and CRAHs belong to the hall that their name starts with.

    Args:
        hydronics, floor: parts whose names list the axes ``cdu`` and ``crah``.

    Raises:
        SpecError: generators behind a ``direct`` chain.
        CatalogError: an entry is missing, or lacks what its place in the chain needs.
    """
    power = spec.power
    if power.topology == "direct" and power.generators is not None:
        raise SpecError("a site that is metered at the racks has no generators", where="power.generators",
                        expected="power.topology of 2n, n+1 or n")
    sizing = catalog.get("electrical", SIZING)
    parts = _Parts(catalog.get("electrical", power.ups), catalog.get("electrical", power.transformer),
                   catalog.get("electrical", BUSWAY), sizing["service_frac"], sizing["hall_cooling_frac"],
                   sizing["plant_frac"], sizing["transformer_margin_frac"])
    tree = _Tree()
    chain = _direct(tree, topology, parts) if power.topology == "direct" else _chain(tree, power, topology, parts)
    return _freeze(tree, chain, power, parts, catalog, topology, hydronics, floor)


@dataclass(frozen=True)
class _Chain:
    """Where things hang: node indices per path (A, B), and the design power of each UPS path."""

    mains: int
    ups: list[int]
    ups_share_w: list[float]
    row_feed: list[tuple[int, int]]
    hall_cool: list[tuple[int, int]]
    hall_net: list[tuple[int, int]]
    plant: tuple[int, int]
    plant_design_w: float


def _rack_design_w(topology: Topology) -> F64:
    return np.array([entry["tdp_w"] for entry in topology.rack_entries])[topology.rack_class]


def _direct(tree: _Tree, topology: Topology, parts: _Parts) -> _Chain:
    """One node without loss: everything is metered where it is used."""
    design = _sum(_rack_design_w(topology))
    tree.add("utility", -1, design * (1.0 + parts.service + parts.cooling + parts.plant))
    here = (0, -1)
    halls, rows = len(topology.names["hall"]), len(topology.row_hall)
    return _Chain(0, [], [], [here] * rows, [here] * halls, [here] * halls, here, design * parts.plant)


def _chain(tree: _Tree, power: PowerSpec, topology: Topology, parts: _Parts) -> _Chain:
    """Utility, mains, transformers, UPS, busways and feeds, level by level."""
    halls = topology.names["hall"]
    paths = ("A", "B") if power.topology == "2n" else ("A",)
    racks = _rack_design_w(topology)
    row_w = [_sum(racks[topology.rack_row == r]) for r in range(len(topology.row_hall))]
    hall_w = [_sum(racks[topology.rack_hall == h]) for h in range(len(halls))]
    ups_w = [w * (1.0 + parts.service + parts.cooling) for w in hall_w]
    plant_w = _sum(hall_w) * parts.plant
    whole = _sum(ups_w) + plant_w
    prefix = [f"{h}." if len(halls) > 1 else "" for h in halls]
    every = [(h, k, path) for h in range(len(halls)) for k, path in enumerate(paths)]

    utility = tree.add("utility", -1, whole * (1.0 + parts.margin))
    mains = tree.add("mains", utility, whole * (1.0 + parts.margin))
    tx = {(h, k): tree.add(f"{prefix[h]}tx-{path}", mains, **parts.transformer_group(ups_w[h]))
          for h, k, path in every}
    plant = [tree.add(f"tx-plant{path}", mains, **parts.transformer_group(plant_w)) for path in paths]
    extra = 1 if power.topology == "n+1" else 0
    ups = {(h, k): tree.add(f"{prefix[h]}ups-{path}.bus", tx[h, k], **parts.ups_group(ups_w[h], extra))
           for h, k, path in every}
    bus, cool, net = (
        {(h, k): tree.add(f"{halls[h]}.{what}{path}", ups[h, k], **parts.busway_group(hall_w[h] * share))
         for h, k, path in every}
        for what, share in (("bus", 1.0), ("cool", parts.cooling), ("net", parts.service)))
    feed = {(r, k): tree.add(f"{topology.names['row'][r]}.feed{path}", bus[int(topology.row_hall[r]), k],
                             **parts.busway_group(row_w[r]))
            for r in range(len(row_w)) for k, path in enumerate(paths)}

    def pair(of: Mapping[tuple[int, int], int], i: int) -> tuple[int, int]:
        return of[i, 0], of.get((i, 1), -1)

    return _Chain(mains, list(ups.values()), [ups_w[h] / len(paths) for h, _, _ in every],
                  [pair(feed, r) for r in range(len(row_w))], [pair(cool, h) for h in range(len(halls))],
                  [pair(net, h) for h in range(len(halls))], (plant[0], plant[1] if len(plant) > 1 else -1), plant_w)


def _freeze(tree: _Tree, chain: _Chain, power: PowerSpec, parts: _Parts, catalog: Any, topology: Topology,
            hydronics: _Named, floor: _Named) -> Electrical:
    gensets = power.generators.count if power.generators is not None else 0
    genset = catalog.get("electrical", power.generators.type if power.generators is not None else GENSET)
    ups_params = [float(parts.ups[key]) for key in UPS_PARAMS]
    runtime_s = power.battery / NS_PER_S
    units = np.array([tree.units[i] for i in chain.ups], dtype=np.float64)
    c0, c1, c2 = (list(column) for column in zip(*tree.loss, strict=True))
    row_hall = [chain.hall_cool[int(h)] for h in topology.row_hall]
    return Electrical(
        elec_parent=frozen_i32(tree.parent), elec_units=frozen_i32(tree.units), elec_rating_w=frozen_f64(tree.rating),
        elec_c0_w=frozen_f64(c0), elec_c1=frozen_f64(c1), elec_c2_per_w=frozen_f64(c2), mains=chain.mains,
        ups_elec=frozen_i32(chain.ups),
        ups_battery_j=frozen_f64([w * runtime_s / ups_params[0] for w in chain.ups_share_w]),
        ups_charge_w=frozen_f64(units * (parts.ups["rating_w"] * parts.ups["charge_frac"])),
        ups_params=frozen_f64(ups_params), generators=gensets,
        generator_params=_generator_params(genset),
        rack_feed=_feeds([chain.row_feed[int(r)] for r in topology.rack_row]),
        cdu_feed=_feeds([_owner(name, topology, chain.hall_cool, row_hall) for name in hydronics.names["cdu"]]),
        crah_feed=_feeds([_owner(name, topology, chain.hall_cool, row_hall) for name in floor.names["crah"]]),
        hall_feed=_feeds(chain.hall_net), plant_feed=_feeds([chain.plant]), plant_design_w=chain.plant_design_w,
        fuel_carbon_kg_kg=float(genset["fuel_carbon_kg_kg"]), fuel_usd_kg=float(genset["fuel_usd_kg"]),
        names={"elec": tree.names, "ups": [tree.names[i].removesuffix(".bus") for i in chain.ups],
               "generator": [f"gen{i + 1}" for i in range(gensets)]},
    )


def _generator_params(genset: Entry) -> F64:
    full_kg_j = genset["fuel_full_l_kwh"] / J_PER_KWH * genset["fuel_kg_m3"] / L_PER_M3
    return frozen_f64([full_kg_j if key == "fuel_full_kg_j" else float(genset[key]) for key in GENERATOR_PARAMS])


def _owner(name: str, topology: Topology, of_hall: Sequence[tuple[int, int]],
           of_row: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Return the feeds of the hall that ``A2.cdu1`` or ``A.crah4`` stands in."""
    place = name.partition(".")[0]
    rows, halls = topology.names["row"], topology.names["hall"]
    if place in rows:
        return of_row[list(rows).index(place)]
    if place in halls:
        return of_hall[list(halls).index(place)]
    raise InternalError(f"'{name}' stands in no hall of the site")


def _feeds(pairs: Sequence[tuple[int, int]]) -> I32:
    return frozen_i32(np.array(pairs, dtype=np.int32).reshape(len(pairs), 2))


def _units(design_w: float, rating_w: float) -> int:
    return max(1, ceil(design_w / rating_w - 1e-9))


def _sum(values: Any) -> float:
    total = 0.0
    for value in values:
        total += float(value)
    return total
