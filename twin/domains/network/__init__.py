"""The scale-out fabric: one coflow per job, max-min shares, slowdowns of communication, switch power."""

from twin.domains.network.faults import ALARMS, FAULTS
from twin.domains.network.step import bind_network
from twin.state.blocks import NetworkState
from twin.wiring import Domain

DOMAIN = Domain(name="network", block=NetworkState, bind=bind_network, reads=("workload",), faults=FAULTS,
                alarms=ALARMS)
