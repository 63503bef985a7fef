"""Every view and key at three sizes, driven by a pilot over a session that only pretends."""

import asyncio

import pytest
from textual.events import Key
from tui_fake import FakeSession, make_site

from twin.tui import actions
from twin.tui.app import TwinApp
from twin.tui.metrics import METRICS, metric_of
from twin.tui.panels.air import fit_field
from twin.tui.panels.hall import FloorMap
from twin.tui.screens.help import HelpScreen
from twin.tui.screens.main import MainScreen
from twin.tui.screenshot import screenshot
from twin.wiring import Command

SIZES = [(80, 24), (120, 40), (200, 60)]
SITE = make_site()
CAMPUS = make_site(halls=3, liquid_rows=10, air_rows=0, racks=14)


def text_of(app) -> list[str]:
    """Return what stands on the screen, line by line."""
    return [strip.text for strip in app.screen._compositor.render_strips()]


def app_of(site=SITE, **kwargs):
    scene = {key: kwargs.pop(key) for key in ("calm",) if key in kwargs}
    return TwinApp(FakeSession(site, **scene), depth="truecolor", **kwargs)


@pytest.mark.parametrize("size", SIZES)
async def test_every_view_fills_the_frame(size):
    app = app_of()
    async with app.run_test(size=size) as pilot:
        for key, name, title in actions.VIEWS:
            await pilot.press(key)
            await pilot.pause()
            lines = text_of(app)
            assert app.ui.view == name
            assert len(lines) == size[1]
            assert all(len(line) == size[0] for line in lines)
            assert "twin" in lines[0]
            assert "13:24:07" in lines[0]
            assert f"{key} {title}" in lines[1]
            assert "24:07" in lines[-3]
            assert "1:00:00" in lines[-3]
            assert lines[-2].strip()
            assert "? help" in lines[-1]
            body = [line for line in lines[3:-3] if line.strip()]
            assert len(body) >= (1 if name == "compare" else 8), name  # this one has no branches to compare


async def test_what_the_views_say():
    app = app_of()
    said = {"overview": ["PUE 1.125", "pretrain", "CRAH", "inlet air 33.1", "hottest GPU"],
            "floor": ["highest GPU temperature", "A1.07.g44", "cold aisle", "gb200-nvl72"],
            "power": ["utility", "ups-A", "A6.feedB", "where each watt goes", "UPS online"],
            "cooling": ["A2.cdu1", "A off", "warm", "wet bulb", "stands by"],
            "network": ["leaf16", "busiest links", "finetune"],
            "jobs": ["restarting", "no end", "queued"],
            "events": ["crah_fan_trip", "alarms that stand", "A5.14"], "compare": ["this one is shared"]}
    async with app.run_test(size=(120, 40)) as pilot:
        for key, name, _ in actions.VIEWS:
            await pilot.press(key)
            await pilot.pause()
            text = "\n".join(text_of(app))
            assert [word for word in said[name] if word not in text] == [], name


@pytest.mark.parametrize("size", SIZES)
async def test_every_action_of_the_registry_runs_in_every_view(size):
    for view in ("overview", "floor", "rack", "cooling", "events"):
        app = app_of(view=view)
        async with app.run_test(size=size) as pilot:
            for action in actions.ACTIONS:
                if action.name == "quit":
                    continue
                await pilot.press(action.keys[0])
                await pilot.pause()
                while app.screen is not app.main or app.ui.typing:
                    await pilot.press("escape")
                    await pilot.pause()
            assert app.is_running


def test_registry_is_whole():
    names = [action.name for action in actions.ACTIONS]
    assert len(set(names)) == len(names)
    for view in (*(name for _, name, _ in actions.VIEWS), "rack"):
        keys = [key for action in actions.available(view, False) for key in action.keys]
        assert len(set(keys)) == len(keys), view
    for action in actions.ACTIONS:
        assert action.doc.endswith(".")
        method = action.action.partition("(")[0]
        assert hasattr(TwinApp, f"action_{method}"), action.name


async def test_arrows_and_letters_move_the_rack_and_enter_opens_it():
    app = app_of(view="floor")
    async with app.run_test(size=(120, 40)) as pilot:
        names = app.site_names = app.ui.names("rack")
        for key, rack in (("right", "A1.02"), ("j", "A2.02"), ("l", "A2.03"), ("up", "A1.03"), ("h", "A1.02"),
                          ("G", "A6.16"), ("g", "A1.01"), ("left", "A1.01")):
            await pilot.press(key)
            assert names[app.ui.rack] == rack, key
        await pilot.press("enter")
        await pilot.pause()
        assert app.ui.view == "rack"
        assert any("t18" in line for line in text_of(app))
        await pilot.press("down", "right")
        await pilot.pause()
        assert any("A1.01.g06" in line for line in text_of(app))
        await pilot.press("escape")
        assert app.ui.view == "floor"


