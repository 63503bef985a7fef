"""What the views say of loops, air, racks, jobs, alarms and power, from frames that only pretend."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
from tui_fake import FakeSession, make_site

from twin.runtime.session import Session
from twin.scenario.open import open_run
from twin.tui.app import TwinApp
from twin.tui.metrics import METRICS
from twin.tui.panels import airside, hall, hydraulics, jobpage, loops, machines, network, power, rack
from twin.tui.panels.bars import whole_parts
from twin.tui.panels.floor import head_row, scale_row
from twin.tui.theme import Palette
from twin.tui.ui import Ui

SIZES = [(80, 24), (120, 40), (200, 60)]
SITE = make_site()


def ui_of(site=SITE, **columns):
    """Return a person's screen of a pretended frame in which some columns are replaced."""
    session = FakeSession(site)
    frame = session.frame()
    return Ui(session, Palette(), dataclasses.replace(frame, columns={**frame.columns, **columns}))


def said(rows):
    return "\n".join("".join(text for text, _ in row) for row in rows)


def screen(app):
    return [strip.text for strip in app.screen._compositor.render_strips()]


def changed(ui, name, index, value):
    column = np.array(ui.frame.columns[name])
    column[index] = value
    return {name: column}


def test_the_loops_say_temperatures_flows_and_stations():
    ui = ui_of()
    for width in (80, 120, 200):
        rows = loops.heat_path(ui, width)
        assert len(rows) == loops.lines_of(ui) == 7
        assert all(sum(len(t) for t, _ in row) <= width for row in rows)
        text = said(rows)
        runs = "8 of 12 run" if width > 80 else "8/12 run"
        for word in ("50.2°", "39.0°", "41.0°", "32.1°", runs, "131", "pumps 80 %", "outdoor 34.6 °C"):
            assert word in text, (width, word)


def test_an_arrow_moves_along_a_pipe_only_while_something_flows():
    ui = ui_of()
    ui.frame = dataclasses.replace(ui.frame, now_ns=10**9)
    before = said(loops.heat_path(ui, 120))
    ui.frame = dataclasses.replace(ui.frame, now_ns=2 * 10**9)
    assert said(loops.heat_path(ui, 120)) != before
    still = ui_of(**{"liquid.rack_flow_kg_s": np.zeros(96)})
    way = loops.liquid_way(still)[:3]
    first = said(loops.draw_way(still, "liquid", way, 120, loops.boxes_of(way)))
    assert "╌" in first
    assert "▶" not in first


def test_a_row_loop_names_its_worst_trouble():
    plumbing = SimpleNamespace(**vars(SITE.hydronics), tcs_rack_ptr=np.array([[16 * k, 16 * k + 16] for k in range(4)]))
    site = dataclasses.replace(SITE, hydronics=plumbing)
    ui = ui_of(site)
    assert hydraulics.row_state(ui, 1) == ("well", "ok")
    for name, index, value, word in (
            ("liquid.rack_filter_factor", 20, 3.0, "clogged A2.05"),
            ("liquid.tcs_leak_kg_s", 1, 0.05, "leaks 3.0 kg/min"),
            ("liquid.rack_protected", 17, 1, "1 racks off"), ("liquid.tcs_tripped", 1, 1, "low pressure, tripped")):
        ui = ui_of(site, **changed(ui, name, index, value))
        assert hydraulics.row_state(ui, 1)[0] == word
        assert hydraulics.row_state(ui, 2)[0] == "well"
        assert hydraulics.RowTable().items(ui)[0] == 1


def test_a_blocked_tray_is_named_in_its_rack_and_row():
    plumbing = SimpleNamespace(**vars(SITE.hydronics), tcs_rack_ptr=np.array([[16 * k, 16 * k + 16] for k in range(4)]))
    site = dataclasses.replace(SITE, hydronics=plumbing)
    node = int(SITE.topology.rack_node_ptr[20]) + 6
    valves = np.ones(len(SITE.topology.node_rack))
    assert hall.hurt_racks(ui_of(site, **{"liquid.node_valve_frac": valves})) is None
    valves[node] = 0.5
    ui = ui_of(site, **{"liquid.node_valve_frac": valves})
    assert "t07 short of coolant" in rack.troubles(ui, 20)
    assert "t07 short of coolant" not in rack.troubles(ui, 21)
    assert hydraulics.row_state(ui, 1) == ("shut A2.05.t07", "bold warn")
    assert np.flatnonzero(hall.hurt_racks(ui)).tolist() == [20]


