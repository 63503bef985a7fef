"""Snapshots: a ``.twin`` file in MessagePack that holds everything, and nothing that could run.

Layout (docs/format.md): a map with ``format`` and ``version`` first; ``spec`` is the resolved specification,
``catalog`` the catalogue entries that were used, ``inputs`` the foreign files (weather, traces), ``state``
every column as little-endian bytes, ``pending`` and ``log`` the commands, ``history`` the ring buffers, and
``digest`` the digest of the state. Sizes and types are checked before anything is allocated from them.
"""

from __future__ import annotations

import platform
import re
import sys
import tempfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgpack
import msgspec
import numpy as np

from twin import __version__
from twin.errors import InputError, SnapshotError, printable
from twin.scenario.checks import size_of
from twin.scenario.files import read_bytes, write_atomic
from twin.scenario.run import Run, build_run, catalog_of
from twin.site.spec import Spec
from twin.state.state import State
from twin.wiring import Command, Event

FORMAT, VERSION = "twin-snapshot", 1
FILE_LIMIT = 1 << 30
INPUT_LIMIT = 64 << 20
_SAFE_NAME = re.compile(r"^[A-Za-z0-9_.-]{1,128}$")
_KEYS = {"format": str, "version": int, "program": str, "platform": str, "spec": dict, "seed": int, "variant": str,
         "catalog": dict, "inputs": dict, "state": dict, "pending": list, "log": list, "events": list,
         "history": dict, "digest": str, "source": str}


def to_bytes(run: Run) -> bytes:
    """Return the whole run as the bytes of a ``.twin`` file."""
    sim = run.sim
    history = {} if sim.histories is None else {k: v.tobytes() for k, v in sim.histories.save().items()}
    document = {
        "format": FORMAT, "version": VERSION, "program": __version__, "platform": platform.machine(),
        "source": run.source, "spec": msgspec.to_builtins(run.spec), "seed": sim.seed, "variant": run.variant,
        "catalog": run.catalog_used, "inputs": run.inputs,
        "state": _state_out(sim.state),
        "pending": [_command_out(c) for c in sim.pending],
        "log": [[tick, _command_out(c)] for tick, c in sim.log],
        "events": [[e.at_ns, e.severity, e.kind, e.place, e.text] for e in sim.events],
        "history": history, "digest": sim.digest(),
    }
    return msgpack.packb(document, use_bin_type=True)


def save(run: Run, path: Path) -> int:
    """Write a snapshot, whole or not at all; return its size in bytes."""
    return write_atomic(path, [to_bytes(run)])


def load(path: Path) -> Run:
    """Read a snapshot and return the run at exactly that moment.

    Raises:
        SnapshotError: truncated, damaged, oversized, of another format, or not for this program.
    """
    try:
        return from_bytes(read_bytes(path, FILE_LIMIT), where=str(path))
    except SnapshotError:
        raise
    except InputError as error:
        raise SnapshotError(error.what, where=error.where or str(path), expected=error.expected,
                            nearest=error.nearest) from error


def read_document(data: bytes, *, where: str) -> dict[str, Any]:
    """Unpack and check the outer shape of a snapshot without building anything."""
    try:
        document = msgpack.unpackb(
            data, raw=False, strict_map_key=True, max_str_len=1 << 22, max_bin_len=FILE_LIMIT,
            max_array_len=1 << 20, max_map_len=1 << 16, max_ext_len=0)
    except Exception as error:  # msgpack raises many kinds for damaged input
        raise SnapshotError("the file is damaged or not a snapshot", where=where,
                            expected="a complete .twin file") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise SnapshotError("not a snapshot", where=where, expected=f"format '{FORMAT}'")
    if document.get("version") != VERSION:
        raise SnapshotError(f"format version {document.get('version')!r}", where=where, expected=f"version {VERSION}")
    if not _clean(document):
        raise SnapshotError("a text inside holds control characters", where=where)
    for key, kind in _KEYS.items():
        if not isinstance(document.get(key), kind):
            raise SnapshotError(f"'{key}' is missing or of the wrong type", where=where, expected=kind.__name__)
    return document


def _clean(value: Any, depth: int = 0) -> bool:
    """Tell whether no text in a document could steer a terminal."""
    if isinstance(value, str):
        return printable(value) == value
    if depth > 32:
        return False
    if isinstance(value, dict):
        return all(_clean(k, depth + 1) and _clean(v, depth + 1) for k, v in value.items())
    return all(_clean(v, depth + 1) for v in value) if isinstance(value, list) else True


def from_bytes(data: bytes, *, where: str = "snapshot") -> Run:
    """Build the run that ``to_bytes`` saved; every size and type is checked first."""
    document = read_document(data, where=where)
    try:
        spec = msgspec.convert(document["spec"], Spec)
    except msgspec.ValidationError as error:
        raise SnapshotError(f"the specification inside is not valid: {error}", where=where) from error
    _check_sizes(spec, document, where)
    with tempfile.TemporaryDirectory(prefix="twin-") as folder:
        _unpack_inputs(document["inputs"], Path(folder), where)
        try:
            run = build_run(spec, Path(folder), seed=document["seed"], source=document["source"],
                            catalog_extra=document["catalog"], inputs=document["inputs"], variant=document["variant"])
        except (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, MemoryError) as error:
            # The specification inside was checked when it was written; one that does not build was tampered with.
            raise SnapshotError(f"the site inside cannot be built ({type(error).__name__})", where=where) from error
    _state_in(run.sim.state, document["state"], where)
    wrong = run.sim.audit()
    if wrong:
        raise SnapshotError(f"the state inside is not one of this site: {wrong}", where=where)
    run.sim.pending = [_command_in(c, where) for c in document["pending"]]
    _check_pending(run, where)
    run.sim.log = [(int(tick), _command_in(c, where)) for tick, c in _pairs(document["log"], where)]
    run.sim.events.extend(_events_in(document["events"], where))
    run.sim.event_count = len(run.sim.events)
    if run.sim.histories is not None and document["history"]:
        _history_in(run, document["history"], where)
    run.sim.refresh()
    if run.sim.digest() != document["digest"]:
        raise SnapshotError("the digest does not fit the state", where=where, expected="an undamaged file")
    return run


