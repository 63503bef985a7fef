"""The same scenario gives the same bits on every machine, Python version and vector width: pinned digests.

A change of physics changes them; then renew the file with ``python -m tests.golden.test_digests`` and say so in
CHANGELOG.md under *Physics*. A difference without such a change is a defect.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from twin.scenario.open import open_run

FILE = Path(__file__).with_name("digests.json")
TICKS = {"small": 400, "demo": 120, "frontier": 30, "trace": 120, "campus": 5}


def digest(name: str) -> str:
    """Run a built-in scenario for its number of ticks and return the digest of its state."""
    sim = open_run(name, history=False).sim
    sim.advance(TICKS[name])
    return sim.digest()


@pytest.mark.parametrize("name", TICKS)
def test_the_bits_are_the_pinned_ones(name: str) -> None:
    assert digest(name) == json.loads(FILE.read_text())[name]


@pytest.mark.parametrize("variant", ["base", "v3", "v4"])
def test_every_vector_width_gives_the_same_bits(variant: str) -> None:
    code = "from tests.golden.test_digests import digest; print(digest('small'))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False,
                         cwd=Path(__file__).parents[2], env=os.environ | {"TWIN_KERNEL_VARIANT": variant})
    if out.returncode and "variant" in out.stderr.lower():
        pytest.skip(f"this processor has no {variant}")
    assert out.stdout.strip() == json.loads(FILE.read_text())["small"], out.stderr


if __name__ == "__main__":
    FILE.write_text(json.dumps({name: digest(name) for name in TICKS}, indent=2) + "\n")
