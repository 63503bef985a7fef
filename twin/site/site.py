"""The immutable plant built from a specification: axes, names, connections, classes, parameters.

A ``Site`` is made once by ``site/build.py`` and never changes. Domains read it when they are bound and take
what they need into their own parameter arrays; nothing in it is read in the hot loop.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from twin.arrays import I32, frozen_i32

if TYPE_CHECKING:
    from twin.catalog.entry import Entry
    from twin.site.spec import Spec

T = TypeVar("T")


@dataclass(frozen=True)
class Topology:
    """Halls, rows, racks, nodes (trays, servers), GPUs and coolant streams, in index order.

    Indices run depth first: the racks of a row, the nodes of a rack and the GPUs of a node are contiguous;
    the GPUs of a stream are contiguous. A *stream* is a run of GPUs in one rack that see the same coolant:
    a liquid-cooled or immersed rack is one stream; an air-cooled node is one stream per depth position, front before
    rear (the rear GPUs breathe the front ones' exhaust: stream s with depth > 0 follows stream s - 1).

    Attributes (int32 arrays, read-only):
        row_hall[row], rack_row[rack], rack_hall[rack], rack_column[rack] position within its row
        node_rack[node], gpu_node[gpu], gpu_rack[gpu], gpu_stream[gpu]
        rack_node_ptr[rack+1], node_gpu_ptr[node+1], rack_gpu_ptr[rack+1], stream_gpu_ptr[stream+1]: CSR bounds
        stream_rack[stream], stream_is_air[stream], stream_depth[stream] (0 front, 1 rear)
        rack_class[rack], gpu_class[gpu]: index into rack_entries, gpu_entries
        rack_entries, gpu_entries: catalogue entries in use
    """

    row_hall: I32
    rack_row: I32
    rack_hall: I32
    rack_column: I32
    node_rack: I32
    gpu_node: I32
    gpu_rack: I32
    gpu_stream: I32
    rack_node_ptr: I32
    node_gpu_ptr: I32
    rack_gpu_ptr: I32
    stream_gpu_ptr: I32
    stream_rack: I32
    stream_is_air: I32
    stream_depth: I32
    rack_class: I32
    gpu_class: I32
    rack_entries: tuple[Entry, ...]
    gpu_entries: tuple[Entry, ...]
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def rack_stream_ptr(self) -> I32:
        """CSR bounds of the streams of each rack, int32[rack + 1]."""
        racks = len(self.rack_row)
        return frozen_i32(np.searchsorted(self.stream_rack, np.arange(racks + 1)))

    @property
    def axes(self) -> dict[str, int]:
        """Sizes of the axes that the topology defines."""
        return {
            "hall": len(self.names["hall"]), "row": len(self.row_hall), "rack": len(self.rack_row),
            "node": len(self.node_rack), "gpu": len(self.gpu_node), "stream": len(self.stream_rack),
        }


@dataclass(frozen=True)
class Site:
    """Everything immutable about a factory.

    Attributes:
        spec: the specification as resolved.
        topology: halls to GPUs.
        hydronics: row coolant loops, CDUs, pumps, plant loops and what rejects heat (``site/hydronics.py``).
        floor: the floor plans and air grids of the halls, CRAHs (``site/floorplan.py``).
        electrical: the power tree (``site/electrical.py``).
        fabric: leaves, spines, links (``site/fabric.py``).
        jobs: the job table: declared, from a trace, or slots of a generator (``site/jobs.py``).
        climate: hourly weather and the site's preset (``site/climate.py``).
        axes: axis name -> size, all parts together.
        names: axis name -> names of its elements.
        start_unix_ns: first simulated instant, ns since 1970 UTC; utc_offset_s: the site's offset.
    """

    spec: Spec
    topology: Topology
    hydronics: Any
    floor: Any
    electrical: Any
    fabric: Any
    jobs: Any
    climate: Any
    axes: Mapping[str, int]
    names: Mapping[str, Sequence[str]]
    start_unix_ns: int
    utc_offset_s: int
    catalog: Any
    _made: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what was made under a key for the first run of this site: branches share what follows from it alone.

        Args:
            key: names what it is and everything besides the site that it follows from, such as a seed.
            make: makes it; nobody changes it afterwards.
        """
        if key not in self._made:
            self._made[key] = make()
        made: T = self._made[key]
        return made

    def find(self, name: str) -> tuple[str, int]:
        """Return (axis, index) of an element by its short name.

        Raises:
            CommandError: no such element; names the nearest valid one.
        """
        from twin.site.naming import find

        return find(self.names, name)
