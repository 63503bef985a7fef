"""A file of every format version that was ever written loads, and holds what it held when it was written."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from twin.errors import SnapshotError
from twin.scenario import snapshot
from twin.scenario.replay import Recording
from twin.scenario.verify import verify

FOLDER = Path(__file__).parent


@pytest.mark.parametrize("version", [1, 2])
def test_a_golden_snapshot_loads_and_goes_on(version: int) -> None:
    data = gzip.decompress((FOLDER / f"snapshot-{version}.twin.gz").read_bytes())
    held = json.loads((FOLDER / f"snapshot-{version}.json").read_text())
    run = snapshot.from_bytes(data)
    sim = run.sim
    assert (sim.tick, sim.now_ns) == (held["tick"], held["now_ns"])
    assert float(sim.state.chip.gpu_temp_max_c[0]) == held["gpu_temp_max_c"]
    assert float(sim.state.ledger.it_energy_j[0]) == held["it_energy_j"]
    assert [f.name for f in sim.active_faults()] == held["faults"]
    assert [[tick, c.kind, c.target] for tick, c in sim.log] == held["log"]
    assert len(sim.pending) == held["pending"]
    assert [e.text for e in sim.events][:len(held["events"])] == held["events"]
    assert sim.histories is not None
    if not any("all histories" in e.text for e in sim.events):  # the program keeps the same ones still
        assert np.array_equal(sim.histories.series("power.it_w")[2][-5:], held["history_power_it_w_mean"])
    assert [a.name for a in sim.active_alarms()] == ["cdu_pump_off"]
    sim.advance(30)
    assert not sim.check()


@pytest.mark.parametrize("version", [1, 2])
def test_a_golden_snapshot_saved_again_is_of_the_present_version(version: int) -> None:
    data = gzip.decompress((FOLDER / f"snapshot-{version}.twin.gz").read_bytes())
    run = snapshot.from_bytes(data)
    again = snapshot.from_bytes(snapshot.to_bytes(run))
    assert again.sim.digest() == run.sim.digest()
    assert list(again.sim.events) == list(run.sim.events)


@pytest.mark.parametrize("version", [2])
def test_a_golden_recording_is_read_and_opens_at_its_moments(version: int) -> None:
    held = json.loads((FOLDER / f"recording-{version}.json").read_text())
    with Recording(FOLDER / f"recording-{version}.twin") as file:
        assert (file.first_tick, file.last_tick, file.done, file.tail.kind) == (*held["ticks"], True, "whole")
        assert [[g.tick, g.command.kind, g.command.target] for g in file.commands] == held["commands"]
        assert [k.tick for k in file.keys] == held["keyframes"]
        for tick, temp_c, energy_j in held["moments"]:  # moments of keyframes: no physics in between
            run = file.open(tick * 10**9)
            assert run.sim.tick == tick
            assert float(run.sim.state.chip.gpu_temp_max_c[0]) == temp_c
            assert float(run.sim.state.ledger.it_energy_j[0]) == energy_j
            assert [f.name for f in run.sim.active_faults()] == held["faults"]
            run.sim.advance(5)
            assert not run.sim.check()


def test_a_recording_of_another_model_says_so_instead_of_verifying() -> None:
    with Recording(FOLDER / "recording-2.twin") as file, \
            pytest.raises(SnapshotError, match="recorded by another version of the model"):
        verify(file)
