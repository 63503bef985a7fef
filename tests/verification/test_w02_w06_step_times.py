"""W02 to W06: step times of published training runs.

One efficiency per accelerator and number format is calibrated (H100 fp8 on the mean of W02 to W04, H100 bf16
on the 16,384-GPU run of W05, A100 on the second line of W06); what is tested is that the same number carries
over to other models, plans, sizes and recomputation.

Sources: NVIDIA Megatron-Bridge performance summary (W02 to W04), 2 %; Llama 3 paper, arXiv 2407.21783,
table 4 (W05: 400 TFLOP/s on 16,384, 430 on 8,192), 5 %; Korthikanti et al., arXiv 2205.05198 (W06), 8 %.
"""

from __future__ import annotations

import pytest

from twin.catalog.loader import load_catalog
from twin.site.machine import build_machine
from twin.site.training import Plan, Step, training_step

CATALOG = load_catalog()


def step(model: str, accelerator: str, plan: Plan, precision: str) -> Step:
    return training_step(CATALOG.get("models", model), build_machine(CATALOG.get("accelerators", accelerator), CATALOG),
                         CATALOG.get("phases", "training"), plan, precision, scale_up_gpus=8, nic_bytes_s=45e9)


@pytest.mark.parametrize(("model", "plan", "tokens_s"), [
    ("llama3-405b", Plan(8, 8, 8, 2, vp=8, batch=512), 292.0),
    ("llama3-70b", Plan(4, 8, 2, vp=5, batch=128), 1602.0),
    ("llama3-8b", Plan(1, 1, 8, batch=128), 14451.0),
])
def test_w02_to_w04_tokens_per_gpu(model: str, plan: Plan, tokens_s: float) -> None:
    found = step(model, "h100-sxm", plan, "fp8")
    assert found.tokens_s / plan.gpus == pytest.approx(tokens_s, rel=0.02)


@pytest.mark.parametrize(("dp", "tflops"), [(128, 400.0), (64, 430.0)])
def test_w05_llama3_405b(dp: int, tflops: float) -> None:
    plan = Plan(8, 16, dp, vp=8, batch=2048)
    found = step("llama3-405b", "h100-sxm", plan, "bf16")
    assert found.tokens_s * found.flops_per_token / plan.gpus / 1e12 == pytest.approx(tflops, rel=0.05)
    if dp == 128:
        assert 6.2 <= found.total_s <= 6.5


@pytest.mark.parametrize(("recompute", "seconds"), [(False, 13.75), (True, 18.13)])
def test_w06_gpt3_on_a100(recompute: bool, seconds: float) -> None:
    plan = Plan(8, 8, 1, vp=3, batch=64, recompute=recompute)
    assert step("gpt3-175b", "a100-sxm", plan, "bf16").total_s == pytest.approx(seconds, rel=0.08)
