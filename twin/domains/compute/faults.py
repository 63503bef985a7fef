"""What may be set: the power cap of a rack's GPUs."""

from twin.wiring import Setting

SETTINGS = (
    Setting("cap_frac", "rack", "rack_cap_frac", "frac", 0.2, 1.0,
            "Power cap of the rack's GPUs over their TDP; chips lower their clock to stay under it."),
)
