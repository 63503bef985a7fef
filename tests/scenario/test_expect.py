"""The grammar of [expect]."""

import pytest

from twin.errors import SpecError
from twin.scenario.expect import Quantity, parse_expectations


def one(what, condition, variants=("hot",)):
    (found,) = parse_expectations({what: condition}, variants)
    return found


@pytest.mark.parametrize("what,quantity", [
    ("kpi.pue", Quantity(kpi="pue")),
    ("chip.gpu_temp_c max", Quantity(column="chip.gpu_temp_c", reducer="max")),
    ("chip.gpu_temp_c", Quantity(column="chip.gpu_temp_c", reducer="last")),
    ("alarms.chip_throttle count", Quantity(alarm="chip_throttle", reducer="count")),
    ("A2 alarms.chip_throttle", Quantity(place="A2", alarm="chip_throttle", reducer="count")),
    ("A2 liquid.rack_supply_temp_c max after 10m",
     Quantity(place="A2", column="liquid.rack_supply_temp_c", reducer="max", after_ns=600_000_000_000)),
    ("A2.cdu1 liquid.cdu_heat_w mean before 1h after 10m",
     Quantity(place="A2.cdu1", column="liquid.cdu_heat_w", reducer="mean", after_ns=600_000_000_000,
              before_ns=3_600_000_000_000)),
    ("hot:kpi.pue", Quantity(variant="hot", kpi="pue")),
    ("hot: A1 power.rack_input_w sum", Quantity(variant="hot", place="A1", column="power.rack_input_w", reducer="sum")),
])
def test_quantities(what, quantity):
    assert one(what, "< 1").quantity == quantity


@pytest.mark.parametrize("condition,below,at,above", [
    ("< 2", True, False, False), ("<= 2", True, True, False), ("> 2", False, False, True), (">= 2", False, True, True),
    ("== 2", False, True, False), ("2 .. 2.5", False, True, False), ("-1e3 .. 2.", True, True, False),
])
def test_conditions(condition, below, at, above):
    expectation = one("kpi.pue", condition)
    assert [expectation.holds(v) for v in (1.0, 2.0, 3.0)] == [below, at, above]
    assert not expectation.holds(None)


def test_another_quantity():
    expectation = one("hot:kpi.pue", ">= kpi.pue")
    assert expectation.other == Quantity(kpi="pue")
    assert expectation.holds(1.2, 1.1)
    assert not expectation.holds(1.0, 1.1)
    assert not expectation.holds(1.0, None)


def test_empty_condition_is_left_out():
    assert parse_expectations({"kpi.pue": " "}) == []


@pytest.mark.parametrize("what,condition,says", [
    ("pue", "< 1", "not a quantity"), ("", "< 1", "not a quantity"), ("A2", "< 1", "not a quantity"),
    ("chip.gpu_temp_c maximum", "< 1", "did you mean 'max'"), ("chip.gpu_temp_c max after", "< 1", "needs a time"),
    ("chip.gpu_temp_c max after noon", "< 1", "not a duration"), ("chip.gpu_temp_c after 1m after 2m", "< 1", "after"),
    ("chip.gpu_temp_c max min", "< 1", "does not belong"), ("chip.gpu_temp_c after 2m before 1m", "< 1", "window"),
    ("chip.gpu_temp_c count", "< 1", "only alarms"), ("alarms.x max", "< 1", "counted"),
    ("kpi.pue max", "< 1", "one number"), ("A2 kpi.pue", "< 1", "one number"), ("cold:kpi.pue", "< 1", "no variant"),
    ("-A chip.gpu_temp_c", "< 1", "not a place"), ("kpi.pue", "1", "not a condition"),
    ("kpi.pue", "!= 1", "not a condition"),
    ("kpi.pue", "2 .. 1", "smaller bound first"), ("kpi.pue", "< much", "neither"), ("kpi.pue", "< nan", "neither"),
    ("kpi.pue", "< cold:kpi.pue", "no variant"),
])
def test_errors(what, condition, says):
    with pytest.raises(SpecError, match=says):
        one(what, condition)
