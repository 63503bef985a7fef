"""CDUs in the rack and CDUs that reject into the hall's air."""

from __future__ import annotations

import numpy as np
import pytest
from rig import Rig

from twin.domains.liquid import DOMAIN
from twin.errors import SpecError
from twin.scenario.open import open_run

FAULT = {kind.name: kind for kind in DOMAIN.faults}
IN_RACK = {"racks": 3, "rack": "gb200-nvl72", "cdu": {"type": "cdu-121kw", "count": 1, "supply_c": 40.0}}
MIN = 60 * 10**9
SIDECARS = 'hall.A.row.1.cdu={type="sidecar-70kw", count=4, supply_c=40}'


def test_every_rack_has_the_loop_of_its_own_cdu() -> None:
    rig = Rig([IN_RACK], domains=("liquid",))
    site = rig.hydronics
    assert site.names["tcs"] == ["A1.tcs1", "A1.tcs2", "A1.tcs3"]
    assert site.names["cdu"] == ["A1.cdu1", "A1.cdu2", "A1.cdu3"]
    assert site.rack_tcs.tolist() == [0, 1, 2]
    assert site.tcs_rack_ptr.tolist() == [[0, 1], [1, 2], [2, 3]]
    rig.load(105e3)
    rig.run(1200.0, 2.0)
    liquid = rig.liquid
    assert liquid.rack_supply_temp_c[:3] == pytest.approx([40.0] * 3, abs=0.3)
    assert liquid.cdu_heat_w == pytest.approx([105e3 + liquid.cdu_power_w[0]] * 3, rel=1e-3)
    FAULT["cdu_off"].start(liquid, 1, 1.0)
    rig.run(60.0)
    assert liquid.rack_flow_kg_s[1] < 0.1 * liquid.rack_flow_kg_s[0]
    assert liquid.rack_flow_kg_s[2] == pytest.approx(liquid.rack_flow_kg_s[0], rel=1e-9)
    assert liquid.rack_protected[:3].tolist() == [0, 1, 0]


def test_a_unit_that_rejects_into_the_air_needs_something_that_cools_the_air() -> None:
    with pytest.raises(SpecError, match="has no CRAHs"):
        Rig([{**IN_RACK, "cdu": {"type": "sidecar-70kw", "count": 6}}], domains=("liquid",))


def test_sidecars_give_a_liquid_rack_s_heat_to_the_hall() -> None:
    """Two GB200 racks on four units: no facility water for them, the CRAHs take the heat, and no joule is lost."""
    job = 'job=[{name="all", kind="batch", gpus=144, utilisation=0.8}]'
    sets = ["workload.generator=none", job, "event=[]", "expect={}", "hall.A.crah.count=3"]
    water, air = (open_run("small", sets=[*sets, *extra], history=False).sim for extra in ([], [SIDECARS]))
    for sim in (water, air):
        sim.run_until(40 * MIN)
    liquid, state = air.state.liquid, air.state
    streams = ~np.asarray(air.site.topology.stream_is_air, dtype=bool)
    heat = state.chip.stream_heat_w[streams].sum() + state.power.rack_liquid_heat_w.sum()
    assert liquid.cdu_heat_w.sum() == 0.0
    assert liquid.cdu_primary_flow_kg_s.sum() == 0.0
    assert liquid.cdu_air_heat_w.sum() == pytest.approx(heat + liquid.cdu_power_w.sum(), rel=0.02)
    assert liquid.rack_reject_heat_w.sum() == pytest.approx(liquid.cdu_air_heat_w.sum(), rel=1e-12)
    assert liquid.rack_supply_temp_c[:2].max() == pytest.approx(40.0, abs=1.5)
    more = state.air.crah_heat_w.sum() - water.state.air.crah_heat_w.sum()
    assert more == pytest.approx(liquid.cdu_air_heat_w.sum(), rel=0.1)
    assert state.ledger.residual_rel_max_ratio[0] < 1e-9


def test_a_sidecar_whose_fans_stop_lets_its_rack_warm_up() -> None:
    job = 'job=[{name="all", kind="batch", gpus=144, utilisation=0.8}]'
    sim = open_run("small", sets=["workload.generator=none", job, "event=[]", "expect={}", "hall.A.crah.count=3",
                                  SIDECARS], history=False).sim
    sim.run_until(10 * MIN)
    before = sim.state.liquid.tcs_supply_temp_c[0]
    FAULT["cdu_off"].start(sim.state.liquid, 0, 1.0)
    FAULT["cdu_off"].start(sim.state.liquid, 1, 1.0)
    sim.refresh()
    sim.run_until(11 * MIN)
    assert sim.state.liquid.cdu_air_heat_w[:2].tolist() == [0.0, 0.0]
    assert sim.state.liquid.tcs_supply_temp_c[0] > before + 2.0
    assert sim.state.ledger.residual_rel_max_ratio[0] < 1e-9
