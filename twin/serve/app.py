"""The live screen as a visitor gets it: the same views, plus who is here, who acts and what the operator looks at."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from io import StringIO
from typing import TYPE_CHECKING, Any, cast

from rich.console import Console
from textual.binding import Binding
from textual.filter import ANSIToTruecolor, LineFilter
from textual.screen import ModalScreen

from twin.errors import TwinError
from twin.serve.driver import SshDriver
from twin.serve.hygiene import Printable, true_console
from twin.serve.people import Attention, Visitor
from twin.tui import actions
from twin.tui import format as fmt
from twin.tui.actions import Action
from twin.tui.app import COLOUR_SYSTEMS, TwinApp
from twin.tui.screens.help import HelpFoot
from twin.tui.theme import Depth
from twin.tui.widgets.canvas import Canvas, Row

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from twin.runtime.family import Family
    from twin.runtime.session import Session
    from twin.serve.worlds import World
    from twin.tui.ui import Ui

LOG = logging.getLogger("twin.serve")

#: actions that a served screen has besides those of every screen
DEPTH = Action("depth", ("D",), "D", "colours", "Change the depth of colour: 24 bits, 256, 16, none.", "Screen")
CONTROLS = Action("controls", ("o",), "o", "controls", "Take the controls, ask for them, or hand them over.", "People",
                  bar=4)
PEOPLE: tuple[Action, ...] = (
    Action("follow", ("L",), "L", "follow", "Look at what the operator looks at, or stop doing so.", "People", bar=6),
    Action("who", ("W",), "W", "who", "Show who is here.", "People", bar=7),
)
DEPTHS: tuple[Depth, ...] = ("truecolor", "256", "16", "mono")
_OWN = {a.name for a in (CONTROLS, *PEOPLE, DEPTH)}
#: frames between two clearings of what Textual keeps
THIN_EVERY = 16


class Governor:
    """Thins out everybody's frames while the event loop is late."""

    def __init__(self) -> None:
        self.late_s = 0.0

    @property
    def every(self) -> int:
        """Draw one frame in so many."""
        return 1 if self.late_s < 0.04 else 2 if self.late_s < 0.12 else 4

    async def watch(self, every_s: float = 0.1) -> None:
        """Measure how late the loop is, for ever."""
        loop = asyncio.get_running_loop()
        while True:
            begun = loop.time()
            await asyncio.sleep(every_s)
            late = loop.time() - begun - every_s
            self.late_s += 0.2 * (late - self.late_s)


class WhoText(Canvas):
    """The list of people."""

    def __init__(self, world: World, me: Visitor) -> None:
        super().__init__(id="help-text")
        self.world, self.me = world, me

    def paint(self, ui: Ui, width: int, height: int) -> Sequence[Row]:
        """Return one line for each visitor."""
        roster, now = self.world.roster, self.world.roster.clock()
        holder = roster.holder()
        rows: list[Row] = [((" Who is here", "bold accent"),), ()]
        for visitor in roster:
            role = "holds the controls" if visitor is holder else "operator" if visitor.role == "operator" else "viewer"
            view = visitor.attention.view if visitor.attention is not None else ""
            idle = int(now - visitor.last_input)
            rows.append(((f"   {visitor.name:<26}", "bold bright" if visitor is self.me else "fg"),
                         (f"{role:<20}", "accent" if visitor is holder else "fg"), (f"{view:<10}", "dim"),
                         (f"{int(now - visitor.since) // 60:>4} min here", "dim"),
                         (f"  idle {idle} s" if idle >= 10 else "", "dim"),
                         ("  asks for the controls" if visitor.asks else "", "warn")))
        return rows[:height]


class WhoScreen(ModalScreen[None]):
    """Who is here; opaque, painted once a second."""

    BINDINGS = [("escape,q,W,enter", "dismiss", "Back")]
    DEFAULT_CSS = "WhoScreen { background: $background; }"

    def __init__(self, ui: Ui, world: World, me: Visitor) -> None:
        super().__init__()
        self.ui, self.world, self.me = ui, world, me

    def compose(self) -> ComposeResult:
        """Lay out list and foot."""
        yield WhoText(self.world, self.me)
        yield HelpFoot(classes="line")

    def on_mount(self) -> None:
        """Fill it, and again every second."""
        self._fill()
        self.set_interval(1.0, self._fill)

    def _fill(self) -> None:
        for canvas in self.query(Canvas):
            canvas.feed(self.ui)


