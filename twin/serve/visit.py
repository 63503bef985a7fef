"""What one visitor may do with a session: the only way from a served screen to the engine.

Roles hold here, below every key and every menu: a screen that forgets to hide an action is refused all the same, and
whatever a session learns to do later is refused until it is granted here.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from twin.errors import InputError

if TYPE_CHECKING:
    from twin.runtime.frame import Frame
    from twin.runtime.session import Origin, Session
    from twin.serve.people import Roster, Visitor
    from twin.site.site import Site
    from twin.site.spec import Spec
    from twin.wiring import Command, FaultKind, Setting

LOG = logging.getLogger("twin.serve")


class Refused(InputError, AttributeError):
    """A visitor may not do this."""


class Visit:
    """The part of a session that one visitor gets; acts only while the visitor holds the controls.

    Args:
        session: the shared session, or the visitor's own.
        roster: who is in this world.
        visitor: who this is for.
        speed_max: tells the highest speed that may be asked for now.
        told: acts go into the log, because others are concerned; whoever is alone could only fill it.
    """

    def __init__(self, session: Session, roster: Roster, visitor: Visitor, speed_max: Callable[[], float],
                 told: bool = True) -> None:
        self._told = told
        self._session, self._roster, self._visitor, self._speed_max = session, roster, visitor, speed_max

    # ---- looking ---------------------------------------------------------------------------------------

    @property
    def site(self) -> Site:
        """The immutable plant."""
        return self._session.site

    @property
    def spec(self) -> Spec:
        """The specification as resolved."""
        return self._session.spec

    @property
    def title(self) -> str:
        """Name and title of the scenario."""
        return self._session.title

    @property
    def name(self) -> str:
        """Name of the branch."""
        return self._session.name

    @property
    def origin(self) -> Origin | None:
        """Where the branch was forked from, None for the first one."""
        return self._session.origin

    @property
    def paused(self) -> bool:
        """It does not advance now."""
        return self._session.paused

    @property
    def endless(self) -> bool:
        """The factory goes on past the scenario's end."""
        return self._session.endless

    @property
    def error(self) -> BaseException | None:
        """Why the engine stopped, if it did."""
        return self._session.error

    @property
    def read_only(self) -> bool:
        """Whether commands are refused now."""
        return not self._roster.may_act(self._visitor)

    @property
    def in_past(self) -> bool:
        """The factory shows a moment before the furthest that it has lived."""
        return self._session.in_past

    @property
    def head_ns(self) -> int:
        """The furthest moment lived, simulated ns."""
        return self._session.head_ns

    @property
    def seeking(self) -> bool:
        """A moment was asked for that is not shown yet."""
        return self._session.seeking

    def last_act(self) -> Command | None:
        """Return the last fault, its end, or set-point that was given on the way to the shown moment."""
        return self._session.last_act()

    def fault_kinds(self) -> Sequence[FaultKind]:
        """Return every fault that can be injected here."""
        return self._session.fault_kinds()

    def settings(self) -> Sequence[Setting]:
        """Return every set-point that can be changed here."""
        return self._session.settings()

    def frame(self) -> Frame:
        """Return the newest frame; never waits."""
        return self._session.frame()

    # ---- acting ----------------------------------------------------------------------------------------

    def pause(self) -> None:
        """Stop advancing."""
        self.allow("pause")
        self._session.pause()

    def resume(self) -> None:
        """Go on advancing."""
        self.allow("go on")
        self._session.resume()

    def toggle_pause(self) -> None:
        """Pause or go on."""
        self.allow("pause or go on")
        self._session.toggle_pause()

    def step(self, n: int = 1) -> None:
        """Advance by one tick, however many are asked for, and stay paused."""
        self.allow("step")
        self._session.step(1)

    def set_speed(self, speed: float) -> None:
        """Ask for a pace, up to the highest that is granted."""
        fastest = self._speed_max()
        if not speed <= fastest:
            raise Refused(f"the speed is limited to x{fastest:g} here")
        self.allow(f"speed x{speed:g}")
        self._session.set_speed(speed)

    def seek(self, at_ns: int) -> None:
        """Show a moment that was lived, and pause there."""
        self.allow("seek")
        self._session.seek(at_ns)

    def step_back(self, n: int = 1) -> None:
        """Go back by ticks, and pause there."""
        self.allow("step back")
        self._session.step_back(n)

    def go_live(self) -> None:
        """Return to the furthest moment lived."""
        self.allow("go live")
        self._session.go_live()

    def last_alarm(self) -> None:
        """Go back to the last alarm."""
        self.allow("go to the last alarm")
        self._session.last_alarm()

    def next_alarm(self) -> None:
        """Go on to the next alarm; to one that was lived only, where the speed is limited: the rest is run at once."""
        if self._speed_max() == math.inf:
            self.allow("go to the next alarm")
            self._session.next_alarm()
            return
        at_ns = self._session.timeline.next_alarm_ns()
        if at_ns < 0:
            raise Refused("the speed is limited here, and with it the way to an alarm that was not lived yet")
        self.seek(at_ns)

    def truncate(self) -> None:
        """Give up the future of the moment that is shown."""
        self.allow("give up the future")
        self._session.truncate()

    def undo(self) -> None:
        """Go back to just before the last act, and go on from there without it."""
        self.allow("undo")
        self._session.undo()

    def send(self, command: Command) -> None:
        """Hand a command to the engine."""
        self.allow(f"{command.kind} {command.name} {command.target}")
        self._session.send(command)

    def allow(self, what: str) -> None:
        """Log an act, or raise Refused when this visitor may not act now."""
        who = self._visitor
        if who.role != "operator":
            LOG.info("refused %s (%d): %s", who.name, who.number, what)
            raise Refused("you are a viewer here and look only")
        holder = self._roster.holder()
        if holder is not who:
            raise Refused(f"{holder.name} holds the controls; o asks for them" if holder is not None
                          else "nobody holds the controls; o takes them")
        if self._told:
            LOG.info("%s (%d): %s", who.name, who.number, what)

    def __getattr__(self, name: str) -> NoReturn:
        raise Refused(f"'{name}' is not offered to visitors")

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("_"):
            raise Refused(f"'{name}' is not offered to visitors")
        object.__setattr__(self, name, value)
