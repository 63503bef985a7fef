from collections.abc import Mapping, Sequence

from twin.arrays import F64, I64

FLOWS: tuple[str, ...]
STORES: tuple[str, ...]
TOTALS: tuple[str, ...]

class Ledger:
    def __init__(
        self, *, flows: Mapping[str, F64], throttled: I64, stores: Mapping[str, Sequence[F64]], cdu_heat_w: F64,
        cdu_air_heat_w: F64, crah_heat_w: F64, job_submit_ns: I64, job_gpu_power_w: F64, own: Mapping[str, F64 | I64],
        fuel_carbon_kg_kg: float, fuel_usd_kg: float, joules_per_kwh: float,
    ) -> None: ...
    def run(self, dt_s: float) -> None: ...
