"""What a job trace becomes: plain arrays and a report of what was left out and why."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from twin.arrays import F64, I32, I64
from twin.errors import ReaderError
from twin.units import NS_PER_S

#: Limits that keep a hostile file from taking the machine.
MAX_FILE_BYTES = 512 * 1024 * 1024
MAX_LINE_CHARS = 8192
MAX_JOBS = 1_000_000
#: Latest instant and longest run that fit integer nanoseconds with room to spare, s.
MAX_TIME_S = 4.0e9


@dataclass(frozen=True)
class Skipped:
    """Lines left out for one reason.

    Attributes:
        reason: why, in words.
        count: how many lines.
        first_line: number of the first of them, from 1.
    """

    reason: str
    count: int
    first_line: int


@dataclass(frozen=True)
class TraceReport:
    """Sanity report of a trace file.

    Attributes:
        path: the file as it was given.
        lines: data lines read (headers and blank lines not counted).
        jobs: jobs taken over.
        skipped: what was left out, most frequent first.
        notes: facts of the header worth showing, ``key: value``.
    """

    path: str
    lines: int
    jobs: int
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class JobTrace:
    """Jobs of a trace, in the order of the file.

    Attributes:
        numbers[job]: the job's number in the file, or its place there.
        submit_ns[job]: submission since the trace's start, ns.
        run_s[job]: run time once started, s.
        gpus[job]: accelerators (or processors) held.
        report: what was read and what was not.
        size: accelerators (or processors) of the machine that the trace is from, 0 when the file does not say.
    """

    numbers: I64
    submit_ns: I64
    run_s: F64
    gpus: I32
    report: TraceReport
    size: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the jobs, ``t`` and the number; made anew, they take more room than all the rest."""
        return tuple(f"t{number}" for number in self.numbers.tolist())


class JobRows:
    """Jobs while a file is read: 28 bytes each, less than any line that describes one."""

    def __init__(self) -> None:
        self._number, self._submit_ns = array("q"), array("q")
        self._run_s, self._gpus = array("d"), array("i")

    def __len__(self) -> int:
        return len(self._number)

    def add(self, where: str, number: int, submit_s: float, run_s: float, gpus: int) -> None:
        """Take one more job.

        Raises:
            ReaderError: there are too many.
        """
        if len(self) >= MAX_JOBS:
            raise ReaderError("too many jobs", where=where, expected=f"at most {MAX_JOBS} jobs")
        self._number.append(number)
        self._submit_ns.append(round(submit_s * NS_PER_S))
        self._run_s.append(run_s)
        self._gpus.append(gpus)

    def trace(self, report: TraceReport, size: int = 0) -> JobTrace:
        """Return the jobs; where two have the same number, all are numbered by their place."""
        number = np.frombuffer(self._number, np.int64)
        if np.unique(number).size != number.size:
            number = np.arange(1, number.size + 1, dtype=np.int64)
        return JobTrace(number, np.frombuffer(self._submit_ns, np.int64), np.frombuffer(self._run_s, np.float64),
                        np.frombuffer(self._gpus, np.int32), report, size)


class SkipCounter:
    """Counts reasons while a file is read."""

    def __init__(self) -> None:
        self._found: dict[str, list[int]] = {}

    def add(self, reason: str, line: int) -> None:
        """Note one more line left out for ``reason``."""
        self._found.setdefault(reason, [0, line])[0] += 1

    def report(self) -> tuple[Skipped, ...]:
        """Return the reasons, most frequent first."""
        rows = [Skipped(reason, count, line) for reason, (count, line) in self._found.items()]
        return tuple(sorted(rows, key=lambda r: (-r.count, r.reason)))


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (line number, text without its end) of a text file, within the limits above.

    Raises:
        ReaderError: the file is missing, too large, or a line is too long or not text.
    """
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise ReaderError("is not a file", where=str(path), expected="a job trace")
        if size > MAX_FILE_BYTES:
            raise ReaderError(f"is {size} bytes long", where=str(path), expected=f"at most {MAX_FILE_BYTES} bytes")
        with path.open("r", encoding="utf-8", newline=None) as file:
            number = 0
            while True:
                line = file.readline(MAX_LINE_CHARS + 1)
                if not line:
                    return
                number += 1
                if len(line) > MAX_LINE_CHARS:
                    raise ReaderError("line is too long", where=f"{path}:{number}",
                                      expected=f"at most {MAX_LINE_CHARS} characters")
                yield number, line.rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise ReaderError("is not a text file", where=str(path), expected="UTF-8 text") from error
    except OSError as error:
        raise ReaderError(f"cannot be read ({error.strerror})", where=str(path), expected="a readable file") from error


def finite(text: str, where: str, what: str, *, lo: float, hi: float) -> float:
    """Read a finite number between ``lo`` and ``hi``.

    Raises:
        ReaderError: it is not one; names the place and what was expected.
    """
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not lo <= value <= hi:
        raise ReaderError(f"'{text[:40]}' as {what}", where=where, expected=f"a number from {lo:g} to {hi:g}")
    return value
