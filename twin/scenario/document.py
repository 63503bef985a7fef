"""A run as one plain document, and back: what snapshots and the beginning of recordings hold.

A document is a dict of plain values (docs/format.md, "The document"). ``describe`` makes one of a run; ``build``
checks every size, type and range of one before anything is built or allocated from it, and gives the run back at
exactly that moment. How a document lies in a file is ``snapshot.py``'s affair, how old ones become new ones that of
``migrations.py``.
"""

from __future__ import annotations

import hashlib
import platform
import re
import sys
import tempfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from twin import __version__
from twin.engine.simulation import Simulation
from twin.errors import InputError, SnapshotError
from twin.scenario.checks import size_of
from twin.scenario.run import Run, build_run, catalog_of
from twin.site.spec import Spec
from twin.state.state import State
from twin.wiring import Command, Event

FORMAT, VERSION = "twin", 2
INPUT_LIMIT = 64 << 20
_SAFE_NAME = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9_.-]{1,128}\Z")
_KEYS = {"format": str, "version": int, "kind": str, "program": str, "platform": str, "spec": dict, "seed": int,
         "variant": str, "catalog": dict, "rows": dict, "inputs": dict, "state": dict, "pending": list, "log": list,
         "events": list, "event_count": int, "history": dict, "digest": str, "source": str}


def describe(run: Run, kind: str = "snapshot") -> dict[str, Any]:
    """Return the present moment of a run as a document."""
    sim = run.sim
    history = {} if sim.histories is None else {k: little(v).tobytes() for k, v in sim.histories.save().items()}
    state = state_out(sim.state)
    return {
        "format": FORMAT, "version": VERSION, "kind": kind, "program": __version__, "platform": platform.machine(),
        "source": run.source, "spec": msgspec.to_builtins(run.spec), "seed": sim.seed, "variant": run.variant,
        "catalog": run.catalog_used, "rows": rows_of(sim), "inputs": run.inputs, "state": state,
        "pending": [command_out(c) for c in sim.pending],
        "log": [[tick, command_out(c)] for tick, c in sim.log],
        "events": [[e.at_ns, e.severity, e.kind, e.place, e.text, dict(e.data)] for e in sim.events],
        "event_count": sim.event_count, "history": history, "digest": digest_of(state),
    }


def build(document: dict[str, Any], *, where: str) -> Run:
    """Return the run that a document of the present version describes; every size and type is checked first.

    Raises:
        SnapshotError: something in it is of the wrong type or size, does not fit its own specification, or is no
            state that a run can have.
    """
    check(document, where)
    spec = spec_of(document, where)
    _check_sizes(spec, document, where)
    run = bare_run(document, spec, where)
    sim = run.sim
    if digest_of(document["state"]) != document["digest"]:
        raise SnapshotError("the digest does not fit the state", where=where, expected="an undamaged file")
    lacking = state_in(sim, document["state"], document["rows"], where)
    wrong = sim.audit()
    if wrong:
        raise SnapshotError(f"the state inside is not one of this site: {wrong}", where=where)
    sim.pending = [command_in(c, where) for c in document["pending"]]
    _check_pending(run, where)
    sim.log = [(int(tick), command_in(c, where)) for tick, c in _pairs(document["log"], where)]
    sim.events.extend(events_in(document["events"], where))
    sim.event_count = max(len(sim.events), document["event_count"])
    if not same_series(sim, document["rows"]):
        lacking.append("all histories")
    elif sim.histories is not None and document["history"]:
        _history_in(run, document["history"], where)
    sim.refresh()
    if lacking:
        sim.events.append(Event(sim.now_ns, "info", "session", "",
                                f"the file is of another version of the program; new begin {', '.join(lacking)}"[:400]))
    return run


class _Rows(msgspec.Struct, forbid_unknown_fields=True):
    faults: list[str] = []
    alarms: list[tuple[str, str]] = []
    series: list[tuple[str, str]] = []


