"""The metrics: what prometheus-client reads back, against the state and against the DCGM exporter's list."""

import json
import math
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("prometheus_client", reason="the extra 'metrics' is not installed")
from prometheus_client.parser import text_string_to_metric_families

from twin.export.families import FAMILIES, GPU_FIELDS, NOT_SERVED, exposed_names
from twin.export.labels import chosen_gpus, escape
from twin.export.meter import EnergyMeter
from twin.export.prometheus import EXTRA_COLUMNS, Exposition
from twin.runtime.session import Session
from twin.scenario.open import open_run
from twin.wiring import Command

#: fields and types that NVIDIA/dcgm-exporter serves by default (etc/default-counters.csv, read 2026)
DEFAULT_COUNTERS = {
    "DCGM_FI_DEV_SM_CLOCK": "gauge", "DCGM_FI_DEV_MEM_CLOCK": "gauge", "DCGM_FI_DEV_MEMORY_TEMP": "gauge",
    "DCGM_FI_DEV_GPU_TEMP": "gauge", "DCGM_FI_DEV_POWER_USAGE": "gauge",
    "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION": "counter", "DCGM_FI_DEV_PCIE_TX_THROUGHPUT": "counter",
    "DCGM_FI_DEV_PCIE_RX_THROUGHPUT": "counter", "DCGM_FI_DEV_PCIE_REPLAY_COUNTER": "counter",
    "DCGM_FI_DEV_GPU_UTIL": "gauge", "DCGM_FI_DEV_MEM_COPY_UTIL": "gauge", "DCGM_FI_DEV_ENC_UTIL": "gauge",
    "DCGM_FI_DEV_DEC_UTIL": "gauge", "DCGM_FI_DEV_XID_ERRORS": "gauge", "DCGM_FI_DEV_FB_FREE": "gauge",
    "DCGM_FI_DEV_FB_USED": "gauge", "DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL": "counter",
    "DCGM_FI_DEV_VGPU_LICENSE_STATUS": "gauge", "DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS": "counter",
    "DCGM_FI_DEV_CORRECTABLE_REMAPPED_ROWS": "counter", "DCGM_FI_DEV_ROW_REMAP_FAILURE": "gauge",
}
#: the labels of a GPU in the exporter's template, in their order
EXPORTER_LABELS = ["gpu", "UUID", "pci_bus_id", "device", "modelName", "Hostname"]
GRAFANA = Path(__file__).parents[2] / "docs" / "grafana" / "twin.json"


class Scraped:
    """A run of the demo, and what a scrape of it says."""

    def __init__(self, sets=(), max_gpus=200):
        self.run = open_run("demo", history=False, sets=sets)
        self.meter = EnergyMeter(self.run.sim.state.chip.gpu_power_w)
        self.run.sim.watches.append(self.meter)
        self.session = Session(self.run, columns=EXTRA_COLUMNS)
        self.exposition = Exposition(self.session.site, self.run.source, self.meter, max_gpus=max_gpus)

    def scrape(self, ticks=0):
        self.run.sim.advance(ticks)
        self.session.pause()  # publishes a frame
        self.text = self.exposition.render(self.session.frame()).decode()
        return {family.name: family for family in text_string_to_metric_families(self.text)}


@pytest.fixture(scope="module")
def demo():
    scraped = Scraped()
    scraped.families = scraped.scrape(30)
    return scraped


def samples(family, **labels):
    return [s.value for s in family.samples if all(s.labels.get(k) == v for k, v in labels.items())]


def sample_names(text):
    return {re.match(r"[A-Za-z_:][A-Za-z0-9_:]*", line)[0] for line in text.splitlines() if not line.startswith("#")}


def test_every_family_is_documented_and_every_documented_one_is_there(demo):
    ours = {name for name in sample_names(demo.text) if not name.startswith(("process_", "python_"))}
    empty_now = {"twin_alarm", "twin_fault"}
    assert ours | empty_now == exposed_names()
    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", demo.text, re.M))
    assert {name: types[name] for name in ours} == {name: types[name] for name in ours if name in types}
    assert all(types[f.name] == f.kind for f in FAMILIES)


