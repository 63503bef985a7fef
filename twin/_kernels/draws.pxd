# Counter-based random numbers: a draw is a pure function of (seed, stream, tick, index) and has no state.
#
# Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3, SC11,
# doi:10.1145/2063384.2063405). The seed is the key; the counter is (index, stream, tick low, tick high).
# One block gives four words: two numbers of 53 bits.

from libc.math cimport sqrt
from libc.stdint cimport uint32_t, uint64_t

from twin._kernels.laws cimport law_cos, law_log


cdef struct Philox:
    uint32_t a
    uint32_t b
    uint32_t c
    uint32_t d


cdef inline Philox philox_block(uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3, uint32_t k0,
                                uint32_t k1) noexcept nogil:
    """Ten rounds of Philox4x32 on counter (c0, c1, c2, c3) under key (k0, k1)."""
    cdef int i
    cdef uint64_t p
    cdef uint64_t q
    cdef Philox out
    for i in range(10):
        p = <uint64_t> 0xD2511F53U * c0
        q = <uint64_t> 0xCD9E8D57U * c2
        c0 = <uint32_t> (q >> 32) ^ c1 ^ k0
        c2 = <uint32_t> (p >> 32) ^ c3 ^ k1
        c1 = <uint32_t> q
        c3 = <uint32_t> p
        k0 = k0 + <uint32_t> 0x9E3779B9U
        k1 = k1 + <uint32_t> 0xBB67AE85U
    out.a = c0
    out.b = c1
    out.c = c2
    out.d = c3
    return out


cdef inline Philox draw_block(uint64_t seed, uint32_t stream, uint64_t tick, uint32_t index) noexcept nogil:
    """The four words of one draw."""
    return philox_block(index, stream, <uint32_t> tick, <uint32_t> (tick >> 32), <uint32_t> seed,
                        <uint32_t> (seed >> 32))


cdef inline double unit_from_words(uint32_t high, uint32_t low) noexcept nogil:
    """A number in [0, 1) from 53 of 64 bits, every value exactly representable."""
    return (<double> (high >> 5) * 67108864.0 + <double> (low >> 6)) * 1.1102230246251565e-16


cdef inline double draw_uniform(uint64_t seed, uint32_t stream, uint64_t tick, uint32_t index) noexcept nogil:
    """Uniform in [0, 1)."""
    cdef Philox w = draw_block(seed, stream, tick, index)
    return unit_from_words(w.a, w.b)


cdef inline double draw_exponential(uint64_t seed, uint32_t stream, uint64_t tick, uint32_t index) noexcept nogil:
    """Exponential with mean 1, by inversion: -ln(1 - u)."""
    return -law_log(1.0 - draw_uniform(seed, stream, tick, index))


cdef inline double draw_normal(uint64_t seed, uint32_t stream, uint64_t tick, uint32_t index) noexcept nogil:
    """Normal with mean 0 and deviation 1 (Box and Muller, one of the pair)."""
    cdef Philox w = draw_block(seed, stream, tick, index)
    return sqrt(-2.0 * law_log(1.0 - unit_from_words(w.a, w.b))) \
        * law_cos(6.283185307179586 * unit_from_words(w.c, w.d))
