"""Heat map, braille, canvas, theme, format: what they draw and what they send."""

import math
from itertools import pairwise

import numpy as np
import pytest
from textual.app import App
from textual.geometry import Region

from twin.tui import format as fmt
from twin.tui.theme import LEVELS, MAPS, NONE, Palette, colour_at, nearest_256, ramp
from twin.tui.widgets.braille import bin_length_ns, bin_series, dots, limits, plot_rows
from twin.tui.widgets.canvas import crop, spread, to_ascii, width_of
from twin.tui.widgets.heatmap import Grid, HeatMap, cell_look, changed_spans, quantise

S = 1_000_000_000


class Bare(HeatMap):
    def draw(self, ui, width, height):
        return None


class OneMap(App):
    def compose(self):
        yield Bare(id="map")


def grid_of(rng, width=40, height=10):
    grid = Grid(width, height)
    grid.pixels[:] = rng.integers(0, LEVELS, grid.pixels.shape)
    return grid


async def test_only_changed_rows_are_dirty_and_never_two_regions_on_a_row():
    async with OneMap().run_test(size=(40, 10)) as pilot:
        heat, palette, rng = pilot.app.query_one(Bare), Palette(), np.random.default_rng(1)
        grid = grid_of(rng)
        assert heat.show(grid, "inferno", palette) == [Region(0, 0, 40, 10)]
        assert heat.show(grid, "inferno", palette) == []
        second = Grid(40, 10)
        second.pixels[:] = grid.pixels
        second.pixels[6, 5] ^= 1
        second.pixels[7, 30] ^= 1
        second.pixels[18, 0] ^= 1
        assert heat.show(second, "inferno", palette) == [Region(5, 3, 26, 1), Region(0, 9, 1, 1)]
        for _ in range(20):
            third = Grid(40, 10)
            third.pixels[:] = second.pixels
            third.pixels[rng.integers(0, 20, 6), rng.integers(0, 40, 6)] ^= 3
            regions, second = heat.show(third, "inferno", palette), third
            rows = [y for region in regions for y in region.line_range]
            assert len(set(rows)) == len(rows) > 0


async def test_strips_show_the_levels():
    async with OneMap().run_test(size=(40, 10)) as pilot:
        heat, palette = pilot.app.query_one(Bare), Palette()
        grid = grid_of(np.random.default_rng(2))
        grid.text(3, 4, "ab", "crit")
        heat.show(grid, "viridis", palette)
        colours = palette.heat("viridis")
        for y in range(10):
            cells = [(char, style) for text, style, _ in heat.render_line(y) for char in text]
            assert len(cells) == 40
            for x, (char, style) in enumerate(cells):
                top, bottom = grid.pixels[2 * y, x], grid.pixels[2 * y + 1, x]
                if y == 4 and x in (3, 4):
                    assert char == "ab"[x - 3]
                    assert style.bgcolor == colours[bottom]
                elif top == bottom:
                    assert (char, style.bgcolor) == (" ", colours[top])
                elif top > bottom:
                    assert (char, style.color, style.bgcolor) == ("▀", colours[top], colours[bottom])
                else:  # the same two levels are the same pen
                    assert (char, style.color, style.bgcolor) == ("▄", colours[bottom], colours[top])


async def test_another_map_or_theme_repaints_all():
    async with OneMap().run_test(size=(40, 10)) as pilot:
        heat, grid = pilot.app.query_one(Bare), grid_of(np.random.default_rng(3))
        heat.show(grid, "inferno", Palette())
        assert heat.show(grid, "viridis", Palette()) == [Region(0, 0, 40, 10)]
        assert heat.show(grid, "viridis", Palette(dark=False)) == [Region(0, 0, 40, 10)]


def test_changed_spans():
    old = np.zeros((3, 8), dtype=np.int64)
    new = old.copy()
    new[1, 2] = new[1, 6] = 5
    assert changed_spans(old, new) == [(1, 2, 7)]


def test_quantise_limits_and_nan():
    levels = quantise(np.array([-1e9, 0.0, 99.999, 100.0, 1e9, np.nan, np.inf]), 0.0, 100.0)
    assert levels.tolist() == [0, 0, 31, 31, 31, NONE, 31]


@pytest.mark.parametrize("name", MAPS[:3])
def test_maps_get_lighter_all_the_way(name):
    light = [0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in ramp(name)]
    assert all(b > a for a, b in pairwise(light))


