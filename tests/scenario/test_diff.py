"""What differs between two files is named to the key, the command, the interval and the element."""

from pathlib import Path

import numpy as np
import pytest

from twin.scenario import snapshot
from twin.scenario.diff import diff
from twin.scenario.open import open_run
from twin.scenario.recording import Recorder
from twin.wiring import Command

S = 10**9


def record(path: Path, value: float | None, *, ticks: int = 2000, sets: tuple[str, ...] = ()) -> None:
    run = open_run("small", sets=list(sets))
    recorder = Recorder(run, path)
    run.sim.advance(300)
    if value is not None:
        run.sim.submit(Command("set", 0, "", "warm.supply_c", value))
    snapshot.save(run, path.with_suffix(".300.twin"))
    run.sim.advance(ticks - 300)
    recorder.close()


def test_a_thing_is_the_same_as_itself(tmp_path: Path) -> None:
    record(tmp_path / "a.twin", 30.0)
    record(tmp_path / "b.twin", 30.0)
    assert diff("small", "small") == []
    assert diff(str(tmp_path / "a.twin"), str(tmp_path / "b.twin")) == []
    assert diff(str(tmp_path / "a.300.twin"), str(tmp_path / "b.300.twin")) == []
    assert diff(str(tmp_path / "a.300.twin"), str(tmp_path / "b.twin")) == []
    assert diff(str(tmp_path / "a.twin"), "small") == []


def test_specifications_differ_key_by_key(tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text('extends = "small"\n[scenario]\nseed = 99\n')
    found = {(i.section, i.where): (i.left, i.right) for i in diff("small", str(other))}
    assert found["spec", "scenario.seed"] == (7, 99)
    assert found["run", "seed"] == (7, 99)
    sections = {i.section for i in diff("small", "demo")}
    assert sections >= {"spec", "catalog"}


def test_recordings_differ_from_a_command_on(tmp_path: Path) -> None:
    record(tmp_path / "a.twin", 30.0)
    record(tmp_path / "b.twin", 33.0)
    items = diff(str(tmp_path / "a.twin"), str(tmp_path / "b.twin"))
    commands = next(i for i in items if i.section == "commands")
    assert "30.0" in commands.left
    assert "33.0" in commands.right
    digests = next(i for i in items if i.section == "digests")
    assert digests.where == "between ticks 300 and 360"
    assert "plant" in digests.note
    state = [i for i in items if i.section == "state"]
    assert any(i.where.startswith("plant.loop_setpoint_c[warm]") and (i.left, i.right) == (30.0, 33.0) for i in state)
    assert all("keyframe at tick 1,800" in i.note for i in state)


def test_a_shorter_recording_is_another_one(tmp_path: Path) -> None:
    record(tmp_path / "a.twin", None)
    record(tmp_path / "b.twin", None, ticks=1900)
    items = diff(str(tmp_path / "a.twin"), str(tmp_path / "b.twin"))
    assert [(i.section, i.where, i.left, i.right) for i in items] == [("run", "last tick", 2000, 1900)]


def test_snapshots_differ_to_the_element(tmp_path: Path) -> None:
    run = open_run("small")
    run.sim.advance(100)
    snapshot.save(run, tmp_path / "a.twin")
    run.sim.state.chip.gpu_temp_c[[5, 9]] += np.array([0.5, 1.0])
    snapshot.save(run, tmp_path / "b.twin")
    (item,) = diff(str(tmp_path / "a.twin"), str(tmp_path / "b.twin"))
    assert item.where == f"chip.gpu_temp_c[{run.sim.site.names['gpu'][5]}]"
    assert item.right == item.left + 0.5
    assert item.note == "2 elements differ"


@pytest.mark.parametrize("sets", [("hall.A.row.1.racks=3",)])
def test_sites_of_other_sizes_are_told_apart(tmp_path: Path, sets: tuple[str, ...]) -> None:
    record(tmp_path / "a.twin", None)
    record(tmp_path / "b.twin", None, sets=sets)
    items = diff(str(tmp_path / "a.300.twin"), str(tmp_path / "b.300.twin"))
    assert ("spec", "hall.A.row.1.racks") in {(i.section, i.where) for i in items}
    assert any(i.section == "state" and i.left != i.right and " of float64" in str(i.left) for i in items)
    assert diff(str(tmp_path / "a.twin"), str(tmp_path / "b.twin"))
