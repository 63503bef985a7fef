"""What is exported as metrics: one row per Prometheus family, from the columns of a frame.

The names of a family end in its base unit, as Prometheus wants; counters end in ``_total``. GPUs carry the names
of NVIDIA's DCGM exporter, so that dashboards made for real GPUs show simulated ones; see ``GPU_FIELDS``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from twin.arrays import F64, I32

Kind = Literal["gauge", "counter"]


@dataclass(frozen=True, slots=True)
class Family:
    """One ``twin_*`` family.

    Attributes:
        name: as exposed, the ending ``_total`` of a counter included.
        kind: gauge or counter.
        column: ``block.column`` of the frame.
        labels: a set of labels of ``twin.export.labels``; one for each element of the column, or for some.
        doc: one sentence, with the unit when the name cannot say it.
        scale: the exposed value over the column's.
    """

    name: str
    kind: Kind
    column: str
    labels: str
    doc: str
    scale: float = 1.0


#: power, temperature and flow of everything that is not a GPU
FAMILIES: tuple[Family, ...] = (
    # ---- racks
    Family("twin_rack_power_watts", "gauge", "power.rack_input_w", "rack", "Power into the rack."),
    Family("twin_rack_gpu_power_watts", "gauge", "chip.rack_gpu_power_w", "rack", "Power of the rack's GPUs."),
    Family("twin_rack_gpu_temperature_max_celsius", "gauge", "chip.rack_gpu_temp_c_max", "rack",
           "Hottest junction of the rack."),
    Family("twin_rack_gpus_throttled", "gauge", "chip.rack_throttled", "rack",
           "GPUs of the rack that are throttled by temperature or shut down."),
    Family("twin_rack_power_cap_ratio", "gauge", "compute.rack_cap_frac", "rack",
           "Power cap of the rack's GPUs over their TDP."),
    Family("twin_rack_energised", "gauge", "power.rack_energised", "rack", "1 while a feed of the rack is live."),
    Family("twin_rack_coolant_supply_celsius", "gauge", "liquid.rack_supply_temp_c", "liquid_rack",
           "Coolant into the rack."),
    Family("twin_rack_coolant_return_celsius", "gauge", "liquid.rack_return_temp_c", "liquid_rack",
           "Coolant out of the rack."),
    Family("twin_rack_coolant_flow_grams_per_second", "gauge", "liquid.rack_flow_kg_s", "liquid_rack",
           "Coolant through the rack.", scale=1e3),
    Family("twin_rack_air_inlet_celsius", "gauge", "air.rack_inlet_temp_c", "rack",
           "Air into the rack, mean over its height."),
    Family("twin_rack_air_outlet_celsius", "gauge", "air.rack_outlet_temp_c", "rack", "Air out of the rack."),
    Family("twin_rack_air_flow_cubic_metres_per_second", "gauge", "air.rack_air_flow_m3_s", "rack",
           "Air through the rack."),
    Family("twin_rack_fan_power_watts", "gauge", "air.rack_fan_power_w", "rack", "Power of the rack's server fans."),
    # ---- coolant distribution
    Family("twin_cdu_supply_celsius", "gauge", "liquid.cdu_supply_temp_c", "cdu", "Secondary coolant out of the CDU."),
    Family("twin_cdu_supply_setpoint_celsius", "gauge", "liquid.cdu_supply_setpoint_c", "cdu",
           "Set-point of the secondary supply."),
    Family("twin_cdu_return_celsius", "gauge", "liquid.cdu_return_temp_c", "cdu", "Secondary coolant into the CDU."),
    Family("twin_cdu_flow_grams_per_second", "gauge", "liquid.cdu_flow_kg_s", "cdu", "Secondary flow.", scale=1e3),
    Family("twin_cdu_primary_flow_grams_per_second", "gauge", "liquid.cdu_primary_flow_kg_s", "cdu",
           "Facility water through the CDU.", scale=1e3),
    Family("twin_cdu_primary_return_celsius", "gauge", "liquid.cdu_primary_return_temp_c", "cdu",
           "Facility water out of the CDU."),
    Family("twin_cdu_valve_ratio", "gauge", "liquid.cdu_valve_frac", "cdu", "Opening of the primary valve."),
    Family("twin_cdu_heat_watts", "gauge", "liquid.cdu_heat_w", "cdu", "Heat given to the plant loop."),
    Family("twin_cdu_power_watts", "gauge", "liquid.cdu_power_w", "cdu", "Power of pumps and controls."),
    Family("twin_cdu_fault", "gauge", "liquid.cdu_fault", "cdu", "1 while the CDU is out of service."),
    Family("twin_cdu_pump_speed_ratio", "gauge", "liquid.pump_speed_frac", "pump", "Speed of the pump over nominal."),
    Family("twin_cdu_pump_fault", "gauge", "liquid.pump_fault", "pump", "1 while the pump is tripped."),
    Family("twin_row_differential_pressure_pascals", "gauge", "liquid.tcs_dp_pa", "tcs",
           "Differential pressure across the racks of the row's coolant loop."),
    Family("twin_row_coolant_flow_grams_per_second", "gauge", "liquid.tcs_flow_kg_s", "tcs",
           "Flow of the row's coolant loop.", scale=1e3),
    # ---- hall air
    Family("twin_crah_supply_celsius", "gauge", "air.crah_supply_temp_c", "crah", "Air out of the CRAH."),
    Family("twin_crah_return_celsius", "gauge", "air.crah_return_temp_c", "crah", "Air into the CRAH."),
    Family("twin_crah_fan_ratio", "gauge", "air.crah_fan_frac", "crah", "Fan speed over nominal."),
    Family("twin_crah_heat_watts", "gauge", "air.crah_heat_w", "crah", "Heat given to the plant loop."),
    Family("twin_crah_power_watts", "gauge", "air.crah_power_w", "crah", "Power of the CRAH's fans."),
    Family("twin_crah_fault", "gauge", "air.crah_fault", "crah", "1 while the CRAH's fan is tripped."),
    # ---- plant and weather
    Family("twin_loop_supply_celsius", "gauge", "plant.loop_supply_temp_c", "loop", "Water towards the halls."),
    Family("twin_loop_return_celsius", "gauge", "plant.loop_return_temp_c", "loop", "Water back from the halls."),
    Family("twin_loop_setpoint_celsius", "gauge", "plant.loop_setpoint_c", "loop", "Set-point of the supply."),
    Family("twin_loop_flow_grams_per_second", "gauge", "plant.loop_flow_kg_s", "loop", "Flow of the loop.", scale=1e3),
    Family("twin_loop_pump_power_watts", "gauge", "plant.loop_pump_power_w", "loop", "Distribution pumps."),
    Family("twin_rejector_heat_watts", "gauge", "plant.rejector_heat_w", "rejector", "Heat to the outdoor air."),
    Family("twin_rejector_power_watts", "gauge", "plant.rejector_power_w", "rejector", "Power of the fans."),
    Family("twin_rejector_fan_ratio", "gauge", "plant.rejector_speed_frac", "rejector", "Fan speed over nominal."),
    Family("twin_rejector_units_failed", "gauge", "plant.rejector_fault", "rejector", "Units out of service."),
    Family("twin_chiller_heat_watts", "gauge", "plant.chiller_heat_w", "chiller", "Heat taken from the loop."),
    Family("twin_chiller_power_watts", "gauge", "plant.chiller_power_w", "chiller", "Power of the compressors."),
    Family("twin_chiller_cop_ratio", "gauge", "plant.chiller_cop", "chiller", "Coefficient of performance."),
    Family("twin_chiller_units_failed", "gauge", "plant.chiller_fault", "chiller", "Chillers out of service."),
    Family("twin_plant_power_watts", "gauge", "plant.power_w", "one", "All machines of the plant."),
    Family("twin_plant_rejected_heat_watts", "gauge", "plant.rejected_heat_w", "one", "Heat to the outdoor air."),
    Family("twin_plant_makeup_water_grams_per_second", "gauge", "plant.makeup_kg_s", "one",
           "Water drawn: evaporation, drift, blow-down.", scale=1e3),
    Family("twin_outdoor_celsius", "gauge", "weather.outdoor_temp_c", "one", "Outdoor dry-bulb temperature."),
    Family("twin_outdoor_wet_bulb_celsius", "gauge", "weather.wet_bulb_temp_c", "one",
           "Outdoor wet-bulb temperature."),
    # ---- power
    Family("twin_electrical_load_watts", "gauge", "power.elec_load_w", "elec", "Power into the node of the tree."),
    Family("twin_electrical_loss_watts", "gauge", "power.elec_loss_w", "elec", "Loss in the node."),
    Family("twin_electrical_load_ratio", "gauge", "power.elec_load_frac", "elec",
           "Power out of the node over the rating of its live units."),
    Family("twin_electrical_energised", "gauge", "power.elec_energised", "elec", "1 while the node is live."),
    Family("twin_ups_battery_ratio", "gauge", "power.battery_frac", "ups", "Energy in the battery over its capacity."),
    Family("twin_ups_battery_power_watts", "gauge", "power.battery_power_w", "ups",
           "Power taken from the battery, negative while it charges."),
    Family("twin_ups_mode", "gauge", "power.ups_mode", "ups", "0 online, 1 on battery, 2 bypass, 3 off."),
    Family("twin_generator_power_watts", "gauge", "power.generator_power_w", "generator", "Power of the generator."),
    Family("twin_generator_state", "gauge", "power.generator_state", "generator",
           "0 standby, 1 starting, 2 running, 3 cooling down, 4 failed."),
    Family("twin_utility_power_watts", "gauge", "power.utility_w", "one", "Power drawn from the utility."),
    Family("twin_utility_up", "gauge", "power.utility_up", "one", "1 while the utility delivers."),
    Family("twin_facility_power_watts", "gauge", "power.source_w", "one", "Power from utility and generators."),
    Family("twin_it_power_watts", "gauge", "power.it_w", "one", "Power at the rack inputs, network and storage too."),
    Family("twin_cooling_power_watts", "gauge", "power.cooling_w", "one", "CDUs, CRAHs and plant."),
    Family("twin_loss_power_watts", "gauge", "power.loss_w", "one", "Losses upstream of the racks."),
    Family("twin_pue_ratio", "gauge", "ledger.pue_ratio", "one", "Facility over IT power, last tick."),
    Family("twin_grid_carbon_grams_per_kilowatt_hour", "gauge", "grid.carbon_kg_kwh", "one",
           "Carbon intensity of the grid.", scale=1e3),
    Family("twin_grid_price_dollars_per_kilowatt_hour", "gauge", "grid.price_usd_kwh", "one", "Energy price."),
    Family("twin_it_energy_joules_total", "counter", "ledger.it_energy_j", "one", "Energy at the rack inputs."),
    Family("twin_facility_energy_joules_total", "counter", "ledger.facility_energy_j", "one",
           "Energy from utility and generators."),
    Family("twin_cooling_energy_joules_total", "counter", "ledger.cooling_energy_j", "one",
           "Energy of CDUs, CRAHs and plant."),
    Family("twin_loss_energy_joules_total", "counter", "ledger.loss_energy_j", "one",
           "Energy lost upstream of the racks."),
    Family("twin_water_grams_total", "counter", "ledger.water_kg", "one", "Water drawn.", scale=1e3),
    Family("twin_carbon_grams_total", "counter", "ledger.carbon_kg", "one",
           "Carbon emitted by the energy used.", scale=1e3),
    Family("twin_cost_dollars_total", "counter", "ledger.cost_usd", "one", "Cost of the energy used."),
    Family("twin_fuel_grams_total", "counter", "ledger.fuel_kg", "one", "Fuel burnt by the generators.", scale=1e3),
    Family("twin_energy_residual_max_ratio", "gauge", "ledger.residual_rel_max_ratio", "one",
           "Largest share of a tick's energy that the books could not account for."),
    # ---- network and storage
    Family("twin_network_traffic_bytes_per_second", "gauge", "network.traffic_bytes_s", "one",
           "Traffic injected by all jobs."),
    Family("twin_network_congestion_max_ratio", "gauge", "network.congestion_max_ratio", "one",
           "Largest demand on a link over its live capacity."),
    Family("twin_network_slowdown_max_ratio", "gauge", "network.slowdown_max_ratio", "one",
           "Largest communication time of a job over its uncongested time."),
    Family("twin_network_switches_down", "gauge", "network.switch_down_count", "one", "Switches out of service."),
    Family("twin_network_power_watts", "gauge", "network.hall_power_w", "hall",
           "Switches and optics of the hall."),
    Family("twin_storage_write_bytes_per_second", "gauge", "storage.write_bytes_s", "one",
           "Rate at which all checkpoints are written."),
    Family("twin_storage_power_watts", "gauge", "storage.hall_power_w", "hall", "Storage servers of the hall."),
    # ---- chips and jobs, whole factory
    Family("twin_gpu_temperature_max_celsius", "gauge", "chip.gpu_temp_max_c", "one",
           "Hottest junction of the factory."),
    Family("twin_gpus_throttled", "gauge", "chip.throttled_count", "one",
           "GPUs throttled by temperature or shut down."),
    Family("twin_gpus_allocated", "gauge", "workload.gpus_allocated", "one", "GPUs held by jobs."),
    Family("twin_jobs_running", "gauge", "workload.jobs_running", "one", "Jobs running."),
    Family("twin_jobs_queued", "gauge", "workload.jobs_queued", "one", "Jobs waiting."),
    Family("twin_jobs_restarting", "gauge", "workload.jobs_restarting", "one",
           "Jobs that restart after an interruption."),
    Family("twin_jobs_completed_total", "counter", "workload.jobs_completed", "one", "Jobs completed."),
    Family("twin_jobs_failed_total", "counter", "workload.jobs_failed", "one", "Jobs failed for good."),
    Family("twin_tokens_per_second", "gauge", "workload.tokens_s", "one", "Tokens trained and served per second."),
    Family("twin_tokens_trained_total", "counter", "workload.trained_tokens", "one", "Tokens trained."),
    Family("twin_tokens_served_total", "counter", "workload.served_tokens", "one", "Tokens served."),
    # ---- each job that waits, runs or restarts
    Family("twin_job_gpus", "gauge", "workload.job_gpus", "job", "GPUs of the job."),
    Family("twin_job_state", "gauge", "workload.job_state", "job", "1 queued, 2 running, 5 restarting."),
    Family("twin_job_speed_ratio", "gauge", "workload.job_speed_frac", "job",
           "Progress per second, 1 at nominal speed."),
    Family("twin_job_utilisation_ratio", "gauge", "workload.job_util_frac", "job",
           "Compute activity of the job's GPUs."),
    Family("twin_job_work_done_seconds", "gauge", "workload.job_done_s", "job",
           "Useful work done, in seconds at nominal speed; falls back when the job restarts."),
    Family("twin_job_tokens_per_second", "gauge", "workload.job_tokens_s", "job", "Token rate of the job."),
    Family("twin_job_gpu_power_watts", "gauge", "chip.job_gpu_power_w", "job", "Power of the job's GPU packages."),
    Family("twin_job_gpu_energy_joules", "gauge", "ledger.job_gpu_energy_j", "job",
           "Energy of the job's GPU packages since it was submitted."),
    Family("twin_job_network_slowdown_ratio", "gauge", "network.job_slowdown", "job",
           "Communication time over its uncongested time."),
    Family("twin_job_checkpoint_bytes_per_second", "gauge", "storage.job_write_bytes_s", "job",
           "Rate at which the job's checkpoint is written."),
    Family("twin_job_interruptions", "gauge", "workload.job_failures", "job", "Times the job was interrupted."),
)

#: families that do not come from one column; name -> (kind, labels, meaning)
EXTRA: dict[str, tuple[Kind, str, str]] = {
    "twin_info": ("gauge", "scenario, title, version", "Always 1; the labels say what is simulated by what."),
    "twin_simulated_seconds": ("gauge", "", "Simulated time since the scenario's start."),
    "twin_simulated_unixtime_seconds": ("gauge", "", "Simulated instant, seconds since 1970 UTC."),
    "twin_ticks_total": ("counter", "", "Ticks done."),
    "twin_tick_seconds": ("gauge", "", "Simulated length of the newest tick."),
    "twin_speed_ratio": ("gauge", "", "Simulated seconds per second that are reached."),
    "twin_speed_asked_ratio": ("gauge", "", "Simulated seconds per second that are asked for; +Inf for no limit."),
    "twin_paused": ("gauge", "", "1 while the simulation is paused."),
    "twin_gpus": ("gauge", "", "GPUs of the factory."),
    "twin_gpus_exported": ("gauge", "", "GPUs that have DCGM families of their own."),
    "twin_alarms": ("gauge", "severity", "Alarms that are raised."),
    "twin_alarm": ("gauge", "alarm, place, severity", "1 for each alarm that is raised, at most 500."),
    "twin_fault": ("gauge", "fault, place", "1 for each fault that is active."),
    "twin_events_total": ("counter", "", "Events so far."),
}

# ---- GPUs, by the names of the DCGM exporter ------------------------------------------------------------

#: what the model calls shut down, and its throttle by memory temperature (bits of ``chip.gpu_throttle``)
_SHUT_DOWN, _MEMORY_HOT = 0x200, 0x100
#: NVML: idle, software thermal slowdown (which covers the memory too), and the bits that mean the same in the model
_IDLE, _SW_THERMAL, _SAME = 0x1, 0x20, 0x4 | 0x8 | 0x20 | 0x40
#: NVIDIA's code for a GPU that has fallen off the bus
XID_OFF_BUS = 79


@dataclass(frozen=True, slots=True)
class GpuNow:
    """What the GPU families are made from: arrays by exported GPU."""

    temp_c: F64
    hbm_temp_c: F64
    power_w: F64
    clock_frac: F64
    clock_tdp_hz: F64
    util_frac: F64
    mem_frac: F64
    throttle: I32
    limit_w: F64
    slowdown_c: F64
    shutdown_c: F64
    energy_j: F64


def _reasons(gpu: GpuNow) -> I32:
    memory = np.where(gpu.throttle & _MEMORY_HOT, _SW_THERMAL, 0)
    return (gpu.throttle & _SAME) | memory | np.where(gpu.util_frac <= 0.0, _IDLE, 0)


@dataclass(frozen=True, slots=True)
class GpuField:
    """One DCGM field that the model truly has.

    Attributes:
        name: the field's exact name, without a suffix.
        kind: its type in the exporter.
        doc: meaning here.
        values: from what is known of the GPUs now to one number each; NaN leaves the GPU out.
        digits: digits behind the point.
        listed: in the exporter's list of default counters.
    """

    name: str
    kind: Kind
    doc: str
    values: Callable[[GpuNow], F64 | I32]
    digits: int = 0
    listed: bool = True


GPU_FIELDS: tuple[GpuField, ...] = (
    GpuField("DCGM_FI_DEV_SM_CLOCK", "gauge", "Clock of the compute units, MHz.",
             lambda g: g.clock_frac * g.clock_tdp_hz * 1e-6),
    GpuField("DCGM_FI_DEV_MEMORY_TEMP", "gauge", "Temperature of the memory, degC.", lambda g: g.hbm_temp_c, 1),
    GpuField("DCGM_FI_DEV_GPU_TEMP", "gauge", "Temperature of the junction, degC.", lambda g: g.temp_c, 1),
    GpuField("DCGM_FI_DEV_POWER_USAGE", "gauge", "Electrical power of the package, W.", lambda g: g.power_w, 3),
    GpuField("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", "counter",
             "Energy drawn since the server's start, mJ.", lambda g: np.floor(g.energy_j * 1e3)),
    GpuField("DCGM_FI_DEV_GPU_UTIL", "gauge", "Compute activity, %.", lambda g: g.util_frac * 100.0, 1),
    GpuField("DCGM_FI_DEV_MEM_COPY_UTIL", "gauge", "Memory activity, %.", lambda g: g.mem_frac * 100.0, 1),
    GpuField("DCGM_FI_DEV_XID_ERRORS", "gauge", "XID: 79 while the GPU is off the bus, else 0.",
             lambda g: np.where(g.throttle & _SHUT_DOWN, XID_OFF_BUS, 0)),
    GpuField("DCGM_FI_DEV_CLOCKS_EVENT_REASONS", "gauge", "What limits the clock, bits as in NVML.", _reasons,
             listed=False),
    GpuField("DCGM_FI_DEV_CLOCK_THROTTLE_REASONS", "gauge",
             "The same under its older name.", _reasons, listed=False),
    GpuField("DCGM_FI_DEV_POWER_MGMT_LIMIT", "gauge", "Power cap, W.", lambda g: g.limit_w, 1, listed=False),
    GpuField("DCGM_FI_DEV_SLOWDOWN_TEMP", "gauge", "Junction temperature of the hardware slowdown, degC.",
             lambda g: g.slowdown_c, 1, listed=False),
    GpuField("DCGM_FI_DEV_SHUTDOWN_TEMP", "gauge", "Junction temperature of the shutdown, degC.",
             lambda g: g.shutdown_c, 1, listed=False),
)

#: the exporter's default counters that the model does not have, and why
NOT_SERVED: dict[str, str] = {
    "DCGM_FI_DEV_MEM_CLOCK": "the memory clock does not change in the model",
    "DCGM_FI_DEV_PCIE_TX_THROUGHPUT": "no PCIe", "DCGM_FI_DEV_PCIE_RX_THROUGHPUT": "no PCIe",
    "DCGM_FI_DEV_PCIE_REPLAY_COUNTER": "no PCIe",
    "DCGM_FI_DEV_ENC_UTIL": "no video", "DCGM_FI_DEV_DEC_UTIL": "no video",
    "DCGM_FI_DEV_FB_FREE": "allocation of memory is not modelled",
    "DCGM_FI_DEV_FB_USED": "allocation of memory is not modelled",
    "DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL": "traffic inside a scale-up domain is not counted per GPU",
    "DCGM_FI_DEV_VGPU_LICENSE_STATUS": "no virtual GPUs",
    "DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS": "no memory errors",
    "DCGM_FI_DEV_CORRECTABLE_REMAPPED_ROWS": "no memory errors",
    "DCGM_FI_DEV_ROW_REMAP_FAILURE": "no memory errors",
}


def exposed_names() -> frozenset[str]:
    """Return every family name that the metrics endpoint may show, GPUs' included."""
    return frozenset({f.name for f in FAMILIES} | set(EXTRA) | {f.name for f in GPU_FIELDS})
