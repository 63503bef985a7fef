"""Topology: index order, bounds, streams and names."""

import numpy as np
import pytest

from twin.catalog.loader import load_catalog
from twin.errors import SpecError
from twin.site.spec import HallSpec, RowSpec, ScenarioSpec, Spec
from twin.site.topology import build_topology, hall_list

GPU = {"accelerators": {name: {"title": name, "tdp_w": 1000.0} for name in ("gb200", "h100-sxm")}}


def spec_of(*halls: HallSpec) -> Spec:
    return Spec(scenario=ScenarioSpec(title="t"), hall=list(halls))


@pytest.fixture
def demo():
    rows = [RowSpec(racks=16, rack="gb200-nvl72", repeat=4), RowSpec(racks=16, rack="hgx-h100-x4", repeat=2)]
    return build_topology(spec_of(HallSpec(name="A", row=rows)), load_catalog(GPU))


def test_demo_sizes(demo):
    assert demo.axes == {"hall": 1, "row": 6, "rack": 96, "node": 64 * 18 + 32 * 4, "gpu": 64 * 72 + 32 * 32,
                         "stream": 64 + 32 * 4 * 2}


def test_bounds_agree_with_parents(demo):
    for pointers, parent in ((demo.rack_node_ptr, demo.node_rack), (demo.node_gpu_ptr, demo.gpu_node),
                             (demo.rack_gpu_ptr, demo.gpu_rack), (demo.stream_gpu_ptr, demo.gpu_stream),
                             (demo.rack_stream_ptr, demo.stream_rack)):
        assert np.array_equal(np.repeat(np.arange(len(pointers) - 1), np.diff(pointers)), parent)
    assert np.array_equal(demo.node_rack[demo.gpu_node], demo.gpu_rack)
    assert np.array_equal(demo.stream_rack[demo.gpu_stream], demo.gpu_rack)


def test_air_streams_are_front_then_rear_of_one_node(demo):
    first = int(demo.rack_stream_ptr[64])
    assert demo.stream_is_air[:first].sum() == 0
    assert list(demo.stream_depth[first:first + 4]) == [0, 1, 0, 1]
    gpus = np.flatnonzero(demo.gpu_stream == first + 1)
    assert len(gpus) == 4
    assert len(set(demo.gpu_node[gpus])) == 1


def test_names_both_ways(demo):
    assert demo.names["rack"][16 + 6] == "A2.07"
    gpu = demo.names["gpu"]
    assert gpu[(16 + 6) * 72 + 10] == "A2.07.g11"
    assert demo.names["node"].locate("A2.07.t03") == (16 + 6) * 18 + 2
    for i in (0, 71, 72, len(gpu) - 1):
        assert gpu.locate(gpu[i]) == i
    for bad in ("A2.07.g73", "A2.07.g00", "A2.07.g011", "A9.01.g01", "A2.07.t01", "g01", ""):
        assert gpu.locate(bad) == -1


def test_repeated_halls_are_lettered_on():
    halls = hall_list(spec_of(HallSpec(name="Y", repeat=4, row=[RowSpec(racks=1, rack="gb200-nvl72")])))
    assert [name for name, _ in halls] == ["Y", "Z", "AA", "AB"]


@pytest.mark.parametrize("halls", [
    [HallSpec(name="A1")], [HallSpec(name="A", repeat=2), HallSpec(name="B")], [HallSpec(name="north", repeat=2)], [],
])
def test_bad_halls_are_refused(halls):
    with pytest.raises(SpecError):
        build_topology(spec_of(*halls), load_catalog(GPU))
