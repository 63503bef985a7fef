"""The hall as it stands: racks in the colours of the metric, aisles, CRAHs along the walls, CDUs at the row ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from twin.tui.filtering import rack_mask
from twin.tui.metrics import map_of, metric_of, rack_values
from twin.tui.panels.air import draw_field, has_field, layer_of, rack_in_field
from twin.tui.panels.airside import KINDS, crah_state
from twin.tui.panels.signs import STILL, cdu_sign, crah_sign
from twin.tui.plan import AislePlan, Gather, Layout, gather, layout
from twin.tui.theme import LEVELS, NONE
from twin.tui.widgets.heatmap import Grid, HeatMap, quantise

if TYPE_CHECKING:
    from twin.tui.ui import Ui


class FloorMap(HeatMap):
    """Racks, aisles, CRAHs and CDUs of the selected hall."""

    def layout_now(self, ui: Ui) -> Layout:
        """Return where everything is drawn at the present size."""
        key = ("layout", ui.hall, self.content_size)
        found: Layout | None = ui.cache.get(key)
        if found is None:
            width, height = self.content_size
            found = ui.cache[key] = layout(ui.halls[ui.hall], width, height)
        return found

    def draw(self, ui: Ui, width: int, height: int) -> tuple[Grid, str] | None:
        """Return the hall in the colours of the metric."""
        if metric_of(ui).axis == "cell":
            return draw_field(ui, ui.halls[ui.hall], width, height), map_of(ui)
        lay = self.layout_now(ui)
        grid = self._backdrop(ui, lay, width, max(height, lay.total)).copy()
        levels = rack_pixels(ui, lay)
        mask = rack_mask(ui)
        if levels is not None and mask is not None:
            levels[~mask[np.array(lay.plan.racks)]] = NONE
        if levels is not None:
            grid.pixels.reshape(-1)[_targets(ui, lay, width)] = levels
        _draw_marks(grid, lay, ui)
        return grid.window(lay.scroll_for(ui.rack), height), map_of(ui)

    def _backdrop(self, ui: Ui, lay: Layout, width: int, height: int) -> Grid:
        """Return the grid without its racks, drawn anew when a sign or number on it changes."""
        key = (lay, ui.rack, ui.palette, width, _signs(ui))
        kept: tuple[Any, Grid] | None = ui.cache.get("backdrop")
        if kept is not None and kept[0] == key:
            return kept[1]
        grid = Grid(width, height)
        _draw_aisles(grid, lay, ui)
        _draw_rows(grid, lay, ui)
        _draw_crahs(grid, lay, ui)
        ui.cache["backdrop"] = (key, grid)
        return grid

    def rack_at(self, ui: Ui, x: int, y: int) -> int | None:
        """Return the rack drawn at a cell."""
        if metric_of(ui).axis == "cell":
            return rack_in_field(ui, ui.halls[ui.hall], *self.content_size, x, y)
        lay = self.layout_now(ui)
        return lay.rack_at(x, y, lay.scroll_for(ui.rack))


def _signs(ui: Ui) -> tuple[Any, ...]:
    """Return what is drawn around the racks, as bytes: states of the machines, their temperatures as written."""
    signs: list[Any] = []
    for name in ("liquid.pump_fault", "air.crah_fault"):
        column = ui.column(name)
        signs.append(None if column is None else column.tobytes())
    for name in ("liquid.cdu_flow_kg_s", "air.crah_air_flow_m3_s"):
        column = ui.column(name)
        signs.append(None if column is None else (column < STILL).tobytes())
    supply = ui.column("air.crah_supply_temp_c")
    signs.append(None if supply is None else supply.round(1).tobytes())
    air = ui.frame.version if metric_of(ui).name == "inlet" and has_field(ui) else None  # aisles have its colours
    return *signs, air, ui.frame.branch


def rack_pixels(ui: Ui, lay: Layout) -> Any:
    """Return levels, racks x pixel rows x pixel columns, of the metric; None when the frame does not hold it."""
    metric, racks = metric_of(ui), np.array(lay.plan.racks)
    shape = (len(racks), 2 * lay.cell_h, lay.cell_w)
    column = ui.column(metric.column)
    if column is None or not len(racks):
        return None
    if metric.axis == "rack":
        values = np.asarray(rack_values(ui, metric))[racks]
        levels = np.broadcast_to(quantise(values, metric.lo(ui.site), metric.hi(ui.site))[:, None, None], shape).copy()
    else:
        values = _gather(ui, lay).reduce(column, metric.how).reshape(shape)
        if metric.name == "job":
            levels = np.where(values < 0, 0, 1 + values % (LEVELS - 1)).astype(np.uint8)
        else:
            levels = quantise(values * metric.scale, metric.lo(ui.site), metric.hi(ui.site))
    energised = ui.column("power.rack_energised")
    if energised is not None:
        levels[np.asarray(energised)[racks] == 0] = NONE
    return levels


def _gather(ui: Ui, lay: Layout) -> Gather:
    key = ("gather", lay.plan.hall, lay.cell_w, lay.cell_h)
    found: Gather | None = ui.cache.get(key)
    if found is None:
        found = ui.cache[key] = gather(ui.site.topology, lay.plan.racks, lay.cell_w, 2 * lay.cell_h)
    return found


def _targets(ui: Ui, lay: Layout, width: int) -> Any:
    """Return the place of every pixel of every rack in the flat array of the grid's pixels."""
    key = ("targets", lay.plan.hall, lay.width, lay.height, lay.cell_w, lay.cell_h, width)
    found: Any = ui.cache.get(key)
    if found is None:
        at = np.array([lay.places[rack] for rack in lay.plan.racks]).reshape(-1, 2)
        y = 2 * at[:, 1, None, None] + np.arange(2 * lay.cell_h)[None, :, None] + np.zeros((1, 1, lay.cell_w), int)
        x = at[:, 0, None, None] + np.arange(lay.cell_w)[None, None, :] + np.zeros((1, 2 * lay.cell_h, 1), int)
        found = ui.cache[key] = y * width + np.minimum(x, lay.width - 1)
    return found


