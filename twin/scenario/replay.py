"""Recordings read again: what one holds, any moment of it as a run, and the whole of it once more.

``Recording`` indexes a file by its chunks without unpacking states; ``Player`` gives a run every command at the tick
at which it was given the first time. Both work on a file whose end is torn or damaged, as far as it is whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np

from twin.errors import InputError, SnapshotError
from twin.scenario import container, document, keyframe, snapshot
from twin.scenario.container import MAGIC, Chunk, Tail
from twin.scenario.run import Run
from twin.wiring import Command

#: a recording may have this many bytes
FILE_LIMIT = 1 << 36
#: unpacked bytes of a command, a digest or an end
_SMALL = 1 << 16
#: ticks between two digests, or two keyframes, that a file may declare
_TICKS_MAX = 1_000_000
_STREAM = ("COMD", "DGST", "KEYF", "HIST", "BACK", "DONE")


@dataclass(frozen=True, slots=True)
class Given:
    """A command and the moment at which it was given."""

    tick: int
    now_ns: int
    command: Command


@dataclass(frozen=True, slots=True)
class Digest:
    """The digests of all blocks at the end of a tick."""

    tick: int
    now_ns: int
    blocks: bytes


@dataclass(frozen=True, slots=True)
class Key:
    """Where a keyframe lies, its moment, and how many commands had been given by then."""

    tick: int
    now_ns: int
    given: int
    chunk: Chunk


class _Stream(msgspec.Struct, forbid_unknown_fields=True):
    blocks: list[str]
    digest_ticks: int
    keyframe_ticks: int


class _Frame(msgspec.Struct, forbid_unknown_fields=True):
    now_ns: int
    tick: int
    state: dict[str, dict[str, list[Any]]]
    pending: list[list[Any]]
    log: int
    events: list[list[Any]]
    event_count: int
    history: dict[str, bytes]
    applied: tuple[int, list[tuple[int, dict[str, Any]]]]


class Recording:
    """What a recording holds; use as a context manager, or ``close`` it.

    Args:
        path: the file.

    Attributes:
        head: the document of the first moment (docs/format.md), without having built anything.
        blocks: names of the blocks in the order of the digests.
        digest_ticks, keyframe_ticks: distances that the recording was made with.
        commands, digests, keys: the stream in order, what was given up left out.
        done: the recording was ended, not interrupted.
        tail: how the file ends.

    Raises:
        SnapshotError: no recording, or its beginning is not whole.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.where = path, str(path)
        try:
            self.size = path.stat().st_size
            if not path.is_file():
                raise SnapshotError("not a regular file", where=self.where)
            self._file: BinaryIO = path.open("rb")
        except OSError as error:
            raise SnapshotError(f"cannot read: {error.strerror or error}", where=self.where) from error
        try:
            if self.size > FILE_LIMIT:
                raise SnapshotError(f"the file has {self.size} bytes", where=self.where,
                                    expected=f"at most {FILE_LIMIT}")
            self._index()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Recording:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    # ---- what it holds -------------------------------------------------------------------------------------

    @property
    def first_tick(self) -> int:
        """Ticks that had been done when the recording began."""
        return self._first[0]

    @property
    def first_ns(self) -> int:
        """Simulated instant at which the recording begins."""
        return self._first[1]

    @property
    def last_tick(self) -> int:
        """The last tick that the file knows of."""
        return max(self.first_tick, *(items[-1].tick for items in (self.digests, self.commands) if items), 0)

    @property
    def last_ns(self) -> int:
        """The last simulated instant that the file knows of."""
        return max(self.first_ns, *(items[-1].now_ns for items in (self.digests, self.commands) if items), 0)

    def frame(self, key: Key) -> dict[str, Any]:
        """Return a keyframe, its outer types checked."""
        value = container.payload(self._file, key.chunk, where=self.where, limit=self._limit)
        try:
            frame = msgspec.to_builtins(msgspec.convert(value, _Frame, strict=True), builtin_types=(bytes,))
        except msgspec.ValidationError as error:
            raise SnapshotError(f"a keyframe inside is not valid: {error}", where=self.where) from error
        if (frame["tick"], frame["now_ns"]) != (key.tick, key.now_ns) or not 0 <= frame["event_count"] < 2**62:
            raise SnapshotError("a keyframe inside is of another moment than its digest", where=self.where)
        out: dict[str, Any] = frame
        return out

    # ---- moments -------------------------------------------------------------------------------------------

    def begin(self) -> Run:
        """Return the run at the recording's first moment."""
        return document.build(self.head, where=self.where)

    def open(self, at_ns: int | None = None) -> Run:
        """Return the run at the first tick boundary at or after an instant; at the recording's end when None.

        Raises:
            InputError: the instant is not in the recording.
        """
        at_ns = self.last_ns if at_ns is None else at_ns
        if not self.first_ns <= at_ns <= self.last_ns:
            raise InputError(f"{at_ns / 1e9:g} s is not within the recording", where=self.where,
                             expected=f"{self.first_ns / 1e9:g} s to {self.last_ns / 1e9:g} s")
        key = next((k for k in reversed(self.keys) if k.now_ns <= at_ns), None)
        run = self.begin()
        given = 0
        if key is not None:
            self._restore(run, key)
            given = key.given
        Player(run, self.commands, given, where=self.where).run_until(at_ns, self.last_tick)
        return run

    def _restore(self, run: Run, key: Key) -> None:
        sim = run.sim
        frame = self.frame(key)
        if not document.same_series(sim, self.head["rows"]):
            frame["history"] = {}
        elif sim.histories is not None:
            for _, chunk in [(tick, chunk) for tick, chunk in self._histories if tick <= key.tick]:
                try:
                    sim.histories.put(self._buckets(chunk))
                except (InputError, ValueError) as error:
                    raise SnapshotError("the histories inside do not fit this site", where=self.where) from error
        log = list(sim.log)
        for one in self.keys[:self.keys.index(key) + 1]:
            start, items = self._applied(one)
            log[start:] = [(tick, document.command_in(c, self.where)) for tick, c in items]
        for fields in frame["pending"]:
            self._pending(run, fields)
        frame["events"] = [[e.at_ns, e.severity, e.kind, e.place, e.text, e.data]
                           for e in document.events_in(frame["events"], self.where)]
        document.state_in(sim, self._state(frame), self.head["rows"], self.where)
        frame["state"] = keyframe.capture(run)["state"]  # of this program's columns, whichever the file has
        try:
            keyframe.restore(run, frame, log, audit=True)
        except InputError as error:
            raise SnapshotError(f"a keyframe inside is not valid: {error}", where=self.where) from error
        sim.given[:] = [(g.tick, g.command) for g in self.commands[:key.given]]

    def _state(self, frame: dict[str, Any]) -> dict[str, dict[str, list[Any]]]:
        """Return a keyframe's columns whole, each of the size that the document gives it."""
        out: dict[str, dict[str, list[Any]]] = {}
        for block, columns in frame["state"].items():
            for name, entry in columns.items():
                where = f"{self.where}: {block}.{name}"
                known = self.head["state"].get(block, {}).get(name)
                if not isinstance(known, list) or len(known) != 3 or len(known[2]) > self._limit:
                    raise SnapshotError("a keyframe inside has a column that its document lacks", where=where)
                array = np.frombuffer(known[2], dtype=known[0]).copy()
                try:
                    keyframe.unpack(array, entry, where)
                except (InputError, TypeError) as error:
                    raise SnapshotError("a keyframe inside is not valid", where=where) from error
                out.setdefault(block, {})[name] = [known[0], known[1], array.tobytes()]
        return out

    def _pending(self, run: Run, fields: list[Any]) -> None:
        names = ("kind", "at_ns", "name", "target", "value", "duration_ns")
        command = document.command_in(dict(zip(names, fields, strict=False)), self.where)
        try:
            run.sim.validate(command)
        except InputError as error:
            raise SnapshotError(f"a command inside is not valid: {error}", where=self.where) from error

    def _applied(self, key: Key) -> tuple[int, list[Any]]:
        value = container.payload(self._file, key.chunk, where=self.where, limit=self._limit)
        try:
            return msgspec.convert(value["applied"], tuple[int, list[tuple[int, dict[str, Any]]]])
        except (msgspec.ValidationError, TypeError, KeyError, IndexError) as error:
            raise SnapshotError("a keyframe inside is not valid", where=self.where) from error

    def _buckets(self, chunk: Chunk) -> list[list[Any]]:
        value = container.payload(self._file, chunk, where=self.where, limit=self._limit)
        try:
            levels = msgspec.convert(value, list[tuple[bytes, bytes, bytes, bytes, bytes]])
            out = [[np.frombuffer(numbers, "<i8"), *(np.frombuffer(part, "<f8") for part in parts)]
                   for numbers, *parts in levels]
        except (msgspec.ValidationError, ValueError) as error:
            raise SnapshotError("the histories inside are not valid", where=self.where) from error
        if any(np.isnan(part).any() for level in out for part in level[1:]):
            raise SnapshotError("the histories inside hold what is no number", where=self.where)
        return out

    # ---- reading the stream --------------------------------------------------------------------------------

    def _index(self) -> None:
        if self._file.read(len(MAGIC)) != MAGIC:
            raise SnapshotError("not a recording", where=self.where, expected="a .twin file of format version 2")
        found = container.chunks(self._file, self.size)
        self.head = snapshot.read_base(self._file, found, where=self.where)
        if self.head["kind"] != "recording":
            raise SnapshotError("a snapshot, not a recording", where=self.where)
        try:
            stream = msgspec.convert(self.head.get("stream"), _Stream)
        except msgspec.ValidationError as error:
            raise SnapshotError(f"the head inside is not valid: {error}", where=self.where) from error
        if not (0 < stream.digest_ticks <= _TICKS_MAX and 0 < stream.keyframe_ticks <= _TICKS_MAX):
            raise SnapshotError("the head inside is not valid: distances of digests and keyframes", where=self.where)
        self.blocks, self.digest_ticks, self.keyframe_ticks = stream.blocks, stream.digest_ticks, stream.keyframe_ticks
        racks, gpus = document.sizes(document.spec_of(self.head, self.where), self.head, self.where)
        self._limit = snapshot.state_limit(racks, gpus)
        self._first = self._clock()
        self.commands: list[Given] = []
        self.digests: list[Digest] = []
        self.keys: list[Key] = []
        self._histories: list[tuple[int, Chunk]] = []
        self.done = False
        self.sections: dict[str, tuple[int, int]] = {}
        self._at = self._first
        for chunk in found:
            if isinstance(chunk, Tail):
                self.tail = chunk
                return
            self._take(chunk)

    def _clock(self) -> tuple[int, int]:
        """Return tick and instant of the first moment."""
        return (document.clock_of(self.head, "tick", self.where), document.clock_of(self.head, "now_ns", self.where))

    def _take(self, chunk: Chunk) -> None:
        """Index one chunk of the stream."""
        number, size = self.sections.get(chunk.tag, (0, 0))
        self.sections[chunk.tag] = (number + 1, size + chunk.stored)
        place = f"{self.where}: chunk {chunk.number} ({chunk.tag})"
        if chunk.tag not in _STREAM or self.done:
            raise SnapshotError("the chunk does not belong here", where=place)
        if chunk.tag in ("KEYF", "HIST"):
            if not self.digests or self.digests[-1].tick != self._at[0]:
                raise SnapshotError("the chunk has no digest before it", where=place)
            if chunk.tag == "KEYF":
                self.keys.append(Key(*self._at, len(self.commands), chunk))
            else:
                self._histories.append((self._at[0], chunk))
            return
        value = container.payload(self._file, chunk, where=self.where, limit=_SMALL)
        try:
            if chunk.tag == "COMD":
                tick, now_ns, saved = msgspec.convert(value, tuple[int, int, dict[str, Any]])
                self._move(tick, now_ns, place)
                self.commands.append(Given(tick, now_ns, document.command_in(saved, place)))
            elif chunk.tag == "DGST":
                tick, now_ns, blocks = msgspec.convert(value, tuple[int, int, bytes])
                self._move(tick, now_ns, place)
                if len(blocks) != 8 * len(self.blocks):
                    raise SnapshotError("a digest inside has another length than the blocks", where=place)
                self.digests.append(Digest(tick, now_ns, blocks))
            elif chunk.tag == "BACK":
                self._back(*msgspec.convert(value, tuple[int, int, int]), place)
            else:
                msgspec.convert(value, tuple[int, int])
                self.done = True
        except msgspec.ValidationError as error:
            raise SnapshotError(f"the chunk is not valid: {error}", where=place) from error

    def _move(self, tick: int, now_ns: int, place: str) -> None:
        """Let the stream go on in time, by no more than a digest's distance, so that no number sends a replay far."""
        last_tick, last_ns = self._at
        if not last_tick <= tick <= last_tick + self.digest_ticks or not last_ns <= now_ns < 2**62:
            raise SnapshotError(f"tick {tick} does not follow tick {last_tick}", where=place)
        self._at = tick, now_ns

    def _back(self, tick: int, now_ns: int, given: int, place: str) -> None:
        """Forget what was given up."""
        if not self.first_tick <= tick or not 0 <= given <= len(self.commands) or not self.first_ns <= now_ns < 2**62:
            raise SnapshotError("the run goes back to a moment that is not in the file", where=place)
        self._at = tick, now_ns
        del self.commands[given:]
        self.digests = [d for d in self.digests if d.tick <= tick]
        self.keys = [k for k in self.keys if k.tick <= tick]
        self._histories = [(t, chunk) for t, chunk in self._histories if t <= tick]


