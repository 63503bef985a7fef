"""What the live screen costs: CPU and bytes of a frame, at rest, and what a running engine loses to it.

CPU is that of the screen's own thread (``time.thread_time``), so the engine's work does not count. Frames come either
from a paused campus whose GPU temperatures are changed so that exactly a share of the heat map's cells differs, or
from the engine itself.
"""

from __future__ import annotations

import asyncio
import dataclasses
import math
import os
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.timing import line

SIZE = (200, 60)


class Tape:
    """Stands for a session: the newest frame of a paused run with some GPU temperatures replaced."""

    def __init__(self, session: Any) -> None:
        self._session, self._frame = session, session.frame()
        self.site, self.title, self.endless = session.site, session.title, session.endless  # asked for often

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def frame(self) -> Any:
        """Return the newest frame."""
        return self._frame

    def play(self, frames: Sequence[Any], k: int) -> None:
        """Publish frame ``k`` of a list that is played again and again."""
        self._frame = dataclasses.replace(frames[k % len(frames)], version=self._frame.version + 1)

    def advance(self, columns: dict[str, Any]) -> None:
        """Publish a frame one tick later."""
        old = self._frame
        self._frame = dataclasses.replace(old, version=old.version + 1, tick=old.tick + 1,
                                          now_ns=old.now_ns + old.dt_ns, columns={**old.columns, **columns},
                                          paused=False, speed_achieved=old.speed_asked)


