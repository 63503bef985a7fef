"""Whatever a ``.twin`` file holds, loading it ends in a run that runs or in one clear InputError."""

import hashlib
import random
import zlib

import msgpack
import numpy as np
import pytest

from twin.errors import InputError, SnapshotError
from twin.scenario import document as document_module
from twin.scenario import snapshot
from twin.scenario.open import open_run
from twin.state.state import ALL_BLOCKS


@pytest.fixture(scope="module")
def saved() -> bytes:
    run = open_run("small", sets=["workload.generator.jobs_per_hour=200", "workload.generator.gpus=[1,4]"])
    run.sim.advance(120)
    return snapshot.to_bytes(run)


def opened(data: bytes) -> dict:
    """Return the document inside a snapshot, to be changed."""
    return snapshot.read_document(data, where="test")


def _signed(document: dict) -> bytes:
    """Pack a document with the digest that its state really has: only the content can give it away."""
    total = hashlib.blake2b(digest_size=16)
    for block in ALL_BLOCKS:
        for col in block.columns:
            dtype, size, data = document["state"][block.block_name][col.name]
            total.update(f"{block.block_name}.{col.name}:{dtype}:{size};".encode())
            total.update(data)
    return snapshot.pack({**document, "digest": total.hexdigest()})


def _put(document: dict, path: str, at: int, value: float) -> bytes:
    block, name = path.split(".")
    entry = document["state"][block][name]
    array = np.frombuffer(entry[2], dtype=entry[0]).copy()
    array[at] = value
    entry[2] = array.tobytes()
    return _signed(document)


@pytest.mark.parametrize(("path", "value"), [
    ("workload.gpu_job", 10**6), ("workload.gpu_job", -2), ("workload.gpu_job", 2**31 - 1),
    ("workload.job_state", 7), ("workload.job_state", -1), ("workload.node_free", 10**6),
    ("workload.job_gpus", -4), ("workload.gpus_allocated", 1), ("workload.job_backlog_tokens", float("nan")),
    ("chip.gpu_temp_c", float("nan")), ("chip.gpu_temp_c", -300.0), ("chip.gpu_temp_c", 1e300),
    ("power.ups_mode", 9), ("air.cell_temp_c", float("inf")), ("faults.slot_kind", 10**6),
    ("clock.now_ns", -5), ("workload.placement_version", 2**63 - 1),
    ("clock.now_ns", 2**63 - 1), ("alarms.point_active", 2), ("compute.gpu_on", 3),
])
def test_a_state_that_no_run_has_is_refused_although_its_digest_fits(saved: bytes, path: str, value: float) -> None:
    with pytest.raises(SnapshotError, match="not one of this site"):
        snapshot.from_bytes(_put(opened(saved), path, 0, value))


@pytest.mark.parametrize("size", [None, True, 1.5, "176", -1, []])
def test_a_size_that_is_no_number_of_elements_is_refused(saved: bytes, size: object) -> None:
    document = opened(saved)
    document["state"]["network"]["link_load_bytes_s"][1] = size
    with pytest.raises(SnapshotError, match="does not fit this site"):
        snapshot.from_bytes(_signed(document))


def test_a_fault_slot_beyond_its_axis_is_refused(saved: bytes) -> None:
    document = opened(saved)
    _put(document, "faults.slot_kind", 0, 0)
    with pytest.raises(SnapshotError, match="slot_element"):
        snapshot.from_bytes(_put(document, "faults.slot_element", 0, 10**6))


