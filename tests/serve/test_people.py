"""Roles and the lease: who may act, when, and who is refused."""

from __future__ import annotations

from typing import Any

import pytest

from twin.errors import InputError
from twin.serve.people import Roster, Visitor, safe_name
from twin.serve.visit import Refused, Visit
from twin.wiring import Command


class Clock:
    """A clock that is set by hand."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def roster(clock: Clock) -> Roster:
    return Roster(60.0, clock)


def three(roster: Roster) -> tuple[Visitor, Visitor, Visitor]:
    """Let in two operators and a viewer."""
    return (roster.enter("alice", "operator", ""), roster.enter("bob", "operator", ""),
            roster.enter("eve", "viewer", ""))


class Recorder:
    """Stands for a session and remembers what was called."""

    def __init__(self) -> None:
        self.calls: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *args: self.calls.append((name, *args))


def test_the_first_operator_holds_the_controls(roster: Roster) -> None:
    alice, bob, eve = three(roster)
    assert [roster.may_act(v) for v in (alice, bob, eve)] == [True, False, False]


def test_a_viewer_never_gets_the_controls(roster: Roster, clock: Clock) -> None:
    eve = roster.enter("eve", "viewer", "")
    assert "look" in roster.controls(eve)
    alice = roster.enter("alice", "operator", "")
    roster.controls(eve)
    roster.controls(alice)
    clock.now += 1000
    assert not roster.may_act(eve)
    assert roster.holder() is None
    roster.leave(alice)
    assert not roster.may_act(eve)


def test_controls_are_handed_to_who_asked(roster: Roster) -> None:
    alice, bob = roster.enter("alice", "operator", ""), roster.enter("bob", "operator", "")
    assert "asked" in roster.controls(bob)
    assert any("bob asks" in n for n in alice.notices)
    roster.controls(alice)
    assert roster.may_act(bob)
    assert not roster.may_act(alice)


def test_an_idle_operator_loses_the_controls_and_a_late_key_does_not_renew_them(roster: Roster, clock: Clock) -> None:
    alice, bob = roster.enter("alice", "operator", ""), roster.enter("bob", "operator", "")
    clock.now += 59
    roster.touch(alice)
    clock.now += 59
    assert roster.may_act(alice)
    clock.now += 2
    roster.touch(alice)
    assert not roster.may_act(alice)
    assert roster.controls(bob) == "you hold the controls"


def test_leaving_gives_the_controls_to_who_asked(roster: Roster) -> None:
    alice, bob = roster.enter("alice", "operator", ""), roster.enter("bob", "operator", "")
    roster.controls(bob)
    roster.leave(alice)
    assert roster.may_act(bob)


@pytest.mark.parametrize("act", [lambda v: v.pause(), lambda v: v.resume(), lambda v: v.toggle_pause(),
                                 lambda v: v.step(),
                                 lambda v: v.set_speed(2.0), lambda v: v.send(Command("fault", 0, "x", "y"))])
def test_only_the_holder_reaches_the_engine(roster: Roster, act: Any) -> None:
    session = Recorder()
    alice, bob, eve = three(roster)
    for visitor in (bob, eve):
        with pytest.raises(InputError):
            act(Visit(session, roster, visitor, lambda: 10.0))  # type: ignore[arg-type]
    assert session.calls == []
    act(Visit(session, roster, alice, lambda: 10.0))  # type: ignore[arg-type]
    assert len(session.calls) == 1


def test_what_is_not_granted_is_refused(roster: Roster) -> None:
    session = Recorder()
    visit = Visit(session, roster, roster.enter("alice", "operator", ""), lambda: 10.0)  # type: ignore[arg-type]
    for name in ("run", "save", "start", "close", "fork", "anything"):
        with pytest.raises(Refused):
            getattr(visit, name)
    with pytest.raises(Refused):
        visit.error = None  # type: ignore[misc]
    with pytest.raises(Refused, match="limited"):
        visit.set_speed(11.0)
    with pytest.raises(Refused):
        visit.set_speed(float("nan"))
    visit.step(10**9)
    assert session.calls == [("step", 1)]


def test_names_from_outside_are_harmless_and_short() -> None:
    assert safe_name("\x1b[2Jeve\r\n\u202e") == "[2Jeve"
    assert len(safe_name("x" * 1000)) <= 24
    assert safe_name("\x00\u200b") == "somebody"


def test_notices_do_not_pile_up(roster: Roster) -> None:
    quiet = roster.enter("quiet", "viewer", "")
    for i in range(1000):
        roster.leave(roster.enter(f"v{i}", "viewer", ""))
    assert len(quiet.notices) <= 4
    assert len(roster.visitors) == 1
