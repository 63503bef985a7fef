"""A run with a past: go back to any moment, look, come back, give up the future, or fork another run.

Keyframes are taken as the run goes on, spaced by ticks; a seek restores the nearest one before the moment and runs
the rest again, with every command given at the tick at which it was given the first time: so a moment sought has the
bits of the moment lived. Keyframes have a byte budget; when it is used up, those go whose loss costs least for
their age, so that the near past stays quick to reach and the far past takes longer.

While the run is in its past it only looks: advancing plays the recorded future again, up to the *head*, the furthest
moment lived, where it goes on live. A command in the past would contradict that future; so it is refused until the
caller chooses: ``fork`` (a second run goes on from here, this one keeps its future) or ``truncate`` (the future is
given up). Both leave an event.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from twin.engine.simulation import Simulation
from twin.errors import InputError
from twin.scenario import keyframe
from twin.scenario.judge import Judge
from twin.scenario.run import Run
from twin.units import format_duration
from twin.wiring import Command, Event

BUDGET_BYTES = 128 << 20
#: ticks between keyframes until somebody measured what a tick costs
SPACING_TICKS = 600


@dataclass(frozen=True)
class Key:
    """A keyframe on the timeline; ``given``: how many commands had been accepted by then."""

    tick: int
    now_ns: int
    given: int
    size: int
    frame: dict[str, Any]


@dataclass(frozen=True)
class _Head:
    """The furthest moment lived, whole, while the run is in its past."""

    tick: int
    now_ns: int
    frame: dict[str, Any]
    log: list[tuple[int, Command]]
    given: list[tuple[int, Command]]
    events: list[Event]
    history: dict[str, Any] | None


class Timeline:
    """The past of one run.

    Args:
        run: advanced by this object alone from now on; commands may be submitted to its simulation while it is live.
        budget_bytes: what the keyframes may take together; at least the first and the newest are always kept.
        spacing: ticks between keyframes; may be changed at any time.
    """

    def __init__(self, run: Run, *, budget_bytes: int = BUDGET_BYTES, spacing: int = SPACING_TICKS) -> None:
        self.run = run
        self.budget_bytes, self.spacing = budget_bytes, spacing
        self.keys: list[Key] = []
        self._bytes = 0
        self._head: _Head | None = None
        self._fed = 0
        self._since = 0
        self.mark()

    # ---- where it is -----------------------------------------------------------------------------------

    @property
    def in_past(self) -> bool:
        """The run shows a moment before the furthest that it has lived."""
        return self._head is not None

    @property
    def head_ns(self) -> int:
        """The furthest moment lived, simulated ns."""
        return self.run.sim.now_ns if self._head is None else self._head.now_ns

    @property
    def first_ns(self) -> int:
        """The earliest moment that can be reached, simulated ns."""
        return self.keys[0].now_ns

    # ---- going on --------------------------------------------------------------------------------------

    def advance(self) -> None:
        """Advance one tick: live, or one tick of the past again."""
        if self._head is None:
            self.run.sim.advance()
            self._since += 1
            if self._since >= self.spacing:
                self.mark()
            return
        self._feed()
        self.run.sim.advance()
        if self.run.sim.tick >= self._head.tick:
            self.go_live()

    def mark(self) -> None:
        """Take a keyframe of the present moment; nothing happens in the past."""
        sim = self.run.sim
        if self._head is not None or (self.keys and self.keys[-1].tick == sim.tick):
            return
        frame = keyframe.capture(self.run)
        key = Key(sim.tick, sim.now_ns, len(sim.given), keyframe.size_bytes(frame), frame)
        self.keys.append(key)
        self._bytes += key.size
        self._since = 0
        while self._bytes > self.budget_bytes and len(self.keys) > 2:
            self._bytes -= self.keys.pop(self._least()).size

    def _least(self) -> int:
        """Return the keyframe to drop: the one whose loss leaves the shortest gap for its age."""
        now, keys = self.keys[-1].tick, self.keys
        return min(range(1, len(keys) - 1),
                   key=lambda i: (keys[i + 1].tick - keys[i - 1].tick) / (now - keys[i].tick + 1))

    # ---- going back ------------------------------------------------------------------------------------

    def seek(self, at_ns: int, stop: Callable[[], bool] = lambda: False) -> None:
        """Go to the first tick boundary at or after an instant; to the head when it was not lived yet.

        Args:
            at_ns: simulated time since the scenario's start.
            stop: asked now and then; the seek ends early, at a moment before, when it says True.

        Raises:
            InputError: the instant is before the first keyframe (a run loaded from a file begins there).
        """
        if at_ns >= self.head_ns:
            self.go_live()
            return
        if at_ns < self.first_ns:
            raise InputError(f"nothing is known of {format_duration(max(at_ns, 0))}", where="seek",
                             expected=f"{format_duration(self.first_ns)} or later")
        self._go(next(key for key in reversed(self.keys) if key.now_ns <= at_ns),
                 self.run.sim.now_ns <= at_ns, lambda: self.run.sim.now_ns >= at_ns or stop())

    def seek_tick(self, tick: int, stop: Callable[[], bool] = lambda: False) -> None:
        """Go to the moment after so many ticks of the run; see ``seek``."""
        if tick >= (self.run.sim.tick if self._head is None else self._head.tick):
            self.go_live()
            return
        if tick < self.keys[0].tick:
            raise InputError(f"nothing is known of tick {tick}", where="seek", expected=f"{self.keys[0].tick} or later")
        self._go(next(key for key in reversed(self.keys) if key.tick <= tick),
                 self.run.sim.tick <= tick, lambda: self.run.sim.tick >= tick or stop())

    def _go(self, key: Key, ahead: bool, there: Callable[[], bool]) -> None:
        sim = self.run.sim
        if self._head is None:
            self._head = self._remember()
            ahead = False
        if not (ahead and sim.tick >= key.tick):  # running on from here is shorter than from the keyframe
            self._restore(key.frame, key.given)
        while not there():
            self._feed()
            sim.advance()
        if sim.tick >= self._head.tick:
            self.go_live()

    def _remember(self) -> _Head:
        sim = self.run.sim
        history = None if sim.histories is None else {k: a.copy() for k, a in sim.histories.save().items()}
        return _Head(sim.tick, sim.now_ns, keyframe.capture(self.run), list(sim.log), list(sim.given),
                     list(sim.events), history)

    def _restore(self, frame: dict[str, Any], given: int) -> None:
        assert self._head is not None
        keyframe.restore(self.run, frame, self._head.log)
        self.run.sim.given[:] = self._head.given[:given]
        self._fed = given

    def _feed(self) -> None:
        """Give the commands that were given at this tick, in the past."""
        assert self._head is not None
        given, sim = self._head.given, self.run.sim
        while self._fed < len(given) and given[self._fed][0] <= sim.tick:
            sim.submit(given[self._fed][1])
            self._fed += 1

    def go_live(self) -> None:
        """Return to the head, histories and events whole; nothing happens when the run is there."""
        head = self._head
        if head is None:
            return
        self._restore(head.frame, len(head.given))
        sim = self.run.sim
        sim.events.clear()
        sim.events.extend(head.events)
        if sim.histories is not None and head.history is not None:
            sim.histories.load(head.history)
        self._head = None

    # ---- going on from the past ------------------------------------------------------------------------

    def truncate(self) -> int:
        """Give up the future: the shown moment becomes the head; return how much was given up, simulated ns."""
        head, sim = self._head, self.run.sim
        if head is None:
            return 0
        lost = head.now_ns - sim.now_ns
        self._head = None
        self.keys = [key for key in self.keys if key.tick <= sim.tick]
        self._bytes = sum(key.size for key in self.keys)
        self._since = sim.tick - self.keys[-1].tick
        sim.truncate()
        sim.note(Event(sim.now_ns, "info", "session", "", f"the next {format_duration(lost)} were given up"))
        return lost

    def fork(self, note: str = "") -> Timeline:
        """Return a second run that goes on from the shown moment; it shares the site and the keyframes so far.

        Args:
            note: text of the event that marks the moment in the new run, if any.
        """
        sim = self.run.sim
        other = object.__new__(Timeline)
        other.run = fork_run(self.run)
        other.budget_bytes, other.spacing = self.budget_bytes, self.spacing
        other.keys = [key for key in self.keys if key.tick <= sim.tick]
        other._bytes = sum(key.size for key in other.keys)
        other._head, other._fed = None, 0
        other._since = sim.tick - other.keys[-1].tick
        if note:
            other.run.sim.note(Event(sim.now_ns, "info", "session", "", note))
        return other

    # ---- alarms ----------------------------------------------------------------------------------------

    def last_alarm_ns(self) -> int:
        """Return when the last alarm before the shown moment was raised, -1 when none is known."""
        now = self.run.sim.now_ns
        return max((e.at_ns for e in self._events() if e.kind == "alarm" and self.first_ns <= e.at_ns < now),
                   default=-1)

    def next_alarm_ns(self) -> int:
        """Return when the next alarm after the shown moment was raised, -1 when none was lived yet."""
        now = self.run.sim.now_ns
        return min((e.at_ns for e in self._events() if e.kind == "alarm" and e.at_ns > now), default=-1)

    def _events(self) -> list[Event]:
        return list(self.run.sim.events) if self._head is None else self._head.events


def fork_run(run: Run) -> Run:
    """Return a second run at the same moment, of the same site: the site is shared, the state is its own."""
    old = run.sim
    sim = Simulation(old.site, seed=old.seed, domains=old.domains, watches=old.axes["watch"],
                     history=old.histories is not None, begin=False)
    judge = Judge(sim, run.expectations, run.variant)
    if sim.histories is not None and old.histories is not None:
        sim.histories.load(old.histories.save())
    other = Run(sim, run.spec, run.source, run.variant, run.expectations, judge, run.catalog_used, run.inputs)
    for (_, _, mine), (_, _, theirs) in zip(sim.state.columns(), old.state.columns(), strict=True):
        mine[:] = theirs
    sim.log[:], sim.given[:], sim.pending = old.log, old.given, list(old.pending)
    sim.events.extend(old.events)
    sim.event_count = old.event_count
    sim.refresh()
    return other
