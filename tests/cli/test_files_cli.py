"""Recordings, exports and comparisons from the command line: what is printed, where, and with which exit code."""

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest


def twin(*args: str, **more: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "twin", *args], capture_output=True, text=True, check=False,
                          **more)  # type: ignore[call-overload,no-any-return]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("files") / "a.twin"
    out = twin("replay", "small", "--for", "5m", "--record", str(file), "--csv", str(file.with_suffix(".csv")),
               "--columns", "power.it_w", "--every", "1m")
    assert out.returncode == 0, out.stderr
    return file


def test_a_recording_is_verified_inspected_and_replayed(recorded: Path) -> None:
    out = twin("replay", str(recorded), "--verify", "--json")
    assert (out.returncode, out.stderr) == (0, "")
    facts = json.loads(out.stdout)
    assert (facts["ok"], facts["ticks"], facts["to_s"], facts["divergence"]) == (True, 300, 300.0, None)
    facts = json.loads(twin("inspect", str(recorded), "--json").stdout)
    assert (facts["kind"], facts["ticks"], facts["trail"], facts["tail"]) == ("recording", 300, "whole", "whole")
    plain = json.loads(twin("replay", "small", "--for", "5m", "--json").stdout)
    again = json.loads(twin("replay", str(recorded), "--json").stdout)
    assert again["digest"] == plain["digest"]
    assert len(recorded.with_suffix(".csv").read_text().splitlines()) == 6


def test_a_torn_recording_says_so_and_a_damaged_one_fails(recorded: Path, tmp_path: Path) -> None:
    data = recorded.read_bytes()
    torn, damaged = tmp_path / "torn.twin", tmp_path / "damaged.twin"
    torn.write_bytes(data[:-3])
    out = twin("replay", str(torn), "--verify")
    assert out.returncode == 0
    assert "the last chunk was not finished" in out.stderr
    at = data.index(b"DGST") + 40
    damaged.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1:])
    out = twin("replay", str(damaged), "--verify")
    assert out.returncode == 1
    assert "damaged" in out.stderr
    assert "damaged" in twin("inspect", str(damaged)).stdout


def test_diff_says_with_its_exit_code(recorded: Path, tmp_path: Path) -> None:
    assert twin("diff", str(recorded), str(recorded)).stdout == "the same\n"
    other = tmp_path / "b.twin"
    assert twin("replay", "small", "--for", "5m", "--seed", "8", "--record", str(other)).returncode == 0
    out = twin("diff", str(recorded), str(other))
    assert out.returncode == 1
    assert "run: seed: 7 | 8" in out.stdout
    assert json.loads(twin("diff", str(recorded), str(other), "--json").stdout)["same"] is False


@pytest.mark.parametrize(("args", "says"), [
    (["replay", "small", "--verify"], "cannot read"),
    (["replay", "small", "--for", "5s", "--columns", "power.it_w"], "expected --csv"),
    (["replay", "small", "--for", "5s", "--csv", "x.csv", "--columns", "power.it"], "did you mean 'power.it_w'"),
    (["replay", "small", "--for", "5s", "--csv", "/nowhere/x.csv"], "cannot write"),
    (["replay", "small", "--for", "5s", "--record", "/nowhere/x.twin"], "cannot write"),
    (["diff", "small", "none.twin"], "none.twin"), (["diff", "smal", "small"], "did you mean 'small'"),
    (["inspect", "none.twin"], "cannot read"),
])
def test_bad_input_is_one_line_and_exit_2(args: list[str], says: str, tmp_path: Path) -> None:
    out = twin(*args, cwd=tmp_path, env={"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": ""})
    assert out.returncode == 2, out.stderr
    assert says in out.stderr
    assert out.stderr.count("\n") == 1


def test_a_full_disk_ends_the_recording_and_the_exit_code_says_so(tmp_path: Path) -> None:
    """A file may have 150 kB here: the run is finished, its results are printed, and the recording is readable."""
    file = tmp_path / "a.twin"
    out = twin("replay", "small", "--for", "2h", "--json", "--record", str(file),
               preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000)))
    assert out.returncode == 2
    assert json.loads(out.stdout)["sim_s"] == 7200
    assert "the recording stopped at" in out.stderr
    assert out.stderr.count("\n") == 1
    assert file.stat().st_size <= 150_000
    checked = twin("replay", str(file), "--verify", "--json")
    assert checked.returncode == 0
    assert json.loads(checked.stdout)["ended"] is False
