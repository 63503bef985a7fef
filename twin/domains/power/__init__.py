"""Power: racks' own conversion, then the tree up to the utility with UPS, batteries and generators."""

from twin.domains.power.faults import ALARMS, FAULTS
from twin.domains.power.step import bind
from twin.state.blocks import PowerState
from twin.wiring import Domain

DOMAIN = Domain(name="power", block=PowerState, bind=bind, reads=("network", "storage", "compute", "chip"),
                reads_late=("liquid", "air", "plant"), faults=FAULTS, alarms=ALARMS)
