from collections.abc import Iterable
from typing import Any

from numpy.typing import NDArray

def xxh64(data: bytes, seed: int = 0) -> int: ...

class GroupDigest:
    def __init__(self, groups: Iterable[Iterable[NDArray[Any]]]) -> None: ...
    def run(self, out: NDArray[Any]) -> None: ...
