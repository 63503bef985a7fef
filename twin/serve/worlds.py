"""Which factory a visitor gets: the one that everybody shares, or one of their own."""

from __future__ import annotations

import asyncio
import math
import tracemalloc
from dataclasses import dataclass
from typing import Protocol

from twin.errors import InputError
from twin.runtime.session import Session
from twin.scenario.timeline import fork_run
from twin.serve.branches import Branches, Memory
from twin.serve.people import Role, Roster, Visitor
from twin.serve.visit import Visit

#: memory for the past of a factory, which lets one go back in time, B
SHARED_PAST_B, PRIVATE_PAST_B = 32 << 20, 4 << 20


@dataclass
class World:
    """A factory with the people in it.

    Attributes:
        session: the running factory.
        roster: who is in it and who holds the controls.
        speed_max: highest speed that may be asked for; branches share it.
        memory: what its branches are counted in, for a factory that was made for one visitor; None for a shared one,
            which has no branches: everybody in it looks at the same future.
        branches: what was forked from it, None before the first fork.
    """

    session: Session
    roster: Roster
    speed_max: float = math.inf
    memory: Memory | None = None
    branches: Branches | None = None

    @property
    def private(self) -> bool:
        """Made for one visitor."""
        return self.memory is not None

    def visit(self, visitor: Visitor, session: Session | None = None) -> Visit:
        """Return what a visitor may do with a session of this world, the first one when None."""
        def fastest() -> float:
            return self.speed_max / (1 if self.branches is None else len(self.branches))

        return Visit(session or self.session, self.roster, visitor, fastest, told=not self.private)

    def branch_out(self, visitor: Visitor) -> Branches:
        """Return the branches of a visitor's own factory, so far only the first.

        Raises:
            InputError: the factory is shared.
        """
        if self.memory is None:
            raise InputError("branches need a factory of your own: this one is shared")
        if self.branches is None:
            self.branches = Branches(self.session, self.memory, lambda session: self.visit(visitor, session),
                                     lambda count: self.speed_max / count)
        return self.branches

    def close(self) -> None:
        """Stop the factory and its branches; waits for their threads."""
        if self.branches is not None:
            self.branches.close()
        self.session.close()
        if self.memory is not None:
            self.memory.give()


class Worlds(Protocol):
    """Gives visitors a world and takes it back."""

    async def enter(self, name: str, role: Role, address: str) -> tuple[World, Visitor]:
        """Return the world of a new visitor."""

    async def leave(self, world: World, visitor: Visitor) -> None:
        """Take a visitor out."""

    async def close(self) -> None:
        """Stop every factory."""


class SharedWorld:
    """One factory for everybody.

    Args:
        session: the factory; started here.
        lease_idle_s: time without a key after which the controls are free.
        speed_max: highest speed that an operator may ask for.
    """

    def __init__(self, session: Session, lease_idle_s: float, speed_max: float = math.inf) -> None:
        self.world = World(session, Roster(lease_idle_s), speed_max)
        session.timeline.budget_bytes = SHARED_PAST_B
        session.start()

    async def enter(self, name: str, role: Role, address: str) -> tuple[World, Visitor]:
        """Return the one world."""
        return self.world, self.world.roster.enter(name, role, address)

    async def leave(self, world: World, visitor: Visitor) -> None:
        """Take a visitor out."""
        world.roster.leave(visitor)

    async def close(self) -> None:
        """Stop the factory."""
        await asyncio.to_thread(self.world.close)


class PrivateWorlds:
    """A factory for each visitor, who holds its controls; nobody else sees it.

    Args:
        first: the factory that every visitor gets a fork of; it stays at its first moment.
        speed_max: highest speed that a visitor may ask for.
        memory_b: memory that all of them together may take.
    """

    def __init__(self, first: Session, speed_max: float, memory_b: int) -> None:
        self._first, self._speed_max = first, speed_max
        self._one_at_a_time = asyncio.Lock()
        self._open: list[World] = []
        self.memory = Memory(memory_b, size_of(first, PRIVATE_PAST_B))

    async def enter(self, name: str, role: Role, address: str) -> tuple[World, Visitor]:
        """Fork a world; whoever comes acts in it, because nobody else is touched.

        Raises:
            InputError: there is no memory for one more.
        """
        if not self.memory.take():
            raise InputError(f"{len(self._open)} private factories are open and there is no room for one more")
        async with self._one_at_a_time:
            try:
                session = await asyncio.to_thread(copy_of, self._first)
            except BaseException:
                self.memory.give()
                raise
            session.timeline.budget_bytes = PRIVATE_PAST_B
            world = World(session, Roster(math.inf), self._speed_max, self.memory)
            self._open.append(world)
        session.start()
        session.resume()
        return world, world.roster.enter(name, "operator", address)

    async def leave(self, world: World, visitor: Visitor) -> None:
        """Close a visitor's world."""
        world.roster.leave(visitor)
        self._open.remove(world)
        await asyncio.to_thread(world.close)

    async def close(self) -> None:
        """Stop every factory."""
        for world in [*self._open]:
            await asyncio.to_thread(world.close)


def copy_of(first: Session) -> Session:
    """Return a session of its own that begins where another stands; nothing in the other's events tells of it."""
    return Session(fork_run(first.run), speed=first.speed, paused=True, endless=first.endless, name="yours")


def size_of(session: Session, past_b: int) -> int:
    """Return about how much memory a copy of a factory takes at most, B.

    A copy is made and measured: what the laws of a domain keep beside the columns (routes of the network, the
    openings of the air) is more than the columns, and differs from site to site. Its past, and the copy of the present
    that is kept while one looks back, are added.

    Args:
        session: the factory, not started.
        past_b: what a copy's past may take.
    """
    tracing = tracemalloc.is_tracing()
    if not tracing:
        tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        copy = copy_of(session)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        if not tracing:
            tracemalloc.stop()
    sim = copy.run.sim
    columns = sum(int(array.nbytes) for _, _, array in sim.state.columns())
    rings = 0 if sim.histories is None else sum(int(array.nbytes) for array in sim.histories.save().values())
    return after - before + past_b + columns + rings