def check(document: Any, where: str) -> None:
    """Check the outer shape of a document without building anything."""
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise SnapshotError("not a snapshot", where=where, expected=f"format '{FORMAT}'")
    for key, kind in _KEYS.items():
        value = document.get(key)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise SnapshotError(f"'{key}' is missing or of the wrong type", where=where, expected=kind.__name__)
    if not 0 <= document["event_count"] < 2**62:
        raise SnapshotError("'event_count' is out of range", where=where)
    try:
        msgspec.convert(document["rows"], _Rows, strict=True)
    except msgspec.ValidationError as error:
        raise SnapshotError(f"the names of rows inside are not valid: {error}", where=where) from error


def spec_of(document: Mapping[str, Any], where: str) -> Spec:
    """Return the specification inside a document."""
    try:
        return msgspec.convert(document["spec"], Spec)
    except msgspec.ValidationError as error:
        raise SnapshotError(f"the specification inside is not valid: {error}", where=where) from error


def bare_run(document: Mapping[str, Any], spec: Spec, where: str) -> Run:
    """Build the site and the simulation of a document at the scenario's beginning."""
    with tempfile.TemporaryDirectory(prefix="twin-") as folder:
        _unpack_inputs(document["inputs"], Path(folder), where)
        try:
            return build_run(spec, Path(folder), seed=document["seed"], source=document["source"],
                             catalog_extra=document["catalog"], inputs=document["inputs"],
                             variant=document["variant"])
        except (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, MemoryError) as error:
            # The specification inside was checked when it was written; one that does not build was tampered with.
            raise SnapshotError(f"the site inside cannot be built ({type(error).__name__})", where=where) from error


def clock_of(document: Mapping[str, Any], name: str, where: str) -> int:
    """Return ``clock.tick`` or ``clock.now_ns`` of a document without building anything."""
    clock = document["state"].get("clock")
    entry = clock.get(name) if isinstance(clock, dict) else None
    if not isinstance(entry, list) or len(entry) != 3 or not isinstance(entry[2], bytes) or len(entry[2]) != 8:
        raise SnapshotError("column is missing", where=f"{where}: clock.{name}")
    return int.from_bytes(entry[2], "little", signed=True)


def rows_of(sim: Simulation) -> dict[str, Any]:
    """Return the names behind the numbers: fault kinds, alarms and series in order, with the axes they lie on."""
    return {"faults": [kind.name for _, kind in sim.registry.faults],
            "alarms": [[kind.name, kind.axis] for _, kind in sim.registry.alarms],
            "series": [[f"{block}.{col.name}", col.axis] for block, col, _ in sim.state.columns() if col.history]}


def same_series(sim: Simulation, rows: Mapping[str, Any]) -> bool:
    """Tell whether a file's histories are those of the columns that this program keeps histories of."""
    return bool(rows.get("series") == rows_of(sim)["series"])


# ---- the state ---------------------------------------------------------------------------------------------


def little(array: NDArray[Any]) -> NDArray[Any]:
    """Return an array with little-endian elements."""
    return array if sys.byteorder == "little" else array.byteswap().view(array.dtype.newbyteorder("<"))


def state_out(state: State) -> dict[str, dict[str, list[Any]]]:
    """Return block -> column -> ``[dtype, size, bytes]``."""
    out: dict[str, dict[str, list[Any]]] = {}
    for block, col, array in state.columns():
        out.setdefault(block, {})[col.name] = [little(array).dtype.str, array.size, little(array).tobytes()]
    return out


def digest_of(saved: Mapping[str, Any]) -> str:
    """Return the digest of a saved state, over its own columns in its own order (as ``State.digest``)."""
    total = hashlib.blake2b(digest_size=16)
    for block, columns in saved.items():
        for name, entry in columns.items() if isinstance(columns, dict) else ():
            if isinstance(entry, list) and len(entry) == 3 and isinstance(entry[2], bytes):
                total.update(f"{block}.{name}:{entry[0]}:{entry[1]};".encode())
                total.update(entry[2])
    return total.hexdigest()


