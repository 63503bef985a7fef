"""The app: pulls frames from a session ten times a second, shows them, and turns keys into calls of the session."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.color import Color as RichColor
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual.app import App
from textual.binding import Binding, BindingsMap
from textual.color import Color
from textual.events import Key
from textual.filter import LineFilter, NoColor

from twin.errors import TwinError
from twin.tui import actions
from twin.tui import format as fmt
from twin.tui.finding import Finding
from twin.tui.hover import Hovering, about
from twin.tui.local import Local
from twin.tui.metrics import METRICS, map_of, metric_of
from twin.tui.output import CellCompositor
from twin.tui.panels.air import LAYERS, has_field
from twin.tui.panels.bars import Rule, TabBar
from twin.tui.panels.events import AlarmTable
from twin.tui.panels.floor import hot_spots, next_metric
from twin.tui.panels.hall import FloorMap
from twin.tui.panels.rack import RackMap
from twin.tui.screens.help import HelpScreen
from twin.tui.screens.main import MainScreen
from twin.tui.screens.menu import FaultMenu, Menu, SettingMenu
from twin.tui.taking import Taking
from twin.tui.theme import MAPS, Depth, Palette, nearest_256, textual_theme
from twin.tui.timing import Timing
from twin.tui.tour import Touring
from twin.tui.ui import WINDOWS_NS, Ui
from twin.tui.widgets.heatmap import HeatMap
from twin.tui.widgets.table import Table
from twin.wiring import Command

if TYPE_CHECKING:
    from twin.runtime.session import Session

#: how often the newest frame is looked at
FRAMES_PER_S = 10.0
#: keys that are kept while the screen is built; more than anybody types in that time
EARLY_MAX = 64

#: what the renderer may write at each depth
COLOUR_SYSTEMS: dict[Depth, ColorSystem | None] = {"truecolor": ColorSystem.TRUECOLOR, "256": ColorSystem.EIGHT_BIT,
                                                   "16": ColorSystem.STANDARD, "mono": None}


class OwnColours(LineFilter):
    """For 16 colours: what is not one of the terminal's own becomes its default."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Leave out every 24-bit colour."""
        return [Segment(text, None if style is None else _own(style), control) for text, style, control in segments]


class Colours256(LineFilter):
    """For 256 colours: what is still in 24 bits becomes the closest of them."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Replace every 24-bit colour."""
        return [Segment(text, None if style is None else _indexed(style), control) for text, style, control in segments]


