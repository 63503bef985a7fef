"""Histories: ring buffers with decimation over every column declared ``history=True``."""

from __future__ import annotations

from typing import Any

import numpy as np

from twin._kernels.sampling import LEVELS, History
from twin.arrays import F64
from twin.errors import InputError, nearest
from twin.state.state import State


class Histories:
    """All series of a run. Memory is fixed at construction, however long the run.

    Args:
        state: where the columns live.
    """

    def __init__(self, state: State) -> None:
        self._index: dict[tuple[str, int], int] = {}
        arrays: list[tuple[Any, int]] = []
        for block, col, array in state.columns():
            if col.history:
                for element in range(array.size):
                    self._index[f"{block}.{col.name}", element] = len(arrays)
                    arrays.append((array, element))
        self._kernel = History(arrays)
        self.run = self._kernel.run

    def names(self) -> list[str]:
        """Return the names of the columns that have a history."""
        return sorted({name for name, _ in self._index})

    def series(self, name: str, index: int = 0, points: int = 200, end_ns: int = -1) -> tuple[F64, F64, F64, F64]:
        """Return (time s, min, mean, max) of one series, oldest first, at most ``points`` values.

        The finest level that covers the run so far with at most ``points`` buckets is chosen.

        Raises:
            InputError: no such series.
        """
        key = self._index.get((name, index))
        if key is None:
            raise InputError(f"no history is kept of '{name}' element {index}", nearest=nearest(name, self.names()))
        last = len(LEVELS) - 1
        level = 0
        while level < last and end_ns > points * LEVELS[level][0] * 1e9:
            level += 1
        at_ns, lo, mean, hi = self._kernel.read(key, level)
        tail = slice(-points, None)
        return at_ns[tail] / 1e9, lo[tail], mean[tail], hi[tail]

    def save(self) -> dict[str, Any]:
        """Return the buffers for a snapshot."""
        k = self._kernel
        return {"lo": k.lo, "hi": k.hi, "total": k.total, "weight": k.weight, "bucket": k.bucket}

    def load(self, saved: dict[str, Any]) -> None:
        """Take back what ``save`` gave; arrays of another length are refused."""
        for name, array in self.save().items():
            other = saved.get(name)
            if other is None or np.shape(other) != array.shape:
                raise InputError(f"history buffer '{name}' does not fit this site")
            array[:] = other
