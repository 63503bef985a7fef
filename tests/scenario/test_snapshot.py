"""Snapshots hold everything, survive nothing hostile, and lose nothing."""

import errno
import os
from pathlib import Path

import msgpack
import numpy as np
import pytest

from twin.errors import InputError, SnapshotError
from twin.scenario import document, snapshot
from twin.scenario.open import open_run
from twin.wiring import Command

S = 10**9


@pytest.fixture(scope="module")
def saved() -> bytes:
    run = open_run("small")
    run.sim.advance(10)
    return snapshot.to_bytes(run)


def opened(data: bytes) -> dict:
    """Return the document inside a snapshot, to be changed."""
    return snapshot.read_document(data, where="test")


@pytest.mark.parametrize("name", ["small", "demo", "frontier", "trace"])
def test_run_equals_save_load_run(name: str, tmp_path: Path) -> None:
    whole, part = open_run(name), open_run(name)
    total, cut = (500, 100) if name in ("small", "demo") else (60, 20)
    whole.sim.advance(total)
    part.sim.advance(cut)
    snapshot.save(part, tmp_path / "a.twin")
    again = snapshot.load(tmp_path / "a.twin")
    assert again.sim.digest() == part.sim.digest()
    again.sim.advance(total - cut)
    assert again.sim.digest() == whole.sim.digest()
    assert again.sim.kpi() == whole.sim.kpi()


def test_pending_commands_active_faults_and_histories_are_saved() -> None:
    run = open_run("small")
    kind = next(k for _, k in run.sim.registry.faults if k.name == "cdu_pump_trip")
    place = run.sim.site.names[kind.axis][0]
    run.sim.submit(Command("fault", 5 * S, kind.name, place, None, 20 * S))
    run.sim.submit(Command("fault", 40 * S, kind.name, place, None, 5 * S))
    run.sim.advance(10)
    again = snapshot.from_bytes(snapshot.to_bytes(run))
    assert [f.name for f in again.sim.active_faults()] == [kind.name]
    assert len(again.sim.pending) == 1
    assert again.sim.log == run.sim.log
    assert again.sim.histories is not None
    assert run.sim.histories is not None
    for key, array in run.sim.histories.save().items():
        assert np.array_equal(array, again.sim.histories.save()[key])
    for sim in (run.sim, again.sim):
        sim.advance(60)
    assert run.sim.digest() == again.sim.digest()


@pytest.mark.parametrize("cut", [0, 1, 10, 1000, -1])
def test_a_truncated_file_is_one_clear_error(saved: bytes, cut: int) -> None:
    with pytest.raises(SnapshotError, match="damaged or not a snapshot"):
        snapshot.from_bytes(saved[:cut])


def test_a_flipped_bit_in_the_state_is_found(saved: bytes) -> None:
    document = opened(saved)
    entry = document["state"]["chip"]["gpu_temp_c"]
    data = bytearray(entry[2])
    data[3] ^= 1
    entry[2] = bytes(data)
    with pytest.raises(SnapshotError, match="digest"):
        snapshot.from_bytes(snapshot.pack(document))


def _change(document: dict, path: str, value: object) -> bytes:
    *head, last = path.split("/")
    at = document
    for key in head:
        at = at[key]
    at[last] = value
    return snapshot.pack(document)


@pytest.mark.parametrize(("path", "value", "says"), [
    ("format", "elf", "not a snapshot"),
    ("version", 99, "version"),
    ("version", "1", "version"),
    ("spec", [], "'spec' is missing or of the wrong type"),
    ("spec/hall", "x", "specification inside is not valid"),
    ("spec/bomb", 1, "specification inside is not valid"),
    ("seed", "7", "'seed'"),
    ("state/chip/gpu_temp_c", ["<f8", 10**15, b""], "does not fit this site"),
    ("state/chip/gpu_temp_c", ["|O", 1, b"x"], "does not fit this site"),
    ("state/chip/gpu_temp_c", None, "column is missing"),
    ("state/chip", 7, "column is missing"),
    ("inputs", {"../../etc/passwd": b"x"}, "no valid name"),
    ("inputs", {"a.epw": b"not packed"}, "damaged"),
    ("pending", [{"kind": "rm -rf"}], "command inside is not valid"),
    ("log", [["x", 1]], "command log inside is not valid"),
    ("events", [[1, "loud", "a", "b", "c", {}]], "severity"),
    ("history", {"lo": b""}, "history"),
    ("digest", "0" * 32, "digest"),
])
def test_a_hostile_file_is_one_clear_error(saved: bytes, path: str, value: object, says: str) -> None:
    with pytest.raises(SnapshotError, match=says):
        snapshot.from_bytes(_change(opened(saved), path, value))


def test_an_input_that_unpacks_to_too_much_is_refused(saved: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    import zlib

    monkeypatch.setattr(document, "INPUT_LIMIT", 1000)
    bomb = zlib.compress(bytes(100_000))
    with pytest.raises(SnapshotError, match="too large"):
        snapshot.from_bytes(_change(opened(saved), "inputs", {"a.epw": bomb}))


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\x91" * 3000 + b"\xc0", b"\xdf\xff\xff\xff\xff",
                                  b"\xc6\xff\xff\xff\xff", b"\xdd\xff\xff\xff\xff",
                                  msgpack.packb([1, 2]), msgpack.packb({1: 2}),
                                  msgpack.packb(msgpack.ExtType(1, b"x"))])
def test_bytes_that_are_no_snapshot_are_refused(data: bytes) -> None:
    with pytest.raises(SnapshotError):
        snapshot.from_bytes(data)


def test_an_oversized_file_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "FILE_LIMIT", 100)
    path = tmp_path / "big.twin"
    path.write_bytes(bytes(200))
    with pytest.raises(SnapshotError, match="at most 100"):
        snapshot.load(path)


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "keep.twin"
    path.write_bytes(b"old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="No space left on device"):
        snapshot.save(open_run("small"), path)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["keep.twin"]


def test_a_missing_file_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match="cannot read"):
        snapshot.load(tmp_path / "none.twin")


def test_set_and_seed_on_a_snapshot_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a saved moment"):
        open_run(str(tmp_path / "x.twin"), sets=["scenario.seed=3"])
    with pytest.raises(InputError, match="not a saved moment"):
        open_run(str(tmp_path / "x.twin"), seed=3)
