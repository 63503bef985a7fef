"""Frames: what a screen, an exporter or a server sees of a run. Read-only, published whole, the newest wins."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from twin.arrays import F64
from twin.engine.alarms import ActiveAlarm
from twin.engine.faults import ActiveFault
from twin.engine.history import Histories
from twin.engine.simulation import Simulation
from twin.wiring import Event

EVENTS_SHOWN = 500


class HistoryView:
    """Reads the histories of a running simulation; every call is one consistent read.

    Args:
        histories: those of the simulation, or None when it keeps none.
        now_ns: end of what is asked for.
    """

    def __init__(self, histories: Histories | None, now_ns: int) -> None:
        self._histories, self._now_ns = histories, now_ns

    def names(self) -> list[str]:
        """Return the names of the columns that have a history."""
        return [] if self._histories is None else self._histories.names()

    def series(self, name: str, index: int = 0, points: int = 200) -> tuple[F64, F64, F64, F64]:
        """Return (time s, min, mean, max), oldest first; see ``Histories.series``."""
        if self._histories is None:
            import numpy as np

            empty = np.zeros(0)
            return empty, empty, empty, empty
        return self._histories.series(name, index, points, self._now_ns)


@dataclass(frozen=True)
class Frame:
    """One moment of a run, for looking at.

    Attributes:
        version: grows with every frame; equal versions mean nothing changed.
        tick, now_ns, dt_ns, end_ns: where the run is and where the scenario ends.
        columns: ``block.column`` -> read-only copy, every column declared ``shown`` and those that were asked for.
        kpi: key figures so far; None where undefined.
        events: recent events, oldest first; event_count: all so far.
        alarms, faults: active now.
        paused, speed_asked, speed_achieved: pace, in simulated seconds per second.
        history: the ring buffers.
        branch: name of the session that made it.
        head_ns: the furthest moment lived; later than ``now_ns`` while the session shows its past.
    """

    version: int
    tick: int
    now_ns: int
    dt_ns: int
    end_ns: int
    columns: Mapping[str, NDArray[Any]]
    kpi: Mapping[str, float | None]
    events: Sequence[Event]
    event_count: int
    alarms: Sequence[ActiveAlarm]
    faults: Sequence[ActiveFault]
    paused: bool
    speed_asked: float
    speed_achieved: float
    history: HistoryView
    branch: str = "main"
    head_ns: int = -1

    @property
    def in_past(self) -> bool:
        """A moment before the furthest lived is shown: one may look, fork, or give up the future."""
        return self.head_ns > self.now_ns


class FrameMaker:
    """Makes frames of one simulation; knows its shown columns.

    Args:
        sim: the simulation, whose arrays are never replaced.
        also: columns to publish that are not declared ``shown``, as ``block.column``.
    """

    def __init__(self, sim: Simulation, also: Collection[str] = ()) -> None:
        self._sim = sim
        named = ((f"{block}.{col.name}", col.shown, array) for block, col, array in sim.state.columns())
        self._shown = [(name, array) for name, shown, array in named if shown or name in also]

    def make(self, version: int, *, paused: bool, speed_asked: float, speed_achieved: float, branch: str = "main",
             head_ns: int = -1) -> Frame:
        """Copy what is shown; call between ticks only."""
        sim = self._sim
        columns = {}
        for name, array in self._shown:
            copy = array.copy()
            copy.flags.writeable = False
            columns[name] = copy
        return Frame(version, sim.tick, sim.now_ns, sim.tick_ns, sim.end_ns, columns, sim.kpi(),
                     tuple(sim.events)[-EVENTS_SHOWN:], sim.event_count, tuple(sim.active_alarms()),
                     tuple(sim.active_faults()), paused, speed_asked, speed_achieved,
                     HistoryView(sim.histories, sim.now_ns), branch, max(head_ns, sim.now_ns))
