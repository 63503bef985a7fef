"""Filter, palette and the way back, driven at three sizes."""

import random
import re

import pytest
from tui_fake import FakeSession, make_site

from twin.tui import actions
from twin.tui.app import TwinApp
from twin.tui.filtering import Filter, rack_mask
from twin.tui.hover import ABOUT, about
from twin.tui.palette import ENTRIES_MAX, FindMenu, FindStep, entries
from twin.tui.panels.hall import FloorMap
from twin.tui.panels.jobs import JobTable
from twin.tui.pattern import PATTERN_MAX, Pattern
from twin.tui.screens.menu import SHOWN_MAX, Choice, FaultMenu
from twin.tui.theme import NONE
from twin.wiring import Command

SIZES = [(80, 24), (120, 40), (200, 60)]
SITE = make_site()


def text_of(app) -> list[str]:
    """Return what stands on the screen, line by line."""
    return [strip.text for strip in app.screen._compositor.render_strips()]


def app_of(**kwargs):
    return TwinApp(FakeSession(SITE), depth="truecolor", **kwargs)


def test_patterns_agree_with_the_standard_library():
    draw = random.Random(5)
    parts = ["a", "b", "1", ".", "[ab]", "[^a1]", r"\d", r"\w", "(a|b1)", "(ab)*", "a+", "b?", ".*", "^", "$", "|"]
    texts = ["", "a", "ab", "ba1", "a1b1", "b b", "aabb11", "1a", "b1b1a"]
    compared = 0
    for _ in range(1500):
        text = "".join(draw.choices(parts, k=draw.randint(1, 6)))
        try:
            theirs = re.compile(text)
        except re.error:
            continue
        ours = Pattern(text)
        for sample in texts:
            assert ours.search(sample) is (theirs.search(sample) is not None), (text, sample)
            compared += 1
    assert compared > 5000


def test_a_pattern_that_stalls_other_matchers_does_not_stall_this_one():
    assert not Pattern("(a+)+$").search("a" * 400 + "b")
    assert not Pattern("(.*)*(.*)*(.*)*x$").search("y" * 400)
    assert Pattern("a" * PATTERN_MAX).search("A" * PATTERN_MAX)


@pytest.mark.parametrize("text", ["(", ")", "[", "*", "a\\", "[z-a]", r"\q", "a" * (PATTERN_MAX + 1)])
def test_bad_patterns_are_refused_in_words(text):
    found = Filter("~" + text)
    if len(text) > PATTERN_MAX:  # the filter is cut before
        assert found.keeps("a" * PATTERN_MAX)
        return
    assert found.error.startswith("the pattern ")
    assert found.keeps("anything")


async def test_a_filter_keeps_the_rows_that_match():
    app = app_of(view="jobs")
    async with app.run_test(size=(120, 40)) as pilot:
        table = app.screen.query_one(JobTable)
        for typed, kept in (("pre", {"pretrain"}), ("!pre", None), ("~^(pre|fine)", {"pretrain", "finetune"})):
            await pilot.press("slash", "ctrl+u", *typed, "enter")
            await pilot.pause()
            names = {app.ui.element_name("job", i) for i in table.rows(app.ui)}
            everything = {app.ui.element_name("job", i) for i in table.items(app.ui)}
            assert names == (kept if kept is not None else everything - {"pretrain"}), typed
            assert any(f"{len(names)} of {len(everything)} match" in line for line in text_of(app))
            assert f"/{typed}" in text_of(app)[-2]
        await pilot.press("slash", *"zzz", "enter")
        await pilot.pause()
        assert any("nothing matches" in line for line in text_of(app))
        await pilot.press("escape")
        await pilot.pause()
        assert app.ui.filter is None
        assert len(table.rows(app.ui)) == len(table.items(app.ui))


async def test_every_table_of_every_view_filters():
    app = app_of()
    async with app.run_test(size=(120, 40)) as pilot:
        for key in "4567":
            await pilot.press(key)
            await pilot.pause()
            await pilot.press("slash", *"zqx", "enter")
            await pilot.pause()
            assert all(not table.rows(app.ui) for table in app.main.view.tables)
            assert all(table.selected(app.ui) is None for table in app.main.view.tables)


@pytest.mark.parametrize("size", SIZES)
async def test_racks_that_match_stay_bright(size):
    app = app_of(view="floor")
    async with app.run_test(size=size) as pilot:
        await pilot.press("slash", *"A2.0", "enter")
        await pilot.pause()
        mask = rack_mask(app.ui)
        names = app.ui.names("rack")
        assert {n for n, m in zip(names, mask, strict=True) if m} == {n for n in names if "A2.0" in n}
        heat = app.screen.query_one(FloorMap)
        lay = heat.layout_now(app.ui)
        grid, _ = heat.draw(app.ui, *heat.content_size)
        shown = {}
        for rack, (x, y) in lay.places.items():
            shown[rack] = bool((grid.pixels[2 * y:2 * y + 2 * lay.cell_h, x:x + lay.cell_w] != NONE).any())
        assert shown == {rack: bool(mask[rack]) for rack in lay.places}
        assert "racks match" in text_of(app)[3] or size == (80, 24)