def test_the_air_of_a_hall_is_judged():
    assert airside.air_verdict(ui_of(), 0) == ("well", "ok")
    assert airside.air_verdict(ui_of(**{"air.hall_cooling_hi_frac": np.array([0.5])}), 0)[0] == "inlets too warm"
    assert airside.air_verdict(ui_of(**{"air.hall_supply_heat_frac": np.array([0.4])}), 0)[0] == "exhaust comes back"
    plumbing = SimpleNamespace(**vars(SITE.hydronics), cdu_hall=np.zeros(12, int))
    wet = ui_of(dataclasses.replace(SITE, hydronics=plumbing), **{"air.hall_dew_point_temp_c": np.array([37.5])})
    assert airside.dew_margin_k(wet, 0) == pytest.approx(0.7)
    assert airside.air_verdict(wet, 0)[0] == "near dew point"


def test_an_air_machine_says_why_it_does_not_cool():
    ui = ui_of()
    assert airside.crah_state(ui, 3)[0] == "fans tripped"
    stuck = np.full(10, -1.0)
    stuck[1] = 0.2
    ui = ui_of(**{"air.crah_valve_stuck_frac": stuck, "air.crah_condensate_kg_s": np.full(10, 1e-3)})
    assert airside.crah_state(ui, 1)[0] == "valve stuck 20 %"
    assert airside.crah_state(ui, 2)[0] == "drips 3.6 kg/h"


def test_a_cdu_without_flow_is_not_said_to_hold_its_temperature():
    ui = ui_of()
    assert "holds 38.0" in said([machines.explain_cdu(ui, 0)])
    assert "stands by" in said([machines.explain_cdu(ui, 2)])
    dead = ui_of(**{"liquid.cdu_flow_kg_s": np.zeros(12)})
    assert "moves no coolant" in said([machines.explain_cdu(dead, 3)])
    warm = ui_of(**{"liquid.cdu_supply_temp_c": np.full(12, 44.0), "liquid.cdu_valve_frac": np.ones(12)})
    assert "6.0 K over its set-point, valve wide open" in said([machines.explain_cdu(warm, 0)])


def test_a_rack_in_trouble_says_so_and_is_marked():
    ui = ui_of()
    assert rack.troubles(ui, 5) == []
    assert hall.hurt_racks(ui) is None
    ui = ui_of(**changed(ui, "liquid.rack_leak_m", 5, 0.003))
    assert rack.troubles(ui, 5) == ["leaks"]
    assert np.flatnonzero(hall.hurt_racks(ui)).tolist() == [5]
    assert "trouble" in said(rack.rack_rows(ui, 5))


def test_gpus_show_power_clock_and_reason_where_there_is_room():
    ui = ui_of()
    hot = 472
    ui = ui_of(**changed(ui, "chip.gpu_throttle", hot, 0x20), **changed(ui, "chip.gpu_clock_frac", hot, 0.8))
    small, large = rack.fit_rack(18, 4, 50, 17), rack.fit_rack(8, 4, 120, 40)
    assert small.place(71)[0] + small.cell <= 50
    assert [len(rack.gpu_lines(ui, "temp", 87.5, hot, fit)) for fit in (small, large)] == [1, 1]
    assert "hot" in " ".join(rack.gpu_lines(ui, "temp", 87.5, hot, large))
    assert "80 %" in " ".join(rack.gpu_lines(ui, "temp", 87.5, hot, large))


def test_the_waterfall_adds_up_to_the_facility_power():
    run = open_run("small", history=False)
    run.sim.run_until(60 * 10**9)
    session = Session(run, paused=True)
    ui = Ui(session, Palette(), session.frame())
    total = ui.value("power.source_w")
    for fine in (False, True):
        parts = power.shares(ui, fine)
        assert sum(watts for _, watts, _ in parts) == pytest.approx(total, rel=1e-9)
        assert all(watts >= 0 for _, watts, _ in parts)
    assert "PUE" in said(power.waterfall(ui, 80, True)[:1])


