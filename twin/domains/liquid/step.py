"""The row loops' stepper: binds the kernel to the state; nothing else is kept."""

from __future__ import annotations

import numpy as np

from twin._kernels import laws
from twin._kernels.liquid import LiquidKernel
from twin.arrays import F64, I32
from twin.domains.liquid.tanks import fill_tanks, tank_kernel
from twin.site.site import Topology
from twin.wiring import Bind

#: opening of the primary valves of CDUs on duty in a fresh state
VALVE_START = 0.75


def rack_streams(topology: Topology) -> I32:
    """Return the coolant stream of each liquid-cooled rack, -1 for the others."""
    out = np.full(len(topology.rack_row), -1, dtype=np.int32)
    for stream, rack in enumerate(topology.stream_rack):
        if not topology.stream_is_air[stream]:
            out[rack] = stream
    return out


class LiquidStepper:
    """Racks, headers, CDUs and their pumps and valves."""

    def __init__(self, bind: Bind) -> None:
        self._bind = bind
        self.kernel = _kernel(bind)
        self.tanks = tank_kernel(bind)
        self._start()

    def step(self, now_ns: int, dt_ns: int) -> None:
        """Advance the row loops by one tick, then the tanks."""
        self.kernel.run(dt_ns * 1e-9)
        if self.tanks is not None:
            self.tanks.run(dt_ns * 1e-9)

    def refresh(self) -> None:
        """Nothing is cached beside the state."""

    def _start(self) -> None:
        """Set-points of the specification, loops at supply temperature, pumps and valves as under load."""
        own, site = self._bind.own, self._bind.site.hydronics
        setpoint = site.cdu["supply_c"]
        own.cdu_supply_setpoint_c[:] = setpoint
        own.cdu_supply_temp_c[:] = setpoint
        own.cdu_valve_frac[:] = own.cdu_valve_integral[:] = VALVE_START * site.cdu["duty"]
        own.tcs_dp_setpoint_pa[:] = site.tcs["design_dp_pa"]
        for t in range(len(own.tcs_supply_temp_c)):
            cdu = int(site.tcs_cdu_ptr[t])
            first, end = site.tcs_rack_ptr[t]
            own.tcs_supply_temp_c[t] = own.tcs_return_temp_c[t] = setpoint[cdu]
            own.rack_supply_temp_c[first:end] = own.rack_return_temp_c[first:end] = setpoint[cdu]
        own.cdu_return_temp_c[:] = setpoint
        for j, loop in enumerate(site.cdu_loop):
            own.cdu_primary_return_temp_c[j] = site.loop["supply_c"][loop]
        self.kernel.prime()
        if self.tanks is not None:
            fill_tanks(self._bind)
            self.tanks.prime()


def _kernel(bind: Bind) -> LiquidKernel:
    own, views, site = bind.own, bind.views, bind.site.hydronics
    tcs, cdu = site.tcs, site.cdu

    def at_reference(column: int) -> F64:
        return np.array([laws.pg25_properties(t)[column] for t in tcs["reference_c"]], dtype=np.float64)

    columns = {col.name: getattr(own, col.name) for col in own.columns if col.axis != "tank"}
    share = cdu["hx_secondary_share_frac"]
    return LiquidKernel(
        racks=len(site.rack_tcs), streams=len(bind.site.topology.stream_rack), tcs=len(tcs["cp_j_kgk"]),
        cdus=len(site.cdu_tcs), pumps=len(site.pump_cdu), loops=len(site.loops),
        rack_first=np.ascontiguousarray(site.tcs_rack_ptr[:, 0]),
        rack_end=np.ascontiguousarray(site.tcs_rack_ptr[:, 1]),
        tcs_cdu_ptr=site.tcs_cdu_ptr, cdu_loop=site.cdu_loop, cdu_pump_ptr=site.cdu_pump_ptr,
        rack_stream=rack_streams(bind.site.topology), rack_conductance=site.rack["conductance"],
        rack_supply_j_k=site.rack["supply_capacity_j_k"], rack_return_j_k=site.rack["return_capacity_j_k"],
        stream_heat_w=views.chip.stream_heat_w, rack_liquid_heat_w=views.power.rack_liquid_heat_w,
        cdu_energised=views.power.cdu_energised, loop_supply_temp_c=views.plant.loop_supply_temp_c,
        loop_flow_frac=views.plant.loop_flow_frac, dew_point_temp_c=views.weather.dew_point_temp_c,
        loop_cp=site.loop["cp_j_kgk"], branch_n=tcs["branch_n"], cp=tcs["cp_j_kgk"], rho=tcs["rho_kg_m3"],
        mu_reference=at_reference(2), rho_reference=at_reference(0), design_flow=tcs["design_flow_m3_s"],
        header_j_k=tcs["header_j_k"], pumps_on_duty=tcs["pumps_on_duty"], pump_h0=tcs["pump_h0_pa"],
        pump_b=tcs["pump_b"], pump_a=tcs["pump_a"], pump_best_flow=tcs["pump_best_flow_m3_s"],
        pump_efficiency=tcs["pump_efficiency_frac"], speed_min=tcs["pump_speed_min_frac"],
        pump_ramp=tcs["pump_ramp_per_s"], coast_tau=tcs["pump_coast_tau_s"],
        primary_flow_design=cdu["primary_flow_design_kg_s"], ha_secondary=cdu["ua_design_w_k"] / share,
        ha_primary=cdu["ua_design_w_k"] / (1.0 - share), hx_exponent=cdu["hx_exponent"],
        hx_secondary_temp_c=cdu["hx_secondary_temp_c"], hx_primary_temp_c=cdu["hx_primary_temp_c"],
        secondary_j_k=cdu["secondary_capacity_j_k"], primary_j_k=cdu["primary_capacity_j_k"],
        secondary_flow_design=cdu["flow_design_m3_s"], controls_w=cdu["controls_w"],
        power_fixed_w=cdu["power_fixed_w"], valve_stroke_s=cdu["valve_stroke_s"], valve_gain=cdu["valve_gain_per_k"],
        valve_reset_s=cdu["valve_reset_s"], sample_s=cdu["sample_s"], dew_point_margin_k=cdu["dew_point_margin_k"],
        **columns,
    )
