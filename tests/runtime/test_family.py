"""Branches stay together on one pace, obey one by one or all at once, and say how they differ."""

import math
from collections.abc import Iterator

import pytest

from tests.runtime.test_session import until
from twin.errors import CommandError, InputError
from twin.runtime.family import LEAD_TICKS, Family
from twin.runtime.session import Session
from twin.scenario.open import open_run
from twin.wiring import Command

S = 10**9


@pytest.fixture
def family() -> Iterator[Family]:
    one = Session(open_run("small"), paused=True, speed=math.inf)
    for _ in range(30):
        one.timeline.advance()
    both = Family(one)
    yield both
    both.close()
    assert all(session.error is None for session in both)


def test_a_fork_is_named_once_and_begins_where_its_parent_is(family: Family) -> None:
    now = family.current.run.sim.now_ns
    branch = family.fork("dry")
    assert family.names == ["main", "dry"]
    assert branch.run.sim.now_ns == now
    with pytest.raises(InputError, match="already"):
        family.fork("dry")
    assert family.fork().name == "branch 1"
    with pytest.raises(InputError, match="did you mean 'dry'"):
        family.select("dri")
    family.drop("dry")
    assert family.names == ["main", "branch 1"]


def test_branches_stay_together_as_fast_as_they_can(family: Family) -> None:
    family.fork("other")
    family.start()
    family.resume()
    sims = [session.run.sim for session in family]
    lead = (LEAD_TICKS + 1) * sims[0].tick_ns

    def together() -> bool:
        before, other, after = sims[0].now_ns, sims[1].now_ns, sims[0].now_ns
        assert before - lead <= other <= after + lead
        return min(other, before) > 400 * S
    until(together)
    at = family.align()
    until(lambda: all(frame.now_ns == at and frame.paused for frame in family.frames().values()))
    assert sims[0].digest() == sims[1].digest()


def test_a_command_to_one_or_to_all_and_the_difference_in_words(family: Family) -> None:
    family.fork("trip")
    pump = family.current.site.names["pump"][0]
    family.send(Command("set", 0, "", f"{family.current.site.names['loop'][0]}.supply_c", 22.0), to="*")
    family.send(Command("fault", 0, "cdu_off", family.current.site.names["cdu"][0]), to="trip")
    with pytest.raises(CommandError):
        family.send(Command("fault", 0, "cdu_pump_trip", pump + "x"), to="*")
    family.start()
    family.step(120)
    until(lambda: all(frame.now_ns >= 150 * S for frame in family.frames().values()))
    at = family.align()
    until(lambda: {frame.now_ns for frame in family.frames().values()} == {at})
    found = family.compare("main", "trip")
    assert found[0].block == "liquid"
    assert all(one.cause == f"CDU off at {family.current.site.names['cdu'][0]}" for one in found)
    assert [len(session.run.sim.log) for session in family] == [1, 2]
    assert not family.compare("main", "main")


def test_all_seek_together(family: Family) -> None:
    family.fork("other")
    family.start()
    family.seek(20 * S)
    until(lambda: all(frame.now_ns == 20 * S for frame in family.frames().values()))
    digests = {session.run.sim.digest() for session in family}
    assert len(digests) == 1
