"""Every first input and every input that once did what it must not: read, or refused with one clear error."""

import random
from pathlib import Path

import pytest

from tests.fuzz.guard import judged
from tests.fuzz.targets import CORPUS, TARGETS

KEPT = sorted(CORPUS.glob("*/*"))


@pytest.mark.parametrize("path", KEPT, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_a_kept_input_is_read_or_refused(path: Path, tmp_path: Path) -> None:
    target = TARGETS[path.parent.name]
    copy = tmp_path / f"x{target.suffix}"
    data = path.read_bytes()
    copy.write_bytes(data)
    verdict = judged(target.attempt, copy, target.declared(data), target.allowance)
    assert verdict.finding is None, verdict.finding


@pytest.mark.parametrize("name", sorted(set(TARGETS) - {"scenario"}))
def test_first_inputs_are_accepted_and_a_few_mutations_are_read_or_refused(name: str, tmp_path: Path) -> None:
    target, draw = TARGETS[name], random.Random(name)
    path = tmp_path / f"x{target.suffix}"
    accepted = []
    for data in target.seeds().values():
        for n in range(4):
            changed = target.mutate(data, draw) if n else data
            path.write_bytes(changed)
            verdict = judged(target.attempt, path, target.declared(changed), target.allowance)
            assert verdict.finding is None, verdict.finding
            if not n:
                accepted.append(verdict.accepted)
    assert any(accepted)


@pytest.mark.parametrize(("name", "data"), [
    ("epw", b"LOCATION,a,b,c,d,e,1,2,3,4" + b"\n" * (3 << 20)),
    ("epw", b"LOCATION,a,b,c,d,e,1,2,3,4" + b"\n" * 8 + b"1,1,1,1,0,0,0,0,0,50000\n" * 100_000),
    ("swf", b";Computer:x\n" * 200_000),
    ("swf", b"1 0 0 1 1 0 0 1 0 0 0 0 0 0 0 0 0 0\n" * 60_000),
    ("philly", b"a\t\t\t\t1\t0\t1\n" * 150_000 + b"job_type,v100_steps_per_s\na,1\n"),
    ("philly", b"x" * 8000 + b"\t\t\t\t1\t0\t1\njob_type,r\n" +
     b"".join(b"x" * 4000 + b"%d,1\n" % n for n in range(300))),
    ("scenario", b"a = [" + b"[]," * 100_000 + b"]"),
    ("scenario", b".".join([b"a"] * 20_000) + b" = 1"),
    ("scenario", b"[" + b' . '.join([b"a", b'"a"'] * 20_000) + b"]"),
    ("scenario", b'[scenario]\nduration = "' + b"9" * 5000 + b's"\n'),
], ids=lambda v: v if isinstance(v, str) else f"{len(v)}-bytes")
def test_many_short_lines_and_long_words_take_no_more_than_their_share(name: str, data: bytes, tmp_path: Path) -> None:
    target = TARGETS[name]
    path = tmp_path / f"x{target.suffix}"
    path.write_bytes(data)
    verdict = judged(target.attempt, path, target.declared(data), target.allowance)
    assert verdict.finding is None, verdict.finding


def test_the_guard_notices_a_crash_a_long_error_and_memory(tmp_path: Path) -> None:
    from twin.errors import InputError

    path = tmp_path / "x"
    path.write_bytes(b"x")

    def crash(_: Path) -> None:
        raise KeyError("a")

    class Vague(InputError):
        def __str__(self) -> str:
            return "two\nlines"

    def vague(_: Path) -> None:
        raise Vague("a")

    def large(_: Path) -> None:
        bytearray(64 << 20)

    for attempt, key in ((crash, "KeyError"), (vague, "unclear"), (large, "memory")):
        finding = judged(attempt, path, 1, 16 << 20).finding
        if key == "memory" and finding is None and not Path("/proc/self/clear_refs").exists():
            continue
        assert finding is not None
        assert finding.key.startswith(key)


def test_the_corpus_stays_small() -> None:
    assert sum(path.stat().st_size for path in KEPT) < 1 << 20
