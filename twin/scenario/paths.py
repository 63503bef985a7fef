"""``--set path.to.key=value``: one dotted path reaches every field of a specification.

Tables are stepped into by key, list elements by name or 1-based number: ``hall.A.row.2.racks``,
``job.pretrain.gpus``, ``plant.loop.warm.heat_reject.1.count``. An element's own name also stands for its
list, as it does in events: ``plant.warm.supply_c``, ``pretrain.gpus``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec.inspect as mi

from twin.errors import SpecError, nearest
from twin.scenario.reading import bare
from twin.scenario.toml import parse_toml


def split_setting(text: str) -> tuple[str, Any]:
    """Split ``path=value``; the value is read as TOML, or as plain text when it is not TOML.

    >>> split_setting("hall.A.row.2.racks=8"), split_setting("site.weather=epw:a.epw")
    (('hall.A.row.2.racks', 8), ('site.weather', 'epw:a.epw'))

    Raises:
        SpecError: there is no ``=`` or no path.
    """
    path, sign, written = text.partition("=")
    path, written = path.strip(), written.strip()
    if not sign or not path:
        raise SpecError(f"'{text}' sets nothing", where="--set", expected="path.to.key=value")
    try:
        table = parse_toml(f"x = {written}")
    except SpecError:
        return path, written
    return path, table["x"] if set(table) == {"x"} else written


def put(tree: dict[str, Any], path: str, value: Any, described: mi.Type, *, where: str = "--set",
        relative_to: Path | None = None) -> None:
    """Write ``value`` at ``path`` into plain tables, creating optional tables on the way.

    Args:
        tree: plain tables as read from a file; changed in place.
        path: dotted path.
        value: plain value, with its unit or not; ``none`` takes an optional table away.
        described: type of the whole tree.
        where: shown in errors before the path.
        relative_to: folder that a file name is taken from; unchanged when None.

    Raises:
        SpecError: the path does not lead anywhere; names the nearest valid step.
    """
    steps = path.split(".")
    spot: Any = tree
    kind, extra, _ = bare(described)
    number = 0
    while True:
        step = steps[number]
        here = f"{where} {'.'.join(steps[: number + 1])}"
        last = number == len(steps) - 1
        if isinstance(kind, mi.StructType):
            fields = {field.encode_name: field.type for field in kind.fields}
            listed = _lists_with(spot, fields, step) if step not in fields and not last else []
            if len(listed) == 1:
                steps.insert(number, listed[0])
                continue
            if step not in fields:
                raise SpecError("there is no such key", where=here, expected="one of " + ", ".join(fields),
                                nearest=nearest(step, fields))
            key: Any = step
            kind, extra, _ = bare(fields[step])
        elif isinstance(kind, mi.ListType):
            key = _index(spot, step, here)
            kind, extra, _ = bare(kind.item_type)
        elif isinstance(kind, mi.DictType):
            # The last table of free keys takes the rest of the path, dots included: expect.kpi.pue.
            inner = isinstance(bare(kind.value_type)[0], mi.DictType)
            key, last = (step, last) if inner else (".".join(steps[number:]), True)
            kind, extra, _ = bare(kind.value_type)
        else:
            raise SpecError(f"'{steps[number - 1]}' has no keys inside", where=here)
        if last and value == "none" and isinstance(kind, mi.StructType):
            if isinstance(spot, dict):
                spot.pop(key, None)  # an optional table is taken away
            return
        if last:
            spot[key] = _file(value, relative_to) if extra.get("unit") == "file" else value
            return
        spot = _enter(spot, key, kind, here)
        number += 1


def absolute_files(tree: dict[str, Any], described: mi.Type, folder: Path) -> None:
    """Make the file names in plain tables absolute, taking relative ones from ``folder``."""
    kind, _, _ = bare(described)
    if isinstance(kind, mi.StructType) and isinstance(tree, Mapping):
        for field in kind.fields:
            inner, extra, _ = bare(field.type)
            if field.encode_name not in tree:
                continue
            if extra.get("unit") == "file":
                tree[field.encode_name] = _file(tree[field.encode_name], folder)
            elif isinstance(inner, mi.StructType):
                absolute_files(tree[field.encode_name], inner, folder)


def _lists_with(spot: Any, fields: Mapping[str, mi.Type], name: str) -> list[str]:
    """Return the lists of a table that have an element of that name."""
    return [key for key, kind in fields.items() if isinstance(bare(kind)[0], mi.ListType) and isinstance(spot, Mapping)
            and any(isinstance(item, Mapping) and item.get("name") == name for item in spot.get(key) or ())]


def _enter(spot: Any, key: Any, kind: mi.Type, here: str) -> Any:
    if isinstance(spot, dict) and key not in spot:
        spot[key] = [] if isinstance(kind, mi.ListType) else {}
    inner = spot[key]
    if not isinstance(inner, dict | list):
        raise SpecError("this is a value, not a table", where=here)
    return inner


def _index(items: Any, step: str, here: str) -> int:
    if not isinstance(items, list):
        raise SpecError("this is not a list", where=here)
    names = [str(item.get("name", "")) if isinstance(item, Mapping) else "" for item in items]
    if step in names:
        return names.index(step)
    if step.isascii() and step.isdigit() and 1 <= int(step[:9]) <= len(items):
        return int(step) - 1
    known = [name for name in names if name]
    numbers = f"a number from 1 to {len(items)}" if items else "nothing: the list is empty"
    expected = ", ".join(known) or numbers
    raise SpecError(f"there is no element '{step}'", where=here, expected=expected, nearest=nearest(step, known))


def _file(value: Any, folder: Path | None) -> Any:
    if folder is None or not isinstance(value, str) or not value:
        return value
    prefix, colon, name = value.partition(":") if value.startswith("epw:") else ("", "", value)
    if not colon and "." not in name and "/" not in name:
        return value  # the name of a climate class, not of a file
    return prefix + colon + str((folder / Path(name).expanduser()).absolute())
