"""What every input must keep: one clear error or none, in bounded time and bounded memory.

A reader may use four times the bytes that a file has and declares, and an allowance for what does not depend on the
file. Memory is the growth of the process's peak while one input is read, as the kernel counts it (``VmHWM``, reset
before each input), so buffers of compiled code count as well; where the kernel does not offer that, only time and
errors are watched. What earlier inputs left behind is given back before the reset: memory that is resident but free
would be used again without the peak growing, and memory that is freed on the way would hide what is taken meanwhile.
"""

from __future__ import annotations

import ctypes
import gc
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from twin.errors import InputError

#: processor time that one input may take, s; a run is opened, advanced and checked in a tenth of it
TIME_MAX_S = 10.0
#: memory beyond the file's own size, as a factor of it
FACTOR = 4
_TRIM = getattr(ctypes.CDLL(None), "malloc_trim", None)
_CLEAR, _STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")


@dataclass(frozen=True)
class Finding:
    """What an input did that it must not; ``key`` is the same for inputs that do the same."""

    key: str
    text: str


@dataclass(frozen=True)
class Verdict:
    """How one input went: accepted or refused, or a finding; processor time, s; growth of the peak, bytes."""

    accepted: bool
    finding: Finding | None
    cpu_s: float
    grown: int


def judged(attempt: Callable[[Path], None], path: Path, declared: int, allowance: int) -> Verdict:
    """Read a file and judge how that went.

    Args:
        attempt: reads the file; InputError is the one error that it may end in.
        path: the file.
        declared: bytes that the file has, or says that its parts have unpacked.
        allowance: bytes that reading may take whatever the file holds.
    """
    _give_back()
    before = _peak(reset=True)
    start = time.process_time()
    finding, accepted = None, False
    try:
        attempt(path)
        accepted = True
    except InputError as error:
        line = str(error)
        if not line.strip() or "\n" in line or len(line) > 2000:
            finding = Finding(f"unclear {type(error).__name__} {len(line) > 2000}", repr(line[:400]))
    except RecursionError:
        finding = Finding("RecursionError", traceback.format_exc(limit=-6))
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        finding = Finding(f"{type(error).__name__} {Path(last.filename).name}:{last.name}", traceback.format_exc())
    spent = time.process_time() - start
    grown = max(0, _peak() - before)
    if finding is None and spent > TIME_MAX_S:
        finding = Finding("slow", f"{spent:.1f} s of processor time")
    if finding is None and grown > FACTOR * declared + allowance:
        finding = Finding("memory", f"{grown:,} bytes more for a file of {declared:,}")
    return Verdict(accepted, finding, spent, grown)


def _give_back() -> None:
    """Collect what hangs in circles and return free pages to the system, where the C library can."""
    gc.collect()
    if _TRIM is not None:
        _TRIM(0)


def _peak(*, reset: bool = False) -> int:
    """Return the peak of resident memory, bytes, since the last reset; 0 where the kernel does not say."""
    try:
        if reset:
            _CLEAR.write_text("5")
        for line in _STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0
