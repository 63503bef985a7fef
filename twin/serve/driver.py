"""A Textual driver that speaks to one SSH channel: bytes in by allowance, frames out as fast as they are read."""

from __future__ import annotations

import codecs
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, Protocol, TextIO

from textual import constants, events, messages
from textual._xterm_parser import XTermParser
from textual.driver import Driver
from textual.geometry import Size

from twin.serve.limits import Bucket, Limits
from twin.tui.output import DiffedApp

if TYPE_CHECKING:
    from pathlib import Path

    from textual.app import App

#: characters without a single event after which the parser is made anew: an unending paste or escape sequence
SILENT_MAX = 4096
#: bytes given to the parser at a time: least and most
SLICE_B = (4, 64)
#: a slice that took longer makes the next one smaller, s
SLICE_S = 0.020
#: longest rest after a slice, s
REST_MAX_S = 1.0

ESCAPE = 0x1B
#: keys that come too early wait, s
EARLY_S = 0.05

START = "\x1b[?1049h\x1b[?1000h\x1b[?1002h\x1b[?1006h\x1b[?25l\x1b[?7l\x1b[?2026$p"
STOP = "\x1b[?1002l\x1b[?1006l\x1b[?1000l\x1b[?7h\x1b[0m\x1b[?1049l\x1b[?25h"


class Wire(Protocol):
    """What the driver needs of a connection."""

    def send(self, data: bytes) -> None:
        """Send bytes."""

    def backlog(self) -> int:
        """Return how many bytes wait for the reader."""

    def hold(self, on: bool) -> None:
        """Stop taking bytes from the client, or go on."""

    def pressed(self) -> None:
        """Note that the person is there."""


