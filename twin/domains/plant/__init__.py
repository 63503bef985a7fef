"""Plant: the water loops that carry the halls' heat to the sky.

Heat of a tick comes from CDUs and CRAHs, with the metered power of pumps, compressors and fans; it leaves to the
outdoor air through dry coolers, towers and air-cooled condensers, or stays in the loops' water. See
``twin/_kernels/plant.pyx`` for the equations.
"""

from __future__ import annotations

from twin.domains.plant.faults import ALARMS, FAULTS, SETTINGS
from twin.domains.plant.step import PlantStepper
from twin.state.blocks import PlantState
from twin.wiring import Domain

DOMAIN = Domain(
    name="plant", block=PlantState, bind=PlantStepper, reads=("weather", "power", "liquid", "air"),
    faults=FAULTS, settings=SETTINGS, alarms=ALARMS,
)
