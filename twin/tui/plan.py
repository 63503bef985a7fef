"""The hall as it stands, in cells: rows with their racks, aisles, CRAHs and CDUs in their places.

A rack is drawn as what it is: its trays from top to bottom and the GPUs of a tray from left to right, as fine as the
space allows. A cell is two pixels high; a pixel shows the GPUs that fall into it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from twin.site.site import Site, Topology


@dataclass(frozen=True)
class RowPlan:
    """A row: its index and name, its racks in order of their place, the CDUs at its left and right end."""

    row: int
    name: str
    racks: tuple[int, ...]
    cdus_left: tuple[int, ...]
    cdus_right: tuple[int, ...]


@dataclass(frozen=True)
class AislePlan:
    """An aisle: the number of rows in front of it, whether it is a cold one, its index in the floor plan or -1."""

    slot: int
    cold: bool
    index: int


@dataclass(frozen=True)
class HallPlan:
    """A hall: its rows and aisles in order, the CRAHs along its two walls with their place along the rows, 0..1."""

    hall: int
    name: str
    rows: tuple[RowPlan, ...]
    aisles: tuple[AislePlan, ...]
    crahs_top: tuple[tuple[int, float], ...]
    crahs_bottom: tuple[tuple[int, float], ...]

    @cached_property
    def racks(self) -> tuple[int, ...]:
        """All racks of the hall."""
        return tuple(rack for row in self.rows for rack in row.racks)

    @property
    def crahs(self) -> tuple[int, ...]:
        """All CRAHs of the hall."""
        return tuple(crah for crah, _ in (*self.crahs_top, *self.crahs_bottom))


def hall_plans(site: Site) -> tuple[HallPlan, ...]:
    """Return the plan of every hall of a site."""
    topology, floor = site.topology, site.floor
    halls, rows, column = site.names["hall"], site.names["row"], topology.rack_column
    cdus = _by_owner(site.names.get("cdu", ()))
    crahs = _by_owner(site.names.get("crah", ()))
    racks_of: dict[int, list[int]] = {}
    for rack, row in enumerate(topology.rack_row):
        racks_of.setdefault(int(row), []).append(rack)
    plans = []
    for hall, name in enumerate(halls):
        members = []
        for row in np.flatnonzero(np.asarray(topology.row_hall) == hall).tolist():
            racks = tuple(sorted(racks_of.get(row, ()), key=column.__getitem__))
            members.append(RowPlan(row, rows[row], racks, *_ends(floor, cdus.get(rows[row], []), racks)))
        plans.append(HallPlan(hall, name, tuple(members), _aisles(floor, hall, members),
                              *_walls(floor, crahs.get(name, []), members)))
    return tuple(plans)


def _by_owner(names: Sequence[str]) -> dict[str, list[int]]:
    """Group elements by what their name starts with: ``A2.cdu1`` belongs to ``A2``."""
    out: dict[str, list[int]] = {}
    for i, name in enumerate(names):
        out.setdefault(name.rpartition(".")[0], []).append(i)
    return out


def _ends(floor: Any, cdus: list[int], racks: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the CDUs at the left and at the right end of a row."""
    x = getattr(floor, "cdu_x", None)
    if x is None or not racks:
        return (), tuple(cdus)
    first = int(floor.rack_x[racks[0]])
    return tuple(c for c in cdus if x[c] < first), tuple(c for c in cdus if x[c] >= first)


def _aisles(floor: Any, hall: int, rows: list[RowPlan]) -> tuple[AislePlan, ...]:
    """Return a hall's aisles in order; none when the floor plan does not say."""
    rect = getattr(floor, "aisle_rect", None)
    if rect is None:
        return ()
    row_y = [int(floor.rack_y[row.racks[0]]) for row in rows if row.racks]
    found = [AislePlan(sum(y < int(rect[i][1]) for y in row_y), int(floor.aisle_kind[i]) == 0, i)
             for i in range(len(rect)) if int(floor.aisle_hall[i]) == hall]
    return tuple(sorted(found, key=lambda aisle: aisle.slot))