def test_a_specification_larger_than_the_state_is_refused_before_it_is_built(
        saved: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    document = opened(saved)
    document["spec"]["hall"][0]["row"][0]["racks"] = 1000
    monkeypatch.setattr(document_module, "build_run", lambda *_, **__: pytest.fail("the site was built"))
    with pytest.raises(SnapshotError, match="does not fit this site"):
        snapshot.from_bytes(snapshot.pack(document))


def test_a_pending_command_that_names_nothing_or_is_no_number_is_refused(saved: bytes) -> None:
    document = opened(saved)
    for name, target, value in (("nothing", "A1", None), ("", "warm.supply_c", float("nan"))):
        kind = "fault" if name else "set"
        document["pending"] = [{"kind": kind, "at_ns": 1, "name": name, "target": target, "value": value,
                                "duration_ns": 0}]
        with pytest.raises(SnapshotError, match="command inside is not valid"):
            snapshot.from_bytes(snapshot.pack(document))


def test_text_that_could_steer_a_terminal_is_refused(saved: bytes) -> None:
    document = opened(saved)
    document["events"] = [[1, "info", "fault", "A1", "\x1b]0;title\x07", {}]]
    with pytest.raises(SnapshotError, match="control characters"):
        snapshot.from_bytes(snapshot.pack(document))


WILD = (0, 1, -1, 2**31 - 1, -(2**31), 2**63 - 1, 255, 7)
WILD_F = (0.0, -1.0, 1e300, -1e300, float("nan"), float("inf"), 1e99, -1e99, 1e-320, 5.0, 1e6)
LEAVES = (None, True, -1, 2**63, 1e308, float("nan"), "", "x" * 5000, b"\0" * 9, [], {}, [[]], {"a": 1})


def _mutated_state(document: dict, draw: random.Random) -> bytes:
    for _ in range(draw.randint(1, 6)):
        block = draw.choice(list(document["state"].values()))
        entry = block[draw.choice(list(block))]
        array = np.frombuffer(entry[2], dtype=entry[0]).copy()
        if not array.size:
            continue
        wild = WILD_F if array.dtype.kind == "f" else [v for v in WILD if abs(v) < 2**31 or array.itemsize == 8]
        span = slice(None) if draw.random() < 0.3 else draw.randrange(array.size)
        array[span] = draw.choice(wild)
        entry[2] = array.tobytes()
    return _signed(document)


def _old_file(document: dict) -> bytes:
    """Pack a document as version 1 did: one map, whatever it holds."""
    old = {"format": "twin-snapshot", "version": 1, "events": [e[:5] for e in document["events"]]}
    return msgpack.packb({**document, **old})


def _mutated_tree(document: dict, draw: random.Random) -> bytes:
    document = msgpack.unpackb(_old_file(document))
    at: object = document
    while True:
        keys = list(at) if isinstance(at, dict) else list(range(len(at))) if isinstance(at, list) else []
        inner = [k for k in keys if isinstance(at[k], dict | list) and len(at[k])]  # type: ignore[index]
        if not inner or draw.random() < 0.25:
            break
        at = at[draw.choice(inner)]  # type: ignore[index]
    if keys:
        key = draw.choice(keys)
        if draw.random() < 0.3:
            del at[key]  # type: ignore[attr-defined]
        else:
            at[key] = draw.choice(LEAVES)  # type: ignore[index]
    return msgpack.packb(document)


def _mutated_bytes(document: dict, draw: random.Random) -> bytes:
    """Change bytes of a file of version 1, which has no checksums that would tell at once."""
    out = bytearray(_old_file(document))
    for _ in range(draw.randint(1, 8)):
        out[draw.randrange(min(len(out), 20_000))] = draw.randrange(256)
    return bytes(out)


@pytest.mark.parametrize("seed", range(120))
def test_a_mutated_snapshot_is_refused_or_runs(saved: bytes, seed: int) -> None:
    draw = random.Random(seed)
    kind = seed % 3
    document = opened(saved)
    data = (_mutated_state(document, draw) if kind == 0 else _mutated_tree(document, draw) if kind == 1
            else _mutated_bytes(document, draw))
    try:
        run = snapshot.from_bytes(data)
    except InputError:
        return
    run.sim.advance(3)
    run.sim.kpi()
    run.sim.check()


@pytest.mark.parametrize("inputs", [
    {"a.epw": b"x"}, {"a.epw": zlib.compress(b"abc")[:-4]}, {"..": zlib.compress(b"abc")}, {"a\n": zlib.compress(b"")},
    {f"{n}.epw": zlib.compress(bytes(24 << 20), 1) for n in range(3)}, {"a/b": zlib.compress(b"")}, {"a": 1},
])
def test_input_files_inside_that_are_damaged_too_large_or_misnamed_are_refused(saved: bytes, inputs: dict) -> None:
    document = opened(saved)
    document["inputs"] = inputs
    with pytest.raises(SnapshotError, match="input file"):
        snapshot.from_bytes(snapshot.pack(document))


@pytest.mark.parametrize("rows", [
    {"alarms": 7}, {"alarms": [[[], "cdu"]]}, {"alarms": [["a", []]]}, {"faults": [1]}, {"faults": "x"}, {"other": []},
])
def test_names_of_rows_that_are_no_names_are_refused(saved: bytes, rows: dict) -> None:
    document = opened(saved)
    document["rows"] = {**document["rows"], **rows}
    with pytest.raises(SnapshotError, match="names of rows"):
        snapshot.from_bytes(snapshot.pack(document))
