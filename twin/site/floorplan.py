"""Floor plans of the halls: rows, aisles, CRAHs and CDUs in their places, and the air grid they make.

A hall is a plan of 0.6 m cells in three layers: the plenum under the raised floor, the rack height, and the space
over the racks. Rows lie along x; two rows face each other across an aisle of two cells. CRAHs and fan walls stand
along the two walls parallel to the rows and draw from above; CRAHs blow into the plenum, fan walls into the room.
In-row coolers stand among the racks, rear doors behind them. Conductances are those of a potential flow
(opening over distance) times the open share of each face.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from twin.arrays import F64, I32, frozen_f64, frozen_i32, total
from twin.catalog.entry import Entry
from twin.errors import SpecError
from twin.site.airunits import DOOR, IN_ROW, ROOM, AirUnits, expect_kind, footprint, kind_of, room_units
from twin.site.grid import CELL_M, HallGrid
from twin.site.site import Topology
from twin.site.spec import CoolingUnitsSpec, HallSpec, RowSpec, Spec
from twin.site.topology import hall_list, row_list

AISLE_CELLS, CORRIDOR_CELLS, RACK_DEPTH_CELLS = 2, 2, 2
COLD, HOT = 0, 1
#: kind of the aisles that a containment shuts.
#: factors of the halls' flow matrices together, bytes: a hall of 150 m by 80 m takes 300 MB and some seconds
FACTOR_BYTES_MAX = 512 << 20
CONTAINED = {"open": -1, "cold-contained": COLD, "hot-contained": HOT}


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
        crah_hall, crah_loop, crah_x, crah_y, crah_w, crah_d: hall, plant loop, rectangle of each air machine.
        crah_kind: 0 CRAH, 1 fan wall, 2 in-row cooler, 3 rear door; crah_rack: rack of a rear door, -1 for the others.
        crah_facing: +1 when it blows towards larger y.
        crah_out_ptr, crah_out_cell, crah_in_ptr, crah_in_cell: cells that it blows into and draws from; none for doors.
        crah_entries: catalogue entry of each machine; crah_supply_c: its supply set-point at the start.
        rack_door: rear door of each rack, -1 for none.
        hall_crahs_needed: machines at the hall's walls that are not spares.
        cdu_hall, cdu_x, cdu_y: hall and first cell of each CDU (one cell wide, as deep as a rack), at row ends.
        aisle_hall, aisle_kind (0 cold, 1 hot), aisle_rect: hall, kind and x, y, width, depth of every aisle.
        aisle_face_ptr, aisle_face: faces (``cell_gx`` of these cells) that the door at an aisle's end closes, by
            contained aisle: these make up the axis ``aisle``.
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
    crah_kind: I32
    crah_rack: I32
    crah_facing: I32
    crah_out_ptr: I32
    crah_out_cell: I32
    crah_in_ptr: I32
    crah_in_cell: I32
    rack_door: I32
    crah_entries: tuple[Entry, ...]
    crah_supply_c: F64
    hall_crahs_needed: I32
    cdu_hall: I32
    cdu_x: I32
    cdu_y: I32
    aisle_hall: I32
    aisle_kind: I32
    aisle_rect: I32
    aisle_face_ptr: I32
    aisle_face: I32
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
        SpecError: a hall's machines hang on a loop that is not there, all are spares, or they cannot stand there.
        CatalogError: the machine is not in the catalogue.
    """
    plans = _Plans(topology, list(hydronics.names.get("cdu", ())), list(hydronics.names.get("loop", ())), catalog)
    rows = [row for _, _, row in row_list(spec)]
    for index, (name, hall) in enumerate(hall_list(spec)):
        plans.add_hall(index, name, hall, rows)
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


