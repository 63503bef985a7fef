"""Open a scenario: a built-in name, a ``.toml`` specification or a ``.twin`` file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from twin.errors import InputError
from twin.scenario.load import load_spec, variants
from twin.scenario.reading import locate
from twin.scenario.run import Run, build_run


def open_run(source: str, *, sets: Sequence[str] = (), seed: int | None = None, variant: str = "",
             history: bool = True, at_ns: int | None = None) -> Run:
    """Open a scenario and return it ready to run.

    Args:
        source: name of a built-in scenario, path of a ``.toml`` or of a ``.twin``; a recording opens at its end.
        sets: ``path.to.key=value`` overrides; refused for a ``.twin``, which is a moment, not a description.
        seed: seed of the draws; refused for a ``.twin``.
        variant: apply the ``[[variant]]`` of that name.
        history: keep histories.
        at_ns: open a recording at this moment instead, what was commanded later waiting; ignored for anything else and
            where it lies behind the recording's end.

    Raises:
        InputError: something is wrong; says what, where, expected, and the nearest valid name.
    """
    if source.endswith(".twin"):
        if sets or seed is not None:
            raise InputError("--set and --seed change a specification, not a saved moment", where=source,
                             expected="a scenario name or a .toml")
        from twin.scenario import replay, snapshot

        if replay.is_recording(Path(source)):
            with replay.Recording(Path(source)) as recording:
                if at_ns is None or at_ns > recording.last_ns:
                    return recording.open()
                run = recording.open(at_ns)
                for given in recording.commands[len(run.sim.given):]:
                    run.sim.submit(given.command)
                return run
        return snapshot.load(Path(source))
    spec, base_dir = load_spec(source, sets, seed)
    if variant:
        chosen = next((made for v, made in variants(spec, file=source) if v.name == variant), None)
        if chosen is None:
            raise InputError(f"no variant is called '{variant}'", where=source)
        # expectations of the story name its variants; they are not applied to each other
        spec = replace(chosen, expect=spec.expect, variant=spec.variant)
    try:
        return build_run(spec, base_dir, seed=seed, source=source, variant=variant, history=history)
    except InputError as error:
        if error.where.startswith(source) or "/" in error.where:  # it names a file already
            raise
        raise type(error)(error.what, where=locate(source, error.where), expected=error.expected,
                          nearest=error.nearest) from error
