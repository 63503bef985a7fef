"""Ledger: energy, water, carbon and money summed, and the proof that no joule is missing."""

from twin.domains.ledger.step import bind
from twin.state.blocks import LedgerState
from twin.wiring import Domain

DOMAIN = Domain(name="ledger", block=LedgerState, bind=bind,
                reads=("workload", "chip", "power", "liquid", "air", "plant", "grid"))