class _Plans:
    """Collects the halls' parts while they are laid out."""

    def __init__(self, topology: Topology, cdu_names: list[str], loops: list[str], catalog: Any) -> None:
        self.topology, self.cdu_names, self.catalog = topology, cdu_names, catalog
        self.cdu_at = {name: k for k, name in enumerate(cdu_names)}
        racks, cdus = len(topology.rack_row), len(cdu_names)
        gpu_of = [topology.gpu_entries[topology.gpu_class[topology.rack_gpu_ptr[r]]] for r in range(racks)]
        entries = [topology.rack_entries[c] for c in topology.rack_class]
        self.air_w = [air_design_w(entry, gpu) for entry, gpu in zip(entries, gpu_of, strict=True)]
        self.flow = [float(entry["air_flow_design_m3_s"]) for entry in entries]
        self.width = [max(1, round(float(entry.get("width_m", CELL_M)) / CELL_M)) for entry in entries]
        self.rack = {key: np.zeros(racks, dtype=np.int64) for key in ("x", "y", "w", "d", "facing", "front", "rear")}
        self.cdu = {key: np.zeros(cdus, dtype=np.int64) for key in ("hall", "x", "y")}
        self.units = AirUnits(loops)
        self.rack_door = np.full(racks, -1)
        self.cooler_at: dict[int, list[tuple[int, int, int, int]]] = {}
        self.aisles: list[tuple[int, int, int, int, int, int]] = []
        self.grids: list[HallGrid] = []
        self.ends: list[list[int]] = []
        self.end_names: list[str] = []
        self.tiles: list[int] = []
        self.service: list[list[int]] = []
        self.needed: list[int] = []
        self.aisle_of: list[str] = []
        self.cells = 0
        self.factor_bytes: dict[tuple[int, int, int], int] = {}

    def add_hall(self, hall: int, name: str, spec: HallSpec, row_specs: list[RowSpec]) -> None:
        """Lay out one hall and make its grid."""
        rows = [int(row) for row in np.flatnonzero(self.topology.row_hall == hall)]
        row_names = self.topology.names["row"]
        cdus = {row: [k for k, cdu in enumerate(self.cdu_names) if cdu.rpartition(".")[0] == row_names[row]]
                for row in rows}
        racks = {row: np.flatnonzero(self.topology.rack_row == row) for row in rows}
        coolers = {row: row_specs[row].cooler for row in rows}
        wide_of = {row: _cooler_width(coolers[row], self.catalog, row_names[row]) for row in rows}
        length = {row: sum(self.width[r] for r in racks[row]) + len(cdus[row]) + sum(wide_of[row]) for row in rows}
        members = np.flatnonzero(self.topology.rack_hall == hall)
        group = room_units(spec, name, spec.row, total(self.air_w[r] for r in members), self.catalog)
        entry = self.catalog.get("crahs", group.type) if group else None
        count = group.count if group else 0
        wide, deep = footprint(entry) if entry else (0, 0)
        top = (count + 1) // 2
        nx = max(max(length.values()) + 2 * CORRIDOR_CELLS, top * wide)
        inner = HOT if spec.aisle == "hot-contained" else COLD
        lines, aisles, depth = _lines(len(rows), inner, deep + CORRIDOR_CELLS)
        ny = depth + CORRIDOR_CELLS + (deep if count > top else 0)
        self._check_plan(name, spec, nx, ny)
        grid = HallGrid(nx, ny)
        for at, row in enumerate(rows):
            y, facing = lines[at]
            left = (len(cdus[row]) + 1) // 2
            x = (nx - length[row]) // 2
            self._row(hall, grid, x, y, facing, list(racks[row]), cdus[row][:left], cdus[row][left:], wide_of[row])
        spans = [((nx - length[row]) // 2, (nx - length[row]) // 2 + length[row]) for row in rows]
        self._aisles(hall, grid, aisles, spans, name, CONTAINED[spec.aisle])
        for k in range(count):
            assert group is not None
            assert entry is not None
            of = top if k < top else count - top
            x, y = (2 * (k if k < top else k - top) + 1) * nx // (2 * of) - wide // 2, 0 if k < top else ny - deep
            grid.crah(x, y, wide, deep)
            self.units.add(group, entry, f"hall.{name}.crah", hall=hall, name=f"{name}.crah{k + 1}",
                           rect=(x, y, wide, deep), facing=1 if k < top else -1, plan=(nx, ny), first_cell=self.cells)
        self._row_units(hall, grid, rows, row_specs, racks)
        if entry is not None and kind_of(entry) == ROOM:
            self._tiles(grid, members)
        grid.finish(spec.aisle, spec.leakage)
        self.service.append([self.cells + c for c in grid.aisle_cells(HOT)])
        self.needed.append(count - (group.spare if group else 0))
        self.aisle_of.append(spec.aisle)
        self.grids.append(grid)
        self.cells += grid.cells

    def _check_plan(self, name: str, spec: HallSpec, nx: int, ny: int) -> None:
        """Refuse a plan whose flow cannot be solved in sensible memory and time; halls that are alike share."""
        self.factor_bytes[id(spec), nx, ny] = 8 * 3 * nx * ny * (3 * min(nx, ny) + 1)
        if sum(self.factor_bytes.values()) > FACTOR_BYTES_MAX:
            size = f"{nx * CELL_M:,.0f} m by {ny * CELL_M:,.0f} m"
            raise SpecError(f"with the machines that it needs the hall is {size}, "
                            "too large for its air to be solved", where=f"hall.{name}",
                            expected="several smaller halls, or racks of less power")

    def _tiles(self, grid: HallGrid, members: np.ndarray) -> None:
        """Lay perforated tiles before the racks of a hall whose raised floor carries air."""
        most = max(self.flow[r] for r in members)
        for r in members:
            self.tiles += grid.tiles(self.rack["x"][r], self.rack["y"][r], self.width[r], int(self.rack["facing"][r]),
                                     self.flow[r] / most, self.cells)

    def _row(self, hall: int, grid: HallGrid, x: int, y: int, facing: int, racks: list[int], left: list[int],
             right: list[int], coolers: list[int]) -> None:
        """Place a row: CDUs at its ends, in-row coolers (widths) spread among its racks."""
        before = [(2 * k + 1) * len(racks) // (2 * len(coolers)) for k in range(len(coolers))]
        front_y, rear_y = (y + RACK_DEPTH_CELLS - 1, y) if facing > 0 else (y, y + RACK_DEPTH_CELLS - 1)
        row = int(self.topology.rack_row[racks[0]])
        places: list[tuple[int, int]] = []
        for cdu in left:
            x = self._cdu(hall, grid, cdu, x, y)
        for at in range(len(racks) + 1):
            for k in range(len(coolers)):
                if before[k] == at:
                    grid.rack(x, coolers[k], front_y, rear_y)
                    places.append((x, coolers[k]))
                    x += coolers[k]
            if at == len(racks):
                break
            r, wide = racks[at], self.width[racks[at]]
            for key, value in (("x", x), ("y", y), ("w", wide), ("d", RACK_DEPTH_CELLS), ("facing", facing),
                               ("front", self.cells + grid.cell(x, front_y, 1)),
                               ("rear", self.cells + grid.cell(x, rear_y, 1))):
                self.rack[key][r] = value
            grid.rack(x, wide, front_y, rear_y)
            self._within(hall, r, x, y)
            x += wide
        for cdu in right:
            x = self._cdu(hall, grid, cdu, x, y)
        self.cooler_at[row] = [(cx, y, w, facing) for cx, w in places]

    def _row_units(self, hall: int, grid: HallGrid, rows: list[int], specs: list[RowSpec],
                   racks: dict[int, np.ndarray]) -> None:
        """Add the in-row coolers of a hall, then its rear doors."""
        names, rack_names = self.topology.names["row"], self.topology.names["rack"]
        plan = (grid.nx, grid.ny)
        for row in rows:
            group = specs[row].cooler
            for k, (x, y, wide, facing) in enumerate(self.cooler_at[row]):
                assert group is not None
                self.units.add(group, self.catalog.get("crahs", group.type), f"{names[row]}.cooler", hall=hall,
                               name=f"{names[row]}.cooler{k + 1}", rect=(x, y, wide, RACK_DEPTH_CELLS), facing=facing,
                               plan=plan, first_cell=self.cells)
        for row in rows:
            door = specs[row].door
            if door is None:
                continue
            entry = self.catalog.get("crahs", door.type)
            expect_kind(entry, (DOOR,), f"{names[row]}.door")
            for r in racks[row]:
                rear_y = (int(self.rack["rear"][r]) - self.cells) // grid.nx - grid.ny
                self.rack_door[r] = len(self.units.columns["hall"])
                self.units.add(door, entry, f"{names[row]}.door", hall=hall, name=f"{rack_names[r]}.door",
                               rect=(int(self.rack["x"][r]), rear_y, self.width[r], 1),
                               facing=-int(self.rack["facing"][r]), plan=plan, first_cell=self.cells, rack=int(r))

    def _cdu(self, hall: int, grid: HallGrid, cdu: int, x: int, y: int) -> int:
        self.cdu["hall"][cdu], self.cdu["x"][cdu], self.cdu["y"][cdu] = hall, x, y
        grid.solid(x, y, 1, RACK_DEPTH_CELLS)
        return x + 1

    def _within(self, hall: int, rack: int, x: int, y: int) -> None:
        """Place the exchanger of a tank where the tank is: it takes no floor of its own."""
        name = f"{self.topology.names['rack'][rack]}.cdu"
        if name in self.cdu_at:
            cdu = self.cdu_at[name]
            self.cdu["hall"][cdu], self.cdu["x"][cdu], self.cdu["y"][cdu] = hall, x, y

    def _aisles(self, hall: int, grid: HallGrid, aisles: list[tuple[int, int, int]],
                spans: list[tuple[int, int]], name: str, contained: int) -> None:
        number = 0
        for y, kind, first in aisles:
            beside = spans[first:first + 2] if first >= 0 else spans[:1]
            x0, x1 = min(a for a, _ in beside), max(b for _, b in beside)
            grid.aisle(x0, y, x1 - x0, AISLE_CELLS, kind)
            self.aisles.append((hall, kind, x0, y, x1 - x0, AISLE_CELLS))
            if kind == contained:
                number += 1
                self.ends.append([self.cells + face for face in grid.end_faces(x0, y, AISLE_CELLS)])
                self.end_names.append(f"{name}.{'cold' if kind == COLD else 'hot'}{number}")

    def floor(self) -> Floor:
        """Put the halls together."""
        ptr = np.concatenate([[0], np.cumsum([grid.cells for grid in self.grids])])
        service_ptr = np.concatenate([[0], np.cumsum([len(cells) for cells in self.service])])
        rack, crah, cdu = self.rack, self.units.columns, self.cdu
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
            crah_kind=frozen_i32(crah["kind"]), crah_rack=frozen_i32(crah["rack"]),
            crah_facing=frozen_i32(crah["facing"]), rack_door=frozen_i32(self.rack_door), **self.units.cells(),
            crah_entries=tuple(crah["entry"]), crah_supply_c=frozen_f64(crah["supply"]),
            hall_crahs_needed=frozen_i32(self.needed), cdu_hall=frozen_i32(cdu["hall"]),
            cdu_x=frozen_i32(cdu["x"]), cdu_y=frozen_i32(cdu["y"]), aisle_hall=frozen_i32(aisles[:, 0]),
            aisle_kind=frozen_i32(aisles[:, 1]), aisle_rect=frozen_i32(aisles[:, 2:]),
            aisle_face_ptr=frozen_i32(np.concatenate([[0], np.cumsum([len(faces) for faces in self.ends])])),
            aisle_face=frozen_i32([face for faces in self.ends for face in faces]),
            tile_cell=frozen_i32(self.tiles), service_cell_ptr=frozen_i32(service_ptr),
            service_cell=frozen_i32([c for cells in self.service for c in cells]),
            rack_air_design_w=frozen_f64(self.air_w),
            axes={"crah": len(crah["name"]), "cell": self.cells, "aisle": len(self.ends)},
            names={"crah": list(crah["name"]), "aisle": list(self.end_names)},
        )


def _cooler_width(group: CoolingUnitsSpec | None, catalog: Any, row: str) -> list[int]:
    """Return the width of each in-row cooler of a row in cells."""
    if group is None:
        return []
    entry = catalog.get("crahs", group.type)
    expect_kind(entry, (IN_ROW,), f"{row}.cooler")
    if group.spare >= group.count:
        raise SpecError(f"all {group.count} coolers are spares", where=f"{row}.cooler", expected="spare below count")
    return [footprint(entry)[0]] * group.count


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
