"""Roll up the power of racks: GPUs and auxiliaries to nodes, chassis, shelves and the rack's input.

From the inside out, for one rack:

    node    = (GPUs + auxiliaries + node_fixed) / node_efficiency
    chassis = (its nodes + chassis_switch + chassis_fixed) / chassis_efficiency     when nodes come in chassis
    rack    = nodes or chassis + rack_switch + fans
    input   = rack + shelf loss (efficiency peaks at shelf_peak_w)                  when the rack has power shelves

Fans are metered as the air domain published them. What enters and is not the GPUs' becomes heat here: of everything but
the fans, ``liquid_frac`` goes to the coolant and the rest to the air; fan power goes to the air. A rack without
power has no conversion and no constant consumers.
"""

from twin._kernels.laws cimport law_converter_input, law_peaked_loss


cdef int _same(name, a, b) except -1:
    if a != b:
        raise ValueError(f"{name}: {a} elements where {b} are expected")
    return 0


cdef class RackRollup:
    """The racks' roll-up, bound to its buffers; ``run()`` fills node and rack power."""

    cdef const int[::1] rack_node_ptr, node_gpu_ptr, rack_class, chassis_nodes, rack_energised
    cdef const double[::1] node_fixed, node_efficiency, chassis_switch, chassis_fixed, chassis_efficiency
    cdef const double[::1] rack_switch, shelf_peak, shelf_efficiency, liquid_frac
    cdef const double[::1] gpu_power, node_aux, fan_power
    cdef double[::1] node_input, rack_input, liquid_heat, air_heat

    def __init__(self, *, const int[::1] rack_node_ptr, const int[::1] node_gpu_ptr, const int[::1] rack_class,
                 const int[::1] chassis_nodes, const double[::1] node_fixed_w, const double[::1] node_efficiency_frac,
                 const double[::1] chassis_switch_w, const double[::1] chassis_fixed_w,
                 const double[::1] chassis_efficiency_frac, const double[::1] rack_switch_w,
                 const double[::1] shelf_peak_w, const double[::1] shelf_efficiency_frac,
                 const double[::1] liquid_frac, const double[::1] gpu_power_w, const double[::1] node_aux_w,
                 const double[::1] fan_power_w, const int[::1] rack_energised, double[::1] node_input_w,
                 double[::1] rack_input_w, double[::1] liquid_heat_w, double[::1] air_heat_w):
        racks, nodes = rack_class.shape[0], node_aux_w.shape[0]
        classes = node_fixed_w.shape[0]
        for name, size in (("rack_node_ptr", rack_node_ptr.shape[0] - 1), ("fan_power_w", fan_power_w.shape[0]),
                           ("rack_energised", rack_energised.shape[0]), ("rack_input_w", rack_input_w.shape[0]),
                           ("liquid_heat_w", liquid_heat_w.shape[0]), ("air_heat_w", air_heat_w.shape[0])):
            _same(name, size, racks)
        for name, size in (("node_gpu_ptr", node_gpu_ptr.shape[0] - 1), ("node_input_w", node_input_w.shape[0])):
            _same(name, size, nodes)
        for name, size in (("chassis_nodes", chassis_nodes.shape[0]), ("liquid_frac", liquid_frac.shape[0]),
                           ("node_efficiency_frac", node_efficiency_frac.shape[0]),
                           ("chassis_switch_w", chassis_switch_w.shape[0]),
                           ("chassis_fixed_w", chassis_fixed_w.shape[0]),
                           ("chassis_efficiency_frac", chassis_efficiency_frac.shape[0]),
                           ("rack_switch_w", rack_switch_w.shape[0]), ("shelf_peak_w", shelf_peak_w.shape[0]),
                           ("shelf_efficiency_frac", shelf_efficiency_frac.shape[0])):
            _same(name, size, classes)
        if racks and (rack_node_ptr[racks] != nodes or node_gpu_ptr[nodes] != gpu_power_w.shape[0]):
            raise ValueError("rack_node_ptr and node_gpu_ptr must end at the number of nodes and GPUs")
        if racks and not 0 <= min(rack_class) <= max(rack_class) < classes:
            raise ValueError("rack_class names a class that does not exist")
        self.rack_node_ptr, self.node_gpu_ptr, self.rack_class = rack_node_ptr, node_gpu_ptr, rack_class
        self.chassis_nodes, self.node_fixed, self.node_efficiency = chassis_nodes, node_fixed_w, node_efficiency_frac
        self.chassis_switch, self.chassis_fixed = chassis_switch_w, chassis_fixed_w
        self.chassis_efficiency, self.rack_switch = chassis_efficiency_frac, rack_switch_w
        self.shelf_peak, self.shelf_efficiency, self.liquid_frac = shelf_peak_w, shelf_efficiency_frac, liquid_frac
        self.gpu_power, self.node_aux, self.fan_power = gpu_power_w, node_aux_w, fan_power_w
        self.rack_energised, self.node_input, self.rack_input = rack_energised, node_input_w, rack_input_w
        self.liquid_heat, self.air_heat = liquid_heat_w, air_heat_w

    def run(self):
        """Compute every node and rack; sums go in index order."""
        cdef Py_ssize_t r
        with nogil:
            for r in range(self.rack_class.shape[0]):
                if self.rack_energised[r]:
                    self._live(r)
                else:
                    self._dead(r)

    cdef inline double _gpus(self, Py_ssize_t n) noexcept nogil:
        """Sum of the node's GPUs in index order; the usual four without a loop."""
        cdef const double* gpu = &self.gpu_power[0] + self.node_gpu_ptr[n]
        cdef Py_ssize_t k, count = self.node_gpu_ptr[n + 1] - self.node_gpu_ptr[n]
        cdef double g = 0.0
        if count == 4:
            return ((gpu[0] + gpu[1]) + gpu[2]) + gpu[3]
        for k in range(count):
            g += gpu[k]
        return g

    cdef void _live(self, Py_ssize_t r) noexcept nogil:
        cdef int c = self.rack_class[r], per = self.chassis_nodes[c], filled = 0
        cdef double fixed = self.node_fixed[c], efficiency = self.node_efficiency[c]
        cdef double gpus = 0.0, inside = 0.0, chassis = 0.0, g, p, total, rest, fan
        cdef Py_ssize_t n, last = self.rack_node_ptr[r + 1]
        for n in range(self.rack_node_ptr[r], last):
            g = self._gpus(n)
            p = law_converter_input(g + self.node_aux[n], fixed, efficiency)
            self.node_input[n] = p
            gpus += g
            if per == 0:
                inside += p
                continue
            chassis += p
            filled += 1
            if filled == per or n == last - 1:
                inside += law_converter_input(chassis + self.chassis_switch[c], self.chassis_fixed[c],
                                              self.chassis_efficiency[c])
                chassis = 0.0
                filled = 0
        fan = self.fan_power[r]
        total = inside + self.rack_switch[c] + fan
        if self.shelf_peak[c] > 0.0:
            total += law_peaked_loss(total, self.shelf_peak[c], self.shelf_efficiency[c])
        rest = total - gpus - fan
        self.rack_input[r] = total
        self.liquid_heat[r] = rest * self.liquid_frac[c]
        self.air_heat[r] = (rest - self.liquid_heat[r]) + fan

    cdef void _dead(self, Py_ssize_t r) noexcept nogil:
        """A rack without power: only what was already metered (devices and fans of this tick) flows."""
        cdef double gpus = 0.0, other = 0.0, g
        cdef Py_ssize_t n
        for n in range(self.rack_node_ptr[r], self.rack_node_ptr[r + 1]):
            g = self._gpus(n)
            self.node_input[n] = g + self.node_aux[n]
            gpus += g
            other += self.node_aux[n]
        self.rack_input[r] = gpus + other + self.fan_power[r]
        self.liquid_heat[r] = other * self.liquid_frac[self.rack_class[r]]
        self.air_heat[r] = (other - self.liquid_heat[r]) + self.fan_power[r]
