"""Network: every bundle between leaves and spines as a cell, the busiest links, what congestion costs the jobs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.tui import format as fmt
from twin.tui.theme import LEVELS
from twin.tui.widgets.canvas import Canvas, Row, Span, spread
from twin.tui.widgets.heatmap import Grid, HeatMap, quantise
from twin.tui.widgets.table import Col, Table

if TYPE_CHECKING:
    from twin.tui.ui import Ui

MAP = "inferno"


def matrix(ui: Ui) -> Any:
    """Return the link of each (leaf, spine plane), None without a fabric."""
    found = getattr(ui.site.fabric, "leaf_spine_link", None)
    return None if found is None or not np.size(found) else np.asarray(found)


class NetworkMatrix(HeatMap):
    """Leaves downward, spines across; the upper half of a cell is the way up, the lower half the way down."""

    every = 5

    def draw(self, ui: Ui, width: int, height: int) -> tuple[Grid, str] | None:
        """Return the matrix; the one drawn before while neither loads nor switches changed."""
        load, state = ui.column("network.link_load_frac"), ui.column("network.switch_up")
        kept = ui.cache.get("matrix")
        if kept is not None and kept[0] == (width, height, ui.palette) and _same(kept[1], load) \
                and _same(kept[2], state):
            return kept[3].copy(), MAP
        drawn = self._draw(ui, width, height)
        if drawn is not None:
            ui.cache["matrix"] = ((width, height, ui.palette), load, state, drawn[0].copy())
        return drawn

    def _draw(self, ui: Ui, width: int, height: int) -> tuple[Grid, str] | None:
        """Draw the matrix, leaves folded into several columns when there are many."""
        links, load = matrix(ui), ui.column("network.link_load_frac")
        grid = Grid(width, height)
        if links is None or load is None:
            grid.text(1, 0, "no scale-out fabric in this factory", "dim")
            return grid, MAP
        state, rails = ui.column("network.switch_up"), getattr(ui.site.fabric, "leaf_rail", None)
        tiers = getattr(ui.site.fabric, "tiers", None)
        fit = _fit(links.shape[0], links.shape[1], tiers.rails if tiers is not None else 1, width, height)
        groups = [links.shape[1] * k // fit.shown for k in range(fit.shown + 1)]
        half = len(load) // 2
        up = quantise(_grouped(load[links], groups), 0.0, 1.0)
        back = quantise(_grouped(load[(links + half) % len(load)], groups), 0.0, 1.0)
        for b in range(fit.blocks):
            head = f"spines 1..{links.shape[1]}" if fit.rails == 1 else \
                f"rail {b // fit.folds + 1}" if fit.pitch >= 8 else f"r{b // fit.folds + 1}"
            if not fit.label:
                rail = f"r{b // fit.folds + 1}" if fit.rails > 1 else f"spines 1..{links.shape[1]}"
                head = "" if b % fit.folds else rail
            room = fit.pitch * (1 if fit.label else fit.folds) - 1  # without labels a rail's blocks share one heading
            grid.text(b * fit.pitch + (fit.label if fit.rails == 1 else 1), 0, head[:room], "dim")
        for leaf in range(links.shape[0]):
            b, line = fit.place(leaf)
            y, x = 1 + line * fit.tall, b * fit.pitch + max(1, fit.label)
            dead = state is not None and leaf < len(state) and not state[leaf]
            first = rails is not None and (line == 0 or rails[leaf] != rails[leaf - 1])
            ink = "bold crit" if dead else "fg" if first else "dim"
            name = ui.element_name("switch", leaf)
            name = name if fit.rails == 1 else name.removeprefix("leaf").rjust(fit.label - 2)
            if fit.label:
                sign = ui.palette.glyph("off") if dead else ""
                grid.text(b * fit.pitch + 1, y, (sign + name)[:fit.label - 1], ink)
            elif dead:
                grid.text(x, y, ui.palette.glyph("off"), "bold crit")
            for k in range(fit.shown):
                across = slice(x + k * fit.wide, x + (k + 1) * fit.wide - (1 if fit.wide > 3 else 0))
                grid.pixels[2 * y:2 * y + fit.tall, across] = up[leaf, k]
                grid.pixels[2 * y + fit.tall:2 * (y + fit.tall), across] = back[leaf, k]
        return grid, MAP


def _same(old: Any, new: Any) -> bool:
    return old is new or (old is not None and new is not None and np.array_equal(old, new))


@dataclass(frozen=True)
class _Fit:
    """How a matrix is drawn: cells of a link, spines shown (in groups), leaves of a block, blocks side by side.

    Leaves that do not fit below each other stand rail by rail, each rail in ``folds`` blocks.
    """

    wide: int
    tall: int
    shown: int
    down: int
    rails: int
    per_rail: int
    folds: int
    pitch: int
    label: int

    @property
    def blocks(self) -> int:
        """Blocks side by side."""
        return self.rails * self.folds

    def place(self, leaf: int) -> tuple[int, int]:
        """Return block and line of a leaf."""
        rail, k = divmod(leaf, self.per_rail)
        return rail * self.folds + k // self.down, k % self.down


def _fit(leaves: int, planes: int, rails: int, width: int, height: int) -> _Fit:
    """Fit ``leaves`` x ``planes`` links into cells, as large as possible."""
    lines = max(1, height - 1)
    if leaves <= lines or rails < 1 or leaves % rails:
        rails = 1
    per_rail = leaves // rails
    folds = -(-per_rail // lines)
    down = -(-per_rail // folds)
    each = max(2, (width - 1) // (rails * folds))
    label = 8 if rails * folds == 1 else 5 if each >= 9 else 0 if each < 7 else 4
    room = max(1, each - label - 1)
    wide, tall = max(1, min(8, room // planes)), max(1, min(3, lines // down))
    shown = min(planes, max(1, room // wide))
    return _Fit(wide, tall, shown, down, rails, per_rail, folds, label + shown * wide + 1, label)


def _grouped(values: Any, bounds: list[int]) -> Any:
    """Reduce columns to groups, by the largest."""
    return np.maximum.reduceat(np.asarray(values, dtype=float), bounds[:-1], axis=1)


class NetworkHead(Canvas):
    """Traffic, and the colour scale of the matrix."""

    def paint(self, ui: Ui, width: int, height: int) -> Sequence[Row]:
        """Return the line."""
        fabric = ui.site.fabric
        tiers, spec = getattr(fabric, "tiers", None), ui.site.spec.fabric
        left: list[Span] = [(" leaves × spines", "bold bright")]
        hurt = faults_in(ui)
        if tiers is not None and matrix(ui) is not None:
            rails = f"{tiers.rails} rails × " if tiers.rails > 1 else ""
            if hurt:
                left += [(f"  {hurt}", "bold crit")]
            if width >= 60:
                left += [(f"  {rails}{tiers.leaves} leaves, {spec.type}", "dim")]
        ramp: list[Span] = [("load 0 ", "dim")]
        cells = 16 if width >= 60 else 8
        for i in range(cells):
            level = i * LEVELS // cells
            plain = ui.palette.depth == "mono" or ui.palette.ascii
            ramp.append((ui.palette.ramp_glyph(level) if plain else "█", f"{MAP}:{level}"))
        return [spread(tuple(left), (*ramp, (" 100 % ", "dim")), width)]


def faults_in(ui: Ui) -> str:
    """Return in words what of the fabric is out of service, nothing when all of it works."""
    capacity, down = ui.column("network.link_capacity_frac"), ui.value("network.switch_down_count") or 0
    links = 0 if capacity is None else int((np.asarray(capacity) < 1).sum())
    words = [f"{down:.0f} switch{'es' if down > 1 else ''} down"] if down else []
    return ", ".join(words + ([f"{links} link{'s' if links > 1 else ''} hurt"] if links else []))


class RailTable(Table):
    """Load of the links between leaves and spines, rail by rail."""

    heading = "congestion by rail"
    nothing = "no rail"

    def cols(self, ui: Ui) -> Sequence[Col]:
        """Return the columns."""
        return (Col("rail", 6), Col("mean", 7, True), Col("busiest", 9, True), Col("demand", 8, True),
                Col("", 0, least=44))

    def items(self, ui: Ui) -> Sequence[Any]:
        """Return (rail, mean load, largest load, largest demand) of each rail."""
        links, rails = matrix(ui), getattr(ui.site.fabric, "leaf_rail", None)
        load, demand = ui.column("network.link_load_frac"), ui.column("network.link_demand_ratio")
        if links is None or rails is None or load is None or demand is None:
            return []
        both = np.concatenate([links, (links + len(load) // 2) % len(load)], axis=1)
        of = np.asarray(rails)
        out = []
        for rail in range(int(of.max()) + 1):
            mine = both[of == rail].ravel()
            asked = np.asarray(demand)[mine]
            top = float(asked[np.isfinite(asked)].max()) if np.isfinite(asked).any() else 0.0
            out.append((rail, float(load[mine].mean()), float(load[mine].max()), top))
        return out

    def cells(self, ui: Ui, item: Any) -> Sequence[Span]:
        """Return one rail."""
        rail, mean, top, demand = item
        ink = "bold warn" if demand > 1 else "fg"
        block = "#" if ui.palette.ascii else "■"
        return ((f"{rail + 1}", "fg"), (fmt.percent(mean), "fg"), (fmt.percent(top), ink), (fmt.percent(demand), ink),
                (block * max(0, round(20 * min(1.0, top))), f"{MAP}:{min(LEVELS - 1, int(top * (LEVELS - 1)))}"))


class LinkTable(Table):
    """The links with the largest demand over capacity."""

    heading = "busiest links"
    nothing = "no link"

    def cols(self, ui: Ui) -> Sequence[Col]:
        """Return the columns."""
        return (Col("link", 0), Col("load", 7, True), Col("demand", 8, True), Col("traffic", 11, True, 44))

    def items(self, ui: Ui) -> Sequence[Any]:
        """Return the forty busiest links."""
        demand, capacity = ui.column("network.link_demand_ratio"), ui.column("network.link_capacity_frac")
        if demand is None:
            return []
        score = np.where(np.isfinite(demand), demand, 1e9)
        if capacity is not None:
            score = np.where(np.asarray(capacity) < 1, score + 1e6, score)
        count = min(40, len(score))
        best = np.argpartition(-score, count - 1)[:count]
        return [int(i) for i in best[np.argsort(-score[best], kind="stable")]]

    def cells(self, ui: Ui, item: Any) -> Sequence[Span]:
        """Return one link."""
        i = int(item)
        demand, left = ui.value("network.link_demand_ratio", i), ui.value("network.link_capacity_frac", i)
        hurt = left is not None and left < 1
        ink = "bold crit" if hurt else "bold warn" if demand is not None and demand > 1 else "fg"
        note = " down" if left == 0 else f" {100 * (left or 0):.0f} % left" if hurt else ""
        name = ui.element_name("link", i) + note
        return ((name, ink), (fmt.percent(ui.value("network.link_load_frac", i)), "fg"), (fmt.percent(demand), ink),
                (fmt.rate(ui.value("network.link_load_bytes_s", i)), "fg"))


class SlowdownTable(Table):
    """What the network costs each running job."""

    heading = "communication of the jobs"
    nothing = "no job communicates"

    def cols(self, ui: Ui) -> Sequence[Col]:
        """Return the columns."""
        return (Col("job", 0), Col("GPUs", 7, True), Col("slowdown", 10, True))

    def items(self, ui: Ui) -> Sequence[Any]:
        """Return the running jobs, the slowest first."""
        state, slow = ui.column("workload.job_state"), ui.column("network.job_slowdown")
        if state is None or slow is None:
            return []
        running = np.flatnonzero(np.asarray(state) == 2)
        return [int(i) for i in running[np.argsort(-slow[running], kind="stable")][:40]]

    def cells(self, ui: Ui, item: Any) -> Sequence[Span]:
        """Return one job."""
        i = int(item)
        slow = ui.value("network.job_slowdown", i)
        ink = "bold warn" if slow is not None and slow > 1.05 else "fg"
        return ((fmt.clean(ui.element_name("job", i)), "fg"), (f"{ui.value('workload.job_gpus', i) or 0:.0f}", "fg"),
                (f"{ui.palette.glyph('times')}{fmt.ratio(slow)}", ink))


def explain_network(ui: Ui) -> Row:
    """Say how busy the network is."""
    worst, traffic = ui.value("network.congestion_max_ratio"), ui.value("network.traffic_bytes_s")
    if traffic is None:
        return (("no scale-out fabric in this factory", "dim"),)
    hurt = faults_in(ui)
    return ((f"{hurt}; " if hurt else "", "bold crit"), (f"traffic {fmt.rate(traffic)}", "fg"),
            (f", busiest link asked for {fmt.percent(worst)} of its capacity", "fg"),
            ("; a mean: bursts fill links far sooner", "dim"))
