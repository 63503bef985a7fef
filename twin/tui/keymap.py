"""Keys by their names: what a person writes into the configuration, what Textual calls it, what the screen shows."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace

from twin.errors import InputError, nearest
from twin.tui.actions import ACTIONS, Action

#: names of Unicode that Textual shortens
_SHORT = {"solidus": "slash", "reverse_solidus": "backslash", "commercial_at": "at", "hyphen_minus": "minus",
          "plus_sign": "plus", "low_line": "underscore"}
_LONG = {short: long for long, short in _SHORT.items()}
#: keys that have a name only, and how they are shown
_NAMED = {"enter": "enter", "escape": "esc", "tab": "tab", "space": "space", "backspace": "backspace", "left": "←",
          "right": "→", "up": "↑", "down": "↓", "home": "home", "end": "end", "pageup": "pgup", "pagedown": "pgdn",
          "insert": "ins", "delete": "del", **{f"f{i}": f"f{i}" for i in range(1, 25)}}
#: characters by Textual's names, in which hyphens and spaces of Unicode's names are the same
_CHARACTERS = {unicodedata.name(chr(code)).lower().replace("-", "_").replace(" ", "_"): chr(code)
               for code in (*range(0x20, 0x7F), *range(0xA1, 0x100)) if unicodedata.name(chr(code), "")}
_OTHER = {"esc": "escape", "pgup": "pageup", "pgdn": "pagedown", "return": "enter", " ": "space"}
_HELD = ("ctrl", "alt", "shift")


def key_of(text: str) -> str:
    """Return Textual's name of a key: ``.``, ``G``, ``ctrl+r``, ``esc``, ``f5``.

    >>> key_of("."), key_of("ctrl+r"), key_of("esc"), key_of("G"), key_of("full_stop")
    ('full_stop', 'ctrl+r', 'escape', 'G', 'full_stop')

    Raises:
        InputError: there is no such key.
    """
    held, _, last = text.rpartition("+") if len(text) > 1 else ("", "", text)
    if len(text) > 1 and not last:  # "ctrl++"
        held, last = text[:-2], "+"
    names = [part.lower() for part in held.split("+") if part]
    found = _base(last)
    if not found or any(name not in _HELD for name in names):
        known = [*_NAMED, *(f"{h}+{last}" for h in _HELD)]
        raise InputError(f"no key is called '{text}'", expected="such as p, ., ctrl+r, f5, enter",
                         nearest=nearest(text.lower(), known))
    return "+".join([*names, found])


def _base(text: str) -> str:
    """Return the name of a key without what is held down with it; empty when there is none."""
    if text in _OTHER:
        return _OTHER[text]
    if len(text) == 1 and text.isprintable():
        if text.isalnum():
            return text
        name = unicodedata.name(text, "").lower().replace("-", "_").replace(" ", "_")
        return _SHORT.get(name, name)
    if text.lower() in _NAMED:
        return text.lower()
    return text if len(shown(text)) == 1 else ""


def shown(key: str) -> str:
    """Return how a key is written on the screen.

    >>> shown("full_stop"), shown("ctrl+r"), shown("escape")
    ('.', '^r', 'esc')
    """
    if key.startswith("ctrl+") and len(key) > 5:
        return "^" + shown(key[5:])
    if key in _NAMED:
        return _NAMED[key]
    if len(key) == 1:
        return key
    name = _LONG.get(key, key)
    if name in _CHARACTERS:
        return _CHARACTERS[name]
    try:
        return unicodedata.lookup(name.replace("_", " "))
    except KeyError:
        return key


def rebound(keys: Mapping[str, Sequence[str]], base: Sequence[Action] = ACTIONS) -> tuple[Action, ...]:
    """Return the registry with other keys for some actions; who had one of them before loses it.

    Args:
        keys: name of an action -> its keys, by Textual's names.

    Raises:
        InputError: two actions that work in one view are given the same key, or an action that one cannot do without
            is left with none.
    """
    taken: dict[str, list[str]] = {}
    for name, theirs in keys.items():
        for key in theirs:
            taken.setdefault(key, []).append(name)
    by_name = {action.name: action for action in base}
    for key, names in taken.items():
        for i, one in enumerate(names):
            for other in names[i + 1:]:
                if _meet(by_name[one], by_name[other]):
                    raise InputError(f"'{shown(key)}' is given to both {one} and {other}", where="keys",
                                     expected="one action for a key")
    out = []
    for action in base:
        if action.name in keys:
            own = tuple(dict.fromkeys(keys[action.name]))
        else:
            own = tuple(key for key in action.keys
                        if not any(_meet(action, by_name[name]) for name in taken.get(key, ())))
        if own != action.keys:
            action = replace(action, keys=own, shown=shown(own[0]) if own else "")
        out.append(action)
    missing = next((a.name for a in out if a.name in ("quit", "back") and not a.keys), "")
    if missing:
        raise InputError(f"no key is left for {missing}", where="keys", expected="a key for it")
    return tuple(out)


def _meet(one: Action, other: Action) -> bool:
    """Tell whether there is a view in which both work."""
    return not one.views or not other.views or bool(set(one.views) & set(other.views))
