"""What the screens share: the session, the newest frame, what is selected and how it is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.errors import TwinError
from twin.tui import actions
from twin.tui.plan import HallPlan, hall_plans
from twin.units import NS_PER_S

if TYPE_CHECKING:
    from twin.runtime.family import Family
    from twin.runtime.frame import Frame
    from twin.runtime.session import Session
    from twin.site.site import Site
    from twin.tui.actions import Action
    from twin.tui.filtering import Filter
    from twin.tui.theme import Palette

#: lengths of time that the histories can show; 0 is everything since the start
WINDOWS_NS: tuple[int, ...] = (0, 300 * NS_PER_S, 1800 * NS_PER_S, 7200 * NS_PER_S)


@dataclass(frozen=True)
class Mark:
    """A mark on the time line: when, and whether it is an alarm, a fault or a planned event."""

    at_ns: int
    kind: str
    severity: str


@dataclass
class Ui:
    """State of one person's screen; nothing here is part of the model.

    Attributes:
        session, site: what is watched.
        frame: the newest frame that was drawn.
        palette: colours in use.
        metric: index into ``metrics.METRICS``; colour_map overrides the metric's own when not empty.
        hall, rack: selected hall and rack.
        window: index into WINDOWS_NS.
        layer: layer of the hall's air: 0 under the floor, 1 at rack height, 2 over the racks.
        marks: alarms and faults seen so far, for the time line; marked: grows whenever they change.
        message: a line that answers the last key, shown until the next key.
        filters: view -> what is looked for in it; typing: the filter is being typed.
        registry: the actions with this person's keys.
        folder: where files are written; None where none may be.
        tour: step of the tour, 0 without; recording: the screen is being recorded.
        hover: what is said about the cell under the mouse.
        grown: views that one panel has to itself.
        trail: views to come back to; ahead: those that were left so, to go to again.
        family: the branches, once there are some; forkable: branches can be made here; to_all: commands go to all.
        forks: instants at which branches were forked, for the time line.
        seeking: a moment was asked for that takes its time; seek_ns: which one, -1 when it is not known yet.
        paces: whether this person may change the pace; extra: actions that this kind of screen has alone.
    """

    session: Session
    palette: Palette
    frame: Frame
    read_only: bool = False
    metric: int = 0
    colour_map: str = ""
    hall: int = 0
    rack: int = 0
    window: int = 0
    layer: int = 1
    view: str = "overview"
    message: str = ""
    filters: dict[str, Filter] = field(default_factory=dict)
    typing: bool = False
    trail: list[str] = field(default_factory=list)
    ahead: list[str] = field(default_factory=list)
    grown: set[str] = field(default_factory=set)
    registry: tuple[Action, ...] = actions.ACTIONS
    folder: Path | None = None
    tour: int = 0
    hover: tuple[tuple[str, str], ...] = ()
    recording: bool = False
    family: Family | None = None
    forkable: bool = False
    to_all: bool = False
    forks: tuple[int, ...] = ()
    seeking: bool = False
    seek_ns: int = -1
    paces: bool = True
    extra: tuple[Action, ...] = ()
    marks: dict[tuple[int, str, str], Mark] = field(default_factory=dict)
    marked: int = 0
    halls: tuple[HallPlan, ...] = ()
    cache: dict[Any, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.halls = hall_plans(self.site)

    @property
    def site(self) -> Site:
        """The plant that is watched."""
        return self.session.site

    @property
    def filter(self) -> Filter | None:
        """What is looked for in this view; None for nothing."""
        return self.filters.get(self.view)

    @property
    def filter_text(self) -> str:
        """The filter of this view as it was typed."""
        found = self.filter
        return found.text if found is not None else ""

    @property
    def can_go_back(self) -> bool:
        """Esc does something."""
        return bool(self.trail or self.filter_text) or self.view == "rack" or self.view in self.grown

    def refuses(self, action: Action) -> bool:
        """Tell whether this person's role forbids an action now."""
        return (action.writes and self.read_only) or (action.paces and not self.paces) or \
            (action.files and self.folder is None)

    def available(self) -> list[Action]:
        """Return the actions that work now."""
        works = actions.available(self.view, self.read_only, paces=self.paces, extra=self.extra,
                                  registry=self.registry)
        return [a for a in works if (a.name != "back" or self.can_go_back) and not self.refuses(a)
                and (self.forkable or not a.forks)]

    def key(self, name: str) -> str:
        """Return this person's key of an action as it is shown; ``:`` and its name where it has none."""
        shown = next((action.shown for action in (*self.extra, *self.registry) if action.name == name), "")
        return shown or f":{name}"

    def tabs(self) -> tuple[tuple[str, str, str], ...]:
        """Return (key, view, title) of each tab, with this person's keys."""
        kept: tuple[Any, tuple[tuple[str, str, str], ...]] | None = self.cache.get("tabs")
        if kept is None or kept[0] is not self.registry:
            keys = {action.name: action.shown for action in self.registry}
            kept = (self.registry, tuple((keys[f"view_{name}"], name, title) for _, name, title in actions.VIEWS))
            self.cache["tabs"] = kept
        return kept[1]

    @property
    def window_ns(self) -> int:
        """Time that histories show, 0 for all of it."""
        return WINDOWS_NS[self.window]

    def take(self, frame: Frame) -> None:
        """Make a frame the newest and remember what it marks on the time line."""
        if 0 <= frame.head_ns < self.frame.head_ns and frame.branch == self.frame.branch:  # a future was given up
            self.marks = {key: mark for key, mark in self.marks.items() if mark.at_ns <= frame.head_ns}
            self.marked += 1
        self.frame = frame
        if (frame.branch, frame.event_count, frame.events[-1:]) == self.cache.get("read"):
            return
        self.cache["read"] = (frame.branch, frame.event_count, frame.events[-1:])
        for event in frame.events:
            if event.kind in ("alarm", "fault"):
                key = (event.at_ns, event.kind, event.place)
                if key not in self.marks:
                    self.marks[key] = Mark(event.at_ns, event.kind, event.severity)
                    self.marked += 1

    def column(self, name: str) -> np.ndarray | None:
        """Return a column of the newest frame, None when the frame does not hold it or it has no element."""
        found = self.frame.columns.get(name)
        return found if found is not None and len(found) else None

    def value(self, name: str, index: int = 0) -> float | None:
        """Return one number of the newest frame, None when it does not exist."""
        found = self.frame.columns.get(name)
        return float(found[index]) if found is not None and index < len(found) else None

    def names(self, axis: str) -> Sequence[str]:
        """Return the names along an axis, empty when the site has none."""
        return self.site.names.get(axis, ())

    def series(self, name: str, index: int = 0, points: int = 400) -> tuple[Any, Any, Any, Any] | None:
        """Return a history, None when it is not kept."""
        try:
            return self.frame.history.series(name, index, points)
        except (KeyError, TwinError):
            return None

    def select_rack(self, rack: int) -> None:
        """Select a rack and the hall it stands in."""
        count = len(self.site.topology.rack_row)
        if count:
            self.rack = min(max(rack, 0), count - 1)
            self.hall = int(self.site.topology.rack_hall[self.rack])

    def element_name(self, axis: str, index: int) -> str:
        """Return an element's name, or its number where it has none."""
        names = self.names(axis)
        return names[index] if 0 <= index < len(names) else f"{axis} {index}"

    def kpi(self, name: str) -> float | None:
        """Return a key figure of the frame, None when it has no value yet."""
        kpis: Mapping[str, float | None] = self.frame.kpi
        return kpis.get(name)
