"""A session goes back, looks, returns, forks and gives up a future, while its thread runs."""

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.runtime.test_session import until
from twin.errors import InputError
from twin.runtime.session import Session
from twin.scenario import snapshot
from twin.scenario.open import open_run
from twin.wiring import Command

S = 10**9


@pytest.fixture
def session() -> Iterator[Session]:
    one = Session(open_run("small"), paused=True, speed=math.inf)
    one.timeline.spacing = 25
    one.start()
    one.step(60)
    until(lambda: one.frame().tick == 60)
    yield one
    one.close()
    assert one.error is None


def shows(session: Session, now_s: float) -> Callable[[], bool]:
    return lambda: session.frame().now_ns == now_s * S


def digest_at(ticks: int) -> str:
    sim = open_run("small", history=False).sim
    sim.advance(ticks)
    return sim.digest()


def test_seek_shows_the_past_paused_and_going_on_leads_back_to_the_present(session: Session) -> None:
    session.seek(31 * S)
    until(shows(session, 31))
    frame = session.frame()
    assert frame.paused
    assert frame.in_past
    assert frame.head_ns == 60 * S
    assert session.run.sim.digest() == digest_at(31)
    session.resume()
    until(lambda: session.frame().now_ns > 70 * S)
    assert not session.frame().in_past


def test_steps_go_back_and_forth(session: Session) -> None:
    for now in (59, 58):
        session.step_back()
        until(shows(session, now))
    session.step()
    until(shows(session, 59))
    assert session.frame().in_past
    session.go_live()
    until(shows(session, 60))
    assert not session.in_past
    session.step_back(1000)
    until(shows(session, 0))


def test_many_seeks_end_at_the_last(session: Session) -> None:
    for at in range(50, 0, -1):
        session.seek(at * S)
    until(shows(session, 1))
    assert session.run.sim.digest() == digest_at(1)


def test_the_past_obeys_no_command_until_its_future_is_given_up(session: Session) -> None:
    session.seek(20 * S)
    until(shows(session, 20))
    command = Command("fault", 0, "cdu_pump_trip", session.site.names["pump"][0])
    with pytest.raises(InputError, match="this is the past"):
        session.send(command)
    session.truncate()
    until(lambda: not session.frame().in_past)
    assert session.head_ns == 20 * S
    session.send(command)
    session.step()
    until(lambda: len(session.frame().faults) == 1)


def test_a_fork_goes_its_own_way_and_the_first_keeps_its_future(session: Session, tmp_path: Path) -> None:
    session.seek(40 * S)
    until(shows(session, 40))
    other = session.fork("colder")
    assert (other.name, other.frame().branch, other.frame().now_ns) == ("colder", "colder", 40 * S)
    assert other.origin is not None
    assert (other.origin.parent, other.origin.at_ns) == ("main", 40 * S)
    assert "colder" in other.frame().events[-1].text
    other.send(Command("set", 0, "", f"{other.site.names['loop'][0]}.supply_c", 20.0))
    other.step(20)
    session.go_live()
    until(shows(session, 60))
    assert session.run.sim.digest() == digest_at(60)
    other.start()
    other.step(20)
    until(lambda: other.frame().tick == 80 or other.frame().tick == 60)
    assert other.run.sim.digest() != digest_at(other.run.sim.tick)
    other.save(tmp_path / "b.twin")
    assert snapshot.load(tmp_path / "b.twin").sim.digest() == other.run.sim.digest()
    other.close()


def test_a_read_only_session_may_look_and_fork_but_not_truncate() -> None:
    one = Session(open_run("small"), paused=True, read_only=True)
    one.timeline.advance()
    one.seek(0)
    assert one.in_past
    with pytest.raises(InputError, match="read-only"):
        one.truncate()
    with pytest.raises(InputError, match="read-only"):
        one.fork("b").send(Command("ack", 0, "x"))


def test_it_runs_to_the_next_alarm_and_back_to_the_last(session: Session) -> None:
    session.send(Command("fault", 90 * S, "cdu_pump_trip", session.site.names["pump"][0], None, 60 * S))
    session.send(Command("fault", 300 * S, "cdu_pump_trip", session.site.names["pump"][0], None, 60 * S))
    session.next_alarm()
    until(lambda: bool(session.frame().alarms) and session.frame().paused)
    first = session.frame().now_ns
    assert 90 * S < first < 300 * S
    session.next_alarm()
    until(lambda: session.frame().now_ns > first and session.frame().paused)
    session.last_alarm()
    until(lambda: session.frame().now_ns == first)
    session.next_alarm()
    until(lambda: session.frame().now_ns > first and session.frame().paused)
