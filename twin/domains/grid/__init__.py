"""Grid: what a kilowatt-hour emits and costs at this hour."""

from twin.domains.grid.faults import ALARMS, FAULTS
from twin.domains.grid.step import bind
from twin.state.blocks import GridState
from twin.wiring import Domain

DOMAIN = Domain(name="grid", block=GridState, bind=bind, faults=FAULTS, alarms=ALARMS)
