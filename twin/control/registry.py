"""Controllers are plug-ins: they see a read-only view of the state and write one set-point.

A scenario asks for one with ``[[control]]``; it is found by its name among the entry points of the group
``twin.controllers``. What it remembers lies in a few numbers of the state, so snapshots hold it and the same
run gives the same bits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from types import SimpleNamespace
from typing import Protocol

from twin.arrays import F64
from twin.errors import SpecError, nearest
from twin.site.site import Site

GROUP = "twin.controllers"
#: our own, so that they are found from a source tree too
BUILT_IN = {"supply-reset": "twin.control.supply_reset:SupplyReset"}


@dataclass(frozen=True)
class ControllerBind:
    """What a controller is given.

    Attributes:
        site: the immutable plant.
        views: every block by name, read-only.
        write: writes the set-point, clamped to its range.
        memory: eight numbers of the state that are the controller's own, zero at first.
        options: the parameters of its ``[[control]]`` table.
    """

    site: Site
    views: SimpleNamespace
    write: Callable[[float], None]
    memory: F64
    options: Mapping[str, float]


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
    known = controllers()
    if name not in known:
        raise SpecError(f"no controller is called '{name}'", where="control", nearest=nearest(name, known))
    module, _, attribute = known[name].partition(":")
    made: Controller = getattr(import_module(module), attribute)(bind)
    return made


def take_options(name: str, given: Mapping[str, float], defaults: Mapping[str, float]) -> dict[str, float]:
    """Return the defaults with what was given; raise SpecError for an option that does not exist."""
    for key in given:
        if key not in defaults:
            raise SpecError(f"'{name}' has no option '{key}'", where="control", expected=", ".join(defaults),
                            nearest=nearest(key, defaults))
    return {**defaults, **given}
