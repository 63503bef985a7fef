"""What must hold between the keys of a specification, checked before anything is built."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import msgspec.inspect as mi

from twin.catalog.loader import Catalog, load_catalog
from twin.errors import SpecError, TwinError, nearest, printable
from twin.scenario.reading import bare, locate, type_of
from twin.site.spec import GPUS_MAX, CoolingUnitsSpec, JobSpec, Spec

#: racks, and cooling units, of one factory
MACHINES_MAX = 200_000


def check_spec(spec: Spec, *, file: str = "") -> None:
    """Check a specification in itself and against the catalogue.

    Raises:
        SpecError: names used twice, references to what does not exist, numbers that contradict each other.
        CatalogError: an entry that does not exist; names the nearest one.
    """
    from twin.scenario.expect import parse_expectations
    from twin.site.build import parse_start
    from twin.site.topology import hall_list

    try:
        _check_text(msgspec.to_builtins(spec), "")
        catalog = load_catalog(spec.catalog)
        _check_own_entries(spec, catalog)
        _check_entries(spec, catalog)
        _check_size(spec, catalog)
        parse_start(spec.scenario.start)
        hall_list(spec)
        _check_times(spec)
        _check_names(spec)
        _check_loops(spec, catalog)
        _check_jobs(spec, catalog)
        _check_events(spec)
        parse_expectations(spec.expect, [variant.name for variant in spec.variant])
    except TwinError as error:
        if not file or error.where.startswith(file):
            raise
        raise type(error)(error.what, where=locate(file, error.where), expected=error.expected,
                          nearest=error.nearest) from None


def entry_references(spec: Spec) -> list[tuple[str, str, str]]:
    """Return (dotted key, kind, name) of every catalogue entry that a specification names."""
    out: list[tuple[str, str, str]] = []
    _collect(msgspec.to_builtins(spec), type_of(Spec), "", out)
    return out


def _check_text(value: Any, path: str) -> None:
    """Refuse text that could steer the terminal that shows it."""
    if isinstance(value, str) and printable(value) != value:
        raise SpecError("the text holds a control character", where=path.lstrip("."), expected="text that can be shown")
    items = value.items() if isinstance(value, Mapping) else enumerate(value, 1) if isinstance(value, list) else ()
    for key, inner in items:
        _check_text(key, path)
        _check_text(inner, f"{path}.{key}")


def _check_own_entries(spec: Spec, catalog: Catalog) -> None:
    """Read every entry that the specification brings along, used or not."""
    for kind, entries in spec.catalog.items():
        if not catalog.is_kind(kind):
            raise SpecError(f"the catalogue has no kind '{kind}'", where=f"catalog.{kind}",
                            expected="one of " + ", ".join(load_catalog().kinds()),
                            nearest=nearest(kind, load_catalog().kinds()))
        if entries:
            catalog.entries(kind)


def _check_size(spec: Spec, catalog: Catalog) -> None:
    """Refuse what no machine could hold, before anything is built."""
    racks, gpus = size_of(spec, catalog)
    if gpus > GPUS_MAX:
        raise SpecError(f"{gpus:,} GPUs are too many", where="hall", expected=f"at most {GPUS_MAX:,}")
    units = sum(hall.repeat * ((hall.crah.count if hall.crah else 0)
                               + sum(row.repeat * row.cdu.count for row in hall.row if row.cdu)) for hall in spec.hall)
    for number, what in ((racks, "racks"), (units, "CDUs and CRAHs")):
        if number > MACHINES_MAX:
            raise SpecError(f"{number:,} {what} are too many", where="hall", expected=f"at most {MACHINES_MAX:,}")


def _collect(value: Any, described: mi.Type, path: str, out: list[tuple[str, str, str]], kind_above: str = "") -> None:
    kind, extra, _ = bare(described)
    wanted = str(extra.get("kind", ""))
    if isinstance(kind, mi.StructType) and isinstance(value, Mapping):
        for field in kind.fields:
            _collect(value.get(field.encode_name), field.type, f"{path}.{field.encode_name}".lstrip("."), out, wanted)
    elif isinstance(kind, mi.ListType) and isinstance(value, list):
        for i, item in enumerate(value):
            label = item.get("name", i + 1) if isinstance(item, Mapping) else i + 1
            _collect(item, msgspec_with_kind(kind.item_type, wanted), f"{path}.{label}", out, wanted)
    elif isinstance(value, str) and value and (wanted or (kind_above and path.endswith(".type"))):
        out.append((path, wanted or kind_above, value))


def msgspec_with_kind(described: mi.Type, kind: str) -> mi.Type:
    """Return a described type that carries the catalogue kind of the list it is an element of."""
    return mi.Metadata(described, extra={"kind": kind}) if kind else described


def _check_entries(spec: Spec, catalog: Catalog) -> None:
    for path, kinds, name in entry_references(spec):
        known = {entry.name for kind in kinds.split("|") if kind in catalog.kinds() for entry in catalog.entries(kind)}
        if known and name not in known:
            close = nearest(name, known)
            raise SpecError(f"the catalogue has no '{name}' among its {kinds.replace('|', ' and ')}", where=path,
                            expected="" if close else "one of " + ", ".join(sorted(known)), nearest=close)


def _check_times(spec: Spec) -> None:
    scenario = spec.scenario
    if scenario.duration < scenario.tick:
        raise SpecError("the story is shorter than one tick", where="scenario.duration", expected="at least the tick")
    if 0 < scenario.tick_max < scenario.tick:
        raise SpecError("the longest tick is shorter than the tick", where="scenario.tick_max",
                        expected="0, or at least scenario.tick")


def _unique(names: Iterable[str], where: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise SpecError(f"'{name}' is used twice", where=f"{where}.{name}", expected="a name of its own")
        seen.add(name)


def _check_names(spec: Spec) -> None:
    _unique((hall.name for hall in spec.hall), "hall")
    _unique((job.name for job in spec.job), "job")
    _unique((loop.name for loop in spec.plant.loop), "plant.loop")
    _unique((variant.name for variant in spec.variant), "variant")
    _unique((control.name for control in spec.control if control.name), "control")


def _check_loops(spec: Spec, catalog: Catalog) -> None:
    loops = [loop.name for loop in spec.plant.loop]
    for loop in spec.plant.loop:
        where = f"plant.loop.{loop.name}"
        _spares(loop.chillers, f"{where}.chillers")
        _spares(loop.pumps, f"{where}.pumps")
        for i, group in enumerate(loop.heat_reject):
            _spares(group, f"{where}.heat_reject.{i + 1}")
        if loop.condenser != "air" and (loop.condenser not in loops or loop.condenser == loop.name):
            raise SpecError(f"there is no other loop '{loop.condenser}'", where=f"{where}.condenser",
                            expected="air, or the name of another loop", nearest=nearest(loop.condenser, loops))
        if loop.chillers is None and not loop.heat_reject:
            raise SpecError("nothing cools this loop", where=where, expected="heat_reject, or chillers")
    _spares(spec.power.generators, "power.generators")
    for hall in spec.hall:
        _units(hall.crah, "chilled", loops, f"hall.{hall.name}.crah")
        for i, row in enumerate(hall.row):
            where = f"hall.{hall.name}.row.{i + 1}"
            _units(row.cdu, "warm", loops, f"{where}.cdu")
            liquid = catalog.get("racks", row.rack)["cooling"] != "air"
            if liquid and row.cdu is None:
                raise SpecError(f"racks of '{row.rack}' are cooled by liquid, but the row has no CDUs",
                                where=f"{where}.cdu", expected='a table as in { type = "cdu-1350kw", count = 3 }')
            if not liquid and row.cdu is not None:
                raise SpecError(f"racks of '{row.rack}' are cooled by air, but the row has CDUs", where=f"{where}.cdu",
                                expected="no CDUs")


def _units(units: CoolingUnitsSpec | None, default: str, loops: list[str], where: str) -> None:
    if units is None:
        return
    _spares(units, where)
    name = units.loop or default
    if name not in loops:
        raise SpecError(f"there is no plant loop '{name}'", where=f"{where}.loop",
                        expected="one of " + ", ".join(loops) if loops else f"a [[plant.loop]] called '{name}'",
                        nearest=nearest(name, loops))


def _spares(units: Any, where: str) -> None:
    if units is not None and units.spare >= units.count:
        raise SpecError(f"{units.spare} of {units.count} stand by, so none works", where=f"{where}.spare",
                        expected=f"less than count, which is {units.count}")


def size_of(spec: Spec, catalog: Catalog | None = None) -> tuple[int, int]:
    """Return (racks, GPUs) of a specification, without building it."""
    catalog = catalog or load_catalog(spec.catalog)
    racks = gpus = 0
    for hall in spec.hall:
        for row in hall.row:
            entry = catalog.get("racks", row.rack)
            if not (1 <= entry["nodes"] <= 1e6 and 0 <= entry["gpus_per_node"] <= 1e6):
                raise SpecError(f"racks of '{row.rack}' have no sensible number of nodes and GPUs",
                                where=f"catalog.racks.{row.rack}", expected="nodes of at least 1")
            racks += hall.repeat * row.repeat * row.racks
            gpus += hall.repeat * row.repeat * row.racks * int(entry["nodes"]) * int(entry["gpus_per_node"])
    return racks, gpus


def _check_jobs(spec: Spec, catalog: Catalog) -> None:
    _, gpus = size_of(spec, catalog)
    for job in spec.job:
        where = f"job.{job.name}"
        if job.gpus > gpus:
            raise SpecError(f"'{job.name}' wants {job.gpus} GPUs, but the factory has {gpus}", where=f"{where}.gpus",
                            expected=f"at most {gpus}")
        _check_plan(job, f"{where}.plan")
        if job.load is not None and job.kind != "inference":
            raise SpecError("only an inference job answers requests", where=f"{where}.load",
                            expected='kind = "inference"')
        if not job.model and job.kind != "batch":
            raise SpecError(f"a job of kind '{job.kind}' needs a model", where=f"{where}.model",
                            expected="the name of a catalogue entry", nearest="")
    generator = spec.workload.generator
    if generator is not None:
        for i, size in enumerate(generator.gpus):
            if size > gpus:
                raise SpecError(f"jobs of {size} GPUs can never start, the factory has {gpus}",
                                where=f"workload.generator.gpus.{i + 1}", expected=f"at most {gpus}")
        if not generator.gpus:
            raise SpecError("there are no sizes to draw from", where="workload.generator.gpus",
                            expected="a list of sizes")


def _check_plan(job: JobSpec, where: str) -> None:
    plan = job.plan
    ways = plan.tp * plan.pp * plan.dp * plan.cp
    if job.kind == "training" and ways not in (1, job.gpus):
        raise SpecError(f"tp x pp x dp x cp is {ways}, but the job has {job.gpus} GPUs", where=where,
                        expected=f"a product of {job.gpus}")
    if job.kind == "inference" and job.gpus % (plan.tp * plan.pp):
        raise SpecError(f"{job.gpus} GPUs do not divide into replicas of tp x pp = {plan.tp * plan.pp}", where=where,
                        expected="a divisor of the job's GPUs")
    if plan.ep > 1 and (plan.dp * plan.tp * plan.cp) % plan.ep:
        raise SpecError(f"ep = {plan.ep} does not divide tp x cp x dp", where=where, expected="a divisor")


def _check_events(spec: Spec) -> None:
    for i, event in enumerate(spec.event):
        where = f"event.{i + 1}"
        if bool(event.fault) == bool(event.command):
            raise SpecError("an event is either a fault or a command", where=where, expected="one of fault, command")
        if event.command == "set" and event.value is None:
            raise SpecError("a command to set needs a value", where=f"{where}.value", expected="a number")
        if event.command and event.for_:
            raise SpecError("only a fault has a duration", where=f"{where}.for",
                            expected="no 'for', or a second command")
    seen = set()
    for i, event in enumerate(spec.event):
        what = (event.at, event.fault, event.command, event.target)
        if what in seen:
            raise SpecError(f"the same thing happens twice to '{event.target}' at the same instant",
                            where=f"event.{i + 1}")
        seen.add(what)
