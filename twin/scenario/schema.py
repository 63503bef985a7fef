"""The JSON Schema of a scenario file, for editors that complete and check TOML."""

from __future__ import annotations

from typing import Any

import msgspec
import msgspec.inspect as mi

from twin.scenario.reading import bare, type_of, unread
from twin.site.spec import Spec
from twin.units import WRITTEN_UNITS

_DURATION = {"type": "string", "pattern": r"^\s*(\d+(\.\d+)?\s*(ns|us|ms|s|min|m|h|d)\s*)+$"}


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a scenario file.

    It describes the file, not what is read from it: durations are text, numbers with a unit may be text, and
    nothing is required at the top, since a scenario may extend another.
    """
    definitions: dict[str, Any] = {}
    root = _struct(type_of(Spec), definitions)
    root.pop("required", None)
    definitions["ScenarioSpec"].pop("required", None)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Scenario of the twin", **root,
            "$defs": dict(sorted(definitions.items()))}


def _struct(described: mi.StructType, definitions: dict[str, Any]) -> dict[str, Any]:
    properties, required = {}, []
    for field in described.fields:
        properties[field.encode_name] = _field(field, definitions)
        if field.required:
            required.append(field.encode_name)
    doc = (described.cls.__doc__ or "").strip().partition("\n")[0]
    return {"type": "object", "description": doc, "properties": properties, "additionalProperties": False,
            **({"required": required} if required else {})}


def _field(field: mi.Field, definitions: dict[str, Any]) -> dict[str, Any]:
    kind, extra, text = bare(field.type)
    schema = _type(kind, str(extra.get("unit", "")), definitions)
    if text:
        schema = {**schema, "description": text}
    default = default_of(field)
    if default is not None and not isinstance(default, dict | list):
        schema["default"] = default
    return schema


def default_of(field: mi.Field) -> Any:
    """Return a field's default as a file would write it; None when there is none."""
    if field.default is not msgspec.NODEFAULT:
        return unread(msgspec.to_builtins(field.default), field.type)
    if field.default_factory is not msgspec.NODEFAULT:
        return msgspec.to_builtins(field.default_factory())
    return None


def _type(kind: mi.Type, unit: str, definitions: dict[str, Any]) -> dict[str, Any]:
    if isinstance(kind, mi.StructType):
        name = kind.cls.__name__
        if name not in definitions:
            definitions[name] = {}  # holds the place while the fields are described
            definitions[name] = _struct(kind, definitions)
        return {"$ref": f"#/$defs/{name}"}
    if isinstance(kind, mi.ListType):
        inner, extra, _ = bare(kind.item_type)
        return {"type": "array", "items": _type(inner, str(extra.get("unit", "")), definitions)}
    if isinstance(kind, mi.DictType):
        inner, extra, _ = bare(kind.value_type)
        return {"type": "object", "additionalProperties": _type(inner, str(extra.get("unit", "")), definitions)}
    if unit == "duration":
        return dict(_DURATION)
    if isinstance(kind, mi.IntType | mi.FloatType):
        number = _number(kind)
        if isinstance(kind, mi.FloatType) and unit in WRITTEN_UNITS:
            return {"anyOf": [number, {"type": "string", "pattern": r"^\s*[-+]?(\d|\.\d)",
                                       "description": "a number in " + ", ".join(WRITTEN_UNITS[unit])}]}
        return number
    if isinstance(kind, mi.LiteralType):
        return {"enum": sorted(kind.values)}
    if isinstance(kind, mi.BoolType):
        return {"type": "boolean"}
    if isinstance(kind, mi.StrType):
        return {"type": "string", **({"pattern": kind.pattern} if kind.pattern else {})}
    if isinstance(kind, mi.UnionType):
        return {"anyOf": [_type(t, "", definitions) for t in kind.types]}
    return {}


def _number(kind: mi.IntType | mi.FloatType) -> dict[str, Any]:
    bounds = {"exclusiveMinimum": kind.gt, "minimum": kind.ge, "exclusiveMaximum": kind.lt, "maximum": kind.le}
    return {"type": "integer" if isinstance(kind, mi.IntType) else "number",
            **{key: value for key, value in bounds.items() if value is not None}}
