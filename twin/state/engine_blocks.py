"""Blocks that the engine itself owns: the clock, active faults, alarms, expectations."""

from __future__ import annotations

from twin.state.column import F64, I32, I64, Block, column


class ClockState(Block, name="clock"):
    """Where the run is."""

    now_ns: I64 = column("one", "ns", "Simulated time since the scenario's start.", lo=0, hi=2**62)
    tick: I64 = column("one", "count", "Ticks done.")
    quiet_since_ns: I64 = column("one", "ns", "Instant of the last fault, command or placement change.")
    placement_seen: I64 = column("one", "count", "Placement version at the last tick boundary.")
    events_done: I64 = column("one", "count", "Events of the specification applied so far.")


class FaultsState(Block, name="faults"):
    """Active faults, one slot each."""

    slot_kind: I32 = column("fault_slot", "index", "Fault kind, -1 for a free slot.", init=-1, of="fault_kind")
    slot_element: I32 = column("fault_slot", "index", "Element on the kind's axis.", lo=0, hi=2**31)
    slot_value: F64 = column("fault_slot", "ratio", "Severity as given.")
    slot_since_ns: I64 = column("fault_slot", "ns", "Instant of its start.")
    slot_until_ns: I64 = column("fault_slot", "ns", "Instant of its end, -1 for none.", init=-1)


class AlarmsState(Block, name="alarms"):
    """One point per alarm kind and element."""

    point_active: I32 = column("alarm_point", "bool", "The alarm is raised.")
    point_pending_s: F64 = column("alarm_point", "s", "How long the condition has held without being raised.")
    point_since_ns: I64 = column("alarm_point", "ns", "Instant at which it was raised.", init=-1)
    point_acknowledged: I32 = column("alarm_point", "bool", "Somebody has seen it.")
    point_count: I64 = column("alarm_point", "count", "How often it was raised.")


class WatchState(Block, name="watch"):
    """What expectations have seen so far."""

    seen_value: F64 = column("watch", "ratio", "Running reduction, in the unit of what is watched.")
    seen_weight_s: F64 = column("watch", "s", "Simulated time it covers.")


class ControlState(Block, name="control"):
    """Memory of the controllers, ``MEMORY`` numbers each."""

    memory: F64 = column("control_memory", "ratio", "What a controller remembers; its own documentation says what.")


ENGINE_BLOCKS: tuple[type[Block], ...] = (ClockState, FaultsState, AlarmsState, WatchState, ControlState)
#: numbers that every controller may keep
MEMORY = 8
FAULT_SLOTS = 256
