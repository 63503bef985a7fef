"""Which factory a visitor gets: the one that everybody shares, or one of their own."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from twin.errors import InputError
from twin.serve.people import Role, Roster, Visitor
from twin.serve.visit import Visit

if TYPE_CHECKING:
    from twin.runtime.session import Session


#: memory for the past of a factory, which lets one go back in time, B
SHARED_PAST_B, PRIVATE_PAST_B = 32 << 20, 4 << 20


@dataclass
class World:
    """A factory with the people in it.

    Attributes:
        session: the running factory.
        roster: who is in it and who holds the controls.
        speed_max: highest speed that may be asked for.
        private: made for one visitor.
    """

    session: Session
    roster: Roster
    speed_max: float = math.inf
    private: bool = False

    def visit(self, visitor: Visitor) -> Visit:
        """Return what a visitor may do here."""
        return Visit(self.session, self.roster, visitor, self.speed_max)


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
        await asyncio.to_thread(self.world.session.close)


class PrivateWorlds:
    """A factory for each visitor, who holds its controls; nobody else sees it.

    Args:
        first: the factory that every visitor gets a fork of; it stays at its first moment.
        speed_max: highest speed that a visitor may ask for.
        memory_b: memory that all of them together may take.
    """

    def __init__(self, first: Session, speed_max: float, memory_b: int) -> None:
        self._first, self._speed_max, self._memory_b = first, speed_max, memory_b
        self._one_at_a_time = asyncio.Lock()
        self._open: list[World] = []
        self._size_b = size_of(first) + PRIVATE_PAST_B

    async def enter(self, name: str, role: Role, address: str) -> tuple[World, Visitor]:
        """Fork a world; whoever comes acts in it, because nobody else is touched.

        Raises:
            InputError: there is no memory for one more.
        """
        async with self._one_at_a_time:
            if (len(self._open) + 1) * self._size_b > self._memory_b:
                raise InputError(f"{len(self._open)} private factories are open and there is no room for one more")
            session = await asyncio.to_thread(self._first.fork, "yours")
            session.timeline.budget_bytes = PRIVATE_PAST_B
            world = World(session, Roster(math.inf), self._speed_max, private=True)
            self._open.append(world)
        session.start()
        session.resume()
        return world, world.roster.enter(name, "operator", address)

    async def leave(self, world: World, visitor: Visitor) -> None:
        """Close a visitor's world."""
        world.roster.leave(visitor)
        self._open.remove(world)
        await asyncio.to_thread(world.session.close)

    async def close(self) -> None:
        """Stop every factory."""
        for world in [*self._open]:
            await asyncio.to_thread(world.session.close)


def size_of(session: Session) -> int:
    """Return about how much memory a factory takes that it does not share with others, B: its columns, twice for the
    copies in the frames, and its histories."""
    sim = session.run.sim
    columns = sum(int(array.nbytes) for _, _, array in sim.state.columns())
    histories = sim.histories
    rings = 0 if histories is None else sum(int(array.nbytes) for array in histories.save().values())
    return 3 * columns + rings
