"""Colours: one calm dark theme, one light, perceptual colour maps, and what is left of them on poorer terminals.

A style is asked for by a short key such as ``"dim"``, ``"bold crit"`` or ``"fg on sel"``; the palette turns it into
a Rich style once and remembers it. Heat colours are 32 levels of a colour map, drawn for the depth of the terminal:
24-bit, 256 colours, the 16 of the terminal itself, or none (then glyphs carry the level).
"""

from __future__ import annotations

from typing import Literal

from rich.color import Color
from rich.style import Style
from textual.theme import Theme

Depth = Literal["truecolor", "256", "16", "mono"]
#: characters that histories are drawn with: 2x4 dots, 2x2 blocks, or ASCII
Graphs = Literal["braille", "block", "ascii"]
RGB = tuple[int, int, int]

#: levels that a value is quantised to before it is drawn
LEVELS = 32
#: level that stands for "nothing here": the background shows
NONE = 255

#: Anchors, evenly spaced over 0..1, of perceptually uniform maps that colour-blind readers can follow: viridis and
#: inferno (Smith and van der Walt, 2015, CC0), cividis (Nunez, Anderton, Renslow, 2018,
#: doi 10.1371/journal.pone.0199239); blue to red through grey after Moreland, 2009, "Diverging color maps for
#: scientific visualization".
_ANCHORS: dict[str, tuple[str, ...]] = {
    "inferno": ("000004", "160b39", "420a68", "6a176e", "932667", "bc3754", "dd513a", "f37819", "fca50a", "f6d746",
                "fcffa4"),
    "viridis": ("440154", "482475", "414487", "355f8d", "2a788e", "21918c", "22a884", "44bf70", "7ad151", "bddf26",
                "fde725"),
    "cividis": ("00224e", "123570", "3b496c", "575d6d", "707173", "8a8678", "a59c74", "c3b369", "e1cc55", "fee838"),
    "diverging": ("3b4cc0", "6282ea", "8db0fe", "b8d0f9", "dddddd", "f5c4ad", "f49a7b", "de604d", "b40426"),
}
#: part of each map in use on a dark and a light background, so that the ends do not melt into it
_SPAN: dict[str, tuple[float, float]] = {"inferno": (0.13, 0.97), "viridis": (0.04, 1.0), "cividis": (0.05, 1.0),
                                         "diverging": (0.0, 1.0)}
#: twelve hues for jobs, told apart by lightness as well (after Paul Tol's "light" and "muted" schemes)
_JOB_HUES = ("77aadd", "ee8866", "44bb99", "eedd88", "aa4499", "99ddff", "bbcc33", "cc6677", "aaaa00", "88ccee",
             "ddcc77", "6699cc")
_SIXTEEN: dict[str, tuple[int, ...]] = {
    "inferno": (4, 5, 1, 9, 3, 11), "viridis": (5, 4, 6, 2, 10, 11), "cividis": (4, 12, 8, 7, 3, 11),
    "diverging": (4, 12, 6, 7, 9, 1), "job": (8, 14, 9, 10, 11, 13, 12, 3, 2, 5, 6, 1),
}
MAPS: tuple[str, ...] = ("inferno", "viridis", "cividis", "diverging")

#: glyph ramps for terminals without colour
RAMP_UNICODE = " ░▒▓█"
RAMP_ASCII = " .:-=+*#%@"

_DARK = {
    "bg": "0f1317", "panel": "141a20", "fg": "c9d1d9", "bright": "f0f4f8", "dim": "7d8794", "faint": "333c46",
    "rule": "28313a", "accent": "6cc5d6", "warn": "e3a857", "crit": "f0655c", "ok": "86b58c", "sel": "1f2b36",
    "band": "2f5560",
}
_LIGHT = {
    "bg": "fbfaf7", "panel": "f3f2ee", "fg": "2b3138", "bright": "0c1014", "dim": "6b737c", "faint": "c3c8cd",
    "rule": "d9dcdf", "accent": "0b7285", "warn": "a85b00", "crit": "c4221d", "ok": "3c7a45", "sel": "dcebee",
    "band": "a8d0d8",
}
_SIXTEEN_INK = {"dim": 8, "faint": 8, "rule": 8, "accent": 14, "warn": 11, "crit": 9, "ok": 10, "bright": 15,
                "band": 6, "sel": 4}
#: a yellow cannot be read on white, so warnings are magenta there
_SIXTEEN_INK_LIGHT = {"dim": 8, "faint": 7, "rule": 7, "accent": 6, "warn": 5, "crit": 1, "ok": 2, "bright": 0,
                      "band": 6, "sel": 7}
