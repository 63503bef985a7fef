"""A recording gives every moment back, survives what happens to files, and finds what does not fit."""

import errno
import os
import random
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from twin.errors import InputError, SnapshotError
from twin.runtime.session import Session
from twin.scenario import container, recording
from twin.scenario.container import MAGIC, Chunk, Tail
from twin.scenario.open import open_run
from twin.scenario.recording import Recorder
from twin.scenario.replay import Recording
from twin.scenario.run import Run
from twin.scenario.timeline import Timeline
from twin.scenario.verify import verify
from twin.wiring import Command

S = 10**9
SETS = ["workload.generator.jobs_per_hour=200", "workload.generator.gpus=[1,4]"]


def act(run: Run, ticks: int) -> None:
    """Advance with a fault, a set-point and a command for later."""
    sim = run.sim
    begun = sim.tick
    kind = next(k for _, k in sim.registry.faults if k.name == "cdu_pump_trip")
    place = sim.site.names[kind.axis][0]
    sim.submit(Command("set", (sim.tick + 50) * S, "", "warm.supply_c", 30.0))
    sim.advance(ticks // 3)
    sim.submit(Command("fault", sim.now_ns, kind.name, place, None, 20 * S))
    sim.advance(begun + ticks - sim.tick)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[int, str]]:
    """Record 4,000 ticks of `small`; return the file and the digests of some moments."""
    path = tmp_path_factory.mktemp("recording") / "a.twin"
    run = open_run("small", sets=SETS)
    run.sim.advance(70)
    recorder = Recorder(run, path)
    digests = {run.sim.tick: run.sim.digest()}
    for _ in range(4):
        act(run, 1000)
        digests[run.sim.tick] = run.sim.digest()
    recorder.close()
    assert recorder.error is None
    return path, digests


def pieces(path: Path) -> tuple[bytes, list[tuple[Chunk, object]]]:
    """Return the bytes of a file and its chunks with their values."""
    data = path.read_bytes()
    with path.open("rb") as file:
        *found, _ = container.chunks(file, len(data))
        return data, [(c, container.payload(file, c, where="test")) for c in found if isinstance(c, Chunk)]


def rewrite(path: Path, source: Path, change: object) -> Path:
    """Copy a recording, each chunk's (tag, value) passed through ``change``; None leaves it out."""
    out, number = [MAGIC], 0
    for chunk, value in pieces(source)[1]:
        changed = change(chunk.tag, value)  # type: ignore[operator]
        if changed is not None:
            out.append(container.pack(changed[0], number, changed[1]))
            number += 1
    path.write_bytes(b"".join(out))
    return path


def test_a_recording_verifies(recorded: tuple[Path, dict[int, str]]) -> None:
    with Recording(recorded[0]) as file:
        assert (file.first_tick, file.last_tick, file.done, file.tail.kind) == (70, 4070, True, "whole")
        assert len(file.commands) == 8
        result = verify(file)
    assert result.divergence is None
    assert (result.ticks, result.keyframes, result.commands) == (4000, 3, 8)
    assert result.run.sim.digest() == recorded[1][4070]


def test_every_moment_opens_with_the_bits_of_the_moment_lived(recorded: tuple[Path, dict[int, str]]) -> None:
    path, digests = recorded
    with Recording(path) as file:
        for tick, digest in digests.items():
            run = file.open(tick * S)
            assert (run.sim.tick, run.sim.digest()) == (tick, digest)
        with pytest.raises(InputError, match="not within the recording"):
            file.open(5 * S)


