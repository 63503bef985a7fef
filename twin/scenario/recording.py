"""Recordings: a run that is written down while it goes on, so that others get the same bits from the file.

A recording is the document of its first moment and behind it a stream of chunks (docs/format.md): ``COMD`` a command,
``DGST`` the digests of all blocks, ``KEYF`` a keyframe, ``HIST`` history buckets that are full, ``BACK`` a future
that was given up, ``DONE`` the end. A command is written and handed to the operating system before it counts as
accepted, so a killed process loses none; a thread brings the file to the disk once a second of wall time, so a power
loss takes at most the last second. When the disk is full the recording ends with its last whole chunk, says so once,
and the run goes on.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin._kernels.digest import GroupDigest
from twin._kernels.sampling import LEVELS
from twin.engine.simulation import Simulation
from twin.errors import InputError
from twin.scenario import container, document, keyframe, snapshot
from twin.scenario.container import MAGIC
from twin.scenario.run import Run
from twin.wiring import Command, Event

#: ticks between two digests: hashing `demo` takes 0.1 ms, sixty of its ticks 20 ms
DIGEST_TICKS = 60
#: ticks between two writings of full history buckets; the finest ring holds more
HISTORY_TICKS = 10 * DIGEST_TICKS
#: ticks between two keyframes: running so far again takes `demo` less than a second
KEYFRAME_TICKS = 30 * DIGEST_TICKS
#: level of compression where the usual one takes a third longer for one per cent less
_LEVEL_OF = {"HIST": 1}
#: wall time between two syncs, so that with the sync itself no command waits longer than a second
SYNC_S = 0.8


class BlockDigests:
    """A cheap digest per block of a simulation's state, XXH64 over its columns in declared order."""

    def __init__(self, sim: Simulation) -> None:
        self.names = list(sim.state.blocks)
        self._kernel = GroupDigest([list(block.arrays().values()) for block in sim.state.blocks.values()])
        self._out: NDArray[np.uint64] = np.zeros(len(self.names), dtype=np.uint64)

    def now(self) -> bytes:
        """Return the digests of this moment, 8 little-endian bytes per block."""
        self._kernel.run(self._out)
        return document.little(self._out).tobytes()


