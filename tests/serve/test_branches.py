"""Private factories over SSH: their past, their branches, what bounds them; and that shared ones have none."""

from __future__ import annotations

import asyncio
import threading
import tracemalloc
from collections.abc import AsyncIterator

import pytest

pytest.importorskip("pyte")

from tests.serve.serve_rig import House, PrivateHouse, until
from twin.errors import InputError
from twin.runtime.session import Session
from twin.scenario.open import open_run
from twin.serve.branches import BRANCHES_MAX, Memory
from twin.serve.visit import Refused
from twin.serve.worlds import PRIVATE_PAST_B, PrivateWorlds, copy_of, size_of
from twin.wiring import Command

SPEED_MAX = 120.0


@pytest.fixture
async def worlds() -> AsyncIterator[PrivateWorlds]:
    first = Session(open_run("small"), speed=60, endless=True, paused=True)
    one = PrivateWorlds(first, SPEED_MAX, 3 * size_of(first, PRIVATE_PAST_B))
    yield one
    await one.close()
    assert not [t for t in threading.enumerate() if t.name == "twin-engine"]


async def test_branches_are_counted_in_the_memory_of_all(worlds: PrivateWorlds) -> None:
    world, ann = await worlds.enter("ann", "viewer", "")
    branches = world.branch_out(ann)
    branches.fork("one")
    other, bob = await worlds.enter("bob", "viewer", "")
    with pytest.raises(InputError, match="no memory"):
        branches.fork("two")
    with pytest.raises(InputError, match="no room"):
        await worlds.enter("eve", "viewer", "")
    assert branches.names == ["yours", "one"]
    await worlds.leave(other, bob)
    branches.fork("two")
    branches.drop("one")
    branches.fork("three")
    branches.drop("three")
    with pytest.raises(InputError, match="is called"):
        branches.fork("two")  # a fork that fails takes no memory
    assert worlds.memory.taken == 2
    with pytest.raises(InputError, match="stays"):
        branches.drop("yours")
    await worlds.leave(world, ann)
    assert worlds.memory.taken == 0
    with pytest.raises(InputError):
        branches.fork("late")
    assert worlds.memory.taken == 0


async def test_acts_are_logged_where_others_are_concerned(worlds: PrivateWorlds,
                                                          caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "twin.serve")
    world, ann = await worlds.enter("ann", "viewer", "")
    world.visit(ann).pause()
    assert not caplog.messages
    async with House() as house:
        shared, alice = await house.worlds.enter("alice", "operator", "")
        shared.visit(alice).pause()
        assert caplog.messages == ["alice (1): pause"]


async def test_who_comes_later_sees_nothing_of_who_came_before(worlds: PrivateWorlds) -> None:
    world, ann = await worlds.enter("ann", "viewer", "")
    await until(lambda: world.session.frame().now_ns > 0, "it does not run")
    await worlds.leave(world, ann)
    other, _ = await worlds.enter("bob", "viewer", "")
    assert other.session.frame().now_ns < world.session.frame().now_ns
    assert not [e for e in other.session.frame().events if e.kind == "session"]


async def test_branches_share_one_limit_of_speed() -> None:
    first = Session(open_run("small"), speed=60, endless=True, paused=True)
    worlds = PrivateWorlds(first, SPEED_MAX, 100 * size_of(first, PRIVATE_PAST_B))
    world, ann = await worlds.enter("ann", "viewer", "")
    try:
        visit = world.visit(ann)
        visit.set_speed(SPEED_MAX)
        await until(lambda: visit.frame().speed_asked == SPEED_MAX, "no speed")
        branches = world.branch_out(ann)
        for count in range(2, BRANCHES_MAX + 1):
            await asyncio.to_thread(branches.fork, f"b{count}")
            await until(lambda n=count: all(v.frame().speed_asked == SPEED_MAX / n  # type: ignore[misc]
                                            for v in branches), "they are not slower")
        with pytest.raises(Refused, match="limited to x30"):
            visit.set_speed(60.0)
        with pytest.raises(InputError, match=f"{BRANCHES_MAX} branches"):
            branches.fork("more")
        branches.drop("b2")
        visit.set_speed(SPEED_MAX / (BRANCHES_MAX - 1))
    finally:
        await worlds.close()


