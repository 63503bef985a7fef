"""What a person prefers: a flag before the environment (``TWIN_*``) before the file before the default.

The file is ``$TWIN_CONFIG``, or ``twin/config.toml`` in ``$XDG_CONFIG_HOME`` (``~/.config``); it is TOML, and a mistake
in it is one error that names the key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from twin.errors import InputError, SpecError, nearest
from twin.scenario.toml import parse_toml
from twin.tui import actions
from twin.tui.keymap import key_of, rebound
from twin.tui.theme import MAPS

#: largest file that is read
FILE_MAX = 256 * 1024
_YES, _NO = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


@dataclass(frozen=True)
class Option:
    """One preference: its default, what it may be (words, or the bounds of a number), and what it does."""

    name: str
    default: Any
    doc: str
    words: tuple[str, ...] = ()
    bounds: tuple[int, int] | None = None

    @property
    def expected(self) -> str:
        """What it may be, in words."""
        if isinstance(self.default, bool):
            return "true or false"
        if self.bounds is not None:
            return f"a whole number from {self.bounds[0]} to {self.bounds[1]}"
        return "one of " + ", ".join(self.words) if self.words else "a text"

    def take(self, value: Any, where: str) -> Any:
        """Return a value when it may be used.

        Raises:
            InputError: it may not.
        """
        bad = nearest(value, self.words) if isinstance(value, str) else ""
        fits = type(value) is type(self.default) and (not self.words or value in self.words) and \
            (self.bounds is None or self.bounds[0] <= value <= self.bounds[1])
        if not fits:
            raise InputError(f"{value!r} is not a {self.name.replace('_', ' ')}", where=where, expected=self.expected,
                             nearest=bad)
        return value

    def read(self, text: str, where: str) -> Any:
        """Return a value that stands in the environment.

        Raises:
            InputError: it may not be used.
        """
        if isinstance(self.default, bool):
            low = text.strip().lower()
            return self.take(True if low in _YES else False if low in _NO else text, where)
        if isinstance(self.default, int):
            return self.take(int(text) if text.strip().isdecimal() else text, where)
        return self.take(text, where)


VIEWS = tuple(name for _, name, _ in actions.VIEWS)
OPTIONS: tuple[Option, ...] = (
    Option("theme", "dark", "Colours to begin with; T changes them.", ("dark", "light")),
    Option("colours", "auto", "Depth of colour; auto asks COLORTERM, TERM and NO_COLOR.",
           ("auto", "truecolor", "256", "16", "none")),
    Option("colour_map", "auto", "Colour map of the floor; auto is each metric's own.", ("auto", *MAPS)),
    Option("background", True, "Paint the theme's background; without it the terminal's own is seen."),
    Option("graphs", "braille", "What histories are drawn with; block for fonts without braille.",
           ("braille", "block", "ascii")),
    Option("ascii", False, "Draw with ASCII characters only."),
    Option("mouse", True, "Listen to the mouse; without it the terminal selects text itself."),
    Option("fps", 10, "Looks at the factory a second.", bounds=(1, 30)),
    Option("view", "overview", "View to begin with.", VIEWS),
    Option("renderer", "cells", "cells sends only what changed, plain what Textual sends.", ("cells", "plain")),
    Option("read_only", False, "Look, but touch nothing."),
    Option("tour", True, "Three steps for a newcomer, once."),
    Option("folder", ".", "Where pictures, tables and recordings of the screen are written."),
)
BY_NAME = {option.name: option for option in OPTIONS}


@dataclass(frozen=True)
class Config:
    """What holds, and where each of it comes from.

    Attributes:
        values, origins: option -> its value, and ``flag``, ``environment``, ``file`` or ``default``.
        keys: action -> its keys, those of the file alone.
        path: the file; read: it exists.
    """

    values: Mapping[str, Any]
    origins: Mapping[str, str]
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    path: Path = Path()
    read: bool = False

    def __getitem__(self, name: str) -> Any:
        """Return the value of an option."""
        return self.values[name]


def home(environ: Mapping[str, str], variable: str, otherwise: str) -> Path:
    """Return a base folder of the XDG specification; a relative path in the variable is not valid and ignored."""
    named = Path(environ.get(variable, ""))
    return named if named.is_absolute() else Path(environ.get("HOME") or "~").expanduser() / otherwise


def config_path(environ: Mapping[str, str]) -> Path:
    """Return where the configuration stands."""
    named = environ.get("TWIN_CONFIG")
    return Path(named) if named else home(environ, "XDG_CONFIG_HOME", ".config") / "twin" / "config.toml"


def settle(flags: Mapping[str, Any], environ: Mapping[str, str]) -> Config:
    """Return what holds.

    Args:
        flags: option -> value, None where none was given.
        environ: the environment.

    Raises:
        InputError: a value, a key or a name is wrong; says where, what is expected, and the nearest valid name.
    """
    path = config_path(environ)
    table = _load(path, bool(environ.get("TWIN_CONFIG")))
    keys = _keys(table.pop("keys", {}), path) if table else {}
    for name in table or ():
        if name not in BY_NAME:
            raise InputError(f"there is no option '{name}'", where=str(path), expected="one of " + ", ".join(BY_NAME),
                             nearest=nearest(name, [*BY_NAME, "keys"]))
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for option in OPTIONS:
        variable = f"TWIN_{option.name.upper()}"
        flag, said = flags.get(option.name), environ.get(variable)
        written = None if table is None or option.name not in table else \
            option.take(table[option.name], f"{path}: {option.name}")
        found = ((flag, "flag"), (option.read(said, variable) if said else None, "environment"), (written, "file"),
                 (option.default, "default"))
        values[option.name], origins[option.name] = next((v, o) for v, o in found if v is not None)
    return Config(values, origins, keys, path, table is not None)


def _load(path: Path, named: bool) -> dict[str, Any] | None:
    """Return the table of a file, None when it does not exist."""
    try:
        with path.open("rb") as file:
            data = file.read(FILE_MAX + 1)
        if len(data) > FILE_MAX:
            raise InputError("the file is too large", where=str(path), expected=f"at most {FILE_MAX} bytes")
        return parse_toml(data.decode())
    except FileNotFoundError:
        if named:
            raise InputError("there is no such file", where=f"TWIN_CONFIG={path}") from None
        return None
    except OSError as error:
        if not named and isinstance(error, NotADirectoryError | PermissionError) and not path.exists():
            return None
        raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from error
    except (SpecError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be used: {error}", where=str(path), expected="see `twin config --default`") from error


def _keys(table: Any, path: Path) -> dict[str, tuple[str, ...]]:
    """Read the table of keys."""
    where = f"{path}: keys"
    if not isinstance(table, dict):
        raise InputError("is not a table", where=where, expected="[keys] with lines such as fault = [\"f\", \"f9\"]")
    out: dict[str, tuple[str, ...]] = {}
    for name, keys in table.items():
        if name not in actions.BY_NAME:
            raise InputError(f"there is no action '{name}'", where=where,
                             expected="a name that `twin config --default` lists",
                             nearest=nearest(name, actions.BY_NAME))
        listed = [keys] if isinstance(keys, str) else keys
        if not isinstance(listed, list) or not all(isinstance(key, str) and 0 < len(key) <= 40 for key in listed):
            raise InputError("is not a key", where=f"{where}.{name}", expected='"p" or ["p", "f5"]')
        try:
            out[name] = tuple(key_of(key) for key in listed)
        except InputError as error:
            raise InputError(error.what, where=f"{where}.{name}", expected=error.expected,
                             nearest=error.nearest) from error
    try:
        rebound(out)
    except InputError as error:
        raise InputError(error.what, where=where, expected=error.expected) from error
    return out
