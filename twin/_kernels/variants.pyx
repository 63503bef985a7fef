"""Which vector variant of the hot loops runs: the best that the processor has, or the one that is asked for.

The environment variable ``TWIN_KERNEL_VARIANT`` (``v4``, ``v3`` or ``base``) sets the default; kernels also take it
as an argument. All variants give the same bits; the choice is for tests and benchmarks.
"""

import os

LEVELS = {"base": 0, "v3": 3, "v4": 4}


def supported():
    """Return the names of the variants that this processor can run, plainest first.

    >>> supported()[0]
    'base'
    """
    return tuple(name for name, level in LEVELS.items() if level <= cpu_level())


def choose(str variant=""):
    """Return the level (0, 3 or 4) of a variant; empty takes TWIN_KERNEL_VARIANT, else the best supported.

    Raises:
        ValueError: no such variant, or this processor cannot run it.

    >>> choose("base")
    0
    """
    names = supported()
    name = variant or os.environ.get("TWIN_KERNEL_VARIANT", "") or max(names, key=LEVELS.__getitem__)
    if name not in names:
        raise ValueError(f"no kernel variant '{name}' here; expected one of {', '.join(names)}")
    return LEVELS[name]