def _check_sizes(spec: Spec, document: dict[str, Any], where: str) -> None:
    """Refuse a file whose site is larger than the state that it holds, before the site is built."""
    try:
        racks, gpus = size_of(spec, catalog_of(spec, document["catalog"]))
    except (ValueError, TypeError, OverflowError) as error:
        raise SnapshotError("the racks inside have no size", where=where) from error
    for size, path in ((gpus, ("chip", "gpu_temp_c")), (racks, ("power", "rack_input_w"))):
        block = document["state"].get(path[0])
        entry = block.get(path[1]) if isinstance(block, dict) else None
        if not isinstance(entry, list) or len(entry) != 3:
            raise SnapshotError("column is missing", where=f"{where}: {'.'.join(path)}")
        if not isinstance(entry[2], bytes) or len(entry[2]) != 8 * size:
            raise SnapshotError("column does not fit this site", where=f"{where}: {'.'.join(path)}",
                                expected=f"{size} numbers")


def _check_pending(run: Run, where: str) -> None:
    for command in run.sim.pending:
        try:
            run.sim.validate(command)
        except InputError as error:
            raise SnapshotError(f"a command inside is not valid: {error}", where=where) from error
        if not 0 <= command.at_ns < 2**62 or not 0 <= command.duration_ns < 2**62:
            raise SnapshotError("a command inside has no valid instant", where=where)


def _unpack_inputs(inputs: dict[str, Any], folder: Path, where: str) -> None:
    for name, packed in inputs.items():
        if not isinstance(name, str) or not _SAFE_NAME.match(name) or not isinstance(packed, bytes):
            raise SnapshotError("an input file inside has no valid name or content", where=where)
        unpacker = zlib.decompressobj()
        try:
            content = unpacker.decompress(packed, INPUT_LIMIT)
        except zlib.error as error:
            raise SnapshotError(f"input file '{name}' inside is damaged", where=where) from error
        if unpacker.unconsumed_tail or not unpacker.eof:
            raise SnapshotError(f"input file '{name}' inside is too large or cut off", where=where,
                                expected=f"at most {INPUT_LIMIT} bytes")
        (folder / name).write_bytes(content)


def _state_out(state: State) -> dict[str, dict[str, list[Any]]]:
    out: dict[str, dict[str, list[Any]]] = {}
    for block, col, array in state.columns():
        out.setdefault(block, {})[col.name] = [_little(array).dtype.str, array.size, _little(array).tobytes()]
    return out


def _little(array: Any) -> Any:
    return array if sys.byteorder == "little" else array.byteswap().view(array.dtype.newbyteorder("<"))


def _state_in(state: State, saved: dict[str, Any], where: str) -> None:
    for block, col, array in state.columns():
        found = saved.get(block, {}) if isinstance(saved.get(block), dict) else {}
        entry = found.get(col.name)
        place = f"{where}: {block}.{col.name}"
        if not isinstance(entry, list) or len(entry) != 3:
            raise SnapshotError("column is missing", where=place)
        dtype, size, data = entry
        expected = _little(array).dtype.str
        if dtype != expected or size != array.size or not isinstance(data, bytes) or len(data) != array.nbytes:
            raise SnapshotError("column does not fit this site", where=place, expected=f"{array.size} of {expected}")
        array[:] = np.frombuffer(data, dtype=expected)


def _history_in(run: Run, saved: dict[str, Any], where: str) -> None:
    assert run.sim.histories is not None
    arrays = {}
    for name, array in run.sim.histories.save().items():
        data = saved.get(name)
        if not isinstance(data, bytes) or len(data) != array.nbytes:
            raise SnapshotError(f"history '{name}' does not fit this site", where=where)
        arrays[name] = np.frombuffer(data, dtype=array.dtype)
        if np.isnan(arrays[name]).any():
            raise SnapshotError(f"history '{name}' holds what is no number", where=where)
    run.sim.histories.load(arrays)


def _command_out(command: Command) -> dict[str, Any]:
    return {"kind": command.kind, "at_ns": command.at_ns, "name": command.name, "target": command.target,
            "value": command.value, "duration_ns": command.duration_ns}


def _command_in(saved: Any, where: str) -> Command:
    try:
        return msgspec.convert(saved, Command)
    except msgspec.ValidationError as error:
        raise SnapshotError(f"a command inside is not valid: {error}", where=where) from error


def _pairs(saved: list[Any], where: str) -> Iterable[tuple[Any, Any]]:
    for item in saved:
        if not isinstance(item, list) or len(item) != 2 or not isinstance(item[0], int):
            raise SnapshotError("the command log inside is not valid", where=where)
        yield item[0], item[1]


def _events_in(saved: list[Any], where: str) -> Iterable[Event]:
    for item in saved:
        try:
            at_ns, severity, kind, place, text = msgspec.convert(item, tuple[int, str, str, str, str])
        except msgspec.ValidationError as error:
            raise SnapshotError(f"an event inside is not valid: {error}", where=where) from error
        if severity not in ("info", "warning", "critical"):
            raise SnapshotError(f"an event inside has the severity '{severity}'", where=where)
        yield Event(at_ns, severity, kind, place, text)  # type: ignore[arg-type]
