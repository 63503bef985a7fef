"""The stories of tanks and of the hall that goes from air to liquid come out as they expect."""

import json

import pytest
from click.testing import CliRunner

from twin.cli.commands import cli
from twin.scenario import snapshot
from twin.scenario.open import open_run

S = 10**9


@pytest.mark.parametrize("name,count", [("immersion", 20), ("air-to-liquid", 28)])
def test_every_expectation_holds(name, count):
    result = CliRunner().invoke(cli, ["replay", name, "--json"], standalone_mode=False, catch_exceptions=False)
    out = json.loads(result.stdout)
    assert [e for e in out["expect"] if not e["ok"]] == []
    assert len(out["expect"]) >= count
    assert all(run["kpi"]["energy_residual_rel"] <= 1e-9 for run in [out, *out.get("variants", [])])


def test_a_venting_tank_continues_from_a_snapshot_with_the_same_bits():
    whole, half = open_run("immersion"), open_run("immersion")
    whole.sim.run_until(720 * S)
    half.sim.run_until(690 * S)
    again = snapshot.from_bytes(snapshot.to_bytes(half))
    again.sim.run_until(720 * S)
    assert whole.sim.state.liquid.tank_vent_kg_s.max() > 0.1
    assert again.sim.digest() == whole.sim.digest()


def test_a_variant_is_applied_to_the_story_and_not_to_the_other_variants():
    run = open_run("air-to-liquid", variant="direct-to-chip", history=False)
    assert run.spec.hall[0].row[0].rack == "hgx-h100-x4-dlc"
    assert next(v.name for v in run.spec.variant) == "air-40"
    assert run.expectations
