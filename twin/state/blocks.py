"""The twelve blocks of the domains, in the order of the tick. One writer each.

Heat and power handed from one domain to the next are mean watts over the tick just computed, so that
energy is the value times the tick's length on both sides of the seam. A machine whose power is metered
before its own domain runs (pumps, fans, chillers: power runs first) publishes in ``*_power_w`` the power
it draws *next* tick; its domain books exactly that metered value as heat before it writes the new one (CDU pumps
warm the row's coolant, distribution pumps the loop's water, compressors the condenser's side, fans the outdoor air).

Domains that hold energy keep ``tick_in_j``, ``tick_out_j`` and ``tick_stored_j`` (change of stored energy)
of the last tick; the ledger sums them and checks that nothing is missing.
"""

from __future__ import annotations

import math

from twin.state.column import F64, I32, I64, Block, column

_IN = "Energy that entered the domain in the last tick."
_OUT = "Energy that left the domain in the last tick."
_STORED = "Change of the energy stored in the domain in the last tick."


class WeatherState(Block, name="weather"):
    """Outdoor air at the site."""

    outdoor_temp_c: F64 = column("one", "degC", "Outdoor dry-bulb temperature.", role="derived", shown=True, history=True)
    wet_bulb_temp_c: F64 = column("one", "degC", "Outdoor wet-bulb temperature.", role="derived", shown=True, history=True)
    dew_point_temp_c: F64 = column("one", "degC", "Outdoor dew point.", role="derived", shown=True)
    rel_humidity_frac: F64 = column("one", "frac", "Outdoor relative humidity.", role="derived", shown=True)
    humidity_ratio_kg_kg: F64 = column("one", "kg/kg", "Outdoor humidity ratio, water over dry air.", role="derived", shown=True)
    pressure_pa: F64 = column("one", "Pa", "Outdoor air pressure.", role="derived", shown=True)
    offset_temp_k: F64 = column("one", "K", "Added to the outdoor temperature (heat-wave fault).", role="fault")


class WorkloadState(Block, name="workload"):
    """Jobs: queue, placement, progress. ``job_state``: 0 not submitted, 1 queued, 2 running, 3 completed,
    4 failed, 5 restarting (holds its GPUs, makes no progress), 6 empty generator slot."""

    job_state: I32 = column("job", "enum", "0 not submitted, 1 queued, 2 running, 3 completed, 4 failed, 5 restarting, 6 empty slot.", hi=6, shown=True)
    job_submit_ns: I64 = column("job", "ns", "Instant of submission.", shown=True)
    job_start_ns: I64 = column("job", "ns", "Instant of the first start, -1 before.", init=-1, shown=True)
    job_end_ns: I64 = column("job", "ns", "Instant of completion or failure, -1 before.", init=-1, shown=True)
    job_gpus: I32 = column("job", "count", "GPUs of the job.", shown=True)
    job_work_s: F64 = column("job", "s", "Work at nominal speed that completes the job; infinite for services.", hi=math.inf, shown=True)
    job_done_s: F64 = column("job", "s", "Useful work done, in seconds at nominal speed.", shown=True)
    job_saved_s: F64 = column("job", "s", "Work saved by the last checkpoint.")
    job_speed_frac: F64 = column("job", "frac", "Progress per second of the last tick, 1 at nominal speed.", role="derived", shown=True)
    job_phase: I32 = column("job", "enum", "0 idle, 1 compute, 2 checkpoint, 3 restart.", hi=3, shown=True)
    job_next_checkpoint_ns: I64 = column("job", "ns", "Instant of the next checkpoint, -1 for none.", init=-1)
    job_checkpoint_left_bytes: F64 = column("job", "bytes", "Bytes of the running checkpoint still to be written.")
    job_restart_until_ns: I64 = column("job", "ns", "End of the running restart, -1 for none.", init=-1)
    job_anchor_ns: I64 = column("job", "ns", "Instant since which the job's speed is constant.")
    job_anchor_done_s: F64 = column("job", "s", "Work done at that instant.")
    job_rate_frac: F64 = column("job", "frac", "Progress per second since that instant.")
    job_finish_ns: I64 = column("job", "ns", "Instant of completion if the speed stays, -1 for none.", init=-1)
    job_wrote_bytes: F64 = column("job", "bytes", "Checkpoint bytes written in the last tick.", role="derived")
    job_crash: I32 = column("job", "bool", "The job is to be interrupted at the start of the next tick (fault).", role="fault")
    job_active_frac: F64 = column("job", "frac", "Share of the last tick in which the job held its GPUs.", role="derived")
    job_util_frac: F64 = column("job", "frac", "Compute activity of the GPUs that gpu_job gives the job, mean over the whole last tick, time before the start or after the end included; multiply by nothing.", role="derived", shown=True)
    job_mem_frac: F64 = column("job", "frac", "Memory activity of the same GPUs, mean over the whole last tick.", role="derived")
    job_comm_frac: F64 = column("job", "frac", "Share of the step spent in exposed communication at nominal speed.", role="derived")
    job_comm_bytes_s: F64 = column("job", "bytes/s", "Scale-out traffic that each GPU of the job offers when nothing slows it.", role="derived")
    job_tokens: F64 = column("job", "tokens", "Tokens trained or served.", shown=True)
    job_tokens_s: F64 = column("job", "tokens/s", "Token rate of the last tick.", role="derived", shown=True)
    job_backlog_tokens: F64 = column("job", "tokens", "Tokens of requests that wait (inference).", shown=True)
    job_gpu_s: F64 = column("job", "s", "GPU seconds held.")
    job_useful_gpu_s: F64 = column("job", "s", "GPU seconds of useful work.")
    job_failures: I32 = column("job", "count", "Times the job was interrupted.", shown=True)
    gpu_job: I32 = column("gpu", "index", "Job that holds the GPU at the end of the tick, or the last one that held it during the tick; -1 for none.", init=-1, of="job", shown=True)
    node_free: I32 = column("node", "count", "GPUs of the node that no job holds.")
    node_down: I32 = column("node", "bool", "The node is out of service (fault); its jobs failed.", role="fault", shown=True)
    placement_version: I64 = column("one", "count", "Counts changes of who runs where.")
    arrival_index: I64 = column("one", "count", "Jobs drawn so far by the generator.")
    arrival_next_ns: I64 = column("one", "ns", "Instant of the generator's next submission, -1 for none.", init=-1)
    jobs_completed: I64 = column("one", "count", "Jobs completed so far.", shown=True)
    jobs_failed: I64 = column("one", "count", "Jobs failed for good so far.", shown=True)
    jobs_running: I64 = column("one", "count", "Jobs running now.", shown=True, history=True)
    jobs_queued: I64 = column("one", "count", "Jobs waiting now.", shown=True, history=True)
    jobs_restarting: I64 = column("one", "count", "Jobs that restart after an interruption.", shown=True)
    service_wait_s_max: F64 = column("one", "s", "Longest backlog of a service over its capacity.", role="derived", shown=True, history=True)
    wait_sum_s: F64 = column("one", "s", "Sum of the waits of all jobs started so far.")
    wait_count: I64 = column("one", "count", "Jobs started so far.")
    gpus_allocated: I64 = column("one", "count", "GPUs held by jobs.", shown=True, history=True)
    trained_tokens: F64 = column("one", "tokens", "Tokens trained so far.", shown=True)
    served_tokens: F64 = column("one", "tokens", "Tokens served so far.", shown=True)
    tokens_s: F64 = column("one", "tokens/s", "Tokens trained and served per second, last tick.", role="derived", shown=True, history=True)
    allocated_gpu_s: F64 = column("one", "s", "GPU seconds held by jobs so far.")
    useful_gpu_s: F64 = column("one", "s", "GPU seconds of useful work so far (goodput is useful over held).")


