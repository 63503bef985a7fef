"""What is written to the terminal: replayed in a terminal emulator it shows what was composed, and it is little."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import numpy as np
import pyte
import pytest
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual._compositor import LayoutUpdate
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widgets import Static

from tests.tui.tui_fake import FakeSession, make_site
from twin.tui import output
from twin.tui.actions import VIEWS
from twin.tui.app import TwinApp
from twin.tui.cells import CHAR_BITS, CHAR_MASK, STYLES, CellStrip, segments_of, strip_codes, text_codes
from twin.tui.output import CellDiff, pen_of, turn
from twin.tui.panels.hall import FloorMap, _gather
from twin.tui.stream import StreamDriver
from twin.tui.theme import Palette

#: frames are looked at more often than in life, so that a test need not wait for the next one
pytestmark = pytest.mark.usefixtures("fast")
Act = Callable[[TwinApp, "Terminal", FakeSession], Awaitable[None]]


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at frames forty times a second."""
    monkeypatch.setattr("twin.tui.app.FRAMES_PER_S", 40)


class Terminal:
    """A terminal emulator that takes what a driver writes, and counts it."""

    def __init__(self, width: int, height: int) -> None:
        self.screen = pyte.Screen(width, height)
        self.stream = pyte.Stream(self.screen)
        self.writes: list[str] = []

    def take(self, text: str) -> None:
        """Show what is written."""
        self.writes.append(text)
        self.stream.feed(text)

    @property
    def size(self) -> int:
        """Bytes written since the list was cleared."""
        return sum(len(text.encode()) for text in self.writes)


def run(act: Act, size: tuple[int, int] = (120, 40), trouble: bool = False, **options: Any) -> None:
    """Run the app on an emulated terminal, let ``act`` drive it, leave; without ``trouble`` nothing may fall back."""
    async def body() -> None:
        session, terminal = FakeSession(make_site(liquid_rows=2, air_rows=2, racks=12)), Terminal(*size)
        options.setdefault("depth", "truecolor")
        app = TwinApp(session, driver_class=partial(StreamDriver, sink=terminal.take), **options)  # type: ignore[arg-type]
        task = asyncio.create_task(app.run_async(size=size))
        try:
            await settled(app)
            with app._context():
                await act(app, terminal, session)
            if not trouble:
                assert app.renderer_error is None
                assert not getattr(app.main._compositor, "plain", False)
        finally:
            app.exit()
            await task

    asyncio.run(body())


async def settled(app: TwinApp) -> None:
    """Wait until the newest frame is drawn and nothing is left to be composed."""
    quiet = 0
    for _ in range(400):
        await asyncio.sleep(0.01)
        screen = app.screen if app.is_running and app.screen_stack else None
        busy = screen is None or not screen.is_mounted or screen._dirty_widgets or screen._layout_required or \
            screen._compositor._dirty_regions or screen._repaint_required
        drawn = app.ui.frame.version == app.session.frame().version or app.screen is not app.main
        quiet = 0 if busy or not drawn else quiet + 1
        if quiet >= 5:
            return
    raise AssertionError("the screen did not come to rest")


def seen(app: TwinApp) -> list[list[tuple[str, str, str, bool, bool, bool]]]:
    """Return what the compositor composed: character, colours and attributes of every cell."""
    system = app.cells._system if app.cells is not None else ColorSystem.TRUECOLOR
    out = []
    for strip in app.screen._compositor.render_strips():
        row = []
        for code in strip_codes(strip).tolist():
            style = STYLES.styles[code >> CHAR_BITS]
            row.append(look(chr(code & CHAR_MASK) if code & CHAR_MASK else "", colour(style.color, system),
                            colour(style.bgcolor, system), bool(style.bold), bool(style.reverse),
                            bool(style.underline)))
        out.append(row)
    return out


#: the names that the emulator gives to the first sixteen colours
NAMES = ("black", "red", "green", "brown", "blue", "magenta", "cyan", "white")


def colour(value: Any, system: ColorSystem | None) -> str:
    """Return a colour of Rich in the emulator's words."""
    if value is None or value.is_default or system is None:
        return "default"
    value = value.downgrade(system)
    if value.triplet is not None:
        return str(value.triplet.hex[1:])
    number = value.number
    if value.type.name == "STANDARD":
        return NAMES[number] if number < 8 else "bright" + NAMES[number - 8]
    return str(pyte.graphics.FG_BG_256[number])