def test_a_jobs_page_shows_where_it_stands_and_what_it_draws():
    ui = ui_of()
    for width, height in ((78, 9), (60, 18), (120, 26)):
        text = said(jobpage.job_page(ui, 0, width, height))
        assert "pretrain  running" in text
        assert "on 44 racks" in text
        assert "J a token" in text or "J a" in text
    holds = jobpage.gpus_of(ui, 0)
    assert len(holds) == ui.value("workload.job_gpus", 0)
    assert "not on the floor now" in said(jobpage.job_page(ui, 5, 78, 9))


def test_faults_of_the_fabric_are_counted():
    ui = ui_of()
    assert network.faults_in(ui) == ""
    ui = ui_of(**changed(ui, "network.link_capacity_frac", 3, 0.5), **{"network.switch_down_count": np.array([2])})
    assert network.faults_in(ui) == "2 switches down, 1 link hurt"


def test_the_scale_marks_the_limit():
    ui = ui_of()
    inlet = next(k for k, m in enumerate(hall_metrics()) if m.name == "inlet")
    ui.metric = inlet
    text = said([scale_row(ui, hall_metrics()[inlet], 20)])
    assert text.index("┊") == len("16 ") + int(20 * 16 / 20)


def hall_metrics():
    from twin.tui.metrics import METRICS

    return METRICS


def test_explanations_are_left_out_whole():
    row = ((" ", ""), ("the pump is off", "fg"), ("; a long explanation that is cut", "dim"))
    assert whole_parts(row, 20) == row[:2]
    assert whole_parts(row, 60) == row


@pytest.mark.parametrize("size", SIZES)
async def test_every_table_of_the_cooling_view_comes_to_the_front(size):
    app = TwinApp(FakeSession(SITE), view="cooling", depth="truecolor")
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        seen = []
        for _ in app.main.view.tables:
            await pilot.pause()
            table = app.main.view.table()
            assert table.size.height >= 3, table.id
            assert any(table.heading in line for line in screen(app)), table.id
            seen.append(table.id)
            await pilot.press("tab")
        assert seen == ["cdus", "row-loops", "crahs", "loops", "sky", "hall-air"]
        assert app.main.view.table().id == "cdus"


@pytest.mark.parametrize("size", SIZES)
async def test_moving_through_jobs_and_alarms_shows_their_pages(size):
    app = TwinApp(FakeSession(SITE), view="jobs", depth="truecolor")
    async with app.run_test(size=size) as pilot:
        await pilot.press("down")
        await pilot.pause()
        assert any("finetune  running" in line for line in screen(app))
        await pilot.press("7")
        await pilot.pause()
        assert any("● critical A5.14" in line for line in screen(app))
        await pilot.press("down")
        await pilot.pause()
        assert any("▲ warning A.crah4" in line for line in screen(app))


async def test_the_matrix_is_drawn_again_only_when_loads_changed(monkeypatch):
    app = TwinApp(FakeSession(SITE), view="network", depth="truecolor")
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        drawn = []
        matrix = app.screen.query_one(network.NetworkMatrix)
        whole = matrix._draw
        monkeypatch.setattr(matrix, "_draw", lambda *args: drawn.append(args) or whole(*args))
        app.feed()
        assert not drawn
        load = np.array(app.ui.frame.columns["network.link_load_frac"]) * 0.5
        frame = dataclasses.replace(app.ui.frame, version=99, columns={**app.ui.frame.columns,
                                                                       "network.link_load_frac": load})
        app.ui.take(frame)
        app.feed()
        assert len(drawn) == 1


@pytest.mark.parametrize("width", [43, 51, 60, 64, 80, 118])
def test_the_head_of_the_floor_says_the_metric_in_full(width):
    for metric in ("temp", "inlet", "power", "util"):
        ui = ui_of()
        ui.metric = next(i for i, m in enumerate(METRICS) if m.name == metric)
        text = "".join(span for span, _ in head_row(ui, width))
        assert f"‹{METRICS[ui.metric].title}›" in text
        assert METRICS[ui.metric].unit in text
        assert len(text) == width
