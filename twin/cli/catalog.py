"""``twin catalog``: every number with unit, source and grade."""

from __future__ import annotations

from typing import Any

import click

from twin.cli.common import json_option, print_json


@click.command("catalog")
@click.argument("name", required=False)
@json_option
def command(name: str | None, as_json: bool) -> int:
    """List the equipment catalogue, the entries of a kind, or all values of the entry NAME.

    NAME may also be faults, settings, alarms or controllers: what can break, what can be set, what is watched, and what
    moves a set-point by itself.
    """
    if name in ROWS:
        return _rows(name, as_json)
    if name == "controllers":
        return _controllers(as_json)
    from twin.catalog.loader import load_catalog

    catalog = load_catalog()
    if name is None or name in catalog.kinds():
        kinds = catalog.kinds() if name is None else (name,)
        if as_json:
            print_json({kind: {e.name: e.title for e in catalog.entries(kind)} for kind in kinds})
            return 0
        for kind in kinds:
            print(kind)
            for entry in catalog.entries(kind):
                print(f"  {entry.name:<24} {entry.title}")
        return 0
    entries = catalog.find(name)
    if as_json:
        print_json([_as_json(entry, catalog.sources) for entry in entries])
        return 0
    for entry in entries:
        _print(entry, catalog.sources)
    return 0


def _rows(what: str, as_json: bool) -> int:
    from twin.domains import load_domains

    rows = [{"name": row.name, "domain": domain.name, "axis": row.axis} | ROWS[what](row)
            for domain in load_domains() for row in getattr(domain, what)]
    if as_json:
        print_json(rows)
        return 0
    for row in rows:
        print(f"{row['name']:<26} {row['domain']:<9} {row['axis']:<10} {row['doc']}")
        if row.get("value"):
            print(f"{'':<26} value: {row['value']}, {row['lo']:g} to {row['hi']:g}, {row['default']:g} when left out")
        elif "unit" in row:
            print(f"{'':<26} {row['lo']:g} to {row['hi']:g} {row['unit']}".rstrip())
    return 0


def _controllers(as_json: bool) -> int:
    from twin.control.registry import controllers, describe

    known = {name: describe(name) for name in sorted(controllers())}
    if as_json:
        print_json([{"name": name, "doc": doc, "options": options} for name, (doc, options) in known.items()])
        return 0
    for name, (doc, options) in known.items():
        print(f"{name:<26} {doc}")
        print(f"{'':<26} {options}")
    return 0


def _fault(row: Any) -> dict[str, Any]:
    low, high = row.value_range
    return {"doc": row.doc, "value": row.value_doc, "default": row.value_default, "lo": low, "hi": high}


def _setting(row: Any) -> dict[str, Any]:
    return {"doc": row.doc, "unit": row.unit, "lo": row.lo, "hi": row.hi}


def _alarm(row: Any) -> dict[str, Any]:
    return {"doc": f"{row.severity}: {row.message}", "column": row.column, "op": row.op, "threshold": row.threshold,
            "hysteresis": row.hysteresis, "delay_s": row.delay_s, "severity": row.severity, "advice": row.advice}


#: what the domains can do, beside the equipment: rows of which the command line prints the words
ROWS: dict[str, Any] = {"faults": _fault, "settings": _setting, "alarms": _alarm}


def _as_json(entry: Any, sources: Any) -> dict[str, Any]:
    from twin.catalog.schema import unit_of

    return {"kind": entry.kind, "name": entry.name, "title": entry.title, "values": {
        key: {"value": v.value, "unit": unit_of(key), "grade": v.grade, "source": v.source,
              "source_title": sources[v.source].title, "url": sources[v.source].url, "note": v.note}
        for key, v in entry.values.items()}}


def _print(entry: Any, sources: Any) -> None:
    from twin.catalog.schema import unit_of

    print(f"{entry.name} ({entry.kind}): {entry.title}")
    for key, v in entry.values.items():
        unit = unit_of(key)
        shown = f"{v.value:g}" if isinstance(v.value, float) else str(v.value)
        print(f"  {key:<28} {shown + (' ' + unit if unit else ''):<20} {v.grade:<10} {v.note}")
    used = sorted({v.source for v in entry.values.values()} - {"estimate", "calc"})
    for key in used:
        print(f"  [{key}] {sources[key].title} {sources[key].url}".rstrip())
    estimates = sum(v.grade == "estimate" for v in entry.values.values())
    if estimates:
        print(f"  {estimates} of {len(entry.values)} values are engineering estimates without a published source.")
