"""What is not painted again would have come out the same: panels that say what they depend on, signs, the clock."""

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from tui_fake import FakeSession, make_site

from twin.tui import format as fmt
from twin.tui.actions import VIEWS
from twin.tui.app import TwinApp
from twin.tui.panels.hall import FloorMap
from twin.tui.widgets.canvas import Canvas
from twin.wiring import Event

S = 1_000_000_000
SITE = make_site()


def stale(app: TwinApp) -> list[str]:
    """Return the panels that show something else than they would if they were painted now."""
    out = []
    for panel in app.main.query(Canvas):
        width, height = panel.content_size
        if width and height and panel.is_on_screen and panel.ui is not None:
            now = [*panel.paint(app.ui, width, height)][:height]
            if panel._rows != now + [()] * (height - len(now)):
                out.append(type(panel).__name__)
    return out


@pytest.mark.parametrize("view", [name for _, name, _ in VIEWS if name != "compare"])
async def test_whatever_happens_no_panel_stays_behind(view: str) -> None:
    session = FakeSession(SITE, now_s=1190)
    app = TwinApp(session, view=view, depth="truecolor")
    async with app.run_test(size=(160, 50)) as pilot:
        async def see(what: str) -> None:
            app.pull()
            app.feed()
            await pilot.pause()
            assert stale(app) == [], what

        await see("the beginning")
        for k in range(6):
            session.step(7)
            await see(f"step {k}")
        session.paused = False
        session.version += 1
        await see("running")
        session.scene["calm"] = True
        session.version += 1
        await see("alarms gone")
        session.scene["calm"] = False
        session.version += 1
        await see("alarms back")
        for keys in (["z"], ["plus"], ["down"], ["j", "x"], ["slash", *"A3", "enter"], ["escape"], ["T"], ["m"],
                     ["tab"]):
            await pilot.press(*keys)
            await see(" ".join(keys))
        frame = session.frame()
        more = Event(frame.now_ns, "critical", "alarm", "A1.01", "something new")
        session._made = (session._made[0], dataclasses.replace(  # type: ignore[index]
            frame, version=frame.version + 1, events=(*frame.events, more), event_count=frame.event_count + 1))
        await see("another event")
        session.step(-300)
        session.version += 1
        await see("back in time")


async def test_a_fan_that_fails_is_seen_with_the_next_frame() -> None:
    session = FakeSession(SITE, calm=True)
    app = TwinApp(session, view="floor", depth="truecolor")
    async with app.run_test(size=(160, 50)) as pilot:
        await pilot.pause()
        floor = app.main.query_one(FloorMap)
        before = "".join(chr(code & 0x1FFFFF) for code in floor._codes.ravel().tolist())
        session.scene["calm"], session.paused = False, False
        session.version += 1
        app.pull()
        after = "".join(chr(code & 0x1FFFFF) for code in floor._codes.ravel().tolist())
        assert before.count("✕") == 0
        assert after.count("✕") >= 1


@pytest.mark.parametrize(("start_s", "offset_s"), [(0, 0), (1_784_138_400, -18_000), (951_782_399, 20_700),
                                                   (4_102_444_799, 50_400)])
def test_clock_and_date_are_those_of_the_standard_library(start_s: int, offset_s: int) -> None:
    for now_s in (0, 1, 59, 3_600, 86_399, 86_400, 31_622_399):
        told = datetime.fromtimestamp(start_s + now_s, UTC) + timedelta(seconds=offset_s)
        assert fmt.clock(start_s * S, now_s * S + 999_999_999, offset_s) == told.strftime("%H:%M:%S")
        assert fmt.clock(start_s * S, now_s * S, offset_s, seconds=False) == told.strftime("%H:%M")
        assert fmt.date(start_s * S, now_s * S, offset_s) == told.strftime("%Y-%m-%d")