def state_in(sim: Simulation, saved: Mapping[str, Any], rows: Mapping[str, Any], where: str) -> list[str]:
    """Load saved columns; return the names of those that the file is too old to have."""
    known: dict[str, set[str]] = {}
    lacking = []
    for block, col, array in sim.state.columns():
        known.setdefault(block, set()).add(col.name)
        columns = saved.get(block, {})
        if isinstance(columns, dict) and col.name not in columns:
            lacking.append(f"{block}.{col.name}")
            continue
        place = f"{where}: {block}.{col.name}"
        values = _column(columns[col.name] if isinstance(columns, dict) else None, array, place)
        if block == "alarms":
            _points_in(sim, values, array, rows, place)
        elif values.size != array.size:
            raise SnapshotError("column does not fit this site", where=place, expected=f"{array.size} numbers")
        else:
            array[:] = values
    for block, columns in saved.items():
        foreign = set(columns) - known.get(block, set()) if isinstance(columns, dict) else {"?"}
        if foreign:
            raise SnapshotError("column is not known to this program", where=f"{where}: {block}.{min(foreign)}",
                                expected="a file of this or an older version of the program")
    _kinds_in(sim, rows, where)
    return lacking


def _column(entry: Any, array: NDArray[Any], place: str) -> NDArray[Any]:
    if not isinstance(entry, list) or len(entry) != 3:
        raise SnapshotError("column is missing", where=place)
    dtype, size, data = entry
    expected = little(array[:0]).dtype.str
    whole = type(size) is int and isinstance(data, bytes) and len(data) == size * array.itemsize
    if dtype != expected or not whole:
        raise SnapshotError("column does not fit this site", where=place, expected=f"{array.size} of {expected}")
    return np.frombuffer(data, dtype=expected)


def _points_in(sim: Simulation, values: NDArray[Any], array: NDArray[Any], rows: Mapping[str, Any],
               place: str) -> None:
    """Give every alarm its own points back, by name: the program may have learnt new alarms since."""
    axes = sim.site.axes
    saved: dict[str, slice] = {}
    at = 0
    for row in rows.get("alarms", ()):
        if not isinstance(row, list) or len(row) != 2 or row[1] not in axes:
            raise SnapshotError("an alarm inside lies on no axis of this site", where=place)
        saved[row[0]] = slice(at, at + axes[row[1]])
        at += axes[row[1]]
    if at != values.size:
        raise SnapshotError("column does not fit this site", where=place, expected=f"{at} numbers")
    at = 0
    for _, kind in sim.registry.alarms:
        size = axes[kind.axis]
        found = saved.get(kind.name)
        if found is not None and found.stop - found.start == size:
            array[at:at + size] = values[found]
        at += size


def _kinds_in(sim: Simulation, rows: Mapping[str, Any], where: str) -> None:
    """Turn the saved numbers of fault kinds into this program's, by name."""
    names = rows.get("faults", ())
    kinds = sim.state.faults.slot_kind
    for slot in np.flatnonzero(kinds >= 0):
        number = int(kinds[slot])
        if number >= len(names):
            continue  # the audit says where and what
        try:
            kinds[slot] = sim.registry.fault(names[number])
        except InputError as error:
            raise SnapshotError(f"a fault inside is not known: {error}", where=where) from error


def _check_sizes(spec: Spec, document: Mapping[str, Any], where: str) -> None:
    """Refuse a file whose site is larger than the state that it holds, before the site is built."""
    racks, gpus = sizes(spec, document, where)
    for size, path in ((gpus, ("chip", "gpu_temp_c")), (racks, ("power", "rack_input_w"))):
        block = document["state"].get(path[0])
        entry = block.get(path[1]) if isinstance(block, dict) else None
        if not isinstance(entry, list) or len(entry) != 3:
            raise SnapshotError("column is missing", where=f"{where}: {'.'.join(path)}")
        if not isinstance(entry[2], bytes) or len(entry[2]) != 8 * size:
            raise SnapshotError("column does not fit this site", where=f"{where}: {'.'.join(path)}",
                                expected=f"{size} numbers")


