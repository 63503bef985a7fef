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
    """A row: its index and name, its racks in order of their place, its CDUs."""

    row: int
    name: str
    racks: tuple[int, ...]
    cdus: tuple[int, ...]


@dataclass(frozen=True)
class HallPlan:
    """A hall: its rows in order and its CRAHs."""

    hall: int
    name: str
    rows: tuple[RowPlan, ...]
    crahs: tuple[int, ...]

    @property
    def racks(self) -> tuple[int, ...]:
        """All racks of the hall."""
        return tuple(rack for row in self.rows for rack in row.racks)


def hall_plans(site: Site) -> tuple[HallPlan, ...]:
    """Return the plan of every hall of a site."""
    topology = site.topology
    halls, rows, column = site.names["hall"], site.names["row"], topology.rack_column
    cdus = _by_owner(site.names.get("cdu", ()))
    crahs = _by_owner(site.names.get("crah", ()))
    racks_of: dict[int, list[int]] = {}
    for rack, row in enumerate(topology.rack_row):
        racks_of.setdefault(int(row), []).append(rack)
    plans = []
    for hall, name in enumerate(halls):
        members = tuple(
            RowPlan(row, rows[row], tuple(sorted(racks_of.get(row, ()), key=column.__getitem__)),
                    tuple(cdus.get(rows[row], ())))
            for row in np.flatnonzero(np.asarray(topology.row_hall) == hall).tolist())
        plans.append(HallPlan(hall, name, members, tuple(crahs.get(name, ()))))
    return tuple(plans)


def _by_owner(names: Sequence[str]) -> dict[str, list[int]]:
    """Group elements by what their name starts with: ``A2.cdu1`` belongs to ``A2``."""
    out: dict[str, list[int]] = {}
    for i, name in enumerate(names):
        out.setdefault(name.rpartition(".")[0], []).append(i)
    return out


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
        left: columns in front of the racks (row names).
        pitch: cells from one rack to the next; cell_w, cell_h: cells of a rack.
        row_y: first line of each row, before scrolling.
        aisle_y: line of each aisle and whether it is a cold one.
        crah_y: line of the CRAHs, -1 without.
        total: lines in all; scroll: first line that is shown.
    """

    plan: HallPlan
    width: int
    height: int
    left: int
    pitch: int
    cell_w: int
    cell_h: int
    row_y: tuple[int, ...]
    aisle_y: tuple[tuple[int, bool], ...]
    crah_y: int
    total: int
    per_line: int

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


def layout(plan: HallPlan, width: int, height: int, lines_max: int = 4, pitch_max: int = 9) -> Layout:
    """Fit a hall into cells: racks as large as the space allows, aisles where there is room for them."""
    rows = len(plan.rows)
    longest = max((len(row.racks) for row in plan.rows), default=1)
    label = max((len(row.name) for row in plan.rows), default=1) + 2
    cdus = max((len(row.cdus) for row in plan.rows), default=0)
    room = max(1, width - label - (cdus + 2 if cdus else 1))
    pitch = max(1, min(pitch_max, room // longest))
    if plan.crahs and label < 6 and (room - 6 + label) // longest >= pitch:
        label = 6  # room for the word CRAH in front of the racks
    cell_w = pitch - 1 if pitch >= 3 else pitch
    per_line = max(1, min(longest, room // pitch))
    folds = [-(-len(row.racks) // per_line) for row in plan.rows]
    crah_lines = 1 if plan.crahs else 0
    aisles = rows + 1
    bare = height - crah_lines
    cell_h = 1
    while cell_h < lines_max and sum(folds) * (cell_h + 1) + aisles <= bare:
        cell_h += 1
    with_aisles = sum(folds) * cell_h + aisles <= bare
    between = not with_aisles and sum(folds) * cell_h + rows // 2 <= bare
    y = crah_lines
    row_y, aisle_y = [], []
    for k, fold in enumerate(folds):
        cold = k % 2 == 0
        if with_aisles or (between and not cold):
            aisle_y.append((y, cold))
            y += 1
        row_y.append(y)
        y += fold * cell_h
    if with_aisles:
        aisle_y.append((y, rows % 2 == 0))
        y += 1
    return Layout(plan, width, height, label, pitch, cell_w, cell_h, tuple(row_y), tuple(aisle_y),
                  0 if crah_lines else -1, y, per_line)
