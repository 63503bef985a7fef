"""Compare two specifications, snapshots or recordings: what differs first, block by block, element by element."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from twin.errors import InputError, SnapshotError
from twin.scenario import document, keyframe, snapshot
from twin.scenario.open import open_run
from twin.scenario.replay import Recording, is_recording
from twin.scenario.run import Run
from twin.scenario.verify import compare
from twin.state.state import ALL_BLOCKS
from twin.units import format_duration
from twin.wiring import Command

_ABSENT = "(none)"


@dataclass(frozen=True)
class Item:
    """One difference.

    Attributes:
        section: ``run``, ``spec``, ``catalog``, ``commands``, ``digests`` or ``state``.
        where: key, command number or column.
        left, right: both values.
        note: what else is worth knowing.
    """

    section: str
    where: str
    left: Any
    right: Any
    note: str = ""

    def __str__(self) -> str:
        return f"{self.section}: {self.where}: {self.left} | {self.right}" + (f" ({self.note})" if self.note else "")


@dataclass
class _Side:
    """One of the two files, as far as all kinds have it in common."""

    name: str
    kind: str
    head: Mapping[str, Any]
    recording: Recording | None = None
    _run: list[Run] = field(default_factory=list)

    @property
    def run(self) -> Run:
        """A run of the site, for its names and sizes; its moment means nothing."""
        if not self._run:
            self._run.append(document.bare_run(self.head, document.spec_of(self.head, self.name), self.name))
        return self._run[0]


def diff(left: str, right: str) -> list[Item]:
    """Return what differs between two files, in the order in which it matters.

    Both are names of built-in scenarios, ``.toml`` or ``.twin`` files. Two specifications are compared key by key;
    snapshots also by their commands and every column; recordings by commands, digests, and the first keyframe that
    differs; a snapshot and a recording at the snapshot's moment.

    Raises:
        InputError: a file cannot be read, or the two cannot be compared.
    """
    with ExitStack() as open_files:
        a, b = _side(left, open_files), _side(right, open_files)
        try:
            return list(_differences(a, b))
        except (TypeError, ValueError, AttributeError, LookupError) as error:  # files are compared without being built
            raise SnapshotError(f"one of the files cannot be compared ({type(error).__name__})",
                                where=f"{left}, {right}", expected="files that open") from error


def _differences(a: _Side, b: _Side) -> Iterator[Item]:
    yield from _heads(a, b)
    if "scenario" in (a.kind, b.kind):
        return
    if a.recording is not None and b.recording is not None:
        yield from _recordings(a, b)
    else:
        yield from _moments(_at(a, b), _at(b, a))


def _side(name: str, open_files: ExitStack) -> _Side:
    path = Path(name)
    if not name.endswith(".twin"):
        run = open_run(name, history=False)
        head = {"spec": msgspec.to_builtins(run.spec), "catalog": run.catalog_used, "seed": run.sim.seed,
                "variant": run.variant, "inputs": run.inputs}
        return _Side(name, "scenario", head)
    if is_recording(path):
        recording = open_files.enter_context(Recording(path))
        return _Side(name, "recording", recording.head, recording)
    return _Side(name, "snapshot", snapshot.read(path))


def _heads(a: _Side, b: _Side) -> Iterator[Item]:
    for key in ("seed", "variant"):
        if a.head[key] != b.head[key]:
            yield Item("run", key, a.head[key], b.head[key])
    yield from _trees("spec", a.head["spec"], b.head["spec"])
    yield from _trees("catalog", a.head["catalog"], b.head["catalog"])
    for name in sorted({*a.head["inputs"], *b.head["inputs"]}):
        one, other = a.head["inputs"].get(name), b.head["inputs"].get(name)
        if one != other:
            yield Item("run", f"input {name}", *(_ABSENT if v is None else f"{len(v):,} bytes" for v in (one, other)))


def _trees(section: str, a: Any, b: Any) -> Iterator[Item]:
    left, right = dict(_leaves(a, "")), dict(_leaves(b, ""))
    for key in [*left, *(k for k in right if k not in left)]:
        one, other = left.get(key, _ABSENT), right.get(key, _ABSENT)
        if one != other or type(one) is not type(other):
            yield Item(section, key, one, other)


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield (dotted key, value); items of a list are counted from 1, as in ``--set``, or called by their name."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple) and value:
        named = [inner.get("name") if isinstance(inner, Mapping) else None for inner in value]
        whole = all(named) and len(set(named)) == len(named)
        for i, inner in enumerate(value):
            yield from _leaves(inner, f"{path}.{named[i] if whole else i + 1}")
    else:
        yield path, value


def _commands(a: Sequence[tuple[int, Command]], b: Sequence[tuple[int, Command]]) -> Iterator[Item]:
    """Yield the first command that differs."""
    for i in range(max(len(a), len(b))):
        one, other = (_said(side[i]) if i < len(side) else _ABSENT for side in (a, b))
        if one != other:
            yield Item("commands", f"number {i + 1}", one, other, f"{len(a)} and {len(b)} commands")
            return


def _said(item: tuple[int, Command]) -> str:
    tick, c = item
    text = " ".join(part for part in (c.kind, c.name, c.target) if part)
    value = "" if c.value is None else f" = {c.value!r}"
    lasts = f" for {format_duration(c.duration_ns)}" if c.duration_ns else ""
    return f"tick {tick}: {text}{value}{lasts} at {format_duration(c.at_ns)}"


# ---- recordings --------------------------------------------------------------------------------------------


def _recordings(a: _Side, b: _Side) -> Iterator[Item]:
    one, other = a.recording, b.recording
    assert one is not None
    assert other is not None
    for name in ("first_tick", "last_tick"):
        if getattr(one, name) != getattr(other, name):
            yield Item("run", name.replace("_", " "), getattr(one, name), getattr(other, name))
    yield from _commands([(g.tick, g.command) for g in one.commands], [(g.tick, g.command) for g in other.commands])
    found = _digests(one, other)
    if found is not None:
        yield found
    theirs = {k.tick: k for k in other.keys}
    for key in one.keys:
        if key.tick in theirs:
            left, right = one.frame(key), other.frame(theirs[key.tick])
            differences = list(_states(a, b, left["state"], right["state"], f"keyframe at tick {key.tick:,}"))
            if differences:
                yield from differences
                return


def _digests(one: Recording, other: Recording) -> Item | None:
    if one.blocks != other.blocks:
        return Item("digests", "blocks", ", ".join(one.blocks), ", ".join(other.blocks))
    theirs = {d.tick: d.blocks for d in other.digests}
    since = one.first_tick
    for digest in one.digests:
        blocks = theirs.get(digest.tick)
        if blocks is None:
            continue
        if blocks != digest.blocks:
            span = [slice(8 * i, 8 * i + 8) for i in range(len(one.blocks))]
            wrong = [i for i, at in enumerate(span) if blocks[at] != digest.blocks[at]]
            left, right = (f"{int.from_bytes(d[span[wrong[0]]], 'little'):016x}" for d in (digest.blocks, blocks))
            return Item("digests", f"between ticks {since:,} and {digest.tick:,}", left, right,
                        "in " + ", ".join(one.blocks[i] for i in wrong))
        since = digest.tick
    return None


# ---- moments -----------------------------------------------------------------------------------------------


@dataclass
class _Moment:
    side: _Side
    state: Mapping[str, Any]
    tick: int
    log: list[tuple[int, Command]]


def _at(side: _Side, other: _Side) -> _Moment:
    """Return a snapshot's moment, or that of a recording at the other side's."""
    if side.recording is not None:
        run = side.recording.open(document.clock_of(other.head, "now_ns", other.name))
        return _Moment(side, document.state_out(run.sim.state), run.sim.tick, run.sim.log)
    log = [(int(tick), document.command_in(c, side.name)) for tick, c in side.head["log"]]
    return _Moment(side, side.head["state"], document.clock_of(side.head, "tick", side.name), log)


def _moments(a: _Moment, b: _Moment) -> Iterator[Item]:
    if a.tick != b.tick:
        yield Item("run", "tick", a.tick, b.tick)
    yield from _commands(a.log, b.log)
    yield from _states(a.side, b.side, a.state, b.state, "")


def _states(a: _Side, b: _Side, left: Mapping[str, Any], right: Mapping[str, Any], note: str) -> Iterator[Item]:
    """Yield the first difference of every column, in the order of the tick."""
    for block in ALL_BLOCKS:
        name = block.block_name
        for col in block.columns:
            where = f"{name}.{col.name}"
            entries = [side.get(name, {}).get(col.name) for side in (left, right)]
            if entries[0] == entries[1]:
                continue
            if None in entries:
                left_one, right_one = (_ABSENT if e is None else "there" for e in entries)
                yield Item("state", where, left_one, right_one, note)
                continue
            one, other = (_array(e, f"{s.name}: {where}", s, name, col.name)
                          for e, s in zip(entries, (a, b), strict=True))
            if one.dtype != other.dtype or one.size != other.size:
                yield Item("state", where, f"{one.size} of {one.dtype}", f"{other.size} of {other.dtype}", note)
                continue
            found = compare(a.run, name, col.name, col.axis, one, other)
            if found is not None:
                more = f"{found.count:,} elements differ" if found.count > 1 else ""
                place = "" if col.axis == "one" else f"[{found.place or found.index}]"
                yield Item("state", f"{where}{place}", found.left, found.right, ", ".join(t for t in (more, note) if t))


def _array(entry: Any, where: str, side: _Side, block: str, column: str) -> NDArray[Any]:
    """Return a saved column; one that is packed in runs is unpacked to the size that the site gives it."""
    plain = isinstance(entry, list) and len(entry) == 3 and entry[0] in ("<f8", "<i8", "<i4")
    if plain and isinstance(entry[2], bytes):
        if len(entry[2]) % np.dtype(entry[0]).itemsize:
            raise InputError("column is damaged", where=where)
        return np.frombuffer(entry[2], dtype=entry[0])
    out = np.empty_like(getattr(side.run.sim.state.blocks[block], column))
    keyframe.unpack(out, entry, where)
    return out
