"""A fluid model of a language-model service: how many tokens it can serve, and how busy that keeps it.

A replica spans as many accelerators as its weights need. A decode step of batch ``b`` takes (roofline)

    t(b) = (W/t + b x KV/t) / (eta_m BW) + 2 N b / (t eta_c peak) + L overhead

with weights W, mean context x, key-value bytes per token KV, t accelerators; a request also costs its
prefill. Coefficients are fitted to measured points (catalogue kind ``performance``). At a given load the
batch follows from Little's law, and power from the achieved shares of bandwidth and peak.

Source of the measurements: the ML.ENERGY leaderboard.
"""

from __future__ import annotations

from dataclasses import dataclass

from twin._kernels.laws import exp
from twin.catalog.entry import Entry
from twin.errors import SpecError
from twin.site.machine import Machine
from twin.site.training import power_activity

BYTES_PER_PARAM = {"bf16": 2.0, "fp8": 1.0, "fp4": 0.5}
#: Largest batch of the measured points; a larger one would be extrapolated.
BATCH_MAX = 1024
#: Share of device memory that weights and cache may take.
MEMORY_FRAC = 0.9
#: Points of the activity table over load 0..1.
POINTS = 17


@dataclass(frozen=True)
class Service:
    """A service at nominal clocks.

    Attributes:
        replicas, gpus_per_replica: how the job's accelerators are used.
        batch: requests in flight per replica at full load.
        capacity_tokens_s: output tokens per second at full load, all replicas.
        token_s: time between tokens at full load, s.
        memory_bound_frac: share of full-load time limited by memory bandwidth or fixed overhead.
        util, mem: compute and memory activity at load 0, 1/16 ... 1.
    """

    replicas: int
    gpus_per_replica: int
    batch: int
    capacity_tokens_s: float
    token_s: float
    memory_bound_frac: float
    util: tuple[float, ...]
    mem: tuple[float, ...]


class _Roofline:
    """Times and activity of one replica of ``t`` accelerators."""

    def __init__(self, model: Entry, machine: Machine, precision: str, t: int, n_in: float, n_out: float) -> None:
        head = model["hidden"] / model["heads"]
        self.kv = 2.0 * model["layers"] * model["kv_heads"] * head * 2.0
        self.weights = model["params"] * BYTES_PER_PARAM[precision]
        self.t, self.n_in, self.n_out, self.context = t, n_in, n_out, n_in + n_out / 2.0
        self.bandwidth = machine.mem_bytes_s * t
        self.peak = machine.peak_flops[precision] * t
        self.perf, self.params = machine.efficiency, float(model["params"])
        self.fixed = model["layers"] * self.perf["serve_overhead_s"]

    def memory_s(self, batch: float) -> float:
        moved = self.weights + batch * self.context * self.kv
        return moved / (self.perf["serve_mem_efficiency_frac"] * self.bandwidth)

    def decode_s(self, batch: float) -> float:
        compute = 2.0 * self.params * batch / (self.perf["serve_comp_efficiency_frac"] * self.peak)
        return self.memory_s(batch) + compute + self.fixed

    def prefill_s(self) -> float:
        flops = 2.0 * self.params * self.n_in
        return flops / (self.perf["serve_prefill_efficiency_frac"] * self.peak) + self.fixed

    def request_s(self, batch: float) -> float:
        """Replica time that one request costs when ``batch`` are in flight."""
        return self.prefill_s() + self.n_out * self.decode_s(batch) / batch

    def power_frac(self, batch: float) -> tuple[float, float]:
        """Return power over TDP and the share of memory bandwidth used, mean over prefill and decode."""
        request, prefill = self.request_s(batch), self.prefill_s()
        decode = self.decode_s(batch)
        u_mem = (self.weights + batch * self.context * self.kv) / decode / self.bandwidth
        u_comp = 2.0 * self.params * batch / decode / self.peak
        p = self.perf
        drive = p["serve_power_mem_ratio"] * u_mem + p["serve_power_comp_ratio"] * u_comp
        base = p["serve_power_base_frac"]
        decode_frac = base + (1.0 - base) * (1.0 - exp(-drive)) if p["serve_power_saturates"] else base + drive
        share = prefill / request
        return share + (1.0 - share) * min(1.0, decode_frac), (1.0 - share) * min(1.0, u_mem) + share * 0.5


def replica_gpus(model: Entry, machine: Machine, precision: str, gpus: int, *, where: str) -> int:
    """Return accelerators per replica: the least power of two whose memory holds weights and as much cache again.

    Raises:
        SpecError: the job's accelerators do not hold the model.
    """
    weights = model["params"] * BYTES_PER_PARAM[precision]
    t = 1
    while t * 2 <= gpus and t * machine.mem_bytes * MEMORY_FRAC < 2.0 * weights:
        t *= 2
    if t * machine.mem_bytes * MEMORY_FRAC < 1.1 * weights:
        least = int(1.1 * weights / (machine.mem_bytes * MEMORY_FRAC)) + 1
        raise SpecError(f"'{model.name}' in {precision} does not fit {gpus} accelerators", where=where,
                        expected=f"at least {least}")
    return t


def build_service(model: Entry, machine: Machine, idle_power_frac: float, precision: str, gpus: int, n_in: float,
                  n_out: float, *, where: str) -> Service:
    """Return the service that ``gpus`` accelerators give.

    Args:
        model: catalogue entry of kind models.
        machine: the accelerator.
        idle_power_frac: power over TDP with a context but nothing to do.
        precision: number format of weights and matrix work.
        n_in, n_out: mean prompt and answer length, tokens.
        where: key of the specification, for messages.
    """
    t = replica_gpus(model, machine, precision, gpus, where=where)
    line = _Roofline(model, machine, precision, t, n_in, n_out)
    room = t * machine.mem_bytes * MEMORY_FRAC - line.weights
    batch = max(1, min(BATCH_MAX, int(room / (line.kv * (n_in + n_out)))))
    replicas = gpus // t
    full = line.request_s(batch)
    bound = (line.memory_s(batch) + line.fixed) * line.n_out / batch / full
    util, mem = [], []
    for k in range(POINTS):
        load = k / (POINTS - 1)
        power, memory = _at_load(line, load, batch, idle_power_frac)
        util.append(power_activity(power, machine.idle_frac))
        mem.append(memory)
    return Service(replicas, t, batch, replicas * n_out / full, line.decode_s(batch), min(1.0, bound),
                   tuple(util), tuple(mem))


def _at_load(line: _Roofline, load: float, batch_max: int, idle_power_frac: float) -> tuple[float, float]:
    """Return (power over TDP, memory activity) when requests arrive at ``load`` times the capacity.

    Little's law: requests in flight = arrival rate x residence; solved by bisection over the batch, since the
    time that a request costs falls with it. Below one request in flight the replica idles in between.
    """
    if load <= 0.0:
        return idle_power_frac, 0.0
    arrivals = load / line.request_s(batch_max)
    if arrivals * line.request_s(1.0) <= 1.0:
        power, memory = line.power_frac(1.0)
        busy = arrivals * line.request_s(1.0)
        return busy * power + (1.0 - busy) * idle_power_frac, busy * memory
    lo, hi = 1.0, float(batch_max)
    for _ in range(60):
        mid = 0.5 * (lo + hi)
        if arrivals * line.request_s(mid) > 1.0:
            lo = mid
        else:
            hi = mid
    return line.power_frac(hi)
