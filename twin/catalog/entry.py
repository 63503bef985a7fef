"""A catalogue entry: one piece of equipment, each number with its unit (in the key), source and grade."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from twin.errors import CatalogError, nearest

#: grade -> meaning, best first. An ``estimate`` says so wherever it is shown.
GRADES = {
    "datasheet": "vendor data sheet or manual, read",
    "standard": "a standard",
    "measured": "a measurement, published",
    "press": "named press or analyst, or a compilation that names its source",
    "derived": "calculated from graded values by the formula in the note",
    "estimate": "engineering estimate, no published source",
}


@dataclass(frozen=True, slots=True)
class Value:
    """One value: the number (or text, or list of numbers), its source key, grade and a note."""

    value: Any
    source: str
    grade: str
    note: str = ""


@dataclass(frozen=True)
class Entry:
    """A named entry of one kind; behaves as a mapping from key to plain value.

    Attributes:
        kind: ``accelerators``, ``racks``, ``cdus`` ...
        name: the short name used in scenarios.
        title: what a person calls it.
        values: key -> Value.
    """

    kind: str
    name: str
    title: str
    values: Mapping[str, Value]

    def __getitem__(self, key: str) -> Any:
        found = self.values.get(key)
        if found is None:
            raise CatalogError(f"'{self.name}' has no '{key}'", where=f"catalog.{self.kind}",
                               nearest=nearest(key, self.values))
        return found.value

    def get(self, key: str, default: Any = None) -> Any:
        """Return the plain value of ``key`` or ``default``."""
        found = self.values.get(key)
        return default if found is None else found.value

    def __contains__(self, key: object) -> bool:
        return key in self.values

    def __iter__(self) -> Iterator[str]:
        return iter(self.values)
