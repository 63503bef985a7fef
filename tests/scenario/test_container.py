"""The container gives back what was put in, cuts a torn tail, names damage, and trusts no size in a file."""

import io
import random
import struct
import tracemalloc
import zlib

import msgpack
import pytest
import zstandard

from twin.errors import SnapshotError
from twin.scenario import container
from twin.scenario.container import HEADER_BYTES, MAGIC, Chunk, Tail

VALUES = [{"a": 1}, [1.5, None, True], b"x" * 5000, {"deep": [[{"k": [1, 2, 3]}]]}, "text"]


def made() -> bytes:
    return MAGIC + b"".join(container.pack("TEST", i, v) for i, v in enumerate(VALUES))


def read(data: bytes) -> tuple[list[object], Tail]:
    """Return every readable value and the tail."""
    file = io.BytesIO(data)
    *found, tail = container.chunks(file, len(data))
    assert isinstance(tail, Tail)
    return [container.payload(file, c, where="test") for c in found if isinstance(c, Chunk)], tail


def test_what_was_put_in_comes_back() -> None:
    values, tail = read(made())
    assert values == VALUES
    assert (tail.kind, tail.lost) == ("whole", 0)


def test_a_file_cut_anywhere_gives_every_whole_chunk_before_the_cut() -> None:
    data = made()
    ends = [len(MAGIC)]
    for i, value in enumerate(VALUES):
        ends.append(ends[-1] + len(container.pack("TEST", i, value)))
    for cut in range(len(MAGIC), len(data)):
        values, tail = read(data[:cut])
        whole = sum(end <= cut for end in ends[1:])
        assert values == VALUES[:whole]
        assert tail.kind == ("whole" if cut in ends else "torn")
        assert tail.offset == ends[whole]


def test_a_tail_of_zeros_is_a_torn_one() -> None:
    values, tail = read(made() + bytes(3000))
    assert values == VALUES
    assert (tail.kind, tail.lost) == ("torn", 3000)


@pytest.mark.parametrize("seed", range(200))
def test_a_flipped_bit_anywhere_is_found_and_what_lies_before_it_is_read(seed: int) -> None:
    draw = random.Random(seed)
    data = bytearray(made())
    at = draw.randrange(len(MAGIC), len(data))
    data[at] ^= 1 << draw.randrange(8)
    values, tail = read(bytes(data))
    assert len(values) < len(VALUES)
    assert values == VALUES[:len(values)]
    assert tail.offset <= at
    last = at >= len(data) - len(container.pack("TEST", len(VALUES) - 1, VALUES[-1])) + HEADER_BYTES
    assert tail.kind == ("torn" if last else "damaged")


def test_a_missing_or_repeated_chunk_is_damage() -> None:
    packed = [container.pack("TEST", i, v) for i, v in enumerate(VALUES)]
    for pieces in (packed[:1] + packed[2:], packed[:2] + packed[1:]):
        values, tail = read(MAGIC + b"".join(pieces))
        assert tail.kind == "damaged"
        assert len(values) < len(pieces)


def _lying(stored: bytes, plain: int, codec: int) -> bytes:
    head = struct.pack("<4sB3sIIII", b"TEST", codec, b"\0\0\0", 0, len(stored), plain, zlib.crc32(stored))
    return MAGIC + head + struct.pack("<I", zlib.crc32(head)) + stored


BOMB = zstandard.ZstdCompressor().compress(bytes(200 << 20))
UNSIZED = zstandard.ZstdCompressor(write_content_size=False).compress(bytes(50 << 20))
DEEP = b"\x91" * 5000 + b"\xc0"


@pytest.mark.parametrize(("stored", "plain", "codec"), [
    (BOMB, 100, 1), (BOMB, 200 << 20, 1), (BOMB, 2**32 - 1, 1), (UNSIZED, 100, 1), (b"", 2**32 - 1, 0),
    (b"x" * 10, 100, 1), (b"", 0, 0), (b"\xc1", 1, 0), (DEEP, len(DEEP), 0), (b"\xdd\xff\xff\xff\xff", 5, 0),
    (b"\xdf\xff\xff\xff\xff", 5, 0), (b"\xc6\xff\xff\xff\xff", 5, 0), (b"\xdb\xff\xff\xff\xff", 5, 0),
    (b"\xdd\x00\x10\x00\x00" * 800, 4000, 0), (b"\x80" * 9, 9, 0), (b"\xc7\x01\x01\x00", 4, 0), (b"\xd4\x01\x00", 3, 0),
    (b"\xdd\x00\x0f\xff\xff" + b"\x80" * 0xFFFFF, 5 + 0xFFFFF, 0), (b"\x81\x01\x01", 3, 0), (b"\xa2\xff\xff", 3, 0),
    (msgpack.packb("\x1b[2J"), 5, 0),
])
def test_a_lie_is_one_clear_error_and_costs_no_memory(stored: bytes, plain: int, codec: int) -> None:
    data = _lying(stored, plain, codec)
    file = io.BytesIO(data)
    chunk = next(container.chunks(file, len(data)))
    assert isinstance(chunk, Chunk)
    tracemalloc.start()
    try:
        with pytest.raises(SnapshotError):
            container.payload(file, chunk, where="test", limit=1 << 20)
        assert tracemalloc.get_traced_memory()[1] < 4 * len(data) + (1 << 20)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("seed", range(100))
def test_any_bytes_are_a_value_or_one_clear_error(seed: int) -> None:
    draw = random.Random(seed)
    for _ in range(50):
        data = bytearray(msgpack.packb(draw.choice(VALUES)))
        for _ in range(draw.randint(0, 4)):
            data[draw.randrange(min(len(data), 40))] = draw.randrange(256)
        try:
            container.unpack(bytes(data), where="test")
        except SnapshotError:
            continue