class SshDriver(Driver):
    """Driver of one session.

    Args:
        app: the app.
        wire: the connection.
        limits: what a visitor may use.
        is_up: tells whether the app hears keys already.
    """

    def __init__(self, app: App[Any], *, wire: Wire, limits: Limits, is_up: Callable[[], bool], debug: bool = False,
                 mouse: bool = True, size: tuple[int, int] | None = None) -> None:
        super().__init__(app, debug=False, mouse=mouse, size=size)
        self._wire, self._limits, self._is_up = wire, limits, is_up
        self._out: list[str] = []
        self._scheduled = self._torn = self._ended = False
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self.parser = XTermParser()
        self._silent = 0
        self._pending = bytearray()
        self._pumping = self._held = False
        #: bytes received and given to the parser; where among them there was a pause, and which byte was the last
        self._got = self._fed = 0
        self._gaps: deque[int] = deque()
        self._arrived, self._last = 0.0, 0
        self._bytes = Bucket(limits.input_burst_b, limits.input_b_s)
        self._slice = SLICE_B[1]
        self._not_before = 0.0
        self.dropped = 0

    # ---- out -------------------------------------------------------------------------------------------

    def write(self, data: str) -> None:
        """Keep output until the frame is complete."""
        self._out.append(data)
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self.flush)

    def flush(self) -> None:
        """Send what was written; when nobody reads for too long, drop whole writes and draw afresh later."""
        self._scheduled = False
        if not self._out:
            return
        text = "".join(self._out)
        self._out.clear()
        if self._ended:
            return
        if self._torn or self._wire.backlog() > self._limits.backlog_max_b:
            self._torn = True
            self.dropped += 1
            return
        self._wire.send(text.encode("utf-8", "replace"))

    def ready(self) -> bool:
        """Tell whether a frame may be drawn now: the reader has read what was sent before."""
        if self._wire.backlog() > self._limits.backlog_b:
            self.dropped += 1
            return False
        if self._torn:
            self._torn = False
            self.redraw()
        return True

    def redraw(self) -> None:
        """Draw the whole screen: what the terminal shows is not known any more."""
        if isinstance(self._app, DiffedApp):
            self._app.redraw()
        else:
            self._app.refresh(layout=True)

    def resize(self, width: int, height: int) -> None:
        """Take the new size of the terminal."""
        size = Size(width, height)
        self.send_message(events.Resize(size, size))

    def start_application_mode(self) -> None:
        """Ask the terminal for its second screen, the mouse, no cursor, and whether it can show frames at once."""
        self.write(START)
        if self._size is not None:
            self.resize(*self._size)

    def stop_application_mode(self) -> None:
        """Give the terminal back as it was."""
        self.write(STOP)
        self.flush()

    # ---- in --------------------------------------------------------------------------------------------

    def take(self, data: bytes) -> None:
        """Take bytes from the client; they reach the app as fast as they are allowed to."""
        if self._ended:
            return
        self._wire.pressed()
        now = time.monotonic()
        if now - self._arrived > constants.ESCAPE_DELAY and (not self._gaps or self._gaps[-1] != self._got):
            self._gaps.append(self._got)
        self._arrived = now
        self._got += len(data)
        self._pending += data
        if len(self._pending) > self._limits.input_burst_b:
            self._hold(True)
        if not self._pumping:
            self._pumping = True
            self._pump()

    def _hold(self, on: bool) -> None:
        if on != self._held:
            self._held = on
            self._wire.hold(on)

    def _pump(self) -> None:
        """Give the next slice to the app, wait until it is dealt with, rest in proportion, go on.

        So one visitor's keys take at most the allowed share of the loop, and when many flood it, all of them together.
        """
        if self._ended or not self._pending:
            self._pumping = False
            self._hold(False)
            return
        now = time.monotonic()
        wait = self._not_before - now if self._is_up() else EARLY_S
        if wait > 0:
            self._loop.call_later(wait, self._pump)
            return
        if self._gaps and self._gaps[0] <= self._fed:
            self._gaps.popleft()
            if self._last == ESCAPE:  # there was a pause after it: it is a key of its own, however late it is read
                self._loop.call_later(constants.ESCAPE_DELAY * 1.1, self._after_escape)
                return
        count = min(self._slice, len(self._pending), self._gaps[0] - self._fed if self._gaps else SLICE_B[1])
        if not self._bytes.take(count):
            self._loop.call_later(0.05, self._pump)
            return
        piece = bytes(self._pending[:count])
        del self._pending[:count]
        self._fed, self._last = self._fed + count, piece[-1]
        self._parse(self._decode(piece))
        if not self._app.call_later(self._reached_app, now):
            self._ended = True

    def _reached_app(self, begun: float) -> None:
        """A key goes from the app to the screen and bubbles back; so does the question whether it was dealt with."""
        if not self._app.screen_stack or not self._app.screen.call_later(self._reached_screen, begun):
            self._dealt_with(begun)

    def _reached_screen(self, begun: float) -> None:
        if not self._app.call_later(self._dealt_with, begun):
            self._ended = True

    def _dealt_with(self, begun: float) -> None:
        now = time.monotonic()
        spent = now - begun
        least, most = SLICE_B
        self._slice = max(least, self._slice // 2) if spent > SLICE_S else min(most, self._slice * 2)
        self._not_before = now + min(REST_MAX_S, spent * (1 / self._limits.share - 1))
        if self._pending:
            self._loop.call_later(max(0.0, self._not_before - now), self._pump)
            return
        self._pumping = False
        self._hold(False)
        self._loop.call_later(constants.ESCAPE_DELAY * 1.1, self._escape)

    def _after_escape(self) -> None:
        if not self._ended:
            self._events(self.parser.tick())
            self._pump()

    def _escape(self) -> None:
        """A lone escape is a key when nothing follows it."""
        if not (self._ended or self._pumping):
            self._events(self.parser.tick())

    def _parse(self, text: str) -> None:
        for char in text:  # one at a time: when a sequence cannot be read, what follows it is not lost
            self._silent = 0 if self._events(self.parser.feed(char)) else self._silent + 1
            if self._silent > SILENT_MAX:
                self._new_parser()

    def _events(self, found: Any) -> bool:
        """Pass on what the parser found; tell whether it was anything."""
        any_found = False
        try:
            for event in found:
                any_found = True
                if isinstance(event, events.Resize):  # a size in the stream would make the parser count in pixels
                    self._new_parser()
                else:
                    self.process_message(event)
        except Exception:  # bytes of a client are no reason to fail: numbers out of range, divisions by a size of zero
            self._new_parser()
        return any_found

    def _new_parser(self) -> None:
        self.parser = XTermParser()
        self._silent = 0

    def process_message(self, message: Any) -> None:
        """Pass on keys and the mouse; sizes come from the SSH channel only, never from an escape sequence."""
        if isinstance(message, events.MouseEvent):
            size = self._app.size
            if not (0 <= message.x < size.width and 0 <= message.y < size.height):
                return
        elif not isinstance(message, events.Key | messages.TerminalSupportsSynchronizedOutput):
            return
        super().process_message(message)

    def send_message(self, message: Any) -> None:
        """Post a message to the app; everything happens in one thread here."""
        if not self._ended:
            self._app.post_message(message)

    def disable_input(self) -> None:
        """Take no more input."""
        self._pending.clear()

    def close(self) -> None:
        """Let go of the connection."""
        self.flush()
        self._ended = True
        self._pending.clear()

    # ---- what would happen on the server ---------------------------------------------------------------

    def open_url(self, url: str, new_tab: bool = True) -> None:
        """No browser is opened on the server."""

    def deliver_binary(self, binary: BinaryIO | TextIO, *, delivery_key: str, save_path: Path,
                       open_method: Literal["browser", "download"] = "download", encoding: str | None = None,
                       mime_type: str | None = None, name: str | None = None) -> None:
        """No file is written on the server."""
        binary.close()
