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



def pg25_properties(double temp_c):
    """Return (density kg/m3, specific heat J/kgK, viscosity Pa s, conductivity W/mK) of PG25.

    Args:
        temp_c: temperature, degC, 20 .. 65.

    Source: Melinder (2010), as in CoolProp INCOMP::MPG at 25.85 % by mass; own fits within 0.05 %.

    >>> [round(x, 4) for x in pg25_properties(40.0)]
    [1010.5009, 3958.5, 0.0014, 0.4813]
    """
    return (law_pg25_rho_kg_m3(temp_c), law_pg25_cp_j_kgk(temp_c), law_pg25_mu_pa_s(temp_c),
            law_pg25_k_w_mk(temp_c))


def coolant_mu(double temp_c, double ln_0, double ln_1, double ln_2, double ln_3, double ln_4):
    """Return the viscosity of a coolant of the catalogue, Pa s: 1e-3 exp(ln_0 + ln_1 T + ... + ln_4 T^4).

    >>> round(coolant_mu(40.0, 1.7535, -0.048128, 3.6635e-4, -1.3608e-6, 0.0), 6)
    0.001387
    """
    return law_coolant_mu_pa_s(temp_c, ln_0, ln_1, ln_2, ln_3, ln_4)


def coolant_rho(double temp_c, double rho_0, double rho_1, double rho_2):
    """Return the density of a coolant of the catalogue, kg/m3: rho_0 + rho_1 T + rho_2 T^2.

    >>> round(coolant_rho(40.0, 1027.697, -0.328846, -0.00252639), 2)
    1010.5
    """
    return law_coolant_rho_kg_m3(temp_c, rho_0, rho_1, rho_2)


def water_properties(double temp_c):
    """Return (density kg/m3, specific heat J/kgK, viscosity Pa s) of water at 3 bar.

    Args:
        temp_c: temperature, degC, 1 .. 70.

    Source: IAPWS-95 by way of CoolProp; own fits within 0.02 % (viscosity 0.08 %).

    >>> [round(x, 5) for x in water_properties(25.0)]
    [997.14698, 4180.58009, 0.00089]
    """
    return law_water_rho_kg_m3(temp_c), law_water_cp_j_kgk(temp_c), law_water_mu_pa_s(temp_c)


def flow_for_return(double heat_w, double return_c, double supply_c, double rho_kg_m3, double cp_j_kgk):
    """Return the flow that carries a heat at a given return temperature, m3/s.

    >>> round(flow_for_return(1e6, 55.0, 40.0, 1000.0, 4000.0), 6)
    0.016667
    """
    return law_flow_for_return_m3_s(heat_w, return_c, supply_c, rho_kg_m3, cp_j_kgk)


# ---- chips ------------------------------------------------------------------------------------------------


def voltage_frac(double clock):
    """Return the supply voltage over nominal at ``clock`` (over nominal): max(0.65, 0.35 + 0.65 f/f0).

    >>> voltage_frac(1.0), voltage_frac(0.2)
    (1.0, 0.65)
    """
    return law_voltage_frac(clock)


def leakage_w(double leak_ref_w, double beta_per_k, double above_ref_k):
    """Return the leakage power at nominal voltage, W: P_ref exp(beta (T - T_ref)), held beyond 90 K.

    Args:
        leak_ref_w: leakage at the reference temperature, W.
        beta_per_k: 0.010 .. 0.015 per K.
        above_ref_k: junction temperature above the reference, K.

    >>> round(leakage_w(100.0, 0.0125, 10.0), 3)
    113.315
    """
    return law_leakage_w(leak_ref_w, beta_per_k, above_ref_k)


def cap_clock(double dynamic_w, double leak_w, double room_w):
    """Return the clock (over nominal) at which dynamic and leakage power fill ``room_w``, W.

    Args:
        dynamic_w: dynamic power at nominal clock and voltage beyond idle, W.
        leak_w: leakage at nominal voltage, W.
        room_w: what the cap leaves after idle and memory power, W.

    >>> round(cap_clock(500.0, 100.0, 600.0), 2)
    1.0
    """
    return law_cap_clock(dynamic_w, leak_w, room_w)


