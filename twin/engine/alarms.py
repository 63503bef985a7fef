"""Alarms: rows of the domains, evaluated at the end of every tick."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from twin._kernels.sampling import Alarm
from twin.engine.registry import Registry
from twin.site.site import Site
from twin.state.state import State
from twin.wiring import AlarmKind, Event, Severity


@dataclass(frozen=True)
class ActiveAlarm:
    """An alarm that is raised now, in words."""

    name: str
    place: str
    severity: Severity
    since_ns: int
    value: float
    text: str
    advice: str
    acknowledged: bool


class Alarms:
    """All alarm points of a site.

    Args:
        registry: gives the alarm kinds in order.
        site: gives the names.
        state: gives the columns; the points live in ``state.alarms``.
    """

    def __init__(self, registry: Registry, site: Site, state: State) -> None:
        self._site, self._state = site, state
        self._kinds: list[tuple[str, AlarmKind, int, int]] = []
        self._rows: list[Alarm] = []
        points = state.alarms
        at = 0
        for domain, kind in registry.alarms:
            source = getattr(state.blocks[domain], kind.column)
            threshold = getattr(state.blocks[domain], kind.threshold) if isinstance(kind.threshold, str) else None
            span = slice(at, at + source.size)
            self._rows.append(Alarm(
                source, threshold, 0.0 if threshold is not None else float(kind.threshold), kind.op == ">",
                kind.hysteresis, kind.delay_s, points.point_active[span], points.point_pending_s[span],
                points.point_since_ns[span], points.point_acknowledged[span], points.point_count[span]))
            self._kinds.append((domain, kind, at, source.size))
            at += source.size

    @staticmethod
    def points(registry: Registry, axes: dict[str, int]) -> int:
        """Return how many alarm points a site has (length of the axis ``alarm_point``)."""
        return sum(axes[kind.axis] for _, kind in registry.alarms)

    def run(self, end_ns: int, dt_s: float) -> list[Event]:
        """Evaluate every alarm; return an event for each one raised or cleared."""
        events: list[Event] = []
        for row, (domain, kind, at, size) in zip(self._rows, self._kinds, strict=True):
            if row.run(end_ns, dt_s):
                self._report(events, domain, kind, at, size, end_ns)
        return events

    def _report(self, events: list[Event], domain: str, kind: AlarmKind, at: int, size: int, end_ns: int) -> None:
        points = self._state.alarms
        for i in range(at, at + size):
            if points.point_active[i] and points.point_since_ns[i] == end_ns:
                one = self._describe(domain, kind, i - at, i)
                events.append(Event(end_ns, kind.severity, "alarm", one.place, one.text, {"alarm": kind.name}))

    def _describe(self, domain: str, kind: AlarmKind, element: int, point: int) -> ActiveAlarm:
        block = self._state.blocks[domain]
        value = float(getattr(block, kind.column)[element])
        limit = float(getattr(block, kind.threshold)[element]) if isinstance(kind.threshold, str) else kind.threshold
        names = self._site.names.get(kind.axis)
        place = names[element] if names is not None else ""
        text = kind.message.format(name=place, value=value, threshold=limit)
        points = self._state.alarms
        return ActiveAlarm(kind.name, place, kind.severity, int(points.point_since_ns[point]), value, text,
                           kind.advice, bool(points.point_acknowledged[point]))

    def active(self) -> Iterator[ActiveAlarm]:
        """Yield the alarms that are raised now."""
        flags = self._state.alarms.point_active
        if not flags.any():
            return
        for domain, kind, at, size in self._kinds:
            for i in flags[at:at + size].nonzero()[0]:
                yield self._describe(domain, kind, int(i), at + int(i))

    def acknowledge(self, name: str, place: str) -> int:
        """Mark the raised alarms of this kind (and place, when given) as seen; return how many."""
        done = 0
        points = self._state.alarms
        for _, kind, at, size in self._kinds:
            names = self._site.names.get(kind.axis)
            for i in range(at, at + size):
                here = names[i - at] if names is not None else ""
                if kind.name == name and place in ("", here) and points.point_active[i]:
                    points.point_acknowledged[i] = 1
                    done += 1
        return done

    def count(self, name: str, elements: list[int] | None = None) -> int:
        """Return how often an alarm kind was raised so far (on the given elements only)."""
        total = 0
        for _, kind, at, size in self._kinds:
            if kind.name == name:
                chosen = range(size) if elements is None else elements
                total += sum(int(self._state.alarms.point_count[at + i]) for i in chosen)
        return total

    def kind(self, name: str) -> AlarmKind | None:
        """Return an alarm kind by name."""
        return next((kind for _, kind, _, _ in self._kinds if kind.name == name), None)
