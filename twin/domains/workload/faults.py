"""Faults and alarms of the workload."""

from __future__ import annotations

from typing import Any

from twin.wiring import AlarmKind, FaultKind


def _down(own: Any, index: int, value: float) -> None:
    own.node_down[index] = 1


def _up(own: Any, index: int) -> None:
    own.node_down[index] = 0


def _crash(own: Any, index: int, value: float) -> None:
    own.job_crash[index] = 1


def _nothing(own: Any, index: int) -> None:
    """A crash is over at once; what follows it is the restart."""


FAULTS = (
    FaultKind("node_down", "node", "A node goes out of service; jobs on it are interrupted, none starts there.",
              _down, _up),
    FaultKind("job_crash", "job", "A job's program fails; it goes back to its last checkpoint and restarts.",
              _crash, _nothing),
)

ALARMS = (
    AlarmKind("job_restarting", "one", "jobs_restarting", ">", 0.0, 0.0, 0.0, "warning",
              "Interrupted jobs restart: {value:.0f}",
              "Their GPUs wait; look for a node that is down, hot or without power."),
    AlarmKind("service_overloaded", "one", "service_wait_s_max", ">", 10.0, 5.0, 30.0, "warning",
              "Requests wait {value:.0f} s for a service",
              "Give the service more GPUs, or find what slows the ones it has."),
)
