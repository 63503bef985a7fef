"""Laws: one equation each, documented, as called from Python. The same code runs inline in the kernels.

Meant for tests, tools and documents; a kernel cimports the inline functions of ``laws.pxd`` instead. The
``*_array`` forms apply a law to every element of a float64 array.
"""

import numpy as np

# ---- elementary functions ---------------------------------------------------------------------------------

ctypedef double (*_Law1)(double) noexcept nogil


cdef double _exp(double x) noexcept nogil:
    return law_exp(x)


cdef double _exp_fast(double x) noexcept nogil:
    return law_exp_fast(x)


cdef double _expm1(double x) noexcept nogil:
    return law_expm1(x)


cdef double _log(double x) noexcept nogil:
    return law_log(x)


cdef double _sin(double x) noexcept nogil:
    return law_sin(x)


cdef double _cos(double x) noexcept nogil:
    return law_cos(x)


cdef object _apply(_Law1 law, values):
    cdef const double[::1] x = np.ascontiguousarray(values, dtype=np.float64).ravel()
    out = np.empty(x.shape[0], dtype=np.float64)
    cdef double[::1] y = out
    cdef Py_ssize_t i
    with nogil:
        for i in range(x.shape[0]):
            y[i] = law(x[i])
    return out.reshape(np.shape(values))


def exp(double x):
    """Return e^x, within 1.2 ULP; 0 below -745.2, inf above 709.79, NaN for NaN.

    >>> exp(0.0), round(exp(1.0), 12), exp(-1000.0), exp(1000.0)
    (1.0, 2.718281828459, 0.0, inf)
    """
    return law_exp(x)


def exp_fast(double x):
    """Return e^x to 1.1e-8 relative, argument clamped to -708 .. 709; where that error does not matter.

    >>> abs(exp_fast(0.3) / exp(0.3) - 1) < 1e-8
    True
    """
    return law_exp_fast(x)


def expm1(double x):
    """Return e^x - 1 without cancellation near 0, within 2.5 ULP.

    >>> expm1(1e-20), expm1(-100.0)
    (1e-20, -1.0)
    """
    return law_expm1(x)


def log(double x):
    """Return the natural logarithm, within 1 ULP; -inf at 0, NaN for negative x.

    >>> log(1.0), log(0.0), round(log(2.0), 12)
    (0.0, -inf, 0.69314718056)
    """
    return law_log(x)


def pow(double x, double y):
    """Return x^y for x >= 0, within 1.5 ULP; NaN for negative x.

    >>> pow(2.0, 10.0), pow(0.0, 0.5), pow(5.0, 0.0)
    (1024.0, 0.0, 1.0)
    """
    return law_pow(x, y)


def sin(double x):
    """Return the sine of x in radian, within 2.5 ULP for ``|x| <= 1e6``, NaN beyond.

    >>> sin(0.0), round(sin(0.5), 12)
    (0.0, 0.479425538604)
    """
    return law_sin(x)


def cos(double x):
    """Return the cosine of x in radian, within 2.5 ULP for ``|x| <= 1e6``, NaN beyond.

    >>> cos(0.0), round(cos(0.5), 12)
    (1.0, 0.87758256189)
    """
    return law_cos(x)


def exp_array(values):
    """Apply ``exp`` to every element; returns a new float64 array of the same shape."""
    return _apply(_exp, values)


def exp_fast_array(values):
    """Apply ``exp_fast`` to every element; returns a new float64 array of the same shape."""
    return _apply(_exp_fast, values)


def expm1_array(values):
    """Apply ``expm1`` to every element; returns a new float64 array of the same shape."""
    return _apply(_expm1, values)


def log_array(values):
    """Apply ``log`` to every element; returns a new float64 array of the same shape."""
    return _apply(_log, values)


def sin_array(values):
    """Apply ``sin`` to every element; returns a new float64 array of the same shape."""
    return _apply(_sin, values)


def cos_array(values):
    """Apply ``cos`` to every element; returns a new float64 array of the same shape."""
    return _apply(_cos, values)


def pow_array(values, exponents):
    """Apply ``pow`` to pairs of elements of two arrays of the same shape; returns a new float64 array.

    Raises:
        ValueError: the shapes differ.
    """
    if np.shape(values) != np.shape(exponents):
        raise ValueError(f"shapes differ: {np.shape(values)} and {np.shape(exponents)}")
    cdef const double[::1] x = np.ascontiguousarray(values, dtype=np.float64).ravel()
    cdef const double[::1] y = np.ascontiguousarray(exponents, dtype=np.float64).ravel()
    out = np.empty(x.shape[0], dtype=np.float64)
    cdef double[::1] z = out
    cdef Py_ssize_t i
    with nogil:
        for i in range(x.shape[0]):
            z[i] = law_pow(x[i], y[i])
    return out.reshape(np.shape(values))

# ---- moist air --------------------------------------------------------------------------------------------


