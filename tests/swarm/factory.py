"""A small factory drawn from a seed, as the text of a scenario file."""

from __future__ import annotations

from collections import Counter
from random import Random

#: rack, GPUs in it, and what cools it
LIQUID = (("gb200-nvl72", 72), ("gb300-nvl72", 72))
AIR = (("hgx-h100-x4", 32), ("hgx-b200-x4", 32))
TANKS = (("hgx-h100-x4-1p", 32, "tank-exchanger-60kw"), ("hgx-h100-x4-2p", 32, "tank-condenser-60kw"))
DOORS = ("rear-door-50kw", "rear-door-25kw")


def factory(rng: Random) -> str:
    """Return the specification of a factory: one or two halls, a few rows, loops, jobs of every kind, a generator."""
    halls: list[str] = []
    kinds: Counter[str] = Counter()
    for hall in range(rng.choice((1, 1, 2))):
        text, more = _hall(rng, "AB"[hall])
        halls.append(text)
        kinds += more
    gpus = max(kinds.values())  # a job runs on GPUs of one kind
    tick = rng.choice(("500ms", "1s", "1s", "2s", "5s"))
    longest = f'\ntick_max = "{rng.choice(("10s", "30s"))}"' if rng.random() < 0.3 else ""
    site = rng.choice(("texas", "phoenix", "helsinki", "singapore", "virginia"))
    start = f"2026-0{rng.randint(1, 9)}-1{rng.randint(0, 9)}T{rng.randint(10, 20)}:00:00Z"
    return "\n".join([
        f'[scenario]\ntitle = "drawn"\nstart = {start}',
        f'duration = "20m"\ntick = "{tick}"{longest}\nseed = {rng.randrange(10**6)}',
        f'[site]\npreset = "{site}"', _plant(rng), *halls, *_power(rng), _fabric(rng), *_jobs(rng, gpus),
        _generator(rng), *_control(rng, halls)])


def _hall(rng: Random, name: str) -> tuple[str, Counter[str]]:
    """Return a hall, and how many GPUs stand in racks of each kind."""
    out = [f'[[hall]]\nname = "{name}"\naisle = "{rng.choice(("open", "cold-contained", "hot-contained"))}"']
    if rng.random() < 0.7:
        out.append(f'crah = {{ type = "crah-350kw", count = {rng.randint(2, 4)}, spare = {rng.randint(0, 1)} }}')
    kinds: Counter[str] = Counter()
    for _ in range(rng.randint(1, 3)):
        text, more = _row(rng)
        out.append(text)
        kinds += more
    return "\n".join(out), kinds


def _row(rng: Random) -> tuple[str, Counter[str]]:
    """Return a row of one way of cooling, and its GPUs."""
    racks, way = rng.randint(1, 4), rng.random()
    below = ""
    if way < 0.45:
        rack, per_rack = rng.choice(LIQUID)
        hold = f', hold = "return", return_c = {rng.randint(40, 60)}' if rng.random() < 0.2 else ""
        below = f'cdu = {{ type = "cdu-1350kw", count = {rng.randint(1, 3)}, spare = 0{hold} }}'
    elif way < 0.6:
        rack, per_rack, tank = rng.choice(TANKS)
        below = f'cdu = {{ type = "{tank}" }}'
    else:
        rack, per_rack = rng.choice(AIR)
        if way > 0.88:
            below = f'door = {{ type = "{rng.choice(DOORS)}" }}'
        elif way > 0.76:
            below = f'cooler = {{ type = "in-row-60kw", count = {rng.randint(1, 3)} }}'
    return f'[[hall.row]]\nracks = {racks}\nrack = "{rack}"\n{below}', Counter({rack: racks * per_rack})


def _control(rng: Random, halls: list[str]) -> list[str]:
    """Return controllers that move the pressure of the first row's pumps, where it has some."""
    first = halls[0].partition("[[hall.row]]")[2].partition("[[hall.row]]")[0]
    if "cdu-1350kw" not in first or rng.random() < 0.4:
        return []
    if rng.random() < 0.5:
        return ['[[control]]\nname = "return"\ncontroller = "pi"\nmeasure = "A1 liquid.tcs_return_temp_c"\n'
                f'target = "A1.tcs.dp_pa"\noptions = {{ setpoint = {rng.randint(40, 55)}, gain = -2500, reset_s = 60, '
                f'sample_s = {rng.choice((1, 5, 7))}, low = 15e3, high = 100e3, rate_per_s = 1000 }}']
    return ['[[control]]\nname = "power"\ncontroller = "feed-forward"\nmeasure = "A1 power.rack_input_w sum"\n'
            f'target = "A1.tcs.dp_pa"\noptions = {{ at = 2.0e5, base = 65e3, exponent = 1.897, low = 15e3, '
            f'high = 100e3, sample_s = {rng.choice((1, 3))}, fall_s = 30 }}']


def _plant(rng: Random) -> str:
    towers = f', {{ type = "tower-5mw", count = {rng.randint(1, 2)} }}' if rng.random() < 0.4 else ""
    return (f'[[plant.loop]]\nname = "warm"\nsupply_c = {rng.randint(24, 36)}\n'
            f'heat_reject = [{{ type = "dry-cooler-2900kw", count = {rng.randint(1, 3)} }}{towers}]\n'
            f'[[plant.loop]]\nname = "chilled"\nsupply_c = {rng.randint(14, 20)}\n'
            f'chillers = {{ type = "carnot-1500kw", count = {rng.randint(1, 3)} }}')


def _power(rng: Random) -> list[str]:
    if rng.random() < 0.3:
        return []
    return [f'[power]\ntopology = "{rng.choice(("2n", "n+1", "n"))}"\nbattery = "{rng.choice(("20s", "2m", "5m"))}"']


def _fabric(rng: Random) -> str:
    kind, routing = rng.choice(("leaf-spine", "rail-optimised")), rng.choice(("adaptive", "ecmp", "static"))
    return f'[fabric]\ntype = "{kind}"\nrouting = "{routing}"\noversubscription = {rng.choice((1, 2, 4))}'


def _jobs(rng: Random, gpus: int) -> list[str]:
    out = []
    for i in range(rng.randint(1, 4)):
        size = max(1, min(gpus, 8 * rng.randint(1, 8)))
        kind = rng.choice(("training", "inference", "batch"))
        job = [f'[[job]]\nname = "job{i}"\nkind = "{kind}"\ngpus = {size}\nat = "{rng.randint(0, 60)}s"']
        if kind == "batch":
            job.append(f'utilisation = {rng.uniform(0.2, 1):.3f}\nrun = "{rng.randint(20, 400)}s"')
        else:
            job.append('model = "llama3-8b"')
        if kind == "training" and rng.random() < 0.7:
            job.append(f'checkpoint = "{rng.randint(15, 90)}s"')
        if kind == "inference":
            job.append(f'load = {{ requests_per_s = {rng.uniform(1, 60):.2f}, shape = "flat" }}')
        out.append("\n".join(job))
    return out


def _generator(rng: Random) -> str:
    head = f'[workload]\npacking = "{rng.choice(("contiguous", "spread"))}"\nrestart = "{rng.randint(5, 60)}s"'
    if rng.random() < 0.5:
        return head
    return (f'{head}\n[workload.generator]\njobs_per_hour = {rng.randint(30, 600)}\ngpus = [1, 2, 8, 16]\n'
            f'run_mean = "{rng.randint(20, 300)}s"\nslots = {rng.randint(2, 12)}')
