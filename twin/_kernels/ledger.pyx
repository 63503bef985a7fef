"""Sum every flux of the tick and check that nothing is missing.

Seen from outside, a tick takes in what utility and generators gave and gives off the losses of the chain and the
heat that the cooling hands to the outdoor air; the rest must be found in the stores of chips, coolant, air, plant
and batteries:

    residual = source - losses - (liquid out + air out + plant out - heat handed to the plant) - change of all stores

Heat that the loops and the hall air give to the plant appears in their "out" and is taken back once, so that what they give
off elsewhere (a site without a plant) still counts.
"""

from libc.math cimport fabs

#: a tick's residual is compared with the energy of at least so much time, s
cdef double ROUNDING_S = 0.1

FLOWS = ("source_w", "it_w", "cooling_w", "loss_w", "utility_w", "fuel_kg_s", "makeup_kg_s", "rejected_heat_w",
         "gpu_temp_max_c", "carbon_kg_kwh", "price_usd_kwh")
STORES = ("chip", "power", "liquid", "air", "plant")
TOTALS = ("it_energy_j", "facility_energy_j", "cooling_energy_j", "loss_energy_j", "rejected_energy_j", "water_kg",
          "carbon_kg", "cost_usd", "fuel_kg", "peak_facility_w", "gpu_temp_c_max", "throttled_gpu_s", "elapsed_s",
          "pue_ratio", "residual_j", "residual_abs_j", "residual_rel_max_ratio")