def plate_resistance_k_w(double design_k_w, double flow_ratio, double exponent, double floor_ratio):
    """Return the resistance from plate or sink to the mean coolant, K/W: R0 (V/V0)^-n, at most floor_ratio R0.

    >>> round(plate_resistance_k_w(0.0109, 1.9 / 1.25, 0.6, 12.0), 4), plate_resistance_k_w(0.01, 0.0, 0.6, 12.0)
    (0.0085, 0.12)
    """
    return law_plate_resistance_k_w(design_k_w, flow_ratio, exponent, floor_ratio)


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


def ha_ratio(double flow_ratio, double exponent, double temp_c, double temp_ref_c):
    """Return a film's conductance over its rated value: (m/m0)^exponent (1 + 0.006 (T - T0)).

    Source: Modelica Buildings, HADryCoil.

    >>> round(ha_ratio(0.5, 0.8, 40.0, 40.0), 6)
    0.574349
    """
    return law_ha_ratio(flow_ratio, exponent, temp_c, temp_ref_c)


def series_ua(double ha_1_w_k, double ha_2_w_k):
    """Return the conductance of two films in series, W/K.

    >>> series_ua(300.0, 600.0)
    200.0
    """
    return law_series_ua_w_k(ha_1_w_k, ha_2_w_k)


def branch_flow(double dp, double conductance, double exponent):
    """Return the flow through a branch of dp = K V^n: G dp^(1/n), G = K^(-1/n).

    Parallel branches share a flow in proportion to G. Any consistent units.

    >>> round(branch_flow(65.24, 0.006849 ** (-1 / 1.897), 1.897), 1)
    125.2
    """
    return law_branch_flow(dp, conductance, exponent)


def branch_viscosity_ratio(double mu_ratio, double rho_ratio, double exponent):
    """Return the factor on K of dp = K V^n when the coolant changes: (mu/mu0)^(2-n) (rho/rho0)^(n-1).

    >>> branch_viscosity_ratio(1.0, 1.0, 1.897)
    1.0
    """
    return law_branch_viscosity_ratio(mu_ratio, rho_ratio, exponent)


def vessel_pressure(double liquid_m3, double volume_m3, double precharge_pa):
    """Return the absolute pressure of an expansion vessel that holds a volume of liquid, Pa: p0 V / (V - V_liquid).

    >>> round(vessel_pressure(0.025, 0.05, 2e5))
    400000
    """
    return law_vessel_pressure_pa(liquid_m3, volume_m3, precharge_pa)


def leak_flow(double diameter_m, double discharge, double dp_pa, double rho_kg_m3):
    """Return the flow through a round hole, kg/s: Cd A sqrt(2 rho dp); 0 for dp <= 0.

    >>> round(leak_flow(0.005, 0.61, 2e5, 1000.0), 4)
    0.2395
    """
    return law_leak_kg_s(diameter_m, discharge, dp_pa, rho_kg_m3)


def pump_head(double flow_m3_s, double speed, double h0, double b, double a):
    """Return the head of a pump, Pa: n^2 H0 + n b V + a V^2.

    >>> pump_head(0.0, 0.5, 400e3, 0.0, -1e8)
    100000.0
    """
    return law_pump_head_pa(flow_m3_s, speed, h0, b, a)


def pump_flow(double dp_pa, double speed, double h0, double b, double a):
    """Return the flow of a pump against a pressure, m3/s; 0 when its check valve is shut.

    >>> pump_flow(500e3, 1.0, 400e3, 0.0, -1e8), round(pump_flow(300e3, 1.0, 400e3, 0.0, -1e9), 6)
    (0.0, 0.01)
    """
    return law_pump_flow_m3_s(dp_pa, speed, h0, b, a)


def pump_speed(double flow_m3_s, double dp_pa, double h0, double b, double a):
    """Return the speed (1 is nominal) at which a pump delivers a flow against a pressure.

    >>> pump_speed(0.0, 100e3, 400e3, 0.0, -1e8)
    0.5
    """
    return law_pump_speed(flow_m3_s, dp_pa, h0, b, a)


