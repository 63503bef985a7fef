"""What the rack panel says of a rack in a bath."""

import pytest

from twin.runtime.session import Session
from twin.scenario.open import open_run
from twin.tui.panels.rack import rack_rows
from twin.tui.theme import Palette
from twin.tui.ui import Ui

S = 10**9


@pytest.fixture(scope="module")
def ui():
    run = open_run("immersion", history=False)
    run.sim.run_until(690 * S)
    session = Session(run, paused=True)
    return Ui(session, Palette(), session.frame())


def text(ui, rack):
    return "\n".join("".join(span[0] for span in row) for row in rack_rows(ui, ui.site.find(rack)[1]))


def test_a_single_phase_bath_shows_its_level(ui):
    assert "bath      96% full" in text(ui, "A1.03").replace(" %", "%")
    assert "vapour" not in text(ui, "A1.03")


def test_a_venting_bath_shows_pressure_and_flux(ui):
    shown = text(ui, "A2.01")
    assert "vents 0.3" in shown
    assert "of the limit" in shown
    assert "sealed" in text(ui, "A2.02")
