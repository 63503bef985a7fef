"""Floor plans of the halls: rows, aisles, CRAHs and CDUs in their places, and the air grid they make.

A hall is a plan of 0.6 m cells in three layers: the plenum under the raised floor, the rack height, and the space
over the racks. Rows lie along x; two rows face each other across an aisle of two cells. CRAHs stand along the two
walls parallel to the rows, blow into the plenum and draw from above. Conductances are those of a potential flow
(opening over distance) times the open share of each face.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from twin.arrays import F64, I32, frozen_f64, frozen_i32, total
from twin.catalog.entry import Entry
from twin.errors import SpecError, nearest
from twin.site.grid import CELL_M, HallGrid
from twin.site.site import Topology
from twin.site.spec import CoolingUnitsSpec, HallSpec, Spec
from twin.site.topology import hall_list

#: the CRAH that a hall gets when its specification names none but its racks heat the air.
DEFAULT_CRAH = "crah-350kw"
AISLE_CELLS, CORRIDOR_CELLS, RACK_DEPTH_CELLS = 2, 2, 2
COLD, HOT = 0, 1


@dataclass(frozen=True)
class Floor:
    """The halls' floor plans and air grids. Arrays are read-only; plan coordinates are cells of 0.6 m.

    A cell of a hall has index ``hall_cell_ptr[hall] + (layer * ny + y) * nx + x``; layers are 0 plenum, 1 rack
    height, 2 over the racks.

    Attributes:
        hall_nx, hall_ny: size of each hall's plan; hall_cell_ptr: bounds of its cells, shape (halls + 1).
        hall_aisle: containment of each hall: open, cold-contained or hot-contained.
        cell_gx, cell_gy, cell_gz: conductance to the neighbour at x + 1, y + 1, layer + 1, by cell.
        cell_volume_m3: air in the cell.
        rack_x, rack_y, rack_w, rack_d: rectangle of each rack; rack_facing: +1 when its front looks to larger y.
        rack_front_cell, rack_rear_cell: first of the rack_w cells (along x) that hold its inlet and its exhaust.
        crah_hall, crah_loop, crah_x, crah_y, crah_w, crah_d: hall, plant loop (index) and rectangle of each CRAH.
        crah_entries: catalogue entry of each CRAH; crah_supply_c: its supply set-point at the start.
        hall_crahs_needed: CRAHs of the hall that are not spares.
        cdu_hall, cdu_x, cdu_y: hall and first cell of each CDU (one cell wide, as deep as a rack), at row ends.
        aisle_hall, aisle_kind (0 cold, 1 hot), aisle_rect: hall, kind and x, y, width, depth of every aisle.
        tile_cell: cells of the rack height that stand on a perforated tile.
        service_cell_ptr, service_cell: cells that take the heat of network and storage, by hall.
        rack_air_design_w: heat of each rack that goes to the air at full load.
    """

    hall_nx: I32
    hall_ny: I32
    hall_cell_ptr: I32
    hall_aisle: tuple[str, ...]
    cell_gx: F64
    cell_gy: F64
    cell_gz: F64
    cell_volume_m3: F64
    rack_x: I32
    rack_y: I32
    rack_w: I32
    rack_d: I32
    rack_facing: I32
    rack_front_cell: I32
    rack_rear_cell: I32
    crah_hall: I32
    crah_loop: I32
    crah_x: I32
    crah_y: I32
    crah_w: I32
    crah_d: I32
    crah_entries: tuple[Entry, ...]
    crah_supply_c: F64
    hall_crahs_needed: I32
    cdu_hall: I32
    cdu_x: I32
    cdu_y: I32
    aisle_hall: I32
    aisle_kind: I32
    aisle_rect: I32
    tile_cell: I32
    service_cell_ptr: I32
    service_cell: I32
    rack_air_design_w: F64
    axes: Mapping[str, int] = field(default_factory=dict)
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)


def build_floor(spec: Spec, catalog: Any, topology: Topology, hydronics: Any) -> Floor:
    """Lay out the halls of a specification.

    Args:
        spec: the specification as resolved.
        catalog: holds the kind ``crahs``.
        topology: halls, rows and racks.
        hydronics: names its loops (``names["loop"]``) and CDUs (``names["cdu"]``).

    Raises:
        SpecError: a hall's CRAHs hang on a loop that is not there, or all of them are spares.
        CatalogError: the CRAH is not in the catalogue.
    """
    plans = _Plans(topology, list(hydronics.names.get("cdu", ())))
    loops = list(hydronics.names.get("loop", ()))
    for index, (name, hall) in enumerate(hall_list(spec)):
        racks = np.flatnonzero(topology.rack_hall == index)
        design_w = total(plans.air_w[rack] for rack in racks)
        group = _crahs_of(hall, name, design_w, catalog)
        plans.add_hall(index, name, hall.aisle, group, catalog, loops)
    return plans.floor()


def air_design_w(entry: Entry, gpu_entry: Entry) -> float:
    """Return the heat that a full rack gives to its air, W: all of it, or what the coolant does not take."""
    stated = entry.get("air_tdp_w")
    if stated is not None:
        return float(stated)
    if entry["cooling"] == "air":
        return float(entry["tdp_w"])
    gpus_w = entry["nodes"] * entry["gpus_per_node"] * gpu_entry["tdp_w"]
    return max(0.0, float(entry["tdp_w"]) - gpus_w) * (1.0 - float(entry.get("liquid_aux_frac", 1.0)))


def _crahs_of(hall: HallSpec, name: str, design_w: float, catalog: Any) -> CoolingUnitsSpec | None:
    """Return the hall's CRAHs; sized from the racks' air heat, with one spare, when none are named."""
    group = hall.crah
    if group is None and design_w > 0.0:
        needed = math.ceil(design_w / catalog.get("crahs", DEFAULT_CRAH)["capacity_net_w"])
        group = CoolingUnitsSpec(type=DEFAULT_CRAH, count=needed + 1, spare=1)
    if group is not None and group.spare >= group.count:
        raise SpecError(f"all {group.count} CRAHs are spares", where=f"hall.{name}.crah",
                        expected="spare below count")
    return group


def _loop_of(group: CoolingUnitsSpec, name: str, loops: list[str]) -> int:
    wanted = group.loop or "chilled"
    if wanted in loops:
        return loops.index(wanted)
    if not group.loop and len(loops) == 1:
        return 0
    raise SpecError(f"there is no plant loop '{wanted}' for the CRAHs", where=f"hall.{name}.crah.loop",
                    expected="one of " + ", ".join(loops) if loops else "a [[plant.loop]] of that name",
                    nearest=nearest(wanted, loops))


class _Plans:
    """Collects the halls' parts while they are laid out."""

    def __init__(self, topology: Topology, cdu_names: list[str]) -> None:
        self.topology, self.cdu_names = topology, cdu_names
        racks, cdus = len(topology.rack_row), len(cdu_names)
        gpu_of = [topology.gpu_entries[topology.gpu_class[topology.rack_gpu_ptr[r]]] for r in range(racks)]
        entries = [topology.rack_entries[c] for c in topology.rack_class]
        self.air_w = [air_design_w(entry, gpu) for entry, gpu in zip(entries, gpu_of, strict=True)]
        self.flow = [float(entry["air_flow_design_m3_s"]) for entry in entries]
        self.width = [max(1, round(float(entry.get("width_m", CELL_M)) / CELL_M)) for entry in entries]
        self.rack = {key: np.zeros(racks, dtype=np.int64) for key in ("x", "y", "w", "d", "facing", "front", "rear")}
        self.cdu = {key: np.zeros(cdus, dtype=np.int64) for key in ("hall", "x", "y")}
        self.crah: dict[str, list[Any]] = {key: [] for key in (
            "hall", "loop", "x", "y", "w", "d", "entry", "supply", "name")}
        self.aisles: list[tuple[int, int, int, int, int, int]] = []
        self.grids: list[HallGrid] = []
        self.tiles: list[int] = []
        self.service: list[list[int]] = []
        self.needed: list[int] = []
        self.aisle_of: list[str] = []
        self.cells = 0

    def add_hall(self, hall: int, name: str, containment: str, group: CoolingUnitsSpec | None, catalog: Any,
                 loops: list[str]) -> None:
        """Lay out one hall and make its grid."""
        rows = np.flatnonzero(self.topology.row_hall == hall)
        row_names = self.topology.names["row"]
        cdus = {row: [k for k, cdu in enumerate(self.cdu_names) if cdu.rpartition(".")[0] == row_names[int(row)]]
                for row in rows}
        racks = {row: np.flatnonzero(self.topology.rack_row == row) for row in rows}
        length = {row: sum(self.width[r] for r in racks[row]) + len(cdus[row]) for row in rows}
        entry = catalog.get("crahs", group.type) if group else None
        count = group.count if group else 0
        wide, deep = _footprint(entry) if entry else (0, 0)
        top = (count + 1) // 2
        nx = max(max(length.values()) + 2 * CORRIDOR_CELLS, top * wide)
        inner = HOT if containment == "hot-contained" else COLD
        lines, aisles, depth = _lines(len(rows), inner, deep + CORRIDOR_CELLS)
        ny = depth + CORRIDOR_CELLS + (deep if count > top else 0)
        grid = HallGrid(nx, ny)
        for at, row in enumerate(rows):
            y, facing = lines[at]
            left = (len(cdus[row]) + 1) // 2
            x = (nx - length[row]) // 2
            self._row(hall, grid, x, y, facing, list(racks[row]), cdus[row][:left], cdus[row][left:])
        spans = [((nx - length[row]) // 2, (nx - length[row]) // 2 + length[row]) for row in rows]
        self._aisles(hall, grid, aisles, spans)
        for k in range(count):
            assert group is not None
            assert entry is not None
            along = k if k < top else k - top
            of = top if k < top else count - top
            x, y = (2 * along + 1) * nx // (2 * of) - wide // 2, 0 if k < top else ny - deep
            grid.crah(x, y, wide, deep)
            supply = float(entry["supply_air_c"]) if group.supply_c is None else group.supply_c
            values = (hall, _loop_of(group, name, loops), x, y, wide, deep, entry, supply, f"{name}.crah{k + 1}")
            for key, value in zip(self.crah, values, strict=True):
                self.crah[key].append(value)
        members = np.flatnonzero(self.topology.rack_hall == hall)
        most = max(self.flow[r] for r in members)
        for r in members:
            self.tiles += grid.tiles(self.rack["x"][r], self.rack["y"][r], self.width[r], int(self.rack["facing"][r]),
                                     self.flow[r] / most, self.cells)
        grid.finish(containment)
        self.service.append([self.cells + c for c in grid.aisle_cells(HOT)])
        self.needed.append(count - (group.spare if group else 0))
        self.aisle_of.append(containment)
        self.grids.append(grid)
        self.cells += grid.cells

    def _row(self, hall: int, grid: HallGrid, x: int, y: int, facing: int, racks: list[int], left: list[int],
             right: list[int]) -> None:
        for cdu in left:
            x = self._cdu(hall, grid, cdu, x, y)
        for r in racks:
            wide = self.width[r]
            front_y, rear_y = (y + RACK_DEPTH_CELLS - 1, y) if facing > 0 else (y, y + RACK_DEPTH_CELLS - 1)
            for key, value in (("x", x), ("y", y), ("w", wide), ("d", RACK_DEPTH_CELLS), ("facing", facing),
                               ("front", self.cells + grid.cell(x, front_y, 1)),
                               ("rear", self.cells + grid.cell(x, rear_y, 1))):
                self.rack[key][r] = value
            grid.rack(x, wide, front_y, rear_y)
            x += wide
        for cdu in right:
            x = self._cdu(hall, grid, cdu, x, y)

    def _cdu(self, hall: int, grid: HallGrid, cdu: int, x: int, y: int) -> int:
        self.cdu["hall"][cdu], self.cdu["x"][cdu], self.cdu["y"][cdu] = hall, x, y
        grid.solid(x, y, 1, RACK_DEPTH_CELLS)
        return x + 1

    def _aisles(self, hall: int, grid: HallGrid, aisles: list[tuple[int, int, int]],
                spans: list[tuple[int, int]]) -> None:
        for y, kind, first in aisles:
            beside = spans[first:first + 2] if first >= 0 else spans[:1]
            x0, x1 = min(a for a, _ in beside), max(b for _, b in beside)
            grid.aisle(x0, y, x1 - x0, AISLE_CELLS, kind)
            self.aisles.append((hall, kind, x0, y, x1 - x0, AISLE_CELLS))

    def floor(self) -> Floor:
        """Put the halls together."""
        ptr = np.concatenate([[0], np.cumsum([grid.cells for grid in self.grids])])
        service_ptr = np.concatenate([[0], np.cumsum([len(cells) for cells in self.service])])
        rack, crah, cdu = self.rack, self.crah, self.cdu
        aisles = np.array(self.aisles, dtype=np.int64).reshape(-1, 6)
        return Floor(
            hall_nx=frozen_i32([g.nx for g in self.grids]), hall_ny=frozen_i32([g.ny for g in self.grids]),
            hall_cell_ptr=frozen_i32(ptr), hall_aisle=tuple(self.aisle_of),
            cell_gx=frozen_f64(np.concatenate([g.gx.ravel() for g in self.grids])),
            cell_gy=frozen_f64(np.concatenate([g.gy.ravel() for g in self.grids])),
            cell_gz=frozen_f64(np.concatenate([g.gz.ravel() for g in self.grids])),
            cell_volume_m3=frozen_f64(np.concatenate([g.volume.ravel() for g in self.grids])),
            rack_x=frozen_i32(rack["x"]), rack_y=frozen_i32(rack["y"]), rack_w=frozen_i32(rack["w"]),
            rack_d=frozen_i32(rack["d"]), rack_facing=frozen_i32(rack["facing"]),
            rack_front_cell=frozen_i32(rack["front"]), rack_rear_cell=frozen_i32(rack["rear"]),
            crah_hall=frozen_i32(crah["hall"]), crah_loop=frozen_i32(crah["loop"]), crah_x=frozen_i32(crah["x"]),
            crah_y=frozen_i32(crah["y"]), crah_w=frozen_i32(crah["w"]), crah_d=frozen_i32(crah["d"]),
            crah_entries=tuple(crah["entry"]), crah_supply_c=frozen_f64(crah["supply"]),
            hall_crahs_needed=frozen_i32(self.needed), cdu_hall=frozen_i32(cdu["hall"]),
            cdu_x=frozen_i32(cdu["x"]), cdu_y=frozen_i32(cdu["y"]), aisle_hall=frozen_i32(aisles[:, 0]),
            aisle_kind=frozen_i32(aisles[:, 1]), aisle_rect=frozen_i32(aisles[:, 2:]),
            tile_cell=frozen_i32(self.tiles), service_cell_ptr=frozen_i32(service_ptr),
            service_cell=frozen_i32([c for cells in self.service for c in cells]),
            rack_air_design_w=frozen_f64(self.air_w), axes={"crah": len(crah["name"]), "cell": self.cells},
            names={"crah": list(crah["name"])},
        )


def _footprint(entry: Entry) -> tuple[int, int]:
    return max(1, round(entry["width_m"] / CELL_M)), max(1, round(entry["depth_m"] / CELL_M))


def _lines(rows: int, inner: int, y: int) -> tuple[list[tuple[int, int]], list[tuple[int, int, int]], int]:
    """Return (y, facing) of each row, (y, kind, row before it) of each aisle, and the depth used so far.

    Rows stand in pairs across an inner aisle; between pairs lie outer aisles of the other kind. The corridor
    before the first row counts as an outer aisle.
    """
    lines, aisles = [], [(y - AISLE_CELLS, 1 - inner, -1)]
    toward = 1 if inner == COLD else -1
    for row in range(rows):
        first = row % 2 == 0
        lines.append((y, toward if first else -toward))
        y += RACK_DEPTH_CELLS
        aisles.append((y, inner if first else 1 - inner, row))
        y += AISLE_CELLS
    return lines, aisles, y - AISLE_CELLS
