from collections.abc import Mapping, Sequence
from typing import Any

from twin._kernels.airflow import AirFlow

def take(buffers: Mapping[str, Any], names: Sequence[str], length: int) -> list[Any]: ...

class AirMachines:
    flow: AirFlow
    halls: int
    crahs: int
