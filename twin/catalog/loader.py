"""Read the catalogue: real equipment as data, one TOML file per kind, each value with source and grade.

Kinds are read when first asked for. A scenario adds its own entries in ``[catalog.KIND.NAME]`` tables, with the
same keys; ``like = "NAME"`` starts from an existing entry. A user's plain number counts as an estimate.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from twin.catalog.entry import GRADES, Entry, Value
from twin.errors import CatalogError, nearest

#: source key of values that a scenario's own ``[catalog]`` tables bring.
USER = "scenario"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value comes from: what it is called and where it can be read."""

    key: str
    title: str
    url: str = ""


class Catalog:
    """All entries by kind and name; kinds are read lazily.

    Args:
        extra: kind -> name -> key -> value, as in a scenario's ``[catalog]`` table. A value is plain or
            ``{v = ..., s = ..., g = ..., n = ...}``; ``like`` names the entry to start from, ``title`` says
            what a person calls it. An entry without ``like`` stands alone and may replace one of ours.

    Raises:
        CatalogError: an entry of ``extra`` is malformed, or based on an entry that does not exist.
    """

    def __init__(self, extra: Mapping[str, Mapping[str, Mapping[str, Any]]] | None = None) -> None:
        self._extra = extra or {}
        self._kinds: dict[str, dict[str, Entry]] = {}
        self._used: dict[tuple[str, str], Entry] = {}
        for kind in self._extra:
            self._of(kind)

    @property
    def sources(self) -> Mapping[str, Source]:
        """Source key -> Source."""
        return {**_sources(), USER: Source(USER, "stated in the scenario file")}

    def kinds(self) -> tuple[str, ...]:
        """Return the kinds of equipment, in alphabetical order."""
        return tuple(sorted({*_shipped_kinds(), *self._extra}))

    def is_kind(self, kind: str) -> bool:
        """Tell whether the shipped catalogue has such a kind."""
        return kind in _shipped_kinds()

    def entries(self, kind: str) -> tuple[Entry, ...]:
        """Return the entries of a kind in the order of their file.

        Raises:
            CatalogError: no such kind.
        """
        return tuple(self._of(kind).values())

    def get(self, kind: str, name: str) -> Entry:
        """Return one entry.

        Raises:
            CatalogError: no such kind or name; names the nearest one.
        """
        members = self._of(kind)
        found = members.get(name)
        if found is None:
            close = nearest(name, members)
            raise CatalogError(f"there is no '{name}' among the catalogue's {kind}", where=f"catalog.{kind}",
                               expected="" if close else _some(members), nearest=close)
        self._used[(kind, name)] = found
        return found

    def find(self, name: str) -> tuple[Entry, ...]:
        """Return every entry called ``name``, whatever its kind.

        Raises:
            CatalogError: no entry of any kind has that name; names the nearest one.
        """
        found = tuple(entry for kind in self.kinds() for entry in self._of(kind).values() if entry.name == name)
        if not found:
            names = [n for kind in self.kinds() for n in self._of(kind)]
            raise CatalogError(f"the catalogue has no '{name}'", nearest=nearest(name, [*names, *self.kinds()]))
        return found

    def used(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Return the entries asked for so far, in the form of ``extra``: what a snapshot embeds.

        ``Catalog(catalog.used())`` gives the same entries even when the shipped ones have changed.
        """
        out: dict[str, dict[str, dict[str, Any]]] = {}
        for (kind, name), entry in sorted(self._used.items()):
            table: dict[str, Any] = {"title": entry.title}
            for key, value in entry.values.items():
                table[key] = {"v": value.value, "s": value.source, "g": value.grade, "n": value.note}
            out.setdefault(kind, {})[name] = table
        return out

    def _of(self, kind: str) -> dict[str, Entry]:
        found = self._kinds.get(kind)
        if found is not None:
            return found
        if kind not in _shipped_kinds() and kind not in self._extra:
            raise CatalogError(f"the catalogue has no kind '{kind}'", where="catalog",
                               expected=_some(self.kinds()), nearest=nearest(kind, self.kinds()))
        members = dict(_shipped(kind)) if kind in _shipped_kinds() else {}
        self._kinds[kind] = members
        for name, table in self._extra.get(kind, {}).items():
            members[name] = self._user_entry(kind, name, table, members)
        return members

    def _user_entry(self, kind: str, name: str, table: Mapping[str, Any], members: dict[str, Entry]) -> Entry:
        where = f"catalog.{kind}.{name}"
        if not isinstance(table, Mapping):
            raise CatalogError("an entry is a table of keys", where=where)
        base: Mapping[str, Value] = {}
        title = str(table.get("title", name))
        like = table.get("like")
        if like is not None:
            parent = members.get(str(like))
            if parent is None:
                raise CatalogError(f"'like' names '{like}', which is not among the catalogue's {kind}",
                                   where=where, nearest=nearest(str(like), members))
            base = parent.values
        # What a snapshot embeds is complete and may come from another version, with other keys.
        plain = like is not None or any(not isinstance(raw, Mapping) for key, raw in table.items() if key != "title")
        known = set(base).union(*(entry.values for entry in members.values())) if plain else set()
        own = {}
        for key, raw in table.items():
            if key in ("like", "title"):
                continue
            if known and key not in known:
                raise CatalogError(f"no entry of '{kind}' has a key '{key}'", where=where, nearest=nearest(key, known))
            own[key] = _value(raw, where=f"{where}.{key}", source=USER, grade="estimate")
            _check_type(own[key].value, [e.values[key].value for e in members.values() if key in e.values],
                        f"{where}.{key}")
        return Entry(kind, name, title, {**base, **own})


def _check_type(value: Any, others: list[Any], where: str) -> None:
    """Refuse a value that is not of the type that the same key has in other entries, or no finite number."""
    if isinstance(value, list):
        if others and not (isinstance(others[0], list) and len(others[0]) == len(value)):
            raise CatalogError("a list does not fit here", where=where,
                               expected=f"{len(others[0])} numbers" if isinstance(others[0], list) else "one value")
        for number in value:
            _check_type(number, [0.0], where)
        return
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if number and not abs(value) <= 1e100:
        raise CatalogError(f"{value} is not a finite number", where=where, expected="a number")
    if not number and not isinstance(value, str | bool):
        raise CatalogError("this is neither a number nor text", where=where, expected="a number or text")
    if others and type(value) is not type(others[0]) and not (number and isinstance(others[0], int | float)):
        raise CatalogError(f"'{value}' is of the wrong type", where=where,
                           expected="text" if isinstance(others[0], str) else "a number")


def load_catalog(extra: Mapping[str, Mapping[str, Mapping[str, Any]]] | None = None) -> Catalog:
    """Return the catalogue, with a scenario's own entries if given."""
    return Catalog(extra)


def _some(names: Any) -> str:
    known = sorted(names)
    return "one of " + ", ".join(known[:8]) + (", ..." if len(known) > 8 else "")


def _value(raw: Any, *, where: str, source: str = "", grade: str = "") -> Value:
    if not isinstance(raw, Mapping):
        if not grade:
            raise CatalogError("a value needs a source and a grade", where=where,
                               expected="{ v = ..., s = ..., g = ... }")
        return Value(raw, source, grade)
    unknown = set(raw) - {"v", "s", "g", "n"}
    if unknown or "v" not in raw:
        raise CatalogError("this is not a value", where=where, expected="{ v = ..., s = ..., g = ..., n = ... }")
    value = Value(raw["v"], str(raw.get("s", source)), str(raw.get("g", grade)), str(raw.get("n", "")))
    if value.grade not in GRADES:
        raise CatalogError(f"'{value.grade}' is not a grade", where=where, expected=_some(GRADES))
    return value


def _folder() -> Any:
    return resources.files("twin.catalog.data")


@cache
def _shipped_kinds() -> frozenset[str]:
    return frozenset(f.name[:-5] for f in _folder().iterdir() if f.name.endswith(".toml") and f.name != "sources.toml")


@cache
def _shipped(kind: str) -> Mapping[str, Entry]:
    tables = tomllib.loads((_folder() / f"{kind}.toml").read_text(encoding="utf-8"))
    out = {}
    for name, table in tables.items():
        values = {key: _value(raw, where=f"{kind}.{name}.{key}") for key, raw in table.items() if key != "title"}
        out[name] = Entry(kind, name, str(table.get("title", name)), values)
    return out


@cache
def _sources() -> Mapping[str, Source]:
    tables = tomllib.loads((_folder() / "sources.toml").read_text(encoding="utf-8")).get("sources", {})
    return {key: Source(key, str(table["title"]), str(table.get("url", ""))) for key, table in tables.items()}
