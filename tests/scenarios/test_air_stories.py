"""The built-in scenarios about hall air: what they expect holds, and between them they show every air fault."""

import json

import pytest
from click.testing import CliRunner

from twin.cli.commands import cli
from twin.domains.air import DOMAIN
from twin.scenario.load import load_spec

STORIES = ("crah-failure", "blanking-panel", "rear-doors")


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