def look(char: str, fore: str, back: str, bold: bool, reverse: bool, underline: bool) -> Any:
    """Return what can be seen of a cell: nothing of the foreground where nothing is written."""
    if char in " " and not reverse and not underline:
        return char, "", back, False, False, False
    return char, fore, back, bold, reverse, underline


def shown(terminal: Terminal) -> list[list[Any]]:
    """Return what the emulated terminal shows."""
    screen, out = terminal.screen, []
    for y in range(screen.lines):
        line = screen.buffer[y]
        cells = [line[x] for x in range(screen.columns)]
        out.append([look(c.data, rename(c.fg), rename(c.bg), c.bold, c.reverse, c.underscore) for c in cells])
    return out


def rename(name: str) -> str:
    """Repair a name that the emulator misspells."""
    return {"bfightmagenta": "brightmagenta"}.get(name, name)


def differences(app: TwinApp, terminal: Terminal) -> list[Any]:
    """Return the cells that differ between the compositor and the terminal."""
    a, b = seen(app), shown(terminal)
    assert [len(row) for row in a] == [len(row) for row in b]
    return [(x, y, c, d) for y, (p, q) in enumerate(zip(a, b, strict=True))
            for x, (c, d) in enumerate(zip(p, q, strict=True)) if c != d][:5]


async def play(app: TwinApp, terminal: Terminal, session: FakeSession) -> None:
    """Use the screen as a person would, and compare after every act."""
    async def check(what: str) -> None:
        await settled(app)
        assert differences(app, terminal) == [], what

    async def press(keys: str) -> None:
        for key in keys.split():
            terminal_key = {"enter": b"\r", "esc": b"\x1b[27u", "right": b"\x1b[C"}.get(key, key.encode())
            app._driver.feed(terminal_key)  # type: ignore[union-attr]
            await check(f"after {key}")

    await check("at first")
    for _ in range(4):
        session.step()
        session.tick += 13
        await check("after a step")
    await press("2 right m m v c T 3 4 5 6 7 1")
    await press("? esc f esc")
    for size in ((90, 30), (60, 15), (140, 45), (120, 40)):
        terminal.screen.resize(lines=size[1], columns=size[0])
        terminal.screen.erase_in_display(2)  # a real terminal reflows: what it shows is not known
        terminal.screen.draw("reflowed")
        app._driver.resize(*size)  # type: ignore[union-attr]
        await check(f"at {size}")
        session.step()
        await check(f"a step at {size}")
    await press("2 enter right")
    session.step()
    await check("in the rack")


@pytest.mark.parametrize("options", [{}, {"renderer": "plain"}], ids=str)
def test_the_terminal_shows_what_was_composed(options: dict[str, Any]) -> None:
    run(play, **options)


@pytest.mark.parametrize("options", [{"dark": False}, {"depth": "256"}, {"depth": "16"}, {"depth": "mono"},
                                     {"ascii_only": True}], ids=str)
def test_every_kind_of_terminal_shows_what_was_composed(options: dict[str, Any]) -> None:
    async def act(app: TwinApp, terminal: Terminal, session: FakeSession) -> None:
        for key in ("2", "3", "?"):
            app._driver.feed(key.encode())  # type: ignore[union-attr]
            await settled(app)
            session.step()
            await settled(app)
            assert differences(app, terminal) == [], key

    run(act, (100, 30), **options)


def test_nothing_is_written_when_nothing_changed() -> None:
    async def act(app: TwinApp, terminal: Terminal, session: FakeSession) -> None:
        for key, view, _ in VIEWS:
            app._driver.feed(key.encode())  # type: ignore[union-attr]
            await settled(app)
            assert app.ui.view == view
            terminal.writes.clear()
            session.version += 1  # a new frame with the same content
            await settled(app)
            app.feed()
            await settled(app)
            assert terminal.writes == [], view

    run(act)


