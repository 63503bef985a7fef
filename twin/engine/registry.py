"""Everything that can be named: faults, settings, alarms of all domains, and how a command finds its place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from twin.errors import CommandError, InternalError, nearest
from twin.site.naming import find
from twin.site.site import Site
from twin.wiring import AlarmKind, Domain, FaultKind, Setting


@dataclass(frozen=True)
class Place:
    """One element, or all elements of an axis (index -1)."""

    axis: str
    index: int
    name: str


class Registry:
    """The rows of all domains, by name.

    Args:
        domains: in the order of the tick.
        site: gives the names of the elements.
    """

    def __init__(self, domains: Sequence[Domain], site: Site) -> None:
        self._site = site
        self.faults: list[tuple[str, FaultKind]] = [(d.name, f) for d in domains for f in d.faults]
        self.settings: list[tuple[str, Setting]] = [(d.name, s) for d in domains for s in d.settings]
        self.alarms: list[tuple[str, AlarmKind]] = [(d.name, a) for d in domains for a in d.alarms]
        self._fault_index = {kind.name: i for i, (_, kind) in enumerate(self.faults)}
        if len(self._fault_index) != len(self.faults):
            raise InternalError("two faults have the same name")

    def fault(self, name: str, *, where: str = "") -> int:
        """Return the index of a fault kind by name."""
        index = self._fault_index.get(name)
        if index is None:
            raise CommandError(f"no fault is called '{name}'", where=where,
                               nearest=nearest(name, self._fault_index))
        return index

    def place(self, axis: str, name: str, *, where: str = "") -> int:
        """Return the index on ``axis`` of the element called ``name``; an axis of one element needs no name."""
        members = self._site.names.get(axis)
        if axis == "one" or (members is None and self._site.axes.get(axis) == 1):
            return 0
        if members is None:
            raise CommandError(f"the site has no {axis}", where=where)
        try:
            return find({axis: members}, name)[1]
        except CommandError as error:
            raise CommandError(f"no {axis} is called '{name}'", where=where,
                               expected=f"one of {_some(members)}" if len(members) else f"a site with a {axis}",
                               nearest=error.nearest) from None

    def setting(self, path: str, *, where: str = "") -> tuple[str, Setting, int]:
        """Return (domain, setting, element index or -1 for all) of ``[domain.][element.]setting``."""
        head, _, last = path.rpartition(".")
        domain, _, rest = head.partition(".")
        if domain in {d for d, _ in self.settings}:
            head = rest
        else:
            domain = ""
        candidates = [(d, s) for d, s in self.settings if s.name == last and domain in ("", d)]
        if not candidates:
            raise CommandError(f"no set-point is called '{path}'", where=where, nearest=nearest(path, self.paths()))
        for owner, setting in candidates:
            if not head or setting.axis == "one":
                return owner, setting, -1
            try:
                return owner, setting, self.place(setting.axis, head)
            except CommandError:
                continue
        raise CommandError(f"no element '{head}' has a set-point '{last}'", where=where,
                           nearest=nearest(path, self.paths()))

    def paths(self) -> list[str]:
        """Return examples of every settable path."""
        out = []
        for domain, setting in self.settings:
            members: Iterable[str] = self._site.names.get(setting.axis, ())
            out += [f"{name}.{setting.name}" for _, name in zip(range(200), members, strict=False)]
            out.append(f"{domain}.{setting.name}")
        return out


def _some(members: Sequence[str]) -> str:
    shown = [members[i] for i in range(min(3, len(members)))]
    return ", ".join(shown) + (" ..." if len(members) > 3 else "")
