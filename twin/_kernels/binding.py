"""What kernels check once, when they bind their buffers."""

from __future__ import annotations

from typing import Any


def need(buffers: dict[str, Any], name: str, size: int) -> Any:
    """Take a buffer by name out of ``buffers``.

    Raises:
        ValueError: it has another length than ``size``.
        KeyError: it is missing.
    """
    array = buffers.pop(name)
    if array.shape != (size,):
        raise ValueError(f"{name} has shape {array.shape}, not ({size},)")
    return array


def within(name: str, index: Any, low: int, size: int) -> None:
    """Refuse an index array that points outside ``low .. size - 1``, before a kernel reads out of bounds.

    Raises:
        ValueError: it does.
    """
    if len(index) and (min(index) < low or max(index) >= size):
        raise ValueError(f"{name} points beyond {low} .. {size - 1}")
