from twin.arrays import F64, I32

class Spread:
    def __init__(
        self, *, gpu_job: I32, job_util_frac: F64, job_mem_frac: F64, job_waits: I32,
        job_wait_util_frac: F64, job_wait_mem_frac: F64, job_phase: I32, job_perf_frac: F64, gpu_clock_frac: F64,
        rack_energised: I32, node_down: I32,
        rack_node_ptr: I32, node_gpu_ptr: I32, node_idle_w: F64, node_span_w: F64, gpu_util_frac: F64,
        gpu_mem_frac: F64, gpu_on: I32, node_aux_w: F64,
    ) -> None: ...
    def run(self) -> None: ...
