"""Halls, rows, racks, nodes, GPUs and coolant streams from a specification, with their names."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any

import numpy as np

from twin.arrays import I32, frozen_i32
from twin.catalog.entry import Entry
from twin.errors import SpecError
from twin.site.naming import PatternNames
from twin.site.site import Topology
from twin.site.spec import GPUS_MAX, HallSpec, RowSpec, Spec

#: more than this many GPUs is refused: int32 indices and memory have an end.
_NODE = re.compile(r"[a-z]([0-9]+)")


def next_letters(name: str, steps: int) -> str:
    """Return the name ``steps`` after ``name`` in A, B, ... Z, AA, AB ...

    >>> next_letters("A", 1), next_letters("Z", 1), next_letters("AZ", 2)
    ('B', 'AA', 'BB')
    """
    number = 0
    for letter in name:
        number = number * 26 + ord(letter) - 64
    number += steps
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def hall_list(spec: Spec) -> list[tuple[str, HallSpec]]:
    """Return (name, specification) of every hall, repeats lettered on: ``A`` repeated gives A, B, C ...

    Raises:
        SpecError: a name is used twice, ends in a digit, or cannot be lettered on.
    """
    out: list[tuple[str, HallSpec]] = []
    seen: set[str] = set()
    for hall in spec.hall:
        if hall.name[-1].isdigit():
            raise SpecError(f"a hall's name must not end in a digit, since its rows are numbered: '{hall.name}'",
                            where=f"hall.{hall.name}.name", expected="letters, as in A")
        if hall.repeat > 1 and not re.fullmatch(r"[A-Z]+", hall.name):
            raise SpecError(f"hall '{hall.name}' repeats, but cannot be lettered on",
                            where=f"hall.{hall.name}.name", expected="capital letters, as in A")
        for k in range(hall.repeat):
            name = next_letters(hall.name, k) if k else hall.name
            if name in seen:
                raise SpecError(f"two halls are called '{name}'", where=f"hall.{hall.name}.name")
            seen.add(name)
            out.append((name, hall))
    return out


def row_list(spec: Spec) -> list[tuple[int, str, RowSpec]]:
    """Return (hall index, name, specification) of every row, repeats numbered on: A1, A2 ..."""
    out = []
    for index, (name, hall) in enumerate(hall_list(spec)):
        number = 0
        for row in hall.row:
            for _ in range(row.repeat):
                number += 1
                out.append((index, f"{name}{number}", row))
    return out


class _Within:
    """Names of the form ``RACK.x07``: a letter and a 1-based number within the rack."""

    def __init__(self, racks: list[str], bounds: I32, letters: list[str]) -> None:
        self.racks, self.bounds, self.letters = racks, bounds, letters

    @cached_property
    def index(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.racks)}

    def name_of(self, i: int) -> str:
        rack = int(np.searchsorted(self.bounds, i, side="right")) - 1
        return f"{self.racks[rack]}.{self.letters[rack]}{i - int(self.bounds[rack]) + 1:02d}"

    def index_of(self, name: str) -> int:
        rack_name, _, tail = name.rpartition(".")
        match = _NODE.fullmatch(tail)
        rack = self.index.get(rack_name)
        if match is None or rack is None or tail[0] != self.letters[rack]:
            return -1
        i = int(self.bounds[rack]) + int(match[1]) - 1
        return i if self.bounds[rack] <= i < self.bounds[rack + 1] and self.name_of(i) == name else -1


def build_topology(spec: Spec, catalog: Any) -> Topology:
    """Lay out the factory of a specification.

    Raises:
        SpecError: no hall, no rack, too many GPUs, or a name used twice.
        CatalogError: a rack or its accelerator is not in the catalogue.
    """
    halls, rows = hall_list(spec), row_list(spec)
    if not rows:
        raise SpecError("there are no racks", where="hall", expected="at least one [[hall]] with one [[hall.row]]")
    rack_entries, rack_class_of = _rack_entries(rows, catalog)
    gpu_names = list(dict.fromkeys(entry["accelerator"] for entry in rack_entries))
    gpu_entries = tuple(catalog.get("accelerators", name) for name in gpu_names)

    counts = np.array([row.racks for _, _, row in rows])
    rack_row = np.repeat(np.arange(len(rows)), counts)
    rack_column = np.concatenate([np.arange(n) for n in counts])
    rack_class = np.repeat([rack_class_of[row.rack] for _, _, row in rows], counts)
    row_hall = np.array([hall for hall, _, _ in rows])
    rack_names = [f"{name}.{k + 1:02d}" for _, name, row in rows for k in range(row.racks)]

    nodes = np.array([entry["nodes"] for entry in rack_entries])[rack_class]
    per_node = np.array([entry["gpus_per_node"] for entry in rack_entries])[rack_class]
    gpus = int((nodes * per_node).sum())
    if gpus > GPUS_MAX:
        raise SpecError(f"{gpus} GPUs are too many", where="hall", expected=f"at most {GPUS_MAX}")
    rack_node_ptr = _bounds(nodes)
    node_rack = np.repeat(np.arange(len(nodes)), nodes)
    node_gpus = per_node[node_rack]
    rack_gpu_ptr = _bounds(nodes * per_node)
    gpu_rack = np.repeat(np.arange(len(nodes)), nodes * per_node)
    stream_gpus, stream_rack, stream_air, stream_depth = _streams(rack_entries, rack_class, nodes, per_node)
    trays = [str(rack_entries[c].get("tray", "t")) for c in rack_class]
    in_tray = _Within(rack_names, frozen_i32(rack_node_ptr), trays)
    in_rack = _Within(rack_names, frozen_i32(rack_gpu_ptr), ["g"] * len(rack_names))
    gpu_class_of_rack = np.array([gpu_names.index(entry["accelerator"]) for entry in rack_entries])[rack_class]
    return Topology(
        row_hall=frozen_i32(row_hall), rack_row=frozen_i32(rack_row), rack_hall=frozen_i32(row_hall[rack_row]),
        rack_column=frozen_i32(rack_column), node_rack=frozen_i32(node_rack),
        gpu_node=frozen_i32(np.repeat(np.arange(len(node_rack)), node_gpus)), gpu_rack=frozen_i32(gpu_rack),
        gpu_stream=frozen_i32(np.repeat(np.arange(len(stream_gpus)), stream_gpus)),
        rack_node_ptr=frozen_i32(rack_node_ptr), node_gpu_ptr=frozen_i32(_bounds(node_gpus)),
        rack_gpu_ptr=frozen_i32(rack_gpu_ptr), stream_gpu_ptr=frozen_i32(_bounds(stream_gpus)),
        stream_rack=frozen_i32(stream_rack), stream_is_air=frozen_i32(stream_air),
        stream_depth=frozen_i32(stream_depth), rack_class=frozen_i32(rack_class),
        gpu_class=frozen_i32(gpu_class_of_rack[gpu_rack]), rack_entries=rack_entries, gpu_entries=gpu_entries,
        names={
            "hall": [name for name, _ in halls], "row": [name for _, name, _ in rows], "rack": rack_names,
            "node": PatternNames(len(node_rack), in_tray.name_of, in_tray.index_of),
            "gpu": PatternNames(len(gpu_rack), in_rack.name_of, in_rack.index_of),
            "stream": PatternNames(len(stream_gpus), lambda i: f"stream{i + 1}", lambda name: -1),
        },
    )


def _rack_entries(rows: list[tuple[int, str, RowSpec]], catalog: Any) -> tuple[tuple[Entry, ...], dict[str, int]]:
    names = list(dict.fromkeys(row.rack for _, _, row in rows))
    return tuple(catalog.get("racks", name) for name in names), {name: i for i, name in enumerate(names)}


def _bounds(counts: Any) -> Any:
    return np.concatenate([[0], np.cumsum(counts)])


def _streams(entries: tuple[Entry, ...], rack_class: Any, nodes: Any, per_node: Any) -> tuple[Any, Any, Any, Any]:
    """Return GPUs, rack, is-air flag and depth of each stream, rack by rack."""
    gpus, racks, air, depths = [], [], [], []
    for rack, c in enumerate(rack_class):
        entry = entries[c]
        if entry["cooling"] != "air":
            gpus.append([int(nodes[rack] * per_node[rack])])
            racks.append([rack])
            air.append([0])
            depths.append([0])
            continue
        depth = min(int(entry.get("air_depth", 1)), int(per_node[rack]))
        share = [int(per_node[rack]) * (d + 1) // depth - int(per_node[rack]) * d // depth for d in range(depth)]
        gpus.append(share * int(nodes[rack]))
        racks.append([rack] * depth * int(nodes[rack]))
        air.append([1] * depth * int(nodes[rack]))
        depths.append(list(range(depth)) * int(nodes[rack]))
    return tuple(np.concatenate(part).astype(np.int64) for part in (gpus, racks, air, depths))  # type: ignore[return-value]
