from numpy import float64
from numpy.typing import NDArray

F64 = NDArray[float64]

class WeatherKernel:
    def __init__(
        self,
        *,
        hourly_temp_c: F64,
        hourly_humidity_ratio: F64,
        hourly_pressure_pa: F64,
        offset_temp_k: F64,
        temp_c: F64,
        wet_bulb_c: F64,
        dew_point_c: F64,
        rel_humidity: F64,
        humidity_ratio: F64,
        pressure_pa: F64,
    ) -> None: ...
    def run(self, year_ns: int) -> None: ...

def moist_hours(temp_c: F64, rel_humidity: F64, pressure_pa: F64) -> tuple[F64, F64, F64]: ...
def synthetic_year(
    *, mean_temp_c: F64, daily_range_k: F64, dew_temp_c: F64, anomaly_k: F64, pressure_pa: float
) -> tuple[F64, F64]: ...
