"""Controllers are plug-ins: they see a read-only view of the state and write one set-point.

A scenario asks for one with ``[[control]]``; it is found by its name among the entry points of the group
``twin.controllers``. What it remembers lies in a few numbers of the state, so snapshots hold it and the same
run gives the same bits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from types import SimpleNamespace
from typing import Any, Protocol

from twin.arrays import F64
from twin.errors import SpecError, nearest
from twin.site.site import Site
from twin.units import NS_PER_S

GROUP = "twin.controllers"
#: our own, so that they are found from a source tree too
BUILT_IN = {
    "feed-forward": "twin.control.feed_forward:FeedForward", "pi": "twin.control.pid:PiLoop",
    "supply-reset": "twin.control.supply_reset:SupplyReset", "trim-respond": "twin.control.trim_respond:TrimRespond",
}


@dataclass(frozen=True)
class ControllerBind:
    """What a controller is given.

    Attributes:
        site: the immutable plant.
        views: every block by name, read-only.
        write: writes the set-point, clamped to its range.
        memory: eight numbers of the state that are the controller's own, zero at first.
        options: the parameters of its ``[[control]]`` table.
        measure: reads what its table says under ``measure``; None when it says nothing.
        read: reads the set-point as it is now (the first element's, when it moves several).
        low, high: range of the set-point.
    """

    site: Site
    views: SimpleNamespace
    write: Callable[[float], None]
    memory: F64
    options: Mapping[str, float]
    measure: Callable[[], float] | None = None
    read: Callable[[], float] = lambda: 0.0
    low: float = -math.inf
    high: float = math.inf


class Controller(Protocol):
    """Something that moves a set-point before the domains run."""

    def step(self, now_ns: int, dt_ns: int) -> None:
        """Look and act; called once a tick."""


def controllers() -> dict[str, str]:
    """Return the names of the controllers that are installed, with where each is found."""
    return BUILT_IN | {point.name: point.value for point in entry_points(group=GROUP)}


def make_controller(name: str, bind: ControllerBind) -> Controller:
    """Make a controller by name.

    Raises:
        SpecError: no controller has that name, or it refuses its options.
    """
    made: Controller = _class_of(name)(bind)
    return made


def _class_of(name: str) -> Any:
    known = controllers()
    if name not in known:
        raise SpecError(f"no controller is called '{name}'", where="control", expected="one of " + ", ".join(known),
                        nearest=nearest(name, known))
    module, _, attribute = known[name].partition(":")
    return getattr(import_module(module), attribute)


def describe(name: str) -> tuple[str, str]:
    """Return what a controller does, in a sentence, and its options, from its class's docstring.

    Raises:
        SpecError: no controller has that name.
    """
    doc = " ".join((_class_of(name).__doc__ or "").replace("``", "`").split())
    does, _, rest = doc.partition("Options: ")
    return does.strip(), rest.partition("Memory:")[0].strip()


def take_options(name: str, given: Mapping[str, float], defaults: Mapping[str, float]) -> dict[str, float]:
    """Return the defaults with what was given; raise SpecError for an option that does not exist."""
    for key in given:
        if key not in defaults:
            raise SpecError(f"'{name}' has no option '{key}'", where="control", expected=", ".join(defaults),
                            nearest=nearest(key, defaults))
    return {**defaults, **given}


def need_measure(name: str, bind: ControllerBind) -> Callable[[], float]:
    """Return what the controller measures; raise SpecError when its table does not say."""
    if bind.measure is None:
        raise SpecError(f"'{name}' needs to know what it measures", where="control",
                        expected='measure = "A1 liquid.tcs_return_temp_c max"')
    return bind.measure


def sample_due(memory: F64, now_ns: int, dt_ns: int, sample_s: float) -> float:
    """Return the time since a controller last acted, s, when its next sample is due, else -1.

    Keeps that time in ``memory[1]`` and looks into ``memory[2]``, which the controller sets to 1 once it has begun. The
    first sample is the first boundary after the start: before the first tick nothing has been computed. A tick that
    is longer than the sample time gives one action a tick.
    """
    if now_ns == 0:
        return -1.0
    memory[1] += dt_ns / NS_PER_S
    if memory[2] and memory[1] < sample_s - 1e-9:
        return -1.0
    elapsed_s = float(memory[1])
    memory[1] = 0.0
    return elapsed_s
