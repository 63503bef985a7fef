"""Pictures, tables, the clipboard and recordings; and that a served screen writes none."""

import asyncio
import base64
import csv
import io
import json
from functools import partial

import pyte
import pytest
from tui_fake import FakeSession, make_site

from twin.errors import InputError
from twin.tui import actions
from twin.tui.app import TwinApp
from twin.tui.cast import Cast
from twin.tui.local import Local
from twin.tui.metrics import metric_of, rack_values
from twin.tui.sheet import Sheet, sheet_of
from twin.tui.stream import StreamDriver
from twin.tui.taking import CLIPBOARD_MAX

SITE = make_site()
SIZES = [(80, 24), (120, 40), (200, 60)]


def text_of(app) -> list[str]:
    """Return what stands on the screen, line by line."""
    return [strip.text for strip in app.screen._compositor.render_strips()]


def app_of(folder, **kwargs):
    return TwinApp(FakeSession(SITE), depth="truecolor", local=Local(folder=folder), **kwargs)


@pytest.mark.parametrize("size", SIZES)
async def test_a_table_is_written_as_it_is_shown(size, tmp_path):
    app = app_of(tmp_path, view="jobs")
    async with app.run_test(size=size) as pilot:
        await pilot.press("slash", *"e", "enter", "E")
        await pilot.pause()
        table = app.main.view.table()
        (path,) = tmp_path.iterdir()
        assert f"written to {path}"[:60] in text_of(app)[-2] or size == (80, 24)
        rows = list(csv.reader(io.StringIO(path.read_text())))
        assert rows[0][1:4] == ["job", "state", "GPUs"]
        assert rows[1:] == [[text for text, _ in table.cells(app.ui, item)] for item in table.rows(app.ui)]
        shown = "\n".join(text_of(app))
        assert all(row[1] in shown and row[2] in shown for row in rows[1:])
        await pilot.press("E")
        await pilot.pause()
        assert len(list(tmp_path.iterdir())) == 2  # nothing is overwritten


async def test_the_floor_gives_the_racks_that_match_with_the_metric(tmp_path):
    app = app_of(tmp_path, view="floor")
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("m", "slash", *"A3", "enter", "E")
        await pilot.pause()
        (path,) = tmp_path.iterdir()
        rows = list(csv.DictReader(io.StringIO(path.read_text())))
        values = rack_values(app.ui, metric_of(app.ui))
        names = list(app.ui.names("rack"))
        assert [row["rack"] for row in rows] == [name for name in names if name.startswith("A3")]
        metric = metric_of(app.ui)
        column = f"{metric.title} ({metric.unit})"
        for row in rows:
            assert float(row[column]) == pytest.approx(values[names.index(row["rack"])], abs=0.051)


async def test_every_view_has_a_table(tmp_path):
    app = app_of(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        for key, name, _ in actions.VIEWS:
            await pilot.press(key)
            await pilot.pause()
            sheet = sheet_of(app.main.view, app.ui)
            assert len(sheet.columns) > 1, name
            assert all(len(row) == len(sheet.columns) for row in sheet.rows), name


def test_no_cell_is_taken_for_a_formula():
    sheet = Sheet("x", ("a",), [("=1+1",), ("-cmd",), ("-3.5",), ("@sum",), ("a\tb\nc",)])
    assert [row[0] for row in csv.reader(io.StringIO(sheet.csv()))][1:] == ["'=1+1", "'-cmd", "-3.5", "'@sum", "a b c"]


@pytest.mark.parametrize("size", SIZES)
async def test_a_picture_is_written(size, tmp_path):
    app = app_of(tmp_path, view="power")
    async with app.run_test(size=size) as pilot:
        await pilot.press("P")
        await pilot.pause()
        (path,) = tmp_path.iterdir()
        assert path.suffix == ".svg"
        assert "Cooling" in path.read_text()


async def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    app = app_of(tmp_path / "none")
    async with app.run_test(size=(120, 40)) as pilot:
        for key in ("P", "E", "R"):
            await pilot.press(key)
            await pilot.pause()
            assert "not " in app.ui.message


async def test_a_served_screen_writes_no_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    app = TwinApp(FakeSession(SITE), depth="truecolor")
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("P", "E", "R", "colon", *"picture", "enter")
        await pilot.pause()
        assert list(tmp_path.iterdir()) == []
        assert not any(a.files for a in app.ui.available())


async def test_the_clipboard_takes_rows_up_to_its_cap(tmp_path, monkeypatch):
    app = app_of(tmp_path, view="jobs")
    async with app.run_test(size=(120, 40)) as pilot:
        taken = []
        monkeypatch.setattr(app, "copy_to_clipboard", taken.append)
        await pilot.press("y")
        assert len(taken[0].splitlines()) == 1 + len(app.main.view.table().rows(app.ui))
    sheet = Sheet("x", ("name",), [(f"row {i} °",) for i in range(20_000)])
    text, count = sheet.tsv(CLIPBOARD_MAX)
    assert 0 < count < 20_000
    assert len(base64.b64encode(text.encode())) <= 74_994
    assert text.splitlines() == ["name", *(row[0] for row in sheet.rows[:count])]


def test_a_recording_is_whole_or_in_its_part(tmp_path):
    now = [5.0]
    path = tmp_path / "a.cast"
    cast = Cast(path, 80, 24, "title", clock=lambda: now[0])
    now[0] = 6.5
    cast.output("hé\x1b[1m")
    cast.output("\x1b]52;c;c2VjcmV0\x07")
    now[0] = 6.0
    cast.resize(100, 30)
    assert not path.exists()
    cast.close()
    head, *lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert (head["version"], head["width"], head["height"]) == (2, 80, 24)
    assert lines[1:] == [[1.5, "o", "hé\x1b[1m"], [1.5, "r", "100x30"]]
    with pytest.raises(InputError, match="exists"):
        Cast(path, 80, 24)


@pytest.mark.parametrize("size", SIZES)
def test_a_recording_played_again_ends_with_the_screen(size, tmp_path):
    ends = []

    async def body() -> None:
        app = TwinApp(FakeSession(SITE), depth="truecolor", local=Local(folder=tmp_path),
                      driver_class=partial(StreamDriver, sink=lambda text: None))
        running = asyncio.create_task(app.run_async(size=size))
        for _ in range(100):
            await asyncio.sleep(0.02)
            if app.screen_stack and getattr(app, "main", None) is not None and app.main.is_mounted:
                break
        async def press(*keys: str) -> None:
            for key in keys:
                await app._press_keys([key])
                await asyncio.sleep(0.05)
        await press("R", "2", "m", "slash", "A", "3", "enter", "right", "full_stop", "5")
        await asyncio.sleep(0.5)
        ends.extend(line.rstrip() for line in text_of(app))
        await press("R")
        app.exit()
        await running

    asyncio.run(body())
    (path,) = tmp_path.iterdir()
    head, *lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert (head["width"], head["height"]) == size
    assert [line[0] for line in lines] == sorted(line[0] for line in lines)
    screen = pyte.Screen(*size)
    stream = pyte.Stream(screen)
    shown = []
    for _, kind, text in lines:
        if kind == "o":
            stream.feed(text)
            shown.append([line.rstrip() for line in screen.display])
    assert ends[:-3] in [one[:-3] for one in shown]  # what stood there before the recording was ended
    assert "Network" in ends[1]
