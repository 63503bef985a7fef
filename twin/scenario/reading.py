"""From the plain tables of a file to values of the right type, and back.

``read`` walks a table beside its type: unknown keys, wrong types and wrong units are found here, each named by
its dotted path. Ranges and patterns are then checked by msgspec.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec
import msgspec.inspect as mi

from twin.errors import InputError, SpecError, nearest
from twin.units import format_duration, parse_duration_ns, parse_quantity

_WORDS: dict[type, str] = {mi.StrType: "text", mi.IntType: "a whole number", mi.FloatType: "a number",
                           mi.BoolType: "true or false"}


@cache
def type_of(cls: type) -> mi.StructType:
    """Return the described type of a specification class."""
    found = mi.type_info(cls)
    assert isinstance(found, mi.StructType)
    return found


def bare(described: mi.Type) -> tuple[mi.Type, dict[str, Any], str]:
    """Return (type without description and without None, extra, description) of a described type."""
    extra: dict[str, Any] = {}
    text = ""
    while True:
        if isinstance(described, mi.Metadata):
            extra = {**(described.extra or {}), **extra}
            text = text or str((described.extra_json_schema or {}).get("description", ""))
            described = described.type
        elif isinstance(described, mi.UnionType) and any(isinstance(t, mi.NoneType) for t in described.types):
            described = next(t for t in described.types if not isinstance(t, mi.NoneType))
        else:
            return described, extra, text


def convert(tree: Mapping[str, Any], cls: type, *, file: str = "") -> Any:
    """Return an instance of the specification class ``cls`` from plain tables.

    Raises:
        SpecError: with file, dotted key, what was expected and the nearest valid name.
    """
    plain = read(tree, type_of(cls), "", file)
    try:
        return msgspec.convert(plain, cls, strict=True)
    except (msgspec.ValidationError, OverflowError) as error:
        what, _, place = str(error).partition(" - at `")
        value, described, keys = _follow(plain, type_of(cls), place.rstrip("`"))
        expected = range_text(described) or what.removeprefix("Expected ")
        shown = _shown(tree_value(value, described))
        raise SpecError(f"{shown} is out of range", where=locate(file, keys), expected=expected) from None


def read(value: Any, described: mi.Type, path: str, file: str) -> Any:
    """Return ``value`` with quantities and durations read; check keys and types on the way down.

    Raises:
        SpecError: an unknown key, or a value of another type or unit.
    """
    kind, extra, _ = bare(described)
    unit = str(extra.get("unit", ""))
    if isinstance(kind, mi.StructType):
        return _read_struct(value, kind, path, file)
    if isinstance(kind, mi.ListType):
        if not isinstance(value, list):
            raise SpecError(f"{_shown(value)} is not a list", where=locate(file, path), expected=_list_hint(kind, path))
        return [read(item, kind.item_type, f"{path}.{_name_of(item, i)}", file) for i, item in enumerate(value)]
    if isinstance(kind, mi.DictType):
        if not isinstance(value, Mapping):
            raise SpecError(f"{_shown(value)} is not a table", where=locate(file, path), expected="a table")
        return {key: read(item, kind.value_type, f"{path}.{key}", file) for key, item in value.items()}
    if isinstance(value, datetime.datetime | datetime.date) and isinstance(kind, mi.StrType):
        return value.isoformat()
    if unit == "duration":
        return _read_duration(value, path, file)
    if isinstance(kind, mi.FloatType):
        return _read_float(value, unit, path, file)
    return _read_plain(value, kind, path, file)


def range_text(described: mi.Type) -> str:
    """Return the allowed range of a number or the form of a text, in words; empty when anything goes.

    >>> from twin.site.spec import ScenarioSpec
    >>> range_text(next(f.type for f in type_of(ScenarioSpec).fields if f.name == "tick"))
    '10ms to 1m'
    """
    kind, extra, _ = bare(described)
    if isinstance(kind, mi.StrType) and kind.pattern:
        return "letters, digits, - and _, at most 64"
    if isinstance(kind, mi.LiteralType):
        return ", ".join(value for value in sorted(map(str, kind.values)) if value)
    if not isinstance(kind, mi.IntType | mi.FloatType):
        return ""
    unit = str(extra.get("unit", ""))

    def say(number: float) -> str:
        return format_duration(int(number)) if unit == "duration" and number else f"{number:,}".removesuffix(".0")

    tail = f" {unit}" if unit not in ("", "duration", "frac") else ""
    if kind.ge is not None and kind.le is not None:
        return f"{say(kind.ge)} to {say(kind.le)}{tail}"
    for bound, word in ((kind.gt, "more than"), (kind.ge, "at least"), (kind.lt, "less than"), (kind.le, "at most")):
        if bound is not None:
            return f"{word} {say(bound)}{tail}"
    return ""


def tree_value(value: Any, described: mi.Type) -> Any:
    """Return a single read value as a file would write it."""
    if bare(described)[1].get("unit") == "duration" and isinstance(value, int):
        return format_duration(value)
    return value


def unread(value: Any, described: mi.Type) -> Any:
    """Return the inverse of ``read``: what a file would say, from the plain values of a specification."""
    kind, extra, _ = bare(described)
    if value is None:
        return None
    if isinstance(kind, mi.StructType):
        fields = {field.encode_name: field.type for field in kind.fields}
        return {key: unread(item, fields[key]) for key, item in value.items() if item is not None}
    if isinstance(kind, mi.ListType):
        return [unread(item, kind.item_type) for item in value]
    if extra.get("unit") == "duration":
        text = format_duration(value)
        return text if parse_duration_ns(text) == value else f"{value}ns"
    return value


def locate(file: str, path: str) -> str:
    """Return ``file: dotted.key`` for an error."""
    return ": ".join(part for part in (file, path.lstrip(".")) if part)


def _read_struct(value: Any, kind: mi.StructType, path: str, file: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise SpecError(f"{_shown(value)} is not a table", where=locate(file, path), expected="a table")
    fields = {field.encode_name: field for field in kind.fields}
    out = {}
    for key, item in value.items():
        field = fields.get(key)
        if field is None:
            close = nearest(key, fields)
            raise SpecError("there is no such key", where=locate(file, f"{path}.{key}"),
                            expected="" if close else "one of " + ", ".join(fields), nearest=close)
        out[key] = read(item, field.type, f"{path}.{key}", file)
    for key, field in fields.items():
        if field.required and key not in out:
            raise SpecError(f"the key '{key}' is missing", where=locate(file, path) or file,
                            expected=bare(field.type)[2].rstrip(".") or "a value")
    return out


def _read_duration(value: Any, path: str, file: str) -> int:
    if isinstance(value, str):
        try:
            return parse_duration_ns(value)
        except InputError as error:
            raise SpecError(error.what, where=locate(file, path), expected=error.expected) from None
    if value == 0 and isinstance(value, int) and not isinstance(value, bool):
        return 0
    raise SpecError(f"{_shown(value)} is not a duration", where=locate(file, path),
                    expected='text with a unit, as in "90s", "5m" or "1h30m"')


def _read_float(value: Any, unit: str, path: str, file: str) -> float:
    if isinstance(value, str) and unit and unit != "file":
        try:
            value = parse_quantity(value, unit)
        except InputError as error:
            raise SpecError(error.what, where=locate(file, path), expected=error.expected) from None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SpecError(f"{_shown(value)} is not a number", where=locate(file, path),
                        expected=f"a number in {unit}" if unit else "a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise SpecError(f"{_shown(value)} is not a finite number", where=locate(file, path), expected="a finite number")
    return number


def _read_plain(value: Any, kind: mi.Type, path: str, file: str) -> Any:
    if isinstance(kind, mi.LiteralType):
        if value not in kind.values or isinstance(value, bool):
            choices = [str(v) for v in kind.values if v != ""]
            raise SpecError(f"{_shown(value)} is not a choice", where=locate(file, path),
                            expected="one of " + ", ".join(choices), nearest=nearest(str(value), choices))
        return value
    word = _WORDS.get(type(kind))
    wanted: Any = {mi.StrType: str, mi.IntType: int, mi.BoolType: bool}.get(type(kind), object)
    if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is int):
        raise SpecError(f"{_shown(value)} is not {word}", where=locate(file, path), expected=str(word))
    return value


def _shown(value: Any) -> str:
    text = f"'{value}'" if isinstance(value, str) else "a table" if isinstance(value, Mapping) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _name_of(item: Any, index: int) -> str:
    name = item.get("name") if isinstance(item, Mapping) else None
    return name if isinstance(name, str) and name else str(index + 1)


def _list_hint(kind: mi.ListType, path: str) -> str:
    if isinstance(bare(kind.item_type)[0], mi.StructType):
        return f"tables headed [[{path.lstrip('.')}]]"
    return "a list in [ ]"


def _steps(place: str) -> list[str | int]:
    steps: list[str | int] = []
    for part in place.removeprefix("$").split("."):
        key, *indices = part.split("[")
        if key:
            steps.append(key)
        steps += [int(i[:-1]) for i in indices if i[:-1].isdigit()]
    return steps


def _follow(value: Any, described: mi.Type, place: str) -> tuple[Any, mi.Type, str]:
    """Return (value, type, dotted key) at msgspec's ``$.hall[0].row[1].racks``: here ``hall.A.row.2.racks``."""
    words: list[str] = []
    for step in _steps(place):
        kind = bare(described)[0]
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            break
        words.append(_name_of(value, step) if isinstance(step, int) else step)
        if isinstance(kind, mi.StructType):
            described = next(field.type for field in kind.fields if field.encode_name == step)
        elif isinstance(kind, mi.ListType):
            described = kind.item_type
        elif isinstance(kind, mi.DictType):
            described = kind.value_type
    return value, described, ".".join(words)