def blocks_of(app: Any) -> tuple[list[Any], int]:
    """Return (GPUs, cells that show them) for each pixel of the floor that is shown, and the number of its cells.

    Where a rack is drawn large a GPU covers several cells; a rack's pixels are rows by columns, a cell has two rows.
    """
    from twin.tui.panels.hall import FloorMap, _gather

    floor = next(panel for panel in app.main.view.panels if isinstance(panel, FloorMap))
    lay = floor.layout_now(app.ui)
    found = _gather(app.ui, lay)
    cells: dict[tuple[int, ...], set[tuple[int, int, int]]] = {}
    for i, gpus in enumerate(np.split(found.gpus, found.starts[1:])):
        rack, pixel = divmod(i, 2 * lay.cell_h * lay.cell_w)
        y, x = divmod(pixel, lay.cell_w)
        cells.setdefault(tuple(gpus.tolist()), set()).add((rack, y // 2, x))
    return [(np.array(gpus), len(shown)) for gpus, shown in cells.items()], len(found.starts) // 2


async def drive(session: Any, view: str, act: Callable[[Any, list[str]], Awaitable[None]]) -> None:
    """Run the app on a stream that only counts, let ``act`` do its part, leave."""
    from functools import partial

    from twin.tui.app import TwinApp
    from twin.tui.local import Local
    from twin.tui.stream import StreamDriver

    written: list[str] = []
    app = TwinApp(session, view=view, depth="truecolor", driver_class=partial(StreamDriver, sink=written.append),
                  local=Local(alone=True))
    task = asyncio.create_task(app.run_async(size=SIZE))
    while not (app.is_running and app.screen is getattr(app, "main", None) and app.main.is_mounted):
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.5)
    try:
        await act(app, written)
    finally:
        app.exit()
        await task


def frames_of_tape(session: Any, view: str, share: float, spread: tuple[float, float] = (50.0, 65.0),
                   count: int = 60) -> tuple[float, float]:
    """Return milliseconds of CPU and bytes for each frame in which a share of the floor's cells changed.

    Args:
        spread: temperatures are drawn anew between these, degC; a wide range means many pairs of colours.
    """
    tape, out = Tape(session), []

    async def act(app: Any, written: list[str]) -> None:
        (blocks, cells), rng = blocks_of(app), np.random.default_rng(7)
        temps = tape.frame().columns["chip.gpu_temp_c"].copy()
        for warm in (True, False):
            written.clear()
            begun = time.thread_time()
            for _ in range(10 if warm else count):
                before = time.thread_time()
                left = share * cells
                for i in rng.permutation(len(blocks)):
                    gpus, shown = blocks[i]
                    temps[gpus] = rng.uniform(*spread)
                    left -= shown
                    if left <= 0:
                        break
                tape.advance({"chip.gpu_temp_c": temps.copy()})
                begun += time.thread_time() - before
                await asyncio.sleep(0.1)
            if not warm:
                out.extend([(time.thread_time() - begun) / count * 1e3,
                            sum(len(text.encode()) for text in written) / count])

    asyncio.run(drive(tape, view, act))
    return out[0], out[1]


def frames_of_run(run: Any, count: int) -> list[Any]:
    """Return the frames of a run's next ticks as a session would publish them at a tick a frame."""
    from twin.runtime.frame import FrameMaker

    maker, frames = FrameMaker(run.sim), []
    for k in range(count):
        run.sim.advance(1)
        frames.append(maker.make(1 + k, paused=False, speed_asked=10.0, speed_achieved=10.0))
    return frames


def frames_of_life(session: Any, frames: Sequence[Any], view: str) -> tuple[float, float]:
    """Return milliseconds of CPU and bytes for each frame of a run that goes on."""
    tape, out = Tape(session), []

    async def act(app: Any, written: list[str]) -> None:
        begun = 0.0
        for k in range(-10, len(frames)):
            if k == 0:
                written.clear()
                begun = time.thread_time()
            tape.play(frames, k)
            await asyncio.sleep(0.1)
        out.extend([(time.thread_time() - begun) / len(frames) * 1e3,
                    sum(len(text.encode()) for text in written) / len(frames)])

    asyncio.run(drive(tape, view, act))
    return out[0], out[1]


def at_rest(session: Any, seconds: float = 5.0) -> tuple[float, int]:
    """Return percent of a core and bytes written while nothing changes."""
    out: list[float] = []

    async def act(app: Any, written: list[str]) -> None:
        await asyncio.sleep(1.0)
        written.clear()
        begun, wall = time.process_time(), time.perf_counter()
        await asyncio.sleep(seconds)
        out.extend([100 * (time.process_time() - begun) / (time.perf_counter() - wall),
                    sum(len(text.encode()) for text in written)])

    asyncio.run(drive(session, "floor", act))
    return out[0], int(out[1])


def beside_the_engine(session: Any, view: str, seconds: float = 6.0) -> tuple[float, float, float, list[float]]:
    """Return ticks/s of the engine, CPU ms and bytes of a frame, and the times from key to paint in ms."""
    out: list[float] = []
    waits: list[float] = []

    async def act(app: Any, written: list[str]) -> None:
        await asyncio.sleep(1.0)
        written.clear()
        cpu, wall, ticks, version = time.thread_time(), time.perf_counter(), session.frame().tick, app.fed
        while time.perf_counter() - wall < seconds:
            await asyncio.sleep(0.5)
        lasted = time.perf_counter() - wall
        fed = max(1, app.fed - version)
        out.extend([(session.frame().tick - ticks) / lasted, (time.thread_time() - cpu) / fed * 1e3,
                    sum(len(text.encode()) for text in written) / fed])
        for k in range(12):
            app._driver.feed(b"\x1b[C" if k % 2 == 0 else b"\x1b[D")  # the selection moves
            rack, begun = app.ui.rack, time.perf_counter()
            await _until(lambda r=rack: app.ui.rack != r)  # type: ignore[misc]
            name = app.ui.element_name("rack", app.ui.rack)
            await _until(lambda n=name: n in painted(app))  # type: ignore[misc]
            waits.append((time.perf_counter() - begun) * 1e3)
            await asyncio.sleep(0.237)

    asyncio.run(drive(session, view, act))
    return out[0], out[1], out[2], waits


def painted(app: Any) -> str:
    """Return what the terminal shows at the right, where the selected rack is described."""
    codes = app.cells.front[:, -60:] & 0x1FFFFF
    return "".join(map(chr, codes.ravel().tolist()))


async def _until(condition: Callable[[], bool]) -> None:
    deadline = time.perf_counter() + 5
    while not condition() and time.perf_counter() < deadline:
        await asyncio.sleep(0.002)


def headless(name: str, seconds: float = 6.0) -> float:
    """Return ticks/s of a session that nobody looks at."""
    from twin.runtime.session import Session
    from twin.scenario.open import open_run

    session = Session(open_run(name), speed=math.inf)
    session.start()
    time.sleep(1.0)
    first, wall = session._sim.tick, time.perf_counter()
    time.sleep(seconds)
    speed = (session._sim.tick - first) / (time.perf_counter() - wall)
    session.close()
    return speed


def main(name: str = "campus") -> None:
    """Run all of them."""
    from twin.runtime.session import Session
    from twin.scenario.open import open_run

    os.environ.pop("NO_COLOR", None)
    run = open_run(name)
    run.sim.advance(120)
    for view in ("floor", "overview"):
        for share in (0.05, 1.0):
            cpu, size = frames_of_tape(Session(run, speed=10.0, paused=True), view, share)
            target = "<= 4 ms" if share < 0.1 else ""
            line(f"{view} {SIZE[0]}x{SIZE[1]}, {share:.0%} of the cells: CPU", cpu, "ms/frame", target)
            line("    written at 10 frames a second", size / 100, "kB/s", "<= 50 kB/s" if target else "")
    frames = frames_of_run(run, 60)
    for view in ("overview", "floor", "power", "cooling", "network", "jobs", "events", "rack"):
        cpu, size = frames_of_life(Session(run, speed=10.0, paused=True), frames, view)
        line(f"{view} as the run goes on: CPU", cpu, "ms/frame", "<= 4 ms")
        line("    written at 10 frames a second", size / 100, "kB/s", "<= 50 kB/s")
    cpu, size = at_rest(Session(run, paused=True))
    line("paused: CPU of the process", cpu, "%", "<= 1 %")
    line("paused: written in 5 s", size, "bytes", "0")
    alone = headless(name)
    session = Session(open_run(name), speed=math.inf)
    session.start()
    ticks, cpu, size, waits = beside_the_engine(session, "floor")
    session.close()
    line("engine flat out, floor shown: CPU of the screen", cpu, "ms/frame")
    line("    written", size * 10 / 1000, "kB/s at 10/s")
    line("    engine's speed over that without a screen", 100 * ticks / alone, "%", ">= 85 %")
    line("    key to paint, median", statistics.median(waits), "ms")
    line("    key to paint, worst of 12", max(waits), "ms", "<= 100 ms")


if __name__ == "__main__":
    main(*sys.argv[1:])
