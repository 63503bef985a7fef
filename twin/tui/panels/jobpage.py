"""One job's page: how it stands, what it draws, where its GPUs are on the floor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.tui import format as fmt
from twin.tui.panels.jobs import STATES, JobTable
from twin.tui.panels.rack import line
from twin.tui.theme import LEVELS
from twin.tui.widgets.canvas import Canvas, Row, Span, beside

if TYPE_CHECKING:
    from twin.tui.ui import Ui


#: cells of a job's figures: label, value and note as long as they become
FIGURES_WIDE = 46

class JobPage(Canvas):
    """The job that the cursor stands on."""

    every = 5

    def __init__(self, table: JobTable, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.table = table

    def paint(self, ui: Ui, width: int, height: int) -> Sequence[Row]:
        """Return the page."""
        item = self.table.selected(ui)
        return () if item is None else job_page(ui, int(item), width, height)


def job_page(ui: Ui, job: int, width: int, height: int) -> list[Row]:
    """Return figures at the left and the placement at the right, or below each other where it is narrow."""
    state = int(ui.value("workload.job_state", job) or 0)
    swatch: Span = (ui.palette.glyph("swatch") + " ", f"job:{1 + job % (LEVELS - 1)}")
    title: Row = (swatch, (fmt.clean(ui.element_name("job", job)), "bold bright"), (f"  {STATES[state]}", "fg"))
    holds = gpus_of(ui, job)
    figures = job_figures(ui, job, holds)
    at = FIGURES_WIDE if width >= FIGURES_WIDE + 28 else 0
    floor = placement(ui, job, holds, width - at, height - 1 if at else height - 1 - len(figures))
    body = beside(figures, floor, at) if at else [*figures, *floor]
    return [title, *body]


def gpus_of(ui: Ui, job: int) -> Any:
    """Return the GPUs that a job holds, as indices."""
    held = ui.column("workload.gpu_job")
    return np.zeros(0, dtype=int) if held is None else np.flatnonzero(np.asarray(held) == job)


def job_figures(ui: Ui, job: int, holds: Any) -> list[Row]:
    """Return how the job runs and what its GPUs draw; power and energy are those of the packages alone."""
    rows: list[Row] = [line("GPUs", f"{ui.value('workload.job_gpus', job) or 0:.0f}",
                            f"holds {len(holds)}" if len(holds) else "holds none")]
    speed, slow = ui.value("workload.job_speed_frac", job), ui.value("network.job_slowdown", job)
    if len(holds) and speed is not None:
        note = "" if slow is None else f"communication {ui.palette.glyph('times')}{slow:.2f}"
        rows.append(line("speed", fmt.percent(speed), note, "warn" if speed < 0.9 else "fg"))
    rate, tokens = ui.value("workload.job_tokens_s", job) or 0.0, ui.value("workload.job_tokens", job)
    if tokens:
        rows.append(line("tokens", fmt.si(rate, "tok/s"), f"{fmt.si(tokens, 'tokens')} so far"))
    drawn, temps = ui.value("chip.job_gpu_power_w", job), ui.column("chip.gpu_temp_c")
    if len(holds) and drawn is not None:
        rows.append(line("GPU power", fmt.power(drawn), f"{drawn / rate:.2f} J a token" if rate > 0 else ""))
    spent = ui.value("ledger.job_gpu_energy_j", job)
    if spent:
        each = f"{spent / tokens:.2f} J a token so far" if tokens else "of its GPUs"
        rows.append(line("energy", fmt.energy(spent), each))
    bits = ui.column("chip.gpu_throttle")
    if len(holds) and temps is not None and bits is not None:
        hot = int(((np.asarray(bits)[holds] & ~0x4) != 0).sum())
        rows.append(line("hottest", fmt.temp(float(np.asarray(temps)[holds].max())),
                         f"{hot} slowed by heat" if hot else "none slowed by heat", "bold crit" if hot else "fg"))
    backlog, failures = ui.value("workload.job_backlog_tokens", job), ui.value("workload.job_failures", job) or 0
    if backlog:
        rows.append(line("waiting", fmt.si(backlog, "tokens"), ink="warn"))
    if failures:
        rows.append(line("failures", f"{failures:.0f}", ink="bold warn"))
    writes = ui.value("storage.job_write_bytes_s", job)
    if writes:
        rows.append(line("writes", fmt.rate(writes), "checkpoint"))
    return rows


def placement(ui: Ui, job: int, holds: Any, width: int, height: int) -> list[Row]:
    """Return the rows of racks in which the job has GPUs, a sign for each rack: all of it, part of it, none."""
    if not len(holds):
        return [(("not on the floor now", "dim"),)]
    topology = ui.site.topology
    count = np.bincount(np.asarray(topology.gpu_rack)[holds], minlength=len(topology.rack_row))
    size = np.diff(topology.rack_gpu_ptr)
    racks = int((count > 0).sum())
    head: Row = ((f"on {racks} rack{'s' if racks > 1 else ''}", "fg"), (f"  {ui.palette.glyph('block')} whole, "
                                              f"{'+' if ui.palette.ascii else '▄'} in part", "dim"))
    ink, lines = f"job:{1 + job % (LEVELS - 1)}", []
    for hall in ui.halls:
        for row in hall.rows:
            here = list(row.racks)
            if not here or not count[here].any():
                continue
            spans: list[Span] = [(row.name.ljust(5), "dim")]
            for rack in here:
                full = count[rack] == size[rack]
                sign = "block" if full else "dot"
                part = "+" if ui.palette.ascii else "▄"
                spans.append((part, ink) if count[rack] and not full else
                             (ui.palette.glyph(sign), ink if full else "faint"))
            lines.append(tuple(spans))
    return [head, *columns_of(lines, width, max(1, height - 1))]


def columns_of(lines: list[Row], width: int, height: int) -> list[Row]:
    """Lay lines out in columns, as many as fit; the last line counts what does not."""
    if not lines:
        return []
    pitch = 2 + max(sum(len(text) for text, _ in row) for row in lines)
    columns = max(1, min(-(-len(lines) // height), (width + 2) // pitch))
    shown = lines[:columns * height]
    lost = len(lines) - len(shown)
    if lost:
        shown = [*lines[:columns * height - 1], ((f"{lost + 1} more rows", "dim"),)]
    tall = -(-len(shown) // columns)
    out = shown[:tall]
    for c in range(1, columns):
        out = beside(out, shown[c * tall:(c + 1) * tall], c * pitch)
    return out
