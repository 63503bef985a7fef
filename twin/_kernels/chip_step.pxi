# The hot loop of the chip kernel: one implicit step of the GPUs of one coolant stream, and its sums.
#
# Everything that is the same for all GPUs of a stream is a scalar in `Pace`, so that the loop is arithmetic on
# contiguous arrays without a branch. Unknowns are the temperature changes d of the step (backward Euler):
#
#   die    C_j/h dj = P_dyn + P_leak + b P_leak dj - g_jl (Tj - Tl)'        ' = at the end of the step
#   memory C_h/h dh = P_hbm - g_hl (Th - Tl)'
#   lid    C_l/h dl = g_jl (Tj - Tl)' + g_hl (Th - Tl)' - g_lp (Tl - Tp)'
#   plate  C_p/h dp = g_lp (Tl - Tp)' - g_pc (Tp - Tc)'
#   fluid  C_c/h dc = g_pc (Tp - Tc)' - 2 m cp (Tc - T_in)'
#
# Memory and fluid hang on one neighbour each and are eliminated with scalar pivots, then plate and
# lid, so that one division per GPU is left. Leakage is linearised about the temperature at the start of the step, and the
# power that is booked is that linearised value, so that energy closes to rounding.

cdef struct Pace:
    # power of the class
    double dyn_w          # dynamic power beyond idle at nominal clock and full activity
    double idle_w         # idle power without leakage and memory
    double leak_w         # leakage at reference temperature and nominal voltage
    double leak_beta
    double leak_ref_c
    double hbm_idle_w
    double hbm_active_w
    double cap_w          # power cap of the package
    double clock_max
    double clock_min
    # conductances, W/K
    double g_die
    double g_hbm
    double g_lid
    double g_plate
    double flow2_w_k      # 2 m cp
    # capacities over the step, W/K
    double c_die
    double c_hbm
    double c_lid
    double c_plate
    double c_coolant
    double inlet_c
    # capacities, J/K
    double heat_die
    double heat_hbm
    double heat_lid
    double heat_plate
    double heat_coolant
    double weight         # share of the step in the tick, for the mean power
    double per_dyn        # 0.65 over dyn_w
    double per_hbm        # 1 / (c_hbm + g_hbm)
    # what the constants above belong to; neighbouring streams mostly share both
    int kind
    double step_s


cdef struct Sums:
    double power_w
    double coolant_c
    double energy_j
    double die_c_max
    double hbm_c_max
    double clock_min      # slowest clock, at most 1


cdef enum:
    CHUNK = 96      # GPUs per pass; the buffers between the passes stay in the first-level cache


cdef extern from *:
    """
    #if defined(__GNUC__) || defined(__clang__)
      typedef struct { double at[96]; } __attribute__((aligned(64))) twin_chunk;
    #else
      typedef struct { double at[96]; } twin_chunk;
    #endif
    """
    # what one pass hands to the next; on a cache line, since a wide store across two costs twice
    ctypedef struct chunk "twin_chunk":
        double[CHUNK] at


cdef inlined_void leakage(const Pace* pace, Py_ssize_t n, in_f64 die_c, in_f64 leak_factor, out_f64 leak_w) noexcept nogil:
    """First pass: leakage at nominal voltage, at the temperature at the start of the step."""
    cdef Py_ssize_t i
    cdef double ref_w = pace.leak_w
    cdef double beta = pace.leak_beta
    cdef double ref_c = pace.leak_ref_c
    for i in range(n):
        leak_w[i] = leak_factor[i] * law_leakage_w(ref_w, beta, die_c[i] - ref_c)


cdef inlined_void switches(Py_ssize_t n, in_i32 throttle, in_i32 on, out_f64 alive, out_f64 hbm_share) noexcept nogil:
    """What is switched off, as factors: bit 9 is shut down, bit 8 throttles the memory to three quarters."""
    cdef Py_ssize_t i
    for i in range(n):
        alive[i] = <double> (on[i] & ~(throttle[i] >> 9) & 1)
        hbm_share[i] = 1.0 - 0.25 * <double> ((throttle[i] >> 8) & 1)


