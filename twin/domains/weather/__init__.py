"""Outdoor air at the site: dry bulb, moisture and pressure by simulated time."""

from __future__ import annotations

from twin.domains.weather.faults import FAULTS
from twin.domains.weather.step import bind
from twin.state.blocks import WeatherState
from twin.wiring import Domain

DOMAIN = Domain(name="weather", block=WeatherState, bind=bind, faults=FAULTS)
