"""``twin inspect``: what a snapshot, a recording or a scenario holds."""

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
    facts = _twin(Path(file)) if file.endswith(".twin") else _scenario(file)
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


def _twin(path: Path) -> dict[str, Any]:
    from twin.scenario.replay import is_recording

    return _recording(path) if is_recording(path) else _snapshot(path)


def _recording(path: Path) -> dict[str, Any]:
    """Return what a recording holds, from its chunks alone: nothing is built or run."""
    from twin.scenario.replay import Recording

    with Recording(path) as r:
        head = r.head
        gap = max((b.tick - a.tick for a, b in zip(r.digests, r.digests[1:], strict=False)), default=0)
        whole = gap <= r.digest_ticks and r.tail.kind == "whole"
        trail = "none" if not r.digests else "whole" if whole else str(r.tail)
        return {
            "file": str(path), "bytes": r.size, "kind": "recording", "scenario": head["source"],
            "title": head["spec"].get("scenario", {}).get("title", ""), "variant": head["variant"],
            "seed": head["seed"], "program": head["program"], "platform": head["platform"],
            "from": format_duration(r.first_ns), "to": format_duration(r.last_ns),
            "ticks": r.last_tick - r.first_tick, "ended": r.done, "tail": str(r.tail),
            "trail": trail, "digests": len(r.digests), "keyframes": [format_duration(k.now_ns) for k in r.keys],
            "sections": {tag: f"{n:,} chunks, {size:,} bytes" for tag, (n, size) in r.sections.items()},
            "inputs": {name: f"{len(data):,} bytes packed" for name, data in head["inputs"].items()},
            "commands": [f"{format_duration(g.now_ns)} (tick {g.tick}): {_command(g.command)}" for g in r.commands],
        }


def _snapshot(path: Path) -> dict[str, Any]:
    from twin.scenario.snapshot import load

    run = load(path)
    sim = run.sim
    return {
        "file": str(path), "bytes": path.stat().st_size, "kind": "snapshot", "scenario": run.source,
        "title": run.spec.scenario.title,
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