cdef inlined_void room_of(bint plain, const Pace* pace, Py_ssize_t n, in_f64 mem, in_f64 power_factor, in_f64 per_power,
                          in_f64 leak_w, out_f64 hbm_w, out_f64 clock) noexcept nogil:
    """Second pass: the memory's power and the clock that the power cap leaves room for.

    Work comes in phases far shorter than a tick and the cap holds in each: the clock is the one at which full activity
    stays under the cap. Without `plain`, `hbm_w` holds the memory's share on entry.
    """
    cdef Py_ssize_t i
    cdef Pace s = pace[0]
    cdef double hbm, room, leak, over, follows, floor
    for i in range(n):
        hbm = s.hbm_idle_w + s.hbm_active_w * mem[i]
        if not plain:
            hbm = hbm * hbm_w[i]
        hbm_w[i] = hbm
        # shares of the dynamic power, times 0.65
        over = s.per_dyn * per_power[i]
        room = ((s.cap_w - s.idle_w * power_factor[i]) - hbm) * over
        leak = leak_w[i] * over
        # The lower one of two: with the voltage that goes with the clock, and with the floor of the voltage. Above the
        # knee the first is lower, below it the second.
        follows = law_cap_voltage(leak, room) * 1.5384615384615385 - 0.5384615384615384
        floor = (room - 0.65 * leak) * 3.641329085116067
        clock[i] = follows if follows < floor else floor


cdef inlined_void electrical(bint plain, const Pace* pace, Py_ssize_t n, out_f64 clock_frac, in_f64 limit_frac,
                             in_f64 util, in_f64 power_factor, in_f64 alive, in_f64 room_clock, out_f64 leak_w,
                             out_f64 dyn_w, out_f64 hbm_w, out_f64 capped) noexcept nogil:
    """Third pass: the clock under limits and power cap, and the powers that follow from it and the mean activity.

    Without `plain`, `alive` holds 0 or 1.
    """
    cdef Py_ssize_t i
    cdef Pace s = pace[0]
    cdef double dyn, clock, volt, u, busy, cap_bit, free
    cdef double want = s.clock_max
    for i in range(n):
        u = util[i]
        # above every limit while there is activity at all, so that a minimum takes the place of a choice
        busy = u * 1e300
        if not plain:
            want = s.clock_max if s.clock_max < limit_frac[i] else limit_frac[i]
        clock = room_clock[i]
        # a clock within rounding of what is wanted is not capped, nor is a chip at rest
        free = want * 0.999999999
        free = free if free < busy else busy
        cap_bit = 4.0 if clock < free else 0.0
        clock = clock if clock > s.clock_min else s.clock_min
        clock = clock if clock < want else want
        volt = 0.35 + 0.65 * clock
        volt = volt if volt > 0.65 else 0.65
        dyn = power_factor[i] * (s.idle_w + (s.dyn_w * u * clock) * (volt * volt))
        # without activity the supply rests at its floor
        busy = 0.65 + busy
        volt = volt if volt < busy else busy
        if plain:
            capped[i] = cap_bit
            clock_frac[i] = clock
            dyn_w[i] = dyn
            leak_w[i] = leak_w[i] * volt
        else:
            capped[i] = cap_bit * alive[i]
            clock_frac[i] = clock * alive[i]
            hbm_w[i] = hbm_w[i] * alive[i]
            dyn_w[i] = dyn * alive[i]
            leak_w[i] = leak_w[i] * volt * alive[i]


cdef inlined_void mark(bint plain, Py_ssize_t n, in_f64 capped, out_i32 throttle) noexcept nogil:
    """Set or clear the bit of the power cap (bit 2)."""
    cdef Py_ssize_t i
    for i in range(n):
        if plain:
            throttle[i] = <int> capped[i]
        else:
            throttle[i] = (throttle[i] & ~4) | <int> capped[i]