def pump_power(double head_pa, double speed, double flow_m3_s, double best_flow_m3_s, double efficiency):
    """Return the electrical power of a pump, W: H V / eta, eta = eta_best x (2 - x), x = V / (n V_best).

    >>> round(pump_power(250e3, 1.0, 0.02, 0.02, 0.5), 3)
    10000.0
    """
    return law_pump_power_w(head_pa, speed, flow_m3_s, best_flow_m3_s, efficiency)


def coast_down(double speed, double dt_s, double tau_s):
    """Return the speed of a pump after coasting: n / (1 + n dt / tau).

    >>> coast_down(1.0, 2.0, 2.0), coast_down(coast_down(1.0, 1.5, 2.0), 0.5, 2.0)
    (0.5, 0.5)
    """
    return law_coast_down(speed, dt_s, tau_s)


def valve_share(double opening):
    """Return the flow share of an equal-percentage valve: (30^x - 1)/29.

    >>> valve_share(0.0), round(valve_share(1.0), 12)
    (0.0, 1.0)
    """
    return law_valve_share(opening)


# ---- hall air ---------------------------------------------------------------------------------------------


def fan_power_w(double speed_frac, double design_w):
    """Return the power of a fan, W, at a share of its design speed on an unchanged system.

    P = P0 s^3, since flow follows speed and pressure its square. Source: fan affinity laws, ASHRAE Handbook HVAC
    Systems and Equipment, chapter 21.

    >>> round(fan_power_w(0.8, 1000.0), 9), fan_power_w(0.5, 1000.0)
    (512.0, 125.0)
    """
    return law_fan_power_w(speed_frac, design_w)


def equal_percentage(double opening_frac, double range_ratio=30.0):
    """Return the flow share of an equal-percentage valve that closes tight: (R^x - 1)/(R - 1).

    >>> equal_percentage(0.0), equal_percentage(1.0)
    (0.0, 1.0)
    """
    return law_equal_percentage(opening_frac, range_ratio)


def coil_w_k(double air_w_k, double water_w_k, double ua_w_k):
    """Return the heat of a dry coil per kelvin between entering air and entering water, W/K.

    eps Cmin with the effectiveness of cross-flow, both streams unmixed; 0 when a stream stands still.

    >>> round(coil_w_k(1000.0, 1000.0, 1000.0), 2), coil_w_k(0.0, 1000.0, 1000.0)
    (468.54, 0.0)
    """
    return law_coil_w_k(air_w_k, water_w_k, ua_w_k)


# ---- electrical -------------------------------------------------------------------------------------------


def group_loss(double p_w, double units, double c0_w, double c1, double c2_per_w):
    """Return the loss in W of ``units`` like machines in parallel that deliver ``p_w`` together.

    ``units (c0 + c1 q + c2 q^2)`` with ``q = p / units``. A transformer has c1 = 0 (no-load and load loss), a UPS all
    three, a busway only c2 (I^2 R at constant voltage).

    Args:
        p_w: power out of the group, W, >= 0.
        units: machines that share it, >= 1.

    Source: IEC 60076-1 (transformer losses); quadratic fit of vendors' UPS efficiency curves.

    Transformer of 2.5 MVA with 2.95 kW and 11.8 kW at half load:

    >>> round(group_loss(1.25e6, 1, 2950.0, 0.0, 11800.0 / 2.5e6**2), 6)
    5900.0
    """
    return law_group_loss(p_w, units, c0_w, c1, c2_per_w)


def converter_input(double p_w, double fixed_w, double efficiency_frac):
    """Return the power in W into a converter that delivers ``p_w``: ``(p + fixed) / efficiency``.

    Source: rectifier and node-converter model of the Frontier system in ExaDigiT RAPS.

    >>> round(converter_input(626.26, 13.0, 0.98), 3)
    652.306
    """
    return law_converter_input(p_w, fixed_w, efficiency_frac)


