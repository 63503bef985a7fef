"""Controllers are plug-ins: they see a read-only view and write set-points only.

A controller is found by the entry-point group ``twin.controllers``; a scenario asks for it by name. Its
memory, if it needs any, is an ordinary state block, so snapshots hold it.
"""

from __future__ import annotations

from typing import Protocol

from twin.site.site import Site


class Controller(Protocol):
    """Something that moves set-points before the domains run."""

    name: str

    def step(self, now_ns: int, dt_ns: int) -> None:
        """Look and act; called before the domains of every tick."""


def load_controllers(site: Site) -> tuple[Controller, ...]:
    """Return the controllers that the specification asks for; none asks for any yet."""
    return ()
