"""A fault that would do nothing at its target is refused where people and scenarios name it, and not offered."""

from pathlib import Path

import pytest

from twin.errors import CommandError, InputError
from twin.runtime.session import Session
from twin.scenario.open import open_run
from twin.wiring import Command

LIQUID = {"rack_branch_blocked", "rack_valve_stuck", "rack_coupling_half_mated", "tray_branch_blocked",
          "rack_filter_clog", "rack_air_ingestion", "rack_leak"}


def test_faults_of_coolant_are_refused_where_there_is_none() -> None:
    run = open_run("small", history=False)
    session, site = Session(run, paused=True), run.sim.site
    assert site.names["rack"][2] == "A2.01"
    assert site.hydronics.rack_tcs[2] < 0
    kinds = [kind for kind in session.fault_kinds() if kind.moot is not None]
    assert {kind.name for kind in kinds} == LIQUID
    for kind in kinds:
        target = "A2.01" if kind.axis == "rack" else "A2.01.t01"
        with pytest.raises(CommandError, match=f"{target} has no coolant from a row loop"):
            session.send(Command("fault", 0, kind.name, target))
        session.send(Command("fault", 0, kind.name, site.names[kind.axis][0]))
    run.sim.advance()
    assert {fault.name for fault in run.sim.active_faults()} == LIQUID


def test_a_scenario_that_names_one_is_refused_before_it_runs(tmp_path: Path) -> None:
    story = tmp_path / "story.toml"
    story.write_text('extends = "small"\n[[event]]\nat = "1m"\nfault = "rack_leak"\ntarget = "A2.01"\n')
    with pytest.raises(InputError, match=r"event \d fault rack_leak"):
        open_run(str(story))


def test_what_acts_nowhere_is_not_offered() -> None:
    names = {kind.name for kind in Session(open_run("rear-doors", history=False), paused=True).fault_kinds()}
    assert not LIQUID & names
    assert {"rack_protection", "node_down", "utility_loss"} <= names
