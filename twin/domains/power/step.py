"""Power, once a tick: racks from the inside out, then the tree from the racks up."""

from __future__ import annotations

from typing import Any

import numpy as np

from twin._kernels.power import PowerTree
from twin._kernels.racks import RackRollup
from twin.arrays import frozen_f64, frozen_i32
from twin.site.electrical import Electrical
from twin.site.site import Topology
from twin.units import NS_PER_S
from twin.wiring import Bind


class PowerStepper:
    """Two kernels: the racks' roll-up and the tree.

    Attributes:
        racks, tree: the kernels, bound to the state.
    """

    def __init__(self, racks: RackRollup, tree: PowerTree) -> None:
        self.racks, self.tree = racks, tree

    def step(self, now_ns: int, dt_ns: int) -> None:
        """Advance by one tick."""
        self.racks.run()
        self.tree.run(dt_ns / NS_PER_S)

    def refresh(self) -> None:
        """Recompute what is live, so that a fault at this boundary is felt in this very tick."""
        self.tree.energise()

    def next_event_ns(self, now_ns: int) -> int:
        """Return the instant at which source or battery change by themselves, -1 for none."""
        ahead_s = self.tree.next_event_s()
        return -1 if ahead_s < 0 else now_ns + max(1, round(ahead_s * NS_PER_S))


def bind(to: Bind) -> PowerStepper:
    """Bind the kernels to the state; the batteries of a fresh state are full."""
    own, views, electrical = to.own, to.views, to.site.electrical
    own.battery_j[:] = electrical.ups_battery_j
    racks = rollup(to.site.topology, own, views)
    tree = PowerTree(
        params=tree_params(electrical),
        loads={"rack_w": own.rack_input_w, "cdu_w": views.liquid.cdu_power_w, "crah_w": views.air.crah_power_w,
               "network_w": views.network.hall_power_w, "storage_w": views.storage.hall_power_w,
               "plant_w": views.plant.power_w, "rack_protected": views.liquid.rack_protected},
        state=own.arrays())
    return PowerStepper(racks, tree)


def tree_params(electrical: Electrical) -> dict[str, Any]:
    """Return the tree's parameters by the names that the kernel uses."""
    return {
        "parent": electrical.elec_parent, "units": electrical.elec_units, "rating_w": electrical.elec_rating_w,
        "c0_w": electrical.elec_c0_w, "c1": electrical.elec_c1, "c2_per_w": electrical.elec_c2_per_w,
        "mains": (electrical.mains,), "ups_elec": electrical.ups_elec,
        "battery_capacity_j": electrical.ups_battery_j, "charge_w": electrical.ups_charge_w,
        "ups_params": electrical.ups_params, "generator_params": electrical.generator_params,
        "plant_design_w": (electrical.plant_design_w,), "rack_feed": electrical.rack_feed,
        "cdu_feed": electrical.cdu_feed, "crah_feed": electrical.crah_feed, "hall_feed": electrical.hall_feed,
        "plant_feed": electrical.plant_feed,
    }


def rollup(topology: Topology, own: Any, views: Any) -> RackRollup:
    """Bind the racks' roll-up; what a rack's entry leaves out (chassis, shelves, switches) is not there."""
    entries = topology.rack_entries

    def of(key: str, default: float) -> Any:
        return frozen_f64([float(entry.get(key, default)) for entry in entries])

    rectifiers = of("chassis_rectifiers", 1.0)
    return RackRollup(
        rack_node_ptr=topology.rack_node_ptr, node_gpu_ptr=topology.node_gpu_ptr, rack_class=topology.rack_class,
        chassis_nodes=frozen_i32([int(entry.get("chassis_nodes", 0)) for entry in entries]),
        node_fixed_w=of("node_fixed_w", 0.0), node_efficiency_frac=of("node_efficiency_frac", 1.0),
        chassis_switch_w=of("chassis_switch_w", 0.0),
        # n rectifiers share the load: n (P/n + fixed) / efficiency = (P + n fixed) / efficiency
        chassis_fixed_w=frozen_f64(np.multiply(rectifiers, of("rectifier_fixed_w", 0.0))),
        chassis_efficiency_frac=of("rectifier_efficiency_frac", 1.0), rack_switch_w=of("rack_switch_w", 0.0),
        shelf_peak_w=frozen_f64(np.multiply(of("shelf_rating_w", 0.0), of("shelf_peak_load_frac", 0.5))),
        shelf_efficiency_frac=of("shelf_efficiency_peak_frac", 1.0), liquid_frac=of("liquid_aux_frac", 0.0),
        gpu_power_w=views.chip.gpu_power_w, node_aux_w=views.compute.node_aux_w,
        fan_power_w=views.air.rack_fan_power_w, rack_energised=own.rack_energised, node_input_w=own.node_input_w,
        rack_input_w=own.rack_input_w, liquid_heat_w=own.rack_liquid_heat_w, air_heat_w=own.rack_air_heat_w)
