"""Openings between the cells of the halls: as built, and as faults leave them; the factors of their flow matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from twin._kernels.airflow import AirFlow, band_factor
from twin.arrays import F64, I64
from twin.site.grid import HEIGHT_M


class Openings:
    """Factors of the halls' flow matrices; a function of the floor plan and two fault columns, nothing else.

    A matrix is factorised when an opening in its hall changes, which takes tens of milliseconds for a large hall; halls
    that are alike share one.

    Args:
        floor: the floor plans.
    """

    def __init__(self, floor: Any) -> None:
        self._floor = floor
        self._known: dict[bytes, F64] = {}
        self._now = b""
        self.gx, self.gy = np.array(floor.cell_gx), np.array(floor.cell_gy)
        self.factor, self.factor_at = self._factorise()

    def apply(self, flow: AirFlow, rack_gap_frac: F64, aisle_door_frac: F64) -> None:
        """Give the flow the openings that the faults leave."""
        changed = bool((rack_gap_frac > 0.0).any() or (aisle_door_frac > 0.0).any())
        wanted = rack_gap_frac.tobytes() + aisle_door_frac.tobytes() if changed else b""
        if wanted == self._now:
            return
        self._now = wanted
        floor = self._floor
        self.gx, self.gy = np.array(floor.cell_gx), np.array(floor.cell_gy)
        for rack in np.flatnonzero(rack_gap_frac > 0.0).tolist():
            first = min(int(floor.rack_front_cell[rack]), int(floor.rack_rear_cell[rack]))
            self.gy[first:first + int(floor.rack_w[rack])] += HEIGHT_M[1] * rack_gap_frac[rack]
        for aisle in np.flatnonzero(aisle_door_frac > 0.0).tolist():
            faces = floor.aisle_face[floor.aisle_face_ptr[aisle]:floor.aisle_face_ptr[aisle + 1]]
            self.gx[faces] += (HEIGHT_M[1] - self.gx[faces]) * aisle_door_frac[aisle]
        self.factor, self.factor_at = self._factorise()
        flow.reopen(self.gx, self.gy, self.factor, self.factor_at)

    def _factorise(self) -> tuple[F64, I64]:
        floor, size = self._floor, 0
        used: dict[bytes, int] = {}
        at: list[int] = []
        parts: list[F64] = []
        for h in range(len(floor.hall_nx)):
            cells = slice(int(floor.hall_cell_ptr[h]), int(floor.hall_cell_ptr[h + 1]))
            g = [np.ascontiguousarray(part[cells]) for part in (self.gx, self.gy, floor.cell_gz)]
            nx, ny = int(floor.hall_nx[h]), int(floor.hall_ny[h])
            key = b"".join([bytes(f"{nx},{ny},", "ascii"), *(part.tobytes() for part in g)])
            if key not in used:
                if key not in self._known:
                    self._known[key] = band_factor(nx, ny, *g)
                used[key] = size
                parts.append(self._known[key])
                size += len(parts[-1])
            at.append(used[key])
        self._known = {key: self._known[key] for key in used}
        return np.concatenate(parts), np.array(at, dtype=np.int64)
