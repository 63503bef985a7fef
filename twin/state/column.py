"""Columns and blocks: every mutable number of the twin, declared once.

A block is a class whose annotated attributes are columns. From the declaration come the allocation, typed
access, the snapshot layout, the digest, the data dictionary, and the check that the name fits its unit.

    class ChipState(Block, name="chip"):
        gpu_temp_c: F64 = column("gpu", "degC", "Junction temperature.", init=30.0)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self, get_type_hints

import numpy as np
from numpy.typing import NDArray

from twin.arrays import F64, I32, I64, U8, aligned_full
from twin.errors import InternalError
from twin.units import KELVIN_OFFSET, suffix_fits

__all__ = ["F64", "I32", "I64", "U8", "Block", "Column", "Role", "column"]

Role = Literal["state", "derived", "setpoint", "fault"]
#: no number of the model comes near this; sums and products of two such are still finite
FINITE_MAX = 1e100
#: counts and instants may be added to without leaving 64 bits
INTEGER_MAX = 2.0**62


@dataclass(frozen=True, slots=True)
class Column:
    """One declared column.

    Attributes:
        name: attribute name; ends in the suffix of its unit.
        axis: what is counted along it (``gpu``, ``rack``, ``one`` ...).
        unit: canonical unit, or ``count enum bool index ratio`` for bare numbers.
        doc: one sentence that a user of the data dictionary understands.
        init: value of a fresh state.
        dtype: element type.
        role: ``state`` is carried from tick to tick, ``derived`` is rewritten every tick from state,
            ``setpoint`` is written by commands and controllers, ``fault`` by faults.
        shown: published in every frame for screens and exporters.
        history: kept in the ring-buffer histories.
        lo, hi: what the column may ever hold; a snapshot with anything else is refused.
        of: axis that an index points into (-1 points nowhere), empty for other columns.
    """

    name: str
    axis: str
    unit: str
    doc: str
    init: float
    dtype: Any
    role: Role
    shown: bool
    history: bool
    lo: float = -FINITE_MAX
    hi: float = FINITE_MAX
    of: str = ""

    def wrong(self, values: NDArray[Any], axes: Mapping[str, int]) -> int:
        """Return the position of the first value that the column may not hold, -1 when all are fine."""
        high = axes[self.of] - 1 if self.of else self.hi
        bad = ~((values >= self.lo) & (values <= high))  # so that NaN is bad, too
        return int(bad.argmax()) if bad.any() else -1


@dataclass(frozen=True, slots=True)
class _Declared:
    axis: str
    unit: str
    doc: str
    init: float
    role: Role
    shown: bool
    history: bool
    lo: float | None
    hi: float | None
    of: str


def column(axis: str, unit: str, doc: str, *, init: float = 0, role: Role = "state", shown: bool = False,
           history: bool = False, lo: float | None = None, hi: float | None = None, of: str = "") -> Any:
    """Declare a column; the annotation beside it (``F64 I64 I32 U8``) gives the element type.

    What it may hold follows from its unit: flags are 0 or 1, counts not negative (or not below ``init``), instants
    at least -1, temperatures above absolute zero, all numbers finite. An ``enum`` says its largest code with
    ``hi``, an ``index`` the axis that it points into with ``of``.
    """
    return _Declared(axis, unit, doc, init, role, shown, history, lo, hi, of)


def _range(key: str, declared: _Declared, dtype: Any) -> tuple[float, float]:
    if declared.unit == "enum" and declared.hi is None:
        raise InternalError(f"{key} is an enum: it needs hi, its largest code")
    if declared.unit == "index" and not declared.of and declared.hi is None:
        raise InternalError(f"{key} is an index: it needs 'of', the axis that it points into, or hi")
    lowest = {"degC": -KELVIN_OFFSET, "index": -1.0, "ns": -1.0}.get(declared.unit)
    if lowest is None:
        lowest = -FINITE_MAX if dtype is np.float64 else min(0.0, declared.init)
    highest = 1.0 if declared.unit == "bool" else FINITE_MAX if dtype is np.float64 else INTEGER_MAX
    return (lowest if declared.lo is None else declared.lo, highest if declared.hi is None else declared.hi)


class Block:
    """A group of columns with one writer. Subclass with ``name=``; annotate columns; never add attributes."""

    block_name: ClassVar[str] = ""
    columns: ClassVar[tuple[Column, ...]] = ()
    _types: ClassVar[dict[str, Any]] = {str(F64): np.float64, str(I64): np.int64, str(I32): np.int32, str(U8): np.uint8}

    def __init_subclass__(cls, name: str = "", **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.block_name = name or cls.__name__.lower()
        hints = get_type_hints(cls)
        found = []
        for key, declared in list(vars(cls).items()):
            if not isinstance(declared, _Declared):
                continue
            dtype = cls._types.get(str(hints[key]))
            if dtype is None:
                raise InternalError(f"{cls.block_name}.{key} needs one of F64 I64 I32 U8 as its annotation")
            if not suffix_fits(key, declared.unit):
                raise InternalError(f"{cls.block_name}.{key} is in {declared.unit} but its name does not end so")
            low, high = _range(f"{cls.block_name}.{key}", declared, dtype)
            found.append(Column(key, declared.axis, declared.unit, declared.doc, declared.init, dtype,
                                declared.role, declared.shown, declared.history, low, high, declared.of))
            delattr(cls, key)
        cls.columns = tuple(found)

    def __init__(self, axes: Mapping[str, int]) -> None:
        for col in self.columns:
            if col.axis not in axes:
                raise InternalError(f"{self.block_name}.{col.name}: no axis '{col.axis}' in this site")
            setattr(self, col.name, aligned_full(axes[col.axis], col.init, col.dtype))

    def readonly(self) -> Self:
        """Return the same block with every column as a read-only view of the same memory."""
        view = object.__new__(type(self))
        for col in self.columns:
            array = getattr(self, col.name).view()
            array.flags.writeable = False
            setattr(view, col.name, array)
        return view

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return column name -> array, in declared order."""
        return {col.name: getattr(self, col.name) for col in self.columns}
