"""The branches of one visitor's own factory: what a screen knows as a family, with every act checked and counted."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from twin.errors import InputError
from twin.runtime.family import Family
from twin.serve.visit import Visit

if TYPE_CHECKING:
    from twin.runtime.frame import Frame
    from twin.runtime.session import Session
    from twin.scenario.explain import Difference
    from twin.wiring import Command

#: branches that a visitor may have, the first one included: they share one limit of speed and one budget of memory
BRANCHES_MAX = 4


class Memory:
    """The memory that private factories and their branches take together; asked from several threads.

    Args:
        total_b: what all of them may take, B.
        each_b: what one takes, B.
    """

    def __init__(self, total_b: int, each_b: int) -> None:
        self.total_b, self.each_b = total_b, each_b
        self._lock = threading.Lock()
        self.taken = 0

    def take(self) -> bool:
        """Count one more and tell whether there was room for it."""
        with self._lock:
            if (self.taken + 1) * self.each_b > self.total_b:
                return False
            self.taken += 1
            return True

    def give(self, count: int = 1) -> None:
        """Count some less."""
        with self._lock:
            self.taken -= count


class Branches:
    """A visitor's factory and the branches forked from it.

    Args:
        first: the factory; closed with the branches.
        memory: what branches are counted in; the first one has been.
        visit: wraps a session for the visitor.
        speed_max: tells the highest speed that one of so many branches may have.
    """

    def __init__(self, first: Session, memory: Memory, visit: Callable[[Session], Visit],
                 speed_max: Callable[[int], float]) -> None:
        self._memory, self._visit, self._speed_max = memory, visit, speed_max
        self._family = Family(first)
        self._visits = {first.name: visit(first)}
        self._lock = threading.Lock()
        self._closed = False

    # ---- who there is ----------------------------------------------------------------------------------

    def __iter__(self) -> Iterator[Visit]:
        return iter([*self._visits.values()])

    def __len__(self) -> int:
        return len(self._visits)

    def __getitem__(self, name: str) -> Visit:
        return self._visits[self._family[name].name]

    @property
    def names(self) -> list[str]:
        """Names of the branches, the first one first."""
        return [*self._visits]

    def select(self, name: str) -> Visit:
        """Make a branch the one that commands go to."""
        return self._visits[self._family.select(name).name]

    def frames(self) -> dict[str, Frame]:
        """Return the newest frame of every branch."""
        return self._family.frames()

    # ---- coming and going ------------------------------------------------------------------------------

    def fork(self, name: str = "") -> Visit:
        """Fork a branch from the moment that the selected one shows; all of them slow down to what is granted.

        Raises:
            InputError: the name is taken, there are too many branches, or there is no memory for one more.
        """
        self._allow(f"fork '{name}'")
        with self._lock:
            if self._closed:
                raise InputError("the session is closed")
            if len(self._visits) >= BRANCHES_MAX:
                raise InputError(f"{BRANCHES_MAX} branches are what one visitor may have; b closes one")
            if not self._memory.take():
                raise InputError("the server has no memory left for another branch; b closes one")
            try:
                session = self._family.fork(name)
            except BaseException:
                self._memory.give()
                raise
            visit = self._visits[session.name] = self._visit(session)
            fastest = self._speed_max(len(self._visits))
            for one in self._family:
                if one.speed > fastest:
                    one.set_speed(fastest)
            return visit

    def drop(self, name: str) -> None:
        """Close a branch and forget it.

        Raises:
            InputError: it is the first one, or there is none of that name.
        """
        self._allow(f"close '{name}'")
        with self._lock:
            if name == next(iter(self._visits)):
                raise InputError("the first branch stays", where=name)
            self._family.drop(name)
            del self._visits[name]
            self._memory.give()

    def close(self) -> None:
        """Close every session; none can be forked afterwards. The first one's memory is its owner's to give back."""
        with self._lock:
            self._closed = True
            self._family.close()
            self._memory.give(len(self._visits) - 1)

    # ---- acting on all ---------------------------------------------------------------------------------

    def send(self, command: Command, to: str = "") -> None:
        """Hand a command to a branch by name, to all (``*``), or to the selected one (empty)."""
        self._allow(f"{command.kind} {command.name} {command.target} in {to or 'the shown branch'}")
        self._family.send(command, to)

    def pause(self) -> None:
        """Pause all."""
        self._allow("pause")
        self._family.pause()

    def resume(self) -> None:
        """Go on with all, together."""
        self._allow("go on")
        self._family.resume()

    def align(self) -> int:
        """Pause all at the earliest instant that one of them shows; returns it, simulated ns."""
        self._allow("align")
        return self._family.align()

    def compare(self, first: str, second: str) -> list[Difference]:
        """Return how the newest frames of two branches differ."""
        return self._family.compare(first, second)

    def _allow(self, what: str) -> None:
        next(iter(self)).allow(what)
