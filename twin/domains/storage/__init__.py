"""Storage: the parallel file system that checkpoints go to."""

from __future__ import annotations

from twin.domains.storage.faults import FAULTS
from twin.domains.storage.step import StorageStepper
from twin.state.blocks import StorageState
from twin.wiring import Domain

DOMAIN = Domain(
    name="storage",
    block=StorageState,
    bind=StorageStepper,
    reads=("workload",),
    faults=FAULTS,
)
