"""Recordings of the screen in asciicast version 2: a line of JSON for the head, one for each write and resize.

https://docs.asciinema.org/manual/asciicast/v2/
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from twin.errors import InputError

#: a recording ends by itself at this size
SIZE_MAX = 256 * 1024 * 1024
#: takes the screen as a terminal program does
_BEGIN = "\x1b[?1049h\x1b[?25l\x1b[0m\x1b[H\x1b[2J"
#: what is not recorded: the clipboard's content
_PRIVATE = "\x1b]52;"


class Cast:
    """A recording that is being made. It grows in ``<path>.part`` and gets its name when it is whole.

    Args:
        path: the file; must not exist.
        width, height: of the terminal.
        title: of the recording.
        clock: seconds, from any start.

    Raises:
        InputError: the file exists or cannot be written.
    """

    def __init__(self, path: Path, width: int, height: int, title: str = "",
                 clock: Callable[[], float] = time.monotonic) -> None:
        self.path, self.size, self.error = path, 0, ""
        self._part = path.with_name(path.name + ".part")
        if path.exists():
            raise InputError("the file exists", where=str(path), expected="a new file")
        try:
            self._out = self._part.open("x", encoding="utf-8", buffering=1 << 16)
        except OSError as error:
            raise InputError(f"cannot write: {error.strerror}", where=str(self._part),
                             expected="a writable folder") from error
        self._clock, self._begun, self._last = clock, clock(), 0.0
        self._line({"version": 2, "width": width, "height": height, "timestamp": int(time.time()), "title": title,
                    "env": {"TERM": os.environ.get("TERM", "xterm-256color")}})
        self.output(_BEGIN)

    def output(self, text: str) -> None:
        """Record what was written to the terminal."""
        if text and not text.startswith(_PRIVATE):
            self._event("o", text)

    def resize(self, width: int, height: int) -> None:
        """Record another size of the terminal."""
        self._event("r", f"{width}x{height}")

    def _event(self, kind: str, text: str) -> None:
        self._last = max(self._last, self._clock() - self._begun)  # never backwards
        self._line([round(self._last, 6), kind, text])

    def _line(self, value: object) -> None:
        if self.error:
            return
        line = json.dumps(value, ensure_ascii=False) + "\n"
        self.size += len(line)
        if self.size > SIZE_MAX:
            self.error = f"the recording ended at {SIZE_MAX >> 20} MiB"
            return
        try:
            self._out.write(line)
        except OSError as error:
            self.error = f"the recording ended: {error.strerror}"

    def close(self) -> None:
        """Finish the file and give it its name.

        Raises:
            InputError: it could not be written whole; what there is stays in the part.
        """
        try:
            self._out.flush()
            os.fsync(self._out.fileno())
            self._out.close()
            if self.path.exists():
                raise InputError("the file exists", where=str(self.path),
                                 expected=f"what was recorded is in {self._part}")
            os.rename(self._part, self.path)
        except OSError as error:
            with suppress(OSError):
                self._out.close()
            raise InputError(f"cannot write: {error.strerror}", where=str(self.path),
                             expected=f"what was recorded is in {self._part}") from error