cdef inlined_void thermal(bint plain, bint first, const Pace* pace, Py_ssize_t n, out_f64 die_c, out_f64 hbm_c,
                          out_f64 lid_c, out_f64 plate_c, out_f64 coolant_c, out_f64 power_w, in_f64 lid_factor,
                          in_f64 leak_w, in_f64 dyn_w, in_f64 hbm_w) noexcept nogil:
    """Fourth pass: the implicit step of the five temperatures, and the power that was really booked."""
    cdef Py_ssize_t i
    cdef Pace s = pace[0]
    cdef double inv_h = s.per_hbm
    cdef double inv_c = 1.0 / (s.c_coolant + s.g_plate + s.flow2_w_k)
    cdef double diag_l = s.c_lid + s.g_die + s.g_hbm - s.g_hbm * s.g_hbm * inv_h
    cdef double diag_p = s.c_plate + s.g_plate - s.g_plate * s.g_plate * inv_c
    cdef double diag_j = s.c_die + s.g_die
    cdef double mem_l = s.g_hbm * inv_h
    cdef double fluid_p = s.g_plate * inv_c
    cdef double glp = s.g_lid
    cdef double tl, tp, tc, slope, bj, bh, bl, bp, bc, qjl, qhl, qlp, qpc, dj, dl, dp, a_l, a_p, per_low, lid_l, lid_p, low
    cdef double lid_j, free_j, per_p, booked
    for i in range(n):
        if not plain:
            glp = s.g_lid * lid_factor[i]
        a_l = diag_l + glp
        a_p = diag_p + glp
        # the lid's answer to a flux into lid, plate and die, with the plate eliminated; the same for all while plain
        per_low = 1.0 / (a_l * a_p - glp * glp)
        per_p = 1.0 / a_p
        lid_l = a_p * per_low
        lid_p = glp * per_low
        lid_j = s.g_die * lid_l
        free_j = diag_j - s.g_die * lid_j
        tl = lid_c[i]
        tp = plate_c[i]
        tc = coolant_c[i]
        slope = s.leak_beta * leak_w[i]
        # net flux into each node at the start of the step
        qjl = s.g_die * (die_c[i] - tl)
        qhl = s.g_hbm * (hbm_c[i] - tl)
        qlp = glp * (tl - tp)
        qpc = s.g_plate * (tp - tc)
        bj = (dyn_w[i] + leak_w[i]) - qjl
        bh = hbm_w[i] - qhl
        bc = qpc - s.flow2_w_k * (tc - s.inlet_c)
        bl = (qjl - qlp) + (qhl + mem_l * bh)
        bp = (qlp - qpc) + fluid_p * bc
        low = bl * lid_l + bp * lid_p
        dj = (bj + s.g_die * low) / (free_j - slope)
        dl = low + lid_j * dj
        dp = (bp + glp * dl) * per_p
        die_c[i] = die_c[i] + dj
        hbm_c[i] = hbm_c[i] + (bh * inv_h + mem_l * dl)
        lid_c[i] = tl + dl
        plate_c[i] = tp + dp
        coolant_c[i] = tc + (bc * inv_c + fluid_p * dp)
        booked = (dyn_w[i] + hbm_w[i]) + (leak_w[i] + slope * dj)
        power_w[i] = booked * s.weight if first else power_w[i] + booked * s.weight


cdef inline double joined(double* lane) noexcept nogil:
    """Sum of eight lanes, halves onto halves."""
    cdef Py_ssize_t k
    for k in range(4):
        lane[k] = lane[k] + lane[k + 4]
    return (lane[0] + lane[2]) + (lane[1] + lane[3])


