"""Carbon intensity is the site's annual mean times the shape of its grid over the day and the year, where the catalogue
knows one (``carbon_shape`` of the site names an entry of the kind ``grids``); flat otherwise. Hours and months are
those of the grid's local standard time. The price is the site's energy price times ``price_factor``.
"""

from __future__ import annotations

import datetime
from typing import Any

from twin.catalog.entry import Entry
from twin.site.site import Site
from twin.units import NS_PER_S, S_PER_HOUR
from twin.wiring import Bind

_HOUR_NS = int(S_PER_HOUR) * NS_PER_S
_EPOCH = datetime.datetime(1970, 1, 1)


class GridStepper:
    """Rewrites two numbers when the hour turns or a fault asks for it.

    Args:
        own: the grid's block.
        start_unix_ns: first simulated instant.
        carbon_kg_kwh, price_usd_kwh: annual mean intensity and usual price.
        shape: entry of kind ``grids``, or None.
    """

    def __init__(self, own: Any, start_unix_ns: int, carbon_kg_kwh: float, price_usd_kwh: float,
                 shape: Entry | None) -> None:
        self._own, self._start_ns = own, start_unix_ns
        self._carbon, self._price, self._shape = carbon_kg_kwh, price_usd_kwh, shape
        self._until_ns = 0

    def step(self, now_ns: int, dt_ns: int) -> None:
        """Set what holds at ``now_ns``; the value of an hour stays until the hour turns."""
        if now_ns < self._until_ns:
            return
        offset_ns = int(self._shape["utc_offset_s"]) * NS_PER_S if self._shape is not None else 0
        local_ns = self._start_ns + now_ns + offset_ns
        self._until_ns = now_ns + _HOUR_NS - local_ns % _HOUR_NS
        self._own.carbon_kg_kwh[0] = self._carbon * self._ratio(local_ns)
        self._own.price_usd_kwh[0] = self._price * self._own.price_factor[0]

    def refresh(self) -> None:
        """Look again at the next tick."""
        self._until_ns = 0

    def _ratio(self, local_ns: int) -> float:
        if self._shape is None:
            return 1.0
        when = _EPOCH + datetime.timedelta(seconds=local_ns // NS_PER_S)
        return float(self._shape["hour_ratio"][when.hour]) * float(self._shape["month_ratio"][when.month - 1])


def bind(to: Bind) -> GridStepper:
    """Bind to the site's preset; what ``[site]`` says has won already."""
    carbon, price, shape = tariff(to.site)
    return GridStepper(to.own, to.site.start_unix_ns, carbon, price, shape)


def tariff(site: Site) -> tuple[float, float, Entry | None]:
    """Return annual mean carbon intensity (kg/kWh), price (USD/kWh) and the shape of the site's grid."""
    shape = site.catalog.get("sites", site.spec.site.preset).get("carbon_shape", "")
    return (site.climate.carbon_kg_kwh, site.climate.price_usd_kwh,
            site.catalog.get("grids", shape) if shape else None)
