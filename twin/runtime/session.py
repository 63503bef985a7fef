"""A session: one simulation that runs in a worker thread at a pace, takes commands and publishes frames.

The only floor that knows the wall clock. The engine advances in short slices, so a pause or a command is
obeyed within a slice; when it cannot keep the pace that was asked for, the debt is dropped and the pace
that was reached is shown. Readers pull the newest frame; nobody waits for anybody.
"""

from __future__ import annotations

import contextlib
import math
import queue
import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from twin.errors import InputError, InternalError
from twin.runtime.frame import Frame, FrameMaker
from twin.runtime.pace import SLICE_S, Pace
from twin.scenario import keyframe, snapshot
from twin.scenario.run import Run
from twin.scenario.timeline import Timeline
from twin.site.site import Site
from twin.site.spec import Spec
from twin.units import format_duration
from twin.wiring import Command, Event, FaultKind, Setting

T = TypeVar("T")
PAST = "this is the past: a command would contradict what followed"

#: rest of a session that could run faster but waits for another branch, s
LIMITED_S = 0.002
#: a command that is recorded is written down within this time, s of wall time
ACCEPT_S = 30.0
#: wall time between two looks whether the engine that should answer still works
ANSWER_S = 0.1
#: frames are published at most this often, s
FRAME_S = 0.09
#: keyframes are so far apart that running from one to the next again takes this long, s of processor time
KEYFRAME_S = 0.1
#: taking keyframes may cost this share of the run's time at most
KEYFRAME_SHARE = 0.03
SPEEDS = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 3600.0, math.inf)


@dataclass(frozen=True)
class Origin:
    """Where a branch came from: the name of its parent and the moment, simulated ns."""

    parent: str
    at_ns: int