cdef class Ledger:
    """The ledger bound to its buffers; ``run(dt_s)`` books one tick.

    Args:
        flows: one-element arrays by the names in FLOWS.
        throttled: number of throttled GPUs, one element.
        stores: (in, out, stored) one-element arrays in J, by the names in STORES.
        cdu_heat_w, crah_heat_w: heat given to the plant; empty when there is no plant.
        cdu_air_heat_w: heat that liquid-to-air units give to the halls' air.
        job_submit_ns (int64), job_gpu_power_w: of every job.
        own: the ledger's columns: TOTALS, ``{store}_residual_j``, job_gpu_energy_j and job_counted_ns.
        fuel_carbon_kg_kg, fuel_usd_kg: carbon and cost of a kilogram of fuel.
        joules_per_kwh: 3.6e6.
    """

    cdef const double[::1] source, it, cooling, loss, utility, fuel, makeup, rejected, gpu_temp, intensity, price
    cdef const double[::1] chip_in, chip_out, chip_stored, power_in, power_out, power_stored, liquid_in, liquid_out
    cdef const double[::1] liquid_stored, air_in, air_out, air_stored, plant_in, plant_out, plant_stored
    cdef const double[::1] cdu_air_heat, cdu_heat, crah_heat
    cdef const long long[::1] throttled, job_submit
    cdef const double[::1] job_power
    cdef long long[::1] job_counted
    cdef double[::1] job_j
    cdef double[::1] it_j, facility_j, cooling_j, loss_j, rejected_j, water, carbon, cost, fuel_kg, peak, temp_max
    cdef double[::1] throttled_s, elapsed, pue, residual, residual_abs, residual_rel
    cdef double[::1] chip_residual, power_residual, liquid_residual, air_residual, plant_residual
    cdef double fuel_carbon, fuel_price, joules_per_kwh

    def __init__(self, *, flows, const long long[::1] throttled, stores, const double[::1] cdu_heat_w,
                 const double[::1] cdu_air_heat_w, const double[::1] crah_heat_w, const long long[::1] job_submit_ns,
                 const double[::1] job_gpu_power_w, own, double fuel_carbon_kg_kg, double fuel_usd_kg,
                 double joules_per_kwh):
        one = [*(flows[k] for k in FLOWS), throttled, *(a for k in STORES for a in stores[k]),
               *(own[k] for k in TOTALS), *(own[f"{k}_residual_j"] for k in STORES)]
        if any(len(a) != 1 for a in one):
            raise ValueError("every flow, store and total has one element")
        self.job_j, self.job_counted = own["job_gpu_energy_j"], own["job_counted_ns"]
        self.job_submit, self.job_power = job_submit_ns, job_gpu_power_w
        if not len(self.job_j) == len(self.job_counted) == len(job_submit_ns) == len(job_gpu_power_w):
            raise ValueError("every array of jobs has an element for each job")
        (self.source, self.it, self.cooling, self.loss, self.utility, self.fuel, self.makeup, self.rejected,
         self.gpu_temp, self.intensity, self.price) = (flows[k] for k in FLOWS)
        self.chip_in, self.chip_out, self.chip_stored = stores["chip"]
        self.power_in, self.power_out, self.power_stored = stores["power"]
        self.liquid_in, self.liquid_out, self.liquid_stored = stores["liquid"]
        self.air_in, self.air_out, self.air_stored = stores["air"]
        self.plant_in, self.plant_out, self.plant_stored = stores["plant"]
        self.throttled, self.cdu_heat, self.crah_heat = throttled, cdu_heat_w, crah_heat_w
        self.cdu_air_heat = cdu_air_heat_w
        (self.it_j, self.facility_j, self.cooling_j, self.loss_j, self.rejected_j, self.water, self.carbon, self.cost,
         self.fuel_kg, self.peak, self.temp_max, self.throttled_s, self.elapsed, self.pue, self.residual,
         self.residual_abs, self.residual_rel) = (own[k] for k in TOTALS)
        self.chip_residual, self.power_residual = own["chip_residual_j"], own["power_residual_j"]
        self.liquid_residual, self.air_residual = own["liquid_residual_j"], own["air_residual_j"]
        self.plant_residual = own["plant_residual_j"]
        self.fuel_carbon, self.fuel_price, self.joules_per_kwh = fuel_carbon_kg_kg, fuel_usd_kg, joules_per_kwh

    def run(self, double dt_s):
        """Book the tick of ``dt_s`` seconds that the other domains have just computed."""
        with nogil:
            self._totals(dt_s)
            self._jobs(dt_s)
            self._balance(dt_s)

    cdef void _jobs(self, double dt) noexcept nogil:
        """Energy of each job; a slot that the generator used again begins anew."""
        cdef Py_ssize_t i
        for i in range(self.job_j.shape[0]):
            if self.job_counted[i] != self.job_submit[i]:
                self.job_counted[i] = self.job_submit[i]
                self.job_j[i] = 0.0
            self.job_j[i] += self.job_power[i] * dt

    cdef void _totals(self, double dt) noexcept nogil:
        cdef double kwh = self.utility[0] * dt / self.joules_per_kwh, fuel = self.fuel[0] * dt
        self.it_j[0] += self.it[0] * dt
        self.facility_j[0] += self.source[0] * dt
        self.cooling_j[0] += self.cooling[0] * dt
        self.loss_j[0] += self.loss[0] * dt
        self.rejected_j[0] += self.rejected[0] * dt
        self.water[0] += self.makeup[0] * dt
        self.fuel_kg[0] += fuel
        self.carbon[0] += kwh * self.intensity[0] + fuel * self.fuel_carbon
        self.cost[0] += kwh * self.price[0] + fuel * self.fuel_price
        self.peak[0] = max(self.peak[0], self.source[0])
        self.temp_max[0] = max(self.temp_max[0], self.gpu_temp[0])
        self.throttled_s[0] += self.throttled[0] * dt
        self.elapsed[0] += dt
        self.pue[0] = self.source[0] / self.it[0] if self.it[0] > 0.0 else 0.0

    cdef void _balance(self, double dt) noexcept nogil:
        cdef double handed = 0.0, source = self.source[0] * dt, loss = self.loss[0] * dt, away, kept, scale
        cdef Py_ssize_t i
        for i in range(self.cdu_heat.shape[0]):
            handed += self.cdu_heat[i]
        for i in range(self.cdu_air_heat.shape[0]):
            handed += self.cdu_air_heat[i]
        for i in range(self.crah_heat.shape[0]):
            handed += self.crah_heat[i]
        away = (self.liquid_out[0] + self.air_out[0] - handed * dt) + self.plant_out[0]
        kept = (self.chip_stored[0] + self.power_stored[0] + self.liquid_stored[0] + self.air_stored[0]
                + self.plant_stored[0])
        self.residual[0] = source - loss - away - kept
        self.residual_abs[0] += fabs(self.residual[0])
        # with little or nothing coming in (blackout), the site's largest power so far is the measure
        # What rounding leaves of a large store does not shrink with the tick: a tick cut to milliseconds is not held
        # against its own few joules.
        scale = max(source, self.peak[0] * max(dt, ROUNDING_S))
        if scale > 0.0:
            self.residual_rel[0] = max(self.residual_rel[0], fabs(self.residual[0]) / scale)
        self.chip_residual[0] = self.chip_in[0] - self.chip_out[0] - self.chip_stored[0]
        self.power_residual[0] = self.power_in[0] - self.power_out[0] - self.power_stored[0]
        self.liquid_residual[0] = self.liquid_in[0] - self.liquid_out[0] - self.liquid_stored[0]
        self.air_residual[0] = self.air_in[0] - self.air_out[0] - self.air_stored[0]
        self.plant_residual[0] = self.plant_in[0] - self.plant_out[0] - self.plant_stored[0]
