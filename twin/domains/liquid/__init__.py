"""Liquid: the coolant loop of every row, from the chips to the plant's water.

Racks share two headers that the row's CDUs feed. Pumps hold the pressure across the racks, primary valves hold
the supply temperature, spares take over. Heat of a tick: what the chips gave to the coolant, what the rest of
the rack gave to it, and the CDUs' metered power; all of it leaves to the plant loops. See
``twin/_kernels/liquid.pyx`` for the equations. Racks in immersion tanks are liquid-cooled racks whose bath takes the
place of the row loop: ``twin/_kernels/tank.pyx``.
"""

from __future__ import annotations

from twin.domains.liquid.faults import ALARMS, FAULTS, SETTINGS
from twin.domains.liquid.step import LiquidStepper
from twin.state.blocks import LiquidState
from twin.wiring import Domain

DOMAIN = Domain(
    name="liquid", block=LiquidState, bind=LiquidStepper, reads=("weather", "chip", "power"),
    reads_late=("air", "plant"), faults=FAULTS, settings=SETTINGS, alarms=ALARMS,
)
