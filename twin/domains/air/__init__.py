"""Hall air on a three-layer grid, racks with server fans, CRAHs, fan walls, in-row coolers and rear doors."""

from __future__ import annotations

from twin.domains.air.faults import ALARMS, FAULTS, SETTINGS
from twin.domains.air.step import bind
from twin.state.blocks import AirState
from twin.wiring import Domain

DOMAIN = Domain(
    name="air", block=AirState, bind=bind, reads=("weather", "chip", "power", "liquid"), reads_late=("plant",),
    faults=FAULTS, settings=SETTINGS, alarms=ALARMS,
)
