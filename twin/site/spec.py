"""What a scenario specification says, as types. Read by ``twin/scenario/load.py``, built by ``site/build.py``.

Every key carries its meaning, unit, default and range here; the JSON Schema (``twin schema``) and
docs/scenario.md are generated from these types. Times are nanoseconds after reading; a file may write
``"20m"``. A number under a key whose suffix names a unit may also be written with it: ``"32degC"``.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

Fraction = Annotated[float, Meta(ge=0, le=1, extra={"unit": "frac"})]
Count = Annotated[int, Meta(ge=0, le=1_000_000)]
#: GPUs of one factory
GPUS_MAX = 10_000_000
#: a hundred years: instants and sums of instants stay far from the end of 64 bits
DURATION_MAX_NS = 36_525 * 86_400_000_000_000
DurationNs = Annotated[int, Meta(ge=0, le=DURATION_MAX_NS, description="a duration, as in 90s 5m 6h 2d", extra={"unit": "duration"})]
Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", description="a short name a person can say")]


def doc(text: str, unit: str = "", kind: str = "") -> Meta:
    """Describe a key.

    Args:
        text: its meaning.
        unit: used to read quantities written with a unit and to print the docs; ``file`` for a file name.
        kind: kind of the catalogue whose entry the key names.
    """
    extra = {key: value for key, value in (("unit", unit), ("kind", kind)) if value}
    return Meta(description=text, extra=extra or None)


class _Section(Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    pass


class ScenarioSpec(_Section, kw_only=True, frozen=True):
    """``[scenario]``: what the story is called and how long it runs."""

    title: Annotated[str, doc("One line shown on top of every screen.")]
    story: Annotated[str, doc("What happens, in a sentence or two.")] = ""
    start: Annotated[str, doc("First simulated instant, ISO 8601 with an offset.")] = "2026-01-01T00:00:00+00:00"
    duration: Annotated[DurationNs, doc("How long the story runs.")] = 3_600_000_000_000
    tick: Annotated[int, Meta(ge=10_000_000, le=60_000_000_000, description="Tick length, 10ms to 60s.",
                              extra={"unit": "duration"})] = 1_000_000_000
    tick_max: Annotated[int, Meta(ge=0, le=60_000_000_000, extra={"unit": "duration"},
                                  description="Tick length while nothing happens; 0 keeps the tick constant.")] = 0
    seed: Annotated[int, Meta(ge=0, le=2**63 - 1, description="Seed of all random draws.")] = 1


class SiteSpec(_Section, kw_only=True, frozen=True):
    """``[site]``: where the factory stands. A preset fills what is left out."""

    preset: Annotated[str, doc("Entry of the catalogue's sites: climate, altitude, grid, carbon, tariff.", kind="sites")] = "texas"
    weather: Annotated[str, doc("A climate class (`nordic`, `phoenix`, `singapore`, `texas` ...) or `epw:FILE`.", "file")] = ""
    altitude_m: Annotated[float | None, doc("Height above sea level.", "m")] = None
    carbon_kg_kwh: Annotated[float | None, doc("Annual mean carbon intensity of the grid.", "kg/kWh")] = None
    price_usd_kwh: Annotated[float | None, doc("Energy price.", "USD/kWh")] = None
    weather_repair: Annotated[bool, doc("Replace weather points that fail the quality checks by interpolation.")] = False


class UnitGroupSpec(_Section, kw_only=True, frozen=True):
    """A number of like machines; ``count`` includes the spares."""

    type: Annotated[str, doc("Name of a catalogue entry.")]
    count: Annotated[int, Meta(ge=1, le=10_000, description="How many, spares included.")] = 1
    spare: Annotated[int, Meta(ge=0, le=1_000, description="How many of them stand by.")] = 0


class LoopSpec(_Section, kw_only=True, frozen=True):
    """``[[plant.loop]]``: a water loop that carries heat from the halls to the sky."""

    name: Name
    supply_c: Annotated[float, Meta(ge=5, le=60, description="Supply temperature set-point.", extra={"unit": "degC"})]
    heat_reject: Annotated[list[UnitGroupSpec], doc("Dry coolers and towers; the water passes them one after the other, in this order.", kind="coolers")] = []
    chillers: Annotated[UnitGroupSpec | None, doc("Chillers; without them the loop is cooled by its heat_reject only.", kind="chillers")] = None
    condenser: Annotated[str, doc("Where the chillers reject: `air`, or the name of another loop.")] = "air"
    pumps: Annotated[UnitGroupSpec | None, doc("Distribution pumps; sized from the load when left out.", kind="pumps")] = None
    volume_m3: Annotated[float | None, doc("Water in pipes and tank; 20 L per kW of design load when left out.", "m3")] = None
    coolant: Annotated[Literal["water", "pg25"], doc("What flows in it.")] = "water"


class PlantSpec(_Section, kw_only=True, frozen=True):
    """``[plant]``: the loops outside the halls."""

    loop: Annotated[list[LoopSpec], doc("Water loops.")] = []


class PowerSpec(_Section, kw_only=True, frozen=True):
    """``[power]``: from the utility to the racks."""

    topology: Annotated[Literal["2n", "n+1", "n", "direct"], doc("Redundancy of the chain; `direct` meters at the rack input only.")] = "2n"
    battery: Annotated[DurationNs, doc("Time that the UPS batteries carry the design load.")] = 300_000_000_000
    ups: Annotated[str, doc("Catalogue entry of the UPS.", kind="electrical")] = "ups-1500kw"
    transformer: Annotated[str, doc("Catalogue entry of the MV/LV transformer.", kind="electrical")] = "transformer-2500kva"
    generators: Annotated[UnitGroupSpec | None, doc("Standby generators.", kind="electrical")] = None


class FabricSpec(_Section, kw_only=True, frozen=True):
    """``[fabric]``: the scale-out network."""

    type: Annotated[Literal["leaf-spine", "rail-optimised", "none"], doc("How leaves are wired.")] = "rail-optimised"
    speed: Annotated[float, Meta(ge=1e6, le=1e15, description="Speed of a port, one direction.", extra={"unit": "bytes/s"})] = 50e9
    oversubscription: Annotated[float, Meta(ge=1, le=64, description="Down-link over up-link capacity of a leaf.")] = 1.0
    switch: Annotated[str, doc("Catalogue entry of leaf and spine switches.", kind="switches")] = "qm9700"
    routing: Annotated[Literal["adaptive", "ecmp", "static"], doc("How flows choose an up-link.")] = "adaptive"
    collective_efficiency: Annotated[Fraction, doc("Share of line rate that a collective reaches.")] = 0.9


class StorageSpec(_Section, kw_only=True, frozen=True):
    """``[storage]``: the parallel file system that checkpoints go to."""

    type: Annotated[str, doc("Catalogue entry.", kind="storage")] = "storage-200gbs"
    count: Annotated[int, Meta(ge=0, le=10_000, description="How many units; 0 for none.")] = 1


class CoolingUnitsSpec(UnitGroupSpec, kw_only=True, frozen=True):
    """CDUs or in-row coolers of a row, CRAHs or fan walls of a hall."""

    supply_c: Annotated[float | None, doc("Supply temperature set-point; the entry's own when left out.", "degC")] = None
    loop: Annotated[str, doc("Plant loop on the other side; `warm` for CDUs, `chilled` for air machines when left out.")] = ""


class DoorSpec(_Section, kw_only=True, frozen=True):
    """The rear door of every rack of a row: a water coil that the racks' exhaust air passes."""

    type: Annotated[str, doc("Name of a catalogue entry.")]
    supply_c: Annotated[float | None, doc("Set-point of the air behind the door; the entry's own when left out.", "degC")] = None
    loop: Annotated[str, doc("Plant loop whose water it gets; `chilled` when left out.")] = ""