class NetworkState(Block, name="network"):
    """Scale-out fabric: links, switches, what congestion costs each job."""

    link_capacity_frac: F64 = column("link", "frac", "Share of the link's nominal capacity that is left (0 is down).", init=1, role="fault", shown=True)
    link_load_bytes_s: F64 = column("link", "bytes/s", "Traffic on the link.", shown=True)
    link_load_frac: F64 = column("link", "frac", "Traffic over live capacity.", role="derived", shown=True)
    link_demand_ratio: F64 = column("link", "ratio", "Traffic that would flow if nothing limited it, over live capacity.", role="derived", shown=True)
    switch_up: I32 = column("switch", "bool", "The switch forwards (leaves first, then spines).", init=1, role="fault", shown=True)
    job_slowdown: F64 = column("job", "ratio", "Communication time over its uncongested time, 1 when free.", init=1, shown=True)
    job_connected: I32 = column("job", "bool", "Every GPU of the job reaches the others.", init=1)
    solved_version: I64 = column("one", "count", "Placement and fault version that the rates belong to.", init=-1)
    fault_version: I64 = column("one", "count", "Counts changes of links and switches.", role="fault")
    hall_power_w: F64 = column("hall", "W", "Switches and optics of the hall, electrical input while they have power.", shown=True)
    congestion_max_ratio: F64 = column("one", "ratio", "Largest link_demand_ratio.", role="derived", shown=True, history=True)
    slowdown_max_ratio: F64 = column("one", "ratio", "Largest job_slowdown of a job whose GPUs reach each other.", init=1, role="derived", shown=True, history=True)
    switch_down_count: I64 = column("one", "count", "Switches out of service.", role="fault", shown=True)
    traffic_bytes_s: F64 = column("one", "bytes/s", "Traffic injected by all jobs.", role="derived", shown=True, history=True)


class StorageState(Block, name="storage"):
    """The parallel file system that checkpoints go to."""

    job_write_bytes_s: F64 = column("job", "bytes/s", "Rate at which the job's checkpoint is written.", shown=True)
    write_bytes_s: F64 = column("one", "bytes/s", "Rate at which all checkpoints are written.", role="derived", shown=True, history=True)
    capacity_frac: F64 = column("one", "frac", "Share of the nominal bandwidth that is left.", init=1, role="fault", shown=True)
    written_bytes: F64 = column("one", "bytes", "Bytes written so far.")
    hall_power_w: F64 = column("hall", "W", "Storage servers of the hall, electrical input while they have power.", shown=True)


class ComputeState(Block, name="compute"):
    """Activity turned into targets for each device."""

    gpu_util_frac: F64 = column("gpu", "frac", "Compute activity asked of the GPU, 0..1.", role="derived", shown=True)
    gpu_mem_frac: F64 = column("gpu", "frac", "Memory activity asked of the GPU, 0..1.", role="derived")
    gpu_on: I32 = column("gpu", "bool", "The GPU has power and its node is in service.", init=1, role="derived")
    rack_cap_frac: F64 = column("rack", "frac", "Power cap of the rack's GPUs over their TDP.", init=1, role="setpoint", shown=True)
    node_aux_w: F64 = column("node", "W", "CPUs, memory, NICs and drives of the node, at the device.", role="derived")


