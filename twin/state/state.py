"""The whole mutable state: every block, allocated from the site's axes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.errors import InputError, nearest
from twin.state.blocks import BLOCKS
from twin.state.column import Block, Column
from twin.state.engine_blocks import ENGINE_BLOCKS

ALL_BLOCKS: tuple[type[Block], ...] = BLOCKS + ENGINE_BLOCKS


class State:
    """All blocks by name. Arrays are allocated once and never replaced.

    Args:
        axes: axis name -> size, as in ``Site.axes``, the engine's own axes included.
    """

    def __init__(self, axes: Mapping[str, int]) -> None:
        self.blocks: dict[str, Any] = {cls.block_name: cls(axes) for cls in ALL_BLOCKS}

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["blocks"][name]
        except KeyError:
            raise AttributeError(name) from None

    def columns(self) -> Iterator[tuple[str, Column, NDArray[Any]]]:
        """Yield (block name, column, array) in declared order."""
        for name, block in self.blocks.items():
            for col in block.columns:
                yield name, col, getattr(block, col.name)

    def find(self, path: str) -> tuple[Column, NDArray[Any]]:
        """Return (column, array) of ``block.column``; raise InputError with the nearest name."""
        block_name, _, column_name = path.partition(".")
        block = self.blocks.get(block_name)
        if block is not None:
            for col in block.columns:
                if col.name == column_name:
                    return col, getattr(block, col.name)
        known = [f"{b}.{c.name}" for b, c, _ in self.columns()]
        raise InputError(f"no column is called '{path}'", nearest=nearest(path, known))

    def digest(self) -> str:
        """Return 32 hex digits that identify every bit of the state (BLAKE2b over all columns)."""
        total = hashlib.blake2b(digest_size=16)
        for block, col, array in self.columns():
            total.update(f"{block}.{col.name}:{array.dtype.str}:{array.size};".encode())
            total.update(array.view(np.uint8).data)  # little-endian on every platform we support
        return total.hexdigest()

    def block_digests(self) -> dict[str, str]:
        """Return a digest per block, to name the block in which two states differ."""
        out = {}
        for name, block in self.blocks.items():
            one = hashlib.blake2b(digest_size=16)
            for col in block.columns:
                one.update(getattr(block, col.name).view(np.uint8).data)
            out[name] = one.hexdigest()
        return out
