"""The examples of docs/api.md do what the page says, in its order; and importing the package stays cheap."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import twin
from twin import api
from twin.errors import InputError

PAGE = Path(__file__).parents[1] / "docs" / "api.md"


def test_the_examples_run() -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert len(blocks) > 8
    space: dict[str, object] = {}
    for number, block in enumerate(blocks, 1):
        exec(compile(block, f"docs/api.md, block {number}", "exec"), space)


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = "import sys, twin; print(sorted(m for m in ('numpy', 'msgpack', 'textual', 'twin.api') if m in sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_every_name_that_is_promised_is_there() -> None:
    for name in api.__all__:
        assert getattr(twin, name) is not None
        assert name in dir(twin)
    with pytest.raises(AttributeError, match="nothing_of_the_kind"):
        twin.nothing_of_the_kind  # noqa: B018


def test_a_column_and_a_history_that_do_not_exist_name_the_nearest() -> None:
    sim = twin.load("small").sim
    with pytest.raises(InputError, match=r"did you mean 'chip\.gpu_temp_c'"):
        sim.column("chip.gpu_temp")
    with pytest.raises(InputError, match="no history is kept"):
        sim.history("chip.gpu_temp_c")
    with pytest.raises(InputError, match="warm"):
        sim.history("plant.loop_supply_temp_c", "wam")
