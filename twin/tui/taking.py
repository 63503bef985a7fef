"""Taking it along: a picture, the clipboard, a table, a recording of the screen."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from textual import events, on

from twin.errors import InputError
from twin.scenario.files import write_atomic
from twin.tui import format as fmt
from twin.tui.base import ScreenApp
from twin.tui.cast import Cast
from twin.tui.sheet import sheet_of

#: most bytes that are put on the clipboard: terminals cut what is longer, some at 74,994 bytes of Base64
CLIPBOARD_MAX = 74_994 // 4 * 3
#: names with the same stem that are tried
_TRIES = 10_000


class Taking(ScreenApp):
    """Picture, copy, table, recording."""

    cast: Cast | None = None

    def free_path(self, what: str, suffix: str) -> Path:
        """Return a file of the folder that does not exist yet, named after the run, what it shows and when.

        Raises:
            InputError: nothing may be written here.
        """
        folder = self.ui.folder
        if folder is None:
            raise InputError("no file is written here")
        name = self.session.title.partition(" · ")[0]
        when = fmt.elapsed(self.ui.frame.now_ns)
        stem = re.sub(r"[^A-Za-z0-9]+", "-", f"twin-{name}-{what}-{when}").strip("-").lower()[:120]
        for i in range(1, _TRIES):
            path = folder / (f"{stem}{suffix}" if i == 1 else f"{stem}-{i}{suffix}")
            if not path.exists():
                return path
        raise InputError("too many files of that name", where=str(folder / stem))

    def _write(self, what: str, suffix: str, text: str, said: str) -> None:
        try:
            path = self.free_path(what, suffix)
            write_atomic(path, [text.encode()])
        except InputError as error:
            self.say(f"not written: {error}")
            return
        self.say(f"{said} written to {path}")

    def action_picture(self) -> None:
        """Write the screen as SVG."""
        self._write(self.ui.view, ".svg", self.export_screenshot(title=fmt.clean(self.session.title)), "picture")

    def action_table(self) -> None:
        """Write what is shown as CSV."""
        sheet = sheet_of(self.main.view, self.ui)
        self._write(sheet.name, ".csv", sheet.csv(), f"{len(sheet.rows)} rows")

    def action_copy(self) -> None:
        """Put what is shown on the clipboard of the terminal."""
        sheet = sheet_of(self.main.view, self.ui)
        text, count = sheet.tsv(CLIPBOARD_MAX)
        self.copy_to_clipboard(text)
        short = "" if count == len(sheet.rows) else f"the first {count} of "
        why = f"; a clipboard takes {CLIPBOARD_MAX // 1000} kB" if short else ", if the terminal allows it (OSC 52)"
        self.say(f"copied {short}{len(sheet.rows)} rows of {sheet.name}{why}")

    def action_cast(self) -> None:
        """Begin or end a recording of the screen."""
        if self.cast is not None:
            self.end_cast()
            return
        try:
            self.begin_cast(self.free_path("screen", ".cast"))
        except InputError as error:
            self.say(f"not recorded: {error}")
            return
        assert self.cast is not None
        self.say(f"recording the screen into {self.cast.path}")

    def begin_cast(self, path: Path) -> None:
        """Record what is written to the terminal from now on.

        Raises:
            InputError: the file exists or cannot be written.
        """
        driver: Any = self._driver
        assert driver is not None
        cast = self.cast = Cast(path, self.size.width, self.size.height, fmt.clean(self.session.title))
        write = driver.write

        def both(data: str) -> None:
            write(data)
            cast.output(data)

        driver.write = both
        self.ui.recording = True
        self.redraw()

    def end_cast(self) -> None:
        """Finish the recording; says where it is."""
        cast, self.cast = self.cast, None
        if cast is None:
            return
        self.ui.recording = False
        driver: Any = self._driver
        if driver is not None:
            driver.__dict__.pop("write", None)
        try:
            cast.close()
        except InputError as error:
            self._tell(f"not recorded: {error}")
            return
        self._tell(cast.error or f"recording written to {cast.path}")

    def _tell(self, text: str) -> None:
        if self.is_running and self.screen_stack and not self._exit:
            self.say(text)

    @on(events.Resize)
    def record_size(self, event: events.Resize) -> None:
        """Record another size of the terminal."""
        if self.cast is not None:
            self.cast.resize(event.size.width, event.size.height)

    def on_unmount(self) -> None:
        """Finish a recording that still goes on."""
        self.end_cast()
