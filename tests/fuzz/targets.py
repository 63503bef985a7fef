"""Each reader as a target: first inputs, mutations, and what reading an input means."""

from __future__ import annotations

import gzip
import random
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz import text, twinfile
from twin.readers.epw import read_epw
from twin.readers.gavel import read_gavel, read_throughputs
from twin.readers.swf import read_swf
from twin.scenario import replay, snapshot
from twin.scenario.checks import size_of
from twin.scenario.load import load_spec, scenario_folder
from twin.scenario.open import open_run
from twin.scenario.recording import Recorder
from twin.scenario.run import build_run
from twin.scenario.verify import verify
from twin.wiring import Command

CORPUS = Path(__file__).parent / "corpus"
MB = 1 << 20


@dataclass(frozen=True)
class Target:
    """One reader.

    Attributes:
        suffix: of its files.
        attempt: reads a file to its end; may raise InputError.
        allowance: bytes that reading may take whatever the file holds.
        why: what the allowance is for.
        words: what a mutation may put in.
        twin: files are containers, mutated behind their checksums.
        seeds: makes the first inputs that are not kept as files.
    """

    suffix: str
    attempt: Callable[[Path], object]
    allowance: int
    why: str
    words: tuple[bytes, ...] = ()
    twin: bool = False
    seeds: Callable[[], dict[str, bytes]] = dict

    def mutate(self, data: bytes, draw: random.Random) -> bytes:
        """Return a changed input."""
        if self.twin and draw.random() < 0.8:
            parts = twinfile.values_of(data)
            if parts:
                return twinfile.mutated(parts, draw)
        return text.mutated(data, draw, self.words)

    def declared(self, data: bytes) -> int:
        """Return the size that memory is measured by."""
        return twinfile.declared(data) if self.twin else len(data)


def _philly(path: Path) -> None:
    """Read the trace; a line that begins the table of rates ends it, so that both files are reached."""
    data = path.read_bytes()
    trace, found, table = data.partition(b"job_type,")
    rates = path.with_suffix(".csv")
    rates.write_bytes(found + table)
    path.write_bytes(trace)
    read_throughputs(rates)
    read_gavel(path, rates)


def _epw(path: Path) -> None:
    read_epw(path).repaired()


def _scenario(path: Path) -> None:
    """Read and check a specification; build it where that is small."""
    spec, base_dir = load_spec(path)
    racks, gpus = size_of(spec)
    if gpus <= 2000 and racks <= 200 and not spec.workload.trace:
        run = build_run(spec, base_dir, source=str(path))
        run.sim.advance(3)
        run.sim.check()


def _snapshot(path: Path) -> None:
    run = snapshot.load(path)
    run.sim.advance(3)
    run.sim.kpi()
    run.sim.check()


