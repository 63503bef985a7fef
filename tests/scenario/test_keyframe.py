"""A keyframe put back gives the same bits, at once and later, and shows nothing that was still to come."""

from typing import Any

import msgpack
import numpy as np
import pytest

from twin.errors import InputError
from twin.scenario import keyframe
from twin.scenario.open import open_run
from twin.scenario.run import Run
from twin.wiring import Command

S = 10**9


def _troubled(name: str) -> Run:
    """A run in which a fault, a set-point and a fault that ends by itself happen."""
    run = open_run(name)
    names = run.sim.site.names
    kind, places = ("cdu_pump_trip", names["pump"]) if names["pump"] else ("node_down", names["node"])
    run.sim.submit(Command("fault", 20 * S, kind, places[0], None, 25 * S))
    run.sim.submit(Command("set", 33 * S + 250_000_000, "", f"{names['rack'][0]}.cap_frac", 0.6))
    run.sim.submit(Command("fault", 70 * S, kind, places[1]))
    return run


def _poison(run: Run) -> None:
    for _, _, array in run.sim.state.columns():
        array[:] = 1 if array.dtype.kind == "i" else 1234.5


@pytest.mark.parametrize("name", ["small", "demo", "trace"])
def test_a_moment_put_back_goes_on_with_the_same_bits(name: str) -> None:
    run = _troubled(name)
    run.sim.advance(41)
    frame, there = msgpack.unpackb(msgpack.packb(keyframe.capture(run))), run.sim.digest()
    arrays = [id(array) for _, _, array in run.sim.state.columns()]
    run.sim.advance(59)
    later, log = run.sim.digest(), list(run.sim.log)
    events = [(e.at_ns, e.text) for e in run.sim.events]
    _poison(run)  # nothing of what is there may matter, derived columns included
    keyframe.restore(run, frame)
    assert [id(array) for _, _, array in run.sim.state.columns()] == arrays
    assert (run.sim.digest(), run.sim.tick, len(run.sim.log)) == (there, 41, frame["log"])
    run.sim.advance(59)
    assert run.sim.digest() == later
    assert run.sim.log == log
    assert [(e.at_ns, e.text) for e in run.sim.events] == events


def test_a_moment_at_which_racks_switched_themselves_off_keeps_its_bits() -> None:
    """Liquid trips them after power ran in the same tick: power feels it in the next one, put back or not."""
    run = open_run("small", history=False)
    sim = run.sim
    for cdu in sim.site.names["cdu"]:
        sim.submit(Command("fault", 0, "cdu_off", cdu))
    while not sim.state.liquid.rack_protected.any():
        sim.advance()
        assert sim.tick < 900
    tripped = sim.state.liquid.rack_protected != 0
    frame, there = keyframe.capture(run), sim.digest()
    assert sim.state.power.rack_energised[tripped].all()
    sim.advance()
    later = sim.digest()
    assert not sim.state.power.rack_energised[tripped].any()
    keyframe.restore(run, frame)
    assert sim.digest() == there
    sim.advance()
    assert sim.digest() == later


def test_the_log_alone_takes_a_run_of_the_beginning_to_the_same_bits() -> None:
    run, again = open_run("small"), open_run("small")
    start = keyframe.capture(run)
    run.sim.advance(17)
    run.sim.submit(Command("fault", 5 * S, "cdu_pump_trip", run.sim.site.names["pump"][0]))  # its instant has passed
    run.sim.advance(9)
    run.sim.submit(Command("clear", 0, "cdu_pump_trip"))
    run.sim.submit(Command("fault", run.sim.now_ns + 300_000_000, "cdu_pump_trip", run.sim.site.names["pump"][0]))
    run.sim.advance(40)
    keyframe.restore(again, start)
    for _, command in run.sim.log:
        again.sim.submit(command)
    again.sim.run_until(run.sim.now_ns)
    assert again.sim.digest() == run.sim.digest()
    assert again.sim.log == run.sim.log


def test_histories_end_at_the_moment_and_fill_again_alike() -> None:
    run = open_run("small")
    run.sim.advance(135)
    frame = keyframe.capture(run)
    series = {level: _series(run, level) for level in (200, 60)}
    run.sim.advance(700)
    full = _series(run, 200)
    keyframe.restore(run, frame)
    for points, before in series.items():
        assert all(np.array_equal(a, b) for a, b in zip(_series(run, points), before, strict=True))
    run.sim.advance(700)
    assert all(np.array_equal(a, b) for a, b in zip(_series(run, 200), full, strict=True))


def test_what_the_rings_wrote_over_is_missing_and_nothing_later_is_shown() -> None:
    run = open_run("small")
    run.sim.advance(60)
    frame = keyframe.capture(run)
    run.sim.run_until(run.sim.now_ns + 1000 * S)  # more than the finest level holds
    keyframe.restore(run, frame)
    at_s, low, mean, high = _series(run, 200)
    assert len(at_s)
    assert at_s.max() <= 60
    assert (low <= mean).all()
    assert (mean <= high).all()


def test_a_frame_of_another_site_is_refused() -> None:
    frame = keyframe.capture(open_run("small"))
    with pytest.raises(InputError, match="does not fit this site"):
        keyframe.restore(open_run("trace"), frame)


@pytest.mark.parametrize("entry", [None, [], ["<f8"], ["<f8", 3, b""], ["<i4", 3, b"x" * 24], ["<f8", 3, b"x" * 23],
                                   ["<f8", 3, b"x" * 16, b"\0" * 8], ["<f8", 3, b"x" * 16, b"\0" * 4]])
def test_a_damaged_column_is_one_clear_error(entry: Any) -> None:
    with pytest.raises(InputError, match="column"):
        keyframe.unpack(np.zeros(3), entry, "here")


def test_runs_of_equal_values_are_kept_short_and_exact() -> None:
    values = np.array([0.0] * 50 + [-0.0] * 50 + [np.inf] * 50)
    entry = keyframe._pack(values)
    assert len(entry) == 4
    back = np.ones(150)
    keyframe.unpack(back, entry, "here")
    assert back.tobytes() == values.tobytes()


def _series(run: Run, points: int) -> tuple[Any, ...]:
    assert run.sim.histories is not None
    return run.sim.histories.series("chip.gpu_temp_max_c", 0, points, run.sim.now_ns)
