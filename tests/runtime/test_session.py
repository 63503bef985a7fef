"""The session: paces, obeys at once, publishes frames, shows what it could not keep."""

import math
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from twin.errors import CommandError, InputError, InternalError
from twin.runtime.session import Session
from twin.scenario.open import open_run
from twin.wiring import Command


def until(condition: Callable[[], bool], timeout_s: float = 20.0) -> None:
    """Wait for something that another thread does; fail when it does not happen."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)


@pytest.fixture
def session() -> Iterator[Session]:
    one = Session(open_run("small"), paused=True)
    one.start()
    yield one
    one.close()
    assert one.error is None


def test_paused_means_that_nothing_moves(session: Session) -> None:
    version = session.frame().version
    time.sleep(0.3)
    assert session.frame().version == version
    assert session.frame().now_ns == 0


def test_a_step_is_one_tick(session: Session) -> None:
    session.step()
    until(lambda: session.frame().tick == 1)
    session.step(3)
    until(lambda: session.frame().tick == 4)
    assert session.frame().paused


def test_it_runs_as_fast_as_it_can_and_pauses_at_the_end(session: Session) -> None:
    session.set_speed(math.inf)
    session.resume()
    until(lambda: session.frame().paused and session.frame().now_ns >= session.frame().end_ns, 60)
    assert session.frame().events[-1].kind == "session"


def test_frames_are_read_only_and_do_not_change(session: Session) -> None:
    frame = session.frame()
    temps = frame.columns["chip.gpu_temp_c"]
    with pytest.raises(ValueError, match="read-only"):
        temps[0] = 1
    before = temps.copy()
    session.step(5)
    until(lambda: session.frame().tick == 5)
    assert (temps == before).all()


def test_a_command_is_applied_and_recorded(session: Session) -> None:
    session.send(Command("fault", 0, "cdu_pump_trip", session.site.names["pump"][0]))
    session.step()
    until(lambda: len(session.frame().faults) == 1)
    assert len(session.run.sim.log) == 1


def test_a_bad_command_is_refused_where_it_is_given(session: Session) -> None:
    with pytest.raises(CommandError, match="no fault is called"):
        session.send(Command("fault", 0, "nothing", "A"))


def test_read_only_refuses_commands() -> None:
    one = Session(open_run("small"), paused=True, read_only=True)
    with pytest.raises(InputError, match="read-only"):
        one.send(Command("fault", 0, "cdu_pump_trip", one.site.names["pump"][0]))


def test_a_paced_session_gives_the_same_bits_as_a_headless_run(session: Session) -> None:
    session.set_speed(200.0)
    session.resume()
    until(lambda: session.frame().tick >= 40)
    session.pause()
    until(lambda: session.frame().paused)
    headless = open_run("small").sim
    headless.advance(session.run.sim.tick)
    assert headless.digest() == session.run.sim.digest()


def test_an_engine_that_stopped_is_one_clear_error_for_who_waits(tmp_path: Path) -> None:
    run = open_run("small")
    one = Session(run, paused=True)
    one.start()

    def broken() -> None:
        raise ValueError("a bearing seized")
    one._post(broken)
    until(lambda: one.error is not None)
    with pytest.raises(InternalError, match="the engine stopped: a bearing seized"):
        one.save(tmp_path / "a.twin")
    assert not (tmp_path / "a.twin").exists()
    one.close()


def test_an_engine_that_does_not_answer_is_one_clear_error(tmp_path: Path) -> None:
    one = Session(open_run("small"), paused=True)
    one.start()
    free = threading.Event()
    one._post(lambda: free.wait(20) and None)
    try:
        with pytest.raises(InternalError, match=r"did not answer within 0\.2 s"):
            one.save(tmp_path / "a.twin", timeout_s=0.2)
    finally:
        free.set()
        one.close()
