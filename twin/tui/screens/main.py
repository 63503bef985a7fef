"""The screen: the frame that never moves, and one view in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Container
from textual.message import Message
from textual.screen import Screen

from twin.tui.hover import about
from twin.tui.panels.bars import ExplainLine, KeyBar, TabBar, TitleBar
from twin.tui.panels.timeline import PastRule, TimeLine
from twin.tui.screens.compare import Compare
from twin.tui.screens.views import LOW, VIEWS, View
from twin.tui.tour import TourPanel
from twin.tui.widgets.canvas import Canvas, Row

if TYPE_CHECKING:
    from textual._compositor import Compositor

    from twin.tui.ui import Ui

#: the least size that everything fits into
LEAST = (80, 24)
#: every view by its name
ALL: dict[str, type[View]] = {**VIEWS, "compare": Compare}


def build(name: str) -> View:
    """Return a new view."""
    return ALL[name](id=f"view-{name}", classes="view")


class TooSmall(Canvas):
    """What is shown on a terminal that is too small."""

    def paint(self, ui: Ui, width: int, height: int) -> Sequence[Row]:
        """Return the size that is needed and the one there is."""
        have = self.screen.size
        text = f"needs {LEAST[0]}x{LEAST[1]}, have {have.width}x{have.height}"
        return [*[()] * (height // 2), ((text.center(width), "fg"),)]


class MainScreen(Screen[None], inherit_bindings=False):
    """Title, tabs, view, time line, explanation, keys; the keys are the app's, tab above all, not those for a focus."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-medium"), (160, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-low"), (LOW, "-mid"), (50, "-tall")]

    class Ready(Message):
        """Everything of the first view is mounted: keys can be heard."""

    def __init__(self, ui: Ui, compositor: Compositor | None = None) -> None:
        super().__init__()
        self.ui = ui
        self._views: dict[str, View] = {}
        if compositor is not None:
            self._compositor = compositor

    def compose(self) -> ComposeResult:
        """Lay out the frame."""
        with Container(id="frame"):
            yield TitleBar(classes="line")
            yield TabBar(classes="line")
            yield PastRule(classes="line")
            with Container(id="body"):
                yield build(self.ui.view)
            yield TourPanel(id="tour")
            yield TimeLine(id="timeline", classes="line")
            yield ExplainLine(classes="line")
            yield KeyBar(classes="line")
        yield TooSmall(id="too-small")

    def on_mount(self) -> None:
        """Find the bars once."""
        self.bars = [self.query_one(kind) for kind in (TitleBar, TabBar, TimeLine, KeyBar)]
        self.explain_line = self.query_one(ExplainLine)
        self.tour = self.query_one(TourPanel)
        self.rule = self.query_one(PastRule)
        self.too_small = self.query_one(TooSmall)
        self._fit()
        self.feed()
        self.post_message(self.Ready())

    def on_resize(self) -> None:
        """Say so when the terminal is too small."""
        self._fit()

    def _fit(self) -> None:
        small = self.size.width < LEAST[0] or self.size.height < LEAST[1]
        self.set_class(small, "-small")
        if small and self.is_mounted:
            self.query_one(TooSmall).feed(self.ui)

    @property
    def view(self) -> View:
        """The view that is shown."""
        found = self._views.get(self.ui.view)
        if found is None or not found.is_attached:
            found = self._views[self.ui.view] = self.query_one(f"#view-{self.ui.view}", View)
        return found

    async def show(self, name: str) -> None:
        """Go to a view; views are made when they are first asked for."""
        body = self.query_one("#body")
        if not body.query(f"#view-{name}"):
            await body.mount(build(name))
        self.ui.view = name
        for other in ALL:
            for widget in body.query(f"#view-{other}"):
                widget.display = other == name
        self.feed()

    def _about(self) -> Row:
        """Say what the panel with the cursor is, where nothing is selected."""
        panel = self.view.table() or next(iter(self.view.panels), None)
        return ((about(panel), "dim"),)

    def feed(self, count: int = -1) -> None:
        """Give the newest frame to the frame's bars and to the view; see ``View.feed`` for ``count``."""
        self.view.feed(self.ui, count)
        for i, bar in enumerate(self.bars):
            if count < 0 or (count + i) % bar.every == 0:
                bar.feed(self.ui)
        if count < 0 or (count + 1) % ExplainLine.every == 0:
            self.rule.feed(self.ui)
            self.explain_line.text = self.view.explain(self.ui) or self._about()
            self.explain_line.feed(self.ui)
        if self.ui.tour:
            self.tour.feed(self.ui)
        if self.has_class("-small"):
            self.too_small.feed(self.ui)
