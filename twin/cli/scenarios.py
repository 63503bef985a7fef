"""``twin scenarios``: the built-in scenarios."""

from __future__ import annotations

from typing import Any

import click

from twin.cli.common import json_option, print_json
from twin.units import format_duration


@click.command("scenarios")
@json_option
def command(as_json: bool) -> int:
    """List the built-in scenarios: name, title, story, size and length."""
    from twin.scenario.load import scenario_names

    rows = [_row(name) for name in scenario_names()]
    if as_json:
        print_json(rows)
        return 0
    width = max(len(row["name"]) for row in rows)
    for row in rows:
        print(f"{row['name']:<{width}}  {row['title']}")
        print(f"{'':<{width}}  {row['racks']:,} racks, {row['gpus']:,} GPUs, {row['duration']}. {row['story']}")
    return 0


def _row(name: str) -> dict[str, Any]:
    from twin.scenario.checks import size_of
    from twin.scenario.load import load_spec

    spec, _ = load_spec(name)
    racks, gpus = size_of(spec)
    return {"name": name, "title": spec.scenario.title, "story": spec.scenario.story, "halls":
            sum(hall.repeat for hall in spec.hall), "racks": racks, "gpus": gpus,
            "duration": format_duration(spec.scenario.duration),
            "variants": [variant.name for variant in spec.variant]}