class CduGroupSpec(CoolingUnitsSpec, kw_only=True, frozen=True):
    """CDUs of a row; in-rack ones are counted per rack."""

    coolant: Annotated[str, doc("Coolant of the row.", kind="coolants")] = "pg25"
    hold: Annotated[Literal["pressure", "return"], doc("What the pumps hold: the pressure across the racks, or the return temperature at `return_c`.")] = "pressure"
    return_c: Annotated[float, Meta(ge=20, le=70, description="Return temperature that the pumps hold when `hold` is `return`.", extra={"unit": "degC"})] = 55


class RowSpec(_Section, kw_only=True, frozen=True):
    """``[[hall.row]]``: racks side by side, sharing CDUs when they are liquid-cooled."""

    racks: Annotated[int, Meta(ge=1, le=1_000, description="Racks in the row.")]
    rack: Annotated[str, doc("Catalogue entry of the rack.", kind="racks")]
    cdu: Annotated[CduGroupSpec | None, doc("CDUs of the row; a liquid-cooled row needs them.", kind="cdus")] = None
    cooler: Annotated[CoolingUnitsSpec | None, doc("In-row coolers, spread evenly among the racks.", kind="crahs")] = None
    door: Annotated[DoorSpec | None, doc("Rear-door heat exchanger of every rack.", kind="crahs")] = None
    repeat: Annotated[int, Meta(ge=1, le=1_000, description="How many such rows, numbered on.")] = 1
    interface_age: Annotated[DurationNs, doc("Age of the accelerators' thermal interfaces, as in 1000d: they dry out.")] = 0