cdef inlined_void add_up(Sums* out, const Pace* pace, Py_ssize_t n, in_f64 die_c, in_f64 hbm_c, in_f64 lid_c,
                         in_f64 plate_c, in_f64 coolant_c, in_f64 power_w, in_f64 clock_frac) noexcept nogil:
    """Sums and extremes over a stream, in eight interleaved lanes that are joined in lane order.

    The order is fixed by the code, not by the width of the processor's registers.
    """
    cdef double[8] power
    cdef double[8] die
    cdef double[8] hbm
    cdef double[8] lid
    cdef double[8] plate
    cdef double[8] coolant
    cdef double[8] die_max
    cdef double[8] hbm_max
    cdef double[8] slow
    cdef Py_ssize_t i, k
    cdef Py_ssize_t whole = n - n % 8
    for k in range(8):
        power[k] = die[k] = hbm[k] = lid[k] = plate[k] = coolant[k] = 0.0
        die_max[k] = hbm_max[k] = -1e300
        slow[k] = 1.0
    for i in range(0, whole, 8):
        for k in range(8):
            power[k] = power[k] + power_w[i + k]
            die[k] = die[k] + die_c[i + k]
            hbm[k] = hbm[k] + hbm_c[i + k]
            lid[k] = lid[k] + lid_c[i + k]
            plate[k] = plate[k] + plate_c[i + k]
            coolant[k] = coolant[k] + coolant_c[i + k]
            die_max[k] = die_c[i + k] if die_c[i + k] > die_max[k] else die_max[k]
            hbm_max[k] = hbm_c[i + k] if hbm_c[i + k] > hbm_max[k] else hbm_max[k]
            slow[k] = clock_frac[i + k] if clock_frac[i + k] < slow[k] else slow[k]
    for k in range(n - whole):
        i = whole + k
        power[k] = power[k] + power_w[i]
        die[k] = die[k] + die_c[i]
        hbm[k] = hbm[k] + hbm_c[i]
        lid[k] = lid[k] + lid_c[i]
        plate[k] = plate[k] + plate_c[i]
        coolant[k] = coolant[k] + coolant_c[i]
        die_max[k] = die_c[i] if die_c[i] > die_max[k] else die_max[k]
        hbm_max[k] = hbm_c[i] if hbm_c[i] > hbm_max[k] else hbm_max[k]
        slow[k] = clock_frac[i] if clock_frac[i] < slow[k] else slow[k]
    out.die_c_max = -1e300
    out.hbm_c_max = -1e300
    out.clock_min = 1.0
    for k in range(8):
        die[k] = (pace.heat_die * die[k] + pace.heat_hbm * hbm[k]) + (pace.heat_lid * lid[k] + (
            pace.heat_plate * plate[k] + pace.heat_coolant * coolant[k]))
        out.die_c_max = die_max[k] if die_max[k] > out.die_c_max else out.die_c_max
        out.hbm_c_max = hbm_max[k] if hbm_max[k] > out.hbm_c_max else out.hbm_c_max
        out.clock_min = slow[k] if slow[k] < out.clock_min else out.clock_min
    out.power_w = joined(power)
    out.coolant_c = joined(coolant)
    out.energy_j = joined(die)


cdef inlined_void advance(bint plain, bint first, Sums* sums, const Pace* pace, Py_ssize_t n, out_f64 die_c,
                          out_f64 hbm_c, out_f64 lid_c, out_f64 plate_c, out_f64 coolant_c, out_f64 clock_frac,
                          out_f64 power_w, out_i32 throttle, in_f64 limit_frac, in_f64 util, in_f64 mem, in_i32 on,
                          in_f64 power_factor, in_f64 per_power, in_f64 leak_factor, in_f64 lid_factor) noexcept nogil:
    """One step of the n GPUs of a stream in four passes over chunks, then the sums.

    Four short loops, because one long chain of dependent operations would leave the processor waiting. `plain`
    leaves out what does nothing while every GPU is on, unlimited and of nominal resistance; `first` starts the mean
    power of the tick.
    """
    cdef chunk leak_w
    cdef chunk dyn_w
    cdef chunk hbm_w
    cdef chunk capped
    cdef chunk room
    cdef chunk alive
    cdef Py_ssize_t i = 0
    cdef Py_ssize_t m
    while i < n:
        m = n - i if n - i < CHUNK else CHUNK
        leakage(pace, m, die_c + i, leak_factor + i, leak_w.at)
        if not plain:
            switches(m, throttle + i, on + i, alive.at, hbm_w.at)
        room_of(plain, pace, m, mem + i, power_factor + i, per_power + i, leak_w.at, hbm_w.at, room.at)
        electrical(plain, pace, m, clock_frac + i, limit_frac + i, util + i, power_factor + i, alive.at, room.at, leak_w.at,
                   dyn_w.at, hbm_w.at, capped.at)
        mark(plain, m, capped.at, throttle + i)
        thermal(plain, first, pace, m, die_c + i, hbm_c + i, lid_c + i, plate_c + i, coolant_c + i, power_w + i,
                lid_factor + i, leak_w.at, dyn_w.at, hbm_w.at)
        i += CHUNK
    add_up(sums, pace, n, die_c, hbm_c, lid_c, plate_c, coolant_c, power_w, clock_frac)
