"""Controllers against closed forms: a PI loop on a first-order plant, its limits, feed-forward, trim and respond."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy import signal

from twin.control.registry import ControllerBind, controllers, describe, make_controller
from twin.errors import SpecError

S = 10**9


class Loop:
    """A controller with one number to measure and one set-point to move, held in plain attributes."""

    def __init__(self, name, options, *, measured=0.0, output=0.0, low=-1e6, high=1e6, measure=True):
        self.measured, self.output, self.now = measured, output, S
        self.memory = np.zeros(8)
        bind = ControllerBind(SimpleNamespace(), SimpleNamespace(), self._write, self.memory, options,
                              (lambda: self.measured) if measure else None, lambda: self.output, low, high)
        self.controller = make_controller(name, bind)

    def _write(self, value):
        self.output = value

    def step(self, dt_s=1.0):
        self.controller.step(self.now, round(dt_s * S))
        self.now += round(dt_s * S)
        return self.output


def test_pi_on_a_first_order_plant_is_the_closed_loop_of_theory():
    """scipy.signal.dlsim of the same loop written as a state space; 1e-10."""
    k, tau, gain, reset, h, goal = 2.0, 20.0, 0.8, 15.0, 1.0, 5.0
    decay = float(np.exp(-h / tau))
    loop = Loop("pi", {"setpoint": goal, "gain": gain, "reset_s": reset, "sample_s": h})
    ours = []
    for _ in range(200):
        u = loop.step(h)
        ours.append(loop.measured)
        loop.measured = decay * loop.measured + (1.0 - decay) * k * u
    # the plant y and the integral I as found at a sample; the first sample has I = u0 - gain e0 without growth
    b = (1.0 - decay) * k
    grow = gain * h / reset
    a = np.array([[decay - b * (gain + grow), b], [-grow, 1.0]])
    drive = np.array([[b * (gain + grow)], [grow]])
    system = signal.dlti(a, drive, np.array([[1.0, 0.0]]), np.zeros((1, 1)), dt=h)
    start = np.array([0.0, -gain * goal - grow * goal])  # so that the first output is the 0 that was found
    _, y, _ = signal.dlsim(system, np.full(200, goal), x0=start)
    assert np.allclose(ours, y[:, 0], rtol=0, atol=1e-10)
    assert ours[-1] == pytest.approx(goal, abs=1e-3)


def test_pi_begins_without_a_bump_and_at_the_first_boundary():
    loop = Loop("pi", {"setpoint": 50.0, "gain": -3.0, "sample_s": 10.0}, measured=47.0, output=21.0)
    loop.now = 0
    loop.step()
    assert loop.memory[2] == 0  # nothing has been computed before the first tick
    assert loop.step() == 21.0
    loop.measured = 48.0
    for _ in range(9):
        assert loop.step() == 21.0
    assert loop.step() == pytest.approx(21.0 - 3.0 * -1.0 + -3.0 * 2.0 * 10.0 / 60.0)


@pytest.mark.parametrize("dt_s", [0.25, 1.0, 7.0])
def test_pi_does_not_wind_up(dt_s):
    """After an hour at its limit it leaves the limit at the first sample with an error of the other sign."""
    loop = Loop("pi", {"setpoint": 10.0, "gain": 1.0, "reset_s": 5.0, "sample_s": 1.0, "low": 0.0, "high": 4.0})
    for _ in range(round(3600 / dt_s)):
        loop.step(dt_s)
    assert loop.output == 4.0
    loop.measured = 10.5
    for _ in range(round(max(1.0, dt_s) / dt_s)):
        loop.step(dt_s)
    assert loop.output < 4.0


def test_pi_keeps_its_rate_limit():
    loop = Loop("pi", {"setpoint": 10.0, "gain": 50.0, "reset_s": 5.0, "sample_s": 2.0, "rate_per_s": 0.5})
    last = loop.output
    for _ in range(60):
        out = loop.step()
        assert abs(out - last) <= 1.0 + 1e-12
        last = out
    assert last == pytest.approx(29.0, abs=1.1)


def test_feed_forward_is_its_power_law_and_falls_with_its_time_constant():
    loop = Loop("feed-forward", {"at": 2e6, "base": 65e3, "exponent": 1.897, "low": 15e3, "fall_s": 30.0}, measured=2e6)
    assert loop.step() == pytest.approx(65e3, rel=1e-12)
    loop.measured = 2.2e6
    assert loop.step() == pytest.approx(65e3 * 1.1**1.897, rel=1e-12)  # up at once
    high = loop.output
    loop.measured = 0.0
    for _ in range(30):
        loop.step()
    assert loop.output == pytest.approx(15e3 + (high - 15e3) / (1.0 + 1.0 / 30.0)**30, rel=1e-12)


def test_trim_and_respond_counts():
    options = {"trim": 0.1, "respond": -0.5, "low": 25.0, "high": 36.0, "sample_s": 60.0}
    loop = Loop("trim-respond", options, output=30.0)
    loop.step()
    for _ in range(20 * 60):
        loop.step()
    assert loop.output == pytest.approx(30.0 + 21 * 0.1)
    loop.measured = 0.95
    for _ in range(60):
        loop.step()
    assert loop.output == pytest.approx(30.0 + 21 * 0.1 - 0.5)
    for _ in range(3600):
        loop.step()
    assert loop.output == 25.0


@pytest.mark.parametrize("name,options,measure,word", [
    ("pi", {"setpoint": 1.0}, True, "gain"),
    ("pi", {"setpoint": 1.0, "gain": 1.0}, False, "measures"),
    ("pi", {"setpoint": 1.0, "gain": 1.0, "low": 3.0, "high": 2.0}, True, "low"),
    ("pi", {"setpoint": 1.0, "gian": 1.0}, True, "gian"),
    ("feed-forward", {"at": 0.0, "base": 1.0}, True, "at"),
    ("trim-respond", {"trim": 1.0, "respond": 1.0, "low": 0.0, "high": 1.0}, True, "signs"),
    ("trim-respond", {"trim": 1.0, "respond": -1.0}, True, "low"),
    ("pdi", {}, True, "pdi"),
])
def test_what_cannot_work_is_refused(name, options, measure, word):
    with pytest.raises(SpecError, match=word):
        Loop(name, options, measure=measure)


def test_every_controller_documents_itself():
    for name in controllers():
        does, options = describe(name)
        assert does
        assert "`" in options
