"""``twin diff``: what differs between two files."""

from __future__ import annotations

import click

from twin.cli.common import json_option, print_json

#: lines per section
SHOWN = 12


@click.command("diff")
@click.argument("left")
@click.argument("right")
@json_option
def command(left: str, right: str, as_json: bool) -> int:
    """Compare LEFT with RIGHT: two scenarios (names or .toml), snapshots or recordings (.twin).

    Prints what differs first: settings, equipment, commands, then state by block, column and element.
    Exit code 0 when they are the same, 1 when they differ.
    """
    from twin.scenario.diff import diff

    items = diff(left, right)
    if as_json:
        print_json({"left": left, "right": right, "same": not items, "differences": [
            {"section": i.section, "where": i.where, "left": i.left, "right": i.right, "note": i.note} for i in items]})
        return 1 if items else 0
    if not items:
        print("the same")
        return 0
    for section in dict.fromkeys(item.section for item in items):
        mine = [item for item in items if item.section == section]
        for item in mine[:SHOWN]:
            print(item)
        if len(mine) > SHOWN:
            print(f"{section}: and {len(mine) - SHOWN:,} more (--json prints all)")
    return 1
