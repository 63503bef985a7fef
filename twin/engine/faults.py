"""Faults: started and cleared at tick boundaries, remembered in slots of the state."""

from __future__ import annotations

from dataclasses import dataclass

from twin.engine.registry import Registry
from twin.errors import CommandError
from twin.site.site import Site
from twin.state.state import State
from twin.units import format_duration
from twin.wiring import Command, Event, FaultKind


@dataclass(frozen=True)
class ActiveFault:
    """A fault that is on now. ``until_ns`` is -1 when it lasts until cleared."""

    name: str
    place: str
    since_ns: int
    until_ns: int
    value: float


class Faults:
    """The slots of active faults.

    Args:
        registry: fault kinds in order; slot_kind indexes them.
        site: names of the elements.
        state: ``state.faults`` holds the slots; the fault rows write their own domain's block.
    """

    def __init__(self, registry: Registry, site: Site, state: State) -> None:
        self._registry, self._site, self._state = registry, site, state

    def start(self, command: Command, now_ns: int) -> Event:
        """Begin a fault; raise CommandError when it names nothing or is out of range."""
        index = self._registry.fault(command.name)
        domain, kind = self._registry.faults[index]
        element = self._registry.place(kind.axis, command.target, where=f"fault {kind.name}")
        value = kind.value_default if command.value is None else command.value
        low, high = kind.value_range
        if not low <= value <= high:
            raise CommandError(f"value {value:g} is out of range", where=f"fault {kind.name}",
                               expected=f"{low:g} to {high:g} ({kind.value_doc or 'severity'})")
        slots = self._state.faults
        free = [i for i in range(slots.slot_kind.size) if slots.slot_kind[i] < 0]
        if not free:
            raise CommandError(f"{slots.slot_kind.size} faults are active already", where=f"fault {kind.name}")
        slot = free[0]
        slots.slot_kind[slot], slots.slot_element[slot], slots.slot_value[slot] = index, element, value
        slots.slot_since_ns[slot] = now_ns
        slots.slot_until_ns[slot] = now_ns + command.duration_ns if command.duration_ns else -1
        kind.start(self._state.blocks[domain], element, value)
        lasts = f" for {format_duration(command.duration_ns)}" if command.duration_ns else ""
        return Event(now_ns, "warning", "fault", self._name(kind.axis, element),
                     f"{kind.name} starts{lasts}", {"fault": kind.name})

    def clear_due(self, due_ns: int, now_ns: int) -> list[Event]:
        """End, at the boundary ``now_ns``, the faults whose time comes by ``due_ns``."""
        slots = self._state.faults
        return [self._clear(i, now_ns) for i in range(slots.slot_kind.size)
                if slots.slot_kind[i] >= 0 and 0 <= slots.slot_until_ns[i] <= due_ns]

    def clear(self, command: Command, now_ns: int) -> list[Event]:
        """End a fault by name (and place, when given), or reset there what latched by itself.

        Raises:
            CommandError: no such fault is active, and nothing of its kind is held.
        """
        index = self._registry.fault(command.name)
        domain, kind = self._registry.faults[index]
        slots = self._state.faults
        wanted = self._registry.place(kind.axis, command.target, where=f"clear {kind.name}") if command.target else -1
        chosen = [i for i in range(slots.slot_kind.size)
                  if slots.slot_kind[i] == index and wanted in (-1, slots.slot_element[i])]
        held = self._held(domain, kind, wanted, {int(slots.slot_element[i]) for i in chosen})
        if not chosen and not held:
            raise CommandError("that fault is not active", where=f"clear {kind.name} {command.target}".strip())
        for element in held:
            kind.clear(self._state.blocks[domain], element)
        return [self._clear(i, now_ns) for i in chosen] + [
            Event(now_ns, "info", "fault", self._name(kind.axis, element), f"{kind.name} is reset",
                  {"fault": kind.name}) for element in held]

    def _held(self, domain: str, kind: FaultKind, wanted: int, but: set[int]) -> list[int]:
        """Return the elements that are in a fault's condition by themselves; ``wanted`` -1 looks at all."""
        if kind.held is None:
            return []
        block = self._state.blocks[domain]
        looked_at = range(self._site.axes[kind.axis]) if wanted < 0 else (wanted,)
        return [e for e in looked_at if e not in but and kind.held(block, e)]

    def _clear(self, slot: int, now_ns: int) -> Event:
        slots = self._state.faults
        index, element = int(slots.slot_kind[slot]), int(slots.slot_element[slot])
        slots.slot_kind[slot], slots.slot_until_ns[slot] = -1, -1
        domain, kind = self._registry.faults[index]
        still = [i for i in range(slots.slot_kind.size)
                 if slots.slot_kind[i] == index and slots.slot_element[i] == element]
        if still:  # another fault of the same kind still holds this element down: its value counts again
            kind.start(self._state.blocks[domain], element, float(slots.slot_value[still[-1]]))
        else:
            kind.clear(self._state.blocks[domain], element)
        return Event(now_ns, "info", "fault", self._name(kind.axis, element), f"{kind.name} ends", {"fault": kind.name})

    def next_end_ns(self) -> int:
        """Return the earliest end of an active fault, or -1."""
        slots = self._state.faults
        ends = [int(u) for k, u in zip(slots.slot_kind, slots.slot_until_ns, strict=True) if k >= 0 and u >= 0]
        return min(ends, default=-1)

    def active(self) -> list[ActiveFault]:
        """Return the faults that are on now, oldest first."""
        slots = self._state.faults
        found = [ActiveFault(self._registry.faults[int(k)][1].name,
                             self._name(self._registry.faults[int(k)][1].axis, int(slots.slot_element[i])),
                             int(slots.slot_since_ns[i]), int(slots.slot_until_ns[i]), float(slots.slot_value[i]))
                 for i, k in enumerate(slots.slot_kind) if k >= 0]
        return sorted(found, key=lambda f: f.since_ns)

    def wrong(self) -> str:
        """Return the first slot that points at no element, in words; empty when there is none."""
        slots = self._state.faults
        for i in (slots.slot_kind >= 0).nonzero()[0]:
            kind = self._registry.faults[int(slots.slot_kind[i])][1]
            if int(slots.slot_element[i]) >= self._site.axes[kind.axis]:
                return f"faults.slot_element[{i}] is {slots.slot_element[i]}"
        return ""

    def _name(self, axis: str, element: int) -> str:
        names = self._site.names.get(axis)
        return names[element] if names is not None else ""
