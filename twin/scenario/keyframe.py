"""Keyframes: one moment of a run, small and quick to take, from which the run goes on with the same bits.

A keyframe holds every column, the commands that wait, how far the command log had come, the newest events and the
open buckets of the histories. It holds no site: it is put back into a run of the same site. It is made of plain
values (dict, list, str, int, float, bytes), so that it can be packed as MessagePack.

Why the ``derived`` columns are kept: a domain early in the tick reads what a later one wrote in the tick before, and
the mean power of a tick cannot be found again from its end. With them a restored moment has the digest of the
original, at once and not only after another tick. Most of them are long runs of one value and cost nearly nothing:
a column is kept as its runs when that is shorter.

The ring-buffer histories are not copied (they are five times as large as the state of a usual site). A keyframe keeps
the one bucket of each level that was still being filled. Going back drops every bucket that begins later and puts the
open ones back, so nothing that was still to come is ever shown as past. What the rings had meanwhile written over
is missing afterwards: there is then less history of the finest levels, and none of it wrong.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.engine.simulation import Simulation
from twin.errors import InputError
from twin.scenario.run import Run
from twin.wiring import Command, Event

#: newest events that a keyframe holds; as many as a screen lists
EVENTS_HELD = 500


def capture(run: Run) -> dict[str, Any]:
    """Return the present moment of a run; call between ticks only.

    Returns:
        ``now_ns``, ``tick``; ``state``: block -> column -> ``[dtype, size, bytes]``, or ``[dtype, size, bytes,
        starts]`` when the bytes are one value per run of equal ones and ``starts`` (little-endian int32) is where
        each run begins; ``pending``: commands that wait, each ``[kind, at_ns, name, target, value, duration_ns]``;
        ``log``: how many commands of the run's log were applied by then; ``events``: the newest, oldest first,
        ``[at_ns, severity, kind, place, text, data]``; ``event_count``; ``history``: the open buckets, empty when
        the run keeps no histories.
    """
    sim = run.sim
    state: dict[str, dict[str, list[Any]]] = {}
    for block, col, array in sim.state.columns():
        state.setdefault(block, {})[col.name] = _pack(array)
    newest = list(sim.events)[-EVENTS_HELD:]
    open_buckets = {} if sim.histories is None else sim.histories.open_buckets()
    return {
        "now_ns": sim.now_ns, "tick": sim.tick, "state": state,
        "pending": [[c.kind, c.at_ns, c.name, c.target, c.value, c.duration_ns] for c in sim.pending],
        "log": len(sim.log),
        "events": [[e.at_ns, e.severity, e.kind, e.place, e.text, dict(e.data)] for e in newest],
        "event_count": sim.event_count,
        "history": {name: _little(array).tobytes() for name, array in open_buckets.items()},
    }


def restore(run: Run, frame: dict[str, Any], log: Sequence[tuple[int, Command]] | None = None, *,
            audit: bool = False) -> None:
    """Put a run of the same site back to the moment of a keyframe; its arrays stay the same objects.

    Args:
        run: a run of the site, the variant and the seed that the keyframe was taken from; at any moment.
        frame: what ``capture`` returned.
        log: the commands applied on the way to that moment, at least; the run's own log when None. What is longer
            is cut to what had been applied by then. The commands that came later are not submitted again.
        audit: refuse a state that no run can have, before anything looks at it (for keyframes from files).

    Raises:
        InputError: the keyframe does not fit; the run may then be partly changed and must not be used.
    """
    sim = run.sim
    for block, col, array in sim.state.columns():
        try:
            entry = frame["state"][block][col.name]
        except (KeyError, TypeError):
            raise InputError("column is missing", where=f"keyframe: {block}.{col.name}") from None
        unpack(array, entry, f"keyframe: {block}.{col.name}")
    wrong = sim.audit() if audit else ""
    if wrong:
        raise InputError(f"the state is not one of this site: {wrong}", where="keyframe")
    applied = int(frame["log"])
    known = list(sim.log if log is None else log)
    if len(known) < applied:
        raise InputError(f"the log has {len(known)} commands", where="keyframe", expected=f"at least {applied}")
    sim.log[:] = known[:applied]
    sim.pending = [Command(*fields) for fields in frame["pending"]]
    sim.events.clear()
    sim.events.extend(Event(*fields) for fields in frame["events"])
    sim.event_count = int(frame["event_count"])
    if sim.histories is not None:
        _rewind(sim, frame["history"])
    sim.refresh()


def size_bytes(frame: dict[str, Any]) -> int:
    """Return about how much memory a keyframe takes."""
    held = 0
    for columns in frame["state"].values():
        for entry in columns.values():
            held += 250 + len(entry[2]) + (len(entry[3]) if len(entry) > 3 else 0)
    return held + sum(map(len, frame["history"].values())) + 400 * (len(frame["events"]) + len(frame["pending"]))


def _little(array: NDArray[Any]) -> NDArray[Any]:
    return array if sys.byteorder == "little" else array.byteswap().view(array.dtype.newbyteorder("<"))


def _bits(array: NDArray[Any]) -> NDArray[Any]:
    """Return the same memory as unsigned integers: -0 is not 0 there, and a NaN equals itself."""
    return array.view(f"u{array.itemsize}")


def _pack(array: NDArray[Any]) -> list[Any]:
    array = _little(array)
    dtype, size = array.dtype.str, int(array.size)
    if size > 8:
        bits = _bits(array)
        starts = np.flatnonzero(bits[1:] != bits[:-1])
        if (starts.size + 1) * (array.itemsize + 4) < array.nbytes:
            begins = np.empty(starts.size + 1, dtype="<i4")
            begins[0], begins[1:] = 0, starts + 1
            return [dtype, size, array[begins].tobytes(), begins.tobytes()]
    return [dtype, size, array.tobytes()]


def unpack(array: NDArray[Any], entry: Any, where: str) -> None:
    """Write the column of a keyframe into an array of its type and size; InputError when it does not fit."""
    expected = _little(array[:0]).dtype.str
    whole = isinstance(entry, list | tuple) and len(entry) in (3, 4)
    if not whole or entry[0] != expected or entry[1] != array.size:
        raise InputError("column does not fit this site", where=where, expected=f"{array.size} of {expected}")
    if not all(isinstance(part, bytes) for part in entry[2:]) or len(entry[2]) % array.itemsize:
        raise InputError("column is damaged", where=where)
    values = np.frombuffer(entry[2], dtype=expected)
    if len(entry) == 3:
        if values.size != array.size:
            raise InputError("column is damaged", where=where)
        array[:] = values
        return
    if len(entry[3]) != 4 * values.size or not values.size:
        raise InputError("column is damaged", where=where)
    starts = np.frombuffer(entry[3], dtype="<i4").astype(np.int64)
    lengths = np.diff(starts, append=array.size)
    if starts[0] != 0 or (lengths <= 0).any():
        raise InputError("column is damaged", where=where)
    array[:] = np.repeat(values, lengths)


def _rewind(sim: Simulation, saved: dict[str, Any]) -> None:
    assert sim.histories is not None
    arrays = {}
    for name, array in sim.histories.open_buckets().items():
        data = saved.get(name)
        if not isinstance(data, bytes) or len(data) != array.nbytes:
            sim.histories.clear()  # taken without histories: there is no past to show
            return
        arrays[name] = np.frombuffer(data, dtype=_little(array[:0]).dtype.str)
    sim.histories.rewind(arrays)
