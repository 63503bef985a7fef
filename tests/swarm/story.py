"""One run lived straight, and the same run lived with every interruption: saved and loaded, gone back, forked.

Both are given the same commands at the same ticks. After every tick their digests must agree, and every invariant must
hold; at the end two forks with the same commands must be equal.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from random import Random

from tests.swarm.factory import factory
from twin.engine.simulation import Simulation
from twin.errors import CommandError
from twin.scenario import snapshot
from twin.scenario.open import open_run
from twin.scenario.run import Run
from twin.scenario.timeline import Timeline
from twin.wiring import Command

S = 10**9


class Disagreement(AssertionError):
    """Two ways to the same moment led to different bits, or an invariant does not hold."""


def drawn(seed: int, ticks: int = 120) -> None:
    """Tell one story of a drawn factory.

    Raises:
        Disagreement: something does not agree; says what and when.
    """
    rng = Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "drawn.toml"
        path.write_text(factory(rng), encoding="utf-8")
        tell(lambda: open_run(str(path)), rng, ticks)


def tell(begin: Callable[[], Run], rng: Random, ticks: int, every: int = 1) -> None:
    """Live a run straight and with interruptions, and compare them.

    Args:
        begin: opens the run, each time the same.
        rng: draws commands and interruptions.
        ticks: length of the story.
        every: compare digests every so many ticks.
    """
    straight = begin()
    orders = _orders(straight.sim, rng, ticks)
    digests = {}
    for tick in range(ticks):
        _give(straight.sim, orders, tick)
        straight.sim.advance()
        if (tick + 1) % every == 0:
            digests[tick + 1] = straight.sim.digest()
            _sound(straight.sim, tick + 1)
    line = _interrupted(begin, rng, ticks, orders, digests)
    _same(digests[max(digests)], line.run.sim, "at the end") if line.run.sim.tick == max(digests) else None
    if line.run.sim.kpi() != straight.sim.kpi():
        raise Disagreement("the key figures differ at the end")
    _twins(line, rng, max(10, ticks // 4))


def _interrupted(begin: Callable[[], Run], rng: Random, ticks: int, orders: dict[int, list[Command]],
                 digests: dict[int, str]) -> Timeline:
    line = Timeline(begin(), spacing=rng.randint(1, 40), budget_bytes=rng.choice((200_000, 2_000_000, 64_000_000)))
    given = 0
    while line.run.sim.tick < ticks:
        sim = line.run.sim
        if given <= sim.tick:
            _give(sim, orders, sim.tick)
            given = sim.tick + 1
        line.advance()
        if sim.tick in digests:
            _same(digests[sim.tick], sim, "lived with interruptions")
            sim.refresh()
            _same(digests[sim.tick], sim, "with its caches made anew")
        if rng.random() < 0.08:
            line = _interrupt(line, rng, digests)
    return line


def _interrupt(line: Timeline, rng: Random, digests: dict[int, str]) -> Timeline:
    """Save and load, go back and return, play the past again, fork, or give up a future and live it again."""
    what, sim = rng.choice(("save", "look", "play", "fork", "fork in the past")), line.run.sim
    if what == "save":
        again = snapshot.from_bytes(snapshot.to_bytes(line.run))
        return Timeline(again, spacing=rng.randint(1, 40))
    if what == "fork":
        return line.fork()
    back = rng.randint(line.keys[0].tick, sim.tick)
    if rng.random() < 0.5:
        line.seek_tick(back)
    else:
        line.seek(rng.randint(line.first_ns, sim.now_ns))
    if sim.tick in digests:
        _same(digests[sim.tick], sim, "sought")
    if what == "play":
        while line.in_past:
            line.advance()
            if sim.tick in digests:
                _same(digests[sim.tick], sim, "played again")
    elif what == "fork in the past":
        other = line.fork()
        for _ in range(rng.randint(0, 5)):
            other.advance()  # without what was commanded later: it may go another way
        _sound(other.run.sim, other.run.sim.tick)
    line.go_live()
    if sim.tick in digests:
        _same(digests[sim.tick], sim, "returned to")
    return line


def _twins(line: Timeline, rng: Random, ticks: int) -> None:
    one, two = line.fork(), line.fork()
    orders = [command for some in _orders(one.run.sim, rng, ticks).values() for command in some]
    for fork in (one, two):
        for command in orders:
            fork.run.sim.submit(command)
        for _ in range(ticks):
            fork.advance()
    _same(one.run.sim.digest(), two.run.sim, "of two forks with the same commands")
    _sound(one.run.sim, one.run.sim.tick)


def _orders(sim: Simulation, rng: Random, ticks: int) -> dict[int, list[Command]]:
    """Draw commands: tick -> those given at it; each is valid."""
    orders: dict[int, list[Command]] = {}
    faults = [(kind, places) for _, kind in sim.registry.faults if (places := [
        i for i in range(sim.axes.get(kind.axis, 0)) if kind.moot is None or not kind.moot(sim.site, i)])]
    settings = [(domain, s) for domain, s in sim.registry.settings if sim.axes.get(s.axis, 0) > 0]
    length = ticks * sim.tick_ns
    for _ in range(rng.randint(2, 12)):
        tick = rng.randrange(ticks)
        later = sim.now_ns + rng.choice((0, 0, rng.randrange(length)))
        if rng.random() < 0.65:
            kind, places = rng.choice(faults)
            names = sim.site.names.get(kind.axis)
            value = rng.uniform(*kind.value_range) if rng.random() < 0.7 else None
            lasts = rng.choice((0, rng.randrange(1, length)))
            command = Command("fault", later, kind.name, names[rng.choice(places)] if names else "", value, lasts)
        elif rng.random() < 0.3:
            command = Command("clear", later, rng.choice(faults)[0].name)
        else:
            domain, setting = rng.choice(settings)
            names = sim.site.names.get(setting.axis, ("",))
            place = names[rng.randrange(len(names))]
            wide = 0.0 if rng.random() < 0.2 else 0.25 * (setting.hi - setting.lo)
            target = f"{domain}.{place}.{setting.name}" if place else f"{domain}.{setting.name}"
            command = Command("set", later, "", target, rng.uniform(setting.lo + wide, setting.hi - wide))
        try:
            sim.validate(command)
        except CommandError as error:
            raise Disagreement(f"a command that was drawn from the tables is refused: {error}") from None
        orders.setdefault(tick, []).append(command)
    return orders


def _give(sim: Simulation, orders: dict[int, list[Command]], tick: int) -> None:
    for command in orders.get(tick, ()):
        sim.submit(command)


def _sound(sim: Simulation, tick: int) -> None:
    wrong = sim.check() or ([sim.audit()] if sim.audit() else [])
    if wrong:
        raise Disagreement(f"at tick {tick}: {wrong[0]}")


def _same(expected: str, sim: Simulation, how: str) -> None:
    if sim.digest() != expected:
        raise Disagreement(f"tick {sim.tick}, {how}: the digest is another")
