"""Accelerators: power and temperature solved together, stream by stream.

The GPUs of a coolant stream share inlet temperature and flow, so everything but the GPUs' own state is a scalar in
the hot loop (``chip_step.pxi``), which exists in variants for the vector units at hand, with the same bits.

Sub-steps: a tick of at most 1 s is one implicit step. A longer tick begins with 1 s and quadruples the step while the
stream is quiet (stored energy changes by less than 1 % of the heat carried off, nothing near a limit); near a limit or
in motion it stays at 1 s. So a steady minute costs four steps, and a lost flow is still seen second by second.
"""

from libc.math cimport fabs
from libc.stdint cimport int64_t

from twin._kernels.laws cimport law_cap_voltage, law_leakage_w, law_plate_resistance_k_w
from twin._kernels.variants cimport (
    in_f64, in_i32, inlined_void, out_f64, out_i32, v3_void, v4_void,
)

import numpy as np

from twin._kernels.variants import choose
from twin.arrays import aligned_full

include "chip_step.pxi"

#: columns of the class table, one row per accelerator type.
CLASS_COLUMNS = (
    "dyn_w", "idle_w", "leak_w", "leak_beta_per_k", "leak_ref_c", "hbm_idle_w", "hbm_active_w", "tdp_w", "clock_max_frac",
    "clock_min_frac", "g_die_w_k", "g_hbm_w_k", "g_lid_w_k", "r_plate_k_w", "flow_design", "r_exponent",
    "r_floor_ratio", "c_die_j_k", "c_hbm_j_k", "c_lid_j_k", "c_plate_j_k", "c_coolant_j_k", "temp_op_c", "temp_slow_c",
    "temp_shut_c", "temp_hbm_c",
)
#: value of gpu_limit_frac while nothing thermal limits the clock.
OPEN_LIMIT = 10.0

cdef enum:
    DYN, IDLE, LEAK, BETA, LEAK_REF, HBM_IDLE, HBM_ACTIVE, TDP, CLOCK_MAX, CLOCK_MIN, G_DIE, G_HBM, G_LID, R_PLATE, FLOW, \
        EXPONENT, FLOOR, C_DIE, C_HBM, C_LID, C_PLATE, C_COOLANT, T_OP, T_SLOW, T_SHUT, T_HBM, CLASS_WIDTH

# throttle bits, as NVML's clocks-event reasons where they exist there
cdef enum:
    POWER_CAP = 0x4
    HW_SLOWDOWN = 0x8
    SW_THERMAL = 0x20
    HW_THERMAL = 0x40
    HBM_HOT = 0x100
    SHUT_DOWN = 0x200
    LIMITED = 0x368     # everything but the power cap

cdef double OPEN = 10.0
cdef double STEP_S = 1.0             # step while something moves
cdef double QUIET_SHARE = 0.01       # of the heat: less than this stored or released is quiet
cdef double NEAR_K = 5.0             # this close below a limit the step stays short
cdef double SW_RATE = 0.02           # clock taken per K above the limit and second (engineering estimate)
cdef double SW_RECOVERY = 0.01       # clock given back per second
cdef double SW_BAND_K = 3.0          # below the limit before the clock comes back
cdef double HW_BAND_K = 5.0
cdef double AIR_GAS_J_KGK = 287.055
cdef double AIR_CP_J_KGK = 1006.0

ctypedef void (*Advance)(bint, bint, Sums*, const Pace*, Py_ssize_t, double*, double*, double*, double*, double*, double*,
                         double*, int*, const double*, const double*, const double*, const int*, const double*,
                         const double*, const double*, const double*) noexcept nogil

# One body, three times: `plain` and `first` are constants in each call, so the loops hold no test of them.
cdef inlined_void _advance_any(bint plain, bint first, Sums* z, const Pace* pace, Py_ssize_t n, out_f64 a, out_f64 b,
                               out_f64 c, out_f64 d, out_f64 e, out_f64 f, out_f64 g, out_i32 t, in_f64 h, in_f64 i,
                               in_f64 j, in_i32 k, in_f64 l, in_f64 q, in_f64 m, in_f64 o) noexcept nogil:
    if plain and first:
        advance(True, True, z, pace, n, a, b, c, d, e, f, g, t, h, i, j, k, l, q, m, o)
    elif plain:
        advance(True, False, z, pace, n, a, b, c, d, e, f, g, t, h, i, j, k, l, q, m, o)
    elif first:
        advance(False, True, z, pace, n, a, b, c, d, e, f, g, t, h, i, j, k, l, q, m, o)
    else:
        advance(False, False, z, pace, n, a, b, c, d, e, f, g, t, h, i, j, k, l, q, m, o)


