# Vector variants of a hot loop, chosen at run time.
#
# Write the loop once as a function whose return type is `inlined_void` (it is inlined wherever it is called), call
# it from one function for each of `v4_void`, `v3_void` and `void`, and pick the pointer by `cpu_level()` or by what
# TWIN_KERNEL_VARIANT asks for (twin/_kernels/variants.pyx). All round the same: contraction is off, sums are fixed.
# Elsewhere than on x86-64 with gcc or clang the attributes vanish and only the plain variant is offered.

cdef extern from *:
    """
    #ifndef TWIN_VARIANTS
    #define TWIN_VARIANTS
    #if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
      #define TWIN_HAS_VARIANTS 1
      #define TWIN_V3 __attribute__((target("avx2,bmi,bmi2,lzcnt")))
      #if defined(__clang__)
        #define TWIN_V4 __attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,avx512cd")))
      #else
        #define TWIN_V4 __attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,avx512cd,prefer-vector-width=512")))
      #endif
      static int twin_cpu_level(void) {
        __builtin_cpu_init();
        if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("bmi") || !__builtin_cpu_supports("bmi2"))
          return 0;
        if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512dq")
            || !__builtin_cpu_supports("avx512vl") || !__builtin_cpu_supports("avx512bw")
            || !__builtin_cpu_supports("avx512cd"))
          return 3;
        return 4;
      }
    #else
      #define TWIN_HAS_VARIANTS 0
      #define TWIN_V3
      #define TWIN_V4
      static int twin_cpu_level(void) { return 0; }
    #endif
    #if defined(__GNUC__) || defined(__clang__)
      #define TWIN_INLINED inline __attribute__((always_inline))
      #define TWIN_RESTRICT __restrict__
    #elif defined(_MSC_VER)
      #define TWIN_INLINED __forceinline
      #define TWIN_RESTRICT __restrict
    #else
      #define TWIN_INLINED inline
      #define TWIN_RESTRICT
    #endif
    typedef double *TWIN_RESTRICT twin_out;
    typedef const double *TWIN_RESTRICT twin_in;
    typedef int *TWIN_RESTRICT twin_int_out;
    typedef const int *TWIN_RESTRICT twin_int_in;
    #endif
    """
    ctypedef void v3_void "TWIN_V3 void"
    ctypedef void v4_void "TWIN_V4 void"
    ctypedef void inlined_void "TWIN_INLINED void"
    # pointers that promise not to overlap, without which a loop over many arrays is not vectorised
    ctypedef double* out_f64 "twin_out"
    ctypedef const double* in_f64 "twin_in"
    ctypedef int* out_i32 "twin_int_out"
    ctypedef const int* in_i32 "twin_int_in"
    int cpu_level "twin_cpu_level"() noexcept nogil
