"""What notebooks and scripts use: open a scenario, run it, look at arrays, branch it. See docs/api.md."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike

from twin.runtime.family import Family
from twin.runtime.session import Session
from twin.scenario.branching import Comparison, compare_futures
from twin.scenario.commands import parse_command
from twin.scenario.open import open_run
from twin.scenario.run import Run
from twin.scenario.timeline import Timeline, fork_run
from twin.units import parse_duration_ns
from twin.wiring import Command

__all__ = ["Command", "Comparison", "Family", "Run", "Session", "Timeline", "branch", "command", "fork", "load"]


def load(source: str | PathLike[str], *, sets: Sequence[str] = (), seed: int | None = None, variant: str = "") -> Run:
    """Open a scenario and return it ready to run: ``load("demo").sim.advance(60)``.

    Args:
        source: name of a built-in scenario, path of a ``.toml`` or of a ``.twin``.
        sets: ``path.to.key=value`` overrides of the specification; refused for a ``.twin``.
        seed: seed of the draws; refused for a ``.twin``.
        variant: apply the ``[[variant]]`` of that name.

    Raises:
        InputError: something is wrong; says what, where, expected, and the nearest valid name.
    """
    return open_run(str(source), sets=sets, seed=seed, variant=variant)


def command(run: Run, text: str, *, at: str = "") -> Command:
    """Return a command written as people write it, for ``run.sim.submit``.

    Args:
        run: gives the names and ranges.
        text: ``fault crah_fan_trip A.crah7 for=10m``, ``set warm.supply_c 30``, ``clear NAME PLACE``, ``ack ALARM``.
        at: simulated time at which it takes effect, as ``15m``; now when empty.

    Raises:
        CommandError: it is no command, or names something that does not exist.
    """
    return parse_command(text, run.sim, parse_duration_ns(at, where="at") if at else run.sim.now_ns)


def fork(run: Run) -> Run:
    """Return a second run at the same moment; it shares the site and nothing else."""
    return fork_run(run)


def branch(run: Run, commands: str | Sequence[str], duration: str) -> Comparison:
    """Run two futures of a run's present moment, as it is and with commands, and compare them; the run itself stays.

    Args:
        run: at the moment of the fork.
        commands: one or several, as for ``command``; ``at=+5m`` counts from the moment of the fork.
        duration: how long both run, as ``20m``.

    Raises:
        CommandError: a command is none, or names something that does not exist.
        InputError: the duration is none.
    """
    texts = [commands] if isinstance(commands, str) else list(commands)
    given = [command(run, text) for text in texts]
    return compare_futures(fork_run(run), given, parse_duration_ns(duration, where="duration"))
