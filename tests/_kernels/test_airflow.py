"""Potential flow and the one-sweep temperature step against dense linear algebra."""

from __future__ import annotations

import numpy as np
import pytest

from twin._kernels.airflow import AirFlow, band_factor, band_order


def grid(nx=7, ny=5, seed=3):
    rng = np.random.default_rng(seed)
    n = 3 * nx * ny
    gx, gy, gz = (10.0 ** rng.uniform(-3, 1, n) for _ in range(3))
    volume = rng.uniform(0.1, 1.0, n)
    flow = AirFlow(
        cell_ptr=np.array([0, n], dtype=np.int32), nx=np.array([nx], dtype=np.int32),
        ny=np.array([ny], dtype=np.int32), gx=gx, gy=gy, gz=gz, volume_m3=volume, rho_cp_j_m3k=1180.0,
        factor=band_factor(nx, ny, gx, gy, gz), factor_at=np.zeros(1, dtype=np.int64), potential=np.zeros(n),
    )
    inject, draw = np.zeros(n), np.zeros(n)
    inject[rng.choice(n, 6, replace=False)] = rng.uniform(0.5, 2.0, 6)
    draw[rng.choice(n, 6, replace=False)] = 1.0
    draw *= inject.sum() / draw.sum()
    return flow, (gx, gy, gz), volume, inject, draw, rng


def laplacian(nx, ny, gx, gy, gz):
    n = 3 * nx * ny
    a = np.zeros((n, n))
    for i in range(n):
        for g, j, ok in ((gx[i], i + 1, i % nx < nx - 1), (gy[i], i + nx, (i // nx) % ny < ny - 1),
                         (gz[i], i + nx * ny, i < 2 * nx * ny)):
            if ok:
                a[i, i] += g
                a[j, j] += g
                a[i, j] -= g
                a[j, i] -= g
    return a


@pytest.mark.parametrize("nx, ny", [(7, 5), (4, 9), (1, 6), (6, 1)])
def test_flow_is_that_of_a_dense_solve(nx, ny):
    flow, g, _, inject, draw, _ = grid(nx, ny)
    assert flow.solve_sources(0, inject, draw) < 1e-12
    want = np.linalg.lstsq(laplacian(nx, ny, *g), inject - draw, rcond=None)[0]
    source, target, q = flow.face_flows(0)
    steps = {1: g[0], nx: g[1], nx * ny: g[2]} if nx > 1 and ny > 1 else None
    if steps is not None:
        for a, b, moved in zip(source, target, q, strict=True):
            assert moved == pytest.approx(steps[abs(b - a)][min(a, b)] * (want[a] - want[b]), rel=1e-6, abs=1e-9)
    net = inject - draw
    np.add.at(net, target, q)
    np.add.at(net, source, -q)
    assert np.abs(net).max() < 1e-11


def test_cells_are_swept_in_the_order_of_the_flow():
    flow, _, _, inject, draw, _ = grid()
    flow.solve_sources(0, inject, draw)
    order = flow.sweep_order(0)
    assert sorted(order) == list(range(len(inject)))
    at = np.empty(len(order), dtype=int)
    at[order] = np.arange(len(order))
    source, target, _ = flow.face_flows(0)
    assert (at[source] < at[target]).all()


def test_a_cell_that_is_cut_off_is_refused():
    g = np.ones(3 * 4)
    with pytest.raises(ValueError, match="no opening"):
        band_factor(2, 2, np.zeros_like(g), np.zeros_like(g), np.zeros_like(g))
    with pytest.raises(ValueError, match="one value per cell"):
        band_factor(2, 3, g, g, g)


@pytest.mark.parametrize("nx, ny", [(3, 8), (8, 3), (1, 1)])
def test_band_order_is_a_permutation_within_its_width(nx, ny):
    place, width = band_order(nx, ny)
    n = 3 * nx * ny
    assert sorted(place) == list(range(n))
    assert width == 3 * min(nx, ny)
    for i in range(n):
        for j, ok in ((i + 1, i % nx < nx - 1), (i + nx, (i // nx) % ny < ny - 1), (i + nx * ny, i < 2 * nx * ny)):
            if ok:
                assert abs(int(place[i]) - int(place[j])) <= width
