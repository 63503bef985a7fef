"""``python -m tests.fuzz --reader NAME [--minutes M] [--seed N]``: try mutated inputs until the time is over.

With atheris installed (the extra ``fuzz``) its coverage steers which inputs are kept and changed again; without it
inputs are drawn from the seed alone. An input that does what it must not is kept in ``--out`` and named at the end;
copied to ``tests/fuzz/corpus/NAME/`` it is part of the tests from then on. An input that takes longer than a minute
ends the whole run with a stack of where it hangs.
"""

from __future__ import annotations

import argparse
import faulthandler
import gc
import hashlib
import importlib
import os
import random
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.fuzz.guard import judged

if TYPE_CHECKING:
    from tests.fuzz.targets import Target

READERS = ("swf", "philly", "epw", "scenario", "catalogue", "words", "config", "keys", "snapshot", "recording",
           "compared")
#: modules whose coverage steers, and what is imported to have them
_STEERING = ("twin.readers", "twin.scenario", "twin.catalog", "twin.units", "twin.tui.config", "twin.tui.keymap",
             "twin.serve.keys", "tomllib", "asyncssh.public_key", "asyncssh.auth_keys")
_IMPORTED = ("tomllib", "twin.readers.epw", "twin.readers.swf", "twin.readers.gavel", "twin.scenario.open",
             "twin.scenario.replay", "twin.scenario.snapshot", "twin.scenario.verify", "twin.scenario.diff",
             "twin.tui.config", "twin.serve.keys")

#: share of the mutations that begin at a first input
AFRESH = 0.5
#: an input that takes so long has hung, s of wall time
HANG_S = 60


class Session:
    """One run of the fuzzer over one reader."""

    def __init__(self, name: str, target: Target, out: Path, minutes: float) -> None:
        self.name, self.target, self.out = name, target, out
        self.until = time.monotonic() + 60 * minutes
        self.count = self.accepted = 0
        self.slowest = 0.0
        self.largest = 0
        self.found: dict[str, tuple[int, Path]] = {}
        self._folder = Path(tempfile.mkdtemp(prefix="twin-fuzz-"))
        self.path = self._folder / f"x{target.suffix}"

    def run(self, data: bytes) -> bool:
        """Judge one input; return False when the time is over."""
        self.path.write_bytes(data)
        faulthandler.dump_traceback_later(HANG_S, exit=True)
        verdict = judged(self.target.attempt, self.path, self.target.declared(data), self.target.allowance)
        faulthandler.cancel_dump_traceback_later()
        self.count += 1
        self.accepted += verdict.accepted
        self.slowest, self.largest = max(self.slowest, verdict.cpu_s), max(self.largest, verdict.grown)
        if verdict.finding is not None:
            times, kept = self.found.get(verdict.finding.key, (0, Path()))
            if not times:
                self.out.mkdir(parents=True, exist_ok=True)
                kept = self.out / f"{self.name}-{hashlib.sha256(data).hexdigest()[:12]}{self.target.suffix}"
                kept.write_bytes(data)
                print(f"FOUND {verdict.finding.key}: {kept}\n{verdict.finding.text}", file=sys.stderr, flush=True)
            self.found[verdict.finding.key] = times + 1, kept
        return time.monotonic() < self.until

    def report(self) -> int:
        """Print what was tried and found; return the exit code."""
        print(f"{self.name}: {self.count:,} inputs, {self.accepted:,} of them accepted; slowest {self.slowest:.2f} s, "
              f"largest growth {self.largest / 2**20:.0f} MB; {len(self.found)} findings")
        for key, (times, kept) in self.found.items():
            print(f"  {times} x {key}: {kept}")
        sys.stdout.flush()
        return 1 if self.found else 0


def instrumented() -> Any:
    """Import the readers with atheris's instrumentation and return atheris; None where it is not installed."""
    try:
        atheris = importlib.import_module("atheris")
    except ImportError:
        return None
    with atheris.instrument_imports(include=list(_STEERING)):
        for name in _IMPORTED:
            importlib.import_module(name)
    return atheris


def drawn(session: Session, inputs: list[bytes], seed: int) -> int:
    """Draw inputs from a seed, without coverage."""
    draw = random.Random(seed)
    for data in inputs:
        session.run(data)
    while session.run(session.target.mutate(draw.choice(inputs), draw)):
        pass
    return session.report()


def steered(atheris: Any, session: Session, inputs: list[bytes], seed: int) -> int:
    """Let atheris choose the inputs; its engine ends the process, so the report is made when time is over."""
    folder = session.path.parent / "corpus"
    folder.mkdir()
    for n, data in enumerate(inputs):
        (folder / str(n)).write_bytes(data)

    def one(data: bytes) -> None:
        if not session.run(data):
            code = session.report()
            sys.stderr.flush()
            os._exit(code)

    def mutate(data: bytes, max_size: int, number: int) -> bytes:
        # What atheris keeps is new to it, and mostly broken beyond use; from a whole file the way goes deepest.
        draw = random.Random(number)
        begin = draw.choice(inputs) if draw.random() < AFRESH else data
        return session.target.mutate(begin, draw)[:max_size]

    options = [sys.argv[0], f"-seed={seed or 1}", "-timeout=600", f"-max_len={8 << 20}", "-len_control=0",
               "-rss_limit_mb=0", "-verbosity=0", "-print_final_stats=0", str(folder)]
    atheris.Setup(options, one, custom_mutator=mutate)
    atheris.Fuzz()
    return session.report()


def main() -> int:
    """Run the fuzzer; return 1 when it found something."""
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument("--reader", required=True, choices=READERS)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("fuzz-findings"))
    parser.add_argument("--engine", choices=("auto", "atheris", "seeded"), default="auto")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    atheris = None if given.engine == "seeded" else instrumented()
    if given.engine == "atheris" and atheris is None:
        parser.error("atheris is not installed: pip install '.[fuzz]'")
    from tests.fuzz.targets import TARGETS, first_inputs

    session = Session(given.reader, TARGETS[given.reader], given.out, given.minutes)
    inputs = first_inputs(given.reader)
    gc.freeze()  # the guard collects before every input; what was imported is not looked through each time
    print(f"{given.reader}: {len(inputs)} first inputs, {'seeded' if atheris is None else 'atheris'}", flush=True)
    return drawn(session, inputs, given.seed) if atheris is None else steered(atheris, session, inputs, given.seed)


if __name__ == "__main__":
    sys.exit(main())
