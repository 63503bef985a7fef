"""Branches that live together: several sessions of one scenario on one pace, and how they differ."""

from __future__ import annotations

import math
from collections.abc import Iterator

from twin.errors import InputError, nearest
from twin.runtime.frame import Frame
from twin.runtime.session import Session
from twin.scenario.branching import acts_of
from twin.scenario.explain import Difference, explain
from twin.units import NS_PER_S
from twin.wiring import Command

#: branches may be apart by this much wall time of their pace, s, or by so many ticks when there is none
LEAD_S, LEAD_TICKS = 0.05, 32
#: more would neither fit on a screen nor into the memory of a usual machine
BRANCHES_MAX = 8


class Family:
    """A first session and the branches forked from it.

    Args:
        first: a session; started or not, the branches follow it.
    """

    def __init__(self, first: Session) -> None:
        self._sessions: list[Session] = []
        #: nobody advances while all are being told to
        self._gate = False
        self._adopt(first)
        self.current: Session = first

    # ---- who there is ----------------------------------------------------------------------------------

    def __iter__(self) -> Iterator[Session]:
        return iter(tuple(self._sessions))

    def __len__(self) -> int:
        return len(self._sessions)

    def __getitem__(self, name: str) -> Session:
        for session in self._sessions:
            if session.name == name:
                return session
        raise InputError(f"no branch is called '{name}'", expected="one of " + ", ".join(self.names),
                         nearest=nearest(name, self.names))

    @property
    def names(self) -> list[str]:
        """Names of the sessions, the first one first."""
        return [session.name for session in self._sessions]

    def select(self, name: str) -> Session:
        """Make a branch the current one; commands go to it."""
        self.current = self[name]
        return self.current

    def frames(self) -> dict[str, Frame]:
        """Return the newest frame of every branch."""
        return {session.name: session.frame() for session in self._sessions}

    # ---- coming and going ------------------------------------------------------------------------------

    def fork(self, name: str = "", *, parent: str = "") -> Session:
        """Fork a branch from the moment that its parent shows; it is started, paused or not, as the parent is.

        Args:
            name: of the branch; ``branch 1`` and so on when empty.
            parent: name of the session to fork; the current one when empty.

        Raises:
            InputError: the name is taken, or there are ``BRANCHES_MAX`` already.
        """
        old = self[parent] if parent else self.current
        name = name or next(f"branch {i}" for i in range(1, BRANCHES_MAX + 2) if f"branch {i}" not in self.names)
        if name in self.names:
            raise InputError(f"a branch is called '{name}' already", expected="another name")
        if len(self._sessions) >= BRANCHES_MAX:
            raise InputError(f"there are {BRANCHES_MAX} branches already", expected="one of them closed first")
        running = old.running and not old.paused
        branch = old.fork(name)
        self._adopt(branch)
        if old.running:
            branch.start()
        if running:
            branch.resume()
        return branch

    def drop(self, name: str) -> None:
        """Close a branch and forget it.

        Raises:
            InputError: it is the last one, or there is none of that name.
        """
        session = self[name]
        if len(self._sessions) == 1:
            raise InputError("the last session stays", where=name)
        self._sessions.remove(session)
        session.limit = None
        session.close()
        if self.current is session:
            self.current = self._sessions[0]

    def close(self) -> None:
        """Close every session."""
        for session in self._sessions:
            session.limit = None
        for session in self._sessions:
            session.close()

    # ---- acting on all ---------------------------------------------------------------------------------

    def send(self, command: Command, to: str = "") -> None:
        """Hand a command to a branch by name, to all (``*``), or to the current one (empty).

        Raises:
            InputError: there is no such branch, or one that is addressed refuses it; then none gets it.
        """
        chosen = list(self._sessions) if to == "*" else [self[to] if to else self.current]
        for session in chosen:
            session.check(command)
        for session in chosen:
            session.send(command)

    def start(self) -> None:
        """Start every session's thread."""
        for session in self._sessions:
            session.start()

    def pause(self) -> None:
        """Pause all."""
        for session in self._sessions:
            session.pause()

    def resume(self) -> None:
        """Go on with all, together."""
        self._gate = True
        for session in self._sessions:
            session.resume()
        self._gate = False

    def step(self, n: int = 1) -> None:
        """Advance all by ``n`` ticks and stay paused."""
        for session in self._sessions:
            session.step(n)

    def set_speed(self, speed: float) -> None:
        """Ask all for a pace."""
        for session in self._sessions:
            session.set_speed(speed)

    def seek(self, at_ns: int) -> None:
        """Show one instant in all; a branch that did not live it yet shows its furthest moment."""
        for session in self._sessions:
            session.seek(at_ns)

    def align(self) -> int:
        """Pause all at the earliest instant that one of them shows, so that they can be compared to the tick.

        Returns:
            That instant, simulated ns; their frames show it when they have come there.
        """
        self.pause()
        at_ns = min(session.frame().now_ns for session in self._sessions)
        self.seek(at_ns)
        return at_ns

    # ---- comparing -------------------------------------------------------------------------------------

    def compare(self, first: str, second: str) -> list[Difference]:
        """Return how the newest frames of two branches differ, the block with the largest difference first.

        Their frames may be a moment apart while they run; ``align`` them for a comparison to the tick.
        """
        a, b = self[first], self[second]
        one, two = a.frame(), b.frame()
        acts = acts_of(a.run.sim, b.run.sim)
        return explain(a.site, one.columns, two.columns, max(one.now_ns, two.now_ns), acts)

    # ---- together --------------------------------------------------------------------------------------

    def _adopt(self, session: Session) -> None:
        self._sessions.append(session)
        session.limit = lambda: self._limit(session)

    def _limit(self, session: Session) -> int:
        """Return how far a session may run ahead: a little beyond the slowest of those that run."""
        if self._gate:
            return 0
        others = [s.run.sim.now_ns for s in self._sessions
                  if s is not session and s.running and not s.paused and s.error is None]
        if not others:
            return 1 << 62
        tick, speed = session.run.sim.tick_ns, session.speed
        lead = LEAD_TICKS * tick if math.isinf(speed) else max(2 * tick, int(LEAD_S * speed * NS_PER_S))
        return min(others) + lead
