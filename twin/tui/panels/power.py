"""Power: the chain from the utility to the rows as a one-line diagram, and where each watt goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from twin.tui import format as fmt
from twin.tui.panels.rack import line
from twin.tui.widgets.canvas import Canvas, Row, Span, crop, spread

if TYPE_CHECKING:
    from twin.tui.ui import Ui

_UPS_MODE = ("online", "on battery", "bypass", "off")
#: share of its rating from which a line is drawn heavy
HEAVY = 0.6
_GENERATOR = ("standby", "starting", "running", "cooling down", "failed")


class OneLine(Canvas):
    """Utility at the left, rows at the right; a line is bright when it is live and heavy when it is loaded.

    Attributes:
        scroll: lines above the ones in sight; lines: all of them.
    """

    every = 5

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.scroll = self.lines = self._room = 0

    def paint(self, ui: Ui, width: int, height: int) -> Sequence[Row]:
        """Return the diagram of the selected hall's paths."""
        rows = one_line(ui, width)
        self.lines = len(rows)
        self.scroll = min(self.scroll, max(0, len(rows) - height))
        shown = rows[self.scroll:self.scroll + height]
        if len(rows) > self.scroll + height and shown:
            shown[-1] = ((f" {len(rows) - self.scroll - height + 1} more lines, ↓", "dim"),)
        return shown

    def repaint(self, everything: bool = False) -> None:
        """Paint again; take the lines that the diagram needs and leave the rest to what stands below."""
        super().repaint(everything)
        if self.lines != self._room:
            self._room = self.lines
            self.styles.max_height = self.lines + 1

    def move(self, dy: int) -> None:
        """Scroll."""
        self.scroll = max(0, self.scroll + dy)
        self.repaint()


