"""What the parts of the app have in common: the session, the state of the screen, and how to say something."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin.tui.output import DiffedApp

if TYPE_CHECKING:
    from twin.runtime.session import Session
    from twin.tui.screens.main import MainScreen
    from twin.tui.ui import Ui


class ScreenApp(DiffedApp):
    """Base of the parts that the app is put together from.

    Attributes:
        session: where frames come from and commands go to.
        ui: state of this person's screen.
        main: the one screen below the menus.
    """

    session: Session
    ui: Ui
    main: MainScreen
    fed = 0
    _behind = False

    def feed(self, count: int = -1) -> None:
        """Draw what changed; with a count, panels that are painted less often wait for their turn."""
        self.fed += 1
        self._behind = count >= 0
        if self.main.is_mounted and self.screen is self.main:
            self.main.feed(count)

    def say(self, text: str) -> None:
        """Answer the last key in the explanation line."""
        self.ui.message = text
        self.feed()