class ChipState(Block, name="chip"):
    """Accelerators: power and temperature solved together. ``throttle``: bits as NVML clocks-event reasons:
    0x4 power cap, 0x20 software thermal, 0x40 hardware thermal, 0x8 hardware slowdown; 0x100 HBM (ours), 0x200 shut down (ours)."""

    gpu_temp_c: F64 = column("gpu", "degC", "Junction temperature.", init=30, shown=True)
    gpu_hbm_temp_c: F64 = column("gpu", "degC", "Memory temperature.", init=30, shown=True)
    gpu_lid_temp_c: F64 = column("gpu", "degC", "Lid temperature.", init=30)
    gpu_plate_temp_c: F64 = column("gpu", "degC", "Cold-plate or heat-sink temperature.", init=30)
    gpu_coolant_temp_c: F64 = column("gpu", "degC", "Mean coolant temperature in the plate (liquid) or sink (air).", init=30)
    gpu_clock_frac: F64 = column("gpu", "frac", "Clock over the clock at which full activity draws TDP.", init=1, shown=True)
    gpu_power_w: F64 = column("gpu", "W", "Electrical power of the package, mean of the tick.", role="derived", shown=True)
    gpu_throttle: I32 = column("gpu", "enum", "Throttle reasons, bits as in NVML.", hi=0x3FF, shown=True)
    gpu_limit_frac: F64 = column("gpu", "frac", "Clock limit of the thermal throttles; 10 while nothing limits.", init=10)
    gpu_r_factor: F64 = column("gpu", "ratio", "Thermal resistance lid to plate over nominal (ageing, fault).", init=1, role="fault")
    stream_heat_w: F64 = column("stream", "W", "Heat given to the coolant stream, mean of the tick.", role="derived")
    stream_return_temp_c: F64 = column("stream", "degC", "Coolant temperature behind the GPUs.", role="derived", init=30)
    rack_gpu_power_w: F64 = column("rack", "W", "Sum of the rack's GPU power.", role="derived", shown=True)
    rack_gpu_temp_c_max: F64 = column("rack", "degC", "Hottest junction of the rack.", role="derived", init=30, shown=True)
    rack_temp_limit_c: F64 = column("rack", "degC", "Junction temperature that is worth a warning.", init=85, role="derived")
    rack_throttled: I32 = column("rack", "count", "GPUs of the rack that are throttled by temperature or shut down.", role="derived", shown=True)
    job_perf_frac: F64 = column("job", "frac", "Speed of the job's slowest GPU, 1 at nominal clock, 0 when one is off.", init=1)
    job_gpu_power_w: F64 = column("job", "W", "Electrical power of the packages that gpu_job gives the job, mean of the tick.", role="derived", shown=True)
    gpu_temp_max_c: F64 = column("one", "degC", "Hottest junction of the factory.", role="derived", init=30, shown=True, history=True)
    throttled_count: I64 = column("one", "count", "GPUs throttled by temperature or shut down.", role="derived", shown=True, history=True)
    tick_in_j: F64 = column("one", "J", _IN, role="derived")
    tick_out_j: F64 = column("one", "J", _OUT, role="derived")
    tick_stored_j: F64 = column("one", "J", _STORED, role="derived")


