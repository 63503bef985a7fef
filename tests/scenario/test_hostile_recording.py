"""A recording with anything anywhere, its checksums right, is read and opened, or refused with one clear error."""

import io
import random
from pathlib import Path

import numpy as np
import pytest

from twin.errors import InputError
from twin.scenario import container
from twin.scenario.container import MAGIC, Chunk
from twin.scenario.open import open_run
from twin.scenario.recording import Recorder
from twin.scenario.replay import Recording
from twin.scenario.verify import verify
from twin.wiring import Command

S = 10**9
LEAVES = (None, True, -1, 0, 7, 2**31, 2**62, 2**63 - 1, -(2**63), 1e308, float("nan"), "", "x" * 5000, b"\0" * 9, b"",
          [], {}, [[]], {"a": 1}, "A1", "<f8", "<i8", "|O", "<U9")
WILD = (0, 1, -1, 2**31 - 1, -(2**31), 255, 7)
WILD_F = (0.0, -1.0, 1e300, -1e300, float("nan"), float("inf"), 1e99, -1e99, 1e-320, 5.0, 1e6)


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


def values_of(data: bytes) -> list[tuple[str, object]]:
    file = io.BytesIO(data)
    *found, _ = container.chunks(file, len(data))
    return [(c.tag, container.payload(file, c, where="test")) for c in found if isinstance(c, Chunk)]


def copied(value: object) -> object:
    """Return a copy of plain values."""
    if isinstance(value, dict):
        return {k: copied(v) for k, v in value.items()}
    return [copied(v) for v in value] if isinstance(value, list) else value


def _changed(value: object, draw: random.Random) -> object:
    """Change one leaf or branch of a value."""
    spots: list[tuple[object, object]] = []
    at = value
    while isinstance(at, dict | list) and len(at):
        key = draw.choice(list(at)) if isinstance(at, dict) else draw.randrange(len(at))
        spots.append((at, key))
        at = at[key]  # type: ignore[index,call-overload]
    if not spots:
        return copied(draw.choice(LEAVES))
    inner, key = draw.choice(spots) if draw.random() < 0.5 else spots[-1]
    old = inner[key]  # type: ignore[index]
    if draw.random() < 0.15:
        del inner[key]  # type: ignore[attr-defined]
    elif isinstance(old, bytes) and len(old) >= 8 and draw.random() < 0.8:
        kind = draw.choice(("<f8", "<i4", "<i8"))
        array = np.frombuffer(old[:len(old) // 8 * 8], dtype=kind).copy()
        spot = slice(None) if draw.random() < 0.3 else draw.randrange(array.size)
        array[spot] = draw.choice(WILD_F if kind == "<f8" else WILD)
        inner[key] = array.tobytes() + old[len(old) // 8 * 8:]  # type: ignore[index]
    else:
        inner[key] = copied(draw.choice(LEAVES))  # type: ignore[index]
    return value


def mutated(chunks: list[tuple[str, object]], draw: random.Random) -> bytes:
    """Return the file with a few values changed, chunks left out, repeated or exchanged, checksums right."""
    out = [(tag, copied(value)) for tag, value in chunks]
    for _ in range(draw.randint(1, 3)):
        what, i = draw.random(), draw.randrange(len(out))
        if what < 0.8:
            out[i] = (out[i][0], _changed(out[i][1], draw))
        elif what < 0.87:
            out[i] = (draw.choice(out)[0], out[i][1])
        elif what < 0.94:
            out.insert(draw.randrange(len(out)), out[i])
        elif len(out) > 1:
            del out[i]
    return b"".join([MAGIC, *(container.pack(tag, n, value) for n, (tag, value) in enumerate(out))])


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