class Recorder:
    """Writes a run down while it goes on; an observer of its simulation.

    Args:
        run: the run; the recording begins at its present moment.
        path: the new file; one that exists is never written over.

    Raises:
        InputError: the file exists or cannot be written.
    """

    def __init__(self, run: Run, path: Path) -> None:
        self.path = path
        self.error: InputError | None = None
        self._run, self._sim = run, run.sim
        self._digests = BlockDigests(run.sim)
        self._given, self._applied = len(run.sim.given), len(run.sim.log)
        self._first = self._applied
        self._tick = self._due = run.sim.tick
        self._buckets = [-1] * len(LEVELS)
        base = document.describe(run, "recording") | {"stream": {
            "blocks": self._digests.names, "digest_ticks": DIGEST_TICKS, "keyframe_ticks": KEYFRAME_TICKS}}
        first = snapshot.chunks_of(base)
        self._number = len(first)
        self._file = _create(path, b"".join([MAGIC, *first]))
        self._size = os.fstat(self._file).st_size
        self._sync = _Sync(self._file)
        self._note_buckets()
        self._due = self._next()
        run.sim.observe(self)

    # ---- what the simulation tells ------------------------------------------------------------------------

    def submitted(self, command: Command) -> None:
        """Write a command and the digest of the moment it was given at; those of a past played again are known."""
        sim = self._sim
        if len(sim.given) <= self._given:
            return
        self._given = len(sim.given)
        self._digest()
        self._write("COMD", [sim.tick, sim.now_ns, document.command_out(command)])

    def ticked(self) -> int:
        """Write digests, histories and keyframes that are due."""
        sim = self._sim
        if sim.tick < self._due or sim.tick <= self._tick:
            return self._due
        self._digest()
        if sim.tick % HISTORY_TICKS == 0:
            self._history()
        if sim.tick % KEYFRAME_TICKS == 0:
            self._keyframe()
        self._due = self._next()
        return self._due

    def truncated(self) -> None:
        """Write that everything recorded after the present tick is void, and what the moment needs instead."""
        sim = self._sim
        self._given = len(sim.given)
        self._write("BACK", [sim.tick, sim.now_ns, self._given])
        self._tick, self._applied, self._buckets = -1, self._first, [-1] * len(LEVELS)
        self._digest()
        self._history()
        self._keyframe()
        self._due = self._next()
        if self._file >= 0:
            sim.observe(self)  # it waits for a tick of the future that was given up

    def close(self) -> None:
        """End the recording, with a last keyframe unless the run shows a moment before the last digest."""
        if self._file < 0:
            return
        if self._sim.tick >= self._tick:
            self._digest()
            self._history()
            self._keyframe()
        self._write("DONE", [self._tick, self._given])
        if self._file >= 0:
            self._end()

    # ---- writing ---------------------------------------------------------------------------------------

    def _next(self) -> int:
        return (self._sim.tick // DIGEST_TICKS + 1) * DIGEST_TICKS

    def _digest(self) -> None:
        sim = self._sim
        if sim.tick != self._tick:
            self._tick = sim.tick
            self._write("DGST", [sim.tick, sim.now_ns, self._digests.now()])

    def _history(self) -> None:
        histories = self._sim.histories
        if histories is None:
            return
        closed = histories.closed(self._buckets)
        self._write("HIST", [[document.little(np.ascontiguousarray(part)).tobytes() for part in level]
                             for level in closed])
        self._buckets = [int(level[0][-1]) if level[0].size else since
                         for level, since in zip(closed, self._buckets, strict=True)]

    def _keyframe(self) -> None:
        log = self._sim.log
        frame = keyframe.capture(self._run)
        frame["applied"] = [self._applied, [[tick, document.command_out(c)] for tick, c in log[self._applied:]]]
        self._applied = len(log)
        self._write("KEYF", frame)

    def _note_buckets(self) -> None:
        """Begin the histories' chunks at the bucket that is being filled now: the document holds those before."""
        histories = self._sim.histories
        if histories is not None:
            self._buckets = [int(n) - 1 for n in histories.open_buckets()["bucket"]]

    def _write(self, tag: str, value: Any) -> None:
        """Append a chunk, whole or not at all, and let the operating system have it."""
        if self._file < 0:
            return
        data = container.pack(tag, self._number, value, level=_LEVEL_OF.get(tag, 3))
        try:
            if self._sync.error is not None:
                raise self._sync.error
            left = memoryview(data)
            while left:
                left = left[os.write(self._file, left):]
        except OSError as error:
            self._fail(error)
            return
        self._number += 1
        self._size += len(data)
        self._sync.wanted()

    def _fail(self, error: OSError) -> None:
        """Cut what was begun, close the file and say once what happened."""
        sim = self._sim
        with contextlib.suppress(OSError):
            os.ftruncate(self._file, self._size)
        self.error = InputError(f"the recording stopped at {sim.now_ns / 1e9:,.0f} s: {error.strerror or error}",
                                where=str(self.path), expected="a disk with enough room")
        sim.note(Event(sim.now_ns, "critical", "recording", "", str(self.error)))
        self._end()

    def _end(self) -> None:
        self._sim.unobserve(self)
        file, self._file = self._file, -1
        self._sync.stop()
        try:
            os.fsync(file)
        except OSError as error:
            self.error = self.error or InputError(f"cannot write: {error.strerror}", where=str(self.path))
        finally:
            os.close(file)


def _create(path: Path, data: bytes) -> int:
    """Make a new file that holds ``data`` or does not exist; return it open for appending."""
    temporary = ""
    handle = -1
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent or ".")
        left = memoryview(data)
        while left:
            left = left[os.write(handle, left):]
        os.fsync(handle)
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(temporary, 0o666 & ~mask)
        _publish(temporary, path)
        folder = os.open(path.parent or ".", os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        if handle >= 0:
            os.close(handle)
        exists = isinstance(error, FileExistsError)
        raise InputError("the file exists" if exists else f"cannot write: {error.strerror or error}", where=str(path),
                         expected="a new file" if exists else "a writable folder with enough room") from error
    finally:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
    return handle


def _publish(temporary: str, path: Path) -> None:
    """Give a complete file its name; one that exists stays."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if path.exists():
            raise FileExistsError(path) from None
        os.rename(temporary, path)


class _Sync(threading.Thread):
    """Brings a file to the disk at most once in ``SYNC_S``, and never later than that after something was written."""

    def __init__(self, file: int) -> None:
        super().__init__(name="twin-recording", daemon=True)
        self._file = file
        self._wanted, self._ending = threading.Event(), threading.Event()
        self.error: OSError | None = None
        self.start()

    def wanted(self) -> None:
        """Something was written."""
        if not self._wanted.is_set():  # asking is cheaper than telling again
            self._wanted.set()

    def stop(self) -> None:
        """End the thread; the caller syncs the rest."""
        self._ending.set()
        self._wanted.set()
        self.join()

    def run(self) -> None:
        """Sync whenever it is wanted, resting in between."""
        while True:
            self._wanted.wait()
            if self._ending.is_set():
                return
            self._wanted.clear()
            begun = time.monotonic()
            try:
                os.fsync(self._file)
            except OSError as error:
                self.error = error
                return
            self._ending.wait(max(0.0, SYNC_S - (time.monotonic() - begun)))
