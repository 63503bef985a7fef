"""Served screens in this process: a wire that remembers what was sent, and a world to look at."""

from __future__ import annotations

import asyncio
import contextvars
import time
from typing import Any, Self

import pyte

from twin.runtime.session import Session
from twin.scenario.open import open_run
from twin.serve.app import Governor, ServedApp
from twin.serve.driver import SshDriver
from twin.serve.limits import Limits
from twin.serve.people import Role, Visitor
from twin.serve.worlds import PrivateWorlds, SharedWorld, World, Worlds


class FakeWire:
    """A connection whose reader may stop reading.

    Attributes:
        sent: what arrived.
        waiting: bytes that are not read yet; ``stopped`` lets them pile up.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self.sent = bytearray()
        self.waiting, self.stopped, self.held, self.presses = 0, False, False, 0
        self.picture = pyte.Screen(*size)
        self.stream = pyte.ByteStream(self.picture)

    def send(self, data: bytes) -> None:
        """Take bytes."""
        self.sent += data
        if self.stopped:
            self.waiting += len(data)
        self.stream.feed(data.replace(b"\x1b[?2026$p", b""))

    def backlog(self) -> int:
        """Return what waits."""
        return self.waiting

    def hold(self, on: bool) -> None:
        """Note that input is held."""
        self.held = on

    def pressed(self) -> None:
        """Count keys."""
        self.presses += 1

    def screen(self) -> str:
        """Return the picture."""
        return "\n".join(self.picture.display)


class Rooms:
    """Worlds and the screens in them."""

    def __init__(self, worlds: Worlds, limits: Limits) -> None:
        self.worlds, self.limits = worlds, limits
        self.governor = Governor()
        self.running: list[tuple[ServedApp, Visitor, World, asyncio.Task[Any]]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for app, *_rest in [*self.running]:
            await self.leave(app)
        await self.worlds.close()

    async def come(self, name: str = "guest", role: Role = "viewer", size: tuple[int, int] = (100, 30),
                   depth: Any = "truecolor") -> tuple[ServedApp, SshDriver, FakeWire]:
        """Open a screen."""
        wire = FakeWire(size)
        world, visitor = await self.worlds.enter(name, role, "192.0.2.1")
        app = ServedApp(world, visitor, depth=depth, ascii_only=False, governor=self.governor,
                        frames_per_s=self.limits.frames_per_s,
                        driver=lambda a, **options: SshDriver(a, wire=wire, limits=self.limits, is_up=a.up.is_set,
                                                             **options))
        task = asyncio.get_running_loop().create_task(app.run_async(size=size), context=contextvars.Context())
        await asyncio.wait_for(app.up.wait(), 20)
        self.running.append((app, visitor, world, task))
        driver = app._driver
        assert isinstance(driver, SshDriver)
        return app, driver, wire

    async def leave(self, app: ServedApp) -> None:
        """Close a screen."""
        entry = next(e for e in self.running if e[0] is app)
        self.running.remove(entry)
        app.exit()
        await asyncio.wait_for(entry[3], 20)
        await self.worlds.leave(entry[2], entry[1])


def _limits(given: dict[str, Any]) -> Limits:
    return Limits(**{"frames_per_s": 20.0, **given})


class House(Rooms):
    """A shared world and the screens in it."""

    worlds: SharedWorld

    def __init__(self, scenario: str = "small", **limits: Any) -> None:
        granted = _limits(limits)
        session = Session(open_run(scenario), speed=20, endless=True)
        super().__init__(SharedWorld(session, granted.lease_idle_s), granted)


class PrivateHouse(Rooms):
    """A world for each screen."""

    worlds: PrivateWorlds

    def __init__(self, scenario: str = "small", memory_b: int = 1 << 28, **limits: Any) -> None:
        first = Session(open_run(scenario), speed=60, endless=True, paused=True)
        super().__init__(PrivateWorlds(first, 120.0, memory_b), _limits(limits))


async def until(condition: Any, what: str, timeout_s: float = 20.0) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, what
        await asyncio.sleep(0.02)
