"""The whole factory converges at first order when the tick is halved: chips, coolant, CDUs, air and plant together."""

from __future__ import annotations

import numpy as np

from twin.arrays import F64
from twin.scenario.open import open_run

S = 10**9
FINE_S = 0.1
#: one constant load from a cold start: everything moves, nothing is switched by chance
LOAD = 'job=[{name="all", kind="batch", gpus=144, utilisation=0.8}]'


def trajectory(tick_s: float) -> F64:
    """Temperatures at 20, 40, 60 and 120 s: chips, rack return, CDU supply, air into the air-cooled rack."""
    sim = open_run("small", sets=["workload.generator=none", LOAD, "event=[]", "expect={}",
                                  f"scenario.tick={round(tick_s * 1000)}ms"], history=False).sim
    rows = []
    for second in (20, 40, 60, 120):
        sim.run_until(second * S)
        state = sim.state
        rows.append([state.chip.gpu_temp_c[:144].mean(), state.liquid.rack_return_temp_c[0],
                     state.liquid.cdu_supply_temp_c[0], state.air.rack_inlet_temp_c[2]])
        assert state.ledger.residual_rel_max_ratio[0] <= 1e-9
    return np.array(rows)


def test_halving_the_tick_converges_at_first_order_or_better() -> None:
    """The error against a tick of 0.1 s is taken to go with dt - 0.1 s; an order of 0.9 allows for higher terms."""
    fine = trajectory(FINE_S)
    ticks = (1.0, 0.5, 0.25)
    errors = np.array([np.abs(trajectory(tick) - fine).max(axis=0) for tick in ticks])
    steps = np.array(ticks) - FINE_S
    orders = np.log(errors[:-1] / errors[1:]) / np.log(steps[:-1] / steps[1:])[:, np.newaxis]
    assert (orders > 0.9).all(), orders
    assert (errors[0, :3] < 0.25).all(), errors  # K, at the usual tick of 1 s
    assert errors[0, 3] < 0.005


def test_long_ticks_stay_near_and_stable() -> None:
    """A tick of 5 s, and one of 20 s, keep the energy and end where the fine one ends."""
    fine = trajectory(FINE_S)
    for tick_s, room_k in ((5.0, 0.5), (20.0, 2.0)):
        assert np.abs(trajectory(tick_s)[-1] - fine[-1]).max() < room_k
