"""T23, air part: the one-sweep step is the dense implicit step (1e-10); energy closes (1e-9); first order in time."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from air_hall import AIR, Hall
from scipy import sparse
from scipy.sparse.linalg import spsolve

SMALL = {"name": "A", "crah": {"type": "crah-250kw", "count": 2, "spare": 1},
         "row": [{**AIR, "racks": 4, "repeat": 2}]}


@pytest.mark.parametrize("dt_s", [0.01, 1.0, 60.0, 3600.0])
def test_sweep_is_the_dense_implicit_step(dt_s):
    hall = Hall(SMALL)
    flow = hall.stepper._kernel.flow
    source, target, q = flow.face_flows(0)
    n, rho_cp = flow.cells, 1180.0
    volume = np.array(hall.site.floor.cell_volume_m3)
    # what leaves a cell for a machine is what flowed in and did not flow on
    draw = np.zeros(n)
    np.add.at(draw, target, q)
    np.add.at(draw, source, -q)
    inject, draw = np.maximum(-draw, 0.0), np.maximum(draw, 0.0)
    rho_cp = _rho_cp(hall)
    rng = np.random.default_rng(5)
    old = rng.uniform(18.0, 45.0, n)
    gain = rho_cp * inject * rng.uniform(15.0, 50.0, n) + rng.uniform(0.0, 500.0, n)
    out = draw.copy()
    np.add.at(out, source, q)
    system = (sparse.diags(rho_cp * volume / dt_s + rho_cp * out)
              - sparse.coo_matrix((rho_cp * q, (target, source)), shape=(n, n))).tocsc()
    want = spsolve(system, rho_cp * volume / dt_s * old + gain)
    got = old.copy()
    stored = flow.step_temperature(0, dt_s, got, gain.copy())
    np.testing.assert_allclose(got, want, rtol=1e-10)
    assert stored == pytest.approx(rho_cp * np.dot(volume, got - old), rel=1e-9)


def _rho_cp(hall):
    # ideal gas at the site's pressure, 27 degC; 1006 J/kgK
    pressure = 101325.0 * (1.0 - 2.25577e-5 * hall.site.climate.altitude_m) ** 5.2559
    return 1006.0 * pressure / (287.042 * 300.15)


@pytest.mark.parametrize("dt_s", [0.01, 1.0, 10.0, 60.0])
@pytest.mark.parametrize("aisle", ["open", "cold-contained", "hot-contained"])
def test_energy_closes_through_faults_and_steps(dt_s, aisle):
    hall = Hall({**SMALL, "aisle": aisle}, load=0.3)
    hall.power.hall_service_w[:] = 3e4
    worst = 0.0
    for k in range(60):
        if k == 10:
            hall.load(1.0)
        if k == 20:
            hall.air.crah_fault[0] = 1
        if k == 30:
            hall.power.rack_energised[:3] = 0
            hall.plant.loop_flow_frac[:] = 0.0
        if k == 40:
            hall.air.crah_fault[0] = 0
            hall.power.crah_energised[:] = 0
        if k == 50:
            hall.power.crah_energised[:] = 1
            hall.plant.loop_flow_frac[:] = 1.0
        hall.step(dt_s)
        worst = max(worst, hall.residual())
    assert worst < 1e-9


def test_ledger_of_a_tick_counts_what_was_metered():
    hall = Hall(SMALL)
    hall.power.hall_service_w[:] = 2e4
    metered = float(hall.air.crah_power_w.sum())
    hall.step(2.0)
    heat = float(hall.chip.stream_heat_w[hall.site.topology.stream_is_air == 1].sum()
                 + hall.power.rack_air_heat_w.sum()) + 2e4
    assert hall.air.tick_in_j[0] == pytest.approx(2.0 * (heat + metered), rel=1e-12)
    assert hall.air.tick_out_j[0] == pytest.approx(2.0 * hall.air.crah_heat_w.sum(), rel=1e-12)


def test_error_halves_with_the_step():
    finals = {}
    for dt_s in (2.0, 1.0, 0.5, 0.03125):
        hall = Hall(SMALL, load=0.5)
        # a step of heat, short of the first sample of the controllers
        hall.load(1.0)
        hall.air.fan_sample_s[0] = -100.0
        hall.step(dt_s, round(8.0 / dt_s))
        finals[dt_s] = hall.air.cell_temp_c.copy()
    errors = [np.abs(finals[dt] - finals[0.03125]).mean() for dt in (2.0, 1.0, 0.5)]
    assert errors[0] > 1e-3
    for coarse, fine in itertools.pairwise(errors):
        assert 1.6 < coarse / fine < 2.6
