"""Going back gives the bits of the first time; the past is bounded, and contradicted only on purpose."""

import numpy as np
import pytest

from twin.errors import InputError
from twin.scenario.open import open_run
from twin.scenario.timeline import Timeline
from twin.wiring import Command

S = 10**9


def _lived(name: str = "small", ticks: int = 90, **options: int) -> tuple[Timeline, list[str], list[int]]:
    """A timeline with commands of every kind of instant, and the digest and instant of each of its moments."""
    line = Timeline(open_run(name), **{"spacing": 20} | options)
    sim = line.run.sim
    pump, loop = sim.site.names["pump"][0], sim.site.names["loop"][0]
    digests, instants = [sim.digest()], [0]
    for tick in range(ticks):
        if tick == 13:
            sim.submit(Command("fault", 0, "cdu_pump_trip", pump))
        if tick == 25:
            sim.submit(Command("clear", sim.now_ns + 30 * S + 400_000_000, "cdu_pump_trip"))
            sim.submit(Command("set", sim.now_ns, "", f"{loop}.supply_c", 25.0))
        line.advance()
        digests.append(sim.digest())
        instants.append(sim.now_ns)
    return line, digests, instants


def test_every_moment_sought_has_the_bits_of_the_moment_lived() -> None:
    line, digests, instants = _lived()
    for tick in (90, 41, 40, 39, 13, 14, 0, 1, 77, 78, 57, 90, 3):
        line.seek_tick(tick)
        assert line.run.sim.digest() == digests[tick], tick
        assert line.in_past == (tick < 90)
        assert line.head_ns == instants[-1]
    for tick in (5, 56, 58, 20):
        line.seek(instants[tick])
        assert line.run.sim.tick == tick
        line.seek(instants[tick] - 1)
        assert line.run.sim.digest() == digests[tick]


def test_playing_the_past_again_arrives_at_the_present_and_goes_on() -> None:
    line, digests, _ = _lived()
    sim = line.run.sim
    log, given, events = list(sim.log), list(sim.given), [e.text for e in sim.events]
    line.seek_tick(10)
    for tick in range(11, 91):
        line.advance()
        assert sim.digest() == digests[tick]
    assert not line.in_past
    assert (sim.log, sim.given, [e.text for e in sim.events]) == (log, given, events)
    line.advance()
    other, _, _ = _lived(ticks=91)
    assert sim.digest() == other.run.sim.digest()


def test_coming_back_brings_the_histories_whole() -> None:
    line, _, _ = _lived()
    sim = line.run.sim
    assert sim.histories is not None
    before = {k: a.copy() for k, a in sim.histories.save().items()}
    line.seek_tick(31)
    assert sim.histories.series("power.it_w", 0, 200, sim.now_ns)[0].max() < 31
    line.go_live()
    assert all(np.array_equal(a, before[k]) for k, a in sim.histories.save().items())


def test_truncating_gives_the_future_up() -> None:
    line, digests, instants = _lived()
    sim = line.run.sim
    line.seek_tick(50)
    assert line.truncate() == instants[90] - instants[50]
    assert not line.in_past
    assert line.head_ns == instants[50]
    assert "given up" in sim.events[-1].text
    assert len(sim.pending) == 1  # the clear was given before that moment and is still to come
    for _ in range(40):
        line.advance()
    assert sim.digest() == digests[90]
    line.seek_tick(45)
    assert sim.digest() == digests[45]


def test_a_fork_shares_the_past_and_nothing_else() -> None:
    line, digests, _ = _lived()
    line.seek_tick(30)
    other = line.fork("begins")
    assert other.run.sim.site is line.run.sim.site
    assert other.run.sim.digest() == digests[30]
    assert other.run.sim.events[-1].text == "begins"
    other.run.sim.submit(Command("fault", 0, "cdu_pump_trip", other.run.sim.site.names["pump"][2]))
    other.advance()
    assert other.run.sim.digest() != digests[31]
    line.advance()
    assert line.run.sim.digest() == digests[31]
    other.seek_tick(12)
    assert other.run.sim.digest() == digests[12]
    other.go_live()
    for _ in range(59):
        other.advance()
    assert len(other.run.sim.log) == 4


def test_two_forks_with_the_same_commands_are_equal() -> None:
    line, _, _ = _lived()
    forks = [line.fork(), line.fork()]
    for fork in forks:
        fork.run.sim.submit(Command("fault", 0, "cdu_off", fork.run.sim.site.names["cdu"][0]))
        for _ in range(40):
            fork.advance()
    assert forks[0].run.sim.digest() == forks[1].run.sim.digest()
    assert forks[0].run.sim.kpi() == forks[1].run.sim.kpi()


def test_keyframes_stay_within_their_budget_and_thin_with_age() -> None:
    line, digests, _ = _lived(ticks=300, spacing=5, budget_bytes=1_000_000)
    assert sum(key.size for key in line.keys) <= 1_000_000
    gaps = np.diff([key.tick for key in line.keys])
    assert line.keys[0].tick == 0
    assert gaps[-3:].mean() < gaps[:3].mean()
    for tick in (299, 150, 2):
        line.seek_tick(tick)
        assert line.run.sim.digest() == digests[tick]


def test_what_was_never_lived_cannot_be_sought() -> None:
    run = open_run("small")
    run.sim.advance(20)
    line = Timeline(run)
    line.advance()
    with pytest.raises(InputError, match="nothing is known of 5s"):
        line.seek(5 * S)
    line.seek(10**6 * S)
    assert not line.in_past


def test_alarms_are_found_on_both_sides() -> None:
    line = Timeline(open_run("small"), spacing=50)
    sim = line.run.sim
    for tick in range(400):
        if tick in (50, 200):
            sim.submit(Command("fault", 0, "cdu_pump_trip", sim.site.names["pump"][0], None, 60 * S))
        line.advance()
    raised = sorted({e.at_ns for e in sim.events if e.kind == "alarm"})
    assert len(raised) >= 2
    assert line.last_alarm_ns() == raised[-1]
    assert line.next_alarm_ns() == -1
    line.seek(line.last_alarm_ns())
    assert sim.active_alarms()
    assert line.last_alarm_ns() == raised[-2]
    line.seek(raised[0] - 1 * S)
    assert line.next_alarm_ns() == raised[0]
    assert line.last_alarm_ns() == -1
