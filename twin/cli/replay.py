"""``twin replay``: a scenario without a screen, as fast as it goes."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from twin.cli.common import Duration, Progress, json_option, print_json, seed_option, set_option
from twin.cli.outputs import Outputs, record_option, table_options
from twin.errors import InputError
from twin.units import NS_PER_S

if TYPE_CHECKING:
    from twin.scenario.judge import Verdict
    from twin.scenario.replay import Player
    from twin.scenario.run import Run

#: ticks between two looks at the clock and the progress line
BATCH = 64


@click.command("replay")
@click.argument("scenario")
@click.option("--for", "duration_ns", type=Duration(), metavar="DURATION",
              help="How long, from the loaded moment; to the scenario's end when left out.")
@click.option("--save-at", nargs=2, type=(Duration(), click.Path(dir_okay=False, path_type=Path)),
              metavar="T FILE", multiple=True, help="Save a snapshot at simulated time T. Repeatable.")
@click.option("--variants/--no-variants", default=True, help="Run the scenario's variants too.")
@click.option("--verify", is_flag=True, help="Run a recording again and compare every digest and keyframe.")
@record_option
@table_options
@json_option
@seed_option
@set_option
def command(scenario: str, duration_ns: int | None, save_at: tuple[tuple[int, Path], ...], variants: bool,
            verify: bool, record: Path | None, csv: Path | None, jsonl: Path | None, parquet: Path | None,
            columns: str, every_ns: int, as_json: bool, seed: int | None, sets: tuple[str, ...]) -> int:
    """Run SCENARIO (a name, a .toml or a .twin) headless and print its key figures.

    A recording is run again from its beginning, with its commands. Exit code 1 when an expectation of the scenario
    or an invariant of the model does not hold, or when --verify finds that the run leaves the recording.
    """
    if verify:
        if duration_ns is not None or save_at or record or csv or jsonl or parquet or sets or seed is not None:
            raise InputError("--verify only compares", expected="no other option but --json")
        return _verify(scenario, as_json)
    from twin.scenario.judge import judge
    from twin.scenario.open import open_run

    run, player, end_ns = _open(scenario, sets, seed)
    outputs = Outputs(run, record=record, tables={"csv": csv, "jsonl": jsonl, "parquet": parquet}, columns=columns,
                      every_ns=every_ns)
    try:
        results = [_replay(run, scenario, duration_ns, sorted(save_at, key=lambda pair: pair[0]), player, end_ns)]
    finally:
        broken = outputs.close()
    # a saved moment is one of one variant; the others never were at it
    variants = variants and not run.variant and not scenario.endswith(".twin")
    names = [v.name for v in run.spec.variant] if variants else []
    values = run.judge.values(run.sim.kpi())
    for name in names:
        if results[-1]["interrupted"]:
            break
        other = open_run(scenario, sets=sets, seed=seed, variant=name)
        results.append(_replay(other, scenario, duration_ns, []))
        values |= other.judge.values(other.sim.kpi())
    ran = {result["variant"] for result in results}
    expectations = [e for e in run.expectations if {q.variant for q in _quantities(e)} <= ran
                    and _begun(e, run.sim.now_ns)]
    complete = run.sim.now_ns >= run.sim.end_ns
    verdicts = judge(expectations, values) if complete or duration_ns is not None else []
    concern = {name: [v for e, v in zip(expectations, verdicts, strict=False) if _concerns(e, name)] for name in names}
    _report(results, verdicts, concern, as_json)
    if results[0]["unsaved"] is not None:
        raise results[0]["unsaved"]
    if broken is not None:
        raise broken
    if results[-1]["interrupted"]:
        return 130
    sound = not any(result["invariants"] for result in results)
    return 0 if sound and all(v.ok for v in verdicts) else 1


def _open(scenario: str, sets: tuple[str, ...], seed: int | None) -> tuple[Run, Player | None, int]:
    """Return the run, who gives it its recorded commands, and where it ends."""
    from twin.scenario import replay
    from twin.scenario.open import open_run

    path = Path(scenario)
    if scenario.endswith(".twin") and not sets and seed is None and replay.is_recording(path):
        with replay.Recording(path) as recording:
            _warn(recording)
            run = recording.begin()
            return run, replay.Player(run, recording.commands, where=scenario), recording.last_ns
    run = open_run(scenario, sets=sets, seed=seed)
    return run, None, run.sim.end_ns


def _warn(recording: Any) -> None:
    if recording.tail.kind != "whole":
        print(f"twin: {recording.where}: {recording.tail}", file=sys.stderr)


def _verify(file: str, as_json: bool) -> int:
    """Verify a recording and say what came out."""
    from twin.scenario.replay import Recording
    from twin.scenario.verify import verify

    with Recording(Path(file)) as recording:
        _warn(recording)
        progress = Progress(recording.last_ns - recording.first_ns, f"verify {file}")
        begun = time.perf_counter()
        try:
            found = verify(recording, lambda now_ns: progress.update(now_ns - recording.first_ns))
        finally:
            progress.close()
        fine = found.divergence is None and recording.tail.kind != "damaged"
        facts = {
            "file": file, "ok": fine, "from_s": recording.first_ns / NS_PER_S, "to_s": found.run.sim.now_ns / NS_PER_S,
            "ticks": found.ticks, "digests": found.digests, "keyframes": found.keyframes, "commands": found.commands,
            "ended": recording.done, "tail": recording.tail.kind, "program": recording.head["program"],
            "wall_s": time.perf_counter() - begun, "divergence": None, "note": found.note}
    if found.divergence is not None:
        d = found.divergence
        facts["divergence"] = {
            "text": str(d), "after_tick": d.after_tick, "tick": d.tick, "blocks": list(d.blocks),
            "keyframe_tick": None if d.key_tick < 0 else d.key_tick,
            "column": d.difference and f"{d.difference.block}.{d.difference.column}",
            "element": d.difference and (d.difference.place or d.difference.index),
            "recorded": d.difference and d.difference.left, "now": d.difference and d.difference.right}
    if as_json:
        print_json(facts)
    else:
        print(f"{file}: {found.ticks:,} ticks, {found.digests:,} digests, {found.keyframes:,} keyframes, "
              f"{found.commands:,} commands: " + ("the same" if found.divergence is None else str(found.divergence))
              + (f"; {found.note}" if found.note else ""))
    return 0 if fine else 1


def _begun(expectation: Any, now_ns: int) -> bool:
    """Tell whether the run reached the windows of an expectation; one that it did not reach is not judged."""
    return all(q.after_ns < now_ns for q in _quantities(expectation))


def _concerns(expectation: Any, variant: str) -> bool:
    return any(q.variant == variant for q in _quantities(expectation))


def _quantities(expectation: Any) -> list[Any]:
    return [expectation.quantity] + ([expectation.other] if expectation.other is not None else [])


def _replay(run: Run, scenario: str, duration_ns: int | None, saves: list[tuple[int, Path]],
            player: Player | None = None, end_ns: int | None = None) -> dict[str, Any]:
    sim = run.sim
    begun_ns, begun_tick = sim.now_ns, sim.tick
    until = begun_ns + duration_ns if duration_ns is not None else sim.end_ns if end_ns is None else end_ns
    for at_ns, path in saves:
        if at_ns < begun_ns or at_ns > until:
            raise InputError(f"{at_ns / 1e9:g} s is not within the run", where=f"--save-at {path}",
                             expected=f"{begun_ns / 1e9:g} s to {until / 1e9:g} s")
        if not os.access(path.parent, os.W_OK | os.X_OK):
            raise InputError("cannot write", where=str(path), expected="a writable folder that exists")
    progress = Progress(until - begun_ns, f"replay {run.variant or scenario}")
    wall = 0.0
    interrupted = False
    unsaved: InputError | None = None
    try:
        for at_ns, path in saves:
            wall += _advance(run, at_ns, lambda: progress.update(sim.now_ns - begun_ns), player)
            from twin.scenario import snapshot

            try:
                snapshot.save(run, path)
            except InputError as error:  # a full disk takes the file, not the run: it is told at the end
                unsaved = error
        wall += _advance(run, until, lambda: progress.update(sim.now_ns - begun_ns), player)
    except KeyboardInterrupt:
        interrupted = True
    finally:
        progress.close()
    sim_s = (sim.now_ns - begun_ns) / NS_PER_S
    return {"scenario": scenario, "variant": run.variant, "ticks": sim.tick - begun_tick,
            "dt_s": sim.tick_ns / NS_PER_S, "sim_s": sim_s, "wall_s": wall, "speed": sim_s / wall if wall > 0 else None,
            "gpus": sim.axes["gpu"], "digest": sim.digest(), "kpi": sim.kpi(), "invariants": sim.check(),
            "interrupted": interrupted, "unsaved": unsaved}


def _advance(run: Run, until_ns: int, look: Callable[[], None], player: Player | None = None) -> float:
    """Run to an instant; return the wall time it took."""
    sim = run.sim
    go = sim.run_until if player is None else player.run_until
    begun = time.perf_counter()
    while sim.now_ns < until_ns:
        go(min(until_ns, sim.now_ns + BATCH * sim.tick_ns))
        look()
    return time.perf_counter() - begun


def _report(results: list[dict[str, Any]], verdicts: list[Verdict], concern: dict[str, list[Verdict]],
            as_json: bool) -> None:
    main, *others = results
    if as_json:
        hidden = ("interrupted", "unsaved", "variant")
        out = {k: v for k, v in main.items() if k not in hidden}
        out["expect"] = _rows(verdicts)
        out["variants"] = [{"variant": r["variant"]} | {k: v for k, v in r.items() if k not in hidden}
                           | {"expect": _rows(concern[r["variant"]])} for r in others]
        print_json(out)
        return
    for result in results:
        title = result["scenario"] + (f" · {result['variant']}" if result["variant"] else "")
        speed = "" if result["speed"] is None else f", {result['speed']:,.0f} simulated s per s"
        print(f"{title}: {result['ticks']:,} ticks, {result['sim_s']:,.0f} s simulated{speed}")
        for name, value in result["kpi"].items():
            print(f"  {name:<22} {_number(value)}")
        print(f"  {'digest':<22} {result['digest']}")
        for text in result["invariants"]:
            print(f"  broken: {text}")
    for v in verdicts:
        print(f"{'ok  ' if v.ok else 'FAIL'}  {v.what} {v.expected} (is {_number(v.value)})")


def _rows(verdicts: list[Verdict]) -> list[dict[str, Any]]:
    return [{"what": v.what, "expected": v.expected, "value": v.value, "ok": v.ok} for v in verdicts]


def _number(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1e5 else f"{value:,.6g}"
