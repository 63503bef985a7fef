"""Old documents become new ones, one version at a time, by steps from dict to dict that need nothing else.

A step never looks at the program as it is now: what a version meant is written down here and stays. A golden file of
every version that was ever written lies in tests/golden/.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twin.errors import SnapshotError
from twin.scenario.document import VERSION

#: (format, version) that a document may have when it is read
FORMATS = {("twin-snapshot", 1), ("twin", VERSION)}

#: what the numbers of fault slots and the order of alarm points meant in version 1, which did not say so itself
_FAULTS_1 = (
    "heat_wave", "node_down", "job_crash", "link_down", "link_degraded", "optics_degraded", "switch_down",
    "storage_degraded", "gpu_shutdown", "gpu_thermal_interface", "utility_loss", "ups_fail", "feed_loss",
    "generator_fail_start", "cdu_pump_trip", "cdu_off", "cdu_valve_stuck", "rack_branch_blocked", "crah_fan_trip",
    "rack_fan_degraded", "loop_pump_trip", "rejector_out", "chiller_trip", "price_spike")
_ALARMS_1 = (
    ("job_restarting", "one"), ("service_overloaded", "one"), ("network_switch_down", "one"),
    ("network_slow_jobs", "one"), ("network_oversubscribed", "one"), ("chip_throttle", "rack"), ("gpu_hot", "rack"),
    ("utility_lost", "one"), ("ups_on_battery", "ups"), ("battery_low", "ups"), ("generator_running", "generator"),
    ("generator_failed", "generator"), ("plant_shed", "one"), ("rack_dark", "rack"), ("feed_overload", "elec"),
    ("cdu_pump_off", "pump"), ("cdu_supply_warm", "cdu"), ("tcs_low_flow", "tcs"), ("rack_inlet_hot", "rack"),
    ("rack_inlet_warm", "rack"), ("crah_off", "crah"), ("loop_supply_warm", "loop"), ("loop_low_flow", "loop"),
    ("price_high", "one"))

#: the columns whose histories version 1 kept, and their axes
_SERIES_1 = (
    ("weather.outdoor_temp_c", "one"), ("weather.wet_bulb_temp_c", "one"), ("workload.jobs_running", "one"),
    ("workload.jobs_queued", "one"), ("workload.service_wait_s_max", "one"), ("workload.gpus_allocated", "one"),
    ("workload.tokens_s", "one"), ("network.congestion_max_ratio", "one"), ("network.slowdown_max_ratio", "one"),
    ("network.traffic_bytes_s", "one"), ("storage.write_bytes_s", "one"), ("chip.gpu_temp_max_c", "one"),
    ("chip.throttled_count", "one"), ("power.utility_w", "one"), ("power.source_w", "one"), ("power.it_w", "one"),
    ("power.cooling_w", "one"), ("power.loss_w", "one"), ("liquid.supply_temp_max_c", "one"),
    ("air.inlet_temp_max_c", "one"), ("plant.loop_supply_temp_c", "loop"), ("plant.loop_return_temp_c", "loop"),
    ("plant.evaporation_kg_s", "one"), ("plant.power_w", "one"), ("plant.rejected_heat_w", "one"),
    ("grid.carbon_kg_kwh", "one"), ("grid.price_usd_kwh", "one"), ("ledger.pue_ratio", "one"))


def migrate(document: Any, *, where: str) -> dict[str, Any]:
    """Return a whole document as one of the present version.

    Raises:
        SnapshotError: it is no document, or one of a version that this program does not know.
    """
    check_version(document, where=where)
    while document["version"] < VERSION:
        document = STEPS[document["version"]](document)
    return dict(document)


def check_version(document: Any, *, where: str) -> None:
    """Refuse what is no document, or one of a version that this program does not know."""
    if not isinstance(document, dict) or not isinstance(document.get("format"), str):
        raise SnapshotError("not a snapshot", where=where, expected="a .twin file")
    known = {version for name, version in FORMATS if name == document["format"]}
    if not known:
        raise SnapshotError("not a snapshot", where=where, expected="format 'twin'")
    version = document.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version not in known:
        raise SnapshotError(f"format version {version!r}", where=where, expected=f"version {VERSION} or older")


def _from_1(old: dict[str, Any]) -> dict[str, Any]:
    """Name the rows; give events their data (there was none) and count them."""
    events = old.get("events")
    new = dict(old)
    new |= {"format": "twin", "version": 2, "kind": "snapshot",
            "rows": {"faults": list(_FAULTS_1), "alarms": [list(row) for row in _ALARMS_1],
                     "series": [list(row) for row in _SERIES_1]}}
    if isinstance(events, list):
        new["events"] = [[*e, {}] if isinstance(e, list) else e for e in events]
        new["event_count"] = len(events)
    return new


STEPS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {1: _from_1}
