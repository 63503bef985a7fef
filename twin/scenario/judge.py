"""Expectations at work: watched while the run goes on, judged at its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from twin._kernels.sampling import Watch
from twin.errors import InputError, SpecError, nearest
from twin.site.places import elements_of

if TYPE_CHECKING:
    from twin.engine.simulation import Simulation
    from twin.scenario.expect import Expectation, Quantity

REDUCERS = {"max": 0, "min": 1, "mean": 2, "last": 3, "sum": 4, "count": 5}


@dataclass(frozen=True)
class Verdict:
    """How an expectation came out: in words, what was expected, what it is, and whether that holds."""

    what: str
    expected: str
    value: float | None
    ok: bool


class Judge:
    """Watches the quantities of a list of expectations in one simulation.

    Args:
        sim: made with ``watches=slots(expectations)``.
        expectations: those of the specification, all variants together.
        variant: which variant this simulation runs, empty for the story itself.
    """

    def __init__(self, sim: Simulation, expectations: Sequence[Expectation], variant: str = "") -> None:
        self._sim = sim
        self._expectations = expectations
        self._variant = variant
        self._slot: dict[Quantity, int] = {}
        for quantity in wanted(expectations):
            if quantity.variant != variant or quantity.kpi:
                continue
            self._slot[quantity] = len(self._slot)
            self._watch(quantity, self._slot[quantity])

    def _watch(self, quantity: Quantity, slot: int) -> None:
        sim = self._sim
        if quantity.alarm:
            if sim.alarms.kind(quantity.alarm) is None:
                known = [kind.name for _, kind in sim.registry.alarms]
                raise SpecError(f"no alarm is called '{quantity.alarm}'", where="expect",
                                nearest=nearest(quantity.alarm, known))
            return
        try:
            col, array = sim.state.find(quantity.column)
        except InputError as error:
            raise SpecError(error.what, where="expect", nearest=error.nearest) from None
        elements = np.arange(array.size, dtype=np.int32)
        if quantity.place:
            elements = elements_of(sim.site, quantity.place, col.axis)
        state = sim.state.watch
        sim.watches.append(Watch(array, elements, REDUCERS[quantity.reducer], quantity.after_ns, quantity.before_ns,
                                 state.seen_value[slot:slot + 1], state.seen_weight_s[slot:slot + 1]))

    def values(self, kpi: Mapping[str, float | None]) -> dict[Quantity, float | None]:
        """Return what every quantity of this variant came to."""
        out: dict[Quantity, float | None] = {}
        for quantity in wanted(self._expectations):
            if quantity.variant != self._variant:
                continue
            if quantity.kpi:
                if quantity.kpi not in kpi:
                    raise SpecError(f"no key figure is called '{quantity.kpi}'", where="expect",
                                    nearest=nearest(quantity.kpi, kpi))
                out[quantity] = kpi[quantity.kpi]
            elif quantity.alarm:
                out[quantity] = float(self._alarms(quantity))
            else:
                out[quantity] = self._seen(quantity)
        return out

    def _alarms(self, quantity: Quantity) -> int:
        kind = self._sim.alarms.kind(quantity.alarm)
        assert kind is not None  # checked when it was watched
        elements = None
        if quantity.place:
            elements = [int(i) for i in elements_of(self._sim.site, quantity.place, kind.axis)]
        return self._sim.alarms.count(quantity.alarm, elements)

    def _seen(self, quantity: Quantity) -> float | None:
        slot, state = self._slot[quantity], self._sim.state.watch
        weight = float(state.seen_weight_s[slot])
        if weight == 0:
            return None
        value = float(state.seen_value[slot])
        return value / weight if quantity.reducer == "mean" else value


def wanted(expectations: Sequence[Expectation]) -> list[Quantity]:
    """Return every quantity that a list of expectations needs, each once, in order."""
    out: dict[Quantity, None] = {}
    for expectation in expectations:
        out[expectation.quantity] = None
        if expectation.other is not None:
            out[expectation.other] = None
    return list(out)


def slots(expectations: Sequence[Expectation]) -> int:
    """Return how many watch slots a state needs."""
    return len(wanted(expectations))


def judge(expectations: Sequence[Expectation], values: Mapping[Quantity, float | None]) -> list[Verdict]:
    """Compare every expectation with what came out; a quantity without a value does not hold."""
    verdicts = []
    for expectation in expectations:
        value = values.get(expectation.quantity)
        other = values.get(expectation.other) if expectation.other is not None else None
        missing = value is None or (expectation.other is not None and other is None)
        ok = not missing and expectation.holds(value, other)
        verdicts.append(Verdict(expectation.what, expectation.expected, value, ok))
    return verdicts