def _walls(floor: Any, crahs: list[int], rows: list[RowPlan]) -> tuple[tuple[tuple[int, float], ...], ...]:
    """Return the CRAHs along the wall before the first row and along the one behind the last, each in order."""
    racks = [rack for row in rows for rack in row.racks]
    if not hasattr(floor, "crah_x") or not racks:
        return tuple((crah, (k + 0.5) / len(crahs)) for k, crah in enumerate(crahs)), ()
    left = min(int(floor.rack_x[r]) for r in racks)
    width = max(int(floor.rack_x[r]) + int(floor.rack_w[r]) for r in racks) - left
    first = min(int(floor.rack_y[r]) for r in racks)
    walls: tuple[list[tuple[int, float]], list[tuple[int, float]]] = ([], [])
    for crah in crahs:
        middle = (int(floor.crah_x[crah]) + int(floor.crah_w[crah]) / 2 - left) / width
        walls[0 if int(floor.crah_y[crah]) < first else 1].append((crah, min(max(middle, 0.0), 1.0)))
    return tuple(tuple(sorted(wall, key=lambda item: item[1])) for wall in walls)


@dataclass(frozen=True)
class Gather:
    """Which GPUs each pixel of each rack shows: a CSR list over pixels, racks one after the other."""

    gpus: NDArray[np.int64]
    starts: NDArray[np.int64]

    def reduce(self, values: NDArray[Any], how: str) -> NDArray[np.float64]:
        """Reduce a per-GPU array to pixels; ``how`` is ``max``, ``mean`` or ``first``."""
        if how == "first":
            return values[self.gpus[self.starts]].astype(np.float64)
        picked = values[self.gpus].astype(np.float64)
        if how == "max":
            return np.maximum.reduceat(picked, self.starts)
        counts = np.diff(np.append(self.starts, len(self.gpus)))
        return np.add.reduceat(picked, self.starts) / counts


def gather(topology: Topology, racks: Sequence[int], columns: int, rows: int) -> Gather:
    """Spread the GPUs of racks over ``rows`` x ``columns`` pixels each: trays downward, GPUs of a tray across."""
    gpus: list[int] = []
    starts: list[int] = []
    shapes: dict[tuple[int, ...], list[list[int]]] = {}
    node_ptr, gpu_ptr, rack_gpu = topology.rack_node_ptr, topology.node_gpu_ptr, topology.rack_gpu_ptr
    for rack in racks:
        first = int(rack_gpu[rack])
        bounds = tuple(int(gpu_ptr[n]) - first for n in range(int(node_ptr[rack]), int(node_ptr[rack + 1]) + 1))
        shape = shapes.get(bounds)
        if shape is None:
            shape = shapes[bounds] = _pixels(bounds, columns, rows)
        for members in shape:
            starts.append(len(gpus))
            gpus.extend(first + g for g in members)
    return Gather(np.array(gpus, dtype=np.int64), np.array(starts, dtype=np.int64))


