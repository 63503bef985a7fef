"""Served screens: many in one process, slow readers, floods, hostile bytes, nothing left behind."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import time
import weakref
from pathlib import Path

import pytest

pytest.importorskip("pyte")

from tests.serve.serve_rig import House, until
from twin.errors import printable
from twin.serve import hygiene
from twin.serve.app import PEOPLE, ServedApp
from twin.serve.hygiene import Collector, Printable
from twin.tui.actions import ACTIONS


async def test_two_visitors_see_one_factory_and_have_their_own_cursor() -> None:
    async with House() as house:
        (_, alice, at_alice), (_, _, at_eve) = await house.come("alice", "operator"), await house.come("eve")
        await until(lambda: "PUE" in at_alice.screen() and "PUE" in at_eve.screen(), "nothing is drawn")
        alice.take(b"3")
        await until(lambda: "utility" in at_alice.screen().lower(), "no power view")
        assert "hottest GPU" in at_eve.screen()
        alice.take(b" ")
        await until(lambda: "paused" in at_eve.screen(), "no pause")


async def test_a_factory_that_goes_on_past_the_end_pauses_there() -> None:
    async with House() as house:
        session = house.worlds.world.session
        session._sim.end_ns = 1
        app, driver, wire = await house.come("alice", "operator")
        await until(lambda: app.ui.frame.now_ns > app.ui.frame.end_ns > 0, "it does not go on")
        driver.take(b" ")
        await until(lambda: "paused" in wire.screen(), "no pause")
        assert app.ui.frame.now_ns > app.ui.frame.end_ns > 0
        assert "ended" not in wire.screen()


async def test_keys_in_use_are_not_taken_twice() -> None:
    from twin.serve.app import CONTROLS, DEPTH

    ours = [key for action in (CONTROLS, *PEOPLE, DEPTH) for key in action.keys]
    theirs = [key for action in ACTIONS for key in action.keys]
    assert len({*ours}) == len(ours)
    assert not {*ours} & {*theirs}


async def test_a_reader_that_stops_is_not_written_to_and_recovers() -> None:
    async with House(backlog_b=2000, backlog_max_b=20_000) as house:
        app, driver, wire = await house.come()
        await until(lambda: "PUE" in wire.screen(), "nothing is drawn")
        wire.stopped, wire.waiting = True, 0
        for key in b"234567" * 20:
            driver.take(bytes([key]))
            await until(lambda: not driver._pumping, "keys are not taken")
        assert wire.waiting < 60_000
        await until(lambda: driver.dropped > 3, "nothing was left out")
        wire.stopped, wire.waiting = False, 0
        driver.take(b"1")
        await until(lambda: "hottest GPU" in wire.screen() and "PUE" in wire.screen(), "the screen did not recover")
        assert not driver._torn
        assert app.is_running


async def test_hostile_bytes_do_no_harm() -> None:
    async with House() as house:
        app, driver, _ = await house.come()
        junk = [b"\x1b[48;0;0;1;1t", b"\x1b[48;99999;99999;1;1t", b"\x1b[" + b"9" * 400 + b"u", b"\xff\xfe\x80" * 50,
                b"\x1b[<0;99999999999999999999;1M", b"\x1b[<64;-5;-5M", b"\x1b[?2048;2$y", b"\x1b[1114112;1u",
                b"\x1b[200~" + b"p" * 9000, b"\x1b[201~", b"\x1bO\x1b[\x1b\x1b", b"\x00" * 64,
                bytes(b for b in range(256) if b != 3)]  # ctrl+c leaves, as it should
        for piece in junk:
            driver.take(piece)
            await until(lambda: not driver._pending, "bytes are not taken", 60)
        await until(lambda: not driver._pumping, "bytes are not taken")
        assert app.size == (100, 30)
        driver.take(b"\x1b")
        await until(lambda: app.screen is app.main, "some menu stays open")
        driver.take(b"2")
        await until(lambda: app.ui.view == "floor", "keys are not heard any more")


async def test_a_flood_is_held_at_the_door() -> None:
    async with House() as house:
        _, driver, wire = await house.come()
        driver.take(b"\x1b[<35;20;10M" * 3000)
        assert wire.held
        assert len(driver._pending) > 8192
        driver._pending.clear()
        await until(lambda: not wire.held, "the channel stays closed")


async def test_a_lone_escape_is_a_key() -> None:
    async with House() as house:
        app, driver, _ = await house.come()
        driver.take(b"?")
        await until(lambda: app.screen is not app.main, "no help")
        driver.take(b"\x1b")
        await until(lambda: app.screen is app.main, "escape is not heard")


async def test_keys_that_wait_keep_the_pauses_between_them() -> None:
    async with House() as house:
        app, driver, _ = await house.come()
        driver.take(b"?")
        await until(lambda: app.screen is not app.main, "no help")
        driver._not_before = time.monotonic() + 0.6  # the screen is busy
        driver.take(b"\x1b")
        await asyncio.sleep(0.2)
        driver.take(b"2")
        await until(lambda: app.ui.view == "floor", "escape and 2 were taken for one key")


async def test_an_error_in_one_screen_ends_that_screen_alone(capsys: pytest.CaptureFixture[str]) -> None:
    async with House() as house:
        (broken, _, _), (other, _, wire) = await house.come(), await house.come()
        broken.call_later(lambda: 1 / 0)
        task = house.running[0][3]
        await until(task.done, "it goes on")
        assert broken.return_code == 70
        assert isinstance(broken.crashed, ZeroDivisionError)
        assert other.is_running
        await until(lambda: "PUE" in wire.screen(), "the other is not drawn")
    assert "Traceback" not in capsys.readouterr().out


async def test_nothing_of_a_visitor_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    collector, gone = Collector(), []
    out, err = sys.stdout, sys.stderr
    monkeypatch.setattr("textual.app.redirect_stdout", hygiene.nullcontext)
    monkeypatch.setattr("textual.app.redirect_stderr", hygiene.nullcontext)
    async with House() as house:
        await house.come("stays")
        for i in range(4):
            app, driver, _ = await house.come(f"v{i}")
            driver.take(b"2?\x1b")
            await until(lambda d=driver: not d._pumping, "keys are not taken")  # type: ignore[misc]
            await house.leave(app)
            parser = driver.parser
            driver.close()
            collector.release(app, parser)
            gone += [weakref.ref(app), weakref.ref(driver), weakref.ref(parser)]
            del app, driver, parser, _
        def live() -> int:
            gc.collect()
            return sum(ref() is not None for ref in gone)

        await until(lambda: not live(), "something holds what is gone")
        assert sum(isinstance(o, ServedApp) for o in gc.get_objects()) == 1
    assert (sys.stdout, sys.stderr) == (out, err)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc alone keeps holes and can be asked for them")
def test_memory_that_was_freed_goes_back_to_the_system() -> None:
    def rss_mb() -> float:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6

    if hygiene._trimmer() is None:
        pytest.skip("the C library has no malloc_trim")
    holes = [bytes(2000) for _ in range(20_000)]
    kept = holes[::100]
    del holes
    before = rss_mb()
    collector = Collector()
    collector.due = True
    collector.collect()
    assert rss_mb() < before - 10
    assert len(kept) == 200


def test_text_loses_what_could_steer_a_terminal() -> None:
    from rich.segment import Segment
    from textual.color import Color

    bad = "a\x1b]0;x\x07\u202eb\x9bc"
    [segment] = Printable().apply([Segment(bad)], Color(0, 0, 0))
    assert segment.text.isprintable()
    assert len(segment.text) == len(bad)
    fine = [Segment("fine"), Segment("▀▄ °C")]
    assert Printable().apply(fine, Color(0, 0, 0)) is fine
    assert printable(bad).isprintable()


def test_the_servers_own_terminal_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "COLORTERM", "TEXTUAL_FPS", "TEXTUAL"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setattr(os, "environ", {**os.environ})
    hygiene.clear_environment()
    assert not any(name in os.environ for name in ("NO_COLOR", "COLORTERM", "TEXTUAL_FPS", "TEXTUAL"))
    assert "PATH" in os.environ


@pytest.mark.parametrize("sent, wanted", [
    ({b"COLORTERM": b"truecolor", b"LD_PRELOAD": b"/x", b"TERM": b"x"}, {"COLORTERM": "truecolor"}),
    ({b"NO_COLOR": b"1" * 10_000}, {"NO_COLOR": "1" * 32}),
    ({b"COLORTERM": b"\xff\x1b"}, {"COLORTERM": "\ufffd\x1b"})])
def test_two_variables_of_a_client_are_looked_at(sent: dict[bytes, bytes], wanted: dict[str, str]) -> None:
    assert hygiene.wishes_of([*sent.items()]) == wanted
