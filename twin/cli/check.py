"""``twin check``: scenario files, without running them."""

from __future__ import annotations

import sys
from typing import Any

import click

from twin.cli.common import json_option, print_json
from twin.errors import InputError


@click.command("check")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@json_option
def command(files: tuple[str, ...], as_json: bool) -> int:
    """Check every FILE (a .toml, a .twin or a built-in name) without running it.

    The factory is built, so that names of places, faults and set-points are checked too.
    """
    rows = [_check(name) for name in files]
    if as_json:
        print_json(rows)
    else:
        for row in rows:
            if row["ok"]:
                print(f"{row['file']}: {row['racks']:,} racks, {row['gpus']:,} GPUs, "
                      f"{row['expectations']} expectations, {row['variants']} variants: fine")
                for note in row["notes"]:
                    print(f"  note: {note}")
            else:
                print(f"{row['file']}: {row['error']}", file=sys.stderr)
    return 0 if all(row["ok"] for row in rows) else InputError.exit_code


def _check(name: str) -> dict[str, Any]:
    from twin.domains.chip.step import runaway_notes
    from twin.scenario.open import open_run

    try:
        run = open_run(name, history=False)
        for variant in run.spec.variant:
            open_run(name, variant=variant.name, history=False)
    except InputError as error:
        return {"file": name, "ok": False, "error": str(error).removeprefix(f"{name}: "), "notes": []}
    axes = run.sim.site.axes
    return {"file": name, "ok": True, "error": None, "racks": axes["rack"], "gpus": axes["gpu"],
            "expectations": len(run.expectations), "variants": len(run.spec.variant),
            "notes": runaway_notes(run.sim.site.topology)}