def _pixels(bounds: tuple[int, ...], columns: int, rows: int) -> list[list[int]]:
    """Return the GPUs (counted from the rack's first) of each pixel of one rack."""
    nodes = len(bounds) - 1
    out = []
    for r in range(rows):
        n0 = r * nodes // rows
        n1 = max(n0 + 1, (r + 1) * nodes // rows)
        for c in range(columns):
            members: list[int] = []
            for n in range(n0, n1):
                size = bounds[n + 1] - bounds[n]
                k0 = c * size // columns
                k1 = max(k0 + 1, (c + 1) * size // columns)
                members.extend(range(bounds[n] + k0, bounds[n] + min(k1, size)))
            out.append(members)
    return out


@dataclass(frozen=True)
class Layout:
    """Where everything of a hall is drawn.

    Attributes:
        plan: the hall.
        width, height: cells available.
        left: columns in front of the racks (row names, CDUs).
        pitch: cells from one rack to the next; cell_w, cell_h: cells of a rack; per_line: racks on a line.
        row_y: first line of each row, before scrolling.
        aisle_y: line of each aisle that is drawn.
        top_y, bottom_y: lines of the CRAHs, -1 without.
        total: lines in all.
    """

    plan: HallPlan
    width: int
    height: int
    left: int
    pitch: int
    cell_w: int
    cell_h: int
    per_line: int
    row_y: tuple[int, ...]
    aisle_y: tuple[tuple[int, AislePlan], ...]
    top_y: int
    bottom_y: int
    total: int

    @property
    def span(self) -> int:
        """Cells from the first to the last rack of a line."""
        return self.per_line * self.pitch - (self.pitch - self.cell_w)

    @cached_property
    def places(self) -> dict[int, tuple[int, int]]:
        """Return rack -> (x, y) of its first cell, before scrolling."""
        out = {}
        for row, y in zip(self.plan.rows, self.row_y, strict=True):
            for k, rack in enumerate(row.racks):
                line, column = divmod(k, self.per_line)
                out[rack] = (self.left + column * self.pitch, y + line * self.cell_h)
        return out

    def rack_at(self, x: int, y: int, scroll: int = 0) -> int | None:
        """Return the rack drawn at a cell, None beside the racks."""
        for rack, (rx, ry) in self.places.items():
            if rx <= x < rx + self.pitch and ry <= y + scroll < ry + self.cell_h:
                return rack
        return None

    def scroll_for(self, rack: int) -> int:
        """Return the first line to show so that a rack is in sight."""
        if self.total <= self.height or rack not in self.places:
            return 0
        y = self.places[rack][1]
        return min(max(0, y + self.cell_h - self.height // 2), self.total - self.height)


def layout(plan: HallPlan, width: int, height: int, lines_max: int = 6, pitch_max: int = 9) -> Layout:
    """Fit a hall into cells: racks as large as the space allows, aisles where there is room for them."""
    longest = max((len(row.racks) for row in plan.rows), default=1)
    ends = max((len(row.cdus_left) for row in plan.rows), default=0)
    label = max((len(row.name) for row in plan.rows), default=1) + 2 + (ends + 1 if ends else 0)
    right = max((len(row.cdus_right) for row in plan.rows), default=0)
    room = max(1, width - label - (right + 2 if right else 1))
    pitch = max(1, min(pitch_max, room // longest))
    if plan.crahs and label < 6 and (room - 6 + label) // longest >= pitch:
        label = 6  # room for the word CRAH in front of the racks
    cell_w = pitch - 1 if pitch >= 3 else pitch
    per_line = max(1, min(longest, room // pitch))
    folds = [-(-len(row.racks) // per_line) for row in plan.rows]
    walls = bool(plan.crahs_top) + bool(plan.crahs_bottom)
    bare = height - walls
    rows = sum(folds)
    cell_h = 1
    while cell_h < lines_max and rows * (cell_h + 1) + len(plan.aisles) <= bare:
        cell_h += 1
    drawn = {aisle.slot: aisle for aisle in plan.aisles}
    if rows * cell_h + len(drawn) > bare:  # the aisles between two rows matter most, then those that part pairs
        drawn = {slot: aisle for slot, aisle in drawn.items() if 0 < slot < len(folds)}
    if rows * cell_h + len(drawn) > bare:
        drawn = {slot: aisle for slot, aisle in drawn.items() if slot % 2 == 0}
    if rows * cell_h + len(drawn) > bare:
        drawn = {}
    y = 1 if plan.crahs_top else 0
    row_y, aisle_y = [], []
    for k in range(len(folds) + 1):
        if k in drawn:
            aisle_y.append((y, drawn[k]))
            y += 1
        if k < len(folds):
            row_y.append(y)
            y += folds[k] * cell_h
    bottom = y if plan.crahs_bottom else -1
    return Layout(plan, width, height, label, pitch, cell_w, cell_h, per_line, tuple(row_y), tuple(aisle_y),
                  0 if plan.crahs_top else -1, bottom, y + (1 if plan.crahs_bottom else 0))
