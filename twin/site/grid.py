"""The air grid of one hall: openings between 0.6 m cells in three layers.

A face's conductance is its area over the distance between cell centres (potential flow), times its open share.
All shares are engineering estimates; containment leaks 1 to 3 % of the open face.
"""

from __future__ import annotations

import numpy as np

from twin.arrays import I32

CELL_M = 0.6
#: heights of plenum, rack height and the space over the racks, m.
HEIGHT_M = (0.8, 2.2, 1.8)
#: open share of faces.
CONTAINMENT_LEAK = 0.02
CABINET_LEAK = 0.02
BLANKING_LEAK = 0.005
FLOOR_LEAK = 0.001
TILE_OPEN = 0.6
#: a plenum's pressure (floor, ceiling return) is nearly uniform: its faces conduct this much better than open space.
PLENUM_FACTOR = 10.0
#: ducts from the hot aisles and to the CRAHs, through the ceiling of a hot-contained hall, conduct so much better.
DUCT_FACTOR = 5.0
#: share of a rack's or machine's cell that is air.
CABINET_AIR = 0.3

_OPEN, _FRONT, _REAR, _SOLID, _CRAH = range(5)
_COLD, _HOT = 0, 1


class HallGrid:
    """Marks what stands where, then gives conductances and volumes. Arrays have shape (layer, y, x).

    Args:
        nx, ny: size of the plan in cells.
    """

    def __init__(self, nx: int, ny: int) -> None:
        self.nx, self.ny = nx, ny
        self.cells = 3 * nx * ny
        self.kind = np.full((ny, nx), _OPEN)
        self.owner = np.full((ny, nx), -1)
        self.aisle_kind = np.full((ny, nx), -1)
        self.tile_share = np.zeros((ny, nx))
        shape = (3, ny, nx)
        self.gx, self.gy, self.gz, self.volume = np.zeros(shape), np.zeros(shape), np.zeros(shape), np.zeros(shape)
        self._racks = 0

    def cell(self, x: int, y: int, layer: int) -> int:
        """Return the index of a cell within the hall."""
        return (layer * self.ny + y) * self.nx + x

    def rack(self, x: int, wide: int, front_y: int, rear_y: int) -> None:
        """Put a rack: its front cells hold the inlet, its rear cells the exhaust."""
        low, high = min(front_y, rear_y), max(front_y, rear_y)
        self.kind[low:high + 1, x:x + wide] = _SOLID
        self.kind[front_y, x:x + wide] = _FRONT
        self.kind[rear_y, x:x + wide] = _REAR
        self.owner[low:high + 1, x:x + wide] = self._racks
        self._racks += 1

    def solid(self, x: int, y: int, wide: int, deep: int) -> None:
        """Put a machine that air does not pass."""
        self.kind[y:y + deep, x:x + wide] = _SOLID

    def crah(self, x: int, y: int, wide: int, deep: int) -> None:
        """Put a CRAH: open to the space above, closed to its sides."""
        self.kind[y:y + deep, x:x + wide] = _CRAH

    def aisle(self, x: int, y: int, wide: int, deep: int, kind: int) -> None:
        """Mark an aisle, cold (0) or hot (1)."""
        part = self.aisle_kind[y:y + deep, x:x + wide]
        part[self.kind[y:y + deep, x:x + wide] == _OPEN] = kind

    def end_faces(self, x: int, y: int, deep: int) -> list[int]:
        """Return the faces that close an aisle at its end of smallest x, by the cell before each, at rack height."""
        return [self.cell(x - 1, y + k, 1) for k in range(deep)
                if self.kind[y + k, x - 1] == _OPEN and self.kind[y + k, x] == _OPEN]

    def tiles(self, x: int, y: int, wide: int, facing: int, share: float, offset: int) -> list[int]:
        """Lay perforated tiles before a rack, opened by its share of the largest air flow; return their cells.

        The outermost row of a tile field is shared by facing racks only when the aisle is one cell deep.
        """
        at = y + 2 if facing > 0 else y - 1
        self.tile_share[at, x:x + wide] = np.maximum(self.tile_share[at, x:x + wide], share)
        return [offset + self.cell(x + k, at, 1) for k in range(wide)]

    def aisle_cells(self, kind: int) -> list[int]:
        """Return the cells of all aisles of a kind at rack height; all open cells when there is none."""
        flags = self.aisle_kind == kind
        if not flags.any():
            flags = self.kind == _OPEN
        ys, xs = np.nonzero(flags)
        return [self.cell(int(x), int(y), 1) for y, x in zip(ys, xs, strict=True)]

    def finish(self, containment: str, leakage: float | None = None) -> None:
        """Compute conductances and volumes; ``leakage`` is the open share of the containment's walls."""
        self.leakage = CONTAINMENT_LEAK if leakage is None else leakage
        kept = {"open": -1, "cold-contained": _COLD, "hot-contained": _HOT}[containment]
        inside = self.aisle_kind == kept if kept >= 0 else np.zeros((self.ny, self.nx), dtype=bool)
        area = CELL_M * CELL_M
        ducted = containment == "hot-contained"
        for layer, height in enumerate(HEIGHT_M):
            plenum = layer == 0 or (layer == 2 and ducted)
            side = height * (PLENUM_FACTOR if plenum else 1.0)  # height * width / width
            self.gx[layer, :, :-1] = side
            self.gy[layer, :-1, :] = side
            self.volume[layer] = area * height
        self.gx[1, :, :-1] *= self._side_share(inside, 1)
        self.gy[1, :-1, :] *= self._side_share(inside, 0)
        self.volume[1][self.kind != _OPEN] *= CABINET_AIR
        floor = np.maximum(self.tile_share * TILE_OPEN, FLOOR_LEAK)
        self.gz[0] = area / (0.5 * (HEIGHT_M[0] + HEIGHT_M[1])) * floor
        self.gz[1] = area / (0.5 * (HEIGHT_M[1] + HEIGHT_M[2])) * self._top_share(inside, containment)

    def _side_share(self, inside: np.ndarray, axis: int) -> np.ndarray:
        """Open share of the faces at rack height between neighbours along an axis (0: y, 1: x)."""
        first = (slice(None), slice(None, -1)) if axis == 1 else (slice(None, -1), slice(None))
        second = (slice(None), slice(1, None)) if axis == 1 else (slice(1, None), slice(None))
        a, b = self.kind[first], self.kind[second]
        share = np.ones(a.shape)
        share[inside[first] != inside[second]] = self.leakage
        share[(a != _OPEN) | (b != _OPEN)] = CABINET_LEAK
        share[(a == _CRAH) & (b == _CRAH)] = 1.0
        if axis == 0:
            # a rack breathes through its front and its rear; between them only gaps in the blanking
            through = self.owner[first] == self.owner[second]
            share[through & (self.owner[first] >= 0)] = BLANKING_LEAK
            for port in (_FRONT, _REAR):
                share[((a == port) & (b == _OPEN)) | ((b == port) & (a == _OPEN))] = 1.0
        return share

    def _top_share(self, inside: np.ndarray, containment: str) -> np.ndarray:
        """Open share of the faces between rack height and the space above."""
        share = np.ones((self.ny, self.nx))
        if containment == "cold-contained":
            share[inside] = self.leakage
        elif containment == "hot-contained":
            # the space above is a ceiling plenum that only the hot aisles and the CRAHs open into
            share[~inside] = self.leakage
            share[inside] = DUCT_FACTOR
        share[(self.kind != _OPEN)] = CABINET_LEAK
        share[self.kind == _CRAH] = DUCT_FACTOR if containment == "hot-contained" else 1.0
        return share


