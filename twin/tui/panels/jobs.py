"""Jobs: who runs, who waits, how far they came."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.tui import format as fmt
from twin.tui.theme import LEVELS
from twin.tui.widgets.canvas import Row, Span
from twin.tui.widgets.table import Col, Table
from twin.units import NS_PER_S

if TYPE_CHECKING:
    from twin.tui.ui import Ui

#: job_state in words, and the order in which they are listed
STATES = ("to come", "queued", "running", "completed", "failed", "restarting", "empty")
_ORDER = (2, 5, 1, 4, 3, 0)
_INK = {0: "dim", 1: "accent", 2: "fg", 3: "dim", 4: "bold crit", 5: "bold warn"}
_PHASES = ("idle", "compute", "checkpoint", "restart")


class JobTable(Table):
    """The job table: running first, then waiting, failed, completed, to come."""

    heading = "jobs"
    nothing = "no job yet"

    def cols(self, ui: Ui) -> Sequence[Col]:
        """Return the columns."""
        return (Col("", 2), Col("job", 0), Col("state", 12), Col("GPUs", 8, True), Col("done", 8, True),
                Col("speed", 7, True, 58), Col("activity", 9, True, 72), Col("tokens", 13, True, 46),
                Col("waited", 9, True, 86), Col("runs for", 10, True, 96), Col("energy", 10, True, 104),
                Col("failures", 9, True, 112),
                Col("phase", 12, least=120), Col("network", 9, True, 130))

    def head(self, ui: Ui, items: Sequence[Any]) -> Row:
        """Return the heading with counts."""
        state = ui.column("workload.job_state")
        if state is None:
            return ((self.heading, "bold fg"),)
        counts = np.bincount(np.asarray(state), minlength=7)
        restarting = f"{counts[5]} restarting, " if counts[5] else ""
        text = f"  {counts[2]} running, {restarting}{counts[1]} queued, {counts[3]} completed, {counts[4]} failed"
        goodput = ui.kpi("goodput_frac")
        if goodput is not None:
            text += f"; goodput {fmt.percent(goodput)}"
        return ((" " + self.heading, "bold bright" if not self.active else "bold accent"), (text, "dim"))

    def items(self, ui: Ui) -> Sequence[Any]:
        """Return the jobs in the order of the table."""
        state = ui.column("workload.job_state")
        if state is None:
            return []
        rank = np.array([_ORDER.index(s) if s in _ORDER else 99 for s in range(7)])[np.asarray(state)]
        gpus = np.asarray(ui.column("workload.job_gpus"))
        shown = np.flatnonzero(rank < 99)
        return shown[np.lexsort((shown, -gpus[shown], rank[shown]))].tolist()

    def words(self, ui: Ui, item: Any) -> str:
        """Return name and state: there may be thousands of jobs."""
        return f"{ui.element_name('job', int(item))} {STATES[int(ui.value('workload.job_state', int(item)) or 0)]}"

    def cells(self, ui: Ui, item: Any) -> Sequence[Span]:
        """Return one job."""
        i = int(item)
        return job_cells(ui, i)


def job_cells(ui: Ui, i: int) -> Sequence[Span]:
    """Return the cells of one job."""
    def get(name: str) -> float:
        return ui.value(f"workload.job_{name}", i) or 0.0

    state, ink = int(get("state")), _INK.get(int(get("state")), "fg")
    busy = state in (2, 5)
    work, done, start = get("work_s"), get("done_s"), ui.value("workload.job_start_ns", i)
    progress = fmt.percent(done / work) if np.isfinite(work) and work > 0 else "no end"
    started = start is not None and start >= 0
    begin = int(start) if started and start is not None else ui.frame.now_ns
    waited = fmt.span(max(0, begin - int(get("submit_ns")))) if state != 0 else ""
    end = int(get("end_ns")) if state in (3, 4) else ui.frame.now_ns
    slow = ui.value("network.job_slowdown", i)
    failures = int(get("failures"))
    tokens = fmt.si(get("tokens_s"), "tok/s") if busy and get("tokens_s") else ""
    swatch = (ui.palette.glyph("swatch"), f"job:{1 + i % (LEVELS - 1)}") if busy else ("", "")
    return (swatch, (fmt.clean(ui.element_name("job", i)), ink),
            (STATES[state], ink), (f"{get('gpus'):.0f}", ink), (progress if state else "", ink),
            (fmt.percent(get("speed_frac")) if busy else "", "warn" if busy and get("speed_frac") < 0.9 else ink),
            (fmt.percent(get("util_frac")) if busy else "", ink), (tokens, ink), (waited, ink),
            (fmt.span(max(0, end - begin)) if started else "", ink),
            (fmt.energy(ui.value("ledger.job_gpu_energy_j", i)) if started else "", ink),
            (f"{failures}" if failures else "", "warn"),
            (_PHASES[int(get("phase"))] if busy else "", ink),
            (f"{ui.palette.glyph('times')}{slow:.2f}" if busy and slow is not None else "",
             "warn" if slow is not None and slow > 1.05 else ink))


def explain_job(ui: Ui, i: int) -> Row:
    """Say in one line how a job stands."""
    state = int(ui.value("workload.job_state", i) or 0)
    name = fmt.clean(ui.element_name("job", i))
    spans: list[Span] = [(name, "bold fg"), (f" {STATES[state]}", "fg")]
    gpus = ui.value("workload.job_gpus", i)
    spans.append((f", {gpus or 0:.0f} GPUs", "fg"))
    if state == 2:
        speed, slow = ui.value("workload.job_speed_frac", i), ui.value("network.job_slowdown", i)
        spans.append((f", at {fmt.percent(speed)} speed", "fg"))
        if slow is not None and slow > 1.01:
            spans.append((f", communication slowed {ui.palette.glyph('times')}{slow:.2f}", "warn"))
    tokens = ui.value("workload.job_tokens", i)
    if tokens:
        spans.append((f"; {fmt.si(tokens, 'tokens')} so far", "dim"))
    return tuple(spans)


class JobBrief(JobTable):
    """The job table in a corner of the overview."""

    def cols(self, ui: Ui) -> Sequence[Col]:
        """Return the columns."""
        return (Col("", 2), Col("job", 0), Col("state", 11, least=38), Col("GPUs", 7, True), Col("done", 8, True),
                Col("speed", 7, True, 50), Col("activity", 9, True, 60), Col("tokens", 13, True, 70))

    def cells(self, ui: Ui, item: Any) -> Sequence[Span]:
        """Return the first cells of one job."""
        return job_cells(ui, int(item))[:8]

    def head(self, ui: Ui, items: Sequence[Any]) -> Row:
        """Return the counts."""
        row = super().head(ui, items)
        state = ui.column("workload.job_state")
        if state is None or len(row) < 2:
            return row
        counts = np.bincount(np.asarray(state), minlength=7)
        hurt = f", {counts[4]} failed" if counts[4] else ""
        return ((row[0][0], "fg"), (f"  {counts[2]} running, {counts[1]} queued{hurt}", "dim"))


#: seconds are what job columns count in; kept here so that a reader finds the unit
SECOND_NS = NS_PER_S
