"""Verify a recording: run it again from its first moment and compare every digest and every keyframe."""

from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin import __version__
from twin.errors import InputError, SnapshotError
from twin.scenario import keyframe
from twin.scenario.recording import BlockDigests
from twin.scenario.replay import Digest, Key, Player, Recording
from twin.scenario.run import Run
from twin.units import format_duration


@dataclass(frozen=True)
class Difference:
    """The first element in which two moments differ, and how many elements of its column do."""

    block: str
    column: str
    index: int
    place: str
    left: float
    right: float
    count: int

    def __str__(self) -> str:
        where = f"{self.block}.{self.column}[{self.place or self.index}]"
        more = f" ({self.count:,} elements differ)" if self.count > 1 else ""
        return f"{where}: {self.left!r} and {self.right!r}{more}"


@dataclass(frozen=True)
class Divergence:
    """Where a run left its recording.

    Attributes:
        after_tick, tick, after_ns, now_ns: the digest interval; everything up to ``after_tick`` is equal.
        blocks: blocks that differ at its end, in the order of the tick.
        key_tick: the first keyframe that differs, -1 when none follows.
        difference: its first element that differs (left recorded, right now).
    """

    after_tick: int
    tick: int
    after_ns: int
    now_ns: int
    blocks: tuple[str, ...]
    key_tick: int = -1
    difference: Difference | None = None

    def __str__(self) -> str:
        span = f"between ticks {self.after_tick:,} and {self.tick:,} " \
               f"({format_duration(self.after_ns)} and {format_duration(self.now_ns)})"
        what = f"in {', '.join(self.blocks)}" if self.blocks else "in a keyframe alone"
        if self.difference is None:
            return f"the run leaves the recording {span}, {what}; no keyframe after it differs"
        return (f"the run leaves the recording {span}, {what}; the keyframe at tick {self.key_tick:,} differs first in "
                f"{self.difference} (recorded, now)")


@dataclass(frozen=True)
class Verification:
    """What came out.

    Attributes:
        ticks: ticks that were run again.
        digests, keyframes, commands: how many were compared or given.
        whole: the file is whole; a torn or damaged end is verified as far as it is readable.
        divergence: where the run left the recording, None when it never did.
        run: the run at the end.
        note: what may explain the divergence, empty when nothing is known.
    """

    ticks: int
    digests: int
    keyframes: int
    commands: int
    whole: bool
    divergence: Divergence | None
    run: Run
    note: str = ""


def verify(recording: Recording, look: Callable[[int], None] = lambda _: None) -> Verification:
    """Run a recording again and compare.

    Args:
        recording: the opened file.
        look: called now and then with the simulated instant reached, ns.

    Returns:
        What came out; after a divergence the run goes on to the first keyframe that differs, and ends there.
    """
    run = recording.begin()
    sim = run.sim
    digests = BlockDigests(sim)
    if recording.blocks != digests.names:
        raise SnapshotError("the recording has other blocks than this program", where=recording.where,
                            expected=", ".join(digests.names))
    _same_columns(recording, run)
    player = Player(run, recording.commands, where=recording.where)
    found: Divergence | None = None
    last = (recording.first_tick, recording.first_ns)
    seen = keys_seen = 0
    for stop in _stops(recording):
        player.run_to_tick(stop.tick)
        look(sim.now_ns)
        if isinstance(stop, Digest):
            seen += 1
            now = digests.now()
            if found is None and (now != stop.blocks or sim.now_ns != stop.now_ns):
                wrong = tuple(name for i, name in enumerate(digests.names)
                              if now[8 * i:8 * i + 8] != stop.blocks[8 * i:8 * i + 8])
                found = Divergence(last[0], stop.tick, last[1], stop.now_ns, wrong)
            if found is None:
                last = (stop.tick, stop.now_ns)
            continue
        keys_seen += 1
        difference = first_difference(run, recording.frame(stop), recording.where)
        if difference is not None:
            found = found or Divergence(last[0], stop.tick, last[1], stop.now_ns, ())
            found = Divergence(found.after_tick, found.tick, found.after_ns, found.now_ns, found.blocks, stop.tick,
                               difference)
            break
    else:
        player.run_to_tick(recording.last_tick)
        player.feed()
    return Verification(sim.tick - recording.first_tick, seen, keys_seen, len(recording.commands),
                        recording.tail.kind == "whole", found, run, _explained(recording, found))


def _explained(recording: Recording, found: Divergence | None) -> str:
    """Say what may be behind a divergence: another program, or one of the same number whose model was changed."""
    if found is None:
        return ""
    if recording.head["program"] != __version__:
        return f"the recording was made by another version of the program ({made_by(recording)})"
    if found.after_tick <= recording.first_tick:
        return ("it differs from its first ticks on: the model has probably changed since it was recorded "
                f"({made_by(recording)})")
    return ""


def _same_columns(recording: Recording, run: Run) -> None:
    """Refuse a recording of other columns: its digests are over columns that this program does not have.

    Raises:
        SnapshotError: says what differs, and which versions the two programs have.
    """
    recorded = {f"{block}.{name}" for block, columns in recording.head["state"].items() for name in columns}
    ours = {f"{block}.{col.name}" for block, col, _ in run.sim.state.columns()}
    unlike = sorted(recorded ^ ours)
    if unlike:
        only = "does not have" if unlike[0] in recorded else "has, the recording not"
        raise SnapshotError(f"recorded by another version of the model ({made_by(recording)}): {len(unlike)} columns "
                            f"are not the same, such as {unlike[0]}, which this program {only}; it can be opened and "
                            "replayed, but not verified", where=recording.where,
                            expected="a recording made by this version of the program")


def made_by(recording: Recording) -> str:
    """Return which program wrote a recording and which reads it."""
    head = recording.head
    return f"written by twin {head['program']} on {head['platform']}, this is {__version__} on {platform.machine()}"


def _stops(recording: Recording) -> list[Digest | Key]:
    """Return digests and keyframes in order of their ticks, a digest before the keyframe of the same tick."""
    stops: list[Digest | Key] = [*recording.digests, *recording.keys]
    return sorted(stops, key=lambda s: (s.tick, isinstance(s, Key)))


def first_difference(run: Run, frame: dict[str, Any], where: str) -> Difference | None:
    """Compare a keyframe (left) with a run (right); return the first difference in the order of the tick."""
    return next(iter(differences_of_frame(run, frame, where)), None)


def differences_of_frame(run: Run, frame: dict[str, Any], where: str) -> list[Difference]:
    """Return the first difference of every column in which a keyframe (left) and a run (right) differ."""
    out = []
    for block, col, array in run.sim.state.columns():
        recorded = np.empty_like(array)
        try:
            keyframe.unpack(recorded, frame["state"][block][col.name], f"{block}.{col.name}")
        except (InputError, KeyError) as error:
            raise SnapshotError(f"a keyframe inside does not fit this program: {block}.{col.name}",
                                where=where) from error
        difference = compare(run, block, col.name, col.axis, recorded, array)
        if difference is not None:
            out.append(difference)
    return out


def compare(run: Run, block: str, column: str, axis: str, left: NDArray[Any], right: NDArray[Any]) -> Difference | None:
    """Return the first difference of two arrays of one column, None when every bit is equal."""
    unlike = left.view(f"u{left.itemsize}") != right.view(f"u{right.itemsize}")
    if not unlike.any():
        return None
    index = int(unlike.argmax())
    names = run.sim.site.names.get(axis, ())
    place = str(names[index]) if len(names) > index else ""
    return Difference(block, column, index, place, left[index].item(), right[index].item(), int(unlike.sum()))
