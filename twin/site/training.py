"""A synchronous training step in closed form: its phases, their lengths, and what they ask of an accelerator.

Model FLOPs per token follow the accounting of Megatron: ``6 (N - V d) + 6 L d s`` for a causal model (an
untied input embedding is a look-up and is not counted). The busy part of the step is
``FLOPs / (accelerators peak efficiency)`` with an efficiency calibrated on published step times, in which
communication inside the scale-up domain is contained. Added to it: the pipeline bubble, gradient traffic on
the scale-out fabric as far as the backward pass cannot hide it, and the optimizer's pass over its state.

Sources: Narayanan et al., SC'21 (bubble); Korthikanti et al., arXiv 2205.05198; Rajbhandari et al., SC'20 (ZeRO).
"""

from __future__ import annotations

from dataclasses import dataclass

from twin.catalog.entry import Entry
from twin.site.machine import Machine


@dataclass(frozen=True)
class Plan:
    """How a step is spread and cut.

    Attributes:
        tp, pp, dp, cp: widths of tensor, pipeline, data and context parallelism.
        vp: interleaved stages per accelerator.
        micro_batch: sequences per micro-batch.
        batch: sequences per step, all replicas together.
        recompute: the forward pass is computed again in the backward pass.
    """

    tp: int
    pp: int
    dp: int
    cp: int = 1
    vp: int = 1
    micro_batch: int = 1
    batch: int = 1
    recompute: bool = False

    @property
    def gpus(self) -> int:
        """Accelerators of the plan."""
        return self.tp * self.pp * self.dp * self.cp

    @property
    def micro_batches(self) -> int:
        """Micro-batches that pass one pipeline in a step."""
        return max(1, self.batch // (self.dp * self.micro_batch))


@dataclass(frozen=True)
class Step:
    """One training step at nominal speed.

    Attributes:
        compute_s, scale_up_s, bubble_s, optimizer_s: lengths of its phases, s; scale_up_s is exposed
            communication inside the scale-up domain.
        scale_out_s: exposed communication on the scale-out fabric, s.
        scale_out_total_s: all communication on the scale-out fabric, hidden or not, at full rate, s.
        scale_out_bytes: bytes that each accelerator sends over the scale-out fabric in a step.
        tokens: tokens of a step.
        flops_per_token: model FLOPs per token.
    """

    compute_s: float
    scale_up_s: float
    bubble_s: float
    optimizer_s: float
    scale_out_s: float
    scale_out_total_s: float
    scale_out_bytes: float
    tokens: float
    flops_per_token: float

    @property
    def total_s(self) -> float:
        """Length of the step, s."""
        return self.compute_s + self.scale_up_s + self.bubble_s + self.optimizer_s + self.scale_out_s

    @property
    def tokens_s(self) -> float:
        """Tokens trained per second."""
        return self.tokens / self.total_s


def flops_per_token(model: Entry) -> float:
    """Return model FLOPs per trained token, forward and backward, at the model's sequence length."""
    counted = model["params"] - (0 if model["tied_embedding"] else model["vocab"] * model["hidden"])
    return float(6.0 * counted + 6.0 * model["layers"] * model["hidden"] * model["seq_len"])


def bubble_ratio(stages: int, micro_batches: int, interleave: int = 1) -> float:
    """Return pipeline bubble over ideal step time, (p - 1) / (v m).

    >>> bubble_ratio(8, 64), bubble_ratio(8, 64, 8)
    (0.109375, 0.013671875)
    """
    return (stages - 1) / (interleave * micro_batches)


def training_step(model: Entry, machine: Machine, phases: Entry, plan: Plan, precision: str, *,
                  scale_up_gpus: int, nic_bytes_s: float) -> Step:
    """Return the step of a training job.

    Args:
        model, phases: catalogue entries of kinds models and phases.
        machine: the accelerator.
        plan: how the step is spread.
        precision: ``bf16``, ``fp8`` or ``fp4``.
        scale_up_gpus: accelerators of one scale-up domain (NVLink).
        nic_bytes_s: scale-out rate of one accelerator, bytes/s; 0 when there is no fabric.
    """
    flops, tokens = flops_per_token(model), float(plan.batch * model["seq_len"])
    rate = machine.peak_flops[precision] * machine.efficiency[f"train_efficiency_{precision}_frac"] * plan.gpus
    busy = flops * tokens * (4.0 / 3.0 if plan.recompute else 1.0) / rate
    bubble = busy * bubble_ratio(plan.pp, plan.micro_batches, plan.vp)

    m = plan.micro_batches
    activation = plan.micro_batch * model["seq_len"] / plan.cp * model["hidden"] * 2.0
    share = model["params"] / (plan.tp * plan.pp)
    # Tensor parallelism: two all-gathers and two reduce-scatters per layer, forward and again backward.
    scale_up = 0.0
    if plan.tp > 1 and machine.scale_up_bytes_s > 0:
        moved = 8.0 * activation * (plan.tp - 1) / plan.tp * model["layers"] / plan.pp * m
        scale_up = min(moved / machine.scale_up_bytes_s, 0.5 * busy)
    # The optimizer is part of the calibrated busy time; its share is split off so that its power is right.
    optimizer = min(phases["optimizer_bytes_per_param"] * share / plan.dp / machine.mem_bytes_s, 0.1 * busy)

    inside = max(1, scale_up_gpus // (plan.tp * plan.cp))
    gradient, boundary = _scale_out_bytes(plan, share, activation, inside)
    total = exposed = 0.0
    if nic_bytes_s > 0 and gradient + boundary > 0:
        hidden = phases["overlap_frac"] * (m - 1) / m * busy * 2.0 / 3.0
        ramp = boundary / (plan.vp * m) * (plan.pp - 1) / nic_bytes_s
        exposed = max(0.0, gradient / nic_bytes_s - hidden) + ramp
        total = gradient / nic_bytes_s + ramp
    return Step(busy - scale_up - optimizer, scale_up, bubble, optimizer, exposed, total,
                gradient + boundary if nic_bytes_s > 0 else 0.0, tokens, flops)


def _scale_out_bytes(plan: Plan, share: float, activation: float, inside: int) -> tuple[float, float]:
    """Return bytes per accelerator and step of gradients (with the gathered weights) and of stage boundaries.

    ``inside`` is how many model-parallel groups fit one scale-up domain; a data-parallel ring that fits it
    does not touch the fabric, a larger one sends (1/inside) of its bytes there (hierarchical reduction).
    """
    gradient = boundary = 0.0
    if plan.dp > inside:
        outside = -(-plan.dp // inside)
        # Reduce-scatter of fp32 gradients (4 B) and all-gather of bf16 weights (2 B) per parameter.
        gradient = 6.0 * share / inside * (outside - 1) / outside
    if plan.pp > inside:
        boundary = 2.0 * plan.vp * plan.micro_batches * activation / plan.tp
    return gradient, boundary


@dataclass(frozen=True)
class Activity:
    """What a job asks of its accelerators.

    Attributes:
        busy_util, busy_mem: compute and memory activity outside exposed scale-out communication, 0..1.
        comm_util, comm_mem: the same during exposed scale-out communication.
        stall_util, stall_mem: the same while a checkpoint is written.
        idle_util: compute activity of a held but idle accelerator (restart).
    """

    busy_util: float
    busy_mem: float
    comm_util: float
    comm_mem: float
    stall_util: float
    stall_mem: float
    idle_util: float


def power_activity(power_frac: float, idle_frac: float) -> float:
    """Return the activity 0..1 at which a chip draws ``power_frac`` of TDP, idle drawing ``idle_frac``.

    >>> power_activity(0.97, 0.13) > 0.96, power_activity(0.1, 0.13)
    (True, 0.0)
    """
    return min(1.0, max(0.0, (power_frac - idle_frac) / (1.0 - idle_frac)))


def training_activity(step: Step, phases: Entry, idle_frac: float) -> Activity:
    """Return the time-weighted activity of a step's phases, exposed scale-out communication apart."""
    parts: tuple[tuple[float, str], ...] = ((step.compute_s, "compute"), (step.scale_up_s, "comm"),
                                            (step.bubble_s, "bubble"), (step.optimizer_s, "optimizer"))
    length = step.total_s - step.scale_out_s
    util = mem = 0.0
    for seconds, phase in parts:
        util += seconds / length * power_activity(phases[f"{phase}_power_frac"], idle_frac)
        mem += seconds / length * phases[f"{phase}_mem_frac"]
    return Activity(util, mem, power_activity(phases["comm_power_frac"], idle_frac), phases["comm_mem_frac"],
                    power_activity(phases["stall_power_frac"], idle_frac), phases["stall_mem_frac"],
                    power_activity(phases["idle_power_frac"], idle_frac))


def batch_activity(utilisation: float, phases: Entry, idle_frac: float) -> Activity:
    """Return the activity of a job that states only how busy it keeps its accelerators."""
    mem = utilisation * phases["batch_mem_ratio"]
    return Activity(utilisation, mem, utilisation, mem,
                    power_activity(phases["stall_power_frac"], idle_frac), phases["stall_mem_frac"],
                    power_activity(phases["idle_power_frac"], idle_frac))
