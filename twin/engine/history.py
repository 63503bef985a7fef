"""Histories: ring buffers with decimation over every column declared ``history=True``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from twin._kernels.sampling import LEVELS, History
from twin.arrays import F64
from twin.errors import InputError, nearest
from twin.state.state import State

#: a level cannot begin earlier than the end of the first tick, which may be this long
LONGEST_TICK_S = 60.0


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

        The finest level that covers the run so far with at most ``points`` buckets is chosen; a coarser one when that
        level has lost its beginning (its ring was written over before the run went back to an earlier moment).

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
        whole = [one for one in range(level, last + 1) if self._reaches(one, points, end_ns)]
        at_ns, lo, mean, hi = self._kernel.read(key, whole[0] if whole else level)
        tail = slice(-points, None)
        return at_ns[tail] / 1e9, lo[tail], mean[tail], hi[tail]

    def _reaches(self, level: int, points: int, end_ns: int) -> bool:
        """Tell whether a level's oldest bucket is where the last ``points`` buckets before ``end_ns`` begin."""
        begin = sum(length for _, length in LEVELS[:level])
        width_s, length = LEVELS[level]
        numbers = self._kernel.bucket[begin:begin + length]
        kept = numbers[numbers >= 0]
        wanted_s = max(0.0, end_ns / 1e9 - min(points, length) * width_s)
        return bool(kept.size) and float(kept.min()) * width_s <= wanted_s + width_s + LONGEST_TICK_S

    def open_buckets(self) -> dict[str, Any]:
        """Return the bucket of each level that is being filled: number, weight, and each series' parts."""
        k, slots = self._kernel, self._newest()
        picked = (np.arange(k.lo.size // k.bucket.size)[:, None] * k.bucket.size + slots).ravel()
        return {"bucket": k.bucket[slots], "weight": k.weight[slots],
                "lo": k.lo[picked], "hi": k.hi[picked], "total": k.total[picked]}

    def rewind(self, opened: dict[str, Any]) -> None:
        """Go back to the moment at which ``open_buckets`` gave this: later buckets are emptied, the open ones put back.

        Raises:
            InputError: it comes from other series.
        """
        k = self._kernel
        for name, array in self.open_buckets().items():
            if name not in opened or np.shape(opened[name]) != array.shape:
                raise InputError(f"history buffer '{name}' does not fit this site")
        begin = 0
        grids = [getattr(k, name).reshape(-1, k.bucket.size) for name in ("lo", "hi", "total")]
        parts = [np.asarray(opened[name]).reshape(-1, len(LEVELS)) for name in ("lo", "hi", "total")]
        for level, (_, length) in enumerate(LEVELS):
            span = slice(begin, begin + length)
            number = int(opened["bucket"][level])
            self._empty(begin + np.flatnonzero(k.bucket[span] >= number))
            if number >= 0:
                slot = begin + number % length
                k.bucket[slot], k.weight[slot] = number, opened["weight"][level]
                for grid, part in zip(grids, parts, strict=True):
                    grid[:, slot] = part[:, level]
            begin += length

    def closed(self, since: Sequence[int]) -> list[list[Any]]:
        """Return, per level, the buckets after number ``since[level]`` that are full and still in the ring.

        Each level is ``[numbers, weights, lo, hi, total]``, the last three series after series.
        """
        k, begin, out = self._kernel, 0, []
        grids = [getattr(k, name).reshape(-1, k.bucket.size) for name in ("lo", "hi", "total")]
        for level, (_, length) in enumerate(LEVELS):
            numbers = k.bucket[begin:begin + length]
            chosen = np.flatnonzero((numbers > max(-1, since[level])) & (numbers < numbers.max()))
            chosen = chosen[np.argsort(numbers[chosen])]
            slots: Any = begin + chosen
            # They lie one behind the other but where the ring begins anew, and a slice is read in much less time.
            if chosen.size and (np.diff(chosen) == 1).all():
                slots = slice(int(slots[0]), int(slots[-1]) + 1)
            out.append([numbers[chosen], k.weight[slots], *(g[:, slots].ravel() for g in grids)])
            begin += length
        return out

    def put(self, closed: Sequence[Sequence[Any]]) -> None:
        """Put back what ``closed`` gave; later buckets win their place in the ring.

        Raises:
            InputError: it comes from other series.
        """
        k, begin = self._kernel, 0
        grids = [getattr(k, name).reshape(-1, k.bucket.size) for name in ("lo", "hi", "total")]
        for (_, length), (numbers, weights, *parts) in zip(LEVELS, closed, strict=True):
            n, series = numbers.size, grids[0].shape[0]
            if weights.size != n or any(part.size != n * series for part in parts) or (n and numbers.min() < 0):
                raise InputError("history buckets do not fit this site")
            tail = slice(max(0, n - length), n)
            slots = begin + numbers[tail] % length
            k.bucket[slots], k.weight[slots] = numbers[tail], weights[tail]
            for grid, part in zip(grids, parts, strict=True):
                grid[:, slots] = part.reshape(series, n)[:, tail]
            begin += length

    def clear(self) -> None:
        """Forget everything."""
        self._empty(np.arange(self._kernel.bucket.size))

    def _newest(self) -> Any:
        k, begin, slots = self._kernel, 0, []
        for _, length in LEVELS:
            slots.append(begin + int(np.argmax(k.bucket[begin:begin + length])))
            begin += length
        return np.array(slots)

    def _empty(self, slots: Any) -> None:
        k = self._kernel
        k.bucket[slots], k.weight[slots] = -1, 0.0
        for name, value in (("lo", np.inf), ("hi", -np.inf), ("total", 0.0)):
            getattr(k, name).reshape(-1, k.bucket.size)[:, slots] = value

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
