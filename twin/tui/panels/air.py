"""The air of a hall as a field: one layer of its grid, racks and CRAHs marked in their places."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.tui.metrics import metric_of
from twin.tui.panels.signs import crah_sign
from twin.tui.theme import NONE
from twin.tui.widgets.heatmap import Grid, quantise

if TYPE_CHECKING:
    from twin.tui.plan import HallPlan
    from twin.tui.ui import Ui

#: layers of the grid, from the floor up
LAYERS = ("underfloor", "rack height", "over racks")


@dataclass(frozen=True)
class FieldFit:
    """How a plan of ``nx`` x ``ny`` cells is drawn: columns and pixel rows in all, first column."""

    nx: int
    ny: int
    columns: int
    rows: int
    left: int

    def cell_at(self, x: int, y: int) -> tuple[int, int]:
        """Return the plan cell under a screen cell."""
        return (x - self.left) * self.nx // self.columns, 2 * y * self.ny // self.rows

    def place(self, x: int, y: int) -> tuple[int, int]:
        """Return the first screen cell of a plan cell."""
        return self.left + -(-x * self.columns // self.nx), -(-y * self.rows // self.ny) // 2


def fit_field(ui: Ui, hall: int, width: int, height: int) -> FieldFit:
    """Fit the plan of a hall into ``width`` x ``height`` cells: whole pixels for a plan cell where there is room."""
    floor = ui.site.floor
    nx, ny, left = int(floor.hall_nx[hall]), int(floor.hall_ny[hall]), 6
    tall, room = 2 * height // ny, max(1, width - left - 1)
    rows = min(6, tall) * ny if tall else 2 * height
    wide = min(max(2, 4 * tall), room // nx)
    return FieldFit(nx, ny, wide * nx if wide else room, rows, left)


def has_field(ui: Ui) -> bool:
    """Tell whether the frame holds the air of the grid."""
    cells, ptr = ui.column("air.cell_temp_c"), getattr(ui.site.floor, "hall_cell_ptr", None)
    return cells is not None and ptr is not None and len(cells) == int(ptr[-1])


def layer_of(ui: Ui, hall: int, layer: int) -> Any:
    """Return the temperatures of one layer of a hall's air, ny x nx; walls and cabinets without air are NaN."""
    floor = ui.site.floor
    nx, ny, base = int(floor.hall_nx[hall]), int(floor.hall_ny[hall]), int(floor.hall_cell_ptr[hall])
    part = slice(base + layer * nx * ny, base + (layer + 1) * nx * ny)
    cells = ui.column("air.cell_temp_c")
    assert cells is not None
    values = np.where(np.asarray(floor.cell_volume_m3[part]) > 0, cells[part], np.nan)
    return values.reshape(ny, nx)


def draw_field(ui: Ui, plan: HallPlan, width: int, height: int) -> Grid:
    """Draw a layer, with the names of the rows at the left, the CRAHs at the walls and the selected rack."""
    floor, metric, grid = ui.site.floor, metric_of(ui), Grid(width, height)
    fit = fit_field(ui, plan.hall, width, height)
    levels = quantise(layer_of(ui, plan.hall, ui.layer), metric.lo(ui.site), metric.hi(ui.site))
    down, across = np.arange(fit.rows) * fit.ny // fit.rows, np.arange(fit.columns) * fit.nx // fit.columns
    grid.pixels[:fit.rows, fit.left:fit.left + fit.columns] = levels[down][:, across]
    for row in plan.rows:
        if not row.racks:
            continue
        _, y = fit.place(0, int(floor.rack_y[row.racks[0]]))
        here = row.racks[0] <= ui.rack <= row.racks[-1]
        grid.text(1, y, row.name, "bold accent" if here else "dim")
    for crah, _ in (*plan.crahs_top, *plan.crahs_bottom):
        x, y = fit.place(int(floor.crah_x[crah]), int(floor.crah_y[crah]))
        sign, _ = crah_sign(ui, crah)
        name = ui.element_name("crah", crah).rpartition(".")[2].removeprefix("crah")
        y = min(y, height - 1)
        bare = grid.pixels[2 * y + 1, min(x, width - 1)] == NONE
        grid.text(x, y, ui.palette.glyph(sign) + name, "bold crit" if sign == "off" and bare else "contrast")
    if ui.rack in plan.racks:
        x, y = fit.place(int(floor.rack_x[ui.rack]), int(floor.rack_y[ui.rack]))
        _, last = fit.place(0, int(floor.rack_y[ui.rack]) + int(floor.rack_d[ui.rack]))
        for line in range(y, max(y + 1, last)):
            grid.text(x, line, ui.palette.glyph("cursor"), "contrast")
    return grid


def rack_in_field(ui: Ui, plan: HallPlan, width: int, height: int, x: int, y: int) -> int | None:
    """Return the rack under a screen cell, None beside the racks."""
    floor, fit = ui.site.floor, fit_field(ui, plan.hall, width, height)
    px, py = fit.cell_at(x, y)
    for rack in plan.racks:
        rx, ry = int(floor.rack_x[rack]), int(floor.rack_y[rack])
        if rx <= px < rx + int(floor.rack_w[rack]) and ry <= py < ry + int(floor.rack_d[rack]):
            return rack
    return None
