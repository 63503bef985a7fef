"""The tick: on a grid, cut where something happens, the same bits twice, every invariant held."""

import pytest

from twin.engine.simulation import TICK_MIN_NS, Simulation
from twin.errors import CommandError
from twin.scenario.open import open_run
from twin.wiring import Command

S = 10**9
SMALL = ["hall.A.row.1.repeat=1", "hall.A.row.1.racks=2", "hall.A.row.2.repeat=1", "hall.A.row.2.racks=1"]


def small() -> Simulation:
    """Return the demo hall cut down to three racks, without its jobs and events."""
    return open_run("small", history=True).sim


def test_the_same_scenario_gives_the_same_bits() -> None:
    one, two = small(), small()
    one.advance(50)
    two.run_until(50 * S)
    assert one.digest() == two.digest()


def test_a_different_seed_gives_other_bits() -> None:
    one, two = small(), open_run("small", seed=99).sim
    one.advance(20)
    two.advance(20)
    assert one.digest() != two.digest()


def test_ticks_are_cut_at_a_command_and_return_to_the_grid() -> None:
    sim = small()
    kind = sim.registry.faults[0][1]
    place = sim.site.names[kind.axis][0] if kind.axis in sim.site.names else ""
    sim.submit(Command("fault", 2 * S + S // 4, kind.name, place, None, S // 2))
    ends = []
    for _ in range(6):
        sim.advance()
        ends.append(sim.now_ns)
    assert ends == [1 * S, 2 * S, 2 * S + S // 4, 2 * S + 3 * S // 4, 3 * S, 4 * S]
    assert [e.at_ns for e in sim.events if e.kind == "fault"] == [2 * S + S // 4, 2 * S + 3 * S // 4]


def test_no_tick_is_shorter_than_the_minimum() -> None:
    sim = small()
    kind = sim.registry.faults[0][1]
    place = sim.site.names[kind.axis][0] if kind.axis in sim.site.names else ""
    sim.submit(Command("fault", S + 1, kind.name, place, None, TICK_MIN_NS // 2))
    before = 0
    for _ in range(5):
        sim.advance()
        assert sim.now_ns - before >= TICK_MIN_NS
        before = sim.now_ns


def test_every_fault_starts_clears_and_leaves_the_state_sound() -> None:
    sim = small()
    for _, kind in sim.registry.faults:
        if sim.axes[kind.axis] == 0:
            continue
        place = sim.site.names[kind.axis][0] if kind.axis in sim.site.names else ""
        sim.submit(Command("fault", sim.now_ns, kind.name, place, None, 3 * S))
        sim.advance(6)
        assert not sim.active_faults(), kind.name
        assert sim.check() == [], kind.name


def test_every_setting_can_be_written_within_its_range_only() -> None:
    sim = small()
    for domain, setting in sim.registry.settings:
        if sim.axes[setting.axis] == 0:
            continue
        middle = (setting.lo + setting.hi) / 2
        sim.submit(Command("set", sim.now_ns, "", f"{domain}.{setting.name}", middle))
        sim.advance()
        assert (getattr(sim.state.blocks[domain], setting.column) == middle).all()
        with pytest.raises(CommandError, match="out of range"):
            sim.submit(Command("set", sim.now_ns, "", f"{domain}.{setting.name}", setting.hi + 1e6))


@pytest.mark.parametrize(("command", "says"), [
    (Command("fault", 0, "cdu_pump_tripp", "A1.cdu1.pumpA"), "did you mean 'cdu_pump_trip'"),
    (Command("fault", 0, "cdu_pump_trip", "A1.cdu1.pumpZ"), "did you mean 'A1.cdu1.pump"),
    (Command("set", 0, "", "warm.suply_c", 30.0), "did you mean 'warm.supply_c'"),
    (Command("ack", 0, "no_such_alarm"), "no alarm is called"),
])
def test_a_command_that_names_nothing_is_refused_with_the_nearest_name(command: Command, says: str) -> None:
    with pytest.raises(CommandError, match=says):
        small().submit(command)


def test_histories_keep_minimum_mean_and_maximum_in_flat_memory() -> None:
    sim = small()
    assert sim.histories is not None
    sizes = {k: v.nbytes for k, v in sim.histories.save().items()}
    seen = []
    for _ in range(40):
        sim.advance()
        seen.append(float(sim.state.power.it_w[0]))
    at, lo, _, hi = sim.histories.series("power.it_w", points=40, end_ns=sim.now_ns)
    assert at[0] == 0
    assert len(at) == 40
    assert lo.tolist() == seen
    assert hi.tolist() == seen
    coarse = sim.histories.series("power.it_w", points=10, end_ns=sim.now_ns)
    assert coarse[2][0] == pytest.approx(sum(seen[:10]) / 10)
    assert coarse[1][0] == min(seen[:10])
    assert coarse[3][0] == max(seen[:10])
    assert {k: v.nbytes for k, v in sim.histories.save().items()} == sizes
