"""The loops of the heat as a drawing: chip, CDU or air machine, plant, sky; hot pipes above, cold ones below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.tui import format as fmt
from twin.tui.metrics import gpu_limit_c, liquid_racks
from twin.tui.widgets.canvas import Canvas, Row, Span, crop, width_of
from twin.units import NS_PER_S

if TYPE_CHECKING:
    from twin.tui.ui import Ui

#: lines of one family of loops: hot pipes, flows, cold pipes
LINES = 3


@dataclass(frozen=True)
class Station:
    """A place on the way of the heat: three short lines, the second one the number that matters."""

    title: str
    value: str
    note: str
    ink: str = "bright"


@dataclass(frozen=True)
class Pipe:
    """A pair of pipes: temperature away from the heat and back to it, what flows, and whether it moves."""

    hot: str
    cold: str
    flow: str
    moves: bool


class HeatPath(Canvas):
    """The way of the heat: temperatures on the pipes, flows between them, what each station carries."""

    every = 5

    def paint(self, ui: Ui, width: int, height: int) -> Sequence[Row]:
        """Return both families of loops and the weather."""
        return heat_path(ui, width)[:height]


def families(ui: Ui) -> list[tuple[str, list[Station | Pipe]]]:
    """Return the families of loops that the site has, by name."""
    made = (("liquid", liquid_way(ui)), ("air", air_way(ui)))
    return [(name, way) for name, way in made if way]


def heat_path(ui: Ui, width: int) -> list[Row]:
    """Return three rows for each family of loops, then the weather."""
    rows: list[Row] = []
    ways = families(ui) if width >= WIDE else [(name, [short(item) for item in way]) for name, way in families(ui)]
    boxes = [max(sizes) for sizes in zip_longest(*(boxes_of(way) for _, way in ways), fillvalue=0)]
    for name, way in ways:
        rows += draw_way(ui, name, way, width, boxes)
    return [*rows, fitting(weather_parts(ui), width)]


def lines_of(ui: Ui) -> int:
    """Return how many lines the drawing takes."""
    return LINES * len(families(ui)) + 1


def fitting(parts: Sequence[Row], width: int) -> Row:
    """Join as many parts as fit, whole ones only."""
    out: Row = ()
    for part in parts:
        if width_of(out) + width_of(part) > width:
            break
        out = (*out, *part)
    return out


#: width from which stations are named in full, and the shorter words below it
WIDE = 100
_SHORTER = (("chips and racks", "chips"), ("chips in baths", "chips"), ("racks in air", "racks"), ("hottest ", ""),
            ("inlet ", ""), ("air machines", "machines"), (" of ", "/"), ("free cooling", "free"),
            ("coolers+chillers", "both"), ("advised", "to"))


def short(item: Station | Pipe) -> Station | Pipe:
    """Return a station in fewer words."""
    if isinstance(item, Pipe):
        return item
    title, value, note = item.title, item.value, item.note
    for long, brief in _SHORTER:
        title, value, note = (text.replace(long, brief) for text in (title, value, note))
    return Station(title, value, note, item.ink)


def boxes_of(way: Sequence[Station | Pipe]) -> list[int]:
    """Return the widths of the stations of a way."""
    return [max(len(s.title), len(s.value), len(s.note)) for s in way if isinstance(s, Station)]


def draw_way(ui: Ui, name: str, way: Sequence[Station | Pipe], width: int, boxes: Sequence[int]) -> list[Row]:
    """Draw stations (as wide as ``boxes``) with pipes between them into three rows."""
    head = 8
    room = width - head - sum(boxes) - 1
    length = max(6, min(36, room // max(1, len(boxes) - 1) - 2))
    rows: list[list[Span]] = [[(text.ljust(head), ink)] for text, ink in
                              ((" " + name, "bold accent"), ("", ""), ("", ""))]
    box = iter(boxes)
    for item in way:
        if isinstance(item, Station):
            size = next(box)
            for row, text, ink in zip(rows, (item.title, item.value, item.note), ("fg", item.ink, "dim"), strict=True):
                row.append((text.ljust(size), ink))
            continue
        for row, part in zip(rows, _pipe(ui, item, length), strict=True):
            row += [(" ", ""), *part, (" ", "")]
    return [crop(tuple(row), width) for row in rows]


def _pipe(ui: Ui, pipe: Pipe, length: int) -> tuple[Row, Row, Row]:
    """Draw a pair of pipes; an arrow goes along each while its water or air moves."""
    ink = "fg" if pipe.moves else "faint"
    if not pipe.hot:  # heat alone, one way
        return ((" " * length, ""),), _run(ui, pipe.flow, length, 1, "bold bright", ink), ((" " * length, ""),)
    flow = pipe.flow if len(pipe.flow) <= length else pipe.flow.replace(" ", "")
    return (_run(ui, pipe.hot, length, 1, "bold warn" if pipe.moves else "dim", ink if pipe.moves else "faint"),
            ((fmt.fit(flow, length).center(length), "fg" if pipe.moves else "bold crit"),),
            _run(ui, pipe.cold, length, -1, "accent" if pipe.moves else "dim", ink))


def _run(ui: Ui, text: str, length: int, way: int, label_ink: str, ink: str) -> Row:
    """Draw one pipe with its label in the middle; what stands still has no arrow and is dashed."""
    still = ink == "faint"
    label = f" {text} " if length >= len(text) + 4 else text
    first = max(0, (length - len(label)) // 2)
    before, after = first, max(0, length - first - len(label))
    free = before + after
    arrow = -1 if still or not free else (way * int(ui.frame.now_ns // NS_PER_S)) % free
    spans: list[Span] = []
    for x in range(free):
        if x == before:
            spans.append((label[:length], label_ink))
        spans.append(("▶" if way > 0 else "◀", "accent") if x == arrow else ("╌" if still else "═", ink))
    if before == free:
        spans.append((label[:length], label_ink))
    return tuple(spans)


def _t(value: float | None) -> str:
    return fmt.temp(value, "°")


def liquid_way(ui: Ui) -> list[Station | Pipe]:
    """Return the coolant's way, nothing on a site without liquid."""
    supply, back = ui.column("liquid.rack_supply_temp_c"), ui.column("liquid.rack_return_temp_c")
    heat, flow = ui.column("liquid.cdu_heat_w"), ui.column("liquid.rack_flow_kg_s")
    liquid = liquid_racks(ui)
    if supply is None or back is None or heat is None or flow is None or not liquid.any():
        return []
    hottest, limit = ui.value("chip.gpu_temp_max_c"), gpu_limit_c(ui.site)
    near = hottest is not None and limit is not None and hottest > limit - 5
    moved = float(np.asarray(flow)[liquid].sum())
    cdu_flow = ui.column("liquid.cdu_flow_kg_s")
    runs = int((np.asarray(cdu_flow) > 1e-3).sum()) if cdu_flow is not None else 0
    tanks = len(ui.names("tank"))
    racks = Station("chips and racks" if not tanks else "chips in baths", f"hottest {_t(hottest)}",
                    "" if limit is None else f"limit {limit:.0f}°", "bold warn" if near else "bright")
    pipe = Pipe(_t(float(back[liquid].max())), _t(float(supply[liquid].max())), f"{moved:.0f} kg/s", moved > 1e-3)
    cdus = Station("CDUs" if not tanks else "exchangers", fmt.power(float(heat.sum()), 3), f"{runs} of {len(heat)} run")
    return [racks, pipe, cdus, *_plant(ui, getattr(ui.site.hydronics, "cdu_loop", None), heat)]


