# Laws: inline one-element functions, each with its equation, range and source. No Python objects, no libm
# transcendentals (they differ between processors): exp, log, pow, sin, cos are our own. Documented Python
# faces of all of them are in laws.pyx. Keep each domain's laws in its section.
#
# ---- elementary functions ---------------------------------------------------------------------------------
#
# No branch, no table, no float-to-integer conversion: integers are read from the low bits of x + 1.5*2^52, so
# loops over these functions vectorise on plain x86-64 too. Coefficients are Chebyshev fits to the Taylor
# remainders named beside them; tests/_kernels/test_elementary.py holds them against mpmath.

from libc.math cimport INFINITY, NAN, sqrt
from libc.stdint cimport uint64_t

cdef extern from *:
    """
    #ifndef TWIN_BITS
    #define TWIN_BITS
    #include <stdint.h>
    #include <string.h>
    static inline uint64_t twin_bits(double x) { uint64_t b; memcpy(&b, &x, 8); return b; }
    static inline double twin_double(uint64_t b) { double x; memcpy(&x, &b, 8); return x; }
    #endif
    """
    uint64_t twin_bits(double x) noexcept nogil
    double twin_double(uint64_t b) noexcept nogil

cdef inline double _round_shift() noexcept nogil:
    """1.5*2^52: adding it leaves the nearest integer in the low bits of the sum."""
    return 6755399441055744.0


cdef inline double _expm1_core(double r) noexcept nogil:
    """e^r - 1 for |r| <= ln(2)/2 (degree 11: r + r^2/2 + r^3 P(r)), error below 2^-57 relative."""
    cdef double p = 2.5095554677111112e-08
    p = p * r + 2.761380686153829e-07
    p = p * r + 2.755728006701698e-06
    p = p * r + 2.4801536388690766e-05
    p = p * r + 0.0001984126985433861
    p = p * r + 0.0013888888905881542
    p = p * r + 0.008333333333332155
    p = p * r + 0.04166666666665136
    p = p * r + 0.16666666666666666
    return r + (r * r) * (0.5 + r * p)


cdef inline double _exp_sum(double hi, double lo) noexcept nogil:
    """e^(hi + lo) with |lo| far below 1: range reduction by ln 2 in two parts, scaling by 2^k in two steps."""
    cdef double x = -746.0 if hi < -746.0 else hi
    x = 710.0 if x > 710.0 else x
    cdef double k = (x * 1.4426950408889634 + _round_shift()) - _round_shift()
    cdef double r = ((x - k * 0.6931471805598903) - k * 5.497923018708371e-14) + lo
    cdef double t1 = k * 0.5 + _round_shift()
    cdef double t2 = (k - (t1 - _round_shift())) + _round_shift()
    cdef double s1 = twin_double((twin_bits(t1) + 1023) << 52)
    cdef double s2 = twin_double((twin_bits(t2) + 1023) << 52)
    return ((1.0 + _expm1_core(r)) * s1) * s2


cdef inline double law_exp(double x) noexcept nogil:
    """e^x. Within 1.2 ULP; gradual underflow; 0 below -745.2, inf above 709.79; NaN stays."""
    return _exp_sum(x, 0.0)


cdef inline double _exp_fast_core(double x) noexcept nogil:
    """e^x to 1.1e-8 relative for -708 <= x <= 709 (degree 6)."""
    cdef double t = x * 1.4426950408889634 + _round_shift()
    cdef double r = x - (t - _round_shift()) * 0.6931471805599453
    # paired terms keep the chain of dependent operations short
    cdef double r2 = r * r
    cdef double p = (0.5 + 0.16666576989698775 * r) + r2 * ((0.041666554617204574 + 0.008363179052722578 * r)
                                                           + r2 * 0.0013926183587713494)
    return ((1.0 + r) + r2 * p) * twin_double((twin_bits(t) + 1023) << 52)


cdef inline double law_exp_fast(double x) noexcept nogil:
    """e^x to 1.1e-8 relative, argument clamped to -708 .. 709; NaN stays NaN.

    For places where such an error does not matter, such as the leakage of a chip (1e-9 of its power).
    """
    cdef double y = -708.0 if x < -708.0 else x
    return _exp_fast_core(709.0 if y > 709.0 else y)


cdef inline double law_expm1(double x) noexcept nogil:
    """e^x - 1 without cancellation near 0, within 2.5 ULP; -1 below -40, inf above 709.79; NaN stays."""
    cdef double y = -60.0 if x < -60.0 else x
    y = 710.0 if y > 710.0 else y
    cdef double k = (y * 1.4426950408889634 + _round_shift()) - _round_shift()
    cdef double r = (y - k * 0.6931471805598903) - k * 5.497923018708371e-14
    cdef double t1 = k * 0.5 + _round_shift()
    cdef double t2 = (k - (t1 - _round_shift())) + _round_shift()
    cdef double s1 = twin_double((twin_bits(t1) + 1023) << 52)
    cdef double s2 = twin_double((twin_bits(t2) + 1023) << 52)
    cdef double m = _expm1_core(r)
    cdef double near = (m * s1) * s2 + (s1 * s2 - 1.0)
    cdef double far = ((1.0 + m) * s1) * s2 - 1.0
    return near if y < 700.0 else far


cdef inline double law_log(double x) noexcept nogil:
    """Natural logarithm. Below 1 ULP, subnormals included; log 0 = -inf, negative and NaN give NaN, inf stays inf."""
    cdef bint tiny = x < 2.2250738585072014e-308
    cdef double y = x * 18014398509481984.0 if tiny else x
    cdef uint64_t b = twin_bits(y) + 0x00095f619980c433ULL
    cdef double k = twin_double((b >> 52) | 0x4330000000000000ULL) - (4503599627371519.0 + (54.0 if tiny else 0.0))
    cdef double f = twin_double((b & 0x000fffffffffffffULL) + 0x3fe6a09e667f3bcdULL) - 1.0
    cdef double s = f / (2.0 + f)
    cdef double z = s * s
    cdef double p = 0.14616721179861816
    p = p * z + 0.15331699633543858
    p = p * z + 0.18182889786191042
    p = p * z + 0.2222221112572281
    p = p * z + 0.28571428626031065
    p = p * z + 0.3999999999989938
    p = p * z + 0.666666666666667
    cdef double half = 0.5 * (f * f)
    # log(1+f) = f - f^2/2 + s*(f^2/2 + z*p): the small terms are summed first
    cdef double out = k * 0.6931471805598903 - ((half - (s * (half + z * p) + k * 5.497923018708371e-14)) - f)
    out = x if x > 1.7976931348623157e308 else out
    out = -INFINITY if x == 0.0 else out
    return out if x >= 0.0 else NAN


