"""Start instants and the merging of parts."""

from types import SimpleNamespace

import pytest

from twin.errors import InternalError, SpecError
from twin.site.build import merge_parts, parse_start


def test_start_is_exact_in_nanoseconds():
    assert parse_start("2026-07-15T13:00:00.000001-05:00") == (1_784_138_400_000_001_000, -18_000)


@pytest.mark.parametrize("text", ["yesterday", "2026-07-15T13:00:00", "2026-07-15", ""])
def test_start_without_offset_is_refused(text):
    with pytest.raises(SpecError, match=r"scenario\.start"):
        parse_start(text)


def test_merge_refuses_conflicts():
    a = SimpleNamespace(axes={"x": 2}, names={"x": ["a", "b"]})
    assert merge_parts([a])[0] == {"one": 1, "x": 2}
    with pytest.raises(InternalError):
        merge_parts([a, a])
    with pytest.raises(InternalError):
        merge_parts([SimpleNamespace(axes={"x": 2}, names={"x": ["a"]})])