def air_way(ui: Ui) -> list[Station | Pipe]:
    """Return the air's way, nothing on a site without air machines."""
    inlet, outlet = ui.column("air.rack_inlet_temp_c"), ui.column("air.rack_outlet_temp_c")
    heat, flow, supply = (ui.column(f"air.crah_{x}") for x in ("heat_w", "air_flow_m3_s", "supply_temp_c"))
    if inlet is None or outlet is None or heat is None or flow is None or supply is None:
        return []
    warmest, moved = float(inlet.max()), float(flow.sum())
    ink = "bold crit" if warmest > 32 else "bold warn" if warmest > 27 else "bright"
    runs = int((np.asarray(flow) > 1e-3).sum())
    blown = float(np.asarray(supply)[np.asarray(flow) > 1e-3].mean()) if runs else None
    racks = Station("racks in air", f"inlet {_t(warmest)}", "advised 27°", ink)
    pipe = Pipe(_t(float(outlet.max())), _t(blown), f"{moved:.0f} m³/s", moved > 1e-3)
    machines = Station("air machines", fmt.power(float(heat.sum()), 3), f"{runs} of {len(heat)} run")
    return [racks, pipe, machines, *_plant(ui, getattr(ui.site.floor, "crah_loop", None), heat)]


def _plant(ui: Ui, loops: Any, heat: Any) -> list[Station | Pipe]:
    """Return the plant loop that takes most of the heat, and what gives it to the sky."""
    if loops is None or not len(ui.names("loop")):
        return []
    took: dict[int, float] = {}
    for loop, watts in zip(np.asarray(loops).tolist(), np.asarray(heat).tolist(), strict=True):
        if loop >= 0:
            took[loop] = took.get(loop, 0.0) + watts
    if not took:
        return []
    loop = max(took, key=lambda i: took[i])
    flow, speed = ui.value("plant.loop_flow_kg_s", loop), ui.value("plant.loop_pump_speed_frac", loop)
    broken = int(ui.value("plant.loop_pump_fault", loop) or 0)
    moves = flow is not None and flow > 1e-3
    pipe = Pipe(_t(ui.value("plant.loop_return_temp_c", loop)), _t(ui.value("plant.loop_supply_temp_c", loop)),
                fmt.NONE if flow is None else f"{flow:.0f} kg/s", moves)
    more = f" +{len(took) - 1}" if len(took) > 1 else ""
    name = fmt.fit(fmt.clean(ui.element_name("loop", loop)), 10) + more
    pumps = Station(name, f"pumps {fmt.percent(speed)}", f"{broken} pumps off" if broken else mode_of(ui, loop),
                    "bold crit" if broken else "bright")
    return [pipe, pumps, *_sky(ui, loop)]