cdef inline double _split_high(double a) noexcept nogil:
    """Upper 26 bits of a, so that products of two halves are exact (Veltkamp; |a| < 2^996)."""
    cdef double c = 134217729.0 * a
    return c - (c - a)


cdef inline double law_pow(double x, double y) noexcept nogil:
    """x^y for x >= 0, within 1.5 ULP over the whole range; NaN for negative x, whatever y.

    x^0 = 1; 0^y is 0 or inf by the sign of y; overflow gives inf, underflow 0. The logarithm is carried in two
    parts (Dekker's exact product), because an error of one ULP in y ln x would be |y ln x| ULP in the result.
    """
    cdef bint tiny = x < 2.2250738585072014e-308
    cdef double v = x * 18014398509481984.0 if tiny else x
    cdef uint64_t b = twin_bits(v) + 0x00095f619980c433ULL
    cdef double k = twin_double((b >> 52) | 0x4330000000000000ULL) - (4503599627371519.0 + (54.0 if tiny else 0.0))
    cdef double m = twin_double((b & 0x000fffffffffffffULL) + 0x3fe6a09e667f3bcdULL)
    cdef double f = m - 1.0
    cdef double d = m + 1.0
    cdef double d_low = m - (d - 1.0)
    # s = f/d in two parts: the remainder f - s*d is exact in split arithmetic
    cdef double s = f / d
    cdef double sh = _split_high(s)
    cdef double sl = s - sh
    cdef double dh = _split_high(d)
    cdef double dl = d - dh
    cdef double s_low = ((((f - sh * dh) - sh * dl) - sl * dh) - sl * dl - s * d_low) / d
    # (2/3) s^3 in two parts as well; the rest of the series is small enough for one
    cdef double z = s * s
    cdef double z_low = ((sh * sh - z) + 2.0 * (sh * sl)) + sl * sl
    cdef double zh = _split_high(z)
    cdef double zl = z - zh
    cdef double c = s * z
    cdef double c_low = ((((sh * zh - c) + sh * zl) + sl * zh) + sl * zl) + s * z_low
    cdef double ch = _split_high(c)
    cdef double cl = c - ch
    cdef double e = c * 0.6666666666666666
    cdef double e_low = ((((ch * 0.6666666716337204 - e) + ch * -4.967053768289986e-09) + cl * 0.6666666716337204) + cl * -4.967053768289986e-09) \
        + (c * 3.700743415417188e-17 + c_low * 0.6666666666666666)
    cdef double p = 0.12913739291129622
    p = p * z + 0.1328594759441496
    p = p * z + 0.1538557509255743
    p = p * z + 0.18181808243480016
    p = p * z + 0.22222222271127243
    p = p * z + 0.28571428571338453
    p = p * z + 0.40000000000000024
    # k ln2 (exact product) + 2s + (2/3) s^3, largest first, remainders kept
    cdef double big = k * 0.6931471805598903
    cdef double two_s = 2.0 * s
    cdef double a = big + two_s
    cdef double part = a - big
    cdef double low = ((big - (a - part)) + (two_s - part)) + (k * 5.497923018708371e-14 + 2.0 * s_low * (1.0 + z))
    cdef double a2 = a + e
    part = a2 - a
    low = low + ((((a - (a2 - part)) + (e - part)) + e_low) + c * (z * p))
    cdef double hi = a2 + low
    cdef double lo = (a2 - hi) + low
    # y * (hi + lo); y is clamped where the result is 0 or inf anyway, so that the splitting cannot overflow
    cdef double yc = 1e300 if y > 1e300 else (-1e300 if y < -1e300 else y)
    cdef double ph = yc * hi
    cdef double yh = _split_high(yc * 1e-30) * 1e30 if (yc > 1e200 or yc < -1e200) else _split_high(yc)
    cdef double yl = yc - yh
    cdef double hh = _split_high(hi)
    cdef double hl = hi - hh
    cdef double pl = (((yh * hh - ph) + yh * hl) + yl * hh) + yl * hl + yc * lo
    pl = pl if (ph < 800.0 and ph > -800.0) else 0.0
    cdef double out = _exp_sum(ph, pl)
    out = (0.0 if y > 0.0 else INFINITY) if x == 0.0 else out
    out = (INFINITY if y > 0.0 else 0.0) if x == INFINITY else out
    out = out if x >= 0.0 else NAN
    out = out if y == y else y
    return 1.0 if y == 0.0 else out


cdef inline double _sin_cos_quadrant(double x, double shift) noexcept nogil:
    """sin(x + shift*pi/2): Cody-Waite reduction by pi/2 in three parts, both polynomials, chosen by quadrant."""
    cdef double t = x * 0.6366197723675814 + _round_shift()
    cdef double n = t - _round_shift()
    cdef double r = ((x - n * 1.5707963267341256) - n * 6.077100506303966e-11) - n * 2.0222662487959506e-21
    cdef double z = r * r
    cdef double a = 1.591810123027412e-10
    a = a * z - 2.5051131455427946e-08
    a = a * z + 2.755731610068303e-06
    a = a * z - 0.0001984126983675497
    a = a * z + 0.008333333333330946
    a = a * z - 0.16666666666666666
    cdef double sine = r + r * z * a
    cdef double c = -1.1382614868556325e-11
    c = c * z + 2.0876146024689747e-09
    c = c * z - 2.7557317270560326e-07
    c = c * z + 2.4801587298763433e-05
    c = c * z - 0.0013888888888887395
    c = c * z + 0.041666666666666664
    cdef double half = 0.5 * z
    cdef double w = 1.0 - half
    cdef double cosine = w + (((1.0 - w) - half) + z * z * c)
    cdef uint64_t q = twin_bits(t + shift)
    cdef double out = cosine if (q & 1) else sine
    out = -out if (q & 2) else out
    return out if n * n < 4.1e11 else NAN


cdef inline double law_sin(double x) noexcept nogil:
    """Sine of x in radian. Within 2.5 ULP for |x| <= 1e6; NaN beyond (the reduction would lose digits)."""
    return _sin_cos_quadrant(x, 0.0)


cdef inline double law_cos(double x) noexcept nogil:
    """Cosine of x in radian. Within 2.5 ULP for |x| <= 1e6; NaN beyond (the reduction would lose digits)."""
    return _sin_cos_quadrant(x, 1.0)


