"""The electrical tree of a site: loads upward with their losses, availability downward, UPS and generators between.

One tick:

1. sources:  generators start, synchronise, take over and hand back; ``mains_share`` is the part of the tick in which
             the main bus is live, to the exact instant.
2. shares:   the part of the tick in which each node is live, from the root down. A UPS with energy in its battery is
             live whatever happens above it.
3. loads:    every load is put on its feeds: half on each of two live ones, all on the only one. What a load drew
             while its supply was dead is summed in ``coast_w``: it stops at the next tick. Network and storage of a
             hall get what their feeds give (``hall_service_w``).
4. sweep:    from the leaves up, power out of a node plus its loss is drawn from its parent. A UPS draws what
             its rectifier carries (it walks in after an outage); its battery gives the rest.
5. energise: what is live now; loads without a live feed stop in the next tick.

Power is the mean of the tick. ``source = utility + generators + coast = IT + cooling + losses + battery charging``
holds to rounding.
"""

import numpy as np

from twin._kernels.power_check import check_tree

from twin._kernels.laws cimport law_genset_fuel, law_group_loss, law_ramp_integral

cdef enum UpsMode:
    ONLINE, ON_BATTERY, BYPASS, OFF

cdef enum GeneratorState:
    STANDBY, STARTING, RUNNING, COOLING, FAILED

cdef double NEVER = 1e300


