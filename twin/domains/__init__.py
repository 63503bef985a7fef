"""Verbs: one short story per physical domain. The order of DOMAINS is the order of the tick."""

from __future__ import annotations

from twin.wiring import Domain

ORDER = ("weather", "workload", "network", "storage", "compute", "chip", "power", "liquid", "air", "plant",
         "grid", "ledger")


def load_domains() -> tuple[Domain, ...]:
    """Import every domain and return them in the order of the tick."""
    from importlib import import_module

    return tuple(import_module(f"twin.domains.{name}").DOMAIN for name in ORDER)