# ---- moist air --------------------------------------------------------------------------------------------
#
# ASHRAE Handbook Fundamentals 2017, chapter 1 (SI). Wet bulb and dew point are solved in a bracket: the ice and the
# liquid branch do not meet exactly at the freezing point, so an open secant can leave it.

cdef inline double law_saturation_pressure_pa(double temp_c) noexcept nogil:
    """Water vapour pressure over ice (up to the triple point) or liquid, Pa. Hyland-Wexler, -100 .. 200 degC."""
    cdef double t = temp_c + 273.15
    cdef double x
    if temp_c <= 0.01:
        x = -5.6745359e3 / t + 6.3925247 + t * (-9.677843e-3 + t * (6.2215701e-7 + t * (2.0747825e-9
            - t * 9.484024e-13))) + 4.1635019 * law_log(t)
    else:
        x = -5.8002206e3 / t + 1.3914993 + t * (-4.8640239e-2 + t * (4.1764768e-5
            - t * 1.4452093e-8)) + 6.5459673 * law_log(t)
    return law_exp(x)


cdef inline double law_humidity_ratio(double vapour_pa, double pressure_pa) noexcept nogil:
    """Water over dry air at a vapour pressure, kg/kg: 0.621945 pw / (p - pw). For pw < p."""
    return 0.621945 * vapour_pa / (pressure_pa - vapour_pa)


cdef inline double law_vapour_pressure_pa(double humidity_ratio, double pressure_pa) noexcept nogil:
    """Vapour pressure at a humidity ratio, Pa: p W / (0.621945 + W)."""
    return pressure_pa * humidity_ratio / (0.621945 + humidity_ratio)


cdef inline double law_saturation_humidity_ratio(double temp_c, double pressure_pa) noexcept nogil:
    """Humidity ratio of saturated air, kg/kg. Where water would boil the vapour share is capped at 0.99."""
    cdef double pw = law_saturation_pressure_pa(temp_c)
    cdef double cap = 0.99 * pressure_pa
    return law_humidity_ratio(pw if pw < cap else cap, pressure_pa)


cdef inline double law_moist_enthalpy_j_kg(double temp_c, double humidity_ratio) noexcept nogil:
    """Enthalpy per kg of dry air, J/kg, 0 for dry air at 0 degC: 1006 T + W (2501000 + 1860 T)."""
    return 1006.0 * temp_c + humidity_ratio * (2501000.0 + 1860.0 * temp_c)


cdef inline double law_moist_density_kg_m3(double temp_c, double humidity_ratio, double pressure_pa) noexcept nogil:
    """Density of moist air (air and water together), kg/m3: ideal gas, R 287.042 J/kgK."""
    return (1.0 + humidity_ratio) * pressure_pa / (
        287.042 * (temp_c + 273.15) * (1.0 + 1.607858 * humidity_ratio))


cdef inline double law_standard_pressure_pa(double altitude_m) noexcept nogil:
    """Pressure of the standard atmosphere, Pa: 101325 (1 - 2.25577e-5 z)^5.2559. For -5000 .. 11000 m."""
    return 101325.0 * law_pow(1.0 - 2.25577e-5 * altitude_m, 5.2559)


cdef inline double law_dew_point_c(double vapour_pa) noexcept nogil:
    """Temperature at which a vapour pressure saturates, degC. For 1e-3 Pa (-100 degC) .. 1.5e6 Pa.

    Newton on ln p over 1/T, which is nearly a straight line, kept inside a bracket; 1e-9 K.
    """
    cdef double target = law_log(vapour_pa if vapour_pa > 1e-3 else 1e-3)
    cdef double low = -105.0, high = 205.0, t, f, slope, k
    cdef int i
    t = 5400.0 / (26.12 - target) - 273.15 if target < 14.0 else 190.0
    for i in range(24):
        t = low if t < low else (high if t > high else t)
        f = law_log(law_saturation_pressure_pa(t)) - target
        if f > 0.0:
            high = t
        else:
            low = t
        k = t + 273.15
        if t > 0.01:
            slope = 5.8002206e3 / (k * k) - 4.8640239e-2 + k * (8.3529536e-5 - k * 4.3356279e-8) + 6.5459673 / k
        else:
            slope = (5.6745359e3 / (k * k) - 9.677843e-3 + k * (1.24431402e-6 + k * (6.2243475e-9
                     - k * 3.7936096e-12)) + 4.1635019 / k)
        if f / slope < 1e-10 and f / slope > -1e-10:
            break
        t = t - f / slope
        if t <= low or t >= high:
            t = 0.5 * (low + high)
    return t


cdef inline double _wet_bulb_gap(double wet_c, double temp_c, double humidity_ratio,
                                 double pressure_pa) noexcept nogil:
    """Humidity ratio that a wet bulb implies, less the one there is; rises with the wet bulb."""
    cdef double ws = law_saturation_humidity_ratio(wet_c, pressure_pa)
    if wet_c >= 0.0:
        return ((2501.0 - 2.326 * wet_c) * ws - 1.006 * (temp_c - wet_c)) / (
            2501.0 + 1.86 * temp_c - 4.186 * wet_c) - humidity_ratio
    return ((2830.0 - 0.24 * wet_c) * ws - 1.006 * (temp_c - wet_c)) / (
        2830.0 + 1.86 * temp_c - 2.1 * wet_c) - humidity_ratio


cdef inline double law_wet_bulb_c(double temp_c, double humidity_ratio, double pressure_pa) noexcept nogil:
    """Thermodynamic wet bulb, degC, by bisection to 0.1 K and then the Illinois rule; 1e-6 K. For -100 .. 95 degC."""
    cdef double w = humidity_ratio if humidity_ratio > 1e-7 else 1e-7
    cdef double high = temp_c
    cdef double low = law_dew_point_c(law_vapour_pressure_pa(w, pressure_pa))
    cdef double f_low, f_high, f, mid
    cdef int i, side = 0
    if low >= high:
        return high
    low = low - 0.01
    f_low = _wet_bulb_gap(low, temp_c, w, pressure_pa)
    f_high = _wet_bulb_gap(high, temp_c, w, pressure_pa)
    if f_low >= 0.0:
        return low
    if f_high <= 0.0:
        return high
    for i in range(60):
        if high - low > 0.1:
            mid = 0.5 * (low + high)
        else:
            mid = (low * f_high - high * f_low) / (f_high - f_low)
        f = _wet_bulb_gap(mid, temp_c, w, pressure_pa)
        if f > 0.0:
            high = mid
            f_high = f
            if side == 1:
                f_low = 0.5 * f_low
            side = 1 if high - low <= 0.1 else 0
        else:
            low = mid
            f_low = f
            if side == -1:
                f_high = 0.5 * f_high
            side = -1 if high - low <= 0.1 else 0
        if high - low < 1e-6 or (f < 1e-13 and f > -1e-13):
            return mid
    return 0.5 * (low + high)


