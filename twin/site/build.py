"""Build the immutable plant from a specification: every part once, then axes and names together."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from twin.errors import InternalError, SpecError
from twin.site.site import Site
from twin.site.spec import Spec
from twin.units import NS_PER_S


def build_site(spec: Spec, catalog: Any, base_dir: Path | str = ".") -> Site:
    """Build the site of a specification.

    Args:
        spec: the specification as resolved.
        catalog: where equipment is looked up; ``load_catalog(spec.catalog)``.
        base_dir: folder that the files named in the specification are relative to.

    Raises:
        SpecError, CatalogError, ReaderError: what the specification asks for cannot be built.
    """
    # The parts are imported here so that reading a specification stays cheap.
    from twin.site.climate import build_climate
    from twin.site.electrical import build_electrical
    from twin.site.fabric import build_fabric
    from twin.site.floorplan import build_floor
    from twin.site.hydronics import build_hydronics
    from twin.site.jobs import build_jobs
    from twin.site.topology import build_topology

    base = Path(base_dir)
    start_unix_ns, utc_offset_s = parse_start(spec.scenario.start)
    topology = build_topology(spec, catalog)
    climate = build_climate(spec, catalog, base)
    hydronics = build_hydronics(spec, catalog, topology)
    floor = build_floor(spec, catalog, topology, hydronics)
    electrical = build_electrical(spec, catalog, topology, hydronics, floor)
    fabric = build_fabric(spec, catalog, topology)
    jobs = build_jobs(spec, catalog, topology, base)
    parts = (topology, climate, hydronics, floor, electrical, fabric, jobs)
    axes, names = merge_parts(parts)
    return Site(spec=spec, topology=topology, hydronics=hydronics, floor=floor, electrical=electrical, fabric=fabric,
                jobs=jobs, climate=climate, axes=axes, names=names, start_unix_ns=start_unix_ns,
                utc_offset_s=utc_offset_s, catalog=catalog)


def merge_parts(parts: Sequence[Any]) -> tuple[dict[str, int], dict[str, Sequence[str]]]:
    """Return the axes and names of all parts together, ``one`` included.

    Raises:
        InternalError: two parts define the same axis, or an axis and its names differ in length.
    """
    axes: dict[str, int] = {"one": 1}
    names: dict[str, Sequence[str]] = {}
    for part in parts:
        for axis, size in getattr(part, "axes", {}).items():
            if axis in axes:
                raise InternalError(f"axis '{axis}' is defined twice")
            axes[axis] = int(size)
        for axis, members in getattr(part, "names", {}).items():
            if axis in names:
                raise InternalError(f"the names of axis '{axis}' are defined twice")
            names[axis] = members
    for axis, members in names.items():
        if len(members) != axes.get(axis):
            raise InternalError(f"axis '{axis}' has {axes.get(axis)} elements but {len(members)} names")
    return axes, names


def parse_start(text: str) -> tuple[int, int]:
    """Return (nanoseconds since 1970 UTC, offset from UTC in s) of an ISO 8601 instant with an offset.

    >>> parse_start("1970-01-01T01:00:00+01:00")
    (0, 3600)

    Raises:
        SpecError: the text is not such an instant.
    """
    try:
        when = datetime.datetime.fromisoformat(text)
    except ValueError:
        when = None
    offset = when.utcoffset() if when is not None else None
    if when is None or offset is None or not 1900 <= when.year <= 2200:
        raise SpecError(f"'{text}' is not an instant with an offset", where="scenario.start",
                        expected="ISO 8601 between 1900 and 2200, as in 2026-07-15T13:00:00-05:00")
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    since = when - epoch
    ns = (since.days * 86400 + since.seconds) * NS_PER_S + since.microseconds * 1000
    return ns, offset.days * 86400 + offset.seconds