class NoGround(LineFilter):
    """Where the theme's background is not wanted: leave it out of what Textual itself draws, menus for one."""

    def __init__(self, app: App[Any]) -> None:
        super().__init__()
        self._ground = app.current_theme.background

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Leave out the background of the theme."""
        ground = RichColor.parse(self._ground or "default")
        return [Segment(text, _groundless(style, ground) if style is not None else None, control)
                for text, style, control in segments]


@lru_cache(1024)
def _groundless(style: Style, ground: RichColor) -> Style:
    if style.bgcolor is None or style.bgcolor.triplet != ground.triplet:
        return style
    return style + Style(bgcolor=RichColor.default())


@lru_cache(1024)
def _indexed(style: Style) -> Style:
    if not any(colour is not None and colour.triplet is not None for colour in (style.color, style.bgcolor)):
        return style
    return style + Style(color=_closest(style.color), bgcolor=_closest(style.bgcolor))


def _closest(colour: RichColor | None) -> RichColor | None:
    if colour is None or colour.triplet is None:
        return colour
    return RichColor.from_ansi(nearest_256((colour.triplet.red, colour.triplet.green, colour.triplet.blue)))


@lru_cache(1024)
def _own(style: Style) -> Style:
    plain = RichColor.default()
    fore = plain if style.color is not None and style.color.triplet is not None else None
    back = plain if style.bgcolor is not None and style.bgcolor.triplet is not None else None
    return style + Style(color=fore, bgcolor=back)


def depth_of(app: App[Any]) -> Depth:
    """Return the depth of colour of the terminal; NO_COLOR means none."""
    if app.no_color:
        return "mono"
    system = app.console.color_system
    return {"256": "256", "standard": "16", "windows": "16"}.get(system or "truecolor", "truecolor")  # type: ignore[return-value]


class TwinApp(Touring, Taking, Finding, Hovering, Timing):
    """The live screen of one session.

    Args:
        session: where frames come from and commands go to; started and closed by the caller.
        read_only: look, but touch nothing.
        ascii_only: draw with ASCII characters only.
        dark: begin with the dark theme.
        view: view to begin with.
        depth: depth of colour; asked of the terminal when None.
        renderer: how the screen is written: ``cells``, ``plain``, or what the environment says when None.
        local: what the screen may do on this computer; None where it is served to others.
    """

    CSS_PATH = Path(__file__).parent / "styles" / "twin.tcss"
    ENABLE_COMMAND_PALETTE = False
    ALLOW_SELECT = False
    frames_per_s = FRAMES_PER_S
    BINDINGS = [Binding(",".join(a.keys), a.action, a.label, show=False) for a in actions.ACTIONS]

    def __init__(self, session: Session, read_only: bool = False, *, ascii_only: bool = False, dark: bool = True,
                 view: str = "overview", depth: Depth | None = None, renderer: str | None = None,
                 local: Local | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.session = session
        palette = Palette(dark, depth or depth_of(self), ascii_only,
                          graphs=local.graphs if local is not None else "braille",
                          ground=local is None or local.ground)
        self.use_renderer(renderer, COLOUR_SYSTEMS[palette.depth])
        self.ui = Ui(session, palette, session.frame(), read_only=read_only, view=view)
        self.ui.take(self.ui.frame)
        self._hears, self._early = False, list[Any]()
        self.ui.forkable = self.may_fork()
        self.local = local
        if local is not None:
            self._settle(local)
        self.animation_level = "none"
        self.title = "twin"
        for flag in (True, False):
            self.register_theme(textual_theme(flag))
        self.theme = "twin-dark" if dark else "twin-light"

    def _settle(self, local: Local) -> None:
        """Take over what a person prefers."""
        ui = self.ui
        ui.registry, ui.folder, ui.colour_map = local.registry, local.folder, local.colour_map
        self.frames_per_s, self.seen = local.fps, local.seen
        if local.registry is not actions.ACTIONS:
            self._bindings = BindingsMap([Binding(",".join(a.keys), a.action, a.label, show=False)
                                          for a in local.registry if a.keys])

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return what is done to every line: colours that the terminal does not have are left out."""
        depth = self.ui.palette.depth
        if depth == "truecolor":
            filters = super().get_line_filters()
            return filters if self.ui.palette.ground else (*filters, NoGround(self))
        if depth == "256" and not self.ui.palette.ground:
            return NoGround(self), Colours256()
        return {"mono": (NoColor(),), "16": (OwnColours(),), "256": (Colours256(),)}[depth]

    def get_default_screen(self) -> MainScreen:
        """Return the one screen."""
        self.main = MainScreen(self.ui, None if self.cells is None else CellCompositor())
        return self.main

    def on_mount(self) -> None:
        """Begin to look at frames."""
        self.set_interval(1 / self.frames_per_s, self.pull)
        self.app_resume_signal.subscribe(self, lambda _: self.redraw())  # the shell wrote over it
        self.obey_signals()
        if self.local is not None and (self.local.cast is not None or self.local.tour):
            self.call_after_refresh(self._begin, self.local)

    async def _begin(self, local: Local) -> None:
        """Begin with the recording and the tour that were asked for."""
        if local.cast is not None:
            self.begin_cast(local.cast)
        if local.tour:
            await self.start_tour()

    async def action_tour(self) -> None:
        """Show the tour again."""
        await self.start_tour()

    def obey_signals(self) -> None:
        """Leave when the process is asked to end."""
        with suppress(NotImplementedError, RuntimeError):  # not in the main thread, or no such signals here
            for name in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
                # Give the terminal back before leaving.
                asyncio.get_running_loop().add_signal_handler(name, self.exit, None, 128 + name)

    def pull(self) -> None:
        """Take the newest frame; nothing is done when it is the one that was drawn, or when a menu covers it."""
        frame = self.session.frame()
        if not self.screen_stack or self.screen is not self.main:
            return
        self.watch_time()
        if frame.version == self.ui.frame.version:
            if self._behind:
                self.feed()
            return
        self.ui.take(frame)
        self.feed(-1 if frame.paused else self.fed)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Tell whether an action works now; read-only screens and other views do not know some."""
        found = actions.BY_NAME.get(action)
        if found is None:
            return True
        if self.ui.refuses(found):
            return False
        return not found.views or self.ui.view in found.views

    async def on_event(self, event: Any) -> None:
        """Keep keys that come before the screen stands; forget the last answer when the next key comes."""
        if isinstance(event, Key):
            if not self._hears:
                if len(self._early) < EARLY_MAX:
                    self._early.append(event)
                return
            self.ui.message, self.ui.hover = "", ()
        await super().on_event(event)

    async def on_main_screen_ready(self) -> None:
        """Hear the keys that came too early; let the garbage collector look no more at what stands by now.

        A full collection looks at every object of the site, the catalogue and the widgets, some 50 ms during which no
        key is heard.
        """
        if self.local is not None and self.local.alone:
            gc.freeze()
        self._hears = True
        early, self._early = self._early, []
        for event in early:
            await self.on_event(event)

    # ---- time ------------------------------------------------------------------------------------------

    def action_window(self) -> None:
        """Show another length of time."""
        self.ui.window = (self.ui.window + 1) % len(WINDOWS_NS)
        span = self.ui.window_ns
        self.say(f"histories show the last {fmt.span(span)}" if span else "histories show everything since the start")

    # ---- views and selection -----------------------------------------------------------------------------

    async def action_view(self, name: str) -> None:
        """Go to a view."""
        self.ui.trail, self.ui.ahead = [], []
        await self.main.show(name)

    async def action_enter(self) -> None:
        """Open what is selected."""
        target = self.main.view.enter(self.ui)
        if target:
            await self.go_in(target)
        else:
            self.feed()

    def action_move(self, dx: int, dy: int) -> None:
        """Move the selection."""
        self.main.view.move(self.ui, dx, dy)
        self.feed()

    def action_next_pane(self) -> None:
        """Move the cursor to the next table."""
        self.main.view.next_pane()
        self.feed()

    def action_metric(self) -> None:
        """Show the next metric."""
        next_metric(self.ui, 1)
        self.feed()

    def action_metric_back(self) -> None:
        """Show the metric before."""
        next_metric(self.ui, -1)
        self.feed()

    def action_hottest(self) -> None:
        """Select the rack with the highest value."""
        metric = metric_of(self.ui)
        top = hot_spots(self.ui, metric, 1) if metric.name != "job" else []
        if top:
            self.ui.select_rack(top[0][0])
            self.say(f"highest {metric.title}: {top[0][2]} {metric.text(top[0][1])}")

    def action_hall_next(self) -> None:
        """Show the next hall."""
        self._change_hall(1)

    def action_hall_back(self) -> None:
        """Show the hall before."""
        self._change_hall(-1)

    def _change_hall(self, step: int) -> None:
        halls = self.ui.halls
        hall = halls[(self.ui.hall + step) % len(halls)]
        if hall.racks:
            self.ui.select_rack(hall.racks[0])
        self.ui.hall = hall.hall
        self.feed()

    def action_layer(self) -> None:
        """Show the next layer of the hall's air; the first press goes to the air."""
        if not has_field(self.ui):
            self.say("this factory has no air grid")
            return
        if metric_of(self.ui).axis == "cell":
            self.ui.layer = (self.ui.layer + 1) % len(LAYERS)
        self.ui.metric = next(i for i, m in enumerate(METRICS) if m.axis == "cell")
        self.say(f"hall air, {LAYERS[self.ui.layer]}")

    def action_colour_map(self) -> None:
        """Draw the floor in another colour map."""
        now = map_of(self.ui)
        self.ui.colour_map = MAPS[(MAPS.index(now) + 1) % len(MAPS)] if now in MAPS else MAPS[0]
        self.say(f"colours: {self.ui.colour_map}")

    def action_theme(self) -> None:
        """Change between dark and light."""
        old = self.ui.palette
        self.recolour(old.but(dark=not old.dark))

    def recolour(self, palette: Palette) -> None:
        """Draw everything in another palette."""
        if palette.depth != self.ui.palette.depth:
            self.set_colours(COLOUR_SYSTEMS[palette.depth])
        self.ui.palette = palette
        self.theme = "twin-dark" if palette.dark else "twin-light"
        for view in self.main.query(".view"):
            for panel in getattr(view, "panels", ()):
                panel.repaint(everything=True)
        for bar in (*self.main.bars, self.main.rule, self.main.explain_line):
            bar.repaint(everything=True)
        self.feed()

    # ---- acting ------------------------------------------------------------------------------------------

    def action_fault(self) -> None:
        """Open the fault menu."""
        if self.session.fault_kinds():
            self.open_menu(FaultMenu(self.ui))
        else:
            self.say("nothing can be made to fail in this factory")

    def action_setting(self) -> None:
        """Open the set-point menu."""
        if self.session.settings():
            self.open_menu(SettingMenu(self.ui))
        else:
            self.say("there is no set-point to change in this factory")

    def open_menu(self, menu: Menu) -> None:
        """Open a menu whose answer is sent."""
        self.push_screen(menu, self._send)

    def action_acknowledge(self) -> None:
        """Acknowledge the selected alarm."""
        table = self.main.view.table()
        alarm = table.selected(self.ui) if isinstance(table, AlarmTable) else None
        if alarm is None:
            self.say("select an alarm first")
            return
        self._send(Command("ack", self.ui.frame.now_ns, alarm.name, alarm.place))

    def _send(self, command: Command | None) -> None:
        """Hand a command to the session and say what was done."""
        if command is None:
            return
        try:
            self.deliver(command)
        except TwinError as error:
            self.say(f"refused: {error}")
            return
        lasts = f" for {fmt.span(command.duration_ns)}" if command.duration_ns else ""
        what = {"fault": f"fault {command.name} sent to {command.target or 'the factory'}{lasts}",
                "clear": f"end of {command.name} sent", "ack": f"{command.name} acknowledged",
                "set": f"{command.target} sent: {command.value if command.value is not None else ''}"}[command.kind]
        self.say(what)

    def action_redraw(self) -> None:
        """Write the whole screen again."""
        self.redraw()

    def action_help(self) -> None:
        """Show every key."""
        texts = dict.fromkeys(about(panel) for panel in self.main.view.panels if not isinstance(panel, Rule))
        self.push_screen(HelpScreen(self.ui, [*texts]))

    # ---- mouse -------------------------------------------------------------------------------------------

    async def on_tab_bar_chosen(self, message: TabBar.Chosen) -> None:
        """Go to the view whose tab was clicked."""
        await self.main.show(message.view)

    async def on_heat_map_clicked(self, message: HeatMap.Clicked) -> None:
        """Select the rack or GPU under the mouse; a double click opens the rack."""
        heatmap = message.heatmap
        if isinstance(heatmap, FloorMap):
            rack = heatmap.rack_at(self.ui, message.x, message.y)
            if rack is not None:
                self.ui.select_rack(rack)
                if message.count > 1:
                    await self.go_in("rack")
        elif isinstance(heatmap, RackMap):
            gpu = heatmap.gpu_at(self.ui, message.x, message.y)
            if gpu is not None:
                heatmap.gpu = gpu
        self.feed()

    def on_table_picked(self, message: Table.Picked) -> None:
        """Give the cursor to the table that was clicked."""
        if message.table in self.main.view.tables:
            self.main.view.activate(message.table)
        self.feed()

    async def on_table_activated(self, message: Table.Activated) -> None:
        """Open the row that was double-clicked."""
        await self.action_enter()