# ---- coolants ---------------------------------------------------------------------------------------------


# PG25 is water with 25 vol % (25.85 wt %) propylene glycol; fits to Melinder (2010), as in CoolProp INCOMP::MPG,
# 20 .. 65 degC. Water: fits to CoolProp (IAPWS-95) at 3 bar, 1 .. 70 degC. Balances use one constant cp per loop.

cdef inline double law_pg25_cp_j_kgk(double temp_c) noexcept nogil:
    """Specific heat of PG25, J/kgK. Within 0.03 % of Melinder, 20 .. 65 degC."""
    return 3861.5 + 2.425 * temp_c


cdef inline double law_pg25_rho_kg_m3(double temp_c) noexcept nogil:
    """Density of PG25, kg/m3. Within 0.01 % of Melinder, 20 .. 65 degC."""
    return 1027.697 + temp_c * (-0.328846 - 0.00252639 * temp_c)


cdef inline double law_pg25_mu_pa_s(double temp_c) noexcept nogil:
    """Viscosity of PG25, Pa s. Within 0.05 % of Melinder, 20 .. 65 degC (commercial fluids: up to 14 % more)."""
    return 1e-3 * law_exp(1.7535 + temp_c * (-0.048128 + temp_c * (3.6635e-4 - 1.3608e-6 * temp_c)))


cdef inline double law_pg25_k_w_mk(double temp_c) noexcept nogil:
    """Heat conductivity of PG25, W/mK. Within 0.05 % of Melinder, 20 .. 65 degC."""
    return 0.4467 + 0.000866 * temp_c


cdef inline double law_coolant_mu_pa_s(double temp_c, double ln_0, double ln_1, double ln_2, double ln_3,
                                       double ln_4) noexcept nogil:
    """Viscosity of a coolant of the catalogue, Pa s: 1e-3 exp(ln_0 + ln_1 T + ... + ln_4 T^4), T in degC.

    Source and range: those of the entry (its multiplier is in ln_0).
    """
    return 1e-3 * law_exp(ln_0 + temp_c * (ln_1 + temp_c * (ln_2 + temp_c * (ln_3 + temp_c * ln_4))))


cdef inline double law_coolant_rho_kg_m3(double temp_c, double rho_0, double rho_1, double rho_2) noexcept nogil:
    """Density of a coolant of the catalogue, kg/m3: rho_0 + rho_1 T + rho_2 T^2, T in degC. Range: the entry's."""
    return rho_0 + temp_c * (rho_1 + temp_c * rho_2)


cdef inline double law_water_cp_j_kgk(double temp_c) noexcept nogil:
    """Specific heat of water, J/kgK. Within 0.02 % of IAPWS-95, 1 .. 70 degC."""
    return 4217.6116 + temp_c * (-3.0690315 + temp_c * (0.08712112 + temp_c * (-1.0808216e-3 + 5.456416e-6 * temp_c)))


cdef inline double law_water_rho_kg_m3(double temp_c) noexcept nogil:
    """Density of water at 3 bar, kg/m3. Within 0.01 % of IAPWS-95, 1 .. 70 degC."""
    return 1000.05475 + temp_c * (0.03493586 + temp_c * (-6.6226852e-3 + 2.2912783e-5 * temp_c))


cdef inline double law_water_mu_pa_s(double temp_c) noexcept nogil:
    """Viscosity of water, Pa s. Within 0.08 % of IAPWS, 1 .. 70 degC."""
    return 1e-3 * law_exp(0.58181642 + temp_c * (-0.034376223 + temp_c * (3.1437939e-4 + temp_c * (
        -2.5433455e-6 + 1.0395967e-8 * temp_c))))


cdef inline double law_flow_for_return_m3_s(double heat_w, double return_c, double supply_c, double rho_kg_m3,
                                            double cp_j_kgk) noexcept nogil:
    """Flow that carries a heat at a given return temperature, m3/s: Q / (rho cp (T_return - T_supply))."""
    return heat_w / (rho_kg_m3 * cp_j_kgk * (return_c - supply_c))


# ---- chips ------------------------------------------------------------------------------------------------


cdef inline double law_voltage_frac(double clock) noexcept nogil:
    """Supply voltage over its nominal value at a clock over the nominal one: max(0.65, 0.35 + 0.65 f/f0).

    Shape of published voltage-frequency curves: flat below a knee, linear above; engineering estimate.
    """
    cdef double v = 0.35 + 0.65 * clock
    return v if v > 0.65 else 0.65


cdef inline double law_leakage_w(double leak_ref_w, double beta_per_k, double above_ref_k) noexcept nogil:
    """Leakage at nominal voltage: P_ref exp(beta (T - T_ref)), W; used for T - T_ref up to 90 K, held beyond.

    beta 0.010 .. 0.015 per K doubles it every 45 to 70 K; engineering estimate. The fast exponential's error of
    1.1e-8 is 1e-9 of the chip's power.
    """
    return leak_ref_w * _exp_fast_core(beta_per_k * (above_ref_k if above_ref_k < 90.0 else 90.0))


cdef inline double law_cap_voltage(double leak_share, double room_share) noexcept nogil:
    """Supply voltage v (over nominal) at which dynamic_w f v^2 + leak_w v = room_w with f = (v - 0.35)/0.65.

    v^3 - 0.35 v^2 + l v = r with the shares l = 0.65 leak_w / dynamic_w and r = 0.65 room_w / dynamic_w: a polynomial
    inverse of about 2 % and one Newton step, which ends at or above the root, so the power is met from above within
    0.4 %. At or below 0.65 the true voltage is the knee's 0.65, and the clock follows directly (law_cap_clock).
    Large when nothing limits.
    Source: the voltage law_voltage_frac put into the power balance (identity).
    """
    cdef double y = room_share - 0.72 * leak_share
    y = y if y < 3.3 else 3.3
    y = y if y > 0.1 else 0.1
    cdef double y2 = y * y
    cdef double v = (0.525926563 + 1.08521936 * y) + y2 * ((-0.661994928 + 0.219837978 * y) + y2 * -0.0269050072)
    return ((2.0 * v - 0.35) * (v * v) + room_share) / ((3.0 * v - 0.7) * v + leak_share)


