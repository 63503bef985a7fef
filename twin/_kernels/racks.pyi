from twin.arrays import F64, I32

class RackRollup:
    def __init__(
        self, *, rack_node_ptr: I32, node_gpu_ptr: I32, rack_class: I32, chassis_nodes: I32, node_fixed_w: F64,
        node_efficiency_frac: F64, chassis_switch_w: F64, chassis_fixed_w: F64, chassis_efficiency_frac: F64,
        rack_switch_w: F64, shelf_peak_w: F64, shelf_efficiency_frac: F64, liquid_frac: F64, gpu_power_w: F64,
        node_aux_w: F64, fan_power_w: F64, rack_energised: I32, node_input_w: F64, rack_input_w: F64,
        liquid_heat_w: F64, air_heat_w: F64,
    ) -> None: ...
    def run(self) -> None: ...
