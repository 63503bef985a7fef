"""The story of CDUs in racks: what it expects holds, and follows from closed forms."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from scipy.optimize import brentq

from twin.catalog.loader import load_catalog
from twin.cli.commands import cli
from twin.scenario.load import load_spec

RHO, CP = 1008.0, 3970.0  # PG25 at 45 degC (handbook, 1b)


def band(key: str) -> tuple[float, float]:
    low, high = load_spec("in-rack")[0].expect[key].split("..")
    return float(low), float(high)


def test_every_expectation_holds() -> None:
    result = CliRunner().invoke(cli, ["replay", "in-rack", "--json"], standalone_mode=False, catch_exceptions=False)
    out = json.loads(result.stdout)
    assert [e for e in out["expect"] if not e["ok"]] == []
    assert len(out["expect"]) >= 20


def test_the_flow_of_the_pump_that_is_left() -> None:
    """One of two pumps in parallel: the unit's curve at twice its own flow, against the rack's dp = K V^n."""
    cdu, rack = load_catalog().get("cdus", "cdu-121kw"), load_catalog().get("racks", "gb200-nvl72")
    design = rack["liquid_flow_design_kg_s"] / 1010.5
    flow = brentq(lambda v: cdu["pump_h0_pa"] + cdu["pump_b_pa_s_m3"] * 2 * v + cdu["pump_a_pa_s2_m6"] * (2 * v) ** 2
                  - rack["liquid_dp_design_pa"] * (v / design) ** rack["branch_n"], 1e-5, 0.01)
    low, high = band("A1.01 liquid.rack_flow_kg_s mean after 8m before 20m")
    assert low < flow * RHO < high
    assert high - low < 0.11 * flow * RHO


def test_the_temperature_of_the_half_mated_tray() -> None:
    """Couplings are 21 % of a branch, half mated they resist five times as much: flow by K^(-1/n). The chips' rise is
    that of their coolant, and of a film that goes with the flow to the power -0.6."""
    rack, gpu = load_catalog().get("racks", "gb200-nvl72"), load_catalog().get("accelerators", "gb200")
    left = (1.0 + 0.21 * 4.0) ** (-1.0 / rack["branch_n"])
    assert left == pytest.approx(0.73, abs=0.01)
    (low, high), (well_low, well_high) = (band(f"A1.03.{k} chip.gpu_temp_c mean after 25m") for k in ("t05", "t06"))
    # 1,200 W each; the compute trays take four fifths of 126 L/min (handbook, T8)
    flow, watts = 0.8 * 126.0 / 60e3 * RHO / 72, 1200.0
    film = gpu["r_plate_coolant_k_w"] * (flow / gpu["plate_flow_design_kg_s"]) ** -gpu["r_plate_exponent"]
    rise = watts * (0.5 / (flow * CP) * (1.0 / left - 1.0) + film * (left**-0.6 - 1.0))
    assert 0.5 * (low + high) - 0.5 * (well_low + well_high) == pytest.approx(rise, abs=0.6)
    assert max(high - low, well_high - well_low) < 0.5 * rise
