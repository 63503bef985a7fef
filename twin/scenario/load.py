"""Find, read, extend, override and check scenario specifications.

    spec, base_dir = load_spec("demo", sets=["hall.A.row.1.racks=8"], seed=3)

The order is: the file, what it extends below it, ``--set`` above it, the seed; then types, units, ranges and
what can be checked without building the site (``checks.py``).
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from twin.errors import SpecError, nearest
from twin.scenario.checks import check_spec
from twin.scenario.paths import absolute_files, put, split_setting
from twin.scenario.reading import convert, type_of, unread
from twin.scenario.toml import parse_toml
from twin.site.spec import Spec, VariantSpec

#: a specification is a description, not a data file: larger ones are refused before they are parsed.
FILE_BYTES_MAX = 1 << 20
EXTENDS_MAX = 8


def scenario_folder() -> Path:
    """Return the folder of the built-in scenarios: installed as ``twin._scenarios``, or in the source tree."""
    try:
        return Path(str(resources.files("twin._scenarios")))
    except ModuleNotFoundError:
        return Path(__file__).resolve().parents[2] / "scenarios"


def scenario_names() -> tuple[str, ...]:
    """Return the names of the built-in scenarios, ``demo`` first."""
    names = sorted(path.stem for path in scenario_folder().glob("*.toml"))
    return tuple(sorted(names, key=lambda name: (name != "demo", name)))


def load_spec(name_or_path: str | Path, sets: Sequence[str] = (), seed: int | None = None) -> tuple[Spec, Path]:
    """Read a scenario by built-in name or ``.toml`` path.

    Args:
        name_or_path: ``demo`` or ``my/factory.toml``.
        sets: overrides, each ``path.to.key=value``; file names in them count from the current folder.
        seed: replaces ``scenario.seed``.

    Returns:
        the specification, and the folder that its file names count from.

    Raises:
        SpecError, CatalogError: with file, key, what was expected and the nearest valid name.
    """
    path = find_scenario(name_or_path)
    tree = _read_tree(path, ())
    described = type_of(Spec)
    for text in sets:
        where, value = split_setting(text)
        if where == "extends":
            raise SpecError("what a scenario extends is read before anything is set", where="--set extends",
                            expected="a file of your own that extends it")
        put(tree, where, value, described, relative_to=Path.cwd())
    if seed is not None:
        put(tree, "scenario.seed", seed, described, where="--seed")
    spec = spec_from_tree(tree, file=str(name_or_path))
    variants(spec, file=str(name_or_path))
    return spec, path.parent


def spec_from_tree(tree: Mapping[str, Any], *, file: str = "") -> Spec:
    """Return the checked specification of plain tables, as ``load_spec`` does for a file.

    Raises:
        SpecError, CatalogError: with file, key, what was expected and the nearest valid name.
    """
    spec: Spec = convert(tree, Spec, file=file)
    check_spec(spec, file=file)
    if spec.workload.trace and spec.workload.generator is not None:  # a trace takes its place
        spec = replace(spec, workload=replace(spec.workload, generator=None))
    return spec


def tree_of(spec: Spec) -> dict[str, Any]:
    """Return the plain tables that read back as ``spec``, durations written with units."""
    tree: dict[str, Any] = unread(msgspec.to_builtins(spec), type_of(Spec))
    return tree


def variants(spec: Spec, *, file: str = "") -> list[tuple[VariantSpec, Spec]]:
    """Return each variant with its own whole specification; a variant has no variants and no expectations.

    Raises:
        SpecError: a variant's path leads nowhere, or its value does not fit.
    """
    out = []
    for variant in spec.variant:
        tree = tree_of(spec)
        tree.pop("variant", None)
        tree.pop("expect", None)
        for path, value in variant.set.items():
            put(tree, path, value, type_of(Spec), where=f"{file}: variant.{variant.name}".lstrip(": "))
        out.append((variant, spec_from_tree(tree, file=f"{file}: variant.{variant.name}".lstrip(": "))))
    return out


def find_scenario(name_or_path: str | Path) -> Path:
    """Return the file of a built-in name or a path.

    Raises:
        SpecError: neither a built-in scenario nor a readable ``.toml`` file.
    """
    text = str(name_or_path)
    if "/" not in text and not text.endswith(".toml"):
        path = scenario_folder() / f"{text}.toml"
        if text in scenario_names():
            return path
        names = scenario_names()
        raise SpecError(f"there is no built-in scenario '{text}'", expected="one of " + ", ".join(names) + " or a file",
                        nearest=nearest(text, names))
    path = Path(text).expanduser()
    if not path.is_file():
        if path.exists():
            raise SpecError("this is not a regular file", where=text, expected="a .toml file")
        siblings = [p.name for p in path.parent.glob("*.toml")] if path.parent.is_dir() else []
        raise SpecError("there is no such file", where=text, nearest=nearest(path.name, siblings))
    return path.absolute()


def _read_tree(path: Path, below: tuple[Path, ...]) -> dict[str, Any]:
    """Read a file and what it extends, as plain tables."""
    if path in below or len(below) > EXTENDS_MAX:
        raise SpecError("this scenario extends itself" if path in below else "scenarios extend each other too deeply",
                        where=f"{path.name}: extends")
    tree = _parse(path)
    base = tree.pop("extends", "")
    if not isinstance(base, str):
        raise SpecError("'extends' names one scenario", where=f"{path.name}: extends", expected="a name or a file")
    if not base:
        return tree
    relative = "/" in base or base.endswith(".toml")
    parent = find_scenario(path.parent / base if relative else base)
    under = _read_tree(parent, (*below, path))
    if parent.parent != path.parent:
        absolute_files(under, type_of(Spec), parent.parent)
    return _merge(under, tree)


def _parse(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise SpecError("the file is too large for a scenario", where=str(path), expected="at most 1 MB")
        return parse_toml(path.read_text(encoding="utf-8"), where=str(path))
    except UnicodeDecodeError as error:
        raise SpecError(f"the file is not UTF-8 text (byte {error.start})", where=str(path)) from None
    except OSError as error:
        raise SpecError(f"the file cannot be read: {error.strerror}", where=str(path)) from None


def _merge(under: Any, over: Any) -> Any:
    """Lay ``over`` on ``under``: tables key by key, named list elements by name, everything else replaced."""
    if isinstance(under, dict) and isinstance(over, dict):
        out = copy.copy(under)
        for key, value in over.items():
            out[key] = _merge(under[key], value) if key in under else value
        return out
    if isinstance(under, list) and isinstance(over, list) and _named(under) and _named(over):
        merged = {item["name"]: item for item in under}
        for item in over:
            merged[item["name"]] = _merge(merged[item["name"]], item) if item["name"] in merged else item
        return list(merged.values())
    return over


def _named(items: list[Any]) -> bool:
    return bool(items) and all(isinstance(item, dict) and isinstance(item.get("name"), str) for item in items)
