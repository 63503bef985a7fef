"""What several verbs share: options, JSON output, progress on stderr."""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable
from typing import Any

import click

from twin.errors import InputError
from twin.units import NS_PER_S, parse_duration_ns

#: a hundred years, as in a scenario
DURATION_MAX_NS = 36_525 * 86_400 * NS_PER_S


class Duration(click.ParamType):
    """A duration such as ``90s`` or ``1h30m``; gives integer nanoseconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read the text; a click error names the option."""
        if isinstance(value, int):
            return value
        try:
            duration = parse_duration_ns(value)
        except InputError as error:
            self.fail(str(error), param, ctx)
        if duration > DURATION_MAX_NS:
            self.fail(f"'{value}' is longer than a hundred years", param, ctx)
        return duration


class Speed(click.ParamType):
    """Simulated seconds per second, or ``max``."""

    name = "speed"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read the text; ``max`` gives infinity."""
        if isinstance(value, float):
            return value
        try:
            speed = math.inf if value == "max" else float(str(value).removeprefix("x").removesuffix("x"))
        except ValueError:
            speed = -1.0
        if not speed > 0:
            self.fail(f"'{value}' is not a speed; expected a positive number or 'max'", param, ctx)
        return speed


def set_option(f: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--set PATH=VALUE``, repeatable."""
    return click.option("--set", "sets", metavar="K=V", multiple=True,
                        help="Override a field: --set hall.A.row.2.racks=8. Repeatable.")(f)


def seed_option(f: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--seed N``."""
    return click.option("--seed", type=click.IntRange(0, 2**63 - 1), help="Seed of all random draws.")(f)


def json_option(f: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(f)


def print_json(value: Any) -> None:
    """Print JSON without NaN or infinity (they become null)."""
    print(json.dumps(_finite(value), indent=2, allow_nan=False, ensure_ascii=False))


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(k): _finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(v) for v in value]
    if hasattr(value, "item"):  # a numpy scalar
        return _finite(value.item())
    return value


class Progress:
    """A progress line on stderr, only when stderr is a terminal and the work is long.

    Args:
        total: amount of work, any unit.
        label: what is being done.
    """

    def __init__(self, total: float, label: str) -> None:
        self._total, self._label = max(total, 1e-9), label
        self._begun = self._last = time.perf_counter()
        self._shown = False
        self._on = sys.stderr.isatty()

    def update(self, done: float) -> None:
        """Show how much is done, at most four times a second and not in the first second."""
        now = time.perf_counter()
        if not self._on or now - self._begun < 1.0 or now - self._last < 0.25:
            return
        self._last, self._shown = now, True
        share = min(1.0, done / self._total)
        width = 30
        bar = "━" * int(share * width) + "─" * (width - int(share * width))
        left = (now - self._begun) * (1 - share) / max(share, 1e-6)
        print(f"\r{self._label} {bar} {share:4.0%} {left:5.0f} s left", end="", file=sys.stderr, flush=True)

    def close(self) -> None:
        """Take the line away."""
        if self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
