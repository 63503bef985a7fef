"""One browser's private world: a process with its own simulation and screen, talking to the web server over pipes.

    python -m twin.serve.world '{"scenario": "demo", ...}'           a screen for textual-serve's protocol
    python -m twin.serve.world --check '{"scenario": "demo", ...}'   open it, print its title, leave

The process ends when its standard input does, so that none outlives the server, however that ended.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Sequence

import msgspec

#: how long the screen may take to close once nobody is there any more, s
LEAVE_S = 5.0
_MIB = 1 << 20
#: memory for the world's past, which lets one go back in time, B
PAST_B = 16 * _MIB


class World(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a browser gets.

    Attributes:
        scenario, sets, seed: what to open, as on the command line.
        speed: simulated seconds per second to begin with; null for as fast as possible.
        speed_max: highest speed that may be asked for; null for no limit.
        read_only: look, but send no commands.
        memory_mib: writable memory that the process may have, MiB; 0 for no limit.
    """

    scenario: str
    sets: tuple[str, ...] = ()
    seed: int | None = None
    speed: float | None = 1.0
    speed_max: float | None = None
    read_only: bool = False
    memory_mib: int = 0


def limit(memory_mib: int) -> None:
    """Bound what this process may take: memory, open files, no core dump; and let others go first."""
    try:
        import resource
    except ImportError:  # not on this system
        return
    if memory_mib and sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_DATA, (memory_mib * _MIB, memory_mib * _MIB))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = 256 if most == resource.RLIM_INFINITY else min(256, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    os.nice(5)


def check(world: World) -> None:
    """Open the world and print its title as JSON."""
    from twin.runtime.session import Session
    from twin.scenario.open import open_run

    run = open_run(world.scenario, sets=world.sets, seed=world.seed, history=False)
    print(msgspec.json.encode(Session(run).title).decode())


def show(world: World) -> int:
    """Run the world on the screen until the browser leaves; return the exit code."""
    import math

    from textual import messages
    from textual.drivers.web_driver import WebDriver

    from twin.runtime.session import Session
    from twin.scenario.open import open_run
    from twin.tui.app import TwinApp

    fastest = math.inf if world.speed_max is None else world.speed_max

    class PrivateSession(Session):
        """A session with a limit on its speed."""

        def set_speed(self, speed: float) -> None:
            """Ask for a pace, at most the fastest that is granted."""
            super().set_speed(min(speed, fastest))

    class PipeDriver(WebDriver):
        """textual-serve's driver, which leaves when the server does and reaches for nothing outside."""

        def run_input_thread(self) -> None:
            """Read input; at its end close the screen, and the process if that takes too long."""
            super().run_input_thread()
            if not self.exit_event.is_set():
                last = threading.Timer(LEAVE_S, os._exit, (1,))
                last.daemon = True
                last.start()
                self._app.post_message(messages.ExitApp())

        def open_url(self, url: str, new_tab: bool = True) -> None:
            """Open nothing."""

        def deliver_binary(self, *args: object, **kwargs: object) -> None:
            """Deliver nothing."""

    run = open_run(world.scenario, sets=world.sets, seed=world.seed)
    speed = math.inf if world.speed is None else world.speed
    session = PrivateSession(run, speed=min(speed, fastest), read_only=world.read_only)
    session.timeline.budget_bytes = PAST_B
    session.start()
    try:
        app = TwinApp(session, read_only=world.read_only, depth="truecolor", driver_class=PipeDriver)
        app.run()
    finally:
        session.close()
    return app.return_code or 0


def main(argv: Sequence[str]) -> int:
    """Read the world from the last argument and show or check it."""
    from twin.errors import TwinError

    world = msgspec.json.decode(argv[-1], type=World)
    limit(world.memory_mib)
    try:
        if "--check" in argv:
            check(world)
            return 0
        return show(world)
    except TwinError as error:
        print(error, file=sys.stderr)
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
