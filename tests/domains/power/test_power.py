"""The electrical chain as a domain: roll-up, tree, faults, batteries, generators; energy closes in every tick."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.catalog.loader import load_catalog
from twin.domains.power import DOMAIN
from twin.domains.power.checks import check
from twin.errors import CatalogError, SpecError
from twin.site.electrical import build_electrical
from twin.site.spec import HallSpec, PowerSpec, RowSpec, ScenarioSpec, Spec, UnitGroupSpec
from twin.site.topology import build_topology
from twin.state.blocks import PowerState
from twin.wiring import Bind

RACK = {"accelerator": "test-gpu", "cooling": "liquid", "nodes": 4, "gpus_per_node": 4, "tdp_w": 20_000.0,
        "node_fixed_w": 100.0, "node_efficiency_frac": 0.95, "liquid_aux_frac": 0.6, "scale_up_gpus": 4}
EXTRA = {"racks": {"test-rack": RACK}, "accelerators": {"test-gpu": {"tdp_w": 1000.0}}}
S = 1_000_000_000


class Rig:
    """The power domain alone, with loads that the test sets."""

    def __init__(self, topology: str = "2n", *, halls: int = 1, gens: int = 0, battery_s: float = 300.0,
                 racks: int = 10, rows: int = 2, cdus: int = 2, crahs: int = 1) -> None:
        power = PowerSpec(topology=topology, battery=int(battery_s * S),
                          generators=UnitGroupSpec(type="genset-3mw", count=gens) if gens else None)
        hall = HallSpec(name="A", repeat=halls, row=[RowSpec(racks=racks, rack="test-rack", repeat=rows)])
        spec = Spec(scenario=ScenarioSpec(title="t"), power=power, hall=[hall])
        catalog = load_catalog(EXTRA)
        self.topology = build_topology(spec, catalog)
        cdu = [f"{row}.cdu{k + 1}" for row in self.topology.names["row"] for k in range(cdus)]
        crah = [f"{hall}.crah{k + 1}" for hall in self.topology.names["hall"] for k in range(crahs)]
        self.electrical = build_electrical(spec, catalog, self.topology, SimpleNamespace(names={"cdu": cdu}),
                                           SimpleNamespace(names={"crah": crah}))
        axes = {"one": 1, "cdu": len(cdu), "crah": len(crah), **self.topology.axes, **self.electrical.axes}
        self.own = PowerState(axes)
        n = len(self.topology.names["hall"])
        self.views = SimpleNamespace(
            chip=SimpleNamespace(gpu_power_w=np.full(axes["gpu"], 800.0)),
            compute=SimpleNamespace(node_aux_w=np.full(axes["node"], 500.0)),
            air=SimpleNamespace(rack_fan_power_w=np.full(axes["rack"], 200.0), crah_power_w=np.full(axes["crah"], 3e3)),
            liquid=SimpleNamespace(cdu_power_w=np.full(axes["cdu"], 2e3),
                                   rack_protected=np.zeros(axes["rack"], dtype=np.int32)),
            network=SimpleNamespace(hall_power_w=np.full(n, 5e3)),
            storage=SimpleNamespace(hall_power_w=np.full(n, 4e3)),
            plant=SimpleNamespace(power_w=np.full(1, 30e3)))
        site = SimpleNamespace(topology=self.topology, electrical=self.electrical)
        self.stepper = DOMAIN.bind(Bind(site=site, own=self.own, views=self.views, seed=1))
        self.stepper.refresh()
        self.now = 0

    def elec(self, name: str) -> int:
        return list(self.electrical.names["elec"]).index(name)

    def fault(self, name: str, element: int = 0, value: float | None = None, clear: bool = False) -> None:
        kind = next(k for k in DOMAIN.faults if k.name == name)
        if clear:
            kind.clear(self.own, element)
        else:
            kind.start(self.own, element, kind.value_default if value is None else value)
        self.stepper.refresh()

    def obey(self) -> None:
        """Loads without power stop, as the other domains would have them by the next tick."""
        live = self.own.rack_energised[self.topology.gpu_rack]
        self.views.chip.gpu_power_w[:] = np.where(live, 800.0, 0.0)
        self.views.compute.node_aux_w[:] = np.where(self.own.rack_energised[self.topology.node_rack], 500.0, 0.0)
        self.views.air.rack_fan_power_w[:] = np.where(self.own.rack_energised, 200.0, 0.0)
        self.views.air.crah_power_w[:] = np.where(self.own.crah_energised, 3e3, 0.0)
        self.views.liquid.cdu_power_w[:] = np.where(self.own.cdu_energised, 2e3, 0.0)
        self.views.plant.power_w[:] = 30e3 if self.own.plant_energised[0] else 0.0

    def run(self, seconds: float, dt_s: float = 1.0) -> None:
        for _ in range(round(seconds / dt_s)):
            self.stepper.step(self.now, int(dt_s * S))
            self.now += int(dt_s * S)
            assert check(self.own) == []
            self.obey()


def test_names_and_order() -> None:
    rig = Rig(halls=2, gens=2)
    names = rig.electrical.names
    assert names["ups"] == ["A.ups-A", "A.ups-B", "B.ups-A", "B.ups-B"]
    assert names["generator"] == ["gen1", "gen2"]
    assert {"utility", "mains", "A.busA", "A2.feedB", "B1.feedA", "A.coolB", "B.netA"} <= set(names["elec"])
    parent = rig.electrical.elec_parent
    assert all(p < i for i, p in enumerate(parent))
    one = Rig()
    assert one.electrical.names["ups"] == ["ups-A", "ups-B"]
    assert {"tx-A", "tx-B", "tx-plantA", "ups-A.bus"} <= set(one.electrical.names["elec"])


def test_a_rack_that_protects_itself_is_live_until_the_next_turn() -> None:
    """Refreshing, as after a load or a command, changes nothing; the coolant's domain runs after the power's."""
    rig = Rig()
    rig.run(2)
    rig.views.liquid.rack_protected[3] = 1
    rig.stepper.refresh()
    assert rig.own.rack_energised.all()
    rig.run(1)
    for _ in range(2):
        assert np.flatnonzero(rig.own.rack_energised == 0).tolist() == [3]
        rig.stepper.refresh()
    rig.views.liquid.rack_protected[3] = 0  # an operator resets it
    rig.stepper.refresh()
    assert rig.own.rack_energised.all()


def test_two_paths_share_and_the_survivor_takes_all() -> None:
    rig = Rig()
    rig.run(3)
    a, b = rig.elec("A1.feedA"), rig.elec("A1.feedB")
    row = rig.own.rack_input_w[:10].sum()
    assert rig.own.elec_load_w[a] == pytest.approx(row / 2, rel=0.01)
    assert rig.own.elec_load_w[a] == rig.own.elec_load_w[b]
    rig.fault("feed_loss", a)
    rig.run(2)
    assert rig.own.elec_load_w[a] == 0.0
    assert rig.own.elec_load_w[b] == pytest.approx(row, rel=0.01)
    assert rig.own.rack_energised.all()
    rig.fault("feed_loss", b)
    assert rig.own.rack_energised[:10].sum() == 0      # felt at the boundary, before the tick
    assert rig.own.rack_energised[10:].all()
    rig.run(2)
    assert rig.own.rack_input_w[:10].sum() == 0.0
    rig.fault("feed_loss", b, clear=True)
    assert rig.own.rack_energised.all()


def test_ups_failure_moves_everything_to_the_other_path() -> None:
    rig = Rig()
    rig.run(2)
    rig.fault("ups_fail", 0)
    rig.run(2)
    assert rig.own.elec_energised[rig.elec("ups-A.bus")] == 0
    assert rig.own.ups_mode[0] == 3
    assert rig.own.rack_energised.all()
    assert rig.own.cdu_energised.all()
    rig.fault("ups_fail", 0, clear=True)
    rig.run(20)                                        # its rectifier walks in
    assert rig.own.ups_mode.tolist() == [0, 0]


def test_spare_module_of_n_plus_1() -> None:
    """One module more than n; losing it changes nothing but the load of the others."""
    n, spare = Rig("n", racks=60), Rig("n+1", racks=60)
    u = n.electrical.ups_elec[0]
    assert spare.electrical.elec_units[u] == n.electrical.elec_units[u] + 1
    spare.fault("ups_fail", 0, 1.0)
    spare.run(700, 10.0)
    n.run(700, 10.0)
    assert spare.own.ups_mode[0] == 0
    assert spare.own.elec_load_frac[u] == n.own.elec_load_frac[u]


def test_overloaded_ups_goes_to_bypass_and_returns() -> None:
    """1.2 of the rating is tolerated for ten minutes, 1.4 for one (Galaxy VXL)."""
    for over, tolerated_s in ((1.2, 600), (1.4, 60)):
        rig = Rig("n")
        rig.run(1)
        u = rig.electrical.ups_elec[0]
        other = rig.own.elec_load_frac[u] * rig.electrical.elec_rating_w[u] * rig.electrical.elec_units[u]
        extra = over * rig.electrical.elec_rating_w[u] * rig.electrical.elec_units[u] - other
        rig.obey = lambda: None
        rig.views.network.hall_power_w[0] += extra
        rig.run(tolerated_s - 2)
        assert rig.own.ups_mode[0] == 0
        rig.run(4)
        assert rig.own.ups_mode[0] == 2
        assert rig.own.elec_loss_w[u] == 0.0
        rig.views.network.hall_power_w[0] -= extra
        rig.run(2)
        assert rig.own.ups_mode[0] == 0


@pytest.mark.parametrize("dt_s", [0.1, 1.0, 7.0, 60.0])
def test_ride_through_is_the_battery_time_at_design_load(dt_s: float) -> None:
    """t = E eta / P: the battery lasts the stated time at design load, half of it on one path of two."""
    rig = Rig("n", battery_s=120.0)
    rig.obey = lambda: None
    rig.run(0.1, 0.1)
    u = rig.electrical.ups_elec[0]
    load = rig.own.elec_load_frac[u] * rig.electrical.elec_rating_w[u] * rig.electrical.elec_units[u]
    design = rig.electrical.ups_battery_j[0] * rig.electrical.ups_params[0] / 120.0
    expected = 120.0 * design / load
    rig.fault("utility_loss")
    before = rig.own.battery_j[0]
    ticks = int(expected // dt_s)
    rig.run(ticks * dt_s, dt_s)
    assert rig.own.rack_energised.all() or ticks * dt_s == expected
    assert rig.own.battery_j[0] == pytest.approx(before * (1.0 - ticks * dt_s / expected), rel=1e-6, abs=1.0)
    rig.run(dt_s, dt_s)
    assert rig.own.battery_j[0] == 0.0
    assert not rig.own.rack_energised.any()


def test_generators_take_over_after_their_timeline() -> None:
    """2 s delay, 10 s start, 10 s paralleling: the plant is dark for 22 s, the racks never are."""
    rig = Rig(gens=2)
    rig.run(5)
    rig.fault("utility_loss")
    assert rig.own.plant_energised[0] == 0
    rig.run(21)
    assert rig.own.mains_on_generators[0] == 0
    assert rig.own.generator_state.tolist() == [2, 2]
    assert rig.own.ups_mode.tolist() == [1, 1]
    rig.run(2)
    assert rig.own.mains_on_generators[0] == 1
    assert rig.own.plant_energised[0] == 1
    rig.run(60)
    assert rig.own.rack_energised.all()
    assert rig.own.ups_mode.tolist() == [0, 0]
    assert rig.own.utility_w[0] == 0.0
    assert rig.own.generator_power_w.sum() == pytest.approx(rig.own.source_w[0])
    used = 1.0 - rig.own.battery_j[0] / rig.electrical.ups_battery_j[0]
    assert 0.0 < used < 0.2
    rig.fault("utility_loss", clear=True)
    rig.run(290)
    assert rig.own.utility_w[0] == 0.0
    rig.run(20)
    assert rig.own.generator_state.tolist() == [3, 3]
    assert rig.own.utility_w[0] > 0.0
    rig.run(3600)
    assert rig.own.generator_state.tolist() == [0, 0]
    assert rig.own.battery_frac.tolist() == [1.0, 1.0]


@pytest.mark.parametrize("dt_s", [0.25, 5.0, 20.0, 60.0])
def test_take_over_does_not_depend_on_the_tick(dt_s: float) -> None:
    """The instants inside a tick are exact: fuel and battery after two minutes are those of a fine tick."""
    def energy(dt: float) -> tuple[float, float]:
        rig = Rig(gens=2, crahs=0, cdus=0)
        rig.fault("utility_loss")
        rig.run(120, dt)
        return float(rig.own.battery_j.sum()), float(rig.own.generator_fuel_kg.sum())

    battery, fuel = energy(dt_s)
    fine_battery, fine_fuel = energy(0.05)
    assert battery == pytest.approx(fine_battery, rel=2e-4)
    assert fuel == pytest.approx(fine_fuel, rel=0.1)


def test_generator_that_does_not_start() -> None:
    """One of two fails: the other holds. Both fail: batteries run down, then the racks are dark."""
    rig = Rig(gens=2, battery_s=120.0)
    rig.fault("generator_fail_start", 0)
    rig.fault("utility_loss")
    rig.run(60)
    assert rig.own.generator_state.tolist() == [4, 2]
    assert rig.own.mains_on_generators[0] == 1
    rig.fault("generator_fail_start", 0, clear=True)
    rig.run(30)
    assert rig.own.generator_state.tolist() == [2, 2]

    rig = Rig(gens=2, battery_s=120.0)
    rig.fault("generator_fail_start", 0)
    rig.fault("generator_fail_start", 1)
    rig.fault("utility_loss")
    rig.run(600)
    assert rig.own.generator_state.tolist() == [4, 4]
    assert not rig.own.rack_energised.any()
    assert rig.own.source_w[0] == 0.0


def test_too_few_generators_shed_the_plant_first() -> None:
    rig = Rig("n", gens=1, racks=80, rows=2, battery_s=600.0)
    rig.run(1)
    racks = rig.own.rack_input_w.sum()
    rig.obey = lambda: rig.own.plant_energised[0] or rig.views.plant.power_w.fill(0.0)
    assert racks < 3e6 < racks + 1.2e6
    rig.fault("utility_loss")
    rig.views.plant.power_w[0] = 0.0
    rig.run(60)
    assert rig.own.plant_energised[0] == 1
    rig.views.plant.power_w[0] = 1.2e6
    rig.run(2)
    assert rig.own.plant_shed[0] == 1
    assert rig.own.plant_energised[0] == 0
    rig.run(60)
    assert rig.own.rack_energised.all()
    assert rig.own.battery_power_w[0] == 0.0


def test_direct_metering_has_no_chain() -> None:
    rig = Rig("direct")
    rig.run(3)
    v = rig.views
    total = (rig.own.rack_input_w.sum() + v.liquid.cdu_power_w.sum() + v.air.crah_power_w.sum() + v.plant.power_w[0]
             + v.network.hall_power_w.sum() + v.storage.hall_power_w.sum())
    assert rig.own.source_w[0] == pytest.approx(total, rel=1e-14)
    assert rig.own.loss_w[0] == 0.0
    rig.fault("utility_loss")
    rig.run(2)
    assert rig.own.source_w[0] == 0.0
    with pytest.raises(SpecError, match="no generators"):
        Rig("direct", gens=1)


def test_network_and_storage_get_what_their_feeds_give() -> None:
    rig = Rig()
    rig.run(1)
    assert rig.own.hall_service_w[0] == 9e3
    before = rig.own.it_w[0]
    rig.fault("feed_loss", rig.elec("A.netA"))
    rig.run(1)
    assert rig.own.hall_service_w[0] == 9e3
    rig.fault("feed_loss", rig.elec("A.netB"))
    rig.run(1)
    assert rig.own.hall_energised[0] == 0
    assert rig.own.hall_service_w[0] == 0.0
    assert rig.own.it_w[0] == pytest.approx(before - 9e3)
    assert rig.own.coast_w[0] == 0.0


def test_heat_is_split_and_nothing_is_left_over() -> None:
    rig = Rig()
    rig.run(1)
    own, v = rig.own, rig.views
    gpus = np.add.reduceat(v.chip.gpu_power_w, rig.topology.rack_gpu_ptr[:-1])
    np.testing.assert_allclose(own.rack_input_w, gpus + own.rack_liquid_heat_w + own.rack_air_heat_w, rtol=1e-14)
    rest = own.rack_input_w - gpus - v.air.rack_fan_power_w
    np.testing.assert_allclose(own.rack_liquid_heat_w, 0.6 * rest, rtol=1e-12)
    np.testing.assert_allclose(own.node_input_w, (4 * 800.0 + 500.0 + 100.0) / 0.95, rtol=1e-14)


def test_an_entry_of_another_kind_is_refused() -> None:
    spec = Spec(scenario=ScenarioSpec(title="t"), power=PowerSpec(ups="genset-3mw"),
                hall=[HallSpec(name="A", row=[RowSpec(racks=1, rack="test-rack")])])
    catalog = load_catalog(EXTRA)
    topology = build_topology(spec, catalog)
    with pytest.raises(CatalogError, match="loss_a0_frac"):
        build_electrical(spec, catalog, topology, SimpleNamespace(names={"cdu": []}),
                         SimpleNamespace(names={"crah": []}))


def test_next_event_is_when_something_changes() -> None:
    rig = Rig(gens=1)
    assert rig.stepper.next_event_ns(0) == -1
    rig.fault("utility_loss")
    assert rig.stepper.next_event_ns(0) == 2 * S
    rig.run(2)
    assert rig.stepper.next_event_ns(rig.now) == 12 * S
    rig.run(10)
    assert rig.stepper.next_event_ns(rig.now) == 22 * S


@settings(max_examples=40, deadline=None)
@given(topology=st.sampled_from(["2n", "n", "n+1", "direct"]), halls=st.integers(1, 2), gens=st.integers(0, 2),
       battery_s=st.sampled_from([0.0, 5.0, 90.0]), dt_s=st.sampled_from([0.01, 1.0, 13.0, 60.0]), data=st.data())
def test_energy_closes_under_any_faults(topology: str, halls: int, gens: int, battery_s: float, dt_s: float,
                                        data: st.DataObject) -> None:
    """in - out - stored = 0, losses are not negative, batteries within bounds, sources carry at least the IT load.
    Taking any node away never raises what is available below."""
    rig = Rig(topology, halls=halls, gens=0 if topology == "direct" else gens, battery_s=battery_s, racks=3)
    own = rig.own
    for _ in range(data.draw(st.integers(2, 6))):
        live = own.rack_energised.sum()
        what = data.draw(st.sampled_from(["utility_loss", "feed_loss", "ups_fail", "generator_fail_start", "none"]))
        size = {"utility_loss": 1, "feed_loss": own.elec_up.size, "ups_fail": own.ups_mode.size,
                "generator_fail_start": own.generator_state.size, "none": 0}[what]
        if size:
            clear = data.draw(st.booleans())
            rig.fault(what, data.draw(st.integers(0, size - 1)), 0.0, clear=clear)
            assert clear or own.rack_energised.sum() <= live
        rig.run(3 * dt_s, dt_s)                     # checks energy, losses and batteries every tick
        given_w = own.source_w[0] + np.maximum(own.battery_power_w, 0.0).sum()
        assert given_w >= (own.it_w[0] + own.cooling_w[0]) * (1.0 - 1e-12)
        assert own.utility_up[0] or own.utility_w[0] == 0.0
        if own.it_w[0] > 0.0 and not own.battery_power_w.any():
            assert own.source_w[0] / own.it_w[0] >= 1.0


def test_snapshot_in_the_middle_of_an_outage_continues_the_same() -> None:
    """Nothing lasts outside the block: the same arrays in a new stepper give the same bits."""
    one, two = Rig(gens=2), Rig(gens=2)
    one.fault("utility_loss")
    one.run(17)
    for name, array in one.own.arrays().items():
        getattr(two.own, name)[:] = array
    two.stepper.refresh()
    two.now = one.now
    two.obey()
    one.run(40)
    two.run(40)
    for name, array in one.own.arrays().items():
        assert np.array_equal(array, getattr(two.own, name)), name
