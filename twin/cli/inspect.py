"""``twin inspect``: what a snapshot or a scenario holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from twin.cli.common import json_option, print_json
from twin.units import format_duration


@click.command("inspect")
@click.argument("file")
@json_option
def command(file: str, as_json: bool) -> int:
    """Show what FILE (a .twin, a .toml or a built-in name) holds."""
    facts = _snapshot(Path(file)) if file.endswith(".twin") else _scenario(file)
    if as_json:
        print_json(facts)
        return 0
    for key, value in facts.items():
        if isinstance(value, dict):
            print(f"{key}:")
            for name, inner in value.items():
                print(f"  {name:<24} {inner}")
        elif isinstance(value, list):
            print(f"{key}:" + ("" if value else " none"))
            for inner in value:
                print(f"  {inner}")
        else:
            print(f"{key:<14} {value}")
    return 0


def _snapshot(path: Path) -> dict[str, Any]:
    from twin.scenario.snapshot import load

    run = load(path)
    sim = run.sim
    return {
        "file": str(path), "bytes": path.stat().st_size, "scenario": run.source, "title": run.spec.scenario.title,
        "at": format_duration(sim.now_ns), "tick": sim.tick, "ends_at": format_duration(sim.end_ns),
        "seed": sim.seed, "digest": sim.digest(), "sizes": _sizes(sim.axes),
        "inputs": {name: f"{len(data):,} bytes packed" for name, data in run.inputs.items()},
        "commands": [f"tick {tick}: {_command(c)}" for tick, c in sim.log],
        "pending": [f"{format_duration(c.at_ns)}: {_command(c)}" for c in sim.pending],
        "faults": [f"{f.name} {f.place} since {format_duration(f.since_ns)}" for f in sim.active_faults()],
        "alarms": [f"{a.severity}: {a.text}" for a in sim.active_alarms()],
        "blocks": sim.state.block_digests(),
    }


def _scenario(name: str) -> dict[str, Any]:
    import msgspec

    from twin.scenario.open import open_run

    run = open_run(name, history=False)
    return {"scenario": name, "title": run.spec.scenario.title, "story": run.spec.scenario.story,
            "duration": format_duration(run.spec.scenario.duration), "sizes": _sizes(run.sim.axes),
            "resolved": msgspec.to_builtins(run.spec),
            "expect": [f"{e.what} {e.expected}" for e in run.expectations]}


def _sizes(axes: dict[str, int]) -> dict[str, int]:
    return {axis: n for axis, n in axes.items() if axis not in ("one", "fault_slot", "alarm_point", "watch")}


def _command(c: Any) -> str:
    text = f"{c.kind} {c.name} {c.target}".replace("  ", " ").strip()
    return text if c.value is None else f"{text} = {c.value:g}"
