"""W08: pipeline bubble over ideal step time, (p - 1) / (v m), against Narayanan et al., SC'21. Exact."""

from __future__ import annotations

import pytest

from twin.site.training import bubble_ratio


@pytest.mark.parametrize(("p", "m", "v", "published"), [(8, 64, 1, 0.1094), (8, 64, 8, 0.0137), (64, 256, 1, 0.2461)])
def test_bubble(p: int, m: int, v: int, published: float) -> None:
    assert round(bubble_ratio(p, m, v), 4) == published