def test_dcgm_names_and_types_are_those_of_the_exporter(demo):
    served = {f.name: f.kind for f in GPU_FIELDS if f.listed}
    assert served.items() <= DEFAULT_COUNTERS.items()
    assert served.keys() | NOT_SERVED.keys() == DEFAULT_COUNTERS.keys()
    assert not served.keys() & NOT_SERVED.keys()
    for name, kind in served.items():
        assert f"# TYPE {name} {kind}\n" in demo.text  # the counter too: no "_total"


def test_labels_of_a_gpu_are_those_of_the_exporter(demo):
    line = next(line for line in demo.text.splitlines() if line.startswith("DCGM_FI_DEV_GPU_TEMP{"))
    labels = re.findall(r'(\w+)="([^"]*)"', line)
    assert [name for name, _ in labels][:6] == EXPORTER_LABELS
    values = dict(labels)
    assert re.fullmatch(r"GPU-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", values["UUID"])
    assert re.fullmatch(r"[0-9A-F]{8}:[0-9A-F]{2}:[0-9A-F]{2}\.[0-9A-F]", values["pci_bus_id"])
    assert values["device"] == "nvidia" + values["gpu"]
    uuids = re.findall(r'^DCGM_FI_DEV_GPU_TEMP\{.*UUID="([^"]*)"', demo.text, re.M)
    assert len(uuids) == len(set(uuids)) == len(chosen_gpus(demo.session.site, 200))


def test_values_are_the_state(demo):
    state, site = demo.run.sim.state, demo.session.site
    gpu = site.names["gpu"].locate("A1.01.g03")
    of_gpu = {"Hostname": "A1.01.t01", "gpu": "2"}
    assert samples(demo.families["DCGM_FI_DEV_GPU_TEMP"], **of_gpu) == [round(state.chip.gpu_temp_c[gpu], 1)]
    assert samples(demo.families["DCGM_FI_DEV_POWER_USAGE"], **of_gpu) == [round(state.chip.gpu_power_w[gpu], 3)]
    mhz = state.chip.gpu_clock_frac[gpu] * 1117  # of B200, as measured
    assert samples(demo.families["DCGM_FI_DEV_SM_CLOCK"], **of_gpu) == [round(mhz)]
    rack = list(site.names["rack"]).index("A2.07")
    assert samples(demo.families["twin_rack_power_watts"], hall="A", row="A2", rack="A2.07") == [
        state.power.rack_input_w[rack]]
    assert len(demo.families["twin_rack_power_watts"].samples) == site.axes["rack"]
    liquid = int((site.hydronics.rack_tcs >= 0).sum())
    assert len(demo.families["twin_rack_coolant_flow_grams_per_second"].samples) == liquid
    (flow,) = samples(demo.families["twin_cdu_flow_grams_per_second"], cdu="A1.cdu2")
    assert flow == state.liquid.cdu_flow_kg_s[1] * 1000.0
    running = samples(demo.families["twin_job_state"], kind="training")
    assert running
    assert set(running) <= {1.0, 2.0, 5.0}


def test_energy_is_the_integral_of_power_and_never_falls():
    scraped = Scraped(max_gpus=8)
    sim = scraped.run.sim
    chosen = chosen_gpus(scraped.session.site, 8)
    before, expected_j = np.zeros(len(chosen)), np.zeros(len(chosen))
    for _ in range(5):
        for _ in range(3):
            begun_ns = sim.now_ns
            sim.advance()
            expected_j += sim.state.chip.gpu_power_w[chosen] * (sim.now_ns - begun_ns) / 1e9
        got = np.array(samples(scraped.scrape()["DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION"]))
        assert (got > before).all()
        before = got
    np.testing.assert_allclose(before, expected_j * 1e3, rtol=1e-9, atol=1.0)  # whole millijoules


def test_a_lost_gpu_has_xid_79_and_a_fault():
    scraped = Scraped(max_gpus=8)
    place = scraped.session.site.names["gpu"][0]
    scraped.session.send(Command("fault", 0, "gpu_shutdown", place))
    families = scraped.scrape(2)
    assert samples(families["DCGM_FI_DEV_XID_ERRORS"])[:2] == [79.0, 0.0]
    assert samples(families["DCGM_FI_DEV_POWER_USAGE"])[0] == 0.0
    assert samples(families["twin_fault"], fault="gpu_shutdown", place=place) == [1.0]


