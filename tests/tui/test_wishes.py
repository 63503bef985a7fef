"""Wishes of single persons: graphs of other characters, the terminal's own background, forward again, text pictures."""

import re

import numpy as np
import pytest
from click.testing import CliRunner
from tui_fake import FakeSession, make_site

from twin.cli.commands import cli
from twin.tui import actions
from twin.tui.app import TwinApp
from twin.tui.cells import CHAR_BITS, STYLES, strip_codes
from twin.tui.config import OPTIONS
from twin.tui.local import Local
from twin.tui.widgets.braille import bin_series, plot_rows

SITE = make_site()
S = 1_000_000_000


def text_of(app: TwinApp) -> str:
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


@pytest.mark.parametrize(("graphs", "kind"), [("braille", "[\u2801-\u28ff]"), ("block", "[▘▝▀▖▌▞▛▗▚▐▜▄▙▟█]"),
                                              ("ascii", "[_.'-]")])
def test_a_rising_line_rises_in_any_characters(graphs: str, kind: str) -> None:
    t = np.arange(32.0)
    rows = plot_rows(bin_series((t, t, t, t), 31 * S, 0, 32), 16, 8, 0.0, 31.0, graphs=graphs)
    lines = ["".join(text for text, _ in row) for row in rows]
    assert all(re.fullmatch(f"({kind}| )*", line) for line in lines)
    first = [min(y for y, line in enumerate(lines) if line[x] != " ") for x in range(16)]
    assert first == sorted(first, reverse=True)
    assert (first[0], first[-1]) == (7, 0)


async def test_blocks_are_drawn_where_they_are_wished() -> None:
    app = TwinApp(FakeSession(SITE), depth="truecolor", local=Local(graphs="block"))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        text = text_of(app)
        assert not re.search("[\u2801-\u28ff]", text)
        assert re.search("[▘▝▖▌▞▛▗▚▐▜▙▟]", text)
        await pilot.press("T")
        assert app.ui.palette.graphs == "block"


@pytest.mark.parametrize("depth", ["truecolor", "256"])
@pytest.mark.parametrize("keys", [(), ("f",), ("question_mark",), ("T",)])
async def test_the_terminals_own_background_is_left_alone(depth: str, keys: tuple[str, ...]) -> None:
    def grounds(app: TwinApp) -> set[str]:
        found = set()
        for strip in app.screen._compositor.render_strips():
            for code in np.unique(strip_codes(strip) >> CHAR_BITS).tolist():
                colour = STYLES.styles[code].bgcolor
                found.add("default" if colour is None or colour.is_default else
                          colour.triplet.hex if colour.triplet else str(colour.number))
        return found

    seen = {}
    for ground in (True, False):
        app = TwinApp(FakeSession(SITE), depth=depth, local=Local(ground=ground))
        async with app.run_test(size=(120, 40)) as pilot:
            await pilot.pause()
            await pilot.press(*keys)
            await pilot.pause()
            colour = app.ui.palette.colour("bg")
            assert colour is not None
            own = colour.triplet.hex if colour.triplet else str(colour.number)
            seen[ground] = grounds(app), own
    assert seen[True][1] in seen[True][0]
    assert "default" in seen[False][0]
    assert seen[False][1] not in seen[False][0]
    assert seen[False][0] - {"default"} <= seen[True][0]  # the rest stays as it was


async def test_forward_goes_again_to_what_esc_left() -> None:
    app = TwinApp(FakeSession(SITE), view="overview", depth="truecolor")
    async with app.run_test(size=(120, 40)) as pilot:
        views = []
        for key in ("enter", "escape", "alt+right", "escape", "shift+right", "alt+right"):
            await pilot.press(key)
            await pilot.pause()
            views.append(app.ui.view)
        assert views == ["rack", "overview", "rack", "overview", "rack", "rack"]
        assert "nothing was left by esc" in text_of(app)
        await pilot.press("escape", "3", "alt+right")  # a tab begins a new way
        await pilot.pause()
        assert app.ui.view == "power"


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
@pytest.mark.parametrize("view", [name for _, name, _ in actions.VIEWS])
async def test_one_panel_has_the_view_and_gives_it_back(view: str, size: tuple[int, int]) -> None:
    app = TwinApp(FakeSession(SITE), view=view, depth="truecolor")
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        here = app.main.view
        before = {panel: panel.region for panel in here.panels}
        had = []
        for _ in range(10):
            await pilot.press("e")
            await pilot.pause()
            if here.grown is None:
                break
            had.append(here.grown)
            shown = [panel for panel in here.panels if panel.region.area]
            assert shown == [here.grown]
            widest, tallest = size[0] - 2, size[1] - 7
            assert here.grown.region.width >= widest
            assert here.grown.region.height >= min(tallest, here.grown.styles.max_height.value or tallest) - 1
        assert had
        assert {panel: panel.region for panel in here.panels} == before
        assert len(had) == (1 if here.tables else sum(region.height > 1 for region in before.values()))
        await pilot.press("e", "escape")
        await pilot.pause()
        assert app.ui.view == view
        assert {panel: panel.region for panel in here.panels} == before


