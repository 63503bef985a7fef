"""What a job gets out of an accelerator: its peaks and memory with the efficiencies that software reaches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from twin.catalog.entry import Entry

#: Entry of kind ``performance`` that stands for accelerators without one of their own.
OTHER = "other"
_WIDER = {"fp4": ("fp4", "fp8", "bf16", "fp16"), "fp8": ("fp8", "bf16", "fp16"), "bf16": ("bf16", "fp16")}


@dataclass(frozen=True)
class Machine:
    """An accelerator as a job sees it.

    Attributes:
        name: the accelerator's catalogue name.
        idle_frac: idle power over TDP.
        peak_flops: precision -> dense peak, 1/s; where a format has no units of its own, the next wider one.
        mem_bytes, mem_bytes_s: size and bandwidth of its memory.
        scale_up_bytes_s: rate into its scale-up domain, one direction; 0 when not known.
        efficiency: entry of kind ``performance``.
    """

    name: str
    idle_frac: float
    peak_flops: dict[str, float]
    mem_bytes: float
    mem_bytes_s: float
    scale_up_bytes_s: float
    efficiency: Entry


def idle_share(accelerator: Entry) -> float:
    """Return idle power over TDP of an accelerator's catalogue entry."""
    return float(accelerator["idle_w"]) / float(accelerator["tdp_w"])


def build_machine(accelerator: Entry, catalog: Any) -> Machine:
    """Return the machine of an accelerator's entry.

    Raises:
        CatalogError: the entry does not state the peaks or the memory.
    """
    known = {entry.name for entry in catalog.entries("performance")}
    efficiency = catalog.get("performance", accelerator.name if accelerator.name in known else OTHER)
    peaks = {}
    for precision, formats in _WIDER.items():
        found = next((f for f in formats if f"{f}_flops" in accelerator), formats[-2])
        peaks[precision] = float(accelerator[f"{found}_flops"])
    return Machine(accelerator.name, idle_share(accelerator), peaks, float(accelerator["mem_bytes"]),
                   float(accelerator["mem_bytes_s"]), float(accelerator.get("scale_up_bytes_s", 0.0)) / 2.0,
                   efficiency)
