from numpy import float64, int32, int64
from numpy.typing import NDArray

F64 = NDArray[float64]
I32 = NDArray[int32]

def band_order(nx: int, ny: int) -> tuple[I32, int]: ...
def band_factor(nx: int, ny: int, gx: F64, gy: F64, gz: F64) -> F64: ...

class AirFlow:
    halls: int
    cells: int
    residual: F64
    def __init__(
        self,
        *,
        cell_ptr: I32,
        nx: I32,
        ny: I32,
        gx: F64,
        gy: F64,
        gz: F64,
        volume_m3: F64,
        rho_cp_j_m3k: float,
        factor: F64,
        factor_at: NDArray[int64],
        potential: F64,
    ) -> None: ...
    def solve_sources(self, hall: int, inject_m3_s: F64, draw_m3_s: F64) -> float: ...
    def step_temperature(self, hall: int, dt_s: float, temp_c: F64, gain_w: F64) -> float: ...
    def reopen(self, gx: F64, gy: F64, factor: F64, factor_at: NDArray[int64]) -> None: ...
    def trace_shares(self, hall: int, given: F64, caught: F64) -> None: ...
    def face_flows(self, hall: int) -> tuple[NDArray[int64], NDArray[int64], F64]: ...
    def sweep_order(self, hall: int) -> I32: ...
