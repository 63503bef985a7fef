from typing import Any

from numpy.typing import NDArray

STEP_MAX_S: float

class PlantKernel:
    """All loops of the plant, bound to their buffers."""

    def __init__(
        self, *, loops: int, rejectors: int, chillers: int, cdus: int, crahs: int, **buffers: NDArray[Any],
    ) -> None: ...
    def run(self, dt_s: float) -> None:
        """Advance by ``dt_s`` seconds: temperatures, controls; writes the energy of the tick."""
