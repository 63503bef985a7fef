"""Two futures of one moment: what differs, how much, from when on, and what it comes from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from twin.engine.simulation import Simulation
from twin.errors import CommandError, InputError
from twin.scenario.explain import Act, Columns, Difference, at_place, change, explain
from twin.scenario.run import Run
from twin.scenario.timeline import fork_run
from twin.site.site import Site
from twin.state.state import ALL_BLOCKS
from twin.units import NS_PER_S, format_duration
from twin.wiring import Command

#: how often the two futures are compared on their way
LOOKS = 120
_SPELT = {"cdu": "CDU", "crah": "CRAH", "gpu": "GPU", "tcs": "TCS", "ups": "UPS"}
#: commands up to which each gets a future of its own
ALONE_MAX = 8
#: a difference is larger than before when it grew by this; so a plateau is told of its beginning
GROWN = 1.05


@dataclass
class Told:
    """One column's difference over the time that was watched.

    Attributes:
        peak: the difference when it was largest.
        onset_ns: when it was first notable, simulated ns.
        end: values of both sides at the end, in the same part of the site.
    """

    peak: Difference
    onset_ns: int
    end: tuple[float, float] = (0.0, 0.0)

    @property
    def text(self) -> str:
        """The sentence; the end is mentioned when it is another."""
        left = self.end[1] - self.end[0]
        if abs(left - self.peak.delta) <= 0.2 * abs(self.peak.delta):
            return self.peak.text
        if abs(left) <= 0.02 * abs(self.peak.delta):
            return f"{self.peak.text}; gone at the end"
        if self.peak.unit in ("bool", "enum"):
            return self.peak.text
        end = Difference(**{**vars(self.peak), "first": self.end[0], "second": self.end[1]})
        return f"{self.peak.text}; {change(end)} at the end"


@dataclass
class Watched:
    """Follows two runs of one site that are at the same moment whenever ``look`` is called.

    Args:
        site: of both.
    """

    site: Site
    _told: dict[tuple[str, str], Told] = field(default_factory=dict)

    def look(self, first: Columns, second: Columns, at_ns: int, acts: Sequence[Act],
             alone: Sequence[tuple[Act, Columns]] = ()) -> None:
        """Compare two moments and keep what is larger than before; see ``explain``."""
        for one in explain(self.site, first, second, at_ns, acts, alone):
            key = (one.block, one.column)
            known = self._told.get(key)
            if known is None:
                self._told[key] = Told(one, at_ns)
            elif one.score > GROWN * known.peak.score:
                known.peak = one

    def told(self, first: Columns, second: Columns) -> dict[str, list[Told]]:
        """Return block -> what differed notably at any time, the block with the largest first, and so within each."""
        blocks: dict[str, list[Told]] = {}
        for one in sorted(self._told.values(), key=lambda t: -t.peak.score):
            one.end = at_place(self.site, one.peak, first, second)
            blocks.setdefault(one.peak.block, []).append(one)
        return blocks


@dataclass(frozen=True)
class Comparison:
    """What came of two futures.

    Attributes:
        begun_ns, end_ns: the moment of the fork and the last one, simulated.
        acts: what only the second future had.
        blocks: block -> differences, largest first.
        same: blocks whose state is equal to the bit at the end.
        kpi: both futures' key figures at the end.
        digests: both digests at the end.
        runs: both runs, at the end.
    """

    begun_ns: int
    end_ns: int
    acts: Sequence[Act]
    blocks: dict[str, list[Told]]
    same: Sequence[str]
    kpi: tuple[dict[str, float | None], dict[str, float | None]]
    digests: tuple[str, str]
    runs: tuple[Run, Run]

    def lines(self, per_block: int = 3) -> list[str]:
        """Return the differences in words, at most so many of each block."""
        return [one.text for found in self.blocks.values() for one in found[:per_block]]


def compare_futures(run: Run, commands: Sequence[Command], duration_ns: int,
                    look: Callable[[int], None] = lambda at_ns: None) -> Comparison:
    """Run two futures of a run's present moment side by side: as it is, and with commands.

    Of several commands each is also given alone to a future of its own: what comes of which is seen, not guessed.

    Args:
        run: at the moment of the fork; it becomes the first future.
        commands: given to the second future at the moment of the fork; their instants lie at or after it.
        duration_ns: how long both run.
        look: called with the simulated instant now and then.

    Raises:
        CommandError: a command names something that does not exist.
        InputError: the duration is not positive.
    """
    if duration_ns <= 0:
        raise InputError("nothing is left to run", where="branch", expected="a positive duration")
    other = fork_run(run)
    a, b = run.sim, other.sim
    begun = a.now_ns
    for command in commands:
        b.submit(command)
    alone = [fork_run(run).sim for _ in commands] if 1 < len(commands) <= ALONE_MAX else []
    for sim, command in zip(alone, commands, strict=False):
        sim.submit(command)
    watched, first, second = Watched(a.site), columns_of(a), columns_of(b)
    of_alone = [columns_of(sim) for sim in alone]
    every = max(a.tick_ns, duration_ns // LOOKS)
    at, end = begun, begun + duration_ns
    while at < end:
        at = min(end, at + every)
        align(at, a, b, *alone)
        causes = [(act, columns) for sim, columns in zip(alone, of_alone, strict=True) for act in acts_of(a, sim)]
        watched.look(first, second, b.now_ns, acts_of(a, b), causes)
        look(at)
    equal = a.state.block_digests(), b.state.block_digests()
    same = [block.block_name for block in ALL_BLOCKS if equal[0][block.block_name] == equal[1][block.block_name]]
    return Comparison(begun, b.now_ns, acts_of(a, b), watched.told(first, second), same, (a.kpi(), b.kpi()),
                      (a.digest(), b.digest()), (run, other))


def align(at_ns: int, *sims: Simulation) -> None:
    """Run all to an instant, and on until they are at one: ticks that a command cut meet again at the grid."""
    for sim in sims:
        sim.run_until(at_ns)
    for _ in range(1000):
        latest = max(sim.now_ns for sim in sims)
        behind = [sim for sim in sims if sim.now_ns < latest]
        if not behind:
            return
        for sim in behind:
            sim.advance()


def columns_of(sim: Simulation) -> dict[str, Any]:
    """Return ``block.column`` -> array of every published column of a state; the arrays live on."""
    return {f"{block}.{col.name}": array for block, col, array in sim.state.columns() if col.shown}


def acts_of(first: Simulation, second: Simulation) -> list[Act]:
    """Return the commands that only one of two runs has applied."""
    mine, theirs = (Counter(c for _, c in list(sim.log)) for sim in (first, second))
    acts = [_act(first, c, False) for c in mine - theirs] + [_act(second, c, True) for c in theirs - mine]
    return sorted((act for act in acts if act.words), key=lambda act: act.at_ns)


def _act(sim: Simulation, command: Command, second: bool) -> Act:
    registry = sim.registry
    try:
        if command.kind == "set":
            domain, setting, element = registry.setting(command.target)
            names = sim.site.names.get(setting.axis, ())
            unit = "" if setting.unit in ("frac", "ratio", "count") else f" {setting.unit}"
            return Act(command.at_ns, f"{command.target} = {command.value:g}{unit}", domain,
                       names[element] if 0 <= element < len(names) else "", second)
        if command.kind in ("fault", "clear"):
            domain, _ = registry.faults[registry.fault(command.name)]
            name = " ".join(_SPELT.get(word, word) for word in command.name.split("_"))
            words = name + (f" at {command.target}" if command.target else "")
            if command.kind == "clear":
                words += " cleared"
            elif command.duration_ns:
                words += f" for {format_duration(command.duration_ns)}"
            return Act(command.at_ns, words, domain, command.target, second)
    except CommandError:  # it was refused when its time came, and changed nothing
        pass
    return Act(command.at_ns, "", "", "", second)


def as_plain(result: Comparison) -> dict[str, Any]:
    """Return a comparison as plain values, for JSON."""
    blocks = [{"block": block, "differences": [
        {"text": one.text, "column": f"{block}.{one.peak.column}", "place": one.peak.place, "level": one.peak.level,
         "unit": one.peak.unit, "first": one.peak.first, "second": one.peak.second, "delta": one.peak.delta,
         "at_s": one.peak.at_ns / NS_PER_S, "onset_s": one.onset_ns / NS_PER_S, "steps": one.peak.score,
         "cause": one.peak.cause, "end_first": one.end[0], "end_second": one.end[1]} for one in found]}
        for block, found in result.blocks.items()]
    return {"at_s": result.begun_ns / NS_PER_S, "end_s": result.end_ns / NS_PER_S,
            "acts": [{"at_s": act.at_ns / NS_PER_S, "text": act.words} for act in result.acts],
            "blocks": blocks, "same_blocks": list(result.same),
            "kpi": {"first": result.kpi[0], "second": result.kpi[1]},
            "digests": {"first": result.digests[0], "second": result.digests[1]}}
