"""Mutations of files made of lines, fields and numbers: scenarios, weather, traces."""

from __future__ import annotations

import random
import re

#: what numbers become
NUMBERS = (b"0", b"-1", b"-0", b"1e308", b"1e309", b"-1e300", b"nan", b"inf", b"1e-320",
           b"9" * 19, b"9" * 400, b"9" * 5000, b"2147483648",
           b"4294967296", b"9223372036854775807", b"0x7f", b"1_0", b"0.1", b"99.9", b"1e9", "٣".encode(), b"")
#: what else is put in
PIECES = (b"\0", b"\n", b"\r", b"\r\n", b"\t", b",", b";", b"#", b'"', b"'", b'"""', b"=",
          b"[", b"]", b"[[", b"{", b"}", b".",
          b"\xff", b"\xef\xbb\xbf", "\u2028".encode(), "\u202e".encode(), b"\x1b[31m", b"\x85", b"x" * 9000, b" ")
_NUMBER = re.compile(rb"[-+]?\d+(?:\.\d+)?")
WORD = re.compile(rb"[A-Za-z_][\w-]*")
#: a mutated file has at most this many bytes
SIZE_MAX = 3 << 20


def mutated(data: bytes, draw: random.Random, words: tuple[bytes, ...] = ()) -> bytes:
    """Return the file with one to six changes of bytes, numbers, words, fields or lines."""
    for _ in range(draw.choice((1, 1, 1, 2, 3, 6))):
        data = draw.choice(_CHANGES)(data, draw, words)
    return data[:SIZE_MAX]


def _byte(data: bytes, draw: random.Random, _: tuple[bytes, ...]) -> bytes:
    out = bytearray(data or b" ")
    for _ in range(draw.randint(1, 4)):
        out[draw.randrange(len(out))] = draw.randrange(256)
    return bytes(out)


def _piece(data: bytes, draw: random.Random, words: tuple[bytes, ...]) -> bytes:
    at = draw.randint(0, len(data))
    return data[:at] + draw.choice((*PIECES, *words)) + data[at:]


def _swap(data: bytes, draw: random.Random, pattern: re.Pattern[bytes], choices: tuple[bytes, ...]) -> bytes:
    """Replace one match near a random place."""
    start = draw.randint(0, len(data))
    found = pattern.search(data, start) or pattern.search(data)
    return data if found is None else data[:found.start()] + draw.choice(choices) + data[found.end():]


def _number(data: bytes, draw: random.Random, _: tuple[bytes, ...]) -> bytes:
    return _swap(data, draw, _NUMBER, NUMBERS)


def _word(data: bytes, draw: random.Random, words: tuple[bytes, ...]) -> bytes:
    return _swap(data, draw, WORD, words or PIECES)


def _lines(data: bytes, draw: random.Random, _: tuple[bytes, ...]) -> bytes:
    """Leave out, repeat, move or multiply a line."""
    lines = data.splitlines(keepends=True) or [b"\n"]
    i, what = draw.randrange(len(lines)), draw.random()
    if what < 0.3:
        del lines[i]
    elif what < 0.6:
        lines.insert(draw.randint(0, len(lines)), lines[i])
    elif what < 0.8:
        j = draw.randrange(len(lines))
        lines[i], lines[j] = lines[j], lines[i]
    else:
        room = max(0, SIZE_MAX - len(data)) // max(1, len(lines[i]))
        lines[i] *= 1 + min(room, draw.choice((2, 5, 50, 100, 1000, 10**6)))
    return b"".join(lines)


def _cut(data: bytes, draw: random.Random, _: tuple[bytes, ...]) -> bytes:
    """Leave out a span, or repeat one many times."""
    at = draw.randint(0, len(data))
    end = min(len(data), at + draw.choice((1, 2, 5, 40, 4000)))
    if draw.random() < 0.5:
        return data[:at] + data[end:]
    room = max(0, SIZE_MAX - len(data)) // max(1, end - at)
    return data[:at] + data[at:end] * (1 + min(room, draw.choice((1, 1, 2, 10, 100, 1000, 10**6)))) + data[end:]


_CHANGES = (_byte, _piece, _number, _number, _word, _lines, _lines, _cut)
