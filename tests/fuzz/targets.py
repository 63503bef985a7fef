"""Each reader as a target: first inputs, mutations, and what reading an input means."""

from __future__ import annotations

import contextlib
import functools
import gzip
import io
import json
import random
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import asyncssh

from tests.fuzz import text, twinfile
from twin.cli import inspect
from twin.readers.epw import read_epw
from twin.readers.gavel import read_gavel, read_throughputs
from twin.readers.swf import read_swf
from twin.scenario import replay, snapshot
from twin.scenario.checks import size_of
from twin.scenario.commands import KINDS, parse_command
from twin.scenario.diff import diff
from twin.scenario.load import load_spec, scenario_folder
from twin.scenario.open import open_run
from twin.scenario.recording import Recorder
from twin.scenario.run import Run, build_run
from twin.scenario.verify import verify
from twin.serve import keys
from twin.tui import actions, config
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


def _compared(path: Path) -> None:
    """Compare with another file, both ways, and show what it holds."""
    other = _other()
    for pair in ((path, other), (other, path)):
        for item in diff(*map(str, pair)):
            str(item)
    with contextlib.redirect_stdout(io.StringIO()):
        inspect.command.callback(str(path), True)  # type: ignore[misc]


def _words_given(path: Path) -> None:
    """Read what stands behind ``--set`` or ``--command``; what a terminal cannot give is not tried."""
    line = path.read_bytes().replace(b"\0", b"")[:_ARGUMENT_MAX].decode(errors="surrogateescape")
    option, _, word = line.partition(" ")
    if option == "--set":
        open_run("small", sets=[word], history=False)
    else:
        sim = _small_run().sim
        sim.validate(parse_command(word, sim, 60 * 10**9))


def _config(path: Path) -> None:
    config.settle({}, {"TWIN_CONFIG": str(path)})


def _keys(path: Path) -> None:
    """Read operators' keys; a file that begins like a private key is the server's own."""
    path.chmod(0o600)
    if path.read_bytes().startswith(b"-----BEGIN"):
        keys.host_key(path)
    else:
        keys.OperatorKeys(path)


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


def _catalogue_seeds() -> dict[str, bytes]:
    """Return small scenarios that bring along every catalogue entry that they use."""
    out = {}
    for name in ("small", "immersion", "rear-doors", "air-to-liquid"):
        lines = [(scenario_folder() / f"{name}.toml").read_text(encoding="utf-8").partition("[catalog")[0]]
        for kind, entries in open_run(name, history=False).catalog_used.items():
            for entry, values in entries.items():
                lines.append(f"\n[catalog.{kind}.{json.dumps(entry)}]")
                lines += [f"{key} = {_toml(value)}" for key, value in values.items()]
        out[name] = "\n".join(lines).encode()
    return out


