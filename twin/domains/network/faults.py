"""What can happen to the fabric, and what it says when it does."""

from __future__ import annotations

from typing import Any

from twin.wiring import AlarmKind, FaultKind


def _set_cables(own: Any, link: int, frac: float) -> None:
    """Set what is left of a bundle in both directions: the cables are the same."""
    n = len(own.link_capacity_frac)
    own.link_capacity_frac[link] = own.link_capacity_frac[(link + n // 2) % n] = frac
    own.fault_version[0] += 1


def _link_down(own: Any, link: int, value: float) -> None:
    _set_cables(own, link, 0.0)


def _link_whole(own: Any, link: int) -> None:
    _set_cables(own, link, 1.0)


def _set_switch(own: Any, switch: int, up: int) -> None:
    own.switch_down_count[0] += int(own.switch_up[switch]) - up
    own.switch_up[switch] = up
    own.fault_version[0] += 1


def _switch_down(own: Any, switch: int, value: float) -> None:
    _set_switch(own, switch, 0)


def _switch_up(own: Any, switch: int) -> None:
    _set_switch(own, switch, 1)


FAULTS = (
    FaultKind("link_down", "link", "All cables of a bundle fail, both directions; flows take other paths if there are.",
              _link_down, _link_whole),
    FaultKind("link_degraded", "link", "Some cables of a bundle fail; the rest carries its flows.",
              _set_cables, _link_whole, value_doc="share of the bundle's capacity that is left",
              value_default=0.5, value_range=(0.0, 1.0)),
    FaultKind("optics_degraded", "link", "Dirty or ageing transceivers: error correction and repeats take part of it.",
              _set_cables, _link_whole, value_doc="share of the bundle's rate that is left",
              value_default=0.9, value_range=(0.01, 1.0)),
    FaultKind("switch_down", "switch", "A switch stops: a spine or core takes its share of the bandwidth along, "
              "a leaf disconnects its hosts from its rail.", _switch_down, _switch_up),
)

ALARMS = (
    AlarmKind("network_switch_down", "one", "switch_down_count", ">", 0.5, 0.0, 0.0, "critical",
              "fabric: {value:.0f} switches are out of service",
              "Restore the switch; jobs that used it slow down."),
    AlarmKind("network_slow_jobs", "one", "slowdown_max_ratio", ">", 1.25, 0.05, 30.0, "warning",
              "fabric: communication of the slowest job takes {value:.2f} times as long as on a free network",
              "Look for links that are down or for jobs that share spines; place jobs on fewer leaves."),
    AlarmKind("network_oversubscribed", "one", "congestion_max_ratio", ">", 1.0, 0.05, 30.0, "warning",
              "fabric: a link is offered {value:.2f} times its live capacity",
              "Move jobs apart, repair the link, or lower the oversubscription."),
)
