"""docs/format.md is enough: a reader written from that page alone gets everything out of a recording and a snapshot.

Nothing of the project takes part in the reading: struct, zlib, hashlib, MessagePack, Zstandard, numpy for arrays, and
XXH64 from its published specification.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from typing import Any

import msgpack
import numpy as np
import pytest
import zstandard

from twin.scenario import snapshot
from twin.scenario.open import open_run
from twin.scenario.recording import Recorder
from twin.scenario.run import Run
from twin.wiring import Command

S = 10**9

# ---- the reader, from the page -----------------------------------------------------------------------------------

#: "Histories": width, s, and length of each level
LEVELS = ((1, 900), (10, 720), (60, 1440), (900, 2880))


def chunks(data: bytes) -> list[tuple[str, Any]]:
    """Return (tag, value) of every whole chunk."""
    assert data[:8] == b"\x89TWIN\r\n\x1a"
    at, out = 8, []
    while at + 28 <= len(data):
        tag, codec, zeros, number, stored, plain, crc, own = struct.unpack_from("<4sB3sIIIII", data, at)
        payload = data[at + 28:at + 28 + stored]
        if zlib.crc32(data[at:at + 24]) != own or len(payload) < stored or zlib.crc32(payload) != crc:
            break
        assert (zeros, number) == (b"\0\0\0", len(out))
        if codec == 1:
            payload = zstandard.ZstdDecompressor().decompress(payload)
        assert len(payload) == plain
        out.append((tag.decode(), msgpack.unpackb(payload)))
        at += 28 + stored
    return out


def document_digest(state: dict[str, dict[str, list[Any]]]) -> str:
    """Return the digest of ``STAT``."""
    total = hashlib.blake2b(digest_size=16)
    for block, columns in state.items():
        for column, (kind, count, data) in columns.items():
            total.update(f"{block}.{column}:{kind}:{count};".encode() + data)
    return total.hexdigest()


def column(entry: list[Any]) -> np.ndarray[Any, Any]:
    """Return a column of ``STAT`` or of a keyframe."""
    values = np.frombuffer(entry[2], dtype=entry[0])
    if len(entry) == 4:
        starts = np.frombuffer(entry[3], dtype="<i4")
        values = np.repeat(values, np.diff(starts, append=entry[1]))
    assert values.size == entry[1]
    return values


def xxh64(data: bytes, seed: int) -> int:
    """Return XXH64 after its specification, section "XXH64 algorithm description"."""
    mask = 2**64 - 1
    p1, p2, p3 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9
    p4, p5 = 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5

    def rotl(x: int, r: int) -> int:
        return (x << r | x >> (64 - r)) & mask

    def turn(acc: int, lane: int) -> int:
        return rotl((acc + lane * p2) & mask, 31) * p1 & mask

    stripes = len(data) // 32
    if stripes:
        acc = [(seed + p1 + p2) & mask, (seed + p2) & mask, seed, (seed - p1) & mask]
        for lanes in struct.iter_unpack("<4Q", data[:32 * stripes]):
            acc = [turn(a, lane) for a, lane in zip(acc, lanes, strict=True)]
        out = sum(rotl(a, r) for a, r in zip(acc, (1, 7, 12, 18), strict=True)) & mask
        for a in acc:
            out = ((out ^ turn(0, a)) * p1 + p4) & mask
    else:
        out = (seed + p5) & mask
    out = (out + len(data)) & mask
    rest = data[32 * stripes:]
    words = len(rest) // 8
    for (lane,) in struct.iter_unpack("<Q", rest[:8 * words]):
        out = (rotl(out ^ turn(0, lane), 27) * p1 + p4) & mask
    rest = rest[8 * words:]
    if len(rest) >= 4:
        out = (rotl(out ^ (struct.unpack_from("<I", rest)[0] * p1 & mask), 23) * p2 + p3) & mask
        rest = rest[4:]
    for byte in rest:
        out = rotl(out ^ (byte * p5 & mask), 11) * p1 & mask
    out = ((out ^ out >> 33) * p2) & mask
    out = ((out ^ out >> 29) * p3) & mask
    return out ^ out >> 32


def block_digests(state: dict[str, dict[str, list[Any]]], blocks: list[str]) -> bytes:
    """Return what a ``DGST`` of this state holds."""
    out = []
    for block in blocks:
        digest = 0
        for entry in state[block].values():
            digest = xxh64(column(entry).tobytes(), digest)
        out.append(struct.pack("<Q", digest))
    return b"".join(out)


def ring(parts: dict[str, bytes], series: int, level: int) -> dict[int, tuple[float, float, float]]:
    """Return number of a bucket -> minimum, mean, maximum of one series of one level."""
    begin, length = sum(n for _, n in LEVELS[:level]), LEVELS[level][1]
    slots = sum(n for _, n in LEVELS)
    bucket = np.frombuffer(parts["bucket"], "<i8")[begin:begin + length]
    weight = np.frombuffer(parts["weight"], "<f8")[begin:begin + length]
    lo, hi, total = (np.frombuffer(parts[key], "<f8")[series * slots + begin:][:length]
                     for key in ("lo", "hi", "total"))
    return {int(n): (lo[i], total[i] / weight[i], hi[i]) for i, n in enumerate(bucket) if n >= 0}


def full(value: list[list[bytes]], series: int, level: int) -> dict[int, tuple[float, float, float]]:
    """Return the same of the buckets in a ``HIST``."""
    numbers, weight, *parts = (np.frombuffer(part, kind)
                               for part, kind in zip(value[level], ("<i8", *["<f8"] * 4), strict=True))
    if not numbers.size:
        return {}
    lo, hi, total = (part.reshape(-1, numbers.size)[series] for part in parts)
    return {int(n): (lo[i], total[i] / weight[i], hi[i]) for i, n in enumerate(numbers)}


# ---- what it reads is what was lived -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, Run, list[bytes]]:
    """Return a recording of 2,000 ticks, the run at its end, and a column at the ticks of the keyframes."""
    path = tmp_path_factory.mktemp("format") / "a.twin"
    run = open_run("small")
    run.sim.advance(25)
    recorder = Recorder(run, path)
    temps = []
    for tick in (40, 1800, 2000):
        run.sim.advance(tick - run.sim.tick)
        temps.append(run.sim.state.chip.gpu_temp_c.tobytes())
        if tick == 40:
            run.sim.submit(Command("set", 0, "", "warm.supply_c", 30.0))
    recorder.close()
    return path.read_bytes(), run, temps[1:]


def test_the_document_and_its_digest(recorded: tuple[bytes, Run, list[bytes]]) -> None:
    found = chunks(recorded[0])
    tags = [tag for tag, _ in found]
    head, state, base = found[0][1], dict(found)["STAT"], dict(found)["BASE"]
    assert (tags[0], tags[-1]) == ("HEAD", "DONE")
    assert (head["format"], head["version"], head["kind"], head["seed"]) == ("twin", 2, "recording", 7)
    assert head["spec"]["scenario"]["tick"] == S
    assert head["catalog"]["racks"]["gb200-nvl72"]["tdp_w"].keys() == {"v", "s", "g", "n"}
    assert document_digest(state) == base["digest"]
    assert column(state["clock"]["tick"])[0] == 25
    saved = chunks(snapshot.to_bytes(recorded[1]))
    assert document_digest(dict(saved)["STAT"]) == dict(saved)["BASE"]["digest"] == recorded[1].sim.digest()


def test_the_stream_commands_digests_and_keyframes(recorded: tuple[bytes, Run, list[bytes]]) -> None:
    found = chunks(recorded[0])
    stream = found[0][1]["stream"]
    commands = [value for tag, value in found if tag == "COMD"]
    assert [(tick, now, command["target"], command["value"]) for tick, now, command in commands] == [
        (40, 40 * S, "warm.supply_c", 30.0)]
    digests = {value[0]: value[2] for tag, value in found if tag == "DGST"}
    assert [tick for tick in digests if tick % stream["digest_ticks"] == 0] == list(range(60, 2000, 60))
    keys = [value for tag, value in found if tag == "KEYF"]
    assert [key["tick"] for key in keys] == [1800, 2000]
    for key, temps in zip(keys, recorded[2], strict=True):
        assert block_digests(key["state"], stream["blocks"]) == digests[key["tick"]]
        assert column(key["state"]["chip"]["gpu_temp_c"]).tobytes() == temps
    start, applied = keys[0]["applied"]
    assert (start, [item[1]["target"] for item in applied], keys[0]["log"]) == (0, ["warm.supply_c"], 1)


def test_the_histories(recorded: tuple[bytes, Run, list[bytes]]) -> None:
    found, sim = chunks(recorded[0]), recorded[1].sim
    series = [name for name, _ in found[0][1]["rows"]["series"]].index("power.it_w")
    # Each column of the list has as many series as its axis has elements; those before this one are counted here.
    state = dict(found)["STAT"]
    before = sum(state[name.split(".")[0]][name.split(".")[1]][1]
                 for name, _ in found[0][1]["rows"]["series"][:series])
    saved = dict(chunks(snapshot.to_bytes(recorded[1])))["RING"]
    assert sim.histories is not None
    for level, (width_s, _) in enumerate(LEVELS):
        told = dict(ring(dict(found)["RING"], before, level))
        for tag, value in found:
            if tag == "HIST":
                told |= full(value, before, level)
        now = ring(saved, before, level)
        assert {n: told[n] for n in now if n < max(now)} == {n: now[n] for n in now if n < max(now)}
        assert max(now) == (sim.now_ns - 1) // (width_s * S)
    time_s, low, mean, high = sim.history("power.it_w", points=900)
    level = next(i for i, (width_s, _) in enumerate(LEVELS) if 900 * width_s * S >= sim.now_ns)
    now = ring(saved, before, level)
    assert [now[int(t / LEVELS[level][0])] for t in time_s] == list(zip(low, mean, high, strict=True))