class HallSpec(_Section, kw_only=True, frozen=True):
    """``[[hall]]``: a room of rows with its own air."""

    name: Name
    aisle: Annotated[Literal["open", "cold-contained", "hot-contained"], doc("Containment of the aisles.")] = "cold-contained"
    leakage: Annotated[Fraction | None, doc("Open share of the contained aisles' walls; 0.02 when left out.")] = None
    crah: Annotated[CoolingUnitsSpec | None, doc("CRAHs or fan walls of the hall; sized from the air heat that doors and in-row coolers leave when left out.", kind="crahs")] = None
    row: Annotated[list[RowSpec], doc("Rows, front to back.")] = []
    repeat: Annotated[int, Meta(ge=1, le=100, description="How many such halls, lettered on.")] = 1


class PlanSpec(_Section, kw_only=True, frozen=True):
    """How a training job is spread: tensor, pipeline, data, context and expert parallelism."""

    tp: Annotated[int, Meta(ge=1, le=1024, description="Tensor parallel width.")] = 1
    pp: Annotated[int, Meta(ge=1, le=1024, description="Pipeline stages.")] = 1
    dp: Annotated[int, Meta(ge=1, le=100_000, description="Data parallel width.")] = 1
    cp: Annotated[int, Meta(ge=1, le=1024, description="Context parallel width.")] = 1
    ep: Annotated[int, Meta(ge=1, le=1024, description="Expert parallel width.")] = 1
    vp: Annotated[int, Meta(ge=1, le=128, description="Interleaved pipeline stages per GPU.")] = 1
    micro_batch: Annotated[int, Meta(ge=1, le=4096, description="Sequences per micro-batch.")] = 1
    batch: Annotated[int, Meta(ge=0, le=1_000_000, description="Sequences per step; 0 for the model's own.")] = 0
    recompute: Annotated[bool, doc("Compute the forward pass again in the backward pass (saves memory).")] = False


class LoadSpec(_Section, kw_only=True, frozen=True):
    """Requests that an inference job answers."""

    requests_per_s: Annotated[float, Meta(ge=0, le=1e9, description="Mean arrival rate.", extra={"unit": "1/s"})] = 1.0
    shape: Annotated[Literal["flat", "diurnal"], doc("Course over the day.")] = "flat"
    input_tokens: Annotated[float, Meta(ge=1, le=1e8, description="Mean prompt length.", extra={"unit": "tokens"})] = 1155.0
    output_tokens: Annotated[float, Meta(ge=1, le=1e8, description="Mean answer length.", extra={"unit": "tokens"})] = 211.0


class JobSpec(_Section, kw_only=True, frozen=True):
    """``[[job]]``: one job, submitted at ``at``."""

    name: Name
    kind: Annotated[Literal["training", "inference", "batch"], doc("What it does.")] = "training"
    model: Annotated[str, doc("Catalogue entry of the model; empty for a batch job.", kind="models")] = ""
    gpus: Annotated[int, Meta(ge=1, le=10_000_000, description="GPUs, placed all at once or not at all.")]
    at: Annotated[DurationNs, doc("When it is submitted, after the start.")] = 0
    run: Annotated[DurationNs, doc("Work at nominal speed; 0 runs until the scenario's end.")] = 0
    plan: Annotated[PlanSpec, doc("How a training job is spread; chosen from the model when left out.")] = PlanSpec()
    checkpoint: Annotated[DurationNs, doc("Time between checkpoints; 0 for none.")] = 0
    load: Annotated[LoadSpec | None, doc("Requests that an inference job answers.")] = None
    utilisation: Annotated[Fraction | None, doc("Compute activity of a batch job; the model decides when left out.")] = None
    racks: Annotated[str, doc("Racks or rows it prefers, as in `A1,A2`; anywhere when empty.")] = ""
    precision: Annotated[Literal["bf16", "fp8", "fp4"], doc("Number format of its matrix work.")] = "bf16"
    priority: Annotated[int, Meta(ge=-1000, le=1000, description="Larger goes first.")] = 0


class GeneratorSpec(_Section, kw_only=True, frozen=True):
    """``[workload.generator]``: jobs drawn from distributions, without end."""

    jobs_per_hour: Annotated[float, Meta(ge=1e-3, le=1e6, description="Mean submissions per hour.")] = 6.0
    gpus: Annotated[list[Annotated[int, Meta(ge=1, le=10_000_000)]], doc("Sizes that are drawn, in GPUs; repeat a size to draw it more often.")] = field(default_factory=lambda: [8, 16, 32, 64])
    run_mean: Annotated[DurationNs, doc("Mean work of a job at nominal speed.")] = 1_800_000_000_000
    slots: Annotated[int, Meta(ge=1, le=100_000, description="Jobs that may be waiting or running at once.")] = 64


