"""twin catalog, scenarios, schema: what they print."""

import json

import pytest
from click.testing import CliRunner

from twin.cli.commands import cli
from twin.errors import CatalogError


def run(*args):
    return CliRunner().invoke(cli, args, catch_exceptions=False)


def test_catalog_shows_an_estimate_as_one():
    out = run("catalog", "gb200-nvl72").output
    line = next(line for line in out.splitlines() if line.split()[:1] == ["fan_design_w"])
    assert line.split()[1:4] == ["1500", "W", "estimate"]
    assert "engineering estimates without a published source" in out


def test_catalog_json_has_unit_grade_and_source():
    (entry,) = json.loads(run("catalog", "gb200-nvl72", "--json").output)
    value = entry["values"]["tdp_w"]
    assert (value["value"], value["unit"], value["grade"]) == (132000, "W", "press")
    assert value["source_title"]


def test_catalog_lists_kinds_and_one_kind():
    assert "gb200-nvl72" in run("catalog").output
    assert "hgx-h100-x4" in json.loads(run("catalog", "racks", "--json").output)["racks"]


def test_catalog_offers_the_nearest_name():
    with pytest.raises(CatalogError, match="gb200-nvl72"):
        run("catalog", "gb200-nvl27")


def test_scenarios_lists_all_with_size():
    rows = {row["name"]: row for row in json.loads(run("scenarios", "--json").output)}
    assert next(iter(rows)) == "demo"
    assert (rows["demo"]["racks"], rows["demo"]["gpus"]) == (96, 5632)
    assert (rows["frontier"]["racks"], rows["frontier"]["gpus"]) == (74, 37888)
    assert (rows["campus"]["halls"], rows["campus"]["racks"], rows["campus"]["gpus"]) == (10, 1400, 100800)
    assert rows["trace"]["gpus"] == 512
    assert "100,800 GPUs" in run("scenarios").output


def test_schema_is_json_schema():
    schema = json.loads(run("schema").output)
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert "hall" in schema["properties"]
