"""Snapshots, recordings, travels in time and branches: everything that a scenario promises as a file."""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.timing import clock, line, median_s
from twin.runtime.family import Family
from twin.runtime.session import Session
from twin.scenario import snapshot
from twin.scenario.open import open_run
from twin.scenario.recording import Recorder
from twin.scenario.replay import Recording
from twin.scenario.run import Run

S = 10**9
DAY_S = 86_400
#: pairs of a run with and without a recording; each lasts some hundreds of milliseconds
PAIRS = 9
PAIR_TICKS = 3600


def snapshots(folder: Path) -> None:
    """Saving and loading of the largest scenario."""
    run = open_run("campus")
    run.sim.advance(60)
    data, path = snapshot.to_bytes(run), folder / "campus.twin"
    line("snapshot campus to memory", median_s(lambda: snapshot.to_bytes(run), 7) * 1e3, "ms", "< 150 ms")
    line("snapshot campus to disk", median_s(lambda: snapshot.save(run, path), 7) * 1e3, "ms", "< 400 ms")
    line("snapshot campus load from disk", median_s(lambda: snapshot.load(path), 5, 1) * 1e3, "ms", "< 500 ms")
    line("snapshot campus size", len(data) / 1e6, "MB")


def recording_share(folder: Path) -> None:
    """What recording costs a run of the demo: processor time of paired runs, one after the other."""
    shares = []
    for pair in range(PAIRS):
        spent = {}
        for recorded in ((False, True), (True, False))[pair % 2]:
            run = open_run("demo")
            recorder = Recorder(run, folder / f"share-{pair}.twin") if recorded else None
            begun = time.process_time()
            run.sim.advance(PAIR_TICKS)
            spent[recorded] = time.process_time() - begun
            if recorder is not None:
                recorder.close()
        shares.append(spent[True] / spent[False] - 1)
    line("recording demo, more processor time", 100 * statistics.median(shares), "%", "< 5 %")


def day(folder: Path) -> None:
    """A day of the demo, recorded while a session lives it: size, seeks within it, moments opened from the file."""
    run, path, draw = open_run("demo"), folder / "day.twin", random.Random(1)
    recorder = Recorder(run, path)
    session = Session(run, speed=float("inf"), endless=True)
    session.start()
    while session.frame().now_ns < DAY_S * S:
        time.sleep(0.2)
    session.close()  # from here on its timeline belongs to this thread
    recorder.close()
    line("recorded day of demo", path.stat().st_size / 1e6, "MB", "< 60 MB")
    keys = session.timeline.keys
    line("keyframes in memory", sum(key.size for key in keys) / 2**20, "MB", f"{len(keys)} of them, budget 128 MB")
    took = _each(lambda at: session.timeline.seek(at), draw, 120)
    line("seek within a running day of demo, median", statistics.median(took) * 1e3, "ms")
    line("seek within a running day of demo, slowest of 120", max(took) * 1e3, "ms", "< 300 ms")
    session.timeline.seek(DAY_S // 2 * S)
    back = []
    for _ in range(40):
        begun = clock()
        session.timeline.seek_tick(session.timeline.run.sim.tick - 1)
        back.append(clock() - begun)
    line("one tick back, slowest of 40", max(back) * 1e3, "ms", "< 300 ms")
    took = _each(lambda at: _cold(path, at), draw, 15)
    line("moment of the day cold from the file, slowest of 15", max(took) * 1e3, "ms", "< 2500 ms")


def _each(go: Callable[[int], object], draw: random.Random, times: int) -> list[float]:
    took = []
    for _ in range(times):
        at = draw.randrange(DAY_S * S)
        begun = clock()
        go(at)
        took.append(clock() - begun)
    return took


def _cold(path: Path, at_ns: int) -> Run:
    with Recording(path) as recording:
        return recording.open(at_ns)


def branches() -> None:
    """Forking a running campus: until the branch has its first frame."""
    family = Family(Session(open_run("campus"), speed=1.0))
    family.start()
    took = []
    for _ in range(9):
        time.sleep(0.5)
        begun = clock()
        branch = family.fork()
        took.append(clock() - begun)
        family.drop(branch.name)
    family.close()
    line("branch of running campus, median", statistics.median(took) * 1e3, "ms", "< 200 ms")
    line("branch of running campus, slowest of 9", max(took) * 1e3, "ms", "< 200 ms")


def main() -> None:
    """Run all of them."""
    with tempfile.TemporaryDirectory(prefix="twin-bench-") as name:
        snapshots(Path(name))
        branches()
        recording_share(Path(name))
        day(Path(name))


if __name__ == "__main__":
    main()
