"""Write docs/validation.md: every verification case with its published value, ours, tolerance and verdict.

    python -m docs.validation          # or: make docs

Runs tests/verification, which note their cases. What needs data that is not there is named as not run.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from docs.generate import NOTE, _table

ROOT = Path(__file__).parents[1]
PAGE = Path(__file__).with_name("validation.md")


def page(cases: list[dict[str, str]]) -> str:
    """Return the page for the cases of a run."""
    held = sum(bool(case["holds"]) for case in cases)
    rows = [(c["case"], c["what"], c["published"], c["ours"], c["unit"], c["tolerance"],
             "holds" if c["holds"] else "**fails**", c["source"]) for c in sorted(cases, key=_order)]
    return "\n".join([
        NOTE, "# Validation\n",
        "What the model computes beside what others published, measured or derived. Every line is an assertion in",
        "`tests/verification/`, where the cases of workload, network and power stand too. *Band* and *limit* are as",
        f"published. {held} of {len(cases)} hold.\n",
        _table(("case", "what", "published", "ours", "unit", "tolerance", "verdict", "source"), rows)])


def _order(case: dict[str, str]) -> tuple[str, int]:
    match = re.match(r"([A-Z]+)(\d+)", case["case"])
    return (match[1], int(match[2])) if match else (case["case"], 0)


def main() -> int:
    """Run the cases and write the page; return the exit code of the tests."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "cases.jsonl"
        report.touch()
        done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "tests/verification"],
                              cwd=ROOT, env=os.environ | {"TWIN_VALIDATION_REPORT": str(report)}, check=False)
        lines = report.read_text(encoding="utf-8").splitlines()
    unique = {(c["case"], c["what"]): c for c in map(json.loads, lines)}
    PAGE.write_text(page(list(unique.values())), encoding="utf-8")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
