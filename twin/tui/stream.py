"""A Textual driver without a terminal of its own: output goes to a function, input comes from ``feed``.

What serves a screen over a connection, records a session or measures what is written builds on it: the connection
gives bytes and sizes, the driver turns them into events, and every write of the screen reaches ``sink`` whole.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from textual import events
from textual._xterm_parser import XTermParser
from textual.driver import Driver
from textual.geometry import Size

if TYPE_CHECKING:
    from textual.app import App

Sink = Callable[[str], None]


class StreamDriver(Driver):
    """Drives an app over a stream of text.

    Args:
        app: the app.
        sink: takes what would be written to a terminal.
        size: columns and rows to begin with.
    """

    #: entered and left as a terminal program does: alternate screen, no cursor, mouse buttons, bracketed paste
    BEGIN = "\x1b[?1049h\x1b[?25l\x1b[?1000h\x1b[?1002h\x1b[?1006h\x1b[?2004h"
    END = "\x1b[?2004l\x1b[?1006l\x1b[?1002l\x1b[?1000l\x1b[0m\x1b[?25h\x1b[?1049l"

    def __init__(self, app: App[Any], *, sink: Sink, size: tuple[int, int] | None = None, **options: Any) -> None:
        super().__init__(app, size=size, **options)
        self._sink = sink
        self._decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
        self._parser = XTermParser(False)

    def write(self, data: str) -> None:
        """Hand over what is to be written."""
        self._sink(data)

    def start_application_mode(self) -> None:
        """Take the screen."""
        self.write(self.BEGIN)
        width, height = self._size or (80, 24)
        self.resize(width, height)

    def stop_application_mode(self) -> None:
        """Give the screen back."""
        self.write(self.END)

    def disable_input(self) -> None:
        """Nothing is read here; ``feed`` is called from outside."""

    def feed(self, data: bytes) -> None:
        """Take bytes that came from the keyboard and mouse at the other end."""
        for event in self._parser.feed(self._decode(data)):
            self.process_message(event)

    def tick(self) -> None:
        """Tell the parser that time passed: a lone escape byte is then the Escape key."""
        for event in self._parser.tick():
            self.process_message(event)

    def resize(self, width: int, height: int) -> None:
        """Tell the app the size of the terminal at the other end."""
        size = Size(width, height)
        self.process_message(events.Resize(size, size))
