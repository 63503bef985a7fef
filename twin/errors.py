"""Everything this project raises on purpose.

TwinError                      base; the command line prints it in one line
├── InputError                 something a user wrote is wrong (exit code 2)
│   ├── SpecError              a scenario specification: file, key, expected, nearest valid name
│   ├── CatalogError           a catalogue entry or name
│   ├── ReaderError            a foreign file (EPW, SWF, trace): file, line, expected
│   ├── SnapshotError          a ``.twin`` file: truncated, oversized, hostile, of another format
│   └── CommandError           a command or fault that names something which does not exist
├── CheckFailed                an ``[expect]`` or an invariant did not hold (exit code 1)
└── InternalError              a promise of our own was broken (exit code 70)
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable

#: Unicode categories of characters that are not shown but do something
#: characters of a word and of a whole message: a file may hold names of any length
_WORD_MAX, _LINE_MAX = 400, 1900
#: characters of a name that is compared with others; comparing takes the product of both lengths
_NAME_MAX = 120
_STEERING = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


class TwinError(Exception):
    """Base of all errors of this project.

    Args:
        what: the problem in one sentence.
        where: file, key or place, if any.
        expected: what would have been right.
        nearest: the nearest valid name to what was written.
    """

    exit_code = 70

    def __init__(self, what: str, *, where: str = "", expected: str = "", nearest: str = "") -> None:
        self.what, self.where, self.expected, self.nearest = what, where, expected, nearest
        super().__init__(str(self))

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        if self.expected:
            text += f"; expected {self.expected}"
        if self.nearest:
            text += f"; did you mean '{self.nearest}'?"
        line = " ".join(word if len(word) <= _WORD_MAX else f"{word[:300]}…{word[-80:]}" for word in text.split())
        return printable(line if len(line) <= _LINE_MAX else f"{line[:_LINE_MAX]}…")


class InputError(TwinError):
    """Something a user wrote is wrong."""

    exit_code = 2


class SpecError(InputError):
    """A scenario specification is wrong."""


class CatalogError(InputError):
    """A catalogue entry is wrong or does not exist."""


class ReaderError(InputError):
    """A foreign file cannot be used."""


class SnapshotError(InputError):
    """A ``.twin`` file cannot be used."""


class CommandError(InputError):
    """A command names something that does not exist or is out of range."""


class CheckFailed(TwinError):
    """An expectation or an invariant did not hold."""

    exit_code = 1


class InternalError(TwinError):
    """A promise of our own was broken."""


def printable(text: str) -> str:
    """Return ``text`` with everything that could steer a terminal replaced; line ends and tabs stay.

    Replaced are control characters, escape sequences' introducers, and marks that turn the writing direction.

    >>> printable("a\x1b[31mb")
    'a\ufffd[31mb'
    """
    if text.isprintable():
        return text
    return "".join("\ufffd" if unicodedata.category(c) in _STEERING and c not in "\n\t" else c for c in text)


def nearest(name: str, valid: Iterable[str]) -> str:
    """Return the valid name closest to ``name``, or an empty string when none is close.

    >>> nearest("gb200-nvl27", ["gb200-nvl72", "hgx-h100-x4"])
    'gb200-nvl72'
    """
    if len(name) > _NAME_MAX:
        return ""
    found = difflib.get_close_matches(name, [other for other in valid if len(other) <= _NAME_MAX], n=1, cutoff=0.5)
    return found[0] if found else ""
