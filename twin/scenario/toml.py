"""TOML that somebody else wrote: the parser of the standard library behind limits that it does not have."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from twin.errors import SpecError

#: parts of a dotted key: the parser takes time and memory with their square
KEY_PARTS_MAX = 64
_PART = r"""(?>[A-Za-z0-9_-]++|"[^"\n]*+"|'[^'\n]*+')"""
_DEEP_KEY = re.compile(rf"(?<![A-Za-z0-9_-]){_PART}(?>[ \t]*+\.[ \t]*+{_PART}){{{KEY_PARTS_MAX}}}")
#: digits of a number: the parser's expression takes 170 bytes for each
DIGITS_MAX = 1000
_LONG_NUMBER = re.compile(rf"(?<![0-9_])[0-9_]{{{DIGITS_MAX}}}")


def parse_toml(text: str, *, where: str = "") -> dict[str, Any]:
    """Return the tables of a TOML text.

    Args:
        text: of a size that the caller has limited.
        where: named in errors.

    Raises:
        SpecError: it is not TOML, nested too deeply, or holds a number that nobody can convert.
    """
    if _DEEP_KEY.search(text):
        raise SpecError(f"a key has more than {KEY_PARTS_MAX} parts", where=where,
                        expected="as many as tables lie in each other")
    if _LONG_NUMBER.search(text):
        raise SpecError(f"a number has more than {DIGITS_MAX} digits", where=where,
                        expected="a number that a quantity can have")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise SpecError("this is nested too deeply", where=where) from None
    except ValueError as error:  # TOMLDecodeError, or a number with more digits than Python converts
        raise SpecError(f"this is not TOML: {error}", where=where) from None
