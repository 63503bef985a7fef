"""A figure without a published source says so on the screen: Cooling view, rack page, every kind of machine."""

from __future__ import annotations

import re

import pytest

from twin.runtime.session import Session
from twin.scenario.open import open_run
from twin.tui.panels.airside import CrahTable
from twin.tui.panels.cooling import CduTable
from twin.tui.panels.hydraulics import TankTable
from twin.tui.panels.machines import explain_machine
from twin.tui.panels.rack import gpu_rows
from twin.tui.screens.views import Rack
from twin.tui.theme import Palette
from twin.tui.ui import Ui


def ui_of(name: str) -> Ui:
    session = Session(open_run(name, history=False), paused=True)
    return Ui(session, Palette(), session.frame())


def said(rows) -> str:
    return "\n".join("".join(span[0] for span in row) for row in rows)


@pytest.mark.parametrize(("scenario", "table", "place", "entry"), [
    ("immersion", TankTable(), "A1.01.tank", "hgx-h100-x4-1p"),
    ("immersion", TankTable(), "A2.01.tank", "hgx-h100-x4-2p"),
    ("rear-doors", CrahTable(), "A1.01.door", "rear-door-50kw"),
    ("air-units", CrahTable(), "A1.cooler1", "in-row-60kw"),
    ("air-units", CrahTable(), "B.crah1", "fan-wall-400kw"), ("crah-failure", CrahTable(), "A.crah1", "crah-350kw"),
    ("in-rack", CduTable(), "A1.cdu1", "cdu-121kw"), ("in-rack", CduTable(), "A2.cdu1", "sidecar-70kw")])
def test_the_cooling_view_marks_estimates(scenario, table, place, entry):
    ui = ui_of(scenario)
    line = said([explain_machine(ui, table, ui.site.find(place)[1])])
    head, _, tail = line.partition(f"  {entry}: ")
    assert re.match(r"\d+/\d+ estimates", tail)
    assert len(head) + len(entry) + 20 <= 80, "cut off on a small screen"


@pytest.mark.parametrize(("scenario", "gpu", "what"), [
    ("in-rack", "A1.01.g01", "plate     10.9 K/kW  estimate"),
    ("crah-failure", "A1.01.g01", "heat sink 40.0 K/kW  estimate"), ("immersion", "A1.01.g01", "estimate")])
def test_the_rack_page_marks_cold_plates(scenario, gpu, what):
    ui = ui_of(scenario)
    assert what in said(gpu_rows(ui, ui.site.find(gpu)[1]))


def test_the_rack_page_marks_the_rack():
    ui = ui_of("in-rack")
    assert "gb200-nvl72: " in said([Rack.explain(Rack.__new__(Rack), ui)])
