"""Compute: the activity of jobs becomes a target for every device.

A GPU follows its job; a node's host follows its GPUs. What has no power or is out of service is off. The power
cap of a rack's GPUs is a set-point here and is obeyed by the chips.
"""

from twin.domains.compute.faults import SETTINGS
from twin.domains.compute.step import ComputeStep
from twin.state.blocks import ComputeState
from twin.wiring import Domain

DOMAIN = Domain(
    name="compute",
    block=ComputeState,
    bind=ComputeStep,
    reads=("workload",),
    reads_late=("chip", "power"),
    settings=SETTINGS,
)
