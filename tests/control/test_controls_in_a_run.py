"""Controllers inside a running factory: what they measure, snapshots, and the scenario that compares two of them."""

import json

import pytest
from click.testing import CliRunner

from twin.cli.commands import cli
from twin.control.measure import make_measure
from twin.errors import SpecError
from twin.scenario import snapshot
from twin.scenario.open import open_run

S = 10**9


@pytest.fixture(scope="module")
def sim():
    made = open_run("small", history=False).sim
    made.run_until(30 * S)
    return made


@pytest.mark.parametrize("text,value", [
    ("power.rack_input_w sum", lambda s: s.power.rack_input_w[0] + s.power.rack_input_w[1] + s.power.rack_input_w[2]),
    ("A1 power.rack_input_w sum", lambda s: s.power.rack_input_w[0] + s.power.rack_input_w[1]),
    ("A1 power.rack_input_w mean", lambda s: 0.5 * (s.power.rack_input_w[0] + s.power.rack_input_w[1])),
    ("A2 chip.gpu_temp_c", lambda s: s.chip.gpu_temp_c[144:].max()),
    ("A1 chip.gpu_temp_c min", lambda s: s.chip.gpu_temp_c[:144].min()),
    ("warm plant.loop_supply_temp_c", lambda s: s.plant.loop_supply_temp_c[0]),
    ("weather.wet_bulb_temp_c", lambda s: s.weather.wet_bulb_temp_c[0]),
])
def test_a_measure_is_the_number_it_names(sim, text, value):
    assert make_measure(sim.site, sim.state, text, where="control")() == value(sim.state)


@pytest.mark.parametrize("text,word", [
    ("A9 power.rack_input_w", "A9"), ("power.rack_inptu_w", "rack_inptu_w"), ("power.rack_input_w median", "median"),
    ("A2 liquid.cdu_flow_kg_s", "cdu"), ("A1", "A1"), ("", "''"),
])
def test_a_measure_that_is_not_there_is_refused(sim, text, word):
    with pytest.raises(SpecError, match=word):
        make_measure(sim.site, sim.state, text, where="control")


def test_two_controllers_for_one_set_point_are_refused():
    with pytest.raises(SpecError, match="two controllers"):
        open_run("controls", sets=["control.return.on=true", "control.power.on=true"])


@pytest.mark.parametrize("name", ["return", "power"])
def test_a_run_with_a_controller_continues_from_a_snapshot(name, tmp_path):
    sets = [f"control.{name}.on=true", "scenario.duration=15m"]
    whole = open_run("controls", sets=sets)
    whole.sim.run_until(630 * S)
    half = open_run("controls", sets=sets)
    half.sim.run_until(605 * S)
    snapshot.save(half, tmp_path / "half.twin")
    again = snapshot.load(tmp_path / "half.twin")
    again.sim.run_until(630 * S)
    assert again.sim.digest() == whole.sim.digest()


def test_the_scenario_compares_them():
    result = CliRunner().invoke(cli, ["replay", "controls", "--json"], standalone_mode=False, catch_exceptions=False)
    out = json.loads(result.stdout)
    assert [e for e in out["expect"] if not e["ok"]] == []
    assert len(out["expect"]) >= 15


def test_feed_forward_keeps_the_coolant_s_rise_from_idle_to_full_load():
    """Flow that follows power leaves P / (m cp) as it is: 5 % between 1.2 and 2 MW (the racks' air heat shifts it)."""
    sim = open_run("controls", sets=["control.power.on=true"], history=False).sim
    rises = []
    for at in (580, 1480):
        sim.run_until(at * S)
        liquid = sim.state.liquid
        rises.append(float(liquid.tcs_return_temp_c[0] - liquid.tcs_supply_temp_c[0]))
    assert rises[1] == pytest.approx(rises[0], rel=0.05)


def test_trim_and_respond_finds_the_warmest_water_that_the_valves_can_bear():
    control = ('control=[{controller="trim-respond", target="warm.supply_c", measure="liquid.cdu_valve_frac max", '
               'options={trim=0.1, respond=-0.3, low=25, high=40, sample_s=180, limit=0.9}}]')
    sim = open_run("controls", sets=[control, "variant=[]", "expect={}", "job.rush.at=1m", "job.rush.run=5h",
                                     "job.after.at=4h", "scenario.duration=4h"], history=False).sim
    water, widest = [], []
    for minute in range(60, 180, 5):
        sim.run_until(minute * 60 * S)
        water.append(float(sim.state.plant.loop_supply_temp_c[0]))
        widest.append(float(sim.state.liquid.cdu_valve_frac.max()))
    assert min(water) > 30.5  # it began at 30 degC: warmer water is less work for the coolers
    assert max(water) - min(water) < 1.5  # and has found its level, with the widest valve about its limit
    assert 0.86 < min(widest) <= max(widest) < 0.94
    assert sim.state.liquid.supply_temp_max_c[0] < 36.5