def test_reasons_are_bits_of_nvml():
    from twin.export.families import GpuNow, _reasons

    none = np.zeros(6)
    throttle = np.array([0, 0x4, 0x100, 0x200, 0x40 | 0x8, 0x20], dtype=np.int32)
    util = np.array([0.0, 1.0, 1.0, 1.0, 1.0, 1.0])
    now = GpuNow(none, none, none, none, none, util, none, throttle, none, none, none, none)
    # nvml.h: GpuIdle 0x1, SwPowerCap 0x4, HwSlowdown 0x8, SwThermal 0x20 (die or memory), HwThermal 0x40
    assert _reasons(now).tolist() == [0x1, 0x4, 0x20, 0, 0x48, 0x20]


@pytest.mark.parametrize("at_most", [0, 3, 100, 2000, 10**6])
def test_gpus_are_whole_nodes_spread_over_the_factory(demo, at_most):
    site = demo.session.site
    chosen = chosen_gpus(site, at_most)
    assert len(chosen) <= at_most
    assert len(set(chosen.tolist())) == len(chosen)
    nodes, counts = np.unique(site.topology.gpu_node[chosen], return_counts=True)
    size = np.diff(site.topology.node_gpu_ptr)
    assert (counts == size[nodes]).all()
    if at_most == 2000:
        assert len(chosen) > 1900
        assert len(np.unique(site.topology.gpu_rack[chosen])) == site.axes["rack"]


def test_names_from_outside_cannot_break_the_text():
    title = 'a "quoted" \\ title{x="1"} 7'
    scraped = Scraped(sets=["scenario.title=" + json.dumps(title)], max_gpus=4)
    (info,) = scraped.scrape()["twin_info"].samples
    assert info.labels["title"] == title
    assert info.value == 1.0


@given(st.text())
def test_escaped_labels_read_back(text):
    line = f'one{{label="{escape(text)}"}} 1\n'
    if "\r" not in text and len(line.splitlines()) == 1:  # the format ends lines with a line feed only
        (family,) = text_string_to_metric_families(line)
        assert family.samples[0].labels["label"] == text


def test_dashboard_asks_for_nothing_else():
    dashboard = json.loads(GRAFANA.read_text(encoding="utf-8"))
    queries = [t["expr"] for p in dashboard["panels"] for t in p.get("targets", ())]
    queries += [v["query"]["query"] for v in dashboard["templating"]["list"] if isinstance(v["query"], dict)]
    assert len(queries) > 30
    used = {name for query in queries for name in re.findall(r"\b(?:twin|DCGM)_\w+", query)}
    assert used <= exposed_names()
    labels = {name for query in queries for name in re.findall(r"\b(\w+)=~?\"", query)} - {"job"}
    assert labels <= {"hall"}
    ids = [p["id"] for p in dashboard["panels"]]
    assert len(ids) == len(set(ids))
    for panel in dashboard["panels"]:
        grid = panel["gridPos"]
        assert grid["x"] >= 0
        assert grid["x"] + grid["w"] <= 24


def test_legends_use_labels_that_exist(demo):
    dashboard = json.loads(GRAFANA.read_text(encoding="utf-8"))
    for target in (t for p in dashboard["panels"] for t in p.get("targets", ())):
        name = re.search(r"\b(?:twin|DCGM)_\w+", target["expr"])[0]
        if name in ("twin_alarm", "twin_fault"):  # a table: no legend
            continue
        known = {k for s in demo.families[name.removesuffix("_total")].samples for k in s.labels}
        assert set(re.findall(r"{{(\w+)}}", target["legendFormat"])) <= known


def test_promtool_agrees(demo):
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed")
    done = subprocess.run([promtool, "check", "metrics"], input=demo.text, capture_output=True, text=True, timeout=60)
    complaints = [line for line in (done.stdout + done.stderr).splitlines() if not line.startswith("DCGM_")]
    assert not complaints  # of the exporter's names it dislikes camel case and a counter without _total
    assert done.returncode in (0, 3)


def test_infinite_speed_is_a_number_that_prometheus_knows():
    scraped = Scraped(max_gpus=0)
    scraped.session.set_speed(math.inf)
    assert samples(scraped.scrape()["twin_speed_asked_ratio"]) == [math.inf]
    assert "DCGM_" not in scraped.text
