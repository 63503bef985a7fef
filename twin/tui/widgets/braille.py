"""History plot: the band between minimum and maximum dim, the mean bright.

Time runs to the right in bins of a round length that are anchored to the start of the scenario, so that a picture
only ever moves by whole dots. A cell is two dots wide and four high in braille; where a font has none, its quarters or
ASCII stand for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.tui.theme import Graphs
from twin.units import NS_PER_S

F = NDArray[np.float64]
#: lengths of a bin that people can name, s
_BINS_S = (0.1, 0.2, 0.5, 1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100, 120, 150, 180, 240, 300,
           360, 480, 600, 720, 900, 1200, 1800, 2700, 3600, 5400, 7200, 10_800, 14_400, 21_600, 43_200, 86_400)
#: bit of each dot of a braille cell, by dot row and dot column
_BITS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]], dtype=np.uint16)
#: a character for each set of quarters of a cell
_BLOCKS = " ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█"
#: characters per row of ASCII plots, from the bottom of a cell to its top
_ASCII_DOTS = "_.-'"


@dataclass(frozen=True)
class Binned:
    """A history cut into bins: the first bin's number, its length, and min, mean and max of each (NaN when empty)."""

    bin_ns: int
    first: int
    lo: F
    mean: F
    hi: F


def bin_length_ns(span_ns: int, bins: int) -> int:
    """Return the shortest round bin of which ``bins`` cover a span.

    >>> bin_length_ns(3_600_000_000_000, 100) // 1_000_000_000
    40
    """
    for seconds in _BINS_S:
        if seconds * NS_PER_S * bins >= span_ns:
            return int(seconds * NS_PER_S)
    days = -(-span_ns // (bins * 86_400 * NS_PER_S))
    return int(days) * 86_400 * NS_PER_S


def bin_series(series: tuple[Any, Any, Any, Any], now_ns: int, window_ns: int, bins: int) -> Binned:
    """Cut (t s, lo, mean, hi) into ``bins`` bins that end with the present one.

    Args:
        window_ns: time to show; 0 shows everything since the start.
    """
    t, lo, mean, hi = (np.asarray(part) for part in series)
    span = window_ns or max(now_ns, NS_PER_S)
    bin_ns = bin_length_ns(span, bins - 1)
    first = max(0, now_ns // bin_ns - bins + 1)
    out_lo, out_hi = np.full(bins, np.inf), np.full(bins, -np.inf)
    place = np.floor(t * (NS_PER_S / bin_ns) + 1e-9).astype(np.int64) - first
    keep = (place >= 0) & (place < bins) & np.isfinite(mean)
    place = place[keep]
    count = np.bincount(place, minlength=bins)[:bins]
    np.minimum.at(out_lo, place, lo[keep])
    np.maximum.at(out_hi, place, hi[keep])
    total = np.bincount(place, weights=mean[keep], minlength=bins)[:bins]
    with np.errstate(invalid="ignore", divide="ignore"):
        out_mean = total / count
    empty = count == 0
    out_lo[empty], out_hi[empty], out_mean[empty] = np.nan, np.nan, np.nan
    if len(place):
        _bridge(out_mean, out_lo, out_hi, int(place.min()), int(place.max()))
    return Binned(bin_ns, first, out_lo, out_mean, out_hi)


def _bridge(mean: F, lo: F, hi: F, first: int, last: int) -> None:
    """Fill bins between two samples by straight lines; histories older than the ring are coarser than the plot."""
    x = np.arange(first, last + 1)
    known = np.isfinite(mean[first:last + 1])
    if not known.all():
        for values in (mean, lo, hi):
            values[first:last + 1] = np.interp(x, x[known], values[first:last + 1][known])


def limits(binned: Binned, floor: float | None = None, ceiling: float | None = None) -> tuple[float, float]:
    """Return round limits for the value axis that hold all of a history."""
    values = np.concatenate([binned.lo, binned.hi])
    values = values[np.isfinite(values)]
    lo = float(values.min()) if len(values) else 0.0
    hi = float(values.max()) if len(values) else 1.0
    lo = lo if floor is None else min(lo, floor)
    hi = hi if ceiling is None else max(hi, ceiling)
    if hi - lo < 1e-9 * max(1.0, abs(hi)):
        pad = max(abs(hi) * 0.05, 0.5)
        lo, hi = (lo if floor is not None and lo == floor else lo - pad), hi + pad
    step = _round_step((hi - lo) / 4)
    return float(np.floor(lo / step + 1e-9) * step), float(np.ceil(hi / step - 1e-9) * step)


def _round_step(raw: float) -> float:
    power = 10.0 ** np.floor(np.log10(raw))
    return float(next(f * power for f in (1, 2, 2.5, 5, 10) if f * power >= raw * (1 - 1e-9)))


def dots(binned: Binned, width: int, height: int, lo: float, hi: float) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return braille patterns (line, band), each ``height`` x ``width`` cells, of a history between two limits."""
    rows, columns = 4 * height, 2 * width
    scale = (rows - 1) / (hi - lo)

    def row_of(values: F) -> F:
        return np.clip(np.round((hi - values) * scale), 0, rows - 1)

    mean, top, bottom = row_of(binned.mean[:columns]), row_of(binned.hi[:columns]), row_of(binned.lo[:columns])
    y = np.arange(rows)[:, None]
    with np.errstate(invalid="ignore"):
        band = (y >= top) & (y <= bottom)
        before = np.concatenate([mean[:1], mean[:-1]])
        before = np.where(np.isfinite(before), before, mean)
        reach_lo = np.where(before < mean, before + 1, mean)
        reach_hi = np.where(before > mean, before - 1, mean)
        line = (y >= reach_lo) & (y <= reach_hi)
    return _pack(line, width, height), _pack(band, width, height)


def _pack(on: NDArray[np.bool_], width: int, height: int) -> NDArray[Any]:
    full = np.zeros((4 * height, 2 * width), dtype=np.uint16)
    full[:, :on.shape[1]] = on[:, :2 * width]
    cells = full.reshape(height, 4, width, 2).transpose(0, 2, 1, 3)
    return (cells * _BITS).sum(axis=(2, 3))


def plot_rows(binned: Binned, width: int, height: int, lo: float, hi: float, *, ink: str = "accent",
              graphs: Graphs = "braille") -> list[tuple[tuple[str, str], ...]]:
    """Return the rows of a plot as spans: line cells in ``ink``, band cells in ``band``."""
    line, band = dots(binned, width, height, lo, hi)
    bits = np.where(line > 0, line, band)
    kind = np.where(line > 0, 1, np.where(band > 0, 2, 0))
    styles = ("", ink, "band")
    if graphs == "ascii":
        text = "".join(_ascii_dot(value) if value else " " for value in bits.ravel().tolist())
    elif graphs == "block":
        text = "".join(map(_BLOCKS.__getitem__, _quarters(bits).ravel().tolist()))
    else:
        text = np.where(bits > 0, 0x2800 + bits, 0x20).astype("<u4").tobytes().decode("utf-32-le")
    starts = np.ones(kind.shape, dtype=bool)
    starts[:, 1:] = kind[:, 1:] != kind[:, :-1]
    at = np.flatnonzero(starts)
    out: list[list[tuple[str, str]]] = [[] for _ in range(height)]
    for (a, b), look in zip(pairwise([*at.tolist(), kind.size]), kind.ravel()[at].tolist(), strict=True):
        out[a // width].append((text[a:b], styles[look]))
    return [tuple(spans) for spans in out]


def _quarters(bits: NDArray[Any]) -> NDArray[Any]:
    """Return which quarters of a cell hold a dot: 1 upper left, 2 upper right, 4 lower left, 8 lower right."""
    quarters = np.zeros(bits.shape, dtype=np.uint8)
    for y, x in ((0, 0), (0, 1), (1, 0), (1, 1)):
        quarters |= ((bits & int(_BITS[2 * y:2 * y + 2, x].sum())) > 0).astype(np.uint8) << (2 * y + x)
    return quarters


def _ascii_dot(bits: int) -> str:
    for row, char in zip((3, 2, 1, 0), _ASCII_DOTS, strict=True):
        if bits & int(_BITS[row].sum()):
            return char
    return " "
