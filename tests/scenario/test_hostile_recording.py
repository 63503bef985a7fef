"""A recording with anything anywhere, its checksums right, is read and opened, or refused with one clear error."""

import random
from pathlib import Path

import pytest

from tests.fuzz.twinfile import mutated, values_of
from twin.errors import InputError
from twin.scenario.open import open_run
from twin.scenario.recording import Recorder
from twin.scenario.replay import Recording
from twin.scenario.verify import verify
from twin.wiring import Command

S = 10**9

@pytest.fixture(scope="module")
def chunks(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, object]]:
    """Return the chunks of a short recording with commands, keyframes and a future that was given up."""
    path = tmp_path_factory.mktemp("hostile") / "a.twin"
    run = open_run("small", sets=["workload.generator.jobs_per_hour=200", "workload.generator.gpus=[1,4]"])
    recorder = Recorder(run, path)
    run.sim.advance(70)
    run.sim.submit(Command("set", 0, "", "warm.supply_c", 30.0))
    run.sim.submit(Command("set", 10**15, "", "warm.supply_c", 31.0))
    run.sim.advance(20)
    run.sim.truncate()
    run.sim.advance(40)
    recorder.close()
    return values_of(path.read_bytes())


def attempt(path: Path) -> None:
    """Read, open at the end and in the middle, go on; verify."""
    with Recording(path) as recording:
        for at_ns in (None, (recording.first_ns + recording.last_ns) // 2):
            run = recording.open(at_ns)
            run.sim.advance(3)
            run.sim.check()
        verify(recording)


@pytest.mark.parametrize("seed", range(80))
def test_a_mutated_recording_is_refused_or_runs(chunks: list[tuple[str, object]], tmp_path: Path, seed: int) -> None:
    path = tmp_path / "x.twin"
    path.write_bytes(mutated(chunks, random.Random(seed)))
    try:
        attempt(path)
    except InputError as error:
        line = str(error)
    else:
        line = ""
    assert "\n" not in line