async def test_tab_gives_the_view_to_the_next_table() -> None:
    app = TwinApp(FakeSession(SITE), view="cooling", depth="truecolor")
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        here = app.main.view
        await pilot.press("e", "tab")
        await pilot.pause()
        assert here.grown is here.tables[1] is here.table()
        assert [panel for panel in here.panels if panel.region.area] == [here.tables[1]]


async def test_the_name_of_a_fault_means_that_fault_and_not_the_end_of_one() -> None:
    session = FakeSession(SITE)
    assert session.frame().faults[0].name == "crah_fan_trip"
    app = TwinApp(session, depth="truecolor")
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.press("f", *"crah_fan", "enter")
        await pilot.pause()
        await pilot.press(*"A.crah2", "enter", "enter")
        await pilot.pause()
        assert [(c.kind, c.name, c.target) for c in session.sent] == [("fault", "crah_fan_trip", "A.crah2")]
        await pilot.press("f", *"end", "enter")
        await pilot.pause()
        assert [(c.kind, c.name, c.target) for c in session.sent[1:]] == [("clear", "crah_fan_trip", "A.crah4")]
        await pilot.press("s", "enter")
        await pilot.pause()
        assert "now 32.0 °C" in text_of(app)


def test_a_picture_as_text_says_what_the_screen_says(tmp_path) -> None:
    runner = CliRunner()
    text = runner.invoke(cli, ["screenshot", "small", "--at", "10s", "--format", "text"], standalone_mode=False).output
    lines = text.splitlines()
    assert len(lines) == 40
    assert max(map(len, lines)) <= 120
    assert lines == [line.rstrip() for line in lines]
    assert "hottest GPU" in text and "13:00:10" in text  # noqa: PT018
    colours = runner.invoke(cli, ["screenshot", "small", "--at", "10s", "--format", "ansi"],
                            standalone_mode=False).output
    assert "\x1b[38;2;" in colours
    bare = re.sub(r"\x1b\[[0-9;]*m", "", colours)
    assert [line.rstrip() for line in bare.splitlines()] == lines
    ascii_text = runner.invoke(cli, ["screenshot", "small", "--at", "10s", "--ascii", "--out", str(tmp_path / "a.txt")],
                               standalone_mode=False)
    assert ascii_text.output == ""
    assert (tmp_path / "a.txt").read_text().isascii()


def test_the_manual_names_every_command_option_and_key() -> None:
    from docs.man_page import man_page

    page = man_page().replace("\\-", "-").replace("\\(aq", "'").replace("\\&", "").replace("\\e", "\\")
    for name in cli.list_commands(None):  # type: ignore[arg-type]
        assert f"\n.SS twin {name} " in page
        for parameter in cli.get_command(None, name).params:  # type: ignore[arg-type,union-attr]
            for option in parameter.opts if parameter.param_type_name == "option" else ():
                assert option in page
    for action in actions.ACTIONS:
        assert f"\n.B {action.shown}\n{action.doc}" in page
    for option in OPTIONS:
        assert f"TWIN_{option.name.upper()}" in page
    assert not re.search(r"^\.(?!\\\"|TH|SH|SS|TP|PP|B |I |B$)", man_page(), re.MULTILINE)  # no request by accident


async def test_ctrl_c_leaves_a_menu_the_help_and_the_screen() -> None:
    app = TwinApp(FakeSession(SITE), depth="truecolor")
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        for key in ("question_mark", "f", "colon"):
            await pilot.press(key)
            await pilot.pause()
            assert app.screen is not app.main
            await pilot.press("ctrl+c")
            await pilot.pause()
            assert app.screen is app.main, key
        await pilot.press("ctrl+c")
    assert app._exit
    assert app.return_code == 0
