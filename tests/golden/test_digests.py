"""The same scenario gives the same bits on every machine, Python version and vector width: pinned digests.

A change of physics changes them; then renew the file with ``python -m tests.golden.digests --write`` and say so in
CHANGELOG.md under *Physics*. A difference without such a change is a defect. ``make digests`` repeats this under every
interpreter that is found and on emulated older processors.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.golden.digests import FILE, TICKS, digest
from twin.scenario.load import scenario_names


@pytest.mark.parametrize("name", TICKS)
def test_the_bits_are_the_pinned_ones(name: str) -> None:
    assert digest(name) == json.loads(FILE.read_text())[name]


def test_every_built_in_scenario_is_pinned() -> None:
    assert sorted(TICKS) == sorted(scenario_names())
    assert list(json.loads(FILE.read_text())) == list(TICKS)


@pytest.mark.parametrize("variant", ["base", "v3", "v4"])
def test_every_vector_width_gives_the_same_bits(variant: str) -> None:
    out = subprocess.run([sys.executable, "-m", "tests.golden.digests", "small", "immersion", "controls"],
                         capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2],
                         env=os.environ | {"TWIN_KERNEL_VARIANT": variant})
    if out.returncode and "variant" in out.stderr.lower():
        pytest.skip(f"this processor has no {variant}")
    assert out.stdout.splitlines() == ["small: the same", "immersion: the same", "controls: the same"], out.stderr
