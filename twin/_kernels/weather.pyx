"""Outdoor air: hourly values interpolated by time, and the synthetic year.

Moisture is carried by the humidity ratio: a warmer hour (heat wave) holds the same water, and all other moist-air
quantities follow from temperature, humidity ratio and pressure.
"""

from twin._kernels.laws cimport (
    law_cos, law_dew_point_c, law_humidity_ratio, law_saturation_humidity_ratio,
    law_saturation_pressure_pa, law_sin, law_vapour_pressure_pa, law_wet_bulb_c,
)

import numpy as np

cdef double TWO_PI = 6.283185307179586


cdef class WeatherKernel:
    """Writes the outdoor air of one instant.

    Args:
        hourly_temp_c, hourly_humidity_ratio, hourly_pressure_pa: one value per hour, at the end of that hour,
            wrapping round at the year's end.
        offset_temp_k: added to the dry bulb, shape (1,).
        temp_c, wet_bulb_c, dew_point_c, rel_humidity, humidity_ratio, pressure_pa: written, shape (1,).
    """

    cdef const double[::1] hourly_temp, hourly_w, hourly_p, offset
    cdef double[::1] temp, wet_bulb, dew_point, rel_humidity, w, p

    def __init__(self, *, const double[::1] hourly_temp_c, const double[::1] hourly_humidity_ratio,
                 const double[::1] hourly_pressure_pa, const double[::1] offset_temp_k, double[::1] temp_c,
                 double[::1] wet_bulb_c, double[::1] dew_point_c, double[::1] rel_humidity,
                 double[::1] humidity_ratio, double[::1] pressure_pa):
        n = hourly_temp_c.shape[0]
        if n < 2 or hourly_humidity_ratio.shape[0] != n or hourly_pressure_pa.shape[0] != n:
            raise ValueError("the hourly arrays need one length of at least 2")
        if not (offset_temp_k.shape[0] == temp_c.shape[0] == wet_bulb_c.shape[0] == dew_point_c.shape[0]
                == rel_humidity.shape[0] == humidity_ratio.shape[0] == pressure_pa.shape[0] == 1):
            raise ValueError("offset and outputs have one element each")
        self.hourly_temp, self.hourly_w, self.hourly_p = hourly_temp_c, hourly_humidity_ratio, hourly_pressure_pa
        self.offset = offset_temp_k
        self.temp, self.wet_bulb, self.dew_point = temp_c, wet_bulb_c, dew_point_c
        self.rel_humidity, self.w, self.p = rel_humidity, humidity_ratio, pressure_pa

    def run(self, long long year_ns):
        """Write the air ``year_ns`` nanoseconds after the year began (local standard time); wraps round."""
        cdef Py_ssize_t n = self.hourly_temp.shape[0]
        cdef long long hour_ns = 3600000000000LL
        cdef long long t = year_ns % (n * hour_ns)
        cdef Py_ssize_t i, j
        cdef double x, temp, w, p, full
        with nogil:
            if t < 0:
                t += n * hour_ns
            # stamps mark the end of an hour: element k holds at (k + 1) h
            j = <Py_ssize_t>(t // hour_ns)
            x = <double>(t - j * hour_ns) / <double>hour_ns
            i = j - 1 if j > 0 else n - 1
            temp = self.hourly_temp[i] + x * (self.hourly_temp[j] - self.hourly_temp[i]) + self.offset[0]
            w = self.hourly_w[i] + x * (self.hourly_w[j] - self.hourly_w[i])
            p = self.hourly_p[i] + x * (self.hourly_p[j] - self.hourly_p[i])
            full = law_saturation_humidity_ratio(temp, p)
            w = full if w > full else w
            self.temp[0] = temp
            self.w[0] = w
            self.p[0] = p
            self.rel_humidity[0] = law_vapour_pressure_pa(w, p) / law_saturation_pressure_pa(temp)
            self.dew_point[0] = law_dew_point_c(law_vapour_pressure_pa(w, p))
            self.wet_bulb[0] = law_wet_bulb_c(temp, w, p)


def moist_hours(const double[::1] temp_c, const double[::1] rel_humidity, const double[::1] pressure_pa):
    """Return (humidity ratio, dew point, wet bulb) of each hour from dry bulb, relative humidity and pressure.

    Humidity is taken as it stands, above 1 included, so that statistics of a file can be compared with it; the
    wet bulb of a supersaturated hour is its dry bulb.
    """
    cdef Py_ssize_t n = temp_c.shape[0], i
    if rel_humidity.shape[0] != n or pressure_pa.shape[0] != n:
        raise ValueError("the arrays need one length")
    ratio, dew, wet = np.empty(n), np.empty(n), np.empty(n)
    cdef double[::1] w = ratio
    cdef double[::1] d = dew
    cdef double[::1] b = wet
    cdef double pw
    with nogil:
        for i in range(n):
            pw = rel_humidity[i] * law_saturation_pressure_pa(temp_c[i])
            w[i] = law_humidity_ratio(pw, pressure_pa[i])
            d[i] = law_dew_point_c(pw)
            b[i] = law_wet_bulb_c(temp_c[i], w[i], pressure_pa[i])
    return ratio, dew, wet


cdef inline double _of_year(const double[::1] months, double hour, double hours) noexcept nogil:
    """Periodic Catmull-Rom curve through twelve mid-month values."""
    cdef double x = hour / hours * 12.0 - 0.5
    cdef double u
    cdef int k
    if x < 0.0:
        x = x + 12.0
    k = <int>x
    u = x - k
    cdef double a = months[(k + 11) % 12], b = months[k % 12], c = months[(k + 1) % 12], d = months[(k + 2) % 12]
    return b + 0.5 * u * ((c - a) + u * ((2.0 * a - 5.0 * b + 4.0 * c - d) + u * (3.0 * (b - c) + d - a)))


def synthetic_year(*, const double[::1] mean_temp_c, const double[::1] daily_range_k, const double[::1] dew_temp_c,
                   const double[::1] anomaly_k, double pressure_pa):
    """Return (dry bulb, relative humidity) of 8,760 hours made from monthly climate values.

    The dry bulb follows the monthly mean, a daily wave with its peak at 15 h, and slow weather: a sum of four
    waves of 2.7 to 15 days, whose standard deviation is ``anomaly_k``. The dew point follows its monthly mean
    and 0.6 of the same weather; it never exceeds the dry bulb. Nothing is drawn: the same values give the same
    year.

    Args:
        mean_temp_c, daily_range_k, dew_temp_c, anomaly_k: twelve monthly values.
        pressure_pa: pressure of the site.
    """
    if not (mean_temp_c.shape[0] == daily_range_k.shape[0] == dew_temp_c.shape[0] == anomaly_k.shape[0] == 12):
        raise ValueError("twelve monthly values are needed")
    temps, humidity = np.empty(8760), np.empty(8760)
    cdef double[::1] t = temps
    cdef double[::1] rh = humidity
    cdef Py_ssize_t i
    cdef double hour, weather, dew, hours = 8760.0
    with nogil:
        for i in range(8760):
            hour = <double>(i + 1)
            # whole numbers of waves a year, so that the year closes; root mean square of the sum is 1
            weather = 0.70710678118654752 * (
                law_sin(TWO_PI * 24.0 * hour / hours) + law_sin(TWO_PI * 47.0 * hour / hours + 2.1)
                + law_sin(TWO_PI * 79.0 * hour / hours + 4.4) + law_sin(TWO_PI * 133.0 * hour / hours + 0.7))
            weather = weather * _of_year(anomaly_k, hour, hours)
            t[i] = (_of_year(mean_temp_c, hour, hours) + weather
                    + 0.5 * _of_year(daily_range_k, hour, hours) * law_cos(TWO_PI * (hour - 15.0) / 24.0))
            dew = _of_year(dew_temp_c, hour, hours) + 0.6 * weather
            dew = t[i] if dew > t[i] else dew
            rh[i] = law_saturation_pressure_pa(dew) / law_saturation_pressure_pa(t[i])
    return temps, humidity