class Session:
    """A run with a pace and a past.

    Args:
        run: the opened scenario; the session alone advances it from now on.
        speed: simulated seconds per second, ``math.inf`` for as fast as possible.
        paused: begin paused.
        read_only: refuse commands.
        frame_s: frames are published at most this often, s of wall time.
        columns: columns to publish that are not declared ``shown``, as ``block.column``.
        endless: go on when the scenario's end is reached, instead of pausing there.
        name: name of the branch.
        origin: where it was forked from, None for a first one.
        timeline: the run's past when it has one already (a fork).
        key_s: processor time that a keyframe of it takes, s; measured when None.
    """

    def __init__(self, run: Run, *, speed: float = 1.0, paused: bool = False, read_only: bool = False,
                 frame_s: float = FRAME_S, columns: Collection[str] = (), endless: bool = False,
                 name: str = "main", origin: Origin | None = None, timeline: Timeline | None = None,
                 key_s: float | None = None) -> None:
        self.run = run
        self.name, self.origin = name, origin
        self.timeline = timeline or Timeline(run)
        #: instant that the run may not pass for now, so that branches stay together; None for no limit
        self.limit: Callable[[], int] | None = None
        self._sought: tuple[str, int] | None = None
        self._hunting = self._under_way = False
        self._key_s = _key_cost_s(run) if key_s is None else key_s
        self._cost_s, self._ticks = 0.0, 0
        self.read_only = read_only
        self._sim = run.sim
        self._inbox: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._closing = False
        self._paused, self._speed, self._steps = paused, speed, 0
        self._achieved = 0.0
        self._endless, self._columns = endless, columns
        self._end_passed = endless or self._sim.now_ns >= self._sim.end_ns
        self._frame_s = frame_s
        self._maker = FrameMaker(self._sim, columns)
        self._version = 0
        self.error: BaseException | None = None
        self._frame = self._make()

    # ---- what it is ------------------------------------------------------------------------------------

    @property
    def site(self) -> Site:
        """The immutable plant."""
        return self._sim.site

    @property
    def spec(self) -> Spec:
        """The specification as resolved."""
        return self.run.spec

    @property
    def title(self) -> str:
        """Name and title of the scenario."""
        return f"{Path(self.run.source).stem or 'scenario'} · {self.spec.scenario.title}"

    @property
    def endless(self) -> bool:
        """The run goes on past the scenario's end."""
        return self._endless

    def fault_kinds(self) -> Sequence[FaultKind]:
        """Return every fault that can be injected here: those that act on some element of the site."""
        site = self.site
        return site.once("fault kinds", lambda: [kind for _, kind in self._sim.registry.faults if any(
            kind.moot is None or not kind.moot(site, i) for i in range(site.axes.get(kind.axis, 0)))])

    def settings(self) -> Sequence[Setting]:
        """Return every set-point that can be changed here."""
        axes = self.site.axes
        return [s for _, s in self._sim.registry.settings if axes.get(s.axis, 0) > 0]

    # ---- looking ---------------------------------------------------------------------------------------

    def frame(self) -> Frame:
        """Return the newest frame; never waits."""
        return self._frame

    @property
    def paused(self) -> bool:
        """It does not advance now."""
        return self._paused and not self._steps

    @property
    def running(self) -> bool:
        """Its thread was started and not closed; it may be paused."""
        return self._thread is not None

    @property
    def speed(self) -> float:
        """The pace that was asked for, simulated seconds per second."""
        return self._speed

    # ---- acting ----------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the worker thread."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="twin-engine", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Stop the worker thread and wait for it."""
        self._closing = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def pause(self) -> None:
        """Stop advancing."""
        self._post(lambda: self._set_paused(True))

    def resume(self) -> None:
        """Go on advancing."""
        self._paused = False  # at once: branches that wait for each other count it from now on
        self._post(lambda: self._set_paused(False))

    def toggle_pause(self) -> None:
        """Pause or go on."""
        self._post(lambda: self._set_paused(not self._paused))

    def step(self, n: int = 1) -> None:
        """Advance ``n`` ticks and stay paused."""
        def act() -> None:
            self._set_paused(True)
            self._steps += n
        self._post(act)

    def set_speed(self, speed: float) -> None:
        """Ask for a pace in simulated seconds per second; ``math.inf`` is as fast as possible."""
        if not speed > 0:
            raise InputError(f"speed {speed} is not possible", expected="a positive number or 'max'")
        self._post(lambda: setattr(self, "_speed", speed))

    def check(self, command: Command) -> None:
        """Raise what ``send`` would raise; nothing is changed."""
        if self.read_only:
            raise InputError("this session is read-only", expected="an operator's session")
        self._sim.vet(command)
        if self._frame.in_past:
            raise InputError(PAST, where=format_duration(self._frame.now_ns),
                             expected="a fork of this moment, or its future given up (truncate)")

    def send(self, command: Command) -> None:
        """Hand a command to the engine; it is applied at the next tick boundary.

        While a recording is made, this waits until the command is written down.

        Raises:
            CommandError: it names something that does not exist.
            InputError: the session is read-only, or shows its past.
        """
        self.check(command)

        def act() -> None:
            if self.timeline.in_past:  # it went there after the command was sent
                self._sim.note(Event(self._sim.now_ns, "warning", "command", command.target, f"refused: {PAST}"))
                return
            at = max(command.at_ns, self._sim.now_ns)
            self._sim.submit(Command(command.kind, at, command.name, command.target, command.value,
                                     command.duration_ns))
        if self._sim.observed:
            self._ask(act, ACCEPT_S)
        else:
            self._post(act)

    def save(self, path: Path, timeout_s: float = 30.0) -> int:
        """Save a snapshot of this moment; return its size in bytes."""
        return self._ask(lambda: snapshot.save(self.run, path), timeout_s)

    # ---- time ------------------------------------------------------------------------------------------

    @property
    def in_past(self) -> bool:
        """The session shows a moment before the furthest that it has lived."""
        return self.timeline.in_past

    @property
    def head_ns(self) -> int:
        """The furthest moment lived, simulated ns."""
        return self.timeline.head_ns

    def seek(self, at_ns: int) -> None:
        """Show the first tick boundary at or after an instant that was lived, and pause there.

        In the past one may look: pausing, going on (the recorded future is played again, up to the furthest moment,
        and from there the run goes on live), stepping, saving, forking. A command is refused there; ``fork`` or
        ``truncate`` first. An instant that was not lived yet means the furthest moment; one before the beginning of
        the run means its beginning. Of several seeks that wait, only the last is done. The bits are those of the
        first time.
        """
        self._seek("ns", at_ns)

    def step_back(self, n: int = 1) -> None:
        """Show the moment ``n`` ticks before the present one, and pause there."""
        def act() -> None:
            self._sought = ("tick", max(self._sim.tick - n, self.timeline.keys[0].tick))
            self._do_seek()
        self._post(act)

    def go_live(self) -> None:
        """Return to the furthest moment lived; the pause stays as it is."""
        self._post(self.timeline.go_live)

    def last_alarm(self) -> None:
        """Show the moment at which the last alarm before this one was raised; nothing happens without one."""
        def act() -> None:
            at = self.timeline.last_alarm_ns()
            if at >= 0:
                self._sought = ("ns", at)
                self._do_seek()
        self._post(act)

    def next_alarm(self) -> None:
        """Show the moment at which the next alarm was raised.

        When none was recorded after this moment, the run goes on live, as fast as it can, until an alarm is raised
        or the scenario ends, and pauses there. A pause ends the search.
        """
        def act() -> None:
            at = self.timeline.next_alarm_ns()
            if at >= 0:
                self._sought = ("ns", at)
                self._do_seek()
                return
            self.timeline.go_live()
            self._hunting, self._paused = True, False
        self._post(act)

    def truncate(self) -> None:
        """Give up the future of the shown moment: from here the session goes on live. An event says so.

        Raises:
            InputError: the session is read-only.
        """
        if self.read_only:
            raise InputError("this session is read-only", expected="an operator's session")

        def act() -> None:
            self.timeline.truncate()
            self._end_passed = self._endless or self._sim.now_ns >= self._sim.end_ns
        self._post(act)

    @property
    def seeking(self) -> bool:
        """A moment was asked for that is not shown yet."""
        return self._sought is not None or self._under_way

    def last_act(self) -> Command | None:
        """Return the last fault, its end, or set-point that was given on the way to the shown moment.

        None when there is none since this branch or what is known of the past began.
        """
        found = self._last_act()
        return None if found is None else found[1]

    def undo(self) -> None:
        """Go back to just before the last act, and go on from there without it; what followed is given up.

        Nothing happens without an act; the pace stays as it is.

        Raises:
            InputError: the session is read-only.
        """
        if self.read_only:
            raise InputError("this session is read-only", expected="an operator's session")

        def act() -> None:
            found = self._last_act()
            if found is None:
                return
            self._go("tick", found[0])
            if not self._closing:
                self.timeline.truncate()
                self._end_passed = self._endless or self._sim.now_ns >= self._sim.end_ns
        self._post(act)

    def _last_act(self) -> tuple[int, Command] | None:
        began = max(self.timeline.first_ns, -1 if self.origin is None else self.origin.at_ns)
        acts = [one for one in list(self._sim.given) if one[1].kind != "ack" and one[1].at_ns >= began]
        return acts[-1] if acts and acts[-1][0] >= self.timeline.keys[0].tick else None

    def fork(self, name: str, timeout_s: float = 30.0) -> Session:
        """Return a new session that begins at the shown moment: a branch, paused, not started, of the same pace.

        It shares the site and the keyframes of the past with this one; nothing else. This session keeps its own
        future. Both note the fork in their events.
        """
        def act() -> Session:
            at = self._sim.now_ns
            timeline = self.timeline.fork(f"branch '{name}' of '{self.name}' begins")
            if not self.timeline.in_past:
                self._sim.note(Event(at, "info", "session", "", f"branch '{name}' was forked here"))
            return type(self)(timeline.run, speed=self._speed, paused=True, read_only=self.read_only,
                              frame_s=self._frame_s, columns=self._columns, endless=self._endless, name=name,
                              origin=Origin(self.name, at), timeline=timeline, key_s=self._key_s)
        return self._ask(act, timeout_s)

    def _seek(self, kind: str, value: int) -> None:
        self._sought = (kind, value)
        self._post(self._do_seek)

    def _do_seek(self) -> None:
        sought = self._sought
        if sought is None:  # a later one was done in its place
            return
        self._paused, self._hunting, self._steps = True, False, 0
        self._go(*sought)

    def _go(self, kind: str, value: int) -> None:
        self._under_way, self._sought = True, None
        try:
            if kind == "ns":
                self.timeline.seek(max(value, self.timeline.first_ns), lambda: self._closing)
            else:
                self.timeline.seek_tick(value, lambda: self._closing)
        finally:
            self._under_way = False

    # ---- the worker ------------------------------------------------------------------------------------

    def _ask(self, act: Callable[[], T], timeout_s: float) -> T:
        """Run something between two ticks and return what it gives.

        Raises:
            InternalError: the engine has stopped, or does not answer in time.
        """
        done: queue.SimpleQueue[tuple[bool, Any]] = queue.SimpleQueue()

        def answer() -> None:
            try:
                done.put((True, act()))
            except Exception as error:
                done.put((False, error))
        self._post(answer)
        fine, result = self._answer(done, timeout_s)
        if not fine:
            raise result
        answered: T = result
        return answered

    def _answer(self, done: queue.SimpleQueue[tuple[bool, Any]], timeout_s: float) -> tuple[bool, Any]:
        """Wait for an answer of the worker, and notice when there will be none."""
        until = time.monotonic() + timeout_s
        while True:
            gone = self.error is not None or self._thread is None or not self._thread.is_alive()
            with contextlib.suppress(queue.Empty):
                return done.get(timeout=0.0 if gone else max(0.0, min(ANSWER_S, until - time.monotonic())))
            if gone:
                what = f"the engine stopped: {self.error}" if self.error is not None else "the session is closed"
                raise InternalError(what) from self.error
            if time.monotonic() >= until:
                raise InternalError(f"the engine did not answer within {timeout_s:g} s")

    def _post(self, act: Callable[[], None]) -> None:
        if self._thread is None:
            act()
            self._publish()
        else:
            self._inbox.put(act)
            self._wake.set()

    def _set_paused(self, paused: bool) -> None:
        self._paused, self._hunting = paused, False

    def _work(self) -> None:
        try:
            self._loop()
        except BaseException as error:
            self.error = error
            self._sim.events.append(Event(self._sim.now_ns, "critical", "engine", "", f"the engine stopped: {error}"))
            with contextlib.suppress(Exception):
                self._paused = True
                self._publish()

    def _loop(self) -> None:
        sim = self._sim
        pace = Pace()
        published = 0.0
        dirty = True
        while not self._closing:
            before = sim.now_ns
            dirty |= self._drain()
            if sim.now_ns != before:
                pace.stop()  # it went elsewhere in time
            wall = time.perf_counter()
            if self._paused and not self._steps:
                pace.stop()
                self._achieved = 0.0
                if dirty:
                    self._publish()
                    dirty = False
                self._wake.wait()
                self._wake.clear()
                continue
            before = sim.now_ns
            self._slice(pace, wall)
            dirty |= sim.now_ns != before
            wall = time.perf_counter()
            self._achieved = pace.achieved(sim.now_ns, wall)
            if dirty and (wall - published >= self._frame_s or self._paused):
                self._publish()
                published, dirty = time.perf_counter(), False
            fast = self._hunting or math.isinf(self._speed)
            if sim.now_ns == before or not fast:
                held = fast or (sim.now_ns == before and self.limit is not None)
                self._wake.wait(LIMITED_S if held else pace.idle(sim.now_ns + sim.tick_ns, self._speed, wall))
                self._wake.clear()

    def _drain(self) -> bool:
        some = False
        while True:
            try:
                act = self._inbox.get_nowait()
            except queue.Empty:
                return some
            act()
            some = True

    def _slice(self, pace: Pace, wall: float) -> None:
        """Advance for at most a slice of wall time towards where the pace says the run should be."""
        sim, timeline = self._sim, self.timeline
        if self._steps:
            timeline.advance()
            self._steps -= 1
            return
        target = math.inf if self._hunting else pace.target(sim.now_ns, self._speed, wall, sim.tick_ns)
        if self.limit is not None:
            target = min(target, self.limit())
        deadline, begun, ticks = wall + SLICE_S, time.thread_time(), 0
        while sim.now_ns + sim.tick_ns <= target:
            events = sim.event_count
            timeline.advance()
            ticks += 1
            if not self._end_passed and sim.now_ns >= sim.end_ns:
                self._end_passed = self._paused = True
                self._hunting = False
                sim.events.append(Event(sim.now_ns, "info", "session", "", "the scenario's end; go on to run further"))
                break
            if self._hunting and sim.event_count != events and self._alarmed():
                self._hunting, self._paused = False, True
                break
            if time.perf_counter() >= deadline:
                break
        self._space(time.thread_time() - begun, ticks)

    def _alarmed(self) -> bool:
        now = self._sim.now_ns
        return any(e.kind == "alarm" and e.at_ns == now for e in list(self._sim.events)[-16:])

    def _space(self, cost_s: float, ticks: int) -> None:
        """Set the distance of keyframes by what ticks cost, keyframes included; measured over about a second."""
        self._cost_s += cost_s
        self._ticks += ticks
        if self._cost_s > 0.5 and self._ticks:
            per_tick = self._cost_s / self._ticks
            self.timeline.spacing = max(1, int(max(KEYFRAME_S, self._key_s / KEYFRAME_SHARE) / per_tick))
            self._cost_s, self._ticks = 0.0, 0

    def _make(self) -> Frame:
        self._version += 1
        return self._maker.make(self._version, paused=self._paused, speed_asked=self._speed,
                                speed_achieved=self._achieved, branch=self.name, head_ns=self.timeline.head_ns)

    def _publish(self) -> None:
        self._frame = self._make()


def _key_cost_s(run: Run) -> float:
    """Return the processor time that a keyframe of a run takes, s."""
    begun = time.thread_time()
    keyframe.capture(run)
    return time.thread_time() - begun
