from typing import Any

from numpy.typing import NDArray

CLASS_COLUMNS: tuple[str, ...]
OPEN_LIMIT: float

class ChipKernel:
    level: int
    def __init__(
        self, *, gpu_temp_c: NDArray[Any], gpu_hbm_temp_c: NDArray[Any], gpu_lid_temp_c: NDArray[Any],
        gpu_plate_temp_c: NDArray[Any], gpu_coolant_temp_c: NDArray[Any], gpu_clock_frac: NDArray[Any],
        gpu_power_w: NDArray[Any], gpu_limit_frac: NDArray[Any], gpu_throttle: NDArray[Any],
        stream_heat_w: NDArray[Any], stream_return_temp_c: NDArray[Any], rack_gpu_power_w: NDArray[Any],
        rack_gpu_temp_c_max: NDArray[Any], rack_throttled: NDArray[Any], job_perf_frac: NDArray[Any],
        job_gpu_power_w: NDArray[Any],
        gpu_temp_max_c: NDArray[Any], throttled_count: NDArray[Any], tick_in_j: NDArray[Any],
        tick_out_j: NDArray[Any], tick_stored_j: NDArray[Any], gpu_r_factor: NDArray[Any],
        gpu_util_frac: NDArray[Any], gpu_mem_frac: NDArray[Any], gpu_on: NDArray[Any], rack_cap_frac: NDArray[Any],
        gpu_job: NDArray[Any], placement_version: NDArray[Any], rack_supply_temp_c: NDArray[Any],
        rack_flow_kg_s: NDArray[Any], rack_plate_r_factor: NDArray[Any],
        rack_inlet_temp_c: NDArray[Any], rack_air_flow_m3_s: NDArray[Any],
        pressure_pa: NDArray[Any], classes: NDArray[Any], power_factor: NDArray[Any], leak_factor: NDArray[Any],
        interface_factor: NDArray[Any],
        stream_ptr: NDArray[Any], stream_class: NDArray[Any], stream_is_air: NDArray[Any],
        stream_depth: NDArray[Any], stream_share: NDArray[Any], rack_stream_ptr: NDArray[Any],
        rack_cp_j_kgk: NDArray[Any], node_valve_frac: NDArray[Any], rack_tray_frac: NDArray[Any],
        rack_node_ptr: NDArray[Any], node_gpu_ptr: NDArray[Any],
        variant: str = ...,
    ) -> None: ...
    def refresh(self) -> None: ...
    def run(self, dt_s: float) -> None: ...