class PowerState(Block, name="power"):
    """Racks' own conversion, then the tree up to the utility."""

    node_input_w: F64 = column("node", "W", "Power into the node, converter loss included.", role="derived")
    rack_input_w: F64 = column("rack", "W", "Power into the rack: the IT boundary.", role="derived", shown=True)
    rack_liquid_heat_w: F64 = column("rack", "W", "Heat of everything but the GPUs that goes to the rack's coolant.", role="derived")
    rack_air_heat_w: F64 = column("rack", "W", "Heat of everything but the GPUs that goes to the rack's air, fans included.", role="derived")
    rack_energised: I32 = column("rack", "bool", "At least one feed of the rack is live.", init=1, shown=True)
    cdu_energised: I32 = column("cdu", "bool", "The CDU has power.", init=1)
    crah_energised: I32 = column("crah", "bool", "The CRAH has power.", init=1)
    plant_energised: I32 = column("one", "bool", "Plant pumps, fans and chillers have power.", init=1)
    hall_energised: I32 = column("hall", "bool", "Network and storage of the hall have power.", init=1)
    hall_service_w: F64 = column("hall", "W", "Power that network and storage of the hall got, mean of the tick; becomes heat of its air.", role="derived", shown=True)
    plant_shed: I32 = column("one", "bool", "The plant is shed, since the generators that run cannot carry it.", shown=True)
    elec_load_w: F64 = column("elec", "W", "Power into the node of the tree, mean of the tick.", role="derived", shown=True)
    elec_loss_w: F64 = column("elec", "W", "Loss in the node.", role="derived", shown=True)
    elec_load_frac: F64 = column("elec", "frac", "Power out of the node over the rating of its live units.", role="derived", shown=True)
    elec_up: I32 = column("elec", "bool", "The node is in service.", init=1, role="fault", shown=True)
    elec_energised: I32 = column("elec", "bool", "The node is live.", init=1, shown=True)
    battery_j: F64 = column("ups", "J", "Energy in the UPS battery.", shown=True)
    battery_frac: F64 = column("ups", "frac", "Energy in the UPS battery over its capacity.", role="derived", init=1, shown=True)
    battery_power_w: F64 = column("ups", "W", "Power taken from the battery, negative while it charges, mean of the tick.", role="derived", shown=True)
    ups_mode: I32 = column("ups", "enum", "0 online, 1 on battery, 2 bypass, 3 off.", hi=3, shown=True)
    ups_failed: I32 = column("ups", "count", "UPS modules out of service.", role="fault", shown=True)
    ups_walk_in_frac: F64 = column("ups", "frac", "Share of the load that the rectifier carries; ramps up after an outage.", init=1)
    ups_overload_frac: F64 = column("ups", "frac", "Used share of the overload time that the UPS tolerates; at 1 it goes to bypass.")
    generator_state: I32 = column("generator", "enum", "0 standby, 1 starting, 2 running, 3 cooling down, 4 failed.", hi=4, shown=True)
    generator_timer_s: F64 = column("generator", "s", "Time in the present state.")
    generator_power_w: F64 = column("generator", "W", "Power from the generator.", role="derived", shown=True)
    generator_fault: I32 = column("generator", "bool", "The generator will not start.", role="fault", shown=True)
    generator_fuel_kg: F64 = column("generator", "kg", "Fuel burnt so far.")
    utility_up: I32 = column("one", "bool", "The utility delivers.", init=1, role="fault", shown=True)
    mains_on_generators: I32 = column("one", "bool", "The generators feed the main bus.", shown=True)
    outage_s: F64 = column("one", "s", "Time since the utility was lost, 0 while it delivers.")
    generator_sync_s: F64 = column("one", "s", "Time that the started generators have spent in paralleling.")
    utility_back_s: F64 = column("one", "s", "Time since the utility came back while the generators still carry the site.")
    fuel_kg_s: F64 = column("one", "kg/s", "Fuel burnt by all generators.", role="derived", shown=True)
    coast_w: F64 = column("one", "W", "Power that machines drew in a tick in which their supply died; they stop at the next.", role="derived")
    utility_w: F64 = column("one", "W", "Power drawn from the utility.", role="derived", shown=True, history=True)
    source_w: F64 = column("one", "W", "Power from utility and generators, coast_w included: the facility's input.", role="derived", shown=True, history=True)
    it_w: F64 = column("one", "W", "Power at the rack inputs, network and storage included.", role="derived", shown=True, history=True)
    cooling_w: F64 = column("one", "W", "CDUs, CRAHs and plant.", role="derived", shown=True, history=True)
    loss_w: F64 = column("one", "W", "Losses upstream of the racks; leave the site as heat outside the halls.", role="derived", shown=True, history=True)
    tick_in_j: F64 = column("one", "J", _IN, role="derived")
    tick_out_j: F64 = column("one", "J", _OUT, role="derived")
    tick_stored_j: F64 = column("one", "J", _STORED, role="derived")


