"""Whatever a user writes, the answer is data or one clear line; no traceback, no hang, no escape sequence."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from twin.cli.commands import cli
from twin.cli.main import main


def said(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str]:
    code = main(args)
    return code, capsys.readouterr().err


@pytest.mark.parametrize(("body", "says"), [
    ('[[hall]]\nname="A"\nrepeat=100\n[[hall.row]]\nracks=1000\nrepeat=1000\nrack="gb200-nvl72"\n'
     'cdu={type="cdu-1350kw",count=3}', "GPUs are too many; expected at most 10,000,000"),
    ('[[hall]]\nname="A"\nrepeat=100\n[[hall.row]]\nracks=1\nrepeat=1000\nrack="gb200-nvl72"\n'
     'cdu={type="cdu-1350kw",count=10000}', "CDUs and CRAHs are too many"),
    ('[scenario]\nstart="0001-01-01T00:00:00+14:00"', "scenario.start: '0001-01-01T00:00:00+14:00' is not an instant"),
    ('[scenario]\nduration="99999999999999999999d"', "scenario.duration"),
    ('[scenario]\ntitle="a\\u001b[31m"', "scenario.title: the text holds a control character"),
    ('[scenario]\n"bo\\u001bgus"=1', "scenario.bo\ufffdgus: there is no such key"),
    ('[fabric]\nspeed=1e-300', "fabric.speed"),
    ('[workload.generator]\njobs_per_hour=1e-300', "workload.generator.jobs_per_hour"),
    ('[workload.generator]\njobs_per_hour=1e300', "workload.generator.jobs_per_hour"),
    ('[catalog.racks.x]\nnodes="a"', "catalog.racks.x.nodes: 'a' is of the wrong type; expected a number"),
    ('[catalog.racks.x]\nnodes={v=nan,s="estimate",g="estimate"}', "catalog.racks.x.nodes"),
    ('[catalog.rakcs.x]\nnodes=1', "the catalogue has no kind 'rakcs'"),
    ('[catalog.racks.gb200-nvl72]\nlike="gb200-nvl72"\nnodes=-5', "sensible number of nodes"),
    ('[site]\naltitude_m=-1e300', "site.altitude_m"),
    ('[[hall]]\nname="A"\n[[hall.row]]\nracks=100\nrepeat=300\nrack="hgx-h100-x4"', "too large for its air to be"),
    ('[catalog.cdus.cdu-1350kw]\nlike="cdu-1350kw"\npumps=100', "has 100 pumps"),
    ('[catalog.accelerators.gb200]\nlike="gb200"\ntdp_w=0', "no site can be built with the scenario's own values"),
])
def test_a_scenario_that_asks_for_nonsense_is_one_clear_line_with_file_and_key(
        tmp_path: Path, capsys: pytest.CaptureFixture[str], body: str, says: str) -> None:
    path = tmp_path / "odd.toml"
    path.write_text(f'extends = "small"\n{body}\n', encoding="utf-8")
    code, err = said(capsys, "replay", str(path), "--for", "1s")
    assert (code, err.count("\n")) == (2, 1)
    assert says in err
    assert str(path) in err
    assert err.strip().isprintable()


def test_fifteen_thousand_events_are_checked_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    events = "".join(f'[[event]]\nat="{i % 14999}s"\nfault="node_down"\ntarget="A1"\n' for i in range(15_000))
    path = tmp_path / "many.toml"
    path.write_text(f'extends = "small"\n{events}', encoding="utf-8")
    code, err = said(capsys, "check", str(path))
    assert code == 2
    assert "event.15000: the same thing happens twice" in err


def test_a_pipe_instead_of_a_file_is_refused_and_not_waited_for(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a.toml", "a.twin", "a.epw"):
        os.mkfifo(tmp_path / name)
    assert "not a regular file" in said(capsys, "check", str(tmp_path / "a.toml"))[1]
    assert "not a regular file" in said(capsys, "inspect", str(tmp_path / "a.twin"))[1]
    code, err = said(capsys, "replay", "small", "--for", "1s", "--set", f"site.weather=epw:{tmp_path / 'a.epw'}")
    assert code == 2
    assert "not a regular file" in err


def test_a_duration_beyond_a_hundred_years_and_extends_after_the_fact_are_refused(
        capsys: pytest.CaptureFixture[str]) -> None:
    assert "a hundred years" in said(capsys, "replay", "small", "--for", "99999999d")[1]
    assert "--set extends" in said(capsys, "replay", "small", "--set", "extends=demo")[1]


@pytest.mark.parametrize("what", ["faults", "settings", "alarms"])
def test_the_catalogue_lists_what_can_break_be_set_and_be_watched(what: str) -> None:
    rows = json.loads(CliRunner().invoke(cli, ["catalog", what, "--json"], catch_exceptions=False).output)
    text = CliRunner().invoke(cli, ["catalog", what], catch_exceptions=False).output
    names = {row["name"] for row in rows}
    assert names & {"cdu_pump_trip", "supply_c", "chip_throttle"}
    assert all(name in text for name in names)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_under_stdout_is_one_clear_line() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run([sys.executable, "-m", "twin", "catalog", "--json"], stdout=full, stderr=subprocess.PIPE,
                              text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (2, "twin: cannot write the output: No space left on device\n")


def test_a_reader_that_went_away_is_no_error() -> None:
    done = subprocess.run(f"{sys.executable} -m twin schema | head -c 10 >/dev/null; exit ${{PIPESTATUS[0]}}",
                          shell=True, executable="/bin/bash", capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_snapshot_that_cannot_be_written_does_not_take_the_results_away(
        tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from twin.errors import InputError
    from twin.scenario import snapshot

    lost, save = tmp_path / "a.twin", snapshot.save

    def full_at_first(run: object, path: Path) -> int:
        if path == lost:
            raise InputError("cannot write: No space left on device", where=str(path))
        return save(run, path)  # type: ignore[arg-type]
    monkeypatch.setattr(snapshot, "save", full_at_first)
    code = main(["replay", "small", "--for", "5s", "--json", "--save-at", "1s", str(lost),
                 "--save-at", "2s", str(tmp_path / "b.twin")])
    out, err = capsys.readouterr()
    assert code == 2
    assert str(lost) in err
    assert json.loads(out)["ticks"] == 5
    assert (tmp_path / "b.twin").exists()
