"""``twin branch`` shows the expected difference for faults and set-points, in words and as JSON."""

import json
from pathlib import Path
from typing import Any

import pytest

from twin.cli.main import main
from twin.scenario import snapshot
from twin.scenario.commands import parse_command, write_command
from twin.scenario.open import open_run

S = 10**9


def _branch(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert main(["branch", *words, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def _told(found: dict[str, Any], column: str) -> dict[str, Any]:
    for block in found["blocks"]:
        for one in block["differences"]:
            if one["column"] == column:
                return dict(one)
    raise AssertionError(f"{column} is not told: {[b['block'] for b in found['blocks']]}")


DEMO = ("demo", "--at", "10m", "--for", "6m")


def test_a_tripped_crah_shows_at_itself_and_in_the_plant(capsys: pytest.CaptureFixture[str]) -> None:
    found = _branch(capsys, *DEMO, "--command", "fault crah_fan_trip A.crah7")
    assert found["at_s"] == 600
    assert found["end_s"] == 960
    assert found["acts"] == [{"at_s": 600.0, "text": "CRAH fan trip at A.crah7"}]
    assert found["blocks"][0]["block"] == "air"
    heat = _told(found, "air.crah_heat_w")
    assert heat["place"] == "A.crah7"
    assert heat["second"] < 0.05 * heat["first"]
    assert heat["cause"] == "CRAH fan trip at A.crah7"
    assert {"weather", "grid"} <= set(found["same_blocks"])
    assert found["digests"]["first"] != found["digests"]["second"]


def test_a_cdu_out_of_service_shows_in_its_row(capsys: pytest.CaptureFixture[str]) -> None:
    found = _branch(capsys, *DEMO, "--command", "fault cdu_off A2.cdu1")
    assert found["blocks"][0]["block"] == "liquid"
    assert _told(found, "liquid.cdu_heat_w")["place"] in ("A2.cdu1", "A2.cdu3")
    hot = _told(found, "chip.rack_gpu_temp_c_max")
    assert hot["place"] == "row A2"
    assert hot["delta"] > 1.0
    assert hot["onset_s"] < 700


def test_of_three_troubles_at_once_each_difference_names_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    """A CRAH, a CDU and a cap on a rack at work: shown by a future of each alone, also far from where it happened."""
    found = _branch(capsys, "demo", "--at", "2m", "--for", "3m", "--command", "fault crah_fan_trip A.crah7",
                    "--command", "fault cdu_off A2.cdu1", "--set", "A1.01.cap_frac=0.5")
    causes = {text.partition(" at ")[0]: text for text in (act["text"] for act in found["acts"])}
    assert len(causes) == 3
    crah, cdu, cap = causes["CRAH fan trip"], causes["CDU off"], causes["A1.01.cap_frac = 0.5"]
    assert _told(found, "air.crah_heat_w")["cause"] == crah
    assert _told(found, "plant.chiller_heat_w")["cause"] == crah  # in another domain and place, by the water
    assert _told(found, "liquid.cdu_flow_kg_s")["cause"] == cdu
    assert _told(found, "workload.tokens_s")["cause"] == cap      # the whole site's, by the network's slowest
    alone = _branch(capsys, "demo", "--at", "2m", "--for", "3m", "--command", "fault crah_fan_trip A.crah7")
    assert _told(alone, "plant.chiller_heat_w")["delta"] == pytest.approx(
        _told(found, "plant.chiller_heat_w")["delta"], rel=0.4)


def test_what_two_troubles_do_only_together_names_both(capsys: pytest.CaptureFixture[str]) -> None:
    """A rack with two feeds stands until both are gone: neither alone darkens it."""
    sim = open_run("demo", history=False).sim
    rack = sim.site.names["rack"].index("A1.01")
    feeds = [sim.site.names["elec"][int(i)] for i in sim.site.electrical.rack_feed[rack]]
    assert len(set(feeds)) == 2
    words = [word for feed in feeds for word in ("--command", f"fault feed_loss {feed}")]
    found = _branch(capsys, "demo", "--at", "1m", "--for", "1m", *words)
    dark = _told(found, "power.rack_energised")
    assert (dark["place"].partition(".")[0], dark["first"], dark["second"]) == ("A1", 1.0, 0.0)
    assert dark["cause"] == f"feed loss at {feeds[0]} and feed loss at {feeds[1]}"
    assert _told(found, "power.elec_energised")["cause"] in (f"feed loss at {feed}" for feed in feeds)


def test_a_lost_switch_slows_the_job_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    found = _branch(capsys, *DEMO, "--command", "fault switch_down leaf1 for=5m")
    assert "network" in [block["block"] for block in found["blocks"]]
    link = _told(found, "network.link_load_bytes_s")
    assert "leaf1" in link["place"]
    assert link["end_second"] == pytest.approx(link["end_first"], rel=0.2)  # the fault has ended
    assert {"weather", "grid"} <= set(found["same_blocks"])
    assert found["kpi"]["second"]["tokens"] < found["kpi"]["first"]["tokens"]


def test_a_set_point_from_a_saved_moment_for_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = open_run("small")
    run.sim.advance(100)
    snapshot.save(run, tmp_path / "a.twin")
    loop = run.sim.site.names["loop"][0]
    assert main(["branch", str(tmp_path / "a.twin"), "--for", "10m", "--set", f"{loop}.supply_c=24 degC"]) == 0
    text = capsys.readouterr().out
    assert f"{loop}.supply_c = 24 degC, at 1m40s" in text
    assert text.split("plant\n")[1].startswith(f"  {loop}")
    assert "equal to the bit: weather" in text
    assert "key figure" in text


def test_nothing_notable_is_said_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["branch", "small", "--at", "1m", "--for", "5s", "--command", "fault price_spike value=1"]) == 0
    assert "nothing differs notably" in capsys.readouterr().out


@pytest.mark.parametrize(("words", "says"), [
    ((), "both futures would be the same"),
    (("--set", "hall.A.row.2.racks=3"), "no set-point"),
    (("--set", "warm.suply_c=3"), "no set-point is called"),
    (("--set", "supply_c=900"), "out of range"),
    (("--command", "explode"), "is no command"),
    (("--command", "fault nothing"), "no fault is called"),
    (("--command", "fault heat_wave value=x"), "not a number"),
    (("--command", "fault heat_wave for=x"), "duration"),
    (("--command", "set supply_c"), "sets nothing"),
    (("--command", "fault heat_wave '"), "is no command"),
    (("--command", "fault heat_wave", "--for", "0s"), "nothing is left to run"),
])
def test_bad_input_is_one_clear_error(words: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["branch", "small", *words]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1


def test_commands_are_written_as_they_are_read() -> None:
    sim = open_run("small", history=False).sim
    pump = sim.site.names["pump"][0]
    for text in (f"fault cdu_pump_trip {pump} for=5m", "fault heat_wave value=8", f"clear cdu_pump_trip {pump}",
                 f"set {sim.site.names['loop'][0]}.supply_c 24"):
        command = parse_command(text, sim, 60 * S)
        assert command.at_ns == 60 * S
        assert write_command(command) == text
    late = parse_command("fault heat_wave value=8 at=+2m", sim, 60 * S)
    assert late.at_ns == 180 * S
    assert parse_command("set supply_c=75degF", sim, 0).value == pytest.approx(23.888889)
