"""What a view shows, as a table: for the clipboard and for CSV."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.state.blocks import BLOCKS
from twin.tui import format as fmt
from twin.tui.filtering import rack_mask
from twin.tui.metrics import metric_of, rack_values

if TYPE_CHECKING:
    from twin.tui.screens.views import View
    from twin.tui.ui import Ui


@dataclass(frozen=True)
class Sheet:
    """A table of texts: what it is called, its columns, its rows."""

    name: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]

    def csv(self) -> str:
        """Return it as CSV with a heading."""
        return self._write(",", "\r\n")

    def tsv(self, limit: int | None = None) -> tuple[str, int]:
        """Return as many rows as fit into ``limit`` bytes, as text between tabs, and how many these are."""
        lines = self._write("\t", "\n").encode().splitlines(keepends=True)
        size, count = 0, 0
        for line in lines:
            if limit is not None and size + len(line) > limit:
                break
            size, count = size + len(line), count + 1
        return b"".join(lines[:count]).decode(), max(0, count - 1)

    def _write(self, between: str, end: str) -> str:
        out = StringIO()
        writer = csv.writer(out, delimiter=between, lineterminator=end)
        writer.writerow(self.columns)
        writer.writerows([[plain(cell) for cell in row] for row in self.rows])
        return out.getvalue()


def plain(text: str) -> str:
    """Return text that no spreadsheet takes for a formula.

    >>> plain("=1+1"), plain("-3.2"), plain("@x"), plain("A1")
    ("'=1+1", '-3.2', "'@x", 'A1')
    """
    text = " ".join(text.split())
    sign = text[:1] in ("+", "-") and len(text) > 1 and not text[1].isdigit()
    return "'" + text if text[:1] in ("=", "@") or sign else text


def sheet_of(view: View, ui: Ui) -> Sheet:
    """Return what a view shows: the table with the cursor, the racks of the floor, or the elements of the view."""
    table = view.table()
    if table is not None:
        columns = tuple(col.title or "mark" for col in table.cols(ui))
        rows = [tuple(text for text, _ in table.cells(ui, item)) for item in table.rows(ui)]
        return Sheet(table.heading or ui.view, columns, rows)
    if ui.view == "rack":
        ptr = ui.site.topology.rack_gpu_ptr
        return axis_sheet(ui, "gpu", range(int(ptr[ui.rack]), int(ptr[ui.rack + 1])))
    if ui.view == "power":
        return axis_sheet(ui, "elec", range(len(ui.names("elec"))))
    return floor_sheet(ui)


def floor_sheet(ui: Ui) -> Sheet:
    """Return the racks that match the filter with the metric that is shown."""
    metric, topology = metric_of(ui), ui.site.topology
    values, mask = rack_values(ui, metric), rack_mask(ui)
    unit = f" ({metric.unit})" if metric.unit else ""
    rows: list[tuple[str, ...]] = []
    for i, name in enumerate(ui.names("rack")):
        if mask is not None and not mask[i]:
            continue
        value = None if values is None or not np.isfinite(values[i]) else float(values[i])
        if metric.name == "job":
            text = "" if value is None or value < 0 else fmt.clean(ui.element_name("job", int(value)))
        else:
            text = "" if value is None else f"{value:.{0 if metric.unit == '%' else 1}f}"
        rows.append((name, ui.element_name("hall", int(topology.rack_hall[i])),
                     topology.rack_entries[int(topology.rack_class[i])].name, text))
    return Sheet(f"racks {metric.title}", ("rack", "hall", "type", metric.title + unit), rows)


def axis_sheet(ui: Ui, axis: str, which: range) -> Sheet:
    """Return every column of the frame that counts along an axis."""
    names = [f"{block.block_name}.{col.name}" for block in BLOCKS for col in block.columns if col.axis == axis]
    columns: dict[str, Any] = {name: found for name in names if (found := ui.column(name)) is not None}
    rows: list[tuple[str, ...]] = [(ui.element_name(axis, i), *(f"{array[i]:.6g}" for array in columns.values()))
                                   for i in which]
    return Sheet(f"{axis} {ui.element_name('rack', ui.rack)}" if axis == "gpu" else axis, (axis, *columns), rows)