class LiquidState(Block, name="liquid"):
    """Row coolant loops (tcs), racks and CDUs; immersion tanks and their exchangers.

    In a tank the rack's supply and return are the bath below and above the boards (the boiling bath is one), and the
    rack's flow is what passes the boards, or what boils at them; the tank's exchanger stands among the CDUs."""

    rack_supply_temp_c: F64 = column("rack", "degC", "Coolant into the rack.", init=25, shown=True)
    rack_return_temp_c: F64 = column("rack", "degC", "Coolant out of the rack.", init=25, shown=True)
    rack_flow_kg_s: F64 = column("rack", "kg/s", "Coolant flow through the rack.", shown=True)
    rack_compute_temp_c: F64 = column("rack", "degC", "Coolant out of the rack's compute trays.", init=25, shown=True)
    rack_switch_temp_c: F64 = column("rack", "degC", "Coolant out of the rack's switch trays; as the compute trays' where there are none.", init=25, shown=True)
    rack_valve_frac: F64 = column("rack", "frac", "Opening of the rack's branch (fault: blocked).", init=1, role="fault", shown=True)
    node_valve_frac: F64 = column("node", "frac", "Flow conductance that is left of the tray's branch (fault: blocked).", init=1, role="fault", shown=True, lo=0, hi=1)
    rack_valve_k_factor: F64 = column("rack", "ratio", "Flow resistance of the rack's branch over nominal (fault: stuck valve).", init=1, lo=1, role="fault", shown=True)
    rack_coupling_factor: F64 = column("rack", "ratio", "Flow resistance of the rack's couplings over nominal (fault: partly mated).", init=1, lo=1, role="fault", shown=True)
    rack_filter_factor: F64 = column("rack", "ratio", "Flow resistance of the rack's filter over that of a clean one.", init=1, lo=1, shown=True)
    rack_filter_rate_ratio: F64 = column("rack", "ratio", "Resistances of a clean filter by which the rack's clogs in an hour.", role="fault", lo=0)
    rack_air_frac: F64 = column("rack", "frac", "How much the rack's coolant is mixed with air: at 1 it loses 30 % of its flow.", role="fault", shown=True, lo=0, hi=1)
    rack_plate_r_factor: F64 = column("rack", "ratio", "Resistance from cold plate to coolant over nominal: air in the coolant.", init=1, lo=1, role="fault")
    rack_leak_m: F64 = column("rack", "m", "Diameter of a hole in the rack's supply, 0 when tight.", role="fault", shown=True, lo=0)
    rack_low_flow_s: F64 = column("rack", "s", "Time that the live rack has been short of coolant flow, its air too hot, or its bath too hot or low.", shown=True)
    rack_protected: I32 = column("rack", "bool", "The rack has switched itself off for want of flow, in hot air, or over a hot or low bath, and waits to be reset.", role="fault", shown=True)
    rack_reject_heat_w: F64 = column("rack", "W", "Heat that liquid-to-air units at the rack give to the air behind it, mean of the tick.", role="derived", shown=True)
    rack_reject_flow_m3_s: F64 = column("rack", "m3/s", "Air through the liquid-to-air units at the rack.", role="derived", shown=True)
    tcs_supply_temp_c: F64 = column("tcs", "degC", "Supply header of the row loop.", init=25, shown=True)
    tcs_return_temp_c: F64 = column("tcs", "degC", "Return header of the row loop.", init=25, shown=True)
    tcs_flow_kg_s: F64 = column("tcs", "kg/s", "Flow of the row loop.", shown=True)
    tcs_dp_pa: F64 = column("tcs", "Pa", "Differential pressure across the racks.", shown=True)
    cdu_supply_temp_c: F64 = column("cdu", "degC", "Secondary coolant out of the CDU.", init=25, shown=True)
    cdu_return_temp_c: F64 = column("cdu", "degC", "Secondary coolant into the CDU.", init=25, shown=True)
    cdu_flow_kg_s: F64 = column("cdu", "kg/s", "Secondary flow of the CDU.", shown=True)
    cdu_primary_flow_kg_s: F64 = column("cdu", "kg/s", "Primary (facility water) flow.", shown=True)
    cdu_primary_return_temp_c: F64 = column("cdu", "degC", "Facility water out of the CDU.", init=25, shown=True)
    cdu_heat_w: F64 = column("cdu", "W", "Heat given to the plant loop, mean of the tick.", shown=True)
    cdu_valve_frac: F64 = column("cdu", "frac", "Opening of the primary valve.", init=0.5, shown=True)
    cdu_valve_integral: F64 = column("cdu", "ratio", "Integral term of the valve controller.")
    cdu_supply_setpoint_c: F64 = column("cdu", "degC", "Set-point of the secondary supply temperature.", init=30, role="setpoint", shown=True)
    cdu_power_w: F64 = column("cdu", "W", "Electrical power of pumps and controls, metered next tick.", shown=True)
    cdu_sample_s: F64 = column("cdu", "s", "Time since the controller last acted.")
    pump_speed_frac: F64 = column("pump", "frac", "Speed over nominal.", init=1, shown=True)
    pump_command_frac: F64 = column("pump", "frac", "Speed that the controller asks for.", init=1)
    pump_fault: I32 = column("pump", "bool", "The pump is tripped.", role="fault", shown=True)
    pump_running: I32 = column("pump", "bool", "The pump is on duty; a spare stands by until one fails.", shown=True)
    cdu_fault: I32 = column("cdu", "bool", "The CDU is out of service: its pumps stop, its valve stays.", role="fault", shown=True)
    cdu_valve_stuck_frac: F64 = column("cdu", "frac", "Position that the primary valve is stuck at, -1 when it moves.", init=-1, role="fault")
    cdu_supply_error_k: F64 = column("cdu", "K", "Secondary supply over its set-point, 0 without flow.", role="derived")
    tcs_dp_setpoint_pa: F64 = column("tcs", "Pa", "Differential pressure that the pumps hold across the racks.", init=60000, role="setpoint", shown=True)
    tcs_flow_frac: F64 = column("tcs", "frac", "Flow of the row loop over its design flow.", role="derived", shown=True)
    tcs_hold_return: F64 = column("tcs", "ratio", "1 while the pumps hold the return temperature at its limit instead of the pressure, else 0.", role="setpoint", shown=True, lo=0, hi=1)
    tcs_return_limit_c: F64 = column("tcs", "degC", "Return temperature that the pumps hold, when they do.", init=55, role="setpoint", shown=True)
    tcs_lead_pump: F64 = column("tcs", "index", "Pump that leads: duty begins with it and goes round.", role="setpoint", lo=0, hi=1000)
    tcs_dp_command_pa: F64 = column("tcs", "Pa", "Differential pressure that the pumps are asked for.", init=60000, lo=0)
    tcs_sample_s: F64 = column("tcs", "s", "Time since the return controller last acted.")
    tcs_inventory_kg: F64 = column("tcs", "kg", "Coolant in the row loop and its expansion vessel.", shown=True, lo=0)
    tcs_vessel_temp_c: F64 = column("tcs", "degC", "Coolant in the expansion vessel.", init=25)
    tcs_pressure_pa: F64 = column("tcs", "Pa", "Pressure at the pumps' suction over the atmosphere.", shown=True)
    tcs_tripped: I32 = column("tcs", "bool", "The pressure trip has stopped the row's pumps and waits to be reset.", role="fault", shown=True)
    tcs_leak_kg_s: F64 = column("tcs", "kg/s", "Coolant that the row loses, mean of the tick.", role="derived", shown=True)
    tcs_leaked_kg: F64 = column("tcs", "kg", "Coolant that the row has lost so far.", shown=True)
    tcs_makeup_kg: F64 = column("tcs", "kg", "Coolant that the make-up pumps have given to the row so far.", shown=True)
    tcs_tank_kg: F64 = column("tcs", "kg", "Coolant left in the row's make-up tanks.", shown=True, lo=0)
    cdu_leak_m: F64 = column("cdu", "m", "Diameter of a hole at the CDU's secondary outlet, 0 when tight.", role="fault", shown=True, lo=0)
    cdu_air_heat_w: F64 = column("cdu", "W", "Heat that a liquid-to-air unit gives to the hall's air, mean of the tick.", role="derived", shown=True)
    cdu_fan_power_w: F64 = column("cdu", "W", "Fans of a liquid-to-air unit, within cdu_power_w; metered next tick.")
    tank_fluid_kg: F64 = column("tank", "kg", "Fluid in the tank, vapour included.", shown=True, lo=0)
    tank_level_frac: F64 = column("tank", "frac", "Liquid over that of the full tank.", init=1, shown=True)
    tank_flow_setpoint_frac: F64 = column("tank", "frac", "Speed that the tank's pumps hold.", init=1, role="setpoint", shown=True, lo=0, hi=1)
    tank_leak_kg_s: F64 = column("tank", "kg/s", "Liquid that leaks away (fault).", role="fault", shown=True, lo=0)
    tank_water_frac: F64 = column("tank", "frac", "Share of its facility water that reaches the exchanger (fault).", init=1, role="fault", shown=True, lo=0, hi=1)
    tank_lost_kg: F64 = column("tank", "kg", "Fluid lost so far by leak and vent.", shown=True, lo=0)
    tank_vapour_kg: F64 = column("tank", "kg", "Vapour over a boiling bath.", shown=True, lo=0)
    tank_gauge_pa: F64 = column("tank", "Pa", "Pressure over a boiling bath, over the outdoor air's.", shown=True)
    tank_vent_kg_s: F64 = column("tank", "kg/s", "Vapour that leaves by the relief valve, mean of the tick.", role="derived", shown=True)
    tank_flux_ratio: F64 = column("tank", "ratio", "Heat flux of the hottest board over the critical flux; 0 where nothing boils.", role="derived", shown=True)
    tank_dry_frac: F64 = column("tank", "frac", "Share of the boards' heat that is behind a film of vapour since the critical flux was passed.", shown=True, lo=0, hi=1)
    supply_temp_max_c: F64 = column("one", "degC", "Warmest rack supply.", role="derived", init=25, shown=True, history=True)
    tick_in_j: F64 = column("one", "J", _IN, role="derived")
    tick_out_j: F64 = column("one", "J", _OUT, role="derived")
    tick_stored_j: F64 = column("one", "J", _STORED, role="derived")


