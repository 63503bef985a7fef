"""The JSON Schema agrees with what the reader accepts."""

import pytest

from twin.scenario.load import load_spec, scenario_names, tree_of
from twin.scenario.schema import json_schema


def problems(value, schema, root, path=""):
    """Yield where plain tables break a schema: the few keywords that ours uses."""
    if "$ref" in schema:
        schema = {**root["$defs"][schema["$ref"].rpartition("/")[2]]}
    if "anyOf" in schema:
        if all(list(problems(value, way, root, path)) for way in schema["anyOf"]):
            yield f"{path}: none fits"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path}: {value}"
    kinds = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "boolean": bool}
    if "type" in schema and not isinstance(value, kinds[schema["type"]]):
        yield f"{path}: {value!r} is not {schema['type']}"
        return
    if isinstance(value, dict):
        known = schema.get("properties", {})
        for key, inner in value.items():
            if key in known:
                yield from problems(inner, known[key], root, f"{path}.{key}")
            elif schema.get("additionalProperties") is False:
                yield f"{path}.{key}: unknown"
            elif isinstance(schema.get("additionalProperties"), dict):
                yield from problems(inner, schema["additionalProperties"], root, f"{path}.{key}")
        yield from (f"{path}.{key}: missing" for key in schema.get("required", []) if key not in value)
    elif isinstance(value, list):
        for inner in value:
            yield from problems(inner, schema["items"], root, f"{path}[]")
    elif isinstance(value, int | float) and not isinstance(value, bool):
        if not schema.get("minimum", value) <= value <= schema.get("maximum", value):
            yield f"{path}: {value} out of range"
        if value <= schema.get("exclusiveMinimum", value - 1):
            yield f"{path}: {value} out of range"


@pytest.mark.parametrize("name", scenario_names())
def test_built_in_scenarios_fit(name):
    schema = json_schema()
    assert list(problems(tree_of(load_spec(name)[0]), schema, schema)) == []


@pytest.mark.parametrize("change", [
    lambda tree: tree["scenario"].update(titel="x"), lambda tree: tree["hall"][0].pop("name"),
    lambda tree: tree["fabric"].update(type="torus"), lambda tree: tree["scenario"].update(tick=1),
    lambda tree: tree["plant"]["loop"][0].update(supply_c=90), lambda tree: tree["job"][0].update(gpus=0),
])
def test_what_the_reader_refuses_does_not_fit(change):
    tree = tree_of(load_spec("demo")[0])
    change(tree)
    schema = json_schema()
    assert list(problems(tree, schema, schema))


def test_every_key_is_described():
    schema = json_schema()
    for name, definition in (("", schema), *schema["$defs"].items()):
        for key, inner in definition["properties"].items():
            assert inner.get("description"), f"{name}.{key}"