class WorkloadSpec(_Section, kw_only=True, frozen=True):
    """``[workload]``: where jobs come from beside ``[[job]]`` and how they are scheduled."""

    trace: Annotated[str, doc("A `.trace` (Philly-derived) or `.swf` file, relative to the scenario file; empty for none.", "file")] = ""
    throughputs: Annotated[str, doc("CSV of steps per second per job type, for a `.trace` file; beside it when empty.", "file")] = ""
    policy: Annotated[Literal["fcfs"], doc("Queue discipline.")] = "fcfs"
    generator: Annotated[GeneratorSpec | None, doc("Jobs drawn without end; a trace takes its place.")] = None
    gpus_max: Annotated[Annotated[int, Meta(ge=1, le=10_000_000)] | None, doc("GPUs that jobs may hold at once; what the header of an `.swf` says (MaxProcs), or all, when left out.")] = None
    utilisation: Annotated[Fraction, doc("Compute activity of trace jobs, whose files do not say.")] = 0.7
    packing: Annotated[Literal["contiguous", "spread"], doc("Placement of a gang.")] = "contiguous"
    restart: Annotated[DurationNs, doc("Time to notice an interruption, reschedule and start; loading comes on top.")] = 600_000_000_000
    on_failure: Annotated[Literal["restart", "fail"], doc("What an interrupted trace or generator job does.")] = "restart"
    coupled: Annotated[bool, doc("Trace durations stretch with throttling and congestion; false replays them as given.")] = True


class EventSpec(_Section, kw_only=True, frozen=True):
    """``[[event]]``: a fault or a command at an instant."""

    at: Annotated[DurationNs, doc("When it happens, after the start.")]
    fault: Annotated[str, doc("Name of a fault.")] = ""
    command: Annotated[Literal["", "set"], doc("`set` changes a set-point.")] = ""
    target: Annotated[str, doc("Place, or path of the set-point.")]
    value: Annotated[float | None, doc("New value, or how bad the fault is.")] = None
    for_: Annotated[int, Meta(ge=0, le=DURATION_MAX_NS, extra={"unit": "duration"}, description="How long a fault lasts; for ever when left out.")] = field(default=0, name="for")


class ControlSpec(_Section, kw_only=True, frozen=True):
    """``[[control]]``: a controller that moves a set-point while the factory runs."""

    controller: Annotated[str, doc("Name of a controller plug-in: `twin catalog controllers` lists them.")]
    target: Annotated[str, doc("Path of the set-point that it moves, as `warm.supply_c`.")]
    name: Annotated[str, doc("What variants and `--set` call it; by its number when left out.")] = ""
    measure: Annotated[str, doc("What it looks at: `[place] block.column [max, min, mean or sum]`; the largest element when it does not say.")] = ""
    on: Annotated[bool, doc("Whether it acts; a variant may switch it.")] = True
    options: Annotated[dict[str, float], doc("The controller's own parameters.")] = {}


class VariantSpec(_Section, kw_only=True, frozen=True):
    """``[[variant]]``: the same story under other conditions."""

    name: Name
    set: Annotated[dict[str, bool | int | float | str], doc("Paths and values, as for --set.")]


class Spec(_Section, kw_only=True, frozen=True):
    """A whole specification after `extends`, presets and `--set` were applied."""

    scenario: Annotated[ScenarioSpec, doc("Title, duration, tick, seed.")]
    extends: Annotated[str, doc("Name or file of a scenario to start from.")] = ""
    site: Annotated[SiteSpec, doc("Where the factory stands.")] = SiteSpec()
    plant: Annotated[PlantSpec, doc("Loops, chillers, what rejects heat.")] = PlantSpec()
    power: Annotated[PowerSpec, doc("From the utility to the racks.")] = PowerSpec()
    fabric: Annotated[FabricSpec, doc("The scale-out network.")] = FabricSpec()
    storage: Annotated[StorageSpec, doc("What checkpoints are written to.")] = StorageSpec()
    hall: Annotated[list[HallSpec], doc("Rooms with racks.")] = []
    job: Annotated[list[JobSpec], doc("Jobs that are declared.")] = []
    workload: Annotated[WorkloadSpec, doc("Traces, generators, scheduling.")] = WorkloadSpec()
    control: Annotated[list[ControlSpec], doc("Controllers that write set-points.")] = []
    event: Annotated[list[EventSpec], doc("Faults and commands.")] = []
    variant: Annotated[list[VariantSpec], doc("The same story under other conditions.")] = []
    expect: Annotated[dict[str, str], doc("Quantity and condition; see the grammar of expectations.")] = {}
    catalog: Annotated[dict[str, dict[str, dict[str, object]]], doc("Own catalogue entries, by kind and name.")] = {}
