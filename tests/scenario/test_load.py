"""Reading specifications: files, extends, --set, units, and one clear error for everything that is wrong."""

import textwrap

import pytest

from twin.errors import InputError, SpecError
from twin.scenario.load import load_spec, scenario_names, spec_from_tree, tree_of, variants

BASE = """
[scenario]
title = "t"
duration = "1h"

[[plant.loop]]
name = "warm"
supply_c = "32degC"
heat_reject = [ { type = "dry-cooler-2900kw", count = 4 } ]

[[hall]]
name = "A"

  [[hall.row]]
  racks = 2
  rack = "gb200-nvl72"
  cdu = { type = "cdu-1350kw", count = 2, spare = 1 }

[[job]]
name = "train"
model = "llama3-70b"
gpus = 64
plan = { tp = 8, pp = 2, dp = 4 }

[[event]]
at = "10m"
fault = "cdu_pump_trip"
target = "A1.cdu1.pumpA"
for = "5m"

[[variant]]
name = "hot"
set = { "site.preset" = "phoenix", "plant.loop.warm.supply_c" = "36degC" }

[expect]
"kpi.pue" = "1 .. 2"
"hot:kpi.pue" = "> kpi.pue"
"""


@pytest.fixture
def base(tmp_path):
    path = tmp_path / "base.toml"
    path.write_text(BASE)
    return path


def write(folder, name, text):
    path = folder / name
    path.write_text(textwrap.dedent(text))
    return path


@pytest.mark.parametrize("name", scenario_names())
def test_built_in_scenarios_read_and_read_back(name):
    spec, folder = load_spec(name)
    assert spec_from_tree(tree_of(spec)) == spec
    assert folder.is_dir()
    assert spec.scenario.story


def test_quantities_are_read_in_their_units(base):
    spec, _ = load_spec(base, ["fabric.speed=400Gb/s", "scenario.tick=200ms", "workload.utilisation=70%",
                               "site.altitude_m=1km", "plant.loop.warm.supply_c=95 degF"])
    assert spec.fabric.speed == 50e9
    assert spec.scenario.tick == 200_000_000
    assert spec.workload.utilisation == 0.7
    assert spec.site.altitude_m == 1000.0
    assert spec.plant.loop[0].supply_c == 35.0


def test_set_reaches_lists_by_name_and_number(base):
    spec, _ = load_spec(base, ["hall.A.row.1.racks=8", "job.train.gpus=128", "job.1.plan.dp=8", "event.1.for=2m",
                               "hall.A.row.1.cdu.count=3", "expect.kpi.pue=< 3",
                               "variant.hot.set.site.preset=helsinki"], 9)
    assert spec.hall[0].row[0].racks == 8
    assert spec.job[0].plan.dp == 8
    assert spec.event[0].for_ == 120_000_000_000
    assert spec.expect["kpi.pue"] == "< 3"
    assert spec.variant[0].set["site.preset"] == "helsinki"
    assert spec.scenario.seed == 9


def test_set_takes_the_names_that_events_take(base):
    def set_(*paths):
        return load_spec("demo", [f"{path}=9" for path in paths])[0]

    assert set_("plant.warm.supply_c") == set_("plant.loop.warm.supply_c") != load_spec("demo")[0]
    assert set_("A.row.2.racks", "chat.gpus") == set_("hall.A.row.2.racks", "job.chat.gpus")
    for path in ("plant.worm.supply_c", "warm.supply_c", "pretrain"):
        with pytest.raises(SpecError, match="no such key"):
            set_(path)


def test_set_takes_optional_tables_away(base):
    spec, _ = load_spec(base, ["workload.generator.slots=4"])
    assert spec.workload.generator is not None
    spec, _ = load_spec("frontier", ["workload.generator=none"])
    assert spec.workload.generator is None


