"""What the parts of the app have in common: the session, the state of the screen, and how to say something."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from twin.tui.output import DiffedApp

if TYPE_CHECKING:
    from twin.runtime.session import Session
    from twin.tui.screens.main import MainScreen
    from twin.tui.ui import Ui


LOG = logging.getLogger("twin.tui")
#: what an app that crashed returns; the exit code of an internal error
INTERNAL = 70


class ScreenApp(DiffedApp):
    """Base of the parts that the app is put together from.

    Attributes:
        session: where frames come from and commands go to.
        ui: state of this person's screen.
        main: the one screen below the menus.
        crashed: the error that ended the screen, None when none did.
    """

    session: Session
    ui: Ui
    main: MainScreen
    fed = 0
    crashed: Exception | None = None
    _behind = False

    def _handle_exception(self, error: Exception) -> None:
        """End the screen at an error that nobody caught; whoever runs it finds it in ``crashed`` and reports it.

        Textual itself would leave a page of source and local variables in the terminal.
        """
        if self._exit:  # keys that are still on their way find the screens gone
            LOG.debug("while leaving", exc_info=error)
            self._close_messages_no_wait()
            return
        if self.crashed is None:
            self.crashed = error
        self._return_code = INTERNAL
        self._exception = error
        self._exception_event.set()
        self._close_messages_no_wait()

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
