"""The digests of the built-in scenarios after a few ticks: ``python -m tests.golden.digests [NAME ...]`` compares them.

Needs nothing but the installed package, so that any interpreter and any emulated processor can run it; ``--write``
renews the pinned ones after a change of physics.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from twin.scenario.open import open_run

FILE = Path(__file__).with_name("digests.json")
#: ticks of each scenario: through its first fault or command where a tick costs little
TICKS = {"small": 400, "demo": 120, "frontier": 30, "trace": 120, "campus": 5, "air-to-liquid": 600,
         "blanking-panel": 660, "cdu-leak": 300, "cdu-service": 420, "controls": 720, "crah-failure": 660,
         "hot-gpu": 360, "immersion": 660, "pump-trip": 540, "rear-doors": 660, "air-units": 660, "in-rack": 660}


def digest(name: str) -> str:
    """Run a built-in scenario for its number of ticks and return the digest of its state."""
    sim = open_run(name, history=False).sim
    sim.advance(TICKS[name])
    return sim.digest()


def main(names: list[str]) -> int:
    """Compare, one line for each; return 1 when one is another."""
    pinned = json.loads(FILE.read_text())
    wrong = 0
    for name in names or TICKS:
        same = digest(name) == pinned[name]
        wrong += not same
        print(f"{name}: {'the same' if same else 'ANOTHER'}", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        FILE.write_text(json.dumps({name: digest(name) for name in TICKS}, indent=2) + "\n")
    else:
        sys.exit(main(sys.argv[1:]))