@pytest.mark.parametrize("view", ["floor", "overview"])
def test_a_frame_of_a_changing_floor_stays_under_its_ceiling(view: str) -> None:
    """One cell of the heat map in twenty changes in each frame, at 200x60: 50 kB/s at ten frames a second."""
    sizes: list[int] = []

    async def act(app: TwinApp, terminal: Terminal, session: FakeSession) -> None:
        rng, base = np.random.default_rng(3), session.frame()
        temps = base.columns["chip.gpu_temp_c"].copy()
        floor = next(panel for panel in app.main.view.panels if isinstance(panel, FloorMap))
        found = _gather(app.ui, floor.layout_now(app.ui))
        pixels = np.split(found.gpus, found.starts[1:])
        cells, session.paused = len(pixels) // 2, False
        assert cells > 1000
        for k in range(8):
            for i in rng.choice(cells, cells // 20, replace=False):
                temps[pixels[2 * i]] = rng.choice(temps)
            session.tick += 1
            session.version += 1
            frame = session._make()
            session._made = ((session.tick, session.version),
                             dataclasses.replace(frame, columns={**frame.columns, "chip.gpu_temp_c": temps.copy()}))
            terminal.writes.clear()
            await settled(app)
            assert differences(app, terminal) == []
            if k >= 2:
                sizes.append(terminal.size)

    run(act, (200, 60), view=view)
    assert 0 < sum(sizes) / len(sizes) < 5000, sizes


def test_an_overlay_is_drawn_over_and_taken_away_again() -> None:
    """A wide-character message over the heat map: its cells come from the topmost widget, and go with it."""
    async def act(app: TwinApp, terminal: Terminal, session: FakeSession) -> None:
        note = Static("大 wide 言 and\nnarrow", id="note")
        note.styles.position, note.styles.overlay = "absolute", "screen"
        note.styles.offset, note.styles.width, note.styles.height = (31, 7), 17, 3
        await app.main.mount(note)
        for _ in range(3):
            session.step()
            session.tick += 40
            await settled(app)
            assert differences(app, terminal) == []
        await note.remove()
        await settled(app)
        assert differences(app, terminal) == []

    run(act, view="floor")


def test_a_lost_screen_is_written_again() -> None:
    async def act(app: TwinApp, terminal: Terminal, session: FakeSession) -> None:
        terminal.screen.reset()
        app.redraw()
        await settled(app)
        assert differences(app, terminal) == []

    run(act)


def test_an_error_in_the_renderer_falls_back_to_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    async def act(app: TwinApp, terminal: Terminal, session: FakeSession) -> None:
        assert app.cells is not None
        monkeypatch.setattr(app.cells, "frame", broken)
        session.step()
        await settled(app)
        assert isinstance(app.renderer_error, ZeroDivisionError)
        assert app.cells is None
        session.step()
        await settled(app)
        assert differences(app, terminal) == []

    run(act, view="floor", trouble=True)


def test_an_error_in_the_compositor_falls_back_to_the_base_class(monkeypatch: pytest.MonkeyPatch) -> None:
    async def act(app: TwinApp, terminal: Terminal, session: FakeSession) -> None:
        monkeypatch.setattr(app.main._compositor, "_tops", broken)
        for _ in range(3):
            session.step()
            await settled(app)
            assert differences(app, terminal) == []
        assert app.main._compositor.plain

    run(act, view="floor", trouble=True)


def broken(*_: Any) -> Any:
    """Fail."""
    return 1 // 0


def test_another_textual_takes_the_plain_way(monkeypatch: pytest.MonkeyPatch) -> None:
    def renamed(self: Any, chunks: Any) -> None: ...

    assert output.seam_is_there()
    monkeypatch.setattr(output.ChopsUpdate, "__init__", renamed)
    assert not output.seam_is_there()
    assert TwinApp(FakeSession(make_site(liquid_rows=2, air_rows=1))).cells is None  # type: ignore[arg-type]


def test_the_environment_and_the_argument_choose_the_renderer(monkeypatch: pytest.MonkeyPatch) -> None:
    session: Any = FakeSession(make_site(liquid_rows=2, air_rows=1))
    monkeypatch.setenv(output.RENDERER_VARIABLE, "plain")
    assert TwinApp(session).cells is None
    assert TwinApp(session, renderer="cells").cells is not None
    monkeypatch.delenv(output.RENDERER_VARIABLE)
    assert TwinApp(session).cells is not None


def test_only_the_difference_is_written() -> None:
    red, bare = Style(color="#ff0000", bgcolor="#000010"), Style()
    diff, size = CellDiff(), Size(10, 2)

    def frame(first: str, second: str) -> str:
        strips: Any = [[Strip([Segment(first, red)], 10)], [Strip([Segment(second, bare)], 10)]]
        return diff.frame(LayoutUpdate(strips, Region(0, 0, 10, 2)), size)

    assert "abcdefghij" in frame("abcdefghij", "          ")
    assert frame("abcdefghij", "          ") == ""
    assert frame("abcXefghij", "          ") == "\x1b[1;4H\x1b[0;38;2;255;0;0;48;2;0;0;16mX\x1b[0m\x1b[1;1H"
    assert frame("abcdefghij", "         .").count("\x1b[2;10H") == 1
    diff.reset()
    assert "abcdefghij" in frame("abcdefghij", "         .")


def test_turns_between_pens_change_as_little_as_they_can() -> None:
    def pen(text: str) -> Any:
        return pen_of(Style.parse(text), ColorSystem.TRUECOLOR)

    assert turn(pen("#010203 on #040506"), pen("#010203 on #070809")) == "\x1b[48;2;7;8;9m"
    assert turn(pen("#010203"), pen("default")) == "\x1b[39m"
    assert turn(pen("bold"), pen("default")) == "\x1b[0m"
    assert turn(pen("default"), pen("bold #010203")) == "\x1b[1;38;2;1;2;3m"
    assert turn(None, pen("reverse")) == "\x1b[0;7m"
    assert pen_of(Style.parse("bold #010203"), None) == ("1", "39", "49")


def test_cell_strips_behave_like_strips() -> None:
    parts = [("ab ", Style(color="red")), ("▀▄x", Style(bgcolor="blue")), ("   ", Style(reverse=True))]
    own, plain = CellStrip(text_codes(parts)), Strip([Segment(*part) for part in parts], 9)
    assert own.text == plain.text
    assert [p.text for p in own.divide([2, 5, 9])] == [p.text for p in plain.divide([2, 5, 9])]
    assert own.crop(1, 4).text == plain.crop(1, 4).text
    assert np.array_equal(strip_codes(plain), own.codes)
    assert "".join(s.text for s in segments_of(own.codes)) == plain.text
    assert Strip.join([own, plain]).cell_length == 18


def test_nothing_from_outside_can_steer_the_terminal() -> None:
    evil = "a\x1b[2Jb\x9bc\x07d\u202ee"
    assert strip_text(text_codes([(evil, Style())])) == "a [2Jb c d e"
    diff = CellDiff()
    written = diff.frame(LayoutUpdate([[Strip([Segment(evil + "大", Style())], 14)]], Region(0, 0, 14, 1)), Size(14, 1))  # type: ignore[list-item]
    assert "\x1b[2J" not in written
    assert not set("\x9b\x07\u202e") & set(written)


def strip_text(codes: Any) -> str:
    """Return the characters of codes."""
    return "".join(chr(code & CHAR_MASK) for code in codes.tolist())


def test_a_change_of_depth_is_written_in_the_new_depth() -> None:
    async def act(app: TwinApp, terminal: Terminal, session: FakeSession) -> None:
        for depth in ("256", "16", "mono", "truecolor"):
            terminal.writes.clear()
            app.recolour(Palette(True, depth, False))  # type: ignore[arg-type]
            await settled(app)
            assert differences(app, terminal) == [], depth
            assert any("38;2;" in text for text in terminal.writes) == (depth == "truecolor")

    run(act)


def test_a_character_without_a_style_is_the_first_code() -> None:
    assert STYLES.styles[0] == Style()
    assert text_codes([(" a", None)]).tolist() == [32, 97]


def test_a_widget_that_grew_goes_on_in_its_own_ground() -> None:
    class Narrow:
        def render_lines(self, crop: Region) -> list[Strip]:
            return [Strip([Segment("ab", Style(color="red", bgcolor="blue"))], 2)] * crop.height

    codes = output.codes_in(Narrow(), Region(1, 0, 3, 2), 4)
    assert codes.shape == (2, 3)
    assert [STYLES.styles[c >> CHAR_BITS].bgcolor.name for c in codes[1].tolist()] == ["blue"] * 3  # type: ignore[union-attr]
    assert strip_text(codes[0]) == "b  "


def test_a_wide_character_from_outside_keeps_the_columns() -> None:
    codes = text_codes([("job 大x", Style())])
    assert len(codes) == 6
    assert chr(int(codes[4]) & CHAR_MASK) == "\ufffd"
