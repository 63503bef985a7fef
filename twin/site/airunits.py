"""Which air machines a hall has: CRAHs or a fan wall at its walls, coolers in its rows, doors behind its racks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from twin.arrays import frozen_i32, total
from twin.catalog.entry import Entry
from twin.errors import SpecError, nearest
from twin.site.grid import CELL_M, air_machine_cells
from twin.site.spec import CoolingUnitsSpec, DoorSpec, HallSpec, RowSpec

#: the CRAH that a hall gets when its specification names none but its racks heat the air.
DEFAULT_CRAH = "crah-350kw"
#: kinds of air machines as the catalogue names them; their number in ``Floor.crah_kind``.
KINDS = ("room", "wall", "in-row", "door")
ROOM, WALL, IN_ROW, DOOR = range(4)


class AirUnits:
    """Collects the air machines of all halls in the order of the axis ``crah``: by hall, doors last.

    Args:
        loops: names of the plant loops.
    """

    def __init__(self, loops: Sequence[str]) -> None:
        self.loops = list(loops)
        self.columns: dict[str, list[Any]] = {key: [] for key in (
            "hall", "loop", "x", "y", "w", "d", "facing", "kind", "rack", "entry", "supply", "name")}
        self.drawn: list[np.ndarray] = []
        self.blown: list[np.ndarray] = []

    def add(self, group: CoolingUnitsSpec | DoorSpec, entry: Entry, where: str, *, hall: int, name: str,
            rect: tuple[int, int, int, int], facing: int, plan: tuple[int, int], first_cell: int,
            rack: int = -1) -> None:
        """Add one machine: its rectangle on the plan (of nx by ny cells), the side that it blows to, its rack."""
        kind = kind_of(entry)
        blown, drawn = air_machine_cells(KINDS[kind], rect, facing, plan)
        self.blown.append(first_cell + blown)
        self.drawn.append(first_cell + drawn)
        supply = float(entry["supply_air_c"]) if group.supply_c is None else group.supply_c
        values = (hall, self._loop(group, where), *rect, facing, kind, rack, entry, supply, name)
        for key, value in zip(self.columns, values, strict=True):
            self.columns[key].append(value)

    def _loop(self, group: CoolingUnitsSpec | DoorSpec, where: str) -> int:
        wanted = group.loop or "chilled"
        if wanted in self.loops:
            return self.loops.index(wanted)
        if not group.loop and len(self.loops) == 1:
            return 0
        what = "doors" if isinstance(group, DoorSpec) else "CRAHs"
        raise SpecError(f"there is no plant loop '{wanted}' for the {what}", where=f"{where}.loop",
                        nearest=nearest(wanted, self.loops),
                        expected="one of " + ", ".join(self.loops) if self.loops else "a [[plant.loop]] of that name")

    def cells(self) -> dict[str, Any]:
        """Return bounds and cells that the machines blow into and draw from, as columns of ``Floor``."""
        none = [np.zeros(0, dtype=np.int32)]
        return {
            "crah_out_ptr": frozen_i32(np.concatenate([[0], np.cumsum([len(c) for c in self.blown])])),
            "crah_out_cell": frozen_i32(np.concatenate(self.blown or none)),
            "crah_in_ptr": frozen_i32(np.concatenate([[0], np.cumsum([len(c) for c in self.drawn])])),
            "crah_in_cell": frozen_i32(np.concatenate(self.drawn or none)),
        }


def kind_of(entry: Entry) -> int:
    """Return the kind of an air machine's entry as its number.

    Raises:
        SpecError: the entry states a kind that does not exist.
    """
    kind = str(entry.get("kind", "room"))
    if kind not in KINDS:
        raise SpecError(f"'{kind}' is not a kind of air machine", where=f"catalog.crahs.{entry.name}.kind",
                        expected="one of " + ", ".join(KINDS), nearest=nearest(kind, KINDS))
    return KINDS.index(kind)


def footprint(entry: Entry) -> tuple[int, int]:
    """Return width and depth of a machine in cells."""
    return max(1, round(entry["width_m"] / CELL_M)), max(1, round(entry["depth_m"] / CELL_M))


def room_units(hall: HallSpec, name: str, rows: Iterable[RowSpec], design_w: float,
               catalog: Any) -> CoolingUnitsSpec | None:
    """Return the machines at the hall's walls; sized, with one spare, when the specification names none.

    They are sized for the air heat that doors and in-row coolers leave.

    Raises:
        SpecError: all are spares, or a fan wall is to blow into a hall whose cold aisles are shut.
    """
    group = hall.crah
    if group is None:
        left_w = design_w - total(_row_capacity_w(row, catalog) for row in rows)
        if left_w > 0.0:
            needed = math.ceil(left_w / catalog.get("crahs", DEFAULT_CRAH)["capacity_net_w"])
            group = CoolingUnitsSpec(type=DEFAULT_CRAH, count=needed + 1, spare=1)
    if group is None:
        return None
    where = f"hall.{name}.crah"
    expect_kind(catalog.get("crahs", group.type), (ROOM, WALL), where)
    if group.spare >= group.count:
        raise SpecError(f"all {group.count} CRAHs are spares", where=where, expected="spare below count")
    if kind_of(catalog.get("crahs", group.type)) == WALL and hall.aisle == "cold-contained":
        raise SpecError("a fan wall blows into the room, but the cold aisles are shut", where=f"hall.{name}.aisle",
                        expected="hot-contained or open, or CRAHs that blow under the floor")
    return group


def expect_kind(entry: Entry, kinds: Sequence[int], where: str) -> None:
    """Raise SpecError when a machine stands where its kind cannot."""
    if kind_of(entry) not in kinds:
        raise SpecError(f"'{entry.name}' is of kind '{KINDS[kind_of(entry)]}'", where=f"{where}.type",
                        expected="a machine of kind " + " or ".join(KINDS[k] for k in kinds))


def _row_capacity_w(row: RowSpec, catalog: Any) -> float:
    """Return what the doors and the in-row coolers of a row (all its repeats) take from the air."""
    each = 0.0
    if row.door is not None:
        each += row.racks * float(catalog.get("crahs", row.door.type)["capacity_net_w"])
    if row.cooler is not None:
        each += (row.cooler.count - row.cooler.spare) * float(catalog.get("crahs", row.cooler.type)["capacity_net_w"])
    return each * row.repeat
