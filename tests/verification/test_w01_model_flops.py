"""W01: model FLOPs per token of Llama 3 at 8,192 tokens, against NVIDIA's published table (Megatron-Bridge:
model TFLOP/s per GPU over tokens/s per GPU). Tolerance 0.3 %."""

from __future__ import annotations

import pytest

from twin.catalog.loader import load_catalog
from twin.site.training import flops_per_token


@pytest.mark.parametrize(("model", "published"), [
    ("llama3-8b", 5.148e10), ("llama3-70b", 4.488e11), ("llama3-405b", 2.524e12)])
def test_flops_per_token(model: str, published: float) -> None:
    assert flops_per_token(load_catalog().get("models", model)) == pytest.approx(published, rel=0.003)