def peaked_loss(double p_w, double peak_at_w, double peak_efficiency_frac):
    """Return the loss in W of a converter whose efficiency peaks at a known load.

    At the peak a loss of the form ``c0 + c2 p^2`` is half constant and half quadratic, so
    ``loss = 0.5 (1-e)/e (p0 + p^2/p0)``.

    Args:
        p_w: delivered power, W.
        peak_at_w: load of the peak, W, > 0.
        peak_efficiency_frac: efficiency there, 0..1.

    >>> round(132e3 / (132e3 + peaked_loss(132e3, 132e3, 0.975)), 6)
    0.975
    """
    return law_peaked_loss(p_w, peak_at_w, peak_efficiency_frac)


def ramp_integral(double start_frac, double time_s, double ramp_s):
    """Return the integral in s, over ``time_s``, of a share that ramps from ``start_frac`` to 1 and stays there.

    ``ramp_s`` is the time from 0 to 1. This is the walk-in of a UPS rectifier.

    >>> ramp_integral(0.0, 20.0, 10.0), ramp_integral(0.5, 2.0, 10.0)
    (15.0, 1.2)
    """
    return law_ramp_integral(start_frac, time_s, ramp_s)


def genset_fuel_l_h(double p_w, double rating_w, double full_l_kwh, double no_load_frac):
    """Return the fuel in L/h of a generator set that delivers ``p_w`` (Willans line).

    Args:
        full_l_kwh: specific consumption at full load, L/kWh.
        no_load_frac: consumption at no load over that at full load.

    >>> round(genset_fuel_l_h(3e6, 3e6, 0.2687, 0.1), 1)
    806.1
    """
    return law_genset_fuel(p_w, rating_w, full_l_kwh, no_load_frac) / 1000.0

# ---- plant ------------------------------------------------------------------------------------------------



def dry_cooler_ua_ratio(double water_ratio, double air_ratio, double air_share):
    """Return UA of a dry cooler over its rated UA, by water and air flow over rated.

    Args:
        water_ratio, air_ratio: flows over rated, >= 0.
        air_share: share of the rated resistance on the air side, 0 .. 1.

    >>> round(dry_cooler_ua_ratio(1.0, 1.0, 0.6), 12), dry_cooler_ua_ratio(1.0, 0.0, 0.6)
    (1.0, 0.0)
    """
    return law_dry_cooler_ua_ratio(water_ratio, air_ratio, air_share)


def tower_ua_ratio(double air_ratio, double water_ratio, double wet_bulb_drop_k):
    """Return UA of a Merkel tower over its rated UA (air and water over rated, rated less actual wet bulb).

    Source: EnergyPlus CoolingTower:VariableSpeed:Merkel.

    >>> round(tower_ua_ratio(1.0, 1.0, 0.0), 4)
    1.0039
    """
    return law_tower_ua_ratio(air_ratio, water_ratio, wet_bulb_drop_k)


def tower_heat(double ua_w_k, double air_kg_s, double water_w_k, double air_cp_j_kgk, double water_in_c,
               double wet_bulb_c, double pressure_pa=101325.0):
    """Return (heat W, wet bulb of the leaving air degC) of a counterflow cooling tower (Merkel).

    Args:
        ua_w_k: conductance, W/K, on the basis of air_cp_j_kgk.
        air_kg_s: dry air, kg/s.
        water_w_k: heat capacity flow of the water, W/K.
        air_cp_j_kgk: specific heat of the moist air, J/kgK.
        water_in_c, wet_bulb_c: entering water and entering wet bulb, degC.
        pressure_pa: air pressure, Pa.

    Source: EnergyPlus Engineering Reference, CoolingTower:VariableSpeed:Merkel.

    >>> tower_heat(1955.0, 0.65, 4500.0, 1025.0, 25.6, 25.6)
    (0.0, 25.6)
    """
    cdef double wet_out
    cdef double heat = law_tower_heat_w(ua_w_k, air_kg_s, water_w_k, air_cp_j_kgk, water_in_c, wet_bulb_c,
                                        pressure_pa, &wet_out)
    return heat, wet_out


