"""The ledger: totals, key figures, and a residual that shows exactly the joules that are missing."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.domains.ledger import DOMAIN
from twin.domains.ledger.kpi import kpi
from twin.state.blocks import (
    AirState,
    ChipState,
    GridState,
    LedgerState,
    LiquidState,
    PlantState,
    PowerState,
    WorkloadState,
)
from twin.wiring import Bind

AXES = {"one": 1, "gpu": 4, "stream": 1, "rack": 2, "job": 5, "node": 1, "hall": 1, "elec": 1, "ups": 0, "generator": 0,
        "cdu": 2, "crah": 1, "tank": 0, "tcs": 1, "pump": 1, "cell": 1, "aisle": 0, "loop": 1, "rejector": 1,
        "chiller": 0}


class Books:
    """Blocks of a small site, filled by the test as the domains would fill them."""

    def __init__(self, loops: int = 1) -> None:
        axes = {**AXES, "loop": loops}
        self.chip, self.power, self.liquid, self.air = (b(axes) for b in (ChipState, PowerState, LiquidState, AirState))
        self.plant, self.grid, self.ledger, self.workload = (
            b(axes) for b in (PlantState, GridState, LedgerState, WorkloadState))
        self.grid.carbon_kg_kwh[0], self.grid.price_usd_kwh[0] = 0.35, 0.08
        site = SimpleNamespace(axes=axes, electrical=SimpleNamespace(fuel_carbon_kg_kg=3.17, fuel_usd_kg=1.1))
        views = SimpleNamespace(chip=self.chip, power=self.power, liquid=self.liquid, air=self.air, plant=self.plant,
                                grid=self.grid, workload=self.workload)
        self.stepper = DOMAIN.bind(Bind(site=site, own=self.ledger, views=views, seed=1))

    def tick(self, dt_s: float, *, gpus: float, rest_liquid: float, rest_air: float, cdu: float, crah: float,
             plant: float, loss: float, kept: dict[str, float]) -> None:
        """Book watts as a site would: each domain keeps ``kept`` watts and hands the rest on."""
        self.power.it_w[0] = gpus + rest_liquid + rest_air
        self.power.cooling_w[0] = cdu + crah + plant
        self.power.loss_w[0] = loss
        self.power.source_w[0] = self.power.utility_w[0] = (
            self.power.it_w[0] + self.power.cooling_w[0] + loss + kept["power"])
        chip_out = gpus - kept["chip"]
        liquid_in = 0.8 * chip_out + rest_liquid + cdu
        air_in = 0.2 * chip_out + rest_air + crah
        self.liquid.cdu_heat_w[:] = np.array([0.3, 0.7]) * (liquid_in - kept["liquid"])
        self.air.crah_heat_w[0] = air_in - kept["air"]
        plant_in = self.liquid.cdu_heat_w.sum() + self.air.crah_heat_w[0] + plant
        self.plant.rejected_heat_w[0] = plant_in - kept["plant"]
        flows = {"chip": (gpus, chip_out), "power": (self.power.source_w[0], self.power.source_w[0] - kept["power"]),
                 "liquid": (liquid_in, liquid_in - kept["liquid"]), "air": (air_in, air_in - kept["air"]),
                 "plant": (plant_in, plant_in - kept["plant"])}
        for name, (entered, left) in flows.items():
            block = getattr(self, name)
            block.tick_in_j[0], block.tick_out_j[0] = entered * dt_s, left * dt_s
            block.tick_stored_j[0] = kept[name] * dt_s
        self.stepper.step(0, round(dt_s * 1e9))


WATTS = st.floats(0.0, 1e7)
KEPT = st.fixed_dictionaries({name: st.floats(-1e5, 1e5) for name in ("chip", "power", "liquid", "air", "plant")})


@given(gpus=st.floats(1e5, 1e8), rest_liquid=WATTS, rest_air=WATTS, cdu=WATTS, crah=WATTS, plant=WATTS, loss=WATTS,
       kept=KEPT, dt_s=st.sampled_from([0.01, 1.0, 60.0]))
def test_books_that_balance_have_no_residual(dt_s: float, kept: dict[str, float], **watts: float) -> None:
    books = Books()
    books.tick(dt_s, kept=kept, **watts)
    assert books.ledger.residual_rel_max_ratio[0] < 1e-12
    for name in kept:
        assert abs(getattr(books.ledger, f"{name}_residual_j")[0]) <= 1e-9 * books.power.source_w[0] * dt_s


@pytest.mark.parametrize("block,column,sign", [("plant", "tick_out_j", -1), ("chip", "tick_stored_j", -1),
                                               ("air", "tick_stored_j", -1), ("liquid", "tick_out_j", -1)])
def test_a_missing_joule_is_seen(block: str, column: str, sign: int) -> None:
    """Energy that appears in one domain's books and nowhere else is the residual, to the joule."""
    books = Books()
    kept = dict.fromkeys(("chip", "power", "liquid", "air", "plant"), 0.0)
    watts = {"gpus": 1e6, "rest_liquid": 1e5, "rest_air": 1e5, "cdu": 1e4, "crah": 1e4, "plant": 5e4, "loss": 8e4}
    books.tick(1.0, kept=kept, **watts)
    assert abs(books.ledger.residual_j[0]) < 1e-6
    getattr(getattr(books, block), column)[0] += 1234.0
    books.stepper.step(0, 10**9)
    assert books.ledger.residual_j[0] == pytest.approx(sign * 1234.0, abs=1e-6)
    assert getattr(books.ledger, f"{block}_residual_j")[0] == pytest.approx(-1234.0, abs=1e-6)
    assert books.ledger.residual_rel_max_ratio[0] == pytest.approx(1234.0 / books.power.source_w[0], rel=1e-6)
    assert books.ledger.residual_abs_j[0] == pytest.approx(1234.0, abs=1e-5)


