from twin.arrays import F64

class Storage:
    def __init__(self, *, left_bytes: F64, wrote_bytes: F64, link_bytes_s: F64, capacity_frac: F64,
                 rate_bytes_s: F64, write_bytes_s: F64, written_bytes: F64, hall_power_w: F64,
                 total_bytes_s: float, idle_w: float, max_w: float) -> None: ...
    def run(self, dt_s: float) -> None: ...
