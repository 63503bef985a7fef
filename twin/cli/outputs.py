"""What ``twin replay`` and ``twin run`` write beside their results: a recording, tables of histories."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from twin.cli.common import Duration
from twin.errors import InputError

if TYPE_CHECKING:
    from twin.scenario.run import Run

FILE = click.Path(dir_okay=False, path_type=Path)


def record_option(f: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--record FILE``."""
    return click.option("--record", type=FILE, metavar="FILE", help="Record the run to a new .twin file.")(f)


def table_options(f: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--csv --jsonl --parquet --columns --every``."""
    for option in reversed((
        click.option("--csv", type=FILE, metavar="FILE", help="Write histories as CSV."),
        click.option("--jsonl", type=FILE, metavar="FILE", help="Write histories as JSON lines."),
        click.option("--parquet", type=FILE, metavar="FILE", help="Write histories as Parquet (needs pyarrow)."),
        click.option("--columns", default="", metavar="NAMES",
                     help="What to write: '[place] block.column [mean|min|max|last]', separated by commas."),
        click.option("--every", "every_ns", type=Duration(), metavar="DURATION", default="10s", show_default=True,
                     help="Simulated time of a row.")
    )):
        f = option(f)
    return f


class Outputs:
    """The files that a run writes while it goes on.

    Args:
        run: the run.
        record: new recording, if any.
        tables: kind (``csv``, ``jsonl``, ``parquet``) -> file, None when not wanted.
        columns: what the tables hold.
        every_ns: simulated time of a row.

    Raises:
        InputError: a file cannot be written, or a column does not exist.
    """

    def __init__(self, run: Run, *, record: Path | None = None, tables: dict[str, Path | None] | None = None,
                 columns: str = "", every_ns: int = 0) -> None:
        self._open: list[Any] = []
        wanted = {kind: path for kind, path in (tables or {}).items() if path is not None}
        if columns and not wanted:
            raise InputError("--columns chooses what a table holds", expected="--csv, --jsonl or --parquet")
        if wanted:
            from twin.export.table import Export, choose

            if every_ns <= 0:
                raise InputError("a row takes no time", where="--every", expected="a duration above 0")
            series = choose(run.sim, columns)
            for kind, path in wanted.items():
                self._open.append(Export(run.sim, kind, path, series, every_ns))
        if record is not None:
            from twin.scenario.recording import Recorder

            self._open.append(Recorder(run, record))

    def close(self) -> InputError | None:
        """Finish every file; return why the first one that stopped early did so."""
        for output in self._open:
            output.close()
        return next((output.error for output in self._open if output.error is not None), None)
