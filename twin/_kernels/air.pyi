from collections.abc import Mapping

from numpy import float64
from numpy.typing import NDArray

from twin._kernels.airflow import AirFlow
from twin._kernels.airmachines import AirMachines

F64 = NDArray[float64]

class AirKernel(AirMachines):
    racks: int
    def __init__(
        self,
        *,
        flow: AirFlow,
        rho_cp_j_m3k: float,
        surplus_frac: F64,
        sample_s: float,
        params: Mapping[str, object],
        state: Mapping[str, object],
        inputs: Mapping[str, object],
    ) -> None: ...
    def run(self, dt_s: float) -> None: ...
    def resolve(self) -> None: ...
    def settle(self, loop_supply_temp_c: F64, share: float, steps: int) -> None: ...
