"""A digital twin of an AI factory that lives in the terminal.

For scripts and notebooks: ``twin.load("demo")``, ``twin.branch``, ``twin.Session`` and the rest of ``twin.api``
(docs/api.md). They are imported when they are first used, so that the command line answers at once. Their types are in
``__init__.pyi``: no floor of the house depends on what stands above it.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_LAZY = ("Command", "Comparison", "Family", "Run", "Session", "Timeline", "branch", "command", "fork", "load")


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module("twin.api"), name)
    raise AttributeError(f"module 'twin' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})
