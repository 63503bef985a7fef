"""The built-in scenarios about hall air: what they expect holds, and between them they show every air fault."""

import json

import numpy as np
import psychrolib
import pytest
from click.testing import CliRunner

from twin.cli.commands import cli
from twin.domains.air import DOMAIN
from twin.scenario.load import load_spec
from twin.scenario.open import open_run

S = 10**9
CFM_M3_S = 0.3048**3 / 60.0
STORIES = ("crah-failure", "blanking-panel", "rear-doors", "air-units")


@pytest.mark.parametrize("name", STORIES)
def test_air_stories_meet_their_expectations(name):
    result = CliRunner().invoke(cli, ["replay", name, "--json"], standalone_mode=False, catch_exceptions=False)
    out = json.loads(result.stdout)
    assert [e for e in out["expect"] if not e["ok"]] == []
    assert len(out["expect"]) >= 10
    assert result.return_value == 0


def test_every_air_fault_is_shown():
    shown = {event.fault for name in STORIES for event in load_spec(name)[0].event}
    assert {kind.name for kind in DOMAIN.faults} <= shown


def band(name, key):
    low, high = load_spec(name)[0].expect[key].split("..")
    return float(low), float(high)


def test_what_in_row_coolers_and_fan_walls_expect_follows_from_closed_forms():
    """DGX H100: 1,105 CFM and 16.4 K a server (handbook, T18); shared air; affinity laws; the standard atmosphere."""
    rack = 4 * 1105 * CFM_M3_S
    supplied = 1.05 * rack  # a contained hall's machines give a twentieth more than its racks draw
    coolers = [12 * supplied / (n * 3.3) for n in (12, 11)]
    walls = [16 * supplied / (n * 24.0) for n in (3, 2)]
    psychrolib.SetUnitSystem(psychrolib.SI)
    thin = psychrolib.GetStandardAtmPressure(2000.0) / psychrolib.GetStandardAtmPressure(0.0)
    early, late = "mean after 5m before 10m", "mean after 15m before 20m"
    for key, want, room in (
        (f"A1 air.rack_air_flow_m3_s {early}", rack, 0.06), (f"A1 air.rack_outlet_temp_c {early}", 22.0 + 16.4, 0.06),
        (f"high:A1 air.rack_outlet_temp_c {early}", 22.0 + 16.4 / thin, 0.06),
        (f"A1.cooler1 air.crah_fan_frac {early}", coolers[0], 0.05),
        (f"A1.cooler1 air.crah_fan_frac {late}", coolers[1], 0.05),
        (f"A1.cooler1 air.crah_power_w {early}", 3000.0 * coolers[0] ** 3, 0.12),
        (f"A1.cooler1 air.crah_power_w {late}", 3000.0 * coolers[1] ** 3, 0.12),
        (f"B.crah2 air.crah_fan_frac {early}", walls[0], 0.06),
        (f"B.crah2 air.crah_power_w {early}", 10e3 * walls[0] ** 3, 0.15),
        (f"B.crah2 air.crah_heat_w {late}", 0.5 * 16 * 40.8e3 + 10e3 * walls[1] ** 3, 0.06),
    ):
        low, high = band("air-units", key)
        assert low < want < high, key
        assert high - low < 2.2 * room * want, key
    assert band("air-units", f"B.crah2 air.crah_fan_frac {late}")[0] == pytest.approx(walls[1], abs=0.01)


def test_both_halls_give_their_heat_to_the_water_while_a_machine_is_out():
    sim = open_run("air-units", history=False).sim
    sim.run_until(1190 * S)
    air, power = sim.state.air, sim.state.power
    hall = np.array(sim.site.floor.crah_hall)
    for h in (0, 1):
        racks = power.rack_input_w[sim.site.topology.rack_hall == h].sum()
        heat, fans = air.crah_heat_w[hall == h].sum(), air.crah_power_w[hall == h].sum()
        assert heat == pytest.approx(racks + fans, rel=0.02)
    assert (air.crah_heat_w == 0.0).sum() == 2
