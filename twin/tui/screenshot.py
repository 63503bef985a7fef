"""Pictures of the screen, made by the program itself: SVG, plain text, or text with its colours."""

from __future__ import annotations

import asyncio
from io import StringIO
from typing import TYPE_CHECKING, Literal

from rich.console import Console
from rich.segment import Segments

from twin.tui.app import TwinApp
from twin.tui.cells import segments_of, strip_codes

if TYPE_CHECKING:
    from twin.runtime.session import Session

#: what a picture can be written as
Format = Literal["svg", "text", "ansi"]


def screenshot(session: Session, size: tuple[int, int] = (120, 40), view: str = "overview", *,
               keys: tuple[str, ...] = (), dark: bool = True, as_format: Format = "svg",
               ascii_only: bool = False) -> str:
    """Return a picture of a view of a session's newest frame.

    Args:
        session: any session, paused or running.
        size: columns and rows of the terminal.
        view: name of the view, as in ``overview`` or ``floor``.
        keys: keys to press before the picture is taken.
        dark: the dark theme.
        as_format: SVG, plain text without blanks at the ends of lines, or text with 24-bit colours.
        ascii_only: draw with ASCII characters only.
    """
    async def take() -> str:
        app = TwinApp(session, view=view, dark=dark, depth="truecolor", ascii_only=ascii_only)
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            for key in keys:
                await pilot.press(key)
            await pilot.pause()
            app.feed()
            await pilot.pause()
            return app.export_screenshot() if as_format == "svg" else _text(app, as_format == "ansi")

    return asyncio.run(take())


def _text(app: TwinApp, colours: bool) -> str:
    """Return the lines of the screen."""
    strips = app.screen._compositor.render_strips()
    if not colours:
        return "".join(f"{strip.text.rstrip()}\n" for strip in strips)
    out = StringIO()
    console = Console(file=out, color_system="truecolor", force_terminal=True, width=app.size.width, no_color=False,
                      legacy_windows=False)
    for strip in strips:
        console.print(Segments(segments_of(strip_codes(strip))), end="", soft_wrap=True)
        out.write("\n")
    return out.getvalue()
