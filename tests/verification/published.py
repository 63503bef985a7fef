"""Verification cases: each compares one number of ours with a published one and is listed in docs/validation.md."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

#: where ``python -m docs.validation`` asks for the cases of a run, one JSON object a line.
REPORT = "TWIN_VALIDATION_REPORT"


@dataclass(frozen=True)
class Case:
    """One line of the page: published and ours as text, in the unit given."""

    case: str
    what: str
    published: str
    ours: str
    tolerance: str
    unit: str
    source: str
    holds: bool


class Validate:
    """Compares a number with a published one, notes the case, then asserts it."""

    def near(self, case: str, what: str, ours: float, published: float, *, unit: str, source: str,
             within: float = 0.0, share: float = 0.0) -> None:
        """Ours lies within ``within`` (in the unit) or ``share`` (of the published number) of the published number."""
        room = within if within else share * abs(published)
        tolerance = f"{within:g} {unit}".strip() if within else f"{share * 100:g} %"
        self._note(Case(case, what, _text(published), _text(ours), tolerance, unit, source,
                        bool(abs(ours - published) <= room)))

    def band(self, case: str, what: str, ours: float, low: float, high: float, *, unit: str, source: str) -> None:
        """Ours lies in a published band."""
        self._note(Case(case, what, f"{_text(low)} .. {_text(high)}", _text(ours), "band", unit, source,
                        bool(low <= ours <= high)))

    def below(self, case: str, what: str, ours: float, limit: float, *, unit: str, source: str) -> None:
        """Ours stays at or below a limit: errors, residuals."""
        self._note(Case(case, what, f"<= {_text(limit)}", _text(ours), "limit", unit, source, bool(ours <= limit)))

    def _note(self, case: Case) -> None:
        report = os.environ.get(REPORT)
        if report:
            with Path(report).open("a", encoding="utf-8") as out:
                out.write(json.dumps(asdict(case)) + "\n")
        assert case.holds, (f"{case.case} {case.what}: {case.ours} {case.unit}, published {case.published} "
                            f"({case.tolerance})")


def _text(value: float) -> str:
    return f"{value:.6g}"
