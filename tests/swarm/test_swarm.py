"""A fixed short part of the swarm: drawn factories, every built-in scenario, and a swarm that notices."""

from random import Random

import pytest

from tests.swarm import story
from tests.swarm.story import Disagreement, drawn, tell
from twin.scenario import snapshot
from twin.scenario.load import scenario_names
from twin.scenario.open import open_run
from twin.scenario.timeline import Timeline
from twin.wiring import Command

#: ticks of the story of each built-in scenario that is larger or longer than most
LONG = {"small": 120, "frontier": 30, "campus": 8}


@pytest.mark.parametrize("seed", range(1, 13))
def test_a_drawn_story_agrees_with_itself(seed: int) -> None:
    drawn(seed, ticks=80)


@pytest.mark.parametrize(("name", "ticks"), [
    (name, LONG.get(name, 60)) for name in scenario_names()])
def test_a_built_in_scenario_is_the_same_however_it_is_lived(name: str, ticks: int) -> None:
    tell(lambda: open_run(name), Random(f"{name} 5"), ticks, every=max(1, ticks // 30))


@pytest.mark.parametrize("name", scenario_names())
def test_a_scenario_is_the_same_when_sought_loaded_or_branched(name: str) -> None:
    _compared(name, 6 if name == "campus" else 40, stops=2)


@pytest.mark.slow
@pytest.mark.parametrize("name", scenario_names())
def test_a_whole_scenario_is_the_same_when_sought_loaded_or_branched(name: str) -> None:
    """The same over a run that has seen every fault of its story."""
    _compared(name, 20 if name == "campus" else 2400, stops=6)


def _compared(name: str, ticks: int, stops: int) -> None:
    """Run, save and load at random points, seek them, and fork two branches with the same command; all must agree."""
    straight, line = open_run(name), Timeline(open_run(name), spacing=max(2, ticks // 4))
    sim, draw = straight.sim, Random(f"{name} whole")
    end = min((sim.end_ns - sim.now_ns) // sim.tick_ns, ticks)
    digests = {}
    loaded = snapshot.from_bytes(snapshot.to_bytes(open_run(name)))
    for stop in sorted({draw.randrange(1, end) for _ in range(stops)} | {end}):
        sim.advance(stop - sim.tick)
        digests[sim.now_ns] = sim.digest()
        loaded.sim.advance(stop - loaded.sim.tick)
        assert loaded.sim.digest() == sim.digest(), stop
        loaded = snapshot.from_bytes(snapshot.to_bytes(loaded))
    while line.run.sim.tick < end:
        line.advance()
    for at_ns in draw.sample(sorted(digests), len(digests)):
        line.seek(at_ns)
        assert line.run.sim.digest() == digests[at_ns], at_ns
    pair = [line.fork().run.sim for _ in range(2)]
    kind = next(kind for _, kind in sim.registry.faults if kind.name == "node_down")
    for fork in pair:
        fork.submit(Command("fault", fork.now_ns + fork.tick_ns, kind.name, sim.site.names[kind.axis][0]))
        fork.advance(5)
    assert pair[0].digest() == pair[1].digest()
    assert pair[0].active_faults()


def test_the_swarm_notices_a_bit_that_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Timeline._restore

    def lossy(self: Timeline, frame: dict, given: int) -> None:
        whole(self, frame, given)
        self.run.sim.state.air.rack_mass_temp_c[0] += 1e-9
    monkeypatch.setattr(Timeline, "_restore", lossy)
    with pytest.raises(Disagreement, match="digest is another"):
        _several(5, ticks=40)


def test_the_swarm_notices_a_command_that_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Timeline, "_feed", lambda self: None)
    with pytest.raises(Disagreement):
        _several(8, ticks=60)


def _several(stories: int, ticks: int) -> None:
    for seed in range(1, stories + 1):
        drawn(seed, ticks)


def test_a_failing_seed_says_how_to_repeat_it(monkeypatch: pytest.MonkeyPatch,
                                              capsys: pytest.CaptureFixture[str]) -> None:
    from tests.swarm import __main__ as runner

    def fail(seed: int) -> None:
        raise story.Disagreement("here")
    monkeypatch.setattr(runner, "drawn", fail)
    monkeypatch.setattr("sys.argv", ["swarm", "--seed", "41"])
    assert runner.main() == 1
    assert "make swarm SEED=41" in capsys.readouterr().err