class Player:
    """Advances a run and gives it recorded commands, each at its tick.

    Args:
        run: at the moment at which ``given`` commands had been given.
        commands: all of the recording's.
        given: how many the run has been given already.
        where: named in errors.
    """

    def __init__(self, run: Run, commands: Sequence[Given], given: int = 0, *, where: str = "recording") -> None:
        self.run = run
        self._commands, self._next, self._where = commands, given, where

    def run_until(self, at_ns: int, last_tick: int | None = None) -> None:
        """Run to the first tick boundary at or after an instant, but not beyond ``last_tick``."""
        sim = self.run.sim
        while True:
            self.feed()
            if sim.now_ns >= at_ns or (last_tick is not None and sim.tick >= last_tick):
                return
            if self._next >= len(self._commands) and last_tick is None:
                sim.run_until(at_ns)
            else:
                sim.advance()

    def run_to_tick(self, tick: int) -> None:
        """Run until so many ticks are done."""
        sim = self.run.sim
        while sim.tick < tick:
            self.feed()
            ahead = self._commands[self._next].tick if self._next < len(self._commands) else tick
            sim.advance(max(1, min(tick, ahead) - sim.tick))

    def feed(self) -> None:
        """Give the commands that were given at the present tick."""
        sim = self.run.sim
        while self._next < len(self._commands) and self._commands[self._next].tick <= sim.tick:
            try:
                sim.submit(self._commands[self._next].command)
            except InputError as error:
                raise SnapshotError(f"a command inside is not valid: {error}", where=self._where) from error
            self._next += 1


def is_recording(path: Path) -> bool:
    """Tell by its first chunk whether a file is a recording; False for anything else, readable or not."""
    try:
        if not path.is_file():
            return False  # opening a pipe would wait for somebody to write to it
        with path.open("rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                return False
            found: Iterator[Chunk | Tail] = container.chunks(file, path.stat().st_size)
            head = next(found)
            if isinstance(head, Tail):
                return False
            value = container.payload(file, head, where=str(path), limit=snapshot.HEAD_LIMIT)
            return isinstance(value, dict) and value.get("kind") == "recording"
    except (OSError, InputError):
        return False