@pytest.mark.parametrize("size", SIZES)
async def test_a_click_selects_the_rack_under_it(size):
    app = app_of(view="floor")
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        heat = app.screen.query_one(FloorMap)
        x, y = heat.layout_now(app.ui).places[37]
        await pilot.click(heat, offset=(x, y))
        await pilot.pause()
        assert app.ui.rack == 37


async def test_metrics_are_switched_and_scaled():
    app = app_of(view="floor")
    async with app.run_test(size=(120, 40)) as pilot:
        seen = []
        for _ in METRICS:
            await pilot.press("m")
            await pilot.pause()
            metric = metric_of(app.ui)
            seen.append(metric.name)
            assert metric.title in text_of(app)[3]
        assert sorted(seen) == sorted(m.name for m in METRICS)
        await pilot.press("M")
        assert metric_of(app.ui).name == seen[-2]


async def test_hottest_goes_to_the_hot_rack():
    app = app_of(view="floor")
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("x")
        assert app.ui.names("rack")[app.ui.rack] == "A1.07"


async def test_fault_menu_sends_a_command():
    app = app_of()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f")
        await pilot.pause()
        assert any("crah_fan_trip" in line for line in text_of(app))
        await pilot.press(*"fan_t", "down", "enter")
        await pilot.pause()
        await pilot.press(*"crah7", "enter")
        await pilot.pause()
        await pilot.press(*"90s", "enter")
        await pilot.pause()
        assert app.screen is app.main
    assert app.session.sent == [Command("fault", 1447 * 10**9, "crah_fan_trip", "A.crah7", None, 90 * 10**9)]


async def test_a_fault_with_a_value_and_one_that_is_ended():
    app = app_of()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f", *"link_d", "enter")
        await pilot.pause()
        await pilot.press(*"leaf3-spine2", "enter", *"0.3", "enter", *"until", "enter")
        await pilot.pause()
        assert app.session.sent[-1] == Command("fault", 1447 * 10**9, "link_degrade", "leaf3-spine2", 0.3, 0)
        await pilot.press("f", *"end", "enter")
        await pilot.pause()
        assert app.session.sent[-1] == Command("clear", 1447 * 10**9, "crah_fan_trip", "A.crah4")


async def test_bad_input_in_menus_is_refused_in_words():
    app = app_of()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f", *"pump_t", "enter", "enter", *"soon", "enter")
        await pilot.pause()
        assert any("not a duration" in line for line in text_of(app))
        await pilot.press("escape", "escape", "escape")
        await pilot.pause()
        assert app.screen is app.main
        await pilot.press("s", "enter", "enter", *"99", "enter")
        await pilot.pause()
        assert any("outside 5 to 60" in line for line in text_of(app))
        await pilot.press(*"36", "enter")
        await pilot.pause()
        assert app.session.sent == [Command("set", 1447 * 10**9, "", "warm.supply_c", 36.0)]


async def test_alarms_are_acknowledged_and_lead_to_their_place():
    app = app_of(view="events")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("a")
        assert app.session.sent == [Command("ack", 1447 * 10**9, "inlet_warm", "A5.14")]
        await pilot.press("enter")
        await pilot.pause()
        assert (app.ui.view, app.ui.names("rack")[app.ui.rack]) == ("floor", "A5.14")


async def test_read_only_sends_nothing():
    app = app_of(read_only=True, view="events")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f", "s", "a")
        await pilot.pause()
        assert app.screen is app.main
        assert app.session.sent == []
        assert "read only" in text_of(app)[1]
        assert "fault" not in text_of(app)[-1]


async def test_time_keys_reach_the_session():
    app = app_of()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("space", "full_stop", "plus", "minus", "minus")
        await pilot.pause(0.3)
        assert app.session.calls[:2] == ["toggle_pause", "step"]
        assert app.session.calls[2:] == ["speed 20.0", "speed 10.0", "speed 5.0"]
        assert "13:24:08" in text_of(app)[0]


async def test_requested_and_achieved_speed_are_both_shown():
    session = FakeSession(SITE)
    session.paused, session.speed = False, float("inf")
    app = TwinApp(session, depth="truecolor")
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert "×640 (max)" in text_of(app)[0]


