from typing import Any

from numpy.typing import NDArray

STEP_MAX_S: float

class LiquidKernel:
    """All row loops of a site, bound to their buffers."""

    def __init__(
        self, *, racks: int, streams: int, tcs: int, cdus: int, pumps: int, loops: int, halls: int,
        nodes: int, air_kg_m3: float, **buffers: NDArray[Any],
    ) -> None: ...
    def run(self, dt_s: float) -> None:
        """Advance by ``dt_s`` seconds: temperatures, flows, controls."""
    def refresh(self) -> None:
        """Find what blocked trays leave of each rack's conductance; after loading a state, or a fault."""
    def prime(self) -> None:
        """Bring pumps to the speed that their set-point asks for and set the flows; for a fresh state."""
