"""Mutations of ``.twin`` files that keep every checksum right, so that what lies behind the checksums is reached."""

from __future__ import annotations

import io
import random
from typing import Any

import msgpack
import numpy as np

from twin.errors import SnapshotError
from twin.scenario import container, document
from twin.scenario.container import MAGIC, Chunk

LEAVES = (None, True, -1, 0, 7, 2**31, 2**62, 2**63 - 1, -(2**63), 1e308, float("nan"), "", "x" * 5000, b"\0" * 9, b"",
          [], {}, [[]], {"a": 1}, "A1", "<f8", "<i8", "|O", "<U9")
WILD = (0, 1, -1, 2**31 - 1, -(2**31), 255, 7)
WILD_F = (0.0, -1.0, 1e300, -1e300, float("nan"), float("inf"), 1e99, -1e99, 1e-320, 5.0, 1e6)

#: chunks with much inside
RICH = ("HEAD", "STAT", "LIST", "KEYF", "COMD")

#: in place of a tag: the file is one MessagePack value
VERSION_1 = ""

Chunks = list[tuple[str, Any]]


def values_of(data: bytes) -> Chunks:
    """Return (tag, value) of every whole chunk, or the one value of version 1; nothing when one cannot be read."""
    if data[:len(MAGIC)] != MAGIC:
        try:
            return [(VERSION_1, container.unpack(data, where="fuzz"))]
        except SnapshotError:
            return []
    file = io.BytesIO(data)
    out = []
    for chunk in container.chunks(file, len(data)):
        if isinstance(chunk, Chunk):
            try:
                out.append((chunk.tag, container.payload(file, chunk, where="fuzz", limit=1 << 24)))
            except SnapshotError:
                return []
    return out


def packed(parts: Chunks) -> bytes:
    """Return the file of these chunks, numbered and summed as it must be."""
    if parts[0][0] == VERSION_1:
        return bytes(msgpack.packb(parts[0][1], use_bin_type=True))
    return b"".join([MAGIC, *(container.pack(tag, n, value) for n, (tag, value) in enumerate(parts))])


def declared(data: bytes) -> int:
    """Return the bytes that a file has and that its chunks say they have unpacked, within the container's limit."""
    if data[:len(MAGIC)] != MAGIC:
        return len(data)
    found = container.chunks(io.BytesIO(data), len(data))
    return len(data) + sum(min(c.plain, container.CHUNK_LIMIT) for c in found if isinstance(c, Chunk))


def copied(value: Any) -> Any:
    """Return a copy of plain values."""
    if isinstance(value, dict):
        return {k: copied(v) for k, v in value.items()}
    return [copied(v) for v in value] if isinstance(value, list) else value


def changed(value: Any, draw: random.Random) -> Any:
    """Change one leaf or branch of a value in place; return it, or another in its place."""
    spots: list[tuple[Any, Any]] = []
    at = value
    while isinstance(at, dict | list) and len(at):
        key = draw.choice(list(at)) if isinstance(at, dict) else draw.randrange(len(at))
        spots.append((at, key))
        at = at[key]
    if not spots:
        return copied(draw.choice(LEAVES))
    inner, key = draw.choice(spots) if draw.random() < 0.25 else spots[-1]
    old = inner[key]
    if draw.random() < 0.15:
        del inner[key]
    elif isinstance(old, bytes) and len(old) >= 8 and draw.random() < 0.8:
        inner[key] = _wild_array(old, draw)
    elif isinstance(old, int) and not isinstance(old, bool) and draw.random() < 0.5:
        inner[key] = max(-(2**63), min(2**63 - 1, old + draw.choice((-1, 1, -60, 60, 10**9, -10**9))))
    else:
        inner[key] = copied(draw.choice(LEAVES))
    return value


def _wild_array(old: bytes, draw: random.Random) -> bytes:
    kind = draw.choice(("<f8", "<i4", "<i8"))
    whole = len(old) // 8 * 8
    array = np.frombuffer(old[:whole], dtype=kind).copy()
    spot = slice(None) if draw.random() < 0.3 else draw.randrange(array.size)
    array[spot] = draw.choice(WILD_F if kind == "<f8" else WILD)
    return array.tobytes() + old[whole:]


def mutated(parts: Chunks, draw: random.Random) -> bytes:
    """Return the file with a few values changed, chunks left out, repeated or exchanged, checksums right."""
    out = [(tag, copied(value)) for tag, value in parts]
    for _ in range(draw.randint(1, 3)):
        rich = [i for i, (tag, _) in enumerate(out) if tag in RICH]
        what, i = draw.random(), draw.choice(rich) if rich and draw.random() < 0.6 else draw.randrange(len(out))
        if what < 0.8:
            out[i] = (out[i][0], changed(out[i][1], draw))
        elif len(out) == 1:
            continue
        elif what < 0.87:
            out[i] = (draw.choice(out)[0], out[i][1])
        elif what < 0.94:
            out.insert(draw.randrange(len(out)), out[i])
        elif len(out) > 1:
            del out[i]
    if draw.random() < 0.8:
        _sign(out)
    return packed(out)


def _sign(parts: Chunks) -> None:
    """Give the document the digest that its state really has: only the content can give it away."""
    if parts[0][0] == VERSION_1:
        whole = parts[0][1]
        if isinstance(whole, dict) and isinstance(whole.get("state"), dict):
            whole["digest"] = document.digest_of(whole["state"])
        return
    states = [value for tag, value in parts if tag == "STAT" and isinstance(value, dict)]
    ends = [value for tag, value in parts if tag == "BASE" and isinstance(value, dict)]
    if states and ends:
        ends[0]["digest"] = document.digest_of(states[0])