def mode_of(ui: Ui, loop: int) -> str:
    """Return how a loop gets rid of its heat now: by coolers, by chillers, or by both."""
    rejects = _share(ui, "rejector", loop)
    chills = _share(ui, "chiller", loop)
    if chills > 0 and rejects > 0.02 * chills:
        return "coolers+chillers"
    return "chillers" if chills > 0 else "free cooling" if rejects > 0 else "no rejection"


def _share(ui: Ui, axis: str, loop: int) -> float:
    """Return the heat that the coolers or chillers of a loop take, W."""
    of, heat = getattr(ui.site.hydronics, f"{axis}_loop", None), ui.column(f"plant.{axis}_heat_w")
    return 0.0 if of is None or heat is None else float(np.asarray(heat)[np.asarray(of) == loop].sum())


def _sky(ui: Ui, loop: int) -> list[Station | Pipe]:
    """Return the arrow to the sky: the heat that this loop gives away."""
    watts = _share(ui, "rejector", loop) + _share(ui, "chiller", loop)
    outdoor = ui.value("weather.outdoor_temp_c")
    return [Pipe("", "", fmt.power(watts, 3), True), Station("sky", _t(outdoor), "outdoor")] if watts > 0 else []


def weather_parts(ui: Ui) -> list[Row]:
    """Return the weather and the water, part by part, what matters most first."""
    if ui.value("weather.outdoor_temp_c") is None:
        return []
    items = (("outdoor", fmt.temp(ui.value("weather.outdoor_temp_c"))),
             ("wet bulb", fmt.temp(ui.value("weather.wet_bulb_temp_c"))),
             ("water", fmt.NONE if (w := ui.value("plant.makeup_kg_s")) is None else f"{w * 3.6:.1f} t/h"),
             ("humidity", fmt.percent(ui.value("weather.rel_humidity_frac"))),
             ("to the sky", fmt.power(ui.value("plant.rejected_heat_w"))),
             ("cooling power", fmt.power(ui.value("power.cooling_w"))),
             ("evaporates", fmt.NONE if (w := ui.value("plant.evaporation_kg_s")) is None else f"{w * 3.6:.1f} t/h"))
    return [((f" {label} ", "accent" if k == 0 else "dim"), (value, "bright"), (" ", ""))
            for k, (label, value) in enumerate(items) if value != fmt.NONE]
