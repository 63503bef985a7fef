"""Tables hold what the histories hold, in three formats, in memory that does not grow."""

import csv
import errno
import json
import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from twin.errors import InputError
from twin.export.table import Export, choose
from twin.scenario.open import open_run

S = 10**9


def test_rows_are_the_buckets_of_the_histories(tmp_path: Path) -> None:
    run = open_run("small")
    sim = run.sim
    names = ("power.it_w", "ledger.pue_ratio", "weather.outdoor_temp_c")
    export = Export(sim, "csv", tmp_path / "a.csv", choose(sim, ",".join(names)), 10 * S)
    sim.advance(500)
    export.close()
    with (tmp_path / "a.csv").open(newline="") as file:
        heading, *rows = list(csv.reader(file))
    assert heading == ["time_s", *names]
    assert sim.histories is not None
    for i, name in enumerate(names, 1):
        at_s, _, mean, _ = sim.histories.series(name, 0, 50, sim.now_ns)
        assert [float(row[0]) for row in rows] == list(at_s)
        assert [float(row[i]) for row in rows] == list(mean)


def test_minimum_maximum_and_last_are_those_of_the_ticks(tmp_path: Path) -> None:
    run = open_run("small")
    sim = run.sim
    wanted = "power.it_w min,power.it_w max,power.it_w last,A1 liquid.rack_supply_temp_c"
    export = Export(sim, "jsonl", tmp_path / "a.jsonl", choose(sim, wanted), 30 * S)
    seen = []
    for _ in range(60):
        sim.advance()
        seen.append((float(sim.state.power.it_w[0]), float(sim.state.liquid.rack_supply_temp_c[0])))
    export.close()
    rows = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert [row["time_s"] for row in rows] == [0.0, 30.0]
    for row, part in zip(rows, (seen[:30], seen[30:]), strict=True):
        power = [p for p, _ in part]
        assert (row["power.it_w min"], row["power.it_w max"], row["power.it_w last"]) == (
            min(power), max(power), power[-1])
        assert row["liquid.rack_supply_temp_c[A1.01]"] == pytest.approx(float(np.mean([t for _, t in part])), rel=1e-12)


def test_three_formats_say_the_same(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    sim = open_run("small").sim
    series = choose(sim)
    exports = [Export(sim, kind, tmp_path / f"a.{kind}", series, 7 * S) for kind in ("csv", "jsonl", "parquet")]
    sim.advance(100)
    for export in exports:
        export.close()
        assert (export.error, export.rows) == (None, 15)
    table = parquet.read_table(tmp_path / "a.parquet")
    objects = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    with (tmp_path / "a.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert table.column_names == list(rows[0]) == list(objects[0])
    for name in table.column_names:
        values = table[name].to_pylist()
        assert values == [row[name] for row in objects]
        assert values == [float(row[name]) for row in rows]
    assert table.schema.field("power.it_w").metadata == {b"unit": b"W"}
    assert str(table.schema.field("workload.jobs_running").type) == "int64"


def test_a_long_table_takes_no_more_memory(tmp_path: Path) -> None:
    sim = open_run("small", history=False).sim
    export = Export(sim, "csv", tmp_path / "a.csv", choose(sim, "power.it_w,chip.gpu_temp_c max"), 1 * S)
    sim.advance(200)
    tracemalloc.start()
    sim.advance(50)
    begun, _ = tracemalloc.get_traced_memory()
    sim.advance(1000)
    ended, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    export.close()
    assert export.rows == 1250
    assert ended - begun < 200_000


@pytest.mark.parametrize(("wanted", "says"), [
    ("power.it_", "did you mean 'power.it_w'"), ("power.it_w mx", "did you mean 'max'"), ("A9 power.it_w", "A9"),
    ("a b c power.it_w", "not understood"), ("hall", "not|column"),
])
def test_a_choice_that_names_nothing_is_one_clear_error(wanted: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        choose(open_run("small").sim, wanted)


def test_a_full_disk_ends_the_table_and_the_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sim = open_run("small").sim
    export = Export(sim, "jsonl", tmp_path / "a.jsonl", choose(sim), 1 * S)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    sim.advance(20)
    monkeypatch.setattr(export._writer, "row", full)
    sim.advance(20)
    export.close()
    assert sim.tick == 40
    assert "No space left" in str(export.error)
    assert export.rows == 19