def _toml(value: object) -> str:
    """Write plain values as TOML; texts of JSON are texts of TOML."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {_toml(inner)}" for key, inner in value.items()) + " }"
    return "[" + ", ".join(map(_toml, value)) + "]" if isinstance(value, list) else json.dumps(value)


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


def _both_seeds() -> dict[str, bytes]:
    return {"snapshot": _snapshot_seeds()["small"], "recording": _recording_seeds()["small"]}


@functools.cache
def _other() -> Path:
    """Return a recording that others are compared with."""
    path = Path(tempfile.mkdtemp(prefix="twin-fuzz-")) / "other.twin"
    path.write_bytes(_recording_seeds()["small"])
    return path


@functools.cache
def _small_run() -> Run:
    return open_run("small", history=False)


#: bytes of one argument of a command line, Linux
_ARGUMENT_MAX = 128 << 10
_GIVEN = {
    "set": b"--set hall.A.row.1.racks=2", "text": b"--set site.weather=helsinki", "list": b"--set job.chat.load={"
    b"requests_per_s=3,shape='flat'}", "expect": b"--set expect.kpi.pue='< 1.2'",
    "fault": b"--command fault cdu_pump_trip A1.cdu1.pumpA for=5m at=+1m", "heat": b"--command fault heat_wave value=8",
    "point": b"--command set warm.supply_c=75degF", "clear": b"--command clear cdu_pump_trip 'A1.cdu1.pumpA'",
    "ack": b"--command ack cdu_pump_off",
}


def _given_words() -> tuple[bytes, ...]:
    registry = _small_run().sim.registry
    names = {kind.name for _, kind in registry.faults} | {one.name for _, one in registry.settings} | set(KINDS)
    return (*_words(), *(name.encode() for name in sorted(names)), b"for=", b"at=+", b"value=", b"--set ",
            b"--command ")


def _config_seeds() -> dict[str, bytes]:
    full = "\n".join(f"{option.name} = {json.dumps(option.default)}" for option in config.OPTIONS)
    bound = "\n".join(f"{name} = [{', '.join(json.dumps(f'f{n}') for n in (2, 3))}]" for name in ("fault", "help"))
    return {"full": full.encode(), "keys": f'theme = "light"\n[keys]\n{bound}'.encode(), "one": b'[keys]\nhelp = "f1"'}


def _config_words() -> tuple[bytes, ...]:
    names = [*config.BY_NAME, *actions.BY_NAME, *(word for option in config.OPTIONS for word in option.words)]
    return tuple(name.encode() for name in names)


def _keys_seeds() -> dict[str, bytes]:
    """Return operators' keys of each kind with options and names, and private keys in each format."""
    out, lines = {}, ["# operators"]
    for n, kind in enumerate(("ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa")):
        key = asyncssh.generate_private_key(kind, comment=f"person{n}@host")
        before = ('', 'from="10.0.0.0/8,*.lan" ', 'no-pty,command="x \\"y\\"" ')[n]
        lines.append(before + key.export_public_key().decode().strip())
        for form in ("openssh", "pkcs8-pem"):
            out[f"{kind} {form}"] = key.export_private_key(form)
    return out | {"operators": "\n".join(lines).encode()}


_SITE = "the site of the file, whose state is checked to be that of its specification before it is built"
TARGETS: dict[str, Target] = {
    "swf": Target(".swf", lambda p: read_swf(p), 16 * MB, "buffers", seeds=_swf_seeds),
    "philly": Target(".trace", _philly, 16 * MB, "buffers", seeds=_philly_seeds),
    "epw": Target(".epw", _epw, 16 * MB, "tables of one year", seeds=_epw_seeds),
    "scenario": Target(".toml", _scenario, 128 * MB, "a site of at most 2,000 GPUs", words=_words(),
                       seeds=_scenario_seeds),
    "catalogue": Target(".toml", _scenario, 128 * MB, "a site of at most 2,000 GPUs", words=_words(),
                        seeds=_catalogue_seeds),
    "words": Target(".txt", _words_given, 64 * MB, "the site of `small`", words=_given_words(),
                    seeds=lambda: dict(_GIVEN)),
    "config": Target(".toml", _config, 16 * MB, "tables of actions", words=_config_words(), seeds=_config_seeds),
    "keys": Target(".keys", _keys, 16 * MB, "buffers", seeds=_keys_seeds),
    "snapshot": Target(".twin", _snapshot, 128 * MB, _SITE, twin=True, seeds=_snapshot_seeds),
    "recording": Target(".twin", _recording, 128 * MB, _SITE, twin=True, seeds=_recording_seeds),
    "compared": Target(".twin", _compared, 128 * MB, f"{_SITE}; and another file", twin=True, seeds=_both_seeds),
}


def first_inputs(name: str) -> list[bytes]:
    """Return the made seeds and the kept corpus of a reader; the seeds, which are whole, three times as many."""
    kept = [path.read_bytes() for path in sorted((CORPUS / name).glob("*"))]
    made = list(TARGETS[name].seeds().values())
    return made * (1 + 3 * len(kept) // len(made)) + kept