cdef inline double law_cap_clock(double dynamic_w, double leak_w, double room_w) noexcept nogil:
    """Clock (over nominal) at which dynamic_w f v^2 + leak_w v = room_w, v = law_voltage_frac(f); dynamic_w > 0.

    The lower one of the clock by law_cap_voltage and the clock at the voltage's floor: above the knee the first is
    lower, below it the second. Negative when the room is too small for the leakage. No state: the answer does not
    depend on the past.
    Source: as law_cap_voltage.
    """
    cdef double over = 0.65 / dynamic_w
    cdef double follows = (law_cap_voltage(leak_w * over, room_w * over) - 0.35) / 0.65
    cdef double floor = (room_w - 0.65 * leak_w) / (0.4225 * dynamic_w)
    return follows if follows < floor else floor


cdef inline double law_plate_resistance_k_w(double design_k_w, double flow_ratio, double exponent,
                                            double floor_ratio) noexcept nogil:
    """Plate (or sink) to coolant: R = R0 (V/V0)^-n, at most floor_ratio R0 (natural circulation), K/W.

    n = 0.5 .. 0.7 in laminar micro-channels, 0.6 .. 0.8 for air sinks; floor about 10 to 15.
    Source: usual correlation of heat transfer with flow; exponents are engineering estimates.
    """
    cdef double ratio = flow_ratio if flow_ratio > 1e-9 else 1e-9
    cdef double grown = law_pow(ratio, -exponent)
    return design_k_w * (grown if grown < floor_ratio else floor_ratio)


# ---- heat exchangers, pumps, fans -------------------------------------------------------------------------

cdef inline double law_eps_ntu_counterflow(double ntu, double cr) noexcept nogil:
    """Effectiveness of a counterflow exchanger, 0..1.

    eps = (1 - e)/(1 - cr e), e = exp(-ntu (1 - cr)), written with expm1 so that cr -> 1 goes over into
    ntu/(1 + ntu) without cancellation. ntu >= 0 (0 gives 0), cr = Cmin/Cmax in 0..1.
    Source: Incropera, Fundamentals of Heat and Mass Transfer, table 11.3 (Kays and London).
    """
    cdef double gap = 1.0 - cr
    cdef double gain = -law_expm1(-ntu * gap)
    return ntu / (1.0 + ntu) if gap < 1e-12 else gain / (gap + cr * gain)


cdef inline double law_eps_ntu_crossflow_unmixed(double ntu, double cr) noexcept nogil:
    """Effectiveness of a cross-flow exchanger, both streams unmixed, 0..1 (approximation).

    eps = 1 - exp((exp(-cr ntu^0.78) - 1) ntu^0.22 / cr); cr -> 0 goes over into 1 - exp(-ntu).
    ntu >= 0 (0 gives 0), cr = Cmin/Cmax in 0..1. Within 0.01 of the exact series.
    Source: Incropera, Fundamentals of Heat and Mass Transfer, eq. 11.32.
    """
    cdef double n = ntu if ntu > 1e-12 else 1e-12
    cdef double root = law_pow(n, 0.22)
    cdef double thin = cr if cr > 1e-9 else 1e-9
    cdef double out = -law_expm1(law_expm1(-thin * (n / root)) * root / thin)
    return out if ntu > 1e-12 else 0.0

cdef inline double law_ha_ratio(double flow_ratio, double exponent, double temp_c, double temp_ref_c) noexcept nogil:
    """Film conductance over its rated value: (m/m0)^exponent (1 + 0.006 (T - T0)), 0 without flow.

    Exponent 0.8 for a turbulent film; the temperature term is held within 0.5 .. 1.5.
    Source: Modelica Buildings, HADryCoil (water side); exponents 0.8 .. 0.85.
    """
    cdef double warm = 1.0 + 0.006 * (temp_c - temp_ref_c)
    warm = 0.5 if warm < 0.5 else (1.5 if warm > 1.5 else warm)
    return law_pow(flow_ratio, exponent) * warm


cdef inline double law_series_ua_w_k(double ha_1_w_k, double ha_2_w_k) noexcept nogil:
    """Conductance of two films in series, W/K: 1/(1/a + 1/b), 0 when either is.

    Source: resistances in series (definition).
    """
    cdef double total = ha_1_w_k + ha_2_w_k
    return ha_1_w_k * ha_2_w_k / total if total > 0.0 else 0.0


cdef inline double law_branch_flow(double dp, double conductance, double exponent) noexcept nogil:
    """Flow through a branch whose pressure drop is K V^n: G dp^(1/n) with G = K^(-1/n); 0 for dp <= 0.

    Parallel branches at a common dp share a flow as G_i / sum G_j. n = 1.897 for a GB300 NVL72 rack
    (fit to Lenovo LP2357, table 27, 59 .. 177 L/min, within 2.5 %).
    """
    return conductance * law_pow(dp, 1.0 / exponent) if dp > 0.0 else 0.0


cdef inline double law_branch_viscosity_ratio(double mu_ratio, double rho_ratio, double exponent) noexcept nogil:
    """Factor on K when the coolant changes: (mu/mu0)^(2-n) (rho/rho0)^(n-1), for dp = K V^n.

    Source: dimensional analysis of a power-law friction factor.
    """
    return law_pow(mu_ratio, 2.0 - exponent) * law_pow(rho_ratio, exponent - 1.0)


cdef inline double law_vessel_pressure_pa(double liquid_m3, double volume_m3, double precharge_pa) noexcept nogil:
    """Absolute pressure of an expansion vessel that holds a volume of liquid, Pa: p0 V / (V - V_liquid).

    Gas at constant temperature; precharge_pa is its absolute pressure when the vessel holds none. The gas keeps at
    least 1 % of the vessel. Source: Boyle's law, as in EN 12828.
    """
    cdef double gas = volume_m3 - liquid_m3
    gas = gas if gas > 0.01 * volume_m3 else 0.01 * volume_m3
    return precharge_pa * volume_m3 / gas


cdef inline double law_leak_kg_s(double diameter_m, double discharge, double dp_pa, double rho_kg_m3) noexcept nogil:
    """Flow through a round hole, kg/s: Cd A sqrt(2 rho dp), 0 for dp <= 0. Cd = 0.61 for a sharp edge.

    Source: Bernoulli with a discharge coefficient (Torricelli); ISO 5167 for the coefficient.
    """
    if dp_pa <= 0.0:
        return 0.0
    return discharge * 0.7853981633974483 * diameter_m * diameter_m * sqrt(2.0 * rho_kg_m3 * dp_pa)


