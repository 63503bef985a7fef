"""The engine: one simulated factory, advanced tick by tick. Synchronous, no wall clock, no input or output.

A tick is: commands and events that are due, controllers, the domains in their order, then alarms,
expectations and histories. Ticks lie on a grid of the scenario's tick length; one is cut short when a
command, an event or the end of a fault falls inside it, so that these happen exactly at a boundary.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, Protocol

from numpy.typing import NDArray

from twin.arrays import F64
from twin.control.measure import make_measure
from twin.control.registry import Controller, ControllerBind, make_controller
from twin.domains import load_domains
from twin.engine.alarms import ActiveAlarm, Alarms
from twin.engine.faults import ActiveFault, Faults
from twin.engine.history import Histories
from twin.engine.invariants import check, jobs_wrong
from twin.engine.registry import Registry
from twin.errors import CommandError, InputError, SpecError
from twin.site.site import Site
from twin.state.engine_blocks import FAULT_SLOTS, MEMORY
from twin.state.state import State
from twin.wiring import Bind, Command, Domain, Event, Stepper

#: a tick is never shorter than this, so an event closer to a boundary happens at that boundary
TICK_MIN_NS = 10_000_000
#: after something happened the fine tick is kept for this many ticks before a long one is taken
SETTLE_TICKS = 10
EVENTS_KEPT = 2000
_NEVER = 2**62


class Observer(Protocol):
    """Looks at a simulation between ticks, and never changes it: recordings, exports."""

    def submitted(self, command: Command) -> None:
        """Take note of a command that was accepted; called before ``submit`` returns."""

    def ticked(self) -> int:
        """Look at the end of a tick; return the tick after which to be called next.

        The tick may be one that was seen before: a run that goes back in time is played again.
        """

    def truncated(self) -> None:
        """Take note that the run gave up what it had lived after the present tick."""


class Simulation:
    """A factory that runs.

    Args:
        site: the immutable plant.
        seed: seed of the counter-based draws; the specification's own when None.
        domains: the domains in the order of the tick; all of them when None.
        watches: how many expectation slots the state needs.
        history: keep histories.
        begin: bring the state to the scenario's beginning; False leaves that to a caller who loads a moment into the
            arrays and calls ``refresh``.
    """

    def __init__(self, site: Site, *, seed: int | None = None, domains: Sequence[Domain] | None = None,
                 watches: int = 0, history: bool = True, begin: bool = True) -> None:
        self.site = site
        scenario = site.spec.scenario
        self.seed = scenario.seed if seed is None else seed
        self.domains = load_domains() if domains is None else tuple(domains)
        self.registry = Registry(self.domains, site)
        self.axes = dict(site.axes) | {
            "fault_slot": FAULT_SLOTS, "alarm_point": Alarms.points(self.registry, dict(site.axes)), "watch": watches,
            "control_memory": MEMORY * len(site.spec.control)}
        self.state = State(self.axes)
        self.tick_ns, self.tick_max_ns = scenario.tick, max(scenario.tick, scenario.tick_max)
        self.end_ns = scenario.duration
        self.pending: list[Command] = []
        self.log: list[tuple[int, Command]] = []
        #: every command ever accepted, with the number of ticks done by then: a second run given the same at the same
        #: ticks has the same bits
        self.given: list[tuple[int, Command]] = []
        self.events: deque[Event] = deque(maxlen=EVENTS_KEPT)
        self.event_count = 0
        self._script = _script(site)
        self.alarms = Alarms(self.registry, site, self.state)
        self.faults = Faults(self.registry, site, self.state)
        self.histories = Histories(self.state) if history else None
        self.watches: list[Any] = []
        self._steppers: tuple[Stepper, ...] = tuple(self._bind(d) for d in self.domains)
        self._steps: tuple[Callable[[int, int], None], ...] = tuple(s.step for s in self._steppers)
        self._moved: list[tuple[str, str, int]] = []
        self.controllers: tuple[Controller, ...] = tuple(
            self._control(i) for i in range(len(site.spec.control)) if site.spec.control[i].on)
        self._clock = self.state.clock
        self._now, self._tick, self._due = 0, 0, 0
        self._observers: dict[Observer, int] = {}
        self._look_at = _NEVER
        if begin:
            self.refresh()

    # ---- running ---------------------------------------------------------------------------------------

    @property
    def now_ns(self) -> int:
        """Simulated time since the scenario's start."""
        return self._now

    @property
    def tick(self) -> int:
        """Ticks done."""
        return self._tick

    def advance(self, ticks: int = 1) -> None:
        """Run a number of ticks."""
        for _ in range(ticks):
            self._one_tick()

    def run_until(self, at_ns: int) -> None:
        """Run to the first tick boundary at or after ``at_ns``."""
        while self._now < at_ns:
            self._one_tick()

    def submit(self, command: Command) -> None:
        """Accept a command; it is applied at the first boundary at or after its instant.

        An instant that has passed becomes the present one, so that the log, submitted whole to a run that is earlier,
        takes effect at the same boundaries.

        Raises:
            CommandError: it names something that does not exist; nothing is changed.
        """
        self.validate(command)
        accepted = command if command.at_ns >= self._now else replace(command, at_ns=self._now)
        self.pending.append(accepted)
        self.given.append((self._tick, accepted))
        self._plan()
        for observer in tuple(self._observers):
            observer.submitted(accepted)

    def observe(self, observer: Observer) -> None:
        """Let an observer look, from the end of the next tick on."""
        self._observers[observer] = self._look_at = 0

    @property
    def observed(self) -> bool:
        """Somebody takes note of what happens here."""
        return bool(self._observers)

    def truncate(self) -> None:
        """Tell the observers that the run goes on from here, before the furthest moment that it has lived."""
        for observer in tuple(self._observers):
            observer.truncated()

    def unobserve(self, observer: Observer) -> None:
        """Let an observer look no longer."""
        self._observers.pop(observer, None)
        self._look_at = min(self._observers.values(), default=_NEVER)

    def _one_tick(self) -> None:
        now = self._now
        if now >= self._due:
            self._happen(now)
        dt = self._tick_length(now)
        for controller in self.controllers:
            controller.step(now, dt)
        for step in self._steps:
            step(now, dt)
        end = now + dt
        self._now = end
        self._tick += 1
        clock = self._clock
        clock.now_ns[0] = end
        clock.tick[0] = self._tick
        dt_s = dt * 1e-9
        raised = self.alarms.run(end, dt_s)
        if raised:
            self._record(raised)
        for watch in self.watches:
            watch.run(end, dt_s)
        if self.histories is not None:
            self.histories.run(now, dt_s)
        if self._tick >= self._look_at:
            self._look()

    def _look(self) -> None:
        for observer, due in tuple(self._observers.items()):
            if self._tick >= due:
                due = observer.ticked()
                if observer in self._observers:
                    self._observers[observer] = due
        self._look_at = min(self._observers.values(), default=_NEVER)

    def _tick_length(self, now: int) -> int:
        grid = self.tick_ns
        if self.tick_max_ns > grid:
            clock, version = self._clock, int(self.state.workload.placement_version[0])
            if version != clock.placement_seen[0]:
                clock.placement_seen[0] = version
                clock.quiet_since_ns[0] = now
            if now - clock.quiet_since_ns[0] >= SETTLE_TICKS * grid:
                grid = self.tick_max_ns
        dt = grid - now % grid
        if dt < TICK_MIN_NS:
            dt += grid
        left = self._due - now
        if left < dt:
            dt = max(left, TICK_MIN_NS)
        return dt

    # ---- commands, events, faults ----------------------------------------------------------------------

    def vet(self, command: Command) -> None:
        """Raise CommandError for what ``validate`` refuses, and for a fault that would do nothing at its target.

        For commands from people and scenarios; what a run was once given is given again as it was.
        """
        self.validate(command)
        if command.kind != "fault":
            return
        kind = self.registry.faults[self.registry.fault(command.name)][1]
        why = kind.moot(self.site, self.registry.place(kind.axis, command.target)) if kind.moot else ""
        if why:
            raise CommandError(f"{command.target} {why}", where=f"fault {kind.name}")

    def validate(self, command: Command) -> None:
        """Raise CommandError when a command names something that does not exist or is out of range."""
        if command.kind == "set":
            _, setting, _ = self.registry.setting(command.target)
            if command.value is None or not setting.lo <= command.value <= setting.hi:
                raise CommandError(f"{command.value} is out of range", where=f"set {command.target}",
                                   expected=f"{setting.lo:g} to {setting.hi:g} {setting.unit}")
        elif command.kind == "fault":
            kind = self.registry.faults[self.registry.fault(command.name)][1]
            self.registry.place(kind.axis, command.target, where=f"fault {command.name}")
            low, high = kind.value_range
            if command.value is not None and not low <= command.value <= high:
                raise CommandError(f"value {command.value:g} is out of range", where=f"fault {kind.name}",
                                   expected=f"{low:g} to {high:g} ({kind.value_doc or 'severity'})")
        elif command.kind == "clear":
            self.registry.fault(command.name)
        elif self.alarms.kind(command.name) is None:
            raise CommandError(f"no alarm is called '{command.name}'")

    def _happen(self, now: int) -> None:
        """Apply everything that is due at this boundary, in (instant, sequence) order."""
        slack = now + TICK_MIN_NS - 1
        due = [(c.at_ns, 1, i, c) for i, c in enumerate(self.pending) if c.at_ns <= slack]
        self.pending = [c for c in self.pending if c.at_ns > slack]
        done = int(self._clock.events_done[0])
        while done < len(self._script) and self._script[done].at_ns <= slack:
            due.append((self._script[done].at_ns, 0, done, self._script[done]))
            done += 1
        self._clock.events_done[0] = done
        happened = self.faults.clear_due(slack, now)
        for _, own, _, command in sorted(due, key=lambda item: item[:3]):
            try:
                happened += self._apply(command, now)
            except CommandError as error:
                happened.append(Event(now, "warning", "command", command.target, f"refused: {error}"))
            if own:
                self.log.append((self._tick, command))
        if happened:
            self._record(happened)
            self._clock.quiet_since_ns[0] = now
            for stepper in self._steppers:
                stepper.refresh()
        self._plan()

    def _apply(self, command: Command, now: int) -> list[Event]:
        if command.kind == "fault":
            return [self.faults.start(command, now)]
        if command.kind == "clear":
            return self.faults.clear(command, now)
        if command.kind == "ack":
            seen = self.alarms.acknowledge(command.name, command.target)
            return [Event(now, "info", "command", command.target, f"{command.name} acknowledged ({seen})")]
        domain, setting, element = self.registry.setting(command.target)
        array = getattr(self.state.blocks[domain], setting.column)
        chosen = slice(None) if element < 0 else slice(element, element + 1)
        before = float(array[chosen][0]) if array[chosen].size else 0.0
        array[chosen] = command.value
        return [Event(now, "info", "command", command.target,
                      f"{command.target} set from {before:g} to {command.value:g} {setting.unit}")]

    def _plan(self) -> None:
        """Find the next instant at which something is due."""
        instants = [c.at_ns for c in self.pending]
        done = int(self._clock.events_done[0])
        if done < len(self._script):
            instants.append(self._script[done].at_ns)
        end = self.faults.next_end_ns()
        if end >= 0:
            instants.append(end)
        self._due = min(instants, default=_NEVER)

    def note(self, event: Event) -> None:
        """Put an event into the list of events: something that people did or should know; the model ignores it."""
        self._record([event])

    def _record(self, events: Iterable[Event]) -> None:
        for event in events:
            self.events.append(event)
            self.event_count += 1

    # ---- looking ---------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Rebuild every cache from the state; call after the arrays were loaded."""
        self._now, self._tick = int(self._clock.now_ns[0]), int(self._clock.tick[0])
        for observer in self._observers:  # the run may be at another moment now: all look at its next tick
            self._observers[observer] = self._look_at = 0
        for stepper in self._steppers:
            stepper.refresh()
        self._plan()

    def column(self, path: str) -> NDArray[Any]:
        """Return a column of the state, ``block.column``, as a read-only view: it shows the present tick, always.

        Raises:
            InputError: there is no such column; names the nearest.
        """
        view = self.state.find(path)[1].view()
        view.flags.writeable = False
        return view

    def history(self, path: str, element: str | int = 0, points: int = 200) -> tuple[F64, F64, F64, F64]:
        """Return (time s, minimum, mean, maximum) of a column's history, oldest first, at most ``points`` buckets.

        Args:
            path: ``block.column``, one of those with a history.
            element: index, or name of the element.
            points: how many at most; the finest level that covers the run so far with them is chosen.

        Raises:
            InputError: no history is kept of it, or no element has that name.
        """
        if self.histories is None:
            raise InputError("this run keeps no histories", where=path)
        index = self.registry.place(self.state.find(path)[0].axis, element) if isinstance(element, str) else element
        return self.histories.series(path, index, points, self._now)

    def digest(self) -> str:
        """Return the digest of the whole state."""
        return self.state.digest()

    def check(self) -> list[str]:
        """Return what is wrong with the state, in words; empty when every invariant holds."""
        return check(self.site, self.state)

    def audit(self) -> str:
        """Return the first thing in the state that no run can have written, in words; empty when there is none.

        Kernels trust the state: what comes from a file is looked at here before the next tick.
        """
        axes = self.axes | {"fault_kind": len(self.registry.faults)}
        for block, col, array in self.state.columns():
            at = col.wrong(array, axes)
            if at >= 0:
                return f"{block}.{col.name}[{at}] is {array[at]}"
        return self.faults.wrong() or next(iter(jobs_wrong(self.site, self.state)), "")

    def active_alarms(self) -> list[ActiveAlarm]:
        """Return the alarms that are raised now."""
        return list(self.alarms.active())

    def active_faults(self) -> list[ActiveFault]:
        """Return the faults that are on now."""
        return self.faults.active()

    def kpi(self) -> dict[str, float | None]:
        """Return the key figures of the run so far."""
        from twin.domains.ledger.kpi import kpi

        return kpi(self.site, self.state)

    def _bind(self, domain: Domain) -> Stepper:
        views = SimpleNamespace()
        order = [d.name for d in self.domains]
        for name in domain.reads + domain.reads_late:
            if name not in self.state.blocks:
                raise InputError(f"domain '{domain.name}' reads a block '{name}' that nobody owns")
            if name in order and (order.index(name) < order.index(domain.name)) != (name in domain.reads):
                raise InputError(f"domain '{domain.name}' reads '{name}' in the wrong half of the tick")
            setattr(views, name, self.state.blocks[name].readonly())
        return domain.bind(Bind(self.site, self.state.blocks[domain.name], views, self.seed))

    def _control(self, i: int) -> Controller:
        spec = self.site.spec.control[i]
        domain, setting, element = self.registry.setting(spec.target, where=f"control {i + 1}")
        array = getattr(self.state.blocks[domain], setting.column)
        chosen = slice(None) if element < 0 else slice(element, element + 1)
        views = SimpleNamespace(**{name: block.readonly() for name, block in self.state.blocks.items()})

        for owner, column, other in self._moved:
            if (owner, column) == (domain, setting.column) and (other == element or -1 in (other, element)):
                raise SpecError(f"two controllers move '{spec.target}'", where=f"control {i + 1}.target",
                                expected="one controller for a set-point; on = false for the others")
        self._moved.append((domain, setting.column, element))

        def write(value: float) -> None:
            array[chosen] = min(max(value, setting.lo), setting.hi)

        def read() -> float:
            return float(array[chosen][0])

        measure = make_measure(self.site, self.state, spec.measure, where=f"control {i + 1}") if spec.measure else None
        memory = self.state.control.memory[i * MEMORY:(i + 1) * MEMORY]
        return make_controller(spec.controller, ControllerBind(
            self.site, views, write, memory, spec.options, measure, read, setting.lo, setting.hi))


def _script(site: Site) -> list[Command]:
    """Turn the specification's events into commands, in order of time."""
    out = []
    for event in site.spec.event:
        if event.fault:
            out.append(Command("fault", event.at, event.fault, event.target, event.value, event.for_))
        else:
            out.append(Command("set", event.at, "", event.target, event.value))
    return sorted(out, key=lambda c: c.at_ns)
