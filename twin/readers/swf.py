"""Standard Workload Format (version 2.2) of the Parallel Workloads Archive.

One job per line, 18 fields separated by blanks; header lines begin with ``;``. What is read: job number (1),
submit time (2), run time (4), allocated (5) and requested (8) processors. A processor becomes an accelerator.

A job takes the processors that it requested, or those that it was allocated when no request is recorded, as
a scheduler sees it. Jobs without a run time (-1: cancelled before they started, or unknown) are left out:
there is nothing to run.

Source: Chapin et al., "Benchmarks and standards for the evaluation of parallel job schedulers" (1999);
https://www.cs.huji.ac.il/labs/parallel/workload/swf.html
"""

from __future__ import annotations

from pathlib import Path

from twin.errors import ReaderError
from twin.readers.trace import MAX_TIME_S, JobRows, JobTrace, SkipCounter, TraceReport, finite, read_lines

FIELDS = 18
_NOTED = ("Computer", "Installation", "MaxNodes", "MaxProcs", "UnixStartTime", "TimeZoneString")


def read_swf(path: Path) -> JobTrace:
    """Read an SWF file.

    Args:
        path: the file.

    Returns:
        The jobs with a run time and processors, in the order of the file, and a report of the others.

    Raises:
        ReaderError: a line does not have 18 numeric fields, a value is out of range, or there is no job.
    """
    skipped = SkipCounter()
    jobs = JobRows()
    notes: dict[str, str] = {}
    lines = size = 0
    for number, line in read_lines(path):
        if line.startswith(";"):
            key, colon, value = line[1:].partition(":")
            if key.strip() == "MaxProcs" and value.strip().isdecimal():
                size = min(int(value.strip()[:18]), 2**31 - 1)
            if colon and key.strip() in _NOTED:
                notes.setdefault(key.strip(), f"{key.strip()}: {value.strip()[:80]}")
            continue
        fields = line.split()
        if not fields:
            continue
        lines += 1
        where = f"{path}:{number}"
        if len(fields) != FIELDS:
            raise ReaderError(f"{len(fields)} fields", where=where, expected=f"{FIELDS} fields, as in SWF 2.2")
        job = int(finite(fields[0], where, "job number", lo=0, hi=2**53))
        submit = finite(fields[1], where, "submit time", lo=-1, hi=MAX_TIME_S)
        run = finite(fields[3], where, "run time", lo=-1, hi=MAX_TIME_S)
        allocated = int(finite(fields[4], where, "allocated processors", lo=-1, hi=1e8))
        requested = int(finite(fields[7], where, "requested processors", lo=-1, hi=1e8))
        procs = requested if requested > 0 else allocated
        if submit < 0:
            skipped.add("no submit time", number)
        elif run < 0:
            skipped.add("no run time", number)
        elif procs <= 0:
            skipped.add("no processors", number)
        else:
            jobs.add(where, job, submit, run, procs)
    if not jobs:
        raise ReaderError("holds no job that can be run", where=str(path), expected="SWF lines with a run time")
    return jobs.trace(TraceReport(str(path), lines, len(jobs), skipped.report(), tuple(notes.values())), size)