class AirState(Block, name="air"):
    """Hall air on a three-layer grid (plenum, rack height, over the racks), racks' air side, and the air machines that
    the axis ``crah`` counts: CRAHs, fan walls, in-row coolers, rear doors (whose air is their rack's)."""

    cell_temp_c: F64 = column("cell", "degC", "Air temperature of the grid cell.", init=24, shown=True)
    cell_potential: F64 = column("cell", "ratio", "Flow potential of the cell; warm start of the solver.")
    rack_inlet_temp_c: F64 = column("rack", "degC", "Air into the rack, mean over its height.", init=24, shown=True)
    rack_outlet_temp_c: F64 = column("rack", "degC", "Air out of the rack.", init=30, shown=True)
    rack_mass_temp_c: F64 = column("rack", "degC", "Metal of the rack that the air passes.", init=26)
    rack_air_flow_m3_s: F64 = column("rack", "m3/s", "Air flow through the rack.", shown=True)
    rack_fan_power_w: F64 = column("rack", "W", "Server fans, metered next tick.", shown=True)
    rack_fan_frac: F64 = column("rack", "frac", "Server fan speed over nominal.", init=0.8, shown=True)
    rack_fan_limit_frac: F64 = column("rack", "frac", "Share of the server fans' speed that is left (fault).", init=1, role="fault")
    crah_supply_temp_c: F64 = column("crah", "degC", "Air out of the machine, behind coil and fan.", init=22, shown=True)
    crah_return_temp_c: F64 = column("crah", "degC", "Air into the machine; a rear door's is its rack's exhaust.", init=30, shown=True)
    crah_air_flow_m3_s: F64 = column("crah", "m3/s", "Air flow through the machine.", shown=True)
    crah_fan_frac: F64 = column("crah", "frac", "Speed of the machine's fans over nominal; 0 for a door without fans.", init=0.7, shown=True)
    crah_valve_frac: F64 = column("crah", "frac", "Opening of the machine's water valve.", init=0.5, shown=True)
    crah_valve_integral: F64 = column("crah", "ratio", "Integral term of the valve controller.")
    crah_fan_integral: F64 = column("crah", "ratio", "Integral term of the fan controller.")
    crah_supply_setpoint_c: F64 = column("crah", "degC", "Set-point of the supply air.", init=22, role="setpoint", shown=True)
    crah_coil_temp_c: F64 = column("crah", "degC", "Metal and water of the coil.", init=18)
    crah_water_flow_kg_s: F64 = column("crah", "kg/s", "Water that the machine draws from its loop.", shown=True)
    crah_water_return_temp_c: F64 = column("crah", "degC", "Water out of the coil.", init=22, shown=True)
    crah_heat_w: F64 = column("crah", "W", "Heat given to the plant loop, mean of the tick.", shown=True)
    crah_power_w: F64 = column("crah", "W", "Electrical power of the machine's fans, metered next tick.", shown=True)
    crah_fault: I32 = column("crah", "bool", "The machine's fans are tripped.", role="fault", shown=True)
    crah_sample_s: F64 = column("crah", "s", "Time since the controller last acted.")
    crah_valve_stuck_frac: F64 = column("crah", "frac", "Position that the water valve is stuck at, -1 when it moves.", init=-1, role="fault", shown=True)
    crah_stopped: I32 = column("crah", "bool", "The machine has fans and they stand, without power or tripped.", role="derived", shown=True)
    crah_condensate_kg_s: F64 = column("crah", "kg/s", "Water that condenses on the coil, mean of the tick.", role="derived", shown=True)
    hall_humidity_kg_kg: F64 = column("hall", "kg/kg", "Humidity ratio of the hall's air, water over dry air; one for the hall.", init=0.008, shown=True)
    hall_dew_point_temp_c: F64 = column("hall", "degC", "Dew point of the hall's air.", init=10, shown=True)
    hall_makeup_kg_s: F64 = column("hall", "kg/s", "Water that make-up air brings less what it takes along, mean of the tick.", role="derived", shown=True)
    hall_makeup_dew_point_c: F64 = column("hall", "degC", "Dew point that make-up air is dried to.", init=15, role="setpoint", shown=True)
    rack_gap_frac: F64 = column("rack", "frac", "Share of the rack's face without blanking panels (fault).", role="fault", shown=True)
    aisle_door_frac: F64 = column("aisle", "frac", "Share of the contained aisle's end that stands open (fault).", role="fault", shown=True)
    rack_capture_frac: F64 = column("rack", "frac", "Capture index: share of the rack's exhaust that air machines draw before any rack does.", shown=True)
    rack_supplied_frac: F64 = column("rack", "frac", "Share of the rack's inlet air that comes from air machines without passing a rack.", shown=True)
    hall_trace_due: I32 = column("hall", "bool", "The flow moved since the tracer was last followed.")
    hall_return_heat_frac: F64 = column("hall", "frac", "Return heat index: 1 less the supply heat index; 0 without supply air.", role="derived", shown=True)
    hall_return_temp_ratio: F64 = column("hall", "ratio", "Return temperature index: rise from supply to return air over the mean rise in the racks; below 1 supply air bypasses them, above 1 exhaust comes back to them.", role="derived", shown=True)
    hall_cooling_hi_frac: F64 = column("hall", "frac", "Rack cooling index, warm side: 1 when no inlet is above the recommended 27 degC, 0 at a mean excess of 5 K (ASHRAE class A1).", init=1, role="derived", shown=True)
    hall_cooling_lo_frac: F64 = column("hall", "frac", "Rack cooling index, cold side: 1 when no inlet is below the recommended 18 degC, 0 at a mean deficit of 3 K (ASHRAE class A1).", init=1, role="derived", shown=True)
    hall_air_trim_frac: F64 = column("hall", "frac", "Air beyond the surplus that warm inlets have asked for, over the machines' design flow.", shown=True)
    condensate_kg: F64 = column("one", "kg", "Water condensed on all coils so far.", shown=True)
    fan_sample_s: F64 = column("hall", "s", "Time since fans and valves of the hall were last sampled; halls take turns.")
    hall_supply_heat_frac: F64 = column("hall", "frac", "Supply heat index: share of the air's warming that happens before the racks.", role="derived", shown=True)
    flow_version: I64 = column("one", "count", "Counts changes of flows that need the flow solved again.")
    flow_solved_version: I64 = column("one", "count", "Version that the flow belongs to.", init=-1)
    flow_residual: F64 = column("one", "ratio", "Residual of the flow solution over the largest source.", shown=True)
    inlet_temp_max_c: F64 = column("one", "degC", "Warmest rack inlet.", role="derived", init=24, shown=True, history=True)
    tick_in_j: F64 = column("one", "J", _IN, role="derived")
    tick_out_j: F64 = column("one", "J", _OUT, role="derived")
    tick_stored_j: F64 = column("one", "J", _STORED, role="derived")


