"""Workload: which jobs wait, which run where, how far each has come."""

from __future__ import annotations

from twin.domains.workload.faults import ALARMS, FAULTS
from twin.domains.workload.step import WorkloadStepper
from twin.state.blocks import WorkloadState
from twin.wiring import Domain

DOMAIN = Domain(
    name="workload",
    block=WorkloadState,
    bind=WorkloadStepper,
    reads_late=("network", "storage", "compute", "chip"),
    faults=FAULTS,
    alarms=ALARMS,
)
