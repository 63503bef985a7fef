"""The container of ``.twin`` files: a magic number, then chunks that are only ever appended.

A chunk is a header of 28 bytes and a payload (docs/format.md shows every byte). Header and payload have a CRC-32
each, payloads are MessagePack, compressed with Zstandard where that makes them smaller, and every chunk has a number,
so that a torn tail, a flipped bit and a missing piece are told apart. Nothing is allocated from a number in the file
before the number has been checked against the file's size and the limits here.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import msgpack
import zstandard

from twin.errors import SnapshotError, printable

MAGIC = b"\x89TWIN\r\n\x1a"
#: tag, codec, three zero bytes, number, stored size, plain size, CRC of the payload as stored; then the header's CRC
_HEADER = struct.Struct("<4sB3sIIII")
HEADER_BYTES = _HEADER.size + 4
PLAIN, ZSTD = 0, 1
#: a chunk unpacks to at most this many bytes
CHUNK_LIMIT = 1 << 30
#: chunks of a file
CHUNKS_MAX = 1 << 24
#: containers inside each other, and items, of one payload
DEPTH_MAX, ITEMS_MAX = 24, 1 << 18
#: below this many bytes nothing is gained by compressing
_WORTH = 200
_LEVEL = 3
_ZERO = b"\0\0\0"


@dataclass(frozen=True, slots=True)
class Chunk:
    """Where a chunk lies: ``offset`` of its header, ``stored`` bytes of payload behind it, ``plain`` unpacked."""

    tag: str
    number: int
    offset: int
    stored: int
    plain: int
    codec: int

    @property
    def end(self) -> int:
        """Offset behind the chunk."""
        return self.offset + HEADER_BYTES + self.stored


@dataclass(frozen=True, slots=True)
class Tail:
    """How a file ends behind its last whole chunk.

    Attributes:
        kind: ``whole``; ``torn`` when the last chunk was not written to its end; ``damaged`` when bytes that had
            been written were changed.
        offset: where the whole part ends.
        lost: bytes behind it.
    """

    kind: str
    offset: int
    lost: int

    def __str__(self) -> str:
        if self.kind == "whole":
            return "whole"
        what = "the last chunk was not finished" if self.kind == "torn" else "damaged"
        return f"{what} at byte {self.offset:,}; {self.lost:,} bytes are not used"


def pack(tag: str, number: int, value: Any, *, level: int = _LEVEL) -> bytes:
    """Return a value as the bytes of a chunk."""
    payload = msgpack.packb(value, use_bin_type=True)
    codec, stored = PLAIN, payload
    if len(payload) >= _WORTH:
        packed = zstandard.ZstdCompressor(level=level).compress(payload)
        if len(packed) < 0.95 * len(payload):
            codec, stored = ZSTD, packed
    head = _HEADER.pack(tag.encode(), codec, _ZERO, number, len(stored), len(payload), zlib.crc32(stored))
    return b"".join((head, struct.pack("<I", zlib.crc32(head)), stored))


def chunks(file: BinaryIO, size: int) -> Iterator[Chunk | Tail]:
    """Yield every whole chunk of a container in order, then how the file ends.

    The payloads' checksums are checked on the way, in memory that does not depend on the file.
    """
    at = len(MAGIC)
    number = 0
    while size - at >= HEADER_BYTES and number < CHUNKS_MAX:
        file.seek(at)
        head = file.read(HEADER_BYTES)
        chunk = _chunk(head, at, number)
        if chunk is None:
            yield Tail(_kind(file, at, size), at, size - at)
            return
        if chunk.end > size:
            break
        if not _sound(file, chunk, head):
            yield Tail("torn" if chunk.end == size else "damaged", at, size - at)
            return
        yield chunk
        at = chunk.end
        number += 1
    yield Tail("whole" if at == size else "torn", at, size - at)


def payload(file: BinaryIO, chunk: Chunk, *, where: str, limit: int = CHUNK_LIMIT) -> Any:
    """Return the value inside a chunk, checked in size, depth and types.

    Args:
        file: the container, seekable.
        chunk: from ``chunks``.
        where: named in errors.
        limit: bytes that the payload may have unpacked.

    Raises:
        SnapshotError: too large, damaged, or not made of plain values.
    """
    place = f"{where}: chunk {chunk.number} ({chunk.tag})"
    if chunk.plain > limit:
        raise SnapshotError(f"the chunk has {chunk.plain} bytes", where=place, expected=f"at most {limit}")
    file.seek(chunk.offset + HEADER_BYTES)
    data = file.read(chunk.stored)
    if chunk.codec == ZSTD:
        data = _unpacked(data, chunk.plain, place)
    if len(data) != chunk.plain:
        raise SnapshotError("the chunk has another size than it says", where=place)
    return unpack(data, where=place)


def unpack(data: bytes, *, where: str) -> Any:
    """Return the value of a MessagePack text after its whole structure was checked.

    Raises:
        SnapshotError: damaged, too deep, too many items, an extension type, or text that could steer a terminal.
    """
    problem = _structure(data)
    if problem:
        raise SnapshotError(f"the file is damaged or not a snapshot ({problem})", where=where,
                            expected="a complete .twin file")
    try:
        value = msgpack.unpackb(data, raw=False, strict_map_key=True, max_str_len=1 << 22, max_bin_len=CHUNK_LIMIT,
                                max_array_len=ITEMS_MAX, max_map_len=1 << 16, max_ext_len=0)
    except Exception as error:  # msgpack raises many kinds for damaged input
        raise SnapshotError("the file is damaged or not a snapshot", where=where,
                            expected="a complete .twin file") from error
    if not _clean(value):
        raise SnapshotError("a text inside holds control characters", where=where)
    return value


def _chunk(head: bytes, at: int, number: int) -> Chunk | None:
    tag, codec, zero, found, stored, plain, _ = _HEADER.unpack_from(head)
    if struct.unpack_from("<I", head, _HEADER.size)[0] != zlib.crc32(head[:_HEADER.size]):
        return None
    if found != number or codec not in (PLAIN, ZSTD) or zero != _ZERO or not tag.isalpha() or not tag.isupper():
        return None
    return Chunk(tag.decode("ascii"), number, at, stored, plain, codec)


def _kind(file: BinaryIO, at: int, size: int) -> str:
    """Tell a tail that the disk never got (zeros after a power loss) from bytes that were changed."""
    file.seek(at)
    left = size - at
    while left > 0:
        part = file.read(min(left, 1 << 20))
        if not part or part.strip(b"\0"):
            return "damaged"
        left -= len(part)
    return "torn"


def _sound(file: BinaryIO, chunk: Chunk, head: bytes) -> bool:
    crc, left = 0, chunk.stored
    while left > 0:
        part = file.read(min(left, 1 << 20))
        if not part:
            return False
        crc = zlib.crc32(part, crc)
        left -= len(part)
    return bool(crc == _HEADER.unpack_from(head)[6])


def _unpacked(data: bytes, plain: int, place: str) -> bytes:
    try:
        if zstandard.frame_content_size(data) != plain:
            raise SnapshotError("the chunk has another size than it says", where=place)
        return zstandard.ZstdDecompressor(max_window_size=1 << 27).decompress(data, max_output_size=max(plain, 1))
    except zstandard.ZstdError as error:
        raise SnapshotError("the chunk cannot be unpacked", where=place) from error


def _clean(value: Any) -> bool:
    """Tell whether no text in a value could steer a terminal."""
    if isinstance(value, str):
        return printable(value) == value
    if isinstance(value, dict):
        return all(_clean(k) and _clean(v) for k, v in value.items())
    return all(_clean(v) for v in value) if isinstance(value, list) else True


def _sizes() -> dict[int, tuple[str, int]]:
    """Return first byte -> (what follows, bytes of its length or value) of MessagePack's longer types."""
    out = {0xC0: ("value", 0), 0xC2: ("value", 0), 0xC3: ("value", 0), 0xCA: ("value", 4), 0xCB: ("value", 8)}
    for first, kind in ((0xC4, "bytes"), (0xD9, "bytes")):
        out |= {first + i: (kind, 1 << i) for i in range(3)}
    for first in (0xCC, 0xD0):
        out |= {first + i: ("value", 1 << i) for i in range(4)}
    return out | {0xDC: ("list", 2), 0xDD: ("list", 4), 0xDE: ("map", 2), 0xDF: ("map", 4)}