cdef inline double law_pump_head_pa(double flow_m3_s, double speed, double h0, double b, double a) noexcept nogil:
    """Head of a pump at a speed (1 is nominal), Pa: n^2 H0 + n b V + a V^2 (affinity holds exactly; a < 0)."""
    return speed * (speed * h0 + b * flow_m3_s) + a * flow_m3_s * flow_m3_s


cdef inline double law_pump_flow_m3_s(double dp_pa, double speed, double h0, double b, double a) noexcept nogil:
    """Flow of a pump against a pressure, on the falling branch of its curve, m3/s; 0 behind its check valve.

    Source: inverse of law_pump_head_pa.
    """
    cdef double d = speed * speed * b * b - 4.0 * a * (speed * speed * h0 - dp_pa)
    cdef double v = (speed * b + sqrt(d)) / (-2.0 * a) if d > 0.0 else 0.0
    return v if v > 0.0 else 0.0


cdef inline double law_pump_speed(double flow_m3_s, double dp_pa, double h0, double b, double a) noexcept nogil:
    """Speed at which a pump delivers a flow against a pressure: the positive root of n^2 H0 + n b V + a V^2 = dp.

    Source: inverse of law_pump_head_pa.
    """
    cdef double d = b * b * flow_m3_s * flow_m3_s + 4.0 * h0 * (dp_pa - a * flow_m3_s * flow_m3_s)
    return (sqrt(d) - b * flow_m3_s) / (2.0 * h0) if d > 0.0 else 0.0


cdef inline double law_pump_power_w(double head_pa, double speed, double flow_m3_s, double best_flow_m3_s,
                                    double efficiency) noexcept nogil:
    """Electrical power of a pump, W: H V / eta with eta = eta_best x (2 - x), x = V / (n V_best).

    Written as H n V_best / (eta_best (2 - x)), which stays finite against a closed valve; x is held below 1.8.
    ``efficiency`` is the best one of pump, motor and drive together. Affinity: power goes with speed cubed.
    """
    cdef double base = speed * best_flow_m3_s
    cdef double x = flow_m3_s / base if base > 0.0 else 0.0
    x = 1.8 if x > 1.8 else x
    return head_pa * base / (efficiency * (2.0 - x))


cdef inline double law_coast_down(double speed, double dt_s, double tau_s) noexcept nogil:
    """Speed after dt of coasting against a load that goes with speed squared: n / (1 + n dt / tau).

    Source: J dn/dt = -k n^2 (closed form); time constants of 1.5 to 3 s are engineering estimates.
    """
    return speed / (1.0 + speed * dt_s / tau_s)


cdef inline double law_valve_share(double opening) noexcept nogil:
    """Flow share of an equal-percentage valve, 0 .. 1: (R^x - 1)/(R - 1), R = 30, shut at 0.

    Source: as law_equal_percentage, without its cancellation near the shut end.
    """
    return law_expm1(3.4011973816621555 * opening) / 29.0


# ---- immersion --------------------------------------------------------------------------------------------

cdef inline double law_boiling_pressure_pa(double temp_c, double boil_c, double slope_k) noexcept nogil:
    """Vapour pressure by Clausius and Clapeyron through the normal boiling point, Pa: p0 exp(B (1/T0 - 1/T)).

    p0 = 101325 Pa, B ``slope_k``. For FK-5-1-12, B = 3592.6 K meets the equation of state of McLinden et al. (2015)
    within 0.2 % at 45 .. 60 degC and 2 % at 25 .. 80 degC.
    """
    return 101325.0 * law_exp(slope_k * (1.0 / (boil_c + 273.15) - 1.0 / (temp_c + 273.15)))


cdef inline double law_vapour_density_kg_m3(double pressure_pa, double temp_c, double boil_c,
                                            double boil_kg_m3) noexcept nogil:
    """Density of saturated vapour as a gas of constant compressibility, kg/m3: that at boiling times p T0 / (p0 T).

    Source: gas law, scaled to the published density at boiling.
    """
    return boil_kg_m3 * pressure_pa / 101325.0 * (boil_c + 273.15) / (temp_c + 273.15)


cdef inline double law_zuber_w_m2(double k, double latent_j_kg, double vapour_kg_m3, double liquid_kg_m3,
                                  double tension_n_m) noexcept nogil:
    """Critical heat flux of pool boiling, W/m2: K h_fg rho_v^(1/2) (sigma g (rho_l - rho_v))^(1/4).

    K = 0.131 (Zuber, 1959) or 0.149 on a large flat plate facing upward (Lienhard and Dhir, 1973).
    """
    return k * latent_j_kg * sqrt(vapour_kg_m3) * sqrt(sqrt(tension_n_m * 9.80665 * (liquid_kg_m3 - vapour_kg_m3)))


cdef inline double law_zuber_minimum_w_m2(double latent_j_kg, double vapour_kg_m3, double liquid_kg_m3,
                                          double tension_n_m) noexcept nogil:
    """Least heat flux that keeps a film of vapour, W/m2: 0.09 rho_v h_fg (sigma g (rho_l-rho_v)/(rho_l+rho_v)^2)^(1/4).

    Below it a surface that has dried out is wetted again. Source: Zuber (1959), constant of Berenson (1961).
    """
    cdef double both = liquid_kg_m3 + vapour_kg_m3
    return 0.09 * vapour_kg_m3 * latent_j_kg * sqrt(sqrt(
        tension_n_m * 9.80665 * (liquid_kg_m3 - vapour_kg_m3) / (both * both)))


cdef inline double law_buoyant_flow_kg_s(double warmer_k, double rho_kg_m3, double expansion_per_k, double height_m,
                                         double design_kg_s, double design_pa, double exponent) noexcept nogil:
    """Flow that a column of warm fluid drives through boards in a bath, kg/s; 0 when it is not warmer.

    The buoyancy rho g beta dT H equals the boards' resistance dp0 (m/m0)^n.
    Source: balance of buoyancy and friction (identity); exponents are engineering estimates.
    """
    cdef double drive = rho_kg_m3 * 9.80665 * expansion_per_k * warmer_k * height_m
    return design_kg_s * law_pow(drive / design_pa, 1.0 / exponent) if drive > 0.0 else 0.0


cdef inline double law_orifice_kg_s(double area_m2, double density_kg_m3, double dp_pa) noexcept nogil:
    """Flow out of an opening of the given effective area (discharge coefficient included), kg/s; none inwards.

    Source: Bernoulli's equation.
    """
    return area_m2 * sqrt(2.0 * density_kg_m3 * dp_pa) if dp_pa > 0.0 else 0.0