class PlantState(Block, name="plant"):
    """Water loops outside the halls, chillers, dry coolers, towers, pumps."""

    loop_supply_temp_c: F64 = column("loop", "degC", "Water towards the halls.", init=20, shown=True, history=True)
    loop_return_temp_c: F64 = column("loop", "degC", "Water back from the halls.", init=24, shown=True, history=True)
    loop_flow_kg_s: F64 = column("loop", "kg/s", "Flow of the loop.", shown=True)
    loop_flow_frac: F64 = column("loop", "frac", "Share of the demanded flow that the pumps deliver.", init=1, shown=True)
    loop_setpoint_c: F64 = column("loop", "degC", "Set-point of the supply temperature.", init=20, role="setpoint", shown=True)
    loop_pump_power_w: F64 = column("loop", "W", "Distribution pumps, metered next tick.", shown=True)
    loop_pump_fault: I32 = column("loop", "count", "Distribution pumps that are tripped.", role="fault", shown=True)
    loop_pump_speed_frac: F64 = column("loop", "frac", "Speed of the distribution pumps over nominal.", init=0.8, shown=True)
    loop_demand_kg_s: F64 = column("loop", "kg/s", "Flow that the consumers' valves ask for.")
    loop_leaving_temp_c: F64 = column("loop", "degC", "Water out of the last cooler or chiller.", init=20, shown=True)
    loop_supply_error_k: F64 = column("loop", "K", "Supply over its set-point.", role="derived")
    loop_sample_s: F64 = column("loop", "s", "Time since the fan controllers last acted.")
    rejector_share_frac: F64 = column("rejector", "frac", "Share of the loop's water that passes the group.", init=1, shown=True)
    rejector_outlet_temp_c: F64 = column("rejector", "degC", "Loop water behind the group.", init=20, shown=True)
    rejector_speed_frac: F64 = column("rejector", "frac", "Fan speed of the dry coolers or tower cells in use.", init=0.5, shown=True)
    rejector_fault: I32 = column("rejector", "count", "Units of the group out of service.", role="fault", shown=True)
    rejector_heat_w: F64 = column("rejector", "W", "Heat to the outdoor air, mean of the tick.", shown=True)
    rejector_power_w: F64 = column("rejector", "W", "Fans, metered next tick.", shown=True)
    rejector_integral: F64 = column("rejector", "ratio", "Integral term of the fan controller.")
    chiller_load_frac: F64 = column("chiller", "frac", "Part load of the chillers in use.", shown=True)
    chiller_fault: I32 = column("chiller", "count", "Chillers of the group out of service.", role="fault", shown=True)
    chiller_heat_w: F64 = column("chiller", "W", "Heat taken from the loop, mean of the tick.", shown=True)
    chiller_power_w: F64 = column("chiller", "W", "Compressors, metered next tick.", shown=True)
    chiller_cop: F64 = column("chiller", "ratio", "Coefficient of performance.", init=6, shown=True)
    chiller_timer_s: F64 = column("chiller", "s", "Time since the chillers got power back (restart).", init=1e9)
    evaporation_kg_s: F64 = column("one", "kg/s", "Water evaporated by towers and pads.", role="derived", shown=True, history=True)
    makeup_kg_s: F64 = column("one", "kg/s", "Water drawn: evaporation, drift, blow-down.", role="derived", shown=True)
    power_w: F64 = column("one", "W", "All plant machines, metered next tick.", shown=True, history=True)
    rejected_heat_w: F64 = column("one", "W", "Heat to the outdoor air.", role="derived", shown=True, history=True)
    tick_in_j: F64 = column("one", "J", _IN, role="derived")
    tick_out_j: F64 = column("one", "J", _OUT, role="derived")
    tick_stored_j: F64 = column("one", "J", _STORED, role="derived")


