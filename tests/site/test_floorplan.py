"""Floor plans: what stands where, and the grid that follows."""

from __future__ import annotations

import numpy as np
import pytest
from air_hall import AIR, DEMO, LIQUID, site_of

from twin.errors import CatalogError, SpecError


def rectangles(floor, hall=0):
    """Occupied cells of racks, CDUs and CRAHs in a hall, with repeats."""
    out = []
    for r in range(len(floor.rack_x)):
        out += [(floor.rack_x[r] + i, floor.rack_y[r] + j) for i in range(floor.rack_w[r])
                for j in range(floor.rack_d[r])]
    out += [(x, y + j) for h, x, y in zip(floor.cdu_hall, floor.cdu_x, floor.cdu_y, strict=True) for j in range(2)]
    for k in range(len(floor.crah_x)):
        out += [(floor.crah_x[k] + i, floor.crah_y[k] + j) for i in range(floor.crah_w[k])
                for j in range(floor.crah_d[k])]
    return out


@pytest.mark.parametrize("aisle", ["open", "cold-contained", "hot-contained"])
@pytest.mark.parametrize("rows", [1, 2, 3, 6])
def test_nothing_overlaps_and_all_is_inside(aisle, rows):
    hall = {**DEMO, "aisle": aisle, "row": [{**LIQUID, "repeat": rows}]}
    floor = site_of(hall).floor
    cells = rectangles(floor)
    assert len(cells) == len(set(cells))
    assert all(0 <= x < floor.hall_nx[0] and 0 <= y < floor.hall_ny[0] for x, y in cells)
    for kind, (x, y, w, d) in zip(floor.aisle_kind, floor.aisle_rect, strict=True):
        assert kind in (0, 1)
        assert 0 <= x < x + w <= floor.hall_nx[0]
        assert 0 <= y < y + d <= floor.hall_ny[0]


@pytest.mark.parametrize("aisle", ["open", "cold-contained", "hot-contained"])
def test_racks_breathe_from_cold_aisles_into_hot_ones(aisle):
    floor = site_of({**DEMO, "aisle": aisle}).floor
    nx, ny = int(floor.hall_nx[0]), int(floor.hall_ny[0])
    kind = np.full((ny, nx), -1)
    for k, (x, y, w, d) in zip(floor.aisle_kind, floor.aisle_rect, strict=True):
        kind[y:y + d, x:x + w] = k
    tiles = set(floor.tile_cell.tolist())
    for r in range(len(floor.rack_x)):
        x, facing = int(floor.rack_x[r]), int(floor.rack_facing[r])
        front = int(floor.rack_y[r]) + (2 if facing > 0 else -1)
        rear = int(floor.rack_y[r]) + (-1 if facing > 0 else 2)
        assert kind[front, x] == 0
        assert kind[rear, x] == 1
        assert (ny + front) * nx + x in tiles
        assert floor.rack_front_cell[r] == (ny + front - facing) * nx + x
        assert floor.rack_rear_cell[r] == (ny + rear + facing) * nx + x


def test_demo_hall():
    site = site_of(DEMO)
    floor = site.floor
    assert floor.names["crah"][3] == "A.crah4"
    assert floor.axes["crah"] == 9
    assert floor.axes["cell"] == 3 * int(floor.hall_nx[0]) * int(floor.hall_ny[0]) == len(floor.cell_volume_m3)
    assert floor.crah_loop.tolist() == [1] * 9
    assert floor.hall_crahs_needed.tolist() == [8]
    # 64 x 17 kW and 32 x 40.8 kW
    assert floor.rack_air_design_w.sum() == pytest.approx(2.3936e6)
    # CDUs stand at the ends of their row
    for cdu in range(len(floor.cdu_x)):
        row = site.hydronics.names["cdu"][cdu].rpartition(".")[0]
        racks = [r for r, name in enumerate(site.topology.names["rack"]) if name.startswith(row + ".")]
        assert floor.cdu_y[cdu] == floor.rack_y[racks[0]]
        x = int(floor.cdu_x[cdu])
        assert x < floor.rack_x[racks].min() or x > floor.rack_x[racks].max()


def test_repeated_halls_are_alike_and_apart():
    floor = site_of({**DEMO, "repeat": 3, "row": [{**AIR, "repeat": 2}]}).floor
    assert floor.names["crah"][9] == "B.crah1"
    cells = int(floor.hall_cell_ptr[1])
    assert floor.hall_cell_ptr.tolist() == [0, cells, 2 * cells, 3 * cells]
    assert (floor.cell_gx[:cells] == floor.cell_gx[cells:2 * cells]).all()
    assert (floor.rack_front_cell[32:64] - floor.rack_front_cell[:32] == cells).all()
    assert not floor.cell_gx.flags.writeable


def test_crahs_are_sized_when_none_are_named():
    hall = {"name": "A", "row": [{**AIR, "repeat": 1}]}
    floor = site_of(hall).floor
    # 16 x 40.8 kW over 351.7 kW: two, and a spare
    assert floor.axes["crah"] == 3
    assert floor.hall_crahs_needed.tolist() == [2]


def test_containment_closes_the_aisle():
    closed, opened = site_of(DEMO).floor, site_of({**DEMO, "aisle": "open"}).floor
    tile = int(closed.tile_cell[0])
    assert closed.cell_gz[tile] == pytest.approx(0.02 * opened.cell_gz[tile])


@pytest.mark.parametrize("change, words", [
    ({"crah": {"type": "crah-350kw", "count": 2, "spare": 2}}, "all 2 CRAHs are spares"),
    ({"crah": {"type": "crah-350kw", "loop": "chiled"}}, "did you mean 'chilled'"),
])
def test_clear_errors(change, words):
    with pytest.raises(SpecError) as caught:
        site_of({**DEMO, **change})
    assert words in str(caught.value)


def test_an_unknown_crah_is_named():
    with pytest.raises(CatalogError, match="crah-350kw"):
        site_of({**DEMO, "crah": {"type": "crah-35kw"}})
