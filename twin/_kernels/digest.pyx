"""Cheap digests: XXH64 over borrowed columns, block by block, in one stretch without the interpreter.

XXH64 (Y. Collet, xxHash fast digest algorithm, specification 0.1.1) is not made against forgers; it finds what went
apart by itself. A chain of columns is digested by giving each column's digest to the next as its seed, so that
the digest of a block is XXH64(last, seed=... XXH64(second, seed=XXH64(first, seed=0))).
"""

import numpy as np

from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

cdef uint64_t P1 = 0x9E3779B185EBCA87ULL
cdef uint64_t P2 = 0xC2B2AE3D27D4EB4FULL
cdef uint64_t P3 = 0x165667B19E3779F9ULL
cdef uint64_t P4 = 0x85EBCA77C2B2AE63ULL
cdef uint64_t P5 = 0x27D4EB2F165667C5ULL


cdef inline uint64_t rotated(uint64_t x, int r) noexcept nogil:
    return (x << r) | (x >> (64 - r))


cdef inline uint64_t word(const unsigned char* p) noexcept nogil:
    cdef uint64_t v
    memcpy(&v, p, 8)
    return v


cdef inline uint64_t mixed(uint64_t lane, uint64_t value) noexcept nogil:
    return rotated(lane + value * P2, 31) * P1


cdef inline uint64_t merged(uint64_t total, uint64_t lane) noexcept nogil:
    return (total ^ mixed(0, lane)) * P1 + P4


cdef uint64_t digested(const unsigned char* p, Py_ssize_t size, uint64_t seed) noexcept nogil:
    cdef const unsigned char* end = p + size
    cdef uint64_t a, b, c, d, total
    cdef uint32_t half
    if size >= 32:
        a, b, c, d = seed + P1 + P2, seed + P2, seed, seed - P1
        while end - p >= 32:
            a, b = mixed(a, word(p)), mixed(b, word(p + 8))
            c, d = mixed(c, word(p + 16)), mixed(d, word(p + 24))
            p += 32
        total = rotated(a, 1) + rotated(b, 7) + rotated(c, 12) + rotated(d, 18)
        total = merged(merged(merged(merged(total, a), b), c), d)
    else:
        total = seed + P5
    total += <uint64_t>size
    while end - p >= 8:
        total = rotated(total ^ mixed(0, word(p)), 27) * P1 + P4
        p += 8
    if end - p >= 4:
        memcpy(&half, p, 4)
        total = rotated(total ^ (<uint64_t>half * P1), 23) * P2 + P3
        p += 4
    while p < end:
        total = rotated(total ^ (<uint64_t>p[0] * P5), 11) * P1
        p += 1
    total = (total ^ (total >> 33)) * P2
    total = (total ^ (total >> 29)) * P3
    return total ^ (total >> 32)


def xxh64(const unsigned char[::1] data, uint64_t seed=0):
    """Return the XXH64 of a byte string.

    >>> f"{xxh64(b'abc'):016x}"
    '44bc2cf5ad770999'
    """
    if data.shape[0] == 0:
        return digested(NULL, 0, seed)
    return digested(&data[0], data.shape[0], seed)


cdef class GroupDigest:
    """One digest per group of arrays (a block and its columns), bound once.

    Args:
        groups: sequences of contiguous arrays; they must stay where they are.
    """

    cdef list keep
    cdef Py_ssize_t n, columns
    cdef const unsigned char** begin
    cdef Py_ssize_t* size
    cdef Py_ssize_t* group

    def __cinit__(self, groups):
        cdef Py_ssize_t k = 0, g
        cdef const unsigned char[::1] view
        groups = [list(group) for group in groups]
        self.n, self.columns = len(groups), sum(len(group) for group in groups)
        self.keep = groups
        self.begin = <const unsigned char**>malloc(max(1, self.columns) * sizeof(void*))
        self.size = <Py_ssize_t*>malloc(max(1, self.columns) * sizeof(Py_ssize_t))
        self.group = <Py_ssize_t*>malloc(max(1, self.columns) * sizeof(Py_ssize_t))
        if self.begin == NULL or self.size == NULL or self.group == NULL:
            raise MemoryError()
        for g in range(self.n):
            for array in groups[g]:
                view = array.view(np.uint8)
                self.begin[k] = &view[0] if view.shape[0] else NULL
                self.size[k], self.group[k] = view.shape[0], g
                k += 1

    def __dealloc__(self):
        free(self.begin)
        free(self.size)
        free(self.group)

    def run(self, uint64_t[::1] out):
        """Write one digest per group into ``out``."""
        cdef Py_ssize_t k
        if out.shape[0] != self.n:
            raise ValueError(f"{self.n} digests are expected")
        with nogil:
            for k in range(self.n):
                out[k] = 0
            for k in range(self.columns):
                out[self.group[k]] = digested(self.begin[k], self.size[k], out[self.group[k]])
