"""``python -m tests.swarm [--seed N] [--minutes M]``: stories from one seed on, until the time is over or one fails."""

from __future__ import annotations

import argparse
import sys
import time
import traceback

from tests.swarm.story import drawn


def main() -> int:
    """Tell stories; return 1 at the first that fails and print the command that repeats it."""
    parser = argparse.ArgumentParser(prog="swarm", description=__doc__)
    parser.add_argument("--seed", type=int, help="first seed; drawn from the clock when left out")
    parser.add_argument("--minutes", type=float, help="go on with the next seeds for so long; one story when left out")
    given = parser.parse_args()
    seed = time.time_ns() // 10**6 % 10**9 if given.seed is None else given.seed
    first, until = seed, time.monotonic() + 60 * (given.minutes or 0)
    while True:
        try:
            drawn(seed)
        except Exception:
            traceback.print_exc()
            print(f"\nseed {seed} failed; this repeats it:\n  make swarm SEED={seed}", file=sys.stderr)
            return 1
        seed += 1
        if time.monotonic() >= until:
            break
    print(f"seeds {first} to {seed - 1}: everything agrees")
    return 0


if __name__ == "__main__":
    sys.exit(main())
