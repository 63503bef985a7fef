"""Time and branches on the screen, driven over a real session of the small scenario at three sizes."""

import time

import pytest
from tui_fake import FakeSession, make_site

from twin.runtime.session import Session
from twin.scenario.open import open_run
from twin.tui.app import TwinApp
from twin.tui.panels.timeline import TimeLine, labels, scrub
from twin.wiring import Command

S = 10**9
SIZES = [(80, 24), (120, 40), (200, 60)]


def text_of(app) -> list[str]:
    return [strip.text for strip in app.screen._compositor.render_strips()]


async def until(pilot, condition, what: str, seconds: float = 30.0) -> None:
    """Let the screen work until a condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what + "\n" + "\n".join(text_of(pilot.app))
        await pilot.pause(0.05)


@pytest.fixture
def lived():
    """A session of the small scenario that has lived 100 s, paused."""
    session = Session(open_run("small"), paused=True, speed=10.0)
    session.start()
    session.step(100)
    deadline = time.monotonic() + 30
    while session.frame().tick < 100:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    yield session
    session.close()


@pytest.mark.parametrize("size", SIZES)
async def test_scrubbing_shows_the_past_and_no_future(lived, size):
    app = TwinApp(lived, depth="truecolor", view="power")
    async with app.run_test(size=size) as pilot:
        now = lived.frame().columns["power.it_w"][0]
        await pilot.press("less_than_sign")
        await until(pilot, lambda: app.ui.frame.now_ns == 90 * S, "one step back is ten seconds of ten minutes")
        await pilot.press("less_than_sign", "less_than_sign", "comma")
        await until(pilot, lambda: app.ui.frame.now_ns == 69 * S, "two steps and a tick further")
        await pilot.pause()
        lines = text_of(app)
        assert "looking back at 1:09 · live at 1:40" in lines[2]
        assert "0 back to now" in lines[2]
        assert "1:09" in lines[-3]
        assert app.ui.frame.columns["power.it_w"][0] != now
        assert app.ui.series("power.it_w")[0].max() <= 70.0
        await pilot.press("f")
        await pilot.pause()
        assert app.screen is app.main
        assert "this is the past" in text_of(app)[-2]
        await pilot.press("0")
        await until(pilot, lambda: not app.ui.frame.in_past, "it did not come back")
        assert app.ui.frame.now_ns == 100 * S
        assert app.ui.frame.columns["power.it_w"][0] == now
        await pilot.pause()
        assert "looking back" not in text_of(app)[2]


async def test_the_mouse_seeks_on_the_time_line(lived):
    app = TwinApp(lived, depth="truecolor")
    async with app.run_test(size=(120, 40)) as pilot:
        line = app.screen.query_one(TimeLine)
        scale = labels(app.ui, line.content_size.width)[2]
        await pilot.mouse_down(line, offset=(scale.left + scale.cell(30 * S), 0))
        await until(pilot, lambda: 20 * S < app.ui.frame.now_ns < 40 * S, "a click did not seek")
        await pilot.hover(line, offset=(scale.left + scale.cell(60 * S), 0))
        await until(pilot, lambda: 50 * S < app.ui.frame.now_ns < 70 * S, "a drag did not seek")
        await pilot.mouse_up(line, offset=(scale.left + scale.cell(60 * S), 0))
        await pilot.hover(line, offset=(scale.left + scale.cell(20 * S), 0))
        await pilot.pause(0.3)
        assert app.ui.frame.now_ns > 50 * S


async def test_undo_goes_back_to_before_the_fault(lived):
    app = TwinApp(lived, depth="truecolor", view="events")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("u")
        await pilot.pause()
        assert "nothing to undo" in text_of(app)[-2]
        app._send(Command("fault", 0, "cdu_off", "A1.cdu1"))
        lived.step(20)
        await until(pilot, lambda: app.ui.frame.tick == 120 and app.ui.frame.faults, "the fault did not begin")
        await pilot.press("u")
        await pilot.pause()
        assert any("undo cdu_off at A1.cdu1" in line for line in text_of(app))
        assert any("Goes back to 1:40" in line for line in text_of(app))
        await pilot.press("enter")
        await until(pilot, lambda: app.ui.frame.tick == 100, "it was not undone")
        assert not app.ui.frame.faults
        assert not app.ui.frame.in_past
        assert [mark for mark in app.ui.marks.values() if mark.at_ns > 100 * S] == []
        lived.step(20)
        await until(pilot, lambda: app.ui.frame.tick == 120, "it did not go on")
        assert not app.ui.frame.faults


async def test_the_future_is_given_up_after_a_question(lived):
    app = TwinApp(lived, depth="truecolor")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("less_than_sign")
        await until(pilot, lambda: app.ui.frame.in_past, "it did not go back")
        await pilot.press("t")
        await pilot.pause()
        assert "given up for good" in " ".join(" ".join(text_of(app)).split())
        await pilot.press("escape")
        await pilot.pause()
        assert app.ui.frame.in_past
        await pilot.press("t", "enter")
        await until(pilot, lambda: not app.ui.frame.in_past, "it did not go on from there")
        assert app.ui.frame.head_ns == 90 * S


@pytest.mark.parametrize("size", SIZES)
async def test_fork_and_compare_say_what_differs(lived, size):
    app = TwinApp(lived, depth="truecolor")
    async with app.run_test(size=size) as pilot:
        await pilot.press("8")
        await pilot.pause()
        assert any("Two futures of one moment" in line for line in text_of(app))
        await pilot.press("less_than_sign")
        await until(pilot, lambda: app.ui.frame.now_ns == 90 * S, "it did not go back")
        await pilot.press("F", *"hot", "enter")
        await until(pilot, lambda: app.ui.frame.branch == "hot", "no branch")
        assert not app.ui.frame.in_past
        assert lived.frame().in_past
        app._send(Command("fault", 0, "cdu_off", "A1.cdu1"))
        for session in app.sessions():
            session.step(40)
        await until(pilot, lambda: all(s.frame().now_ns == 130 * S for s in app.sessions()), "they did not run")
        await until(pilot, lambda: any("CDU off at A1.cdu1" in line for line in text_of(app)), "no words")
        said = ("hot against main", "hottest GPU", "main", "2:10")
        await until(pilot, lambda: all(word in "\n".join(text_of(app)) for word in said), "not all is said")
        assert app.ui.frame.faults
        assert not lived.frame().faults
        await pilot.press("d", "enter")
        await until(pilot, lambda: app.ui.view == "floor", "a difference did not lead to its place")
        await pilot.press("b", "up", "enter")
        await until(pilot, lambda: app.ui.frame.branch == "main", "it did not go to the other branch")
        assert not app.ui.frame.faults


async def test_commands_go_to_all_branches_when_asked(lived):
    app = TwinApp(lived, depth="truecolor")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("F", "enter")
        await until(pilot, lambda: app.ui.frame.branch == "branch 1", "no branch")
        await pilot.press("b", *"send", "enter")
        await pilot.pause()
        app._send(Command("fault", 0, "cdu_off", "A1.cdu1"))
        await pilot.press("full_stop")
        await until(pilot, lambda: all(s.frame().faults for s in app.sessions()), "not all have it")
        await pilot.press("b", *"close", "enter")
        await until(pilot, lambda: app.ui.frame.branch == "main" and len(app.sessions()) == 1, "it was not closed")


async def test_what_may_not_be_done_is_refused_in_words():
    app = TwinApp(FakeSession(make_site()), depth="truecolor", read_only=True)
    async with app.run_test(size=(120, 40)) as pilot:
        for key, words in (("F", "branches need a factory of your own"), ("u", "read only"), ("f", "read only")):
            await pilot.press(key)
            await pilot.pause()
            assert words in text_of(app)[-2], key
        app.ui.paces = False
        await pilot.press("less_than_sign")
        await pilot.pause()
        assert "refused" in text_of(app)[-2]
        assert app.session.calls == []


def test_steps_lie_on_a_grid():
    app = TwinApp(FakeSession(make_site()), depth="truecolor")
    assert [scrub(app.ui, at * S, step) // S for at, step in ((100, -1), (60, -1), (60, 1), (0, -1), (1440, 1))] == \
        [60, 0, 120, 0, 1447]
