"""Files are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from twin.errors import InputError


def write_atomic(path: Path, chunks: Iterable[bytes]) -> int:
    """Write a file so that the old one stays until the new one is complete and on disk.

    Returns:
        The number of bytes written.

    Raises:
        InputError: the folder does not exist, the disk is full, writing is not allowed; nothing is left behind.
    """
    size = 0
    temporary = ""
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent or ".")
        with os.fdopen(handle, "wb") as out:
            for chunk in chunks:
                out.write(chunk)
                size += len(chunk)
            out.flush()
            os.fsync(out.fileno())
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(temporary, 0o666 & ~mask)
        os.replace(temporary, path)
        temporary = ""
    except OSError as error:
        raise InputError(f"cannot write: {error.strerror or error}", where=str(path),
                         expected="a writable folder with enough room") from error
    finally:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
    return size


def read_bytes(path: Path, limit: int) -> bytes:
    """Read a whole file of at most ``limit`` bytes; raise InputError with what is wrong."""
    try:
        size = path.stat().st_size
        if size > limit:
            raise InputError(f"the file has {size} bytes", where=str(path), expected=f"at most {limit}")
        if not path.is_file():
            raise InputError("not a regular file", where=str(path))
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read: {error.strerror or error}", where=str(path)) from error