def test_a_moment_opened_has_its_log_its_future_and_its_histories(recorded: tuple[Path, dict[int, str]]) -> None:
    lived = open_run("small", sets=SETS)
    lived.sim.advance(70)
    for _ in range(4):
        act(lived, 1000)
    again = open_run(str(recorded[0]))
    assert again.sim.log == lived.sim.log
    assert again.sim.given == lived.sim.given
    assert [e.text for e in again.sim.events] == [e.text for e in lived.sim.events]
    assert again.sim.histories is not None
    assert lived.sim.histories is not None
    for name in lived.sim.histories.names():
        for level in range(3):
            ends = (900, 8000, 50_000)[level] * S
            for a, b in zip(again.sim.histories.series(name, 0, 100, ends),
                            lived.sim.histories.series(name, 0, 100, ends), strict=True):
                assert np.array_equal(a, b)
    for run in (again, lived):
        act(run, 200)
    assert again.sim.digest() == lived.sim.digest()


def test_a_moment_opened_with_its_future_lives_it_again(recorded: tuple[Path, dict[int, str]]) -> None:
    path, digests = recorded
    run = open_run(str(path), at_ns=2000 * S)
    assert run.sim.tick == 2000
    run.sim.run_until(4070 * S)
    assert run.sim.digest() == digests[4070]
    assert open_run(str(path), at_ns=10**6 * S).sim.tick == 4070


@pytest.mark.parametrize("seed", range(30))
def test_a_file_cut_anywhere_is_readable_to_its_last_whole_chunk(
        recorded: tuple[Path, dict[int, str]], tmp_path: Path, seed: int) -> None:
    data, chunks = pieces(recorded[0])
    base = next(c.end for c, _ in chunks if c.tag == "BASE")
    cut = random.Random(seed).randrange(base, len(data)) if seed else base
    path = tmp_path / "cut.twin"
    path.write_bytes(data[:cut])
    with Recording(path) as file:
        assert file.tail.kind == ("whole" if any(c.end == cut for c, _ in chunks) else "torn")
        assert len(file.digests) == sum(c.tag == "DGST" and c.end <= cut for c, _ in chunks)
        assert len(file.commands) == sum(c.tag == "COMD" and c.end <= cut for c, _ in chunks)
        run = file.open()
        assert run.sim.tick == file.last_tick


