"""The command line as scripts see it: stdout is data, exit codes mean what they say."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest


def twin(*args: str, timeout: float = 120, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    return subprocess.run([sys.executable, "-m", "twin", *args], capture_output=True, text=True, timeout=timeout,
                          cwd=cwd, env=_env())


def _env() -> dict[str, str]:
    root = str(Path(__file__).resolve().parents[2])
    return os.environ | {"PYTHONPATH": root + os.pathsep + os.environ.get("PYTHONPATH", "")}


def loaded_modules(code: str) -> set[str]:
    """Return the modules that a piece of code leaves loaded in a fresh interpreter."""
    out = subprocess.run([sys.executable, "-c", code + "\nimport sys; print(*sys.modules)"], capture_output=True,
                         text=True, check=True, env=_env(), timeout=120)
    return set(out.stdout.splitlines()[-1].split())


def test_importing_the_package_is_light() -> None:
    assert not {"numpy", "textual", "msgspec", "click"} & loaded_modules("import twin")


def test_version_loads_nothing_heavy() -> None:
    modules = loaded_modules("from twin.cli.main import main; main(['--version'])")
    assert not {"numpy", "textual", "msgspec", "click"} & modules


def test_a_headless_replay_never_loads_the_terminal_library() -> None:
    modules = loaded_modules("from twin.cli.main import main; main(['replay', 'small', '--for', '5s', '--json'])")
    assert "numpy" in modules
    assert not {"textual", "rich"} & modules


def test_version_and_help() -> None:
    assert twin("--version").stdout.startswith("twin 0.")
    out = twin("--help")
    assert out.returncode == 0
    for verb in ("run", "replay", "scenarios", "check", "inspect", "catalog", "schema", "bench"):
        assert verb in out.stdout


@pytest.fixture(scope="module")
def replayed() -> dict:
    out = twin("replay", "small", "--for", "30s", "--json")
    assert out.returncode == 0, out.stderr
    return json.loads(out.stdout)


def test_replay_json_has_every_promised_key(replayed: dict) -> None:
    assert {"scenario", "ticks", "dt_s", "sim_s", "wall_s", "speed", "gpus", "digest", "kpi", "expect",
            "variants"} <= set(replayed)
    assert {"it_energy_kwh", "facility_energy_kwh", "pue", "wue_l_per_kwh", "cue_kg_per_kwh", "cost_usd",
            "peak_facility_w", "gpu_temp_c_max", "throttled_gpu_s", "tokens", "tokens_trained", "tokens_served",
            "goodput_frac", "jobs_completed", "jobs_failed", "wait_mean_s", "wait_p95_s",
            "energy_residual_rel"} <= set(replayed["kpi"])
    assert (replayed["ticks"], replayed["dt_s"], replayed["sim_s"]) == (30, 1.0, 30.0)
    assert replayed["gpus"] == 2 * 72 + 32
    assert all({"what", "expected", "value", "ok"} == set(e) for e in replayed["expect"])


def test_every_variant_has_the_keys_of_the_whole_and_the_expectations_that_name_it() -> None:
    out = json.loads(twin("replay", "demo", "--for", "20s", "--json").stdout)
    (phoenix,) = out["variants"]
    assert set(phoenix) == set(out) - {"variants"} | {"variant"}
    assert [e["what"] for e in phoenix["expect"]] == ["phoenix:kpi.pue"]
    assert phoenix["expect"][0] in out["expect"]


def test_a_saved_moment_and_a_run_without_variants_judge_only_what_they_ran(tmp_path: Path) -> None:
    saved = tmp_path / "moment.twin"
    out = twin("replay", "demo", "--for", "10s", "--save-at", "5s", str(saved), "--no-variants", "--json")
    assert out.returncode == 0, out.stderr
    for text in (out.stdout, twin("replay", str(saved), "--for", "5s", "--json").stdout):
        told = json.loads(text)
        assert told["variants"] == []
        assert told["expect"]
        assert not any("phoenix" in e["what"] for e in told["expect"])


def test_replay_twice_gives_the_same_digest(replayed: dict) -> None:
    again = json.loads(twin("replay", "small", "--for", "30s", "--json").stdout)
    assert again["digest"] == replayed["digest"]
    assert again["kpi"] == replayed["kpi"]


def test_save_at_and_go_on_from_the_file(tmp_path: Path, replayed: dict) -> None:
    file = tmp_path / "moment.twin"
    assert twin("replay", "small", "--for", "12s", "--save-at", "10s", str(file)).returncode == 0
    on = json.loads(twin("replay", str(file), "--for", "20s", "--json").stdout)
    assert on["digest"] == replayed["digest"]
    held = json.loads(twin("inspect", str(file), "--json").stdout)
    assert held["at"] == "10s"
    assert held["tick"] == 10


def test_an_expectation_that_does_not_hold_is_exit_code_1(tmp_path: Path) -> None:
    scenario = tmp_path / "cold.toml"
    scenario.write_text('extends = "small"\n[expect]\n"kpi.gpu_temp_c_max" = "< 5"\n')
    out = twin("replay", str(scenario), "--for", "5s", "--json")
    assert out.returncode == 1, out.stderr
    failed = [e for e in json.loads(out.stdout)["expect"] if not e["ok"]]
    assert [e["expected"] for e in failed] == ["< 5"]


@pytest.mark.parametrize(("args", "says"), [
    (["replay", "dmeo"], "did you mean 'demo'"),
    (["replya", "demo"], "did you mean 'replay'"),
    (["replay", "none.toml"], "none.toml"),
    (["replay", "none.twin"], "none.twin"),
    (["replay", "small", "--set", "hall.A.rwo.1.racks=2"], "row"),
    (["replay", "small", "--set", "scenario.tick=5ms"], "tick"),
    (["replay", "small", "--set", "site.weather=epw:nowhere.epw"], "nowhere.epw"),
    (["replay", "small", "--set", "hall.A.row.1.rack=gb200-nvl27"], "gb200-nvl72"),
    (["replay", "small", "--for", "5 parsecs"], "is not a duration"),
    (["replay", "small", "--for", "5s", "--save-at", "9s", "x.twin"], "is not within the run"),
    (["replay", "small", "--for", "5s", "--save-at", "2s", "/nowhere/x.twin"], "cannot write"),
    (["run", "demo", "--speed", "-3"], "is not a speed"),
    (["run", "demo"], "needs a terminal"),
    (["check", "none.toml"], "none.toml"),
    (["catalog", "gb200-nvl27"], "gb200-nvl72"),
])
def test_bad_input_is_one_line_and_exit_code_2(args: list[str], says: str, tmp_path: Path) -> None:
    out = twin(*args, cwd=tmp_path)
    assert out.returncode == 2, out.stderr
    assert says in out.stderr
    assert len(out.stderr.strip().splitlines()) == 1
    assert out.stdout == ""
    assert os.listdir(tmp_path) == []


def test_a_snapshot_refuses_set_and_seed(tmp_path: Path) -> None:
    file = tmp_path / "a.twin"
    assert twin("replay", "small", "--for", "2s", "--save-at", "1s", str(file)).returncode == 0
    assert twin("replay", str(file), "--set", "scenario.seed=3").returncode == 2
    assert twin("replay", str(file), "--seed", "3").returncode == 2


def test_ctrl_c_prints_what_there_is_and_leaves_with_130() -> None:
    process = subprocess.Popen([sys.executable, "-m", "twin", "replay", "demo", "--for", "30d", "--json"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=_env(),
                               preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    try:
        time.sleep(6)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130, err
    assert json.loads(out)["ticks"] > 0
    assert "Traceback" not in err


def test_an_internal_error_is_exit_code_70_with_a_report(monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
                                                         capsys: pytest.CaptureFixture[str]) -> None:
    import twin.scenario.open
    from twin.cli.main import main

    def broken(*args: object, **kwargs: object) -> None:
        raise ZeroDivisionError("no such luck")
    monkeypatch.setattr(twin.scenario.open, "open_run", broken)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert main(["replay", "small"]) == 70
    err = capsys.readouterr().err
    assert "internal error" in err
    assert "Traceback" not in err
    report = next(tmp_path.glob("twin-report-*.txt")).read_text()
    assert "no such luck" in report
    assert "Traceback" in report


@pytest.mark.parametrize("args", [["scenarios"], ["catalog"], ["schema"], ["catalog", "gb200-nvl72"]])
def test_listings_are_json_on_request(args: list[str]) -> None:
    out = twin(*args, *([] if args == ["schema"] else ["--json"]))
    assert out.returncode == 0, out.stderr
    assert json.loads(out.stdout)


def test_bench_prints_the_promised_json() -> None:
    out = twin("bench", "--gpus", "144", "--ticks", "20", "--json")
    assert out.returncode == 0, out.stderr
    result = json.loads(out.stdout)
    assert {"gpus", "ticks_per_s", "ns_per_gpu_tick", "rss_mb", "domains"} <= set(result)
    assert len(result["domains"]) == 12
    assert all(row["us_per_tick"] > 0 for row in result["domains"].values())