cdef void advance_base(bint plain, bint first, Sums* z, const Pace* pace, Py_ssize_t n, out_f64 a, out_f64 b, out_f64 c,
                       out_f64 d, out_f64 e, out_f64 f, out_f64 g, out_i32 t, in_f64 h, in_f64 i, in_f64 j, in_i32 k,
                       in_f64 l, in_f64 q, in_f64 m, in_f64 o) noexcept nogil:
    _advance_any(plain, first, z, pace, n, a, b, c, d, e, f, g, t, h, i, j, k, l, q, m, o)


cdef v3_void advance_v3(bint plain, bint first, Sums* z, const Pace* pace, Py_ssize_t n, out_f64 a, out_f64 b, out_f64 c,
                        out_f64 d, out_f64 e, out_f64 f, out_f64 g, out_i32 t, in_f64 h, in_f64 i, in_f64 j, in_i32 k,
                        in_f64 l, in_f64 q, in_f64 m, in_f64 o) noexcept nogil:
    _advance_any(plain, first, z, pace, n, a, b, c, d, e, f, g, t, h, i, j, k, l, q, m, o)


cdef v4_void advance_v4(bint plain, bint first, Sums* z, const Pace* pace, Py_ssize_t n, out_f64 a, out_f64 b, out_f64 c,
                        out_f64 d, out_f64 e, out_f64 f, out_f64 g, out_i32 t, in_f64 h, in_f64 i, in_f64 j, in_i32 k,
                        in_f64 l, in_f64 q, in_f64 m, in_f64 o) noexcept nogil:
    _advance_any(plain, first, z, pace, n, a, b, c, d, e, f, g, t, h, i, j, k, l, q, m, o)


cdef void _set_class(Pace* pace, const double* c) noexcept nogil:
    """Constants of an accelerator type, from its row of the class table."""
    pace.dyn_w = c[DYN]
    pace.per_dyn = 0.65 / (c[DYN] + 1e-30)
    pace.idle_w = c[IDLE]
    pace.leak_w = c[LEAK]
    pace.leak_beta = c[BETA]
    pace.leak_ref_c = c[LEAK_REF]
    pace.hbm_idle_w = c[HBM_IDLE]
    pace.hbm_active_w = c[HBM_ACTIVE]
    pace.clock_max = c[CLOCK_MAX]
    pace.clock_min = c[CLOCK_MIN]
    pace.g_die = c[G_DIE]
    pace.g_hbm = c[G_HBM]
    pace.g_lid = c[G_LID]
    pace.heat_die = c[C_DIE]
    pace.heat_hbm = c[C_HBM]
    pace.heat_lid = c[C_LID]
    pace.heat_plate = c[C_PLATE]
    pace.heat_coolant = c[C_COOLANT]
    pace.step_s = -1.0


cdef void _set_step(Pace* pace, double h) noexcept nogil:
    """What follows from the length of the step, s."""
    pace.c_die = pace.heat_die / h
    pace.c_hbm = pace.heat_hbm / h
    pace.c_lid = pace.heat_lid / h
    pace.c_plate = pace.heat_plate / h
    pace.c_coolant = pace.heat_coolant / h
    pace.per_hbm = 1.0 / (pace.c_hbm + pace.g_hbm)
    pace.step_s = h


cdef void _no_sums(Sums* sums) noexcept nogil:
    sums.power_w = sums.coolant_c = sums.energy_j = 0.0
    sums.die_c_max = sums.hbm_c_max = -1e300
    sums.clock_min = 1.0


cdef void _add_sums(Sums* sums, const Sums* more) noexcept nogil:
    sums.power_w += more.power_w
    sums.coolant_c += more.coolant_c
    sums.energy_j += more.energy_j
    sums.die_c_max = more.die_c_max if more.die_c_max > sums.die_c_max else sums.die_c_max
    sums.hbm_c_max = more.hbm_c_max if more.hbm_c_max > sums.hbm_c_max else sums.hbm_c_max
    sums.clock_min = more.clock_min if more.clock_min < sums.clock_min else sums.clock_min


