"""``twin branch``: two futures of one moment, and how they differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from twin.cli.common import Duration, Progress, json_option, print_json, seed_option
from twin.errors import InputError, SpecError
from twin.units import format_duration

if TYPE_CHECKING:
    from twin.scenario.branching import Comparison
    from twin.scenario.run import Run
    from twin.wiring import Command

#: differences of each block that are printed for people; JSON has all
SHOWN = 4


@click.command("branch")
@click.argument("scenario")
@click.option("--at", "at_ns", type=Duration(), metavar="T",
              help="Simulated time of the fork; the beginning, a snapshot's moment or a recording's end by default.")
@click.option("--set", "sets", metavar="PATH=VALUE", multiple=True,
              help="Change a set-point in the second future: --set warm.supply_c=30. Repeatable.")
@click.option("--command", "commands", metavar="TEXT", multiple=True,
              help="Give the second future a command: --command 'fault crah_fan_trip A.crah1 for=10m at=+1m'. "
                   "Repeatable.")
@click.option("--for", "duration_ns", type=Duration(), metavar="DURATION",
              help="How long both futures run; to the scenario's end when left out.")
@json_option
@seed_option
def command(scenario: str, at_ns: int | None, sets: tuple[str, ...], commands: tuple[str, ...],
            duration_ns: int | None, as_json: bool, seed: int | None) -> int:
    """Run SCENARIO (a name, a .toml or a .twin) to a moment, then two futures: as it is, and with changes.

    Prints how the second differs from the first, block by block, largest first.
    """
    from twin.scenario.branching import as_plain, compare_futures
    from twin.scenario.open import open_run

    run = open_run(scenario, seed=seed, at_ns=at_ns)
    begin_ns = run.sim.now_ns if at_ns is None else at_ns
    if begin_ns < run.sim.now_ns:
        raise InputError(f"{format_duration(begin_ns)} has passed in this file", where="--at",
                         expected=f"{format_duration(run.sim.now_ns)} or later")
    changes = _changes(run, sets, commands, begin_ns)
    length_ns = run.sim.end_ns - begin_ns if duration_ns is None else duration_ns
    progress = Progress(begin_ns - run.sim.now_ns + 2 * length_ns, f"branch {scenario}")
    begun = run.sim.now_ns
    try:
        while run.sim.now_ns < begin_ns:
            run.sim.run_until(min(begin_ns, run.sim.now_ns + 64 * run.sim.tick_ns))
            progress.update(run.sim.now_ns - begun)
        forked = run.sim.now_ns
        result = compare_futures(run, changes, length_ns,
                                 lambda now: progress.update(forked - begun + 2 * (now - forked)))
    finally:
        progress.close()
    if as_json:
        print_json({"scenario": scenario} | as_plain(result))
    else:
        _report(scenario, result)
    return 0


def _changes(run: Run, sets: tuple[str, ...], commands: tuple[str, ...], at_ns: int) -> list[Command]:
    from twin.scenario.commands import parse_command, set_command
    from twin.scenario.paths import split_setting

    out = []
    for text in sets:
        path, _ = split_setting(text)
        try:
            out.append(set_command(path, text.partition("=")[2].strip(), run.sim, at_ns))
        except InputError as error:
            if path.partition(".")[0] in type(run.spec).__struct_fields__ and "set-point" in error.what:
                raise SpecError("this key of the specification is no set-point: changing it makes another site, which "
                                "a branch of a running one cannot become", where=f"--set {path}",
                                expected="a set-point such as warm.supply_c") from None
            raise
    out += [parse_command(text, run.sim, at_ns) for text in commands]
    if not out:
        raise InputError("both futures would be the same", where="branch", expected="--set or --command")
    return out


def _report(scenario: str, result: Comparison) -> None:
    print(f"{scenario}: two futures from {format_duration(result.begun_ns)} to {format_duration(result.end_ns)}; "
          "the second with")
    for act in result.acts:
        print(f"  {act.words}, at {format_duration(act.at_ns)}")
    for block, found in result.blocks.items():
        print(f"\n{block}")
        for one in found[:SHOWN]:
            print(f"  {one.text}")
        if len(found) > SHOWN:
            print(f"  and {len(found) - SHOWN} more")
    if not result.blocks:
        print("\nnothing differs notably")
    if result.same:
        print(f"\nequal to the bit: {', '.join(result.same)}")
    _kpi(*result.kpi)


def _kpi(first: dict[str, float | None], second: dict[str, float | None]) -> None:
    print(f"\n{'key figure':<24} {'first':>14} {'second':>14} {'difference':>14}")
    for name, value in first.items():
        other = second.get(name)
        if value is None or other is None or name == "energy_residual_rel":
            continue
        if abs(other - value) > 1e-9 * abs(value):
            print(f"{name:<24} {_number(value):>14} {_number(other):>14} {_number(other - value, '+'):>14}")


def _number(value: float, sign: str = "") -> str:
    return format(value, f"{sign},.0f" if abs(value) >= 1e5 else f"{sign},.5g")
