"""Every first input and every input that once did what it must not: read, or refused with one clear error."""

import random
import subprocess
import sys
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


def test_the_guard_notices_a_crash_and_a_long_error(tmp_path: Path) -> None:
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

    for attempt, key in ((crash, "KeyError"), (vague, "unclear")):
        finding = judged(attempt, path, 1, 16 << 20).finding
        assert finding is not None
        assert finding.key.startswith(key)


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the kernel does not count peaks of memory")
def test_the_guard_notices_memory(tmp_path: Path) -> None:
    # in a process of its own: what other tests' threads give back at the same moment would hide the growth
    (tmp_path / "x").write_bytes(b"x")
    code = ("from pathlib import Path; from tests.fuzz.guard import judged\n"
            f"verdict = judged(lambda _: bytearray(64 << 20) and None, Path({str(tmp_path / 'x')!r}), 1, 16 << 20)\n"
            "print(verdict.finding.key if verdict.finding else verdict)")
    told = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], capture_output=True, text=True,
                          check=True)
    assert told.stdout.strip() == "memory"


def test_the_corpus_stays_small() -> None:
    assert sum(path.stat().st_size for path in KEPT) < 1 << 20
