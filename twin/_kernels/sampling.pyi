from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

LEVELS: tuple[tuple[float, int], ...]

class Source:
    size: int
    def __init__(self, array: NDArray[Any]) -> None: ...

class Alarm:
    def __init__(
        self, source: NDArray[Any], threshold: NDArray[Any] | None, constant: float, above: bool, hysteresis: float,
        delay_s: float, active: NDArray[Any], pending_s: NDArray[Any], since_ns: NDArray[Any],
        acknowledged: NDArray[Any], count: NDArray[Any],
    ) -> None: ...
    def run(self, end_ns: int, dt_s: float) -> int: ...

class History:
    lo: NDArray[Any]
    hi: NDArray[Any]
    total: NDArray[Any]
    weight: NDArray[Any]
    bucket: NDArray[Any]
    def __init__(self, arrays: Sequence[tuple[NDArray[Any], int]]) -> None: ...
    def run(self, now_ns: int, dt_s: float) -> None: ...
    def read(self, series: int, level: int) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]: ...

class Watch:
    def __init__(
        self, source: NDArray[Any], elements: Any, reducer: int, after_ns: int, before_ns: int,
        value: NDArray[Any], weight_s: NDArray[Any],
    ) -> None: ...
    def run(self, end_ns: int, dt_s: float) -> None: ...

class Sampler:
    values: NDArray[Any]
    weight_s: float
    def __init__(self, series: Sequence[tuple[NDArray[Any], int, int]]) -> None: ...
    def run(self, dt_s: float) -> None: ...
    def take(self) -> NDArray[Any]: ...
