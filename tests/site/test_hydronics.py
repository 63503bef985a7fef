"""Row loops, CDUs and plant loops from a specification."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from twin.catalog.loader import load_catalog
from twin.errors import CatalogError, SpecError
from twin.site.hydronics import Hydronics, build_hydronics
from twin.site.spec import Spec
from twin.site.topology import build_topology

WARM = {"name": "warm", "supply_c": 32.0, "heat_reject": [{"type": "dry-cooler-2900kw", "count": 4},
                                                          {"type": "tower-5mw", "count": 1}]}
CHILLED = {"name": "chilled", "supply_c": 18.0, "chillers": {"type": "carnot-1500kw", "count": 3, "spare": 1}}
LIQUID_ROW = {"racks": 16, "rack": "gb200-nvl72", "cdu": {"type": "cdu-1350kw", "count": 3, "spare": 1}, "repeat": 2}
AIR_ROW = {"racks": 4, "rack": "hgx-h100-x4"}


def hydronics(rows: list[Any], loops: list[Any]) -> Hydronics:
    spec = msgspec.convert({"scenario": {"title": "t"}, "plant": {"loop": loops},
                            "hall": [{"name": "A", "row": rows}]}, Spec)
    catalog = load_catalog()
    return build_hydronics(spec, catalog, build_topology(spec, catalog))


def test_axes_names_and_connections() -> None:
    site = hydronics([LIQUID_ROW, AIR_ROW], [WARM, CHILLED])
    assert dict(site.axes) == {"tank": 0, "tcs": 2, "cdu": 6, "pump": 12, "loop": 2, "rejector": 2, "chiller": 1}
    assert site.names["tcs"] == ["A1.tcs", "A2.tcs"]
    assert site.names["cdu"][3] == "A2.cdu1"
    assert site.names["pump"][6] == "A2.cdu1.pumpA"
    assert site.names["rejector"] == ["warm.dry1", "warm.tower1"]
    assert site.names["chiller"] == ["chilled.chillers"]
    assert list(site.rack_tcs) == [0] * 16 + [1] * 16 + [-1] * 4
    assert site.tcs_rack_ptr.tolist() == [[0, 16], [16, 32]]
    assert site.cdu_tcs.tolist() == [0, 0, 0, 1, 1, 1]
    assert site.pump_cdu.tolist() == [c for c in range(6) for _ in range(2)]
    assert site.rack_cp_j_kgk[0] == pytest.approx(3958.5)
    assert site.rack_cp_j_kgk[-1] == 0.0
    assert not site.rack_tcs.flags.writeable


def test_chillers_are_calculated_before_the_loop_that_takes_their_heat() -> None:
    chilled = {**CHILLED, "condenser": "warm"}
    site = hydronics([AIR_ROW], [WARM, chilled])
    assert site.loop_order.tolist() == [1, 0]
    assert site.chiller_condenser_loop.tolist() == [0]


def test_volume_and_pumps_as_stated() -> None:
    site = hydronics([AIR_ROW], [{**WARM, "volume_m3": 100.0, "pumps": {"type": "sized", "count": 5, "spare": 2}}])
    assert site.loop["half_capacity_j_k"][0] == pytest.approx(50.0 * 997.15 * 4180.5)
    assert (site.loop["pumps"][0], site.loop["pump_spares"][0]) == (5, 2)


@pytest.mark.parametrize(("rows", "loops", "says"), [
    ([{"racks": 2, "rack": "gb200-nvl72"}], [WARM], "no CDU"),
    ([{**AIR_ROW, "cdu": {"type": "cdu-1350kw"}}], [WARM], "no use for a CDU"),
    ([LIQUID_ROW], [CHILLED, {**WARM, "name": "tepid"}], "no plant loop 'warm'"),
    ([{**LIQUID_ROW, "cdu": {"type": "cdu-1350kw", "loop": "wram"}}], [WARM], "did you mean 'warm'"),
    ([{**LIQUID_ROW, "cdu": {"type": "cdu-1350kw", "count": 2, "spare": 2}}], [WARM], "all 2 CDUs are spares"),
    ([{**LIQUID_ROW, "cdu": {"type": "cdu-1350kw", "supply_c": 60.0}}], [WARM], "out of the range"),
    ([AIR_ROW], [{"name": "warm", "supply_c": 30.0}], "nothing cools"),
    ([AIR_ROW], [WARM, WARM], "same name"),
    ([AIR_ROW], [{**CHILLED, "condenser": "chilled"}], "into that loop"),
    ([AIR_ROW], [{**CHILLED, "name": "a", "condenser": "b"}, {**CHILLED, "name": "b", "condenser": "a"}], "circle"),
])
def test_what_cannot_be_built_is_said_clearly(rows: list[Any], loops: list[Any], says: str) -> None:
    with pytest.raises(SpecError, match=says):
        hydronics(rows, loops)


def test_the_only_loop_needs_no_name() -> None:
    assert hydronics([LIQUID_ROW], [{**WARM, "name": "water"}]).cdu_loop.tolist() == [0] * 6


def test_unknown_equipment_names_the_nearest() -> None:
    with pytest.raises(CatalogError, match="cdu-1350kw"):
        hydronics([{**LIQUID_ROW, "cdu": {"type": "cdu-1530kw"}}], [WARM])
