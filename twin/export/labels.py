"""Labels of metrics: who is meant, from the names of a site."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from twin.arrays import I32, frozen_i32
from twin.site.site import Site

#: names of GPUs are turned into UUIDs under this one
_GPU_SPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:aifactory-twin:gpu")


@dataclass(frozen=True, slots=True)
class LabelSet:
    """Labels of the elements that are exported.

    Attributes:
        names: names of the labels.
        index: position of each element in the column; None for all of them.
        labels: label name -> value, one dictionary for each element.
    """

    names: tuple[str, ...]
    index: I32 | None
    labels: Sequence[dict[str, str]]


def _set(names: Sequence[str], *columns: Sequence[str], index: I32 | None = None) -> LabelSet:
    rows = zip(*columns, strict=True)
    return LabelSet(tuple(names), index, [dict(zip(names, row, strict=True)) for row in rows])


def _of(names: Sequence[str], index: Any) -> list[str]:
    return [names[i] if i >= 0 else "" for i in index]


def label_sets(site: Site) -> dict[str, LabelSet]:
    """Return the sets of labels that ``Family.labels`` names, except ``job``, which changes while the run goes on."""
    names, topo, hydro = site.names, site.topology, site.hydronics
    halls, racks, loops = names["hall"], list(names["rack"]), names["loop"]
    of_rack = (_of(halls, topo.rack_hall), _of(names["row"], topo.rack_row), racks)
    liquid = np.flatnonzero(hydro.rack_tcs >= 0)
    tcs_hall = [topo.rack_hall[first] for first, _ in hydro.tcs_rack_ptr]
    return {
        "one": LabelSet((), None, ({},)),
        "hall": _set(("hall",), halls),
        "rack": _set(("hall", "row", "rack"), *of_rack),
        "liquid_rack": _set(("hall", "row", "rack"), *([part[i] for i in liquid] for part in of_rack),
                            index=frozen_i32(liquid)),
        "tcs": _set(("hall", "loop"), _of(halls, tcs_hall), list(names["tcs"])),
        "cdu": _set(("hall", "cdu"), _of(halls, hydro.cdu_hall), list(names["cdu"])),
        "pump": _set(("cdu", "pump"), _of(names["cdu"], hydro.pump_cdu), list(names["pump"])),
        "crah": _set(("hall", "crah"), _of(halls, site.floor.crah_hall), list(names["crah"])),
        "loop": _set(("loop",), list(loops)),
        "rejector": _set(("loop", "rejector"), _of(loops, hydro.rejector_loop), list(names["rejector"])),
        "chiller": _set(("loop", "chiller"), _of(loops, hydro.chiller_loop), list(names["chiller"])),
        "elec": _set(("node",), list(names["elec"])),
        "ups": _set(("ups",), list(names["ups"])),
        "generator": _set(("generator",), list(names["generator"])),
    }


#: names of the labels of jobs; a plain ``job`` is what Prometheus calls the target
JOB_LABELS = ("job_name", "kind")


def chosen_gpus(site: Site, at_most: int) -> I32:
    """Return the GPUs that get families of their own: all, or those of evenly spread whole nodes."""
    topo = site.topology
    bounds = topo.node_gpu_ptr.astype(np.int64)
    nodes, gpus = len(bounds) - 1, int(bounds[-1])
    if gpus <= at_most:
        return frozen_i32(np.arange(gpus))
    for count in range(nodes * at_most // gpus, 0, -1):
        picked = np.arange(count) * nodes // count
        if int((bounds[picked + 1] - bounds[picked]).sum()) <= at_most:
            return frozen_i32(np.concatenate([np.arange(bounds[n], bounds[n + 1]) for n in picked]))
    return frozen_i32([])


def gpu_labels(site: Site, gpus: I32) -> list[str]:
    """Return the DCGM exporter's labels of each GPU as text, ``{gpu="0",UUID="GPU-...",...}``.

    Number, device and PCI address count within the node, as on a real host; UUID and PCI address are made up
    from the name, the same in every run. ``hall`` and ``rack`` are added.
    """
    topo, names = site.topology, site.names
    models = [escape(entry.title) for entry in topo.gpu_entries]
    out = []
    for gpu in gpus.tolist():
        node, rack = int(topo.gpu_node[gpu]), int(topo.gpu_rack[gpu])
        local = gpu - int(topo.node_gpu_ptr[node])
        name = names["gpu"][gpu]
        out.append(
            f'{{gpu="{local}",UUID="GPU-{uuid.uuid5(_GPU_SPACE, name)}",pci_bus_id="00000000:{local + 1:02X}:00.0",'
            f'device="nvidia{local}",modelName="{models[topo.gpu_class[gpu]]}",'
            f'Hostname="{escape(names["node"][node])}",'
            f'hall="{escape(names["hall"][topo.rack_hall[rack]])}",rack="{escape(names["rack"][rack])}"}}')
    return out


def escape(text: str) -> str:
    r"""Return a label's value as the text format wants it.

    >>> escape('a "b"' + chr(10) + chr(92))
    'a \\"b\\"\\n\\\\'
    """
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
