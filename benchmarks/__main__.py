"""Run every benchmark of this folder, one after the other."""

from importlib import import_module
from pathlib import Path

for path in sorted(Path(__file__).parent.glob("bench_*.py")):
    print(f"\n== {path.stem}")
    import_module(f"benchmarks.{path.stem}").main()
