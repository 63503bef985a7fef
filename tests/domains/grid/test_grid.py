"""Carbon and price of the hour."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from twin.catalog.loader import load_catalog
from twin.domains.grid import DOMAIN
from twin.site.build import parse_start
from twin.site.spec import ScenarioSpec, SiteSpec, Spec
from twin.state.blocks import GridState
from twin.wiring import Bind

HOUR = 3600 * 10**9


def _bound(preset: str, start: str) -> tuple[object, GridState]:
    own = GridState({"one": 1})
    site = SimpleNamespace(
        spec=Spec(scenario=ScenarioSpec(title="t", start=start), site=SiteSpec(preset=preset)), catalog=load_catalog(),
        climate=SimpleNamespace(carbon_kg_kwh=0.4, price_usd_kwh=0.1), start_unix_ns=parse_start(start)[0])
    stepper = DOMAIN.bind(Bind(site=site, own=own, views=SimpleNamespace(), seed=1))
    stepper.refresh()
    return stepper, own


def test_hour_and_month_of_the_grids_own_time() -> None:
    """13:30 UTC in July is 07:30 in ERCOT's standard time: hour 7 is 1.0196, July 1.0877 (EIA 2022)."""
    stepper, own = _bound("texas", "2026-07-15T13:30:00+00:00")
    stepper.step(0, 10**9)
    assert own.carbon_kg_kwh[0] == pytest.approx(0.4 * 1.0196 * 1.0877)
    stepper.step(HOUR // 2 - 10**9, 10**9)
    assert own.carbon_kg_kwh[0] == pytest.approx(0.4 * 1.0196 * 1.0877)
    stepper.step(HOUR // 2, 10**9)
    assert own.carbon_kg_kwh[0] == pytest.approx(0.4 * 1.0007 * 1.0877)
    stepper.step(17 * HOUR + HOUR // 2, 10**9)                   # 01:00 the next day
    assert own.carbon_kg_kwh[0] == pytest.approx(0.4 * 0.9369 * 1.0877)


def test_a_grid_without_a_known_shape_is_flat() -> None:
    stepper, own = _bound("singapore", "2026-07-15T13:30:00+00:00")
    for hour in range(24):
        stepper.step(hour * HOUR, 10**9)
        assert own.carbon_kg_kwh[0] == 0.4


def test_price_spike_is_felt_at_once_and_ends() -> None:
    stepper, own = _bound("texas", "2026-07-15T13:00:00-05:00")
    kind = DOMAIN.faults[0]
    stepper.step(0, 10**9)
    assert own.price_usd_kwh[0] == 0.1
    kind.start(own, 0, 50.0)
    stepper.refresh()
    stepper.step(10**9, 10**9)
    assert own.price_usd_kwh[0] == pytest.approx(5.0)
    kind.clear(own, 0)
    stepper.refresh()
    stepper.step(2 * 10**9, 10**9)
    assert own.price_usd_kwh[0] == 0.1