def _recording(path: Path) -> None:
    """Read, open at the end and in the middle, go on; verify."""
    with replay.Recording(path) as recording:
        for at_ns in (None, (recording.first_ns + recording.last_ns) // 2):
            run = recording.open(at_ns)
            run.sim.advance(3)
            run.sim.check()
        verify(recording)


# ---- first inputs ------------------------------------------------------------------------------------------------

_SWF = """; Version: 2.2
; Computer: A cluster
; MaxProcs: 256
; UnixStartTime: 1027839845
1 0 5 3600 16 -1 -1 16 7200 -1 1 3 1 -1 1 -1 -1 -1
2 60 0 120.5 8 -1 -1 -1 -1 -1 1 4 1 -1 1 -1 -1 -1
3 61 -1 -1 -1 -1 -1 32 600 -1 5 3 1 -1 1 -1 -1 -1
4 90 2 10 0 -1 -1 0 600 -1 0 3 1 -1 1 -1 -1 -1
"""
_PHILLY = """ResNet-50 (batch size 64)\tpython3 main.py -b 64 %s/imagenet\t--num_minibatches\t1\t120000\t0.0\t4
LM (batch size 20)\tpython3 main.py\t--steps\t0\t5000\t17.25\t1
LM (batch size 20)\tpython3 main.py\t--steps\t0\t5000\t17.5\t0
job_type,v100_steps_per_s
"LM (batch size 20)",5.5
ResNet-50 (batch size 64),7.25
"""
_EPW_HEAD = """LOCATION,Dallas,TX,USA,made,722590,32.90,-97.02,-6.0,182.0
DESIGN CONDITIONS,0
TYPICAL/EXTREME PERIODS,0
GROUND TEMPERATURES,0
HOLIDAYS/DAYLIGHT SAVINGS,No,0,0,0
COMMENTS 1,made
COMMENTS 2,made
DATA PERIODS,1,1,Data,Sunday,1/1,12/31
"""


def _swf_seeds() -> dict[str, bytes]:
    many = "".join(f"{n} {n} 0 {n % 900} {1 + n % 64} -1 -1 -1 -1 -1 1 3 1 -1 1 -1 -1 -1\n" for n in range(400))
    return {"few": _SWF.encode(), "many": many.encode()}


def _philly_seeds() -> dict[str, bytes]:
    return {"few": _PHILLY.encode()}


def _epw_seeds() -> dict[str, bytes]:
    """Return a made year, dry and damp hours in it, a few values missing."""
    rows = []
    for hour in range(8760):
        temp = 10.0 + (hour % 24 - 12) * 0.5 + (hour // 730)
        dew = 99.9 if hour == 500 else temp - 4.0
        rows.append(f"2001,{1 + hour // 730},{1 + hour % 730 // 24 % 28},{1 + hour % 24},0,x,{temp:.1f},{dew:.1f},"
                    f"{999 if hour == 700 else 76},{999999 if hour == 900 else 99000},0")
    year = _EPW_HEAD + "\n".join(rows) + "\n"
    return {"year": year.encode(), "short": (_EPW_HEAD + "\n".join(rows[:20])).encode()}


def _scenario_seeds() -> dict[str, bytes]:
    return {path.stem: path.read_bytes() for path in sorted(scenario_folder().glob("*.toml"))}


def _words() -> tuple[bytes, ...]:
    """Return the words of the built-in scenarios: keys, names, choices."""
    found: set[bytes] = set()
    for data in _scenario_seeds().values():
        found.update(text.WORD.findall(data))
    return tuple(sorted(found))


def _small() -> list[str]:
    return ["workload.generator.jobs_per_hour=200", "workload.generator.gpus=[1,4]", "workload.generator.slots=8"]


def _snapshot_seeds() -> dict[str, bytes]:
    run = open_run("small", sets=_small())
    run.sim.advance(120)
    run.sim.submit(Command("set", 10**15, "", "warm.supply_c", 31.0))
    golden = CORPUS.parents[1] / "golden"
    return {"small": snapshot.to_bytes(run), "version-1": gzip.decompress((golden / "snapshot-1.twin.gz").read_bytes())}


def _recording_seeds() -> dict[str, bytes]:
    """Return a short recording with commands, keyframes and a future that was given up."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.twin"
        run = open_run("small", sets=_small())
        recorder = Recorder(run, path)
        run.sim.advance(70)
        run.sim.submit(Command("set", 0, "", "warm.supply_c", 30.0))
        run.sim.submit(Command("set", 10**15, "", "warm.supply_c", 31.0))
        run.sim.advance(20)
        run.sim.truncate()
        run.sim.advance(40)
        recorder.close()
        return {"small": path.read_bytes()}


_SITE = "the site of the file, whose state is checked to be that of its specification before it is built"
TARGETS: dict[str, Target] = {
    "swf": Target(".swf", lambda p: read_swf(p), 16 * MB, "buffers", seeds=_swf_seeds),
    "philly": Target(".trace", _philly, 16 * MB, "buffers", seeds=_philly_seeds),
    "epw": Target(".epw", _epw, 16 * MB, "tables of one year", seeds=_epw_seeds),
    "scenario": Target(".toml", _scenario, 128 * MB, "a site of at most 2,000 GPUs", words=_words(),
                       seeds=_scenario_seeds),
    "snapshot": Target(".twin", _snapshot, 128 * MB, _SITE, twin=True, seeds=_snapshot_seeds),
    "recording": Target(".twin", _recording, 128 * MB, _SITE, twin=True, seeds=_recording_seeds),
}


def first_inputs(name: str) -> list[bytes]:
    """Return the made seeds and the kept corpus of a reader."""
    kept = [path.read_bytes() for path in sorted((CORPUS / name).glob("*"))]
    return [*TARGETS[name].seeds().values(), *kept]
