"""Faults of the file system."""

from __future__ import annotations

from typing import Any

from twin.wiring import FaultKind


def _degrade(own: Any, index: int, value: float) -> None:
    own.capacity_frac[index] = value


def _repair(own: Any, index: int) -> None:
    own.capacity_frac[index] = 1.0


FAULTS = (
    FaultKind("storage_degraded", "one", "The file system loses bandwidth; checkpoints take longer and jobs wait.",
              _degrade, _repair, "share of the nominal bandwidth that is left", 0.5, (0.0, 1.0)),
)