class ServedApp(TwinApp):
    """The live screen of one visitor.

    Args:
        world: the factory and the people in it.
        visitor: who looks.
        depth: depth of colour of the visitor's terminal.
        ascii_only: the terminal shows ASCII only.
        governor: thins out frames when the loop is late.
        frames_per_s: frames a second.
        driver: makes the driver.
    """

    BINDINGS = [Binding(",".join(a.keys), a.action, a.label, show=False) for a in (CONTROLS, *PEOPLE, DEPTH)]

    def __init__(self, world: World, visitor: Visitor, *, depth: Depth, ascii_only: bool, governor: Governor,
                 frames_per_s: float, driver: Callable[..., SshDriver]) -> None:
        visit = world.visit(visitor)
        # A factory function stands in for the class: it knows the connection.
        super().__init__(cast("Session", visit), read_only=visit.read_only, depth=depth, ascii_only=ascii_only,
                         driver_class=cast(Any, driver))
        self.world, self.visitor, self.governor = world, visitor, governor
        self.frames_per_s = frames_per_s
        self.following = False
        self.up = asyncio.Event()
        self._turn = 0
        self._followed: Attention | None = None
        # Everything that Textual took from the server's environment is set for this visitor.
        self.console = true_console()
        self.error_console = Console(file=StringIO())
        self.no_color = depth == "mono"
        self._filters: list[LineFilter] = [f for f in self._filters if isinstance(f, ANSIToTruecolor)]
        self.features = frozenset()
        own = () if world.private else PEOPLE if visitor.role == "viewer" else (CONTROLS, *PEOPLE)
        self.ui.extra = (*own, DEPTH)
        self.ui.paces = not visit.read_only
        self.ui.forkable = world.private

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return what is done to every line: what could steer the terminal goes, colours are fitted to it.

        The renderer of cells does both by itself; a filter would only keep another copy of every row.
        """
        if self.cells is not None and self.ui.palette.depth in ("truecolor", "256"):
            return ()
        return [Printable(), *super().get_line_filters()]

    def obey_signals(self) -> None:
        """Signals are for the server."""

    def arrive(self) -> None:
        """Say hello once everything stands; keys are heard from then on."""
        main = self.main
        if main.is_mounted and all(widget.is_mounted for widget in main.query("#body, .view")):
            self.up.set()
            self.say(self.welcome())

    def new_family(self, first: Session) -> Family:
        """Return the branches of this visitor's own factory."""
        return cast("Family", self.world.branch_out(self.visitor))

    def close_branches(self) -> None:
        """Nothing: the world closes its branches, in a thread that nobody waits for."""

    def welcome(self) -> str:
        """Return one line that says what one may do and who else is here."""
        if self.world.private:
            return "this factory is yours alone: f breaks, F forks, + makes it faster, ? helps"
        others = len(self.world.roster.visitors) - 1
        crowd = f"{others} other{'s' if others > 1 else ''} here" if others else "nobody else is here"
        if self.visitor.role == "viewer":
            return f"you look, an operator acts; {crowd}; L follows the operator, ? helps"
        if self.world.roster.may_act(self.visitor):
            return f"you hold the controls; {crowd}; o hands them over, ? helps"
        return f"somebody else holds the controls; {crowd}; o asks for them, ? helps"

    # ---- frames ----------------------------------------------------------------------------------------

    def pull(self) -> None:
        """Take the newest frame when this visitor's terminal has taken the last one and the loop has time."""
        self._turn += 1
        if not self.up.is_set():
            self.arrive()
        driver = self._driver
        if isinstance(driver, SshDriver) and not driver.ready():
            return
        self.hear()
        if self._turn % self.governor.every == 0:
            super().pull()
        ui = self.ui
        self.visitor.attention = Attention(ui.view, ui.hall, ui.rack, ui.metric, ui.colour_map, ui.window, ui.layer)
        if self.following:
            self.look_along()
        if self._turn % THIN_EVERY == 1:
            self.thin()

    def thin(self) -> None:
        """Let go of the rows that Textual keeps of every widget for its next full update: most of the memory."""
        for widget in self.screen.walk_children():
            cache = getattr(widget, "_styles_cache", None)
            if cache is not None:
                cache.clear()

    def hear(self) -> None:
        """Take notice of a change of roles and of what others did."""
        read_only = not self.world.roster.may_act(self.visitor)
        if read_only != self.ui.read_only:
            self.ui.read_only, self.ui.paces = read_only, not read_only
            self.feed()
        if self.visitor.notices and self.screen is self.main:
            self.say(self.visitor.notices.popleft())

    def look_along(self) -> None:
        """Look at what the operator looks at, when that changed."""
        leader = self.world.roster.holder()
        if leader is None or leader is self.visitor or leader.attention in (None, self._followed):
            return
        self._followed = leader.attention
        if self.screen is self.main:
            self.call_later(self._go, leader.attention)

    async def _go(self, to: Attention) -> None:
        ui = self.ui
        ui.metric, ui.colour_map, ui.window, ui.layer = to.metric, to.colour_map, to.window, to.layer
        ui.select_rack(to.rack)
        ui.hall = to.hall
        if ui.view != to.view:
            await self.main.show(to.view)
        else:
            self.feed()

    # ---- actions ---------------------------------------------------------------------------------------

    async def run_action(self, action: Any, default_namespace: Any = None, namespaces: Any = None) -> bool:
        """Run an action; a refusal is said, not raised."""
        found = actions.BY_NAME.get(str(action).partition("(")[0].rpartition(".")[2])
        if found is not None and found.files:
            self.say("refused: a file would be written on the server; y copies to your own clipboard")
            return True
        if found is not None and self.ui.refuses(found):
            self.say("refused: you look here, others act" if self.visitor.role == "viewer" else
                     "refused: o takes the controls or asks for them")
            return True
        try:
            return await super().run_action(action, default_namespace, namespaces)
        except TwinError as error:
            self.say(f"refused: {error}")
            return True

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Tell whether an action works now; one that the role forbids gets an answer when it is tried."""
        if action in _OWN:
            return any(a.name == action for a in self.ui.extra)
        found = actions.BY_NAME.get(action)
        if found is not None and found.forks and not self.ui.forkable:
            return False
        return found is None or not found.views or self.ui.view in found.views

    def action_controls(self) -> None:
        """Take the controls, ask for them, or hand them over."""
        said = self.world.roster.controls(self.visitor)
        self.visitor.notices.clear()
        self.hear()
        self.say(said)

    def action_follow(self) -> None:
        """Look at what the operator looks at, or stop."""
        self.following, self._followed = not self.following, None
        leader = self.world.roster.holder()
        if not self.following:
            self.say("you look at what you like")
        elif leader is None:
            self.say("nobody holds the controls yet; you will follow who does")
        else:
            self.say(f"you follow {leader.name}" if leader is not self.visitor else "you hold the controls yourself")

    def action_who(self) -> None:
        """Show who is here."""
        self.push_screen(WhoScreen(self.ui, self.world, self.visitor))

    def action_depth(self) -> None:
        """Draw with the next depth of colour."""
        old = self.ui.palette
        depth = DEPTHS[(DEPTHS.index(old.depth) + 1) % len(DEPTHS)]
        self.set_colours(COLOUR_SYSTEMS[depth])
        self.recolour(old.but(depth=depth))
        self.no_color = depth == "mono"
        self.refresh_css(animate=False)
        names = {"truecolor": "24-bit colours", "256": "256 colours", "16": "the terminal's 16 colours", "mono": "none"}
        self.say(f"colours: {names[depth]}")

    # ---- what would happen on the server ---------------------------------------------------------------

    def deliver_screenshot(self, filename: str | None = None, path: str | None = None,
                           time_format: str | None = None) -> str | None:
        """No file is written on the server."""
        return None

    def save_screenshot(self, filename: str | None = None, path: str | None = None,
                        time_format: str | None = None) -> str:
        """No file is written on the server."""
        return ""

    def deliver_text(self, path_or_file: Any, **kwargs: Any) -> str | None:
        """No file is written on the server."""
        return None

    def deliver_binary(self, path_or_file: Any, **kwargs: Any) -> str | None:
        """No file is written on the server."""
        return None

    def open_url(self, url: str, *, new_tab: bool = True) -> None:
        """No browser is opened on the server."""

    def action_suspend_process(self) -> None:
        """The server's process is not this visitor's to stop."""

    def _handle_exception(self, error: Exception) -> None:
        """End this session, and only this one; the traceback is for the server's log."""
        if not self._exit and self.crashed is None:
            LOG.error("the screen of %s (%d) failed", self.visitor.name, self.visitor.number, exc_info=error)
        super()._handle_exception(error)


def message_of_the_day(world: World, visitor: Visitor) -> str:
    """Return what is printed before the screen opens: what runs, who is here, what one may do."""
    frame, title = world.session.frame(), fmt.clean(world.session.title)
    pace = "paused" if frame.paused else f"x{frame.speed_asked:g}"
    lines = [f"{title}: {fmt.elapsed(frame.now_ns)} of {fmt.elapsed(frame.end_ns)}, {pace}"]
    if world.private:
        lines.append("A factory of your own; it ends when you leave.")
    else:
        lines.append(f"Here: {world.roster.summary()}.")
        acts = world.roster.may_act(visitor)
        lines.append("You hold the controls." if acts else "You may ask for the controls." if
                     visitor.role == "operator" else "You look; operators act.")
    return "\r\n".join([*lines, ""])
