from numpy import float64, int32, int64
from numpy.typing import NDArray

DISCONNECTED_SLOWDOWN: float

def ecmp_lane(src: int, dst: int, lane_live: NDArray[float64]) -> int: ...

class NetworkKernel:
    def __init__(
        self, *, gpu_job: NDArray[int32], job_comm_bytes_s: NDArray[float64], placement_version: NDArray[int64],
        link_capacity_frac: NDArray[float64], switch_up: NDArray[int32], fault_version: NDArray[int64],
        link_load_bytes_s: NDArray[float64], link_load_frac: NDArray[float64], link_demand_ratio: NDArray[float64],
        job_slowdown: NDArray[float64], job_connected: NDArray[int32], solved_version: NDArray[int64],
        hall_power_w: NDArray[float64], congestion_max_ratio: NDArray[float64],
        slowdown_max_ratio: NDArray[float64], traffic_bytes_s: NDArray[float64], gpu_domain: NDArray[int32],
        gpu_rail: NDArray[int32], gpu_leaf: NDArray[int32], gpu_port: NDArray[int32],
        gpu_rate_bytes_s: NDArray[float64], domain_gpu_ptr: NDArray[int32], leaf_pod: NDArray[int32],
        link_capacity_bytes_s: NDArray[float64], switch_hall: NDArray[int32], switch_w: NDArray[float64],
        job_group_gpus: NDArray[int32], sizes: tuple[int, int, int, int, int, int, int], routing: int,
        lane_capacity_bytes_s: float,
    ) -> None: ...
    def run(self) -> bool: ...
    def refresh(self) -> None: ...
