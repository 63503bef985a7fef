"""A few screens, pinned as text: a session that never changes, paused, at three sizes; for one the colours too.

The pictures are plain text, because that is what a difference can be read in; SVG would change with every version of
Textual. The session is the synthetic one, so that a change of physics changes no picture; what the catalogue says of a
chip (limits, ratings) is shown and may. ``make snapshots`` draws them anew: look at ``git diff`` before they are kept.
"""

import asyncio
import difflib
import os
from pathlib import Path

import pytest
from rich.color import ColorType
from rich.style import Style
from tui_fake import FakeSession, make_site

from twin.tui.app import TwinApp

FOLDER = Path(__file__).parent / "snapshots"
RENEW = bool(os.environ.get("RENEW_SNAPSHOTS"))
SITE = make_site()
#: view, size, keys that are pressed first
SCREENS = [*((view, (120, 40), ()) for view in ("overview", "floor", "power", "cooling", "network", "jobs", "events")),
           *((view, size, ()) for view in ("overview", "floor", "events") for size in ((80, 24), (200, 60))),
           ("floor", (120, 40), ("enter",)), ("overview", (80, 24), ("f",)), ("jobs", (80, 24), ("slash", *"!pre")),
           ("floor", (80, 24), ("question_mark",))]
#: depth of colour and theme of the screens whose colours are pinned
COLOURS = [("truecolor", True), ("truecolor", False), ("256", True), ("16", True), ("16", False), ("mono", True)]
#: one letter for each style of a screen
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789" + "".join(map(chr, range(0x100, 0x180)))


def draw(view: str, size: tuple[int, int], keys: tuple[str, ...], **options: object) -> tuple[list[str], list[str]]:
    """Return the lines of a screen, and its styles as a letter for each cell followed by what the letters mean."""
    async def take() -> tuple[list[str], list[str]]:
        app = TwinApp(FakeSession(SITE), view=view, **{"depth": "truecolor", **options})
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            for key in keys:
                await pilot.press(key)
            await pilot.pause()
            if app.screen is app.main:
                app.feed()
                await pilot.pause()
            strips = app.screen._compositor.render_strips()
            names: dict[str, str] = {}
            rows = []
            for strip in strips:
                row = ""
                for segment in strip:
                    row += names.setdefault(described(segment.style), LETTERS[len(names)]) * len(segment.text)
                rows.append(row)
            legend = [f"{letter} {style}".rstrip() for style, letter in names.items()]
            return [strip.text for strip in strips], [*rows, *legend]

    return asyncio.run(take())


def described(style: Style | None) -> str:
    """Return a style in words that do not depend on how it was put together."""
    if style is None:
        return "plain"
    marks = [name for name in ("bold", "dim", "italic", "underline", "reverse") if getattr(style, name)]
    return " ".join([*marks, named(style.color), "on", named(style.bgcolor)])


def named(colour: object) -> str:
    """Return a colour as written by a person."""
    kind = getattr(colour, "type", ColorType.DEFAULT)
    if kind == ColorType.DEFAULT:
        return "default"
    triplet = getattr(colour, "triplet", None)
    return triplet.hex if triplet is not None else f"colour {getattr(colour, 'number', None)}"


def compare(path: Path, lines: list[str]) -> None:
    """Compare with what is pinned; draw it anew where that is asked for."""
    text = "".join(f"{line}|\n" for line in lines)  # the bar keeps editors from cutting blanks off
    if RENEW:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return
    assert path.exists(), f"{path.name} is not pinned yet: make snapshots"
    known = path.read_text()
    if known != text:
        found = difflib.unified_diff(known.splitlines(), text.splitlines(), "pinned", "drawn", lineterm="", n=0)
        pytest.fail(f"{path.name} changed; if that is meant: make snapshots\n" + "\n".join(found), pytrace=False)


def name_of(view: str, size: tuple[int, int], keys: tuple[str, ...]) -> str:
    """Return the name of a screen's file without its ending."""
    return "-".join([view, "x".join(map(str, size)), *(key.strip("!") for key in keys[:1])])


@pytest.mark.parametrize(("view", "size", "keys"), SCREENS, ids=lambda value: str(value))
def test_a_screen_is_drawn_as_it_is_pinned(view: str, size: tuple[int, int], keys: tuple[str, ...]) -> None:
    lines, _ = draw(view, size, keys)
    assert [len(line) for line in lines] == [size[0]] * size[1]
    compare(FOLDER / f"{name_of(view, size, keys)}.txt", lines)


@pytest.mark.parametrize(("depth", "dark"), COLOURS)
def test_colours_are_as_they_are_pinned(depth: str, dark: bool) -> None:
    lines, styles = draw("overview", (80, 24), (), depth=depth, dark=dark)
    compare(FOLDER / f"overview-80x24-{depth}-{'dark' if dark else 'light'}.styles", styles)
    assert lines == draw("overview", (80, 24), ())[0] or depth == "mono"  # the text is the same in any colour


def test_nothing_is_pinned_that_is_not_drawn() -> None:
    wanted = {f"{name_of(*screen)}.txt" for screen in SCREENS} | \
        {f"overview-80x24-{depth}-{'dark' if dark else 'light'}.styles" for depth, dark in COLOURS}
    assert {path.name for path in FOLDER.iterdir()} == wanted