def _draw_aisles(grid: Grid, lay: Layout, ui: Ui) -> None:
    """Draw aisles as lines, or, when the metric is the inlet air, in the temperature of their air."""
    air = layer_of(ui, lay.plan.hall, 1) if metric_of(ui).name == "inlet" and has_field(ui) else None
    for y, aisle in lay.aisle_y:
        if air is not None:
            grid.pixels[2 * y:2 * y + 2, lay.left:lay.left + lay.span] = _air_pixels(ui, lay, aisle, air)
            continue
        sign = ui.palette.glyph("cold" if aisle.cold else "hot")
        grid.text(lay.left, y, sign * lay.span, "faint")
        label = " cold aisle " if aisle.cold else " hot aisle "
        if lay.span > 3 * len(label):
            grid.text(lay.left + (lay.span - len(label)) // 2, y, label, "dim")


def _air_pixels(ui: Ui, lay: Layout, aisle: AislePlan, air: Any) -> Any:
    """Return the levels of an aisle at rack height: its two rows of grid cells, one above the other."""
    floor, metric = ui.site.floor, metric_of(ui)
    _, y, _, depth = (int(v) for v in floor.aisle_rect[aisle.index])
    racks = lay.plan.racks
    x0 = min(int(floor.rack_x[r]) for r in racks)
    x1 = max(int(floor.rack_x[r]) + int(floor.rack_w[r]) for r in racks)
    across = x0 + np.arange(lay.span) * (x1 - x0) // lay.span
    return quantise(air[[y, y + depth - 1]][:, across], metric.lo(ui.site), metric.hi(ui.site))


def _draw_rows(grid: Grid, lay: Layout, ui: Ui) -> None:
    """Draw row names and the CDUs at both ends."""
    right = lay.left + lay.span + 1
    for row, y in zip(lay.plan.rows, lay.row_y, strict=True):
        middle = y + (lay.cell_h - 1) // 2
        here = bool(row.racks) and row.racks[0] <= ui.rack <= row.racks[-1]
        grid.text(1, middle, row.name, "bold accent" if here else "dim")
        for k, cdu in enumerate(row.cdus_left):
            sign, ink = cdu_sign(ui, cdu)
            grid.text(lay.left - 1 - len(row.cdus_left) + k, middle, ui.palette.glyph(sign), ink)
        for k, cdu in enumerate(row.cdus_right):
            sign, ink = cdu_sign(ui, cdu)
            grid.text(right + k, middle, ui.palette.glyph(sign), ink)
        for k, cooler in enumerate(in_row(ui).get(row.name, ())):
            sign, ink = crah_sign(ui, cooler)
            if right + len(row.cdus_right) + k < lay.width:
                grid.text(right + len(row.cdus_right) + k, middle, ui.palette.glyph(sign), ink)
    if lay.top_y >= 0 and any(row.cdus_right for row in lay.plan.rows):
        grid.text(right, lay.top_y, "CDU", "dim")


def in_row(ui: Ui) -> dict[str, list[int]]:
    """Return the coolers that stand among the racks of each row, by the row's name."""
    found: dict[str, list[int]] | None = ui.cache.get("in_row")
    if found is None:
        found, kinds = ui.cache.setdefault("in_row", {}), getattr(ui.site.floor, "crah_kind", ())
        for crah, kind in enumerate(kinds):
            if KINDS[int(kind)] == "in-row":
                found.setdefault(ui.element_name("crah", crah).rpartition(".")[0], []).append(crah)
    return found


def _draw_crahs(grid: Grid, lay: Layout, ui: Ui) -> None:
    """Draw the CRAHs along the two walls, with number and supply temperature where there is room."""
    for y, wall in ((lay.top_y, lay.plan.crahs_top), (lay.bottom_y, lay.plan.crahs_bottom)):
        if y < 0:
            continue
        if lay.left >= 6:
            grid.text(1, y, "CRAH", "dim")
        supply = ui.column("air.crah_supply_temp_c")
        at = [lay.left + min(int(place * lay.span), lay.span - 3) - 1 for _, place in wall]
        for k, (crah, _) in enumerate(wall):
            sign, ink = crah_sign(ui, crah)
            name = ui.element_name("crah", crah).rpartition(".")[2].removeprefix("crah")
            room = (at[k + 1] if k + 1 < len(at) else lay.left + lay.span + 1) - at[k] - 1
            note = f" {supply[crah]:.1f}" if supply is not None and sign != "standby" else ""
            text = next((t for t in (name + note, name) if len(t) < room), "")
            grid.text(at[k], y, ui.palette.glyph(sign), ink)
            grid.text(at[k] + 1, y, text, ink if sign == "off" else "dim")


def hurt_racks(ui: Ui) -> Any:
    """Return a flag for each rack: its coolant leaks or is short, its door is broken; None when all are well."""
    version, found = ui.cache.get("hurt", (-1, None))
    if version == ui.frame.version:
        return found
    flags = np.zeros(len(ui.site.topology.rack_row), dtype=bool)
    for name, bound in (("rack_protected", 0), ("rack_leak_m", 0.0), ("rack_air_frac", 0.01),
                        ("rack_coupling_factor", 1.5), ("rack_valve_k_factor", 1.5), ("rack_filter_factor", 2.0)):
        column = ui.column(f"liquid.{name}")
        if column is not None:
            flags |= np.asarray(column) > bound
    valve, doors = ui.column("liquid.rack_valve_frac"), getattr(ui.site.floor, "rack_door", None)
    if valve is not None:
        flags |= np.asarray(valve) < 0.99
    trays = ui.column("liquid.node_valve_frac")
    if trays is not None and len(trays):
        flags |= np.minimum.reduceat(np.asarray(trays), ui.site.topology.rack_node_ptr[:-1]) < 0.99
    if doors is not None and (np.asarray(doors) >= 0).any():
        at = np.flatnonzero(np.asarray(doors) >= 0)
        bad = [crah_state(ui, int(doors[rack]))[1] == "bold crit" for rack in at]
        flags[at] |= np.array(bad)
    found = flags if flags.any() else None
    ui.cache["hurt"] = (ui.frame.version, found)
    return found


def _draw_marks(grid: Grid, lay: Layout, ui: Ui) -> None:
    """Mark racks that are throttled, dead or have nothing to show, and the selected one."""
    throttled, energised = ui.column("chip.rack_throttled"), ui.column("power.rack_energised")
    metric = metric_of(ui)
    values = rack_values(ui, metric) if metric.liquid_only else None
    glyph, mask = ui.palette.glyph, rack_mask(ui)
    hurt, racks = hurt_racks(ui), np.array(lay.plan.racks, dtype=np.int64)
    if mask is not None:
        for rack in racks[~mask[racks]].tolist():
            x, y = lay.places[rack]
            for line in range(lay.cell_h):
                grid.text(x, y + line, glyph("dot") * lay.cell_w, "faint")
    marked = np.zeros(len(racks), dtype=bool)
    for flags in (None if energised is None else np.asarray(energised) == 0, hurt, throttled,
                  None if values is None else ~np.isfinite(values)):
        if flags is not None:
            marked |= np.asarray(flags)[racks] != 0
    for rack in racks[marked].tolist():
        x, y = lay.places[rack]
        cx, cy = x + (lay.cell_w - 1) // 2, y + (lay.cell_h - 1) // 2
        if energised is not None and not energised[rack]:
            grid.text(cx, cy, glyph("off"), "bold crit")
        elif hurt is not None and hurt[rack]:
            grid.text(cx, cy, glyph("fault"), "contrast")
        elif throttled is not None and throttled[rack]:
            grid.text(cx, cy, glyph("alarm"), "contrast")
        elif values is not None and not np.isfinite(values[rack]):
            grid.text(cx, cy, glyph("dot"), "faint")
    if ui.rack in lay.places:
        x, y = lay.places[ui.rack]
        for line in range(lay.cell_h):
            if lay.pitch > lay.cell_w:
                grid.text(x - 1, y + line, glyph("left"), "bold bright")
                grid.text(x + lay.cell_w, y + line, glyph("right"), "bold bright")
            else:
                grid.text(x, y + line, glyph("cursor") * lay.cell_w, "contrast")