def sizes(spec: Spec, document: Mapping[str, Any], where: str) -> tuple[int, int]:
    """Return the racks and GPUs that a specification inside a file asks for."""
    try:
        return size_of(spec, catalog_of(spec, document["catalog"]))
    except (ValueError, TypeError, OverflowError) as error:
        raise SnapshotError("the racks inside have no size", where=where) from error


# ---- commands, events, histories, inputs --------------------------------------------------------------------


def command_out(command: Command) -> dict[str, Any]:
    """Return a command as plain values."""
    return {"kind": command.kind, "at_ns": command.at_ns, "name": command.name, "target": command.target,
            "value": command.value, "duration_ns": command.duration_ns}


def command_in(saved: Any, where: str) -> Command:
    """Return the command that was saved; types are checked."""
    try:
        command = msgspec.convert(saved, Command)
    except msgspec.ValidationError as error:
        raise SnapshotError(f"a command inside is not valid: {error}", where=where) from error
    if not -2**62 < command.at_ns < 2**62 or not -2**62 < command.duration_ns < 2**62:
        raise SnapshotError("a command inside has no valid instant", where=where)
    return command


def events_in(saved: Iterable[Any], where: str) -> Iterable[Event]:
    """Yield the events that were saved; types are checked."""
    for item in saved:
        try:
            at_ns, severity, kind, place, text, data = msgspec.convert(
                item, tuple[int, str, str, str, str, dict[str, str | int | float | bool | None]])
        except msgspec.ValidationError as error:
            raise SnapshotError(f"an event inside is not valid: {error}", where=where) from error
        if severity not in ("info", "warning", "critical"):
            raise SnapshotError(f"an event inside has the severity '{severity}'", where=where)
        yield Event(at_ns, severity, kind, place, text, data)  # type: ignore[arg-type]


def _check_pending(run: Run, where: str) -> None:
    for command in run.sim.pending:
        try:
            run.sim.validate(command)
        except InputError as error:
            raise SnapshotError(f"a command inside is not valid: {error}", where=where) from error
        if command.at_ns < 0 or command.duration_ns < 0:
            raise SnapshotError("a command inside has no valid instant", where=where)


def _pairs(saved: list[Any], where: str) -> Iterable[tuple[Any, Any]]:
    for item in saved:
        if not isinstance(item, list) or len(item) != 2 or not isinstance(item[0], int):
            raise SnapshotError("the command log inside is not valid", where=where)
        yield item[0], item[1]


def _history_in(run: Run, saved: Mapping[str, Any], where: str) -> None:
    assert run.sim.histories is not None
    arrays = {}
    for name, array in run.sim.histories.save().items():
        data = saved.get(name)
        if not isinstance(data, bytes) or len(data) != array.nbytes:
            raise SnapshotError(f"history '{name}' does not fit this site", where=where)
        arrays[name] = np.frombuffer(data, dtype=little(array[:0]).dtype)
        if np.isnan(arrays[name]).any():
            raise SnapshotError(f"history '{name}' holds what is no number", where=where)
    run.sim.histories.load(arrays)


def _unpack_inputs(inputs: Mapping[str, Any], folder: Path, where: str) -> None:
    """Write the input files inside, piece by piece: how far they unpack is not known before."""
    room = INPUT_LIMIT
    for name, packed in inputs.items():
        if not isinstance(name, str) or not _SAFE_NAME.match(name) or not isinstance(packed, bytes):
            raise SnapshotError("an input file inside has no valid name or content", where=where)
        unpacker = zlib.decompressobj()
        try:
            with (folder / name).open("wb") as file:
                left = packed
                while room > 0 and not unpacker.eof:
                    part = unpacker.decompress(left, min(room, 1 << 20))
                    left = unpacker.unconsumed_tail
                    room -= file.write(part)
                    if not part and not left:
                        break
        except zlib.error as error:
            raise SnapshotError(f"input file '{name}' inside is damaged", where=where) from error
        if not unpacker.eof:
            raise SnapshotError(f"input file '{name}' inside is too large or cut off", where=where,
                                expected=f"at most {INPUT_LIMIT} bytes in all")
