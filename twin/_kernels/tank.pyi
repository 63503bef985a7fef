from typing import Any

from numpy.typing import NDArray

STEP_MAX_S: float

class TankKernel:
    """All immersion tanks of a site, bound to their buffers."""

    def __init__(
        self, *, tanks: int, racks: int, streams: int, gpus: int, cdus: int, pumps: int, loops: int,
        **buffers: NDArray[Any],
    ) -> None: ...
    def run(self, dt_s: float) -> None:
        """Advance by ``dt_s`` seconds; adds to the energy of the tick that the row loops have booked."""
    def prime(self) -> None:
        """Bring pumps to their speed and set flows, level and pressure; for a fresh state."""
