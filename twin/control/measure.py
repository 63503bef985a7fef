"""What a controller looks at: one number from the state, as ``[place] block.column [max|min|mean|sum]``."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from twin.errors import CommandError, InputError, SpecError, nearest
from twin.site.places import elements_of
from twin.site.site import Site
from twin.state.state import State

REDUCERS = ("max", "min", "mean", "sum")
_COLUMN = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")


def make_measure(site: Site, state: State, text: str, *, where: str) -> Callable[[], float]:
    """Return a function that reads what ``text`` names, of the state as it is when called.

    Args:
        site: gives the elements at a place.
        state: whose arrays are read; they are never replaced.
        text: ``A1 liquid.tcs_return_temp_c max``; the largest element when no reducer is given, all elements
            without a place.
        where: said in errors.

    Raises:
        SpecError: the text is not of that form, or names a column or place that does not exist.
    """
    words = text.split()
    place = words.pop(0) if len(words) > 1 and _COLUMN.fullmatch(words[1]) else ""
    reducer = words.pop() if len(words) == 2 else "max"
    if len(words) != 1 or not _COLUMN.fullmatch(words[0]):
        raise SpecError(f"'{text}' is nothing to measure", where=where,
                        expected="[place] block.column [max|min|mean|sum], as in A1 liquid.tcs_return_temp_c max")
    if reducer not in REDUCERS:
        raise SpecError(f"'{reducer}' is no reducer", where=where, expected="one of " + ", ".join(REDUCERS),
                        nearest=nearest(reducer, REDUCERS))
    try:
        column, array = state.find(words[0])
        elements = elements_of(site, place, column.axis, where=where) if place else np.arange(array.size)
    except (CommandError, InputError) as error:
        raise SpecError(error.what, where=where, expected=error.expected, nearest=error.nearest) from None
    if not len(elements):
        raise SpecError(f"the site has nothing of which '{words[0]}' could be measured", where=where)
    return _reader(array, elements, reducer)


def _reader(array: Any, elements: np.ndarray, reducer: str) -> Callable[[], float]:
    indices = [int(i) for i in elements]
    if len(indices) == 1:
        only = indices[0]
        return lambda: float(array[only])
    if reducer in ("max", "min"):
        pick: Callable[[Any], Any] = np.max if reducer == "max" else np.min
        return lambda: float(pick(array[elements]))
    share = 1.0 / len(indices) if reducer == "mean" else 1.0

    def add() -> float:  # in index order, so that every machine gets the same bits
        total = 0.0
        for value in array[elements].tolist():
            total += value
        return total * share

    return add
