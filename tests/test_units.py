"""Durations and units at the edge."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.errors import InputError
from twin.units import format_duration, parse_duration_ns


@pytest.mark.parametrize(("text", "ns"), [
    ("200ms", 200_000_000), ("90s", 90 * 10**9), ("5m", 300 * 10**9), ("5min", 300 * 10**9), ("6h", 21600 * 10**9),
    ("2d", 172800 * 10**9), ("1h30m", 5400 * 10**9), ("0.5s", 500_000_000), ("1.000000001s", 1_000_000_001),
])
def test_durations_read_as_people_write_them(text: str, ns: int) -> None:
    assert parse_duration_ns(text) == ns


@pytest.mark.parametrize("text", ["", " ", "5", "5 parsecs", "-5s", "s", "1h30", "1e3s", "٣s"])
def test_what_is_not_a_duration_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="is not a duration"):
        parse_duration_ns(text, where="--for")


@given(st.integers(min_value=0, max_value=10**9).map(lambda ms: ms * 1_000_000))
def test_what_is_written_reads_back(ns: int) -> None:
    assert parse_duration_ns(format_duration(ns)) == ns
