"""Commands as people write them: ``fault cdu_pump_trip A2.cdu1.pumpA for=5m``, ``set warm.supply_c 30``."""

from __future__ import annotations

import shlex

from twin.engine.simulation import Simulation
from twin.errors import CommandError, InputError, nearest
from twin.units import format_duration, parse_duration_ns, parse_quantity
from twin.wiring import Command

KINDS = {"fault": "fault NAME [PLACE] [value=V] [for=DURATION] [at=+DURATION]",
         "clear": "clear NAME [PLACE] [at=+DURATION]", "ack": "ack ALARM [PLACE] [at=+DURATION]",
         "set": "set PATH VALUE [at=+DURATION]"}


def parse_command(text: str, sim: Simulation, at_ns: int) -> Command:
    """Read one command and check it against a simulation.

    Args:
        text: see ``KINDS``; a ``set`` may also be written ``set PATH=VALUE``, its value with a unit.
        sim: gives names, ranges and units; nothing in it is changed.
        at_ns: when the command takes effect; ``at=+5m`` in the text is counted from there.

    Raises:
        CommandError: it is none of these, or names something that does not exist.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise CommandError(f"'{text}' is no command: {error}") from None
    if not words or words[0] not in KINDS:
        raise CommandError(f"'{text}' is no command", expected="; ".join(KINDS.values()),
                           nearest=nearest(words[0], KINDS) if words else "")
    kind, where = words[0], f"command '{text}'"
    plain, options = _split(words[1:], kind)
    at_ns += _duration(options.pop("at", "0s").removeprefix("+"), where)
    if kind == "set":
        if len(plain) == 1 and "=" in plain[0]:
            plain = list(plain[0].split("=", 1))
        if len(plain) != 2 or options:
            raise CommandError("this sets nothing", where=where, expected=KINDS["set"])
        return set_command(plain[0], plain[1], sim, at_ns)
    value, lasts = options.pop("value", ""), options.pop("for", "")
    unknown = (value or lasts) and kind != "fault"
    if not 1 <= len(plain) <= 2 or options or unknown:
        raise CommandError("this is incomplete or has a word too many", where=where, expected=KINDS[kind])
    command = Command(kind, at_ns, plain[0], plain[1] if len(plain) == 2 else "",  # type: ignore[arg-type]
                      _number(value, where) if value else None, _duration(lasts, where) if lasts else 0)
    sim.vet(command)
    return command


def set_command(path: str, written: str, sim: Simulation, at_ns: int) -> Command:
    """Return the command that changes a set-point; the value may carry a unit (``30degC``, ``80%``).

    Raises:
        CommandError: no set-point has that path, or the value is out of range.
    """
    _, setting, _ = sim.registry.setting(path)
    try:
        value = parse_quantity(written, setting.unit, where=f"set {path}")
    except InputError as error:
        raise CommandError(error.what, where=error.where, expected=error.expected) from None
    command = Command("set", at_ns, "", path, value)
    sim.vet(command)
    return command


def write_command(command: Command) -> str:
    """Write a command so that ``parse_command`` reads it again, its instant left out.

    >>> write_command(Command("fault", 0, "heat_wave", "", 8.0, 60_000_000_000))
    'fault heat_wave value=8 for=1m'
    """
    if command.kind == "set":
        return f"set {command.target} {command.value:g}"
    words = [command.kind, command.name, shlex.quote(command.target) if command.target else ""]
    if command.value is not None:
        words.append(f"value={command.value:g}")
    if command.duration_ns:
        words.append(f"for={format_duration(command.duration_ns)}")
    return " ".join(word for word in words if word)


def _split(words: list[str], kind: str) -> tuple[list[str], dict[str, str]]:
    plain, options = [], {}
    for word in words:
        key, sign, value = word.partition("=")
        if sign and key in ("at",) + (("value", "for") if kind != "set" else ()):
            options[key] = value
        else:
            plain.append(word)
    return plain, options


def _duration(text: str, where: str) -> int:
    try:
        return parse_duration_ns(text)
    except InputError as error:
        raise CommandError(error.what, where=where, expected=error.expected) from None


def _number(text: str, where: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise CommandError(f"'{text}' is not a number", where=where) from None
