"""What a scenario expects: the grammar of ``[expect]``.

    "[variant:][place] quantity [reducer] [after T] [before T]" = "condition"

    quantity   kpi.NAME, block.column (docs/state.md), alarms.NAME
    reducer    max min mean last sum, over the place and the time; last when left out; count for alarms
    condition  < x   <= x   > x   >= x   == x   a .. b   or a comparison with another quantity: > kpi.pue

Numbers are in the quantity's own unit. Times count from the scenario's start.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from twin.errors import InputError, SpecError, nearest
from twin.units import parse_duration_ns

REDUCERS = ("max", "min", "mean", "last", "sum")
_QUANTITY = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")
_PLACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_VARIANT = re.compile(r"([A-Za-z0-9][A-Za-z0-9_-]*):\s*(.*)")
_NUMBER = r"([-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?)"
#: characters of a condition; the expressions here take time with its square
_CONDITION_MAX = 400
_RANGE = re.compile(rf"\s*{_NUMBER}\s*\.\.\s*{_NUMBER}\s*")
_COMPARISON = re.compile(r"\s*(<=|>=|==|<|>)\s*(.*?)\s*")


@dataclass(frozen=True)
class Quantity:
    """What is looked at; exactly one of ``kpi``, ``alarm`` and ``column`` is set.

    Attributes:
        variant: name of the variant, empty for the story itself.
        place: short name of an element, empty for the whole factory.
        kpi: name of a key figure.
        alarm: name of an alarm, whose raisings are counted.
        column: state column as ``block.column``.
        reducer: how values over place and time become one number.
        after_ns, before_ns: window in simulated time; -1 for no end.
    """

    variant: str = ""
    place: str = ""
    kpi: str = ""
    alarm: str = ""
    column: str = ""
    reducer: str = "last"
    after_ns: int = 0
    before_ns: int = -1


@dataclass(frozen=True)
class Expectation:
    """A quantity and the condition that it must meet.

    Attributes:
        what, expected: both sides as written.
        quantity: the left side.
        op: ``<``, ``<=``, ``>``, ``>=``, ``==`` or ``..``.
        lo, hi: bounds of ``..``; the number of a comparison stands in ``lo``.
        other: the quantity that is compared with, instead of a number.
    """

    what: str
    expected: str
    quantity: Quantity
    op: str
    lo: float = math.nan
    hi: float = math.nan
    other: Quantity | None = None

    def holds(self, value: float | None, other: float | None = None) -> bool:
        """Tell whether ``value`` meets the condition; ``other`` is the value of the other quantity."""
        bound = other if self.other is not None else self.lo
        if value is None or bound is None:
            return False
        if self.op == "..":
            return self.lo <= value <= self.hi
        return {"<": value < bound, "<=": value <= bound, ">": value > bound, ">=": value >= bound,
                "==": value == bound}[self.op]


def parse_expectations(expect: Mapping[str, str], variants: Sequence[str] | None = None) -> list[Expectation]:
    """Read the ``[expect]`` table of a specification, in its order; an empty condition is left out.

    Args:
        expect: quantity -> condition.
        variants: names that may stand before a colon; not checked when None.

    Raises:
        SpecError: a side is not understood; names the key and what was expected.
    """
    out = []
    for what, condition in expect.items():
        if not condition.strip():
            continue  # a scenario that extends another takes an expectation away so
        quantity = parse_quantity_of(what, what, variants)
        out.append(_parse_condition(what, condition, quantity, variants))
    return out


def parse_quantity_of(text: str, what: str, variants: Sequence[str] | None = None) -> Quantity:
    """Read ``[variant:][place] quantity [reducer] [after T] [before T]``.

    Raises:
        SpecError: the text is not of that form.
    """
    where = f'expect."{what}"'
    variant, rest = "", text.strip()
    match = _VARIANT.fullmatch(rest)
    if match is not None:
        variant, rest = match[1], match[2]
        if variants is not None and variant not in variants:
            raise SpecError(f"there is no variant '{variant}'", where=where,
                            expected="one of " + ", ".join(variants) if variants else "no variant before a colon",
                            nearest=nearest(variant, variants))
    words = rest.split()
    place = ""
    if len(words) > 1 and _QUANTITY.fullmatch(words[1]):
        place, words = words[0], words[1:]
        if not _PLACE.fullmatch(place):
            raise SpecError(f"'{place}' is not a place", where=where, expected="a short name, as in A2 or A2.cdu1")
    if not words or not _QUANTITY.fullmatch(words[0]):
        raise SpecError(f"'{words[0] if words else text}' is not a quantity", where=where,
                        expected="kpi.NAME, alarms.NAME or block.column")
    block, _, name = words[0].partition(".")
    reducer, after_ns, before_ns = _tail(words[1:], where)
    if block == "kpi":
        if place or reducer or after_ns or before_ns >= 0:
            raise SpecError("a key figure is one number of the whole run", where=where,
                            expected=f"{words[0]} without place, reducer and times")
        return Quantity(variant=variant, kpi=name)
    if block == "alarms":
        if reducer not in ("", "count") or after_ns or before_ns >= 0:
            raise SpecError("alarms can only be counted, over the whole run", where=where, expected=f"{words[0]} count")
        return Quantity(variant=variant, place=place, alarm=name, reducer="count")
    if reducer == "count":
        raise SpecError("only alarms can be counted", where=where, expected="one of " + ", ".join(REDUCERS))
    return Quantity(variant=variant, place=place, column=words[0], reducer=reducer or "last", after_ns=after_ns,
                    before_ns=before_ns)


def _tail(words: list[str], where: str) -> tuple[str, int, int]:
    """Read ``[reducer] [after T] [before T]``; return (reducer or empty, after, before)."""
    reducer, times = "", {"after": 0, "before": -1}
    left = list(words)
    if left and left[0] not in times:
        reducer = left.pop(0)
        if reducer not in (*REDUCERS, "count"):
            raise SpecError(f"'{reducer}' does not belong here", where=where,
                            expected="one of " + ", ".join((*REDUCERS, "count")) + ", after T, before T",
                            nearest=nearest(reducer, (*REDUCERS, "count", "after", "before")))
    seen: set[str] = set()
    while left:
        word = left.pop(0)
        if word not in times or word in seen:
            raise SpecError(f"'{word}' does not belong here", where=where, expected="after T or before T, once each",
                            nearest=nearest(word, set(times) - seen))
        seen.add(word)
        if not left:
            raise SpecError(f"'{word}' needs a time", where=where, expected=f"{word} 10m")
        try:
            times[word] = parse_duration_ns(left.pop(0))
        except InputError as error:
            raise SpecError(error.what, where=where, expected=error.expected) from None
    if 0 <= times["before"] <= times["after"]:
        raise SpecError("the window ends before it begins", where=where, expected="after T with T before the other")
    return reducer, times["after"], times["before"]


def _parse_condition(what: str, condition: str, quantity: Quantity, variants: Sequence[str] | None) -> Expectation:
    where = f'expect."{what}"'
    if len(condition) > _CONDITION_MAX:
        raise SpecError("the condition is too long", where=where, expected=f"at most {_CONDITION_MAX} characters")
    match = _RANGE.fullmatch(condition)
    if match is not None:
        lo, hi = float(match[1]), float(match[2])
        if lo > hi:
            raise SpecError(f"no number lies in '{condition}'", where=where, expected="the smaller bound first")
        return Expectation(what, condition, quantity, "..", lo, hi)
    match = _COMPARISON.fullmatch(condition)
    if match is None:
        raise SpecError(f"'{condition}' is not a condition", where=where,
                        expected="< x, <= x, > x, >= x, == x, a .. b, or a comparison with another quantity")
    op, right = match[1], match[2]
    if re.fullmatch(_NUMBER, right):
        return Expectation(what, condition, quantity, op, float(right))
    try:
        other = parse_quantity_of(right, what, variants)
    except SpecError as error:
        raise SpecError(f"'{right}' is neither a number nor a quantity ({error.what})", where=where,
                        expected=error.expected, nearest=error.nearest) from None
    return Expectation(what, condition, quantity, op, other=other)
