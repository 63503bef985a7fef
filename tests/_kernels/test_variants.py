"""Vector variants: same bits, really vectorised, chosen by name; the choice is documented."""

from __future__ import annotations

import doctest
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.chip_rig import ChipRig
from twin._kernels import chip, variants
from twin._kernels.draws import uniform_array
from twin.state.blocks import ChipState

ROWS = (("gb200-nvl72", 2), ("hgx-h100-x4", 1), ("frontier-cabinet", 1))


def storm(variant: str) -> ChipRig:
    """Run through ordinary load, faults, lost flow, throttling and shutdown with odd tick lengths."""
    rig = ChipRig(ROWS, variant=variant)
    gpus = len(rig.chip.gpu_temp_c)
    rig.supply(38.0)
    for tick, dt_s in enumerate((1.0, 0.01, 0.37, 1.0, 60.0, 2.0, 7.3, *[1.0] * 25, 60.0)):
        rig.compute.gpu_util_frac[:] = uniform_array(5, 1, tick, gpus)
        rig.compute.gpu_mem_frac[:] = uniform_array(5, 2, tick, gpus)
        rig.compute.rack_cap_frac[:] = 0.3 if tick == 3 else 1.0
        if tick == 4:
            rig.chip.gpu_r_factor[5] = 3.0
            rig.compute.gpu_on[80:84] = 0
            rig.kernel.refresh()
        if tick == 8:
            rig.liquid.rack_flow_kg_s[0] = 0.0
        rig.kernel.run(dt_s)
    return rig


def test_variants_give_the_same_bits():
    reference = storm("base")
    assert len(np.unique(reference.chip.gpu_throttle)) >= 3, "the storm should meet limits"
    for name in variants.supported()[1:]:
        other = storm(name)
        for column in ChipState.columns:
            one, two = getattr(reference.chip, column.name), getattr(other.chip, column.name)
            assert one.tobytes() == two.tobytes(), f"{name}: {column.name}"


def test_best_variant_is_the_default(monkeypatch):
    monkeypatch.delenv("TWIN_KERNEL_VARIANT", raising=False)
    assert variants.choose() == max(variants.LEVELS[n] for n in variants.supported())
    monkeypatch.setenv("TWIN_KERNEL_VARIANT", "base")
    assert ChipRig().kernel.level == 0
    with pytest.raises(ValueError, match="expected one of base"):
        variants.choose("v9")


def listing() -> str:
    tool = shutil.which("objdump")
    if tool is None or not sys.platform.startswith("linux") or os.uname().machine != "x86_64":
        pytest.skip("needs objdump on x86-64 Linux")
    if os.environ.get("TWIN_KERNELS_DEBUG") == "1":
        pytest.skip("a debug build is not vectorised")
    return subprocess.run([tool, "-d", "--no-show-raw-insn", str(Path(chip.__file__))], check=True,
                          capture_output=True, text=True).stdout


@pytest.mark.parametrize("function,register,packed", [("advance_v3", "ymm", "vdivpd"), ("advance_v4", "zmm", "vdivpd"),
                                                      ("advance_base", "xmm", "divpd")])
def test_hot_loops_are_vectorised(function, register, packed):
    """Clock and temperatures divide three times per GPU: packed divisions in full registers show both loops."""
    bodies = re.findall(rf"<[^>\n]*{function}[^>\n]*>:\n(.*?)(?:\n\n|\Z)", listing(), re.S)
    assert bodies
    text = "\n".join(bodies)
    # two divisions in the electrical pass and one in the thermal pass, in at least the plain and the general form
    assert len(re.findall(rf"\b{packed}\b.*{register}", text)) >= 6
    assert len(re.findall(rf"paddq\b.*{register}", text)) >= 2, "the exponential builds its power of two with integers"
    assert "fmadd" not in text, "a fused multiply-add rounds differently"


def test_examples():
    outcome = doctest.testmod(variants)
    assert outcome.attempted >= 2
    assert outcome.failed == 0
