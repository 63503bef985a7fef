"""Whatever a scenario file holds, reading it ends in a specification or in one clear InputError."""

import tomllib

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from twin.errors import InputError
from twin.scenario.expect import parse_expectations
from twin.scenario.load import load_spec, scenario_folder, spec_from_tree, tree_of
from twin.scenario.paths import put, split_setting
from twin.scenario.reading import type_of
from twin.site.spec import Spec

DEMO = (scenario_folder() / "demo.toml").read_text(encoding="utf-8")
LEAVES = st.one_of(st.booleans(), st.integers(), st.floats(), st.text(max_size=12),
                   st.sampled_from(["5m", "32degC", "nan", "1e400", "A2", "gb200-nvl72", "warm", "none", "-1s", ""]))
KEYS = st.sampled_from(["name", "type", "count", "x", "gpus"])
VALUES = st.recursive(LEAVES, lambda inner: st.one_of(
    st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)), max_leaves=6)


def paths(value, prefix=()):
    """Return every path in plain tables."""
    out = [prefix] if prefix else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        out += paths(inner, (*prefix, key))
    return out


PATHS = paths(tomllib.loads(DEMO))


def refused(action):
    """Do it; return the one clear line that it was refused with, or None."""
    try:
        action()
    except InputError as error:
        return str(error)
    return None


def read(tree):
    line = refused(lambda: spec_from_tree(tree, file="fuzz"))
    if line is None:
        spec = spec_from_tree(tree)
        assert spec_from_tree(tree_of(spec)) == spec
    else:
        assert line.startswith("fuzz")
        assert "\n" not in line


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_demo_with_anything_anywhere(data):
    tree = tomllib.loads(DEMO)
    for _ in range(data.draw(st.integers(1, 3))):
        path, value = data.draw(st.sampled_from(PATHS)), data.draw(VALUES)
        spot = tree
        try:
            for step in path[:-1]:
                spot = spot[step]
            if data.draw(st.booleans()) or isinstance(spot, list):
                spot[path[-1]] = value
            else:
                spot[data.draw(st.text(max_size=8))] = value
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took the place away
    read(tree)


SECTIONS = st.sampled_from(["scenario", "hall", "job", "site", "expect", "catalog", "x"])


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(SECTIONS, VALUES, max_size=4))
def test_any_tables(tree):
    read(tree)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_file_with_any_cut_or_byte(tmp_path, data):
    path = tmp_path / "fuzz.toml"
    raw = bytearray(DEMO.encode())
    cut = data.draw(st.integers(0, len(raw)))
    raw = raw[:cut] if data.draw(st.booleans()) else raw
    for _ in range(data.draw(st.integers(0, 4))):
        if raw:
            raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(raw))
    assert refused(lambda: load_spec(path)) != ""


STEPS = st.sampled_from(["hall", "A", "row", "1", "2", "job", "chat", "plan", "expect", "kpi", "0", "99", "", "x"])


@settings(max_examples=200, deadline=None)
@given(st.lists(STEPS, max_size=5), st.text(max_size=10))
def test_any_setting(steps, value):
    tree = tomllib.loads(DEMO)
    if refused(lambda: put(tree, *split_setting(".".join(steps) + "=" + value), type_of(Spec))) is None:
        read(tree)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="abkpi.:_ 0123<>=-exnmhftrA", max_size=30), st.text(alphabet="<>=. 0123e-nakpi", max_size=14))
def test_any_expectation(what, condition):
    line = refused(lambda: parse_expectations({what: condition}, []))
    assert line is None or line.startswith("expect")


@pytest.mark.parametrize("text", ["scenario=1", "hall=[]", "hall=[1]", "hall=[[]]", "job=[{}]", "event=[{}]"])
def test_found_by_fuzzing(text):
    read(tomllib.loads(text))