# ---- hall air ---------------------------------------------------------------------------------------------

cdef inline double law_fan_power_w(double speed, double design_w) noexcept nogil:
    """Power of a fan at a share of its design speed on an unchanged system, W: P = P0 s^3 (affinity; flow ~ s)."""
    return design_w * speed * speed * speed


cdef inline double law_equal_percentage(double opening, double range_ratio) noexcept nogil:
    """Flow share of an equal-percentage valve that closes: (R^x - 1)/(R - 1), x = 0..1, R > 1 (about 30).

    Source: IEC 60534-2-4 (inherent equal-percentage characteristic), shifted so that it shuts.
    """
    return (law_pow(range_ratio, opening) - 1.0) / (range_ratio - 1.0)


cdef inline double law_coil_w_k(double air_w_k, double water_w_k, double ua_w_k) noexcept nogil:
    """Heat of a dry coil per kelvin between entering air and entering water, W/K: eps Cmin, cross-flow unmixed.

    Source: effectiveness-NTU, law_eps_ntu_crossflow_unmixed.
    """
    cdef double low = air_w_k if air_w_k < water_w_k else water_w_k
    cdef double high = water_w_k if air_w_k < water_w_k else air_w_k
    return law_eps_ntu_crossflow_unmixed(ua_w_k / low, low / high) * low if low > 1e-6 else 0.0


# ---- electrical -------------------------------------------------------------------------------------------

cdef inline double law_group_loss(double p, double units, double c0, double c1, double c2) noexcept nogil:
    """Loss of `units` like machines in parallel that deliver p together: units (c0 + c1 q + c2 q^2), q = p / units.

    Source: constant, linear and square part of a converter's loss (Rasmussen, Schneider Electric WP 113).
    """
    cdef double q = p / units
    return units * (c0 + q * (c1 + c2 * q))


cdef inline double law_converter_input(double p, double fixed, double efficiency) noexcept nogil:
    """Power into a converter that delivers p: (p + fixed) / efficiency.

    Source: definition of a fixed loss and a proportional one.
    """
    return (p + fixed) / efficiency


cdef inline double law_peaked_loss(double p, double peak_at, double peak_efficiency) noexcept nogil:
    """Loss of a converter most efficient at peak_at, half of the loss there constant, half in the square of the load.

    Source: no-load and load loss are equal where the efficiency is best (identity).
    """
    return 0.5 * (1.0 - peak_efficiency) / peak_efficiency * (peak_at + p * p / peak_at)


cdef inline double law_ramp_integral(double start, double time, double ramp) noexcept nogil:
    """Integral over `time` of a share that rises from `start` to 1 with slope 1/ramp and then stays, s.

    Source: integral of a ramp (closed form).
    """
    if ramp <= 0.0:
        return time
    cdef double rising = (1.0 - start) * ramp
    if time < rising:
        return time * (start + 0.5 * time / ramp)
    return rising * (start + 0.5 * rising / ramp) + (time - rising)


cdef inline double law_genset_fuel(double p, double rating, double full, double no_load_frac) noexcept nogil:
    """Fuel rate of a generator set (Willans line): full rating (n + (1 - n) p / rating), `full` per unit of energy.

    Source: Willans line; its no-load share is the catalogue's.
    """
    return full * (no_load_frac * rating + (1.0 - no_load_frac) * p)

# ---- plant ------------------------------------------------------------------------------------------------


cdef inline double law_dry_cooler_ua_ratio(double water_ratio, double air_ratio, double air_share) noexcept nogil:
    """UA of a dry cooler over its rated UA: 1 / (s y^-0.8 + (1 - s) w^-0.85); s: air film's share of the resistance.

    y and w are air and water flow over rated; 0 without either flow.
    Source: Modelica Buildings, DryCoil HA relations (n_a 0.8, n_w 0.85; r 2/3 of hA air over water gives s 0.6).
    """
    if air_ratio <= 0.0 or water_ratio <= 0.0:
        return 0.0
    return 1.0 / (air_share * law_pow(air_ratio, -0.8) + (1.0 - air_share) * law_pow(water_ratio, -0.85))


cdef inline double law_tower_ua_ratio(double air_ratio, double water_ratio, double wet_bulb_drop_k) noexcept nogil:
    """UA of a Merkel tower over its rated UA, by air and water flow over rated and rated less actual wet bulb.

    (1.3 y - 0.3 y^2)(0.1082 + 1.667 w - 0.7713 w^2)(1 + 0.0081 dT); y within 0 .. 1, w 0.3 .. 1, dT -10 .. 25 K.
    Source: EnergyPlus CoolingTower:VariableSpeed:Merkel; Modelica Buildings, Merkel UACorrection.
    """
    cdef double y = 0.0 if air_ratio < 0.0 else (1.0 if air_ratio > 1.0 else air_ratio)
    cdef double w = 0.3 if water_ratio < 0.3 else (1.0 if water_ratio > 1.0 else water_ratio)
    cdef double d = -10.0 if wet_bulb_drop_k < -10.0 else (25.0 if wet_bulb_drop_k > 25.0 else wet_bulb_drop_k)
    return y * (1.3 - 0.3 * y) * (0.1082 + w * (1.667 - 0.7713 * w)) * (1.0 + 0.0081 * d)


cdef inline double law_saturation_enthalpy_j_kg(double temp_c, double pressure_pa) noexcept nogil:
    """Enthalpy of saturated air per kg of dry air, J/kg.

    Source: law_moist_enthalpy_j_kg at saturation (ASHRAE Fundamentals, chapter 1).
    """
    return law_moist_enthalpy_j_kg(temp_c, law_saturation_humidity_ratio(temp_c, pressure_pa))


cdef inline double _tower_heat_at(double wet_out_c, double ua_w_k, double air_kg_s, double water_w_k, double air_cp,
                                  double water_in_c, double wet_in_c, double enthalpy_in, double pressure_pa,
                                  double *air_cp_out) noexcept nogil:
    """Heat of a Merkel tower if its air left at a wet bulb, W; also the effective specific heat of the air."""
    cdef double cp_e = (law_saturation_enthalpy_j_kg(wet_out_c, pressure_pa) - enthalpy_in) / (wet_out_c - wet_in_c)
    cdef double air_w_k = air_kg_s * cp_e
    cdef double c_min = air_w_k if air_w_k < water_w_k else water_w_k
    cdef double c_max = water_w_k if air_w_k < water_w_k else air_w_k
    air_cp_out[0] = cp_e
    return law_eps_ntu_counterflow(ua_w_k * cp_e / (air_cp * c_min), c_min / c_max) * c_min * (water_in_c - wet_in_c)


