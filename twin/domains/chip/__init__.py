"""Chip: power and temperature of every accelerator, solved together.

Activity makes power, power makes heat, heat makes leakage, and three things hold it down: the power cap lowers the
clock first, then the thermal throttles, at last the shutdown. What the coolant carries away goes to the liquid and
air domains as heat per stream; how fast the slowest chip of a job runs goes back to the workload.
"""

from twin.domains.chip.faults import ALARMS, FAULTS
from twin.domains.chip.step import ChipStep
from twin.state.blocks import ChipState
from twin.wiring import Domain

DOMAIN = Domain(
    name="chip",
    block=ChipState,
    bind=ChipStep,
    reads=("weather", "workload", "compute"),
    reads_late=("liquid", "air"),
    faults=FAULTS,
    alarms=ALARMS,
)