def test_without_a_plant_the_loops_give_off_the_heat() -> None:
    books = Books(loops=0)
    kept = dict.fromkeys(("chip", "power", "liquid", "air", "plant"), 10.0)
    books.tick(1.0, kept=kept, gpus=1e6, rest_liquid=1e5, rest_air=1e5, cdu=1e4, crah=1e4, plant=0.0, loss=0.0)
    books.plant.tick_in_j[0] = books.plant.tick_out_j[0] = books.plant.tick_stored_j[0] = 0.0
    books.stepper.step(0, 10**9)
    assert abs(books.ledger.residual_j[0]) < 1e-6


def test_key_figures() -> None:
    """Two hours at 10 MW IT, 12 MW facility: PUE 1.2; CUE = CI x PUE; 3 kg/s of water: WUE 1.08 L/kWh."""
    books = Books()
    kept = dict.fromkeys(("chip", "power", "liquid", "air", "plant"), 0.0)
    books.plant.makeup_kg_s[0] = 3.0
    books.chip.throttled_count[0] = 7
    books.chip.gpu_temp_max_c[0] = 81.5
    for _ in range(120):
        books.tick(60.0, kept=kept, gpus=8e6, rest_liquid=1e6, rest_air=1e6, cdu=2e5, crah=3e5, plant=1e6, loss=5e5)
        books.chip.gpu_temp_max_c[0] = 60.0
    work = books.workload
    work.job_submit_ns[:4] = np.array([0, 10, 20, 30]) * 10**9
    work.job_start_ns[:4] = np.array([0, 110, 220, 330]) * 10**9          # waits 0 100 200 300, one never started
    work.wait_sum_s[0], work.wait_count[0] = 600.0, 4
    work.trained_tokens[0], work.served_tokens[0] = 5e9, 1e9
    work.allocated_gpu_s[0], work.useful_gpu_s[0] = 1000.0, 930.0
    got = kpi(None, books)
    assert got["it_energy_kwh"] == pytest.approx(20_000.0)
    assert got["facility_energy_kwh"] == pytest.approx(24_000.0)
    assert got["pue"] == pytest.approx(1.2)
    assert got["cue_kg_per_kwh"] == pytest.approx(0.35 * 1.2)
    assert got["wue_l_per_kwh"] == pytest.approx(1.08)
    assert got["cost_usd"] == pytest.approx(24_000.0 * 0.08)
    assert got["peak_facility_w"] == pytest.approx(12e6)
    assert got["gpu_temp_c_max"] == 81.5
    assert got["throttled_gpu_s"] == pytest.approx(7 * 7200.0)
    assert got["tokens"] == 6e9
    assert got["goodput_frac"] == pytest.approx(0.93)
    assert got["wait_mean_s"] == 150.0
    assert got["wait_p95_s"] == pytest.approx(np.percentile([0, 100, 200, 300], 95))
    assert got["energy_residual_rel"] < 1e-12
    assert books.ledger.pue_ratio[0] == pytest.approx(1.2)


def test_what_is_undefined_is_none() -> None:
    got = kpi(None, Books())
    for name in ("pue", "wue_l_per_kwh", "cue_kg_per_kwh", "goodput_frac", "wait_mean_s", "wait_p95_s",
                 "gpu_temp_c_max", "energy_residual_rel"):
        assert got[name] is None
    assert all(value is None or value == value for value in got.values())


def test_generators_emit_and_cost_by_their_fuel() -> None:
    books = Books()
    kept = dict.fromkeys(("chip", "power", "liquid", "air", "plant"), 0.0)
    books.tick(1.0, kept=kept, gpus=1e6, rest_liquid=0.0, rest_air=0.0, cdu=0.0, crah=0.0, plant=0.0, loss=0.0)
    carbon, cost = books.ledger.carbon_kg[0], books.ledger.cost_usd[0]
    books.power.utility_w[0] = 0.0
    books.power.fuel_kg_s[0] = 2.0
    books.stepper.step(0, 10 * 10**9)
    assert books.ledger.carbon_kg[0] - carbon == pytest.approx(20.0 * 3.17)
    assert books.ledger.cost_usd[0] - cost == pytest.approx(20.0 * 1.1)
    assert books.ledger.fuel_kg[0] == pytest.approx(20.0)


def test_energy_of_a_job_adds_up_and_a_slot_used_again_begins_anew():
    books = Books()
    kept = dict.fromkeys(("chip", "power", "liquid", "air", "plant"), 0.0)

    def tick(dt_s: float) -> None:
        books.tick(dt_s, gpus=0.0, rest_liquid=0.0, rest_air=0.0, cdu=0.0, crah=0.0, plant=0.0, loss=0.0, kept=kept)

    books.chip.job_gpu_power_w[:3] = 700.0, 250.0, 0.0
    tick(2.0)
    tick(0.5)
    np.testing.assert_allclose(books.ledger.job_gpu_energy_j, [1750.0, 625.0, 0.0, 0.0, 0.0])
    books.workload.job_submit_ns[1] = 10**9
    tick(1.0)
    np.testing.assert_allclose(books.ledger.job_gpu_energy_j, [2450.0, 250.0, 0.0, 0.0, 0.0])
