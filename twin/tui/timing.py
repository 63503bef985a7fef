"""Time and branches: pace, scrubbing, undo by going back, forks. What the screen may do with a session's past."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from twin.errors import InputError, TwinError
from twin.tui import actions
from twin.tui import format as fmt
from twin.tui.base import ScreenApp
from twin.tui.panels.timeline import TimeLine, head_of, scrub
from twin.tui.screens.ask import Ask
from twin.tui.screens.menu import Choice

if TYPE_CHECKING:
    from twin.runtime.family import Family
    from twin.runtime.session import Session
    from twin.tui.ui import Mark
    from twin.wiring import Command

#: what is refused while one looks back
_ACTS = ("fault", "setting", "acknowledge")
#: longest name of a branch
NAME_MAX = 24


class Timing(ScreenApp):
    """Pace, past, branches. With branches, time is common to all; commands go to the shown one, or to all."""

    _wanted: int | None = None
    _sought = False
    _kept: dict[str, dict[Any, Mark]]

    async def run_action(self, action: Any, default_namespace: Any = None, namespaces: Any = None) -> bool:
        """Run an action; say why when it is refused, instead of doing nothing."""
        ui, found = self.ui, actions.BY_NAME.get(str(action).partition("(")[0].rpartition(".")[2])
        if found is None or (found.views and ui.view not in found.views):
            return await super().run_action(action, default_namespace, namespaces)
        shadowed = any(set(one.keys) & set(found.keys) for one in ui.extra)
        if found.forks and not ui.forkable and not shadowed:
            self.say("branches need a factory of your own: this one is shared")
        elif ui.refuses(found):
            why = "no files are written here" if found.files else "read only, look as you like" if ui.read_only else \
                "somebody else holds the clock"
            self.say(f"refused: {why}")
        elif found.name in _ACTS and ui.frame.in_past:
            self.say(self._past_words())
        else:
            return await super().run_action(action, default_namespace, namespaces)
        return True

    def _past_words(self) -> str:
        key = self.ui.key
        fork = f"{key('fork')} forks a branch here, " if self.ui.forkable else ""
        return (f"this is the past, it only shows: {fork}{key('go_on_here')} goes on from here, "
                f"{key('live')} comes back to now")

    def sessions(self) -> Sequence[Session]:
        """Return every branch, the first one first."""
        return [self.session] if self.ui.family is None else [*self.ui.family]

    def may_fork(self) -> bool:
        """Tell whether the session is one's own, so that it can have branches."""
        from twin.runtime.session import Session

        return isinstance(self.session, Session)

    def new_family(self, first: Session) -> Family:
        """Return the family that a session's branches live in."""
        from twin.runtime.family import Family

        return Family(first)

    # ---- pace ------------------------------------------------------------------------------------------

    def action_toggle_pause(self) -> None:
        """Pause or go on."""
        if self.ui.family is None:
            self.session.toggle_pause()
        elif self.session.paused:
            self.ui.family.resume()
        else:
            self.ui.family.pause()

    def action_step(self) -> None:
        """Advance by one tick."""
        for session in self.sessions():
            session.step()

    def action_faster(self) -> None:
        """Ask for the next higher speed."""
        self._change_speed(1)

    def action_slower(self) -> None:
        """Ask for the next lower speed."""
        self._change_speed(-1)

    def _change_speed(self, step: int) -> None:
        from twin.runtime.session import SPEEDS

        asked = self.session.frame().speed_asked
        beyond = [s for s in SPEEDS if (s > asked if step > 0 else s < asked)]
        if beyond:
            speed = min(beyond) if step > 0 else max(beyond)
            for session in self.sessions():
                session.set_speed(speed)
            self.say(f"asked for {fmt.speed(speed, self.ui.palette.glyph('times'))}")

    # ---- the past --------------------------------------------------------------------------------------

    def action_step_back(self) -> None:
        """Go back by one tick."""
        self.ui.seek_ns = -1
        for session in self.sessions():
            session.step_back()

    def action_scrub_back(self) -> None:
        """Go back by a step of the time line."""
        self.go_to(scrub(self.ui, self._standing(), -1))

    def action_scrub_on(self) -> None:
        """Go on by a step of the time line."""
        if self.ui.frame.in_past or self._wanted is not None:
            self.go_to(scrub(self.ui, self._standing(), 1))
        else:
            self.say("this is the present moment; space goes on, . advances by a tick")

    def action_alarm_back(self) -> None:
        """Go back to the last alarm."""
        self._to_alarm(self.session.last_alarm, -1)

    def action_alarm_on(self) -> None:
        """Go on to the next alarm, living on until there is one if need be."""
        self._to_alarm(self.session.next_alarm, 1)

    def _to_alarm(self, go: Any, step: int) -> None:
        ui = self.ui
        known = [m.at_ns for m in ui.marks.values() if m.kind == "alarm"
                 and (m.at_ns - ui.frame.now_ns) * step > 0 and m.at_ns <= head_of(ui)]
        if step < 0 and not known:
            self.say("no alarm is known before this moment")
            return
        if known and ui.family is not None:  # all branches go along
            self.go_to(max(known) if step < 0 else min(known))
            return
        ui.seek_ns = -1
        if not known:
            self.say("no alarm is known after this moment: running on until there is one; space stops")
        go()

    def action_live(self) -> None:
        """Come back to the furthest moment lived."""
        if not self.ui.frame.in_past:
            self.say("this is the present moment")
            return
        for session in self.sessions():
            session.go_live()

    def go_to(self, at_ns: int) -> None:
        """Show a moment that was lived; of several that are asked for quickly, the last one counts."""
        if not self.ui.paces:
            self.say("refused: somebody else holds the clock")
            return
        timeline = getattr(self.session, "timeline", None)
        if timeline is not None and at_ns < timeline.first_ns:
            at_ns = timeline.first_ns
            self.say(f"nothing is known from before {fmt.elapsed(at_ns)}")
        self._wanted = at_ns
        self._seek()

    def on_time_line_sought(self, message: TimeLine.Sought) -> None:
        """Go to the moment that was pointed at."""
        self.go_to(min(message.at_ns, head_of(self.ui)))

    def _standing(self) -> int:
        """Return the moment that steps are counted from: the one that was asked for last."""
        if self._wanted is not None:
            return self._wanted
        return self.ui.seek_ns if self._underway() and self.ui.seek_ns >= 0 else self.session.frame().now_ns

    def _underway(self) -> bool:
        return any(getattr(session, "seeking", False) for session in self.sessions())

    def _seek(self) -> None:
        """Hand the wanted moment over when the one before is shown, so that dragging shows moments on its way."""
        if self._wanted is None or self._underway():
            return
        at_ns, self._wanted = self._wanted, None
        self.ui.seek_ns = at_ns
        try:
            for session in self.sessions():
                session.seek(at_ns)
        except TwinError as error:
            self.say(f"refused: {error}")

    def watch_time(self) -> None:
        """Look, ten times a second, whether a seek has come to its end; one that takes longer is shown as such."""
        self._seek()
        underway = self._underway()
        if (underway and self._sought) != self.ui.seeking and self.screen is self.main:
            self.ui.seeking = underway and self._sought
            self.main.rule.feed(self.ui)
        self._sought = underway

    def action_go_on_here(self) -> None:
        """Ask, then give up what followed the shown moment."""
        ui, frame = self.ui, self.ui.frame
        if not frame.in_past:
            self.say("this is the present moment: nothing follows it")
            return
        lost = [mark for mark in ui.marks.values() if mark.at_ns > frame.now_ns]
        alarms, faults = (sum(mark.kind == kind for mark in lost) for kind in ("alarm", "fault"))
        kinds = ((alarms, "alarm"), (faults, "fault"))
        counts = ", ".join(f"{n} {word}{'s' if n > 1 else ''}" for n, word in kinds if n)
        what = f"{fmt.elapsed(frame.head_ns - frame.now_ns)} that were lived after it" + \
               (f", with {counts}," if counts else "") + " are given up for good."
        choices = [Choice("go on from here", f"The {what}", "yes", "warn"),
                   *([Choice("fork a branch here instead", "Both futures stay.", "fork")] if ui.forkable else []),
                   Choice("leave it", "Nothing happens.", "")]
        self.push_screen(Ask(ui, f"looking back at {fmt.elapsed(frame.now_ns)}", "give up what followed?", choices),
                         self._go_on)

    def _go_on(self, answer: str | None) -> None:
        if answer == "fork":
            self.action_fork()
        elif answer:
            try:
                self.session.truncate()
            except TwinError as error:
                self.say(f"refused: {error}")
                return
            self.say("this is the present moment now; space goes on")

    def action_undo(self) -> None:
        """Ask, then go back to just before the last act."""
        ui = self.ui
        act = self.session.last_act()
        if act is None:
            self.say("nothing to undo: no fault and no set-point was sent" + (" in this branch" if ui.family else ""))
            return
        lost = head_of(ui) - act.at_ns
        doc = f"Goes back to {fmt.elapsed(act.at_ns)}, just before it; the {fmt.elapsed(lost)} lived since then are " \
              "given up, and the run goes on from there without it."
        choices = [Choice(f"undo {act_words(act)}", doc, "yes", "warn"), Choice("leave it", "Nothing happens.", "")]
        self.push_screen(Ask(ui, "undo", "take back the last act?", choices), self._undone)

    def _undone(self, answer: str | None) -> None:
        act = self.session.last_act() if answer else None
        if act is None:
            return
        self.ui.seek_ns = act.at_ns
        try:
            self.session.undo()
        except TwinError as error:
            self.say(f"refused: {error}")
            return
        self.say(f"undone: {act_words(act)}")

    # ---- branches --------------------------------------------------------------------------------------

    def deliver(self, command: Command) -> None:
        """Send a command to the shown branch, or to all of them."""
        if self.ui.family is not None and self.ui.to_all:
            self.ui.family.send(command, "*")
        else:
            self.session.send(command)

    def action_fork(self) -> None:
        """Ask for a name, then fork."""
        names = [session.name for session in self.sessions()]
        free = next(f"branch {i}" for i in range(1, len(names) + 2) if f"branch {i}" not in names)
        at = fmt.elapsed(self.ui.frame.now_ns)
        self.push_screen(Ask(self.ui, f"a branch that begins at {at}", f"its name (enter for '{free}')", None, free),
                         self._named)

    def _named(self, name: str | None) -> None:
        if name:
            self.run_worker(self._fork(fmt.clean(name).strip()[:NAME_MAX]), exclusive=True, group="fork")

    async def _fork(self, name: str) -> None:
        ui, old = self.ui, self.session
        try:
            family = ui.family if ui.family is not None else self.new_family(old)
        except TwinError as error:
            self.say(f"refused: {error}")
            return
        family.select(old.name)
        self.say(f"forking '{name}' {ui.palette.glyph('more')}")
        try:
            branch = await asyncio.to_thread(family.fork, name)
        except (TwinError, MemoryError) as error:
            self.say(f"refused: {error or 'not enough memory for another branch'}")
            return
        ui.family = family
        self.show_branch(branch)
        self.say(f"branch '{name}' begins here, '{old.name}' keeps its own future: f or s change it, 8 compares, "
                 "b goes between them")

    def show_branch(self, session: Session) -> None:
        """Show another branch; commands go there from now on."""
        ui, family = self.ui, self.ui.family
        assert family is not None
        kept = self.__dict__.setdefault("_kept", {})
        kept[self.session.name] = ui.marks
        begun = head_of(ui) if session.origin is None else session.origin.at_ns
        ui.marks = kept.pop(session.name, None) or {k: m for k, m in ui.marks.items() if m.at_ns <= begun}
        self.session = ui.session = family.select(session.name)
        ui.forks = tuple({s.origin.at_ns for s in family if s.origin is not None
                          and (s.origin.parent == session.name or s is session)})
        for kept in ("backdrop", "hurt", "mask", "hot spots"):  # of frames of the other one
            ui.cache.pop(kept, None)
        ui.take(session.frame())
        self.feed()

    def action_branches(self) -> None:
        """List the branches."""
        ui, family = self.ui, self.ui.family
        if family is None or len(family) < 2:
            self.say(f"there is one branch; {ui.key('fork')} forks another that begins at the shown moment")
            return
        choices = [Choice(branch_words(s), "Enter shows it; commands go there.", ("show", s.name),
                          "bold accent" if s is self.session else "fg") for s in family]
        target = "this branch alone" if ui.to_all else "all branches"
        choices += [Choice(f"send commands to {target}", "Faults and set-points from now on.", ("all", ""))]
        choices += [Choice(f"close {s.name}", "Its future is lost; the others stay.", ("close", s.name), "warn")
                    for s in family if s.origin is not None]
        start = list(family).index(self.session)
        self.push_screen(Ask(ui, "branches", "which one", choices, start=start), self._branch_chosen)

    def _branch_chosen(self, answer: tuple[str, str] | None) -> None:
        ui, family = self.ui, self.ui.family
        if answer is None or family is None:
            return
        what, name = answer
        if what == "all":
            ui.to_all = not ui.to_all
            self.say("commands go to all branches" if ui.to_all else "commands go to the shown branch")
        elif what == "show":
            self.show_branch(family[name])
        elif what == "close":
            self.run_worker(self._close(name), group="fork")

    async def _close(self, name: str) -> None:
        family = self.ui.family
        assert family is not None
        if self.session.name == name:
            self.show_branch(next(iter(family)))
        self._kept.pop(name, None)
        try:
            await asyncio.to_thread(family.drop, name)
        except InputError as error:
            self.say(f"refused: {error}")
            return
        self.ui.to_all = self.ui.to_all and len(family) > 1
        self.show_branch(self.session)
        self.say(f"branch '{name}' is closed")

    def on_unmount(self) -> None:
        """Leave no branch behind."""
        self.close_branches()

    def close_branches(self) -> None:
        """Close the branches; the first session is its owner's to close."""
        family = self.ui.family
        for session in [*family][1:] if family is not None else []:
            session.limit = None
            session.close()
        if family is not None:
            next(iter(family)).limit = None

    # ---- comparing -------------------------------------------------------------------------------------

    def action_against(self) -> None:
        """Compare with the next branch."""
        self._compare("next_partner")

    def action_difference(self) -> None:
        """Show values or their difference."""
        self._compare("toggle_difference")

    def action_align(self) -> None:
        """Bring all branches to the earliest moment."""
        family = self.ui.family
        if family is None or len(family) < 2:
            self.say("there is one branch")
            return
        self.say(f"all branches at {fmt.elapsed(family.align())}")

    def _compare(self, what: str) -> None:
        said = getattr(self.main.view, what)(self.ui)
        self.say(said)


def act_words(act: Command) -> str:
    """Say what a command was: ``cdu_pump_trip at A2.cdu1.pumpA``, ``warm.supply_c = 30``.

    >>> from twin.wiring import Command
    >>> act_words(Command("set", 0, "", "warm.supply_c", 30.0)), act_words(Command("clear", 0, "cdu_off", "A1.cdu1"))
    ('warm.supply_c = 30', 'end of cdu_off at A1.cdu1')
    """
    if act.kind == "set":
        return f"{act.target} = {act.value:g}" if act.value is not None else act.target
    where = f" at {act.target}" if act.target else ""
    return f"{'end of ' if act.kind == 'clear' else ''}{act.name}{where}"


def branch_words(session: Session) -> str:
    """Say where a branch comes from and where it is."""
    frame = session.frame()
    where = f"{fmt.elapsed(frame.now_ns)}{' (in its past)' if frame.in_past else ''}"
    if session.origin is None:
        return f"{session.name}  {where}"
    return f"{session.name}  {where}  from '{session.origin.parent}' at {fmt.elapsed(session.origin.at_ns)}"