async def test_a_branch_goes_its_own_way_and_ends_with_its_visitor(worlds: PrivateWorlds) -> None:
    world, ann = await worlds.enter("ann", "viewer", "")
    first, branches = world.visit(ann), world.branch_out(ann)
    await until(lambda: first.frame().now_ns > 30e9, "it does not run")
    branch = branches.fork("hot")
    assert branch.origin is not None
    assert branch.origin.parent == first.name == "yours"
    branch.send(Command("fault", 0, "cdu_off", first.site.names["cdu"][0]))
    await until(lambda: branch.frame().now_ns > branch.origin.at_ns + 60e9, "it does not run")
    assert branch.last_act() is not None
    assert first.last_act() is None
    branches.align()
    await until(lambda: first.frame().now_ns == branch.frame().now_ns, "they are not brought together")
    assert any("cdu_off" in d.text or "pump" in d.text for d in branches.compare("yours", "hot"))
    for session in (first, branch):
        for name in ("fork", "timeline", "run", "close", "save"):
            with pytest.raises(Refused):
                getattr(session, name)


async def test_a_fork_that_comes_too_late_leaves_nothing(worlds: PrivateWorlds) -> None:
    world, ann = await worlds.enter("ann", "viewer", "")
    branches = world.branch_out(ann)
    forks = [asyncio.create_task(asyncio.to_thread(branches.fork, f"b{i}")) for i in range(2)]
    await worlds.leave(world, ann)
    await asyncio.gather(*forks, return_exceptions=True)
    assert worlds.memory.taken == 0
    assert not [t for t in threading.enumerate() if t.name == "twin-engine"]


async def test_the_screen_of_a_private_factory_scrubs_forks_and_compares() -> None:
    async with PrivateHouse() as house:
        app, driver, wire = await house.come("ann")
        await until(lambda: app.ui.frame.now_ns > 60e9, "it does not run")
        driver.take(b"<")
        await until(lambda: app.ui.frame.in_past, "no past")
        driver.take(b"F")
        await until(lambda: "its name" in wire.screen(), "nobody asks for a name")
        driver.take(b"hot\r")
        await until(lambda: app.ui.family is not None, "no branch")
        assert app.session.name == "hot"
        driver.take(b" ")
        await until(lambda: not app.ui.frame.paused, "it stands still")
        driver.take(b"8")
        await until(lambda: "hot" in wire.screen() and "yours" in wire.screen(), "nothing is compared")
        driver.take(b"b")
        await until(lambda: "close hot" in wire.screen(), "no list of branches")
        driver.take(b"\x1b")
        await until(lambda: app.screen is app.main, "the list does not go away")
        await house.leave(app)
        assert house.worlds.memory.taken == 0


async def test_a_shared_factory_says_why_it_has_no_branches() -> None:
    async with House() as house:
        app, driver, wire = await house.come("alice", "operator")
        driver.take(b"F")
        await until(lambda: "this one is shared" in wire.screen(), "no reason is given")
        assert app.ui.family is None
        with pytest.raises(InputError, match="shared"):
            house.worlds.world.branch_out(app.visitor)


@pytest.mark.parametrize("scenario", ["small", "demo"])
def test_what_a_factory_takes_is_not_counted_too_low(scenario: str) -> None:
    first = Session(open_run(scenario), speed=float("inf"), endless=True, paused=True)
    granted = size_of(first, PRIVATE_PAST_B)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        session = copy_of(first)
        session.timeline.budget_bytes = PRIVATE_PAST_B
        for _ in range(1200):
            session.timeline.advance()
        for _ in range(40):  # fill the past
            session.timeline.advance()
            session.timeline.mark()
        session.seek(session.frame().now_ns // 2)
        taken = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert session.in_past
    assert 0.8 * granted < taken < granted


def test_memory_is_given_out_once() -> None:
    memory = Memory(10_000, 100)
    got: list[bool] = []
    threads = [threading.Thread(target=lambda: got.extend(memory.take() for _ in range(30))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(got) == memory.taken == 100
