"""Build every kernel in ``twin/_kernels``: one ``.pyx`` becomes one extension module.

The compiler flags are part of the product's promise (the same scenario gives the same bits on every
machine): no fast-math, no contraction to fused multiply-add, no ``-march``. Vector variants are chosen
at run time and round the same; see ``twin/_kernels/README.md``. ``TWIN_KERNELS_DEBUG=1`` builds with
bounds checks and without optimisation.
"""

import os
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

DEBUG = os.environ.get("TWIN_KERNELS_DEBUG") == "1"
FLAGS = ["-O0", "-g"] if DEBUG else ["-O3", "-g0", "-fno-math-errno", "-fno-trapping-math"]
FLAGS += ["-ffp-contract=off", "-Wno-unused-function", "-Wno-unreachable-code"]
# The chip loop lives on minima and maxima, which are one instruction only where the compiler need not care which of two
# equal zeros or NaNs comes out. Its numbers are finite and their values do not change.
FLAGS_OF = {"chip": ["-ffinite-math-only", "-fno-signed-zeros"]}
DIRECTIVES = {
    "language_level": 3,
    "boundscheck": DEBUG,
    "wraparound": False,
    "initializedcheck": DEBUG,
    "cdivision": True,
    "embedsignature": True,
    "freethreading_compatible": True,
}

root = Path(__file__).parent
extensions = [
    Extension(
        f"twin._kernels.{source.stem}",
        [str(source.relative_to(root))],
        depends=[str(p.relative_to(root)) for p in sorted(root.glob("twin/_kernels/*.p[xh]*"))
                 if p.suffix in {".pxd", ".pxi", ".h"}],
        extra_compile_args=FLAGS + FLAGS_OF.get(source.stem, []),
    )
    for source in sorted(root.glob("twin/_kernels/*.pyx"))
]

# What Cython adds for memoryviews is compiled once and shared, not once per kernel.
SHARED = "twin._kernels._shared"
extensions.append(Extension(SHARED, ["twin/_kernels/_shared.c"], extra_compile_args=FLAGS))

setup(
    ext_modules=cythonize(extensions, compiler_directives=DIRECTIVES, include_path=[str(root)],
                          shared_utility_qualified_name=SHARED),
    options={"build_ext": {"parallel": os.cpu_count() or 1}},
)