#: on the band of a selected row these are what can be read on the terminal's blue
_SIXTEEN_ON_SEL = {"dim": "fg", "faint": "fg", "accent": "bright", "ok": "bright"}
_MONO_INK = {"crit": "bold reverse", "warn": "bold underline", "accent": "bold", "bright": "bold", "dim": "dim",
             "faint": "dim", "rule": "dim"}


def hex_rgb(text: str) -> RGB:
    """Read ``rrggbb``."""
    return int(text[0:2], 16), int(text[2:4], 16), int(text[4:6], 16)


def colour_at(name: str, x: float) -> RGB:
    """Return the colour of map ``name`` at ``x`` in 0..1, linear between its anchors.

    >>> colour_at("viridis", 0.0), colour_at("viridis", 1.0)
    ((68, 1, 84), (253, 231, 37))
    """
    anchors = _ANCHORS[name]
    place = min(max(x, 0.0), 1.0) * (len(anchors) - 1)
    i = min(int(place), len(anchors) - 2)
    low, high, part = hex_rgb(anchors[i]), hex_rgb(anchors[i + 1]), place - i
    r, g, b = (round(a + (c - a) * part) for a, c in zip(low, high, strict=True))
    return r, g, b


def ramp(name: str) -> tuple[RGB, ...]:
    """Return the 32 levels of a map; ``job`` gives grey for free GPUs and then hues in turn."""
    if name == "job":
        return (hex_rgb("3a424b"), *(hex_rgb(_JOB_HUES[i % len(_JOB_HUES)]) for i in range(LEVELS - 1)))
    lo, hi = _SPAN[name]
    return tuple(colour_at(name, lo + (hi - lo) * i / (LEVELS - 1)) for i in range(LEVELS))


def nearest_256(rgb: RGB) -> int:
    """Return the colour of xterm's 6x6x6 cube and grey ramp that looks closest (weighted distance in RGB)."""
    steps = (0, 95, 135, 175, 215, 255)

    def distance(other: RGB) -> float:
        mean_r = (rgb[0] + other[0]) / 2
        dr, dg, db = (a - b for a, b in zip(rgb, other, strict=True))
        return (2 + mean_r / 256) * dr * dr + 4 * dg * dg + (2 + (255 - mean_r) / 256) * db * db

    cube = [(16 + 36 * r + 6 * g + b, (steps[r], steps[g], steps[b]))
            for r in range(6) for g in range(6) for b in range(6)]
    greys = [(232 + i, (8 + 10 * i,) * 3) for i in range(24)]
    return min([*cube, *greys], key=lambda item: distance(item[1]))[0]