def part_load_ratio(double load, double a0, double a1, double a2):
    """Return the efficiency of a chiller at part load over that at full load: a0 + a1 x + a2 x^2.

    >>> part_load_ratio(0.5, 0.5, 1.0, -0.5)
    0.875
    """
    return law_part_load_ratio(load, a0, a1, a2)


def carnot_cop(double cold_c, double hot_c, double efficiency, double lift_min_k=8.0, double cop_max=25.0):
    """Return the coefficient of performance of a chiller between refrigerant temperatures (degC).

    Source: Modelica Buildings, Chillers.Carnot.

    >>> round(carnot_cop(6.85, 46.85, 0.5), 3), carnot_cop(20.0, 15.0, 0.9)
    (3.5, 25.0)
    """
    return law_carnot_cop(cold_c, hot_c, efficiency, lift_min_k, cop_max)


# ---- network, workload ------------------------------------------------------------------------------------


def bus_factor(double ranks):
    """Return bus bandwidth over algorithm bandwidth of an all-reduce: 2 (n - 1) / n.

    Source: Thakur, Rabenseifner and Gropp, IJHPCA 19 (2005); the factor that nccl-tests reports.

    >>> bus_factor(8.0), bus_factor(1.0)
    (1.75, 0.0)
    """
    return law_bus_factor(ranks)


def ring_allreduce_time_s(double size_bytes, double ranks, double rate_bytes_s, double hop_s=0.0):
    """Return the time of a ring all-reduce, s: 2 (n - 1) (alpha + S / (n B)).

    Args:
        size_bytes: buffer of each rank, S.
        ranks: n >= 1.
        rate_bytes_s: link rate of a rank, one direction, B > 0.
        hop_s: latency of a step, alpha.

    Source: Thakur, Rabenseifner and Gropp, IJHPCA 19 (2005).

    >>> ring_allreduce_time_s(1e9, 4.0, 1e9), ring_allreduce_time_s(1e9, 1.0, 1e9)
    (1.5, 0.0)
    """
    return law_ring_allreduce_time_s(size_bytes, ranks, rate_bytes_s, hop_s)


def tree_allreduce_time_s(double size_bytes, double ranks, double rate_bytes_s, double hop_s=0.0):
    """Return the time of a pipelined double-binary-tree all-reduce, s: 2 alpha log2(n) + 2 S / B.

    Arguments as for ``ring_allreduce_time_s``. Source: Sanders, Speck and Traeff, Parallel Computing 35 (2009).

    >>> tree_allreduce_time_s(1e9, 8.0, 1e9), round(tree_allreduce_time_s(0.0, 8.0, 1e9, 0.001), 12)
    (2.0, 0.006)
    """
    return law_tree_allreduce_time_s(size_bytes, ranks, rate_bytes_s, hop_s)


def hierarchical_allreduce_time_s(double size_bytes, double domains, double gpus, double inner_bytes_s,
                                  double outer_bytes_s, double outer_hop_s=0.0):
    """Return the time of an all-reduce over scale-up domains joined rail by rail, s.

    Reduce-scatter and all-gather inside the domain, 2 (g-1)/g S / B_in, around a ring all-reduce of S / g between
    the domains on every rail.

    Args:
        size_bytes: buffer of each GPU, S.
        domains, gpus: scale-up domains, and GPUs in each, g.
        inner_bytes_s, outer_bytes_s: rate of a GPU inside its domain and on its NIC, one direction.
        outer_hop_s: latency of a step between domains.

    >>> round(hierarchical_allreduce_time_s(8e9, 2.0, 8.0, 400e9, 50e9), 12)
    0.055
    """
    return law_hierarchical_allreduce_time_s(size_bytes, domains, gpus, inner_bytes_s, outer_bytes_s, outer_hop_s)


def young_interval(double write_s, double mtbf_s):
    """Return Young's interval between checkpoints, sqrt(2 C M), s.

    Args:
        write_s: time that a checkpoint stops the job, s, > 0 and far below the mean time.
        mtbf_s: mean time between interruptions, s, > 0.

    Source: Young (1974), doi:10.1145/361147.361115.

    >>> round(young_interval(60.0, 11124.0))
    1155
    """
    return law_young_interval(write_s, mtbf_s)


