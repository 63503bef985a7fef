"""Write the generated pages of docs/ from the types, blocks, catalogue and rows that they describe.

    python -m docs.generate            # or: make docs

A test fails when a committed page is not what this writes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec.inspect as mi

DOCS = Path(__file__).parent
NOTE = "<!-- Written by `make docs`; change the source instead. -->\n"


def scenario_page() -> str:
    """docs/scenario.md: the hand-written part, then every key from the types."""
    from twin.scenario.reading import type_of
    from twin.site.spec import Spec

    parts = [NOTE, (DOCS / "parts" / "scenario.md").read_text(encoding="utf-8")]
    headings: dict[type, list[str]] = {}
    for heading, described in _sections(type_of(Spec), ""):
        headings.setdefault(described.cls, []).append(heading)
    parts += [_section(names, type_of(cls)) for cls, names in headings.items()]
    return "\n".join(parts)


def state_page() -> str:
    """docs/state.md: the data dictionary, from the blocks."""
    from twin.state.blocks import BLOCKS
    from twin.state.engine_blocks import ENGINE_BLOCKS

    parts = [NOTE, "# State\n",
             "Every mutable number of the twin, by block. A domain writes its own block only. The name of a column is",
             "what expectations, exports and the inspector use: `block.column`. Roles: `state` is carried from tick to",
             "tick, `derived` is rewritten every tick, `setpoint` is written by commands and controllers, `fault` by",
             "faults. A column marked *h* is kept in the histories; enum codes stand in the meaning.\n"]
    for block in (*BLOCKS, *ENGINE_BLOCKS):
        doc = " ".join((block.__doc__ or "").split())
        rows = ((f"`{c.name}`", c.axis, c.unit, c.role + (" *h*" if c.history else ""), c.doc) for c in block.columns)
        parts += [f"## {block.block_name}\n", doc + "\n", _table(("column", "per", "unit", "role", "meaning"), rows)]
    return "\n".join(parts)


def events_page() -> str:
    """docs/events.md: faults, set-points and alarms, from the rows of the domains."""
    from twin.control.registry import BUILT_IN, describe
    from twin.domains import load_domains

    domains = load_domains()
    controllers = [(f"`{name}`", *describe(name)) for name in sorted(BUILT_IN)]
    faults = [(f"`{f.name}`", f.axis, f.doc + (f" Value: {f.value_doc}, {f.value_range[0]:g} to {f.value_range[1]:g}, "
                                               f"{f.value_default:g} when left out." if f.value_doc else ""))
              for d in domains for f in d.faults]
    settings = [(f"`{s.name}`", s.axis, f"{s.lo:g} to {s.hi:g} {s.unit}", s.doc) for d in domains for s in d.settings]
    alarms = [(f"`{a.name}`", a.axis, a.severity, f"`{a.column}` {a.op} {a.threshold} for {a.delay_s:g} s", a.advice)
              for d in domains for a in d.alarms]
    return "\n".join([
        NOTE, "# Faults, set-points, alarms\n",
        "What an `[[event]]`, the fault menu and an expectation may name. A target is the short name of an element",
        "of the axis in the second column; a set-point is addressed as `ELEMENT.NAME`, as in `warm.supply_c`.\n",
        "## Faults\n", _table(("fault", "hits a", "what happens"), faults),
        "## Set-points\n", _table(("set-point", "of a", "range", "meaning"), settings),
        "## Alarms\n", _table(("alarm", "of a", "severity", "raised when", "advice"), alarms),
        "## Controllers\n",
        "What a `[[control]]` may name: plug-ins that look at the state and write one set-point each sample.",
        "What they look at stands in `measure`, as `A1 liquid.tcs_return_temp_c max`.\n",
        _table(("controller", "what it does", "options"), controllers),
    ])


def catalog_page() -> str:
    """docs/catalog.md: every entry with unit, grade and source of each value."""
    from twin.catalog.entry import GRADES
    from twin.catalog.loader import load_catalog
    from twin.catalog.schema import unit_of

    catalog = load_catalog()
    parts = [NOTE, "# Catalogue\n", "Equipment as data. Grades:\n",
             "\n".join(f"* **{grade}**: {meaning}" for grade, meaning in GRADES.items()) + "\n"]
    for kind in catalog.kinds():
        parts.append(f"## {kind}\n")
        for entry in catalog.entries(kind):
            rows = ((f"`{key}`", _short(v.value), unit_of(key), v.grade, f"[{v.source}](#sources)", v.note)
                    for key, v in entry.values.items())
            parts += [f"### {entry.name}\n", f"{entry.title}\n",
                      _table(("key", "value", "unit", "grade", "source", "note"), rows)]
    sources = sorted(catalog.sources.values(), key=lambda source: source.key)
    parts += ["## Sources\n", _table(("key", "what", "where"), ((f"`{s.key}`", s.title, s.url) for s in sources))]
    return "\n".join(parts)


def metrics_page() -> str:
    """docs/metrics.md: the hand-written part, then every family of the metrics endpoint."""
    from twin.export.families import EXTRA, FAMILIES, GPU_FIELDS, NOT_SERVED

    gpu = ((f"`{f.name}`", f.kind, "yes" if f.listed else "", f.doc) for f in GPU_FIELDS)
    missing = ((f"`{name}`", why) for name, why in NOT_SERVED.items())
    extra = ((f"`{name}`", kind, labels, doc) for name, (kind, labels, doc) in EXTRA.items())
    rows = ((f"`{f.name}`", f.kind, "" if f.labels == "one" else f.labels.replace("_", " "), f"`{f.column}`", f.doc)
            for f in FAMILIES)
    return "\n".join([
        NOTE, (DOCS / "parts" / "metrics.md").read_text(encoding="utf-8"),
        "## GPUs\n", _table(("family", "type", "default counter of the exporter", "meaning"), gpu),
        "Default counters of the exporter that are not served:\n", _table(("field", "why"), missing),
        "## The run\n", _table(("family", "type", "labels", "meaning"), extra),
        "## The factory\n", _table(("family", "type", "per", "column", "meaning"), rows),
    ])


def manual_page() -> str:
    """docs/twin.1: the manual page."""
    from docs.man_page import man_page

    return man_page()


def laws_md() -> str:
    """docs/laws.md: every equation with range and source."""
    from docs.laws_page import laws_page

    return laws_page(NOTE)


PAGES: dict[str, Callable[[], str]] = {
    "laws.md": laws_md,
    "twin.1": manual_page,
    "metrics.md": metrics_page,
    "scenario.md": scenario_page, "state.md": state_page, "events.md": events_page, "catalog.md": catalog_page,
}


def _sections(described: mi.StructType, prefix: str, in_list: bool = False) -> Iterable[tuple[str, mi.StructType]]:
    """Yield (heading, type) of a table and of the tables inside it that have a heading of their own."""
    from twin.scenario.reading import bare

    if prefix:
        yield (f"[[{prefix}]]" if in_list else f"[{prefix}]"), described
    else:
        yield "Top level", described
    for field in described.fields:
        kind = bare(field.type)[0]
        many = isinstance(kind, mi.ListType)
        inner = bare(kind.item_type)[0] if isinstance(kind, mi.ListType) else kind
        if isinstance(inner, mi.StructType):
            yield from _sections(inner, f"{prefix}.{field.encode_name}".lstrip("."), many)


def _section(headings: list[str], described: mi.StructType) -> str:
    from twin.scenario.reading import bare, range_text

    rows = []
    for field in described.fields:
        kind, extra, text = bare(field.type)
        unit = str(extra.get("unit", ""))
        unit = {"duration": "duration", "file": "file name", "frac": "fraction"}.get(unit, unit)
        allowed = "" if isinstance(kind, mi.StrType) and kind.pattern is None else range_text(field.type)
        word = unit if unit in ("duration", "file name") else _type_word(kind, str(extra.get("kind", "")))
        rows.append((f"`{field.encode_name}`", word, "" if word == unit else unit, _default(field),
                     allowed, text[:1].upper() + text[1:]))
    doc = " ".join((described.cls.__doc__ or "").split())
    doc = re.sub(r"^``[^`]*``: ", "", doc)
    title = "### " + ", ".join(name if name == "Top level" else f"`{name}`" for name in headings) + "\n"
    table = _table(("key", "type", "unit", "default", "range", "meaning"), rows)
    return "\n".join([title, doc[:1].upper() + doc[1:] + "\n", table])


def _type_word(kind: mi.Type, catalogue: str) -> str:
    if catalogue and isinstance(kind, mi.StrType):
        return f"name among {catalogue}"
    if isinstance(kind, mi.ListType):
        inner = kind.item_type
        return "tables" if "Struct" in type(inner).__name__ else "list"
    words: dict[type, str] = {mi.StrType: "text", mi.IntType: "whole number", mi.FloatType: "number",
                              mi.BoolType: "true or false", mi.LiteralType: "choice", mi.StructType: "table",
                              mi.DictType: "table of free keys"}
    return words.get(type(kind), "")


def _default(field: mi.Field) -> str:
    from twin.scenario.schema import default_of

    if field.required:
        return "**required**"
    value = default_of(field)
    if value in (None, "", [], {}, "0ms") or isinstance(value, dict):
        return ""
    return f"`{_short(value)}`"


def _short(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:,.10g}" if 1e-4 <= abs(value) < 1e7 or value == 0 else f"{value:g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write every page."""
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