cdef inline double law_tower_heat_w(double ua_w_k, double air_kg_s, double water_w_k, double air_cp_j_kgk,
                                    double water_in_c, double wet_bulb_c, double pressure_pa,
                                    double *wet_bulb_out_c) noexcept nogil:
    """Heat that water gives to the air of a counterflow cooling tower, W (Merkel, effectiveness-NTU).

    The air is treated as a gas of specific heat cp_e = dh_s/dT_wb between its entering and leaving wet bulb, and
    UA as UA cp_e/cp; the leaving wet bulb is solved in a bracket (Illinois rule) to 1e-7 K. ``water_w_k`` is the
    water's heat capacity flow. 0 when the water is not warmer than the wet bulb, or without air or water.
    Source: EnergyPlus Engineering Reference, CoolingTower:VariableSpeed:Merkel.
    """
    cdef double h_in, cp_e, q, low, high, f_low, f_high, f, mid
    cdef int i, side = 0
    wet_bulb_out_c[0] = wet_bulb_c
    if water_in_c <= wet_bulb_c + 1e-3 or air_kg_s <= 0.0 or water_w_k <= 0.0 or ua_w_k <= 0.0:
        return 0.0
    h_in = law_saturation_enthalpy_j_kg(wet_bulb_c, pressure_pa)
    low = wet_bulb_c + 1e-3
    high = water_in_c
    q = _tower_heat_at(low, ua_w_k, air_kg_s, water_w_k, air_cp_j_kgk, water_in_c, wet_bulb_c, h_in, pressure_pa, &cp_e)
    f_low = low - wet_bulb_c - q / (air_kg_s * cp_e)
    if f_low >= 0.0:
        wet_bulb_out_c[0] = low
        return q
    q = _tower_heat_at(high, ua_w_k, air_kg_s, water_w_k, air_cp_j_kgk, water_in_c, wet_bulb_c, h_in, pressure_pa, &cp_e)
    f_high = high - wet_bulb_c - q / (air_kg_s * cp_e)
    mid = high
    for i in range(40):
        if f_high - f_low <= 0.0:
            break
        mid = (low * f_high - high * f_low) / (f_high - f_low)
        q = _tower_heat_at(mid, ua_w_k, air_kg_s, water_w_k, air_cp_j_kgk, water_in_c, wet_bulb_c, h_in, pressure_pa,
                           &cp_e)
        f = mid - wet_bulb_c - q / (air_kg_s * cp_e)
        if f < 1e-7 and f > -1e-7:
            break
        if f > 0.0:
            high = mid
            f_high = f
            f_low = 0.5 * f_low if side == 1 else f_low
            side = 1
        else:
            low = mid
            f_low = f
            f_high = 0.5 * f_high if side == -1 else f_high
            side = -1
    wet_bulb_out_c[0] = mid
    return q


cdef inline double law_part_load_ratio(double load, double a0, double a1, double a2) noexcept nogil:
    """Efficiency at part load over that at full load: a0 + a1 x + a2 x^2, with a0 + a1 + a2 = 1.

    Source: form of EnergyPlus' EIRFPLR curves, normalised to full load.
    """
    return a0 + load * (a1 + a2 * load)


cdef inline double law_carnot_cop(double cold_c, double hot_c, double efficiency, double lift_min_k,
                                  double cop_max) noexcept nogil:
    """Coefficient of performance of a chiller: eta T_cold / (T_hot - T_cold), at most cop_max.

    Temperatures are those of the refrigerant (degC); the lift is at least ``lift_min_k``.
    Source: Modelica Buildings, Chillers.Carnot; efficiency 0.50 .. 0.60.
    """
    cdef double lift = hot_c - cold_c
    lift = lift if lift > lift_min_k else lift_min_k
    cdef double cop = efficiency * (cold_c + 273.15) / lift
    return cop if cop < cop_max else cop_max


# ---- network, workload ------------------------------------------------------------------------------------


cdef inline double law_bus_factor(double ranks) noexcept nogil:
    # Bytes that cross each rank's link per byte of an all-reduce: 2 (n - 1) / n. Thakur et al., IJHPCA 19 (2005).
    return 2.0 * (ranks - 1.0) / ranks


cdef inline double law_ring_allreduce_time_s(double size_bytes, double ranks, double rate_bytes_s,
                                             double hop_s) noexcept nogil:
    # 2 (n - 1) steps of S / n each: t = 2 (n-1) (alpha + S / (n B)); n >= 1. Thakur et al., IJHPCA 19 (2005).
    return 2.0 * (ranks - 1.0) * (hop_s + size_bytes / (ranks * rate_bytes_s))


cdef inline double law_tree_allreduce_time_s(double size_bytes, double ranks, double rate_bytes_s,
                                             double hop_s) noexcept nogil:
    # Pipelined double binary tree, up and down: t = 2 alpha log2(n) + 2 S / B; n >= 1. Sanders et al., 2009.
    return 2.0 * hop_s * law_log(ranks) / 0.6931471805599453 + (2.0 * size_bytes / rate_bytes_s if ranks > 1.0 else 0.0)


cdef inline double law_hierarchical_allreduce_time_s(double size_bytes, double domains, double gpus,
                                                     double inner_bytes_s, double outer_bytes_s,
                                                     double outer_hop_s) noexcept nogil:
    # Reduce-scatter and all-gather inside a domain of g GPUs, all-reduce of S / g between the domains on each rail:
    # t = 2 (g-1)/g S/B_in + ring(S/g, domains, B_out, alpha). Source: the ring of Thakur et al. on two levels.
    return (law_bus_factor(gpus) * size_bytes / inner_bytes_s
            + law_ring_allreduce_time_s(size_bytes / gpus, domains, outer_bytes_s, outer_hop_s))


cdef inline double law_young_interval(double write_s, double mtbf_s) noexcept nogil:
    # Young (1974), doi:10.1145/361147.361115: tau = sqrt(2 C M); C << M.
    return sqrt(2.0 * write_s * mtbf_s)


cdef inline double law_daly_interval(double write_s, double mtbf_s) noexcept nogil:
    # Daly (2006), doi:10.1016/j.future.2004.11.016: higher-order optimum for C < 2 M, otherwise M.
    if write_s >= 2.0 * mtbf_s:
        return mtbf_s
    return (sqrt(2.0 * write_s * mtbf_s)
            * (1.0 + sqrt(write_s / (2.0 * mtbf_s)) / 3.0 + write_s / (18.0 * mtbf_s)) - write_s)