class Palette:
    """Styles and heat colours for one theme and one depth of colour.

    Args:
        dark: the dark theme, otherwise the light one.
        depth: what the terminal can show.
        ascii_only: draw with ASCII characters only.
        graphs: what histories are drawn with; always ASCII where nothing else is.
        ground: paint the theme's background; otherwise the terminal's own is seen.
    """

    def __init__(self, dark: bool = True, depth: Depth = "truecolor", ascii_only: bool = False, *,
                 graphs: Graphs = "braille", ground: bool = True) -> None:
        self.dark, self.depth, self.ascii, self.ground = dark, depth, ascii_only, ground
        self.graphs: Graphs = "ascii" if ascii_only else graphs
        self.tokens = _DARK if dark else _LIGHT
        self.base = self._base()
        self._styles: dict[str, Style] = {}
        self._heat: dict[str, tuple[Color, ...]] = {}
        self._rgb: dict[str, tuple[RGB, ...]] = {}

    def _base(self) -> Style:
        """Return foreground on background; the terminal's own where it has only a few colours."""
        if self.depth in ("16", "mono"):
            return Style()
        return Style(color=self.colour("fg"), bgcolor=self.colour("bg") if self.ground else None)

    def but(self, dark: bool | None = None, depth: Depth | None = None) -> Palette:
        """Return the palette of another theme or depth, with all the rest as it is."""
        return Palette(self.dark if dark is None else dark, depth or self.depth, self.ascii, graphs=self.graphs,
                       ground=self.ground)

    def style(self, key: str) -> Style:
        """Return the style of a key: ``[bold] [reverse] [underline] ink [on ink]``; ``map:level`` is an ink too."""
        found = self._styles.get(key)
        if found is None:
            found = self._styles[key] = self._build(key)
        return found

    def _build(self, key: str) -> Style:
        words, out, background = key.split(), self.base, False
        for word in words:
            if word == "on":
                background = True
            elif word in ("bold", "reverse", "underline", "italic"):
                out += Style.parse(word)
            elif self.depth == "mono":
                out += Style.parse("reverse") if background and word == "sel" else \
                    Style.parse(_MONO_INK.get(word, "")) if not background and word in _MONO_INK else Style()
            else:
                if self.depth == "16" and self.dark and words[-1] == "sel" and not background:
                    word = _SIXTEEN_ON_SEL.get(word, word)
                colour = self.colour(word)
                if colour is not None:
                    out += Style(bgcolor=colour) if background else Style(color=colour)
        return out

    def colour(self, word: str) -> Color | None:
        """Return an ink's colour; None for the terminal's own foreground and for colourless terminals."""
        if self.depth == "mono":
            return None
        if ":" in word:
            name, level = word.split(":")
            return self.heat(name)[int(level)]
        if self.depth == "16":
            number = (_SIXTEEN_INK if self.dark else _SIXTEEN_INK_LIGHT).get(word)
            return None if number is None else Color.from_ansi(number)
        rgb = hex_rgb(self.tokens[word])
        return Color.from_ansi(nearest_256(rgb)) if self.depth == "256" else Color.from_rgb(*rgb)

    def heat(self, name: str) -> tuple[Color, ...]:
        """Return the 32 colours of a map at this depth."""
        found = self._heat.get(name)
        if found is None:
            if self.depth == "truecolor":
                found = tuple(Color.from_rgb(*rgb) for rgb in ramp(name))
            elif self.depth == "256":
                found = tuple(Color.from_ansi(nearest_256(rgb)) for rgb in ramp(name))
            else:
                few = _SIXTEEN[name]
                found = tuple(Color.from_ansi(few[i % len(few)] if name == "job" else few[i * len(few) // LEVELS])
                              for i in range(LEVELS))
            self._heat[name] = found
        return found

    def contrast(self, name: str, level: int) -> Color | None:
        """Return black or white, whichever can be read on a level of a map."""
        if self.depth == "mono":
            return None
        r, g, b = self._rgb.setdefault(name, ramp(name))[level]
        bright = 0.299 * r + 0.587 * g + 0.114 * b > 120
        if self.depth == "16":
            return Color.from_ansi(0 if bright else 15)
        return Color.from_rgb(12, 14, 18) if bright else Color.from_rgb(245, 247, 250)

    def ramp_glyph(self, level: int) -> str:
        """Return the glyph that stands for a level where colours cannot."""
        glyphs = RAMP_ASCII if self.ascii else RAMP_UNICODE
        return glyphs[1 + level * (len(glyphs) - 1) // LEVELS]

    def glyph(self, name: str) -> str:
        """Return a drawing character by name, or its ASCII stand-in."""
        return _GLYPHS[name][1 if self.ascii else 0]


_GLYPHS: dict[str, tuple[str, str]] = {
    "play": ("▶", ">"), "pause": ("❚❚", "||"), "end": ("■", "#"), "rule": ("─", "-"), "heavy": ("━", "="),
    "now": ("┿", "+"), "alarm": ("▲", "!"), "fault": ("●", "X"), "planned": ("○", "o"), "unit": ("▣", "O"),
    "standby": ("▢", "o"), "off": ("✕", "X"), "cold": ("┄", "."), "hot": ("═", "="), "left": ("▐", "["),
    "right": ("▌", "]"), "cursor": ("◆", "X"), "bar": ("━", "="), "bar_rest": ("─", "-"), "block": ("█", "#"),
    "arrow": ("→", ">"), "flow": ("─▶", "->"), "times": ("×", "x"), "degree": ("°C", "C"), "dot": ("·", "."),
    "tee": ("├", "|"), "corner": ("└", "`"), "pipe": ("│", "|"), "select": ("▸", ">"), "swatch": ("■", "#"),
    "up": ("▴", "^"), "down": ("▾", "v"), "limit": ("┊", ":"), "lt": ("‹", "<"), "gt": ("›", ">"), "info": ("·", "."),
    "fork": ("┬", "+"), "head": ("┤", "|"), "more": ("…", "~"), "higher": ("▴", "^"), "lower": ("▾", "v"),
}


def textual_theme(dark: bool) -> Theme:
    """Return the Textual theme (for menus and scroll bars) that goes with a palette."""
    t = {k: f"#{v}" for k, v in (_DARK if dark else _LIGHT).items()}
    return Theme(name="twin-dark" if dark else "twin-light", primary=t["accent"], secondary=t["accent"],
                 accent=t["accent"], foreground=t["fg"], background=t["bg"], surface=t["bg"], panel=t["panel"],
                 warning=t["warn"], error=t["crit"], success=t["ok"], dark=dark,
                 variables={"twin-dim": t["dim"], "twin-rule": t["rule"], "twin-sel": t["sel"],
                            "twin-bright": t["bright"], "twin-faint": t["faint"], "border": t["rule"],
                            "border-blurred": t["rule"], "block-cursor-background": t["sel"],
                            "block-cursor-foreground": t["bright"]})