cdef class PowerTree:
    """The tree bound to its buffers; ``run(dt_s)`` advances it, ``energise()`` refreshes availability.

    Args:
        params: arrays by name: ``parent units rating_w c0_w c1 c2_per_w`` of the nodes (``twin/site/electrical.py``
            explains them), ``ups_elec battery_capacity_j charge_w ups_params``, ``generator_params``, ``mains``,
            ``plant_design_w`` (one element each) and ``rack_feed cdu_feed crah_feed hall_feed plant_feed``.
        loads: power of what hangs on the feeds, W: ``rack_w cdu_w crah_w network_w storage_w plant_w``,
            and ``rack_protected``, racks that have switched themselves off.
        state: the columns of the power block by name.
    """

    # parameters
    cdef const double[::1] rating, c0, c1, c2, capacity, charge
    cdef const int[::1] parent, units, ups_elec
    cdef const int[:, ::1] rack_feed, cdu_feed, crah_feed, hall_feed, plant_feed
    cdef double discharge_efficiency, charge_efficiency, walk_in, over_continuous, over_10min, over_1min, over_battery
    cdef double gen_rating, start_delay, start_time, sync_time, retransfer, cooldown, fuel_full, fuel_idle
    cdef double plant_design
    cdef Py_ssize_t mains, ups_first, ups_last
    # loads
    cdef const double[::1] rack_w, cdu_w, crah_w, network_w, storage_w, plant_w
    cdef const int[::1] rack_protected
    # state
    cdef double[::1] elec_load, elec_loss, elec_load_frac, battery, battery_frac, battery_power, walked, overload
    cdef double[::1] gen_timer, gen_power, gen_fuel, outage, sync, back, fuel_rate, coast, utility_w, source_w
    cdef double[::1] service, it_w, cooling_w, loss_w, tick_in, tick_out, tick_stored
    cdef int[::1] elec_energised, rack_energised, cdu_energised, crah_energised, hall_energised, plant_energised
    cdef int[::1] ups_mode, gen_state, on_generators, plant_shed
    cdef const int[::1] elec_up, ups_failed, gen_fault, utility_up
    # scratch of one tick
    cdef double[::1] share, out
    cdef int[::1] ups_of
    cdef double mains_share, utility_part, stored, rectifier_limit
    cdef int hand_back, running

    def __init__(self, *, params, loads, state):
        n, u = len(params["parent"]), len(params["ups_elec"])
        check_tree(params, loads, state, n, u)
        self._bind_params(params)
        self._bind_loads(loads)
        self._bind_state(state)
        self.share, self.out = np.zeros(n), np.zeros(n)
        of = np.full(n, -1, dtype=np.int32)
        of[np.asarray(params["ups_elec"])] = np.arange(u, dtype=np.int32)
        self.ups_of = of
        self.ups_first = params["ups_elec"][0] if u else n
        self.ups_last = self.ups_first + u - 1 if u else self.mains

    def _bind_params(self, p):
        self.parent, self.units, self.ups_elec = p["parent"], p["units"], p["ups_elec"]
        self.mains = int(p["mains"][0])
        self.rating, self.c0, self.c1, self.c2 = p["rating_w"], p["c0_w"], p["c1"], p["c2_per_w"]
        self.capacity, self.charge = p["battery_capacity_j"], p["charge_w"]
        (self.discharge_efficiency, self.charge_efficiency, self.walk_in, self.over_continuous, self.over_10min,
         self.over_1min, self.over_battery) = (float(x) for x in p["ups_params"])
        (self.gen_rating, self.start_delay, self.start_time, self.sync_time, self.retransfer, self.cooldown,
         self.fuel_full, self.fuel_idle) = (float(x) for x in p["generator_params"])
        self.plant_design = float(p["plant_design_w"][0])
        self.rack_feed, self.cdu_feed, self.crah_feed = p["rack_feed"], p["cdu_feed"], p["crah_feed"]
        self.hall_feed, self.plant_feed = p["hall_feed"], p["plant_feed"]

    def _bind_loads(self, w):
        self.rack_w, self.cdu_w, self.crah_w = w["rack_w"], w["cdu_w"], w["crah_w"]
        self.network_w, self.storage_w, self.plant_w = w["network_w"], w["storage_w"], w["plant_w"]
        self.rack_protected = w["rack_protected"]

    def _bind_state(self, s):
        self.elec_load, self.elec_loss, self.elec_load_frac = s["elec_load_w"], s["elec_loss_w"], s["elec_load_frac"]
        self.battery, self.battery_frac, self.battery_power = s["battery_j"], s["battery_frac"], s["battery_power_w"]
        self.walked, self.overload, self.ups_mode = s["ups_walk_in_frac"], s["ups_overload_frac"], s["ups_mode"]
        self.gen_timer, self.gen_power = s["generator_timer_s"], s["generator_power_w"]
        self.gen_fuel, self.gen_state = s["generator_fuel_kg"], s["generator_state"]
        self.outage, self.sync, self.back = s["outage_s"], s["generator_sync_s"], s["utility_back_s"]
        self.fuel_rate, self.coast = s["fuel_kg_s"], s["coast_w"]
        self.utility_w, self.source_w, self.it_w = s["utility_w"], s["source_w"], s["it_w"]
        self.service, self.cooling_w, self.loss_w = s["hall_service_w"], s["cooling_w"], s["loss_w"]
        self.tick_in, self.tick_out, self.tick_stored = s["tick_in_j"], s["tick_out_j"], s["tick_stored_j"]
        self.elec_energised, self.rack_energised = s["elec_energised"], s["rack_energised"]
        self.cdu_energised, self.crah_energised = s["cdu_energised"], s["crah_energised"]
        self.hall_energised, self.plant_energised = s["hall_energised"], s["plant_energised"]
        self.on_generators, self.plant_shed = s["mains_on_generators"], s["plant_shed"]
        self.elec_up, self.ups_failed = s["elec_up"], s["ups_failed"]
        self.gen_fault, self.utility_up = s["generator_fault"], s["utility_up"]

    # ---- what Python calls ---------------------------------------------------------------------------------

    def run(self, double dt_s):
        """Advance by ``dt_s`` seconds, > 0."""
        with nogil:
            self._sources(dt_s)
            self._shares(self.mains_share)
            self._attach()
            self._sweep(dt_s)
            self._book(dt_s)
            self._energise(False)

    def energise(self):
        """Recompute what is live from the present state, after a fault or a load from a snapshot."""
        with nogil:
            self._energise(True)

    def next_event_s(self):
        """Return the time to the next change by itself (start, take-over, empty battery ...), s; -1 for none."""
        cdef double best = NEVER, t
        cdef Py_ssize_t k
        live = self.utility_up[0] and self.elec_up[0]
        waiting = False
        for k in range(self.gen_state.shape[0]):
            t = NEVER
            if self.gen_state[k] == STANDBY and not live:
                t = max(self.start_delay - self.outage[0], 0.0)
            elif self.gen_state[k] == STARTING:
                t = self.start_time - self.gen_timer[k]
            elif self.gen_state[k] == COOLING:
                t = self.cooldown - self.gen_timer[k]
            elif self.gen_state[k] == RUNNING:
                waiting = True
            best = min(best, t)
        if waiting and not self.on_generators[0] and not live:
            best = min(best, self.sync_time - self.sync[0])
        if self.on_generators[0] and live:
            best = min(best, self.retransfer - self.back[0])
        for k in range(self.battery.shape[0]):
            if self.battery_power[k] > 0.0 and self.battery[k] > 0.0:
                best = min(best, self.battery[k] * self.discharge_efficiency / self.battery_power[k])
            if self.walked[k] < 1.0 and self.elec_energised[self.parent[self.ups_elec[k]]]:
                best = min(best, (1.0 - self.walked[k]) * self.walk_in)
        return best if best < NEVER else -1.0

    # ---- 1. sources ----------------------------------------------------------------------------------------

    cdef void _sources(self, double dt) noexcept nogil:
        cdef int live = self.utility_up[0] != 0 and self.elec_up[0] != 0
        cdef double lost_before = self.outage[0], ready, waited = self.sync[0], at
        self.outage[0] = 0.0 if live else lost_before + dt
        ready = self._crank(dt, not live or self.on_generators[0] != 0, lost_before)
        self.sync[0] = 0.0
        self.hand_back = 0
        self.utility_part = 0.0
        if self.on_generators[0] and self.running == 0:
            self.on_generators[0] = 0
        if self.on_generators[0]:
            self.mains_share = 1.0
            self.back[0] = self.back[0] + dt if live else 0.0
            if live and self.back[0] >= self.retransfer:
                at = max(dt - (self.back[0] - self.retransfer), 0.0)
                self.utility_part = (dt - at) / dt
                self.hand_back = 1
                self.on_generators[0] = 0
                self.back[0] = 0.0
        elif live:
            self.mains_share = 1.0
            self.utility_part = 1.0
        else:
            self.mains_share = 0.0
            if ready <= dt and self.running > 0:
                at = ready + max(self.sync_time - waited, 0.0)
                if at <= dt:
                    self.on_generators[0] = 1
                    self.mains_share = (dt - at) / dt
                else:
                    self.sync[0] = waited + (dt - ready)

    cdef double _crank(self, double dt, int wanted, double lost_before) noexcept nogil:
        """Advance the generators; return the instant in the tick at which all that can start are running."""
        cdef double ready = 0.0, wait, finish
        cdef Py_ssize_t g
        self.running = 0
        for g in range(self.gen_state.shape[0]):
            if not wanted:
                self._stand_down(g, dt)
                continue
            if self.gen_state[g] == COOLING:       # still turning: takes the load again
                self.gen_state[g] = RUNNING
                self.gen_timer[g] = 0.0
            if self.gen_state[g] == STANDBY:
                wait = 0.0 if self.on_generators[0] else max(self.start_delay - lost_before, 0.0)
                if wait > dt:
                    if not self.gen_fault[g]:
                        ready = NEVER
                    continue
                self.gen_state[g] = STARTING
                self.gen_timer[g] = -wait
            if self.gen_state[g] == STARTING:
                finish = self.start_time - self.gen_timer[g]
                if finish > dt:
                    self.gen_timer[g] += dt
                    if not self.gen_fault[g]:
                        ready = NEVER
                    continue
                self.gen_state[g] = FAILED if self.gen_fault[g] else RUNNING
                self.gen_timer[g] = dt - finish
                if self.gen_state[g] == RUNNING:
                    ready = max(ready, finish)
            else:
                self.gen_timer[g] += dt
            if self.gen_state[g] == RUNNING:
                self.running += 1
        return ready

    cdef void _stand_down(self, Py_ssize_t g, double dt) noexcept nogil:
        self.gen_timer[g] += dt
        if self.gen_state[g] == STARTING:
            self.gen_state[g] = STANDBY
            self.gen_timer[g] = 0.0
        elif self.gen_state[g] == RUNNING:
            self.gen_state[g] = COOLING
            self.gen_timer[g] = 0.0
        elif self.gen_state[g] == COOLING and self.gen_timer[g] >= self.cooldown:
            self.gen_state[g] = STANDBY
            self.gen_timer[g] = 0.0

    # ---- 2. shares -----------------------------------------------------------------------------------------

    cdef void _shares(self, double mains_share) noexcept nogil:
        """Part of the tick in which each node is live; 0 or 1 except below mains that came alive within it."""
        cdef Py_ssize_t i
        cdef int u
        cdef double s
        for i in range(self.parent.shape[0]):
            if i == self.mains:
                s = mains_share
            elif i == 0:
                s = 1.0 if self.utility_up[0] else 0.0
            else:
                s = self.share[self.parent[i]]
            if self.elec_up[i] == 0:
                s = 0.0
            u = self.ups_of[i]
            if u >= 0 and self.elec_up[i]:
                if self.ups_failed[u] >= self.units[i]:
                    s = 0.0
                elif self.ups_mode[u] != BYPASS and self.battery[u] > 0.0:
                    s = 1.0
            self.share[i] = s

    # ---- 3. loads ------------------------------------------------------------------------------------------

    cdef void _attach(self) noexcept nogil:
        cdef Py_ssize_t i
        cdef double it = 0.0, cooling = 0.0
        self.coast[0] = 0.0         # services come first, so that it holds only what a hall was not given
        for i in range(self.out.shape[0]):
            self.out[i] = 0.0
        for i in range(self.network_w.shape[0]):
            self._put(self.network_w[i] + self.storage_w[i], self.hall_feed[i, 0], self.hall_feed[i, 1])
            self.service[i] = self.network_w[i] + self.storage_w[i] - self.coast[0]
            self.coast[0] = 0.0
            it += self.service[i]
        for i in range(self.rack_w.shape[0]):
            self._put(self.rack_w[i], self.rack_feed[i, 0], self.rack_feed[i, 1])
            it += self.rack_w[i]
        for i in range(self.cdu_w.shape[0]):
            self._put(self.cdu_w[i], self.cdu_feed[i, 0], self.cdu_feed[i, 1])
            cooling += self.cdu_w[i]
        for i in range(self.crah_w.shape[0]):
            self._put(self.crah_w[i], self.crah_feed[i, 0], self.crah_feed[i, 1])
            cooling += self.crah_w[i]
        if self.plant_shed[0]:
            self.coast[0] += self.plant_w[0]
        else:
            self._put(self.plant_w[0], self.plant_feed[0, 0], self.plant_feed[0, 1])
        self.it_w[0] = it
        self.cooling_w[0] = cooling + self.plant_w[0]

    cdef inline void _put(self, double p, int a, int b) noexcept nogil:
        cdef double sa = self.share[a] if a >= 0 else 0.0
        cdef double sb = self.share[b] if b >= 0 else 0.0
        cdef double half
        if sa > 0.0 and sb > 0.0:
            half = 0.5 * p
            self.out[a] += half * sa
            self.out[b] += half * sb
            self.coast[0] += half * (1.0 - sa) + half * (1.0 - sb)
        elif sa > 0.0:
            self.out[a] += p * sa
            self.coast[0] += p * (1.0 - sa)
        elif sb > 0.0:
            self.out[b] += p * sb
            self.coast[0] += p * (1.0 - sb)
        else:
            self.coast[0] += p

    # ---- 4. sweep ------------------------------------------------------------------------------------------

    cdef void _sweep(self, double dt) noexcept nogil:
        cdef Py_ssize_t i
        self.stored = 0.0
        for i in range(self.out.shape[0] - 1, self.ups_last, -1):
            self._carry(i)
        self._limit()
        for i in range(self.ups_last, self.ups_first - 1, -1):
            self._ups(i, self.ups_of[i], dt)
        for i in range(min(self.ups_first - 1, self.ups_last), self.mains, -1):
            self._carry(i)
        self._carry(self.mains)

    cdef inline double _loss(self, Py_ssize_t i, double units, double p, double s) noexcept nogil:
        return s * law_group_loss(p / s, units, self.c0[i], self.c1[i], self.c2[i]) if s > 0.0 else 0.0

    cdef inline void _carry(self, Py_ssize_t i) noexcept nogil:
        cdef double loss = self._loss(i, self.units[i], self.out[i], self.share[i])
        self.elec_loss[i] = loss
        self.elec_load[i] = self.out[i] + loss
        self.elec_load_frac[i] = self.out[i] / (self.units[i] * self.rating[i])
        if i > self.mains:
            self.out[self.parent[i]] += self.elec_load[i]

    cdef void _limit(self) noexcept nogil:
        """On generators: what of the UPS load they can carry beside the plant; sheds the plant before the racks."""
        cdef double able, ups = 0.0, plant = 0.0
        cdef Py_ssize_t i
        self.rectifier_limit = 1.0
        if not self.on_generators[0]:
            self.plant_shed[0] = 0
            return
        for i in range(self.ups_first, self.ups_last + 1):
            if self.share[self.parent[i]] > 0.0 and self.share[i] > 0.0:
                ups += self.out[i] + self._loss(i, self._modules(i), self.out[i], 1.0)
        if not self.plant_shed[0]:
            plant = self.plant_w[0]
        able = self.running * self.gen_rating
        if not self.plant_shed[0] and ups + plant > able:
            self.plant_shed[0] = 1
        elif self.plant_shed[0] and ups + self.plant_design <= able:
            self.plant_shed[0] = 0
        if ups + plant > able:
            self.rectifier_limit = max(able - plant, 0.0) / ups if ups > 0.0 else 1.0

    cdef inline double _modules(self, Py_ssize_t i) noexcept nogil:
        return max(self.units[i] - self.ups_failed[self.ups_of[i]], 1)

    cdef void _ups(self, Py_ssize_t i, int u, double dt) noexcept nogil:
        """Split the load of a UPS between rectifier and battery, charge or drain it, watch its overload."""
        cdef double p = self.out[i], above = self.share[self.parent[i]], modules = self._modules(i)
        cdef double before = self.battery[u], carried = 0.0, loss = 0.0, drawn = 0.0, given, need
        cdef double x = p / (modules * self.rating[i])
        self.elec_load_frac[i] = x
        if self.share[i] <= 0.0:
            self.walked[u] = 0.0
        elif self.ups_mode[u] == BYPASS:
            drawn = p
            self.walked[u] = 1.0 if above > 0.0 else 0.0
        else:
            carried = self._walk_in(u, above, dt) * self.rectifier_limit
            loss = carried * self._loss(i, modules, p, 1.0 if before > 0.0 else self.share[i])
            given = (1.0 - carried) * p
            if given > 0.0:
                need = given / self.discharge_efficiency * dt
                if need >= before:
                    self.battery[u] = 0.0
                    need = before
                    self.coast[0] += given - before * self.discharge_efficiency / dt
                    given = before * self.discharge_efficiency / dt
                else:
                    self.battery[u] = before - need
                loss += (before - self.battery[u]) / dt - given
            drawn = carried * p + carried * self._loss(i, modules, p, 1.0 if before > 0.0 else self.share[i])
            if carried >= 1.0 and before < self.capacity[u] and not self.on_generators[0]:
                self.battery[u] = min(self.capacity[u], before + self.charge_efficiency * self.charge[u] * dt)
                need = (self.battery[u] - before) / (self.charge_efficiency * dt)
                drawn += need
                loss += need - (self.battery[u] - before) / dt
        self.stored += self.battery[u] - before
        self.battery_power[u] = (before - self.battery[u]) / dt
        self.battery_frac[u] = self.battery[u] / self.capacity[u] if self.capacity[u] > 0.0 else 0.0
        self.elec_loss[i] = loss
        self.elec_load[i] = drawn
        self.out[self.parent[i]] += drawn
        self._watch(i, u, x, carried, above, dt)

    cdef double _walk_in(self, int u, double above, double dt) noexcept nogil:
        """Mean share of the tick that the rectifier carries. Without a battery there is nothing to walk in from."""
        cdef double time = above * dt, start = self.walked[u] if above >= 1.0 else 0.0
        if self.battery[u] <= 0.0:
            self.walked[u] = 1.0 if above > 0.0 else 0.0
            return self.walked[u]
        if self.walk_in <= 0.0:
            self.walked[u] = 1.0 if above > 0.0 else 0.0
        else:
            self.walked[u] = min(start + time / self.walk_in, 1.0) if above > 0.0 else 0.0
        if above >= 1.0 and start >= 1.0:
            return 1.0
        return min(law_ramp_integral(start, time, self.walk_in) / dt, 1.0)

    cdef void _watch(self, Py_ssize_t i, int u, double x, double carried, double above, double dt) noexcept nogil:
        """Mode of the UPS; too much load for too long sends it to bypass, until the load fits again."""
        cdef double allowed = NEVER
        if self.share[i] <= 0.0:
            self.overload[u] = 0.0
            return
        if self.ups_mode[u] == BYPASS:
            if above > 0.0 and x <= 1.0:
                self.ups_mode[u] = ONLINE
                self.overload[u] = 0.0
            return
        self.ups_mode[u] = ON_BATTERY if carried < 1.0 and self.battery_power[u] > 0.0 else ONLINE
        if x > self.over_1min:
            allowed = 0.0
        elif x > self.over_10min or (carried < 1.0 and x > self.over_battery):
            allowed = 60.0
        elif x > self.over_continuous:
            allowed = 600.0
        if allowed < NEVER:
            self.overload[u] += dt / allowed if allowed > 0.0 else 1.0
        else:
            self.overload[u] = max(self.overload[u] - dt / 600.0, 0.0)
        if self.overload[u] >= 1.0:
            self.overload[u] = 1.0
            self.ups_mode[u] = BYPASS

    # ---- 5. books and availability -------------------------------------------------------------------------

    cdef void _book(self, double dt) noexcept nogil:
        cdef double total = self.elec_load[self.mains], generators, each, fuel = 0.0, loss = 0.0
        cdef Py_ssize_t i
        self.utility_w[0] = total * self.utility_part
        generators = total - self.utility_w[0]
        if self.mains > 0:
            self.elec_load[0] = self.utility_w[0]
            self.elec_loss[0] = 0.0
            self.elec_load_frac[0] = self.utility_w[0] / (self.units[0] * self.rating[0])
        for i in range(self.gen_state.shape[0]):
            self.gen_power[i] = 0.0
            if self.gen_state[i] != RUNNING:
                continue
            self.gen_power[i] = generators / self.running
            each = law_genset_fuel(self.gen_power[i], self.gen_rating, self.fuel_full, self.fuel_idle)
            self.gen_fuel[i] += each * dt
            fuel += each
            if self.hand_back:
                self.gen_state[i] = COOLING
                self.gen_timer[i] = 0.0
        self.fuel_rate[0] = fuel
        for i in range(self.elec_loss.shape[0]):
            loss += self.elec_loss[i]
        self.loss_w[0] = loss
        self.source_w[0] = total + self.coast[0]
        self.tick_in[0] = self.source_w[0] * dt
        self.tick_out[0] = (self.it_w[0] + self.cooling_w[0] + loss) * dt
        self.tick_stored[0] = self.stored

    cdef void _energise(self, bint again) noexcept nogil:
        """What is live now, a pure function of the state: loads without a live feed stop in the next tick.

        ``again``: between two runs, where nothing may change unless a fault or a command changed something.
        """
        cdef Py_ssize_t i
        cdef int u, running = 0
        for i in range(self.gen_state.shape[0]):
            running += self.gen_state[i] == RUNNING
        if self.on_generators[0]:
            self._shares(1.0 if running else 0.0)
        else:
            self._shares(1.0 if self.utility_up[0] and self.elec_up[0] else 0.0)
        for i in range(self.share.shape[0]):
            self.elec_energised[i] = self.share[i] > 0.0
            u = self.ups_of[i]
            if u >= 0:
                if self.ups_failed[u] >= self.units[i] or (self.share[i] <= 0.0 and self.ups_mode[u] != BYPASS):
                    self.ups_mode[u] = OFF
                elif self.ups_mode[u] == OFF:
                    self.ups_mode[u] = ONLINE
        for i in range(self.rack_energised.shape[0]):
            # A rack that has tripped since the last run is live until the next one, whether or not this is asked again.
            self.rack_energised[i] = (self._fed(self.rack_feed[i, 0], self.rack_feed[i, 1])
                                      and not (self.rack_protected[i] and not (again and self.rack_energised[i])))
        for i in range(self.cdu_energised.shape[0]):
            self.cdu_energised[i] = self._fed(self.cdu_feed[i, 0], self.cdu_feed[i, 1])
        for i in range(self.crah_energised.shape[0]):
            self.crah_energised[i] = self._fed(self.crah_feed[i, 0], self.crah_feed[i, 1])
        for i in range(self.hall_energised.shape[0]):
            self.hall_energised[i] = self._fed(self.hall_feed[i, 0], self.hall_feed[i, 1])
        self.plant_energised[0] = self._fed(self.plant_feed[0, 0], self.plant_feed[0, 1]) and not self.plant_shed[0]

    cdef inline int _fed(self, int a, int b) noexcept nogil:
        return (a >= 0 and self.share[a] > 0.0) or (b >= 0 and self.share[b] > 0.0)