def air_machine_cells(kind: str, rect: tuple[int, int, int, int], facing: int,
                      plan: tuple[int, int]) -> tuple[I32, I32]:
    """Return the cells that a machine blows into and those that it draws from, as indices within the hall.

    A CRAH (``room``) blows under the floor and draws from above through its own cells; a fan wall (``wall``) blows into
    the cells before it at rack height; an in-row cooler blows into its front and draws from its rear; a rear
    door (``door``) moves no air of its own.

    Args:
        rect: x, y, width and depth on the plan; facing: +1 when it blows towards larger y.
        plan: nx and ny of the hall.
    """
    x, y, wide, deep = rect
    nx, ny = plan
    last, first = (y + deep - 1, y) if facing > 0 else (y, y + deep - 1)
    body = _cells(x, y, wide, deep, nx, ny, 1)
    if kind == "room":
        return _cells(x, y, wide, deep, nx, ny, 0), body
    if kind == "wall":
        return _cells(x, last + facing, wide, 1, nx, ny, 1), body
    if kind == "in-row":
        return _cells(x, last, wide, 1, nx, ny, 1), _cells(x, first, wide, 1, nx, ny, 1)
    return body[:0], body[:0]


def _cells(x: int, y: int, wide: int, deep: int, nx: int, ny: int, layer: int) -> I32:
    ys, xs = np.meshgrid(np.arange(y, y + deep), np.arange(x, x + wide), indexing="ij")
    return ((layer * ny + ys) * nx + xs).ravel().astype(np.int32)