def test_map_ends_are_the_published_ones():
    assert colour_at("viridis", 0.5) == (0x21, 0x91, 0x8C)
    assert colour_at("inferno", 0.0) == (0, 0, 4)
    assert colour_at("cividis", 1.0) == (0xFE, 0xE8, 0x38)


def test_nearest_256_finds_exact_entries():
    assert nearest_256((255, 0, 0)) == 196
    assert nearest_256((8, 8, 8)) == 232


@pytest.mark.parametrize("depth", ["mono", "16", "256"])
def test_poorer_terminals_keep_levels_apart(depth):
    palette = Palette(depth=depth)
    looks = {cell_look(level | level << 8, "inferno", palette) for level in range(LEVELS)}
    assert len(looks) >= (4 if depth == "mono" else 6)
    if depth == "mono":
        assert all(style.color is None and style.bgcolor is None for _, style in looks)
    elif depth == "256":
        assert all((style.bgcolor.number or 0) >= 16 for _, style in looks)


def test_ascii_draws_ascii_only():
    palette = Palette(ascii_only=True)
    for level in range(LEVELS):
        assert cell_look(level | level << 8, "inferno", palette)[0].isascii()
    assert cell_look(ord("▣") << 24, "inferno", palette)[0].isascii()
    assert to_ascii("25 °C ─▶ ×10 ▲●○▣▢✕┿").isascii()


def test_bins_are_anchored_to_the_start():
    t = np.arange(0, 500.0)
    series = (t, t - 1, t, t + 1)
    first = bin_series(series, 400 * S, 0, 100)
    later = bin_series(series, 401 * S, 0, 100)
    assert first.bin_ns == later.bin_ns == 5 * S
    same = min(len(first.mean), len(later.mean))
    shift = later.first - first.first
    assert np.array_equal(first.mean[shift:same - 30], later.mean[:same - 30 - shift])
    assert np.nanmin(first.lo) == -1.0


def test_bin_length_covers_the_span():
    for span_s in (1, 37, 3600, 86_400, 400 * 86_400):
        assert bin_length_ns(span_s * S, 80) * 80 >= span_s * S


def test_a_straight_line_is_drawn_as_a_diagonal():
    n = 32
    t = np.arange(n, dtype=float)
    data = bin_series((t, t, t, t), (n - 1) * S, 0, n)
    line, _ = dots(data, n // 2, 8, 0.0, float(n - 1))
    assert [int(np.argmax(line[:, x] > 0)) for x in (0, n // 2 - 1)] == [7, 0]
    assert sum(bin(int(cell)).count("1") for cell in line.ravel()) == n


def test_band_holds_minimum_and_maximum():
    t = np.arange(20, dtype=float)
    mean = np.full(20, 5.0)
    data = bin_series((t, mean - 4, mean, mean + 4), 19 * S, 0, 20)
    assert limits(data) == (0.0, 10.0)
    rows = plot_rows(data, 10, 6, 0.0, 10.0)
    inks = {style for row in rows for _, style in row}
    assert {"accent", "band"} <= inks
    assert all(width_of(row) == 10 for row in rows)


def test_gaps_are_bridged_and_the_future_is_empty():
    t = np.array([0.0, 50.0])
    data = bin_series((t, t, t, t), 99 * S, 0, 100)
    last = 50 * S // data.bin_ns
    assert np.isfinite(data.mean[:last + 1]).all()
    assert np.isnan(data.mean[last + 1:]).all()


def test_rows_are_cut_and_spread():
    assert crop((("abcdef", ""), ("ghi", "")), 5) == (("abcd…", ""),)
    row = spread((("left", ""),), (("right", ""),), 20)
    assert width_of(row) == 20


@pytest.mark.parametrize(("value", "text"), [(0.0, "0 W"), (999.4, "999 W"), (1000, "1.000 kW"), (118_240, "118.2 kW"),
                                             (12_345_678, "12.35 MW"), (None, "–"), (math.nan, "–")])
def test_power(value, text):
    assert fmt.power(value) == text


def test_times_and_speeds():
    assert fmt.elapsed(3 * 86_400 * S + 3661 * S) == "3d 01:01"
    assert fmt.speed(0.25) == "×0.25"
    assert fmt.clock(0, 0, 3600) == "01:00:00"
    assert fmt.clean("a\x1b[31mb") == "a [31mb"
