"""What keeps many screens in one process from getting in each other's way, and from leaving anything behind.

Textual is made for one app in a process. Three things of it are process-wide and are dealt with here: it redirects
stdout while an app runs, it reads the server's environment as if it were the visitor's, and it keeps what it computed
in caches on bound methods, which hold the whole app.
"""

from __future__ import annotations

import contextlib
import gc
import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import cache
from io import StringIO
from typing import Any

from rich.console import Console
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

#: variables of the server that would change every visitor's screen
_FOREIGN = ("NO_COLOR", "FORCE_COLOR", "COLORTERM", "COLUMNS", "LINES", "TERM_PROGRAM", "LC_TERMINAL")
#: shortest time between two full garbage collections, s
COLLECT_S = 2.0
#: terminals that are known to show 24-bit colours
_TRUE = ("-direct", "kitty", "alacritty", "ghostty", "foot", "wezterm", "contour", "rio")
#: terminals without much more than ASCII
_PLAIN = ("dumb", "vt52", "vt100", "vt102", "vt220", "ansi")


def clear_environment() -> None:
    """Forget what the server's own terminal can do; call before Textual is imported for the first time."""
    for name in [*os.environ]:
        if name in _FOREIGN or name.startswith("TEXTUAL"):
            del os.environ[name]


def prepare_process() -> None:
    """Make the process fit for many apps: stdout stays what it is, threads take turns quickly, what is loaded stays."""
    import textual.app

    def leave_alone(new_target: Any) -> Any:
        return nullcontext(new_target)

    for name in ("redirect_stdout", "redirect_stderr"):
        setattr(textual.app, name, leave_alone)
    # The engine's thread waits for the interpreter lock at every tick; the usual 5 ms would be felt in its pace.
    sys.setswitchinterval(0.001)
    gc.collect()
    gc.freeze()


class Collector:
    """Clears what ended sessions left, and collects garbage now and then."""

    def __init__(self) -> None:
        self._last = -COLLECT_S
        self.due = False

    def release(self, app: Any, parser: Any) -> None:
        """Forget everything that refers to an app that has ended."""
        from textual._styles_cache import StylesCache
        from textual._xterm_parser import XTermParser

        with contextlib.suppress(Exception):
            list(parser.feed(""))  # ends the generator, which holds the parser
        for method in (XTermParser._parse_extended_key, StylesCache.get_inner_outer):
            method.cache_clear()
        if app is not None:
            app.driver_class = None
            app._driver = None
        self.due = True

    def collect(self) -> None:
        """Collect garbage when sessions have ended and the last time is a while ago."""
        now = time.monotonic()
        if self.due and now - self._last >= COLLECT_S:
            self.due, self._last = False, now
            gc.collect()
            _give_back()


@cache
def _trimmer() -> Callable[[int], int] | None:
    """Return the C library's malloc_trim, None where it has none."""
    try:
        import ctypes

        trim: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (ImportError, OSError, AttributeError, TypeError, MemoryError):
        return None
    return trim


def _give_back() -> None:
    """Return freed memory to the system: glibc keeps holes that sessions left, and they add up to megabytes."""
    trim = _trimmer()
    if trim is not None:
        trim(0)


class Printable(LineFilter):
    """The last gate before a terminal: text from outside loses every character that could steer it."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Replace what is not printable by a space of the same width."""
        if all(segment.text.isprintable() for segment in segments):
            return segments
        return [segment if segment.text.isprintable() else
                Segment("".join(c if c.isprintable() else " " for c in segment.text), segment.style, segment.control)
                for segment in segments]


def true_console() -> Console:
    """Return a console that renders every style in full; depths of colour are a matter of filters.

    Rich remembers in a style how it was rendered first, so two consoles of different depth in one process would show
    each other's colours.
    """
    return Console(color_system="truecolor", file=StringIO(), force_terminal=True, markup=True, highlight=False,
                   emoji=False, legacy_windows=False, safe_box=False, soft_wrap=False, _environ={})


def depth_of(term: str, wishes: dict[str, str]) -> str:
    """Return the depth of colour of a client from its TERM and what it sent of COLORTERM and NO_COLOR.

    >>> depth_of("xterm-256color", {}), depth_of("xterm-256color", {"COLORTERM": "truecolor"}), depth_of("linux", {})
    ('256', 'truecolor', '16')
    >>> depth_of("xterm-kitty", {}), depth_of("xterm", {"NO_COLOR": "1"}), depth_of("vt100", {})
    ('truecolor', 'mono', 'mono')
    """
    term = term.lower()
    if wishes.get("NO_COLOR") or term.startswith(_PLAIN):
        return "mono"
    if wishes.get("COLORTERM", "").lower() in ("truecolor", "24bit") or any(name in term for name in _TRUE):
        return "truecolor"
    return "256" if "256" in term else "16"


def plain_terminal(term: str) -> bool:
    """Tell whether a terminal shows ASCII only."""
    return term.lower().startswith(_PLAIN)


def wishes_of(environment: Sequence[tuple[bytes | str, bytes | str]]) -> dict[str, str]:
    """Return the two variables that are read of what a client sent; everything else is not looked at."""
    out = {}
    for key, value in environment:
        name = key.decode("ascii", "replace") if isinstance(key, bytes) else key
        if name in ("COLORTERM", "NO_COLOR"):
            out[name] = (value.decode("ascii", "replace") if isinstance(value, bytes) else value)[:32]
    return out