async def test_too_small_says_so():
    app = app_of()
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.pause()
        assert any("needs 80x24, have 60x20" in line for line in text_of(app))
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert "Overview" in text_of(app)[1]
        await pilot.resize_terminal(79, 40)
        await pilot.pause()
        assert any("needs 80x24, have 79x40" in line for line in text_of(app))


async def test_help_lists_every_action():
    app = app_of()
    async with app.run_test(size=(140, 160)) as pilot:
        await pilot.press("question_mark")
        await pilot.pause()
        text = "\n".join(text_of(app))
        assert [a.doc for a in actions.ACTIONS if a.doc not in text] == []


async def test_several_halls():
    app = app_of(CAMPUS, view="floor")
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("right_square_bracket")
        await pilot.pause()
        assert "Hall B" in text_of(app)[3]
        assert app.ui.names("rack")[app.ui.rack] == "B1.01"
        await pilot.press("left_square_bracket", "left_square_bracket")
        await pilot.pause()
        assert "Hall C" in text_of(app)[3]
        await pilot.press("3")
        await pilot.pause()
        text = "\n".join(text_of(app))
        assert "paths of hall C" in text
        assert "C1.feedA" in text
        assert "A1.feedA" not in text


async def test_ascii_only():
    app = app_of(ascii_only=True)
    async with app.run_test(size=(120, 40)) as pilot:
        for key, _, _ in actions.VIEWS:
            await pilot.press(key)
            await pilot.pause()
            assert [line for line in text_of(app) if not line.isascii()] == []


@pytest.mark.parametrize("dark", [True, False])
async def test_themes(dark):
    app = app_of(dark=dark)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        before = app.ui.palette.base.bgcolor
        await pilot.press("T")
        await pilot.pause()
        assert app.ui.palette.dark is not dark
        strips = app.screen._compositor.render_strips()
        shown = {segment.style.bgcolor for strip in strips for segment in strip if segment.style}
        assert app.ui.palette.base.bgcolor in shown
        assert before not in shown


async def test_nothing_is_done_while_nothing_changes():
    app = app_of()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause(0.2)
        fed, writes = app.fed, []
        display = app._display
        app._display = lambda screen, renderable: (writes.append(renderable), display(screen, renderable))  # type: ignore[method-assign]
        await pilot.pause(0.5)
        assert app.fed == fed
        assert writes == []


async def test_a_tick_repaints_only_rows_that_differ():
    app = app_of(view="floor")
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        app.session.step()
        heat = app.screen.query_one(FloorMap)
        app.pull()
        rows = [region.y for region in heat.dirty]
        assert len(rows) == len(set(rows))
        before = heat.drawn.copy()
        app.session.version += 1
        app.pull()
        assert heat.dirty == []
        assert (heat.drawn == before).all()


def test_screenshot_is_a_picture_of_the_view():
    svg = screenshot(FakeSession(SITE), (100, 30), "floor", keys=("m",))
    assert svg.startswith("<svg")
    assert "coolant" in svg


@pytest.mark.parametrize("size", SIZES)
async def test_the_air_of_the_hall_is_a_field_of_three_layers(size):
    app = app_of(view="floor")
    async with app.run_test(size=size) as pilot:
        heads = []
        for _ in range(3):
            await pilot.press("v")
            await pilot.pause()
            heads.append(text_of(app)[3])
            text = "\n".join(text_of(app))
            assert "▣10" in text
            assert "A6" in text
        if size[0] > 80:
            assert [word for word, head in zip(("rack height", "over racks", "underfloor"), heads, strict=True)
                    if word not in head] == []
        heat = app.screen.query_one(FloorMap)
        width, height = heat.content_size
        rack = app.ui.names("rack").index("A4.09")
        fit = fit_field(app.ui, 0, width, height)
        floor = SITE.floor
        await pilot.click(heat, offset=fit.place(int(floor.rack_x[rack]), int(floor.rack_y[rack])))
        await pilot.pause()
        assert app.ui.rack == rack


async def test_keys_that_come_before_the_screen_stands_are_heard_when_it_does(monkeypatch):
    early = []
    compose = MainScreen._compose

    async def late(self) -> None:
        for key in "4", "3", "j", "question_mark":
            self.app.post_message(Key(key, key if len(key) == 1 else "?"))
        await asyncio.sleep(0.2)
        early.extend(self.app._early)
        await compose(self)

    monkeypatch.setattr(MainScreen, "_compose", late)
    app = app_of()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert [event.key for event in early] == ["4", "3", "j", "question_mark"]
        assert app.ui.view == "power"
        assert isinstance(app.screen, HelpScreen)
