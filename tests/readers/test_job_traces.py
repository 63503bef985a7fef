"""Job traces become arrays; what cannot be used is counted or refused with file, line and expectation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from twin.errors import ReaderError
from twin.readers import trace as limits
from twin.readers.gavel import THROUGHPUTS, read_gavel
from twin.readers.swf import read_swf

RUN = "7 100 5 60 4 60 -1 8 90 -1 1 1 1 -1 -1 1 -1 -1"


def swf(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "jobs.swf"
    path.write_text("; Computer: Test\n; MaxProcs: 16\n" + "\n".join(lines) + "\n")
    return path


def gavel(tmp_path: Path, *lines: str) -> Path:
    (tmp_path / THROUGHPUTS).write_text('job_type,v100_steps_per_s\n"LM (batch size 5)",2.0\nA3C,8\n')
    path = tmp_path / "jobs.trace"
    path.write_text("".join(line + "\n" for line in lines))
    return path


def test_swf_takes_requested_processors_and_nanoseconds(tmp_path: Path) -> None:
    trace = read_swf(swf(tmp_path, RUN, "8 101 5 60.5 4 60 -1 -1 90 -1 1 1 1 -1 -1 1 -1 -1"))
    assert trace.names == ("t7", "t8")
    np.testing.assert_array_equal(trace.submit_ns, [100_000_000_000, 101_000_000_000])
    np.testing.assert_array_equal(trace.run_s, [60.0, 60.5])
    np.testing.assert_array_equal(trace.gpus, [8, 4])
    assert trace.report.notes == ("Computer: Test", "MaxProcs: 16")


def test_swf_counts_what_cannot_run(tmp_path: Path) -> None:
    trace = read_swf(swf(tmp_path, RUN, "8 101 5 -1 4 60 -1 8 90 -1 0 1 1 -1 -1 1 -1 -1",
                         "9 101 5 -1 4 60 -1 8 90 -1 0 1 1 -1 -1 1 -1 -1",
                         "10 101 5 60 -1 60 -1 -1 90 -1 1 1 1 -1 -1 1 -1 -1"))
    assert trace.report.lines == 4
    assert trace.report.jobs == 1
    assert [(s.reason, s.count, s.first_line) for s in trace.report.skipped] == [
        ("no run time", 2, 4), ("no processors", 1, 6)]


@pytest.mark.parametrize("line", ["1 2 3", RUN.replace("60 4", "abc 4"), RUN.replace("100", "nan"),
                                  RUN.replace("100", "1e300"), RUN.replace("100", "inf")])
def test_swf_refuses_malformed_lines(tmp_path: Path, line: str) -> None:
    with pytest.raises(ReaderError, match=r"jobs\.swf:4: .*expected"):
        read_swf(swf(tmp_path, RUN, line))


def test_swf_without_jobs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReaderError, match="no job"):
        read_swf(swf(tmp_path))


def test_gavel_run_time_is_steps_over_rate(tmp_path: Path) -> None:
    trace = read_gavel(gavel(tmp_path, "LM (batch size 5)\trm -rf /\t-n\t1\t100\t6.5\t4", "A3C\tx\t-n\t0\t16\t7\t1"))
    assert trace.names == ("t1", "t2")
    np.testing.assert_array_equal(trace.run_s, [50.0, 2.0])
    np.testing.assert_array_equal(trace.submit_ns, [6_500_000_000, 7_000_000_000])
    np.testing.assert_array_equal(trace.gpus, [4, 1])


def test_gavel_names_the_nearest_job_type(tmp_path: Path) -> None:
    with pytest.raises(ReaderError, match=r"jobs\.trace:1: .*did you mean 'LM \(batch size 5\)'"):
        read_gavel(gavel(tmp_path, "LM (batch size 6)\tx\t-n\t1\t100\t6.5\t4"))


@pytest.mark.parametrize("line", ["A3C\tx\t-n\t1\t100\t6.5", "A3C\tx\t-n\t1\t-1\t6.5\t4", "A3C\tx\t-n\t1\t1\t6.5\t1e99",
                                  "A3C\tx\t-n\t1\t1e14\t6.5\t4"])
def test_gavel_refuses_malformed_lines(tmp_path: Path, line: str) -> None:
    with pytest.raises(ReaderError, match=r"jobs\.trace:1"):
        read_gavel(gavel(tmp_path, line))


def test_missing_table_and_file(tmp_path: Path) -> None:
    lone = tmp_path / "x.trace"
    lone.write_text("A3C\tx\t-n\t1\t1\t6.5\t1\n")
    with pytest.raises(ReaderError, match=THROUGHPUTS):
        read_gavel(lone)
    with pytest.raises(ReaderError, match="cannot be read"):
        read_swf(tmp_path / "missing.swf")


def test_hostile_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    binary = tmp_path / "b.swf"
    binary.write_bytes(b"\xff\xfe\x00\x01" * 100)
    with pytest.raises(ReaderError, match="not a text file"):
        read_swf(binary)
    with pytest.raises(ReaderError, match="line is too long"):
        read_swf(swf(tmp_path, "1" * (limits.MAX_LINE_CHARS + 1)))
    monkeypatch.setattr(limits, "MAX_FILE_BYTES", 10)
    with pytest.raises(ReaderError, match="at most 10 bytes"):
        read_swf(swf(tmp_path, RUN))
