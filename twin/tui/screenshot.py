"""Pictures of the screen, made by the program itself."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from twin.tui.app import TwinApp

if TYPE_CHECKING:
    from twin.runtime.session import Session


def screenshot_svg(session: Session, size: tuple[int, int] = (120, 40), view: str = "overview", *,
                   keys: tuple[str, ...] = (), dark: bool = True) -> str:
    """Return an SVG picture of a view of a session's newest frame.

    Args:
        session: any session, paused or running.
        size: columns and rows of the terminal.
        view: name of the view, as in ``overview`` or ``floor``.
        keys: keys to press before the picture is taken.
        dark: the dark theme.
    """
    async def take() -> str:
        app = TwinApp(session, view=view, dark=dark, depth="truecolor")
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            for key in keys:
                await pilot.press(key)
            await pilot.pause()
            app.feed()
            await pilot.pause()
            return app.export_screenshot()

    return asyncio.run(take())
