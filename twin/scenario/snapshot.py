"""Snapshots: a moment of a run as a ``.twin`` file, from which it goes on with the same bits.

A snapshot is the container (``container.py``) with the chunks of one document (``document.py``) and nothing behind
it: ``HEAD``, ``INPT`` for every input file, ``STAT`` with every column, ``RING`` with the histories, ``LIST`` for
commands and events, ``BASE`` with the digest. A recording begins with the same chunks. Files of version 1, one
MessagePack map, are read as well.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from twin.errors import InputError, SnapshotError
from twin.scenario import container, document
from twin.scenario.container import MAGIC, Chunk, Tail
from twin.scenario.files import read_bytes, write_atomic
from twin.scenario.migrations import check_version, migrate
from twin.scenario.run import Run

FILE_LIMIT = 1 << 30
#: unpacked bytes of chunks that do not grow with the site
HEAD_LIMIT = 64 << 20
#: bytes of state and histories that a site may need: a fixed part, and so many per GPU and per rack
_STATE_FIXED, _PER_GPU, _PER_RACK = 32 << 20, 1 << 10, 1 << 16
#: commands or events of one chunk
LIST_ITEMS = 4096
_LISTS = ("pending", "log", "events")


def to_bytes(run: Run) -> bytes:
    """Return the whole run as the bytes of a ``.twin`` file."""
    return pack(document.describe(run))


def save(run: Run, path: Path) -> int:
    """Write a snapshot, whole or not at all; return its size in bytes."""
    return write_atomic(path, [to_bytes(run)])


def load(path: Path) -> Run:
    """Read a snapshot and return the run at exactly that moment.

    Raises:
        SnapshotError: truncated, damaged, oversized, of another format, or not for this program.
    """
    return document.build(read(path), where=str(path))


def read(path: Path) -> dict[str, Any]:
    """Read a snapshot file and return its document, brought to the present version, without building anything."""
    try:
        return read_document(read_bytes(path, FILE_LIMIT), where=str(path))
    except SnapshotError:
        raise
    except InputError as error:
        raise SnapshotError(error.what, where=error.where or str(path), expected=error.expected,
                            nearest=error.nearest) from error


def from_bytes(data: bytes, *, where: str = "snapshot") -> Run:
    """Build the run that ``to_bytes`` saved; every size and type is checked first."""
    return document.build(read_document(data, where=where), where=where)


def pack(parts: dict[str, Any]) -> bytes:
    """Return a document as the bytes of a container."""
    return b"".join([MAGIC, *chunks_of(parts)])


def chunks_of(parts: dict[str, Any]) -> list[bytes]:
    """Return the chunks of a document, numbered from 0."""
    head = {key: parts[key] for key in parts if key not in
            ("inputs", "state", "history", "digest", "event_count", *_LISTS)}
    values: list[tuple[str, Any]] = [("HEAD", head)]
    values += [("INPT", [name, packed]) for name, packed in parts["inputs"].items()]
    values.append(("STAT", parts["state"]))
    if parts["history"]:
        values.append(("RING", parts["history"]))
    for name in _LISTS:
        items = parts[name]
        values += [("LIST", [name, items[i:i + LIST_ITEMS]]) for i in range(0, len(items), LIST_ITEMS)]
    values.append(("BASE", {"event_count": parts["event_count"], "digest": parts["digest"]}))
    return [container.pack(tag, number, value, level=1 if tag in ("STAT", "RING") else 3)
            for number, (tag, value) in enumerate(values)]


def read_document(data: bytes, *, where: str) -> dict[str, Any]:
    """Return the document of the present version in a snapshot's bytes, its outer shape checked."""
    if data[:len(MAGIC)] != MAGIC:
        out = migrate(container.unpack(data, where=where), where=where)
        document.check(out, where)
        return out
    file = io.BytesIO(data)
    found = container.chunks(file, len(data))
    out = read_base(file, found, where=where)
    rest = next(found)
    if out["kind"] != "snapshot":
        raise SnapshotError(f"a {out['kind']}, not a snapshot", where=where)
    if not isinstance(rest, Tail) or rest.kind != "whole":
        raise SnapshotError("the file is damaged or not a snapshot (more behind its end)", where=where,
                            expected="a complete .twin file")
    return out


def read_base(file: BinaryIO, found: Iterator[Chunk | Tail], *, where: str) -> dict[str, Any]:
    """Read the chunks of a document from the beginning of a container; the iterator is left behind ``BASE``.

    Raises:
        SnapshotError: a chunk is missing, damaged, out of order or larger than the site inside can need.
    """
    out: dict[str, Any] = {"inputs": {}, "history": {}} | {name: [] for name in _LISTS}
    limit = HEAD_LIMIT
    for chunk in found:
        if isinstance(chunk, Tail):
            raise SnapshotError(f"the file is damaged or not a snapshot ({chunk})", where=where,
                                expected="a complete .twin file")
        if (chunk.number == 0) != (chunk.tag == "HEAD"):
            raise SnapshotError("the file does not begin with its head", where=where)
        most = limit if chunk.tag in ("STAT", "RING") else HEAD_LIMIT
        value = container.payload(file, chunk, where=where, limit=most)
        _take(out, chunk, value, where)
        if chunk.tag == "HEAD":
            check_version(out, where=where)
            racks, gpus = document.sizes(document.spec_of(_checked(out, where), where), out, where)
            limit = state_limit(racks, gpus)
        elif chunk.tag == "BASE":
            out = migrate(out, where=where)
            document.check(out, where)
            return out
    raise AssertionError("chunks end with a tail")


def state_limit(racks: int, gpus: int) -> int:
    """Return how many bytes the state or the histories of a site may unpack to."""
    return min(container.CHUNK_LIMIT, _STATE_FIXED + _PER_GPU * gpus + _PER_RACK * racks)


def _checked(out: dict[str, Any], where: str) -> dict[str, Any]:
    for key in ("spec", "catalog"):
        if not isinstance(out.get(key), dict):
            raise SnapshotError(f"'{key}' is missing or of the wrong type", where=where, expected="dict")
    return out


def _take(out: dict[str, Any], chunk: Chunk, value: Any, where: str) -> None:
    """Put what a chunk holds at its place in the document."""
    tag = chunk.tag
    pair = isinstance(value, list) and len(value) == 2
    if tag in ("HEAD", "BASE") and isinstance(value, dict) and not set(value) & {"inputs", "state", "history", *_LISTS}:
        out.update(value)
    elif tag == "INPT" and pair and isinstance(value[0], str) and value[0] not in out["inputs"]:
        out["inputs"][value[0]] = value[1]
    elif tag == "STAT" and "state" not in out and isinstance(value, dict):
        out["state"] = value
    elif tag == "RING" and not out["history"] and isinstance(value, dict):
        out["history"] = value
    elif tag == "LIST" and pair and value[0] in _LISTS and isinstance(value[1], list):
        out[value[0]] += value[1]
    else:
        raise SnapshotError("the chunk does not belong here", where=f"{where}: chunk {chunk.number} ({tag})")
