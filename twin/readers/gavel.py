"""Job traces of the Gavel scheduler study (``.trace``, derived from Microsoft's Philly cluster).

One job per line, seven fields separated by tabs: job type, command, name of the steps argument, whether it
needs a data directory, total steps, arrival time (s), accelerators. The command is never run or looked at.
A job's run time is its total steps over the steps per second of its type on one V100, from a table beside
the trace (``job_type,v100_steps_per_s``); for several accelerators this is an approximation, as it is there.

Source: Narayanan et al., "Heterogeneity-aware cluster scheduling policies for deep learning workloads",
OSDI 2020; https://github.com/stanford-futuredata/gavel
"""

from __future__ import annotations

import csv
from pathlib import Path

from twin.errors import ReaderError, nearest
from twin.readers.trace import MAX_TIME_S, JobRows, JobTrace, SkipCounter, TraceReport, finite, read_lines

FIELDS = 7
#: Name of the table that is looked for beside the trace.
THROUGHPUTS = "philly_gavel_v100_steps_per_s.csv"
_MAX_TYPES = 10_000


def read_throughputs(path: Path) -> dict[str, float]:
    """Read the table job type -> steps per second.

    Raises:
        ReaderError: no header, a line without two fields, or a rate that is not a positive number.
    """
    table: dict[str, float] = {}
    for number, line in read_lines(path):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        try:
            row = next(csv.reader([line], strict=True))
        except csv.Error:
            row = []
        if len(row) != 2:
            raise ReaderError(f"{len(row)} columns", where=where, expected="job_type,v100_steps_per_s")
        if not table and row[0] == "job_type":
            continue
        if len(table) >= _MAX_TYPES:
            raise ReaderError("too many job types", where=where, expected=f"at most {_MAX_TYPES}")
        table[row[0]] = finite(row[1], where, "steps per second", lo=1e-9, hi=1e9)
    if not table:
        raise ReaderError("holds no job type", where=str(path), expected="lines of job_type,v100_steps_per_s")
    return table


def read_gavel(path: Path, throughputs: Path | None = None) -> JobTrace:
    """Read a ``.trace`` file.

    Args:
        path: the trace.
        throughputs: the table of steps per second; the one beside the trace when None.

    Returns:
        The jobs in the order of the file; their names count from ``t1``.

    Raises:
        ReaderError: a line does not have seven fields, a value is out of range, a job type is not in the
            table, or there is no job.
    """
    rates = read_throughputs(throughputs if throughputs is not None else path.parent / THROUGHPUTS)
    skipped = SkipCounter()
    jobs = JobRows()
    lines = 0
    for number, line in read_lines(path):
        if not line.strip():
            continue
        lines += 1
        where = f"{path}:{number}"
        fields = line.split("\t")
        if len(fields) != FIELDS:
            raise ReaderError(f"{len(fields)} fields", where=where, expected=f"{FIELDS} fields separated by tabs")
        rate = rates.get(fields[0])
        if rate is None:
            raise ReaderError(f"job type '{fields[0][:60]}' has no steps per second", where=where,
                              expected="a type of the table", nearest=nearest(fields[0], rates))
        steps = finite(fields[4], where, "total steps", lo=0, hi=1e15)
        arrival = finite(fields[5], where, "arrival time", lo=0, hi=MAX_TIME_S)
        count = int(finite(fields[6], where, "accelerators", lo=0, hi=1e8))
        if count == 0:
            skipped.add("no accelerators", number)
            continue
        if steps / rate > MAX_TIME_S:
            raise ReaderError(f"runs for {steps / rate:.3g} s", where=where, expected=f"at most {MAX_TIME_S:g} s")
        jobs.add(where, lines, arrival, steps / rate, count)
    if not jobs:
        raise ReaderError("holds no job", where=str(path), expected="lines of seven fields separated by tabs")
    return jobs.trace(TraceReport(str(path), lines, len(jobs), skipped.report()))