class GridState(Block, name="grid"):
    """What a kilowatt-hour costs and emits."""

    carbon_kg_kwh: F64 = column("one", "kg/kWh", "Carbon intensity of the grid.", role="derived", shown=True, history=True)
    price_usd_kwh: F64 = column("one", "USD/kWh", "Energy price.", role="derived", shown=True, history=True)
    price_factor: F64 = column("one", "ratio", "Multiplies the price (price-spike fault).", init=1, role="fault")


class LedgerState(Block, name="ledger"):
    """Everything summed: energy, water, carbon, money, and what is missing (nothing)."""

    it_energy_j: F64 = column("one", "J", "Energy at the rack inputs.", shown=True)
    facility_energy_j: F64 = column("one", "J", "Energy from utility and generators.", shown=True)
    cooling_energy_j: F64 = column("one", "J", "Energy of CDUs, CRAHs and plant.", shown=True)
    loss_energy_j: F64 = column("one", "J", "Energy lost upstream of the racks.", shown=True)
    rejected_energy_j: F64 = column("one", "J", "Heat given to the outdoor air by the plant.", shown=True)
    water_kg: F64 = column("one", "kg", "Water drawn.", shown=True)
    carbon_kg: F64 = column("one", "kg", "Carbon emitted by the energy used.", shown=True)
    cost_usd: F64 = column("one", "USD", "Cost of the energy used.", shown=True)
    peak_facility_w: F64 = column("one", "W", "Largest facility power of a tick.", shown=True)
    gpu_temp_c_max: F64 = column("one", "degC", "Hottest junction of the run.", init=-273.15, shown=True)
    throttled_gpu_s: F64 = column("one", "s", "GPU seconds throttled by temperature or shut down.", shown=True)
    elapsed_s: F64 = column("one", "s", "Simulated time summed over the ticks.")
    job_gpu_energy_j: F64 = column("job", "J", "Energy of the job's GPU packages since it was submitted, whole ticks in which gpu_job names it.", shown=True)
    job_counted_ns: I64 = column("job", "ns", "Submission of the job that this energy belongs to (a generator's slots are used again), -1 before the first tick.", init=-1)
    pue_ratio: F64 = column("one", "ratio", "Facility over IT power, last tick.", role="derived", shown=True, history=True)
    fuel_kg: F64 = column("one", "kg", "Fuel burnt by the generators.", shown=True)
    chip_residual_j: F64 = column("one", "J", "In less out less stored of the chips, last tick.", role="derived")
    power_residual_j: F64 = column("one", "J", "In less out less stored of the electrical chain, last tick.", role="derived")
    liquid_residual_j: F64 = column("one", "J", "In less out less stored of the coolant loops, last tick.", role="derived")
    air_residual_j: F64 = column("one", "J", "In less out less stored of the hall air, last tick.", role="derived")
    plant_residual_j: F64 = column("one", "J", "In less out less stored of the plant, last tick.", role="derived")
    residual_j: F64 = column("one", "J", "Energy that the last tick cannot account for.", role="derived", shown=True)
    residual_abs_j: F64 = column("one", "J", "Sum of the residuals' magnitudes.")
    residual_rel_max_ratio: F64 = column("one", "ratio", "Largest energy residual of a tick over its energy (of 0.1 s at least) at the facility's largest power so far.", shown=True)


BLOCKS: tuple[type[Block], ...] = (
    WeatherState, WorkloadState, NetworkState, StorageState, ComputeState, ChipState, PowerState,
    LiquidState, AirState, PlantState, GridState, LedgerState,
)
