"""The filter that ``/`` asks for: which rows of the tables and which racks of the floor stay bright.

``text`` is looked for anywhere, whatever its case; ``~pattern`` is a regular expression; a ``!`` in front keeps what
does not match.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from twin.errors import InputError
from twin.tui import format as fmt
from twin.tui.pattern import Pattern

if TYPE_CHECKING:
    from twin.tui.ui import Ui

#: longest filter
TEXT_MAX = 120
#: so much of a row is looked at
ROW_MAX = 400
#: frames after which the racks that match are looked for again: jobs come and go
_FRAMES = 10


class Filter:
    """What is looked for.

    Args:
        text: as typed.

    Attributes:
        error: why the pattern cannot be used, empty when it can; a broken filter keeps everything.

    >>> [Filter(text).keeps("A2.07 pretrain") for text in ("PRE", "!pre", "~^a[12]", "!~^a[12]", "~(", "!")]
    [True, False, True, False, True, True]
    """

    def __init__(self, text: str) -> None:
        self.text = text[:TEXT_MAX]
        self.inverse = self.text.startswith("!")
        wanted = self.text.removeprefix("!")
        self.error = ""
        self._pattern: Pattern | None = None
        self._word = wanted.lower()
        if wanted.startswith("~"):
            self._word = ""
            try:
                self._pattern = Pattern(wanted[1:]) if len(wanted) > 1 else None
            except InputError as error:
                self.error = str(error)

    def __bool__(self) -> bool:
        """A filter of nothing, or one that is broken, keeps everything."""
        return bool(self._word or self._pattern)

    def finds(self, text: str) -> bool:
        """Tell whether a text holds what is looked for, whether or not the filter is inverse."""
        text = text[:ROW_MAX]
        return self._pattern.search(text) if self._pattern is not None else self._word in text.lower()

    def keeps(self, text: str) -> bool:
        """Tell whether a row with this text stays."""
        return not self or self.finds(text) is not self.inverse


def rack_mask(ui: Ui) -> Any:
    """Return a flag for each rack of the site: it matches the filter of the view; None without a filter.

    A rack matches by its name, its type, the name of a job that it runs, or an alarm or fault in it.
    """
    found = ui.filter
    if found is None or not found:
        return None
    kept = ui.cache.get("mask")
    version = ui.frame.version
    if kept is not None and kept[0] is found and (kept[1] == version or
                                                  (not ui.frame.paused and 0 <= version - kept[1] < _FRAMES)):
        return kept[2]
    words = ui.cache.get("rack words")
    if words is None:
        words = ui.cache["rack words"] = _rack_words(ui)
    static = kept[3] if kept is not None and kept[0] is found else np.array([found.finds(text) for text in words])
    hits = static | _by_job(ui, found)
    index = ui.cache.setdefault("rack index", {name: i for i, name in enumerate(ui.names("rack"))})
    things: list[Any] = [*ui.frame.alarms, *ui.frame.faults]
    for thing in things:
        rack = _rack_of(index, thing.place)
        if rack >= 0 and found.finds(f"{thing.name} {getattr(thing, 'text', '')}"):
            hits[rack] = True
    mask = ~hits if found.inverse else hits
    ui.cache["mask"] = (found, version, mask, static)
    return mask


def _rack_words(ui: Ui) -> list[str]:
    """Return what each rack is called and what kind it is."""
    topology = ui.site.topology
    kinds = [entry.name for entry in topology.rack_entries]
    return [f"{name} {kinds[int(kind)]}" for name, kind in zip(ui.names("rack"), topology.rack_class, strict=True)]


def _by_job(ui: Ui, found: Filter) -> Any:
    """Return which racks run a job whose name is found."""
    gpu_job, starts = ui.column("workload.gpu_job"), np.asarray(ui.site.topology.rack_gpu_ptr)[:-1]
    if gpu_job is None:
        return np.zeros(len(starts), dtype=bool)
    held = np.asarray(gpu_job)
    named = [job for job in np.unique(held[held >= 0]).tolist() if found.finds(fmt.clean(ui.element_name("job", job)))]
    return np.maximum.reduceat(np.isin(held, named).astype(np.int8), starts) > 0


def _rack_of(index: dict[str, int], place: str) -> int:
    """Return the rack that a place is or lies in, -1 when it is not in one."""
    while place:
        if place in index:
            return index[place]
        place = place.rpartition(".")[0]
    return -1
