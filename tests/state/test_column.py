"""Columns: declared once, checked against their unit, written by one owner only."""

import numpy as np
import pytest

from twin.errors import InternalError
from twin.state.column import F64, I32, Block, column
from twin.state.state import ALL_BLOCKS
from twin.units import BARE_UNITS, suffix_fits


class Toy(Block, name="toy"):
    pipe_temp_c: F64 = column("pipe", "degC", "Water in the pipe.", init=20)
    pipe_open: I32 = column("pipe", "bool", "The pipe is open.", init=1)


def test_block_allocates_its_columns_from_the_axes() -> None:
    block = Toy({"pipe": 3})
    assert block.pipe_temp_c.tolist() == [20.0, 20.0, 20.0]
    assert block.pipe_open.dtype == np.int32
    assert [c.name for c in Toy.columns] == ["pipe_temp_c", "pipe_open"]


def test_a_readonly_view_shares_memory_and_refuses_writes() -> None:
    block = Toy({"pipe": 2})
    view = block.readonly()
    block.pipe_temp_c[1] = 33
    assert view.pipe_temp_c[1] == 33
    with pytest.raises(ValueError, match="read-only"):
        view.pipe_temp_c[0] = 1


def test_a_name_that_does_not_end_in_its_unit_is_refused() -> None:
    with pytest.raises(InternalError, match="does not end so"):
        class Wrong(Block, name="wrong"):
            pipe_temp: F64 = column("pipe", "degC", "Water in the pipe.")


def test_a_missing_axis_is_named() -> None:
    with pytest.raises(InternalError, match="no axis 'pipe'"):
        Toy({"tank": 3})


def test_every_column_of_the_model_is_documented_and_named_by_its_unit() -> None:
    seen = set()
    for block in ALL_BLOCKS:
        for col in block.columns:
            assert col.doc.endswith("."), f"{block.block_name}.{col.name}"
            assert suffix_fits(col.name, col.unit)
            assert (block.block_name, col.name) not in seen
            seen.add((block.block_name, col.name))
    assert len(seen) > 200


@pytest.mark.parametrize(("name", "unit", "fits"), [
    ("gpu_power_w", "W", True), ("gpu_power", "W", False), ("coolant_supply_temp_c_max", "degC", True),
    ("tokens_s", "tokens/s", True), ("flow_kg_s", "kg/s", True), ("flow_kg_s", "kg", False),
])
def test_suffixes(name: str, unit: str, fits: bool) -> None:
    assert suffix_fits(name, unit) is fits
    assert unit not in BARE_UNITS