async def test_racks_match_by_job_kind_alarm_and_the_other_way_round():
    app = app_of(view="floor")
    async with app.run_test(size=(120, 40)) as pilot:
        async def racks(typed):
            await pilot.press("slash", "ctrl+u", *typed, "enter")
            await pilot.pause()
            return {n for n, m in zip(app.ui.names("rack"), rack_mask(app.ui), strict=True) if m}

        with_job, air = await racks("pretrain"), await racks("hgx")
        assert with_job
        assert all(name[:2] in ("A5", "A6") for name in air)
        assert await racks("inlet_warm") == {"A5.14"}
        assert await racks("!pretrain") == set(app.ui.names("rack")) - with_job


async def test_what_is_typed_does_not_start_actions():
    app = app_of(view="floor")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("slash", *"qf7 :?")
        await pilot.pause()
        assert app.screen is app.main
        assert (app.ui.view, app.ui.filter_text, app.is_running) == ("floor", "qf7 :?", True)
        await pilot.press("backspace", "escape", "7")
        await pilot.pause()
        assert app.ui.view == "events"


def test_the_palette_is_bounded():
    step, words = FindStep(), ["alpha", "beta", "gamma"]
    step.choices = [Choice(f"rack {words[i % 3]}{i}", "open it", i) for i in range(ENTRIES_MAX)]
    step.typed = "rack " * 40_000
    assert len(step.found()) == SHOWN_MAX
    step.typed = "beta1 open"
    assert all("beta1" in c.text for c in step.found())
    assert step.found() is step.found()
    ui = app_of().ui
    kinds = {e.kind for e in entries(ui)}
    assert kinds == {"action", "rack", "job", "alarm", "fault", "setting"}
    ui.read_only = True
    assert {e.kind for e in entries(ui)} == {"action", "rack", "job", "alarm"}


@pytest.mark.parametrize("size", SIZES)
async def test_the_palette_goes_to_what_was_chosen(size):
    app = app_of()
    async with app.run_test(size=size) as pilot:
        async def find(*typed):
            await pilot.press("colon")
            await pilot.pause()
            assert isinstance(app.screen, FindMenu)
            await pilot.press(*"".join(typed), "enter")
            await pilot.pause()
            await pilot.pause()

        await find("rack A2.07")
        assert (app.ui.view, app.ui.names("rack")[app.ui.rack]) == ("rack", "A2.07")
        await pilot.press("escape")
        assert app.ui.view == "overview"
        await find("job finetune")
        assert app.ui.view == "jobs"
        assert app.ui.element_name("job", app.main.view.tables[0].selected(app.ui)) == "finetune"
        await find("inlet_warm")
        assert (app.ui.view, app.main.view.tables[0].selected(app.ui).name) == ("events", "inlet_warm")
        await find("Cooling")
        assert app.ui.view == "cooling"
        await find("crah_fan_trip")
        if isinstance(app.screen, FaultMenu):
            await pilot.press(*"crah7", "enter", *"90s", "enter")
            await pilot.pause()
        assert app.session.sent[-1] == Command("fault", 1447 * 10**9, "crah_fan_trip", "A.crah7", None, 90 * 10**9)


async def test_esc_comes_back_to_where_enter_was_pressed():
    app = app_of(view="events")
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("enter", "enter")
        await pilot.pause()
        assert app.ui.view == "rack"
        await pilot.press("escape")
        assert app.ui.view == "floor"
        await pilot.press("escape")
        assert app.ui.view == "events"
        await pilot.press("escape")
        assert app.ui.view == "events"


@pytest.mark.parametrize("size", SIZES)
async def test_the_mouse_explains_what_it_rests_on(size):
    app = app_of(view="floor")
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        heat = app.screen.query_one(FloorMap)
        await pilot.hover(heat, offset=heat.layout_now(app.ui).places[37])
        await pilot.pause()
        assert text_of(app)[-2].strip().startswith(app.ui.names("rack")[37])
        assert app.ui.rack == 0
        await pilot.hover("TabBar", offset=(3, 0))
        await pilot.pause()
        assert "five numbers" in text_of(app)[-2]
        await pilot.press("right")
        await pilot.pause()
        assert "GPU temperature" in text_of(app)[-2]


async def test_a_click_on_the_key_bar_runs_its_action():
    app = app_of()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        x = text_of(app)[-1].index("? help")
        await pilot.click("KeyBar", offset=(x, 0))
        await pilot.pause()
        assert app.screen is not app.main


async def test_every_panel_says_what_it_is():
    app = app_of()
    async with app.run_test(size=(120, 40)) as pilot:
        for view in (*(name for _, name, _ in actions.VIEWS), "rack"):
            await app.main.show(view)
            await pilot.pause()
            for panel in app.main.view.panels:
                assert about(panel).endswith("."), panel
            assert text_of(app)[-2].strip(), view
    assert all(len(text) <= 118 for text in ABOUT.values())
