"""``python -m tests.golden.everywhere``: the pinned digests under every interpreter and emulated processor found here.

For each of Python 3.11 to 3.14 (on the PATH, among pyenv's, or the interpreters named as arguments) a copy of the
sources is installed into an environment of its own, and every built-in scenario is run with each vector variant that
the processor has. Where ``qemu-x86_64`` is installed (Debian: qemu-user), most run on an emulated Nehalem (2008,
SSE4.2) and Haswell (2013, AVX2) as well. Prints a line for each; returns 1 when a digest is another or nothing ran.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
VERSIONS = ("3.11", "3.12", "3.13", "3.14")
VARIANTS = ("base", "v3", "v4")
PROCESSORS = ("Nehalem", "Haswell")
#: not run on an emulated processor, which takes fifty times as long: many GPUs
DEAR = ("campus", "frontier", "demo")


def interpreters() -> list[str]:
    """Return one interpreter of each version that can be started."""
    pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"
    out = []
    for version in VERSIONS:
        for found in (*sorted(pyenv.glob(f"{version}.*/bin/python")), shutil.which(f"python{version}")):
            if found and not subprocess.run([found, "-c", ""], check=False, capture_output=True).returncode:
                out.append(str(found))
                break
    return out


def installed(interpreter: str, folder: Path) -> Path:
    """Install a copy of the sources, as users get it, into a new environment; return its interpreter."""
    left_out = shutil.ignore_patterns(".*", "*.so", "*.c", "build", "dist", "*.egg-info", "__pycache__", "tests")
    shutil.copytree(ROOT, folder / "source", ignore=left_out)
    subprocess.run([interpreter, "-m", "venv", folder / "venv"], check=True)
    python = folder / "venv" / "bin" / "python"
    quietly = ("install", "-qq", "--disable-pip-version-check")
    subprocess.run([python, "-m", "pip", *quietly, folder / "source"], check=True)
    shutil.copytree(ROOT / "tests" / "golden", folder / "tests" / "golden")
    return python


def compared(python: Path, folder: Path) -> int:
    """Run everything with one interpreter; return how many runs had another digest."""
    module = ("-m", "tests.golden.digests")
    light = [name for name in json.loads((folder / "tests/golden/digests.json").read_text()) if name not in DEAR]
    runs: list[tuple[str, list[str], dict[str, str]]] = [
        (f"variant {v}", [str(python), *module], {"TWIN_KERNEL_VARIANT": v}) for v in VARIANTS]
    emulator = shutil.which("qemu-x86_64")
    # The OpenBLAS inside numpy, of which nothing here is called, asks an emulated processor in a way that it
    # misunderstands, and stops with an instruction that a Nehalem has not.
    runs += [(f"emulated {p}", [emulator, "-cpu", p, str(python), *module, *light], {"OPENBLAS_CORETYPE": p})
             for p in PROCESSORS if emulator]
    wrong = 0
    for what, command, more in runs:
        out = subprocess.run(command, cwd=folder, env=os.environ | more, capture_output=True, text=True, check=False)
        said = out.stdout.splitlines()
        if out.returncode and not said and "variant" in out.stderr.lower():
            print(f"  {what}: this processor has it not", flush=True)
            continue
        other = [line for line in said if not line.endswith("the same")]
        wrong += bool(out.returncode)
        trouble = out.stderr.strip().splitlines()[-3:] if out.returncode else []
        print(f"  {what}: {len(said) - len(other)} of {len(said)} the same", *other, *trouble, flush=True)
    return wrong


def main(named: list[str]) -> int:
    """Go through the interpreters."""
    found = named or interpreters()
    wrong = 0
    for interpreter in found:
        with tempfile.TemporaryDirectory(prefix="twin-digests-") as name:
            python = installed(interpreter, Path(name))
            version = subprocess.run([python, "-VV"], capture_output=True, text=True, check=True).stdout.strip()
            print(version, flush=True)
            wrong += compared(python, Path(name))
    print(f"{len(found)} interpreters, {wrong} runs with another digest")
    return 1 if wrong or not found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
