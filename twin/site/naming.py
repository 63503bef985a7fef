"""Short, stable names: hall ``A``, row ``A2``, rack ``A2.07``, tray ``A2.07.t03``, GPU ``A2.07.g11``.

Names of large axes are computed, not stored: ``PatternNames`` behaves as a sequence of strings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import overload

from twin.errors import CommandError, nearest


class PatternNames(Sequence[str]):
    """Names computed from an index, with the inverse; used for nodes and GPUs.

    Args:
        size: how many.
        name_of: index -> name.
        index_of: name -> index, or -1.
    """

    def __init__(self, size: int, name_of: Callable[[int], str], index_of: Callable[[str], int]) -> None:
        self._size, self._name_of, self._index_of = size, name_of, index_of

    def __len__(self) -> int:
        return self._size

    @overload
    def __getitem__(self, i: int) -> str: ...
    @overload
    def __getitem__(self, i: slice) -> Sequence[str]: ...
    def __getitem__(self, i: int | slice) -> str | Sequence[str]:
        if isinstance(i, slice):
            return [self._name_of(k) for k in range(*i.indices(self._size))]
        if not -self._size <= i < self._size:
            raise IndexError(i)
        return self._name_of(i % self._size)

    def locate(self, name: str) -> int:
        """Return the index of ``name``, or -1."""
        return self._index_of(name)


def find(names: Mapping[str, Sequence[str]], name: str) -> tuple[str, int]:
    """Return (axis, index) of the element called ``name``; raise CommandError with the nearest name."""
    for axis, members in names.items():
        if isinstance(members, PatternNames):
            index = members.locate(name)
            if index >= 0:
                return axis, index
        elif name in members:
            return axis, list(members).index(name)
    short = [n for members in names.values() if not isinstance(members, PatternNames) for n in members]
    raise CommandError(f"no element is called '{name}'", nearest=nearest(name, short))