def daly_interval(double write_s, double mtbf_s):
    """Return Daly's higher-order interval between checkpoints, s; the mean time itself from C = 2 M on.

    Args:
        write_s, mtbf_s: as for ``young_interval``.

    Source: Daly (2006), doi:10.1016/j.future.2004.11.016.

    >>> round(daly_interval(60.0, 11124.0))
    1116
    """
    return law_daly_interval(write_s, mtbf_s)


# ---- immersion --------------------------------------------------------------------------------------------

def boiling_pressure_pa(double temp_c, double boil_c, double slope_k):
    """Return the vapour pressure of a fluid by Clausius and Clapeyron, Pa.

    Args:
        temp_c: temperature, degC, within about 30 K of the normal boiling point.
        boil_c: normal boiling point, degC.
        slope_k: B of ln(p/p0) = B (1/T0 - 1/T), K.

    >>> round(boiling_pressure_pa(49.05, 49.05, 3592.6))
    101325
    """
    return law_boiling_pressure_pa(temp_c, boil_c, slope_k)


def vapour_density_kg_m3(double pressure_pa, double temp_c, double boil_c, double boil_kg_m3):
    """Return the density of saturated vapour, kg/m3, from that at the normal boiling point.

    >>> vapour_density_kg_m3(101325.0, 49.05, 49.05, 12.78)
    12.78
    """
    return law_vapour_density_kg_m3(pressure_pa, temp_c, boil_c, boil_kg_m3)


def zuber_w_m2(double k, double latent_j_kg, double vapour_kg_m3, double liquid_kg_m3, double tension_n_m):
    """Return the critical heat flux of pool boiling, W/m2.

    Args:
        k: 0.131 (Zuber) or 0.149 (large flat plate).
        latent_j_kg, vapour_kg_m3, liquid_kg_m3, tension_n_m: properties at saturation.

    Source: Zuber (1959); Lienhard and Dhir (1973).

    >>> round(zuber_w_m2(0.149, 87948.0, 12.78, 1527.0, 8.64e-3), -3)
    158000.0
    """
    return law_zuber_w_m2(k, latent_j_kg, vapour_kg_m3, liquid_kg_m3, tension_n_m)


def zuber_minimum_w_m2(double latent_j_kg, double vapour_kg_m3, double liquid_kg_m3, double tension_n_m):
    """Return the least heat flux that keeps a film of vapour, W/m2.

    Source: Zuber (1959), constant of Berenson (1961).

    >>> round(zuber_minimum_w_m2(87948.0, 12.78, 1527.0, 8.64e-3), -2)
    8700.0
    """
    return law_zuber_minimum_w_m2(latent_j_kg, vapour_kg_m3, liquid_kg_m3, tension_n_m)


def buoyant_flow_kg_s(double warmer_k, double rho_kg_m3, double expansion_per_k, double height_m, double design_kg_s,
                      double design_pa, double exponent):
    """Return the flow that a warm column drives through boards in a bath, kg/s.

    Args:
        warmer_k: how much warmer the column is than the bath beside it, K.
        rho_kg_m3, expansion_per_k: density and thermal expansion of the fluid.
        height_m: height of the column.
        design_kg_s, design_pa, exponent: resistance of the boards, dp = design_pa (m / design_kg_s)^exponent.

    >>> round(buoyant_flow_kg_s(10.0, 815.0, 8e-4, 0.8, 1.9, 200.0, 1.3), 2)
    0.67
    """
    return law_buoyant_flow_kg_s(warmer_k, rho_kg_m3, expansion_per_k, height_m, design_kg_s, design_pa, exponent)


def orifice_kg_s(double area_m2, double density_kg_m3, double dp_pa):
    """Return the flow out of an opening, A sqrt(2 rho dp), kg/s; 0 when dp is not positive.

    >>> round(orifice_kg_s(1e-3, 12.78, 5000.0), 4)
    0.3575
    """
    return law_orifice_kg_s(area_m2, density_kg_m3, dp_pa)
