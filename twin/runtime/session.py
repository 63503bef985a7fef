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
from pathlib import Path

from twin.errors import InputError, TwinError
from twin.runtime.frame import Frame, FrameMaker
from twin.scenario import snapshot
from twin.scenario.run import Run
from twin.site.site import Site
from twin.site.spec import Spec
from twin.wiring import Command, Event, FaultKind, Setting

#: longest stretch of wall time between two looks at the inbox, s
SLICE_S = 0.010
#: pacing quantum when there is nothing to do, s
QUANTUM_S = 0.020
#: debt beyond which the pace is given up, s of wall time
DEBT_S = 0.25
#: frames are published at most this often, s
FRAME_S = 0.09
SPEEDS = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 3600.0, math.inf)


class Session:
    """A run with a pace.

    Args:
        run: the opened scenario; the session alone advances it from now on.
        speed: simulated seconds per second, ``math.inf`` for as fast as possible.
        paused: begin paused.
        read_only: refuse commands.
        frame_s: frames are published at most this often, s of wall time.
        columns: columns to publish that are not declared ``shown``, as ``block.column``.
        endless: go on when the scenario's end is reached, instead of pausing there.
    """

    def __init__(self, run: Run, *, speed: float = 1.0, paused: bool = False, read_only: bool = False,
                 frame_s: float = FRAME_S, columns: Collection[str] = (), endless: bool = False) -> None:
        self.run = run
        self.read_only = read_only
        self._sim = run.sim
        self._inbox: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._closing = False
        self._paused, self._speed, self._steps = paused, speed, 0
        self._achieved = 0.0
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

    def fault_kinds(self) -> Sequence[FaultKind]:
        """Return every fault that can be injected here: those whose axis has an element."""
        axes = self.site.axes
        return [kind for _, kind in self._sim.registry.faults if axes.get(kind.axis, 0) > 0]

    def settings(self) -> Sequence[Setting]:
        """Return every set-point that can be changed here."""
        axes = self.site.axes
        return [s for _, s in self._sim.registry.settings if axes.get(s.axis, 0) > 0]

    # ---- looking ---------------------------------------------------------------------------------------

    def frame(self) -> Frame:
        """Return the newest frame; never waits."""
        return self._frame

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

    def send(self, command: Command) -> None:
        """Hand a command to the engine; it is applied at the next tick boundary.

        Raises:
            CommandError: it names something that does not exist.
            InputError: the session is read-only.
        """
        if self.read_only:
            raise InputError("this session is read-only", expected="an operator's session")
        self._sim.validate(command)

        def act() -> None:
            at = max(command.at_ns, self._sim.now_ns)
            self._sim.submit(Command(command.kind, at, command.name, command.target, command.value,
                                     command.duration_ns))
        self._post(act)

    def save(self, path: Path, timeout_s: float = 30.0) -> int:
        """Save a snapshot of this moment; return its size in bytes."""
        done: queue.SimpleQueue[int | TwinError] = queue.SimpleQueue()

        def act() -> None:
            try:
                done.put(snapshot.save(self.run, path))
            except TwinError as error:
                done.put(error)
        if self._thread is None:
            act()
        else:
            self._post(act)
        result = done.get(timeout=timeout_s)
        if isinstance(result, TwinError):
            raise result
        return result

    # ---- the worker ------------------------------------------------------------------------------------

    def _post(self, act: Callable[[], None]) -> None:
        if self._thread is None:
            act()
            self._publish()
        else:
            self._inbox.put(act)
            self._wake.set()

    def _set_paused(self, paused: bool) -> None:
        self._paused = paused

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
        pace = _Pace()
        published = 0.0
        dirty = True
        while not self._closing:
            dirty |= self._drain()
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
            if sim.now_ns == before or not math.isinf(self._speed):
                self._wake.wait(pace.idle(sim, self._speed))
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

    def _slice(self, pace: _Pace, wall: float) -> None:
        """Advance for at most a slice of wall time towards where the pace says the run should be."""
        sim = self._sim
        if self._steps:
            sim.advance()
            self._steps -= 1
            return
        target = pace.target(sim.now_ns, self._speed, wall)
        deadline = wall + SLICE_S
        while sim.now_ns + sim.tick_ns <= target:
            sim.advance()
            if not self._end_passed and sim.now_ns >= sim.end_ns:
                self._end_passed = self._paused = True
                sim.events.append(Event(sim.now_ns, "info", "session", "", "the scenario's end; go on to run further"))
                return
            if time.perf_counter() >= deadline:
                return

    def _make(self) -> Frame:
        self._version += 1
        return self._maker.make(self._version, paused=self._paused, speed_asked=self._speed,
                                speed_achieved=self._achieved)

    def _publish(self) -> None:
        self._frame = self._make()


class _Pace:
    """Turns wall time into simulated time that is due, and measures what was reached."""

    def __init__(self) -> None:
        self.stop()

    def stop(self) -> None:
        self._anchor: tuple[float, int, float] | None = None
        self._window: list[tuple[float, int]] = []

    def target(self, now_ns: int, speed: float, wall: float) -> float:
        """Return the simulated instant that should be reached by now."""
        if math.isinf(speed):
            self._anchor = None
            return math.inf
        if self._anchor is None or self._anchor[2] != speed:
            self._anchor = (wall, now_ns, speed)
        begun, from_ns, _ = self._anchor
        due = from_ns + (wall - begun) * speed * 1e9
        if due - now_ns > max(DEBT_S * speed * 1e9, 2e9):  # too far behind: drop the debt, the screen shows it
            self._anchor = (wall, now_ns, speed)
            due = now_ns + SLICE_S * speed * 1e9
        return due

    def idle(self, sim: object, speed: float) -> float:
        """Return how long to rest before looking again, s."""
        if math.isinf(speed):
            return 0.0
        tick_s = getattr(sim, "tick_ns", 10**9) * 1e-9 / speed
        return min(QUANTUM_S, max(0.001, tick_s / 4))

    def achieved(self, now_ns: int, wall: float) -> float:
        """Return simulated seconds per second over about the last second."""
        self._window.append((wall, now_ns))
        while len(self._window) > 2 and wall - self._window[1][0] > 1.5:
            self._window.pop(0)
        begun, from_ns = self._window[0]
        return (now_ns - from_ns) * 1e-9 / (wall - begun) if wall - begun > 0.05 else 0.0