_LONG = _sizes()


def _structure(data: bytes) -> str:
    """Walk through MessagePack without making anything of it; return what is wrong, empty when nothing is.

    The decoder makes a list of the announced length before it has seen the items; here every announced item is
    seen first.
    """
    at, size, seen = 0, len(data), 0
    left = [1]
    while left:
        if not left[-1]:
            left.pop()
            continue
        left[-1] -= 1
        if at >= size:
            return "cut off"
        first = data[at]
        at += 1
        seen += 1
        if first <= 0x7F or first >= 0xE0:
            continue
        inner = -1
        if first <= 0x8F:
            inner = 2 * (first & 0x0F)
        elif first <= 0x9F:
            inner = first & 0x0F
        elif first <= 0xBF:
            at += first & 0x1F
        else:
            kind, width = _LONG.get(first, ("", 0))
            if not kind:
                return f"type 0x{first:02x}"
            if kind != "value" and at + width > size:
                return "cut off"
            number = int.from_bytes(data[at:at + width], "big") if kind != "value" else 0
            at += width + (number if kind == "bytes" else 0)
            if kind in ("list", "map"):
                inner = number * (2 if kind == "map" else 1)
        if at > size:
            return "cut off"
        if inner >= 0:
            if inner > size - at:
                return "cut off"
            left.append(inner)
            if len(left) > DEPTH_MAX or seen + inner > ITEMS_MAX:
                return "too deep" if len(left) > DEPTH_MAX else "too many items"
    return "" if at == size else "more than one value"
