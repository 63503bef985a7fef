from collections.abc import Sequence

from numpy import float64, int32
from numpy.typing import ArrayLike, NDArray

class MaxMin:
    rate: NDArray[float64]
    def __init__(
        self, flow_ptr: NDArray[int32], flow_link: NDArray[int32], capacity: NDArray[float64],
        demand: NDArray[float64] | None = None, weight: NDArray[float64] | None = None,
        coefficient: NDArray[float64] | None = None,
    ) -> None: ...
    def solve(self) -> int: ...
    def remove(self, flow: int) -> int: ...

def solve_maxmin(
    flow_ptr: Sequence[int] | NDArray[int32], flow_link: Sequence[int] | NDArray[int32], capacity: ArrayLike,
    demand: ArrayLike | None = None, weight: ArrayLike | None = None, coefficient: ArrayLike | None = None,
) -> NDArray[float64]: ...