def saturation_pressure_pa(double temp_c):
    """Return the saturation pressure of water vapour, Pa: over ice up to 0.01 degC, over liquid above.

    Hyland and Wexler 1983 as in ASHRAE Handbook Fundamentals 2017, chapter 1, eq. 5 and 6; -100 .. 200 degC.

    >>> round(saturation_pressure_pa(20.0), 1), round(saturation_pressure_pa(-20.0), 2)
    (2338.8, 103.26)
    """
    return law_saturation_pressure_pa(temp_c)


def humidity_ratio(double temp_c, double rel_humidity_frac, double pressure_pa=101325.0):
    """Return the humidity ratio, kg water per kg dry air, of air at a relative humidity.

    W = 0.621945 pw/(p - pw), pw = RH psat(T). Source: ASHRAE Fundamentals 2017, chapter 1, eq. 20.

    >>> round(humidity_ratio(25.0, 0.5), 6)
    0.009881
    """
    return law_humidity_ratio(rel_humidity_frac * law_saturation_pressure_pa(temp_c), pressure_pa)


def moist_enthalpy_j_kg(double temp_c, double humidity_ratio):
    """Return the enthalpy of moist air, J per kg dry air, zero for dry air at 0 degC.

    h = 1006 T + W (2501000 + 1860 T). Source: ASHRAE Fundamentals 2017, chapter 1, eq. 30.

    >>> round(moist_enthalpy_j_kg(25.0, 0.009881))
    50322
    """
    return law_moist_enthalpy_j_kg(temp_c, humidity_ratio)


def moist_density_kg_m3(double temp_c, double humidity_ratio, double pressure_pa=101325.0):
    """Return the density of moist air, kg of air and water per m3.

    Ideal gas with R = 287.042 J/kgK. Source: ASHRAE Fundamentals 2017, chapter 1, eq. 26.

    >>> round(moist_density_kg_m3(25.0, 0.01), 3)
    1.177
    """
    return law_moist_density_kg_m3(temp_c, humidity_ratio, pressure_pa)


def dew_point_c(double humidity_ratio, double pressure_pa=101325.0):
    """Return the dew point (frost point below 0 degC), degC, of air at a humidity ratio; to 1e-9 K.

    >>> round(dew_point_c(0.009881), 2)
    13.86
    """
    return law_dew_point_c(law_vapour_pressure_pa(humidity_ratio, pressure_pa))


def wet_bulb_c(double temp_c, double humidity_ratio, double pressure_pa=101325.0):
    """Return the thermodynamic wet bulb, degC; to 1e-6 K.

    Solved in a bracket between dew point and dry bulb. Source: ASHRAE Fundamentals 2017, chapter 1, eq. 33, 35.

    >>> round(wet_bulb_c(25.0, 0.009881), 2)
    17.89
    """
    return law_wet_bulb_c(temp_c, humidity_ratio, pressure_pa)


def standard_pressure_pa(double altitude_m):
    """Return the pressure of the standard atmosphere, Pa, at -5000 .. 11000 m.

    p = 101325 (1 - 2.25577e-5 z)^5.2559. Source: ASHRAE Fundamentals 2017, chapter 1, eq. 3.

    >>> round(standard_pressure_pa(0.0)), round(standard_pressure_pa(1000.0))
    (101325, 89875)
    """
    return law_standard_pressure_pa(altitude_m)


# ---- coolants ---------------------------------------------------------------------------------------------

# ---- chips ------------------------------------------------------------------------------------------------

# ---- heat exchangers, pumps, fans -------------------------------------------------------------------------


def eps_ntu_counterflow(double ntu, double cr):
    """Return the effectiveness of a counterflow heat exchanger.

    Args:
        ntu: number of transfer units UA/Cmin, >= 0.
        cr: Cmin/Cmax, 0..1.

    Source: Incropera, Fundamentals of Heat and Mass Transfer, table 11.3.

    >>> round(eps_ntu_counterflow(3.0, 0.75), 5), eps_ntu_counterflow(1.0, 1.0)
    (0.81712, 0.5)
    """
    return law_eps_ntu_counterflow(ntu, cr)


def eps_ntu_crossflow_unmixed(double ntu, double cr):
    """Return the effectiveness of a cross-flow heat exchanger, both streams unmixed (usual approximation).

    Args:
        ntu: number of transfer units UA/Cmin, >= 0.
        cr: Cmin/Cmax, 0..1.

    Source: Incropera, Fundamentals of Heat and Mass Transfer, eq. 11.32.

    >>> round(eps_ntu_crossflow_unmixed(1.0, 1.0), 5)
    0.46854
    """
    return law_eps_ntu_crossflow_unmixed(ntu, cr)

# ---- hall air ---------------------------------------------------------------------------------------------

# ---- electrical -------------------------------------------------------------------------------------------

# ---- plant ------------------------------------------------------------------------------------------------

# ---- network, workload ------------------------------------------------------------------------------------
