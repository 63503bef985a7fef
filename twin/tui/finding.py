"""Finding things: the filter line, the palette, and the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events

from twin.tui.base import ScreenApp
from twin.tui.filtering import TEXT_MAX, Filter
from twin.tui.palette import Entry, FindMenu, go
from twin.tui.widgets.table import Table

if TYPE_CHECKING:
    from twin.tui.actions import Action
    from twin.tui.screens.menu import Menu

#: views that are remembered for the way back
TRAIL_MAX = 20
#: keys that move the selection while a filter is typed
_MOVES = {"up": -1, "down": 1, "pageup": -10, "pagedown": 10}


class Finding(ScreenApp):
    """Filter, palette, back."""

    async def on_event(self, event: events.Event) -> None:
        """While a filter is typed, keys belong to it."""
        if isinstance(event, events.Key | events.Paste) and self.ui.typing and self.screen is self.main:
            if isinstance(event, events.Key):
                self._type(event)
            else:
                self._refilter(self.ui.filter_text + "".join(c for c in event.text if c.isprintable()))
            return
        await super().on_event(event)

    def action_filter(self) -> None:
        """Begin to type a filter."""
        self.ui.typing = True
        self.feed()

    def _type(self, event: events.Key) -> None:
        """Take a key of the filter line."""
        text = self.ui.filter_text
        if event.key in ("enter", "tab", "escape", "ctrl+c"):
            self.ui.typing = False
            self._refilter("" if event.key in ("escape", "ctrl+c") else text)
        elif event.key in _MOVES:
            self.main.view.move(self.ui, 0, _MOVES[event.key])
            self.feed()
        elif event.key == "backspace":
            self._refilter(text[:-1])
        elif event.key in ("ctrl+u", "ctrl+w"):
            self._refilter("")
        elif event.character and event.character.isprintable():
            self._refilter(text + event.character)

    def _refilter(self, text: str) -> None:
        """Filter the view by another text."""
        if text != self.ui.filter_text:
            self.ui.filters.pop(self.ui.view, None)
            if text:
                self.ui.filters[self.ui.view] = Filter(text[:TEXT_MAX])
            for table in self.main.view.query(Table):
                table.scroll = 0
        self.feed()

    async def action_back(self) -> None:
        """Take the filter away; then go back to where Enter was pressed."""
        ui = self.ui
        if ui.filter_text:
            self._refilter("")
        elif ui.view in ui.grown:
            self.main.view.grow(None)
            ui.grown.discard(ui.view)
            self.feed()
        elif ui.trail or ui.view == "rack":
            ui.ahead = [*ui.ahead, ui.view][-TRAIL_MAX:]
            await self.main.show(ui.trail.pop() if ui.trail else "floor")

    def action_expand(self) -> None:
        """Let one panel have all of the view, or give the others their place again."""
        (self.ui.grown.add if self.main.view.expand_next() else self.ui.grown.discard)(self.ui.view)
        self.feed()

    async def action_forward(self) -> None:
        """Go again to where the last way back came from."""
        ui = self.ui
        if not ui.ahead:
            self.say("nothing was left by esc")
            return
        view = ui.ahead.pop()
        ui.trail = [*ui.trail, ui.view][-TRAIL_MAX:]
        await self.main.show(view)

    async def go_in(self, view: str) -> None:
        """Go to a view, from which one comes back."""
        ui = self.ui
        if view != ui.view:
            ui.trail, ui.ahead = [*ui.trail, ui.view][-TRAIL_MAX:], []
        await self.main.show(view)

    def action_palette(self) -> None:
        """Open the palette."""
        self.push_screen(FindMenu(self.ui), self._found)

    def _found(self, entry: Entry | None) -> None:
        if entry is not None:
            self.call_later(self._go_to, entry)

    async def _go_to(self, entry: Entry) -> None:
        await go(self, entry)

    def open_menu(self, menu: Menu) -> None:
        """Open a menu whose answer is sent."""
        raise NotImplementedError

    async def run_named(self, action: Action) -> None:
        """Run an action of the registry."""
        await self.run_action(action.action)