cdef class ChipKernel:
    """All GPUs of the factory, bound to their buffers once.

    Args (arrays float64 unless said otherwise; written ones first):
        gpu_temp_c, gpu_hbm_temp_c, gpu_lid_temp_c, gpu_plate_temp_c, gpu_coolant_temp_c, gpu_clock_frac, gpu_power_w,
            gpu_limit_frac: per GPU, written.
        gpu_throttle: int32 per GPU, written.
        stream_heat_w, stream_return_temp_c: per stream, written.
        rack_gpu_power_w, rack_gpu_temp_c_max, rack_throttled (int32): per rack, written.
        job_perf_frac, job_gpu_power_w: per job, written.
        gpu_temp_max_c, throttled_count (int64), tick_in_j, tick_out_j, tick_stored_j: one each, written.
        gpu_r_factor: lid-to-plate resistance over nominal, per GPU.
        gpu_util_frac, gpu_mem_frac, gpu_on (int32), rack_cap_frac, gpu_job (int32), placement_version (int64).
        rack_supply_temp_c, rack_flow_kg_s, rack_inlet_temp_c, rack_air_flow_m3_s: coolants, per rack.
        rack_plate_r_factor: plate-to-coolant resistance over nominal in liquid-cooled racks, per rack.
        node_valve_frac: conductance that is left of a tray's branch, per node.
        pressure_pa: of the air, one.
        classes: (n, len(CLASS_COLUMNS)) table of accelerator types.
        power_factor, leak_factor: manufacturing spread, per GPU.
        interface_factor: lid-to-plate resistance of an aged interface over a new one, per GPU.
        stream_ptr (int32, n+1), stream_class, stream_is_air, stream_depth (int32), stream_share: first GPU, type, medium,
            depth and share of the rack's flow that one GPU of the stream gets.
        rack_stream_ptr (int32, n+1): first stream of each rack. rack_cp_j_kgk: specific heat of its coolant.
        rack_node_ptr, node_gpu_ptr (int32, n+1): first node of each rack, first GPU of each node.
        rack_tray_frac: share of the rack's flow that its compute trays take, 0 for racks without a row loop.
        variant: ``base``, ``v3``, ``v4`` or empty for the best.

    Raises:
        ValueError: an array has the wrong length, or the variant cannot run here.
    """

    cdef double[::1] die, hbm, lid, plate, coolant, clock, power, limit
    cdef int[::1] throttle
    cdef double[::1] stream_heat, stream_return, rack_power, rack_temp_max, job_perf, job_power
    cdef int[::1] rack_throttled
    cdef double[::1] temp_max, tick_in, tick_out, tick_stored
    cdef int64_t[::1] throttled_count
    cdef const double[::1] r_factor, util, mem, cap, supply, flow, inlet, air_flow, pressure, power_factor, leak_factor
    cdef const double[::1] stream_share, rack_cp, aged, plate_factor
    cdef const int[::1] on, gpu_job, stream_ptr, stream_class, stream_is_air, stream_depth, rack_stream_ptr
    cdef const double[::1] node_valve, tray_frac
    cdef const int[::1] rack_node_ptr, node_gpu_ptr
    cdef const int64_t[::1] placement
    cdef const double[:, ::1] classes
    # caches: everything here follows from the arrays above (refresh)
    cdef double[::1] lid_factor, per_power, stream_energy, stream_power, stream_slow, flow_seen, g_plate, node_flow, stream_flows
    cdef int[::1] stream_bits, stream_worn, stream_limited, stream_uneven, run_start, run_end, run_job, run_stream, run_fills
    cdef Py_ssize_t runs
    cdef int64_t runs_version
    cdef Advance advance
    cdef readonly int level

    def __init__(self, *, gpu_temp_c, gpu_hbm_temp_c, gpu_lid_temp_c, gpu_plate_temp_c, gpu_coolant_temp_c,
                 gpu_clock_frac, gpu_power_w, gpu_limit_frac, gpu_throttle, stream_heat_w, stream_return_temp_c,
                 rack_gpu_power_w, rack_gpu_temp_c_max, rack_throttled, job_perf_frac, job_gpu_power_w, gpu_temp_max_c,
                 throttled_count,
                 tick_in_j, tick_out_j, tick_stored_j, gpu_r_factor, gpu_util_frac, gpu_mem_frac, gpu_on,
                 rack_cap_frac, gpu_job, placement_version, rack_supply_temp_c, rack_flow_kg_s, rack_plate_r_factor,
                 rack_inlet_temp_c, rack_air_flow_m3_s, pressure_pa, classes, power_factor, leak_factor, interface_factor,
                 stream_ptr, stream_class, stream_is_air, stream_depth, stream_share, rack_stream_ptr, rack_cp_j_kgk,
                 node_valve_frac, rack_tray_frac, rack_node_ptr, node_gpu_ptr, variant=""):
        gpus, streams, racks = len(gpu_temp_c), len(stream_heat_w), len(rack_gpu_power_w)
        for length, group in (
            (gpus, (gpu_hbm_temp_c, gpu_lid_temp_c, gpu_plate_temp_c, gpu_coolant_temp_c, gpu_clock_frac, gpu_power_w,
                    gpu_limit_frac, gpu_throttle, gpu_r_factor, gpu_util_frac, gpu_mem_frac, gpu_on, gpu_job,
                    power_factor, leak_factor, interface_factor)),
            (streams, (stream_return_temp_c, stream_class, stream_is_air, stream_depth, stream_share)),
            (racks, (rack_gpu_temp_c_max, rack_throttled, rack_cap_frac, rack_supply_temp_c, rack_flow_kg_s,
                     rack_plate_r_factor, rack_inlet_temp_c, rack_air_flow_m3_s, rack_cp_j_kgk, rack_tray_frac)),
            (len(node_gpu_ptr) - 1, (node_valve_frac,)),
            (len(job_perf_frac), (job_gpu_power_w,)),
            (1, (gpu_temp_max_c, throttled_count, tick_in_j, tick_out_j, tick_stored_j, placement_version, pressure_pa)),
            (streams + 1, (stream_ptr,)), (racks + 1, (rack_stream_ptr, rack_node_ptr)),
        ):
            for array in group:
                if len(array) != length:
                    raise ValueError(f"an array of {len(array)} where {length} elements belong")
        if classes.shape[1] != CLASS_WIDTH:
            raise ValueError(f"the class table has {classes.shape[1]} columns, expected {CLASS_WIDTH}")
        if stream_ptr[0] != 0 or stream_ptr[streams] != gpus or rack_stream_ptr[racks] != streams:
            raise ValueError("the streams do not cover the GPUs, or the racks not the streams")
        if rack_node_ptr[racks] != len(node_valve_frac) or node_gpu_ptr[len(node_valve_frac)] != gpus:
            raise ValueError("the racks do not cover the nodes, or the nodes not the GPUs")
        if gpus and (np.min(np.diff(stream_ptr)) < 1 or np.max(gpu_job) >= len(job_perf_frac)):
            raise ValueError("a stream without GPUs, or a job that does not exist")
        self.die, self.hbm, self.lid, self.plate = gpu_temp_c, gpu_hbm_temp_c, gpu_lid_temp_c, gpu_plate_temp_c
        self.coolant, self.clock, self.power, self.limit = gpu_coolant_temp_c, gpu_clock_frac, gpu_power_w, gpu_limit_frac
        self.throttle, self.stream_heat, self.stream_return = gpu_throttle, stream_heat_w, stream_return_temp_c
        self.rack_power, self.rack_temp_max, self.rack_throttled = rack_gpu_power_w, rack_gpu_temp_c_max, rack_throttled
        self.job_perf, self.job_power = job_perf_frac, job_gpu_power_w
        self.temp_max, self.throttled_count = gpu_temp_max_c, throttled_count
        self.tick_in, self.tick_out, self.tick_stored = tick_in_j, tick_out_j, tick_stored_j
        self.aged = interface_factor
        self.r_factor, self.util, self.mem, self.on = gpu_r_factor, gpu_util_frac, gpu_mem_frac, gpu_on
        self.cap, self.gpu_job, self.placement = rack_cap_frac, gpu_job, placement_version
        self.supply, self.flow, self.inlet = rack_supply_temp_c, rack_flow_kg_s, rack_inlet_temp_c
        self.plate_factor = rack_plate_r_factor
        self.air_flow, self.pressure, self.classes = rack_air_flow_m3_s, pressure_pa, classes
        self.power_factor, self.leak_factor, self.stream_ptr = power_factor, leak_factor, stream_ptr
        self.stream_class, self.stream_is_air, self.stream_depth = stream_class, stream_is_air, stream_depth
        self.stream_share, self.rack_stream_ptr, self.rack_cp = stream_share, rack_stream_ptr, rack_cp_j_kgk
        self.node_valve, self.tray_frac = node_valve_frac, rack_tray_frac
        self.rack_node_ptr, self.node_gpu_ptr = rack_node_ptr, node_gpu_ptr
        self.node_flow, self.stream_flows = np.ones(len(node_valve_frac)), np.zeros(streams)
        self.lid_factor = aligned_full(gpus, 1.0, np.float64)
        self.per_power = aligned_full(gpus, 1.0, np.float64)
        np.asarray(self.per_power)[:] = 1.0 / np.asarray(power_factor)
        self.stream_energy, self.flow_seen, self.g_plate = np.zeros(streams), np.full(streams, -1.0), np.zeros(streams)
        self.stream_bits, self.stream_worn, self.stream_limited, self.stream_uneven = (
            np.zeros(streams, np.int32) for _ in range(4))
        self.stream_slow, self.stream_power = np.ones(streams), np.zeros(streams)
        self.run_start, self.run_end, self.run_job, self.run_stream, self.run_fills = (
            np.zeros(gpus, np.int32) for _ in range(5))
        self.level = choose(variant)
        if self.level == 4:
            self.advance = <Advance> advance_v4
        elif self.level == 3:
            self.advance = <Advance> advance_v3
        else:
            self.advance = <Advance> advance_base
        self.refresh()

    def refresh(self):
        """Rebuild what is kept beside the arrays: after loading a state, a fault, or any change from outside."""
        cdef Py_ssize_t r, s, i
        for r in range(self.rack_power.shape[0]):
            for s in range(self.rack_stream_ptr[r], self.rack_stream_ptr[r + 1]):
                self._share_flow(s, r)
                self.stream_worn[s] = 0
                for i in range(self.stream_ptr[s], self.stream_ptr[s + 1]):
                    self.lid_factor[i] = 1.0 / (self.r_factor[i] * self.aged[i])
                    if self.lid_factor[i] != 1.0:
                        self.stream_worn[s] = 1
                self._note_bits(s)
                self.flow_seen[s] = -1.0
                self.stream_energy[s] = self._energy(s, r)
        self._find_runs()

    def run(self, double dt_s):
        """Advance all GPUs by ``dt_s`` seconds."""
        with nogil:
            self._run(dt_s)

    cdef void _share_flow(self, Py_ssize_t s, Py_ssize_t r) noexcept nogil:
        """Flow of each tray of a rack over an even share, and their sum over the stream's GPUs.

        Trays are parallel branches of one exponent, so shares are conductances over their sum, at any flow. A healthy
        rack shares evenly: its manifold's one per cent of unevenness is 0.1 to 0.2 K at the die.
        """
        cdef Py_ssize_t k, first = self.rack_node_ptr[r], end = self.rack_node_ptr[r + 1]
        cdef double left = 0.0, whole
        self.stream_uneven[s] = 0
        self.stream_flows[s] = <double> (self.stream_ptr[s + 1] - self.stream_ptr[s])
        if self.stream_is_air[s] or self.tray_frac[r] <= 0.0:
            return
        for k in range(first, end):
            left += self.node_valve[k]
            self.stream_uneven[s] |= self.node_valve[k] != 1.0
        if self.stream_uneven[s] == 0:
            return
        whole = 1.0 - self.tray_frac[r] * (1.0 - left / <double> (end - first))
        self.stream_flows[s] = 0.0
        for k in range(first, end):
            self.node_flow[k] = self.node_valve[k] / whole if whole > 0.0 else 0.0
            self.stream_flows[s] += self.node_flow[k] * <double> (self.node_gpu_ptr[k + 1] - self.node_gpu_ptr[k])

    cdef Py_ssize_t _alike(self, Py_ssize_t k, Py_ssize_t end) noexcept nogil:
        """Return the tray behind the last one that gets the flow of tray k and follows it without a gap."""
        cdef Py_ssize_t last = k + 1
        while last < end and self.node_flow[last] == self.node_flow[k]:
            last += 1
        return last

    cdef double _trays(self, Py_ssize_t k, Py_ssize_t last, Py_ssize_t s, Py_ssize_t r, bint plain, bint first, Pace* pace,
                       Sums* sums) noexcept nogil:
        """One step of the GPUs of trays that get the same flow, each; return what they give to the coolant, W."""
        cdef const double* c = &self.classes[self.stream_class[s], 0]
        cdef Py_ssize_t g = self.node_gpu_ptr[k], n = self.node_gpu_ptr[last] - g
        cdef double film = pace.g_plate, flow2 = pace.flow2_w_k, own
        own = self.node_flow[k] * self.flow[r] * self.stream_share[s]
        pace.g_plate = 1.0 / (self.plate_factor[r] * law_plate_resistance_k_w(
            c[R_PLATE], own / c[FLOW] if own > 0.0 else 0.0, c[EXPONENT], c[FLOOR]))
        pace.flow2_w_k = flow2 * self.node_flow[k]
        self._advance(plain, first, sums, pace, g, n)
        own = pace.flow2_w_k * (sums.coolant_c - <double> n * pace.inlet_c)
        pace.g_plate = film
        pace.flow2_w_k = flow2
        return own

    cdef double _step(self, Py_ssize_t s, Py_ssize_t r, bint plain, bint first, Pace* pace, Sums* sums) noexcept nogil:
        """One step of a stream, by trays of equal flow where they share it unevenly; return what the coolant takes, W."""
        cdef Py_ssize_t k, last, g = self.stream_ptr[s], n = self.stream_ptr[s + 1] - self.stream_ptr[s]
        cdef double flux = 0.0
        cdef Sums some
        if self.stream_uneven[s] == 0:
            self._advance(plain, first, sums, pace, g, n)
            return pace.flow2_w_k * (sums.coolant_c - <double> n * pace.inlet_c)
        _no_sums(sums)
        k = self.rack_node_ptr[r]
        while k < self.rack_node_ptr[r + 1]:
            last = self._alike(k, self.rack_node_ptr[r + 1])
            flux += self._trays(k, last, s, r, plain, first, pace, &some)
            _add_sums(sums, &some)
            k = last
        return flux

    cdef inline void _advance(self, bint plain, bint first, Sums* sums, const Pace* pace, Py_ssize_t g,
                              Py_ssize_t n) noexcept nogil:
        """One step of n GPUs from g on, which share all that ``pace`` says."""
        self.advance(plain, first, sums, pace, n, &self.die[g], &self.hbm[g], &self.lid[g], &self.plate[g],
                     &self.coolant[g], &self.clock[g], &self.power[g], &self.throttle[g], &self.limit[g], &self.util[g],
                     &self.mem[g], &self.on[g], &self.power_factor[g], &self.per_power[g], &self.leak_factor[g],
                     &self.lid_factor[g])

    cdef void _run(self, double dt) noexcept nogil:
        cdef Py_ssize_t r, s
        cdef double power, hottest, total_in = 0.0, total_out = 0.0, stored = 0.0, hottest_all = -1e300
        cdef int64_t limited_all = 0
        cdef int limited
        cdef Sums sums
        cdef Pace pace
        pace.kind = -1
        for r in range(self.rack_power.shape[0]):
            power = 0.0
            hottest = -1e300
            limited = 0
            for s in range(self.rack_stream_ptr[r], self.rack_stream_ptr[r + 1]):
                self._step_stream(s, r, dt, &pace, &sums)
                power += sums.power_w
                hottest = sums.die_c_max if sums.die_c_max > hottest else hottest
                limited += self.stream_limited[s]
                total_out += self.stream_heat[s] * dt
                stored += sums.energy_j - self.stream_energy[s]
                self.stream_energy[s] = sums.energy_j
                self.stream_slow[s] = sums.clock_min if self.stream_bits[s] == 0 else -1.0
                self.stream_power[s] = sums.power_w
            self.rack_power[r] = power
            self.rack_temp_max[r] = hottest
            self.rack_throttled[r] = limited
            total_in += power * dt
            limited_all += limited
            hottest_all = hottest if hottest > hottest_all else hottest_all
        self.temp_max[0] = hottest_all
        self.throttled_count[0] = limited_all
        self.tick_in[0] = total_in
        self.tick_out[0] = total_out
        self.tick_stored[0] = stored
        self._pace_jobs()

    cdef void _step_stream(self, Py_ssize_t s, Py_ssize_t r, double dt, Pace* pace, Sums* sums) noexcept nogil:
        """Advance one stream by the tick, in one step or several."""
        cdef Py_ssize_t g = self.stream_ptr[s]
        cdef Py_ssize_t n = self.stream_ptr[s + 1] - g
        cdef const double* c = &self.classes[self.stream_class[s], 0]
        cdef double mcp, h, left = dt, step = STEP_S, heat = 0.0, before = self.stream_energy[s], flux
        cdef bint plain, first = True, near
        self._set_pace(pace, s, r, c, &mcp)
        plain = self._all_on(g, n) and self.stream_bits[s] == 0 and self.stream_worn[s] == 0
        while left > 0.0:
            h = left if left <= step * 1.000001 else step
            left = 0.0 if h == left else left - h
            if h != pace.step_s:
                _set_step(pace, h)
            pace.weight = h / dt
            flux = self._step(s, r, plain, first, pace, sums)
            first = False
            heat += flux * pace.weight
            near = sums.die_c_max >= c[T_OP] or sums.hbm_c_max >= c[T_HBM] or self.stream_bits[s] != 0
            if near:
                self._watch(s, h, c)
                plain = self._all_on(g, n) and self.stream_bits[s] == 0 and self.stream_worn[s] == 0
            near = near or sums.die_c_max >= c[T_OP] - NEAR_K or sums.hbm_c_max >= c[T_HBM] - NEAR_K
            if near or fabs(sums.energy_j - before) > QUIET_SHARE * fabs(flux) * h:
                step = STEP_S
            else:
                step = 4.0 * h if h > STEP_S else 4.0 * STEP_S
            before = sums.energy_j
        self.stream_heat[s] = heat
        if mcp * self.stream_flows[s] > 1e-9:
            self.stream_return[s] = pace.inlet_c + heat / (self.stream_flows[s] * mcp)
        else:
            self.stream_return[s] = sums.coolant_c / <double> n

    cdef void _set_pace(self, Pace* pace, Py_ssize_t s, Py_ssize_t r, const double* c, double* mcp) noexcept nogil:
        """Scalars of a stream: class constants (kept from the last one where it is the same), power cap, coolant."""
        cdef double flow, r_plate
        if pace.kind != self.stream_class[s]:
            _set_class(pace, c)
            pace.kind = self.stream_class[s]
        pace.cap_w = c[TDP] * self.cap[r]
        if self.stream_is_air[s]:
            # the rear GPUs breathe the front ones' exhaust
            pace.inlet_c = self.inlet[r] if self.stream_depth[s] == 0 else self.stream_return[s - 1]
            flow = self.air_flow[r] * self.stream_share[s]
            mcp[0] = flow * AIR_CP_J_KGK * self.pressure[0] / (AIR_GAS_J_KGK * (pace.inlet_c + 273.15))
        else:
            pace.inlet_c = self.supply[r]
            flow = self.flow[r] * self.stream_share[s]
            mcp[0] = flow * self.rack_cp[r]
        if flow <= 0.0:
            flow = 0.0
            mcp[0] = 0.0
        if flow != self.flow_seen[s]:
            r_plate = law_plate_resistance_k_w(c[R_PLATE], flow / c[FLOW], c[EXPONENT], c[FLOOR])
            self.g_plate[s] = 1.0 / r_plate
            self.flow_seen[s] = flow
        pace.g_plate = self.g_plate[s] if self.stream_is_air[s] else self.g_plate[s] / self.plate_factor[r]
        pace.flow2_w_k = 2.0 * mcp[0]

    cdef void _watch(self, Py_ssize_t s, double h, const double* c) noexcept nogil:
        """Thermal limits of a stream's GPUs after a step of h seconds; rare, so plain code.

        Software throttle: the clock goes down with every kelvin and second above the limit and comes back by 1 % per
        second once 3 K below. Hardware slowdown: the clock is halved once; 5 K below its limit it may come back, likewise.
        Shutdown latches.
        """
        cdef Py_ssize_t i
        cdef int bits
        cdef double t, low
        for i in range(self.stream_ptr[s], self.stream_ptr[s + 1]):
            bits = self.throttle[i]
            t = self.die[i]
            if bits & SHUT_DOWN:
                continue
            if t >= c[T_SHUT] and self.on[i]:
                self.throttle[i] = SHUT_DOWN
                self.clock[i] = 0.0
                self.limit[i] = OPEN
                continue
            if self.hbm[i] >= c[T_HBM]:
                bits |= HBM_HOT
            elif self.hbm[i] < c[T_HBM] - SW_BAND_K:
                bits &= ~HBM_HOT
            if bits & HW_SLOWDOWN:
                if t < c[T_SLOW] - HW_BAND_K:
                    # the clock stays where it is and comes back as behind a software throttle: given back at once
                    # it would raise the die by its whole drop to the lid, past the limit, within a few milliseconds
                    bits = (bits & ~(HW_SLOWDOWN | HW_THERMAL)) | SW_THERMAL
            elif t >= c[T_SLOW] and self.on[i]:
                bits |= HW_SLOWDOWN | HW_THERMAL
                self.limit[i] = 0.5 * self.clock[i]
            elif t >= c[T_OP] and self.on[i]:
                low = self.clock[i] if self.clock[i] < self.limit[i] else self.limit[i]
                low = low - SW_RATE * (t - c[T_OP]) * h
                self.limit[i] = low if low > c[CLOCK_MIN] else c[CLOCK_MIN]
                bits |= SW_THERMAL
            elif bits & SW_THERMAL and t < c[T_OP] - SW_BAND_K:
                self.limit[i] = self.limit[i] + SW_RECOVERY * h
                # given back once something else limits more
                if bits & POWER_CAP or self.limit[i] >= c[CLOCK_MAX]:
                    self.limit[i] = OPEN
                    bits &= ~SW_THERMAL
            self.throttle[i] = bits
        self._note_bits(s)

    cdef void _note_bits(self, Py_ssize_t s) noexcept nogil:
        """Remember which limits act in a stream and on how many GPUs."""
        cdef Py_ssize_t i
        cdef int bits = 0, limited = 0
        for i in range(self.stream_ptr[s], self.stream_ptr[s + 1]):
            bits |= self.throttle[i]
            limited += (self.throttle[i] & LIMITED) != 0
        self.stream_bits[s] = bits & LIMITED
        self.stream_limited[s] = limited

    cdef bint _all_on(self, Py_ssize_t g, Py_ssize_t n) noexcept nogil:
        cdef Py_ssize_t i
        cdef int every = 1
        for i in range(g, g + n):
            every &= self.on[i]
        return every

    cdef double _energy(self, Py_ssize_t s, Py_ssize_t r) noexcept nogil:
        """Energy stored in a stream's GPUs over 0 degC, summed as the step sums it."""
        cdef Py_ssize_t k = self.rack_node_ptr[r], last
        cdef double energy = 0.0
        if self.stream_uneven[s] == 0:
            return self._energy_of(s, self.stream_ptr[s], self.stream_ptr[s + 1])
        while k < self.rack_node_ptr[r + 1]:
            last = self._alike(k, self.rack_node_ptr[r + 1])
            energy += self._energy_of(s, self.node_gpu_ptr[k], self.node_gpu_ptr[last])
            k = last
        return energy

    cdef double _energy_of(self, Py_ssize_t s, Py_ssize_t g, Py_ssize_t end) noexcept nogil:
        """Energy stored in some GPUs of a stream, J."""
        cdef Pace pace
        cdef Sums sums
        _set_class(&pace, &self.classes[self.stream_class[s], 0])
        add_up(&sums, &pace, end - g, &self.die[g], &self.hbm[g], &self.lid[g], &self.plate[g], &self.coolant[g],
               &self.power[g], &self.clock[g])
        return sums.energy_j

    cdef void _find_runs(self) noexcept nogil:
        """Contiguous GPUs of one job within one stream; found again only when the placement has changed."""
        cdef Py_ssize_t s, i, start, end
        self.runs = 0
        for s in range(self.stream_heat.shape[0]):
            i = self.stream_ptr[s]
            end = self.stream_ptr[s + 1]
            while i < end:
                start = i
                while i < end and self.gpu_job[i] == self.gpu_job[start]:
                    i += 1
                if self.gpu_job[start] >= 0:
                    self.run_start[self.runs] = start
                    self.run_end[self.runs] = i
                    self.run_job[self.runs] = self.gpu_job[start]
                    self.run_stream[self.runs] = s
                    # a run that fills its stream takes the stream's slowest clock and its power
                    self.run_fills[self.runs] = i - start == end - self.stream_ptr[s]
                    self.runs += 1
        self.runs_version = self.placement[0]

    cdef double _slowest(self, Py_ssize_t start, Py_ssize_t end) noexcept nogil:
        """Slowest clock of neighbouring GPUs, at most 1; in four lanes, since one would wait for each comparison."""
        cdef double a = 1.0, b = 1.0, c = 1.0, d = 1.0
        cdef Py_ssize_t i = start
        while i + 4 <= end:
            a = self.clock[i] if self.clock[i] < a else a
            b = self.clock[i + 1] if self.clock[i + 1] < b else b
            c = self.clock[i + 2] if self.clock[i + 2] < c else c
            d = self.clock[i + 3] if self.clock[i + 3] < d else d
            i += 4
        while i < end:
            a = self.clock[i] if self.clock[i] < a else a
            i += 1
        a = b if b < a else a
        c = d if d < c else c
        return c if c < a else a

    cdef double _drawn(self, Py_ssize_t start, Py_ssize_t end) noexcept nogil:
        """Power of neighbouring GPUs, W; in index order."""
        cdef double power = 0.0
        cdef Py_ssize_t i
        for i in range(start, end):
            power += self.power[i]
        return power

    cdef void _pace_jobs(self) noexcept nogil:
        """Power of each job's GPUs and speed of the slowest; a hot memory gives three quarters of its bandwidth."""
        cdef Py_ssize_t k, i, job
        cdef int s
        cdef double slow, own
        if self.placement[0] != self.runs_version:
            self._find_runs()
        for job in range(self.job_perf.shape[0]):
            self.job_perf[job] = 1.0
            self.job_power[job] = 0.0
        for k in range(self.runs):
            s = self.run_stream[k]
            job = self.run_job[k]
            self.job_power[job] += (self.stream_power[s] if self.run_fills[k]
                                    else self._drawn(self.run_start[k], self.run_end[k]))
            if self.stream_slow[s] >= 0.0:
                # nothing but the power cap acts in the stream
                slow = self.stream_slow[s] if self.run_fills[k] else self._slowest(self.run_start[k], self.run_end[k])
            else:
                slow = 1.0
                for i in range(self.run_start[k], self.run_end[k]):
                    own = self.clock[i] if self.clock[i] < 1.0 else 1.0
                    if self.throttle[i] & HBM_HOT:
                        own = own / (1.0 + self.mem[i] / 3.0)
                    slow = own if own < slow else slow
            self.job_perf[job] = slow if slow < self.job_perf[job] else self.job_perf[job]