@pytest.mark.parametrize("last", ["COMD", "DGST", "HIST", "KEYF", "DONE"])
def test_a_file_cut_at_every_byte_of_its_last_chunk_holds_all_before_it(
        recorded: tuple[Path, dict[int, str]], tmp_path: Path, last: str) -> None:
    data, chunks = pieces(recorded[0])
    n, chunk = next((n, c) for n, (c, _) in reversed(list(enumerate(chunks))) if c.tag == last)
    before = [c.tag for c, _ in chunks[:n]]
    path = tmp_path / "cut.twin"
    # Every byte of a header and of a small chunk; of a large one those around its ends and some between.
    cuts = set(range(chunk.offset, min(chunk.end, chunk.offset + 40))) | {chunk.end - 1}
    for cut in sorted(cuts | set(range(chunk.offset, chunk.end, max(1, chunk.stored // 8)))):
        path.write_bytes(data[:cut])
        with Recording(path) as file:
            assert (file.tail.kind, file.tail.offset) == ("whole" if cut == chunk.offset else "torn", chunk.offset)
            assert [len(file.digests), len(file.commands), len(file.keys), file.done] == [
                before.count("DGST"), before.count("COMD"), before.count("KEYF"), False]
    with Recording(path) as file:
        assert file.open().sim.tick == file.last_tick


@pytest.mark.parametrize("cut", [0, 5, 8, 30, 2000])
def test_a_file_cut_before_its_first_moment_is_one_clear_error(
        recorded: tuple[Path, dict[int, str]], tmp_path: Path, cut: int) -> None:
    path = tmp_path / "cut.twin"
    path.write_bytes(recorded[0].read_bytes()[:cut])
    with pytest.raises(SnapshotError):
        Recording(path)


@pytest.mark.parametrize("seed", range(40))
def test_a_flipped_bit_is_found_and_what_lies_before_it_is_read(
        recorded: tuple[Path, dict[int, str]], tmp_path: Path, seed: int) -> None:
    data = bytearray(recorded[0].read_bytes())
    at = random.Random(seed).randrange(len(data))
    data[at] ^= 1 << (seed % 8)
    path = tmp_path / "flipped.twin"
    path.write_bytes(bytes(data))
    try:
        with Recording(path) as file:
            assert file.tail.kind != "whole"
            assert file.tail.offset <= at
            assert file.open().sim.tick == file.last_tick
    except SnapshotError:
        assert at < next(c.end for c, _ in pieces(recorded[0])[1] if c.tag == "BASE")


@pytest.mark.parametrize("tag", ["HEAD", "STAT", "RING", "BASE", "DGST", "COMD", "HIST", "KEYF", "DONE"])
@pytest.mark.parametrize("inside", [0.0, 0.5, 1.0])
def test_a_flipped_bit_in_every_kind_of_section(
        recorded: tuple[Path, dict[int, str]], tmp_path: Path, tag: str, inside: float) -> None:
    """In its header, in the middle, in its last byte: read up to there, or refused when that is the first moment."""
    data, chunks = pieces(recorded[0])
    found = [c for c, _ in chunks if c.tag == tag]
    chunk = found[len(found) // 2]
    changed, at = bytearray(data), chunk.offset + int(inside * (chunk.end - chunk.offset - 1))
    changed[at] ^= 0x10
    path = tmp_path / "flipped.twin"
    path.write_bytes(bytes(changed))
    if tag in ("HEAD", "STAT", "RING", "BASE"):
        with pytest.raises(SnapshotError) as caught:
            Recording(path)
        assert "\n" not in str(caught.value)
        return
    with Recording(path) as file:
        torn = tag == "DONE" and at >= chunk.end - chunk.stored  # the last payload may be half of an old and a new page
        assert (file.tail.kind, file.tail.offset) == ("torn" if torn else "damaged", chunk.offset)
        assert file.last_tick == max(v[0] for c, v in chunks[:chunk.number] if c.tag in ("DGST", "COMD"))
        assert file.open().sim.tick == file.last_tick


def test_a_changed_keyframe_is_named_to_the_element(recorded: tuple[Path, dict[int, str]], tmp_path: Path) -> None:
    seen = []

    def change(tag: str, value: dict) -> tuple[str, object]:
        if tag == "KEYF":
            seen.append(value["tick"])
            if len(seen) == 2:
                entry = value["state"]["chip"]["gpu_temp_c"]
                array = np.frombuffer(entry[2], dtype="<f8").copy()
                array[17] += 1e-9
                entry[2] = array.tobytes()
        return tag, value
    with Recording(rewrite(tmp_path / "x.twin", recorded[0], change)) as file:
        found = verify(file).divergence
    assert found is not None
    assert (found.key_tick, found.blocks) == (seen[1], ())
    difference = found.difference
    assert difference is not None
    assert (difference.block, difference.column, difference.index, difference.count) == ("chip", "gpu_temp_c", 17, 1)
    assert difference.left == pytest.approx(difference.right + 1e-9, abs=1e-12)
    assert "A1" in str(found)


def test_a_run_that_differs_names_interval_block_column_element_and_values(
        recorded: tuple[Path, dict[int, str]], tmp_path: Path) -> None:
    """Another set-point than the recorded one: what differs first is the plant's, in the interval of the command."""
    def change(tag: str, value: list) -> tuple[str, object]:
        if tag == "COMD" and value[2]["kind"] == "set" and value[0] == 1070:
            value[2]["value"] = 30.5
        return tag, value
    with Recording(rewrite(tmp_path / "x.twin", recorded[0], change)) as file:
        found = verify(file).divergence
    assert found is not None
    assert found.after_tick <= 1120 <= found.tick
    assert found.tick - found.after_tick <= recording.DIGEST_TICKS
    assert "plant" in found.blocks
    assert found.key_tick == 1800
    assert found.difference is not None
    assert found.difference.left != found.difference.right


@pytest.mark.parametrize(("program", "says"), [
    ("0.0.9", r"another version of the program .*0\.0\.9"), ("", "model has probably")])
def test_a_run_of_other_physics_says_what_may_be_behind_it(
        recorded: tuple[Path, dict[int, str]], tmp_path: Path, program: str, says: str) -> None:
    """Every digest and keyframe is another, as after a change of the model."""
    def change(tag: str, value: object) -> tuple[str, object]:
        if tag == "DGST":
            value[2] = bytes(byte ^ 1 for byte in value[2])  # type: ignore[index]
        if tag == "HEAD" and program:
            value["program"] = program  # type: ignore[index]
        return tag, value
    with Recording(rewrite(tmp_path / "x.twin", recorded[0], change)) as file:
        found = verify(file)
    assert found.divergence is not None
    assert re.search(says, found.note)


def test_a_removed_command_is_found(recorded: tuple[Path, dict[int, str]], tmp_path: Path) -> None:
    taken = []

    def change(tag: str, value: list) -> tuple[str, object] | None:
        if tag == "COMD" and not taken:
            taken.append(value)
            return None
        return tag, value
    with Recording(rewrite(tmp_path / "x.twin", recorded[0], change)) as file:
        assert verify(file).divergence is not None


@pytest.mark.parametrize(("tag", "value"), [
    ("COMD", [10**15, 10**15, {"kind": "set", "at_ns": 0}]), ("COMD", [71, 71 * S]), ("COMD", "x"),
    ("COMD", [71, 71 * S, {"kind": "rm", "at_ns": 0}]), ("DGST", [71, 71 * S, b"short"]), ("DGST", [60, 60 * S, b""]),
    ("DGST", [2**63, 0, b""]), ("BACK", [10**9, 0, 10**9]), ("BACK", [71, 71 * S, -1]), ("KEYF", {}), ("KEYF", 7),
    ("HIST", [[b"", b""]]), ("DONE", {}), ("HEAD", {}), ("STAT", {}), ("ABCD", 1),
])
def test_a_chunk_that_lies_is_one_clear_error(recorded: tuple[Path, dict[int, str]], tmp_path: Path, tag: str,
                                              value: object) -> None:
    """A chunk in front of the stream's end says what cannot be: refused when read or, at the latest, when opened."""
    out, number = [MAGIC], 0
    for chunk, old in pieces(recorded[0])[1]:
        if chunk.tag == "KEYF" and tag in ("KEYF", "HIST"):
            out.append(container.pack(tag, number, value))
            number += 1
        elif chunk.tag == "COMD" and tag not in ("KEYF", "HIST"):
            out.append(container.pack(tag, number, value))
            break
        out.append(container.pack(chunk.tag, number, old))
        number += 1
    path = tmp_path / "x.twin"
    path.write_bytes(b"".join(out))
    with pytest.raises(SnapshotError) as caught, Recording(path) as file:
        file.open()
    assert "\n" not in str(caught.value)


def test_an_existing_file_is_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "a.twin"
    path.write_bytes(b"mine")
    with pytest.raises(InputError, match="the file exists"):
        Recorder(open_run("small"), path)
    assert path.read_bytes() == b"mine"
    assert os.listdir(tmp_path) == ["a.twin"]


def test_a_full_disk_ends_the_recording_once_and_the_run_goes_on(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = open_run("small")
    recorder = Recorder(run, tmp_path / "a.twin")
    room = 5000
    really = os.write

    def full(file: int, data: bytes) -> int:
        nonlocal room
        if room <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        done = really(file, bytes(data)[:room])
        room -= done
        return done
    monkeypatch.setattr(os, "write", full)
    act(run, 2000)
    monkeypatch.undo()
    assert run.sim.tick == 2000
    assert recorder.error is not None
    assert "No space left on device" in str(recorder.error)
    assert sum(e.kind == "recording" for e in run.sim.events) == 1
    recorder.close()
    with Recording(tmp_path / "a.twin") as file:
        assert file.tail.kind == "whole"
        assert not file.done
        assert file.digests
        assert verify(file).divergence is None


def test_an_accepted_command_is_in_the_file_before_send_returns(tmp_path: Path) -> None:
    run = open_run("small")
    recorder = Recorder(run, tmp_path / "a.twin")
    session = Session(run, speed=600.0, endless=True)
    session.start()
    try:
        for i in range(20):
            session.send(Command("set", 0, "", "warm.supply_c", 28.0 + i % 5))
            with Recording(tmp_path / "a.twin") as file:
                assert len(file.commands) == i + 1
                assert file.commands[-1].command.value == 28.0 + i % 5
    finally:
        session.close()
        recorder.close()
    with Recording(tmp_path / "a.twin") as file:
        assert verify(file).divergence is None
        assert file.last_tick == run.sim.tick


def test_what_was_given_up_is_not_in_the_recording(tmp_path: Path) -> None:
    run = open_run("small")
    recorder = Recorder(run, tmp_path / "a.twin")
    timeline = Timeline(run, spacing=100)

    def advance(ticks: int) -> None:
        for _ in range(ticks):
            timeline.advance()
    advance(500)
    run.sim.submit(Command("set", 0, "", "warm.supply_c", 30.0))
    advance(300)
    timeline.seek(650 * S)     # back, and forward again: nothing new
    advance(200)
    run.sim.submit(Command("set", 0, "", "warm.supply_c", 34.0))
    advance(1200)
    timeline.seek(610 * S)
    assert timeline.truncate() > 0
    run.sim.submit(Command("set", 0, "", "warm.supply_c", 29.0))
    advance(1400)
    recorder.close()
    with Recording(tmp_path / "a.twin") as file:
        assert [g.command.value for g in file.commands] == [30.0, 29.0]
        result = verify(file)
        assert result.divergence is None
        assert result.run.sim.digest() == run.sim.digest()
        again = file.open()
    assert again.sim.digest() == run.sim.digest()
    assert again.sim.log == run.sim.log
    plain = open_run("small")
    plain.sim.advance(500)
    plain.sim.submit(Command("set", 0, "", "warm.supply_c", 30.0))
    plain.sim.advance(110)
    plain.sim.submit(Command("set", 0, "", "warm.supply_c", 29.0))
    plain.sim.advance(1400)
    assert plain.sim.digest() == run.sim.digest()


def test_the_file_reaches_the_disk_within_a_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = []
    really = os.fsync
    monkeypatch.setattr(os, "fsync", lambda file: (synced.append(os.fstat(file).st_size), really(file)))
    run = open_run("small")
    recorder = Recorder(run, tmp_path / "a.twin")
    run.sim.advance(60)
    run.sim.submit(Command("set", 0, "", "warm.supply_c", 30.0))
    size = (tmp_path / "a.twin").stat().st_size
    begun = time.monotonic()
    while (not synced or synced[-1] < size) and time.monotonic() - begun < 20:
        time.sleep(0.01)
    assert synced[-1] >= size
    recorder.close()
    assert recording.SYNC_S < 1.0


def _killed(runs: int, seed: int, folder: Path) -> str:
    out = subprocess.run([sys.executable, "-m", "tests.scenario.killed_runs", str(runs), str(seed), str(folder)],
                         capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    assert out.returncode == 0, out.stderr
    return out.stdout


def test_killed_runs_lose_no_accepted_command(tmp_path: Path) -> None:
    assert _killed(4, 1, tmp_path).startswith("4 runs killed")


@pytest.mark.slow
def test_two_hundred_killed_runs_lose_no_accepted_command(tmp_path: Path) -> None:
    assert _killed(200, 1000, tmp_path).startswith("200 runs killed")


def test_tails_are_told(recorded: tuple[Path, dict[int, str]]) -> None:
    assert str(Tail("torn", 1234, 5)) == "the last chunk was not finished at byte 1,234; 5 bytes are not used"
