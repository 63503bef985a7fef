"""Tables of chosen histories: rows of time, columns of quantities, written while the run goes on.

A choice is ``[place] block.column [reducer]``, as in a scenario's expectations: ``power.it_w``, ``A2
liquid.rack_supply_temp_c max``. Every ``every`` of simulated time one row is written: the mean over time (numbers), or
the last value (counts, flags, codes), or what the reducer says. Memory does not grow with the run.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from twin._kernels.sampling import Sampler
from twin.arrays import F64
from twin.engine.simulation import Simulation
from twin.errors import InputError, nearest
from twin.site.places import elements_of
from twin.wiring import Command

REDUCERS = {"mean": 0, "min": 1, "max": 2, "last": 3}
#: columns of one table
SERIES_MAX = 20_000
#: rows that are handed to a Parquet file at once
_GROUP_ROWS = 1024


@dataclass(frozen=True)
class Series:
    """One column of a table: its heading, unit, and where its value comes from."""

    label: str
    unit: str
    array: Any
    element: int
    reducer: str

    @property
    def whole(self) -> bool:
        """The value is an integer."""
        return self.array.dtype.kind == "i" and self.reducer != "mean"


def choose(sim: Simulation, wanted: str = "") -> list[Series]:
    """Return the columns of a table.

    Args:
        sim: the simulation that they are taken from.
        wanted: choices separated by commas; every column that has a history when empty.

    Raises:
        InputError: a choice names nothing, or they are more than ``SERIES_MAX``.
    """
    texts = [text.strip() for text in wanted.split(",") if text.strip()]
    if not texts:
        texts = [f"{block}.{col.name}" for block, col, _ in sim.state.columns() if col.history]
    out: list[Series] = []
    for text in texts:
        out += _series(sim, text)
        if len(out) > SERIES_MAX:
            raise InputError(f"more than {SERIES_MAX} columns", where="--columns", expected="a place or fewer names")
    return out


def _series(sim: Simulation, text: str) -> list[Series]:
    words = text.split()
    reducer = words.pop() if len(words) > 1 and "." not in words[-1] else ""
    if len(words) not in (1, 2) or (reducer and reducer not in REDUCERS):
        near = nearest(reducer, REDUCERS) if reducer else ""
        raise InputError(f"'{text}' is not understood", where="--columns", nearest=near,
                         expected="[place] block.column [mean, min, max or last]")
    name = words[-1]
    col, array = sim.state.find(name)
    elements: Sequence[int] = range(array.size)
    if len(words) == 2:
        elements = elements_of(sim.site, words[0], col.axis, where="--columns").tolist()
    names = sim.site.names.get(col.axis, ())
    kind = reducer or ("mean" if array.dtype.kind == "f" else "last")
    ending = f" {reducer}" if reducer else ""
    alone = col.axis == "one"
    out = []
    for i in elements:
        place = "" if alone else f"[{names[i] if len(names) > i else i}]"
        out.append(Series(f"{name}{place}{ending}", col.unit, array, i, kind))
    return out


class Writer(Protocol):
    """Writes rows to a file."""

    def row(self, at_s: float, values: F64) -> None:
        """Write one row."""

    def close(self) -> None:
        """Finish the file."""


class CsvWriter:
    """RFC 4180 with a heading line; numbers in full precision, nothing where there is no number."""

    def __init__(self, path: Path, series: Sequence[Series]) -> None:
        self._whole = [s.whole for s in series]
        self._file = path.open("w", newline="", encoding="utf-8")
        self._csv = csv.writer(self._file, lineterminator="\r\n")
        self._csv.writerow(["time_s", *(s.label for s in series)])

    def row(self, at_s: float, values: F64) -> None:
        """Write one row."""
        cells = ["" if math.isnan(v) else int(v) if whole and math.isfinite(v) else v
                 for v, whole in zip(values.tolist(), self._whole, strict=True)]
        self._csv.writerow([at_s, *cells])

    def close(self) -> None:
        """Finish the file."""
        self._file.close()


class JsonLinesWriter:
    """One JSON object per line; what is no finite number is null."""

    def __init__(self, path: Path, series: Sequence[Series]) -> None:
        self._labels = [s.label for s in series]
        self._whole = [s.whole for s in series]
        self._file = path.open("w", encoding="utf-8")

    def row(self, at_s: float, values: F64) -> None:
        """Write one row."""
        cells = [None if not math.isfinite(v) else int(v) if whole else v
                 for v, whole in zip(values.tolist(), self._whole, strict=True)]
        out = {"time_s": at_s} | dict(zip(self._labels, cells, strict=True))
        self._file.write(json.dumps(out, ensure_ascii=False, allow_nan=False) + "\n")

    def close(self) -> None:
        """Finish the file."""
        self._file.close()


class ParquetWriter:
    """Apache Parquet, Zstandard; float64 or int64 columns whose metadata name the unit. Needs the extra ``parquet``."""

    def __init__(self, path: Path, series: Sequence[Series]) -> None:
        try:
            import pyarrow
            import pyarrow.parquet
        except ImportError as error:
            raise InputError("Parquet files need pyarrow", where=str(path),
                             expected="pip install 'aifactory-twin[parquet]'") from error
        self._arrow = pyarrow
        fields = [pyarrow.field("time_s", pyarrow.float64(), metadata={"unit": "s"})]
        fields += [pyarrow.field(s.label, pyarrow.int64() if s.whole else pyarrow.float64(),
                                 metadata={"unit": s.unit}) for s in series]
        self._schema = pyarrow.schema(fields)
        self._rows: list[F64] = []
        self._file = path.open("wb")
        self._writer = pyarrow.parquet.ParquetWriter(self._file, self._schema, compression="zstd")

    def row(self, at_s: float, values: F64) -> None:
        """Keep one row; write when there are enough."""
        self._rows.append(np.concatenate(([at_s], values)))
        if len(self._rows) >= max(16, _GROUP_ROWS * 64 // (len(values) + 64)):
            self._flush()

    def _flush(self) -> None:
        if not self._rows:
            return
        grid = np.array(self._rows).T
        self._rows.clear()
        columns = [self._arrow.array(grid[i].astype(np.int64) if field.type == self._arrow.int64() else grid[i])
                   for i, field in enumerate(self._schema)]
        self._writer.write_batch(self._arrow.record_batch(columns, schema=self._schema))

    def close(self) -> None:
        """Finish the file: its index stands at the end."""
        try:
            self._flush()
            self._writer.close()
        finally:
            self._file.close()


WRITERS: dict[str, Any] = {"csv": CsvWriter, "jsonl": JsonLinesWriter, "parquet": ParquetWriter}


class Export:
    """Writes a table while a run goes on; an observer of its simulation.

    Args:
        sim: the simulation.
        kind: ``csv``, ``jsonl`` or ``parquet``.
        path: the file; one that exists is written over.
        series: from ``choose``.
        every_ns: simulated time of a row; a row's time is the beginning of its interval.

    Attributes:
        rows: rows written.
        error: why the export stopped before its end, None when it did not.

    Raises:
        InputError: the file cannot be written.
    """

    def __init__(self, sim: Simulation, kind: str, path: Path, series: Sequence[Series], every_ns: int) -> None:
        self.path, self.rows = path, 0
        self.error: InputError | None = None
        self._sim, self._every_ns = sim, every_ns
        self._sampler = Sampler([(s.array, s.element, REDUCERS[s.reducer]) for s in series])
        self._now_ns = sim.now_ns
        self._row = sim.now_ns // every_ns
        try:
            self._writer: Writer = WRITERS[kind](path, series)
        except OSError as error:
            raise InputError(f"cannot write: {error.strerror or error}", where=str(path),
                             expected="a writable folder with enough room") from error
        sim.observe(self)

    def submitted(self, command: Command) -> None:
        """Commands are not written."""

    def truncated(self) -> None:
        """What was written stays."""

    def ticked(self) -> int:
        """Add the tick that ended; write the row before it when it begins another one."""
        sim = self._sim
        begun, self._now_ns = self._now_ns, sim.now_ns
        if begun // self._every_ns != self._row:
            self._flush()
            self._row = begun // self._every_ns
        if self.error is None:
            self._sampler.run((sim.now_ns - begun) * 1e-9)
        return sim.tick + 1

    def close(self) -> None:
        """Write the last row and finish the file."""
        if self.error is not None:
            return
        self._flush()
        self._sim.unobserve(self)
        if self.error is None:
            try:
                self._writer.close()
            except OSError as error:
                self._fail(error)

    def _flush(self) -> None:
        if self._sampler.weight_s == 0 or self.error is not None:
            return
        try:
            self._writer.row(self._row * self._every_ns / 1e9, self._sampler.take())
            self.rows += 1
        except OSError as error:
            self._fail(error)

    def _fail(self, error: OSError) -> None:
        self._sim.unobserve(self)
        self.error = InputError(f"the export stopped after {self.rows} rows: {error.strerror or error}",
                                where=str(self.path), expected="a disk with enough room")