def test_a_trace_takes_the_generators_place_and_counts_from_here(base, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    spec, _ = load_spec("trace", ["workload.trace=jobs.swf"])
    assert spec.workload.generator is None
    assert spec.workload.trace == str(tmp_path / "jobs.swf")
    spec, _ = load_spec("trace", ["site.weather=epw:here.epw"])
    assert spec.site.weather == f"epw:{tmp_path / 'here.epw'}"
    spec, _ = load_spec("trace", ["site.weather=nordic"])
    assert spec.site.weather == "nordic"


def test_variants_are_whole_specifications(base):
    spec, _ = load_spec(base)
    (variant, hot), = variants(spec)
    assert (variant.name, hot.site.preset, hot.plant.loop[0].supply_c) == ("hot", "phoenix", 36.0)
    assert hot.hall == spec.hall
    assert not hot.variant
    assert not hot.expect


def test_extends_keeps_what_is_not_said_again(base, tmp_path):
    child = write(tmp_path, "child.toml", """
        extends = "base.toml"
        scenario.title = "child"
        [[job]]
        name = "train"
        gpus = 128
        plan = { dp = 8 }
        [[job]]
        name = "more"
        kind = "batch"
        gpus = 8
        [[event]]
        at = "1m"
        fault = "cdu_pump_trip"
        target = "A1.cdu2.pumpA"
        [expect]
        "hot:kpi.pue" = ""
        """)
    spec, _ = load_spec(child)
    assert spec.scenario.title == "child"
    assert spec.scenario.duration == 3_600_000_000_000
    assert [job.name for job in spec.job] == ["train", "more"]
    assert spec.job[0].plan.tp == 8
    assert [event.target for event in spec.event] == ["A1.cdu2.pumpA"]


def test_file_names_of_the_extended_file_count_from_its_folder(tmp_path):
    (tmp_path / "lib").mkdir()
    write(tmp_path / "lib", "base.toml", BASE + "[workload]\ntrace = 'jobs.swf'\n")
    child = write(tmp_path, "child.toml", 'extends = "lib/base.toml"\n')
    spec, folder = load_spec(child)
    assert folder == tmp_path
    assert spec.workload.trace == str(tmp_path / "lib" / "jobs.swf")


def test_own_catalogue_entries(base):
    text = BASE + '[catalog.racks.mine]\nlike = "gb200-nvl72"\ntdp_w = 140000\n'
    base.write_text(text.replace('rack = "gb200-nvl72"', 'rack = "mine"'))
    assert load_spec(base)[0].hall[0].row[0].rack == "mine"


WRONG = {
    "site.wether=x": "did you mean 'weather'",
    "hall.B.row.1.racks=1": "no element 'B'",
    "hall.A.row.2.racks=1": "a number from 1 to 1",
    "hall.A.row.1.racks=0": "hall.A.row.1.racks: 0 is out of range; expected 1 to 1,000",
    "hall.A.row.1.racks=2.5": "a whole number",
    "hall.A.row.1.racks=true": "a whole number",
    "hall.A.row.1.rack=gb200-nvl27": "did you mean 'gb200-nvl72'",
    "hall.A.row.1.rack=hgx-h100-x4": "cooled by air",
    "hall.A.row.1.cdu=none": "has no CDUs",
    "hall.A.row.1.cdu.spare=2": "none works",
    "hall.A.row.1.cdu.loop=cold": "no plant loop 'cold'",
    "hall.A.row=5": "not a list",
    "hall=A": "not a list",
    "hall.A.row.1.racks.more=1": "a value, not a table",
    "scenario.tick=1ms": "expected 10ms to 1m",
    "scenario.tick=5": "a unit",
    "scenario.tick=5parsecs": "not a duration",
    "scenario.tick=61s": "expected 10ms to 1m",
    "scenario.tick_max=500ms": "scenario.tick_max",
    "scenario.duration=10ms": "shorter than one tick",
    "scenario.start=tomorrow": "ISO 8601",
    "scenario.seed=-1": "scenario.seed",
    "scenario.seed=99999999999999999999999999": "scenario.seed",
    "scenario.title=7": "text",
    "plant.loop.warm.supply_c=90degC": "expected 5 to 60 degC",
    "plant.loop.warm.supply_c=32W": "'W' in '32W' is not a unit",
    "plant.loop.warm.supply_c=nan": "finite",
    "plant.loop.warm.supply_c=-inf": "finite",
    "plant.loop.warm.heat_reject=[]": "nothing cools",
    "plant.loop.warm.condenser=warm": "no other loop",
    "fabric.speed=fast": "a number in",
    "fabric.oversubscription=0.5": "expected 1 to 64",
    "fabric.type=torus": "one of leaf-spine, none, rail-optimised",
    "workload.utilisation=1.5": "expected 0 to 1",
    "workload.generator.gpus=[99999]": "can never start",
    "workload.generator.gpus=[]": "no sizes",
    "job.train.gpus=9999": "the factory has 144",
    "job.train.gpus=65": "tp x pp x dp x cp is 64",
    "job.train.kind=trains": "did you mean 'training'",
    "job.train.model=": "needs a model",
    "job.train.load={}": "only an inference job",
    "event.1.fault=": "either a fault or a command",
    "event.1.command=set": "either a fault or a command",
    "expect.kpi.pue=about 1": "not a condition",
    "expect.kpi.pue=3": "is not text",
    "variant.hot.set.site.presett=x": "did you mean 'preset'",
    "variant.hot.set.site.altitude_m=high": "variant.hot",
    "variant.hot.set=1": "not a table",
    "catalog.racks.mine=3": "table",
    "catalog.racks.mine={like='nope'}": "like",
    "just words": "path.to.key=value",
    "=5": "path.to.key=value",
}


@pytest.mark.parametrize("setting,says", WRONG.items(), ids=WRONG)
def test_what_is_wrong_is_said_once_and_clearly(base, setting, says):
    with pytest.raises(InputError) as caught:
        load_spec(base, [setting])
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text,says", [
    ("", "the key 'scenario' is missing"),
    ("[scenario]\n", "the key 'title' is missing"),
    ("[scenario\n", "not TOML"),
    ("x = " + "[" * 5000, "nested too deeply"),
    ("x = 1" + "0" * 5000, "more than 1000 digits"),
    ('extends = "wrong.toml"\n', "extends itself"),
    ('extends = "nowhere.toml"\n', "no such file"),
    ('extends = "dem"\n', "did you mean 'demo'"),
    ("extends = 5\n", "names one scenario"),
    (BASE + '[[hall]]\nname = "A"\n', "used twice|two halls"),
    (BASE.replace('name = "A"', 'name = "A1"'), "must not end in a digit"),
    (BASE.replace("gb200-nvl72", "gb200"), "catalogue has no 'gb200'"),
    (BASE.replace('title = "t"', 'title = "t"\nstarts = 1'), "scenario.starts: there is no such key"),
    (BASE + '[[job]]\nname = "train"\ngpus = 8\nkind = "batch"\n', "used twice"),
])
def test_wrong_files(tmp_path, text, says):
    path = write(tmp_path, "wrong.toml", text)
    with pytest.raises(SpecError, match=says):
        load_spec(path)


def test_unreadable_files(tmp_path):
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SpecError, match="UTF-8"):
        load_spec(binary)
    huge = tmp_path / "huge.toml"
    huge.write_bytes(b"#" * (5 << 20))
    with pytest.raises(SpecError, match="too large"):
        load_spec(huge)
    with pytest.raises(SpecError, match=r"did you mean .huge\.toml."):
        load_spec(tmp_path / "hugee.toml")
    with pytest.raises(SpecError, match="did you mean 'frontier'"):
        load_spec("fronteer")
