"""Trays that get less coolant than their neighbours: closed forms, energy, protection; what a manifold is worth."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.chip_rig import CP_PG25, ChipRig
from tests.rig import ROW, Rig
from twin._kernels.variants import supported
from twin.catalog.loader import load_catalog
from twin.domains.chip.step import stream_shares
from twin.domains.liquid import DOMAIN

FAULT = {kind.name: kind for kind in DOMAIN.faults}
#: share of a GB200's rack flow through its switch trays: 9 of 2.9 L/min beside 18 of 5.2 (handbook, T8)
SWITCHES = 9 * 2.9 / (9 * 2.9 + 18 * 5.2)


def rig_with(valves: dict[int, float], util: float = 1.0, **kwargs) -> ChipRig:
    """A GB200 rack on coolant of 40 degC, some trays' branches partly shut."""
    rig = ChipRig(switch_flow_frac=SWITCHES, **kwargs)
    rig.supply(40.0)
    rig.work(util)
    for tray, left in valves.items():
        rig.liquid.node_valve_frac[tray] = left
    rig.kernel.refresh()
    return rig


def test_a_tray_with_half_its_conductance_is_as_hot_as_its_flow_makes_it() -> None:
    """Parallel branches share by conductance; then the chain of resistances from coolant to die, at the power drawn."""
    rig = rig_with({3: 0.5})
    rig.run(900)
    e, chip = load_catalog().get("accelerators", "gb200"), rig.chip
    even = rig.liquid.rack_flow_kg_s[0] * stream_shares(rig.topology)[0]
    whole = 1.0 - (1.0 - SWITCHES) * 0.5 / 18
    for tray, ratio in ((3, 0.5 / whole), (4, 1.0 / whole)):
        gpus = slice(4 * tray, 4 * tray + 4)
        power, flow = chip.gpu_power_w[gpus], even * ratio
        coolant = 40.0 + power / (2.0 * flow * CP_PG25)
        film = e["r_plate_coolant_k_w"] * (flow / e["plate_flow_design_kg_s"]) ** -e["r_plate_exponent"]
        plate = coolant + power * film
        assert chip.gpu_coolant_temp_c[gpus] == pytest.approx(coolant, abs=1e-3)
        assert chip.gpu_plate_temp_c[gpus] == pytest.approx(plate, abs=1e-3)
        assert chip.gpu_lid_temp_c[gpus] == pytest.approx(plate + power * e["r_lid_plate_k_w"], abs=1e-3)
    assert chip.gpu_temp_c[12:16].min() > np.delete(chip.gpu_temp_c, slice(12, 16)).max() + 5.0
    # the GPUs' heat over the GPUs' flow
    flow = even * 4 * (17.5 / whole)
    assert chip.stream_return_temp_c[0] - 40.0 == pytest.approx(chip.stream_heat_w[0] / (flow * CP_PG25), rel=1e-6)


@pytest.mark.parametrize("dt_s", [0.2, 1.0, 7.0, 30.0])
def test_energy_closes_and_a_refresh_changes_nothing(dt_s: float) -> None:
    rig = rig_with({0: 0.0, 5: 0.3, 17: 0.8})
    for step in range(40):
        rig.kernel.run(dt_s)
        assert rig.residual() <= 1e-9
        if step % 7 == 0:
            rig.kernel.refresh()
    straight = rig_with({0: 0.0, 5: 0.3, 17: 0.8})
    for _ in range(40):
        straight.kernel.run(dt_s)
    for name, array in straight.chip.arrays().items():
        assert array.tobytes() == getattr(rig.chip, name).tobytes(), name


def test_trays_that_are_all_half_shut_share_evenly() -> None:
    """At an equal flow of the rack the compute trays get the same share of what the switch trays leave."""
    shut, open_ = rig_with(dict.fromkeys(range(18), 0.5)), rig_with({})
    whole = 1.0 - (1.0 - SWITCHES) * 0.5
    open_.liquid.rack_flow_kg_s[0] *= 0.5 / whole
    for rig in (shut, open_):
        rig.run(300)
    assert shut.chip.gpu_temp_c == pytest.approx(open_.chip.gpu_temp_c, abs=1e-9)
    assert shut.chip.stream_heat_w[0] == pytest.approx(open_.chip.stream_heat_w[0], rel=1e-12)


def test_a_tray_without_flow_protects_itself_and_leaves_the_others_cool() -> None:
    """As T22: 88 degC within 2 to 8 s at 40 degC supply; its four GPUs shut down, no other is throttled."""
    rig = rig_with({})
    rig.run(900)
    rig.liquid.node_valve_frac[7] = 0.0
    rig.kernel.refresh()
    seconds = 0
    while rig.chip.gpu_temp_c[28:32].max() < 88.0 and seconds < 60:
        rig.run(1)
        seconds += 1
    assert 2 <= seconds <= 8
    rig.run(60)
    off = np.flatnonzero(rig.chip.gpu_throttle & 0x200)
    assert off.tolist() == [28, 29, 30, 31]
    assert rig.chip.rack_throttled[0] == 4


def test_a_healthy_manifold_is_uneven_by_a_fraction_of_a_kelvin() -> None:
    """An open model of an NVL72's manifold finds 5.18 to 5.29 L/min from tray to tray: the bound for sharing evenly."""
    spread = np.linspace(5.18, 5.29, 18) / 5.29
    uneven, even = rig_with(dict(enumerate(spread))), rig_with({})
    for rig in (uneven, even):
        rig.run(900)
    assert 0.02 < np.abs(uneven.chip.gpu_temp_c - even.chip.gpu_temp_c).max() < 0.25


def test_every_vector_width_gives_the_same_bits() -> None:
    seen = []
    for variant in supported():
        rig = rig_with({2: 0.4, 9: 0.0}, util=0.9, variant=variant)
        rig.run(120)
        seen.append({name: array.tobytes() for name, array in rig.chip.arrays().items()})
    assert all(one == seen[0] for one in seen)


def test_the_rack_takes_less_of_the_rows_coolant() -> None:
    """At the pressure held, flow goes with conductance: the switch trays' share and what is left of the others'."""
    rig = Rig([ROW], domains=("liquid",))
    rig.load(115e3)
    rig.run(600.0)
    before, share = rig.liquid.rack_flow_kg_s[:2].copy(), rig.hydronics.rack["switch_flow_frac"][0]
    for tray, left in ((0, 0.0), (1, 0.5)):
        FAULT["tray_branch_blocked"].start(rig.liquid, tray, left)
    rig.steppers[0].refresh()
    rig.run(600.0)
    assert rig.liquid.rack_flow_kg_s[0] / rig.liquid.rack_flow_kg_s[1] == pytest.approx(
        before[0] / before[1] * (1.0 - (1.0 - share) * 1.5 / 18), rel=1e-9)
    # the switch trays have their old flow, so their coolant leaves as before; the compute trays' leaves warmer
    assert rig.liquid.rack_switch_temp_c[0] == pytest.approx(rig.liquid.rack_switch_temp_c[1], abs=1e-6)
    assert rig.liquid.rack_compute_temp_c[0] > rig.liquid.rack_compute_temp_c[1] + 0.5
    FAULT["tray_branch_blocked"].clear(rig.liquid, 0)
    FAULT["tray_branch_blocked"].clear(rig.liquid, 1)
    rig.steppers[0].refresh()
    rig.run(600.0)
    assert rig.liquid.rack_flow_kg_s[:2] == pytest.approx(before, rel=1e-6)
