"""A run: a simulation with the specification, inputs and expectations it was opened with."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from twin.catalog.loader import Catalog, load_catalog
from twin.engine.simulation import Simulation
from twin.errors import CatalogError, InputError
from twin.scenario.expect import Expectation, parse_expectations
from twin.scenario.files import read_bytes
from twin.scenario.judge import Judge, Verdict, judge, slots
from twin.site.build import build_site
from twin.site.spec import Spec

INPUT_LIMIT = 64 << 20


@dataclass
class Run:
    """A simulation and what it was opened with.

    Attributes:
        sim: the engine.
        spec: the specification as resolved.
        source: name or file it came from.
        variant: which variant it is, empty for the story itself.
        expectations: all of the specification's.
        judge: watches those of this variant.
        catalog_used: the catalogue entries it was built from, as plain data.
        inputs: the foreign files it was built from: name -> compressed bytes.
    """

    sim: Simulation
    spec: Spec
    source: str
    variant: str
    expectations: Sequence[Expectation]
    judge: Judge
    catalog_used: dict[str, Any] = field(default_factory=dict)
    inputs: dict[str, bytes] = field(default_factory=dict)

    def verdicts(self) -> list[Verdict]:
        """Judge the expectations that need this variant only."""
        mine = [e for e in self.expectations if e.quantity.variant == self.variant
                and (e.other is None or e.other.variant == self.variant)]
        return judge(mine, self.judge.values(self.sim.kpi()))


def build_run(spec: Spec, base_dir: Path, *, seed: int | None = None, source: str = "", variant: str = "",
              catalog_extra: Mapping[str, Any] | None = None, inputs: dict[str, bytes] | None = None,
              history: bool = True) -> Run:
    """Build the site and its simulation from a resolved specification.

    Args:
        spec: the specification.
        base_dir: folder that relative file names in it start from.
        seed: seed of the draws; the specification's when None.
        source, variant: where it came from.
        catalog_extra: catalogue entries that win over the program's own (from a snapshot).
        inputs: the packed input files when they are known already (from a snapshot).
        history: keep histories.

    Raises:
        InputError: something in it is wrong; says what, where, expected.
    """
    with _blaming(spec):
        return _built(spec, base_dir, catalog_of(spec, catalog_extra), seed=seed, source=source, variant=variant,
                      inputs=inputs, history=history)


def _built(spec: Spec, base_dir: Path, catalog: Catalog, *, seed: int | None, source: str, variant: str,
           inputs: dict[str, bytes] | None, history: bool) -> Run:
    site = build_site(spec, catalog, base_dir)
    packed = inputs
    if packed is None:
        packed, spec = pack_inputs(spec, site)
    expectations = parse_expectations(spec.expect)
    sim = Simulation(site, seed=seed, watches=slots(expectations), history=history)
    for i, event in enumerate(spec.event, 1):
        _check_event(sim, i, event)
    judge = Judge(sim, expectations, variant)
    return Run(sim, spec, source, variant, expectations, judge, catalog.used(), packed)


@contextmanager
def _blaming(spec: Spec) -> Iterator[None]:
    """Call failing arithmetic by its name where a scenario brings values of its own, which are checked one by one.

    Raises:
        CatalogError: values of ``[catalog]`` do not make a site together.
    """
    try:
        yield
    except (ArithmeticError, ValueError, LookupError, TypeError) as error:
        if not spec.catalog:
            raise
        raise CatalogError(f"no site can be built with the scenario's own values ({type(error).__name__}: {error})",
                           where="catalog", expected="values that make sense together") from error


def catalog_of(spec: Spec, extra: Mapping[str, Any] | None = None) -> Catalog:
    """Return the catalogue with a specification's entries, and with ``extra``, which a snapshot embeds and wins."""
    own: dict[str, dict[str, Any]] = {kind: dict(entries) for kind, entries in spec.catalog.items()}
    for kind, entries in (extra or {}).items():
        if not isinstance(entries, Mapping):
            raise InputError("a kind of the catalogue is a table of entries", where=f"catalog.{kind}")
        own.setdefault(kind, {}).update(entries)
    return load_catalog(own)


def _check_event(sim: Simulation, number: int, event: Any) -> None:
    """Refuse an event that names something which does not exist, before the run begins."""
    from twin.wiring import Command

    kind = "fault" if event.fault else "set"
    try:
        sim.vet(Command(kind, event.at, event.fault, event.target, event.value, event.for_))  # type: ignore[arg-type]
    except InputError as error:
        raise type(error)(error.what, where=f"event {number} {error.where}".strip(), expected=error.expected,
                          nearest=error.nearest) from None


def pack_inputs(spec: Spec, site: Any) -> tuple[dict[str, bytes], Spec]:
    """Return the foreign files of a site, compressed, and the specification with their bare names.

    A snapshot embeds them, so that it needs nothing beside itself.
    """
    packed: dict[str, bytes] = {}
    renamed: dict[Path, str] = {}
    for part in (site.climate, site.jobs):
        for path in getattr(part, "inputs", ()):
            name = re.sub(r"[^A-Za-z0-9_.-]", "_", Path(path).name)[-96:] or "input"
            while name in packed:
                name = "x" + name
            packed[name] = zlib.compress(read_bytes(Path(path), INPUT_LIMIT), 6)
            renamed[Path(path)] = name
    if not renamed:
        return packed, spec
    workload, place = spec.workload, spec.site
    if workload.trace:
        names = [renamed[p] for p in getattr(site.jobs, "inputs", ())]
        workload = msgspec.structs.replace(workload, trace=names[0], throughputs=names[1] if len(names) > 1 else "")
    if place.weather.startswith("epw:"):
        names = [renamed[p] for p in getattr(site.climate, "inputs", ())]
        place = msgspec.structs.replace(place, weather=f"epw:{names[0]}")
    return packed, msgspec.structs.replace(spec, workload=workload, site=place)