def one_line(ui: Ui, width: int) -> list[Row]:
    """Draw the power tree left to right; with several halls, the paths of the selected one and what is shared."""
    parents = getattr(ui.site.electrical, "elec_parent", None)
    if parents is None or ui.column("power.elec_load_w") is None:
        return []
    children: dict[int, list[int]] = {}
    for node, parent in enumerate(parents):
        if _belongs(ui, ui.element_name("elec", node)):
            children.setdefault(int(parent), []).append(node)
    roots = children.get(-1, [])
    if len(roots) == 1 and len(children.get(roots[0], ())) == 1 and width < 14 * _depth(children, roots[0]):
        # too narrow for the mains, which carry what the utility does
        children[roots[0]] = children[children[roots[0]][0]]
    depth = max((_depth(children, root) for root in roots), default=1)
    cell = max(10, min(26, width // depth))
    return [row for root in roots for row in _branch(ui, children, root, cell)]


def _belongs(ui: Ui, name: str) -> bool:
    """Tell whether a node is shared or belongs to the selected hall (``B.tx-A``, ``B2.feedA``)."""
    place = name.partition(".")[0]
    if len(ui.halls) == 1 or "." not in name:
        return True
    hall = ui.halls[ui.hall]
    return place == hall.name or any(place == row.name for row in hall.rows)


def _depth(children: dict[int, list[int]], node: int) -> int:
    return 1 + max((_depth(children, child) for child in children.get(node, [])), default=0)


def _branch(ui: Ui, children: dict[int, list[int]], node: int, cell: int) -> list[Row]:
    """Return the rows of a node and of everything behind it."""
    label, live = _node(ui, node, cell)
    below = children.get(node, [])
    if not below:
        return [label]
    ink = "fg" if live else "faint"
    share = ui.value("power.elec_load_frac", node) or 0.0
    rows: list[Row] = []
    used = sum(len(text) for text, _ in label)
    blocks = [_branch(ui, children, child, cell) for child in below]
    for k, block in enumerate(blocks):
        for i, row in enumerate(block):
            last = k == len(blocks) - 1
            if k == 0 and i == 0:
                bar = "━" if share > HEAVY else "─" if live else "╌"
                join = bar * (cell - 2 - used) + (f"{bar}┬" if len(below) > 1 else bar * 2)
                rows.append((*label, (join, ink), *row))
                continue
            bar = ("└" if last else "├") if i == 0 else (" " if last else "│")
            rows.append(((" " * (cell - 1), ""), (bar, ink), *row))
    return rows


def short_name(ui: Ui, node: int) -> str:
    """Return a node's name without what the diagram says anyway: that it is a bus, and the hall that is drawn."""
    name = ui.element_name("elec", node).removesuffix(".bus")
    return name.removeprefix(f"{ui.halls[ui.hall].name}.")


def _node(ui: Ui, node: int, cell: int) -> tuple[Row, bool]:
    """Return a node's label, cut to its cell, and whether it is live."""
    electrical = ui.site.electrical
    name = short_name(ui, node)
    watts = ui.value("power.elec_load_w", node) or 0.0
    live = ui.value("power.elec_energised", node) != 0
    down = ui.value("power.elec_up", node) == 0
    rating = float(electrical.elec_rating_w[node]) * int(electrical.elec_units[node])
    share = watts / rating if rating > 0 else 0.0
    ink = "crit" if share > 1 else "warn" if share > 0.9 else "bright" if watts > 1 else "dim"
    short = fmt.si(watts, "W", 3).replace(" ", "")
    if down or not live:
        sign = ui.palette.glyph("off") if down else ui.palette.glyph("standby")
        return crop(((sign, "bold crit" if down else "dim"), (name, "crit" if down else "dim"),
                     (" out" if down else " dead", "dim")), cell - 3), False
    room = cell - 4 - len(short)
    if len(name) > room:
        name = fmt.fit(name.replace(".feed", " ").replace("utility", "grid"), room)
    row: Row = (("─", "fg"), (name, "dim"), (" ", ""), (short, ink))
    if cell >= 24 and rating:
        row = (*row, (f" {100 * share:.0f}%", "dim" if share < 0.9 else ink))
    return crop(row, cell - 2), True


class Waterfall(Canvas):
    """Where each watt goes: facility input, losses, cooling, and what reaches the GPUs."""

    def paint(self, ui: Ui, width: int, height: int) -> Sequence[Row]:
        """Return the bars, machine by machine where there is room."""
        return waterfall(ui, width, fine=height >= FINE_LINES)


#: lines that the waterfall takes when it goes machine by machine
FINE_LINES = 11


def shares(ui: Ui, fine: bool) -> list[tuple[str, float, str]]:
    """Return where the facility's power goes: name, W, ink; the sum is the facility's power."""
    def total(name: str) -> float:
        column = ui.column(name)
        return float(column.sum()) if column is not None else 0.0

    chips, it = total("chip.rack_gpu_power_w"), ui.value("power.it_w") or 0.0
    loss, cooling = ui.value("power.loss_w") or 0.0, ui.value("power.cooling_w") or 0.0
    if not fine:
        return [("losses", loss, "dim"), ("cooling", cooling, "dim"), ("IT, without GPUs", it - chips, "fg"),
                ("GPUs", chips, "accent")]
    stages = _stage_losses(ui)
    cdus = min(total("liquid.cdu_power_w"), cooling)
    crahs = min(total("air.crah_power_w"), cooling - cdus)
    service = min(total("power.hall_service_w"), max(0.0, it - chips))
    return [("transformers", stages[0], "dim"), ("UPS", stages[1], "dim"),
            ("busways, breakers", max(0.0, loss - stages[0] - stages[1]), "dim"),
            ("CDU pumps", cdus, "fg"), ("air machines", crahs, "fg"), ("plant", cooling - cdus - crahs, "fg"),
            ("network, storage", service, "fg"), ("racks besides GPUs", it - chips - service, "fg"),
            ("GPUs", chips, "accent")]


def _stage_losses(ui: Ui) -> tuple[float, float]:
    """Return the losses of transformers and of UPS, W."""
    losses, kept = ui.column("power.elec_loss_w"), ui.cache.get("stages")
    if losses is None:
        return 0.0, 0.0
    if kept is None:
        last = [name.removesuffix(".bus").rpartition(".")[2] for name in ui.names("elec")]
        kept = ui.cache["stages"] = tuple([i for i, name in enumerate(last) if name.startswith(start)]
                                          for start in ("tx", "ups"))
    return float(losses[kept[0]].sum()), float(losses[kept[1]].sum())


def waterfall(ui: Ui, width: int, fine: bool = False) -> list[Row]:
    """Return one bar for each share of the facility's power, under the PUE."""
    total = ui.value("power.source_w")
    if not total or total <= 0:
        return [(("no power is drawn", "dim"),)]
    parts = [("drawn", total, "bright"), *shares(ui, fine)]
    label = 19 if fine else 17
    room = max(6, width - label - 10 - 8)
    pue = ui.value("ledger.pue_ratio")
    rows: list[Row] = [spread((("where each watt goes", "fg"),), (("PUE ", "dim"), (fmt.ratio(pue, 3), "bold bright")),
                              width)]
    start = 0.0
    for name, watts, ink in parts:
        if watts < 0:
            continue
        filled = _bar(start, watts, total, room, ui)
        rows.append(((name.ljust(label), "dim"), *((text, ink if text.strip() else "") for text in filled),
                     (fmt.power(watts, 4).rjust(10), "fg"), (f"{100 * watts / total:6.1f} %", "dim")))
        if name != "drawn":
            start += watts
    return rows


def _bar(start: float, watts: float, total: float, room: int, ui: Ui) -> tuple[str, str, str]:
    first = round(start / total * room)
    last = max(first + 1, round((start + watts) / total * room)) if watts > 0 else first
    block = "#" if ui.palette.ascii else "■"
    return " " * first, block * (min(last, room) - first), " " * max(0, room - last)


class Backup(Canvas):
    """UPS batteries and generators."""

    def paint(self, ui: Ui, width: int, height: int) -> Sequence[Row]:
        """Return a line for each."""
        rows = backup_rows(ui)
        every = ups_lines(ui) + [row for row in rows if not _is_summary(row)]
        if len(every) + 2 <= height:
            return [(("UPS and generators", "fg"),), *every, *[row for row in rows if _is_summary(row)]]
        if len(rows) > height > 0:
            rows = [*rows[:height - 1], ((f"{len(rows) - height + 1} more", "dim"),)]
        return rows


def _is_summary(row: Row) -> bool:
    return len(row) == 1


def minutes_left(ui: Ui, ups: int) -> float | None:
    """Return how long a UPS battery lasts at its present load, minutes; None without load."""
    energy = ui.value("power.battery_j", ups)
    load = ui.value("power.elec_load_w", int(ui.site.electrical.ups_elec[ups])) or 0.0
    return energy / load / 60 if energy is not None and load > 1 else None


def ups_lines(ui: Ui) -> list[Row]:
    """Return a line for each UPS that is online: load, battery, how long it would last."""
    modes = ui.column("power.ups_mode")
    out = []
    for i, mode in enumerate(modes if modes is not None else ()):
        if int(mode):
            continue
        node = int(ui.site.electrical.ups_elec[i])
        minutes, share = minutes_left(ui, i), ui.value("power.elec_load_frac", node)
        lasts = "" if minutes is None else f", lasts {minutes:.1f} min at this load"
        out.append(line(ui.element_name("ups", i), f"online {fmt.percent(share)}",
                        f"battery {fmt.percent(ui.value('power.battery_frac', i))}{lasts}", "fg", 14))
    return out


def backup_rows(ui: Ui) -> list[Row]:
    """Return UPS and generators that are at work or hurt, a line each; the rest in one line."""
    loud, calm = _ups_rows(ui)
    states = ui.column("power.generator_state")
    waiting = 0
    for i, state in enumerate(states if states is not None else ()):
        if int(state) in (0, 3):
            waiting += 1
            continue
        ink = "fg" if int(state) == 2 else "bold crit" if int(state) == 4 else "bold warn"
        loud.append(line(ui.element_name("generator", i), _GENERATOR[int(state)],
                         fmt.power(ui.value("power.generator_power_w", i)), ink, 14))
    if waiting:
        calm.append(f"{waiting} generator{'s stand' if waiting > 1 else ' stands'} by")
    return [*loud, (("; ".join(calm), "dim"),)] if calm else loud


def _ups_rows(ui: Ui) -> tuple[list[Row], list[str]]:
    modes, energy = ui.column("power.ups_mode"), ui.column("power.battery_j")
    full = getattr(ui.site.electrical, "ups_battery_j", None)
    rows: list[Row] = []
    online, least = 0, 1.0
    for i, mode in enumerate(modes if modes is not None else ()):
        charge = float(energy[i] / full[i]) if energy is not None and full is not None and full[i] > 0 else 1.0
        least = min(least, charge)
        if int(mode) == 0:
            online += 1
            continue
        note = f"battery {fmt.percent(charge)}"
        load = ui.value("power.elec_load_w", int(ui.site.electrical.ups_elec[i])) or 0.0
        if int(mode) == 1 and load > 0 and energy is not None:
            note += f", {energy[i] / load / 60:.1f} min at this load"
        ink = "bold crit" if int(mode) == 3 else "bold warn"
        rows.append(line(ui.element_name("ups", i), _UPS_MODE[int(mode)], note, ink, 14))
    left = [m for i in range(len(modes if modes is not None else ())) if (m := minutes_left(ui, i)) is not None]
    lasts = f", {min(left):.0f} min at this load" if left else ""
    return rows, [f"{online} UPS online, battery {fmt.percent(least)}{lasts}"] if online else []


def explain_power(ui: Ui) -> Row:
    """Say how the energy use stands."""
    pue, it = ui.kpi("pue"), ui.kpi("it_energy_kwh")
    now = ui.value("ledger.pue_ratio")
    where = f"paths of hall {ui.halls[ui.hall].name}; " if len(ui.halls) > 1 else ""
    spans: list[Span] = [(f"{where}PUE {fmt.ratio(now, 3)} now", "fg")]
    if pue is not None:
        spans.append((f", {fmt.ratio(pue, 3)} since the start", "fg"))
    if it is not None:
        spans.append((f"; IT energy {it:,.0f} kWh".replace(",", " "), "dim"))
    spans.append(("; facility power over IT power, 1 is the floor", "dim"))
    if ui.value("power.utility_up") == 0:
        spans.insert(0, ("the utility is out; batteries and generators carry the site  ", "bold crit"))
    return tuple(spans)
