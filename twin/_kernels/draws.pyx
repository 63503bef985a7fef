"""Counter-based random draws: pure functions of (seed, stream, tick, index), no generator state.

A *stream* keeps the draws of one purpose apart from all others; ``stream_id`` makes one from a name such as
``"chip.efficiency"``. Kernels cimport the inline faces of ``draws.pxd``; these here are for rare use and tests.
Draws with the same arguments are the same bits on every machine.
"""

import numpy as np


def philox4x32(counter, key):
    """Return the four words of a Philox4x32-10 block.

    Args:
        counter: four 32-bit words.
        key: two 32-bit words.

    Source: Salmon et al., SC11, doi:10.1145/2063384.2063405.

    >>> [hex(w) for w in philox4x32((0, 0, 0, 0), (0, 0))]
    ['0x6627e8d5', '0xe169c58d', '0xbc57ac4c', '0x9b00dbd8']
    """
    cdef Philox w = philox_block(counter[0], counter[1], counter[2], counter[3], key[0], key[1])
    return w.a, w.b, w.c, w.d


def stream_id(str name):
    """Return the 32-bit stream number of a name (FNV-1a), so that purposes need no central list.

    >>> stream_id("chip.efficiency") != stream_id("chip.leakage")
    True
    """
    cdef uint32_t code = 2166136261U
    cdef unsigned char byte
    for byte in name.encode("utf-8"):
        code = (code ^ byte) * <uint32_t> 16777619
    return code


def uniform(uint64_t seed, uint32_t stream, uint64_t tick, uint32_t index):
    """Return a number in [0, 1).

    >>> uniform(1, 2, 3, 4) == uniform(1, 2, 3, 4) != uniform(1, 2, 3, 5)
    True
    """
    return draw_uniform(seed, stream, tick, index)


def exponential(uint64_t seed, uint32_t stream, uint64_t tick, uint32_t index):
    """Return a draw of the exponential distribution with mean 1.

    >>> exponential(1, 2, 3, 4) >= 0.0
    True
    """
    return draw_exponential(seed, stream, tick, index)


def normal(uint64_t seed, uint32_t stream, uint64_t tick, uint32_t index):
    """Return a draw of the normal distribution with mean 0 and standard deviation 1.

    >>> abs(normal(1, 2, 3, 4)) < 9.0
    True
    """
    return draw_normal(seed, stream, tick, index)


def uniform_array(uint64_t seed, uint32_t stream, uint64_t tick, Py_ssize_t size):
    """Return ``uniform`` for the indices 0 .. size-1 as a float64 array."""
    out = np.empty(size, dtype=np.float64)
    cdef double[::1] y = out
    cdef Py_ssize_t i
    for i in range(size):
        y[i] = draw_uniform(seed, stream, tick, <uint32_t> i)
    return out


def exponential_array(uint64_t seed, uint32_t stream, uint64_t tick, Py_ssize_t size):
    """Return ``exponential`` for the indices 0 .. size-1 as a float64 array."""
    out = np.empty(size, dtype=np.float64)
    cdef double[::1] y = out
    cdef Py_ssize_t i
    for i in range(size):
        y[i] = draw_exponential(seed, stream, tick, <uint32_t> i)
    return out


def normal_array(uint64_t seed, uint32_t stream, uint64_t tick, Py_ssize_t size):
    """Return ``normal`` for the indices 0 .. size-1 as a float64 array."""
    out = np.empty(size, dtype=np.float64)
    cdef double[::1] y = out
    cdef Py_ssize_t i
    for i in range(size):
        y[i] = draw_normal(seed, stream, tick, <uint32_t> i)
    return out
