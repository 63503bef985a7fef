"""Array types, and read-only copies for what never changes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
U8 = NDArray[np.uint8]


def frozen_i32(values: Sequence[int] | NDArray[Any]) -> I32:
    """Return a read-only, contiguous int32 copy."""
    array = np.array(values, dtype=np.int32, order="C")
    array.flags.writeable = False
    return array


def frozen_f64(values: Sequence[float] | NDArray[Any]) -> F64:
    """Return a read-only, contiguous float64 copy."""
    array = np.array(values, dtype=np.float64, order="C")
    array.flags.writeable = False
    return array


def total(values: Iterable[float]) -> float:
    """Return the sum in the order given, rounded at every step.

    Python's ``sum`` of floats compensates for rounding from 3.12 on: other versions, other bits.
    """
    whole = 0.0
    for value in values:
        whole += value
    return whole


def aligned_full(size: int, fill: float, dtype: Any) -> NDArray[Any]:
    """Return an array of ``size`` elements of ``fill`` that begins on a 64-byte boundary.

    A vector register is filled from one cache line then; numpy's own arrays begin wherever memory was free.
    """
    width = np.dtype(dtype).itemsize
    raw = np.empty(size * width + 64, dtype=np.uint8)
    start = -raw.ctypes.data % 64
    array = raw[start:start + size * width].view(dtype)
    array[:] = fill
    return array
