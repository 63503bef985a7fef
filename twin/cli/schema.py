"""``twin schema``: the JSON Schema of the scenario file."""

from __future__ import annotations

import click

from twin.cli.common import json_option, print_json


@click.command("schema")
@json_option
def command(as_json: bool) -> int:
    """Print the JSON Schema of the scenario file, for editors that complete and check TOML."""
    from twin.scenario.schema import json_schema

    print_json(json_schema())
    return 0
