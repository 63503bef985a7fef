"""Who is here, who holds the controls, and what the one who holds them looks at."""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from twin.errors import printable

Role = Literal["operator", "viewer"]
#: longest name that is shown
NAME_MAX = 24
#: messages that wait for a visitor who does not read them
NOTICES_MAX = 4


def safe_name(text: str) -> str:
    """Return a name that can be drawn on anybody's screen: printable, one line, short; never empty.

    >>> safe_name("eve\\x1b]0;x\\x07"), safe_name("  ")
    ('eve]0;x', 'somebody')
    """
    kept = "".join(c for c in printable(text) if c.isprintable() and c != "\ufffd" and c.isascii())
    return " ".join(kept.split())[:NAME_MAX] or "somebody"


@dataclass(frozen=True)
class Attention:
    """What an operator looks at; a viewer may follow it."""

    view: str
    hall: int
    rack: int
    metric: int
    colour_map: str
    window: int
    layer: int


@dataclass(eq=False)
class Visitor:
    """Somebody with a terminal.

    Attributes:
        number: unique as long as the server runs.
        name: safe to draw.
        role: decided when logging in, for good.
        address: where from.
        since, last_input: instants of the roster's clock, s.
        notices: lines for this visitor's screen.
        attention: what this visitor looks at.
        asks: wants the controls.
    """

    number: int
    name: str
    role: Role
    address: str
    since: float
    last_input: float
    notices: deque[str] = field(default_factory=lambda: deque(maxlen=NOTICES_MAX))
    attention: Attention | None = None
    asks: bool = False

    @property
    def label(self) -> str:
        """Name for the screen."""
        return self.name if self.role == "operator" else f"{self.name} (viewer)"


class Roster:
    """The people of one world, and the lease on its controls.

    At most one operator holds the lease. It is given to the first operator who comes, can be handed over, is lost by
    leaving and by not touching a key for ``lease_idle_s``. A viewer never holds it.

    Args:
        lease_idle_s: see above.
        clock: seconds, monotonic.
    """

    def __init__(self, lease_idle_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.lease_idle_s, self.clock = lease_idle_s, clock
        self.visitors: dict[int, Visitor] = {}
        self._numbers = itertools.count(1)
        self._holder: Visitor | None = None

    def __iter__(self) -> Iterator[Visitor]:
        return iter([*self.visitors.values()])

    def enter(self, name: str, role: Role, address: str) -> Visitor:
        """Add somebody; an operator takes the controls when nobody holds them."""
        now = self.clock()
        visitor = Visitor(next(self._numbers), safe_name(name), role, address, now, now)
        self.tell_all(f"{visitor.label} is here")
        self.visitors[visitor.number] = visitor
        if role == "operator" and self.holder() is None:
            self._holder = visitor
        return visitor

    def leave(self, visitor: Visitor) -> None:
        """Remove somebody; the controls become free or go to who asked first."""
        self.visitors.pop(visitor.number, None)
        if self._holder is visitor:
            self._free(f"{visitor.name} left")
        else:
            self.tell_all(f"{visitor.label} left")

    def holder(self) -> Visitor | None:
        """Return who holds the controls now."""
        holder = self._holder
        if holder is not None and self.clock() - holder.last_input > self.lease_idle_s:
            holder.notices.append("the controls are free: no key for a while; o takes them again")
            self._free(f"{holder.name} is idle")
        return self._holder

    def may_act(self, visitor: Visitor) -> bool:
        """Tell whether somebody's commands reach the factory now."""
        return visitor.role == "operator" and self.holder() is visitor

    def touch(self, visitor: Visitor) -> None:
        """Note that somebody pressed a key."""
        self.holder()  # a lease that has run out is not renewed by the key that comes too late
        visitor.last_input = self.clock()

    def controls(self, visitor: Visitor) -> str:
        """Take the controls, ask for them, or hand them over: whatever the key means now; returns what happened."""
        if visitor.role != "operator":
            return "viewers look, they do not act; operators log in with a key"
        holder = self.holder()
        if holder is None:
            self._give(visitor)
            return "you hold the controls"
        if holder is not visitor:
            visitor.asks = True
            holder.notices.append(f"{visitor.name} asks for the controls: o hands them over")
            return f"{holder.name} holds the controls and was asked for them"
        return self._hand_over(visitor)

    def _hand_over(self, visitor: Visitor) -> str:
        asking = next((v for v in self if v.asks and v is not visitor), None)
        if asking is not None:
            self._give(asking)
            return f"{asking.name} holds the controls now"
        self._holder = None
        for other in self:
            if other.role == "operator" and other is not visitor:
                other.notices.append(f"{visitor.name} put the controls down: o takes them")
        return "nobody holds the controls now; o takes them again"

    def _give(self, visitor: Visitor) -> None:
        self._holder, visitor.asks = visitor, False
        for other in self:
            other.notices.append("you hold the controls" if other is visitor else f"{visitor.name} holds the controls")

    def _free(self, why: str) -> None:
        self._holder = None
        asking = next((v for v in self if v.asks), None)
        if asking is not None:
            self._give(asking)
        else:
            self.tell_all(f"{why}; nobody holds the controls")

    def tell_all(self, text: str) -> None:
        """Leave a line for everybody."""
        for visitor in self:
            visitor.notices.append(text)

    def summary(self) -> str:
        """Return who is here, in one line."""
        operators = [v for v in self if v.role == "operator"]
        viewers = sum(v.role == "viewer" for v in self)
        holder = self.holder()
        parts = [f"{v.name}{' (holds the controls)' if v is holder else ''}" for v in operators]
        if viewers:
            parts.append(f"{viewers} viewer{'s' if viewers > 1 else ''}")
        return ", ".join(parts) or "nobody"
