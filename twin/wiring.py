"""The shapes of plugs: what a domain, a fault, a setting, an alarm, a command and an event look like.

Nothing here runs the model; the engine plugs these together (``twin/engine``), the domains provide them
(``twin/domains/*/__init__.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Literal, Protocol

from twin.site.site import Site
from twin.state.column import Block

Severity = Literal["info", "warning", "critical"]


class Stepper(Protocol):
    """A domain bound to its buffers: holds compiled kernels and caches, never a mutable truth of its own."""

    def step(self, now_ns: int, dt_ns: int) -> None:
        """Advance the domain's block from ``now_ns`` by ``dt_ns`` nanoseconds."""

    def refresh(self) -> None:
        """Rebuild caches from the state (after a snapshot was loaded or a fault changed the topology).

        A state that no fault and no command has changed since the last tick keeps every bit: a moment loaded is the
        moment lived.
        """


@dataclass(frozen=True)
class Bind:
    """What a domain is given when it is bound.

    Attributes:
        site: the immutable plant.
        own: the domain's own block, writable.
        views: read-only blocks by name, only those that the domain declared (``views.chip.gpu_power_w``).
        seed: the scenario's seed for counter-based draws.
    """

    site: Site
    own: Any
    views: SimpleNamespace
    seed: int


@dataclass(frozen=True)
class FaultKind:
    """A fault is a row: what it is called, what it hurts, what it does.

    Attributes:
        name: ``cdu_pump_trip``; unique over all domains.
        axis: axis of the site that its target lies on.
        doc: one sentence on cause and effect, shown in the fault menu and the docs.
        start: called with (own block, element index, severity value) when the fault begins.
        clear: called with (own block, element index) when it ends.
        value_doc: meaning and unit of the value, empty when the fault has none.
        value_default, value_range: default and allowed range of the value.
        held: tells, called with (own block, element index), whether the element got into this condition by itself and
            stays in it (a protection that latched); clearing the fault there resets it. None when that cannot be.
        moot: says, called with (site, element index), why the fault would do nothing there; empty when it acts. None
            when it acts everywhere.
    """

    name: str
    axis: str
    doc: str
    start: Callable[[Any, int, float], None]
    clear: Callable[[Any, int], None]
    value_doc: str = ""
    value_default: float = 1.0
    value_range: tuple[float, float] = (0.0, 1.0)
    held: Callable[[Any, int], bool] | None = None
    moot: Callable[[Any, int], str] | None = None


@dataclass(frozen=True)
class Setting:
    """A set-point that a command may change while the twin runs.

    Attributes:
        name: last part of its path: ``supply_c`` in ``warm.supply_c``.
        axis: axis of its column.
        column: column of the domain's block, role ``setpoint``.
        unit, lo, hi: unit and allowed range.
        doc: one sentence.
    """

    name: str
    axis: str
    column: str
    unit: str
    lo: float
    hi: float
    doc: str


@dataclass(frozen=True)
class AlarmKind:
    """An alarm is a row: a condition on a column of the domain's block, with delay and hysteresis.

    Attributes:
        name: unique over all domains.
        axis: axis of the column (rack level or above; never per GPU).
        column: column that is watched.
        op: raised when ``column op threshold`` holds.
        threshold: a number, or the name of a column on the same axis.
        hysteresis: how far the value must come back before the alarm clears, same unit as the column.
        delay_s: how long the condition must hold before the alarm is raised, s.
        severity: info, warning or critical.
        message: what a person reads, with {name}, {value} and {threshold}; cause before symptom.
        advice: what one can do.
    """

    name: str
    axis: str
    column: str
    op: Literal[">", "<"]
    threshold: float | str
    hysteresis: float
    delay_s: float
    severity: Severity
    message: str
    advice: str


@dataclass(frozen=True)
class Domain:
    """One physical domain: its block, how it is bound, what it reads, what can happen to it.

    Attributes:
        name: also the name of its block.
        block: the block it owns and alone may write.
        bind: builds the stepper.
        reads: blocks whose owner runs earlier in the tick: this tick's values.
        reads_late: blocks whose owner runs later: last tick's values; a seam with mass or inertia.
        faults, settings, alarms: its rows.
    """

    name: str
    block: type[Block]
    bind: Callable[[Bind], Stepper]
    reads: tuple[str, ...] = ()
    reads_late: tuple[str, ...] = ()
    faults: tuple[FaultKind, ...] = ()
    settings: tuple[Setting, ...] = ()
    alarms: tuple[AlarmKind, ...] = ()


@dataclass(frozen=True)
class Command:
    """Input to the engine, applied at the first tick boundary at or after ``at_ns``, in sequence order.

    Attributes:
        kind: ``set`` (target is a setting path), ``fault`` (target is a place), ``clear`` (ends a fault),
            ``ack`` (acknowledges an alarm).
        at_ns: simulated time since the scenario's start.
        name: fault or alarm name, empty for ``set``.
        target: place or path: ``A2.cdu1.pumpA``, ``warm.supply_c``.
        value: new value or severity of the fault.
        duration_ns: how long a fault lasts; 0 means until cleared.
    """

    kind: Literal["set", "fault", "clear", "ack"]
    at_ns: int
    name: str = ""
    target: str = ""
    value: float | None = None
    duration_ns: int = 0


@dataclass(frozen=True)
class Event:
    """Something that happened, for the event log: when, where, how bad, in words."""

    at_ns: int
    severity: Severity
    kind: str
    place: str
    text: str
    data: dict[str, Any] = field(default_factory=dict)
